//! What a run would find out late is said by `check`, with place, cause and remedy, and of nothing else.

use crate::workshop::{Workshop, restudy};

const STUDY: &str = r#"restudy: 1
title: What is told early (simulated)
cancer: glioma
seed: 1
sources:
  clinic: { table: gaps.csv, id: patient }
cohorts:
  all: { from: clinic }
outcomes:
  status: { label: mutant, binary: { column: status, positive: mutant } }
predictors:
  radiomics: { columns: { from: clinic, include: [x1, x2, gap] } }
prepare: [scale_zscore]
select: [all]
learn: [logistic]
validate:
  internal: { nested: { outer: 4, inner: 2, repeats: 2 } }
evaluate: { primary: auroc, controls: { permuted_outcome: { none: a test } } }
"#;

const TABLE: &str = include_str!("golden/check/gaps.csv");

/// The small study with these changes.
fn changed(changes: &[(&str, &str)]) -> Workshop {
    let workshop = Workshop::new();
    workshop.write("gaps.csv", TABLE.as_bytes());
    let mut text = STUDY.to_string();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    workshop.study(&text);
    workshop
}

/// What `check` says of it, and its exit code.
fn said(workshop: &Workshop) -> (String, Option<i32>) {
    let output = restudy(workshop.path("").as_path(), &["check", "study.yaml"]);
    (String::from_utf8_lossy(&output.stderr).to_string(), output.status.code())
}

#[test]
fn missing_values_that_nothing_fills_are_told_before_the_run() {
    let impute = ("[scale_zscore]", "[impute_median, scale_zscore]");
    // (changes, exit, code, what is said)
    type Case<'a> = (&'a [(&'a str, &'a str)], i32, &'a str, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            &[],
            1,
            "E0323",
            &[
                "study.yaml:13:",
                "`logistic` has no result on any outer split of scheme `internal`",
                "`radiomics.gap` (3 of 48 patients of cohort `all`)",
                "add `impute_median` before `scale_zscore`",
            ],
        ),
        // The prevalence takes missing values and would be chosen without a word.
        (&[("[logistic]", "[logistic, naive]")], 1, "E0323", &["`logistic` has no"]),
        (&[("[logistic]", "[naive]")], 0, "", &[]),
        (&[("[all]", "[anova: { k: 2 }]")], 1, "E0323", &["`anova` has no result"]),
        (
            &[("[scale_zscore]", "[harmonise_combat: { batch: site }, impute_median]")],
            1,
            "E0323",
            &["`harmonise_combat` has", "move `impute_median` before `harmonise_combat`"],
        ),
        (&[impute], 0, "", &[]),
        (&[("[scale_zscore]", "[scale_zscore, impute_median]")], 0, "", &[]),
        (
            &[(
                "[scale_zscore]",
                "[transform_yeo_johnson, drop_missing: { share: 0.9 }]",
            )],
            1,
            "E0323",
            &["`logistic` has no result", "add `impute_median` before `transform_yeo"],
        ),
        (
            &[("[scale_zscore]", "[transform_yeo_johnson, drop_missing: { share: 0 }]")],
            0,
            "W0415",
            &["`logistic` has no result on 2 of 8 outer splits"],
        ),
        // The column is dropped, but where nobody in training has a gap.
        (
            &[("[scale_zscore]", "[drop_missing: { share: 0 }]")],
            0,
            "W0415",
            &["`logistic` has no result on 2 of 8 outer splits"],
        ),
        // Who lacks a value is no patient of the cohort.
        (
            &[(
                "{ from: clinic }",
                "{ from: clinic, exclude: [{ rule: gap is missing, reason: no value }] }",
            )],
            0,
            "",
            &[],
        ),
        (
            &[impute, ("x2, gap", "x2, never")],
            1,
            "E0322",
            &[
                "study.yaml:12:",
                "no patient of cohort `all` has a value of `radiomics.never`",
            ],
        ),
        (
            &[
                ("[scale_zscore]", "[drop_constant, impute_median]"),
                ("x2, gap", "x2, never"),
            ],
            0,
            "W0409",
            &["study.yaml:12:", "`never` holds no value in cohort `all`"],
        ),
        (
            &[impute, ("x2, gap", "x2, rare")],
            0,
            "W0415",
            &["`impute_median` has no result on", "45 of 48 patients"],
        ),
    ];
    for (changes, exit, code, parts) in cases {
        let (text, found) = said(&changed(changes));
        assert_eq!(found, Some(*exit), "{changes:?}: {text}");
        for part in *parts {
            assert!(text.contains(part), "{changes:?}: no {part:?} in {text}");
        }
        let of_gaps = ["E0322", "E0323", "W0409", "W0415"];
        for other in of_gaps.iter().filter(|other| *other != code) {
            assert!(!text.contains(*other), "{changes:?}: {text}");
        }
    }
}

