//! What every operation must hold, asked of each from what it declares.
//!
//! The checks give lists of violations, so that a deliberately bad operation shows that they see.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use restudy::catalog::Catalog;
use restudy::data::{
    FoldScores, Frame, FrameColumn, Geometry, Mask, NoScore, Population, Predictions,
    Roi, Rows, Split, StudyRecord, Train, Value, Volume,
};
use restudy::digest::{Digest, canonical_json};
use restudy::math::Stream;
use restudy::operation::{
    AnyLearner, AnyTableStep, Contest, Direction, Entry, File, Gaps, Instance, Kind,
    Output, ReadAs, Scored, learner, prelude, reference, table_step,
};
use serde_json::{Map, Value as Json, json};

use crate::workshop::{simulated, updating};

fn defaults(entry: &Entry) -> Instance {
    (entry.build)(example_parameters(entry)).unwrap()
}

/// The parameters of the example: as a study would write them.
fn example_parameters(entry: &Entry) -> Json {
    let example: Json = serde_yaml::from_str(entry.about.example).unwrap();
    match example {
        Json::Object(map) => map.into_iter().next().map_or(json!({}), |(_, value)| value),
        _ => json!({}),
    }
}

fn frame(n: usize, p: usize, seed: u64) -> Frame {
    let mut stream = Stream::new(seed, &["contract"]);
    let columns = (0..p).map(|j| FrameColumn {
        name: format!("c{j}").into(),
        values: (0..n)
            .map(|i| stream.normal() + if i % 2 == 0 && j == 0 { 1.0 } else { 0.0 })
            .collect(),
    });
    Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] }
}

/// Training rows, held-out rows and their classes.
fn split(frame: &Frame, one_class: bool) -> (Train, Rows) {
    let n = frame.rows.n() as u32;
    let split =
        Split { train: (0..n * 2 / 3).collect(), held_out: (n * 2 / 3..n).collect() };
    let outcome: Vec<Option<bool>> =
        (0..n).map(|i| Some(one_class || i % 2 == 0)).collect();
    let groups: Vec<u32> = (0..n).collect();
    (split.train(frame, &outcome, &groups), split.held_out(frame).1)
}

/// Frames that real studies bring, each with what is special about it.
fn frames() -> Vec<(&'static str, Frame)> {
    let mut missing = frame(30, 3, 2);
    let mut rows = missing.rows.clone();
    for (position, (_, values)) in rows.columns_mut().enumerate() {
        values[position] = f64::NAN;
    }
    missing.rows = rows;
    let with = |values: fn(f64) -> f64| {
        let mut frame = frame(30, 3, 3);
        let mut rows = frame.rows.clone();
        rows.columns_mut().for_each(|(_, column)| {
            column.iter_mut().for_each(|value| *value = values(*value));
        });
        frame.rows = rows;
        frame
    };
    let mut empty_column = frame(30, 2, 4);
    let mut rows = empty_column.rows.clone();
    if let Some((_, values)) = rows.columns_mut().next() {
        values.fill(f64::NAN);
    }
    empty_column.rows = rows;
    vec![
        ("plain", frame(30, 3, 1)),
        ("missing values", missing),
        ("an empty column", empty_column),
        ("constant columns", with(|_| 7.0)),
        ("a scale of 1e12", with(|value| value * 1e12)),
        ("a scale of 1e-12", with(|value| value * 1e-12)),
        ("more columns than rows", frame(12, 120, 5)),
        ("three subjects", frame(3, 2, 6)),
        ("no columns", frame(30, 0, 7)),
    ]
}

/// Runs `of`; a panic is a violation.
fn guarded<T>(what: &str, wrong: &mut Vec<String>, of: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(of)).ok();
    if done.is_none() {
        wrong.push(format!("{what}: it panics"));
    }
    done
}

/// The plain training rows, and the same in another order.
fn reordered(columns: &[String]) -> (Train, Train, Rows) {
    let frame = beside(frame(30, 3, 1), columns);
    let outcome: Vec<Option<bool>> = (0..30).map(|i| Some(i % 2 == 0)).collect();
    let groups: Vec<u32> = (0..30).collect();
    let train: Vec<u32> = (0..20).collect();
    let mut shuffled = train.clone();
    Stream::new(4, &["row order"]).shuffle(&mut shuffled);
    let of = |train: Vec<u32>| Split { train, held_out: (20..30).collect() };
    let (first, second) = (of(train), of(shuffled));
    (
        first.train(&frame, &outcome, &groups),
        second.train(&frame, &outcome, &groups),
        first.held_out(&frame).1,
    )
}

/// Equal but for rounding.
fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-7 * (1.0 + a.abs()))
}

fn check_generator(entry: &Entry) -> Vec<String> {
    let Instance::Generator(generator) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let files = generator.generate(1).unwrap();
    if generator.generate(1) != Ok(files.clone()) {
        wrong.push("same seed, other files".to_string());
    }
    if generator.generate(2) == Ok(files.clone()) {
        wrong.push("another seed, the same files".to_string());
    }
    for (name, bytes) in files {
        let plain = restudy::data::decompressed(&bytes).unwrap_or(bytes);
        if !String::from_utf8_lossy(&plain).contains("simulated") {
            wrong.push(format!("{name} does not say that it is simulated"));
        }
    }
    wrong
}

