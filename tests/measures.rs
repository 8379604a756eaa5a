//! What is measured on held-out predictions: against others' numbers, and in whole studies.

use std::collections::{BTreeMap, BTreeSet};

use restudy::data::{Interval, Scope, StudyRecord};
use restudy::math::{exp, ln, sqrt};
use restudy::operation::{Instance, Scored};
use restudy::statistics::{
    Calibrated, influence_se, nadeau_bengio, net_benefit, percentiles, pooled_auroc,
    quantile, sample_size, treat_all, wilson,
};
use serde_json::{Value as Json, json};

use crate::reference::{Collection, numbers, operation};
use crate::workshop::{STUDY, Workshop, number};

fn metric(name: &str, parameters: Json, scored: Scored<'_>) -> f64 {
    let Instance::Metric(metric) = operation(name, parameters) else { panic!("{name}") };
    metric.compute(scored).unwrap()
}

/// Classes and the two predictions of the reference collection.
fn predictions(collection: &Collection) -> (Vec<bool>, [Vec<f64>; 2]) {
    let rows = collection.columns("predictions.csv");
    let truth = numbers(&rows, "y").iter().map(|y| *y == 1.0).collect();
    (truth, [numbers(&rows, "p1"), numbers(&rows, "p2")])
}

#[test]
fn metrics_of_scores_are_those_of_scikit_learn_and_statsmodels() {
    let Some(collection) = Collection::open() else { return };
    let (truth, predicted) = predictions(&collection);
    let of = |name: &str, scores: &[f64]| {
        metric(name, json!({}), Scored { truth: &truth, scores, ..Scored::default() })
    };
    let mut case = collection.case("discrimination_misc");
    for (number, scores) in predicted.iter().enumerate() {
        for name in ["average_precision", "brier", "log_loss"] {
            case.near(of(name, scores), &format!("/{name}/{number}"));
        }
    }
    case.near(of("scaled_brier", &predicted[0]), "/brier_scaled_p1");
    let mut case = collection.case("calibration");
    case.near(of("calibration_slope", &predicted[0]), "/slope");
    case.near(of("calibration_intercept", &predicted[0]), "/calibration_in_the_large");
    case.near(of("observed_expected", &predicted[0]), "/observed_expected");
    // R's loess, computed at each prediction.
    case.near(of("ici", &predicted[0]), "/ICI_R_loess_span0.75_degree2_direct");
}

#[test]
fn the_smoother_with_straight_lines_is_that_of_statsmodels() {
    let Some(collection) = Collection::open() else { return };
    let (truth, [scores, _]) = predictions(&collection);
    let mut rows = Calibrated::new(&truth, &scores);
    let points = rows.points(&vec![1; truth.len()]).unwrap();
    let mut places = scores.clone();
    places.sort_by(f64::total_cmp);
    let heights = points.loess(places.iter().copied(), 0.75, 1);
    let errors: Vec<f64> = places
        .iter()
        .zip(heights)
        .map(|(p, height)| (p - height.unwrap()).abs())
        .collect();
    let mut case = collection.case("calibration");
    case.near(errors.iter().sum::<f64>() / errors.len() as f64, "/ICI_lowess");
    case.near(quantile(&errors, 0.5), "/E50_lowess");
    case.near(quantile(&errors, 0.9), "/E90_lowess");
    case.near(quantile(&errors, 1.0), "/Emax_lowess");
}

#[test]
fn metrics_of_decisions_are_those_of_scikit_learn() {
    let Some(collection) = Collection::open() else { return };
    let (truth, [scores, _]) = predictions(&collection);
    let mut case = collection.case("threshold_metrics");
    let at = case.expected("/threshold").as_f64().unwrap();
    let decisions: Vec<bool> = scores.iter().map(|score| *score >= at).collect();
    let thresholds = vec![at; scores.len()];
    let scored = Scored {
        truth: &truth,
        scores: &scores,
        decisions: &decisions,
        thresholds: &thresholds,
    };
    for (name, place) in [
        ("sensitivity", "sensitivity"),
        ("specificity", "specificity"),
        ("positive_predictive_value", "ppv"),
        ("negative_predictive_value", "npv"),
        ("accuracy", "accuracy"),
    ] {
        let Instance::Metric(metric) = operation(name, json!({})) else { panic!() };
        let value = metric.compute(scored).unwrap();
        case.near(value, &format!("/{place}/value"));
        let n = metric.denominator(scored) as f64;
        let (lower, upper) = wilson(value * n, n, 0.95).unwrap();
        case.near(lower, &format!("/{place}/wilson95/0"));
        case.near(upper, &format!("/{place}/wilson95/1"));
    }
    for name in ["balanced_accuracy", "f1", "mcc"] {
        case.near(metric(name, json!({}), scored), &format!("/{name}"));
    }
    // At one threshold for all, it is that of a stated probability.
    let declared = metric("net_benefit", json!({}), scored);
    let stated = metric("net_benefit", json!({ "at": at }), scored);
    assert!((declared - stated).abs() < 1e-14);
}

