//! Controls that a reader will ask for stand beside the headline without being named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use restudy::catalog::Catalog;
use restudy::data::{AnalysisRecord, StudyRecord};

use crate::workshop::{Workshop, number};

/// Patients of two hospitals with which the outcome goes, with a volume and an age.
const TABLE: &str = include_str!("golden/check/uncontrolled.csv");

const STUDY: &str = "restudy: 1
title: Controls
cancer: glioma
seed: 1
governance: { public: true }
sources:
  clinic: { table: table.csv, id: id }
cohorts:
  all: { from: clinic, site: hospital }
outcomes:
  mutant: { label: Mutation, binary: { column: mutant, positive: 1 } }
predictors:
  picture: { columns: { from: clinic, include: [volume_ml, texture] } }
  age: { clinical: { from: clinic, columns: [age], known: before imaging } }
models:
  fused: [picture, age]
prepare: [impute_median, scale_zscore]
select: [all]
learn: [logistic: { c: [0.1, 1] }]
validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 2 } }
  hospitals: { leave_site_out: { inner: 2 } }
evaluate:
  primary: auroc
  within: hospital
  controls:
    permuted_outcome: { none: a small study }
";

fn workshop(study: &str) -> Workshop {
    let workshop = Workshop::new();
    workshop.write("table.csv", TABLE.as_bytes());
    workshop.study(study);
    workshop
}

fn ran(workshop: &Workshop) -> StudyRecord {
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    serde_json::from_slice(&workshop.report()).unwrap()
}

fn checked(workshop: &Workshop) -> String {
    let output = workshop.restudy(&["check", "study.yaml"]);
    assert!(output.status.success());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    format!("{}{}", text(output.stderr), text(output.stdout))
}

/// The controls of a record by model and scheme.
fn controls(record: &StudyRecord) -> BTreeMap<(String, String), &AnalysisRecord> {
    let controls = record.analyses.values().filter(|of| of.role == "control");
    controls.map(|of| ((of.model.clone(), of.scheme.clone()), of)).collect()
}

#[test]
fn site_volume_and_clinical_predictors_alone_stand_beside_the_headline() {
    let workshop = workshop(STUDY);
    let said = checked(&workshop);
    for line in [
        "  control hospital_only added: the outcome goes with `hospital`\n",
        "  control volume_only added: `volume_ml` among the predictors is a volume\n",
        "  control clinical_only added: model `fused` has clinical predictors beside others\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("W0408"), "{said}");
    let record = ran(&workshop);
    let controls = controls(&record);
    let names: Vec<(&str, &str)> = controls
        .keys()
        .map(|(model, scheme)| (model.as_str(), scheme.as_str()))
        .collect();
    // A hospital that is held out whole is unknown to a model of hospitals.
    let expected = [
        ("clinical_only", "hospitals"),
        ("clinical_only", "internal"),
        ("hospital_only", "internal"),
        ("volume_only", "hospitals"),
        ("volume_only", "internal"),
    ];
    assert_eq!(names, expected);
    let headline = &record.analyses[&record.analysis_order[0]];
    assert_eq!((headline.model.as_str(), &headline.added), ("fused", &None));
    for ((model, scheme), of) in &controls {
        assert!(of.added.is_some(), "{model}");
        if scheme == "internal" {
            let columns = |of: &AnalysisRecord| (of.n, of.folds.len());
            assert_eq!(columns(of), columns(headline), "{model}: other splits");
        }
    }
    // 20 of 30 mutated in one hospital, 10 of 30 in the other.
    let hospital = controls[&("hospital_only".to_string(), "internal".to_string())];
    let auroc = hospital.performance["auroc"].estimate;
    assert!((0.6..0.75).contains(&auroc), "{auroc}");
    assert_eq!(hospital.within.as_ref().unwrap().estimate, 0.5);
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("Controls that were added"));
    assert!(html.contains("the outcome goes with <code>hospital</code>"));
    assert!(html.contains("was not computed: a small study."));
    // Marks, splits and what is judged are called what they are.
    for told in [
        "Circle: the model, internal.",
        "Diamond: the model, over sites that are held out one at a time.",
        "Open square: the same predictions, pairs within one stratum only.",
        "Rows that are held out at random share sites with training rows",
        "<th scope=\"col\">Site held out</th>",
    ] {
        assert!(html.contains(told), "{told}");
    }
    assert!(!html.contains("over all pairs"));
    assert!(!html.contains("of the one frozen model"));
}

/// Of several controls a reader of a decision curve asks for what decides today.
#[test]
fn decisions_are_drawn_beside_the_clinical_model() {
    let range = "  within: hospital\n  decision_range: [0.1, 0.6]\n";
    let workshop = workshop(&STUDY.replace("  within: hospital\n", range));
    let record = ran(&workshop);
    let clinical = record.analyses.values().filter(|of| of.clinical);
    let clinical: Vec<&str> = clinical.map(|of| of.model.as_str()).collect();
    assert_eq!(clinical, ["clinical_only"; 2]);
    let table = workshop.read("runs/study/tables/decision-curve.csv");
    let table = String::from_utf8(table).unwrap();
    let head = table.lines().next().unwrap();
    assert_eq!(head, "threshold,nb_model,lo,hi,nb_all,nb_clinical");
}

/// Codes of sites are names, not amounts.
#[test]
fn sites_that_are_numbers_are_told_apart_one_by_one() {
    let coded = TABLE.replace(",north,", ",3,").replace(",south,", ",7,");
    let workshop = workshop(STUDY);
    let by_name = ran(&workshop);
    workshop.write("table.csv", coded.as_bytes());
    let by_code = ran(&workshop);
    let auroc = |record: &StudyRecord| {
        record.analyses["mutant.hospital_only.internal"].performance["auroc"].estimate
    };
    assert_eq!(auroc(&by_name), auroc(&by_code));
    let blocks = by_code.predictors.iter().filter(|block| block.name == "hospital_only");
    assert_eq!(blocks.count(), 1);
}

