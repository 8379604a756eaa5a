//! Least squares under a penalty that sets coefficients to exactly zero.

use super::{Matrix, Rough, Unsolved, wide_dot};

/// Minimises ½‖y − Xw‖² + λ₁‖w‖₁ + ½λ₂‖w‖² for one X and one y at any penalties.
///
/// The method is that of Lee, Battle, Raina and Ng (2007), feature-sign search: with the signs of
/// the nonzero coefficients known, the problem is a linear system, which is solved exactly; a
/// coefficient that would change its sign stops at zero and leaves; the columns that pull hardest
/// against zero come in by a step of coordinate descent. Every step lowers the objective, and at the
/// end the conditions of a minimum hold to rounding. Where a column is a combination of others, to
/// rounding, coefficients move along that combination, which leaves the fitted values as they are,
/// until one is zero; where that does not lower the penalty, its column stays out from then on, or
/// equal columns would change places for ever.
///
/// Of many columns most pull far too little to come in, which few digits of their products with the
/// residual tell; the others are multiplied with all digits. Which columns come in stays the same.
pub struct SparseLeastSquares {
    n: usize,
    p: usize,
    /// Column-major.
    x: Vec<f64>,
    y: Vec<f64>,
    squares: Vec<f64>,
    /// Their roots.
    lengths: Vec<f64>,
    /// Xᵀy.
    pull: Vec<f64>,
    /// How often columns were looked for that pull beyond the penalty.
    looked: usize,
    /// The columns in few digits, once it pays.
    rough: Option<Rough>,
    /// Products of the columns that have ever been nonzero, each with those before it.
    known: Vec<Vec<f64>>,
    /// Which columns these are, and where each column stands among them.
    columns: Vec<usize>,
    place: Vec<Option<usize>>,
}

/// How strongly coefficients are drawn to zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pull {
    /// Weight of the sum of absolute coefficients.
    pub l1: f64,
    /// Half of it weighs the sum of squared coefficients.
    pub l2: f64,
}

/// Columns that come in together.
const AT_ONCE: usize = 8;
/// A column comes in when it pulls by more than this share beyond the penalty.
const BEYOND: f64 = 1e-10;
/// The same against rounding in its product with the residual.
const ROUNDING: f64 = 1e-14;
/// Lengths below this may have lost digits in their squares, or be 0 in place of a number.
const LOST: f64 = 1e-100;
/// When columns are looked through so often, they are worth having in few digits.
const OFTEN: usize = 4;
/// Along a combination of columns the penalty does not fall when its slope is below this share.
const LEVEL: f64 = 1e-9;

impl SparseLeastSquares {
    /// `x` is column-major with `y.len()` rows. An intercept is fitted by centring both before.
    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Self {
        let n = y.len();
        let p = x.len().checked_div(n).unwrap_or(0);
        let columns = || x.chunks_exact(n.max(1));
        let squares: Vec<f64> =
            columns().map(|column| wide_dot(column, column)).collect();
        let lengths = squares.iter().map(|square| super::sqrt(*square)).collect();
        let pull: Vec<f64> = columns().map(|column| wide_dot(column, &y)).collect();
        let (known, columns, place) = (Vec::new(), Vec::new(), vec![None; p]);
        Self {
            n,
            p,
            squares,
            lengths,
            pull,
            looked: 0,
            rough: None,
            x,
            y,
            known,
            columns,
            place,
        }
    }

    /// The smallest λ₁ at which all coefficients are zero: max |Xᵀy|.
    pub fn greatest(&self) -> f64 {
        self.pull.iter().fold(0.0, |most, pull| pull.abs().max(most))
    }

    fn column(&self, j: usize) -> &[f64] {
        &self.x[j * self.n..(j + 1) * self.n]
    }

    /// The minimum, sought from `w`, which it replaces.
    ///
    /// Fails: `NotFinite` when the products of columns overflow; `NotConverged`.
    pub fn minimise(&mut self, pull: Pull, w: &mut [f64]) -> Result<(), Unsolved> {
        let sums = self.squares.iter().chain(&self.pull);
        if !sums.chain([&pull.l1, &pull.l2]).all(|sum| sum.is_finite()) {
            return Err(Unsolved::NotFinite);
        }
        let size = super::sqrt(wide_dot(&self.y, &self.y));
        let mut active: Vec<usize> = (0..self.p).filter(|&j| w[j] != 0.0).collect();
        let mut barred = vec![false; self.p];
        let most = 1000 + 4 * (self.n + self.p);
        for _ in 0..most {
            self.settle(pull, w, &mut active, &mut barred);
            let mut residual = self.residual(w, &active);
            let mut outside = self.outside(pull.l1, size, w, &barred, &residual);
            if outside.is_empty() {
                return Ok(());
            }
            outside.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (_, j) in outside.into_iter().take(AT_ONCE) {
                self.descend(j, pull, w, &mut residual);
            }
            active = (0..self.p).filter(|&j| w[j] != 0.0).collect();
        }
        Err(Unsolved::NotConverged(most))
    }