#[test]
fn decision_curves_are_those_of_dcurves() {
    let Some(collection) = Collection::open() else { return };
    let (truth, predicted) = predictions(&collection);
    let case = collection.case("decision_curve");
    let list = |place: &str| -> Vec<f64> {
        let values = case.expected(place).as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let thresholds = list("/thresholds");
    let curve = |of: &dyn Fn(f64) -> f64| -> Vec<f64> {
        thresholds.iter().map(|at| of(*at)).collect()
    };
    for (found, place) in [
        (curve(&|at| net_benefit(&truth, &predicted[0], at)), "p1"),
        (curve(&|at| net_benefit(&truth, &predicted[1], at)), "p2"),
        (curve(&|at| treat_all(&truth, at)), "all"),
    ] {
        // Some are 0, so the closeness is absolute.
        for (found, expected) in found.iter().zip(list(&format!("/net_benefit/{place}")))
        {
            assert!((found - expected).abs() < 1e-12, "{place}: {found} {expected}");
        }
    }
}

#[test]
fn intervals_of_folds_and_of_resamples_are_those_of_their_definitions() {
    let Some(collection) = Collection::open() else { return };
    let (truth, [scores, _]) = predictions(&collection);
    let fold = |fold: usize| -> (Vec<bool>, Vec<f64>) {
        let rows = (0..truth.len()).filter(|row| 7 * row % 10 == fold);
        rows.map(|row| (truth[row], scores[row])).unzip()
    };
    let folds: Vec<_> = (0..10).map(fold).collect();
    let units: Vec<u32> = (0..truth.len() as u32).collect();
    let folds: Vec<(&[bool], &[f64], &[u32])> = folds
        .iter()
        .map(|(truth, scores)| (&truth[..], &scores[..], &units[..truth.len()]))
        .collect();
    let mut case = collection.case("cv_intervals");
    let se = influence_se(&folds).unwrap();
    case.near(se, "/influence_curve_se");
    let mean = case.expected("/mean_fold_auc").as_f64().unwrap();
    let half = 1.959_963_984_540_054 * se;
    case.near(mean - half, "/influence_curve_ci95/0");
    case.near(mean + half, "/influence_curve_ci95/1");

    let text = collection.columns("bootstrap_indices_200x200.csv");
    // The file has no header: its first row was taken for one.
    let n_rows = text[0].1.len() + 1;
    let index = |row: usize, column: usize| -> usize {
        let (name, cells) = &text[column];
        let cell = if row == 0 { name } else { &cells[row - 1] };
        cell.parse::<f64>().unwrap() as usize
    };
    let values: Vec<f64> = (0..n_rows)
        .map(|row| {
            let drawn: Vec<usize> = (0..text.len()).map(|c| index(row, c)).collect();
            let truth: Vec<bool> = drawn.iter().map(|at| truth[*at]).collect();
            let scores: Vec<f64> = drawn.iter().map(|at| scores[*at]).collect();
            let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
            metric("auroc", json!({}), scored)
        })
        .collect();
    let mut case = collection.case("bootstrap_auc");
    let (lower, upper) = percentiles(&values, 0.95);
    case.near(lower, "/percentile95/0");
    case.near(upper, "/percentile95/1");
}

#[test]
fn sample_sizes_are_those_of_pmsampsize() {
    let Some(collection) = Collection::open() else { return };
    let mut case = collection.case("riley_sample_size_binary");
    for (name, parameters, prevalence, r2) in [
        ("r2=0.288_P=24_prev=0.174", 24, 0.174, 0.288),
        ("r2=0.1_P=10_prev=0.3", 10, 0.3, 0.1),
        ("r2=0.2_P=30_prev=0.5", 30, 0.5, 0.2),
    ] {
        let found = sample_size(parameters, prevalence, r2).unwrap();
        case.near(found.for_shrinkage, &format!("/{name}/n1"));
        case.near(found.for_optimism, &format!("/{name}/n2"));
        case.near(found.for_prevalence, &format!("/{name}/n3"));
        case.near(found.needed(), &format!("/{name}/n"));
        let expected = case.expected(&format!("/{name}/max_r2_cs")).as_f64().unwrap();
        assert!((found.largest_r2 - expected).abs() < 1e-14);
    }
}

/// The record of the small study, with these edits of its text, and its predictions.
fn run(edits: &[(&str, &str)]) -> (Workshop, StudyRecord) {
    let workshop = Workshop::new();
    let mut study = STUDY.to_string();
    for (from, to) in edits {
        assert!(study.contains(from), "{from}");
        study = study.replace(from, to);
    }
    workshop.study(&study);
    workshop.run(&[]);
    let record = serde_json::from_slice(&workshop.report()).unwrap();
    (workshop, record)
}

/// Class, probability and threshold of a held-out row.
type Row = (bool, f64, f64);

/// The rows of an analysis, by repeat.
fn held_out(workshop: &Workshop, analysis: &str) -> Vec<Vec<Row>> {
    let text = String::from_utf8(workshop.read("runs/study/predictions.csv")).unwrap();
    let mut repeats: Vec<Vec<Row>> = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        if cells[0] != analysis {
            continue;
        }
        let repeat: usize = cells[1].parse().unwrap();
        repeats.resize(repeats.len().max(repeat), Vec::new());
        let threshold = cells[6].parse().unwrap_or(f64::NAN);
        repeats[repeat - 1].push((cells[4] == "1", cells[5].parse().unwrap(), threshold));
    }
    repeats
}

