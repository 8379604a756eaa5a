//! How exactly each number is told: the one place where numbers of a record are rounded.
//!
//! Whatever has to be taken away as a whole, such as a curve, is gone before. What becomes of a
//! number depends on what it is (`kinds.rs`) and on whom it was measured.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::kinds::{self, Kind};
use super::{TENTHS, is_of_decisions, of_ranks, place, too_few};
use crate::data::{
    AnalysisRecord, ComparisonFacts, Count, Moments, StudyRecord, SubgroupFacts,
};
use crate::math::{log2, pow};

/// Steps to which measured values are rounded, the finest first.
const STEPS: &[f64] =
    &[1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, COARSEST];

/// Beyond this a rounded share says nothing: it is hidden instead.
pub const COARSEST: f64 = 0.2;

/// From here on it is said in words that something is rounded.
const TOLD: f64 = 0.005;

const TENTH: f64 = 1.0 / TENTHS;
const HUNDREDTH: f64 = 0.01;
const THOUSANDTH: f64 = 0.001;

/// What is told of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Whole,
    To(f64),
    Nothing,
}

/// What was hidden and what was rounded.
pub struct Pass<'a> {
    pub whole: &'a StudyRecord,
    pub smallest: usize,
    /// Places that are `null`.
    pub hidden: BTreeSet<String>,
    kinds: Vec<(Vec<&'static str>, Kind)>,
    steps: Vec<(Vec<String>, Option<f64>)>,
}

impl<'a> Pass<'a> {
    pub fn new(
        whole: &'a StudyRecord,
        smallest: usize,
        hidden: BTreeSet<String>,
    ) -> Self {
        Self { whole, smallest, hidden, kinds: kinds::places(), steps: Vec::new() }
    }

    /// Hides and rounds the numbers of a record.
    pub fn tell(&mut self, json: &mut Json) {
        self.at(json, &mut Vec::new());
    }

