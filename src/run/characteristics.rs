//! Table 1: the variables of the study, and what it divides by, by cohort and class.

use std::collections::{BTreeMap, BTreeSet};

use super::dividing::{Dividing, dividing};
use super::record::Found;
use crate::data::{CharacteristicFacts, DIVIDING, Frame, LevelFacts, Share, Value};
use crate::math;
use crate::plan::{Plan, Work};
use crate::spec::{Block, BlockKind, Study};
use crate::statistics::standardised_difference;
use crate::survey::Survey;

/// Variables of the table; the rest are predictors in their own table.
const MOST: usize = 40;

/// Of what is not clinical, beside what is and without it: readers look for patients here, not for
/// textures.
const BESIDE_CLINICAL: usize = 10;
const NOT_CLINICAL: usize = 20;

/// A column in the cohorts that have it.
struct Variable<'a> {
    block: String,
    name: String,
    unit: Option<String>,
    cells: BTreeMap<usize, (&'a [f64], Option<&'a [String]>)>,
}

/// The columns of table blocks, and those of sites, strata and subgroups, in every cohort that was analysed,
/// the headline's first.
pub fn characteristics(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
) -> Vec<CharacteristicFacts> {
    let cohorts = analysed_cohorts(plan, found);
    let divided = dividing(study, survey, &cohorts);
    let protects = study.smallest_cell().is_some();
    let development = plan.analyses.first().map(|a| plan.cases[a.case].cohort);
    let classes: BTreeMap<usize, Vec<Option<bool>>> = match study.outcomes.is_empty() {
        true => BTreeMap::new(),
        false => {
            let of = |cohort: &usize| {
                let rows = survey.cohorts[&study.cohorts[*cohort].name].rows.len();
                let known = classes(study, survey, plan, found, (0, *cohort));
                (*cohort, known.unwrap_or_else(|| vec![None; rows]))
            };
            cohorts.iter().map(of).collect()
        }
    };
    let mut table = Vec::new();
    for variable in variables(study, survey, plan, found, &divided) {
        table.extend(rows_of(
            &variable,
            study,
            &cohorts,
            development,
            &classes,
            protects,
        ));
    }
    table
}

/// The cohorts with predictors, the headline's first.
pub fn analysed_cohorts(plan: &Plan, found: &Found) -> Vec<usize> {
    let development = plan.analyses.first().map(|a| plan.cases[a.case].cohort);
    let mut cohorts: Vec<usize> =
        frames(plan, found).into_keys().map(|(_, cohort)| cohort).collect();
    cohorts.sort_by_key(|cohort| (Some(*cohort) != development, *cohort));
    cohorts.dedup();
    cohorts
}

/// The predictors of every block and cohort.
pub fn frames<'a>(plan: &Plan, found: &'a Found) -> BTreeMap<(usize, usize), &'a Frame> {
    let mut frames = BTreeMap::new();
    for (node, value) in found {
        if let (Work::Frame { cohort, block }, Value::Frame(frame)) =
            (&plan.graph[*node].work, value)
        {
            frames.insert((*block, *cohort), frame);
        }
    }
    frames
}

/// What is known of an outcome in a cohort, as it was surveyed or opened later; none where nobody asked.
pub fn classes(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
    (outcome, cohort): (usize, usize),
) -> Option<Vec<Option<bool>>> {
    let place =
        (study.outcomes[outcome].name.clone(), study.cohorts[cohort].name.clone());
    if let Some(known) = survey.outcomes.get(&place) {
        return Some(known.classes.to_vec());
    }
    let opened = plan.external.iter().find(|external| {
        let case = plan.cases[external.case];
        (case.outcome, case.cohort) == (outcome, cohort)
    })?;
    match found.get(&opened.opened) {
        Some(Value::Opened(called)) => {
            Some(called.calls.iter().map(|call| call.class()).collect())
        }
        _ => None,
    }
}

