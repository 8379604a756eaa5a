//! ROC curves of several models or places on one pair of axes.

use super::figure::DataTable;
use super::shown::{Shown, escape, place, plain, without_tags};
use super::svg::{Anchor, SERIES, Svg};
use crate::data::{AnalysisRecord, Band, Curve, Limits};

/// The mean curve of an analysis with its name; colour and dash are those of its series.
pub struct Drawn<'a> {
    pub label: String,
    /// From 1 on, as [`Svg::mark`] draws it.
    pub series: usize,
    pub curve: &'a Curve,
    pub band: &'a Band,
    /// 1 − specificity and sensitivity at the threshold, and that threshold where it is one.
    pub at: Option<((f64, f64), Option<f64>)>,
    /// The area with its interval, for those who do not see the curve.
    area: String,
}

impl<'a> Drawn<'a> {
    pub fn of(
        (name, analysis): (&str, &'a AnalysisRecord),
        (label, series): (String, usize),
        shown: &Shown,
    ) -> Self {
        let area = match analysis.performance.contains_key("auroc") {
            true => {
                let path = format!("{}/performance/auroc", place(name));
                format!("AUROC {}, ", without_tags(&shown.estimate(&path, 2)))
            }
            false => String::new(),
        };
        Self {
            label,
            series,
            curve: &analysis.roc_mean,
            band: &analysis.roc_band,
            at: at_threshold(analysis, shown),
            area,
        }
    }

    /// The curve in numbers.
    pub fn told(&self) -> String {
        let (sensitivity, specificity) = at_nine_tenths(self.curve);
        format!(
            "{}: {}sensitivity {} at a specificity of 0.90, specificity {} at a sensitivity of 0.90",
            self.label,
            self.area,
            plain(sensitivity, 2),
            plain(specificity, 2)
        )
    }

    /// Band, curve and threshold on axes.
    pub fn draw(&self, svg: &mut Svg) {
        let series = self.series.clamp(1, SERIES);
        svg.path(&format!("line{series}"), &points(self.curve));
        if let Some((place, _)) = self.at {
            mark(svg, series, place);
        }
    }
}

/// The stretch of sensitivity between the limits of a band.
pub fn shade(svg: &mut Svg, series: usize, band: &Band) {
    if band.points.len() > 1 {
        let at = |of: &Limits, height: f64| (x(of.x), y(height));
        let below = band.points.iter().map(|of| at(of, of.lower));
        let above = band.points.iter().rev().map(|of| at(of, of.upper));
        let around: Vec<(f64, f64)> = below.chain(above).collect();
        svg.area(&format!("band{}", series.clamp(1, SERIES)), &around);
    }
}

/// What the marks on curves are.
pub fn marked(drawn: &[Drawn<'_>]) -> &'static str {
    match drawn.iter().any(|one| one.at.is_some()) {
        true => {
            " Marks: sensitivity and specificity at the threshold; where each fold learned its own, \
             over all folds."
        }
        false => "",
    }
}

/// Where the threshold lies.
pub fn mark(svg: &mut Svg, series: usize, (across, up): (f64, f64)) {
    let tip = format!(
        "at the threshold: 1 − specificity {}, sensitivity {}",
        plain(across, 2),
        plain(up, 2)
    );
    svg.mark(series, (x(across), y(up)), 5.5, &tip);
}

/// 1 − specificity and sensitivity at the threshold, and that where it is one number or the median of
/// those that folds learned; a smooth curve has none, as it stands for no rows.
fn at_threshold(
    analysis: &AnalysisRecord,
    shown: &Shown,
) -> Option<((f64, f64), Option<f64>)> {
    let of = |metric: &str| Some(analysis.performance.get(metric)?.estimate);
    let (sensitivity, specificity) = (of("sensitivity")?, of("specificity")?);
    let asked = analysis.threshold.is_some() && !shown.protects;
    let frozen = analysis.frozen.as_ref().and_then(|frozen| frozen.threshold);
    let learned = analysis.thresholds.as_ref().map(|of| of.median);
    asked.then_some(((1.0 - specificity, sensitivity), frozen.or(learned)))
}

/// The sensitivity that a curve reaches at a specificity of 0.9, and the reverse.
fn at_nine_tenths(curve: &Curve) -> (f64, f64) {
    let points = || curve.points.iter();
    let sensitivity = points().filter(|point| point.x <= 0.1 + 1e-9).map(|point| point.y);
    let left = points().filter(|point| point.y >= 0.9 - 1e-9).map(|point| point.x);
    (sensitivity.fold(0.0, f64::max), 1.0 - left.fold(1.0, f64::min))
}

/// Plot area within a picture of 420 × 400, as wide as it is high. Units: pixels.
pub const LEFT: f64 = 58.0;
pub const RIGHT: f64 = 394.0;
pub const TOP: f64 = 14.0;
pub const BOTTOM: f64 = 350.0;

pub fn x(value: f64) -> f64 {
    LEFT + value * (RIGHT - LEFT)
}

pub fn y(value: f64) -> f64 {
    BOTTOM - value * (BOTTOM - TOP)
}

/// Both axes from 0 to 1 with their names; ticks below are those of a share where it is one.
pub fn axes(svg: &mut Svg, below: &str, beside: &str) {
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        svg.line("grid", (LEFT, y(value)), (RIGHT, y(value)));
        svg.text("small", (LEFT - 8.0, y(value) + 4.0), Anchor::End, &plain(value, 1));
    }
    svg.path("axis", &[(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)]);
    svg.text("small", ((LEFT + RIGHT) / 2.0, BOTTOM + 38.0), Anchor::Middle, below);
    svg.text_up("small", (14.0, (TOP + BOTTOM) / 2.0), beside);
}

/// The axes of a ROC curve with the line of chance.
pub fn frame() -> Svg {
    let mut svg = Svg::new(420.0, 400.0);
    axes(&mut svg, "1 − specificity", "Sensitivity");
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        svg.line("axis", (x(value), BOTTOM), (x(value), BOTTOM + 4.0));
        svg.text("small", (x(value), BOTTOM + 18.0), Anchor::Middle, &plain(value, 1));
    }
    svg.line("ref", (x(0.0), y(0.0)), (x(1.0), y(1.0)));
    // In the corner that no curve better than chance reaches, with a piece of its line.
    svg.line("ref", (x(0.70), y(0.14)), (x(0.80), y(0.14)));
    svg.text("small", (x(0.97), y(0.14) + 4.0), Anchor::End, "chance");
    svg
}

pub fn points(curve: &Curve) -> Vec<(f64, f64)> {
    curve.points.iter().map(|point| (x(point.x), y(point.y))).collect()
}

/// All curves on one pair of axes, over the bands of those that have one drawn.
pub fn overlay(drawn: &[Drawn<'_>], with_bands: bool, title: &str) -> String {
    let mut svg = frame();
    for one in drawn.iter().filter(|_| with_bands) {
        shade(&mut svg, one.series, one.band);
    }
    drawn.iter().for_each(|one| one.draw(&mut svg));
    let told: Vec<String> = drawn.iter().map(Drawn::told).collect();
    svg.finish(title, &format!("Receiver operating characteristic. {}.", told.join("; ")))
}

/// The names of the curves, each beside a piece of its line.
pub fn legend(drawn: &[Drawn<'_>]) -> String {
    let item = |one: &Drawn<'_>| {
        format!(
            "<li><svg viewBox=\"0 0 30 14\" aria-hidden=\"true\"><path class=\"line{}\" \
             d=\"M1 7L29 7\"/></svg>{}</li>",
            one.series.clamp(1, SERIES),
            escape(&one.label)
        )
    };
    let items: String = drawn.iter().map(item).collect();
    format!("<ul class=\"legend down\">{items}</ul>")
}

/// The columns of the points of curves.
pub const COLUMNS: [&str; 6] = ["set", "fpr", "tpr", "lo", "hi", "threshold"];

/// The points of a mean curve with its band, and the point of the threshold.
pub fn rows(one: &Drawn<'_>) -> Vec<Vec<String>> {
    let row =
        |set: &str, (x, y): (f64, f64), limits: Option<&Limits>, at: Option<f64>| {
            let end = |of: fn(&Limits) -> f64| {
                limits.map_or(String::new(), |l| plain(of(l), 4))
            };
            let at = at.map_or(String::new(), |at| plain(at, 4));
            let (lower, upper) = (end(|l| l.lower), end(|l| l.upper));
            vec![set.to_string(), plain(x, 4), plain(y, 4), lower, upper, at]
        };
    let mut rows = Vec::new();
    let mut limits = one.band.points.iter().peekable();
    for (position, point) in one.curve.points.iter().enumerate() {
        // The mean rises from the corner before the first place of the grid.
        let next = one.curve.points.get(position + 1);
        let upright = next.is_some_and(|next| next.x == point.x);
        let here = match upright {
            true => None,
            false => limits.next_if(|of| (of.x - point.x).abs() < 1e-9),
        };
        rows.push(row(&one.label, (point.x, point.y), here, None));
    }
    if let Some((place, threshold)) = one.at {
        rows.push(row(
            &format!("{}, at the threshold", one.label),
            place,
            None,
            threshold,
        ));
    }
    rows
}

/// The points of all curves.
pub fn table(drawn: &[Drawn<'_>]) -> DataTable {
    DataTable {
        head: COLUMNS.map(String::from).to_vec(),
        rows: drawn.iter().flat_map(rows).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Point;

    fn curve(points: &[(f64, f64)]) -> Curve {
        Curve { points: points.iter().map(|&(x, y)| Point { x, y }).collect() }
    }

    #[test]
    fn a_curve_is_read_where_one_of_both_is_nine_tenths() {
        let of = curve(&[
            (0.0, 0.0),
            (0.0, 0.4),
            (0.1, 0.4),
            (0.1, 0.6),
            (0.3, 0.9),
            (1.0, 1.0),
        ]);
        let (sensitivity, specificity) = at_nine_tenths(&of);
        assert!((sensitivity - 0.6).abs() < 1e-12 && (specificity - 0.7).abs() < 1e-12);
    }

    #[test]
    fn axes_are_equal_and_points_stand_with_their_limits() {
        assert_eq!(RIGHT - LEFT, BOTTOM - TOP);
        let of = curve(&[(0.0, 0.0), (0.0, 0.4), (1.0, 1.0)]);
        let limits = |x, lower, upper| Limits { x, lower, upper };
        let points = vec![limits(0.0, 0.2, 0.6), limits(1.0, 1.0, 1.0)];
        let drawn = Drawn {
            label: "internal".to_string(),
            series: 1,
            curve: &of,
            band: &Band { points, method: String::new() },
            at: Some(((0.25, 0.5), Some(0.3))),
            area: "AUROC 0.70 (0.60–0.80), ".to_string(),
        };
        let rows: Vec<String> = rows(&drawn).iter().map(|row| row.join(",")).collect();
        assert_eq!(
            rows,
            [
                "internal,0.0000,0.0000,,,",
                "internal,0.0000,0.4000,0.2000,0.6000,",
                "internal,1.0000,1.0000,1.0000,1.0000,",
                "internal, at the threshold,0.2500,0.5000,,,0.3000",
            ]
        );
        assert!(drawn.told().contains("AUROC 0.70 (0.60–0.80), sensitivity 0.40 at"));
    }
}
