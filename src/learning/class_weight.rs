//! How much the rows of each class count in a fit.

use crate::operation::prelude::*;

/// How much the rows of each class count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Every row the same.
    #[default]
    None,
    /// Both classes the same in all, n / (2 n_class) a row: probabilities no longer follow the
    /// prevalence.
    Balanced,
}

impl ClassWeight {
    /// The share of each row in the loss.
    pub(super) fn shares(self, outcome: &[bool]) -> Vec<f64> {
        let n = outcome.len() as f64;
        let positive = outcome.iter().filter(|positive| **positive).count() as f64;
        let share = |positives: &bool| match (self, positives) {
            (Self::None, _) => 1.0,
            (Self::Balanced, true) => n / (2.0 * positive),
            (Self::Balanced, false) => n / (2.0 * (n - positive)),
        };
        outcome.iter().map(share).collect()
    }

    /// The weight of a row of the negative and of the positive class in whole numbers, in the
    /// proportion of [`Self::shares`]: sums of them are exact, so that what is equal is found so.
    pub(super) fn whole(self, outcome: &[bool]) -> [f64; 2] {
        let positive = outcome.iter().filter(|positive| **positive).count();
        let negative = outcome.len() - positive;
        match self {
            Self::Balanced if positive > 0 && negative > 0 => {
                let common = greatest_common_divisor(positive, negative);
                [(positive / common) as f64, (negative / common) as f64]
            }
            _ => [1.0; 2],
        }
    }

    /// What each class, negative and positive, counts in all: its share of the rows, or half.
    pub(super) fn priors(self, outcome: &[bool]) -> [f64; 2] {
        let positive = outcome.iter().filter(|positive| **positive).count() as f64;
        let share = positive / outcome.len() as f64;
        match self {
            Self::None => [1.0 - share, share],
            Self::Balanced => [0.5; 2],
        }
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_classes_count_the_same_in_all() {
        let outcome = [true, false, false, false];
        assert_eq!(ClassWeight::None.shares(&outcome), [1.0; 4]);
        let third = 4.0 / 6.0;
        let balanced = [2.0, third, third, third];
        assert_eq!(ClassWeight::Balanced.shares(&outcome), balanced);
        assert_eq!(ClassWeight::None.priors(&outcome), [0.75, 0.25]);
        assert_eq!(ClassWeight::Balanced.priors(&outcome), [0.5; 2]);
        assert_eq!(ClassWeight::None.whole(&outcome), [1.0; 2]);
        assert_eq!(ClassWeight::Balanced.whole(&outcome), [1.0, 3.0]);
        let [of_negative, of_positive] =
            ClassWeight::Balanced.whole(&[[true; 6], [false; 6], [false; 6]].concat());
        assert_eq!([of_negative, of_positive], [1.0, 2.0]);
        assert_eq!(ClassWeight::Balanced.whole(&[true; 3]), [1.0; 2]);
    }
}
