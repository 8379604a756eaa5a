//! The report: sections, figures and the page that holds them.
//!
//! Sections are pure functions of the study's record. Nothing is computed here that is not there;
//! every number on the page carries the place in `report.json` that it comes from.

mod analysis;
mod claims;
mod comparisons;
mod confounding;
mod deviations;
mod discrimination;
mod figure;
mod finding;
mod fonts;
mod forest;
mod full_model;
mod page;
mod participants;
mod provenance;
mod roc;
mod shown;
mod standing;
mod subgroups;
mod summary;
mod svg;
mod validation;

pub use page::{Page, render};

use crate::operation::{Entry, section};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        section::<summary::Summary>(),
        section::<participants::Participants>(),
        section::<analysis::Analysis>(),
        section::<discrimination::Discrimination>(),
        section::<confounding::Confounding>(),
        section::<validation::Validation>(),
        section::<comparisons::Comparisons>(),
        section::<subgroups::Subgroups>(),
        section::<claims::Claims>(),
        section::<deviations::Deviations>(),
        section::<full_model::FullModel>(),
        section::<provenance::Provenance>(),
    ]
}
