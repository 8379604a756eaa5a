//! Do two runs agree, can this bundle be trusted?

mod lock;
mod protocol;

pub use lock::{Difference, Lock, LockError};
pub use protocol::Protocol;
