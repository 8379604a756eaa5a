//! The lock file beside a study: read, written, and the protocol in it held against the study.

use std::path::PathBuf;

use super::whole::write_whole;
use super::{Exit, load};
use crate::catalog::Catalog;
use crate::data::{Known, ProtocolFacts};
use crate::review::{Lock, Protocol};
use crate::run;
use crate::spec::Study;
use crate::store::Store;

/// As in records.
const ENGINE: &str = concat!("restudy ", env!("CARGO_PKG_VERSION"));

pub fn path(places: &load::Places) -> PathBuf {
    places.folder.join(format!("{}.lock.yaml", places.name))
}

/// The lock file, if there is one that can be read. One that cannot be read is written anew by the next
/// run, but for one with a protocol, which no run could write again.
fn read(places: &load::Places) -> Result<Option<Lock>, Exit> {
    let path = path(places);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            eprintln!("error: cannot read {}: {error}", path.display());
            eprintln!("help: it may hold a protocol, so no run replaces it");
            return Err(Exit::Change);
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    match Lock::read(&text) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if text.contains("\nprotocol:") => {
            eprintln!("error: {}: {error}", path.display());
            eprintln!(
                "help: it holds a protocol, so no run replaces it; mend or remove it"
            );
            Err(Exit::Change)
        }
        Err(_) => Ok(None),
    }
}

/// Writes the lock file. It is left alone when nothing changed, so that its time means something.
pub fn write(places: &load::Places, lock: &Lock) -> Result<(), Exit> {
    let (path, text) = (path(places), lock.to_yaml());
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    write_whole(&path, text.as_bytes()).map_err(|error| {
        eprintln!("error: cannot write {}: {error}", path.display());
        eprintln!("help: it lies beside the study: change who may write there, or free some space");
        Exit::Failed
    })
}

/// Whether anybody may have seen results of the study: the lock has some, or the store's journals do.
fn known(places: &load::Places, store: &Store, lock: Option<&Lock>) -> Known {
    let results = lock.is_some_and(Lock::has_results)
        || run::has_results(store, &places.name, &Catalog::standard());
    if results { Known::AfterResults } else { Known::BeforeResults }
}

/// The protocol of a study, if one was locked, with the deviations of the study as it is now. Those that
/// are new are noted in the lock file at once where `notes`, so that a run that breaks off has told them.
pub fn protocol(
    places: &load::Places,
    store: &Store,
    study: &Study,
    notes: bool,
) -> Result<Option<Protocol>, Exit> {
    let Some(lock) = read(places)? else { return Ok(None) };
    let Some(locked) = &lock.protocol else { return Ok(None) };
    let executed = Protocol::of(study, ENGINE, locked.locked);
    let mut held = locked.held_against(&executed, Known::AfterResults);
    if held != *locked {
        held = locked.held_against(&executed, known(places, store, Some(&lock)));
        if notes {
            write(places, &Lock { protocol: Some(held.clone()), ..lock })?;
        }
    }
    Ok(Some(held))
}

/// What a run says of deviations before it begins.
pub fn told(facts: &ProtocolFacts) -> Option<String> {
    let paths: Vec<String> =
        facts.differences.iter().map(|of| format!("`{}`", of.path)).collect();
    (!paths.is_empty()).then(|| {
        format!("the study differs from its locked protocol in {}", paths.join(", "))
    })
}

/// `restudy plan --lock`: the study as it is becomes the protocol. One that is locked stays.
pub fn lock(places: &load::Places, store: &Store, study: &Study) -> Exit {
    let old = match read(places) {
        Ok(old) => old,
        Err(exit) => return exit,
    };
    let now = known(places, store, old.as_ref());
    let protocol = Protocol::of(study, ENGINE, now);
    if let Some(locked) = old.as_ref().and_then(|lock| lock.protocol.as_ref()) {
        let held = locked.held_against(&protocol, now).facts();
        return match told(&held) {
            None => {
                eprintln!("the study is locked already, as it is");
                Exit::Fine
            }
            Some(told) => {
                eprintln!("error: a protocol is locked already, and {told}");
                eprintln!(
                    "help: run the study: its report lists what differs, with your reasons"
                );
                Exit::Change
            }
        };
    }
    let lock = old.unwrap_or_else(|| Lock::without_results(ENGINE, &study.digest()));
    if let Err(exit) = write(places, &Lock { protocol: Some(protocol), ..lock }) {
        return exit;
    }
    eprintln!("the protocol is locked, {}: {}", now.words(), path(places).display());
    Exit::Fine
}
