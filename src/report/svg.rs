//! A few words of SVG: enough for the figures, with fixed digits and everything escaped.

use super::shown::{escape, without_tags};
use crate::digest::Digest;

/// A drawing in progress. Units: CSS pixels.
pub struct Svg {
    width: f64,
    height: f64,
    content: String,
    /// Where it may be parted: how much was drawn before, and how far down that reaches.
    cuts: Vec<(usize, f64)>,
}

/// Where a text is held.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, content: String::new(), cuts: Vec::new() }
    }

    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.content.push_str(&format!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A line with a head at its end.
    pub fn arrow(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.line("flow", from, to);
        self.head(to, (to.0 - from.0, to.1 - from.1));
    }

    /// An arrow head at `at` that points along `towards`.
    pub fn head(&mut self, at: (f64, f64), towards: (f64, f64)) {
        let length = crate::math::sqrt(towards.0 * towards.0 + towards.1 * towards.1);
        let (ux, uy) = match length > 0.0 {
            true => (towards.0 / length, towards.1 / length),
            false => (0.0, 1.0),
        };
        let base = (at.0 - 7.0 * ux, at.1 - 7.0 * uy);
        self.content.push_str(&format!(
            "<path class=\"head\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\"/>",
            at.0,
            at.1,
            base.0 - 3.5 * uy,
            base.1 + 3.5 * ux,
            base.0 + 3.5 * uy,
            base.1 - 3.5 * ux
        ));
    }

    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        for (position, (x, y)) in points.iter().enumerate() {
            path.push_str(&format!(
                "{}{x:.1} {y:.1}",
                if position == 0 { "M" } else { "L" }
            ));
        }
        self.content.push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// A closed shape.
    pub fn area(&mut self, class: &str, points: &[(f64, f64)]) {
        self.path(class, points);
        // The path just written ends with `"/>`: closed, it is a shape.
        let open = self.content.trim_end_matches("\"/>").len();
        self.content.truncate(open);
        self.content.push_str("Z\"/>");
    }

    /// A smooth line from top to bottom.
    pub fn fall(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let middle = (y1 + y2) / 2.0;
        self.content.push_str(&format!(
            "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}C{x1:.1} {middle:.1} {x2:.1} \
             {middle:.1} {x2:.1} {y2:.1}\"/>"
        ));
    }

    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.content.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"3\"/>"
        ));
    }

    /// A bar of a histogram: a foot on an axis and narrow neighbours have no round corners.
    pub fn column(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
    ) {
        self.content.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>"
        ));
    }

    /// A dot that says `tip` when it is pointed at.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, tip: &str) {
        self.content.push_str(&format!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" \
             data-tip=\"{}\"/>",
            escape(tip)
        ));
    }

    /// A mark of a series: each has its colour and its shape. 1 to 3 are places, 4 to 6 models beside the
    /// headline, 7 is the headline on a part of its pairs.
    pub fn mark(&mut self, series: usize, (x, y): (f64, f64), radius: f64, tip: &str) {
        let class = format!("dot{series}");
        if series < 2 {
            return self.dot(&class, (x, y), radius, tip);
        }
        let tip = escape(tip);
        let shape = match series {
            2 | 7 => format!(
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{side:.1}\" \
                 height=\"{side:.1}\" data-tip=\"{tip}\"/>",
                x - radius * 0.9,
                y - radius * 0.9,
                side = radius * 1.8
            ),
            3 => format!(
                "<path class=\"{class}\" d=\"M{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} \
                 {:.1}Z\" data-tip=\"{tip}\"/>",
                x - radius * 1.25,
                y - radius * 1.25,
                x + radius * 1.25,
                y + radius * 1.25
            ),
            5 => triangle(&class, (x, y), -radius, &tip),
            6 => {
                let (arm, half) = (radius * 1.15, radius * 0.42);
                format!(
                    "<path class=\"{class}\" d=\"M{:.1} {:.1}h{:.1}v{arm:.1}h{arm:.1}v{:.1}h-{arm:.1}\
                     v{arm:.1}h-{:.1}v-{arm:.1}h-{arm:.1}v-{:.1}h{arm:.1}Z\" data-tip=\"{tip}\"/>",
                    x - half,
                    y - half - arm,
                    2.0 * half,
                    2.0 * half,
                    2.0 * half,
                    2.0 * half,
                )
            }
            _ => triangle(&class, (x, y), radius, &tip),
        };
        self.content.push_str(&shape);
    }

    /// Numbers that name their places, as [`super::shown::Shown`] writes them.
    pub fn numbers(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        anchor: Anchor,
        html: &str,
    ) {
        let text = html.replace("<span ", "<tspan ").replace("</span>", "</tspan>");
        self.content.push_str(&format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{}\">{text}</text>",
            anchor.word()
        ));
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.content.push_str(&format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{}\">{}</text>",
            anchor.word(),
            escape(text)
        ));
    }

    /// A text turned to read upwards.
    pub fn text_up(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        self.content.push_str(&format!(
            "<text class=\"{class}\" transform=\"translate({x:.1} {y:.1}) rotate(-90)\" \
             text-anchor=\"middle\">{}</text>",
            escape(text)
        ));
    }

    /// A place where paper may part the picture: all before it is drawn and lies above, all that follows
    /// lies below.
    pub fn cut(&mut self, y: f64) {
        self.cuts.push((self.content.len(), y));
    }

    /// The picture for the page, with a title and a description for those who do not see it.
    pub fn finish(&self, title: &str, description: &str) -> String {
        self.finish_told(title, &escape(description))
    }

    /// The same with a description that is HTML of this program: numbers in it name their places.
    pub fn finish_told(&self, title: &str, description: &str) -> String {
        self.part((0.0, self.height), &self.content, title, description)
    }

    /// The picture as strips between its cuts, one under the other: on the page they are one picture, and
    /// paper may part them. The first has title and description, which is HTML of this program; what is
    /// around them says how large the whole is.
    pub fn finish_in_strips(&self, title: &str, description: &str) -> String {
        let mut strips = String::new();
        let (mut from, mut top) = (0, 0.0);
        let end = (self.content.len(), self.height);
        for &(to, bottom) in self.cuts.iter().chain([&end]) {
            let (content, place) = (&self.content[from..to], (top, bottom - top));
            strips.push_str(&match from {
                0 => self.part(place, content, title, description),
                _ => format!(
                    "<svg viewBox=\"0 {top:.0} {w:.0} {:.0}{GOES_ON}{content}</svg>",
                    place.1,
                    w = self.width,
                ),
            });
            (from, top) = (to, bottom);
        }
        format!(
            "<div class=\"strips\" data-whole=\"0 0 {w:.0} {h:.0}\" style=\"--w:{w:.0}px\">{strips}\
             </div>",
            w = self.width,
            h = self.height,
        )
    }

    /// What lies from `top` on, so high, as a picture with words.
    fn part(
        &self,
        (top, height): (f64, f64),
        content: &str,
        title: &str,
        description: &str,
    ) -> String {
        let id =
            &Digest::of(format!("{title}\n{description}\n{}", self.content).as_bytes())
                .hex()[..10];
        format!(
            "<svg viewBox=\"0 {top:.0} {w:.0} {height:.0}\" role=\"img\" \
             aria-labelledby=\"t{id} d{id}\" style=\"--w:{w:.0}px\"><title id=\"t{id}\">{}</title>\
             <desc id=\"d{id}\">{description}</desc>{content}</svg>",
            escape(title),
            w = self.width,
        )
    }
}

