//! Any value that an edge can carry, and the bytes under which the store keeps it.

use std::io::{BufWriter, Write};

use serde::{Deserialize, Serialize};

use super::{
    Alternatives, CalibrationCurve, Called, Choice, Compared, Confusion, Curves,
    DecisionCurve, Decoded, Estimate, Explained, Features, Frame, Frozen, GroupEstimate,
    Importance, Link, Mask, OuterFit, Predictions, ScoredSplit, Sealed, Similar,
    SitesEstimate, Survivors, Table, TextColumn, Trial, Volume, Winner,
};
use crate::digest::{Digest, Naming};

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
    Survivors(Survivors),
    Threshold(Option<f64>),
    Predictions(Predictions),
    Estimate(Estimate),
    Curves(Curves),
    /// Intercept and slope on the logit scale.
    Calibration(f64, f64),
    /// By member of a choice; none where the learner gives probabilities itself.
    Links(Vec<Option<Link>>),
    Frozen(Frozen),
    Sealed(Sealed),
    Opened(Called),
    Compared(Compared),
    Groups(Vec<GroupEstimate>),
    /// By way of choosing: what a procedure achieved on permuted outcomes, or why it came to no end.
    Permuted(Vec<Vec<Result<f64, String>>>),
    /// Not computable, and why: a result like any other, kept and counted.
    Failed(String),
    Calibrated(CalibrationCurve),
    Decided(DecisionCurve),
    Confusion(Confusion),
    Fit(OuterFit),
    Decoded(Decoded),
    Importance(Vec<Importance>),
    Explained(Explained),
    Winner(Winner),
    Sites(SitesEstimate),
    /// Of a calibration slope, times the number of rows.
    SlopeVariance(f64),
    Similar(Similar),
    /// What other ways of choosing would choose.
    Alternatives(Alternatives),
    /// By permuted outcome, none where it cannot be divided, then by outer split and candidate of a selector
    /// and a learner.
    Trials(Vec<Vec<Vec<Trial>>>),
}

/// Bytes that are no value of this version.
#[derive(Debug, thiserror::Error)]
#[error("the stored bytes are no value")]
pub struct NotAValue(#[from] postcard::Error);

/// Takes bytes for their digest.
struct Hashing(Naming);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Value {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data always has an encoding")
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAValue> {
        Ok(postcard::from_bytes(bytes)?)
    }

    /// The ids of an encoded table, whose other columns stay undecoded.
    pub fn table_ids(bytes: &[u8]) -> Result<TextColumn, NotAValue> {
        // The variant, the first field, and whatever follows.
        let ((variant, ids), _) = postcard::take_from_bytes::<(u32, TextColumn)>(bytes)?;
        match variant {
            0 => Ok(ids),
            _ => Err(NotAValue(postcard::Error::DeserializeBadEncoding)),
        }
    }

    pub fn digest(&self) -> Digest {
        // Hashed as they are written: the bytes of a table of many columns need no place.
        let writer = BufWriter::with_capacity(1 << 16, Hashing(Naming::plain()));
        let written = postcard::to_io(self, writer);
        let hashed = written.expect("plain data always has an encoding").into_inner();
        hashed.ok().expect("hashing never fails").0.digest()
    }

    /// What was measured over all held-out rows, whatever is told beside it.
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Estimate(estimate) => Some(estimate),
            Self::Sites(SitesEstimate { pooled, .. }) => Some(pooled),
            _ => None,
        }
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
            Self::Survivors(_) => "survivors",
            Self::Threshold(_) => "threshold",
            Self::Predictions(_) => "predictions",
            Self::Estimate(_) => "estimate",
            Self::Curves(_) => "curves",
            Self::Calibration(..) => "calibration",
            Self::Links(_) => "links",
            Self::Frozen(_) => "frozen model",
            Self::Sealed(_) => "sealed outcomes",
            Self::Opened(_) => "opened outcomes",
            Self::Compared(_) => "comparison",
            Self::Groups(_) => "estimates by group",
            Self::Permuted(_) => "permuted outcomes",
            Self::Failed(_) => "failure",
            Self::Calibrated(_) => "calibration curve",
            Self::Decided(_) => "decision curve",
            Self::Confusion(_) => "confusion table",
            Self::Fit(_) => "fit",
            Self::Decoded(_) => "site decodability",
            Self::Importance(_) => "importance",
            Self::Explained(_) => "explanation",
            Self::Winner(_) => "winner",
            Self::Sites(_) => "estimates by site",
            Self::SlopeVariance(_) => "variance of a slope",
            Self::Similar(_) => "similar columns",
            Self::Alternatives(_) => "alternatives",
            Self::Trials(_) => "trials of candidates",
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
                null: false,
            }],
        });
        assert_eq!(Value::from_bytes(&value.to_bytes()).unwrap(), value);
        assert_eq!(value.digest(), Digest::of(&value.to_bytes()));
        let long = Value::Fitted((0..200_000u32).map(|at| at as u8).collect());
        assert_eq!(long.digest(), Digest::of(&long.to_bytes()));
        assert!(Value::from_bytes(&[250, 1, 2]).is_err());
    }
}
