//! What the report says of the models that are handed over.

use std::collections::BTreeMap;

use super::Done;
use super::compute::{Part, Straight, Trail, Trails, on_raw_scale, say, straight};
use super::models::{HandedOver, parts};
use super::record::{Found, threshold_words};
use crate::data::{
    CoefficientLimits, Equation, Explained, FrameColumn, Frozen, FullModelFacts,
    Importance, ImportanceFacts, MemberFacts, Model, ModelColumn, NeededColumn,
    PredictorImportance, Rows, Term, Transform, Value, WorkedExample,
};
use crate::math::{ln, sigmoid, yeo_johnson};
use crate::operation::{Change, Form, Instance};
use crate::plan::{Case, FrozenModel, Plan};
use crate::spec::{Named, Study, Use};
use crate::survey::{Survey, View};

/// The facts of each model that is handed over, or why there is none.
pub fn full_models(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
    done: &Done,
    models: &[(String, Result<HandedOver, String>)],
) -> Vec<FullModelFacts> {
    let frozen = plan.frozen.iter().filter(|model| model.primary);
    let both = frozen.zip(models);
    both.map(|(frozen, (name, model))| {
        let case = plan.cases[frozen.case];
        let outcome = &study.outcomes[case.outcome];
        let cohort = &study.cohorts[case.cohort].name;
        let known = &survey.outcomes[&(outcome.name.clone(), cohort.clone())];
        let mut facts = FullModelFacts {
            name: name.clone(),
            outcome: outcome.name.clone(),
            label: outcome.label.clone(),
            cohort: cohort.clone(),
            missing: None,
            digest: String::new(),
            file: format!("models/{name}.json"),
            onnx: Err("there is no model".to_string()),
            n: (known.count(Some(true)) + known.count(Some(false))).into(),
            n_positive: known.count(Some(true)).into(),
            falls_back: None,
            threshold: None,
            threshold_rule: None,
            calibration: None,
            columns: Vec::new(),
            members: Vec::new(),
            importance: None,
            explained: None,
            unexplained: None,
        };
        match (model, found.get(&frozen.freeze)) {
            (Ok(model), Some(Value::Frozen(of))) => {
                let digest = done.states.output(frozen.freeze, None);
                facts.digest = digest.map_or(String::new(), |d| d.to_string());
                facts.n = of.n.into();
                facts.n_positive = of.n_positive.into();
                (facts.explained, facts.unexplained) = match frozen.explained(found) {
                    Some(Ok(explained)) => (Some(explained.clone()), None),
                    Some(Err(why)) => (None, Some(why.clone())),
                    None => (None, None),
                };
                fill(&mut facts, study, survey, case, of, model);
                facts.importance = importance(study, plan, found, case);
            }
            (Err(why), _) => facts.missing = Some(why.clone()),
            _ => facts.missing = Some("an earlier computation failed".to_string()),
        }
        facts
    })
    .collect()
}

impl FrozenModel {
    /// Shapley values, or why there are none.
    fn explained<'a>(
        &self,
        found: &'a Found,
    ) -> Option<Result<&'a Explained, &'a String>> {
        match found.get(&self.explain?) {
            Some(Value::Explained(explained)) => Some(Ok(explained)),
            Some(Value::Failed(why)) => Some(Err(why)),
            _ => None,
        }
    }
}

