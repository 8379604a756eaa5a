//! Columns that tell the classes apart and do not repeat each other.

use super::ranking::{Ranking, comparable, f_statistics};
use crate::math::{Rough, Units, dot};
use crate::operation::prelude::*;

/// Keeps k columns of maximum relevance and minimum redundancy.
///
/// Features of one image say much the same; this filter takes, one by one, the column that says most
/// beyond those it has.
///
/// # Computation
/// The relevance of a column is its one-way F statistic between the classes (see `anova`). The first
/// column has the highest F. Each next one has the highest score: F / r̄ (`quotient`) or F − r̄
/// (`difference`), where r̄ is the mean of |r| between it and the columns taken before, r is Pearson's
/// correlation, and an |r| below 0.001 counts as 0.001. Of equal scores the first in table order
/// wins. Columns with F = 0, constant ones among them, are never taken, so fewer than k may stay. The
/// kept columns stay in table order.
///
/// Each choice depends on earlier ones alone, so the columns for a smaller k are the first of those
/// for a larger. One ranking serves all k up to 32, another all up to 64, and so on by doubling.
///
/// # Differences
/// `quotient` gives the ranking of `mrmr_classif` of the Python package mrmr-selection, but for exact
/// copies: there a mean |r| of exactly 1 puts a column last. `difference` is in the units of F, so
/// redundancy matters only where F is small: prefer the quotient. Ding and Peng (2005) define both
/// on mutual information for categories, and FCD and FCQ as here for numbers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mrmr {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
    /// How relevance and redundancy are set against each other.
    pub form: Form,
}

/// How relevance and redundancy are set against each other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// F divided by the mean |r|.
    #[default]
    Quotient,
    /// F less the mean |r|.
    Difference,
}

impl Default for Mrmr {
    fn default() -> Self {
        Self { k: 16, form: Form::Quotient }
    }
}

impl Operation for Mrmr {
    const ABOUT: About = About {
        name: "mrmr",
        title: "Selection by relevance and redundancy",
        version: 1,
        sources: &["ding2005", "zhao2019"],
        example: "mrmr: { k: 8 }",
    };
}

impl TableStep for Mrmr {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let columns = comparable(train, 1)?;
        let f = f_statistics(columns, train.outcome());
        let candidates: Vec<u32> =
            (0..).zip(&f).filter(|(_, f)| **f > 0.0).map(|(at, _)| at).collect();
        let column = |at: &u32| columns[*at as usize].values.as_slice();
        let values: Vec<&[f64]> = candidates.iter().map(column).collect();
        let units = Units::of(&values).map_err(|at| {
            let column = &columns[candidates[at] as usize];
            Failure::NotFinite(format!("the spread of `{}`", column.name))
        })?;
        let relevance: Vec<f64> = candidates.iter().map(|at| f[*at as usize]).collect();
        let taken = taken(&relevance, &units, self.depth(), self.form);
        Ok(Ranking(taken.into_iter().map(|candidate| candidates[candidate]).collect()))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self { k: self.depth(), form: self.form }
    }
}

impl Mrmr {
    /// How far the ranking goes: the same for many k, so that they share one.
    fn depth(&self) -> usize {
        self.k.max(32).next_power_of_two()
    }
}

/// An |r| below this counts as this, or unrelated columns would divide by nothing.
const FLOOR: f64 = 1e-3;

/// A column that may still be taken.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    column: usize,
    relevance: f64,
    /// A sum that its |r| with all columns taken has at least.
    least: f64,
    /// The sum of |r| with so many of them, the first ones.
    redundancy: f64,
    compared: usize,
}

impl Candidate {
    /// Compares it with the rest of the columns taken.
    fn compare(&mut self, taken: &[usize], units: &Units) {
        for other in &taken[self.compared..] {
            let r = dot(units.column(self.column), units.column(*other));
            self.redundancy += r.abs().max(FLOOR);
        }
        self.compared = taken.len();
    }
}

