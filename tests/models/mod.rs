//! Frozen models: their files, their use without the study, their equations, other programs' twins.

mod onnx;

use std::path::Path;

use restudy::catalog::Catalog;
use restudy::data::{Model, StudyRecord, Transform};
use restudy::math::trees::{Trees, covers, shapley};
use restudy::math::{pow, sigmoid, yeo_johnson};
use restudy::spec::model_schema;
use serde_json::{Value as Json, json};

use crate::references::references;
use crate::workshop::{Workshop, restudy, updating};

/// A study on two hospitals; `{LEARN}`, `{PREPARE}` and `{SELECT}` are filled in.
const STUDY: &str = r#"restudy: 1
title: Two hospitals (simulated)
cancer: glioma
seed: 11

sources:
  here:
    table: patients.csv
    id: patient
    columns: { age: { unit: years }, volume: { unit: mm³ } }

cohorts:
  development:
    from: here
    include: [ { rule: "hospital == 'a'", reason: first hospital } ]
  elsewhere:
    from: here
    include: [ { rule: "hospital == 'b'", reason: second hospital } ]
    relation: another hospital

outcomes:
  idh: { label: IDH mutation, binary: { column: idh, positive: 1, negative: 0 } }

predictors:
  clinical: { columns: { from: here, include: [age, volume, side] } }
  radiomics: { columns: { from: here, include: ["t*"] } }

prepare: {PREPARE}

select: {SELECT}

learn: {LEARN}

validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 2 }, cohort: development }
  external: [elsewhere]

evaluate:
  primary: auroc
  threshold: { rule: youden, learned_from: inner_out_of_fold }
"#;

const PREPARE: &str = "[encode_onehot, impute_median: { indicator: true }, transform_yeo_johnson, scale_zscore]";

const HEAD: &str = "patient,age,volume,side,t1,t2,t3,t4,t5";

/// Patients of a hospital: age and volume, a side, five textures; `t5` is missing for some.
fn hospital(name: &str, n: usize, with_outcome: bool) -> String {
    let mut stream = restudy::math::Stream::new(n as u64, &["hospital", name]);
    let mut text = String::new();
    for row in 0..n {
        let positive = row % 5 < 2;
        let pull = if positive { 1.0 } else { 0.0 };
        let age = (55.0 - 9.0 * pull + 8.0 * stream.normal()).round();
        let volume = (2000.0 * restudy::math::exp(0.6 * stream.normal())).round();
        let side = ["left", "middle", "right"][stream.below(3)];
        let t: Vec<f64> = (0..5).map(|_| 0.7 * pull + stream.normal()).collect();
        let last = if row % 7 == 3 { String::new() } else { t[4].to_string() };
        text.push_str(&format!(
            "{name}{row:03},{age},{volume},{side},{},{},{},{},{last}",
            t[0], t[1], t[2], t[3]
        ));
        text.push_str(match (with_outcome, positive) {
            (false, _) => "\n",
            (true, true) => ",1,",
            (true, false) => ",0,",
        });
        if with_outcome {
            text.push_str(&format!("{name}\n"));
        }
    }
    text
}

/// The table of the study, and that of the second hospital's patients as one would bring it later.
fn write_tables(workshop: &Workshop) {
    let (a, b) = (hospital("a", 70, true), hospital("b", 40, true));
    workshop.write("patients.csv", format!("{HEAD},idh,hospital\n{a}{b}").as_bytes());
    let head = HEAD.replacen(",age,volume,", ",age [years],volume [mm3],", 1);
    let new = format!("{head}\n{}", hospital("b", 40, false));
    workshop.write("new.csv", new.as_bytes());
}

/// The study with these parts, run.
fn ran(prepare: &str, select: &str, learn: &str) -> Workshop {
    let workshop = Workshop::new();
    write_tables(&workshop);
    let text = STUDY.replace("{PREPARE}", prepare).replace("{SELECT}", select);
    workshop.study(&text.replace("{LEARN}", learn));
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    workshop
}

/// The only model of a run: its path within the folder.
fn path(workshop: &Workshop) -> String {
    let folder = workshop.path("runs/study/models");
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().to_string())
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    format!("runs/study/models/{}", names.remove(0))
}

fn model(workshop: &Workshop) -> Model {
    serde_json::from_slice(&workshop.read(&path(workshop))).unwrap()
}

fn record(workshop: &Workshop) -> StudyRecord {
    serde_json::from_slice(&workshop.report()).unwrap()
}

/// Cells of a CSV without quoted commas, by line.
fn cells(text: &str) -> Vec<Vec<String>> {
    let line = |line: &str| line.split(',').map(str::to_string).collect();
    text.lines().skip(1).map(line).collect()
}

/// Probabilities by `predict` as they are written, in the order of ids.
fn predicted(workshop: &Workshop, table: &str, more: &[&str]) -> Vec<Vec<String>> {
    let path = path(workshop);
    let arguments = [&["predict", path.as_str(), table], more].concat();
    let output = workshop.restudy(&arguments);
    let told = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.code().is_some_and(|code| code < 2), "{told}");
    cells(&String::from_utf8(output.stdout).unwrap())
}

const LEARNERS: [&str; 7] = [
    "[logistic: { c: [0.1, 1] }]",
    "[lda]",
    "[svm_linear: { c: 0.1 }]",
    "[svm_rbf: { c: 1, gamma: 0.05 }]",
    "[random_forest: { trees: 30, depth: 4 }]",
    "[extra_trees: { trees: 20, min_leaf: 3 }]",
    "[gradient_boosting: { rounds: 25, leaves: 4 }]",
];

/// A model is applied by its file alone to the bit as the run applied it; the file is as its schema
/// says; ONNX says the same, and so does the equation where there is one.
#[test]
fn a_model_says_elsewhere_what_it_said_in_its_run() {
    let schema = model_schema(&Catalog::standard());
    let schema = jsonschema::validator_for(&schema).unwrap();
    let keep = std::env::var_os("RESTUDY_KEEP_MODELS");
    for (at, learn) in LEARNERS.iter().enumerate() {
        let select = if at % 2 == 0 { "[all]" } else { "[anova: { k: 6 }]" };
        let workshop = ran(PREPARE, select, learn);
        let said =
            String::from_utf8(workshop.read("runs/study/predictions.csv")).unwrap();
        let of_run: Vec<String> = cells(&said)
            .into_iter()
            .filter(|line| line[0].ends_with(".all.elsewhere"))
            .map(|line| line[5].clone())
            .collect();
        let alone = predicted(&workshop, "new.csv", &[]);
        let by_file: Vec<String> = alone.iter().map(|line| line[1].clone()).collect();
        // Patients of the run stand in the order of ids as well.
        assert_eq!(of_run.len(), 40, "{learn}");
        assert_eq!(by_file, of_run, "{learn}");

        let json: Json =
            serde_json::from_slice(&workshop.read(&path(&workshop))).unwrap();
        let wrong: Vec<String> =
            schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{learn}: {wrong:?}");
        let mut spoiled = json.clone();
        spoiled["members"][0]["learner"]["state"] = json!({ "weights": "many" });
        assert!(!schema.is_valid(&spoiled), "{learn}");

        same_in_onnx(&workshop, learn, &by_file);
        same_in_the_equation(&workshop, learn);
        if ["logistic", "lda", "svm_linear"].iter().any(|of| learn.contains(of)) {
            same_in_the_file(&workshop, learn, &by_file);
        }
        if let Some(folder) = &keep {
            keep_for_others(&workshop, Path::new(folder), at, &by_file);
        }
    }
}

