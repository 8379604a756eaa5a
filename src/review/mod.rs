//! Do two runs agree, can this bundle be trusted?

mod lock;

pub use lock::{Difference, Lock, LockError};
