//! Whether a row is like those that a model was developed on.
//!
//! No operation: a frozen model always has it, and nothing about it is chosen.

use crate::data::Familiar;
use crate::math::{Stream, dot, quantile_of_sorted, sqrt};

/// Most directions that are kept: what is stored stays small, however many columns there are.
const DIRECTIONS: usize = 10;
/// Most rounds of the search for directions, and the change of their variances that ends it.
const ROUNDS: usize = 300;
const STANDS: f64 = 1e-12;
/// The least variance of standardised columns that anything is measured against: a column that
/// others determine is allowed a hundredth of its standard deviation.
const LEAST: f64 = 1e-4;
/// Parts that take turns in being left out.
const PARTS: usize = 5;
/// The share of left-out development rows that are familiar.
const SHARE: f64 = 0.99;

/// What these rows look like. Rows of a group are left out together.
///
/// The distance is Mahalanobis' under a normal model of the standardised columns with free variances
/// along at most ten directions and one variance for all others (probabilistic principal components,
/// tipping1999, equation 7 with σ² as there). Up to ten columns it is the common Mahalanobis distance. The limit is
/// the 99th percentile of the distances of development rows, each measured by a model of four fifths of the
/// groups that it is not in.
///
/// Shape: `columns` p columns of n values, `groups` n. `None` for under ten rows.
pub fn familiar(columns: &[&[f64]], groups: &[u32]) -> Option<Familiar> {
    let n = groups.len();
    if n < 10 || columns.iter().any(|column| column.iter().any(|v| !v.is_finite())) {
        return None;
    }
    let mut distances = Vec::with_capacity(n);
    for (others, left_out) in turns(groups) {
        let model = model(columns, &others);
        for row in left_out {
            let values: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            distances.push(distance(&model, &values));
        }
    }
    distances.sort_by(f64::total_cmp);
    let limit = quantile_of_sorted(&distances, SHARE)?;
    let whole = model(columns, &(0..n).collect::<Vec<usize>>());
    (limit > 0.0).then_some(Familiar { limit, ..whole })
}

/// How far outside of a range a value lies, in widths of the range; 0 within it.
pub fn beyond((low, high): (f64, f64), value: f64) -> f64 {
    let outside = (low - value).max(value - high);
    match outside > 0.0 {
        true => outside / (high - low),
        false => 0.0,
    }
}

/// How far outside of the range of a predictor a subject may be and still be like the others: the 99th
/// percentile, over rows, of the farthest that any of their values lies outside of the ranges of four
/// fifths of the groups that they are not in. Among many predictors most subjects are the least or the
/// greatest of something, so that an end of a range alone says little.
///
/// Shape: `columns` p columns of n values, a missing one NaN; `groups` n. `None` for under ten rows. A
/// range without width gives no measure and is passed over.
pub fn reach(columns: &[&[f64]], groups: &[u32]) -> Option<f64> {
    let n = groups.len();
    if n < 10 {
        return None;
    }
    let mut farthest = vec![0.0f64; n];
    for (others, left_out) in turns(groups) {
        for column in columns {
            let known = others.iter().map(|&row| column[row]).filter(|v| !v.is_nan());
            let ends = known
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                    (low.min(v), high.max(v))
                });
            if ends.0 >= ends.1 {
                continue;
            }
            for &row in &left_out {
                // Nothing is beyond anything where a value is missing.
                farthest[row] = farthest[row].max(beyond(ends, column[row]));
            }
        }
    }
    farthest.sort_by(f64::total_cmp);
    quantile_of_sorted(&farthest, SHARE).filter(|reach| reach.is_finite())
}

/// Each of the parts that take turns: the rows of all others, and its own. Rows of a group stay together.
fn turns(groups: &[u32]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut order: Vec<u32> = groups.to_vec();
    order.sort_unstable();
    order.dedup();
    let part = |row: usize| order.partition_point(|g| *g < groups[row]) % PARTS;
    (0..PARTS)
        .map(|left_out| (0..groups.len()).partition(|row| part(*row) != left_out))
        .collect()
}

