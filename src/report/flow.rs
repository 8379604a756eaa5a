//! The flow diagram: who is in each box, who left before it and why, and how outcomes divide those who stay.

use super::figure::{DataTable, Figure};
use super::forest::{Forest, shortened};
use super::shown::{Shown, escape, place};
use super::standing::{headline, same_question};
use super::svg::{Anchor, Svg};
use crate::data::{AnalysisRecord, CohortFacts, Count, FlowBox, Removed, StudyRecord};

/// What the label of a box of analyses begins with.
const ANALYSED: &str = "analysed: ";

/// Width of a cohort's column and of a box, height of a box without its lines and of a line, of an arrow, and
/// of a line of reasons; height of the boxes of classes, and how far they lie below. Units: pixels.
const COLUMN: f64 = 430.0;
const BOX: f64 = 200.0;
const HEAD: f64 = 31.0;
const LINE: f64 = 13.0;
const ARROW: f64 = 34.0;
const REASON: f64 = 15.0;
const CLASS: f64 = 38.0;
const BELOW: f64 = 16.0;

/// Right edge of the numbers of those who left, from the middle of a box, and the characters of a line that
/// says why.
const NUMBER: f64 = 72.0;
const REASONS: usize = 32;

/// Outcomes of a cohort that stand in its box; the rest are in the data table.
const OUTCOMES: usize = 3;

/// Whether the rows of every box are patients, each its own.
pub fn are_patients(record: &StudyRecord) -> bool {
    let boxes = || record.cohorts.iter().flat_map(|cohort| &cohort.flow);
    boxes().next().is_some() && boxes().all(|of_box| unit(of_box) == "patients")
}

/// What is counted in a box.
fn unit(of_box: &FlowBox) -> &'static str {
    match of_box.n_out.known() == of_box.n_subjects.known() {
        true => "patients",
        false => "rows",
    }
}

/// Whether a box is that of analyses rather than of the cohort.
fn is_analysis(of_box: &FlowBox) -> bool {
    of_box.label.starts_with(ANALYSED)
}

/// Position of a cohort's own last box, before those of analyses.
fn own(cohort: &CohortFacts) -> Option<usize> {
    cohort.flow.iter().rposition(|of_box| !is_analysis(of_box))
}

/// Whether what enters a box is what leaves and what stays; where a number is hidden nobody can say.
fn adds_up(of_box: &FlowBox) -> bool {
    let removed: Option<usize> = of_box.removed.iter().map(|r| r.n.known()).sum();
    match (of_box.n_in.known(), of_box.n_out.known(), removed) {
        (Some(n_in), Some(n_out), Some(removed)) => n_in == n_out + removed,
        _ => true,
    }
}

/// Where the numbers of a cohort do not add up.
pub fn wrongs(cohort: &CohortFacts) -> Vec<String> {
    let mut wrongs = Vec::new();
    for of_box in &cohort.flow {
        if !adds_up(of_box) {
            let removed: usize = of_box.removed.iter().filter_map(|r| r.n.known()).sum();
            wrongs.push(format!(
                "{}, {}: {} less {removed} is not {}.",
                cohort.name, of_box.label, of_box.n_in, of_box.n_out
            ));
        }
    }
    // Boxes after the cohort's own each begin from the cohort, one per outcome.
    for pair in cohort.flow.windows(2) {
        let begins = pair[1].n_in;
        let hidden = [begins, pair[0].n_out, cohort.n_rows].contains(&Count::HIDDEN);
        if !hidden && begins != pair[0].n_out && begins != cohort.n_rows {
            wrongs.push(format!(
                "{}, {}: begins with {begins} after {}.",
                cohort.name, pair[1].label, pair[0].n_out
            ));
        }
    }
    wrongs
}

/// A cohort with its place in the record.
#[derive(Clone, Copy)]
struct Of<'a> {
    record: &'a StudyRecord,
    shown: &'a Shown<'a>,
    at: usize,
}

/// How an outcome divides those in a box, with words for each number. HTML.
struct Divided {
    outcome: String,
    positive: (Count, String),
    negative: (Count, String),
    /// Nobody in an analysis.
    unknown: Option<(Count, String)>,
    /// Patients with and without, where a patient has several rows.
    patients: Option<(String, Count)>,
}

