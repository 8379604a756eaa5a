//! Random numbers that depend on what they are for, never on when or where they are drawn.

use super::{cos, ln, sqrt};

/// A stream of random numbers named by its fields: same fields, same numbers.
///
/// The bits are BLAKE3's extendable output over the fields, a counter-based generator. Streams of
/// different names are independent, so adding a repeat or a candidate moves no other stream.
pub struct Stream {
    bits: blake3::OutputReader,
    buffer: [u8; 256],
    used: usize,
}

impl Stream {
    /// The stream of `seed` named by `fields`: purpose, operation, repeat, fold, …
    pub fn new(seed: u64, fields: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("restudy random stream v1");
        hasher.update(&seed.to_le_bytes());
        for field in fields {
            // Lengths go first, so that ["ab", "c"] and ["a", "bc"] are two streams.
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        Self { bits: hasher.finalize_xof(), buffer: [0; 256], used: 256 }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if self.used == self.buffer.len() {
            self.bits.fill(&mut self.buffer);
            self.used = 0;
        }
        let bytes = &self.buffer[self.used..self.used + 8];
        self.used += 8;
        u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken"))
    }

    /// Uniform on [0, 1), from the upper 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform on 0, …, n − 1 without bias. `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "there is no number below 0");
        // Lemire's multiplication; the rejected share is below n / 2⁶⁴. The remainder is below n, so that
        // it is computed only where it may matter.
        let n = n as u64;
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            let low = product as u64;
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 64) as usize;
            }
        }
    }

    /// Standard normal, by Box and Muller's transformation.
    pub fn normal(&mut self) -> f64 {
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = sqrt(-2.0 * ln(1.0 - self.uniform()));
        radius * cos(2.0 * std::f64::consts::PI * self.uniform())
    }

    /// Fisher–Yates: every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_all_that_matters() {
        let draw = |seed, fields: &[&str]| Stream::new(seed, fields).bits();
        assert_eq!(draw(1, &["ab", "c"]), draw(1, &["ab", "c"]));
        assert_ne!(draw(1, &["ab", "c"]), draw(1, &["a", "bc"]));
        assert_ne!(draw(1, &["ab"]), draw(2, &["ab"]));
    }

    #[test]
    fn one_stream_is_pinned() {
        let mut stream = Stream::new(7, &["pinned"]);
        let first: Vec<usize> = (0..6).map(|_| stream.below(100)).collect();
        assert_eq!(first, [3, 23, 30, 47, 89, 78]);
    }

    #[test]
    fn moments_are_right_within_four_standard_errors() {
        let mut stream = Stream::new(3, &["moments"]);
        let n = 20_000;
        let uniform: f64 = (0..n).map(|_| stream.uniform()).sum::<f64>() / f64::from(n);
        assert!(
            (uniform - 0.5).abs() < 4.0 * sqrt(1.0 / 12.0 / f64::from(n)),
            "{uniform}"
        );
        let normal: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        assert!(crate::math::mean(&normal).unwrap().abs() < 4.0 / sqrt(f64::from(n)));
        let variance = crate::math::variance(&normal).unwrap();
        assert!((variance - 1.0).abs() < 4.0 * sqrt(2.0 / f64::from(n)), "{variance}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..50).collect();
        Stream::new(1, &["shuffle"]).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
