//! A small reader and interpreter of ONNX, written from the standard and not from what writes it.

use std::collections::BTreeMap;

/// A field of a protocol buffer.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        match key & 7 {
            0 => fields.push((key >> 3, Field::Number(varint(&mut bytes)))),
            2 => {
                let n = varint(&mut bytes) as usize;
                fields.push((key >> 3, Field::Bytes(&bytes[..n])));
                bytes = &bytes[n..];
            }
            other => panic!("wire type {other}"),
        }
    }
    fields
}

fn all(bytes: &[u8], field: u64) -> Vec<&[u8]> {
    let of = fields(bytes).into_iter().filter(|(number, _)| *number == field);
    of.map(|(_, value)| match value {
        Field::Bytes(bytes) => bytes,
        Field::Number(_) => panic!("field {field} is a number"),
    })
    .collect()
}

fn text(bytes: &[u8], field: u64) -> String {
    let first = all(bytes, field).first().copied().unwrap_or_default();
    String::from_utf8(first.to_vec()).unwrap()
}

fn number(bytes: &[u8], field: u64) -> i64 {
    let found = fields(bytes).into_iter().find(|(number, _)| *number == field);
    match found {
        Some((_, Field::Number(value))) => value as i64,
        _ => 0,
    }
}

fn packed(mut bytes: &[u8]) -> Vec<i64> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(varint(&mut bytes) as i64);
    }
    values
}

/// A matrix, row-major; vectors have one row.
#[derive(Clone, Debug)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    pub values: Vec<f64>,
}

fn tensor(bytes: &[u8]) -> Matrix {
    let shape = all(bytes, 1).first().map_or(Vec::new(), |dims| packed(dims));
    let raw = all(bytes, 9)[0];
    let eight = |chunk: &[u8]| <[u8; 8]>::try_from(chunk).unwrap();
    let values: Vec<f64> = match number(bytes, 2) {
        2 => raw.iter().map(|byte| f64::from(*byte)).collect(),
        7 => raw.chunks(8).map(|c| i64::from_le_bytes(eight(c)) as f64).collect(),
        11 => raw.chunks(8).map(|c| f64::from_le_bytes(eight(c))).collect(),
        other => panic!("element type {other}"),
    };
    let (rows, columns) = match shape.as_slice() {
        [n] => (1, *n as usize),
        [n, p] => (*n as usize, *p as usize),
        other => panic!("shape {other:?}"),
    };
    assert_eq!(values.len(), rows * columns);
    Matrix { rows, columns, values }
}

struct Node {
    inputs: Vec<String>,
    output: String,
    operator: String,
    attributes: BTreeMap<String, Vec<u8>>,
}

impl Node {
    fn integer(&self, name: &str) -> i64 {
        number(&self.attributes[name], 3)
    }

    fn integers(&self, name: &str) -> Vec<usize> {
        let packed = packed(all(&self.attributes[name], 8)[0]);
        packed.into_iter().map(|value| value as usize).collect()
    }

    fn tensor(&self, name: &str) -> Vec<f64> {
        tensor(all(&self.attributes[name], 5)[0]).values
    }
}

/// A graph that was read.
pub struct Graph {
    nodes: Vec<Node>,
    constants: BTreeMap<String, Matrix>,
    pub facts: BTreeMap<String, String>,
}

impl Graph {
    pub fn read(bytes: &[u8]) -> Self {
        let graph = all(bytes, 7)[0];
        let node = |bytes: &&[u8]| Node {
            inputs: all(bytes, 1)
                .into_iter()
                .map(|name| String::from_utf8(name.to_vec()).unwrap())
                .collect(),
            output: text(bytes, 2),
            operator: text(bytes, 4),
            attributes: all(bytes, 5)
                .into_iter()
                .map(|of| (text(of, 1), of.to_vec()))
                .collect(),
        };
        let constants = all(graph, 5).into_iter();
        let facts = all(bytes, 14).into_iter();
        Self {
            nodes: all(graph, 1).iter().map(node).collect(),
            constants: constants.map(|of| (text(of, 8), tensor(of))).collect(),
            facts: facts.map(|of| (text(of, 1), text(of, 2))).collect(),
        }
    }

    /// The outputs for rows of the input `X`.
    pub fn run(&self, rows: usize, values: &[f64]) -> BTreeMap<String, Matrix> {
        let x = Matrix { rows, columns: values.len() / rows, values: values.to_vec() };
        let mut known = self.constants.clone();
        known.insert("X".to_string(), x);
        for node in &self.nodes {
            let inputs: Vec<&Matrix> =
                node.inputs.iter().map(|name| &known[name]).collect();
            let made = compute(node, &inputs);
            known.insert(node.output.clone(), made);
        }
        known
    }
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn each(a: &Matrix, of: impl Fn(f64) -> f64) -> Matrix {
    Matrix { values: a.values.iter().map(|v| of(*v)).collect(), ..a.clone() }
}

fn at(a: &Matrix, row: usize, column: usize) -> f64 {
    let (row, column) =
        (if a.rows == 1 { 0 } else { row }, if a.columns == 1 { 0 } else { column });
    a.values[row * a.columns + column]
}

/// Cell by cell, one row or one column standing for all.
fn cells(inputs: &[&Matrix], of: impl Fn(&[f64]) -> f64) -> Matrix {
    let rows = inputs.iter().map(|a| a.rows).max().unwrap();
    let columns = inputs.iter().map(|a| a.columns).max().unwrap();
    let mut values = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let cell: Vec<f64> = inputs.iter().map(|a| at(a, row, column)).collect();
            values.push(of(&cell));
        }
    }
    Matrix { rows, columns, values }
}

