//! What each run of a study wrote down, newest first; the text is the runs' business.

use std::path::PathBuf;

use super::{Mode, Store, StoreError, disk};

/// How many journals of a study are kept.
const KEPT: usize = 20;

impl Store {
    /// Keeps the journal of a run, whose lines are whole, and drops the oldest ones.
    pub fn write_journal(&self, study: &str, lines: &[u8]) -> Result<(), StoreError> {
        if self.mode == Mode::ReadOnly {
            return Ok(());
        }
        let folder = self.journal_folder(study);
        disk::make_folder(&folder)?;
        let old = self.journal_paths(study);
        let next = old.first().and_then(|path| number(path)).map_or(1, |n| n + 1);
        self.write_whole(&folder.join(format!("{next:08}.jsonl")), lines)?;
        for path in old.iter().skip(KEPT - 1) {
            // A journal that cannot be removed does no harm.
            drop(std::fs::remove_file(path));
        }
        Ok(())
    }

    /// The lines of each journal of a study, newest first.
    pub fn journals(&self, study: &str) -> impl Iterator<Item = Vec<String>> {
        let texts = self.journal_texts(study);
        texts.map(|text| text.lines().map(str::to_string).collect())
    }

    /// Each whole, newest first.
    pub fn journal_texts(&self, study: &str) -> impl Iterator<Item = String> {
        let paths = self.journal_paths(study).into_iter();
        paths.filter_map(|path| std::fs::read_to_string(path).ok())
    }

    fn journal_paths(&self, study: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.journal_folder(study)).into_iter().flatten();
        let mut paths: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| number(path).is_some());
        paths.sort();
        paths.reverse();
        paths
    }

    fn journal_folder(&self, study: &str) -> PathBuf {
        self.root.join("runs").join(study)
    }
}

fn number(path: &std::path::Path) -> Option<usize> {
    path.file_stem()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_journals_are_kept_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        for run in 0..KEPT + 3 {
            store.write_journal("study", format!("run {run}\n").as_bytes()).unwrap();
        }
        let journals: Vec<Vec<String>> = store.journals("study").collect();
        assert_eq!(journals.len(), KEPT);
        assert_eq!(journals[0], [format!("run {}", KEPT + 2)]);
        assert_eq!(store.journals("other").count(), 0);
    }
}
