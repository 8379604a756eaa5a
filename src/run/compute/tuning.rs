//! Nodes that choose by inner scores, and what the choice says of held-out rows.

use std::cell::OnceCell;

use super::splits::{facts, instance, procedure};
use super::{ComputeError, Computed, Inputs, input};
use crate::data::{
    CandidateScores, Choice, FoldScores, Link, Member, NoScore, Predictions, ScoredSplit,
    Split, Survivors, Trial, Unscored, Value,
};
use crate::math::{ln, mean, sqrt, variance};
use crate::operation::{
    AnyMetric, AnyTuner, Contest, Direction, Instance, Output, Scored,
};
use crate::plan::Placed;
use crate::spec::{Chain, Study, Use, by_metric};
use crate::statistics::{linked, platt, platt_apart, recalibration};

/// A selector and a learner, by their numbers in the study.
pub type Cell = (usize, usize);

/// Every selector with every learner, in the order of the `score` nodes of a split.
pub fn all_cells(study: &Study, select: &[Chain]) -> Vec<Cell> {
    let with = |selector| (0..study.learn.len()).map(move |learner| (selector, learner));
    (0..select.len()).flat_map(with).collect()
}

/// The candidates of a case, in the order of its `score` nodes: by selector, learner, setting.
pub struct Candidates<'a> {
    study: &'a Study,
    /// By `score` node: its selector and learner, and how many candidates it holds.
    nodes: Vec<(Cell, usize)>,
}

impl<'a> Candidates<'a> {
    pub fn of(inputs: &Inputs<'a>, case: usize) -> Self {
        let (prepare, select) = procedure(inputs, case);
        Self::new(inputs.study, prepare, select)
    }

    pub fn new(study: &'a Study, prepare: &Chain, select: &[Chain]) -> Self {
        Self::in_cells(study, prepare, select, &all_cells(study, select))
    }

    /// Those of some selectors and learners alone.
    pub fn in_cells(
        study: &'a Study,
        prepare: &Chain,
        select: &[Chain],
        cells: &[Cell],
    ) -> Self {
        let nodes = cells.iter().map(|&(selector, learner)| {
            let prepared = prepare.settings.len() * select[selector].settings.len();
            ((selector, learner), prepared * study.learn[learner].settings.len())
        });
        Self { study, nodes: nodes.collect() }
    }

    /// How many `score` nodes a split has.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub fn len(&self) -> usize {
        self.first(self.nodes.len())
    }

    /// How many candidates a `score` node holds.
    pub fn of_node(&self, node: usize) -> usize {
        self.nodes[node].1
    }

    /// The number of the first candidate of a `score` node.
    pub fn first(&self, node: usize) -> usize {
        self.nodes[..node].iter().map(|(_, n)| n).sum()
    }

    /// The `score` node of a candidate, and its place there.
    pub fn locate(&self, candidate: usize) -> (usize, usize) {
        let mut left = candidate;
        for (node, &(_, n)) in self.nodes.iter().enumerate() {
            if left < n {
                return (node, left);
            }
            left -= n;
        }
        unreachable!("the tuner chose among these candidates")
    }

    /// By candidate: its selector and its learner.
    fn cells(&self) -> Vec<Cell> {
        self.nodes.iter().flat_map(|&(cell, n)| vec![cell; n]).collect()
    }

    /// The learner of a candidate, with the parameters of the first of its settings.
    pub fn learner(&self, candidate: usize) -> &'a Use {
        let (node, _) = self.locate(candidate);
        let ((_, learner), _) = self.nodes[node];
        &self.study.learn[learner].settings[0].steps[0]
    }

    pub fn decides(&self, candidate: usize) -> bool {
        instance(self.learner(candidate)).output() == Output::DecisionValue
    }
}

/// Probabilities of a candidate by inner split, or why there are none.
type Mapped = Vec<Result<Vec<f64>, NoScore>>;

/// A choice with the maps from decision values to probabilities of its members.
type Linked = (Choice, Vec<Option<Link>>);

/// The choice by each way, or why there is none, and all of them with their maps.
type Choices = (Vec<Result<Choice, String>>, Vec<Linked>);

