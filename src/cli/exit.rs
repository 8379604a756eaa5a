//! What the program tells the shell.

use std::process::ExitCode;

/// The exit codes; their meaning never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Fine,
    /// The study or the command line must be changed.
    Change,
    /// The run failed, or results differ.
    Failed,
    /// Our mistake.
    Bug,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Change => 1,
            Exit::Failed => 2,
            Exit::Bug => 3,
            Exit::Interrupted => 130,
        })
    }
}
