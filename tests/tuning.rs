//! Whole studies that choose among candidates: by every rule, and by nothing that is held out.

use std::collections::BTreeMap;

use restudy::math::Stream;
use serde_json::{Value as Json, json};

use crate::workshop::{Workshop, number};

/// Patients with six columns of which the first two differ between the classes by `effect`
/// standard deviations, and a column with the fold of each.
fn table(n: usize, effect: f64, flipped: impl Fn(usize) -> bool) -> String {
    let mut stream = Stream::new(3, &["tuning"]);
    let mut table = "patient,fold,status,x1,x2,x3,x4,x5,x6\n".to_string();
    for i in 0..n {
        let positive = i / 4 % 2 == 0;
        table.push_str(&format!("P{i:03},{},{}", i % 4, positive != flipped(i)));
        for column in 0..6 {
            let shift = if positive && column < 2 { effect } else { 0.0 };
            table.push_str(&format!(",{}", stream.normal() + shift));
        }
        table.push('\n');
    }
    table
}

/// A study of that table: folds that no outcome has a part in.
pub fn study(select: &str, learn: &str, evaluate: &str) -> String {
    format!(
        r#"restudy: 1
title: Tuning (simulated)
cancer: glioma
seed: 3
sources:
  clinic: {{ table: table.csv, id: patient }}
cohorts:
  all: {{ from: clinic }}
outcomes:
  status: {{ label: mutant, binary: {{ column: status, positive: "true", negative: "false" }} }}
predictors:
  radiomics: {{ columns: {{ from: clinic, include: ["x*"] }} }}
prepare: [scale_zscore]
select: [{select}]
learn: [{learn}]
validate:
  internal: {{ folds: {{ from: clinic, columns: [fold], inner: 4, stratify: none }} }}
evaluate: {{ primary: auroc, {evaluate} }}
governance: {{ public: true, terms: simulated }}
"#
    )
}

const SELECT: &str = "all, anova: { k: [1, 2, 4] }";
const LEARN: &str = "logistic: { c: [0.01, 0.1, 1] }, naive_bayes";

fn workshop(effect: f64) -> Workshop {
    let workshop = Workshop::new();
    workshop.write("table.csv", table(96, effect, |_| false).as_bytes());
    workshop
}

/// Runs a study; gives its only internal analysis as `report.json` has it.
fn run(workshop: &Workshop, study: &str) -> Json {
    workshop.study(study);
    let said = workshop.run(&[]);
    assert_eq!(said["exit"], "fine", "{said:?}\n{study}");
    let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
    report["analyses"]["status.all.internal"].clone()
}

