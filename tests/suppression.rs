//! What a report of data that are not public keeps back: small cells, also where others would give
//! them away, and curves on which patients stand.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::workshop::Workshop;

/// Made-up patients with small cells of every kind: a rare finding, gaps, a small hospital, a rule
/// that removes few, a few of unknown outcome, a join that misses few, and a small sealed cohort.
fn table(from: usize, n: usize) -> String {
    let mut text = String::from(
        "id,mutant,hospital,sex,age,seizure,size,edge,label,checked,stage\n",
    );
    let mut state = 11u64 + from as u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((state >> 33) % 1000) as f64 / 1000.0
    };
    for at in from..from + n {
        let mutant = at % 5 < 2;
        let outcome = match at % 31 {
            3 => "",
            _ if mutant => "1",
            _ => "0",
        };
        let hospital = match at % 20 {
            0..=11 => "north",
            12..=18 => "south",
            _ => "west",
        };
        let size = next() + if mutant { 0.4 } else { 0.0 };
        let edge = match at % 37 {
            5 => String::new(),
            _ => format!("{:.3}", next()),
        };
        let age = 30 + (at * 7) % 45;
        let age = if at % 43 == 1 { 17 } else { age };
        let label = if at % 29 == 2 { !mutant } else { mutant };
        let stage = match at % 48 {
            7 | 30 => "rare",
            11 => "",
            _ => ["low", "mid", "high"][at / 2 % 3],
        };
        text.push_str(&format!(
            "P{at:03},{outcome},{hospital},{},{age},{},{size:.3},{edge},{},{},{stage}\n",
            if at % 2 == 0 { "f" } else { "m" },
            u8::from(at % 30 == 7),
            u8::from(label),
            u8::from(mutant),
        ));
    }
    text
}

fn study(governance: &str) -> String {
    format!(
        r#"restudy: 1
title: Small cells (made up)
cancer: glioma
seed: 3
governance: {governance}

sources:
  clinic: {{ table: clinic.csv, id: id }}
  ward: {{ table: ward.csv, id: id }}
  elsewhere: {{ table: elsewhere.csv, id: id }}

agree:
  mutation:
    facts:
      - binary: {{ column: clinic.label, positive: 1 }}
      - binary: {{ column: clinic.checked, positive: 1 }}
    tolerate: 9

cohorts:
  here:
    from: clinic
    join: {{ ward: required }}
    site: hospital
    exclude:
      - {{ rule: "age < 18", reason: under age }}
  there: {{ from: elsewhere, sealed: true, relation: another hospital }}

outcomes:
  mutant: {{ label: mutation, binary: {{ column: mutant, positive: 1 }}, missing: exclude }}

predictors:
  picture: {{ columns: {{ from: clinic, include: [size, edge, seizure] }} }}

prepare: [impute_median, scale_zscore]
select: [all]
learn:
  - logistic: {{ c: [0.1, 1] }}

validate:
  internal: {{ nested: {{ outer: 4, inner: 2, repeats: 2 }}, cohort: here }}
  sites: {{ leave_site_out, cohort: here }}

evaluate:
  primary: auroc
  also: [sensitivity, specificity]
  threshold: {{ rule: fixed, value: 0.16, learned_from: inner_out_of_fold }}
  decision_range: [0.1, 0.6]
  target_prevalence: 0.2
  subgroups:
    - {{ by: sex }}
    - {{ by: hospital }}
    - {{ by: age, cut: [34, 60] }}
"#
    )
}

fn run(governance: &str) -> Workshop {
    ran(&study(governance), "")
}

/// The same with a column of categories, and a second cohort that has another one for `low`.
fn categories(governance: &str) -> Workshop {
    let external = "relation: another hospital, map: { clinic: { from: elsewhere } } }";
    let study = study(governance)
        .replace("relation: another hospital }", external)
        .replace("edge, seizure]", "edge, seizure, stage]")
        .replace("prepare: [impute", "prepare: [encode_onehot, impute")
        .replace("  sites: {", "  external: [there]\n  sites: {");
    ran(&study, "foreign")
}

