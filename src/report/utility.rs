//! Clinical utility: what decisions by the model are worth against treating all or none.

use serde_json::json;

use super::calibration::first_upper;
use super::figure::{DataTable, Figure};
use super::plot::{Axis, Plot};
use super::shown::{Shown, escape, fill, place, plain};
use super::standing::{
    Standing, headline, hue, model, same_question, same_splits, whereabouts,
};
use crate::data::{AnalysisRecord, DecisionCurve, DecisionPoint};
use crate::operation::prelude::*;

/// The decision curve over the range that the author declared, and what decisions at the threshold come to.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Utility {}

impl Operation for Utility {
    const ABOUT: About = About {
        name: "utility",
        title: "Clinical utility",
        // 1: first release. 2: net benefit at the declared threshold.
        version: 2,
        sources: &["vickers2006"],
        example: "utility",
    };
}

impl Section for Utility {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Utility),
            fills: &[
                Fill::clear("42", &[Evidence::Controls, Evidence::Decision]),
                Fill::clear(
                    "48",
                    &[
                        Evidence::Controls,
                        Evidence::Comparisons,
                        Evidence::Confusion,
                        Evidence::Decision,
                    ],
                ),
                Fill::metrics("24", &[Evidence::Controls]),
                Fill::ibsi("73", &[Evidence::Controls]),
                Fill::rqs("14a", &[Evidence::Decision]),
            ],
            figures: &["F5"],
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
        let mut figures = Vec::new();
        if let Some((_, of)) = headline(record) {
            for (position, (name, analysis)) in same_question(record, of).enumerate() {
                let Some(curve) = &analysis.decision else { continue };
                let id = match position {
                    0 => "decision-curve".to_string(),
                    n => format!("decision-curve-{}", n + 1),
                };
                let figure = figure(record, &shown, &id, name, analysis, curve);
                figures.push(figure.into_html(simulated, &mut fragment)?);
            }
        }
        let hidden = headline(record).is_some_and(|(name, _)| {
            shown.is_hidden(&format!("{}/decision", place(name)))
        });
        fragment.html =
            fill("utility.html", json!({ "figures": figures, "hidden": hidden }))?;
        Ok(fragment)
    }
}

