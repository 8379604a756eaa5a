//! Numbers that others have computed: scikit-learn, statsmodels, the IBSI.

use std::path::{Path, PathBuf};

use restudy::catalog::Catalog;
use restudy::data::{Frame, FrameColumn, Roi, Rows, Split, Train, Value};
use restudy::math::{Stream, sqrt};
use restudy::operation::{Entry, File, Instance, ReadAs, Scored};
use restudy::statistics::{
    Between, corrected_t, cramers_v, delong, holm, logit_interval, nadeau_bengio,
    paired_delong, pooled_auroc, random_effects, wilson,
};
use serde_json::{Value as Json, json};

use crate::workshop::test_data;

pub fn operation(name: &str, parameters: Json) -> Instance {
    let catalog = Catalog::standard();
    let entry: &Entry = catalog.get(name).unwrap();
    (entry.build)(parameters).unwrap()
}

/// A CSV file without quotes, by column.
fn columns(text: &str) -> Vec<(String, Vec<String>)> {
    let mut lines = text.lines();
    let mut columns: Vec<(String, Vec<String>)> = lines
        .next()
        .unwrap()
        .split(',')
        .map(|name| (name.to_string(), Vec::new()))
        .collect();
    for line in lines {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.1.push(cell.to_string());
        }
    }
    columns
}

pub fn numbers(columns: &[(String, Vec<String>)], name: &str) -> Vec<f64> {
    let column = columns.iter().find(|(known, _)| known == name).unwrap();
    column
        .1
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(|cell| cell.parse().unwrap())
        .collect()
}

/// Training rows and held-out rows of a file of `tests/reference`, and its columns.
fn fixture(name: &str) -> (Train, Rows, Vec<(String, Vec<String>)>) {
    fixture_of(name, "y")
}

/// The same with the classes of a column.
fn fixture_of(name: &str, class: &str) -> (Train, Rows, Vec<(String, Vec<String>)>) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/reference/{name}.csv"));
    let columns = columns(&std::fs::read_to_string(path).unwrap());
    let outcome: Vec<Option<bool>> =
        numbers(&columns, class).iter().map(|class| Some(*class == 1.0)).collect();
    let n = outcome.len();
    let features = columns.iter().filter(|(name, _)| name.starts_with('c'));
    let features = features.map(|(name, _)| FrameColumn {
        name: name.as_str().into(),
        values: numbers(&columns, name),
    });
    let frame = Frame { rows: Rows::new(features.collect(), n), failed: vec![None; n] };
    let k = (n * 2 / 3) as u32;
    let split = Split { train: (0..k).collect(), held_out: (k..n as u32).collect() };
    let train = split.train(&frame, &outcome, &vec![0; n]);
    (train, split.held_out(&frame).1, columns)
}

#[test]
fn scaling_and_learners_are_those_of_scikit_learn() {
    let by_prevalence = [
        ("p_logistic_0.01", "logistic", json!({ "c": 0.01 }), 1e-6),
        ("p_logistic_1", "logistic", json!({ "c": 1.0 }), 1e-6),
        ("p_logistic_100", "logistic", json!({ "c": 100.0 }), 1e-6),
        ("p_knn_5", "knn", json!({ "k": 5 }), 1e-12),
        ("p_naive_bayes", "naive_bayes", json!({}), 1e-9),
    ];
    let balanced = |mut parameters: Json| {
        parameters["class_weight"] = json!("balanced");
        parameters
    };
    let by_weight = [
        ("u_naive_bayes", "naive_bayes", balanced(json!({})), 1e-9),
        ("u_lda_auto", "lda", balanced(json!({})), 1e-9),
        ("u_lda_tenth", "lda", balanced(json!({ "shrinkage": 0.1 })), 1e-9),
        ("u_knn_7", "knn", balanced(json!({ "k": 7 })), 1e-12),
    ];
    for (file, class, settings) in [
        ("tall", "y", &by_prevalence[..]),
        ("wide", "y", &by_prevalence[..]),
        ("tall", "u", &by_weight[..]),
        ("wide", "u", &by_weight[..]),
    ] {
        let (train, mut held_out, columns) = fixture_of(file, class);
        let Instance::TableStep(scale) = operation("scale_zscore", json!({})) else {
            panic!()
        };
        let state = scale.fit(&train).unwrap();
        let mut rows = train.rows().clone();
        scale.apply(&state, &mut rows).unwrap();
        scale.apply(&state, &mut held_out).unwrap();
        let train = train.with_rows(rows);
        for (column, name, parameters, tolerance) in settings {
            let Instance::Learner(learner) = operation(name, parameters.clone()) else {
                panic!()
            };
            let model = learner.fit(&train, &mut Stream::new(1, &[])).unwrap();
            let found = learner.predict(&model, &held_out).unwrap();
            let expected = numbers(&columns, column);
            assert_eq!(found.len(), expected.len());
            let worst = found
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            println!("{file} {column}: largest difference {worst:.1e}");
            assert!(worst <= *tolerance, "{file} {column}: {worst:e}");
        }
    }
}

