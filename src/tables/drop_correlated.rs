//! Columns that say what an earlier one says, left out.

use crate::math::{dot, mid_ranks, sqrt, unit};
use crate::operation::prelude::*;

/// Drops columns that correlate with an earlier kept column.
///
/// Features of the same image come in near copies; without them models are smaller and their
/// coefficients steadier. The outcome is not looked at.
///
/// # Computation
/// Columns are taken in table order. One is dropped when |r| with any column kept before it exceeds
/// the threshold in the training rows, else it is kept; a dropped column drops no other. So no two
/// kept columns correlate above the threshold, and of two near copies the earlier stays.
///
/// r is Pearson's correlation of the values, or of their ranks (Spearman), where equal values share
/// the middle of their ranks. A column that is constant in the training rows has r = 0 with all.
/// An |r| within 1e-12 of the threshold counts as equal to it, which is not above.
///
/// # Limits
/// Missing values are refused: place an imputing step before it. Table order decides which of two
/// columns stays, not how useful they are. Two rows correlate all columns perfectly. With
/// `threshold: 1` every column stays, equal ones too.
///
/// # Differences
/// caret's `findCorrelation` (Kuhn and Johnson 2013) drops, of a pair, the column with the larger
/// mean |r|. The usual lines of pandas, which look for any value above the diagonal of
/// `DataFrame.corr`, compare with dropped columns too and may drop more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DropCorrelated {
    /// Largest correlation, of either sign, that two kept columns have.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-tunable" = true))]
    pub threshold: f64,
    /// The kind of correlation.
    pub method: Method,
}

/// The kind of correlation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Of the values: linear relations.
    #[default]
    Pearson,
    /// Of the ranks: monotonic relations.
    Spearman,
}

impl Default for DropCorrelated {
    fn default() -> Self {
        Self { threshold: 0.95, method: Method::Pearson }
    }
}

impl Operation for DropCorrelated {
    const ABOUT: About = About {
        name: "drop_correlated",
        title: "Without correlated columns",
        version: 1,
        sources: &["kuhn2013", "pearson1895", "spearman1904"],
        example: "drop_correlated: { threshold: 0.9, method: spearman }",
    };
}

impl TableStep for DropCorrelated {
    /// Positions of the kept columns, in table order.
    type State = Vec<u32>;

    const PICKS: bool = true;

    fn fit(&self, train: &Train) -> Result<Vec<u32>, Failure> {
        let rows = train.rows();
        if let Some(column) = rows.missing() {
            return Err(Failure::Missing(column.to_string()));
        }
        let mut units = Vec::with_capacity(rows.p());
        for column in rows.columns() {
            let unit = match self.method {
                Method::Pearson => unit(&column.values),
                Method::Spearman => unit(&mid_ranks(&column.values)),
            };
            units.push(unit.ok_or_else(|| {
                Failure::NotFinite(format!("the spread of `{}`", column.name))
            })?);
        }
        Ok(kept(&units, self.threshold))
    }

    fn apply(&self, kept: &Vec<u32>, rows: &mut Rows) -> Result<(), Failure> {
        let kept: Vec<usize> = kept.iter().map(|&column| column as usize).collect();
        rows.keep(&kept);
        Ok(())
    }
}

/// More than rounding adds to r in some thousand rows: equality is not left to the last digit.
const ROUNDING: f64 = 1e-12;

/// Columns that are compared together with one kept column.
const TILE: usize = 16;

/// Stretches of rows of which lengths are known.
const STRETCHES: usize = 8;

/// After so many stretches it is asked whether the others can still make a difference.
const ASKED_AFTER: [usize; 3] = [1, 2, 4];

/// A column at unit length, and roughly: most pairs of columns are so far from the threshold that it takes
/// few digits and a few rows to see it.
struct Rough<'a> {
    unit: &'a [f64],
    values: Vec<f32>,
    /// The length of each stretch of it, rounded up.
    lengths: [f32; STRETCHES],
}

impl<'a> Rough<'a> {
    fn new(unit: &'a [f64]) -> Self {
        let length = |stretch| {
            let rows = unit[rows_of(stretch, unit.len())].iter();
            let length = sqrt(rows.map(|value| value * value).sum());
            (length * (1.0 + 1e-6)) as f32
        };
        Self {
            unit,
            values: unit.iter().map(|value| *value as f32).collect(),
            lengths: std::array::from_fn(length),
        }
    }
}

