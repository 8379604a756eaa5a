//! Where the author's text contradicts the run. Words are searched for, so a denial beside them
//! ("no external validation") is none of them; what cannot be decided from the run is a warning.

use super::finding::associated;
use super::sample_size::per_candidate;
use super::shown::plain;
use super::standing::{Standing, all, headline, label, same_question};
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

fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '%'))
        .map(|word| word.trim_end_matches(['.', '%']).to_string())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether a text says one of these phrases and does not deny it within four words before, or by what
/// was not done.
pub fn says(text: &str, phrases: &[&str]) -> bool {
    const DENIALS: [&str; 12] = [
        "no", "not", "without", "never", "neither", "nor", "lack", "lacks", "lacking",
        "needs", "future", "cannot",
    ];
    let words = words(text);
    phrases.iter().any(|phrase| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        words.windows(phrase.len()).enumerate().any(|(at, window)| {
            let matches = window.iter().zip(&phrase).all(|(word, wanted)| {
                match wanted.strip_suffix('*') {
                    Some(stem) => word.starts_with(stem),
                    None => word == wanted,
                }
            });
            let before = &words[at.saturating_sub(4)..at];
            matches && !before.iter().any(|word| DENIALS.contains(&word.as_str()))
        })
    })
}

fn saying(
    texts: Vec<(String, String)>,
    phrases: &[&str],
    but: impl Fn() -> String,
) -> Vec<(String, String)> {
    texts
        .into_iter()
        .filter(|(_, text)| says(text, phrases))
        .map(|(field, _)| {
            let text = format!(
                "`{field}` says “{}”, and {}",
                phrases[0].trim_end_matches('*'),
                but()
            );
            (field, text)
        })
        .collect()
}

const EXTERNAL: &[&str] = &[
    "external validation",
    "externally validated",
    "external evaluation",
    "externally evaluated",
    "external cohort*",
    "external test*",
    "external data*",
    "independent validation",
    "independent external",
];

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
    saying(first_texts(record), &["prospective", "prospectively"], || {
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
    saying(
        texts(record),
        &["multicentre", "multicenter", "multi centre", "multi center", "multicentric"],
        || "every cohort has one centre".to_string(),
    )
}

fn used_once(record: &StudyRecord) -> Vec<(String, String)> {
    let mut met: Vec<(&str, usize)> = Vec::new();
    for (_, analysis) in all(record).filter(|(_, analysis)| analysis.kind == "external") {
        match met.iter_mut().find(|(cohort, _)| *cohort == analysis.cohort) {
            Some((_, n)) => *n += 1,
            None => met.push((&analysis.cohort, 1)),
        }
    }
    let Some((cohort, n)) = met.into_iter().find(|(_, n)| *n > 1) else {
        return Vec::new();
    };
    saying(
        texts(record),
        &["used once", "used only once", "evaluated once", "opened once", "single use"],
        || format!("{n} frozen models met the cohort {cohort}"),
    )
}

/// A number of a text, with what it seems to be.
struct Typed {
    field: String,
    written: String,
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Auroc,
    Patients,
    Events,
}

/// AUROC, numbers of patients and of events in the author's results and conclusions. Numbers of
/// screened patients, of other studies and of protocols are no results.
fn typed(record: &StudyRecord) -> Vec<Typed> {
    let own = |field: &str| {
        field == "title"
            || field == "reporting.title"
            || field.starts_with("reporting.abstract.")
            || field.starts_with("reporting.objectives")
            || field.starts_with("reporting.discussion.")
            || field.starts_with("reporting.sample_size.")
    };
    let outcome = headline(record).map_or("", |(_, of)| label(record, &of.outcome));
    let mutant = words(outcome).iter().any(|word| word.starts_with("mutat"));
    let mut found = Vec::new();
    for (field, text) in texts(record).into_iter().filter(|(field, _)| own(field)) {
        // What is put in for a name is no typed number.
        let mut plain = String::new();
        for (position, part) in text.split("{{").enumerate() {
            let part = match position {
                0 => part,
                _ => part.split_once("}}").map_or("", |(_, after)| after),
            };
            plain.push_str(part);
            plain.push_str(" \u{1} ");
        }
        let words = words(&plain);
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).map_or("", String::as_str);
            let after = words.get(at + 2).map_or("", String::as_str);
            let mut push = |written: &str, what| {
                let written = written.to_string();
                found.push(Typed { field: field.clone(), written, what });
            };
            if ["auc", "auroc"].contains(&word.as_str()) {
                let value = words[at + 1..]
                    .iter()
                    .take(3)
                    .find(|word| word.starts_with("0.") && word.parse::<f64>().is_ok());
                if let Some(value) = value {
                    push(value, What::Auroc);
                }
            }
            let count = word.parse::<usize>().is_ok();
            if count && ["patients", "subjects", "participants"].contains(&next) {
                push(word, What::Patients);
            }
            let positive = next == "events"
                || next == "positive"
                || (mutant && next == "mutant")
                || (next == "patients" && after == "positive");
            if count && positive {
                push(word, What::Events);
            }
            if word == "n" && next.parse::<usize>().is_ok() {
                push(next, What::Patients);
            }
        }
    }
    found
}

