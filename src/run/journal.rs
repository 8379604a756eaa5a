//! What each run did, node by node, and from two of them: why a node ran again.

use std::collections::{HashMap, HashSet};

use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Done, How};
use crate::catalog::Catalog;
use crate::digest::Digest;
use crate::operation::Kind;
use crate::plan::{Plan, States, Work};
use crate::store::{Store, StoreError};

/// A line of a journal: a node as it was in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub node: String,
    pub key: Option<Digest>,
    pub outputs: Vec<(String, Digest)>,
    pub how: String,
    /// Canonical JSON, as it enters the key.
    pub identity: String,
    pub seed: Option<u64>,
    /// Name, digest and what a person is shown.
    pub given: Vec<(String, Digest, String)>,
    /// Inputs with the port that is read.
    pub inputs: Vec<(String, Option<String>)>,
}

/// Why a node's key is another than before.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// No node of this name ran before.
    New { node: String },
    /// A parameter, or the version of an operation.
    Setting { node: String, what: String, old: String, new: String },
    /// A file, a row set, an outcome.
    Fact { node: String, what: String, old: String, new: String },
    /// It reads other nodes than before.
    Inputs { node: String, added: Vec<String>, removed: Vec<String> },
    /// An input that was computed again with other bytes, though nothing it reads is known to
    /// have changed.
    Lost { node: String },
}

/// Adds the journal of a run; gives how many nodes were computed to the same bytes as before.
pub fn write(
    store: &Store,
    study: &str,
    plan: &Plan,
    done: &mut Done,
) -> Result<(), StoreError> {
    let computed = plan.order.iter().filter(|at| done.how[at.index()] == How::Computed);
    let computed = computed.map(|at| &*plan.graph[*at].name).collect();
    let before = latest(store, study, &computed);
    let mut lines: Vec<u8> = Vec::with_capacity(2048 * plan.graph.node_count());
    for &index in &plan.order {
        let entry = entry(plan, &done.states, index, Some(&done.how[index.index()]));
        if done.how[index.index()] == How::Computed
            && let Some(old) = before.get(&*entry.node)
            && old.key != entry.key
            && gave_the_same(&plan.graph[index].work, &old.outputs, &entry.outputs)
        {
            done.how[index.index()] = How::CutOff;
        }
        serde_json::to_writer(&mut lines, &entry)
            .expect("plain data always has an encoding");
        lines.push(b'\n');
    }
    store.write_journal(study, &lines)
}

/// Whether two runs of a node gave the same, whatever it rests on.
fn gave_the_same(
    work: &Work,
    old: &[(String, Digest)],
    new: &[(String, Digest)],
) -> bool {
    work.gives(old) == work.gives(new)
}

/// What a node gave, of all that its entry says.
#[derive(Deserialize)]
struct Gave {
    node: String,
    key: Option<Digest>,
    outputs: Vec<(String, Digest)>,
}

