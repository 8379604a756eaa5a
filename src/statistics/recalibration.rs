//! The map that makes predicted probabilities calibrated.

use super::counted::of_class;
use crate::math::{exp_each, ln, sigmoid_each};

/// Probabilities are moved this far from 0 and 1 before their logit is taken.
const EDGE: f64 = 1e-6;

/// Intercept a and slope b of logit(p') = a + b·logit(p), by maximum likelihood.
///
/// Shapes: one probability in [0, 1] per row, with its class. `None` when one class is missing,
/// all probabilities are equal, or the classes are perfectly apart.
///
/// Source: cox1958.
pub fn recalibration(truth: &[bool], probabilities: &[f64]) -> Option<(f64, f64)> {
    let logits: Vec<f64> = probabilities
        .iter()
        .map(|p| {
            let p = p.clamp(EDGE, 1.0 - EDGE);
            ln(p / (1.0 - p))
        })
        .collect();
    line(truth, &logits)
}

/// Intercept and slope of a logistic regression of class on one column, by Newton's steps.
///
/// Shapes: one value per row, with its class. `None` when one class is missing, all values are
/// equal, or the classes are perfectly apart.
pub fn line(truth: &[bool], x: &[f64]) -> Option<(f64, f64)> {
    if truth.len() != x.len() {
        return None;
    }
    let n = truth.len();
    let positive = truth.iter().filter(|class| **class).count();
    if positive == 0 || positive == n {
        return None;
    }
    // From perfect calibration first; where Newton's steps run away from there, from the prevalence.
    let share = positive as f64 / n as f64;
    let level = ln(share / (1.0 - share));
    newton(truth, x, CALIBRATED).or_else(|| newton(truth, x, (level, 0.0)))
}

/// Of perfect calibration: intercept and slope.
const CALIBRATED: (f64, f64) = (0.0, 1.0);

/// Beyond this slope the classes are apart.
const STEEPEST: f64 = 1e4;

fn newton(truth: &[bool], x: &[f64], from: (f64, f64)) -> Option<(f64, f64)> {
    let (mut a, mut b) = from;
    let mut powers = Vec::with_capacity(x.len());
    for _ in 0..100 {
        powers.clear();
        powers.extend(x.iter().map(|x| -(a + b * x)));
        exp_each(&mut powers);
        let mut sums = [0.0; 5];
        for ((class, x), power) in truth.iter().zip(x).zip(&powers) {
            let p = 1.0 / (1.0 + power);
            let residual = f64::from(u8::from(*class)) - p;
            let weight = p * (1.0 - p);
            let added = [residual, residual * x, weight, weight * x, weight * x * x];
            sums.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
        }
        let [ga, gb, haa, hab, hbb] = sums;
        let (da, db) = solved([haa, hab, hbb], [ga, gb])?;
        a += da;
        b += db;
        if !(a.is_finite() && b.is_finite()) || b.abs() > STEEPEST {
            return None;
        }
        if da.abs() + db.abs() < 1e-10 {
            return Some((a, b));
        }
    }
    None
}

/// The solution of two equations with the symmetric matrix [aa, ab, bb]; `None` where it is singular.
fn solved([haa, hab, hbb]: [f64; 3], [ga, gb]: [f64; 2]) -> Option<(f64, f64)> {
    let determinant = haa * hbb - hab * hab;
    if determinant <= 1e-12 * haa * hbb || !determinant.is_finite() {
        return None;
    }
    Some(((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant))
}

/// What rows add to the equations of a line: residuals by powers of x up to the first, the slopes of their
/// probabilities by those up to the second, and how these bend by those up to the third.
type Sums = [f64; 9];

/// Rows to which lines are fitted as often as some of them are drawn.
pub struct Line<'a> {
    truth: &'a [bool],
    drawn: DrawnRows,
    /// The line of all rows, if they have one, and what each row adds there, from the lowest `x` up.
    all: Option<((f64, f64), Vec<Sums>)>,
}

