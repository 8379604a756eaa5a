//! A protocol: the settings of a study as its author locked them, and what became of them since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::lock::quoted;
use crate::data::{DifferenceFacts, Known, ProtocolFacts};
use crate::digest::{Digest, canonical_json};
use crate::spec::Study;

/// What was locked, and which settings differed from it in the newest run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    pub engine: String,
    /// Digest of the study.
    pub study: String,
    /// Whether results were known when it was locked.
    pub locked: Known,
    /// By place in the study.
    pub settings: BTreeMap<String, String>,
    #[serde(default)]
    pub deviations: BTreeMap<String, Deviation>,
}

/// A setting that differs from the locked one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// None where it is not set any more.
    pub to: Option<String>,
    /// When a run was first asked for this value.
    pub when: Known,
}

/// Stands for the whole study where it differs in what is not told, such as rules that name ids.
const WHOLE: &str = "study";

impl Protocol {
    /// The protocol that a study is.
    pub fn of(study: &Study, engine: &str, locked: Known) -> Self {
        Self {
            engine: engine.to_string(),
            study: study.digest().to_string(),
            locked,
            settings: study.settings(),
            deviations: BTreeMap::new(),
        }
    }

    /// The same protocol with the deviations of a study that is about to run. Those that an earlier run
    /// met keep their time; `now` is that of the others.
    pub fn held_against(&self, executed: &Self, now: Known) -> Self {
        let paths: BTreeSet<&String> =
            self.settings.keys().chain(executed.settings.keys()).collect();
        let differing = paths.into_iter().filter_map(|path| {
            let to = executed.settings.get(path);
            (self.settings.get(path) != to).then(|| (path.clone(), to.cloned()))
        });
        let mut differing: Vec<(String, Option<String>)> = differing.collect();
        // Another engine may name one study differently.
        let hidden = self.study != executed.study && self.engine == executed.engine;
        if differing.is_empty() && hidden {
            differing.push((WHOLE.to_string(), Some(executed.study.clone())));
        }
        let deviations = differing.into_iter().map(|(path, to)| {
            let known = self.deviations.get(&path).filter(|known| known.to == to);
            let when = known.map_or(now, |known| known.when);
            (path, Deviation { to, when })
        });
        Self { deviations: deviations.collect(), ..self.clone() }
    }

    /// What the report shows of it.
    pub fn facts(&self) -> ProtocolFacts {
        let settings = serde_json::json!(self.settings);
        let domain = "restudy protocol v1";
        let digest = Digest::derive(domain, canonical_json(&settings).as_bytes());
        let differences = self.deviations.iter().map(|(path, deviation)| {
            let locked = match path.as_str() {
                WHOLE => Some(self.study.clone()),
                path => self.settings.get(path).cloned(),
            };
            DifferenceFacts {
                path: path.clone(),
                locked,
                executed: deviation.to.clone(),
                when: deviation.when,
            }
        });
        ProtocolFacts {
            digest: digest.to_string(),
            engine: self.engine.clone(),
            locked: self.locked,
            differences: differences.collect(),
        }
    }

    /// Its part of the lock file.
    pub fn to_yaml(&self) -> String {
        let mut text = format!(
            "# Written by `restudy plan --lock`. What differs from it is a deviation.\n\
             protocol:\n  engine: {}\n  study: {}\n  locked: {}\n",
            quoted(&self.engine),
            quoted(&self.study),
            quoted(self.locked.words())
        );
        text.push_str("  settings:\n");
        for (path, value) in &self.settings {
            text.push_str(&format!("    {}: {}\n", quoted(path), quoted(value)));
        }
        if self.deviations.is_empty() {
            return text;
        }
        text.push_str("  deviations:\n");
        for (path, Deviation { to, when }) in &self.deviations {
            let to = to.as_deref().map_or("null".to_string(), quoted);
            let when = quoted(when.words());
            text.push_str(&format!(
                "    {}: {{ to: {to}, when: {when} }}\n",
                quoted(path)
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lock;
    use super::*;

    fn protocol(settings: &[(&str, &str)]) -> Protocol {
        let settings =
            settings.iter().map(|(path, value)| (path.to_string(), value.to_string()));
        let settings: BTreeMap<String, String> = settings.collect();
        Protocol {
            engine: "restudy 0.1.0".to_string(),
            study: Digest::of(format!("{settings:?}").as_bytes()).to_string(),
            locked: Known::BeforeResults,
            settings,
            deviations: BTreeMap::new(),
        }
    }

    #[test]
    fn a_deviation_keeps_the_time_at_which_it_was_met() {
        let locked = protocol(&[("seed", "1"), ("cut", "0.5"), ("rule", "a: \"b\"")]);
        let same = locked.held_against(&locked, Known::AfterResults);
        assert_eq!(same, locked);
        let moved = protocol(&[("seed", "1"), ("cut", "0.4"), ("more", "x")]);
        let first = locked.held_against(&moved, Known::BeforeResults);
        let again = first.held_against(&moved, Known::AfterResults);
        assert_eq!(first, again);
        // Another value is another deviation, and what is as it was locked is none.
        let other = protocol(&[("seed", "1"), ("cut", "0.3"), ("rule", "a: \"b\"")]);
        let after = again.held_against(&other, Known::AfterResults);
        let facts = after.facts();
        assert_eq!(facts.differences.len(), 1);
        let of = &facts.differences[0];
        assert_eq!(
            (of.locked.as_deref(), of.executed.as_deref()),
            (Some("0.5"), Some("0.3"))
        );
        assert_eq!(of.when, Known::AfterResults);
        let lock = Lock {
            protocol: Some(first.clone()),
            ..Lock::without_results("restudy 0.1.0", &Digest::of(b"study"))
        };
        assert_eq!(Lock::read(&lock.to_yaml()).unwrap(), lock);
        let rule = first.facts().differences;
        let rule = rule.iter().find(|of| of.path == "rule").unwrap();
        assert_eq!(rule.executed, None, "it is not set any more");
    }

    #[test]
    fn what_is_not_told_is_a_deviation_of_the_whole() {
        let locked = protocol(&[("seed", "1")]);
        let other =
            Protocol { study: Digest::of(b"another").to_string(), ..locked.clone() };
        let facts = locked.held_against(&other, Known::BeforeResults).facts();
        assert_eq!(facts.differences[0].path, "study");
        let newer = Protocol { engine: "restudy 0.2.0".to_string(), ..other };
        assert_eq!(
            locked.held_against(&newer, Known::BeforeResults).facts().differences,
            []
        );
    }
}
