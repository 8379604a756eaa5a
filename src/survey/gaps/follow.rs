//! Columns with gaps on their way through steps: where the rows of a split stop.
//!
//! Steps say what missing values mean to them ([`TableStep::GAPS`]), and those that leave any treat each
//! column by itself, so columns without gaps need not be followed.
//!
//! [`TableStep::GAPS`]: crate::operation::TableStep::GAPS

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Looking, Way, add};
use crate::data::{Frame, FrameColumn, Rows, Splits, Train};
use crate::operation::{Failure, Gaps, Instance};
use crate::spec::{ChainSetting, Model, Use};

/// Why rows do not get further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A step needs a value of each column, and training rows have none.
    NoValue,
    /// Missing values are refused.
    Refused,
}

/// Where rows do not get further: at a step, by its position, or behind all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) at: Option<usize>,
    pub(super) why: Why,
    columns: Vec<String>,
    /// The operations that stop them.
    names: Vec<&'static str>,
}

/// The same over the splits of a scheme.
#[derive(Default)]
pub(super) struct Met {
    /// Thousands, perhaps, on each of a hundred splits.
    pub(super) columns: BTreeSet<String>,
    pub(super) stopped: Vec<&'static str>,
    /// Outer splits on which nothing comes of it.
    pub(super) lost: usize,
}

/// Rows on their way: the open columns that are left of them.
#[derive(Clone)]
pub(super) struct Followed {
    train: Train,
    pub(super) held_out: Rows,
    /// Columns that are complete in training and lack held-out values, which went through a step that looks
    /// at columns together: whether it left them out is not known, and they are followed no further.
    pub(super) loose: Vec<String>,
    /// Whether a selector may leave a column out by what it holds.
    picked_later: bool,
}

impl Looking<'_, '_> {
    /// Where rows stop on the splits of a scheme, and how many outer splits are lost to it: a candidate
    /// without a score on one inner split is not chosen.
    pub(super) fn on_splits(
        &self,
        way: &Way<'_>,
        setting: &ChainSetting,
        open: &Rows,
        splits: &Splits,
    ) -> BTreeMap<(Option<usize>, Why), Met> {
        let cohort = &self.survey.cohorts[&way.scheme.cohort.name];
        let known = (way.outcome.name.clone(), way.scheme.cohort.name.clone());
        let Some(known) = self.survey.outcomes.get(&known) else {
            return BTreeMap::new();
        };
        let n = open.n();
        let frame = Frame { rows: open.clone(), failed: vec![None; n] };
        let mut found: BTreeMap<(Option<usize>, Why), Met> = BTreeMap::new();
        for outer in splits.repeats.iter().flatten() {
            let mut lost = BTreeSet::new();
            for split in std::iter::once(&outer.split).chain(&outer.inner) {
                let train = split.train(&frame, &known.classes, &cohort.groups);
                let followed = Followed::new(train, split.held_out(&frame).1);
                let followed = followed.on_the_way_to(way.model);
                let Some(stop) = self.stop(way.model, setting, followed) else {
                    continue;
                };
                let met = found.entry((stop.at, stop.why)).or_default();
                met.columns.extend(stop.columns);
                add(&mut met.stopped, stop.names);
                lost.insert((stop.at, stop.why));
            }
            for place in lost {
                found.entry(place).or_default().lost += 1;
            }
        }
        found
    }

    /// Where the rows of one split stop: at a step of the preparation, else at selectors and learners.
    fn stop(
        &self,
        model: &Model,
        setting: &ChainSetting,
        mut followed: Followed,
    ) -> Option<Stop> {
        match followed.through(&setting.steps) {
            Ok(()) if followed.has_gaps() => {}
            Err(Some(stop)) => return Some(stop),
            _ => return None,
        }
        let (mut columns, mut names) = (BTreeSet::new(), Vec::new());
        for select in model.select.iter().flat_map(|chain| &chain.settings) {
            let mut followed = followed.clone();
            match followed.through(&select.steps) {
                Ok(()) if followed.has_gaps() => {}
                Err(Some(stop)) => {
                    columns.extend(stop.columns);
                    add(&mut names, stop.names);
                    continue;
                }
                _ => continue,
            }
            let learners = self.study.learn.iter().flat_map(|chain| &chain.settings);
            let refusing: Vec<&'static str> =
                learners.filter_map(|learner| refuses(&learner.steps[0])).collect();
            if !refusing.is_empty() {
                columns.extend(missing(followed.train.rows()));
                columns.extend(missing(&followed.held_out));
                add(&mut names, refusing);
            }
        }
        let columns = columns.into_iter().collect();
        (!names.is_empty()).then_some(Stop {
            at: None,
            why: Why::Refused,
            columns,
            names,
        })
    }
}

