//! The language: which keys stand where, what they hold and what they mean.
//!
//! One set of tables. The reader checks a study against them, and the JSON Schema that editors
//! use is written from them, so the two cannot drift apart.

use schemars::JsonSchema;
use serde_json::{Value as Json, json};

use super::study::LearnedFrom;
use super::written::Grids;
use crate::operation::Kind;
use crate::units::Unit;

/// What may stand at a place.
pub enum Shape {
    /// A value that a JSON Schema describes.
    Value(fn() -> Json),
    /// `1`: the version of this language.
    Version,
    /// The name of some content.
    Digest,
    /// Text with `{id}` in it.
    IdPattern,
    /// The name of something declared elsewhere in the study.
    Reference(Names),
    /// A list with at least one entry.
    List(&'static Shape),
    /// A map under names that the author makes up; never empty.
    Named(&'static Shape),
    /// A map under names that are declared elsewhere.
    Keyed(Names, &'static Shape),
    Block(&'static Block),
    /// One of several blocks, told apart by the first key of each.
    Variants(&'static [&'static Block]),
    /// Text, or else a map.
    TextOr(&'static Shape),
    /// `name` or `name: { parameters }`.
    Operation(Kind, Grids),
    /// An operation, or a list of them: one after the other.
    Alternative(Alternative),
}

/// What is declared under names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Sources with one row per id.
    Tables,
    /// Sources with a volume and a mask per id.
    Images,
    /// Sources that make files.
    Simulations,
    /// Sources with ids: all but simulations.
    Joinable,
    Cohorts,
    Blocks,
    Models,
}

/// The two lists of alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Table steps, or `all`: no selection.
    Select,
    /// A learner; in a list the last, with table steps before it.
    Learn,
}

/// A map with keys of its own.
pub struct Block {
    /// What it is, in a few words: "a table".
    pub name: &'static str,
    pub about: &'static str,
    pub keys: &'static [Entry],
    pub rest: Rest,
}

pub struct Entry {
    pub name: &'static str,
    pub need: Need,
    pub about: &'static str,
    pub shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// What else a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    Nothing,
    /// Exactly one operation of this kind: its name is the key, its parameters the value.
    Operation(Kind),
    /// The parameters of the operation that stands under this key.
    ParametersOf(&'static str, Kind),
}

const fn required(name: &'static str, about: &'static str, shape: Shape) -> Entry {
    Entry { name, need: Need::Required, about, shape }
}

const fn optional(name: &'static str, about: &'static str, shape: Shape) -> Entry {
    Entry { name, need: Need::Optional, about, shape }
}

const TEXT: Shape = Shape::Value(|| json!({ "type": "string", "minLength": 1 }));
const COUNT: Shape =
    Shape::Value(|| json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }));
const SEED: Shape =
    Shape::Value(|| json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }));
const LABEL: Shape =
    Shape::Value(|| json!({ "type": "integer", "minimum": 1, "maximum": u16::MAX }));
const UNIT: Shape = Shape::Value(|| super::parameters::flat(&schemars::schema_for!(Unit)));
const LEARNED_FROM: Shape =
    Shape::Value(|| super::parameters::flat(&schemars::schema_for!(LearnedFrom)));
const PRESENCE: Shape =
    Shape::Value(|| super::parameters::flat(&schemars::schema_for!(Presence)));

/// Whether a row without a partner leaves the cohort.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// A row without a partner leaves the cohort.
    Required,
    /// A row without a partner stays.
    Optional,
}