/// The same with the columns beside it that a step asks for: three values in turn.
fn beside(mut frame: Frame, columns: &[String]) -> Frame {
    let cell = |row: usize| Some(["p", "q", "r"][row % 3].to_string());
    let cells: Vec<Option<String>> = (0..frame.rows.n()).map(cell).collect();
    let beside = columns.iter().map(|column| (column.clone(), cells.clone()));
    frame.rows = frame.rows.with_beside(beside.collect());
    frame
}

fn check_table_step(entry: &Entry) -> Vec<String> {
    let Instance::TableStep(step) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let (train, shuffled, held_out) = reordered(&step.columns());
    let unset = (entry.defaults)();
    let k = unset["k"].as_u64().map(|k| k as usize);
    let Instance::TableStep(of_unset) = (entry.build)(unset).unwrap() else {
        unreachable!()
    };
    if of_unset.keeps() != k {
        wrong.push("it does not say how many columns its `k` keeps".to_string());
    }
    let applied = |train: &Train| -> Option<Rows> {
        let mut rows = held_out.clone();
        let state = step.fit(train).ok()?;
        step.apply(&state, &mut rows).ok()?;
        Some(rows)
    };
    let both = (applied(&train), applied(&shuffled));
    let p = train.rows().p();
    let most = step.most_columns(p, 0).unwrap_or(usize::MAX);
    if both.0.as_ref().is_some_and(|rows| rows.p() > most) {
        wrong.push(format!("it makes more than {most} columns of {p}"));
    }
    let same = match &both {
        (Some(a), Some(b)) => {
            a.n() == b.n() && (0..a.n()).all(|row| near(&a.row(row), &b.row(row)))
        }
        _ => false,
    };
    if !same {
        wrong.push("the order of training rows matters".to_string());
    }
    for (what, frame) in frames() {
        let frame = beside(frame, &step.columns());
        for one_class in [false, true] {
            let (train, held_out) = split(&frame, one_class);
            let Some(fitted) = guarded(what, &mut wrong, || step.fit(&train)) else {
                continue;
            };
            let Ok(state) = fitted else { continue };
            if step.fit(&train) != Ok(state.clone()) {
                wrong.push(format!("{what}: fitted twice, two states"));
            }
            for rows in [train.rows(), &held_out, &held_out.take(&[])] {
                let mut applied = rows.clone();
                guarded(what, &mut wrong, || step.apply(&state, &mut applied).unwrap());
                if applied.n() != rows.n() {
                    wrong.push(format!("{what}: rows are lost"));
                }
                let infinite = applied
                    .columns()
                    .iter()
                    .any(|column| column.values.iter().any(|value| value.is_infinite()));
                if infinite {
                    wrong.push(format!("{what}: infinities appear"));
                }
                // Each row by itself: alone it becomes what it becomes among others.
                for row in 0..rows.n() {
                    let mut alone = rows.take(&[row]);
                    guarded(what, &mut wrong, || step.apply(&state, &mut alone).unwrap());
                    let same = alone.n() == 1
                        && applied.n() == rows.n()
                        && alone.row(0).iter().zip(applied.row(row)).all(|(a, b)| {
                            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
                        });
                    if !same {
                        wrong.push(format!("{what}: a row depends on its neighbours"));
                        break;
                    }
                }
            }
        }
    }
    wrong.extend(check_gaps(&*step));
    wrong.dedup();
    wrong
}

/// The training rows of a frame in which each column lacks a value, and held-out rows that lack others.
fn with_gaps() -> (Train, Rows) {
    let mut frame = frame(30, 3, 2);
    let mut rows = frame.rows.clone();
    for (position, (_, values)) in rows.columns_mut().enumerate() {
        values[position] = f64::NAN;
        values[29 - position] = f64::NAN;
    }
    frame.rows = rows;
    split(&frame, false)
}

/// Whether a step makes of missing values what it declares.
fn check_gaps(step: &dyn AnyTableStep) -> Vec<String> {
    let mut wrong = Vec::new();
    let (train, held_out) = with_gaps();
    if step.gaps() == Gaps::Refused {
        let frame = Frame { rows: train.rows().clone(), failed: vec![None; 20] };
        let (train, _) = split(&beside(frame, &step.columns()), false);
        if !matches!(step.fit(&train), Err(prelude::Failure::Missing(_))) {
            wrong.push("missing values are not refused".to_string());
        }
        return wrong;
    }
    if step.reads_outcome() || !step.columns().is_empty() {
        wrong.push("it takes missing values and looks beside its columns".to_string());
    }
    if !step.reads_values() {
        let mut others = train.rows().clone();
        for (_, values) in others.columns_mut() {
            values.iter_mut().for_each(|value| *value = 1.0 - 3.0 * *value);
        }
        if step.fit(&train) != step.fit(&train.with_rows(others)) {
            wrong.push("other values in the same places make another state".to_string());
        }
    }
    // By name: columns that are added may stand elsewhere when each is treated alone.
    let made = |train: &Train, held_out: &Rows| -> Option<BTreeMap<String, Vec<f64>>> {
        let state = step.fit(train).ok()?;
        let mut rows = held_out.clone();
        step.apply(&state, &mut rows).ok()?;
        let columns = rows.columns().iter();
        Some(columns.map(|c| (c.name.to_string(), c.values.clone())).collect())
    };
    let Some(together) = made(&train, &held_out) else {
        return vec!["it fails on missing values".to_string()];
    };
    let mut alone = BTreeMap::new();
    for column in held_out.columns() {
        let only = |rows: &Rows| rows.clone().take_out(|name| *name == *column.name).0;
        let of = made(&train.with_rows(only(train.rows())), &only(&held_out));
        alone.extend(of.unwrap_or_default());
    }
    let same =
        |a: &f64, b: &f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    let equal = together.len() == alone.len()
        && together.iter().zip(&alone).all(|((a, of_a), (b, of_b))| {
            a == b && of_a.iter().zip(of_b).all(|(a, b)| same(a, b))
        });
    if !equal {
        wrong.push("a column depends on others".to_string());
    }
    let all_stay = step.gaps() == Gaps::Kept && !step.picks() && !step.reads_categories();
    if all_stay && together.len() != held_out.p() {
        wrong.push("not all columns stay".to_string());
    }
    for column in held_out.columns() {
        let Some(values) = together.get(&*column.name) else { continue };
        let stays = |(a, b): (&f64, &f64)| match step.gaps() {
            Gaps::Filled => !b.is_nan(),
            _ => a.is_nan() == b.is_nan(),
        };
        if !column.values.iter().zip(values).all(stays) {
            wrong.push("missing values are not left or filled as declared".to_string());
        }
    }
    wrong
}

