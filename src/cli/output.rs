//! The files of a run's folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::data::{RunRecord, StudyRecord};
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
    #[error("{path} is no record of this version: {cause}")]
    Record { path: PathBuf, cause: serde_json::Error },
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
    /// The digest of `report.json`, where it is known.
    pub record: Option<Digest>,
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
    let Written { page, record, run, results, kept } = written;
    let mut files: BTreeMap<String, Content<'_>> = BTreeMap::new();
    let mut add = |name: String, text| drop(files.insert(name, Content::of(text)));
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
    let others = || -> Result<Vec<New<'_>>, OutputError> {
        let new = files.iter().map(|(name, of)| of.new(out.join(name), kept));
        new.filter_map(Result::transpose).collect()
    };
    let of_record = || {
        let texts = page.json.iter().map(|cut| &cut.text).collect();
        Content { texts, digest: record }.new(out.join(RECORD), kept)
    };
    let beside = || (others(), page.html(Some((run, &found(page)))));
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
    let run = RunRecord { written: names.into_iter().collect(), ..run.clone() };
    // First, so that whatever is there after an interruption is known to a later run.
    replace(&out.join("record.json"), json(&run).as_bytes())?;
    let report = out.join("report.html");
    let beside = || others.iter().chain(&record).try_for_each(New::put);
    let of_page = || replace(&report, html.as_bytes());
    let (beside, of_page) = rayon::join(beside, of_page);
    beside.and(of_page)?;
    Ok(report)
}

/// What a file holds: these texts, one behind the other.
struct Content<'a> {
    texts: Vec<&'a Text>,
    digest: Option<Digest>,
}

impl<'a> Content<'a> {
    fn of(text: &'a Text) -> Self {
        let digest = match text {
            Text::Here(_) => None,
            Text::Kept(piece) => Some(piece.digest),
        };
        Self { texts: vec![text], digest }
    }

    /// The file, if it is not there as it has to be.
    fn new(
        &self,
        path: PathBuf,
        kept: Option<&Pieces>,
    ) -> Result<Option<New<'a>>, OutputError> {
        let Some(digest) = self.digest else {
            return Ok(New::unless_there(path, self.read(kept)?));
        };
        let length = self.texts.iter().map(|text| text.length()).sum();
        if is(&path, length, &digest).unwrap_or(false) {
            return Ok(None);
        }
        Ok(Some(New { path, bytes: self.read(kept)? }))
    }

    fn read(&self, kept: Option<&Pieces>) -> Result<Vec<Cow<'a, [u8]>>, OutputError> {
        let read = self.texts.iter().map(|text| match text {
            Text::Here(bytes) => Ok(Cow::Borrowed(bytes.as_slice())),
            Text::Kept(piece) => kept
                .and_then(|kept| kept.read(piece))
                .map(Cow::Owned)
                .ok_or(OutputError::Lost),
        });
        read.collect()
    }
}

/// A file that is to be written, in parts.
struct New<'a> {
    path: PathBuf,
    bytes: Vec<Cow<'a, [u8]>>,
}

impl<'a> New<'a> {
    fn unless_there(path: PathBuf, bytes: Vec<Cow<'a, [u8]>>) -> Option<Self> {
        match holds(&path, &bytes) {
            Ok(true) => None,
            _ => Some(Self { path, bytes }),
        }
    }

    /// Written beside its place and renamed, so that nobody reads half a report.
    fn put(&self) -> Result<(), OutputError> {
        let path = &self.path;
        let wrong = |cause| OutputError::Write { path: path.clone(), cause };
        let folder = path.parent().unwrap_or(Path::new("."));
        let staged = || tempfile::Builder::new().prefix(".report-").tempfile_in(folder);
        let staged = match staged() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(folder).map_err(wrong)?;
                staged()
            }
            other => other,
        };
        let mut file = staged.map_err(wrong)?;
        for part in &self.bytes {
            std::io::Write::write_all(&mut file, part).map_err(wrong)?;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let readable = std::fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(readable).map_err(wrong)?;
        }
        file.persist(path).map_err(|error| wrong(error.error))?;
        Ok(())
    }
}

