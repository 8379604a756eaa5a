//! The four cells of a table of decisions against classes.

use super::counted::of_class;
use crate::operation::{Again, Failure, Scored};

/// How many rows are decided how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decided {
    /// Positive, called positive.
    pub hits: usize,
    /// Positive, called negative.
    pub misses: usize,
    /// Negative, called positive.
    pub alarms: usize,
    /// Negative, called negative.
    pub passes: usize,
}

impl Decided {
    /// Fails when no threshold was declared.
    pub fn count(scored: Scored<'_>) -> Result<Self, Failure> {
        if scored.decisions.len() != scored.truth.len() {
            return Err(Failure::Undefined("no threshold was declared"));
        }
        let mut cells = Self::default();
        for (positive, called) in scored.truth.iter().zip(scored.decisions) {
            match (positive, called) {
                (true, true) => cells.hits += 1,
                (true, false) => cells.misses += 1,
                (false, true) => cells.alarms += 1,
                (false, false) => cells.passes += 1,
            }
        }
        Ok(cells)
    }
}

/// What `of` makes of the cells of rows that are drawn.
pub fn again_of_decided<'a>(
    scored: Scored<'a>,
    of: fn(Decided) -> Result<f64, Failure>,
) -> Again<'a> {
    let Scored { truth, decisions, .. } = scored;
    if let Err(failure) = Decided::count(scored) {
        return Box::new(move |_| Err(failure.clone()));
    }
    let hit: Vec<bool> = truth.iter().zip(decisions).map(|(t, d)| *t && *d).collect();
    Box::new(move |counts| {
        let (all, positive) = of_class(truth, counts);
        let ((_, called), (_, hits)) =
            (of_class(decisions, counts), of_class(&hit, counts));
        let [all, positive, called, hits] =
            [all, positive, called, hits].map(|count| count as usize);
        of(Decided {
            hits,
            misses: positive - hits,
            alarms: called - hits,
            passes: all + hits - positive - called,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_drawn_rows_count_copies() {
        let scored = Scored {
            truth: &[true, true, false, false],
            decisions: &[true, false, true, false],
            ..Scored::default()
        };
        let cells = |of: Decided| {
            Ok((1000 * of.hits + 100 * of.misses + 10 * of.alarms + of.passes) as f64)
        };
        let mut again = again_of_decided(scored, cells);
        assert_eq!(again(&[1, 2, 3, 4]), Ok(1234.0));
        assert_eq!(again(&[0, 0, 0, 5]), Ok(5.0));
        let undecided = Scored { decisions: &[], ..scored };
        assert!(again_of_decided(undecided, cells)(&[1; 4]).is_err());
    }
}
