//! Predictive values where the outcome is as frequent as among those whom the model is meant for.

use crate::data::{AnalysisRecord, AtTarget, PredictiveValue, TargetPrevalence};
use crate::statistics::{Limited, predictive_values};

/// From what an analysis tells of sensitivity and specificity, and from nothing else: so that what is
/// hidden or rounded of these is so here. None where no threshold is applied.
pub fn at_target(
    analysis: &AnalysisRecord,
    target: Option<&TargetPrevalence>,
) -> Option<AtTarget> {
    let target = target?;
    let [sensitivity, specificity] =
        ["sensitivity", "specificity"].map(|name| analysis.performance.get(name));
    let (sensitivity, specificity) = sensitivity.zip(specificity)?;
    let limited = [sensitivity, specificity].map(|of| {
        let limits = of.lower.zip(of.upper);
        // Rounding may carry an estimate beyond its limits.
        let (lower, upper) = limits.unwrap_or((of.estimate, of.estimate));
        let (lower, upper) = (lower.min(of.estimate), upper.max(of.estimate));
        (limits.is_some(), Limited { estimate: of.estimate, lower, upper })
    });
    let [(known, sensitivity), (also, specificity)] = limited;
    let found = predictive_values(sensitivity, specificity, target.prevalence);
    let has_interval = known && also;
    let [positive, negative] = found.map(|found| {
        found.map(|found| PredictiveValue {
            estimate: found.estimate,
            lower: has_interval.then_some(found.lower),
            upper: has_interval.then_some(found.upper),
        })
    });
    let interval = match has_interval {
        true => {
            "95 % interval from those of sensitivity and specificity on the scale of log odds, the \
             prevalence taken as known"
        }
        false => "no interval, since sensitivity or specificity has none",
    };
    let method = format!("Bayes’ theorem from sensitivity and specificity; {interval}");
    Some(AtTarget { positive, negative, method })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Estimate;

    #[test]
    fn what_sensitivity_and_specificity_tell_is_told_and_no_more() {
        let of = |estimate, limits: Option<(f64, f64)>| {
            let (lower, upper) = limits.unzip();
            Estimate { estimate, lower, upper, ..Estimate::default() }
        };
        let mut analysis = AnalysisRecord::default();
        let target = TargetPrevalence { prevalence: 0.12, from: None };
        assert_eq!(at_target(&analysis, Some(&target)), None);
        let limits = Some((0.8, 0.95));
        analysis.performance.insert("sensitivity".to_string(), of(0.9, limits));
        analysis.performance.insert("specificity".to_string(), of(0.8, None));
        assert_eq!(at_target(&analysis, None), None);
        let found = at_target(&analysis, Some(&target)).unwrap();
        let positive = found.positive.unwrap();
        assert!((positive.estimate - 0.108 / 0.284).abs() < 1e-12);
        assert_eq!((positive.lower, positive.upper), (None, None));
        assert!(found.method.contains("no interval"));
        analysis
            .performance
            .insert("specificity".to_string(), of(0.8, Some((0.7, 0.88))));
        let found = at_target(&analysis, Some(&target)).unwrap();
        let negative = found.negative.unwrap();
        assert!(negative.lower.unwrap() < negative.estimate);
        assert!(negative.upper.unwrap() > negative.estimate);
    }
}