#[test]
fn what_a_report_holds_follows_from_its_predictions() {
    let (workshop, record) =
        run(&[("threshold: {", "decision_range: [0.1, 0.6]\n  threshold: {")]);
    let name = &record.analysis_order[0];
    let analysis = &record.analyses[name];
    let repeats = held_out(&workshop, name);
    assert_eq!(repeats.len(), 2);
    let average = |of: &dyn Fn(&[Row]) -> f64| {
        repeats.iter().map(|rows| of(rows)).sum::<f64>() / repeats.len() as f64
    };
    let y = |class: bool| f64::from(u8::from(class));
    let near = |found: f64, expected: f64, what: &str| {
        assert!((found - expected).abs() < 1e-12, "{what}: {found} {expected}");
    };
    let of = |name: &str| &analysis.performance[name];
    let brier = average(&|rows| {
        let squares = rows.iter().map(|(class, p, _)| (p - y(*class)) * (p - y(*class)));
        squares.sum::<f64>() / rows.len() as f64
    });
    near(of("brier").estimate, brier, "brier");
    let ratio = average(&|rows| {
        rows.iter().map(|row| y(row.0)).sum::<f64>()
            / rows.iter().map(|row| row.1).sum::<f64>()
    });
    near(of("observed_expected").estimate, ratio, "observed over expected");
    for (name, estimate) in &analysis.performance {
        if let (Some(lower), Some(upper)) = (estimate.lower, estimate.upper) {
            assert!(lower <= upper, "{name}");
        }
    }
    let brier = of("brier");
    assert!(
        brier.lower.unwrap() < brier.estimate && brier.estimate < brier.upper.unwrap()
    );
    assert!(brier.method.contains("1000 resamples of 24 patients"), "{}", brier.method);

    // Each fold at its own threshold, and all cells of a repeat are its rows.
    let cells = analysis.confusion.as_ref().unwrap();
    let hits = average(&|rows| {
        rows.iter().filter(|(class, p, at)| *class && p >= at).count() as f64
    });
    near(cells.true_positive.unwrap(), hits, "true positives");
    let all = [
        cells.true_positive,
        cells.false_positive,
        cells.false_negative,
        cells.true_negative,
    ];
    near(all.into_iter().flatten().sum(), 24.0, "rows");
    assert!(of("accuracy").sd_folds.is_some());

    let decision = analysis.decision.as_ref().unwrap();
    assert_eq!(decision.range, (0.1, 0.6));
    let point = decision.points[10];
    let odds = point.threshold / (1.0 - point.threshold);
    let benefit = average(&|rows| {
        let treated = rows.iter().filter(|row| row.1 >= point.threshold);
        treated.map(|row| if row.0 { 1.0 } else { -odds }).sum::<f64>()
            / rows.len() as f64
    });
    near(point.model, benefit, "net benefit");
    assert!(point.lower.unwrap() <= point.model && point.model <= point.upper.unwrap());

    let calibration = analysis.calibration.as_ref().unwrap();
    let (low, high) = repeats.iter().fold((0.0f64, 1.0f64), |(low, high), rows| {
        let p = rows.iter().map(|row| row.1);
        let most = p.clone().fold(0.0, f64::max);
        (low.max(p.fold(1.0, f64::min)), high.min(most))
    });
    near(calibration.points[0].x, low, "no curve without data");
    near(calibration.points.last().unwrap().x, high, "no curve without data");
    let shown: f64 =
        calibration.distribution.iter().map(|bin| bin.events + bin.non_events).sum();
    near(shown, 24.0, "distribution");
    assert!(calibration.few);

    let auroc = of("auroc");
    let Interval { lower, upper, .. } = &auroc.other_intervals[0];
    assert!(*lower < auroc.estimate && auroc.estimate < *upper);
    assert_eq!((analysis.precision_recall.len(), analysis.roc.len()), (2, 2));
    for (mean, band) in [
        (&analysis.roc_mean, &analysis.roc_band),
        (&analysis.precision_recall_mean, &analysis.precision_recall_band),
    ] {
        assert_eq!(band.points.len(), 101);
        for limits in &band.points {
            // Of an upright piece at the left end the band is around the upper end.
            let mut at = mean.points.iter().filter(|point| point.x == limits.x);
            let height = at.next_back().unwrap().y;
            assert!(limits.lower <= height + 1e-12 && height <= limits.upper + 1e-12);
        }
        let method = &band.method;
        assert!(method.contains("resamples of 24 patients, of those with"), "{method}");
        assert!(method.contains("the variation of training sets"), "{method}");
    }
    let inner = &analysis.roc_band.points[40];
    assert!(inner.upper - inner.lower > 0.1, "24 patients say little");
    // At the threshold of a corner so many of either class are called positive.
    for ((curve, thresholds), rows) in
        analysis.roc.iter().zip(&analysis.roc_thresholds).zip(&repeats)
    {
        assert_eq!(curve.points.len(), thresholds.len() + 1);
        for (point, threshold) in curve.points[1..].iter().zip(thresholds) {
            let share = |class: bool| {
                let of = rows.iter().filter(|row| row.0 == class);
                let called = of.clone().filter(|row| row.1 >= *threshold).count();
                called as f64 / of.count() as f64
            };
            near(share(false), point.x, "1 − specificity");
            near(share(true), point.y, "sensitivity");
        }
    }
    let chance = |name: &str| {
        let mut all = analysis.metrics.iter().chain(&analysis.standard);
        all.find(|metric| metric.name == name).unwrap().chance.unwrap()
    };
    let positive = analysis.n_positive.known().unwrap();
    let share = positive as f64 / analysis.n.known().unwrap() as f64;
    near(chance("average_precision"), share, "the prevalence line");
    near(chance("brier"), share * (1.0 - share), "the prevalence alone");

    let selection = analysis.selection.as_ref().unwrap();
    assert_eq!((selection.fits, selection.of_columns), (6, analysis.n_predictors));
    let chosen: usize = selection.columns.iter().map(|column| column.n).sum();
    near(selection.mean_columns * 6.0, chosen as f64, "columns");
    let families: BTreeSet<&str> =
        selection.columns.iter().map(|column| column.family.as_str()).collect();
    assert!(
        families
            .iter()
            .all(|of| ["radiomics", "Intensity-based statistics"].contains(of)),
        "{families:?}"
    );
    // From the tables to the learner: preparation leaves all, `anova` two or four.
    let steps = &selection.reduction;
    let stages: Vec<&str> = steps.iter().map(|of| of.stage.as_str()).collect();
    assert_eq!(stages[..3], ["tables", "preparation", "preparation"]);
    assert_eq!(stages.last(), Some(&"learner"));
    assert_eq!((steps[0].fits, steps[0].highest), (6, analysis.n_predictors));
    assert_eq!(steps[1].step.as_deref(), Some("impute_median"));
    for step in steps {
        assert!(step.lowest as f64 <= step.median && step.median <= step.highest as f64);
        if step.stage == "selection" {
            assert_eq!(step.step.as_deref(), Some("anova"));
            assert!([2, 4].contains(&step.lowest) && [2, 4].contains(&step.highest));
        }
    }
    let similar = selection.similar.as_ref().unwrap();
    assert_eq!(similar.of, selection.columns.len());
    for cluster in &similar.clusters {
        assert!(cluster.columns.len() > 1 && cluster.least >= similar.at_least);
        let of = |name: &String| selection.columns.iter().find(|of| of.name == *name);
        let most = cluster.columns.iter().map(|name| of(name).unwrap().n).max();
        assert!(most.unwrap() <= cluster.n && cluster.n <= selection.fits);
    }
    let learners: usize = selection.learners.iter().map(|learner| learner.n).sum();
    assert_eq!(learners, 6);
    let size = analysis.sample_size.as_ref().unwrap();
    assert_eq!(size.candidates, analysis.n_predictors);
    assert_eq!(size.events, positive.min(24 - positive));
    assert!(size.needed.unwrap() > 24.0 && size.assumptions.len() == 3);
}

/// Twenty patients with three rows each, four of which have no age.
const LESIONS: &str = "restudy: 1
title: Patients with three rows each
cancer: glioma
seed: 1
governance: { public: true }
sources:
  clinic: { table: lesions.csv, id: id }
cohorts:
  all: { from: clinic, subject: person }
outcomes:
  mutant: { label: Mutation, binary: { column: mutant, positive: 1 } }
predictors:
  picture: { columns: { from: clinic, include: [volume_ml, texture] } }
prepare: [impute_median, scale_zscore]
select: [all]
learn: [logistic: { c: [0.1, 1] }]
validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 1 } }
evaluate:
  primary: auroc
  subgroups:
    - { by: age, cut: [50] }
  controls: { permuted_outcome: { none: a small study }, added: { none: a small study } }
