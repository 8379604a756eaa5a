//! Every key of the language: what the reader accepts and the JSON Schema describes, once.

use crate::operation::Kind;

/// A map of the language.
pub struct Block {
    /// As in messages: "a source".
    pub noun: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
    /// Operations of this kind may stand as keys, exactly one of them.
    pub operation: Option<Kind>,
    /// Exactly one of these keys is given.
    pub one_of: &'static [&'static str],
}

/// A key of a block.
pub struct Key {
    pub name: &'static str,
    pub doc: &'static str,
    pub required: bool,
    pub shape: Shape,
}

/// What may stand under a key.
#[derive(Clone, Copy)]
pub enum Shape {
    /// The number 1: the version of the language.
    One,
    Text,
    Texts,
    Count,
    Counts,
    /// Names of the author's choice, each with a block.
    Named(&'static Block),
    Block(&'static Block),
    /// A path, or a block that says where.
    PathOr(&'static Block),
    /// Names of the author's choice, each with a list of texts.
    NamedTexts,
    /// `required` or `optional` by source.
    Joins,
    Unit,
    /// One operation: its name, or its name with parameters.
    Operation(Kind),
    /// A list of them, without grids.
    Operations(Kind),
    /// Steps in order, with grids.
    Chain(Kind),
    /// Alternatives, each a step or a chain, with grids.
    Alternatives(Kind),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A simulated cohort's parameters.
    Parameters(Kind),
}

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, required: false, shape }
}

const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, required: true, shape }
}

const fn block(noun: &'static str, doc: &'static str, keys: &'static [Key]) -> Block {
    Block { noun, doc, keys, operation: None, one_of: &[] }
}

pub const STUDY: Block = block(
    "a study",
    "A radiogenomics study: cohorts, predictors, outcome, validation.",
    &[
        required("restudy", Shape::One, "Version of the language."),
        required("title", Shape::Text, "Title of the study, as on the report."),
        required("cancer", Shape::Text, "Cancer type."),
        required("seed", Shape::Count, "Seed of every random number of the study."),
        required("sources", Shape::Named(&SOURCE), "Where data come from, by name."),
        required("cohorts", Shape::Named(&COHORT), "Who is studied, by name."),
        required(
            "outcomes",
            Shape::Named(&OUTCOME),
            "What is predicted; the first is primary.",
        ),
        required(
            "predictors",
            Shape::Named(&PREDICTOR),
            "Blocks of predictors, by name.",
        ),
        key(
            "models",
            Shape::NamedTexts,
            "Which blocks enter together; one model of all by default.",
        ),
        key(
            "prepare",
            Shape::Chain(Kind::TableStep),
            "Steps fitted in training rows, in order.",
        ),
        key(
            "select",
            Shape::Alternatives(Kind::TableStep),
            "Selectors to choose among; `all` selects nothing.",
        ),
        required(
            "learn",
            Shape::Alternatives(Kind::Learner),
            "Learners to choose among.",
        ),
        required(
            "validate",
            Shape::Named(&SCHEME),
            "Schemes of validation, by name; the first is the headline.",
        ),
        key("evaluate", Shape::Block(&EVALUATE), "What is measured."),
    ],
);

pub const SOURCE: Block = Block {
    noun: "a source",
    doc: "A place where data come from.",
    keys: &[
        key(
            "table",
            Shape::PathOr(&FILE),
            "A CSV or TSV table, plain or gzip: one row per id.",
        ),
        key("maf", Shape::PathOr(&FILE), "Mutations in MAF: any number of rows per id."),
        key("images", Shape::Block(&IMAGES), "NIfTI images with masks, by path pattern."),
        key(
            "simulate",
            Shape::Parameters(Kind::Generator),
            "A cohort made from the seed.",
        ),
        key("id", Shape::Text, "Column that names the patient."),
        key("digest", Shape::Text, "BLAKE3 of the content after decompression."),
        key(
            "assayed",
            Shape::Block(&ASSAYED),
            "Who was sequenced: no row is not wild type.",
        ),
        key("unit", Shape::Unit, "Unit of the images' grey values."),
        key("licence", Shape::Text, "Licence of the data."),
        key("read", Shape::Operation(Kind::Reader), "Another way of reading the file."),
    ],
    operation: None,
    one_of: &["table", "maf", "images", "simulate"],
};

pub const FILE: Block = Block {
    noun: "a file",
    doc: "Where a file lies.",
    keys: &[
        key("file", Shape::Text, "Path, relative to the study."),
        key("digest", Shape::Text, "BLAKE3 of the content after decompression."),
        key("of", Shape::Text, "A simulated source that makes the file."),
    ],
    operation: None,
    one_of: &["file", "of"],
};

