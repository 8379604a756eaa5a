//! The bytes of an ONNX file: the few messages of its protocol buffers that a model needs.
//!
//! Field numbers are those of `onnx.proto3`, IR version 10.

/// A message as it is written.
#[derive(Default)]
pub struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A whole number.
    pub fn number(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    /// Bytes, text or a message.
    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub fn message(self, field: u64, message: Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Whole numbers, packed.
    pub fn numbers(self, field: u64, values: &[i64]) -> Self {
        let mut packed = Self::default();
        values.iter().for_each(|value| packed.varint(*value as u64));
        self.bytes(field, &packed.0)
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Element types.
const UINT8: i64 = 2;
const INT64: i64 = 7;
pub const BOOL: i64 = 9;
pub const DOUBLE: i64 = 11;

/// Constant numbers of a shape.
pub struct Tensor {
    shape: Vec<usize>,
    kind: i64,
    raw: Vec<u8>,
}

impl Tensor {
    pub fn doubles(shape: &[usize], values: &[f64]) -> Self {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { shape: shape.to_vec(), kind: DOUBLE, raw }
    }

    pub fn integers(values: &[i64]) -> Self {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { shape: vec![values.len()], kind: INT64, raw }
    }

    pub fn small(values: &[u8]) -> Self {
        Self { shape: vec![values.len()], kind: UINT8, raw: values.to_vec() }
    }

    pub fn message(&self, name: &str) -> Message {
        let shape: Vec<i64> = self.shape.iter().map(|size| *size as i64).collect();
        let message = Message::default().numbers(1, &shape).number(2, self.kind);
        message.text(8, name).bytes(9, &self.raw)
    }
}

/// An attribute of a node.
pub enum Attribute {
    Number(i64),
    Numbers(Vec<i64>),
    Tensor(Tensor),
}

impl Attribute {
    pub fn message(&self, name: &str) -> Message {
        let message = Message::default().text(1, name);
        match self {
            Self::Number(value) => message.number(3, *value).number(20, 2),
            Self::Tensor(tensor) => message.message(5, tensor.message("")).number(20, 4),
            Self::Numbers(values) => message.numbers(8, values).number(20, 7),
        }
    }
}

/// The name, element type and width of a matrix with a row for each subject.
pub fn value_info(name: &str, kind: i64, width: usize) -> Message {
    let subjects = Message::default().text(2, "subjects");
    let columns = Message::default().number(1, width as i64);
    let shape = Message::default().message(1, subjects).message(1, columns);
    let tensor = Message::default().number(1, kind).message(2, shape);
    let of_type = Message::default().message(1, tensor);
    Message::default().text(1, name).message(2, of_type)
}