reporting:
  abstract: { conclusion: \"Of {{results.n.all}} patients {{results.events.all}} had the mutation.\" }
";

#[test]
fn patients_are_counted_where_patients_are_told_and_rows_of_no_group_too() {
    let text = include_str!("golden/check/uncontrolled.csv");
    let mut lines = vec![format!("person,{}", text.lines().next().unwrap())];
    let mut mutated = [false; 20];
    for (at, line) in text.lines().skip(1).enumerate() {
        let (rest, age) = line.rsplit_once(',').unwrap();
        let age = if at % 15 == 0 { "" } else { age };
        lines.push(format!("S{:02},{rest},{age}", at / 3));
        mutated[at / 3] |= line.split(',').nth(1) == Some("1");
    }
    let with = mutated.iter().filter(|mutated| **mutated).count();
    let workshop = Workshop::new();
    workshop.write("lesions.csv", lines.join("\n").as_bytes());
    workshop.study(LESIONS);
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let analysis = &record.analyses[&record.analysis_order[0]];
    assert!(analysis.n == 60 && analysis.n_positive == 30);
    assert!(analysis.n_subjects == 20 && analysis.n_positive_subjects == with);
    let size = analysis.sample_size.as_ref().unwrap();
    assert_eq!((size.n, size.events), (20, with.min(20 - with)));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    for words in [
        "n_subjects\">20</span> patients".to_string(),
        format!("n_positive_subjects\">{with}</span> had"),
        "candidate predictor parameters".to_string(),
    ] {
        assert!(page.contains(&words), "{words}");
    }
    let groups = analysis.subgroups.iter().map(|group| group.n.known().unwrap());
    assert_eq!(groups.sum::<usize>(), 60);
    let last = analysis.subgroups.last().unwrap();
    assert_eq!((last.group.as_str(), last.by.as_str()), ("no value", "age"));
    assert!(last.n == 4 && last.estimate.is_none());
}

#[test]
fn an_external_cohort_of_many_sites_resamples_its_sites() {
    let table = |sites: usize| {
        let mut text = "patient,site,grade,age,x\n".to_string();
        for i in 0..160 {
            let (site, elsewhere) = (i % sites, i >= 80);
            let positive = (i * 7 % 10) < 4;
            let x = f64::from(u8::from(positive)) + (i * 37 % 101) as f64 / 40.0;
            let site = if elsewhere { format!("E{site}") } else { "A".to_string() };
            let grade = if positive { "high" } else { "low" };
            text.push_str(&format!("P{i:03},{site},{grade},{},{x}\n", 40 + i % 30));
        }
        text
    };
    let methods = |sites: usize| {
        let workshop = Workshop::new();
        workshop.write("t.csv", table(sites).as_bytes());
        workshop.study(
            r#"restudy: 1
title: Many sites (simulated)
cancer: glioma
seed: 3
sources:
  t: { table: t.csv, id: patient }
cohorts:
  here: { from: t, include: [ { rule: "site == 'A'", reason: here } ] }
  there: { from: t, site: site, include: [ { rule: "site != 'A'", reason: elsewhere } ] }
outcomes:
  grade: { label: high grade, binary: { column: grade, positive: high, negative: low } }
predictors:
  p: { columns: { from: t, include: [age, x] } }
prepare: [scale_zscore]
learn: [logistic]
validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 1 }, cohort: here }
  external: [there]
evaluate:
  primary: auroc
  threshold: { rule: youden, learned_from: inner_out_of_fold }
governance: { public: true, terms: made up }
"#,
        );
        let run = workshop.run(&[]);
        assert_eq!(run["exit"], "fine", "{run:?}");
        let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
        let external = record.analyses.values().find(|of| of.kind == "external").unwrap();
        let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
        let of_sites = "the interval is from resamples of sites";
        assert_eq!(page.contains(of_sites), sites >= 10);
        let of = |metric: &str| external.performance[metric].clone();
        (of("auroc"), of("brier"))
    };
    let (auroc, brier) = methods(12);
    assert!(auroc.method.contains("1000 resamples of 12 sites"), "{}", auroc.method);
    assert!(brier.method.contains("1000 resamples of 12 sites"), "{}", brier.method);
    // Few sites say little of others: rows count as independent.
    let (few, brier) = methods(4);
    assert!(few.method.starts_with("DeLong"), "{}", few.method);
    assert!(brier.method.contains("1000 resamples of 80 patients"), "{}", brier.method);
}

#[test]
fn random_hold_outs_count_the_rows_that_they_were_learned_from() {
    let (_workshop, record) = run(&[(
        "nested: { outer: 3, inner: 2, repeats: 2 }",
        "hold_out: { share: 0.4, inner: 2, repeats: 4 }",
    )]);
    let analysis = &record.analyses[&record.analysis_order[0]];
    let auroc = &analysis.performance["auroc"];
    let (mut trained, mut held_out) = (0.0, 0.0);
    for fold in &analysis.folds {
        trained += fold.n_train.known().unwrap() as f64 / 4.0;
        held_out += fold.n_held_out.known().unwrap() as f64 / 4.0;
    }
    assert_eq!((analysis.folds.len(), trained + held_out), (4, 24.0));
    let (lower, upper) = nadeau_bengio(&auroc.folds, trained, held_out, 0.95).unwrap();
    let near = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-12;
    assert!(near(auroc.lower, lower) && near(auroc.upper, upper), "{auroc:?}");
}

/// Patients with three rows each: forty to develop in at three sites, forty elsewhere. `apart` is how
/// far the classes are apart.
fn lesions(apart: f64, primary: &str) -> StudyRecord {
    let (workshop, _study) = of_lesions(apart, primary);
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    serde_json::from_slice(&workshop.report()).unwrap()
}

/// The same before it is run, and the text of the study.
fn of_lesions(apart: f64, primary: &str) -> (Workshop, String) {
    let mut text = "row,patient,site,set,sex,grade,x,z\n".to_string();
    for i in 0..80 {
        let positive = (i * 7 % 10) < 4;
        for row in 0..3 {
            let noise = f64::from((i * 37 + row * 11) % 101) / 101.0;
            let x = f64::from(u8::from(positive)) * apart + noise;
            let z = f64::from((i * 53 + row * 29) % 97) / 97.0;
            text.push_str(&format!(
                "P{i:02}_{row},P{i:02},{},{},{},{},{x},{z}\n",
                ["A", "B", "C"][i as usize % 3],
                if i < 40 { "here" } else { "there" },
                if i % 2 == 0 { "f" } else { "m" },
                if positive { "high" } else { "low" },
            ));
        }
    }
    let workshop = Workshop::new();
    workshop.write("t.csv", text.as_bytes());
    let study = format!(
        r#"restudy: 1
title: Three rows each (simulated)
cancer: glioma
seed: 3
sources:
  t: {{ table: t.csv, id: row }}
cohorts:
  all: {{ role: base, from: t, subject: patient, site: site }}
  here: {{ of: all, include: [ {{ rule: "t.set == 'here'", reason: here }} ] }}
  there: {{ of: all, include: [ {{ rule: "t.set == 'there'", reason: elsewhere }} ] }}
outcomes:
  grade: {{ label: high grade, binary: {{ column: grade, positive: high, negative: low }} }}
predictors:
  one: {{ columns: {{ from: t, include: [x] }} }}
  two: {{ columns: {{ from: t, include: [z] }} }}
models: {{ good: [one], poor: [two] }}
primary_model: good
prepare: [scale_zscore]
learn: [logistic]
validate:
  sites: {{ leave_site_out: {{ inner: 2 }}, cohort: here }}
  external: [there]
evaluate:
  primary: {primary}
  also: [sensitivity, f1]
  threshold: {{ rule: fixed, value: 0.5, learned_from: inner_out_of_fold }}
  within: sex
  subgroups: [ {{ by: sex }} ]
  compare: [ {{ better: good, than: poor }} ]
  controls: {{ permuted_outcome: {{ none: a small study }}, added: {{ none: a small study }} }}
governance: {{ public: true, terms: made up }}
"#
    );
    workshop.study(&study);
    (workshop, study)
}