    /// Places of what was rounded, with steps. `*` stands for every position of a list where all its
    /// numbers have one step.
    pub fn coarsened(&self) -> Vec<(String, f64)> {
        let starred = |parts: &[String]| {
            let digits = |part: &String| part.bytes().all(|byte| byte.is_ascii_digit());
            let parts = parts.iter().map(|part| match digits(part) {
                true => "*".to_string(),
                false => part.clone(),
            });
            parts.collect::<Vec<String>>()
        };
        /// A number's place with its step, if it was rounded.
        type Step<'a> = (&'a Vec<String>, Option<f64>);
        let mut groups: BTreeMap<Vec<String>, Vec<Step<'_>>> = BTreeMap::new();
        for (parts, step) in &self.steps {
            groups.entry(starred(parts)).or_default().push((parts, *step));
        }
        let mut coarsened = Vec::new();
        for (all, members) in groups {
            let first = members[0].1;
            match first.filter(|_| members.iter().all(|(_, step)| *step == first)) {
                Some(step) => coarsened.push((pointer(&all), step)),
                None => coarsened.extend(
                    members.iter().filter_map(|(at, step)| Some((pointer(at), (*step)?))),
                ),
            }
        }
        coarsened
    }

    fn at(&mut self, json: &mut Json, parts: &mut Vec<String>) {
        match json {
            Json::Number(_) => drop(self.number(json, parts)),
            Json::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    parts.push(at.to_string());
                    self.at(item, parts);
                    parts.pop();
                }
            }
            Json::Object(fields) => {
                let mut told = Vec::new();
                for (name, value) in fields.iter_mut() {
                    parts.push(name.clone());
                    match value {
                        Json::Number(_) => {
                            told.push((name.clone(), self.number(value, parts)))
                        }
                        value => self.at(value, parts),
                    }
                    parts.pop();
                }
                said(fields, &told);
            }
            _ => {}
        }
    }

    fn number(&mut self, json: &mut Json, parts: &[String]) -> Told {
        let Some(value) = json.as_f64() else { return Told::Whole };
        let told = self.told(parts, value);
        match told {
            Told::Nothing => {
                self.hidden.insert(pointer(parts));
                *json = Json::Null;
            }
            Told::To(step) => {
                self.steps.push((parts.to_vec(), Some(step)));
                if json.is_f64() {
                    *json = Json::from(rounded(value, step));
                }
            }
            // Of others either all numbers of a list are rounded or none.
            Told::Whole if parts[0] == "predictors" => {
                self.steps.push((parts.to_vec(), None));
            }
            Told::Whole => {}
        }
        told
    }

    fn told(&self, parts: &[String], value: f64) -> Told {
        let known = self.kinds.iter().find(|(pattern, _)| kinds::is_at(pattern, parts));
        // A test sees to it that there is none without.
        let Some((pattern, kind)) = known else { return Told::To(TENTH) };
        match kind {
            Kind::Patients if value > 1e-6 && value < self.smallest as f64 => {
                Told::Nothing
            }
            Kind::Extreme => Told::Nothing,
            Kind::Prevalence => self.prevalence(parts),
            Kind::Moment => self.moment(parts).map_or(Told::Whole, Told::To),
            Kind::Hundredths => Told::To(HUNDREDTH),
            Kind::Thousandths => Told::To(THOUSANDTH),
            Kind::Association => Told::To(self.association()),
            Kind::Measured => self.measured(pattern, parts, 0.0),
            Kind::Spread => self.measured(pattern, parts, HUNDREDTH),
            Kind::Apparent => match parts.get(5) {
                Some(metric) => to(self.apparent_step(&parts[1], metric)),
                None => Told::Nothing,
            },
            Kind::Benefit => to(self.step(&parts[1], "net_benefit")),
            Kind::OfFold => self.of_fold(parts),
            Kind::OfSite => self.of_site(parts),
            Kind::OfGroup => self.of_group(parts),
            Kind::Compared => {
                self.compared(parts, |name, metric| self.step(name, metric))
            }
            Kind::P => self.compared(parts, |name, _| match self.rows_of(name) {
                Some(rows) if rows.is_open() => THOUSANDTH,
                _ => HUNDREDTH,
            }),
            Kind::Patients
            | Kind::Repeated
            | Kind::Described
            | Kind::Claimed
            | Kind::Redrawn
            | Kind::Nodes
            | Kind::Procedure
            | Kind::Model
            | Kind::Setting
            | Kind::Report => Told::Whole,
        }
    }

    fn analysis(&self, parts: &[String]) -> Option<&AnalysisRecord> {
        self.whole.analyses.get(parts.get(1)?)
    }

    fn rows_of(&self, name: &str) -> Option<Rows> {
        let of = self.whole.analyses.get(name)?;
        let (n, positive) = of.judged_rows()?;
        let mut rows = Rows::of(n.into(), positive.into(), self.smallest)?;
        rows.few |= too_few(of.n, of.n_positive, self.smallest);
        rows.hidden = super::is_hidden(&place(name), &self.hidden);
        Some(rows)
    }

    fn measured(&self, pattern: &[&str], parts: &[String], least: f64) -> Told {
        let named = pattern.iter().rposition(|part| *part == "*").filter(|at| *at > 1);
        let Some(of) = self.analysis(parts) else { return Told::To(TENTH) };
        let metric = named.map_or(&of.primary, |at| &parts[at]);
        to(self.step(&parts[1], metric).max(least))
    }

    /// The step of a metric over all rows of an analysis.
    fn step(&self, name: &str, metric: &str) -> f64 {
        let of = self.whole.analyses.get(name).zip(self.rows_of(name));
        let Some((of, rows)) = of else { return TENTH };
        let step = rows.step(metric);
        let small = has_small_cell(of, self.smallest) || !rows.is_open();
        match is_of_decisions(metric) && small {
            true => step.max(coarse_step(rows.smaller, self.smallest)),
            false => step,
        }
    }

    /// Whether a metric over all rows of an analysis would be too coarse to say anything.
    pub fn is_blurred(&self, name: &str, metric: &str) -> bool {
        to(self.step(name, metric)) == Told::Nothing
    }

    /// Whether a metric over all rows of an analysis is told more coarsely than in steps of this.
    pub fn is_coarser(&self, name: &str, metric: &str, step: f64) -> bool {
        self.step(name, metric) > step + 1e-9
    }

    /// The step of a metric on the rows that a frozen model was fitted on. These have no confusion table
    /// that could say whether a cell is small, so measures of decisions are as coarse as where one is.
    fn apparent_step(&self, name: &str, metric: &str) -> f64 {
        let of = self.whole.analyses.get(name).and_then(|of| of.frozen.as_ref());
        let rows = of.and_then(|of| Rows::of(of.n, of.n_positive, self.smallest));
        let Some(mut rows) = rows else { return f64::INFINITY };
        rows.hidden = super::is_hidden(&format!("{}/frozen", place(name)), &self.hidden);
        match is_of_decisions(metric) {
            true => rows.step(metric).max(coarse_step(rows.smaller, self.smallest)),
            false => rows.step(metric),
        }
    }

    /// Whether such a metric would be too coarse to say anything.
    pub fn is_blurred_apparently(&self, name: &str, metric: &str) -> bool {
        to(self.apparent_step(name, metric)) == Told::Nothing
    }

    fn of_fold(&self, parts: &[String]) -> Told {
        let Some(of) = self.analysis(parts) else { return Told::Nothing };
        let fold = parts.get(3).and_then(|at| of.folds.get(at.parse::<usize>().ok()?));
        let Some(fold) = fold else { return Told::Nothing };
        // With hardly anybody in all, a fold has one or two; decisions on a fold are counts.
        if too_few(of.n, of.n_positive, self.smallest) || is_of_decisions(&of.primary) {
            return Told::Nothing;
        }
        let rows = Rows::of(fold.n_held_out, fold.positive_held_out, self.smallest);
        rows.map_or(Told::To(TENTH), |rows| to(rows.step(&of.primary).max(HUNDREDTH)))
    }

    fn of_site(&self, parts: &[String]) -> Told {
        let at = parts.get(3).and_then(|at| at.parse::<usize>().ok());
        let site = self.analysis(parts).zip(at).and_then(|(of, at)| of.sites.get(at));
        let rows = site.and_then(|of| Rows::of(of.n, of.n_positive, self.smallest));
        match rows {
            Some(rows) if !rows.few => to(rows.step("auroc").max(HUNDREDTH)),
            _ => Told::Nothing,
        }
    }

    fn of_group(&self, parts: &[String]) -> Told {
        let at = |of: usize| parts.get(of).and_then(|at| at.parse::<usize>().ok());
        let of = self.analysis(parts);
        let group = of.zip(at(3)).and_then(|(of, at)| of.subgroups.get(at));
        let Some(group) = group else { return Told::Nothing };
        let Some(rows) = Rows::of(group.n, group.n_positive, self.smallest) else {
            return Told::Nothing;
        };
        if rows.few {
            return Told::Nothing;
        }
        let measure = at(5).and_then(|at| group.measures.get(at));
        let metric = measure.map_or("auroc", |measure| &measure.metric);
        let step = rows.step(metric).max(HUNDREDTH);
        if !is_of_decisions(metric) {
            return to(step);
        }
        let path = format!("{}/subgroups/{}", place(&parts[1]), parts[3]);
        let counts = ["n", "n_positive"].map(|n| format!("{path}/{n}"));
        let hidden = counts.iter().any(|n| self.hidden.contains(n));
        let end = parts.last().is_some_and(|name| name != "estimate");
        match small_share(
            group,
            metric,
            measure.and_then(|of| of.estimate),
            self.smallest,
        ) {
            // An interval of a proportion tells what the proportion is of.
            _ if hidden && end => Told::Nothing,
            Some(n) => to(step.max(coarse_step(n, self.smallest))),
            None => to(step),
        }
    }

    fn compared(&self, parts: &[String], step: impl Fn(&str, &str) -> f64) -> Told {
        let at = parts.get(1).and_then(|at| at.parse::<usize>().ok());
        let Some(facts) = at.and_then(|at| self.whole.comparisons.get(at)) else {
            return Told::Nothing;
        };
        let ComparisonFacts { better, than, metric, .. } = facts;
        to(step(better, metric).max(step(than, metric)))
    }

    /// With all its digits, how outcome and site go together tells the cells of small sites.
    fn association(&self) -> f64 {
        let of_groups =
            |place: &String| place.contains("/sites/") || place.contains("/subgroups/");
        if self.hidden.iter().any(of_groups) { TENTH } else { HUNDREDTH }
    }

    fn prevalence(&self, parts: &[String]) -> Told {
        if parts[0] == "full_models" {
            let path = format!("/full_models/{}", parts[1]);
            let counts = ["n", "n_positive"].map(|n| format!("{path}/{n}"));
            let hidden = counts.iter().any(|n| self.hidden.contains(n));
            return if hidden { Told::Nothing } else { Told::Whole };
        }
        let of = self.analysis(parts);
        let listed = of.zip(parts.get(3)).and_then(|(of, at)| {
            let list = if parts[2] == "metrics" { &of.metrics } else { &of.standard };
            list.get(at.parse::<usize>().ok()?)
        });
        match self.rows_of(&parts[1]) {
            // That of an AUROC is a half, whoever has the outcome.
            _ if listed.is_some_and(|metric| metric.name == "auroc") => Told::Whole,
            Some(rows) if rows.is_open() => Told::Whole,
            _ => Told::Nothing,
        }
    }

    /// A mean of whole numbers with all its digits tells what they were divided by.
    fn moment(&self, parts: &[String]) -> Option<f64> {
        let at = |of: usize| parts.get(of)?.parse::<usize>().ok();
        let column = self.whole.predictors.get(at(1)?)?.columns.get(at(3)?)?;
        let path = pointer(&parts[..4]);
        let groups = [
            ("all", &column.all),
            ("positive", &column.positive),
            ("negative", &column.negative),
        ];
        let open = |of: &str| !self.hidden.contains(&format!("{path}/{of}/n"));
        if parts[4] == "smd" {
            let hidden = groups.iter().any(|(of, found)| found.is_some() && !open(of));
            return hidden.then_some(HUNDREDTH);
        }
        let (of, found) = groups.into_iter().find(|(of, _)| *of == parts[4])?;
        let Moments { n, sd, .. } = found.as_ref().filter(|_| !open(of))?;
        wide(*sd, n.known()?)
    }
}

