//! Reads tables through the store, finds images, makes simulated files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::data::{Frame, Table, Value};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::digest::{Digest, canonical_json};
use crate::operation::{Failure, File, Instance, ReadAs};
use crate::spec::{ImageOrigin, Keyed, Named, Origin, Source, SourceKind, Study, Use};
use crate::store::{Action, Files, FilesError, Keep, NewAction, NewOutput, Store};

use super::dress::{Notes, dress};
use super::held::{Head, HeldTable};
use super::{Content, Survey, SurveyedSource};

/// Through what a survey looks at the world.
pub struct Reading<'a> {
    /// The folder of the study file: relative paths start here.
    pub folder: &'a Path,
    pub files: &'a dyn Files,
    pub store: &'a Store,
    /// Under which ids are turned into names that may be printed.
    pub name_key: [u8; 32],
    /// Whether messages may name ids: asked for by whoever sits at the terminal.
    pub show_ids: bool,
    pub last: LastFrame,
}

/// The predictors that were read last, under the digest of what they hold: several parts of a survey look
/// at the same ones in turn.
#[derive(Default)]
pub struct LastFrame(Mutex<Option<(Digest, Frame)>>);

impl LastFrame {
    /// The predictors with this content, read where others were read since.
    pub(super) fn get(
        &self,
        content: &Digest,
        read: impl FnOnce() -> Result<Frame, Failure>,
    ) -> Result<Frame, Failure> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, frame)) = &*last
            && known == content
        {
            return Ok(frame.clone());
        }
        let frame = read()?;
        *last = Some((*content, frame.clone()));
        Ok(frame)
    }

    /// Its columns are free for others from now on.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A file and what it was when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFile {
    /// As in messages and `why`: the path as written, or the file's name in its source.
    pub shown: String,
    pub location: Location,
    pub digest: Digest,
}

/// Where a file was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Disk(PathBuf),
    /// A file of a generator, by source and name.
    Generated {
        source: String,
        name: String,
    },
    /// Bytes that were added to the store, or fetched into it.
    Stored,
}

/// A node that the survey asked the store for.
#[derive(Debug, Clone)]
pub struct Performed {
    pub node: String,
    pub key: Digest,
    pub preimage: String,
    /// Output digests by port.
    pub outputs: Vec<(String, Digest)>,
    /// Files that it read, as shown, with what they were.
    pub given: Vec<(String, Digest)>,
    /// Whether it had to be computed.
    pub computed: bool,
}

/// Ports of a `read` node.
pub const TABLE: &str = "table";
const FACTS: &str = "facts";

