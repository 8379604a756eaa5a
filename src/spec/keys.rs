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
    /// A text, or a list of them.
    TextOrTexts,
    Count,
    Counts,
    Number,
    /// Two counts: from, to.
    Positions,
    /// Two numbers: from, to.
    Range,
    Numbers,
    Truth,
    /// A map of texts to texts.
    TextMap,
    /// Names of the author's choice, each with a text or a list of texts.
    TextsByName,
    /// Names of the author's choice, each with a block.
    Named(&'static Block),
    Block(&'static Block),
    Blocks(&'static Block),
    /// A text, or a block that says more.
    TextOr(&'static Block),
    /// A number, or a block that says more.
    NumberOr(&'static Block),
    /// A path, a block that says where, or a list of those.
    Files(&'static Block),
    /// Names of the author's choice, each with a text or a block.
    NamedTextOr(&'static Block),
    /// Names of the author's choice, each with a list of texts or a block.
    NamedTextsOr(&'static Block),
    /// `required` or `optional` by source.
    Joins,
    Unit,
    /// One operation: its name, or its name with parameters.
    Operation(Kind),
    /// A list of them, without grids.
    Operations(Kind),
    /// Steps in order with grids, `vary` among them; or a map of those by block.
    Chain(Kind),
    /// Alternatives, each a step or a chain, with grids; or a map of those by block.
    Alternatives(Kind),
    /// Named schemes, and `external` with a list of cohorts.
    Schemes(&'static Block),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A simulated cohort's parameters.
    Parameters(Kind),
    /// The author's prose, read by the report.
    Prose,
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
        key(
            "derive",
            Shape::Named(&DERIVED),
            "Columns cut from ids or mapped from columns, by name; always text.",
        ),
        required("cohorts", Shape::Named(&COHORT), "Who is studied, by name."),
        key(
            "agree",
            Shape::Named(&AGREEMENT),
            "Facts that several sources hold: compared, and what disagrees is named.",
        ),
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
            Shape::NamedTextsOr(&MODEL),
            "Which blocks enter together; one model of all by default.",
        ),
        key(
            "primary_model",
            Shape::Text,
            "The model of the headline, tuned on all development rows and frozen; the only model by default.",
        ),
        key("frozen", Shape::Word(&["none"]), "`none`: no model is frozen."),
        key(
            "harmonise",
            Shape::Chain(Kind::TableStep),
            "Steps after the preparation, fitted in training rows, on what a device measured: not on `clinical` and `derive`.",
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
            Shape::Schemes(&SCHEME),
            "Schemes of validation, by name; the first is the headline. `external` lists cohorts \
             that the frozen model meets once.",
        ),
        key("evaluate", Shape::Block(&EVALUATE), "What is measured."),
        key(
            "governance",
            Shape::Block(&GOVERNANCE),
            "Under which terms the data are used.",
        ),
        key("reporting", Shape::Prose, "The author's half of the report."),
    ],
);

pub const SOURCE: Block = Block {
    noun: "a source",
    doc: "A place where data come from.",
    keys: &[
        key(
            "table",
            Shape::Files(&FILE),
            "A table: CSV, TSV or Parquet, plain or gzip, one row per id. A list is stacked.",
        ),
        key(
            "maf",
            Shape::Files(&FILE),
            "Mutations in MAF: any number of rows per id. A list is stacked.",
        ),
        key("images", Shape::Block(&IMAGES), "NIfTI images with masks, by path pattern."),
        key(
            "simulate",
            Shape::Parameters(Kind::Generator),
            "A cohort made from the seed.",
        ),
        key(
            "id",
            Shape::TextOr(&ID),
            "Column that names the patient, or how it is made.",
        ),
        key(
            "sample",
            Shape::Block(&SAMPLE),
            "Which samples of a patient count. Without it, several are refused.",
        ),
        key("columns", Shape::Named(&COLUMN), "What single columns hold."),
        key("missing", Shape::Texts, "Cells of any column that mean \"not known\"."),
        key("digest", Shape::Text, "BLAKE3 of the content after decompression."),
        key(
            "assayed",
            Shape::Block(&ASSAYED),
            "Who was sequenced: no row is not wild type.",
        ),
        key("unit", Shape::Unit, "Unit of the images' grey values."),
        key("licence", Shape::Text, "Licence of the data."),
        key("citation", Shape::Text, "Whom to cite for the data."),
        key(
            "origin",
            Shape::Block(&ORIGIN),
            "Where bytes that are not published come from; they enter by `restudy store add`.",
        ),
        key(
            "prepared",
            Shape::Word(&["outside", "none"]),
            "Whether its columns were made outside of what the proof sees.",
        ),
        key(
            "trained_on",
            Shape::Texts,
            "Data sets on which something in this source was trained.",
        ),
        key("read", Shape::Operation(Kind::Reader), "Another way of reading the file."),
    ],
    operation: None,
    one_of: &["table", "maf", "images", "simulate"],
};

pub const FILE: Block = Block {
    noun: "a file",
    doc: "Where a file lies.",
    keys: &[
        key("file", Shape::Text, "Path relative to the study, or URL with a digest."),
        key("digest", Shape::Text, "BLAKE3 of the content after decompression."),
        key("of", Shape::Text, "A simulated source that makes the file."),
    ],
    operation: None,
    one_of: &["file", "of"],
};

pub const ID: Block = Block {
    noun: "an id",
    doc: "How the id of a row is made.",
    keys: &[
        key("column", Shape::Text, "The column that holds it."),
        key("columns", Shape::Texts, "Several columns, joined."),
        key("separator", Shape::Text, "What stands between them; `-` by default."),
        key(
            "take",
            Shape::Text,
            "The part that is the id, as a pattern from the start: `?` one character, `*` any text.",
        ),
        key(
            "at",
            Shape::Positions,
            "The part that is the id, by first and last character.",
        ),
        key(
            "empty",
            Shape::Word(&["refuse", "leave out"]),
            "What becomes of rows without an id: refused by default, or left out and counted.",
        ),
    ],
    operation: None,
    one_of: &["column", "columns"],
};

pub const SAMPLE: Block = block(
    "`sample`",
    "Which samples of a patient count.",
    &[
        required("column", Shape::Text, "The column that names the sample."),
        key("at", Shape::Positions, "Its type, by first and last character of the name."),
        key("keep", Shape::Texts, "The types that count; all by default."),
        key(
            "several",
            Shape::Word(&["refuse", "first", "any"]),
            "When a patient has several: refused, the first by name, or all.",
        ),
    ],
);

pub const COLUMN: Block = block(
    "a column",
    "What a column holds.",
    &[
        key("unit", Shape::Text, "Its unit, as on the report."),
        key("missing", Shape::Texts, "Cells that mean \"not known\"."),
        key(
            "map",
            Shape::TextsByName,
            "Categories, each with the spellings that mean it; any other value is listed and refused.",
        ),
        key(
            "else",
            Shape::Text,
            "The category of all other spellings; `missing` makes them unknown.",
        ),
    ],
);

pub const ORIGIN: Block = block(
    "`origin`",
    "Where the data come from.",
    &[
        key("citation", Shape::Text, "Whom to cite."),
        key("upstream", Shape::Text, "Where the data were published."),
        key("conversion", Shape::Text, "What was done to them since."),
    ],
);

pub const DERIVED: Block = block(
    "a derived column",
    "A column cut from an id or mapped from a column; always text.",
    &[
        required("from", Shape::Text, "`id`, a derived column, or `source.column`."),
        key("at", Shape::Positions, "The part by first and last character."),
        key(
            "match",
            Shape::Text,
            "A pattern of the whole: `?` one character, `*` any text, `( )` the part that is kept.",
        ),
        key("map", Shape::TextsByName, "Values, each with those of `from` that mean it."),
        key("else", Shape::Text, "The value of all others; without it they are refused."),
    ],
);

pub const AGREEMENT: Block = Block {
    noun: "an agreement",
    doc: "One fact as two sources hold it.",
    keys: &[
        key(
            "facts",
            Shape::Operations(Kind::Derivation),
            "Two derivations of the same outcome.",
        ),
        key("columns", Shape::Texts, "Two columns of the same fact, as `source.column`."),
        key("within", Shape::Number, "How far apart two numbers may lie; 0 by default."),
        key(
            "tolerate",
            Shape::Count,
            "How many patients may disagree before the study is refused; 0 by default.",
        ),
    ],
    operation: None,
    one_of: &["facts", "columns"],
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

pub const COHORT: Block = Block {
    noun: "a cohort",
    doc: "Subjects under one definition.",
    keys: &[
        key("from", Shape::Text, "The source whose rows are the cohort's."),
        key("of", Shape::Text, "The cohort of which this one is a part."),
        key(
            "role",
            Shape::Word(&["base"]),
            "`base`: joined and filtered once, then divided.",
        ),
        key("join", Shape::Joins, "Other sources, joined by id."),
        key(
            "subject",
            Shape::Text,
            "Column of the patient, when rows are finer than patients.",
        ),
        key("site", Shape::Text, "Column of the hospital."),
        key("rater", Shape::Text, "Column of whoever drew or read the images."),
        key(
            "time",
            Shape::Block(&INTERVAL),
            "How far apart imaging and outcome may lie.",
        ),
        key(
            "same_as",
            Shape::TextMap,
            "Patients who are known by another id: theirs, and the one that counts.",
        ),
        key(
            "include",
            Shape::Blocks(&RULE),
            "Rules that a row must meet, each with a reason.",
        ),
        key(
            "exclude",
            Shape::Blocks(&RULE),
            "Rules that remove a row, each with a reason.",
        ),
        key(
            "sealed",
            Shape::Truth,
            "Whether its outcomes stay unread until the model is frozen.",
        ),
        key(
            "relation",
            Shape::Text,
            "How it relates to the development cohort, in words.",
        ),
        key(
            "map",
            Shape::Named(&COLUMN_MAP),
            "Where the predictors of a source are found in this cohort, by source.",
        ),
        key(
            "failed_at_most",
            Shape::Count,
            "How many rows may fail to be measured before the run fails.",
        ),
    ],
    operation: None,
    one_of: &["from", "of"],
};

pub const RULE: Block = block(
    "a rule",
    "A condition on a row.",
    &[
        required("rule", Shape::Text, "The condition, such as `clinic.age >= 18`."),
        required("reason", Shape::Text, "Why, as in the flow diagram."),
    ],
);

pub const INTERVAL: Block = block(
    "`time`",
    "How far apart imaging and outcome may lie.",
    &[
        required("imaging", Shape::Text, "Column of the day of imaging (YYYY-MM-DD)."),
        required("outcome", Shape::Text, "Column of the day of the outcome."),
        required("at_most", Shape::Text, "The longest interval, such as `30 days`."),
    ],
);

pub const COLUMN_MAP: Block = block(
    "a column map",
    "Where the predictors of a source are found in this cohort.",
    &[
        required("from", Shape::Text, "The source of this cohort that holds them."),
        key(
            "columns",
            Shape::NamedTextOr(&MAPPED),
            "By column (`*` stands for any text): its name there. Others have the same name.",
        ),
    ],
);

pub const MAPPED: Block = block(
    "a mapped column",
    "What a column is called, and how its values are converted.",
    &[
        required(
            "column",
            Shape::Text,
            "Its name; `*` is what the `*` of the other name is.",
        ),
        key("times", Shape::Number, "Factor on its values."),
        key("add", Shape::Number, "What is added, after the factor."),
    ],
);

pub const OUTCOME: Block = Block {
    noun: "an outcome",
    doc: "What is predicted: a label and one derivation, or several in order of precedence.",
    keys: &[
        required("label", Shape::Text, "As on the report."),
        key(
            "first_of",
            Shape::Operations(Kind::Derivation),
            "Several derivations; the first that knows a patient counts.",
        ),
        key(
            "on_conflict",
            Shape::Word(&["first", "missing", "refuse"]),
            "When two that know a patient disagree; each is counted.",
        ),
        key(
            "missing",
            Shape::Word(&["exclude", "refuse"]),
            "When nothing is known of a patient.",
        ),
        key(
            "role",
            Shape::Word(&["primary", "sensitivity", "control"]),
            "The first is primary by default.",
        ),
    ],
    operation: Some(Kind::Derivation),
    one_of: &[],
};

pub const PREDICTOR: Block = Block {
    noun: "a block of predictors",
    doc: "Predictors from one source.",
    keys: &[
        key("columns", Shape::Block(&COLUMNS), "Columns of a table."),
        key("images", Shape::Block(&MEASURED), "Features of regions in images."),
        key("clinical", Shape::Block(&CLINICAL), "Clinical columns of a table."),
        key(
            "steps",
            Shape::Operations(Kind::TableStep),
            "Steps on the whole block, before any split. Fitted ones leak and are refused.",
        ),
    ],
    operation: None,
    one_of: &["columns", "images", "clinical"],
};

/// When a predictor is known.
pub const KNOWN: &[&str] =
    &["before imaging", "with imaging", "with tissue", "after outcome", "never at use"];

const KNOWN_DOC: &str =
    "When its values are known; `never at use` keeps it out of frozen models.";

pub const COLUMNS: Block = block(
    "`columns`",
    "Columns of one or several tables; `*` stands for any text.",
    &[
        required(
            "from",
            Shape::TextOrTexts,
            "The tables, or `derive` for derived columns.",
        ),
        key("include", Shape::Texts, "Columns that enter; all but the id by default."),
        key("except", Shape::Texts, "Columns that do not."),
        key("known", Shape::Word(KNOWN), KNOWN_DOC),
    ],
);

pub const CLINICAL: Block = block(
    "`clinical`",
    "Clinical columns of a table.",
    &[
        required("from", Shape::Text, "The table."),
        required("columns", Shape::Texts, "The columns."),
        key("known", Shape::Word(KNOWN), KNOWN_DOC),
    ],
);

pub const MODEL: Block = block(
    "a model",
    "Which blocks enter together.",
    &[
        required("blocks", Shape::Texts, "The blocks."),
        key("forced", Shape::Texts, "Blocks whose columns no selector may drop."),
        key(
            "role",
            Shape::Word(&["primary", "sensitivity", "control"]),
            "`control`: what something other than the predictors of interest achieves.",
        ),
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
        key("outcomes", Shape::Texts, "Which outcomes; all by default."),
        key(
            "splits",
            Shape::Word(&["shared"]),
            "`shared`: the same splits for every outcome, which then must be known alike.",
        ),
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
            "fallback",
            Shape::Word(&["none", "naive"]),
            "`naive`: the prevalence is predicted where the choice does no better on inner folds, or no candidate has a score.",
        ),
        key(
            "threshold",
            Shape::Block(&THRESHOLD),
            "The rule for decisions. There is no default.",
        ),
        key(
            "within",
            Shape::Text,
            "A column: the AUROC is also measured over pairs within its values.",
        ),
        key(
            "decision_range",
            Shape::Range,
            "Thresholds that a clinician would consider.",
        ),
        key(
            "target_prevalence",
            Shape::NumberOr(&TARGET_PREVALENCE),
            "The share with the outcome among those whom the model is meant for: predictive values are told for it too.",
        ),
        key(
            "subgroups",
            Shape::Blocks(&SUBGROUP),
            "Groups in which it is measured as well.",
        ),
        key(
            "compare",
            Shape::Blocks(&COMPARE),
            "Models compared on identical splits, with a direction.",
        ),
        key(
            "controls",
            Shape::Block(&CONTROLS),
            "What chance and simple columns achieve.",
        ),
        key(
            "learning_curve",
            Shape::Block(&LEARNING_CURVE),
            "What the procedure achieves with fewer patients. Drawn unless said otherwise.",
        ),
        key(
            "claims",
            Shape::Blocks(&CLAIM),
            "What would count as success, stated before the first result.",
        ),
    ],
);

pub const TARGET_PREVALENCE: Block = block(
    "`target_prevalence`",
    "The share with the outcome among those whom the model is meant for.",
    &[
        required("is", Shape::Number, "The share, above 0 and under 1."),
        key("from", Shape::Text, "Where it is known from, in words."),
    ],
);

pub const SUBGROUP: Block = block(
    "a subgroup",
    "Groups by a column.",
    &[
        required("by", Shape::Text, "The column."),
        key("cut", Shape::Numbers, "Where a column of numbers is cut."),
        key(
            "minimum_events",
            Shape::Count,
            "Groups with fewer of a class get no estimate; 10 or more, 10 by default.",
        ),
    ],
);

pub const COMPARE: Block = block(
    "a comparison",
    "Two models, or how many comparisons are allowed for.",
    &[
        key("better", Shape::Text, "The model that is expected to be better."),
        key("than", Shape::Text, "The other."),
        key(
            "multiplicity",
            Shape::Word(&["holm", "none"]),
            "For all pairs; `holm` by default.",
        ),
    ],
);

pub const CONTROLS: Block = block(
    "`controls`",
    "What chance and simple columns achieve.",
    &[
        key(
            "permuted_outcome",
            Shape::Block(&PERMUTED),
            "The whole pipeline on shuffled outcomes.",
        ),
        key(
            "columns_only",
            Shape::TextsByName,
            "Models of these columns alone, by name.",
        ),
        key(
            "added",
            Shape::Block(&ADDED),
            "Controls that readers will ask for are added by themselves; here is said why not.",
        ),
    ],
);

pub const ADDED: Block = block(
    "`added`",
    "Why no controls are added.",
    &[required("none", Shape::Text, "The reason, which the report gives.")],
);

pub const PERMUTED: Block = Block {
    noun: "`permuted_outcome`",
    doc: "The whole pipeline on shuffled outcomes.",
    keys: &[
        key("times", Shape::Count, "How often."),
        key("none", Shape::Text, "Why it is not done; the report gives the reason."),
        key("within", Shape::Text, "A column within whose values outcomes are shuffled."),
        key(
            "repeats",
            Shape::Count,
            "Repeats of the scheme in each run, and in what it is compared with; 1 by default.",
        ),
    ],
    operation: None,
    one_of: &["times", "none"],
};

pub const LEARNING_CURVE: Block = block(
    "`learning_curve`",
    "What the whole procedure achieves when it learns from fewer patients, judged on the same held-out \
     rows.",
    &[
        key(
            "fractions",
            Shape::Numbers,
            "Ascending shares of the training patients, each between 0 and 1; 0.25, 0.5 and 0.75 by \
             default. All of them are the analysis itself.",
        ),
        key(
            "repeats",
            Shape::Count,
            "On the outer splits of so many repeats of the first scheme; 1 by default.",
        ),
        key("none", Shape::Text, "Why it is not drawn; the report gives the reason."),
    ],
);

pub const CLAIM: Block = block(
    "a claim",
    "What would count as success.",
    &[
        required(
            "that",
            Shape::Text,
            "A condition on results, such as `auroc.development.lower > 0.6`.",
        ),
        key("as", Shape::Text, "In words."),
    ],
);

pub const GOVERNANCE: Block = block(
    "`governance`",
    "Under which terms the data are used.",
    &[
        key(
            "public",
            Shape::Truth,
            "Whether all data are public. Where they are not, the report hides small counts and \
             whatever would give them away, and draws smooth curves.",
        ),
        key(
            "smallest_cell",
            Shape::Count,
            "The smallest count of patients that the report of data that are not public may show: 2 \
             or more, 5 unless said. Terms of use often name it.",
        ),
        key("terms", Shape::Text, "The terms."),
        key("ethics", Shape::Text, "Committee and number."),
        key("consent", Shape::Text, "How patients consented."),
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
        key(
            "frozen_for",
            Shape::Texts,
            "External cohorts to which the frozen threshold is applied; all by default.",
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
