//! How results are measured and rows divided: metrics, intervals, thresholds, resampling.

mod auroc;
mod hold_out;
mod interval;
mod nested;
mod roc;
mod sensitivity;
mod specificity;
mod splitting;
mod youden;

pub use interval::{nadeau_bengio, wilson};
pub use roc::{mean_curve, roc_curve};

use crate::operation::{Entry, calibrator, metric, resampling};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        resampling::<nested::Nested>(),
        resampling::<hold_out::HoldOut>(),
        calibrator::<youden::Youden>(),
        metric::<auroc::Auroc>(),
        metric::<sensitivity::Sensitivity>(),
        metric::<specificity::Specificity>(),
    ]
}