impl Reading<'_> {
    /// The bytes of a file, as they were when it was hashed.
    pub fn bytes(&self, study: &Study, file: &GivenFile) -> Result<Vec<u8>, FilesError> {
        match &file.location {
            Location::Disk(path) => self.files.read_as(path, &file.digest),
            Location::Stored => self
                .store
                .blob(&file.digest)
                .ok_or_else(|| FilesError::missing(Path::new(&file.shown))),
            Location::Generated { source, name } => {
                if let Some(bytes) = self.store.blob(&file.digest) {
                    return Ok(bytes);
                }
                // The stored copy is gone or damaged; a generator can always make it again.
                let made = study.source(source).and_then(|source| match &source.kind {
                    SourceKind::Simulate { generator } => {
                        generate(generator, study.seed).ok()
                    }
                    _ => None,
                });
                made.into_iter()
                    .flatten()
                    .find(|(made, _)| made == name)
                    .map(|(_, bytes)| bytes)
                    .ok_or_else(|| FilesError::missing(Path::new(name)))
            }
        }
    }

    /// The bytes of a file of a table, if they can still be had.
    pub(super) fn given(&self, file: &GivenFile) -> Option<Vec<u8>> {
        match &file.location {
            Location::Disk(path) => self.files.read_as(path, &file.digest).ok(),
            Location::Stored | Location::Generated { .. } => {
                self.store.blob(&file.digest)
            }
        }
    }

    /// A value from the store, or made and stored; with what is to be told of it.
    pub(super) fn stored<T: Serialize + DeserializeOwned>(
        &self,
        node: String,
        preimage: String,
        make: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(T, Performed), Failure> {
        let key = node_key(&preimage);
        let known = self.store.action(&key).and_then(|action| {
            let output = action.outputs.first()?;
            let value = postcard::from_bytes(&self.store.value(output)?).ok()?;
            Some((value, output.digest))
        });
        let (given, computed) = (Vec::new(), known.is_none());
        let (value, digest) = match known {
            Some(known) => known,
            None => {
                let started = Instant::now();
                let value = make()?;
                let bytes = postcard::to_stdvec(&value)
                    .expect("plain data always has an encoding");
                let digest = Digest::of(&bytes);
                let outputs = vec![(String::new(), bytes)];
                publish(self.store, &key, &preimage, started, outputs, Keep::Stored);
                (value, digest)
            }
        };
        let outputs = vec![(String::new(), digest)];
        Ok((value, Performed { node, key, preimage, outputs, given, computed }))
    }

    fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The command that brings a file into this store under its digest.
    fn add_line(&self, shown: &str) -> String {
        let name = shown.split(['?', '#']).next().unwrap_or(shown);
        let name = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or("FILE");
        let root = self.store.root();
        // Where the command looks when it is not told.
        match root.strip_prefix(".").unwrap_or(root) == Path::new(".restudy") {
            true => format!("restudy store add {name}"),
            false => format!("restudy store add --store {} {name}", root.display()),
        }
    }
}

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    // Generators first: other sources are files of theirs.
    for source in &study.sources {
        if let SourceKind::Simulate { generator } = &source.kind {
            match simulate(study, reading, source, generator, survey) {
                Ok(files) => {
                    let surveyed = SurveyedSource { content: Content::Generated, files };
                    survey.sources.insert(source.name.clone(), surveyed);
                }
                Err(failure) => faults.push(Diagnostic::error(
                    Code::OUT_OF_RANGE,
                    Place::Study(generator.span),
                    format!("cannot simulate `{}`: {failure}", source.name),
                )),
            }
        }
    }
    // Tables take longest, and none needs another.
    let told = study.sources.par_iter().filter_map(|source| {
        let mut told = Told::default();
        let surveyed = match &source.kind {
            SourceKind::Simulate { .. } => return None,
            SourceKind::Table { reader, keyed, .. }
            | SourceKind::Maf { reader, keyed, .. } => {
                table(study, reading, source, (reader, keyed), survey, &mut told)
            }
            SourceKind::Images { from, .. } => images(reading, from, survey),
        };
        Some((source, surveyed, told))
    });
    let told: Vec<_> = told.collect();
    for (source, surveyed, told) in told {
        survey.performed.extend(told.performed);
        faults.extend(told.faults);
        match surveyed {
            Ok(surveyed) => {
                survey.sources.insert(source.name.clone(), surveyed);
            }
            Err(Some(fault)) => faults.push(*fault),
            // Follows from a fault that is named already.
            Err(None) => {}
        }
    }
    assayed(study, survey, faults);
}

/// What is to be told of one source beside what it holds.
#[derive(Default)]
struct Told {
    performed: Option<Performed>,
    faults: Vec<Diagnostic>,
}

fn simulate(
    study: &Study,
    reading: &Reading<'_>,
    source: &Source,
    generator: &Use,
    survey: &mut Survey,
) -> Result<Vec<GivenFile>, Failure> {
    let preimage = simulation(study, generator);
    let key = node_key(&preimage);
    let (outputs, computed) = match reading.store.action(&key) {
        Some(action) => (outputs(action), false),
        None => {
            let started = Instant::now();
            let files = generate(generator, study.seed)?;
            let outputs: Vec<(String, Digest)> = files
                .iter()
                .map(|(name, bytes)| (name.clone(), Digest::of(bytes)))
                .collect();
            publish(reading.store, &key, &preimage, started, files, Keep::Stored);
            (outputs, true)
        }
    };
    let node = format!("simulate/{}", source.name);
    let files = generated(source, &outputs);
    let given = Vec::new();
    survey.performed.push(Performed { node, key, preimage, outputs, given, computed });
    Ok(files)
}

/// What names the work of a generator.
fn simulation(study: &Study, generator: &Use) -> String {
    let seed = generator.random.then_some(study.seed);
    canonical_json(&json!({
        "work": "simulate", "identity": generator.identity(), "seed": seed,
    }))
}

/// What a record gave, by port.
fn outputs(action: Action) -> Vec<(String, Digest)> {
    action.outputs.into_iter().map(|output| (output.port, output.digest)).collect()
}

