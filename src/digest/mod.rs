//! How values are named: 32-byte BLAKE3 digests and the canonical text that keys are made of.
//!
//! Nothing here knows what is hashed. Paths, clocks and thread counts never reach a digest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of some content: BLAKE3 over its canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A digest that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a digest: expected `blake3:` and 64 hexadecimal digits")]
pub struct NotADigest(String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of `bytes` in a domain of its own, so that two kinds of name never meet.
    pub fn derive(domain: &str, bytes: &[u8]) -> Self {
        Self(blake3::derive_key(domain, bytes))
    }

    /// A name that only the holder of `secret` can recompute.
    pub fn keyed(secret: &[u8; 32], bytes: &[u8]) -> Self {
        Self(*blake3::keyed_hash(secret, bytes).as_bytes())
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All 64 hexadecimal digits, without the `blake3:` in front: file names.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// The first 12 hexadecimal digits: what people read.
    pub fn short(&self) -> String {
        self.hex()[..12].to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", self.short())
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let wrong = || NotADigest(text.to_string());
        let hex = text.strip_prefix("blake3:").unwrap_or(text);
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(from).map(Self)
        }
    }
}

/// A digest of bytes in parts that need not lie together.
pub struct Naming(blake3::Hasher);

impl Naming {
    /// What [`Digest::derive`] gives.
    pub fn new(domain: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(domain))
    }

    /// What [`Digest::of`] gives.
    pub fn plain() -> Self {
        Self(blake3::Hasher::new())
    }

    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub fn digest(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// JSON with its keys sorted at every depth: the one spelling that keys are made of.
pub fn canonical_json(value: &serde_json::Value) -> String {
    fn scalar(value: &impl Serialize, out: &mut Vec<u8>) {
        serde_json::to_writer(out, value).expect("memory takes everything");
    }
    fn write(value: &serde_json::Value, out: &mut Vec<u8>) {
        match value {
            serde_json::Value::Object(map) => {
                let mut fields: Vec<_> = map.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                out.push(b'{');
                for (i, (name, value)) in fields.into_iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    scalar(name, out);
                    out.push(b':');
                    write(value, out);
                }
                out.push(b'}');
            }
            serde_json::Value::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write(item, out);
                }
                out.push(b']');
            }
            // −0 and 0 are one number to an author, so they are one name.
            serde_json::Value::Number(n) if n.as_f64() == Some(0.0) => out.push(b'0'),
            other => scalar(other, out),
        }
    }
    let mut out = Vec::new();
    write(value, &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// The canonical JSON of an object from that of its fields; their names need no escape.
pub fn canonical_object(fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let length = |(name, value): &(&str, &str)| name.len() + value.len() + 4;
    let mut out = String::with_capacity(2 + sorted.iter().map(length).sum::<usize>());
    for (i, (name, value)) in sorted.into_iter().enumerate() {
        out.push_str(if i == 0 { "{\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        out.push_str(value);
    }
    out.push_str(if out.is_empty() { "{}" } else { "}" });
    out
}

/// The same of a list from its items.
pub fn canonical_list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<&str> = items.collect();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digest_is_pinned() {
        let expected =
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(Digest::of(b"").to_string(), expected);
        assert_eq!(expected.parse::<Digest>().unwrap(), Digest::of(b""));
    }

    #[test]
    fn parts_have_the_name_of_the_whole() {
        let mut naming = Naming::new("a domain");
        [&b"some"[..], b"", b" bytes"].into_iter().for_each(|part| naming.add(part));
        assert_eq!(naming.digest(), Digest::derive("a domain", b"some bytes"));
        let mut naming = Naming::plain();
        [&b"some"[..], b" bytes"].into_iter().for_each(|part| naming.add(part));
        assert_eq!(naming.digest(), Digest::of(b"some bytes"));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in ["", "blake3:12", "sha256:00", &"z".repeat(64)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn key_order_does_not_reach_the_canonical_text() {
        let a: serde_json::Value =
            serde_json::from_str(r#"{"b":[1,{"y":1,"x":-0.0}],"a":"é"}"#).unwrap();
        let b: serde_json::Value =
            serde_json::from_str(r#"{"a":"é","b":[1,{"x":0,"y":1}]}"#).unwrap();
        assert_eq!(canonical_json(&a), canonical_json(&b));
        assert_eq!(canonical_json(&a), r#"{"a":"é","b":[1,{"x":0,"y":1}]}"#);
    }
}