/// The scores of all candidates on some inner splits.
pub struct Inner<'a> {
    /// By inner split and `score` node.
    pub splits: Vec<Vec<&'a ScoredSplit>>,
    pub candidates: Candidates<'a>,
    pub outcome: &'a [Option<bool>],
    /// Whose rows are whose.
    pub groups: &'a [u32],
    /// By candidate that gives decision values: its probabilities by inner split, once somebody asked.
    mapped: Vec<OnceCell<Mapped>>,
}

/// What one candidate said of the rows that an inner split held out.
struct Fold<'a> {
    rows: &'a [u32],
    truth: Vec<bool>,
    values: &'a [f64],
    /// Whether the values are probabilities of the null model.
    null: bool,
}

impl<'a> Inner<'a> {
    pub fn new(
        splits: Vec<Vec<&'a ScoredSplit>>,
        candidates: Candidates<'a>,
        outcome: &'a [Option<bool>],
        groups: &'a [u32],
    ) -> Self {
        let mapped = vec![OnceCell::new(); candidates.len()];
        Self { splits, candidates, outcome, groups, mapped }
    }

    /// From the values of `score` nodes, split by split. The inner error is why one failed.
    fn read(
        inputs: &'a Inputs<'_>,
        case: usize,
        from: usize,
    ) -> Result<Result<Self, String>, ComputeError> {
        let candidates = Candidates::of(inputs, case);
        let mut splits = Vec::new();
        for of_split in inputs.values[from..].chunks(candidates.nodes()) {
            let mut nodes = Vec::new();
            for value in of_split {
                match &**value {
                    Value::Scores(scored) => nodes.push(scored),
                    Value::Failed(why) => return Ok(Err(why.clone())),
                    other => return Err(ComputeError::Kind(other.kind(), "scores")),
                }
            }
            splits.push(nodes);
        }
        let (outcome, groups) = facts(inputs, case);
        Ok(Ok(Self::new(splits, candidates, outcome, groups)))
    }

    fn fold(&self, split: usize, candidate: usize) -> Result<Fold<'a>, &'a NoScore> {
        let (node, place) = self.candidates.locate(candidate);
        let scored = self.splits[split][node];
        let CandidateScores { scores, null } = &scored.candidates[place];
        let truth = truth(self.outcome, &scored.rows);
        Ok(Fold { rows: &scored.rows, truth, values: scores.as_ref()?, null: *null })
    }

    fn folds(
        &self,
        candidate: usize,
    ) -> impl Iterator<Item = Result<Fold<'a>, &'a NoScore>> {
        (0..self.splits.len()).map(move |split| self.fold(split, candidate))
    }

    /// The map from decision values to probabilities, learned on the folds that `wanted` takes. The null
    /// model has no decision values: where all of these folds are of it nothing ranks rows, and the map
    /// is flat.
    fn link(&self, candidate: usize, wanted: impl Fn(usize) -> bool) -> Option<Link> {
        let folds = self.folds(candidate).enumerate();
        let folds = folds.filter(|(at, _)| wanted(*at)).filter_map(|(_, fold)| fold.ok());
        let (null, folds): (Vec<Fold<'_>>, Vec<Fold<'_>>) =
            folds.partition(|fold| fold.null);
        let of = if folds.is_empty() { &null } else { &folds };
        let mut known = Vec::new();
        for fold in of {
            let values = fold.values.iter().map(|v| if fold.null { 0.0 } else { *v });
            let pairs = fold.truth.iter().copied().zip(values);
            known.extend(fold.rows.iter().copied().zip(pairs));
        }
        // By row, so that the order of splits does not reach the map.
        known.sort_by_key(|(row, _)| *row);
        let (truth, values): (Vec<bool>, Vec<f64>) =
            known.into_iter().map(|(_, pair)| pair).unzip();
        platt(&truth, &values)
    }

    /// Probabilities of one fold; those of decision values by a map from the other folds. Where those
    /// say nothing, as in the first rung of a race, by maps from other patients of the same fold.
    /// Either way no map has seen the row that it judges: the score is as honest as that of a learner
    /// of probabilities, and pays for what the map does not know.
    fn probabilities(&self, split: usize, candidate: usize) -> Result<&[f64], NoScore> {
        let fold = self.fold(split, candidate).map_err(NoScore::clone)?;
        if fold.null || !self.candidates.decides(candidate) {
            return Ok(fold.values);
        }
        let mapped = self.mapped[candidate].get_or_init(|| {
            let splits = 0..self.splits.len();
            splits.map(|split| self.mapped(split, candidate)).collect()
        });
        mapped[split].as_deref().map_err(NoScore::clone)
    }

