//! The files of a run's folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::data::{RunRecord, StudyRecord};
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
    #[error("{path} is no record of this version: {cause}")]
    Record { path: PathBuf, cause: serde_json::Error },
}

/// The page of a record, by the sections of a catalogue.
pub fn page(catalog: &Catalog, record: &StudyRecord) -> Page {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    report::render(record, &sections)
}

/// The same for a record that differs from that of another page in the author's half alone.
pub fn page_again(catalog: &Catalog, record: StudyRecord, before: &Page) -> Page {
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
        Self { name, model: json(&of.model), onnx: of.onnx.ok() }
    }
}

/// Writes report, records, figures, tables and checklists; gives the path of the page.
pub fn write(
    out: &Path,
    page: &Page,
    run: &RunRecord,
    results: Option<&Results>,
) -> Result<PathBuf, OutputError> {
    let mut files = vec![
        ("report.html".to_string(), page.html(Some(run))),
        ("report.json".to_string(), page.json.clone()),
        ("record.json".to_string(), json(run)),
    ];
    if let Some(results) = results {
        files.push(("predictions.csv".to_string(), results.predictions.clone()));
        for ModelFiles { name, model, onnx } in &results.models {
            files.push((format!("models/{name}.json"), model.clone()));
            let path = out.join(format!("models/{name}.onnx"));
            match onnx {
                Some(bytes) => replace(&path, bytes)?,
                // An older run may have left one that is of another model.
                None if path.exists() => std::fs::remove_file(&path)
                    .map_err(|cause| OutputError::Write { path, cause })?,
                None => {}
            }
        }
    }
    files.extend(
        page.figures.iter().map(|(name, svg)| (format!("figures/{name}"), svg.clone())),
    );
    files.extend(
        page.tables.iter().map(|(name, csv)| (format!("tables/{name}"), csv.clone())),
    );
    files.extend(
        page.checklists
            .iter()
            .map(|(name, csv)| (format!("checklists/{name}"), csv.clone())),
    );
    for (name, text) in files {
        replace(&out.join(name), text.as_bytes())?;
    }
    Ok(out.join("report.html"))
}

/// The records of a run's folder.
pub fn read(out: &Path) -> Result<(StudyRecord, RunRecord), OutputError> {
    fn one<T: serde::de::DeserializeOwned>(path: PathBuf) -> Result<T, OutputError> {
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| OutputError::Read { path: path.clone(), cause })?;
        serde_json::from_str(&text).map_err(|cause| OutputError::Record { path, cause })
    }
    Ok((one(out.join("report.json"))?, one(out.join("record.json"))?))
}

fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("these are plain data");
    format!("{text}\n")
}

/// Written beside its place and renamed, so that nobody reads half a report.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let wrong = |cause| OutputError::Write { path: path.to_path_buf(), cause };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(wrong)?;
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
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
