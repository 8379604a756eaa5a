//! How results are measured and rows divided: metrics, intervals, thresholds, resampling.

mod association;
mod auroc;
mod comparison;
mod decodability;
mod delong;
mod folds;
mod hold_out;
mod interval;
mod leave_site_out;
mod nested;
mod random_effects;
mod reached;
mod recalibration;
mod roc;
mod sensitivity;
mod sensitivity_at_least;
mod specificity;
mod specificity_at_least;
mod splitting;
mod stratified;
mod youden;

pub use association::{auroc_by_level, cramers_v};
pub use comparison::{corrected_t, holm};
pub use decodability::decodability;
pub use delong::{
    Delong, Paired, delong, exact_bound, few_interval, logit_interval, paired_delong,
};
pub use interval::{nadeau_bengio, wilson};
pub use random_effects::{PooledAuroc, RandomEffects, pooled_auroc, random_effects};
pub use recalibration::recalibration;
pub use roc::{mean_curve, roc_curve};
pub use stratified::{within, within_variance};

use crate::operation::{Entry, calibrator, metric, resampling};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        resampling::<nested::Nested>(),
        resampling::<hold_out::HoldOut>(),
        resampling::<leave_site_out::LeaveSiteOut>(),
        resampling::<folds::Folds>(),
        calibrator::<youden::Youden>(),
        calibrator::<sensitivity_at_least::SensitivityAtLeast>(),
        calibrator::<specificity_at_least::SpecificityAtLeast>(),
        metric::<auroc::Auroc>(),
        metric::<sensitivity::Sensitivity>(),
        metric::<specificity::Specificity>(),
    ]
}