fn check_learner(entry: &Entry) -> Vec<String> {
    let Instance::Learner(learner) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    for (what, frame) in frames() {
        for one_class in [false, true] {
            let (train, held_out) = split(&frame, one_class);
            let fit = || learner.fit(&train, &mut Stream::new(1, &["fit"]));
            let Some(fitted) = guarded(what, &mut wrong, fit) else { continue };
            if one_class && fitted.is_ok() {
                wrong.push(format!("{what}: one class is no failure"));
            }
            let Ok(model) = fitted else { continue };
            if fit() != Ok(model.clone()) {
                wrong.push(format!("{what}: fitted twice, two models"));
            }
            let predict = || learner.predict(&model, &held_out);
            let Some(Ok(scores)) = guarded(what, &mut wrong, predict) else { continue };
            if scores.len() != held_out.n() {
                wrong.push(format!(
                    "{what}: {} scores for {} rows",
                    scores.len(),
                    held_out.n()
                ));
            }
            let fits = |score: &f64| match learner.output() {
                Output::Probability => (0.0..=1.0).contains(score),
                Output::DecisionValue => score.is_finite(),
            };
            if !scores.iter().all(fits) {
                wrong.push(format!("{what}: a score is no probability"));
            }
            let mut narrow = held_out.clone();
            if narrow.p() > 1 {
                narrow.keep(&[0]);
                guarded(what, &mut wrong, || learner.predict(&model, &narrow).is_ok());
            }
        }
    }
    let (gaps, held_out) = with_gaps();
    let (whole, _) = split(&frame(30, 3, 2), false);
    let fit = |train: &Train| learner.fit(train, &mut Stream::new(1, &["fit"]));
    let predicted = fit(&whole).and_then(|model| learner.predict(&model, &held_out));
    let refused = |failure: Option<prelude::Failure>| {
        matches!(failure, Some(prelude::Failure::Missing(_)))
    };
    let as_declared = match learner.takes_missing() {
        true => fit(&gaps).is_ok() && predicted.is_ok(),
        false => refused(fit(&gaps).err()) && refused(predicted.err()),
    };
    if !as_declared {
        wrong.push("missing values are not taken or refused as declared".to_string());
    }
    let (train, shuffled, held_out) = reordered(&[]);
    let scores = |train: &Train| {
        let model = learner.fit(train, &mut Stream::new(1, &["fit"])).ok()?;
        learner.predict(&model, &held_out).ok()
    };
    if !scores(&train).zip(scores(&shuffled)).is_some_and(|(a, b)| near(&a, &b)) {
        wrong.push("the order of training rows matters".to_string());
    }
    // The same bytes whatever the number of threads around it.
    let (train, _) = split(&frame(30, 3, 1), false);
    let within = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| learner.fit(&train, &mut Stream::new(1, &["fit"])))
    };
    if within(1) != within(8) {
        wrong.push("1 and 8 threads give two models".to_string());
    }
    wrong.dedup();
    wrong
}

/// Settings that differ in one tunable parameter each.
fn neighbours(entry: &Entry) -> Vec<Json> {
    let defaults = (entry.defaults)();
    let schema = (entry.schema)().to_value();
    let mut settings = vec![defaults.clone()];
    for (name, of) in schema["properties"].as_object().into_iter().flatten() {
        if of.get("x-tunable") != Some(&Json::Bool(true)) {
            continue;
        }
        let value = &defaults[name];
        let others = match (value.as_u64(), value.as_f64()) {
            (Some(n), _) => vec![json!(n + 1), json!(n.div_ceil(2).max(1))],
            (None, Some(x)) => vec![json!(x * 2.0), json!(x / 4.0)],
            _ => Vec::new(),
        };
        for other in others {
            let mut setting = defaults.clone();
            setting[name] = other;
            settings.push(setting);
        }
    }
    settings
}

