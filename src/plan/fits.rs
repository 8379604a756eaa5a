//! How many fits a run will make, as far as that is known before any is made.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use super::{Plan, State, States, Work, key_of, preimage};
use crate::digest::Digest;
use crate::operation::Instance;
use crate::spec::Study;
use crate::store::Store;

/// The fits that are still to be made. Nodes that wait for others may turn out to be there, so these are at
/// most so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fits {
    /// Of candidates, on inner splits.
    pub candidates: usize,
    /// Of what the study chooses, on training rows of outer splits and on all development rows.
    pub choices: usize,
    /// On how many such rows several candidates are chosen, of which nobody knows how many.
    pub several: usize,
    /// On how many such rows fits of what other rules and metrics choose are looked for.
    pub ahead: usize,
    /// Permuted outcomes on which candidates are fitted.
    pub tried: usize,
    /// Permuted outcomes on which what is chosen is fitted and nothing else.
    pub chosen: usize,
}

impl Fits {
    /// As it stands behind "fits to make: ".
    pub fn in_words(&self) -> String {
        let Self { candidates, choices, several, ahead, tried, chosen } = *self;
        let counted = [
            (candidates, "of candidates on inner splits"),
            (choices, "of what is chosen"),
        ];
        let counted = counted.into_iter().filter(|(n, _)| *n > 0);
        let mut parts: Vec<String> =
            counted.map(|(n, what)| format!("at most {n} {what}")).collect();
        let places = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        if several > 0 {
            let places = places(several, "training set");
            parts.push(format!("those of the candidates chosen on {places}"));
        }
        if ahead > 0 {
            let places = places(ahead, "training set");
            parts.push(format!("those of other rules and metrics on {places}"));
        }
        if tried > 0 {
            let outcomes = places(tried, "permuted outcome");
            parts.push(format!("the whole procedure on {outcomes}"));
        }
        if chosen > 0 {
            let outcomes = places(chosen, "permuted outcome");
            parts.push(format!("what is chosen on {outcomes}"));
        }
        match parts.is_empty() {
            true => "none".to_string(),
            false => parts.join("; "),
        }
    }
}

/// The fits that a run in these states will make.
pub fn fits(study: &Study, plan: &Plan, states: &States, store: &Store) -> Fits {
    let mut fits = Fits::default();
    let there = fitted_ahead(study, plan, states);
    let is_new = |index: NodeIndex| {
        matches!(states.of[index.index()], State::New | State::Pending(_))
    };
    // By the preparation of an inner split that a race has gone on to: candidates that may be fitted there,
    // and how many go on.
    let mut raced: BTreeMap<NodeIndex, (usize, usize)> = BTreeMap::new();
    let (mut tried, mut chosen) = (BTreeMap::new(), BTreeMap::new());
    // By the choice of the study's own that others stand beside.
    let mut ahead = BTreeSet::new();
    let chooses_one = match &study.evaluate.tuner.instance {
        Instance::Tuner(tuner) => tuner.chooses_one(),
        _ => unreachable!("`spec` puts a tuner here"),
    };
    for &index in plan.order.iter().filter(|index| is_new(**index)) {
        match &plan.graph[index].work {
            Work::Score { case, selector, learner, .. } => {
                let of = plan.cases[*case];
                let model = &study.models[of.model];
                let prepare = model.branches[of.branch].prepare.settings.len();
                let in_cell = |selector: usize, learner: usize| {
                    prepare
                        * model.select[selector].settings.len()
                        * study.learn[learner].settings.len()
                };
                let n = in_cell(*selector, *learner);
                match race(plan, index) {
                    None => fits.candidates += n,
                    Some(_) if scored_by_all(plan, states, store, index) => {}
                    Some((rung, prepare)) => {
                        let cells = (0..model.select.len()).flat_map(|selector| {
                            (0..study.learn.len()).map(move |learner| (selector, learner))
                        });
                        let all = cells.map(|(s, l)| in_cell(s, l)).sum();
                        let left = study.evaluate.left(all, rung + 1);
                        raced.entry(prepare).or_insert((0, left)).0 += n;
                    }
                }
            }
            Work::Fit { .. } | Work::Refit { .. } if !there.contains(&index) => {
                match chooses_one {
                    true => fits.choices += 1,
                    false => fits.several += 1,
                }
            }
            Work::Alternatives { .. } => {
                ahead.extend(plan.ahead.get(&index).map(|of| of.tune));
            }
            Work::Trials { scheme, case, from, to, .. } => {
                tried.insert((*scheme, *case, *from), to - from);
            }
            Work::Permute { scheme, case, from, to, .. } => {
                let all =
                    if study.evaluate.tries_apart() { &mut chosen } else { &mut tried };
                all.insert((*scheme, *case, *from), to - from);
            }
            _ => {}
        }
    }
    fits.candidates += raced.values().map(|(n, left)| n.min(left)).sum::<usize>();
    fits.ahead = ahead.len();
    chosen.retain(|place, _| !tried.contains_key(place));
    fits.tried = tried.values().sum();
    fits.chosen = chosen.values().sum();
    fits
}

