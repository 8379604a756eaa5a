//! An ONNX graph as it grows: each node gives one matrix with a row for each subject.

use super::wire::{Attribute, BOOL, DOUBLE, Message, Tensor, value_info};

/// The operators of trees stand in a domain of their own.
const ML: &str = "ai.onnx.ml";

/// A graph under construction; values are known by the names that it gives.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
    named: usize,
}

impl Graph {
    fn name(&mut self) -> String {
        self.named += 1;
        format!("v{}", self.named)
    }

    fn constant(&mut self, tensor: &Tensor) -> String {
        let name = self.name();
        self.constants.push(tensor.message(&name));
        name
    }

    /// Numbers of this shape.
    pub fn doubles(&mut self, shape: &[usize], values: &[f64]) -> String {
        self.constant(&Tensor::doubles(shape, values))
    }

    /// One number for all cells.
    pub fn double(&mut self, value: f64) -> String {
        self.doubles(&[1, 1], &[value])
    }

    pub fn integers(&mut self, values: &[i64]) -> String {
        self.constant(&Tensor::integers(values))
    }

    pub fn node(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.with(operator, "", inputs, &[])
    }

    pub fn with(
        &mut self,
        operator: &str,
        domain: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
    ) -> String {
        let output = self.name();
        let mut node = Message::default();
        for input in inputs {
            node = node.text(1, input);
        }
        node = node.text(2, &output).text(3, &output).text(4, operator);
        for (name, attribute) in attributes {
            node = node.message(5, attribute.message(name));
        }
        self.nodes.push(if domain.is_empty() { node } else { node.text(7, domain) });
        output
    }

    /// The same under a name that is an output of the graph.
    pub fn called(&mut self, value: &str, name: &str) {
        let node = Message::default().text(1, value).text(2, name).text(3, name);
        self.nodes.push(node.text(4, "Identity"));
    }

    /// Columns at these positions.
    pub fn gather(&mut self, from: &str, columns: &[usize]) -> String {
        let at: Vec<i64> = columns.iter().map(|column| *column as i64).collect();
        let at = self.integers(&at);
        self.with("Gather", "", &[from, &at], &[("axis", Attribute::Number(1))])
    }

    /// 1 where a condition holds, else 0.
    pub fn indicator(&mut self, condition: &str) -> String {
        self.with("Cast", "", &[condition], &[("to", Attribute::Number(DOUBLE))])
    }

    /// The sum over trees.
    pub fn tree_ensemble(&mut self, rows: &str, trees: Ensemble) -> String {
        let leaves = trees.weights.len();
        let nodes = trees.splits.len();
        let attributes = [
            ("n_targets", Attribute::Number(1)),
            ("aggregate_function", Attribute::Number(1)), // The sum.
            ("post_transform", Attribute::Number(0)),     // None.
            ("tree_roots", Attribute::Numbers(trees.roots)),
            ("nodes_featureids", Attribute::Numbers(trees.columns)),
            ("nodes_splits", Attribute::Tensor(Tensor::doubles(&[nodes], &trees.splits))),
            // Up to the split is true.
            ("nodes_modes", Attribute::Tensor(Tensor::small(&vec![0; nodes]))),
            ("nodes_truenodeids", Attribute::Numbers(trees.below[0].clone())),
            ("nodes_trueleafs", Attribute::Numbers(trees.is_leaf[0].clone())),
            ("nodes_falsenodeids", Attribute::Numbers(trees.below[1].clone())),
            ("nodes_falseleafs", Attribute::Numbers(trees.is_leaf[1].clone())),
            ("leaf_targetids", Attribute::Numbers(vec![0; leaves])),
            (
                "leaf_weights",
                Attribute::Tensor(Tensor::doubles(&[leaves], &trees.weights)),
            ),
        ];
        self.with("TreeEnsemble", ML, &[rows], &attributes)
    }

    /// The file. `outputs`: those called `probability`, and `positive` where there is a threshold.
    pub fn finish(
        self,
        name: &str,
        width: usize,
        positive: bool,
        facts: &[(&str, String)],
    ) -> Vec<u8> {
        let mut graph = Message::default();
        for node in self.nodes {
            graph = graph.message(1, node);
        }
        graph = graph.text(2, name);
        for constant in self.constants {
            graph = graph.message(5, constant);
        }
        graph = graph.message(11, value_info("X", DOUBLE, width));
        graph = graph.message(12, value_info("probability", DOUBLE, 1));
        if positive {
            graph = graph.message(12, value_info("positive", BOOL, 1));
        }
        let opset = |domain: &str, version: i64| {
            Message::default().text(1, domain).number(2, version)
        };
        let mut model = Message::default()
            .number(1, 10)
            .text(2, "restudy")
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(7, graph)
            .message(8, opset("", 21))
            .message(8, opset(ML, 5));
        for (key, value) in facts {
            let fact = Message::default().text(1, key).text(2, value);
            model = model.message(14, fact);
        }
        model.into_bytes()
    }
}

/// Trees as the operator reads them: splits, and leaves in a list of their own.
#[derive(Default)]
pub struct Ensemble {
    pub roots: Vec<i64>,
    pub columns: Vec<i64>,
    pub splits: Vec<f64>,
    /// Where rows up to the split go, and the others: a split or, where `is_leaf` is 1, a leaf.
    pub below: [Vec<i64>; 2],
    pub is_leaf: [Vec<i64>; 2],
    pub weights: Vec<f64>,
}
