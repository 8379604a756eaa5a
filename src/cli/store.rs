//! `restudy store`: what it holds, whether it is sound, what can go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use super::Exit;
use crate::digest::Digest;
use crate::store::{Mode, Size, Store, StoreError};

/// Look after a store of results
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    /// The store
    #[arg(
        long,
        env = "RESTUDY_STORE",
        default_value = ".restudy",
        global = true,
        value_name = "DIR"
    )]
    store: PathBuf,
    /// For machines
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Keep files under their digests
    Add {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Say how large it is
    Size,
    /// Read everything, put aside what is damaged
    Verify,
    /// Remove what no journal and no `add` names
    Gc {
        /// Keep what is younger than this many hours
        #[arg(long, default_value_t = 24, value_name = "HOURS")]
        grace: u64,
    },
}

pub fn run(args: &Args) -> Exit {
    if !matches!(args.what, What::Add { .. }) && !args.store.join("format").exists() {
        eprintln!("error: there is no store at {}", args.store.display());
        eprintln!("help: it lies beside the study; choose one with `--store DIR`");
        return Exit::Change;
    }
    match done(args) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("error: {error}");
            Exit::Failed
        }
    }
}

fn done(args: &Args) -> Result<Exit, StoreError> {
    let store = Store::open(&args.store, Mode::ReadWrite)?;
    match &args.what {
        What::Add { files } => return add(&store, files, args.json),
        What::Size => {
            let sizes = store.size();
            if args.json {
                println!("{}", json!(sizes));
                return Ok(Exit::Fine);
            }
            let rows = [
                ("records", sizes.records),
                ("results", sizes.results),
                ("journals", sizes.journals),
                ("index", sizes.index),
                ("quarantine", sizes.quarantine),
            ];
            for (name, Size { files, bytes }) in rows {
                println!("{name:<12}{files:>9} files {:>12}", human(bytes));
            }
        }
        What::Verify => {
            let verified = store.verify();
            if args.json {
                println!("{}", json!(verified));
            } else {
                verified.damaged.iter().for_each(|what| println!("damaged: {what}"));
                println!(
                    "{} files checked, {} damaged; the next run makes those anew",
                    verified.checked,
                    verified.damaged.len()
                );
            }
            if !verified.damaged.is_empty() {
                return Ok(Exit::Failed);
            }
        }
        What::Gc { grace } => {
            let collected = store.gc(Duration::from_secs(3600 * grace))?;
            if args.json {
                println!("{}", json!(collected));
            } else {
                println!(
                    "{} records and {} results removed, {} free",
                    collected.records,
                    collected.results,
                    human(collected.bytes)
                );
            }
        }
    }
    Ok(Exit::Fine)
}

fn add(store: &Store, files: &[PathBuf], json: bool) -> Result<Exit, StoreError> {
    let mut exit = Exit::Fine;
    for path in files {
        match std::fs::read(path) {
            Ok(bytes) => {
                // A study names the content, however it is compressed.
                let content = match crate::data::decompressed(&bytes) {
                    Some(plain) => Digest::of(&plain),
                    None if bytes.starts_with(&[0x1f, 0x8b]) => {
                        eprintln!(
                            "error: {} is damaged or cut short: its gzip stream has no end",
                            shown(path)
                        );
                        eprintln!("help: get the file once more");
                        exit = Exit::Change;
                        continue;
                    }
                    None => Digest::of(&bytes),
                };
                store.add(&bytes, &content)?;
                match json {
                    true => println!("{}", json!({ "file": path, "digest": content })),
                    false => println!("{content}  {}", path.display()),
                }
            }
            Err(error) => {
                eprintln!("error: cannot read {}: {error}", shown(path));
                eprintln!("help: give the paths of files that can be read");
                exit = Exit::Change;
            }
        }
    }
    Ok(exit)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn human(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
