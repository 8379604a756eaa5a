//! restudy compiles a radiogenomics study, one YAML file, into a content-hashed graph, computes
//! only what is new, and renders a report that somebody else can re-run and verify.
//!
//! Read it from the bottom up, or walk with a study from the top down: [`cli`] reads the file;
//! [`spec`] turns it into a checked [`spec::Study`]; [`survey`] looks at ids, headers and roles
//! and gives a [`survey::Survey`]; [`plan`] expands subjects, splits and candidates into a
//! [`plan::Plan`] and proves that nothing leaks; [`run`] asks the [`store`] for each node and
//! computes the rest; what was found becomes a [`data::StudyRecord`], and [`report`] makes one
//! HTML file of it. Data only goes forward. A module names only modules of lower floors.

// Floor 0: how we point at a mistake, name a value, name a unit.
pub mod diagnostics;
pub mod digest;
pub mod units;

// Floor 1: what flows, which numerics, where results rest.
pub mod data;
pub mod math;
pub mod store;

// Floor 2: what every operation must provide.
pub mod operation;

// Floor 3: the domain, one file per operation.
pub mod genomics;
pub mod imaging;
pub mod learning;
pub mod radiomics;
pub mod report;
pub mod simulation;
pub mod statistics;
pub mod tables;

// Floor 4: which operations exist.
pub mod catalog;

// Floor 5: what the author wrote, and whether it is sound.
pub mod spec;

// Floor 6: what the data look like before anything is computed.
pub mod survey;

// Floor 7: which nodes a study needs, in which state, and why.
pub mod plan;

// Floor 8: what runs now, and what comes from the store.
pub mod run;

// Floor 9: whether two runs agree.
pub mod review;

// Floor 10: what can be typed.
pub mod cli;
