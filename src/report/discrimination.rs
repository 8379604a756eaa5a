//! Discrimination: ROC curves, the folds behind them, and the performance table.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::author::coded;
use super::calibration::{first_upper, not_defined};
use super::figure::{DataTable, Figure};
use super::forest::Counted;
use super::roc::{
    BOTTOM, COLUMNS, Drawn, LEFT, RIGHT, axes, frame, legend, marked, overlay, points,
    rows as curve_rows, shade, x, y,
};
use super::shown::{Shown, counts_apart, escape, fill, place, plain, powers};
use super::standing::{
    BESIDE, Standing, all, headline, hue, judged_place, label, model, primary, role,
    rows_are, same_question, same_splits, whereabouts,
};
use super::svg::{Anchor, Svg};
use super::utility::useful;
use super::{permutation, precision_recall};
use crate::data::{AnalysisRecord, ConfusionFacts, Estimate, MetricFacts, Removed};
use crate::operation::prelude::*;

/// ROC curves of the headline, pooled within each repeat, with the value of every fold; and every
/// analysis with every metric.
///
/// Models on the splits of the headline are drawn beside it; all others are in the table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Discrimination {}

impl Operation for Discrimination {
    const ABOUT: About = About {
        name: "discrimination",
        title: "Discrimination",
        // 1: curves, folds and measures. 2: curves have a band, precision and recall are drawn in every
        // place that the question was asked; predictive values say at which prevalence.
        version: 2,
        sources: &[
            "altman1994b",
            "hanley1982",
            "macskassy2005",
            "nadeau2003",
            "wilson1927",
            "zou2008",
        ],
        example: "discrimination",
    };
}

impl Section for Discrimination {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Discrimination),
            fills: &[
                Fill::tripod("15", &[Evidence::Threshold]),
                Fill::tripod(
                    "23a",
                    &[
                        Evidence::Performance,
                        Evidence::Intervals,
                        Evidence::Calibration,
                        Evidence::Subgroups,
                    ],
                ),
                Fill::clear("39", &[Evidence::Measures]),
                Fill::clear("40", &[Evidence::Intervals, Evidence::Calibration]),
                Fill::clear(
                    "47",
                    &[
                        Evidence::Performance,
                        Evidence::Baseline,
                        Evidence::PrecisionRecall,
                        Evidence::Calibration,
                    ],
                ),
                Fill::metrics("20", &[Evidence::Performance, Evidence::Confusion]),
                Fill::metrics("21", &[Evidence::Intervals]),
                Fill::metrics("25", &[Evidence::Baseline]),
                Fill::rqs("6a", &[Evidence::ClinicalVariables]),
                Fill::rqs("8a", &[Evidence::Threshold]),
                Fill::rqs("8b", &[Evidence::ContinuousRisk]),
                Fill::rqs("9a", &[Evidence::Discrimination]),
                Fill::rqs("9b", &[Evidence::Discrimination, Evidence::Resampled]),
            ],
            figures: &["F2", "F3", "F6", "F18"],
        };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let mut first = None;
        let mut beside = None;
        if let Some((name, analysis)) = headline(record) {
            let figure = match analysis.roc.is_empty() {
                true => None,
                false => Some(
                    figure(record, (name, analysis), &shown)
                        .into_html(simulated, &mut fragment)?,
                ),
            };
            first = Some(described(name, analysis, figure, &shown));
            let others: Vec<_> = same_splits(record, analysis)
                .filter(|(_, other)| !other.roc_mean.points.is_empty())
                .collect();
            if !others.is_empty() && !analysis.roc_mean.points.is_empty() {
                let figure = together(record, &shown, (name, analysis), &others);
                beside = Some(figure.into_html(simulated, &mut fragment)?);
            }
        }
        let mut more = Vec::new();
        if let Some((name, analysis)) = headline(record) {
            let pr = precision_recall::figure(record, &shown, (name, analysis));
            let permuted = permutation::figure(&shown, name, analysis);
            for figure in pr.into_iter().chain(permuted) {
                more.push(figure.into_html(simulated, &mut fragment)?);
            }
            for (position, (name, of)) in same_question(record, analysis).enumerate() {
                let id = format!("confusion-{}", position + 1);
                if let Some(figure) = confusion(record, &shown, &id, name, of) {
                    more.push(figure.into_html(simulated, &mut fragment)?);
                }
            }
        }
        let absent = headline(record)
            .map_or(Vec::new(), |(name, of)| absent(record, &shown, name, of));
        let together_row = headline(record).map(|(_, of)| {
            same_question(record, of)
                .map(|(name, analysis)| four(record, &shown, name, analysis))
                .collect::<Vec<_>>()
        });
        let every = every(record, &shown);
        fragment
            .tables
            .push(("performance.csv".to_string(), table(record, &shown).csv(simulated)));
        fragment.html = fill(
            "discrimination.html",
            json!({
                "simulated": simulated, "first": first, "beside": beside, "every": every,
                "more": more, "four": together_row, "absent": absent,
            }),
        )?;
        Ok(fragment)
    }
}

