//! Where the author's text contradicts the run. Words are searched for, so a denial beside them
//! ("no external validation") is none of them; what cannot be decided from the run is a warning.
//! What words a text says is asked of `wording`, what numbers it has of `typed`.

use super::attribution::{is_of_instruments, is_of_others, is_supposed, told_of_others};
use super::deviations::{late, misdated};
use super::evidence::weights_classes;
use super::finding::{associated, telling_control};
use super::ibsi;
use super::places::{Place, parts, places};
use super::sample_size::per_candidate;
use super::shown::plain;
use super::standards::{Item, Standard, standards};
use super::standing::{Standing, all, alone, headline, label, primary, same_question};
use super::superiority;
use super::typed::{MUTATIONS, Measure, Typed, What, typed};
use super::wording::{Phrases, is, says, sentences, statements, thought, words};
use crate::data::{
    AnalysisRecord, CohortFacts, ConflictFacts, Count, Known, Stated, StudyRecord,
    generalised,
};

/// One check: its name, the items that it puts into question, what it finds, and what mends it where that
/// does not follow from what is found.
struct Check {
    name: &'static str,
    remedy: &'static str,
    items: &'static [&'static str],
    find: fn(&StudyRecord) -> Vec<(String, String)>,
    level: &'static str,
}

/// It puts into question whatever asks for the field in which the number stands.
const NUMBERS: &str = "a number typed by hand";

const CHECKS: &[Check] = &[
    Check {
        name: "external validation",
        remedy: "call it internal validation, or declare a cohort of another institution or source",
        items: &["tripod_ai 1", "tripod_ai 2", "clear 38"],
        find: external,
        level: "conflict",
    },
    Check {
        name: "prospective",
        remedy: "leave the word out, or mend the design of the cohort",
        items: &["tripod_ai 1", "tripod_ai 2", "tripod_ai 5a"],
        find: prospective,
        level: "conflict",
    },
    Check {
        name: "protocol",
        remedy: "",
        items: &["tripod_ai 18c", "tripod_ai 18d"],
        find: protocol,
        level: "warning",
    },
    Check {
        name: "threshold declared beforehand",
        remedy: "say when and why it was changed",
        items: &["tripod_ai 15"],
        find: threshold,
        level: "conflict",
    },
    Check {
        name: "time of a deviation",
        remedy: "mend its `when`",
        items: &["tripod_ai 18c"],
        find: dated,
        level: "conflict",
    },
    Check {
        name: "no deviation",
        remedy: "name the deviation with its reason",
        items: &["tripod_ai 18c"],
        find: no_deviation,
        level: "conflict",
    },
    Check {
        name: "no missing data",
        remedy: "tell how many values are missing and what was done about them",
        items: &["tripod_ai 11", "clear 29"],
        find: no_missing,
        level: "conflict",
    },
    Check {
        name: "multicentre",
        remedy: "name the one centre, or declare the column of the centres",
        items: &["tripod_ai 6a"],
        find: multicentre,
        level: "conflict",
    },
    Check {
        name: "test data used once",
        remedy: "say how many models met it",
        items: &["clear 38"],
        find: used_once,
        level: "conflict",
    },
    Check {
        name: NUMBERS,
        remedy: "",
        items: &[],
        find: wrong_numbers,
        level: "conflict",
    },
    Check {
        name: NUMBERS,
        remedy: "",
        items: &[],
        find: typed_numbers,
        level: "warning",
    },
    Check {
        name: "setting of imaging",
        remedy: "",
        items: &[],
        find: other_setting,
        level: "warning",
    },
    Check {
        name: "superior",
        remedy: "tell the difference with its interval instead",
        items: &["tripod_ai 25", "clear 41"],
        find: superior,
        level: "conflict",
    },
    Check {
        name: "validated",
        remedy: "tell the AUROC with its interval instead",
        items: &["tripod_ai 25", "tripod_ai 2"],
        find: validated,
        level: "conflict",
    },
    Check {
        name: "well calibrated",
        remedy: "tell slope and intercept with their intervals instead",
        items: &["tripod_ai 25", "clear 40"],
        find: calibrated,
        level: "conflict",
    },
    Check {
        name: "generalises",
        remedy: "say where the model was judged, and how well",
        items: &["tripod_ai 25", "tripod_ai 26"],
        find: generalises,
        level: "conflict",
    },
];

/// Everything that is found.
pub fn conflicts(record: &StudyRecord) -> Vec<ConflictFacts> {
    found(record, CHECKS)
}

/// What some checks find, two halves at a time.
fn found(record: &StudyRecord, checks: &[Check]) -> Vec<ConflictFacts> {
    let check = match checks {
        [] => return Vec::new(),
        [check] => check,
        several => {
            let (first, second) = several.split_at(several.len() / 2);
            let (mut all, more) =
                rayon::join(|| found(record, first), || found(record, second));
            all.extend(more);
            return all;
        }
    };
    let found = (check.find)(record).into_iter();
    let facts = found.map(|(field, text)| ConflictFacts {
        check: check.name.to_string(),
        items: match (check.name, check.level) {
            (NUMBERS, "conflict") => asking_for(&field),
            _ => check.items.iter().map(|item| item.to_string()).collect(),
        },
        field,
        text: match check.remedy {
            "" => text,
            remedy => format!("{text}; {remedy}"),
        },
        level: check.level.to_string(),
    });
    facts.collect()
}

/// The items of completeness that ask for a field of the author's half.
fn asking_for(field: &str) -> Vec<String> {
    let path = generalised(field.strip_prefix("reporting.").unwrap_or(field));
    let of = |standard: &'static Standard| {
        let complete = standard.items.iter().filter(|item| item.weight.is_none());
        let asks = |item: &&Item| item.author.iter().any(|wanted| wanted.field == path);
        complete.filter(asks).map(|item| format!("{} {}", standard.name, item.item))
    };
    standards()
        .iter()
        .filter(|standard| standard.name != ibsi::NAME)
        .flat_map(of)
        .collect()
}

/// The texts of the author with their fields, the study's title among them.
fn texts(record: &StudyRecord) -> Vec<(String, String)> {
    let mut texts = vec![("title".to_string(), record.study.title.clone())];
    let said = record.reporting.texts().into_iter();
    texts.extend(
        said.map(|(field, text)| (format!("reporting.{field}"), text.to_string())),
    );
    texts
}

/// Those of title and abstract.
fn first_texts(record: &StudyRecord) -> Vec<(String, String)> {
    let mut texts = texts(record);
    texts.retain(|(field, _)| {
        ["title", "reporting.title"].contains(&field.as_str())
            || field.starts_with("reporting.abstract.")
    });
    texts
}

/// Those that tell what the study found: not what it aims at, nor what is to be done next.
fn findings(record: &StudyRecord) -> Vec<(String, String)> {
    const AIMS: [&str; 2] = ["reporting.objectives", "reporting.abstract.objectives"];
    let mut texts = texts(record);
    texts.retain(|(field, _)| !AIMS.contains(&field.as_str()) && !is_to_come(field));
    texts
}

fn is_to_come(field: &str) -> bool {
    field == "reporting.discussion.next_steps"
}

/// Whether a field speaks of what others found.
fn about_others(field: &str) -> bool {
    ["reporting.abstract.background", "reporting.discussion.comparison"].contains(&field)
        || field.starts_with("reporting.context.")
}

