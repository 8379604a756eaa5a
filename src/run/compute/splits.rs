//! Nodes fitted on the training rows of a split: preparation, selection, and the scores of learners.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Computed, Inputs, input};
use crate::data::{
    CandidateScores, Frame, NoScore, Rows, ScoredSplit, Survivors, Train, Value,
};
use crate::math::Stream;
use crate::operation::{AnyLearner, Failure, FittedChain, Instance, Output};
use crate::plan::{Placed, Work};
use crate::spec::{Chain, ChainSetting, Study, Use, state_name};
use crate::survey::View;

/// Per setting of the preparation: prepared training rows and held-out rows, or why not.
pub struct Matrices {
    prepared: Vec<Result<(Train, Rows), String>>,
    held_out: Vec<u32>,
}

/// The outcome and the groups of a case, by cohort row.
pub fn facts<'a>(inputs: &Inputs<'a>, case: usize) -> (&'a [Option<bool>], &'a [u32]) {
    let case = inputs.plan.cases[case];
    let outcome = inputs.study.outcomes[case.outcome].name.clone();
    let cohort = &inputs.study.cohorts[case.cohort].name;
    let known = &inputs.survey.outcomes[&(outcome, cohort.clone())];
    (&known.classes, &inputs.survey.cohorts[cohort].groups)
}

/// The preparation of a case, and its selectors.
pub fn procedure<'a>(inputs: &Inputs<'a>, case: usize) -> (&'a Chain, &'a [Chain]) {
    let case = inputs.plan.cases[case];
    let model = &inputs.study.models[case.model];
    (&model.branches[case.branch].prepare, &model.select)
}

/// A frame with the columns beside it that the steps of a case ask for; `rows` is the case whose
/// cohort it is of.
pub fn with_beside<'f>(
    inputs: &Inputs<'_>,
    steps: usize,
    rows: usize,
    frame: &'f Frame,
) -> Cow<'f, Frame> {
    let (steps, rows) = (inputs.plan.cases[steps], inputs.plan.cases[rows]);
    let columns = inputs.study.models[steps.model].beside(steps.branch);
    if columns.is_empty() {
        return Cow::Borrowed(frame);
    }
    let (study, survey) = (inputs.study, inputs.survey);
    let cohort = &study.cohorts[rows.cohort];
    let view = View { study, survey, cohort, rows: &survey.cohorts[&cohort.name].rows };
    // A column that is not there is missed by the step, by name.
    let cells = columns.into_iter().filter_map(|column| {
        let cells = view.cells(&column).ok()?;
        Some((column.name, cells))
    });
    let beside = frame.rows.clone().with_beside(cells.collect());
    Cow::Owned(Frame { rows: beside, failed: frame.failed.clone() })
}

pub fn prepare(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let (outcome, groups) = facts(inputs, case);
    let train = placed.split.train(frame, outcome, groups);
    let (chain, _) = procedure(inputs, case);
    Ok(Value::Fitted(FittedChain { paths: fit_prepare(chain, &train) }.to_bytes()))
}

/// States of a chain's steps by fit path, or why there are none.
pub type Paths = Vec<Result<Vec<Vec<u8>>, String>>;

/// The preparation's states, fitted on training rows.
pub fn fit_prepare(chain: &Chain, train: &Train) -> Paths {
    let paths = chain.fit_paths().setting_of.into_iter();
    let mut known = KnownStates::new();
    paths.map(|setting| fit_known((chain, setting), train, &mut known)).collect()
}

/// States of steps that are fitted on the same rows, by [`state_name`].
pub type KnownStates = BTreeMap<String, Result<Vec<u8>, String>>;

/// The states of the steps of a setting, each fitted on what the one before it gives. `before` is what
/// the rows went through, where several settings share `known`.
pub fn fit_path(
    setting: &ChainSetting,
    train: &Train,
    (before, known): (&[Json], &mut KnownStates),
) -> Result<Vec<Vec<u8>>, String> {
    fit_steps(setting, |at| &setting.steps[at], train, (before, known))
}

