//! The whole procedure on permuted outcomes: what it achieves when there is nothing to find.
//!
//! Splits, preparation, selection, tuning, fits and scores are all done again. They live in memory
//! and are not kept: nobody asks for them twice.

use super::measured::levels;
use super::splits::{
    KnownStates, Matrices, facts, fit_path, fit_prepare, fit_select, procedure,
    score_all, with_beside,
};
use super::tuning::{
    Candidates, Inner, choose, prevalence, primary, survivors, truth, tuner,
};
use super::winner::{Chosen, fit_and_say};
use super::{Computed, Inputs, input};
use crate::data::{Frame, OuterSplit, ScoredSplit, Split, Survivors, Value};
use crate::math::{Stream, mean};
use crate::operation::{Failure, Instance, Scored};
use crate::spec::{Chain, Study};
use crate::statistics::{linked, permuted};
use crate::survey::population;

/// What one run of the procedure needs, permuted or not.
struct Procedure<'a> {
    study: &'a Study,
    frame: &'a Frame,
    outcome: &'a [Option<bool>],
    groups: &'a [u32],
    prepare: &'a Chain,
    select: &'a [Chain],
}

/// The primary metric of an analysis on permuted outcomes, one for each number in `range`.
pub fn permute(
    inputs: &Inputs<'_>,
    scheme: usize,
    case: usize,
    range: std::ops::Range<usize>,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let (study, of_case) = (inputs.study, inputs.plan.cases[case]);
    let Some(permutation) = &study.evaluate.permuted else {
        unreachable!("`plan` adds this node for a control")
    };
    let (outcome, groups) = facts(inputs, case);
    let (prepare, select) = procedure(inputs, case);
    let cohort = &study.cohorts[of_case.cohort].name;
    let of_outcome = &study.outcomes[of_case.outcome].name;
    let known = &inputs.survey.outcomes[&(of_outcome.clone(), cohort.clone())];
    let scheme = &study.validate[scheme];
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    let surveyed = &inputs.survey.cohorts[cohort];
    let Ok(mut population) = population(study, inputs.survey, scheme, surveyed, known)
    else {
        return Ok(Value::Failed("the rows cannot be divided".to_string()));
    };
    let strata = match &permutation.within {
        Some(column) => match levels(inputs, of_case.cohort, column) {
            // Rows without a stratum are one of their own.
            Some(levels) => {
                Some(levels.into_iter().map(|l| l.map_or(0, |l| l + 1)).collect())
            }
            None => return Ok(Value::Failed("the strata cannot be read".to_string())),
        },
        None => None,
    };
    let strata: Option<Vec<u32>> = strata.map(|levels: Vec<u32>| {
        population.rows.iter().map(|row| levels[*row as usize]).collect()
    });
    let observed = population.outcome.clone();
    let mut found = Vec::new();
    for number in range {
        let mut stream =
            Stream::new(study.seed, &["permuted outcome", &number.to_string()]);
        population.outcome =
            permuted(&observed, &population.subjects, strata.as_deref(), &mut stream);
        let mut classes = outcome.to_vec();
        for (row, class) in population.rows.iter().zip(&population.outcome) {
            classes[*row as usize] = Some(*class);
        }
        let procedure =
            Procedure { study, frame, outcome: &classes, groups, prepare, select };
        found.push(match resampling.assign(&population, study.seed) {
            Ok(splits) => procedure.run(&splits.repeats, permutation.repeats),
            Err(failure) => Err(failure.to_string()),
        });
    }
    Ok(Value::Permuted(found))
}

