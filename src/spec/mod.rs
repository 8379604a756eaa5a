//! What did the author write, and is it sound? YAML with places → names resolved → a typed,
//! checked [`Study`]. Pure: no file but the text it is given is read here.

mod study;

pub use study::*;
