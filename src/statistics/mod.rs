//! How results are measured and rows divided: metrics, intervals, thresholds, resampling.

mod accuracy;
mod association;
mod auroc;
mod average_precision;
mod balanced_accuracy;
mod band;
mod binormal;
mod brier;
mod calibration_intercept;
mod calibration_slope;
mod comparison;
mod cost;
mod counted;
mod decided;
mod decision;
mod decodability;
mod delong;
mod difference;
mod e50;
mod e90;
mod f1;
mod fixed;
mod folds;
mod hold_out;
mod ici;
mod influence;
mod interval;
mod learning_curve;
mod leave_site_out;
mod log_loss;
mod mcc;
mod negative_predictive_value;
mod nested;
mod net_benefit;
mod novelty;
mod observed_expected;
mod permutation;
mod platt;
mod positive_predictive_value;
mod precision_recall;
mod probabilities;
mod random_effects;
mod reached;
mod recalibration;
mod roc;
mod sample_size;
mod scaled_brier;
mod sensitivity;
mod sensitivity_at_least;
mod similarity;
mod smooth;
mod specificity;
mod specificity_at_least;
mod splitting;
mod square_and_add;
mod stability;
mod stratified;
mod youden;

pub use association::{auroc_by_level, cramers_v};
pub use band::{Add, Ranked, band, band_places};
pub use binormal::Binormal;
pub use comparison::{corrected_t, holm};
pub use counted::mean_of_drawn;
pub use decided::Decided;
pub use decision::{
    NetBenefits, benefit_of_decisions, benefits_of_rows, net_benefit, thresholds,
    treat_all, useful,
};
pub use decodability::decodability;
pub use delong::{
    Delong, Paired, delong, exact_bound, few_interval, logit_interval, paired_delong,
};
pub use difference::standardised_difference;
pub use influence::influence_se;
pub use interval::{nadeau_bengio, newcombe, wilson};
pub use learning_curve::nested_parts;
pub use novelty::{beyond, distance, familiar, reach};
pub use permutation::{permutation_p, permuted};
pub use platt::{linked, platt, platt_apart};
pub use precision_recall::{mean_precision, percentiles, precision_recall};
pub use probabilities::{half_step, inwards};
pub use random_effects::{
    Between, PooledAuroc, RandomEffects, pooled_auroc, random_effects,
};
pub use recalibration::recalibration;
pub use roc::{mean_curve, roc_curve};
pub use sample_size::{
    AUROC_WIDTH, DIFFERENCE, MARGIN, SHARE_OF_R2, SHRINKAGE, SLOPE_WIDTH, SampleSize,
    WIDTH, auroc_se, largest_r2, patients_for_auroc, sample_size, slope_variance,
};
pub use similarity::{Cluster, clusters};
pub use smooth::{Calibrated, DEGREE, Points, SPAN, calibration_errors, quantile};
pub use square_and_add::{Limited, difference, predictive_values};
pub use stability::{Stability, stability};
pub use stratified::{within, within_variance};

use crate::operation::{Entry, calibrator, metric, resampling};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        resampling::<nested::Nested>(),
        resampling::<hold_out::HoldOut>(),
        resampling::<leave_site_out::LeaveSiteOut>(),
        resampling::<folds::Folds>(),
        calibrator::<fixed::Fixed>(),
        calibrator::<cost::Cost>(),
        calibrator::<youden::Youden>(),
        calibrator::<sensitivity_at_least::SensitivityAtLeast>(),
        calibrator::<specificity_at_least::SpecificityAtLeast>(),
        metric::<auroc::Auroc>(),
        metric::<average_precision::AveragePrecision>(),
        metric::<brier::Brier>(),
        metric::<scaled_brier::ScaledBrier>(),
        metric::<log_loss::LogLoss>(),
        metric::<calibration_intercept::CalibrationIntercept>(),
        metric::<calibration_slope::CalibrationSlope>(),
        metric::<observed_expected::ObservedExpected>(),
        metric::<ici::Ici>(),
        metric::<e50::E50>(),
        metric::<e90::E90>(),
        metric::<net_benefit::NetBenefit>(),
        metric::<sensitivity::Sensitivity>(),
        metric::<specificity::Specificity>(),
        metric::<positive_predictive_value::PositivePredictiveValue>(),
        metric::<negative_predictive_value::NegativePredictiveValue>(),
        metric::<accuracy::Accuracy>(),
        metric::<balanced_accuracy::BalancedAccuracy>(),
        metric::<f1::F1>(),
        metric::<mcc::Mcc>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;
    use crate::operation::{Copies, Instance, Kind, Scored};

    #[test]
    fn a_metric_of_drawn_rows_is_that_of_their_copies() {
        let mut stream = Stream::new(5, &["drawn again"]);
        let mut defined = 0;
        for (n, positive, steps) in [(0, 0, 9), (12, 2, 5), (70, 20, 23), (600, 90, 4001)]
        {
            let truth: Vec<bool> = (0..n).map(|row| row < positive).collect();
            let lift = |class: bool| if class { 0.3 } else { 0.0 };
            let score = |class: &bool| {
                let place = 1 + stream.below(steps - 1);
                (0.7 * place as f64 / steps as f64 + lift(*class)).max(0.01)
            };
            let scores: Vec<f64> = truth.iter().map(score).collect();
            let mut with_nan = scores.clone();
            with_nan.iter_mut().step_by(11).for_each(|score| *score = f64::NAN);
            let decisions: Vec<bool> = scores.iter().map(|score| *score >= 0.4).collect();
            let thresholds = vec![0.4; n];
            let draws: Vec<Vec<u32>> = (0..if n > 500 { 3 } else { 25 })
                .map(|_| {
                    let mut counts = vec![0; n];
                    (0..n).for_each(|_| counts[stream.below(n)] += 1);
                    counts
                })
                .chain([vec![1; n]])
                .collect();
            for entry in operations().into_iter().filter(|of| of.kind == Kind::Metric) {
                let Ok(Instance::Metric(metric)) = (entry.build)(serde_json::json!({}))
                else {
                    panic!("{} has no defaults", entry.about.name)
                };
                for scores in [&scores, &with_nan] {
                    let scored = Scored {
                        truth: &truth,
                        scores,
                        decisions: &decisions,
                        thresholds: &thresholds,
                    };
                    let mut again = metric.again(scored);
                    let mut copies = Copies::default();
                    for drawn in &draws {
                        let expected = metric.compute(copies.of(scored, drawn)).ok();
                        let found = again(drawn).ok();
                        let name = entry.about.name;
                        assert_eq!(found.is_some(), expected.is_some(), "{name} of {n}");
                        if let Some((found, expected)) = found.zip(expected) {
                            let apart = (found - expected).abs();
                            let most = 1e-9 * (1.0 + expected.abs());
                            assert!(apart <= most, "{name} of {n}: {found} {expected}");
                        }
                        defined += usize::from(found.is_some());
                    }
                }
            }
        }
        assert!(defined > 1000, "{defined}");
    }
}