/// Rows of `new.csv` as the graph reads them.
fn input(workshop: &Workshop, graph: &onnx::Graph) -> (usize, Vec<f64>) {
    let text = String::from_utf8(workshop.read("new.csv")).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let names: Vec<String> = serde_json::from_str(&graph.facts["columns"]).unwrap();
    let categories: Json = serde_json::from_str(&graph.facts["categories"]).unwrap();
    let rows = cells(&text);
    let mut values = Vec::new();
    for row in &rows {
        for name in &names {
            let bare = name.split_once('.').unwrap().1;
            let column = head.iter().position(|of| of.split(' ').next() == Some(bare));
            let cell = &row[column.unwrap()];
            values.push(match categories[name].as_array() {
                Some(known) => {
                    known.iter().position(|one| one == cell.as_str()).unwrap() as f64
                }
                None => cell.parse().unwrap_or(f64::NAN),
            });
        }
    }
    (rows.len(), values)
}

fn same_in_onnx(workshop: &Workshop, learn: &str, said: &[String]) {
    let bytes = workshop.read(&path(workshop).replace(".json", ".onnx"));
    let graph = onnx::Graph::read(&bytes);
    let (n, values) = input(workshop, &graph);
    let outputs = graph.run(n, &values);
    let threshold = model(workshop).threshold.unwrap().value;
    for ((row, said), probability) in
        said.iter().enumerate().zip(&outputs["probability"].values)
    {
        let said: f64 = said.parse().unwrap();
        assert!((said - probability).abs() < 1e-9, "{learn}: {said} {probability}");
        let positive = outputs["positive"].values[row] == 1.0;
        assert_eq!(positive, said >= threshold, "{learn}");
    }
}

/// The printed equation with its printed numbers gives the printed example; so does the model.
fn same_in_the_equation(workshop: &Workshop, learn: &str) {
    let record = record(workshop);
    let [facts] = record.full_models.as_slice() else { panic!("one model") };
    let linear = ["logistic", "lda", "svm_linear"].iter().any(|of| learn.contains(of));
    let Ok(equation) = &facts.members[0].equation else {
        assert!(!linear, "{learn}: {:?}", facts.members[0].equation);
        return;
    };
    assert!(linear);
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    let numbers = references(&html);
    let printed = |path: String| -> f64 {
        let found = numbers.iter().find(|number| number.path == path);
        let found = found.unwrap_or_else(|| panic!("no {path}"));
        let text = found.text.replace('−', "-").replace('\u{202f}', "");
        let Some((mantissa, power)) = text.split_once("\u{a0}×\u{a0}10") else {
            return text.parse().unwrap();
        };
        let digit = |raised: char| match "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|d| d == raised)
        {
            Some(digit) => char::from_digit(digit as u32, 10).unwrap(),
            None => '-',
        };
        let power: String = power.chars().map(digit).collect();
        format!("{mantissa}e{power}").parse().unwrap()
    };
    let at = "/full_models/0/members/0/equation/Ok";
    let mut log_odds = printed(format!("{at}/intercept"));
    let mut row = vec!["x".to_string()];
    let mut head = vec!["patient".to_string()];
    for (place, term) in equation.terms.iter().enumerate() {
        let of = format!("{at}/terms/{place}");
        let value = equation.example.values[place]
            .map(|_| printed(format!("{at}/example/values/{place}")));
        let category = equation.example.categories[place].as_deref();
        let x = match &term.transform {
            Transform::Value => value.unwrap(),
            Transform::IsMissing => 0.0,
            Transform::Is { category: wanted } => {
                f64::from(u8::from(category == Some(wanted)))
            }
            Transform::YeoJohnson { slope, intercept, .. } => {
                assert_eq!((*slope, *intercept), (1.0, 0.0));
                let of =
                    |what: &str| printed(format!("{of}/transform/yeo_johnson/{what}"));
                (yeo_johnson(value.unwrap(), of("lambda")) - of("centre")) / of("scale")
            }
        };
        log_odds += printed(format!("{of}/coefficient")) * x;
        let name = term.predictor.split_once('.').unwrap().1.to_string();
        if !head.contains(&name) {
            head.push(name);
            row.push(match value {
                Some(value) => value.to_string(),
                None => category.unwrap().to_string(),
            });
        }
    }
    let said = printed(format!("{at}/example/log_odds"));
    assert!((log_odds - said).abs() < 2e-3, "{learn}: {log_odds} {said}");
    let probability = printed(format!("{at}/example/probability"));
    assert!((sigmoid(log_odds) - probability).abs() < 5e-4, "{learn}");
    // Predictors without a term in this fit are at any value.
    let table = format!("{}\n{}\n", head.join(","), row.join(","));
    workshop.write("example.csv", table.as_bytes());
    let alone = predicted(workshop, "example.csv", &["--assume-units"]);
    let alone: f64 = alone[0][1].parse().unwrap();
    assert!((alone - equation.example.probability).abs() < 1e-9, "{learn}");
}

/// The file of terms, read as anybody would, gives what the model says of every row of `new.csv`.
fn same_in_the_file(workshop: &Workshop, learn: &str, said: &[String]) {
    let file = workshop.read("runs/study/tables/full_model-idh.all.csv");
    let terms = cells(&String::from_utf8(file).unwrap());
    let table = String::from_utf8(workshop.read("new.csv")).unwrap();
    let head = table.lines().next().unwrap().split(',');
    let head: Vec<&str> = head.map(|name| name.split(' ').next().unwrap()).collect();
    let rows = cells(&table);
    assert_eq!(rows.len(), said.len());
    for (row, said) in rows.iter().zip(said) {
        let term = |term: &Vec<String>| {
            let coefficient: f64 = term[3].parse().unwrap();
            let Some((_, name)) = term[0].split_once('.') else { return coefficient };
            let cell = &row[head.iter().position(|of| *of == name).unwrap()];
            coefficient * factor(&term[2], cell, &term[8])
        };
        let log_odds: f64 = terms.iter().map(term).sum();
        let said: f64 = said.parse().unwrap();
        let found = sigmoid(log_odds);
        assert!((found - said).abs() < 1e-9, "{learn}, {}: {found} {said}", row[0]);
    }
}

/// What a coefficient of the file is multiplied with.
fn factor(transform: &str, cell: &str, missing_is: &str) -> f64 {
    match transform.strip_prefix("is ") {
        Some("missing") => return f64::from(u8::from(cell.is_empty())),
        Some(_) if cell.is_empty() => return missing_is.parse().unwrap(),
        Some(category) => return f64::from(u8::from(cell == category)),
        None => {}
    }
    let value: f64 = if cell.is_empty() { missing_is } else { cell }.parse().unwrap();
    if transform == "value" {
        return value;
    }
    let numbers = transform.split([' ', '(', ')', ';', '*', '/']);
    let numbers: Vec<f64> = numbers.filter_map(|text| text.parse().ok()).collect();
    let [slope, intercept, lambda, centre, scale] = numbers[..] else {
        panic!("{transform}")
    };
    (yeo_johnson(slope * value + intercept, lambda) - centre) / scale
}

/// The same tables, changed line by line: cells and the number of the row.
fn changed_tables(workshop: &Workshop, change: impl Fn(&mut Vec<String>, usize)) {
    write_tables(workshop);
    for file in ["patients.csv", "new.csv"] {
        let text = String::from_utf8(workshop.read(file)).unwrap();
        let lines = text.lines().enumerate().map(|(at, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_string).collect();
            if at > 0 {
                change(&mut cells, at);
            }
            cells.join(",")
        });
        let lines: Vec<String> = lines.collect();
        workshop.write(file, format!("{}\n", lines.join("\n")).as_bytes());
    }
}