impl<'a> Line<'a> {
    /// A fit is done when no row moves farther than this on the scale of logits. A step of size s leaves
    /// s³ of error at most: the slope of a probability changes by a factor of eˢ at most within it, and how
    /// it bends was seen.
    const SETTLED: f64 = 5e-4;

    /// Shapes: one value per row, with its class.
    pub fn new(truth: &'a [bool], x: &[f64]) -> Self {
        let drawn = DrawnRows::new(truth, x);
        let all = line(truth, x).map(|(a, b)| {
            let mut powers: Vec<f64> =
                drawn.rows.iter().map(|row| -(a + b * row.x)).collect();
            exp_each(&mut powers);
            let rows = drawn.rows.iter().zip(&powers);
            ((a, b), rows.map(|(row, power)| added(row.class, row.x, *power)).collect())
        });
        Self { truth, drawn, all }
    }

    /// Intercept and slope of the drawn rows, as of [`line`].
    ///
    /// From the line of all rows, by steps of Chebyshev's method: those of Newton, bent as the equations
    /// are. Shapes: how often each row was drawn.
    pub fn of(&mut self, counts: &[u32]) -> Option<(f64, f64)> {
        let (n, positive) = of_class(self.truth, counts);
        if positive == 0 || positive == n {
            return None;
        }
        let near = self.all.as_ref().and_then(|((a, b), added)| {
            let mut sums = [0.0; 9];
            for (added, row) in added.iter().zip(&self.drawn.rows) {
                let count = f64::from(counts[row.at as usize]);
                sums.iter_mut().zip(added).for_each(|(sum, value)| *sum += count * value);
            }
            let (da, db) = self.step(&sums)?;
            Some((a + da, b + db))
        });
        self.drawn.take(counts);
        if self.drawn.apart() {
            return None;
        }
        let share = f64::from(positive) / f64::from(n);
        let level = ln(share / (1.0 - share));
        near.and_then(|near| self.settle(near))
            .or_else(|| self.settle(CALIBRATED))
            .or_else(|| self.settle((level, 0.0)))
    }

    fn settle(&mut self, from: (f64, f64)) -> Option<(f64, f64)> {
        let (mut a, mut b) = from;
        for _ in 0..100 {
            let sums = self.drawn.sums(a, b);
            let (da, db) = self.step(&sums)?;
            a += da;
            b += db;
            if !(a.is_finite() && b.is_finite()) || b.abs() > STEEPEST {
                return None;
            }
            if self.size((da, db)) <= Self::SETTLED {
                return Some((a, b));
            }
        }
        None
    }

    /// Source: for the second term traub1964, section 5.3.
    fn step(&self, sums: &Sums) -> Option<(f64, f64)> {
        let &[ga, gb, haa, hab, hbb, t0, t1, t2, t3] = sums;
        let slopes = [haa, hab, hbb];
        let (da, db) = solved(slopes, [ga, gb])?;
        let (aa, ab, bb) = (da * da, 2.0 * da * db, db * db);
        let bent =
            [t0 * aa + t1 * ab + t2 * bb, t1 * aa + t2 * ab + t3 * bb].map(|t| -t / 2.0);
        let more = solved(slopes, bent)?;
        // Far from the solution how the equations bend here says nothing of there.
        Some(match self.size(more) <= self.size((da, db)) / 2.0 {
            true => (da + more.0, db + more.1),
            false => (da, db),
        })
    }

    /// How far a step moves the row that it moves farthest.
    fn size(&self, (da, db): (f64, f64)) -> f64 {
        let (least, most) = self.drawn.range();
        (da + db * least).abs().max((da + db * most).abs())
    }
}

/// From e to the power of −(a + b·x).
fn added(class: f64, x: f64, power: f64) -> Sums {
    let p = 1.0 / (1.0 + power);
    let residual = class - p;
    let weight = p * (1.0 - p);
    let bend = weight * (1.0 - 2.0 * p);
    let square = x * x;
    [
        residual,
        residual * x,
        weight,
        weight * x,
        weight * square,
        bend,
        bend * x,
        bend * square,
        bend * square * x,
    ]
}