/// Looks up, with a radius below zero down.
fn triangle(class: &str, (x, y): (f64, f64), radius: f64, tip: &str) -> String {
    let (foot, top) = (y + radius * 0.8, y - radius * 1.1);
    format!(
        "<path class=\"{class}\" d=\"M{:.1} {foot:.1}L{:.1} {foot:.1}L{x:.1} {top:.1}Z\" \
         data-tip=\"{tip}\"/>",
        x - radius * 1.1,
        x + radius * 1.1,
    )
}

/// How many series have a colour and a dash of their own.
pub const SERIES: usize = 6;

/// What parts two strips of a picture, up to the numbers of the second.
const NEXT_STRIP: &str = "</svg><svg viewBox=\"";
/// What follows on these.
const GOES_ON: &str = "\" aria-hidden=\"true\">";

/// A picture that stands on the page in strips as one again; any other as it is.
fn whole(picture: &str) -> String {
    let parts = picture.strip_prefix("<div class=\"strips\" data-whole=\"");
    let parts = parts.and_then(|rest| {
        let (place, rest) = rest.split_once('"')?;
        let (_, strips) = rest.split_once("<svg viewBox=\"")?;
        let (_, strips) = strips.strip_suffix("</div>")?.split_once('"')?;
        Some((place, strips))
    });
    let Some((place, strips)) = parts else { return picture.to_string() };
    let mut strips = strips.split(NEXT_STRIP);
    let mut whole = format!("<svg viewBox=\"{place}\"{}", strips.next().unwrap_or(""));
    for strip in strips {
        whole.push_str(strip.split_once(GOES_ON).map_or("", |(_, drawn)| drawn));
    }
    whole
}

