//! Skewed columns made more nearly normal.

use crate::math::{exp, ln, ln_1p, mean, minimum, yeo_johnson};
use crate::operation::prelude::*;

/// Transforms each column by the power that makes its training values most nearly normal.
///
/// Radiomics features are skewed, and distances, penalties and correlations feel their tails. Values
/// may be of either sign. Place `scale_zscore` after it.
///
/// # Computation
/// ψ(x) = ((x + 1)^λ − 1) / λ for x ≥ 0, or ln(x + 1) at λ = 0; ψ(x) = −((1 − x)^(2−λ) − 1) / (2 − λ)
/// for x < 0, or −ln(1 − x) at λ = 2. Per column, λ maximises the profile likelihood of a normal
/// distribution, −n/2 · ln σ²(ψ) + (λ − 1) Σ sign(x) ln(|x| + 1), over the known training values, by
/// Brent's method between bounds within which values up to 20 times the largest one can be
/// transformed, and within which the standard deviation of transformed values is no less than 10⁻⁹ of
/// the largest of them: a power that leaves less of large values presses them together so far that
/// only the last digits tell them apart. A constant column has λ = 1, which changes nothing; so has one of numbers of both
/// signs beyond 1e150, which leave no room between the bounds. Missing values stay missing.
///
/// # State
/// λ of each column.
///
/// # Differences
/// scikit-learn's `PowerTransformer` has the same λ, but for large values that it presses together
/// until their digits are lost; it then standardises, which is left to
/// `scale_zscore`. R's `car::powerTransform(family = "yjPower")` maximises the same likelihood.
///
/// # Limits
/// What is not skewed but has heavy tails stays so. A held-out value far beyond the training values
/// that would overflow becomes the largest number there is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransformYeoJohnson {}

impl Operation for TransformYeoJohnson {
    const ABOUT: About = About {
        name: "transform_yeo_johnson",
        title: "Yeo–Johnson transformation",
        // 1: first release. 2: no power is so far from 1 that large values lose their digits.
        version: 2,
        sources: &["yeo2000", "brent1973", "pedregosa2011"],
        example: "transform_yeo_johnson",
    };
}

impl TableStep for TransformYeoJohnson {
    /// λ of each column.
    type State = Vec<f64>;

    const GAPS: Gaps = Gaps::Kept;

    fn fit(&self, train: &Train) -> Result<Vec<f64>, Failure> {
        let lambdas = train.rows().columns().iter().map(|column| {
            let mut known: Vec<f64> =
                column.values.iter().copied().filter(|value| !value.is_nan()).collect();
            if known.is_empty() {
                return Err(Failure::AllMissing(column.name.to_string()));
            }
            if known.iter().any(|value| value.is_infinite()) {
                return Err(Failure::NotFinite(format!("a value of `{}`", column.name)));
            }
            // Sorted, so that sums do not depend on the order of rows.
            known.sort_by(f64::total_cmp);
            Ok(lambda(&known))
        });
        lambdas.collect()
    }

    fn apply(&self, lambdas: &Vec<f64>, rows: &mut Rows) -> Result<(), Failure> {
        for ((_, values), lambda) in rows.columns_mut().zip(lambdas) {
            let change = Change::YeoJohnson { lambda: *lambda };
            values.iter_mut().for_each(|value| *value = change.of(*value, None));
        }
        Ok(())
    }

    fn formulas(&self, lambdas: &Vec<f64>, _columns: &Rows) -> Option<Vec<Formula>> {
        let formulas = lambdas.iter().enumerate().map(|(from, lambda)| Formula {
            from,
            change: Change::YeoJohnson { lambda: *lambda },
        });
        Some(formulas.collect())
    }
}

/// The most likely λ of sorted known values.
fn lambda(known: &[f64]) -> f64 {
    let (least, largest) = (known[0], known[known.len() - 1]);
    if least == largest {
        return 1.0;
    }
    let size = least.abs().max(largest.abs());
    // Half of the range of exponents, so that squares of deviations stay numbers; 20 times the
    // largest value is what held-out rows may bring.
    let log = ln_1p((20.0 * size).min(f64::MAX));
    let lower = (ln(f64::MIN_POSITIVE) - ln(f64::EPSILON)) / 2.0 / log;
    let upper = (ln(f64::MAX) + ln(f64::EPSILON)) / 2.0 / log;
    let (lower, upper) = match (least < 0.0, largest < 0.0) {
        (_, true) => (2.0 - upper, 2.0 - lower),
        (true, false) => (lower.max(2.0 - upper), upper.min(2.0 - lower)),
        (false, false) => (lower, upper),
    };
    if lower >= upper {
        return 1.0; // Numbers of either sign so large that any other power may overflow.
    }
    let logs: f64 = known.iter().map(|x| x.signum() * ln_1p(x.abs())).sum();
    let n = known.len() as f64;
    let unlikely = |lambda: f64| {
        let transformed: Vec<f64> =
            known.iter().map(|x| yeo_johnson(*x, lambda)).collect();
        match ln_variance(&transformed) {
            Some(variance) => n / 2.0 * variance - (lambda - 1.0) * logs,
            None => f64::INFINITY,
        }
    };
    let most = |lower, upper| minimum(lower, upper, 1.48e-8, unlikely);
    let free = most(lower, upper);
    if spread(known, free) >= APART {
        return free;
    }
    let (lower, upper) = told_apart(known, lower, upper);
    most(lower, upper)
}

/// The least share of the largest transformed value that their standard deviation may be: of the 16
/// digits of a number seven are left.
const APART: f64 = 1e-9;