/// What belongs here and is not shown, each with its reason: in the place of a figure there is never nothing.
/// The reasons are HTML.
fn absent(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Vec<Json> {
    const HIDDEN: &str = "It is hidden, since a small count would follow from it.";
    let mut absent = Vec::new();
    let mut say =
        |what: &str, why: String| absent.push(json!({ "what": what, "why": why }));
    let without_rows = |what: &str| match shown.protects {
        true => HIDDEN.to_string(),
        false => {
            format!("No held-out rows of both classes have predictions to draw {what}.")
        }
    };
    if analysis.roc.is_empty() {
        say("No ROC curve.", without_rows("it from"));
    }
    if analysis.precision_recall.is_empty() {
        say("No precision–recall curve.", without_rows("it from"));
    }
    if analysis.confusion.is_none() {
        let why = match &analysis.threshold {
            None => {
                "The study declares no rule for a threshold, so nobody is called positive or negative: \
                 <code>evaluate.threshold</code>."
            }
            Some(_) if shown.is_hidden(&format!("{}/confusion", place(name))) => HIDDEN,
            Some(_) => {
                "No held-out row was called positive or negative at the declared threshold."
            }
        };
        say("No counts at a threshold.", why.to_string());
    }
    if analysis.permutation.is_none() {
        let why = match &record.study.not_permuted {
            _ if shown.is_hidden(&format!("{}/permutation", place(name))) => HIDDEN.to_string(),
            Some(reason) => {
                format!("It was not done: {}.", escape(reason.trim_end_matches('.')))
            }
            None => "It was not asked for: <code>evaluate.controls.permuted_outcome</code>. Whether the \
                     whole procedure finds as much where there is nothing to find is not known."
                .to_string(),
        };
        say("No test on permuted outcomes.", why);
    }
    absent
}

/// The four numbers of a prediction model together: calibration in the large and slope, the C
/// statistic, and what decisions by it are worth.
fn four(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Json {
    let of = |metric: &str| {
        let path = format!("{}/performance/{metric}", place(name));
        match analysis.performance.contains_key(metric) || shown.is_hidden(&path) {
            true => shown.estimate(&path, 2),
            false => "–".to_string(),
        }
    };
    let thresholds = match &analysis.decision {
        None if shown.is_hidden(&format!("{}/decision", place(name))) => {
            "hidden".to_string()
        }
        None => "no range declared".to_string(),
        Some(curve) if curve.useful.is_empty() => "at no threshold".to_string(),
        Some(curve) => useful(shown, name, curve).join(", "),
    };
    json!({
        "where": format!("{}, {}", whereabouts(record, analysis), analysis.cohort),
        "a": of("calibration_intercept"),
        "b": of("calibration_slope"),
        "c": of("auroc"),
        "d": thresholds,
    })
}

/// Rows by class and decision at the threshold, with the measures that follow.
fn confusion<'a>(
    record: &StudyRecord,
    shown: &Shown,
    id: &'a str,
    name: &str,
    analysis: &AnalysisRecord,
) -> Option<Figure<'a>> {
    let found = analysis.confusion.as_ref()?;
    let at = format!("{}/confusion", place(name));
    let digits = usize::from(found.repeats > 1);
    let hidden = [found.true_positive, found.false_negative].contains(&None);
    // Where folds failed, the cells are not of all of them.
    let n_positive =
        analysis.judged.as_ref().map_or(analysis.n_positive, |of| of.n_positive);
    let called = found.true_positive.zip(found.false_negative).map(|(a, b)| a + b);
    let positive = called
        .zip(n_positive.known())
        .is_some_and(|(called, all)| (called - all as f64).abs() < 1e-6);
    let cell = |what: &str| shown.number(&format!("{at}/{what}"), digits);
    let measures = [
        ("sensitivity", "Sensitivity"),
        ("specificity", "Specificity"),
        ("positive_predictive_value", "Positive predictive value"),
        ("negative_predictive_value", "Negative predictive value"),
        ("balanced_accuracy", "Balanced accuracy"),
        ("accuracy", "Accuracy"),
        ("f1", "F1"),
        ("mcc", "MCC"),
    ];
    // One model that met a cohort once has no folds that could differ.
    let spreads = measures.iter().any(|(metric, _)| {
        analysis.performance.get(*metric).is_some_and(|of| of.sd_folds.is_some())
    });
    let rows: String = measures
        .into_iter()
        .filter_map(|(metric, title)| {
            let path = format!("{}/performance/{metric}", place(name));
            let estimate = analysis.performance.get(metric);
            if estimate.is_none() && !shown.is_hidden(&path) {
                return None;
            }
            let spread = match spreads {
                true => format!(
                    "<td class=\"r\">{}</td>",
                    shown.number(&format!("{path}/sd_folds"), 2)
                ),
                false => String::new(),
            };
            Some(format!(
                "<tr><th scope=\"row\">{title}</th><td class=\"r\">{}</td>{spread}</tr>",
                shown.estimate(&path, 2)
            ))
        })
        .chain(at_target(record, shown, name, analysis, spreads))
        .collect();
    let spread_head = match spreads {
        true => "<th scope=\"col\" class=\"r\">SD over folds</th>",
        false => "",
    };
    let cells = format!(
        "<table class=\"confusion\"><thead><tr><td></td><th scope=\"col\" class=\"r\">Called positive\
         </th><th scope=\"col\" class=\"r\">Called negative</th></tr></thead><tbody><tr>\
         <th scope=\"row\">With the outcome</th><td class=\"r right\">{}</td>\
         <td class=\"r wrong-call\">{}</td></tr><tr><th scope=\"row\">Without it</th>\
         <td class=\"r wrong-call\">{}</td><td class=\"r right\">{}</td></tr></tbody></table>",
        cell("true_positive"),
        cell("false_negative"),
        cell("false_positive"),
        cell("true_negative")
    );
    let rule = analysis.threshold.as_deref().unwrap_or("declared");
    let blurred = shown.is_hidden(&format!("{}/performance/sensitivity", place(name)));
    Some(Figure {
        id,
        heading: match hidden {
            // Where one class is missing, only the calls of the other can be right or wrong.
            _ if n_positive == 0 => format!(
                "Nobody here has the outcome; {} without it are called positive at the threshold ({})",
                cell("false_positive"),
                escape(&whereabouts(record, analysis))
            ),
            true if blurred => format!(
                "Counts and measures at the threshold are hidden, since a cell is small ({})",
                escape(&whereabouts(record, analysis))
            ),
            true => format!(
                "Sensitivity {} at the threshold; counts are hidden, since a cell is small ({})",
                shown.estimate(&format!("{}/performance/sensitivity", place(name)), 2),
                escape(&whereabouts(record, analysis))
            ),
            false => format!(
                "{} of {} with the outcome are called positive at the threshold, {} are missed ({}{})",
                cell("true_positive"),
                match positive {
                    true => shown
                        .count(&format!("{}/n_positive", judged_place(name, analysis))),
                    false => "those".to_string(),
                },
                cell("false_negative"),
                escape(&whereabouts(record, analysis)),
                match found.repeats {
                    0 | 1 => String::new(),
                    n => format!(", mean of {n} repeats"),
                }
            ),
        },
        sub: match found.repeats {
            0 | 1 => format!("Rows by class and decision. Rule: {rule}."),
            n => format!(
                "Rows by class and decision, as means over {n} repeats. Rule: {rule}."
            ),
        },
        body: format!(
            "<div class=\"pair\"><div>{cells}{}{}{}</div><table><thead><tr><th scope=\"col\">Measure</th>\
             <th scope=\"col\" class=\"r\">Estimate (95 % CI)</th>{spread_head}</tr></thead><tbody>{rows}</tbody></table></div>",
            in_words(shown, &at, digits),
            prevalence(record, shown, name, analysis),
            thresholds(shown, name, analysis)
        ),
        pictures: Vec::new(),
        method: format!(
            "{}; {}.{}{}",
            match (is_stated(analysis), analysis.frozen.is_some()) {
                (true, true) =>
                    "The frozen model at the threshold that was stated beforehand",
                (true, false) =>
                    "Every fold at the one threshold that was stated beforehand",
                (false, true) =>
                    "The frozen model at its own threshold, which was learned in development",
                (false, false) =>
                    "Each fold at the threshold learned on its own inner out-of-fold predictions",
            },
            interval(record, analysis),
            if spreads { " The spread over folds is no interval." } else { "" },
            analysis.at_target.as_ref().map_or(String::new(), |found| format!(
                " At the declared prevalence: {}.",
                found.method
            ))
        ),
        table: confusion_table(record, analysis, found, &measures),
    })
}

