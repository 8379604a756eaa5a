//! What the tests of whole studies share: a folder with a study, and the program run on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use restudy::catalog::Catalog;
use restudy::data::StudyRecord;
use restudy::operation::Instance;
use serde_json::{Map, Value as Json, json};

/// A small study on files: a table, mutations, and images with masks.
pub const STUDY: &str = r#"restudy: 1
title: A small study (simulated)
cancer: glioma
seed: 7
governance: { public: true }

sources:
  clinic: { table: table.csv, id: patient }
  panel: { maf: mutations.maf, id: Tumor_Sample_Barcode, assayed: { from: clinic } }
  scans: { images: { root: images, path: "{id}/image.nii.gz", mask: "{id}/mask.nii.gz" } }

cohorts:
  imaged: { from: clinic, join: { panel: optional, scans: required }, failed_at_most: 1 }

outcomes:
  idh1: { label: IDH1 mutation, mutation: { from: panel, gene: IDH1 } }

predictors:
  radiomics: { columns: { from: clinic, include: ["texture_*"] } }
  scan: { images: { from: scans, features: [first_order] } }

prepare: [impute_median, scale_zscore]

select:
  - all
  - anova: { k: [2, 4] }

learn:
  - logistic: { c: [0.1, 1] }
  - naive

validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 2 } }

evaluate:
  primary: auroc
  also: [sensitivity]
  threshold: { rule: youden, learned_from: inner_out_of_fold }
"#;

/// A folder with a study in it.
pub struct Workshop {
    folder: tempfile::TempDir,
}

/// The files of a simulated cohort.
pub fn simulated(subjects: usize, imaged: usize) -> Vec<(String, Vec<u8>)> {
    let catalog = Catalog::standard();
    let entry = catalog.get("simulate").unwrap();
    let parameters = json!({ "subjects": subjects, "imaged": imaged, "textures": 6 });
    match (entry.build)(parameters).unwrap() {
        Instance::Generator(generator) => generator.generate(7).unwrap(),
        _ => unreachable!(),
    }
}

impl Workshop {
    /// The small study with 24 patients.
    pub fn new() -> Self {
        let workshop = Self { folder: tempfile::tempdir().unwrap() };
        for (name, bytes) in simulated(24, 24) {
            workshop.write(&name, &bytes);
        }
        workshop.study(STUDY);
        workshop
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All files below a folder, in order of their paths.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let (mut files, mut open) = (Vec::new(), vec![self.path(folder)]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { &mut open } else { &mut files }.push(path);
            }
        }
        files.sort();
        files
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn study(&self, text: &str) {
        self.write("study.yaml", text.as_bytes());
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The program with these arguments.
    pub fn restudy(&self, arguments: &[&str]) -> Output {
        restudy(self.folder.path(), arguments)
    }

    /// Runs the study; gives what `--json` prints.
    pub fn run(&self, more: &[&str]) -> Map<String, Json> {
        let output = self.restudy(&[&["run", "study.yaml", "--json"], more].concat());
        let text = String::from_utf8_lossy(&output.stdout).to_string();
        let parsed = serde_json::from_str::<Json>(&text).ok();
        match parsed.and_then(|json| json.as_object().cloned()) {
            Some(object) => object,
            None => panic!("{text}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    pub fn report(&self) -> Vec<u8> {
        self.read("runs/study/report.json")
    }

    /// How each node of the newest run came to its value.
    pub fn journal(&self) -> BTreeMap<String, String> {
        let folder = self.path(".restudy/runs/study");
        let mut runs: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        runs.sort();
        let text = std::fs::read_to_string(runs.last().unwrap()).unwrap();
        let line = |line: &str| {
            let entry: Json = serde_json::from_str(line).unwrap();
            let text = |key: &str| entry[key].as_str().unwrap().to_string();
            (text("node"), text("how"))
        };
        text.lines().map(line).collect()
    }

    /// The names of the nodes that the newest run computed.
    pub fn computed(&self) -> Vec<String> {
        let journal = self.journal().into_iter();
        journal
            .filter(|(_, how)| how == "Computed" || how == "CutOff")
            .map(|(n, _)| n)
            .collect()
    }
}

/// The program in a folder.
pub fn restudy(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_restudy"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RESTUDY_STORE")
        .output()
        .unwrap()
}

/// A number of what `--json` printed.
pub fn number(run: &Map<String, Json>, name: &str) -> u64 {
    run[name].as_u64().unwrap()
}

/// Where the public test data lie, if they do. Their absence fails a run of continuous integration.
pub fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("RESTUDY_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if folder.exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "no test data at {}", folder.display());
    println!("skipped: no test data at {}; set RESTUDY_TEST_DATA", folder.display());
    None
}

/// Whether generated files are to be rewritten.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// The record of a study that was run, once for all tests.
pub fn record() -> StudyRecord {
    static RECORD: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = RECORD.get_or_init(|| {
        let workshop = Workshop::new();
        workshop.run(&[]);
        workshop.report()
    });
    serde_json::from_slice(bytes).expect("a run writes its record")
}