/// The files that a generator made.
fn generated(source: &Source, outputs: &[(String, Digest)]) -> Vec<GivenFile> {
    let files = outputs.iter().map(|(name, digest)| GivenFile {
        shown: format!("{}:{name}", source.name),
        location: Location::Generated { source: source.name.clone(), name: name.clone() },
        digest: *digest,
    });
    files.collect()
}

/// The bytes that a generator makes.
fn generate(generator: &Use, seed: u64) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    match &generator.instance {
        Instance::Generator(instance) => instance.generate(seed),
        _ => unreachable!("`spec` puts a generator here"),
    }
}

/// The key of a node whose preimage this is.
pub fn node_key(preimage: &str) -> Digest {
    Digest::derive("restudy node v2", preimage.as_bytes())
}

/// A store that cannot be written to is no reason to stop looking at data.
fn publish(
    store: &Store,
    key: &Digest,
    preimage: &str,
    started: Instant,
    outputs: Vec<(String, Vec<u8>)>,
    keep: Keep,
) {
    let outputs = outputs
        .into_iter()
        .map(|(port, bytes)| NewOutput { port, bytes, keep })
        .collect();
    let seconds = started.elapsed().as_secs_f64();
    let action = NewAction { preimage: preimage.to_string(), seconds, outputs };
    drop(store.publish(key, action));
}

/// The files of every source as a survey finds them now, by source; none of them is read. None where
/// one is missing, or would have to be simulated or fetched first.
pub fn located(
    study: &Study,
    reading: &Reading<'_>,
) -> Option<BTreeMap<String, Vec<GivenFile>>> {
    let mut made = Survey::default();
    for source in &study.sources {
        if let SourceKind::Simulate { generator } = &source.kind {
            let key = node_key(&simulation(study, generator));
            let outputs = outputs(reading.store.action(&key)?);
            let files = generated(source, &outputs);
            let surveyed = SurveyedSource { content: Content::Generated, files };
            made.sources.insert(source.name.clone(), surveyed);
        }
    }
    let found = study.sources.iter().map(|source| {
        let files = match &source.kind {
            SourceKind::Simulate { .. } => made.sources[&source.name].files.clone(),
            SourceKind::Images { from, .. } => images(reading, from, &made).ok()?.files,
            SourceKind::Table { .. } | SourceKind::Maf { .. } => {
                let fetched = |from: &Origin| {
                    matches!(from, Origin::Url { .. }) && stored(reading, from).is_none()
                };
                if source.files().iter().any(fetched) {
                    return None;
                }
                of_table(reading, &made, source).collect::<Result<_, _>>().ok()?
            }
        };
        Some((source.name.clone(), files))
    });
    found.collect()
}

/// The files of a table, in the order in which they are written.
fn of_table<'a>(
    reading: &'a Reading<'_>,
    survey: &'a Survey,
    source: &'a Source,
) -> impl Iterator<Item = Located> + 'a {
    let part = if source.is_maf() { "mutations.maf" } else { "table.csv" };
    source.files().iter().map(move |from| locate(reading, survey, from, part))
}

type Located = Result<GivenFile, Option<Box<Diagnostic>>>;

fn locate(reading: &Reading<'_>, survey: &Survey, from: &Origin, part: &str) -> Located {
    match from {
        Origin::File { path, span, digest } => match on_disk(reading, path, *span) {
            Ok(file) => Ok(file),
            Err(fault) => stored(reading, from).ok_or_else(|| {
                fault.map(|mut fault| {
                    if let Some(digest) = digest {
                        let add = reading.add_line(&from.shown());
                        fault.hints.push(format!(
                            "or say `{add}`, with a file whose content is {digest}"
                        ));
                    }
                    fault
                })
            }),
        },
        Origin::Url { url, digest, span } => {
            if let Some(file) = stored(reading, from) {
                return Ok(file);
            }
            fetched(reading, url, digest, *span)
        }
        Origin::Simulated { source } => of_generator(survey, source)?
            .iter()
            .find(|file| matches!(&file.location, Location::Generated { name, .. } if name == part))
            .cloned()
            .ok_or_else(|| {
                Some(Box::new(Diagnostic::error(
                    Code::FILE,
                    Place::Study(source.span),
                    format!("`{}` makes no `{part}`", source.name),
                )))
            }),
    }
}

