//! What an author says against what whole studies find: the same words over a study that does not bear them
//! out and over one that does; and the report of a study that has told everything.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value as Json;

use crate::workshop::{Workshop, restudy};

/// Numbers of about a normal distribution, the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 40) as f64 / f64::from(1 << 24)
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}

/// A table of patients. `effect`: how far the first column of mutant tumours lies from that of others.
struct Table {
    prefix: &'static str,
    n: usize,
    effect: f64,
    sites: &'static [&'static str],
    columns: usize,
    gaps: bool,
}

impl Table {
    fn csv(&self, seed: u64) -> String {
        let mut numbers = Numbers(seed);
        let mut text = "patient,site,status,age".to_string();
        for column in 0..self.columns {
            write!(text, ",x{column}").unwrap();
        }
        text.push('\n');
        for i in 0..self.n {
            let site = self.sites[i % self.sites.len()];
            let mutant = (i / self.sites.len()).is_multiple_of(2);
            let status = if mutant { "mutant" } else { "wild" };
            let age = match self.gaps && i % 9 == 0 {
                true => String::new(),
                false => (40 + i * 7 % 37).to_string(),
            };
            write!(text, "{}{i:03},{site},{status},{age}", self.prefix).unwrap();
            for column in 0..self.columns {
                let shift = if mutant && column == 0 { self.effect } else { 0.0 };
                write!(text, ",{:.4}", numbers.next() + shift).unwrap();
            }
            text.push('\n');
        }
        text
    }
}

/// What differs between the studies that say the same.
struct Study {
    relation: &'static str,
    design: &'static str,
    columns: usize,
    c: f64,
    threshold: &'static str,
    numbers: &'static str,
    deviations: &'static str,
}

const LEARNED: &str = "rule: youden";

/// Looked back upon in one centre: columns that tell nothing, fitted without restraint, gaps, and a later part
/// of the same archive.
const WEAK: Study = Study {
    relation: "same archive, later years",
    design: "retrospective cohort",
    columns: 12,
    c: 100.0,
    threshold: LEARNED,
    numbers: "0.93 in five hundred patients",
    deviations: "",
};

/// Three centres and another institution, with a column that tells much.
const STRONG: Study = Study {
    relation: "another institution",
    design: "prospective cohort",
    columns: 2,
    c: 10.0,
    threshold: LEARNED,
    numbers: "{{results.auroc.patients}} in {{results.n.patients}} patients",
    deviations: "",
};

impl Study {
    fn yaml(&self) -> String {
        let Self { relation, design, columns, c, threshold, numbers, deviations } = self;
        let map: Vec<String> = (0..*columns).map(|n| format!("x{n}: x{n}")).collect();
        let map = map.join(", ");
        format!(
            r#"restudy: 1
title: A model of mutation in glioma (simulated)
cancer: glioma
seed: 3
sources:
  clinic: {{ table: here.csv, id: patient }}
  later: {{ table: there.csv, id: patient }}
cohorts:
  patients: {{ from: clinic, site: site }}
  elsewhere:
    from: later
    site: site
    sealed: true
    relation: {relation}
    map: {{ clinic: {{ from: later, columns: {{ status: status, age: age, {map} }} }} }}
outcomes:
  status: {{ label: IDH1 mutation, binary: {{ column: clinic.status, positive: mutant }} }}
predictors:
  texture: {{ columns: {{ from: clinic, include: ["x*"] }} }}
  years: {{ columns: {{ from: clinic, include: [age] }} }}
models:
  radiomics: [texture]
  clinical: [years]
primary_model: radiomics
prepare: [impute_median, scale_zscore]
learn: [logistic: {{ c: [{c}] }}]
validate:
  internal: {{ nested: {{ outer: 5, inner: 3, repeats: 2 }}, cohort: patients }}
  external: [elsewhere]
evaluate:
  primary: auroc
  also: [sensitivity, specificity, calibration_slope]
  compare: [{{ better: radiomics, than: clinical }}]
  threshold: {{ {threshold}, learned_from: inner_out_of_fold, frozen_for: [elsewhere] }}
  controls: {{ permuted_outcome: {{ none: "it has to be quick" }} }}
governance: {{ public: true }}
reporting:
  title: A prospective multicentre study of a radiomics model for mutation in glioma
  abstract:
    conclusion: >
      External validation confirmed the result. The radiomics model was validated.
      It was superior to the clinical model. It was well calibrated.
      The model generalises to other hospitals. There were no missing data.
      The test data were used once. The AUROC was {numbers}.
  cohorts: {{ patients: {{ design: {design} }}, elsewhere: {{ design: {design} }} }}
  protocol: https://example.org/protocol
  threshold: {{ rationale: The threshold was pre-specified. }}
  discussion: {{ strengths: [There were no deviations from the protocol.] }}
{deviations}"#
        )
    }
}

/// A study on its tables whose protocol was locked before anything ran.
fn locked(study: &Study, here: &Table, there: &Table) -> Workshop {
    let workshop = Workshop::new();
    workshop.write("here.csv", here.csv(1).as_bytes());
    workshop.write("there.csv", there.csv(2).as_bytes());
    workshop.study(&study.yaml());
    let lock = workshop.restudy(&["plan", "study.yaml", "--lock"]);
    assert_eq!(lock.status.code(), Some(0), "{lock:?}");
    workshop
}

fn weak() -> Workshop {
    let here = Table {
        prefix: "P",
        n: 120,
        effect: 0.0,
        sites: &["A"],
        columns: WEAK.columns,
        gaps: true,
    };
    locked(&WEAK, &here, &Table { prefix: "Q", n: 60, gaps: false, ..here })
}

