//! Logistic regression under each kind of penalty, over rows that several fits share.

use std::cell::OnceCell;

use super::{
    Matrix, Pull, RowSpace, SparseLeastSquares, Unsolved, dot, sigmoid, sigmoid_each,
    softplus, sqrt,
};

/// Coefficients of the columns, and the intercept.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    pub weights: Vec<f64>,
    pub intercept: f64,
}

/// C·Σ sᵢ ln(1 + exp(−yᵢ(w·xᵢ + b))): rows, classes (0 or 1) and their shares s.
pub struct LogisticLoss {
    /// Less the column means. The intercept makes up for them, and columns far from zero keep their
    /// digits.
    x: Matrix,
    means: Vec<f64>,
    y: Vec<f64>,
    shares: Vec<f64>,
    /// What stands for the rows where there are more columns than rows, made when it is first needed; none
    /// where numbers are too large for it.
    row_space: OnceCell<Option<RowSpace>>,
}

/// Below this Newton decrement, relative to the objective, one more full step is exact to rounding.
const EXACT: f64 = 1e-14;
/// Below this one, an objective that no longer falls has met rounding, not trouble.
const ROUNDING: f64 = 1e-8;
/// The least curvature of a row, relative to its share: what is smaller moves nothing, and a
/// division by it would overflow.
const LEAST_CURVATURE: f64 = 1e-10;

/// What is added to the loss.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ridge {
    /// Nothing.
    None,
    /// ½‖w‖².
    Identity,
}

impl LogisticLoss {
    /// Shape: `x` n × p, the others n.
    pub fn new(mut x: Matrix, y: Vec<f64>, shares: Vec<f64>) -> Self {
        let means = x.centre();
        Self { x, means, y, shares, row_space: OnceCell::new() }
    }

    /// The minimum with ½‖w‖² added, by Newton's method with step halving.
    ///
    /// With more columns than rows it is sought in the space of the rows, as w stands in no direction that
    /// no row has: X = LQ and w = Qᵀβ, so that the scores are Lβ and ‖w‖² is ‖β‖². It is the same problem
    /// with the few columns of L.
    pub fn ridge(&self, c: f64, iterations: usize) -> Result<Linear, Unsolved> {
        if self.x.p <= self.x.n {
            let found = self.newton(&self.x, Ridge::Identity, c, iterations)?;
            return Ok(self.with_means(found));
        }
        self.ridge_of_rows(c, iterations).map(|found| self.with_means(found))
    }

    fn ridge_of_rows(&self, c: f64, iterations: usize) -> Result<Linear, Unsolved> {
        let row_space = self.row_space.get_or_init(|| self.x.row_space());
        let RowSpace { factor, basis } = row_space.as_ref().ok_or(Unsolved::NotFinite)?;
        let found = self.newton(factor, Ridge::Identity, c, iterations)?;
        let weights = basis.transposed_times(&found.weights);
        Ok(Linear { weights, intercept: found.intercept })
    }

    /// The same for columns that still have their means.
    fn with_means(&self, found: Linear) -> Linear {
        let intercept = found.intercept - dot(&self.means, &found.weights);
        Linear { intercept, ..found }
    }

    /// The minimum with nothing added: maximum likelihood.
    ///
    /// Fails: `Dependent` when columns are combinations of others or more than the rows;
    /// `Separable` when a plane separates the classes, as then there is no maximum.
    pub fn unpenalised(&self, iterations: usize) -> Result<Linear, Unsolved> {
        match self.x.p < self.x.n {
            true => {
                let found = self.newton(&self.x, Ridge::None, 1.0, iterations)?;
                Ok(self.with_means(found))
            }
            false => Err(Unsolved::Dependent),
        }
    }

