//! In which state each node is: known to the store, new, or waiting for a new ancestor.

use std::collections::HashMap;

use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};

use super::{Plan, key_of, preimage};
use crate::digest::Digest;
use crate::store::Store;
use crate::survey::{Performed, Survey};

/// Whether a node has to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its key is known and its record is there, or was when the last run ended.
    Stored,
    /// Its key is known and there is no record.
    New,
    /// This ancestor is new, so its key is not known yet; it may be cut off.
    Pending(NodeIndex),
    /// The whole plan is known: nothing has to be looked up.
    Index,
}

impl State {
    /// The word that `plan` prints.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::New => "new",
            Self::Pending(_) => "pending",
            Self::Index => "index",
        }
    }
}

/// The states of all nodes, by node index.
pub struct States {
    pub of: Vec<State>,
    pub keys: Vec<Option<Digest>>,
    /// Output digests by port; one unnamed port for most nodes.
    pub outputs: Vec<Option<Vec<(String, Digest)>>>,
    /// What each took when it was computed; none where nobody looked at its record.
    pub seconds: Vec<Option<f64>>,
}

/// What the deep index knows of a node: its key and outputs, in plan order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indexed {
    pub key: Digest,
    pub outputs: Vec<(String, Digest)>,
}

impl States {
    /// Of so many nodes, all in one state and with nothing known of them.
    pub fn all(state: State, n: usize) -> Self {
        Self {
            of: vec![state; n],
            keys: vec![None; n],
            outputs: vec![None; n],
            seconds: vec![None; n],
        }
    }

    /// The digest of what `node` gives under `port`.
    pub fn output(&self, node: NodeIndex, port: Option<&str>) -> Option<Digest> {
        let outputs = self.outputs[node.index()].as_ref()?;
        match port {
            Some(port) => outputs.iter().find(|(name, _)| name == port).map(|(_, d)| *d),
            None => outputs.first().map(|(_, digest)| *digest),
        }
    }
}

/// Records that the last run of a study found or made, by key: what is told here need not be read again.
/// As with the index, one that was damaged since is made anew by whoever needs its value.
#[derive(Debug, Default)]
pub struct Remembered(HashMap<Digest, Recalled>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recalled {
    outputs: Vec<(String, Digest)>,
    seconds: f64,
}

impl Remembered {
    pub fn of(study: &str, store: &Store) -> Self {
        let bytes = store.index_get(&Self::name(study));
        let known = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        Self(known.map_or_else(HashMap::new, |known: Vec<_>| known.into_iter().collect()))
    }

    /// Keeps what a run came to know. It may be deleted at any time: without it the next run reads each
    /// record.
    pub fn keep(study: &str, states: &States, store: &Store) {
        let nodes = states.keys.iter().zip(&states.outputs).zip(&states.seconds);
        let known = nodes.filter_map(|((key, outputs), seconds)| {
            let recalled = Recalled { outputs: outputs.clone()?, seconds: (*seconds)? };
            Some(((*key)?, recalled))
        });
        let known: Vec<(Digest, Recalled)> = known.collect();
        let bytes =
            postcard::to_stdvec(&known).expect("plain data always has an encoding");
        drop(store.index_put(&Self::name(study), &bytes));
    }

    /// What it lies under in the index.
    fn name(study: &str) -> Digest {
        // 1: first form.
        Digest::of(format!("records that the last run knew, 1: {study}").as_bytes())
    }
}

/// Asks the store for every node whose key can be known, unless its record is remembered.
pub fn states(
    plan: &Plan,
    survey: &Survey,
    store: &Store,
    remembered: &Remembered,
) -> States {
    let mut states = States::all(State::New, plan.graph.node_count());
    let performed: HashMap<&str, &Performed> =
        survey.performed.iter().map(|done| (done.node.as_str(), done)).collect();
    for &index in &plan.order {
        let node = &plan.graph[index];
        let at = index.index();
        if let Some(done) = performed.get(node.name.as_str()) {
            states.of[at] = State::Stored;
            states.keys[at] = Some(done.key);
            states.outputs[at] = Some(done.outputs.clone());
            continue;
        }
        let inputs = plan.ports(index);
        let new = inputs.iter().find_map(|(input, _)| match states.of[input.index()] {
            State::New => Some(*input),
            State::Pending(ancestor) => Some(ancestor),
            State::Stored | State::Index => None,
        });
        if let Some(ancestor) = new {
            states.of[at] = State::Pending(ancestor);
            continue;
        }
        let digests: Vec<Digest> = inputs
            .iter()
            .filter_map(|(input, port)| states.output(*input, *port))
            .collect();
        let key = key_of(&preimage(node, &digests));
        states.keys[at] = Some(key);
        if let Some(known) = remembered.0.get(&key) {
            states.of[at] = State::Stored;
            states.seconds[at] = Some(known.seconds);
            states.outputs[at] = Some(known.outputs.clone());
        } else if let Some(action) = store.action(&key) {
            states.of[at] = State::Stored;
            states.seconds[at] = Some(action.seconds);
            let outputs =
                action.outputs.into_iter().map(|o| (o.port, o.digest)).collect();
            states.outputs[at] = Some(outputs);
        }
    }
    states
}

/// The states when the deep index knows the whole plan, whose key this is.
pub fn read_index(key: &Digest, plan: &Plan, store: &Store) -> Option<States> {
    let bytes = store.index_get(key)?;
    let known: Vec<Indexed> = postcard::from_bytes(&bytes).ok()?;
    let n = plan.graph.node_count();
    if known.len() != n {
        return None;
    }
    let mut states = States::all(State::Index, n);
    for (&index, known) in plan.order.iter().zip(known) {
        states.keys[index.index()] = Some(known.key);
        states.outputs[index.index()] = Some(known.outputs);
    }
    Some(states)
}

/// Remembers a plan, under its key, of which every node is done.
pub fn write_index(key: &Digest, plan: &Plan, states: &States, store: &Store) {
    let known: Option<Vec<Indexed>> = plan
        .order
        .iter()
        .map(|index| {
            let key = states.keys[index.index()]?;
            Some(Indexed { key, outputs: states.outputs[index.index()].clone()? })
        })
        .collect();
    if let Some(known) = known {
        let bytes =
            postcard::to_stdvec(&known).expect("plain data always has an encoding");
        // The index is disposable: without it the next run asks for each node.
        drop(store.index_put(key, &bytes));
    }
}
