//! The whole procedure on the rows of an outer split: inner splits, preparation, selection, tuning, fit
//! and predictions, done in memory.
//!
//! What it makes on the way is not kept. What may be is what a choice asks of each candidate: it is small,
//! and stays as it is whatever further candidates there are.

use std::collections::BTreeMap;

use super::splits::{
    KnownStates, Matrices, fit_path, fit_prepare, fit_select, score_all,
};
use super::tuning::{
    Candidates, Cell, Inner, all_cells, choose, choose_tried, prevalence, survivors,
    truth,
};
use super::winner::{Chosen, fit_and_say};
use crate::data::{
    Choice, Frame, Link, OuterSplit, Predictions, ScoredSplit, Split, Survivors, Trial,
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

/// The map from a candidate's decision values to probabilities, or why there is none.
type OwnLink<'a> = &'a dyn Fn(usize) -> Result<Option<Link>, String>;

/// A candidate's map from decision values and what it says of the rows held out, or why it says nothing.
type Said = Result<(Option<Link>, Vec<f64>), String>;

/// What was fitted on the training rows of an outer split.
#[derive(Default)]
struct Known {
    states: KnownStates,
    /// By candidate.
    said: BTreeMap<usize, Said>,
}

impl Procedure<'_> {
    /// By way of choosing: what the choice among all candidates says of the rows that an outer split holds
    /// out, or why it says nothing. `tried` has the trials of all candidates by selector and learner, where
    /// they are known; else all are scored here. `place` names the streams of random numbers.
    pub fn predictions(
        &self,
        place: &str,
        outer: &OuterSplit,
        ways: &[(&Use, &Use)],
        tried: Option<&[&[Trial]]>,
    ) -> Vec<Result<Predictions, String>> {
        let cells = all_cells(self.study, self.select);
        if let Some(tried) = tried {
            let candidates = self.candidates(&cells);
            let choices =
                choose_tried(self.study, ways, &candidates, tried, &outer.inner);
            return self.by_choice(place, outer, &choices, &|candidate| {
                let (cell, at) = candidates.locate(candidate);
                tried[cell][at].link.clone()
            });
        }
        let scored = self.scored(place, outer, &cells);
        let inner = self.inner(&scored, &cells);
        let choices = choose(self.study, ways, &inner, &outer.inner);
        self.by_choice(place, outer, &choices, &|candidate| inner.own_link(candidate))
    }

    /// By selector and learner: all that a choice by the metrics of the study's ways asks of their
    /// candidates. What is prepared and ranked serves all of them.
    pub fn trials(
        &self,
        place: &str,
        outer: &OuterSplit,
        cells: &[Cell],
    ) -> Vec<Vec<Trial>> {
        let evaluate = &self.study.evaluate;
        let scored = self.scored(place, outer, cells);
        let inner = self.inner(&scored, cells);
        let metrics = evaluate.chosen_by();
        let trials = inner.trials(&metrics, evaluate.falls_back, &outer.inner);
        let mut trials = trials.into_iter();
        let of_node =
            |node| trials.by_ref().take(inner.candidates.of_node(node)).collect();
        (0..cells.len()).map(of_node).collect()
    }

    /// What each of these choices says of them.
    fn by_choice(
        &self,
        place: &str,
        outer: &OuterSplit,
        choices: &[Result<Choice, String>],
        own_link: OwnLink<'_>,
    ) -> Vec<Result<Predictions, String>> {
        let mut said: Vec<(&Choice, Result<Predictions, String>)> = Vec::new();
        let mut all = Vec::with_capacity(choices.len());
        // All of them are fitted on the same rows.
        let mut known = Known::default();
        for choice in choices {
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
                    let of_choice =
                        self.said(place, outer, (choice, own_link), &mut known);
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
        (choice, own_link): (&Choice, OwnLink<'_>),
        known: &mut Known,
    ) -> Result<Predictions, String> {
        let (held_out, rows) = outer.split.held_out(self.frame);
        let held_out: Vec<u32> = held_out.into_iter().map(|row| row as u32).collect();
        let train = outer.split.train(self.frame, self.outcome, self.groups);
        let mut scores = vec![0.0f64; held_out.len()];
        let mut decision_values = None;
        // Nobody asks what the members say where the prevalence stands in for them.
        let members = if choice.falls_back { &[] } else { choice.members.as_slice() };
        for member in members {
            let say = || {
                let chosen =
                    Chosen::of(self.study, self.prepare, self.select, member.candidate);
                let states = &mut known.states;
                let prepare = fit_path(chosen.prepare, &train, (&[], states));
                let (place, rows) = ((place, member.weight), (&train, &rows));
                let (mut fitted, values) =
                    fit_and_say(self.study, place, &chosen, prepare, rows, states)?;
                fitted.take_link(own_link(member.candidate)?);
                Ok((fitted.link, values))
            };
            let said = known.said.entry(member.candidate).or_insert_with(say);
            let (link, values) = said.as_ref().map_err(String::clone)?;
            for (sum, value) in scores.iter_mut().zip(values) {
                let p = link.map_or(*value, |link| linked(link, *value));
                *sum = (*sum + member.weight * p).min(1.0);
            }
            if choice.members.len() == 1 && link.is_some() {
                decision_values = Some(values.clone());
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

    /// The scores of the candidates of these selectors and learners, by inner split and `score` node. Where
    /// candidates are halved these are all of them.
    fn scored(
        &self,
        place: &str,
        outer: &OuterSplit,
        cells: &[Cell],
    ) -> Vec<Vec<ScoredSplit>> {
        let mut scored: Vec<Vec<ScoredSplit>> = Vec::new();
        let mut race: Option<Survivors> = None;
        let (mut rung, mut end) = (0, 1);
        for (position, split) in outer.inner.iter().enumerate() {
            let halving = self.study.evaluate.halving();
            if let (Some(factor), true) = (halving, position == end) {
                let inner = self.inner(&scored, cells);
                race = Some(survivors(self.study, &inner, rung));
                (rung, end) = (rung + 1, end.saturating_mul(factor));
            }
            let place = format!("{place}.i{}", position + 1);
            scored.push(self.scores(&place, split, cells, race.as_ref()));
        }
        scored
    }

    fn candidates(&self, cells: &[Cell]) -> Candidates<'_> {
        Candidates::in_cells(self.study, self.prepare, self.select, cells)
    }

    fn inner<'a>(&'a self, scored: &'a [Vec<ScoredSplit>], cells: &[Cell]) -> Inner<'a> {
        let splits = scored.iter().map(|nodes| nodes.iter().collect()).collect();
        Inner::new(splits, self.candidates(cells), self.outcome, self.groups)
    }

    /// By selector and learner: the scores of their candidates on one inner split.
    fn scores(
        &self,
        place: &str,
        split: &Split,
        cells: &[Cell],
        race: Option<&Survivors>,
    ) -> Vec<ScoredSplit> {
        let train = split.train(self.frame, self.outcome, self.groups);
        let (held_out, rows) = split.held_out(self.frame);
        let states = fit_prepare(self.prepare, &train);
        let matrices = Matrices::of(self.prepare, &states, &train, &rows, held_out);
        let candidates = self.candidates(cells);
        let (mut scored, mut known) = (Vec::new(), matrices.known_states());
        for of_selector in cells.chunk_by(|a, b| a.0 == b.0) {
            let selector = &self.select[of_selector[0].0];
            let states = fit_select(selector, &matrices, &mut known);
            for &(_, learner) in of_selector {
                let learner = &self.study.learn[learner];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::data::{FrameColumn, Rows};

    const N: u32 = 72;

    fn study(learn: &str, evaluate: &str) -> Study {
        let text = include_str!("../../../studies/quickstart.yaml")
            .replacen("  - naive_bayes\n", &format!("{learn}  - naive_bayes\n"), 1)
            .replacen("  primary: auroc\n", evaluate, 1);
        let parsed = crate::spec::read(&text, &Catalog::standard());
        parsed.study.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
    }

    /// Inner training sets have 36 to 40 rows: one candidate fails on some of them.
    const LEARN: &str = "  - svm_linear: { c: [0.1, 1] }
  - random_forest: { trees: 5 }
  - knn: { k: [7, 37] }
";

    /// Ten columns of which the first tells the classes best.
    fn frame() -> Frame {
        let column = |at: usize| FrameColumn {
            name: format!("b.c{at}").into(),
            values: (0..N as usize)
                .map(|row| {
                    let noise = ((row * (7 + at)) % 13) as f64;
                    noise + (row % 2) as f64 * 4.0 / (at + 1) as f64
                })
                .collect(),
        };
        let rows = Rows::new((0..10).map(column).collect(), N as usize);
        Frame { rows, failed: vec![None; N as usize] }
    }

    fn divided(rows: &[u32], parts: u32) -> Vec<Split> {
        let part = |of: u32| {
            let within = |row: &&u32| **row / 2 % parts == of;
            Split {
                train: rows.iter().filter(|row| !within(row)).copied().collect(),
                held_out: rows.iter().filter(within).copied().collect(),
            }
        };
        (0..parts).map(part).collect()
    }

    fn outer() -> OuterSplit {
        let everybody: Vec<u32> = (0..N).collect();
        let split = divided(&everybody, 3).remove(1);
        OuterSplit { inner: divided(&split.train, 5), split }
    }

    /// What is done with the procedure of a study.
    fn with<T>(study: &Study, act: impl FnOnce(&Procedure<'_>) -> T) -> T {
        let model = &study.models[0];
        let outcome: Vec<_> = (0..N).map(|row| Some(row % 2 == 1)).collect();
        let groups: Vec<u32> = (0..N).collect();
        act(&Procedure {
            study,
            frame: &frame(),
            outcome: &outcome,
            groups: &groups,
            prepare: &model.branches[0].prepare,
            select: &model.select,
        })
    }

    fn slices(trials: &[Vec<Trial>]) -> Vec<&[Trial]> {
        trials.iter().map(Vec::as_slice).collect()
    }

    const EVALUATES: [&str; 5] = [
        "  primary: auroc\n",
        "  primary: brier\n  fallback: naive\n",
        "  primary: observed_expected\n  tune: one_standard_error\n",
        "  primary: auroc\n  tune: one_standard_error\n  fallback: naive\n",
        "  primary: log_loss\n  tune: { average: { of: each_pair } }\n",
    ];

    #[test]
    fn a_choice_by_trials_says_what_a_choice_by_all_scores_says() {
        for evaluate in EVALUATES {
            let study = study(LEARN, evaluate);
            assert!(study.evaluate.tries_apart(), "{evaluate}");
            let outer = outer();
            let ways = study.evaluate.permuted_ways().pop().unwrap();
            let (at_once, tried) = with(&study, |procedure| {
                let cells = all_cells(&study, procedure.select);
                let trials = procedure.trials("r01.o1", &outer, &cells);
                let tried = slices(&trials);
                (
                    procedure.predictions("r01.o1", &outer, &ways, None),
                    procedure.predictions("r01.o1", &outer, &ways, Some(&tried)),
                )
            });
            assert_eq!(at_once, tried, "{evaluate}");
            assert!(at_once.iter().any(Result::is_ok), "{evaluate}: {at_once:?}");
        }
    }

    /// Whichever way a choice is come by: a study that goes over to another rule takes it from those of all.
    #[test]
    fn without_inner_splits_no_way_comes_to_a_choice() {
        for evaluate in EVALUATES {
            let study = study("", evaluate);
            let outer = OuterSplit { inner: Vec::new(), ..outer() };
            let ways = study.evaluate.choosing[0].ways();
            with(&study, |procedure| {
                let cells = all_cells(&study, procedure.select);
                let inner = procedure.inner(&[], &cells);
                let none = "there are no inner splits to choose by".to_string();
                let chosen = choose(&study, &ways, &inner, &outer.inner);
                assert_eq!(chosen, vec![Err(none.clone()); ways.len()], "{evaluate}");
                let trials = procedure.trials("r01.o1", &outer, &cells);
                for tried in [None, Some(slices(&trials))] {
                    let said =
                        procedure.predictions("r01.o1", &outer, &ways, tried.as_deref());
                    assert_eq!(said, vec![Err(none.clone()); ways.len()], "{evaluate}");
                }
            });
        }
    }

    #[test]
    fn trials_are_the_same_alone_and_together_and_in_any_study() {
        let (study, other) = (study(LEARN, EVALUATES[1]), study("", EVALUATES[1]));
        let outer = outer();
        let tried = |study: &Study, wanted: Option<usize>| {
            with(study, |procedure| {
                let mut cells = all_cells(study, procedure.select);
                cells.retain(|(_, learner)| {
                    wanted.is_none_or(|wanted| wanted == *learner)
                });
                procedure.trials("r01.o1", &outer, &cells)
            })
        };
        let all = tried(&study, None);
        let n = study.learn.len();
        let failed = |trial: &Trial| trial.scores.iter().any(Result::is_err);
        assert!(all.iter().flatten().any(failed), "none fails");
        assert!(all.iter().flatten().any(|trial| matches!(trial.link, Ok(Some(_)))));
        for learner in 0..n {
            let of_learner: Vec<_> =
                all.iter().skip(learner).step_by(n).cloned().collect();
            assert_eq!(tried(&study, Some(learner)), of_learner, "{learner}");
        }
        // Of a study that has fewer learners, under other numbers.
        let identity = |study: &Study, at: usize| study.learn[at].identity();
        for learner in 0..other.learn.len() {
            let same = (0..n)
                .find(|&at| identity(&study, at) == identity(&other, learner))
                .unwrap();
            let of_learner: Vec<_> = all.iter().skip(same).step_by(n).cloned().collect();
            assert_eq!(tried(&other, Some(learner)), of_learner, "{learner}");
        }
        // What is kept comes back.
        let value = crate::data::Value::Trials(vec![all]);
        let bytes = value.to_bytes();
        assert_eq!(crate::data::Value::from_bytes(&bytes).unwrap(), value);
    }

    #[test]
    fn rules_that_ask_for_rows_and_races_try_none_apart() {
        for (tune, apart) in [
            ("best_mean", true),
            ("one_standard_error", true),
            ("average", true),
            // What several gain over the prevalence is known from what they say of each row.
            ("average\n  fallback: naive", false),
            ("stack", false),
            ("successive_halving", false),
        ] {
            let study = study("", &format!("  primary: auroc\n  tune: {tune}\n"));
            assert_eq!(study.evaluate.tries_apart(), apart, "{tune}");
        }
    }
}