#[test]
fn the_ranking_of_columns_is_that_of_scikit_learn() {
    for file in ["tall", "wide"] {
        let (train, _, _) = fixture(file);
        let path = format!("{}/tests/reference/{file}_f.csv", env!("CARGO_MANIFEST_DIR"));
        let f = numbers(&columns(&std::fs::read_to_string(path).unwrap()), "f");
        let mut expected: Vec<usize> = (0..f.len()).collect();
        expected.sort_by(|a, b| f[*b].total_cmp(&f[*a]));
        for k in 1..=f.len() {
            let Instance::TableStep(anova) = operation("anova", json!({ "k": k })) else {
                panic!()
            };
            let state = anova.fit(&train).unwrap();
            let mut rows = train.rows().clone();
            anova.apply(&state, &mut rows).unwrap();
            let mut names: Vec<String> =
                expected[..k].iter().map(|column| format!("c{column}")).collect();
            names.sort();
            let mut kept: Vec<String> =
                rows.columns().iter().map(|c| c.name.to_string()).collect();
            kept.sort();
            assert_eq!(kept, names, "{file}, k = {k}");
        }
    }
}

#[test]
fn the_statistics_are_those_of_the_reference_collection() {
    let Some(data) = test_data() else { return };
    let read = |name: &str| {
        std::fs::read_to_string(data.join("stats_reference").join(name)).unwrap()
    };
    let reference: Json = serde_json::from_str(&read("reference.json")).unwrap();
    let cases = reference.as_array().or_else(|| reference["cases"].as_array()).unwrap();
    let case = |name: &str| {
        cases.iter().find(|case| case["name"] == name).unwrap()["outputs"].clone()
    };
    let near = |found: f64, expected: &Json, what: &str| {
        let expected = expected.as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 1e-10 * expected.abs(),
            "{what}: {found} {expected}"
        );
    };
    let predictions = columns(&read("inputs/predictions.csv"));
    let names: Vec<&str> = predictions.iter().map(|(name, _)| name.as_str()).collect();
    let truth_name = if names.contains(&"y") { "y" } else { names[0] };
    let truth: Vec<bool> =
        numbers(&predictions, truth_name).iter().map(|y| *y == 1.0).collect();
    let Instance::Metric(auroc) = operation("auroc", json!({})) else { panic!() };
    let compute = |truth: &[bool], scores: &[f64]| {
        auroc.compute(Scored { truth, scores, ..Scored::default() }).unwrap()
    };
    let (p1, p2) = (numbers(&predictions, "p1"), numbers(&predictions, "p2"));
    near(compute(&truth, &p1), &case("auc_delong")["auc"][0], "auroc of p1");
    near(compute(&truth, &p2), &case("auc_delong")["auc"][1], "auroc of p2");
    // Fold of row i: 7 i mod 10.
    let folds: Vec<f64> = (0..10)
        .map(|fold| {
            let rows: Vec<usize> =
                (0..truth.len()).filter(|i| 7 * i % 10 == fold).collect();
            let truth: Vec<bool> = rows.iter().map(|i| truth[*i]).collect();
            let scores: Vec<f64> = rows.iter().map(|i| p1[*i]).collect();
            compute(&truth, &scores)
        })
        .collect();
    let expected = case("cv_intervals");
    for (fold, value) in folds.iter().enumerate() {
        near(*value, &expected["fold_auc"][fold], "fold");
    }
    let n_test = truth.len() as f64 / 10.0;
    let interval =
        nadeau_bengio(&folds, truth.len() as f64 - n_test, n_test, 0.95).unwrap();
    near(interval.0, &expected["nadeau_bengio_ci95"][0], "lower");
    near(interval.1, &expected["nadeau_bengio_ci95"][1], "upper");
    let threshold = case("threshold_metrics");
    let at = threshold["threshold"].as_f64().unwrap();
    let decisions: Vec<bool> = p1.iter().map(|score| *score >= at).collect();
    for name in ["sensitivity", "specificity"] {
        let Instance::Metric(metric) = operation(name, json!({})) else { panic!() };
        let scored = Scored {
            truth: &truth,
            scores: &p1,
            decisions: &decisions,
            ..Scored::default()
        };
        let value = metric.compute(scored).unwrap();
        near(value, &threshold[name]["value"], name);
        let n = metric.denominator(scored) as f64;
        let (lower, upper) = wilson(value * n, n, 0.95).unwrap();
        near(lower, &threshold[name]["wilson95"][0], name);
        near(upper, &threshold[name]["wilson95"][1], name);
    }
    let Instance::Calibrator(youden) = operation("youden", json!({})) else { panic!() };
    let found = youden.threshold(&truth, &p1).unwrap();
    near(found, &case("discrimination_misc")["youden_threshold_p1"], "youden");
}

