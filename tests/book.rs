//! The book: its studies check, its links lead somewhere, its generated pages are current.

use std::path::{Path, PathBuf};

use restudy::catalog::Catalog;
use restudy::cli::ops::page;
use restudy::diagnostics::{CODES, Severity};
use restudy::spec;
use serde_json::Value as Json;

use crate::workshop::{restudy, updating};

fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src")
}

/// Every page of the book and of the project.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|name| root.join(name))
        .to_vec();
    let mut open = vec![book()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                paths.push(path);
            }
        }
    }
    paths
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// The blocks of a language in a page.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    for part in text.split(&format!("```{language}\n")).skip(1) {
        blocks.push(part.split("\n```").next().unwrap().to_string());
    }
    blocks
}

#[test]
fn every_block_of_yaml_is_sound() {
    let catalog = Catalog::standard();
    let schema = spec::schema(&catalog);
    let mut studies = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "yaml") {
            let json: Json = serde_yaml::from_str(&block)
                .unwrap_or_else(|error| panic!("{}: {error}\n{block}", path.display()));
            if json.get("restudy").is_some() {
                let parsed = spec::read(&block, &catalog);
                let errors =
                    parsed.diagnostics.iter().filter(|f| f.severity == Severity::Error);
                assert_eq!(
                    errors.count(),
                    0,
                    "{}: {:?}",
                    path.display(),
                    parsed.diagnostics
                );
                studies += 1;
                continue;
            }
            // A part of a study: its keys are the language's.
            for (key, _) in json.as_object().into_iter().flatten() {
                let known =
                    schema["properties"].get(key).is_some() || catalog.get(key).is_some();
                assert!(known, "{}: `{key}` is no key of a study", path.display());
            }
        }
    }
    assert!(studies >= 1);
}

#[test]
fn the_parts_in_the_language_page_make_a_study() {
    let text = std::fs::read_to_string(book().join("language.md")).unwrap();
    let mut study = String::from(
        "restudy: 1\ntitle: parts\ncancer: glioma\nseed: 1\nlearn: [naive]\nprepare: [impute_median]\n",
    );
    for block in blocks(&text, "yaml") {
        study.push_str(&block);
        study.push('\n');
    }
    let parsed = spec::read(&study, &Catalog::standard());
    assert!(parsed.diagnostics.is_empty(), "{:?}\n{study}", parsed.diagnostics);
}

#[test]
fn a_whole_number_may_name_a_category() {
    let study = crate::workshop::STUDY.replace(
        "mutation: { from: panel, gene: IDH1 }",
        "binary: { column: status, positive: 1, negative: 0 }",
    );
    let parsed = spec::read(&study, &Catalog::standard());
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let written = &parsed.study.unwrap().outcomes[0].derivations[0].parameters;
    assert_eq!((&written["positive"], &written["negative"]), (&"1".into(), &"0".into()));
}

#[test]
fn every_form_of_a_rule_can_be_read() {
    let text = std::fs::read_to_string(book().join("cohorts.md")).unwrap();
    let rules = blocks(&text, "text");
    assert!(rules[0].lines().count() > 15);
    for rule in rules[0].lines() {
        spec::Rule::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error:?}"));
    }
}

#[test]
fn links_lead_to_files() {
    for (path, text) in pages() {
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let file = path.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(file.exists(), "{}: {target}", path.display());
        }
    }
}

#[test]
fn generated_pages_are_current() {
    let catalog = Catalog::standard();
    let mut wanted: Vec<(PathBuf, String)> = Vec::new();
    let mut summary = std::fs::read_to_string(book().join("SUMMARY.head.md")).unwrap();
    summary.push_str("\n# Operations\n\n");
    for entry in catalog.all() {
        let name = entry.about.name;
        summary.push_str(&format!("- [{}](operations/{name}.md)\n", entry.about.title));
        wanted.push((book().join(format!("operations/{name}.md")), page(entry)));
    }
    let mut codes = String::from(
        "# What the program says\n\nEach fault has a code that never changes its meaning; `restudy check --explain CODE` prints its text.\n",
    );
    for explained in CODES {
        codes.push_str(&format!(
            "\n## {} {}\n\n{}\n",
            explained.code.0, explained.title, explained.text
        ));
    }
    wanted.push((book().join("SUMMARY.md"), summary));
    wanted.push((book().join("codes.md"), codes));
    for (path, text) in &wanted {
        if updating() {
            std::fs::write(path, text).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == *text, "{} is not current: UPDATE=1 cargo test", path.display());
    }
    let known: Vec<&PathBuf> = wanted.iter().map(|(path, _)| path).collect();
    for entry in std::fs::read_dir(book().join("operations")).unwrap() {
        let path = entry.unwrap().path();
        assert!(known.contains(&&path), "{} is of no operation", path.display());
    }
}

/// The nodes of the example, family by family, as `restudy plan` counts them whatever their state.
#[test]
fn the_architecture_page_counts_the_nodes_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let study = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies/quickstart.yaml");
    std::fs::copy(study, folder.path().join("quickstart.yaml")).unwrap();
    let output = restudy(folder.path(), &["plan", "quickstart.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut counted = String::new();
    // The first line names the states; after all nodes it says how many fits will be made.
    let text = String::from_utf8(output.stdout).unwrap();
    let counts = text.lines().skip(1);
    for line in counts.take_while(|line| !line.starts_with("fits to make: ")) {
        let (family, states) = line.split_at(24);
        let states = states.split_whitespace().map(|n| n.parse::<usize>().unwrap());
        counted.push_str(&format!("{family}{:>9}\n", states.sum::<usize>()));
    }
    let path = book().join("developers/architecture.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let start = page.find("```text\nsimulate ").expect("the page lists them") + 8;
    let end = start + page[start..].find("```").unwrap();
    if updating() {
        let page = [&page[..start], &counted, &page[end..]].concat();
        std::fs::write(&path, page).unwrap();
    } else {
        assert_eq!(page[start..end], counted, "not current: UPDATE=1 cargo test");
    }
}
