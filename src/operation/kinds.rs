//! One trait per kind of operation: the shape of its compute.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{Declared, Failure, Form, Formula, Need, Problems};
use crate::data::{
    Assay, Calls, Choice, FoldScores, Population, Roi, Rows, Shape, Split, Splits,
    StudyRecord, Train, Value, decompressed,
};
use crate::math::Stream;
use crate::units::Unit;

/// What an operation says about itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// As written in a study; also the name of its file and of its page.
    pub name: &'static str,
    pub title: &'static str,
    /// Raised whenever the numbers change for the same parameters and inputs.
    pub version: u32,
    /// Keys of the reference list.
    pub sources: &'static [&'static str],
    /// A use of it in a study, as YAML. It is checked and run.
    pub example: &'static str,
}

/// Parameters with documentation: plain data, each with a type and a range.
pub trait Operation:
    Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
    const ABOUT: About;

    /// Whether it draws random numbers: then the study's seed enters its key.
    const RANDOM: bool = false;
}

/// A file as a reader sees it: bytes under a name that is only for messages.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
}

impl File<'_> {
    /// The bytes, decompressed when they are gzip. Fails on a stream that is cut short.
    pub fn plain(&self) -> Result<Cow<'_, [u8]>, Failure> {
        if !self.bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(Cow::Borrowed(self.bytes));
        }
        let damaged = "the gzip stream is damaged or cut short";
        let plain = decompressed(self.bytes).map(Cow::Owned);
        plain.ok_or_else(|| Failure::Damaged(damaged.to_string()))
    }
}

/// Files → a table, a volume or a mask.
pub trait Reader: Operation {
    /// The value in `file`. Fails with the line or byte at fault.
    fn read(&self, file: File<'_>, what: ReadAs<'_>) -> Result<Value, Failure>;
}

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs<'a> {
    /// A table whose rows are named by these columns.
    Table {
        id: &'a [&'a str],
    },
    Volume,
    Mask,
}

/// Parameters and seed → the files of a simulated cohort, by name.
pub trait Generator: Operation {
    /// Same parameters and seed, same bytes.
    fn generate(&self, seed: u64) -> Result<Vec<(String, Vec<u8>)>, Failure>;
}

/// What is known of a region of interest before any voxel is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoiType {
    pub unit: Unit,
    /// The number of grey levels, once an image step has discretised.
    pub levels: Option<u32>,
}

/// A column that a feature family makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// The IBSI code, where the standard has one.
    pub code: Option<&'static str>,
    pub unit: Unit,
}

/// A region of interest → one row.
pub trait FeatureFamily: Operation {
    /// The columns, always the same for the same parameters.
    fn columns(&self) -> Vec<Column>;

    /// What is wrong with this use of it, judged by types alone.
    fn check(&self, _roi: &RoiType, _problems: &mut Problems) {}

    /// One value per column, in the same order.
    fn compute(&self, roi: &Roi) -> Result<Vec<f64>, Failure>;
}

/// What a step that harmonises takes from the columns of the cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Harmonising<'a> {
    /// The column whose effect on the others is removed, such as the site.
    pub batch: &'a str,
    /// Columns whose effect is kept: they say of a row what the outcome may not.
    pub covariates: &'a [String],
    /// The batch that the others are brought to.
    pub reference: Option<&'a str>,
    /// Whether rows of a batch that no training row has are refused.
    pub refuses_unseen: bool,
}

/// What a table step makes of missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// `fit` refuses training rows that have any.
    Refused,
    /// They stay missing in columns that stay, which are all unless it picks or reads categories. Each
    /// column becomes what it becomes alone, whatever the outcome is and whatever stands beside the rows.
    Kept,
    /// None is left; else as [`Gaps::Kept`].
    Filled,
}

/// Fitted on training rows, applied to any rows: impute, harmonise, scale, select.
pub trait TableStep: Operation {
    /// Plain data: what the store keeps.
    type State: Serialize + DeserializeOwned + JsonSchema;

    /// Whether `fit` looks at the outcome.
    const READS_OUTCOME: bool = false;