/// Sites of elsewhere that nobody was trained on are all the same to a model of sites; a volume is not.
#[test]
fn other_sites_are_not_judged_by_a_model_of_sites() {
    let study = STUDY
        .replace(
            "cohorts:\n  all: { from: clinic, site: hospital }",
            "cohorts:\n  all: { from: clinic, site: hospital }\n  elsewhere: { from: clinic2, map: { \
             clinic: { from: clinic2 } } }",
        )
        .replace(
            "cohorts:\n",
            "  clinic2: { table: elsewhere.csv, id: id }\ncohorts:\n",
        )
        .replace("  hospitals: { leave_site_out: { inner: 2 } }", "  external: [elsewhere]")
        .replace("{ inner: 2, repeats: 2 }", "{ inner: 2 }");
    let workshop = workshop(&study);
    let elsewhere = TABLE.replace("north", "east").replace("south", "west");
    workshop.write("elsewhere.csv", elsewhere.replace("\nP", "\nQ").as_bytes());
    let record = ran(&workshop);
    let outside =
        |model: &str| record.analyses.contains_key(&format!("mutant.{model}.elsewhere"));
    assert!(outside("fused") && outside("volume_only") && outside("clinical_only"));
    assert!(!outside("hospital_only"));
    workshop.write("elsewhere.csv", TABLE.replace("\nP", "\nQ").as_bytes());
    let record = ran(&workshop);
    assert!(record.analyses.contains_key("mutant.hospital_only.elsewhere"));
}

#[test]
fn a_control_that_the_study_names_is_not_added_and_is_the_same_one() {
    let workshop = workshop(STUDY);
    let before = ran(&workshop);
    let named = STUDY
        .replace(
            "models:\n",
            "models:\n  clinical_only: { blocks: [age], role: control }\n",
        )
        .replace("prepare:", "primary_model: fused\nprepare:")
        + "    columns_only: { volume_only: [clinic.volume_ml] }\n";
    workshop.study(&named);
    let said = checked(&workshop);
    assert!(said.contains("hospital_only added"), "{said}");
    assert!(!said.contains("volume_only added") && !said.contains("clinical_only added"));
    let run = workshop.run(&[]);
    assert_eq!(number(&run, "computed"), 0, "{run:?}");
    let after: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
    let (before, after) = (controls(&before), controls(&after));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, of) in before {
        assert_eq!(of.performance, after[&name].performance, "{name:?}");
        assert_eq!(after[&name].added.is_some(), name.0 == "hospital_only");
    }
}

#[test]
fn nothing_is_added_where_the_author_says_why_not() {
    let quiet = STUDY.to_string() + "    added: { none: one figure is enough here }\n";
    let workshop = workshop(&quiet);
    let said = checked(&workshop);
    assert_eq!(said.matches("warning[W0408]").count(), 3, "{said}");
    assert!(!said.contains(" added: "), "{said}");
    let record = ran(&workshop);
    assert!(controls(&record).is_empty());
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("one figure is enough here"));
    assert!(!html.contains("Controls that were added"));
}

#[test]
fn nothing_is_added_where_nothing_is_missing() {
    let plain = STUDY
        .replace(
            "site: hospital",
            "exclude: [{ rule: \"hospital == 'west'\", reason: none }]",
        )
        .replace("[volume_ml, texture]", "[texture]")
        .replace("  fused: [picture, age]", "  fused: [picture]")
        .replace("  hospitals: { leave_site_out: { inner: 2 } }\n", "")
        .replace("  within: hospital\n", "");
    let workshop = workshop(&plain);
    let said = checked(&workshop);
    assert!(!said.contains(" added: ") && !said.contains("W0408"), "{said}");
    assert!(controls(&ran(&workshop)).is_empty());
}

/// The name of a study is that of what its author wrote, whatever the data call for.
#[test]
fn controls_that_were_added_do_not_rename_a_study() {
    let workshop = workshop(STUDY);
    let record = ran(&workshop);
    let read = |text: &str| {
        let parsed = restudy::spec::read(text, &Catalog::standard());
        parsed.study.unwrap().digest().to_string()
    };
    assert_eq!(record.study.digest, read(STUDY));
    let quiet = STUDY.to_string() + "    added: { none: one figure is enough here }\n";
    assert_ne!(read(STUDY), read(&quiet));
    let other = quiet.replace("one figure", "a single figure");
    assert_eq!(read(&quiet), read(&other), "a reason is no result");
    // What gives other results gives another name, and a default that is written out does not.
    let default = "  learning_curve: { fractions: [0.25, 0.5, 0.75], repeats: 1 }\n";
    assert_eq!(read(STUDY), read(&(STUDY.to_string() + default)));
    let more = [
        "  learning_curve: { none: slow }\n",
        "  learning_curve: { repeats: 2 }\n",
        "  learning_curve: { fractions: [0.5] }\n",
        "  fallback: naive\n",
        "  decision_range: [0.1, 0.5]\n",
    ];
    let names = more.map(|more| read(&(STUDY.to_string() + more)));
    let names: BTreeSet<String> = names.into_iter().chain([read(STUDY)]).collect();
    assert_eq!(names.len(), more.len() + 1);
    let permuted = STUDY.replace("{ none: a small study }", "{ times: 20 }");
    assert_ne!(read(STUDY), read(&permuted));
    assert!(Path::new(&workshop.path("runs/study/report.json")).exists());
}
