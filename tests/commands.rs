//! Commands that are given what they were not made for: each says so, exits with a number other than 0,
//! and loses nothing.

use std::process::Output;

use crate::workshop::Workshop;

const STUDY: &str = r#"restudy: 1
title: What commands are given (simulated)
cancer: glioma
seed: 1
sources:
  clinic: { table: gaps.csv, id: patient }
cohorts:
  all: { from: clinic }
outcomes:
  status: { label: mutant, binary: { column: status, positive: mutant } }
predictors:
  radiomics: { columns: { from: clinic, include: [x1, x2] } }
prepare: [scale_zscore]
select: [all]
learn: [logistic]
validate:
  internal: { nested: { outer: 4, inner: 2, repeats: 2 } }
evaluate: { primary: auroc, controls: { permuted_outcome: { none: a test } } }
"#;

/// The small study, not run.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.write("gaps.csv", include_bytes!("golden/check/gaps.csv"));
    workshop.study(STUDY);
    workshop
}

/// What was said, with the exit code before it.
fn said(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stderr).to_string();
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn predictions_take_the_place_of_nothing_that_they_are_made_from() {
    let workshop = workshop();
    workshop.run(&[]);
    let model = "runs/study/models/status.all.json";
    let table = "patient,x1,x2\nP1,0.5,1\nP2,1.5,0\n";
    workshop.write("new.csv", table.as_bytes());
    let before = workshop.read(model);
    for output in ["new.csv", "./new.csv", model] {
        let output = workshop.restudy(&["predict", model, "new.csv", "-o", output]);
        let (exit, text) = said(&output);
        assert_eq!(exit, 1, "{text}");
        assert!(text.contains("help: give `--output` another file"), "{text}");
    }
    assert_eq!(workshop.read("new.csv"), table.as_bytes());
    assert_eq!(workshop.read(model), before);
    // An older file gives way to the new one, and nothing is left beside it.
    workshop.write("found/p.csv", b"older");
    let output = workshop.restudy(&["predict", model, "new.csv", "-o", "found/p.csv"]);
    assert_eq!(said(&output).0, 0, "{output:?}");
    let written = String::from_utf8(workshop.read("found/p.csv")).unwrap();
    assert!(written.starts_with("id,probability") && written.lines().count() == 3);
    assert_eq!(std::fs::read_dir(workshop.path("found")).unwrap().count(), 1);
    // Nor is a folder made for it by a slip of the pen.
    let output = workshop.restudy(&["predict", model, "new.csv", "-o", "fuond/p.csv"]);
    assert_eq!(said(&output).0, 1, "{output:?}");
    assert!(!workshop.path("fuond").exists());
    workshop.write("blank.csv", b"\n\n");
    let (exit, text) = said(&workshop.restudy(&["predict", model, "blank.csv"]));
    assert!(exit == 1 && text.contains("it has no header"), "{text}");
}

#[test]
fn a_report_is_rendered_from_what_its_run_wrote_alone() {
    let workshop = workshop();
    workshop.run(&[]);
    let page = workshop.read("runs/study/report.html");
    let report = String::from_utf8(workshop.report()).unwrap();
    let estimate = report.find("\"estimate\": 0.").expect("there is an AUROC");
    let mut forged = report.clone();
    forged.replace_range(estimate..estimate + 14, "\"estimate\": 1.");
    let newer = report.replacen("\"schema\": 1,", "\"schema\": 2,", 1);
    assert_ne!(newer, report);
    let cases: [(&str, i32, &str); 4] = [
        (&forged, 2, "is not the file that its run wrote"),
        (&report[..estimate], 1, "is cut short"),
        (&newer, 1, "is written in schema 2, and this version reads 1"),
        ("", 1, "is cut short"),
    ];
    for (text, exit, cause) in cases {
        workshop.write("runs/study/report.json", text.as_bytes());
        let (found, told) = said(&workshop.restudy(&["report", "runs/study"]));
        assert_eq!(found, exit, "{told}");
        assert!(told.contains(cause) && told.contains("\nhelp: "), "{told}");
        assert_eq!(workshop.read("runs/study/report.html"), page, "{cause}");
    }
    // The remedy holds.
    workshop.run(&[]);
    assert_eq!(workshop.report(), report.as_bytes());
    let page = workshop.read("runs/study/report.html");
    assert_eq!(said(&workshop.restudy(&["report", "runs/study"])).0, 0);
    assert_eq!(workshop.report(), report.as_bytes());
    // The run has its name still: that does not hang on what its record tells of the files.
    assert_eq!(workshop.read("runs/study/report.html"), page);
}

#[test]
fn a_glob_that_meets_no_node_is_told() {
    let workshop = workshop();
    workshop.run(&[]);
    for arguments in [
        ["plan", "study.yaml", "--nodes", "nothing*"],
        ["run", "study.yaml", "--refresh", "nothing*"],
    ] {
        let (exit, text) = said(&workshop.restudy(&arguments));
        assert_eq!(exit, 1, "{text}");
        assert!(text.contains("the study has no node `nothing*`"), "{text}");
    }
}

#[test]
fn a_study_that_is_not_there_leaves_nothing_behind() {
    let workshop = Workshop::new();
    let (exit, text) = said(&workshop.restudy(&["run", "sutdy.yaml"]));
    assert!(exit == 1 && text.contains("cannot read the study"), "{text}");
    assert!(!workshop.path("sutdy.key").exists() && !workshop.path(".restudy").exists());
}

#[test]
fn a_file_that_is_no_key_is_not_taken_for_one_that_is_missing() {
    let workshop = workshop();
    workshop.write("study.key", b"-----BEGIN PRIVATE KEY-----\n");
    for command in ["run", "check"] {
        let (exit, text) = said(&workshop.restudy(&[command, "study.yaml"]));
        assert!(exit == 1 && text.contains("study.key holds no key"), "{text}");
    }
    assert_eq!(workshop.read("study.key"), b"-----BEGIN PRIVATE KEY-----\n");
    // What a run left that was cut off at once.
    workshop.write("study.key", b"");
    workshop.run(&[]);
    let key = workshop.read("study.key");
    assert_eq!(key.len(), 65);
    workshop.run(&[]);
    assert_eq!(workshop.read("study.key"), key);
}

#[test]
fn a_protocol_that_is_damaged_is_not_replaced() {
    let workshop = workshop();
    let (exit, text) = said(&workshop.restudy(&["plan", "study.yaml", "--lock"]));
    assert_eq!(exit, 0, "{text}");
    let mut damaged = workshop.read("study.lock.yaml");
    damaged.extend([b'\n', 0xff, b'[']);
    workshop.write("study.lock.yaml", &damaged);
    let (exit, text) = said(&workshop.restudy(&["run", "study.yaml"]));
    assert!(exit == 1 && text.contains("it holds a protocol"), "{text}");
    assert_eq!(workshop.read("study.lock.yaml"), damaged);
}