/// The score of a column behind `taken` others: of less redundancy it is never lower.
fn score(relevance: f64, redundancy: f64, taken: usize, form: Form) -> f64 {
    match (taken, form) {
        (0, _) => relevance,
        (n, Form::Quotient) => relevance / (redundancy / n as f64),
        (n, Form::Difference) => relevance - redundancy / n as f64,
    }
}

/// Positions of the columns taken, in order. `units` are the columns at unit length.
///
/// Few digits of r tell of nearly all columns that others have a higher score; the rest are compared
/// with all digits.
fn taken(relevance: &[f64], units: &Units, depth: usize, form: Form) -> Vec<usize> {
    let columns: Vec<(&[f64], f64)> = units.columns().map(|unit| (unit, 1.0)).collect();
    let rough = Rough::of(units.n(), &columns);
    let new = |(column, relevance): (usize, &f64)| Candidate {
        column,
        relevance: *relevance,
        least: 0.0,
        redundancy: 0.0,
        compared: 0,
    };
    let mut free: Vec<Candidate> = relevance.iter().enumerate().map(new).collect();
    let mut taken: Vec<usize> = Vec::new();
    while taken.len() < depth && !free.is_empty() {
        if let Some(&last) = taken.last() {
            let (sizes, error) = (rough.sizes(units.column(last), 1.0), rough.error());
            for candidate in &mut free {
                candidate.least += (sizes[candidate.column] - error).max(FLOOR);
            }
        }
        let best = best(&mut free, &taken, units, form);
        taken.push(free.remove(best).column);
    }
    taken
}