/// The cells and the measures that follow, as numbers.
fn confusion_table(
    record: &StudyRecord,
    analysis: &AnalysisRecord,
    found: &ConfusionFacts,
    measures: &[(&str, &str)],
) -> DataTable {
    let set = format!("{}, {}", whereabouts(record, analysis), analysis.cohort);
    let number =
        |value: Option<f64>| value.map_or(String::new(), |value| plain(value, 4));
    let cells = [
        found.true_positive,
        found.false_positive,
        found.false_negative,
        found.true_negative,
    ];
    let cells = cells.map(|n| n.map_or("hidden".to_string(), |n| plain(n, 2)));
    let empty = [const { String::new() }; 4];
    let mut rows = vec![[&[set.clone()][..], &cells, &empty].concat()];
    let mut row = |what: String, [estimate, lower, upper]: [Option<f64>; 3]| {
        let values = [estimate, lower, upper].map(number);
        rows.push([&[set.clone()][..], &empty, &[what], &values].concat());
    };
    for (metric, title) in measures {
        if let Some(of) = analysis.performance.get(*metric) {
            row((*title).to_string(), [Some(of.estimate), of.lower, of.upper]);
        }
    }
    let target = record.study.target_prevalence.as_ref();
    if let Some((found, target)) = analysis.at_target.as_ref().zip(target) {
        for (title, of) in
            [(measures[2].1, found.positive), (measures[3].1, found.negative)]
        {
            let what =
                format!("{title} at a prevalence of {}", plain(target.prevalence, 4));
            row(
                what,
                [
                    of.map(|of| of.estimate),
                    of.and_then(|of| of.lower),
                    of.and_then(|of| of.upper),
                ],
            );
        }
    }
    let head = ["set", "tp", "fp", "fn", "tn", "measure", "est", "lo", "hi"];
    DataTable { head: head.map(String::from).to_vec(), rows }
}

/// Predictive values at the declared prevalence, as rows of a table. HTML.
fn at_target(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
    spreads: bool,
) -> Vec<String> {
    let path = format!("{}/at_target", place(name));
    let declared = record.study.target_prevalence.is_some();
    if !declared || (analysis.at_target.is_none() && !shown.is_hidden(&path)) {
        return Vec::new();
    }
    let share = shown.number(TARGET, 2);
    let of = [("positive", "Positive"), ("negative", "Negative")];
    let spread = if spreads { "<td class=\"r\">–</td>" } else { "" };
    let rows = of.map(|(which, title)| {
        let path = format!("{path}/{which}");
        let value = match shown.has(&format!("{path}/estimate")) || shown.is_hidden(&path) {
            true => shown.estimate(&path, 2),
            false => "no such call".to_string(),
        };
        format!(
            "<tr><th scope=\"row\">{title} predictive value at a prevalence of {share}</th>\
             <td class=\"r\">{value}</td>{spread}</tr>"
        )
    });
    rows.to_vec()
}

/// Where the declared prevalence stands.
const TARGET: &str = "/study/target_prevalence/prevalence";

/// The cells as a sentence, for those who do not see the table. HTML.
fn in_words(shown: &Shown, at: &str, digits: usize) -> String {
    let cell = |what: &str| shown.number(&format!("{at}/{what}"), digits);
    format!(
        "<p class=\"vh\">In words: of the rows with the outcome {} are called positive and {} \
         negative; of those without it {} are called positive and {} negative.</p>",
        cell("true_positive"),
        cell("false_negative"),
        cell("false_positive"),
        cell("true_negative")
    )
}

