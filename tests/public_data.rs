//! The studies of public data, with few repeats: what they exclude, find and call by which name.
//!
//! Their numbers with all repeats are of no test: here a few folds show that the whole way works.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::workshop::{restudy, test_data};

/// A study, the files that it reads, and what makes it quick.
struct Case {
    study: &'static str,
    files: &'static [&'static str],
    edits: &'static [(&'static str, &'static str)],
}

/// Fewer folds, repeats and columns; each text must stand in the study.
const CASES: [Case; 7] = [
    Case {
        study: "glioma-idh",
        files: &[
            "genomics/tcga_glioma/medimage_t1.csv.gz",
            "genomics/tcga_glioma/medimage_t1ce.csv.gz",
            "genomics/tcga_glioma/medimage_t2.csv.gz",
            "genomics/tcga_glioma/medimage_flair.csv.gz",
            "genomics/tcga_glioma/mc3_lgg.maf.gz",
            "genomics/tcga_glioma/mc3_gbm.maf.gz",
            "genomics/tcga_glioma/molecular_labels.csv",
            "genomics/tcga_glioma/clinical_cdr.csv",
        ],
        edits: &[
            ("outer: 5, inner: 5, repeats: 10", "outer: 3, inner: 2, repeats: 1"),
            ("\"stats_3D__*\", \"intHist_3D__*\"", "\"stats_3D__*\""),
            ("\"gl*_3D*\", \"ngtdm_3D__*\", \"ngldm_3D__*\"", "\"ngtdm_3D__*\""),
            ("k: [8, 16, 32]", "k: [8]"),
            ("c: [0.01, 0.1, 1, 10]", "c: [0.1]"),
            ("c: [0.1, 1, 10]", "c: [1]"),
            ("times: 100", "times: 3"),
        ],
    },
    Case {
        study: "glioma-idh-ucsf",
        files: &[
            "genomics/tcga_glioma/medimage_t1ce.csv.gz",
            "genomics/tcga_glioma/mc3_lgg.maf.gz",
            "genomics/tcga_glioma/mc3_gbm.maf.gz",
            "genomics/tcga_glioma/molecular_labels.csv",
            "genomics/ucsf_pdgm/UCSF-PDGM-metadata_v2.csv",
            "genomics/ucsf_pdgm/pyradiomics_t1c_wholetumour.csv.gz",
        ],
        edits: &[
            ("outer: 5, inner: 5, repeats: 10", "outer: 3, inner: 2, repeats: 2"),
            ("outer: 5, inner: 5, repeats: 5", "outer: 3, inner: 2, repeats: 2"),
        ],
    },
    Case {
        study: "glioma-1p19q",
        files: &["radmlbench/LGG-1p19qDeletion.csv.gz"],
        edits: &[
            ("outer: 5, inner: 5, repeats: 5", "outer: 3, inner: 2, repeats: 1"),
            ("[\"T1_*\"]", "[\"T1_original_*\"]"),
            ("[\"T2_*\"]", "[\"T2_original_*\"]"),
        ],
    },
    Case {
        study: "glioma-idh-hospitals",
        files: &["radmlbench/Arita2018.csv.gz"],
        edits: &[
            ("outer: 5, inner: 5, repeats: 5", "outer: 3, inner: 2, repeats: 1"),
            (
                "except: [Target, \"Gp0*\", \"IDHmt_*\", \"IDHwt_*\"]",
                "include: [\"T2_*\"]",
            ),
        ],
    },
    Case {
        study: "head-neck-nodes",
        files: &["radmlbench/Head-Neck-Radiomics-HN1.csv.gz", "radmlbench/HNSCC.csv.gz"],
        edits: &[("outer: 5, inner: 5, repeats: 5", "outer: 3, inner: 2, repeats: 1")],
    },
    Case {
        study: "lung-egfr",
        files: &[
            "radmlbench/NSCLC-Radiogenomics.csv.gz",
            "genomics/nsclc_radiogenomics/clinical_104.csv",
        ],
        edits: &[("outer: 5, inner: 4, repeats: 10", "outer: 3, inner: 2, repeats: 2")],
    },
    Case {
        study: "lung-survival-sites",
        files: &["radmlbench/Hosny2018A.csv.gz", "radmlbench/Hosny2018B.csv.gz"],
        edits: &[
            ("outer: 5, inner: 5, repeats: 5", "outer: 3, inner: 2, repeats: 1"),
            ("except: [Target]", "include: [\"original_*\"]"),
        ],
    },
];