/// The place of the candidate with the highest score; of equal ones the first in table order.
fn best(free: &mut [Candidate], taken: &[usize], units: &Units, form: Form) -> usize {
    let most = |one: &Candidate| score(one.relevance, one.least, taken.len(), form);
    let exact = |at: usize, free: &mut [Candidate]| {
        let one = &mut free[at];
        one.compare(taken, units);
        score(one.relevance, one.redundancy, taken.len(), form)
    };
    // Whoever may have most comes first: then few of the others are asked for all digits.
    let mut best = 0;
    for at in 1..free.len() {
        if most(&free[at]) > most(&free[best]) {
            best = at;
        }
    }
    let mut highest = exact(best, free);
    for at in 0..free.len() {
        if at == best || most(&free[at]) < highest {
            continue;
        }
        let score = exact(at, free);
        if score > highest || (score == highest && at < best) {
            (best, highest) = (at, score);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use crate::data::{Frame, FrameColumn};

    #[test]
    fn rankings_are_those_of_mrmr_selection() {
        for (name, fixture) in Fixture::all() {
            let columns: Vec<&[f64]> =
                fixture.columns.iter().map(Vec::as_slice).collect();
            let found = rank(&columns, &fixture.outcome, &Mrmr::default());
            let places = fixture.expected("mrmr_place").into_iter().zip(0..);
            let mut expected: Vec<(u32, u32)> = places
                .filter_map(|(place, column)| Some((place? as u32, column)))
                .collect();
            expected.sort_unstable();
            let expected: Vec<u32> =
                expected.into_iter().map(|(_, column)| column).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    fn rank(columns: &[&[f64]], outcome: &[bool], step: &Mrmr) -> Vec<u32> {
        let n = outcome.len();
        let columns = columns.iter().enumerate().map(|(i, values)| FrameColumn {
            name: format!("c{i}").into(),
            values: values.to_vec(),
        });
        let frame =
            Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
        let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
        let outcome: Vec<Option<bool>> = outcome.iter().copied().map(Some).collect();
        step.fit(&split.train(&frame, &outcome, &vec![0; n])).unwrap().0
    }

    /// Every candidate compared with every column taken.
    fn taken_plainly(
        relevance: &[f64],
        units: &Units,
        depth: usize,
        form: Form,
    ) -> Vec<usize> {
        let p = relevance.len();
        let mut redundancy = vec![0.0; p];
        let mut taken: Vec<usize> = Vec::new();
        while taken.len() < depth.min(p) {
            if let Some(&last) = taken.last() {
                for (column, redundancy) in redundancy.iter_mut().enumerate() {
                    let r = dot(units.column(column), units.column(last));
                    *redundancy += r.abs().max(FLOOR);
                }
            }
            let score = |column: usize| match (taken.len(), form) {
                (0, _) => relevance[column],
                (n, Form::Quotient) => {
                    relevance[column] / (redundancy[column] / n as f64)
                }
                (n, Form::Difference) => {
                    relevance[column] - redundancy[column] / n as f64
                }
            };
            let mut best: Option<usize> = None;
            for column in (0..p).filter(|column| !taken.contains(column)) {
                if best.is_none_or(|best| score(column) > score(best)) {
                    best = Some(column);
                }
            }
            taken.extend(best);
        }
        taken
    }

    #[test]
    fn those_who_cannot_win_are_left_uncompared_and_nothing_changes() {
        for seed in 0..40 {
            let mut stream = Stream::new(seed, &["mrmr"]);
            let (n, p) = (2 + stream.below(20), 1 + stream.below(60));
            let mut columns: Vec<Vec<f64>> = Vec::new();
            for at in 0..p {
                let noise: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
                let share = [0.0, 0.1, 1.0][stream.below(3)];
                columns.push(match at {
                    0 => noise,
                    _ => {
                        let earlier = &columns[stream.below(at)];
                        earlier.iter().zip(&noise).map(|(e, o)| e + share * o).collect()
                    }
                });
            }
            let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let units = Units::of(&slices).unwrap();
            // Of few different sizes, so that scores are often equal.
            let relevance: Vec<f64> =
                (0..p).map(|_| [0.1, 0.5, 3.0, f64::INFINITY][stream.below(4)]).collect();
            for form in [Form::Quotient, Form::Difference] {
                let found = taken(&relevance, &units, 32, form);
                assert_eq!(found, taken_plainly(&relevance, &units, 32, form), "{seed}");
            }
        }
    }

    const OUTCOME: [bool; 6] = [false, false, false, true, true, true];
    const STRONG: &[f64] = &[0.0, 0.2, 0.1, 1.0, 1.2, 0.9];
    const OTHER: &[f64] = &[0.3, 0.0, 0.9, 0.8, 1.4, 0.2];

    #[test]
    fn a_copy_waits_for_what_says_more() {
        let constant: &[f64] = &[4.0; 6];
        let even: &[f64] = &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0];
        let columns = [constant, STRONG, STRONG, even, OTHER];
        // F = 0 in `even`; the copy has r̄ = 1 and far more relevance than the weak one.
        assert_eq!(rank(&columns, &OUTCOME, &Mrmr::default()), [1, 2, 4]);
        let difference = Mrmr { form: Form::Difference, ..Mrmr::default() };
        assert_eq!(rank(&columns, &OUTCOME, &difference), [1, 2, 4]);
    }

    #[test]
    fn smaller_k_are_prefixes() {
        let mut stream = Stream::new(1, &["mrmr"]);
        let columns: Vec<Vec<f64>> =
            (0..90).map(|_| (0..6).map(|_| stream.normal()).collect()).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let deep = rank(&columns, &OUTCOME, &Mrmr { k: 80, ..Mrmr::default() });
        let shallow = rank(&columns, &OUTCOME, &Mrmr { k: 3, ..Mrmr::default() });
        assert_eq!((deep.len(), shallow.len()), (90, 32));
        assert_eq!(deep[..32], shallow);
        let fitted = |k| Mrmr { k, ..Mrmr::default() }.as_fitted().k;
        assert_eq!([1, 8, 32, 33, 64, 65].map(fitted), [32, 32, 32, 64, 64, 128]);
    }

    #[test]
    fn perfect_columns_are_taken_in_table_order() {
        let perfect: &[f64] = &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        let columns = [OTHER, perfect, STRONG, perfect];
        let ranking = rank(&columns, &OUTCOME, &Mrmr::default());
        assert_eq!(ranking[..2], [1, 3]);
        assert_eq!(ranking.len(), 4);
    }
}