/// By fold and patient: what the newest run predicts there, as text: probability and threshold.
fn predictions(workshop: &Workshop) -> BTreeMap<(String, String), (String, String)> {
    let text = String::from_utf8(workshop.read("runs/study/predictions.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    let (split, patient) = (at("split"), at("patient"));
    let (probability, threshold) = (at("probability"), at("threshold"));
    let line = |cells: Vec<&str>| {
        let text = |at: usize| cells[at].to_string();
        ((text(split), text(patient)), (text(probability), text(threshold)))
    };
    lines.map(line).collect()
}

fn probability(of: &(String, String)) -> f64 {
    of.0.parse().unwrap()
}

fn folds(analysis: &Json) -> &Vec<Json> {
    analysis["folds"].as_array().unwrap()
}

fn candidates(analysis: &Json) -> &Vec<Json> {
    analysis["candidates"].as_array().unwrap()
}

fn chosen(analysis: &Json) -> Vec<u64> {
    folds(analysis).iter().map(|fold| fold["candidate"].as_u64().unwrap()).collect()
}

#[test]
fn successive_halving_leaves_candidates_out_and_the_certificate_says_so() {
    let workshop = workshop(0.8);
    let all = run(&workshop, &study(SELECT, LEARN, "tune: best_mean"));
    assert!(
        !String::from_utf8(workshop.report()).unwrap().contains("were fitted at all")
    );
    let halving = study(SELECT, LEARN, "tune: successive_halving");
    let halved = run(&workshop, &halving);
    let said = String::from_utf8(workshop.report()).unwrap();
    assert!(said.contains("decided which candidates were fitted at all"), "{said}");
    // Every candidate was scored before: those that go on are taken from there, and nothing is fitted.
    let how = workshop.journal();
    let of_inner = |node: &str| node.contains(".i") && node.contains("/all/logistic");
    assert!(how.iter().any(|(node, how)| of_inner(node) && how == "Taken"), "{how:?}");
    let fitted = |node: &String| of_inner(node) || node.ends_with("/prepare");
    assert!(!workshop.computed().iter().any(fitted), "{how:?}");
    // 16 candidates, 8 after one inner split, 4 after two; the last two splits see four.
    let n = candidates(&halved).len();
    assert_eq!(n, 16);
    let eligible: u64 =
        candidates(&halved).iter().map(|c| 4 - c["left_behind"].as_u64().unwrap()).sum();
    assert_eq!(eligible, 4 * 4, "four in each of four outer splits");
    // Whoever came to the end has the scores that it has under any other rule.
    for (a, b) in candidates(&all).iter().zip(candidates(&halved)) {
        assert_eq!((&b["failed"], &b["failure"]), (&0.into(), &Json::Null));
        if b["left_behind"].as_u64() == Some(0) {
            assert_eq!(a["inner"], b["inner"]);
        }
    }
    let mut same = 0;
    for (a, b) in folds(&all).iter().zip(folds(&halved)) {
        if a["candidate"] == b["candidate"] {
            assert_eq!(a["value"], b["value"]);
            same += 1;
        }
    }
    assert!(same > 0, "{all} {halved}");
    let report = workshop.report();
    workshop.run(&["--refresh", "*", "--jobs", "8", "--store", "other"]);
    assert_eq!(workshop.report(), report);
    assert!(auroc(&halved) > 0.6, "{halved}");
}

fn auroc(analysis: &Json) -> f64 {
    analysis["performance"]["auroc"]["estimate"].as_f64().unwrap()
}

/// Patients of whom those far from the centre of two columns are positive: no plane tells them apart.
fn rings(n: usize) -> String {
    let mut stream = Stream::new(5, &["rings"]);
    let mut table = "patient,fold,status,x1,x2\n".to_string();
    for i in 0..n {
        let (a, b) = (stream.normal(), stream.normal());
        let positive = a * a + b * b > 1.4;
        table.push_str(&format!("P{i:03},{},{positive},{a},{b}\n", i % 4));
    }
    table
}

#[test]
fn a_support_vector_machine_wins_a_race_by_probabilities_where_it_is_best() {
    let workshop = Workshop::new();
    workshop.write("table.csv", rings(160).as_bytes());
    let learn = "logistic: { c: [0.1, 1] }, naive, svm_linear, svm_rbf: { c: [1, 10], gamma: [0.5] }";
    for metric in ["brier", "log_loss"] {
        let text = |tune: &str| {
            let study = study("all", learn, &format!("tune: {tune}"));
            study.replace("primary: auroc", &format!("primary: {metric}"))
        };
        let all = run(&workshop, &text("best_mean"));
        let halved = run(&workshop, &text("successive_halving"));
        for candidate in candidates(&halved) {
            assert_eq!(
                (&candidate["failed"], &candidate["failure"]),
                (&0.into(), &Json::Null)
            );
        }
        // After all inner splits and in the first rung alike, it is the best in every fold.
        let learner = |at: u64| candidates(&all)[at as usize]["learner"].clone();
        for (long, short) in chosen(&all).into_iter().zip(chosen(&halved)) {
            assert_eq!(
                (learner(long), learner(short)),
                ("svm_rbf".into(), "svm_rbf".into())
            );
        }
    }
}

#[test]
fn where_no_candidate_has_a_score_the_prevalence_is_predicted_if_that_is_asked_for() {
    // Classes wholly apart: without a penalty there is no fit in any split.
    let workshop = workshop(20.0);
    let learn = "logistic: { penalty: none }";
    let analysis = run(&workshop, &study("all", learn, "fallback: naive"));
    assert_eq!(
        (&analysis["fallback"]["folds"], &analysis["fallback"]["of"]),
        (&4.into(), &4.into())
    );
    assert!(folds(&analysis).iter().all(|fold| fold["falls_back"] == true), "{analysis}");
    let candidate = &candidates(&analysis)[0];
    assert_eq!((&candidate["failed"], &candidate["chosen"]), (&4.into(), &0.into()));
    let why = candidate["failure"].as_str().unwrap();
    assert!(why.contains("separable"), "{why}");
    // 36 of the 72 training rows are positive.
    let found = predictions(&workshop);
    assert_eq!(found.len(), 96);
    assert!(found.values().all(|said| probability(said) == 0.5), "{found:?}");
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("the prevalence was predicted"));
    // Nobody asked for it: there is no result.
    workshop.study(&study("all", learn, "tune: best_mean"));
    assert_ne!(workshop.run(&[])["exit"], "fine");
}

#[test]
fn measures_that_share_a_forest_choose_what_they_choose_alone() {
    let workshop = workshop(0.8);
    let inner = |measure: &str| -> Vec<Json> {
        let select = format!(
            "forest_importance: {{ k: [1, 2], measure: {measure}, trees: 20 }}, \
             [forest_importance: {{ k: 3, measure: {measure}, trees: 20 }}, anova: {{ k: 1 }}]"
        );
        let analysis = run(&workshop, &study(&select, "logistic", "tune: best_mean"));
        let all = candidates(&analysis).iter();
        all.map(|c| json!([c["settings"], c["inner"]])).collect()
    };
    let together = inner("[impurity, permutation]");
    assert_eq!(together.len(), 6);
    let alone = [inner("[impurity]"), inner("[permutation]")].concat();
    let scores = |of: &[Json]| {
        let mut scores: Vec<String> = of.iter().map(|pair| pair[1].to_string()).collect();
        scores.sort();
        scores
    };
    assert_eq!(scores(&together), scores(&alone));
}

#[test]
fn outcomes_of_held_out_rows_reach_no_prediction_and_no_threshold() {
    let learn = "svm_linear: { c: [0.1, 1] }, logistic: { c: [0.1, 1] }, \
                 random_forest: { trees: 15, depth: [1, 3] }";
    let rules = [
        "tune: best_mean",
        "tune: one_standard_error",
        "tune: successive_halving",
        "tune: average: { of: each_learner }",
        "tune: stack: { of: each_pair }",
        "tune: best_mean, fallback: naive",
    ];
    let workshop = workshop(0.7);
    for rule in rules {
        let rule =
            rule.replace("average: ", "{ average: ").replace("stack: ", "{ stack: ");
        let rule = match rule.contains("tune: {") {
            true => format!("{rule} }}"),
            false => rule,
        };
        let evaluate = format!(
            "{rule}, threshold: {{ rule: youden, learned_from: inner_out_of_fold }}"
        );
        let text = study("all, anova: { k: [2, 4] }", learn, &evaluate);
        workshop.write("table.csv", table(96, 0.7, |_| false).as_bytes());
        run(&workshop, &text);
        let before = predictions(&workshop);
        // Every outcome of one fold is turned round: its own predictions stay, to the last digit.
        workshop.write("table.csv", table(96, 0.7, |i| i % 4 == 2).as_bytes());
        run(&workshop, &text);
        let after = predictions(&workshop);
        let moved = |wanted: bool| {
            let mut pairs = before.iter().zip(&after);
            let place =
                |((split, _), _): (&(String, String), _)| (split == "3") == wanted;
            assert!(before.keys().eq(after.keys()));
            let of_place: Vec<_> = pairs.by_ref().filter(|(a, _)| place(*a)).collect();
            assert!(of_place.len() >= 24, "{}", of_place.len());
            of_place.iter().filter(|(a, b)| a.1 != b.1).count()
        };
        assert_eq!(moved(true), 0, "{rule}: held-out outcomes are seen");
        assert!(moved(false) > 24, "{rule}: training outcomes are not");
    }
}

#[test]
fn one_standard_error_takes_an_earlier_candidate_and_fits_nothing() {
    let workshop = workshop(0.8);
    let best = chosen(&run(&workshop, &study(SELECT, LEARN, "tune: best_mean")));
    let near = run(&workshop, &study(SELECT, LEARN, "tune: one_standard_error"));
    assert!(
        workshop.computed().iter().all(|node| {
            !node.ends_with("/logistic") && !node.ends_with("/naive_bayes")
        })
    );
    let near = chosen(&near);
    assert!(near.iter().zip(&best).all(|(near, best)| near <= best), "{near:?} {best:?}");
    assert_ne!(near, best);
}

#[test]
fn averages_and_stacks_are_made_of_what_their_members_say() {
    let workshop = workshop(0.8);
    let alone = |learn: &str| {
        run(&workshop, &study("all", learn, "tune: best_mean"));
        predictions(&workshop)
    };
    let (first, second) = (alone("logistic"), alone("naive"));
    let both = "logistic, naive";
    run(&workshop, &study("all", both, "tune: { average: { of: all } }"));
    for (place, mean) in predictions(&workshop) {
        let expected = (probability(&first[&place]) + probability(&second[&place])) / 2.0;
        assert!((probability(&mean) - expected).abs() < 1e-12);
    }
    run(&workshop, &study("all", both, "tune: { stack: { of: all } }"));
    let mut weights: BTreeMap<String, f64> = BTreeMap::new();
    for (place, p) in predictions(&workshop) {
        let (a, b) = (probability(&first[&place]), probability(&second[&place]));
        let weight = (probability(&p) - b) / (a - b);
        let known = *weights.entry(place.0).or_insert(weight);
        assert!((weight - known).abs() < 1e-6, "one weight for all rows of a split");
    }
    assert_eq!(weights.len(), 4);
    let weights: Vec<f64> = weights.into_values().collect();
    // The learner that knows something weighs more than the prevalence.
    assert!(weights.iter().all(|w| *w > 0.5 && *w < 1.0 + 1e-9), "{weights:?}");
}

#[test]
fn drawn_settings_depend_on_the_seed_and_more_draws_move_none() {
    let workshop = workshop(0.8);
    let settings = |draws: usize, seed: u64| -> Vec<String> {
        let learn = format!(
            "logistic: {{ c: {{ between: [0.001, 100], scale: log }}, draws: {draws} }}"
        );
        let text = study("all", &learn, "tune: best_mean");
        let text = text.replace("seed: 3", &format!("seed: {seed}"));
        let analysis = run(&workshop, &text);
        let texts = candidates(&analysis).iter();
        texts.map(|c| c["settings"].as_str().unwrap().to_string()).collect()
    };
    let four = settings(4, 3);
    assert_eq!(four.len(), 4);
    let value =
        |text: &String| text.strip_prefix("c = ").unwrap().parse::<f64>().unwrap();
    let values: Vec<f64> = four.iter().map(value).collect();
    assert!(values.iter().all(|c| (0.001..=100.0).contains(c)), "{values:?}");
    assert!(values.windows(2).all(|pair| pair[0] != pair[1]), "{values:?}");
    assert_eq!(settings(4, 3), four);
    assert_eq!(settings(6, 3)[..4], four[..]);
    assert!(settings(4, 4).iter().all(|other| !four.contains(other)));
}

#[test]
fn decision_values_become_probabilities_that_rank_alike() {
    let workshop = workshop(0.8);
    let learn = "svm_rbf: { c: [0.1, 1, 10], gamma: [0.05, 0.2] }";
    let analysis = run(&workshop, &study("all", learn, "tune: best_mean"));
    let found = predictions(&workshop);
    let all: Vec<f64> = found.values().map(probability).collect();
    assert!(all.iter().all(|p| *p > 0.0 && *p < 1.0), "{all:?}");
    let truth: Vec<bool> = (0..96).map(|i| i / 4 % 2 == 0).collect();
    let mean = all.iter().sum::<f64>() / 96.0;
    let prevalence = truth.iter().filter(|class| **class).count() as f64 / 96.0;
    assert!((mean - prevalence).abs() < 0.08, "calibrated in the large: {mean}");
    // Log loss below that of the prevalence: the map is worth something.
    let loss = analysis["performance"]["log_loss"]["estimate"].as_f64().unwrap();
    assert!(loss < 0.66, "{loss}");
    assert!(auroc(&analysis) > 0.65, "{analysis}");
}

#[test]
fn what_does_not_beat_the_prevalence_gives_way_to_it_and_is_counted() {
    let noise = workshop(0.0);
    let analysis = run(&noise, &study(SELECT, LEARN, "fallback: naive"));
    let counted = analysis["fallback"]["folds"].as_u64().unwrap();
    assert_eq!(analysis["fallback"]["of"], 4);
    let fell: Vec<&Json> =
        folds(&analysis).iter().filter(|fold| fold["falls_back"] == true).collect();
    assert_eq!(counted, fell.len() as u64);
    assert!(counted >= 3, "noise beats the prevalence in {} folds", 4 - counted);
    let found = predictions(&noise);
    for fold in fell {
        let outer = fold["outer"].to_string();
        let of_fold = found.iter().filter(|((split, _), _)| *split == outer);
        let values: Vec<f64> = of_fold.map(|(_, p)| probability(p)).collect();
        // 36 of the 72 training rows are positive.
        assert!(values.len() == 24 && values.iter().all(|p| *p == 0.5), "{values:?}");
        assert_eq!(fold["value"], 0.5);
    }
    let page = String::from_utf8(noise.read("runs/study/report.html")).unwrap();
    assert!(page.contains("the prevalence was predicted"));
    let signal = workshop(1.5);
    let analysis = run(&signal, &study(SELECT, LEARN, "fallback: naive"));
    assert_eq!(analysis["fallback"]["folds"], 0);
    let without = run(&signal, &study(SELECT, LEARN, "tune: best_mean"));
    assert_eq!(without["fallback"], Json::Null);
}

#[test]
fn permuted_outcomes_tell_signal_from_noise() {
    let control = "controls: { permuted_outcome: { times: 39 } }";
    let permuted = |effect: f64| {
        let workshop = workshop(effect);
        let text = study(
            "all, anova: { k: [2] }",
            "logistic, svm_linear: { c: [0.1] }",
            control,
        );
        let analysis = run(&workshop, &text);
        let first = workshop.report();
        workshop.run(&["--refresh", "*", "--jobs", "8", "--store", "other"]);
        assert_eq!(workshop.report(), first);
        analysis["permutation"].clone()
    };
    let signal = permuted(1.2);
    assert_eq!((&signal["times"], &signal["as_extreme"]), (&39.into(), &0.into()));
    assert_eq!(signal["p"].as_f64(), Some(1.0 / 40.0));
    let noise = permuted(0.0);
    let extreme = noise["as_extreme"].as_f64().unwrap();
    assert_eq!(noise["p"].as_f64(), Some((extreme + 1.0) / 40.0));
    assert!(extreme >= 2.0, "{noise}");
    // What permuted outcomes give has nothing to do with the true ones.
    for of in [&signal, &noise] {
        let (mean, sd) = (of["mean"].as_f64().unwrap(), of["sd"].as_f64().unwrap());
        assert!((mean - 0.5).abs() < 3.0 * sd / restudy::math::sqrt(39.0), "{mean} {sd}");
    }
}

/// The nodes of the newest run that were computed on permuted outcomes: what follows their numbers.
fn on_permuted(workshop: &Workshop) -> Vec<String> {
    let of = |node: String| Some(node.split_once("/permuted/")?.1.to_string());
    workshop.computed().into_iter().filter_map(of).collect()
}

#[test]
fn a_further_learner_or_selector_is_tried_alone_on_permuted_outcomes() {
    let workshop = workshop(0.5);
    for rule in ["tune: best_mean", "tune: one_standard_error, fallback: naive"] {
        let text = |select: &str, learn: &str| {
            let control = "controls: { permuted_outcome: { times: 20 } }, \
                           learning_curve: { none: x }";
            study(select, learn, &format!("{rule}, {control}"))
        };
        let batches = ["1-10", "11-20"];
        let of_cells = |cells: &[&str]| -> Vec<String> {
            let of_batch = |batch: &str| -> Vec<String> {
                let cells = cells.iter().map(|cell| format!("{batch}/{cell}"));
                cells.chain([batch.to_string()]).collect()
            };
            let mut all: Vec<String> =
                batches.iter().flat_map(|of| of_batch(of)).collect();
            all.sort();
            all
        };
        run(&workshop, &text("all, anova: { k: [1, 2] }", "logistic, naive_bayes"));
        let cells =
            ["all/logistic", "all/naive_bayes", "anova/logistic", "anova/naive_bayes"];
        assert_eq!(on_permuted(&workshop), of_cells(&cells), "{rule}");
        // One that stands before the others, draws random numbers or gives decision values: whatever has
        // other numbers now is there already, and a collection leaves it there.
        for (select, learn, cells) in [
            (
                "all, anova: { k: [1, 2] }",
                "random_forest: { trees: 5 }, logistic, naive_bayes",
                &["all/random_forest", "anova/random_forest"][..],
            ),
            (
                "all, anova: { k: [1, 2] }",
                "random_forest: { trees: 5 }, logistic, svm_linear: { c: [0.1] }, naive_bayes",
                &["all/svm_linear", "anova/svm_linear"],
            ),
            (
                "welch: { k: 2 }, all, anova: { k: [1, 2] }",
                "random_forest: { trees: 5 }, logistic",
                &["welch/logistic", "welch/random_forest"],
            ),
            // Fewer of them: those that are left are chosen from.
            ("all", "naive_bayes, logistic", &[]),
        ] {
            let collected = workshop.restudy(&["store", "gc", "--grace", "0"]);
            assert!(collected.status.success(), "{collected:?}");
            let text = text(select, learn);
            let kept = run(&workshop, &text);
            assert_eq!(on_permuted(&workshop), of_cells(cells), "{rule}: {learn}");
            let report = workshop.report();
            // Everything computed anew is the same to the last byte.
            let said = workshop.run(&["--recheck", "1"]);
            assert_eq!(said["exit"], "fine", "{said:?}");
            workshop.run(&["--refresh", "*", "--jobs", "8", "--store", "other"]);
            assert_eq!(workshop.report(), report, "{rule}: {learn}");
            assert_eq!(kept["permutation"]["times"], 20, "{kept}");
        }
        // What is asked for again is computed again, and nothing beside it.
        workshop.run(&["--refresh", "*/permuted/1-10/all/*"]);
        let again = ["1-10/all/logistic", "1-10/all/naive_bayes"];
        assert_eq!(on_permuted(&workshop), again, "{rule}");
    }
}

#[test]
fn an_average_is_chosen_on_permuted_outcomes_from_what_is_kept() {
    let workshop = workshop(0.5);
    let control = "controls: { permuted_outcome: { times: 10 } }, \
                   learning_curve: { none: x }";
    let text = |rule: &str, learn: &str| {
        study("all, anova: { k: [1, 2] }", learn, &format!("tune: {rule}, {control}"))
    };
    let average = "{ average: { of: each_learner } }";
    run(&workshop, &text("best_mean", "logistic, naive_bayes"));
    for (rule, learn, wanted) in [
        // From the same trials; the members are fitted.
        (average, "logistic, naive_bayes", &["1-10/average"][..]),
        (
            average,
            "logistic, naive_bayes, svm_linear: { c: [0.1] }",
            &["1-10", "1-10/all/svm_linear", "1-10/anova/svm_linear", "1-10/average"],
        ),
        ("best_mean", "logistic, naive_bayes, svm_linear: { c: [0.1] }", &[]),
    ] {
        run(&workshop, &text(rule, learn));
        let mut nodes = on_permuted(&workshop);
        nodes.sort();
        assert_eq!(nodes, wanted, "{rule}: {learn}");
        let report = workshop.report();
        workshop.run(&["--refresh", "*", "--store", "other"]);
        assert_eq!(workshop.report(), report, "{rule}: {learn}");
    }
}

#[test]
fn where_rows_are_asked_for_or_candidates_are_halved_permuted_outcomes_start_anew() {
    let workshop = workshop(0.8);
    for rule in
        ["successive_halving", "{ average: { of: all } }", "{ stack: { of: all } }"]
    {
        let control = "controls: { permuted_outcome: { times: 20 } }, \
                       learning_curve: { none: x }";
        let text = study(
            "all, anova: { k: [1, 2] }",
            "logistic, naive_bayes",
            &format!("tune: {rule}, fallback: naive, {control}"),
        );
        let analysis = run(&workshop, &text);
        assert_eq!(on_permuted(&workshop), ["1-10", "11-20"], "{rule}");
        assert_eq!(analysis["permutation"]["times"], 20, "{rule}");
    }
}

#[test]
fn a_new_metric_threshold_or_rule_fits_nothing() {
    let workshop = workshop(0.8);
    let threshold = "threshold: { rule: youden, learned_from: inner_out_of_fold }";
    run(&workshop, &study(SELECT, LEARN, &format!("tune: best_mean, {threshold}")));
    let cost = threshold.replace("youden", "fixed, value: 0.3");
    // What another rule of choice or another primary metric asks for is there already, where the rule
    // chooses one candidate, and a collection leaves it there. Several of them are fitted where they are
    // needed: once in each outer split, once on all development rows. Nothing else is.
    let first = workshop.run(&[]);
    assert_eq!(number(&first, "computed"), 0);
    let collected = workshop.restudy(&["store", "gc", "--grace", "0"]);
    assert!(collected.status.success(), "{collected:?}");
    let refits: &[&str] = &["/fit", "/refit", "/importance", "/explain"];
    for (evaluate, chosen) in [
        (format!("tune: best_mean, also: [mcc], {threshold}"), refits),
        (format!("tune: best_mean, {cost}"), refits),
        (format!("tune: one_standard_error, {threshold}"), refits),
        (format!("tune: best_mean, primary: log_loss, {threshold}"), refits),
        (format!("tune: best_mean, primary: average_precision, {threshold}"), refits),
        (format!("tune: one_standard_error, primary: brier, {threshold}"), refits),
        (format!("tune: {{ stack: {{ of: all }} }}, {threshold}"), &[]),
        (format!("tune: best_mean, fallback: naive, {threshold}"), &[]),
    ] {
        let text = study(SELECT, LEARN, &evaluate);
        let text = match evaluate.contains("primary") {
            true => text.replace("primary: auroc, ", ""),
            false => text,
        };
        workshop.study(&text);
        let said = workshop.run(&[]);
        assert!(number(&said, "computed") > 0, "{evaluate}");
        for node in workshop.computed() {
            let fits = ["/prepare", "/anova", "/logistic", "/naive_bayes"];
            let fit = fits.iter().chain(chosen).any(|fit| node.ends_with(fit));
            assert!(!fit, "{evaluate}: {node}");
        }
        // What was computed ahead is what the study itself would have computed.
        workshop.run(&["--recheck", "1"]);
    }
}

/// Nodes of the newest run that fit anything or look into a fit, and those on permuted outcomes.
fn fitted(workshop: &Workshop) -> Vec<String> {
    let fits = [
        "/prepare",
        "/all",
        "/anova",
        "/logistic",
        "/naive_bayes",
        "/svm_linear",
        "/fit",
        "/refit",
        "/importance",
        "/explain",
    ];
    let mut nodes = workshop.computed();
    nodes.retain(|node| {
        node.contains("/permuted/") || fits.iter().any(|fit| node.ends_with(fit))
    });
    nodes.into_iter().collect()
}

/// What the program says of fits before it makes any.
fn to_make(workshop: &Workshop) -> String {
    let output = workshop.restudy(&["plan", "study.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("fits to make: "));
    line.unwrap_or_else(|| panic!("{text}")).to_string()
}

#[test]
fn a_new_metric_threshold_or_rule_fits_nothing_where_several_are_chosen() {
    let learn = "logistic: { c: [0.01, 0.1, 1] }, naive_bayes, svm_linear: { c: [0.1] }";
    let threshold = "threshold: { rule: youden, learned_from: inner_out_of_fold }";
    let control = "controls: { permuted_outcome: { times: 10 } }, \
                   learning_curve: { fractions: [0.5] }";
    for (rule, is_apart) in [
        ("{ average: { of: each_learner } }", true),
        ("{ average: { of: each_pair } }", true),
        ("{ stack: { of: all } }", false),
        ("{ stack: { of: each_learner } }", false),
    ] {
        let workshop = workshop(0.8);
        let text = |rule: &str, primary: &str, more: &str| {
            let evaluate = format!("tune: {rule}, {more}, {control}");
            study(SELECT, learn, &evaluate)
                .replace("primary: auroc", &format!("primary: {primary}"))
        };
        run(&workshop, &text(rule, "auroc", threshold));
        assert_eq!(to_make(&workshop), "none", "{rule}");
        let first = workshop.report();
        // Fitted at once and put together from fits of each member: the same bytes.
        assert_eq!(workshop.run(&["--recheck", "1"])["exit"], "fine", "{rule}");
        workshop.run(&["--refresh", "*", "--jobs", "4", "--store", "other"]);
        assert_eq!(workshop.report(), first, "{rule}");
        workshop.run(&[]);
        let collected = workshop.restudy(&["store", "gc", "--grace", "0"]);
        assert!(collected.status.success(), "{collected:?}");
        let fixed = threshold.replace("youden", "fixed, value: 0.3");
        let also = format!("{threshold}, also: [mcc]");
        for (what, changed) in [
            ("metric", text(rule, "brier", threshold)),
            ("metric", text(rule, "average_precision", threshold)),
            ("metric", text(rule, "log_loss", threshold)),
            ("threshold", text(rule, "auroc", &fixed)),
            ("further metrics", text(rule, "auroc", &also)),
            ("rule", text("best_mean", "auroc", threshold)),
            // Permuted outcomes went through the procedure by all rules for one candidate at once.
            ("rule and metric", text("one_standard_error", "brier", threshold)),
        ] {
            workshop.study(&changed);
            // On permuted outcomes a stack says nothing of what a single candidate does.
            let anew = what == "rule" && !is_apart;
            let wanted = match anew {
                true => "the whole procedure on 10 permuted outcomes",
                false => "none",
            };
            assert_eq!(to_make(&workshop), wanted, "{rule}: {what}");
            let said = workshop.run(&[]);
            assert_eq!(said["exit"], "fine", "{said:?}");
            assert!(number(&said, "computed") > 0, "{rule}: {what}");
            let mut nodes = fitted(&workshop);
            nodes.retain(|node| !(anew && node.contains("/permuted/")));
            assert!(nodes.is_empty(), "{rule}: {what}: {nodes:?}");
            let report = workshop.report();
            workshop.run(&["--store", "other"]);
            assert_eq!(workshop.report(), report, "{rule}: {what}");
        }
    }
}

#[test]
fn a_metric_of_its_own_and_a_rule_for_one_fit_nothing_either() {
    let workshop = workshop(0.8);
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    let text = |rule: &str, primary: &str| {
        study(SELECT, LEARN, &format!("tune: {rule}, {none}"))
            .replace("primary: auroc", &format!("primary: {primary}"))
    };
    run(&workshop, &text("best_mean", "ici"));
    // What an importance is told by hangs on the metric; nothing is fitted for it.
    let looks = |node: &String| !node.ends_with("/importance");
    for (rule, primary) in [
        ("one_standard_error", "ici"),
        ("best_mean", "auroc"),
        ("one_standard_error", "brier"),
    ] {
        workshop.study(&text(rule, primary));
        assert_eq!(workshop.run(&[])["exit"], "fine");
        let nodes: Vec<String> = fitted(&workshop).into_iter().filter(looks).collect();
        assert!(nodes.is_empty(), "{rule} by {primary}: {nodes:?}");
    }
}

#[test]
fn where_several_are_chosen_it_is_said_on_how_many_training_sets() {
    let workshop = workshop(0.8);
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    let evaluate = format!("tune: {{ average: {{ of: each_learner }} }}, {none}");
    workshop.study(&study(SELECT, LEARN, &evaluate));
    // Four outer splits and all rows; rules for one candidate and its own stand beside each other.
    let said = to_make(&workshop);
    let wanted = "; those of the candidates chosen on 5 training sets; those of other rules and \
                  metrics on 5 training sets";
    assert!(said.ends_with(wanted), "{said}");
}

#[test]
fn halving_says_before_how_many_fits_another_metric_asks_for() {
    let workshop = workshop(0.8);
    let threshold = "threshold: { rule: youden, learned_from: inner_out_of_fold }";
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    let text = |primary: &str, more: &str| {
        let evaluate = format!("tune: successive_halving, {more}, {none}");
        study(SELECT, LEARN, &evaluate)
            .replace("primary: auroc", &format!("primary: {primary}"))
    };
    workshop.study(&text("auroc", threshold));
    // 16 candidates on the first inner split, 8 on the second, 4 on the others, of four outer splits and
    // of all rows; one of them is fitted on each.
    assert_eq!(
        to_make(&workshop),
        "at most 160 of candidates on inner splits; at most 5 of what is chosen"
    );
    run(&workshop, &text("auroc", threshold));
    for same in [
        text("auroc", &threshold.replace("youden", "fixed, value: 0.3")),
        text("auroc", &format!("{threshold}, also: [mcc]")),
    ] {
        workshop.study(&same);
        assert_eq!(to_make(&workshop), "none");
        workshop.run(&[]);
        assert!(fitted(&workshop).is_empty(), "{:?}", fitted(&workshop));
    }
    workshop.study(&text("brier", threshold));
    assert_eq!(
        to_make(&workshop),
        "at most 80 of candidates on inner splits; at most 5 of what is chosen"
    );
    // All candidates are scored there: those that go on are taken from them.
    run(&workshop, &text("auroc", threshold).replace("successive_halving", "best_mean"));
    workshop.study(&text("brier", threshold));
    assert!(!to_make(&workshop).contains("candidates"), "{}", to_make(&workshop));
}

#[test]
fn a_further_candidate_that_is_not_chosen_has_nothing_fitted_again() {
    let workshop = workshop(0.8);
    let before = run(&workshop, &study(SELECT, LEARN, "tune: best_mean"));
    // Whatever the others score, chance comes behind.
    let more = format!("{LEARN}, naive");
    let after = run(&workshop, &study(SELECT, &more, "tune: best_mean"));
    for node in workshop.computed() {
        let fits = ["/prepare", "/anova", "/logistic", "/naive_bayes", "/fit", "/refit"];
        assert!(!fits.iter().any(|fit| node.ends_with(fit)), "{node}");
        assert!(!node.ends_with("/importance") && !node.ends_with("/explain"), "{node}");
    }
    assert_eq!(before["performance"], after["performance"]);
}

/// The sizes of a learning curve.
fn sizes(analysis: &Json) -> &Vec<Json> {
    analysis["learning_curve"]["sizes"].as_array().unwrap()
}

#[test]
fn a_learning_curve_ends_in_the_analysis() {
    let workshop = workshop(0.8);
    let analysis = run(&workshop, &study(SELECT, LEARN, "tune: best_mean"));
    let curve = &analysis["learning_curve"];
    assert_eq!((&curve["repeats"], &curve["splits"]), (&1.into(), &4.into()));
    let of = |name: &str| -> Vec<f64> {
        sizes(&analysis).iter().map(|size| size[name].as_f64().unwrap()).collect()
    };
    assert_eq!(of("fraction"), [0.25, 0.5, 0.75, 1.0]);
    // Of 72 patients to learn from, half of them with the outcome.
    assert_eq!(of("n"), [18.0, 36.0, 54.0, 72.0]);
    assert_eq!(sizes(&analysis)[3]["estimate"], analysis["performance"]["auroc"]);
    let folds = |size: usize| -> Vec<f64> {
        let folds = sizes(&analysis)[size]["estimate"]["folds"].as_array().unwrap();
        folds.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let ends = |of: &Json| ["lower", "upper"].map(|end| of[end].as_f64().unwrap());
    for (size, n_train) in [18.0, 36.0, 54.0, 72.0].into_iter().enumerate() {
        let expected =
            restudy::statistics::nadeau_bengio(&folds(size), n_train, 24.0, 0.95);
        let (lower, upper) = expected.unwrap();
        assert_eq!(
            ends(&sizes(&analysis)[size]["estimate"]),
            [lower, upper],
            "{n_train}"
        );
    }
    let step = &curve["last_step"];
    let differences: Vec<f64> =
        folds(3).iter().zip(folds(2)).map(|(all, part)| all - part).collect();
    let mean = differences.iter().sum::<f64>() / 4.0;
    assert!((step["difference"].as_f64().unwrap() - mean).abs() < 1e-12);
    let [lower, upper] = ends(step);
    assert!(lower <= mean && mean <= upper, "{step}");
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(
        page.contains("id=\"learning-curve\"") && page.contains("; the last step, from ")
    );
    let table = String::from_utf8(workshop.read("runs/study/tables/learning-curve.csv"));
    assert_eq!(table.unwrap().lines().count(), 1 + 4);
    // A part to which rounding adds everybody is the analysis itself, to the last digit.
    let all = "tune: best_mean, learning_curve: { fractions: [0.999] }";
    let analysis = run(&workshop, &study(SELECT, LEARN, all));
    let [part, whole] = sizes(&analysis).as_slice() else { panic!("{analysis}") };
    assert_eq!((&part["n"], &part["estimate"]), (&whole["n"], &whole["estimate"]));
    assert_eq!(analysis["learning_curve"]["last_step"]["difference"], 0.0);
}

#[test]
fn a_learning_curve_of_random_learners_ends_in_the_analysis_too() {
    let workshop = workshop(0.8);
    let (select, learn) =
        ("all", "random_forest: { trees: 10 }, svm_linear: { c: [0.1] }");
    for tune in ["best_mean", "successive_halving", "stack: { of: all }"] {
        let all = format!("tune: {{ {tune} }}, learning_curve: {{ fractions: [0.999] }}");
        let all = if tune.contains(':') {
            all
        } else {
            all.replace(&format!("{{ {tune} }}"), tune)
        };
        let analysis = run(&workshop, &study(select, learn, &all));
        let [part, whole] = sizes(&analysis).as_slice() else { panic!("{analysis}") };
        assert_eq!(part["estimate"], whole["estimate"], "{tune}");
    }
}

#[test]
fn a_learning_curve_is_left_out_for_a_reason_and_follows_the_seed() {
    let workshop = workshop(0.8);
    let text = study(SELECT, LEARN, "tune: best_mean");
    run(&workshop, &text);
    let uses = |workshop: &Workshop| {
        let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
        report["certificate"]["n_held_out_uses"].as_u64().unwrap()
    };
    let with = uses(&workshop);
    let none = "tune: best_mean, learning_curve: { none: the cohort is small }";
    workshop.study(&study(SELECT, LEARN, none));
    assert_eq!(number(&workshop.run(&[]), "computed"), 0);
    let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
    assert!(report["study"]["no_learning_curve"].is_string());
    // Every fit on a part is proved not to have seen what it is judged on.
    assert!(with > uses(&workshop));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("No learning curve is drawn: the cohort is small"));
    // These folds are given, so that the seed moves inner folds and parts.
    run(&workshop, &text.replace("seed: 3", "seed: 4"));
    let parts = |node: &String| node.contains("/learning_curve/0.25/r");
    let computed = workshop.computed();
    let said = computed.iter().filter(|node| parts(node) && node.ends_with("/predict"));
    assert_eq!(said.count(), 4);
}

#[test]
fn a_size_that_cannot_be_run_says_why() {
    let workshop = workshop(0.8);
    // One patient of each class: inner folds have one class, or nobody is left in them.
    let few = "tune: best_mean, learning_curve: { fractions: [0.02, 0.5] }";
    let analysis = run(&workshop, &study("all", "logistic", few));
    let [few, half, whole] = sizes(&analysis).as_slice() else { panic!("{analysis}") };
    assert_eq!((&few["n"], &few["estimate"]), (&2.0.into(), &Json::Null));
    assert!(few["missing"].as_str().is_some_and(|why| !why.is_empty()), "{few}");
    assert!(half["estimate"].is_object() && whole["estimate"].is_object());
    assert_eq!(analysis["failed_nodes"], Json::Array(Vec::new()));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("not computed: "));
}

#[test]
fn a_learning_curve_that_is_not_understood_is_refused_with_a_remedy() {
    let workshop = workshop(0.8);
    let cases = [
        (
            "fractions: [0.5, 1]",
            "1 is no share between 0 and 1",
            "are the analysis itself",
        ),
        (
            "fractions: [0, 0.5]",
            "0 is no share between 0 and 1",
            "are the analysis itself",
        ),
        (
            "fractions: [0.5, 0.25]",
            "0.25 follows 0.5, and shares ascend",
            "ascending order",
        ),
        ("fractions: [0.5, 0.5]", "0.5 is given twice", "give each share once"),
        ("fractions: []", "`fractions` is an empty list", ""),
        ("fractions: [half]", "a share of the training patients is a number", ""),
        ("fraction: [0.5]", "`learning_curve` has no key `fraction`", "did you mean"),
        ("repeats: 0", "at least one repeat", "write `learning_curve: { none: REASON }`"),
        (
            "repeats: 2",
            "asks for 2 repeats, and `internal` has 1",
            "`repeats: 1` or fewer",
        ),
        (
            "none: slow, repeats: 1",
            "`repeats` is of no use beside `none`",
            "one of the two",
        ),
    ];
    for (curve, message, hint) in cases {
        let evaluate = format!("tune: best_mean, learning_curve: {{ {curve} }}");
        workshop.study(&study(SELECT, LEARN, &evaluate));
        let output = workshop.restudy(&["check", "study.yaml"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{curve}: {said}");
        assert!(said.contains(message) && said.contains(hint), "{curve}: {said}");
    }
}

/// Columns that have nothing to do with the class: a lasso of which the largest penalty within one
/// standard error keeps none, in any outer split and on all rows.
fn nothing() -> String {
    let mut table = "patient,fold,status,x1,x2,x3,x4\n".to_string();
    for i in 0..64 {
        table.push_str(&format!("P{i:03},{},{}", i / 2 % 4, i % 2 == 0));
        for j in 2..6 {
            table.push_str(&format!(",{}", (i * i * j + 11 * i) % 31));
        }
        table.push('\n');
    }
    table
}

const NO_COLUMN: &str = "lasso: { lambda: 1se, folds: 5 }";

#[test]
fn a_selector_that_keeps_no_column_gives_the_null_model_whatever_the_learner() {
    let workshop = Workshop::new();
    workshop.write("table.csv", nothing().as_bytes());
    for learn in [
        "logistic",
        "lda",
        "svm_linear",
        "svm_rbf",
        "knn: { k: 5 }",
        "naive_bayes",
        "random_forest: { trees: 10 }",
        "gradient_boosting: { rounds: 5 }",
    ] {
        let parts = "threshold: { rule: youden, learned_from: inner_out_of_fold }, \
                     controls: { permuted_outcome: { times: 20 } }, \
                     learning_curve: { fractions: [0.5] }";
        let analysis = run(&workshop, &study(NO_COLUMN, learn, parts));
        assert_eq!(analysis["failed_nodes"], json!([]), "{learn}");
        assert!(analysis["permutation"].is_object(), "{learn}");
        assert!(analysis["learning_curve"].is_object(), "{learn}");
        for candidate in candidates(&analysis) {
            assert!(
                candidate["inner"].is_number() && candidate["failed"] == 0,
                "{learn}"
            );
        }
        for fold in folds(&analysis) {
            assert_eq!(
                (&fold["value"], &fold["without_columns"]),
                (&json!(0.5), &json!(true))
            );
        }
        let stand_in = &analysis["stand_in"];
        assert_eq!(
            (&stand_in["folds"], &stand_in["without_columns"]),
            (&json!(4), &json!(4))
        );
        assert_eq!(analysis["selection"]["without_columns"], 4, "{learn}");
        // Half of the training rows of each split are positive.
        let said = predictions(&workshop);
        assert!(said.values().all(|of| probability(of) == 0.5), "{learn}");

        // The model says so in its file, and whoever applies it needs no predictor.
        let path = "runs/study/models/status.all.json";
        let model: Json = serde_json::from_slice(&workshop.read(path)).unwrap();
        let member = &model["members"][0];
        assert_eq!(member["learner"]["operation"], "naive", "{learn}");
        assert_eq!(member["selected"], json!([]));
        assert!(member["link"].is_null() && member["familiar"].is_null());
        let needed = |column: &Json| column["needed"] == true;
        assert!(!model["columns"].as_array().unwrap().iter().any(needed));
        workshop.write("new.csv", b"patient\nQ1\nQ2\n");
        let output = workshop.restudy(&["predict", path, "new.csv"]);
        let rows = String::from_utf8(output.stdout).unwrap();
        assert!(rows.lines().skip(1).all(|row| row.contains(",0.5,")), "{rows}");
        assert_eq!(rows.lines().count(), 3, "{rows}");

        // And in the report.
        let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
        let facts = &report["full_models"][0];
        assert_eq!(facts["members"][0]["n_selected"], 0, "{learn}");
        let equation = &facts["members"][0]["equation"]["Ok"];
        assert_eq!(equation["terms"], json!([]));
        assert_eq!(equation["example"]["probability"], 0.5);
        assert!(facts["onnx"]["Err"].as_str().unwrap().contains("prevalence"));
        assert_eq!(facts["importance"]["predictors"], json!([]));
        assert!(facts["explained"].is_null());
        let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
        assert!(html.contains("the selector of the choice kept no column"), "{learn}");
        assert!(html.contains("the selector kept no column"), "{learn}");
        assert!(html.contains("It looks at no predictor"), "{learn}");
        assert!(html.contains("No predictor reaches a learner"), "{learn}");
    }
}

#[test]
fn a_null_model_needs_no_predictor_whatever_its_preparation_would_say() {
    let workshop = Workshop::new();
    let lines = nothing();
    let with_site = lines.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{line},site\n"),
        _ => format!("{line},{}\n", ["A", "B"][(at - 1) / 8 % 2]),
    });
    workshop.write("table.csv", with_site.collect::<String>().as_bytes());
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    // After this preparation no column belongs to one predictor alone.
    let text = study(NO_COLUMN, "logistic", none)
        .replace(
            "prepare: [scale_zscore]",
            "prepare: [harmonise_combat: { batch: site, unseen: pooled }]",
        )
        .replace("all: { from: clinic }", "all: { from: clinic, site: site }");
    let analysis = run(&workshop, &text);
    assert_eq!(analysis["selection"]["without_columns"], 4, "{analysis}");
    let path = "runs/study/models/status.all.json";
    let model: Json = serde_json::from_slice(&workshop.read(path)).unwrap();
    let mut columns = model["columns"].as_array().unwrap().iter();
    assert!(columns.all(|column| column["needed"] == false), "{model}");
    workshop.write("new.csv", b"patient\nQ1\n");
    let output = workshop.restudy(&["predict", path, "new.csv"]);
    let rows = String::from_utf8(output.stdout).unwrap();
    assert!(rows.lines().nth(1).is_some_and(|row| row.contains(",0.5,")), "{rows}");
}

#[test]
fn a_candidate_without_columns_stands_beside_others_and_may_lose() {
    let workshop = workshop(1.5);
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    // Of two penalties that are nearly one the larger is within a standard error: it keeps nothing.
    let select = "anova: { k: 2 }, [anova: { k: 1 }, lasso: { points: 2, reach: 0.99, lambda: 1se }]";
    let analysis = run(&workshop, &study(select, "logistic, svm_linear", none));
    for candidate in candidates(&analysis) {
        assert_eq!(candidate["failed"], 0, "{candidate}");
    }
    assert_eq!(analysis["selection"]["without_columns"], 0);
}

#[test]
fn a_preparation_that_leaves_no_column_fails_by_name() {
    let workshop = Workshop::new();
    let lines = nothing();
    let constant = lines.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{line}\n"),
        _ => {
            let kept: Vec<&str> = line.split(',').take(3).collect();
            format!("{},1,1,1,1\n", kept.join(","))
        }
    });
    workshop.write("table.csv", constant.collect::<String>().as_bytes());
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    let text = study("all", "logistic", none)
        .replace("prepare: [scale_zscore]", "prepare: [drop_constant]");
    workshop.study(&text);
    let output = workshop.restudy(&["run", "study.yaml"]);
    let told = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(told.contains("logistic: there are no columns"), "{told}");
}