/// The texts that say one of these phrases of this study, in their own words. `theirs`: whether a field
/// speaks of others unless it says that it does not. `but`: what the run says instead of the places that
/// are spoken of, if it says something else.
fn saying_of(
    record: &StudyRecord,
    texts: Vec<(String, String)>,
    phrases: Phrases<'_>,
    theirs: fn(&str) -> bool,
    but: impl Fn(&[Place]) -> Option<String>,
) -> Vec<(String, String)> {
    let of = |(field, text): (String, String)| {
        let there = theirs(&field);
        let (said, why) = statements(&text).into_iter().find_map(|sentence| {
            let words = words(sentence);
            let mut every = phrases.every(&words).into_iter();
            let found = every.find(|at| !told_of_others(&words, at, there))?;
            let near = places(record, thought(&words, &found));
            let of = if near.is_empty() { places(record, &words) } else { near };
            Some((quoted(sentence), but(&of)?))
        })?;
        let text = format!("`{field}` says “{said}”, and {why}");
        Some((field, text))
    };
    texts.into_iter().filter_map(of).collect()
}

/// A sentence in one line, as a message quotes it.
fn quoted(sentence: &str) -> String {
    sentence.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same where the run says one thing of all places.
fn saying(
    record: &StudyRecord,
    texts: Vec<(String, String)>,
    phrases: Phrases<'_>,
    but: impl Fn() -> String,
) -> Vec<(String, String)> {
    saying_of(record, texts, phrases, about_others, |_| Some(but()))
}

/// Whether an analysis was judged in one of the places; in any where none is named.
fn is_in(places: &[Place], analysis: &AnalysisRecord) -> bool {
    places.is_empty() || places.iter().any(|place| place.holds(analysis))
}

const EXTERNAL: Phrases<'static> = Phrases::new(&[
    "external validation|evaluation|patients|performance|auc|auroc",
    "external cohort*|test*|data*|set*|institution*|hospital*|cent*",
    "externally validate|validates|validated|evaluate|evaluated|tested",
    "validated|evaluated|tested ~2 externally",
    "independent external|validation|cohort*|institution*|hospital*|cent*",
    "outside institution*|hospital*|cohort*|data*|patients|sample*|cent*",
    "cohort|patients ~ different hospital|institution",
    "validat*|test*|evaluat*|appli*|perform*|reproduc*|replicat*|confirm*|held ~ another|second|different|separate|outside|unrelated|other ~1 institution*|hospital*|cent*|clinic|clinics|country",
    "one|single ~1 institution|hospital|centre|center|site ~ validat*|test*|evaluat* ~1 another|second|other",
    "another|second|different|separate|outside|unrelated ~1 institution|hospital|centre|center|clinic ~ validat*|test*|evaluat*|replicat*|confirm*",
]);

fn external(record: &StudyRecord) -> Vec<(String, String)> {
    let standings: Vec<Standing> =
        all(record).map(|(_, analysis)| Standing::of(record, analysis)).collect();
    if standings.contains(&Standing::External) {
        return Vec::new();
    }
    // Where the model met held-out rows of the same source, no text may call those external.
    let same_source = standings
        .iter()
        .any(|standing| matches!(standing, Standing::OtherSites | Standing::HeldBack));
    let but = match same_source {
        true => "the other cohort is of the same source",
        false => "no cohort of this study is external",
    };
    let mut texts = texts(record);
    texts.retain(|(field, _)| !is_to_come(field));
    saying(record, texts, EXTERNAL, || but.to_string())
}

fn prospective(record: &StudyRecord) -> Vec<(String, String)> {
    let designs: Vec<&str> = record
        .reporting
        .fields
        .iter()
        .filter(|(field, _)| field.ends_with(".design"))
        .filter_map(|(_, stated)| match stated {
            Stated::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let backward =
        ["retrospective cohort", "public collection", "registry", "case-control"];
    if designs.is_empty() || !designs.iter().all(|design| backward.contains(design)) {
        return Vec::new();
    }
    // What is prospective has to be this study: its patients, its data or itself.
    let phrases = Phrases::new(&[
        "prospective ~2 study|cohort*|trial*|design|registry|data|validation|evaluation|analysis|investigation|enrolment|enrollment|recruitment|collection|sample|series",
        "prospectively ~2 enrol*|collect*|recruit*|includ*|acquir*|gather*|validat*|evaluat*|test*|follow*|scan*|imag*|assess*|stud*|register*",
        "enrolled|enroled|collected|recruited|included|acquired|gathered|validated|evaluated|tested|followed|scanned|imaged|assessed|studied ~2 prospectively",
        "study|cohort|trial|design|collection was|is|were prospective",
    ]);
    // "Prospectively collected data were analysed retrospectively" says what the design is.
    const BACKWARD: Phrases<'static> = Phrases::new(&[
        "retrospective ~1 study|analysis|design|review|cohort|evaluation",
        "analysed|analyzed|reviewed|evaluated|studied|examined ~1 retrospectively",
        "retrospectively analysed|analyzed|reviewed|evaluated|studied|examined",
    ]);
    let forward = |(field, text): (String, String)| {
        let kept = sentences(&text)
            .into_iter()
            .filter(|sentence| BACKWARD.within(&words(sentence)).is_none());
        (field, kept.collect::<Vec<_>>().join(" "))
    };
    let texts = first_texts(record).into_iter().map(forward).collect();
    saying(record, texts, phrases, || {
        format!("the design of every cohort is {}", designs.join(", "))
    })
}

/// What was decided after the results departs from any plan; and without a stated claim there is no
/// digest that a registry could hold.
fn protocol(record: &StudyRecord) -> Vec<(String, String)> {
    let cited: Vec<&str> = ["protocol", "registration.id"]
        .into_iter()
        .filter(|field| record.reporting.text(field).is_some())
        .collect();
    let locked = record.protocol.as_ref();
    let why = match late(record).next() {
        Some((_, late)) => {
            format!("after the results the study departed from it: {late}")
        }
        None if locked.is_some_and(|of| of.locked == Known::AfterResults) => {
            "the protocol was locked when results were known".to_string()
        }
        None if record.claims.is_empty() && locked.is_none() => {
            "the study states no claim whose digest could have been registered, and no protocol was \
             locked"
                .to_string()
        }
        None => return Vec::new(),
    };
    cited
        .into_iter()
        .map(|field| {
            let text = format!("`reporting.{field}` cites a plan, and {why}");
            (format!("reporting.{field}"), text)
        })
        .collect()
}

const BEFOREHAND: &[&str] = &[
    "declared beforehand",
    "pre declared",
    "predeclared",
    "pre specified",
    "prespecified",
    "defined beforehand",
    "chosen beforehand",
    "fixed beforehand",
    "a priori",
    "in advance",
    "before the results",
    "before evaluation",
];

fn threshold(record: &StudyRecord) -> Vec<(String, String)> {
    let Some(said) = record.reporting.text("threshold.rationale") else {
        return Vec::new();
    };
    let is_of_threshold = |(path, what): &(Option<&str>, String)| match path {
        Some(path) => path.starts_with("evaluate.threshold"),
        None => words(what).iter().any(|word| is(word, "threshold*")),
    };
    let moved = late(record).find(is_of_threshold).filter(|_| says(said, BEFOREHAND));
    let Some((_, moved)) = moved else { return Vec::new() };
    let field = "reporting.threshold.rationale".to_string();
    let text = format!(
        "`{field}` says that the threshold was declared beforehand, and it was changed after the \
         results: {moved}"
    );
    vec![(field, text)]
}