/// The file in the store whose content has the declared digest.
fn stored(reading: &Reading<'_>, from: &Origin) -> Option<GivenFile> {
    let digest = reading.store.added(from.declared()?)?;
    Some(GivenFile { shown: from.shown(), location: Location::Stored, digest })
}

/// A file from the network, kept in the store when it is what was declared.
fn fetched(reading: &Reading<'_>, url: &str, declared: &Digest, span: Span) -> Located {
    let wrong = |message: String| {
        Some(Box::new(Diagnostic::error(Code::FILE, Place::Study(span), message).hint(
            format!(
                "get the file by other means and say `{}`; its content is {declared}",
                reading.add_line(url)
            ),
        )))
    };
    let bytes = reading.files.fetch(url).map_err(|error| wrong(error.to_string()))?;
    let content = match crate::data::decompressed(&bytes) {
        Some(plain) => Digest::of(&plain),
        None => Digest::of(&bytes),
    };
    if content != *declared {
        let message = format!("{url} gives another content than was declared: {content}");
        return Err(wrong(message));
    }
    let kept = reading.store.add(&bytes, &content);
    let digest = kept.map_err(|error| wrong(error.to_string()))?;
    Ok(GivenFile { shown: url.to_string(), location: Location::Stored, digest })
}

fn of_generator<'s>(
    survey: &'s Survey,
    source: &Named,
) -> Result<&'s [GivenFile], Option<Box<Diagnostic>>> {
    survey.sources.get(&source.name).map(|surveyed| surveyed.files.as_slice()).ok_or(None)
}

fn on_disk(reading: &Reading<'_>, path: &Path, span: Span) -> Located {
    let location = reading.path(path);
    match reading.files.digest(&location) {
        Ok(digest) => Ok(GivenFile {
            shown: path.display().to_string(),
            location: Location::Disk(location),
            digest,
        }),
        Err(error) => Err(Some(Box::new(
            Diagnostic::error(Code::FILE, Place::Study(span), error.to_string())
                .hint("paths are relative to the study file"),
        ))),
    }
}

fn table(
    study: &Study,
    reading: &Reading<'_>,
    source: &Source,
    (reader, keyed): (&Use, &Keyed),
    survey: &Survey,
    told: &mut Told,
) -> Result<SurveyedSource, Option<Box<Diagnostic>>> {
    let mut files = Vec::new();
    let mut missing = Ok(());
    for located in of_table(reading, survey, source) {
        match located {
            Ok(file) => files.push(file),
            Err(None) => missing = Err(None),
            Err(Some(fault)) => {
                told.faults.push(*fault);
                missing = Err(None);
            }
        }
    }
    missing?;
    // Names of files are for people; only their bytes are content.
    let bytes: Vec<Digest> = files.iter().map(|file| file.digest).collect();
    let preimage = canonical_json(&json!({
        "work": "read", "identity": reader.identity(), "as": keyed.identity(),
        "mutations": source.is_maf(), "bytes": bytes, "facts": 2,
    }));
    let key = node_key(&preimage);
    let stored = reading.store.action(&key).and_then(|action| {
        let part = |port: &str| action.outputs.iter().find(|output| output.port == port);
        let facts = reading.store.value(part(FACTS)?)?;
        let facts: Facts = postcard::from_bytes(&facts).ok()?;
        let bytes = reading.store.value(part(TABLE)?)?;
        let table = HeldTable::new(bytes, facts.head.clone())?;
        Some((table, part(TABLE)?.digest, facts))
    });
    let computed = stored.is_none();
    let (table, digest, facts) = match stored {
        Some(found) => found,
        None => {
            let started = Instant::now();
            let (table, facts) =
                read_files(study, reading, source, (reader, keyed), &files)?;
            let value = Value::Table(table);
            let table_bytes = value.to_bytes();
            let Value::Table(table) = value else { unreachable!("it was just made") };
            let digest = Digest::of(&table_bytes);
            let facts_bytes =
                postcard::to_stdvec(&facts).expect("plain data always has an encoding");
            let held = HeldTable::of(table, facts.head.clone());
            let outputs = [(TABLE, table_bytes), (FACTS, facts_bytes)];
            let outputs = outputs
                .into_iter()
                .map(|(port, bytes)| (port.to_string(), bytes))
                .collect();
            publish(reading.store, &key, &preimage, started, outputs, Keep::Stored);
            (held, digest, facts)
        }
    };
    for (from, content) in source.files().iter().zip(&facts.contents) {
        if let Some(declared) = from.declared()
            && declared != content
        {
            return Err(Some(Box::new(
                Diagnostic::error(
                    Code::FILE,
                    Place::Study(from.span()),
                    format!("the content of {} is not what was declared", from.shown()),
                )
                .hint(format!("declared {declared}"))
                .hint(format!("found    {content}")),
            )));
        }
    }
    if facts.notes.collapsed > 0 {
        told.faults.push(Diagnostic::warning(
            Code::COLLAPSED,
            Place::Study(source.span),
            match facts.notes.collapsed {
                1 => format!(
                    "1 row of `{}` repeats another in every cell and is taken once",
                    source.name
                ),
                n => format!(
                    "{n} rows of `{}` repeat another in every cell and are taken once",
                    source.name
                ),
            },
        ));
    }
    told.performed = Some(Performed {
        node: format!("read/{}", source.name),
        key,
        preimage,
        outputs: vec![(TABLE.to_string(), digest)],
        given: files.iter().map(|file| (file.shown.clone(), file.digest)).collect(),
        computed,
    });
    let content = Content::Table {
        table: Arc::new(table),
        digest,
        assayed: None,
        notes: Arc::new(facts.notes),
    };
    Ok(SurveyedSource { content, files })
}