pub static STUDY: Block = Block {
    name: "a study",
    about: "A study: what is predicted, from what, in whom, and how that is validated.",
    keys: &[
        required("restudy", "Version of the language.", Shape::Version),
        required("title", "Title of the report.", TEXT),
        required("cancer", "The cancer that is studied, such as `glioma`.", TEXT),
        required("seed", "Where every random stream starts.", SEED),
        required(
            "sources",
            "Where data come from: tables, mutation files, images, or a simulation.",
            Shape::Named(&Shape::Variants(&[&TABLE, &MAF, &IMAGES, &SIMULATION])),
        ),
        required(
            "cohorts",
            "Subjects under one definition.",
            Shape::Named(&Shape::Block(&COHORT)),
        ),
        required(
            "outcomes",
            "What is predicted.",
            Shape::Named(&Shape::Block(&OUTCOME)),
        ),
        required(
            "predictors",
            "Named blocks of predictors.",
            Shape::Named(&Shape::Variants(&[&COLUMNS, &IMAGE_FEATURES])),
        ),
        optional(
            "models",
            "Which blocks enter together; by default one model `all` of all blocks.",
            Shape::Named(&Shape::List(&Shape::Reference(Names::Blocks))),
        ),
        optional(
            "prepare",
            "Steps fitted on the training rows of every split, in order.",
            Shape::List(&Shape::Operation(Kind::TableStep, Grids::Allowed)),
        ),
        optional(
            "select",
            "Alternative selectors; a list in the list is a chain, `all` selects nothing.",
            Shape::List(&Shape::Alternative(Alternative::Select)),
        ),
        required(
            "learn",
            "Alternative learners; lists of values at tunable parameters are grids.",
            Shape::List(&Shape::Alternative(Alternative::Learn)),
        ),
        required(
            "validate",
            "Named validation schemes; the first is the headline.",
            Shape::Named(&Shape::Block(&SCHEME)),
        ),
        optional("evaluate", "What is measured.", Shape::Block(&EVALUATE)),
    ],
    rest: Rest::Nothing,
};

const LICENCE: Entry = optional("licence", "Under which terms the data may be used.", TEXT);
const DIGEST: Entry = optional(
    "digest",
    "`blake3:` and 64 hexadecimal digits: the content that the file must have.",
    Shape::Digest,
);
const ID: Entry = required("id", "The column that says whose row it is.", TEXT);
const READ: Entry = optional(
    "read",
    "The reader and its parameters, where the default does not do.",
    Shape::Operation(Kind::Reader, Grids::Refused),
);
const ORIGIN: Shape = Shape::TextOr(&Shape::Variants(&[&MADE, &FILE]));

static TABLE: Block = Block {
    name: "a table",
    about: "A table with one row per id.",
    keys: &[
        required("table", "A path, or `{ of: SIMULATION }`.", ORIGIN),
        ID,
        READ,
        DIGEST,
        LICENCE,
    ],
    rest: Rest::Nothing,
};

static MAF: Block = Block {
    name: "a mutation file",
    about: "Mutations in MAF: any number of rows per id.",
    keys: &[
        required("maf", "A path, or `{ of: SIMULATION }`.", ORIGIN),
        ID,
        // Without it there is an error of its own, which says why.
        optional(
            "assayed",
            "Who was sequenced: a patient without a row is wild type only if sequenced.",
            Shape::Block(&ASSAYED),
        ),
        READ,
        DIGEST,
        LICENCE,
    ],
    rest: Rest::Nothing,
};

static IMAGES: Block = Block {
    name: "an image set",
    about: "A volume and a mask per id.",
    keys: &[
        required(
            "images",
            "Where the files lie.",
            Shape::Variants(&[&MADE, &IMAGE_FILES]),
        ),
        optional("unit", "What a grey value means.", UNIT),
        READ,
        LICENCE,
    ],
    rest: Rest::Nothing,
};

static SIMULATION: Block = Block {
    name: "a simulation",
    about: "Files made from the seed of the study. The report is stamped.",
    keys: &[
        required(
            "simulate",
            "Parameters of the simulated cohort.",
            Shape::Value(|| json!({ "type": ["object", "null"] })),
        ),
        LICENCE,
    ],
    rest: Rest::Nothing,
};

static MADE: Block = Block {
    name: "a simulated file",
    about: "A file of a simulated source.",
    keys: &[required(
        "of",
        "The source that makes it.",
        Shape::Reference(Names::Simulations),
    )],
    rest: Rest::Nothing,
};

static FILE: Block = Block {
    name: "a file",
    about: "A file on disk.",
    keys: &[required("file", "Its path, relative to the study.", TEXT)],
    rest: Rest::Nothing,
};

static IMAGE_FILES: Block = Block {
    name: "image files",
    about: "Files under one folder, found by the id in their path.",
    keys: &[
        required("root", "The folder, relative to the study.", TEXT),
        required(
            "path",
            "Path of a volume under the folder, with `{id}` in it.",
            Shape::IdPattern,
        ),
        required(
            "mask",
            "Path of a mask under the folder, with `{id}` in it.",
            Shape::IdPattern,
        ),
    ],
    rest: Rest::Nothing,
};

static ASSAYED: Block = Block {
    name: "who was assayed",
    about: "The source whose ids are those of everybody who was sequenced.",
    keys: &[required("from", "A table.", Shape::Reference(Names::Tables))],
    rest: Rest::Nothing,
};

