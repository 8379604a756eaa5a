//! Trees that each correct the sum of those before.

use super::class_weight::ClassWeight;
use super::forest::{by_row, samples};
use super::usable::{predictable, usable};
use crate::math::trees::{
    Booster, Boosting, Order, Run, Samples, Training, Trees, normalised,
};
use crate::math::{Draws, sigmoid};
use crate::operation::prelude::*;

/// Gradient boosting of trees.
///
/// Often the best learner for a few informative columns and their interactions; with few rows it
/// overfits unless `learning_rate`, `leaves` and `rounds` are held small. It needs no scaling.
///
/// # Computation
/// The score of a row starts at the log odds of the training rows, weighted by class like all else; each round adds a tree to it.
/// With slopes g = p − y and curvatures h = p(1 − p) of the logistic loss, a cut gains
/// G²ₗ/(Hₗ + λ) + G²ᵣ/(Hᵣ + λ) − G²/(H + λ) and a leaf says −`learning_rate`·G/(H + λ), with
/// λ = `l2` (Chen and Guestrin 2016). Values are put into at most `bins` groups of about equally
/// many rows, each distinct value its own when there are no more; cuts lie half-way between the
/// neighbouring values of the leaf that is split. `best_first` splits the leaf that gains most,
/// `by_level` the one nearest to the root, until there are `leaves` of them or none gains. Of
/// equal cuts the first column wins, then the lowest value.
///
/// The g and h of a tree are rounded to whole multiples of a unit each, 2⁻³⁰ of the power of 2 above the
/// sum of their sizes (2⁻⁵⁰ with more than 1,024 rows), so that G and H are the same in any order.
/// With a hundred rows leaves differ from those of unrounded sums by some 10⁻⁸.
///
/// With `patience`, a share `validation` of the subjects of each class is set aside, rounds end
/// after so many without a lower loss on them, and the model ends with the best round.
///
/// A grid over `rounds` is one run: fewer rounds are the first of more.
///
/// # Differences
/// From LightGBM: bins hold as few as one value, `min_child` counts rows where LightGBM estimates
/// their number from curvatures, slopes are not rounded to single precision, and cuts lie between
/// the values of the leaf, not at the edge of the bin. With equal parameters and its
/// `min_data_in_bin = 1` the trees split the same rows.
///
/// # Limits
/// Columns with more distinct values than `bins` are cut between groups of neighbouring values.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GradientBoosting {
    /// Number of trees; with `patience` at most so many.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub rounds: usize,
    /// How far each tree goes.
    #[schemars(range(min = 1e-6, max = 1.0), extend("x-tunable" = true))]
    pub learning_rate: f64,
    /// Most leaves of a tree.
    #[schemars(range(min = 2, max = 65_536), extend("x-tunable" = true))]
    pub leaves: usize,
    /// Longest path from the root to a leaf, in splits; null: no limit.
    #[schemars(range(min = 1, max = 1000), extend("x-tunable" = true))]
    pub depth: Option<u32>,
    /// Which leaf is split next.
    pub growth: LeafOrder,
    /// Fewest rows of a leaf.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub min_child: u32,
    /// Least sum of curvatures of a leaf.
    #[schemars(range(min = 0.0, max = 1e6), extend("x-tunable" = true))]
    pub min_curvature: f64,
    /// Penalty on what leaves say, λ.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-tunable" = true))]
    pub l2: f64,
    /// Share of the rows that each tree is grown on, drawn without replacement.
    #[schemars(range(min = 0.01, max = 1.0), extend("x-tunable" = true))]
    pub rows: f64,
    /// Share of the columns that each tree may ask for, at least one.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-tunable" = true))]
    pub columns: f64,
    /// Most groups that the values of a column are put into.
    #[schemars(range(min = 2, max = 65_536))]
    pub bins: usize,
    /// Rounds without a lower loss on the rows set aside after which it ends; null: never.
    #[schemars(range(min = 1, max = 100_000))]
    pub patience: Option<usize>,
    /// Share of the training subjects set aside for `patience`.
    #[schemars(range(min = 0.01, max = 0.9))]
    pub validation: f64,
    /// How much the rows of each class count.
    #[schemars(extend("x-tunable" = true))]
    pub class_weight: ClassWeight,
}

/// Which leaf is split next.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LeafOrder {
    /// The one that gains most.
    #[default]
    BestFirst,
    /// The one nearest to the root.
    ByLevel,
}

