//! Precision–recall curves of the headline's question in each place, with the lines of their prevalences.

use super::discrimination::around;
use super::figure::{DataTable, Figure};
use super::plot::{Axis, Plot};
use super::shown::{Shown, escape, place, plain, without_tags};
use super::standing::{Standing, judged_place, same_question, whereabouts};
use crate::data::{AnalysisRecord, StudyRecord};

/// Places that are drawn; the table has all.
const DRAWN: usize = 4;

/// None where the record has no such curve for the headline.
pub fn figure(
    record: &StudyRecord,
    shown: &Shown,
    (name, analysis): (&String, &AnalysisRecord),
) -> Option<Figure<'static>> {
    let first = Place::of(record, shown, name, analysis)?;
    let further = same_question(record, analysis).filter(|(other, _)| *other != name);
    let further =
        further.filter_map(|(name, other)| Place::of(record, shown, name, other));
    let places: Vec<Place> = std::iter::once(first).chain(further).collect();
    let several = places.len() > 1;
    let pictures: Vec<String> =
        places.iter().take(DRAWN).map(|place| place.draw(shown)).collect();
    let panels = pictures.iter().zip(&places).map(|(picture, place)| {
        let words = match places.len() {
            1 => String::new(),
            _ => format!("<h4>{}: {}</h4>", escape(&place.label), place.numbers(shown)),
        };
        format!("<div>{words}{picture}</div>")
    });
    let panels: String = panels.collect();
    Some(Figure {
        id: "precision-recall",
        heading: match analysis.performance.get("average_precision") {
            Some(_) => format!(
                "Average precision {}{}; one prediction for all would give the prevalence, {} of {}",
                shown.estimate(&places[0].path(), 2),
                match several {
                    true => format!(" ({})", escape(&places[0].label)),
                    false => String::new(),
                },
                shown.count(&format!("{}/n_positive", judged_place(name, analysis))),
                shown.count(&format!("{}/n", judged_place(name, analysis)))
            ),
            None => "Precision and recall on held-out rows".to_string(),
        },
        sub: format!(
            "{}{}{}",
            match shown.protects {
                true =>
                    "Smooth, from the ROC curve above and the prevalence, which is the level line.",
                false
                    if places
                        .iter()
                        .all(|of| of.analysis.precision_recall.len() == 1) =>
                    "Steps: all held-out rows together. Level line: the prevalence.",
                false
                    if places
                        .iter()
                        .any(|of| of.analysis.precision_recall.len() == 1) =>
                    "Thin: pooled within each repeat. Bold: their mean, or the one curve there is. \
                     Level line: the prevalence.",
                false =>
                    "Thin: pooled within each repeat. Bold: their mean. Level line: the prevalence.",
            },
            match analysis.precision_recall_band.points.is_empty() {
                true => "",
                false => " Shaded: where precision lies at each recall.",
            },
            match places.len() > DRAWN {
                true => " The first four places are drawn, the table has all.",
                false => "",
            }
        ),
        body: match several {
            true => format!("<div class=\"pair\">{panels}</div>"),
            false => format!("<div class=\"single beside\">{panels}</div>"),
        },
        pictures,
        method: format!(
            "{}. {}{}",
            match shown.protects {
                true =>
                    "What the binormal ROC curve means at this prevalence; the average precision is \
                     that of the step curves, which are withheld, as their steps are patients",
                false =>
                    "Steps: a stretch of recall has the precision of its right end, so that the area \
                     is the average precision; where there are several curves the table has their \
                     mean, and report.json all",
            },
            around(&analysis.precision_recall_band.method),
            match several {
                true =>
                    "Average precision rises with the prevalence: between places it can be compared \
                     only where that is the same.",
                false => "Compare it with other cohorts only at the same prevalence.",
            }
        ),
        table: DataTable {
            head: ["set", "recall", "precision", "lo", "hi"].map(String::from).to_vec(),
            rows: places.iter().flat_map(|place| place.rows(shown)).collect(),
        },
    })
}

/// The question judged in one place.
struct Place<'a> {
    name: &'a str,
    analysis: &'a AnalysisRecord,
    label: String,
    /// 1 to 3, as its marks everywhere.
    series: usize,
    prevalence: f64,
    /// Where the record has the prevalence, as what average precision is by chance.
    chance: Option<String>,
}