/// What an author says of when a change came, against what the lock file knows.
fn dated(record: &StudyRecord) -> Vec<(String, String)> {
    let of = misdated(record).map(|(said, path)| {
        let when = said.when.as_deref().unwrap_or_default();
        let text = format!(
            "`reporting.deviations` says that `{path}` was changed {when}, and a run was first asked \
             for its value when results were known"
        );
        ("reporting.deviations".to_string(), text)
    });
    of.collect()
}

/// That nothing departed from the plan, where something did.
fn no_deviation(record: &StudyRecord) -> Vec<(String, String)> {
    let mut found = record.protocol.iter().flat_map(|of| &of.differences);
    let departed = match (found.next(), record.deviations.first()) {
        (Some(of), _) => format!("`{}` differs from the locked protocol", of.path),
        (None, Some(of)) => format!("`reporting.deviations` tells one: {}", of.what),
        (None, None) => return Vec::new(),
    };
    let says_none = |text: &str| {
        statements(text).into_iter().find_map(|sentence| {
            let words = words(sentence);
            let none = !is_of_others(&words, false) && denies_departure(&words);
            none.then(|| quoted(sentence))
        })
    };
    let of = |(field, text): (String, String)| {
        let said = says_none(&text)?;
        let why = format!("`{field}` says “{said}”, and {departed}");
        Some((field, why))
    };
    texts(record).into_iter().filter_map(of).collect()
}

/// As in "no deviations from the protocol", "the analysis did not depart from the plan", "the protocol
/// was followed".
fn denies_departure(words: &[String]) -> bool {
    const PLANS: [&str; 5] = ["protocol*", "plan", "plans", "prespecified", "preregist*"];
    const NONE: [&str; 6] = ["no", "not", "without", "never", "nor", "none"];
    const KEPT: Phrases<'static> = Phrases::new(&[
        "followed ~ protocol",
        "followed ~ plan",
        "adhered to ~ protocol",
        "adhered to ~ plan",
        "protocol was followed",
        "plan was followed",
        "accordance with ~ protocol",
        "according to ~ protocol",
    ]);
    // A protocol of imaging is another one.
    const OTHER: [&str; 6] =
        ["imag*", "acquisition", "scan*", "mri", "segmentation", "sequenc*"];
    let any = |of: &[&str]| words.iter().any(|word| of.iter().any(|one| is(word, one)));
    if !any(&PLANS) || any(&OTHER) {
        return false;
    }
    let denied = words.iter().enumerate().any(|(at, word)| {
        let departs = is(word, "deviat*") || is(word, "depart*");
        let before = &words[at.saturating_sub(4)..at];
        let none = before.iter().any(|word| NONE.contains(&word.as_str()));
        departs && none && before.last().is_none_or(|word| word != "standard")
    });
    denied || KEPT.within(words).is_some()
}

fn no_missing(record: &StudyRecord) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (field, text) in texts(record) {
        let gaps = statements(&text).into_iter().find_map(|sentence| {
            let words = words(sentence);
            let (cells, n) =
                says_complete(&words).then(|| gaps_of(record, &words)).flatten()?;
            Some((quoted(sentence), cells, n))
        });
        let Some((said, cells, n)) = gaps else { continue };
        let predictors = if n == 1 { "predictor" } else { "predictors" };
        let why =
            format!("`{field}` says “{said}”, and {cells} cells of {n} {predictors} are");
        found.push((field, why));
    }
    found
}

/// Whether a sentence says that the values of predictors are all there.
fn says_complete(words: &[String]) -> bool {
    const COMPLETE: Phrases<'static> = Phrases {
        any_of: &[
            "complete cases",
            "complete data",
            "data were complete",
            "data are complete",
            "dataset was complete",
            "dataset is complete",
            "table was complete",
            "table is complete",
            "missing|incomplete data|values|cells|entries did|were|was no|not ~1 occur|present|found|seen|encountered|observed",
        ],
        but_before: &["follow", "were", "that"],
        but_behind: &["not", "whom", "only", "requir*", "need*", "with"],
        ..Phrases::new(&[])
    };
    // Of whom the outcome is missing is another matter.
    const OTHER: [&str; 5] = ["outcome*", "label*", "follow", "image*", "scan*"];
    const GAPS: [&str; 3] = ["missing", "missingness", "gaps"];
    const NONE: [&str; 4] = ["no", "none", "nothing", "without"];
    let none = words.iter().enumerate().any(|(at, word)| {
        let of = words.get(at + 1).map_or("", String::as_str);
        GAPS.contains(&word.as_str())
            && !OTHER.iter().any(|other| is(of, other))
            && words[at.saturating_sub(5)..at].iter().enumerate().any(|(back, before)| {
                // "No data were missing", "none of the values was missing", "no missing values".
                let between = &words[at.saturating_sub(5) + back + 1..at];
                // "No predictor had missing values".
                const GLUE: &str = "data|value|values|were|was|is|are|of|the|predictor*|variable*|feature*|column*|patient|patients|subject|subjects|case|cases|had|has|have|contained|any|single";
                NONE.contains(&before.as_str())
                    && between.iter().all(|word| is(word, GLUE))
            })
    });
    none || COMPLETE.within(words).is_some()
}

/// Missing cells and predictors with some: of those that the sentence names, of all where it names none.
fn gaps_of(record: &StudyRecord, words: &[String]) -> Option<(usize, usize)> {
    let columns = || record.predictors.iter().flat_map(|block| &block.columns);
    let is_named = |name: &str| {
        let name = parts(name);
        words.windows(name.len().max(1)).any(|at| at == name.as_slice())
    };
    let any = columns().any(|column| is_named(&column.name));
    let (n, cells) = columns()
        .filter(|column| !any || is_named(&column.name))
        // A hidden count is not 0.
        .filter(|column| column.missing != 0)
        .fold((0, 0), |(n, cells), column| {
            (n + 1, cells + column.missing.known().unwrap_or(0))
        });
    (n > 0).then_some((cells, n))
}

fn multicentre(record: &StudyRecord) -> Vec<(String, String)> {
    let known: Vec<usize> = record.cohorts.iter().filter_map(|c| c.n_sites).collect();
    // Cohorts of one centre each are two centres where they are of different ones.
    let elsewhere =
        all(record).any(|(_, of)| Standing::of(record, of) == Standing::External);
    if known.is_empty() || known.iter().any(|n| *n > 1) || elsewhere {
        return Vec::new();
    }
    let phrases = Phrases::new(&[
        "multicentre",
        "multicenter",
        "multi centre",
        "multi center",
        "multicentric",
        "multi institutional",
        "multiinstitutional",
        "several|multiple|different centres|centers|hospitals|institutions",
        "two|three|four centres|centers|hospitals|institutions",
    ]);
    let mut texts = texts(record);
    texts.retain(|(field, _)| !is_to_come(field));
    // The background tells of this study as well: "a multicentre study".
    saying_of(
        record,
        texts,
        phrases,
        |_| false,
        |_| Some("every cohort has one centre".to_string()),
    )
}

