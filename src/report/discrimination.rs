//! Discrimination: ROC curves, the folds behind them, and the performance table.

use serde_json::{Value as Json, json};

use super::figure::{DataTable, Figure};
use super::shown::{Shown, fill, plain};
use super::svg::{Anchor, Svg};
use crate::data::AnalysisRecord;
use crate::operation::prelude::*;

/// ROC curves pooled within each repeat with their mean, the value of every fold, and all metrics.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Discrimination {}

impl Operation for Discrimination {
    const ABOUT: About = About {
        name: "discrimination",
        title: "Discrimination",
        version: 1,
        sources: &["hanley1982", "nadeau2003", "wilson1927"],
        example: "discrimination",
    };
}

impl Section for Discrimination {
    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let mut analyses = Vec::new();
        for name in &record.analysis_order {
            let analysis = &record.analyses[name];
            let figure = match analysis.roc.is_empty() {
                true => None,
                false => Some(
                    figure(name, analysis, &shown).into_html(simulated, &mut fragment)?,
                ),
            };
            analyses.push(described(name, analysis, figure, &shown));
        }
        fragment.html = fill(
            "discrimination.html",
            json!({ "simulated": simulated, "analyses": analyses }),
        )?;
        Ok(fragment)
    }
}

fn described(
    name: &str,
    analysis: &AnalysisRecord,
    figure: Option<String>,
    shown: &Shown,
) -> Json {
    let at = format!("/analyses/{name}");
    let rows = analysis.metrics.iter().filter_map(|metric| {
        let estimate = analysis.performance.get(&metric.name)?;
        let path = format!("{at}/performance/{}", metric.name);
        Some(json!({
            "title": metric.title,
            "value": shown.number(&format!("{path}/estimate"), 3),
            "interval": shown.interval(&path, 3),
            "method": estimate.method,
        }))
    });
    let notes = analysis.performance.iter().filter(|(_, e)| !e.failed_folds.is_empty());
    let notes = notes.map(|(metric, estimate)| {
        let first = &estimate.failed_folds[0];
        format!(
            "{metric} could not be computed in {} folds; {first}.",
            estimate.failed_folds.len()
        )
    });
    let failed = analysis.failed_nodes.iter();
    let failed =
        failed.map(|failed| format!("{} ({} results).", failed.reason, failed.n));
    json!({
        "name": name,
        "figure": figure,
        "scheme": analysis.scheme_text,
        "n": shown.count(&format!("{at}/n")),
        "positive": shown.count(&format!("{at}/n_positive")),
        "predictors": shown.count(&format!("{at}/n_predictors")),
        "threshold": analysis.threshold,
        "rows": rows.collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(),
    })
}

fn figure<'a>(name: &'a str, analysis: &AnalysisRecord, shown: &Shown) -> Figure<'a> {
    let path = format!("/analyses/{name}/performance/{}", analysis.primary);
    let (roc, folds) = (roc(name, analysis), folds(name, analysis));
    let is_auroc = analysis.primary == "auroc";
    let heading = match analysis.performance.get(&analysis.primary) {
        Some(_) if is_auroc => {
            format!("AUROC {} on rows that no step had seen", shown.estimate(&path, 2))
        }
        _ => "ROC curves on rows that no step had seen".to_string(),
    };
    let repeats = analysis.roc.len();
    let mut rows = Vec::new();
    for (position, curve) in analysis.roc.iter().enumerate() {
        for point in &curve.points {
            rows.push(vec![
                format!("repeat {}", position + 1),
                plain(point.x, 4),
                plain(point.y, 4),
            ]);
        }
    }
    for fold in &analysis.folds {
        let value = fold.value.map_or(String::new(), |value| plain(value, 4));
        let what = format!("{} of fold {}.{}", analysis.primary, fold.repeat, fold.outer);
        rows.push(vec![what, String::new(), value]);
    }
    Figure {
        id: name,
        heading,
        sub: format!(
            "Left: step curves pooled within each of {repeats} repeats, thin, and their mean, \
             bold. Right: {} in each held-out fold; the line is the mean, the band its 95 % \
             interval.",
            if is_auroc { "AUROC" } else { &analysis.primary }
        ),
        body: format!(
            "<div class=\"pair\"><div><h4>ROC</h4>{roc}</div><div><h4>By fold</h4>{folds}</div></div>"
        ),
        pictures: vec![roc, folds],
        method: match analysis.performance.get(&analysis.primary) {
            Some(estimate) => format!(
                "{}; out-of-fold probabilities of the candidate chosen in each outer split, {}. \
                 Estimate: {}.",
                "Equal scores are passed at once, without smoothing",
                analysis.scheme_text,
                estimate.method
            ),
            None => "The estimate is missing; the reason stands above.".to_string(),
        },
        table: DataTable {
            head: ["curve", "1 − specificity", "sensitivity or value"]
                .map(String::from)
                .to_vec(),
            rows,
        },
    }
}

