//! What the engine itself costs: planning, proving, publishing, looking up.
//!
//! `cargo bench` prints the medians. The studies are simulated.

use std::path::Path;

use divan::{Bencher, black_box};
use restudy::catalog::Catalog;
use restudy::digest::Digest;
use restudy::plan;
use restudy::spec::{self, Study};
use restudy::store::{Disk, Keep, Mode, NewAction, NewOutput, Store};
use restudy::survey::{self, Reading, Survey};

fn main() {
    divan::main();
}

/// The quickstart with so many repeats that it has ten thousand nodes.
fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies/quickstart.yaml");
    let text =
        std::fs::read_to_string(path).expect("the quickstart is part of the project");
    text.replace("inner: 4, repeats: 5", "inner: 4, repeats: 33")
}

fn study() -> Study {
    spec::read(&text(), &Catalog::standard()).study.expect("the quickstart is sound")
}

fn with_survey<T>(of: impl FnOnce(&Study, &Survey, &Store) -> T) -> T {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let store =
        Store::open(folder.path(), Mode::ReadWrite).expect("the folder can be written");
    let files = Disk::new(&store);
    let folder = folder.path();
    let reading = Reading {
        folder,
        files: &files,
        store: &store,
        name_key: [0; 32],
        show_ids: false,
        last: survey::LastFrame::default(),
    };
    let study = study();
    let (survey, faults) = survey::read(&study, &reading);
    assert!(!restudy::diagnostics::any_error(&faults));
    of(&study, &survey, &store)
}

#[divan::bench]
fn read_and_check_the_text(bencher: Bencher) {
    let (text, catalog) = (text(), Catalog::standard());
    bencher.bench(|| spec::read(black_box(&text), &catalog).diagnostics.len());
}

#[divan::bench]
fn plan_ten_thousand_nodes(bencher: Bencher) {
    with_survey(|study, survey, _| {
        assert!(plan::build(study, survey).graph.node_count() > 10_000);
        bencher.bench(|| {
            plan::build(black_box(study), black_box(survey)).graph.node_count()
        });
    });
}

#[divan::bench]
fn prove_ten_thousand_nodes(bencher: Bencher) {
    with_survey(|study, survey, _| {
        let plan = plan::build(study, survey);
        bencher.bench(|| plan::prove(black_box(&plan)).n_held_out_uses);
    });
}

#[divan::bench]
fn states_of_ten_thousand_nodes_in_an_empty_store(bencher: Bencher) {
    with_survey(|study, survey, store| {
        let plan = plan::build(study, survey);
        let unknown = plan::Remembered::default();
        bencher
            .bench(|| plan::states(black_box(&plan), survey, store, &unknown).of.len());
    });
}

/// A result of the size of a fold's scores, published under a key of its own.
#[divan::bench]
fn publish_one_result(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let store =
        Store::open(folder.path(), Mode::ReadWrite).expect("the folder can be written");
    let mut number = 0u64;
    bencher.bench_local(|| {
        number += 1;
        let key = Digest::of(&number.to_le_bytes());
        let guard = store.single_flight(&key).expect("the lock can be had");
        let output =
            NewOutput { port: String::new(), bytes: vec![7; 800], keep: Keep::Stored };
        let preimage = "{}".repeat(200);
        let action = NewAction { preimage, seconds: 0.0, outputs: vec![output] };
        store.publish(&key, action).expect("the folder can be written");
        drop(guard);
    });
}

#[divan::bench]
fn look_up_an_absent_key(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let store =
        Store::open(folder.path(), Mode::ReadWrite).expect("the folder can be written");
    bencher.bench(|| store.action(black_box(&Digest::of(b"absent"))).is_none());
}