fn range(x: impl Iterator<Item = f64>) -> (f64, f64) {
    x.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), x| (l.min(x), m.max(x)))
}

/// Rows that are computed at once.
const AT_ONCE: usize = 2;

/// A row with its place among those that were given.
struct Row {
    at: u32,
    class: f64,
    x: f64,
}

/// Rows from the lowest `x` up, and those of them that were drawn, each once, filled up with rows that do
/// not count.
struct DrawnRows {
    rows: Vec<Row>,
    class: Vec<f64>,
    x: Vec<f64>,
    count: Vec<f64>,
    /// How many were drawn.
    n: usize,
    /// What is made of each row on the way.
    made: Vec<f64>,
}

impl DrawnRows {
    fn new(truth: &[bool], x: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(truth[a].cmp(&truth[b])));
        let row = |at: usize| Row {
            at: at as u32,
            class: f64::from(u8::from(truth[at])),
            x: x[at],
        };
        let rows = order.into_iter().map(row).collect();
        let none = vec![0.0; truth.len() + AT_ONCE];
        let (class, count, made) = (none.clone(), none.clone(), Vec::new());
        Self { rows, class, x: none, count, n: 0, made }
    }

    fn take(&mut self, counts: &[u32]) {
        let mut n = 0;
        for row in &self.rows {
            // Which are drawn no processor could foresee: what is not is written over.
            let count = counts[row.at as usize];
            (self.class[n], self.x[n], self.count[n]) =
                (row.class, row.x, f64::from(count));
            n += usize::from(count > 0);
        }
        self.n = n;
        for values in [&mut self.class, &mut self.x, &mut self.count] {
            values[n..n + AT_ONCE].fill(0.0);
        }
    }

    /// With what fills them up.
    fn filled(&self) -> usize {
        self.n.next_multiple_of(AT_ONCE)
    }

    /// The smallest and the largest `x` of all rows.
    fn range(&self) -> (f64, f64) {
        match self.rows.as_slice() {
            [first, .., last] => (first.x, last.x),
            [one] => (one.x, one.x),
            [] => (0.0, 0.0),
        }
    }

    /// Whether a value of `x` parts the classes, which may meet in it: then no line is the steepest.
    fn apart(&self) -> bool {
        let (class, x) = (&self.class[..self.n], &self.x[..self.n]);
        let parted = |below: f64| {
            let last = class.iter().rposition(|class| *class == below);
            let first = class.iter().position(|class| *class != below);
            last.zip(first).is_none_or(|(last, first)| x[last] <= x[first])
        };
        parted(0.0) || parted(1.0)
    }

    fn sums(&mut self, a: f64, b: f64) -> Sums {
        let n = self.filled();
        self.made.clear();
        self.made.extend(self.x[..n].iter().map(|x| -(a + b * x)));
        exp_each(&mut self.made);
        let mut sums = [[0.0; AT_ONCE]; 9];
        let (class, _) = self.class[..n].as_chunks::<AT_ONCE>();
        let (x, _) = self.x[..n].as_chunks::<AT_ONCE>();
        let (count, _) = self.count[..n].as_chunks::<AT_ONCE>();
        let (power, _) = self.made.as_chunks::<AT_ONCE>();
        for (((class, x), count), power) in class.iter().zip(x).zip(count).zip(power) {
            for lane in 0..AT_ONCE {
                let x = x[lane];
                let p = 1.0 / (1.0 + power[lane]);
                let residual = count[lane] * (class[lane] - p);
                let weight = count[lane] * (p * (1.0 - p));
                let bend = weight * (1.0 - 2.0 * p);
                let (weight_x, bend_x) = (weight * x, bend * x);
                let bend_square = bend_x * x;
                sums[0][lane] += residual;
                sums[1][lane] += residual * x;
                sums[2][lane] += weight;
                sums[3][lane] += weight_x;
                sums[4][lane] += weight_x * x;
                sums[5][lane] += bend;
                sums[6][lane] += bend_x;
                sums[7][lane] += bend_square;
                sums[8][lane] += bend_square * x;
            }
        }
        sums.map(|[one, other]| one + other)
    }

    /// The sum of probabilities with the slope held at 1, and its first two derivatives by the intercept.
    fn expected(&mut self, a: f64) -> [f64; 3] {
        let n = self.filled();
        self.made.clear();
        self.made.extend(self.x[..n].iter().map(|x| a + x));
        sigmoid_each(&mut self.made);
        let mut sums = [[0.0; AT_ONCE]; 3];
        let (count, _) = self.count[..n].as_chunks::<AT_ONCE>();
        let (p, _) = self.made.as_chunks::<AT_ONCE>();
        for (count, p) in count.iter().zip(p) {
            for lane in 0..AT_ONCE {
                let p = p[lane];
                let weight = count[lane] * (p * (1.0 - p));
                sums[0][lane] += count[lane] * p;
                sums[1][lane] += weight;
                sums[2][lane] += weight * (1.0 - 2.0 * p);
            }
        }
        sums.map(|[one, other]| one + other)
    }
}