    /// The objective is ½wᵀPw + C·loss(Xw + b); P is nothing or the identity.
    fn newton(
        &self,
        x: &Matrix,
        ridge: Ridge,
        c: f64,
        iterations: usize,
    ) -> Result<Linear, Unsolved> {
        let (n, p) = (x.n, x.p);
        let scores = |w: &[f64]| -> Vec<f64> {
            (0..n).map(|i| dot(x.row(i), &w[..p]) + w[p]).collect()
        };
        let penalised = |w: &[f64]| -> Vec<f64> {
            match ridge {
                Ridge::None => vec![0.0; p],
                Ridge::Identity => w[..p].to_vec(),
            }
        };
        let objective = |w: &[f64], scores: &[f64]| {
            dot(&penalised(w), &w[..p]) / 2.0 + c * self.at(scores)
        };
        let done = |mut w: Vec<f64>| {
            let intercept = w[p];
            w.truncate(p);
            Ok(Linear { weights: w, intercept })
        };
        let mut w = vec![0.0; p + 1]; // The intercept is last.
        let mut at = scores(&w);
        let mut value = objective(&w, &at);
        for iteration in 0..iterations {
            let mut chances = at.clone();
            sigmoid_each(&mut chances);
            let mut gradient = penalised(&w);
            gradient.push(0.0);
            for (i, chance) in chances.iter().enumerate() {
                let residual = c * self.shares[i] * (chance - self.y[i]);
                for (sum, value) in gradient.iter_mut().zip(x.row(i)) {
                    *sum += residual * value;
                }
                gradient[p] += residual;
            }
            let hessian = self.hessian(x, ridge, &chances, c);
            let step = match ridge {
                Ridge::None => self.free_step(hessian, &gradient, &at, iteration)?,
                Ridge::Identity => ridge_step(hessian, &gradient)?,
            };
            let moved = |length: f64| -> Vec<f64> {
                w.iter().zip(&step).map(|(w, s)| w - length * s).collect()
            };
            // Half the Newton decrement is how much the objective can still fall.
            let decrement =
                dot(&gradient, &step).max(0.0) / value.abs().max(f64::MIN_POSITIVE);
            let arrived = || match ridge {
                Ridge::None if runs_away(&scores(&step)) => Err(Unsolved::Separable),
                _ => Ok(()),
            };
            if decrement <= EXACT {
                arrived()?;
                return done(moved(1.0));
            }
            let mut length = 1.0;
            loop {
                let next = moved(length);
                let next_at = scores(&next);
                let next_value = objective(&next, &next_at);
                if next_value < value {
                    (w, at, value) = (next, next_at, next_value);
                    break;
                }
                length /= 2.0;
                if length < 1e-10 {
                    if decrement > ROUNDING {
                        return Err(Unsolved::NotConverged(iterations));
                    }
                    arrived()?;
                    return done(w);
                }
            }
        }
        Err(Unsolved::NotConverged(iterations))
    }

    /// The Newton step without a penalty, unless there is no one minimum.
    fn free_step(
        &self,
        hessian: Matrix,
        gradient: &[f64],
        scores: &[f64],
        iteration: usize,
    ) -> Result<Vec<f64>, Unsolved> {
        // A plane with every row on its side: along it the likelihood grows for ever.
        let mut sides = scores.iter().zip(&self.y);
        if sides.all(|(score, y)| if *y > 0.0 { *score > 0.0 } else { *score < 0.0 }) {
            return Err(Unsolved::Separable);
        }
        // At the start all rows weigh alike, so the columns themselves depend; later it is rows
        // that have lost their weight because a plane has them on its side.
        hessian.solve_definite(gradient).ok_or(match iteration {
            0 => Unsolved::Dependent,
            _ => Unsolved::Separable,
        })
    }

    /// Σ sᵢ ln(1 + exp(…)) at these scores.
    fn at(&self, scores: &[f64]) -> f64 {
        // Not softplus(score) − y·score: where classes are far apart, nothing would be left of it.
        let away = |score: f64, y: f64| if y > 0.0 { -score } else { score };
        let rows = scores.iter().zip(&self.y).zip(&self.shares);
        rows.map(|((score, y), share)| share * softplus(away(*score, *y))).sum()
    }

