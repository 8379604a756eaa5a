//! One split into training and test rows.

use super::splitting::{
    Group, Stratify, Unit, deal, enough, hold_out, inner, strata, units, where_held_out,
};
use crate::operation::prelude::*;

/// A share of the patients held out, once or several times at random.
///
/// Use it for large cohorts only: in small ones nested cross-validation uses the patients better.
///
/// # Computation
/// In each repeat the patients are shuffled within each class, and the first of each class, up to
/// the share, are held out. Candidates are chosen on inner folds of the others.
///
/// # Limits
/// One repeat gives one fold and so no interval of the mean.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HoldOut {
    /// Share of the patients that is held out.
    #[schemars(range(min = 0.05, max = 0.95))]
    pub share: f64,
    /// Number of inner folds of the training set.
    #[schemars(range(min = 2, max = 100))]
    pub inner: usize,
    /// How often the whole is repeated with another split.
    #[schemars(range(min = 1, max = 1000))]
    pub repeats: usize,
    /// What is kept in equal shares on both sides.
    pub stratify: Stratify,
    /// What stays on one side of a split.
    pub group: Group,
}

impl Default for HoldOut {
    fn default() -> Self {
        Self {
            share: 0.3,
            inner: 5,
            repeats: 1,
            stratify: Stratify::default(),
            group: Group::default(),
        }
    }
}

impl Operation for HoldOut {
    const ABOUT: About = About {
        name: "hold_out",
        title: "Hold-out validation",
        version: 1,
        sources: &["stone1974"],
        example: "hold_out: { share: 0.3, inner: 5 }",
    };

    const RANDOM: bool = true;
}

impl Resampling for HoldOut {
    fn shape(&self) -> Shape {
        Shape { repeats: self.repeats, outer: 1, inner: self.inner }
    }

    fn columns(&self) -> Vec<String> {
        self.stratify.columns()
    }

    fn whole(&self, population: &Population, seed: u64) -> Result<Vec<Split>, Failure> {
        let all = units(population, self.group, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        let mut stream = Stream::new(seed, &["splits", "hold_out", "whole"]);
        inner(&all, self.inner, &self.stratify, population, &mut stream)
    }

    fn assign(&self, population: &Population, seed: u64) -> Result<Splits, Failure> {
        let all = units(population, self.group, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        enough(&all, 2)?;
        let mut repeats = Vec::new();
        for repeat in 0..self.repeats {
            let name = repeat.to_string();
            let mut stream = Stream::new(seed, &["splits", "hold_out", &name]);
            // Every unit a fold of its own gives a random order within each stratum.
            let order = deal(&all, all.len(), &self.stratify, &mut stream);
            let held = self.held(&all, &order);
            let split = hold_out(&all, |unit| held[unit], population);
            let training = (0..all.len()).filter(|&unit| !held[unit]);
            let training: Vec<_> = training.map(|unit| all[unit]).collect();
            let mut stream = Stream::new(seed, &["splits", "hold_out", &name, "inner"]);
            let inner =
                inner(&training, self.inner, &self.stratify, population, &mut stream)
                    .map_err(|of| where_held_out(of, format!("split {}", repeat + 1)))?;
            repeats.push(vec![OuterSplit { split, inner }]);
        }
        Ok(Splits { repeats })
    }

    fn in_words(&self) -> String {
        let repeats = match self.repeats {
            1 => "one split".to_string(),
            n => format!("{n} random splits"),
        };
        format!("hold-out of {:.0} % of the patients, {repeats}", self.share * 100.0)
    }
}

impl HoldOut {
    /// The units held out: of each stratum the first by `order`, at least one of each class.
    fn held(&self, all: &[&Unit], order: &[usize]) -> Vec<bool> {
        let mut held = vec![false; all.len()];
        for mut members in strata(all, &self.stratify) {
            members.sort_by_key(|&unit| order[unit]);
            let n = (self.share * members.len() as f64).round() as usize;
            // A stratum of one stays where it can be learned from.
            let most = members.len().saturating_sub(1);
            for &unit in members.iter().take(n.max(1).min(most)) {
                held[unit] = true;
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_each_class_is_held_out() {
        let population = Population {
            rows: (0..40).collect(),
            outcome: (0..40).map(|row| row < 10).collect(),
            subjects: (0..40).collect(),
            columns: Vec::new(),
        };
        let hold_out = HoldOut { share: 0.3, inner: 2, ..HoldOut::default() };
        let splits = hold_out.assign(&population, 1).unwrap();
        let held = &splits.repeats[0][0].split.held_out;
        assert_eq!(held.iter().filter(|row| **row < 10).count(), 3);
        assert_eq!(held.len(), 12);
        let small = HoldOut { share: 0.05, ..hold_out };
        assert_eq!(
            small.assign(&population, 1).unwrap().repeats[0][0].split.held_out.len(),
            3
        );
    }
}
