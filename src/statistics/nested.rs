//! Nested cross-validation: outer folds judge, inner folds choose.

use super::splitting::{
    Group, Stratify, deal, enough, hold_out, inner, units, where_held_out,
};
use crate::operation::prelude::*;

/// Repeated nested cross-validation, stratified and grouped.
///
/// The honest way to judge a procedure that tunes itself: candidates are chosen on inner folds of
/// the training rows, and the choice is judged on an outer fold that took no part in it.
///
/// # Computation
/// In each repeat the patients are shuffled within each class and dealt in turn to the outer
/// folds; the patients of each outer training set are dealt to inner folds in the same way.
/// A patient with any positive row counts as positive.
///
/// # Limits
/// Estimates the procedure, not one model. Each class needs a patient per fold.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nested {
    /// Number of outer folds.
    #[schemars(range(min = 2, max = 100))]
    pub outer: usize,
    /// Number of inner folds of each outer training set.
    #[schemars(range(min = 2, max = 100))]
    pub inner: usize,
    /// How often the whole is repeated with other folds.
    #[schemars(range(min = 1, max = 1000))]
    pub repeats: usize,
    /// What is kept in equal shares over the folds.
    pub stratify: Stratify,
    /// What stays on one side of a split.
    pub group: Group,
}

impl Default for Nested {
    fn default() -> Self {
        Self {
            outer: 5,
            inner: 5,
            repeats: 10,
            stratify: Stratify::default(),
            group: Group::default(),
        }
    }
}

impl Operation for Nested {
    const ABOUT: About = About {
        name: "nested",
        title: "Nested cross-validation",
        version: 1,
        sources: &["stone1974", "varma2006"],
        example: "nested: { outer: 5, inner: 5, repeats: 10 }",
    };

    const RANDOM: bool = true;
}

impl Resampling for Nested {
    fn shape(&self) -> Shape {
        Shape { repeats: self.repeats, outer: self.outer, inner: self.inner }
    }

    fn columns(&self) -> Vec<String> {
        self.stratify.columns()
    }

    fn whole(&self, population: &Population, seed: u64) -> Result<Vec<Split>, Failure> {
        let all = units(population, self.group, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        let mut stream = Stream::new(seed, &["splits", "nested", "whole"]);
        inner(&all, self.inner, &self.stratify, population, &mut stream)
    }

    fn assign(&self, population: &Population, seed: u64) -> Result<Splits, Failure> {
        let all = units(population, self.group, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        enough(&all, self.outer)?;
        let mut repeats = Vec::new();
        for repeat in 0..self.repeats {
            let name = repeat.to_string();
            let mut stream = Stream::new(seed, &["splits", "nested", &name]);
            let fold_of = deal(&all, self.outer, &self.stratify, &mut stream);
            let mut outers = Vec::new();
            for fold in 0..self.outer {
                let split = hold_out(&all, |unit| fold_of[unit] == fold, population);
                let training = (0..all.len()).filter(|&unit| fold_of[unit] != fold);
                let training: Vec<_> = training.map(|unit| all[unit]).collect();
                let names = ["splits", "nested", &name, &fold.to_string(), "inner"];
                let mut stream = Stream::new(seed, &names);
                let inner =
                    inner(&training, self.inner, &self.stratify, population, &mut stream)
                        .map_err(|of| {
                            where_held_out(of, format!("outer fold {}", fold + 1))
                        })?;
                outers.push(OuterSplit { split, inner });
            }
            repeats.push(outers);
        }
        Ok(Splits { repeats })
    }

    fn in_words(&self) -> String {
        let repeats = match self.repeats {
            1 => "once".to_string(),
            n => format!("{n} repeats"),
        };
        format!("nested {} × {} cross-validation, {repeats}", self.outer, self.inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn population(n: usize, positive: usize) -> Population {
        Population {
            rows: (0..n as u32).map(|row| row * 2).collect(),
            outcome: (0..n).map(|row| row < positive).collect(),
            subjects: (0..n as u32).collect(),
            columns: Vec::new(),
        }
    }

    #[test]
    fn a_class_smaller_than_the_folds_is_refused() {
        let nested = Nested { outer: 5, inner: 2, repeats: 1, ..Nested::default() };
        let failure = nested.assign(&population(50, 4), 1).unwrap_err();
        let few = |found: usize, held_out: Option<&str>| Failure::TooFewForFolds {
            needed: 5,
            found,
            positive: true,
            held_out: held_out.map(str::to_string),
        };
        assert_eq!(failure, few(4, None));
        // Five positives: four are left to train on, too few for five inner folds.
        let nested = Nested { inner: 5, ..nested };
        let failure = nested.assign(&population(50, 5), 1).unwrap_err();
        assert_eq!(failure, few(4, Some("outer fold 1")));
    }

    proptest! {
        #[test]
        fn folds_are_even_in_all_and_in_each_class(
            n in 20usize..80, positive in 8usize..12, outer in 2usize..6, seed in any::<u64>(),
        ) {
            let nested = Nested { outer, inner: 2, repeats: 2, ..Nested::default() };
            let population = population(n, positive);
            let splits = nested.assign(&population, seed).unwrap();
            for outers in &splits.repeats {
                let sizes: Vec<usize> = outers.iter().map(|o| o.split.held_out.len()).collect();
                prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
                let positives: Vec<usize> = outers.iter().map(|o| {
                    o.split.held_out.iter().filter(|r| (**r as usize) / 2 < positive).count()
                }).collect();
                prop_assert!(positives.iter().max().unwrap() - positives.iter().min().unwrap() <= 1);
            }
        }
    }
}