/// A grid fitted together gives what its points give one by one, in any order.
fn check_grid(entry: &Entry) -> Vec<String> {
    let mut wrong = Vec::new();
    let instances: Vec<Instance> =
        neighbours(entry).into_iter().filter_map(|s| (entry.build)(s).ok()).collect();
    let learners: Vec<&dyn AnyLearner> = instances
        .iter()
        .map(|instance| match instance {
            Instance::Learner(learner) => &**learner,
            _ => unreachable!(),
        })
        .collect();
    // Settings that share a stream name it alike.
    let stream = |learner: &dyn AnyLearner| {
        Stream::new(1, &["fit", &canonical_json(&learner.seeded_parameters())])
    };
    for (what, frame) in frames() {
        let (train, held_out) = split(&frame, false);
        let single: Vec<_> = learners
            .iter()
            .map(|learner| {
                let model = learner.fit(&train, &mut stream(*learner))?;
                learner.predict(&model, &held_out)
            })
            .collect();
        let mut reversed = learners.clone();
        reversed.reverse();
        for settings in [&learners, &reversed] {
            let mut streams: Vec<Stream> = settings.iter().map(|s| stream(*s)).collect();
            let fit =
                || settings[0].fit_and_predict(settings, &train, &mut streams, &held_out);
            let Some(mut together) = guarded(what, &mut wrong, fit) else { continue };
            if std::ptr::eq(settings, &reversed) {
                together.reverse();
            }
            let same = |(a, b): (&Result<Vec<f64>, _>, &Result<Vec<f64>, _>)| match (a, b)
            {
                (Ok(a), Ok(b)) => {
                    a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))
                }
                (Err(a), Err(b)) => a == b,
                _ => false,
            };
            if !single.iter().zip(&together).all(same) {
                wrong.push(format!("{what}: a grid gives other scores than its points"));
            }
        }
    }
    wrong.dedup();
    wrong
}

fn roi(voxels: &[f32]) -> Roi {
    let size = [voxels.len(), 1, 1];
    let direction = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let geometry = Geometry { size, spacing: [1.0; 3], origin: [0.0; 3], direction };
    let mask = Mask { size, labels: vec![1; voxels.len()] };
    Roi::new(&Volume { geometry, voxels: voxels.to_vec() }, &mask, &[]).unwrap()
}

fn check_family(entry: &Entry) -> Vec<String> {
    let Instance::FeatureFamily(family) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let columns = family.columns();
    let mut names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != columns.len() || columns.is_empty() {
        wrong.push("its columns are not unique".to_string());
    }
    let ramp: Vec<f32> = (1..100).map(|value| value as f32).collect();
    for (what, voxels) in [
        ("one voxel", vec![3.0]),
        ("a constant region", vec![5.0; 20]),
        ("zeros", vec![0.0; 20]),
        ("a ramp", ramp),
        ("negative values", vec![-1000.0, -3.0, -2.0]),
    ] {
        let roi = roi(&voxels);
        match guarded(what, &mut wrong, || family.compute(&roi)) {
            Some(Ok(values)) if values.len() != columns.len() => {
                wrong.push(format!("{what}: {} values", values.len()));
            }
            Some(Ok(values)) if values.iter().any(|value| !value.is_finite()) => {
                wrong.push(format!("{what}: a value is not finite"));
            }
            _ => {}
        }
    }
    wrong
}

fn check_metric(entry: &Entry) -> Vec<String> {
    let Instance::Metric(metric) = defaults(entry) else { unreachable!() };
    let scale = metric.scale();
    let mut wrong = Vec::new();
    let mut stream = Stream::new(9, &["metric"]);
    let mut sum = 0.0;
    let rounds = 400;
    for _ in 0..rounds {
        let truth: Vec<bool> = (0..60).map(|i| i % 3 == 0).collect();
        let scores: Vec<f64> = (0..60).map(|_| stream.uniform()).collect();
        let decisions: Vec<bool> = scores.iter().map(|score| *score >= 0.5).collect();
        let scored = Scored {
            truth: &truth,
            scores: &scores,
            decisions: &decisions,
            thresholds: &vec![0.5; decisions.len()],
        };
        match metric.compute(scored) {
            Ok(value) if value < scale.range.0 || value > scale.range.1 => {
                wrong.push(format!("{value} is out of its range"));
            }
            Ok(value) => sum += value,
            Err(failure) => wrong.push(failure.to_string()),
        }
    }
    if let Some(chance) = scale.chance {
        let mean = sum / f64::from(rounds);
        if (mean - chance).abs() > 0.02 {
            wrong.push(format!(
                "random scores give {mean}, chance is said to be {chance}"
            ));
        }
    }
    for truth in [vec![], vec![true; 4], vec![false; 4]] {
        let scores = vec![0.5; truth.len()];
        let scored = Scored {
            truth: &truth,
            scores: &scores,
            decisions: &truth,
            thresholds: &scores,
        };
        if let Some(Ok(value)) =
            guarded("one class", &mut wrong, || metric.compute(scored))
            && !value.is_finite()
        {
            wrong.push("one class: not a number".to_string());
        }
    }
    wrong
}

/// With three values of every column that the scheme asks for, alike within a subject.
fn population(n: usize, per_subject: usize, columns: &[String]) -> Population {
    let cell = |row: usize| ["1", "2", "3"][row / per_subject / 3 % 3].to_string();
    let cells: Vec<String> = (0..n).map(cell).collect();
    Population {
        columns: columns.iter().map(|name| (name.clone(), cells.clone())).collect(),
        rows: (0..n as u32).collect(),
        outcome: (0..n).map(|row| (row / per_subject).is_multiple_of(3)).collect(),
        subjects: (0..n).map(|row| (row / per_subject) as u32).collect(),
    }
}

