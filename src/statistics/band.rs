//! How uncertain a curve of discrimination is at each place of a grid, by counting rows again.

use super::interval::wilson;
use super::precision_recall::percentiles;
use crate::data::Limits;
use crate::operation::Scored;

/// Steps of the grid between 0 and 1, as those of the mean curves.
const STEPS: usize = 100;

/// The places at which a band is known.
pub fn band_places() -> impl Iterator<Item = f64> {
    (0..=STEPS).map(|step| step as f64 / STEPS as f64)
}

/// Rows from the highest score down, sorted once: a resample only says how often each unit counts.
pub struct Ranked {
    /// Class and unit, such as the patient; and whether a threshold falls behind the row, which it
    /// does not within equal scores.
    rows: Vec<(bool, u32, bool)>,
    /// Hits and all rows passed at each threshold, from the highest down.
    passed: Vec<(u32, u32)>,
    sensitivities: Reached,
    precisions: Reached,
}

/// How many places of the grid are behind the curve, by how many of a class are passed.
#[derive(Default)]
struct Reached {
    /// Rows of the class in all.
    of: u32,
    places: Vec<u32>,
}

impl Reached {
    /// Counted again only where resamples differ in their classes. `is` says of a place whether a share of
    /// the class leaves it behind.
    fn of(&mut self, of: u32, is: fn(f64, f64) -> bool) -> &[u32] {
        if self.of != of || self.places.is_empty() {
            self.of = of;
            let mut next = band_places().peekable();
            let mut behind = 0;
            let places = |passed: u32| {
                let share = f64::from(passed) / f64::from(of);
                while next.next_if(|x| is(share, *x)).is_some() {
                    behind += 1;
                }
                behind
            };
            self.places.clear();
            self.places.extend((0..=of).map(places));
        }
        &self.places
    }
}

impl Ranked {
    /// `units` are positions among the weights that resamples give.
    pub fn new(truth: &[bool], scores: &[f64], units: &[usize]) -> Self {
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let ends = |at: usize| {
            order.get(at + 1).is_none_or(|next| scores[*next] != scores[order[at]])
        };
        let row =
            |(at, row): (usize, &usize)| (truth[*row], units[*row] as u32, ends(at));
        let rows = order.iter().enumerate().map(row).collect();
        let (sensitivities, precisions) = Default::default();
        Self { rows, passed: vec![(0, 0); truth.len()], sensitivities, precisions }
    }

    /// Each row a unit of its own; `None` where a score is no number, which has no rank.
    pub fn of_rows(scored: Scored<'_>) -> Option<Self> {
        let Scored { truth, scores, .. } = scored;
        let ranked = truth.len() == scores.len() && !scores.iter().any(|s| s.is_nan());
        let units: Vec<usize> = (0..truth.len()).collect();
        ranked.then(|| Self::new(truth, scores, &units))
    }

    /// Counts what is passed at each threshold, of which it gives the number, all hits and all alarms.
    fn pass(&mut self, weights: &[u32]) -> (usize, u32, u32) {
        let (mut hits, mut all, mut before, mut n) = (0, 0, 0, 0);
        for &(positive, unit, ends) in &self.rows {
            let weight = weights[unit as usize];
            // Neither classes nor rows that count come in an order that a processor could foresee: what
            // turns out to be no threshold is written over.
            hits += weight * u32::from(positive);
            all += weight;
            self.passed[n] = (hits, all);
            let is_one = ends && all > before;
            n += usize::from(is_one);
            before = if is_one { all } else { before };
        }
        (n, hits, all - hits)
    }

    /// The share of pairs of a positive and a negative in which the positive is ranked higher, equal
    /// scores one half. `None` without both classes.
    pub fn auroc(&mut self, weights: &[u32]) -> Option<f64> {
        let (n, positive, negative) = self.pass(weights);
        if positive == 0 || negative == 0 {
            return None;
        }
        let (positive, negative) = (f64::from(positive), f64::from(negative));
        // The sum of the positives' ranks from the lowest score up: halves of whole numbers, of which
        // sums are exact in any order.
        let rows = positive + negative;
        let (mut rank_sum, mut before) = (0.0, (0, 0));
        for &(hits, all) in &self.passed[..n] {
            let (start, end) = (rows - f64::from(all), rows - f64::from(before.1));
            rank_sum += (start + 1.0 + end) / 2.0 * f64::from(hits - before.0);
            before = (hits, all);
        }
        let pairs = positive * negative;
        Some((rank_sum - positive * (positive + 1.0) / 2.0) / pairs)
    }

    /// The area under the precision–recall curve, as steps. `None` without a positive.
    pub fn average_precision(&mut self, weights: &[u32]) -> Option<f64> {
        let (n, positive, _) = self.pass(weights);
        if positive == 0 {
            return None;
        }
        let (mut area, mut before) = (0.0f64, 0.0);
        for &(hits, all) in &self.passed[..n] {
            let recall = f64::from(hits) / f64::from(positive);
            area += (recall - before) * (f64::from(hits) / f64::from(all));
            before = recall;
        }
        Some(area.min(1.0))
    }

