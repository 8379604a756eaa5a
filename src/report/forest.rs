//! A forest: one line per group with its estimate and interval on a shared axis.

use super::figure::DataTable;
use super::shown::{Shown, escape, plain};
use super::standing::judged_place;
use super::svg::{Anchor, Svg};
use crate::data::{AnalysisRecord, Count};

/// A line of a forest.
#[derive(Default)]
pub struct Row {
    pub label: String,
    /// A heading over the lines that follow.
    pub heading: bool,
    /// Place in `report.json` of what has the value, `lower` and `upper`; none if it has none.
    pub path: Option<String>,
    /// What the value is called there; `estimate` when empty.
    pub key: &'static str,
    /// On how many rows it stands.
    pub counted: Option<Counted>,
    pub estimate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Where a further one is expected: drawn as a thin line under a pooled estimate.
    pub prediction: Option<(f64, f64)>,
    /// What stands where the numbers would, or behind them.
    pub note: String,
    /// Colour and shape, from 1.
    pub series: usize,
    /// Whether it pools others.
    pub pooled: bool,
}

/// Rows and positives as the record has them, and the place there of what calls them `n` and `n_positive`.
pub struct Counted {
    pub n: Count,
    pub n_positive: Count,
    pub place: String,
}

impl Counted {
    /// The rows that an analysis was judged on.
    pub fn of(name: &str, analysis: &AnalysisRecord) -> Self {
        let (n, n_positive) = match &analysis.judged {
            Some(judged) => (judged.n, judged.n_positive),
            None => (analysis.n, analysis.n_positive),
        };
        Self { n, n_positive, place: judged_place(name, analysis) }
    }
}

/// What the values of a forest are, which says where its axis ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Between 0 and 1, of which 1 is the best or the most: the axis runs to it.
    Share,
    /// Differences, which have signs.
    Difference,
    /// Any number, such as a calibration slope: the axis holds what is drawn, and no more.
    Free,
}

/// A picture of lines over one axis.
pub struct Forest<'a> {
    pub title: &'a str,
    /// What is drawn, for those who do not see it; what each line says is added.
    pub description: String,
    /// Under the axis.
    pub axis: String,
    /// Over the labels.
    pub what: &'a str,
    /// What labels are called as a column of the table.
    pub each: &'a str,
    /// What headings are called there; empty where there are none.
    pub over: &'a str,
    /// A dotted line with its word, such as chance.
    pub reference: Option<(f64, &'a str)>,
    pub scale: Scale,
    pub rows: Vec<Row>,
}

/// Width of a character of the typeface of pictures, generously. Units: pixels.
const CHARACTER: f64 = 7.0;
/// Where labels begin, how much room the longest may take, and how much beside counts. Units: pixels.
const LABELS: f64 = 20.0;
const LONGEST: f64 = 326.0;
const BESIDE_COUNTS: f64 = 260.0;
/// From the end of the labels: that of the counts.
const COUNTS: f64 = 50.0;
/// From there the edges of the plot and of the picture.
const LEFT: f64 = 22.0;
const RIGHT: f64 = 260.0;
const WIDTH: f64 = 430.0;
const STEP: f64 = 22.0;
const TOP: f64 = 38.0;
/// Rows from which on a picture may be parted between its groups.
const TALL: usize = 14;

