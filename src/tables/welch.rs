//! The columns whose class means differ most, without assuming equal spread.

use statrs::function::beta::checked_beta_reg;

use super::ranking::{Evidence, Ranking, comparable, constant};
use crate::math::{mean, sqrt, variance};
use crate::operation::prelude::*;

/// Keeps the k columns with the smallest p-value of Welch's t-test between the classes.
///
/// Like `anova`, and right where the classes differ in spread as well as in size.
///
/// # Computation
/// t = (x̄₁ − x̄₀) / √(s₁²/n₁ + s₀²/n₀) with s² = Σ(x − x̄)² / (n − 1), and
/// ν = (s₁²/n₁ + s₀²/n₀)² / ((s₁²/n₁)²/(n₁ − 1) + (s₀²/n₀)²/(n₀ − 1)). Columns are ranked by the
/// two-sided p-value of t with ν degrees of freedom, the smallest first; equal p-values by |t|, then
/// in table order. Classes of one value each that differ have p = 0; constant columns come last. The
/// kept columns stay in table order. All columns are kept when there are fewer than k.
///
/// # Limits
/// Needs two rows of each class. ν differs between columns, so the order is not that of |t|. The
/// p-values rank; they are not corrected for the number of columns and are not reported.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Welch {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
}

impl Default for Welch {
    fn default() -> Self {
        Self { k: 16 }
    }
}

impl Operation for Welch {
    const ABOUT: About = About {
        name: "welch",
        title: "Selection by Welch's t-test",
        version: 1,
        sources: &["welch1947"],
        example: "welch: { k: 8 }",
    };
}

/// Fewest rows of a class: one has no variance.
const LEAST: usize = 2;

impl TableStep for Welch {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let columns = comparable(train, LEAST)?.iter();
        let known: Vec<Evidence> =
            columns.map(|column| welch(&column.values, train.outcome())).collect();
        Ok(Ranking::sorted(&known, Evidence::order))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need { of: Counted::RowsOfEachClass, least: LEAST, parameter: None }]
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self::default()
    }
}

/// p and |t| of one column.
fn welch(values: &[f64], outcome: &[bool]) -> Evidence {
    if constant(values) {
        return Evidence::NONE;
    }
    // Neither t nor ν depends on the scale; squares of these neither vanish nor overflow.
    let largest = values.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let of = |class: bool| -> Vec<f64> {
        let rows = values.iter().zip(outcome).filter(|(_, of)| **of == class);
        rows.map(|(value, _)| value / largest).collect()
    };
    let classes = [of(false), of(true)];
    let means = classes.each_ref().map(|class| mean(class).unwrap_or(f64::NAN));
    let shares = classes.each_ref().map(|class| match constant(class) {
        true => 0.0,
        false => variance(class).unwrap_or(f64::NAN) / class.len() as f64,
    });
    let difference = (means[1] - means[0]).abs();
    let both = shares[0] + shares[1];
    if both == 0.0 {
        return Evidence { p: 0.0, size: f64::INFINITY };
    }
    let t = difference / sqrt(both);
    // As shares of the sum, whose square may be too small to be told from 0.
    let parts = [0, 1].map(|class| {
        let share = shares[class] / both;
        share * share / (classes[class].len() as f64 - 1.0)
    });
    let freedom = 1.0 / (parts[0] + parts[1]);
    Evidence { p: two_sided(t, freedom), size: t }
}

/// P(|T| ≥ t) for Student's T.
fn two_sided(t: f64, freedom: f64) -> f64 {
    let x = freedom / (freedom + t * t);
    checked_beta_reg(freedom / 2.0, 0.5, x.clamp(0.0, 1.0)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    const OUTCOME: [bool; 7] = [false, true, false, true, true, false, true];

    #[test]
    fn evidence_is_that_of_scipy() {
        for (name, fixture) in Fixture::all() {
            println!("{name}");
            let found = |column: &Vec<f64>| welch(column, &fixture.outcome);
            let found: Vec<Evidence> = fixture.columns.iter().map(found).collect();
            let t: Vec<f64> = found.iter().map(|evidence| evidence.size).collect();
            let p: Vec<f64> = found.iter().map(|evidence| evidence.p).collect();
            fixture.compare("welch_t", &t, 1e-11);
            fixture.compare("welch_p", &p, 1e-9);
        }
    }

    #[test]
    fn the_scale_does_not_matter() {
        let values = [1.0, 2.0, 3.0, 5.0, 4.0, 2.5, 9.0];
        let found = welch(&values, &OUTCOME);
        for scale in [1e-300, 1e12, 1e300] {
            let scaled = welch(&values.map(|value| value * scale), &OUTCOME);
            assert!((scaled.size - found.size).abs() < 1e-12, "{scaled:?}");
            assert!((scaled.p - found.p).abs() < 1e-12, "{scaled:?}");
        }
    }

    #[test]
    fn no_spread_within_the_classes_is_the_strongest_evidence() {
        let apart = OUTCOME.map(|class| if class { 0.3 } else { 0.1 });
        assert_eq!(welch(&apart, &OUTCOME), Evidence { p: 0.0, size: f64::INFINITY });
        assert_eq!(welch(&[0.1; 7], &OUTCOME), Evidence::NONE);
    }

    #[test]
    fn it_is_that_of_the_reference_collection() {
        let Some((values, outcome, expected)) = super::super::fixture::two_groups()
        else {
            return;
        };
        let found = welch(&values, &outcome);
        let of = |name: &str| expected[name].as_f64().expect("a number");
        assert!((found.size - of("welch_t").abs()).abs() < 1e-12, "{found:?}");
        assert!((found.p - of("welch_p")).abs() < 1e-12, "{found:?}");
    }
}
