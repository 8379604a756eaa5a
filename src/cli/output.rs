//! The files of a run's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::data::{Part, RunRecord, StudyRecord};
use crate::digest::{Digest, Naming};
use crate::operation::{Entry, Kind};
use crate::report::{self, Page, Told};
use crate::run::HandedOver;
use crate::store::{Piece, Pieces};

/// A text that a run's folder gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Text {
    Here(Vec<u8>),
    /// It rests in the store, and is read where the folder does not have it.
    Kept(Piece),
}

impl Text {
    pub fn here(text: String) -> Self {
        Self::Here(text.into_bytes())
    }

    /// If they are at hand.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::Kept(_) => None,
        }
    }

    fn length(&self) -> u64 {
        match self {
            Self::Here(bytes) => bytes.len() as u64,
            Self::Kept(piece) => piece.length,
        }
    }

    /// What it is as a part of a file.
    fn part(&self) -> Part {
        let digest = match self {
            Self::Here(bytes) => Digest::of(bytes),
            Self::Kept(piece) => piece.digest,
        };
        Part { bytes: self.length(), digest: digest.to_string() }
    }
}

/// A folder that cannot be written to, or a record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("what an earlier run gave is not in the store any more, or damaged")]
    Lost,
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
            Self::Lost | Self::Cut { .. } | Self::Changed { .. } => {
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
pub fn page(catalog: &Catalog, record: StudyRecord) -> Page<Text> {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    report::render_own(record, &sections).map(Text::here)
}

/// The same for a record that differs from that of another page in the author's half alone.
pub fn page_again(
    catalog: &Catalog,
    record: StudyRecord,
    before: Page<Text>,
) -> Page<Text> {
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    report::render_again(record, &sections, before).map(|told| match told {
        Told::Anew(text) => Text::here(text),
        Told::AsBefore(text) => text,
    })
}

/// What a run gives beside its record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// Every held-out prediction, as CSV.
    pub predictions: Text,
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
    pub model: Text,
    /// Where it can be had.
    pub onnx: Option<Text>,
}

impl Results {
    /// Its texts. Always in one order.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut Text> {
        let models = self.models.iter_mut();
        let of_models =
            models.flat_map(|of| [&mut of.model].into_iter().chain(&mut of.onnx));
        [&mut self.predictions].into_iter().chain(of_models)
    }
}

impl ModelFiles {
    pub fn of(name: String, of: HandedOver) -> Self {
        // Written over several lines it takes more room than in its shortest spelling.
        let mut text = Vec::with_capacity(4 * of.length);
        serde_json::to_writer_pretty(&mut text, &of.model).expect("it is plain data");
        text.push(b'\n');
        Self { name, model: Text::Here(text), onnx: of.onnx.ok().map(Text::Here) }
    }
}

/// What a run's folder gets.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    pub page: &'a Page<Text>,
    pub run: &'a RunRecord,
    pub results: Option<&'a Results>,
    /// What has the texts that are kept.
    pub kept: Option<&'a Pieces>,
}

/// The largest of the files: the record.
const RECORD: &str = "report.json";

