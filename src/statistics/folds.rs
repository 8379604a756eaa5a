//! Folds that somebody else assigned.

use super::splitting::{
    Group, Stratify, Unit, enough, hold_out, inner, units, where_held_out,
};
use crate::operation::prelude::*;

/// Outer folds read from a table by id: each column is a repeat, each of its values a fold.
///
/// For comparing with published results on their own folds.
///
/// # Computation
/// Rows with the same value are held out together, in order of the values as text (numbers by
/// size). Candidates are chosen on inner folds dealt as in nested cross-validation, or given by
/// further columns. Every row must have a fold, and all rows of a patient the same.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Folds {
    /// The source that holds them. A file of their own is named by `file` and `id` instead.
    pub from: String,
    /// Its columns, one per repeat.
    pub columns: Vec<String>,
    /// Number of inner folds of each outer training set.
    #[schemars(range(min = 2, max = 100))]
    pub inner: usize,
    /// Columns that hold the inner folds, one per outer training set: by repeat, then by outer fold in
    /// its order. What they say of rows outside that training set is not read. Without them inner
    /// folds are dealt.
    pub inner_columns: Vec<String>,
    /// What is kept in equal shares over inner folds that are dealt.
    pub stratify: Stratify,
}

impl Default for Folds {
    fn default() -> Self {
        let (from, columns) = (String::new(), vec!["fold".to_string()]);
        let (inner_columns, stratify) = (Vec::new(), Stratify::default());
        Self { from, columns, inner: 5, inner_columns, stratify }
    }
}

impl Operation for Folds {
    const ABOUT: About = About {
        name: "folds",
        title: "Folds from a table",
        version: 1,
        sources: &["stone1974"],
        example: "folds: { from: splits, columns: [fold] }",
    };

    const RANDOM: bool = true;
}

impl Folds {
    fn name(&self, column: &str) -> String {
        match self.from.is_empty() {
            true => column.to_string(),
            false => format!("{}.{column}", self.from),
        }
    }

    /// The fold of each unit by a column.
    fn read<'p>(
        &self,
        column: &str,
        units: &[&Unit],
        population: &'p Population,
    ) -> Result<Vec<&'p str>, Failure> {
        let name = self.name(column);
        let missing = || Failure::NoColumn { column: name.clone(), known: Vec::new() };
        let cells = population.column(&name).ok_or_else(missing)?;
        let of_unit = |unit: &&Unit| {
            let fold = cells[unit.members[0]].as_str();
            let why = match unit.members.iter().all(|&row| cells[row] == fold) {
                true if !fold.is_empty() => return Ok(fold),
                true => "there are rows without a fold",
                false => "a patient is in several folds",
            };
            Err(Failure::Beside { column: name.clone(), why: why.to_string() })
        };
        units.iter().map(of_unit).collect()
    }
}

/// The folds that occur, numbers by size before other text.
fn in_order<'p>(column: &str, fold_of: &[&'p str]) -> Result<Vec<&'p str>, Failure> {
    let mut folds = fold_of.to_vec();
    folds.sort_by(|a, b| {
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::INFINITY);
        number(a).total_cmp(&number(b)).then_with(|| a.cmp(b))
    });
    folds.dedup();
    match folds.len() {
        found @ (0 | 1) => {
            Err(Failure::TooFewParts { column: column.to_string(), needed: 2, found })
        }
        _ => Ok(folds),
    }
}

impl Resampling for Folds {
    fn shape(&self) -> Shape {
        Shape { repeats: self.columns.len(), outer: 3, inner: self.inner }
    }

    fn columns(&self) -> Vec<String> {
        let given = self.columns.iter().chain(&self.inner_columns);
        let mut columns: Vec<String> = given.map(|column| self.name(column)).collect();
        columns.extend(self.stratify.columns());
        columns
    }

    fn divides_by(&self) -> Vec<String> {
        self.stratify.columns()
    }