fn fill(
    facts: &mut FullModelFacts,
    study: &Study,
    survey: &Survey,
    case: Case,
    frozen: &Frozen,
    handed_over: &HandedOver,
) {
    let model = &handed_over.model;
    let file = format!("models/{}.onnx", facts.name);
    facts.onnx = handed_over.onnx.as_ref().map(|_| file).map_err(String::clone);
    facts.falls_back = frozen.falls_back;
    facts.threshold = frozen.threshold;
    facts.threshold_rule = frozen.threshold.and_then(|_| threshold_words(study));
    facts.calibration = frozen.calibration;
    let filled = filled(study, survey, case, frozen, model);
    let columns = model.columns.iter().zip(filled);
    facts.columns = columns
        .filter(|(column, _)| column.needed)
        .map(|(column, filled)| needed_column(column, filled))
        .collect();
    let of_model = &study.models[case.model];
    let limits = facts.explained.as_ref().and_then(|of| of.coefficients.as_ref());
    let members = parts(study, case, frozen).into_iter().zip(&handed_over.trails);
    let of_members = members.map(|(part, trails)| {
        let chosen = of_model.select.iter().find(|chain| {
            chain.settings.iter().any(|setting| std::ptr::eq(setting, part.select))
        });
        MemberFacts {
            weight: part.of.weight,
            selector: chosen.map_or(String::new(), |chain| chain.name.clone()),
            selector_settings: part.select.text.clone(),
            preparation: part.prepare.text.clone(),
            learner: part.learner.about.title.to_string(),
            settings: settings(part.learner),
            n_selected: part.of.selected.len(),
            n_used: trails
                .as_ref()
                .ok()
                .map(|trails| trails.iter().filter(|trail| trail.counts).count()),
            equation: equation(&part, trails, model, limits),
            novelty_limit: part.of.familiar.as_ref().map(|familiar| familiar.limit),
        }
    });
    facts.members = of_members.collect();
}

/// By predictor: whether the model predicts for a subject that lacks it alone, the others being at
/// their medians; not asked of those that it does not need.
fn filled(
    study: &Study,
    survey: &Survey,
    case: Case,
    frozen: &Frozen,
    model: &Model,
) -> Vec<bool> {
    if frozen.falls_back.is_some() {
        return vec![true; model.columns.len()];
    }
    // One row for each that is asked about: of thousands of predictors a model needs a few.
    let all = model.columns.iter().enumerate();
    let needed: Vec<usize> =
        all.clone().filter(|(_, c)| c.needed).map(|(at, _)| at).collect();
    let n = needed.len();
    let columns = all.map(|(at, column)| {
        let mut values = vec![column.median.unwrap_or(0.0); n];
        if let Ok(row) = needed.binary_search(&at) {
            values[row] = f64::NAN;
        }
        FrameColumn { name: column.name.as_str().into(), values }
    });
    let categories = model
        .columns
        .iter()
        .filter_map(|column| Some((column.name.clone(), column.categories.clone()?)));
    // What stands beside a development row, such as its site, so that nothing else is missing.
    let cohort = &study.cohorts[case.cohort];
    let view = View { study, survey, cohort, rows: &survey.cohorts[&cohort.name].rows };
    let beside = model.beside.iter().map(|name| {
        let named = Named { name: name.clone(), span: cohort.span };
        let cells = view.cells(&named).unwrap_or_default();
        (name.clone(), vec![cells.into_iter().flatten().next(); n])
    });
    let rows = Rows::new(columns.collect(), n)
        .with_categories(categories.collect())
        .with_beside(beside.collect());
    let parts = parts(study, case, frozen);
    let mut passed = vec![false; n];
    let every: Vec<usize> = (0..n).collect();
    passing(&every, &|some| say(&parts, &rows.take(some)).is_ok(), &mut passed);
    let mut filled = vec![false; model.columns.len()];
    for (at, passed) in needed.into_iter().zip(passed) {
        filled[at] = passed;
    }
    filled
}

/// Marks the rows that pass by themselves. Rows that pass together are not asked one by one: each costs
/// all steps of the preparation.
fn passing(rows: &[usize], pass: &dyn Fn(&[usize]) -> bool, marked: &mut [bool]) {
    if rows.is_empty() {
        return;
    }
    if pass(rows) {
        rows.iter().for_each(|row| marked[*row] = true);
    } else if rows.len() > 1 {
        let (one, other) = rows.split_at(rows.len() / 2);
        passing(one, pass, marked);
        passing(other, pass, marked);
    }
}

