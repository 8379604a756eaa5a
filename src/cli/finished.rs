//! What a finished run gave, kept for the run before which nothing has changed: page, lock and
//! headlines. Such a run looks at its sources and writes its report; it plans nothing.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::load::Loaded;
use super::output::Results;
use crate::catalog::Catalog;
use crate::data::StudyRecord;
use crate::diagnostics::any_error;
use crate::digest::{Digest, canonical_json};
use crate::plan::States;
use crate::report::Page;
use crate::review::Lock;
use crate::run::Found;
use crate::store::Store;

/// What a run gave of which every node was done and none had failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finished {
    pub engine: String,
    pub n_nodes: usize,
    pub page: Page,
    pub results: Results,
    pub lock: Lock,
    /// By analysis, in the study's order: primary metric and what it is.
    pub headlines: Vec<Headline>,
    pub held: Held,
}

/// What the report was made of, as the store held it when the run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    records: Vec<Digest>,
    results: Vec<Digest>,
    stamp: Digest,
}

impl Held {
    pub fn of(found: &Found, states: &States, store: &Store) -> Self {
        let keys = found.keys().map(|node| states.keys[node.index()]);
        let mut records: Vec<Digest> = keys.flatten().collect();
        let outputs = found.keys().flat_map(|node| &states.outputs[node.index()]);
        let results = outputs.flatten().map(|(_, digest)| *digest);
        // Small results stand in their records.
        let mut results: Vec<Digest> =
            results.filter(|digest| store.has_blob(digest)).collect();
        records.sort_unstable();
        results.sort_unstable();
        let stamp = store.stamp(&records, &results);
        Self { records, results, stamp }
    }
}

/// The primary metric of an analysis.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Headline {
    pub analysis: String,
    pub metric: String,
    /// Estimate with its limits, if it could be had.
    pub value: Option<(f64, Option<f64>, Option<f64>)>,
}

impl Headline {
    /// Those of a record.
    pub fn of(record: &StudyRecord) -> Vec<Self> {
        let analyses = record.analysis_order.iter().map(|name| {
            let analysis = &record.analyses[name];
            let value = analysis.performance.get(&analysis.primary);
            Self {
                analysis: name.clone(),
                metric: analysis.primary.clone(),
                value: value.map(|found| (found.estimate, found.lower, found.upper)),
            }
        });
        analyses.collect()
    }
}

/// The name of everything that decides what a run gives: study, files, catalogue, the key of the
/// patients' names and this very program. None while something is wrong.
pub fn key(loaded: &Loaded, catalog: &Catalog, name_key: &[u8; 32]) -> Option<Digest> {
    if loaded.study.is_none() || any_error(&loaded.faults) {
        return None;
    }
    let sources = loaded.survey.sources.iter().map(|(name, source)| {
        let files = source.files.iter().map(|file| json!([file.shown, file.digest]));
        json!([name, files.collect::<serde_json::Value>()])
    });
    let decides = canonical_json(&json!({
        "program": program(catalog)?,
        "study": Digest::of(loaded.text.as_bytes()),
        "names": Digest::of(name_key),
        "sources": sources.collect::<serde_json::Value>(),
    }));
    Some(Digest::derive("restudy finished run v2", decides.as_bytes()))
}

/// What names this very program: two builds of one version may say one thing differently.
pub fn program(catalog: &Catalog) -> Option<serde_json::Value> {
    let program = std::env::current_exe().ok()?.metadata().ok()?;
    let built = program.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let operations =
        catalog.all().iter().map(|of| json!([of.about.name, of.about.version]));
    Some(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "built": [program.len(), built.as_nanos().to_string()],
        "operations": operations.collect::<serde_json::Value>(),
    }))
}

impl Finished {
    /// None as well when somebody has touched the store since: then every result is looked at.
    pub fn read(store: &Store, key: &Digest) -> Option<Self> {
        let finished: Self = postcard::from_bytes(&store.index_get(key)?).ok()?;
        let Held { records, results, stamp } = &finished.held;
        (store.stamp(records, results) == *stamp).then_some(finished)
    }

    /// The index is disposable: without it the next run plans again.
    pub fn keep(&self, store: &Store, key: &Digest) {
        let bytes = postcard::to_stdvec(self).expect("plain data always has an encoding");
        drop(store.index_put(key, &bytes));
    }
}
