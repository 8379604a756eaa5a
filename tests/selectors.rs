//! Selectors against the public reference collection, and every learner and step of the catalog on
//! rows that are as bad as rows can be.

use std::panic::{AssertUnwindSafe, catch_unwind};

use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Rows, Split, Train};
use restudy::math::Stream;
use restudy::operation::{Entry, Instance, Kind, Output};
use serde_json::{Value as Json, json};

use crate::learners::{bad_rows, step};
use crate::workshop::test_data;

/// What a case of the collection gives, and all rows of its input as training rows.
fn case(name: &str, file: &str, class: &str) -> Option<(Json, Train)> {
    let folder = test_data()?.join("stats_reference");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let reference: Json = serde_json::from_str(&read("reference.json")).unwrap();
    let cases = reference["cases"].as_array().unwrap();
    let outputs =
        cases.iter().find(|case| case["name"] == name).unwrap()["outputs"].clone();
    let text = read(&format!("inputs/{file}"));
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let cells: Vec<Vec<f64>> =
        lines.map(|row| row.iter().map(|cell| cell.parse().unwrap()).collect()).collect();
    let n = cells.len();
    let y = names.iter().position(|name| *name == class).unwrap();
    let is_column = |name: &str| name[1..].parse::<u32>().is_ok();
    let columns = names.iter().enumerate().filter(|(_, name)| is_column(name));
    let columns = columns.map(|(j, name)| FrameColumn {
        name: (*name).into(),
        values: cells.iter().map(|row| row[j]).collect(),
    });
    let frame = Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
    let outcome: Vec<Option<bool>> =
        cells.iter().map(|row| Some(row[y] == 1.0)).collect();
    let all: Vec<u32> = (0..n as u32).collect();
    let split = Split { train: all.clone(), held_out: Vec::new() };
    Some((outputs, split.train(&frame, &outcome, &all)))
}

fn applied(name: &str, parameters: Json, train: &Train) -> Train {
    let step = step(name, parameters);
    let mut rows = train.rows().clone();
    step.apply(&step.fit(train).unwrap(), &mut rows).unwrap();
    train.with_rows(rows)
}

fn names(train: &Train) -> Vec<String> {
    train.rows().columns().iter().map(|column| column.name.to_string()).collect()
}

/// Every prefix of an order of columns is what a selector keeps.
fn check_order(selector: &str, mut parameters: Json, train: &Train, order: &[String]) {
    let table = names(train);
    for k in 1..=order.len() {
        parameters["k"] = json!(k);
        let kept = names(&applied(selector, parameters.clone(), train));
        let in_prefix = |name: &&String| order[..k].contains(name);
        let expected: Vec<String> = table.iter().filter(in_prefix).cloned().collect();
        assert_eq!(kept, expected, "{selector}, k = {k}");
    }
}

#[test]
fn mrmr_and_relieff_are_those_of_the_reference_collection() {
    let Some((mrmr, train)) = case("mrmr_small", "regression.csv", "yb") else { return };
    let order: Vec<String> = serde_json::from_value(mrmr["ranking"].clone()).unwrap();
    assert_eq!(order.len(), 12);
    check_order("mrmr", json!({}), &train, &order);
    let Some((relieff, train)) = case("relieff", "regression.csv", "yb") else { return };
    let weights: Vec<f64> = serde_json::from_value(relieff["weights"].clone()).unwrap();
    let mut order: Vec<usize> = (0..12).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    let order: Vec<String> = order.into_iter().map(|j| format!("x{j}")).collect();
    check_order("relieff", json!({ "neighbours": 10 }), &train, &order);
}

#[test]
fn preparation_and_selection_of_a_real_table_are_those_of_the_collection() {
    let found = case("li2020_selection", "li2020_first80.csv", "Target");
    let Some((expected, mut train)) = found else { return };
    for (name, parameters) in [
        ("impute_median", json!({})),
        ("drop_constant", json!({})),
        ("scale_zscore", json!({})),
        ("drop_correlated", json!({ "threshold": 0.95 })),
    ] {
        train = applied(name, parameters, &train);
    }
    let columns = |name: &str| -> Vec<String> {
        let places: Vec<u32> = serde_json::from_value(expected[name].clone()).unwrap();
        places.into_iter().map(|j| format!("c{j}")).collect()
    };
    assert_eq!(names(&train), columns("kept_after_corr_filter"));
    check_order("anova", json!({}), &train, &columns("anova_rank16"));
    check_order("mrmr", json!({}), &train, &columns("mrmr_rank16"));
    check_order("lasso", json!({}), &train, &columns("lasso_rank16"));
}

/// An operation with little to do, so that many can be tried.
pub fn small(entry: &Entry) -> Instance {
    let mut parameters = json!({});
    let known = (entry.build)(json!({})).unwrap();
    let schema = serde_json::to_value((entry.schema)()).unwrap();
    for (name, value) in
        [("trees", 20), ("rounds", 20), ("iterations", 100_000), ("k", 3)]
    {
        if !schema["properties"][name].is_null() {
            parameters[name] = json!(value);
        }
    }
    (entry.build)(parameters).unwrap_or(known)
}

/// The learners and the steps of the catalog, by name.
pub fn of_kind(kind: Kind) -> Vec<(String, Instance)> {
    let catalog = Catalog::standard();
    let entries = catalog.of_kind(kind);
    let found: Vec<(String, Instance)> =
        entries.map(|entry| (entry.about.name.to_string(), small(entry))).collect();
    assert!(found.len() >= 10);
    found
}

#[test]
fn every_learner_and_step_of_the_catalog_gives_a_result_or_a_reason() {
    let mut wrong = Vec::new();
    for (what, rows) in bad_rows() {
        let n = rows.n();
        let frame = Frame { rows, failed: vec![None; n] };
        let groups: Vec<u32> = (0..n as u32).collect();
        let split = Split { train: groups.clone(), held_out: Vec::new() };
        for one_class in [false, true] {
            let outcome: Vec<Option<bool>> =
                (0..n).map(|i| Some(one_class || i % 2 == 1)).collect();
            let train = split.train(&frame, &outcome, &groups);
            let what =
                if one_class { format!("{what}, one class") } else { what.to_string() };
            for (name, instance) in of_kind(Kind::Learner) {
                let Instance::Learner(learner) = instance else { unreachable!() };
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
                    Ok(Ok(_)) if one_class && name != "naive" => {
                        wrong.push(format!("{name} learns from one class: {what}"));
                    }
                    Ok(Ok(scores)) if scores.len() != n || !scores.iter().all(fits) => {
                        wrong.push(format!("{name} on {what}: {scores:?}"));
                    }
                    Ok(_) => {}
                }
            }
            for (name, instance) in of_kind(Kind::TableStep) {
                let Instance::TableStep(step) = instance else { unreachable!() };
                let mut rows = train.rows().clone();
                let fit =
                    || step.fit(&train).and_then(|state| step.apply(&state, &mut rows));
                let found = catch_unwind(AssertUnwindSafe(fit));
                let finite = rows
                    .columns()
                    .iter()
                    .all(|column| column.values.iter().all(|value| value.is_finite()));
                match found {
                    Err(_) => wrong.push(format!("{name} panics on {what}")),
                    Ok(Ok(())) if one_class && step.reads_outcome() => {
                        wrong.push(format!("{name} selects by one class: {what}"));
                    }
                    Ok(Ok(())) if !finite || rows.n() != n => {
                        wrong.push(format!("{name} leaves no numbers of {what}"));
                    }
                    Ok(_) => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