impl Default for GradientBoosting {
    fn default() -> Self {
        Self {
            rounds: 100,
            learning_rate: 0.1,
            leaves: 31,
            depth: None,
            growth: LeafOrder::BestFirst,
            min_child: 5, // LightGBM's 20 leaves cohorts of a hundred hardly any cut.
            min_curvature: 1e-3,
            l2: 0.0,
            rows: 1.0,
            columns: 1.0,
            bins: 255,
            patience: None,
            validation: 0.2,
            class_weight: ClassWeight::None,
        }
    }
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Boosted {
    /// Number of columns of the training rows.
    columns: usize,
    /// The log odds before the first tree.
    start: f64,
    /// Leaves hold what is added to the log odds.
    trees: Trees,
    /// Of each column its part of all gains.
    importance: Vec<f64>,
    /// The mean loss of the rows set aside after each round; empty without `patience`.
    losses: Vec<f64>,
}

impl GradientBoosting {
    fn boosting(&self) -> Boosting {
        Boosting {
            learning_rate: self.learning_rate,
            order: match self.growth {
                LeafOrder::BestFirst => Order::BestFirst,
                LeafOrder::ByLevel => Order::ByLevel,
            },
            leaves: self.leaves,
            depth: self.depth.unwrap_or(u32::MAX),
            l2: self.l2,
            min_rows: self.min_child,
            min_curvature: self.min_curvature,
            rows: self.rows,
            columns: self.columns,
            bins: self.bins,
        }
    }

    /// Whether one run, cut to its rounds, serves both.
    fn shares_with(&self, other: &Self) -> bool {
        self.boosting() == other.boosting()
            && self.patience == other.patience
            && self.class_weight == other.class_weight
            && self.validation.to_bits() == other.validation.to_bits()
    }

    fn run(
        &self,
        samples: &Samples,
        booster: &mut Booster,
        rounds: usize,
        draws: Draws,
    ) -> Result<Run, Failure> {
        let fits = match self.patience {
            None => vec![true; samples.n()],
            Some(_) => set_aside(samples, self.validation, draws.branch(0))?,
        };
        let weights = weights(self.class_weight, samples.positive());
        let training = Training { rounds, fits: &fits, patience: self.patience, weights };
        Ok(booster.boost(self.boosting(), training, draws.branch(1)))
    }

    /// The run as it would have been had it ended after the rounds of this setting.
    fn finished(&self, run: &Run, p: usize) -> Boosted {
        let losses = &run.losses[..self.rounds.min(run.losses.len())];
        let mut best = 0;
        for (round, loss) in losses.iter().enumerate() {
            best = if *loss < losses[best] { round } else { best };
        }
        let rounds = if losses.is_empty() { self.rounds } else { best + 1 };
        let mut importance = vec![0.0; p];
        let kept = run.gains.iter().filter(|(round, ..)| (*round as usize) < rounds);
        kept.for_each(|(_, column, gain)| importance[*column as usize] += gain);
        Boosted {
            columns: p,
            start: run.start,
            trees: run.trees.first(rounds),
            importance: normalised(importance),
            losses: losses.to_vec(),
        }
    }
}

/// The weight of a row of the negative and of the positive class.
fn weights(of: ClassWeight, outcome: &[bool]) -> [f64; 2] {
    let shares = of.shares(outcome);
    [false, true].map(|class| {
        let place = outcome.iter().position(|known| *known == class);
        place.map_or(1.0, |row| shares[row])
    })
}

/// Fewest patients of a class when some are set aside: one on either side.
const EACH_CLASS: usize = 2;

/// Which rows are fitted when a share of the subjects of each class is set aside.
///
/// A subject with any positive row is positive. Fails when a class has a single subject.
fn set_aside(
    samples: &Samples,
    share: f64,
    mut draws: Draws,
) -> Result<Vec<bool>, Failure> {
    // Rows of a subject stand together.
    let mut subjects: Vec<(usize, usize, bool)> = Vec::new();
    let rows = samples.groups().iter().zip(samples.positive()).enumerate();
    for (row, (group, positive)) in rows {
        match subjects.last_mut() {
            Some((start, end, any)) if samples.groups()[*start] == *group => {
                *end = row + 1;
                *any |= *positive;
            }
            _ => subjects.push((row, row + 1, *positive)),
        }
    }
    let mut fits = vec![true; samples.n()];
    for class in [false, true] {
        let mut of_class: Vec<_> =
            subjects.iter().filter(|(.., positive)| *positive == class).collect();
        let found = of_class.len();
        if found < EACH_CLASS {
            return Err(Failure::TooFew { needed: EACH_CLASS, found });
        }
        draws.shuffle(&mut of_class);
        let aside = ((found as f64 * share).round() as usize).clamp(1, found - 1);
        for (start, end, _) in &of_class[..aside] {
            fits[*start..*end].fill(false);
        }
    }
    let fitted = samples.positive().iter().zip(&fits).filter(|(_, fits)| **fits);
    match fitted.clone().any(|(p, _)| *p) && fitted.clone().any(|(p, _)| !*p) {
        true => Ok(fits),
        false => Err(Failure::OneClass),
    }
}

impl Operation for GradientBoosting {
    const ABOUT: About = About {
        name: "gradient_boosting",
        title: "Gradient boosting",
        // 2: slopes and curvatures of up to 4,095 rows are counted in a unit that leaves them exact as
        // floating-point numbers. 3: the unit is that of each tree; up to 1,024 rows its sums have 31
        // binary digits.
        version: 3,
        sources: &["friedman2001", "chen2016", "ke2017"],
        example: "gradient_boosting: { rounds: 200, learning_rate: 0.03, leaves: 4 }",
    };