fn ran(study: &str, low_elsewhere: &str) -> Workshop {
    let workshop = Workshop::new();
    let clinic = table(0, 96);
    workshop.write("clinic.csv", clinic.as_bytes());
    // Three are missing on the ward.
    let missed = |line: &&str| !["P011", "P044", "P078"].contains(&&line[..4]);
    let ward: Vec<String> = clinic
        .lines()
        .filter(missed)
        .map(|line| {
            let id = line.split(',').next().unwrap();
            if id == "id" { "id,bed".to_string() } else { format!("{id},1") }
        })
        .collect();
    workshop.write("ward.csv", (ward.join("\n") + "\n").as_bytes());
    let elsewhere = match low_elsewhere {
        "" => table(200, 40),
        name => table(200, 40).replace(",low\n", &format!(",{name}\n")),
    };
    workshop.write("elsewhere.csv", elsewhere.as_bytes());
    workshop.study(study);
    let ran = workshop.restudy(&["run", "study.yaml", "--quiet"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    workshop
}

#[test]
fn how_an_area_of_few_was_made_tells_no_hidden_count() {
    let few = "include: [ { rule: \"id in ['P200', 'P201', 'P202', 'P203', 'P204', 'P207', \
               'P208', 'P209', 'P212', 'P213']\", reason: few } ], \
               map: { clinic: { from: elsewhere } }, relation: another hospital }";
    let study = study("{ terms: made up }")
        .replace("relation: another hospital }", few)
        .replace(
            "  decision_range:",
            "  claims: [ { that: \"auroc.there.lower > 0.9 or sensitivity.there.estimate > 0.1 or \
             auroc.here.lower > 0.5\" } ]\n  decision_range:",
        )
        .replace("  sites: {", "  external: [there]\n  sites: {");
    let workshop = ran(&study, "");
    let json = json(&workshop);
    let mut analyses = json["analyses"].as_object().unwrap().iter();
    let (name, external) = analyses.find(|(_, of)| of["kind"] == "external").unwrap();
    assert!(external["n_positive"].is_null());
    // An exact interval follows from how many there are.
    let auroc = &external["performance"]["auroc"];
    assert!(auroc["estimate"].is_f64() && auroc["lower"].is_null());
    let method = auroc["method"].as_str().unwrap();
    assert!(method.starts_with("no interval: too few of a class; rounded"), "{method}");
    let hidden = json["suppression"]["hidden"].as_array().unwrap();
    assert!(hidden.contains(&format!("/analyses/{name}/performance/auroc/lower").into()));
    // Nor does a claim tell what is hidden in its own place.
    let values = &json["claims"][0]["values"];
    assert!(values[0][1].is_null() && values[1][1].is_null());
    assert!(values[2][1].is_f64() && hidden.contains(&"/claims/0/values/1/1".into()));
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(!page.contains("of the smaller class; exact"));
}

/// Two rows of each patient are twice as many as there are pairs of patients, from whose number the bound of an
/// area of 1 follows.
#[test]
fn an_area_of_one_does_not_tell_how_few_patients_have_the_outcome() {
    let mut text = String::from("row,patient,site,grade,x\n");
    for at in 0..120 {
        let patient = at / 2;
        let positive = patient % 5 == 0;
        text.push_str(&format!(
            "r{at:03},P{patient:02},{},{},{}\n",
            if patient < 40 { "here" } else { "there" },
            if positive { "high" } else { "low" },
            f64::from(u8::from(positive)) * 9.0 + f64::from(at * 37 % 101) / 101.0,
        ));
    }
    let workshop = Workshop::new();
    workshop.write("t.csv", text.as_bytes());
    workshop.study(
        r#"restudy: 1
title: Two rows each (made up)
cancer: glioma
seed: 3
sources:
  t: { table: t.csv, id: row }
cohorts:
  all: { role: base, from: t, subject: patient }
  here: { of: all, include: [ { rule: "t.site == 'here'", reason: here } ] }
outcomes:
  grade: { label: high grade, binary: { column: grade, positive: high, negative: low } }
predictors:
  one: { columns: { from: t, include: [x] } }
prepare: [scale_zscore]
learn: [logistic]
validate:
  inner: { nested: { outer: 2, inner: 2 }, cohort: here }
evaluate:
  primary: auroc
  controls: { permuted_outcome: { none: a small study }, added: { none: a small study } }
  learning_curve: { none: a small study }
governance: { public: false, terms: made up, smallest_cell: 10, ethics: none, consent: none }
"#,
    );
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let json = json(&workshop);
    let analysis = json["analyses"].as_object().unwrap().values().next().unwrap();
    // Eight patients with sixteen rows.
    assert_eq!(analysis["n_positive"], 16);
    assert!(analysis["n_positive_subjects"].is_null());
    let auroc = &analysis["performance"]["auroc"];
    assert_eq!(auroc["estimate"], 1.0);
    assert!(auroc["lower"].is_null(), "{auroc}");
    let method = auroc["method"].as_str().unwrap();
    assert!(method.starts_with("classes wholly apart; no interval: "), "{method}");
}

fn json(workshop: &Workshop) -> Json {
    serde_json::from_slice(&workshop.report()).unwrap()
}

/// Keys under which counts of patients stand.
const COUNTS: &[&str] = &[
    "n",
    "n_rows",
    "n_subjects",
    "n_positive_subjects",
    "n_in",
    "n_out",
    "matched",
    "without",
    "unused",
    "positive",
    "negative",
    "unknown",
    "conflicts",
    "both",
    "agree",
    "missing",
    "rows",
    "ones",
    "n_positive",
    "n_train",
    "n_held_out",
    "positive_held_out",
    "complete",
    "others",
    "true_positive",
    "true_negative",
    "false_positive",
    "false_negative",
];

/// Every count of patients in a report, by place.
fn counts(json: &Json) -> BTreeMap<String, f64> {
    fn walk(at: &Json, path: &str, found: &mut BTreeMap<String, f64>) {
        match at {
            Json::Object(fields) => {
                for (name, value) in fields {
                    let path = format!("{path}/{name}");
                    if let (true, Some(n)) =
                        (COUNTS.contains(&name.as_str()), value.as_f64())
                    {
                        found.insert(path, n);
                    } else {
                        walk(value, &path, found);
                    }
                }
            }
            Json::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let path = format!("{path}/{at}");
                    match (
                        path.contains("/only/") || path.contains("/decided/"),
                        item.as_f64(),
                    ) {
                        (true, Some(n)) => drop(found.insert(path, n)),
                        _ => walk(item, &path, found),
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    for part in [
        "sources",
        "cohorts",
        "outcomes",
        "agreements",
        "predictors",
        "characteristics",
        "missingness",
        "analyses",
        "full_models",
    ] {
        walk(&json[part], &format!("/{part}"), &mut found);
    }
    // How often candidates, columns and thresholds were chosen is no number of patients.
    let of_fits = ["/selection/", "/thresholds/", "/permutation/", "/failed_nodes/"];
    found.retain(|path, _| !of_fits.iter().any(|part| path.contains(part)));
    // Small patterns are among the others where small counts are hidden: what is told of patterns goes by
    // what is missing in them.
    let of_patterns = |path: &String| {
        path.starts_with("/missingness/")
            && (path.contains("/patterns/") || path.ends_with("/others"))
    };
    for path in found.keys().filter(|path| of_patterns(path)).cloned().collect::<Vec<_>>()
    {
        let n = found.remove(&path).unwrap();
        found.insert(by_content(json, &path), n);
    }
    found
}

/// A place of patterns by what is missing in them; places of others as they are.
fn by_content(json: &Json, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let facts = &json["missingness"][parts[2].parse::<usize>().unwrap()];
    match parts[3] {
        "patterns" => {
            let at: usize = parts[4].parse().unwrap();
            format!("/missingness/{}/{}", parts[2], facts["patterns"][at]["gaps"])
        }
        "others" => format!("{path} than {}", facts["patterns"]),
        _ => path.to_string(),
    }
}

/// Sums that a reader of the report can take: a whole with its parts, by place. A part that is
/// given as `~place` stands nowhere.
fn sums(json: &Json) -> Vec<(String, Vec<String>)> {
    let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
    let mut sums: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |whole: String, parts: Vec<String>| sums.push((whole, parts));
    for (at, cohort) in list(&json["cohorts"]).iter().enumerate() {
        let path = format!("/cohorts/{at}");
        let mut last = String::new();
        for (which, of_box) in list(&cohort["flow"]).iter().enumerate() {
            let path = format!("{path}/flow/{which}");
            let removed = 0..list(&of_box["removed"]).len();
            let mut parts: Vec<String> =
                removed.map(|n| format!("{path}/removed/{n}/n")).collect();
            parts.push(format!("{path}/n_out"));
            add(format!("{path}/n_in"), parts);
            add(format!("{path}/n_out"), vec![format!("{path}/n_subjects")]);
            let analysed = of_box["label"].as_str().unwrap().starts_with("analysed");
            if !last.is_empty() {
                add(last.clone(), vec![format!("{path}/n_in")]);
            }
            if !analysed {
                last = format!("{path}/n_out");
            }
            for join in 0..list(&of_box["joins"]).len() {
                let path = format!("{path}/joins/{join}");
                add(
                    last_in(&path),
                    vec![format!("{path}/matched"), format!("{path}/without")],
                );
            }
        }
        add(format!("{path}/n_rows"), vec![last]);
        for (of, outcome) in list(&json["outcomes"]).iter().enumerate() {
            if outcome["cohort"] == cohort["name"] {
                let classes = ["positive", "negative", "unknown"];
                let classes = classes.map(|class| format!("/outcomes/{of}/{class}"));
                add(format!("{path}/n_rows"), classes.to_vec());
            }
        }
    }
    for (at, source) in list(&json["sources"]).iter().enumerate() {
        for (cohort, facts) in list(&json["cohorts"]).iter().enumerate() {
            let label = format!("rows of {}", source["name"].as_str().unwrap());
            if facts["flow"][0]["label"] == label {
                add(
                    format!("/sources/{at}/n"),
                    vec![format!("/cohorts/{cohort}/flow/0/n_in")],
                );
            }
        }
    }
    for at in 0..list(&json["agreements"]).len() {
        let path = format!("/agreements/{at}");
        add(
            format!("{path}/both"),
            vec![format!("{path}/agree"), format!("~{path}/apart")],
        );
    }
    for (name, analysis) in json["analyses"].as_object().unwrap() {
        let path = format!("/analyses/{name}");
        let places = |of: &str| ["n", "n_positive", "~n"].map(|part| split(of, part));
        let whole = places(&path);
        add(whole[0].clone(), whole[1..].to_vec());
        add(whole[0].clone(), vec![format!("{path}/n_subjects")]);
        add(whole[1].clone(), vec![format!("{path}/n_positive_subjects")]);
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (at, group) in list(&analysis["subgroups"]).iter().enumerate() {
            let by = group["by"].as_str().unwrap().to_string();
            groups.entry(by).or_default().push(format!("{path}/subgroups/{at}"));
        }
        for at in 0..list(&analysis["sites"]).len() {
            groups.entry(String::new()).or_default().push(format!("{path}/sites/{at}"));
        }
        for groups in groups.values() {
            for group in groups {
                let own = places(group);
                add(own[0].clone(), own[1..].to_vec());
            }
            for (at, whole) in whole.iter().enumerate() {
                add(
                    whole.clone(),
                    groups.iter().map(|g| places(g)[at].clone()).collect(),
                );
            }
        }
        let mut repeats: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (at, fold) in list(&analysis["folds"]).iter().enumerate() {
            let path = format!("{path}/folds/{at}");
            repeats.entry(fold["repeat"].as_u64().unwrap()).or_default().push(path);
        }
        for folds in repeats.values() {
            let of = |fold: &String| {
                [
                    format!("{fold}/n_held_out"),
                    format!("{fold}/positive_held_out"),
                    format!("~{fold}/negative"),
                ]
            };
            for fold in folds {
                let own = of(fold);
                add(own[0].clone(), own[1..].to_vec());
                if analysis["kind"] != "external" {
                    add(
                        whole[0].clone(),
                        vec![format!("{fold}/n_train"), own[0].clone()],
                    );
                }
            }
            for (at, whole) in whole.iter().enumerate() {
                add(
                    whole.clone(),
                    folds.iter().map(|fold| of(fold)[at].clone()).collect(),
                );
            }
        }
        let cell = |what: &str| format!("{path}/confusion/{what}");
        if analysis["confusion"].is_object() {
            add(whole[1].clone(), vec![cell("true_positive"), cell("false_negative")]);
            add(whole[2].clone(), vec![cell("false_positive"), cell("true_negative")]);
        }
        for (of, outcome) in list(&json["outcomes"]).iter().enumerate() {
            if outcome["cohort"] == analysis["cohort"] && analysis["model"] == "all" {
                add(whole[1].clone(), vec![format!("/outcomes/{of}/positive")]);
                add(whole[2].clone(), vec![format!("/outcomes/{of}/negative")]);
            }
        }
    }
    let outcome_of = |cohort: &str| {
        let outcomes = list(&json["outcomes"]);
        let at = outcomes.iter().position(|o| o["cohort"] == cohort);
        at.map(|at| {
            ["positive", "negative", "unknown"].map(|c| format!("/outcomes/{at}/{c}"))
        })
    };
    let rows_of = |cohort: &str| {
        let at = list(&json["cohorts"]).iter().position(|c| c["name"] == cohort).unwrap();
        format!("/cohorts/{at}/n_rows")
    };
    for (at, block) in list(&json["predictors"]).iter().enumerate() {
        let cohort = block["cohort"].as_str().unwrap();
        for (column, facts) in list(&block["columns"]).iter().enumerate() {
            let path = format!("/predictors/{at}/columns/{column}");
            let levels = list(&facts["levels"]);
            if !levels.is_empty() {
                let cell =
                    |level: usize, of: &str| format!("{path}/levels/{level}/{of}/n");
                let every = |of: &str| {
                    (0..levels.len()).map(|l| cell(l, of)).collect::<Vec<String>>()
                };
                let mut all = every("all");
                let mut unknown = Vec::new();
                for level in 0..levels.len() {
                    let rest = format!("~{path}/levels/{level}");
                    let parts = [cell(level, "positive"), cell(level, "negative")];
                    add(
                        cell(level, "all"),
                        [&parts[..], std::slice::from_ref(&rest)].concat(),
                    );
                    unknown.push(rest);
                }
                all.push(format!("{path}/missing"));
                add(rows_of(cohort), all);
                let gaps = [0, 1, 2].map(|class| format!("~{path}/levels/gap{class}"));
                add(format!("{path}/missing"), gaps.to_vec());
                if let Some(classes) = outcome_of(cohort) {
                    let known = [every("positive"), every("negative"), unknown];
                    for ((class, mut parts), gap) in
                        classes.into_iter().zip(known).zip(gaps)
                    {
                        parts.push(gap);
                        add(class, parts);
                    }
                }
                // Table 1 tells the same counts.
                let of_table = list(&json["characteristics"]);
                for (row, other) in of_table.iter().enumerate() {
                    if other["variable"] != facts["name"] || other["cohort"] != cohort {
                        continue;
                    }
                    let of = match other["class"].as_bool() {
                        None => "all",
                        Some(true) => "positive",
                        Some(false) => "negative",
                    };
                    for (level, known) in levels.iter().enumerate() {
                        let there = list(&other["levels"]);
                        let there = there.iter().position(|l| l["name"] == known["name"]);
                        let there = there.expect("Table 1 has every category");
                        let there =
                            format!("/characteristics/{row}/levels/{there}/share/n");
                        add(cell(level, of), vec![there]);
                    }
                }
                continue;
            }
            let groups = ["all", "positive", "negative"].map(|g| format!("{path}/{g}/n"));
            add(rows_of(cohort), vec![groups[0].clone(), format!("{path}/missing")]);
            let mut known = groups[1..].to_vec();
            known.push(format!("~{path}/unknown"));
            add(groups[0].clone(), known.clone());
            let gaps: Vec<String> =
                (0..3).map(|class| format!("~{path}/gap{class}")).collect();
            add(format!("{path}/missing"), gaps.clone());
            if let Some(classes) = outcome_of(cohort) {
                for ((class, known), gap) in classes.into_iter().zip(known).zip(gaps) {
                    add(class, vec![known, gap]);
                }
            }
        }
    }
    for (at, facts) in list(&json["missingness"]).iter().enumerate() {
        let path = format!("/missingness/{at}");
        let cohort = facts["cohort"].as_str().unwrap();
        let pattern =
            |which: usize| by_content(json, &format!("{path}/patterns/{which}/n"));
        let patterns = list(&facts["patterns"]);
        add(rows_of(cohort), vec![format!("{path}/rows")]);
        let mut parts: Vec<String> = (0..patterns.len()).map(pattern).collect();
        parts.push(format!("{path}/complete"));
        parts.push(by_content(json, &format!("{path}/others")));
        add(format!("{path}/rows"), parts);
        if let Some(classes) = outcome_of(cohort) {
            add(classes[0].clone(), vec![format!("{path}/positive")]);
            add(classes[1].clone(), vec![format!("{path}/negative")]);
        }
        for (which, gap) in list(&facts["gaps"]).iter().enumerate() {
            let of = |what: &str| format!("{path}/gaps/{which}/{what}/n");
            let own = |what: &str| format!("~{path}/gaps/{which}/{what}");
            add(of("all"), vec![of("positive"), of("negative"), own("unknown")]);
            add(format!("{path}/rows"), vec![of("all"), own("all")]);
            add(format!("{path}/positive"), vec![of("positive"), own("positive")]);
            add(format!("{path}/negative"), vec![of("negative"), own("negative")]);
            let with = (0..patterns.len()).filter(|at| {
                list(&patterns[*at]["gaps"]).iter().any(|known| *known == which as u64)
            });
            let mut with: Vec<String> = with.map(pattern).collect();
            with.push(own("elsewhere"));
            add(of("all"), with);
            for column in list(&gap["columns"]) {
                for (block, known) in list(&json["predictors"]).iter().enumerate() {
                    let columns = list(&known["columns"]);
                    let of_block =
                        known["name"] == column["block"] && known["cohort"] == cohort;
                    let place =
                        columns.iter().position(|c| c["name"] == column["variable"]);
                    let Some(place) = place.filter(|_| of_block) else { continue };
                    let path = format!("/predictors/{block}/columns/{place}");
                    add(of("all"), vec![format!("{path}/missing")]);
                    for class in ["positive", "negative"] {
                        let whole = format!("/missingness/{at}/{class}");
                        if columns[place]["levels"].as_array().is_none_or(Vec::is_empty) {
                            add(whole, vec![format!("{path}/{class}/n"), of(class)]);
                        }
                    }
                }
                for (row, known) in list(&json["characteristics"]).iter().enumerate() {
                    let same = known["block"] == column["block"]
                        && known["variable"] == column["variable"]
                        && known["cohort"] == cohort;
                    let class = match known["class"].as_bool() {
                        None => "all",
                        Some(true) => "positive",
                        Some(false) => "negative",
                    };
                    if same {
                        add(of(class), vec![format!("/characteristics/{row}/missing")]);
                    }
                }
            }
        }
    }
    let rows = list(&json["characteristics"]);
    let mut variables: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let text = |key: &str| row[key].as_str().unwrap().to_string();
        variables.entry((text("cohort"), text("variable"))).or_default().push(at);
    }
    for ((cohort, _), places) in variables {
        let path = |at: usize| format!("/characteristics/{at}");
        let levels = 0..list(&rows[places[0]]["levels"]).len();
        let levels: Vec<String> = levels.map(|l| format!("levels/{l}/share/n")).collect();
        for at in &places {
            let path = path(*at);
            if !levels.is_empty() {
                let mut parts: Vec<String> =
                    levels.iter().map(|level| format!("{path}/{level}")).collect();
                parts.push(format!("{path}/missing"));
                add(format!("{path}/rows"), parts);
                // What is told of the groups that a column makes.
                let Some(class) = rows[*at]["class"].as_bool() else { continue };
                for (name, analysis) in json["analyses"].as_object().unwrap() {
                    for (group, of) in list(&analysis["subgroups"]).iter().enumerate() {
                        let level = list(&rows[*at]["levels"]);
                        let level = level.iter().position(|l| l["name"] == of["group"]);
                        let same = of["by"] == rows[*at]["variable"]
                            && analysis["cohort"] == cohort.as_str();
                        let Some(level) = level.filter(|_| same) else { continue };
                        let group = format!("/analyses/{name}/subgroups/{group}");
                        let whole = match class {
                            true => format!("{group}/n_positive"),
                            false => format!("~{group}/n"),
                        };
                        add(whole, vec![format!("{path}/levels/{level}/share/n")]);
                    }
                }
                continue;
            }
            let parts = ["/missing", "/ones"].map(|part| format!("{path}{part}"));
            add(
                format!("{path}/rows"),
                [&parts[..], &[format!("~{path}/rest")]].concat(),
            );
        }
        let [all, yes, no] = places[..] else { panic!("three groups") };
        add(rows_of(&cohort), vec![format!("{}/rows", path(all))]);
        if let Some(classes) = outcome_of(&cohort) {
            add(classes[0].clone(), vec![format!("{}/rows", path(yes))]);
            add(classes[1].clone(), vec![format!("{}/rows", path(no))]);
        }
        let what: Vec<&str> = match levels.is_empty() {
            true => vec!["missing", "ones"],
            false => levels.iter().map(String::as_str).chain(["missing"]).collect(),
        };
        for what in what {
            let parts = [yes, no].map(|at| format!("{}/{what}", path(at)));
            let rest = format!("~{}/{what}", path(all));
            add(format!("{}/{what}", path(all)), [&parts[..], &[rest]].concat());
        }
    }
    sums
}

fn last_in(join: &str) -> String {
    format!("{}/n_in", join.split("/joins/").next().unwrap())
}

fn split(of: &str, part: &str) -> String {
    match part.strip_prefix('~') {
        Some(part) => format!("~{of}/{part}"),
        None => format!("{of}/{part}"),
    }
}

/// The places that follow from what is shown, by elimination.
fn recovered(
    shown: &BTreeMap<String, f64>,
    sums: &[(String, Vec<String>)],
) -> BTreeMap<String, f64> {
    let terms = |(whole, parts): &(String, Vec<String>)| {
        let parts = parts.iter().map(|part| (part.clone(), 1.0));
        parts.chain([(whole.clone(), -1.0)]).collect::<Vec<_>>()
    };
    let all: BTreeSet<String> =
        sums.iter().flat_map(terms).map(|(place, _)| place).collect();
    let open: Vec<&String> =
        all.iter().filter(|place| !shown.contains_key(*place)).collect();
    let at: BTreeMap<&String, usize> =
        open.iter().enumerate().map(|(n, p)| (*p, n)).collect();
    let width = open.len();
    let mut rows: Vec<Vec<f64>> = sums
        .iter()
        .map(|sum| {
            let mut row = vec![0.0; width + 1];
            for (place, factor) in terms(sum) {
                match at.get(&place) {
                    Some(column) => row[*column] += factor,
                    None => row[width] -= factor * shown[&place],
                }
            }
            row
        })
        .collect();
    let mut next = 0;
    let mut pivots = Vec::new();
    for column in 0..width {
        let Some(found) = (next..rows.len()).find(|row| rows[*row][column].abs() > 1e-9)
        else {
            continue;
        };
        rows.swap(next, found);
        let factor = rows[next][column];
        rows[next].iter_mut().for_each(|value| *value /= factor);
        let pivot = rows[next].clone();
        for (number, row) in rows.iter_mut().enumerate() {
            let factor = row[column];
            if number != next && factor != 0.0 {
                row.iter_mut()
                    .zip(&pivot)
                    .for_each(|(value, from)| *value -= factor * from);
            }
        }
        pivots.push((next, column));
        next += 1;
    }
    let alone = |(row, column): &(usize, usize)| {
        let others = rows[*row][..width].iter().enumerate();
        others.filter(|(at, value)| at != column && value.abs() > 1e-9).count() == 0
    };
    let told = pivots.iter().filter(|pivot| alone(pivot));
    told.map(|(row, column)| (open[*column].clone(), rows[*row][width])).collect()
}

#[test]
fn no_small_count_is_shown_or_can_be_worked_out() {
    let (whole, kept) = (run("{ public: true }"), run("{ terms: for this project }"));
    let (public, private) = (json(&whole), json(&kept));
    assert!(public["suppression"].is_null());
    assert_eq!(private["suppression"]["smallest_cell"], 5);
    let (all, shown) = (counts(&public), counts(&private));
    let small = |n: f64| n > 1e-6 && n < 5.0;
    let few: Vec<&String> =
        all.iter().filter(|(_, n)| small(**n)).map(|(p, _)| p).collect();
    // The study has small cells of every kind.
    for kind in [
        "/cohorts/0/flow/1/removed/0/n",
        "/cohorts/0/flow/1/removed/1/n",
        "/outcomes/0/unknown",
        "/characteristics/",
        "/predictors/0/columns/",
        "/analyses/mutant.all.internal/subgroups/",
        "/analyses/mutant.all.sites/folds/",
        "/analyses/mutant.all.sites/sites/",
        "/analyses/mutant.all.internal/confusion/",
        "/missingness/0/gaps/",
    ] {
        assert!(few.iter().any(|place| place.starts_with(kind)), "{kind}: {few:#?}");
    }
    for place in &few {
        assert!(!shown.contains_key(*place), "{place} is shown");
        // Small patterns are among the others.
        if place.contains("/[") || place.contains("/others than ") {
            continue;
        }
        let hidden = private["suppression"]["hidden"].as_array().unwrap();
        assert!(
            hidden.iter().any(|known| *known == ***place) || gone(&private, place),
            "{place}"
        );
    }
    // What is shown is true, and most of it is shown.
    for (place, n) in shown.iter().filter(|(place, _)| !place.contains("/others than ")) {
        assert_eq!(all[place], *n, "{place}");
    }
    assert!(shown.len() * 2 > all.len(), "{} of {} are shown", shown.len(), all.len());
    for place in
        ["/analyses/mutant.all.internal/n", "/analyses/mutant.all.internal/n_positive"]
    {
        assert!(shown.contains_key(place));
    }
    // By elimination over every sum that holds; those of patterns are of both reports.
    let sums: Vec<(String, Vec<String>)> = sums(&public)
        .into_iter()
        .chain(sums(&private))
        .filter(|(whole, parts)| {
            let known = |place: &String| all.get(place).copied();
            match (known(whole), parts.iter().map(known).sum::<Option<f64>>()) {
                (Some(whole), Some(parts)) => (whole - parts).abs() < 1e-6,
                _ => true,
            }
        })
        .collect();
    // The elimination itself is sound: with everything shown it finds what stands nowhere.
    let implied = recovered(&all, &sums);
    assert!(implied.values().any(|n| small(*n)));
    for (place, n) in recovered(&shown, &sums) {
        assert!(!small(n), "{place} follows from what is shown: {n}");
    }
}

#[test]
fn sites_and_subgroups_are_rows_of_table_one() {
    let workshop = run("{ public: true }");
    let report = json(&workshop);
    let rows = report["characteristics"].as_array().unwrap();
    let of = |variable: &str| -> Vec<&Json> {
        rows.iter().filter(|row| row["variable"] == variable).collect()
    };
    for variable in ["hospital", "sex", "age"] {
        let found = of(variable);
        assert_eq!(found.len(), 3, "{variable}: over all and by class, once");
        // A site with which the outcome goes is that of an added control as well.
        let block = |row: &&Json| row["block"] == "sites, strata and subgroups";
        assert!(variable == "hospital" || found.iter().all(block));
        assert!(found.iter().all(|row| row["missing_percent"].is_f64()));
    }
    // A column that is cut into ranges is a number, any other has categories.
    assert!(of("age").iter().all(|row| row["median"].is_f64()));
    let names: Vec<&Json> = of("hospital")[0]["levels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| &l["name"])
        .collect();
    assert_eq!(names, ["north", "south", "west"]);
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("&emsp;north") && page.contains("Yang D, Dalton JE"));
    assert!(page.contains("Newcombe RG") && page.contains("id=\"missingness\""));
}

#[test]
fn shares_of_what_is_missing_are_hidden_with_their_counts() {
    let private = json(&run("{ terms: for this project }"));
    let facts = &private["missingness"][0];
    let gaps = facts["gaps"].as_array().unwrap();
    assert!(!gaps.is_empty() && facts["other_patterns"].is_null());
    for gap in gaps {
        for of in ["all", "positive", "negative"] {
            assert!(!gap[of]["n"].is_null() || gap[of]["percent"].is_null(), "{gap}");
        }
        let hidden = gap["positive"]["n"].is_null() || gap["negative"]["n"].is_null();
        assert!(!hidden || gap["difference"].is_null(), "{gap}");
    }
    for row in private["characteristics"].as_array().unwrap() {
        assert!(!row["missing"].is_null() || row["missing_percent"].is_null(), "{row}");
        assert!(!row["ones"].is_null() || row["ones_percent"].is_null(), "{row}");
    }
}

#[test]
fn categories_have_one_name_in_every_cohort_and_tell_of_nobody() {
    let places = ["{ public: true }", "{ terms: for this project }"].map(categories);
    let [public, private] = [json(&places[0]), json(&places[1])];
    let stages = |json: &Json| -> Vec<Json> {
        let rows = json["characteristics"].as_array().unwrap();
        rows.iter().filter(|row| row["variable"] == "stage").cloned().collect()
    };
    let whole = stages(&public);
    assert_eq!(whole.len(), 6, "two cohorts, each over all and by class");
    for row in &whole {
        let levels = row["levels"].as_array().unwrap();
        let names: Vec<&str> =
            levels.iter().map(|level| level["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["foreign", "high", "low", "mid", "rare"]);
        let n = |level: &Json| level["share"]["n"].as_u64().unwrap();
        let absent = if row["cohort"] == "here" { 0 } else { 2 };
        assert_eq!(n(&levels[absent]), 0);
        let known = row["rows"].as_u64().unwrap() - row["missing"].as_u64().unwrap();
        assert_eq!(levels.iter().map(n).sum::<u64>(), known);
        for level in levels {
            let percent = level["share"]["percent"].as_f64().unwrap();
            assert!((percent - 100.0 * n(level) as f64 / known as f64).abs() < 1e-9);
        }
        assert!(row["median"].is_null() && row["ones"].is_null());
        let distant = row["cohort"] == "there" && row["class"].is_null();
        assert_eq!(row["smd_to_development"].as_f64().is_some_and(|d| d > 0.0), distant);
    }
    let text = |workshop: &Workshop, name: &str| {
        String::from_utf8(workshop.read(&format!("runs/study/{name}"))).unwrap()
    };
    let page = text(&places[0], "report.html");
    for words in ["&emsp;foreign", "&emsp;rare", "Yang and Dalton", "Yang D, Dalton JE"] {
        assert!(page.contains(words), "{words}");
    }
    // One parameter for each category but the first.
    let analysis = &public["analyses"]["mutant.all.internal"];
    assert_eq!(analysis["n_predictors"], 4);
    assert_eq!(analysis["sample_size"]["candidates"], 6);
    assert_eq!(analysis["selection"]["of_columns"], 6);

    let few = |n: f64| n > 1e-6 && n < 5.0;
    let (all, shown) = (counts(&public), counts(&private));
    let of_levels = |place: &str| place.contains("/levels/");
    let small: Vec<&String> =
        all.iter().filter(|(p, n)| of_levels(p) && few(**n)).map(|(p, _)| p).collect();
    for part in ["/predictors/", "/characteristics/"] {
        assert!(small.iter().any(|place| place.starts_with(part)), "{part}: {small:?}");
    }
    for place in small {
        assert!(!shown.contains_key(place), "{place} is shown");
    }
    let mut hidden = 0;
    for row in stages(&private) {
        let levels = row["levels"].as_array().unwrap();
        if levels.iter().any(|level| level["share"]["n"].is_null()) {
            hidden += 1;
            assert!(levels.iter().all(|level| level["share"]["percent"].is_null()));
            assert!(row["smd_to_development"].is_null());
        }
    }
    assert!(hidden > 2, "{hidden}");
    for name in ["table_one.csv", "predictors.csv"] {
        for (column, cell) in cells(&text(&places[1], &format!("tables/{name}"))) {
            let small = cell.parse().is_ok_and(few);
            let counts = ["n", "n_positive", "n_negative", "missing"];
            assert!(!small || !counts.contains(&column.as_str()), "{name}, {column}");
        }
    }
    let holds = |(whole, parts): &(String, Vec<String>)| {
        let known = |place: &String| all.get(place).copied();
        match (known(whole), parts.iter().map(known).sum::<Option<f64>>()) {
            (Some(whole), Some(parts)) => (whole - parts).abs() < 1e-6,
            _ => true,
        }
    };
    let sums: Vec<(String, Vec<String>)> =
        sums(&public).into_iter().filter(holds).collect();
    for (place, n) in recovered(&shown, &sums) {
        let told = of_levels(&place) && few(n);
        assert!(!told, "{place} follows from what is shown: {n}");
    }
}

/// Whether what a place is part of was taken away as a whole.
fn gone(json: &Json, place: &str) -> bool {
    let ends = place.match_indices('/').map(|(at, _)| at).skip(1);
    let mut above = ends.map(|end| json.pointer(&place[..end]));
    above.any(|value| value.is_none_or(Json::is_null))
}

/// The cells of a CSV, by column.
fn cells(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    let of_line = |line: &str| -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                other => cell.push(other),
            }
        }
        cells.push(cell);
        cells
    };
    lines
        .flat_map(|line| of_line(line).into_iter().zip(&head).collect::<Vec<_>>())
        .map(|(cell, column)| (column.to_string(), cell))
        .collect()
}

#[test]
fn files_and_page_hide_the_same_and_say_so() {
    let (whole, kept) = (run("{ public: true }"), run("{ terms: for this project }"));
    let columns = [
        "n",
        "n_positive",
        "n_negative",
        "in",
        "removed",
        "out",
        "rows",
        "missing",
        "ones",
    ];
    let mut found = 0;
    for entry in std::fs::read_dir(kept.path("runs/study/tables")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().to_string();
        let text =
            String::from_utf8(kept.read(&format!("runs/study/tables/{name}"))).unwrap();
        for (column, cell) in cells(&text) {
            let n: Option<f64> = cell.parse().ok();
            let small = n.is_some_and(|n| n > 0.0 && n < 5.0);
            assert!(
                !small || !columns.contains(&column.as_str()),
                "{name}, {column}: {cell}"
            );
            found += usize::from(cell == "hidden");
        }
    }
    assert!(found > 20, "{found}");
    let page = String::from_utf8(kept.read("runs/study/report.html")).unwrap();
    for words in [
        "Small counts are hidden.",
        "<span class=\"hid\">hidden</span>",
        "So that no patient can be told from this report",
        "binormal",
        "0 and for every count up to 4",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        !page.contains("without smoothing") && !page.contains("pooled within each of")
    );
    let open = String::from_utf8(whole.read("runs/study/report.html")).unwrap();
    assert!(!open.contains("class=\"hid\"") && !open.contains("Small counts are hidden"));
    assert!(open.contains("without smoothing"));
    // Rendered once more from `report.json`, the page is the same.
    let again = kept.restudy(&["report", "runs/study"]);
    assert!(again.status.success());
    assert_eq!(String::from_utf8(kept.read("runs/study/report.html")).unwrap(), page);
}

#[test]
fn a_report_told_again_hides_what_that_of_a_run_does() {
    let told = |author: &str| {
        format!("{}\nreporting:\n  {author}\n", study("{ terms: for this project }"))
    };
    let workshop = ran(&told("keywords: [glioma]"), "");
    let warned = json(&workshop)["warnings"].as_array().unwrap().len();
    workshop.study(&told("keywords: [glioma, radiomics]"));
    let run = workshop.run(&[]);
    assert_eq!(crate::workshop::number(&run, "computed"), 0);
    let again = workshop.report();
    assert_eq!(json(&workshop)["warnings"].as_array().unwrap().len(), warned);
    std::fs::remove_dir_all(workshop.path(".restudy/index")).unwrap();
    workshop.run(&[]);
    assert!(workshop.report() == again);
    assert!(!json(&workshop)["suppression"].is_null());
}

#[test]
fn curves_of_data_that_are_not_public_have_no_steps() {
    let (whole, kept) = (run("{ public: true }"), run("{ terms: for this project }"));
    let (public, private) = (json(&whole), json(&kept));
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        let before = &public["analyses"][name];
        for curve in ["roc_mean", "precision_recall_mean"] {
            let points = |json: &Json| -> Vec<(f64, f64)> {
                let points = json[curve]["points"].as_array().unwrap().iter();
                points
                    .map(|p| (p["x"].as_f64().unwrap(), p["y"].as_f64().unwrap()))
                    .collect()
            };
            let (smooth, stepped) = (points(analysis), points(before));
            assert_eq!(smooth.is_empty(), stepped.is_empty(), "{name} {curve}");
            // Between its ends no two points lie level or upright, as on a step.
            let flat = smooth.windows(2).filter(|pair| {
                pair[0].0 > 0.0
                    && pair[1].0 < 1.0
                    && pair[0].1 < 0.999
                    && pair[0] == pair[1]
            });
            assert_eq!(flat.count(), 0, "{name} {curve}");
        }
        let all = analysis["roc"].as_array().unwrap();
        assert!(all.len() <= 1, "{name}: curves of single repeats");
        // Thresholds are predictions of patients, and the limits of a band have their steps.
        assert_eq!(analysis["roc_thresholds"], serde_json::json!([]), "{name}");
        assert_eq!(
            analysis["precision_recall_band"]["points"],
            serde_json::json!([]),
            "{name}"
        );
        let means = analysis["roc_mean"]["points"].as_array().unwrap();
        let band = analysis["roc_band"]["points"].as_array().unwrap();
        assert!(band.is_empty() || band.len() == means.len(), "{name}");
        for (limits, mean) in band.iter().zip(means) {
            let of = |end: &str| limits[end].as_f64().unwrap();
            let height = mean["y"].as_f64().unwrap();
            assert!(of("lower") <= height && height <= of("upper"), "{name}: {limits}");
            for end in [of("lower"), of("upper")] {
                let coarse = (end * 100.0 - (end * 100.0).round()).abs() < 1e-9;
                assert!(coarse || end == height, "{name}: {limits}");
            }
        }
        let stepped = before["roc_band"]["points"].as_array().unwrap();
        assert!(stepped.len() == 101 || before["roc"] == serde_json::json!([]), "{name}");
        // What was estimated from the steps stays what it was, but for rounding.
        let auroc = |of: &Json| of["performance"]["auroc"]["estimate"].as_f64().unwrap();
        assert!((auroc(analysis) - auroc(before)).abs() <= 0.1 + 1e-9, "{name}");
        let calibration = &analysis["calibration"]["points"];
        for point in calibration.as_array().into_iter().flatten() {
            let x = point["x"].as_f64().unwrap();
            let ends = before["calibration"]["points"].as_array().unwrap();
            let first = ends.first().unwrap()["x"].as_f64().unwrap();
            let last = ends.last().unwrap()["x"].as_f64().unwrap();
            assert!(x > first && x < last);
        }
        for bin in
            analysis["calibration"]["distribution"].as_array().into_iter().flatten()
        {
            for class in ["events", "non_events"] {
                let n = bin[class].as_f64().unwrap();
                assert!(!(1e-6..5.0).contains(&n), "{name}: {bin}");
            }
        }
    }
}

/// Net benefit is told at thresholds of the curve at which nobody or enough of each class have predictions
/// above and below.
#[test]
fn net_benefit_does_not_tell_the_few_above_or_below_a_threshold() {
    let (whole, kept) = (run("{ public: true }"), run("{ terms: for this project }"));
    let (public, private) = (json(&whole), json(&kept));
    let held_out = String::from_utf8(whole.read("runs/study/predictions.csv")).unwrap();
    let mut left_out = 0;
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        let before = &public["analyses"][name]["decision"]["points"];
        let Some(before) = before.as_array() else { continue };
        let points = analysis["decision"]["points"].as_array();
        let points = points.map_or(&[][..], Vec::as_slice);
        left_out += before.len() - points.len();
        // By repeat and class.
        let mut predictions: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for line in held_out.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            if cells[0] == name {
                let key = (cells[1].to_string(), cells[4].to_string());
                predictions.entry(key).or_default().push(cells[5].parse().unwrap());
            }
        }
        let repeats = predictions.keys().map(|(repeat, _)| repeat);
        let repeats = repeats.collect::<BTreeSet<_>>().len() as f64;
        for point in points {
            let at = point["threshold"].as_f64().unwrap();
            let same =
                |other: &&Json| (other["threshold"].as_f64().unwrap() - at).abs() < 1e-9;
            assert!(before.iter().any(|other| same(&other)), "{name} {at}");
            for class in ["0", "1"] {
                let of = predictions.iter().filter(|((_, known), _)| known == class);
                let all: Vec<f64> = of.flat_map(|(_, all)| all.iter().copied()).collect();
                let above = all.iter().filter(|p| **p >= at).count() as f64 / repeats;
                let below = all.len() as f64 / repeats - above;
                for n in [above, below] {
                    assert!(
                        n == 0.0 || n > 5.0 - 1e-6,
                        "{name}, {at}: {n} of class {class}"
                    );
                }
            }
        }
    }
    assert!(left_out > 0);
}

