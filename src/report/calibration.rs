//! Calibration: whether predicted probabilities are what happens.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::figure::{DataTable, Figure};
use super::forest::Counted;
use super::plot::{Axis, Plot};
use super::shown::{Shown, escape, fill, place, plain};
use super::standing::{Standing, headline, same_question, whereabouts};
use super::table_one::spread_below;
use crate::data::{AnalysisRecord, CalibrationCurve};
use crate::operation::prelude::*;

/// The flexible calibration curve with its band and the distribution of predictions, with offset, slope, O:E and error indices.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {}

impl Operation for Calibration {
    const ABOUT: About = About {
        name: "calibration",
        title: "Calibration",
        // 1: first release. 2: the Brier score stands beside that of the prevalence.
        version: 2,
        sources: &["collins2024", "cleveland1988"],
        example: "calibration",
    };
}

impl Section for Calibration {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Calibration),
            fills: &[
                Fill::metrics("22", &[Evidence::Calibration]),
                Fill::rqs("10a", &[Evidence::Calibration, Evidence::CalibrationInterval]),
                Fill::rqs(
                    "10b",
                    &[
                        Evidence::Calibration,
                        Evidence::CalibrationInterval,
                        Evidence::Resampled,
                    ],
                ),
            ],
            figures: &["F4"],
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
        let mut asked: Vec<(&String, &AnalysisRecord)> = Vec::new();
        if let Some((_, of)) = headline(record) {
            asked.extend(
                same_question(record, of).filter(|(_, a)| a.calibration.is_some()),
            );
        }
        let mut figures = Vec::new();
        for (position, (name, analysis)) in asked.iter().enumerate() {
            let Some(curve) = &analysis.calibration else { continue };
            let id = match position {
                0 => "calibration-curve".to_string(),
                n => format!("calibration-curve-{}", n + 1),
            };
            let figure = figure(record, &shown, &id, name, analysis, curve);
            figures.push(figure.into_html(simulated, &mut fragment)?);
        }
        let rows =
            asked.iter().map(|(name, analysis)| numbers(record, &shown, name, analysis));
        fragment.html = fill(
            "calibration.html",
            json!({
                "simulated": simulated, "figures": figures,
                "rows": rows.collect::<Vec<_>>(),
                "hidden": headline(record).is_some_and(|(name, _)| {
                    shown.is_hidden(&format!("{}/calibration", place(name)))
                }),
                // Of one place the table beside its curve says as much.
                "several": asked.len() > 1,
                "few": asked.iter().any(|(_, a)| a.calibration.as_ref().is_some_and(|c| c.few)),
            }),
        )?;
        Ok(fragment)
    }
}

