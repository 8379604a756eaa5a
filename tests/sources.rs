//! Sources and cohorts as real studies bring them: what is read, fetched, joined, and what is said.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::{Compression, write::GzEncoder};
use restudy::catalog::Catalog;
use restudy::diagnostics::{Diagnostic, Severity, render};
use restudy::digest::Digest;
use restudy::store::{Files, FilesError, MemoryFiles, Mode, Store};
use restudy::survey::{self, Reading, Survey};

use crate::workshop::{Workshop, restudy, test_data, updating};

/// A study of one table; `SOURCE` is what it says of it.
const STUDY: &str = r#"
restudy: 1
title: A table in many spellings (simulated)
cancer: glioma
seed: 1
sources:
  clinic: SOURCE
cohorts:
  all: { from: clinic }
outcomes:
  status: { label: mutant, binary: { column: status, positive: mutant, negative: wild } }
predictors:
  radiomics: { columns: { from: clinic, include: ["x*"] } }
prepare: [impute_median, scale_zscore]
learn: [logistic, naive]
validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 1 } }
evaluate: { primary: auroc }
"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// 24 patients: a quoted note with a line break, an é, a cell that is missing.
fn table(separator: char, comma: bool) -> String {
    let mut text = ["patient", "status", "x1", "x2", "note"].join(&separator.to_string());
    text.push('\n');
    for i in 0..24 {
        let status = if i % 2 == 0 { "mutant" } else { "wild" };
        let x1 = format!("{}.{}", i, (i * 7) % 10);
        let x2 = if i == 5 { "NA".to_string() } else { format!("-1.{i}e2") };
        let (x1, x2) = match comma {
            true => (x1.replace('.', ","), x2.replace('.', ",")),
            false => (x1, x2),
        };
        let note = "\"ré\nsumé\"";
        let row = [&format!("P{i:02}"), status, &x1, &x2, note];
        text.push_str(&row.join(&separator.to_string()));
        text.push('\n');
    }
    text
}

/// What a survey of the study finds among these files.
fn surveyed(study: &str, files: &[(&str, &[u8])]) -> (Survey, Vec<Diagnostic>) {
    let files = files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec()));
    surveyed_with(study, &MemoryFiles(files.collect()))
}

fn surveyed_with(study: &str, files: &dyn Files) -> (Survey, Vec<Diagnostic>) {
    let parsed = restudy::spec::read(study, &Catalog::standard());
    assert_eq!(parsed.diagnostics, Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("none"), Mode::ReadOnly).unwrap();
    let reading = Reading {
        folder: Path::new(""),
        files,
        store: &store,
        name_key: [0; 32],
        show_ids: false,
        last: survey::LastFrame::default(),
    };
    survey::read(&parsed.study.unwrap(), &reading)
}

#[test]
fn a_table_is_the_same_however_it_is_written() {
    let plain = table(',', false);
    let utf16 = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let latin: Vec<u8> = plain.chars().map(|c| c as u8).collect();
    let crlf = plain.replace('\n', "\r\n").replace("ré\r\n", "ré\n");
    let members = {
        let (first, second) = plain.split_at(plain.len() / 2);
        [gzip(first.as_bytes()), gzip(second.as_bytes())].concat()
    };
    let bom = [b"\xef\xbb\xbf".as_slice(), plain.as_bytes()].concat();
    let european = table(';', true);
    let tabs = table('\t', false);
    let padded = plain.replace("P03,", "  P03 ,").replace("P07,wild", "P07, wild ");
    let utf16_plain = utf16(&plain);
    let in_gzip = gzip(plain.as_bytes());
    let comma = "{ table: t.csv, id: patient, read: { csv: { decimal: comma } } }";
    let windows =
        "{ table: t.csv, id: patient, read: { csv: { encoding: windows1252 } } }";
    let as_it_is = "{ table: t.csv, id: patient }";
    let ways: [(&str, &str, &[u8]); 10] = [
        ("plain", as_it_is, plain.as_bytes()),
        ("gzip", as_it_is, &in_gzip),
        ("two members of gzip", as_it_is, &members),
        ("UTF-8 with a mark", as_it_is, &bom),
        ("UTF-16", as_it_is, &utf16_plain),
        ("Latin-1", windows, &latin),
        ("CRLF", as_it_is, crlf.as_bytes()),
        ("tabs", as_it_is, tabs.as_bytes()),
        ("blanks", as_it_is, padded.as_bytes()),
        ("semicolons and decimal commas", comma, european.as_bytes()),
    ];
    let mut found = BTreeMap::new();
    for (way, source, bytes) in ways {
        let (survey, faults) =
            surveyed(&STUDY.replace("SOURCE", source), &[("t.csv", bytes)]);
        assert!(faults.is_empty(), "{way}: {faults:?}");
        let outcome = survey.outcomes.values().next().unwrap();
        assert_eq!((outcome.count(Some(true)), outcome.count(Some(false))), (12, 12));
        let cells = survey.cells.clone();
        assert_eq!(*found.entry("cells").or_insert(cells.clone()), cells, "{way}");
    }
}

