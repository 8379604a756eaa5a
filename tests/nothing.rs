//! Where there is nothing to find, nothing is found: the engine judged by permuted outcomes.

use restudy::data::{Frame, FrameColumn, Rows, Split, Train};
use restudy::math::{Stream, mean, sqrt, variance};
use restudy::operation::{AnyLearner, AnyTableStep, Instance, Kind, Scored};
use serde_json::{Value as Json, json};

use crate::learners::{learner, step};
use crate::reference::operation;
use crate::selectors::of_kind;
use crate::tuning::study;
use crate::workshop::{Workshop, restudy};

const PERMUTATIONS: usize = 200;
const ROWS: usize = 40;
const FOLDS: usize = 4;

/// Columns that have nothing to do with any outcome.
fn noise(p: usize) -> Frame {
    let mut stream = Stream::new(6, &["noise"]);
    let column = |j: usize| FrameColumn {
        name: format!("c{j}").into(),
        values: (0..ROWS).map(|_| stream.normal()).collect(),
    };
    let columns = (0..p).map(column).collect();
    Frame { rows: Rows::new(columns, ROWS), failed: vec![None; ROWS] }
}

fn applied(step: &dyn AnyTableStep, train: &Train, held: &Rows) -> (Train, Rows) {
    let state = step.fit(train).unwrap();
    let (mut rows, mut held) = (train.rows().clone(), held.clone());
    step.apply(&state, &mut rows).unwrap();
    step.apply(&state, &mut held).unwrap();
    (train.with_rows(rows), held)
}

/// The AUROC of a selector with a learner on each permutation: the mean over folds, both classes
/// in each in equal shares. `name` names the permutations, so that those of two operations have
/// nothing in common. Some select before the split, as nobody should.
fn areas(
    name: &str,
    selector: &dyn AnyTableStep,
    learner: &dyn AnyLearner,
    p: usize,
    before: bool,
) -> Vec<f64> {
    let frame = noise(p);
    let Instance::Metric(auroc) = operation("auroc", json!({})) else { panic!() };
    let groups: Vec<u32> = (0..ROWS as u32).collect();
    let mut found = Vec::new();
    for permutation in 0..PERMUTATIONS {
        let mut stream = Stream::new(9, &["permutation", name, &permutation.to_string()]);
        let mut order: Vec<usize> = (0..ROWS).collect();
        stream.shuffle(&mut order);
        let mut outcome = vec![Some(false); ROWS];
        order[..ROWS / 2].iter().for_each(|row| outcome[*row] = Some(true));
        let mut here = frame.clone();
        if before {
            let all = Split { train: groups.clone(), held_out: Vec::new() };
            let all = all.train(&frame, &outcome, &groups);
            here.rows = applied(selector, &all, &frame.rows).1;
        }
        let mut of_folds = Vec::new();
        for fold in 0..FOLDS {
            // Dealt in turn, positive rows first.
            let held = |at: usize| at % FOLDS == fold;
            let side = |wanted: bool| -> Vec<u32> {
                let places = (0..ROWS).filter(|at| held(*at) == wanted);
                let mut rows: Vec<u32> = places.map(|at| order[at] as u32).collect();
                rows.sort_unstable();
                rows
            };
            let split = Split { train: side(false), held_out: side(true) };
            let train = split.train(&here, &outcome, &groups);
            let (rows, held) = split.held_out(&here);
            let (train, held) = match before {
                true => (train, held),
                false => applied(selector, &train, &held),
            };
            let model = learner.fit(&train, &mut stream).unwrap();
            let scores = learner.predict(&model, &held).unwrap();
            let truth: Vec<bool> =
                rows.iter().map(|row| outcome[*row].unwrap()).collect();
            let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
            of_folds.push(auroc.compute(scored).unwrap());
        }
        found.push(mean(&of_folds).unwrap());
    }
    found
}

