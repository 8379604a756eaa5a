//! Pictures of long names with something drawn under each: as wide as a telephone, so that no name hides
//! what belongs to it.

use super::shown::escape;
use super::svg::{Anchor, Svg};

/// Width of every such picture: what a screen of 375 has between its margins. Units: pixels.
pub const WIDTH: f64 = 336.0;
/// Characters of a name, which has the whole line.
pub const NAME: usize = 48;
/// Under the heads of the columns.
pub const TOP: f64 = 33.0;
const STEP: f64 = 30.0;

/// A picture of so many names with room below them, and the line under its heads.
pub fn picture(names: usize, below: f64) -> Svg {
    let mut svg = Svg::new(WIDTH, foot(names) + 4.0 + below);
    svg.line("axis", (0.0, 29.0), (WIDTH, 29.0));
    svg
}

/// Where the last of so many names and what is under it end. Units: pixels.
pub fn foot(names: usize) -> f64 {
    TOP + STEP * names as f64
}

/// Writes a name, and gives the height of the middle of what is drawn under it. Units: pixels.
pub fn line(svg: &mut Svg, position: usize, name: &str) -> f64 {
    let top = foot(position);
    svg.text("name", (0.0, top + 12.0), Anchor::Start, name);
    top + 20.0
}

/// The picture for the page, with room for words beside it; a screen that is narrower still scrolls it.
pub fn boxed(picture: &str, label: &str) -> String {
    format!(
        "<div class=\"beside\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{}\">{picture}</div></div>",
        escape(label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_name_is_under_it_and_above_the_next() {
        let mut svg = picture(3, 0.0);
        let middles: Vec<f64> = (0..3).map(|at| line(&mut svg, at, "name")).collect();
        for (at, middle) in middles.iter().enumerate() {
            assert!(foot(at) + 12.0 < *middle && *middle < foot(at + 1));
        }
        // A telephone of 375 pixels has margins of 18.
        const { assert!(WIDTH <= 375.0 - 2.0 * 18.0) };
        // Names keep to the picture: digits and letters are at most 7 pixels wide.
        assert!(NAME as f64 * 7.0 <= WIDTH);
        assert!(boxed(&svg.finish("t", "d"), "a < b").contains("a &lt; b"));
    }
}
