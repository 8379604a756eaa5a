//! A plot area with two linear axes, on which curves, bands and bars are drawn.

use super::shown::plain;
use super::svg::{Anchor, Svg};

/// What an axis spans and what stands at it.
#[derive(Clone)]
pub struct Axis<'a> {
    pub from: f64,
    pub to: f64,
    pub label: &'a str,
}

/// An empty plot is 420 × 360; its area lies within. Units: pixels.
pub struct Plot {
    pub svg: Svg,
    x: (f64, f64),
    y: (f64, f64),
}

const LEFT: f64 = 54.0;
const RIGHT: f64 = 404.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 306.0;
/// What a line of small text takes, with air.
const LABEL: f64 = 18.0;

impl Plot {
    /// Axes with about five ticks each. `below` is room under the area, for what else is drawn there.
    pub fn new(x: &Axis<'_>, y: &Axis<'_>, below: f64) -> Self {
        let mut plot = Self {
            svg: Svg::new(420.0, 360.0 + below),
            x: (x.from, x.to),
            y: (y.from, y.to),
        };
        let bottom = BOTTOM + below;
        let (values, digits) = ticks(y.from, y.to);
        for value in values {
            let (_, at) = plot.at(x.from, value);
            plot.svg.line("grid", (LEFT, at), (RIGHT, at));
            let text = plain(value, digits);
            plot.svg.text("small", (LEFT - 8.0, at + 4.0), Anchor::End, &text);
        }
        let (values, digits) = ticks(x.from, x.to);
        for value in values {
            let (at, _) = plot.at(value, y.from);
            plot.svg.line("axis", (at, bottom), (at, bottom + 4.0));
            let text = plain(value, digits);
            plot.svg.text("small", (at, bottom + 18.0), Anchor::Middle, &text);
        }
        plot.svg.path("axis", &[(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)]);
        if below > 0.0 {
            plot.svg.line("axis", (LEFT, bottom), (RIGHT, bottom));
        }
        let middle = (LEFT + RIGHT) / 2.0;
        plot.svg.text("small", (middle, bottom + 38.0), Anchor::Middle, x.label);
        plot.svg.text_up("small", (14.0, (TOP + BOTTOM) / 2.0), y.label);
        plot
    }

    /// Where a point of the data lies; what is outside is moved to the edge. A line ends there instead.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let part = |value: f64, (from, to): (f64, f64)| {
            if to > from { ((value - from) / (to - from)).clamp(0.0, 1.0) } else { 0.5 }
        };
        (
            LEFT + part(x, self.x) * (RIGHT - LEFT),
            BOTTOM - part(y, self.y) * (BOTTOM - TOP),
        )
    }

    pub fn line(&mut self, class: &str, points: impl Iterator<Item = (f64, f64)>) {
        let points: Vec<(f64, f64)> = points.collect();
        let mut drawn: Vec<Vec<(f64, f64)>> = Vec::new();
        for ends in points.windows(2) {
            let Some((from, to)) = within(ends[0], ends[1], self.y) else { continue };
            match drawn.last_mut().filter(|known| known.last() == Some(&from)) {
                Some(known) => known.push(to),
                None => drawn.push(vec![from, to]),
            }
        }
        for points in drawn {
            let points: Vec<_> = points.into_iter().map(|(x, y)| self.at(x, y)).collect();
            self.svg.path(class, &points);
        }
    }

    /// The stretch between two curves over one x, as (x, lower, upper).
    pub fn band(&mut self, class: &str, points: &[(f64, f64, f64)]) {
        if points.len() < 2 {
            return;
        }
        let mut around: Vec<(f64, f64)> =
            points.iter().map(|(x, lower, _)| self.at(*x, *lower)).collect();
        around.extend(points.iter().rev().map(|(x, _, upper)| self.at(*x, *upper)));
        self.svg.area(class, &around);
    }

    pub fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, text: &str) {
        let (left, down) = self.at(x, y);
        self.svg.text(class, (left, down), anchor, text);
    }

    /// A bar from the x axis.
    pub fn bar(&mut self, class: &str, (from, to): (f64, f64), height: f64) {
        let (left, top) = self.at(from, height);
        let (right, foot) = self.at(to, self.y.0);
        self.svg.column(
            class,
            (left + 0.5, top),
            ((right - left - 1.0).max(0.8), foot - top),
        );
    }

    /// Bars of two classes under the area: the first up in the colour of the series, the second down
    /// in grey, from a line in the middle. `room` is what was left below.
    pub fn beneath(&mut self, series: usize, bins: &[(f64, f64, f64, f64)], room: f64) {
        let most = bins.iter().fold(1e-9, |most: f64, bin| most.max(bin.2).max(bin.3));
        let middle = BOTTOM + room / 2.0;
        // Over and under the tallest bars a line of text has its own room.
        let tall = room / 2.0 - LABEL;
        let events = format!("bar{series}");
        for (from, to, up, down) in bins {
            let ((left, _), (right, _)) = (self.at(*from, 0.0), self.at(*to, 0.0));
            let width = (right - left - 1.0).max(0.8);
            for (class, value, is_up) in
                [(events.as_str(), *up, true), ("bar4", *down, false)]
            {
                let height = value / most * tall;
                if height > 0.05 {
                    let top = if is_up { middle - height } else { middle };
                    self.svg.column(class, (left + 0.5, top), (width, height));
                }
            }
        }
        self.svg.line("axis", (LEFT, middle), (RIGHT, middle));
        self.svg.text("small", (RIGHT, middle - tall - 4.0), Anchor::End, "events");
        self.svg.text("small", (RIGHT, middle + tall + 13.0), Anchor::End, "non-events");
    }
}

