//! What every operation must provide: the contract between the domain and the engine.
//!
//! Kinds are closed (one trait each, below), operations are open (one file each, in the domain
//! folders). No operation is named here.

mod chain;
mod declared;
mod entry;
mod failure;
mod form;
mod formula;
mod kinds;
mod names;
mod needs;
pub mod prelude;
mod problems;
mod references;

pub use chain::{FittedChain, NotAChain};
pub use declared::{Chapter, Declared, Evidence, Fill};
pub use entry::{
    AnyDerivation, AnySection, Entry, Instance, Kind, calibrator, derivation, family,
    generator, learner, metric, reader, resampling, section, table_step, tuner,
};
pub use entry::{AnyMetric, AnyResampling, AnyTuner};
pub use failure::Failure;
pub use form::{Form, Then};
pub use formula::{Change, Formula};
pub use kinds::{
    About, Again, AnyLearner, AnyTableStep, Calibrator, Column, Contest, Copies,
    Derivation, Direction, FeatureFamily, File, Fragment, Gaps, Generator, Harmonising,
    Judged, Learner, Metric, Operation, Output, Pooling, ReadAs, Reader, Resampling,
    RoiType, Scale, Scored, Section, Shows, TableStep, Tuner, on_copies,
};
pub use names::Names;
pub use needs::{Counted, Need};
pub use problems::{Problem, Problems};
pub use references::{REFERENCES, reference};