    /// P + C·XᵀDX with the intercept's row and column last. Shape: (p + 1) × (p + 1), lower half.
    fn hessian(&self, x: &Matrix, ridge: Ridge, chances: &[f64], c: f64) -> Matrix {
        let (p, size) = (x.p, x.p + 1);
        let mut values = vec![0.0; size * size];
        if ridge == Ridge::Identity {
            (0..p).for_each(|i| values[i * size + i] = 1.0);
        }
        for (i, (chance, share)) in chances.iter().zip(&self.shares).enumerate() {
            let weight = c * share * chance * (1.0 - chance);
            let row = x.row(i);
            for j in 0..p {
                let scaled = weight * row[j];
                for (sum, value) in values[j * size..=j * size + j].iter_mut().zip(row) {
                    *sum += scaled * value;
                }
            }
            for (sum, value) in values[p * size..p * size + p].iter_mut().zip(row) {
                *sum += weight * value;
            }
            values[p * size + p] += weight;
        }
        Matrix { n: size, p: size, values }
    }

    /// The minimum of λ₁‖w‖₁ + ½λ₂‖w‖² + C·loss, with coefficients that are exactly zero.
    ///
    /// Each step minimises the quadratic model of the loss with the penalty itself (a proximal
    /// Newton method, as in Friedman, Hastie and Tibshirani 2010), then looks along it.
    pub fn sparse(
        &self,
        pull: Pull,
        c: f64,
        iterations: usize,
    ) -> Result<Linear, Unsolved> {
        let (n, p) = (self.x.n, self.x.p);
        let penalty = |w: &[f64]| -> f64 {
            w.iter().map(|w| pull.l1 * w.abs() + pull.l2 / 2.0 * w * w).sum()
        };
        let mut w = vec![0.0; p];
        let mut intercept = 0.0;
        let mut scores = vec![0.0; n];
        let mut value = c * self.at(&scores);
        let found =
            |weights, intercept| Ok(self.with_means(Linear { weights, intercept }));
        for _ in 0..iterations {
            let (next, next_intercept) = self.model_minimum(pull, c, &w, &scores)?;
            let next_scores = self.scores(&next, next_intercept);
            // What the model promises: the fall of the penalty, and of the loss along its slope.
            let slope: f64 = (0..n)
                .map(|i| {
                    let residual = sigmoid(scores[i]) - self.y[i];
                    c * self.shares[i] * residual * (next_scores[i] - scores[i])
                })
                .sum();
            let (old_penalty, new_penalty) = (penalty(&w), penalty(&next));
            let promised = old_penalty - new_penalty - slope;
            if !promised.is_finite() {
                return Err(Unsolved::NotFinite);
            }
            let relative = promised / value.abs().max(f64::MIN_POSITIVE);
            if relative <= EXACT {
                return found(next, next_intercept);
            }
            let mut length = 1.0;
            loop {
                let along = |from: f64, to: f64| match length == 1.0 {
                    true => to,
                    false => from + length * (to - from),
                };
                let tried: Vec<f64> =
                    w.iter().zip(&next).map(|(a, b)| along(*a, *b)).collect();
                let tried_intercept = along(intercept, next_intercept);
                let tried_scores = self.scores(&tried, tried_intercept);
                let tried_value = penalty(&tried) + c * self.at(&tried_scores);
                if tried_value < value - 0.01 * length * promised {
                    (w, intercept) = (tried, tried_intercept);
                    (scores, value) = (tried_scores, tried_value);
                    break;
                }
                length /= 2.0;
                if length < 1e-10 {
                    return match relative <= ROUNDING {
                        true => found(next, next_intercept),
                        false => Err(Unsolved::NotConverged(iterations)),
                    };
                }
            }
        }
        Err(Unsolved::NotConverged(iterations))
    }

    fn scores(&self, w: &[f64], intercept: f64) -> Vec<f64> {
        let used: Vec<usize> = (0..w.len()).filter(|&j| w[j] != 0.0).collect();
        let score = |i: usize| {
            let row = self.x.row(i);
            used.iter().map(|&j| w[j] * row[j]).sum::<f64>() + intercept
        };
        (0..self.x.n).map(score).collect()
    }

