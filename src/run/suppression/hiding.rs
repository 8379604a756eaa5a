//! Which counts are hidden so that no small one can be told: the small ones themselves, and as many
//! others as it takes that sums do not give them away.
//!
//! Counts are joined by sums that a reader knows: what enters a box is what leaves and what stays,
//! groups add up to all. A count that is not shown but follows from those that are, such as the
//! patients of a group without the outcome, is protected like one that is shown. What a reader
//! could infer from other things than sums is left to the caller.

use std::collections::{BTreeMap, BTreeSet};

/// A number within rounding of 0.
const NOTHING: f64 = 1e-6;

/// Counts and the sums that join them.
#[derive(Debug, Default)]
pub struct Counts {
    all: Vec<Counted>,
    /// By count: one that means the same; itself for the one that stands for all of its kind.
    meant: Vec<usize>,
    by_place: BTreeMap<String, usize>,
    /// Each: Σ factor × count = 0.
    sums: Vec<Vec<(usize, f64)>>,
}

/// One number.
#[derive(Debug, Clone)]
struct Counted {
    value: f64,
    /// How much it would be missed: the lower, the sooner it is hidden for the sake of others.
    worth: u8,
    /// In the record: several where one number stands in several places, none for one that is not
    /// shown.
    places: Vec<String>,
}

impl Counts {
    /// The count that stands at a place. It keeps what it was worth when it was first met.
    pub fn shown(&mut self, place: String, value: f64, worth: u8) -> usize {
        if let Some(known) = self.by_place.get(&place) {
            return *known;
        }
        self.by_place.insert(place.clone(), self.all.len());
        self.push(Counted { value, worth, places: vec![place] })
    }

    fn push(&mut self, count: Counted) -> usize {
        self.all.push(count);
        self.meant.push(self.all.len() - 1);
        self.all.len() - 1
    }

    /// The count that stands for all that mean the same.
    fn root(&self, count: usize) -> usize {
        let mut at = count;
        while self.meant[at] != at {
            at = self.meant[at];
        }
        at
    }

    /// A count that nobody shows and that sums may tell.
    pub fn implied(&mut self, value: f64) -> usize {
        self.push(Counted { value, worth: 0, places: Vec::new() })
    }

    pub fn value(&self, count: usize) -> f64 {
        self.all[count].value
    }

    /// Says that `whole` is the sum of `parts`. Where the numbers do not agree, nothing is said.
    pub fn sum(&mut self, whole: usize, parts: &[usize]) {
        let found: f64 = parts.iter().map(|part| self.all[*part].value).sum();
        if (found - self.all[whole].value).abs() > NOTHING {
            return;
        }
        // That there is nobody is often plain, so that it is safe to think that readers know.
        let some = |part: &&usize| self.all[**part].value > NOTHING;
        let parts: Vec<usize> = parts.iter().filter(some).copied().collect();
        if let [only] = parts.as_slice() {
            self.same(whole, *only);
        } else if !parts.is_empty() {
            let mut terms = vec![(whole, -1.0)];
            terms.extend(parts.iter().map(|part| (*part, 1.0)));
            self.sums.push(terms);
        }
    }

    /// The same with what is left over as a count of its own.
    pub fn sum_with_rest(&mut self, whole: usize, parts: &[usize]) {
        let found: f64 = parts.iter().map(|part| self.all[*part].value).sum();
        let rest = self.all[whole].value - found;
        if rest < -NOTHING {
            return;
        }
        let rest = self.implied(if rest < NOTHING { 0.0 } else { rest });
        let parts: Vec<usize> = parts.iter().copied().chain([rest]).collect();
        self.sum(whole, &parts);
    }

    /// Says that two numbers mean the same. Where they differ, they cannot.
    pub fn same(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let apart = (self.all[one].value - self.all[other].value).abs() > NOTHING;
        if apart || one == other {
            return;
        }
        let places = std::mem::take(&mut self.all[other].places);
        self.all[one].places.extend(places);
        // It is missed as much as where it is missed most.
        self.all[one].worth = self.all[one].worth.max(self.all[other].worth);
        self.meant[other] = one;
    }

    /// The sums over counts that mean different things.
    fn resolved(&self) -> Vec<Vec<(usize, f64)>> {
        let mut resolved = Vec::new();
        for sum in &self.sums {
            let mut terms: BTreeMap<usize, f64> = BTreeMap::new();
            for (count, factor) in sum {
                *terms.entry(self.root(*count)).or_insert(0.0) += factor;
            }
            terms.retain(|_, factor| factor.abs() > NOTHING);
            resolved.push(terms.into_iter().collect::<Vec<_>>());
        }
        resolved.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        resolved.dedup();
        resolved.retain(|terms| !terms.is_empty());
        resolved
    }

