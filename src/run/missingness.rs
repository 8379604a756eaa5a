//! What is missing: by variable and cohort, together with what else, and in which class.

use std::collections::{BTreeMap, BTreeSet};

use super::characteristics::{analysed_cohorts, classes, frames, percent};
use super::dividing::{Dividing, dividing};
use super::record::Found;
use crate::data::{
    DIVIDING, GapColumn, GapFacts, MissingnessFacts, PatternFacts, Share, ShareDifference,
};
use crate::plan::Plan;
use crate::spec::Study;
use crate::statistics::newcombe;
use crate::survey::Survey;

/// Patterns that are told one by one; the rest are counted.
const PATTERNS: usize = 8;

/// Where data are not public, more gaps than these have no patterns: which counts follow from which
/// would take too long to find out.
const PROTECTED_GAPS: usize = 60;

/// The rows in which a column has no value, as bits.
type Rows = Vec<u64>;

/// What is missing in every cohort that is analysed, among all of its rows.
pub fn missingness(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
) -> Vec<MissingnessFacts> {
    let frames = frames(plan, found);
    let cohorts = analysed_cohorts(plan, found);
    let divided = dividing(study, survey, &cohorts);
    let smallest = study.smallest_cell();
    let of_cohort = |cohort: &usize| {
        let surveyed = survey.cohorts.get(&study.cohorts[*cohort].name)?;
        let n = surveyed.rows.len();
        let mut looked_at: BTreeSet<(String, String)> = BTreeSet::new();
        let mut columns: Vec<(GapColumn, Rows)> = Vec::new();
        for (position, block) in study.predictors.iter().enumerate() {
            let Some(frame) = frames.get(&(position, *cohort)) else { continue };
            if study.repeats(block) {
                continue;
            }
            let known = survey.columns.get(&block.name);
            for (at, column) in frame.rows.columns().iter().enumerate() {
                let place = known.and_then(|columns| columns.get(at));
                looked_at.extend(place.map(|of| (of.source.clone(), of.column.clone())));
                let gap = |row: usize| {
                    frame.failed[row].is_some() || column.values[row].is_nan()
                };
                let (block, variable) = (block.name.clone(), column.name.to_string());
                columns.push((GapColumn { block, variable }, bits(n, gap)));
            }
        }
        let is_predictor =
            |of: &&Dividing| of.place.as_ref().is_some_and(|of| looked_at.contains(of));
        for of in divided.iter().filter(|of| !is_predictor(of)) {
            let Some(cells) = of.cells.get(cohort) else { continue };
            let gap = |row: usize| cells.values[row].is_nan();
            let (block, variable) = (DIVIDING.to_string(), of.name.clone());
            columns.push((GapColumn { block, variable }, bits(n, gap)));
        }
        let known = |outcome: usize| {
            let known = classes(study, survey, plan, found, (outcome, *cohort))?;
            Some((study.outcomes[outcome].name.clone(), known))
        };
        let known = (0..study.outcomes.len()).find_map(known);
        let (outcome, classes) = known.unzip();
        let classes = classes.unwrap_or_else(|| vec![None; n]);
        Some(MissingnessFacts {
            cohort: study.cohorts[*cohort].name.clone(),
            outcome,
            ..counted(columns, &classes, smallest)
        })
    };
    cohorts.iter().filter_map(of_cohort).collect()
}

fn bits(n: usize, is_set: impl Fn(usize) -> bool) -> Rows {
    let mut bits = vec![0; n.div_ceil(64)];
    (0..n).filter(|row| is_set(*row)).for_each(|row| bits[row / 64] |= 1 << (row % 64));
    bits
}

fn in_both(one: &Rows, other: &Rows) -> usize {
    let both = one.iter().zip(other).map(|(a, b)| (a & b).count_ones() as usize);
    both.sum()
}

/// Gaps and patterns of columns over rows with these classes.
fn counted(
    columns: Vec<(GapColumn, Rows)>,
    classes: &[Option<bool>],
    smallest: Option<usize>,
) -> MissingnessFacts {
    let n = classes.len();
    let variables = columns.len();
    let of = |class: bool| bits(n, |row| classes[row] == Some(class));
    let groups = [bits(n, |_| true), of(true), of(false)];
    let sizes = [0, 1, 2].map(|at| in_both(&groups[at], &groups[0]));
    // Columns without a value in the same rows, in the order of the first of them.
    let mut place: BTreeMap<Rows, usize> = BTreeMap::new();
    let mut gaps: Vec<(Vec<GapColumn>, Rows)> = Vec::new();
    for (column, rows) in columns {
        if rows.iter().all(|bits| *bits == 0) {
            continue;
        }
        match place.get(&rows) {
            Some(at) => gaps[*at].0.push(column),
            None => {
                place.insert(rows.clone(), gaps.len());
                gaps.push((vec![column], rows));
            }
        }
    }
    let mut patterns: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for row in 0..n {
        let is_set =
            |(_, rows): &(Vec<GapColumn>, Rows)| rows[row / 64] >> (row % 64) & 1;
        let missing = gaps.iter().enumerate().filter(|(_, gap)| is_set(gap) == 1);
        let missing: Vec<usize> = missing.map(|(at, _)| at).collect();
        *patterns.entry(missing).or_insert(0) += 1;
    }
    let complete = patterns.remove(&Vec::new()).unwrap_or(0);
    let owned = patterns.iter().map(|(gaps, n)| (gaps.clone(), *n));
    let mut told: Vec<(Vec<usize>, usize)> = owned.collect();
    told.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    told.truncate(PATTERNS);
    if let Some(smallest) = smallest {
        let tells = gaps.len() <= PROTECTED_GAPS;
        told.retain(|(_, n)| tells && *n >= smallest);
        // Where counts are hidden, their order would tell of them.
        told.sort();
    }
    let others = n - complete - told.iter().map(|(_, n)| n).sum::<usize>();
    let other_patterns = smallest.is_none().then_some(patterns.len() - told.len());
    let gap = |(columns, rows): (Vec<GapColumn>, Rows)| {
        let [all, positive, negative] =
            [0, 1, 2].map(|at| (in_both(&rows, &groups[at]), sizes[at]));
        let share = |(n, of)| Share { n: usize::into(n), percent: percent(n, of) };
        GapFacts {
            columns,
            all: share(all),
            positive: share(positive),
            negative: share(negative),
            difference: difference(positive, negative),
        }
    };
    MissingnessFacts {
        cohort: String::new(),
        outcome: None,
        rows: n.into(),
        positive: sizes[1].into(),
        negative: sizes[2].into(),
        variables,
        complete: complete.into(),
        gaps: gaps.into_iter().map(gap).collect(),
        patterns: told
            .into_iter()
            .map(|(gaps, n)| PatternFacts { gaps, n: n.into() })
            .collect(),
        others: others.into(),
        other_patterns,
    }
}