/// Writes report, records, figures, tables and checklists; gives the path of the page. Takes away what an
/// earlier run wrote and this one does not: a table of data that were public then, say. A file that is
/// there as it has to be is left alone. Nothing is changed where something that is kept is lost.
pub fn write(out: &Path, written: Written<'_>) -> Result<PathBuf, OutputError> {
    let Written { page, run, results, kept } = written;
    let mut files: BTreeMap<String, &Text> = BTreeMap::new();
    let mut add = |name: String, text| {
        files.insert(name, text);
    };
    if let Some(results) = results {
        add("predictions.csv".to_string(), &results.predictions);
        for ModelFiles { name, model, onnx } in &results.models {
            add(format!("models/{name}.json"), model);
            if let Some(onnx) = onnx {
                add(format!("models/{name}.onnx"), onnx);
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
            add(format!("{folder}/{name}"), text);
        }
    }
    let mut names: BTreeSet<String> = files.keys().cloned().collect();
    names.extend([RECORD, "report.html"].map(str::to_string));
    let others = || -> Result<Vec<New>, OutputError> {
        let new = files
            .iter()
            .map(|(name, text)| New::unless_there(out.join(name), &[text], kept));
        new.filter_map(Result::transpose).collect()
    };
    let of_record = || {
        let texts: Vec<&Text> = page.json.iter().map(|cut| &cut.text).collect();
        New::unless_there(out.join(RECORD), &texts, kept)
    };
    let parts_of_record: Vec<Part> =
        page.json.iter().map(|cut| cut.text.part()).collect();
    let beside = || (others(), page.html(Some((run, &named(&parts_of_record)))));
    let (record, (others, html)) = rayon::join(of_record, beside);
    let (record, others) = (record?, others?);
    let before = of_before(out);
    let stays = |name: &&String| {
        let of_results = *name == "predictions.csv" || name.starts_with("models/");
        results.is_none() && of_results
    };
    names.extend(before.iter().filter(stays).cloned());
    for name in before.difference(&names).filter(|name| is_own(name)) {
        let path = out.join(name);
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(OutputError::Write { path, cause });
            }
            _ => {}
        }
    }
    let run = RunRecord {
        written: names.into_iter().collect(),
        report: parts_of_record,
        ..run.clone()
    };
    // First, so that whatever is there after an interruption is known to a later run.
    replace(&out.join("record.json"), json(&run))?;
    let report = out.join("report.html");
    let beside = || others.into_iter().chain(record).try_for_each(New::put);
    let of_page = || replace(&report, html);
    let (beside, of_page) = rayon::join(beside, of_page);
    beside.and(of_page)?;
    Ok(report)
}

/// A file that is written, but not under its name.
struct New {
    path: PathBuf,
    staged: tempfile::TempPath,
}

impl New {
    /// A file that holds these texts, one behind the other, if there is none.
    fn unless_there(
        path: PathBuf,
        texts: &[&Text],
        kept: Option<&Pieces>,
    ) -> Result<Option<Self>, OutputError> {
        if holds(&path, texts).unwrap_or(false) {
            return Ok(None);
        }
        let wrong = |cause| OutputError::Write { path: path.clone(), cause };
        let mut staged = staged(&path).map_err(wrong)?;
        for text in texts {
            match text {
                Text::Here(bytes) => staged.write_all(bytes).map_err(wrong)?,
                Text::Kept(piece) => {
                    let kept = kept.ok_or(OutputError::Lost)?;
                    let sound = kept.read(piece, |part| staged.write_all(part));
                    if !sound.map_err(wrong)? {
                        return Err(OutputError::Lost);
                    }
                }
            }
        }
        // Closed: a folder may have more files than a process may have open.
        Ok(Some(Self { path, staged: staged.into_temp_path() }))
    }

    fn put(self) -> Result<(), OutputError> {
        let wrong = |cause| OutputError::Write { path: self.path.clone(), cause };
        self.staged.persist(&self.path).map_err(|error| wrong(error.error))?;
        Ok(())
    }
}

/// An empty file beside a place, which is renamed once it is whole: nobody reads half a report.
fn staged(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let staged = || tempfile::Builder::new().prefix(".report-").tempfile_in(folder);
    let staged = match staged() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            staged()?
        }
        other => other?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        staged.as_file().set_permissions(readable)?;
    }
    Ok(staged)
}

/// What names what a page shows: the digests of the parts of its record. Those that are kept need not be
/// read for it.
fn named(parts: &[Part]) -> Digest {
    let mut naming = Naming::new("restudy record v1");
    parts.iter().for_each(|part| naming.add(part.digest.as_bytes()));
    naming.digest()
}