/// Text of the reference collection, its cases, and the closeness that each asks for.
pub struct Collection {
    folder: PathBuf,
    cases: Vec<Json>,
}

impl Collection {
    pub fn open() -> Option<Self> {
        let folder = test_data()?.join("stats_reference");
        let text = std::fs::read_to_string(folder.join("reference.json")).unwrap();
        let reference: Json = serde_json::from_str(&text).unwrap();
        let cases = reference.as_array().or_else(|| reference["cases"].as_array());
        Some(Self { folder, cases: cases.unwrap().clone() })
    }

    pub fn columns(&self, name: &str) -> Vec<(String, Vec<String>)> {
        let path = self.folder.join("inputs").join(name);
        columns(&std::fs::read_to_string(path).unwrap())
    }

    pub fn case(&self, name: &str) -> Case<'_> {
        let case = self.cases.iter().find(|case| case["name"] == name).unwrap();
        Case { name: name.to_string(), case, worst: 0.0 }
    }
}

/// One case, and the largest relative difference found so far.
pub struct Case<'a> {
    name: String,
    case: &'a Json,
    worst: f64,
}

impl Case<'_> {
    pub fn expected(&self, place: &str) -> &Json {
        self.case["outputs"].pointer(place).unwrap()
    }

    pub fn near(&mut self, found: f64, place: &str) {
        let expected = self.expected(place).as_f64().unwrap();
        let apart = (found - expected).abs() / expected.abs();
        self.worst = self.worst.max(apart);
        let most = self.case["suggested_rel_tol"].as_f64().unwrap();
        assert!(apart <= most, "{} {place}: {found} {expected}", self.name);
    }
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        println!("{}: largest relative difference {:.1e}", self.name, self.worst);
    }
}

#[test]
fn areas_and_their_comparison_are_those_of_delong() {
    let Some(collection) = Collection::open() else { return };
    let rows = collection.columns("predictions.csv");
    let truth: Vec<bool> = numbers(&rows, "y").iter().map(|y| *y == 1.0).collect();
    let (p1, p2) = (numbers(&rows, "p1"), numbers(&rows, "p2"));
    let mut case = collection.case("auc_delong");
    for (number, scores) in [&p1, &p2].into_iter().enumerate() {
        let found = delong(&truth, scores).unwrap();
        case.near(found.auroc, &format!("/auc/{number}"));
        case.near(sqrt(found.variance), &format!("/se/{number}"));
        let (lower, upper) = logit_interval(found.auroc, found.variance, 0.95).unwrap();
        case.near(lower, &format!("/ci95_logit/{number}/0"));
        case.near(upper, &format!("/ci95_logit/{number}/1"));
    }
    let paired = paired_delong(&truth, &p1, &p2).unwrap();
    let sum = [&p1, &p2].map(|scores| delong(&truth, scores).unwrap().variance);
    case.near((sum[0] + sum[1] - paired.variance) / 2.0, "/cov12");
    case.near(paired.z, "/paired_z");
    case.near(paired.p, "/paired_p");
    let half = 1.959_963_984_540_054 * sqrt(paired.variance);
    case.near(paired.difference - half, "/diff_ci95/0");
    case.near(paired.difference + half, "/diff_ci95/1");
}

