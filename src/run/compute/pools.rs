//! Held-out predictions pooled within each repeat, and resamples of their patients.

use std::collections::BTreeMap;

use super::Inputs;
use super::measured::{Held, How, levels};
use super::resamples::{Purpose, Resamples};
use super::winner::Chosen;
use crate::data::Predictions;
use crate::math::decimal;
use crate::operation::{AnyMetric, Instance, Scored};
use crate::plan::Case;
use crate::spec::Study;
use crate::statistics::{half_step, inwards};

/// The rows of one repeat, fold after fold.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    pub truth: Vec<bool>,
    pub scores: Vec<f64>,
    /// Each fold at its own threshold; empty where none is applied.
    pub decisions: Vec<bool>,
    pub thresholds: Vec<f64>,
    /// The row of the cohort.
    pub rows: Vec<u32>,
    /// The fold of the repeat.
    pub folds: Vec<u32>,
    /// Position of what each row is drawn with.
    clusters: Vec<usize>,
}

impl Pool {
    pub fn scored(&self) -> Scored<'_> {
        Scored {
            truth: &self.truth,
            scores: &self.scores,
            decisions: &self.decisions,
            thresholds: &self.thresholds,
        }
    }

    /// With what each row is drawn, as a position among the weights of [`Pools::reweigh`].
    pub fn units(&self) -> &[usize] {
        &self.clusters
    }

    /// The rows for which `keeps` holds.
    pub fn only(&self, keeps: &dyn Fn(u32) -> bool) -> Self {
        let places = 0..self.rows.len() as u32;
        let kept: Vec<u32> = places.filter(|&at| keeps(self.rows[at as usize])).collect();
        self.copied(&kept)
    }

    /// Copies of the rows, each as often as it was drawn.
    pub fn drawn(&self, counts: &[u32]) -> Self {
        let places = 0..self.rows.len() as u32;
        let copies = places
            .zip(counts)
            .flat_map(|(at, count)| std::iter::repeat_n(at, *count as usize));
        self.copied(&copies.collect::<Vec<u32>>())
    }

    /// Copies of the rows at these places.
    pub fn copied(&self, places: &[u32]) -> Self {
        Self {
            truth: values_at(&self.truth, places),
            scores: values_at(&self.scores, places),
            decisions: values_at(&self.decisions, places),
            thresholds: values_at(&self.thresholds, places),
            rows: values_at(&self.rows, places),
            folds: values_at(&self.folds, places),
            clusters: Vec::new(),
        }
    }
}

/// Without those that have no value, as where no threshold is applied.
fn values_at<T: Copy>(values: &[T], places: &[u32]) -> Vec<T> {
    places.iter().filter_map(|at| values.get(*at as usize)).copied().collect()
}

/// The rows of a repeat by what they are drawn with.
struct Members {
    /// Of each cluster the place of its first row in `rows`, and the end of all.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Members {
    fn new(clusters: &[usize], n_clusters: usize) -> Self {
        let mut rows: Vec<u32> = (0..clusters.len() as u32).collect();
        rows.sort_by_key(|row| clusters[*row as usize]);
        let mut starts = vec![0; n_clusters + 1];
        clusters.iter().for_each(|cluster| starts[cluster + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { starts, rows }
    }

    fn of(&self, cluster: usize) -> &[u32] {
        &self.rows[self.starts[cluster] as usize..self.starts[cluster + 1] as usize]
    }

    fn each(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.starts.len() - 1).map(|cluster| self.of(cluster))
    }
}

/// Rows that are drawn together, since they are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clusters {
    Patients,
    /// Of a cohort that the model was not made in.
    Sites,
}

/// With fewer sites than these their resamples say little of further sites.
const FEW_SITES: usize = 10;

/// The pools of all repeats.
pub struct Pools {
    pub repeats: Vec<Pool>,
    /// By repeat.
    members: Vec<Members>,
    n_clusters: usize,
    /// What is drawn together.
    clusters: Clusters,
    /// Probabilities that were moved away from 0 or 1, of all, and the farthest that one was moved.
    moved: usize,
    of: usize,
    by: f64,
}

/// By row of an external cohort: the number of its site, where there are enough of them. Rows without
/// a site stand alone.
fn sites(inputs: &Inputs<'_>, held: &Held<'_>) -> Option<Vec<u32>> {
    let cohort = &inputs.study.cohorts[held.cohort];
    let column = cohort.site.as_ref().filter(|_| held.external)?;
    let cells = levels(inputs, held.cohort, column)?;
    let known = cells.iter().flatten().max().map_or(0, |most| *most as usize + 1);
    let numbered =
        |(row, cell): (usize, &Option<u32>)| cell.unwrap_or_else(|| (known + row) as u32);
    (known >= FEW_SITES).then(|| cells.iter().enumerate().map(numbered).collect())
}

