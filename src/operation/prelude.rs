//! Everything that an operation's file needs, in one line.

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

pub use super::{
    About, Again, Calibrator, Change, Chapter, Column, Contest, Counted, Declared,
    Derivation, Direction, Evidence, Failure, FeatureFamily, File, Fill, Form, Formula,
    Fragment, Gaps, Generator, Harmonising, Judged, Learner, Metric, Names, Need,
    Operation, Output, Pooling, Problems, ReadAs, Reader, Resampling, RoiType, Scale,
    Scored, Section, Shows, TableStep, Then, Tuner, on_copies,
};
pub use crate::data::{
    Assay, Call, Calls, Choice, FoldScores, OuterSplit, Population, Roi, Rows, Shape,
    Split, Splits, StudyRecord, Table, Train, Value,
};
pub use crate::math::Stream;
pub use crate::units::Unit;
