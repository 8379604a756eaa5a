//! What runs now, in parallel, and what comes from the store?

mod characteristics;
mod compute;
mod describe;
mod execute;
mod journal;
mod open;
mod record;

pub use describe::describe;
pub use execute::{Done, How, Options, RunError, Watch, execute};
pub use journal::{Change, Entry, explain, write};
pub use open::open;
pub use record::{Found, found, predictions, record};