#[test]
fn sensitivity_does_not_tell_how_many_were_missed() {
    let (whole, kept) = (run("{ public: true }"), run("{ terms: for this project }"));
    let (public, private) = (json(&whole), json(&kept));
    let hidden = private["suppression"]["hidden"].as_array().unwrap();
    let csv = String::from_utf8(kept.read("runs/study/tables/performance.csv")).unwrap();
    let mut gone = 0;
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        let before = &public["analyses"][name];
        let missed = before["confusion"]["false_negative"].as_f64().unwrap();
        let n = before["n_positive"].as_f64().unwrap();
        if missed > 0.0 && missed < 5.0 {
            assert!(analysis["confusion"]["false_negative"].is_null());
            // Either as for nobody who was missed, or not at all: then page and files say so.
            match analysis["performance"]["sensitivity"]["estimate"].as_f64() {
                Some(shown) => assert_eq!(shown, 1.0, "{name}: {missed} of {n}"),
                None => {
                    let place = format!("/analyses/{name}/performance/sensitivity");
                    assert!(hidden.contains(&place.into()), "{name}");
                    let lines =
                        csv.lines().filter(|line| line.starts_with(&format!("{name},")));
                    let line =
                        lines.into_iter().find(|line| line.contains(",sensitivity,"));
                    assert!(
                        line.is_some_and(|line| line.contains(",sensitivity,hidden,,"))
                    );
                    gone += 1;
                }
            }
        }
    }
    let blurred =
        |place: &Json| place.as_str().unwrap().ends_with("/performance/accuracy");
    assert!(gone > 0 || hidden.iter().any(blurred), "else nothing would be hidden here");
    // Nothing is rounded so coarsely that it says nothing.
    for entry in private["suppression"]["coarsened"].as_array().unwrap() {
        let place = entry[0].as_str().unwrap();
        let step = entry[1].as_f64().unwrap();
        assert!(step <= 0.2 || !place.starts_with("/analyses/"), "{place}: {step}");
    }
}

