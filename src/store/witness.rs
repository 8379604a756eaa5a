//! What a command asked of the disk, so that a later one can ask it again: where every answer is as it
//! was, so is whatever follows from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Files, FilesError};
use crate::digest::Digest;

/// A question about the disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Asked {
    /// What is in this file?
    File(PathBuf),
    /// Which files are below this folder?
    Folder(PathBuf),
}

/// Questions with digests of their answers; that something cannot be read is an answer too.
pub type Answers = BTreeMap<Asked, Digest>;

/// Files of which it is remembered what was asked of them.
pub struct Witness<'a> {
    files: &'a dyn Files,
    answers: Mutex<Answers>,
}

impl<'a> Witness<'a> {
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, answers: Mutex::default() }
    }

    pub fn answers(self) -> Answers {
        self.answers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, asked: Asked, answer: Digest) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        // The first answer counts: a file that changes meanwhile is not as it was.
        answers.entry(asked).or_insert(answer);
    }
}

/// Whether the disk still gives these answers.
pub fn as_before(answers: &Answers, files: &dyn Files) -> bool {
    answers.iter().all(|(asked, answer)| {
        let now = match asked {
            Asked::File(path) => of_file(&files.digest(path)),
            Asked::Folder(path) => of_folder(&files.list(path)),
        };
        now == *answer
    })
}

fn of_file(answer: &Result<Digest, FilesError>) -> Digest {
    match answer {
        Ok(digest) => *digest,
        Err(error) => unread(error),
    }
}

/// That something cannot be read, and why.
fn unread(error: &FilesError) -> Digest {
    Digest::derive("restudy unread file v1", error.to_string().as_bytes())
}

fn of_folder(answer: &Result<Vec<PathBuf>, FilesError>) -> Digest {
    match answer {
        Ok(below) => {
            let names = below.iter().map(|path| path.to_string_lossy().into_owned());
            let names: Vec<String> = names.collect();
            Digest::derive("restudy folder v1", names.join("\0").as_bytes())
        }
        Err(error) => unread(error),
    }
}

impl Files for Witness<'_> {
    fn digest(&self, path: &Path) -> Result<Digest, FilesError> {
        let answer = self.files.digest(path);
        self.note(Asked::File(path.to_path_buf()), of_file(&answer));
        answer
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, FilesError> {
        let answer = self.files.read(path);
        let noted = match &answer {
            Ok(bytes) => Digest::of(bytes),
            Err(error) => unread(error),
        };
        self.note(Asked::File(path.to_path_buf()), noted);
        answer
    }

    fn fetch(&self, url: &str) -> Result<Vec<u8>, FilesError> {
        self.files.fetch(url) // Its content is declared: another answer is refused anyway.
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
        let answer = self.files.list(folder);
        self.note(Asked::Folder(folder.to_path_buf()), of_folder(&answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryFiles;

    #[test]
    fn every_answer_is_asked_for_again() {
        let mut files = MemoryFiles::default();
        for (path, bytes) in [("a/one", b"1"), ("a/two", b"2"), ("b", b"3")] {
            files.0.insert(path.into(), bytes.to_vec());
        }
        let witness = Witness::new(&files);
        witness.digest(Path::new("a/one")).unwrap();
        witness.read(Path::new("a/two")).unwrap();
        witness.digest(Path::new("missing")).unwrap_err();
        witness.list(Path::new("a")).unwrap();
        let answers = witness.answers();
        assert!(as_before(&answers, &files));
        let changes: [fn(&mut MemoryFiles); 4] = [
            |files| drop(files.0.insert("a/one".into(), b"x".to_vec())),
            |files| drop(files.0.insert("a/two".into(), b"x".to_vec())),
            |files| drop(files.0.insert("missing".into(), b"x".to_vec())),
            |files| drop(files.0.insert("a/three".into(), b"x".to_vec())),
        ];
        for change in changes {
            let mut changed = files.clone();
            change(&mut changed);
            assert!(!as_before(&answers, &changed));
        }
        // What nobody asked about may change.
        files.0.insert("b".into(), b"x".to_vec());
        assert!(as_before(&answers, &files));
    }
}