    fn mapped(&self, split: usize, candidate: usize) -> Result<Vec<f64>, NoScore> {
        let fold = self.fold(split, candidate).map_err(NoScore::clone)?;
        let said = match self.link(candidate, |other| other != split) {
            Some(link) => {
                Some(fold.values.iter().map(|value| linked(link, *value)).collect())
            }
            None => {
                let groups: Vec<u32> =
                    fold.rows.iter().map(|row| self.groups[*row as usize]).collect();
                platt_apart(&fold.truth, fold.values, &groups)
            }
        };
        let why =
            || NoScore::Failed("no map to probabilities could be fitted".to_string());
        said.ok_or_else(why)
    }

    /// A candidate's metric on each inner split.
    fn scores(&self, metric: &dyn AnyMetric, candidate: usize) -> FoldScores {
        let folds = (0..self.splits.len()).map(|split| {
            let fold = self.fold(split, candidate).map_err(NoScore::clone)?;
            let scores = match metric.ranks_only() {
                true => fold.values,
                false => self.probabilities(split, candidate)?,
            };
            let scored = Scored { truth: &fold.truth, scores, ..Scored::default() };
            metric.compute(scored).map_err(|failure| NoScore::Failed(failure.to_string()))
        });
        FoldScores { folds: folds.collect() }
    }

    /// The same of all candidates.
    fn all_scores(&self, metric: &dyn AnyMetric) -> Vec<FoldScores> {
        let candidates = 0..self.candidates.len();
        candidates.map(|candidate| self.scores(metric, candidate)).collect()
    }

    /// A candidate's probabilities over all folds by row, decision values mapped by `link`.
    fn out_of_fold(&self, candidate: usize, link: Option<Link>) -> Vec<(u32, bool, f64)> {
        let mut known = Vec::new();
        for fold in self.folds(candidate).flatten() {
            for ((row, class), value) in
                fold.rows.iter().zip(&fold.truth).zip(fold.values)
            {
                let link = link.filter(|_| !fold.null);
                let value = link.map_or(*value, |link| linked(link, *value));
                known.push((*row, *class, value));
            }
        }
        known.sort_by_key(|(row, ..)| *row);
        known
    }

    /// The map of a candidate from all its folds, where it gives decision values.
    pub fn own_link(&self, candidate: usize) -> Result<Option<Link>, String> {
        if !self.candidates.decides(candidate) {
            return Ok(None);
        }
        let link = self.link(candidate, |_| true);
        link.map(Some).ok_or("no map to probabilities could be fitted".to_string())
    }

    /// The choice's probabilities over all folds, in order of the rows: truth and probability.
    fn chosen(
        &self,
        choice: &Choice,
        inner: &[Split],
    ) -> Result<(Vec<bool>, Vec<f64>), String> {
        if choice.falls_back {
            return Ok(self.prevalences(inner));
        }
        let mut sums: Option<Vec<(u32, bool, f64)>> = None;
        for member in &choice.members {
            let link = self.own_link(member.candidate)?;
            let of_member = self.out_of_fold(member.candidate, link);
            let sums = sums.get_or_insert_with(|| {
                of_member.iter().map(|(row, class, _)| (*row, *class, 0.0)).collect()
            });
            if sums.len() != of_member.len() {
                return Err("members of the choice know different rows".to_string());
            }
            for (sum, (_, _, value)) in sums.iter_mut().zip(of_member) {
                sum.2 = (sum.2 + member.weight * value).min(1.0);
            }
        }
        Ok(sums.into_iter().flatten().map(|(_, class, value)| (class, value)).unzip())
    }

    /// What the prevalence of each inner training set says of the rows that it has not seen.
    fn prevalences(&self, inner: &[Split]) -> (Vec<bool>, Vec<f64>) {
        let mut known: Vec<(u32, bool, f64)> = Vec::new();
        for split in inner {
            let share = prevalence(self.outcome, &split.train);
            let truth = truth(self.outcome, &split.held_out);
            let pairs = split.held_out.iter().zip(truth);
            known.extend(pairs.map(|(row, class)| (*row, class, share)));
        }
        known.sort_by_key(|(row, ..)| *row);
        known.into_iter().map(|(_, class, share)| (class, share)).unzip()
    }

