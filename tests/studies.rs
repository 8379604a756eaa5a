//! Whole studies: what must hold from the first run to the last.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use restudy::catalog::Catalog;
use restudy::cli::Exit;
use restudy::cli::run::{Run, run_with};
use restudy::operation::{learner, prelude::*};

use crate::workshop::{STUDY, Workshop, number, restudy, test_data, updating};

#[test]
fn the_second_run_computes_nothing() {
    let workshop = Workshop::new();
    let first = workshop.run(&[]);
    assert_eq!(first["exit"], "fine");
    assert!(number(&first, "computed") > 100);
    let report = workshop.report();
    let second = workshop.run(&[]);
    assert_eq!(number(&second, "computed"), 0);
    assert_eq!(number(&second, "stored"), number(&first, "nodes"));
    assert_eq!(workshop.report(), report);
}

#[test]
fn prose_order_and_written_defaults_change_no_key() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let edits = [
        format!("# A comment.\n{STUDY}"),
        STUDY.replace("A small study", "Another title"),
        STUDY.replace("label: IDH1 mutation", "label: another label"),
        STUDY.replace(
            "{ outer: 3, inner: 2, repeats: 2 }",
            "{ repeats: 2, inner: 2, outer: 3 }",
        ),
        STUDY.replace(
            "logistic: { c: [0.1, 1] }",
            "logistic: { c: [0.1, 1.0], penalty: l2, iterations: 100 }",
        ),
        STUDY.replace("gene: IDH1 }", "gene: IDH1, classes: non_silent }"),
    ];
    for edit in edits {
        assert_ne!(edit, STUDY);
        workshop.study(&edit);
        assert_eq!(number(&workshop.run(&[]), "computed"), 0, "{edit}");
    }
}

/// Whether a node measures the predictions of a whole analysis: `idh1.scheme/auroc`.
fn is_measured(node: &str) -> bool {
    let of_curve = node.contains("/learning_curve/") && !node.contains("/r");
    node.starts_with("idh1.") && node.matches('/').count() == 1 || of_curve
}

/// The ends of the names of nodes that depend on which candidate is chosen.
const CHOSEN: [&str; 12] = [
    "/tune",
    "/alternatives",
    "/winner",
    "/threshold",
    "/fit",
    "/predict",
    "/decide",
    "/importance",
    "/calibrate",
    "/refit",
    "/freeze",
    "/explain",
];

#[test]
fn a_further_learner_runs_its_own_nodes_and_the_choice() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    workshop.study(&STUDY.replace("  - naive\n", "  - naive\n  - naive_bayes\n"));
    let run = workshop.run(&[]);
    assert!(number(&run, "computed") > 0);
    for node in workshop.computed() {
        let own = node.ends_with("/naive_bayes");
        let choice = CHOSEN;
        let choice = choice.iter().any(|part| node.ends_with(part));
        assert!(own || choice || is_measured(&node), "{node}");
    }
    // Back to what was before: everything is still there.
    workshop.study(STUDY);
    assert_eq!(number(&workshop.run(&[]), "computed"), 0);
}

#[test]
fn a_further_grid_point_and_repeat_reuse_the_rest() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    workshop.study(&STUDY.replace("k: [2, 4]", "k: [2, 4, 6]"));
    workshop.run(&[]);
    // One ranking serves every k.
    assert!(workshop.computed().iter().all(|node| {
        !node.ends_with("/prepare")
            && !node.ends_with("/anova")
            && !node.contains("/all/")
    }));
    workshop.study(&STUDY.replace("repeats: 2", "repeats: 3"));
    workshop.run(&[]);
    for node in workshop.computed() {
        let splits = node.starts_with("splits/");
        let measured = is_measured(&node) && !node.contains("/learning_curve/");
        assert!(node.contains("/r03.") || measured || splits, "{node}");
    }
}

