//! Where the columns that reach a learner come from: each from one predictor, by a chain of changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::external::Part;
use super::splits::{acts_on, apply_step};
use crate::data::{FrameColumn, Frozen, Rows};
use crate::operation::{Change, Instance};
use crate::spec::Use;

/// A column that reaches the learner.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    pub name: String,
    /// Position among the predictors.
    pub from: usize,
    /// In the order in which they are made.
    pub changes: Vec<Change>,
}

impl Trail {
    /// What the column is for a value of its predictor.
    pub fn of(&self, value: f64, categories: Option<&[String]>) -> f64 {
        self.changes.iter().fold(value, |value, change| change.of(value, categories))
    }
}

/// The predictors of a frozen model, without rows.
pub fn without_rows(frozen: &Frozen) -> Rows {
    let columns = frozen.columns.iter();
    rows_of(columns.map(|column| (column.name.as_str(), column.categories.as_deref())))
}

/// Columns by name, with the categories of those that have such.
pub fn rows_of<'a>(
    columns: impl Iterator<Item = (&'a str, Option<&'a [String]>)>,
) -> Rows {
    let mut categories = BTreeMap::new();
    let named = columns.map(|(name, of)| {
        if let Some(of) = of {
            categories.insert(name.to_string(), of.to_vec());
        }
        FrameColumn { name: name.into(), values: Vec::new() }
    });
    let named = named.collect();
    Rows::new(named, 0).with_categories(categories)
}

/// The trails of a fitted candidate. `columns`: the predictors, without rows. The error names the
/// step that has no such formulas.
pub fn trails(part: &Part<'_>, columns: &Rows) -> Result<Vec<Trail>, &'static str> {
    let mut rows = columns.clone();
    let mut trails: Vec<Trail> = rows
        .columns()
        .iter()
        .enumerate()
        .map(|(from, column)| Trail {
            name: column.name.to_string(),
            from,
            changes: Vec::new(),
        })
        .collect();
    let prepare = part.prepare.steps.iter().zip(&part.of.prepare);
    let select = part.select.steps.iter().zip(&part.of.select);
    for (step, state) in prepare.chain(select) {
        trails = after(step, state, &mut rows, &trails).ok_or(step.about.name)?;
    }
    Ok(trails)
}

fn after(
    step: &Use,
    state: &[u8],
    rows: &mut Rows,
    trails: &[Trail],
) -> Option<Vec<Trail>> {
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps into chains")
    };
    let (mut acted, _) = rows.clone().take_out(|column| acts_on(step, column));
    let formulas = instance.formulas(state, &acted)?;
    let before: Vec<Arc<str>> = acted.columns().iter().map(|c| c.name.clone()).collect();
    instance.apply(state, &mut acted).ok()?;
    if formulas.len() != acted.p() {
        return None;
    }
    let made: BTreeMap<&str, (&Arc<str>, &Change)> = acted
        .columns()
        .iter()
        .zip(&formulas)
        .map(|(column, of)| (&*column.name, (&before[of.from], &of.change)))
        .collect();
    apply_step(step, state, rows).ok()?;
    let known: BTreeMap<&str, &Trail> =
        trails.iter().map(|trail| (trail.name.as_str(), trail)).collect();
    let trail = |name: &str| {
        let Some((from, change)) = made.get(name) else {
            return known.get(name).map(|trail| (*trail).clone());
        };
        let mut trail = (*known.get(&***from)?).clone();
        trail.name = name.to_string();
        if **change != Change::Same {
            trail.changes.push((*change).clone());
        }
        Some(trail)
    };
    rows.columns().iter().map(|column| trail(&column.name)).collect()
}