/// Two models, so that there are differences, and a cohort outside.
fn compared(governance: &str) -> Workshop {
    let external = "relation: another hospital, map: { clinic: { from: elsewhere } } }";
    let models = "  clinical: { columns: { from: clinic, include: [age] } }\n\nmodels:\n  \
                  all: [picture, clinical]\n  base: [clinical]\nprimary_model: all\n\nprepare:";
    let study = study(governance)
        .replace("relation: another hospital }", external)
        .replace("\nprepare:", models)
        .replace(
            "  decision_range:",
            "  compare: [ { better: all, than: base } ]\n  decision_range:",
        )
        .replace("  sites: {", "  external: [there]\n  sites: {");
    ran(&study, "")
}

/// With both classes known, an area or a difference of two with all its digits is a sum of ranks.
#[test]
fn no_area_and_no_difference_tells_the_sum_of_ranks() {
    let places = ["{ public: true }", "{ terms: for this project }"].map(compared);
    let [public, private] = [json(&places[0]), json(&places[1])];
    let is_multiple = |value: f64, step: f64| {
        let times = value / step;
        (times - times.round()).abs() < 1e-6
    };
    // As many sums as the smallest cell come to the same.
    let step = |name: &str| {
        let of = &public["analyses"][name];
        let of = if of["judged"].is_null() { of } else { &of["judged"] };
        let (n, positive) =
            (of["n"].as_f64().unwrap(), of["n_positive"].as_f64().unwrap());
        let steps = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
        let enough = |step: &f64| step * positive * (n - positive) >= 5.0;
        steps.into_iter().find(enough).unwrap_or(0.2)
    };
    let mut rounded = 0;
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        for end in ["estimate", "lower", "upper"] {
            let Some(value) = analysis["performance"]["auroc"][end].as_f64() else {
                continue;
            };
            let before = public["analyses"][name]["performance"]["auroc"][end].as_f64();
            assert!(is_multiple(value, step(name)), "{name} {end}: {value}");
            rounded += usize::from(before != Some(value));
        }
    }
    let comparisons = private["comparisons"].as_array().unwrap();
    assert!(!comparisons.is_empty());
    for facts in comparisons {
        let name = facts["better"].as_str().unwrap();
        for end in ["difference", "lower", "upper"] {
            let Some(value) = facts["result"][end].as_f64() else { continue };
            assert!(is_multiple(value, step(name)), "{name} {end}: {value}");
            rounded += 1;
        }
    }
    assert!(rounded > 6, "{rounded}");
    let coarsened = private["suppression"]["coarsened"].as_array().unwrap();
    let told = |place: &str| coarsened.iter().any(|entry| entry[0] == place);
    assert!(told("/analyses/mutant.all.internal/performance/auroc/estimate"));
}

