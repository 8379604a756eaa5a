//! What forests and boosting cost, by number of rows and columns.
//!
//! `cargo bench --bench learning_trees` prints the times of whole fits; all run on one thread.
//! The rows are simulated: normal values, two of the columns shift the odds.

use divan::{Bencher, black_box};
use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Rows, Split, Train};
use restudy::math::Stream;
use restudy::operation::{AnyLearner, Instance};
use serde_json::{Value as Json, json};
use std::sync::Arc;

fn main() {
    divan::main();
}

const SIZES: &[(usize, usize)] =
    &[(32, 16), (100, 16), (100, 32), (200, 16), (1000, 3000)];

fn train(n: usize, p: usize) -> (Train, Rows) {
    let mut stream = Stream::new(n as u64 * 31 + p as u64, &["benchmark"]);
    let columns: Vec<FrameColumn> = (0..p)
        .map(|j| FrameColumn {
            name: format!("c{j}").into(),
            values: (0..n * 5 / 4).map(|_| stream.normal()).collect(),
        })
        .collect();
    let outcome: Vec<Option<bool>> = (0..n * 5 / 4)
        .map(|i| {
            let shift = columns[0].values[i] + 0.5 * columns[1].values[i];
            Some(shift + stream.normal() > 0.0)
        })
        .collect();
    let groups: Vec<u32> = (0..outcome.len() as u32).collect();
    let n_all = outcome.len();
    let frame = Frame { rows: Rows::new(columns, n_all), failed: vec![None; n_all] };
    let split = Split {
        train: (0..n as u32).collect(),
        held_out: (n as u32..n_all as u32).collect(),
    };
    (split.train(&frame, &outcome, &groups), split.held_out(&frame).1)
}

fn learner(name: &str, parameters: Json) -> Arc<dyn AnyLearner> {
    let catalog = Catalog::standard();
    let entry = catalog.get(name).expect("the learner is in the catalogue");
    let built = (entry.build)(parameters).expect("the parameters are sound");
    let Instance::Learner(learner) = built else { panic!("`{name}` is no learner") };
    learner
}

/// Times the fit of a learner.
fn fit(bencher: Bencher, (n, p): (usize, usize), name: &str, parameters: Json) {
    let (train, _) = train(n, p);
    let learner = learner(name, parameters);
    bencher.bench_local(|| {
        learner.fit(black_box(&train), &mut Stream::new(1, &[])).map(|model| model.len())
    });
}

#[divan::bench(args = SIZES, sample_count = 9)]
fn forest_of_300_trees(bencher: Bencher, size: (usize, usize)) {
    fit(bencher, size, "random_forest", json!({ "trees": 300 }));
}

#[divan::bench(args = SIZES, sample_count = 9)]
fn forest_of_300_trees_of_depth_3(bencher: Bencher, size: (usize, usize)) {
    fit(bencher, size, "random_forest", json!({ "trees": 300, "depth": 3 }));
}

#[divan::bench(args = SIZES, sample_count = 9)]
fn extra_trees_300(bencher: Bencher, size: (usize, usize)) {
    fit(bencher, size, "extra_trees", json!({ "trees": 300 }));
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn boosting_of_200_rounds_with_4_leaves(bencher: Bencher, size: (usize, usize)) {
    let parameters = json!({ "rounds": 200, "leaves": 4, "min_child": 5 });
    fit(bencher, size, "gradient_boosting", parameters);
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn boosting_of_200_rounds_with_15_leaves(bencher: Bencher, size: (usize, usize)) {
    let parameters = json!({ "rounds": 200, "leaves": 15, "min_child": 5 });
    fit(bencher, size, "gradient_boosting", parameters);
}

#[divan::bench(args = SIZES, sample_count = 9)]
fn forest_predicts_a_quarter(bencher: Bencher, (n, p): (usize, usize)) {
    let (train, rows) = train(n, p);
    let learner = learner("random_forest", json!({ "trees": 300 }));
    let model =
        learner.fit(&train, &mut Stream::new(1, &[])).expect("the rows are sound");
    bencher.bench_local(|| learner.predict(black_box(&model), &rows));
}
