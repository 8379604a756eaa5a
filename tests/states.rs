//! What is learned is the same to the bit, whoever compiles and on however many threads.

use std::collections::BTreeMap;
use std::path::Path;

use restudy::digest::Digest;
use restudy::math::Stream;
use restudy::operation::{Instance, Kind};

use crate::learners::fixture;
use crate::selectors::of_kind;
use crate::tuning::study;
use crate::workshop::{Workshop, updating};

/// The digest of every state that a learner or a step learns from two tables, with what it makes of
/// held-out rows.
fn digests() -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for file in ["tall", "wide"] {
        let (train, held) = fixture(file, |_, _| true);
        let mut pin = |name: &str, bytes: Result<Vec<u8>, String>| {
            let digest = match bytes {
                Ok(bytes) => Digest::of(&bytes).hex().to_string(),
                Err(why) => why,
            };
            digests.insert(format!("{name} {file}"), digest);
        };
        for (name, instance) in of_kind(Kind::Learner) {
            let Instance::Learner(learner) = instance else { unreachable!() };
            let mut stream = Stream::new(1, &["states"]);
            let found = learner.fit(&train, &mut stream).and_then(|mut state| {
                let scores = learner.predict(&state, &held)?;
                state.extend(scores.iter().flat_map(|score| score.to_le_bytes()));
                Ok(state)
            });
            pin(&name, found.map_err(|failure| failure.to_string()));
        }
        for (name, instance) in of_kind(Kind::TableStep) {
            let Instance::TableStep(step) = instance else { unreachable!() };
            let found = step.fit(&train).and_then(|mut state| {
                let mut rows = held.clone();
                step.apply(&state, &mut rows)?;
                let values = rows.columns().iter().flat_map(|column| &column.values);
                state.extend(values.flat_map(|value| value.to_le_bytes()));
                Ok(state)
            });
            pin(&name, found.map_err(|failure| failure.to_string()));
        }
    }
    digests
}

/// Pinned on this target only: equal bytes are promised per target, at every level of optimisation.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn states_are_those_of_every_optimisation_level() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pinned/states.txt");
    let found: Vec<String> =
        digests().into_iter().map(|(name, digest)| format!("{name}: {digest}")).collect();
    let found = found.join("\n") + "\n";
    if updating() {
        std::fs::write(&path, &found).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let moved: Vec<&str> =
        found.lines().filter(|line| !known.lines().any(|known| known == *line)).collect();
    assert_eq!(known.lines().count(), found.lines().count(), "run with UPDATE=1");
    assert!(moved.is_empty(), "these states moved:\n{}", moved.join("\n"));
}

#[test]
fn every_selector_with_every_learner_gives_the_same_on_one_thread_and_eight() {
    let listed = |kind: Kind, wanted: &dyn Fn(&Instance) -> bool| -> Vec<String> {
        let named = of_kind(kind).into_iter().filter(|(_, instance)| wanted(instance));
        named.map(|(name, _)| name).collect()
    };
    let selects = |instance: &Instance| matches!(instance, Instance::TableStep(s) if s.reads_outcome());
    let selectors: Vec<String> = listed(Kind::TableStep, &selects)
        .into_iter()
        .map(|name| match name.as_str() {
            "forest_importance" => format!("{name}: {{ k: 3, trees: 10 }}"),
            _ => format!("{name}: {{ k: 3 }}"),
        })
        .collect();
    let learners: Vec<String> = listed(Kind::Learner, &|_| true)
        .into_iter()
        .map(|name| match name.as_str() {
            "random_forest" | "extra_trees" => {
                format!("{name}: {{ trees: 10, depth: [2, null] }}")
            }
            "gradient_boosting" => {
                format!("{name}: {{ rounds: 5, learning_rate: [0.1, 0.3] }}")
            }
            _ => name,
        })
        .collect();
    assert!(selectors.len() >= 10 && learners.len() >= 10);
    let workshop = Workshop::new();
    let mut stream = Stream::new(3, &["states"]);
    let mut table = "patient,fold,status,x1,x2,x3,x4,x5,x6\n".to_string();
    for i in 0..48 {
        table.push_str(&format!("P{i:03},{},{}", i % 2, i / 2 % 2 == 0));
        (0..6).for_each(|_| table.push_str(&format!(",{}", stream.normal())));
        table.push('\n');
    }
    workshop.write("table.csv", table.as_bytes());
    let evaluate = "tune: best_mean, learning_curve: { none: many candidates }";
    let text = study(&selectors.join(", "), &learners.join(", "), evaluate);
    workshop.study(&text.replace("inner: 4", "inner: 2"));
    let run = workshop.run(&["--jobs", "1"]);
    assert_eq!((run["exit"].as_str(), run["failed"].as_u64()), (Some("fine"), Some(0)));
    let report = workshop.report();
    let parsed: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let candidates =
        parsed["analyses"]["status.all.internal"]["candidates"].as_array().unwrap();
    assert!(candidates.len() >= selectors.len() * learners.len());
    for candidate in candidates {
        assert_eq!(candidate["failed"], 0, "{candidate}");
    }
    workshop.run(&["--jobs", "8", "--store", "other"]);
    assert_eq!(workshop.report(), report);
}
