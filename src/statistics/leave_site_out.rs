//! One site held out at a time: how a model fares where it was not developed.

use super::splitting::{
    Group, Stratify, Unit, enough, hold_out, inner, units, where_held_out,
};
use crate::operation::prelude::*;

/// Each site is held out once; candidates are tuned on the other sites.
///
/// Shows how performance varies between hospitals, before any other hospital is asked.
///
/// # Computation
/// One outer split per site, in order of the sites' names. Candidates are chosen on inner folds
/// of the other sites, dealt as in nested cross-validation. Sites of both classes are pooled on
/// the logit scale with random effects; sites with fewer than five of a class are shown and not
/// pooled, and a site of one class has counts only.
///
/// # Limits
/// Runs on the development cohort, so other sites of an archive are no external validation.
/// Rows without a known site are held out by themselves, as the site `unknown`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeaveSiteOut {
    /// Number of inner folds of the other sites.
    #[schemars(range(min = 2, max = 100))]
    pub inner: usize,
    /// The column that names the site; the cohort's `site` by default.
    pub by: String,
    /// What is kept in equal shares over inner folds.
    pub stratify: Stratify,
}

impl Default for LeaveSiteOut {
    fn default() -> Self {
        Self { inner: 5, by: "site".to_string(), stratify: Stratify::default() }
    }
}

impl Operation for LeaveSiteOut {
    const ABOUT: About = About {
        name: "leave_site_out",
        title: "Leave-one-site-out validation",
        version: 1,
        sources: &["stone1974", "steyerberg2016"],
        example: "leave_site_out: { inner: 5 }",
    };

    const RANDOM: bool = true;
}

impl LeaveSiteOut {
    /// The name of the site of a population row.
    fn site(&self, population: &Population, row: usize) -> String {
        match population.column(&self.by).map(|cells| cells[row].as_str()) {
            None | Some("") => "unknown".to_string(),
            Some(site) => site.to_string(),
        }
    }

    fn inner_of(
        &self,
        units: &[&Unit],
        population: &Population,
        seed: u64,
        place: &str,
    ) -> Result<Vec<Split>, Failure> {
        let mut stream = Stream::new(seed, &["splits", "leave_site_out", place]);
        inner(units, self.inner, &self.stratify, population, &mut stream)
    }
}

impl Resampling for LeaveSiteOut {
    fn judged(&self) -> Judged {
        Judged::Sites
    }

    fn shape(&self) -> Shape {
        Shape { repeats: 1, outer: 3, inner: self.inner }
    }

    fn columns(&self) -> Vec<String> {
        let mut columns = vec![self.by.clone()];
        columns.extend(self.stratify.columns());
        columns
    }

    fn whole(&self, population: &Population, seed: u64) -> Result<Vec<Split>, Failure> {
        let all = units(population, Group::Subject, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        self.inner_of(&all, population, seed, "whole")
    }

    fn assign(&self, population: &Population, seed: u64) -> Result<Splits, Failure> {
        let all = units(population, Group::Subject, &self.stratify);
        let all: Vec<_> = all.iter().collect();
        let mut sites: Vec<String> = Vec::new();
        let mut site_of = Vec::new();
        for unit in &all {
            let mut of_unit: Vec<String> =
                unit.members.iter().map(|&row| self.site(population, row)).collect();
            of_unit.dedup();
            let [site] = of_unit.as_slice() else {
                let why = "a patient is at several sites".to_string();
                return Err(Failure::Beside { column: self.by.clone(), why });
            };
            sites.push(site.clone());
            site_of.push(site.clone());
        }
        sites.sort();
        sites.dedup();
        if sites.len() < 2 {
            // Rows of an unknown site are held out, but are no site by which others could be told apart.
            let known = population.column(&self.by);
            let found =
                known.is_some_and(|cells| cells.iter().any(|cell| !cell.is_empty()));
            let (column, found) = (self.by.clone(), usize::from(found));
            return Err(Failure::TooFewParts { column, needed: 2, found });
        }
        let mut outers = Vec::new();
        for site in &sites {
            let split = hold_out(&all, |unit| site_of[unit] == *site, population);
            let others = (0..all.len()).filter(|&unit| site_of[unit] != *site);
            let others: Vec<_> = others.map(|unit| all[unit]).collect();
            enough(&others, self.inner)
                .map_err(|of| where_held_out(of, format!("site `{site}`")))?;
            let inner = self.inner_of(&others, population, seed, site)?;
            outers.push(OuterSplit { split, inner });
        }
        Ok(Splits { repeats: vec![outers] })
    }

    fn in_words(&self) -> String {
        "leave-one-site-out cross-validation".to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_is_held_out_once() {
        let site = |row: usize| ["a", "b", "c"][row % 3].to_string();
        let population = Population {
            rows: (0..30).collect(),
            outcome: (0..30).map(|row| row % 2 == 0).collect(),
            subjects: (0..30).collect(),
            columns: vec![("site".to_string(), (0..30).map(site).collect())],
        };
        let scheme = LeaveSiteOut { inner: 2, ..LeaveSiteOut::default() };
        let splits = scheme.assign(&population, 1).unwrap();
        assert_eq!(splits.repeats[0].len(), 3);
        let held = &splits.repeats[0][1].split.held_out;
        assert!(held.len() == 10 && held.iter().all(|row| row % 3 == 1));
        for outer in &splits.repeats[0] {
            let inside = |row: &u32| outer.split.train.contains(row);
            let used = outer.inner.iter().flat_map(|s| s.train.iter().chain(&s.held_out));
            assert!(used.into_iter().all(inside));
        }
        for (cells, known) in [("", 0), ("a", 1)] {
            let columns = vec![("site".to_string(), vec![cells.to_string(); 30])];
            let one = Population { columns, ..population.clone() };
            let too_few = Failure::TooFewParts {
                column: "site".to_string(),
                needed: 2,
                found: known,
            };
            assert_eq!(scheme.assign(&one, 1).err(), Some(too_few));
        }
    }
}