#[test]
fn a_table_of_five_thousand_columns_is_read() {
    let names: Vec<String> = (0..5000).map(|i| format!("x{i}")).collect();
    let mut text = format!("patient,status,{}\n", names.join(","));
    for row in 0..24 {
        let cells: Vec<String> =
            (0..5000).map(|i| format!("{}.5", row * i % 97)).collect();
        let status = if row % 2 == 0 { "mutant" } else { "wild" };
        text.push_str(&format!("P{row:02},{status},{}\n", cells.join(",")));
    }
    let study = STUDY.replace("SOURCE", "{ table: t.csv, id: patient }");
    let (survey, faults) = surveyed(&study, &[("t.csv", text.as_bytes())]);
    let error = faults.iter().find(|fault| fault.severity == Severity::Error);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(survey.columns["radiomics"].len(), 5000);
}

#[test]
fn aliases_hold_in_joins_outcomes_and_groups() {
    let study = STUDY
        .replace(
            "clinic: SOURCE",
            "clinic: { table: t.csv, id: patient }\n  other: { table: o.csv, id: key }",
        )
        .replace(
            "all: { from: clinic }",
            "all: { from: clinic, join: { other: required }, same_as: { X03: P03, P05: P04 } }",
        )
        .replace("include: [\"x*\"]", "include: [\"y*\"]")
        .replace("radiomics: { columns: { from: clinic", "radiomics: { columns: { from: other")
        .replace("column: status", "column: other.state");
    let mut other = "key,state,y1\n".to_string();
    for i in 0..24 {
        let id = if i == 3 { "X03".to_string() } else { format!("P{i:02}") };
        let state = if i % 2 == 0 { "mutant" } else { "wild" };
        other.push_str(&format!("{id},{state},{i}\n"));
    }
    let plain = table(',', false);
    let files = [("t.csv", plain.as_bytes()), ("o.csv", other.as_bytes())];
    let (survey, faults) = surveyed(&study, &files);
    assert!(faults.is_empty(), "{faults:?}");
    let cohort = &survey.cohorts["all"];
    assert_eq!((cohort.rows.len(), cohort.n_subjects()), (24, 23), "P04 is P05");
    let outcome = survey.outcomes.values().next().unwrap();
    assert_eq!(outcome.count(None), 0, "X03 is P03");
    let (_, faults) = surveyed(&study.replace("X03: P03, ", ""), &files);
    assert!(faults[0].message.starts_with("1 of 24 rows"), "{faults:?}");
}

/// A server on this machine that gives these bytes, and how often it was asked.
fn server(status: &'static str, bytes: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), status, &bytes, &count);
        }
    });
    (format!("http://{address}/t.csv.gz?version=2"), asked)
}

/// Reads what is asked to its empty line and answers. Who hangs up early has what it wanted.
fn answer(
    mut stream: impl Read + Write,
    status: &str,
    bytes: &[u8],
    asked: &AtomicUsize,
) {
    let mut lines = BufReader::new(&mut stream).lines();
    let mut lines_follow =
        || lines.next().is_some_and(|line| line.is_ok_and(|l| !l.is_empty()));
    if !lines_follow() {
        return; // No request: nothing was understood, or nobody trusts this server.
    }
    while lines_follow() {}
    asked.fetch_add(1, Ordering::SeqCst);
    let length = bytes.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes)));
    drop(stream.flush());
}

