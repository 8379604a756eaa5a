//! The disk, with a memory: a file that has not changed is not hashed again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{Files, FilesError, Mode, Store, StoreError, disk};
use crate::digest::Digest;

/// What tells a file from another of the same name, as the file system knows it.
///
/// The time of the last change of its entry is the one that a program cannot set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file changed this recently may change again without a trace in its times.
const RACY: Duration = Duration::from_secs(2);

/// The real files. Digests of unchanged ones come from memory.
pub struct Disk {
    known: Mutex<BTreeMap<PathBuf, (Stat, Digest)>>,
    before: usize,
    learned: Mutex<usize>,
    path: PathBuf,
    mode: Mode,
}

impl Disk {
    /// With what the store remembers of files.
    pub fn new(store: &Store) -> Self {
        let path = store.root.join("stats");
        let known: BTreeMap<PathBuf, (Stat, Digest)> = std::fs::read(&path)
            .ok()
            .and_then(|bytes| {
                let (content, sum) = bytes.split_last_chunk::<32>()?;
                (Digest::of(content).as_bytes() == sum).then(|| content.to_vec())
            })
            .and_then(|content| postcard::from_bytes(&content).ok())
            .unwrap_or_default();
        let before = known.len();
        Self {
            known: Mutex::new(known),
            before,
            learned: Mutex::new(0),
            path,
            mode: store.mode,
        }
    }

    /// Remembers what was hashed for the next run.
    pub fn save(&self) -> Result<(), StoreError> {
        if self.mode == Mode::ReadOnly || *disk::lock(&self.learned) == 0 {
            return Ok(());
        }
        let mut known = disk::lock(&self.known);
        if known.len() > self.before {
            // Files that are gone need not be remembered.
            known.retain(|path, _| path.exists());
        }
        let mut bytes =
            postcard::to_stdvec(&*known).expect("plain data always has an encoding");
        bytes.extend(Digest::of(&bytes).as_bytes());
        let wrong = |cause| StoreError::io(&self.path, cause);
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
        std::io::Write::write_all(&mut file, &bytes).map_err(wrong)?;
        file.persist(&self.path).map_err(|error| wrong(error.error))?;
        Ok(())
    }
}

impl Files for Disk {
    fn digest(&self, path: &Path) -> Result<Digest, FilesError> {
        let wrong = |cause| FilesError::io(path, cause);
        let place = std::path::absolute(path).map_err(wrong)?;
        let before = stat(path).map_err(wrong)?;
        if let Some((known, digest)) = disk::lock(&self.known).get(&place)
            && *known == before
        {
            return Ok(*digest);
        }
        let digest = Digest::of(&self.read(path)?);
        let after = stat(path).map_err(wrong)?;
        if before != after {
            return Err(FilesError::Changed { path: path.to_path_buf() });
        }
        if !racy(&after) {
            disk::lock(&self.known).insert(place, (after, digest));
            *disk::lock(&self.learned) += 1;
        }
        Ok(digest)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, FilesError> {
        std::fs::read(path).map_err(|cause| FilesError::io(path, cause))
    }

    #[cfg(feature = "fetch")]
    fn fetch(&self, url: &str) -> Result<Vec<u8>, FilesError> {
        super::fetch::fetch(url)
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_path_buf()];
        // A link may lead back to where it stands: every folder is entered once.
        let mut entered = BTreeSet::new();
        while let Some(here) = open.pop() {
            let wrong = |cause| FilesError::io(&here, cause);
            if !entered.insert(std::fs::canonicalize(&here).map_err(wrong)?) {
                continue;
            }
            for entry in std::fs::read_dir(&here).map_err(wrong)? {
                let path = entry.map_err(wrong)?.path();
                let kind = std::fs::metadata(&path).map_err(wrong)?;
                if kind.is_dir() {
                    open.push(path);
                } else if let Ok(below) = path.strip_prefix(folder) {
                    found.push(below.to_path_buf());
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn racy(stat: &Stat) -> bool {
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let latest = stat.changed.max(stat.modified);
    // A clock that was set back makes a file look like one of the future: not to be trusted.
    now.as_secs() as i64 - latest.0 <= RACY.as_secs() as i64
}

#[cfg(unix)]
fn stat(path: &Path) -> std::io::Result<Stat> {
    use std::os::unix::fs::MetadataExt;
    let file = std::fs::metadata(path)?;
    if file.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok(Stat {
        device: file.dev(),
        inode: file.ino(),
        size: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

#[cfg(not(unix))]
fn stat(path: &Path) -> std::io::Result<Stat> {
    let file = std::fs::metadata(path)?;
    // Without a time that programs cannot set, no file is old enough to be trusted.
    let never = (i64::MAX, 0);
    Ok(Stat { device: 0, inode: 0, size: file.len(), modified: never, changed: never })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(folder: &Path) -> Disk {
        Disk::new(&Store::open(&folder.join("store"), Mode::ReadWrite).unwrap())
    }

    #[test]
    fn a_fresh_file_is_not_trusted_and_a_rewritten_one_is_hashed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let disk = disk(folder.path());
        assert_eq!(disk.digest(&path).unwrap(), Digest::of(b"one"));
        assert!(
            disk.known.lock().unwrap().is_empty(),
            "it may change within the clock's tick"
        );
        // Same size, and the time of modification put back: only the change time tells.
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "two").unwrap();
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        assert_eq!(disk.digest(&path).unwrap(), Digest::of(b"two"));
    }

    #[test]
    fn an_old_file_is_known_by_its_stat_and_survives_saving() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let first = disk(folder.path());
        let place = std::path::absolute(&path).unwrap();
        let stat = stat(&path).unwrap();
        // As if it had been hashed long after it was written; the digest shows where it is from.
        let told = Digest::of(b"remembered");
        first.known.lock().unwrap().insert(place, (stat, told));
        *first.learned.lock().unwrap() = 1;
        first.save().unwrap();
        let second = disk(folder.path());
        assert_eq!(second.digest(&path).unwrap(), told);
        let changed = Stat { inode: stat.inode + 1, ..stat };
        assert_ne!(stat, changed);
        std::fs::write(&path, "other").unwrap();
        assert_eq!(second.digest(&path).unwrap(), Digest::of(b"other"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_back_ends_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(folder.path(), inner.join("back")).unwrap();
        let listed = disk(&folder.path().join("inner")).list(&inner).unwrap();
        assert!(listed.contains(&PathBuf::from("file")));
        assert!(listed.len() < 20, "{listed:?}");
    }

    #[test]
    fn a_file_edited_after_it_was_hashed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let disk = disk(folder.path());
        let digest = disk.digest(&path).unwrap();
        assert_eq!(disk.read_as(&path, &digest).unwrap(), b"one");
        std::fs::write(&path, "two").unwrap();
        assert!(matches!(disk.read_as(&path, &digest), Err(FilesError::Changed { .. })));
    }
}