/// Offset, slope, O:E and the errors of one analysis.
fn numbers(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Json {
    let of = |metric: &str| {
        let path = format!("{}/performance/{metric}", place(name));
        match analysis.performance.contains_key(metric) || shown.is_hidden(&path) {
            true => spread_below(&shown.estimate(&path, 2)),
            false => "–".to_string(),
        }
    };
    json!({
        "where": format!("{}, {}", whereabouts(record, analysis), analysis.cohort),
        "intercept": of("calibration_intercept"),
        "slope": of("calibration_slope"),
        "ratio": of("observed_expected"),
        "brier": of("brier"),
        "scaled": of("scaled_brier"),
        "log_loss": of("log_loss"),
    })
}

fn figure<'a>(
    record: &StudyRecord,
    shown: &Shown,
    id: &'a str,
    name: &str,
    analysis: &AnalysisRecord,
    curve: &CalibrationCurve,
) -> Figure<'a> {
    let series = Standing::of(record, analysis).series();
    let axis = |label| Axis { from: 0.0, to: 1.0, label };
    let room = 100.0;
    let mut plot =
        Plot::new(&axis("Predicted probability"), &axis("Observed share"), room);
    plot.line("ref", [(0.0, 0.0), (1.0, 1.0)].into_iter());
    let band: Vec<(f64, f64, f64)> = curve
        .points
        .iter()
        .filter_map(|point| Some((point.x, point.lower?, point.upper?)))
        .collect();
    plot.band(&format!("band{series}"), &band);
    plot.line(&format!("line{series}"), curve.points.iter().map(|p| (p.x, p.y)));
    let bins: Vec<(f64, f64, f64, f64)> = curve
        .distribution
        .iter()
        .map(|bin| (bin.lower, bin.upper, bin.events, bin.non_events))
        .collect();
    plot.beneath(series, &bins, room);
    let at = place(name);
    let ends = curve.points.first().zip(curve.points.last());
    let range = ends.map_or(String::new(), |_| {
        let end =
            |which: usize| shown.number(&format!("{at}/calibration/points/{which}/x"), 2);
        let last = curve.points.len() - 1;
        format!(" The curve runs over predictions from {} to {}.", end(0), end(last))
    });
    let value = |metric: &str| {
        let path = format!("{at}/performance/{metric}");
        match analysis.performance.contains_key(metric) || shown.is_hidden(&path) {
            true => spread_below(&shown.estimate(&path, 2)),
            false => "not computed".to_string(),
        }
    };
    let description = format!(
        "Calibration of {}: intercept {}, slope {}, O:E {}, Brier score {}{}.{range}",
        escape(name),
        value("calibration_intercept"),
        value("calibration_slope"),
        value("observed_expected"),
        value("brier"),
        reference(shown, &at, analysis).map_or(String::new(), |of| format!(
            ", {of} by the prevalence of these rows"
        ))
    );
    let picture = plot.svg.finish_told("Calibration", &description);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let number = |value: Option<f64>| value.map_or(String::new(), |v| plain(v, 4));
    // The smoother looks at all predictions, whichever point of it is told.
    let n = Counted::of(name, analysis).n.to_string();
    for p in &curve.points {
        let (x, y) = (plain(p.x, 4), plain(p.y, 4));
        let limits = [number(p.lower), number(p.upper)];
        let cells = ["curve".to_string(), x, y].into_iter().chain(limits);
        rows.push(cells.chain([n.clone(), String::new(), String::new()]).collect());
    }
    for bin in &curve.distribution {
        rows.push(vec![
            format!("predictions {} to {}", plain(bin.lower, 2), plain(bin.upper, 2)),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            plain(bin.events, 2),
            plain(bin.non_events, 2),
        ]);
    }
    Figure {
        id,
        heading: heading(record, shown, &at, analysis),
        sub: "Line: smoothed share of events at each predicted probability, with its 95 % band, only \
              where there are predictions. Diagonal: where both are equal. Below: how predictions are \
              distributed, events upwards in colour, non-events downwards in grey."
            .to_string(),
        body: format!(
            "<div class=\"pair beside\"><div>{picture}</div><div>{}</div></div>",
            panel(shown, &at, analysis)
        ),
        pictures: vec![picture],
        method: format!("{}; {}.", first_upper(&curve.smoother), curve.method),
        table: DataTable {
            head: ["what", "pred", "obs", "lo", "hi", "n", "events", "non_events"]
                .map(String::from)
                .to_vec(),
            rows,
        },
    }
}

/// The same with a capital first letter.
pub fn first_upper(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), characters.as_str())
}