fn figure<'a>(
    record: &StudyRecord,
    shown: &Shown,
    id: &'a str,
    name: &str,
    analysis: &AnalysisRecord,
    curve: &DecisionCurve,
) -> Figure<'a> {
    let series = Standing::of(record, analysis).series();
    let beside = beside(record, analysis);
    // The model beside it has the colour and dash that it has in every other picture.
    let other_line =
        beside.map_or(String::new(), |(other, _)| format!("line{}", hue(record, other)));
    let values = curve.points.iter().flat_map(|p| [p.model, p.upper.unwrap_or(p.model)]);
    let highest =
        values.chain(curve.points.iter().map(|p| p.treat_all)).fold(0.02, f64::max);
    let lowest = curve.points.iter().map(|p| p.model).fold(0.0, f64::min).max(-0.05);
    let (low, high) = (lowest.min(-0.02), highest * 1.08);
    let x =
        Axis { from: curve.range.0, to: curve.range.1, label: "Threshold probability" };
    let y = Axis { from: low, to: high, label: "Net benefit" };
    let mut plot = Plot::new(&x, &y, 0.0);
    plot.line("axis", [(x.from, 0.0), (x.to, 0.0)].into_iter());
    let all = curve.points.iter().map(|point| (point.threshold, point.treat_all));
    plot.line("all", all);
    for stretch in stretches(curve) {
        let limits = |p: &DecisionPoint| Some((p.threshold, p.lower?.max(low), p.upper?));
        let band: Vec<(f64, f64, f64)> = stretch.iter().filter_map(limits).collect();
        plot.band(&format!("band{series}"), &band);
    }
    if let Some((_, other)) = beside {
        for stretch in stretches(other) {
            plot.line(&other_line, stretch.iter().map(|p| (p.threshold, p.model)));
        }
    }
    for stretch in stretches(curve) {
        let points = stretch.iter().map(|p| (p.threshold, p.model));
        plot.line(&format!("line{series}"), points);
    }
    let useful = useful(shown, name, curve);
    let at_threshold = at_threshold(shown, name, analysis);
    let end = |which: usize| {
        shown.number(&format!("{}/decision/range/{which}", place(name)), 2)
    };
    let description = format!(
        "Net benefit of {} over thresholds from {} to {}; above both treat-all and treat-none at {}. \
         {at_threshold}",
        escape(name),
        end(0),
        end(1),
        match useful.is_empty() {
            true => "none of them".to_string(),
            false => useful.join(", "),
        }
    );
    let picture = plot.svg.finish_told("Decision curve", &description);
    let standing = escape(&whereabouts(record, analysis));
    let heading = match useful.is_empty() {
        true => format!(
            "At no threshold {} is the model worth more than treating all or none ({standing})",
            if is_whole(curve) { "of the range" } else { "that can be told" }
        ),
        false => format!(
            "{} at thresholds of {}{} ({standing})",
            match banded(curve) {
                true if !is_shown(curve) => {
                    "Not shown to be worth more than treating all or none: above both"
                }
                _ => "Worth more than treating all or none",
            },
            useful.join(", "),
            match banded(curve) {
                true if !is_shown(curve) => " by its estimate, nowhere by its band",
                true => "",
                false => ", by its estimate",
            }
        ),
    };
    let item = |class: &str, label: &str| {
        format!(
            "<li><svg viewBox=\"0 0 30 14\" aria-hidden=\"true\"><path class=\"{class}\" \
             d=\"M1 7L29 7\"/></svg>{}</li>",
            escape(label)
        )
    };
    let mut legend =
        item(&format!("line{series}"), &format!("{}, 95 % band", model(analysis)));
    if let Some((other, _)) = beside {
        legend.push_str(&item(&other_line, &model(other)));
    }
    legend.push_str(&item("all", "treat all"));
    legend.push_str(&item("axis", "treat none"));
    let number = |value: Option<f64>| value.map_or(String::new(), |v| plain(v, 4));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for p in &curve.points {
        let mut row = vec![
            plain(p.threshold, 3),
            plain(p.model, 4),
            number(p.lower),
            number(p.upper),
            plain(p.treat_all, 4),
        ];
        if let Some((_, other)) = beside {
            let mut same = other.points.iter();
            let same = same.find(|of| (of.threshold - p.threshold).abs() < 1e-9);
            row.push(number(same.map(|point| point.model)));
        }
        rows.push(row);
    }
    let mut head =
        ["threshold", "nb_model", "lo", "hi", "nb_all"].map(String::from).to_vec();
    head.extend(beside.map(|(other, _)| match other.clinical {
        true => "nb_clinical".to_string(),
        false => format!("nb_{}", model(other)),
    }));
    let cells = analysis.confusion.as_ref();
    if let Some(found) = cells.and_then(|cells| cells.benefit) {
        let mut row = vec![
            "declared".to_string(),
            plain(found.model, 4),
            number(found.lower),
            number(found.upper),
            plain(found.treat_all, 4),
        ];
        row.resize(head.len(), String::new());
        rows.push(row);
    }
    Figure {
        id,
        heading,
        sub: "Net benefit in true positives for each patient, false positives weighed by the odds of \
              the threshold. The range is the author’s; no threshold is read off the curve."
            .to_string(),
        body: format!(
            "<div class=\"pair beside\"><div>{picture}</div><div><ul class=\"legend down\">{legend}</ul>\
             <p class=\"sub\">{at_threshold}</p></div></div>"
        ),
        pictures: vec![picture],
        method: format!("{}.", first_upper(curve.method.trim_end_matches('.'))),
        table: DataTable {
            head,
            rows,
        },
    }
}

/// Whether any point of the curve has limits.
fn banded(curve: &DecisionCurve) -> bool {
    curve.points.iter().any(|point| point.lower.is_some())
}

/// Whether at some threshold the whole band lies above treating all and treating none.
fn is_shown(curve: &DecisionCurve) -> bool {
    let above = |point: &DecisionPoint| {
        point.lower.is_some_and(|lower| lower > point.treat_all.max(0.0))
    };
    curve.points.iter().any(above)
}

/// What decisions at the declared threshold are worth, or why that is not told. HTML.
fn at_threshold(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> String {
    let path = format!("{}/confusion/benefit", place(name));
    let cells = analysis.confusion.as_ref();
    if cells.and_then(|cells| cells.benefit).is_none() {
        return match shown.is_hidden(&path) {
            true => {
                "Net benefit at the declared threshold is hidden, since a cell is small."
            }
            false => "No threshold is applied here, so there is no net benefit at one.",
        }
        .to_string();
    }
    let of = |what: &str| shown.signed(&format!("{path}/{what}"), 3);
    format!(
        "At the declared threshold the net benefit is {} ({}); that of treating all {}, of treating none \
         0.",
        of("model"),
        shown.interval(&path, 3),
        of("treat_all")
    )
}

/// What the model is drawn beside, on the same splits: the clinical model, which decides today;
/// where there is none another control, and else any other model.
fn beside<'r>(
    record: &'r StudyRecord,
    analysis: &'r AnalysisRecord,
) -> Option<(&'r AnalysisRecord, &'r DecisionCurve)> {
    let others = same_splits(record, analysis);
    let drawn = others.filter_map(|(_, other)| Some((other, other.decision.as_ref()?)));
    // Among equals the first, as the study names them.
    drawn.min_by_key(|(other, _)| rank(other))
}

