//! Folds that somebody else assigned.

use super::splitting::{Group, Stratify, enough, hold_out, inner, units};
use crate::operation::prelude::*;

/// Outer folds read from a table by id: each column is a repeat, each of its values a fold.
///
/// For comparing with published results on their own folds.
///
/// # Computation
/// Rows with the same value are held out together, in order of the values as text (numbers by
/// size). Candidates are chosen on inner folds dealt as in nested cross-validation. Every row
/// must have a fold, and all rows of a patient the same.
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
    /// What is kept in equal shares over inner folds.
    pub stratify: Stratify,
}

impl Default for Folds {
    fn default() -> Self {
        let (from, columns) = (String::new(), vec!["fold".to_string()]);
        Self { from, columns, inner: 5, stratify: Stratify::default() }
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
}

impl Resampling for Folds {
    fn shape(&self) -> Shape {
        Shape { repeats: self.columns.len(), outer: 3, inner: self.inner }
    }

    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            self.columns.iter().map(|column| self.name(column)).collect();
        columns.extend(self.stratify.columns());
        columns
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
        let mut repeats = Vec::new();
        for column in &self.columns {
            let name = self.name(column);
            let missing =
                || Failure::NoColumn { column: name.clone(), known: Vec::new() };
            let cells = population.column(&name).ok_or_else(missing)?;
            let mut fold_of = Vec::new();
            for unit in &all {
                let fold = &cells[unit.members[0]];
                let one = unit.members.iter().all(|&row| cells[row] == *fold);
                if !one || fold.is_empty() {
                    let found = match one {
                        true => "rows without a fold",
                        false => "a patient in several folds",
                    };
                    let (column, found) = (name.clone(), found.to_string());
                    return Err(Failure::Undeclared { column, found });
                }
                fold_of.push(fold.as_str());
            }
            let mut folds = fold_of.clone();
            folds.sort_by(|a, b| {
                let number = |text: &str| text.parse::<f64>().unwrap_or(f64::INFINITY);
                number(a).total_cmp(&number(b)).then_with(|| a.cmp(b))
            });
            folds.dedup();
            if folds.len() < 2 {
                return Err(Failure::TooFew { needed: 2, found: folds.len() });
            }
            let mut outers = Vec::new();
            for fold in folds {
                let split = hold_out(&all, |unit| fold_of[unit] == fold, population);
                let training = (0..all.len()).filter(|&unit| fold_of[unit] != fold);
                let training: Vec<_> = training.map(|unit| all[unit]).collect();
                enough(&training, self.inner)?;
                let names = ["splits", "folds", column, fold];
                let mut stream = Stream::new(seed, &names);
                let inner = inner(
                    &training,
                    self.inner,
                    &self.stratify,
                    population,
                    &mut stream,
                )?;
                outers.push(OuterSplit { split, inner });
            }
            repeats.push(outers);
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
        let mut torn = population.clone();
        torn.columns[0].1[4] = String::new();
        assert!(scheme.assign(&torn, 1).is_err());
        let mut torn = population;
        torn.subjects[1] = 0;
        assert!(scheme.assign(&torn, 1).is_err(), "one patient in two folds");
    }
}
