//! What a node is stored under: a hash of what it does and of the content of what it reads.
//!
//! Not in a key: names, labels, places in the study, paths, hosts, threads, time.

use petgraph::graph::NodeIndex;
use serde_json::json;

use super::{Node, Plan};
use crate::digest::{Digest, canonical_json};

/// The canonical text whose hash is the key; `inputs` are the digests of what the node reads.
pub fn preimage(node: &Node, inputs: &[Digest]) -> String {
    let given: Vec<Digest> = node.given.iter().map(|given| given.digest).collect();
    let mut fields = json!({
        "work": node.family, "identity": node.identity, "given": given,
        "inputs": inputs,
    });
    if let Some(seed) = node.seed {
        fields["seed"] = json!(seed);
    }
    canonical_json(&fields)
}

/// The key whose preimage this is.
pub fn key_of(preimage: &str) -> Digest {
    crate::survey::node_key(preimage)
}

/// The name of a whole plan: equal when no node's key can differ.
pub fn plan_key(plan: &Plan) -> Digest {
    let mut text = String::new();
    let mut position = vec![0; plan.graph.node_count()];
    for (at, &index) in plan.order.iter().enumerate() {
        position[index.index()] = at;
        let node = &plan.graph[index];
        text.push_str(&preimage(node, &[]));
        let inputs: Vec<usize> =
            plan.inputs(index).iter().map(|i: &NodeIndex| position[i.index()]).collect();
        text.push_str(&format!("{inputs:?}\n"));
    }
    Digest::derive("restudy plan v1", text.as_bytes())
}