    /// Everything that a choice by these metrics asks of each candidate; `inner` are the splits, and there
    /// are gains where a choice may fall back.
    pub fn trials(
        &self,
        metrics: &[&Use],
        falls_back: bool,
        inner: &[Split],
    ) -> Vec<Trial> {
        let trial = |candidate| {
            let scores = metrics.iter().map(|by| {
                let folds = self.scores(metric(by), candidate).folds;
                folds.into_iter().collect()
            });
            let alone = [Member { candidate, weight: 1.0 }];
            Trial {
                scores: scores.collect(),
                gains: falls_back.then(|| self.gains(&alone, inner)).flatten(),
                link: self.own_link(candidate),
            }
        };
        (0..self.candidates.len()).map(trial).collect()
    }

    /// By inner split: how much lower the log loss of a choice of these members is than that of the
    /// prevalence. Nothing where a member has no probabilities.
    fn gains(&self, members: &[Member], inner: &[Split]) -> Option<Vec<f64>> {
        let mut gains = Vec::new();
        for (at, split) in inner.iter().enumerate().take(self.splits.len()) {
            let mut sums = Vec::new();
            let mut classes = Vec::new();
            for member in members {
                let probabilities = self.probabilities(at, member.candidate).ok()?;
                let fold = self.fold(at, member.candidate).ok()?;
                classes = fold.truth;
                sums.resize(probabilities.len(), 0.0);
                for (sum, p) in sums.iter_mut().zip(probabilities) {
                    *sum += member.weight * p;
                }
            }
            let share = vec![prevalence(self.outcome, &split.train); classes.len()];
            // Half of the smallest share that the training rows can show.
            let edge = 0.5 / split.train.len().max(1) as f64;
            gains
                .push(log_loss(&classes, &share, edge) - log_loss(&classes, &sums, edge));
        }
        Some(gains)
    }
}

/// Whether a choice with these gains fails to beat the prevalence on inner folds: its log loss is lower by
/// more than one corrected standard error, or it falls back.
fn falls_back(gains: Option<&[f64]>, inner: &[Split]) -> bool {
    let Some((gains, gain)) = gains.and_then(|gains| Some((gains, mean(gains)?))) else {
        return true;
    };
    let (mut held, mut trained) = (0, 0);
    for split in inner.iter().take(gains.len()) {
        held += split.held_out.len();
        trained += split.train.len();
    }
    let spread = variance(gains).unwrap_or(0.0);
    let ratio = held as f64 / trained.max(1) as f64;
    gain <= sqrt((1.0 / gains.len() as f64 + ratio) * spread)
}

fn log_loss(truth: &[bool], probabilities: &[f64], edge: f64) -> f64 {
    let losses: Vec<f64> = truth
        .iter()
        .zip(probabilities)
        .map(|(class, p)| {
            let p = p.clamp(edge, 1.0 - edge);
            -ln(if *class { p } else { 1.0 - p })
        })
        .collect();
    mean(&losses).unwrap_or(0.0)
}

pub fn prevalence(outcome: &[Option<bool>], rows: &[u32]) -> f64 {
    let classes = truth(outcome, rows);
    let positive = classes.iter().filter(|class| **class).count();
    positive as f64 / classes.len().max(1) as f64
}

pub fn truth(outcome: &[Option<bool>], rows: &[u32]) -> Vec<bool> {
    rows.iter()
        .map(|&row| outcome[row as usize].expect("splits hold rows with a known outcome"))
        .collect()
}

macro_rules! inner {
    ($inputs:expr, $case:expr, $from:expr) => {
        match Inner::read($inputs, $case, $from)? {
            Ok(inner) => inner,
            Err(why) => return Ok(Value::Failed(why)),
        }
    };
}

pub fn primary(study: &Study) -> &dyn AnyMetric {
    metric(&study.evaluate.primary)
}

pub fn metric(used: &Use) -> &dyn AnyMetric {
    match &used.instance {
        Instance::Metric(metric) => &**metric,
        _ => unreachable!("`spec` puts a metric here"),
    }
}