/// Intercept a of logit(P) = a + x with the slope held at 1, by Newton's steps on a function that
/// only rises. `None` when one class is missing.
///
/// Shapes: one value per row, with its class.
pub fn offset(truth: &[bool], x: &[f64]) -> Option<f64> {
    let n = truth.len();
    let positive = truth.iter().filter(|class| **class).count();
    if positive == 0 || positive == n {
        return None;
    }
    let mut chances = Vec::with_capacity(n);
    let mut bracket = Bracket::new(positive as f64 / n as f64, range(x.iter().copied()));
    let mut a = 0.0f64.clamp(bracket.low, bracket.high);
    for _ in 0..200 {
        chances.clear();
        chances.extend(x.iter().map(|x| a + x));
        sigmoid_each(&mut chances);
        let (mut excess, mut weight) = (positive as f64, 0.0);
        for p in &chances {
            excess -= p;
            weight += p * (1.0 - p);
        }
        bracket.narrow(a, excess);
        let next = bracket.within(a + excess / weight);
        if (next - a).abs() <= 1e-13 * (1.0 + a.abs()) {
            return Some(next);
        }
        a = next;
    }
    Some(a)
}

/// Between which intercepts the root lies.
struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    /// The root lies between those of rows that all had the lowest or the highest value.
    fn new(share: f64, (least, most): (f64, f64)) -> Self {
        let level = ln(share / (1.0 - share));
        Self { low: level - most, high: level - least }
    }

    /// By how many events more there are than expected at `a`.
    fn narrow(&mut self, a: f64, excess: f64) {
        match excess > 0.0 {
            true => self.low = a,
            false => self.high = a,
        }
    }

    /// A step that leaves the bracket, as where all weights vanish, is a halving instead.
    fn within(&self, a: f64) -> f64 {
        match a > self.low && a < self.high {
            true => a,
            false => (self.low + self.high) / 2.0,
        }
    }
}

/// Rows to which intercepts are fitted as often as some of them are drawn.
pub struct Offset<'a> {
    truth: &'a [bool],
    drawn: DrawnRows,
    /// The intercept of all rows, or 0 where they have none.
    all: f64,
    /// By row: its probability there, and the first four derivatives of it by the intercept.
    first: Vec<[f64; 5]>,
}

impl<'a> Offset<'a> {
    /// A fit is done when it moves no farther than this. A step of size s leaves s³ of error at most, as
    /// for [`Line`].
    const SETTLED: f64 = 5e-4;
    /// Farther than this from the intercept of all rows four derivatives are no guide.
    const NEAR: f64 = 1.5;

