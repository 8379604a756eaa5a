//! Bytes under the name of their content.

use std::path::PathBuf;

use super::{Mode, Store, StoreError, disk};
use crate::digest::Digest;

impl Store {
    /// The bytes of this digest; `None` when they are gone or damaged.
    pub fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        if let Some(bytes) = disk::lock(&self.added).get(digest) {
            return Some(bytes.clone());
        }
        let path = self.blob_path(digest);
        let bytes = std::fs::read(&path).ok()?;
        if Digest::of(&bytes) == *digest {
            return Some(bytes);
        }
        self.quarantine(&path, &format!("stored result {} was damaged", digest.short()));
        None
    }

    /// Whether there is a file under this digest; only reading tells whether it is sound.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        disk::lock(&self.added).contains_key(digest) || self.blob_path(digest).exists()
    }

    /// Keeps `bytes` under their digest.
    pub(super) fn put_blob(
        &self,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        // A file that is there is read: whoever makes bytes anew may do so as their file is damaged.
        if self.mode == Mode::ReadOnly || (path.exists() && self.blob(digest).is_some()) {
            return Ok(());
        }
        let staged = self.stage(&path, &[bytes])?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let read_only = std::fs::Permissions::from_mode(0o444);
            // A file system without permissions keeps the blob all the same.
            drop(std::fs::set_permissions(&staged, read_only));
        }
        disk::publish(&staged, &path)
    }

    pub(super) fn blob_path(&self, digest: &Digest) -> PathBuf {
        disk::shard(&self.root.join("blobs"), digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_is_a_miss_and_can_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let bytes = vec![7; 5000];
        let digest = Digest::of(&bytes);
        for at in [0, 2500, 4999] {
            store.put_blob(&digest, &bytes).unwrap();
            assert_eq!(store.blob(&digest).unwrap(), bytes);
            let path = store.blob_path(&digest);
            let mut rotten = bytes.clone();
            rotten[at] ^= 1;
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, rotten).unwrap();
            assert_eq!(store.blob(&digest), None);
            assert!(!path.exists(), "it is in quarantine");
        }
        assert_eq!(store.healed().len(), 3);
    }

    #[test]
    fn bytes_that_are_made_anew_replace_a_damaged_file_of_their_length() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        let bytes = vec![7; 5000];
        let digest = Digest::of(&bytes);
        store.put_blob(&digest, &bytes).unwrap();
        let path = store.blob_path(&digest);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, vec![8; 5000]).unwrap();
        store.put_blob(&digest, &bytes).unwrap();
        assert_eq!(store.blob(&digest), Some(bytes));
    }
}