/// What the table has: columns that divide, clinical ones, and some of the others. What divides and is a
/// predictor too stands there among its block.
fn variables<'a>(
    study: &'a Study,
    survey: &'a Survey,
    plan: &Plan,
    found: &'a Found,
    divided: &'a [Dividing],
) -> Vec<Variable<'a>> {
    let frames = frames(plan, found);
    let cohorts = analysed_cohorts(plan, found);
    let divides = |block: &Block, at: usize| {
        let column = survey.columns.get(&block.name).and_then(|columns| columns.get(at));
        column.is_some_and(|column| {
            let place = Some((column.source.clone(), column.column.clone()));
            divided.iter().any(|known| known.place == place)
        })
    };
    let blocks = study.predictors.iter().enumerate();
    let columns = blocks.filter(|(_, block)| {
        matches!(block.kind, BlockKind::Columns { .. }) && !study.repeats(block)
    });
    let (clinical, others): (Vec<_>, Vec<_>) = columns.partition(|(_, b)| !b.measured());
    let begun = clinical.len();
    let mut left = MOST;
    let mut variables: Vec<Variable<'a>> = Vec::new();
    let mut among: BTreeSet<(String, String)> = BTreeSet::new();
    for (nth, (position, block)) in clinical.into_iter().chain(others).enumerate() {
        if nth == begun {
            left = left.min(if nth > 0 { BESIDE_CLINICAL } else { NOT_CLINICAL });
        }
        let of = |cohort: &usize| frames.get(&(position, *cohort)).copied();
        let Some(first) = cohorts.iter().find_map(of) else { continue };
        let declared = survey.columns.get(&block.name);
        for (at, column) in first.rows.columns().iter().enumerate() {
            if left == 0 && !divides(block, at) {
                continue;
            }
            left = left.saturating_sub(1);
            let known = declared.and_then(|columns| columns.get(at));
            among.extend(known.map(|of| (of.source.clone(), of.column.clone())));
            let cells = cohorts.iter().filter_map(|cohort| {
                let rows = &of(cohort)?.rows;
                let here = rows.columns().iter().find(|of| of.name == column.name)?;
                let names = rows.categories(&column.name);
                Some((*cohort, (here.values.as_slice(), names)))
            });
            variables.push(Variable {
                block: block.name.clone(),
                name: column.name.to_string(),
                unit: known.and_then(|column| column.unit.clone()),
                cells: cells.collect(),
            });
        }
    }
    let is_predictor =
        |of: &&Dividing| of.place.as_ref().is_some_and(|place| among.contains(place));
    let further = divided.iter().filter(|of| !is_predictor(of)).map(|of| Variable {
        block: DIVIDING.to_string(),
        name: of.name.clone(),
        unit: None,
        cells: of
            .cells
            .iter()
            .map(|(cohort, cells)| {
                (*cohort, (cells.values.as_slice(), cells.names.as_deref()))
            })
            .collect(),
    });
    let mut all: Vec<Variable<'a>> = further.collect();
    all.append(&mut variables);
    all
}

/// The rows of one variable: by cohort over all and by class.
fn rows_of(
    variable: &Variable<'_>,
    study: &Study,
    cohorts: &[usize],
    development: Option<usize>,
    classes: &BTreeMap<usize, Vec<Option<bool>>>,
    protects: bool,
) -> Vec<CharacteristicFacts> {
    let here = |cohort: usize| variable.cells.get(&cohort).copied();
    // Each cohort numbers its own categories: what they have in common is the names.
    let levels: BTreeSet<&String> =
        variable.cells.values().filter_map(|(_, names)| *names).flatten().collect();
    let levels: Vec<&String> = levels.into_iter().collect();
    let counts = |cohort: usize| -> Option<Vec<usize>> {
        let (values, names) = here(cohort)?;
        Some(per_level(values, names?, &levels))
    };
    let moments = |cohort: usize| -> Option<(f64, f64)> {
        let known = here(cohort)?.0.iter().copied().filter(|value| !value.is_nan());
        let known: Vec<f64> = known.collect();
        Some((math::mean(&known)?, math::variance(&known)?))
    };
    let mut table = Vec::new();
    for cohort in cohorts {
        let Some((values, own_names)) = here(*cohort) else { continue };
        let grid = protects.then(|| Grid::of(values));
        let smd = development.filter(|own| own != cohort).and_then(|own| {
            if own_names.is_some() {
                return standardised_difference(&counts(*cohort)?, &counts(own)?);
            }
            let ((a, u), (b, v)) = (moments(*cohort)?, moments(own)?);
            let pooled = math::sqrt((u + v) / 2.0);
            (pooled > 0.0).then(|| (a - b) / pooled)
        });
        let known = classes.get(cohort);
        // A cohort that another outcome is asked of has no classes here.
        let told = known.is_some_and(|known| known.iter().any(Option::is_some));
        for class in [None, Some(true), Some(false)] {
            if class.is_some() && !told {
                continue;
            }
            let inside: Vec<f64> = values
                .iter()
                .enumerate()
                .filter(|(row, _)| {
                    class.is_none() || known.and_then(|k| *k.get(*row)?) == class
                })
                .map(|(_, value)| *value)
                .collect();
            table.push(CharacteristicFacts {
                block: variable.block.clone(),
                variable: variable.name.clone(),
                unit: variable.unit.clone(),
                cohort: study.cohorts[*cohort].name.clone(),
                class,
                smd_to_development: smd.filter(|_| class.is_none()),
                ..match own_names {
                    Some(own) => by_level(&inside, own, &levels),
                    None => match &grid {
                        Some(grid) => grid.only(described(&inside)),
                        None => described(&inside),
                    },
                }
            });
        }
    }
    table
}

