//! Every test that looks at the project as a whole, in one binary.

mod anchors;
mod appraisal;
mod architecture;
mod book;
mod checklists;
mod contract;
mod controls;
mod early;
mod golden;
mod ibsi;
mod learners;
mod measures;
mod models;
mod nothing;
mod public_data;
mod reference;
mod references;
mod report;
mod selectors;
mod sources;
mod states;
mod studies;
mod suppression;
mod trees;
mod tuning;
mod workshop;