#[test]
fn pooled_areas_are_those_of_random_effects() {
    let Some(collection) = Collection::open() else { return };
    let rows = collection.columns("meta_auc.csv");
    // Hanley and McNeil's variance, as the collection takes it.
    let of_site = |(auc, (m, n)): (f64, (f64, f64))| {
        let (q1, q2) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
        let (own, between) = (auc * (1.0 - auc), auc * auc);
        let spread = own + (m - 1.0) * (q1 - between) + (n - 1.0) * (q2 - between);
        (auc, spread / (m * n))
    };
    let counts = numbers(&rows, "n_pos").into_iter().zip(numbers(&rows, "n_neg"));
    let sites: Vec<(f64, f64)> =
        numbers(&rows, "auc").into_iter().zip(counts).map(of_site).collect();
    let pooled = pooled_auroc(&sites, 0.95).unwrap();
    let mut case = collection.case("meta_analysis");
    case.near(pooled.auroc, "/REML/pooled_auc");
    case.near(pooled.interval.0, "/REML/pooled_auc_hk_ci95/0");
    case.near(pooled.interval.1, "/REML/pooled_auc_hk_ci95/1");
    let logits: Vec<(f64, f64)> = (0..sites.len())
        .map(|site| {
            let at = |name| case.expected(&format!("/{name}/{site}")).as_f64().unwrap();
            (at("yi_logit_auc"), at("vi"))
        })
        .collect();
    let of = |between| random_effects(&logits, between, 0.95).unwrap();
    for (found, by) in [
        (pooled.logit, "REML"),
        (of(Between::Reml), "REML"),
        (of(Between::DerSimonianLaird), "DL"),
    ] {
        case.near(found.estimate, &format!("/{by}/mu"));
        case.near(found.standard_error, &format!("/{by}/hk_se"));
        case.near(found.interval.0, &format!("/{by}/hk_ci95/0"));
        case.near(found.interval.1, &format!("/{by}/hk_ci95/1"));
        case.near(found.prediction.unwrap().0, &format!("/{by}/pi95_t_k-2/0"));
        case.near(found.prediction.unwrap().1, &format!("/{by}/pi95_t_k-2/1"));
        case.near(found.tau_squared, &format!("/{by}/tau2"));
        case.near(found.q, "/Q");
        case.near(found.i_squared, "/I2_Q");
    }
}

#[test]
fn comparisons_are_those_of_scipy_and_statsmodels() {
    let Some(collection) = Collection::open() else { return };
    let rows = collection.columns("auc_by_dataset.csv");
    let differences: Vec<f64> = numbers(&rows, "LR")
        .iter()
        .zip(numbers(&rows, "RF"))
        .map(|(first, second)| first - second)
        .take(10)
        .collect();
    let (t, p, ..) = corrected_t(&differences, 90.0, 10.0).unwrap();
    let mut case = collection.case("nadeau_bengio");
    case.near(t, "/t");
    case.near(p, "/p");
    // The interval of fold values is that of their differences from nothing.
    let mut case = collection.case("cv_intervals");
    let folds: Vec<f64> = (0..10)
        .map(|fold| case.expected(&format!("/fold_auc/{fold}")).as_f64().unwrap())
        .collect();
    let (_, _, lower, upper) = corrected_t(&folds, 180.0, 20.0).unwrap();
    case.near(lower, "/nadeau_bengio_ci95/0");
    case.near(upper, "/nadeau_bengio_ci95/1");
    let mut case = collection.case("multiple_testing");
    let rows = collection.columns("pvalues.csv");
    for (place, adjusted) in holm(&numbers(&rows, &rows[0].0)).iter().enumerate() {
        case.near(*adjusted, &format!("/holm/{place}"));
    }
}

