//! Fast random numbers for inner loops, in branches that do not depend on each other.

use super::Stream;

/// A counter-based generator: the i-th number is a mix of key and i (SplitMix64, Steele 2014).
///
/// A [`Stream`] gives the first key. Every part of a computation that may run or not, such as a
/// node of a tree, draws from a branch of its own, so leaving it out moves no other number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    state: u64,
}

/// 2⁶⁴ divided by the golden ratio, odd: the step of the counter.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Draws {
    /// Takes one key from the stream.
    pub fn from_stream(stream: &mut Stream) -> Self {
        Self { state: stream.bits() }
    }

    /// The numbers of part `which`: the same whether or not this branch has been drawn from by
    /// its holder, as the branch is taken from where the holder stands.
    pub fn branch(&self, which: u64) -> Self {
        // Mixed twice, so that branches of branches and the numbers of the branch stay apart.
        let key = mix(self.state ^ mix(which.wrapping_add(1).wrapping_mul(STEP)));
        Self { state: mix(key.wrapping_add(STEP)) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// Uniform on [0, 1), from the upper 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform on 0, …, n − 1 without bias. `n` must not be 0.
    pub fn below(&mut self, n: u32) -> u32 {
        assert!(n > 0, "there is no number below 0");
        // Lemire's multiplication on 32 bits; a remainder is computed only where it may matter.
        loop {
            let product = (self.bits() >> 32) * u64::from(n);
            let low = product as u32;
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 32) as u32;
            }
        }
    }

    /// Fisher–Yates: every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::sqrt;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // Vigna's splitmix64.c from the state 0.
        let mut draws = Draws { state: 0 };
        let first = [draws.bits(), draws.bits()];
        assert_eq!(first, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }

    #[test]
    fn branches_are_apart_and_come_again() {
        let root = Draws::from_stream(&mut Stream::new(1, &["draws"]));
        let mut seen = std::collections::BTreeSet::new();
        for which in 0..500 {
            let branch = root.branch(which);
            assert_eq!(branch, root.branch(which));
            for mut draws in [branch, branch.branch(0), branch.branch(1)] {
                assert!(seen.insert(draws.bits()) && seen.insert(draws.bits()));
            }
        }
    }

    #[test]
    fn numbers_below_are_even_within_four_standard_errors() {
        let mut draws = Draws { state: 5 };
        let n = 70_000;
        let mut counts = [0u32; 7];
        (0..n).for_each(|_| counts[draws.below(7) as usize] += 1);
        let (expected, spread) = (f64::from(n) / 7.0, sqrt(f64::from(n) * 6.0 / 49.0));
        for count in counts {
            assert!((f64::from(count) - expected).abs() < 4.0 * spread, "{counts:?}");
        }
        let mean = (0..n).map(|_| draws.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 4.0 * sqrt(1.0 / 12.0 / f64::from(n)), "{mean}");
        let mut items: Vec<u32> = (0..50).collect();
        draws.shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
