//! Where the columns that reach a learner come from: each from one predictor, by a chain of changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::external::Part;
use crate::data::{FrameColumn, Frozen, Link, Rows, Transform};
use crate::math::trees::At;
use crate::math::{yeo_johnson, yeo_johnson_of};
use crate::operation::{Change, Form, Instance};
use crate::spec::Use;

/// A column that reaches the learner.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    pub name: String,
    /// Position among the predictors.
    pub from: usize,
    /// In the order in which they are made.
    pub changes: Vec<Change>,
    /// Whether anything that is said of a row depends on it: a coefficient may be 0, trees may never ask
    /// for it, and then it decides nothing.
    pub counts: bool,
}

impl Trail {
    /// What the column is for a value of its predictor.
    pub fn of(&self, value: f64, categories: Option<&[String]>) -> f64 {
        self.changes.iter().fold(value, |value, change| change.of(value, categories))
    }

    /// Whether nothing is missing from the column, whatever is missing from the predictor.
    pub fn fills(&self) -> bool {
        let fills = |of: &Change| matches!(of, Change::Filled { .. } | Change::IsMissing);
        self.changes.iter().any(fills)
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

/// The trails of a fitted candidate. The error names the step that has no such formulas.
pub type Trails = Result<Vec<Trail>, &'static str>;

/// `columns`: the predictors, without rows. None reaches the null model, whatever its steps would say.
pub fn trails(part: &Part<'_>, columns: &Rows) -> Trails {
    if part.of.is_null() {
        return Ok(Vec::new());
    }
    let mut rows = columns.clone();
    let prepare = part.prepare.steps.iter().zip(&part.of.prepare);
    let select = part.select.steps.iter().zip(&part.of.select);
    let mut made = Vec::new();
    for (step, state) in prepare.chain(select) {
        made.push((
            step.about.name,
            after(step, state, &mut rows).ok_or(step.about.name)?,
        ));
    }
    // Most predictors reach no learner, so the way is gone back from those columns that do.
    let columns = columns.columns().iter().enumerate();
    let first: HashMap<&str, usize> =
        columns.map(|(from, column)| (&*column.name, from)).collect();
    let trail = |column: &Arc<FrameColumn>| {
        let mut name = &column.name;
        let mut changes = Vec::new();
        for (_, made) in made.iter().rev() {
            if let Some((from, change)) = made.get(name) {
                name = from;
                changes.extend(Some(change).filter(|of| **of != Change::Same).cloned());
            }
        }
        changes.reverse();
        let from = first.get(&**name).copied();
        let unknown = made.last().map_or("", |(step, _)| *step);
        let from = from.ok_or(unknown)?;
        Ok(Trail { name: column.name.to_string(), from, changes, counts: true })
    };
    let mut trails = rows.columns().iter().map(trail).collect::<Trails>()?;
    let asked = asked(part);
    for (at, trail) in trails.iter_mut().enumerate() {
        // Where a gap would stay, a subject who has one is refused.
        let decides = |asked: &BTreeSet<usize>| asked.contains(&at) || !trail.fills();
        trail.counts = asked.as_ref().is_none_or(decides);
    }
    Ok(trails)
}

/// The places of the columns that a fitted learner asks for; none where it may be all.
fn asked(part: &Part<'_>) -> Option<BTreeSet<usize>> {
    let Instance::Learner(learner) = &part.learner.instance else {
        unreachable!("`spec` puts learners here")
    };
    match learner.form(&part.of.model) {
        Ok(Form::Constant(_)) => Some(BTreeSet::new()),
        Ok(Form::Linear { weights, .. }) => {
            Some((0..weights.len()).filter(|at| weights[*at] != 0.0).collect())
        }
        Ok(Form::Trees { trees, .. }) => {
            let splits = (0..trees.n_nodes()).filter_map(|node| match trees.node(node) {
                At::Split { column, .. } => Some(column),
                At::Leaf(_) => None,
            });
            Some(splits.collect())
        }
        Ok(Form::Kernel { .. } | Form::Opaque) | Err(_) => None,
    }
}

/// By column that a step makes: the column that it is made from, and how.
type Made = HashMap<Arc<str>, (Arc<str>, Change)>;

/// What a step makes of the columns that it acts on; the others stay. `rows` become what they are after
/// it. Nothing where no formulas say so.
fn after(step: &Use, state: &[u8], rows: &mut Rows) -> Option<Made> {
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps into chains")
    };
    let (mut acted, place) = rows.take_out(|column| step.acts_on(column));
    let formulas = instance.formulas(state, &acted)?;
    let before: Vec<Arc<str>> = acted.columns().iter().map(|c| c.name.clone()).collect();
    instance.apply(state, &mut acted).ok()?;
    if formulas.len() != acted.p() {
        return None;
    }
    let columns = acted.columns().iter().zip(formulas);
    let made = columns
        .map(|(column, of)| (column.name.clone(), (before[of.from].clone(), of.change)))
        .collect();
    rows.put_in(acted, place);
    Some(made)
}

/// A trail as times · transform + plus.
pub struct Straight {
    pub transform: Transform,
    times: f64,
    plus: f64,
    /// What stands for a missing value.
    pub missing_is: Option<f64>,
}

impl Straight {
    /// Whether nothing has come after a transformation of Yeo and Johnson. What centres and scales
    /// it then belongs to it: on its own it may be the same for all values in all but the last digits.
    fn is_bare_power(&self) -> bool {
        let bare = matches!(
            self.transform,
            Transform::YeoJohnson { centre: 0.0, scale: 1.0, .. }
        );
        bare && self.times == 1.0 && self.plus == 0.0
    }

