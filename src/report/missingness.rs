//! The map of missing values: by variable and cohort, which go together, and how that goes with the outcome.

use super::figure::{DataTable, Figure};
use super::forest::{Forest, shortened};
use super::shown::{Shown, aside, escape, plain};
use super::standing::label;
use super::svg::{Anchor, Svg};
use super::table_one::with_percent;
use crate::data::{Count, DIVIDING, GapFacts, MissingnessFacts, StudyRecord};

/// Lines that a drawing has, and those of the data table on the page; all are in the file of variables.
const DRAWN: usize = 30;
const LISTED: usize = 200;
/// Characters that the name of a line may have.
const LABEL: usize = 31;

/// Right edge of the names, distance of two patterns, height of a line, and right edges of the numbers beside
/// the last pattern. Units: pixels.
const NAMES: f64 = 214.0;
const STEP: f64 = 38.0;
const TALL: f64 = 20.0;
const BESIDE: [f64; 4] = [96.0, 186.0, 276.0, 428.0];

/// One cohort with its place in the record.
#[derive(Clone, Copy)]
struct Of<'a> {
    record: &'a StudyRecord,
    shown: &'a Shown<'a>,
    at: usize,
}

impl<'a> Of<'a> {
    fn facts(self) -> &'a MissingnessFacts {
        &self.record.missingness[self.at]
    }

    fn count(self, what: &str) -> String {
        self.shown.count(&format!("/missingness/{}/{what}", self.at))
    }

    /// What a row of the cohort is.
    fn unit(self) -> &'static str {
        let name = &self.facts().cohort;
        let cohort = self.record.cohorts.iter().find(|cohort| cohort.name == *name);
        let each = cohort.is_none_or(|of| of.n_rows.known() == of.n_subjects.known());
        if each { "patients" } else { "rows" }
    }

    /// How many there are, and how many of either class. HTML.
    fn who(self) -> String {
        let classes = match self.facts().outcome {
            Some(_) => format!(
                " ({} positive, {} negative)",
                self.count("positive"),
                self.count("negative")
            ),
            None => String::new(),
        };
        format!("{} {}{classes}", self.count("rows"), self.unit())
    }

    fn share(self, gap: usize, of: &str) -> String {
        let path = format!("/missingness/{}/gaps/{gap}/{of}", self.at);
        with_percent(self.shown, &format!("{path}/n"), &format!("{path}/percent"), 1)
    }

    fn difference(self, gap: usize) -> String {
        let path = format!("/missingness/{}/gaps/{gap}/difference", self.at);
        match (self.facts().gaps[gap].difference, self.shown.is_hidden(&path)) {
            (None, false) => "–".to_string(),
            (None, true) => self.shown.number(&path, 1),
            (Some(_), _) => format!(
                "{} ({})",
                self.shown.number(&format!("{path}/estimate"), 1),
                self.shown.interval(&path, 1)
            ),
        }
    }

    /// The gaps in the order of the lines: those missing most often first, where order may tell of that.
    fn order(self) -> Vec<usize> {
        let gaps = &self.facts().gaps;
        let mut order: Vec<usize> = (0..gaps.len()).collect();
        if !self.shown.protects {
            order.sort_by_key(|gap| std::cmp::Reverse(gaps[*gap].all.n.known()));
        }
        order
    }

    /// Those that are drawn.
    fn drawn(self) -> Vec<usize> {
        let mut order = self.order();
        order.truncate(DRAWN);
        order
    }

    fn draw(self) -> String {
        let facts = self.facts();
        let drawn = self.drawn();
        let lines = drawn.len();
        let patterns = facts.patterns.len() + 1 + usize::from(facts.others != 0);
        let edge = NAMES + 12.0 + STEP * patterns as f64;
        let top = 64.0;
        let foot = top + TALL * lines as f64;
        let mut svg = Svg::new(edge + BESIDE[3] + 4.0, foot + 26.0);
        let head = format!("{}: {}", escape(&shortened(&facts.cohort, 40)), self.who());
        svg.numbers("k1", (8.0, 18.0), Anchor::Start, &head);
        let y = top - 12.0;
        svg.text("strong", (8.0, y), Anchor::Start, "Variable");
        svg.text("small", (NAMES + 12.0, y - 16.0), Anchor::Start, "Missing together");
        let heads = ["Missing", "Positive", "Negative", "Difference, points"];
        for (head, right) in heads.into_iter().zip(BESIDE) {
            svg.text("strong", (edge + right, y), Anchor::End, head);
        }
        svg.line("axis", (0.0, top - 5.0), (edge + BESIDE[3], top - 5.0));
        for (line, gap) in drawn.iter().copied().enumerate() {
            let y = top + TALL * (line as f64 + 0.5);
            svg.text(
                "",
                (8.0, y + 4.0),
                Anchor::Start,
                &shortened(&named(&facts.gaps[gap]), LABEL),
            );
            let numbers = [
                self.share(gap, "all"),
                self.share(gap, "positive"),
                self.share(gap, "negative"),
                self.difference(gap),
            ];
            for (number, right) in numbers.iter().zip(BESIDE) {
                svg.numbers("", (edge + right, y + 4.0), Anchor::End, number);
            }
        }
        let cell = |column: usize| NAMES + 12.0 + STEP * column as f64;
        let bottom = |svg: &mut Svg, column: usize, head: &str, n: &str| {
            let middle = cell(column) + (STEP - 6.0) / 2.0;
            svg.text("small", (middle, y), Anchor::Middle, head);
            svg.numbers("small", (middle, foot + 14.0), Anchor::Middle, n);
        };
        let unit = if self.unit() == "rows" { "Rows" } else { "Patients" };
        svg.text("small", (NAMES, foot + 14.0), Anchor::End, unit);
        bottom(&mut svg, 0, "none", &self.count("complete"));
        for column in 0..facts.patterns.len() {
            let n = self.count(&format!("patterns/{column}/n"));
            bottom(&mut svg, column + 1, &(column + 1).to_string(), &n);
        }
        let told = facts.patterns.iter().map(|pattern| pattern.gaps.as_slice());
        for (column, missing) in std::iter::once(&[][..]).chain(told).enumerate() {
            for (line, gap) in drawn.iter().enumerate() {
                let class = if missing.contains(gap) { "bar2" } else { "track" };
                let at = (cell(column), top + TALL * line as f64 + 3.0);
                svg.rect(class, at, (STEP - 6.0, TALL - 6.0));
            }
        }
        if facts.others != 0 {
            bottom(&mut svg, facts.patterns.len() + 1, "other", &self.count("others"));
        }
        let title = format!("Missing values of {}", facts.cohort);
        svg.finish_told(&title, &self.told())
    }

    /// The drawing in words. HTML.
    fn told(self) -> String {
        let facts = self.facts();
        let mut told = format!(
            "Cohort {}, {}: {} have a value of each of {} variables.",
            escape(&facts.cohort),
            self.who(),
            self.count("complete"),
            self.count("variables")
        );
        for gap in self.drawn() {
            told.push_str(&format!(
                " {}: {} missing, {} of the positive and {} of the negative, difference {}.",
                escape(&in_full(&facts.gaps[gap])),
                self.share(gap, "all"),
                self.share(gap, "positive"),
                self.share(gap, "negative"),
                self.difference(gap)
            ));
        }
        for (column, pattern) in facts.patterns.iter().enumerate() {
            let names =
                pattern.gaps.iter().take(DRAWN).map(|gap| in_full(&facts.gaps[*gap]));
            let names = names.collect::<Vec<_>>().join(", ");
            let n = self.count(&format!("patterns/{column}/n"));
            let lack = if pattern.n.known() == Some(1) { "lacks" } else { "lack" };
            told.push_str(&format!(" {n} {lack} {} and no other.", escape(&names)));
        }
        if facts.others != 0 {
            let have = if facts.others.known() == Some(1) { "has" } else { "have" };
            told.push_str(&format!(" {} {have} other gaps.", self.count("others")));
        }
        told
    }

    /// How a cohort stands in which nothing is missing. HTML.
    fn whole(self) -> String {
        format!(
            "In cohort {} nothing is missing: all {} have a value of each of {} variables.",
            escape(&self.facts().cohort),
            self.who(),
            self.count("variables")
        )
    }

    fn cells(self, gap: usize) -> Vec<String> {
        let facts = self.facts();
        let path = format!("/missingness/{}/gaps/{gap}", self.at);
        let number = |what: &str, value: Option<f64>| match value {
            Some(value) => plain(value, 4),
            None if self.shown.is_hidden(&format!("{path}/{what}")) => {
                "hidden".to_string()
            }
            None => String::new(),
        };
        let gap = &facts.gaps[gap];
        let mut cells = Vec::new();
        let groups = [
            ("all/percent", facts.rows, gap.all),
            ("positive/percent", facts.positive, gap.positive),
            ("negative/percent", facts.negative, gap.negative),
        ];
        for (place, of, share) in groups {
            cells.extend([of.to_string(), share.n.to_string()]);
            cells.push(number(place, share.percent));
        }
        let difference = gap.difference;
        cells.extend([
            number("difference/estimate", difference.map(|of| of.estimate)),
            number("difference/lower", difference.map(|of| of.lower)),
            number("difference/upper", difference.map(|of| of.upper)),
        ]);
        cells
    }
}

