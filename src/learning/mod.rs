//! Learners, and how one candidate is chosen among many.

mod best_mean;
mod knn;
mod logistic;
mod naive;
mod naive_bayes;
mod usable;

use crate::operation::{Entry, learner, tuner};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        learner::<logistic::Logistic>(),
        learner::<knn::Knn>(),
        learner::<naive_bayes::NaiveBayes>(),
        learner::<naive::Naive>(),
        tuner::<best_mean::BestMean>(),
    ]
}
