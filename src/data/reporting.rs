//! The author's half of a report: which fields there are, what was said in them, and whether that
//! counts as said.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::placeholder::placeholder;

/// A field of `reporting:`. `*` in its path stands for the name of a cohort or the number of an item.
pub struct Field {
    pub path: &'static str,
    pub form: Form,
    /// A shorter text counts as missing.
    pub min_words: usize,
    /// Whether `none: <reason>` or `not_done: <reason>` is an answer.
    pub negatives: bool,
    pub doc: &'static str,
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    /// A text or several.
    List,
    Truth,
    /// A place on the web or a DOI.
    Url,
    Word(&'static [&'static str]),
    /// A map of dates: year, year and month, or day.
    Dates(&'static [&'static str]),
    /// A list of maps with these keys.
    Rows(&'static [&'static str]),
    /// A map of texts under names of the author's choice.
    ByName,
    /// One or several of these words.
    Words(&'static [&'static str]),
    /// A text or a number, for one item of a list.
    Item,
    /// A map by question, each with one of these words as its answer and why.
    Answers {
        to: &'static [&'static str],
        words: &'static [&'static str],
    },
}

/// The signalling questions of PROBAST+AI: of development and of evaluation, by domain.
pub const QUESTIONS: &[&str] = &[
    "D1_1", "D1_2", "D1_3", "D2_1", "D2_2", "D2_3", "D2_4", "D3_1", "D3_2", "D3_3",
    "D3_4", "D4_1", "D4_2", "D4_3", "D4_4", "D4_5", "E1_1", "E1_2", "E1_3", "E2_1",
    "E2_2", "E2_3", "E2_4", "E3_1", "E3_2", "E3_3", "E3_4", "E4_1", "E4_2", "E4_3",
    "E4_4", "E4_5", "E4_6", "E4_7",
];

/// Yes, probably yes, probably no, no, no information, not applicable.
pub const ANSWERS: &[&str] = &["Y", "PY", "PN", "N", "NI", "NA"];

const DESIGNS: &[&str] = &[
    "retrospective cohort",
    "prospective cohort",
    "registry",
    "trial",
    "case-control",
    "cross-sectional",
    "public collection",
];

/// Kinds of images.
const MODALITIES: &[&str] = &[
    "CT",
    "PET",
    "SPECT",
    "MRI",
    "DWI",
    "ultrasound",
    "radiography",
    "mammography",
    "other",
];

const fn text(path: &'static str, min_words: usize, doc: &'static str) -> Field {
    Field { path, form: Form::Text, min_words, negatives: false, doc }
}

/// A text instead of which "none" or "not done" can be said with a reason.
const fn or_none(path: &'static str, min_words: usize, doc: &'static str) -> Field {
    Field { path, form: Form::Text, min_words, negatives: true, doc }
}

const fn of(path: &'static str, form: Form, doc: &'static str) -> Field {
    Field { path, form, min_words: 0, negatives: false, doc }
}