/// The variables of a gap: the first, and how many go with it.
fn named(gap: &GapFacts) -> String {
    with_more(gap, |first| shortened(first, 18))
}

/// The same where there is room for a long name.
fn in_full(gap: &GapFacts) -> String {
    with_more(gap, str::to_string)
}

fn with_more(gap: &GapFacts, beside_others: impl Fn(&str) -> String) -> String {
    let first = gap.columns.first().map_or("", |column| column.variable.as_str());
    match gap.columns.len() {
        0 | 1 => first.to_string(),
        n => format!("{} and {} more", beside_others(first), n - 1),
    }
}

fn all<'a>(
    record: &'a StudyRecord,
    shown: &'a Shown<'a>,
) -> impl Iterator<Item = Of<'a>> {
    (0..record.missingness.len()).map(move |at| Of { record, shown, at })
}

/// What is said of each cohort in which nothing is missing. HTML.
pub fn whole(record: &StudyRecord, shown: &Shown) -> Vec<String> {
    let of = all(record, shown).filter(|of| of.facts().gaps.is_empty());
    of.map(|of| of.whole()).collect()
}

/// The numbers beside each gap in a file.
const NUMBERS: [&str; 12] = [
    "n",
    "n_missing",
    "percent",
    "n_positive",
    "missing_positive",
    "percent_positive",
    "n_negative",
    "missing_negative",
    "percent_negative",
    "difference",
    "lower",
    "upper",
];