/// For which prevalence predictive values hold. HTML.
fn prevalence(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> String {
    let at = judged_place(name, analysis);
    let here = format!(
        "Predictive values hold for the prevalence of these rows: {} of {} have the outcome",
        shown.count(&format!("{at}/n_positive")),
        shown.count(&format!("{at}/n"))
    );
    let elsewhere = match &record.study.target_prevalence {
        Some(target) => format!(
            "; where the model is meant to be used the author expects {}{}",
            shown.number(TARGET, 2),
            match &target.from {
                Some(from) => format!(" ({})", escape(from)),
                None => String::new(),
            }
        ),
        None => "; elsewhere they differ, and <code>evaluate.target_prevalence</code> asks for \
                 those of another prevalence"
            .to_string(),
    };
    format!("<p class=\"tag\">{here}{elsewhere}.</p>")
}

/// How the intervals of proportions were made.
fn interval(record: &StudyRecord, analysis: &AnalysisRecord) -> &'static str {
    let named = ["sensitivity", "specificity", "accuracy"];
    let found = named.iter().find_map(|name| analysis.performance.get(*name));
    match rows_are(record, &analysis.cohort) {
        _ if found.is_some_and(|of| of.method.contains(" sites")) => {
            "the interval is from resamples of sites"
        }
        "patients" => "Wilson’s interval with n the number of patients",
        _ => "the interval is from resamples of patients",
    }
}

/// Whether the threshold was stated and not learned.
pub fn is_stated(analysis: &AnalysisRecord) -> bool {
    analysis.threshold.as_deref().is_some_and(|rule| rule.ends_with("stated beforehand"))
}

/// The thresholds that the folds learned.
fn thresholds(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> String {
    if analysis.thresholds.is_none() || is_stated(analysis) {
        return String::new();
    }
    let of = |what: &str| shown.number(&format!("{}/thresholds/{what}", place(name)), 2);
    format!(
        "<p class=\"tag\">Thresholds learned in {} folds: median {}, from {} to {}.</p>",
        shown.count(&format!("{}/thresholds/n", place(name))),
        of("median"),
        of("lowest"),
        of("highest")
    )
}

/// The curves of all models on the splits of the headline.
fn together(
    record: &StudyRecord,
    shown: &Shown,
    (name, analysis): (&String, &AnalysisRecord),
    others: &[(&String, &AnalysisRecord)],
) -> Figure<'static> {
    let series = Standing::of(record, analysis).series();
    let mut drawn = vec![Drawn::of((name, analysis), (model(analysis), series), shown)];
    for (name, other) in others.iter().take(BESIDE) {
        let label = match other.role.as_str() {
            "control" => format!("{} (control)", model(other)),
            _ => model(other),
        };
        drawn.push(Drawn::of((name, other), (label, hue(record, other)), shown));
    }
    // Bands of models on the same rows say nothing of their differences.
    let picture = overlay(&drawn, false, "ROC of models on the same splits");
    // Whatever chose among candidates, the finding of these curves is the area under them.
    let one = |(name, analysis): &(&String, &AnalysisRecord)| {
        let path = format!("{}/performance/auroc", place(name));
        let known = analysis.performance.contains_key("auroc") || shown.is_hidden(&path);
        let value = match known {
            true => shown.number(&format!("{path}/estimate"), 2),
            false => "not computed".to_string(),
        };
        format!("{} {value}", escape(&model(analysis)))
    };
    let all: Vec<String> =
        std::iter::once(&(name, analysis)).chain(others).map(one).collect();
    Figure {
        id: "models",
        heading: format!("AUROC: {}", all.join(", ")),
        sub: format!(
            "{} of models that were judged on the very same splits.{}",
            if analysis.roc.len() > 1 { "Mean curves" } else { "Curves" },
            marked(&drawn)
        ),
        body: format!(
            "<div class=\"pair beside\"><div>{picture}</div><div>{}</div></div>",
            legend(&drawn)
        ),
        pictures: vec![picture],
        method: format!(
            "{}{}; pointwise 95 % limits of each are in the table, and say nothing of differences.",
            match (shown.protects, analysis.roc.len(), parts(analysis)) {
                (true, ..) => SMOOTH.to_string(),
                (false, 0 | 1, parts) => format!("Step curves of all {parts} together"),
                (false, ..) => {
                    "Means of the step curves pooled within each repeat".to_string()
                }
            },
            match others.len() > BESIDE {
                true =>
                    "; the first three further models in written order are drawn, the table below \
                     has all",
                false => "",
            }
        ),
        table: super::roc::table(&drawn),
    }
}

