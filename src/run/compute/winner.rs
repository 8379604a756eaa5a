//! What tuning chose, by what it does, and its fit on the training rows of an outer split.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::external::Part;
use super::splits::{
    KnownStates, apply_path, apply_step, facts, fit_learner, fit_path, is_null,
    predicted, procedure, with_beside,
};
use super::tuning::{self, Candidates};
use super::{Computed, Inputs, input};
use crate::data::{
    Alternative, Alternatives, Choice, FrozenMember, OuterFit, Recipe, Rows, StepColumns,
    Train, Value, Winner,
};
use crate::digest::canonical_json;
use crate::operation::FittedChain;
use crate::plan::Placed;
use crate::spec::{Chain, ChainSetting, Study, Use};

/// The settings of a candidate: preparation, selection, learner.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    pub prepare: &'a ChainSetting,
    pub select: &'a ChainSetting,
    pub learner: &'a Use,
    /// Its number among the candidates.
    pub candidate: usize,
    /// Where the states of its preparation stand.
    pub prepare_path: usize,
}

impl<'a> Chosen<'a> {
    /// By its number.
    pub fn of(
        study: &'a Study,
        prepare: &'a Chain,
        select: &'a [Chain],
        candidate: usize,
    ) -> Self {
        let learn = &study.learn;
        let (cell, place) = Candidates::new(study, prepare, select).locate(candidate);
        let (selector, learner) =
            (&select[cell / learn.len()], &learn[cell % learn.len()]);
        // Within a cell: preparation, then selection, then learner, the last fastest.
        let (n_select, n_learn) = (selector.settings.len(), learner.settings.len());
        let (of_prepare, rest) =
            (place / (n_select * n_learn), place % (n_select * n_learn));
        Self {
            prepare: &prepare.settings[of_prepare],
            select: &selector.settings[rest / n_learn],
            learner: &learner.settings[rest % n_learn].steps[0],
            candidate,
            prepare_path: prepare.fit_paths().of_setting[of_prepare],
        }
    }

    /// By what it does; nothing where no candidate of the study does that.
    fn doing(
        study: &'a Study,
        prepare: &'a Chain,
        select: &'a [Chain],
        recipe: &Recipe,
    ) -> Option<Self> {
        let does = |setting: &ChainSetting, text: &str| {
            canonical_json(&setting.identity()) == text
        };
        let place = |chain: &Chain, text: &str| {
            chain.settings.iter().position(|setting| does(setting, text))
        };
        let among = |chains: &[Chain], text: &str| {
            let mut places = chains.iter().map(|chain| place(chain, text)).enumerate();
            places.find_map(|(chain, place)| Some((chain, place?)))
        };
        let of_prepare = place(prepare, &recipe.prepare)?;
        let (selector, of_select) = among(select, &recipe.select)?;
        let (learner, of_learn) = among(&study.learn, &recipe.learn)?;
        let cell = selector * study.learn.len() + learner;
        let (n_select, n_learn) =
            (select[selector].settings.len(), study.learn[learner].settings.len());
        let place = (of_prepare * n_select + of_select) * n_learn + of_learn;
        let first = Candidates::new(study, prepare, select).first(cell);
        Some(Self::of(study, prepare, select, first + place))
    }

    /// One that a value of this study tells of.
    pub fn known(
        study: &'a Study,
        prepare: &'a Chain,
        select: &'a [Chain],
        recipe: &Recipe,
    ) -> Self {
        let found = Self::doing(study, prepare, select, recipe);
        found.expect("what was chosen is among the candidates")
    }

    /// The learner that a fit of it has: where its selector kept no column, the null model.
    fn fitted(&self, study: &'a Study, member: &FrozenMember) -> &'a Use {
        if member.is_null() { &study.null_model } else { self.learner }
    }

    /// A fit of it, with the operations that the fit is made of.
    pub fn part(&self, study: &'a Study, of: &'a FrozenMember) -> Part<'a> {
        let Self { prepare, select, .. } = *self;
        Part { prepare, select, learner: self.fitted(study, of), of }
    }

