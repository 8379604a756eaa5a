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
        // Borrowed, states are copied whole: byte by byte it would take longer than what they are for.
        let paths: Vec<Result<Vec<&[u8]>, String>> = postcard::from_bytes(bytes)?;
        let owned = |states: Vec<&[u8]>| states.into_iter().map(<[u8]>::to_vec).collect();
        Ok(Self { paths: paths.into_iter().map(|path| path.map(owned)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_the_same_chain() {
        let paths = vec![
            Ok(vec![vec![], vec![200, 0, 255], vec![7; 300]]),
            Err("no state".to_string()),
            Ok(vec![]),
        ];
        let chain = FittedChain { paths };
        assert_eq!(FittedChain::from_bytes(&chain.to_bytes()).unwrap(), chain);
        assert!(FittedChain::from_bytes(&[3, 0, 1]).is_err());
    }
}