/// What `check` calls sound has a result, and what it refuses has none: both sides of one rule.
#[test]
fn a_study_without_such_a_fault_has_a_result() {
    for prepare in ["[scale_zscore, impute_median]", "[drop_missing: { share: 0 }]"] {
        let workshop = changed(&[("[scale_zscore]", prepare)]);
        assert_eq!(workshop.run(&[])["exit"], "fine", "{prepare}");
    }
}

/// Rows without an outcome are in no split, so their gaps matter to nobody.
#[test]
fn gaps_of_patients_without_an_outcome_are_not_told() {
    let workshop = changed(&[]);
    let line = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[6].is_empty() {
            cells[1] = "";
        }
        cells.join(",")
    };
    let lines: Vec<String> = TABLE.lines().map(line).collect();
    workshop.write("gaps.csv", format!("{}\n", lines.join("\n")).as_bytes());
    let (text, exit) = said(&workshop);
    assert_eq!(exit, Some(0), "{text}");
    assert!(!text.contains("E0323"), "{text}");
}

/// A category that is missing is so in each column that is made of it.
#[test]
fn gaps_of_categories_are_counted() {
    let categories = [
        ("x1, x2, gap", "x1, x2, site"),
        ("[scale_zscore]", "[encode_onehot, scale_zscore]"),
    ];
    let workshop = changed(&categories);
    let line = |(at, line): (usize, &str)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if [3, 9].contains(&at) {
            cells[2] = "";
        }
        cells.join(",")
    };
    let lines: Vec<String> = TABLE.lines().enumerate().map(line).collect();
    workshop.write("gaps.csv", format!("{}\n", lines.join("\n")).as_bytes());
    let (text, exit) = said(&workshop);
    assert_eq!(exit, Some(1), "{text}");
    for part in ["E0323", "radiomics.site=", "(2 of 48 patients of cohort `all`)"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A number for what is not known stands in every column of some tables: that is one thing to say.
#[test]
fn a_code_of_many_columns_is_told_once() {
    let names: Vec<String> = (0..9).map(|at| format!("m{at}")).collect();
    let include = format!("include: [x1, {}]", names.join(", "));
    let workshop = changed(&[("include: [x1, x2, gap]", include.as_str())]);
    let line = |(at, line): (usize, &str)| match at {
        0 => format!("{line},{}", names.join(",")),
        at => {
            let value = if at % 9 == 1 { "-999".to_string() } else { at.to_string() };
            format!("{line},{}", vec![value; names.len()].join(","))
        }
    };
    let lines: Vec<String> = TABLE.lines().enumerate().map(line).collect();
    workshop.write("gaps.csv", format!("{}\n", lines.join("\n")).as_bytes());
    let (text, exit) = said(&workshop);
    assert!(exit == Some(0) && text.contains("W0419"), "{text}");
    assert_eq!(text.matches("far from all other values").count(), 1, "{text}");
    let told = "columns `m0`, `m1`, `m2`, `m3`, `m4` and 4 more of block `radiomics` hold -999 on \
                up to 6 rows";
    assert!(text.contains(told), "{text}");
}

/// A frozen model fills what another cohort lacks, or has no result there.
#[test]
fn gaps_of_another_cohort_are_told() {
    let other = TABLE.replace("\nP", "\nQ");
    let lacking = |of: fn(usize) -> bool| {
        let line = |(at, line): (usize, &str)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if at > 0 && of(at) {
                cells[4] = "";
            }
            cells.join(",")
        };
        let lines: Vec<String> = other.lines().enumerate().map(line).collect();
        format!("{}\n", lines.join("\n"))
    };
    let study = [
        (
            "id: patient }\n",
            "id: patient }\n  other: { table: other.csv, id: patient }\n",
        ),
        (
            "{ from: clinic }\n",
            "{ from: clinic }\n  there:\n    from: other\n    relation: another hospital\n    map: \
             { clinic: { from: other } }\n",
        ),
        ("x1, x2, gap", "x1, x2"),
        ("repeats: 2 } }\n", "repeats: 2 } }\n  external: [there]\n"),
    ];
    let of = |table: String, more: &[(&str, &str)]| {
        let workshop = changed(&[&study, more].concat());
        workshop.write("other.csv", table.as_bytes());
        said(&workshop)
    };
    let impute = [("[scale_zscore]", "[impute_median, scale_zscore]")];
    // Who lacks it may be of unknown outcome, and then nobody asks for it: the others have a result.
    let (text, exit) = of(lacking(|at| at == 5), &[]);
    assert_eq!(exit, Some(0), "{text}");
    for part in [
        "W0415",
        "`radiomics.x2` (1 of 48 patients of cohort `there`)",
        "unless nobody who lacks a value has a known outcome",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (text, exit) = of(lacking(|_| true), &[]);
    assert_eq!(exit, Some(1), "{text}");
    for part in ["E0323", "`radiomics.x2` (48 of 48 patients of cohort `there`)"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A selector may leave the column out.
    let (text, exit) = of(lacking(|at| at == 5), &[("[all]", "[anova: { k: 1 }]")]);
    assert_eq!(exit, Some(0), "{text}");
    assert!(text.contains("W0415") && text.contains("unless the model"), "{text}");
    // So may a step of the preparation that compares columns; what is behind it may fill the others.
    let first = "[drop_correlated: { threshold: 0.95 }, scale_zscore]";
    let (text, exit) = of(lacking(|at| at == 5), &[("[scale_zscore]", first)]);
    assert_eq!(exit, Some(0), "{text}");
    assert!(text.contains("W0415") && text.contains("unless the model"), "{text}");
    let first = "[drop_correlated: { threshold: 0.95 }, impute_median]";
    let (text, _) = of(lacking(|at| at == 5), &[("[scale_zscore]", first)]);
    assert!(!text.contains("W0415") && !text.contains("E0323"), "{text}");
    let (text, _) = of(lacking(|at| at == 5), &impute);
    assert!(!text.contains("W0415") && !text.contains("E0323"), "{text}");
    let (text, exit) = of(lacking(|_| true), &impute);
    assert_eq!(exit, Some(0), "{text}");
    assert!(text.contains("`radiomics.x2` holds no value in cohort `there`"), "{text}");
}

/// A warning promises that the run has its other results.
#[test]
fn columns_that_divide_nobody_cost_no_other_result() {
    let workshop = changed(&[
        ("x1, x2, gap", "x1, x2"),
        ("{ from: clinic }", "{ from: clinic, site: never }"),
        ("repeats: 2", "repeats: 2, stratify: [outcome, never]"),
        ("primary: auroc", "primary: auroc, within: never, subgroups: [{ by: never }]"),
        ("{ none: a test }", "{ times: 20, within: never }"),
    ]);
    let (text, exit) = said(&workshop);
    assert_eq!(exit, Some(0), "{text}");
    let divided = |workshop: &Workshop| {
        let record = workshop.run(&[]);
        assert_eq!(record["failed"], 0, "{record:?}");
        let report: serde_json::Value =
            serde_json::from_slice(&workshop.report()).unwrap();
        report["analyses"]["status.all.internal"]["performance"]["auroc"].clone()
    };
    let other = changed(&[("x1, x2, gap", "x1, x2")]);
    let (found, expected) = (divided(&workshop), divided(&other));
    assert!(expected["estimate"].is_number(), "{expected}");
    assert_eq!(found["estimate"], expected["estimate"]);
    // Nor is another test taken for the one that was asked for.
    let report: serde_json::Value = serde_json::from_slice(&workshop.report()).unwrap();
    let analysis = &report["analyses"]["status.all.internal"];
    assert!(analysis["permutation"].is_null(), "{}", analysis["permutation"]);
}

/// Other things that an author who is in a hurry writes, and that a run would not say, or say late.
#[test]
fn slips_are_told_with_their_cause_and_their_remedy() {
    let x = ("x1, x2, gap", "x1, x2");
    // (changes, exit, what is said)
    type Case<'a> = (&'a [(&'a str, &'a str)], i32, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            &[x, ("primary: auroc", "primary: auroc, within: never")],
            0,
            &["W0416", "study.yaml:18:", "column `never` holds no value in cohort `all`"],
        ),
        (
            &[x, ("primary: auroc", "primary: auroc, subgroups: [{ by: never }]")],
            0,
            &["W0416", "column `never` holds no value"],
        ),
        (
            &[x, ("{ from: clinic }", "{ from: clinic, site: never }")],
            0,
            &["W0416", "study.yaml:8:", "column `never` holds no value"],
        ),
        (
            &[x, ("repeats: 2", "repeats: 2, stratify: [outcome, never]")],
            0,
            &["W0416", "study.yaml:17:", "column `never` holds no value"],
        ),
        (
            &[
                x,
                ("{ from: clinic }", "{ from: clinic, site: never }"),
                ("nested: { outer: 4, inner: 2, repeats: 2 }", "leave_site_out: {}"),
            ],
            1,
            &["E0309", "column `site` has 0 values in cohort `all`"],
        ),
        (
            &[x, ("primary: auroc", "primary: auroc, subgroups: [{ by: x1 }]")],
            0,
            &[
                "W0416",
                "10 patients of the smaller class",
                "`{ by: x1, cut: [LIMIT, …] }`",
            ],
        ),
        (
            &[x, ("primary: auroc", "primary: auroc, within: x1")],
            0,
            &["W0416", "has patients of both classes"],
        ),
        (
            &[x, ("primary: auroc", "primary: auroc, decision_range: [10, 40]")],
            1,
            &["E0104", "10 % is written 0.1"],
        ),
        (
            &[("include: [x1, x2, gap]", "include: [\"x*\"], except: [\"x*\"]")],
            1,
            &["E0303", "block `radiomics` is left without a column", "`except`"],
        ),
        (
            &[
                x,
                (
                    "{ from: clinic }",
                    "{ from: clinic, exclude: [{ rule: \"status == 'wild'\", reason: why }] }",
                ),
            ],
            1,
            &["E0308", "0 negative", "32 left: why"],
        ),
        (
            &[x, ("column: status, positive: mutant", "column: never, positive: mutant")],
            1,
            &["E0308", "48 unknown", "nobody's outcome is known"],
        ),
        (
            &[
                x,
                ("primary: auroc", "primary: auroc, subgroups: [{ by: site, cut: [1] }]"),
            ],
            0,
            &["W0416", "`site` holds no number"],
        ),
        (
            &[
                x,
                ("primary: auroc", "primary: auroc, subgroups: [{ by: x1, cut: [900] }]"),
            ],
            0,
            &["W0416", "`cut` puts all patients of cohort `all` in one group"],
        ),
        (
            &[x, ("repeats: 2", "repeats: 2, stratify: [outcome, x1]")],
            0,
            &["W0416", "each value of `x1` in cohort `all` is of one row"],
        ),
        (
            &[x, ("repeats: 2", "repeats: 2, stratify: [outcom]")],
            1,
            &["E0303", "did you mean `outcome`?"],
        ),
        (
            &[
                x,
                ("{ from: clinic }", "{ from: clinic, site: x1 }"),
                ("nested: { outer: 4, inner: 2, repeats: 2 }", "leave_site_out: {}"),
            ],
            1,
            &["E0309", "none of the 48 sites of scheme `internal`"],
        ),
        (
            &[("x2, gap", "x2, patient")],
            1,
            &["E0303", "study.yaml:12:", "column `patient` is the id of its source"],
        ),
        (&[("title: What", "title: Early: what")], 1, &["E0001", "stands in quotes"]),
        (
            &[(
                "{ from: clinic }",
                "{ from: clinic, exclude: [{ rule: \"site == 'C'\", reason: why }] }",
            )],
            1,
            &["W0418", "`site` never holds 'C'", "it holds 'c' on"],
        ),
        (
            &[x, ("positive: mutant", "positive: mutant, negative: mutant")],
            1,
            &["`mutant` is positive and negative"],
        ),
        (&[("  clinic:", "\tclinic:")], 1, &["E0001", "indent with spaces"]),
    ];
    for (changes, exit, parts) in cases {
        let (text, found) = said(&changed(changes));
        assert_eq!(found, Some(*exit), "{changes:?}: {text}");
        for part in *parts {
            assert!(text.contains(part), "{changes:?}: no {part:?} in {text}");
        }
    }
}

