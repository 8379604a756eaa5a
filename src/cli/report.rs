//! `restudy report`: the page of a run once more, from its records.

use std::path::PathBuf;

use super::Exit;
use super::output::{self, OutputError};
use crate::catalog::Catalog;
use crate::diagnostics::visible;

/// Render the report of a run again
#[derive(Debug, clap::Args)]
pub struct Report {
    /// The folder that `restudy run` wrote
    pub run: PathBuf,
    /// Exit with 1 while anything is missing from it or contradicts the run
    #[arg(long)]
    pub strict: bool,
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
}

pub fn run(args: &Report) -> Exit {
    let (record, run) = match output::read(&args.run) {
        Ok(records) => records,
        Err(error) => {
            eprintln!("error: {error}");
            eprintln!("help: {}", error.remedy());
            return match error {
                OutputError::Changed { .. } => Exit::Failed,
                _ => Exit::Change,
            };
        }
    };
    let rendered = output::page(&Catalog::standard(), record);
    let written =
        output::Written { page: &rendered, run: &run, results: None, kept: None };
    let page = match output::write(&args.run, written) {
        Ok(page) => page,
        Err(error) => {
            eprintln!("error: {error}");
            eprintln!("help: {}", error.remedy());
            return Exit::Failed;
        }
    };
    println!("report: {}", page.display());
    if args.open && !crate::run::open(&page) {
        eprintln!("warning: no program to open it was found");
    }
    if args.strict && !rendered.gaps.is_empty() {
        for what in &rendered.gaps {
            eprintln!("error: {}", visible(what));
        }
        return Exit::Change;
    }
    Exit::Fine
}