impl Forest<'_> {
    /// The picture, with every number of it by its place.
    pub fn draw(&self, shown: &Shown) -> String {
        let bottom = TOP + STEP * self.rows.len() as f64 + 4.0;
        let numbers = self.numbers_end();
        let (left, right, width) = (numbers + LEFT, numbers + RIGHT, numbers + WIDTH);
        let mut svg = Svg::new(width, bottom + 44.0);
        svg.text("strong", (8.0, 20.0), Anchor::Start, self.what);
        if self.counts() {
            svg.text("strong", (numbers, 20.0), Anchor::End, "n (positive)");
        }
        svg.text("strong", (width - 4.0, 20.0), Anchor::End, "Estimate (95 % CI)");
        svg.line("axis", (0.0, 29.0), (width, 29.0));
        let (low, high, step) = self.range();
        let x = |value: f64| {
            left + (value.clamp(low, high) - low) / (high - low) * (right - left)
        };
        let ticks = ((high - low) / step + 0.5) as usize;
        if let Some((value, word)) = self.reference {
            // Its word stands between the heads of the columns, where no line of a group can lie.
            // On the left edge it begins there: to the left stands the head of another column.
            match x(value) < left + 20.0 {
                true => svg.text("small", (left - 4.0, 21.0), Anchor::Start, word),
                false => svg.text("small", (x(value), 21.0), Anchor::Middle, word),
            }
        }
        let told = self.told(shown);
        let labels: Vec<&str> = self.rows.iter().map(|row| row.label.as_str()).collect();
        let labels = distinct(&labels, self.label());
        let cuts = self.cuts();
        let mut top = 29.0_f64;
        for (part, &from) in cuts.iter().enumerate() {
            let to = cuts.get(part + 1).copied();
            let foot = to.map_or(bottom, |to| TOP + STEP * to as f64);
            for tick in 0..=ticks {
                let value = low + step * tick as f64;
                svg.line("grid", (x(value), top.max(TOP - 4.0)), (x(value), foot));
            }
            if let Some((value, _)) = self.reference {
                svg.line("ref", (x(value), top), (x(value), foot));
            }
            let rows = self.rows.iter().enumerate().skip(from);
            for (position, row) in rows.take(to.unwrap_or(self.rows.len()) - from) {
                let y = TOP + STEP * (position as f64 + 0.5);
                self.line(&mut svg, (row, &labels[position]), y, &x, shown);
            }
            if to.is_some() {
                svg.cut(foot);
            }
            top = foot;
        }
        // What stands at the axis goes with the last part, so that it is drawn at the end.
        self.foot(&mut svg, (left, right), bottom, (low, step, ticks), &x);
        match cuts.len() {
            1 => svg.finish_told(self.title, &told),
            _ => svg.finish_in_strips(self.title, &told),
        }
    }

    /// The numbers under the axis and what they are.
    fn foot(
        &self,
        svg: &mut Svg,
        (left, right): (f64, f64),
        bottom: f64,
        (low, step, ticks): (f64, f64, usize),
        x: &dyn Fn(f64) -> f64,
    ) {
        let digits = match step {
            step if step < 0.099 => 2,
            step if step < 0.99 => 1,
            _ => 0,
        };
        for tick in 0..=ticks {
            let value = low + step * tick as f64;
            let text = plain(value, digits);
            svg.text("small", (x(value), bottom + 15.0), Anchor::Middle, &text);
        }
        svg.text(
            "small",
            ((left + right) / 2.0, bottom + 34.0),
            Anchor::Middle,
            &self.axis,
        );
    }

    /// Positions of the rows with which parts begin that paper may part: of a tall picture the groups.
    fn cuts(&self) -> Vec<usize> {
        let rows = self.rows.iter().enumerate().skip(1);
        let headings = rows.filter(|(_, row)| row.heading && self.rows.len() > TALL);
        [0].into_iter().chain(headings.map(|(position, _)| position)).collect()
    }

    /// Whether any line says of how many rows it is.
    fn counts(&self) -> bool {
        self.rows.iter().any(|row| row.counted.is_some())
    }

    /// Characters of a label.
    fn label(&self) -> usize {
        if self.counts() { 36 } else { 50 }
    }

    /// Where the counts end, or without any the labels: from there on all pictures are the same.
    fn numbers_end(&self) -> f64 {
        let labels = self.rows.iter().filter(|row| !row.heading);
        let labels = labels.map(|row| row.label.as_str());
        match self.counts() {
            // The head of the labels stands before that of the counts, which is wider than these.
            true => {
                let head = format!("{} n (pos", self.what);
                let labels = labels.chain([head.as_str()]);
                LABELS + names_end(labels, self.label(), BESIDE_COUNTS) + COUNTS
            }
            false => LABELS + names_end(labels, self.label(), LONGEST - LABELS),
        }
    }

    /// The picture in words, with the numbers of every line by their places. HTML.
    fn told(&self, shown: &Shown) -> String {
        let mut told = escape(&self.description);
        for row in &self.rows {
            let label = escape(&row.label);
            if row.heading {
                told.push_str(&format!(" {label}."));
                continue;
            }
            told.push_str(&format!(" {label}: {}", self.numbers(row, shown)));
            if let (Some(path), true) = (&row.path, row.prediction.is_some()) {
                let end = |at: usize| shown.number(&format!("{path}/prediction/{at}"), 2);
                told.push_str(&format!(
                    ", a further one is expected between {} and {}",
                    end(0),
                    end(1)
                ));
            }
            if let Some(of) = &row.counted {
                let rows = if of.n == 1 { "row" } else { "rows" };
                told.push_str(&format!(
                    "; {} {rows}, {} positive",
                    shown.count(&format!("{}/n", of.place)),
                    shown.count(&format!("{}/n_positive", of.place))
                ));
            }
            told.push('.');
        }
        told
    }

    /// Estimate and interval by their places, or why there is none. HTML.
    fn numbers(&self, row: &Row, shown: &Shown) -> String {
        let (Some(path), Some(_)) = (&row.path, row.estimate) else {
            return escape(&self.words(row));
        };
        let key = if row.key.is_empty() { "estimate" } else { row.key };
        let place = format!("{path}/{key}");
        let value = match self.scale {
            Scale::Difference => shown.signed(&place, 2),
            Scale::Share | Scale::Free => shown.number(&place, 2),
        };
        format!("{value} ({})", shown.interval(path, 2))
    }

    fn line(
        &self,
        svg: &mut Svg,
        (row, label): (&Row, &str),
        y: f64,
        x: &dyn Fn(f64) -> f64,
        shown: &Shown,
    ) {
        if row.heading {
            // It runs over the whole line.
            let most = (self.numbers_end() + WIDTH - 16.0) / CHARACTER;
            let label = shortened(&row.label, most as usize);
            svg.text("strong", (8.0, y + 4.0), Anchor::Start, &label);
            return;
        }
        let class = if row.pooled { "strong" } else { "" };
        svg.text(class, (LABELS, y + 4.0), Anchor::Start, label);
        if let Some(of) = &row.counted {
            let n = shown.count(&format!("{}/n", of.place));
            let text = match (of.n.known(), of.n_positive.known()) {
                (None, None) => n,
                _ => {
                    format!("{n} ({})", shown.count(&format!("{}/n_positive", of.place)))
                }
            };
            let at = (self.numbers_end(), y + 4.0);
            svg.numbers("", at, Anchor::End, &text);
        }
        let right = (self.numbers_end() + WIDTH - 4.0, y + 4.0);
        let Some(estimate) = row.estimate else {
            svg.text("small", right, Anchor::End, &shortened(&row.note, 44));
            return;
        };
        let tip = format!("{}: {}", row.label, self.words(row));
        if let Some((lower, upper)) = row.prediction {
            svg.line("ref", (x(lower), y + 9.0), (x(upper), y + 9.0));
            svg.line("ref", (x(lower), y + 6.0), (x(lower), y + 12.0));
            svg.line("ref", (x(upper), y + 6.0), (x(upper), y + 12.0));
        }
        if let (Some(lower), Some(upper)) = (row.lower, row.upper) {
            let whisker = format!("w{}", row.series);
            svg.line(&whisker, (x(lower), y), (x(upper), y));
        }
        svg.mark(row.series, (x(estimate), y), if row.pooled { 6.5 } else { 5.0 }, &tip);
        svg.numbers(class, right, Anchor::End, &self.numbers(row, shown));
    }

    fn words(&self, row: &Row) -> String {
        let Some(estimate) = row.estimate else { return row.note.clone() };
        match (row.lower, row.upper) {
            (Some(lower), Some(upper)) => {
                format!("{} ({})", plain(estimate, 2), span(lower, upper, 2))
            }
            _ => format!("{}, no interval", plain(estimate, 2)),
        }
    }

    /// From, to and step of the axis, wide enough for all of it.
    fn range(&self) -> (f64, f64, f64) {
        let reference = self.reference.map(|(value, _)| value);
        let (mut low, mut high) = match self.scale {
            Scale::Share => (reference.unwrap_or(0.5), 1.0),
            Scale::Difference => (reference.unwrap_or(0.0), reference.unwrap_or(0.0)),
            // From nothing drawn to whatever comes first.
            Scale::Free => reference.map_or((f64::MAX, f64::MIN), |at| (at, at)),
        };
        for row in &self.rows {
            let ends = [row.estimate, row.lower, row.upper];
            let prediction = row.prediction.map(|(lower, upper)| [lower, upper]);
            for value in
                ends.into_iter().flatten().chain(prediction.into_iter().flatten())
            {
                low = low.min(value);
                high = high.max(value);
            }
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let span = (high - low).max(0.1);
        let mut unit = 0.01;
        while unit * 50.0 * 6.0 < span {
            unit *= 10.0;
        }
        // Of a wide span the axis has few ticks as well: their numbers need room.
        let ticks = |step: f64| (high / step - 1e-9).ceil() - (low / step + 1e-9).floor();
        let step = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
            .into_iter()
            .map(|part| part * unit)
            .find(|step| span / step <= 6.0 && ticks(*step) <= 6.0)
            .unwrap_or(100.0 * unit);
        // A hair of tolerance, so that 0.5 does not become a tick below itself.
        let low = (low / step + 1e-9).floor() * step;
        let high = (high / step - 1e-9).ceil() * step;
        (low, if high > low { high } else { low + step }, step)
    }

    /// The numbers of the picture.
    pub fn table(&self) -> DataTable {
        let head = [self.each, "n", "events", "est", "lo", "hi", "note"];
        let over = (!self.over.is_empty()).then_some(self.over);
        let head = over.into_iter().chain(head).map(String::from).collect();
        let number =
            |value: Option<f64>| value.map_or(String::new(), |value| plain(value, 4));
        let count = |row: &Row, of: fn(&Counted) -> Count| {
            row.counted.as_ref().map_or(String::new(), |counted| of(counted).to_string())
        };
        let mut heading = String::new();
        let rows = self.rows.iter().filter_map(|row| {
            if row.heading {
                heading.clone_from(&row.label);
                return None;
            }
            let cells = vec![
                row.label.clone(),
                count(row, |of| of.n),
                count(row, |of| of.n_positive),
                number(row.estimate),
                number(row.lower),
                number(row.upper),
                match row.prediction {
                    Some((lower, upper)) => format!(
                        "{}; a further one is expected within {}",
                        row.note,
                        span(lower, upper, 4)
                    ),
                    None => row.note.clone(),
                },
            ];
            Some(over.map(|_| heading.clone()).into_iter().chain(cells).collect())
        });
        DataTable { rows: rows.collect(), head }
    }

    /// The picture in its scrolling box, for the page.
    pub fn boxed(picture: &str, label: &str) -> String {
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{picture}</div>",
            super::shown::escape(label)
        )
    }
}