    fn whole(&self, population: &Population, seed: u64) -> Result<Vec<Split>, Failure> {
        let all = units(population, Group::Subject, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        let mut stream = Stream::new(seed, &["splits", "folds", "whole"]);
        inner(&all, self.inner, &self.stratify, population, &mut stream)
    }

    fn assign(&self, population: &Population, seed: u64) -> Result<Splits, Failure> {
        let all = units(population, Group::Subject, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        let mut inner_columns = self.inner_columns.iter();
        let mut repeats = Vec::new();
        for column in &self.columns {
            let fold_of = self.read(column, &all, population)?;
            let mut outers = Vec::new();
            let name = self.name(column);
            for fold in in_order(&name, &fold_of)? {
                let split = hold_out(&all, |unit| fold_of[unit] == fold, population);
                let training = (0..all.len()).filter(|&unit| fold_of[unit] != fold);
                let training: Vec<_> = training.map(|unit| all[unit]).collect();
                enough(&training, self.inner).map_err(|of| {
                    where_held_out(of, format!("fold `{fold}` of `{name}`"))
                })?;
                let inner = match inner_columns.next() {
                    Some(given) => {
                        let fold_of = self.read(given, &training, population)?;
                        let folds = in_order(&self.name(given), &fold_of)?;
                        if folds.len() != self.inner {
                            let (found, wanted) = (folds.len(), self.inner);
                            let why = format!(
                                "it holds {found} inner folds and `inner` is {wanted}"
                            );
                            let column = self.name(given);
                            return Err(Failure::Beside { column, why });
                        }
                        let held = |fold: &str| {
                            hold_out(&training, |unit| fold_of[unit] == fold, population)
                        };
                        folds.into_iter().map(held).collect()
                    }
                    None => {
                        let names = ["splits", "folds", column, fold];
                        let mut stream = Stream::new(seed, &names);
                        let (n, stratify) = (self.inner, &self.stratify);
                        inner(&training, n, stratify, population, &mut stream)?
                    }
                };
                outers.push(OuterSplit { split, inner });
            }
            repeats.push(outers);
        }
        let outer: usize = repeats.iter().map(Vec::len).sum();
        if !self.inner_columns.is_empty() && self.inner_columns.len() != outer {
            let column = "inner_columns".to_string();
            let given = self.inner_columns.len();
            let why = format!("{given} columns for {outer} outer training sets");
            return Err(Failure::Beside { column, why });
        }
        Ok(Splits { repeats })
    }

    fn in_words(&self) -> String {
        let repeats = match self.columns.len() {
            1 => "one set of folds".to_string(),
            n => format!("{n} sets of folds"),
        };
        format!(
            "cross-validation on {repeats} given beforehand, {} inner folds",
            self.inner
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_those_of_the_table() {
        let fold = |row: usize| [" 10", "2", "1"][row % 3].trim().to_string();
        let population = Population {
            rows: (0..30).collect(),
            outcome: (0..30).map(|row| row % 2 == 0).collect(),
            subjects: (0..30).collect(),
            columns: vec![("cv.rep1".to_string(), (0..30).map(fold).collect())],
        };
        let scheme = Folds {
            from: "cv".to_string(),
            columns: vec!["rep1".to_string()],
            inner: 2,
            ..Folds::default()
        };
        let splits = scheme.assign(&population, 1).unwrap();
        let held: Vec<u32> =
            splits.repeats[0].iter().map(|outer| outer.split.held_out[0] % 3).collect();
        assert_eq!(held, [2, 1, 0], "in order of 1, 2, 10");
        let mut given = population.clone();
        for outer in 0..3 {
            let inner = |row: usize| match fold(row) == ["1", "2", "10"][outer] {
                true => "-1".to_string(),
                false => format!("{}", row / 15),
            };
            let column = (0..30).map(inner).collect();
            given.columns.push((format!("cv.inner{outer}"), column));
        }
        let inner_columns = [0, 1, 2].map(|outer| format!("inner{outer}")).to_vec();
        let known = Folds { inner_columns, ..scheme.clone() };
        let splits = known.assign(&given, 1).unwrap();
        for outer in &splits.repeats[0] {
            assert_eq!(outer.inner.len(), 2);
            assert!(outer.inner[0].held_out.iter().all(|&row| row < 15));
            assert_eq!(outer.inner[0].held_out, outer.inner[1].train);
        }
        let three = Folds { inner: 3, ..known.clone() };
        let failure = three.assign(&given, 1).unwrap_err();
        let why = "column `cv.inner0`: it holds 2 inner folds and `inner` is 3";
        assert_eq!(failure.to_string(), why);
        let inner_columns = known.inner_columns[..2].to_vec();
        assert!(Folds { inner_columns, ..known }.assign(&given, 1).is_err());
        // All positive rows in one fold: without it nobody is left to learn from.
        let mut lopsided = population.clone();
        lopsided.outcome = (0..30).map(|row| row % 3 == 1).collect();
        let failure = scheme.assign(&lopsided, 1).unwrap_err();
        let held_out = Some("fold `2` of `cv.rep1`".to_string());
        let few =
            Failure::TooFewForFolds { needed: 2, found: 0, positive: true, held_out };
        assert_eq!(failure, few);
        let mut torn = population.clone();
        torn.columns[0].1[4] = String::new();
        assert!(scheme.assign(&torn, 1).is_err());
        let mut torn = population;
        torn.subjects[1] = 0;
        assert!(scheme.assign(&torn, 1).is_err(), "one patient in two folds");
    }
}