/// The rows of a stretch.
fn rows_of(stretch: usize, n: usize) -> std::ops::Range<usize> {
    stretch * n / STRETCHES..(stretch + 1) * n / STRETCHES
}

/// Columns that stand next to each other, row by row, so that the products of one row are what the
/// processor does several at a time.
struct Tile {
    rows: Vec<[f32; TILE]>,
    lengths: [[f32; TILE]; STRETCHES],
}

impl Tile {
    fn new(columns: &[Rough<'_>], n: usize) -> Self {
        let mut tile =
            Self { rows: vec![[0.0; TILE]; n], lengths: [[0.0; TILE]; STRETCHES] };
        for (place, column) in columns.iter().enumerate() {
            for (row, value) in tile.rows.iter_mut().zip(&column.values) {
                row[place] = *value;
            }
            for (to, length) in tile.lengths.iter_mut().zip(column.lengths) {
                to[place] = length;
            }
        }
        tile
    }

    /// From now on no column stands at this place.
    fn leave_out(&mut self, place: usize) {
        self.rows.iter_mut().for_each(|row| row[place] = 0.0);
        self.lengths.iter_mut().for_each(|lengths| lengths[place] = 0.0);
    }

    /// The sums of products with a column, roughly; none where no column of the tile can reach as far as
    /// `reach`. By Cauchy and Schwarz, stretch by stretch: no sum of products is larger than the
    /// product of the lengths.
    fn near(&self, other: &Rough<'_>, reach: f32) -> Option<[f32; TILE]> {
        let n = self.rows.len();
        let mut sums = [0.0; TILE];
        for stretch in 0..STRETCHES {
            if ASKED_AFTER.contains(&stretch) {
                let mut most = sums.map(f32::abs);
                for rest in stretch..STRETCHES {
                    let length = other.lengths[rest];
                    for (most, own) in most.iter_mut().zip(&self.lengths[rest]) {
                        *most += length * own;
                    }
                }
                if !any_above(most, reach) {
                    return None;
                }
            }
            let rows = rows_of(stretch, n);
            add_products(&other.values[rows.clone()], &self.rows[rows], &mut sums);
        }
        any_above(sums.map(f32::abs), reach).then_some(sums)
    }
}

/// Whether any of the numbers is above `reach`.
fn any_above(numbers: [f32; TILE], reach: f32) -> bool {
    // The sign of a difference is negative where it is: the signs of all are read at once.
    let signs =
        numbers.iter().fold(0, |signs, number| signs | (reach - number).to_bits());
    signs >> 31 == 1
}

/// Adds to each sum the products of `values` with its column of `rows`.
fn add_products(values: &[f32], rows: &[[f32; TILE]], sums: &mut [f32; TILE]) {
    let mut here = *sums;
    for (value, row) in values.iter().zip(rows) {
        for (sum, other) in here.iter_mut().zip(row) {
            *sum += value * other;
        }
    }
    *sums = here;
}

/// Positions of the kept columns. `units` have unit length.
fn kept(units: &[Vec<f64>], threshold: f64) -> Vec<u32> {
    let above = |a: &Rough<'_>, b: &Rough<'_>| {
        dot(a.unit, b.unit).abs().min(1.0) - threshold > ROUNDING
    };
    let n = units.first().map_or(0, Vec::len);
    // A sum of n products of columns of unit length is wrong by less than n times the rounding of one.
    let reach =
        (threshold - 2.0 * f64::from(f32::EPSILON) * (n + STRETCHES) as f64) as f32;
    let columns: Vec<Rough<'_>> = units.iter().map(|unit| Rough::new(unit)).collect();
    let mut kept: Vec<u32> = Vec::new();
    for (number, columns_here) in columns.chunks(TILE).enumerate() {
        let mut tile = Tile::new(columns_here, n);
        let mut stays = [false; TILE];
        stays[..columns_here.len()].fill(true);
        for &other in &kept {
            let other = &columns[other as usize];
            let Some(sums) = tile.near(other, reach) else { continue };
            for (place, column) in columns_here.iter().enumerate() {
                if stays[place] && sums[place].abs() > reach && above(other, column) {
                    stays[place] = false;
                    tile.leave_out(place);
                }
            }
            if !stays.contains(&true) {
                break;
            }
        }
        let before = kept.len();
        for (place, column) in columns_here.iter().enumerate() {
            let earlier = |other: &u32| above(&columns[*other as usize], column);
            if stays[place] && !kept[before..].iter().any(earlier) {
                kept.push((number * TILE + place) as u32);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Frame, FrameColumn};

    /// Trains on the rows of `columns` in the order of `train`.
    fn train(columns: &[Vec<f64>], train: Vec<u32>) -> Train {
        let n = train.len();
        let columns = columns.iter().enumerate();
        let columns = columns.map(|(i, values)| FrameColumn {
            name: format!("c{i}").into(),
            values: values.clone(),
        });
        let frame =
            Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
        let split = Split { train, held_out: vec![] };
        split.train(&frame, &vec![Some(true); n], &vec![0; n])
    }

    fn fit(columns: &[Vec<f64>], threshold: f64, method: Method) -> Vec<u32> {
        let n = columns.first().map_or(0, Vec::len) as u32;
        let step = DropCorrelated { threshold, method };
        step.fit(&train(columns, (0..n).collect())).unwrap()
    }

    fn r(a: &[f64], b: &[f64]) -> f64 {
        unit(a).unwrap().iter().zip(unit(b).unwrap()).map(|(a, b)| a * b).sum()
    }

    /// Ties in a, b, d and e; c is constant; e falls with a.
    fn six() -> Vec<Vec<f64>> {
        vec![
            vec![1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 8.0, 13.0],
            vec![1.0, 1.0, 2.0, 4.0, 5.0, 7.0, 9.0, 30.0],
            vec![7.0; 8],
            vec![3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0],
            vec![-1.0, -2.0, -2.0, -4.0, -5.0, -8.0, -8.0, -13.5],
            vec![0.0, 1.0, 2.0, 9.0, 16.0, 40.0, 88.0, 900.0],
        ]
    }

    #[test]
    fn correlations_are_those_of_pandas() {
        // pandas 3.1.1 on numpy 2.4.6: DataFrame.corr(method); 0 here where that is NaN.
        let columns = six();
        for (a, b, pearson, spearman) in [
            (0, 1, 0.9107978395841214, 0.9757754965005868),
            (0, 2, 0.0, 0.0),
            (0, 3, 0.5566780947745439, 0.527282411152491),
            (0, 4, -0.9961668278044912, -1.0),
            (0, 5, 0.8088610830817589, 0.9880235200593538),
            (1, 3, 0.39828843270677566, 0.536144578313253),
            (1, 4, -0.9233012766146789, -0.9757754965005868),
            (1, 5, 0.9764793158358893, 0.994029797388005),
            (3, 4, -0.524694896148272, -0.527282411152491),
            (3, 5, 0.3237991579846842, 0.5030030300035688),
            (4, 5, -0.8234000678791235, -0.9880235200593538),
        ] {
            let (a, b) = (&columns[a], &columns[b]);
            let found = (r(a, b), r(&mid_ranks(a), &mid_ranks(b)));
            assert!((found.0 - pearson).abs() < 1e-14, "{found:?}");
            assert!((found.1 - spearman).abs() < 1e-14, "{found:?}");
        }
        assert_eq!(mid_ranks(&columns[3]), [4.0, 1.5, 5.0, 1.5, 6.0, 8.0, 3.0, 7.0]);
        assert_eq!(mid_ranks(&[0.0, -0.0, f64::NEG_INFINITY]), [2.5, 2.5, 1.0]);
        assert!(mid_ranks(&[]).is_empty());
    }

    #[test]
    fn a_dropped_column_drops_no_other() {
        // The same rule in Python on the matrices of pandas 3.1.1. At 0.85 column 5 correlates
        // by 0.98 with column 1, which column 0 had dropped.
        for (threshold, pearson, spearman) in [
            (0.0, vec![0, 2], vec![0, 2]),
            (0.5, vec![0, 2], vec![0, 2]),
            (0.6, vec![0, 2, 3], vec![0, 2, 3]),
            (0.85, vec![0, 2, 3, 5], vec![0, 2, 3]),
            (0.95, vec![0, 1, 2, 3], vec![0, 2, 3]),
            (0.99, vec![0, 1, 2, 3, 5], vec![0, 1, 2, 3]),
            (1.0, vec![0, 1, 2, 3, 4, 5], vec![0, 1, 2, 3, 4, 5]),
        ] {
            assert_eq!(fit(&six(), threshold, Method::Pearson), pearson, "{threshold}");
            assert_eq!(fit(&six(), threshold, Method::Spearman), spearman, "{threshold}");
        }
        let mut rows = train(&six(), (0..8).collect()).rows().clone();
        DropCorrelated::default().apply(&vec![0, 2, 3], &mut rows).unwrap();
        let names: Vec<&str> = rows.columns().iter().map(|c| &*c.name).collect();
        assert_eq!(names, ["c0", "c2", "c3"]);
    }

    #[test]
    fn what_cannot_be_correlated_is_refused_by_name() {
        let fit = |values: Vec<f64>, method| {
            let step = DropCorrelated { method, ..DropCorrelated::default() };
            step.fit(&train(&[vec![1.0, 2.0, 4.0], values], vec![0, 1, 2]))
        };
        let missing = Err(Failure::Missing("c1".to_string()));
        assert_eq!(fit(vec![1.0, f64::NAN, 3.0], Method::Pearson), missing);
        assert_eq!(fit(vec![1.0, f64::NAN, 3.0], Method::Spearman), missing);
        let infinite = vec![1.0, f64::INFINITY, 3.0];
        let spread = Err(Failure::NotFinite("the spread of `c1`".to_string()));
        assert_eq!(fit(infinite.clone(), Method::Pearson), spread);
        assert_eq!(fit(infinite, Method::Spearman), Ok(vec![0, 1]));
    }

    #[test]
    fn scale_and_offset_do_not_matter() {
        let [a, b] = [0, 3].map(|column| six()[column].clone());
        let known = r(&a, &b);
        for (scale, offset) in [(1e300, 0.0), (1e-300, 0.0), (1.0, 4e15), (-1.0, -4e15)] {
            let other: Vec<f64> =
                b.iter().map(|value| (value * scale) + offset).collect();
            let found = r(&a, &other) * f64::signum(scale);
            assert!((found - known).abs() < 1e-14, "{scale} {offset}: {found}");
        }
    }

    /// Columns of few different values, so that |r| often equals a threshold, or of any size;
    /// an order of their rows.
    fn tables() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<u32>)> {
        (0usize..8, 0usize..9, any::<bool>()).prop_flat_map(|(p, n, few)| {
            let value = match few {
                true => (0i8..4).prop_map(f64::from).boxed(),
                false => (-1e300..1e300).boxed(),
            };
            let order = Just((0..n as u32).collect::<Vec<u32>>()).prop_shuffle();
            (prop::collection::vec(prop::collection::vec(value, n), p), order)
        })
    }

    fn steps() -> impl Strategy<Value = DropCorrelated> {
        let few = prop::sample::select(vec![0.0, 0.25, 0.5, 0.6, 0.8, 0.9, 1.0]);
        let method = prop::sample::select(vec![Method::Pearson, Method::Spearman]);
        let threshold = prop_oneof![few, 0.0..=1.0];
        (threshold, method)
            .prop_map(|(threshold, method)| DropCorrelated { threshold, method })
    }

    proptest! {
        #[test]
        fn kept_columns_do_not_correlate_and_dropped_ones_do(
            (columns, order) in tables(), step in steps(),
        ) {
            let kept = step.fit(&train(&columns, (0..order.len() as u32).collect())).unwrap();
            prop_assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(&kept, &step.fit(&train(&columns, order)).unwrap());
            let r = |a: u32, b: u32| {
                let [a, b] = [a, b].map(|column| &columns[column as usize]);
                match step.method {
                    Method::Pearson => r(a, b).abs(),
                    Method::Spearman => r(&mid_ranks(a), &mid_ranks(b)).abs(),
                }
            };
            for column in 0..columns.len() as u32 {
                let mut earlier = kept.iter().filter(|other| **other < column);
                match kept.contains(&column) {
                    true => prop_assert!(
                        earlier.all(|other| r(*other, column) <= step.threshold + 1e-11)
                    ),
                    false => prop_assert!(
                        earlier.any(|other| r(*other, column) > step.threshold)
                    ),
                }
            }
        }

        #[test]
        fn no_values_make_it_panic(
            columns in (0usize..5).prop_flat_map(|n| {
                let any = prop::num::f64::ANY;
                let huge = prop::sample::select(vec![f64::MAX, f64::MIN, f64::INFINITY]);
                let column = prop::collection::vec(prop_oneof![any, huge], n);
                prop::collection::vec(column, 0..5)
            }),
            step in steps(),
        ) {
            let n = columns.first().map_or(0, Vec::len) as u32;
            let train = train(&columns, (0..n).collect());
            if let Ok(kept) = step.fit(&train) {
                let mut rows = train.rows().clone();
                step.apply(&kept, &mut rows).unwrap();
                prop_assert_eq!(rows.p(), kept.len());
            }
        }
    }
}