/// What is remembered of a table beside its cells.
#[derive(Serialize, Deserialize)]
struct Facts {
    /// Digest of each file's content after decompression.
    contents: Vec<Digest>,
    notes: Notes,
    head: Head,
}

fn read_files(
    study: &Study,
    reading: &Reading<'_>,
    source: &Source,
    (reader, keyed): (&Use, &Keyed),
    files: &[GivenFile],
) -> Result<(Table, Facts), Option<Box<Diagnostic>>> {
    let Instance::Reader(instance) = &reader.instance else {
        unreachable!("`spec` puts a reader here")
    };
    // Whoever is to leave out rows without an id has to be given them.
    let id = match keyed.leaves_out_nameless {
        true => Vec::new(),
        false => keyed.id_columns(),
    };
    let from = source.files();
    let one = |(file, from): (&GivenFile, &Origin)| {
        let bytes = reading.bytes(study, file).map_err(|error| {
            let place = Place::Study(from.span());
            Some(Box::new(Diagnostic::error(Code::FILE, place, error.to_string())))
        })?;
        // What cannot be decompressed is told by the reader.
        let (bytes, content) = match crate::data::decompressed(&bytes) {
            Some(plain) => {
                let content = Digest::of(&plain);
                (plain, content)
            }
            None => (bytes, file.digest),
        };
        let plain = File { name: &file.shown, bytes: &bytes };
        let value = instance
            .read(plain, ReadAs::Table { id: &id })
            .map_err(|failure| Some(Box::new(unreadable(&failure, file, from, keyed))))?;
        let Value::Table(table) = value else { unreachable!("a table was asked for") };
        Ok((table, content))
    };
    // All are read before the first fault counts: which one that is must not depend on threads.
    let read: Vec<_> = files.par_iter().zip(from).map(one).collect();
    let read: Result<Vec<_>, Option<Box<Diagnostic>>> = read.into_iter().collect();
    let (tables, contents) = read?.into_iter().unzip();
    let shown: Vec<String> = files.iter().map(|file| file.shown.clone()).collect();
    let (table, notes) = dress(tables, &shown, keyed, source.is_maf()).map_err(Some)?;
    let head = Head::of(&table);
    Ok((table, Facts { contents, notes, head }))
}

/// The line of a text file that has `id` as one of its fields; lines count from 1.
pub(super) fn line_of(bytes: &[u8], id: &str) -> Option<usize> {
    lines_of(bytes, id).first().copied()
}

/// All of them.
pub(super) fn lines_of(bytes: &[u8], id: &str) -> Vec<usize> {
    if bytes.starts_with(b"PAR1") {
        return Vec::new(); // Its rows are no lines.
    }
    let text = crate::data::decompressed(bytes).unwrap_or_else(|| bytes.to_vec());
    let text = String::from_utf8_lossy(&text);
    let is_id = |field: &str| field.trim().trim_matches('"') == id;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| line.split([',', ';', '\t']).any(is_id));
    lines.map(|(at, _)| at + 1).collect()
}