/// Both ends of an interval; apart by a word where a dash would look like a sign.
fn span(lower: f64, upper: f64, digits: usize) -> String {
    let between = if lower < 0.0 { " to " } else { "–" };
    format!("{}{between}{}", plain(lower, digits), plain(upper, digits))
}

/// A text of at most so many characters. Names of one word lose their middle, as columns of one
/// family often differ at the end.
pub fn shortened(text: &str, most: usize) -> String {
    let n = text.chars().count();
    if n <= most {
        return text.to_string();
    }
    let tail = if text.contains(' ') { 0 } else { (most - 1) * 2 / 5 };
    let head: String = text.chars().take(most - 1 - tail).collect();
    let tail: String = text.chars().skip(n - tail).collect();
    format!("{}…{tail}", head.trim_end())
}

/// The same of several names that stand one below the other: where the usual cut would make two of them
/// look alike, all of these keep more of their ends, as much as tells them apart.
pub fn distinct(names: &[&str], most: usize) -> Vec<String> {
    /// What is left of the beginning at least.
    const HEAD: usize = 4;
    let mut short: Vec<String> = names.iter().map(|name| shortened(name, most)).collect();
    let cut = |name: &str, tail: usize| -> String {
        let n = name.chars().count();
        if n <= most {
            return name.to_string();
        }
        let head: String = name.chars().take(most - 1 - tail).collect();
        let tail: String = name.chars().skip(n - tail).collect();
        format!("{head}…{tail}")
    };
    for at in 0..names.len() {
        let alike: Vec<usize> =
            (0..names.len()).filter(|other| short[*other] == short[at]).collect();
        let told_apart = |tail: &usize| {
            let pairs =
                alike.iter().flat_map(|one| alike.iter().map(move |two| (one, two)));
            pairs
                .filter(|(one, two)| names[**one] != names[**two])
                .all(|(one, two)| cut(names[*one], *tail) != cut(names[*two], *tail))
        };
        if alike.iter().all(|other| names[*other] == names[at]) {
            continue;
        }
        // The least that does it, so that beginnings stay as they are known.
        let usual = (most - 1) * 2 / 5;
        if let Some(tail) = (usual..most.saturating_sub(HEAD)).find(told_apart) {
            for other in alike {
                short[other] = cut(names[other], tail);
            }
        }
    }
    short
}