/// The same for a setting of a chain, with what others of it have fitted on these rows.
fn fit_known(
    (chain, setting): (&Chain, usize),
    train: &Train,
    known: &mut KnownStates,
) -> Result<Vec<Vec<u8>>, String> {
    let fitted = |at| chain.fitted(setting, at);
    fit_steps(&chain.settings[setting], fitted, train, (&[], known))
}

/// `fitted` says by position which step is fitted for that of the setting.
fn fit_steps<'a>(
    setting: &ChainSetting,
    fitted: impl Fn(usize) -> &'a Use,
    train: &Train,
    (before, known): (&[Json], &mut KnownStates),
) -> Result<Vec<Vec<u8>>, String> {
    let mut train = train.clone();
    let mut states = Vec::new();
    let mut behind = before.to_vec();
    for (position, step) in setting.steps.iter().enumerate() {
        let fitted = fitted(position);
        let name = state_name(&behind, fitted);
        behind.push(step.identity());
        let fit = || fit_step(fitted, &train);
        let state = known.entry(name).or_insert_with(fit).clone()?;
        if position + 1 < setting.steps.len() {
            let mut rows = train.rows().clone();
            apply_step(step, &state, &mut rows)?;
            train = train.with_rows(rows);
        }
        states.push(state);
    }
    Ok(states)
}

fn fit_step(step: &Use, train: &Train) -> Result<Vec<u8>, String> {
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps into chains")
    };
    let named = |failure: Failure| format!("{}: {failure}", step.about.name);
    let mut rows = train.rows().clone();
    let (part, _) = rows.take_out(|column| step.acts_on(column));
    if let Some(column) = part.categorical()
        && !instance.reads_categories()
    {
        return Err(named(Failure::Categories(column.to_string())));
    }
    instance.fit(&train.with_rows(part)).map_err(named)
}

/// Applies one step to the columns that it acts on; the others stay as they are.
pub fn apply_step(step: &Use, state: &[u8], rows: &mut Rows) -> Result<(), String> {
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps into chains")
    };
    let named = |failure: Failure| format!("{}: {failure}", step.about.name);
    if step.scope.is_none() {
        return instance.apply(state, rows).map_err(named);
    }
    let (mut part, place) = rows.take_out(|column| step.acts_on(column));
    instance.apply(state, &mut part).map_err(named)?;
    rows.put_in(part, place);
    Ok(())
}

/// Applies the states of a path, with the parameters of this setting.
pub fn apply_path(
    setting: &ChainSetting,
    states: &[Vec<u8>],
    rows: &mut Rows,
) -> Result<(), String> {
    for (step, state) in setting.steps.iter().zip(states) {
        apply_step(step, state, rows)?;
    }
    Ok(())
}

/// The prepared rows of a split; shared by all nodes that read its `prepare` node.
fn matrices(
    inputs: &Inputs<'_>,
    case: usize,
    placed: &Placed,
    frame: &Frame,
    fitted: &FittedChain,
) -> Arc<Matrices> {
    (inputs.matrices)(inputs.nodes[1], &|| {
        let frame = &*with_beside(inputs, case, case, frame);
        let (outcome, groups) = facts(inputs, case);
        let train = placed.split.train(frame, outcome, groups);
        let (held_out, held_out_rows) = placed.split.held_out(frame);
        let (chain, _) = procedure(inputs, case);
        Matrices::of(chain, &fitted.paths, &train, &held_out_rows, held_out)
    })
}

impl Matrices {
    /// No states yet, by setting of the preparation.
    pub fn known_states(&self) -> Vec<KnownStates> {
        vec![KnownStates::new(); self.prepared.len()]
    }

