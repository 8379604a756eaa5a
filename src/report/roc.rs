//! ROC curves of several models or places on one pair of axes.

use super::figure::DataTable;
use super::shown::{escape, plain};
use super::svg::{Anchor, Svg};
use crate::data::Curve;

/// A curve with its name; colour and dash are those of its series.
pub struct Drawn<'a> {
    pub label: String,
    /// From 1 to 4.
    pub series: usize,
    pub curve: &'a Curve,
}

/// Plot area within a picture of 420 × 400. Units: pixels.
pub const LEFT: f64 = 52.0;
pub const RIGHT: f64 = 400.0;
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
    svg.text("small", (x(0.97), y(0.80)), Anchor::End, "chance");
    svg
}

pub fn points(curve: &Curve) -> Vec<(f64, f64)> {
    curve.points.iter().map(|point| (x(point.x), y(point.y))).collect()
}

/// All curves on one pair of axes.
pub fn overlay(drawn: &[Drawn<'_>], title: &str) -> String {
    let mut svg = frame();
    for one in drawn {
        svg.path(&format!("line{}", one.series.clamp(1, 4)), &points(one.curve));
    }
    let names: Vec<&str> = drawn.iter().map(|one| one.label.as_str()).collect();
    svg.finish(
        title,
        &format!("Receiver operating characteristic of {}.", names.join("; ")),
    )
}

/// The names of the curves, each beside a piece of its line.
pub fn legend(drawn: &[Drawn<'_>]) -> String {
    let item = |one: &Drawn<'_>| {
        format!(
            "<li><svg viewBox=\"0 0 30 14\" aria-hidden=\"true\"><path class=\"line{}\" \
             d=\"M1 7L29 7\"/></svg>{}</li>",
            one.series.clamp(1, 4),
            escape(&one.label)
        )
    };
    let items: String = drawn.iter().map(item).collect();
    format!("<ul class=\"legend down\">{items}</ul>")
}

/// The points of all curves.
pub fn table(drawn: &[Drawn<'_>]) -> DataTable {
    let mut rows = Vec::new();
    for one in drawn {
        for point in &one.curve.points {
            rows.push(vec![one.label.clone(), plain(point.x, 4), plain(point.y, 4)]);
        }
    }
    DataTable {
        head: ["curve", "1 − specificity", "sensitivity"].map(String::from).to_vec(),
        rows,
    }
}