    fn recipe(&self) -> Recipe {
        let setting = |setting: &ChainSetting| canonical_json(&setting.identity());
        Recipe {
            prepare: setting(self.prepare),
            select: setting(self.select),
            learn: canonical_json(&[self.learner.identity()].into_iter().collect()),
        }
    }
}

/// The candidate of a case that does this.
pub fn chosen<'a>(inputs: &Inputs<'a>, case: usize, recipe: &Recipe) -> Chosen<'a> {
    let (prepare, select) = procedure(inputs, case);
    Chosen::known(inputs.study, prepare, select, recipe)
}

/// The candidate of a case with this number.
pub fn numbered<'a>(inputs: &Inputs<'a>, case: usize, candidate: usize) -> Chosen<'a> {
    let (prepare, select) = procedure(inputs, case);
    Chosen::of(inputs.study, prepare, select, candidate)
}

/// A choice by what it does, so that nothing that is fitted on it depends on what it was chosen among.
pub fn winner(inputs: &Inputs<'_>, case: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    Ok(Value::Winner(by_doing(inputs, case, choice)))
}

fn by_doing(inputs: &Inputs<'_>, case: usize, choice: &Choice) -> Winner {
    let members = choice
        .members
        .iter()
        .map(|member| (numbered(inputs, case, member.candidate).recipe(), member.weight));
    Winner { members: members.collect(), falls_back: choice.falls_back }
}

/// The choices by rules and metrics that a study may go over to, and their winners, each once.
pub fn alternatives(
    inputs: &Inputs<'_>,
    case: usize,
    placed: &Placed,
    choosing: usize,
) -> Computed {
    let (choices, linked) = tuning::alternatives(inputs, case, placed, choosing)?;
    let mut winners: Vec<Alternative> = Vec::new();
    for (choice, links) in linked {
        let winner = by_doing(inputs, case, &choice);
        if winners.iter().all(|known| known.winner != winner) {
            winners.push(Alternative { winner, links });
        }
    }
    Ok(Value::Alternatives(Alternatives { choices, winners }))
}

/// The winner of an outer split: fitted on its training rows, applied to those that it holds out.
/// The fits themselves are kept for whoever looks into them, and only then.
pub fn fit(inputs: &Inputs<'_>, case: usize, placed: &Placed, keeps: bool) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let winner = input!(&inputs.values[2], Winner, "winner");
    let (outcome, groups) = facts(inputs, case);
    let train = placed.split.train(frame, outcome, groups);
    let (held_out, rows) = placed.split.held_out(frame);
    let mut fit = OuterFit {
        rows: held_out.into_iter().map(|row| row as u32).collect(),
        scores: Vec::new(),
        columns: Vec::new(),
        before: rows.p() as u32,
        steps: Vec::new(),
        members: Vec::new(),
    };
    let (mut named, mut known) = (BTreeSet::new(), inputs.known.borrow_mut());
    for (recipe, weight) in &winner.members {
        let chosen = chosen(inputs, case, recipe);
        let place = (&*placed.name, *weight);
        let prepare = prepare.paths[chosen.prepare_path].clone();
        let of = (&train, &rows);
        match fit_and_say(inputs.study, place, &chosen, prepare, of, &mut known) {
            Ok((member, scores)) => {
                let columns = member.selected.iter().cloned();
                fit.columns.extend(columns.filter(|name| named.insert(name.clone())));
                fit.scores.push(scores);
                fit.steps.push(Some(columns_by_step(&chosen, &member, &rows)));
                fit.members.extend(keeps.then_some(member));
            }
            // Nobody asks what it says where the prevalence stands in for it.
            Err(_) if winner.falls_back => fit.steps.push(None),
            Err(why) => return Ok(Value::Failed(why)),
        }
    }
    Ok(Value::Fit(fit))
}