fn strong() -> Workshop {
    let here = Table {
        prefix: "P",
        n: 150,
        effect: 1.5,
        sites: &["A", "B", "C"],
        columns: STRONG.columns,
        gaps: false,
    };
    locked(&STRONG, &here, &Table { prefix: "Q", n: 60, sites: &["D"], ..here })
}

/// The checks that find something in the report of the newest run.
fn found(workshop: &Workshop) -> BTreeSet<String> {
    let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
    let all = report["conflicts"].as_array().unwrap().iter();
    all.map(|of| of["check"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_same_words_contradict_one_study_and_not_another() {
    let said = [
        "a number typed by hand",
        "external validation",
        "generalises",
        "multicentre",
        "no missing data",
        "prospective",
        "superior",
        "test data used once",
        "validated",
        "well calibrated",
    ];
    let weak = weak();
    weak.run(&[]);
    assert_eq!(found(&weak), said.map(String::from).into());
    // Another threshold when results are known, which the author says came before the data.
    let moved = Study {
        threshold: "rule: fixed, value: 0.3",
        deviations: "  deviations: [{ what: another threshold, path: evaluate.threshold, when: before \
                     data, why: it was a slip of the pen }]\n",
        ..WEAK
    };
    weak.study(&moved.yaml());
    weak.run(&[]);
    let late = [
        "no deviation",
        "protocol",
        "threshold declared beforehand",
        "time of a deviation",
    ];
    let all = said.into_iter().chain(late).map(String::from);
    assert_eq!(found(&weak), all.collect());
    let html = String::from_utf8(weak.read("runs/study/report.html")).unwrap();
    assert!(html.contains("Draft: not ready to submit"));
    let strict = weak.restudy(&["report", "runs/study", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    let told = String::from_utf8(strict.stderr).unwrap();
    assert!(told.contains("error: conflict: "), "{told}");

    // Two models of this study met the other cohort; one of them alone leaves nothing to contradict.
    let strong = strong();
    strong.run(&[]);
    assert_eq!(found(&strong), ["test data used once".to_string()].into());
    let alone = STRONG
        .yaml()
        .replace("  clinical: [years]\n", "")
        .replace("  compare: [{ better: radiomics, than: clinical }]\n", "")
        .replace("It was superior to the clinical model. ", "");
    std::fs::remove_file(strong.path("study.lock.yaml")).unwrap();
    strong.study(&alone);
    strong.run(&[]);
    // Without a locked protocol a plan that is cited is a warning.
    assert_eq!(found(&strong), ["protocol".to_string()].into());
}

/// The study that comes with the program, with what its report lacks.
fn complete() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    let text = std::fs::read_to_string(folder.join("quickstart.yaml")).unwrap();
    let mut missing: Vec<&str> = Vec::new();
    let mut text = text;
    for (old, new) in [
        (
            "    conclusion: The cohort is",
            "    objectives: To show how a model of a simulated mutation is written, run and reported.\n    conclusion: The cohort is",
        ),
        (
            "      sampling: random\n",
            "      sampling: random\n      dates: { start: 2026-01-01, end: 2026-01-01 }\n",
        ),
        (
            "  tables: [clinical, radiomics]\n",
            "  tables: [clinical, radiomics]\n  texture: [radiomics]\n",
        ),
        ("\nprepare:", "\nprimary_model: tables\n\nprepare:"),
        ("models: [tables] }", "models: [tables, texture] }"),
        (
            "  also: [sens",
            "  compare: [{ better: tables, than: texture }]\n  also: [sens",
        ),
    ] {
        if !text.contains(old) {
            missing.push(old);
        }
        text = text.replace(old, new);
    }
    assert_eq!(missing, Vec::<&str>::new(), "the study was written otherwise");
    text
}

#[test]
fn a_report_is_a_draft_until_everything_is_told() {
    const DRAFT: &str = "Draft: not ready to submit";
    let work = tempfile::tempdir().unwrap();
    let text = complete();
    let of = |text: &str| {
        std::fs::write(work.path().join("study.yaml"), text).unwrap();
        let run = restudy(work.path(), &["run", "study.yaml"]);
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        let html =
            std::fs::read_to_string(work.path().join("runs/study/report.html")).unwrap();
        let strict = restudy(work.path(), &["report", "runs/study", "--strict"]);
        let told = String::from_utf8(strict.stderr).unwrap();
        (html.contains(DRAFT), strict.status.code(), told)
    };
    assert_eq!(of(&text), (false, Some(0), String::new()));
    for (old, new, told) in [
        // A field that is left out, one that holds a place, and words against the run.
        (
            "  treatments: { none: \"simulated patients are not treated\" }\n",
            "",
            "treatments",
        ),
        (
            "    fairness: Nothing follows for any group of patients.",
            "    fairness: \"[insert]\"",
            "[insert]",
        ),
        (
            "      setting: No centre; a computer program.\n",
            "      setting: A program. Here one hundred and seven patients were included.\n",
            "one hundred and seven",
        ),
        (
            "    interpretation: The procedure finds",
            "    interpretation: The AUROC was 0.99. The procedure finds",
            "0.99",
        ),
    ] {
        let changed = text.replace(old, new);
        assert_ne!(changed, text, "{old}");
        let (draft, code, errors) = of(&changed);
        assert!(draft, "{told}");
        assert_eq!(code, Some(1), "{told}");
        assert!(errors.contains(told), "{told}: {errors}");
    }
    // Nobody sets a status.
    let by_hand = format!("{text}  status: met\n");
    std::fs::write(work.path().join("study.yaml"), by_hand).unwrap();
    let check = restudy(work.path(), &["check", "study.yaml"]);
    assert_eq!(check.status.code(), Some(1));
    let told = String::from_utf8(check.stderr).unwrap();
    assert!(told.contains("has no key `status`"), "{told}");
}