/// What names what a page shows: the digests of the parts of its record. Those that are kept need not be
/// read for it.
fn found(page: &Page<Text>) -> Digest {
    let mut naming = Naming::new("restudy record v1");
    for cut in &page.json {
        let digest = match &cut.text {
            Text::Here(bytes) => Digest::of(bytes),
            Text::Kept(piece) => piece.digest,
        };
        naming.add(digest.as_bytes());
    }
    naming.digest()
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

/// Units: bytes.
const READ_AT_ONCE: usize = 1 << 16;

/// A file of this length, if there is one.
fn of_length(path: &Path, length: u64) -> std::io::Result<Option<std::fs::File>> {
    let file = std::fs::File::open(path)?;
    Ok((file.metadata()?.len() == length).then_some(file))
}

/// Whether a file is that of a length and a digest. One of another length is not read.
fn is(path: &Path, length: u64, digest: &Digest) -> std::io::Result<bool> {
    let Some(mut file) = of_length(path, length)? else { return Ok(false) };
    let mut naming = Naming::plain();
    let mut piece = vec![0; READ_AT_ONCE.min(length as usize + 1)];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(naming.digest() == *digest),
            n => naming.add(&piece[..n]),
        }
    }
}

/// Whether a file holds these bytes. One of another length is not read.
fn holds(path: &Path, bytes: &[Cow<'_, [u8]>]) -> std::io::Result<bool> {
    let length = bytes.iter().map(|part| part.len()).sum::<usize>();
    let Some(mut file) = of_length(path, length as u64)? else { return Ok(false) };
    let mut piece = vec![0; length.min(READ_AT_ONCE)];
    for expected in bytes.iter().flat_map(|part| part.chunks(READ_AT_ONCE)) {
        let found = &mut piece[..expected.len()];
        file.read_exact(found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A file with these bytes, whatever was there.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let new = New::unless_there(path.to_path_buf(), vec![Cow::Borrowed(bytes)]);
    new.as_ref().map_or(Ok(()), New::put)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_where_it_is_not_as_it_has_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::Store::open(
            &folder.path().join("store"),
            crate::store::Mode::ReadWrite,
        )
        .unwrap();
        let large = vec![b'x'; 3 * READ_AT_ONCE + 1];
        let (name, pieces) = store.keep_pieces(&[&large, b""]).unwrap();
        let kept = store.pieces(&name).unwrap();
        let (large_kept, empty) = (Text::Kept(pieces[0]), Text::Kept(pieces[1]));
        let path = folder.path().join("deep/file");
        let new = |text: &Text, kept| {
            let new = Content::of(text).new(path.clone(), kept)?;
            new.as_ref().map(New::put).transpose().map(|put| put.is_some())
        };
        assert!(new(&large_kept, Some(&kept)).unwrap(), "there is no folder");
        assert_eq!(std::fs::read(&path).unwrap(), large);
        // Where it is there already the store is not asked.
        assert!(!new(&large_kept, None).unwrap());
        assert!(!new(&Text::Here(large.clone()), None).unwrap());
        let mut other = large.clone();
        other[READ_AT_ONCE] = b'y';
        std::fs::write(&path, &other).unwrap();
        assert!(matches!(new(&large_kept, None), Err(OutputError::Lost)));
        assert_eq!(std::fs::read(&path).unwrap(), other, "nothing has been changed");
        assert!(new(&large_kept, Some(&kept)).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), large);
        assert!(new(&empty, Some(&kept)).unwrap() && !new(&empty, None).unwrap());
        // A text that is partly kept is one file.
        let ends = Text::here("end".to_string());
        let both = Content { texts: vec![&large_kept, &ends], digest: None };
        both.new(path.clone(), Some(&kept)).unwrap().unwrap().put().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [&large[..], b"end"].concat());
        assert!(both.new(path, Some(&kept)).unwrap().is_none());
    }
}
