//! The lowest threshold that reaches a specificity.

use super::reached::{needed, of_class};
use crate::operation::prelude::*;

/// Lowest threshold at which the specificity reaches a value.
///
/// For tests whose alarms are costly: how many are missed is what it then shows.
///
/// # Computation
/// Rows at or above the threshold are called positive. Among the scores of all rows the lowest is
/// taken at which the share of negatives below it is at least `value`; where even the highest does
/// not reach it, a number just above that one is taken, and nobody is called positive.
///
/// # Limits
/// Reached on the rows that it was learned on; on others the specificity varies around it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpecificityAtLeast {
    /// The specificity that is wanted.
    #[schemars(range(min = 0, max = 1))]
    pub value: f64,
}

impl Default for SpecificityAtLeast {
    fn default() -> Self {
        Self { value: 0.9 }
    }
}

impl Operation for SpecificityAtLeast {
    const ABOUT: About = About {
        name: "specificity_at_least",
        title: "Specificity of at least a value",
        version: 1,
        sources: &["altman1994"],
        example: "specificity_at_least: { value: 0.9 }",
    };
}

impl Calibrator for SpecificityAtLeast {
    fn threshold(&self, truth: &[bool], scores: &[f64]) -> Result<f64, Failure> {
        of_class(truth, scores, true)?;
        let negative = of_class(truth, scores, false)?;
        let wanted = needed(self.value, negative.len());
        let mut tried = scores.to_vec();
        tried.sort_by(f64::total_cmp);
        tried.dedup();
        let below = |threshold: f64| negative.iter().filter(|s| **s < threshold).count();
        let found = tried.iter().copied().find(|threshold| below(*threshold) >= wanted);
        let highest = tried.last().copied().unwrap_or(1.0);
        Ok(found.unwrap_or_else(|| highest.next_up()))
    }

    fn in_words(&self) -> String {
        format!("lowest threshold with a specificity of at least {}", self.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let truth = [true, true, true, true, false, false, false, false];
        let scores = [0.9, 0.8, 0.4, 0.2, 0.7, 0.3, 0.1, 0.05];
        let at = |value| SpecificityAtLeast { value }.threshold(&truth, &scores);
        assert_eq!((at(0.5), at(0.75)), (Ok(0.2), Ok(0.4)));
        assert_eq!((at(1.0), at(0.0)), (Ok(0.8), Ok(0.05)));
        let nobody =
            SpecificityAtLeast { value: 1.0 }.threshold(&[true, false], &[0.1, 0.9]);
        assert!(nobody.unwrap() > 0.9);
        assert!(SpecificityAtLeast::default().threshold(&[false], &[0.5]).is_err());
    }

    proptest! {
        #[test]
        fn the_value_is_reached_and_by_no_lower_threshold(
            rows in prop::collection::vec((any::<bool>(), 0u8..9), 2..40), value in 0.0..=1.0f64,
        ) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let share = |threshold: f64| {
                let negative = rows.iter().filter(|row| !row.0);
                let below = negative.clone().filter(|row| f64::from(row.1) < threshold);
                below.count() as f64 / negative.count() as f64
            };
            if let Ok(found) = (SpecificityAtLeast { value }).threshold(&truth, &scores) {
                prop_assert!(share(found) >= value - 1e-9);
                let mut lower = scores.iter().filter(|score| **score < found);
                prop_assert!(lower.all(|t| share(*t) < value));
            }
        }
    }
}
