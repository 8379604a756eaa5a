//! The highest threshold that reaches a sensitivity.

use super::reached::{needed, of_class};
use crate::operation::prelude::*;

/// Highest threshold at which the sensitivity reaches a value.
///
/// For tests that must not miss: how many false alarms that costs is what it then shows.
///
/// # Computation
/// Rows at or above the threshold are called positive. Among the scores the highest is taken at
/// which the share of positives called positive is at least `value`.
///
/// # Limits
/// Reached on the rows that it was learned on; on others the sensitivity varies around it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SensitivityAtLeast {
    /// The sensitivity that is wanted.
    #[schemars(range(min = 0, max = 1))]
    pub value: f64,
}

impl Default for SensitivityAtLeast {
    fn default() -> Self {
        Self { value: 0.9 }
    }
}

impl Operation for SensitivityAtLeast {
    const ABOUT: About = About {
        name: "sensitivity_at_least",
        title: "Sensitivity of at least a value",
        version: 1,
        sources: &["altman1994"],
        example: "sensitivity_at_least: { value: 0.9 }",
    };
}

impl Calibrator for SensitivityAtLeast {
    fn threshold(&self, truth: &[bool], scores: &[f64]) -> Result<f64, Failure> {
        let mut positive = of_class(truth, scores, true)?;
        positive.sort_by(|a, b| b.total_cmp(a));
        let wanted = needed(self.value, positive.len()).max(1);
        Ok(positive[wanted - 1])
    }

    fn in_words(&self) -> String {
        format!("highest threshold with a sensitivity of at least {}", self.value)
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
        let at = |value| SensitivityAtLeast { value }.threshold(&truth, &scores);
        assert_eq!((at(0.5), at(0.75)), (Ok(0.8), Ok(0.4)));
        assert_eq!((at(1.0), at(0.0)), (Ok(0.2), Ok(0.9)));
        assert!(SensitivityAtLeast::default().threshold(&[true], &[0.5]).is_err());
    }

    proptest! {
        #[test]
        fn the_value_is_reached_and_by_no_higher_threshold(
            rows in prop::collection::vec((any::<bool>(), 0u8..9), 2..40), value in 0.0..=1.0f64,
        ) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let share = |threshold: f64| {
                let positive = rows.iter().filter(|row| row.0);
                let called = positive.clone().filter(|row| f64::from(row.1) >= threshold);
                called.count() as f64 / positive.count() as f64
            };
            if let Ok(found) = (SensitivityAtLeast { value }).threshold(&truth, &scores) {
                prop_assert!(share(found) >= value - 1e-9);
                let mut higher = scores.iter().filter(|score| **score > found);
                prop_assert!(higher.all(|t| share(*t) < value.max(1e-9)));
            }
        }
    }
}