/// Every field in reading order.
pub const FIELDS: &[Field] = &[
    text("title", 6, "Title of the report; that of the study by default."),
    of("keywords", Form::List, "Three keywords or more."),
    text("abstract.background", 15, "Care context and why a model is wanted."),
    text("abstract.objectives", 8, "What was to be found out."),
    text("abstract.conclusion", 15, "The overall interpretation."),
    text("context.clinical_problem", 30, "The clinical problem."),
    text("context.rationale", 20, "Why a radiomic model."),
    Field {
        path: "context.existing_models",
        form: Form::Rows(&["name", "doi"]),
        min_words: 0,
        negatives: true,
        doc: "Models that exist.",
    },
    text("context.target_population", 0, "For whom the model is meant."),
    text("context.intended_use", 0, "What the model is for."),
    text("context.care_pathway", 0, "Its place in the care pathway."),
    of("context.intended_users", Form::List, "Who will use it."),
    or_none(
        "context.health_inequalities",
        0,
        "Known inequalities between groups of patients.",
    ),
    text("objectives", 12, "The objectives of the study."),
    of("cohorts.*.design", Form::Word(DESIGNS), "Design of the cohort."),
    text("cohorts.*.rationale", 0, "Why these data."),
    text("cohorts.*.representativeness", 12, "Whom they stand for."),
    text("cohorts.*.setting", 0, "Setting, number and place of the centres."),
    of(
        "cohorts.*.dates",
        Form::Dates(&["start", "end", "follow_up_end"]),
        "First and last date of accrual, end of follow-up.",
    ),
    text(
        "cohorts.*.eligibility",
        0,
        "Criteria applied before the data reached this program.",
    ),
    of(
        "cohorts.*.sampling",
        Form::Word(&["consecutive", "random", "convenience", "unknown"]),
        "How subjects were sampled.",
    ),
    Field {
        path: "cohorts.*.screened",
        form: Form::Rows(&["label", "n", "reason"]),
        min_words: 0,
        negatives: true,
        doc: "Numbers before the data reached this program.",
    },
    or_none("cohorts.*.overlap", 0, "Whether any case was published before."),
    text("cohorts.*.differences", 0, "How it differs from the development cohort."),
    or_none("treatments", 0, "Treatments received and how they were handled."),
    text("data_quality", 0, "Quality checks, and whether alike across groups."),
    text("outcome.definition", 12, "Definition of the outcome."),
    or_none("outcome.assay", 0, "How it was assayed."),
    text("outcome.rationale", 0, "Why this outcome."),
    text("outcome.consistency", 0, "Whether assessed alike across groups."),
    text("outcome.interval", 0, "Time between image and reference standard."),
    of("outcome.subjective", Form::Truth, "Whether assessment needs judgement."),
    text("outcome.assessors", 0, "Who assessed it."),
    or_none("outcome.blinding", 0, "What the assessors were blinded to."),
    text("outcome.limitations", 0, "Limits of the reference standard."),
    text("outcome.tissue", 0, "Specimens and their handling."),
    text("predictors.choice", 0, "How the starting set of predictors was chosen."),
    text("predictors.timing", 0, "When predictors were measured."),
    or_none("predictors.blinding", 0, "What their assessors were blinded to."),
    text("predictors.clinical_definitions", 0, "Definition of clinical predictors."),
    text("segmentation.method", 0, "Manual, semi-automatic or automatic; registration."),
    of("segmentation.automatic", Form::Truth, "Whether contours are fully automatic."),
    text("segmentation.software", 0, "Software and version."),
    text("segmentation.rules", 0, "Rules of contouring."),
    or_none("segmentation.readers", 0, "Number and experience of readers."),
    text("segmentation.image", 0, "The image on which contours were drawn."),
    or_none("segmentation.reliability", 0, "Agreement within and between readers."),
    or_none("segmentation.auto_accuracy", 0, "Accuracy of automatic contours."),
    or_none("segmentation.test_mask_origin", 0, "Who contoured the test cases."),
    of("imaging.modality", Form::Words(MODALITIES), "Kinds of the images."),
    text("imaging.protocol", 0, "Acquisition parameters."),
    or_none("imaging.protocol_standard", 0, "Standard that the protocol follows."),
    text("imaging.preprocessing", 0, "Preprocessing of the images."),
    or_none("imaging.resampling", 0, "Interpolator and voxel size."),
    or_none("imaging.discretisation_rationale", 0, "Why these bins."),
    or_none("imaging.filters", 0, "Image types and filters."),
    text("imaging.extraction_notes", 0, "Software, version and settings."),
    or_none("imaging.phantom", 0, "Phantom study."),
    or_none("imaging.test_retest", 0, "Features of repeated scans compared."),
    or_none("imaging.dl_robustness", 0, "Consistency of a deep pipeline."),
    Field {
        path: "imaging.ibsi.*",
        form: Form::Item,
        min_words: 0,
        negatives: true,
        doc: "Items of the IBSI list by number: one, several or a range (`2a-2c, 11`).",
    },
    or_none("sample_size.justification", 15, "Why there are enough patients."),
    text("missing_data.reasons", 0, "Why values are missing."),
    of(
        "missing_data.assumption",
        Form::Word(&["MCAR", "MAR", "MNAR", "unknown"]),
        "What is assumed of missing values.",
    ),
    text("analysis.model_rationale", 0, "Why these models."),
    text("analysis.heterogeneity", 0, "How differences between centres were handled."),
    text("analysis.metric_rationale", 0, "Why these measures."),
    text("analysis.imbalance_rationale", 0, "Why classes were weighted or resampled."),
    or_none("analysis.confounders", 0, "Confounders looked for and handled."),
    text("analysis.bias", 0, "Sources of bias."),
    text("threshold.rationale", 0, "Why this threshold."),
    or_none("fairness.approach", 0, "Approach to fairness and why."),
    or_none("ethics.committee", 0, "Ethics committee."),
    text("ethics.reference", 0, "Its reference."),
    or_none("ethics.consent", 0, "Consent procedure or waiver."),
    or_none("ethics.data_protection", 0, "How data are protected."),
    or_none("funding.source", 0, "Source of funding."),
    or_none("funding.role", 0, "Role of the funders."),
    or_none("conflicts", 0, "Conflicts of interest of all authors."),
    Field {
        path: "protocol",
        form: Form::Url,
        min_words: 0,
        negatives: true,
        doc: "Where the protocol is.",
    },
    or_none("registration.registry", 0, "Registry."),
    or_none("registration.id", 0, "Number in it."),
    or_none("availability.data", 0, "Where the data are."),
    or_none("availability.images", 0, "Where the images are."),
    or_none("availability.masks", 0, "Where the contours are."),
    or_none("availability.features", 0, "Where the feature table is."),
    or_none("availability.code", 0, "Where the code is."),
    or_none("availability.model", 0, "Where the model is."),
    or_none("availability.tool", 0, "A tool that can be used."),
    or_none("ppi", 0, "Patient and public involvement."),
    text("discussion.interpretation", 0, "What the results mean."),
    text("discussion.fairness", 0, "What they mean for groups of patients."),
    text("discussion.comparison", 0, "Comparison with earlier work."),
    text("discussion.implications", 0, "What follows for practice."),
    of("discussion.strengths", Form::List, "Strengths."),
    of("discussion.limitations", Form::List, "Limitations."),
    text("discussion.next_steps", 0, "Next steps."),
    or_none("discussion.cost", 0, "Cost and benefit."),
    or_none("discussion.failure_modes", 0, "Where the model fails."),
    or_none("discussion.biology", 0, "Biological meaning."),
    or_none("discussion.explanation_evaluation", 0, "How explanations were judged."),
    or_none("discussion.real_world", 0, "Use in practice."),
    text("usability.poor_input", 0, "How poor input is recognised and handled."),
    text("usability.interaction", 0, "How users interact with it."),
    text("usability.expertise", 0, "Expertise that use needs."),
    or_none("usability.study", 0, "Study of its use."),
    or_none("usability.monitoring", 0, "How it is watched."),
    or_none("usability.updating", 0, "How it is updated."),
    or_none("usability.automation", 0, "How far it acts by itself."),
    or_none("usability.qms", 0, "Quality management."),
    or_none("usability.regulatory", 0, "Regulatory status."),
    or_none("usability.market", 0, "Availability."),
    of(
        "deviations",
        Form::Rows(&["what", "path", "when", "why"]),
        "Departures from the plan; `when`: before data, after data before results, after results; \
         `path`: the setting of a locked protocol that it is about.",
    ),
    text("appraisal.probast.assessor", 0, "Who judged the risk of bias."),
    text("appraisal.probast.date", 0, "When."),
    of(
        "appraisal.probast.answers",
        Form::Answers { to: QUESTIONS, words: ANSWERS },
        "Answers of the assessor by signalling question.",
    ),
];

