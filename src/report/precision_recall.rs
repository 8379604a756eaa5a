//! The precision–recall curve of the headline, with the line of its prevalence.

use super::figure::{DataTable, Figure};
use super::plot::{Axis, Plot};
use super::shown::{Shown, place, plain};
use super::standing::judged_place;
use crate::data::AnalysisRecord;

/// None where the record has no such curve.
pub fn figure(
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Option<Figure<'static>> {
    if analysis.precision_recall.is_empty() {
        return None;
    }
    let axis = |label| Axis { from: 0.0, to: 1.0, label };
    let mut plot = Plot::new(
        &axis("Recall (sensitivity)"),
        &axis("Precision (predictive value)"),
        0.0,
    );
    let (n, positive) = analysis.judged_rows()?;
    let prevalence = positive as f64 / n.max(1) as f64;
    plot.line("ref", [(0.0, prevalence), (1.0, prevalence)].into_iter());
    // A page holds so many marks; the data table has every curve.
    let mean = &analysis.precision_recall_mean.points;
    match shown.protects {
        true => plot.line("line1", mean.iter().map(|point| (point.x, point.y))),
        false => {
            for curve in analysis.precision_recall.iter().take(20) {
                plot.line("thin1", steps(&curve.points));
            }
            plot.line("line1", steps(mean));
        }
    }
    let path = format!("{}/performance/average_precision", place(name));
    let known = analysis.performance.get("average_precision");
    let value = known.map_or("not computed".to_string(), |e| plain(e.estimate, 2));
    let description = format!(
        "Precision against recall of {name}, {}; average precision {value}, prevalence {}.",
        match shown.protects {
            true => "a smooth curve".to_string(),
            false => format!("{} curves and their mean", analysis.precision_recall.len()),
        },
        plain(prevalence, 2)
    );
    let picture = plot.svg.finish("Precision and recall", &description);
    let mut rows = Vec::new();
    for (position, curve) in analysis.precision_recall.iter().enumerate() {
        for point in &curve.points {
            let repeat = match shown.protects {
                true => "smooth".to_string(),
                false => format!("repeat {}", position + 1),
            };
            rows.push(vec![repeat, plain(point.x, 4), plain(point.y, 4)]);
        }
    }
    Some(Figure {
        id: "precision-recall",
        heading: match known {
            Some(_) => format!(
                "Average precision {}; one prediction for all would give the prevalence, {} of {}",
                shown.estimate(&path, 2),
                shown.count(&format!("{}/n_positive", judged_place(name, analysis))),
                shown.count(&format!("{}/n", judged_place(name, analysis)))
            ),
            None => "Precision and recall on held-out rows".to_string(),
        },
        sub: match shown.protects {
            true => "Smooth, from the ROC curve above and the prevalence, which is dashed.",
            false => "Thin: pooled within each repeat. Bold: their mean. Dashed: the prevalence.",
        }
        .to_string(),
        body: format!("<div class=\"single\">{picture}</div>"),
        pictures: vec![picture],
        method: format!(
            "{}. Compare it with other cohorts only at the same prevalence.",
            match shown.protects {
                true =>
                    "What the binormal ROC curve means at this prevalence; the average precision is \
                     that of the step curves, which are withheld, as their steps are patients",
                false =>
                    "Steps: a stretch of recall has the precision of its right end, so that the area \
                     is the average precision",
            }
        ),
        table: DataTable {
            head: ["curve", "recall", "precision"].map(String::from).to_vec(),
            rows,
        },
    })
}

/// The corners of the steps: precision holds to the right end of each stretch.
fn steps(points: &[crate::data::Point]) -> impl Iterator<Item = (f64, f64)> + '_ {
    let first = points.first().map(|point| (0.0, point.y));
    first.into_iter().chain(points.iter().enumerate().flat_map(move |(at, point)| {
        let next = points.get(at + 1).map_or(point.y, |next| next.y);
        [(point.x, point.y), (point.x, next)]
    }))
}
