//! Readers of images.

pub mod nifti;
