//! The fitted states of a chain of steps over all its settings.

use serde::{Deserialize, Serialize};

/// States of a chain: settings that fit the same share one state.
///
/// `steps[s][i]` is the position in `states` of step `i` under setting `s`, or why it failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FittedChain {
    pub states: Vec<Vec<u8>>,
    pub settings: Vec<Result<Vec<u32>, String>>,
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