    const RANDOM: bool = true;
}

impl Learner for GradientBoosting {
    type Model = Boosted;

    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Boosted, Failure> {
        usable(train)?;
        let samples = samples(train);
        let mut booster = Booster::new(&samples, self.boosting());
        let draws = Draws::from_stream(stream);
        let run = self.run(&samples, &mut booster, self.rounds, draws)?;
        Ok(self.finished(&run, samples.p()))
    }

    fn predict(&self, model: &Boosted, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.columns)?;
        let mut scores = vec![model.start; rows.n()];
        model.trees.add_to(&by_row(rows), rows.p(), &mut scores);
        Ok(scores.into_iter().map(sigmoid).collect())
    }

    fn form(&self, model: &Boosted) -> Form {
        Form::Trees {
            trees: model.trees.clone(),
            columns: model.columns,
            start: model.start,
            mean: false,
            then: Then::Sigmoid,
        }
    }

    fn needs(&self) -> Vec<Need> {
        let set_aside =
            Need { of: Counted::PatientsOfEachClass, least: EACH_CLASS, parameter: None };
        self.patience.map(|_| set_aside).into_iter().collect()
    }

    fn as_seeded(&self) -> Self {
        Self { rounds: Self::default().rounds, ..self.clone() }
    }

    fn as_applied(&self) -> Self {
        match self.patience {
            Some(_) => self.clone(),
            None => Self { validation: Self::default().validation, ..self.clone() },
        }
    }

    fn fit_all(
        settings: &[&Self],
        train: &Train,
        streams: &mut [Stream],
    ) -> Vec<Result<Boosted, Failure>> {
        if let Err(failure) = usable(train) {
            return vec![Err(failure); settings.len()];
        }
        let samples = samples(train);
        let draws: Vec<Draws> = streams.iter_mut().map(Draws::from_stream).collect();
        let mut runs: Vec<(usize, Result<Run, Failure>)> = Vec::new();
        let mut boosters: Vec<(usize, Booster)> = Vec::new();
        let mut fitted = Vec::with_capacity(settings.len());
        for (setting, key) in settings.iter().zip(&draws) {
            let known = |(first, _): &&(usize, Result<Run, Failure>)| {
                draws[*first] == *key && settings[*first].shares_with(setting)
            };
            if runs.iter().find(known).is_none() {
                let alike = settings.iter().zip(&draws);
                let alike = alike.filter(|(s, d)| *d == key && s.shares_with(setting));
                let rounds = alike.map(|(s, _)| s.rounds).max().unwrap_or(0);
                let at = boosters.iter().position(|(bins, _)| *bins == setting.bins);
                let at = at.unwrap_or_else(|| {
                    let booster = Booster::new(&samples, setting.boosting());
                    boosters.push((setting.bins, booster));
                    boosters.len() - 1
                });
                let run = setting.run(&samples, &mut boosters[at].1, rounds, *key);
                runs.push((fitted.len(), run));
            }
            let run = runs.iter().find(known).map(|(_, run)| run);
            fitted.push(match run.expect("a run was made for it") {
                Ok(run) => Ok(setting.finished(run, samples.p())),
                Err(failure) => Err(failure.clone()),
            });
        }
        fitted
    }
}
