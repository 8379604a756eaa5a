//! restudy compiles a radiogenomics study, one YAML file, into a content-hashed graph, computes
//! only what is new, and renders a report that somebody else can re-run and verify.

pub mod diagnostics;
pub mod digest;
pub mod units;

pub mod data;
pub mod math;

pub mod operation;

pub mod genomics;
pub mod imaging;
pub mod learning;
pub mod radiomics;
pub mod report;
pub mod simulation;
pub mod statistics;
pub mod tables;

pub mod catalog;

pub mod spec;

pub mod cli;
