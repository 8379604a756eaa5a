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
        .map(|name| FrameColumn { name: (*name).into(), values: Vec::new() })
        .collect();
    let mut outcome = Vec::new();
    let target = names.iter().position(|name| *name == "Target").unwrap();
    for cells in lines {
        outcome.push(Some(cells[target].parse::<f64>().unwrap() == 1.0));
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.values.push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    columns.retain(|column| !["ID", "Target"].contains(&&*column.name));
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

/// The rows of a split, prepared as in the reference run.
fn prepared(
    split: &Split,
    frame: &Frame,
    outcome: &[Option<bool>],
) -> (Train, Rows, Vec<bool>) {
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
    (train, rows, truth)
}

/// The candidates of a family in the order of the reference run: learner, then k, then selector.
fn family(name: &str) -> Vec<(Json, usize, &'static str)> {
    let settings: Vec<Json> = match name {
        "lr" => [0.01, 0.1, 1.0, 10.0].map(|c| json!({ "c": c })).to_vec(),
        _ => {
            let of_c = |c: f64| [0.01, 0.05, 0.2].map(|g| json!({ "c": c, "gamma": g }));
            [0.1, 1.0, 10.0].into_iter().flat_map(of_c).collect()
        }
    };
    let mut candidates = Vec::new();
    for setting in settings {
        for k in [8, 16, 32] {
            candidates.extend(
                ["anova", "mrmr", "lasso"].map(|selector| (setting.clone(), k, selector)),
            );
        }
    }
    candidates
}

/// The AUROC of every candidate of a family on one split.
fn areas(
    name: &str,
    split: &Split,
    frame: &Frame,
    outcome: &[Option<bool>],
    wanted: Option<usize>,
) -> Vec<f64> {
    let Instance::Metric(auroc) = operation("auroc", json!({})) else { panic!() };
    let (train, rows, truth) = prepared(split, frame, outcome);
    let mut chosen: BTreeMap<(&str, usize), (Train, Rows)> = BTreeMap::new();
    let learner = if name == "lr" { "logistic" } else { "svm_rbf" };
    let candidates = family(name).into_iter().enumerate();
    candidates
        .filter(|(at, _)| wanted.is_none_or(|wanted| wanted == *at))
        .map(|(_, (parameters, k, selector))| {
            let (train, rows) = chosen.entry((selector, k)).or_insert_with(|| {
                applied(&*step(selector, json!({ "k": k })), &train, &rows)
            });
            let Instance::Learner(learner) = operation(learner, parameters) else {
                panic!()
            };
            let model = learner.fit(train, &mut Stream::new(1, &[])).unwrap();
            let scores = learner.predict(&model, rows).unwrap();
            let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
            auroc.compute(scored).unwrap()
        })
        .collect()
}

#[test]
fn winners_of_nested_tuning_are_those_of_scikit_learn() {
    let Some(data) = test_data() else { return };
    let bench = data.join("../bench/ml");
    let known =
        std::fs::read_to_string(bench.join("results/nested_no_rf.jsonl")).unwrap();
    // All tables on demand: by default the smallest of those at hand.
    let soak = std::env::var_os("RESTUDY_SOAK").is_some();
    let (mut same, mut tied, mut wrong) = (0, 0, Vec::new());
    for line in known.lines() {
        let run: Json = serde_json::from_str(line).unwrap();
        let name = run["table"].as_str().unwrap();
        if !(soak || name == "C4KC-KiTS") {
            continue;
        }
        let found = table(&data.join(format!("radmlbench/{name}.csv.gz")));
        let Some((frame, outcome)) = found else { continue };
        let path = bench.join(format!("anchors/folds/{name}.csv"));
        let text = std::fs::read_to_string(path).unwrap();
        let mut folds = lines(&text);
        let header = folds.next().unwrap();
        let folds: Vec<Vec<&str>> = folds.collect();
        let at = |name: &str| header.iter().position(|known| *known == name).unwrap();
        let split = |column: usize, fold: &str, among: &dyn Fn(usize) -> bool| {
            let rows = (0..outcome.len()).filter(|row| among(*row)).map(|row| row as u32);
            let (held_out, train) =
                rows.partition(|row| folds[*row as usize][column] == fold);
            Split { train, held_out }
        };
        for outer in 0..5 {
            let outer_column = at("outer_s0");
            let fold = outer.to_string();
            let whole = split(outer_column, &fold, &|_| true);
            let inner_column = at(&format!("inner_s0_o{outer}"));
            for of_family in ["lr", "svm"] {
                let candidates = family(of_family);
                let mut sums = vec![0.0; candidates.len()];
                for inner in 0..5 {
                    let training = |row: usize| folds[row][outer_column] != fold;
                    let split = split(inner_column, &inner.to_string(), &training);
                    let areas = areas(of_family, &split, &frame, &outcome, None);
                    sums.iter_mut().zip(areas).for_each(|(sum, area)| *sum += area);
                }
                let expected = &run["results"][of_family];
                let chosen = &expected["chosen"][outer];
                let place = candidates.iter().position(|(setting, k, selector)| {
                    let same = |ours: &str, theirs: &str| {
                        setting[ours].as_f64() == chosen[1][theirs].as_f64()
                    };
                    chosen[2] == *k
                        && chosen[3] == *selector
                        && same("c", "C")
                        && (of_family == "lr" || same("gamma", "gamma"))
                });
                let place = place.expect("it is among the candidates");
                let most = sums.iter().copied().fold(0.0, f64::max);
                let first = sums.iter().position(|sum| *sum == most).unwrap();
                // Equal means may differ in their last digit there or here.
                if (sums[place] - most).abs() > 1e-12 {
                    wrong.push(format!(
                        "{name} {outer} {of_family}: {} instead of {}, {} behind",
                        candidates[first].0,
                        chosen,
                        most - sums[place]
                    ));
                    continue;
                }
                same += 1;
                tied += usize::from(first != place);
                let area = areas(of_family, &whole, &frame, &outcome, Some(place))[0];
                let known = expected["fold_auc"][outer].as_f64().unwrap();
                if (area - known).abs() > 1e-6 {
                    wrong.push(format!("{name} {outer} {of_family}: {area} {known}"));
                }
            }
        }
    }
    println!("{same} winners are the same, {tied} of them among equals");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same >= if soak { 40 } else { 10 }, "{same} winners were compared");
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
    // All seeds on demand: by default the first, and the folds that are explained.
    let soak = std::env::var_os("RESTUDY_SOAK").is_some();
    for ((name, seed, fold), expected) in &wanted {
        let fold_name = format!("{name},{seed},{fold},");
        let explained = corrections.keys().any(|place| place.starts_with(&fold_name));
        if !(soak || *seed == "0" || explained) {
            continue;
        }
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
        let (train, rows, truth) = prepared(&split, frame, outcome);
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
    assert!(compared >= if soak { 1520 } else { 248 }, "{compared} areas were compared");
    assert_eq!(corrected, corrections.len(), "an explained area is not among them");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}