/// The same picture as a file of its own, in light colours.
pub fn standalone(picture: &str) -> String {
    let picture = &whole(picture);
    let style = include_str!("../../templates/style.css");
    // Only what a picture uses: its own rules and the light palette.
    let rules: String = style.lines().filter(|line| line.starts_with("svg ")).collect();
    let rules = rules.replace("svg ", "");
    let palette = style.lines().next().and_then(|line| line.split_once('{'));
    let palette = palette.map_or("", |(_, rest)| rest);
    let fonts = "--serif:Georgia,serif;--sans:Inter,Arial,sans-serif;--mono:monospace";
    let open = "<svg ";
    let rest = picture.strip_prefix(open).unwrap_or(picture);
    let (head, body) = rest.split_once('>').unwrap_or((rest, ""));
    // On the page numbers in the description lead to their places; a picture alone has words only.
    let described = body.split_once("<desc ").and_then(|(before, rest)| {
        let (text, after) = rest.split_once("</desc>")?;
        let (id, text) = text.split_once('>')?;
        let text = escape(&without_tags(text));
        Some(format!("{before}<desc {id}>{text}</desc>{after}"))
    });
    let body = described.as_deref().unwrap_or(body);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" \
         {head}><style>svg{{{palette}{fonts};background:#fff}}{rules}</style>{body}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_one_picture_again_as_a_file() {
        let drawn = |cut: bool| {
            let mut svg = Svg::new(100.0, 60.0);
            svg.text("strong", (50.0, 10.0), Anchor::Middle, "first");
            if cut {
                svg.cut(20.0);
            }
            svg.text("small", (50.0, 30.0), Anchor::Middle, "second");
            if cut {
                svg.cut(40.0);
            }
            svg.line("flow", (0.0, 50.0), (100.0, 50.0));
            svg
        };
        let strips = drawn(true).finish_in_strips("A title", "Words &lt; numbers");
        for place in ["0 0 100 20", "0 20 100 20", "0 40 100 20"] {
            assert_eq!(
                strips.matches(&format!("viewBox=\"{place}\"")).count(),
                1,
                "{strips}"
            );
        }
        assert_eq!(strips.matches("role=\"img\"").count(), 1);
        assert_eq!(strips.matches("aria-hidden=\"true\"").count(), 2);
        let as_one = drawn(false).finish("A title", "Words < numbers");
        assert_eq!(whole(&strips), as_one);
        assert_eq!(standalone(&strips), standalone(&as_one));
        assert_eq!(whole(&as_one), as_one);
        // Without a cut there is one strip.
        let one = drawn(false).finish_in_strips("A title", "Words &lt; numbers");
        assert_eq!(whole(&one), as_one);
    }
}