/// Controls that the engine adds are no use that the author made of the cohort.
fn used_once(record: &StudyRecord) -> Vec<(String, String)> {
    // By cohort: models that the study names, and controls that were added.
    let mut met: Vec<(&str, usize, usize)> = Vec::new();
    for (_, analysis) in all(record).filter(|(_, analysis)| analysis.kind == "external") {
        let added = usize::from(analysis.added.is_some());
        match met.iter_mut().find(|(cohort, ..)| *cohort == analysis.cohort) {
            Some((_, named, controls)) => {
                *named += 1 - added;
                *controls += added;
            }
            None => met.push((&analysis.cohort, 1 - added, added)),
        }
    }
    let Some((cohort, n, added)) = met.into_iter().find(|(_, n, _)| *n > 1) else {
        return Vec::new();
    };
    let phrases = Phrases::new(&[
        "used once",
        "used only once",
        "used a single time",
        "evaluated only once",
        "opened only once",
        "tested once",
        "tested only once",
        "touched once",
        "touched only once",
        "accessed once",
        "accessed only once",
        "evaluated once",
        "opened once",
        "single use",
    ]);
    let beside = match added {
        0 => String::new(),
        1 => ", beside 1 control that was added".to_string(),
        added => format!(", beside {added} controls that were added"),
    };
    saying(record, texts(record), phrases, || {
        format!("{n} frozen models of the study met the cohort {cohort}{beside}")
    })
}

/// A number that an author typed.
struct Written {
    field: String,
    sentence: String,
    typed: Typed,
    /// Where its sentence says that it holds; empty where it does not say, or where it has several such
    /// numbers, of which each may be of another place.
    places: Vec<Place>,
    /// The one model that its sentence speaks of, if that is beyond doubt.
    model: Option<String>,
}

impl Written {
    /// Whether a measure is one of the model that the sentence speaks of, if it speaks of one.
    fn is_of_its_model(&self, record: &StudyRecord) -> bool {
        let counts = matches!(self.typed.what, What::Patients | What::Events);
        let model = self.model.as_deref().filter(|_| !counts);
        model.is_none() || has_of(record, &self.typed, &self.places, model)
    }
}

