//! Why the store cannot be used.

use std::path::{Path, PathBuf};

/// A failure of the disk or of the layout; damage to results is none.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the disk is full: cannot write {path}; free some space, or choose another place with --store, and run again: what is done is kept"
    )]
    Full { path: PathBuf, cause: std::io::Error },
    #[error(
        "no permission to write {path}; change it, or choose another place with --store"
    )]
    Denied { path: PathBuf, cause: std::io::Error },
    #[error("cannot use {path}: {cause}")]
    Io { path: PathBuf, cause: std::io::Error },
    #[error(
        "{path} says format `{found}`, which this version does not know; use a newer restudy"
    )]
    Format { path: PathBuf, found: String },
    #[error("the store is in use by another run; wait for it")]
    InUse,
}

impl StoreError {
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        let path = path.to_path_buf();
        match cause.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full { path, cause }
            }
            std::io::ErrorKind::PermissionDenied
            | std::io::ErrorKind::ReadOnlyFilesystem => Self::Denied { path, cause },
            _ => Self::Io { path, cause },
        }
    }
}
