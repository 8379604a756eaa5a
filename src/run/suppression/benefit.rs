//! A decision curve in which no patient's prediction and no small count can be read.

use super::telling::rounded;
use crate::data::{DecisionCurve, DecisionPoint, RiskBin};
use crate::math::sqrt;
use crate::statistics::useful;

/// Predictions of one class from `lower` to under `upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    lower: f64,
    upper: f64,
    n: f64,
}

/// The curve that follows from how many of each class have predictions in ranges where the class has
/// nobody or enough, spread evenly within.
///
/// Net benefit is a sum over the patients above a threshold: where they are few it tells their number, and
/// a mean over neighbouring thresholds tells it nearly as well. `shown` are the ranges that the report shows,
/// `fine` those that they were joined from. Each class is divided within the shown ranges, so that no two
/// numbers of patients differ by a small one. `None` where no range is shown.
pub fn of_ranges(
    curve: &DecisionCurve,
    fine: &[RiskBin],
    shown: &[RiskBin],
    smallest: f64,
) -> Option<DecisionCurve> {
    let events = divided(fine, shown, &|bin| bin.events, smallest);
    let others = divided(fine, shown, &|bin| bin.non_events, smallest);
    let n: f64 = events.iter().chain(&others).map(|range| range.n).sum();
    if n <= 0.0 {
        return None;
    }
    let points = curve.points.iter().map(|point| {
        let odds = point.threshold / (1.0 - point.threshold);
        let (hits, alarms) =
            (above(&events, point.threshold), above(&others, point.threshold));
        let model = (hits - odds * alarms) / n;
        // The variance of a mean of 1 for each hit, −odds for each false alarm and else 0.
        let squares = (hits + odds * odds * alarms) / n;
        let half = 1.96 * sqrt((squares - model * model).max(0.0) / n);
        DecisionPoint {
            model,
            lower: point.lower.map(|_| model - half),
            upper: point.upper.map(|_| model + half),
            ..*point
        }
    });
    let points: Vec<DecisionPoint> = points.collect();
    let useful = useful(&points);
    let round = |value: f64| rounded(value, 0.001);
    let points = points.into_iter().map(|point| DecisionPoint {
        model: round(point.model),
        lower: point.lower.map(round),
        upper: point.upper.map(round),
        ..point
    });
    let method = curve.method.split("; pointwise").next().unwrap_or_default();
    Some(DecisionCurve {
        range: curve.range,
        points: points.collect(),
        useful,
        method: format!(
            "{}; of either class as many as lie in ranges of predictions in which it has nobody or at \
             least {smallest}, spread evenly within, so that no patient's prediction and no small \
             number can be read; pointwise 95 % band of 1.96 standard errors of that; rounded",
            method.trim_end_matches('.')
        ),
    })
}

/// The shown ranges in parts in which a class has nobody or enough.
fn divided(
    fine: &[RiskBin],
    shown: &[RiskBin],
    of: &dyn Fn(&RiskBin) -> f64,
    smallest: f64,
) -> Vec<Range> {
    let small = |range: &Range| range.n > 1e-6 && range.n < smallest;
    let mut parts: Vec<Range> = Vec::new();
    for whole in shown {
        let first = parts.len();
        let within = fine.iter().filter(|bin| {
            bin.lower >= whole.lower - 1e-9 && bin.upper <= whole.upper + 1e-9
        });
        for bin in within {
            match parts[first..].last().copied() {
                Some(last) if small(&last) => extend(&mut parts, bin.upper, of(bin)),
                _ => parts.push(Range { lower: bin.lower, upper: bin.upper, n: of(bin) }),
            }
        }
        // What is left small at the end joins what is before it.
        while parts.len() > first + 1 && parts.last().is_some_and(small) {
            let Some(last) = parts.pop() else { break };
            extend(&mut parts, last.upper, last.n);
        }
    }
    parts
}

/// Carries the last range on, with so many more.
fn extend(parts: &mut [Range], upper: f64, n: f64) {
    if let Some(last) = parts.last_mut() {
        last.upper = upper;
        last.n += n;
    }
}

