//! Settings of steps and learners that training sets are too small for.
//!
//! Splits are known before anything is computed, and operations declare what they need. Rows that lose
//! their predictors later make training sets smaller still, so what fails here fails in the run too.

use std::collections::BTreeMap;

use super::Survey;
use crate::data::{OuterSplit, Split};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::operation::{Counted, Instance, Need};
use crate::spec::{Chain, Study, Use};

pub(super) fn read(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    let mut asked: BTreeMap<(Span, Need), Asked<'_>> = BTreeMap::new();
    for scheme in &study.validate {
        for outcome in &study.outcomes {
            let place = (scheme.name.clone(), outcome.name.clone());
            let Some(splits) = survey.splits.get(&place) else { continue };
            let wanted = of_scheme(study, &scheme.models);
            if wanted.is_empty() {
                continue;
            }
            let known = (outcome.name.clone(), scheme.cohort.name.clone());
            let (Some(known), Some(cohort)) =
                (survey.outcomes.get(&known), survey.cohorts.get(&scheme.cohort.name))
            else {
                continue;
            };
            let outer: Vec<&OuterSplit> = splits.repeats.iter().flatten().collect();
            let mut counts: BTreeMap<Counted, Vec<Vec<usize>>> = BTreeMap::new();
            for (used, need) in wanted {
                let count = |split: &Split| {
                    let classes =
                        split.train.iter().filter_map(|&row| known.classes[row as usize]);
                    let groups =
                        split.train.iter().map(|&row| cohort.groups[row as usize]);
                    let (classes, groups): (Vec<bool>, Vec<u32>) =
                        (classes.collect(), groups.collect());
                    need.of.among(&classes, &groups)
                };
                let counts = counts.entry(need.of).or_insert_with(|| {
                    let all = |outer: &&OuterSplit| {
                        let inner = outer.inner.iter().map(count);
                        std::iter::once(count(&outer.split)).chain(inner).collect()
                    };
                    outer.iter().map(all).collect()
                });
                let empty = || Asked {
                    used,
                    found: None,
                    outer: 0,
                    lost: 0,
                    schemes: Vec::new(),
                };
                let asked = asked.entry((used.span, need)).or_insert_with(empty);
                asked.on(need, &scheme.name, counts);
            }
        }
    }
    faults.extend(asked.iter().filter_map(|((_, need), asked)| asked.fault(*need)));
}

/// What the steps of a scheme's models and the learners need, each once.
fn of_scheme<'a>(
    study: &'a Study,
    models: &[crate::spec::Named],
) -> Vec<(&'a Use, Need)> {
    let of_scheme =
        study.models.iter().filter(|model| models.iter().any(|m| m.name == model.name));
    let of_models = of_scheme.flat_map(|model| {
        model.branches.iter().map(|branch| &branch.prepare).chain(&model.select)
    });
    let uses =
        |chain: &'a Chain| chain.settings.iter().flat_map(|setting| &setting.steps);
    let mut wanted: Vec<(&Use, Need)> = Vec::new();
    for used in of_models.chain(&study.learn).flat_map(uses) {
        let needs = match &used.instance {
            Instance::TableStep(step) => step.needs(),
            Instance::Learner(learner) => learner.needs(),
            _ => Vec::new(),
        };
        for need in needs {
            if !wanted.iter().any(|(known, of)| (known.span, *of) == (used.span, need)) {
                wanted.push((used, need));
            }
        }
    }
    wanted
}

/// How a need fares on all splits on which it is asked.
struct Asked<'a> {
    used: &'a Use,
    /// The smallest and the largest training set, by what the need counts.
    found: Option<(usize, usize)>,
    outer: usize,
    /// Outer splits that the need is not met in, or not in one of their inner splits: a candidate
    /// without a score on an inner split is not chosen.
    lost: usize,
    schemes: Vec<String>,
}

impl Asked<'_> {
    /// Counts by outer split, its own training set and those of its inner splits.
    fn on(&mut self, need: Need, scheme: &str, counts: &[Vec<usize>]) {
        for of_outer in counts {
            self.outer += 1;
            self.lost += usize::from(of_outer.iter().any(|n| *n < need.least));
            for &n in of_outer {
                let (low, high) = self.found.unwrap_or((n, n));
                self.found = Some((low.min(n), high.max(n)));
            }
        }
        if !self.schemes.iter().any(|known| known == scheme) {
            self.schemes.push(scheme.to_string());
        }
    }

    fn fault(&self, need: Need) -> Option<Diagnostic> {
        let (low, high) = self.found.filter(|_| self.lost > 0)?;
        let setting = match need.parameter {
            Some(parameter) => {
                format!("`{}` with `{parameter}: {}`", self.used.about.name, need.least)
            }
            None => format!("`{}`", self.used.about.name),
        };
        let schemes: Vec<String> =
            self.schemes.iter().map(|scheme| format!("`{scheme}`")).collect();
        let schemes = match schemes.as_slice() {
            [one] => format!("scheme {one}"),
            several => format!("schemes {}", several.join(", ")),
        };
        let there = match low == high {
            true => format!("there are {low}"),
            false => format!("there are {low} to {high}"),
        };
        let why = format!("it needs {} {}, and {there}", need.least, need.of.words());
        let place = Place::Study(self.used.span);
        let fault = match self.lost == self.outer {
            true => Diagnostic::error(
                Code::NEVER_FITTED,
                place,
                format!(
                    "{setting} cannot be chosen on any outer split of {schemes}: {why}"
                ),
            ),
            false => Diagnostic::warning(
                Code::PARTLY_FITTED,
                place,
                format!(
                    "{setting} cannot be chosen on {} of {} outer splits of {schemes}: {why}",
                    self.lost, self.outer
                ),
            ),
        };
        Some(fault.hint(match need.parameter {
            Some(parameter) if low > 0 => format!(
                "inner training sets count too: `{parameter}` is {low} at most, or more folds leave \
                 more rows to train on"
            ),
            _ => "leave it out or take another setting; more folds leave more rows to train on"
                .to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outer_split_is_lost_where_one_of_its_inner_splits_is_too_small() {
        let catalog = crate::catalog::Catalog::standard();
        let entry = catalog.get("knn").unwrap();
        let used = Use::new(entry, &serde_json::Map::new(), Span::default()).unwrap();
        let mut asked =
            Asked { used: &used, found: None, outer: 0, lost: 0, schemes: Vec::new() };
        let need = Need { of: Counted::Rows, least: 9, parameter: Some("k") };
        asked.on(need, "internal", &[vec![12, 8, 9], vec![12, 9, 9]]);
        assert_eq!((asked.outer, asked.lost, asked.found), (2, 1, Some((8, 12))));
        assert!(asked.fault(need).is_some());
        let less = Need { least: 8, ..need };
        let mut asked =
            Asked { used: &used, found: None, outer: 0, lost: 0, schemes: Vec::new() };
        asked.on(less, "internal", &[vec![12, 8, 9]]);
        assert!(asked.fault(less).is_none());
    }
}