/// Every analysis with the metrics that the study names, by outcome; none is left out.
fn every(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let mut groups: Vec<(String, Vec<Json>)> = Vec::new();
    for (name, analysis) in all(record) {
        let at = place(name);
        let cells = analysis.metrics.iter().map(|metric| {
            let path = format!("{at}/performance/{}", metric.name);
            let value = match analysis.performance.contains_key(&metric.name)
                || shown.is_hidden(&path)
            {
                true => shown.estimate(&path, 2),
                false => not_defined(analysis, &metric.name),
            };
            json!({ "title": titled(metric), "value": value })
        });
        let failed = analysis.failures().into_iter().map(failure);
        // Most measures lack the same folds: these are named together.
        let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (metric, estimate) in &analysis.performance {
            let named = analysis.metrics.iter().chain(&analysis.standard);
            let title = named.into_iter().find(|of| of.name == *metric).map(titled);
            let title = title.unwrap_or(metric);
            lacking.entry(counted(&estimate.failed_folds)).or_default().push(title);
        }
        let all = analysis.performance.len();
        let notes = lacking.iter().filter(|(place, _)| !place.is_empty());
        let notes = notes.map(|(place, of)| match of.len() {
            n if n == all && n > 1 => format!("No measure could be computed in {place}"),
            _ => format!("{} could not be computed in {place}", listed(of)),
        });
        let row = json!({
            "model": model(analysis),
            "role": role(record, analysis),
            "where": format!(
                "{}, {}", whereabouts(record, analysis), analysis.cohort
            ),
            "scheme": analysis.scheme_text,
            "n": shown.count(&format!("{}/n", judged_place(name, analysis))),
            "positive": shown.count(&format!("{}/n_positive", judged_place(name, analysis))),
            "predictors": shown.count(&format!("{at}/n_predictors")),
            "cells": cells.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "notes": notes.collect::<Vec<_>>().join("; "),
        });
        let of = label(record, &analysis.outcome);
        match groups.iter_mut().find(|(known, _)| known == of) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((of.to_string(), vec![row])),
        }
    }
    groups
        .into_iter()
        .map(|(outcome, rows)| json!({ "outcome": outcome, "rows": rows }))
        .collect()
}

/// The same for a file, with the method of every number.
fn table(record: &StudyRecord, shown: &Shown) -> DataTable {
    let head = [
        "analysis",
        "outcome",
        "model",
        "branch",
        "role",
        "cohort",
        "kind",
        "scheme",
        "n",
        "n_positive",
        "metric",
        "estimate",
        "lower",
        "upper",
        "method",
    ];
    let number =
        |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let rows = all(record).flat_map(|(name, analysis)| {
        let listed = analysis.metrics.iter().chain(&analysis.standard);
        let hidden = listed.map(|metric| metric.name.as_str()).filter(|metric| {
            !analysis.performance.contains_key(*metric)
                && shown.is_hidden(&format!("{}/performance/{metric}", place(name)))
        });
        let named =
            analysis.performance.iter().map(|(metric, e)| (metric.as_str(), Some(e)));
        let named = named.chain(hidden.map(|metric| (metric, None)));
        let within =
            analysis.within.iter().map(|estimate| ("auroc within", Some(estimate)));
        let judged = Counted::of(name, analysis);
        named.chain(within).map(move |(metric, estimate)| {
            let hidden = || "hidden".to_string();
            let end = |of: fn(&Estimate) -> Option<f64>| {
                estimate.map_or_else(String::new, |estimate| number(of(estimate)))
            };
            vec![
                name.clone(),
                analysis.outcome.clone(),
                analysis.model.clone(),
                analysis.branch.clone(),
                role(record, analysis).to_string(),
                analysis.cohort.clone(),
                whereabouts(record, analysis),
                analysis.scheme_text.clone(),
                judged.n.to_string(),
                judged.n_positive.to_string(),
                metric.to_string(),
                estimate.map_or_else(hidden, |found| found.estimate.to_string()),
                end(|found| found.lower),
                end(|found| found.upper),
                estimate.map_or_else(
                    || "hidden: a small count would follow".to_string(),
                    |found| found.method.clone(),
                ),
            ]
        })
    });
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

fn described(
    name: &str,
    analysis: &AnalysisRecord,
    figure: Option<String>,
    shown: &Shown,
) -> Json {
    let at = place(name);
    let numbered = |list: &'static str, metrics: &'_ [crate::data::MetricFacts]| {
        let placed = metrics.iter().cloned().enumerate();
        placed.map(|(at, metric)| (format!("{list}/{at}"), metric)).collect::<Vec<_>>()
    };
    let mut metrics = numbered("metrics", &analysis.metrics);
    metrics.extend(numbered("standard", &analysis.standard));
    // Most measures are made the same way, which is said once below the table.
    let mut ways: Vec<Way> = Vec::new();
    let rows = metrics.iter().map(|(listed, metric)| {
        let path = format!("{at}/performance/{}", metric.name);
        let Some(estimate) = analysis.performance.get(&metric.name) else {
            let (value, interval) = match shown.is_hidden(&path) {
                true => (shown.number(&path, 3), String::new()),
                false => ("–".to_string(), not_defined(analysis, &metric.name)),
            };
            return json!({
                "title": metric.title, "value": value, "interval": interval, "way": "",
                "has_chance": false, "has_spread": false, "chance": "", "spread": "",
            });
        };
        let (before, n, after) = parted(&estimate.method);
        let known =
            ways.iter().position(|way| (way.before, way.after) == (before, after));
        let way = known.unwrap_or_else(|| {
            ways.push(Way { before, after, n: Vec::new() });
            ways.len() - 1
        });
        if !n.is_empty() && !ways[way].n.contains(&n) {
            ways[way].n.push(n);
        }
        json!({
            "title": metric.title,
            "chance": shown.number(&format!("{at}/{listed}/chance"), 2),
            "has_chance": shown.has(&format!("{at}/{listed}/chance")),
            "spread": shown.number(&format!("{path}/sd_folds"), 3),
            "has_spread": estimate.sd_folds.is_some(),
            "value": shown.number(&format!("{path}/estimate"), 3),
            "interval": shown.interval(&path, 3),
            "way": letter(way),
        })
    });
    let rows: Vec<Json> = rows.collect();
    // A column that says nothing of any measure is left out.
    let any = |what: &str| rows.iter().any(|row| row[what] == true);
    let (spread, chance) = (any("has_spread"), any("has_chance"));
    let ways = ways.iter().enumerate();
    let ways = ways.map(|(at, way)| {
        let text = format!("{}{}{}", way.before, listed(&way.n), way.after);
        let text = counts_apart(&powers(&text));
        json!({ "way": letter(at), "text": first_upper(&text) })
    });
    let ways: Vec<Json> = ways.collect();
    let notes = analysis.performance.iter().filter(|(_, e)| !e.failed_folds.is_empty());
    let notes = notes.map(|(metric, estimate)| {
        let failed = &estimate.failed_folds;
        let named = analysis.metrics.iter().chain(&analysis.standard);
        let title = named.into_iter().find(|of| of.name == *metric).map(titled);
        format!(
            "{} could not be computed in {}; {}.",
            title.unwrap_or(metric),
            counted(failed),
            failed[0]
        )
    });
    let failed = analysis.failures().into_iter().map(failure);
    json!({
        "name": name,
        "figure": figure,
        "scheme": first_upper(&analysis.scheme_text),
        "n": shown.count(&format!("{}/n", judged_place(name, analysis))),
        "positive": shown.count(&format!("{}/n_positive", judged_place(name, analysis))),
        "predictors": shown.count(&format!("{at}/n_predictors")),
        "threshold": analysis.threshold,
        "rows": rows,
        "has_spread": spread,
        "has_chance": chance,
        "ways": ways,
        "notes": notes.collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(),
    })
}

/// How numbers are made that differ in the patients they are shares of alone.
struct Way<'m> {
    before: &'m str,
    n: Vec<&'m str>,
    after: &'m str,
}

