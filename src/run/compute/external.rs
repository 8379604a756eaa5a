//! Nodes of frozen models: the last fit, the seal, and what meets an external cohort.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::splits::{apply_path, facts, predicted, with_beside};
use super::trails::{rows_of, trails};
use super::winner::{chosen, fit_member};
use super::{ComputeError, Computed, Inputs, input};
use crate::data::{
    Call, Familiar, Frozen, FrozenColumn, FrozenMember, Predictions, Rows, Sealed, Train,
    Value, Winner,
};
use crate::math::median;
use crate::operation::FittedChain;
use crate::plan::Placed;
use crate::spec::{ChainSetting, Use};
use crate::statistics::{familiar, linked, reach};

/// Fits the winner on all development rows, and keeps everything that belongs to it.
pub fn refit(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let winner = input!(&inputs.values[2], Winner, "winner");
    let links = match inputs.values.get(3) {
        Some(value) => input!(value, Links, "links").clone(),
        None => vec![None; winner.members.len()],
    };
    let (outcome, groups) = facts(inputs, case);
    let train = placed.split.train(frame, outcome, groups);
    let (mut members, mut known) = (Vec::new(), inputs.known.borrow_mut());
    for ((recipe, weight), link) in winner.members.iter().zip(links) {
        let chosen = chosen(inputs, case, recipe);
        let place = ("frozen", *weight);
        let prepare = prepare.paths[chosen.prepare_path].clone();
        match fit_member(inputs.study, place, &chosen, prepare, &train, &mut known) {
            Ok((mut member, prepared)) => {
                let part = chosen.part(inputs.study, &member);
                member.familiar = familiar_rows(&part, &train, &prepared);
                member.take_link(link);
                members.push(member);
            }
            Err(why) => return Ok(Value::Failed(why)),
        }
    }
    heaviest_first(&mut members);
    let (n, n_positive) =
        (train.outcome().len(), train.outcome().iter().filter(|class| **class).count());
    Ok(Value::Frozen(Frozen {
        columns: seen(train.rows()),
        members,
        falls_back: winner.falls_back.then(|| n_positive as f64 / n.max(1) as f64),
        threshold: None,
        calibration: None,
        n,
        n_positive,
    }))
}

/// What development rows look like to a fitted candidate: in the columns on which it depends, and in
/// the predictors that these are made of. `None` where it depends on nothing.
fn familiar_rows(part: &Part<'_>, train: &Train, prepared: &Train) -> Option<Familiar> {
    let raw = train.rows();
    let columns = raw.columns();
    let named = columns.iter().map(|c| (&*c.name, raw.categories(&c.name)));
    // A step that mixes columns leaves none aside.
    let trails = trails(part, &rows_of(named)).ok();
    let counts: Vec<bool> = match &trails {
        Some(trails) => trails.iter().map(|trail| trail.counts).collect(),
        None => vec![true; prepared.rows().p()],
    };
    let reach = || {
        let needed: BTreeSet<usize> = match &trails {
            Some(of) => {
                of.iter().filter(|trail| trail.counts).map(|of| of.from).collect()
            }
            None => (0..raw.p()).collect(),
        };
        let is_number = |at: &usize| raw.categories(&columns[*at].name).is_none();
        let needed =
            needed.into_iter().filter(is_number).map(|at| &columns[at].values[..]);
        reach(&needed.collect::<Vec<_>>(), train.groups()).unwrap_or(0.0)
    };
    let places: Vec<usize> = (0..counts.len()).filter(|at| counts[*at]).collect();
    let values: Vec<&[f64]> =
        places.iter().map(|at| &prepared.rows().columns()[*at].values[..]).collect();
    let of = familiar(&values, prepared.groups())?;
    // Other columns are there without a deviation, so that places are those of the learner.
    let spread = |of: &[f64]| {
        let mut all = vec![0.0; counts.len()];
        places.iter().zip(of).for_each(|(at, value)| all[*at] = *value);
        all
    };
    let mut moments = vec![(0.0, 0.0); counts.len()];
    places.iter().zip(&of.columns).for_each(|(at, of)| moments[*at] = *of);
    let directions = of.directions.iter().map(|direction| spread(direction)).collect();
    Some(Familiar { columns: moments, directions, reach: reach(), ..of })
}