    /// Whether it takes columns that hold categories; any other step is refused on them.
    const READS_CATEGORIES: bool = false;

    /// Whether all it does is to leave columns out.
    const PICKS: bool = false;

    /// Whether `fit` looks at values; else only at where they are missing.
    const READS_VALUES: bool = true;

    /// What it makes of missing values. What compares columns or rows takes none.
    const GAPS: Gaps = Gaps::Refused;

    /// Learns the state from training rows alone.
    fn fit(&self, train: &Train) -> Result<Self::State, Failure>;

    /// Changes values or columns, each row by itself unless [`TableStep::transductive`]; the number
    /// of rows stays. Fails on rows that the state has no answer for.
    fn apply(&self, state: &Self::State, rows: &mut Rows) -> Result<(), Failure>;

    /// The columns of the cohort that stand beside the rows, as rules name them: [`Rows::beside`].
    fn columns(&self) -> Vec<String> {
        Vec::new()
    }

    /// What it takes from them, if it removes the effect of one.
    fn harmonises(&self) -> Option<Harmonising<'_>> {
        None
    }

    /// The batches that the training rows were of, where it harmonises.
    fn batches(&self, _state: &Self::State) -> Vec<String> {
        Vec::new()
    }

    /// What is wrong with its parameters beside each other, whatever the data are.
    fn check(&self, _problems: &mut Problems) {}

    /// What it needs of training rows, whatever their values are: `fit` fails where it is not met.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// How many columns its `k` says are kept; none for a step that has no such parameter, or in which
    /// something else decides.
    fn keeps(&self) -> Option<usize> {
        None
    }

    /// The most columns that it makes of so many, `categorical` of which hold categories; none where
    /// that is up to the training rows.
    fn most_columns(&self, given: usize, _categorical: usize) -> Option<usize> {
        Some(self.keeps().map_or(given, |k| k.min(given)))
    }

    /// Fails where `fit` on such training rows or `apply` to such held-out rows must, judged by the
    /// columns beside the rows alone: there are no others. Says so with the failure of the run.
    fn check_beside(&self, _train: &Rows, _held_out: &Rows) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether `apply` looks at the rows together: at their values, never at outcomes.
    fn transductive(&self) -> bool {
        false
    }

    /// What each column becomes, as a formula of one column before it: a step without such formulas
    /// can be applied but neither exported nor read. `columns` has names and no rows.
    fn formulas(&self, state: &Self::State, columns: &Rows) -> Option<Vec<Formula>> {
        let mut kept = columns.clone();
        self.apply(state, &mut kept).ok().filter(|()| Self::PICKS)?;
        let named = columns.columns().iter().enumerate();
        let places: BTreeMap<&str, usize> =
            named.map(|(at, column)| (&*column.name, at)).collect();
        let place = |name: &str| places.get(name).copied().map(Formula::same);
        kept.columns().iter().map(|column| place(&column.name)).collect()
    }

    /// The same step with parameters that `fit` does not read set to their defaults: one fitted
    /// state serves all their values, such as one ranking every `k`.
    fn as_fitted(&self) -> Self {
        self.clone()
    }

    /// A setting whose state holds all that this one asks of a state, and more: where a chain has both,
    /// that one alone is fitted.
    fn served_by(&self) -> Option<Self> {
        None
    }

    /// The same step with parameters that have no effect beside the others set to their defaults:
    /// settings that agree in this are one.
    fn as_applied(&self) -> Self {
        self.clone()
    }
}

/// What a learner says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The probability of the positive class.
    Probability,
    /// A number that ranks rows, the positive class higher. Probabilities come from a map that is
    /// fitted on inner out-of-fold values (Platt 1999), so no row is judged by its own fit.
    DecisionValue,
}

/// Training rows → model; model × rows → probability or decision value.
pub trait Learner: Operation {
    /// Plain data: what was learned, never the parameters.
    type Model: Serialize + DeserializeOwned + JsonSchema + Send;

    /// What `predict` gives.
    const OUTPUT: Output = Output::Probability;

    /// Whether it takes missing values, in training and in prediction: else both fail on them.
    const TAKES_MISSING: bool = false;

