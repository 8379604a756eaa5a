//! The fitted states of a chain of steps over all its settings.

use serde::{Deserialize, Serialize};

/// The states of a chain, one list per path: settings that fit the same share one path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FittedChain {
    /// A state per step, or why the path failed.
    pub paths: Vec<Result<Vec<Vec<u8>>, String>>,
}

/// Bytes that are no chain of this version.
#[derive(Debug, thiserror::Error)]
#[error("the stored bytes are no fitted chain")]
pub struct NotAChain(#[from] postcard::Error);

impl FittedChain {
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data always has an encoding")
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAChain> {
        Ok(postcard::from_bytes(bytes)?)
    }
}
