//! Nodes of frozen models: the last fit, the seal, and what meets an external cohort.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::splits::{apply_path, fit_learner, predicted, procedure, with_beside};
use super::tuning::{Candidates, has_links};
use super::{ComputeError, Computed, Inputs, input};
use crate::data::{
    Call, Frozen, FrozenColumn, FrozenMember, Kept, Link, Member, Predictions, Rows,
    Sealed, Train, Value,
};
use crate::math::median;
use crate::operation::{FittedChain, Instance};
use crate::plan::Placed;
use crate::spec::{Chain, ChainSetting, Study, Use};
use crate::statistics::{familiar, linked};

/// The settings of a candidate: preparation, selection, learner, with the places of their states.
pub struct Chosen<'a> {
    pub prepare: &'a ChainSetting,
    pub select: &'a ChainSetting,
    pub learner: &'a Use,
    pub prepare_path: usize,
    pub selector: usize,
    pub select_path: usize,
}

pub fn chosen<'a>(inputs: &Inputs<'a>, case: usize, candidate: usize) -> Chosen<'a> {
    let (prepare, select) = procedure(inputs, case);
    Chosen::of(inputs.study, prepare, select, candidate)
}

impl<'a> Chosen<'a> {
    pub fn of(
        study: &'a Study,
        prepare: &'a Chain,
        select: &'a [Chain],
        candidate: usize,
    ) -> Self {
        let learn = &study.learn;
        let (cell, place) = Candidates::new(study, prepare, select).locate(candidate);
        let (selector, learner) = (cell / learn.len(), cell % learn.len());
        let (selector_chain, learner_chain) = (&select[selector], &learn[learner]);
        // Within a cell: preparation, then selection, then learner, the last fastest.
        let n_learn = learner_chain.settings.len();
        let n_select = selector_chain.settings.len();
        let (of_prepare, rest) =
            (place / (n_select * n_learn), place % (n_select * n_learn));
        let (of_select, of_learn) = (rest / n_learn, rest % n_learn);
        let paths = selector_chain.fit_paths();
        Self {
            prepare: &prepare.settings[of_prepare],
            select: &selector_chain.settings[of_select],
            learner: &learner_chain.settings[of_learn].steps[0],
            prepare_path: prepare.fit_paths().of_setting[of_prepare],
            selector,
            select_path: of_prepare * paths.setting_of.len()
                + paths.of_setting[of_select],
        }
    }
}

/// Fits the choice on all development rows, and keeps everything that belongs to it.
pub fn refit(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let choice = input!(&inputs.values[1], Choice, "choice");
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[2], Fitted, "fitted steps"))?;
    let (_, select) = procedure(inputs, case);
    let mut selectors = Vec::new();
    for value in &inputs.values[3..3 + select.len()] {
        selectors
            .push(FittedChain::from_bytes(input!(value, Fitted, "fitted steps"))?.paths);
    }
    let links = match inputs.values.get(3 + select.len()) {
        Some(value) if has_links(inputs.study) => input!(value, Links, "links").clone(),
        _ => vec![None; choice.members.len()],
    };
    let of_case = inputs.plan.cases[case];
    let outcome = inputs.study.outcomes[of_case.outcome].name.clone();
    let cohort = inputs.study.cohorts[of_case.cohort].name.clone();
    let known = &inputs.survey.outcomes[&(outcome, cohort.clone())];
    let groups = &inputs.survey.cohorts[&cohort].groups;
    let train = placed.split.train(frame, &known.classes, groups);
    let mut members = Vec::new();
    for (member, link) in choice.members.iter().zip(links) {
        let chosen = chosen(inputs, case, member.candidate);
        let states = prepare.paths[chosen.prepare_path].clone();
        let selected = selectors[chosen.selector][chosen.select_path].clone();
        let fitted = states.and_then(|prepare| {
            let states = (prepare, selected?);
            fit_member(inputs.study, "frozen", &chosen, (*member, link), states, &train)
        });
        match fitted {
            Ok((mut member, prepared)) => {
                let columns = prepared.rows().columns().iter();
                let values: Vec<&[f64]> = columns.map(|c| &c.values[..]).collect();
                member.familiar = familiar(&values, prepared.groups());
                members.push(member);
            }
            Err(why) => return Ok(Value::Failed(why)),
        }
    }
    // Stable, so equal weights keep the written order.
    members.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let (n, n_positive) =
        (train.outcome().len(), train.outcome().iter().filter(|class| **class).count());
    Ok(Value::Frozen(Frozen {
        columns: seen(train.rows()),
        members,
        falls_back: choice.falls_back.then(|| n_positive as f64 / n.max(1) as f64),
        threshold: None,
        calibration: None,
        n,
        n_positive,
    }))
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

