//! What can I type? One file per command; all printing lives here.

mod exit;

pub use exit::Exit;