    /// Shapes: one value per row, with its class.
    pub fn new(truth: &'a [bool], x: &[f64]) -> Self {
        let all = offset(truth, x).unwrap_or(0.0);
        let mut chances: Vec<f64> = x.iter().map(|x| all + x).collect();
        sigmoid_each(&mut chances);
        let derivatives = |p: &f64| {
            let (weight, odd) = (p * (1.0 - p), 1.0 - 2.0 * p);
            let (third, fourth) = (1.0 - 6.0 * weight, odd * (1.0 - 12.0 * weight));
            [*p, weight, weight * odd, weight * third, weight * fourth]
        };
        let first = chances.iter().map(derivatives).collect();
        Self { truth, drawn: DrawnRows::new(truth, x), all, first }
    }

    /// The intercept of the drawn rows, as of [`offset`].
    ///
    /// Shapes: how often each row was drawn.
    pub fn of(&mut self, counts: &[u32]) -> Option<f64> {
        let (n, positive) = of_class(self.truth, counts);
        if positive == 0 || positive == n {
            return None;
        }
        let positive = f64::from(positive);
        let mut bracket = Bracket::new(positive / f64::from(n), self.drawn.range());
        let mut a = self.near(counts, positive).clamp(bracket.low, bracket.high);
        self.drawn.take(counts);
        // Rows that fill up do not count, whatever their probability.
        for _ in 0..200 {
            let [expected, slope, bend] = self.drawn.expected(a);
            let excess = positive - expected;
            bracket.narrow(a, excess);
            let newton = excess / slope;
            let more = -bend / slope * newton * newton / 2.0;
            let step =
                if more.abs() <= newton.abs() / 2.0 { newton + more } else { newton };
            let next = bracket.within(a + step);
            let moved = (next - a).abs();
            let is_step = next == a + step;
            if moved <= 1e-13 * (1.0 + a.abs()) || (is_step && moved <= Self::SETTLED) {
                return Some(next);
            }
            a = next;
        }
        Some(a)
    }

    /// The root of the series around the intercept of all rows.
    fn near(&self, counts: &[u32], positive: f64) -> f64 {
        let mut sums = [0.0; 5];
        for (row, count) in self.first.iter().zip(counts) {
            let count = f64::from(*count);
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += count * value);
        }
        let [s0, s1, s2, s3, s4] = sums;
        let mut d = 0.0;
        for _ in 0..8 {
            let height = s0 - positive
                + d * (s1 + d * (s2 / 2.0 + d * (s3 / 6.0 + d * (s4 / 24.0))));
            let slope = s1 + d * (s2 + d * (s3 / 2.0 + d * (s4 / 6.0)));
            let step = height / slope;
            d -= step;
            if step.abs() < 1e-6 {
                break;
            }
        }
        self.all + if d.abs() <= Self::NEAR { d } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::exp;

    #[test]
    fn the_map_solves_its_score_equations() {
        let p = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
        let truth = [false, false, true, false, false, true, false, true, true, true];
        let (a, b) = recalibration(&truth, &p).unwrap();
        let mapped = |p: f64| 1.0 / (1.0 + exp(-(a + b * ln(p / (1.0 - p)))));
        let sum: f64 = p.iter().map(|p| mapped(*p)).sum();
        assert!((sum - 5.0).abs() < 1e-9, "the mean is right");
        let residual = |(p, class): (&f64, &bool)| {
            (f64::from(u8::from(*class)) - mapped(*p)) * ln(p / (1.0 - p))
        };
        let slope: f64 = p.iter().zip(&truth).map(residual).sum();
        assert!(slope.abs() < 1e-8);
        // Far from calibrated, so that a first step from there leads nowhere.
        let wild: Vec<f64> =
            (0..60).map(|row| f64::from(row * 37 % 61 + 1) / 62.0).collect();
        let thirds: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let reversed: Vec<f64> = wild.iter().map(|p| p.powi(9)).collect();
        for scores in [&wild, &reversed] {
            let (_, b) = recalibration(&thirds, scores).unwrap();
            assert!(b.abs() < 0.5, "{b}");
        }
        assert_eq!(recalibration(&[true, true], &[0.1, 0.2]), None);
        assert_eq!(recalibration(&[true, false], &[0.3, 0.3]), None);
        assert_eq!(recalibration(&[true, false], &[0.9, 0.1]), None, "perfectly apart");
    }