#[test]
fn association_is_that_of_scipy() {
    let Some(collection) = Collection::open() else { return };
    let mut case = collection.case("contingency");
    let table: Vec<Vec<usize>> =
        serde_json::from_value(case.expected("/table").clone()).unwrap();
    let (v, p) = cramers_v(&table).unwrap();
    case.near(v, "/cramers_v");
    case.near(p, "/p");
}

#[test]
fn first_order_features_are_those_of_the_ibsi_digital_phantom() {
    let Some(data) = test_data() else { return };
    let phantom = data.join("ibsi/phantoms/ibsi_1_digital_phantom");
    let Instance::Reader(nifti) = operation("nifti", json!({})) else { panic!() };
    let read = |name: &str, what| {
        let bytes = std::fs::read(phantom.join(name)).unwrap();
        nifti.read(File { name, bytes: &bytes }, what).unwrap()
    };
    let Value::Volume(volume) = read("image/phantom.nii.gz", ReadAs::Volume) else {
        panic!()
    };
    let Value::Mask(mask) = read("mask/mask.nii.gz", ReadAs::Mask) else { panic!() };
    assert_eq!(volume.geometry.size, [5, 4, 4]);
    assert_eq!(volume.geometry.spacing, [2.0; 3]);
    let roi = Roi::new(&volume, &mask, &[1]).unwrap();
    let Instance::FeatureFamily(family) = operation("first_order", json!({})) else {
        panic!()
    };
    let values = family.compute(&roi).unwrap();
    let text = std::fs::read_to_string(data.join("ibsi/ibsi1_reference.csv")).unwrap();
    let mut checked = 0;
    for line in
        text.lines().filter(|line| line.starts_with("digital_phantom,Statistics,"))
    {
        let cells: Vec<&str> = line.split(',').collect();
        let (code, expected) = (cells[5], cells[7].parse::<f64>().unwrap());
        let at = family.columns().iter().position(|column| column.code == Some(code));
        let found = values[at.unwrap_or_else(|| panic!("no feature {code}"))];
        // The standard gives three significant digits.
        let digits = 10f64.powi(
            2 - (restudy::math::log2(expected.abs()) / restudy::math::log2(10.0)).floor()
                as i32,
        );
        let equal =
            (found * digits).round() / digits == (expected * digits).round() / digits;
        assert!(equal, "{code}: {found} instead of {expected}");
        checked += 1;
    }
    assert_eq!(checked, 18);
}

#[test]
fn the_ibsi_ct_phantom_lies_where_the_standard_says() {
    let Some(data) = test_data() else { return };
    let phantom = data.join("ibsi/phantoms/ibsi_1_ct_radiomics_phantom");
    let Instance::Reader(nifti) = operation("nifti", json!({})) else { panic!() };
    let read = |name: &str, what| {
        let bytes = std::fs::read(phantom.join(name)).unwrap();
        nifti.read(File { name, bytes: &bytes }, what).unwrap()
    };
    let Value::Volume(volume) = read("image/phantom.nii.gz", ReadAs::Volume) else {
        panic!()
    };
    let Value::Mask(mask) = read("mask/mask.nii.gz", ReadAs::Mask) else { panic!() };
    assert_eq!(volume.geometry.size, [204, 201, 60]);
    assert_eq!(mask.size, volume.geometry.size);
    for (found, expected) in volume.geometry.spacing.iter().zip([0.977, 0.977, 3.0]) {
        assert!((found - expected).abs() < 1e-4, "{found}");
    }
    let roi = Roi::new(&volume, &mask, &[]).unwrap();
    // Without resampling or a range, IBSI configuration A keeps these voxels before its range.
    let mean = roi.values().iter().sum::<f64>() / roi.values().len() as f64;
    assert!((-60.0..0.0).contains(&mean), "{mean} HU");
}

