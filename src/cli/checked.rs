//! What `check` said of a sound study, kept for the next time that nothing has changed: neither the
//! study nor any file that was looked at for it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::finished::program;
use super::load::{Loaded, Opened, Places, draw};
use crate::catalog::Catalog;
use crate::diagnostics::{any_error, as_json};
use crate::digest::{Digest, canonical_json};
use crate::store::{Answers, as_before};
use crate::survey::Location;

/// What is said of a study, in each way in which it can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub sound: bool,
    /// Faults, as lines for machines.
    pub lines: Vec<String>,
    /// Faults, drawn without and with colour; empty where there are none.
    pub drawn: [String; 2],
    /// What the data look like and what would be done with them.
    pub looks: String,
}

impl Said {
    pub fn of(loaded: &Loaded, places: &Places, looks: String) -> Self {
        let draw = |colour| match loaded.faults.is_empty() {
            true => String::new(),
            false => draw(&loaded.faults, places, &loaded.text, colour),
        };
        let path = places.study.display().to_string();
        let line = |fault| as_json(fault, &path, &loaded.text).to_string();
        Self {
            sound: !any_error(&loaded.faults),
            lines: loaded.faults.iter().map(line).collect(),
            drawn: [draw(false), draw(true)],
            looks,
        }
    }
}

/// What was said, and what it rests on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checked {
    said: Said,
    answers: Answers,
    /// Files that were looked at in the store.
    stored: Vec<Digest>,
}

impl Checked {
    pub fn new(said: Said, loaded: &Loaded, answers: Answers) -> Self {
        let files = loaded.survey.sources.values().flat_map(|source| &source.files);
        let stored = files.filter(|file| file.location == Location::Stored);
        Self { said, answers, stored: stored.map(|file| file.digest).collect() }
    }

    /// What was said before, where it would be said again.
    pub fn read(opened: &Opened, key: &Digest) -> Option<Said> {
        let checked: Self = postcard::from_bytes(&opened.store.index_get(key)?).ok()?;
        let here = checked.stored.iter().all(|digest| opened.store.has_blob(digest));
        (here && as_before(&checked.answers, &opened.files)).then_some(checked.said)
    }

    /// The index is disposable: without it the next check looks again.
    pub fn keep(&self, opened: &Opened, key: &Digest) {
        let bytes = postcard::to_stdvec(self).expect("plain data always has an encoding");
        drop(opened.store.index_put(key, &bytes));
    }
}

/// The name of what decides what is said, beside files: study, program, how patients are named.
///
/// Names under a key that nobody wrote down say nothing to anybody: those of the first time are as
/// good as new ones.
pub fn key(
    study: &Path,
    text: &str,
    catalog: &Catalog,
    opened: &Opened,
) -> Option<Digest> {
    let decides = canonical_json(&json!({
        "program": program(catalog)?,
        "path": study.to_string_lossy(),
        "study": Digest::of(text.as_bytes()),
        "names": opened.name_key.written.then(|| Digest::of(&opened.name_key.bytes)),
        "ids": opened.show_ids,
    }));
    Some(Digest::derive("restudy check v1", decides.as_bytes()))
}