/// How many of how many in one class and in the other.
fn difference(
    (positive, of): (usize, usize),
    (negative, of_negative): (usize, usize),
) -> Option<ShareDifference> {
    let first = (positive as f64, of as f64);
    let second = (negative as f64, of_negative as f64);
    let (estimate, lower, upper) = newcombe(first, second, 0.95)?;
    Some(ShareDifference {
        estimate: 100.0 * estimate,
        lower: 100.0 * lower,
        upper: 100.0 * upper,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, missing: &[usize], n: usize) -> (GapColumn, Rows) {
        let (block, variable) = ("b".to_string(), name.to_string());
        (GapColumn { block, variable }, bits(n, |row| missing.contains(&row)))
    }

    #[test]
    fn gaps_are_counted_by_class_and_by_what_goes_together() {
        let n = 70;
        // The last row is of unknown outcome.
        let classes: Vec<Option<bool>> =
            (0..n).map(|row| (row + 1 < n).then_some(row < 30)).collect();
        let columns = || {
            vec![
                column("whole", &[], n),
                column("one", &[0, 40], n),
                column("twin", &[0, 40], n),
                column("more", &[0, 1, 2, 64, 69], n),
            ]
        };
        let facts = counted(columns(), &classes, None);
        assert!(facts.rows == 70 && facts.positive == 30 && facts.negative == 39);
        assert!(facts.variables == 4 && facts.complete == 64);
        let names: Vec<Vec<&str>> = facts
            .gaps
            .iter()
            .map(|gap| gap.columns.iter().map(|of| of.variable.as_str()).collect())
            .collect();
        assert_eq!(names, [vec!["one", "twin"], vec!["more"]]);
        let more = &facts.gaps[1];
        assert!(more.all.n == 5 && more.positive.n == 3 && more.negative.n == 1);
        assert!((more.positive.percent.unwrap() - 10.0).abs() < 1e-12);
        let difference = more.difference.unwrap();
        assert!((difference.estimate - (10.0 - 100.0 / 39.0)).abs() < 1e-9);
        assert!(difference.lower < difference.estimate);
        let patterns: Vec<(Vec<usize>, usize)> = facts
            .patterns
            .iter()
            .map(|pattern| (pattern.gaps.clone(), pattern.n.known().unwrap()))
            .collect();
        assert_eq!(patterns, [(vec![1], 4), (vec![0], 1), (vec![0, 1], 1)]);
        assert!(facts.others == 0 && facts.other_patterns == Some(0));

        // Where small counts are hidden, so are small patterns, and the order tells nothing.
        let facts = counted(columns(), &classes, Some(4));
        assert_eq!(facts.gaps[0].columns.len(), 2);
        assert_eq!(facts.patterns.len(), 1);
        assert!(facts.patterns[0].gaps == [1] && facts.patterns[0].n == 4);
        assert!(facts.others == 2 && facts.other_patterns.is_none());
    }

    #[test]
    fn without_a_gap_every_row_is_complete() {
        let facts = counted(vec![column("x", &[], 5)], &[None; 5], None);
        assert!(facts.gaps.is_empty() && facts.patterns.is_empty());
        assert!(facts.complete == 5 && facts.others == 0 && facts.positive == 0);
        let facts = counted(vec![column("x", &[1], 5)], &[None; 5], None);
        assert!(facts.gaps[0].difference.is_none());
        assert!(facts.gaps[0].positive.percent.is_none());
    }

    #[test]
    fn further_patterns_are_counted_and_not_told() {
        let n = 64;
        let columns: Vec<_> =
            (0..12).map(|at| column(&at.to_string(), &[at], n)).collect();
        let facts = counted(columns, &vec![Some(true); n], None);
        assert!(facts.patterns.len() == PATTERNS && facts.complete == 52);
        assert!(facts.others == 4 && facts.other_patterns == Some(4));
    }
}