/// Whether a field tells of this study what a run can know: not of others, of images and contours, of
/// patients before they reached the study, or of papers about it.
fn tells_of_the_run(field: &str) -> bool {
    const OTHERS: [&str; 19] = [
        "abstract.background",
        "discussion.comparison",
        "context",
        "imaging",
        "segmentation",
        "outcome.assay",
        "outcome.tissue",
        "treatments",
        "availability",
        "registration",
        "protocol",
        "funding",
        "conflicts",
        "ethics",
        "deviations",
        "appraisal",
        "keywords",
        "ppi",
        "usability.regulatory",
    ];
    let Some(path) = field.strip_prefix("reporting.") else { return field == "title" };
    let under = |of: &&str| {
        path.strip_prefix(*of)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let before = path.starts_with("cohorts.")
        && [".screened", ".overlap", ".dates", ".differences"]
            .iter()
            .any(|end| path.ends_with(end));
    !before && !OTHERS.iter().any(under)
}

/// Whether a field tells of all patients where it counts some. In others a number is of all of them only
/// where its sentence says so.
fn counts_all(field: &str) -> bool {
    ["title", "reporting.title"].contains(&field)
        || ["abstract.", "objectives", "discussion.", "sample_size."].iter().any(|of| {
            field.strip_prefix("reporting.").is_some_and(|path| path.starts_with(of))
        })
}

/// As in "160 patients were included", "n = 160": not of those who were screened.
fn says_whole(words: &[String]) -> bool {
    const WHOLE: &str = "included|analysed|analyzed|studied|enrolled|comprised|comprises|consisted|consists|total|altogether|n";
    const OTHER: &str = "screened|eligible|excluded|identified|approached|whom|which|registry|database|earlier|previous|annually";
    words.iter().any(|word| is(word, WHOLE)) && !words.iter().any(|word| is(word, OTHER))
}

/// The numbers that the author tells of the study. Those of screened patients, of protocols and of other
/// studies are no results.
fn numbers(record: &StudyRecord) -> Vec<Written> {
    let outcome = headline(record).map_or("", |(_, of)| label(record, &of.outcome));
    let mutated = words(outcome).iter().any(|word| word.starts_with("mutat"));
    let events = if mutated { MUTATIONS } else { &[] };
    let texts = texts(record).into_iter().filter(|(field, _)| tells_of_the_run(field));
    let mut models: Vec<String> = Vec::new();
    for analysis in record.analyses.values() {
        if !models.contains(&analysis.model) {
            models.push(analysis.model.clone());
        }
    }
    let mut numbers = Vec::new();
    for (field, text) in texts {
        let planned = field.starts_with("reporting.sample_size.");
        let text = if planned { without_plans(&text) } else { text };
        for (sentence, found) in typed(&text, events) {
            let words = words(&sentence);
            if is_of_others(&words, false) || is_supposed(&words) {
                continue;
            }
            let (of, model) = (spoken_of(record, &words), model_of(&models, &words));
            let instruments = is_of_instruments(&words);
            for typed in &found {
                let counts = matches!(typed.what, What::Patients | What::Events);
                let some = counts && !counts_all(&field) && !says_whole(&words);
                if some || instruments && !counts {
                    continue;
                }
                let alone =
                    found.iter().filter(|one| one.what == typed.what).count() == 1;
                numbers.push(Written {
                    field: field.clone(),
                    sentence: quoted(&sentence.replace('\u{1}', "…")),
                    typed: typed.clone(),
                    places: if alone { of.clone() } else { Vec::new() },
                    model: model.clone().filter(|_| alone),
                });
            }
        }
    }
    numbers
}

/// The model that a sentence speaks of, as in "the radiomics model reached …". None where it compares or
/// combines models, or names one with a further word before it, which may be another model.
fn model_of(models: &[String], said: &[String]) -> Option<String> {
    const OTHERS: [&str; 24] = [
        "and",
        "with",
        "plus",
        "add*",
        "combin*",
        "joint*",
        "together",
        "fus*",
        "than",
        "over",
        "versus",
        "vs",
        "compar*",
        "against",
        "beyond",
        "outperform*",
        "exceed*",
        "surpass*",
        "superior*",
        "inferior*",
        "unlike",
        "while",
        "whereas",
        "other",
    ];
    const NAMING: [&str; 9] =
        ["the", "a", "our", "this", "final", "frozen", "of", "by", "for"];
    if said.iter().any(|word| OTHERS.iter().any(|other| is(word, other))) {
        return None;
    }
    let mut named = superiority::named(said, models);
    named.dedup_by(|one, other| one.1 == other.1);
    let [(at, model)] = named.as_slice() else { return None };
    let behind = said.get(at + parts(model.strip_suffix("_only").unwrap_or(model)).len());
    let is_model = behind
        .is_some_and(|word| ["model", "signature", "alone"].contains(&word.as_str()));
    let first = at.checked_sub(1).map(|before| said[before].as_str());
    (is_model && first.is_none_or(|word| NAMING.contains(&word))).then(|| model.clone())
}

/// Every place that a sentence may speak of, the more the less certain it is.
fn spoken_of(record: &StudyRecord, said: &[String]) -> Vec<Place> {
    const OUTSIDE: [&str; 6] =
        ["external*", "outside", "elsewhere", "validat*", "test*", "unseen"];
    const INSIDE: [&str; 5] = ["internal*", "cross", "develop*", "train*", "derivation"];
    let mut of = places(record, said);
    if of.is_empty() {
        return of;
    }
    for (stems, place) in [(&OUTSIDE[..], Place::Outside), (&INSIDE[..], Place::Inside)] {
        // The name of a cohort may hold such a word itself.
        let named = |word: &String| {
            of.iter().any(|place| match place {
                Place::Cohort(name) => parts(name).contains(word),
                _ => false,
            })
        };
        let says = said.iter().enumerate().any(|(at, word)| {
            // A cross-validation is no validation elsewhere.
            let inside =
                at > 0 && (said[at - 1] == "cross" || is(&said[at - 1], "internal*"));
            stems.iter().any(|stem| is(word, stem)) && !named(word) && !inside
        });
        if says && !of.contains(&place) {
            of.push(place);
        }
    }
    of
}

/// A text without the sentences of a calculation: what is assumed there is no result.
fn without_plans(text: &str) -> String {
    const PLANS: [&str; 6] =
        ["assum*", "expect*", "anticipat*", "need*", "requir*", "recommend*"];
    let kept = sentences(text).into_iter().filter(|sentence| {
        let words = words(sentence);
        !words.iter().any(|word| PLANS.iter().any(|plan| is(word, plan)))
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// Whether the record has that number in one of the places, rounded as it was written; in any where none
/// is named.
fn has(record: &StudyRecord, typed: &Typed, places: &[Place]) -> bool {
    has_of(record, typed, places, None)
}

/// The same of one model; counts are those of every model.
fn has_of(
    record: &StudyRecord,
    typed: &Typed,
    places: &[Place],
    model: Option<&str>,
) -> bool {
    let analyses = || {
        let there = record.analyses.values().filter(|of| is_in(places, of));
        there.filter(|of| model.is_none_or(|model| of.model == model))
    };
    match typed.what {
        What::Measure(measure) | What::IntervalOf(measure) => {
            let results = results(analyses(), measure);
            // Nothing can be held against a place that was not measured.
            let nothing = (!places.is_empty() || model.is_some()) && results.is_empty();
            nothing
                || is_coarse(record, measure)
                || results.into_iter().any(|found| match found {
                    Found { estimate: Some(value), .. } if typed.numbers.len() == 1 => {
                        typed.numbers[0].is(value)
                    }
                    Found { ends: Some((lower, upper)), .. }
                        if typed.numbers.len() == 2 =>
                    {
                        typed.numbers[0].is(lower) && typed.numbers[1].is(upper)
                    }
                    _ => false,
                })
        }
        What::Patients => {
            let judged: Vec<&str> = analyses().map(|of| of.cohort.as_str()).collect();
            // What the others are divided from is part of each.
            let there = |cohort: &&CohortFacts| {
                places.is_empty() || cohort.base || judged.contains(&cohort.name.as_str())
            };
            let cohorts = || record.cohorts.iter().filter(there);
            let flow = cohorts().flat_map(|cohort| &cohort.flow);
            let mut known: Vec<Count> = flow.flat_map(|b| [b.n_in, b.n_out]).collect();
            known.extend(cohorts().flat_map(|c| [c.n_rows, c.n_subjects]));
            known.extend(analyses().flat_map(|of| [of.n, of.n_subjects]));
            known.extend(analyses().flat_map(|a| a.sites.iter().map(|site| site.n)));
            let all = record.cohorts.iter().map(|cohort| cohort.n_subjects.known());
            known.extend(all.sum::<Option<usize>>().map(Count::from));
            (!places.is_empty() && judged.is_empty()) || agrees(typed, &known)
        }
        What::Events => {
            let both = analyses().flat_map(|of| [of.n_positive, of.n_positive_subjects]);
            let mut known: Vec<Count> = both.collect();
            let nothing = !places.is_empty() && known.is_empty();
            let judged: Vec<&str> = analyses().map(|of| of.cohort.as_str()).collect();
            let outcomes = record.outcomes.iter().filter(|outcome| {
                places.is_empty() || judged.contains(&outcome.cohort.as_str())
            });
            known.extend(outcomes.map(|outcome| outcome.positive));
            nothing || agrees(typed, &known)
        }
    }
}

/// A value of a measure, its interval, or both.
struct Found {
    estimate: Option<f64>,
    ends: Option<(f64, f64)>,
}

impl Found {
    fn new(estimate: Option<f64>, lower: Option<f64>, upper: Option<f64>) -> Self {
        Self { estimate, ends: lower.zip(upper) }
    }
}

/// Everything that analyses have of a measure: over all rows, within strata, by site and group.
fn results<'r>(
    analyses: impl Iterator<Item = &'r AnalysisRecord>,
    measure: &Measure,
) -> Vec<Found> {
    let mut found = Vec::new();
    for analysis in analyses {
        let own = analysis.performance.get(measure.key).into_iter();
        let within = analysis.within.iter().filter(|_| measure.key == "auroc");
        for of in own.chain(within) {
            found.push(Found::new(Some(of.estimate), of.lower, of.upper));
            let more = of.other_intervals.iter();
            found.extend(more.map(|i| Found::new(None, Some(i.lower), Some(i.upper))));
        }
        if measure.key == "auroc" {
            let sites = analysis.sites.iter();
            found
                .extend(sites.map(|site| Found::new(site.auroc, site.lower, site.upper)));
        }
        for group in &analysis.subgroups {
            if measure.key == "auroc" {
                found.push(Found::new(group.estimate, group.lower, group.upper));
            }
            let of = group.measures.iter().filter(|of| of.metric == measure.key);
            found.extend(of.map(|of| Found::new(of.estimate, of.lower, of.upper)));
        }
        if let Some(alone) = &analysis.prevalence_only {
            found.push(Found::new(
                alone.performance.get(measure.key).copied(),
                None,
                None,
            ));
        }
    }
    found
}

/// Whether values of a measure are hidden or rounded so coarsely that nothing can be held against them:
/// numbers are typed with two decimals or three.
fn is_coarse(record: &StudyRecord, measure: &Measure) -> bool {
    let Some(suppression) = &record.suppression else { return false };
    let hidden = suppression.hidden.iter();
    let coarse = suppression.coarsened.iter().filter(|(_, step)| *step > 0.001);
    let coarse = coarse.map(|(place, _)| place);
    let of = format!("/performance/{}", measure.key);
    hidden.chain(coarse).any(|place| {
        place
            .split_once(&of)
            .is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a number stands among counts. One that may be hidden is not held against the author.
fn agrees(typed: &Typed, known: &[Count]) -> bool {
    let hidden = known.contains(&Count::HIDDEN);
    let n = typed.numbers.first().and_then(|number| number.count());
    hidden || n.is_some_and(|n| known.iter().any(|of| *of == n))
}

/// A number with what it is taken for, and how the result is named instead.
fn told(typed: &Typed) -> (String, String) {
    let written = &typed.written;
    let (what, key, end) = match typed.what {
        What::Measure(of) => (format!("{} of {written}", of.title), of.key, ""),
        What::IntervalOf(of) => {
            (format!("interval of the {}, {written},", of.title), of.key, ".lower")
        }
        What::Patients => (format!("number of patients, {written},"), "n", ""),
        What::Events => (format!("number of events, {written},"), "events", ""),
    };
    (what, format!("`{{{{results.{key}.COHORT{end}}}}}`"))
}

fn wrong_numbers(record: &StudyRecord) -> Vec<(String, String)> {
    let wrong = numbers(record).into_iter().filter_map(|one| {
        let of_its_model = one.is_of_its_model(record);
        let Written { field, sentence, typed, places, model } = one;
        let (what, name) = told(&typed);
        let has_instead = instead(record, &typed, &places, model.as_deref());
        let an = if what.starts_with(['A', 'F', 'a', 'i']) { "an" } else { "a" };
        let why = match (has(record, &typed, &[]), has(record, &typed, &places)) {
            (false, _) => "that no result of this study is".to_string(),
            (true, false) => format!(
                "for {}, and that is a result of another cohort",
                places.iter().map(Place::words).collect::<Vec<_>>().join(" and ")
            ),
            (true, true) if of_its_model => return None,
            (true, true) => format!(
                "for the model {}, and that is a result of another model",
                model.unwrap_or_default()
            ),
        };
        let text = format!(
            "`{field}` has {an} {what} {why}: “{sentence}”{has_instead}; name the result instead, as \
             {name}"
        );
        Some((field, text))
    });
    wrong.collect()
}

/// What the run has where the author typed another number: the first few values of the measure, or the
/// number of patients that the headline rests on. Nothing where it is hidden.
fn instead(
    record: &StudyRecord,
    typed: &Typed,
    places: &[Place],
    model: Option<&str>,
) -> String {
    let there = record
        .analyses
        .values()
        .filter(|of| is_in(places, of) && model.is_none_or(|model| of.model == model));
    let told: Vec<String> = match typed.what {
        What::Measure(measure) => results(there, measure)
            .into_iter()
            .filter_map(|found| Some(plain(found.estimate?, 2)))
            .collect(),
        What::IntervalOf(measure) => results(there, measure)
            .into_iter()
            .filter_map(|found| found.ends)
            .map(|(lower, upper)| format!("{} to {}", plain(lower, 2), plain(upper, 2)))
            .collect(),
        What::Patients => {
            there.filter_map(|of| of.n_subjects.known()).map(|n| n.to_string()).collect()
        }
        What::Events => {
            let n = there.filter_map(|of| of.n_positive_subjects.known());
            n.map(|n| n.to_string()).collect()
        }
    };
    let mut some: Vec<String> = Vec::new();
    for one in told {
        if !some.contains(&one) {
            some.push(one);
        }
    }
    some.truncate(3);
    match some.is_empty() {
        true => String::new(),
        false => format!("; the run has {}", some.join(", ")),
    }
}

fn typed_numbers(record: &StudyRecord) -> Vec<(String, String)> {
    let right = numbers(record).into_iter().filter(|one| {
        has(record, &one.typed, &[])
            && has(record, &one.typed, &one.places)
            && one.is_of_its_model(record)
    });
    right
        .map(|Written { field, typed, .. }| {
            let text = format!(
                "`{field}` has the result {} typed by hand; named as {} it stays right",
                typed.written,
                told(&typed).1
            );
            (field, text)
        })
        .collect()
}

/// What the author tells of a setting of imaging that the run knows with other numbers. Units and words
/// differ, so that it is for the author to see which is right.
fn other_setting(record: &StudyRecord) -> Vec<(String, String)> {
    let numbers = |text: &str| -> Vec<f64> {
        let words = words(&text.replace(['×', '/', '_'], " "));
        words.iter().filter_map(|word| word.parse().ok()).collect()
    };
    let of = |item: &Item| {
        let field = ibsi::field(&item.item);
        let said = record.reporting.text(&field)?;
        let told = ibsi::told(record, &item.item).filter(|told| !told.not_done)?;
        let (typed, known) = (numbers(said), numbers(&told.value));
        let none_alike = !typed.iter().any(|number| known.contains(number));
        (none_alike && !typed.is_empty() && !known.is_empty()).then(|| {
            let text = format!(
                "`reporting.{field}` says “{said}”, and the run tells {} as {}",
                told.what, told.value
            );
            (format!("reporting.{field}"), text)
        })
    };
    ibsi::list().items.iter().filter_map(of).collect()
}

fn superior(record: &StudyRecord) -> Vec<(String, String)> {
    superiority::superior(record, findings(record), about_others)
}

const VALIDATED: Phrases<'static> = Phrases {
    any_of: &[
        "validated",
        "model validates",
        "we ~2 validate ~2 model*|signature*|nomogram*|classifier*",
        "accurately|reliably|robustly|faithfully|dependably|precisely|correctly|confidently predict*|distinguish*|discriminat*|differentiat*|classif*|stratif*|separat*|identif*|detect*|determin*|infer|infers|inferred|captur*|reveal*|recognis*|recogniz*|diagnos*|forecast*|told|tell|tells",
        "predict*|distinguish*|discriminat*|differentiat*|classif*|stratif*|separat*|identif*|detect*|determin*|infer|infers|inferred|captur*|reveal*|recognis*|recogniz*|diagnos*|forecast*|told|tell|tells ~4 accurately|reliably|robustly|faithfully|dependably|precisely|correctly|confidently",
        "predict*|distinguish*|discriminat*|differentiat*|classif*|stratif*|separat*|identif*|detect*|determin*|infer|infers|inferred|captur*|reveal*|recognis*|recogniz*|diagnos*|forecast*|told|tell|tells ~ with high|excellent|great accuracy|reliability|precision",
        "predict*|distinguish*|discriminat*|differentiat*|classif*|stratif*|separat*|identif*|detect*|determin*|infer|infers|inferred|captur*|reveal*|recognis*|recogniz*|diagnos*|forecast*|told|tell|tells ~ from|apart with high|excellent|great accuracy|reliability",
        "allow*|enabl*|permit*|provid*|achiev*|offer*|yield*|afford*|obtain*|gave|gives ~2 reliable|robust|valid|accurate|dependable|trustworthy|faithful ~2 predict*|identif*|discriminat*|differentiat*|classif*|stratif*|detect*|determination|genotyping|typing|grading|characterisation|characterization|assessment|estimation|staging|profiling|separation|distinction|inference|diagnosis",
        "reliable|robust|valid|accurate|dependable|trustworthy|faithful ~2 predict*|identif*|discriminat*|differentiat*|classif*|stratif*|detect*|determination|genotyping|typing|grading|characterisation|characterization|assessment|estimation|staging|profiling|separation|distinction|inference|diagnosis ~7 was|were|is|are|proved achieved|obtained|reached|possible|feasible|attained|provided|shown|demonstrated",
        "perform|performs|performed|work|works|worked|behaves|behaved robustly|reliably|dependably",
        "reliable|robust|valid|accurate|dependable|trustworthy|faithful ~~ biomarker*|marker*|predictor*|classifier*|signature*|nomogram*|model*|tool*|instrument|test|surrogate|alternative|substitute|proxy|method|approach|means|technique|algorithm",
        "reliable|robust|valid|accurate and reliable|robust|valid|accurate ~1 model*|signature*|tool*|biomarker*",
        "results|findings|data|study|work|analysis|analyses|experiments|observations validate|validates ~1 model*|signature*|nomogram*|classifier*|radiomic*|approach|biomarker*|use|score",
        "confirm*|establish*|prove*|demonstrat* ~ validity",
        "confirm*|establish*|prove*|demonstrat*|support* ~1 robustness ~2 model*|signature*|nomogram*|classifier*|performance|results",
        "model*|signature*|nomogram*|classifier*|score ~1 validity|robustness ~ was|is confirmed|demonstrated|shown|proven|established",
        "validity|robustness ~ model*|signature*|nomogram*|classifier*|radiomic*|performance|results ~1 was|is confirmed|demonstrated|shown|proven|established",
        "robust predict*|performance|discrimination",
        "robust and reproducible",
        "performance|results is|was|are|were|proved robust",
        "model|models|signature|signatures|nomogram|classifier|tool|approach|method|algorithm|predictions|prediction|biomarker|radiomics is|was|are|were|proved|remained reliable|robust|valid|accurate|dependable|trustworthy|faithful",
        "model|models|signature|signatures|nomogram|classifier|tool|approach|method|algorithm|predictions|prediction|biomarker|radiomics is|was|are|were|proved|remained highly|very|both|sufficiently|to reliable|robust|valid|accurate|dependable|trustworthy|faithful",
        "model|models|signature|signatures|nomogram|classifier|tool|approach|method|algorithm|predictions|prediction|biomarker|radiomics ~2 to be reliable|robust|valid|accurate|dependable|trustworthy|faithful",
        "validation ~ succe*|confirm*",
        "successful|succeeded ~1 validation",
        "confirmed ~ validation",
    ],
    of: &[
        "model*",
        "signature*",
        "nomogram*",
        "biomarker*|marker*",
        "classifier*",
        "predict*",
        "algorithm*",
        "tool*|approach*|method*|framework*|pipeline*|system*|technique*",
        "radiomic*|radiogenomic*",
        "result*|finding*|performance|hypothes*|association*",
        "it|them|and",
    ],
    // What was validated elsewhere is not the model.
    but_before: &[
        "internally",
        "questionnaire*",
        "instrument*",
        "scale*",
        "software",
        "assay*",
        "kit",
        "kits",
        "antibod*",
        "protocol*",
        "criteria",
        "segmentation|registration|sequencing|reporting|scoring|histolog*|immunohisto*",
        "registry|database|instrument",
    ],
    // Procedures say what they are; they claim nothing of their result.
    but_behind: &[
        "previously",
        "cross",
        "internally",
        "questionnaire*",
        "instrument*",
        "software",
        "assay*",
        "kit",
        "antibod*",
        "protocol*",
        "contour*",
        "segmentation*",
        "annotation*|label*|mask*|measurement*",
        "sequencing|immunohisto*|histolog*|patholog*",
    ],
    ..Phrases::new(&[])
};

fn validated(record: &StudyRecord) -> Vec<(String, String)> {
    let Some((_, of)) = headline(record) else { return Vec::new() };
    saying_of(record, findings(record), VALIDATED, about_others, |places| {
        let mut judged = same_question(record, of).filter(|(_, of)| is_in(places, of));
        judged.find_map(|(name, analysis)| not_above_chance(name, analysis))
    })
}

/// Whether the interval of the AUROC begins at chance or below, in words.
fn not_above_chance(name: &str, analysis: &AnalysisRecord) -> Option<String> {
    let lower = analysis.performance.get("auroc")?.lower?;
    (lower <= 0.5).then(|| {
        format!("the interval of the AUROC of {name} begins at {}", plain(lower, 2))
    })
}

/// What a model foretells, what came, and that they are alike.
const FORETOLD: &str = "predict*|probabilit*|estimated|forecast*|expected|calculated";
const SEEN: &str = "observ*|actual|empirical|true";
const GOOD: &str = "good|excellent|close|strong|high|satisfactory|favourable|favorable|perfect|near|very|adequate|acceptable|great|remarkable";

const CALIBRATED: Phrases<'static> = Phrases {
    any_of: &[
        "well|perfectly|adequately|excellently|properly|nicely|accurately|correctly calibrated",
        "good|excellent ~ and calibration",
        "calibrated well|adequately|excellently|closely",
        "calibration ~ good|excellent agreement",
        "calibration ~ close|near ~ ideal|diagonal|perfect|identity",
        "calibration ~ follow*|hug*|fit|fits|fitted|coincid*|overlap*|align*|lay|lies|track* ~ diagonal|ideal|identity",
        "no|without ~1 departure|deviation ~ perfect|ideal|diagonal",
        "no|without ~1 miscalibration|lack",
        "no|without ~1 evidence|sign|signs|indication of miscalibration",
        "no|without ~1 difference* ~ predicted ~ observed",
        "no|without ~1 difference* ~ observed ~ predicted",
    ],
    nouns: &["calibration"],
    of: &[
        "model*|signature*|nomogram*|classifier*|algorithm*|tool*|approach*|method*",
        "predict*|probabilit*|risk*|score*|output*|estimate*|forecast*",
        "radiomic*|radiogenomic*|it|they|them|and|here|combination|slope|intercept|brier",
    ],
    together: &[
        &[
            GOOD,
            "agreement|concordance|consistency|correspondence|match|fit",
            FORETOLD,
            SEEN,
        ],
        &["agree*|match*|correspond*|coincid*|mirror*|track*", FORETOLD, SEEN],
        &["close|near|similar|identical", "to", FORETOLD, SEEN],
        &["consistent|line|keeping|accordance", "with", FORETOLD, SEEN],
    ],
    // What readers and contours agree in is no calibration.
    but_with: &[
        "reader*|rater*|observer*|contour*|segmentation*|volume*|annotation*|label*|image*|dose*",
        "poor*|worse|weak*|moderate*|limited|lack*",
        "limit",
        "assess*|compar*|evaluat*|measur*|quantif*|examin*|test",
    ],
    but_before: &[
        "scanner*",
        "monitor*",
        "instrument*",
        "camera*",
        "phantom*",
        "device*",
        "error*",
    ],
    but_behind: &["scanner*", "monitor*", "instrument*", "camera*", "phantom*"],
    ..Phrases::new(&[])
};

fn calibrated(record: &StudyRecord) -> Vec<(String, String)> {
    let Some((_, of)) = headline(record) else { return Vec::new() };
    let off = |name: &str, analysis: &AnalysisRecord| {
        let of = [
            ("calibration_slope", "slope", 1.0),
            ("calibration_intercept", "intercept", 0.0),
        ];
        of.into_iter().find_map(|(key, words, right)| {
            let found = analysis.performance.get(key)?;
            let (lower, upper) = (found.lower?, found.upper?);
            (upper < right || lower > right).then(|| {
                format!(
                    "the interval of the calibration {words} of {name}, {} to {}, excludes {right}",
                    plain(lower, 2),
                    plain(upper, 2)
                )
            })
        })
    };
    saying_of(record, findings(record), CALIBRATED, about_others, |places| {
        let mut judged = same_question(record, of).filter(|(_, of)| is_in(places, of));
        judged.find_map(|(name, analysis)| off(name, analysis))
    })
}

const ELSEWHERE: &str = "other|new|unseen|external|another|different|any|across|between|beyond|all|further|independent|most";
const SETTINGS: &str = "hospital*|centre*|center*|scanner*|vendor*|institution*|site|sites|population*|setting*|manufacturer*|patients|cohort*|data|machine*|countr*|clinic|clinics|practice*";

const GENERALISES: Phrases<'static> = Phrases {
    any_of: &[
        "generalised|generalized|generalise|generalize well",
        "generalisable",
        "generalizable",
        "high generalisability|generalizability",
        "transfers|transferred|holds|held|travels|travelled|carries|carried|works|worked ~1 well ~1 across",
        "transfers|transferred|travels|carries|extends ~2 to|into|over other|new|unseen|external|another|different|further",
        "transfers|transferred|travels|travelled ~1 well to",
        "transfers|holds|held ~1 across scanners|sites|centres|centers|hospitals|vendors|institutions",
        "generalise*|generalize* across",
        "generalised|generalized to",
        "transferable|transportable|portable to|across",
    ],
    together: &[&[
        "applicable|applied|valid|transportable|transferable|usable",
        ELSEWHERE,
        SETTINGS,
        "is|are|can",
    ]],
    but_with: &[
        "threshold*|standard*|correction|filter*|harmonis*|harmoniz*|normalis*|normaliz*|step|steps|was|were|consent|ethic*|protocol*",
    ],
    verbs: &["generalise", "generalize"],
    nouns: &["generalisation|generalization"],
    qualities: &["generalisability|generalizability|transportability|transferability"],
    but_before: &[
        "estimating",
        "linear",
        "additive",
        "error*",
        "seizure*",
        "oedema",
        "edema",
    ],
    ..Phrases::new(&[])
};

/// Only patients of elsewhere show that a model holds elsewhere.
fn generalises(record: &StudyRecord) -> Vec<(String, String)> {
    let Some((_, of)) = headline(record) else { return Vec::new() };
    let elsewhere: Vec<_> = same_question(record, of)
        .filter(|(_, of)| {
            use Standing::{External, OtherSites, SiteBySite};
            matches!(Standing::of(record, of), External | OtherSites | SiteBySite)
        })
        .collect();
    saying(record, findings(record), GENERALISES, String::new)
        .into_iter()
        .filter_map(|(field, said)| {
            let but = match elsewhere.as_slice() {
                [] => "it met no patients of another centre or source".to_string(),
                met => met.iter().find_map(|(name, of)| not_above_chance(name, of))?,
            };
            Some((field, format!("{said}{but}")))
        })
        .collect()
}

/// What the run itself shows to limit the study, in words with the places of their numbers: the
/// engine's half of the limitations.
pub fn limits(record: &StudyRecord, shown: &super::shown::Shown) -> Vec<String> {
    let mut limits = Vec::new();
    let Some((name, analysis)) = headline(record) else { return limits };
    let at = super::shown::place(name);
    if let Some(size) = &analysis.sample_size {
        if size.events_per_candidate.is_some_and(|ratio| ratio < 10.0) {
            limits.push(format!(
                "There are {} events (patients of the smaller class) for each candidate predictor \
                 parameter before selection.",
                per_candidate(shown, &format!("{at}/sample_size"), size)
            ));
        }
        if size.needed.is_some_and(|needed| needed > size.n as f64) {
            limits.push(format!(
                "An unpenalised model of all candidates would need {} patients; there are {}.",
                shown.count(&format!("{at}/sample_size/needed")),
                shown.count(&format!("{at}/sample_size/n"))
            ));
        }
    }
    if let Some((name, control)) = telling_control(record, analysis)
        && control.merit() >= analysis.merit()
    {
        limits.push(format!(
            "On the same splits {} alone is no worse than the model: {} {}.",
            super::shown::escape(&alone(control)),
            super::shown::escape(&primary(control)),
            shown.estimate(
                &format!("{}/performance/{}", super::shown::place(name), control.primary),
                2
            )
        ));
    }
    if !all(record).any(|(_, of)| Standing::of(record, of) == Standing::External) {
        limits.push("No cohort of another institution or source was met.".to_string());
    }
    if record.cohorts.iter().all(|cohort| cohort.n_sites.is_none()) {
        limits.push(
            "No cohort names its centres: differences between them are unknown.".into(),
        );
    }
    if let Some(estimate) = analysis.performance.get(&analysis.primary)
        && let (Some(lower), Some(upper)) = (estimate.lower, estimate.upper)
        && upper - lower > 0.2
    {
        limits.push(format!(
            "The interval of the headline is wide: {}.",
            shown.interval(&format!("{at}/performance/{}", analysis.primary), 2)
        ));
    }
    limits.extend(miscalibrated(shown, "Predicted", (name, analysis)));
    for (name, outside) in same_question(record, analysis) {
        if outside.kind == "external" {
            let begins =
                format!("In {} predicted", super::shown::escape(&outside.cohort));
            limits.extend(miscalibrated(shown, &begins, (name, outside)));
        }
    }
    if weights_classes(record) {
        let path = format!("{at}/performance/calibration_intercept");
        let off = match analysis.performance.contains_key("calibration_intercept") {
            true => {
                format!(": the calibration intercept is {}", shown.estimate(&path, 2))
            }
            false => String::new(),
        };
        limits.push(format!(
            "Classes were weighted in fitting, so probabilities answer to the weights and not to the \
             prevalence{off}."
        ));
    }
    if let Some(stability) =
        analysis.selection.as_ref().and_then(|s| s.stability.as_ref())
        && stability.index < 0.75
    {
        limits.push(format!(
            "The fits of different splits chose different columns: stability {}.",
            shown.number(&format!("{at}/selection/stability/index"), 2)
        ));
    }
    if !associated(record, analysis).is_empty() {
        limits.push(
            "The outcome goes with site or stratum, so part of the result may be theirs."
                .to_string(),
        );
    }
    let outside = record.sources.iter().any(|s| s.prepared_outside == Some(true));
    if outside {
        limits.push(
            "Columns were prepared outside of what the proof of no leakage can see."
                .to_string(),
        );
    }
    limits
}

/// Where slope or intercept exclude what is right.
fn miscalibrated(
    shown: &super::shown::Shown,
    begins: &str,
    (name, analysis): (&str, &AnalysisRecord),
) -> Vec<String> {
    let measures = [
        ("calibration_slope", 1.0, "not calibrated: slope"),
        ("calibration_intercept", 0.0, "off on average: intercept"),
    ];
    let wrong = measures.into_iter().filter(|(metric, right, _)| {
        analysis.performance.get(*metric).is_some_and(|found| {
            found.upper.is_some_and(|upper| upper < *right)
                || found.lower.is_some_and(|lower| lower > *right)
        })
    });
    let told = wrong.map(|(metric, _, words)| {
        let path = format!("{}/performance/{metric}", super::shown::place(name));
        format!("{begins} probabilities are {words} {}.", shown.estimate(&path, 2))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::{model_of, without_plans};
    use crate::report::wording::words;

    #[test]
    fn a_model_is_spoken_of_where_nothing_else_is() {
        let models = ["radiomics", "clinical_only"].map(String::from);
        let of = |text: &str| model_of(&models, &words(text));
        for (text, model) in [
            ("The radiomics model reached an AUC of 0.81.", "radiomics"),
            ("The AUC of the clinical model was 0.81.", "clinical_only"),
            ("Radiomics alone had an AUC of 0.81.", "radiomics"),
        ] {
            assert_eq!(of(text).as_deref(), Some(model), "{text}");
        }
        for text in [
            "The clinical-radiomics model reached an AUC of 0.81.",
            "The combined radiomics model reached an AUC of 0.81.",
            "An AUC of 0.81 is higher than that of the radiomics model.",
            "The radiomics model and age reached an AUC of 0.81.",
            "This radiomics study reached an AUC of 0.81.",
            "The semantic radiomics model reached an AUC of 0.81.",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_calculation_assumes_is_no_result() {
        let text =
            "We assumed an AUC of 0.75. In all 350 patients are needed. There are 120.";
        assert_eq!(without_plans(text), " There are 120.");
    }
}
