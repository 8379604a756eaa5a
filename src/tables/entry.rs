//! The order in which columns enter a penalised least-squares path, and where along it to stop.

use std::collections::BTreeSet;

use super::ranking::Ranking;
use crate::data::FrameColumn;
use crate::math::{
    ABREAST, Pull, SparseLeastSquares, abreast, dealt, pow, sqrt, sums_abreast,
};
use crate::operation::prelude::*;

/// A path of penalties, from the one that keeps every coefficient at zero downwards.
///
/// Minimises ‖y − Xw‖²/(2n) + λ(mix·‖w‖₁ + (1 − mix)·½‖w‖²), y being 1 in the positive class, else 0,
/// X and y centred.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub mix: f64,
    pub points: usize,
    pub reach: f64,
}

/// The coefficients that are not zero, by the position of their column, in table order.
type Nonzero = Vec<(usize, f64)>;

/// Where the path stops.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// At its end.
    #[default]
    Path,
    /// At the penalty with the least squared error in cross-validation.
    Min,
    /// At the largest penalty whose error is within one standard error of the least.
    #[serde(rename = "1se")]
    OneStandardError,
}

impl Stop {
    /// What its folds need: a patient in each.
    pub fn needs(self, folds: usize) -> Vec<Need> {
        let need = Need { of: Counted::Patients, least: folds, parameter: Some("folds") };
        (self != Self::Path).then_some(need).into_iter().collect()
    }

    /// The number of folds that it looks at: those wanted, or the default where it has none.
    pub fn folds(self, wanted: usize, default: usize) -> usize {
        if self == Self::Path { default } else { wanted }
    }
}

impl Path {
    /// The columns in order of entry; with a stop, those that are in at its penalty.
    pub fn ranking(
        self,
        train: &Train,
        stop: Stop,
        folds: usize,
    ) -> Result<Ranking, Failure> {
        check(train)?;
        let n = train.rows().n();
        let all: Vec<usize> = (0..n).collect();
        let unit = unit(train);
        let mut problem = Centred::of(train, &all, unit);
        let lambdas = self.lambdas(problem.squares.greatest() / n as f64 / self.mix);
        let coefficients = self.coefficients(&mut problem, &lambdas)?;
        let last = match stop {
            Stop::Path => lambdas.len(),
            Stop::Min | Stop::OneStandardError => {
                1 + chosen(&self.errors(train, unit, &lambdas, folds)?, stop)
            }
        };
        let along = &coefficients[..last];
        let mut still = vec![stop == Stop::Path; train.rows().p()];
        along.last().into_iter().flatten().for_each(|(column, _)| still[*column] = true);
        let mut entered: Vec<(usize, f64, u32)> = Vec::new();
        for (at, nonzero) in along.iter().enumerate() {
            for (column, w) in nonzero {
                // Once only, where it is first met.
                if std::mem::take(&mut still[*column]) {
                    entered.push((at, w.abs(), *column as u32));
                }
            }
        }
        // Stable: columns that enter together with equal coefficients stay in table order.
        entered.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        Ok(Ranking(entered.into_iter().map(|(_, _, column)| column).collect()))
    }

    /// A geometric grid.
    fn lambdas(self, greatest: f64) -> Vec<f64> {
        let last = (self.points - 1).max(1) as f64;
        (0..self.points).map(|i| greatest * pow(self.reach, i as f64 / last)).collect()
    }

    /// The minimum at each penalty, each sought from the one before.
    fn coefficients(
        self,
        problem: &mut Centred,
        lambdas: &[f64],
    ) -> Result<Vec<Nonzero>, Failure> {
        let mut w = vec![0.0; problem.means.len()];
        let mut along = Vec::with_capacity(lambdas.len());
        for lambda in lambdas {
            let weight = problem.n * lambda;
            let l2 = weight * (1.0 - self.mix) / problem.unit;
            let pull = Pull { l1: weight * self.mix, l2 };
            // Nothing to explain: no column ever enters.
            if pull.l1 > 0.0 {
                problem.squares.minimise(pull, &mut w)?;
            }
            let columns = w.iter().copied().enumerate();
            along.push(columns.filter(|(_, w)| *w != 0.0).collect());
        }
        Ok(along)
    }

