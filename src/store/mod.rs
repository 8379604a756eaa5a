//! Where do results rest? Content-named blobs, self-checking records, nothing that can be torn.
//!
//! A record is written after everything that it names, so a crash leaves garbage, never a promise.
//! Every read is verified: what is damaged is a miss and goes to quarantine. The store knows bytes
//! and digests; what they mean is no business of its.

mod actions;
mod blobs;
mod disk;
mod error;
#[cfg(feature = "fetch")]
mod fetch;
mod files;
mod journals;
mod locks;
mod pieces;
mod stats;
mod upkeep;
mod witness;

pub use actions::{Action, Keep, NewAction, NewOutput, Output};
pub use error::StoreError;
pub use files::{Files, FilesError, MemoryFiles};
pub use locks::Guard;
pub use pieces::{Piece, Pieces};
pub use stats::Disk;
pub use upkeep::{Collected, Size, Sizes, Verified};
pub use witness::{Answers, Witness, as_before};

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::digest::{Digest, Naming};

/// The version of the layout on disk.
const FORMAT: u32 = 1;

/// Whether a store may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    ReadWrite,
    /// Never creates or writes anything; an absent folder is an empty store.
    ReadOnly,
}

/// A folder of results.
pub struct Store {
    root: PathBuf,
    mode: Mode,
    /// Damage that was found, in words.
    healed: Mutex<Vec<String>>,
    /// Shared with other runs, held against collection; dies with the process.
    _in_use: Option<std::fs::File>,
    /// Under which name unfinished files of this handle are known.
    owner: String,
    next: std::sync::atomic::AtomicU64,
    /// What was added to a store that may not be written to.
    added: Mutex<std::collections::BTreeMap<Digest, Vec<u8>>>,
}