/// On whom something was measured.
#[derive(Debug, Clone, Copy)]
struct Rows {
    /// Hardly anybody, or hardly anybody of a class.
    few: bool,
    /// It is hidden how many they are.
    hidden: bool,
    smaller: usize,
    /// Of one with and one without the outcome.
    pairs: usize,
    smallest: usize,
}

impl Rows {
    fn of(n: Count, positive: Count, smallest: usize) -> Option<Self> {
        let few = too_few(n, positive, smallest);
        let (n, positive) = n.known().zip(positive.known())?;
        let negative = n.saturating_sub(positive);
        let (smaller, pairs) = (positive.min(negative), positive * negative);
        Some(Self { few, hidden: false, smaller, pairs, smallest })
    }

    fn is_open(&self) -> bool {
        !self.few && !self.hidden
    }

    /// The step of a metric. An AUROC is a share of pairs, and with all its digits it tells the sum of
    /// ranks, as does a difference of two: as many sums as the smallest cell come to the same.
    fn step(&self, metric: &str) -> f64 {
        let least = match (self.few, self.hidden) {
            (true, _) => TENTH,
            (_, true) => HUNDREDTH,
            _ if of_ranks(metric) => STEPS[0],
            _ => THOUSANDTH,
        };
        if !of_ranks(metric) {
            return least;
        }
        let enough = |step: &&f64| **step * self.pairs as f64 >= self.smallest as f64;
        STEPS.iter().find(enough).copied().unwrap_or(COARSEST).max(least)
    }
}