    /// Adds to a sum for each place the sensitivity at that 1 − specificity, by straight lines between
    /// the points of the curve; of an upright piece its upper end. `None` without both classes.
    pub fn add_sensitivities(&mut self, weights: &[u32], sums: &mut [f64]) -> Option<()> {
        let (n, positive, negative) = self.pass(weights);
        if positive == 0 || negative == 0 {
            return None;
        }
        let reached = self.sensitivities.of(negative, |share, x| x < share);
        let (positive, negative) = (f64::from(positive), f64::from(negative));
        let (mut before, mut next) = ((0, 0), 0);
        for &(hits, all) in &self.passed[..n] {
            let alarms = all - hits;
            let until = reached[alarms as usize] as usize;
            if until > next {
                let start = f64::from(before.0) / positive;
                let places = &mut sums[next..until];
                if hits == before.0 {
                    places.iter_mut().for_each(|sum| *sum += start);
                } else {
                    let from = f64::from(before.1) / negative;
                    let slope = (f64::from(hits) / positive - start)
                        / (f64::from(alarms) / negative - from);
                    for (sum, x) in places.iter_mut().zip(band_places().skip(next)) {
                        *sum += start + slope * (x - from);
                    }
                }
                next = until;
            }
            before = (hits, alarms);
        }
        sums[next..].iter_mut().for_each(|sum| *sum += 1.0);
        Some(())
    }

    /// Adds to a sum for each place the precision at that recall: of the first threshold that reaches it.
    /// `None` without a positive.
    pub fn add_precisions(&mut self, weights: &[u32], sums: &mut [f64]) -> Option<()> {
        let (n, positive, _) = self.pass(weights);
        if positive == 0 {
            return None;
        }
        let reached = self.precisions.of(positive, |share, x| share >= x - 1e-12);
        let mut next = 0;
        for &(hits, all) in &self.passed[..n] {
            let until = reached[hits as usize] as usize;
            if until > next {
                let precision = f64::from(hits) / f64::from(all);
                sums[next..until].iter_mut().for_each(|sum| *sum += precision);
                next = until;
            }
        }
        Some(())
    }

    /// The sums of one curve alone.
    #[cfg(test)]
    fn curve(&mut self, weights: &[u32], add: Add) -> Option<Vec<f64>> {
        let mut heights = vec![0.0; STEPS + 1];
        add(self, weights, &mut heights)?;
        Some(heights)
    }
}

/// Adds the heights of a curve at the places of the grid, for rows that count so often.
pub type Add = fn(&mut Ranked, &[u32], &mut [f64]) -> Option<()>;

