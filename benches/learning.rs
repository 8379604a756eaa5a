//! What a fit costs on the rows of one inner fold.
//!
//! `cargo bench --bench learning` prints the medians; the rows are simulated. Sizes are those of
//! 1p/19q co-deletion: 101 patients, 861 columns after the correlation filter, 16 after selection.

use std::sync::Arc;

use divan::{Bencher, black_box};
use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Rows, Split, Train};
use restudy::math::Stream;
use restudy::operation::{AnyLearner, AnyTableStep, Instance};
use serde_json::{Value as Json, json};

fn main() {
    divan::main();
}

/// Standardised rows, every tenth column with some signal, neighbours alike.
fn train(n: usize, p: usize) -> Train {
    let mut stream = Stream::new(1, &["bench"]);
    let mut shared = vec![0.0; n];
    let mut columns = Vec::new();
    for j in 0..p {
        if j % 5 == 0 {
            shared = (0..n).map(|_| stream.normal()).collect();
        }
        let signal = if j % 10 == 0 { 0.4 } else { 0.0 };
        let mut values: Vec<f64> = (0..n)
            .map(|i| {
                let class = if i % 3 == 0 { signal } else { 0.0 };
                stream.normal() + shared[i] + class
            })
            .collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let sd = restudy::math::sqrt(square / n as f64);
        values.iter_mut().for_each(|value| *value = (*value - mean) / sd);
        columns.push(FrameColumn { name: format!("c{j}").into(), values });
    }
    let frame = Frame { rows: Rows::new(columns, n), failed: vec![None; n] };
    let split = Split { train: (0..n as u32).collect(), held_out: Vec::new() };
    let outcome: Vec<Option<bool>> = (0..n).map(|i| Some(i % 3 == 0)).collect();
    let groups: Vec<u32> = (0..n as u32).collect();
    split.train(&frame, &outcome, &groups)
}

fn learner(name: &str, parameters: Json) -> Arc<dyn AnyLearner> {
    let built = (Catalog::standard().get(name).expect("it is known").build)(parameters);
    match built {
        Ok(Instance::Learner(learner)) => learner,
        _ => panic!("{name} is a learner with such parameters"),
    }
}

fn step(name: &str, parameters: Json) -> Arc<dyn AnyTableStep> {
    let built = (Catalog::standard().get(name).expect("it is known").build)(parameters);
    match built {
        Ok(Instance::TableStep(step)) => step,
        _ => panic!("{name} is a step with such parameters"),
    }
}

/// Fits all settings together and predicts the training rows with each.
fn together(bencher: Bencher, name: &str, settings: &[Json], train: &Train) {
    let settings: Vec<_> =
        settings.iter().map(|setting| learner(name, setting.clone())).collect();
    let settings: Vec<&dyn AnyLearner> = settings.iter().map(AsRef::as_ref).collect();
    bencher.bench_local(|| {
        let mut streams: Vec<Stream> =
            settings.iter().map(|_| Stream::new(1, &[])).collect();
        let train = black_box(train);
        settings[0].fit_and_predict(&settings, train, &mut streams, train.rows()).len()
    });
}

fn grid(penalty: &str) -> Vec<Json> {
    let cs = [0.01, 0.1, 1.0, 10.0];
    cs.map(|c| json!({ "penalty": penalty, "c": c })).to_vec()
}

#[divan::bench]
fn logistic_l2_four_c_101_x_16(bencher: Bencher) {
    together(bencher, "logistic", &grid("l2"), &train(101, 16));
}

#[divan::bench]
fn logistic_l2_four_c_101_x_861(bencher: Bencher) {
    together(bencher, "logistic", &grid("l2"), &train(101, 861));
}

#[divan::bench]
fn logistic_l1_four_c_101_x_16(bencher: Bencher) {
    together(bencher, "logistic", &grid("l1"), &train(101, 16));
}

#[divan::bench]
fn logistic_l1_four_c_101_x_861(bencher: Bencher) {
    together(bencher, "logistic", &grid("l1"), &train(101, 861));
}

#[divan::bench]
fn svm_rbf_nine_settings_101_x_16(bencher: Bencher) {
    let mut settings = Vec::new();
    for c in [0.1, 1.0, 10.0] {
        for gamma in [0.01, 0.05, 0.2] {
            settings.push(json!({ "c": c, "gamma": gamma }));
        }
    }
    together(bencher, "svm_rbf", &settings, &train(101, 16));
}

#[divan::bench(args = [101, 300, 1000])]
fn svm_rbf_one_setting_x_16(bencher: Bencher, n: usize) {
    together(bencher, "svm_rbf", &[json!({ "c": 1.0, "gamma": 0.05 })], &train(n, 16));
}

#[divan::bench(args = [16, 861])]
fn svm_linear_101_rows(bencher: Bencher, p: usize) {
    together(bencher, "svm_linear", &[json!({ "c": 0.1 })], &train(101, p));
}

#[divan::bench(args = [16, 861])]
fn lda_101_rows(bencher: Bencher, p: usize) {
    together(bencher, "lda", &[json!({})], &train(101, p));
}

fn fits(bencher: Bencher, name: &str, parameters: Json) {
    let (step, train) = (step(name, parameters), train(101, 861));
    bencher.bench_local(|| step.fit(black_box(&train)).map(|state| state.len()));
}

#[divan::bench]
fn lasso_path_101_x_861(bencher: Bencher) {
    fits(bencher, "lasso", json!({}));
}

#[divan::bench]
fn lasso_chosen_by_ten_folds_101_x_861(bencher: Bencher) {
    fits(bencher, "lasso", json!({ "lambda": "1se" }));
}

#[divan::bench]
fn elastic_net_path_101_x_861(bencher: Bencher) {
    fits(bencher, "elastic_net", json!({}));
}

#[divan::bench]
fn rfe_tenths_101_x_861(bencher: Bencher) {
    fits(bencher, "rfe", json!({}));
}
