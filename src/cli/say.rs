//! Words on the terminal, for a reader who may have gone.

use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write, stderr, stdout};

/// Writes to standard output. Whoever closed it, as `head` does, has read enough.
pub fn out(words: Arguments<'_>) {
    if let Err(error) = stdout().write_fmt(words)
        && !is_gone(&error)
    {
        err(format_args!("error: cannot write to standard output: {error}\n"));
    }
}

/// Writes to standard error. Where that cannot be done nobody is left to be told.
pub fn err(words: Arguments<'_>) {
    drop(stderr().write_fmt(words));
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        assert!(is_gone(&Error::from(ErrorKind::BrokenPipe)));
        assert!(!is_gone(&Error::from(ErrorKind::StorageFull)));
    }
}
