//! Penalised and kernel learners and selectors against scikit-learn and glmnet, and on rows that
//! are as bad as rows can be.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Rows, Split, Train};
use restudy::math::{Stream, exp};
use restudy::operation::{AnyLearner, AnyTableStep, Instance, Output};
use serde_json::{Map, Value as Json, json};

pub fn learner(name: &str, parameters: Json) -> Arc<dyn AnyLearner> {
    match (Catalog::standard().get(name).unwrap().build)(parameters).unwrap() {
        Instance::Learner(learner) => learner,
        _ => panic!("{name} is no learner"),
    }
}

pub fn step(name: &str, parameters: Json) -> Arc<dyn AnyTableStep> {
    match (Catalog::standard().get(name).unwrap().build)(parameters).unwrap() {
        Instance::TableStep(step) => step,
        _ => panic!("{name} is no step"),
    }
}

fn text(name: &str) -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{folder}/tests/reference/{name}.csv")).unwrap()
}

/// The training rows of a file that `wanted` holds for, and the last third, all standardised by
/// the whole first two thirds.
pub fn fixture(name: &str, wanted: impl Fn(usize, bool) -> bool) -> (Train, Rows) {
    let text = text(name);
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let cells: Vec<Vec<&str>> = lines.collect();
    let values = |at: usize| cells.iter().map(|row| row[at].parse().unwrap()).collect();
    let is_column = |name: &str| {
        name.strip_prefix('c').is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    let columns = names.iter().enumerate().filter(|(_, name)| is_column(name));
    let columns: Vec<FrameColumn> = columns
        .map(|(at, name)| FrameColumn { name: (*name).into(), values: values(at) })
        .collect();
    let y = names.iter().position(|name| *name == "y").unwrap();
    let outcome: Vec<Option<bool>> = cells.iter().map(|r| Some(r[y] == "1")).collect();
    let n = outcome.len();
    let groups: Vec<u32> = (0..n as u32).collect();
    let frame = Frame { rows: Rows::new(columns, n), failed: vec![None; n] };
    let first = (n * 2 / 3) as u32;
    let split =
        Split { train: (0..first).collect(), held_out: (first..n as u32).collect() };
    let scale = step("scale_zscore", json!({}));
    let state = scale.fit(&split.train(&frame, &outcome, &groups)).unwrap();
    let mut rows = frame.rows;
    scale.apply(&state, &mut rows).unwrap();
    let frame = Frame { rows, failed: frame.failed };
    let train = (0..first).filter(|&i| wanted(i as usize, outcome[i as usize].unwrap()));
    let split = Split { train: train.collect(), held_out: split.held_out };
    (split.train(&frame, &outcome, &groups), split.held_out(&frame).1)
}

/// `name key=value …` as an operation's name and parameters; numbers are numbers.
fn setting(words: &str) -> (String, Json) {
    let mut words = words.split(' ');
    let mut name = words.next().unwrap().to_string();
    let mut parameters = Map::new();
    if let Some(plain) = name.strip_suffix("_balanced") {
        parameters.insert("class_weight".to_string(), json!("balanced"));
        name = plain.to_string();
    }
    for word in words {
        let (key, value) = word.split_once('=').unwrap();
        let value = match value.parse::<f64>() {
            Ok(number) => json!(number),
            Err(_) => json!(value),
        };
        parameters.insert(key.to_string(), value);
    }
    if name == "logistic" {
        parameters.insert("penalty".to_string(), json!("elastic_net"));
    }
    (name, Json::Object(parameters))
}

#[test]
fn scores_are_those_of_scikit_learn() {
    for file in ["tall", "wide"] {
        let text = text(&format!("penalised_{file}"));
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let rows: Vec<Vec<f64>> = lines
            .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
            .collect();
        assert!(names.len() >= 20 && rows.len() >= 12);
        for (at, name) in names.iter().enumerate() {
            let balanced = name.contains("_balanced");
            let wanted =
                |i: usize, positive: bool| !balanced || !positive || !i.is_multiple_of(3);
            let (train, held_out) = fixture(file, wanted);
            let (operation, parameters) = setting(name);
            let learner = learner(&operation, parameters);
            let model = learner.fit(&train, &mut Stream::new(1, &[])).unwrap();
            let found = learner.predict(&model, &held_out).unwrap();
            let pairs = found.iter().zip(&rows).map(|(a, row)| (a - row[at]).abs());
            let worst = pairs.fold(0.0, f64::max);
            println!("{file} {name}: largest difference {worst:.1e}");
            // scikit-learn's ridge is that of `lbfgs`, which gets no nearer.
            let most = if name.ends_with("mix=0") { 1e-6 } else { 1e-7 };
            assert!(worst <= most, "{file} {name}: {worst:e}");
        }
    }
}

#[test]
fn selections_are_those_of_scikit_learn_and_glmnet() {
    for file in ["tall", "wide"] {
        let (train, _) = fixture(file, |_, _| true);
        let text = text(&format!("penalised_{file}_orders"));
        assert!(text.lines().count() >= 9);
        for line in text.lines() {
            let mut cells = line.split(',');
            let what = cells.next().unwrap();
            let (operation, mut parameters) = setting(what);
            let expected: Vec<String> = cells.map(|cell| format!("c{cell}")).collect();
            let by_rule = what.contains("lambda=");
            if by_rule {
                parameters["folds"] = json!(5);
                parameters["points"] = json!(60);
                parameters["reach"] = json!(0.01);
            }
            // Every prefix of the order, or, where a rule stops, all of it at once.
            let ks = if by_rule { 1000..=1000 } else { 1..=expected.len() + 1 };
            for k in ks {
                parameters["k"] = json!(k);
                let step = step(&operation, parameters.clone());
                let mut rows = train.rows().clone();
                step.apply(&step.fit(&train).unwrap(), &mut rows).unwrap();
                let mut kept: Vec<String> =
                    rows.columns().iter().map(|column| column.name.to_string()).collect();
                let mut wanted: Vec<String> = expected.iter().take(k).cloned().collect();
                kept.sort();
                wanted.sort();
                assert_eq!(kept, wanted, "{file} {what}, k = {k}");
            }
        }
    }
}

/// The grids of each learner that shares work between its settings.
fn grids() -> Vec<(&'static str, Vec<Json>)> {
    let mut logistic = Vec::new();
    let mut linear = Vec::new();
    let mut radial = Vec::new();
    for c in [0.03, 1.0, 30.0] {
        for class_weight in ["none", "balanced"] {
            for penalty in ["l1", "l2", "elastic_net"] {
                let setting =
                    json!({ "c": c, "class_weight": class_weight, "penalty": penalty });
                logistic.push(setting);
            }
            linear.push(json!({ "c": c, "class_weight": class_weight }));
            for gamma in [json!(0.01), json!("scale"), json!(0.3)] {
                let setting =
                    json!({ "c": c, "class_weight": class_weight, "gamma": gamma });
                radial.push(setting);
            }
        }
    }
    vec![("logistic", logistic), ("svm_linear", linear), ("svm_rbf", radial)]
}

#[test]
fn settings_fitted_together_are_those_fitted_alone() {
    for (name, grid) in grids() {
        for file in ["tall", "wide"] {
            let (train, held_out) = fixture(file, |_, _| true);
            let alone: Vec<Vec<f64>> = grid
                .iter()
                .map(|setting| {
                    let learner = learner(name, setting.clone());
                    let model = learner.fit(&train, &mut Stream::new(1, &[])).unwrap();
                    learner.predict(&model, &held_out).unwrap()
                })
                .collect();
            let mut order: Vec<usize> = (0..grid.len()).collect();
            for _ in 0..2 {
                let learners: Vec<_> =
                    order.iter().map(|&at| learner(name, grid[at].clone())).collect();
                let settings: Vec<&dyn AnyLearner> =
                    learners.iter().map(AsRef::as_ref).collect();
                let mut streams: Vec<Stream> =
                    order.iter().map(|_| Stream::new(1, &[])).collect();
                let together = settings[0].fit_and_predict(
                    &settings,
                    &train,
                    &mut streams,
                    &held_out,
                );
                for (&at, scores) in order.iter().zip(together) {
                    assert_eq!(scores.unwrap(), alone[at], "{name} {}", grid[at]);
                }
                order.reverse();
            }
        }
    }
}

/// Rows on which numerics break: each a number of rows and its columns.
pub fn bad_rows() -> Vec<(&'static str, Rows)> {
    let mut stream = Stream::new(8, &["bad rows"]);
    let mut normal = |n: usize, p: usize| -> Vec<Vec<f64>> {
        (0..p).map(|_| (0..n).map(|_| stream.normal()).collect()).collect()
    };
    let rows = |columns: Vec<Vec<f64>>| {
        let n = columns[0].len();
        let named = columns.into_iter().enumerate();
        let named =
            named.map(|(j, values)| FrameColumn { name: format!("c{j}").into(), values });
        Rows::new(named.collect(), n)
    };
    let scaled = |columns: &[Vec<f64>], by: f64| -> Vec<Vec<f64>> {
        columns.iter().map(|c| c.iter().map(|value| value * by).collect()).collect()
    };
    let plain = normal(24, 4);
    let mut twice = plain.clone();
    twice.extend(plain.clone());
    twice.extend(scaled(&plain, -2.0));
    let mut constant = plain.clone();
    constant.push(vec![0.1; 24]);
    let mut mixed = scaled(&plain, 1e12);
    mixed.extend(scaled(&plain, 1e-12));
    let mut doubled = plain.clone();
    doubled.iter_mut().for_each(|column| column.copy_within(0..12, 12));
    let few: Vec<Vec<f64>> =
        plain.iter().map(|c| c.iter().map(|value| value.round()).collect()).collect();
    let apart = vec![(0..24).map(|i| f64::from(i % 2)).collect::<Vec<f64>>()];
    vec![
        ("equal and opposite columns", rows(twice)),
        ("a constant column", rows(constant)),
        ("only constant columns", rows(vec![vec![3.0; 24]; 3])),
        ("both ends of the scale", rows(mixed)),
        ("equal rows of both classes", rows(doubled)),
        ("ties", rows(few)),
        ("ten columns a row", rows(normal(20, 200))),
        ("three rows", rows(normal(3, 5))),
        ("two rows", rows(normal(2, 1))),
        ("1e12", rows(scaled(&plain, 1e12))),
        ("1e-12", rows(scaled(&plain, 1e-12))),
        ("1e200", rows(scaled(&plain, 1e200))),
        ("1e-200", rows(scaled(&plain, 1e-200))),
        (
            "an offset of 1e9",
            rows(plain.iter().map(|c| c.iter().map(|v| v + 1e9).collect()).collect()),
        ),
        ("the class itself", rows(apart)),
    ]
}

#[test]
fn bad_rows_give_a_result_or_a_reason() {
    let mut learners: Vec<(String, Arc<dyn AnyLearner>)> = Vec::new();
    for penalty in ["none", "l1", "l2", "elastic_net"] {
        for c in [1e-9, 1.0, 1e9] {
            let parameters = json!({ "penalty": penalty, "c": c });
            learners.push((
                format!("logistic {parameters}"),
                learner("logistic", parameters),
            ));
        }
    }
    for c in [1e-9, 1.0, 1e4] {
        // Few pairs, as a fit that never ends would hold up the others.
        let parameters = json!({ "c": c, "iterations": 100_000 });
        for name in ["svm_linear", "svm_rbf"] {
            learners.push((
                format!("{name} {parameters}"),
                learner(name, parameters.clone()),
            ));
        }
    }
    for shrinkage in [json!("none"), json!("ledoit_wolf"), json!(0.5), json!(1.0)] {
        let parameters = json!({ "shrinkage": shrinkage });
        learners.push((format!("lda {parameters}"), learner("lda", parameters)));
    }
    let mut steps: Vec<(String, Arc<dyn AnyTableStep>)> = Vec::new();
    for parameters in [
        json!({}),
        json!({ "lambda": "min", "folds": 2 }),
        json!({ "lambda": "1se", "folds": 2 }),
        json!({ "reach": 1e-6, "points": 20 }),
    ] {
        for name in ["lasso", "elastic_net"] {
            steps.push((format!("{name} {parameters}"), step(name, parameters.clone())));
        }
    }
    steps.push(("rfe logistic".to_string(), step("rfe", json!({ "model": "logistic" }))));
    steps.push(("rfe".to_string(), step("rfe", json!({ "c": 0.1 }))));
    let mut wrong = Vec::new();
    for (what, rows) in bad_rows() {
        let n = rows.n();
        let frame = Frame { rows, failed: vec![None; n] };
        let outcome: Vec<Option<bool>> = (0..n).map(|i| Some(i % 2 == 1)).collect();
        let split = Split { train: (0..n as u32).collect(), held_out: Vec::new() };
        let groups: Vec<u32> = (0..n as u32).collect();
        let train = split.train(&frame, &outcome, &groups);
        for (name, learner) in &learners {
            let fit = || {
                let model = learner.fit(&train, &mut Stream::new(1, &[]))?;
                learner.predict(&model, train.rows())
            };
            let fits = |score: &f64| match learner.output() {
                Output::Probability => (0.0..=1.0).contains(score),
                Output::DecisionValue => score.is_finite(),
            };
            match catch_unwind(AssertUnwindSafe(fit)) {
                Err(_) => wrong.push(format!("{name} panics on {what}")),
                Ok(Ok(scores)) if !scores.iter().all(fits) => {
                    wrong.push(format!("{name} on {what}: {scores:?}"));
                }
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => println!("{name} on {what}: {failure}"),
            }
        }
        for (name, step) in &steps {
            let fit = || {
                let mut rows = train.rows().clone();
                step.fit(&train).and_then(|state| step.apply(&state, &mut rows))
            };
            match catch_unwind(AssertUnwindSafe(fit)) {
                Err(_) => wrong.push(format!("{name} panics on {what}")),
                Ok(Ok(())) => {}
                Ok(Err(failure)) => println!("{name} on {what}: {failure}"),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn separable_classes_have_no_fit_without_a_penalty() {
    let (train, _) = fixture("wide", |_, _| true);
    let logistic = learner("logistic", json!({ "penalty": "none" }));
    let failure = logistic.fit(&train, &mut Stream::new(1, &[])).unwrap_err();
    assert_eq!(failure, restudy::operation::Failure::Dependent);
    let (train, _) = fixture("tall", |_, _| true);
    let named = |model: &[u8]| logistic.model(model).unwrap();
    let model = named(&logistic.fit(&train, &mut Stream::new(1, &[])).unwrap());
    // With hardly any penalty the answer is the same.
    let weak = learner("logistic", json!({ "c": 1e9 }));
    let other = weak.fit(&train, &mut Stream::new(1, &[])).unwrap();
    let other = weak.model(&other).unwrap();
    for at in 0..5 {
        let (a, b) = (&model["weights"][at], &other["weights"][at]);
        let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
        assert!((a - b).abs() < 1e-6 * exp(a.abs()), "{a} {b}");
    }
}