/// The part of a straight line whose values lie within a range.
fn within(
    from: (f64, f64),
    to: (f64, f64),
    (low, high): (f64, f64),
) -> Option<((f64, f64), (f64, f64))> {
    let inside = |y: f64| (low - 1e-9..=high + 1e-9).contains(&y);
    if inside(from.1) && inside(to.1) {
        return Some((from, to));
    }
    let rise = to.1 - from.1;
    let (at_low, at_high) = ((low - from.1) / rise, (high - from.1) / rise);
    let (enters, leaves) = (at_low.min(at_high).max(0.0), at_low.max(at_high).min(1.0));
    // Also false where the line is level and lies outside.
    let crosses = enters < leaves;
    let at = |part: f64| (from.0 + part * (to.0 - from.0), from.1 + part * rise);
    crosses.then(|| {
        let start = if inside(from.1) { from } else { at(enters) };
        let end = if inside(to.1) { to } else { at(leaves) };
        (start, end)
    })
}

/// Round values within a range, and the digits that they need.
pub fn ticks(from: f64, to: f64) -> (Vec<f64>, usize) {
    let span = to - from;
    if !(span > 0.0) || !span.is_finite() {
        return (vec![from], 2);
    }
    let mut step = 1.0;
    while step * 6.0 < span {
        step *= 10.0;
    }
    while step > span {
        step /= 10.0;
    }
    let step = [0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0]
        .into_iter()
        .map(|part| part * step)
        .find(|step| span / step <= 6.01)
        .unwrap_or(step);
    let digits = [(1.0, 0), (0.1, 1), (0.01, 2), (0.001, 3)]
        .into_iter()
        .find(|(unit, _)| {
            let units = step / unit;
            (units - units.round()).abs() < 1e-6
        })
        .map_or(4, |(_, digits)| digits);
    let first = (from / step - 1e-9).ceil();
    let last = (to / step + 1e-9).floor();
    let mut values = Vec::new();
    let mut at = first;
    while at <= last {
        values.push(at * step);
        at += 1.0;
    }
    (values, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_beneath_lie_over_and_under_every_bar() {
        let axis = || Axis { from: 0.0, to: 1.0, label: "" };
        let (empty, room) = (Plot::new(&axis(), &axis(), 100.0), 100.0);
        let mut plot = Plot::new(&axis(), &axis(), room);
        plot.beneath(3, &[(0.9, 1.0, 8.0, 8.0)], room);
        let drawn = plot.svg.finish("", "");
        let values = |name: &str, within: &str| -> Vec<f64> {
            let name = format!(" {name}=\"");
            let parts = within.split(name.as_str()).skip(1);
            parts.filter_map(|part| part.split('"').next()?.parse().ok()).collect()
        };
        let bars: Vec<&str> =
            drawn.split('<').filter(|part| part.starts_with("rect ")).collect();
        let ends = |bar: &str| {
            let (top, height) = (values("y", bar)[0], values("height", bar)[0]);
            (top, top + height)
        };
        let top = bars.iter().map(|bar| ends(bar).0).fold(f64::MAX, f64::min);
        let foot = bars.iter().map(|bar| ends(bar).1).fold(f64::MIN, f64::max);
        let word = |word: &str| {
            let text = drawn.split('<').find(|part| part.ends_with(&format!(">{word}")));
            values("y", text.expect("the word is written"))[0]
        };
        assert_eq!(bars.len(), 2);
        assert!(bars[0].contains("bar3") && bars[1].contains("bar4"), "{bars:?}");
        assert!(word("events") < top, "{drawn}");
        // The height of small letters.
        assert!(word("non-events") - 9.0 > foot, "{drawn}");
        assert!(empty.svg.finish("", "").find("events").is_none());
    }

    #[test]
    fn a_line_ends_where_it_leaves_the_plot() {
        let range = (0.0, 1.0);
        assert_eq!(within((0.0, 0.5), (1.0, 1.0), range), Some(((0.0, 0.5), (1.0, 1.0))));
        assert_eq!(
            within((0.0, 0.5), (1.0, -0.5), range),
            Some(((0.0, 0.5), (0.5, 0.0)))
        );
        assert_eq!(
            within((0.0, -1.0), (1.0, 3.0), range),
            Some(((0.25, 0.0), (0.5, 1.0)))
        );
        assert_eq!(within((0.0, -0.5), (1.0, -0.5), range), None);
        assert_eq!(within((0.0, 1.5), (1.0, 1.2), range), None);
        let axis = || Axis { from: 0.0, to: 1.0, label: "" };
        let mut plot = Plot::new(&axis(), &axis(), 0.0);
        let points = [(0.0, 0.5), (0.2, -0.5), (0.4, -0.4), (0.6, 0.4), (1.0, 0.4)];
        plot.line("gone", points.into_iter());
        assert_eq!(plot.svg.finish("", "").matches("class=\"gone\"").count(), 2);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let of = |from, to| ticks(from, to).0.len();
        assert_eq!(
            ticks(0.0, 1.0),
            (vec![0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0], 1)
        );
        for (from, to) in
            [(0.1, 0.6), (-0.05, 0.31), (0.0, 730.0), (0.44, 0.58), (0.0, 4.0)]
        {
            let n = of(from, to);
            assert!((3..=8).contains(&n), "{from} {to}: {n}");
        }
        assert_eq!(ticks(1.0, 1.0).0, [1.0]);
    }
}