    fn residual(&self, w: &[f64], active: &[usize]) -> Vec<f64> {
        let mut residual = self.y.clone();
        for &j in active {
            for (r, x) in residual.iter_mut().zip(self.column(j)) {
                *r -= w[j] * x;
            }
        }
        residual
    }

    /// The columns at zero that pull beyond the penalty, and by how much.
    fn outside(
        &mut self,
        l1: f64,
        size: f64,
        w: &[f64],
        barred: &[bool],
        residual: &[f64],
    ) -> Vec<(f64, usize)> {
        self.looked += 1;
        if self.looked == OFTEN {
            let columns = self.x.chunks_exact(self.n.max(1)).zip(&self.lengths);
            let columns = columns.map(|(column, length)| (column, per(*length)));
            self.rough = Some(Rough::of(self.n, &columns.collect::<Vec<_>>()));
        }
        let length = super::sqrt(wide_dot(residual, residual));
        let free = (0..self.p).filter(|&j| w[j] == 0.0 && !barred[j]);
        let beyond = |j: usize| (wide_dot(self.column(j), residual).abs() - l1, j);
        let comes_in = |&(beyond, j): &(f64, usize)| {
            beyond > BEYOND * l1 + ROUNDING * size * self.lengths[j]
        };
        let Some(rough) = self.rough.as_ref().filter(|_| length >= LOST) else {
            return free.map(beyond).filter(comes_in).collect();
        };
        let (sizes, error) = (rough.sizes(residual, 1.0 / length), rough.error());
        // Written so that what is not a number is looked at, and what has lost its length.
        let may = |&j: &usize| {
            let column = self.lengths[j];
            !((sizes[j] + error) * length * column <= l1 && column >= LOST)
        };
        free.filter(may).map(beyond).filter(comes_in).collect()
    }

    /// The best value of one coefficient with the others as they are.
    fn descend(&self, j: usize, pull: Pull, w: &mut [f64], residual: &mut [f64]) {
        let square = self.squares[j];
        if square + pull.l2 <= 0.0 {
            return;
        }
        let rho = wide_dot(self.column(j), residual) + square * w[j];
        let size = (rho.abs() - pull.l1).max(0.0) / (square + pull.l2);
        let next = if rho < 0.0 { -size } else { size };
        let change = next - w[j];
        if change != 0.0 {
            w[j] = next;
            for (r, x) in residual.iter_mut().zip(self.column(j)) {
                *r -= change * x;
            }
        }
    }

    /// The minimum over the nonzero coefficients, among which some may become zero and leave.
    fn settle(
        &mut self,
        pull: Pull,
        w: &mut [f64],
        active: &mut Vec<usize>,
        barred: &mut [bool],
    ) {
        while !active.is_empty() {
            let system = self.system(active, pull.l2);
            match self.step(system, pull, w, active) {
                Step::Exact(target) => {
                    // On the way to the target a coefficient may meet zero.
                    let steps: Vec<f64> =
                        active.iter().zip(&target).map(|(&j, t)| t - w[j]).collect();
                    match first_zero(active, &steps, w).filter(|(share, _)| *share <= 1.0)
                    {
                        None => {
                            active.iter().zip(target).for_each(|(&j, t)| w[j] = t);
                            return;
                        }
                        Some((share, out)) => go(active, &steps, share, out, w),
                    }
                }
                Step::Along(steps, level) => match first_zero(active, &steps, w) {
                    Some((share, out)) => {
                        go(active, &steps, share, out, w);
                        barred[out] |= level;
                    }
                    // Rounding alone keeps the combination from ending.
                    None => return,
                },
            }
        }
    }