/// What slope and intercept say, and no more: the slope first, then whether events are as many as
/// predicted.
fn heading(
    record: &StudyRecord,
    shown: &Shown,
    at: &str,
    analysis: &AnalysisRecord,
) -> String {
    let place = escape(&whereabouts(record, analysis));
    let limits = |metric: &str| {
        analysis.performance.get(metric).map(|found| (found.lower, found.upper))
    };
    let Some(slope) = limits("calibration_slope") else {
        let slope = format!("{at}/performance/calibration_slope");
        return match shown.is_hidden(&slope) {
            true => format!("The calibration slope is hidden ({place})"),
            // As where the classes lie wholly apart.
            false => {
                format!("These predictions determine no calibration slope ({place})")
            }
        };
    };
    let (words, metric) = match (slope, limits("calibration_intercept")) {
        ((_, Some(upper)), _) if upper < 0.0 => {
            ("Higher predicted probabilities go with fewer events", SLOPE)
        }
        // Where a slope of 0 is not excluded, too wide a spread is not what is wrong.
        ((Some(lower), Some(upper)), _) if upper < 1.0 && lower <= 0.0 => {
            ("Predicted probabilities are not shown to go with the outcome", SLOPE)
        }
        ((_, Some(upper)), _) if upper < 1.0 => {
            ("Predicted probabilities are too extreme", SLOPE)
        }
        ((Some(lower), _), _) if lower > 1.0 => {
            ("Predicted probabilities are too timid", SLOPE)
        }
        (_, Some((_, Some(upper)))) if upper < 0.0 => {
            ("Predicted probabilities are too high on average", INTERCEPT)
        }
        (_, Some((Some(lower), _))) if lower > 0.0 => {
            ("Predicted probabilities are too low on average", INTERCEPT)
        }
        ((Some(_), Some(_)), _) => ("No departure from calibration is shown", SLOPE),
        _ => ("Too few predictions to tell whether they are calibrated", SLOPE),
    };
    let number = shown.estimate(&format!("{at}/performance/calibration_{metric}"), 2);
    format!("{words}: {metric} {number} ({place})")
}

const SLOPE: &str = "slope";
const INTERCEPT: &str = "intercept";

/// The Brier score of one prediction for every row, the prevalence. HTML.
fn reference(shown: &Shown, at: &str, analysis: &AnalysisRecord) -> Option<String> {
    let lists = [("metrics", &analysis.metrics), ("standard", &analysis.standard)];
    let place = lists.into_iter().find_map(|(list, of)| {
        let which = of.iter().position(|metric| metric.name == "brier")?;
        Some(format!("{at}/{list}/{which}/chance"))
    })?;
    shown.has(&place).then(|| shown.number(&place, 2))
}

/// What stands in the place of a measure that has no value, with the reason where one is known. HTML.
pub fn not_defined(analysis: &AnalysisRecord, metric: &str) -> String {
    let mut listed = analysis.metrics.iter().chain(&analysis.standard);
    let why = listed.find(|of| of.name == metric);
    match why.and_then(|of| of.missing.as_deref()) {
        Some(why) => {
            let why = why.strip_prefix("it is not defined here: ").unwrap_or(why);
            format!("<span class=\"wraps\">not defined, since {}</span>", coded(why))
        }
        None => "not computed".to_string(),
    }
}

/// The numbers beside the curve.
fn panel(shown: &Shown, at: &str, analysis: &AnalysisRecord) -> String {
    let rows: String = [
        ("calibration_intercept", "Intercept (slope fixed at 1)"),
        ("calibration_slope", "Slope"),
        ("observed_expected", "Observed over expected"),
        ("brier", "Brier score"),
        ("scaled_brier", "Scaled Brier score"),
    ]
    .into_iter()
    .map(|(metric, title)| {
        let path = format!("{at}/performance/{metric}");
        let known = analysis.performance.contains_key(metric) || shown.is_hidden(&path);
        format!(
            "<tr><th scope=\"row\">{title}</th><td class=\"r\">{}{}</td></tr>",
            match known {
                true => shown.estimate(&path, 2),
                false => not_defined(analysis, metric),
            },
            match reference(shown, at, analysis).filter(|_| metric == "brier") {
                Some(of) => format!("<br><small>prevalence of these rows {of}</small>"),
                None => String::new(),
            }
        )
    })
    .collect();
    let errors: String = [
        ("ici", "Mean distance to the curve (ICI)"),
        ("e50", "Median distance (E50)"),
        ("e90", "90th percentile of distances (E90)"),
    ]
    .into_iter()
    .map(|(key, title)| {
        format!(
            "<tr><th scope=\"row\">{title}</th><td class=\"r\">{}</td></tr>",
            shown.number(&format!("{at}/calibration/{key}"), 3)
        )
    })
    .collect();
    format!("<table><tbody>{rows}{errors}</tbody></table>")
}