/// What these nodes gave in the newest run.
fn latest(store: &Store, study: &str, nodes: &HashSet<&str>) -> HashMap<String, Gave> {
    if nodes.is_empty() {
        return HashMap::new();
    }
    let newest = store.journal_texts(study).next().unwrap_or_default();
    // A line begins with the name; those of other nodes, most of them, need not be read.
    let named = |line: &&str| {
        let name = line.strip_prefix(r#"{"node":""#).and_then(|of| of.split('"').next());
        name.is_none_or(|name| name.contains('\\') || nodes.contains(name))
    };
    let lines = newest.lines().filter(named);
    let gave = lines.filter_map(|line| serde_json::from_str::<Gave>(line).ok());
    gave.map(|gave| (gave.node.clone(), gave)).collect()
}

fn read(lines: &[String]) -> HashMap<String, Entry> {
    let entries =
        lines.iter().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    entries.map(|entry| (entry.node.clone(), entry)).collect()
}

fn entry(plan: &Plan, states: &States, index: NodeIndex, how: Option<&How>) -> Entry {
    let node = &plan.graph[index];
    let given = node.given.iter();
    let edges = plan.edges(index).into_iter();
    // What is shared saves work and changes nothing.
    let edges = edges.filter(|(_, edge)| edge.reads.tells());
    let inputs = edges.map(|(input, edge)| {
        let port = edge.port.as_deref().map(str::to_string);
        (plan.graph[input].name.clone(), port)
    });
    Entry {
        node: node.name.clone(),
        key: states.keys[index.index()],
        outputs: states.outputs[index.index()].clone().unwrap_or_default(),
        how: how.map_or(String::new(), |how| format!("{how:?}")),
        identity: node.identity.text().to_string(),
        seed: node.seed,
        given: given
            .map(|g| (g.name.to_string(), g.digest, g.shown.to_string()))
            .collect(),
        inputs: inputs.collect(),
    }
}

/// Whether a run of the study has measured anything, as far as the store's journals go back.
pub fn has_results(store: &Store, study: &str, catalog: &Catalog) -> bool {
    let metrics: Vec<&str> =
        catalog.of_kind(Kind::Metric).map(|entry| entry.about.name).collect();
    let measured = |line: &String| {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else { return false };
        let identity: Json = serde_json::from_str(&entry.identity).unwrap_or(Json::Null);
        let operation = identity.get("operation").and_then(Json::as_str);
        !entry.outputs.is_empty() && operation.is_some_and(|name| metrics.contains(&name))
    };
    store.journals(study).any(|lines| lines.iter().any(measured))
}

/// Why `node` is not what it was: the leaves that changed, each once.
///
/// Compared with the newest run in which the node had another key; `None` when there is no such
/// run, so nothing has changed since the node first ran.
pub fn explain(
    plan: &Plan,
    states: &States,
    store: &Store,
    study: &str,
    catalog: &Catalog,
    node: NodeIndex,
) -> Option<Vec<Change>> {
    let name = &plan.graph[node].name;
    let key = states.keys[node.index()];
    let mut known = false;
    for lines in store.journals(study) {
        let old = read(&lines);
        let Some(entry) = old.get(name) else { continue };
        known = true;
        if entry.key != key || key.is_none() {
            let mut changes = Vec::new();
            let mut visited = vec![false; plan.graph.node_count()];
            walk(plan, states, &old, catalog, node, &mut visited, &mut changes);
            return Some(changes);
        }
    }
    (!known).then(|| vec![Change::New { node: name.clone() }])
}

fn walk(
    plan: &Plan,
    states: &States,
    old: &HashMap<String, Entry>,
    catalog: &Catalog,
    index: NodeIndex,
    visited: &mut [bool],
    changes: &mut Vec<Change>,
) {
    if std::mem::replace(&mut visited[index.index()], true) {
        return;
    }
    let new = entry(plan, states, index, None);
    let Some(old_entry) = old.get(&new.node) else {
        changes.push(Change::New { node: new.node });
        return;
    };
    let before = changes.len();
    let mut found = Differences { node: &new.node, catalog, changes };
    if old_entry.identity != new.identity {
        let json = |text: &str| serde_json::from_str(text).unwrap_or(Json::Null);
        let (old, new) = (json(&old_entry.identity), json(&new.identity));
        found.settings(Place::default(), &old, &new);
    }
    if old_entry.seed != new.seed {
        let text =
            |seed: Option<u64>| seed.map_or("none".to_string(), |seed| seed.to_string());
        changes.push(Change::Setting {
            node: new.node.clone(),
            what: "seed".to_string(),
            old: text(old_entry.seed),
            new: text(new.seed),
        });
    }
    for (name, digest, shown) in &new.given {
        let fact = old_entry.given.iter().find(|(old_name, ..)| old_name == name);
        if let Some((_, old_digest, old_shown)) = fact
            && old_digest != digest
        {
            changes.push(Change::Fact {
                node: new.node.clone(),
                what: name.clone(),
                old: format!("{old_shown} ({})", old_digest.short()),
                new: format!("{shown} ({})", digest.short()),
            });
        }
    }
    let names = |entry: &Entry| -> Vec<String> {
        entry.inputs.iter().map(|(name, _)| name.clone()).collect()
    };
    let (old_inputs, new_inputs) = (names(old_entry), names(&new));
    let missing_from = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|name| !those.contains(name)).cloned().collect()
    };
    let added = missing_from(&new_inputs, &old_inputs);
    let removed = missing_from(&old_inputs, &new_inputs);
    if !added.is_empty() || !removed.is_empty() {
        changes.push(Change::Inputs { node: new.node.clone(), added, removed });
    }
    let edges = plan.edges(index).into_iter();
    for (input, edge) in edges.filter(|(_, edge)| edge.reads.tells()) {
        let port = edge.port.as_deref();
        let digest = states.output(input, port);
        let old_digest = old.get(&plan.graph[input].name).and_then(|entry| {
            let named =
                |(name, _): &&(String, Digest)| port.is_none_or(|port| name == port);
            entry.outputs.iter().find(named).map(|(_, digest)| *digest)
        });
        // What is not computed yet may come out the same, but it is why this node waits.
        if digest.is_none() || digest != old_digest {
            walk(plan, states, old, catalog, input, visited, changes);
        }
    }
    if changes.len() == before && states.keys[index.index()] == old_entry.key {
        changes.push(Change::Lost { node: new.node });
    }
}