/// The same of a winner, from the fits of each of its members alone.
pub fn fits_of(winner: &Winner, alone: &[Arc<Value>]) -> Option<OuterFit> {
    let mut whole: Option<OuterFit> = None;
    let mut named: BTreeSet<String> = BTreeSet::new();
    for ((_, weight), value) in winner.members.iter().zip(alone) {
        let Value::Fit(fit) = &**value else { return None };
        let whole = whole.get_or_insert_with(|| OuterFit {
            rows: fit.rows.clone(),
            before: fit.before,
            scores: Vec::new(),
            columns: Vec::new(),
            steps: Vec::new(),
            members: Vec::new(),
        });
        let columns = fit.columns.iter().cloned();
        whole.columns.extend(columns.filter(|name| named.insert(name.clone())));
        whole.scores.extend(fit.scores.iter().cloned());
        whole.steps.extend(fit.steps.iter().cloned());
        let members = fit.members.iter().cloned();
        whole.members.extend(members.map(|of| FrozenMember { weight: *weight, ..of }));
    }
    whole
}

/// How many columns there are after each step of a fitted candidate.
fn columns_by_step(
    chosen: &Chosen<'_>,
    member: &FrozenMember,
    rows: &Rows,
) -> Vec<StepColumns> {
    let mut rows = rows.clone();
    let mut counts = Vec::new();
    let chains =
        [(chosen.prepare, &member.prepare, false), (chosen.select, &member.select, true)];
    for (setting, states, selects) in chains {
        for (step, state) in setting.steps.iter().zip(states) {
            // It has been applied to these rows before, or there were no scores.
            if apply_step(step, state, &mut rows).is_err() {
                return counts;
            }
            let (step, columns) = (step.about.name.to_string(), rows.p() as u32);
            counts.push(StepColumns { step, selects, columns });
        }
    }
    counts
}

/// Fits a chosen candidate on training rows, and what it says of the others.
pub fn fit_and_say(
    study: &Study,
    place: (&str, f64),
    chosen: &Chosen<'_>,
    prepare: Result<Vec<Vec<u8>>, String>,
    (train, held_out): (&Train, &Rows),
    known: &mut KnownStates,
) -> Result<(FrozenMember, Vec<f64>), String> {
    let (member, _) = fit_member(study, place, chosen, prepare, train, known)?;
    let mut rows = held_out.clone();
    apply_path(chosen.prepare, &member.prepare, &mut rows)?;
    apply_path(chosen.select, &member.select, &mut rows)?;
    let learner = chosen.fitted(study, &member);
    let scores = predicted(learner, &member.model, &rows)?;
    Ok((member, scores))
}

/// Fits a chosen candidate on training rows, of which `prepare` has the states of its preparation;
/// gives them back as they reach the learner. `place` names the stream of random numbers. The map from
/// decision values to probabilities is learned elsewhere. `known` has the states of other
/// members' selection on the same training rows.
pub fn fit_member(
    study: &Study,
    (place, weight): (&str, f64),
    chosen: &Chosen<'_>,
    prepare: Result<Vec<Vec<u8>>, String>,
    train: &Train,
    known: &mut KnownStates,
) -> Result<(FrozenMember, Train), String> {
    let prepare = prepare?;
    let mut rows = train.rows().clone();
    apply_path(chosen.prepare, &prepare, &mut rows)?;
    let prepared = train.with_rows(rows);
    let before = [chosen.prepare.identity()];
    let select = fit_path(chosen.select, &prepared, (&before, known))?;
    let mut rows = prepared.rows().clone();
    apply_path(chosen.select, &select, &mut rows)?;
    let selected = rows.columns().iter().map(|column| column.name.to_string()).collect();
    let null = is_null(prepared.rows().p(), &rows);
    let prepared = train.with_rows(rows);
    let learner = if null { &study.null_model } else { chosen.learner };
    let model = fit_learner(study, place, learner, &prepared)?;
    let recipe = chosen.recipe();
    let (link, familiar) = (None, None);
    let member =
        FrozenMember { recipe, weight, prepare, select, model, selected, link, familiar };
    Ok((member, prepared))
}
