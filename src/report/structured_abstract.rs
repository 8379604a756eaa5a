//! Structured abstract: thirteen items, its numbers put in from the results.

use serde_json::{Value as Json, json};

use super::author::{coded, prose};
use super::calibration::first_upper;
use super::shown::{Shown, breakable, escape, fill, place};
use super::standing::{
    headline, judged_place, label, model, primary, rows_are, same_question, whereabouts,
};
use crate::data::{AnalysisRecord, Stated};
use crate::operation::prelude::*;

/// The abstract by the TRIPOD+AI checklist for abstracts: the run fills what it knows, the author the rest.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StructuredAbstract {}

impl Operation for StructuredAbstract {
    const ABOUT: About = About {
        name: "structured_abstract",
        title: "Structured abstract",
        version: 1,
        sources: &["collins2024"],
        example: "structured_abstract",
    };
}

impl Section for StructuredAbstract {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Abstract),
            fills: &[
                Fill::tripod("2", &[Evidence::Performance]),
                Fill::brief("2", &[]),
                Fill::brief("3", &[Evidence::Learners]),
                Fill::brief("4", &[Evidence::Sources]),
                Fill::brief("5", &[Evidence::Flow]),
                Fill::brief("6", &[Evidence::Outcomes]),
                Fill::brief("7", &[Evidence::Learners, Evidence::Splits]),
                Fill::brief("8", &[Evidence::Measures]),
                Fill::brief("9", &[Evidence::Splits]),
                Fill::brief("10", &[Evidence::Selection]),
                Fill::brief("11", &[Evidence::Performance, Evidence::Intervals]),
                Fill::brief("12", &[]),
                Fill::brief("13", &[]),
                Fill::clear("2", &[Evidence::Performance]),
                Fill::clear("3", &[]),
            ],
            figures: &[],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let said = |field: &str| {
            record.reporting.text(field).map(|text| prose(record, &shown, text))
        };
        let run = headline(record)
            .map(|(name, analysis)| of_the_run(record, &shown, name, analysis));
        let registration = match record.reporting.at("registration.registry") {
            Some(Stated::Text(registry)) => {
                let id = record.reporting.text("registration.id").unwrap_or("");
                Some(escape(format!("{registry} {id}").trim()))
            }
            Some(Stated::Not(reason)) => {
                Some(format!("None: {}.", escape(reason.trim_end_matches('.'))))
            }
            _ => None,
        };
        let html = fill(
            "structured_abstract.html",
            json!({
                "background": said("abstract.background"),
                "objectives": said("abstract.objectives"),
                "conclusion": said("abstract.conclusion"),
                "registration": registration,
                "keywords": match record.reporting.at("keywords") {
                    Some(Stated::List(words)) => Some(words.join(", ")),
                    _ => None,
                },
                "run": run,
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}

/// A title within a sentence: its first letter is small, unless a name or an abbreviation begins there.
pub fn within(title: &str) -> String {
    const NAMES: [&str; 5] = ["Brier", "Gaussian", "Matthews", "Yeo", "Youden"];
    let first = title.split([' ', '’', '\'', '–', '-']).next().unwrap_or("");
    let short = first.chars().filter(|c| c.is_uppercase() || c.is_numeric()).count() > 1;
    let mut characters = title.chars();
    match characters.next() {
        Some(letter) if !short && !NAMES.contains(&first) => {
            format!("{}{}", letter.to_lowercase(), characters.as_str())
        }
        _ => title.to_string(),
    }
}

/// The sentences that the run knows: data, participants, outcome, model, measures, results.
fn of_the_run(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Json {
    let at = place(name);
    let sources: Vec<String> =
        record.sources.iter().map(|source| source.name.clone()).collect();
    let role = |role: &str| {
        let used = record.methods.iter();
        let used = used.filter(|method| method.role == role && !method.added);
        let mut titles: Vec<String> = used.map(|method| within(&method.title)).collect();
        // To keep all columns is no method.
        if role == "select" && analysis.candidates.iter().any(|one| one.selector == "all")
        {
            titles.insert(0, "all columns".to_string());
        }
        titles.dedup();
        let word = if role == "select" { "selector" } else { "learner" };
        match titles.len() {
            0 => String::new(),
            1 => format!("{word}: {}; ", titles[0]),
            _ => format!("{word}s: {}; ", titles.join(", ")),
        }
    };
    // A place without a result is one that was asked for.
    let results = same_question(record, analysis).map(|(name, of)| {
        let of_metric = |metric: &str| format!("{}/performance/{metric}", place(name));
        let measured = |metric: &str| {
            let known = of.performance.contains_key(metric);
            match known || shown.is_hidden(&of_metric(metric)) {
                true => Some(shown.measured(&of_metric(metric), 2)),
                false => None,
            }
        };
        let slope = match measured("calibration_slope") {
            Some(slope) => format!(", calibration slope {slope}"),
            None => String::new(),
        };
        format!(
            "{}, {}: {} {}{slope}.",
            escape(&first_upper(&whereabouts(record, of))),
            escape(&of.cohort),
            escape(&primary(of)),
            measured(&of.primary).unwrap_or_else(|| "not computed".to_string()),
        )
    });
    let frequent = analysis.selection.as_ref().map(|selection| {
        let names = selection.columns.iter().take(5).map(|f| breakable(&f.name));
        format!(
            "{} of {} columns reach the learner on average; most often {}.",
            shown.mean_count(&format!("{at}/selection/mean_columns"), 1),
            shown.count(&format!("{at}/selection/of_columns")),
            names.collect::<Vec<_>>().join(", ")
        )
    });
    let outcome = record.outcomes.iter().find(|outcome| outcome.name == analysis.outcome);
    json!({
        "sources": sources.join(", "),
        "n": shown.count(&format!("{}/n", judged_place(name, analysis))),
        "positive": shown.count(&format!("{}/n_positive", judged_place(name, analysis))),
        "rows": rows_are(record, &analysis.cohort),
        "part": analysis.judged.is_some(),
        "all": shown.count(&format!("{at}/n")),
        "cohort": analysis.cohort,
        "outcome": first_upper(label(record, &analysis.outcome)),
        "derivation": outcome.map(|outcome| coded(&outcome.derivation)),
        "model": model(analysis),
        "learners": role("learn"),
        "selectors": role("select"),
        "scheme": analysis.scheme_text,
        "measures": analysis
            .metrics
            .iter()
            .enumerate()
            .map(|(at, metric)| match at {
                0 => metric.title.clone(),
                _ => within(&metric.title),
            })
            .collect::<Vec<_>>()
            .join(", "),
        "predictors": shown.count(&format!("{at}/n_predictors")),
        "frequent": frequent,
        "results": results.collect::<Vec<_>>().join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn names_keep_their_capitals_within_a_sentence() {
        for (title, words) in [
            ("Logistic regression", "logistic regression"),
            ("Gaussian naive Bayes", "Gaussian naive Bayes"),
            ("Brier score", "Brier score"),
            ("Youden's index", "Youden's index"),
            ("Yeo–Johnson transformation", "Yeo–Johnson transformation"),
            ("F1 score", "F1 score"),
            ("CSV or TSV table", "CSV or TSV table"),
        ] {
            assert_eq!(within(title), words);
        }
    }
}
