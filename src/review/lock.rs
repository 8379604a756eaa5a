//! What a run is held to: `NAME.lock.yaml` beside the study, meant for git.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::protocol::Protocol;
use crate::data::StudyRecord;
use crate::digest::Digest;
use crate::plan::{Plan, States};

/// Engine, sources, keys of the headline nodes and headline numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub engine: String,
    pub study: String,
    /// Digest of each source's canonical content.
    pub sources: BTreeMap<String, String>,
    /// By analysis: the key of the node that measures the primary metric.
    pub keys: BTreeMap<String, Digest>,
    /// By analysis: the primary metric.
    pub headline: BTreeMap<String, f64>,
    /// The study as its author locked it, if at all. No run changes what stands there, but for when a
    /// deviation was first met.
    #[serde(default)]
    pub protocol: Option<Protocol>,
}

/// A place in which a run differs from its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub what: String,
    pub locked: String,
    pub found: String,
}

/// A lock that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the lock file cannot be read: {0}")]
pub struct LockError(String);

impl Lock {
    /// The lock of a finished run.
    pub fn of(record: &StudyRecord, plan: &Plan, states: &States) -> Self {
        let sources = record.sources.iter();
        let mut keys = BTreeMap::new();
        let mut headline = BTreeMap::new();
        let internal = plan.analyses.iter().map(|a| (&a.name, &a.measured));
        let external = plan.external.iter().map(|e| (&e.name, &e.measured));
        for (name, measured) in internal.chain(external) {
            if let Some(key) = states.keys[measured.metrics[0].index()] {
                keys.insert(name.clone(), key);
            }
            let found = record.analyses.get(name);
            if let Some(found) =
                found.and_then(|found| found.performance.get(&found.primary))
            {
                headline.insert(name.clone(), found.estimate);
            }
        }
        Self {
            engine: record.engine.clone(),
            study: record.study.digest.clone(),
            sources: sources.map(|s| (s.name.clone(), s.digest.clone())).collect(),
            keys,
            headline,
            protocol: None,
        }
    }

    /// The lock of a study that has not run yet: it holds a protocol and no result.
    pub fn without_results(engine: &str, study: &Digest) -> Self {
        Self {
            engine: engine.to_string(),
            study: study.to_string(),
            sources: BTreeMap::new(),
            keys: BTreeMap::new(),
            headline: BTreeMap::new(),
            protocol: None,
        }
    }

    /// Whether a run has written what it found.
    pub fn has_results(&self) -> bool {
        !self.keys.is_empty() || !self.headline.is_empty()
    }

    pub fn read(text: &str) -> Result<Self, LockError> {
        serde_yaml::from_str(text).map_err(|error| LockError(error.to_string()))
    }

    /// As YAML, keys in order.
    pub fn to_yaml(&self) -> String {
        let mut text = String::from(
            "# Written by `restudy run`. `restudy run --locked` refuses to differ.\n",
        );
        text.push_str(&format!("engine: {}\n", quoted(&self.engine)));
        text.push_str(&format!("study: {}\n", quoted(&self.study)));
        let mut map = |name: &str, rows: Vec<(&String, String)>| {
            text.push_str(name);
            if rows.is_empty() {
                text.push_str(": {}\n");
                return;
            }
            text.push_str(":\n");
            for (key, value) in rows {
                text.push_str(&format!("  {}: {value}\n", quoted(key)));
            }
        };
        map("sources", self.sources.iter().map(|(k, v)| (k, quoted(v))).collect());
        map("keys", self.keys.iter().map(|(k, v)| (k, quoted(&v.to_string()))).collect());
        let number = |value: &f64| serde_json::Value::from(*value).to_string();
        map("headline", self.headline.iter().map(|(k, v)| (k, number(v))).collect());
        if let Some(protocol) = &self.protocol {
            text.push_str(&protocol.to_yaml());
        }
        text
    }

    /// Everything in which `found` differs from this lock.
    pub fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut compare =
            |what: String, locked: Option<String>, found: Option<String>| {
                if locked != found {
                    let text = |value: Option<String>| {
                        value.unwrap_or_else(|| "nothing".to_string())
                    };
                    differences.push(Difference {
                        what,
                        locked: text(locked),
                        found: text(found),
                    });
                }
            };
        compare("engine".into(), Some(self.engine.clone()), Some(found.engine.clone()));
        compare("study".into(), Some(self.study.clone()), Some(found.study.clone()));
        maps(&self.sources, &found.sources, "source", &mut compare);
        maps(&self.keys, &found.keys, "key of", &mut compare);
        maps(&self.headline, &found.headline, "headline of", &mut compare);
        differences
    }
}

/// Text as YAML and JSON both read it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn maps<T: ToString>(
    locked: &BTreeMap<String, T>,
    found: &BTreeMap<String, T>,
    what: &str,
    compare: &mut impl FnMut(String, Option<String>, Option<String>),
) {
    let names: std::collections::BTreeSet<&String> =
        locked.keys().chain(found.keys()).collect();
    for name in names {
        let text = |map: &BTreeMap<String, T>| map.get(name).map(ToString::to_string);
        compare(format!("{what} `{name}`"), text(locked), text(found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        Lock {
            engine: "restudy 0.1.0".to_string(),
            study: Digest::of(b"study").to_string(),
            sources: BTreeMap::from([("clinic".to_string(), "blake3:00".to_string())]),
            keys: BTreeMap::from([("a \"b\"".to_string(), Digest::of(b"k"))]),
            headline: BTreeMap::from([("a".to_string(), 0.1 + 0.2)]),
            protocol: None,
        }
    }

    #[test]
    fn a_lock_comes_back_from_its_text() {
        assert_eq!(Lock::read(&lock().to_yaml()).unwrap(), lock());
        let empty = Lock::without_results("restudy 0.1.0", &Digest::of(b"study"));
        assert_eq!(Lock::read(&empty.to_yaml()).unwrap(), empty);
        assert!(lock().has_results() && !empty.has_results());
        assert!(Lock::read("engine: x").is_err());
    }

    #[test]
    fn each_difference_is_named() {
        let mut other = lock();
        assert_eq!(lock().differences(&other), []);
        other.headline.insert("a".to_string(), 0.5);
        other.sources.clear();
        let differences = lock().differences(&other);
        let named: Vec<&str> = differences.iter().map(|d| d.what.as_str()).collect();
        assert_eq!(named, ["source `clinic`", "headline of `a`"]);
        assert_eq!(differences[0].found, "nothing");
    }
}
