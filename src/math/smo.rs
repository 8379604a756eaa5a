//! The dual problem of a support vector machine, by sequential minimal optimisation.

use super::wider::wider;
use super::{Matrix, Unsolved};

/// What separates: the decision value of x is Σ αᵢyᵢK(xᵢ, x) − ρ.
#[derive(Debug, Clone, PartialEq)]
pub struct Separator {
    /// αᵢyᵢ of each row; 0 where the row does not matter.
    pub weights: Vec<f64>,
    pub rho: f64,
}

/// The largest violation of the optimality conditions that is left, where a margin is 1.
///
/// libsvm stops at 10⁻³: rows whose decision values differ by less may then change places.
const TOLERANCE: f64 = 1e-9;
/// A violation that rounding alone may leave, when steps no longer change anything.
const ROUNDING: f64 = 1e-6;
/// A violation that is taken after [`MANY`] pairs, and libsvm's own: where the kernel is almost singular,
/// as on a single column, the last digits need more pairs than anybody waits for.
const ENOUGH: f64 = 1e-3;
const MANY: usize = 1_000_000;
/// The curvature along a pair of equal rows.
const FLAT: f64 = 1e-12;

/// Minimises ½αᵀQα − Σα over 0 ≤ αᵢ ≤ cᵢ with Σαᵢyᵢ = 0, where Qᵢⱼ = yᵢyⱼKᵢⱼ.
///
/// Pairs are chosen with second-order information (Fan, Chen and Lin 2005, WSS 2), as libsvm does.
/// Shape: `kernel` n × n, `y` (±1) and `caps` n.
///
/// Fails: `NotFinite` when a kernel value is; `NotConverged` after so many pairs far from the minimum.
pub fn separate(
    kernel: &Matrix,
    y: &[f64],
    caps: &[f64],
    iterations: usize,
) -> Result<Separator, Unsolved> {
    wider!(
        as_compiled,
        (kernel: &Matrix, y: &[f64], caps: &[f64], iterations: usize)
            -> Result<Separator, Unsolved>
    )
}