/// Fits a chosen candidate on training rows; gives them back as they reach the learner. `place` names
/// the stream of random numbers.
pub fn fit_member(
    study: &Study,
    place: &str,
    chosen: &Chosen<'_>,
    (member, link): (Member, Option<Link>),
    (prepare, select): (Vec<Vec<u8>>, Vec<Vec<u8>>),
    train: &Train,
) -> Result<(FrozenMember, Train), String> {
    let mut rows = train.rows().clone();
    apply_path(chosen.prepare, &prepare, &mut rows)?;
    apply_path(chosen.select, &select, &mut rows)?;
    let selected = rows.columns().iter().map(|column| column.name.to_string()).collect();
    let prepared = train.with_rows(rows);
    let model = fit_learner(study, place, chosen.learner, &prepared)?;
    let Member { candidate, weight } = member;
    let familiar = None;
    let member = FrozenMember {
        candidate,
        weight,
        prepare,
        select,
        model,
        selected,
        link,
        familiar,
    };
    Ok((member, prepared))
}

/// The columns that reach a learner of a split's choice, each once: its states applied to no rows at
/// all.
pub fn kept(inputs: &Inputs<'_>, case: usize) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let choice = input!(&inputs.values[1], Choice, "choice");
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[2], Fitted, "fitted steps"))?;
    let mut selectors: BTreeMap<usize, FittedChain> = BTreeMap::new();
    let (mut columns, mut known) = (Vec::new(), BTreeSet::new());
    for member in &choice.members {
        let chosen = chosen(inputs, case, member.candidate);
        let selected = match selectors.entry(chosen.selector) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(new) => {
                let value = &inputs.values[3 + chosen.selector];
                let bytes = input!(value, Fitted, "fitted steps");
                new.insert(FittedChain::from_bytes(bytes)?)
            }
        };
        let reach = || -> Result<Rows, String> {
            let mut rows = frame.rows.take(&[]);
            let prepare =
                prepare.paths[chosen.prepare_path].as_ref().map_err(String::clone)?;
            let select =
                selected.paths[chosen.select_path].as_ref().map_err(String::clone)?;
            apply_path(chosen.prepare, prepare, &mut rows)?;
            apply_path(chosen.select, select, &mut rows)?;
            Ok(rows)
        };
        match reach() {
            Ok(rows) => {
                let names = rows.columns().iter().map(|column| column.name.to_string());
                columns.extend(names.filter(|name| known.insert(name.clone())));
            }
            Err(why) => return Ok(Value::Failed(why)),
        }
    }
    Ok(Value::Kept(Kept { columns }))
}

/// The step between neighbouring probabilities of a candidate's learner.
pub fn resolution(inputs: &Inputs<'_>, case: usize, candidate: usize) -> Option<f64> {
    match &chosen(inputs, case, candidate).learner.instance {
        Instance::Learner(learner) => learner.resolution(),
        _ => unreachable!("`spec` puts learners here"),
    }
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
    let frozen = input!(&inputs.values[0], Frozen, "frozen model");
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
    let threshold = &inputs.study.evaluate.threshold;
    let cohort = &inputs.study.cohorts[inputs.plan.cases[case].cohort].name;
    let applied = threshold.as_ref().is_some_and(|threshold| {
        threshold.frozen_for.is_empty()
            || threshold.frozen_for.iter().any(|named| named.name == *cohort)
    });
    let taken = frame.rows.take(&rows);
    let said = match frozen.falls_back {
        Some(prevalence) => Ok((vec![prevalence; taken.n()], None)),
        None => {
            let parts = frozen.members.iter().map(|of| {
                let Chosen { prepare, select, learner, .. } =
                    chosen(inputs, frozen_case, of.candidate);
                Part { prepare, select, learner, of }
            });
            say(&parts.collect::<Vec<_>>(), &taken)
        }
    };
    Ok(match said {
        Ok((scores, decision_values)) => Value::Predictions(Predictions {
            rows: rows.into_iter().map(|row| row as u32).collect(),
            truth,
            scores,
            decision_values,
            threshold: frozen.threshold.filter(|_| applied),
            candidate: frozen.members[0].candidate,
            falls_back: frozen.falls_back.is_some(),
        }),
        Err(why) => Value::Failed(why),
    })
}

/// A fitted candidate with the operations that it is made of.
pub struct Part<'a> {
    pub prepare: &'a ChainSetting,
    pub select: &'a ChainSetting,
    pub learner: &'a Use,
    pub of: &'a FrozenMember,
}

impl Part<'_> {
    /// The columns that reach the learner.
    pub fn prepared(&self, rows: &Rows) -> Result<Rows, String> {
        let mut prepared = rows.clone();
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