fn needed_column(column: &ModelColumn, filled: bool) -> NeededColumn {
    NeededColumn {
        name: column.name.clone(),
        unit: column.unit.clone(),
        lowest: column.range.map(|(low, _)| low),
        highest: column.range.map(|(_, high)| high),
        median: column.median,
        missing: column.missing.into(),
        filled,
        categories: column.categories.clone(),
    }
}

/// What the author changed of a learner, its grid point included, in words.
fn settings(learner: &Use) -> String {
    let changed = learner.changed.as_object().into_iter().flatten();
    let said = changed
        .map(|(name, value)| format!("{name} = {}", value.to_string().trim_matches('"')));
    said.collect::<Vec<_>>().join(", ")
}

/// The equation of a linear learner on the scale of its predictors or of their transforms.
fn equation(
    part: &Part<'_>,
    trails: &Trails,
    model: &Model,
    limits: Option<&CoefficientLimits>,
) -> Result<Equation, String> {
    let Instance::Learner(instance) = &part.learner.instance else {
        unreachable!("`spec` puts learners here")
    };
    let form = instance.form(&part.of.model).map_err(|failure| failure.to_string())?;
    let (weights, intercept) = match form {
        Form::Linear { weights, intercept, .. } => (weights, intercept),
        Form::Constant(probability) => return Ok(constant(probability, model)),
        _ => return Err(format!("`{}` is no sum of columns", part.learner.about.name)),
    };
    let trails = trails.as_ref().map_err(|step| {
        format!(
            "after `{step}` no column belongs to one predictor alone: the equation stands in the \
             file, on the prepared scale"
        )
    })?;
    let counts = || trails.iter().filter(|trail| trail.counts);
    let unmet = |trail: &Trail| {
        let known = model.columns[trail.from].categories.iter().flatten();
        known
            .filter(|category| {
                trail.changes.iter().any(|change| {
                    let Change::Is { met, others_missing: true, .. } = change else {
                        return false;
                    };
                    !met.contains(category)
                })
            })
            .count()
    };
    if counts().any(|trail| unmet(trail) > 0) {
        return Err("a category that no training row has counts as missing: the equation stands in \
                    the file, on the prepared scale"
            .to_string());
    }
    let straights: Vec<Straight> =
        trails.iter().map(straight).collect::<Result<_, _>>()?;
    let (intercept, coefficients) =
        on_raw_scale(&straights, &weights, intercept, part.of.link);
    // Of a column that decides nothing there is nothing to add.
    let terms = trails.iter().zip(straights).zip(coefficients).enumerate();
    let terms = terms.filter(|(_, ((trail, _), _))| trail.counts).map(
        |(at, ((trail, straight), coefficient))| {
            let column = &model.columns[trail.from];
            Term {
                predictor: column.name.clone(),
                unit: column.unit.clone(),
                transform: straight.transform,
                coefficient,
                limits: limits.map(|limits| limits.terms[at]),
                missing_is: straight.missing_is,
                lowest: column.range.map(|(low, _)| low),
                highest: column.range.map(|(_, high)| high),
            }
        },
    );
    let terms: Vec<Term> = terms.collect();
    let example = example(intercept, &terms, model);
    Ok(Equation {
        intercept,
        intercept_limits: limits.map(|limits| limits.intercept),
        terms,
        resamples: limits.map(|limits| limits.resamples),
        linked: part.of.link.is_some(),
        example,
    })
}

/// The equation of the null model: the log odds of the prevalence, whatever the predictors are.
fn constant(probability: f64, model: &Model) -> Equation {
    let intercept = ln(probability / (1.0 - probability));
    Equation {
        intercept,
        intercept_limits: None,
        terms: Vec::new(),
        resamples: None,
        linked: false,
        example: example(intercept, &[], model),
    }
}

/// What a term is multiplied with.
fn transformed(transform: &Transform, value: f64, category: Option<&str>) -> f64 {
    match transform {
        Transform::Value => value,
        Transform::YeoJohnson { slope, intercept, lambda, centre, scale } => {
            (yeo_johnson(slope * value + intercept, *lambda) - centre) / scale
        }
        Transform::Is { category: wanted } => {
            f64::from(u8::from(category == Some(wanted.as_str())))
        }
        Transform::IsMissing => 0.0,
    }
}