    /// The places that are hidden, in order, where counts from 1 to under `smallest` are small.
    pub fn hidden(&self, smallest: f64) -> BTreeSet<String> {
        let solved = Self {
            all: self.all.clone(),
            meant: (0..self.all.len()).collect(),
            by_place: BTreeMap::new(),
            sums: self.resolved(),
        };
        solved.all_hidden(smallest)
    }

    fn all_hidden(&self, smallest: f64) -> BTreeSet<String> {
        let small = |count: &Counted| count.value > NOTHING && count.value < smallest;
        let mut hidden: Vec<bool> = self.all.iter().map(small).collect();
        loop {
            let more = self.given_away(&hidden, smallest);
            if more.is_empty() {
                break;
            }
            more.into_iter().for_each(|count| hidden[count] = true);
        }
        self.show_again(&mut hidden, smallest);
        let places = self.all.iter().zip(&hidden).filter(|(_, hidden)| **hidden);
        places.flat_map(|(count, _)| count.places.iter().cloned()).collect()
    }

    /// What a reader does not know: what is hidden, and what is not shown, unless it is nothing. That
    /// there is nobody is often plain, and it is safe to think that readers know.
    fn unknown(&self, hidden: &[bool]) -> Vec<bool> {
        let of_count = |(count, hidden): (&Counted, &bool)| {
            *hidden || (count.places.is_empty() && count.value > NOTHING)
        };
        self.all.iter().zip(hidden).map(of_count).collect()
    }

    fn small(&self, smallest: f64) -> Vec<bool> {
        self.all.iter().map(|c| c.value > NOTHING && c.value < smallest).collect()
    }

    /// Shows what need not be hidden, first what is missed most. Counts are hidden for the sake of one
    /// small count at a time, and what is hidden for one may protect another as well.
    fn show_again(&self, hidden: &mut [bool], smallest: f64) {
        let small = self.small(smallest);
        let mut unknown = self.unknown(hidden);
        for part in self.parts(&unknown) {
            let mut free = Free::of(&part, &self.sums, &unknown);
            let small_here: Vec<usize> =
                free.columns.iter().copied().filter(|count| small[*count]).collect();
            let mut beside: Vec<usize> = free.columns.clone();
            beside.retain(|count| hidden[*count] && !small[*count]);
            let key = |count: &usize| {
                let of = &self.all[*count];
                (of.worth, of.value, of.places.first())
            };
            beside.sort_by(|a, b| {
                key(b).partial_cmp(&key(a)).unwrap_or(std::cmp::Ordering::Equal)
            });
            for count in beside {
                let with = free.with(count);
                if small_here.iter().any(|small| with.is_told(*small)) {
                    continue;
                }
                unknown[count] = false;
                let narrow = part.iter().any(|at| {
                    let sum = &self.sums[*at];
                    self.narrow(*at, sum, &unknown, &small, smallest).is_some()
                });
                if narrow {
                    unknown[count] = true;
                    continue;
                }
                hidden[count] = false;
                free = with;
            }
        }
    }

    /// Counts that have to be hidden next; none when no small one is given away.
    fn given_away(&self, hidden: &[bool], smallest: f64) -> BTreeSet<usize> {
        let unknown = self.unknown(hidden);
        let small = self.small(smallest);
        let mut more = BTreeSet::new();
        for (at, sum) in self.sums.iter().enumerate() {
            if let Some(count) = self.narrow(at, sum, &unknown, &small, smallest) {
                more.insert(count);
            }
        }
        if !more.is_empty() {
            return more;
        }
        for part in self.parts(&unknown) {
            for (told, used) in told(&part, &self.sums, &unknown) {
                if small[told] {
                    more.extend(self.best(Some(told), &used, &unknown));
                }
            }
        }
        more
    }