/// A method with its number of patients apart, if it has one.
fn parted(method: &str) -> (&str, &str, &str) {
    const BEFORE: &str = "interval with n = ";
    let parted = method.find(BEFORE).and_then(|at| {
        let (before, rest) = method.split_at(at + BEFORE.len());
        let end = rest.find(" patients")?;
        Some((before, &rest[..end], &rest[end..]))
    });
    parted.unwrap_or((method, "", ""))
}

/// `1, 2 and 3`.
fn listed(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => {
            format!("{} and {last}", before.join(", "))
        }
        _ => words.concat(),
    }
}

/// Of how many folds and sites, which are named, and of how many whole repeats these failures are.
fn counted(failed: &[String]) -> String {
    let named = |first: &str| failed.iter().filter(|why| why.starts_with(first)).count();
    let (folds, sites) = (named("repeat "), named("site "));
    let counts =
        [(folds, "fold"), (sites, "site"), (failed.len() - folds - sites, "repeat")];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0);
    let counts: Vec<String> = counts
        .map(|(n, what)| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        })
        .collect();
    listed(&counts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A measure by its name, AUROC by its short one.
fn titled(metric: &MetricFacts) -> &str {
    match metric.name.as_str() {
        "auroc" => "AUROC",
        _ => &metric.title,
    }
}

/// Why results are missing, as HTML.
fn failure(failed: &Removed) -> String {
    let results = if failed.n.known() == Some(1) { "result" } else { "results" };
    format!("{} ({} {results}).", coded(&failed.reason), failed.n)
}

/// a, b, c and so on; there are fewer ways of making a number than letters.
fn letter(at: usize) -> char {
    (b'a'..=b'z').nth(at).map_or('?', char::from)
}

fn figure<'a>(
    record: &StudyRecord,
    (name, analysis): (&'a String, &AnalysisRecord),
    shown: &Shown,
) -> Figure<'a> {
    let standing = whereabouts(record, analysis);
    let repeats = analysis.roc.len();
    let of_curve = match (shown.protects, repeats) {
        (true, _) => format!("{standing}, smooth"),
        (false, 1) => format!("{standing}, all {}", parts(analysis)),
        (false, _) => format!("{standing}, mean of repeats"),
    };
    let series = Standing::of(record, analysis).series();
    let drawn = Drawn::of((name, analysis), (of_curve, series), shown);
    let (roc, folds) = (roc(&drawn, analysis, shown), folds(name, analysis, series));
    // A site that is held out is one fold, and is called what it is.
    let part = part(analysis);
    // Whatever chose among candidates, the finding of these curves is the area under them.
    let area = format!("{}/performance/auroc", place(name));
    let heading = match analysis.performance.get("auroc") {
        Some(found) => format!(
            "AUROC {} on rows held out from every step{}",
            shown.estimate(&area, 2),
            against_chance(found)
        ),
        None => "ROC curves on rows held out from every step".to_string(),
    };
    let mut rows = curve_rows(&drawn);
    // What is smooth is one curve, which is its own mean.
    let single = if shown.protects { &[][..] } else { &analysis.roc[..] };
    for (position, curve) in single.iter().enumerate() {
        let set = format!("{standing}, repeat {}", position + 1);
        let thresholds = analysis.roc_thresholds.get(position);
        for (at, point) in curve.points.iter().enumerate() {
            let threshold = thresholds.and_then(|of| of.get(at.checked_sub(1)?));
            let threshold = threshold.map_or(String::new(), |of| plain(*of, 4));
            let [fpr, tpr] = [plain(point.x, 4), plain(point.y, 4)];
            rows.push(vec![
                set.clone(),
                fpr,
                tpr,
                String::new(),
                String::new(),
                threshold,
            ]);
        }
    }
    rows.iter_mut().for_each(|row| row.push(String::new()));
    for fold in &analysis.folds {
        let value = fold.value.map_or(String::new(), |value| plain(value, 4));
        let set = format!("{standing}, fold {}.{}", fold.repeat, fold.outer);
        let mut row = vec![String::new(); COLUMNS.len() + 1];
        (row[0], row[COLUMNS.len()]) = (set, value);
        rows.push(row);
    }
    Figure {
        id: name,
        heading,
        sub: format!(
            "ROC: {}{}{}. By {part}: {} {}.",
            match shown.protects {
                true => "a smooth curve through the mean of the curves of all repeats"
                    .to_string(),
                false if repeats == 1 => {
                    format!("step curve of all {} together", parts(analysis))
                }
                false => format!(
                    "step curves pooled within each of {repeats} repeats, thin, and their mean, bold"
                ),
            },
            match drawn.band.points.is_empty() {
                true => "",
                false => "; shaded: where sensitivity lies at each specificity",
            },
            match drawn.at {
                Some(_) if is_stated(analysis) =>
                    "; mark: at the threshold that was stated beforehand",
                Some(_) if analysis.folds.len() < 2 => "; mark: at the learned threshold",
                // Each fold's rows are called at its own, so that no one point of the curve is meant.
                Some(_) =>
                    "; mark: each fold at the threshold it learned, which need not be on the curve",
                None => "",
            },
            primary(analysis),
            match analysis.folds.len() {
                1 =>
                    "on the part that was held out, with its 95 % interval where it has one"
                        .to_string(),
                _ => format!(
                    "in each held-out {part}; the line is {}, the band its 95 % interval",
                    match analysis.kind.as_str() {
                        "sites" => "the estimate over all of them",
                        _ => "the mean",
                    }
                ),
            }
        ),
        body: format!(
            "<div class=\"pair\"><div><h4>ROC</h4>{roc}</div><div><h4>By {part}</h4>{folds}</div></div>"
        ),
        pictures: vec![roc, folds],
        method: match analysis.performance.get(&analysis.primary) {
            Some(estimate) => format!(
                "{}; out-of-fold {} in each outer split, {}{}. {}Estimate: {}.",
                match shown.protects {
                    true => SMOOTH,
                    false => "Equal scores are passed at once, without smoothing",
                },
                match analysis.averages() {
                    true => "averages of the probabilities of several candidates",
                    false => "probabilities of the candidate chosen",
                },
                analysis.scheme_text,
                pooled_folds(analysis),
                around(&analysis.roc_band.method),
                estimate.method
            ),
            None => "The estimate is missing; the reason stands above.".to_string(),
        },
        table: DataTable {
            head: COLUMNS
                .into_iter()
                .chain([analysis.primary.as_str()])
                .map(String::from)
                .collect(),
            rows,
        },
    }
}