/// Whether a text consists of these parts.
fn consists_of(text: &[u8], parts: &[Part]) -> bool {
    let mut rest = text;
    let follows = |part: &Part| {
        let split =
            usize::try_from(part.bytes).ok().and_then(|at| rest.split_at_checked(at));
        split.is_some_and(|(text, after)| {
            rest = after;
            Digest::of(text).to_string() == part.digest
        })
    };
    parts.iter().all(follows) && rest.is_empty()
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
    // An older run tells no parts.
    if !run.report.is_empty() && !consists_of(report.as_bytes(), &run.report) {
        return Err(OutputError::Changed { path });
    }
    Ok((record, run))
}

fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("these are plain data");
    format!("{text}\n")
}

/// Units: bytes.
const AT_ONCE: usize = 1 << 16;

/// Whether a file holds these texts, one behind the other. One of another length is not read; what is kept
/// is told by its digest.
fn holds(path: &Path, texts: &[&Text]) -> std::io::Result<bool> {
    let length: u64 = texts.iter().map(|text| text.length()).sum();
    let mut file = std::fs::File::open(path)?;
    if file.metadata()?.len() != length {
        return Ok(false);
    }
    let mut room = vec![0; AT_ONCE.min(length as usize)];
    for text in texts {
        match text {
            Text::Here(bytes) => {
                for expected in bytes.chunks(AT_ONCE) {
                    let found = &mut room[..expected.len()];
                    file.read_exact(found)?;
                    if found != expected {
                        return Ok(false);
                    }
                }
            }
            Text::Kept(piece) => {
                let mut naming = Naming::plain();
                let mut left = piece.length;
                while left > 0 {
                    let found = &mut room[..AT_ONCE.min(left as usize)];
                    file.read_exact(found)?;
                    naming.add(found);
                    left -= found.len() as u64;
                }
                if naming.digest() != piece.digest {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// A file with this text, whatever was there.
fn replace(path: &Path, text: String) -> Result<(), OutputError> {
    let new = New::unless_there(path.to_path_buf(), &[&Text::here(text)], None)?;
    new.map_or(Ok(()), New::put)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Mode, Store};

    #[test]
    fn a_file_is_written_where_it_is_not_as_it_has_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Mode::ReadWrite).unwrap();
        let large = vec![b'x'; 3 * AT_ONCE + 1];
        let (name, pieces) = store.keep_pieces(&[&large, b""]).unwrap();
        let kept = store.pieces(&name).unwrap();
        let (large_kept, empty) = (Text::Kept(pieces[0]), Text::Kept(pieces[1]));
        let path = folder.path().join("deep/file");
        // Whether it was written.
        let written = |texts: &[&Text], kept| {
            let new = New::unless_there(path.clone(), texts, kept)?;
            let is_new = new.is_some();
            new.map_or(Ok(()), New::put).map(|()| is_new)
        };
        assert!(written(&[&large_kept], Some(&kept)).unwrap(), "there is no folder");
        assert_eq!(std::fs::read(&path).unwrap(), large);
        // Where it is there already the store is not asked.
        assert!(!written(&[&large_kept], None).unwrap());
        assert!(!written(&[&Text::Here(large.clone())], None).unwrap());
        let mut other = large.clone();
        other[AT_ONCE] = b'y';
        std::fs::write(&path, &other).unwrap();
        assert!(matches!(written(&[&large_kept], None), Err(OutputError::Lost)));
        assert_eq!(std::fs::read(&path).unwrap(), other, "nothing has been changed");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(written(&[&large_kept], Some(&kept)).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), large);
        assert!(written(&[&empty], Some(&kept)).unwrap());
        assert!(!written(&[&empty], None).unwrap());
        // A text that is partly kept is one file.
        let ends = Text::here("end".to_string());
        assert!(written(&[&large_kept, &ends], Some(&kept)).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), [&large[..], b"end"].concat());
        assert!(!written(&[&large_kept, &ends], None).unwrap());
    }
}