    fn step(&self, mut system: Matrix, pull: Pull, w: &[f64], active: &[usize]) -> Step {
        let sign = |j: usize| w[j].signum();
        let Err(at) = system.factorise() else {
            let mut target: Vec<f64> =
                active.iter().map(|&j| self.pull[j] - pull.l1 * sign(j)).collect();
            system.solve_factorised(&mut target);
            return Step::Exact(target);
        };
        // Column `at` is the sum of the earlier ones times these.
        let mut shares = system.row(at)[..at].to_vec();
        system.solve_transposed(&mut shares);
        let mut steps: Vec<f64> = shares.into_iter().map(|share| -share).collect();
        steps.push(1.0);
        steps.resize(active.len(), 0.0);
        // Towards the smaller sum of absolute coefficients; if it stays, towards leaving.
        let slope: f64 = active.iter().zip(&steps).map(|(&j, s)| sign(j) * s).sum();
        let backwards = match slope == 0.0 {
            true => sign(active[at]) > 0.0,
            false => slope > 0.0,
        };
        if backwards {
            steps.iter_mut().for_each(|step| *step = -*step);
        }
        let sizes: f64 = steps.iter().map(|step| step.abs()).sum();
        Step::Along(steps, slope.abs() <= LEVEL * sizes)
    }

    /// XᵀX + λ₂I over some columns, its lower half.
    fn system(&mut self, active: &[usize], l2: f64) -> Matrix {
        for &j in active {
            if self.place[j].is_none() {
                let with: Vec<f64> = self
                    .columns
                    .iter()
                    .map(|&other| wide_dot(self.column(j), self.column(other)))
                    .collect();
                self.place[j] = Some(self.columns.len());
                self.columns.push(j);
                self.known.push(with);
            }
        }
        let k = active.len();
        let places: Vec<usize> = active.iter().filter_map(|&j| self.place[j]).collect();
        let mut values = vec![0.0; k * k];
        for a in 0..k {
            for b in 0..a {
                let (late, early) = (places[a].max(places[b]), places[a].min(places[b]));
                values[a * k + b] = self.known[late][early];
            }
            values[a * k + a] = self.squares[active[a]] + l2;
        }
        Matrix { n: k, p: k, values }
    }
}

/// What a column of this length is multiplied by to have length 1; nothing where that is no number.
fn per(length: f64) -> f64 {
    if length >= LOST { 1.0 / length } else { 0.0 }
}

/// Where the nonzero coefficients go.
enum Step {
    /// To these values, the minimum for their signs.
    Exact(Vec<f64>),
    /// In this direction, along which the fitted values stay; and whether the penalty does too.
    Along(Vec<f64>, bool),
}

/// The coefficient that first meets zero in this direction, and after how much of it.
fn first_zero(active: &[usize], steps: &[f64], w: &[f64]) -> Option<(f64, usize)> {
    let mut first: Option<(f64, usize)> = None;
    for (&j, step) in active.iter().zip(steps) {
        if step * w[j] < 0.0 {
            let share = -w[j] / step;
            if first.is_none_or(|(least, _)| share < least) {
                first = Some((share, j));
            }
        }
    }
    first
}