/// The middle of the resampled heights at each place, nowhere narrower than Wilson's interval of the
/// height as a share of `n_at` patients.
///
/// Without that floor a band closes where resamples cannot differ, as at a sensitivity near 1, and
/// holds the truth seldom there: with 15 positives and an AUROC of 0.92 in under 10 % of samples at
/// most places, with it in over 90 % at all from 0.05 to 0.95.
///
/// Shape: `heights` is places × resamples.
///
/// Source: macskassy2005 (vertical averaging); wilson1927.
pub fn band(
    heights: &[Vec<f64>],
    estimate: &[f64],
    level: f64,
    n_at: &dyn Fn(f64, f64) -> Option<f64>,
) -> Vec<Limits> {
    let places = band_places().zip(heights).zip(estimate);
    let limits = places.map(|((x, heights), estimate)| {
        let (lower, upper) = percentiles(heights, level);
        let floor = n_at(x, *estimate).and_then(|n| wilson(estimate * n, n, level));
        let (least, most) = floor.unwrap_or((lower, upper));
        Limits { x, lower: lower.min(least), upper: upper.max(most) }
    });
    limits.collect()
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;
    use crate::math::Stream;
    use crate::statistics::{mean_curve, mean_precision, precision_recall, roc_curve};

    #[test]
    fn rows_that_count_once_give_the_curve_itself() {
        let truth = [true, false, true, true, false, false, true, false];
        let scores = [0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4];
        let units: Vec<usize> = (0..8).collect();
        let mut ranked = Ranked::new(&truth, &scores, &units);
        let (curve, _) = roc_curve(&truth, &scores, &scores).unwrap();
        // The mean begins in the corner, which is no place of the grid.
        let heights = ranked.curve(&[1; 8], Ranked::add_sensitivities).unwrap();
        for (point, height) in mean_curve(&[curve]).points[1..].iter().zip(&heights) {
            assert!((point.y - height).abs() < 1e-12, "{} {height}", point.x);
        }
        let curve = precision_recall(&truth, &scores).unwrap();
        let heights = ranked.curve(&[1; 8], Ranked::add_precisions).unwrap();
        assert_eq!(heights.len(), 101);
        for (point, height) in mean_precision(&[curve]).points.iter().zip(&heights) {
            assert!((point.y - height).abs() < 1e-12, "{} {height}", point.x);
        }
    }

    #[test]
    fn a_row_that_counts_twice_is_two_rows() {
        let (truth, scores) = ([true, false, true, false], [0.9, 0.8, 0.7, 0.1]);
        let mut weighted = Ranked::new(&truth, &scores, &[0, 1, 2, 3]);
        let mut twice = Ranked::new(
            &[true, false, false, true, false],
            &[0.9, 0.8, 0.8, 0.7, 0.1],
            &[0, 1, 2, 3, 4],
        );
        let (weights, ones) = ([1, 2, 1, 1], [1; 5]);
        assert_eq!(
            weighted.curve(&weights, Ranked::add_sensitivities),
            twice.curve(&ones, Ranked::add_sensitivities)
        );
        assert_eq!(
            weighted.curve(&weights, Ranked::add_precisions),
            twice.curve(&ones, Ranked::add_precisions)
        );
        assert_eq!(weighted.curve(&[1, 0, 1, 0], Ranked::add_sensitivities), None);
        assert_eq!(weighted.curve(&[0, 1, 0, 1], Ranked::add_precisions), None);
    }

    /// How often bands of samples hold the curve of the population, in the least fortunate place from
    /// 0.1 to 0.9. Scores are normal in both classes, `apart` standard deviations from each other.
    fn held(m: usize, n: usize, apart: f64, floor: bool) -> (f64, f64) {
        const SAMPLES: usize = 120;
        const RESAMPLES: usize = 200;
        let normal = Normal::standard();
        let mut stream = Stream::new(11, &["band", &format!("{m} {n} {apart}")]);
        let truth: Vec<bool> = (0..m + n).map(|row| row < m).collect();
        let units: Vec<usize> = (0..m + n).collect();
        let mut inside = [vec![0usize; 101], vec![0usize; 101]];
        for _ in 0..SAMPLES {
            let shift = |class: bool| if class { apart } else { 0.0 };
            let scores: Vec<f64> =
                truth.iter().map(|class| stream.normal() + shift(*class)).collect();
            let mut ranked = Ranked::new(&truth, &scores, &units);
            let mut heights = [vec![Vec::new(); 101], vec![Vec::new(); 101]];
            for _ in 0..RESAMPLES {
                let mut weights = vec![0; m + n];
                (0..m).for_each(|_| weights[stream.below(m)] += 1);
                (0..n).for_each(|_| weights[m + stream.below(n)] += 1);
                let drawn = [
                    ranked.curve(&weights, Ranked::add_sensitivities),
                    ranked.curve(&weights, Ranked::add_precisions),
                ];
                for (all, drawn) in heights.iter_mut().zip(drawn) {
                    for (all, height) in all.iter_mut().zip(drawn.unwrap()) {
                        all.push(height);
                    }
                }
            }
            let ones = vec![1; m + n];
            let curves = [
                ranked.curve(&ones, Ranked::add_sensitivities),
                ranked.curve(&ones, Ranked::add_precisions),
            ];
            let positive = m as f64;
            let widths: [&dyn Fn(f64, f64) -> Option<f64>; 2] =
                [&|x, _| (floor && x < 1.0).then_some(positive), &|x, y| {
                    floor.then_some((x * positive).max(1.0) / y)
                }];
            for (kind, curve) in curves.iter().enumerate() {
                let curve = curve.as_ref().unwrap();
                let limits = band(&heights[kind], curve, 0.95, widths[kind]);
                for (at, of) in limits.iter().enumerate().take(91).skip(10) {
                    let true_height = match kind {
                        0 => normal.cdf(apart + normal.inverse_cdf(of.x)),
                        _ => {
                            let alarms =
                                n as f64 * normal.cdf(normal.inverse_cdf(of.x) - apart);
                            let hits = positive * of.x;
                            hits / (hits + alarms)
                        }
                    };
                    let holds = of.lower <= true_height && true_height <= of.upper;
                    inside[kind][at] += usize::from(holds);
                }
            }
        }
        let least = |of: &[usize]| *of[10..91].iter().min().unwrap() as f64;
        let [roc, precision] = &inside;
        (least(roc) / SAMPLES as f64, least(precision) / SAMPLES as f64)
    }

    #[test]
    fn bands_hold_the_true_curve() {
        // The same by numpy over 200 samples: at least 0.93 of ROC bands, 0.91 of the others.
        for (m, n, apart) in [(30, 70, 1.2), (60, 60, 1.0), (15, 60, 2.0)] {
            let (roc, precision) = held(m, n, apart, true);
            assert!(roc > 0.86 && precision > 0.84, "{m} {n} {apart}: {roc} {precision}");
        }
        let (roc, _) = held(15, 60, 2.0, false);
        assert!(
            roc < 0.5,
            "without a floor they close where the sensitivity is near 1: {roc}"
        );
    }
}