pub fn tuner(rule: &Use) -> &dyn AnyTuner {
    match &rule.instance {
        Instance::Tuner(tuner) => &**tuner,
        _ => unreachable!("`spec` puts a tuner here"),
    }
}

/// The candidates that are scored on further inner splits.
pub fn race(inputs: &Inputs<'_>, case: usize, rung: usize) -> Computed {
    let inner = inner!(inputs, case, 0);
    Ok(Value::Survivors(survivors(inputs.study, &inner, rung)))
}

/// The candidates that are scored on further inner splits after a rung, counted from 0.
pub fn survivors(study: &Study, inner: &Inner<'_>, rung: usize) -> Survivors {
    let metric = primary(study);
    let n = inner.candidates.len();
    let mut ranked: Vec<(usize, f64)> = Vec::new();
    for candidate in 0..n {
        let folds = inner.scores(metric, candidate).folds;
        let scores: Result<Vec<f64>, NoScore> = folds.into_iter().collect();
        ranked.extend(scores.ok().and_then(|s| mean(&s)).map(|mean| (candidate, mean)));
    }
    // Stable: the earlier written goes first among equals.
    ranked.sort_by(|a, b| match metric.scale().direction {
        Direction::HigherIsBetter => b.1.total_cmp(&a.1),
        Direction::LowerIsBetter => a.1.total_cmp(&b.1),
        Direction::Closest(best) => (a.1 - best).abs().total_cmp(&(b.1 - best).abs()),
    });
    let mut go_on = vec![false; n];
    for (candidate, _) in ranked.into_iter().take(study.evaluate.left(n, rung + 1)) {
        go_on[candidate] = true;
    }
    Survivors { go_on, after: inner.splits.len() }
}

/// The choice among all candidates, by the study's own rule and primary metric.
pub fn tune(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let inner = inner!(inputs, case, 0);
    let way = (&inputs.study.evaluate.tuner, &inputs.study.evaluate.primary);
    let chosen = choose(inputs.study, &[way], &inner, &placed.inner_splits).pop();
    let chosen = chosen.expect("each way comes to a choice or to none");
    Ok(chosen.map_or_else(Value::Failed, Value::Choice))
}

/// The choices by rules and metrics that a study may go over to, and the maps from decision values that
/// the members of each need, where these can be had.
pub fn alternatives(
    inputs: &Inputs<'_>,
    case: usize,
    placed: &Placed,
    choosing: usize,
) -> Result<Choices, ComputeError> {
    let Ok(inner) = Inner::read(inputs, case, 0)? else {
        return Ok((Vec::new(), Vec::new()));
    };
    let ways = inputs.study.evaluate.choosing[choosing].ways();
    let choices = choose(inputs.study, &ways, &inner, &placed.inner_splits);
    let with_links = choices.iter().flatten().filter_map(|choice| {
        let links = choice.members.iter().map(|of| inner.own_link(of.candidate));
        let links: Result<Vec<Option<Link>>, String> = links.collect();
        Some((choice.clone(), links.ok()?))
    });
    let with_links = with_links.collect();
    Ok((choices, with_links))
}

/// The same from scores at hand, by each of these rules and metrics or why not; `inner_splits` are theirs.
/// Ways of one metric that follow each other share its scores.
pub fn choose(
    study: &Study,
    ways: &[(&Use, &Use)],
    inner: &Inner<'_>,
    inner_splits: &[Split],
) -> Vec<Result<Choice, String>> {
    if inner_splits.is_empty() {
        return nothing_to_choose_by(ways.len());
    }
    let mut choices = Vec::with_capacity(ways.len());
    for of_metric in by_metric(ways) {
        let scores = inner.all_scores(metric(of_metric[0].1));
        choices.extend(
            of_metric
                .iter()
                .map(|way| chosen_by(study, *way, inner, &scores, inner_splits)),
        );
    }
    choices
}

/// The same by each way where there are no inner splits: one part of the training rows may have none.
fn nothing_to_choose_by(ways: usize) -> Vec<Result<Choice, String>> {
    vec![Err("there are no inner splits to choose by".to_string()); ways]
}