impl<'a> Place<'a> {
    fn of(
        record: &StudyRecord,
        shown: &Shown,
        name: &'a str,
        analysis: &'a AnalysisRecord,
    ) -> Option<Self> {
        if analysis.precision_recall.is_empty() {
            return None;
        }
        let (n, positive) = analysis.judged_rows()?;
        let lists = [("metrics", &analysis.metrics), ("standard", &analysis.standard)];
        let chance = lists.into_iter().find_map(|(list, metrics)| {
            let at = metrics.iter().position(|of| of.name == "average_precision")?;
            Some(format!("{}/{list}/{at}/chance", place(name)))
        });
        let standing = Standing::of(record, analysis);
        Some(Self {
            name,
            analysis,
            label: match standing {
                Standing::Internal => whereabouts(record, analysis),
                _ => format!("{}, {}", whereabouts(record, analysis), analysis.cohort),
            },
            series: standing.series(),
            prevalence: positive as f64 / n.max(1) as f64,
            chance: chance.filter(|path| shown.has(path)),
        })
    }

    fn path(&self) -> String {
        format!("{}/performance/average_precision", place(self.name))
    }

    /// Average precision with its interval, and the prevalence. HTML.
    fn numbers(&self, shown: &Shown) -> String {
        let value = match self.analysis.performance.contains_key("average_precision") {
            true => shown.estimate(&self.path(), 2),
            false => "not computed".to_string(),
        };
        let prevalence = match &self.chance {
            Some(path) => shown.number(path, 2),
            None => plain(self.prevalence, 2),
        };
        format!("average precision {value}, prevalence {prevalence}")
    }

    fn draw(&self, shown: &Shown) -> String {
        let axis = |label| Axis { from: 0.0, to: 1.0, label };
        let mut plot = Plot::new(
            &axis("Recall (sensitivity)"),
            &axis("Precision (predictive value)"),
            0.0,
        );
        let (analysis, series) = (self.analysis, self.series);
        let band = analysis.precision_recall_band.points.iter();
        let band: Vec<(f64, f64, f64)> =
            band.map(|of| (of.x, of.lower, of.upper)).collect();
        plot.band(&format!("band{series}"), &band);
        let ends = [(0.0, self.prevalence), (1.0, self.prevalence)];
        plot.line("ref", ends.into_iter());
        // A page holds so many marks; the data table has every curve.
        let mean = &analysis.precision_recall_mean.points;
        let line = format!("line{series}");
        match shown.protects {
            true => plot.line(&line, mean.iter().map(|point| (point.x, point.y))),
            false => {
                for curve in analysis.precision_recall.iter().take(20) {
                    plot.line(&format!("thin{series}"), steps(&curve.points));
                }
                plot.line(&line, steps(mean));
            }
        }
        let description = format!(
            "Precision against recall, {}: {}; {}{}.",
            self.label,
            match (shown.protects, analysis.precision_recall.len()) {
                (true, _) => "a smooth curve".to_string(),
                (false, 1) => "one curve".to_string(),
                (false, n) => format!("{n} curves and their mean"),
            },
            without_tags(&self.numbers(shown)),
            if band.is_empty() { "" } else { "; with a pointwise 95 % band" }
        );
        plot.svg.finish(&format!("Precision and recall: {}", self.label), &description)
    }

    fn rows(&self, shown: &Shown) -> Vec<Vec<String>> {
        let analysis = self.analysis;
        let mut rows = Vec::new();
        let mean = match shown.protects {
            true => format!("{}, smooth", self.label),
            false => format!("{}, mean", self.label),
        };
        let mut limits = analysis.precision_recall_band.points.iter().peekable();
        for point in &analysis.precision_recall_mean.points {
            let here = limits.next_if(|of| (of.x - point.x).abs() < 1e-9);
            let end = |height: Option<f64>| height.map_or(String::new(), |h| plain(h, 4));
            rows.push(vec![
                mean.clone(),
                plain(point.x, 4),
                plain(point.y, 4),
                end(here.map(|of| of.lower)),
                end(here.map(|of| of.upper)),
            ]);
        }
        // Those of single repeats would be the largest table of the page; `report.json` has them.
        if shown.protects || analysis.precision_recall.len() > 1 {
            return rows;
        }
        for (position, curve) in analysis.precision_recall.iter().enumerate() {
            for point in &curve.points {
                rows.push(vec![
                    format!("{}, repeat {}", self.label, position + 1),
                    plain(point.x, 4),
                    plain(point.y, 4),
                    String::new(),
                    String::new(),
                ]);
            }
        }
        rows
    }
}

/// The corners of the steps: precision holds to the right end of each stretch.
fn steps(points: &[crate::data::Point]) -> impl Iterator<Item = (f64, f64)> + '_ {
    let first = points.first().map(|point| (0.0, point.y));
    first.into_iter().chain(points.iter().enumerate().flat_map(move |(at, point)| {
        let next = points.get(at + 1).map_or(point.y, |next| next.y);
        [(point.x, point.y), (point.x, next)]
    }))
}
