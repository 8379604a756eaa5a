//! The files of a run's folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::data::{RunRecord, StudyRecord};
use crate::digest::Digest;
use crate::operation::{Entry, Kind};
use crate::report::{self, Page};
use crate::run::HandedOver;

/// A folder that cannot be written to, or a record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("cannot write {path}: {cause}")]
    Write { path: PathBuf, cause: std::io::Error },
    #[error("cannot read {path}: {cause}")]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("{path} is cut short: {cause}")]
    Cut { path: PathBuf, cause: serde_json::Error },
    #[error("{path} is no record of this version: {cause}")]
    Record { path: PathBuf, cause: serde_json::Error },
    #[error(
        "{path} is written in schema {found}, and this version reads {}",
        StudyRecord::SCHEMA
    )]
    Schema { path: PathBuf, found: u32 },
    #[error(
        "{path} is not the file that its run wrote: its digest is another than in record.json"
    )]
    Changed { path: PathBuf },
}

impl OutputError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Write { cause, .. }
                if cause.kind() == std::io::ErrorKind::StorageFull =>
            {
                "free some space, or choose another folder"
            }
            Self::Write { .. } => "choose another folder, or change who may write to it",
            Self::Read { .. } => {
                "give the folder that `restudy run` wrote, such as `runs/quickstart`"
            }
            Self::Record { .. } | Self::Schema { .. } => {
                "give the folder that `restudy run` wrote, or run its study with this version"
            }
            Self::Cut { .. } | Self::Changed { .. } => {
                "run the study again: what is stored is not computed once more"
            }
        }
    }

    fn unread(path: PathBuf, cause: serde_json::Error) -> Self {
        match cause.is_eof() {
            true => Self::Cut { path, cause },
            false => Self::Record { path, cause },
        }
    }
}

/// The page of a record, by the sections of a catalogue.
pub fn page(catalog: &Catalog, record: StudyRecord) -> Page {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    report::render_own(record, &sections)
}

/// The same for a record that differs from that of another page in the author's half alone.
pub fn page_again(catalog: &Catalog, record: StudyRecord, before: Page) -> Page {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    report::render_again(record, &sections, before)
}

/// What a run gives beside its record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// Every held-out prediction, as CSV.
    pub predictions: String,
    /// Frozen models.
    pub models: Vec<ModelFiles>,
    /// Those that cannot be handed over, and why.
    pub without_model: Vec<(String, String)>,
}

/// A frozen model as it is handed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelFiles {
    pub name: String,
    /// As JSON.
    pub model: String,
    /// Where it can be had.
    pub onnx: Option<Vec<u8>>,
}

impl ModelFiles {
    pub fn of(name: String, of: HandedOver) -> Self {
        // Written over several lines it takes more room than in its shortest spelling.
        let mut text = Vec::with_capacity(4 * of.length);
        serde_json::to_writer_pretty(&mut text, &of.model).expect("it is plain data");
        text.push(b'\n');
        let model = String::from_utf8(text).expect("JSON is UTF-8");
        Self { name, model, onnx: of.onnx.ok() }
    }
}

