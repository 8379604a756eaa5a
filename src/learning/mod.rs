//! Learners, and how one candidate is chosen among many.

mod average;
mod best_mean;
mod class_weight;
mod extra_trees;
mod forest;
mod gradient_boosting;
mod inner;
mod knn;
mod lda;
mod logistic;
mod naive;
mod naive_bayes;
mod one_standard_error;
mod random_forest;
mod stack;
mod successive_halving;
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
        learner::<random_forest::RandomForest>(),
        learner::<extra_trees::ExtraTrees>(),
        learner::<gradient_boosting::GradientBoosting>(),
        learner::<naive::Naive>(),
        tuner::<best_mean::BestMean>(),
        tuner::<one_standard_error::OneStandardError>(),
        tuner::<successive_halving::SuccessiveHalving>(),
        tuner::<average::Average>(),
        tuner::<stack::Stack>(),
    ]
}
