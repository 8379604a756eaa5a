//! Elementary functions with the same bits wherever the program runs.
//!
//! The standard library's `f64::exp` and kin call the platform's C library, whose last digit
//! differs between systems; `libm` is one implementation for all. A lint forbids the others.

pub use libm::{
    cos, erfc, exp, expm1, log as ln, log1p as ln_1p, log2, pow, sin, sqrt, tanh,
};

/// 1 / (1 + e⁻ˣ) without overflow on either side.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// ln(1 + eˣ) without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + ln_1p(exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tails_do_not_overflow() {
        assert_eq!(sigmoid(-800.0), 0.0);
        assert_eq!(sigmoid(800.0), 1.0);
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!(softplus(800.0), 800.0);
        assert_eq!(softplus(-800.0), 0.0);
        assert!((softplus(0.0) - ln(2.0)).abs() < 1e-15);
    }
}