/// The same from trials, by `score` node and candidate; the rules choose by what each has by itself.
pub fn choose_tried(
    study: &Study,
    ways: &[(&Use, &Use)],
    candidates: &Candidates<'_>,
    tried: &[&[Trial]],
    inner_splits: &[Split],
) -> Vec<Result<Choice, String>> {
    if inner_splits.is_empty() {
        return nothing_to_choose_by(ways.len());
    }
    let all: Vec<&Trial> = tried.iter().copied().flatten().collect();
    let cells = candidates.cells();
    let mut choices = Vec::with_capacity(ways.len());
    for (at, of_metric) in by_metric(ways).enumerate() {
        let scores: Vec<FoldScores> = all
            .iter()
            .map(|trial| match &trial.scores[at] {
                Ok(scores) => {
                    FoldScores { folds: scores.iter().map(|s| Ok(*s)).collect() }
                }
                Err(why) => FoldScores { folds: vec![Err(why.clone())] },
            })
            .collect();
        for (rule, by) in of_metric {
            let contest = Contest {
                candidates: &scores,
                direction: metric(by).scale().direction,
                cells: &cells,
                // Rules that choose by scores do not ask what candidates say of each row.
                truth: &[],
                out_of_fold: &|_| None,
            };
            let gains = |choice: &Choice| {
                let candidate = choice.candidate.expect("it is asked of one alone");
                falls_back(all[candidate].gains.as_deref(), inner_splits)
            };
            choices.push(contested(study, rule, &contest, &gains));
        }
    }
    choices
}

/// The choice by a rule and a metric, by which `candidates` are scored.
fn chosen_by(
    study: &Study,
    (rule, by): (&Use, &Use),
    inner: &Inner<'_>,
    candidates: &[FoldScores],
    inner_splits: &[Split],
) -> Result<Choice, String> {
    let mut rows: Vec<u32> =
        inner_splits.iter().flat_map(|split| &split.held_out).copied().collect();
    rows.sort_unstable();
    let out_of_fold = |candidate: usize| {
        let link = inner.own_link(candidate).ok()?;
        let known = inner.out_of_fold(candidate, link);
        // Subjects without values, and candidates that failed on a split, know fewer rows.
        (known.len() == rows.len()).then(|| known.into_iter().map(|(.., p)| p).collect())
    };
    let contest = Contest {
        candidates,
        direction: metric(by).scale().direction,
        cells: &inner.candidates.cells(),
        truth: &truth(inner.outcome, &rows),
        out_of_fold: &out_of_fold,
    };
    contested(study, rule, &contest, &|choice| {
        let gains = inner.gains(&choice.members, inner_splits);
        falls_back(gains.as_deref(), inner_splits)
    })
}

/// What a rule chooses, and whether that falls back, which `fails` says of a choice where a study asks.
fn contested(
    study: &Study,
    rule: &Use,
    contest: &Contest<'_>,
    fails: &dyn Fn(&Choice) -> bool,
) -> Result<Choice, String> {
    let candidates = contest.candidates;
    match tuner(rule).choose(contest) {
        Some(mut choice) => {
            choice.unscored = candidates.iter().map(unscored).collect();
            choice.falls_back = study.evaluate.falls_back && fails(&choice);
            Ok(choice)
        }
        // No candidate has shown that it beats the prevalence.
        None if study.evaluate.falls_back => Ok(Choice {
            candidate: None,
            members: Vec::new(),
            inner: vec![None; candidates.len()],
            unscored: candidates.iter().map(unscored).collect(),
            falls_back: true,
        }),
        None => {
            let mut folds = candidates.iter().flat_map(|candidate| &candidate.folds);
            let why = folds.find_map(|fold| fold.as_ref().err());
            Err(format!(
                "no candidate has a score on every inner split: {}",
                why.map_or("there are no candidates".to_string(), NoScore::to_string)
            ))
        }
    }
}

/// Why a candidate has no score on some inner split. One that failed before it was left behind has
/// failed.
fn unscored(candidate: &FoldScores) -> Option<Unscored> {
    let mut why = candidate.folds.iter().filter_map(|fold| fold.as_ref().err());
    Some(match why.next()? {
        NoScore::LeftOut { .. } => Unscored::LeftBehind,
        NoScore::Failed(why) => Unscored::Failed(why.clone()),
    })
}

