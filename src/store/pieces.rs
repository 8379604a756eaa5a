//! Many texts in one file of the index, each with a digest of its own: who needs one of them reads that
//! one alone. The file may be removed at any time, as all of the index may.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, disk};
use crate::digest::{Digest, Naming};

/// Where a text lies in its file, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    at: u64,
    /// Units: bytes.
    pub length: u64,
    /// That of [`Digest::of`].
    pub digest: Digest,
}

/// A file of texts. It can be read although somebody removes it meanwhile.
pub struct Pieces {
    file: Mutex<File>,
}

/// Units: bytes.
const AT_ONCE: usize = 1 << 17;

impl Pieces {
    /// Hands a text to `take`, part by part: a large one need not lie in memory. False where it is damaged,
    /// which is known only at its end.
    ///
    /// # Errors
    /// What `take` gives.
    pub fn read(
        &self,
        piece: &Piece,
        mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<bool> {
        let mut file = disk::lock(&self.file);
        if file.seek(SeekFrom::Start(piece.at)).is_err() {
            return Ok(false);
        }
        let mut naming = Naming::plain();
        let mut left = piece.length;
        let mut room = vec![0; AT_ONCE.min(left as usize)];
        while left > 0 {
            let part = &mut room[..AT_ONCE.min(left as usize)];
            if file.read_exact(part).is_err() {
                return Ok(false);
            }
            naming.add(part);
            take(part)?;
            left -= part.len() as u64;
        }
        Ok(naming.digest() == piece.digest)
    }
}

impl Store {
    /// Keeps texts in one file; gives its name, and where each of them lies.
    pub fn keep_pieces(
        &self,
        texts: &[&[u8]],
    ) -> Result<(Digest, Vec<Piece>), StoreError> {
        let mut at = 0;
        let pieces = texts.iter().map(|text| {
            let length = text.len() as u64;
            let piece = Piece { at, length, digest: Digest::of(text) };
            at += length;
            piece
        });
        let pieces = pieces.collect();
        let name = self.index_write(None, |file| {
            texts.iter().try_for_each(|text| file.write_all(text))
        })?;
        Ok((name, pieces))
    }

    /// The file of this name.
    pub fn pieces(&self, name: &Digest) -> Option<Pieces> {
        let file = File::open(self.root.join("index").join(name.hex())).ok()?;
        Some(Pieces { file: Mutex::new(file) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mode;
    use super::*;

    #[test]
    fn a_text_is_read_alone_and_a_damaged_one_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let texts: [&[u8]; 4] = [b"one", b"", &[7; 3 * AT_ONCE], b"last"];
        let (name, pieces) = store.keep_pieces(&texts).unwrap();
        let path = folder.path().join("index").join(name.hex());
        let whole = std::fs::read(&path).unwrap();
        let text = |of: &Pieces, piece| {
            let mut text = Vec::new();
            let sound = of.read(piece, |part| {
                text.extend_from_slice(part);
                Ok(())
            });
            sound.unwrap().then_some(text)
        };
        let open = store.pieces(&name).unwrap();
        for (piece, expected) in pieces.iter().zip(texts) {
            assert_eq!(text(&open, piece).unwrap(), expected);
        }
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(open.read(&pieces[0], |_| Err(full())).is_err());
        let mut rotten = whole.clone();
        rotten[50_000] ^= 1;
        std::fs::write(&path, &rotten).unwrap();
        let open = store.pieces(&name).unwrap();
        let read: Vec<bool> = pieces.iter().map(|of| text(&open, of).is_some()).collect();
        assert_eq!(read, [true, true, false, true]);
        std::fs::write(&path, &whole[..3 * AT_ONCE + 4]).unwrap();
        let open = store.pieces(&name).unwrap();
        assert_eq!(text(&open, &pieces[3]), None, "its end is cut off");
        // Removed while it is open, it can still be read.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text(&open, &pieces[0]).unwrap(), b"one");
        assert!(store.pieces(&name).is_none());
    }
}