impl Divided {
    /// Those of unknown outcome where there are such: the step into an analysis tells that it left out nobody.
    fn unknown_to_tell(&self) -> Option<&str> {
        let (n, told) = self.unknown.as_ref()?;
        (*n != 0).then_some(told)
    }
}

/// A rule by which some left, or those by which nobody did: how many, and the rule in lines. HTML and text.
struct Reason {
    number: String,
    lines: Vec<String>,
}

impl<'a> Of<'a> {
    fn cohort(self) -> &'a CohortFacts {
        &self.record.cohorts[self.at]
    }

    fn count(self, position: usize, what: &str) -> String {
        self.shown.count(&format!("/cohorts/{}/flow/{position}/{what}", self.at))
    }

    /// The number of a box with its unit. HTML.
    fn number(self, position: usize) -> String {
        let of_box = &self.cohort().flow[position];
        format!("{} {}", self.count(position, "n_out"), unit(of_box))
    }

    /// The first of the analyses of a box, whose names its label begins with.
    fn analysis(self, of_box: &FlowBox) -> Option<(&'a String, &'a AnalysisRecord)> {
        let names = of_box.label.strip_prefix(ANALYSED)?;
        let named = |name: &&String| {
            let rest = names.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
        };
        let name = self.record.analysis_order.iter().find(named)?;
        Some((name, self.record.analyses.get(name)?))
    }

    /// How outcomes divide those in a box. In rows that never were the cohort's nobody looks at one.
    fn divided(self, position: usize) -> Vec<Divided> {
        let cohort = self.cohort();
        let of_box = &cohort.flow[position];
        if is_analysis(of_box) {
            return self.analysed(of_box).into_iter().collect();
        }
        // A part begins with the boxes of the cohort that it is a part of.
        let Some(name) = of_box.label.strip_prefix("cohort ") else { return Vec::new() };
        let outcomes = self.record.outcomes.iter().enumerate();
        let here = outcomes.filter(|(_, outcome)| outcome.cohort == name);
        let divided = here.map(|(at, facts)| {
            let told = |what: &str| self.shown.count(&format!("/outcomes/{at}/{what}"));
            Divided {
                outcome: facts.name.clone(),
                positive: (facts.positive, told("positive")),
                negative: (facts.negative, told("negative")),
                unknown: Some((facts.unknown, told("unknown"))),
                patients: None,
            }
        });
        divided.collect()
    }

    fn analysed(self, of_box: &FlowBox) -> Option<Divided> {
        let (name, analysis) = self.analysis(of_box)?;
        // Two outcomes may be known of as many rows, and share a box.
        let mut others =
            self.record.analyses.values().filter(|other| {
                (&other.cohort, other.n) == (&analysis.cohort, of_box.n_out)
            });
        if !others.all(|other| other.n_positive == analysis.n_positive) {
            return None;
        }
        let less = |all: Count, part: Count| match all.known().zip(part.known()) {
            Some((all, part)) => Some(Count::from(all.checked_sub(part)?)),
            None => Some(Count::HIDDEN),
        };
        let negative = less(of_box.n_out, analysis.n_positive)?;
        let path = place(name);
        let patients = (unit(of_box) == "rows").then(|| {
            let all = of_box.n_subjects;
            let without =
                less(all, analysis.n_positive_subjects).unwrap_or(Count::HIDDEN);
            (self.shown.count(&format!("{path}/n_positive_subjects")), without)
        });
        Some(Divided {
            outcome: analysis.outcome.clone(),
            positive: (
                analysis.n_positive,
                self.shown.count(&format!("{path}/n_positive")),
            ),
            negative: (negative, escape(&negative.to_string())),
            unknown: None,
            patients,
        })
    }

    /// What stands in a box below its number. HTML.
    fn lines(self, position: usize) -> Vec<String> {
        let of_box = &self.cohort().flow[position];
        let mut lines = Vec::new();
        if unit(of_box) == "rows" && of_box.n_subjects != Count::HIDDEN {
            lines.push(format!("of {} patients", self.count(position, "n_subjects")));
        }
        let label = match of_box.label.strip_prefix("rows of ") {
            Some(source) => format!("in {source}"),
            // How many more there are is one thing: no line ends within it.
            None => match of_box.label.split_once(" and ") {
                Some((first, more)) if more.ends_with(" more") => {
                    format!("{first} and\u{a0}{}", more.replace(' ', "\u{a0}"))
                }
                _ => of_box.label.clone(),
            },
        };
        let broken = broken(&label, 32);
        lines.extend(broken.iter().map(|line| escape(&shortened(line.trim_start(), 33))));
        if is_analysis(of_box) {
            lines.extend(self.sets(of_box));
            return lines;
        }
        let divided = self.divided(position);
        for of in divided.iter().take(OUTCOMES) {
            if divided.len() > 1 {
                lines.push(escape(&shortened(&format!("{}:", of.outcome), 33)));
            }
            let divided =
                format!("{} positive, {} negative", of.positive.1, of.negative.1);
            match of.unknown_to_tell() {
                Some(unknown) => {
                    lines.push(format!("{divided},"));
                    lines.push(format!("outcome unknown in {unknown}"));
                }
                None => lines.push(divided),
            }
        }
        if divided.len() > OUTCOMES {
            lines.push(format!("and {} more outcomes", divided.len() - OUTCOMES));
        }
        lines
    }

    /// Where one part is held out for all: that part and the other one. HTML.
    fn sets(self, of_box: &FlowBox) -> Option<String> {
        // One of the analyses in the box, not only the one that it is named by.
        let (first, of) = self.analysis(of_box)?;
        let alike = same_question(self.record, of).filter(|(_, other)| {
            other.cohort == of.cohort && other.kind == of.kind && other.folds.len() == 1
        });
        let (name, analysis) = alike.min_by_key(|(name, _)| *name != first)?;
        if analysis.kind == "external" {
            return None;
        }
        let fold = format!("{}/folds/0", place(name));
        Some(format!(
            "{}{} to train on, {} held out",
            match name == first {
                true => String::new(),
                false => format!("{}: ", escape(&analysis.scheme)),
            },
            self.shown.count(&format!("{fold}/n_train")),
            self.shown.count(&format!("{fold}/n_held_out"))
        ))
    }

    /// The rules beside the arrow into a box, each with how many left by it. Those by which nobody left
    /// stand behind them, with one number for all.
    fn reasons(self, position: usize) -> Vec<Reason> {
        let flow = &self.cohort().flow;
        let of_box = &flow[position];
        // Rows leave that were no patients of their own, though those that stay may be.
        let before = position.checked_sub(1).map_or(of_box, |before| &flow[before]);
        let rows = [before, of_box].into_iter().any(|of| unit(of) == "rows");
        let what = if rows { "rows: " } else { "" };
        let number = |which: usize| self.count(position, &format!("removed/{which}/n"));
        let removed = || of_box.removed.iter().enumerate();
        let mut reasons: Vec<Reason> = removed()
            .filter(|(_, removed)| removed.n != 0)
            .map(|(which, removed)| {
                let sign = if removed.n == Count::HIDDEN { "" } else { "−" };
                Reason {
                    number: format!("{sign}{}", number(which)),
                    lines: broken(&format!("{what}{}", removed.reason), REASONS),
                }
            })
            .collect();
        let none: Vec<(usize, &Removed)> =
            removed().filter(|(_, removed)| removed.n == 0).collect();
        if let Some((which, _)) = none.first() {
            let all: Vec<&str> =
                none.iter().map(|(_, removed)| removed.reason.as_str()).collect();
            reasons.push(Reason {
                number: number(*which),
                lines: broken(&format!("{what}{}", all.join("; ")), REASONS),
            });
        }
        reasons
    }

    /// Height of a box: room for all of its lines.
    fn tall(self, position: usize) -> f64 {
        HEAD + LINE * self.lines(position).len() as f64
    }

    /// Height of a box with those of the classes under it.
    fn deep(self, position: usize) -> f64 {
        let of_box = &self.cohort().flow[position];
        let divided = self.divided(position);
        let below = divided.first().filter(|_| is_analysis(of_box));
        self.tall(position) + below.map_or(0.0, |of| BELOW + class_height(of))
    }

    /// Height of the arrow into a box: room for its reasons.
    fn arrow(self, position: usize) -> f64 {
        let lines: usize = self.reasons(position).iter().map(|of| of.lines.len()).sum();
        ARROW.max(20.0 + REASON * lines as f64)
    }

    fn height(self) -> f64 {
        let n = self.cohort().flow.len();
        let arrows: f64 = (1..n).map(|position| self.arrow(position)).sum();
        let boxes: f64 = (0..n).map(|position| self.deep(position)).sum();
        30.0 + boxes + arrows + 16.0
    }

    /// Whether models met the cohort as one of another place, or were made in it.
    fn meets(self, external: bool) -> bool {
        let name = &self.cohort().name;
        let mut all = self.record.analyses.values();
        all.any(|of| of.cohort == *name && (of.kind == "external") == external)
    }

    /// What the cohort is there for.
    fn title(self) -> String {
        let what = match (self.meets(false), self.meets(true)) {
            (true, _) => ", development",
            (false, true) => ", evaluation",
            _ => "",
        };
        let name = &self.cohort().name;
        match what.strip_prefix(", ") {
            // A cohort may be called what it is there for.
            Some(what) if what == name => name.clone(),
            _ => format!("{}{what}", shortened(name, 34)),
        }
    }

    /// The colour that results of such a cohort have in every figure.
    fn series(self) -> usize {
        if !self.meets(false) && self.meets(true) { 2 } else { 1 }
    }

    fn draw(self, svg: &mut Svg, (left, top): (f64, f64)) {
        let cohort = self.cohort();
        let middle = left + 128.0;
        let mut y = top + 30.0;
        // Each analysis begins from the cohort, so that the second does not follow from the first.
        let own = own(cohort);
        let mut fork = y;
        let series = self.series();
        let title = format!("k{series}");
        svg.text(&title, (middle, top + 16.0), Anchor::Middle, &self.title());
        for (position, of_box) in cohort.flow.iter().enumerate() {
            let tall = self.tall(position);
            if position > 0 {
                let from = y;
                y += self.arrow(position);
                let forks = own.is_some_and(|own| position > own + 1);
                match forks {
                    true => {
                        let (left, into) = (middle - 118.0, y + tall / 2.0);
                        let edge = middle - BOX / 2.0;
                        let way = [
                            (edge, fork),
                            (left, fork),
                            (left, into),
                            (edge - 5.0, into),
                        ];
                        svg.path("flow", &way);
                        svg.head((edge, into), (1.0, 0.0));
                    }
                    false => svg.arrow((middle, from), (middle, y)),
                }
                let reasons = self.reasons(position);
                if !reasons.is_empty() {
                    let lines: usize = reasons.iter().map(|of| of.lines.len()).sum();
                    let half = REASON * (lines as f64 - 1.0) / 2.0;
                    let side = (from + y) / 2.0 - half;
                    if !forks {
                        svg.line("flow", (middle, side), (middle + 26.0, side));
                    }
                    let mut down = side + 4.0;
                    for Reason { number, lines } in &reasons {
                        let at = (middle + NUMBER, down);
                        svg.numbers("strong", at, Anchor::End, number);
                        for text in lines {
                            let at = (middle + NUMBER + 7.0, down);
                            svg.text("small", at, Anchor::Start, text);
                            down += REASON;
                        }
                    }
                }
            }
            if Some(position) == own {
                fork = y + tall / 2.0;
            }
            let last = own.is_some_and(|own| position > own)
                || position + 1 == cohort.flow.len();
            let class = match (adds_up(of_box), last) {
                (false, _) => "wrong",
                (true, true) if series == 2 => "final2",
                (true, true) => "final",
                (true, false) => "box",
            };
            svg.rect(class, (middle - BOX / 2.0, y), (BOX, tall));
            let number = self.number(position);
            svg.numbers("strong", (middle, y + 19.0), Anchor::Middle, &number);
            for (line, text) in self.lines(position).iter().enumerate() {
                let down = y + 35.0 + LINE * line as f64;
                svg.numbers("small", (middle, down), Anchor::Middle, text);
            }
            if is_analysis(of_box)
                && let [of] = self.divided(position).as_slice()
            {
                classes(svg, class, of, (middle, y + tall));
            }
            y += self.deep(position);
        }
    }

    /// The cohort in words, box by box. HTML.
    fn told(self) -> String {
        let cohort = self.cohort();
        let of_box = |(position, of_box): (usize, &FlowBox)| {
            let removed = of_box.removed.iter().enumerate();
            let removed = removed.filter(|(_, removed)| removed.n != 0);
            let mut left: Vec<String> = removed
                .map(|(which, removed)| {
                    let n = self.count(position, &format!("removed/{which}/n"));
                    format!("less {n}: {}", escape(&removed.reason))
                })
                .collect();
            let none = of_box.removed.iter().filter(|removed| removed.n == 0);
            let none: Vec<&str> = none.map(|removed| removed.reason.as_str()).collect();
            if !none.is_empty() {
                left.push(format!("nobody: {}", escape(&none.join(", "))));
            }
            let left = match left.is_empty() {
                true => String::new(),
                false => format!(" ({})", left.join("; ")),
            };
            let divided = self.divided(position);
            let divided = divided.iter().map(|of| {
                let unknown = of.unknown_to_tell();
                let unknown = unknown.map_or(String::new(), |n| format!(", {n} unknown"));
                format!(
                    "; {}: {} positive, {} negative{unknown}",
                    escape(&of.outcome),
                    of.positive.1,
                    of.negative.1
                )
            });
            let divided: String = divided.collect();
            let number = self.number(position);
            format!("{}, {number}{left}{divided}.", escape(&of_box.label))
        };
        let boxes: Vec<String> = cohort.flow.iter().enumerate().map(of_box).collect();
        format!("Cohort {}: {}", escape(&cohort.name), boxes.join(" "))
    }

    /// The rows of the data table: by box, what left and how outcomes divide what stays.
    fn rows(self) -> Vec<Vec<String>> {
        let cohort = self.cohort();
        let mut rows = Vec::new();
        for (position, of_box) in cohort.flow.iter().enumerate() {
            let divided = self.divided(position);
            let of_outcome = |of: Option<&Divided>| match of {
                None => [const { String::new() }; 4],
                Some(of) => [
                    of.outcome.clone(),
                    of.positive.0.to_string(),
                    of.negative.0.to_string(),
                    of.unknown.as_ref().map_or("0".to_string(), |(n, _)| n.to_string()),
                ],
            };
            let row = |[n_in, removed, n_out]: [String; 3], reason: &str| {
                let name = [cohort.name.clone(), of_box.label.clone()];
                let rest = [n_in, removed, reason.to_string(), n_out];
                name.into_iter().chain(rest).collect::<Vec<String>>()
            };
            // What all rules leave, and how outcomes divide it, stands in the last line.
            let mut steps = stepwise(of_box);
            let last = steps.pop().expect("a box has a last step");
            let nothing = || of_outcome(None).into_iter();
            for (numbers, reason) in steps {
                let cells = row(numbers, reason).into_iter().chain([String::new()]);
                rows.push(cells.chain(nothing()).collect());
            }
            let cells = row(last.0, last.1).into_iter();
            let cells = cells.chain([of_box.n_subjects.to_string()]);
            rows.push(cells.chain(of_outcome(divided.first())).collect());
            for of in divided.iter().skip(1) {
                let stay = of_box.n_out.to_string();
                let cells = row([stay.clone(), "0".to_string(), stay], "").into_iter();
                let cells = cells.chain([of_box.n_subjects.to_string()]);
                rows.push(cells.chain(of_outcome(Some(of))).collect());
            }
        }
        rows
    }
}