    /// What to hide beside the unknown counts of one sum, where all of them together are few.
    fn narrow(
        &self,
        at: usize,
        sum: &[(usize, f64)],
        unknown: &[bool],
        small: &[bool],
        smallest: f64,
    ) -> Option<usize> {
        let of = |(count, factor): &(usize, f64)| (*count, *factor, unknown[*count]);
        let open: Vec<(usize, f64)> = sum
            .iter()
            .map(of)
            .filter(|(_, _, unknown)| *unknown)
            .map(|(count, factor, _)| (count, factor))
            .collect();
        let first = open.first()?;
        let one_sided =
            open.iter().all(|(_, factor)| factor.signum() == first.1.signum());
        let total: f64 = open.iter().map(|(count, _)| self.all[*count].value).sum();
        let any_small = open.iter().any(|(count, _)| small[*count]);
        match any_small && one_sided && total < smallest {
            true => self.best(None, &[at], unknown),
            false => None,
        }
    }

    /// The known count of these sums that is missed least; among equals one that stands in a sum
    /// with `told`, then the smallest. Those of nobody protect nothing.
    fn best(
        &self,
        told: Option<usize>,
        used: &[usize],
        unknown: &[bool],
    ) -> Option<usize> {
        let names = |sum: usize| {
            told.is_some_and(|told| {
                self.sums[sum].iter().any(|(count, _)| *count == told)
            })
        };
        let known = |count: usize| !unknown[count] && self.all[count].value > NOTHING;
        let candidates = used.iter().flat_map(|sum| {
            let far = !names(*sum);
            self.sums[*sum].iter().map(move |(count, _)| (far, *count))
        });
        let key = |(far, count): &(bool, usize)| {
            let of = &self.all[*count];
            (of.worth, *far, of.value, of.places.first())
        };
        let least = candidates.filter(|(_, count)| known(*count)).min_by(|a, b| {
            key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)
        });
        least.map(|(_, count)| count)
    }

    /// Sums that share unknown counts, as positions; each such part can be solved alone.
    fn parts(&self, unknown: &[bool]) -> Vec<Vec<usize>> {
        let mut part_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for (at, sum) in self.sums.iter().enumerate() {
            let open = sum.iter().map(|(count, _)| *count).filter(|c| unknown[*c]);
            let open: Vec<usize> = open.collect();
            let mut met: Vec<usize> =
                open.iter().filter_map(|count| part_of.get(count).copied()).collect();
            met.sort_unstable();
            met.dedup();
            let into = match met.first() {
                Some(into) => *into,
                None if open.is_empty() => continue,
                None => {
                    parts.push(Vec::new());
                    parts.len() - 1
                }
            };
            for other in met.into_iter().skip(1) {
                let moved = std::mem::take(&mut parts[other]);
                parts[into].extend(moved);
                part_of.values_mut().filter(|p| **p == other).for_each(|p| *p = into);
            }
            parts[into].push(at);
            part_of.extend(open.into_iter().map(|count| (count, into)));
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// How far the unknown counts of a part may be other ones while all sums still hold: each direction is
/// a change of every count.
struct Free {
    columns: Vec<usize>,
    directions: Vec<Vec<f64>>,
}

impl Free {
    fn of(part: &[usize], sums: &[Vec<(usize, f64)>], unknown: &[bool]) -> Self {
        let Solved { columns, rows, pivots } = Solved::of(part, sums, unknown);
        let row_of: BTreeMap<usize, usize> =
            pivots.into_iter().map(|(row, column)| (column, row)).collect();
        let free = (0..columns.len()).filter(|column| !row_of.contains_key(column));
        let direction = |free: usize| {
            let change = |column: usize| match row_of.get(&column) {
                Some(row) => -rows[*row][free],
                None => f64::from(u8::from(column == free)),
            };
            (0..columns.len()).map(change).collect()
        };
        let directions = free.map(direction).collect();
        Self { columns, directions }
    }

    fn place(&self, count: usize) -> Option<usize> {
        self.columns.iter().position(|column| *column == count)
    }

    /// The same with one more count that is known.
    fn with(&self, known: usize) -> Self {
        let mut directions = self.directions.clone();
        let columns = self.columns.clone();
        let Some(at) = self.place(known) else { return Self { columns, directions } };
        let largest = (0..directions.len())
            .max_by(|a, b| directions[*a][at].abs().total_cmp(&directions[*b][at].abs()));
        if let Some(largest) = largest.filter(|of| directions[*of][at].abs() > 1e-9) {
            let out = directions.swap_remove(largest);
            for direction in &mut directions {
                let factor = direction[at] / out[at];
                if factor.abs() > 1e-12 {
                    for (change, of_out) in direction.iter_mut().zip(&out) {
                        *change -= factor * of_out;
                    }
                }
            }
        }
        Self { columns, directions }
    }

    /// Whether a count can be no other.
    fn is_told(&self, count: usize) -> bool {
        let fixed = |at: usize| self.directions.iter().all(|of| of[at].abs() <= 1e-9);
        self.place(count).is_some_and(fixed)
    }
}

/// The sums of a part over its unknown counts, solved as far as they can be.
struct Solved {
    columns: Vec<usize>,
    /// Beside each row stand the sums that it was made of.
    rows: Vec<Vec<f64>>,
    /// Row and column.
    pivots: Vec<(usize, usize)>,
}

impl Solved {
    fn of(part: &[usize], sums: &[Vec<(usize, f64)>], unknown: &[bool]) -> Self {
        let of_sums = part.iter().flat_map(|sum| sums[*sum].iter());
        let columns: BTreeSet<usize> =
            of_sums.map(|(count, _)| *count).filter(|count| unknown[*count]).collect();
        let columns: Vec<usize> = columns.into_iter().collect();
        let place: BTreeMap<usize, usize> =
            columns.iter().enumerate().map(|(at, count)| (*count, at)).collect();
        let width = columns.len() + part.len();
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for (at, sum) in part.iter().enumerate() {
            let mut row = vec![0.0; width];
            for (count, factor) in &sums[*sum] {
                if let Some(column) = place.get(count) {
                    row[*column] += factor;
                }
            }
            row[columns.len() + at] = 1.0;
            rows.push(row);
        }
        let mut pivots: Vec<(usize, usize)> = Vec::new();
        let mut next = 0;
        for column in 0..columns.len() {
            let largest = (next..rows.len())
                .max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
            let Some(found) = largest.filter(|row| rows[*row][column].abs() > 1e-9)
            else {
                continue;
            };
            rows.swap(next, found);
            let factor = rows[next][column];
            rows[next].iter_mut().for_each(|value| *value /= factor);
            let pivot = rows[next].clone();
            for (at, row) in rows.iter_mut().enumerate() {
                let factor = row[column];
                if at != next && factor.abs() > 1e-12 {
                    for (value, from) in row.iter_mut().zip(&pivot) {
                        *value -= factor * from;
                    }
                }
            }
            pivots.push((next, column));
            next += 1;
        }
        Self { columns, rows, pivots }
    }
}

/// Unknown counts that the sums of a part determine, each with the sums that do it.
fn told(
    part: &[usize],
    sums: &[Vec<(usize, f64)>],
    unknown: &[bool],
) -> Vec<(usize, Vec<usize>)> {
    let Solved { columns, rows, pivots } = Solved::of(part, sums, unknown);
    let mut found = Vec::new();
    for (row, column) in pivots {
        let others = rows[row][..columns.len()]
            .iter()
            .enumerate()
            .any(|(at, value)| at != column && value.abs() > 1e-9);
        if !others {
            let used = part
                .iter()
                .enumerate()
                .filter(|(at, _)| rows[row][columns.len() + at].abs() > 1e-9)
                .map(|(_, sum)| *sum);
            found.push((columns[column], used.collect()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of rows and columns with its margins.
    fn table(cells: &[&[f64]]) -> Counts {
        let mut counts = Counts::default();
        let at: Vec<Vec<usize>> = cells
            .iter()
            .enumerate()
            .map(|(row, cells)| {
                let cell = |(column, value): (usize, &f64)| {
                    counts.shown(format!("{row}{column}"), *value, 1)
                };
                cells.iter().enumerate().map(cell).collect()
            })
            .collect();
        let mut margins = Vec::new();
        for (row, cells) in at.iter().enumerate() {
            let total = cells.iter().map(|cell| counts.value(*cell)).sum();
            let total = counts.shown(format!("{row}+"), total, 9);
            counts.sum(total, cells);
            margins.push(total);
        }
        for column in 0..at[0].len() {
            let cells: Vec<usize> = at.iter().map(|row| row[column]).collect();
            let total = cells.iter().map(|cell| counts.value(*cell)).sum();
            let total = counts.shown(format!("+{column}"), total, 9);
            counts.sum(total, &cells);
        }
        let all = margins.iter().map(|total| counts.value(*total)).sum();
        let all = counts.shown("++".to_string(), all, 10);
        counts.sum(all, &margins);
        counts
    }

    fn place(count: &Counted) -> &str {
        &count.places[0]
    }

    fn hidden(counts: &Counts) -> Vec<String> {
        counts.hidden(5.0).into_iter().collect()
    }

    #[test]
    fn a_small_cell_takes_three_others_with_it_and_no_margin() {
        let found = hidden(&table(&[&[3.0, 20.0, 30.0], &[12.0, 40.0, 50.0]]));
        assert_eq!(found, ["00", "01", "10", "11"]);
        assert!(hidden(&table(&[&[8.0, 20.0], &[12.0, 0.0]])).is_empty());
    }

    #[test]
    fn two_small_cells_that_add_up_to_few_take_another() {
        // 1 and 2 with a sum of 3 would be told apart by little.
        let mut counts = Counts::default();
        let parts = [1.0, 2.0, 30.0, 40.0].map(|v| counts.shown(v.to_string(), v, 1));
        let all = counts.shown("all".to_string(), 73.0, 9);
        counts.sum(all, &parts);
        assert_eq!(hidden(&counts), ["1", "2", "30"]);
    }

    #[test]
    fn what_is_not_shown_is_protected_too() {
        // 40 of 42 have the outcome: so 2 have not.
        let mut counts = Counts::default();
        let all = counts.shown("n".to_string(), 42.0, 9);
        let positive = counts.shown("positive".to_string(), 40.0, 2);
        counts.sum_with_rest(all, &[positive]);
        assert_eq!(hidden(&counts), ["positive"]);
    }

    #[test]
    fn the_same_number_elsewhere_is_hidden_too() {
        let mut counts = Counts::default();
        let one = counts.shown("one".to_string(), 3.0, 1);
        let rest = counts.shown("rest".to_string(), 50.0, 1);
        let all = counts.shown("all".to_string(), 53.0, 9);
        counts.sum(all, &[one, rest]);
        let again = counts.shown("again".to_string(), 50.0, 5);
        counts.same(rest, again);
        let other = counts.shown("other".to_string(), 51.0, 5);
        counts.same(rest, other);
        assert_eq!(hidden(&counts), ["again", "one", "rest"]);
    }

    #[test]
    fn what_one_small_count_takes_protects_another_too() {
        // Two small cells in one row protect each other there, and need one more row only.
        let found = hidden(&table(&[
            &[3.0, 2.0, 30.0],
            &[12.0, 40.0, 50.0],
            &[11.0, 41.0, 60.0],
        ]));
        assert_eq!(found, ["00", "01", "10", "11"]);
    }

    /// Nothing small is told by any table, as an elimination of its own finds; and each count that is
    /// hidden is so because one would be told without it.
    #[test]
    fn random_tables_give_nothing_away() {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..200 {
            let (rows, columns) = (2 + next(3) as usize, 2 + next(3) as usize);
            let cells: Vec<Vec<f64>> = (0..rows)
                .map(|_| (0..columns).map(|_| next(25) as f64).collect())
                .collect();
            let counts = table(&cells.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let hidden = counts.hidden(5.0);
            // One number may stand in several places: the first of them stands for all.
            let is_hidden =
                |count: usize| hidden.contains(place(&counts.all[counts.root(count)]));
            let unknown: Vec<bool> = (0..counts.all.len()).map(is_hidden).collect();
            let sums = counts.resolved();
            let every: Vec<usize> = (0..sums.len()).collect();
            for (count, _) in told(&every, &sums, &unknown) {
                let value = counts.all[count].value;
                assert!(value == 0.0 || value >= 5.0, "{cells:?}: {value}");
            }
            let small = counts.small(5.0);
            for (count, is_small) in small.iter().enumerate() {
                assert!(!is_small || is_hidden(count));
            }
            let open = |unknown: &[bool]| {
                let few = |sum: &Vec<(usize, f64)>| {
                    let open = sum.iter().filter(|(count, _)| unknown[*count]);
                    let (mut total, mut any) = (0.0, false);
                    let mut signs = BTreeSet::new();
                    for (count, factor) in open {
                        total += counts.all[*count].value;
                        any |= small[*count];
                        signs.insert(*factor > 0.0);
                    }
                    any && signs.len() == 1 && total < 5.0
                };
                let told = told(&every, &sums, unknown);
                told.iter().any(|(count, _)| small[*count]) || sums.iter().any(few)
            };
            assert!(!open(&unknown), "{cells:?}");
            for count in 0..counts.all.len() {
                if unknown[count] && !small[count] && counts.root(count) == count {
                    let mut shown = unknown.clone();
                    shown[count] = false;
                    assert!(open(&shown), "{cells:?}: {count} need not be hidden");
                }
            }
        }
    }
}