/// The values that a column can take, as far as those that it takes tell.
struct Grid {
    /// The least value, and how far its neighbours lie apart where all are whole multiples of that.
    steps: Option<(f64, f64)>,
    decimals: usize,
}

impl Grid {
    fn of(values: &[f64]) -> Self {
        let mut known: Vec<f64> =
            values.iter().copied().filter(|value| value.is_finite()).collect();
        known.sort_by(f64::total_cmp);
        known.dedup();
        let apart = known.windows(2).map(|two| two[1] - two[0]);
        let step = apart.fold(f64::INFINITY, f64::min);
        let from = known.first().copied().filter(|_| step.is_finite());
        let steps = from.map(|from| (from, step)).filter(|(from, step)| {
            let times = known.iter().map(|value| (value - from) / step);
            times.into_iter().all(|times| (times - times.round()).abs() < 1e-6)
        });
        let decimals = |value: &f64| {
            value.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len())
        };
        Self { steps, decimals: known.iter().map(decimals).max().unwrap_or(0) }
    }

    /// The same with quartiles that values of the column can be: one that lies between two of them tells
    /// by what share it does so how many values there are, and so how many are missing.
    fn only(&self, facts: CharacteristicFacts) -> CharacteristicFacts {
        let nearest = |value: f64| {
            let stepped = self.steps.map_or(value, |(from, step)| {
                // Half-way goes down, so that it is the same for all that are half-way.
                from + ((value - from) / step - 0.5).ceil() * step
            });
            format!("{stepped:.*}", self.decimals).parse().unwrap_or(value)
        };
        CharacteristicFacts {
            median: facts.median.map(nearest),
            lower_quartile: facts.lower_quartile.map(nearest),
            upper_quartile: facts.upper_quartile.map(nearest),
            ..facts
        }
    }
}

/// Counts and quartiles of the values; those that are no number are missing.
fn described(values: &[f64]) -> CharacteristicFacts {
    let mut known: Vec<f64> =
        values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let binary = !known.is_empty() && known.iter().all(|v| *v == 0.0 || *v == 1.0);
    let at = |share: f64| math::quantile_of_sorted(&known, share).filter(|_| !binary);
    let missing = values.len() - known.len();
    let ones = binary.then(|| known.iter().filter(|value| **value == 1.0).count());
    CharacteristicFacts {
        block: String::new(),
        variable: String::new(),
        unit: None,
        cohort: String::new(),
        class: None,
        rows: values.len().into(),
        missing: missing.into(),
        missing_percent: percent(missing, values.len()),
        median: at(0.5),
        lower_quartile: at(0.25),
        upper_quartile: at(0.75),
        ones,
        ones_percent: ones.and_then(|ones| percent(ones, known.len())),
        levels: Vec::new(),
        smd_to_development: None,
    }
}

/// Counts and shares of categories; values are positions among `own`.
fn by_level(values: &[f64], own: &[String], levels: &[&String]) -> CharacteristicFacts {
    let counts = per_level(values, own, levels);
    let shares = shares(&counts);
    let levels = levels.iter().zip(shares);
    CharacteristicFacts {
        median: None,
        lower_quartile: None,
        upper_quartile: None,
        ones: None,
        ones_percent: None,
        levels: levels
            .map(|(name, share)| LevelFacts { name: (*name).clone(), share })
            .collect(),
        ..described(values)
    }
}