/// Rows with their batch and covariates beside them, and what a file says they become.
struct Harmonised {
    columns: Vec<(String, Vec<String>)>,
}

impl Harmonised {
    fn features(&self) -> Vec<String> {
        let names = self.columns.iter().map(|(name, _)| name);
        let plain = |name: &&String| {
            name.strip_prefix('f').is_some_and(|number| number.parse::<u32>().is_ok())
        };
        names.filter(plain).cloned().collect()
    }

    fn rows(&self) -> Rows {
        let features = self.features().into_iter().map(|name| FrameColumn {
            values: numbers(&self.columns, &name),
            name: name.into(),
        });
        let n = self.columns[0].1.len();
        let beside = self.columns.iter().filter(|(name, _)| !name.starts_with('f'));
        let beside = beside.map(|(name, cells)| {
            (name.clone(), cells.iter().cloned().map(Some).collect())
        });
        Rows::new(features.collect(), n).with_beside(beside.collect())
    }

    fn train(&self) -> Train {
        let rows = self.rows();
        let n = rows.n();
        let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
        let frame = Frame { rows, failed: vec![None; n] };
        split.train(&frame, &vec![Some(true); n], &vec![0; n])
    }
}

/// The largest difference between rows and the columns `prefix` + name, beside 1 + size.
fn apart(found: &Rows, expected: &[(String, Vec<String>)], prefix: &str) -> f64 {
    let mut worst = 0.0f64;
    for column in found.columns() {
        let expected = numbers(expected, &format!("{prefix}{}", column.name));
        assert_eq!(column.values.len(), expected.len());
        for (a, b) in column.values.iter().zip(expected) {
            worst = worst.max((a - b).abs() / (1.0 + b.abs()));
        }
    }
    worst
}

#[test]
fn harmonised_columns_are_those_of_neurocombat() {
    let path = format!("{}/tests/reference/combat.csv", env!("CARGO_MANIFEST_DIR"));
    let small = Harmonised { columns: columns(&std::fs::read_to_string(path).unwrap()) };
    let harmonised = |train: &Harmonised, rows: &Harmonised, parameters: Json| {
        let Instance::TableStep(step) = operation("harmonise_combat", parameters) else {
            panic!()
        };
        let state = step.fit(&train.train()).unwrap();
        let mut rows = rows.rows();
        step.apply(&state, &mut rows).unwrap();
        rows
    };
    for (prefix, parameters) in [
        ("to_b_", json!({ "batch": "batch", "reference": "b" })),
        ("sex_", json!({ "batch": "batch", "covariates": ["sex"] })),
        ("mean_", json!({ "batch": "batch", "covariates": ["sex"], "mean_only": true })),
    ] {
        let found = harmonised(&small, &small, parameters);
        let worst = apart(&found, &small.columns, prefix);
        println!("{prefix}: largest difference {worst:.1e}");
        assert!(worst < 1e-4, "{prefix}: {worst:e}");
    }
    let Some(collection) = Collection::open() else { return };
    let of = |name| Harmonised { columns: collection.columns(name) };
    let (train, test) = (of("combat_train.csv"), of("combat_test.csv"));
    let expected = |name: &str| {
        let path = collection.folder.join(format!("combat_{name}.csv"));
        columns(&std::fs::read_to_string(path).unwrap())
    };
    let plain = json!({ "batch": "batch" });
    let kept = json!({ "batch": "batch", "covariates": ["age", "sex"] });
    let mean = json!({ "batch": "batch", "mean_only": true });
    for (file, rows, parameters) in [
        ("train_age_sex_neuroCombat", &train, &kept),
        ("test_age_sex_neuroHarmonize", &test, &kept),
        ("train_nocov_neuroCombat", &train, &plain),
        ("test_nocov_neuroHarmonize", &test, &plain),
        ("train_nocov_meanonly_neuroCombat", &train, &mean),
    ] {
        let found = harmonised(&train, rows, parameters.clone());
        let worst = apart(&found, &expected(file), "");
        println!("{file}: largest difference {worst:.1e}");
        assert!(worst < 1e-4, "{file}: {worst:e}");
    }
}