/// A step beyond the coarsest says nothing.
fn to(step: f64) -> Told {
    match step > COARSEST + 1e-9 {
        true => Told::Nothing,
        false => Told::To(step),
    }
}

/// How many a share is of, if the few in it or the few beside it are a small count.
fn small_share(
    group: &SubgroupFacts,
    metric: &str,
    share: Option<f64>,
    smallest: usize,
) -> Option<usize> {
    let (n, positive) = group.n.known().zip(group.n_positive.known())?;
    let below = match metric {
        "sensitivity" => positive,
        "specificity" => n - positive,
        // Of others it is not known what they are shares of.
        _ => return Some(positive.min(n - positive)),
    };
    let (right, all) = (share? * below as f64, below as f64);
    let small = |n: f64| n > 1e-6 && n < smallest as f64;
    (small(right) || small(all - right)).then_some(below)
}

/// Whether a cell of the confusion table is small.
pub fn has_small_cell(of: &AnalysisRecord, smallest: usize) -> bool {
    let Some(cells) = &of.confusion else { return false };
    let cells = [
        cells.true_positive,
        cells.false_positive,
        cells.false_negative,
        cells.true_negative,
    ];
    cells.into_iter().flatten().any(|n| n > 1e-6 && n < smallest as f64)
}

/// The finest of a few steps with which 0 and all small counts out of `n` come to the same.
pub fn coarse_step(n: usize, smallest: usize) -> f64 {
    let steps = [0.05, 0.1, COARSEST, 0.5];
    let enough = |step: &f64| step * n as f64 / 2.0 > smallest as f64 - 1.0;
    steps.into_iter().find(enough).unwrap_or(1.0)
}

