//! The counts of a record and the sums that a reader can take of them.

use std::collections::BTreeMap;

use super::hiding::Counts;
use super::place;
use crate::data::{
    AnalysisRecord, CohortFacts, ColumnFacts, ColumnLevel, ConfusionFacts, Count,
    DIVIDING, FlowBox, Moments, NO_VALUE, StudyRecord,
};

/// What a count is worth to readers, from what goes first to what goes last.
const PATTERN: u8 = 0;
const DETAIL: u8 = 1;
const GROUP: u8 = 2;
const BOX: u8 = 3;
const SOURCE: u8 = 4;
const CLASS: u8 = 6;
const COHORT: u8 = 7;
const HEADLINE: u8 = 9;

/// Every count of a record that may have to be hidden.
pub fn counts(record: &StudyRecord) -> Counts {
    let mut all = All {
        record,
        counts: Counts::default(),
        cohorts: BTreeMap::new(),
        groups: BTreeMap::new(),
        gaps: BTreeMap::new(),
    };
    for at in 0..record.cohorts.len() {
        all.cohort(at);
    }
    all.parts_of_cohorts();
    all.sources();
    all.agreements();
    for name in &record.analysis_order {
        if let Some(analysis) = record.analyses.get(name) {
            all.analysis(name, analysis);
        }
    }
    all.models();
    all.missingness();
    all.predictors();
    all.characteristics();
    all.counts
}

/// The counts of a cohort that others come back to.
struct Cohort {
    rows: usize,
    /// Outcome, then rows with it, without it, and of whom it is unknown.
    outcomes: BTreeMap<String, [usize; 3]>,
    /// By analysis box: its label and what it begins and ends with.
    boxes: Vec<(String, usize, usize)>,
    /// Rows that were not measured, by reason.
    failed: Vec<(String, usize)>,
}

struct All<'a> {
    record: &'a StudyRecord,
    counts: Counts,
    cohorts: BTreeMap<String, Cohort>,
    /// Groups of rows that several analyses tell of, by cohort, outcome, what they are grouped by
    /// (nothing for sites) and name: their rows, those with and those without the outcome.
    groups: BTreeMap<[String; 4], [usize; 3]>,
    /// By cohort, block and variable: rows without a value, over all and by class: those with, without and
    /// of unknown outcome. Of variables that lack none there is nothing.
    gaps: BTreeMap<[String; 3], Gap>,
}

#[derive(Clone, Copy)]
struct Gap {
    all: usize,
    classes: [usize; 3],
}

/// A group of the rows of an analysis.
struct Group<'a> {
    path: String,
    by: &'a str,
    name: &'a str,
    n: Count,
    n_positive: Count,
}