/// Cells that say that nothing is known are told to be declared; one patient for all rows, and one batch
/// for all patients, are named as that.
#[test]
fn what_the_table_holds_is_told() {
    let with = |cell: fn(usize) -> &'static str, changes: &[(&str, &str)]| {
        let workshop = changed(changes);
        let line = |(at, line): (usize, &str)| match at {
            0 => format!("{line},more"),
            at => format!("{line},{}", cell(at)),
        };
        let lines: Vec<String> = TABLE.lines().enumerate().map(line).collect();
        workshop.write("gaps.csv", format!("{}\n", lines.join("\n")).as_bytes());
        said(&workshop).0
    };
    let text =
        with(|at| if at % 5 == 1 { "word" } else { "3" }, &[("x2, gap", "x2, more")]);
    assert!(text.contains("E0307") && !text.contains("stands for"), "{text}");
    let text =
        with(|at| if at % 5 == 1 { "unknown" } else { "3" }, &[("x2, gap", "x2, more")]);
    assert!(text.contains("missing: ['unknown']"), "{text}");
    let subject = [("{ from: clinic }", "{ from: clinic, subject: more }")];
    let text = with(|_| "one", &subject);
    assert!(text.contains("all 48 rows of cohort `all` are of one patient"), "{text}");
    let batch =
        [("[scale_zscore]", "[impute_median, harmonise_combat: { batch: more }]")];
    let text = with(|_| "one", &batch);
    assert!(text.contains("a batch is one of two at least"), "{text}");
    let within = [
        ("[scale_zscore]", "[impute_median]"),
        ("primary: auroc", "primary: auroc, within: more"),
    ];
    let text = with(|_| "one", &within);
    assert!(text.contains("W0416") && text.contains("has one value"), "{text}");
}