/// Every variable with a gap, one by one.
pub fn file(record: &StudyRecord, shown: &Shown) -> DataTable {
    let head = ["cohort", "block", "variable", "gap"].into_iter().chain(NUMBERS);
    let mut rows = Vec::new();
    for of in all(record, shown) {
        for at in of.order() {
            let gap = &of.facts().gaps[at];
            let cells = of.cells(at);
            rows.extend(gap.columns.iter().map(|column| {
                let first = [
                    of.facts().cohort.clone(),
                    column.block.clone(),
                    column.variable.clone(),
                    (at + 1).to_string(),
                ];
                first.into_iter().chain(cells.iter().cloned()).collect()
            }));
        }
    }
    DataTable { head: head.map(String::from).collect(), rows }
}

/// Variables and patterns, as many as a page holds.
fn table(record: &StudyRecord, shown: &Shown) -> DataTable {
    let head = ["cohort", "what", "variable", "variables"].into_iter().chain(NUMBERS);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for of in all(record, shown) {
        let facts = of.facts();
        let row = |what: &str, names: String, n: String, cells: Vec<String>| {
            let first = [facts.cohort.clone(), what.to_string(), names, n];
            first.into_iter().chain(cells).collect::<Vec<String>>()
        };
        for at in of.order().into_iter().take(LISTED) {
            let gap = &facts.gaps[at];
            let n = gap.columns.len().to_string();
            rows.push(row("variable", named(gap), n, of.cells(at)));
        }
        let counted = |n: Count| {
            let mut cells = vec![facts.rows.to_string(), n.to_string()];
            cells.resize(NUMBERS.len(), String::new());
            cells
        };
        rows.push(row("none", String::new(), "0".to_string(), counted(facts.complete)));
        for pattern in &facts.patterns {
            let gaps = pattern.gaps.iter().map(|gap| &facts.gaps[*gap]);
            let n: usize = gaps.clone().map(|gap| gap.columns.len()).sum();
            let names: Vec<String> = gaps.take(DRAWN).map(named).collect();
            let names = names.join("; ");
            rows.push(row("together", names, n.to_string(), counted(pattern.n)));
        }
        if facts.others != 0 {
            let n = String::new();
            rows.push(row("other patterns", String::new(), n, counted(facts.others)));
        }
    }
    DataTable { head: head.map(String::from).collect(), rows }
}

