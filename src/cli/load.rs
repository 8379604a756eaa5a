//! From a path to everything that is known before a run: study, survey, plan, proof, faults.

use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic, Place, Severity, any_error, render, sort};
use crate::digest::Digest;
use crate::plan::{self, Plan, Proof};
use crate::spec::{self, Study};
use crate::store::{Disk, Mode, Store};
use crate::survey::{self, LastFrame, Reading, Survey};

/// Where a study's things lie.
pub struct Places {
    pub study: PathBuf,
    /// The study's name: its file name without the ending.
    pub name: String,
    pub folder: PathBuf,
    pub store: PathBuf,
}

impl Places {
    pub fn new(study: &Path, store: Option<&Path>) -> Self {
        let folder = match study.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let name =
            study.file_stem().map_or("study".into(), |stem| stem.to_string_lossy());
        Self {
            study: study.to_path_buf(),
            name: name.to_string(),
            store: store.map_or_else(|| folder.join(".restudy"), Path::to_path_buf),
            folder,
        }
    }

    /// The random key under which ids become printable names; made once, kept out of git.
    ///
    /// A command that only looks does not write it, and without it names last for one command.
    fn name_key(&self, mode: Mode) -> Result<NameKey, Box<Diagnostic>> {
        let path = self.folder.join(format!("{}.key", self.name));
        if let Some(bytes) = read_key(&path)? {
            return Ok(NameKey { bytes, written: true });
        }
        let cannot_write = |error: std::io::Error| {
            let message = format!("cannot write {}: {error}", path.display());
            let fault = Diagnostic::error(Code::FILE, Place::Nowhere, message);
            Box::new(
                fault.hint("the key lies beside the study: change who may write there"),
            )
        };
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| cannot_write(std::io::Error::other(error)))?;
        if mode == Mode::ReadWrite {
            write_key(&path, &bytes).map_err(cannot_write)?;
            // Two runs that begin at once name patients alike.
            bytes = read_key(&path)?.unwrap_or(bytes);
            eprintln!(
                "note: patients are named under the random key in {}; keep it out of git",
                path.display()
            );
        }
        Ok(NameKey { bytes, written: mode == Mode::ReadWrite })
    }
}

/// The key in a file; none where there is no file, or nothing in it. Fails on a file that holds anything
/// else: under another key patients had other names, and the file may not be ours.
fn read_key(path: &Path) -> Result<Option<[u8; 32]>, Box<Diagnostic>> {
    let (message, hint) = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => (
            format!("cannot read {}: {error}", path.display()),
            "it names the patients of this study: change who may read it",
        ),
        Ok(bytes) if bytes.trim_ascii().is_empty() => return Ok(None),
        Ok(bytes) => match String::from_utf8_lossy(&bytes).trim().parse::<Digest>() {
            Ok(digest) => return Ok(Some(*digest.as_bytes())),
            Err(_) => (
                format!("{} holds no key to name patients under", path.display()),
                "put back the key that was there; without it, move the file away: a new key gives \
                 patients other names",
            ),
        },
    };
    let fault = Diagnostic::error(Code::FILE, Place::Nowhere, message);
    Err(Box::new(fault.hint(hint)))
}

/// Writes a key where none is. One that another run wrote meanwhile stays.
fn write_key(path: &Path, bytes: &[u8; 32]) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    std::fs::write(&beside, format!("{}\n", Digest::from_bytes(*bytes).hex()))?;
    // A link is made whole, and never in the place of a file.
    let written = match std::fs::hard_link(&beside, path) {
        Err(_) if !matches!(read_key(path), Ok(Some(_))) => {
            std::fs::rename(&beside, path)
        }
        _ => Ok(()),
    };
    drop(std::fs::remove_file(&beside));
    written
}

/// The key under which the ids of patients become names.
pub struct NameKey {
    pub bytes: [u8; 32],
    /// Whether it lies beside the study, so that the next command has it too.
    pub written: bool,
}

/// A study as it is written: nobody has looked at its data.
pub struct Parsed {
    pub text: String,
    /// None where it cannot be made out.
    pub study: Option<Study>,
    pub faults: Vec<Diagnostic>,
}

/// A study and all that is known of it.
pub struct Loaded {
    pub text: String,
    pub study: Option<Study>,
    pub survey: Survey,
    /// Only when nothing is wrong.
    pub plan: Option<(Plan, Proof)>,
    pub faults: Vec<Diagnostic>,
    /// Those among them that are told by the data.
    pub of_data: Vec<Diagnostic>,
}

/// The store and the files of a study, opened.
pub struct Opened {
    pub store: Store,
    pub files: Disk,
    pub name_key: NameKey,
    /// Whether messages may name ids.
    pub show_ids: bool,
}

impl Opened {
    pub fn reading<'a>(&'a self, places: &'a Places) -> Reading<'a> {
        Reading {
            folder: &places.folder,
            files: &self.files,
            store: &self.store,
            name_key: self.name_key.bytes,
            show_ids: self.show_ids,
            last: LastFrame::default(),
        }
    }
}