/// The step between neighbouring probabilities of what made these predictions of a case.
pub fn step(study: &Study, case: Case, fold: &Predictions) -> Option<f64> {
    let model = &study.models[case.model];
    let (prepare, select) = (&model.branches[case.branch].prepare, &model.select);
    let chosen = Chosen::of(study, prepare, select, fold.candidate?);
    match &chosen.learner.instance {
        Instance::Learner(learner) => learner.resolution(),
        _ => unreachable!("`spec` puts learners here"),
    }
}

impl Pools {
    /// Pools predictions; for logarithms, those of 0 or 1 are moved half a step of their learner.
    pub fn of(inputs: &Inputs<'_>, held: &Held<'_>, logarithms: bool) -> Self {
        let cohort = &inputs.study.cohorts[held.cohort].name;
        let patients = &inputs.survey.cohorts[cohort].groups;
        let sites = sites(inputs, held);
        let clusters = if sites.is_some() { Clusters::Sites } else { Clusters::Patients };
        let groups = sites.as_deref().unwrap_or(patients);
        let mut number: BTreeMap<u32, usize> = BTreeMap::new();
        for fold in held.repeats.iter().flatten() {
            for row in &fold.rows {
                number.insert(groups[*row as usize], 0);
            }
        }
        number.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let n_clusters = number.len();
        let (mut moved, mut of, mut by) = (0, 0, 0.0f64);
        let mut repeats = Vec::new();
        for folds in &held.repeats {
            let mut pool = Pool::default();
            for (at, fold) in folds.iter().enumerate() {
                let mut scores = fold.scores.clone();
                if logarithms {
                    let step = step(inputs.study, inputs.plan.cases[held.case], fold);
                    let here = inwards(&mut scores, step);
                    moved += here;
                    of += scores.len();
                    if here > 0 {
                        by = by.max(half_step(step));
                    }
                }
                if let Some(threshold) = fold.threshold {
                    pool.decisions.extend(fold.scores.iter().map(|s| *s >= threshold));
                    pool.thresholds.extend(fold.scores.iter().map(|_| threshold));
                }
                pool.truth.extend(&fold.truth);
                pool.scores.extend(scores);
                pool.rows.extend(&fold.rows);
                pool.folds.extend(fold.rows.iter().map(|_| at as u32));
                let of_rows = fold.rows.iter().map(|row| number[&groups[*row as usize]]);
                pool.clusters.extend(of_rows);
            }
            repeats.push(pool);
        }
        let members =
            repeats.iter().map(|pool: &Pool| Members::new(&pool.clusters, n_clusters));
        let members = members.collect();
        Self { members, n_clusters, clusters, moved, of, by, repeats }
    }

    /// What a metric is computed on. One set of rows is ranked by its decision values, where the
    /// metric looks at ranks alone; those of several folds have no scale in common.
    pub fn of_metric(
        inputs: &Inputs<'_>,
        held: &Held<'_>,
        metric: &dyn AnyMetric,
    ) -> Self {
        let pools = Self::of(inputs, held, metric.scale().logarithms);
        match metric.ranks_only() && held.how == How::Once {
            true => pools.ranked(held),
            false => pools,
        }
    }

    /// The same rows with what they are ranked by in each fold in the place of probabilities.
    pub fn ranked(mut self, held: &Held<'_>) -> Self {
        for (pool, folds) in self.repeats.iter_mut().zip(&held.repeats) {
            pool.scores = folds.iter().flat_map(|fold| fold.ranks().to_vec()).collect();
        }
        self
    }

    /// With another model's predictions for the same rows after these.
    pub fn beside(mut self, other: Self) -> Self {
        self.repeats.extend(other.repeats);
        self.members.extend(other.members);
        self
    }

    /// How many of what is drawn together have a row that counts, as a mean over repeats.
    pub fn with_any(&self, counts: &dyn Fn(&Pool) -> usize) -> f64 {
        let mut all = 0usize;
        for (pool, members) in self.repeats.iter().zip(&self.members) {
            for rows in members.each().filter(|rows| !rows.is_empty()) {
                all += usize::from(counts(&pool.copied(rows)) > 0);
            }
        }
        all as f64 / self.repeats.len().max(1) as f64
    }

    /// How many pairs of a positive and a negative have nothing in common at least, if no two of
    /// them share what is drawn together.
    pub fn disjoint_pairs(&self) -> usize {
        let positive = self.with_any(&|pool| pool.truth.iter().filter(|t| **t).count());
        let negative = self.with_any(&|pool| pool.truth.iter().filter(|t| !**t).count());
        positive.min(negative).min(self.n_clusters as f64 / 2.0) as usize
    }

    /// What resamples are drawn of, such as `54 patients`.
    pub fn drawn_of(&self) -> String {
        format!("{} {}", self.n_clusters, self.drawn())
    }