    /// The minimum of the penalty and the quadratic model of the loss at these scores: weighted
    /// least squares, in which centring stands for the intercept.
    fn model_minimum(
        &self,
        pull: Pull,
        c: f64,
        w: &[f64],
        scores: &[f64],
    ) -> Result<(Vec<f64>, f64), Unsolved> {
        let (n, p) = (self.x.n, self.x.p);
        let mut weights = Vec::with_capacity(n);
        let mut target = Vec::with_capacity(n);
        for i in 0..n {
            let chance = sigmoid(scores[i]);
            let curvature = (chance * (1.0 - chance)).max(LEAST_CURVATURE);
            weights.push(c * self.shares[i] * curvature);
            target.push(scores[i] + (self.y[i] - chance) / curvature);
        }
        let total: f64 = weights.iter().sum();
        let centre = dot(&weights, &target) / total;
        let roots: Vec<f64> = weights.iter().map(|weight| sqrt(*weight)).collect();
        let mut means = vec![0.0; p];
        for (i, weight) in weights.iter().enumerate() {
            for (mean, value) in means.iter_mut().zip(self.x.row(i)) {
                *mean += weight * value;
            }
        }
        means.iter_mut().for_each(|mean| *mean /= total);
        let mut columns = vec![0.0; n * p];
        for (i, root) in roots.iter().enumerate() {
            for (j, value) in self.x.row(i).iter().enumerate() {
                columns[j * n + i] = root * (value - means[j]);
            }
        }
        let y = target.iter().zip(&roots).map(|(t, root)| root * (t - centre)).collect();
        let mut next = w.to_vec();
        SparseLeastSquares::new(columns, y).minimise(pull, &mut next)?;
        let intercept = centre - dot(&means, &next);
        Ok((next, intercept))
    }
}

/// Whether a step that lowers the objective no more still moves the score of a row: the row lies behind a
/// plane that separates some rows and touches others, and every step takes it about one further.
fn runs_away(moved: &[f64]) -> bool {
    moved.iter().any(|score| score.abs() > 0.1)
}