/// The standard deviation of transformed values, as a share of the largest of them.
fn spread(known: &[f64], lambda: f64) -> f64 {
    let transformed: Vec<f64> = known.iter().map(|x| yeo_johnson(*x, lambda)).collect();
    let largest = transformed.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    ln_variance(&transformed).map_or(0.0, |variance| exp(variance / 2.0 - ln(largest)))
}

/// The bounds within which transformed values are told apart by more than their last digits. Values of
/// one sign are pressed together by powers on one side only, the more the farther these are from 1;
/// values of both signs are never.
fn told_apart(known: &[f64], lower: f64, upper: f64) -> (f64, f64) {
    let (is_low, is_high) = (known[known.len() - 1] < 0.0, known[0] >= 0.0);
    if !is_low && !is_high {
        return (lower, upper);
    }
    let bound = if is_high { lower } else { upper };
    let unchanged = 1.0f64.clamp(lower, upper);
    // What is closer together to begin with is pressed no further.
    let least = APART.min(spread(known, unchanged));
    let (mut pressed, mut fine) = (bound, unchanged);
    // Bisection; the bound need be no more exact than what is measured.
    for _ in 0..40 {
        let middle = f64::midpoint(pressed, fine);
        match spread(known, middle) >= least {
            true => fine = middle,
            false => pressed = middle,
        }
    }
    if is_high { (fine, upper) } else { (lower, fine) }
}

/// ln of the variance with divisor n; `None` when it is 0 or not finite.
fn ln_variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let deviations = values.iter().map(|value| value - mean);
    let largest = deviations.clone().fold(0.0, |a: f64, b| a.max(b.abs()));
    let squares: f64 = deviations.map(|d| (d / largest) * (d / largest)).sum();
    let ln = 2.0 * ln(largest) + ln(squares / values.len() as f64);
    ln.is_finite().then_some(ln)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn lambdas_are_those_of_scikit_learn() {
        for (name, fixture) in Fixture::all() {
            println!("{name}");
            let found = |column: &Vec<f64>| {
                let mut known = column.clone();
                known.sort_by(f64::total_cmp);
                lambda(&known)
            };
            let found: Vec<f64> = fixture.columns.iter().map(found).collect();
            // The likelihood is flat to half of the digits about its maximum.
            fixture.compare_from(1.0, "lambda", &found, 1e-6);
        }
    }

    #[test]
    fn the_transform_joins_its_cases() {
        for x in [-7.5, -1e-9, 0.0, 1e-9, 3.0] {
            assert!((yeo_johnson(x, 1.0) - x).abs() <= 1e-15 * f64::abs(x));
            for edge in [0.0, 2.0] {
                let near = yeo_johnson(x, edge + 1e-9);
                assert!((yeo_johnson(x, edge) - near).abs() < 1e-7, "{x} {edge}");
            }
        }
        assert_eq!(yeo_johnson(1.0, 2.0), 1.5);
        assert_eq!(yeo_johnson(-1.0, 0.0), -1.5);
    }

    /// Whoever computes a power in another way has the same standardised values.
    #[test]
    fn large_values_are_not_pressed_together_until_their_digits_are_lost() {
        let mut stream = crate::math::Stream::new(1, &["large values"]);
        for size in [1e4, 1e6, 1e9, 1e12] {
            for sign in [1.0, -1.0] {
                let skewed = |_| sign * size * (1.0 + 0.2 * exp(0.6 * stream.normal()));
                let mut known: Vec<f64> = (0..150).map(skewed).collect();
                known.sort_by(f64::total_cmp);
                let lambda = lambda(&known);
                let of: Vec<f64> =
                    known.iter().map(|x| yeo_johnson(*x, lambda)).collect();
                let power = |x: f64| {
                    let (p, x) = if x >= 0.0 { (lambda, x) } else { (2.0 - lambda, -x) };
                    sign * (crate::math::pow(1.0 + x, p) - 1.0) / p
                };
                let centre = mean(&of).unwrap();
                let spread = exp(ln_variance(&of).unwrap() / 2.0);
                for (x, of) in known.iter().zip(&of) {
                    let off = (power(*x) - of) / spread;
                    assert!(off.abs() < 1e-6, "{size} {sign} {x}: {off}");
                }
                assert!(spread >= 0.99 * APART * centre.abs(), "{size} {sign}");
            }
        }
        // Small ones may take any power.
        let small: Vec<f64> = (0..60).map(|i| 1e-5 * exp(f64::from(i) / 20.0)).collect();
        assert!(lambda(&small) < -1e3);
    }

    #[test]
    fn a_constant_column_is_not_changed() {
        assert_eq!(lambda(&[3.0; 4]), 1.0);
        assert_eq!(lambda(&[-2.5]), 1.0);
    }

    proptest! {
        #[test]
        fn any_column_has_a_finite_power(
            mut values in prop::collection::vec(-1e3f64..1e3, 2..12),
            scale in prop::sample::select(vec![1e-300, 1e-12, 1.0, 1e12, 1e300]),
        ) {
            values.iter_mut().for_each(|value| *value *= scale);
            values.sort_by(f64::total_cmp);
            let lambda = lambda(&values);
            prop_assert!(lambda.is_finite());
            let transformed: Vec<f64> = values.iter().map(|x| yeo_johnson(*x, lambda)).collect();
            prop_assert!(transformed.iter().all(|value| value.is_finite()));
            prop_assert!(transformed.is_sorted());
        }
    }
}
