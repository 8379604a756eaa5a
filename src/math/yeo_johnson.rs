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

/// (e^(power·log) − 1) / power, or its limit `log` at 0.
fn power(log: f64, power: f64) -> f64 {
    match power.abs() < f64::EPSILON {
        true => log,
        false => expm1(power * log) / power,
    }
}
