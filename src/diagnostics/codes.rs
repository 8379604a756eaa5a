//! The list of all codes, in order. A code is never reused and never changes its meaning.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A stable code such as `E0102`; `--explain` and the book have a page for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = String::deserialize(from)?;
        let known = explain(&code).map(|explained| explained.code);
        known.ok_or_else(|| D::Error::custom(format!("there is no code `{code}`")))
    }
}

/// What one code means.
#[derive(Debug)]
pub struct Explained {
    pub code: Code,
    /// A few words: the heading of its page.
    pub title: &'static str,
    /// Why it is wrong and what to do, in one or two sentences.
    pub text: &'static str,
}

/// The explanation of a code, if there is such a code.
pub fn explain(code: &str) -> Option<&'static Explained> {
    CODES.iter().find(|explained| explained.code.0.eq_ignore_ascii_case(code))
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal $text:literal;)*) => {
        impl Code { $(#[doc = $title] pub const $name: Self = Self($code);)* }
        /// Every code there is, in order.
        pub const CODES: &[Explained] = &[
            $(Explained { code: Code::$name, title: $title, text: $text },)*
        ];
    };
}

// A macro because each code is both a constant and a row of the list, and they must not drift.
codes! {
    NOT_YAML "E0001" "not YAML"
        "The text cannot be read as YAML. The place is where the reader stopped; the mistake may stand just before it.";
    DUPLICATE_KEY "E0002" "a key given twice"
        "A map holds one value per key, and a list of alternatives each of them once. Remove one of the two.";
    TOO_LARGE "E0003" "more than a study can hold"
        "Aliases that multiply, or nesting without end, are refused before they fill the memory. Write the values out.";
    UNKNOWN_KEY "E0101" "an unknown key"
        "No such key is read here, so what stands under it would have no effect.";
    MISSING_KEY "E0102" "a key is missing"
        "Something that has no default was not given.";
    WRONG_TYPE "E0103" "a value of the wrong type"
        "Another kind of value is needed here: text, a number, a list or a map.";
    OUT_OF_RANGE "E0104" "a value out of range"
        "The parameter's range is stated in its documentation; `restudy ops NAME` prints it.";
    UNKNOWN_NAME "E0105" "an unknown name"
        "The name of an operation, source, cohort, outcome, predictor block or model that does not exist.";
    WRONG_KIND "E0106" "an operation in the wrong place"
        "The operation exists but does another kind of work than this place needs.";
    NO_GRID "E0107" "a list where there is no grid"
        "Only tunable parameters take a list of alternatives, and only in `prepare`, `select` and `learn`.";
    VERSION "E0108" "an unknown version of the language"
        "This program reads studies that begin with `restudy: 1`.";
    TEXT_NEEDED "E0109" "text is needed"
        "Ids and category values are always text; YAML reads an unquoted 02 as a number and NO as a boolean. Put it in quotes.";
    NEEDS_STEP "E0110" "an operation that cannot work here"
        "The operation needs something that no earlier step provides.";
    RULE "E0111" "a rule that cannot be read"
        "Rules compare columns: `site == '02'`, `clinic.age >= 18`, `grade in ['II', 'III']`, `x is missing`, joined by `and`, `or`, `not`.";
    NO_EFFECT "E0112" "a parameter without effect"
        "Beside the other parameters this one changes nothing: it belongs to another value of one of them, or one is missing. Leave it out, or write what it belongs to.";
    LEAK "E0201" "a leak"
        "Held-out rows would be judged by something that has already seen them. The path through the study is printed.";
    SEALED "E0202" "a sealed cohort that would be opened too early"
        "The outcomes of a sealed cohort are read once, by a model that was frozen before. No scheme may train on it.";
    NEVER_AT_USE "E0203" "a predictor that is never known at use"
        "A model that is meant to be used cannot rest on what nobody knows by then. As a control it may stand beside it.";
    FILE "E0301" "a file that cannot be read"
        "The file is missing, not readable or not what the source says it is.";
    TABLE "E0302" "a table that cannot be understood"
        "The rows of a table do not have the shape that its head promises.";
    UNKNOWN_COLUMN "E0303" "an unknown column"
        "The table has no column of this name.";
    DUPLICATE_ID "E0304" "an id given twice"
        "A table holds one row per id, unless the cohort says which column is the subject.";
    NO_MATCH "E0305" "a join that matches nothing"
        "The ids of two sources never meet. Often one has a prefix, leading zeros or another spelling.";
    EMPTY_COHORT "E0306" "an empty cohort"
        "No subject is left.";
    NOT_A_NUMBER "E0307" "text where numbers are needed"
        "A predictor column must hold numbers or be empty.";
    ONE_CLASS "E0308" "one class only"
        "Every subject has the same outcome, so nothing can be learned or measured.";
    TOO_FEW "E0309" "more folds than patients of a class"
        "Each fold needs at least one patient of each class on either side.";
    OUTCOME_VALUE "E0310" "an outcome value that was not declared"
        "A binary outcome has a positive value and, when more than two values occur, a declared negative one.";
    NOT_ASSAYED "E0311" "nobody says who was assayed"
        "A patient without a row in a mutation file is wild type only if that patient was sequenced at all.";
    NO_IMAGES "E0312" "no images found"
        "The path pattern matches no file under the root.";
    UNMAPPED "E0313" "a value that nobody mapped"
        "A column with declared categories holds something else. Each spelling is mapped, or all others are said to mean something.";
    NO_PART "E0314" "an id without the part that was asked for"
        "The pattern or the positions do not fit every id.";
    SEVERAL_SAMPLES "E0315" "several samples of one patient"
        "A primary tumour and a recurrence may differ. Which sample counts is the author's decision.";
    OVERLAP "E0316" "a patient in two cohorts"
        "A cohort on which a model is judged shares nobody with those on which it was developed.";
    DISAGREEMENT "E0317" "sources that disagree"
        "Two sources hold the same fact of the same patient differently. `tolerate` says how many such patients are accepted.";
    RESTATES "E0318" "a predictor that restates the outcome"
        "Up to the names of its values the column is the outcome itself. Leave it out. The same is said of \
         a covariate of a harmonising step: what it explains is kept in held-out rows too, and with it \
         their outcome; and of a batch of which each value has one class: held-out rows would be moved by \
         their own outcome.";
    NO_PREDICTOR "E0319" "a cohort that lacks a predictor"
        "A model can only be applied where all its predictors are. `map` in the cohort says under which name.";
    UNHARMONISED "E0320" "batches or covariates that cannot be harmonised"
        "A harmonising step needs a value in every row, at least two batches that many patients share, two training rows of each in every split, and covariates that vary within batches. What names patients is neither batch nor covariate, and a column that is harmonised is no covariate.";
    NEVER_FITTED "E0321" "a setting that training sets are too small for"
        "Some settings need so many training rows, or so many patients of each class. The splits are known before anything runs: where no outer split has an inner training set of that size, the setting is never chosen. Inner training sets count, as a candidate is chosen by its scores on all inner splits.";
    NO_VALUE "E0322" "a column without a value where one is needed"
        "Nothing can be learned or imputed of a column that holds no value for any patient who is analysed. Correct its name or the table, or leave it out; `drop_missing` leaves out columns that are nearly empty.";
    UNFILLED "E0323" "missing values that nothing fills"
        "Most learners and selectors refuse missing values, so where no step fills them nothing is fitted, and what is chosen may be the prevalence alone. Place `impute_median` before the first step that compares columns or rows, or leave such columns or patients out. The steps of the study are followed on the rows of every split: a column that a step drops is not counted.";
    FEW_PER_FOLD "W0401" "few patients per fold"
        "Estimates from a handful of patients are wide; the report prints the intervals.";
    UNMATCHED "W0402" "ids without a partner"
        "Some subjects of one source are missing from another and leave the cohort; the flow diagram counts them.";
    NEARLY_RESTATES "W0403" "a predictor that nearly restates the outcome"
        "Such a column often holds the outcome in other words, or something that is known only after it. Say when it is known, or leave it out.";
    KNOWN_LATE "W0404" "a predictor that may be known only after the fact"
        "A model that uses what is known later than the moment of its use cannot be used. Say `known:`.";
    CONFOUNDED "W0405" "an outcome that goes with the site"
        "Where sites or archives differ in the outcome, a model may learn the site. Controls and performance within strata stand beside the headline.";
    COLLAPSED "W0406" "rows that stand twice"
        "Rows that are equal in every cell are taken once.";
    CONFLICT "W0407" "assays that disagree"
        "Two derivations of one outcome know the same patient differently; the rule that decides is stated.";
    UNCONTROLLED "W0408" "a control that readers will ask for"
        "What site, stratum, volume or clinical predictors alone achieve, on the same splits, shows how much of a result is theirs. Such models are added by themselves; the warning appears where `controls: { added: { none: REASON } }` says that they are not, or a cohort does not hold what they look at. The whole procedure on permuted outcomes is never added, as it costs too much. The hint has the lines to add.";
    VALUELESS "W0409" "columns without a value"
        "A column that a pattern meets and that holds no value on any row of its source can be no predictor and is left out. Named in full it stays, for a step that drops it or fails on it. In another cohort such a column is filled throughout with what was learned in development.";
    UNSEEN_BATCH "W0410" "batches that training rows do not hold"
        "What a harmonising step learns of a batch it cannot know of another. With `unseen: refuse` such a split has no result; say what a batch means that was not met in training.";
    FEW_PERMUTATIONS "W0411" "too few permutations to tell"
        "The p of m permutations is (b + 1) / (m + 1), b being those that come out at least as well, so below 20 permutations it is never below 0.05: the report can say neither that permuted outcomes bear a result out nor that they do not.";
    PARTLY_HARMONISED "W0412" "splits on which a harmonising step fails"
        "Some training sets hold too few rows of a batch, or some held-out rows a value that training rows do not have. Such a split has no result. Leave small batches out or join them.";
    PARTLY_FITTED "W0413" "a setting that some training sets are too small for"
        "Where an inner training set of an outer split has fewer rows than a setting needs, the setting has no score there and another is chosen. It competes in the other outer splits alone.";
    KEEPS_ALL "W0414" "a selector that leaves no column out"
        "A selector that is told to keep more columns than reach it keeps them all, and several such settings are one candidate under several names. Columns are counted before steps that drop some by what they hold, so there may be fewer still. Of a lasso or an elastic net, columns that never enter are left out all the same.";
    PARTLY_FILLED "W0415" "missing values on some splits or in another cohort"
        "On some training sets a step has no value to learn from, or a missing value reaches what refuses it. What is fitted there has no result; in the other splits it has. A frozen model meets the missing values of another cohort with what it learned: where nothing fills them, that cohort may have no result at all.";
    NO_GROUPS "W0416" "a column that makes no groups to compare"
        "Patients are compared within values of a column that several patients of both classes share. One value for all divides nobody, nor does a column without any: the other results are not touched. A number or a name has a value for each. Numbers become groups by `cut:`, spellings and rare values by `derive:`.";
    SHIFTED "W0417" "another cohort whose values are not those of development"
        "Most values lie outside of all that development holds, or are categories that it does not have. Often the unit, the software or the spelling differs, and then a frozen model computes something, but nothing that means anything. `map` takes a factor and a summand; `columns: { NAME: { map: … } }` of a source renames categories.";
    MISSPELT "W0418" "a rule with a value in another spelling"
        "Rules compare text exactly. The column holds the value in other letters, or with other spaces or signs, and such rows are neither included nor excluded by this rule.";
    MISSING_CODE "W0419" "a number that may stand for a missing value"
        "Numbers such as -999 are often written where nothing is known. Taken for values they move means, scales and models. `columns: { NAME: { missing: ['-999'] } }` in the source says what they are; where it is a value, nothing need be done.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ordered() {
        let mut seen = std::collections::BTreeSet::new();
        for explained in CODES {
            assert!(seen.insert(explained.code), "{} stands twice", explained.code.0);
            assert!(!explained.text.is_empty() && !explained.title.ends_with('.'));
        }
    }
}