/// The distance of a row with these values.
pub fn distance(familiar: &Familiar, values: &[f64]) -> f64 {
    let z: Vec<f64> = values
        .iter()
        .zip(&familiar.columns)
        .map(|(value, (mean, sd))| if *sd == 0.0 { 0.0 } else { (value - mean) / sd })
        .collect();
    let mut left = dot(&z, &z);
    let mut sum = 0.0;
    for (direction, variance) in familiar.directions.iter().zip(&familiar.variances) {
        let along = dot(direction, &z);
        left -= along * along;
        sum += along * along / variance;
    }
    sqrt(sum + left.max(0.0) / familiar.rest)
}

fn model(columns: &[&[f64]], rows: &[usize]) -> Familiar {
    let n = rows.len() as f64;
    let moments = |column: &&[f64]| {
        let mean = rows.iter().map(|&row| column[row]).sum::<f64>() / n;
        let squares = rows.iter().map(|&row| (column[row] - mean) * (column[row] - mean));
        let sd = sqrt(squares.sum::<f64>() / n);
        let first = rows.first().map(|&row| column[row]);
        // Rounding leaves a trace of spread in a constant column.
        let constant = rows.iter().all(|&row| Some(column[row]) == first);
        if constant { (mean, 0.0) } else { (mean, sd) }
    };
    let moments: Vec<(f64, f64)> = columns.iter().map(moments).collect();
    let z: Vec<Vec<f64>> = rows
        .iter()
        .map(|&row| {
            let values = columns.iter().zip(&moments).map(|(column, (mean, sd))| {
                if *sd == 0.0 { 0.0 } else { (column[row] - mean) / sd }
            });
            values.collect()
        })
        .collect();
    let used = moments.iter().filter(|(_, sd)| *sd > 0.0).count();
    let (mut directions, mut variances) = main_directions(&z, used);
    while variances.last().is_some_and(|variance| *variance < LEAST) {
        variances.pop();
        directions.pop();
    }
    // Standardised columns have variance 1 each.
    let explained: f64 = variances.iter().sum();
    let others = used.saturating_sub(variances.len()).max(1) as f64;
    let rest = ((used as f64 - explained) / others).max(LEAST);
    Familiar {
        columns: moments,
        directions,
        variances,
        rest,
        limit: f64::INFINITY,
        reach: 0.0,
    }
}

/// The directions of most variance with their variances, by subspace iteration with as many further
/// directions (halko2011, sections 4.2 and 4.5), until the variances stand.
fn main_directions(z: &[Vec<f64>], used: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let p = z.first().map_or(0, Vec::len);
    let most = used.min(z.len().saturating_sub(1));
    let n = z.len() as f64;
    let times = |v: &[f64]| {
        let mut sum = vec![0.0; p];
        for row in z {
            let along = dot(row, v) / n;
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += along * value);
        }
        sum
    };
    // Any start will do; a fixed one gives the same digits every time.
    let mut stream = Stream::new(0, &["directions of most variance"]);
    let random = |_| (0..p).map(|_| stream.normal()).collect();
    let mut basis: Vec<Vec<f64>> = (0..most.min(2 * DIRECTIONS)).map(random).collect();
    let mut before: Vec<f64> = Vec::new();
    for _ in 0..ROUNDS {
        basis = basis.iter().map(|v| times(v)).collect();
        orthonormalise(&mut basis);
        let images: Vec<Vec<f64>> = basis.iter().map(|v| times(v)).collect();
        let small: Vec<Vec<f64>> = basis
            .iter()
            .map(|v| images.iter().map(|image| dot(v, image)).collect())
            .collect();
        let (values, vectors) = eigen(small);
        let mut order: Vec<usize> = (0..basis.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let direction = |&of: &usize| {
            let mut sum = vec![0.0; p];
            for (v, row) in basis.iter().zip(&vectors) {
                sum.iter_mut().zip(v).for_each(|(sum, value)| *sum += row[of] * value);
            }
            sum
        };
        basis = order.iter().map(direction).collect();
        let kept = order.iter().take(DIRECTIONS);
        let variances: Vec<f64> = kept.map(|&of| values[of].max(0.0)).collect();
        let stand = variances.len() == before.len()
            && variances.iter().zip(&before).all(|(a, b)| (a - b).abs() <= STANDS * a);
        before = variances;
        if stand {
            break;
        }
    }
    basis.truncate(before.len());
    (basis, before)
}

