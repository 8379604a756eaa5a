//! What everybody else sees of the disk: digests, bytes, names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// A file that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("cannot read {}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("cannot fetch {url}: {why}")]
    Network { url: String, why: String },
    #[error("{} was changed while the study ran; run again", path.display())]
    Changed { path: PathBuf },
}

impl FilesError {
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), cause }
    }

    /// What went wrong without saying where: paths of images hold ids of patients.
    pub fn without_path(&self) -> String {
        match self {
            Self::Io { cause, .. } => format!("the file cannot be read: {cause}"),
            Self::Network { why, .. } => format!("the file cannot be fetched: {why}"),
            Self::Changed { .. } => {
                "the file was changed while the study ran".to_string()
            }
        }
    }

    /// No such file.
    pub fn missing(path: &Path) -> Self {
        Self::io(path, std::io::ErrorKind::NotFound.into())
    }
}

/// Files by path: on disk for the program, in memory for tests.
pub trait Files: Sync {
    /// The digest of a file's bytes.
    fn digest(&self, path: &Path) -> Result<Digest, FilesError>;

    fn read(&self, path: &Path) -> Result<Vec<u8>, FilesError>;

    /// The bytes behind a URL. What they are is for the caller to check.
    fn fetch(&self, url: &str) -> Result<Vec<u8>, FilesError> {
        Err(FilesError::Network {
            url: url.to_string(),
            why: "this program was built without `fetch`".into(),
        })
    }

    /// Every file below `folder`, as sorted paths relative to it.
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, FilesError>;

    /// The bytes of a file that were hashed before; fails when they are no longer the same.
    fn read_as(&self, path: &Path, expected: &Digest) -> Result<Vec<u8>, FilesError> {
        let bytes = self.read(path)?;
        match Digest::of(&bytes) == *expected {
            true => Ok(bytes),
            false => Err(FilesError::Changed { path: path.to_path_buf() }),
        }
    }
}

/// Files that exist nowhere else.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<PathBuf, Vec<u8>>);

impl Files for MemoryFiles {
    fn digest(&self, path: &Path) -> Result<Digest, FilesError> {
        self.read(path).map(|bytes| Digest::of(&bytes))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, FilesError> {
        self.0.get(path).cloned().ok_or_else(|| FilesError::missing(path))
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
        let below = self.0.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(below.map(Path::to_path_buf).collect())
    }
}