fn columns(a: &Matrix, places: &[usize]) -> Matrix {
    let values =
        (0..a.rows).flat_map(|row| places.iter().map(move |place| at(a, row, *place)));
    Matrix { rows: a.rows, columns: places.len(), values: values.collect() }
}

fn compute(node: &Node, inputs: &[&Matrix]) -> Matrix {
    let a = inputs[0];
    match node.operator.as_str() {
        "Identity" | "Cast" => a.clone(),
        "IsNaN" => each(a, |v| flag(v.is_nan())),
        "Neg" => each(a, |v| -v),
        "Not" => each(a, |v| flag(v == 0.0)),
        "Floor" => each(a, f64::floor),
        "Exp" => each(a, restudy::math::exp),
        "Log" => each(a, restudy::math::ln),
        "Sigmoid" => each(a, |v| 1.0 / (1.0 + restudy::math::exp(-v))),
        "Add" => cells(inputs, |v| v[0] + v[1]),
        "Sub" => cells(inputs, |v| v[0] - v[1]),
        "Mul" => cells(inputs, |v| v[0] * v[1]),
        "Div" => cells(inputs, |v| v[0] / v[1]),
        "Pow" => cells(inputs, |v| restudy::math::pow(v[0], v[1])),
        "Max" => cells(inputs, |v| v[0].max(v[1])),
        "Min" => cells(inputs, |v| v[0].min(v[1])),
        "Equal" => cells(inputs, |v| flag(v[0] == v[1])),
        "And" => cells(inputs, |v| v[0] * v[1]),
        "Or" => cells(inputs, |v| v[0].max(v[1])),
        "Less" => cells(inputs, |v| flag(v[0] < v[1])),
        "Greater" => cells(inputs, |v| flag(v[0] > v[1])),
        "GreaterOrEqual" => cells(inputs, |v| flag(v[0] >= v[1])),
        "Where" => cells(inputs, |v| if v[0] != 0.0 { v[1] } else { v[2] }),
        "Gather" => {
            assert_eq!(node.integer("axis"), 1);
            let places: Vec<usize> =
                inputs[1].values.iter().map(|place| *place as usize).collect();
            columns(a, &places)
        }
        "Concat" => {
            assert_eq!(node.integer("axis"), 1);
            let mut values = Vec::new();
            for row in 0..a.rows {
                for part in inputs {
                    values.extend((0..part.columns).map(|column| at(part, row, column)));
                }
            }
            let columns = inputs.iter().map(|part| part.columns).sum();
            Matrix { rows: a.rows, columns, values }
        }
        "MatMul" => {
            let b = inputs[1];
            assert_eq!(a.columns, b.rows);
            let mut values = Vec::new();
            for row in 0..a.rows {
                for column in 0..b.columns {
                    let terms = (0..a.columns).map(|k| {
                        a.values[row * a.columns + k] * b.values[k * b.columns + column]
                    });
                    values.push(terms.sum());
                }
            }
            Matrix { rows: a.rows, columns: b.columns, values }
        }
        "ReduceSum" => {
            let sum = |row| (0..a.columns).map(|column| at(a, row, column)).sum();
            Matrix { rows: a.rows, columns: 1, values: (0..a.rows).map(sum).collect() }
        }
        "TreeEnsemble" => {
            let values = (0..a.rows).map(|row| trees(node, a, row)).collect();
            Matrix { rows: a.rows, columns: 1, values }
        }
        other => panic!("operator {other}"),
    }
}

fn trees(node: &Node, a: &Matrix, row: usize) -> f64 {
    let splits = node.tensor("nodes_splits");
    let of = node.integers("nodes_featureids");
    let yes = (node.integers("nodes_truenodeids"), node.integers("nodes_trueleafs"));
    let no = (node.integers("nodes_falsenodeids"), node.integers("nodes_falseleafs"));
    let weights = node.tensor("leaf_weights");
    assert!(node.tensor("nodes_modes").iter().all(|mode| *mode == 0.0));
    let mut sum = 0.0;
    for root in node.integers("tree_roots") {
        let mut here = root;
        loop {
            let side = if at(a, row, of[here]) <= splits[here] { &yes } else { &no };
            let next = side.0[here];
            if side.1[here] == 1 {
                sum += weights[next];
                break;
            }
            here = next;
        }
    }
    sum
}