impl All<'_> {
    /// A count at a place. One that is hidden already is none.
    fn shown(&mut self, place: String, count: Count, worth: u8) -> Option<usize> {
        Some(self.counts.shown(place, count.known()? as f64, worth))
    }

    fn same(&mut self, one: Option<usize>, other: Option<usize>) {
        if let (Some(one), Some(other)) = (one, other) {
            self.counts.same(one, other);
        }
    }

    fn sum(&mut self, whole: Option<usize>, parts: &[Option<usize>]) {
        let parts: Option<Vec<usize>> = parts.iter().copied().collect();
        if let (Some(whole), Some(parts)) = (whole, parts) {
            self.counts.sum(whole, &parts);
        }
    }

    fn sum_with_rest(&mut self, whole: Option<usize>, parts: &[Option<usize>]) {
        let parts: Option<Vec<usize>> = parts.iter().copied().collect();
        if let (Some(whole), Some(parts)) = (whole, parts) {
            self.counts.sum_with_rest(whole, &parts);
        }
    }

    /// Flow, joins, outcomes and Table 1's heads of one cohort.
    fn cohort(&mut self, at: usize) {
        let cohort = &self.record.cohorts[at];
        let path = format!("/cohorts/{at}");
        let Some(rows) = self.shown(format!("{path}/n_rows"), cohort.n_rows, COHORT)
        else {
            return;
        };
        let subjects =
            self.shown(format!("{path}/n_subjects"), cohort.n_subjects, COHORT);
        self.same(Some(rows), subjects);
        let mut own = Cohort {
            rows,
            outcomes: BTreeMap::new(),
            boxes: Vec::new(),
            failed: Vec::new(),
        };
        let mut before: Option<usize> = None;
        for (position, of_box) in cohort.flow.iter().enumerate() {
            let path = format!("{path}/flow/{position}");
            let analysed = of_box.label.starts_with("analysed: ");
            let (n_in, n_out) = self.flow_box(&path, of_box, analysed, &mut own);
            match analysed {
                // Each analysis begins from the cohort.
                true => self.same(n_in, Some(rows)),
                false => {
                    self.same(n_in, before);
                    before = n_out;
                }
            }
            if let (true, Some(n_in), Some(n_out)) = (analysed, n_in, n_out) {
                own.boxes.push((of_box.label.clone(), n_in, n_out));
            }
        }
        self.same(before, Some(rows));
        self.outcomes(&cohort.name, rows, &mut own);
        self.cohorts.insert(cohort.name.clone(), own);
    }

    fn flow_box(
        &mut self,
        path: &str,
        of_box: &FlowBox,
        analysed: bool,
        own: &mut Cohort,
    ) -> (Option<usize>, Option<usize>) {
        let worth = if analysed { HEADLINE } else { BOX };
        let n_in = self.shown(format!("{path}/n_in"), of_box.n_in, BOX);
        let n_out = self.shown(format!("{path}/n_out"), of_box.n_out, worth);
        let patients = self.shown(format!("{path}/n_subjects"), of_box.n_subjects, worth);
        self.same(n_out, patients);
        let mut parts = vec![n_out];
        for (which, removed) in of_box.removed.iter().enumerate() {
            let n = self.shown(format!("{path}/removed/{which}/n"), removed.n, DETAIL);
            parts.push(n);
            if let (true, Some(n)) = (analysed, n) {
                own.failed.push((removed.reason.clone(), n));
            }
        }
        self.sum(n_in, &parts);
        // Between two joins some may have left, so that a join may begin with a number that is
        // shown nowhere.
        for (which, join) in of_box.joins.iter().enumerate() {
            let path = format!("{path}/joins/{which}");
            let matched = self.shown(format!("{path}/matched"), join.matched, BOX);
            let without = self.shown(format!("{path}/without"), join.without, DETAIL);
            let unused = self.shown(format!("{path}/unused"), join.unused, DETAIL);
            self.sum(n_in, &[matched, without]);
            self.sum(n_out, &[matched, without]);
            self.same(n_out, matched);
            let mark = format!("not in {}", join.source);
            let left = of_box.removed.iter().position(|removed| removed.reason == mark);
            self.same(left.and_then(|at| parts[at + 1]), without);
            let source = self.record.sources.iter().position(|s| s.name == join.source);
            if let Some(at) = source {
                let all = self.record.sources[at].n;
                let all = self.shown(format!("/sources/{at}/n"), all, SOURCE);
                self.sum(all, &[matched, unused]);
            }
        }
        (n_in, n_out)
    }

    fn outcomes(&mut self, cohort: &str, rows: usize, own: &mut Cohort) {
        for (at, outcome) in self.record.outcomes.iter().enumerate() {
            if outcome.cohort != cohort {
                continue;
            }
            let path = format!("/outcomes/{at}");
            let classes = [
                self.shown(format!("{path}/positive"), outcome.positive, CLASS),
                self.shown(format!("{path}/negative"), outcome.negative, CLASS),
                self.shown(format!("{path}/unknown"), outcome.unknown, DETAIL),
            ];
            self.sum(Some(rows), &classes);
            let decided: Vec<Option<usize>> = outcome
                .decided
                .iter()
                .enumerate()
                .map(|(which, n)| {
                    self.shown(format!("{path}/decided/{which}"), *n, DETAIL)
                })
                .collect();
            if let (Some(positive), Some(negative)) = (classes[0], classes[1]) {
                let known = self.counts.value(positive) + self.counts.value(negative);
                let known = self.counts.implied(known);
                self.counts.sum(known, &[positive, negative]);
                if !decided.is_empty() {
                    self.sum(Some(known), &decided);
                }
            }
            self.shown(format!("{path}/conflicts"), outcome.conflicts, DETAIL);
            if let [Some(positive), Some(negative), Some(unknown)] = classes {
                let known = [positive, negative, unknown];
                own.outcomes.insert(outcome.name.clone(), known);
            }
        }
        // Whose outcome is unknown, leaves for that reason.
        for (reason, n) in own.failed.clone() {
            if reason == "outcome unknown" {
                for classes in own.outcomes.values() {
                    self.counts.same(n, classes[2]);
                }
            }
        }
    }

    /// What cohorts have in common: their first boxes, and a whole that they are parts of.
    fn parts_of_cohorts(&mut self) {
        let cohorts = &self.record.cohorts;
        let own = |cohort: &CohortFacts| {
            cohort.flow.iter().filter(|b| !b.label.starts_with("analysed: ")).count()
        };
        for (at, cohort) in cohorts.iter().enumerate() {
            for (other, known) in cohorts.iter().enumerate().take(at) {
                let alike = cohort.flow.iter().zip(&known.flow);
                let alike = alike.take_while(|(a, b)| a == b).count();
                self.alike_boxes((at, other), alike.min(own(cohort)).min(own(known)));
            }
            let whole = cohorts.iter().filter(|whole| {
                whole.base && !cohort.base && cohort.flow.starts_with(&whole.flow)
            });
            for whole in whole {
                let parts: Vec<&Cohort> = cohorts
                    .iter()
                    .filter(|part| !part.base && part.flow.starts_with(&whole.flow))
                    .filter_map(|part| self.cohorts.get(&part.name))
                    .collect();
                let Some(whole) = self.cohorts.get(&whole.name) else { continue };
                let rows: Vec<usize> = parts.iter().map(|part| part.rows).collect();
                self.counts.sum(whole.rows, &rows);
                for (outcome, classes) in &whole.outcomes {
                    for (at, class) in classes.iter().enumerate() {
                        let parts = parts.iter().filter_map(|p| p.outcomes.get(outcome));
                        let parts: Vec<usize> = parts.map(|p| p[at]).collect();
                        self.counts.sum(*class, &parts);
                    }
                }
            }
        }
        // Those who leave one part may be the whole of another.
        for (at, cohort) in cohorts.iter().enumerate() {
            for (position, of_box) in cohort.flow.iter().enumerate().skip(1) {
                for (which, removed) in of_box.removed.iter().enumerate() {
                    let path = format!("/cohorts/{at}/flow/{position}/removed/{which}/n");
                    let n = self.shown(path, removed.n, DETAIL);
                    for (other, part) in cohorts.iter().enumerate() {
                        let rows = self.cohorts.get(&part.name).map(|part| part.rows);
                        if other != at {
                            self.same(n, rows);
                        }
                    }
                }
            }
        }
    }

    fn alike_boxes(&mut self, (one, other): (usize, usize), n: usize) {
        for position in 0..n {
            let of_box = &self.record.cohorts[one].flow[position];
            let mut places = vec![("n_in".to_string(), of_box.n_in)];
            places.push(("n_out".to_string(), of_box.n_out));
            places.push(("n_subjects".to_string(), of_box.n_subjects));
            for (which, removed) in of_box.removed.iter().enumerate() {
                places.push((format!("removed/{which}/n"), removed.n));
            }
            for (which, join) in of_box.joins.iter().enumerate() {
                places.push((format!("joins/{which}/matched"), join.matched));
                places.push((format!("joins/{which}/without"), join.without));
                places.push((format!("joins/{which}/unused"), join.unused));
            }
            for (what, count) in places {
                let at =
                    |cohort: usize| format!("/cohorts/{cohort}/flow/{position}/{what}");
                let first = self.shown(at(one), count, BOX);
                let second = self.shown(at(other), count, BOX);
                self.same(first, second);
            }
        }
    }

    fn sources(&mut self) {
        for (at, source) in self.record.sources.iter().enumerate() {
            let n = self.shown(format!("/sources/{at}/n"), source.n, SOURCE);
            for (which, left) in source.left_out.iter().enumerate() {
                self.shown(format!("/sources/{at}/left_out/{which}/n"), left.n, DETAIL);
            }
            // The first box of a cohort holds the rows of its source.
            for (cohort, facts) in self.record.cohorts.iter().enumerate() {
                let first = facts.flow.first();
                let label = format!("rows of {}", source.name);
                if let Some(first) = first.filter(|first| first.label == label) {
                    let path = format!("/cohorts/{cohort}/flow/0/n_in");
                    let n_in = self.shown(path, first.n_in, BOX);
                    self.same(n, n_in);
                }
            }
        }
    }

    fn agreements(&mut self) {
        for (at, facts) in self.record.agreements.iter().enumerate() {
            let path = format!("/agreements/{at}");
            let both = self.shown(format!("{path}/both"), facts.both, GROUP);
            let agree = self.shown(format!("{path}/agree"), facts.agree, DETAIL);
            // The rest are those of whom the two sources say different things.
            self.sum_with_rest(both, &[agree]);
            self.shown(format!("{path}/only/0"), facts.only[0], DETAIL);
            self.shown(format!("{path}/only/1"), facts.only[1], DETAIL);
        }
    }

    /// What is told of the rows of one analysis.
    fn analysis(&mut self, name: &str, analysis: &AnalysisRecord) {
        let path = place(name);
        let n = self.shown(format!("{path}/n"), analysis.n, HEADLINE);
        let positive =
            self.shown(format!("{path}/n_positive"), analysis.n_positive, HEADLINE);
        let (Some(n), Some(positive)) = (n, positive) else { return };
        let negative =
            self.counts.implied(self.counts.value(n) - self.counts.value(positive));
        self.counts.sum(n, &[positive, negative]);
        self.subjects(&path, analysis, [n, positive]);
        if let Some(cohort) = self.cohorts.get(&analysis.cohort) {
            for (_, _, n_out) in &cohort.boxes {
                self.counts.same(n, *n_out);
            }
            if let Some([yes, no, _]) = cohort.outcomes.get(&analysis.outcome) {
                self.counts.same(positive, *yes);
                self.counts.same(negative, *no);
            }
        }
        let whole = [n, positive, negative];
        let judged = self.judged(&path, analysis, whole);
        let held_out = judged.unwrap_or(whole);
        let sites = analysis.sites.iter().enumerate().map(|(at, site)| Group {
            path: format!("{path}/sites/{at}"),
            by: "",
            name: &site.name,
            n: site.n,
            n_positive: site.n_positive,
        });
        self.groups(analysis, sites.collect(), held_out);
        let groups = analysis.subgroups.iter().enumerate().map(|(at, group)| Group {
            path: format!("{path}/subgroups/{at}"),
            by: &group.by,
            name: &group.group,
            n: group.n,
            n_positive: group.n_positive,
        });
        self.groups(analysis, groups.collect(), held_out);
        self.folds(&path, analysis, whole);
        if let (Some(cells), Some([_, positive, negative])) =
            (&analysis.confusion, judged)
        {
            self.confusion(&path, cells, [positive, negative]);
        }
    }

    /// The rows that performance rests on, those with and those without the outcome.
    fn judged(
        &mut self,
        path: &str,
        analysis: &AnalysisRecord,
        whole: [usize; 3],
    ) -> Option<[usize; 3]> {
        let Some(judged) = &analysis.judged else { return Some(whole) };
        let n = self.shown(format!("{path}/judged/n"), judged.n, HEADLINE)?;
        let positive = format!("{path}/judged/n_positive");
        let positive = self.shown(positive, judged.n_positive, HEADLINE)?;
        let negative = self.counts.value(n) - self.counts.value(positive);
        let negative = self.counts.implied(negative);
        self.counts.sum(n, &[positive, negative]);
        let judged = [n, positive, negative];
        for (whole, part) in whole.into_iter().zip(judged) {
            self.counts.sum_with_rest(whole, &[part]);
        }
        Some(judged)
    }

    /// The patients of an analysis: its rows, where each has one, and some of those of the cohort.
    fn subjects(
        &mut self,
        path: &str,
        analysis: &AnalysisRecord,
        [n, positive]: [usize; 2],
    ) {
        let all = self.shown(format!("{path}/n_subjects"), analysis.n_subjects, HEADLINE);
        let place = format!("{path}/n_positive_subjects");
        let with = self.shown(place, analysis.n_positive_subjects, HEADLINE);
        self.same(Some(n), all);
        self.same(Some(positive), with);
        self.sum_with_rest(all, &[with]);
        let mut cohorts = self.record.cohorts.iter().enumerate();
        if let Some((at, cohort)) = cohorts.find(|(_, c)| c.name == analysis.cohort) {
            let place = format!("/cohorts/{at}/n_subjects");
            let whole = self.shown(place, cohort.n_subjects, COHORT);
            self.sum_with_rest(whole, &[all]);
        }
    }

    /// Groups by what they are grouped by: their rows, those with and those without the outcome.
    fn groups(
        &mut self,
        analysis: &AnalysisRecord,
        groups: Vec<Group<'_>>,
        whole: [usize; 3],
    ) {
        let mut columns: BTreeMap<&str, Vec<[usize; 3]>> = BTreeMap::new();
        for Group { path, by, name, n, n_positive } in groups {
            let n = self.shown(format!("{path}/n"), n, GROUP);
            let positive = self.shown(format!("{path}/n_positive"), n_positive, DETAIL);
            let (Some(n), Some(positive)) = (n, positive) else { continue };
            let negative = self.counts.value(n) - self.counts.value(positive);
            let negative = self.counts.implied(negative);
            self.counts.sum(n, &[positive, negative]);
            let cells = [n, positive, negative];
            let key = [analysis.cohort.as_str(), &analysis.outcome, by, name];
            let key = key.map(str::to_string);
            let known = *self.groups.entry(key).or_insert(cells);
            for (known, cell) in known.into_iter().zip(cells) {
                self.counts.same(known, cell);
            }
            columns.entry(by).or_default().push(cells);
        }
        for groups in columns.into_values() {
            for (at, whole) in whole.iter().enumerate() {
                let parts: Vec<usize> = groups.iter().map(|group| group[at]).collect();
                // Rows of no group are a group of their own.
                self.counts.sum_with_rest(*whole, &parts);
            }
        }
    }

    /// Events by split: within a repeat the held-out rows are all rows, unless some of its splits have
    /// no result or never held them out.
    fn folds(&mut self, path: &str, analysis: &AnalysisRecord, whole: [usize; 3]) {
        if analysis.kind == "external" {
            let Some(fold) = analysis.folds.first() else { return };
            let held =
                self.shown(format!("{path}/folds/0/n_held_out"), fold.n_held_out, GROUP);
            let events = format!("{path}/folds/0/positive_held_out");
            let positive = self.shown(events, fold.positive_held_out, GROUP);
            self.same(Some(whole[0]), held);
            self.same(Some(whole[1]), positive);
            return;
        }
        let mut repeats: BTreeMap<usize, Vec<[usize; 3]>> = BTreeMap::new();
        for (at, fold) in analysis.folds.iter().enumerate() {
            let path = format!("{path}/folds/{at}");
            let train = self.shown(format!("{path}/n_train"), fold.n_train, DETAIL);
            let held = self.shown(format!("{path}/n_held_out"), fold.n_held_out, GROUP);
            let events = format!("{path}/positive_held_out");
            let positive = self.shown(events, fold.positive_held_out, DETAIL);
            self.sum(Some(whole[0]), &[train, held]);
            let (Some(held), Some(positive)) = (held, positive) else { continue };
            let negative = self.counts.value(held) - self.counts.value(positive);
            let negative = self.counts.implied(negative);
            self.counts.sum(held, &[positive, negative]);
            // A site that was held out is told twice.
            if analysis.kind == "sites"
                && let Some(site) = analysis.sites.get(at)
            {
                let path = format!("{}/sites/{at}", path_of(&path));
                let n = self.shown(format!("{path}/n"), site.n, GROUP);
                let of = self.shown(format!("{path}/n_positive"), site.n_positive, GROUP);
                self.same(n, Some(held));
                self.same(of, Some(positive));
            }
            repeats.entry(fold.repeat).or_default().push([held, positive, negative]);
        }
        for folds in repeats.into_values() {
            for (at, whole) in whole.iter().enumerate() {
                let parts: Vec<usize> = folds.iter().map(|fold| fold[at]).collect();
                match analysis.judged {
                    None => self.counts.sum(*whole, &parts),
                    Some(_) => self.counts.sum_with_rest(*whole, &parts),
                }
            }
        }
    }

    fn confusion(&mut self, path: &str, cells: &ConfusionFacts, whole: [usize; 2]) {
        let mut cell = |what: &str, value: Option<f64>| {
            value.map(|value| {
                self.counts.shown(format!("{path}/confusion/{what}"), value, DETAIL)
            })
        };
        let rows = [
            [
                cell("true_positive", cells.true_positive),
                cell("false_negative", cells.false_negative),
            ],
            [
                cell("false_positive", cells.false_positive),
                cell("true_negative", cells.true_negative),
            ],
        ];
        for (whole, cells) in whole.into_iter().zip(rows) {
            self.sum(Some(whole), &cells);
        }
    }

    /// The models that are handed over were fitted on the rows of an analysis.
    fn models(&mut self) {
        for (name, analysis) in &self.record.analyses {
            if let Some(frozen) = &analysis.frozen {
                let path = format!("{}/frozen", place(name));
                self.fitted_on(&path, &analysis.outcome, frozen.n, frozen.n_positive);
            }
        }
        for (at, model) in self.record.full_models.iter().enumerate() {
            let path = format!("/full_models/{at}");
            self.fitted_on(&path, &model.outcome, model.n, model.n_positive);
            for (column, facts) in model.columns.iter().enumerate() {
                let path = format!("{path}/columns/{column}/missing");
                let missing = self.shown(path, facts.missing, DETAIL);
                // The rest are gaps of rows of unknown outcome.
                for (at, block) in self.record.predictors.iter().enumerate() {
                    let mut columns = block.columns.iter();
                    let found = columns.position(|column| {
                        facts.name == format!("{}.{}", block.name, column.name)
                    });
                    if let Some(position) = found.filter(|_| block.cohort == model.cohort)
                    {
                        let of = &block.columns[position];
                        let path = format!("/predictors/{at}/columns/{position}/missing");
                        let all = self.shown(path, of.missing, DETAIL);
                        self.sum_with_rest(all, &[missing]);
                    }
                }
            }
        }
    }

    fn fitted_on(&mut self, path: &str, outcome: &str, n: Count, positive: Count) {
        let n = self.shown(format!("{path}/n"), n, HEADLINE);
        let positive = self.shown(format!("{path}/n_positive"), positive, HEADLINE);
        self.sum_with_rest(n, &[positive]);
        let cohorts = self.cohorts.values();
        let known: Vec<[usize; 3]> =
            cohorts.filter_map(|cohort| cohort.outcomes.get(outcome).copied()).collect();
        for [yes, ..] in known {
            self.same(positive, Some(yes));
        }
        let cohorts = self.cohorts.values();
        let boxes: Vec<usize> = cohorts
            .flat_map(|cohort| cohort.boxes.iter().map(|(_, _, n_out)| *n_out))
            .collect();
        for n_out in boxes {
            self.same(n, Some(n_out));
        }
    }

    /// Rows of a cohort and, by class of the first outcome that it is asked of, those with, without and of
    /// unknown.
    fn base(&self, cohort: &str) -> Option<(usize, Option<[usize; 3]>)> {
        let known = self.cohorts.get(cohort)?;
        let mut outcomes = self.record.outcomes.iter();
        let asked = outcomes.find_map(|outcome| known.outcomes.get(&outcome.name));
        Some((known.rows, asked.copied()))
    }

    /// What is missing, by variable and by what goes together.
    fn missingness(&mut self) {
        for (at, facts) in self.record.missingness.iter().enumerate() {
            let path = format!("/missingness/{at}");
            let Some((rows, classes)) = self.base(&facts.cohort) else { continue };
            let n = self.shown(format!("{path}/rows"), facts.rows, CLASS);
            self.same(Some(rows), n);
            let sizes = [("positive", facts.positive), ("negative", facts.negative)];
            for (which, (of, size)) in sizes.into_iter().enumerate() {
                let size = self.shown(format!("{path}/{of}"), size, CLASS);
                self.same(classes.map(|classes| classes[which]), size);
            }
            let mut parts = vec![
                self.shown(format!("{path}/complete"), facts.complete, DETAIL),
                self.shown(format!("{path}/others"), facts.others, PATTERN),
            ];
            let mut with: Vec<Vec<Option<usize>>> = vec![Vec::new(); facts.gaps.len()];
            for (which, pattern) in facts.patterns.iter().enumerate() {
                let path = format!("{path}/patterns/{which}/n");
                let n = self.shown(path, pattern.n, PATTERN);
                pattern.gaps.iter().for_each(|gap| with[*gap].push(n));
                parts.push(n);
            }
            self.sum(Some(rows), &parts);
            for (which, gap) in facts.gaps.iter().enumerate() {
                let path = format!("{path}/gaps/{which}");
                let shares = [
                    ("all", gap.all),
                    ("positive", gap.positive),
                    ("negative", gap.negative),
                ];
                let cells = shares.map(|(of, share)| {
                    self.shown(format!("{path}/{of}/n"), share.n, DETAIL)
                });
                let [Some(all), Some(positive), Some(negative)] = cells else { continue };
                self.sum_with_rest(Some(rows), &[Some(all)]);
                self.sum_with_rest(Some(all), &with[which]);
                let value = |count: usize| self.counts.value(count);
                let rest = (value(all) - value(positive) - value(negative)).max(0.0);
                let unknown = self.counts.implied(rest);
                let by_class = [positive, negative, unknown];
                self.counts.sum(all, &by_class);
                for (class, part) in classes.into_iter().flatten().zip(by_class) {
                    self.counts.sum_with_rest(class, &[part]);
                }
                for column in &gap.columns {
                    let key = [&facts.cohort, &column.block, &column.variable];
                    let gap = Gap { all, classes: by_class };
                    self.gaps.insert(key.map(String::clone), gap);
                }
            }
        }
    }

    /// Known values of a class and its gaps are all of the class.
    fn beside_gap(
        &mut self,
        gap: Option<Gap>,
        classes: Option<[usize; 3]>,
        known: [&[Option<usize>]; 2],
    ) {
        let (Some(gap), Some(classes)) = (gap, classes) else { return };
        for (which, known) in known.into_iter().enumerate() {
            let parts: Vec<Option<usize>> =
                known.iter().copied().chain([Some(gap.classes[which])]).collect();
            self.sum(Some(classes[which]), &parts);
        }
    }

    fn predictors(&mut self) {
        for (at, block) in self.record.predictors.iter().enumerate() {
            for (which, failed) in block.failed.iter().enumerate() {
                let path = format!("/predictors/{at}/failed/{which}/n");
                let n = self.shown(path, failed.n, DETAIL);
                let known = self.cohorts.get(&block.cohort);
                let known = known.map(|known| known.failed.clone()).unwrap_or_default();
                for (reason, of_flow) in known {
                    if reason == failed.reason {
                        self.same(n, Some(of_flow));
                    }
                }
            }
            let Some((rows, classes)) = self.base(&block.cohort) else { continue };
            let of_cohort = classes;
            let failed = block.failed.iter().enumerate().map(|(which, failed)| {
                let path = format!("/predictors/{at}/failed/{which}/n");
                self.shown(path, failed.n, DETAIL)
            });
            let failed: Vec<Option<usize>> = failed.collect();
            let whole = match block.failed.is_empty() {
                true => Some((rows, classes)),
                // Of how many rows the columns are, is told by any column without a gap.
                false => block
                    .columns
                    .iter()
                    .find_map(measured)
                    .map(|measured| (self.counts.implied(measured), None)),
            };
            let Some((rows, classes)) = whole else { continue };
            for (position, column) in block.columns.iter().enumerate() {
                let path = format!("/predictors/{at}/columns/{position}");
                self.column(&path, column, rows, classes);
                let key = [&block.cohort, &block.name, &column.name].map(String::clone);
                let gap = self.gaps.get(&key).copied();
                let missing =
                    self.shown(format!("{path}/missing"), column.missing, DETAIL);
                // Who could not be measured lacks every column.
                let missing: Vec<Option<usize>> =
                    failed.iter().copied().chain([missing]).collect();
                self.sum(gap.map(|gap| gap.all), &missing);
                let known = |of: &dyn Fn(&ColumnLevel) -> Count,
                             what: &str,
                             moments: &Option<Moments>,
                             all: &mut Self|
                 -> Vec<Option<usize>> {
                    let levels =
                        column.levels.iter().enumerate().map(|(level, facts)| {
                            let path = format!("{path}/levels/{level}/{what}/n");
                            all.shown(path, of(facts), DETAIL)
                        });
                    let mut cells: Vec<Option<usize>> = levels.collect();
                    if let Some(moments) = moments {
                        let path = format!("{path}/{what}/n");
                        cells.push(all.shown(path, moments.n, DETAIL));
                    }
                    cells
                };
                let positive =
                    known(&|level| level.positive.n, "positive", &column.positive, self);
                let negative =
                    known(&|level| level.negative.n, "negative", &column.negative, self);
                self.beside_gap(gap, of_cohort, [&positive, &negative]);
            }
        }
    }

    fn column(
        &mut self,
        path: &str,
        column: &ColumnFacts,
        rows: usize,
        classes: Option<[usize; 3]>,
    ) {
        let missing = self.shown(format!("{path}/missing"), column.missing, DETAIL);
        if !column.levels.is_empty() {
            self.levels(path, column, (rows, classes), missing);
            return;
        }
        let mut of = |what: &str, moments: &Option<Moments>| {
            let n = moments.as_ref().map_or(Count::from(0), |moments| moments.n);
            // Nobody's moments are not shown.
            match moments {
                Some(_) => self.shown(format!("{path}/{what}/n"), n, DETAIL),
                None => Some(self.counts.implied(0.0)),
            }
        };
        let all = of("all", &column.all);
        let positive = of("positive", &column.positive);
        let negative = of("negative", &column.negative);
        self.sum(Some(rows), &[all, missing]);
        let (Some(all), Some(positive), Some(negative)) = (all, positive, negative)
        else {
            return;
        };
        self.by_class(all, [positive, negative], missing, classes);
    }

    /// The categories of a column, over all rows and by class.
    fn levels(
        &mut self,
        path: &str,
        column: &ColumnFacts,
        (rows, classes): (usize, Option<[usize; 3]>),
        missing: Option<usize>,
    ) {
        // By group: the counts of its categories, and last of what is missing.
        let mut groups: [Vec<Option<usize>>; 4] = Default::default();
        for (at, level) in column.levels.iter().enumerate() {
            let path = format!("{path}/levels/{at}");
            let shares = [
                ("all", level.all),
                ("positive", level.positive),
                ("negative", level.negative),
            ];
            let cells = shares
                .map(|(of, share)| self.shown(format!("{path}/{of}/n"), share.n, DETAIL));
            let [Some(all), Some(positive), Some(negative)] = cells else { return };
            let value = |count: usize| self.counts.value(count);
            // Those of whom the outcome is unknown.
            let rest = (value(all) - value(positive) - value(negative)).max(0.0);
            let rest = self.counts.implied(rest);
            self.counts.sum(all, &[positive, negative, rest]);
            for (group, cell) in groups.iter_mut().zip([all, positive, negative, rest]) {
                group.push(Some(cell));
            }
        }
        let [mut all, by_class @ ..] = groups;
        all.push(missing);
        self.sum(Some(rows), &all);
        let (Some(missing), Some(classes)) = (missing, classes) else { return };
        let mut gaps = Vec::new();
        for (class, mut cells) in classes.into_iter().zip(by_class) {
            let known: f64 =
                cells.iter().flatten().map(|at| self.counts.value(*at)).sum();
            let gap = (self.counts.value(class) - known).max(0.0);
            let gap = self.counts.implied(gap);
            cells.push(Some(gap));
            self.sum(Some(class), &cells);
            gaps.push(gap);
        }
        self.counts.sum(missing, &gaps);
    }

    /// Known and missing values of a variable, over all and by class.
    fn by_class(
        &mut self,
        all: usize,
        known: [usize; 2],
        missing: Option<usize>,
        classes: Option<[usize; 3]>,
    ) {
        let Some(missing) = missing else { return };
        let Some(classes) = classes else {
            self.counts.sum_with_rest(all, &known);
            return;
        };
        let value = |counts: &Counts, count: usize| counts.value(count);
        let rest = value(&self.counts, all)
            - value(&self.counts, known[0])
            - value(&self.counts, known[1]);
        let rest = self.counts.implied(rest.max(0.0));
        let known = [known[0], known[1], rest];
        self.counts.sum(all, &known);
        let gaps: Vec<usize> = known
            .iter()
            .zip(classes)
            .map(|(known, class)| {
                let gap = value(&self.counts, class) - value(&self.counts, *known);
                self.counts.implied(gap.max(0.0))
            })
            .collect();
        for ((known, class), gap) in known.iter().zip(classes).zip(&gaps) {
            self.counts.sum(class, &[*known, *gap]);
        }
        self.counts.sum(missing, &gaps);
    }

    /// Table 1.
    fn characteristics(&mut self) {
        let rows = &self.record.characteristics;
        let mut variables: BTreeMap<(&str, &str, &str), [Option<usize>; 3]> =
            BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let key = (row.cohort.as_str(), row.block.as_str(), row.variable.as_str());
            let which = match row.class {
                None => 0,
                Some(true) => 1,
                Some(false) => 2,
            };
            variables.entry(key).or_default()[which] = Some(at);
        }
        for ((cohort, block, variable), places) in variables {
            let Some((all, classes)) = self.base(cohort) else { continue };
            let wholes = match classes {
                Some([yes, no, _]) => [Some(all), Some(yes), Some(no)],
                None => [Some(all), None, None],
            };
            // By what is counted: rows, missing, ones, the rest, then each category.
            let n_levels = places[0].map_or(0, |at| rows[at].levels.len());
            let mut columns: Vec<Vec<Option<usize>>> = vec![Vec::new(); 4 + n_levels];
            for (whole, at) in wholes.into_iter().zip(places) {
                let Some(at) = at else { continue };
                let row = &rows[at];
                let path = format!("/characteristics/{at}");
                let n = self.shown(format!("{path}/rows"), row.rows, CLASS);
                self.same(whole, n);
                let missing = self.shown(format!("{path}/missing"), row.missing, DETAIL);
                let ones = row.ones.map(Count::from);
                let ones =
                    ones.and_then(|n| self.shown(format!("{path}/ones"), n, DETAIL));
                let levels = row.levels.iter().enumerate().map(|(level, of)| {
                    let path = format!("{path}/levels/{level}/share/n");
                    self.shown(path, of.share.n, DETAIL)
                });
                let levels: Vec<Option<usize>> = levels.collect();
                let known: Vec<Option<usize>> = [missing, ones]
                    .into_iter()
                    .chain(levels.iter().copied())
                    .filter(Option::is_some)
                    .collect();
                let rest = n.map(|n| {
                    let known: f64 =
                        known.iter().flatten().map(|at| self.counts.value(*at)).sum();
                    self.counts.implied((self.counts.value(n) - known).max(0.0))
                });
                let parts: Vec<Option<usize>> = known.into_iter().chain([rest]).collect();
                self.sum(n, &parts);
                let cells = [n, missing, ones, rest].into_iter().chain(levels);
                for (column, cell) in columns.iter_mut().zip(cells) {
                    column.push(cell);
                }
            }
            for column in &columns {
                if let [whole, parts @ ..] = column.as_slice()
                    && parts.len() == 2
                {
                    self.sum_with_rest(*whole, parts);
                }
            }
            let key = [cohort, block, variable].map(str::to_string);
            if let Some(gap) = self.gaps.get(&key).copied() {
                let of_gap = [gap.all, gap.classes[0], gap.classes[1]];
                for (missing, gap) in columns[1].clone().into_iter().zip(of_gap) {
                    self.same(missing, Some(gap));
                }
            }
            self.told_of_groups((cohort, block, variable, NO_VALUE), &columns[1]);
            let levels = places[0].map_or(&[][..], |at| rows[at].levels.as_slice());
            for (level, column) in levels.iter().zip(&columns[4..]) {
                self.told_of_groups((cohort, block, variable, &level.name), column);
            }
            self.told_among_predictors((cohort, block, variable), places);
        }
    }

    /// The classes of a category may be those of a subgroup or of a site; so may those of what is
    /// missing. One column that divides may go by several names.
    fn told_of_groups(
        &mut self,
        (cohort, block, variable, level): (&str, &str, &str, &str),
        column: &[Option<usize>],
    ) {
        let [_, positive, negative] = column else { return };
        let mut outcomes = self.record.outcomes.iter();
        let asked = outcomes.find(|outcome| outcome.cohort == cohort);
        let Some(outcome) = asked.map(|outcome| &outcome.name) else { return };
        let mut same = Vec::new();
        for ([of, asked, by, name], [_, yes, no]) in &self.groups {
            let column = by.rsplit('.').next().unwrap_or(by);
            if of == cohort
                && asked == outcome
                && name == level
                && (by.is_empty() || column == variable || block == DIVIDING)
            {
                same.extend([(*positive, *yes), (*negative, *no)]);
            }
        }
        for (cell, group) in same {
            self.same(cell, Some(group));
        }
    }

    /// A variable of Table 1 stands among the predictors too.
    fn told_among_predictors(
        &mut self,
        (cohort, block, variable): (&str, &str, &str),
        places: [Option<usize>; 3],
    ) {
        let blocks = self.record.predictors.iter().enumerate();
        for (at, facts) in blocks.filter(|(_, b)| b.name == block && b.cohort == cohort) {
            let Some(position) = facts.columns.iter().position(|c| c.name == variable)
            else {
                continue;
            };
            let Some(row) = places[0] else { continue };
            let column = &facts.columns[position];
            let path = format!("/predictors/{at}/columns/{position}");
            let here = self.shown(format!("{path}/missing"), column.missing, DETAIL);
            let of = self.record.characteristics[row].missing;
            let there = self.shown(format!("/characteristics/{row}/missing"), of, DETAIL);
            self.same(here, there);
            for (level, here) in column.levels.iter().enumerate() {
                let groups = [
                    ("all", here.all),
                    ("positive", here.positive),
                    ("negative", here.negative),
                ];
                for (row, (of, share)) in places.into_iter().zip(groups) {
                    let Some(row) = row else { continue };
                    let there = &self.record.characteristics[row].levels;
                    let Some(which) = there.iter().position(|l| l.name == here.name)
                    else {
                        continue;
                    };
                    let n = there[which].share.n;
                    let path = format!("{path}/levels/{level}/{of}/n");
                    let here = self.shown(path, share.n, DETAIL);
                    let path = format!("/characteristics/{row}/levels/{which}/share/n");
                    let there = self.shown(path, n, DETAIL);
                    self.same(here, there);
                }
            }
        }
    }
}

/// The rows of a column, with and without a value.
fn measured(column: &ColumnFacts) -> Option<f64> {
    let known = column.all.as_ref()?.n.known()?;
    Some((known + column.missing.known()?) as f64)
}

/// The analysis of a place within it.
fn path_of(place: &str) -> &str {
    place.split("/folds/").next().unwrap_or(place)
}