/// The same of a winner, from the last fits of each of its members alone.
pub fn frozen_of(winner: &Winner, alone: &[Arc<Value>]) -> Option<Frozen> {
    let mut whole: Option<Frozen> = None;
    for ((_, weight), value) in winner.members.iter().zip(alone) {
        let Value::Frozen(frozen) = &**value else { return None };
        let whole =
            whole.get_or_insert_with(|| Frozen { members: Vec::new(), ..frozen.clone() });
        let members = frozen.members.iter().cloned();
        whole.members.extend(members.map(|of| FrozenMember { weight: *weight, ..of }));
    }
    let mut whole = whole?;
    heaviest_first(&mut whole.members);
    Some(whole)
}

/// Stable, so equal weights keep the written order.
fn heaviest_first(members: &mut [FrozenMember]) {
    members.sort_by(|a, b| b.weight.total_cmp(&a.weight));
}

/// A fitted choice with its calibration map and its threshold, where there are such.
pub fn freeze(inputs: &Inputs<'_>) -> Computed {
    let fitted = input!(&inputs.values[0], Frozen, "fitted model");
    let calibration = match &*inputs.values[1] {
        Value::Calibration(intercept, slope) => Some((*intercept, *slope)),
        _ => None,
    };
    let threshold = match inputs.values.get(2) {
        Some(value) => *input!(value, Threshold, "threshold"),
        None => None,
    };
    Ok(Value::Frozen(Frozen { threshold, calibration, ..fitted.clone() }))
}

/// The columns of development rows.
fn seen(rows: &Rows) -> Vec<FrozenColumn> {
    let column = |column: &Arc<crate::data::FrameColumn>| {
        let known: Vec<f64> =
            column.values.iter().copied().filter(|value| !value.is_nan()).collect();
        let categories = rows.categories(&column.name).map(<[String]>::to_vec);
        let lowest = known.iter().copied().reduce(f64::min);
        let highest = known.iter().copied().reduce(f64::max);
        let is_number = categories.is_none();
        FrozenColumn {
            name: column.name.to_string(),
            range: lowest.zip(highest).filter(|_| is_number),
            median: median(&known).filter(|_| is_number),
            missing: column.values.len() - known.len(),
            categories,
        }
    };
    rows.columns().iter().map(column).collect()
}

/// The outcomes of an external cohort, as nobody can read them yet.
pub fn seal(inputs: &Inputs<'_>, outcome: usize, cohort: usize) -> Computed {
    let study = inputs.study;
    let cohort = &study.cohorts[cohort];
    let rows = &inputs.survey.cohorts[&cohort.name].rows;
    let outcome = &study.outcomes[outcome];
    let called = crate::survey::call(study, inputs.survey, outcome, cohort, rows);
    Ok(match called {
        Ok(called) => Value::Sealed(Sealed::new(called)),
        Err((failure, _)) => Value::Failed(failure.to_string()),
    })
}

/// Opens sealed outcomes for finished models.
pub fn unseal(inputs: &Inputs<'_>) -> Computed {
    let sealed = input!(&inputs.values[0], Sealed, "sealed outcomes");
    let mut frozen = Vec::new();
    for value in &inputs.values[1..] {
        match &**value {
            Value::Frozen(model) => frozen.push(model),
            Value::Failed(_) => {} // A model that could not be made asks for nothing.
            other => return Err(ComputeError::Kind(other.kind(), "frozen model")),
        }
    }
    Ok(match sealed.clone().open(&frozen) {
        Some(called) => Value::Opened(called),
        None => Value::Failed("no frozen model could be made".to_string()),
    })
}

/// What a frozen model says of the rows of an external cohort whose outcome is known.
pub fn apply(inputs: &Inputs<'_>, frozen_case: usize, case: usize) -> Computed {
    let frozen = input!(&inputs.values[0], Frozen, "fitted model");
    let frame = input!(&inputs.values[1], Frame, "frame");
    let frame = &*with_beside(inputs, frozen_case, case, frame);
    let opened = input!(&inputs.values[2], Opened, "opened outcomes");
    let names = frame.rows.columns().iter().map(|column| &*column.name);
    if !names.eq(frozen.columns.iter().map(|column| column.name.as_str())) {
        let why = "the predictors are not those of the frozen model";
        return Ok(Value::Failed(why.to_string()));
    }
    let (mut rows, mut truth) = (Vec::new(), Vec::new());
    for (row, call) in opened.calls.iter().enumerate() {
        if let Some(class) = Call::class(*call)
            && frame.failed[row].is_none()
        {
            rows.push(row);
            truth.push(class);
        }
    }
    if rows.is_empty() {
        return Ok(Value::Failed("no row has a known outcome".to_string()));
    }
    let taken = frame.rows.take(&rows);
    let rows = rows.into_iter().map(|row| row as u32).collect();
    Ok(said_of(inputs, frozen_case, frozen, &taken, (rows, truth)))
}