/// By member of the choice: the map from decision values to probabilities.
pub fn link(inputs: &Inputs<'_>, case: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let inner = inner!(inputs, case, 1);
    let links = choice.members.iter().map(|member| inner.own_link(member.candidate));
    let links: Result<Vec<Option<Link>>, String> = links.collect();
    Ok(links.map_or_else(Value::Failed, Value::Links))
}

/// Intercept and slope that make the choice's inner out-of-fold predictions calibrated.
pub fn calibrate(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let inner = inner!(inputs, case, 1);
    Ok(match inner.chosen(choice, &placed.inner_splits) {
        Ok((truth, scores)) => match recalibration(&truth, &scores) {
            Some((intercept, slope)) => Value::Calibration(intercept, slope),
            None => Value::Failed("no calibration map could be fitted".to_string()),
        },
        Err(why) => Value::Failed(why),
    })
}

/// The threshold by the study's rule, on the choice's inner out-of-fold predictions.
pub fn threshold(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let inner = inner!(inputs, case, 1);
    let rule = inputs.study.evaluate.threshold.as_ref();
    let Some(Instance::Calibrator(rule)) = rule.map(|rule| &rule.rule.instance) else {
        unreachable!("`plan` adds this node for a threshold rule")
    };
    let learned =
        inner.chosen(choice, &placed.inner_splits).and_then(|(truth, scores)| {
            rule.threshold(&truth, &scores).map_err(|failure| failure.to_string())
        });
    Ok(learned.map_or_else(Value::Failed, |threshold| Value::Threshold(Some(threshold))))
}

/// The choice's predictions on the rows that the outer split holds out.
pub fn predict(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let fit = input!(&inputs.values[1], Fit, "fit");
    let (outcome, _) = facts(inputs, case);
    let links = match inputs.values.get(2) {
        Some(value) => input!(value, Links, "links").clone(),
        None => vec![None; choice.members.len()],
    };
    let mut sums = vec![0.0f64; fit.rows.len()];
    let mut decision_values = None;
    let fitted = links.into_iter().zip(&fit.scores).enumerate();
    for (member, (at, (link, values))) in choice.members.iter().zip(fitted) {
        let link = link.filter(|_| !fit.is_null(at));
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += member.weight * link.map_or(*value, |link| linked(link, *value));
            *sum = sum.min(1.0); // Weights add up to 1 but for rounding.
        }
        if choice.members.len() == 1 && link.is_some() {
            decision_values = Some(values.clone());
        }
    }
    if choice.falls_back {
        sums = vec![prevalence(outcome, &placed.split.train); sums.len()];
        decision_values = None;
    }
    Ok(Value::Predictions(Predictions {
        rows: fit.rows.clone(),
        truth: truth(outcome, &fit.rows),
        scores: sums,
        decision_values,
        threshold: None,
        candidate: choice.candidate,
        falls_back: choice.falls_back,
    }))
}

/// Predictions with the threshold that decides by them.
pub fn decide(inputs: &Inputs<'_>) -> Computed {
    let predictions = input!(&inputs.values[0], Predictions, "predictions");
    let threshold = *input!(&inputs.values[1], Threshold, "threshold");
    Ok(Value::Predictions(Predictions { threshold, ..predictions.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_leave_fewer_and_never_none() {
        let left = |tune: &str, n, rungs| {
            let text = include_str!("../../../studies/quickstart.yaml").replacen(
                "  primary: auroc\n",
                &format!("  primary: auroc\n  tune: {tune}\n"),
                1,
            );
            let parsed = crate::spec::read(&text, &crate::catalog::Catalog::standard());
            parsed.study.expect("it is read").evaluate.left(n, rungs)
        };
        assert_eq!(left("successive_halving", 171, 1), 86);
        assert_eq!(left("successive_halving", 171, 3), 22);
        assert_eq!(left("{ successive_halving: { factor: 3 } }", 3, 5), 1);
        assert_eq!(left("best_mean", 171, 3), 171);
    }

    #[test]
    fn log_loss_is_bounded_by_its_edge() {
        let sure = log_loss(&[true, false], &[1.0, 1.0], 0.01);
        assert!((sure - (-ln(0.99) - ln(0.01)) / 2.0).abs() < 1e-12);
    }
}