/// Plot area within a picture of 420 × 400. Units: pixels.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 400.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 350.0;

fn x(value: f64) -> f64 {
    LEFT + value * (RIGHT - LEFT)
}

fn y(value: f64) -> f64 {
    BOTTOM - value * (BOTTOM - TOP)
}

fn axes(svg: &mut Svg, below: &str, beside: &str) {
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        svg.line("grid", (LEFT, y(value)), (RIGHT, y(value)));
        svg.text("small", (LEFT - 8.0, y(value) + 4.0), Anchor::End, &plain(value, 1));
    }
    svg.path("axis", &[(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)]);
    svg.text("small", ((LEFT + RIGHT) / 2.0, BOTTOM + 38.0), Anchor::Middle, below);
    svg.text_up("small", (14.0, (TOP + BOTTOM) / 2.0), beside);
}

fn roc(name: &str, analysis: &AnalysisRecord) -> String {
    let mut svg = Svg::new(420.0, 400.0);
    axes(&mut svg, "1 − specificity", "Sensitivity");
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        svg.line("axis", (x(value), BOTTOM), (x(value), BOTTOM + 4.0));
        svg.text("small", (x(value), BOTTOM + 18.0), Anchor::Middle, &plain(value, 1));
    }
    svg.line("ref", (x(0.0), y(0.0)), (x(1.0), y(1.0)));
    svg.text("small", (x(0.97), y(0.80)), Anchor::End, "chance");
    let points = |curve: &crate::data::Curve| -> Vec<(f64, f64)> {
        curve.points.iter().map(|point| (x(point.x), y(point.y))).collect()
    };
    // A page holds so many marks; the data table has every curve.
    for curve in analysis.roc.iter().take(50) {
        svg.path("thin1", &points(curve));
    }
    svg.path("line1", &points(&analysis.roc_mean));
    svg.text("k1", (x(0.97), y(0.06)), Anchor::End, "mean of repeats");
    let description = format!(
        "Receiver operating characteristic of {name}: {} curves, one per repeat, and their mean.",
        analysis.roc.len()
    );
    svg.finish("ROC curves", &description)
}

fn folds(name: &str, analysis: &AnalysisRecord) -> String {
    let mut svg = Svg::new(420.0, 400.0);
    axes(&mut svg, "Repeat", if analysis.primary == "auroc" { "AUROC" } else { "Value" });
    let estimate = analysis.performance.get(&analysis.primary);
    if let Some(estimate) = estimate {
        if let (Some(lower), Some(upper)) = (estimate.lower, estimate.upper) {
            svg.rect("band1", (LEFT, y(upper)), (RIGHT - LEFT, y(lower) - y(upper)));
        }
        svg.line("line1", (LEFT, y(estimate.estimate)), (RIGHT, y(estimate.estimate)));
    }
    let chance = analysis.metrics.iter().find(|m| m.name == analysis.primary);
    if let Some(chance) = chance.and_then(|metric| metric.chance) {
        svg.line("ref", (LEFT, y(chance)), (RIGHT, y(chance)));
        svg.text("small", (RIGHT - 4.0, y(chance) + 14.0), Anchor::End, "chance");
    }
    let repeats = analysis.folds.iter().map(|fold| fold.repeat).max().unwrap_or(1);
    let outer = analysis.folds.iter().map(|fold| fold.outer).max().unwrap_or(1);
    let width = (RIGHT - LEFT) / repeats as f64;
    for fold in &analysis.folds {
        let Some(value) = fold.value else { continue };
        // Folds of one repeat stand side by side, so that equal values do not hide each other.
        let within = (fold.outer as f64 - 0.5) / outer as f64;
        let at = LEFT + (fold.repeat as f64 - 1.0 + 0.15 + 0.7 * within) * width;
        let tip = format!(
            "repeat {}, fold {}: {} ({} rows, {} positive)",
            fold.repeat,
            fold.outer,
            plain(value, 3),
            fold.n_held_out,
            fold.positive_held_out
        );
        svg.dot("dot1", (at, y(value)), 4.2, &tip);
    }
    let every = repeats.div_ceil(10);
    for repeat in (1..=repeats).filter(|repeat| (repeat - 1) % every == 0) {
        let at = LEFT + (repeat as f64 - 0.5) * width;
        svg.text("small", (at, BOTTOM + 18.0), Anchor::Middle, &repeat.to_string());
    }
    let description = format!(
        "{} of {name} in each of {} held-out folds.",
        analysis.primary,
        analysis.folds.len()
    );
    svg.finish("Value in each fold", &description)
}
