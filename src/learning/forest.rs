//! What the learners of independent trees share: the fitted forest, and how several are grown
//! as one.

use super::usable::{predictable, usable};
use crate::math::Draws;
use crate::math::trees::{
    Growth, Redraw, Samples, Top, Trees, Unseen, grow_forest, normalised,
};
use crate::operation::prelude::*;

/// What was learned: the trees, and what they say of themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forest {
    /// Number of columns of the training rows.
    columns: usize,
    /// Leaves hold the weighted share of positive rows.
    trees: Trees,
    /// How the trees do on the rows that they were not grown on; without redrawn rows none are.
    out_of_bag: Option<OutOfBag>,
    /// Of each column its part of the decrease of impurity.
    importance: Vec<f64>,
}

/// How well rows are predicted by the trees that have not seen them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutOfBag {
    /// The rows that some tree has not seen.
    rows: usize,
    /// Share of rows on the right side of one half; a row at one half is half right.
    accuracy: f64,
    /// Mean squared difference between class and predicted share.
    brier: f64,
}

/// A forest that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wanted {
    pub(super) trees: usize,
    pub(super) redraw: Redraw,
    pub(super) growth: Growth,
}

impl Wanted {
    /// Whether one forest, cut to size, serves both.
    fn shares_with(&self, other: &Self) -> bool {
        let depth = self.growth.depth;
        let growth = Growth { depth, ..other.growth };
        self.redraw == other.redraw && self.growth == growth
    }
}

/// The trees of the training rows.
pub(super) fn samples(train: &Train) -> Samples<'_> {
    let columns = train.rows().columns().iter().map(|c| &c.values[..]).collect();
    Samples::new(columns, train.outcome(), train.groups())
}

/// Fits all forests, growing one for those that differ in depth and number of trees alone.
///
/// A tree is cut to its depth whether or not it was grown deeper, so sharing changes no bit.
pub(super) fn fit_all(
    wanted: &[Wanted],
    train: &Train,
    streams: &mut [Stream],
) -> Vec<Result<Forest, Failure>> {
    if let Err(failure) = usable(train) {
        return vec![Err(failure); wanted.len()];
    }
    let samples = samples(train);
    let draws: Vec<Draws> = streams.iter_mut().map(Draws::from_stream).collect();
    let mut forests: Vec<Option<Forest>> = vec![None; wanted.len()];
    for first in 0..wanted.len() {
        if forests[first].is_some() {
            continue;
        }
        let together: Vec<usize> = (first..wanted.len())
            .filter(|&other| {
                draws[other] == draws[first] && wanted[first].shares_with(&wanted[other])
            })
            .collect();
        let of_these: Vec<Wanted> = together.iter().map(|&at| wanted[at]).collect();
        let fitted = grow_together(&of_these, &samples, draws[first]);
        for (at, forest) in together.into_iter().zip(fitted) {
            forests[at] = Some(forest);
        }
    }
    let each = forests.into_iter();
    each.map(|forest| Ok(forest.expect("every forest is in one group"))).collect()
}

/// Forests that differ in depth and number of trees alone.
fn grow_together(wanted: &[Wanted], samples: &Samples, draws: Draws) -> Vec<Forest> {
    let trees = wanted.iter().map(|of| of.trees).max().unwrap_or(0);
    let depth = wanted.iter().map(|of| of.growth.depth).max().unwrap_or(0);
    let growth = Growth { depth, ..wanted[0].growth };
    let redraw = wanted[0].redraw;
    let empty = Forest {
        columns: samples.p(),
        trees: Trees::default(),
        out_of_bag: None,
        importance: vec![0.0; samples.p()],
    };
    let mut forests = vec![(empty, Unseen::new(samples.n())); wanted.len()];
    grow_forest(samples, growth, redraw, trees, draws, |tree, nodes, times| {
        let asked = wanted.iter().zip(&mut forests);
        for (of, (forest, unseen)) in asked.filter(|(of, _)| tree < of.trees) {
            let top = Top { nodes, depth: of.growth.depth };
            top.add_to(&mut forest.trees);
            top.add_decreases(&mut forest.importance);
            unseen.add(top, samples, times);
        }
    });
    let finished = |(forest, unseen): (Forest, Unseen)| Forest {
        out_of_bag: out_of_bag(&unseen, samples),
        importance: normalised(forest.importance),
        ..forest
    };
    forests.into_iter().map(finished).collect()
}

fn out_of_bag(unseen: &Unseen, samples: &Samples) -> Option<OutOfBag> {
    let (mut rows, mut right, mut squares) = (0, 0.0, 0.0);
    for (share, positive) in unseen.shares(samples) {
        let class = f64::from(u8::from(positive));
        rows += 1;
        right += match share == 0.5 {
            true => 0.5,
            false => f64::from(u8::from((share > 0.5) == positive)),
        };
        squares += (class - share) * (class - share);
    }
    let n = rows as f64;
    (rows > 0).then(|| OutOfBag { rows, accuracy: right / n, brier: squares / n })
}

/// Values row by row, as trees ask for them. Shape: n × p.
pub(super) fn by_row(rows: &Rows) -> Vec<f64> {
    let p = rows.p();
    let mut values = vec![0.0; rows.n() * p];
    for (j, column) in rows.columns().iter().enumerate() {
        for (row, value) in column.values.iter().enumerate() {
            values[row * p + j] = *value;
        }
    }
    values
}

impl Forest {
    /// As a formula.
    pub(super) fn form(&self) -> Form {
        Form::Trees {
            trees: self.trees.clone(),
            columns: self.columns,
            start: 0.0,
            mean: true,
            then: Then::Nothing,
        }
    }

    /// The mean share over the trees.
    pub(super) fn predict(&self, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, self.columns)?;
        let mut sums = vec![0.0; rows.n()];
        self.trees.add_to(&by_row(rows), rows.p(), &mut sums);
        let n = self.trees.len() as f64;
        Ok(sums.into_iter().map(|sum| (sum / n).clamp(0.0, 1.0)).collect())
    }
}
