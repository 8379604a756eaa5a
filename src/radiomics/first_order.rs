//! Statistics of the grey values in a region, wherever they lie.

use crate::math::sqrt;
use crate::operation::prelude::*;

/// Intensity-based statistics of the Image Biomarker Standardisation Initiative.
///
/// The plainest description of a region; no discretisation is needed.
///
/// # Computation
/// The 18 features of IBSI 1, section 3.3, on the grey values of the region as they are. Moments
/// have the divisor n; kurtosis is excess kurtosis. Percentiles are by nearest rank: the smallest
/// value with at least that share of the values at or below it.
///
/// # Differences
/// PyRadiomics interpolates percentiles and gives kurtosis without subtracting 3.
///
/// # Limits
/// Skewness and kurtosis of a constant region are 0 by definition. The two coefficients divided
/// by a mean of 0 or by quartiles that cancel are not defined there and fail by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FirstOrder {}

impl Operation for FirstOrder {
    const ABOUT: About = About {
        name: "first_order",
        title: "Intensity-based statistics",
        version: 1,
        sources: &["ibsi2020"],
        example: "first_order",
    };
}

impl FeatureFamily for FirstOrder {
    fn columns(&self) -> Vec<Column> {
        let column = |feature: &Feature| Column {
            name: feature.name,
            code: Some(feature.code),
            unit: feature.unit,
        };
        FEATURES.iter().map(column).collect()
    }

    fn compute(&self, roi: &Roi) -> Result<Vec<f64>, Failure> {
        let values = Sorted::of(roi.values());
        FEATURES
            .iter()
            .map(|feature| {
                let value = (feature.of)(&values);
                let named =
                    || Failure::NotFinite(format!("`{}` of this region", feature.name));
                value.is_finite().then_some(value).ok_or_else(named)
            })
            .collect()
    }
}

/// Name, IBSI code, unit and formula of a feature.
struct Feature {
    name: &'static str,
    code: &'static str,
    unit: Unit,
    of: fn(&Sorted) -> f64,
}

const fn feature(
    name: &'static str,
    code: &'static str,
    unit: Unit,
    of: fn(&Sorted) -> f64,
) -> Feature {
    Feature { name, code, unit, of }
}

/// In the order of the standard: one line adds a feature.
const FEATURES: &[Feature] = &[
    feature("mean", "Q4LE", Unit::Intensity, |v| v.mean),
    feature("variance", "ECT3", Unit::IntensitySquared, |v| v.moment(2)),
    feature("skewness", "KE2A", Unit::One, |v| v.standardised(3)),
    feature("kurtosis", "IPH6", Unit::One, |v| match v.moment(2) == 0.0 {
        true => 0.0,
        false => v.standardised(4) - 3.0,
    }),
    feature("median", "Y12H", Unit::Intensity, Sorted::median),
    feature("minimum", "1GSF", Unit::Intensity, |v| v.values[0]),
    feature("percentile_10", "QG58", Unit::Intensity, |v| v.percentile(10)),
    feature("percentile_90", "8DWT", Unit::Intensity, |v| v.percentile(90)),
    feature("maximum", "84IY", Unit::Intensity, Sorted::maximum),
    feature("interquartile_range", "SALO", Unit::Intensity, |v| {
        v.percentile(75) - v.percentile(25)
    }),
    feature("range", "2OJQ", Unit::Intensity, |v| v.maximum() - v.values[0]),
    feature("mean_absolute_deviation", "4FUA", Unit::Intensity, |v| {
        v.average(|x| (x - v.mean).abs())
    }),
    feature(
        "robust_mean_absolute_deviation",
        "1128",
        Unit::Intensity,
        Sorted::robust_deviation,
    ),
    feature("median_absolute_deviation", "N72L", Unit::Intensity, |v| {
        let median = v.median();
        v.average(|x| (x - median).abs())
    }),
    feature("coefficient_of_variation", "7TET", Unit::One, |v| {
        sqrt(v.moment(2)) / v.mean
    }),
    feature("quartile_coefficient_of_dispersion", "9S40", Unit::One, |v| {
        let (low, high) = (v.percentile(25), v.percentile(75));
        (high - low) / (high + low)
    }),
    feature("energy", "N8CA", Unit::IntensitySquared, |v| {
        v.values.iter().map(|x| x * x).sum()
    }),
    feature("root_mean_square", "5ZWQ", Unit::Intensity, |v| sqrt(v.average(|x| x * x))),
];