#[inline(always)]
fn as_compiled(
    kernel: &Matrix,
    y: &[f64],
    caps: &[f64],
    iterations: usize,
) -> Result<Separator, Unsolved> {
    // Without an end before the last one: such loops over all rows, and those below, run several at once.
    let sound = |values: &[f64]| values.iter().fold(true, |all, v| all & v.is_finite());
    if !sound(&kernel.values) || !sound(caps) {
        return Err(Unsolved::NotFinite);
    }
    let n = y.len();
    let mut alpha = vec![0.0; n];
    // The gradient of the objective times −y: what both classes are compared by.
    let mut pull: Vec<f64> = y.to_vec();
    let diagonal: Vec<f64> = (0..n).map(|i| kernel.row(i)[i]).collect();
    // Up: α may move along y. Down: it may move against it.
    let up = |alpha: &[f64], i: usize| match y[i] > 0.0 {
        true => alpha[i] < caps[i],
        false => alpha[i] > 0.0,
    };
    let down = |alpha: &[f64], i: usize| match y[i] > 0.0 {
        true => alpha[i] > 0.0,
        false => alpha[i] < caps[i],
    };
    // What is added to a pull, so that rows that may not move are never the largest; and what the
    // violation of a pair is multiplied by. Loops over all rows without a branch are the fast ones.
    let barred = |may: bool| if may { 0.0 } else { f64::NEG_INFINITY };
    let counts = |may: bool| if may { 1.0 } else { 0.0 };
    let mut bar_up: Vec<f64> = (0..n).map(|i| barred(up(&alpha, i))).collect();
    let mut bar_down: Vec<f64> = (0..n).map(|i| barred(down(&alpha, i))).collect();
    let mut in_down: Vec<f64> = (0..n).map(|i| counts(down(&alpha, i))).collect();
    let (mut ups, mut downs, mut gains) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut violation = f64::INFINITY;
    for spent in 0..iterations {
        for ((value, pull), bar) in ups.iter_mut().zip(&pull).zip(&bar_up) {
            *value = pull + bar;
        }
        let most = largest(&ups);
        if most == f64::NEG_INFINITY {
            return Ok(separator(&alpha, y, &pull, caps));
        }
        let i = first(&ups, most);
        for ((value, pull), bar) in downs.iter_mut().zip(&pull).zip(&bar_down) {
            *value = bar - pull;
        }
        let least = -largest(&downs);
        let row_i = kernel.row(i);
        let of_i = diagonal[i];
        let curvatures = diagonal.iter().zip(row_i);
        let of_rows = pull.iter().zip(&in_down).zip(curvatures);
        for (gain, ((pull, in_down), (of_row, shared))) in gains.iter_mut().zip(of_rows) {
            let apart = most - pull;
            let apart = if apart > 0.0 { apart * in_down } else { 0.0 };
            let curvature = of_i + of_row - 2.0 * shared;
            let curvature = if curvature > 0.0 { curvature } else { FLAT };
            *gain = apart * apart / curvature;
        }
        let gain = largest(&gains);
        violation = most - least;
        if gain <= 0.0 || violation < taken_after(spent) {
            return Ok(separator(&alpha, y, &pull, caps));
        }
        let j = first(&gains, gain);
        let row_j = kernel.row(j);
        let curvature = diagonal[i] + diagonal[j] - 2.0 * row_i[j];
        let curvature = if curvature > 0.0 { curvature } else { FLAT };
        // How far α_i may go along y_i, and α_j against y_j.
        let room = |t: usize, forwards: bool| match forwards {
            true => caps[t] - alpha[t],
            false => alpha[t],
        };
        let (room_i, room_j) = (room(i, y[i] > 0.0), room(j, y[j] < 0.0));
        let wanted = (most - pull[j]) / curvature;
        let step = wanted.min(room_i).min(room_j);
        let before = (alpha[i], alpha[j]);
        // At an end of its range a number is that end exactly, not one rounding away.
        alpha[i] = match (step == room_i, y[i] > 0.0) {
            (true, true) => caps[i],
            (true, false) => 0.0,
            (false, _) => alpha[i] + y[i] * step,
        };
        alpha[j] = match (step == room_j, y[j] > 0.0) {
            (true, true) => 0.0,
            (true, false) => caps[j],
            (false, _) => alpha[j] - y[j] * step,
        };
        if (alpha[i], alpha[j]) == before {
            return match violation <= ROUNDING {
                true => Ok(separator(&alpha, y, &pull, caps)),
                false => Err(Unsolved::NotConverged(iterations)),
            };
        }
        for t in [i, j] {
            bar_up[t] = barred(up(&alpha, t));
            bar_down[t] = barred(down(&alpha, t));
            in_down[t] = counts(down(&alpha, t));
        }
        for ((pull, a), b) in pull.iter_mut().zip(row_i).zip(row_j) {
            *pull -= step * (a - b);
        }
    }
    match violation <= taken_after(iterations) {
        true => Ok(separator(&alpha, y, &pull, caps)),
        false => Err(Unsolved::NotConverged(iterations)),
    }
}

/// The violation that is taken after so many pairs.
fn taken_after(pairs: usize) -> f64 {
    if pairs < MANY { TOLERANCE } else { ENOUGH }
}

/// The largest of some numbers, none of which is NaN; −∞ of none.
#[inline(always)]
fn largest(values: &[f64]) -> f64 {
    let greater = |a: f64, b: f64| if b > a { b } else { a };
    let mut lanes = [f64::NEG_INFINITY; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (lane, value) in lanes.iter_mut().zip(eight) {
            *lane = greater(*lane, *value);
        }
    }
    let of_lanes = lanes.iter().chain(rest);
    of_lanes.fold(f64::NEG_INFINITY, |most, value| greater(most, *value))
}

/// The first place of a number that is among these.
#[inline(always)]
fn first(values: &[f64], wanted: f64) -> usize {
    let (eights, _) = values.as_chunks::<8>();
    let is_among = |eight: &[f64; 8]| {
        eight.iter().fold(false, |any, value| any | (*value == wanted))
    };
    let before = 8 * eights.iter().take_while(|eight| !is_among(eight)).count();
    let within = values[before..].iter().position(|value| *value == wanted);
    before + within.expect("it is one of them")
}

