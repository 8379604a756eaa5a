//! The files of a run's folder.

use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::data::{RunRecord, StudyRecord};
use crate::operation::{Entry, Kind};
use crate::report;
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

/// What a run gives beside its record.
pub struct Results {
    /// Every held-out prediction, as CSV.
    pub predictions: String,
    /// Frozen models by name.
    pub models: Vec<(String, HandedOver)>,
}

/// Writes report, records, figures and tables; gives the path of the page.
pub fn write(
    out: &Path,
    catalog: &Catalog,
    record: &StudyRecord,
    run: &RunRecord,
    results: Option<&Results>,
) -> Result<PathBuf, OutputError> {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    let page = report::render(record, &sections, Some(run));
    let mut files = vec![
        ("report.html".to_string(), page.html),
        ("report.json".to_string(), page.json),
        ("record.json".to_string(), json(run)),
    ];
    if let Some(results) = results {
        files.push(("predictions.csv".to_string(), results.predictions.clone()));
        for (name, of) in &results.models {
            files.push((format!("models/{name}.json"), json(&of.model)));
            let onnx = out.join(format!("models/{name}.onnx"));
            match &of.onnx {
                Ok(bytes) => replace(&onnx, bytes)?,
                // An older run may have left one that is of another model.
                Err(_) if onnx.exists() => std::fs::remove_file(&onnx)
                    .map_err(|cause| OutputError::Write { path: onnx, cause })?,
                Err(_) => {}
            }
        }
    }
    files.extend(
        page.figures.into_iter().map(|(name, svg)| (format!("figures/{name}"), svg)),
    );
    files.extend(
        page.tables.into_iter().map(|(name, csv)| (format!("tables/{name}"), csv)),
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
