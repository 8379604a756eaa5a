//! Learners, and how one candidate is chosen among many.

mod best_mean;
mod class_weight;
mod knn;
mod lda;
mod logistic;
mod naive;
mod naive_bayes;
mod svm_linear;
mod svm_rbf;
mod usable;

use crate::operation::{Entry, learner, tuner};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        learner::<logistic::Logistic>(),
        learner::<lda::Lda>(),
        learner::<svm_linear::SvmLinear>(),
        learner::<svm_rbf::SvmRbf>(),
        learner::<knn::Knn>(),
        learner::<naive_bayes::NaiveBayes>(),
        learner::<naive::Naive>(),
        tuner::<best_mean::BestMean>(),
    ]
}