fn check_resampling(entry: &Entry) -> Vec<String> {
    let Instance::Resampling(scheme) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    for per_subject in [1, 3] {
        let population = population(240, per_subject, &scheme.columns());
        let splits = match scheme.assign(&population, 1) {
            Ok(splits) => splits,
            Err(failure) => return vec![failure.to_string()],
        };
        let shape = scheme.shape();
        if splits.repeats.len() != shape.repeats
            || splits.repeats.iter().any(|outers| outers.len() != shape.outer)
            || splits
                .repeats
                .iter()
                .flatten()
                .any(|outer| outer.inner.len() != shape.inner)
        {
            wrong.push("its shape is not as declared".to_string());
        }
        let mut check = |split: &Split, all: &[u32], what: &str| {
            let mut both = [split.train.as_slice(), &split.held_out].concat();
            both.sort_unstable();
            if both != all {
                wrong.push(format!("{what}: rows are lost or doubled"));
            }
            let of = |rows: &[u32]| -> std::collections::BTreeSet<u32> {
                rows.iter().map(|row| population.subjects[*row as usize]).collect()
            };
            if !of(&split.train).is_disjoint(&of(&split.held_out)) {
                wrong.push(format!("{what}: a patient stands on both sides"));
            }
        };
        for outer in splits.repeats.iter().flatten() {
            check(&outer.split, &population.rows, "outer");
            outer
                .inner
                .iter()
                .for_each(|inner| check(inner, &outer.split.train, "inner"));
        }
        if scheme.assign(&population, 1) != Ok(splits.clone()) {
            wrong.push("same seed, other splits".to_string());
        }
        if scheme.assign(&population, 2) == Ok(splits) {
            wrong.push("another seed, the same splits".to_string());
        }
    }
    // A model that is frozen is tuned on splits of all rows.
    let everybody = population(240, 1, &scheme.columns());
    match scheme.whole(&everybody, 1) {
        Ok(inner) => {
            let mut held: Vec<u32> =
                inner.iter().flat_map(|s| s.held_out.clone()).collect();
            held.sort_unstable();
            if held != everybody.rows {
                wrong.push("the whole: not every row is held out once".to_string());
            }
        }
        Err(failure) => wrong.push(format!("the whole: {failure}")),
    }
    // A further repeat changes none of the earlier ones.
    let of_schema = (entry.schema)().to_value();
    if of_schema["properties"].get("repeats").is_none() {
        return wrong;
    }
    let mut more = example_parameters(entry);
    let repeats = scheme.shape().repeats;
    more["repeats"] = json!(repeats + 1);
    let Ok(Instance::Resampling(longer)) = (entry.build)(more) else { unreachable!() };
    let population = population(240, 1, &scheme.columns());
    let longer = longer.assign(&population, 1).unwrap();
    if longer.repeats[..repeats] != scheme.assign(&population, 1).unwrap().repeats[..] {
        wrong.push("a further repeat moves the earlier ones".to_string());
    }
    for n in [0, 1, 4] {
        let population = Population {
            rows: (0..n).collect(),
            outcome: (0..n).map(|row| row == 0).collect(),
            subjects: (0..n).collect(),
            columns: Vec::new(),
        };
        if let Some(Ok(_)) =
            guarded("too few", &mut wrong, || scheme.assign(&population, 1))
        {
            wrong.push(format!("{n} rows are no failure"));
        }
    }
    wrong
}

fn check_reader(entry: &Entry) -> Vec<String> {
    let Instance::Reader(reader) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let mut stream = Stream::new(3, &["garbage"]);
    let mut inputs: Vec<Vec<u8>> =
        simulated(10, 1).into_iter().map(|(_, bytes)| bytes).collect();
    for length in [0, 1, 347, 348, 352, 1000] {
        inputs.push((0..length).map(|_| stream.below(256) as u8).collect());
    }
    for bytes in &inputs {
        for what in [ReadAs::Table { id: &["patient"] }, ReadAs::Volume, ReadAs::Mask] {
            for length in [bytes.len(), bytes.len() / 2, bytes.len() / 3] {
                let file = File { name: "file", bytes: &bytes[..length] };
                guarded("garbage", &mut wrong, || reader.read(file, what).is_ok());
            }
        }
    }
    wrong
}

fn check_calibrator(entry: &Entry) -> Vec<String> {
    let Instance::Calibrator(rule) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let truth: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
    let scores: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    match rule.threshold(&truth, &scores) {
        Ok(threshold) if (0.0..=1.0).contains(&threshold) => {}
        other => wrong.push(format!("{other:?}")),
    }
    let one_class = rule.threshold(&[true; 4], &scores[..4]).is_ok();
    if rule.is_learned() && (one_class || rule.threshold(&[], &[]).is_ok()) {
        wrong.push("one class is no failure".to_string());
    }
    wrong
}

/// A record with as little in it as there can be.
fn empty_record() -> StudyRecord {
    serde_json::from_value(json!({
        "schema": 1, "engine": "restudy", "warnings": [], "references": [],
        "study": { "title": "t", "cancer": "c", "seed": 1, "digest": "d", "simulated": true,
            "terms": null, "public": true, "within": null },
        "agreements": [], "associations": [], "comparisons": [], "claims": [],
        "deviations": [],
        "sources": [], "cohorts": [], "outcomes": [], "predictors": [], "analysis_order": [],
        "analyses": {}, "methods": [],
        "graph": { "n_nodes": 0, "groups": [], "edges": [] },
        "certificate": {
            "n_groups": 0, "n_splits": 0, "n_nodes": 0, "n_held_out_uses": 0, "n_transductive": 0,
            "rules": [], "not_tracked": [], "cannot_see": [],
        },
    }))
    .unwrap()
}