    /// The mean squared error of each held-out fold at each penalty, and the fold's size.
    fn errors(
        self,
        train: &Train,
        unit: f64,
        lambdas: &[f64],
        folds: usize,
    ) -> Result<Vec<(f64, Vec<f64>)>, Failure> {
        let fold_of = dealt(train.groups(), train.outcome(), folds).ok_or_else(|| {
            let groups: BTreeSet<&u32> = train.groups().iter().collect();
            Failure::TooFew { needed: folds, found: groups.len() }
        })?;
        let mut errors = Vec::new();
        for fold in 0..folds {
            let (held, kept): (Vec<usize>, Vec<usize>) =
                (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
            let mut problem = Centred::of(train, &kept, unit);
            let along = self.coefficients(&mut problem, lambdas)?;
            let error = |w: &Nonzero| {
                let squares: f64 = held
                    .iter()
                    .map(|&row| {
                        let residual =
                            class(train, row) - problem.predicted(train, w, row);
                        residual * residual
                    })
                    .sum();
                squares / held.len() as f64
            };
            errors.push((held.len() as f64, along.iter().map(error).collect()));
        }
        Ok(errors)
    }
}

fn check(train: &Train) -> Result<(), Failure> {
    let positive = train.outcome().iter().filter(|positive| **positive).count();
    if positive == 0 || positive == train.outcome().len() {
        return Err(Failure::OneClass);
    }
    match train.rows().missing() {
        Some(column) => Err(Failure::Missing(column.to_string())),
        None => Ok(()),
    }
}

fn class(train: &Train, row: usize) -> f64 {
    if train.outcome()[row] { 1.0 } else { 0.0 }
}

/// The position of the penalty that cross-validation chooses, as glmnet does: folds weigh by
/// their size.
fn chosen(errors: &[(f64, Vec<f64>)], stop: Stop) -> usize {
    let total: f64 = errors.iter().map(|(size, _)| size).sum();
    let mean = |at: usize| {
        errors.iter().map(|(size, of_fold)| size * of_fold[at]).sum::<f64>() / total
    };
    let means: Vec<f64> = (0..errors[0].1.len()).map(mean).collect();
    // The first of equal ones is the largest penalty.
    let mut best = 0;
    for (at, mean) in means.iter().enumerate() {
        if *mean < means[best] {
            best = at;
        }
    }
    if stop == Stop::Min {
        return best;
    }
    let spread: f64 = errors
        .iter()
        .map(|(size, of_fold)| {
            size * (of_fold[best] - means[best]) * (of_fold[best] - means[best])
        })
        .sum();
    let error = sqrt(spread / total / (errors.len() - 1) as f64);
    let within = means.iter().position(|mean| *mean <= means[best] + error);
    within.unwrap_or(best)
}

/// The power of two by which all columns are divided: the largest that none of their values is below.
/// So no product of large or small columns leaves the range of numbers, and digits stay as they are.
fn unit(train: &Train) -> f64 {
    let columns = train.rows().columns().iter();
    // The bits of positive numbers have their order, and are compared sooner.
    let bits = |value: &f64| value.abs().to_bits();
    let sizes = columns.flat_map(|column| column.values.iter().map(bits));
    let largest = sizes.filter(|size| *size < f64::INFINITY.to_bits()).max();
    power_of_two(f64::from_bits(largest.unwrap_or(0)))
}

/// The power of two at or below a positive number; 1 for none.
fn power_of_two(size: f64) -> f64 {
    // Of subnormal numbers the least that has a reciprocal; without its fraction a number is its power.
    match size > 0.0 {
        true => f64::from_bits(size.max(f64::MIN_POSITIVE).to_bits() & !FRACTION),
        false => 1.0,
    }
}

/// The bits of a number's fraction.
const FRACTION: u64 = (1 << 52) - 1;

/// Some rows with columns and classes centred: then no intercept is needed. Columns are in units of
/// `unit`, and so are penalties of the first kind.
struct Centred {
    n: f64,
    unit: f64,
    means: Vec<f64>,
    share: f64,
    squares: SparseLeastSquares,
}

impl Centred {
    fn of(train: &Train, rows: &[usize], unit: f64) -> Self {
        let n = rows.len() as f64;
        let mut x = vec![0.0; rows.len() * train.rows().p()];
        let mut means = Vec::with_capacity(train.rows().p());
        let columns = train.rows().columns().chunks(ABREAST);
        // Of a power of two the reciprocal is exact, and so is what it gives.
        let per = 1.0 / unit;
        for (here, x) in columns.zip(x.chunks_mut((rows.len() * ABREAST).max(1))) {
            for (column, x) in here.iter().zip(x.chunks_exact_mut(rows.len())) {
                let values = rows.iter().map(|&row| column.values[row] * per);
                x.iter_mut().zip(values).for_each(|(x, value)| *x = value);
            }
            let beside: Vec<&[f64]> = x.chunks_exact(rows.len()).collect();
            let sums = sums_abreast(abreast(&beside), |_, value| value);
            for (x, sum) in x.chunks_exact_mut(rows.len()).zip(sums) {
                // A constant column is exactly zero, whatever rounding makes of its mean.
                let mean = match x.iter().all(|value| *value == x[0]) {
                    true => x[0],
                    false => sum / n,
                };
                x.iter_mut().for_each(|value| *value -= mean);
                means.push(mean);
            }
        }
        let share = rows.iter().map(|&row| class(train, row)).sum::<f64>() / n;
        let y = rows.iter().map(|&row| class(train, row) - share).collect();
        Self { n, unit, means, share, squares: SparseLeastSquares::new(x, y) }
    }

