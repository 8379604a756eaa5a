//! `restudy schema`: the JSON Schema of studies, for editors, and of what is written.

use super::Exit;
use crate::catalog::Catalog;
use crate::spec;

/// Print the JSON Schema of studies, for editors, or of a model's file
#[derive(Debug, clap::Args)]
pub struct Schema {
    /// That of `models/NAME.json`
    #[arg(long)]
    model: bool,
}

pub fn run(args: &Schema) -> Exit {
    let catalog = Catalog::standard();
    let schema = match args.model {
        true => spec::model_schema(&catalog),
        false => spec::schema(&catalog),
    };
    println!(
        "{}",
        serde_json::to_string_pretty(&schema).expect("a schema is plain data")
    );
    Exit::Fine
}
