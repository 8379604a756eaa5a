//! A row of the catalogue: an operation without its type, as the engine handles it.

use std::sync::Arc;

use super::kinds::{AnyLearner, AnyTableStep, parameters};
use super::{
    About, Again, Calibrator, Column, Contest, Declared, Derivation, Failure,
    FeatureFamily, File, Fragment, Generator, Judged, Learner, Metric, Operation,
    Problems, ReadAs, Reader, Resampling, RoiType, Scale, Scored, Section, Shows,
    TableStep, Tuner,
};
use crate::data::{
    Assay, Calls, Choice, Population, Roi, Shape, Split, Splits, StudyRecord, Value,
};

/// The closed list of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Reader,
    Generator,
    FeatureFamily,
    TableStep,
    Derivation,
    Resampling,
    Learner,
    Tuner,
    Calibrator,
    Metric,
    Section,
}

impl Kind {
    /// As a study's author would call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Generator => "generator",
            Self::FeatureFamily => "feature family",
            Self::TableStep => "table step",
            Self::Derivation => "derivation",
            Self::Resampling => "resampling scheme",
            Self::Learner => "learner",
            Self::Tuner => "tuner",
            Self::Calibrator => "threshold rule",
            Self::Metric => "metric",
            Self::Section => "report section",
        }
    }

    /// Several of them.
    pub fn plural(self) -> String {
        match self.noun().strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{}s", self.noun()),
        }
    }
}

/// One operation with its parameters set, ready to be used.
#[derive(Clone)]
pub enum Instance {
    Reader(Arc<dyn AnyReader>),
    Generator(Arc<dyn AnyGenerator>),
    FeatureFamily(Arc<dyn AnyFamily>),
    TableStep(Arc<dyn AnyTableStep>),
    Derivation(Arc<dyn AnyDerivation>),
    Resampling(Arc<dyn AnyResampling>),
    Learner(Arc<dyn AnyLearner>),
    Tuner(Arc<dyn AnyTuner>),
    Calibrator(Arc<dyn AnyCalibrator>),
    Metric(Arc<dyn AnyMetric>),
    Section(Arc<dyn AnySection>),
}

/// What one row of an operation list holds. Everything about an operation is reached from here.
#[derive(Clone, Copy)]
pub struct Entry {
    pub about: About,
    pub kind: Kind,
    pub random: bool,
    /// JSON Schema of the parameters; descriptions are the doc comments.
    pub schema: fn() -> schemars::Schema,
    pub defaults: fn() -> serde_json::Value,
    /// Reads checked parameters.
    pub build: fn(serde_json::Value) -> Result<Instance, serde_json::Error>,
    /// JSON Schema of what a table step or a learner learns.
    pub model: Option<fn() -> schemars::Schema>,
    /// Every parameter as the operation's own type writes it, defaults filled in.
    pub normalise: fn(serde_json::Value) -> Result<serde_json::Value, serde_json::Error>,
}

impl Entry {
    /// The description of the operation: its doc comment.
    pub fn doc(&self) -> String {
        let schema = (self.schema)();
        schema.get("description").and_then(|text| text.as_str()).unwrap_or("").to_string()
    }

    /// The first sentence of its doc comment.
    pub fn summary(&self) -> String {
        let doc = self.doc();
        doc.split("\n\n").next().unwrap_or("").replace('\n', " ")
    }
}

fn entry<T: Operation>(
    kind: Kind,
    build: fn(serde_json::Value) -> Result<Instance, serde_json::Error>,
) -> Entry {
    Entry {
        about: T::ABOUT,
        kind,
        random: T::RANDOM,
        schema: || schemars::schema_for!(T),
        defaults: || parameters(&T::default()),
        build,
        model: None,
        normalise: |json| Ok(parameters(&serde_json::from_value::<T>(json)?)),
    }
}

macro_rules! kinds {
    ($($kind:ident $row:ident $any:ident { $(fn $method:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty;)* })*) => {
        $(
            #[doc = concat!("[`", stringify!($kind), "`] without its type.")]
            pub trait $any: Send + Sync {
                $(fn $method(&self $(, $arg: $type)*) -> $out;)*
            }
            impl<T: $kind> $any for T {
                $(fn $method(&self $(, $arg: $type)*) -> $out { $kind::$method(self $(, $arg)*) })*
            }
            #[doc = concat!("The row of a [`", stringify!($kind), "`].")]
            pub fn $row<T: $kind>() -> Entry {
                entry::<T>(Kind::$kind, |json| {
                    Ok(Instance::$kind(Arc::new(serde_json::from_value::<T>(json)?)))
                })
            }
        )*
    };
}

