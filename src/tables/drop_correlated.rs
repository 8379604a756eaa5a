//! Columns that say what an earlier one says, left out.

use crate::math::rough::{
    GROUPS, LANES, Lanes, ONE, ONE_OF_PRODUCTS, TILE, digits_lost, products, sums,
};
use crate::math::{Units, dot, mid_ranks, sqrt};
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
/// # State
/// The positions of the columns that stay, from 0.
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
        let columns = || rows.columns().iter().map(|column| column.values.as_slice());
        let units = match self.method {
            Method::Pearson => Units::of(&columns().collect::<Vec<_>>()),
            Method::Spearman => {
                let ranks: Vec<Vec<f64>> = columns().map(mid_ranks).collect();
                Units::of(&ranks.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
        };
        let units = units.map_err(|at| {
            Failure::NotFinite(format!("the spread of `{}`", rows.columns()[at].name))
        })?;
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

/// Columns that each kept column is compared with in turn while their numbers are at hand.
const BLOCK: usize = 16 * TILE;

/// The head is no longer than this: the sums of its products have 16 bits, and each product is rounded.
const LONGEST_HEAD: usize = 1024;

/// Columns at unit length, and roughly: most pairs of columns are so far from the threshold that it
/// takes few digits and few rows to see it.
struct Columns<'a> {
    units: &'a Units,
    threshold: f64,
    /// Rows of a rough column.
    n: usize,
    /// Of these, the first that are looked at.
    head: usize,
    /// The rough columns one after another, rounded towards 0. Their rows are sums and differences of rows,
    /// by which neither lengths nor products change.
    rough: Vec<i16>,
    /// The length of each column in the rows behind its head, rounded up.
    tails: Vec<i16>,
    /// Up to here a bound from [`Tile::bounds`] says that |r| is not above the threshold.
    harmless: i16,
}

impl<'a> Columns<'a> {
    fn new(units: &'a Units, threshold: f64) -> Self {
        let n = units.n().next_multiple_of(8);
        // Two columns that have nothing in common, of n values of like size: their products in the head
        // are seldom further from 0 than three times and a bit their spread.
        let tells = |head: &usize| {
            let lost = errors(*head) / ONE_OF_PRODUCTS;
            let [head, n] = [*head as f64, n as f64];
            let most = 1.0 - head / n + 3.3 * sqrt(head) / n;
            most < threshold - lost
        };
        let head = (0..n).step_by(4).find(tells).unwrap_or(n).min(LONGEST_HEAD);
        let harmless = threshold * ONE_OF_PRODUCTS - errors(head);
        let mut columns = Self {
            units,
            threshold,
            n,
            head,
            rough: Vec::with_capacity(n * units.p()),
            tails: Vec::with_capacity(units.p()),
            harmless: harmless.floor() as i16,
        };
        let mut rows = vec![0.0; n];
        for unit in units.columns() {
            rows[..unit.len()].copy_from_slice(unit);
            rows[unit.len()..].fill(0.0);
            mix(&mut rows);
            columns.rough.extend(rows.iter().map(|value| (value * ONE) as i16));
            let squares: f64 = rows[head..].iter().map(|value| value * value).sum();
            columns.tails.push((sqrt(squares) * (1.0 + 1e-9) * ONE + 1.0) as i16);
        }
        columns
    }

    fn rough(&self, column: usize) -> &[i16] {
        &self.rough[column * self.n..(column + 1) * self.n]
    }

    fn head(&self, column: usize) -> &[i16] {
        &self.rough(column)[..self.head]
    }

    /// Whether |r| is above the threshold.
    fn above(&self, a: usize, b: usize) -> bool {
        let product = |(a, b): (&i16, &i16)| i32::from(*a) * i32::from(*b);
        let rough: i32 = self.rough(a).iter().zip(self.rough(b)).map(product).sum();
        // Each factor is wrong by less than 1, and by Cauchy and Schwarz the numbers of a column of
        // unit length have at most the sum √n.
        let error = 2.0 * ONE * (sqrt(self.n as f64) + 1.0);
        f64::from(rough.abs()) + error > self.threshold * ONE * ONE
            && dot(self.units.column(a), self.units.column(b)).abs().min(1.0)
                - self.threshold
                > ROUNDING
    }
}

/// By how much a bound from [`Tile::bounds`] may be too small: what the products of the head lose, and a
/// digit of the product of the tails.
fn errors(head: usize) -> f64 {
    digits_lost(head) + 1.0
}

/// Takes sums and differences of rows, eight by eight (a Hadamard matrix), at unchanged length. A column with
/// few large values has them in all eight then, so that a few rows hold about their share of every
/// column.
fn mix(rows: &mut [f64]) {
    let part = rows.len() / 8;
    if part == 0 {
        return;
    }
    for apart in [4 * part, 2 * part, part] {
        for pair in rows.chunks_exact_mut(2 * apart) {
            let (a, b) = pair.split_at_mut(apart);
            for (a, b) in a.iter_mut().zip(b) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
    }
    let length = sqrt(8.0);
    rows.iter_mut().for_each(|value| *value /= length);
}

/// Columns that stand next to each other, row by row.
struct Tile {
    head: Vec<[Lanes; GROUPS]>,
    tails: [Lanes; GROUPS],
}

impl Tile {
    fn new(columns: &Columns<'_>, here: &[usize]) -> Self {
        let mut tile = Self {
            head: vec![[[0; LANES]; GROUPS]; columns.head],
            tails: [[0; LANES]; GROUPS],
        };
        for (place, &column) in here.iter().enumerate() {
            let (group, lane) = (place / LANES, place % LANES);
            for (row, value) in tile.head.iter_mut().zip(columns.head(column)) {
                row[group][lane] = *value;
            }
            tile.tails[group][lane] = columns.tails[column];
        }
        tile
    }

    /// From now on no column stands at this place.
    fn leave_out(&mut self, place: usize) {
        let (group, lane) = (place / LANES, place % LANES);
        self.head.iter_mut().for_each(|row| row[group][lane] = 0);
        self.tails[group][lane] = 0;
    }

    /// How large |r| with the column of this head and tail may be, but for [`errors`]; none where no
    /// bound is above `harmless`. By Cauchy and Schwarz, what is behind the head adds no more
    /// than the product of the lengths.
    fn bounds(
        &self,
        head: &[Lanes],
        tail: i16,
        harmless: i16,
    ) -> Option<[Lanes; GROUPS]> {
        // Products are rounded down: half of what that takes is given back at once.
        let half = (self.head.len() / 2) as i16;
        let mut bounds = [[half; LANES]; GROUPS];
        for (value, row) in head.iter().zip(&self.head) {
            for (sum, other) in bounds.iter_mut().zip(row) {
                *sum = sums(sum, &products(value, other));
            }
        }
        let mut most = [i16::MIN; LANES];
        for (bound, other) in bounds.iter_mut().zip(&self.tails) {
            let size = bound.map(|sum| sum.max(sum.wrapping_neg()));
            *bound = sums(&size, &products(&[tail; LANES], other));
            most = std::array::from_fn(|lane| most[lane].max(bound[lane]));
        }
        most.iter().max().is_some_and(|most| *most > harmless).then_some(bounds)
    }
}

/// Neighbouring columns, and which of them stay.
struct Block<'a> {
    columns: &'a Columns<'a>,
    first: usize,
    tiles: Vec<Tile>,
    stays: Vec<[bool; TILE]>,
    /// The head of another column, each value for all lanes.
    spread: Vec<Lanes>,
}

impl<'a> Block<'a> {
    fn new(columns: &'a Columns<'a>, here: &[usize]) -> Self {
        let stays = |here: &[usize]| std::array::from_fn(|place| place < here.len());
        Self {
            columns,
            first: here[0],
            tiles: here.chunks(TILE).map(|here| Tile::new(columns, here)).collect(),
            stays: here.chunks(TILE).map(stays).collect(),
            spread: vec![[0; LANES]; columns.head],
        }
    }

    /// Whether a column of the block was not dropped.
    fn stays(&self, column: usize) -> bool {
        self.stays.as_flattened()[column - self.first]
    }

    /// Drops the columns from `from` on that correlate with a kept one.
    fn drop_near(&mut self, kept: usize, from: usize) {
        let columns = self.columns;
        for (lanes, value) in self.spread.iter_mut().zip(columns.head(kept)) {
            *lanes = [*value; LANES];
        }
        let harmless = columns.harmless;
        let tiles = self.tiles.iter_mut().zip(&mut self.stays).enumerate();
        for (number, (tile, stays)) in tiles.skip((from - self.first) / TILE) {
            let bounds = tile.bounds(&self.spread, columns.tails[kept], harmless);
            let Some(bounds) = bounds else { continue };
            let first = self.first + number * TILE;
            for (place, bound) in bounds.as_flattened().iter().enumerate() {
                if *bound > harmless
                    && stays[place]
                    && first + place >= from
                    && columns.above(kept, first + place)
                {
                    stays[place] = false;
                    tile.leave_out(place);
                }
            }
        }
    }
}

/// Positions of the kept columns.
fn kept(units: &Units, threshold: f64) -> Vec<u32> {
    let columns = Columns::new(units, threshold);
    let all: Vec<usize> = (0..units.p()).collect();
    let mut kept: Vec<usize> = Vec::new();
    for here in all.chunks(BLOCK) {
        let mut block = Block::new(&columns, here);
        kept.iter().for_each(|&earlier| block.drop_near(earlier, here[0]));
        for &column in here {
            if block.stays(column) {
                kept.push(column);
                block.drop_near(column, column + 1);
            }
        }
    }
    kept.into_iter().map(|column| column as u32).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Frame, FrameColumn};
    use crate::math::unit;

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

    /// The rule as it is told.
    fn kept_plainly(units: &Units, threshold: f64) -> Vec<u32> {
        let mut kept: Vec<u32> = Vec::new();
        for (column, unit) in (0..).zip(units.columns()) {
            let above = |other: &u32| {
                let r = dot(units.column(*other as usize), unit).abs().min(1.0);
                r - threshold > ROUNDING
            };
            if !kept.iter().any(above) {
                kept.push(column);
            }
        }
        kept
    }

    /// Columns at unit length: of even and of very uneven values, with one that sticks out, constant, and
    /// near copies of earlier ones of either sign.
    fn drawn(seed: u64, n: usize, p: usize) -> Units {
        let mut stream = Stream::new(seed, &["drop_correlated"]);
        let mut columns: Vec<Vec<f64>> = Vec::new();
        for _ in 0..p {
            let noise: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            let kind = stream.below(8);
            let column = match kind {
                0 => noise.iter().map(|value| value * value * value.abs()).collect(),
                1 => {
                    let place = stream.below(n);
                    (0..n).map(|row| f64::from(u8::from(row == place))).collect()
                }
                2 => vec![noise[0]; n],
                3..7 if !columns.is_empty() => {
                    let share = [0.0, 1e-9, 0.02, 0.1, 0.3, 1.0][stream.below(6)];
                    let share = share * f64::signum(noise[0]);
                    let pairs = columns[stream.below(columns.len())].iter().zip(&noise);
                    pairs.map(|(earlier, noise)| noise * share - earlier).collect()
                }
                _ => noise,
            };
            columns.push(column);
        }
        Units::of(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_told_apart_roughly_is_told_as_by_all_digits() {
        let nothing: &[f64] = &[];
        for (n, p) in [(12, 2 * BLOCK + 7), (103, BLOCK + 1), (9, TILE), (8, 1), (0, 3)] {
            let units = match n {
                0 => Units::of(&vec![nothing; p]).unwrap(),
                n => drawn(n as u64, n, p),
            };
            for threshold in [0.0, 0.4, 0.8, 0.95, 0.999, 1.0] {
                let (found, plain) =
                    (kept(&units, threshold), kept_plainly(&units, threshold));
                assert_eq!(found, plain, "{n} x {p}, {threshold}");
            }
        }
    }

    #[test]
    fn mixed_rows_have_the_products_of_the_rows() {
        let units: Vec<Vec<f64>> =
            drawn(1, 24, 2).columns().map(<[f64]>::to_vec).collect();
        let mut mixed = units.clone();
        mixed.iter_mut().for_each(|rows| mix(rows));
        for (a, b) in [(0, 0), (0, 1), (1, 1)] {
            let found = dot(&mixed[a], &mixed[b]);
            assert!((found - dot(&units[a], &units[b])).abs() < 1e-14, "{found}");
        }
        let mut one = vec![0.0; 24];
        one[7] = 1.0;
        mix(&mut one);
        let shares = one.iter().filter(|value| (value.abs() - sqrt(0.125)).abs() < 1e-15);
        assert_eq!(shares.count(), 8);
        mix(&mut []);
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
        fn thresholds_close_to_a_correlation_part_columns_as_by_all_digits(
            seed: u64,
            n in 2usize..300,
            p in 2usize..80,
            pair in any::<[prop::sample::Index; 2]>(),
            beside in prop::sample::select(
                vec![0.0, 5e-13, -5e-13, 2e-12, -2e-12, 1e-8, -1e-8, 1e-4, -1e-4, 1e-2, -1e-2],
            ),
        ) {
            let units = drawn(seed, n, p);
            let [a, b] = pair.map(|index| units.column(index.index(p)));
            let threshold = (dot(a, b).abs() + beside).clamp(0.0, 1.0);
            prop_assert_eq!(kept(&units, threshold), kept_plainly(&units, threshold));
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