fn check_section(entry: &Entry) -> Vec<String> {
    let Instance::Section(section) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let record = empty_record();
    match guarded("an empty record", &mut wrong, || section.render(&record)) {
        Some(Ok(fragment)) if section.render(&record) != Ok(fragment.clone()) => {
            wrong.push("rendered twice, two fragments".to_string());
        }
        Some(Ok(_)) | None => {}
        Some(Err(failure)) => wrong.push(failure.to_string()),
    }
    wrong
}

fn check_tuner(entry: &Entry) -> Vec<String> {
    let Instance::Tuner(tuner) = defaults(entry) else { unreachable!() };
    let mut wrong = Vec::new();
    let contest = |candidates: &[FoldScores], cells: &[(usize, usize)]| {
        tuner.choose(&Contest {
            candidates,
            direction: Direction::HigherIsBetter,
            cells,
            truth: &[true, false],
            out_of_fold: &|_| Some(vec![0.75, 0.5]),
        })
    };
    if contest(&[], &[]).is_some() {
        wrong.push("it chooses among nothing".to_string());
    }
    let of =
        |score: Result<f64, NoScore>| FoldScores { folds: vec![score.clone(), score] };
    let failed = of(Err(NoScore::Failed("it failed".to_string())));
    if contest(std::slice::from_ref(&failed), &[(0, 0)]).is_some() {
        wrong.push("it chooses what failed".to_string());
    }
    match contest(&[failed, of(Ok(0.5)), of(Ok(0.7))], &[(0, 0), (0, 1), (0, 2)]) {
        None => wrong.push("it chooses nothing".to_string()),
        Some(choice) => {
            let sum: f64 = choice.members.iter().map(|member| member.weight).sum();
            if (sum - 1.0).abs() > 1e-9 || choice.members.iter().any(|m| m.candidate == 0)
            {
                wrong.push("its members are not those that have scores".to_string());
            }
        }
    }
    wrong
}

fn check(entry: &Entry) -> Vec<String> {
    match entry.kind {
        Kind::TableStep => check_table_step(entry),
        Kind::Learner => [check_learner(entry), check_grid(entry)].concat(),
        Kind::FeatureFamily => check_family(entry),
        Kind::Metric => check_metric(entry),
        Kind::Resampling => check_resampling(entry),
        Kind::Reader => check_reader(entry),
        Kind::Calibrator => check_calibrator(entry),
        Kind::Section => check_section(entry),
        Kind::Tuner => check_tuner(entry),
        Kind::Generator => check_generator(entry),
        // Its own tests know who must be positive, negative and unknown.
        Kind::Derivation => Vec::new(),
    }
}

