//! The files of a run's folder.

use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::data::{RunRecord, StudyRecord};
use crate::operation::{Entry, Kind};
use crate::report;

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

/// What was written.
pub struct Written {
    pub page: PathBuf,
    /// What keeps the report from being ready to submit.
    pub gaps: Vec<String>,
}

/// Writes report, records, figures, tables and checklists.
pub fn write(
    out: &Path,
    catalog: &Catalog,
    record: &StudyRecord,
    run: &RunRecord,
    predictions: Option<&str>,
) -> Result<Written, OutputError> {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    let page = report::render(record, &sections, Some(run));
    let mut files = vec![
        ("report.html".to_string(), page.html),
        ("report.json".to_string(), page.json),
        ("record.json".to_string(), pretty(run)),
    ];
    files.extend(
        predictions.map(|text| ("predictions.csv".to_string(), text.to_string())),
    );
    files.extend(
        page.figures.into_iter().map(|(name, svg)| (format!("figures/{name}"), svg)),
    );
    files.extend(
        page.tables.into_iter().map(|(name, csv)| (format!("tables/{name}"), csv)),
    );
    files.extend(
        page.checklists
            .into_iter()
            .map(|(name, csv)| (format!("checklists/{name}"), csv)),
    );
    for (name, text) in files {
        replace(&out.join(name), &text)?;
    }
    Ok(Written { page: out.join("report.html"), gaps: page.gaps })
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

fn pretty(run: &RunRecord) -> String {
    let text = serde_json::to_string_pretty(run).expect("a record is plain data");
    format!("{text}\n")
}

/// Written beside its place and renamed, so that nobody reads half a report.
fn replace(path: &Path, text: &str) -> Result<(), OutputError> {
    let wrong = |cause| OutputError::Write { path: path.to_path_buf(), cause };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(wrong)?;
    if std::fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    let mut file =
        tempfile::Builder::new().prefix(".report-").tempfile_in(folder).map_err(wrong)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(wrong)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(wrong)?;
    }
    file.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}