    /// Fails on one class, on missing values that it does not take and where the fit does not converge.
    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Self::Model, Failure>;

    /// A number for each row. Rows have the columns of the training rows.
    fn predict(&self, model: &Self::Model, rows: &Rows) -> Result<Vec<f64>, Failure>;

    /// What it computes, if it is a formula of a known kind.
    fn form(&self, _model: &Self::Model) -> Form {
        Form::Opaque
    }

    /// The step between neighbouring probabilities, where they are multiples of one: 1/k of k
    /// votes.
    fn resolution(&self) -> Option<f64> {
        None
    }

    /// The same learner with parameters that its random stream does not depend on set to their
    /// defaults: settings that agree in the rest draw the same numbers, so a shallow forest can be
    /// the top of a deep one.
    fn as_seeded(&self) -> Self {
        self.clone()
    }

    /// What is wrong with its parameters beside each other, whatever the data are.
    fn check(&self, _problems: &mut Problems) {}

    /// What it needs of training rows, whatever their values are: `fit` fails where it is not met.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// The same learner with parameters that have no effect beside the others set to their
    /// defaults: settings that agree in this are one.
    fn as_applied(&self) -> Self {
        self.clone()
    }

    /// Fits several settings on the same rows, each with its stream, sharing what they can.
    ///
    /// Gives to the bit what `fit` gives one by one; the order of `settings` does not matter.
    fn fit_all(
        settings: &[&Self],
        train: &Train,
        streams: &mut [Stream],
    ) -> Vec<Result<Self::Model, Failure>> {
        let pairs = settings.iter().zip(streams);
        pairs.map(|(setting, stream)| setting.fit(train, stream)).collect()
    }
}

/// A source → what is known of each subject.
pub trait Derivation: Operation {
    /// The source that it reads, by name; `None`: the cohort's first source.
    fn source(&self) -> Option<&str>;

    /// What is wrong with its parameters beside each other, whatever the data are.
    fn check(&self, _problems: &mut Problems) {}

    /// A call for each of `subjects`, in that order.
    fn derive(&self, assay: Assay<'_>, subjects: &[String]) -> Result<Calls, Failure>;

    /// How it decides, in words for the report.
    fn in_words(&self) -> String;
}

/// How the held-out folds of a scheme are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// As a mean over folds whose training sets overlap.
    Folds,
    /// As a random sample of sites.
    Sites,
}

/// Outcome, groups → splits.
pub trait Resampling: Operation {
    /// How its folds are put together.
    fn judged(&self) -> Judged {
        Judged::Folds
    }

    /// Known without data, so the shape of the graph is too. Where the data decide the number of
    /// splits, a small example.
    fn shape(&self) -> Shape;

    /// The columns of the cohort that it reads, as rules name them.
    fn columns(&self) -> Vec<String> {
        Vec::new()
    }

    /// Those of them that say something of patients, such as their site; a column of folds does not.
    fn divides_by(&self) -> Vec<String> {
        self.columns()
    }

    /// The splits on which candidates are tuned when all rows are training rows.
    fn whole(&self, population: &Population, seed: u64) -> Result<Vec<Split>, Failure>;

    /// Which rows go where. Same population and seed, same splits; a further repeat changes none
    /// of the earlier ones. Fails when a class is smaller than the number of folds.
    fn assign(&self, population: &Population, seed: u64) -> Result<Splits, Failure>;

    /// The scheme in words for the report, such as "nested 5 × 5, 10 repeats".
    fn in_words(&self) -> String;
}

/// What candidates achieved on the inner splits of one training set.
pub struct Contest<'a> {
    pub candidates: &'a [FoldScores],
    pub direction: Direction,
    /// By candidate: the numbers of its selector and its learner.
    pub cells: &'a [(usize, usize)],
    /// Classes of the rows with inner predictions.
    pub truth: &'a [bool],
    /// A candidate's probabilities for those rows, each from the split that held the row out.
    pub out_of_fold: &'a dyn Fn(usize) -> Option<Vec<f64>>,
}

