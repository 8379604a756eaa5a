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

/// Renames a staged file to its name, making the folder when it is the first there.
pub fn publish(staged: &Path, path: &Path) -> Result<(), StoreError> {
    let renamed = match std::fs::rename(staged, path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make_folder(path.parent().unwrap_or(path))?;
            std::fs::rename(staged, path)
        }
        other => other,
    };
    renamed.map_err(|cause| {
        drop(std::fs::remove_file(staged));
        StoreError::io(path, cause)
    })
}

/// Host, process and a number within it: whose staging a folder is.
pub fn staging_name() -> String {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    let number = OPENED.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", host(), std::process::id())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().replace(['/', '-'], "_")
}

/// Removes the staging of processes of this host that are gone.
pub fn sweep(staging: &Path) {
    let Ok(folders) = std::fs::read_dir(staging) else { return };
    for folder in folders.flatten() {
        let name = folder.file_name().to_string_lossy().to_string();
        let mut parts = name.rsplitn(3, '-').skip(1);
        let (Some(process), Some(of_host)) = (parts.next(), parts.next()) else {
            continue;
        };
        let Some(process) = process.parse().ok().and_then(rustix::process::Pid::from_raw)
        else {
            continue;
        };
        if of_host == host() && rustix::process::test_kill_process(process).is_err() {
            drop(std::fs::remove_dir_all(folder.path()));
        }
    }
}

/// Every file two levels below `folder`, sorted.
pub fn sharded(folder: &Path) -> Vec<PathBuf> {
    let list = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let mut files: Vec<PathBuf> =
        list(folder).iter().flat_map(|shard| list(shard)).collect();
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