/// What stands beside hidden counts tells them no more than sums do.
#[test]
fn nothing_beside_a_hidden_count_tells_it() {
    let places = ["{ public: true }", "{ terms: for this project }"].map(compared);
    let [public, private] = [json(&places[0]), json(&places[1])];
    let name = "mutant.all.sites";
    let sites = |json: &Json| json["analyses"][name]["prevalence_only"].clone();
    // The prevalence without a site tells how many it has.
    assert!(!sites(&public).is_null() && sites(&private).is_null());
    let hidden = private["suppression"]["hidden"].as_array().unwrap();
    assert!(hidden.contains(&format!("/analyses/{name}/prevalence_only").into()));
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        // Predictive values are shares of those who were called so: two cells of the table.
        let before = &public["analyses"][name]["confusion"];
        let cells =
            ["true_positive", "false_positive", "false_negative", "true_negative"];
        let small = cells
            .iter()
            .any(|cell| before[*cell].as_f64().is_some_and(|n| n > 1e-6 && n < 5.0));
        for metric in
            ["positive_predictive_value", "negative_predictive_value", "accuracy"]
        {
            let method = analysis["performance"][metric]["method"].as_str().unwrap_or("");
            let digits = method.split("n = ").nth(1).is_some_and(|rest| {
                rest.starts_with(|character: char| character.is_ascii_digit())
            });
            assert!(!small || !digits, "{name} {metric}: {method}");
        }
    }
    // The cells of a site follow from its association with the outcome.
    let v = |json: &Json| json["associations"][0]["cramers_v"].as_f64().unwrap();
    let tenths = v(&private) * 10.0;
    assert!((tenths - tenths.round()).abs() < 1e-9 && v(&private) != v(&public));
    for warning in private["warnings"].as_array().unwrap() {
        let exact = format!("Cramér's V {:.2}", v(&public));
        assert!(!warning.as_str().unwrap().contains(&exact), "{warning}");
    }
    // Over its coefficient the mean Shapley value of a rare finding is its share.
    assert!(!public["full_models"][0]["explained"].is_null());
    assert!(private["full_models"][0]["explained"].is_null());
    assert!(hidden.contains(&"/full_models/0/explained".into()));
    // A distance between cohorts has a rare finding of either in it.
    for row in private["characteristics"].as_array().unwrap() {
        assert!(
            row["variable"] != "seizure" || row["smd_to_development"].is_null(),
            "{row}"
        );
    }
}