    /// Applies the preparation's states to training and held-out rows.
    pub fn of(
        chain: &Chain,
        states: &Paths,
        train: &Train,
        held_out_rows: &Rows,
        held_out: Vec<usize>,
    ) -> Self {
        let paths = chain.fit_paths().of_setting;
        let prepared = chain.settings.iter().zip(paths).map(|(setting, path)| {
            let states = states[path].as_ref().map_err(String::clone)?;
            let mut training = train.rows().clone();
            apply_path(setting, states, &mut training)?;
            let mut held_out = held_out_rows.clone();
            apply_path(setting, states, &mut held_out)?;
            Ok((train.with_rows(training), held_out))
        });
        Self {
            prepared: prepared.collect(),
            held_out: held_out.into_iter().map(|row| row as u32).collect(),
        }
    }
}

pub fn select(
    inputs: &Inputs<'_>,
    case: usize,
    placed: &Placed,
    chain: &Chain,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let fitted =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let matrices = matrices(inputs, case, placed, frame, &fitted);
    let mut known = matrices.known_states();
    let (_, select) = procedure(inputs, case);
    for (node, value) in (inputs.shared)() {
        let Work::Select { selector, .. } = inputs.plan.graph[node].work else {
            continue;
        };
        let earlier = FittedChain::from_bytes(input!(&value, Fitted, "fitted steps"))?;
        know(&select[selector], &earlier.paths, &mut known);
    }
    let paths = fit_select(chain, &matrices, &mut known);
    Ok(Value::Fitted(FittedChain { paths }.to_bytes()))
}

/// A selector's states on prepared training rows: by setting of the preparation, then by path. `known`
/// has those of other selectors on the same rows, by setting of the preparation.
pub fn fit_select(
    chain: &Chain,
    matrices: &Matrices,
    known: &mut [KnownStates],
) -> Paths {
    let settings = chain.fit_paths().setting_of;
    let mut paths = Vec::new();
    for (prepared, known) in matrices.prepared.iter().zip(known) {
        for &setting in &settings {
            paths.push(match prepared {
                Ok((train, _)) => fit_known((chain, setting), train, known),
                Err(why) => Err(why.clone()),
            });
        }
    }
    paths
}

/// Takes the states of a selector's paths among those that are known.
fn know(chain: &Chain, paths: &Paths, known: &mut [KnownStates]) {
    let settings = chain.fit_paths().setting_of;
    for (paths, known) in paths.chunks(settings.len()).zip(known) {
        for (&setting, states) in settings.iter().zip(paths) {
            // A failure does not say which step it was.
            let Ok(states) = states else { continue };
            let states = states.iter().cloned().map(Ok);
            known.extend(chain.states(setting).into_iter().zip(states));
        }
    }
}

/// `first` is the number of the first candidate of this selector and learner.
pub fn score(
    inputs: &Inputs<'_>,
    case: usize,
    placed: &Placed,
    (selector, learner): (&Chain, &Chain),
    first: usize,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let select =
        FittedChain::from_bytes(input!(&inputs.values[2], Fitted, "fitted steps"))?;
    let matrices = matrices(inputs, case, placed, frame, &prepare);
    let survivors = match inputs.values.get(3) {
        Some(value) => Some(input!(value, Survivors, "survivors")),
        None => None,
    };
    let place = &placed.name;
    let chains = (selector, learner);
    let survivors = (first, survivors);
    let scored =
        score_all(inputs.study, place, &matrices, &select.paths, chains, survivors);
    Ok(Value::Scores(scored))
}

