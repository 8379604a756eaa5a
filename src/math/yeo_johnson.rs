//! The power transformation of Yeo and Johnson for values of either sign.

use super::{expm1, ln_1p};

/// The transform of one value.
///
/// Source: yeo2000, equation 2.1.
pub fn yeo_johnson(x: f64, lambda: f64) -> f64 {
    match x >= 0.0 {
        true => power(ln_1p(x), lambda),
        false => -power(ln_1p(-x), 2.0 - lambda),
    }
}

/// The value whose transform this is; not a number where no value has it.
pub fn yeo_johnson_of(transformed: f64, lambda: f64) -> f64 {
    match transformed >= 0.0 {
        true => expm1(root(transformed, lambda)),
        false => -expm1(root(-transformed, 2.0 - lambda)),
    }
}

/// (e^(power·log) − 1) / power, or its limit `log` at 0.
fn power(log: f64, power: f64) -> f64 {
    match power.abs() < f64::EPSILON {
        true => log,
        false => expm1(power * log) / power,
    }
}

/// The logarithm whose [`power`] this is.
fn root(powered: f64, power: f64) -> f64 {
    match power.abs() < f64::EPSILON {
        true => powered,
        false if power * powered <= -1.0 => f64::NAN,
        false => ln_1p(power * powered) / power,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_can_be_undone() {
        for x in [-7.5, -1.0, 0.0, 0.3, 12.0] {
            for lambda in [-1.5, 0.0, 0.4, 1.0, 2.0, 3.1] {
                let again = yeo_johnson_of(yeo_johnson(x, lambda), lambda);
                assert!(
                    (again - x).abs() < 1e-9 * (1.0 + x.abs()),
                    "{x} {lambda} {again}"
                );
            }
        }
        assert!(yeo_johnson_of(0.6, -2.0).is_nan());
    }
}
