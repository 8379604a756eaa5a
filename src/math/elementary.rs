//! Elementary functions with the same bits wherever the program runs.
//!
//! The standard library's `f64::exp` and kin call the platform's C library, whose last digit
//! differs between systems; `libm` is one implementation for all. A lint forbids the others.

pub use libm::{
    cos, erfc, exp, expm1, log as ln, log1p as ln_1p, log2, pow, sin, sqrt, tanh,
};

use super::wider::wider;

/// 1 / (1 + e⁻ˣ) without overflow on either side.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// eˣ of each value: what [`exp`] gives, to the bit, several at once.
pub fn exp_each(values: &mut [f64]) {
    wider!(exp_each_as_compiled, (values: &mut [f64]))
}

#[inline(always)]
fn exp_each_as_compiled(values: &mut [f64]) {
    match values.iter().fold(true, |all, x| all & (x.abs() < NORMAL)) {
        true => values.iter_mut().for_each(|x| *x = exp_of_normal(*x)),
        false => values.iter_mut().for_each(|x| *x = exp(*x)),
    }
}

/// 1 / (1 + e⁻ˣ) of each value: what [`sigmoid`] gives, to the bit, several at once.
pub fn sigmoid_each(values: &mut [f64]) {
    wider!(sigmoid_each_as_compiled, (values: &mut [f64]))
}

#[inline(always)]
fn sigmoid_each_as_compiled(values: &mut [f64]) {
    let share = |x: f64, e: f64| (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e);
    match values.iter().fold(true, |all, x| all & (x.abs() < NORMAL)) {
        true => values.iter_mut().for_each(|x| *x = share(*x, exp_of_normal(-x.abs()))),
        false => values.iter_mut().for_each(|x| *x = sigmoid(*x)),
    }
}

/// Below this size values have exponentials that are normal numbers.
const NORMAL: f64 = 708.0;

/// The steps of `libm::exp` (after FreeBSD's e_exp.c) for a value below [`NORMAL`], without branches.
#[inline(always)]
fn exp_of_normal(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const PER_LN2: f64 = std::f64::consts::LOG2_E;
    const P: [f64; 5] = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559_3e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_5e-8,
    ];
    /// Added to a number below 2⁵¹ it leaves no room for digits behind the point.
    const WHOLE: f64 = (3u64 << 51) as f64;
    /// Where the other implementation changes its way: by the upper half of the bits.
    const HALF_LN2: f64 = f64::from_bits(0x3fd6_2e43 << 32);
    const THREE_HALVES_LN2: f64 = f64::from_bits(0x3ff0_a2b2 << 32);
    const TINY: f64 = f64::from_bits(0x3e30_0001 << 32);
    // Both steps are taken by all values, as the machine computes several at once; one of them is by 0.
    let (x, tiny) = if x.abs() >= TINY { (x, 0.0) } else { (0.0, x) };
    let size = x.abs();
    // Powers of 2, rounded half away from 0.
    let exact = PER_LN2 * size + 0.5;
    let near = (exact + WHOLE) - WHOLE;
    let rounded = if near > exact { near - 1.0 } else { near };
    let powers = if size >= THREE_HALVES_LN2 { rounded } else { 1.0 };
    let powers = if size >= HALF_LN2 { powers.copysign(x) } else { 0.0 };
    let (high, low) = (x - powers * LN2_HIGH, powers * LN2_LOW);
    let r = high - low;
    let z = r * r;
    let c = r - z * (P[0] + z * (P[1] + z * (P[2] + z * (P[3] + z * P[4]))));
    let y = 1.0 + (r * c / (2.0 - c) - low + high);
    let power = f64::from_bits((powers + WHOLE).to_bits().wrapping_add(1023) << 52);
    y * power + tiny
}

/// ln(1 + eˣ) without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + ln_1p(exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use super::*;

    #[test]
    fn several_at_once_have_the_bits_of_one() {
        let mut stream = crate::math::Stream::new(3, &["exponentials"]);
        let mut values = vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let edges = [0.0, 2f64.powi(-28), 0.5, 1.5, 708.0, 709.7, 745.1, 1e300, 5e-324];
        let edges = edges.map(|edge| if edge < 2.0 { edge * LN_2 } else { edge });
        for edge in edges.into_iter().flat_map(|edge| [edge, -edge]) {
            for bits in 0..40 {
                values.push(f64::from_bits((edge.to_bits() + bits).saturating_sub(20)));
            }
            let near = |_| edge + 1e-9 * stream.normal();
            values.extend((0..40).map(near));
        }
        for scale in [1e-12, 1e-8, 1e-3, 1.0, 30.0, 300.0] {
            values.extend((0..5000).map(|_| scale * stream.normal()));
        }
        // Half-way between two powers of 2.
        values.extend((-1000..1000).map(|k| (f64::from(k) + 0.5) * LN_2));
        let same = |many: &dyn Fn(&mut [f64]), one: fn(f64) -> f64| {
            for n in [0, 1, 7, 8, 9, values.len()] {
                let mut found = values[..n].to_vec();
                many(&mut found);
                for (x, found) in values.iter().zip(found) {
                    let expected = one(*x);
                    let both_not = expected.is_nan() && found.is_nan();
                    assert!(both_not || expected.to_bits() == found.to_bits(), "{x:e}");
                }
            }
        };
        same(&|values| exp_each(values), exp);
        same(&|values| sigmoid_each(values), sigmoid);
    }

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