/// The rules of a box one by one, each with how many left by it and its reason. How many came stands with the
/// first and how many stayed with the last: what lies between is not counted by the survey.
fn stepwise(of_box: &FlowBox) -> Vec<([String; 3], &str)> {
    let only = |here: bool, n: Count| if here { n.to_string() } else { String::new() };
    let last = of_box.removed.len().saturating_sub(1);
    let mut steps = Vec::new();
    for (at, of) in of_box.removed.iter().enumerate() {
        let (first, last) = (at == 0, at == last);
        let numbers =
            [only(first, of_box.n_in), of.n.to_string(), only(last, of_box.n_out)];
        steps.push((numbers, of.reason.as_str()));
    }
    if steps.is_empty() {
        let numbers = [of_box.n_in, Count::from(0), of_box.n_out];
        steps.push((numbers.map(|n| n.to_string()), ""));
    }
    steps
}

/// Height of the box of a class: a line more where patients have several rows.
fn class_height(of: &Divided) -> f64 {
    CLASS + if of.patients.is_some() { LINE } else { 0.0 }
}

/// The boxes of the classes under that of an analysis.
fn classes(svg: &mut Svg, class: &str, of: &Divided, (middle, bottom): (f64, f64)) {
    let width = BOX / 2.0 - 4.0;
    let with = of.patients.as_ref().map(|(positive, _)| positive.clone());
    let without = of.patients.as_ref().map(|(_, negative)| negative.to_string());
    let boxes = [
        (-BOX / 2.0, &of.positive.1, with, "positive"),
        (4.0, &of.negative.1, without, "negative"),
    ];
    for (left, n, patients, word) in boxes {
        let (x, y) = (middle + left, bottom + BELOW);
        let centre = x + width / 2.0;
        svg.line("flow", (centre, bottom), (centre, y));
        svg.rect(class, (x, y), (width, class_height(of)));
        let number = match &patients {
            Some(_) => format!("{n} rows"),
            None => n.clone(),
        };
        svg.numbers("strong", (centre, y + 16.0), Anchor::Middle, &number);
        svg.numbers("small", (centre, y + 30.0), Anchor::Middle, word);
        if let Some(patients) = &patients {
            let below = format!("of {patients} patients");
            svg.numbers("small", (centre, y + 30.0 + LINE), Anchor::Middle, &below);
        }
    }
}