#[test]
fn what_a_model_does_on_its_own_rows_tells_no_small_cell() {
    let (whole, kept) =
        (categories("{ public: true }"), categories("{ terms: for this project }"));
    let (public, private) = (json(&whole), json(&kept));
    let coarsened = private["suppression"]["coarsened"].as_array().unwrap();
    let hidden = private["suppression"]["hidden"].as_array().unwrap();
    let mut seen = 0;
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        if analysis["kind"] != "external" {
            continue;
        }
        seen += 1;
        let before = &public["analyses"][name]["frozen"]["apparent"]["performance"];
        assert!(before["sensitivity"]["estimate"].is_f64(), "{name}");
        let shown = &analysis["frozen"]["apparent"];
        for metric in ["sensitivity", "specificity"] {
            let place = format!("/analyses/{name}/frozen/apparent/performance/{metric}");
            let Some(value) = shown["performance"][metric]["estimate"].as_f64() else {
                assert!(hidden.contains(&place.as_str().into()), "{metric}: {hidden:?}");
                assert!(shown["optimism"][metric].is_null(), "{metric}");
                continue;
            };
            let place = format!("{place}/estimate");
            let step = coarsened.iter().find(|of| of[0] == place.as_str()).unwrap();
            let steps = value / step[1].as_f64().unwrap();
            assert!((steps - steps.round()).abs() < 1e-9, "{metric}: {steps} of {step}");
        }
        for (metric, estimate) in shown["performance"].as_object().unwrap() {
            assert_eq!(estimate["folds"], Json::from(Vec::<f64>::new()), "{metric}");
        }
        let inside = &private["analyses"][shown["against"].as_str().unwrap()];
        let of = |of: &Json| of["performance"]["auroc"]["estimate"].as_f64().unwrap();
        let optimism = shown["optimism"]["auroc"].as_f64().unwrap();
        assert!((optimism - (of(shown) - of(inside))).abs() < 1e-12);
    }
    assert!(seen > 0);
}