    /// What stands in place of a missing value where the column is this: a value of the predictor, or of
    /// an indicator 0 or 1. None where nothing does.
    fn standing_for(&self, column: f64) -> Option<f64> {
        if self.times == 0.0 {
            // Any value does, if it is the one that all have.
            return (column == self.plus).then_some(0.0);
        }
        let of = (column - self.plus) / self.times;
        match self.transform {
            Transform::Value => Some(of),
            Transform::Is { .. } | Transform::IsMissing => {
                [0.0, 1.0].into_iter().find(|known| (known - of).abs() < 1e-9)
            }
            Transform::YeoJohnson { slope, intercept, lambda, centre, scale } => {
                let power = of * scale + centre;
                let within = yeo_johnson_of(power, lambda);
                let again = (yeo_johnson(within, lambda) - centre) / scale;
                // A power of which nearly all digits agree cannot be undone.
                let near = (again - of).abs() < 1e-9 * (1.0 + of.abs());
                (near && slope != 0.0).then(|| (within - intercept) / slope)
            }
        }
    }
}

/// Fails where no equation shows what happens to the predictor.
pub fn straight(trail: &Trail) -> Result<Straight, String> {
    let mut made =
        Straight { transform: Transform::Value, times: 1.0, plus: 0.0, missing_is: None };
    let refused =
        || format!("`{}` is transformed in a way that no equation shows", trail.name);
    for change in &trail.changes {
        let untouched = made.transform == Transform::Value;
        let is_indicator =
            matches!(made.transform, Transform::Is { .. } | Transform::IsMissing);
        match change {
            // Nothing is missing from a column that says what is missing, nor twice.
            Change::Filled { .. }
                if made.transform == Transform::IsMissing
                    || made.missing_is.is_some() => {}
            Change::Filled { with } => {
                made.missing_is = Some(made.standing_for(*with).ok_or_else(refused)?);
            }
            // Whatever came before has left missing what was missing, or has filled it in.
            Change::IsMissing if made.transform == Transform::IsMissing => {
                (made.times, made.plus) = (0.0, 0.0);
            }
            Change::IsMissing => {
                let times = if made.missing_is.is_some() { 0.0 } else { 1.0 };
                made = Straight {
                    transform: Transform::IsMissing,
                    times,
                    plus: 0.0,
                    missing_is: None,
                };
            }
            // Of two values any change makes two others: a straight line.
            change if is_indicator => {
                let (zero, one) =
                    (change.of(made.plus, None), change.of(made.times + made.plus, None));
                (made.times, made.plus) = (one - zero, zero);
            }
            Change::YeoJohnson { lambda } if untouched && *lambda != 1.0 => {
                made.transform = Transform::YeoJohnson {
                    slope: made.times,
                    intercept: made.plus,
                    lambda: *lambda,
                    centre: 0.0,
                    scale: 1.0,
                };
                (made.times, made.plus) = (1.0, 0.0);
            }
            Change::Is { category, .. } if untouched => {
                made.transform = Transform::Is { category: category.clone() };
            }
            Change::Scaled { centre, spread }
                if *spread != 0.0 && made.is_bare_power() =>
            {
                let Transform::YeoJohnson { centre: from, scale, .. } =
                    &mut made.transform
                else {
                    unreachable!("it is a power")
                };
                (*from, *scale) = (*centre, *spread);
            }
            Change::Scaled { centre, spread } if *spread != 0.0 => {
                made.times /= spread;
                made.plus = (made.plus - centre) / spread;
            }
            other => {
                let (slope, intercept) = other.straight().ok_or_else(refused)?;
                made.times *= slope;
                made.plus = made.plus * slope + intercept;
            }
        }
    }
    Ok(made)
}

/// Intercept and coefficients of a linear learner on the scale in which predictors are measured, or that
/// of their transforms.
///
/// Decision values go through a map to log odds, a straight line as well.
pub fn on_raw_scale(
    terms: &[Straight],
    weights: &[f64],
    intercept: f64,
    link: Option<Link>,
) -> (f64, Vec<f64>) {
    let Link { slope, intercept: moved } =
        link.unwrap_or(Link { slope: 1.0, intercept: 0.0 });
    let mut constant = intercept;
    let coefficient = |(term, weight): (&Straight, &f64)| {
        constant += weight * term.plus;
        slope * weight * term.times
    };
    let coefficients = terms.iter().zip(weights).map(coefficient).collect();
    (moved + slope * constant, coefficients)
}