/// Writes report, records, figures, tables and checklists; gives the path of the page. Takes away what an
/// earlier run wrote and this one does not: a table of data that were public then, say.
pub fn write(
    out: &Path,
    page: &Page,
    run: &RunRecord,
    results: Option<&Results>,
) -> Result<PathBuf, OutputError> {
    let mut files: BTreeMap<String, Cow<'_, [u8]>> = BTreeMap::new();
    let mut add = |name: String, bytes| drop(files.insert(name, bytes));
    add("report.json".to_string(), Cow::Borrowed(page.json.as_bytes()));
    if let Some(results) = results {
        let predictions = results.predictions.as_bytes();
        add("predictions.csv".to_string(), Cow::Borrowed(predictions));
        for ModelFiles { name, model, onnx } in &results.models {
            add(format!("models/{name}.json"), Cow::Borrowed(model.as_bytes()));
            if let Some(onnx) = onnx {
                add(format!("models/{name}.onnx"), Cow::Borrowed(onnx.as_slice()));
            }
        }
    }
    let parts = [
        ("figures", &page.figures),
        ("tables", &page.tables),
        ("checklists", &page.checklists),
    ];
    for (folder, of_folder) in parts {
        for (name, text) in of_folder {
            add(format!("{folder}/{name}"), Cow::Borrowed(text.as_bytes()));
        }
    }
    let mut written: BTreeSet<String> = files.keys().cloned().collect();
    written.insert("report.html".to_string());
    let before = of_before(out);
    let stays = |name: &&String| {
        let of_results = *name == "predictions.csv" || name.starts_with("models/");
        results.is_none() && of_results
    };
    written.extend(before.iter().filter(stays).cloned());
    for name in before.difference(&written).filter(|name| is_own(name)) {
        let path = out.join(name);
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(OutputError::Write { path, cause });
            }
            _ => {}
        }
    }
    let run = RunRecord {
        written: written.into_iter().collect(),
        report: Digest::of(page.json.as_bytes()).to_string(),
        ..run.clone()
    };
    // First, so that whatever is there after an interruption is known to a later run.
    replace(&out.join("record.json"), json(&run).as_bytes())?;
    let report = out.join("report.html");
    let others =
        || files.iter().try_for_each(|(name, bytes)| replace(&out.join(name), bytes));
    let of_page = || replace(&report, page.html(Some(&run)).as_bytes());
    let (others, of_page) = rayon::join(others, of_page);
    others.and(of_page)?;
    Ok(report)
}

/// What the run before wrote into a folder, as far as its record tells.
fn of_before(out: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(out.join("record.json")).unwrap_or_default();
    let record: Option<RunRecord> = serde_json::from_str(&text).ok();
    record.map_or_else(BTreeSet::new, |record| record.written.into_iter().collect())
}

/// Whether a place is one where runs write, whoever wrote the record that names it.
fn is_own(name: &str) -> bool {
    let folders = ["models", "figures", "tables", "checklists"];
    name.split_once('/').is_some_and(|(folder, file)| {
        folders.contains(&folder)
            && file.contains('.')
            && !file.starts_with('.')
            && !file.contains(['/', '\\'])
    })
}

/// The records of a run's folder, as its run wrote them.
pub fn read(out: &Path) -> Result<(StudyRecord, RunRecord), OutputError> {
    /// What tells the version of a layout, whatever else it holds.
    #[derive(Deserialize)]
    struct Layout {
        schema: u32,
    }
    let text = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .map_err(|cause| OutputError::Read { path: path.clone(), cause })
    };
    let path = out.join("report.json");
    let report = text(&path)?;
    match serde_json::from_str(&report) {
        Ok(Layout { schema }) if schema != StudyRecord::SCHEMA => {
            return Err(OutputError::Schema { path, found: schema });
        }
        Ok(_) => {}
        Err(cause) => return Err(OutputError::unread(path, cause)),
    }
    let record = serde_json::from_str(&report)
        .map_err(|cause| OutputError::unread(path.clone(), cause))?;
    let of_run = out.join("record.json");
    let run: RunRecord = serde_json::from_str(&text(&of_run)?)
        .map_err(|cause| OutputError::unread(of_run, cause))?;
    // An older run tells no digest.
    if !run.report.is_empty() && run.report != Digest::of(report.as_bytes()).to_string() {
        return Err(OutputError::Changed { path });
    }
    Ok((record, run))
}

fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("these are plain data");
    format!("{text}\n")
}

/// Whether a file holds these bytes. One of another length is not read.
fn holds(path: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    let mut file = std::fs::File::open(path)?;
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut piece = vec![0; bytes.len().min(1 << 16)];
    for expected in bytes.chunks(1 << 16) {
        let found = &mut piece[..expected.len()];
        file.read_exact(found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Written beside its place and renamed, so that nobody reads half a report.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let wrong = |cause| OutputError::Write { path: path.to_path_buf(), cause };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(wrong)?;
    if holds(path, bytes).unwrap_or(false) {
        return Ok(());
    }
    let mut file =
        tempfile::Builder::new().prefix(".report-").tempfile_in(folder).map_err(wrong)?;
    std::io::Write::write_all(&mut file, bytes).map_err(wrong)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(wrong)?;
    }
    file.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}
