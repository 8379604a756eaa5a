//! Compressed bytes are recognised by how they begin, never by a file's name.

use std::io::Read;

/// What `bytes` are compressed from; `None` when they are not gzip or are cut short.
pub fn decompressed(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return None;
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).ok()?;
    Some(out)
}
