//! A fitted step as formulas of one column each, so that others than its own code can compute it:
//! raw-scale coefficients, exported models, the list of columns that a model needs.

use crate::math::yeo_johnson;

/// What a column becomes: a change of one column of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// Position among the columns before the step.
    pub from: usize,
    pub change: Change,
}

impl Formula {
    /// The column as it was.
    pub fn same(from: usize) -> Self {
        Self { from, change: Change::Same }
    }
}

/// A change of a single value; a missing one stays missing where nothing else is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Same,
    /// Missing becomes this.
    Filled {
        with: f64,
    },
    /// 1 where it is missing, else 0.
    IsMissing,
    /// (x − centre) / spread; 0 where the spread is.
    Scaled {
        centre: f64,
        spread: f64,
    },
    /// The transformation of Yeo and Johnson (2000).
    YeoJohnson {
        lambda: f64,
    },
    /// 1 for this category, else 0.
    Is {
        category: String,
        /// The categories of the training rows.
        met: Vec<String>,
        /// Whether other categories than those are missing.
        others_missing: bool,
    },
}

impl Change {
    /// The new value. `categories`: what the column's values are positions in, if it holds such.
    pub fn of(&self, value: f64, categories: Option<&[String]>) -> f64 {
        match self {
            Self::Filled { with } if value.is_nan() => *with,
            Self::IsMissing => f64::from(u8::from(value.is_nan())),
            _ if value.is_nan() => value,
            Self::Same | Self::Filled { .. } => value,
            Self::Scaled { spread, .. } if *spread == 0.0 => 0.0,
            Self::Scaled { centre, spread } => (value - centre) / spread,
            // At 1 nothing changes, and not by rounding either.
            Self::YeoJohnson { lambda } if *lambda == 1.0 => value,
            Self::YeoJohnson { lambda } => {
                yeo_johnson(value, *lambda).clamp(f64::MIN, f64::MAX)
            }
            Self::Is { category, met, others_missing } => {
                match categories.and_then(|known| known.get(value as usize)) {
                    Some(found) if found == category => 1.0,
                    Some(found) if *others_missing && !met.contains(found) => f64::NAN,
                    _ => 0.0,
                }
            }
        }
    }

    /// Slope and intercept, where it is a straight line of known values.
    pub fn straight(&self) -> Option<(f64, f64)> {
        match self {
            Self::Same | Self::Filled { .. } => Some((1.0, 0.0)),
            Self::Scaled { spread, .. } if *spread == 0.0 => Some((0.0, 0.0)),
            Self::Scaled { centre, spread } => Some((1.0 / spread, -centre / spread)),
            Self::YeoJohnson { lambda } if *lambda == 1.0 => Some((1.0, 0.0)),
            Self::YeoJohnson { .. } | Self::IsMissing | Self::Is { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_stay_missing_but_where_they_are_filled_or_asked_for() {
        let nan = f64::NAN;
        assert_eq!(Change::Filled { with: 2.0 }.of(nan, None), 2.0);
        assert_eq!(Change::IsMissing.of(nan, None), 1.0);
        assert!(Change::Scaled { centre: 1.0, spread: 0.0 }.of(nan, None).is_nan());
        assert!(Change::YeoJohnson { lambda: 0.5 }.of(nan, None).is_nan());
    }

    #[test]
    fn a_category_is_told_by_name() {
        let here = ["high", "low", "odd"].map(String::from);
        let is = |others_missing| Change::Is {
            category: "low".to_string(),
            met: vec!["high".to_string(), "low".to_string()],
            others_missing,
        };
        assert_eq!(is(true).of(1.0, Some(&here)), 1.0);
        assert_eq!(is(true).of(0.0, Some(&here)), 0.0);
        assert!(is(true).of(2.0, Some(&here)).is_nan());
        assert_eq!(is(false).of(2.0, Some(&here)), 0.0);
    }

    #[test]
    fn a_straight_line_gives_what_the_change_gives() {
        let scaled = Change::Scaled { centre: 3.0, spread: 4.0 };
        let (slope, intercept) = scaled.straight().unwrap();
        assert_eq!(scaled.of(11.0, None), slope * 11.0 + intercept);
        assert_eq!(Change::YeoJohnson { lambda: 0.3 }.straight(), None);
    }
}
