//! Which operations exist: the lists of the domain folders, looked up by name.

use crate::operation::{Entry, Kind};

/// All operations, in reading order.
#[derive(Clone)]
pub struct Catalog(Vec<Entry>);

impl Catalog {
    /// Every operation of this program.
    pub fn standard() -> Self {
        let lists = [
            crate::tables::operations(),
            crate::imaging::operations(),
            crate::radiomics::operations(),
            crate::genomics::operations(),
            crate::learning::operations(),
            crate::statistics::operations(),
            crate::simulation::operations(),
            crate::report::operations(),
        ];
        Self(lists.concat())
    }

    /// The same with one more: for operations that live outside of this program.
    pub fn with(mut self, entry: Entry) -> Self {
        self.0.push(entry);
        self
    }

    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.about.name == name)
    }

    pub fn all(&self) -> &[Entry] {
        &self.0
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.kind == kind)
    }
}