/// Whether the interval of an AUROC excludes what no model gives.
fn against_chance(found: &Estimate) -> &'static str {
    match found.lower.zip(found.upper) {
        Some((lower, upper)) if lower <= 0.5 && 0.5 <= upper => {
            ": chance is not excluded"
        }
        _ => "",
    }
}

/// What is held out in turn.
fn part(analysis: &AnalysisRecord) -> &'static str {
    if analysis.kind == "sites" { "site" } else { "fold" }
}

fn parts(analysis: &AnalysisRecord) -> &'static str {
    if analysis.kind == "sites" { "sites" } else { "folds" }
}

/// What a curve over several folds does that the mean over folds does not.
fn pooled_folds(analysis: &AnalysisRecord) -> &'static str {
    match analysis.folds.iter().filter(|fold| fold.repeat == 1).count() {
        0 | 1 => "",
        _ if analysis.kind == "sites" => {
            "; the curve ranks the rows of all sites together, although each site has a model of its \
             own, so that the area under it need not be the estimate over sites"
        }
        _ => {
            "; a curve ranks the rows of all folds of a repeat together, although each fold has a \
             model of its own, so that the area under it need not be the mean over folds"
        }
    }
}

/// The band of a curve as a sentence.
pub fn around(method: &str) -> String {
    match method {
        "" => String::new(),
        method => format!("{}. ", first_upper(method)),
    }
}

/// How curves are drawn that must not show single patients.
pub const SMOOTH: &str = "The binormal curve that is fitted to the mean of the step curves, which are \
                          withheld, as their steps are patients";

fn roc(drawn: &Drawn<'_>, analysis: &AnalysisRecord, shown: &Shown) -> String {
    let mut svg = frame();
    shade(&mut svg, drawn.series, drawn.band);
    // A page holds so many marks; the data table has every curve.
    if !shown.protects {
        for curve in analysis.roc.iter().take(50) {
            svg.path(&format!("thin{}", drawn.series), &points(curve));
        }
    }
    drawn.draw(&mut svg);
    let (label, described) = match (shown.protects, analysis.roc.len()) {
        (true, _) => ("smooth", "A smooth curve".to_string()),
        (false, 1) if analysis.kind == "sites" => ("all sites", "One curve".to_string()),
        (false, 1) => ("all folds", "One curve".to_string()),
        (false, n) => {
            ("mean of repeats", format!("{n} curves, one per repeat, and their mean"))
        }
    };
    svg.text(&format!("k{}", drawn.series), (x(0.97), y(0.06)), Anchor::End, label);
    let band = match drawn.band.points.is_empty() {
        true => "",
        false => " with a pointwise 95 % band",
    };
    let described = format!(
        "Receiver operating characteristic. {described}{band}. {}.",
        drawn.told()
    );
    svg.finish("ROC curves", &described)
}

