//! What flows along the edges of a study: typed values and their canonical bytes.
//!
//! Plain data without behaviour of its own; no value knows which operation made it.

mod appraisal;
mod authors_half;
mod checklist;
mod count;
mod extraction;
mod frozen;
mod full_model;
mod gzip;
mod image;
mod learning_curve;
mod measured;
mod missingness;
mod model;
mod novelty;
mod outcome;
mod place;
mod placeholder;
mod prediction;
mod protocol;
mod record;
mod reporting;
mod rows;
mod split;
mod table;
mod value;

pub use appraisal::{
    BiasAnswer, BiasEvidence, BiasQuestion, EvidencePart, NumberAt, QualityFacts,
    QualityPart, QualityRow, RiskOfBiasFacts,
};
pub use authors_half::AuthorsHalf;
pub use checklist::{
    AuthorFacts, Checklist, ConflictFacts, EvidenceFacts, ItemFacts, ScoreFacts, Status,
};
pub use count::Count;
pub use extraction::{ExtractionFacts, SetBy};
pub use frozen::{
    Alternative, Alternatives, Called, Frozen, FrozenColumn, FrozenMember, OuterFit,
    Recipe, Sealed, Similar, StepColumns, Winner,
};
pub use full_model::{
    CoefficientLimits, Equation, Explained, FoldImportance, FullModelFacts, Importance,
    ImportanceFacts, MemberFacts, NeededColumn, PredictorImportance, PredictorShap, Term,
    Transform, WorkedExample,
};
pub use gzip::decompressed;
pub use image::{Geometry, Mask, Roi, Volume};
pub use learning_curve::{ExpectedWidth, LearningFacts, LearningSize};
pub use measured::{
    Band, Banded, CalibrationCurve, Confusion, Curves, DecisionAtThreshold,
    DecisionCurve, DecisionPoint, Interval, Limits, RiskBin,
};
pub use missingness::{
    GapColumn, GapFacts, MissingnessFacts, PatternFacts, ShareDifference,
};
pub use model::{
    Model, ModelColumn, ModelLearner, ModelMember, ModelOutcome, ModelRows, ModelStep,
    ModelStudy, ModelThreshold,
};
pub use novelty::Familiar;
pub use outcome::{Assay, Call, Calls};
pub use placeholder::placeholder;
pub use prediction::{
    CandidateScores, Choice, Compared, Curve, Decoded, Estimate, FoldScores,
    GroupDifference, GroupEstimate, GroupMeasure, Heterogeneity, Link, Member, NoScore,
    Point, Predictions, ScoredSplit, SiteEstimate, SitesEstimate, Survivors, Trial,
    Unscored,
};
pub use protocol::{DifferenceFacts, Known, ProtocolFacts};
pub use record::*;
pub use reporting::{
    ANSWERS, Answer, FIELDS, Field, Form, QUESTIONS, Reporting, Stated, field,
    generalised,
};
pub use rows::{Features, Frame, FrameColumn, Rows, Train};
pub use split::{OuterSplit, Population, Shape, Split, Splits};
pub use table::{NotNumeric, Table, TextColumn};
pub use value::{NotAValue, Value};