/// A study that falls back and whose candidates all fail: what is chosen and fitted is the same for all
/// training rows, and the prevalence is not.
#[test]
fn a_fallback_is_the_prevalence_of_the_training_rows_of_its_own_split() {
    let workshop = Workshop::new();
    let positive = |i: usize| i % 7 < 3;
    let mut table = "patient,fold,status,x1,x2\n".to_string();
    for i in 0..61 {
        table.push_str(&format!("P{i:03},{},{},1,1\n", i / 2 % 4, positive(i)));
    }
    workshop.write("table.csv", table.as_bytes());
    let parts = "fallback: naive, controls: { permuted_outcome: { none: x } }, \
                 threshold: { rule: youden, learned_from: inner_out_of_fold }, \
                 learning_curve: { fractions: [0.3, 0.6] }";
    let text = study("all", "logistic", parts)
        .replace("prepare: [scale_zscore]", "prepare: [drop_constant]");
    for jobs in ["1", "8"] {
        workshop.study(&text);
        let said = workshop.run(&["--jobs", jobs, "--store", &format!("store{jobs}")]);
        assert_eq!(said["exit"], "fine", "{said:?}");
        let said = predictions(&workshop);
        assert_eq!(said.len(), 61);
        for ((split, _), of) in &said {
            let fold = split.parse::<usize>().unwrap() - 1;
            let trained = (0..61).filter(|i| i / 2 % 4 != fold);
            let n = trained.clone().count() as f64;
            let share = trained.filter(|i| positive(*i)).count() as f64 / n;
            assert_eq!(probability(of), share, "split {split}, {jobs} jobs");
        }
        let store = format!("store{jobs}");
        let plan = workshop.restudy(&["plan", "study.yaml", "--json", "--store", &store]);
        let lines = String::from_utf8(plan.stdout).unwrap();
        let nodes = lines.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        let of_kind = nodes.filter(|node| node["family"] == "predict");
        let mut keys: Vec<String> = of_kind.map(|node| node["key"].to_string()).collect();
        let n = keys.len();
        keys.sort();
        keys.dedup();
        assert!(n >= 12 && keys.len() == n, "{n} predictions have {} keys", keys.len());
    }
}