    /// A fit to copies of the drawn rows.
    fn copied(truth: &[bool], x: &[f64], counts: &[u32]) -> (Vec<bool>, Vec<f64>) {
        let rows = truth.iter().zip(x).zip(counts);
        let copies = rows.flat_map(|(row, count)| {
            std::iter::repeat_n((*row.0, *row.1), *count as usize)
        });
        copies.unzip()
    }

    #[test]
    fn fits_to_drawn_rows_are_those_to_copies_of_them() {
        let mut stream = crate::math::Stream::new(2, &["drawn lines"]);
        let mut defined = [0; 2];
        for (n, positive, lift, steep) in
            [(120, 45, 1.5, 1.0), (24, 6, 1.0, 4.0), (24, 6, 3.0, 0.2), (60, 5, 2.5, 1.0)]
        {
            let truth: Vec<bool> = (0..n).map(|row| row < positive).collect();
            let at = |class: &bool| {
                steep * (stream.normal() + if *class { lift } else { 0.0 } - 0.5)
            };
            let x: Vec<f64> = truth.iter().map(at).collect();
            let (mut line_of, mut offset_of) =
                (Line::new(&truth, &x), Offset::new(&truth, &x));
            for _ in 0..200 {
                let mut counts = vec![0; n];
                (0..n).for_each(|_| counts[stream.below(n)] += 1);
                let (classes, copies) = copied(&truth, &x, &counts);
                let near = |found: f64, expected: f64| {
                    let apart = (found - expected).abs();
                    assert!(apart <= 1e-9 * (1.0 + expected.abs()), "{found} {expected}");
                };
                let (found, expected) = (line_of.of(&counts), line(&classes, &copies));
                assert_eq!(found.is_some(), expected.is_some(), "{n} {lift}");
                if let Some((found, expected)) = found.zip(expected) {
                    near(found.0, expected.0);
                    near(found.1, expected.1);
                    defined[0] += 1;
                }
                let (found, expected) =
                    (offset_of.of(&counts), offset(&classes, &copies));
                assert_eq!(found.is_some(), expected.is_some());
                if let Some((found, expected)) = found.zip(expected) {
                    near(found, expected);
                    defined[1] += 1;
                }
            }
        }
        assert!(defined[0] > 400 && defined[1] > 700, "{defined:?}");
    }

    #[test]
    fn classes_that_a_value_parts_have_no_line() {
        let (truth, x) = ([false, true, false, true, true], [0.1, 0.4, 0.4, 0.2, 0.9]);
        let mut of = Line::new(&truth, &x);
        assert!(of.of(&[1; 5]).is_some());
        assert_eq!(of.of(&[1, 1, 1, 0, 1]), None, "they meet in it");
        assert_eq!(of.of(&[2, 1, 0, 0, 1]), None);
        assert_eq!(of.of(&[0, 0, 1, 1, 0]), None, "the other way round");
        assert_eq!(of.of(&[0, 1, 1, 0, 0]), None, "one value");
        assert_eq!(of.of(&[0, 1, 0, 1, 3]), None, "one class");
        // At the lowest value they are in order of their classes.
        let mut rows = DrawnRows::new(&[false, true, false, true], &[0.4, 0.4, 0.9, 0.9]);
        rows.take(&[1, 1, 1, 0]);
        assert!(rows.apart(), "they meet in it");
        rows.take(&[1; 4]);
        assert!(!rows.apart());
    }
}