/// A made-up subject at the medians, and of categories with the first, so that no patient's row is
/// printed.
fn example(intercept: f64, terms: &[Term], model: &Model) -> WorkedExample {
    let mut example = WorkedExample {
        values: Vec::new(),
        categories: Vec::new(),
        contributions: Vec::new(),
        log_odds: intercept,
        probability: 0.0,
    };
    for term in terms {
        let column = model.columns.iter().find(|c| c.name == term.predictor);
        let value = column.and_then(|c| c.median.map(|median| rounded(median, c.range)));
        let category = column.and_then(|c| c.categories.as_ref()?.first().cloned());
        let of =
            transformed(&term.transform, value.unwrap_or(f64::NAN), category.as_deref());
        example.contributions.push(term.coefficient * of);
        example.log_odds += term.coefficient * of;
        example.values.push(value);
        example.categories.push(category);
    }
    example.probability = sigmoid(example.log_odds);
    example
}

/// To four digits, or as many as it takes to stay where it is among the development rows.
fn rounded(value: f64, range: Option<(f64, f64)>) -> f64 {
    let off = range.map_or(f64::INFINITY, |(low, high)| (high - low) / 1000.0);
    (3..17)
        .filter_map(|digits| format!("{value:.digits$e}").parse().ok())
        .find(|short: &f64| (short - value).abs() <= off)
        .unwrap_or(value)
}

/// That by the study's primary metric.
pub fn importance_by<'a>(
    study: &Study,
    folds: &'a [Importance],
) -> Option<&'a Importance> {
    folds.iter().find(|fold| fold.metric == study.evaluate.primary.about.name)
}

/// Permutation importance over the outer folds of the first repeat.
fn importance(
    study: &Study,
    plan: &Plan,
    found: &Found,
    case: Case,
) -> Option<ImportanceFacts> {
    let analysis = plan
        .analyses
        .iter()
        .find(|analysis| analysis.scheme == 0 && plan.cases[analysis.case] == case)?;
    let nodes = analysis.outer.iter().filter_map(|nodes| nodes.importance);
    let folds: Vec<_> = nodes
        .filter_map(|node| match found.get(&node) {
            Some(Value::Importance(folds)) => {
                importance_by(study, folds)?.fold.as_ref().ok()
            }
            _ => None,
        })
        .collect();
    let times = folds.iter().map(|fold| fold.times).min()?;
    let mut of: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for fold in &folds {
        for (name, worse) in &fold.worse {
            of.entry(name).or_default().push(*worse);
        }
    }
    let n = folds.len();
    let mut predictors: Vec<PredictorImportance> = of
        .into_iter()
        .map(|(name, values)| {
            // A fold that does not look at it is none the worse.
            let none = (values.len() < n).then_some(0.0);
            let all = values.iter().copied().chain(none);
            PredictorImportance {
                name: name.to_string(),
                mean: values.iter().sum::<f64>() / n as f64,
                lowest: all.clone().fold(f64::INFINITY, f64::min),
                highest: all.fold(f64::NEG_INFINITY, f64::max),
                used: values.len(),
            }
        })
        .collect();
    predictors.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let metric = study.evaluate.primary.about.title.to_string();
    Some(ImportanceFacts { metric, folds: n, times, predictors })
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn a_median_is_short_and_stays_where_it_is() {
        assert_eq!(rounded(6.780_114_96, Some((1.1, 76.3))), 6.78);
        assert_eq!(
            rounded(12_345_678.9, Some((12_345_670.0, 12_345_690.0))),
            12_345_678.9
        );
        assert_eq!(rounded(12_345_678.9, None), 12_350_000.0);
        assert_eq!(rounded(0.1 + 0.2, Some((0.3, 0.3))), 0.1 + 0.2);
    }
}
