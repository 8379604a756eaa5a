//! Any value that an edge can carry, and the bytes under which the store keeps it.

use serde::{Deserialize, Serialize};

use super::{
    Called, Choice, Compared, Curve, Decoded, Estimate, Features, Frame, Frozen,
    GroupEstimate, Mask, Predictions, ScoredSplit, Sealed, Table, Volume,
};
use crate::digest::Digest;

/// What a node makes. The encoding is postcard's: typed, little-endian, without padding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Table(Table),
    Volume(Volume),
    Mask(Mask),
    Features(Features),
    Frame(Frame),
    /// Fitted states of a chain of steps; see [`crate::operation::FittedChain`].
    Fitted(Vec<u8>),
    Scores(ScoredSplit),
    Choice(Choice),
    Threshold(Option<f64>),
    Predictions(Predictions),
    Estimate(Estimate),
    Curves(Vec<Curve>),
    /// Intercept and slope on the logit scale.
    Calibration(f64, f64),
    Frozen(Frozen),
    Sealed(Sealed),
    Opened(Called),
    Compared(Compared),
    Groups(Vec<GroupEstimate>),
    /// Not computable, and why: a result like any other, kept and counted.
    Failed(String),
    Decoded(Decoded),
}

/// Bytes that are no value of this version.
#[derive(Debug, thiserror::Error)]
#[error("the stored bytes are no value")]
pub struct NotAValue(#[from] postcard::Error);

impl Value {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data always has an encoding")
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAValue> {
        Ok(postcard::from_bytes(bytes)?)
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// What it is, in a word, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::Volume(_) => "volume",
            Self::Mask(_) => "mask",
            Self::Features(_) => "features",
            Self::Frame(_) => "frame",
            Self::Fitted(_) => "fitted steps",
            Self::Scores(_) => "scores",
            Self::Choice(_) => "choice",
            Self::Threshold(_) => "threshold",
            Self::Predictions(_) => "predictions",
            Self::Estimate(_) => "estimate",
            Self::Curves(_) => "curves",
            Self::Calibration(..) => "calibration",
            Self::Frozen(_) => "frozen model",
            Self::Sealed(_) => "sealed outcomes",
            Self::Opened(_) => "opened outcomes",
            Self::Compared(_) => "comparison",
            Self::Groups(_) => "estimates by group",
            Self::Failed(_) => "failure",
            Self::Decoded(_) => "site decodability",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_the_same_value() {
        let value = Value::Scores(ScoredSplit {
            rows: vec![1, 300],
            candidates: vec![super::super::CandidateScores {
                scores: Ok(vec![0.25, -0.0]),
            }],
        });
        assert_eq!(Value::from_bytes(&value.to_bytes()).unwrap(), value);
        assert!(Value::from_bytes(&[250, 1, 2]).is_err());
    }
}
