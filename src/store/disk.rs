//! The few things that every part of the store does with the file system.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreError;
use crate::digest::Digest;

/// `ab/abcdef…` under `folder`: two digits keep folders small.
pub fn shard(folder: &Path, name: &Digest) -> PathBuf {
    let hex = name.hex();
    folder.join(&hex[..2]).join(hex)
}

pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(path).map_err(|cause| StoreError::io(path, cause))
}

/// Renames a staged file to its name.
pub fn publish(staged: &Path, path: &Path) -> Result<(), StoreError> {
    std::fs::rename(staged, path).map_err(|cause| {
        drop(std::fs::remove_file(staged));
        StoreError::io(path, cause)
    })
}

/// Host, process and a number within it: whose unfinished files those are.
pub fn owner() -> String {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    let number = OPENED.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", host(), std::process::id())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().replace(['/', '-'], "_")
}

/// Removes unfinished files of processes of this host that are gone.
pub fn sweep(root: &Path) {
    let markers = std::fs::read_dir(root.join("tmp")).into_iter().flatten().flatten();
    let dead: Vec<PathBuf> =
        markers.map(|entry| entry.path()).filter(|m| is_dead(m)).collect();
    if dead.is_empty() {
        return;
    }
    let prefixes: Vec<String> =
        dead.iter().map(|marker| format!(".{}-", name(marker))).collect();
    for path in below(root) {
        if prefixes.iter().any(|prefix| name(&path).starts_with(prefix)) {
            drop(std::fs::remove_file(path));
        }
    }
    dead.iter().for_each(|marker| drop(std::fs::remove_file(marker)));
}

fn is_dead(marker: &Path) -> bool {
    let name = name(marker);
    let mut parts = name.rsplitn(3, '-').skip(1);
    let (Some(process), Some(of_host)) = (parts.next(), parts.next()) else {
        return false;
    };
    let process = process.parse().ok().and_then(rustix::process::Pid::from_raw);
    of_host == host()
        && process
            .is_some_and(|process| rustix::process::test_kill_process(process).is_err())
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_string())
}

/// Every file below a folder, sorted.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// Every finished file two levels below `folder`, sorted.
pub fn sharded(folder: &Path) -> Vec<PathBuf> {
    let list = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let mut files: Vec<PathBuf> =
        list(folder).iter().flat_map(|shard| list(shard)).collect();
    files.retain(|path| !name(path).starts_with('.'));
    files.sort();
    files
}

/// The digest that a file is named by.
pub fn named(path: &Path) -> Option<Digest> {
    path.file_name()?.to_str()?.parse().ok()
}

/// A poisoned lock's holder panicked between two whole states of plain data.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
