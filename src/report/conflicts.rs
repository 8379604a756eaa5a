//! Where the author's text contradicts the run. Words are searched for, so a denial beside them
//! ("no external validation") is none of them; what cannot be decided from the run is a warning.
//! What words a text says is asked of `wording`, what numbers it has of `typed`.

use super::evidence::weights_classes;
use super::finding::associated;
use super::sample_size::per_candidate;
use super::shown::plain;
use super::standing::{Standing, all, headline, label, same_question};
use super::superiority;
use super::typed::{MUTATIONS, Measure, Typed, What, typed};
use super::wording::{Phrases, is, says, sentences, words};
use crate::data::{ConflictFacts, Count, Stated, StudyRecord};

/// One check: its name, the items that it puts into question, and what it finds.
struct Check {
    name: &'static str,
    items: &'static [&'static str],
    find: fn(&StudyRecord) -> Vec<(String, String)>,
    level: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        name: "external validation",
        items: &["tripod_ai 1", "tripod_ai 2", "clear 38"],
        find: external,
        level: "conflict",
    },
    Check {
        name: "prospective",
        items: &["tripod_ai 1", "tripod_ai 2", "tripod_ai 5a"],
        find: prospective,
        level: "conflict",
    },
    Check {
        name: "protocol",
        items: &["tripod_ai 18c", "tripod_ai 18d"],
        find: protocol,
        level: "warning",
    },
    Check {
        name: "threshold declared beforehand",
        items: &["tripod_ai 15"],
        find: threshold,
        level: "conflict",
    },
    Check {
        name: "no missing data",
        items: &["tripod_ai 11", "clear 29"],
        find: no_missing,
        level: "conflict",
    },
    Check {
        name: "multicentre",
        items: &["tripod_ai 6a"],
        find: multicentre,
        level: "conflict",
    },
    Check {
        name: "test data used once",
        items: &["clear 38"],
        find: used_once,
        level: "conflict",
    },
    Check {
        name: "a number typed by hand",
        items: &["tripod_ai 2"],
        find: wrong_numbers,
        level: "conflict",
    },
    Check {
        name: "a number typed by hand",
        items: &[],
        find: typed_numbers,
        level: "warning",
    },
    Check {
        name: "superior",
        items: &["tripod_ai 25", "clear 41"],
        find: superior,
        level: "conflict",
    },
    Check {
        name: "validated",
        items: &["tripod_ai 25", "tripod_ai 2"],
        find: validated,
        level: "conflict",
    },
    Check {
        name: "well calibrated",
        items: &["tripod_ai 25", "clear 40"],
        find: calibrated,
        level: "conflict",
    },
];