/// The fits of what is chosen that were made when the study had another rule or metric: all that its own
/// may choose was fitted with those.
fn fitted_ahead(study: &Study, plan: &Plan, states: &States) -> BTreeSet<NodeIndex> {
    let own = study.evaluate.own_among().map(|(own, _)| own);
    let there = plan.ahead.iter().filter(|(node, _)| {
        let of_own = match plan.graph[**node].work {
            Work::Alternatives { choosing, .. } => Some(choosing) == own,
            _ => false,
        };
        of_own && matches!(states.of[node.index()], State::Stored | State::Index)
    });
    there.flat_map(|(_, ahead)| ahead.then.iter().copied()).collect()
}

/// The rung after which candidates are scored here, and the preparation of the split that they share.
fn race(plan: &Plan, score: NodeIndex) -> Option<(usize, NodeIndex)> {
    let inputs = plan.edges(score);
    let rung = inputs.iter().find_map(|(input, _)| match plan.graph[*input].work {
        Work::Race { rung, .. } => Some(rung),
        _ => None,
    })?;
    let prepare = inputs
        .iter()
        .map(|(input, _)| *input)
        .find(|input| matches!(plan.graph[*input].work, Work::Prepare { .. }))?;
    Some((rung, prepare))
}

/// Whether the store has the scores of all candidates, from which those that go on are taken.
fn scored_by_all(plan: &Plan, states: &States, store: &Store, score: NodeIndex) -> bool {
    let inputs = plan.ports(score).into_iter();
    let inputs =
        inputs.filter(|(input, _)| !matches!(plan.graph[*input].work, Work::Race { .. }));
    let digests: Option<Vec<Digest>> =
        inputs.map(|(input, port)| states.output(input, port)).collect();
    let key = digests.map(|digests| key_of(&preimage(&plan.graph[score], &digests)));
    key.is_some_and(|key| store.action(&key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_fitted_is_said_in_a_line() {
        assert_eq!(Fits::default().in_words(), "none");
        let some = Fits { candidates: 188, choices: 5, chosen: 20, ..Fits::default() };
        assert_eq!(
            some.in_words(),
            "at most 188 of candidates on inner splits; at most 5 of what is chosen; \
             what is chosen on 20 permuted outcomes"
        );
        let others = Fits { ahead: 1, tried: 10, ..Fits::default() };
        assert_eq!(
            others.in_words(),
            "those of other rules and metrics on 1 training set; \
             the whole procedure on 10 permuted outcomes"
        );
        let several = Fits { candidates: 32, several: 5, ..Fits::default() };
        assert_eq!(
            several.in_words(),
            "at most 32 of candidates on inner splits; those of the candidates chosen on 5 training sets"
        );
    }
}
