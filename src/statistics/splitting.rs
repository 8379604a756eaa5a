//! Dealing groups into folds: what the resampling schemes share.

use crate::data::{Population, Split};
use crate::math::Stream;
use crate::operation::{Failure, Names};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is kept in equal shares over the folds: `outcome`, columns of the cohort, or `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Stratify(Names);

impl Default for Stratify {
    fn default() -> Self {
        Self(Names(vec!["outcome".to_string()]))
    }
}

impl Stratify {
    /// The columns of the cohort among what is kept in equal shares.
    pub fn columns(&self) -> Vec<String> {
        let own = ["outcome", "none"];
        self.0.0.iter().filter(|name| !own.contains(&name.as_str())).cloned().collect()
    }

    fn by_outcome(&self) -> bool {
        self.0.0.iter().any(|name| name == "outcome")
    }
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
    /// What it is alike in to others of its stratum.
    pub stratum: Vec<String>,
}

/// The units of a population, in order of their first row.
pub fn units(population: &Population, group: Group, stratify: &Stratify) -> Vec<Unit> {
    let columns = stratify.columns();
    let mut units: Vec<Unit> = Vec::new();
    let mut unit_of = std::collections::BTreeMap::new();
    for (position, &positive) in population.outcome.iter().enumerate() {
        let name = match group {
            Group::Subject => population.subjects[position] as usize,
            Group::Row => position,
        };
        let at = *unit_of.entry(name).or_insert_with(|| {
            let cell = |name: &String| {
                let cells = population.column(name);
                cells.map_or(String::new(), |cells| cells[position].clone())
            };
            let stratum = columns.iter().map(cell).collect();
            units.push(Unit { members: Vec::new(), positive: false, stratum });
            units.len() - 1
        });
        units[at].members.push(position);
        units[at].positive |= positive;
    }
    units
}

/// Units by stratum: positive ones first, then by the columns' values.
pub fn strata(units: &[&Unit], stratify: &Stratify) -> Vec<Vec<usize>> {
    let mut strata = std::collections::BTreeMap::<(bool, &[String]), Vec<usize>>::new();
    for (position, unit) in units.iter().enumerate() {
        let negative = stratify.by_outcome() && !unit.positive;
        strata.entry((negative, &unit.stratum)).or_default().push(position);
    }
    strata.into_values().collect()
}

/// The fold of each unit: shuffled within strata, then dealt in turn, so that fold sizes differ
/// by one at most, in each stratum and in all.
pub fn deal(
    units: &[&Unit],
    n_folds: usize,
    stratify: &Stratify,
    stream: &mut Stream,
) -> Vec<usize> {
    let mut fold_of = vec![0; units.len()];
    // The next stratum goes on where the last one ended, so that sizes stay even over all.
    let mut next = 0;
    for mut stratum in strata(units, stratify) {
        stream.shuffle(&mut stratum);
        for unit in stratum {
            fold_of[unit] = next % n_folds;
            next += 1;
        }
    }
    fold_of
}

/// Whether each class has at least one unit per fold.
pub fn enough(units: &[&Unit], n_folds: usize) -> Result<(), Failure> {
    let n_positive = units.iter().filter(|unit| unit.positive).count();
    let n_negative = units.len() - n_positive;
    let (found, positive) = match n_positive <= n_negative {
        true => (n_positive, true),
        false => (n_negative, false),
    };
    match found >= n_folds {
        true => Ok(()),
        false => Err(Failure::TooFewForFolds {
            needed: n_folds,
            found,
            positive,
            held_out: None,
        }),
    }
}

/// The same failure, where `what` is held out.
pub fn where_held_out(failure: Failure, what: String) -> Failure {
    match failure {
        Failure::TooFewForFolds { needed, found, positive, .. } => {
            Failure::TooFewForFolds { needed, found, positive, held_out: Some(what) }
        }
        other => other,
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
    stratify: &Stratify,
    population: &Population,
    stream: &mut Stream,
) -> Result<Vec<Split>, Failure> {
    enough(units, n_folds)?;
    let fold_of = deal(units, n_folds, stratify, stream);
    let split = |fold: usize| hold_out(units, |unit| fold_of[unit] == fold, population);
    Ok((0..n_folds).map(split).collect())
}