/// Everything that is found.
pub fn conflicts(record: &StudyRecord) -> Vec<ConflictFacts> {
    let of = |check: &Check| {
        let found = (check.find)(record).into_iter();
        found
            .map(|(field, text)| ConflictFacts {
                check: check.name.to_string(),
                field,
                text,
                level: check.level.to_string(),
                items: check.items.iter().map(|item| item.to_string()).collect(),
            })
            .collect::<Vec<_>>()
    };
    CHECKS.iter().flat_map(of).collect()
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

/// The texts that say one of these phrases, in their own words.
fn saying(
    texts: Vec<(String, String)>,
    phrases: Phrases<'_>,
    but: impl Fn() -> String,
) -> Vec<(String, String)> {
    let of = |(field, text): (String, String)| {
        let said = phrases.said(&text)?;
        let text = format!("`{field}` says “{said}”, and {}", but());
        Some((field, text))
    };
    texts.into_iter().filter_map(of).collect()
}

const EXTERNAL: Phrases<'static> = Phrases::new(&[
    "external validation",
    "externally validated",
    "external evaluation",
    "externally evaluated",
    "externally tested",
    "external cohort*",
    "external test*",
    "external data*",
    "external set*",
    "external patients",
    "external performance",
    "external auc",
    "external auroc",
    "external institution*",
    "external hospital*",
    "external cent*",
    "independent validation",
    "independent external",
    "independent institution*",
    "outside institution*",
    "outside hospital*",
    "validated ~ another institution",
    "validated ~ another hospital",
    "tested ~ another institution",
    "tested ~ another hospital",
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
    let (texts, but) = match same_source {
        true => (texts(record), "the other cohort is of the same source"),
        false => (first_texts(record), "no cohort of this study is external"),
    };
    saying(texts, EXTERNAL, || but.to_string())
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
    let phrases = Phrases::new(&["prospective", "prospectively"]);
    saying(first_texts(record), phrases, || {
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
    let late =
        record.deviations.iter().find(|d| d.when.as_deref() == Some("after results"));
    let why = match late {
        Some(late) => {
            format!("after the results the study departed from it: {}", late.what)
        }
        None if record.claims.is_empty() => {
            "the study states no claim whose digest could have been registered"
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
    let late = record.deviations.iter().find(|deviation| {
        deviation.when.as_deref() == Some("after results")
            && words(&deviation.what).iter().any(|word| word.starts_with("threshold"))
    });
    let Some(late) = late.filter(|_| says(said, BEFOREHAND)) else { return Vec::new() };
    let field = "reporting.threshold.rationale".to_string();
    let text = format!(
        "`{field}` says that the threshold was declared beforehand, and a deviation after the \
         results is declared: {}",
        late.what
    );
    vec![(field, text)]
}

fn no_missing(record: &StudyRecord) -> Vec<(String, String)> {
    let columns = record.predictors.iter().flat_map(|block| &block.columns);
    let (n, cells) = columns
        // A hidden count is not 0.
        .filter(|column| column.missing != 0)
        .fold((0, 0), |(n, cells), column| {
            (n + 1, cells + column.missing.known().unwrap_or(0))
        });
    if n == 0 {
        return Vec::new();
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for (field, text) in texts(record) {
        let words = words(&text);
        let none = words.windows(3).any(|w| w[0] == "no" && w[1] == "missing")
            || words.windows(4).any(|w| {
                w[0] == "no" && (w[1] == "values" || w[1] == "data") && w[3] == "missing"
            });
        if none || says(&text, &["complete cases", "complete data"]) {
            let why = format!(
                "`{field}` says that nothing is missing, and {cells} cells of {n} predictors are"
            );
            found.push((field, why));
        }
    }
    found
}

fn multicentre(record: &StudyRecord) -> Vec<(String, String)> {
    let known: Vec<usize> = record.cohorts.iter().filter_map(|c| c.n_sites).collect();
    if known.is_empty() || known.iter().any(|n| *n > 1) {
        return Vec::new();
    }
    let phrases = Phrases::new(&[
        "multicentre",
        "multicenter",
        "multi centre",
        "multi center",
        "multicentric",
    ]);
    saying(texts(record), phrases, || "every cohort has one centre".to_string())
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
        "evaluated once",
        "opened once",
        "single use",
    ]);
    let beside = match added {
        0 => String::new(),
        1 => ", beside 1 control that was added".to_string(),
        added => format!(", beside {added} controls that were added"),
    };
    saying(texts(record), phrases, || {
        format!("{n} frozen models of the study met the cohort {cohort}{beside}")
    })
}

/// The numbers of the author's title, objectives, results and conclusions, with their fields. Those
/// of screened patients, of protocols and of other studies are no results.
fn numbers(record: &StudyRecord) -> Vec<(String, Typed)> {
    let own = |field: &str| {
        let others = ["reporting.abstract.background", "reporting.discussion.comparison"];
        let results = field == "title"
            || field == "reporting.title"
            || field.starts_with("reporting.abstract.")
            || field.starts_with("reporting.objectives")
            || field.starts_with("reporting.discussion.")
            || field.starts_with("reporting.sample_size.");
        results && !others.contains(&field)
    };
    let outcome = headline(record).map_or("", |(_, of)| label(record, &of.outcome));
    let mutated = words(outcome).iter().any(|word| word.starts_with("mutat"));
    let events = if mutated { MUTATIONS } else { &[] };
    let texts = texts(record).into_iter().filter(|(field, _)| own(field));
    texts
        .flat_map(|(field, text)| {
            let planned = field.starts_with("reporting.sample_size.");
            let text = if planned { without_plans(&text) } else { text };
            let found = typed(&text, events).into_iter();
            found.map(move |typed| (field.clone(), typed)).collect::<Vec<_>>()
        })
        .collect()
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

/// Whether the record has that number, rounded as it was written.
fn has(record: &StudyRecord, typed: &Typed) -> bool {
    let analyses = || record.analyses.values();
    match typed.what {
        What::Measure(measure) | What::IntervalOf(measure) => {
            is_coarse(record, measure)
                || results(record, measure).into_iter().any(|found| match found {
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
            let flow = record.cohorts.iter().flat_map(|cohort| &cohort.flow);
            let mut known: Vec<Count> = flow.flat_map(|b| [b.n_in, b.n_out]).collect();
            known.extend(record.cohorts.iter().flat_map(|c| [c.n_rows, c.n_subjects]));
            known.extend(analyses().flat_map(|of| [of.n, of.n_subjects]));
            known.extend(analyses().flat_map(|a| a.sites.iter().map(|site| site.n)));
            let all = record.cohorts.iter().map(|cohort| cohort.n_subjects.known());
            known.extend(all.sum::<Option<usize>>().map(Count::from));
            agrees(typed, &known)
        }
        What::Events => {
            let both = analyses().flat_map(|of| [of.n_positive, of.n_positive_subjects]);
            let mut known: Vec<Count> = both.collect();
            known.extend(record.outcomes.iter().map(|outcome| outcome.positive));
            agrees(typed, &known)
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

/// Everything that the record has of a measure: over all rows, within strata, by site and group.
fn results(record: &StudyRecord, measure: &Measure) -> Vec<Found> {
    let mut found = Vec::new();
    for analysis in record.analyses.values() {
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
            if measure.key == analysis.primary {
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
    let wrong = numbers(record).into_iter().filter(|(_, typed)| !has(record, typed));
    wrong
        .map(|(field, typed)| {
            let (what, name) = told(&typed);
            let vowel = what.starts_with(['A', 'a', 'i']);
            let text = format!(
                "`{field}` has {} {what} that no result of this study is; name the result instead, \
                 as {name}",
                if vowel { "an" } else { "a" }
            );
            (field, text)
        })
        .collect()
}

fn typed_numbers(record: &StudyRecord) -> Vec<(String, String)> {
    let right = numbers(record).into_iter().filter(|(_, typed)| has(record, typed));
    right
        .map(|(field, typed)| {
            let text = format!(
                "`{field}` has the result {} typed by hand; named as {} it stays right",
                typed.written,
                told(&typed).1
            );
            (field, text)
        })
        .collect()
}

fn superior(record: &StudyRecord) -> Vec<(String, String)> {
    superiority::superior(record, texts(record))
}

const VALIDATED: Phrases<'static> = Phrases {
    any_of: &[
        "validated",
        "validation ~ succe*",
        "validation ~ confirm*",
        "successful validation",
        "successful external validation",
        "confirmed ~ validation",
    ],
    // What was validated elsewhere is not the model.
    but_before: &[
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
    ],
    but_behind: &["previously"],
};

fn validated(record: &StudyRecord) -> Vec<(String, String)> {
    let Some((_, of)) = headline(record) else { return Vec::new() };
    let low = same_question(record, of).find_map(|(name, analysis)| {
        let estimate = analysis.performance.get("auroc")?;
        let lower = estimate.lower.filter(|lower| *lower <= 0.5)?;
        Some((name.clone(), lower))
    });
    let Some((name, lower)) = low else { return Vec::new() };
    saying(texts(record), VALIDATED, || {
        format!("the interval of the AUROC of {name} begins at {}", plain(lower, 2))
    })
}

fn calibrated(record: &StudyRecord) -> Vec<(String, String)> {
    let Some((_, of)) = headline(record) else { return Vec::new() };
    let off = same_question(record, of).find_map(|(name, analysis)| {
        let slope = analysis.performance.get("calibration_slope")?;
        let (lower, upper) = (slope.lower?, slope.upper?);
        let outside = upper < 1.0 || lower > 1.0;
        outside.then(|| (name.clone(), lower, upper))
    });
    let Some((name, lower, upper)) = off else { return Vec::new() };
    let phrases =
        Phrases::new(&["well calibrated", "good calibration", "excellent calibration"]);
    saying(texts(record), phrases, || {
        format!(
            "the interval of the calibration slope of {name}, {} to {}, excludes 1",
            plain(lower, 2),
            plain(upper, 2)
        )
    })
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
                "There are {} events for each candidate predictor parameter before selection.",
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
    for (metric, right, words) in [
        ("calibration_slope", 1.0, "not calibrated: slope"),
        ("calibration_intercept", 0.0, "off on average: intercept"),
    ] {
        if let Some(found) = analysis.performance.get(metric)
            && (found.upper.is_some_and(|upper| upper < right)
                || found.lower.is_some_and(|lower| lower > right))
        {
            let estimate = shown.estimate(&format!("{at}/performance/{metric}"), 2);
            limits.push(format!("Predicted probabilities are {words} {estimate}."));
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

#[cfg(test)]
mod tests {
    use super::without_plans;

    #[test]
    fn what_a_calculation_assumes_is_no_result() {
        let text =
            "We assumed an AUC of 0.75. In all 350 patients are needed. There are 120.";
        assert_eq!(without_plans(text), " There are 120.");
    }
}