fn folds(name: &str, analysis: &AnalysisRecord, series: usize) -> String {
    let mut svg = Svg::new(420.0, 400.0);
    let repeats = analysis.folds.iter().map(|fold| fold.repeat).max().unwrap_or(1);
    let outer = analysis.folds.iter().map(|fold| fold.outer).max().unwrap_or(1);
    // Of a single repeat the folds are counted below the axis.
    let below = match (repeats, analysis.kind.as_str()) {
        (1, "sites") => "Site that is held out, by number",
        (1, _) if outer > 1 => "Fold",
        _ => "Repeat",
    };
    axes(&mut svg, below, &primary(analysis));
    let estimate = analysis.performance.get(&analysis.primary);
    if let Some(estimate) = estimate {
        if let (Some(lower), Some(upper)) = (estimate.lower, estimate.upper) {
            svg.rect(
                &format!("band{series}"),
                (LEFT, y(upper)),
                (RIGHT - LEFT, y(lower) - y(upper)),
            );
        }
        let line = format!("line{series}");
        svg.line(&line, (LEFT, y(estimate.estimate)), (RIGHT, y(estimate.estimate)));
    }
    let chance = analysis.metrics.iter().find(|m| m.name == analysis.primary);
    if let Some(chance) = chance.and_then(|metric| metric.chance) {
        svg.line("ref", (LEFT, y(chance)), (RIGHT, y(chance)));
        svg.text("small", (RIGHT - 4.0, y(chance) + 14.0), Anchor::End, "chance");
    }
    let width = (RIGHT - LEFT) / repeats as f64;
    // Folds of one repeat stand side by side, so that equal values do not hide each other.
    let place = |repeat: usize, fold: usize| {
        let within = (fold as f64 - 0.5) / outer as f64;
        LEFT + (repeat as f64 - 1.0 + 0.15 + 0.7 * within) * width
    };
    for fold in &analysis.folds {
        let Some(value) = fold.value else { continue };
        // A site is named by its number, as in the table of splits.
        let of = match part(analysis) {
            "site" => format!("site {}", fold.outer),
            _ => format!("repeat {}, fold {}", fold.repeat, fold.outer),
        };
        let tip = format!(
            "{of}: {} ({} rows, {} positive)",
            plain(value, 3),
            fold.n_held_out,
            fold.positive_held_out
        );
        svg.mark(series, (place(fold.repeat, fold.outer), y(value)), 4.2, &tip);
    }
    let ticks: Vec<(usize, f64)> = match (repeats, outer) {
        (1, 2..) => (1..=outer).map(|fold| (fold, place(1, fold))).collect(),
        _ => {
            let middle = |repeat: usize| LEFT + (repeat as f64 - 0.5) * width;
            (1..=repeats).map(|repeat| (repeat, middle(repeat))).collect()
        }
    };
    let every = ticks.len().div_ceil(10);
    for (number, at) in ticks.into_iter().step_by(every.max(1)) {
        svg.text("small", (at, BOTTOM + 18.0), Anchor::Middle, &number.to_string());
    }
    let values = || analysis.folds.iter().filter_map(|fold| fold.value);
    let ends = [values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max)];
    let description = format!(
        "{} of {name} {}{}{}.",
        primary(analysis),
        match analysis.folds.len() {
            1 => "on the part that was held out".to_string(),
            n => format!("in each of {n} held-out {}", parts(analysis)),
        },
        match values().nth(1) {
            Some(_) => format!(": from {} to {}", plain(ends[0], 2), plain(ends[1], 2)),
            None => String::new(),
        },
        match estimate {
            Some(of) if analysis.kind == "sites" => {
                format!(", over all of them {}", plain(of.estimate, 2))
            }
            Some(of) => format!(", mean {}", plain(of.estimate, 2)),
            None => String::new(),
        }
    );
    svg.finish(&format!("Value in each {}", part(analysis)), &description)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{counted, folds, listed, parted, parts};
    use crate::data::AnalysisRecord;

    #[test]
    fn sites_that_are_held_out_are_drawn_and_called_as_sites() {
        let fold = |outer: usize, value: f64| {
            let fold = json!({
                "repeat": 1, "outer": outer, "n_train": 40, "n_held_out": 20,
                "positive_held_out": 8, "value": value, "candidate": null,
                "falls_back": false, "without_columns": false, "threshold": null,
            });
            serde_json::from_value(fold).unwrap()
        };
        let of = |kind: &str| AnalysisRecord {
            kind: kind.to_string(),
            folds: vec![fold(1, 0.7), fold(2, 0.8)],
            ..AnalysisRecord::default()
        };
        let sites = folds("a", &of("sites"), 3);
        for words in
            ["Site that is held out", "site 2: 0.800", "dot3", "2 held-out sites"]
        {
            assert!(sites.contains(words), "{words}: {sites}");
        }
        assert!(!sites.contains("Repeat") && !sites.contains("dot1"), "{sites}");
        let inside = folds("a", &of("internal"), 1);
        assert!(inside.contains("repeat 1, fold 2: 0.800"), "{inside}");
        assert_eq!((parts(&of("sites")), parts(&of("internal"))), ("sites", "folds"));
    }

    #[test]
    fn ways_that_differ_in_a_number_are_one() {
        let method = "pooled; Wilson's 95 % interval with n = 49.2 patients; rounded";
        let (before, n, after) = parted(method);
        assert_eq!((n, format!("{before}{n}{after}").as_str()), ("49.2", method));
        assert_eq!(parted("a mean"), ("a mean", "", ""));
        assert_eq!(listed(&["48", "72", "49.2"]), "48, 72 and 49.2");
        assert_eq!(listed(&["48"]), "48");
    }

    #[test]
    fn failures_of_folds_and_of_repeats_are_told_apart() {
        let of = |failed: &[&str]| {
            counted(&failed.iter().map(|why| (*why).to_string()).collect::<Vec<_>>())
        };
        let undefined = "it is not defined here: all rows are called alike, or are alike";
        assert_eq!(of(&[undefined, undefined]), "2 repeats");
        assert_eq!(of(&["repeat 1, split 2: no"]), "1 fold");
        assert_eq!(
            of(&[undefined, "site 3: few", "repeat 1, split 2: no"]),
            "1 fold, 1 site and 1 repeat"
        );
    }
}