/// In whatever order values are filled in, told as missing, transformed and scaled, the file of terms gives
/// what the model says, also of who lacks a number or a category.
#[test]
fn terms_hold_in_any_order_of_preparation() {
    for prepare in [
        "[encode_onehot, impute_median: { indicator: true }, scale_zscore]",
        "[encode_onehot, scale_zscore, impute_median: { indicator: true }]",
        "[encode_onehot, scale_robust, impute_median: { indicator: true }, transform_yeo_johnson, \
         scale_zscore]",
        "[encode_onehot, transform_yeo_johnson, scale_zscore, impute_median]",
        "[encode_onehot, transform_yeo_johnson, impute_median: { indicator: true }, scale_zscore]",
    ] {
        for learn in ["[logistic: { c: 1 }]", "[svm_linear: { c: 0.1 }]"] {
            let workshop = Workshop::new();
            changed_tables(&workshop, |cells, at| {
                if at % 9 == 4 {
                    cells[3].clear();
                }
            });
            let text = STUDY.replace("{PREPARE}", prepare).replace("{SELECT}", "[all]");
            workshop.study(&text.replace("{LEARN}", learn));
            assert_eq!(workshop.run(&[])["exit"], "fine", "{prepare}");
            let said: Vec<String> = predicted(&workshop, "new.csv", &[])
                .into_iter()
                .map(|line| line[1].clone())
                .collect();
            same_in_the_file(&workshop, &format!("{learn} after {prepare}"), &said);
        }
    }
}

/// Where nothing is filled in, a graph says nothing of who has a gap, as `predict` does; trees would take
/// any value for one.
#[test]
fn gaps_that_are_left_are_gaps_for_other_programs() {
    let workshop = Workshop::new();
    changed_tables(&workshop, |cells, at| {
        if cells[8].is_empty() && cells.len() > 9 {
            cells[8] = format!("0.{at}");
        }
    });
    for learn in
        ["[random_forest: { trees: 10 }]", "[gradient_boosting: { rounds: 5 }]", "[lda]"]
    {
        let text = STUDY.replace("{PREPARE}", "[encode_onehot, scale_zscore]");
        let text = text.replace("{SELECT}", "[all]").replace("{LEARN}", learn);
        workshop.study(&text);
        assert_eq!(workshop.run(&[])["exit"], "fine", "{learn}");
        let said = predicted(&workshop, "new.csv", &[]);
        let bytes = workshop.read(&path(&workshop).replace(".json", ".onnx"));
        let graph = onnx::Graph::read(&bytes);
        let (n, values) = input(&workshop, &graph);
        let found = &graph.run(n, &values)["probability"].values;
        assert!(said.iter().any(|line| line[1].is_empty()), "{learn}");
        for (line, found) in said.iter().zip(found) {
            match line[1].parse::<f64>() {
                Ok(said) => {
                    assert!((said - found).abs() < 1e-9, "{learn}: {said} {found}")
                }
                Err(_) => assert!(found.is_nan(), "{learn}: {} {found}", line[0]),
            }
        }
    }
}

/// Columns of tiny numbers under a power, and columns far from 0 without scaling in a kernel: what other
/// programs compute keeps its digits.
#[test]
fn graphs_keep_their_digits_at_any_size() {
    for (prepare, learn) in [
        (PREPARE, "[logistic: { c: 1 }]"),
        ("[encode_onehot, impute_median]", "[svm_rbf: { c: 1, gamma: 0.02 }]"),
    ] {
        let workshop = Workshop::new();
        let tiny = prepare == PREPARE;
        changed_tables(&workshop, |cells, _| {
            let value: f64 = cells[4].parse().unwrap();
            cells[4] = match tiny {
                true => (1e-10 * (1.0 + 0.01 * value)).to_string(),
                false => (1e8 + value).to_string(),
            };
            if !tiny {
                cells[2] = "2000".to_string();
            }
        });
        let text = STUDY.replace("{PREPARE}", prepare).replace("{SELECT}", "[all]");
        workshop.study(&text.replace("{LEARN}", learn));
        assert_eq!(workshop.run(&[])["exit"], "fine", "{learn}");
        let said = predicted(&workshop, "new.csv", &[]);
        let said: Vec<String> = said.into_iter().map(|line| line[1].clone()).collect();
        same_in_onnx(&workshop, learn, &said);
    }
}

/// A column whose values lie far from 0 and close together, and whose best power is near −3: its
/// transforms agree in their first nine digits.
#[test]
fn a_power_of_values_far_from_zero_can_be_computed_from_the_report() {
    let workshop = Workshop::new();
    write_tables(&workshop);
    for (file, n) in [("patients.csv", 70), ("new.csv", 40)] {
        let text = String::from_utf8(workshop.read(file)).unwrap();
        let line = |(at, line): (usize, &str)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_string).collect();
            if at > 0 {
                let even = ((at - 1) * 37 % n) as f64 + 0.5;
                let spread = 1.0 + 0.35 * (2.0 * even / n as f64 - 1.0);
                cells[4] = (1000.0 * pow(spread, -1.0 / 3.0) - 1.0).to_string();
            }
            cells.join(",")
        };
        let lines: Vec<String> = text.lines().enumerate().map(line).collect();
        workshop.write(file, format!("{}\n", lines.join("\n")).as_bytes());
    }
    let text = STUDY.replace("{PREPARE}", PREPARE).replace("{SELECT}", "[all]");
    workshop.study(&text.replace("{LEARN}", "[logistic]"));
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let record = record(&workshop);
    let equation = record.full_models[0].members[0].equation.as_ref().unwrap();
    let of = equation.terms.iter().find(|term| term.predictor == "radiomics.t1").unwrap();
    let Transform::YeoJohnson { lambda, scale, .. } = of.transform else {
        panic!("{:?}", of.transform)
    };
    assert!(lambda < -1.0 && scale < 1e-4, "{lambda} {scale}");
    assert!(of.coefficient.abs() < 10.0 && equation.intercept.abs() < 10.0);
    let said = predicted(&workshop, "new.csv", &[]);
    let said: Vec<String> = said.iter().map(|line| line[1].clone()).collect();
    same_in_the_file(&workshop, "far", &said);
    same_in_the_equation(&workshop, "logistic");
}

/// With many patients and no penalty, resampled limits are those of the information matrix (Wald),
/// which is computed here from the table and the printed coefficients alone.
#[test]
fn limits_of_coefficients_are_those_of_the_information_where_that_is_known() {
    let workshop = Workshop::new();
    let table = hospital("a", 600, true);
    workshop.write("patients.csv", format!("{HEAD},idh,hospital\n{table}").as_bytes());
    let text = STUDY
        .replace("{PREPARE}", "[scale_zscore]")
        .replace("{SELECT}", "[all]")
        .replace("{LEARN}", "[logistic: { penalty: none }]")
        .replace("age, volume, side", "age, t1")
        .replace("  radiomics: { columns: { from: here, include: [\"t*\"] } }\n", "");
    let begin = text.find("  elsewhere:").unwrap();
    let end = text.find("outcomes:").unwrap();
    let text = format!("{}\n{}", &text[..begin], &text[end..]);
    workshop.study(&text.replace("  external: [elsewhere]\n", ""));
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    let record = record(&workshop);
    let equation = record.full_models[0].members[0].equation.as_ref().unwrap();
    assert_eq!((equation.terms.len(), equation.resamples), (2, Some(1000)));
    let rows = table.lines().map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        [1.0, cells[1].parse().unwrap(), cells[4].parse::<f64>().unwrap()]
    });
    let beta = [
        equation.intercept,
        equation.terms[0].coefficient,
        equation.terms[1].coefficient,
    ];
    let mut information = [[0.0; 3]; 3];
    for x in rows {
        let p = sigmoid(x.iter().zip(&beta).map(|(x, b)| x * b).sum());
        for (a, row) in information.iter_mut().enumerate() {
            row.iter_mut()
                .enumerate()
                .for_each(|(b, sum)| *sum += p * (1.0 - p) * x[a] * x[b]);
        }
    }
    let minor = |a: usize| {
        let [i, j] = [(a + 1) % 3, (a + 2) % 3];
        information[i][i] * information[j][j] - information[i][j] * information[j][i]
    };
    let [a, b, c] = information;
    let determinant = a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0]);
    let limits =
        [equation.intercept_limits, equation.terms[0].limits, equation.terms[1].limits];
    for (place, limits) in limits.into_iter().enumerate() {
        let (low, high) = limits.unwrap();
        let error = (minor(place) / determinant).sqrt();
        let width = (high - low) / (2.0 * 1.96 * error);
        assert!((0.85..1.18).contains(&width), "{place}: {width}");
        let middle = (beta[place] - f64::midpoint(low, high)).abs() / error;
        assert!(middle < 0.3, "{place}: {middle}");
    }
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("95\u{a0}% limits: percentiles over"));
    let csv = workshop.read("runs/study/tables/full_model-idh.all.csv");
    let csv = String::from_utf8(csv).unwrap();
    let age = csv.lines().find(|line| line.contains("age")).unwrap();
    let cells: Vec<&str> = age.split(',').collect();
    assert_eq!(cells[4].parse(), Ok(equation.terms[0].limits.unwrap().0), "{age}");
}