#[test]
fn a_claim_within_strata_names_those_that_are_looked_within() {
    let (workshop, study) = of_lesions(0.5, "auroc");
    for (claimed, words) in [
        ("auroc.within_sex.here", ""),
        ("auroc.within_site.here", "`within_site` is not measured in this study"),
        ("auroc.within_t.sex.here", "`within_t.sex` is not measured in this study"),
        ("brier.within_sex.here", "within strata the AUROC is measured, not `brier`"),
    ] {
        let claim = format!("  claims: [ {{ that: \"{claimed}.lower > 0.5\" }} ]\n");
        workshop.study(&study.replace("  controls:", &(claim + "  controls:")));
        let checked = workshop.restudy(&["check", "study.yaml"]);
        let told = [checked.stdout, checked.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert_eq!(checked.status.success(), words.is_empty(), "{claimed}: {told}");
        assert!(told.contains(words), "{claimed}: {told}");
    }
}

#[test]
fn rows_of_one_patient_are_resampled_together_wherever_there_is_an_interval() {
    let record = lesions(0.5, "auroc");
    let of = |kind: &str| {
        record.analyses.values().find(|of| of.kind == kind && of.model == "good").unwrap()
    };
    let external = of("external");
    let resampled = "1000 resamples of 40 patients";
    let within = external.within.as_ref().unwrap();
    for of in [&external.performance["auroc"], within] {
        assert!(of.method.contains(resampled), "{}", of.method);
        assert!(of.lower.unwrap() < of.estimate && of.estimate < of.upper.unwrap());
    }
    for group in &external.subgroups {
        assert!(group.note.contains("1000 resamples of 20 patients"), "{}", group.note);
    }
    let sites = &of("sites").performance["auroc"];
    let words = "variances from 1000 resamples of each site's patients";
    assert!(sites.method.contains(words), "{}", sites.method);
    let compared = record.comparisons.iter().find(|of| of.better.ends_with("there"));
    let compared = compared.unwrap().result.as_ref().unwrap();
    assert!(compared.method.contains(resampled), "{}", compared.method);
    assert!(compared.p.unwrap() < 0.05 && compared.lower.unwrap() > 0.0);
    // Another metric than the AUROC is compared outside too.
    let record = lesions(0.5, "log_loss");
    let compared = record.comparisons.iter().find(|of| of.better.ends_with("there"));
    let compared = compared.unwrap().result.as_ref().unwrap();
    assert!(compared.difference < 0.0 && compared.p.is_some(), "{}", compared.method);
}

#[test]
fn two_models_are_not_tested_on_few_patients_however_many_rows_they_have() {
    for primary in ["auroc", "log_loss"] {
        let (workshop, study) = of_lesions(0.5, primary);
        // Eight of these twenty are positive, with three rows each.
        let patients: Vec<String> = (40..60).map(|i| format!("'P{i}'")).collect();
        let few = format!("t.patient in [{}]", patients.join(", "));
        workshop.study(&study.replace("t.set == 'there'", &few));
        let run = workshop.run(&[]);
        assert_eq!(run["exit"], "fine", "{run:?}");
        let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
        let compared = record.comparisons.iter().find(|of| of.better.ends_with("there"));
        let compared = compared.unwrap().result.as_ref().unwrap();
        assert!(compared.difference != 0.0 && compared.p.is_none());
        assert!(compared.lower.is_none() && compared.upper.is_none());
        assert!(compared.method.contains("too few of a class"), "{}", compared.method);
    }
}

/// The AUROC of one set of rows over all their pairs.
fn over_pairs(rows: &[(bool, f64)]) -> f64 {
    let of = |class: bool| rows.iter().filter(move |(truth, _)| *truth == class);
    let pairs = || of(true).flat_map(|a| of(false).map(move |b| (a.1, b.1)));
    let won = pairs().map(|(a, b)| match a.total_cmp(&b) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    });
    won.sum::<f64>() / pairs().count() as f64
}

#[test]
fn a_frozen_model_is_also_told_on_the_rows_it_was_fitted_on_and_nothing_of_them_is_held_out()
 {
    let (workshop, _study) = of_lesions(0.5, "auroc");
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let of = |kind: &str| {
        record.analyses.iter().find(|(_, of)| of.kind == kind && of.model == "good")
    };
    let (_, external) = of("external").unwrap();
    let (name, inside) = of("sites").unwrap();
    let frozen = external.frozen.as_ref().unwrap();
    assert_eq!((frozen.accesses, frozen.n.known()), (2, Some(120)));
    // A model of one column ranks as the column does.
    let table = String::from_utf8(workshop.read("t.csv")).unwrap();
    let cells = table.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let here = cells.filter(|cells| cells[3] == "here");
    let rows: Vec<(bool, f64)> =
        here.map(|cells| (cells[5] == "high", cells[6].parse().unwrap())).collect();
    let auroc = &frozen.apparent.performance["auroc"];
    assert!((auroc.estimate - over_pairs(&rows)).abs() < 1e-12, "{auroc:?}");
    // Its interval is that of one set of rows, of which each patient has three.
    assert!(auroc.method.contains("1000 resamples of 40 patients"), "{}", auroc.method);
    let measured: Vec<&String> = frozen.apparent.performance.keys().collect();
    assert_eq!(measured, ["auroc", "f1", "sensitivity"]);
    assert_eq!(frozen.apparent.against.as_ref(), Some(name));
    for (metric, optimism) in &frozen.apparent.optimism {
        let apparent = frozen.apparent.performance[metric].estimate;
        let difference = apparent - inside.performance[metric].estimate;
        assert!((optimism - difference).abs() < 1e-12, "{metric}");
    }
    assert_eq!(frozen.apparent.optimism.len(), 3);
    // No node of it stands among the uses of held-out rows that the proof counts.
    let groups = &record.graph.groups;
    let own: Vec<_> = groups.iter().filter(|group| group.name == "apparent").collect();
    assert!(own.len() == 1 && own[0].scope == Scope::Training, "{own:?}");
    // Predictions, decisions and three metrics of each of two models.
    assert_eq!(own[0].n, 10);
    let held_out = groups.iter().filter(|group| group.scope == Scope::HeldOut);
    let uses: usize = held_out.map(|group| group.n).sum();
    assert_eq!(uses, record.certificate.n_held_out_uses);
    // No claim can name it, and no prediction of it is among the held-out ones.
    let predictions = String::from_utf8(workshop.read("runs/study/predictions.csv"));
    assert!(!predictions.unwrap().contains("frozen"));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("apparent: the rows it was fitted on"));
    assert!(page.contains("Apparent performance is no estimate of performance"));
}

