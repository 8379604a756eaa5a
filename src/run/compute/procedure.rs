//! The whole procedure on the rows of an outer split: inner splits, preparation, selection, tuning, fit
//! and predictions, done in memory.
//!
//! What it makes on the way is not kept: nobody asks for it twice.

use super::splits::{
    KnownStates, Matrices, fit_path, fit_prepare, fit_select, score_all,
};
use super::tuning::{Candidates, Inner, choose, prevalence, survivors, truth};
use super::winner::{Chosen, fit_and_say};
use crate::data::{
    Choice, Frame, OuterSplit, Predictions, ScoredSplit, Split, Survivors,
};
use crate::spec::{Chain, Study, Use};
use crate::statistics::linked;

/// What one run of the procedure needs.
pub struct Procedure<'a> {
    pub study: &'a Study,
    pub frame: &'a Frame,
    pub outcome: &'a [Option<bool>],
    pub groups: &'a [u32],
    pub prepare: &'a Chain,
    pub select: &'a [Chain],
}

impl Procedure<'_> {
    /// By way of choosing: what the choice among all candidates says of the rows that an outer split holds
    /// out, or why it says nothing. `place` names the streams of random numbers.
    pub fn predictions(
        &self,
        place: &str,
        outer: &OuterSplit,
        ways: &[(&Use, &Use)],
    ) -> Vec<Result<Predictions, String>> {
        let scored = match self.scored(place, outer) {
            Ok(scored) => scored,
            Err(why) => return vec![Err(why); ways.len()],
        };
        let inner = self.inner(&scored);
        let choices = choose(self.study, ways, &inner, &outer.inner);
        let mut said: Vec<(&Choice, Result<Predictions, String>)> = Vec::new();
        let mut all = Vec::with_capacity(ways.len());
        // All of them are fitted on the same rows.
        let mut known = KnownStates::new();
        for choice in &choices {
            let choice = match choice {
                Ok(choice) => choice,
                Err(why) => {
                    all.push(Err(why.clone()));
                    continue;
                }
            };
            // Most ways choose the same.
            let same = said.iter().find(|(known, _)| {
                (&known.members, known.falls_back) == (&choice.members, choice.falls_back)
            });
            let of_choice = match same {
                Some((_, known)) => known.clone(),
                None => {
                    let of_choice = self.said(place, outer, (&inner, choice), &mut known);
                    said.push((choice, of_choice.clone()));
                    of_choice
                }
            };
            all.push(of_choice);
        }
        all
    }

    /// What one choice says of them.
    fn said(
        &self,
        place: &str,
        outer: &OuterSplit,
        (inner, choice): (&Inner<'_>, &Choice),
        known: &mut KnownStates,
    ) -> Result<Predictions, String> {
        let (held_out, rows) = outer.split.held_out(self.frame);
        let held_out: Vec<u32> = held_out.into_iter().map(|row| row as u32).collect();
        let train = outer.split.train(self.frame, self.outcome, self.groups);
        let mut scores = vec![0.0f64; held_out.len()];
        let mut decision_values = None;
        // Nobody asks what the members say where the prevalence stands in for them.
        let members = if choice.falls_back { &[] } else { choice.members.as_slice() };
        for member in members {
            let chosen =
                Chosen::of(self.study, self.prepare, self.select, member.candidate);
            let place = (place, member.weight);
            let prepare = fit_path(chosen.prepare, &train, (&[], known));
            let rows = (&train, &rows);
            let (mut fitted, values) =
                fit_and_say(self.study, place, &chosen, prepare, rows, known)?;
            fitted.take_link(inner.own_link(member.candidate)?);
            let link = fitted.link;
            for (sum, value) in scores.iter_mut().zip(&values) {
                let p = link.map_or(*value, |link| linked(link, *value));
                *sum = (*sum + member.weight * p).min(1.0);
            }
            if choice.members.len() == 1 && link.is_some() {
                decision_values = Some(values);
            }
        }
        if choice.falls_back {
            scores = vec![prevalence(self.outcome, &outer.split.train); scores.len()];
        }
        Ok(Predictions {
            truth: truth(self.outcome, &held_out),
            rows: held_out,
            scores,
            decision_values,
            threshold: None,
            candidate: choice.candidate,
            falls_back: choice.falls_back,
        })
    }

    /// The scores of all candidates, by inner split and `score` node.
    fn scored(
        &self,
        place: &str,
        outer: &OuterSplit,
    ) -> Result<Vec<Vec<ScoredSplit>>, String> {
        if outer.inner.is_empty() {
            return Err("there are no inner splits to choose by".to_string());
        }
        let mut scored: Vec<Vec<ScoredSplit>> = Vec::new();
        let mut race: Option<Survivors> = None;
        let (mut rung, mut end) = (0, 1);
        for (position, split) in outer.inner.iter().enumerate() {
            let halving = self.study.evaluate.halving();
            if let (Some(factor), true) = (halving, position == end) {
                race = Some(survivors(self.study, &self.inner(&scored), rung));
                (rung, end) = (rung + 1, end.saturating_mul(factor));
            }
            let place = format!("{place}.i{}", position + 1);
            scored.push(self.scores(&place, split, race.as_ref()));
        }
        Ok(scored)
    }

    fn inner<'a>(&'a self, scored: &'a [Vec<ScoredSplit>]) -> Inner<'a> {
        let splits = scored.iter().map(|nodes| nodes.iter().collect()).collect();
        let candidates = Candidates::new(self.study, self.prepare, self.select);
        Inner::new(splits, candidates, self.outcome, self.groups)
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