#[test]
fn every_operation_holds_to_its_kind() {
    let mut wrong = Vec::new();
    for entry in Catalog::standard().all() {
        let of = check(entry).into_iter();
        wrong.extend(of.map(|what| format!("{}: {what}", entry.about.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every Rust file below `src`.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files
}

/// What is wrong with what an operation says of itself.
fn check_words(entry: &Entry) -> Vec<String> {
    let about = &entry.about;
    let mut wrong = Vec::new();
    let schema = (entry.schema)().to_value();
    if entry.doc().len() < 20 {
        wrong.push("its type has no documentation".to_string());
    }
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&empty);
    for (name, of) in properties {
        if of.get("description").is_none() {
            wrong.push(format!("parameter `{name}` has no documentation"));
        }
    }
    if schema.get("additionalProperties") != Some(&json!(false)) {
        wrong.push("unknown parameters are not refused".to_string());
    }
    for key in about.sources {
        if reference(key).is_none() {
            wrong.push(format!("source `{key}` is not in the reference list"));
        }
    }
    if about.version == 0 || about.title.is_empty() || about.title.ends_with('.') {
        wrong.push("version or title is missing".to_string());
    }
    let example: Result<Json, _> = serde_yaml::from_str(about.example);
    match example {
        Ok(Json::String(name)) if name == about.name => {}
        Ok(Json::Object(map)) if map.len() == 1 && map.contains_key(about.name) => {}
        other => wrong.push(format!("its example is no use of it: {other:?}")),
    }
    let parameters = example_parameters(entry);
    match (entry.normalise)(parameters) {
        Ok(all) if (entry.normalise)(all.clone()).ok() == Some(all.clone()) => {}
        other => wrong.push(format!("its parameters do not come back: {other:?}")),
    }
    // The ranges that the schema states are the ranges that a study is held to.
    let validator = jsonschema::validator_for(&schema).unwrap();
    if !validator.is_valid(&example_parameters(entry)) {
        wrong.push("its example does not fit its schema".to_string());
    }
    wrong
}

#[test]
fn every_operation_is_one_file_with_its_words() {
    let catalog = Catalog::standard();
    let mut names = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in catalog.all() {
        let name = entry.about.name;
        assert!(names.insert(name), "`{name}` stands twice in the catalogue");
        let file = format!("{name}.rs");
        let of_name = files().into_iter().filter(|path| {
            path.file_name().is_some_and(|known| *known == *file)
                && std::fs::read_to_string(path).unwrap().contains("impl Operation for")
        });
        if of_name.count() != 1 {
            wrong.push(format!("{name}: there is no one file {file} for it"));
        }
        wrong
            .extend(check_words(entry).into_iter().map(|what| format!("{name}: {what}")));
    }
    let described = files().into_iter().filter(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]").next().unwrap().contains("\nimpl Operation for")
    });
    assert_eq!(described.count(), catalog.all().len(), "an operation is in no list");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_out_of_range_are_refused_with_the_name_of_the_parameter() {
    let study = crate::workshop::STUDY;
    let catalog = Catalog::standard();
    let mut tried = 0;
    for entry in catalog.all() {
        let place = match entry.kind {
            Kind::Learner => "  - naive\n",
            Kind::TableStep => "prepare: [impute_median, scale_zscore]",
            Kind::Resampling => {
                "internal: { nested: { outer: 3, inner: 2, repeats: 2 } }"
            }
            _ => continue,
        };
        let schema = (entry.schema)().to_value();
        for (name, of) in schema["properties"].as_object().into_iter().flatten() {
            // A number that may be left out has two types.
            let whole = of["type"] == "integer" || of["type"][0] == "integer";
            let step = if whole { 1.0 } else { 1e-3 };
            let below =
                of.get("minimum").and_then(Json::as_f64).map(|least| least - step);
            let above =
                of.get("maximum").and_then(Json::as_f64).map(|most| most + step.max(1.0));
            for value in below.into_iter().chain(above) {
                let value =
                    if whole { format!("{value:.0}") } else { format!("{value:?}") };
                let used = format!("{}: {{ {name}: {value} }}", entry.about.name);
                let text = match entry.kind {
                    Kind::Learner => study.replace(place, &format!("  - {used}\n")),
                    Kind::TableStep => {
                        study.replace(place, &format!("prepare: [{used}]"))
                    }
                    _ => study.replace(place, &format!("internal: {{ {used} }}")),
                };
                assert_ne!(text, study);
                let parsed = restudy::spec::read(&text, &catalog);
                let named = parsed.diagnostics.iter().any(|fault| {
                    fault.code.0 == "E0104"
                        && fault.message.contains(&format!("`{name}`"))
                });
                assert!(named, "{used}: {:?}", parsed.diagnostics);
                tried += 1;
            }
        }
    }
    assert!(tried >= 10, "only {tried} ranges were found");
}

#[test]
fn every_study_of_the_project_fits_the_published_schema() {
    let schema = restudy::spec::schema(&Catalog::standard());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let valid =
        |text: &str| validator.is_valid(&serde_yaml::from_str::<Json>(text).unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().to_string();
        if name.ends_with(".yaml") && !name.ends_with(".lock.yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let json: Json = serde_yaml::from_str(&text).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&json).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
    let study = crate::workshop::STUDY;
    assert!(valid(study));
    for (from, to) in [
        ("cancer: glioma", "cancre: glioma"),
        ("outer: 3", "outer: 1"),
        ("outer: 3", "outer: [3, 4]"),
        ("  - naive", "  - niave"),
        ("seed: 7", "seed: -7"),
        ("optional", "maybe"),
    ] {
        assert!(!valid(&study.replace(from, to)), "{to}");
    }
}

/// A step that loses rows and looks at its neighbours, and panics on one class.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Bad {
    undocumented: f64,
}

impl prelude::Operation for Bad {
    const ABOUT: prelude::About = prelude::About {
        name: "bad",
        title: "Bad.",
        version: 0,
        sources: &["nobody2000"],
        example: "worse",
    };
}

impl prelude::TableStep for Bad {
    type State = ();

    fn fit(&self, train: &Train) -> Result<(), prelude::Failure> {
        assert!(train.outcome().iter().any(|positive| !positive), "deliberately");
        Ok(())
    }

    fn apply(&self, _state: &(), rows: &mut Rows) -> Result<(), prelude::Failure> {
        let all: Vec<usize> = (0..rows.n().saturating_sub(1)).collect();
        *rows = rows.take(&all);
        Ok(())
    }
}

impl prelude::Learner for Bad {
    type Model = f64;

    fn fit(&self, _train: &Train, _stream: &mut Stream) -> Result<f64, prelude::Failure> {
        Ok(1.7)
    }

    fn predict(&self, model: &f64, rows: &Rows) -> Result<Vec<f64>, prelude::Failure> {
        Ok(vec![*model; rows.n()])
    }
}

#[test]
fn a_bad_operation_is_caught() {
    let step = check_table_step(&table_step::<Bad>()).join("\n");
    for part in [
        "it panics",
        "rows are lost",
        "a row depends on its neighbours",
        "missing values are not refused",
    ] {
        assert!(step.contains(part), "{part}: {step}");
    }
    let learner = check_learner(&learner::<Bad>()).join("\n");
    for part in [
        "one class is no failure",
        "a score is no probability",
        "missing values are not taken or refused as declared",
    ] {
        assert!(learner.contains(part), "{part}: {learner}");
    }
    let words = check_words(&learner_entry()).join("\n");
    for part in [
        "`undocumented` has no documentation",
        "unknown parameters are not refused",
        "`nobody2000` is not in the reference list",
        "version or title",
        "no use of it",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

fn learner_entry() -> Entry {
    learner::<Bad>()
}

/// A number with six significant digits: enough to see a change, too few to see rounding.
fn rounded(value: f64) -> String {
    if value == 0.0 { "0".to_string() } else { format!("{value:.5e}") }
}

/// Rounded outputs of an operation on fixed inputs.
fn outputs(entry: &Entry) -> Vec<String> {
    let frame = frame(30, 3, 1);
    let (train, held_out) = split(&frame, false);
    let truth: Vec<bool> = (0..40).map(|i| i % 3 == 0).collect();
    let scores: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 40) / 40.0).collect();
    match defaults(entry) {
        Instance::TableStep(step) => {
            let (train, held_out) = split(&beside(frame, &step.columns()), false);
            let state = step.fit(&train).unwrap();
            let mut rows = held_out.clone();
            step.apply(&state, &mut rows).unwrap();
            rows.columns()
                .iter()
                .map(|column| {
                    let values: Vec<String> = column
                        .values
                        .iter()
                        .take(3)
                        .map(|value| rounded(*value))
                        .collect();
                    format!("{}: {}", column.name, values.join(" "))
                })
                .collect()
        }
        Instance::Learner(learner) => {
            let model = learner.fit(&train, &mut Stream::new(1, &["fit"])).unwrap();
            let scores = learner.predict(&model, &held_out).unwrap();
            scores.iter().map(|score| rounded(*score)).collect()
        }
        Instance::FeatureFamily(family) => {
            let ramp: Vec<f32> =
                (1..50).map(|value| (value * value % 47) as f32).collect();
            let values = family.compute(&roi(&ramp)).unwrap();
            let columns = family.columns();
            let pairs = columns.iter().zip(values);
            pairs
                .map(|(column, value)| format!("{}: {}", column.name, rounded(value)))
                .collect()
        }
        Instance::Metric(metric) => {
            let decisions: Vec<bool> = scores.iter().map(|score| *score >= 0.4).collect();
            let scored = Scored {
                truth: &truth,
                scores: &scores,
                decisions: &decisions,
                thresholds: &vec![0.5; decisions.len()],
            };
            vec![rounded(metric.compute(scored).unwrap())]
        }
        Instance::Calibrator(rule) => {
            vec![rounded(rule.threshold(&truth, &scores).unwrap())]
        }
        Instance::Resampling(scheme) => {
            let splits = scheme.assign(&population(60, 1, &scheme.columns()), 1).unwrap();
            let first = &splits.repeats[0][0];
            vec![
                format!("{:?}", first.split.held_out),
                format!("{:?}", first.inner[0].held_out),
            ]
        }
        Instance::Generator(generator) => {
            let files = generator.generate(1).unwrap();
            let shown = |(name, bytes): &(String, Vec<u8>)| {
                // Compressed bytes may differ with the library; what they hold may not.
                let plain = restudy::data::decompressed(bytes).unwrap_or(bytes.clone());
                format!("{name}: {}", Digest::of(&plain).short())
            };
            files.iter().take(4).map(shown).collect()
        }
        Instance::Reader(reader) => {
            let files = simulated(10, 1);
            let wanted = match entry.about.name {
                "nifti" => ("image.nii.gz", ReadAs::Volume),
                "maf" => {
                    ("mutations.maf", ReadAs::Table { id: &["Tumor_Sample_Barcode"] })
                }
                // The simulated cohort has no such file; its own tests write one.
                "parquet" => return Vec::new(),
                _ => ("table.csv", ReadAs::Table { id: &["patient"] }),
            };
            let (name, bytes) =
                files.iter().find(|(name, _)| name.ends_with(wanted.0)).unwrap();
            let value = reader.read(File { name, bytes }, wanted.1).unwrap();
            vec![format!("{}: {}", value.kind(), value.digest().short())]
        }
        Instance::Derivation(_) | Instance::Tuner(_) | Instance::Section(_) => Vec::new(),
    }
}

#[test]
fn outputs_move_only_with_their_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pinned/operations.yaml");
    let mut text =
        String::from("# Written by `UPDATE=1 cargo test`; read the difference.\n");
    let mut found: BTreeMap<String, Json> = BTreeMap::new();
    for entry in Catalog::standard().all() {
        let schema = canonical_json(&(entry.schema)().to_value());
        let pinned = json!({
            "version": entry.about.version,
            "schema": Digest::of(schema.as_bytes()).short(),
            "outputs": outputs(entry),
        });
        found.insert(entry.about.name.to_string(), pinned);
    }
    for (name, pinned) in &found {
        text.push_str(&format!(
            "{name}:\n  version: {}\n  schema: {}\n  outputs: {}\n",
            pinned["version"],
            pinned["schema"],
            if pinned["outputs"] == json!([]) { "[]" } else { "" }
        ));
        for output in pinned["outputs"].as_array().unwrap() {
            text.push_str(&format!("    - {output}\n"));
        }
    }
    if updating() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let known: BTreeMap<String, Json> = serde_yaml::from_str(&known).unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, pinned) in &found {
        match known.get(name) {
            None => wrong.push(format!("{name} is not pinned: run with UPDATE=1")),
            Some(old) if old == pinned => {}
            Some(old)
                if old["version"] == pinned["version"]
                    && old["outputs"] != pinned["outputs"] =>
            {
                wrong.push(format!(
                    "{name}: its numbers moved and its version did not\n  was {}\n  is  {}",
                    old["outputs"], pinned["outputs"]
                ));
            }
            Some(_) => {
                wrong.push(format!("{name} changed: read the difference of UPDATE=1"))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_survive_their_bytes() {
    let predictions = Predictions {
        rows: vec![1, 2],
        truth: vec![true, false],
        scores: vec![0.25, 1.0],
        decision_values: None,
        falls_back: false,
        threshold: None,
        candidate: Some(3),
    };
    let value = Value::Predictions(predictions);
    assert_eq!(Value::from_bytes(&value.to_bytes()).unwrap(), value);
    let shared = Arc::new(value);
    assert_eq!(shared.digest(), Digest::of(&shared.to_bytes()));
}