/// Keys share locks, as there are more of them than lock files. Here all of them share one.
#[test]
fn what_is_computed_ahead_waits_for_no_lock_that_its_own_run_holds() {
    let workshop = workshop(1.0);
    let locks = workshop.path(".restudy/locks");
    std::fs::create_dir_all(&locks).unwrap();
    std::fs::write(locks.join("000"), b"").unwrap();
    for number in 1..4096 {
        let other = locks.join(format!("{number:03x}"));
        std::fs::hard_link(locks.join("000"), other).unwrap();
    }
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    workshop.study(&study(SELECT, LEARN, none));
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_restudy"))
        .args(["run", "study.yaml", "--quiet", "--jobs", "4"])
        .current_dir(workshop.path(""))
        .env_remove("RESTUDY_STORE")
        .spawn()
        .unwrap();
    for _ in 0..1200 {
        if let Some(status) = program.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            assert!(workshop.path("runs/study/report.json").exists());
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    panic!("the run waits for ever");
}

/// What is computed ahead hangs on more than the choice does, as on the primary metric: it may say nothing
/// in the report, or that would tell of studies that the store has met before.
#[test]
fn a_report_knows_nothing_of_what_other_studies_computed_ahead() {
    let workshop = workshop(1.0);
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    let first = study(SELECT, LEARN, none);
    let other = first.replace("primary: auroc", "primary: ici");
    run(&workshop, &first);
    workshop.study(&other);
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let report = workshop.report();
    assert_eq!(workshop.run(&["--store", "another"])["exit"], "fine");
    assert!(workshop.report() == report);
}

#[test]
fn another_importance_is_computed_ahead_as_well() {
    let workshop = workshop(1.0);
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    let first = study(SELECT, LEARN, none);
    run(&workshop, &first);
    workshop.study(&first.replace("primary: auroc", "primary: ici"));
    workshop.run(&[]);
    let alternatives = |node: &&String| node.ends_with("/alternatives");
    assert!(workshop.computed().iter().any(|node| alternatives(&node)));
    // In the primary metric's own terms nothing else is asked for.
    workshop.study(&first.replace("primary: auroc", "primary: brier"));
    workshop.run(&[]);
    assert!(!workshop.computed().iter().any(|node| alternatives(&node)));
}

#[test]
fn what_is_to_be_computed_again_is_so_for_other_choices_as_well() {
    let workshop = workshop(1.0);
    let none = "controls: { permuted_outcome: { none: x } }, learning_curve: { none: x }";
    run(&workshop, &study(SELECT, LEARN, none));
    let report = workshop.report();
    // When each record of a fit was written.
    let fits = || {
        let mut fits = BTreeMap::new();
        for path in workshop.files(".restudy/actions") {
            let bytes = std::fs::read(&path).unwrap();
            if String::from_utf8_lossy(&bytes).contains(r#"\"fit\":"#) {
                let written = std::fs::metadata(&path).unwrap().modified().unwrap();
                fits.insert(path, written);
            }
        }
        fits
    };
    let before = fits();
    let said = workshop.run(&["--refresh", "*/fit"]);
    assert_eq!(said["exit"], "fine", "{said:?}");
    let after = fits();
    assert!(before.keys().eq(after.keys()) && before.len() > 4, "{}", before.len());
    assert!(before.iter().zip(after.values()).all(|((_, old), new)| old != new));
    assert!(workshop.report() == report);
}