/// Runs a study in a folder of its own; gives `report.json` and the page.
fn run(data: &Path, work: &Path, case: &Case) -> (Json, String) {
    let files: Vec<PathBuf> = case.files.iter().map(|file| data.join(file)).collect();
    let mut arguments = vec!["store", "add"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let added = restudy(work, &arguments);
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    let mut text =
        std::fs::read_to_string(folder.join(format!("{}.yaml", case.study))).unwrap();
    for (from, to) in case.edits {
        assert!(text.contains(from), "`{from}` is not in {}", case.study);
        text = text.replace(from, to);
    }
    let name = format!("{}.yaml", case.study);
    std::fs::write(work.join(&name), text).unwrap();
    let output = restudy(work, &["run", &name, "--quiet"]);
    let told = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(0), "{}: {told}", case.study);
    let out = work.join("runs").join(case.study);
    let json = std::fs::read(out.join("report.json")).unwrap();
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    (serde_json::from_slice(&json).unwrap(), html)
}

fn auroc(report: &Json, analysis: &str) -> f64 {
    let found = &report["analyses"][analysis]["performance"]["auroc"]["estimate"];
    found.as_f64().unwrap_or_else(|| panic!("`{analysis}` has no AUROC"))
}

/// Counts of a reason over all boxes of a cohort's flow.
fn removed(report: &Json, cohort: &str, reason: &str) -> u64 {
    let cohorts = report["cohorts"].as_array().unwrap();
    let cohort = cohorts.iter().find(|known| known["name"] == cohort).unwrap();
    let boxes = cohort["flow"].as_array().unwrap().iter();
    boxes
        .flat_map(|of_box| of_box["removed"].as_array().unwrap())
        .filter(|removed| removed["reason"].as_str().unwrap().contains(reason))
        .map(|removed| removed["n"].as_u64().unwrap())
        .sum()
}

#[track_caller]
fn near(value: f64, from: f64, to: f64) {
    assert!((from..=to).contains(&value), "{value} is not within {from} and {to}");
}