impl Stop {
    fn at(at: usize, used: &Use, why: Why, columns: Vec<String>) -> Self {
        Self { at: Some(at), why, columns, names: vec![used.about.name] }
    }
}

impl Followed {
    pub(super) fn new(train: Train, held_out: Rows) -> Self {
        Self { train, held_out, loose: Vec::new(), picked_later: false }
    }

    /// The same, on the way to the selectors of a model.
    pub(super) fn on_the_way_to(self, model: &Model) -> Self {
        let settings = model.select.iter().flat_map(|chain| &chain.settings);
        let picked_later = settings.flat_map(|of| &of.steps).any(picks_by_value);
        Self { picked_later, ..self }
    }

    /// Takes the rows through steps. Fails where they stop; with nothing where that is not known.
    pub(super) fn through(&mut self, steps: &[Use]) -> Result<(), Option<Stop>> {
        for (at, used) in steps.iter().enumerate() {
            let Instance::TableStep(step) = &used.instance else { return Err(None) };
            let mut rows = self.train.rows().clone();
            let (mut part, place) = rows.take_out(|column| used.acts_on(column));
            // Other values tell nothing new where no step looks at them: fitting takes long.
            let picked_later =
                self.picked_later || steps[at + 1..].iter().any(picks_by_value);
            let same_gaps =
                step.gaps() == Gaps::Kept && !step.picks() && !step.reads_categories();
            if same_gaps && !picked_later && part.categorical().is_none() && is_met(&part)
            {
                continue;
            }
            let (mut held, held_place) =
                self.held_out.take_out(|column| used.acts_on(column));
            if step.gaps() == Gaps::Filled {
                self.loose.retain(|column| !used.acts_on(column));
            }
            if part.p() == 0 {
                continue;
            }
            if step.gaps() == Gaps::Refused {
                let columns = missing(&part);
                if !columns.is_empty() {
                    return Err(Some(Stop::at(at, used, Why::Refused, columns)));
                }
                self.loose.extend(missing(&held));
                self.train = self.train.with_rows(rows);
                continue;
            }
            if part.categorical().is_some() && !step.reads_categories() {
                return Err(None);
            }
            let state = match step.fit(&self.train.with_rows(part.clone())) {
                Ok(state) => state,
                Err(Failure::AllMissing(_)) => {
                    let none = |column: &&Arc<FrameColumn>| {
                        column.values.iter().all(|value| value.is_nan())
                    };
                    let columns = part.columns().iter().filter(none);
                    let columns = columns.map(|column| column.name.to_string()).collect();
                    return Err(Some(Stop::at(at, used, Why::NoValue, columns)));
                }
                Err(_) => return Err(None),
            };
            for part in [&mut part, &mut held] {
                step.apply(&state, part).map_err(|_| None)?;
            }
            rows.put_in(part, place);
            self.train = self.train.with_rows(rows);
            self.held_out.put_in(held, held_place);
        }
        Ok(())
    }

    fn has_gaps(&self) -> bool {
        self.train.rows().missing().is_some() || self.held_out.missing().is_some()
    }
}

/// The columns that a setting may stop at. Where missing values are filled before anything refuses them,
/// those alone that some training set holds no value of: following others would cost time and find
/// nothing.
pub(super) fn at_risk(open: &Rows, setting: &ChainSetting, splits: &Splits) -> Rows {
    let filled = |column: &str| {
        let steps = setting.steps.iter().filter(|used| used.acts_on(column));
        let mut gaps = steps.filter_map(|used| match &used.instance {
            Instance::TableStep(step) => Some(step.gaps()),
            _ => None,
        });
        gaps.find(|gaps| *gaps != Gaps::Kept) == Some(Gaps::Filled)
    };
    let all = || splits.repeats.iter().flatten();
    let trains = || {
        all().flat_map(|outer| {
            std::iter::once(&outer.split).chain(&outer.inner).map(|split| &split.train)
        })
    };
    let has_none = |values: &[f64]| {
        trains().any(|train| train.iter().all(|&row| values[row as usize].is_nan()))
    };
    let mut rows = open.clone();
    let columns = open.columns().iter().enumerate().filter(|(_, column)| {
        open.categories(&column.name).is_some()
            || !filled(&column.name)
            || has_none(&column.values)
    });
    let kept: Vec<usize> = columns.map(|(at, _)| at).collect();
    rows.keep(&kept);
    rows
}

/// The learner's name, if it takes no missing values.
pub(super) fn refuses(used: &Use) -> Option<&'static str> {
    match &used.instance {
        Instance::Learner(learner) if !learner.takes_missing() => Some(used.about.name),
        _ => None,
    }
}

/// Whether a step may leave columns out.
pub(super) fn picks(used: &Use) -> bool {
    match &used.instance {
        Instance::TableStep(step) => step.picks(),
        _ => false,
    }
}