// A macro because an object-safe twin of a trait is the same signatures once more.
kinds! {
    Reader reader AnyReader {
        fn read(&self, file: File<'_>, what: ReadAs<'_>) -> Result<Value, Failure>;
    }
    Generator generator AnyGenerator {
        fn generate(&self, seed: u64) -> Result<Vec<(String, Vec<u8>)>, Failure>;
    }
    FeatureFamily family AnyFamily {
        fn columns(&self) -> Vec<Column>;
        fn check(&self, roi: &RoiType, problems: &mut Problems) -> ();
        fn compute(&self, roi: &Roi) -> Result<Vec<f64>, Failure>;
    }
    Derivation derivation AnyDerivation {
        fn source(&self) -> Option<&str>;
        fn check(&self, problems: &mut Problems) -> ();
        fn derive(&self, assay: Assay<'_>, subjects: &[String]) -> Result<Calls, Failure>;
        fn in_words(&self) -> String;
    }
    Resampling resampling AnyResampling {
        fn judged(&self) -> Judged;
        fn shape(&self) -> Shape;
        fn columns(&self) -> Vec<String>;
        fn divides_by(&self) -> Vec<String>;
        fn whole(&self, population: &Population, seed: u64) -> Result<Vec<Split>, Failure>;
        fn assign(&self, population: &Population, seed: u64) -> Result<Splits, Failure>;
        fn in_words(&self) -> String;
    }
    Tuner tuner AnyTuner {
        fn choose(&self, contest: &Contest<'_>) -> Option<Choice>;
        fn halving(&self) -> Option<usize>;
        fn chooses_one(&self) -> bool;
        fn by_scores(&self) -> bool;
    }
    Calibrator calibrator AnyCalibrator {
        fn threshold(&self, truth: &[bool], scores: &[f64]) -> Result<f64, Failure>;
        fn check(&self, problems: &mut Problems) -> ();
        fn is_learned(&self) -> bool;
        fn in_words(&self) -> String;
    }
    Section section AnySection {
        fn declared(&self) -> Declared;
        fn shows(&self) -> Shows;
        fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure>;
    }
}

/// The row of a [`TableStep`].
pub fn table_step<T: TableStep>() -> Entry {
    let row = entry::<T>(Kind::TableStep, |json| {
        Ok(Instance::TableStep(Arc::new(serde_json::from_value::<T>(json)?)))
    });
    Entry { model: Some(|| schemars::schema_for!(T::State)), ..row }
}

/// The row of a [`Learner`].
pub fn learner<T: Learner>() -> Entry {
    let row = entry::<T>(Kind::Learner, |json| {
        Ok(Instance::Learner(Arc::new(serde_json::from_value::<T>(json)?)))
    });
    Entry { model: Some(|| schemars::schema_for!(T::Model)), ..row }
}

/// [`Metric`] without its type.
pub trait AnyMetric: Send + Sync {
    fn scale(&self) -> Scale;
    /// See [`Metric::RANKS`].
    fn ranks_only(&self) -> bool;
    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure>;
    /// See [`Metric::again`].
    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a>;
    fn denominator(&self, scored: Scored<'_>) -> usize;
    fn chance(&self, prevalence: f64) -> Option<f64>;
}

impl<T: Metric> AnyMetric for T {
    fn scale(&self) -> Scale {
        Metric::scale(self)
    }

    fn ranks_only(&self) -> bool {
        T::RANKS
    }

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        Metric::compute(self, scored)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        Metric::again(self, scored)
    }

    fn denominator(&self, scored: Scored<'_>) -> usize {
        Metric::denominator(self, scored)
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        Metric::chance(self, prevalence)
    }
}

/// The row of a [`Metric`].
pub fn metric<T: Metric>() -> Entry {
    entry::<T>(Kind::Metric, |json| {
        Ok(Instance::Metric(Arc::new(serde_json::from_value::<T>(json)?)))
    })
}