/// What a reader asks for first.
fn rank(other: &AnalysisRecord) -> u8 {
    match (other.clinical, other.role.as_str()) {
        (true, _) => 0,
        (false, "control") => 1,
        (false, _) => 2,
    }
}

/// The curve without the gaps where it may not be told.
fn stretches(curve: &DecisionCurve) -> impl Iterator<Item = &[DecisionPoint]> {
    let steps = curve.points.windows(2).map(|two| two[1].threshold - two[0].threshold);
    let step = steps.fold(f64::INFINITY, f64::min);
    curve.points.chunk_by(move |one, other| other.threshold - one.threshold < 1.5 * step)
}

/// Whether it is told over the whole range; odds end at a threshold of 1.
fn is_whole(curve: &DecisionCurve) -> bool {
    let (from, to) = curve.range;
    let ends = curve.points.first().zip(curve.points.last());
    let reaches = ends.is_some_and(|(first, last)| {
        first.threshold <= from + 1e-9 && last.threshold >= to.min(0.99) - 1e-9
    });
    reaches && stretches(curve).count() == 1
}

/// The stretches of thresholds at which decisions by the model are worth more; one threshold alone is
/// told once.
pub fn useful(shown: &Shown, name: &str, curve: &DecisionCurve) -> Vec<String> {
    let stretches = curve.useful.iter().enumerate().map(|(position, (from, to))| {
        let place = format!("{}/decision/useful/{position}", place(name));
        let end = |end: usize| shown.number(&format!("{place}/{end}"), 2);
        match plain(*from, 2) == plain(*to, 2) {
            true => end(0),
            false => format!("<span class=\"nw\">{}–{}</span>", end(0), end(1)),
        }
    });
    stretches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clinical_model_is_drawn_before_other_controls() {
        let of = |clinical: bool, role: &str| AnalysisRecord {
            clinical,
            role: role.to_string(),
            ..AnalysisRecord::default()
        };
        assert!(rank(&of(true, "sensitivity")) < rank(&of(false, "control")));
        assert!(rank(&of(false, "control")) < rank(&of(false, "sensitivity")));
        assert_eq!(rank(&of(true, "control")), rank(&of(true, "primary")));
    }

    #[test]
    fn a_gain_is_shown_where_the_band_lies_above_both() {
        let curve = |lower: Option<f64>, treat_all: f64| DecisionCurve {
            range: (0.1, 0.2),
            points: vec![DecisionPoint {
                threshold: 0.1,
                model: 0.1,
                lower,
                upper: None,
                treat_all,
            }],
            useful: vec![(0.1, 0.1)],
            method: String::new(),
        };
        assert!(is_shown(&curve(Some(0.05), 0.04)) && is_shown(&curve(Some(0.05), -0.3)));
        assert!(!is_shown(&curve(Some(0.05), 0.06)));
        // Treating none is worth nothing, and a band that reaches there shows no gain.
        assert!(!is_shown(&curve(Some(-0.01), -0.3)));
        assert!(!is_shown(&curve(None, 0.0)) && !banded(&curve(None, 0.0)));
    }

    #[test]
    fn a_curve_is_not_drawn_where_it_is_not_told() {
        let curve = |at: &[usize]| DecisionCurve {
            range: (0.1, 0.2),
            points: at
                .iter()
                .map(|at| DecisionPoint {
                    threshold: 0.1 + *at as f64 / 100.0,
                    model: 0.1,
                    lower: None,
                    upper: None,
                    treat_all: 0.0,
                })
                .collect(),
            useful: Vec::new(),
            method: String::new(),
        };
        let whole: Vec<usize> = (0..=10).collect();
        assert!(is_whole(&curve(&whole)) && !is_whole(&curve(&whole[1..])));
        let gap = curve(&[0, 1, 2, 7, 8, 9, 10]);
        let lengths: Vec<usize> = stretches(&gap).map(<[DecisionPoint]>::len).collect();
        assert_eq!(lengths, [3, 4]);
        assert!(!is_whole(&gap) && !is_whole(&curve(&[])));
        assert!(is_whole(&DecisionCurve { range: (0.15, 0.15), ..curve(&[5]) }));
    }
}
