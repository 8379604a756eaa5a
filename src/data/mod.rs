//! What flows along the edges of a study: typed values and their canonical bytes.
//!
//! Plain data without behaviour of its own; no value knows which operation made it.

mod frozen;
mod gzip;
mod image;
mod outcome;
mod prediction;
mod record;
mod rows;
mod split;
mod table;
mod value;

pub use frozen::{Called, Frozen, Sealed};
pub use gzip::decompressed;
pub use image::{Geometry, Mask, Roi, Volume};
pub use outcome::{Assay, Call, Calls};
pub use prediction::{
    CandidateScores, Choice, Compared, Curve, Decoded, Estimate, FoldScores,
    GroupEstimate, Point, Predictions, ScoredSplit,
};
pub use record::*;
pub use rows::{Features, Frame, FrameColumn, Rows, Train};
pub use split::{OuterSplit, Population, Shape, Split, Splits};
pub use table::{NotNumeric, Table, TextColumn};
pub use value::{NotAValue, Value};