/// Whether a step that takes gaps leaves columns out by the values beside them.
fn picks_by_value(used: &Use) -> bool {
    match &used.instance {
        Instance::TableStep(step) => {
            step.picks() && step.reads_values() && step.gaps() == Gaps::Kept
        }
        _ => false,
    }
}

/// Whether each column holds a value.
fn is_met(rows: &Rows) -> bool {
    rows.columns().iter().all(|column| column.values.iter().any(|value| !value.is_nan()))
}

/// The columns of rows with missing values.
pub(super) fn missing(rows: &Rows) -> Vec<String> {
    let columns = rows.columns().iter();
    let gaps = columns.filter(|column| column.values.iter().any(|value| value.is_nan()));
    gaps.map(|column| column.name.to_string()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::data::Split;
    use crate::diagnostics::Span;

    pub(in super::super) fn steps(names: &[&str]) -> Vec<Use> {
        let catalog = Catalog::standard();
        let used = |name: &&str| {
            let entry = catalog.get(name).unwrap();
            Use::new(entry, &serde_json::Map::new(), Span::default()).unwrap()
        };
        names.iter().map(used).collect()
    }

    /// Twelve rows, eight of them for training; `gap` lacks a training value, `late` a held-out one, `none`
    /// all training values.
    fn followed(columns: &[&str]) -> Followed {
        let column = |name: &&str| {
            let lacks = |row: usize| match *name {
                "gap" => row == 3,
                "late" => row == 9,
                _ => row < 8,
            };
            let value = |row: usize| if lacks(row) { f64::NAN } else { row as f64 };
            let name = format!("block.{name}");
            let values = (0..12).map(value).collect();
            FrameColumn { name: name.as_str().into(), values }
        };
        let rows = Rows::new(columns.iter().map(column).collect(), 12);
        let frame = Frame { rows, failed: vec![None; 12] };
        let classes: Vec<Option<bool>> = (0..12).map(|row| Some(row % 2 == 0)).collect();
        let groups: Vec<u32> = (0..12).collect();
        let split = Split { train: (0..8).collect(), held_out: (8..12).collect() };
        Followed::new(split.train(&frame, &classes, &groups), split.held_out(&frame).1)
    }

    #[test]
    fn rows_stop_where_a_step_refuses_them_or_has_nothing_to_learn_from() {
        let stopped = |names: &[&str], columns: &[&str]| {
            let stop = followed(columns).through(&steps(names)).err().flatten()?;
            Some((stop.at?, stop.why, stop.columns.join(" ")))
        };
        let at = |at, why, columns: &str| Some((at, why, columns.to_string()));
        let gap = ["gap", "late"];
        assert_eq!(stopped(&["impute_median", "drop_correlated"], &gap), None);
        assert_eq!(
            stopped(&["scale_zscore", "drop_correlated"], &gap),
            at(1, Why::Refused, "block.gap")
        );
        assert_eq!(
            stopped(&["impute_median"], &["gap", "none"]),
            at(0, Why::NoValue, "block.none")
        );
        // What holds no value is dropped before.
        assert_eq!(stopped(&["drop_constant", "impute_median"], &["gap", "none"]), None);
        assert_eq!(stopped(&["anova"], &["late"]), None);
    }

    #[test]
    fn a_step_that_leaves_all_gaps_is_fitted_where_a_later_one_looks_at_values() {
        let changed = |names: &[&str], picked_later: bool| {
            let mut followed = Followed { picked_later, ..followed(&["gap"]) };
            let first =
                |followed: &Followed| followed.train.rows().columns()[0].values[0];
            let before = first(&followed);
            followed.through(&steps(names)).unwrap();
            (missing(followed.train.rows()).len(), first(&followed) != before)
        };
        assert_eq!(
            changed(&["transform_yeo_johnson", "scale_robust"], false),
            (1, false)
        );
        assert_eq!(changed(&["drop_constant", "scale_zscore"], false), (1, false));
        assert_eq!(changed(&["scale_zscore", "drop_constant"], false), (1, true));
        assert_eq!(changed(&["scale_zscore"], true), (1, true));
        // Where values are missing is known without them.
        assert_eq!(changed(&["scale_zscore", "drop_missing"], false), (1, false));
    }

    #[test]
    fn what_is_left_behind_the_steps_is_known_or_told_to_be_open() {
        let after = |names: &[&str]| {
            let mut followed = followed(&["late"]);
            followed.through(&steps(names)).unwrap();
            (missing(&followed.held_out), followed.loose)
        };
        let late = || vec!["block.late".to_string()];
        assert_eq!(after(&["scale_zscore"]), (late(), vec![]));
        assert_eq!(after(&["scale_zscore", "drop_correlated"]), (vec![], late()));
        assert_eq!(after(&["drop_correlated", "impute_median"]), (vec![], vec![]));
        assert_eq!(after(&["impute_median", "drop_correlated"]), (vec![], vec![]));
    }
}
