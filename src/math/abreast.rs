//! Sums over several columns beside each other.
//!
//! A sum in order waits for each addition before the next one. Sums of other columns fill the waiting, and
//! each keeps its order and so its bits.

/// As many sums as fill the waiting of one.
pub const ABREAST: usize = 8;

/// Up to [`ABREAST`] columns of equal length; where there are fewer, the last one stands for the others.
///
/// Panics when there is none.
pub fn abreast<'a>(columns: &[&'a [f64]]) -> [&'a [f64]; ABREAST] {
    std::array::from_fn(|at| columns[at.min(columns.len() - 1)])
}

/// Of each column the sum, in order, of what `term` makes of its values; `term` is told which column.
pub fn sums_abreast(
    columns: [&[f64]; ABREAST],
    term: impl Fn(usize, f64) -> f64,
) -> [f64; ABREAST] {
    let n = columns[0].len();
    let columns = columns.map(|column| &column[..n]);
    // As the sum of an iterator begins.
    let mut sums = [-0.0; ABREAST];
    for row in 0..n {
        for at in 0..ABREAST {
            sums[at] += term(at, columns[at][row]);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;

    #[test]
    fn sums_have_the_bits_of_one_after_another() {
        let mut stream = Stream::new(1, &["abreast"]);
        for n in [0, 1, 2, 7, 73] {
            let columns: Vec<Vec<f64>> =
                (0..11).map(|_| (0..n).map(|_| stream.normal()).collect()).collect();
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            for here in columns.chunks(ABREAST) {
                let side = abreast(here);
                let sums = sums_abreast(side, |at, value| value * (at as f64 + 0.3));
                for (at, column) in here.iter().enumerate() {
                    let one = column.iter().map(|value| value * (at as f64 + 0.3));
                    assert_eq!(sums[at].to_bits(), one.sum::<f64>().to_bits());
                }
            }
        }
    }
}