#[test]
fn a_model_that_meets_no_other_cohort_is_not_measured_on_its_own_rows() {
    let (_workshop, record) = run(&[]);
    assert!(record.graph.groups.iter().all(|group| group.name != "apparent"));
}

#[test]
fn a_site_has_the_interval_by_which_it_is_pooled() {
    let record = lesions(0.5, "auroc");
    let is = |of: &&restudy::data::AnalysisRecord| of.kind == "sites";
    let by_site = record.analyses.values().filter(is).find(|of| of.model == "good");
    let by_site = by_site.unwrap();
    let logit = |p: f64| ln(p / (1.0 - p));
    let areas = by_site.sites.iter().filter(|site| site.pooled).map(|site| {
        let words = "1000 resamples of the site's patients";
        assert!(site.method.contains(words), "{}", site.method);
        let (area, ends) =
            (site.auroc.unwrap(), (site.lower.unwrap(), site.upper.unwrap()));
        let se = (logit(ends.1) - logit(ends.0)) / 2.0 / 1.959_963_984_540_054;
        let se = se * area * (1.0 - area);
        (area, se * se)
    });
    let areas: Vec<(f64, f64)> = areas.collect();
    assert_eq!(areas.len(), 3);
    let (pooled, expected) =
        (&by_site.performance["auroc"], pooled_auroc(&areas, 0.95).unwrap());
    assert!((pooled.estimate - expected.auroc).abs() < 1e-6);
    assert!((pooled.lower.unwrap() - expected.interval.0).abs() < 1e-6);
}

#[test]
fn classes_wholly_apart_are_no_certainty() {
    let record = lesions(3.0, "auroc");
    let is = |of: &&restudy::data::AnalysisRecord| of.kind == "external";
    let external = record.analyses.values().filter(is).find(|of| of.model == "good");
    let of = |metric: &str| &external.unwrap().performance[metric];
    let auroc = of("auroc");
    assert!(auroc.estimate == 1.0 && auroc.upper == Some(1.0));
    assert!(auroc.method.starts_with("classes wholly apart"), "{}", auroc.method);
    // Sixteen patients have the outcome.
    let bound = exp(ln(0.05) / 16.0);
    assert!((auroc.lower.unwrap() - bound).abs() < 1e-12);
    let (lower, upper) = wilson(16.0, 16.0, 0.95).unwrap();
    let sensitivity = of("sensitivity");
    assert_eq!((sensitivity.lower, sensitivity.upper), (Some(lower), Some(upper)));
    let f1 = of("f1");
    assert!(f1.estimate == 1.0 && f1.lower.is_none());
    assert!(f1.method.contains("no interval: resamples of 40 patients have one value"));
}

#[test]
fn votes_of_none_or_all_are_moved_half_a_step() {
    let (workshop, record) =
        run(&[("  - logistic: { c: [0.1, 1] }\n  - naive\n", "  - knn: { k: 3 }\n")]);
    let name = &record.analysis_order[0];
    let repeats = held_out(&workshop, name);
    let extreme =
        repeats.iter().flatten().filter(|row| row.1 == 0.0 || row.1 == 1.0).count();
    assert!(extreme > 0, "three votes are often alike");
    let loss: f64 = repeats
        .iter()
        .map(|rows| {
            let loss = rows.iter().map(|(class, p, _)| {
                let p = p.clamp(1.0 / 6.0, 5.0 / 6.0);
                -ln(if *class { p } else { 1.0 - p })
            });
            loss.sum::<f64>() / rows.len() as f64
        })
        .sum::<f64>()
        / repeats.len() as f64;
    let found = &record.analyses[name].performance["log_loss"];
    assert!((found.estimate - loss).abs() < 1e-12, "{} {loss}", found.estimate);
    let total: usize = repeats.iter().map(Vec::len).sum();
    let words = format!("{extreme} of {total} probabilities were 0 or 1");
    assert!(found.method.contains(&words), "{}", found.method);
    assert!(found.method.contains("by 0.1666"), "{}", found.method);
}

#[test]
fn a_further_metric_fits_nothing() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    for (edit, own) in [
        ("also: [sensitivity, brier, mcc]", vec!["mcc"]),
        (
            "also: [sensitivity, net_benefit: { at: 0.3 }, ici]",
            vec!["ici", "net_benefit"],
        ),
        ("also: [sensitivity]\n  decision_range: [0.2, 0.5]", vec!["decision"]),
    ] {
        workshop.study(&STUDY.replace("also: [sensitivity]", edit));
        let run = workshop.run(&[]);
        assert_eq!(number(&run, "computed") as usize, own.len(), "{edit}");
        for node in workshop.computed() {
            assert!(own.iter().any(|part| node.ends_with(part)), "{node}");
        }
    }
}

#[test]
fn a_stated_threshold_is_the_same_in_every_fold() {
    let (workshop, record) = run(&[("rule: youden", "rule: fixed, value: 0.4")]);
    let name = &record.analysis_order[0];
    assert!(held_out(&workshop, name).iter().flatten().all(|row| row.2 == 0.4));
    let words = record.analyses[name].threshold.as_deref();
    assert_eq!(words, Some("fixed at 0.4, stated beforehand"));
}

