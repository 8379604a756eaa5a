//! `restudy schema`: the JSON Schema of studies, for editors, and that of `report.json`.

use super::Exit;
use crate::catalog::Catalog;
use crate::data::StudyRecord;
use crate::spec;

/// Print the JSON Schema of studies, for editors
#[derive(Debug, clap::Args)]
pub struct Schema {
    /// That of `report.json` instead
    #[arg(long)]
    pub report: bool,
}

pub fn run(args: &Schema) -> Exit {
    let schema = match args.report {
        true => schemars::schema_for!(StudyRecord).to_value(),
        false => spec::schema(&Catalog::standard()),
    };
    println!(
        "{}",
        serde_json::to_string_pretty(&schema).expect("a schema is plain data")
    );
    Exit::Fine
}