/// Whether the record has that number, rounded as it was written.
fn has(record: &StudyRecord, typed: &Typed) -> bool {
    let analyses = || record.analyses.values();
    match typed.what {
        What::Auroc => {
            let digits = typed.written.split_once('.').map_or(0, |(_, rest)| rest.len());
            let same = |value: f64| plain(value, digits) == typed.written;
            analyses().any(|analysis| {
                analysis.performance.get("auroc").is_some_and(|e| same(e.estimate))
                    || analysis.within.as_ref().is_some_and(|e| same(e.estimate))
                    || analysis.sites.iter().any(|site| site.auroc.is_some_and(same))
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
            agrees(&typed.written, &known)
        }
        What::Events => {
            let both = analyses().flat_map(|of| [of.n_positive, of.n_positive_subjects]);
            let mut known: Vec<Count> = both.collect();
            known.extend(record.outcomes.iter().map(|outcome| outcome.positive));
            agrees(&typed.written, &known)
        }
    }
}

/// Whether a number stands among counts. One that may be hidden is not held against the author.
fn agrees(written: &str, known: &[Count]) -> bool {
    let hidden = known.contains(&Count::HIDDEN);
    hidden || written.parse::<usize>().is_ok_and(|n| known.iter().any(|of| *of == n))
}

fn wrong_numbers(record: &StudyRecord) -> Vec<(String, String)> {
    let wrong = typed(record).into_iter().filter(|typed| !has(record, typed));
    wrong
        .map(|typed| {
            let what = match typed.what {
                What::Auroc => "an AUROC of",
                What::Patients => "a number of patients,",
                What::Events => "a number of events,",
            };
            let text = format!(
                "`{}` has {what} {} that no result of this study is; name the result instead, as \
                 `{{{{results.auroc.COHORT}}}}`",
                typed.field, typed.written
            );
            (typed.field, text)
        })
        .collect()
}

fn typed_numbers(record: &StudyRecord) -> Vec<(String, String)> {
    let right = typed(record).into_iter().filter(|typed| has(record, typed));
    right
        .map(|typed| {
            let text = format!(
                "`{}` has the result {} typed by hand; named as `{{{{results.auroc.COHORT}}}}` it \
                 stays right",
                typed.field, typed.written
            );
            (typed.field, text)
        })
        .collect()
}

fn superior(record: &StudyRecord) -> Vec<(String, String)> {
    let shown = record.comparisons.iter().any(|comparison| {
        comparison.result.as_ref().is_some_and(|found| {
            found.lower.is_some_and(|lower| lower > 0.0)
                || found.upper.is_some_and(|upper| upper < 0.0)
        })
    });
    if shown {
        return Vec::new();
    }
    let but = || match record.comparisons.is_empty() {
        true => "no comparison of models was made on the same splits".to_string(),
        false => "the interval of every compared difference includes zero".to_string(),
    };
    saying(
        texts(record),
        &["superior", "superiority", "outperform*", "significantly better"],
        but,
    )
}

fn validated(record: &StudyRecord) -> Vec<(String, String)> {
    let Some((_, of)) = headline(record) else { return Vec::new() };
    let low = same_question(record, of).find_map(|(name, analysis)| {
        let estimate = analysis.performance.get("auroc")?;
        let lower = estimate.lower.filter(|lower| *lower <= 0.5)?;
        Some((name.clone(), lower))
    });
    let Some((name, lower)) = low else { return Vec::new() };
    saying(texts(record), &["validated"], || {
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
    saying(
        texts(record),
        &["well calibrated", "good calibration", "excellent calibration"],
        || {
            format!(
                "the interval of the calibration slope of {name}, {} to {}, excludes 1",
                plain(lower, 2),
                plain(upper, 2)
            )
        },
    )
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
    use super::says;

    #[test]
    fn a_phrase_is_said_unless_it_is_denied() {
        let phrases = &["external validation", "external cohort*"];
        assert!(says("An external validation was done.", phrases));
        assert!(says("Two external cohorts.", phrases));
        assert!(!says("No external validation was done.", phrases));
        assert!(!says("The model was not given an external validation", phrases));
        assert!(!says("Internal validation.", phrases));
        assert!(says("Pre-specified in advance", &["pre specified"]));
    }
}