fn unreadable(
    failure: &Failure,
    file: &GivenFile,
    from: &Origin,
    keyed: &Keyed,
) -> Diagnostic {
    let path = PathBuf::from(&file.shown);
    match failure {
        Failure::Line { line, message } => Diagnostic::error(
            Code::TABLE,
            Place::File { path, line: Some(*line) },
            message.clone(),
        ),
        Failure::NoColumn { column, known } => {
            let of_id = keyed.columns.iter().find(|id| id.name == *column);
            let span = of_id.map_or(from.span(), |id| id.span);
            let known = known.iter().map(String::as_str);
            no_column(Place::Study(span), column, &file.shown, known)
        }
        other => {
            let place = Place::File { path, line: None };
            let fault = Diagnostic::error(Code::FILE, place, other.to_string());
            match other.remedy() {
                Some(remedy) => fault.hint(remedy),
                None => fault,
            }
        }
    }
}

/// The diagnostic for a column that a table does not have.
pub(super) fn no_column<'a>(
    place: Place,
    column: &str,
    table: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let shown: Vec<&str> = known.clone().take(12).collect();
    let n = known.clone().count();
    let more = if n > shown.len() {
        format!(" and {} more", n - shown.len())
    } else {
        String::new()
    };
    Diagnostic::error(
        Code::UNKNOWN_COLUMN,
        place,
        format!("`{table}` has no column `{column}`"),
    )
    .suggest(column, known)
    .hint(format!("its columns are: {}{more}", shown.join(", ")))
}

fn images(
    reading: &Reading<'_>,
    from: &ImageOrigin,
    survey: &Survey,
) -> Result<SurveyedSource, Option<Box<Diagnostic>>> {
    let mut files = Vec::new();
    let mut pairs = BTreeMap::new();
    match from {
        ImageOrigin::Simulated { source } => {
            let made = of_generator(survey, source)?;
            let by_name: BTreeMap<&str, &GivenFile> = made
                .iter()
                .filter_map(|file| match &file.location {
                    Location::Generated { name, .. } => Some((name.as_str(), file)),
                    Location::Disk(_) | Location::Stored => None,
                })
                .collect();
            for name in by_name.keys() {
                let Some(id) = id_in("images/{id}/image.nii.gz", name) else { continue };
                let mask = format!("images/{id}/mask.nii.gz");
                if let (Some(image), Some(mask)) =
                    (by_name.get(name), by_name.get(mask.as_str()))
                {
                    pairs.insert(id.to_string(), (files.len(), files.len() + 1));
                    files.extend([(*image).clone(), (*mask).clone()]);
                }
            }
        }
        ImageOrigin::Files { root, path, mask, span } => {
            let folder = reading.path(root);
            let wrong = |error: FilesError| {
                let message =
                    format!("under {}: {}", root.display(), error.without_path());
                Some(Box::new(Diagnostic::error(
                    Code::FILE,
                    Place::Study(*span),
                    message,
                )))
            };
            let listed = reading.files.list(&folder).map_err(wrong)?;
            let names: Vec<String> = listed
                .iter()
                .map(|path| path.to_string_lossy().replace('\\', "/"))
                .collect();
            let known: BTreeSet<&String> = names.iter().collect();
            let mut found: Vec<(String, String, String)> = Vec::new();
            for name in &names {
                let Some(id) = id_in(path, name) else { continue };
                let mask = mask.replace("{id}", id);
                if known.contains(&mask) {
                    found.push((id.to_string(), name.clone(), mask));
                }
            }
            if found.is_empty() {
                return Err(Some(Box::new(
                    Diagnostic::error(
                        Code::NO_IMAGES,
                        Place::Study(*span),
                        format!("no image with its mask under {}", root.display()),
                    )
                    .hint(format!(
                        "looked for `{path}` with `{mask}` among {} files",
                        names.len()
                    )),
                )));
            }
            let given = |name: &String| -> Result<GivenFile, FilesError> {
                let location = folder.join(name);
                let digest = reading.files.digest(&location)?;
                let shown = root.join(name).display().to_string();
                Ok(GivenFile { shown, location: Location::Disk(location), digest })
            };
            let hashed: Vec<_> = found
                .par_iter()
                .map(|(id, image, mask)| Ok((id.clone(), given(image)?, given(mask)?)))
                .collect();
            for triple in hashed {
                let (id, image, mask) = triple.map_err(wrong)?;
                pairs.insert(id, (files.len(), files.len() + 1));
                files.extend([image, mask]);
            }
        }
    }
    Ok(SurveyedSource { content: Content::Images(pairs), files })
}

