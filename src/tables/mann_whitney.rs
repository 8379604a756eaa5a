//! The columns whose ranks differ most between the classes.

use super::ranking::{Evidence, Ranking, comparable, constant};
use crate::math::mid_ranks;
use crate::math::{erfc, sqrt};
use crate::operation::prelude::*;

/// Keeps the k columns with the smallest p-value of the Mann–Whitney U test between the classes.
///
/// Sees ranks only, so neither outliers nor a monotonic transform of a column move its place. U is
/// the area under the ROC curve of the column, times the number of pairs.
///
/// # Computation
/// U counts the pairs of a positive and a negative row in which the positive has the higher value,
/// ties half. The p-value is two-sided. It is exact where the smaller class has at most 8 rows, the
/// larger at most 10,000, and no two values are equal: twice P(U ≥ max(U, n₁n₀ − U)), at most 1. Else it comes from
/// z = (|U − n₁n₀/2| − ½) / σ with σ² = n₁n₀/12 · (n + 1 − Σ(t³ − t) / (n (n − 1))) over the sizes t
/// of groups of equal values: the normal approximation with corrections for ties and continuity.
/// Columns are ranked by p, the smallest first; equal p-values by |U − n₁n₀/2| / σ, then in table
/// order. Constant columns come last. The kept columns stay in table order. All columns are kept when
/// there are fewer than k.
///
/// # Differences
/// scipy's `mannwhitneyu` chooses between the two p-values by the same rule; R's `wilcox.test` is
/// exact below 50 rows of each class.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MannWhitney {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
}

impl Default for MannWhitney {
    fn default() -> Self {
        Self { k: 16 }
    }
}

impl Operation for MannWhitney {
    const ABOUT: About = About {
        name: "mann_whitney",
        title: "Selection by the Mann–Whitney test",
        version: 1,
        sources: &["mann1947"],
        example: "mann_whitney: { k: 8 }",
    };
}

impl TableStep for MannWhitney {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let columns = comparable(train, 1)?;
        let n = train.outcome().len();
        let n1 = train.outcome().iter().filter(|positive| **positive).count();
        let exact = Exact::of(n1, n - n1);
        let known: Vec<Evidence> = columns
            .iter()
            .map(|column| evidence(&column.values, train.outcome(), exact.as_ref()))
            .collect();
        Ok(Ranking::sorted(&known, Evidence::order))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self::default()
    }
}

/// p and the standardised distance of U from its mean.
fn evidence(values: &[f64], outcome: &[bool], exact: Option<&Exact>) -> Evidence {
    if constant(values) {
        return Evidence::NONE;
    }
    let ranks = mid_ranks(values);
    let n = values.len() as f64;
    let n1 = outcome.iter().filter(|positive| **positive).count() as f64;
    // Ranks are halves, so these sums have no rounding.
    let positive = ranks.iter().zip(outcome).filter(|(_, positive)| **positive);
    let u = positive.map(|(rank, _)| rank).sum::<f64>() - n1 * (n1 + 1.0) / 2.0;
    let pairs = n1 * (n - n1);
    let mut sorted = ranks;
    sorted.sort_by(f64::total_cmp);
    let tied = |group: &[f64]| {
        let t = group.len() as f64;
        t * t * t - t
    };
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(tied).sum();
    let sigma = sqrt(pairs / 12.0 * (n + 1.0 - ties / (n * (n - 1.0))));
    let distance = (u - pairs / 2.0).abs();
    let p = match exact.filter(|_| ties == 0.0) {
        Some(exact) => exact.two_sided(u.max(pairs - u) as usize),
        None => {
            let z = (distance - 0.5) / sigma;
            erfc(z / std::f64::consts::SQRT_2).min(1.0)
        }
    };
    Evidence { p, size: distance / sigma }
}

/// P(U ≥ u) without ties, for every u.
struct Exact(Vec<f64>);

/// Up to here the number of orders is a whole number of 128 bits.
const MOST: usize = 10_000;

impl Exact {
    /// Counts orders by their U: the coefficients of Π (1 − xᵐ⁺ⁱ) / (1 − xⁱ) over i = 1, …, s, for
    /// classes of s ≤ m rows. Whole numbers, so nothing is lost.
    fn of(n1: usize, n0: usize) -> Option<Self> {
        let (few, many) = (n1.min(n0), n1.max(n0));
        if few > 8 || many > MOST {
            return None;
        }
        let mut orders = vec![0i128; few * many + 1];
        orders[0] = 1;
        for i in 1..=few {
            for u in (many + i..orders.len()).rev() {
                orders[u] -= orders[u - many - i];
            }
            for u in i..orders.len() {
                orders[u] += orders[u - i];
            }
        }
        let all: i128 = orders.iter().sum();
        let mut tail = 0;
        let at_least = |orders: &i128| {
            tail += orders;
            tail as f64 / all as f64
        };
        let mut shares: Vec<f64> = orders.iter().rev().map(at_least).collect();
        shares.reverse();
        Some(Self(shares))
    }

    fn two_sided(&self, u: usize) -> f64 {
        (2.0 * self.0[u]).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn evidence_is_that_of_scipy() {
        for (name, fixture) in Fixture::all() {
            println!("{name}");
            let n1 = fixture.outcome.iter().filter(|positive| **positive).count();
            let exact = Exact::of(n1, fixture.outcome.len() - n1);
            assert_eq!(exact.is_some(), name == "odd");
            let p =
                |column: &Vec<f64>| evidence(column, &fixture.outcome, exact.as_ref()).p;
            let p: Vec<f64> = fixture.columns.iter().map(p).collect();
            fixture.compare("mann_whitney_p", &p, 1e-12);
        }
    }

    #[test]
    fn small_classes_have_the_tabulated_distribution() {
        // Mann and Whitney 1947, table I, n = 4: P(U ≤ u) for m = 3 is .028, .057, .114, .200, …
        let exact = Exact::of(3, 4).unwrap();
        for (u, share) in [(12, 1), (11, 2), (10, 4), (9, 7), (8, 11)] {
            assert_eq!(exact.0[u], f64::from(share) / 35.0);
        }
        assert_eq!(exact.0[0], 1.0);
        assert_eq!(exact.two_sided(6), 1.0);
        assert!(Exact::of(9, 9).is_none());
        let large = Exact::of(8, 10_000).unwrap();
        assert!((large.0[40_000] - 0.5).abs() < 1e-4, "{}", large.0[40_000]);
    }

    #[test]
    fn direction_and_monotonic_transforms_do_not_matter() {
        let outcome = [false, true, false, true, true, false, true];
        let values = [1.0, 2.0, 3.0, 5.0, 4.0, 2.5, 9.0];
        let exact = Exact::of(4, 3);
        let found = evidence(&values, &outcome, exact.as_ref());
        for changed in
            [values.map(|v| -v), values.map(|v| v * v), values.map(|v| v * 1e300)]
        {
            assert_eq!(evidence(&changed, &outcome, exact.as_ref()), found);
        }
        assert_eq!(evidence(&[3.0; 7], &outcome, exact.as_ref()), Evidence::NONE);
    }

    #[test]
    fn it_is_that_of_the_reference_collection() {
        let Some((values, outcome, expected)) = super::super::fixture::two_groups()
        else {
            return;
        };
        let found = evidence(&values, &outcome, None);
        let p = expected["mannwhitney_p_continuity"].as_f64().expect("a number");
        assert!((found.p - p).abs() < 1e-12, "{found:?} {p}");
    }
}