/// For `tests/models/check_onnx.py`: model, input and what was said.
fn keep_for_others(workshop: &Workshop, folder: &Path, at: usize, said: &[String]) {
    let bytes = workshop.read(&path(workshop).replace(".json", ".onnx"));
    let (n, values) = input(workshop, &onnx::Graph::read(&bytes));
    let width = values.len() / n;
    let rows: Vec<Json> = values
        .chunks(width)
        .map(|row| {
            row.iter().map(|v| if v.is_nan() { Json::Null } else { json!(v) }).collect()
        })
        .collect();
    std::fs::write(folder.join(format!("{at}.onnx")), bytes).unwrap();
    let said: Vec<f64> = said.iter().map(|text| text.parse().unwrap()).collect();
    let threshold = model(workshop).threshold.map(|threshold| threshold.value);
    let text = json!({ "X": rows, "probability": said, "threshold": threshold });
    std::fs::write(folder.join(format!("{at}.json")), text.to_string()).unwrap();
}

#[test]
fn an_average_of_candidates_is_handed_over_too() {
    let workshop = Workshop::new();
    write_tables(&workshop);
    let text = STUDY
        .replace("{PREPARE}", "[encode_onehot, impute_median, scale_robust]")
        .replace("{SELECT}", "[all, anova: { k: 4 }]")
        .replace("{LEARN}", "[logistic, svm_rbf, random_forest: { trees: 20 }]")
        .replace(
            "  primary: auroc",
            "  primary: auroc\n  tune: { average: { of: each_learner } }",
        );
    workshop.study(&text);
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let said = predicted(&workshop, "new.csv", &["--assume-units"]);
    let said: Vec<String> = said.iter().map(|line| line[1].clone()).collect();
    assert_eq!(model(&workshop).members.len(), 3);
    same_in_onnx(&workshop, "average", &said);
    let facts = &record(&workshop).full_models[0];
    assert!(facts.explained.is_none() && facts.importance.is_some());
    // All of its members are told of, and not the heaviest alone.
    let record = record(&workshop);
    let inside = &record.analyses["idh.all.internal"];
    assert!(inside.averages());
    let chosen: usize = inside.candidates.iter().map(|candidate| candidate.chosen).sum();
    assert_eq!((inside.folds.len(), chosen), (6, 18));
    let selection = inside.selection.as_ref().unwrap();
    let learners: Vec<usize> = selection.learners.iter().map(|of| of.n).collect();
    assert_eq!((selection.fits, learners), (6, vec![6, 6, 6]));
    let outside = &record.analyses["idh.all.elsewhere"];
    assert!(outside.averages() && outside.frozen.as_ref().unwrap().members == 3);
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    let numbers = references(&html);
    for place in 0..3 {
        let weight = format!("/full_models/0/members/{place}/weight");
        assert!(numbers.iter().any(|number| number.path == weight), "{place}");
    }
    assert!(html.contains("Averaged in") && !html.contains("It chose among candidates"));
    assert!(html.contains("averages of the probabilities of several candidates"));
}

#[test]
fn what_has_no_formula_is_named_and_still_predicts() {
    let workshop = ran(PREPARE, "[all]", "[knn: { k: 7 }]");
    let facts = &record(&workshop).full_models[0];
    assert!(facts.onnx.as_ref().unwrap_err().contains("`knn`"));
    assert!(facts.members[0].equation.as_ref().unwrap_err().contains("`knn`"));
    assert!(!workshop.path(&path(&workshop).replace(".json", ".onnx")).exists());
    assert_eq!(predicted(&workshop, "new.csv", &[]).len(), 40);
}

#[test]
fn the_prevalence_is_an_equation_without_terms_and_asks_for_no_predictor() {
    let workshop = ran(PREPARE, "[all]", "[naive]");
    let said = predicted(&workshop, "new.csv", &[]);
    let said: Vec<String> = said.iter().map(|line| line[1].clone()).collect();
    assert!(model(&workshop).columns.iter().all(|column| !column.needed));
    workshop.write("few.csv", b"patient\nQ1\n");
    assert_eq!(predicted(&workshop, "few.csv", &[])[0][1], said[0]);
    let record = record(&workshop);
    assert!(record.full_models[0].onnx.as_ref().unwrap_err().contains("prevalence"));
    assert!(record.full_models[0].unexplained.is_some());
    assert_eq!(record.full_models[0].members[0].n_used, Some(0));
    let facts = &record.full_models[0];
    let equation = facts.members[0].equation.as_ref().unwrap();
    assert!(equation.terms.is_empty() && facts.explained.is_none());
    let probability: f64 = said[0].parse().unwrap();
    assert!((equation.example.probability - probability).abs() < 1e-9);
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("It looks at no predictor"));
}