/// Opens the store of a study.
pub fn open(places: &Places, mode: Mode) -> Result<Opened, Box<Diagnostic>> {
    let wrong = |message: String| {
        let fault = Diagnostic::error(Code::FILE, Place::Nowhere, message);
        Box::new(fault.hint("choose another place with `--store DIR`"))
    };
    let store =
        Store::open(&places.store, mode).map_err(|error| wrong(error.to_string()))?;
    let files = Disk::new(&store);
    let name_key = places.name_key(mode)?;
    Ok(Opened { store, files, name_key, show_ids: false })
}

/// Opens the store of a study for a command that only looks: where there is a store, tables that are
/// read stay in it; where there is none, none is made.
pub fn open_to_look(places: &Places) -> Result<Opened, Box<Diagnostic>> {
    // What cannot be written to can still be looked at.
    if places.store.join("format").exists()
        && let Ok(store) = Store::open(&places.store, Mode::ReadWrite)
        && let Ok(name_key) = places.name_key(Mode::ReadOnly)
    {
        let files = Disk::new(&store);
        return Ok(Opened { store, files, name_key, show_ids: false });
    }
    open(places, Mode::ReadOnly)
}

/// A file is fetched once: what came into a store that is only looked at is kept all the same.
fn keep_fetched(places: &Places, looked_at: &Store) {
    let fetched = looked_at.in_memory();
    if fetched.is_empty() {
        return;
    }
    // Where it cannot be kept it is fetched again.
    let Ok(store) = Store::open(&places.store, Mode::ReadWrite) else { return };
    for bytes in fetched {
        let content = match crate::data::decompressed(&bytes) {
            Some(plain) => Digest::of(&plain),
            None => Digest::of(&bytes),
        };
        drop(store.add(&bytes, &content));
    }
}

/// The same; what is wrong is said.
pub fn open_or_say(places: &Places, mode: Mode) -> Option<Opened> {
    match open(places, mode) {
        Ok(opened) => Some(opened),
        Err(fault) => {
            eprintln!("{}", draw(&[*fault], places, "", false));
            None
        }
    }
}

/// Reads a study, looks at its data, plans and proves; computes nothing but what the survey needs.
pub fn load(places: &Places, catalog: &Catalog, reading: &Reading<'_>) -> Loaded {
    let mut loaded = parsed(places, catalog).looked_at(places, reading);
    loaded.plan();
    loaded
}

/// Without data too: what leaks by design is refused before anybody has any.
fn leaks_by_design(study: &Study) -> Vec<Diagnostic> {
    plan::prove(&plan::build(study, &survey::symbolic(study))).leaks
}

/// Reads a study.
pub fn parsed(places: &Places, catalog: &Catalog) -> Parsed {
    let unread = |fault| Parsed { text: String::new(), study: None, faults: vec![fault] };
    let place = || Place::File { path: places.study.clone(), line: None };
    let text = match std::fs::read(&places.study).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            let message = "the study is not UTF-8 text";
            return unread(Diagnostic::error(Code::NOT_YAML, place(), message));
        }
        Err(error) => {
            let message = format!("cannot read the study: {error}");
            return unread(Diagnostic::error(Code::FILE, place(), message));
        }
    };
    let spec::Parsed { study, diagnostics: faults } = spec::read(&text, catalog);
    Parsed { text, study, faults }
}

impl Parsed {
    /// The study, if nothing is wrong so far.
    pub fn sound(&self) -> Option<&Study> {
        self.study.as_ref().filter(|_| !any_error(&self.faults))
    }

    /// Looks at the data of the study.
    pub fn looked_at(self, places: &Places, reading: &Reading<'_>) -> Loaded {
        let Self { text, study, mut faults } = self;
        let (mut survey, mut of_data) = (Survey::default(), Vec::new());
        let study = study.map(|study| {
            (survey, of_data) = survey::read(&study, reading);
            faults.extend(of_data.iter().cloned());
            let n = faults.len();
            let study = survey::controlled(study, &mut survey, reading, &mut faults);
            of_data.extend(faults[n..].iter().cloned());
            keep_fetched(places, reading.store);
            study
        });
        sort(&mut faults);
        Loaded { text, study, survey, plan: None, faults, of_data }
    }
}

impl Loaded {
    /// Plans what was read and proves that nothing leaks; none of it where there is no study.
    pub fn plan(&mut self) {
        let Some(study) = &self.study else { return };
        if any_error(&self.faults) {
            self.faults.extend(leaks_by_design(study));
        } else {
            // On the real groups paths have the real numbers in them.
            let plan = plan::build(study, &self.survey);
            let proof = plan::prove(&plan);
            self.faults.extend(proof.leaks.iter().cloned());
            if !any_error(&self.faults) {
                self.plan = Some((plan, proof));
            }
        }
        sort(&mut self.faults);
    }
}

/// All faults as text, with a last line that counts them.
pub fn draw(faults: &[Diagnostic], places: &Places, text: &str, colour: bool) -> String {
    let path = places.study.display().to_string();
    let mut drawn: Vec<String> =
        faults.iter().map(|fault| render(fault, &path, text, colour)).collect();
    let count =
        |severity| faults.iter().filter(|fault| fault.severity == severity).count();
    let noun =
        |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors + warnings > 0 {
        let counts = [(errors, "error"), (warnings, "warning")];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| noun(n, word))
            .collect();
        drawn.push(format!("{}: {}", places.study.display(), counts.join(", ")));
    }
    drawn.join("\n\n")
}