#[test]
fn the_interval_of_calibration_covers_a_calibrated_truth() {
    // 60 studies of 200 patients whose probabilities are right: 95 % of the percentile intervals
    // of intercept and slope hold 0 and 1, give or take.
    let mut stream = restudy::math::Stream::new(11, &["coverage"]);
    let (mut intercepts, mut slopes) = (0, 0);
    for _ in 0..60 {
        let scores: Vec<f64> =
            (0..200).map(|_| 1.0 / (1.0 + exp(-stream.normal()))).collect();
        let truth: Vec<bool> = scores.iter().map(|p| stream.uniform() < *p).collect();
        let mut values = [Vec::new(), Vec::new()];
        for _ in 0..200 {
            let drawn: Vec<usize> = (0..200).map(|_| stream.below(200)).collect();
            let truth: Vec<bool> = drawn.iter().map(|at| truth[*at]).collect();
            let scores: Vec<f64> = drawn.iter().map(|at| scores[*at]).collect();
            let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
            values[0].push(metric("calibration_intercept", json!({}), scored));
            values[1].push(metric("calibration_slope", json!({}), scored));
        }
        let holds = |values: &[f64], right: f64| {
            let (lower, upper) = percentiles(values, 0.95);
            u32::from(lower <= right && right <= upper)
        };
        intercepts += holds(&values[0], 0.0);
        slopes += holds(&values[1], 1.0);
    }
    let least = 57.0 - 3.5 * sqrt(60.0 * 0.95 * 0.05);
    assert!(
        f64::from(intercepts) >= least && f64::from(slopes) >= least,
        "{intercepts} {slopes}"
    );
}

/// A difference between groups has the interval that those of both allow, unless a patient is in
/// both; predictive values and net benefit follow from the cells.
#[test]
fn groups_are_compared_and_decisions_told_for_another_prevalence() {
    let (workshop, study) = of_lesions(0.5, "brier");
    let study = study
        .replace(
            "subgroups: [ { by: sex } ]",
            "subgroups: [ { by: sex }, { by: x, cut: [0.8] } ]\n  decision_range: [0.2, 0.8]\n  \
             target_prevalence: { is: 0.2, from: a registry of 2019 }",
        );
    workshop.study(&study);
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let of = |kind: &str| {
        let mut all = record.analyses.values();
        all.find(|of| of.kind == kind && of.model == "good").unwrap()
    };
    let mut compared = 0;
    for analysis in [of("external"), of("sites")] {
        for group in &analysis.subgroups {
            let Some(less) = &group.difference else { continue };
            let is = |other: &&restudy::data::SubgroupFacts| {
                other.by == group.by && Some(&other.group) == group.against.as_ref()
            };
            let than = analysis.subgroups.iter().find(is).unwrap();
            assert!(than.n.known() >= group.n.known() && than.against.is_none());
            let expected = group.estimate.unwrap() - than.estimate.unwrap();
            assert!((less.estimate - expected).abs() < 1e-12);
            // Lesions of a patient lie on both sides of a cut of their own size.
            assert_eq!(less.apart, group.by == "sex", "{}", group.by);
            if let (true, Some(lower)) = (less.apart, less.lower) {
                let down = group.estimate.unwrap() - group.lower.unwrap();
                let up = than.upper.unwrap() - than.estimate.unwrap();
                let half = restudy::math::sqrt(down * down + up * up);
                assert!((lower - (less.estimate - half)).abs() < 1e-12);
            }
            compared += 1;
        }
        let titles = |group: &restudy::data::SubgroupFacts| {
            group.measures.iter().map(|of| of.metric.clone()).collect::<Vec<_>>()
        };
        let metrics = [
            "calibration_intercept",
            "calibration_slope",
            "sensitivity",
            "specificity",
            "observed_expected",
            "brier",
        ];
        let sex = analysis.subgroups.iter().find(|group| group.by == "sex").unwrap();
        assert_eq!(titles(sex), metrics);
        // At a threshold of a half a false positive costs what a true one is worth.
        let cells = analysis.confusion.as_ref().unwrap();
        let (hits, alarms) =
            (cells.true_positive.unwrap(), cells.false_positive.unwrap());
        let benefit = cells.benefit.unwrap();
        let n = analysis.n.known().unwrap() as f64;
        assert!((benefit.model - (hits - alarms) / n).abs() < 1e-12);
        let positive = analysis.n_positive.known().unwrap() as f64;
        assert!((benefit.treat_all - (2.0 * positive - n) / n).abs() < 1e-12);
        let share = |metric: &str| analysis.performance[metric].estimate;
        let (sensitivity, specificity) = (share("sensitivity"), share("specificity"));
        let found = analysis.at_target.as_ref().unwrap().positive.unwrap();
        let right = 0.2 * sensitivity;
        let expected = right / (right + 0.8 * (1.0 - specificity));
        assert!((found.estimate - expected).abs() < 1e-12);
    }
    assert!(compared >= 2, "{compared}");
    let between = of("sites").between_sites.unwrap();
    assert!(between.n_sites == 3 && between.tau_squared >= 0.0);
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    for words in [
        "a registry of 2019",
        "the variance τ² of true values on the logit scale",
        "Differences from the largest subgroup",
        "At the declared threshold the net benefit is",
        "In words: of the rows with the outcome",
        "Calibration slope, held back from the same source: there",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for (written, said) in [
        ("target_prevalence: { is: 1.2 }", "is a share above 0 and under 1"),
        ("target_prevalence: 0", "is a share above 0 and under 1"),
        ("decision_range: [0, 1]", "is every threshold there is"),
        (
            "fallback: none\n  subgroups: [ { by: sex, minimum_events: 5 } ]",
            "is 10 or more",
        ),
    ] {
        let wrong = of_lesions(0.5, "auroc").1;
        let wrong = wrong
            .replace("  subgroups: [ { by: sex } ]\n", "")
            .replace("within: sex", written);
        workshop.study(&wrong);
        let output = workshop.restudy(&["check", "study.yaml"]);
        let told = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(!output.status.success() && told.contains(said), "{told}");
    }
}

/// A study of 40 patients of whom 16 are positive, with these texts of a column, learner and metric.
fn of_forty(x: &dyn Fn(u32, bool) -> f64, learner: &str, primary: &str) -> Workshop {
    let mut text = "patient,site,grade,x,z\n".to_string();
    for i in 0..40u32 {
        let positive = i % 5 < 2;
        let z = f64::from(i * 53 % 97) / 97.0;
        let grade = if positive { "high" } else { "low" };
        text.push_str(&format!("P{i:02},A,{grade},{},{z}\n", x(i, positive)));
    }
    let workshop = Workshop::new();
    workshop.write("t.csv", text.as_bytes());
    workshop.study(&format!(
        r#"restudy: 1
title: Forty patients (simulated)
cancer: glioma
seed: 3
sources:
  t: {{ table: t.csv, id: patient }}
cohorts:
  all: {{ from: t }}
outcomes:
  grade: {{ label: high grade, binary: {{ column: grade, positive: high, negative: low }} }}
predictors:
  one: {{ columns: {{ from: t, include: [x] }} }}
  two: {{ columns: {{ from: t, include: [z] }} }}
models: {{ one: [one], both: [one, two] }}
primary_model: one
prepare: [scale_zscore]
learn: [{learner}]
validate:
  internal: {{ nested: {{ outer: 4, inner: 2, repeats: 2 }} }}
evaluate:
  primary: {primary}
  compare: [ {{ better: one, than: both }} ]
  controls: {{ permuted_outcome: {{ none: a small study }} }}
  learning_curve: {{ none: a small study }}
governance: {{ public: true, terms: made up }}
"#
    ));
    workshop.run(&[]);
    workshop
}

#[test]
fn classes_wholly_apart_in_every_fold_have_a_bound_and_equal_predictions_no_interval() {
    let apart = |i: u32, positive: bool| {
        f64::from(u8::from(positive)) * 1000.0 + f64::from(i * 37 % 11)
    };
    let workshop = of_forty(&apart, "logistic: { c: 1 }", "auroc");
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let found = &record.analyses["grade.one.internal"].performance["auroc"];
    assert!(found.folds.len() == 8 && found.folds.iter().all(|of| *of == 1.0));
    // Four of the 16 positives in each of four folds: 0.05^(1/16).
    let lower = found.lower.unwrap();
    assert!((lower - 0.829_250_277_0).abs() < 1e-6, "{lower}");
    assert!(found.upper == Some(1.0) && found.other_intervals.is_empty());
    let words = "exact one-sided 95 % bound from the 16 disjoint pairs of one repeat";
    assert!(found.method.contains(words), "{}", found.method);
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("0.83–1.00") && !page.contains("1.00–1.00"));

    let workshop = of_forty(&apart, "naive", "auroc");
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let found = &record.analyses["grade.one.internal"].performance["auroc"];
    assert_eq!((found.estimate, found.lower, found.upper), (0.5, None, None));
    let compared = record.comparisons[0].result.as_ref().unwrap();
    assert_eq!((compared.difference, compared.lower, compared.p), (0.0, None, Some(1.0)));
    assert!(compared.method.ends_with("no interval: no fold shows a difference"));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("there is no evidence of discrimination"));
    assert!(page.contains("since the study names no other learner"));
    assert!(!page.contains("0.50–0.50"));
}

