//! Preparation and filters on tables of the size that radiomics brings.
//!
//! Columns come in groups that share a part, as features of one image do: about two in five of 2030
//! stay after the correlation filter.

use divan::Bencher;
use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Rows, Split, Train};
use restudy::math::Stream;
use restudy::operation::{AnyTableStep, Instance};
use serde_json::{Value as Json, json};

fn main() {
    divan::main();
}

/// Training rows: columns in groups of five around one part, the classes apart in every tenth group.
fn train(n: usize, p: usize, noise: f64) -> Train {
    let mut stream = Stream::new(1, &["bench"]);
    let mut shared = vec![0.0; n];
    let mut columns = Vec::with_capacity(p);
    for column in 0..p {
        if column % 5 == 0 {
            for (row, value) in shared.iter_mut().enumerate() {
                let apart = column % 50 == 0 && row % 2 == 0;
                *value = stream.normal() + if apart { 0.8 } else { 0.0 };
            }
        }
        let own = noise * (column % 5) as f64;
        let values = shared.iter().map(|value| value + own * stream.normal()).collect();
        columns.push(FrameColumn { name: format!("c{column}").into(), values });
    }
    let frame = Frame { rows: Rows::new(columns, n), failed: vec![None; n] };
    let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
    let outcome: Vec<Option<bool>> = (0..n).map(|row| Some(row % 2 == 0)).collect();
    split.train(&frame, &outcome, &vec![0; n])
}

fn step(name: &str, parameters: Json) -> std::sync::Arc<dyn AnyTableStep> {
    let catalog = Catalog::standard();
    match (catalog.get(name).unwrap().build)(parameters).unwrap() {
        Instance::TableStep(step) => step,
        _ => panic!("{name} is no table step"),
    }
}

fn fit(bencher: Bencher, name: &str, parameters: Json, train: &Train) {
    let step = step(name, parameters);
    bencher.bench(|| step.fit(divan::black_box(train)).unwrap());
}

#[divan::bench]
fn whole_preparation_101_by_2030(bencher: Bencher) {
    let train = train(101, 2030, 0.13);
    let steps = [
        step("impute_median", json!({})),
        step("drop_constant", json!({})),
        step("scale_zscore", json!({})),
        step("drop_correlated", json!({})),
    ];
    bencher.bench(|| {
        let mut train = train.clone();
        for step in &steps {
            let state = step.fit(&train).unwrap();
            let mut rows = train.rows().clone();
            step.apply(&state, &mut rows).unwrap();
            train = train.with_rows(rows);
        }
        train.rows().p()
    });
}

#[divan::bench]
fn drop_correlated_101_by_2030(bencher: Bencher) {
    fit(bencher, "drop_correlated", json!({}), &train(101, 2030, 0.13));
}

#[divan::bench(args = ["anova", "welch", "mann_whitney", "mutual_information", "mrmr", "relieff"])]
fn filter_101_by_861(bencher: Bencher, name: &str) {
    fit(bencher, name, json!({ "k": 32 }), &train(101, 861, 0.5));
}

#[divan::bench]
fn yeo_johnson_101_by_861(bencher: Bencher) {
    fit(bencher, "transform_yeo_johnson", json!({}), &train(101, 861, 0.5));
}
