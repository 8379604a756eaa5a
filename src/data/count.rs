//! A number of patients or rows, which a report of data that are not public may have to hide.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many there are; nothing, `null` in JSON, where that is hidden.
///
/// A hidden count equals no number and is neither less nor more than any.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Count(Option<usize>);

impl Count {
    pub const HIDDEN: Self = Self(None);

    /// The number, unless it is hidden.
    pub fn known(self) -> Option<usize> {
        self.0
    }
}

impl From<usize> for Count {
    fn from(n: usize) -> Self {
        Self(Some(n))
    }
}

impl PartialEq<usize> for Count {
    fn eq(&self, n: &usize) -> bool {
        self.0 == Some(*n)
    }
}

impl PartialOrd<usize> for Count {
    fn partial_cmp(&self, n: &usize) -> Option<std::cmp::Ordering> {
        self.0.map(|own| own.cmp(n))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(n) => n.fmt(to),
            None => "hidden".fmt(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn a_hidden_count_is_no_number() {
        assert_eq!(Count::from(3).to_string(), "3");
        assert_eq!(Count::HIDDEN.to_string(), "hidden");
        assert!(Count::HIDDEN != 0 && !(Count::HIDDEN > 0) && !(Count::HIDDEN < 5));
        assert!(Count::from(3) < 5 && Count::from(3) == 3);
    }
}