    /// What is drawn together, in a word.
    pub fn drawn(&self) -> &'static str {
        match self.clusters {
            Clusters::Patients => "patients",
            Clusters::Sites => "sites",
        }
    }

    /// Leaves out repeats without a prediction.
    pub fn drop_empty(&mut self) {
        let keep: Vec<bool> = self.repeats.iter().map(|p| !p.truth.is_empty()).collect();
        let mut at = keep.iter();
        self.repeats.retain(|_| *at.next().unwrap_or(&false));
        let mut at = keep.iter();
        self.members.retain(|_| *at.next().unwrap_or(&false));
    }

    /// Whether some rows of one repeat are drawn together.
    pub fn clustered(&self) -> bool {
        self.members.iter().flat_map(Members::each).any(|rows| rows.len() > 1)
    }

    /// Whether rows for which `one` holds are drawn together with others.
    pub fn shared(&self, one: &dyn Fn(u32) -> bool) -> bool {
        let mut met = vec![[false; 2]; self.n_clusters];
        for pool in &self.repeats {
            for (row, cluster) in pool.rows.iter().zip(&pool.clusters) {
                met[*cluster][usize::from(one(*row))] = true;
            }
        }
        met.contains(&[true; 2])
    }

    /// Says in a method how many probabilities were moved, and how far.
    pub fn add_moved(&self, method: String) -> String {
        if self.moved == 0 {
            return method;
        }
        format!(
            "{method}; {} of {} probabilities were 0 or 1 and moved inwards, by {} at most",
            self.moved,
            self.of,
            decimal(self.by)
        )
    }

    /// How often each of what is drawn together counts, in each of so many resamples. As many patients
    /// with a positive row are drawn as there are, and as many of the others; sites are drawn as one.
    ///
    /// Source: efron1993, chapter 13.
    pub fn reweigh(
        &self,
        resamples: &Resamples,
        times: usize,
        of: &mut dyn FnMut(&[u32]),
    ) {
        let mut positive = vec![false; self.n_clusters];
        for pool in &self.repeats {
            for (class, cluster) in pool.truth.iter().zip(&pool.clusters) {
                positive[*cluster] |= class;
            }
        }
        let all = 0..self.n_clusters;
        let strata: Vec<Vec<usize>> = match self.clusters {
            Clusters::Patients => [true, false]
                .map(|class| all.clone().filter(|at| positive[*at] == class).collect())
                .into(),
            Clusters::Sites => vec![all.collect()],
        };
        let sizes: Vec<usize> = strata.iter().map(Vec::len).collect();
        let strata = strata.concat();
        let mut weights = vec![0; self.n_clusters];
        resamples.each(Purpose::Curves, &sizes, times, &mut |counts| {
            for (at, count) in strata.iter().zip(counts) {
                weights[*at] = *count;
            }
            of(&weights);
        });
    }

    /// What is drawn of each class apart, in words.
    pub fn drawn_apart(&self) -> &'static str {
        match self.clusters {
            Clusters::Patients => ", of those with and without the outcome apart",
            Clusters::Sites => "",
        }
    }

    /// Hands over how often each row is in each resample of patients, by repeat.
    ///
    /// Patients are drawn with replacement, all their rows with them, the same ones in every repeat; in
    /// an external cohort of ten sites or more, sites are.
    /// Every measure of the same rows sees the same resamples, since the seed alone names them.
    ///
    /// Source: efron1993, chapter 13.
    pub fn redraw(
        &self,
        resamples: &Resamples,
        times: usize,
        of: &mut dyn FnMut(&[Vec<u32>]),
    ) {
        if self.n_clusters == 0 {
            return;
        }
        let rows = |pool: &Pool| vec![0; pool.rows.len()];
        let mut drawn: Vec<Vec<u32>> = self.repeats.iter().map(rows).collect();
        resamples.each(Purpose::Patients, &[self.n_clusters], times, &mut |clusters| {
            for (pool, drawn) in self.repeats.iter().zip(&mut drawn) {
                for (count, cluster) in drawn.iter_mut().zip(&pool.clusters) {
                    *count = clusters[*cluster];
                }
            }
            of(&drawn);
        });
    }

    /// A value of each of these resamples; those that have none are left out.
    pub fn values(
        &self,
        resamples: &Resamples,
        times: usize,
        of: &mut dyn FnMut(&[Vec<u32>]) -> Option<f64>,
    ) -> Vec<f64> {
        let mut values = Vec::with_capacity(times);
        self.redraw(resamples, times, &mut |drawn| values.extend(of(drawn)));
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_belong_to_what_they_are_drawn_with() {
        let members = Members::new(&[1, 0, 1, 3], 4);
        assert_eq!(members.each().map(<[u32]>::len).collect::<Vec<_>>(), [1, 2, 0, 1]);
    }

    #[test]
    fn rows_are_copied_as_often_as_they_were_drawn() {
        let pool = Pool {
            truth: vec![true, false, true],
            scores: vec![0.3, 0.2, 0.1],
            rows: vec![7, 8, 9],
            folds: vec![0, 1, 1],
            ..Pool::default()
        };
        let copies = pool.drawn(&[2, 0, 1]);
        assert_eq!(copies.truth, [true; 3]);
        assert_eq!(
            (&copies.scores[..], &copies.rows[..]),
            (&[0.3, 0.3, 0.1][..], &[7, 7, 9][..])
        );
        assert!(copies.decisions.is_empty(), "where no threshold is applied");
    }
}