/// The field of a path, whose cohort or item stands as `*`.
pub fn field(path: &str) -> Option<&'static Field> {
    let general = generalised(path);
    FIELDS.iter().find(|field| field.path == general)
}

/// `cohorts.here.design` → `cohorts.*.design`.
pub fn generalised(path: &str) -> String {
    match path.split('.').collect::<Vec<_>>().as_slice() {
        ["cohorts", _, rest @ ..] if !rest.is_empty() => {
            format!("cohorts.*.{}", rest.join("."))
        }
        ["imaging", "ibsi", _] => "imaging.ibsi.*".to_string(),
        _ => path.to_string(),
    }
}

/// The names that answer nothing in a field: its own, and in a text those of the fields beside it.
fn names_about<'p>(path: &'p str, stated: &Stated) -> Vec<&'p str> {
    let general = generalised(path);
    // The field alone, and with its group: `committee`, `ethics.committee`.
    let mut names = vec![path, path.rsplit('.').next().unwrap_or(path)];
    if matches!(stated, Stated::Text(_) | Stated::Not(_)) {
        let group_of =
            |path: &str| path.rsplit_once('.').map(|(group, _)| group.to_string());
        let beside =
            FIELDS.iter().filter(|field| group_of(field.path) == group_of(&general));
        names.extend(beside.filter_map(|field| field.path.rsplit('.').next()));
    }
    names
}

