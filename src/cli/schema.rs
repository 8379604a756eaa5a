//! `restudy schema`: the JSON Schema of studies, for editors.

use super::Exit;
use crate::catalog::Catalog;
use crate::spec;

/// Print the JSON Schema of studies, for editors
#[derive(Debug, clap::Args)]
pub struct Schema {}

pub fn run(_args: &Schema) -> Exit {
    let schema = spec::schema(&Catalog::standard());
    println!(
        "{}",
        serde_json::to_string_pretty(&schema).expect("a schema is plain data")
    );
    Exit::Fine
}
