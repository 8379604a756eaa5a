//! What decisions at a threshold probability are worth.

/// Net benefit of treating the rows whose probability is at least `at`.
///
/// Units: true positives per row. Source: vickers2006.
pub fn net_benefit(truth: &[bool], probabilities: &[f64], at: f64) -> f64 {
    let n = truth.len() as f64;
    let (mut hits, mut alarms) = (0.0, 0.0);
    for (positive, p) in truth.iter().zip(probabilities) {
        if *p >= at {
            if *positive {
                hits += 1.0;
            } else {
                alarms += 1.0;
            }
        }
    }
    hits / n - alarms / n * (at / (1.0 - at))
}

/// Net benefit of decisions that were made at a threshold probability for each row.
///
/// `None` without rows, where lengths differ, and where a row without the outcome is treated at a
/// threshold of 1, which weighs a false positive without end.
///
/// Units: true positives per row. Source: vickers2006.
pub fn benefit_of_decisions(
    truth: &[bool],
    decisions: &[bool],
    thresholds: &[f64],
) -> Option<f64> {
    let n = truth.len();
    if n == 0 || decisions.len() != n || thresholds.len() != n {
        return None;
    }
    let mut sum = 0.0;
    for ((truth, decision), threshold) in truth.iter().zip(decisions).zip(thresholds) {
        sum += match (decision, truth) {
            (true, true) => 1.0,
            (true, false) if *threshold >= 1.0 => return None,
            (true, false) => -threshold.max(0.0) / (1.0 - threshold),
            (false, _) => 0.0,
        };
    }
    Some(sum / n as f64)
}

/// Net benefit of treating everybody.
pub fn treat_all(truth: &[bool], at: f64) -> f64 {
    let share = truth.iter().filter(|class| **class).count() as f64 / truth.len() as f64;
    share - (1.0 - share) * (at / (1.0 - at))
}

/// Thresholds from `low` to `high` at which a curve is drawn; 0.99 at most, where odds end.
pub fn thresholds((low, high): (f64, f64)) -> Vec<f64> {
    const STEPS: usize = 50;
    let high = high.min(0.99);
    if low >= high {
        return vec![low.min(0.99)];
    }
    (0..=STEPS).map(|step| low + (high - low) * step as f64 / STEPS as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let truth = [true, false, false, true];
        assert_eq!(net_benefit(&truth, &[0.5, 0.5, 0.1, 0.4], 0.5), 0.0);
        assert_eq!(net_benefit(&truth, &[0.5, 0.5, 0.1, 0.4], 0.2), 0.5 - 0.25 * 0.25);
        assert_eq!(treat_all(&truth, 0.5), 0.0);
        let decisions = [true, true, false, true];
        assert_eq!(
            benefit_of_decisions(&truth, &decisions, &[0.2; 4]),
            Some(0.5 - 0.25 * 0.25)
        );
        assert_eq!(
            benefit_of_decisions(&truth, &[true; 4], &[0.5; 4]),
            Some(treat_all(&truth, 0.5))
        );
        assert_eq!(benefit_of_decisions(&truth, &decisions, &[1.0; 4]), None);
        assert_eq!(benefit_of_decisions(&truth, &[], &[]), None);
        let grid = thresholds((0.1, 0.6));
        assert_eq!((grid.len(), grid[0], grid[50]), (51, 0.1, 0.6));
        assert!(thresholds((0.0, 1.0)).iter().all(|t| *t < 1.0));
    }
}
