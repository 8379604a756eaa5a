//! What a node is stored under: a hash of what it does and of the content of what it reads.
//!
//! Not in a key: names, labels, places in the study, paths, hosts, threads, time.

use petgraph::graph::NodeIndex;

use super::{Node, Plan};
use crate::digest::{Digest, Naming};

/// The canonical text whose hash is the key; `inputs` are the digests of what the node reads.
pub fn preimage(node: &Node, inputs: &[Digest]) -> String {
    fn list(text: &mut String, name: &str, digests: impl Iterator<Item = Digest>) {
        text.push_str(name);
        for (position, digest) in digests.enumerate() {
            text.push_str(if position == 0 { "\"" } else { ",\"" });
            text.push_str(&digest.to_string());
            text.push('"');
        }
    }
    // Canonical JSON, written directly: its fields in alphabetical order.
    let mut text =
        String::with_capacity(256 + node.identity.text().len() + 72 * inputs.len());
    list(&mut text, "{\"given\":[", node.given.iter().map(|given| given.digest));
    text.push_str("],\"identity\":");
    text.push_str(node.identity.text());
    list(&mut text, ",\"inputs\":[", inputs.iter().copied());
    text.push(']');
    if let Some(seed) = node.seed {
        text.push_str(&format!(",\"seed\":{seed}"));
    }
    text.push_str(",\"work\":\"");
    text.push_str(node.family);
    text.push_str("\"}");
    text
}

/// The key whose preimage this is.
pub fn key_of(preimage: &str) -> Digest {
    crate::survey::node_key(preimage)
}

/// The name of a whole plan: equal when no node's key can differ.
pub fn plan_key(plan: &Plan) -> Digest {
    // A large plan has tens of megabytes of text, of which no more than a piece is needed at a time.
    const PIECE: usize = 1 << 16;
    let mut naming = Naming::new("restudy plan v1");
    let mut text = String::with_capacity(2 * PIECE);
    let mut position = vec![0; plan.graph.node_count()];
    for (at, &index) in plan.order.iter().enumerate() {
        position[index.index()] = at;
        let node = &plan.graph[index];
        text.push_str(&preimage(node, &[]));
        let inputs: Vec<usize> =
            plan.inputs(index).iter().map(|i: &NodeIndex| position[i.index()]).collect();
        text.push_str(&format!("{inputs:?}\n"));
        if text.len() >= PIECE {
            naming.add(text.as_bytes());
            text.clear();
        }
    }
    naming.add(text.as_bytes());
    naming.digest()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scope;
    use crate::digest::canonical_json;
    use crate::plan::{Given, Identity, RowSets, Work};

    #[test]
    fn the_preimage_is_canonical_json() {
        let given = |name: &str| Given {
            name: name.into(),
            digest: Digest::of(name.as_bytes()),
            shown: "".into(),
        };
        let node = Node {
            name: "node".to_string(),
            work: Work::Splits,
            identity: Identity::new(&serde_json::json!({ "b": [1.5, "é"], "a": null })),
            given: [given("x"), given("y")].into(),
            seed: Some(3),
            keep: crate::store::Keep::Stored,
            family: "family",
            scope: Scope::Given,
            rows: RowSets::default(),
            span: Default::default(),
        };
        for inputs in [vec![], vec![Digest::of(b"1"), Digest::of(b"2")]] {
            let text = preimage(&node, &inputs);
            let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(canonical_json(&parsed), text);
        }
    }
}