/// Candidates × inner scores → choice.
pub trait Tuner: Operation {
    /// `None` when no candidate has a score.
    fn choose(&self, contest: &Contest<'_>) -> Option<Choice>;

    /// How many times fewer candidates go on after each rung of inner splits; all of them are
    /// scored on all inner splits when there is none.
    fn halving(&self) -> Option<usize> {
        None
    }

    /// Whether it chooses one candidate; else it may put several together.
    fn chooses_one(&self) -> bool {
        true
    }

    /// Whether it chooses by scores alone; else it asks what candidates say of each row.
    fn by_scores(&self) -> bool {
        true
    }
}

/// Scores × outcome → the threshold at and above which a prediction is positive.
pub trait Calibrator: Operation {
    fn threshold(&self, truth: &[bool], scores: &[f64]) -> Result<f64, Failure>;

    /// What is wrong with its parameters beside each other, whatever the data are.
    fn check(&self, _problems: &mut Problems) {}

    /// Whether the scores decide; otherwise the author stated it.
    fn is_learned(&self) -> bool {
        true
    }

    /// The rule in words for the report.
    fn in_words(&self) -> String;
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Direction {
    HigherIsBetter,
    LowerIsBetter,
    /// Best at this value, such as 1 for a slope; worse on either side of it.
    Closest(f64),
}

impl Direction {
    /// Whether a value is strictly better than another.
    pub fn better(self, value: f64, known: f64) -> bool {
        match self {
            Self::HigherIsBetter => value > known,
            Self::LowerIsBetter => value < known,
            Self::Closest(best) => (value - best).abs() < (known - best).abs(),
        }
    }
}

/// How a metric is put together over folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Computed in each fold, then averaged; interval by the corrected resampled variance.
    FoldMean,
    /// A proportion of patients, pooled within each repeat and averaged; Wilson's interval.
    Proportion,
    /// Pooled within each repeat and averaged; interval by resampling patients this many times.
    Pooled { resamples: usize },
}

/// What the numbers of a metric mean.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub range: (f64, f64),
    pub direction: Direction,
    /// What guessing gives, if that is one number.
    pub chance: Option<f64>,
    pub pooling: Pooling,
    /// Whether it needs decisions at a threshold.
    pub needs_threshold: bool,
    /// Whether it takes logarithms of probabilities: then those of 0 or 1 are moved half a step
    /// of the learner's resolution before it is computed.
    pub logarithms: bool,
}

impl Scale {
    /// The share of some rows that a threshold gets right.
    pub const PROPORTION: Self = Self {
        range: (0.0, 1.0),
        direction: Direction::HigherIsBetter,
        chance: None,
        pooling: Pooling::Proportion,
        needs_threshold: true,
        logarithms: false,
    };
}

/// What a metric judges. Scores, decisions and thresholds are of the same rows as the truth.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scored<'a> {
    pub truth: &'a [bool],
    pub scores: &'a [f64],
    /// Empty unless a threshold rule was declared.
    pub decisions: &'a [bool],
    /// The threshold that each row was decided at: folds have their own. Empty like `decisions`.
    pub thresholds: &'a [f64],
}

/// Copies of rows that were drawn with replacement, in memory that the next draw uses again.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    truth: Vec<bool>,
    scores: Vec<f64>,
    decisions: Vec<bool>,
    thresholds: Vec<f64>,
}

impl Copies {
    /// Each row as often as it was drawn, in the order of the rows.
    pub fn of(&mut self, scored: Scored<'_>, counts: &[u32]) -> Scored<'_> {
        copy(&mut self.truth, scored.truth, counts);
        copy(&mut self.scores, scored.scores, counts);
        copy(&mut self.decisions, scored.decisions, counts);
        copy(&mut self.thresholds, scored.thresholds, counts);
        Scored {
            truth: &self.truth,
            scores: &self.scores,
            decisions: &self.decisions,
            thresholds: &self.thresholds,
        }
    }
}

/// Rows that have no such value, as where no threshold is applied, are left out.
fn copy<T: Copy>(to: &mut Vec<T>, from: &[T], counts: &[u32]) {
    to.clear();
    for (value, count) in from.iter().zip(counts) {
        to.extend(std::iter::repeat_n(*value, *count as usize));
    }
}

/// A metric on rows drawn from known ones, as often as it is asked: by how often each row was drawn.
pub type Again<'a> = Box<dyn FnMut(&[u32]) -> Result<f64, Failure> + 'a>;

/// A metric on copies of the drawn rows.
pub fn on_copies<'a, T: Metric>(metric: &'a T, scored: Scored<'a>) -> Again<'a> {
    let mut copies = Copies::default();
    Box::new(move |counts| metric.compute(copies.of(scored, counts)))
}

/// Truth × prediction → number.
pub trait Metric: Operation {
    const SCALE: Scale;

