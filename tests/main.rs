//! Every test that looks at the project as a whole, in one binary.

mod anchors;
mod architecture;
mod book;
mod contract;
mod golden;
mod learners;
mod reference;
mod report;
mod studies;
mod workshop;