/// By how many Monte-Carlo standard errors the mean lies above 0.5.
fn above(areas: &[f64]) -> f64 {
    let error = sqrt(variance(areas).unwrap() / areas.len() as f64);
    let apart = mean(areas).unwrap() - 0.5;
    if apart == 0.0 { 0.0 } else { apart / error }
}

#[test]
fn no_learner_and_no_selector_finds_anything_in_permuted_outcomes() {
    let anova = step("anova", json!({ "k": 3 }));
    let bayes = learner("naive_bayes", json!({}));
    let mut wrong = Vec::new();
    let mut judge = |name: &str, areas: Vec<f64>| {
        let errors = above(&areas);
        println!("{name}: {:.4}, {errors:+.2} standard errors", mean(&areas).unwrap());
        if errors.abs() > 3.0 {
            wrong.push(format!("{name}: {errors:+.2} standard errors from 0.5"));
        }
    };
    for (name, instance) in of_kind(Kind::Learner) {
        let Instance::Learner(learner) = instance else { unreachable!() };
        judge(&name, areas(&name, &*anova, &*learner, 12, false));
    }
    let mut selectors = 0;
    for (name, instance) in of_kind(Kind::TableStep) {
        let Instance::TableStep(selector) = instance else { unreachable!() };
        if selector.reads_outcome() {
            judge(&name, areas(&name, &*selector, &*bayes, 12, false));
            selectors += 1;
        }
    }
    assert!(selectors >= 10, "{selectors} selectors were judged");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn selection_before_the_split_finds_what_is_not_there() {
    // The same judge sees this leak: it would see one of ours.
    let anova = step("anova", json!({ "k": 3 }));
    let bayes = learner("naive_bayes", json!({}));
    let errors = above(&areas("before", &*anova, &*bayes, 60, true));
    assert!(errors > 10.0, "{errors} standard errors");
}

#[test]
fn p_values_of_noise_are_uniform() {
    // Whole studies; the outcome of each is drawn anew and the columns know nothing of it.
    let studies = if std::env::var_os("RESTUDY_SOAK").is_some() { 200 } else { 20 };
    let workshop = Workshop::new();
    let control = "controls: { permuted_outcome: { times: 19 } }, \
                   learning_curve: { none: many studies }";
    workshop.study(&study(
        "all, anova: { k: [1, 3] }",
        "logistic: { c: [0.1, 1] }, naive_bayes",
        control,
    ));
    let (mut ps, mut observed) = (Vec::new(), Vec::new());
    for number in 0..studies {
        let mut stream = Stream::new(4, &["study", &number.to_string()]);
        let mut classes: Vec<bool> = (0..48).map(|row| row % 2 == 0).collect();
        stream.shuffle(&mut classes);
        let mut table = "patient,fold,status,x1,x2,x3,x4,x5,x6\n".to_string();
        for (i, class) in classes.iter().enumerate() {
            table.push_str(&format!("P{i:03},{},{class}", i % 4));
            (0..6).for_each(|_| table.push_str(&format!(",{}", stream.normal())));
            table.push('\n');
        }
        workshop.write("table.csv", table.as_bytes());
        let output = restudy(&workshop.path(""), &["run", "study.yaml", "--quiet"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
        let found = &report["analyses"]["status.all.internal"]["permutation"];
        ps.push(found["p"].as_f64().unwrap());
        observed.push(found["observed"].as_f64().unwrap());
    }
    let small = ps.iter().filter(|p| **p <= 0.05).count();
    // With probability 0.05 each: more than 4 of 20, or 19 of 200, in 3 of 1,000 runs.
    let most = if studies == 20 { 4 } else { 19 };
    println!("{small} of {studies} p-values are 0.05 or less; {ps:?}");
    assert!(small <= most, "{small} of {studies}: {ps:?}");
    let (centre, error) = (mean(&ps).unwrap(), 0.289 / sqrt(studies as f64));
    assert!((centre - 0.525).abs() < 3.0 * error, "{centre}");
    assert!(above(&observed).abs() < 3.0, "{observed:?}");
}