/// Grey values in ascending order, never none, with their mean.
struct Sorted {
    values: Vec<f64>,
    mean: f64,
}

impl Sorted {
    fn of(values: &[f64]) -> Self {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Self { values, mean }
    }

    fn average(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.values.iter().map(|value| of(*value)).sum::<f64>() / self.values.len() as f64
    }

    /// The central moment of this order; exactly 0 for a constant region.
    fn moment(&self, order: i32) -> f64 {
        if self.values[0] == self.maximum() {
            return 0.0;
        }
        self.average(|value| (value - self.mean).powi(order))
    }

    /// The central moment over that power of the standard deviation; 0 for a constant region.
    fn standardised(&self, order: i32) -> f64 {
        match self.moment(2) {
            0.0 => 0.0,
            variance => self.moment(order) / sqrt(variance).powi(order),
        }
    }

    fn maximum(&self) -> f64 {
        self.values[self.values.len() - 1]
    }

    fn median(&self) -> f64 {
        let n = self.values.len();
        match n % 2 {
            1 => self.values[n / 2],
            _ => self.values[n / 2 - 1] / 2.0 + self.values[n / 2] / 2.0,
        }
    }

    /// The percentile by nearest rank, in whole percent.
    fn percentile(&self, percent: usize) -> f64 {
        let rank = (percent * self.values.len()).div_ceil(100);
        self.values[rank.max(1) - 1]
    }

    /// Mean deviation of the values from the 10th to the 90th percentile, from their own mean.
    fn robust_deviation(&self) -> f64 {
        let (low, high) = (self.percentile(10), self.percentile(90));
        let within: Vec<f64> = self
            .values
            .iter()
            .copied()
            .filter(|value| (low..=high).contains(value))
            .collect();
        Self::of(&within).average(|value| (value - Self::of(&within).mean).abs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Geometry, Mask, Volume};

    fn region(values: &[f32]) -> Roi {
        let size = [values.len(), 1, 1];
        let direction = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let geometry = Geometry { size, spacing: [1.0; 3], origin: [0.0; 3], direction };
        let mask = Mask { size, labels: vec![1; values.len()] };
        Roi::new(&Volume { geometry, voxels: values.to_vec() }, &mask, &[]).unwrap()
    }

    fn value(values: &[f32], name: &str) -> f64 {
        let at = FEATURES.iter().position(|feature| feature.name == name).unwrap();
        FirstOrder {}.compute(&region(values)).unwrap()[at]
    }

    #[test]
    fn small_regions_by_hand() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(value(&values, "mean"), 2.5);
        assert_eq!(value(&values, "variance"), 1.25);
        assert_eq!(value(&values, "median"), 2.5);
        assert_eq!(value(&values, "percentile_10"), 1.0);
        assert_eq!(value(&values, "interquartile_range"), 2.0);
        assert_eq!(value(&values, "energy"), 30.0);
        assert_eq!(value(&[7.0; 3], "kurtosis"), 0.0);
        assert_eq!(value(&[0.1; 3], "skewness"), 0.0);
    }

    #[test]
    fn what_is_not_defined_fails_by_name() {
        let failure = FirstOrder {}.compute(&region(&[-1.0, 1.0])).unwrap_err();
        assert!(failure.to_string().contains("coefficient_of_variation"), "{failure}");
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_shifts_shift(
            values in prop::collection::vec(1u16..1000, 2..60), shift in 1u16..1000,
        ) {
            let plain: Vec<f32> = values.iter().map(|v| f32::from(*v)).collect();
            let mut reversed = plain.clone();
            reversed.reverse();
            let of = |values: &[f32]| FirstOrder {}.compute(&region(values)).unwrap();
            prop_assert_eq!(of(&plain), of(&reversed));
            let shifted: Vec<f32> = plain.iter().map(|v| v + f32::from(shift)).collect();
            for name in ["mean", "median", "minimum", "maximum", "percentile_90"] {
                let difference = value(&shifted, name) - value(&plain, name);
                prop_assert!((difference - f64::from(shift)).abs() < 1e-6);
            }
            for name in ["variance", "range", "median_absolute_deviation"] {
                prop_assert!((value(&shifted, name) - value(&plain, name)).abs() < 1e-6);
            }
        }
    }
}
