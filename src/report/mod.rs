//! The report: sections, figures and the page that holds them.
//!
//! Sections are pure functions of the study's record. Nothing is computed here that is not there;
//! every number on the page carries the place in `report.json` that it comes from.

mod analysis;
mod attribution;
mod author;
mod background;
mod calibration;
mod checklists;
mod claims;
mod comparisons;
mod conflicts;
mod confounding;
mod coverage;
mod denial;
mod deviations;
mod discrimination;
mod evidence;
mod features;
mod figure;
mod finding;
mod flow;
mod fonts;
mod forest;
mod full_model;
mod ibsi;
mod imaging;
mod interpretation;
mod layered;
mod learning_curve;
mod marks;
mod measures;
mod missingness;
mod named;
mod open_science;
mod page;
mod participants;
mod permutation;
mod places;
mod plot;
mod precision_recall;
mod probast;
mod provenance;
mod quality;
mod references;
mod risk_of_bias;
mod roc;
mod rqs;
mod sample_size;
mod shown;
mod size;
mod standards;
mod standing;
mod structured_abstract;
mod subgroups;
mod summary;
mod superiority;
mod svg;
mod table_one;
mod typed;
mod utility;
mod validation;
mod wording;

pub use conflicts::conflicts;
pub use coverage::gaps;
pub use figure::guarded;
pub use ibsi::items_named;
pub use page::{Cut, Page, Told, judged, render, render_again, render_own};
pub use standards::{Item, Standard, Wanted, standards};

use crate::operation::{Entry, section};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        section::<summary::Summary>(),
        section::<structured_abstract::StructuredAbstract>(),
        section::<background::Background>(),
        section::<participants::Participants>(),
        section::<measures::Measures>(),
        section::<imaging::Imaging>(),
        section::<analysis::Analysis>(),
        section::<sample_size::SampleSize>(),
        section::<discrimination::Discrimination>(),
        section::<claims::Claims>(),
        section::<calibration::Calibration>(),
        section::<utility::Utility>(),
        section::<comparisons::Comparisons>(),
        section::<validation::Validation>(),
        section::<confounding::Confounding>(),
        section::<subgroups::Subgroups>(),
        section::<features::Features>(),
        section::<full_model::FullModel>(),
        section::<interpretation::Interpretation>(),
        section::<open_science::OpenScience>(),
        section::<deviations::Deviations>(),
        section::<provenance::Provenance>(),
        section::<checklists::Checklists>(),
        section::<quality::Quality>(),
        section::<risk_of_bias::RiskOfBias>(),
    ]
}
