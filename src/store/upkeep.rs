//! Looking after a store: how large it is, whether it is sound, what can go.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use serde::Serialize;

use super::{Mode, Store, StoreError, actions, disk, locks};
use crate::digest::Digest;

/// Number and bytes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Size {
    pub files: usize,
    pub bytes: u64,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Sizes {
    pub records: Size,
    pub results: Size,
    pub journals: Size,
    pub index: Size,
    pub quarantine: Size,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    pub checked: usize,
    /// In words, without ids.
    pub damaged: Vec<String>,
}

/// What a collection removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Collected {
    pub records: usize,
    pub results: usize,
    pub bytes: u64,
}

impl Store {
    /// Keeps `bytes` until somebody removes the root that is written for them, and lets them be
    /// found by `content`: the digest of what they are compressed from.
    pub fn add(&self, bytes: &[u8], content: &Digest) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if self.mode == Mode::ReadOnly {
            disk::lock(&self.added).insert(digest, bytes.to_vec());
            return Ok(digest);
        }
        self.put_blob(&digest, bytes)?;
        let roots = self.root.join("roots");
        self.write_whole(&roots.join("added").join(digest.hex()), b"")?;
        if digest != *content {
            let alias = roots.join("contents").join(content.hex());
            self.write_whole(&alias, digest.hex().as_bytes())?;
        }
        Ok(digest)
    }

    /// What was added to a store that may not be written to.
    pub fn in_memory(&self) -> Vec<Vec<u8>> {
        disk::lock(&self.added).values().cloned().collect()
    }

    /// The name of the bytes that were added with this content.
    pub fn added(&self, content: &Digest) -> Option<Digest> {
        if self.has_blob(content) {
            return Some(*content);
        }
        let alias = self.root.join("roots").join("contents").join(content.hex());
        let text = std::fs::read_to_string(alias).ok()?;
        let digest: Digest = text.trim().parse().ok()?;
        self.has_blob(&digest).then_some(digest)
    }

    /// A name for the state of these records and results on disk: their lengths and times. Another one
    /// means that somebody has touched them since.
    pub fn stamp(&self, records: &[Digest], results: &[Digest]) -> Digest {
        // Thousands of files: each is looked up from its folder, not from the root of the disk.
        let folder = |name: &str| std::fs::File::open(self.root.join(name)).ok();
        let (actions, blobs) = (folder("actions"), folder("blobs"));
        let of = |(folder, name): (&Option<std::fs::File>, &Digest)| {
            let found = folder.as_ref().and_then(|folder| state(folder, name));
            let (length, seconds, nanoseconds) = found.unwrap_or((u64::MAX, 0, 0));
            let mut bytes = [0; 24];
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            bytes[8..16].copy_from_slice(&seconds.to_le_bytes());
            bytes[16..].copy_from_slice(&nanoseconds.to_le_bytes());
            bytes
        };
        let records = records.par_iter().map(|key| (&actions, key));
        let results = results.par_iter().map(|digest| (&blobs, digest));
        let all: Vec<[u8; 24]> = records.chain(results).map(of).collect();
        Digest::of(all.as_flattened())
    }

    pub fn size(&self) -> Sizes {
        let size = |folder: &str| {
            let mut size = Size::default();
            for path in disk::below(&self.root.join(folder)) {
                size.files += 1;
                size.bytes += std::fs::metadata(path).map_or(0, |file| file.len());
            }
            size
        };
        Sizes {
            records: size("actions"),
            results: size("blobs"),
            journals: size("runs"),
            index: size("index"),
            quarantine: size("quarantine"),
        }
    }

    /// Reads every record and result, puts aside what is damaged and drops records whose results
    /// are gone: the next run computes those again.
    pub fn verify(&self) -> Verified {
        let mut verified = Verified::default();
        let before = self.healed().len();
        for path in disk::sharded(&self.root.join("blobs")) {
            verified.checked += 1;
            match disk::named(&path) {
                Some(digest) => drop(self.blob(&digest)),
                None => self.quarantine(&path, "a result without a name"),
            }
        }
        for path in disk::sharded(&self.root.join("actions")) {
            verified.checked += 1;
            let Some(key) = disk::named(&path) else {
                self.quarantine(&path, "a record without a name");
                continue;
            };
            let Some(action) = self.action(&key) else { continue };
            let lost = |o: &&super::Output| {
                o.kept && o.inline.is_none() && !self.has_blob(&o.digest)
            };
            if let Some(output) = action.outputs.iter().find(lost) {
                self.forget(&key);
                verified.damaged.push(format!(
                    "record {} names result {}, which is gone",
                    key.short(),
                    output.digest.short()
                ));
            }
        }
        verified.damaged.extend(self.healed().into_iter().skip(before));
        verified
    }

    /// Removes what no journal and no `add` names and what is older than `grace`; records before
    /// results. Refused while a run uses the store.
    pub fn gc(&self, grace: Duration) -> Result<Collected, StoreError> {
        if self.mode == Mode::ReadOnly {
            return Ok(Collected::default());
        }
        if let Some(held) = &self._in_use {
            locks::alone(held)?;
        }
        let mut keys = BTreeSet::new();
        for path in disk::below(&self.root.join("runs")) {
            // A key is any digest that a journal names: the journals' text is the runs' business.
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for part in text.split("blake3:").skip(1) {
                keys.extend(part.get(..64).and_then(|hex| hex.parse::<Digest>().ok()));
            }
        }
        let mut blobs: BTreeSet<Digest> =
            disk::below(&self.root.join("roots").join("added"))
                .iter()
                .filter_map(|path| disk::named(path))
                .collect();
        let mut collected = Collected::default();
        for path in disk::sharded(&self.root.join("actions")) {
            let action =
                std::fs::read(&path).ok().and_then(|bytes| actions::read(&bytes));
            match action {
                Some(action) if keys.contains(&action.key) || young(&path, grace) => {
                    blobs.extend(action.outputs.iter().map(|output| output.digest));
                }
                _ => {
                    collected.records += 1;
                    collected.bytes += remove(&path);
                }
            }
        }
        for path in disk::sharded(&self.root.join("blobs")) {
            let kept = disk::named(&path).is_some_and(|digest| blobs.contains(&digest));
            if !kept && !young(&path, grace) {
                collected.results += 1;
                collected.bytes += remove(&path);
            }
        }
        for path in disk::below(&self.root.join("quarantine"))
            .into_iter()
            .filter(|p| !young(p, grace))
        {
            collected.bytes += remove(&path);
        }
        for path in
            disk::below(&self.root.join("index")).into_iter().filter(|p| !young(p, grace))
        {
            collected.bytes += remove(&path);
        }
        if let Some(held) = &self._in_use {
            // Back to sharing the store with others.
            drop(held.lock_shared());
        }
        Ok(collected)
    }
}

