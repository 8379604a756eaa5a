//! `restudy schema`: the JSON Schema of studies, for editors, and of what is written.

use super::Exit;
use crate::catalog::Catalog;
use crate::data::StudyRecord;
use crate::spec;

/// Print the JSON Schema of studies, for editors, of a model's file or of `report.json`
#[derive(Debug, clap::Args)]
pub struct Schema {
    /// That of `models/NAME.json`
    #[arg(long)]
    model: bool,
    /// That of `report.json`
    #[arg(long, conflicts_with = "model")]
    pub report: bool,
}

pub fn run(args: &Schema) -> Exit {
    let catalog = Catalog::standard();
    let schema = match (args.model, args.report) {
        (true, _) => spec::model_schema(&catalog),
        (_, true) => schemars::schema_for!(StudyRecord).to_value(),
        _ => spec::schema(&catalog),
    };
    println!(
        "{}",
        serde_json::to_string_pretty(&schema).expect("a schema is plain data")
    );
    Exit::Fine
}