/// Moves the nonzero coefficients; `out` is zero then and leaves.
fn go(active: &mut Vec<usize>, steps: &[f64], share: f64, out: usize, w: &mut [f64]) {
    for (&j, step) in active.iter().zip(steps) {
        w[j] += share * step;
    }
    w[out] = 0.0;
    active.retain(|&j| w[j] != 0.0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::Stream;

    fn columns(n: usize, p: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Stream::new(seed, &["sparse"]);
        let x: Vec<f64> = (0..n * p).map(|_| stream.normal()).collect();
        let y = (0..n).map(|i| x[i] - x[n + i] / 2.0 + stream.normal()).collect();
        (x, y)
    }

    /// How far the conditions of a minimum are from holding, in units of λ₁.
    fn violation(problem: &SparseLeastSquares, pull: Pull, w: &[f64]) -> f64 {
        let active: Vec<usize> = (0..w.len()).filter(|&j| w[j] != 0.0).collect();
        let residual = problem.residual(w, &active);
        (0..w.len())
            .map(|j| {
                let g = wide_dot(problem.column(j), &residual) - pull.l2 * w[j];
                match w[j] == 0.0 {
                    true => (g.abs() - pull.l1).max(0.0),
                    false => (g - pull.l1 * w[j].signum()).abs(),
                }
            })
            .fold(0.0, f64::max)
            / pull.l1
    }

    #[test]
    fn one_column_is_soft_thresholded() {
        let mut problem = SparseLeastSquares::new(vec![1.0, -1.0], vec![3.0, -1.0]);
        for (l1, l2, expected) in [(1.0, 0.0, 1.5), (1.0, 2.0, 0.75), (4.0, 0.0, 0.0)] {
            let mut w = [0.0];
            problem.minimise(Pull { l1, l2 }, &mut w).unwrap();
            assert!((w[0] - expected).abs() < 1e-15, "{w:?}");
        }
        assert_eq!(problem.greatest(), 4.0);
    }

    #[test]
    fn equal_columns_share_what_one_of_them_would_have() {
        let (mut x, y) = columns(20, 3, 3);
        let first: Vec<f64> = x[..20].to_vec();
        let mut alone = SparseLeastSquares::new(x.clone(), y.clone());
        x.extend(&first);
        x.extend(first.iter().map(|value| -value));
        x.extend([0.0; 20]);
        let mut problem = SparseLeastSquares::new(x, y);
        let pull = Pull { l1: 0.5, l2: 0.0 };
        let (mut one, mut all) = ([0.0; 3], [0.0; 6]);
        alone.minimise(pull, &mut one).unwrap();
        problem.minimise(pull, &mut all).unwrap();
        assert!((all[0] + all[3] - all[4] - one[0]).abs() < 1e-9, "{one:?} {all:?}");
        assert_eq!(all[5], 0.0);
    }

    /// Like [`SparseLeastSquares::outside`], from the products with all columns.
    fn outside_plainly(
        problem: &SparseLeastSquares,
        (l1, size): (f64, f64),
        w: &[f64],
        residual: &[f64],
    ) -> Vec<(f64, usize)> {
        let free = (0..problem.p).filter(|&j| w[j] == 0.0);
        let pulls = free.map(|j| (wide_dot(problem.column(j), residual).abs() - l1, j));
        let comes_in = |&(beyond, j): &(f64, usize)| {
            beyond
                > BEYOND * l1 + ROUNDING * size * super::super::sqrt(problem.squares[j])
        };
        pulls.filter(comes_in).collect()
    }

    #[test]
    fn what_few_digits_leave_out_would_have_stayed_out() {
        for (n, p, seed) in [(20, 300, 1), (7, 40, 2), (30, 12, 3), (3, 2000, 4)] {
            let (mut x, y) = columns(n, p.max(2), seed);
            // A column that is long, one that is lost in its square, and one of zeros.
            x[..n].iter_mut().for_each(|value| *value *= 1e3);
            x[n..2 * n].iter_mut().for_each(|value| *value *= 1e-170);
            x[2 * n..3 * n].fill(0.0);
            let size = super::super::sqrt(wide_dot(&y, &y));
            let mut problem = SparseLeastSquares::new(x, y);
            let mut stream = Stream::new(seed, &["outside"]);
            let mut residual = problem.y.clone();
            let mut w = vec![0.0; p];
            let barred = vec![false; p];
            for round in 0..200 {
                // Mostly small steps, as along a path; now and then to somewhere else, and to nothing.
                let step = if round % 50 == 49 { 1.0 } else { 0.02 };
                residual.iter_mut().for_each(|r| *r = *r * 0.99 + step * stream.normal());
                if round % 60 == 59 {
                    residual.iter_mut().for_each(|r| *r *= 1e-160);
                }
                w[stream.below(p)] = f64::from(u8::from(round % 2 == 0));
                let pulls = (0..p).map(|j| wide_dot(problem.column(j), &residual).abs());
                let most = pulls.fold(0.0, f64::max);
                for share in [1.0, 0.7, 0.1] {
                    let l1 = most * share;
                    let plain = outside_plainly(&problem, (l1, size), &w, &residual);
                    let found = problem.outside(l1, size, &w, &barred, &residual);
                    assert_eq!(found, plain, "{n} x {p}, {round}, {share}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_conditions_of_a_minimum_hold(
            n in 2usize..30, p in 2usize..60, seed: u64,
            strength in 1e-3..1.0f64, ridge in prop::sample::select(vec![0.0, 0.1, 10.0]),
            scale in prop::sample::select(vec![1e-12, 1.0, 1e12]),
        ) {
            let (mut x, y) = columns(n, p, seed);
            x.iter_mut().for_each(|value| *value *= scale);
            let mut problem = SparseLeastSquares::new(x, y);
            let pull = Pull { l1: strength * problem.greatest(), l2: ridge * scale * scale };
            let mut w = vec![0.0; p];
            problem.minimise(pull, &mut w).unwrap();
            prop_assert!(violation(&problem, pull, &w) < 1e-7);
            // From elsewhere it comes to the same fitted values.
            let mut other: Vec<f64> = (0..p).map(|j| (j % 3) as f64 / scale).collect();
            problem.minimise(pull, &mut other).unwrap();
            let fitted = |w: &[f64]| {
                problem.residual(w, &(0..p).collect::<Vec<_>>())
            };
            for (a, b) in fitted(&w).iter().zip(fitted(&other)) {
                prop_assert!((a - b).abs() < 1e-6, "{a} {b}");
            }
        }
    }
}