/// The map of every cohort in which something is missing; none where nothing is.
pub fn figure(record: &StudyRecord, shown: &Shown) -> Option<Figure<'static>> {
    let with: Vec<Of<'_>> =
        all(record, shown).filter(|of| !of.facts().gaps.is_empty()).collect();
    let first = with.first()?;
    let facts = first.facts();
    // Where counts are hidden, gaps are not in order of them.
    let most = match shown.protects {
        true => String::new(),
        false => format!(
            "; missing most often: {} {}",
            escape(&in_full(&facts.gaps[first.order()[0]])),
            aside(&first.share(first.order()[0], "all"))
        ),
    };
    let heading = format!(
        "Of {} {} of {}, {} have a value of each of {} variables{most}",
        first.count("rows"),
        first.unit(),
        escape(&facts.cohort),
        first.count("complete"),
        first.count("variables")
    );
    let pictures: Vec<String> = with.iter().map(|of| of.draw()).collect();
    let mut body: String = with
        .iter()
        .zip(&pictures)
        .map(|(of, picture)| {
            let label = format!("Missing values of {}", of.facts().cohort);
            Forest::boxed(picture, &label)
        })
        .collect();
    for sentence in whole(record, shown) {
        body.push_str(&format!("<p>{sentence}</p>"));
    }
    let capped = with.iter().any(|of| of.facts().gaps.len() > DRAWN);
    let order = if shown.protects { "the first" } else { "those missing most often" };
    let capped = match capped {
        true => format!(
            " At most {DRAWN} lines of a cohort are drawn, {order}; the data table has up to {LISTED}, \
             and tables/missing_by_variable.csv all."
        ),
        false => " All variables stand in tables/missing_by_variable.csv.".to_string(),
    };
    let mut outcomes: Vec<&str> =
        with.iter().filter_map(|of| of.facts().outcome.as_deref()).collect();
    outcomes.dedup();
    let classes = match outcomes.as_slice() {
        [] => String::new(),
        of => format!(
            " Positive and negative are the classes of {}; their difference is positive less negative, \
             with Newcombe's 95 % interval, described and not tested.",
            of.iter().map(|name| label(record, name)).collect::<Vec<_>>().join(", ")
        ),
    };
    let dividing = facts.gaps.iter().flat_map(|gap| &gap.columns);
    let dividing = match dividing.into_iter().any(|column| column.block == DIVIDING) {
        true => " Columns of sites, strata and subgroups are among the variables.",
        false => "",
    };
    let patterns = match shown.protects {
        true => "Patterns of too few are among the others.",
        false => "The most frequent patterns are shown, the rest counted as other.",
    };
    Some(Figure {
        id: "missingness",
        heading,
        sub: "A line for each variable with a gap, a column for each set of variables that is missing \
              together; a dark cell is missing. Under each column stands how many have it."
            .to_string(),
        body,
        pictures,
        method: format!(
            "Counted among all that a cohort's rules keep, before anybody leaves as the outcome is \
             unknown or as features could not be measured; who could not be measured lacks all features \
             of the block. Variables that are missing in exactly the same rows are one line. {patterns}\
             {classes}{dividing}{capped} What the models do with gaps stands under methods."
        ),
        table: table(record, shown),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::GapColumn;

    #[test]
    fn variables_that_are_missing_together_are_one_line() {
        let gap = |names: &[&str]| GapFacts {
            columns: names
                .iter()
                .map(|name| GapColumn {
                    block: "b".to_string(),
                    variable: (*name).to_string(),
                })
                .collect(),
            all: Default::default(),
            positive: Default::default(),
            negative: Default::default(),
            difference: None,
        };
        assert_eq!(named(&gap(&["age"])), "age");
        assert_eq!(named(&gap(&["a", "b", "c"])), "a and 2 more");
        let long = "age_at_initial_pathologic_diagnosis";
        let short = named(&gap(&[long, "b"]));
        assert!(short.contains('…') && short.ends_with(" and 1 more"), "{short}");
        // What is said of the others is not cut off, whatever their number.
        let many: Vec<&str> = std::iter::repeat_n(long, 999).collect();
        assert_eq!(shortened(&named(&gap(&many)), LABEL), named(&gap(&many)));
        assert_eq!(in_full(&gap(&[long, "b"])), format!("{long} and 1 more"));
    }
}