/// How many of the values are each of the levels; values are positions among `own`.
pub fn per_level(values: &[f64], own: &[String], levels: &[&String]) -> Vec<usize> {
    let mut counts = vec![0; levels.len()];
    for value in values.iter().filter(|value| !value.is_nan()) {
        let name = own.get(*value as usize);
        if let Some(at) = levels.iter().position(|level| Some(*level) == name) {
            counts[at] += 1;
        }
    }
    counts
}

/// Counts with their shares of all of them.
pub fn shares(counts: &[usize]) -> Vec<Share> {
    let all: usize = counts.iter().sum();
    let share = |n: &usize| Share { n: (*n).into(), percent: percent(*n, all) };
    counts.iter().map(share).collect()
}

/// So many of so many. Units: %.
pub fn percent(n: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| 100.0 * n as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use super::{Grid, by_level, described};
    use crate::data::Share;

    #[test]
    fn quartiles_shares_and_what_is_missing() {
        let facts = described(&[1.0, 2.0, f64::NAN, 3.0, 4.0, 5.0]);
        assert!(facts.rows == 6 && facts.missing == 1 && facts.ones.is_none());
        assert!((facts.missing_percent.unwrap() - 100.0 / 6.0).abs() < 1e-12);
        assert_eq!(facts.median, Some(3.0));
        assert_eq!((facts.lower_quartile, facts.upper_quartile), (Some(2.0), Some(4.0)));
        let facts = described(&[1.0, 0.0, 1.0]);
        assert_eq!((facts.ones, facts.median), (Some(2), None));
        // Of the rows that have a value.
        let facts = described(&[1.0, 0.0, f64::NAN]);
        assert_eq!((facts.ones, facts.ones_percent), (Some(1), Some(50.0)));
        let facts = described(&[f64::NAN]);
        assert!(facts.rows == 1 && facts.missing == 1 && facts.median.is_none());
    }

    #[test]
    fn quartiles_do_not_tell_of_how_many_values_they_are() {
        // Of four whole numbers the lower quartile lies three quarters of the way.
        let values = [1.0, 2.0, 3.0, 4.0];
        let facts = Grid::of(&values).only(described(&values));
        assert_eq!((facts.lower_quartile, facts.median), (Some(2.0), Some(2.0)));
        assert_eq!(facts.upper_quartile, Some(3.0));
        let halves = [0.5, 1.0, 2.5, 2.0];
        let facts = Grid::of(&halves).only(described(&halves));
        assert!(
            [facts.lower_quartile, facts.median, facts.upper_quartile]
                .iter()
                .all(|value| value.is_some_and(|value| (value * 2.0).fract() == 0.0))
        );
        let tenths = [0.3, 0.5, 1.4, 2.0, 7.1, 9.6];
        let facts = Grid::of(&tenths).only(described(&tenths));
        let decimals = |value: f64| value.to_string().len() <= 3;
        assert!(
            facts.median.is_some_and(decimals)
                && facts.upper_quartile.is_some_and(decimals)
        );
        assert_eq!(Grid::of(&[2.0]).only(described(&[2.0])).median, Some(2.0));
    }

    #[test]
    fn categories_are_counted_by_name_whatever_their_number() {
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_string()).collect()
        };
        let all = names(&["female", "male", "unclear"]);
        let levels: Vec<&String> = all.iter().collect();
        // Here "male" is 0, as nobody is anything else.
        let facts = by_level(&[0.0, 0.0, f64::NAN], &names(&["male"]), &levels);
        assert!(facts.rows == 3 && facts.missing == 1);
        assert!(facts.ones.is_none() && facts.median.is_none());
        let found: Vec<(&str, usize, f64)> = facts
            .levels
            .iter()
            .map(|level| {
                let Share { n, percent } = level.share;
                (level.name.as_str(), n.known().unwrap(), percent.unwrap())
            })
            .collect();
        assert_eq!(found, [("female", 0, 0.0), ("male", 2, 100.0), ("unclear", 0, 0.0)]);
        let none = by_level(&[f64::NAN], &names(&["male"]), &levels);
        assert!(none.levels.iter().all(|level| level.share.percent.is_none()));
    }
}