/// Length and time of change of a file: bytes, seconds since 1970, nanoseconds.
fn state(folder: &std::fs::File, name: &Digest) -> Option<(u64, i64, i64)> {
    let path = disk::shard(Path::new(""), name);
    let found = rustix::fs::statat(folder, path, rustix::fs::AtFlags::empty()).ok()?;
    Some((found.st_size as u64, found.st_mtime, found.st_mtime_nsec as i64))
}

fn young(path: &Path, grace: Duration) -> bool {
    let modified = std::fs::metadata(path).and_then(|file| file.modified());
    modified.is_ok_and(|time| {
        SystemTime::now().duration_since(time).is_ok_and(|age| age < grace)
    })
}

/// Removes a file; gives its bytes.
fn remove(path: &Path) -> u64 {
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    match std::fs::remove_file(path) {
        Ok(()) => size,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Keep, NewAction, NewOutput};
    use super::*;

    fn publish(store: &Store, name: &[u8]) -> (Digest, Digest) {
        let key = Digest::of(name);
        let bytes = [name, &[9; 9000]].concat();
        let digest = Digest::of(&bytes);
        let outputs = vec![NewOutput { port: String::new(), bytes, keep: Keep::Stored }];
        let action = NewAction { preimage: String::new(), seconds: 0.0, outputs };
        store.publish(&key, action).unwrap();
        (key, digest)
    }

    #[test]
    fn collection_keeps_what_journals_and_additions_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let (kept, kept_blob) = publish(&store, b"kept");
        let (dropped, dropped_blob) = publish(&store, b"dropped");
        let content = Digest::of(b"what it is compressed from");
        let added = store.add(b"added", &content).unwrap();
        assert_eq!(store.added(&content), Some(added));
        let line = format!("{{\"key\":\"{kept}\"}}\n");
        store.write_journal("study", line.as_bytes()).unwrap();
        assert_eq!(store.gc(Duration::from_secs(3600)).unwrap(), Collected::default());
        let collected = store.gc(Duration::ZERO).unwrap();
        assert_eq!((collected.records, collected.results), (1, 1));
        assert!(store.action(&kept).is_some() && store.has_blob(&kept_blob));
        assert!(store.action(&dropped).is_none() && !store.has_blob(&dropped_blob));
        assert_eq!(store.blob(&added).unwrap(), b"added");
    }

    #[test]
    fn a_store_in_use_is_not_collected() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let other = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        assert!(matches!(store.gc(Duration::ZERO), Err(StoreError::InUse)));
        drop(other);
        assert!(store.gc(Duration::ZERO).is_ok());
    }

    #[test]
    fn verification_finds_rot_and_loss() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        publish(&store, b"sound");
        let (_, lost) = publish(&store, b"lost");
        let (rotten, _) = publish(&store, b"rotten");
        assert_eq!(store.verify().damaged, Vec::<String>::new());
        std::fs::remove_file(disk::shard(&folder.path().join("blobs"), &lost)).unwrap();
        std::fs::write(disk::shard(&folder.path().join("actions"), &rotten), "{}")
            .unwrap();
        let verified = store.verify();
        assert_eq!((verified.checked, verified.damaged.len()), (5, 2), "{verified:?}");
        assert_eq!(store.verify().damaged, Vec::<String>::new());
    }
}