/// A coefficient of 0 decides nothing: nobody has to measure its predictor, and the file, the equation
/// and the graph say the same without it.
#[test]
fn a_model_asks_for_those_predictors_alone_that_decide() {
    for learn in [
        "[logistic: { penalty: l1, c: 0.15 }]",
        "[gradient_boosting: { rounds: 2, leaves: 2 }]",
    ] {
        let workshop = ran(PREPARE, "[all]", learn);
        let whole = predicted(&workshop, "new.csv", &[]);
        let model = model(&workshop);
        let (needed, others): (Vec<_>, Vec<_>) =
            model.columns.iter().partition(|column| column.needed);
        assert!(!needed.is_empty() && !others.is_empty(), "{learn}");
        let record = record(&workshop);
        let member = &record.full_models[0].members[0];
        assert!(member.n_used.unwrap() < member.n_selected, "{learn}");
        if let Ok(equation) = &member.equation {
            assert_eq!(equation.terms.len(), member.n_used.unwrap());
            assert!(equation.terms.iter().all(|term| term.coefficient != 0.0));
        }
        // The table without the columns of the others.
        let text = String::from_utf8(workshop.read("new.csv")).unwrap();
        let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let is_other = |name: &str| {
            let name = name.split(' ').next().unwrap();
            others.iter().any(|column| column.column == name)
        };
        let few = text.lines().map(|line| {
            let cells = line.split(',').zip(&head).filter(|(_, name)| !is_other(name));
            format!("{}\n", cells.map(|(cell, _)| cell).collect::<Vec<_>>().join(","))
        });
        workshop.write("few.csv", few.collect::<String>().as_bytes());
        let few = predicted(&workshop, "few.csv", &[]);
        assert_eq!(whole.len(), few.len());
        for (whole, few) in whole.iter().zip(&few) {
            assert_eq!(whole[..5], few[..5], "{learn}");
        }
        // What nobody asks for may be anything.
        let odd = text.lines().enumerate().map(|(row, line)| {
            let cells = line.split(',').zip(&head).map(|(cell, name)| {
                if row > 0 && is_other(name) { "1e308" } else { cell }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join(","))
        });
        workshop.write("odd.csv", odd.collect::<String>().as_bytes());
        let odd = predicted(&workshop, "odd.csv", &[]);
        for (whole, odd) in whole.iter().zip(&odd) {
            assert_eq!(whole[..5], odd[..5], "{learn}");
        }
        let said: Vec<String> = whole.iter().map(|line| line[1].clone()).collect();
        same_in_onnx(&workshop, learn, &said);
        let graph = workshop.read(&path(&workshop).replace(".json", ".onnx"));
        let columns = onnx::Graph::read(&graph).facts["columns"].clone();
        let columns: Vec<String> = serde_json::from_str(&columns).unwrap();
        let needed: Vec<&str> = needed.iter().map(|column| &*column.name).collect();
        assert_eq!(columns, needed, "{learn}");
    }
}

/// A graph knows categories by their places; of a row with another number nothing is said, as `predict`
/// refuses an unknown category.
#[test]
fn a_category_that_is_none_has_no_probability_for_other_programs() {
    let workshop = ran(PREPARE, "[all]", "[logistic]");
    let bytes = workshop.read(&path(&workshop).replace(".json", ".onnx"));
    let graph = onnx::Graph::read(&bytes);
    let (n, values) = input(&workshop, &graph);
    let columns: Vec<String> = serde_json::from_str(&graph.facts["columns"]).unwrap();
    let side = columns.iter().position(|name| name == "clinical.side").unwrap();
    for (code, is_known) in [
        (0.0, true),
        (2.0, true),
        (f64::NAN, true),
        (3.0, false),
        (-1.0, false),
        (0.5, false),
    ] {
        let mut values = values.clone();
        values[side] = code;
        let said = &graph.run(n, &values)["probability"].values;
        assert_eq!(!said[0].is_nan(), is_known, "{code}");
        assert!(said[1..].iter().all(|probability| !probability.is_nan()));
    }
}

/// A column may be called as a column with a unit is written.
#[test]
fn a_name_that_ends_as_units_do_is_found() {
    let workshop = Workshop::new();
    write_tables(&workshop);
    for file in ["patients.csv", "new.csv"] {
        let text = String::from_utf8(workshop.read(file)).unwrap();
        let text = text.replacen(",t1,t2,", ",t1 [a],t2:unit,", 1);
        workshop.write(file, text.as_bytes());
    }
    let text = STUDY.replace("{PREPARE}", PREPARE).replace("{SELECT}", "[all]");
    workshop.study(&text.replace("{LEARN}", "[logistic]"));
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let names: Vec<String> =
        model(&workshop).columns.into_iter().map(|column| column.column).collect();
    assert!(names.contains(&"t1 [a]".into()) && names.contains(&"t2:unit".into()));
    let said = predicted(&workshop, "new.csv", &[]);
    assert!(said.len() == 40 && said.iter().all(|line| !line[1].is_empty()), "{said:?}");
}

#[test]
fn a_selector_that_keeps_nothing_needs_no_predictor_of_a_table() {
    // A path of two penalties that are nearly one: within a standard error the larger will do.
    let select = "[lasso: { points: 2, reach: 0.99, lambda: 1se, folds: 3 }]";
    let workshop = ran(PREPARE, select, "[svm_linear: { c: 0.1 }]");
    let model = model(&workshop);
    assert!(model.members[0].selected.is_empty() && model.members[0].link.is_none());
    assert_eq!(model.members[0].learner.operation, "naive");
    let share = model.development.n_positive as f64 / model.development.n as f64;
    workshop.write("few.csv", b"patient\nQ1\nQ2\n");
    for line in predicted(&workshop, "few.csv", &[]) {
        assert_eq!(line[1].parse::<f64>().unwrap(), share);
    }
    // Elsewhere it says the same.
    let record = record(&workshop);
    let outside = &record.analyses["idh.all.elsewhere"];
    assert!(outside.performance["auroc"].estimate == 0.5);
    assert!(outside.folds.iter().all(|fold| fold.without_columns));
}

#[test]
fn a_table_is_refused_as_a_whole_and_a_subject_by_itself() {
    let workshop = ran(PREPARE, "[all]", "[logistic]");
    let path = path(&workshop);
    let told = |table: &str, more: &[&str]| {
        let output = workshop.restudy(&[&["predict", &path, table], more].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text, String::from_utf8(output.stdout).unwrap())
    };
    let good = String::from_utf8(workshop.read("new.csv")).unwrap();
    let lines = |n: usize| good.lines().take(n).collect::<Vec<_>>().join("\n");

    // Another column, and one that is missing.
    workshop.write("slip.csv", lines(4).replacen(",t3,", ",T3,", 1).as_bytes());
    let (code, text, out) = told("slip.csv", &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        text.contains("the table has no column `t3`") && text.contains("`T3`"),
        "{text}"
    );
    let more = lines(4).replace('\n', ",9\n").replacen(",t5,9", ",t5,weight", 1);
    workshop.write("more.csv", format!("{more},9").as_bytes());
    let (code, text, _) = told("more.csv", &[]);
    assert!(code == 1 && text.contains("the model knows no column `weight`"), "{text}");
    assert!(text.contains("--ignore-unknown"));
    assert_eq!(told("more.csv", &["--ignore-unknown"]).0, 0);

    // No unit, another unit, a unit for each row.
    workshop.write("no_unit.csv", lines(4).replacen(" [years]", "", 1).as_bytes());
    let (code, text, _) = told("no_unit.csv", &[]);
    assert!(code == 1 && text.contains("which unit `age` is"), "{text}");
    assert_eq!(told("no_unit.csv", &["--assume-units"]).0, 0);
    workshop.write("litres.csv", lines(4).replacen("[mm3]", "[ml]", 1).as_bytes());
    let (code, _, out) = told("litres.csv", &[]);
    assert_eq!(code, 1);
    assert_eq!(out.matches("`volume` is in \"\"ml\"\"").count(), 3, "{out}");
    let rows = "patient,age,age:unit,volume [mm³],side,t1,t2,t3,t4,t5\n\
                a,50,years,2000,left,0,0,0,0,0\n\
                b,600,months,2000,left,0,0,0,0,0\n\
                c,50,years,,left,0,0,0,0,0\n\
                d,50,years,2000,behind,0,0,0,0,0\n\
                e,fifty,years,2000,left,0,0,0,0,0\n\
                f,50,years,2000,left,0,0,0,0,\n\
                g,50,years,2000,left,40,-40,40,-40,40\n\
                h,600,months,2000,left,40,-40,40,-40,40\n";
    workshop.write("rows.csv", rows.as_bytes());
    let (code, text, out) = told("rows.csv", &["-o", "out.csv"]);
    assert_eq!((code, out.as_str()), (1, ""));
    // Who is refused is not counted as unlike the others.
    assert!(text.contains("4 of 8 subjects predicted, 4 refused, 2 unlike"), "{text}");
    let out = String::from_utf8(workshop.read("out.csv")).unwrap();
    let line = |id: &str| {
        let start = format!("{id},");
        out.lines().find(|line| line.starts_with(&start)).unwrap().to_string()
    };
    for (id, why) in [
        ("b", "`age` is in \"\"months\"\", the model's is in years"),
        ("h", "outside of the development range"),
        (
            "d",
            "`side` holds \"\"behind\"\", a category that the model does not know; it knows left, middle, \
             right",
        ),
        (
            "e",
            "`age` holds \"\"fifty\"\", which is no number; correct it, or leave it empty",
        ),
    ] {
        assert!(line(id).starts_with(&format!("{id},,,,,")), "{}", line(id));
        assert!(line(id).contains(why), "{}", line(id));
    }
    assert!(line("a").contains(",no,"), "{}", line("a"));
    assert!(line("f").contains("`t5` is missing, as in 10 development subjects"));
    // The preparation has a value for it, and nobody in development lacked it.
    let c = line("c");
    assert!(!c.starts_with("c,,") && c.contains(",yes,"), "{c}");
    assert!(c.contains("`volume` is missing, as in no development subject"), "{c}");
    let g = line("g");
    assert!(g.contains(",yes,") && g.contains("outside of the development range"));
    assert!(g.contains("farther from the development subjects"), "{g}");

    // A row of nothing is none, one without a name refuses itself, and a name that a spreadsheet would
    // compute is text to it.
    let rows = "patient,age [years],volume [mm³],side,t1,t2,t3,t4,t5\n\
                ,,,,,,,,\n,50,2000,left,0,0,0,0,0\n=a,50,2000,left,0,0,0,0,0\n";
    workshop.write("nameless.csv", rows.as_bytes());
    let (code, text, out) = told("nameless.csv", &[]);
    assert!(code == 1 && text.contains("1 of 2 subjects predicted, 1 refused"), "{text}");
    let lines_of: Vec<&str> = out.lines().collect();
    assert_eq!(lines_of.len(), 3, "{out}");
    let why = ",,,,,`patient` is empty in a row with `age [years]` \"\"50\"\"; name the subject";
    assert_eq!(lines_of[1].replacen('"', "", 1).trim_end_matches('"'), why);
    assert!(lines_of[2].starts_with("'=a,0."), "{out}");

    // No model, another version of the program's operations.
    let (code, text, _) = told("nowhere.csv", &[]);
    assert!(code == 1 && text.contains("nowhere.csv"));
    let other = String::from_utf8(workshop.read(&path)).unwrap();
    let other = other.replacen("\"version\": 1", "\"version\": 77", 1);
    workshop.write("other.json", other.as_bytes());
    let output = restudy(&workshop.path(""), &["predict", "other.json", "new.csv"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("was version 77 when the model was made"), "{text}");

    // A digit that has become another one, a number that is lost, another layout.
    let good: Json = serde_json::from_slice(&workshop.read(&path)).unwrap();
    let refused = |model: &Json| {
        workshop.write("other.json", model.to_string().as_bytes());
        let output = restudy(&workshop.path(""), &["predict", "other.json", "new.csv"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let weights = "/members/0/learner/state/weights";
    let mut other = good.clone();
    let first = other.pointer_mut(&format!("{weights}/0")).unwrap();
    *first = json!(first.as_f64().unwrap() + 0.1);
    assert!(refused(&other).contains("its digest is another"));
    let mut other = good.clone();
    other.pointer_mut(weights).and_then(Json::as_array_mut).unwrap().pop();
    assert!(refused(&other).contains("its digest is another"));
    let mut other = good.clone();
    other["restudy_model"] = json!(1);
    assert!(refused(&other).contains("its layout is version 1"));
    // How the text is set is no part of what it says.
    workshop.write("other.json", good.to_string().as_bytes());
    let output = restudy(&workshop.path(""), &["predict", "other.json", "new.csv"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    // A row that does not state its unit, where that is taken to be the model's; a decimal comma.
    let table = "patient;age;age:unit;volume;side;t1;t2;t3;t4;t5\n\
                 i;50;;2000;left;0;0;0;0;0\nj;50;years;2000;left;0,5;0;0;0;0\n";
    workshop.write("units.csv", table.as_bytes());
    let (code, _, out) = told("units.csv", &["--assume-units"]);
    assert!(code == 1 && out.contains("\ni,0."), "{out}");
    let why = "`t1` holds \"\"0,5\"\", which is no number; write it with a decimal point";
    assert!(out.contains(why), "{out}");
}

/// A cohort of the study and the file of its model say the same of patients who lack a value that no
/// development patient lacked, and the report counts them.
#[test]
fn a_value_that_is_missing_means_the_same_in_the_study_and_to_the_file() {
    let workshop = Workshop::new();
    write_tables(&workshop);
    for file in ["patients.csv", "new.csv"] {
        let text = String::from_utf8(workshop.read(file)).unwrap();
        let line = |line: &str| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if line.starts_with("b00") {
                cells[2] = "";
            }
            cells.join(",")
        };
        let lines: Vec<String> = text.lines().map(line).collect();
        workshop.write(file, format!("{}\n", lines.join("\n")).as_bytes());
    }
    let study = |prepare: &str| {
        // Of data that are not public the count would be hidden.
        let public = "seed: 11\ngovernance: { public: true }\n";
        let text = STUDY.replace("{PREPARE}", prepare).replace("{SELECT}", "[all]");
        text.replace("{LEARN}", "[logistic]").replace("seed: 11\n", public)
    };
    let html = || String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    workshop.study(&study(PREPARE));
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let said = String::from_utf8(workshop.read("runs/study/predictions.csv")).unwrap();
    let of_run: Vec<String> = cells(&said)
        .into_iter()
        .filter(|line| line[0] == "idh.all.elsewhere")
        .map(|line| line[5].clone())
        .collect();
    let alone = predicted(&workshop, "new.csv", &[]);
    let by_file: Vec<String> = alone.iter().map(|line| line[1].clone()).collect();
    assert_eq!((of_run.len(), &by_file), (40, &of_run));
    // Reasons hold commas.
    let reasons = |line: &[String]| line[5..].join(",");
    assert!(alone[..10].iter().all(|line| {
        line[4] == "yes" && reasons(line).contains("as in no development subject")
    }));
    // Ten lack the volume; of the six that lack `t5`, five others.
    let frozen = record(&workshop).analyses["idh.all.elsewhere"].frozen.clone().unwrap();
    assert_eq!(frozen.filled, 15);
    let mut columns = frozen.filled_columns;
    columns.sort();
    assert_eq!(columns, ["clinical.volume", "radiomics.t5"]);
    let page = html();
    assert!(page.contains("of these rows lack a predictor"));
    assert!(page.contains("A missing value is filled in by the model’s preparation"));

    // Where nothing fills it in, that cohort would have no result.
    let plain = study("[encode_onehot, scale_zscore]");
    workshop.study(&plain.replace("[\"t*\"]", "[t1, t2]"));
    let checked = restudy(workshop.path("").as_path(), &["check", "study.yaml"]);
    let said = String::from_utf8_lossy(&checked.stderr).to_string();
    assert!(said.contains("has no result in cohort `elsewhere`"), "{said}");
    // Without gaps there the page says so, and a subject that has one is refused.
    write_tables(&workshop);
    assert_eq!(workshop.run(&[])["exit"], "fine");
    assert!(html().contains("The preparation fills in no missing value"));
    let table = "patient,age,volume,side,t1,t2\nx,50,,left,0,0\ny,50,2000,left,0,0\n";
    workshop.write("two.csv", table.as_bytes());
    let said = predicted(&workshop, "two.csv", &["--assume-units"]);
    assert_eq!((said[0][1].as_str(), said[1][1].is_empty()), ("", false));
    assert!(reasons(&said[0]).contains("has no value in place of one that is missing"));
}

/// What a file says of a table does not hang on how its text is written.
#[test]
fn a_table_of_another_encoding_is_read_as_a_study_would_read_it() {
    let workshop = ran(PREPARE, "[all]", "[logistic]");
    let plain = predicted(&workshop, "new.csv", &[]);
    let text = String::from_utf8(workshop.read("new.csv")).unwrap();
    let marked = format!("\u{feff}{text}");
    let little = marked.encode_utf16().flat_map(u16::to_le_bytes);
    workshop.write("little.csv", &little.collect::<Vec<u8>>());
    let big = marked.encode_utf16().flat_map(u16::to_be_bytes);
    workshop.write("big.csv", &big.collect::<Vec<u8>>());
    for table in ["little.csv", "big.csv"] {
        assert_eq!(predicted(&workshop, table, &[]), plain, "{table}");
    }
    let unmarked: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    workshop.write("unmarked.csv", &unmarked);
    let output = workshop.restudy(&["predict", &path(&workshop), "unmarked.csv"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("save the table as UTF-8"), "{told}");
}

/// Of two hospitals, whose table is `sites.csv`; `UNSEEN` is what becomes of further ones.
const TWO_HOSPITALS: &str = r#"restudy: 1
title: Two hospitals (simulated)
cancer: glioma
seed: 3
sources:
  clinic: { table: sites.csv, id: patient }
cohorts:
  all: { from: clinic, site: hospital }
outcomes:
  idh: { label: IDH mutation, binary: { column: status, positive: 1, negative: 0 } }
predictors:
  radiomics: { columns: { from: clinic, include: ["x*"] } }
prepare: [impute_median, harmonise_combat: { batch: hospital, unseen: UNSEEN }, scale_zscore]
learn: [logistic]
validate:
  internal: { nested: { outer: 3, inner: 2 } }
evaluate:
  primary: auroc
  controls: { added: { none: not asked here }, permuted_outcome: { none: not asked here } }
"#;

/// Who has no site, or one of one row, is refused alone; a new site of several rows is judged as a whole,
/// which is told.
#[test]
fn rows_of_a_new_site_are_judged_together_and_nobody_else_is() {
    let workshop = Workshop::new();
    let mut stream = restudy::math::Stream::new(5, &["sites"]);
    let mut rows = |n: usize, sites: &[&str]| -> Vec<(String, String)> {
        let row = |i: usize| {
            let site = sites[i % sites.len()];
            let shift = if site == "A" { 0.0 } else { 1.0 };
            let values = (0..3).map(|_| (shift + stream.normal()).to_string());
            let values: Vec<String> = values.collect();
            (site.to_string(), values.join(","))
        };
        (0..n).map(row).collect()
    };
    let mut table = "patient,status,hospital,x1,x2,x3\n".to_string();
    for (i, (site, values)) in rows(60, &["A", "B"]).into_iter().enumerate() {
        table.push_str(&format!("P{i:02},{},{site},{values}\n", i / 2 % 2));
    }
    workshop.write("sites.csv", table.as_bytes());
    workshop.study(&TWO_HOSPITALS.replace("UNSEEN", "transductive"));
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    let new = rows(8, &["A", "", "C", "D", "C", "B", "C", "A"]);
    let written = |rows: &[usize]| {
        let lines = rows.iter().map(|at| format!("n{at},{},{}", new[*at].0, new[*at].1));
        let lines: Vec<String> = lines.collect();
        format!("patient,hospital,x1,x2,x3\n{}\n", lines.join("\n"))
    };
    workshop.write("new.csv", written(&[0, 1, 2, 3, 4, 5, 6, 7]).as_bytes());
    let path = path(&workshop);
    let output = workshop.restudy(&["predict", &path, "new.csv"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("6 of 8 subjects predicted, 2 refused"), "{told}");
    assert!(told.contains("3 judged together with other rows"), "{told}");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.lines().skip(1).collect();
    assert!(said[1].starts_with("n1,,,") && said[1].contains("`hospital` is missing"));
    assert!(
        said[3].starts_with("n3,,,") && said[3].contains("at least two of them"),
        "{}",
        said[3]
    );
    for at in [2, 4, 6] {
        let why = "judged together with all 3 rows of `hospital` C";
        assert!(said[at].contains(why), "{}", said[at]);
    }
    // Those of a hospital that the model knows are the same in any company.
    workshop.write("known.csv", written(&[0, 5]).as_bytes());
    let output = workshop.restudy(&["predict", &path, "known.csv"]);
    let known = String::from_utf8(output.stdout).unwrap();
    let known: Vec<&str> = known.lines().skip(1).collect();
    assert_eq!(known, [said[0], said[5]]);
    assert!(!known[0].contains("together"));
}

/// What a site is taken for that no development row is of is told with the prediction.
#[test]
fn a_row_of_a_site_that_development_had_not_says_so() {
    let workshop = Workshop::new();
    let mut stream = restudy::math::Stream::new(6, &["sites"]);
    let mut table = "patient,status,hospital,x1,x2,x3\n".to_string();
    for i in 0..60 {
        let values: Vec<String> = (0..3).map(|_| stream.normal().to_string()).collect();
        let site = ["A", "B"][i % 2];
        table.push_str(&format!("P{i:02},{},{site},{}\n", i / 2 % 2, values.join(",")));
    }
    workshop.write("sites.csv", table.as_bytes());
    workshop.study(&TWO_HOSPITALS.replace("UNSEEN", "pooled"));
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    let new = "patient,hospital,x1,x2,x3\nn0,A,0,0,0\nn1,Z,0,0,0\n";
    workshop.write("new.csv", new.as_bytes());
    let said = predicted(&workshop, "new.csv", &[]);
    let reasons = |line: &[String]| line[5..].join(",");
    assert_eq!(reasons(&said[0]), "");
    assert!(!said[1][1].is_empty(), "{said:?}");
    let why = "`hospital` is none that the model was developed on (A, B)";
    assert!(reasons(&said[1]).contains(why), "{said:?}");
}

/// Everything that `predict` refuses, in its words: `tests/golden/predict/<case>.out` has what is said,
/// what is printed and the exit code.
#[test]
fn what_is_said_of_refused_tables_is_as_agreed() {
    let workshop = ran(PREPARE, "[all]", "[logistic]");
    let path = path(&workshop);
    let good = String::from_utf8(workshop.read("new.csv")).unwrap();
    let lines = |n: usize| good.lines().take(n).collect::<Vec<_>>().join("\n");
    let head = good.lines().next().unwrap();
    let wide = |name: &str| {
        let more =
            lines(4).replace('\n', ",9\n").replacen(",t5,9", &format!(",t5,{name}"), 1);
        format!("{more},9")
    };
    let row = |cells: &str| {
        format!("patient,age,age:unit,volume [mm³],side,t1,t2,t3,t4,t5\n{cells}\n")
    };
    let cases: [(&str, String, &[&str]); 21] = [
        (
            "column_that_is_not_there",
            "patient,age [years],volume [mm³],side,t1,t2,t3,t4\nb,50,2000,left,0,0,0,0\n"
                .into(),
            &[],
        ),
        ("column_misspelt", lines(4).replacen(",t3,", ",T3,", 1), &[]),
        ("column_unknown", wide("weight"), &[]),
        ("column_twice", wide("t5"), &[]),
        ("unit_not_stated", lines(4).replacen(" [years]", "", 1), &[]),
        ("unit_of_another_kind", lines(4).replacen("[mm3]", "[ml]", 1), &[]),
        ("unit_of_no_kind", lines(4).replacen("[mm3]", "[furlong]", 1), &[]),
        ("unit_by_row", row("b,600,months,2000,left,0,0,0,0,0"), &[]),
        (
            "id_twice",
            row("b,50,years,2000,left,0,0,0,0,0\nb,51,years,2000,left,0,0,0,0,0"),
            &[],
        ),
        ("value_of_no_known_category", row("d,50,years,2000,behind,0,0,0,0,0"), &[]),
        ("value_that_is_no_number", row("e,fifty,years,2000,left,0,0,0,0,0"), &[]),
        ("subject_unlike_the_others", row("g,50,years,2000,left,40,-40,40,-40,40"), &[]),
        ("value_too_far_out", row("h,50,years,1e300,left,0,0,0,0,0"), &[]),
        (
            "values_too_far_out_both_ways",
            row("k,50,years,2000,left,1e300,-1e300,0,0,0"),
            &[],
        ),
        ("no_predictor_known", row("i,,,,,,,,,"), &[]),
        ("subject_without_a_name", row(",50,years,2000,left,0,0,0,0,0"), &[]),
        ("no_subject", format!("{head}\n"), &[]),
        ("nothing_at_all", String::new(), &[]),
        ("id_column_that_is_not_there", lines(3), &["--id", "person"]),
        ("id_column_misspelt", lines(3), &["--id", "patinet"]),
        ("row_too_short", format!("{}\nz,1\n", lines(3)), &[]),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/predict");
    let mut moved = Vec::new();
    let mut agreed = |case: &str, arguments: &[&str]| {
        let output = workshop.restudy(&[&["predict"], arguments].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        let said = format!("{}{}exit {code}\n", text(output.stderr), text(output.stdout));
        let path = folder.join(format!("{case}.out"));
        if updating() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &said).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        if said != known {
            moved.push(format!("== {case}\nagreed:\n{known}\nsaid:\n{said}"));
        }
    };
    for (case, table, more) in &cases {
        workshop.write("table.csv", table.as_bytes());
        agreed(case, &[&[path.as_str(), "table.csv"], *more].concat());
    }
    agreed("no_such_table", &[&path, "nowhere.csv"]);
    agreed("no_such_model", &["nowhere.json", "new.csv"]);
    workshop.write("text.json", b"a model of nothing");
    agreed("no_model", &["text.json", "new.csv"]);
    let other = String::from_utf8(workshop.read(&path)).unwrap();
    workshop.write(
        "later.json",
        other.replacen("\"version\": 1", "\"version\": 77", 1).as_bytes(),
    );
    agreed("model_of_another_version", &["later.json", "new.csv"]);
    assert!(moved.is_empty(), "{}", moved.join("\n"));
}

#[test]
fn one_model_is_frozen_unless_the_author_says_none_or_does_not_say_which() {
    let workshop = Workshop::new();
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine");
    assert_eq!(record(&workshop).full_models.len(), 1);
    let frozen = || {
        let journal = workshop.journal();
        let mut frozen: Vec<String> =
            journal.into_keys().filter(|node| node.ends_with("/freeze")).collect();
        frozen.sort();
        frozen
    };
    assert_eq!(frozen().len(), 1);
    let text = crate::workshop::STUDY;
    workshop.study(&text.replace("\nprepare:", "\nfrozen: none\n\nprepare:"));
    workshop.run(&[]);
    assert!(record(&workshop).full_models.is_empty());
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("No model is handed over"));
    let models = "\nmodels:\n  both: [radiomics, scan]\n  one: [radiomics]\n\nprepare:";
    workshop.study(&text.replace("\nprepare:", models));
    workshop.run(&[]);
    assert!(record(&workshop).full_models.is_empty());
    let named = text.replace("\nprepare:", &format!("\nprimary_model: one\n{models}"));
    workshop.study(&named);
    workshop.run(&[]);
    let record = record(&workshop);
    assert_eq!(record.full_models.len(), 1);
    assert_eq!(record.full_models[0].name, "idh1.one");
    assert!(record.certificate.rules.iter().any(|rule| rule.contains("frozen model")));
}

#[test]
fn importance_is_of_held_out_rows_and_finds_what_was_planted() {
    let workshop =
        ran("[encode_onehot, impute_median, scale_zscore]", "[all]", "[logistic]");
    let facts = &record(&workshop).full_models[0];
    let importance = facts.importance.as_ref().unwrap();
    assert_eq!((importance.folds, importance.predictors.len()), (3, 8));
    let of =
        |name: &str| importance.predictors.iter().find(|p| p.name == name).unwrap().mean;
    // The age was planted, the volume was not.
    assert!(of("clinical.age") > 0.02 && of("clinical.age") > of("clinical.volume"));
    let explained = facts.explained.as_ref().unwrap();
    assert_eq!(explained.rows, 70);
    let age = explained.predictors.iter().find(|p| p.name == "clinical.age").unwrap();
    assert!(age.correlation.unwrap() < -0.9, "older patients have it less often");
}

/// `tests/models/make_shap.py` draws trees and asks the Python package `shap` for the values.
#[test]
fn tree_values_are_those_of_the_python_package() {
    let text = include_str!("shap.csv");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let numbers = |line: &str| -> Vec<f64> {
        line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect()
    };
    let (mut trees, mut cover) = (Trees::default(), Vec::new());
    let mut open: Vec<usize> = Vec::new();
    let (mut rows, mut checked) = (Vec::new(), 0);
    for line in lines.by_ref() {
        let values = numbers(line);
        match line.split(',').next().unwrap() {
            // A node in the order of writing: column, cut, cover; right children after left ones.
            "tree" => trees.begin(),
            "split" => {
                open.push(trees.split(values[0] as u32, values[1]));
                cover.push(values[2]);
            }
            "leaf" => {
                trees.leaf(values[0]);
                cover.push(values[1]);
            }
            "right" => {
                let of = open.pop().unwrap();
                trees.right(of);
            }
            "row" => rows = values,
            "shap" => {
                let (base, found) = shapley(&trees, &cover, &rows);
                assert!((base - values[0]).abs() < 1e-6, "{base} {}", values[0]);
                for (found, wanted) in found.iter().zip(&values[1..]) {
                    assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
                }
                checked += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(checked >= 20);
    assert_eq!(covers(&trees, &rows, rows.len()).len(), cover.len());
}

/// Every step but `harmonise_combat` has formulas, and they give what the step gives, to the bit; what any
/// step learned comes back from JSON as it was.
#[test]
fn formulas_of_steps_give_what_the_steps_give() {
    use restudy::data::{Frame, FrameColumn, Rows, Split};
    use restudy::operation::{Instance, Kind};
    let n = 40;
    let mut stream = restudy::math::Stream::new(5, &["formulas"]);
    let outcome: Vec<Option<bool>> = (0..n).map(|row| Some(row % 3 == 0)).collect();
    let mut with = |gaps: bool| {
        let column = |j: usize, stream: &mut restudy::math::Stream| FrameColumn {
            name: format!("c{j}").into(),
            values: (0..n)
                .map(|row| match (gaps && j == 1 && row % 6 == 2, j) {
                    (true, _) => f64::NAN,
                    (false, 2) => 4.5, // Constant.
                    _ => stream.normal() * 3.0 + if row % 3 == 0 { 1.0 } else { -1.0 },
                })
                .collect(),
        };
        let columns: Vec<FrameColumn> = (0..5).map(|j| column(j, &mut stream)).collect();
        Rows::new(columns, n)
    };
    let (whole, gaps) = (with(false), with(true));
    let mut without = Vec::new();
    for entry in Catalog::standard().of_kind(Kind::TableStep) {
        let name = entry.about.name;
        let mut rows =
            if name.starts_with("impute") { gaps.clone() } else { whole.clone() };
        if name == "encode_onehot" {
            let codes = (0..n).map(|row| (row % 3) as f64).collect();
            let codes = FrameColumn { name: "side".into(), values: codes };
            let whole = rows.columns().iter();
            let mut columns: Vec<FrameColumn> =
                whole.map(|column| FrameColumn::clone(column)).collect();
            columns.push(codes);
            let sides = ["left", "middle", "right"].map(String::from).to_vec();
            rows = Rows::new(columns, n)
                .with_categories([("side".to_string(), sides)].into());
        }
        let mut parameters = (entry.defaults)();
        if name == "harmonise_combat" {
            parameters["batch"] = json!("site");
            let site = |row: usize| Some(["x", "y"][row % 2].to_string());
            let sites = (0..n).map(site).collect();
            rows = rows.with_beside([("site".to_string(), sites)].into());
        }
        if name == "impute_median" {
            parameters["indicator"] = json!(true);
        }
        if parameters.get("k").is_some() {
            parameters["k"] = json!(3);
        }
        let Instance::TableStep(step) = (entry.build)(parameters).unwrap() else {
            unreachable!()
        };
        let frame = Frame { rows: rows.clone(), failed: vec![None; n] };
        let split = Split { train: (0..n as u32).collect(), held_out: Vec::new() };
        let groups: Vec<u32> = (0..n as u32).collect();
        let state = step.fit(&split.train(&frame, &outcome, &groups)).unwrap();
        let json = step.state(&state).unwrap();
        let text = serde_json::to_string(&json).unwrap();
        let read: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(step.state_of(&read).unwrap(), state, "{name}");
        let Some(formulas) = step.formulas(&state, &rows.take(&[])) else {
            without.push(name);
            continue;
        };
        let mut applied = rows.clone();
        step.apply(&state, &mut applied).unwrap();
        assert_eq!(formulas.len(), applied.p(), "{name}");
        for (formula, made) in formulas.iter().zip(applied.columns()) {
            let from = &rows.columns()[formula.from];
            for (value, made) in from.values.iter().zip(&made.values) {
                let given = formula.change.of(*value, rows.categories(&from.name));
                assert_eq!(given.to_bits(), made.to_bits(), "{name}: {}", from.name);
            }
        }
    }
    assert_eq!(without, ["harmonise_combat"]);
}
