//! What did the author write, and is it sound? YAML with places → names resolved → a typed,
//! checked [`Study`]. Pure: no file but the text it is given is read here.

mod keys;
mod parameters;
mod reader;
mod resolve;
mod schema;
mod study;
mod syntax;

pub use resolve::{Parsed, read};
pub use schema::schema;
pub use study::*;
