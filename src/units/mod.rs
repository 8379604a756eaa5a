//! The units that columns and images carry, by name, so that two of them are never mixed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A unit, under the name that specs and reports use.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A pure number.
    #[default]
    One,
    /// Hounsfield units of a CT.
    Hu,
    /// Standardised uptake value of a PET.
    Suv,
    /// Grey values without a physical scale, as of most MRI.
    Arbitrary,
    /// The square of whatever unit the image has.
    IntensitySquared,
    /// Whatever unit the image has.
    Intensity,
    Millimetre,
    CubicMillimetre,
}

impl Unit {
    /// What a table head or an axis prints; empty for a pure number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::One => "",
            Self::Hu => "HU",
            Self::Suv => "SUV",
            Self::Arbitrary | Self::Intensity => "a.u.",
            Self::IntensitySquared => "a.u.²",
            Self::Millimetre => "mm",
            Self::CubicMillimetre => "mm³",
        }
    }
}