/// Numbers of patients in words, and digits that tell of how many something is the mean.
#[test]
fn neither_words_nor_digits_tell_what_is_hidden() {
    let (whole, kept) =
        (categories("{ public: true }"), categories("{ terms: for this project }"));
    let (public, private) = (json(&whole), json(&kept));
    // "n = 15 patients", "1000 resamples of 42 patients", "3 of the smaller class".
    let numbered = |text: &str| {
        let words: Vec<&str> = text.split(' ').collect();
        words.windows(2).any(|two| {
            let of =
                ["patients", "rows", "subjects"].iter().any(|of| two[1].starts_with(of));
            (of || two[1] == "of" && text.contains("of the smaller class"))
                && two[0].parse::<usize>().is_ok()
        })
    };
    let mut told = 0;
    for (json, hides) in [(&public, false), (&private, true)] {
        for (name, analysis) in json["analyses"].as_object().unwrap() {
            for group in analysis["subgroups"].as_array().unwrap() {
                for measure in group["measures"].as_array().unwrap() {
                    let note = measure["note"].as_str().unwrap();
                    assert!(!hides || !numbered(note), "{name}: {note}");
                    told += usize::from(!hides && numbered(note));
                }
            }
            for (metric, estimate) in analysis["performance"].as_object().unwrap() {
                let method = estimate["method"].as_str().unwrap();
                if hides && analysis["n_positive"].is_null() {
                    assert!(!numbered(method), "{name}, {metric}: {method}");
                    let hundredths = estimate["estimate"].as_f64().unwrap() * 100.0;
                    assert!(
                        (hundredths - hundredths.round()).abs() < 1e-9,
                        "{hundredths}"
                    );
                }
            }
        }
    }
    assert!(told > 0, "else nothing would be hidden here");
    // The proof is about those of unknown outcome too.
    let checked = |json: &Json| json["certificate"]["n_groups"].as_u64().unwrap();
    let analysed = private["analyses"].as_object().unwrap().values();
    let largest = analysed.filter_map(|of| of["n_subjects"].as_u64()).max().unwrap();
    assert_eq!(checked(&private), largest);
    assert!(largest < checked(&public), "else there would be nothing to tell");
    // The mean over a hidden number of rows, with all its digits, is a fraction of that number.
    let mut rounded = 0;
    for block in private["predictors"].as_array().unwrap() {
        for column in block["columns"].as_array().unwrap() {
            for of in ["all", "positive", "negative"] {
                let Some(mean) = column[of]["mean"].as_f64() else { continue };
                if column[of]["n"].is_null() {
                    assert!(mean.to_string().len() <= 6, "{}: {mean}", column["name"]);
                    rounded += 1;
                }
            }
        }
    }
    assert!(rounded > 0);
    // The lock is for git, and has no digit more.
    let lock = String::from_utf8(kept.read("study.lock.yaml")).unwrap();
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        let primary = analysis["primary"].as_str().unwrap();
        let shown = &analysis["performance"][primary]["estimate"];
        assert!(lock.contains(&format!("\"{name}\": {shown}\n")), "{name}: {shown}");
    }
    // A reading of whole numbers has quartiles that are such.
    for row in private["characteristics"].as_array().unwrap() {
        for quartile in ["lower_quartile", "median", "upper_quartile"] {
            let Some(value) = row[quartile].as_f64() else { continue };
            // Sizes and edges have three decimals.
            let thousandths = value * 1000.0;
            assert!((thousandths - thousandths.round()).abs() < 1e-6, "{value}");
        }
    }
}