/// The id in `name`, if it is `pattern` with something in place of `{id}`.
fn id_in<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let (before, after) = pattern.split_once("{id}")?;
    // A pattern may hold the id more than once: `{id}/{id}_t1.nii.gz`.
    let id = match after.split_once("{id}") {
        None => name.strip_prefix(before)?.strip_suffix(after)?,
        Some((between, _)) => name.strip_prefix(before)?.split(between).next()?,
    };
    let whole = pattern.replace("{id}", id) == name;
    (whole && !id.is_empty() && !id.contains('/')).then_some(id)
}

/// Who was assayed, once every source has been read.
fn assayed(study: &Study, survey: &mut Survey, faults: &mut Vec<Diagnostic>) {
    for source in &study.sources {
        let SourceKind::Maf { assayed: Some(of), .. } = &source.kind else { continue };
        let Some(ids) = distinct_ids_of(survey, &of.name) else {
            if study.source(&of.name).is_none() {
                faults.push(Diagnostic::error(
                    Code::UNKNOWN_NAME,
                    Place::Study(of.span),
                    format!("there is no source `{}`", of.name),
                ));
            }
            continue;
        };
        if let Some(SurveyedSource { content: Content::Table { assayed, .. }, .. }) =
            survey.sources.get_mut(&source.name)
        {
            *assayed = Some(Arc::new(ids));
        }
    }
}

/// The ids of a source, one per row or imaged subject.
pub(super) fn ids_of(survey: &Survey, source: &str) -> Option<Vec<String>> {
    match &survey.sources.get(source)?.content {
        Content::Table { table, .. } => {
            Some(table.ids().cells().map(str::to_string).collect())
        }
        Content::Images(pairs) => Some(pairs.keys().cloned().collect()),
        Content::Generated => None,
    }
}

/// The same, each once, ascending.
fn distinct_ids_of(survey: &Survey, source: &str) -> Option<Vec<String>> {
    match &survey.sources.get(source)?.content {
        Content::Table { table, .. } => {
            let mut ids: Vec<&str> = table.ids().cells().collect();
            ids.dedup(); // Rows stand by their ids.
            Some(ids.into_iter().map(str::to_string).collect())
        }
        Content::Images(_) | Content::Generated => ids_of(survey, source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{FrameColumn, Rows};

    #[test]
    fn ids_are_found_in_paths() {
        let cases = [
            ("{id}.nii.gz", "A1.nii.gz", Some("A1")),
            ("{id}/image.nii", "A1/image.nii", Some("A1")),
            ("{id}/{id}_t1.nii", "A1/A1_t1.nii", Some("A1")),
            ("{id}/{id}_t1.nii", "A1/B2_t1.nii", None),
            ("{id}.nii", "sub/A1.nii", None),
            ("{id}.nii", ".nii", None),
        ];
        for (pattern, name, id) in cases {
            assert_eq!(id_in(pattern, name), id, "{pattern} in {name}");
        }
    }

    #[test]
    fn predictors_are_read_once_in_turn() {
        let frame = |value: f64| {
            let column = FrameColumn { name: "c".into(), values: vec![value] };
            Frame { rows: Rows::new(vec![column], 1), failed: vec![None] }
        };
        let [one, two] = ["one", "two"].map(|name| Digest::of(name.as_bytes()));
        let last = LastFrame::default();
        let unread = || -> Result<Frame, Failure> { unreachable!("it was just read") };
        assert_eq!(last.get(&one, || Ok(frame(1.0))), Ok(frame(1.0)));
        assert_eq!(last.get(&one, unread), Ok(frame(1.0)));
        let failure = Failure::NotFinite("it".to_string());
        assert_eq!(last.get(&two, || Err(failure.clone())), Err(failure));
        assert_eq!(last.get(&two, || Ok(frame(2.0))), Ok(frame(2.0)));
        assert_eq!(last.get(&one, || Ok(frame(3.0))), Ok(frame(3.0)));
        last.forget();
        assert_eq!(last.get(&one, || Ok(frame(4.0))), Ok(frame(4.0)));
    }
}