/// The Newton step with a penalty. The units of the columns are taken out first, so that what is lost
/// to rounding is judged column by column.
fn ridge_step(mut hessian: Matrix, gradient: &[f64]) -> Result<Vec<f64>, Unsolved> {
    let size = hessian.n;
    let unit = |i: usize| match hessian.row(i)[i] {
        diagonal if !diagonal.is_finite() => Err(Unsolved::NotFinite),
        diagonal if diagonal > 0.0 => Ok(1.0 / sqrt(diagonal)),
        _ => Ok(1.0),
    };
    let units: Vec<f64> = (0..size).map(unit).collect::<Result<_, _>>()?;
    for i in 0..size {
        for j in 0..=i {
            hessian.values[i * size + j] *= units[i] * units[j];
        }
    }
    let gradient: Vec<f64> = gradient.iter().zip(&units).map(|(g, u)| g * u).collect();
    let step = hessian.solve(&gradient).ok_or(Unsolved::NotFinite)?;
    Ok(step.iter().zip(&units).map(|(step, unit)| step * unit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;

    fn loss(n: usize, p: usize, seed: u64) -> LogisticLoss {
        let mut stream = Stream::new(seed, &["logistic loss"]);
        let values = (0..n * p)
            .map(|at| {
                let shift =
                    if (at / p).is_multiple_of(2) && at % p < 3 { 0.8 } else { 0.0 };
                stream.normal() + shift
            })
            .collect();
        let y = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { 0.0 }).collect();
        let shares = (0..n).map(|i| 1.0 + (i % 3) as f64 / 4.0).collect();
        LogisticLoss::new(Matrix { n, p, values }, y, shares)
    }

    /// Derivatives of C·loss by each coefficient, and by the intercept.
    fn slopes(loss: &LogisticLoss, model: &Linear, c: f64) -> (Vec<f64>, f64) {
        let of_means = dot(&loss.means, &model.weights);
        let scores = loss.scores(&model.weights, model.intercept + of_means);
        let residuals: Vec<f64> = (0..loss.x.n)
            .map(|i| c * loss.shares[i] * (sigmoid(scores[i]) - loss.y[i]))
            .collect();
        (loss.x.transposed_times(&residuals), residuals.iter().sum())
    }

    #[test]
    fn both_spaces_give_the_same_model() {
        let loss = loss(24, 24, 2);
        let primal = loss.ridge(0.5, 100).unwrap();
        let of_rows = loss.with_means(loss.ridge_of_rows(0.5, 100).unwrap());
        assert!((primal.intercept - of_rows.intercept).abs() < 1e-7);
        let pairs = primal.weights.iter().zip(&of_rows.weights);
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-7));
    }

    /// With the columns of `loss` so many times, and two that are constant.
    fn repeated(of: &LogisticLoss, times: usize) -> LogisticLoss {
        let n = of.x.n;
        let row = |i: usize| {
            let mut row = of.x.row(i).repeat(times);
            row.extend([1.0, 1.0]);
            row
        };
        let values: Vec<f64> = (0..n).flat_map(row).collect();
        let x = Matrix { n, p: values.len() / n, values };
        LogisticLoss::new(x, of.y.clone(), of.shares.clone())
    }

    #[test]
    fn copies_of_columns_share_what_one_would_have() {
        for seed in 0..30 {
            let once = loss(12, 4, seed);
            let four = repeated(&once, 4);
            for c in [0.01, 1.0, 1e3, 1e6] {
                // Four coefficients of a fourth each have a fourth of the penalty of one.
                let one = once.ridge(4.0 * c, 100).unwrap();
                let found = four.ridge(c, 100).unwrap();
                let scale = one.weights.iter().fold(0.0f64, |most, w| most.max(w.abs()));
                for (j, weight) in one.weights.iter().enumerate() {
                    for copy in 0..4 {
                        let error = 4.0 * found.weights[copy * 4 + j] - weight;
                        assert!(
                            error.abs() < 1e-4 * scale,
                            "seed {seed}, c {c}: {error}"
                        );
                    }
                }
                assert_eq!(found.weights[16..], [0.0, 0.0]);
                assert!(four.ridge(1e9, 100).is_ok());
            }
        }
    }

    #[test]
    fn small_values_count_beside_large_ones_in_both_spaces() {
        // Ten columns of 12 rows make as many directions as rows tell apart; the first is in other units.
        let mut stream = Stream::new(5, &["logistic"]);
        let values: Vec<f64> = (0..12 * 10).map(|_| stream.normal()).collect();
        let y: Vec<f64> = (0..12).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        for unit in [1.0, 1e6, 1e9, 1e12] {
            let values = values.iter().enumerate();
            let values = values
                .map(|(at, value)| if at % 10 == 0 { value * unit } else { *value })
                .collect();
            let x = Matrix { n: 12, p: 10, values };
            let loss = LogisticLoss::new(x, y.clone(), vec![1.0; 12]);
            let primal = loss.ridge(10.0, 100).unwrap();
            let of_rows = loss.with_means(loss.ridge_of_rows(10.0, 100).unwrap());
            let pairs = primal.weights.iter().zip(&of_rows.weights);
            for (a, b) in pairs.skip(1) {
                assert!((a - b).abs() < 1e-7, "{unit}: {a}, {b}");
            }
        }
    }

    #[test]
    fn numbers_whose_squares_are_too_large_are_refused_in_both_spaces() {
        for (n, p) in [(4, 2), (4, 6)] {
            let mut values = vec![0.5; n * p];
            values[0] = 1e200;
            let y = vec![0.0, 1.0, 0.0, 1.0];
            let loss = LogisticLoss::new(Matrix { n, p, values }, y, vec![1.0; n]);
            assert_eq!(loss.ridge(1.0, 100), Err(Unsolved::NotFinite), "{n} x {p}");
        }
    }

    #[test]
    fn columns_of_any_unit_and_place_are_fitted() {
        let plain = loss(30, 6, 3);
        let units = [1e-12, 1e12, 1.0, 1e-12, 1e12, 1e6];
        let of = |unit: &dyn Fn(usize) -> f64, place: f64| {
            let values = plain.x.values.iter().enumerate();
            let values = values.map(|(at, value)| place + value * unit(at % 6));
            let x = Matrix { n: 30, p: 6, values: values.collect() };
            LogisticLoss::new(x, plain.y.clone(), plain.shares.clone())
        };
        for c in [1e-3, 1.0, 1e3] {
            assert!(of(&|j| units[j], 0.0).ridge(c, 100).is_ok(), "{c}");
            let far = of(&|_| 1.0, 1e8).ridge(c, 100).unwrap();
            let near = plain.ridge(c, 100).unwrap();
            let pairs = near.weights.iter().zip(&far.weights);
            assert!(
                pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-4 * (1.0 + a.abs()))
            );
        }
    }

    #[test]
    fn the_conditions_of_a_sparse_minimum_hold() {
        for (n, p) in [(60, 5), (30, 30), (20, 200), (3, 4)] {
            for c in [1e-3, 0.1, 1.0, 100.0] {
                for mix in [0.1, 0.5, 1.0] {
                    let loss = loss(n, p, 7);
                    let pull = Pull { l1: mix, l2: 1.0 - mix };
                    let model = loss.sparse(pull, c, 200).unwrap();
                    let (slopes, of_intercept) = slopes(&loss, &model, c);
                    let worst = model.weights.iter().zip(&slopes).map(|(w, slope)| {
                        let slope = slope + pull.l2 * w;
                        match *w == 0.0 {
                            true => slope.abs() - pull.l1,
                            false => (slope + pull.l1 * w.signum()).abs(),
                        }
                    });
                    let worst = worst.fold(of_intercept.abs(), f64::max);
                    assert!(worst < 1e-6, "{n} × {p}, c {c}, mix {mix}: {worst:e}");
                }
            }
        }
    }

    #[test]
    fn maximum_likelihood_is_found_where_there_is_one() {
        let mut loss = loss(60, 4, 1);
        loss.y[0] = 0.0;
        let model = loss.unpenalised(100).unwrap();
        let (slopes, of_intercept) = slopes(&loss, &model, 1.0);
        assert!(slopes.iter().chain([&of_intercept]).all(|slope| slope.abs() < 1e-8));
    }

    #[test]
    fn without_a_maximum_there_is_a_reason() {
        let of = |p: usize, values: Vec<f64>, y: Vec<f64>| {
            let n = y.len();
            let x = Matrix { n, p, values };
            LogisticLoss::new(x, y, vec![1.0; n]).unpenalised(200)
        };
        let classes = vec![0.0, 0.0, 1.0, 1.0, 0.0];
        let apart = of(1, vec![1.0, 2.0, 3.0, 4.0, 0.5], classes.clone());
        assert_eq!(apart, Err(Unsolved::Separable));
        // Rows of both classes lie on the plane, all others on their side of it.
        for place in [-2.0, -1.9, 0.0, 1e6] {
            let touching = [1.0, 2.0, 2.0, 4.0, 0.5].map(|value| value + place);
            let touching = of(1, touching.to_vec(), classes.clone());
            assert_eq!(touching, Err(Unsolved::Separable), "{place}");
        }
        let twice = vec![1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 5.0, 5.0, 4.0, 4.0];
        assert_eq!(of(2, twice, classes.clone()), Err(Unsolved::Dependent));
        assert_eq!(of(1, vec![1e9; 5], classes.clone()), Err(Unsolved::Dependent));
        assert_eq!(of(5, vec![0.0; 25], classes), Err(Unsolved::Dependent));
    }
}
