//! Dealing groups into folds: what the resampling schemes share.

use crate::data::{Population, Split};
use crate::math::Stream;
use crate::operation::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is kept in equal shares over the folds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stratify {
    /// The share of positives.
    #[default]
    Outcome,
    /// Nothing.
    None,
}

/// What stays on one side of a split.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// All rows of a patient.
    #[default]
    Subject,
    /// Each row by itself. Refused where a patient has several rows.
    Row,
}

/// Rows that move together, with the class they count for.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Positions in the population.
    pub members: Vec<usize>,
    /// Whether any of its rows is positive.
    pub positive: bool,
}

/// The units of a population, in order of their first row.
pub fn units(population: &Population, group: Group) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut unit_of = std::collections::BTreeMap::new();
    for (position, &positive) in population.outcome.iter().enumerate() {
        let name = match group {
            Group::Subject => population.subjects[position] as usize,
            Group::Row => position,
        };
        let at = *unit_of.entry(name).or_insert_with(|| {
            units.push(Unit { members: Vec::new(), positive: false });
            units.len() - 1
        });
        units[at].members.push(position);
        units[at].positive |= positive;
    }
    units
}

/// The fold of each unit: shuffled within strata, then dealt in turn, so that fold sizes differ
/// by one at most, in each stratum and in all.
pub fn deal(
    units: &[&Unit],
    n_folds: usize,
    stratify: Stratify,
    stream: &mut Stream,
) -> Vec<usize> {
    let mut strata: Vec<Vec<usize>> = match stratify {
        Stratify::None => vec![(0..units.len()).collect()],
        Stratify::Outcome => {
            let of = |class: bool| {
                (0..units.len()).filter(move |&unit| units[unit].positive == class)
            };
            vec![of(true).collect(), of(false).collect()]
        }
    };
    let mut fold_of = vec![0; units.len()];
    // The next stratum goes on where the last one ended, so that sizes stay even over all.
    let mut next = 0;
    for stratum in &mut strata {
        stream.shuffle(stratum);
        for &unit in stratum.iter() {
            fold_of[unit] = next % n_folds;
            next += 1;
        }
    }
    fold_of
}

/// Whether each class has at least one unit per fold.
pub fn enough(units: &[&Unit], n_folds: usize) -> Result<(), Failure> {
    let positive = units.iter().filter(|unit| unit.positive).count();
    let smaller = positive.min(units.len() - positive);
    match smaller >= n_folds {
        true => Ok(()),
        false => Err(Failure::TooFew { needed: n_folds, found: smaller }),
    }
}

/// The split that holds out the units of one fold, as cohort rows.
pub fn hold_out(
    units: &[&Unit],
    held: impl Fn(usize) -> bool,
    population: &Population,
) -> Split {
    let mut split = Split { train: Vec::new(), held_out: Vec::new() };
    for (position, unit) in units.iter().enumerate() {
        let side = if held(position) { &mut split.held_out } else { &mut split.train };
        side.extend(unit.members.iter().map(|&member| population.rows[member]));
    }
    split.train.sort_unstable();
    split.held_out.sort_unstable();
    split
}

/// The inner splits of these training units.
pub fn inner(
    units: &[&Unit],
    n_folds: usize,
    stratify: Stratify,
    population: &Population,
    stream: &mut Stream,
) -> Result<Vec<Split>, Failure> {
    enough(units, n_folds)?;
    let fold_of = deal(units, n_folds, stratify, stream);
    let split = |fold: usize| hold_out(units, |unit| fold_of[unit] == fold, population);
    Ok((0..n_folds).map(split).collect())
}