/// Where within an identity a setting stands.
#[derive(Clone, Default)]
struct Place {
    path: String,
    /// The operation whose parameters these are.
    operation: Option<String>,
}

/// Collects the settings that differ between two identities of a node.
struct Differences<'a> {
    node: &'a str,
    catalog: &'a Catalog,
    changes: &'a mut Vec<Change>,
}

impl Differences<'_> {
    fn settings(&mut self, place: Place, old: &Json, new: &Json) {
        if old == new {
            return;
        }
        match (old, new) {
            (Json::Object(old_map), Json::Object(new_map)) => {
                let operation = |map: &serde_json::Map<String, Json>| {
                    map.get("operation").and_then(Json::as_str).map(str::to_string)
                };
                let place = match operation(new_map) {
                    None => place,
                    Some(name) if operation(old_map).as_ref() == Some(&name) => {
                        Place { path: name.clone(), operation: Some(name) }
                    }
                    Some(_) => return self.push(&place, short(old), short(new)),
                };
                let mut keys: Vec<&String> =
                    old_map.keys().chain(new_map.keys()).collect();
                keys.sort();
                keys.dedup();
                for key in keys {
                    let path = match key.as_str() {
                        "parameters" => place.path.clone(),
                        key if place.path.is_empty() => key.to_string(),
                        key => format!("{}.{key}", place.path),
                    };
                    let place = Place { path, operation: place.operation.clone() };
                    match (old_map.get(key), new_map.get(key)) {
                        (Some(old), Some(new)) => self.settings(place, old, new),
                        (old, new) => {
                            let text = |value: Option<&Json>| {
                                value.map_or_else(|| self.default(&place, key), short)
                            };
                            let (old, new) = (text(old), text(new));
                            self.push(&place, old, new);
                        }
                    }
                }
            }
            (Json::Array(old_items), Json::Array(new_items))
                if old_items.len() == new_items.len() =>
            {
                for (old, new) in old_items.iter().zip(new_items) {
                    self.settings(place.clone(), old, new);
                }
            }
            _ => self.push(&place, short(old), short(new)),
        }
    }

    /// The default of a parameter that does not stand in an identity.
    fn default(&self, place: &Place, parameter: &str) -> String {
        let entry = place.operation.as_ref().and_then(|name| self.catalog.get(name));
        let value = entry.and_then(|entry| (entry.defaults)().get(parameter).map(short));
        match value {
            Some(value) => format!("{value} (the default)"),
            None => "nothing".to_string(),
        }
    }

    fn push(&mut self, place: &Place, old: String, new: String) {
        self.changes.push(Change::Setting {
            node: self.node.to_string(),
            what: place.path.clone(),
            old,
            new,
        });
    }
}

/// An identity in few words: operations by name, with their changed parameters.
fn short(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(short).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => match map.get("operation").and_then(Json::as_str) {
            Some(name) => match map.get("parameters").and_then(Json::as_object) {
                Some(parameters) if !parameters.is_empty() => {
                    format!("{name} {}", Json::Object(parameters.clone()))
                }
                _ => name.to_string(),
            },
            None => value.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Split;
    use crate::plan::Placed;

    #[test]
    fn a_fit_that_gives_the_same_is_cut_off_whatever_it_was_put_together_from() {
        let split = Split { train: vec![0], held_out: vec![1] };
        let split = Arc::new(Placed::new((0, 0, None), &split, &[], &[0, 1]));
        let fit = Work::Fit { case: 0, split, keeps: true };
        let output = |port: &str, bytes: &[u8]| (port.to_string(), Digest::of(bytes));
        let old = [output("", b"fit"), output("one key", b"")];
        let new = [output("", b"fit"), output("another", b"")];
        let other = [output("", b"other"), output("one key", b"")];
        assert!(gave_the_same(&fit, &old, &new) && gave_the_same(&fit, &[], &[]));
        assert!(!gave_the_same(&fit, &old, &other) && !gave_the_same(&fit, &old, &[]));
        // Of other nodes every output is read.
        assert!(!gave_the_same(&Work::Decide, &old, &new));
    }
}
