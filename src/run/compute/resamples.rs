//! How often each resample draws each position: the same for all that are of one size, drawn once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::math::Stream;

/// Counts that are kept at most, of four bytes each; further ones are drawn whenever they are used.
const KEPT: usize = 1 << 23;

/// What resamples are drawn for, which names their random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Measures, of which all see the same resamples of the same rows.
    Patients,
    Curves,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Patients => "patients",
            Self::Curves => "curves",
        }
    }
}

/// Resamples of one run by purpose and the sizes of the strata that are drawn apart. Nodes that run at
/// the same time may ask for them.
pub struct Resamples {
    seed: u64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    of: HashMap<(Purpose, Vec<usize>), Slot>,
    /// How many counts are kept in all.
    kept: usize,
}

/// Locked while positions are drawn, so that they are drawn once.
type Slot = Arc<Mutex<Arc<Vec<u32>>>>;

impl Resamples {
    pub fn new(seed: u64) -> Self {
        Self { seed, known: Mutex::default() }
    }

    /// Hands over each of so many resamples: for each position of one stratum after the other, how often it
    /// is drawn. From each stratum as many are drawn as it has, with replacement.
    pub fn each(
        &self,
        purpose: Purpose,
        strata: &[usize],
        times: usize,
        of: &mut dyn FnMut(&[u32]),
    ) {
        let size: usize = strata.iter().sum();
        if size == 0 {
            (0..times).for_each(|_| of(&[]));
            return;
        }
        match self.table(purpose, strata, size * times) {
            Some(table) => table.chunks(size).take(times).for_each(of),
            None => {
                let mut drawing = Drawing::new(self.seed, purpose, strata);
                let mut counts = vec![0; size];
                for _ in 0..times {
                    counts.fill(0);
                    drawing.next(&mut counts);
                    of(&counts);
                }
            }
        }
    }

    /// That many counts at least, unless they would be too many to keep.
    fn table(
        &self,
        purpose: Purpose,
        strata: &[usize],
        length: usize,
    ) -> Option<Arc<Vec<u32>>> {
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.of.entry((purpose, strata.to_vec())).or_default().clone()
        };
        let mut table = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() < length {
            {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                let kept = known.kept + length - table.len();
                if kept > KEPT {
                    return None;
                }
                known.kept = kept;
            }
            // The first resamples are the same, however many follow.
            let mut counts = vec![0; length];
            let mut drawing = Drawing::new(self.seed, purpose, strata);
            let size = strata.iter().sum();
            counts.chunks_mut(size).for_each(|counts| drawing.next(counts));
            *table = Arc::new(counts);
        }
        Some(table.clone())
    }
}

struct Drawing<'a> {
    stream: Stream,
    strata: &'a [usize],
}

impl<'a> Drawing<'a> {
    fn new(seed: u64, purpose: Purpose, strata: &'a [usize]) -> Self {
        Self { stream: Stream::new(seed, &["resample", purpose.name()]), strata }
    }

    /// Counts further positions as drawn.
    fn next(&mut self, counts: &mut [u32]) {
        let mut left = counts;
        for &size in self.strata {
            let (stratum, rest) = left.split_at_mut(size);
            (0..size).for_each(|_| stratum[self.stream.below(size)] += 1);
            left = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(
        resamples: &Resamples,
        purpose: Purpose,
        strata: &[usize],
        times: usize,
    ) -> Vec<Vec<u32>> {
        let mut all = Vec::new();
        resamples.each(purpose, strata, times, &mut |drawn| all.push(drawn.to_vec()));
        all
    }

    #[test]
    fn kept_or_drawn_anew_they_are_those_of_one_stream() {
        let kept = Resamples::new(7);
        let full = Resamples::new(7);
        full.known.lock().unwrap().kept = KEPT;
        for purpose in [Purpose::Patients, Purpose::Curves] {
            for strata in [&[5][..], &[3, 0, 4]] {
                let mut stream = Stream::new(7, &["resample", purpose.name()]);
                let one = |_| {
                    let mut counts = Vec::new();
                    for size in strata {
                        let mut of_stratum = vec![0; *size];
                        (0..*size).for_each(|_| of_stratum[stream.below(*size)] += 1);
                        counts.extend(of_stratum);
                    }
                    counts
                };
                let expected: Vec<Vec<u32>> = (0..20).map(one).collect();
                // Fewer first, so that more have to be drawn later.
                for times in [3, 20, 8] {
                    for resamples in [&kept, &full] {
                        let found = drawn(resamples, purpose, strata, times);
                        assert_eq!(found, expected[..times]);
                    }
                }
            }
        }
        assert!(kept.known.lock().unwrap().kept == 2 * 20 * (5 + 7));
        assert_eq!(drawn(&kept, Purpose::Curves, &[0, 0], 2), vec![Vec::<u32>::new(); 2]);
    }

    #[test]
    fn threads_that_ask_at_once_are_given_the_same() {
        let resamples = Resamples::new(3);
        let ask = || drawn(&resamples, Purpose::Patients, &[40], 50);
        std::thread::scope(|scope| {
            let all = [(); 4].map(|()| scope.spawn(ask));
            let all = all.map(|thread| thread.join().unwrap());
            assert!(all.iter().all(|of| *of == all[0]));
        });
        assert_eq!(resamples.known.lock().unwrap().kept, 40 * 50);
    }
}