/// Gram and Schmidt's procedure, twice for full precision; what depends on others is dropped.
fn orthonormalise(basis: &mut Vec<Vec<f64>>) {
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(basis.len());
    for mut v in basis.drain(..) {
        let before = sqrt(dot(&v, &v));
        for _ in 0..2 {
            for known in &done {
                let along = dot(known, &v);
                v.iter_mut().zip(known).for_each(|(v, known)| *v -= along * known);
            }
        }
        let length = sqrt(dot(&v, &v));
        if length > 1e-10 * before && length > 0.0 {
            v.iter_mut().for_each(|v| *v /= length);
            done.push(v);
        }
    }
    *basis = done;
}

/// Eigenvalues and, by column, eigenvectors of a small symmetric matrix, by Jacobi's rotations.
fn eigen(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let k = a.len();
    let mut vectors: Vec<Vec<f64>> =
        (0..k).map(|i| (0..k).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..50 {
        let off: f64 = (0..k).map(|i| dot(&a[i][..i], &a[i][..i])).sum();
        if off < 1e-30 {
            break;
        }
        for p in 0..k {
            for q in p + 1..k {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t =
                    1.0f64.copysign(theta) / (theta.abs() + sqrt(theta * theta + 1.0));
                let c = 1.0 / sqrt(t * t + 1.0);
                let s = t * c;
                for row in a.iter_mut().chain(&mut vectors) {
                    let (x, y) = (row[p], row[q]);
                    (row[p], row[q]) = (c * x - s * y, s * x + c * y);
                }
                for j in 0..k {
                    let (x, y) = (a[p][j], a[q][j]);
                    (a[p][j], a[q][j]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    ((0..k).map(|i| a[i][i]).collect(), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(n: usize, p: usize) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(3, &["novelty test"]);
        let shared: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let column = |j: usize| {
            let pull = if j.is_multiple_of(2) { 1.0 } else { 0.0 };
            shared.iter().map(|s| 5.0 + s * pull + stream.normal() * 0.5).collect()
        };
        (0..p).map(column).collect()
    }

    fn of(columns: &[Vec<f64>]) -> Familiar {
        let n = columns[0].len();
        let groups: Vec<u32> = (0..n as u32).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        familiar(&columns, &groups).unwrap()
    }

    #[test]
    fn with_few_columns_it_is_mahalanobis_distance() {
        let columns = columns(60, 2);
        let familiar = of(&columns);
        // By the closed form for two standardised columns with correlation r.
        let z = |j: usize, value: f64| {
            (value - familiar.columns[j].0) / familiar.columns[j].1
        };
        let pairs = columns[0].iter().zip(&columns[1]);
        let r: f64 = pairs.map(|(a, b)| z(0, *a) * z(1, *b)).sum::<f64>() / 60.0;
        for (a, b) in [(5.0, 5.0), (9.0, 1.0), (4.0, 6.5)] {
            let (x, y) = (z(0, a), z(1, b));
            let squared = (x * x - 2.0 * r * x * y + y * y) / (1.0 - r * r);
            assert!((distance(&familiar, &[a, b]) - sqrt(squared)).abs() < 1e-9);
        }
    }

    #[test]
    fn directions_are_those_of_the_whole_matrix() {
        // Noise alone: no direction stands out, so a search for them ends late.
        let mut stream = Stream::new(4, &["novelty test"]);
        let z: Vec<Vec<f64>> =
            (0..90).map(|_| (0..35).map(|_| stream.normal()).collect()).collect();
        let of =
            |a: usize, b: usize| z.iter().map(|row| row[a] * row[b]).sum::<f64>() / 90.0;
        let whole = (0..35).map(|a| (0..35).map(|b| of(a, b)).collect()).collect();
        let (mut expected, _) = eigen(whole);
        expected.sort_by(|a, b| b.total_cmp(a));
        let (directions, variances) = main_directions(&z, 35);
        assert_eq!((directions.len(), variances.len()), (DIRECTIONS, DIRECTIONS));
        for (found, expected) in variances.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-8 * expected, "{found} {expected}");
        }
        for (v, variance) in directions.iter().zip(&variances) {
            let along: f64 = z.iter().map(|row| dot(row, v) * dot(row, v)).sum();
            assert!((along / 90.0 - variance).abs() < 1e-8);
        }
    }

    #[test]
    fn a_row_off_the_common_plane_is_novel_though_each_value_is_common() {
        // All of these follow one hidden number.
        let columns: Vec<Vec<f64>> = columns(80, 40).into_iter().step_by(2).collect();
        let familiar = of(&columns);
        let row = |at: usize| -> Vec<f64> { columns.iter().map(|c| c[at]).collect() };
        let within =
            (0..80).filter(|&at| distance(&familiar, &row(at)) <= familiar.limit);
        assert!(within.count() >= 72);
        // Half of them are high, and half low.
        let unlike: Vec<f64> =
            (0..20).map(|j| if j % 2 == 0 { 6.4 } else { 3.6 }).collect();
        let ends = |column: &Vec<f64>| {
            let low = column.iter().copied().fold(f64::INFINITY, f64::min);
            (low, column.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        };
        assert!(columns.iter().zip(&unlike).all(|(column, value)| {
            let (low, high) = ends(column);
            low <= *value && *value <= high
        }));
        assert!(distance(&familiar, &unlike) > familiar.limit);
    }

    /// Of many predictors most rows are the least or the greatest of one: that alone is nothing new.
    #[test]
    fn the_end_of_one_range_of_many_is_within_reach() {
        let mut stream = Stream::new(5, &["novelty test"]);
        // Skewed, as many features are.
        let mut draw = || -> Vec<f64> {
            (0..200).map(|_| crate::math::exp(stream.normal())).collect()
        };
        let rows: Vec<Vec<f64>> = (0..120).map(|_| draw()).collect();
        let others: Vec<Vec<f64>> = (0..200).map(|_| draw()).collect();
        let columns: Vec<Vec<f64>> =
            (0..200).map(|j| rows.iter().map(|row| row[j]).collect()).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let groups: Vec<u32> = (0..120).collect();
        let reach = reach(&columns, &groups).unwrap();
        let ends = |column: &&[f64]| {
            let low = column.iter().copied().fold(f64::INFINITY, f64::min);
            (low, column.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        };
        let farthest = |row: &Vec<f64>| {
            let all = columns.iter().zip(row).map(|(c, value)| beyond(ends(c), *value));
            all.fold(0.0, f64::max)
        };
        let farthest: Vec<f64> = others.iter().map(farthest).collect();
        assert!(farthest.iter().filter(|far| **far > 0.0).count() > 100);
        assert!(farthest.iter().filter(|far| **far > reach).count() < 14);
        // A missing value is nowhere, and a range without width measures nothing.
        assert_eq!(super::reach(&[&[f64::NAN; 12], &[1.0; 12]], &[0; 12]), Some(0.0));
        assert_eq!(super::reach(&[&[1.0; 9]], &[0; 9]), None);
        assert_eq!(beyond((1.0, 3.0), 2.0), 0.0);
        assert_eq!((beyond((1.0, 3.0), 4.0), beyond((1.0, 3.0), 0.0)), (0.5, 0.5));
        assert_eq!(
            (beyond((1.0, 1.0), 1.0), beyond((1.0, 1.0), 1.1)),
            (0.0, f64::INFINITY)
        );
        assert_eq!(beyond((1.0, 3.0), f64::NAN), 0.0);
    }

    #[test]
    fn constant_and_repeated_columns_do_no_harm() {
        let mut columns = columns(40, 3);
        columns.push(vec![2.0; 40]);
        columns.push(columns[0].iter().map(|v| v * 3.0 - 1.0).collect());
        let familiar = of(&columns);
        let row: Vec<f64> = columns.iter().map(|column| column[3]).collect();
        assert!(distance(&familiar, &row) <= familiar.limit * 1.5);
        let mut broken = row.clone();
        broken[4] += 3.0;
        assert!(distance(&familiar, &broken) > 2.0 * familiar.limit);
        assert_eq!(super::familiar(&[&[1.0; 9]], &[0; 9]), None);
    }
}