#[test]
fn studies_of_public_data_run_and_are_told_truly() {
    let Some(data) = test_data() else { return };
    let work = tempfile::tempdir().unwrap();
    for case in &CASES {
        let (report, html) = run(&data, work.path(), case);
        // No result is missing, and every source is named with licence and citation. Most of the
        // author's half is, so that each is a draft; none contradicts its run.
        assert!(!html.contains("results are missing;"), "{}", case.study);
        assert!(!html.contains("1 result is missing;"), "{}", case.study);
        assert!(html.contains("Draft: not ready to submit"), "{}", case.study);
        assert!(!html.contains("gapbox conf"), "{}", case.study);
        assert!(!html.contains("The flow does not add up"), "{}", case.study);
        assert!(!html.contains("could not be made"), "{}", case.study);
        assert!(html.len() < 2_000_000, "{}: {} bytes", case.study, html.len());
        for source in report["sources"].as_array().unwrap() {
            for what in ["licence", "citation", "origin"] {
                let held = source[what].as_str().is_some_and(|text| !text.is_empty());
                let given = what == "origin" || held;
                assert!(given, "{}: {} has no {what}", case.study, source["name"]);
            }
        }
        // Every block is described, also one that only another outcome's cohort has; Table 1 has no
        // class that nobody was asked about.
        for block in report["predictors"].as_array().unwrap() {
            let columns = block["columns"].as_array().unwrap();
            assert!(!columns.is_empty(), "{}: {}", case.study, block["name"]);
        }
        for row in report["characteristics"].as_array().unwrap() {
            assert_ne!(row["rows"], 0, "{}: {row}", case.study);
        }
        // A method may be cross-validated; a model is never "validated".
        let text = html.to_lowercase().replace("cross-validated", "");
        assert!(!text.contains("no signal") && !text.contains("validated"));
        match case.study {
            "glioma-idh" => glioma_idh(&report, &html),
            "glioma-idh-ucsf" => {
                let internal = auroc(&report, "idh.radiomics.internal");
                let external = auroc(&report, "idh.radiomics.ucsf");
                near(internal, 0.70, 0.88);
                near(external, 0.52, 0.68);
                near(auroc(&report, "mgmt.methylation.control"), 0.38, 0.60);
                assert!(html.contains("of another institution (external)"));
            }
            "glioma-1p19q" => {
                near(auroc(&report, "codeletion.both.internal"), 0.65, 0.92)
            }
            "glioma-idh-hospitals" => {
                let sites = &report["analyses"]["idh.radiomics.hospitals"]["sites"];
                let n = |site: &Json| (site["n"].as_u64(), site["pooled"].as_bool());
                let sites: Vec<_> = sites.as_array().unwrap().iter().map(n).collect();
                assert_eq!(
                    sites,
                    [(61, true), (73, true), (10, false), (24, true)]
                        .map(|(n, pooled)| (Some(n), Some(pooled)))
                );
                assert!(html.contains("fewer than 5 of a class, not pooled"));
                assert!(html.contains("No external validation."));
            }
            "head-neck-nodes" => {
                assert_eq!(report["analyses"]["nodes.radiomics.houston"]["n"], 93);
                assert!(html.contains("of another institution (external)"));
                near(auroc(&report, "nodes.radiomics.houston"), 0.55, 0.80);
            }
            "lung-egfr" => {
                assert_eq!(removed(&report, "patients", "EGFR status unknown"), 18);
                assert_eq!(report["analyses"]["egfr.radiomics.internal"]["n"], 126);
                assert!(html.contains("no evidence of discrimination (AUROC "));
            }
            "lung-survival-sites" => {
                let left = &report["sources"][1]["left_out"][0];
                assert_eq!((&left["reason"], &left["n"]), (&"no id".into(), &1.into()));
                assert!(html.contains("Rows that were read and do not count"));
            }
            other => panic!("nothing is asked of `{other}`"),
        }
    }
}

fn glioma_idh(report: &Json, html: &str) {
    // The archive alone, on the same splits as the model, and outside of them.
    near(auroc(report, "idh.archive_only.internal"), 0.87, 0.93);
    near(auroc(report, "idh.archive_only.held_out_sites"), 0.79, 0.82);
    near(auroc(report, "idh.radiomics.internal"), 0.80, 0.97);
    near(auroc(report, "idh.radiomics.held_out_sites"), 0.62, 0.95);
    let agreement = &report["agreements"][0];
    assert_eq!((&agreement["both"], &agreement["agree"]), (&891.into(), &888.into()));
    // Other sites of one archive are called by their name; what confounds stands in the sentence.
    let lead =
        html.split("class=\"lead\">").nth(1).unwrap().split("</p>").next().unwrap();
    for part in [
        "held-out sites of the same archive (internal–external validation)",
        "The outcome goes with site",
        "within archive",
        // The strongest control, which the study does not name.
        "site alone gives",
    ] {
        assert!(lead.contains(part), "`{part}` is not in {lead}");
    }
    assert!(html.contains("archive alone gives"));
    let added = &report["analyses"]["idh.site_only.internal"]["added"];
    assert_eq!(added["looks_at"], "site or stratum");
    // All sites of the other cohort are strange to a model of sites.
    assert!(report["analyses"]["idh.site_only.held_out_sites"].is_null());
    assert!(!html.contains("(external)"));
    assert!(html.contains("single patient from this site"));
    // No patient leaves the cohort.
    assert!(!html.contains("TCGA-0") && !report.to_string().contains("TCGA-0"));
}
