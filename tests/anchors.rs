//! Areas under the curve of whole pipelines on real tables, fold by fold, as scikit-learn has them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Rows, Split, Train, decompressed};
use restudy::math::Stream;
use restudy::operation::{AnyTableStep, Instance, Scored};
use serde_json::{Value as Json, json};

use crate::workshop::test_data;

fn operation(name: &str, parameters: Json) -> Instance {
    (Catalog::standard().get(name).unwrap().build)(parameters).unwrap()
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(',').collect())
}

/// A table of the collection: its features in order, and the class of each row.
fn table(path: &Path) -> Option<(Frame, Vec<Option<bool>>)> {
    let text = decompressed(&std::fs::read(path).ok()?)?;
    let text = String::from_utf8(text).unwrap();
    let mut lines = lines(&text);
    let names = lines.next().unwrap();
    let mut columns: Vec<FrameColumn> = names
        .iter()
        .map(|name| FrameColumn { name: (*name).to_string(), values: Vec::new() })
        .collect();
    let mut outcome = Vec::new();
    let target = names.iter().position(|name| *name == "Target").unwrap();
    for cells in lines {
        outcome.push(Some(cells[target].parse::<f64>().unwrap() == 1.0));
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.values.push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    columns.retain(|column| column.name != "ID" && column.name != "Target");
    let n = outcome.len();
    Some((Frame { rows: Rows::new(columns, n), failed: vec![None; n] }, outcome))
}

fn applied(step: &dyn AnyTableStep, train: &Train, rows: &Rows) -> (Train, Rows) {
    let state = step.fit(train).unwrap();
    let (mut fitted, mut rows) = (train.rows().clone(), rows.clone());
    step.apply(&state, &mut fitted).unwrap();
    step.apply(&state, &mut rows).unwrap();
    (train.with_rows(fitted), rows)
}

fn step(name: &str, parameters: Json) -> Arc<dyn AnyTableStep> {
    match operation(name, parameters) {
        Instance::TableStep(step) => step,
        _ => panic!("{name} is no step"),
    }
}

/// Where a selection of the reference run is not the exact one, and what the exact one gives: see
/// `tests/reference/anchors.py`, which solves the same problem further.
fn corrections() -> BTreeMap<String, f64> {
    let path = format!("{}/tests/reference/anchors.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let rows = lines(&text).skip(1);
    rows.map(|cells| (cells[..6].join(","), cells[6].parse().unwrap())).collect()
}

#[test]
fn areas_of_every_fold_are_those_of_scikit_learn() {
    let Some(data) = test_data() else { return };
    let anchors = data.join("../bench/ml/anchors");
    let read = |name: &str| std::fs::read_to_string(anchors.join(name)).unwrap();
    let known = read("fixed_auc.csv");
    let mut wanted: BTreeMap<(&str, &str, &str), Vec<Vec<&str>>> = BTreeMap::new();
    for cells in lines(&known).skip(1) {
        wanted.entry((cells[0], cells[1], cells[2])).or_default().push(cells);
    }
    let corrections = corrections();
    let Instance::Metric(auroc) = operation("auroc", json!({})) else { panic!() };
    let catalog = Catalog::standard();
    let (mut compared, mut corrected, mut wrong) = (0, 0, Vec::new());
    let mut at_hand: Option<(&str, Frame, Vec<Option<bool>>)> = None;
    for ((name, seed, fold), expected) in &wanted {
        if at_hand.as_ref().is_none_or(|(known, ..)| known != name) {
            let path = data.join(format!("radmlbench/{name}.csv.gz"));
            let Some((frame, outcome)) = table(&path) else { continue };
            at_hand = Some((name, frame, outcome));
        }
        let Some((_, frame, outcome)) = &at_hand else { continue };
        let text = read(&format!("folds/{name}.csv"));
        let mut folds = lines(&text);
        let column = format!("outer_s{seed}");
        let at = folds.next().unwrap().iter().position(|name| *name == column).unwrap();
        let fold_of: Vec<String> = folds.map(|cells| cells[at].to_string()).collect();
        let rows = 0..outcome.len() as u32;
        let (held_out, train) = rows.partition(|&row| fold_of[row as usize] == *fold);
        let split = Split { train, held_out };
        let mut train = split.train(frame, outcome, &vec![0; outcome.len()]);
        let (held, mut rows) = split.held_out(frame);
        let truth: Vec<bool> = held.iter().map(|&row| outcome[row].unwrap()).collect();
        for (name, parameters) in [
            ("impute_median", json!({})),
            ("drop_constant", json!({})),
            ("scale_zscore", json!({})),
            ("drop_correlated", json!({ "threshold": 0.95 })),
        ] {
            (train, rows) = applied(&*step(name, parameters), &train, &rows);
        }
        let mut chosen: BTreeMap<(&str, &str), (Train, Rows)> = BTreeMap::new();
        for cells in expected {
            let (selection, k) = (cells[3], cells[4]);
            let learner = match cells[5] {
                "lr_C0.1" => operation("logistic", json!({ "c": 0.1 })),
                "svm_C1_g0.05" => {
                    operation("svm_rbf", json!({ "c": 1.0, "gamma": 0.05 }))
                }
                _ => continue,
            };
            if catalog.get(selection).is_none() {
                continue;
            }
            let (train, rows) = chosen.entry((selection, k)).or_insert_with(|| {
                let k: usize = k.parse().unwrap();
                applied(&*step(selection, json!({ "k": k })), &train, &rows)
            });
            let Instance::Learner(learner) = learner else { panic!() };
            let model = learner.fit(train, &mut Stream::new(1, &[])).unwrap();
            let scores = learner.predict(&model, rows).unwrap();
            let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
            let found = auroc.compute(scored).unwrap();
            let place = cells[..6].join(",");
            let correction = corrections.get(&place);
            corrected += usize::from(correction.is_some());
            let auc = correction.copied().unwrap_or_else(|| cells[6].parse().unwrap());
            if (found - auc).abs() > 1e-6 {
                wrong.push(format!("{place},{auc},{found}"));
            }
            compared += 1;
        }
    }
    println!("{compared} areas are equal, {corrected} of them to the exact selection");
    assert!(compared > 1000, "{compared} areas were compared");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}