/// The same behind an encrypted connection, signed by the authority in `tests/loopback`, which nobody else
/// trusts and whose own key is not kept.
#[cfg(feature = "fetch")]
fn encrypted_server(bytes: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    let file =
        |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loopback").join(name);
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server-key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            answer(&mut stream, "200 OK", &bytes, &count);
            stream.conn.send_close_notify();
            drop(stream.flush());
        }
    });
    (format!("https://localhost:{port}/t.csv.gz"), asked)
}

fn remote(url: &str, digest: &Digest) -> String {
    let source = format!("{{ table: \"{url}\", digest: \"{digest}\", id: patient }}");
    STUDY.replace("SOURCE", &source)
}

#[cfg(feature = "fetch")]
#[test]
fn a_file_behind_a_url_is_fetched_once_and_then_kept() {
    let plain = table(',', false);
    let digest = Digest::of(plain.as_bytes());
    let (url, asked) = server("200 OK", gzip(plain.as_bytes()));
    let workshop = Workshop::new();
    workshop.study(&remote(&url, &digest));
    for command in ["check", "check", "run", "run"] {
        let output = workshop.restudy(&[command, "study.yaml"]);
        assert_eq!(output.status.code(), Some(0), "{command}: {output:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Another content than was declared is refused, and the right one is asked for by name.
    let wrong = Digest::of(b"something else");
    workshop.study(&remote(&url, &wrong));
    let output = workshop.restudy(&["check", "study.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("gives another content than was declared: {digest}")));
    assert!(
        said.contains(&format!("`restudy store add t.csv.gz`; its content is {wrong}"))
    );
}

/// A hospital's network signs connections itself: its authority is trusted where it is named, and nobody
/// else's is.
#[cfg(feature = "fetch")]
#[test]
fn an_encrypted_connection_is_trusted_by_the_authority_that_is_named() {
    let plain = table(',', false);
    let digest = Digest::of(plain.as_bytes());
    let (url, asked) = encrypted_server(gzip(plain.as_bytes()));
    let workshop = Workshop::new();
    workshop.study(&remote(&url, &digest));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loopback");
    let check = |authorities: Option<PathBuf>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_restudy"));
        command.args(["check", "study.yaml"]).current_dir(workshop.path("."));
        command.env_remove("RESTUDY_STORE").env_remove("SSL_CERT_FILE");
        let output =
            command.envs(authorities.map(|path| ("SSL_CERT_FILE", path))).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = check(None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the connection is not to be trusted"), "{said}");
    assert!(said.contains("SSL_CERT_FILE has to name"), "{said}");
    for (file, why) in
        [("server-key.pem", "it holds no certificate"), ("none.pem", "none.pem")]
    {
        let (code, said) = check(Some(folder.join(file)));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is asked before it is trusted");
    let (code, said) = check(Some(folder.join("authority.pem")));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[cfg(feature = "fetch")]
#[test]
fn what_cannot_be_fetched_enters_by_hand() {
    let plain = table(',', false);
    let digest = Digest::of(plain.as_bytes());
    let (url, _) = server("404 Not Found", Vec::new());
    let workshop = Workshop::new();
    workshop.study(&remote(&url, &digest));
    let output = workshop.restudy(&["run", "study.yaml"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the server knows no such file (404)"), "{said}");
    assert!(said.contains("`restudy store add t.csv.gz`"), "{said}");
    workshop.write("t.csv.gz", &gzip(plain.as_bytes()));
    let output = workshop.restudy(&["store", "add", "t.csv.gz"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(&digest.to_string()));
    let output = workshop.restudy(&["check", "study.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_study_is_begun_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let init = |arguments: &[&str]| {
        let output = restudy(folder.path(), &[&["init"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        (output.status.code(), said)
    };
    assert_eq!(init(&[]).0, Some(0));
    let output = restudy(folder.path(), &["check", "study.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    std::fs::write(folder.path().join("study.yaml"), "mine").unwrap();
    let (code, said) = init(&[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("study.yaml is there already"), "{said}");
    assert_eq!(std::fs::read(folder.path().join("study.yaml")).unwrap(), b"mine");
    // A copy elsewhere reads the same files.
    let like = folder.path().join("like");
    std::fs::create_dir_all(like.join("data")).unwrap();
    std::fs::write(like.join("data/it's.csv"), table(',', false)).unwrap();
    let text = STUDY.replace("SOURCE", "{ table: data/it's.csv, id: patient } # kept");
    std::fs::write(like.join("old.yaml"), &text).unwrap();
    assert_eq!(init(&["deep/down/new", "--like", "like/old.yaml"]).0, Some(0));
    let output = restudy(folder.path(), &["check", "deep/down/new.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let copy = std::fs::read_to_string(folder.path().join("deep/down/new.yaml")).unwrap();
    assert_eq!(
        copy,
        text.replace("data/it's.csv", "'../../like/data/it''s.csv'"),
        "nothing else changes"
    );
    // Beside it nothing has to change at all.
    assert_eq!(init(&["like/twin.yaml", "--like", "like/old.yaml"]).0, Some(0));
    assert_eq!(std::fs::read_to_string(like.join("twin.yaml")).unwrap(), text);
    for (arguments, expected) in [
        (["x", "--like", "no.yaml"], "cannot read no.yaml"),
        (["x", "--like", "study.yaml"], "error[E"),
    ] {
        let (code, said) = init(&arguments);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains(expected) && !folder.path().join("x.yaml").exists(),
            "{said}"
        );
    }
}

#[test]
fn the_wrong_label_table_is_caught_with_the_five_named() {
    let Some(data) = test_data() else { return };
    let glioma = data.join("genomics/tcga_glioma");
    let source = |name: &str, file: &str, id: &str| {
        let path = glioma.join(file);
        format!("{name}: {{ table: '{}', id: {id} }}", path.display())
    };
    let sources = [
        source("t1", "medimage_t1.csv.gz", "patient"),
        source("labels", "molecular_labels.csv", "patient"),
        source("shipped", "medimage_lgg_idh_label.csv", "PatientID"),
    ];
    let head =
        std::fs::read_to_string(glioma.join("medimage_lgg_idh_label.csv")).unwrap();
    let head: Vec<&str> = head.lines().next().unwrap().split(',').collect();
    let study = STUDY
        .replace("clinic: SOURCE", &sources.join("\n  "))
        .replace("PatientID", head[0].trim_matches('"'))
        .replace("all: { from: clinic }", "all: { from: t1, join: { labels: optional } }")
        .replace(
            "binary: { column: status, positive: mutant, negative: wild }",
            "binary: { column: labels.idh, positive: Mutant, negative: WT, other: missing }",
        )
        .replace("from: clinic, include: [\"x*\"]", "from: t1, include: [\"stats_3D__*\"]")
        + &format!(
            "governance: {{ public: true }}\nagree:\n  idh:\n    facts:\n      - binary: {{ column: labels.idh, \
             positive: Mutant, negative: WT, other: missing }}\n      - binary: {{ column: \
             shipped.{}, positive: \"1\", negative: \"0\" }}\n",
            head[1].trim_matches('"')
        );
    let workshop = Workshop::new();
    workshop.study(&study);
    let output = workshop.restudy(&["check", "study.yaml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error[E0317]") && said.contains("disagree on 5 of"), "{said}");
    for patient in ["DU-5849", "DU-6399", "DU-7309", "HT-7856", "HT-8113"] {
        assert!(
            said.contains(&format!("TCGA-{patient} (positive and negative)")),
            "{said}"
        );
    }
}

/// Files of which one is written anew between two looks at it.
struct Edited(MemoryFiles);

impl Files for Edited {
    fn digest(&self, path: &Path) -> Result<Digest, FilesError> {
        self.0.digest(path).map(|_| Digest::of(b"what it was a moment ago"))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, FilesError> {
        self.0.read(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
        self.0.list(folder)
    }
}

/// Compares with `tests/golden/run/<case>.out`.
fn agreed(case: &str, said: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run");
    let path = folder.join(format!("{case}.out"));
    if updating() {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&path, said).unwrap();
    }
    assert_eq!(said, std::fs::read_to_string(path).unwrap_or_default(), "{case}");
}

#[test]
fn a_source_edited_during_the_run_is_told() {
    let study = STUDY.replace("SOURCE", "{ table: t.csv, id: patient }");
    let plain = table(',', false).into_bytes();
    let files = Edited(MemoryFiles([(PathBuf::from("t.csv"), plain)].into()));
    let (_, faults) = surveyed_with(&study, &files);
    let said: Vec<String> =
        faults.iter().map(|fault| render(fault, "study.yaml", &study, false)).collect();
    agreed("edited_during_the_run", &format!("{}\n", said.join("\n\n")));
}

#[test]
fn a_store_that_cannot_be_written_to_is_told() {
    let workshop = Workshop::new();
    workshop.write("file", b"no folder");
    let output = workshop.restudy(&["run", "study.yaml", "--store", "file/store"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    agreed("unwritable", &String::from_utf8(output.stderr).unwrap());
    let output =
        workshop.restudy(&["store", "add", "table.csv", "--store", "file/store"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    agreed("unwritable_store_add", &String::from_utf8(output.stderr).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_what_is_done_is_kept() {
    let workshop = Workshop::new();
    // A disk of its own, in a namespace of its own.
    let script = "mkdir small && mount -t tmpfs -o size=200k small small && \
                  \"$0\" run study.yaml --quiet --jobs 1 --store small/store";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(env!("CARGO_BIN_EXE_restudy"))
        .current_dir(workshop.path(""))
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        println!("skipped: no `unshare` here");
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    if said.contains("unshare:") || said.contains("mount:") {
        println!("skipped: no disk may be mounted here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    // Which file found no room differs from run to run.
    let line = said.lines().find(|line| line.contains("disk is full")).unwrap_or(&said);
    let line = line.find("the disk").map_or(line, |at| &line[at..]);
    let (before, after) = line.split_once("cannot write ").unwrap_or((line, ""));
    let after = after.split_once(';').map_or(after, |(_, after)| after);
    agreed("full_disk", &format!("{before}cannot write FILE;{after}\n"));
}

#[test]
fn columns_of_two_sources_are_compared() {
    let study = STUDY.replace(
        "clinic: SOURCE",
        "clinic: { table: t.csv, id: patient }\n  other: { table: o.csv, id: key }",
    ) + "agree:\n  x: { columns: [clinic.x1, other.x], within: 0.5 }\n";
    let mut other = "key,x\n".to_string();
    for i in 0..20 {
        // Of 1 and 2 it differs, of 3 by less than is tolerated, of 4 nothing is known.
        let x = match i {
            1 => "9".to_string(),
            2 => "two".to_string(),
            3 => "3.6".to_string(),
            4 => String::new(),
            i => format!("{i}.{}0", (i * 7) % 10),
        };
        other.push_str(&format!("P{i:02},{x}\n"));
    }
    let plain = table(',', false);
    let files = [("t.csv", plain.as_bytes()), ("o.csv", other.as_bytes())];
    let (survey, faults) = surveyed(&study, &files);
    let found = &survey.agreements[0];
    assert!(found.both == 19 && found.agree == 17);
    assert!(found.only[0] == 5 && found.only[1] == 0);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].message.contains("disagree on 2 of 19"), "{faults:?}");
    assert!(
        faults[0].hints.iter().any(|hint| hint == "in o.csv they stand on lines 3, 4")
    );
    let named = study.clone() + "governance: { public: true }\n";
    let (_, faults) = surveyed(&named, &files);
    assert_eq!(faults[0].hints[0], "they are P01 (1.7 and 9), P02 (2.4 and two)");
    let tolerant = study.replace("within: 0.5", "within: 0.5, tolerate: 2");
    assert!(surveyed(&tolerant, &files).1.is_empty());
}

#[test]
fn a_store_says_how_large_it_is_and_finds_damage() {
    let workshop = Workshop::new();
    let store = |arguments: &[&str]| {
        let output = workshop.restudy(&[&["store"], arguments].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = store(&["size"]);
    assert!(code == Some(1) && said.contains("there is no store at .restudy"), "{said}");
    workshop.write("big.csv", format!("id\n{}", "1\n".repeat(9000)).as_bytes());
    workshop.write("cut.csv.gz", &gzip(b"id,x\n1,2\n")[..20]);
    let (code, said) = store(&["add", "big.csv", "cut.csv.gz", "absent.csv"]);
    assert_eq!(code, Some(1));
    for expected in
        ["blake3:", "cut.csv.gz is damaged or cut short", "cannot read absent.csv"]
    {
        assert!(said.contains(expected), "{said}");
    }
    let (code, said) = store(&["size"]);
    assert!(code == Some(0) && said.contains("results"), "{said}");
    let (code, said) = store(&["verify"]);
    assert!(code == Some(0) && said.contains("1 files checked, 0 damaged"), "{said}");
    let blobs: Vec<PathBuf> = std::fs::read_dir(workshop.path(".restudy/blobs"))
        .unwrap()
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    let mut bytes = std::fs::read(&blobs[0]).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&blobs[0]).unwrap();
    std::fs::write(&blobs[0], bytes).unwrap();
    let (code, said) = store(&["verify"]);
    assert!(code == Some(2) && said.contains("1 damaged"), "{said}");
}

#[test]
fn a_check_is_told_again_until_something_that_it_looked_at_changes() {
    let workshop = Workshop::new();
    let check = || {
        let output = workshop.restudy(&["check", "study.yaml"]);
        let said =
            [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        (output.status.code(), said)
    };
    let kept = || std::fs::read_dir(workshop.path(".restudy/index")).unwrap().count();
    let at_first = check();
    assert_eq!(at_first.0, Some(0), "{at_first:?}");
    // Who only looks makes no store; where there is one, what was said stays in it.
    assert!(!workshop.path(".restudy").exists());
    workshop.run(&[]);
    let before = kept();
    assert_eq!(check(), at_first);
    assert_eq!(kept(), before + 1);
    assert_eq!(check(), at_first);
    assert_eq!(kept(), before + 1);
    // Beside a study that was never run lies no key, and names last for one command: what was said
    // is told again all the same.
    std::fs::remove_file(workshop.path("study.key")).unwrap();
    assert_eq!(check(), at_first);
    assert_eq!(kept(), before + 2);
    assert_eq!(check(), at_first);
    assert_eq!(kept(), before + 2);
    let table = workshop.read("table.csv");
    // A file that was looked at, one that is missing, a folder, the study.
    let mut cut = String::from_utf8(table.clone()).unwrap();
    let last = cut.trim_end().rfind('\n').unwrap();
    cut.truncate(last + 1);
    workshop.write("table.csv", cut.as_bytes());
    let changed = check();
    assert!(changed != at_first && changed.1[0].contains("23 rows"), "{changed:?}");
    workshop.write("table.csv", &table);
    assert_eq!(check(), at_first);
    let scan = std::fs::read_dir(workshop.path("images")).unwrap().next().unwrap();
    let mask = scan.unwrap().path().join("mask.nii.gz");
    let bytes = std::fs::read(&mask).unwrap();
    std::fs::remove_file(&mask).unwrap();
    assert!(check() != at_first);
    std::fs::write(&mask, bytes).unwrap();
    assert_eq!(check(), at_first);
    std::fs::remove_file(workshop.path("table.csv")).unwrap();
    let missing = check();
    assert!(missing.0 == Some(1) && missing.1[1].contains("cannot read"), "{missing:?}");
    workshop.write("table.csv", &table);
    workshop.study(&crate::workshop::STUDY.replace("repeats: 2", "repeats: 3"));
    assert!(check().1[0] != at_first.1[0]);
}

#[test]
fn a_column_without_a_value_is_left_out_unless_it_is_named() {
    let plain = table(',', false);
    let with: Vec<String> = plain.split('\n').map(str::to_string).collect();
    // The column comes first: notes hold line breaks.
    let with: Vec<String> = with
        .iter()
        .map(|line| match line.as_str() {
            line if line.starts_with("patient") => format!("xempty,{line}"),
            line if line.starts_with('P') => format!("NA,{line}"),
            line => line.to_string(),
        })
        .collect();
    let text = with.join("\n");
    let source = "{ table: clinic.csv, id: patient }";
    let study = STUDY.replace("SOURCE", source);
    let files = [("clinic.csv", text.as_bytes())];
    let (survey, faults) = surveyed(&study, &files);
    let names: Vec<&str> =
        survey.columns["radiomics"].iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["x1", "x2"]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].severity, Severity::Warning);
    assert!(faults[0].hints[0].contains("`xempty`"), "{faults:?}");
    let named = study.replace("[\"x*\"]", "[xempty, x1]");
    let (survey, faults) = surveyed(&named, &files);
    assert_eq!(survey.columns["radiomics"].len(), 2);
    // Nothing can be put in its place.
    let said: Vec<&str> = faults.iter().map(|fault| fault.code.0).collect();
    assert_eq!(said, ["E0322"], "{faults:?}");
}

/// A covariate is found by the `map` of an external cohort, as predictors are: under another name and in
/// another unit, whether the study names its source or not.
#[test]
fn columns_beside_the_predictors_are_found_by_the_map() {
    const STUDY: &str = r#"restudy: 1
title: Covariates elsewhere (simulated)
cancer: glioma
seed: 7
governance: { public: true }
sources:
  clinic: { table: clinic.csv, id: id }
  abroad: { table: abroad.csv, id: id }
cohorts:
  here: { from: clinic, site: site }
  there: { from: abroad, site: site, relation: another hospital, map: { clinic: { from: abroadCOLUMNS } } }
outcomes:
  status: { label: mutant, binary: { column: clinic.status, positive: mutant, negative: wild } }
predictors:
  radiomics: { columns: { from: clinic, include: ["x*"] } }
prepare: [harmonise_combat: { batch: site, unseen: pooled, covariates: [COVARIATES] }, scale_zscore]
select: [all]
learn: [logistic]
validate:
  internal: { nested: { outer: 2, inner: 2, repeats: 1 }, cohort: here }
  external: [there]
evaluate: { primary: auroc }
"#;
    let table = |from: usize, n: usize, volume: &str, factor: usize| {
        let mut text = format!("id,site,sex,{volume},status,x1,x2,x3\n");
        for at in from..from + n {
            let site = ["A", "B", "C"][at % 3];
            let sex = if at * 7 % 5 < 2 { "f" } else { "m" };
            let status = if at * 11 % 7 < 3 { "mutant" } else { "wild" };
            let x = |by: usize| (at * by % 101) as f64 / 8.0 + (at % 3) as f64;
            let volume = (10 + at * 13 % 29) * factor;
            text.push_str(&format!(
                "P{at:03},{site},{sex},{volume},{status},{},{},{}\n",
                x(17),
                x(23),
                x(41)
            ));
        }
        text
    };
    let probabilities = |volume: &str, factor: usize, columns: &str, covariates: &str| {
        let workshop = Workshop::new();
        workshop.write("clinic.csv", table(0, 60, "volume", 4).as_bytes());
        workshop.write("abroad.csv", table(60, 24, volume, factor).as_bytes());
        workshop
            .study(&STUDY.replace("COLUMNS", columns).replace("COVARIATES", covariates));
        let said = workshop.run(&[]);
        assert_eq!(said["exit"], "fine", "{said:?}");
        let text =
            String::from_utf8(workshop.read("runs/study/predictions.csv")).unwrap();
        let there = text.lines().filter(|line| line.contains(".there,"));
        let mut found: Vec<String> =
            there.map(|line| line.split(',').nth(5).unwrap().to_string()).collect();
        found.sort();
        assert_eq!(found.len(), 24, "{text}");
        found
    };
    let plain = probabilities("volume", 4, "", "sex, volume");
    let renamed = ", columns: { volume: size }";
    let halved = ", columns: { volume: { column: size, times: 2 } }";
    for (factor, columns) in [(4, renamed), (2, halved)] {
        for covariates in ["sex, volume", "clinic.sex, clinic.volume"] {
            let found = probabilities("size", factor, columns, covariates);
            assert_eq!(found, plain, "{columns} {covariates}");
        }
    }
}