/// The bytes of the first image, decompressed.
fn first_image(workshop: &Workshop) -> (String, Vec<u8>) {
    let mut names: Vec<String> = std::fs::read_dir(workshop.path("images"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().to_string())
        .collect();
    names.sort();
    let name = format!("images/{}/image.nii.gz", names[0]);
    let mut plain = Vec::new();
    let bytes = workshop.read(&name);
    std::io::Read::read_to_end(&mut GzDecoder::new(bytes.as_slice()), &mut plain)
        .unwrap();
    (name, plain)
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(level));
    std::io::Write::write_all(&mut gzip, bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_changed_volume_runs_its_cone_and_equal_bytes_cut_it_off() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let report = workshop.report();
    let (name, plain) = first_image(&workshop);
    // Packed otherwise, the same voxels: read once, and no further.
    workshop.write(&name, &gzip(&plain, 9));
    let run = workshop.run(&[]);
    assert_eq!((number(&run, "computed"), number(&run, "cut_off")), (1, 1));
    assert_eq!(workshop.report(), report);
    // Another voxel inside the region: this patient's features, then everything that reads them.
    let mut other = plain.clone();
    let voxel = 352 + 4 * (8 * 256 + 8 * 16 + 8);
    other[voxel..voxel + 4].copy_from_slice(&300f32.to_le_bytes());
    workshop.write(&name, &gzip(&other, 6));
    workshop.run(&[]);
    let computed = workshop.computed();
    let count =
        |prefix: &str| computed.iter().filter(|node| node.starts_with(prefix)).count();
    assert_eq!(count("read/"), 1);
    assert_eq!(count("features/"), 1);
    assert_eq!(count("blocks/imaged/radiomics"), 0);
    assert_eq!(count("blocks/imaged/scan"), 1);
    assert!(count("idh1.all.internal/") > 0);
    assert_ne!(workshop.report(), report);
    // Outside of the region nothing can see the change but the reading.
    let mut outside = other.clone();
    outside[352..356].copy_from_slice(&55f32.to_le_bytes());
    workshop.write(&name, &gzip(&outside, 6));
    let run = workshop.run(&[]);
    assert_eq!((number(&run, "computed"), number(&run, "cut_off")), (2, 1));
}

#[test]
fn why_names_the_leaf_old_and_new() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let why = |node: &str| {
        let output = workshop.restudy(&["why", "study.yaml", node]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let node = "idh1.all.internal/auroc";
    assert!(why(node).contains("nothing that it reads has changed"));
    workshop.study(&STUDY.replace("c: [0.1, 1]", "c: [0.1, 5]"));
    let text = why(node);
    assert!(text.contains("logistic.c: 1.0 (the default) → 5"), "{text}");
    assert!(text.contains("/logistic: "), "{text}");
    // After the run the question is still answered.
    workshop.run(&[]);
    assert!(
        why("idh1.all.internal/r01.o1/tune")
            .contains("logistic.c: 1.0 (the default) → 5")
    );
    let (name, plain) = first_image(&workshop);
    let mut other = plain;
    other[352 + 4 * (8 * 256 + 8 * 16 + 8)] ^= 1;
    workshop.write(&name, &gzip(&other, 6));
    let text = why(node);
    assert!(text.contains("/image: file: "), "{text}");
    assert!(!text.contains("SIM-"), "ids are not printed: {text}");
    let unknown = workshop.restudy(&["why", "study.yaml", "idh1.all.internal/aurok"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean"));
}

#[test]
fn the_report_does_not_depend_on_how_it_was_computed() {
    let workshop = Workshop::new();
    workshop.run(&["--jobs", "1"]);
    let report = workshop.report();
    let again = |name: &str, more: &[&str]| {
        let store = format!("store-{name}");
        let arguments = [&["--store", &store, "--refresh", "*"], more].concat();
        workshop.run(&arguments);
        assert_eq!(workshop.report(), report, "{name}");
    };
    again("eight", &["--jobs", "8"]);
    again("shuffled", &["--jobs", "2", "--shuffle", "1"]);
    again("shuffled", &["--jobs", "1", "--shuffle", "2"]);
    // Rows in another order, the same table.
    let text = String::from_utf8(workshop.read("table.csv")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    workshop.write("table.csv", lines.join("\n").as_bytes());
    let maf = String::from_utf8(workshop.read("mutations.maf")).unwrap();
    let mut lines: Vec<&str> = maf.lines().collect();
    lines[2..].reverse();
    workshop.write("mutations.maf", lines.join("\n").as_bytes());
    again("rows", &[]);
    let warm = workshop.run(&[]);
    assert_eq!(number(&warm, "computed"), 2, "both tables are read again, and no more");
    assert_eq!(workshop.report(), report);
}

/// Every file of a run's folder, without what differs from run to run.
fn of_folder(workshop: &Workshop) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for path in workshop.files("runs/study") {
        let name = path.strip_prefix(workshop.path("runs/study")).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_string();
        files.insert(name.to_string_lossy().to_string(), text);
    }
    files.remove("record.json");
    let page = files.get_mut("report.html").unwrap();
    let above = page.split("<footer>").next().unwrap().lines();
    *page =
        above.filter(|line| !line.contains("data-run")).collect::<Vec<_>>().join("\n");
    files
}

#[test]
fn what_somebody_did_to_a_runs_folder_is_mended_by_the_next_run() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let whole = of_folder(&workshop);
    assert!(whole.keys().any(|name| name.ends_with(".json")), "{:?}", whole.keys());
    let again = |study: Option<&str>| {
        for name in whole.keys() {
            let path = workshop.path("runs/study").join(name);
            let Ok(bytes) = std::fs::read(&path) else { continue };
            // A file that is gone, one of the same length with another byte, one that is longer.
            match name.len() % 3 {
                0 => std::fs::remove_file(&path).unwrap(),
                1 => {
                    let mut other = bytes;
                    let last = other.len() - 1;
                    other[last] ^= 1;
                    std::fs::write(&path, other).unwrap();
                }
                _ => std::fs::write(&path, [&bytes[..], b"more"].concat()).unwrap(),
            }
        }
        if let Some(study) = study {
            workshop.study(study);
        }
        assert_eq!(workshop.run(&[])["exit"], "fine");
        of_folder(&workshop)
    };
    // Nothing is planned, and where the index is gone everything is.
    assert!(again(None) == whole);
    std::fs::remove_dir_all(workshop.path(".restudy/index")).unwrap();
    assert!(again(None) == whole);
    // A study that differs in what it computes, and back.
    let text = String::from_utf8(workshop.read("study.yaml")).unwrap();
    workshop
        .study(&text.replace("rule: youden", "rule: sensitivity_at_least, value: 0.8"));
    workshop.run(&[]);
    assert!(of_folder(&workshop) != whole);
    assert!(again(Some(&text)) == whole);
}

#[test]
fn a_report_told_again_is_that_of_a_run_that_knew_nothing() {
    let told = |author: &str| {
        STUDY.replace("evaluate:", &format!("reporting:\n  {author}\n\nevaluate:"))
    };
    let first = told("keywords: [glioma]");
    let other = told(
        "keywords: [glioma, radiomics]\n  context: { intended_use: \"Research alone; an AUROC of 0.99.\" }",
    );
    let workshop = Workshop::new();
    workshop.study(&first);
    workshop.run(&[]);
    let before = of_folder(&workshop);
    let journals =
        || std::fs::read_dir(workshop.path(".restudy/runs/study")).unwrap().count();
    let n = journals();
    workshop.study(&other);
    assert_eq!(workshop.run(&[])["computed"], 0);
    let after = of_folder(&workshop);
    assert!(after != before && journals() == n);
    let forget = || std::fs::remove_dir_all(workshop.path(".restudy/index")).unwrap();
    forget();
    workshop.run(&[]);
    assert!(of_folder(&workshop) == after);
    workshop.study(&first);
    workshop.run(&[]);
    assert!(of_folder(&workshop) == before);
    // What was kept and is damaged by now is not shown.
    for entry in std::fs::read_dir(workshop.path(".restudy/index")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    workshop.study(&other);
    workshop.run(&[]);
    assert!(of_folder(&workshop) == after);
    // Nor is one of its texts, wherever the damage is.
    for (at, study, next, expected) in
        [(100, &first, &other, &after), (usize::MAX, &other, &first, &before)]
    {
        forget();
        workshop.study(study);
        workshop.run(&[]);
        let index = std::fs::read_dir(workshop.path(".restudy/index")).unwrap();
        let texts = index
            .map(|entry| entry.unwrap().path())
            .max_by_key(|path| std::fs::metadata(path).unwrap().len());
        let texts = texts.unwrap();
        let mut rotten = std::fs::read(&texts).unwrap();
        let at = at.min(rotten.len() / 2);
        rotten[at] ^= 1;
        std::fs::write(&texts, rotten).unwrap();
        workshop.study(next);
        for folder in ["figures", "tables", "checklists"] {
            std::fs::remove_dir_all(workshop.path("runs/study").join(folder)).unwrap();
        }
        assert_eq!(workshop.run(&[])["exit"], "fine");
        assert!(of_folder(&workshop) == *expected, "{at}");
    }
}

/// What the data make the program say is said again, at the place where it now stands, although no table
/// is read.
#[test]
fn what_is_said_of_the_data_is_said_again_without_reading_them() {
    let told = |author: &str| {
        let study =
            STUDY.replace("include: [\"texture_*\"]", "include: [\"texture_*\", empty]");
        let study = study.replace("prepare: [", "prepare: [drop_missing, ");
        study.replace("evaluate:", &format!("reporting:\n  {author}\n\nevaluate:"))
    };
    let workshop = Workshop::new();
    let table = String::from_utf8(workshop.read("table.csv")).unwrap();
    let rows = table.lines().enumerate();
    let rows = rows.map(|(at, row)| match at {
        0 => format!("{row},empty\n"),
        _ => format!("{row},\n"),
    });
    workshop.write("table.csv", rows.collect::<String>().as_bytes());
    let said = |first: &str| {
        let output = workshop.restudy(&[first, "study.yaml"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        // Beside warnings a run tells of nodes, and its headlines.
        let of_run = |line: &&str| {
            ["nodes", "fits to make", "auroc", "note:"].iter().any(|of| line.contains(of))
        };
        text.lines().filter(|line| !of_run(line)).map(str::to_string).collect::<Vec<_>>()
    };
    workshop.study(&told("keywords: [glioma]"));
    let first = said("run");
    assert!(first.iter().any(|line| line.contains("W0409")), "{first:?}");
    assert_eq!(first, said("check"));
    for author in ["keywords: [glioma, radiomics]", "keywords:\n    - glioma\n    - a"] {
        workshop.study(&told(author));
        let output = said("run");
        assert_eq!(output, said("check"), "{author}");
        assert_eq!(workshop.run(&[])["computed"], 0);
    }
    // A table that somebody has touched since is looked at.
    for path in workshop.files(".restudy/blobs") {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let again = workshop.run(&[]);
    assert!(again["healed"].as_u64().unwrap() > 0, "{again:?}");
    assert_eq!(again["exit"], "fine");
}

#[test]
fn a_failing_subject_is_counted_up_to_the_limit() {
    let workshop = Workshop::new();
    let (name, plain) = first_image(&workshop);
    workshop.write(&name, &gzip(&plain[..2000], 6));
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine");
    let report: serde_json::Value = serde_json::from_slice(&workshop.report()).unwrap();
    let failed = &report["predictors"][1]["failed"];
    assert_eq!(failed[0]["n"], 1);
    let reason = failed[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("image: the file is cut short"), "{reason}");
    let analysis = &report["analyses"]["idh1.all.internal"];
    let held: u64 = analysis["folds"].as_array().unwrap()[..3]
        .iter()
        .map(|fold| fold["n_held_out"].as_u64().unwrap())
        .sum();
    assert_eq!(held, 23, "24 patients, one without features");
    let flow = report["cohorts"][0]["flow"].as_array().unwrap();
    assert_eq!(flow.last().unwrap()["n_out"], 23, "the flow counts it: {flow:?}");
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("the file is cut short"));
    // A failure is a result: it is not tried again.
    assert_eq!(number(&workshop.run(&[]), "computed"), 0);
    // One more is one too many.
    let second = name.replace("00001", "00002").replace("image.nii", "mask.nii");
    let second = if second == name { panic!("{name}") } else { second };
    workshop.write(&second, b"no image");
    let output = workshop.restudy(&["run", "study.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(text.contains("2 of 24 rows could not be measured"), "{text}");
}

/// A learner that panics whenever it is fitted.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Panicking {}

impl Operation for Panicking {
    const ABOUT: About = About {
        name: "panicking",
        title: "Panicking",
        version: 1,
        sources: &[],
        example: "panicking",
    };
}

impl Learner for Panicking {
    type Model = ();

    fn fit(&self, _train: &Train, _stream: &mut Stream) -> Result<(), Failure> {
        panic!("deliberately")
    }

    fn predict(&self, _model: &(), rows: &Rows) -> Result<Vec<f64>, Failure> {
        Ok(vec![0.5; rows.n()])
    }
}

/// Runs a study in this process, with operations that the program does not have.
fn run_here(workshop: &Workshop, catalog: &Catalog) -> Exit {
    let arguments = Run {
        study: workshop.path("study.yaml"),
        jobs: 2,
        store: None,
        out: None,
        locked: false,
        refresh: Vec::new(),
        recheck: None,
        shuffle: None,
        quiet: true,
        json: false,
    };
    run_with(&arguments, catalog)
}

#[test]
fn a_panicking_operation_fails_its_nodes_by_name_and_nothing_else() {
    let workshop = Workshop::new();
    workshop.study(&STUDY.replace("  - naive\n", "  - naive\n  - panicking\n"));
    let catalog = Catalog::standard().with(learner::<Panicking>());
    assert_eq!(run_here(&workshop, &catalog), Exit::Bug);
    for (node, how) in workshop.journal() {
        let blocked = CHOSEN;
        let blocked = blocked.iter().any(|part| node.ends_with(part));
        if node.ends_with("/panicking") {
            assert_eq!(how, "Panicked(\"deliberately\")", "{node}");
        } else if blocked || is_measured(&node) {
            assert_eq!(how, "Blocked(\"deliberately\")", "{node}");
        } else {
            assert!(how == "Computed" || how == "Stored", "{node}: {how}");
        }
    }
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("panicked: deliberately"));
    // Everything else was kept.
    workshop.study(STUDY);
    workshop.run(&[]);
    assert!(workshop.computed().iter().all(|node| !node.ends_with("/logistic")));
}

/// The text of a refusal; the program must have exited with 1 and computed nothing.
fn refused(workshop: &Workshop) -> String {
    for command in ["check", "run"] {
        let output = workshop.restudy(&[command, "study.yaml"]);
        assert_eq!(output.status.code(), Some(1), "{command}: {output:?}");
    }
    assert!(!workshop.path("runs").exists(), "nothing was computed");
    let output = workshop.restudy(&["check", "study.yaml"]);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_step_fitted_before_the_split_is_refused_with_its_path() {
    let workshop = Workshop::new();
    let leaking = STUDY.replace(
        r#"include: ["texture_*"] } }"#,
        r#"include: ["texture_*"] }, steps: [impute_median, scale_zscore] }"#,
    );
    workshop.study(&leaking);
    let text = refused(&workshop);
    assert!(text.contains("error[E0201]"), "{text}");
    assert!(text.contains("before-split/scale_zscore"), "{text}");
    assert!(text.contains("`idh1.all.internal/r01.o1"), "{text}");
    assert!(text.contains("move the step to `prepare`"), "{text}");
}

#[test]
fn a_threshold_from_held_out_rows_is_refused_with_its_path() {
    let workshop = Workshop::new();
    workshop.study(&STUDY.replace("inner_out_of_fold", "held_out"));
    let text = refused(&workshop);
    assert!(text.contains("error[E0201]"), "{text}");
    assert!(text.contains("this threshold is learned on the rows"), "{text}");
    assert!(text.contains("/threshold` reads the held-out predictions"), "{text}");
}

#[test]
fn one_patient_on_both_sides_is_refused_and_grouping_mends_it() {
    let workshop = Workshop::new();
    // Two rows for each of twelve patients.
    let text = String::from_utf8(workshop.read("table.csv")).unwrap();
    let mut lines = vec![format!("person,{}", text.lines().next().unwrap())];
    for (at, line) in text.lines().skip(1).enumerate() {
        lines.push(format!("P{:02},{line}", at % 12));
    }
    workshop.write("table.csv", lines.join("\n").as_bytes());
    let study = STUDY
        .replace("imaged: { from: clinic,", "imaged: { from: clinic, subject: person,")
        .replace(
            "mutation: { from: panel, gene: IDH1 }",
            "binary: { column: sex, positive: male }",
        )
        .replace(
            "join: { panel: optional, scans: required }",
            "join: { scans: required }",
        );
    workshop.study(&study.replace("repeats: 2 }", "repeats: 2, group: row }"));
    let text = refused(&workshop);
    assert!(text.contains("error[E0201]"), "{text}");
    assert!(
        text.contains("these splits put rows of one patient on both sides"),
        "{text}"
    );
    workshop.study(&study);
    let output = workshop.restudy(&["check", "study.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn two_runs_at_once_share_the_work() {
    let alone = Workshop::new();
    let nodes = number(&alone.run(&[]), "computed");
    let workshop = Workshop::new();
    let runs: Vec<_> = ["one", "two", "three"]
        .map(|out| {
            Command::new(env!("CARGO_BIN_EXE_restudy"))
                .args(["run", "study.yaml", "--json", "--out", out])
                .current_dir(workshop.path(""))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let mut computed = 0;
    for run in runs {
        assert!(run.status.success(), "{run:?}");
        let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        computed += said["computed"].as_u64().unwrap();
    }
    for out in ["one", "two", "three"] {
        assert_eq!(workshop.read(&format!("{out}/report.json")), alone.report());
    }
    // What the survey looks at is not locked; everything else is computed by one of them.
    let surveyed = 4 * 3;
    assert!(
        (nodes..=nodes + surveyed).contains(&computed),
        "{computed} for {nodes} nodes"
    );
}

#[test]
fn a_killed_run_ends_with_the_same_bytes() {
    let undisturbed = Workshop::new();
    undisturbed.run(&["--jobs", "2"]);
    let expected = undisturbed.report();
    let workshop = Workshop::new();
    let kills = if std::env::var_os("RESTUDY_SOAK").is_some() { 100 } else { 10 };
    let mut stream = Stream::new(11, &["kills"]);
    let finished = AtomicUsize::new(0);
    for _ in 0..kills {
        let mut child = Command::new(env!("CARGO_BIN_EXE_restudy"))
            .args(["run", "study.yaml", "--quiet", "--jobs", "2"])
            .current_dir(workshop.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(5 + stream.below(250) as u64));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            // Too late: it was done. Something is lost, so that the next one has work.
            finished.fetch_add(1, Ordering::Relaxed);
            std::fs::remove_dir_all(workshop.path(".restudy/actions")).unwrap();
            std::fs::remove_dir_all(workshop.path(".restudy/index")).unwrap();
        }
    }
    let last = workshop.run(&[]);
    assert_eq!(last["exit"], "fine");
    assert_eq!(
        workshop.report(),
        expected,
        "{} of {kills} had finished",
        finished.into_inner()
    );
    assert_eq!(std::fs::read_dir(workshop.path(".restudy/tmp")).unwrap().count(), 0);
}

#[test]
fn damage_anywhere_in_the_store_is_only_work() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let expected = workshop.report();
    let mut stream = Stream::new(5, &["damage"]);
    let rounds = if std::env::var_os("RESTUDY_SOAK").is_some() { 40 } else { 4 };
    for round in 0..rounds {
        let files = workshop.files(".restudy");
        for _ in 0..files.len() / 4 {
            let path = &files[stream.below(files.len())];
            let Ok(mut bytes) = std::fs::read(path) else { continue };
            if path.ends_with("format") {
                continue; // What is not a store of this version is refused by name.
            }
            std::fs::remove_file(path).unwrap();
            if round % 2 == 0 && !bytes.is_empty() {
                let at = stream.below(bytes.len());
                bytes[at] ^= 1 << stream.below(8);
                std::fs::write(path, bytes).unwrap();
            }
        }
        let run = workshop.run(&[]);
        assert_eq!(run["exit"], "fine", "{run:?}");
        assert_eq!(workshop.report(), expected, "round {round}");
    }
}

#[test]
fn records_that_the_last_run_knew_and_are_lost_since_are_only_work() {
    let changed = STUDY.replace("rule: youden", "rule: sensitivity_at_least, value: 0.8");
    let fresh = Workshop::new();
    fresh.study(&changed);
    fresh.run(&[]);
    let workshop = Workshop::new();
    workshop.run(&[]);
    // Models and curves, which another threshold leaves as they are.
    let mut lost = 0;
    for path in workshop.files(".restudy/actions") {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).to_string();
        if [r#"\"fit\":"#, r#"\"roc\":"#].iter().any(|part| text.contains(part)) {
            std::fs::remove_file(&path).unwrap();
            lost += 1;
        }
    }
    assert!(lost > 4, "{lost}");
    workshop.study(&changed);
    let run = workshop.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    assert_eq!(workshop.report(), fresh.report());
}

#[test]
fn an_interrupted_run_says_so_and_goes_on() {
    let workshop = Workshop::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_restudy"))
        .args(["run", "study.yaml", "--jobs", "1"])
        .current_dir(workshop.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The journal is opened once the handler is set, however busy the machine is.
    let journal = workshop.path(".restudy/runs/study");
    while !journal.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let sent =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    if sent.success() && !output.status.success() {
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(text.contains("run the same command to go on"), "{text}");
    }
    assert_eq!(workshop.run(&[])["exit"], "fine");
}

#[test]
fn a_lock_holds_a_run_to_what_it_found() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    assert!(workshop.path("study.lock.yaml").exists());
    assert_eq!(workshop.run(&["--locked"])["exit"], "fine");
    workshop.study(&STUDY.replace("seed: 7", "seed: 8"));
    let output = workshop.restudy(&["run", "study.yaml", "--locked"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(text.contains("headline of `idh1.all.internal` differs"), "{text}");
}

#[test]
fn a_locked_protocol_tells_what_departed_from_it_and_when() {
    let workshop = Workshop::new();
    let protocol = |workshop: &Workshop| -> serde_json::Value {
        let report: serde_json::Value =
            serde_json::from_slice(&workshop.report()).unwrap();
        report["protocol"].clone()
    };
    workshop.run(&[]);
    assert!(protocol(&workshop).is_null(), "a run locks no protocol");
    // Another folder: nothing was seen when it is locked, and a change follows before the first run.
    let workshop = Workshop::new();
    let lock = workshop.restudy(&["plan", "study.yaml", "--lock"]);
    assert_eq!(lock.status.code(), Some(0), "{lock:?}");
    let early = STUDY.replace("k: [2, 4]", "k: [2, 3]");
    workshop.study(&early);
    workshop.run(&[]);
    let first = workshop.report();
    let found = protocol(&workshop);
    assert_eq!(found["locked"], "before results");
    assert_eq!(found["differences"][0]["path"], "select.anova.k");
    assert_eq!(found["differences"][0]["locked"], "2, 4");
    assert_eq!(found["differences"][0]["when"], "before results");
    // Once more: the same bytes, and nothing is computed.
    let again = workshop.run(&[]);
    assert_eq!(number(&again, "computed"), 0);
    assert_eq!(first, workshop.report());
    assert_eq!(workshop.run(&["--locked"])["exit"], "fine");
    // Written otherwise it is the same; another value comes after the results.
    workshop.study(&early.replace("c: [0.1, 1] }", "c: [0.1, 1.0] } # a comment"));
    workshop.run(&[]);
    assert_eq!(protocol(&workshop)["differences"].as_array().unwrap().len(), 1);
    workshop.study(&early.replace("c: [0.1, 1]", "c: [0.1, 10]"));
    workshop.run(&[]);
    let found = protocol(&workshop);
    let of = |path: &str| {
        let differences = found["differences"].as_array().unwrap();
        differences.iter().find(|of| of["path"] == path).unwrap()["when"].clone()
    };
    assert_eq!(of("select.anova.k"), "before results");
    assert_eq!(of("learn.logistic.c"), "after results");
    // What is locked stays.
    let twice = workshop.restudy(&["plan", "study.yaml", "--lock"]);
    assert_eq!(twice.status.code(), Some(1), "{twice:?}");
    let text = String::from_utf8_lossy(&twice.stderr).to_string();
    assert!(text.contains("`learn.logistic.c`"), "{text}");
    // As it was locked, nothing differs.
    workshop.study(STUDY);
    workshop.run(&[]);
    assert_eq!(protocol(&workshop)["differences"], serde_json::json!([]));
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("Deviations from the locked protocol: <b>none</b>"));
    // No run writes over a protocol that it cannot read.
    let lock = String::from_utf8(workshop.read("study.lock.yaml")).unwrap();
    let torn = lock.replace("locked: \"before results\"", "locked: sometime");
    workshop.write("study.lock.yaml", torn.as_bytes());
    let refused = workshop.restudy(&["run", "study.yaml"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(torn.as_bytes(), workshop.read("study.lock.yaml"));
}

#[test]
fn a_protocol_that_is_locked_late_says_so() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    std::fs::remove_file(workshop.path("study.lock.yaml")).unwrap();
    // The store's journals know of the run.
    let lock = workshop.restudy(&["plan", "study.yaml", "--lock"]);
    assert_eq!(lock.status.code(), Some(0), "{lock:?}");
    let empty = workshop.restudy(&["run", "study.yaml", "--locked"]);
    assert_eq!(empty.status.code(), Some(1), "it holds no results yet");
    workshop.run(&[]);
    let report: serde_json::Value = serde_json::from_slice(&workshop.report()).unwrap();
    assert_eq!(report["protocol"]["locked"], "after results");
}

#[test]
fn rechecking_computes_again_and_agrees() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let run = workshop.run(&["--recheck", "0.3"]);
    assert_eq!((run["exit"].as_str().unwrap(), number(&run, "failed")), ("fine", 0));
}

#[test]
fn ids_stay_in_the_cohort() {
    let workshop = Workshop::new();
    let output = workshop.restudy(&["run", "study.yaml"]);
    let mut places = vec![
        ("stdout".to_string(), output.stdout),
        ("stderr".to_string(), output.stderr),
    ];
    let mut open = vec![workshop.path("runs"), workshop.path(".restudy/runs")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                places.push((path.display().to_string(), std::fs::read(path).unwrap()));
            }
        }
    }
    assert!(places.len() > 8);
    for (place, bytes) in places {
        assert!(!String::from_utf8_lossy(&bytes).contains("SIM-0"), "{place}");
    }
}

#[test]
fn a_vanished_image_is_told_without_its_id() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let (name, _) = first_image(&workshop);
    // A folder in its place: it is listed and cannot be read.
    std::fs::remove_file(workshop.path(&name)).unwrap();
    std::os::unix::fs::symlink(workshop.path("images"), workshop.path(&name)).unwrap();
    let output = workshop.restudy(&["run", "study.yaml"]);
    assert_ne!(output.status.code(), Some(3), "{output:?}");
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("SIM-0"));
}

/// Adds the tables that a study names by digest to the store beside it; false where there are none.
fn entered(folder: &Path, study: &str) -> bool {
    let named: Vec<&str> = study
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split([' ', ',', '{', '}']))
        .filter(|word| [".csv", ".csv.gz", ".maf.gz"].iter().any(|e| word.ends_with(e)))
        .collect();
    if named.is_empty() {
        return true; // Its data are simulated.
    }
    let Some(data) = test_data() else { return false };
    let (mut open, mut found) = (vec![data], Vec::new());
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if named.iter().any(|name| path.ends_with(name)) {
                found.push(path.display().to_string());
            }
        }
    }
    assert!(found.len() >= named.len(), "{named:?}: {found:?}");
    let files = found.iter().map(String::as_str);
    let arguments: Vec<&str> = ["store", "add"].into_iter().chain(files).collect();
    let output = restudy(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    true
}

#[test]
fn every_study_of_the_project_checks_and_the_quickstart_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    let work = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml")
            || path.to_string_lossy().ends_with(".lock.yaml")
        {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().to_string();
        std::fs::copy(&path, work.path().join(&name)).unwrap();
        if !entered(work.path(), &std::fs::read_to_string(&path).unwrap()) {
            continue;
        }
        let output = restudy(work.path(), &["check", &name]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    // The lock that lies beside the study holds whoever runs it to these numbers.
    let lock = folder.join("quickstart.lock.yaml");
    if updating() {
        restudy(work.path(), &["run", "quickstart.yaml"]);
        std::fs::copy(work.path().join("quickstart.lock.yaml"), &lock).unwrap();
    }
    std::fs::copy(&lock, work.path().join("quickstart.lock.yaml")).unwrap();
    let output = restudy(work.path(), &["run", "quickstart.yaml", "--locked"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(said.contains("report: ./runs/quickstart/report.html"), "{said}");
    let report = std::fs::read(work.path().join("runs/quickstart/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["study"]["simulated"], true);
    let found = &report["analyses"]["idh1.tables.internal"]["performance"]["auroc"];
    assert!(
        found["lower"].as_f64().unwrap() > 0.5,
        "the planted effect is found: {found}"
    );
    let output = restudy(work.path(), &["report", "runs/quickstart"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // Nobody has told its author's half, and a strict report says so; no result is missing.
    let output = restudy(work.path(), &["report", "runs/quickstart", "--strict"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).to_string();
    for line in told.lines() {
        let of_a_standard = ["TRIPOD+AI ", "abstract ", "CLEAR ", "IBSI "]
            .iter()
            .any(|name| line.starts_with(&format!("error: {name}")));
        assert!(of_a_standard, "{line}");
    }
}

/// Patients of three sites that differ in location and scale, and a study that harmonises them.
fn sites(unseen: &str, scheme: &str) -> Workshop {
    let workshop = Workshop::new();
    let mut stream = Stream::new(5, &["sites"]);
    let mut table = "patient,site,status,age,x1,x2,x3\n".to_string();
    for i in 0..90 {
        let (site, shift, scale) =
            [("A", 0.0, 1.0), ("B", 4.0, 2.0), ("C", -9.0, 0.5)][i % 3];
        let status = ["mutant", "wild"][i / 3 % 2];
        let age = 40 + i % 37;
        table.push_str(&format!("P{i:02},{site},{status},{age}"));
        for column in 0..3 {
            let effect = if status == "mutant" && column == 0 { 1.5 } else { 0.0 };
            table.push_str(&format!(",{}", shift + scale * (stream.normal() + effect)));
        }
        table.push('\n');
    }
    workshop.write("sites.csv", table.as_bytes());
    workshop.study(&format!(
        r#"restudy: 1
title: Three sites (simulated)
cancer: glioma
seed: 3
sources:
  clinic: {{ table: sites.csv, id: patient }}
cohorts:
  all: {{ from: clinic, site: site }}
outcomes:
  status: {{ label: mutant, binary: {{ column: status, positive: mutant }} }}
predictors:
  radiomics: {{ columns: {{ from: clinic, include: ["x*"] }} }}
  age: {{ clinical: {{ from: clinic, columns: [age] }} }}
models:
  all: [radiomics]
  age: [age]
primary_model: all
prepare: [impute_median]
harmonise:
  vary:
    primary: none
    none: []
    combat: [combat: {{ batch: site, unseen: {unseen}, covariates: [age] }}]
learn: [logistic]
validate:
  internal: {{ {scheme} }}
evaluate:
  primary: auroc
"#
    ));
    workshop
}

fn auroc(workshop: &Workshop, analysis: &str) -> Option<f64> {
    let report: serde_json::Value = serde_json::from_slice(&workshop.report()).unwrap();
    report["analyses"][analysis]["performance"]["auroc"]["estimate"].as_f64()
}

#[test]
fn harmonised_sites_are_told_apart_no_more() {
    let workshop = sites("refuse", "nested: { outer: 3, inner: 2, repeats: 2 }");
    let first = workshop.run(&[]);
    assert_eq!(first["exit"], "fine", "{first:?}");
    let plain = auroc(&workshop, "status.all.internal").unwrap();
    let harmonised = auroc(&workshop, "status.all.internal.combat").unwrap();
    assert!(harmonised > plain + 0.05, "{plain} {harmonised}");
    // The report says how well the site was told from the columns, before and after.
    let report: serde_json::Value = serde_json::from_slice(&workshop.report()).unwrap();
    let told = &report["analyses"]["status.all.internal.combat"]["harmonised"];
    assert_eq!((&told["column"], &told["n_splits"]), (&"site".into(), &6.into()));
    let (before, after) = (&told["before"], &told["after"]);
    assert!(before.as_f64().unwrap() > after.as_f64().unwrap() + 0.1, "{told}");
    let page = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(page.contains("What harmonisation did"));
    // What no device measured is not harmonised, and a model of nothing else has no such branch.
    assert!(auroc(&workshop, "status.age.internal").is_some());
    assert_eq!(auroc(&workshop, "status.age.internal.combat"), None);
    // Another site for one patient changes the harmonised branch and nothing else.
    let table = String::from_utf8(workshop.read("sites.csv")).unwrap();
    workshop.write("sites.csv", table.replacen("P00,A,", "P00,B,", 1).as_bytes());
    workshop.run(&[]);
    let split: Vec<String> = workshop
        .computed()
        .into_iter()
        .filter(|node| node.ends_with("/prepare"))
        .collect();
    assert!(!split.is_empty());
    assert!(split.iter().all(|node| node.starts_with("status.all.internal.combat/")));
}

#[test]
fn a_site_met_late_is_dealt_with_as_the_study_says() {
    // Under `refuse` the branch fails by name; the other one stands.
    let refusing = sites("refuse", "leave_site_out");
    refusing.run(&[]);
    assert!(auroc(&refusing, "status.all.internal").is_some());
    assert_eq!(auroc(&refusing, "status.all.internal.combat"), None);
    let said = String::from_utf8(refusing.report()).unwrap();
    assert!(said.contains("was not met in training"), "{said}");
    assert!(!said.contains("no site has both classes"), "each has: {said}");
    assert!(!said.contains("transductive step is declared"));
    // A transductive step looks at inputs of held-out rows, and the certificate says so.
    let looking = sites("transductive", "leave_site_out");
    let run = looking.run(&[]);
    assert_eq!(run["exit"], "fine", "{run:?}");
    assert!(auroc(&looking, "status.all.internal.combat").unwrap() > 0.7);
    let said = String::from_utf8(looking.report()).unwrap();
    assert!(said.contains("A transductive step is declared"), "{said}");
}

#[test]
fn the_columns_of_each_fit_are_told_beside_how_alike_they_are() {
    let workshop = Workshop::new();
    let study = STUDY.replace("  - all\n", "").replace("k: [2, 4]", "k: [2, 3]");
    assert_ne!(study, STUDY);
    workshop.study(&study);
    assert_eq!(workshop.run(&[])["exit"], "fine");
    let report: serde_json::Value = serde_json::from_slice(&workshop.report()).unwrap();
    let mut analyses = report["analyses"].as_object().unwrap().iter();
    let differs = |of: &serde_json::Value| of["selection"]["by_fit"][0].is_object();
    let (name, analysis) = analyses.find(|(_, of)| differs(of)).unwrap();
    let selection = &analysis["selection"];
    let csv = String::from_utf8(workshop.read("runs/study/tables/selected.csv")).unwrap();
    let mut times: BTreeMap<&str, f64> = BTreeMap::new();
    let mut fits: BTreeMap<[&str; 2], f64> = BTreeMap::new();
    for row in csv.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        if cells[0] != name {
            continue;
        }
        *times.entry(cells[3]).or_default() += 1.0;
        *fits.entry([cells[1], cells[2]]).or_default() += 1.0;
    }
    for column in selection["columns"].as_array().unwrap() {
        assert_eq!(
            times[column["name"].as_str().unwrap()],
            column["n"].as_f64().unwrap()
        );
    }
    // Nogueira's index, from the file alone but for the number of columns there are.
    let (m, d) = (fits.len() as f64, selection["of_columns"].as_f64().unwrap());
    assert_eq!(m, 6.0, "two repeats of three splits");
    let spread =
        times.values().map(|n| n / m * (1.0 - n / m)).sum::<f64>() * m / (m - 1.0) / d;
    let share = fits.values().sum::<f64>() / m / d;
    let index = 1.0 - spread / (share * (1.0 - share));
    assert!((index - selection["stability"]["index"].as_f64().unwrap()).abs() < 1e-12);
    // Where patients must not be told, neither is which splits lack a column; what was written of them before
    // is taken away, and what somebody else put there stays.
    workshop.write("runs/study/tables/own.csv", b"mine\n");
    workshop.study(&study.replace("governance: { public: true }\n", ""));
    workshop.run(&[]);
    let report = String::from_utf8(workshop.report()).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let mut analyses = report["analyses"].as_object().unwrap().values();
    assert!(!analyses.any(differs));
    assert!(!workshop.path("runs/study/tables/selected.csv").exists());
    assert_eq!(workshop.read("runs/study/tables/own.csv"), b"mine\n");
    assert!(workshop.path("runs/study/tables/performance.csv").exists());
}

#[test]
fn a_model_says_which_sites_it_knows_and_what_it_does_with_others() {
    for (unseen, told) in [
        (
            "refuse",
            "`site` is none that the model knows, and its study did not say what others mean: it \
             predicts rows of A, B, C alone",
        ),
        (
            "transductive",
            "`site` is none that the model knows (A, B, C); it harmonises rows",
        ),
    ] {
        let workshop = sites(unseen, "nested: { outer: 3, inner: 2, repeats: 1 }");
        let study = String::from_utf8(workshop.read("study.yaml")).unwrap();
        let study = study.replace("    primary: none\n", "    primary: combat\n");
        workshop.study(&study);
        let run = workshop.run(&[]);
        assert_eq!(run["exit"], "fine", "{run:?}");
        let table = "patient,site,age,x1,x2,x3\nQ1,D,50,1,2,3\nQ2,A,50,1,2,3\n";
        workshop.write("new.csv", table.as_bytes());
        let model = "runs/study/models/status.all.json";
        let output = workshop.restudy(&["predict", model, "new.csv"]);
        let rows = String::from_utf8_lossy(&output.stdout).to_string();
        let of = |id: &str| rows.lines().find(|row| row.starts_with(id)).unwrap();
        assert!(of("Q1,,,").contains(told), "{rows}");
        assert!(!of("Q2,0.").contains("none that the model knows"), "{rows}");
    }
}

#[test]
fn whoever_reads_no_more_is_told_no_more() {
    let workshop = Workshop::new();
    let commands: [&[&str]; 4] = [
        &["plan", "study.yaml", "--nodes"],
        &["check", "study.yaml"],
        &["ops"],
        &["schema"],
    ];
    for command in commands {
        let mut child = Command::new(env!("CARGO_BIN_EXE_restudy"))
            .args(command)
            .current_dir(workshop.path(""))
            .env_remove("RESTUDY_STORE")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{command:?}: {said}");
        assert_eq!(output.status.code(), Some(0), "{command:?}: {said}");
    }
}