/// ρ is the mean over the rows that lie on their margin, or the middle of what is left to it.
fn separator(alpha: &[f64], y: &[f64], pull: &[f64], caps: &[f64]) -> Separator {
    let (mut sum, mut free) = (0.0, 0.0);
    let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
    for (i, &pull) in pull.iter().enumerate() {
        let rho = -pull;
        if alpha[i] > 0.0 && alpha[i] < caps[i] {
            sum += rho;
            free += 1.0;
        } else if (alpha[i] > 0.0) == (y[i] > 0.0) {
            lower = rho.max(lower);
        } else {
            upper = rho.min(upper);
        }
    }
    let rho = if free > 0.0 { sum / free } else { f64::midpoint(lower, upper) };
    Separator { weights: alpha.iter().zip(y).map(|(a, y)| a * y).collect(), rho }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::{Stream, exp};

    fn problem(n: usize, p: usize, seed: u64) -> (Matrix, Vec<f64>) {
        let mut stream = Stream::new(seed, &["smo"]);
        let values = (0..n * p).map(|_| stream.normal()).collect();
        let y = (0..n).map(|i| if i % 3 == 0 { 1.0 } else { -1.0 }).collect();
        (Matrix { n, p, values }, y)
    }

    #[test]
    fn two_rows_have_the_plane_between_them() {
        let x = Matrix { n: 2, p: 1, values: vec![1.0, 3.0] };
        let found = separate(&x.gram(), &[-1.0, 1.0], &[10.0; 2], 100).unwrap();
        // w = Σαᵢyᵢxᵢ = 1 and ρ = 2: the margin touches both.
        assert_eq!(found.weights, [-0.5, 0.5]);
        assert_eq!(found.rho, 2.0);
    }

    #[test]
    fn wide_registers_change_no_bit() {
        for (n, seed) in [(2, 1), (7, 2), (8, 3), (33, 4), (84, 5)] {
            let (x, y) = problem(n, 5, seed);
            let mut kernel = x.squared_distances();
            kernel.values.iter_mut().for_each(|d| *d = exp(-0.1 * *d));
            for c in [0.1, 10.0] {
                let caps = vec![c; n];
                let found = separate(&kernel, &y, &caps, MANY);
                assert_eq!(found, as_compiled(&kernel, &y, &caps, MANY), "{n}");
            }
        }
    }

    #[test]
    fn equal_rows_of_two_classes_end() {
        let x = Matrix { n: 4, p: 1, values: vec![1.0; 4] };
        let found = separate(&x.gram(), &[1.0, -1.0, 1.0, -1.0], &[1.0; 4], 100).unwrap();
        assert!(found.rho.is_finite());
    }

    #[test]
    fn an_almost_singular_kernel_ends_near_its_minimum() {
        // 36 rows of one column: their kernel has hardly a dozen directions.
        let (x, y) = problem(36, 1, 14_833_754_577_671_743_019);
        let mut kernel = x.squared_distances();
        kernel.values.iter_mut().for_each(|d| *d = exp(-0.5 * *d));
        let found = separate(&kernel, &y, &[67.0; 36], 1_000_000).unwrap();
        assert!(found.weights.iter().sum::<f64>().abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn the_conditions_of_a_minimum_hold(
            n in 4usize..40, p in 1usize..6, seed: u64, c in 0.01..100.0f64,
            linear: bool,
        ) {
            let (x, y) = problem(n, p, seed);
            let mut kernel = if linear { x.gram() } else { x.squared_distances() };
            if !linear {
                kernel.values.iter_mut().for_each(|d| *d = exp(-0.5 * *d));
            }
            let caps = vec![c; n];
            // A kernel of few directions, as of one column or a linear one, may take so many pairs that
            // less is enough.
            let (found, exact) = match separate(&kernel, &y, &caps, MANY - 1) {
                Ok(found) => (found, 1e-6),
                Err(_) => (separate(&kernel, &y, &caps, MANY).unwrap(), 2.0 * ENOUGH),
            };
            prop_assert!(found.weights.iter().sum::<f64>().abs() < 1e-9 * c * n as f64);
            for i in 0..n {
                let margin = y[i] * (super::super::dot(kernel.row(i), &found.weights) - found.rho);
                let alpha = found.weights[i] * y[i];
                prop_assert!((0.0..=c).contains(&alpha));
                if alpha < c { prop_assert!(margin > 1.0 - exact, "{margin}") }
                if alpha > 0.0 { prop_assert!(margin < 1.0 + exact, "{margin}") }
            }
        }
    }
}