/// A text in lines of at most so many characters, broken at spaces; the later ones are indented.
fn broken(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let empty = line.trim().is_empty();
        if empty || line.chars().count() + 1 + word.chars().count() <= most {
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(format!("\u{2003}{word}"));
        }
    }
    lines.into_iter().map(|line| shortened(&line, most + 6)).collect()
}

pub fn figure(record: &StudyRecord, shown: &Shown) -> Figure<'static> {
    // A base cohort is the head of each of its parts.
    let divided = |cohort: &CohortFacts| {
        let mut parts = record.cohorts.iter().filter(|part| !part.base);
        cohort.base && parts.any(|part| part.flow.starts_with(&cohort.flow))
    };
    let cohorts: Vec<Of<'_>> = record
        .cohorts
        .iter()
        .enumerate()
        .filter(|(_, cohort)| !cohort.flow.is_empty() && !divided(cohort))
        .map(|(at, _)| Of { record, shown, at })
        .collect();
    let across = cohorts.len().clamp(1, 2);
    let lines = cohorts.chunks(across);
    let tallest = |line: &[Of<'_>]| line.iter().map(|of| of.height()).fold(0.0, f64::max);
    let all: f64 = lines.clone().map(tallest).sum();
    let mut svg = Svg::new(COLUMN * across as f64, all.max(40.0));
    let mut top = 0.0;
    for line in lines {
        if top > 0.0 {
            svg.cut(top);
        }
        for (position, of) in line.iter().enumerate() {
            of.draw(&mut svg, (COLUMN * position as f64, top));
        }
        top += tallest(line);
    }
    let told: Vec<String> = cohorts.iter().map(|of| of.told()).collect();
    let picture = svg.finish_in_strips("Participant flow", &told.join(" "));
    let of_headline = headline(record).and_then(|(name, analysis)| {
        let at = record.cohorts.iter().position(|c| c.name == analysis.cohort)?;
        let first = record.cohorts[at].flow.first()?;
        Some((name, at, first))
    });
    let heading = match of_headline {
        Some((name, at, first)) => {
            let source =
                escape(first.label.strip_prefix("rows of ").unwrap_or(&first.label));
            let n_in = shown.count(&format!("/cohorts/{at}/flow/0/n_in"));
            let positive = shown.count(&format!("{}/n_positive", place(name)));
            let analysed = record.analyses[name].n.known();
            let nobody_left = analysed.is_some() && analysed == first.n_in.known();
            match nobody_left {
                true => format!(
                    "All {n_in} {} in {source} are analysed for the headline, {positive} of them \
                     positive",
                    unit(first)
                ),
                false => format!(
                    "Of {n_in} {} in {source}, {} are analysed for the headline, {positive} of them \
                     positive",
                    unit(first),
                    shown.count(&format!("{}/n", place(name)))
                ),
            }
        }
        None => "Nobody is analysed".to_string(),
    };
    let head = [
        "cohort",
        "node",
        "n_in",
        "removed",
        "reason",
        "n_out",
        "patients",
        "outcome",
        "events",
        "non_events",
        "unknown",
    ];
    Figure {
        id: "flow",
        heading,
        sub: "From the first source to each analysis; what leaves, leaves with its reason, and the rules by \
              which nobody leaves stand together."
            .to_string(),
        body: Forest::boxed(&picture, "Participant flow"),
        pictures: vec![picture],
        method: "Counts are those of the survey of ids and outcomes, taken before any split. Where \
                 somebody has several rows, boxes count rows and say of how many patients. Outcomes \
                 are told from the cohort on: nobody looks at them in rows that do not belong to it."
            .to_string(),
        table: DataTable {
            head: head.map(String::from).to_vec(),
            rows: cohorts.iter().flat_map(|of| of.rows()).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_box(n_in: usize, removed: usize, n_out: usize, patients: usize) -> FlowBox {
        FlowBox {
            label: "box".to_string(),
            n_in: Count::from(n_in),
            removed: vec![Removed { reason: "reason".to_string(), n: removed.into() }],
            joins: Vec::new(),
            n_out: n_out.into(),
            n_subjects: patients.into(),
        }
    }

    #[test]
    fn a_flow_that_does_not_add_up_is_told() {
        let of_box = |n_in, removed, n_out| of_box(n_in, removed, n_out, n_out);
        let cohort = |flow: Vec<FlowBox>| CohortFacts {
            base: false,
            sealed: false,
            relation: None,
            name: "c".to_string(),
            n_rows: 8.into(),
            n_subjects: 8.into(),
            n_sites: None,
            flow,
        };
        assert!(wrongs(&cohort(vec![of_box(10, 2, 8), of_box(8, 1, 7)])).is_empty());
        assert_eq!(wrongs(&cohort(vec![of_box(10, 2, 7)])).len(), 1);
        assert_eq!(wrongs(&cohort(vec![of_box(10, 2, 8), of_box(9, 1, 8)])).len(), 1);
    }

    #[test]
    fn the_lines_of_a_box_add_up() {
        let rule =
            |reason: &str, n: usize| Removed { reason: reason.to_string(), n: n.into() };
        let line = |numbers: [&str; 3], reason| (numbers.map(String::from), reason);
        let mut several = of_box(10, 0, 6, 6);
        several.removed = vec![rule("minor", 3), rule("late", 1)];
        assert_eq!(
            stepwise(&several),
            [line(["10", "3", ""], "minor"), line(["", "1", "6"], "late")]
        );
        several.removed.clear();
        assert_eq!(stepwise(&several), [line(["10", "0", "6"], "")]);
    }

    #[test]
    fn an_outcome_that_is_known_of_all_is_not_told_to_be_unknown_in_none() {
        let of = |n: Count| Divided {
            outcome: "idh".to_string(),
            positive: (4.into(), "4".to_string()),
            negative: (4.into(), "4".to_string()),
            unknown: Some((n, n.to_string())),
            patients: None,
        };
        assert_eq!(of(0.into()).unknown_to_tell(), None);
        assert_eq!(of(2.into()).unknown_to_tell(), Some("2"));
        // What is hidden may be some.
        assert!(of(Count::HIDDEN).unknown_to_tell().is_some());
    }

    #[test]
    fn rows_of_several_per_patient_are_no_patients() {
        assert_eq!(unit(&of_box(10, 2, 8, 8)), "patients");
        assert_eq!(unit(&of_box(10, 2, 8, 5)), "rows");
        // Both are hidden together, where they are the same.
        let hidden = FlowBox {
            n_out: Count::HIDDEN,
            n_subjects: Count::HIDDEN,
            ..of_box(10, 2, 8, 8)
        };
        assert_eq!(unit(&hidden), "patients");
    }
}