static COHORT: Block = Block {
    name: "a cohort",
    about: "Subjects under one definition.",
    keys: &[
        required(
            "from",
            "The table whose rows are the cohort.",
            Shape::Reference(Names::Tables),
        ),
        optional(
            "join",
            "Other sources, by id; `required` drops rows without a partner.",
            Shape::Keyed(Names::Joinable, &PRESENCE),
        ),
        optional(
            "subject",
            "The column that says to which subject a row belongs; by default the id.",
            TEXT,
        ),
        optional(
            "failed_at_most",
            "How many subjects may fail to be measured before the run fails; by default 0.",
            COUNT,
        ),
    ],
    rest: Rest::Nothing,
};

static OUTCOME: Block = Block {
    name: "an outcome",
    about: "What is predicted: a label and how it is derived.",
    keys: &[optional(
        "label",
        "What tables and figures call it; by default its name.",
        TEXT,
    )],
    rest: Rest::Operation(Kind::Derivation),
};

const STEPS: Entry = optional(
    "steps",
    "Steps on the whole block before any split; a fitted one leaks and is refused.",
    Shape::List(&Shape::Operation(Kind::TableStep, Grids::Refused)),
);

static COLUMNS: Block = Block {
    name: "a block of columns",
    about: "Columns of a table.",
    keys: &[
        required("columns", "Which columns.", Shape::Block(&COLUMN_CHOICE)),
        STEPS,
    ],
    rest: Rest::Nothing,
};

static COLUMN_CHOICE: Block = Block {
    name: "a choice of columns",
    about: "Columns by name; `*` stands for any text.",
    keys: &[
        required("from", "A table.", Shape::Reference(Names::Tables)),
        optional(
            "include",
            "Columns to take; by default all but the id.",
            Shape::List(&TEXT),
        ),
        optional("except", "Columns to leave out.", Shape::List(&TEXT)),
    ],
    rest: Rest::Nothing,
};

static IMAGE_FEATURES: Block = Block {
    name: "a block of image features",
    about: "Features of a region of the images.",
    keys: &[
        required(
            "images",
            "Which images and features.",
            Shape::Block(&FEATURE_CHOICE),
        ),
        STEPS,
    ],
    rest: Rest::Nothing,
};

static FEATURE_CHOICE: Block = Block {
    name: "a choice of features",
    about: "What is measured in the region of interest.",
    keys: &[
        required("from", "An image set.", Shape::Reference(Names::Images)),
        optional(
            "labels",
            "Labels of the mask that make up the region; by default any but 0.",
            Shape::List(&LABEL),
        ),
        required(
            "features",
            "Feature families.",
            Shape::List(&Shape::Operation(Kind::FeatureFamily, Grids::Refused)),
        ),
    ],
    rest: Rest::Nothing,
};

static SCHEME: Block = Block {
    name: "a validation scheme",
    about: "How training and held-out rows are divided.",
    keys: &[
        optional(
            "cohort",
            "In whom; by default the only cohort.",
            Shape::Reference(Names::Cohorts),
        ),
        optional(
            "models",
            "The models that it judges; by default all.",
            Shape::List(&Shape::Reference(Names::Models)),
        ),
    ],
    rest: Rest::Operation(Kind::Resampling),
};

static EVALUATE: Block = Block {
    name: "an evaluation",
    about: "What is measured on held-out rows.",
    keys: &[
        optional(
            "primary",
            "The metric by which candidates are chosen; by default `auroc`.",
            Shape::Operation(Kind::Metric, Grids::Refused),
        ),
        optional(
            "also",
            "Further metrics.",
            Shape::List(&Shape::Operation(Kind::Metric, Grids::Refused)),
        ),
        optional(
            "tune",
            "How a candidate is chosen; by default `best_mean`.",
            Shape::Operation(Kind::Tuner, Grids::Refused),
        ),
        optional(
            "threshold",
            "When a prediction counts as positive.",
            Shape::Block(&THRESHOLD),
        ),
    ],
    rest: Rest::Nothing,
};

static THRESHOLD: Block = Block {
    name: "a threshold rule",
    about: "The rule by which a threshold is learned; its parameters stand beside it.",
    keys: &[
        required("rule", "The rule.", TEXT),
        required(
            "learned_from",
            "On which predictions the threshold is learned.",
            LEARNED_FROM,
        ),
    ],
    rest: Rest::ParametersOf("rule", Kind::Calibrator),
};