/// Where names end that stand at the left of a picture, none longer than so many characters: no room is
/// left before short ones, so that a narrow screen shows what stands beside them. Units: pixels.
fn names_end<'n>(names: impl Iterator<Item = &'n str>, most: usize, widest: f64) -> f64 {
    /// What the head of the column needs.
    const LEAST: f64 = 70.0;
    let longest = names.map(|name| name.chars().count().min(most)).max().unwrap_or(0);
    (longest as f64 * CHARACTER + 8.0).clamp(LEAST, widest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest(scale: Scale, values: &[(f64, f64, f64)]) -> Forest<'static> {
        Forest {
            title: "",
            description: String::new(),
            axis: String::new(),
            what: "",
            each: "set",
            over: "",
            reference: Some((if scale == Scale::Share { 0.5 } else { 0.0 }, "")),
            scale,
            rows: values
                .iter()
                .map(|&(estimate, lower, upper)| Row {
                    estimate: Some(estimate),
                    lower: Some(lower),
                    upper: Some(upper),
                    series: 1,
                    ..Row::default()
                })
                .collect(),
        }
    }

    #[test]
    fn names_have_the_room_that_the_longest_needs() {
        let end = |names: &[&str]| names_end(names.iter().copied(), 46, 330.0);
        assert_eq!(end(&["age", "volume_ml"]), end(&["volume_ml"]));
        assert!(end(&["age"]) < end(&["texture.t1ce.glcm"]));
        // The head of the column has its room, and no name is longer than it is drawn.
        assert_eq!(end(&[]), 70.0);
        assert_eq!(end(&["x".repeat(99).as_str()]), 330.0);
    }

    #[test]
    fn the_axis_holds_everything_and_the_reference() {
        let close = |(low, high, step): (f64, f64, f64), wanted: (f64, f64, f64)| {
            let off = (low - wanted.0).abs() + (high - wanted.1).abs();
            assert!(off + (step - wanted.2).abs() < 1e-9, "{low} {high} {step}");
        };
        let range = |scale, values: &[(f64, f64, f64)]| forest(scale, values).range();
        close(range(Scale::Share, &[(0.8, 0.7, 0.9)]), (0.5, 1.0, 0.1));
        close(range(Scale::Share, &[(0.3, 0.1, 0.55)]), (0.0, 1.0, 0.2));
        close(range(Scale::Difference, &[(0.05, -0.03, 0.13)]), (-0.05, 0.15, 0.05));
        close(range(Scale::Difference, &[(-0.2, -0.3, -0.1)]), (-0.3, 0.0, 0.05));
        // Ticks with a sign and two decimals need room.
        close(range(Scale::Difference, &[(0.03, -0.12, 0.16)]), (-0.2, 0.2, 0.1));
    }

    #[test]
    fn an_axis_of_any_numbers_ends_where_they_end() {
        let close = |values: &[(f64, f64, f64)], wanted: (f64, f64, f64)| {
            let (low, high, step) = forest(Scale::Free, values).range();
            let off = (low - wanted.0).abs() + (high - wanted.1).abs();
            assert!(off + (step - wanted.2).abs() < 1e-6, "{low} {high} {step}");
        };
        close(&[(-0.1, -0.3, 0.1)], (-0.3, 0.1, 0.1));
        close(&[(0.2, 0.1, 0.26)], (0.0, 0.3, 0.05));
        close(&[(-2.0, -30.0, 41.0)], (-40.0, 60.0, 20.0));
        close(&[(0.5, -900.0, 1700.0)], (-1000.0, 2000.0, 500.0));
        let mut none = forest(Scale::Free, &[]);
        none.reference = None;
        let (low, high, _) = none.range();
        assert!(low < high && low.is_finite() && high.is_finite());
    }

    #[test]
    fn a_tall_picture_may_be_parted_before_its_groups() {
        let groups = |n: usize| -> Vec<Row> {
            (0..n).map(|at| Row { heading: at % 5 == 0, ..Row::default() }).collect()
        };
        let cuts = |n: usize| {
            let mut forest = forest(Scale::Share, &[]);
            forest.rows = groups(n);
            forest.cuts()
        };
        assert_eq!(cuts(TALL), [0]);
        assert_eq!(cuts(20), [0, 5, 10, 15]);
    }

    #[test]
    fn headings_are_a_column_of_the_table() {
        let mut forest = forest(Scale::Share, &[(0.8, 0.7, 0.9), (0.6, 0.5, 0.7)]);
        let heading = |label: &str| Row {
            label: label.to_string(),
            heading: true,
            ..Row::default()
        };
        forest.rows.insert(1, heading("Specificity"));
        forest.rows.insert(0, heading("Sensitivity"));
        forest.over = "metric";
        let table = forest.table();
        assert_eq!(table.head[..4], ["metric", "set", "n", "events"]);
        let first: Vec<&str> = table.rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(first, ["Sensitivity", "Specificity"]);
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
    }

    #[test]
    fn negative_ends_do_not_read_as_a_dash() {
        assert_eq!(span(-0.1, 0.2, 2), "−0.10 to 0.20");
        assert_eq!(span(0.1, 0.2, 2), "0.10–0.20");
        assert_eq!(shortened("a long label", 7), "a long…");
        let hidden = ["t2.hist_max_grad_bin64", "t2.hist_median_bin64", "age"];
        assert_eq!(shortened(hidden[0], 16), shortened(hidden[1], 16));
        let apart = distinct(&hidden, 16);
        assert_ne!(apart[0], apart[1]);
        assert_eq!(apart[2], "age");
        assert!(apart.iter().all(|name| name.chars().count() <= 16), "{apart:?}");
        // The same name twice is no reason to cut it otherwise.
        assert_eq!(distinct(&["a_rather_long_name"; 2], 11), ["a_rath…name"; 2]);
        assert_eq!(shortened("texture_of_bin32", 11), "textur…in32");
    }
}
