//! A threshold that the author states.

use crate::operation::prelude::*;

/// The threshold is `value`, whatever the scores are.
///
/// Use it where a probability has a meaning of its own, as the one from which a test is ordered.
///
/// # Computation
/// Rows whose predicted probability is at least `value` are called positive. Nothing is learned.
///
/// # Limits
/// Means what it says only for calibrated probabilities.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fixed {
    /// The threshold probability.
    #[schemars(range(min = 0, max = 1))]
    pub value: f64,
}

impl Default for Fixed {
    fn default() -> Self {
        Self { value: 0.5 }
    }
}

impl Operation for Fixed {
    const ABOUT: About = About {
        name: "fixed",
        title: "Fixed threshold",
        version: 1,
        sources: &["vickers2006"],
        example: "fixed: { value: 0.2 }",
    };
}

impl Calibrator for Fixed {
    fn threshold(&self, _truth: &[bool], _scores: &[f64]) -> Result<f64, Failure> {
        Ok(self.value)
    }

    fn is_learned(&self) -> bool {
        false
    }

    fn in_words(&self) -> String {
        format!("fixed at {}", self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_do_not_move_it() {
        let fixed = Fixed { value: 0.2 };
        assert_eq!(fixed.threshold(&[true, false], &[0.9, 0.8]), Ok(0.2));
        assert_eq!(fixed.threshold(&[], &[]), Ok(0.2));
        assert_eq!(fixed.in_words(), "fixed at 0.2");
    }
}