/// Of three neighbours a share of 0 or 1 is moved by a sixth, in each fold as over all of them.
#[test]
fn certainties_are_moved_in_every_fold_too() {
    let near = |i: u32, positive: bool| {
        f64::from(u8::from(positive)) * 0.5 + f64::from(i * 37 % 41) / 41.0
    };
    let workshop = of_forty(&near, "knn: { k: 3 }", "log_loss");
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let text = String::from_utf8(workshop.read("runs/study/predictions.csv")).unwrap();
    let of_folds = |analysis: &str| -> Vec<f64> {
        let mut folds: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            if cells[0] == analysis {
                let p: f64 = cells[5].parse().unwrap();
                let p = p.clamp(1.0 / 6.0, 5.0 / 6.0);
                let loss = if cells[4] == "1" { -ln(p) } else { -ln(1.0 - p) };
                let place = (cells[1].parse().unwrap(), cells[2].parse().unwrap());
                folds.entry(place).or_default().push(loss);
            }
        }
        let mean = |of: &Vec<f64>| of.iter().sum::<f64>() / of.len() as f64;
        folds.values().map(mean).collect()
    };
    let [one, both] = ["grade.one.internal", "grade.both.internal"].map(of_folds);
    assert_eq!(one.len(), 8);
    let is_certain = |line: &str| ["0", "1"].contains(&line.split(',').nth(5).unwrap());
    assert!(text.lines().skip(1).any(is_certain));
    let analysis = &record.analyses["grade.one.internal"];
    for (fold, expected) in analysis.folds.iter().zip(&one) {
        assert!((fold.value.unwrap() - expected).abs() < 1e-12);
    }
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let centre = mean(&one);
    let squares: f64 = one.iter().map(|of| (of - centre) * (of - centre)).sum();
    let found = analysis.performance["log_loss"].sd_folds.unwrap();
    assert!((found - sqrt(squares / 7.0)).abs() < 1e-12, "{found}");
    let compared = record.comparisons[0].result.as_ref().unwrap();
    let expected = centre - mean(&both);
    assert!((compared.difference - expected).abs() < 1e-12, "{}", compared.difference);
}

/// What cannot be estimated in a cohort of one class is said with its reason, and the rest is estimated.
#[test]
fn a_cohort_of_one_class_says_what_it_has_no_value_of_and_why() {
    let workshop = of_forty(
        &|i, positive| {
            f64::from(u8::from(positive)) * 0.5 + f64::from(i * 37 % 41) / 41.0
        },
        "logistic: { c: 1 }",
        "auroc",
    );
    let text = String::from_utf8(workshop.read("t.csv")).unwrap();
    let mut lines = text.lines();
    let head = format!("{}\n", lines.next().unwrap());
    let low = lines.filter(|line| line.contains(",low,"));
    let elsewhere = low.map(|line| format!("{}\n", line.replacen('P', "Q", 1)));
    workshop.write("e.csv", elsewhere.fold(head, |all, line| all + &line).as_bytes());
    let study = String::from_utf8(workshop.read("study.yaml")).unwrap();
    let study = study
        .replace(
            "  t: { table: t.csv, id: patient }",
            "  t: { table: t.csv, id: patient }\n  e: { table: e.csv, id: patient }",
        )
        .replace(
            "  all: { from: t }",
            "  all: { from: t }\n  elsewhere: { from: e, sealed: true, relation: another institution, map: { t: \
             { from: e } } }",
        )
        .replace("repeats: 2 } }", "repeats: 2 } }\n  external: [elsewhere]")
        .replace("column: grade,", "column: t.grade,");
    workshop.study(&study);
    workshop.run(&[]);
    let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let found = &record.analyses["grade.one.elsewhere"];
    assert_eq!((found.n.known(), found.n_positive.known()), (Some(24), Some(0)));
    assert!(!found.performance.contains_key("auroc"));
    assert!(found.performance["brier"].lower.is_some());
    let alone = &found.prevalence_only.as_ref().unwrap().performance;
    assert!(alone.contains_key("brier") && !alone.contains_key("auroc"));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("is missing: "), "the reason stands beside it");
    assert!(page.contains("not computed: "));
}