    /// Whether only the order of scores matters: then decision values will do.
    const RANKS: bool = false;

    /// The scale with these parameters.
    fn scale(&self) -> Scale {
        Self::SCALE
    }

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure>;

    /// The metric on rows drawn from these: what [`Self::compute`] gives for copies of them, but for
    /// rounding. One that has much in common over all draws, such as an order, computes that once.
    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        on_copies(self, scored)
    }

    /// For proportions: how many of the rows are counted below the line.
    fn denominator(&self, scored: Scored<'_>) -> usize {
        scored.truth.len()
    }

    /// What a prediction gives that is the same for every row, where this share is positive.
    fn chance(&self, _prevalence: f64) -> Option<f64> {
        Self::SCALE.chance
    }
}

/// A part of the report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fragment {
    pub html: String,
    /// Figures by file name, each as a picture that stands alone.
    pub figures: Vec<(String, String)>,
    /// Tables by file name, as CSV.
    pub tables: Vec<(String, String)>,
    /// Filled checklists by file name, as CSV.
    pub checklists: Vec<(String, String)>,
}

/// What of a record a section shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Nothing that the author says in the report, nothing that is warned of, and nothing of what becomes
    /// of the items of a standard.
    Results,
    Everything,
}

/// Study record → a part of the report.
pub trait Section: Operation {
    /// Its chapter, the items of reporting standards that it can fill and what of the run shows them,
    /// its figures. A section sets no status: the coverage is computed from this.
    fn declared(&self) -> Declared {
        Declared::default()
    }

    /// Of what it is made. One of results alone is handed a record without the author's half, and stays
    /// as it is where nothing else has changed.
    fn shows(&self) -> Shows {
        Shows::Everything
    }

    /// A pure function of the record.
    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure>;
}

/// A [`TableStep`] with its state as bytes, so that chains can hold any of them.
pub trait AnyTableStep: Send + Sync {
    fn fit(&self, train: &Train) -> Result<Vec<u8>, Failure>;
    fn apply(&self, state: &[u8], rows: &mut Rows) -> Result<(), Failure>;
    fn reads_outcome(&self) -> bool;
    fn reads_categories(&self) -> bool;
    /// See [`TableStep::PICKS`].
    fn picks(&self) -> bool;
    /// See [`TableStep::READS_VALUES`].
    fn reads_values(&self) -> bool;
    /// See [`TableStep::GAPS`].
    fn gaps(&self) -> Gaps;
    /// See [`TableStep::columns`].
    fn columns(&self) -> Vec<String>;
    /// See [`TableStep::harmonises`].
    fn harmonises(&self) -> Option<Harmonising<'_>>;
    /// See [`TableStep::batches`].
    fn batches(&self, state: &[u8]) -> Result<Vec<String>, Failure>;
    /// See [`TableStep::check`].
    fn check(&self, problems: &mut Problems);
    /// See [`TableStep::needs`].
    fn needs(&self) -> Vec<Need>;
    /// See [`TableStep::keeps`].
    fn keeps(&self) -> Option<usize>;
    /// See [`TableStep::most_columns`].
    fn most_columns(&self, given: usize, categorical: usize) -> Option<usize>;
    /// See [`TableStep::check_beside`].
    fn check_beside(&self, train: &Rows, held_out: &Rows) -> Result<(), Failure>;
    /// See [`TableStep::transductive`].
    fn transductive(&self) -> bool;
    /// See [`TableStep::as_fitted`].
    fn fitted_parameters(&self) -> serde_json::Value;
    /// See [`TableStep::served_by`]; what the `fit` of that setting reads.
    fn serving_parameters(&self) -> Option<serde_json::Value>;
    /// See [`TableStep::as_applied`].
    fn applied_parameters(&self) -> serde_json::Value;
    /// See [`TableStep::formulas`].
    fn formulas(&self, state: &[u8], columns: &Rows) -> Option<Vec<Formula>>;
    /// What was learned, as JSON.
    fn state(&self, state: &[u8]) -> Result<serde_json::Value, Failure>;
    /// The same from JSON.
    fn state_of(&self, json: &serde_json::Value) -> Result<Vec<u8>, Failure>;
}