/// A step, 1, 2 or 5 times a power of ten, that the mean of so many whole multiples of something takes
/// whatever their number was: at least four standard deviations, more than two neighbouring values of
/// nearly any column lie apart, over the number.
pub fn wide(sd: f64, n: usize) -> Option<f64> {
    let least = 4.0 * sd / n as f64;
    least.is_normal().then(|| {
        let power = pow(10.0, (log2(least) * std::f64::consts::LOG10_2).floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
        steps.into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
    })
}

pub fn rounded(value: f64, step: f64) -> f64 {
    let per_unit = 1.0 / step;
    (value * per_unit).round() / per_unit
}

/// Says beside numbers, where they have a method or a note, that they are rounded or hidden.
fn said(fields: &mut serde_json::Map<String, Json>, told: &[(String, Told)]) {
    let words = ["method", "note"].into_iter().find(|name| fields.contains_key(*name));
    let Some(Json::String(text)) = words.and_then(|name| fields.get_mut(name)) else {
        return;
    };
    let hidden = |name: &str| told.contains(&(name.to_string(), Told::Nothing));
    if hidden("estimate") {
        *text = "too few, or a small count would follow".to_string();
        return;
    }
    let steps = told.iter().filter_map(|(_, told)| match told {
        Told::To(step) => Some(*step),
        _ => None,
    });
    if let Some(step) = steps.reduce(f64::max).filter(|step| *step >= TOLD) {
        text.push_str(&format!("; rounded to steps of {step}"));
    }
    if hidden("lower") {
        text.push_str("; no interval: it would tell of how many it is");
    }
}

/// A place as a JSON pointer.
fn pointer(parts: &[String]) -> String {
    let part = |part: &String| format!("/{}", part.replace('~', "~0").replace('/', "~1"));
    parts.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, positive: usize) -> Rows {
        Rows::of(n.into(), positive.into(), 5).unwrap()
    }

    #[test]
    fn an_area_or_a_difference_does_not_tell_the_sum_of_ranks() {
        for (n, positive) in [(10, 5), (26, 6), (94, 36), (500, 120)] {
            let of = rows(n, positive);
            let step = of.step("auroc");
            let pairs = (positive * (n - positive)) as f64;
            for won in 0..=pairs as usize {
                let shown = rounded(won as f64 / pairs, step);
                let same = |other: &usize| rounded(*other as f64 / pairs, step) == shown;
                let inside = shown > step / 2.0 && shown < 1.0 - step / 2.0;
                let agree = (0..=pairs as usize).filter(same).count();
                assert!(!inside || agree >= 4, "{n}, {positive}: {agree} at {shown}");
            }
        }
        assert_eq!((rows(10, 5).step("auroc"), rows(26, 6).step("auroc")), (0.2, 0.05));
        assert_eq!(
            (rows(94, 36).step("auroc"), rows(94, 36).step("brier")),
            (0.005, 0.001)
        );
        assert_eq!(rows(26, 3).step("brier"), TENTH);
    }

    #[test]
    fn numbers_of_one_step_are_told_together() {
        let whole = StudyRecord {
            analyses: [("a".to_string(), AnalysisRecord::default())].into(),
            ..crate::run::suppression::tests::nothing()
        };
        let mut pass = Pass::new(&whole, 5, BTreeSet::new());
        let mut json = serde_json::json!({ "analyses": { "a": {
            "folds": [{ "threshold": 0.1234, "repeat": 1 }, { "threshold": 0.5678 }],
        } } });
        pass.tell(&mut json);
        let folds = &json["analyses"]["a"]["folds"];
        assert_eq!(
            (&folds[0]["threshold"], &folds[1]["threshold"]),
            (&0.12.into(), &0.57.into())
        );
        assert_eq!(folds[0]["repeat"], 1);
        let place = "/analyses/a/folds/*/threshold".to_string();
        assert_eq!(pass.coarsened(), [(place, 0.01)]);
    }

    /// Means of whole numbers, as coarse as they are shown, could be of any number near the true one.
    #[test]
    fn a_rounded_mean_does_not_tell_of_how_many_it_is() {
        for n in [8usize, 15, 23, 40, 97] {
            let values: Vec<f64> = (0..n).map(|at| (at * at % 4) as f64).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            let step = wide(crate::math::sqrt(squares / (n - 1) as f64), n).unwrap();
            let shown = rounded(mean, step);
            for other in n - n / 4..=n + n / 4 {
                let same = (0..=3 * other)
                    .any(|sum| rounded(sum as f64 / other as f64, step) == shown);
                assert!(same, "{n}: not of {other}");
            }
        }
        assert_eq!(
            (wide(1.0, 40), wide(0.0, 40), wide(12.0, 40)),
            (Some(0.1), None, Some(2.0))
        );
    }

    #[test]
    fn measures_are_so_coarse_that_small_counts_agree() {
        for n in [11, 24, 40, 50, 60, 100, 150, 400] {
            let step = coarse_step(n, 5);
            for cell in 0..=n {
                let shown = rounded(cell as f64 / n as f64, step);
                let agree = (0..=n)
                    .filter(|other| rounded(*other as f64 / n as f64, step) == shown)
                    .count();
                assert!(agree >= 5, "{n} {cell}: {agree}");
            }
        }
    }
}
