//! Records: under a node's key, what it gave.
//!
//! A record is one line of JSON, the bytes of small outputs, and a line with the BLAKE3 of all of
//! that: a torn or rotten record is a miss.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Mode, Store, StoreError, disk};
use crate::digest::Digest;

/// Outputs below this size lie in the record itself: one file instead of two.
const INLINE: usize = 4096;

/// Whether an output's bytes are kept, or only their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Stored,
    /// Reading the source again costs no more than reading the store.
    DigestOnly,
}

/// What a node gave, before it is stored.
#[derive(Debug, Clone)]
pub struct NewAction {
    /// The canonical text whose hash is the key.
    pub preimage: String,
    pub seconds: f64,
    pub outputs: Vec<NewOutput>,
}

#[derive(Debug, Clone)]
pub struct NewOutput {
    pub port: String,
    pub bytes: Vec<u8>,
    pub keep: Keep,
}

/// What a node gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    pub key: Digest,
    pub preimage: String,
    pub seconds: f64,
    pub outputs: Vec<Output>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub port: String,
    pub digest: Digest,
    pub size: usize,
    pub inline: Option<Vec<u8>>,
    pub kept: bool,
}

#[derive(Serialize, Deserialize)]
struct Head {
    key: Digest,
    preimage: String,
    seconds: f64,
    outputs: Vec<HeadOutput>,
}

#[derive(Serialize, Deserialize)]
struct HeadOutput {
    port: String,
    digest: Digest,
    size: usize,
    /// `inline`, `blob` or `digest`.
    at: At,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    Inline,
    Blob,
    Digest,
}

impl Store {
    /// The record under `key`; `None` when there is none or it is damaged.
    pub fn action(&self, key: &Digest) -> Option<Action> {
        let path = self.action_path(key);
        let bytes = std::fs::read(&path).ok()?;
        let action = read(&bytes).filter(|action| action.key == *key);
        if action.is_none() {
            self.quarantine(&path, &format!("record {} was damaged", key.short()));
        }
        action
    }

    /// Stores what a node gave: blobs first, then the record that names them.
    ///
    /// Whoever holds the key's lock has looked for a record before; where a file system has no
    /// locks, two may publish the same bytes, and the later record replaces its twin.
    pub fn publish(&self, key: &Digest, action: NewAction) -> Result<Action, StoreError> {
        let mut outputs = Vec::new();
        for NewOutput { port, bytes, keep } in action.outputs {
            let (digest, size, kept) =
                (Digest::of(&bytes), bytes.len(), keep == Keep::Stored);
            let small = kept && size < INLINE;
            if kept && !small {
                self.put_blob(&digest, &bytes)?;
            }
            outputs.push(Output {
                port,
                digest,
                size,
                inline: small.then_some(bytes),
                kept,
            });
        }
        let (preimage, seconds) = (action.preimage, action.seconds);
        let action = Action { key: *key, preimage, seconds, outputs };
        if self.mode == Mode::ReadWrite {
            self.write_whole(&self.action_path(key), &write(&action))?;
        }
        Ok(action)
    }

    /// Drops a record whose result is gone.
    pub fn forget(&self, key: &Digest) {
        if self.mode == Mode::ReadWrite {
            // Nothing to drop is as good as dropped.
            drop(std::fs::remove_file(self.action_path(key)));
        }
    }

    pub(super) fn action_path(&self, key: &Digest) -> PathBuf {
        disk::shard(&self.root.join("actions"), key)
    }
}

/// The record in these bytes, if they are whole.
pub(super) fn read(bytes: &[u8]) -> Option<Action> {
    let content = bytes.strip_suffix(b"\n")?;
    let (content, sum) = content.split_last_chunk::<64>()?;
    if Digest::of(content).hex().as_bytes() != sum {
        return None;
    }
    let line = content.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&content[..line]).ok()?;
    let mut rest = &content[line + 1..];
    let mut outputs = Vec::new();
    for output in head.outputs {
        let inline = match output.at {
            At::Inline => {
                let (bytes, after) = rest.split_at_checked(output.size)?;
                rest = after;
                Some(bytes.to_vec())
            }
            At::Blob | At::Digest => None,
        };
        outputs.push(Output {
            port: output.port,
            digest: output.digest,
            size: output.size,
            inline,
            kept: output.at != At::Digest,
        });
    }
    let (key, preimage, seconds) = (head.key, head.preimage, head.seconds);
    Some(Action { key, preimage, seconds, outputs })
}

fn write(action: &Action) -> Vec<u8> {
    let outputs = action.outputs.iter().map(|output| HeadOutput {
        port: output.port.clone(),
        digest: output.digest,
        size: output.size,
        at: match (&output.inline, output.kept) {
            (Some(_), _) => At::Inline,
            (None, true) => At::Blob,
            (None, false) => At::Digest,
        },
    });
    let head = Head {
        key: action.key,
        preimage: action.preimage.clone(),
        seconds: action.seconds,
        outputs: outputs.collect(),
    };
    let mut bytes = serde_json::to_vec(&head).expect("a record is plain data");
    bytes.push(b'\n');
    for output in &action.outputs {
        bytes.extend(output.inline.iter().flatten());
    }
    let sum = Digest::of(&bytes).hex();
    bytes.extend(sum.as_bytes());
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &tempfile::TempDir) -> Store {
        Store::open(folder.path(), Mode::ReadWrite).unwrap()
    }

    fn action() -> NewAction {
        let output = |port: &str, bytes: &[u8], keep| NewOutput {
            port: port.to_string(),
            bytes: bytes.to_vec(),
            keep,
        };
        NewAction {
            preimage: r#"{"a":1}"#.to_string(),
            seconds: 0.5,
            outputs: vec![
                output("", b"small\n\0bytes", Keep::Stored),
                output("large", &[3; 9000], Keep::Stored),
                output("digest", &[4; 9000], Keep::DigestOnly),
            ],
        }
    }

    #[test]
    fn what_was_published_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let key = Digest::of(b"key");
        let published = store.publish(&key, action()).unwrap();
        let found = store.action(&key).unwrap();
        assert_eq!(found, published);
        let values: Vec<_> =
            found.outputs.iter().map(|output| store.value(output)).collect();
        assert_eq!(values[0].as_deref(), Some(&b"small\n\0bytes"[..]));
        assert_eq!(values[1].as_deref(), Some(&[3; 9000][..]));
        assert_eq!(values[2], None);
        assert_eq!(found.outputs[2].digest, Digest::of(&[4; 9000]));
        store.forget(&key);
        assert_eq!(store.action(&key), None);
    }

    #[test]
    fn a_record_torn_or_flipped_anywhere_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let key = Digest::of(b"key");
        store.publish(&key, action()).unwrap();
        let path = store.action_path(&key);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_none(), "{length} bytes");
        }
        for at in 0..whole.len() {
            let mut rotten = whole.clone();
            rotten[at] ^= 4;
            assert!(read(&rotten).is_none(), "byte {at}");
        }
        std::fs::write(&path, &whole[..40]).unwrap();
        assert_eq!(store.action(&key), None);
        assert_eq!(store.healed().len(), 1);
        store.publish(&key, action()).unwrap();
        assert!(store.action(&key).is_some());
    }

    #[test]
    fn a_record_under_the_name_of_another_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        store.publish(&a, action()).unwrap();
        disk::make_folder(store.action_path(&b).parent().unwrap()).unwrap();
        std::fs::copy(store.action_path(&a), store.action_path(&b)).unwrap();
        assert_eq!(store.action(&b), None);
    }
}