/// What a frozen model says of the rows that it was fitted on: all that have values.
pub fn apparent(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let frozen = input!(&inputs.values[1], Frozen, "fitted model");
    let (outcome, groups) = facts(inputs, case);
    let train = placed.split.train(frame, outcome, groups);
    let has_values = |row: &u32| frame.failed[*row as usize].is_none();
    let rows = placed.split.train.iter().copied().filter(has_values).collect();
    let known = (rows, train.outcome().to_vec());
    Ok(said_of(inputs, case, frozen, train.rows(), known))
}

/// What a frozen model of a case says of rows, beside which rows of their cohort they are and their classes.
fn said_of(
    inputs: &Inputs<'_>,
    frozen_case: usize,
    frozen: &Frozen,
    taken: &Rows,
    (rows, truth): (Vec<u32>, Vec<bool>),
) -> Value {
    let said = match frozen.falls_back {
        Some(prevalence) => Ok((vec![prevalence; taken.n()], None)),
        None => {
            let parts = frozen
                .members
                .iter()
                .map(|of| chosen(inputs, frozen_case, &of.recipe).part(inputs.study, of));
            say(&parts.collect::<Vec<_>>(), taken)
        }
    };
    match said {
        Ok((scores, decision_values)) => Value::Predictions(Predictions {
            rows,
            truth,
            scores,
            decision_values,
            threshold: None,
            candidate: frozen
                .members
                .first()
                .map(|heaviest| chosen(inputs, frozen_case, &heaviest.recipe).candidate),
            falls_back: frozen.falls_back.is_some(),
        }),
        Err(why) => Value::Failed(why),
    }
}

/// A fitted candidate with the operations that it is made of.
pub struct Part<'a> {
    pub prepare: &'a ChainSetting,
    pub select: &'a ChainSetting,
    pub learner: &'a Use,
    pub of: &'a FrozenMember,
}

impl Part<'_> {
    /// The columns that reach the learner. Where that is the null model no value decides anything, so
    /// none is refused.
    pub fn prepared(&self, rows: &Rows) -> Result<Rows, String> {
        let mut prepared = rows.clone();
        if self.of.is_null() {
            prepared.keep(&[]);
            return Ok(prepared);
        }
        apply_path(self.prepare, &self.of.prepare, &mut prepared)?;
        apply_path(self.select, &self.of.select, &mut prepared)?;
        Ok(prepared)
    }
}

/// Probabilities, and the decision values of a single learner that gives such.
pub type Said = (Vec<f64>, Option<Vec<f64>>);

/// What a frozen model says of rows.
pub fn say(parts: &[Part<'_>], rows: &Rows) -> Result<Said, String> {
    let prepared = parts.iter().map(|part| part.prepared(rows));
    say_of_prepared(parts, &prepared.collect::<Result<Vec<_>, _>>()?)
}

/// The same of the columns that reach the learner of each part.
pub fn say_of_prepared(parts: &[Part<'_>], prepared: &[Rows]) -> Result<Said, String> {
    let mut sums = vec![0.0f64; prepared.first().map_or(0, Rows::n)];
    let mut decision_values = None;
    for (part, rows) in parts.iter().zip(prepared) {
        let values = predicted(part.learner, &part.of.model, rows)?;
        let (link, weight) = (part.of.link, part.of.weight);
        for (sum, value) in sums.iter_mut().zip(&values) {
            let probability = link.map_or(*value, |link| linked(link, *value));
            *sum = (*sum + weight * probability).min(1.0);
        }
        if parts.len() == 1 && link.is_some() {
            decision_values = Some(values);
        }
    }
    Ok((sums, decision_values))
}