impl Procedure<'_> {
    /// The mean of the primary metric over the folds of the first repeats that have both classes: a
    /// site need not.
    fn run(&self, repeats: &[Vec<OuterSplit>], n_repeats: usize) -> Result<f64, String> {
        let mut folds = Vec::new();
        for (repeat, outers) in repeats.iter().enumerate().take(n_repeats) {
            for (outer, split) in outers.iter().enumerate() {
                let place = format!("r{:02}.o{}", repeat + 1, outer + 1);
                folds.extend(self.fold(&place, split)?);
            }
        }
        mean(&folds).ok_or("no fold has both classes".to_string())
    }

    fn fold(&self, place: &str, outer: &OuterSplit) -> Result<Option<f64>, String> {
        let mut scored: Vec<Vec<ScoredSplit>> = Vec::new();
        let mut race: Option<Survivors> = None;
        let (mut rung, mut end) = (0, 1);
        for (position, split) in outer.inner.iter().enumerate() {
            if let (Some(factor), true) = (tuner(self.study).halving(), position == end) {
                race = Some(survivors(self.study, &self.inner(&scored), rung));
                (rung, end) = (rung + 1, end.saturating_mul(factor));
            }
            let place = format!("{place}.i{}", position + 1);
            scored.push(self.scores(&place, split, race.as_ref()));
        }
        let inner = self.inner(&scored);
        let choice = choose(self.study, &inner, &outer.inner)?;
        let (held_out, rows) = outer.split.held_out(self.frame);
        let held_out: Vec<u32> = held_out.into_iter().map(|row| row as u32).collect();
        let train = outer.split.train(self.frame, self.outcome, self.groups);
        let mut sums = vec![0.0f64; held_out.len()];
        let (mut ranks, mut known) = (None, KnownStates::new());
        // Nobody asks what the members say where the prevalence stands in for them.
        let members = if choice.falls_back { &[] } else { choice.members.as_slice() };
        for member in members {
            let chosen =
                Chosen::of(self.study, self.prepare, self.select, member.candidate);
            let place = (place, member.weight);
            let prepare = fit_path(chosen.prepare, &train, (&[], &mut known));
            let rows = (&train, &rows);
            let (_, values) =
                fit_and_say(self.study, place, &chosen, prepare, rows, &mut known)?;
            let link = inner.own_link(member.candidate)?;
            for (sum, value) in sums.iter_mut().zip(&values) {
                let p = link.map_or(*value, |link| linked(link, *value));
                *sum = (*sum + member.weight * p).min(1.0);
            }
            if choice.members.len() == 1 && link.is_some() {
                ranks = Some(values);
            }
        }
        if choice.falls_back {
            sums = vec![prevalence(self.outcome, &outer.split.train); sums.len()];
        }
        let metric = primary(self.study);
        let scores = match &ranks {
            Some(values) if metric.ranks_only() => values,
            _ => &sums,
        };
        let truth = truth(self.outcome, &held_out);
        match metric.compute(Scored { truth: &truth, scores, ..Scored::default() }) {
            Ok(value) => Ok(Some(value)),
            Err(Failure::OneClass) => Ok(None),
            Err(failure) => Err(failure.to_string()),
        }
    }

    fn inner<'a>(&'a self, scored: &'a [Vec<ScoredSplit>]) -> Inner<'a> {
        Inner {
            splits: scored.iter().map(|nodes| nodes.iter().collect()).collect(),
            candidates: Candidates::new(self.study, self.prepare, self.select),
            outcome: self.outcome,
            groups: self.groups,
        }
    }

    /// By `score` node: the scores of all candidates on one inner split.
    fn scores(
        &self,
        place: &str,
        split: &Split,
        race: Option<&Survivors>,
    ) -> Vec<ScoredSplit> {
        let train = split.train(self.frame, self.outcome, self.groups);
        let (held_out, rows) = split.held_out(self.frame);
        let states = fit_prepare(self.prepare, &train);
        let matrices = Matrices::of(self.prepare, &states, &train, &rows, held_out);
        let candidates = Candidates::new(self.study, self.prepare, self.select);
        let (mut scored, mut known) = (Vec::new(), matrices.known_states());
        for selector in self.select {
            let states = fit_select(selector, &matrices, &mut known);
            for learner in &self.study.learn {
                let first = candidates.first(scored.len());
                scored.push(score_all(
                    self.study,
                    place,
                    &matrices,
                    &states,
                    (selector, learner),
                    (first, race),
                ));
            }
        }
        scored
    }
}