impl Store {
    /// Opens the store at `root`, making it when it may.
    pub fn open(root: &Path, mode: Mode) -> Result<Self, StoreError> {
        let mut store = Self {
            root: root.to_path_buf(),
            mode,
            healed: Mutex::new(Vec::new()),
            _in_use: None,
            owner: disk::owner(),
            next: std::sync::atomic::AtomicU64::new(0),
            added: Mutex::default(),
        };
        let format = root.join("format");
        match std::fs::read_to_string(&format) {
            Ok(text) => match text.trim().parse::<u32>() {
                Ok(version) if version <= FORMAT => {}
                _ => {
                    let found = text.trim().to_string();
                    return Err(StoreError::Format { path: format, found });
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(StoreError::io(&format, cause)),
        }
        if mode == Mode::ReadWrite {
            for folder in [
                "actions",
                "blobs",
                "tmp",
                "locks",
                "roots",
                "quarantine",
                "runs",
                "index",
            ] {
                disk::make_folder(&root.join(folder))?;
            }
            if !format.exists() {
                store.write_whole(&format, format!("{FORMAT}\n").as_bytes())?;
                // The store is never meant for git.
                store.write_whole(&root.join(".gitignore"), b"*\n")?;
            }
            disk::sweep(root);
            // Says whose unfinished files those are, should this process not come to remove them.
            let marker = store.marker();
            std::fs::write(&marker, b"")
                .map_err(|cause| StoreError::io(&marker, cause))?;
            store._in_use = Some(locks::share(&root.join("locks").join("gc"))?);
        }
        Ok(store)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was found damaged and put aside since the store was opened, in words.
    pub fn healed(&self) -> Vec<String> {
        disk::lock(&self.healed).clone()
    }

    /// The bytes of an output; `None` when they are not kept, gone or damaged.
    pub fn value(&self, output: &Output) -> Option<Vec<u8>> {
        match &output.inline {
            Some(bytes) => Some(bytes.clone()),
            None if output.kept => self.blob(&output.digest),
            None => None,
        }
    }

    /// What the deep index holds under a plan's key.
    pub fn index_get(&self, plan: &Digest) -> Option<Vec<u8>> {
        let mut bytes = std::fs::read(self.root.join("index").join(plan.hex())).ok()?;
        let (content, sum) = bytes.split_last_chunk::<32>()?;
        let n = (Digest::of(content).as_bytes() == sum).then_some(content.len())?;
        bytes.truncate(n);
        Some(bytes)
    }

    /// Remembers `bytes` under a plan's key. The index may be deleted at any time.
    pub fn index_put(&self, plan: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.index_write(Some(plan), |file| file.write_all(bytes)).map(|_| ())
    }

    /// Remembers what is written, under a plan's key or else under the digest of its bytes; gives that
    /// digest. Megabytes need not lie in memory to be kept.
    pub fn index_write(
        &self,
        plan: Option<&Digest>,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Digest, StoreError> {
        let folder = self.root.join("index");
        let mut sum = Digest::of(b"");
        let staged = match self.mode {
            // Its digest is asked for all the same.
            Mode::ReadOnly => {
                let mut summed = Summed::new(std::io::sink());
                write(&mut summed).map_err(|cause| StoreError::io(&folder, cause))?;
                return Ok(summed.digest());
            }
            Mode::ReadWrite => self.staged(&folder, |file| {
                let mut summed = Summed::new(std::io::BufWriter::new(file));
                write(&mut summed)?;
                sum = summed.digest();
                summed.inner.write_all(sum.as_bytes())?;
                summed.inner.flush()
            })?,
        };
        disk::publish(&staged, &folder.join(plan.unwrap_or(&sum).hex()))?;
        Ok(sum)
    }

    /// Makes everything published so far survive a power cut. A kill needs no such thing.
    pub fn sync(&self) {
        #[cfg(target_os = "linux")]
        if self.mode == Mode::ReadWrite
            && let Ok(folder) = std::fs::File::open(&self.root)
        {
            // Where it fails, the check on reading still turns a torn file into a miss.
            let _unsynced = rustix::fs::syncfs(&folder);
        }
    }

    fn marker(&self) -> PathBuf {
        self.root.join("tmp").join(&self.owner)
    }

    /// Writes a file beside its place and renames it, so that nobody ever reads half of it.
    fn write_whole(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let staged = self.stage(path, &[bytes])?;
        disk::publish(&staged, path)
    }

    /// Bytes in a file beside `path`, not yet under its name. In one folder, because a renaming
    /// between two folders waits for every other one on the disk.
    fn stage(&self, path: &Path, parts: &[&[u8]]) -> Result<PathBuf, StoreError> {
        let folder = path.parent().unwrap_or(&self.root);
        self.staged(folder, |file| parts.iter().try_for_each(|part| file.write_all(part)))
    }

    fn staged(
        &self,
        folder: &Path,
        write: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
    ) -> Result<PathBuf, StoreError> {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let staged = folder.join(format!(".{}-{number}", self.owner));
        let created = match std::fs::File::create(&staged) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                disk::make_folder(folder)?;
                std::fs::File::create(&staged)
            }
            other => other,
        };
        created.and_then(|mut file| write(&mut file)).map_err(|cause| {
            drop(std::fs::remove_file(&staged));
            StoreError::io(&staged, cause)
        })?;
        Ok(staged)
    }

    /// Puts a damaged file where nobody reads it, and remembers to say so.
    fn quarantine(&self, path: &Path, what: &str) {
        if self.mode == Mode::ReadWrite {
            let name = path.file_name().unwrap_or_default();
            let aside = self.root.join("quarantine").join(name);
            if std::fs::rename(path, &aside).is_err() {
                drop(std::fs::remove_file(path));
            }
        }
        disk::lock(&self.healed).push(what.to_string());
    }
}

/// What is written through it has a digest.
struct Summed<W> {
    inner: W,
    naming: Naming,
}

impl<W: Write> Summed<W> {
    fn new(inner: W) -> Self {
        Self { inner, naming: Naming::plain() }
    }

    /// That of [`Digest::of`].
    fn digest(&self) -> Digest {
        self.naming.digest()
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.naming.add(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.mode == Mode::ReadWrite {
            drop(std::fs::remove_file(self.marker()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_store_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("absent");
        let store = Store::open(&root, Mode::ReadOnly).unwrap();
        assert!(store.blob(&Digest::of(b"x")).is_none());
        assert!(store.action(&Digest::of(b"x")).is_none());
        assert_eq!(store.journals("study").count(), 0);
        drop(store);
        assert!(!root.exists());
    }

    #[test]
    fn a_newer_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("format"), "2\n").unwrap();
        let error = Store::open(folder.path(), Mode::ReadWrite).err().unwrap();
        assert!(matches!(error, StoreError::Format { found, .. } if found == "2"));
    }

    #[test]
    fn a_torn_index_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let plan = Digest::of(b"plan");
        store.index_put(&plan, b"content").unwrap();
        // What is written piece by piece is what is kept, under the name of its bytes where it has no other.
        let pieces = [&[1; 10_000][..], &[2], &[3; 70_000]];
        let named = store.index_write(None, |file| {
            pieces.iter().try_for_each(|of| file.write_all(of))
        });
        assert_eq!(named.unwrap(), Digest::of(&pieces.concat()));
        assert_eq!(
            store.index_get(&Digest::of(&pieces.concat())).unwrap(),
            pieces.concat()
        );
        assert_eq!(store.index_get(&plan).unwrap(), b"content");
        let path = folder.path().join("index").join(plan.hex());
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(store.index_get(&plan), None, "{length} bytes");
        }
    }

    #[test]
    fn unfinished_files_of_a_dead_process_are_swept_and_of_a_live_one_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let place = folder.path().join("actions/ab/abc");
        let staged = store.stage(&place, &[b"in flight"]).unwrap();
        // No process has the greatest number.
        let dead = disk::owner().replace(&std::process::id().to_string(), "4194399");
        std::fs::write(folder.path().join("tmp").join(&dead), b"").unwrap();
        let left = place.with_file_name(format!(".{dead}-3"));
        std::fs::write(&left, b"never finished").unwrap();
        let other = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        assert!(staged.exists() && !left.exists());
        assert!(!folder.path().join("tmp").join(&dead).exists());
        drop(other);
    }
}
