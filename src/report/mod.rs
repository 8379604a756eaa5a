//! The report: sections, figures and the page that holds them.
//!
//! Sections are pure functions of the study's record. Nothing is computed here that is not there;
//! every number on the page carries the place in `report.json` that it comes from.

mod analysis;
mod discrimination;
mod figure;
mod fonts;
mod page;
mod participants;
mod provenance;
mod shown;
mod summary;
mod svg;

pub use page::{Page, render};

use crate::operation::{Entry, section};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        section::<summary::Summary>(),
        section::<participants::Participants>(),
        section::<analysis::Analysis>(),
        section::<discrimination::Discrimination>(),
        section::<provenance::Provenance>(),
    ]
}
