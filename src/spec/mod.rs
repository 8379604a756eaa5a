//! What did the author write, and is it sound? YAML with places → names resolved → a typed,
//! checked [`Study`]. Pure: no file but the text it is given is read here.

mod chain;
mod cohort;
mod keys;
mod model_schema;
mod parameters;
mod reader;
mod reporting;
mod resolve;
mod rule;
mod schema;
mod settings;
mod source;
mod study;
mod syntax;

pub use chain::*;
pub use cohort::*;
pub use keys::KNOWN;
pub use model_schema::model_schema;
pub use resolve::{Parsed, read};
pub use rule::*;
pub use schema::schema;
pub use source::*;
pub use study::*;