/// Every setting of a learner after every setting of a selector. Those that fell behind on other
/// inner splits are not fitted; `first` is the number of the first candidate.
pub fn score_all(
    study: &Study,
    place: &str,
    matrices: &Matrices,
    states: &Paths,
    (selector, learner): (&Chain, &Chain),
    (first, survivors): (usize, Option<&Survivors>),
) -> ScoredSplit {
    let paths = selector.fit_paths();
    let left_out = || survivors.expect("only a race leaves any out").left_out();
    let mut candidate = first;
    let mut candidates = Vec::new();
    for (position, prepared) in matrices.prepared.iter().enumerate() {
        for (setting, path) in selector.settings.iter().zip(&paths.of_setting) {
            let goes_on: Vec<bool> = (0..learner.settings.len())
                .map(|at| survivors.is_none_or(|s| s.go_on[candidate + at]))
                .collect();
            candidate += learner.settings.len();
            if !goes_on.contains(&true) {
                candidates.extend(vec![without(left_out()); goes_on.len()]);
                continue;
            }
            let selected =
                prepared.as_ref().map_err(String::clone).and_then(|(train, held)| {
                    let states = &states[position * paths.setting_of.len() + path];
                    let states = states.as_ref().map_err(String::clone)?;
                    let mut training = train.rows().clone();
                    apply_path(setting, states, &mut training)?;
                    let mut held_out = held.clone();
                    apply_path(setting, states, &mut held_out)?;
                    Ok((train.with_rows(training), held_out))
                });
            let (train, held_out) = match &selected {
                Ok(selected) => selected,
                Err(why) => {
                    candidates.extend(goes_on.into_iter().map(|goes_on| match goes_on {
                        true => without(NoScore::Failed(why.clone())),
                        false => without(left_out()),
                    }));
                    continue;
                }
            };
            let before = prepared.as_ref().map_or(0, |(train, _)| train.rows().p());
            let null = is_null(before, train.rows());
            let uses: Vec<&Use> = learner
                .settings
                .iter()
                .zip(&goes_on)
                .filter(|(_, goes_on)| **goes_on)
                .map(
                    |(setting, _)| {
                        if null { &study.null_model } else { &setting.steps[0] }
                    },
                )
                .collect();
            let mut scores = learn(study, place, &uses, train, held_out).into_iter();
            candidates.extend(goes_on.into_iter().map(|goes_on| match goes_on {
                true => {
                    let scores = scores.next().expect("each that goes on is fitted");
                    CandidateScores { scores: scores.map_err(NoScore::Failed), null }
                }
                false => without(left_out()),
            }));
        }
    }
    ScoredSplit { rows: matrices.held_out.clone(), candidates }
}

fn without(why: NoScore) -> CandidateScores {
    CandidateScores { scores: Err(why), null: false }
}

/// Whether the null model stands in for a learner: the selector kept none of the columns that the
/// preparation leaves. Where that leaves none, the learner says so itself.
pub fn is_null(prepared: usize, selected: &Rows) -> bool {
    prepared > 0 && selected.p() == 0
}

/// Fits settings of one learner and scores the held-out rows with each.
pub fn learn(
    study: &Study,
    place: &str,
    uses: &[&Use],
    train: &Train,
    held_out: &Rows,
) -> Vec<Result<Vec<f64>, String>> {
    if let Some(column) = train.rows().categorical() {
        let failure = Failure::Categories(column.to_string());
        return vec![Err(named(uses[0], failure)); uses.len()];
    }
    let settings: Vec<&dyn AnyLearner> = uses.iter().map(|used| instance(used)).collect();
    let mut streams: Vec<Stream> =
        uses.iter().map(|used| stream(study, place, used)).collect();
    let scores = settings[0].fit_and_predict(&settings, train, &mut streams, held_out);
    let checked = scores.into_iter().zip(uses);
    checked.map(|(scores, used)| in_range(used, scores, held_out.n())).collect()
}

pub fn instance(learner: &Use) -> &dyn AnyLearner {
    match &learner.instance {
        Instance::Learner(instance) => &**instance,
        _ => unreachable!("`spec` puts learners here"),
    }
}

/// The random numbers of a fit, named by its place and by what they may depend on.
fn stream(study: &Study, place: &str, learner: &Use) -> Stream {
    let digest = learner.stream_digest().hex();
    Stream::new(study.seed, &["fit", learner.about.name, place, &digest])
}

fn named(learner: &Use, failure: Failure) -> String {
    format!("{}: {failure}", learner.about.name)
}

/// Fits one learner; `place` names its stream of random numbers.
pub fn fit_learner(
    study: &Study,
    place: &str,
    learner: &Use,
    train: &Train,
) -> Result<Vec<u8>, String> {
    if let Some(column) = train.rows().categorical() {
        return Err(named(learner, Failure::Categories(column.to_string())));
    }
    let mut stream = stream(study, place, learner);
    instance(learner).fit(train, &mut stream).map_err(|failure| named(learner, failure))
}

