//! Studies that cannot run, and everything that is said of them.
//!
//! Each `tests/golden/check/<case>.yaml` is checked by the program in its folder; what it says and
//! its exit code stand in `<case>.out`. `UPDATE=1 cargo test` rewrites those.

use std::path::{Path, PathBuf};

use restudy::diagnostics::CODES;

use crate::workshop::{restudy, updating};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/check")
}

fn cases() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().to_string())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_string))
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_said_of_malformed_studies_is_as_agreed() {
    let mut moved = Vec::new();
    for case in cases() {
        let study = format!("{case}.yaml");
        let output = restudy(&folder(), &["check", &study]);
        let said = format!(
            "{}exit {}\n",
            String::from_utf8_lossy(&output.stderr),
            output.status.code().unwrap_or(-1)
        );
        let path = folder().join(format!("{case}.out"));
        if updating() {
            std::fs::write(&path, &said).unwrap();
        }
        let agreed = std::fs::read_to_string(&path).unwrap_or_default();
        if said != agreed {
            moved.push(format!("== {case}\nagreed:\n{agreed}\nsaid:\n{said}"));
        }
        assert!(!folder().join(".restudy").exists(), "{case}: something was written");
        // A run of it computes nothing and says the same.
        let work = tempfile::tempdir().unwrap();
        copy(&folder(), work.path());
        let ran = restudy(work.path(), &["run", &study]);
        if output.status.code() == Some(1) {
            assert_eq!(ran.status.code(), Some(1), "{case}");
            assert!(!work.path().join("runs").exists(), "{case}: it ran");
        }
    }
    assert!(moved.is_empty(), "{}", moved.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
fn every_code_is_said_of_some_study() {
    let mut said = String::new();
    for case in cases() {
        said.push_str(
            &std::fs::read_to_string(folder().join(format!("{case}.out"))).unwrap(),
        );
    }
    let missing: Vec<&str> = CODES
        .iter()
        .map(|explained| explained.code.0)
        .filter(|code| !said.contains(&format!("[{code}]")))
        .collect();
    assert!(missing.is_empty(), "no golden study has {missing:?}");
}
