//! Predicted probabilities beside what happened, and away from 0 and 1.

use crate::math::ln;
use crate::operation::{Failure, Scored};

/// The spacing of floating-point numbers just below 1: as near as a probability comes to it.
pub const LEAST: f64 = f64::EPSILON / 2.0;

/// Fails without rows, and on what is no probability.
pub fn checked(scored: Scored<'_>) -> Result<(), Failure> {
    if scored.truth.is_empty() || scored.truth.len() != scored.scores.len() {
        return Err(Failure::TooFew { needed: 1, found: scored.scores.len() });
    }
    if !scored.scores.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err(Failure::NotFinite("a probability".to_string()));
    }
    Ok(())
}

/// Class (1 or 0) and probability of each row, checked.
pub fn paired<'a>(
    scored: Scored<'a>,
) -> Result<impl Iterator<Item = (f64, f64)> + 'a, Failure> {
    checked(scored)?;
    let classes = scored.truth.iter().map(|class| f64::from(u8::from(*class)));
    Ok(classes.zip(scored.scores.iter().copied()))
}

/// ln(p / (1 − p)) of each, with p at least 2⁻⁵³ away from 0 and 1.
pub fn logits(probabilities: &[f64]) -> Vec<f64> {
    let logit = |p: &f64| ln(p.max(LEAST)) - ln((1.0 - p).max(LEAST));
    probabilities.iter().map(logit).collect()
}

/// Moves probabilities of 0 or 1 half a step of the learner's resolution inwards; counts them.
///
/// A learner without a step says 0 or 1 only where its probability is too small for a number: those
/// are moved by 2⁻⁵³.
pub fn inwards(probabilities: &mut [f64], step: Option<f64>) -> usize {
    let by = half_step(step);
    let mut moved = 0;
    for p in probabilities {
        if *p <= 0.0 || *p >= 1.0 {
            *p = if *p <= 0.0 { by } else { 1.0 - by };
            moved += 1;
        }
    }
    moved
}

/// How far [`inwards`] moves.
pub fn half_step(step: Option<f64>) -> f64 {
    step.map_or(LEAST, |step| (step / 2.0).clamp(LEAST, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_is_moved_by_half_a_step() {
        let mut of_votes = [0.0, 0.2, 1.0];
        assert_eq!(inwards(&mut of_votes, Some(0.2)), 2);
        assert_eq!(of_votes, [0.1, 0.2, 0.9]);
        let mut smooth = [0.0, 1.0 - 1e-12, 1.0];
        assert_eq!(inwards(&mut smooth, None), 2);
        assert!(smooth[0] > 0.0 && smooth[2] < 1.0);
        assert!(logits(&[0.0, 1.0]).iter().all(|logit| logit.is_finite()));
        let small = logits(&[1e-300, 0.5]);
        assert!(small[1] == 0.0 && small[0] < -36.0);
    }
}
