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
pub use band::{Ranked, band, band_places};
pub use binormal::Binormal;
pub use comparison::{corrected_t, holm};
pub use decided::Decided;
pub use decision::{benefit_of_decisions, net_benefit, thresholds, treat_all, useful};
pub use decodability::decodability;
pub use delong::{
    Delong, Paired, delong, exact_bound, few_interval, logit_interval, paired_delong,
};
pub use difference::standardised_difference;
pub use influence::influence_se;
pub use interval::{nadeau_bengio, newcombe, wilson};
pub use learning_curve::nested_parts;
pub use novelty::{distance, familiar};
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
pub use smooth::{
    DEGREE, Points, SPAN, calibration_errors, calibration_points, quantile,
};
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
