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
    // Behind the others, since stored values count them.
    HuSquared,
    SuvSquared,
}

impl Unit {
    /// The unit of a feature of an image whose grey values have the unit `image`.
    pub fn of_image(self, image: Self) -> Self {
        match (self, image) {
            (Self::Intensity, image) => image,
            (Self::IntensitySquared, Self::Hu) => Self::HuSquared,
            (Self::IntensitySquared, Self::Suv) => Self::SuvSquared,
            (other, _) => other,
        }
    }

    /// What a table head or an axis prints; empty for a pure number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::One => "",
            Self::Hu => "HU",
            Self::Suv => "SUV",
            Self::Arbitrary | Self::Intensity => "a.u.",
            Self::IntensitySquared => "a.u.²",
            Self::HuSquared => "HU²",
            Self::SuvSquared => "SUV²",
            Self::Millimetre => "mm",
            Self::CubicMillimetre => "mm³",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn features_have_the_unit_of_their_image() {
        let of = |unit: Unit, image: Unit| unit.of_image(image).symbol();
        assert_eq!(of(Unit::Intensity, Unit::Hu), "HU");
        assert_eq!(of(Unit::IntensitySquared, Unit::Hu), "HU²");
        assert_eq!(of(Unit::IntensitySquared, Unit::Arbitrary), "a.u.²");
        assert_eq!(of(Unit::CubicMillimetre, Unit::Suv), "mm³");
    }
}