impl<T: TableStep> AnyTableStep for T {
    fn fit(&self, train: &Train) -> Result<Vec<u8>, Failure> {
        let state = TableStep::fit(self, train)?;
        Ok(postcard::to_stdvec(&state).expect("plain data always has an encoding"))
    }

    fn apply(&self, state: &[u8], rows: &mut Rows) -> Result<(), Failure> {
        TableStep::apply(self, &state_of::<T>(state)?, rows)
    }

    fn reads_outcome(&self) -> bool {
        T::READS_OUTCOME
    }

    fn reads_categories(&self) -> bool {
        T::READS_CATEGORIES
    }

    fn picks(&self) -> bool {
        T::PICKS
    }

    fn reads_values(&self) -> bool {
        T::READS_VALUES
    }

    fn gaps(&self) -> Gaps {
        T::GAPS
    }

    fn columns(&self) -> Vec<String> {
        TableStep::columns(self)
    }

    fn harmonises(&self) -> Option<Harmonising<'_>> {
        TableStep::harmonises(self)
    }

    fn batches(&self, state: &[u8]) -> Result<Vec<String>, Failure> {
        Ok(TableStep::batches(self, &state_of::<T>(state)?))
    }

    fn check(&self, problems: &mut Problems) {
        TableStep::check(self, problems);
    }

    fn needs(&self) -> Vec<Need> {
        TableStep::needs(self)
    }

    fn keeps(&self) -> Option<usize> {
        TableStep::keeps(self)
    }

    fn most_columns(&self, given: usize, categorical: usize) -> Option<usize> {
        TableStep::most_columns(self, given, categorical)
    }

    fn check_beside(&self, train: &Rows, held_out: &Rows) -> Result<(), Failure> {
        TableStep::check_beside(self, train, held_out)
    }

    fn transductive(&self) -> bool {
        TableStep::transductive(self)
    }

    fn fitted_parameters(&self) -> serde_json::Value {
        parameters(&self.as_fitted())
    }

    fn serving_parameters(&self) -> Option<serde_json::Value> {
        self.served_by().map(|setting| parameters(&setting.as_fitted()))
    }

    fn applied_parameters(&self) -> serde_json::Value {
        parameters(&TableStep::as_applied(self))
    }

    fn formulas(&self, state: &[u8], columns: &Rows) -> Option<Vec<Formula>> {
        TableStep::formulas(self, &state_of::<T>(state).ok()?, columns)
    }

    fn state(&self, state: &[u8]) -> Result<serde_json::Value, Failure> {
        Ok(as_json(&state_of::<T>(state)?))
    }

    fn state_of(&self, json: &serde_json::Value) -> Result<Vec<u8>, Failure> {
        as_bytes::<T::State>(json)
    }
}

fn state_of<T: TableStep>(state: &[u8]) -> Result<T::State, Failure> {
    postcard::from_bytes(state)
        .map_err(|error| Failure::Library(format!("a stored state: {error}")))
}

fn as_json<T: Serialize>(learned: &T) -> serde_json::Value {
    serde_json::to_value(learned).expect("plain data always has an encoding")
}

/// Canonical bytes of what is read from JSON.
fn as_bytes<T: Serialize + DeserializeOwned>(
    json: &serde_json::Value,
) -> Result<Vec<u8>, Failure> {
    let learned = T::deserialize(json)
        .map_err(|error| Failure::Library(format!("what was learned: {error}")))?;
    Ok(postcard::to_stdvec(&learned).expect("plain data always has an encoding"))
}

