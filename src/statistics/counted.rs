//! Sums over rows that count several times, as those of a resample do.

use crate::operation::Failure;

/// Sums that run beside each other, so that none waits for the last one.
const LANES: usize = 4;

/// The sum of the values of all rows, each as often as it counts.
///
/// Shapes: one value and one count per row.
pub fn counted(values: &[f64], counts: &[u32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (values, last) = values.as_chunks::<LANES>();
    let (counts, last_counts) = counts.as_chunks::<LANES>();
    for (values, counts) in values.iter().zip(counts) {
        for lane in 0..LANES {
            sums[lane] += values[lane] * f64::from(counts[lane]);
        }
    }
    let rest = last.iter().zip(last_counts);
    let rest: f64 = rest.map(|(value, count)| value * f64::from(*count)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The mean of the values of all rows, each as often as it counts.
pub fn mean_of_drawn(values: &[f64], counts: &[u32]) -> Result<f64, Failure> {
    match counts.iter().sum::<u32>() {
        0 => Err(Failure::TooFew { needed: 1, found: 0 }),
        // Whichever rows count: rounding would make an interval of one value.
        _ if values.iter().all(|value| *value == values[0]) => Ok(values[0]),
        n => Ok(counted(values, counts) / f64::from(n)),
    }
}

/// How many rows count, and how many of these are positive.
pub fn of_class(truth: &[bool], counts: &[u32]) -> (u32, u32) {
    let positive = |(class, count): (&bool, &u32)| u32::from(*class) * count;
    (counts.iter().sum(), truth.iter().zip(counts).map(positive).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_counts_twice_adds_twice() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
        assert_eq!(counted(&values, &[1, 0, 2, 1, 0, 0, 3]), 209.0);
        assert_eq!(counted(&values[..3], &[0, 1, 1]), 6.0);
        assert_eq!(counted(&[], &[]), 0.0);
        assert_eq!(of_class(&[true, false, true], &[2, 3, 0]), (5, 2));
    }

    #[test]
    fn equal_values_have_one_mean_whichever_rows_count() {
        let values = [0.09; 7];
        for counts in [[1; 7], [0, 3, 0, 1, 2, 0, 1], [7, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(mean_of_drawn(&values, &counts), Ok(0.09), "{counts:?}");
        }
        assert!(mean_of_drawn(&values, &[0; 7]).is_err());
        assert_eq!(mean_of_drawn(&[1.0, 4.0], &[2, 1]), Ok(2.0));
    }
}
