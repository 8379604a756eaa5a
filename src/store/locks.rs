//! Locks that die with their holder, so that none is ever stale.

use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::marker::PhantomData;
use std::path::Path;

use super::{Mode, Store, StoreError};
use crate::digest::Digest;

/// Held while one process computes one key. Dropping it, on the thread that took it, lets the next one in.
pub struct Guard {
    held: Option<File>,
    stays: PhantomData<*const ()>,
}

thread_local! {
    /// How many locks the thread holds.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

impl Guard {
    fn of(held: Option<File>) -> Self {
        HELD.set(HELD.get() + usize::from(held.is_some()));
        Self { held, stays: PhantomData }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        HELD.set(HELD.get() - usize::from(self.held.is_some()));
    }
}

impl Store {
    /// Waits until nobody else computes `key`. Look for its record again afterwards.
    ///
    /// Keys share 4096 lock files, which are never removed; two keys that meet in one only wait for
    /// each other. Two who hold it at once, where a file system has no locks, do the same work
    /// twice and store the same bytes: harmless.
    ///
    /// A thread that holds a lock already, since computing one key takes another or since it does other
    /// work while it waits for its helpers, waits for no further one: two such threads could wait for each
    /// other, and one for itself, for ever.
    pub fn single_flight(&self, key: &Digest) -> Result<Guard, StoreError> {
        if self.mode == Mode::ReadOnly {
            return Ok(Guard::of(None));
        }
        let path = self.root.join("locks").join(&key.hex()[..3]);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|cause| StoreError::io(&path, cause))?;
        let locked = match HELD.get() {
            0 => file.lock().is_ok(),
            _ => file.try_lock().is_ok(),
        };
        Ok(Guard::of(locked.then_some(file)))
    }
}

/// Says that the store is in use, until the file is dropped; waits for a collection to end.
pub(super) fn share(path: &Path) -> Result<File, StoreError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|cause| StoreError::io(path, cause))?;
    // Without locks on this file system, collection is the user's own responsibility.
    drop(file.lock_shared());
    Ok(file)
}

/// Makes sure that nobody else uses the store.
pub(super) fn alone(held: &File) -> Result<(), StoreError> {
    match held.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(cause)) => {
            Err(StoreError::io(Path::new("locks/gc"), cause))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn who_holds_a_lock_waits_for_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
        // Of so many keys some share a lock file.
        let keys = || (0..5000u32).map(|at| Digest::of(&at.to_le_bytes()));
        let shard = |key: &Digest| key.hex()[..3].to_string();
        let first = keys().next().unwrap();
        let other = keys().skip(1).find(|key| shard(key) == shard(&first)).unwrap();
        let outer = store.single_flight(&first).unwrap();
        let inner = store.single_flight(&other).unwrap();
        assert!(outer.held.is_some() && inner.held.is_none());
        drop((inner, outer));
        assert!(store.single_flight(&other).unwrap().held.is_some());
        assert_eq!(HELD.get(), 0);
    }

    #[test]
    fn one_key_is_computed_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let key = Digest::of(b"key");
        let (inside, most, computed) =
            (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    // A handle of its own, as another process would have.
                    let store = Store::open(folder.path(), Mode::ReadWrite).unwrap();
                    let guard = store.single_flight(&key).unwrap();
                    if store.action(&key).is_none() {
                        most.fetch_max(
                            inside.fetch_add(1, Ordering::SeqCst) + 1,
                            Ordering::SeqCst,
                        );
                        computed.fetch_add(1, Ordering::SeqCst);
                        let outputs = Vec::new();
                        let preimage = String::new();
                        let action =
                            super::super::NewAction { preimage, seconds: 0.0, outputs };
                        store.publish(&key, action).unwrap();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                    drop(guard);
                });
            }
        });
        assert_eq!((most.into_inner(), computed.into_inner()), (1, 1));
    }
}