    fn predicted(&self, train: &Train, w: &Nonzero, row: usize) -> f64 {
        let columns = train.rows().columns();
        let value = |column: &FrameColumn| column.values[row] / self.unit;
        let terms = w
            .iter()
            .map(|(column, w)| w * (value(&columns[*column]) - self.means[*column]));
        self.share + terms.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Frame;

    fn train(groups: &[u32], outcome: &[bool]) -> Train {
        let n = groups.len();
        let column = FrameColumn { name: "c".into(), values: vec![0.0; n] };
        let frame = Frame { rows: Rows::new(vec![column], n), failed: vec![None; n] };
        let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
        let outcome: Vec<Option<bool>> = outcome.iter().map(|y| Some(*y)).collect();
        split.train(&frame, &outcome, groups)
    }

    #[test]
    fn fewer_patients_than_folds_are_told() {
        let train = train(&[0, 0, 1, 2], &[true, true, false, false]);
        let path = Path { mix: 1.0, points: 5, reach: 0.1 };
        let few = path.ranking(&train, Stop::Min, 5);
        assert_eq!(few, Err(Failure::TooFew { needed: 5, found: 3 }));
        let needs = |stop: Stop, folds| -> Result<(), Failure> {
            stop.needs(folds).into_iter().try_for_each(|need| need.check(&train))
        };
        assert_eq!(needs(Stop::Min, 5), few.map(|_| ()));
        assert_eq!(needs(Stop::OneStandardError, 3), Ok(()));
        assert_eq!(needs(Stop::Path, 5), Ok(()));
    }

    #[test]
    fn the_chosen_penalty_is_the_largest_that_will_do() {
        let errors =
            vec![(1.0, vec![5.0, 3.5, 2.0, 2.0]), (1.0, vec![5.0, 3.5, 4.0, 4.0])];
        assert_eq!(chosen(&errors, Stop::Min), 2);
        // The least mean is 3, its standard error 1: 3.5 is within it, 5 is not.
        assert_eq!(chosen(&errors, Stop::OneStandardError), 1);
    }

    /// Twelve rows of four columns, the second of which goes with the class, times a number.
    fn scaled(by: f64) -> Train {
        let column = |j: usize| {
            let value = |i: usize| {
                let shift = if j == 1 && usize::is_multiple_of(i, 2) { 9.0 } else { 0.0 };
                ((i * i * (j + 3) + 5 * i) % 17) as f64 + shift
            };
            let values = (0..12).map(|i| value(i) * by).collect();
            FrameColumn { name: format!("c{j}").into(), values }
        };
        let rows = Rows::new((0..4).map(column).collect(), 12);
        let frame = Frame { rows, failed: vec![None; 12] };
        let outcome: Vec<Option<bool>> = (0..12).map(|i| Some(i % 2 == 0)).collect();
        let all: Vec<u32> = (0..12).collect();
        Split { train: all.clone(), held_out: vec![] }.train(&frame, &outcome, &all)
    }

    #[test]
    fn a_lasso_knows_no_unit() {
        let path = Path { mix: 1.0, points: 20, reach: 0.01 };
        for stop in [Stop::Path, Stop::Min, Stop::OneStandardError] {
            let plain = path.ranking(&scaled(1.0), stop, 3).unwrap();
            assert_eq!(plain.0.first(), Some(&1), "{stop:?}");
            // Powers of two leave every digit as it is.
            for power in [-990, -500, -1, 3, 500, 1000] {
                let by = f64::from_bits(((1023 + power) as u64) << 52);
                let found = path.ranking(&scaled(by), stop, 3).unwrap();
                assert_eq!(found, plain, "{stop:?}: 2^{power}");
            }
        }
    }

    #[test]
    fn an_elastic_net_of_any_size_has_a_ranking_or_a_reason() {
        let path = Path { mix: 0.3, points: 20, reach: 0.01 };
        for by in [1e-307, 1e-200, 1e-12, 1e12, 1e200, 1e306] {
            match path.ranking(&scaled(by), Stop::Path, 3) {
                Ok(ranking) => assert_eq!(ranking.0.first(), Some(&1), "{by}"),
                Err(failure) => assert!(by < 1e-300, "{by}: {failure}"),
            }
        }
    }

    #[test]
    fn the_unit_is_the_power_of_two_below() {
        let cases = [
            (0.0, 1.0),
            (1.0, 1.0),
            (3.9, 2.0),
            (0.3, 0.25),
            (5e-324, f64::MIN_POSITIVE),
        ];
        for (size, unit) in cases {
            assert_eq!(power_of_two(size), unit, "{size}");
        }
        assert!((1.0..2.0).contains(&(f64::MAX / power_of_two(f64::MAX))));
    }

    #[test]
    fn columns_that_never_vary_never_enter() {
        let train = train(&[0, 1, 2, 3], &[true, false, true, false]);
        let path = Path { mix: 1.0, points: 5, reach: 0.1 };
        assert_eq!(path.ranking(&train, Stop::Path, 2), Ok(Ranking(vec![])));
        assert_eq!(path.ranking(&train, Stop::Min, 2), Ok(Ranking(vec![])));
    }
}
