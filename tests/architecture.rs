//! Floors and tidiness: what `book/src/developers/architecture.md` says of the source is so.

use std::path::{Path, PathBuf};

/// Module and floor, as in the architecture page. A module names lower floors only.
const FLOORS: &[(&str, usize)] = &[
    ("diagnostics", 0),
    ("digest", 0),
    ("units", 0),
    ("data", 1),
    ("math", 1),
    ("store", 1),
    ("operation", 2),
    ("tables", 3),
    ("imaging", 3),
    ("radiomics", 3),
    ("genomics", 3),
    ("statistics", 3),
    ("learning", 3),
    ("simulation", 3),
    ("report", 3),
    ("catalog", 4),
    ("spec", 5),
    ("survey", 6),
    ("plan", 7),
    ("run", 8),
    ("review", 9),
    ("cli", 10),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Every Rust file below `src`, as module, path and text.
fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join("src")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let below = path.strip_prefix(root().join("src")).unwrap().to_path_buf();
                let module =
                    below.components().next().unwrap().as_os_str().to_string_lossy();
                let module = module.trim_end_matches(".rs").to_string();
                found.push((module, below, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().find(|(known, _)| *known == module).map(|(_, floor)| *floor)
}

/// The text of a file without its comments and its tests.
fn code(text: &str) -> String {
    let tests = ["\n#[cfg(test)]\nmod tests", "\n#[cfg(test)]\npub(super) mod tests"];
    let end = tests.iter().find_map(|begin| text.find(begin));
    let text = &text[..end.unwrap_or(text.len())];
    let line = |line: &str| line.split("//").next().unwrap_or("").to_string();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Modules that a text names by `crate::`, each with the line.
fn named(text: &str) -> Vec<(String, usize)> {
    let mut named = Vec::new();
    for (number, line) in code(text).lines().enumerate() {
        for part in line.split("crate::").skip(1) {
            let end = part.find(|c: char| !c.is_alphanumeric() && c != '_');
            named.push((part[..end.unwrap_or(part.len())].to_string(), number + 1));
        }
    }
    named
}

/// What is wrong with the imports of one file.
fn upward(module: &str, file: &str, text: &str) -> Vec<String> {
    let Some(here) = floor(module) else { return vec![format!("{file}: on no floor")] };
    let mut wrong = Vec::new();
    for (other, line) in named(text) {
        match floor(&other) {
            _ if other == module => {}
            Some(there) if there < here => {}
            Some(there) => wrong.push(format!(
                "{file}:{line}: `{module}` on floor {here} names `{other}` on floor {there}"
            )),
            None => wrong.push(format!("{file}:{line}: `crate::{other}` is on no floor")),
        }
    }
    wrong
}

#[test]
fn nothing_names_its_own_floor_or_a_higher_one() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if path != Path::new("lib.rs") && path != Path::new("main.rs") {
            wrong.extend(upward(&module, &path.display().to_string(), &text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_is_caught() {
    let text = "//! Doc.\nuse crate::digest::Digest;\nuse crate::plan::Plan;\nuse crate::math::mean;\n";
    let wrong = upward("data", "data/x.rs", text);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].contains("data/x.rs:3") && wrong[1].contains("`math` on floor 1"));
    assert_eq!(upward("nowhere", "x.rs", ""), ["x.rs: on no floor"]);
    assert!(upward("data", "x.rs", "// use crate::plan::Plan;\n").is_empty());
}

#[test]
fn every_module_of_the_library_stands_on_a_floor_and_the_page_says_so() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let page = root().join("book/src/developers/architecture.md");
    let page = std::fs::read_to_string(page).unwrap();
    let modules: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(modules.len(), FLOORS.len());
    for module in modules {
        assert!(floor(module).is_some(), "{module} is on no floor");
        assert!(
            page.contains(&format!("`{module}")),
            "the page does not name `{module}`"
        );
    }
}

#[test]
fn only_the_named_places_touch_disk_and_processes() {
    for (module, path, text) in sources() {
        let text = code(&text);
        let file = path.display().to_string();
        if text.contains("std::fs") {
            assert!(
                ["store", "cli"].contains(&module.as_str()),
                "{file} touches the disk"
            );
        }
        if text.contains("std::process::Command") || text.contains("process::{Command") {
            assert_eq!(module, "run", "{file} starts a process");
        }
        if text.contains("SystemTime::now") || text.contains("Instant::now") {
            let timed = ["store", "survey", "run", "cli"];
            assert!(timed.contains(&module.as_str()), "{file} looks at the clock");
        }
        if floor(&module).is_some_and(|floor| floor <= 3) && module != "store" {
            for word in ["HashMap", "HashSet", "par_iter"] {
                assert!(!text.contains(word), "{file}: `{word}` has no fixed order");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let banned = ["utils", "helpers", "common", "misc", "manager"];
    for (_, path, text) in sources() {
        let first = text.lines().next().unwrap_or("");
        let file = path.display();
        assert!(
            first.starts_with("//! ") && first.len() > 12,
            "{file} does not say what it is"
        );
        let stem = path.file_stem().unwrap().to_string_lossy().to_string();
        assert!(!banned.contains(&stem.as_str()), "{file} has no name");
        for word in ["todo!", "unimplemented!", "TODO", "FIXME", "dbg!"] {
            assert!(!text.contains(word), "{file} holds `{word}`");
        }
        assert!(
            !code(&text).contains(".unwrap()"),
            "{file} unwraps outside of its tests"
        );
    }
}

#[test]
fn every_file_of_a_folder_is_listed_in_it() {
    for (_, path, _) in sources() {
        let stem = path.file_stem().unwrap().to_string_lossy().to_string();
        if ["mod", "lib", "main"].contains(&stem.as_str()) {
            continue;
        }
        let folder = root().join("src").join(path.parent().unwrap());
        let list = ["mod.rs", "lib.rs"].map(|name| folder.join(name));
        let list =
            list.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap();
        assert!(
            list.contains(&format!("mod {stem};")),
            "{} is not listed",
            path.display()
        );
    }
}