#[test]
fn the_smallest_cell_is_the_one_that_terms_of_use_name() {
    let of = json(&run("{ smallest_cell: 11 }"));
    assert_eq!(of["suppression"]["smallest_cell"], 11);
    assert!(counts(&of).values().all(|n| *n < 1e-6 || *n >= 11.0));
    let workshop = Workshop::new();
    workshop.study(&study("{ smallest_cell: 1 }"));
    let checked = workshop.restudy(&["check", "study.yaml"]);
    let said = String::from_utf8_lossy(&checked.stdout).to_string()
        + &String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(1));
    assert!(said.contains("a patient alone is always hidden"), "{said}");
}

/// What groups give adds up to what all rows give, for measures that are means over rows.
#[test]
fn measures_of_groups_are_those_of_their_rows() {
    let public = json(&run("{ public: true }"));
    for name in ["mutant.all.internal", "mutant.all.external.there"] {
        let analysis = &public["analyses"][name];
        if analysis.is_null() {
            continue;
        }
        let groups: Vec<&Json> = analysis["subgroups"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|group| group["by"] == "sex")
            .collect();
        assert_eq!(groups.len(), 2, "{name}");
        let measure = |group: &Json, metric: &str| {
            let all = group["measures"].as_array().unwrap();
            let found = all.iter().find(|m| m["metric"] == metric).unwrap();
            (found["estimate"].as_f64(), found["lower"].as_f64(), found["upper"].as_f64())
        };
        for (metric, below) in [
            ("sensitivity", ["n_positive", ""]),
            ("specificity", ["n", "n_positive"]),
            ("brier", ["n", ""]),
        ] {
            let rows = |of: &Json| {
                of[below[0]].as_f64().unwrap() - of[below[1]].as_f64().unwrap_or(0.0)
            };
            let sum: Option<f64> = groups
                .iter()
                .map(|group| Some(measure(group, metric).0? * rows(group)))
                .sum();
            let Some(sum) = sum else { continue };
            let whole = analysis["performance"][metric]["estimate"].as_f64().unwrap();
            assert!((sum - whole * rows(analysis)).abs() < 1e-9, "{name} {metric}");
            for group in &groups {
                let (estimate, lower, upper) = measure(group, metric);
                let (low, high) = (lower.unwrap() - 1e-9, upper.unwrap() + 1e-9);
                assert!(
                    estimate.is_some_and(|value| value >= low && value <= high),
                    "{group}"
                );
            }
        }
    }
    // A group with too few says so in every measure.
    let internal = &public["analyses"]["mutant.all.internal"]["subgroups"];
    let west =
        internal.as_array().unwrap().iter().find(|g| g["group"] == "west").unwrap();
    assert_eq!(west["measures"].as_array().unwrap().len(), 6);
    for measure in west["measures"].as_array().unwrap() {
        assert!(measure["estimate"].is_null());
        assert!(measure["note"].as_str().unwrap().starts_with("too few"));
    }
    // The prevalence alone orders nobody, and every analysis has it.
    for (name, analysis) in public["analyses"].as_object().unwrap() {
        let alone = &analysis["prevalence_only"];
        assert_eq!(alone["performance"]["auroc"], 0.5, "{name}");
        let brier = |of: &Json| of["brier"].as_f64().unwrap();
        let own = analysis["performance"]["brier"]["estimate"].as_f64().unwrap();
        assert!(
            (brier(&alone["gains"]) - (brier(&alone["performance"]) - own)).abs() < 1e-12
        );
    }
}

/// What follows from other numbers follows from what is shown of them.
#[test]
fn derived_numbers_are_those_of_what_is_shown() {
    let private = json(&run("{ public: false, terms: made up }"));
    let mut told = 0;
    for (name, analysis) in private["analyses"].as_object().unwrap() {
        let of = |metric: &str| analysis["performance"][metric]["estimate"].as_f64();
        let (positive, shares) = (
            &analysis["at_target"]["positive"],
            of("sensitivity").zip(of("specificity")),
        );
        if let (Some(found), Some((hits, passes))) =
            (positive["estimate"].as_f64(), shares)
        {
            let right = 0.2 * hits;
            let expected = right / (right + 0.8 * (1.0 - passes));
            assert!((found - expected).abs() < 1e-9, "{name}: {found} {expected}");
        }
        assert!(shares.is_some() || analysis["at_target"].is_null(), "{name}");
        let groups = analysis["subgroups"].as_array().unwrap();
        for group in groups {
            let than = groups.iter().find(|other| {
                other["by"] == group["by"] && other["group"] == group["against"]
            });
            let less = group["difference"]["estimate"].as_f64();
            let values = than.map(|than| [group, than].map(|of| of["estimate"].as_f64()));
            match (less, values) {
                (Some(less), Some([Some(one), Some(other)])) => {
                    assert!((less - (one - other)).abs() < 1e-9, "{name}: {group}");
                    told += 1;
                }
                (None, _) => {}
                (less, values) => panic!("{name}: {less:?} of {values:?}"),
            }
        }
    }
    assert!(told > 0, "some difference is shown");
}

#[test]
fn another_authors_half_makes_the_page_anew_and_nothing_else() {
    let workshop = run("{ terms: for this project }");
    let half = "reporting:\n  ppi: { none: \"nobody was asked\" }\n  deviations:\n    - what: another scanner\n";
    let text = study("{ terms: for this project }") + half;
    workshop.study(&text);
    let before = workshop.journal();
    let again = workshop.run(&[]);
    let n = |key: &str| crate::workshop::number(&again, key);
    assert_eq!((n("computed"), n("stored")), (0, n("nodes")));
    assert_eq!(workshop.journal(), before, "the page needs no run of its own");
    let retold = workshop.report();
    let json: Json = serde_json::from_slice(&retold).unwrap();
    assert_eq!(json["deviations"][0]["what"], "another scanner");
    // As if it had been run with these words from the start.
    std::fs::remove_dir_all(workshop.path("runs")).unwrap();
    std::fs::remove_dir_all(workshop.path(".restudy")).unwrap();
    workshop.run(&[]);
    assert!(workshop.report() == retold, "the long way gives another report");
    // A further word goes by what was kept for the first ones.
    workshop.study(&text.replace("another scanner", "a third scanner"));
    assert_eq!(crate::workshop::number(&workshop.run(&[]), "computed"), 0);
    let json: Json = serde_json::from_slice(&workshop.report()).unwrap();
    assert_eq!(json["deviations"][0]["what"], "a third scanner");
}
