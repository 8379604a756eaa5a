//! The minimum of a function of one variable.

/// Where `f` is least between two bounds, to a relative `tolerance`, by Brent's method (1973, chapter
/// 5): parabolas through the last points, golden sections where these do not serve.
///
/// Finds a local minimum where there are several; a value that is not finite counts as high.
pub fn minimum(lower: f64, upper: f64, tolerance: f64, f: impl Fn(f64) -> f64) -> f64 {
    /// (3 − √5) / 2
    const GOLDEN: f64 = 0.381_966_011_250_105_1;
    let precision = 1.490_116_119_384_765_6e-8; // √ε
    let f = |x: f64| {
        let value = f(x);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let (mut a, mut b) = (lower, upper);
    // The best, the second best and the one before.
    let mut x = a + GOLDEN * (b - a);
    let (mut second, mut third) = (x, x);
    let mut f_x = f(x);
    let (mut f_second, mut f_third) = (f_x, f_x);
    let (mut step, mut last) = (0.0f64, 0.0f64);
    for _ in 0..500 {
        let middle = 0.5 * (a + b);
        let least = precision * x.abs() + tolerance / 3.0;
        if (x - middle).abs() <= 2.0 * least - 0.5 * (b - a) {
            break;
        }
        let mut golden = true;
        if last.abs() > least {
            let r = (x - second) * (f_x - f_third);
            let q = (x - third) * (f_x - f_second);
            let mut p = (x - third) * q - (x - second) * r;
            let mut q = 2.0 * (q - r);
            if q > 0.0 {
                p = -p;
            }
            q = q.abs();
            let before = last;
            last = step;
            if p.abs() < (0.5 * q * before).abs() && p > q * (a - x) && p < q * (b - x) {
                step = p / q;
                let next = x + step;
                if next - a < 2.0 * least || b - next < 2.0 * least {
                    step = if middle >= x { least } else { -least };
                }
                golden = false;
            }
        }
        if golden {
            last = if x >= middle { a - x } else { b - x };
            step = GOLDEN * last;
        }
        let next = x + step.abs().max(least) * if step >= 0.0 { 1.0 } else { -1.0 };
        let f_next = f(next);
        if f_next <= f_x {
            if next >= x {
                a = x;
            } else {
                b = x;
            }
            (third, f_third) = (second, f_second);
            (second, f_second) = (x, f_x);
            (x, f_x) = (next, f_next);
            continue;
        }
        if next < x {
            a = next;
        } else {
            b = next;
        }
        if f_next <= f_second || second == x {
            (third, f_third) = (second, f_second);
            (second, f_second) = (next, f_next);
        } else if f_next <= f_third || third == x || third == second {
            (third, f_third) = (next, f_next);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minima_are_found_inside_and_at_the_bounds() {
        let near = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        };
        near(minimum(-10.0, 10.0, 1e-8, |x| (x - 3.0) * (x - 3.0)), 3.0);
        near(minimum(0.1, 9.0, 1e-8, |x| x + 4.0 / x), 2.0);
        near(minimum(-1.0, 5.0, 1e-8, |x| x), -1.0);
        let cliff = |x: f64| if x < 0.0 { f64::NAN } else { x * x - x };
        near(minimum(-3.0, 3.0, 1e-8, cliff), 0.5);
    }
}