/// How many have predictions at or above a threshold.
fn above(ranges: &[Range], threshold: f64) -> f64 {
    let share = |range: &Range| {
        ((range.upper - threshold) / (range.upper - range.lower)).clamp(0.0, 1.0)
    };
    ranges.iter().map(|range| range.n * share(range)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::merged;
    use super::*;

    fn bins(cells: &[(f64, f64)]) -> Vec<RiskBin> {
        let width = 1.0 / cells.len() as f64;
        let bin = |(at, (events, non_events)): (usize, &(f64, f64))| RiskBin {
            lower: at as f64 * width,
            upper: (at + 1) as f64 * width,
            events: *events,
            non_events: *non_events,
        };
        cells.iter().enumerate().map(bin).collect()
    }

    fn curve(n: f64, positive: f64) -> DecisionCurve {
        let point = |at: usize| {
            let threshold = 0.05 + at as f64 / 50.0;
            let odds = threshold / (1.0 - threshold);
            DecisionPoint {
                threshold,
                model: 0.0,
                lower: Some(0.0),
                upper: Some(0.0),
                treat_all: (positive - (n - positive) * odds) / n,
            }
        };
        DecisionCurve {
            range: (0.05, 0.85),
            points: (0..41).map(point).collect(),
            useful: vec![(0.05, 0.85)],
            method: "out-of-sample predictions; pointwise 95 % band from 1000 resamples of 80 \
                     patients"
                .to_string(),
        }
    }

    fn drawn(cells: &[(f64, f64)]) -> Option<DecisionCurve> {
        let fine = bins(cells);
        let (n, positive) = cells
            .iter()
            .fold((0.0, 0.0), |(n, p), cell| (n + cell.0 + cell.1, p + cell.0));
        of_ranges(&curve(n, positive), &fine, &merged(&fine, 5.0), 5.0)
    }

    #[test]
    fn each_class_is_divided_within_what_is_shown_and_never_into_few() {
        let fine = bins(&[
            (0.0, 30.0),
            (2.0, 9.0),
            (3.0, 7.0),
            (6.0, 6.0),
            (9.0, 2.0),
            (1.0, 0.0),
        ]);
        let shown = merged(&fine, 5.0);
        for of in [|bin: &RiskBin| bin.events, |bin: &RiskBin| bin.non_events] {
            let parts = divided(&fine, &shown, &of, 5.0);
            assert!(parts.iter().all(|part| part.n < 1e-6 || part.n >= 5.0), "{parts:?}");
            let all: f64 = parts.iter().map(|part| part.n).sum();
            assert_eq!(all, fine.iter().map(of).sum::<f64>());
            // No part lies across an end of a range that is shown.
            let ends = shown.iter().map(|range| range.upper);
            for end in ends {
                let across =
                    |part: &&Range| part.lower < end - 1e-9 && part.upper > end + 1e-9;
                assert_eq!(parts.iter().find(across), None, "{end}");
            }
        }
    }

    #[test]
    fn the_few_above_a_high_threshold_are_not_told() {
        // Of six with high predictions one or four lie far up: the curve is the same.
        let with = |top: [f64; 3]| {
            let below = [(5.0, 20.0), (8.0, 12.0), (9.0, 6.0), (6.0, 5.0)];
            let top = top.map(|events| (events, 0.0));
            drawn(&below.into_iter().chain(top).collect::<Vec<_>>()).unwrap()
        };
        let [one, four] = [[5.0, 1.0, 0.0], [2.0, 2.0, 2.0]].map(with);
        assert_eq!(one.points, four.points);
        assert!(!one.method.contains("80 patients"));
    }

    #[test]
    fn at_the_end_of_a_range_it_is_the_net_benefit_itself() {
        let cells = [(5.0, 40.0), (10.0, 10.0), (20.0, 5.0), (10.0, 0.0)];
        let found = drawn(&cells).unwrap();
        let at = |threshold: f64| {
            let near = |p: &&DecisionPoint| (p.threshold - threshold).abs() < 1e-9;
            *found.points.iter().find(near).unwrap()
        };
        // 0.25 is an end: 40 hits and 15 false alarms of 100. 0.37 lies 0.48 of the way to the next one.
        let close = |value: f64, expected: f64| (value - expected).abs() <= 0.0005 + 1e-9;
        assert!(close(at(0.25).model, 0.40 - 0.15 / 3.0), "{}", at(0.25).model);
        let odds = 0.37 / 0.63;
        assert!(
            close(at(0.37).model, (35.2 - odds * 10.2) / 100.0),
            "{}",
            at(0.37).model
        );
        let half = 1.96 * sqrt((0.40 + 0.15 / 9.0 - 0.35 * 0.35) / 100.0);
        assert!(close(at(0.25).upper.unwrap(), 0.35 + half));
        // Where everybody is treated, that is worth what treating everybody is.
        let everybody =
            drawn(&[(0.0, 0.0), (0.0, 0.0), (20.0, 30.0), (10.0, 5.0)]).unwrap();
        assert!(
            everybody.useful.iter().all(|(from, _)| *from > 0.5),
            "{:?}",
            everybody.useful
        );
        assert_eq!(drawn(&[(1.0, 2.0), (0.0, 1.0)]), None);
    }
}
