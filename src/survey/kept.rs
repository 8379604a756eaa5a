//! Selectors that are told to keep more columns than there are.
//!
//! How many columns reach a step is counted from the blocks of its model. Steps that drop columns by
//! what they hold leave fewer, so what is said here is true of every split.

use std::collections::BTreeMap;

use super::Survey;
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::operation::Instance;
use crate::spec::{Block, BlockKind, ChainSetting, Model, Study, Use};

pub(super) fn read(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    let mut told: BTreeMap<(Span, usize, Vec<usize>), Told> = BTreeMap::new();
    for model in study.models.iter().filter(|model| model.added.is_none()) {
        for ((span, most), mut told_here) in of_model(study, survey, model) {
            told_here.k.sort_unstable();
            let place = (span, most, told_here.k.clone());
            told.entry(place).or_insert(told_here).models.push(model.name.clone());
        }
    }
    faults.extend(told.iter().map(|((span, most, _), told)| told.fault(*span, *most)));
}

/// A selector whose `k` leaves none out, with the models where that is so.
struct Told {
    selector: &'static str,
    k: Vec<usize>,
    models: Vec<String>,
}

/// The selectors of a model that are told to keep more columns than reach them in any of its settings,
/// each with the most that do.
fn of_model(
    study: &Study,
    survey: &Survey,
    model: &Model,
) -> BTreeMap<(Span, usize), Told> {
    let whole = Counts::of(study, survey, model);
    // Of a single column there is nothing to select, whatever `k` is.
    if whole.most(&(0..whole.blocks.len()).collect::<Vec<usize>>()) == Some(1) {
        return BTreeMap::new();
    }
    let mut most: BTreeMap<(Span, usize), (&'static str, Option<usize>)> =
        BTreeMap::new();
    let preparations = model.branches.iter().flat_map(|branch| &branch.prepare.settings);
    for prepare in preparations {
        let mut prepared = whole.clone();
        prepared.through(prepare, &mut |_, _, _| {});
        let mut selecting = |counts: &Counts, setting: &ChainSetting| {
            counts.clone().through(setting, &mut |used, k, given| {
                let known = most.entry((used.span, k));
                let (_, known) = known.or_insert((used.about.name, Some(0)));
                *known = known.zip(given).map(|(known, given)| known.max(given));
            });
        };
        for setting in model.select.iter().flat_map(|chain| &chain.settings) {
            selecting(&prepared, setting);
        }
    }
    let mut told: BTreeMap<(Span, usize), Told> = BTreeMap::new();
    for ((span, k), (selector, most)) in most {
        let Some(most) = most.filter(|most| (2..k).contains(most)) else { continue };
        let empty = || Told { selector, k: Vec::new(), models: Vec::new() };
        told.entry((span, most)).or_insert_with(empty).k.push(k);
    }
    told
}

impl Told {
    fn fault(&self, span: Span, most: usize) -> Diagnostic {
        let k: Vec<String> = self.k.iter().map(|k| format!("`k: {k}`")).collect();
        let models: Vec<String> =
            self.models.iter().map(|model| format!("`{model}`")).collect();
        let models = match models.as_slice() {
            [one] => format!("model {one}"),
            several => format!("models {}", listed(several)),
        };
        let fault = Diagnostic::warning(
            Code::KEEPS_ALL,
            Place::Study(span),
            format!(
                "`{}` with {} is given at most {most} columns in {models}: `k` leaves none out",
                self.selector,
                listed(&k)
            ),
        );
        fault.hint(format!(
            "a `k` below {most} selects; `all` says that every column is kept, and \
             `select: {{ NAME: […] }}` gives a model or a block selectors of its own"
        ))
    }
}

/// As in "a, b and c".
fn listed(of: &[String]) -> String {
    match of {
        [first @ .., last] if !first.is_empty() => {
            format!("{} and {last}", first.join(", "))
        }
        _ => of.join(", "),
    }
}

/// The most columns that the blocks of a model can hold at a place in a chain.
#[derive(Clone)]
struct Counts {
    blocks: Vec<Count>,
    /// Most columns that some blocks hold together, by their positions: what a selector left of them.
    together: Vec<(Vec<usize>, usize)>,
}

#[derive(Clone)]
struct Count {
    block: String,
    /// Not known before training rows are.
    most: Option<usize>,
    categorical: usize,
}

impl Counts {
    fn of(study: &Study, survey: &Survey, model: &Model) -> Self {
        let count = |named: &crate::spec::Named| {
            let block = study.predictors.iter().find(|block| block.name == named.name);
            let (most, categorical) =
                block.map_or((None, 0), |block| held(survey, block));
            Count { block: named.name.clone(), most, categorical }
        };
        let blocks = model.blocks.iter().map(count).collect();
        Self { blocks, together: Vec::new() }
    }

    /// Follows the steps of a setting; `at` sees each that says how many columns it keeps, with that
    /// number and the most that it is given.
    fn through(
        &mut self,
        setting: &ChainSetting,
        at: &mut dyn FnMut(&Use, usize, Option<usize>),
    ) {
        for used in &setting.steps {
            let Instance::TableStep(step) = &used.instance else { continue };
            let acts = |block: &String| {
                used.scope.as_ref().is_none_or(|scope| scope.contains(block))
            };
            let here: Vec<usize> = (0..self.blocks.len())
                .filter(|&block| acts(&self.blocks[block].block))
                .collect();
            if let Some(k) = step.keeps() {
                at(used, k, self.most(&here));
            }
            for &block in &here {
                let count = &mut self.blocks[block];
                let made =
                    |most: usize| step.most_columns(most, count.categorical.min(most));
                let made = count.most.and_then(made);
                // A selector bounds its blocks together, which bounds each.
                let widened = made.is_none_or(|made| Some(made) > count.most);
                if widened {
                    self.together.retain(|(blocks, _)| !blocks.contains(&block));
                }
                count.most = made;
            }
            if let Some(k) = step.keeps() {
                for &block in &here {
                    let count = &mut self.blocks[block];
                    count.most = Some(count.most.map_or(k, |most| most.min(k)));
                }
                self.together.push((here, k));
            }
        }
    }

    /// The most that these blocks hold together.
    fn most(&self, blocks: &[usize]) -> Option<usize> {
        let sum =
            blocks.iter().map(|&block| self.blocks[block].most).sum::<Option<usize>>();
        let within = self
            .together
            .iter()
            .filter(|(together, _)| blocks.iter().all(|block| together.contains(block)));
        let least = within.map(|(_, most)| *most).min();
        match (sum, least) {
            (Some(sum), Some(least)) => Some(sum.min(least)),
            (known, least) => known.or(least),
        }
    }
}

/// The columns of a block and how many hold categories.
fn held(survey: &Survey, block: &Block) -> (Option<usize>, usize) {
    match &block.kind {
        BlockKind::Columns { .. } => {
            let Some(columns) = survey.columns.get(&block.name) else { return (None, 0) };
            let categorical = columns.iter().filter(|column| column.categorical).count();
            (Some(columns.len()), categorical)
        }
        BlockKind::Images { features, .. } => {
            let of_family = |used: &Use| match &used.instance {
                Instance::FeatureFamily(family) => family.columns().len(),
                _ => 0,
            };
            (Some(features.iter().map(of_family).sum()), 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn setting(steps: &[(&str, serde_json::Value, &[&str])]) -> ChainSetting {
        let catalog = crate::catalog::Catalog::standard();
        let used = |(name, parameters, scope): &(&str, serde_json::Value, &[&str])| {
            let entry = catalog.get(name).unwrap();
            let written = parameters.as_object().unwrap();
            let mut used = Use::new(entry, written, Span::default()).unwrap();
            let scope: Vec<String> = scope.iter().map(ToString::to_string).collect();
            used.scope = (!scope.is_empty()).then_some(scope);
            used
        };
        ChainSetting { steps: steps.iter().map(used).collect(), text: String::new() }
    }

    /// What selectors are given of blocks `a` with 6 columns and `b` with 3, one of them of categories.
    fn given(steps: &[(&str, serde_json::Value, &[&str])]) -> Vec<Option<usize>> {
        let count = |block: &str, most, categorical| Count {
            block: block.to_string(),
            most: Some(most),
            categorical,
        };
        let mut counts = Counts {
            blocks: vec![count("a", 6, 0), count("b", 3, 1)],
            together: Vec::new(),
        };
        let mut seen = Vec::new();
        counts.through(&setting(steps), &mut |_, _, most| seen.push(most));
        seen
    }

    #[test]
    fn columns_are_counted_from_step_to_step() {
        let k = |k: usize| json!({ "k": k });
        let none = || json!({});
        assert_eq!(given(&[("anova", k(4), &[])]), [Some(9)]);
        assert_eq!(
            given(&[("anova", k(4), &[]), ("lasso", k(2), &[]), ("rfe", k(1), &["a"])]),
            [Some(9), Some(4), Some(2)]
        );
        // Of each block four at most are left, together seven.
        assert_eq!(
            given(&[("anova", k(4), &["a"]), ("mrmr", k(8), &[])]),
            [Some(6), Some(7)]
        );
        // How many columns categories make is up to the training rows, but not in `a`.
        let encoded = ("encode_onehot", none(), &[][..]);
        assert_eq!(
            given(&[encoded.clone(), ("welch", k(4), &["a"]), ("welch", k(4), &[])]),
            [Some(6), None]
        );
        let doubled = ("impute_median", json!({ "indicator": true }), &[][..]);
        assert_eq!(given(&[doubled, ("relieff", k(4), &[])]), [Some(18)]);
        assert_eq!(
            given(&[encoded, ("relieff", k(4), &[]), ("rfe", k(9), &[])])[1],
            Some(4)
        );
    }

    #[test]
    fn what_is_said_names_every_k_and_model() {
        let told = Told {
            selector: "anova",
            k: vec![8, 16, 32],
            models: vec!["clinical".into(), "small".into()],
        };
        let said = told.fault(Span::default(), 3).message;
        assert_eq!(
            said,
            "`anova` with `k: 8`, `k: 16` and `k: 32` is given at most 3 columns in models \
             `clinical` and `small`: `k` leaves none out"
        );
    }
}
