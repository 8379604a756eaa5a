//! Parts of the training rows of an outer split, each within the next larger one.

use std::collections::BTreeMap;

use crate::data::{OuterSplit, Split};
use crate::math::Stream;

/// A patient's rows among the training rows: whether any is positive, and in which inner splits any is
/// held out.
#[derive(Default)]
struct Patient {
    positive: bool,
    held_out: Vec<usize>,
}

/// The same outer split with parts of its training rows, one for each of the ascending `fractions`.
///
/// Patients stay whole, a larger part holds the smaller ones, and the rows that are held out stay as they
/// are. Of each class the share is that of all training patients, to the nearest patient; within a class
/// the patients of each inner fold are taken in even shares, so that the inner splits, which keep those
/// rows that are in the part, stay as even as they were. An inner split of which no row to learn from or
/// no row to judge is left goes.
///
/// Shapes: `outcome` and `groups` are by row of the cohort; training rows have a known outcome.
pub fn nested_parts(
    outer: &OuterSplit,
    fractions: &[f64],
    outcome: &[Option<bool>],
    groups: &[u32],
    stream: &mut Stream,
) -> Vec<OuterSplit> {
    let group = |row: &u32| groups[*row as usize];
    let mut patients: BTreeMap<u32, Patient> = BTreeMap::new();
    for row in &outer.split.train {
        let patient = patients.entry(group(row)).or_default();
        patient.positive |= outcome[*row as usize] == Some(true);
    }
    for (at, split) in outer.inner.iter().enumerate() {
        for row in &split.held_out {
            let patient = patients.entry(group(row)).or_default();
            if patient.held_out.last() != Some(&at) {
                patient.held_out.push(at);
            }
        }
    }
    let mut cells: BTreeMap<(bool, Vec<usize>), Vec<u32>> = BTreeMap::new();
    for (patient, Patient { positive, held_out }) in patients {
        cells.entry((positive, held_out)).or_default().push(patient);
    }
    // The turn of a patient is its place in its cell over the size of the cell: those of each cell are
    // spread evenly over all turns of the class.
    let mut order: [Vec<(f64, u32)>; 2] = Default::default();
    for ((positive, _), mut cell) in cells {
        stream.shuffle(&mut cell);
        let n = cell.len() as f64;
        let turns = cell.into_iter().enumerate();
        let turns = turns.map(|(at, of)| ((at as f64 + stream.uniform()) / n, of));
        order[usize::from(positive)].extend(turns);
    }
    for turns in &mut order {
        turns.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }
    let part = |fraction: &f64| {
        let kept = order.iter().flat_map(|turns| {
            let n = (fraction * turns.len() as f64).round() as usize;
            turns.iter().take(n).map(|(_, patient)| *patient)
        });
        let kept: std::collections::BTreeSet<u32> = kept.collect();
        let of = |rows: &[u32]| -> Vec<u32> {
            rows.iter().copied().filter(|row| kept.contains(&group(row))).collect()
        };
        let inner = outer.inner.iter().map(|split| Split {
            train: of(&split.train),
            held_out: of(&split.held_out),
        });
        OuterSplit {
            split: Split {
                train: of(&outer.split.train),
                held_out: outer.split.held_out.clone(),
            },
            inner: inner
                .filter(|split| !split.train.is_empty() && !split.held_out.is_empty())
                .collect(),
        }
    };
    fractions.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Patients of two rows each, of whom the first are positive; every fifth patient is held out, and
    /// the others are dealt to four inner folds.
    fn outer(n: u32, positive: u32) -> (OuterSplit, Vec<Option<bool>>, Vec<u32>) {
        let rows = |wanted: &dyn Fn(u32) -> bool| -> Vec<u32> {
            (0..2 * n).filter(|row| wanted(row / 2)).collect()
        };
        let train = |patient: u32| patient % 5 != 4;
        let inner = (0..4).map(|fold| Split {
            train: rows(&|of| train(of) && of % 5 % 4 != fold),
            held_out: rows(&|of| train(of) && of % 5 % 4 == fold),
        });
        let split = Split { train: rows(&train), held_out: rows(&|of| !train(of)) };
        let outcome = (0..2 * n).map(|row| Some(row / 2 < positive)).collect();
        let groups = (0..2 * n).map(|row| row / 2).collect();
        (OuterSplit { split, inner: inner.collect() }, outcome, groups)
    }

    proptest! {
        #[test]
        fn parts_are_nested_whole_and_of_the_same_prevalence(
            n in 20u32..120, share in 0.2f64..0.8, seed in any::<u64>(),
        ) {
            let positive = (f64::from(n) * share) as u32;
            let (outer, outcome, groups) = outer(n, positive);
            let mut stream = Stream::new(seed, &["test"]);
            let fractions = [0.25, 0.5, 0.75, 1.0];
            let parts = nested_parts(&outer, &fractions, &outcome, &groups, &mut stream);
            prop_assert_eq!(&parts[3], &outer, "all of them are the split itself");
            let of_class = |rows: &[u32], class: bool| {
                let rows = rows.iter().filter(|row| outcome[**row as usize] == Some(class));
                rows.count() / 2
            };
            for (part, fraction) in parts.iter().zip(fractions) {
                prop_assert_eq!(&part.split.held_out, &outer.split.held_out);
                for class in [false, true] {
                    let all = of_class(&outer.split.train, class);
                    let expected = (fraction * all as f64).round() as usize;
                    prop_assert_eq!(of_class(&part.split.train, class), expected);
                }
                let train: BTreeSet<u32> = part.split.train.iter().copied().collect();
                // Both rows of a patient or none.
                prop_assert!(train.iter().all(|row| train.contains(&(row ^ 1))));
                for split in &part.inner {
                    let rows = split.train.iter().chain(&split.held_out);
                    prop_assert_eq!(rows.copied().collect::<BTreeSet<_>>(), train.clone());
                    prop_assert!(split.held_out.iter().all(|row| !split.train.contains(row)));
                }
            }
            for pair in parts.windows(2) {
                let larger = &pair[1].split.train;
                prop_assert!(pair[0].split.train.iter().all(|row| larger.contains(row)));
            }
        }
    }

    #[test]
    fn inner_folds_stay_even() {
        let (outer, outcome, groups) = outer(100, 40);
        let mut stream = Stream::new(7, &["test"]);
        let parts = nested_parts(&outer, &[0.25], &outcome, &groups, &mut stream);
        // Of 32 positive patients to learn from, 8 in each inner fold, there are 8: two in each.
        for split in &parts[0].inner {
            let positive = split.held_out.iter().filter(|row| **row / 2 < 40).count();
            assert_eq!(positive, 2 * 2);
        }
    }

    #[test]
    fn an_inner_split_without_anybody_goes() {
        let (outer, outcome, groups) = outer(10, 2);
        let mut stream = Stream::new(1, &["test"]);
        let parts = nested_parts(&outer, &[0.13], &outcome, &groups, &mut stream);
        assert_eq!(parts[0].split.train.len(), 2, "one negative patient");
        assert!(parts[0].inner.is_empty(), "nobody is left to learn from");
    }
}
