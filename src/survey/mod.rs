//! What do the data look like before anything is computed: ids, headers, roles, cohorts, splits?
//!
//! Reads through the store, so that a table is parsed once in its life. Computes no feature and never looks
//! into an image. To follow missing values it fits steps on columns that have some (`gaps`); nothing of
//! that goes further than to what is said.

mod agreements;
mod batches;
mod checks;
mod cohorts;
mod columns;
mod controls;
mod dress;
mod gaps;
mod held;
mod kept;
mod missing_codes;
mod needs;
mod outcomes;
mod patterns;
mod shifted;
mod sources;
mod strata;
mod symbolic;
mod view;

pub use columns::{BlockColumn, frame};
pub use controls::controlled;
pub use dress::Notes;
pub use held::HeldTable;
pub use outcomes::{call, population};
pub use patterns::matches;
pub use sources::{
    GivenFile, LastFrame, Location, Performed, Reading, located, node_key,
};
pub use symbolic::{symbolic, unread};
pub use view::View;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::{AgreementFacts, AssociationFacts, Split, Splits};
use crate::diagnostics::Diagnostic;
use crate::digest::Digest;
use crate::spec::Study;

/// What the data look like.
#[derive(Clone, Default)]
pub struct Survey {
    pub sources: BTreeMap<String, SurveyedSource>,
    pub cohorts: BTreeMap<String, SurveyedCohort>,
    /// By outcome and cohort.
    pub outcomes: BTreeMap<(String, String), SurveyedOutcome>,
    /// By scheme and outcome.
    pub splits: BTreeMap<(String, String), Splits>,
    /// The splits on which a frozen model is tuned, by outcome.
    pub frozen: BTreeMap<String, Vec<Split>>,
    /// The columns of each `columns` block, in table order.
    pub columns: BTreeMap<String, Vec<BlockColumn>>,
    /// What the cells of a `columns` block are in a cohort, by cohort and block.
    pub cells: BTreeMap<(String, String), Digest>,
    /// What was found of each agreement.
    pub agreements: Vec<AgreementFacts>,
    /// How the outcome goes with sites and strata.
    pub associations: Vec<AssociationFacts>,
    /// The nodes that the survey itself had to ask the store for, or compute.
    pub performed: Vec<Performed>,
}

/// A source as it was read.
#[derive(Clone)]
pub struct SurveyedSource {
    pub content: Content,
    /// Where each file lies and what it was when it was hashed.
    pub files: Vec<GivenFile>,
}

/// What a source turned out to hold.
#[derive(Clone)]
pub enum Content {
    /// A table or a MAF.
    Table {
        table: Arc<HeldTable>,
        digest: Digest,
        assayed: Option<Arc<Vec<String>>>,
        notes: Arc<Notes>,
    },
    /// Image and mask, as positions in `files`, by id.
    Images(BTreeMap<String, (usize, usize)>),
    /// The files of a generator, in `files`.
    Generated,
}

/// The rows of a cohort in canonical order.
#[derive(Clone, Default)]
pub struct SurveyedCohort {
    pub rows: Vec<CohortRow>,
    /// Group of each row: position of its subject among the cohort's subjects.
    pub groups: Vec<u32>,
    /// Names of the groups that may be printed.
    pub pseudonyms: Vec<String>,
    /// From the first source to the rows.
    pub flow: Vec<crate::data::FlowBox>,
    /// Name of the list of rows, for keys.
    pub digest: Option<Digest>,
}

/// One row: what sources know it by, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortRow {
    pub id: String,
    pub subject: String,
}

/// What is known of an outcome in a cohort.
#[derive(Clone)]
pub struct SurveyedOutcome {
    /// By cohort row; `None` is unknown.
    pub classes: Arc<Vec<Option<bool>>>,
    pub digest: Digest,
    /// By derivation: how many it decided.
    pub decided: Vec<usize>,
    /// Rows that two derivations know differently.
    pub conflicts: usize,
}

impl SurveyedOutcome {
    /// How many rows are of this class; `None` counts those that are unknown.
    pub fn count(&self, class: Option<bool>) -> usize {
        self.classes.iter().filter(|known| **known == class).count()
    }
}

impl SurveyedCohort {
    /// How many patients it has.
    pub fn n_subjects(&self) -> usize {
        self.pseudonyms.len()
    }
}

impl Survey {
    /// The files of every source.
    pub fn files(&self) -> BTreeMap<String, Vec<GivenFile>> {
        let files = self.sources.iter();
        files.map(|(name, source)| (name.clone(), source.files.clone())).collect()
    }
}

/// Looks at the data of a study through `reading`. What is wrong comes as diagnostics; what could
/// be looked at is in the survey all the same, so that every fault is named at once.
pub fn read(study: &Study, reading: &Reading<'_>) -> (Survey, Vec<Diagnostic>) {
    let mut survey = Survey::default();
    let mut faults = Vec::new();
    sources::read(study, reading, &mut survey, &mut faults);
    columns::read(study, reading, &mut survey, &mut faults);
    cohorts::read(study, reading, &mut survey, &mut faults);
    columns::held(study, reading, &mut survey, &mut faults);
    outcomes::read(study, reading, &mut survey, &mut faults);
    agreements::read(study, reading, &mut survey, &mut faults);
    checks::read(study, reading, &mut survey, &mut faults);
    strata::read(study, &survey, &mut faults);
    batches::read(study, &survey, &mut faults);
    needs::read(study, &survey, &mut faults);
    gaps::read(study, reading, &survey, &mut faults);
    kept::read(study, &survey, &mut faults);
    missing_codes::read(study, reading, &survey, &mut faults);
    shifted::read(study, reading, &survey, &mut faults);
    reading.last.forget();
    (survey, faults)
}