/// What a fitted learner says of each row: probabilities or decision values.
pub fn predicted(learner: &Use, model: &[u8], rows: &Rows) -> Result<Vec<f64>, String> {
    in_range(learner, instance(learner).predict(model, rows), rows.n())
}

/// The same, if there is one for each row and each means something.
fn in_range(
    learner: &Use,
    scores: Result<Vec<f64>, Failure>,
    n: usize,
) -> Result<Vec<f64>, String> {
    let scores = scores.map_err(|failure| named(learner, failure))?;
    let fits = |score: &f64| match instance(learner).output() {
        Output::Probability => (0.0..=1.0).contains(score),
        Output::DecisionValue => score.is_finite(),
    };
    if scores.len() != n || !scores.iter().all(fits) {
        return Err(named(learner, Failure::NotFinite("a prediction".to_string())));
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::data::{FrameColumn, Split};

    const CHAINS: &str = "  - [anova: { k: 3 }, lasso: { k: [1, 2] }]
  - anova: { k: [1, 2] }
  - [anova: { k: 3 }, welch: { k: 1 }]
  - [anova: { k: 2 }, welch: { k: 1 }]
";

    fn study() -> Study {
        let quickstart = include_str!("../../../studies/quickstart.yaml");
        let text =
            quickstart.replacen("  - all\n  - anova: { k: [2, 4, 8] }\n", CHAINS, 1);
        assert_ne!(text, quickstart);
        let parsed = crate::spec::read(&text, &Catalog::standard());
        parsed.study.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
    }

    /// Four columns, of which the first tells the classes best.
    fn matrices() -> Matrices {
        let n = 40;
        let column = |at: usize| FrameColumn {
            name: format!("c{at}").into(),
            values: (0..n)
                .map(|row| ((row * (7 + at)) % 13) as f64 + (row % 2 * (4 - at)) as f64)
                .collect(),
        };
        let rows = Rows::new((0..4).map(column).collect(), n);
        let frame = Frame { rows, failed: vec![None; n] };
        let outcome: Vec<_> = (0..n).map(|row| Some(row % 2 == 1)).collect();
        let everybody: Vec<u32> = (0..n as u32).collect();
        let split = Split { train: everybody.clone(), held_out: everybody.clone() };
        let train = split.train(&frame, &outcome, &everybody);
        let held_out = train.rows().clone();
        Matrices { prepared: vec![Ok((train, held_out))], held_out: everybody }
    }

    #[test]
    fn chains_share_the_state_of_a_step_that_they_begin_with() {
        let study = study();
        let select = &study.models[0].select;
        assert_eq!(select.len(), 4);
        let matrices = matrices();
        let alone =
            |at: usize| fit_select(&select[at], &matrices, &mut matrices.known_states());
        let mut known = matrices.known_states();
        know(&select[1], &alone(1), &mut known);
        assert_eq!(known[0].len(), 1, "one ranking serves every `k`");
        assert_eq!(fit_select(&select[0], &matrices, &mut known), alone(0));
        assert_eq!(fit_select(&select[2], &matrices, &mut known), alone(2));
        // The second step of the last chain stands behind another `k`: it is not the same.
        let before = known[0].len();
        assert_eq!(fit_select(&select[3], &matrices, &mut known), alone(3));
        assert_eq!(known[0].len(), before + 1);
    }

    #[test]
    fn a_known_state_is_taken_and_not_fitted_again() {
        let study = study();
        let select = &study.models[0].select;
        let matrices = matrices();
        let mut known = matrices.known_states();
        let marked: Result<Vec<u8>, String> = Err("taken".to_string());
        known[0].insert(select[1].states(0)[0].clone(), marked);
        for at in [0, 2, 3] {
            for path in fit_select(&select[at], &matrices, &mut known) {
                assert_eq!(path, Err("taken".to_string()));
            }
        }
    }
}