pub const IMAGES: Block = Block {
    noun: "an image set",
    doc: "Where images and masks lie.",
    keys: &[
        key("root", Shape::Text, "Folder, relative to the study."),
        key("path", Shape::Text, "Path of an image below it, with `{id}`."),
        key("mask", Shape::Text, "Path of its mask, with `{id}`."),
        key("of", Shape::Text, "A simulated source that makes the images."),
    ],
    operation: None,
    one_of: &["root", "of"],
};

pub const ASSAYED: Block = block(
    "`assayed`",
    "Who was sequenced.",
    &[required(
        "from",
        Shape::Text,
        "The source whose ids are those of everybody sequenced.",
    )],
);

pub const COHORT: Block = block(
    "a cohort",
    "Subjects under one definition.",
    &[
        required("from", Shape::Text, "The source whose rows are the cohort's."),
        key("join", Shape::Joins, "Other sources, joined by id."),
        key(
            "subject",
            Shape::Text,
            "Column of the patient, when rows are finer than patients.",
        ),
        key(
            "failed_at_most",
            Shape::Count,
            "How many rows may fail to be measured before the run fails.",
        ),
    ],
);

pub const OUTCOME: Block = Block {
    noun: "an outcome",
    doc: "What is predicted: a label and one derivation.",
    keys: &[required("label", Shape::Text, "As on the report.")],
    operation: Some(Kind::Derivation),
    one_of: &[],
};

pub const PREDICTOR: Block = Block {
    noun: "a block of predictors",
    doc: "Predictors from one source.",
    keys: &[
        key("columns", Shape::Block(&COLUMNS), "Columns of a table."),
        key("images", Shape::Block(&MEASURED), "Features of regions in images."),
        key(
            "steps",
            Shape::Operations(Kind::TableStep),
            "Steps on the whole block, before any split. Fitted ones leak and are refused.",
        ),
    ],
    operation: None,
    one_of: &["columns", "images"],
};

pub const COLUMNS: Block = block(
    "`columns`",
    "Columns of a table; `*` stands for any text.",
    &[
        required("from", Shape::Text, "The table."),
        key("include", Shape::Texts, "Columns that enter; all but the id by default."),
        key("except", Shape::Texts, "Columns that do not."),
    ],
);

pub const MEASURED: Block = block(
    "`images`",
    "Features of regions in images.",
    &[
        required("from", Shape::Text, "The images."),
        key(
            "labels",
            Shape::Counts,
            "Labels of the mask that make the region; all by default.",
        ),
        required("features", Shape::Operations(Kind::FeatureFamily), "Feature families."),
    ],
);

pub const SCHEME: Block = Block {
    noun: "a scheme",
    doc: "A way of validating: one resampling scheme on one cohort.",
    keys: &[
        key("cohort", Shape::Text, "Whose rows; the only cohort by default."),
        key("models", Shape::Texts, "Which models; all by default."),
    ],
    operation: Some(Kind::Resampling),
    one_of: &[],
};

pub const EVALUATE: Block = block(
    "`evaluate`",
    "What is measured.",
    &[
        key(
            "primary",
            Shape::Operation(Kind::Metric),
            "The metric by which candidates are chosen.",
        ),
        key("also", Shape::Operations(Kind::Metric), "Further metrics."),
        key("tune", Shape::Operation(Kind::Tuner), "How a candidate is chosen."),
        key(
            "threshold",
            Shape::Block(&THRESHOLD),
            "The rule for decisions. There is no default.",
        ),
    ],
);

pub const THRESHOLD: Block = block(
    "`threshold`",
    "The rule for decisions, with its parameters.",
    &[
        required("rule", Shape::Text, "The rule's name."),
        required(
            "learned_from",
            Shape::Word(&["inner_out_of_fold", "held_out"]),
            "On which predictions; `held_out` is refused.",
        ),
    ],
);

/// The names of all units.
pub fn units() -> Vec<String> {
    let schema = schemars::schema_for!(crate::units::Unit).to_value();
    let of = |form: &serde_json::Value| -> Vec<String> {
        let one = form.get("const").into_iter();
        let many =
            form.get("enum").and_then(|words| words.as_array()).into_iter().flatten();
        one.chain(many).filter_map(|word| word.as_str().map(str::to_string)).collect()
    };
    let forms =
        schema.get("oneOf").and_then(|forms| forms.as_array()).into_iter().flatten();
    let mut names: Vec<String> = forms.flat_map(of).collect();
    names.extend(of(&schema));
    names
}