/// A [`Learner`] with its model as bytes.
pub trait AnyLearner: Send + Sync {
    fn output(&self) -> Output;
    /// See [`Learner::TAKES_MISSING`].
    fn takes_missing(&self) -> bool;
    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Vec<u8>, Failure>;
    fn predict(&self, model: &[u8], rows: &Rows) -> Result<Vec<f64>, Failure>;
    /// What was learned, as JSON.
    fn model(&self, model: &[u8]) -> Result<serde_json::Value, Failure>;
    /// The same from JSON.
    fn model_of(&self, json: &serde_json::Value) -> Result<Vec<u8>, Failure>;
    /// See [`Learner::form`].
    fn form(&self, model: &[u8]) -> Result<Form, Failure>;
    /// See [`Learner::resolution`].
    fn resolution(&self) -> Option<f64>;
    /// See [`Learner::as_seeded`].
    fn seeded_parameters(&self) -> serde_json::Value;
    /// See [`Learner::check`].
    fn check(&self, problems: &mut Problems);
    /// See [`Learner::needs`].
    fn needs(&self) -> Vec<Need>;
    /// See [`Learner::as_applied`].
    fn applied_parameters(&self) -> serde_json::Value;
    /// Fits settings of this operation together and predicts the same rows with each.
    fn fit_and_predict(
        &self,
        settings: &[&dyn AnyLearner],
        train: &Train,
        streams: &mut [Stream],
        rows: &Rows,
    ) -> Vec<Result<Vec<f64>, Failure>>;
    /// The operation itself, for those who know its type.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Learner> AnyLearner for T {
    fn output(&self) -> Output {
        T::OUTPUT
    }

    fn takes_missing(&self) -> bool {
        T::TAKES_MISSING
    }

    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Vec<u8>, Failure> {
        let model = Learner::fit(self, train, stream)?;
        Ok(postcard::to_stdvec(&model).expect("plain data always has an encoding"))
    }

    fn predict(&self, model: &[u8], rows: &Rows) -> Result<Vec<f64>, Failure> {
        Learner::predict(self, &stored::<T>(model)?, rows)
    }

    fn model(&self, model: &[u8]) -> Result<serde_json::Value, Failure> {
        Ok(as_json(&stored::<T>(model)?))
    }

    fn model_of(&self, json: &serde_json::Value) -> Result<Vec<u8>, Failure> {
        as_bytes::<T::Model>(json)
    }

    fn form(&self, model: &[u8]) -> Result<Form, Failure> {
        Ok(Learner::form(self, &stored::<T>(model)?))
    }

    fn resolution(&self) -> Option<f64> {
        Learner::resolution(self)
    }

    fn seeded_parameters(&self) -> serde_json::Value {
        parameters(&self.as_seeded())
    }

    fn check(&self, problems: &mut Problems) {
        Learner::check(self, problems);
    }

    fn needs(&self) -> Vec<Need> {
        Learner::needs(self)
    }

    fn applied_parameters(&self) -> serde_json::Value {
        parameters(&Learner::as_applied(self))
    }

    fn fit_and_predict(
        &self,
        settings: &[&dyn AnyLearner],
        train: &Train,
        streams: &mut [Stream],
        rows: &Rows,
    ) -> Vec<Result<Vec<f64>, Failure>> {
        let typed = settings.iter().map(|setting| setting.as_any().downcast_ref());
        let typed: Option<Vec<&T>> = typed.collect();
        let typed = typed.expect("all settings are of one operation");
        let models = T::fit_all(&typed, train, streams).into_iter();
        let fitted = models.zip(&typed);
        fitted.map(|(model, setting)| Learner::predict(*setting, &model?, rows)).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn stored<T: Learner>(model: &[u8]) -> Result<T::Model, Failure> {
    postcard::from_bytes(model)
        .map_err(|error| Failure::Library(format!("a stored model: {error}")))
}

/// The parameters of an operation as JSON, defaults included.
pub(super) fn parameters<T: Operation>(operation: &T) -> serde_json::Value {
    serde_json::to_value(operation).expect("parameters are plain data")
}