/// Whether a cell is a word that says of one thing that there is none, or that it is not known.
fn is_word(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    ["none", "no", "yes", "unknown", "na", "n/a", "not applicable"]
        .contains(&text.as_str())
}

/// What an author said, by field such as `context.intended_use` or `cohorts.here.design`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reporting {
    pub fields: BTreeMap<String, Stated>,
}

/// What stands in a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stated {
    Text(String),
    List(Vec<String>),
    Truth(bool),
    Rows(Vec<BTreeMap<String, String>>),
    ByName(BTreeMap<String, String>),
    /// Said not to be there or not to have been done, and why.
    Not(String),
}

/// Whether a field counts as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Given,
    /// Said not to have been done, with a reason.
    Declared,
    Absent,
    /// There, but nothing that says anything; why.
    Empty(String),
}

impl Reporting {
    /// What stands at a path, or the "none" that was said of the whole group that it belongs to.
    pub fn at(&self, path: &str) -> Option<&Stated> {
        self.fields.get(self.place(path)?)
    }

    /// Where that stands: the path itself or the group.
    pub fn place<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.fields.contains_key(path) {
            return Some(path);
        }
        let mut group = path;
        while let Some((above, _)) = group.rsplit_once('.') {
            if let Some(Stated::Not(_)) = self.fields.get(above) {
                return Some(above);
            }
            group = above;
        }
        None
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        match self.at(path)? {
            Stated::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn answer(&self, path: &str) -> Answer {
        let Some(stated) = self.at(path) else { return Answer::Absent };
        let known = field(path);
        // A word of a closed list says what it says, also where it is "unknown".
        let of_list = match stated {
            Stated::Text(_) => known.is_some_and(|of| matches!(of.form, Form::Word(_))),
            Stated::List(_) => known.is_some_and(|of| matches!(of.form, Form::Words(_))),
            _ => false,
        };
        if of_list {
            return Answer::Given;
        }
        let min_words = known.map_or(0, |field| field.min_words);
        let names = names_about(path, stated);
        let open = |text: &str| placeholder(text, &names);
        let texts: Vec<&str> = match stated {
            Stated::Not(reason) => {
                return match open(reason) {
                    Some(_) => Answer::Empty("no reason is given".to_string()),
                    None => Answer::Declared,
                };
            }
            Stated::Truth(_) => return Answer::Given,
            Stated::Text(text) => vec![text],
            Stated::List(texts) => texts.iter().map(String::as_str).collect(),
            Stated::Rows(rows) => {
                rows.iter().flat_map(|row| row.values().map(String::as_str)).collect()
            }
            Stated::ByName(texts) => texts.values().map(String::as_str).collect(),
        };
        let said: Vec<&&str> = texts.iter().filter(|text| open(text).is_none()).collect();
        // One of a list that was left open leaves the list open. In a cell a word such as "unknown" may
        // be the answer beside others.
        let unfinished = match stated {
            Stated::Rows(_) => {
                texts.iter().find(|text| open(text).is_some() && !is_word(text))
            }
            _ => texts.iter().find(|text| open(text).is_some()),
        };
        if said.is_empty() || unfinished.is_some() {
            let found = unfinished.or(texts.first()).and_then(|text| open(text));
            let found = found.filter(|found| found.chars().any(char::is_alphanumeric));
            return Answer::Empty(match found {
                Some(found) => format!("a placeholder stands there: “{found}”"),
                None => "a placeholder stands there".to_string(),
            });
        }
        if let (Some(Form::Dates(_)), Stated::Rows(rows)) =
            (known.map(|f| f.form), stated)
        {
            let lacking = ["start", "end"]
                .into_iter()
                .find(|key| rows.iter().all(|row| !row.contains_key(*key)));
            if let Some(key) = lacking {
                return Answer::Empty(format!("`{key}` is not written"));
            }
        }
        if path == "keywords" && said.len() < 3 {
            return Answer::Empty(format!("{} of at least 3", said.len()));
        }
        let words: usize = said.iter().map(|text| text.split_whitespace().count()).sum();
        match words < min_words {
            true => Answer::Empty(format!("{words} of at least {min_words} words")),
            false => Answer::Given,
        }
    }

    /// Every text with the field that it stands in.
    pub fn texts(&self) -> Vec<(&str, &str)> {
        let mut texts = Vec::new();
        for (path, stated) in &self.fields {
            match stated {
                Stated::Text(text) | Stated::Not(text) => {
                    texts.push((path.as_str(), text.as_str()));
                }
                Stated::List(list) => {
                    texts.extend(list.iter().map(|text| (path.as_str(), text.as_str())));
                }
                Stated::Rows(rows) => {
                    let cells = rows.iter().flat_map(BTreeMap::values);
                    texts.extend(cells.map(|text| (path.as_str(), text.as_str())));
                }
                Stated::ByName(of) => {
                    texts.extend(of.values().map(|text| (path.as_str(), text.as_str())));
                }
                Stated::Truth(_) => {}
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(path: &str, stated: Stated) -> Reporting {
        Reporting { fields: [(path.to_string(), stated)].into() }
    }

    #[test]
    fn paths_are_unique_and_found_for_each_cohort() {
        let mut paths: Vec<&str> = FIELDS.iter().map(|field| field.path).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(field("cohorts.here.design").is_some());
        assert!(field("cohorts.here").is_none() && field("cohort.here.design").is_none());
    }

    #[test]
    fn placeholders_short_texts_and_reasons() {
        let text = |text: &str| Stated::Text(text.to_string());
        for empty in [
            "TBD",
            "n/a",
            "...",
            "lorem ipsum dolor",
            "xxx",
            "Intended use",
            "care_pathway",
        ] {
            let answer =
                with("context.intended_use", text(empty)).answer("context.intended_use");
            assert!(matches!(answer, Answer::Empty(_)), "{empty}");
        }
        let open = with("funding.source", text("Funded by XX")).answer("funding.source");
        assert_eq!(open, Answer::Empty("a placeholder stands there: “XX”".to_string()));
        let dots = with("ppi", text("...")).answer("ppi");
        assert_eq!(dots, Answer::Empty("a placeholder stands there".to_string()));
        let list = Stated::List(vec!["images".to_string()]);
        assert_eq!(
            with("context.intended_users", list).answer("context.intended_users"),
            Answer::Given
        );
        let short = with("objectives", text("four words are few")).answer("objectives");
        assert_eq!(short, Answer::Empty("4 of at least 12 words".to_string()));
        assert_eq!(Reporting::default().answer("objectives"), Answer::Absent);
        let group = with("funding", Stated::Not("no funds were received".to_string()));
        assert_eq!(group.answer("funding.role"), Answer::Declared);
        assert_eq!(group.answer("ppi"), Answer::Absent);
        let bare = with("ppi", Stated::Not("N/A".to_string())).answer("ppi");
        assert!(matches!(bare, Answer::Empty(_)));
        let two = Stated::List(vec!["one".to_string(), "two".to_string()]);
        assert!(matches!(with("keywords", two).answer("keywords"), Answer::Empty(_)));
    }
}
