//! The full model: its equation, a worked example, what it looks at, and where its file is.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::calibration::first_upper;
use super::figure::{DataTable, Figure};
use super::named;
use super::shown::{Shown, breakable, counts_apart, escape, fill, plain};
use super::structured_abstract::within;
use super::svg::Anchor;
use crate::data::{
    Equation, FullModelFacts, ImportanceFacts, MemberFacts, NeededColumn, Term, Transform,
};
use crate::math::{log2, yeo_johnson, yeo_johnson_of};
use crate::operation::prelude::*;

/// The model that is handed over: coefficients on the scale in which predictors are measured with
/// limits, units and ranges and a worked example, the importance of predictors, and the files.
///
/// Limits are percentiles at 95 % over 1,000 resamples of patients, the learner fitted anew on each. They
/// are given for one linear model of at most 100 coefficients, and leave out how preparation,
/// selection and settings would vary.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FullModel {}

impl Operation for FullModel {
    const ABOUT: About = About {
        name: "full_model",
        title: "Full model",
        version: 1,
        sources: &[
            "collins2024",
            "efron1993",
            "breiman2001",
            "lundberg2017",
            "lundberg2020",
        ],
        example: "full_model",
    };
}

impl Section for FullModel {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Model),
            fills: &[
                Fill::tripod("22", &[Evidence::FullModel]),
                Fill::tripod("27a", &[Evidence::FullModel]),
                Fill::clear("43", &[Evidence::FullModel]),
                Fill::clear("57", &[Evidence::FullModel]),
                Fill::metrics("30", &[Evidence::FullModel]),
            ],
            figures: &["F13"],
        };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let mut models = Vec::new();
        for (at, facts) in record.full_models.iter().enumerate() {
            models.push(model(&shown, (at, facts), simulated, &mut fragment)?);
        }
        fragment.html = fill(
            "full_model.html",
            json!({
                "simulated": simulated,
                "models": models,
                "why_none": "the study says `frozen: none`, several models could be and it names no \
                             `primary_model`, or the rows are too few for inner folds.",
            }),
        )?;
        Ok(fragment)
    }
}

fn model(
    shown: &Shown,
    (at, facts): (usize, &FullModelFacts),
    simulated: bool,
    fragment: &mut Fragment,
) -> Result<Json, Failure> {
    let path = format!("/full_models/{at}");
    let number = |name: &str, digits| shown.number(&format!("{path}/{name}"), digits);
    let averaged = facts.members.len() > 1;
    let members = facts.members.iter().enumerate().map(|(place, member)| {
        let path = format!("{path}/members/{place}");
        let file = file_of_terms(&facts.name, place);
        let mut json = of_member(shown, (&path, &file), member);
        let digits = decimals(member.weight, 6);
        json["weight"] =
            averaged.then(|| shown.number(&format!("{path}/weight"), digits)).into();
        json
    });
    let members: Vec<Json> = members.collect();
    for (place, member) in facts.members.iter().enumerate() {
        if let Ok(equation) = &member.equation {
            let table = terms(equation).csv(simulated);
            fragment.tables.push((file_of_terms(&facts.name, place), table));
        }
    }
    let of_columns = format!("full_model-{}-predictors.csv", facts.name);
    if facts.columns.len() > PRINTED {
        let table = needed(&facts.columns).csv(simulated);
        fragment.tables.push((of_columns.clone(), table));
    }
    let columns = facts.columns.iter().take(PRINTED).enumerate();
    let columns = columns.map(|(place, column)| {
        let path = format!("{path}/columns/{place}");
        let range = match &column.categories {
            Some(categories) => escape(&categories.join(", ")),
            None => range(shown, &path, (column.lowest, column.highest)),
        };
        json!({
            "name": column.name, "range": range,
            "unit": column.unit.as_deref().unwrap_or_default(),
            "missing": shown.count(&format!("{path}/missing")),
        })
    });
    let importance = match &facts.importance {
        Some(of) if !of.predictors.is_empty() => {
            let id = format!("importance-{}", facts.name);
            importance(shown, &path, (&id, &facts.name), of)
                .into_html(simulated, fragment)?
        }
        // Nothing is shuffled where no predictor is looked at.
        Some(_) => format!(
            "<p>No predictor reaches a learner in any of {} outer folds of the first repeat: none has an \
             importance.</p>",
            shown.count(&format!("{path}/importance/folds"))
        ),
        None => "<p>No importance of predictors is given: the primary metric could judge no outer fold of \
                 the first repeat.</p>"
            .to_string(),
    };
    Ok(json!({
        "name": facts.name, "label": first_upper(&facts.label), "cohort": facts.cohort,
        "missing": facts.missing, "file": facts.file, "digest": facts.digest,
        "n": number("n", 0), "n_positive": number("n_positive", 0),
        "parts": match facts.members.as_slice() {
            [one] => within(&words(one)),
            several => format!(
                "a weighted mean of the probabilities of {} candidates, each of which stands below \
                 with its weight",
                several.len()
            ),
        },
        "onnx": facts.onnx.as_ref().ok(), "no_onnx": facts.onnx.as_ref().err().map(|why| coded(why)),
        "falls_back": facts.falls_back.map(|_| number("falls_back", 3)),
        "threshold": facts.threshold.map(|_| number("threshold", 3)),
        "threshold_rule": facts.threshold_rule,
        "intercept": number("calibration/0", 2),
        "slope": facts.calibration.map(|_| number("calibration/1", 2)),
        "missing_values": missing_values(facts),
        "members": members,
        "columns": columns.collect::<Vec<_>>(),
        "n_columns": facts.columns.len(),
        "has_units": facts.columns.iter().take(PRINTED).any(|column| column.unit.is_some()),
        "more_columns": (facts.columns.len() > PRINTED).then_some(of_columns),
        "importance": importance,
        "explained": explained(shown, &path, facts, simulated, fragment),
    }))
}

/// Rows of a table of terms or predictors that the page has at most: a page of thousands is read by nobody,
/// and opened by few. Their files have all.
const PRINTED: usize = 200;

/// The file of the terms of a member.
fn file_of_terms(name: &str, place: usize) -> String {
    match place {
        0 => format!("full_model-{name}.csv"),
        _ => format!("full_model-{name}-{}.csv", place + 1),
    }
}

/// The places of the terms that are printed, in their order: of many those that matter most between the
/// ends of their development ranges.
fn printed(terms: &[Term]) -> Vec<usize> {
    let matters = |term: &Term| {
        let (Some(low), Some(high)) = (term.lowest, term.highest) else {
            return term.coefficient.abs();
        };
        let apart = match &term.transform {
            Transform::Value => high - low,
            Transform::YeoJohnson { slope, intercept, lambda, scale, .. } => {
                let of = |value: f64| yeo_johnson(slope * value + intercept, *lambda);
                (of(high) - of(low)) / scale
            }
            Transform::Is { .. } | Transform::IsMissing => 1.0,
        };
        (term.coefficient * apart).abs()
    };
    let mut places: Vec<usize> = (0..terms.len()).collect();
    places.sort_by(|a, b| matters(&terms[*b]).total_cmp(&matters(&terms[*a])));
    places.truncate(PRINTED);
    places.sort_unstable();
    places
}

/// The predictors that a model needs, for a file.
fn needed(columns: &[NeededColumn]) -> DataTable {
    let head = ["predictor", "unit", "range_lo", "range_hi", "missing", "categories"];
    let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
    let rows = columns.iter().map(|column| {
        vec![
            column.name.clone(),
            column.unit.clone().unwrap_or_default(),
            number(column.lowest),
            number(column.highest),
            column.missing.to_string(),
            column.categories.as_ref().map_or(String::new(), |of| of.join("; ")),
        ]
    });
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

/// What a missing value does to a subject, as HTML.
fn missing_values(facts: &FullModelFacts) -> String {
    let names = |filled: bool| {
        let columns = facts.columns.iter().filter(|column| column.filled == filled);
        columns.map(|column| breakable(&column.name)).collect::<Vec<_>>()
    };
    let (filled, refused) = (names(true), names(false));
    match (filled.is_empty(), refused.is_empty()) {
        (true, true) => String::new(),
        (false, true) => {
            "A missing value is filled in by the model’s preparation, as in external cohorts, and \
             told with the prediction. "
                .to_string()
        }
        (true, false) => {
            "The preparation fills in no missing value, so that a subject who lacks a predictor is \
             refused. "
                .to_string()
        }
        (false, false) => format!(
            "A subject without {} is refused; other missing values are filled in by the model’s \
             preparation, as in external cohorts, and told with the prediction. ",
            refused.join(", ")
        ),
    }
}

/// Each setting stands with what it is a setting of.
fn words(member: &MemberFacts) -> String {
    let learner = match member.settings.as_str() {
        "" => member.learner.clone(),
        settings => format!("{} ({settings})", member.learner),
    };
    let selection = match member.selector_settings.as_str() {
        "" => member.selector.clone(),
        settings => format!("{}, {settings}", member.selector),
    };
    if member.n_selected == 0 {
        return format!("{learner}, since the selection ({selection}) kept no column");
    }
    let columns = if member.n_selected == 1 { "column" } else { "columns" };
    let used = match member.n_used.filter(|used| *used < member.n_selected) {
        None => String::new(),
        Some(0) => ", none of which it looks at".to_string(),
        Some(1) => ", one of which it depends on".to_string(),
        Some(used) => format!(", {used} of which it depends on"),
    };
    let prepared = match member.preparation.as_str() {
        "" => String::new(),
        settings => format!("; preparation: {settings}"),
    };
    format!(
        "{learner} on {} {columns}{used} (selection: {selection}{prepared})",
        member.n_selected
    )
}

fn of_member(shown: &Shown, (path, file): (&str, &str), member: &MemberFacts) -> Json {
    let Ok(equation) = &member.equation else {
        let why = member.equation.as_ref().err().map(|why| coded(why));
        return json!({
            "words": words(member), "terms": null, "is_constant": false, "no_equation": why,
        });
    };
    let path = format!("{path}/equation/Ok");
    let printed = printed(&equation.terms);
    let rows = printed.iter().map(|&at| {
        let term = &equation.terms[at];
        let of = format!("{path}/terms/{at}");
        let value = equation.example.values[at];
        let example = match (&equation.example.categories[at], value) {
            (Some(category), _) => escape(category),
            (None, Some(value)) => {
                let place = format!("{path}/example/values/{at}");
                shown.number(&place, decimals(value, as_given(value)))
            }
            (None, None) => String::new(),
        };
        json!({
            "predictor": term.predictor,
            "unit": term.unit.as_deref().unwrap_or_default(),
            "transform": transform(shown, &of, term),
            "coefficient": shown.number(
                &format!("{of}/coefficient"),
                decimals(term.coefficient, significant(equation.example.contributions[at])),
            ),
            "limits": limits(shown, &format!("{of}/limits"), term.limits),
            "range": range(shown, &of, (term.lowest, term.highest)),
            "missing_is": term.missing_is.map_or(String::new(), |value| {
                let counts = matches!(term.transform, Transform::Is { .. });
                let digits = match counts && value.fract() == 0.0 {
                    true => 0,
                    false => decimals(value, telling(term, value)),
                };
                shown.number(&format!("{of}/missing_is"), digits)
            }),
            "example": example,
        })
    });
    json!({
        "words": words(member),
        "linked": equation.linked,
        "intercept": shown.number(&format!("{path}/intercept"), decimals(equation.intercept, significant(equation.intercept))),
        "intercept_limits":
            limits(shown, &format!("{path}/intercept_limits"), equation.intercept_limits),
        "resamples": equation.resamples.map(|_| shown.count(&format!("{path}/resamples"))),
        "terms": rows.collect::<Vec<_>>(),
        "n_terms": equation.terms.len(),
        "n_printed": printed.len(),
        "more_terms": (printed.len() < equation.terms.len()).then_some(file),
        "is_constant": equation.terms.is_empty(),
        // A column of which nothing is said would only push the others off the page.
        "has_categories": equation.example.categories.iter().any(Option::is_some),
        "has_units": equation.terms.iter().any(|term| term.unit.is_some()),
        "has_transforms": equation.terms.iter().any(|term| term.transform != Transform::Value),
        "has_powers": equation
            .terms
            .iter()
            .any(|term| matches!(term.transform, Transform::YeoJohnson { .. })),
        "has_missing": equation.terms.iter().any(|term| term.missing_is.is_some()),
        "log_odds": shown.number(&format!("{path}/example/log_odds"), 4),
        "probability": shown.number(&format!("{path}/example/probability"), 4),
    })
}

/// The 95 % limits of a coefficient.
fn limits(shown: &Shown, path: &str, of: Option<(f64, f64)>) -> String {
    let Some((low, high)) = of else { return String::new() };
    let digits = decimals(low.abs().max(high.abs()), 3);
    let end = |at: usize| shown.number(&format!("{path}/{at}"), digits);
    format!("{} to {}", end(0), end(1))
}

/// What a coefficient is multiplied with, as HTML.
fn transform(shown: &Shown, of: &str, term: &Term) -> String {
    match &term.transform {
        Transform::Value => "value".to_string(),
        Transform::Is { category } => format!("1 if “{}”, else 0", escape(category)),
        Transform::IsMissing => "1 if missing, else 0".to_string(),
        Transform::YeoJohnson { slope, intercept, lambda, centre, scale } => {
            let at = |name: &str, value: f64, digits| {
                let place = format!("{of}/transform/yeo_johnson/{name}");
                shown.number(&place, decimals(value, digits))
            };
            let line = (*slope, *intercept);
            let digits = enough(term.coefficient, line, *lambda, (*centre, *scale));
            let inside = match (*slope, *intercept) {
                (1.0, 0.0) => "value".to_string(),
                _ => format!(
                    "{} · value + {}",
                    at("slope", *slope, digits),
                    at("intercept", *intercept, digits)
                ),
            };
            let power = format!("ψ({inside}; λ = {})", at("lambda", *lambda, digits));
            match (*centre, *scale) {
                (0.0, 1.0) => power,
                _ => {
                    let (open, close) = if *centre < 0.0 { ("(", ")") } else { ("", "") };
                    format!(
                        "({power} − {open}{}{close}) / {}",
                        at("centre", *centre, digits),
                        at("scale", *scale, digits)
                    )
                }
            }
        }
    }
}

/// Off by this the log odds of a term are still as good as exact.
const OFF: f64 = 2e-5;
/// With so many digits every number is itself.
const MOST: i32 = 17;

/// Significant digits of slope, intercept, λ, centre and scale with which a term contributes what it does
/// with all of them, for values up to three scales away from the centre.
fn enough(
    coefficient: f64,
    (slope, intercept): (f64, f64),
    lambda: f64,
    (centre, scale): (f64, f64),
) -> i32 {
    let values: Vec<f64> = [-3.0, -1.5, 0.0, 1.5, 3.0]
        .iter()
        .map(|away| (yeo_johnson_of(centre + away * scale, lambda) - intercept) / slope)
        .filter(|value| value.is_finite())
        .collect();
    let near = |digits: &i32| {
        let short = |value: f64| rounded(value, *digits);
        let (of, from, by) = (short(lambda), short(centre), short(scale));
        let (times, plus) = (short(slope), short(intercept));
        values.iter().all(|value| {
            let exact = (yeo_johnson(slope * value + intercept, lambda) - centre) / scale;
            let printed = (yeo_johnson(times * value + plus, of) - from) / by;
            (coefficient * (exact - printed)).abs() < OFF
        })
    };
    (6..MOST).find(near).unwrap_or(MOST)
}

/// Significant digits of what stands for a missing value with which a term contributes what it does with
/// all of them; four at least.
fn telling(term: &Term, value: f64) -> i32 {
    let of = |value: f64| match &term.transform {
        Transform::YeoJohnson { slope, intercept, lambda, centre, scale } => {
            (yeo_johnson(slope * value + intercept, *lambda) - centre) / scale
        }
        _ => value,
    };
    let near = |digits: &i32| {
        (term.coefficient * (of(value) - of(rounded(value, *digits)))).abs() < OFF
    };
    (4..MOST).find(near).unwrap_or(MOST)
}

/// Significant digits of a number that was rounded before; four at least.
fn as_given(value: f64) -> i32 {
    (4..MOST).find(|digits| rounded(value, *digits) == value).unwrap_or(MOST)
}

/// A number as it is printed with so many significant digits.
fn rounded(value: f64, significant: i32) -> f64 {
    format!("{value:.*}", decimals(value, significant)).parse().unwrap_or(value)
}

fn range(
    shown: &Shown,
    path: &str,
    (lowest, highest): (Option<f64>, Option<f64>),
) -> String {
    let (Some(lowest), Some(highest)) = (lowest, highest) else {
        let lowest = format!("{path}/lowest");
        return match shown.is_hidden(&lowest) {
            true => shown.number(&lowest, 1),
            false => String::new(),
        };
    };
    let digits = decimals(lowest.abs().max(highest.abs()), 4);
    format!(
        "{} to {}",
        shown.number(&format!("{path}/lowest"), digits),
        shown.number(&format!("{path}/highest"), digits)
    )
}

/// Decimals that leave so many significant digits.
fn decimals(value: f64, significant: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 1;
    }
    let magnitude = (log2(value.abs()) * std::f64::consts::LOG10_2).floor() as i32;
    // Without decimals so large a number is written by its power of ten, and most digits are lost.
    let least = i32::from(value.abs() >= 1e6 && value.fract() != 0.0);
    (significant - 1 - magnitude).clamp(least, 30) as usize
}

/// Significant digits with which a factor of so large a product leaves it known to five decimals.
fn significant(product: f64) -> i32 {
    match product.abs() > 1.0 {
        true => 6 + (log2(product.abs()) * std::f64::consts::LOG10_2).ceil() as i32,
        false => 6,
    }
}

/// The terms for a file, with all their digits.
fn terms(equation: &Equation) -> DataTable {
    let head = [
        "term",
        "unit",
        "transform",
        "coef",
        "lo",
        "hi",
        "range_lo",
        "range_hi",
        "missing_is",
    ];
    let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
    let ends =
        |of: Option<(f64, f64)>| [number(of.map(|of| of.0)), number(of.map(|of| of.1))];
    let [low, high] = ends(equation.intercept_limits);
    let intercept = equation.intercept.to_string();
    let intercept = ["(intercept)", "", "", &intercept, &low, &high, "", "", ""];
    let mut rows = vec![intercept.map(String::from).to_vec()];
    rows.extend(equation.terms.iter().map(|term| {
        let [low, high] = ends(term.limits);
        vec![
            term.predictor.clone(),
            term.unit.clone().unwrap_or_default(),
            match &term.transform {
                Transform::Value => "value".to_string(),
                Transform::Is { category } => format!("is {category}"),
                Transform::IsMissing => "is missing".to_string(),
                Transform::YeoJohnson { slope, intercept, lambda, centre, scale } => {
                    let power =
                        format!("yeo_johnson({slope} * value + {intercept}; {lambda})");
                    match (*centre, *scale) {
                        (0.0, 1.0) => power,
                        _ => format!("({power} - {centre}) / {scale}"),
                    }
                }
            },
            term.coefficient.to_string(),
            low,
            high,
            number(term.lowest),
            number(term.highest),
            number(term.missing_is),
        ]
    }));
    DataTable { head: head.map(String::from).to_vec(), rows }
}

/// Predictors that a picture shows at most.
const SHOWN: usize = 15;
/// Edges of the plot. Units: pixels.
const LEFT: f64 = 16.0;
const RIGHT: f64 = 262.0;

/// How much worse held-out rows are predicted without each predictor.
fn importance<'a>(
    shown: &Shown,
    path: &str,
    (id, name): (&'a str, &str),
    of: &ImportanceFacts,
) -> Figure<'a> {
    let drawn = &of.predictors[..of.predictors.len().min(SHOWN)];
    let low = drawn.iter().map(|p| p.lowest).fold(0.0, f64::min);
    let high = drawn.iter().map(|p| p.highest).fold(0.002, f64::max);
    let x = |value: f64| LEFT + (value - low) / (high - low) * (RIGHT - LEFT);
    let mut svg = named::picture(drawn.len(), 42.0);
    let (top, bottom) = (named::TOP, named::foot(drawn.len()));
    svg.text("strong", (0.0, 20.0), Anchor::Start, "Predictor");
    svg.text("strong", (named::WIDTH, 20.0), Anchor::End, "Mean over folds");
    svg.path("axis", &[(LEFT, bottom), (RIGHT, bottom)]);
    let (values, digits) = super::plot::ticks(low, high);
    for value in values {
        let at = x(value);
        svg.line("grid", (at, top), (at, bottom));
        let text = plain(value, digits);
        svg.text("small", (at, bottom + 15.0), Anchor::Middle, &text);
    }
    svg.line("ref", (x(0.0), top), (x(0.0), bottom));
    let axis = format!("{} lost when the predictor is shuffled", of.metric);
    let mut told = format!("{}, mean and range over folds:", escape(&axis));
    let labels: Vec<&str> = drawn.iter().map(|one| one.name.as_str()).collect();
    let labels = super::forest::distinct(&labels, named::NAME);
    for (place, predictor) in drawn.iter().enumerate() {
        let y = named::line(&mut svg, place, &labels[place]);
        svg.line("w1", (x(predictor.lowest), y), (x(predictor.highest), y));
        let tip = format!("{}: {}", predictor.name, plain(predictor.mean, 3));
        svg.mark(1, (x(predictor.mean), y), 4.5, &tip);
        let place = format!("{path}/importance/predictors/{place}");
        let mean = shown.signed(&format!("{place}/mean"), 3);
        told.push_str(&format!(
            "{} {} {mean} ({} to {})",
            if told.ends_with(':') { "" } else { "," },
            escape(&predictor.name),
            shown.number(&format!("{place}/lowest"), 3),
            shown.number(&format!("{place}/highest"), 3)
        ));
        svg.numbers("", (named::WIDTH, y + 4.0), Anchor::End, &mean);
    }
    told.push('.');
    // The whole sentence is wider than the picture.
    let lost = format!("{} lost by shuffling", of.metric);
    svg.text("small", (named::WIDTH / 2.0, bottom + 34.0), Anchor::Middle, &lost);
    let picture = svg.finish_told("Permutation importance", &told);
    let rows = of.predictors.iter().map(|predictor| {
        let number = |value: f64| plain(value, 6);
        vec![
            predictor.name.clone(),
            number(predictor.mean),
            number(predictor.lowest),
            number(predictor.highest),
            predictor.used.to_string(),
        ]
    });
    let head = ["predictor", "mean", "lowest", "highest", "folds that use it"];
    let most = &of.predictors[0];
    let metric = within(&of.metric);
    let folds = if of.folds == 1 { "fold" } else { "folds" };
    Figure {
        id,
        heading: match most.mean > 0.0 {
            true => format!(
                "{}: predictions lose most without {}, {} of {} in the mean",
                escape(name),
                breakable(&most.name),
                shown.number(&format!("{path}/importance/predictors/0/mean"), 3),
                escape(&metric)
            ),
            false => format!(
                "{}: without any one predictor held-out rows are predicted no worse, on average over folds",
                escape(name)
            ),
        },
        sub: format!(
            "Permutation importance on held-out rows: mean, and the least and the greatest of {} \
             outer {folds}. {}",
            of.folds,
            match of.predictors.len() > SHOWN {
                true => format!("The first {SHOWN} of {}.", of.predictors.len()),
                false => String::new(),
            }
        ),
        body: named::boxed(&picture, &format!("Permutation importance, {name}")),
        pictures: vec![picture],
        method: format!(
            "In each outer fold of the first repeat the fold’s own choice is fitted once more, and each \
             predictor that reaches its learner is shuffled {} times among the held-out rows. The line is \
             the spread over folds, no confidence interval; a fold whose choice does not look at a \
             predictor counts as 0. Predictors that go together share their importance.",
            of.times
        ),
        table: DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() },
    }
}

/// The table of Shapley values, as HTML.
fn explained(
    shown: &Shown,
    path: &str,
    facts: &FullModelFacts,
    simulated: bool,
    fragment: &mut Fragment,
) -> String {
    let Some(of) = &facts.explained else {
        let why = facts.unexplained.as_deref();
        return why.map_or(String::new(), |why| {
            format!("<p>No Shapley values are given: {}.</p>", coded(why))
        });
    };
    let rows = of.predictors.iter().map(|predictor| {
        let correlation = predictor.correlation.map_or(String::new(), |r| plain(r, 4));
        vec![predictor.name.clone(), plain(predictor.mean_absolute, 6), correlation]
    });
    let head = ["predictor", "mean absolute value", "correlation with the predictor"];
    let table = DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() };
    let name = format!("shapley-{}.csv", facts.name);
    fragment.tables.push((name, table.csv(simulated)));
    let mut html = String::new();
    for (at, predictor) in of.predictors.iter().take(SHOWN).enumerate() {
        let at = format!("{path}/explained/predictors/{at}");
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"r\">{}</td><td class=\"r\">{}</td></tr>",
            breakable(&predictor.name),
            shown.number(&format!("{at}/mean_absolute"), 3),
            shown.number(&format!("{at}/correlation"), 2),
        ));
    }
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Shapley values of {name}\">\
         <table><caption>What the full model looks at: exact Shapley values<small>{simulated}In {scale}, \
         on {rows} rows that it was developed on{of_all} ({method}); they add up, with {base}, to what it says \
         of a row. Apparent: they describe the model and are no evidence of performance. {most}\
         </small></caption><thead><tr><th scope=\"col\">Predictor</th>\
         <th scope=\"col\" class=\"r\">Mean absolute value</th><th scope=\"col\" class=\"r\">\
         Correlation with the predictor</th></tr></thead><tbody>{html}</tbody></table></div>",
        name = escape(&facts.name),
        simulated = if simulated { "Simulated data. " } else { "" },
        scale = escape(&of.scale),
        rows = shown.count(&format!("{path}/explained/rows")),
        of_all = match facts.n.known() {
            Some(n) if n > of.rows => {
                format!(", of {}", shown.number(&format!("{path}/n"), 0))
            }
            _ => String::new(),
        },
        method = escape(&counts_apart(&of.method)),
        base = shown.number(&format!("{path}/explained/base"), 3),
        most = match of.predictors.len() {
            all if all > SHOWN => format!("The first {SHOWN} of {all} predictors."),
            _ => String::new(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::{
        PRINTED, as_given, decimals, enough, printed, rounded, significant, words,
    };
    use crate::data::{MemberFacts, Term, Transform};
    use crate::math::yeo_johnson;

    #[test]
    fn a_setting_stands_with_what_it_is_a_setting_of() {
        let mut member = MemberFacts {
            weight: 1.0,
            selector: "lasso".to_string(),
            selector_settings: "k = 16".to_string(),
            preparation: String::new(),
            learner: "Logistic regression".to_string(),
            settings: "c = 0.1".to_string(),
            n_selected: 16,
            n_used: None,
            equation: Err("none is asked for".to_string()),
            novelty_limit: None,
        };
        assert_eq!(
            words(&member),
            "Logistic regression (c = 0.1) on 16 columns (selection: lasso, k = 16)"
        );
        member.settings.clear();
        member.selector_settings.clear();
        member.selector = "all".to_string();
        member.preparation = "threshold = 0.9".to_string();
        member.n_selected = 1;
        assert_eq!(
            words(&member),
            "Logistic regression on 1 column (selection: all; preparation: threshold = 0.9)"
        );
    }

    #[test]
    fn significant_digits_are_kept_at_any_size() {
        assert_eq!(decimals(123.456, 6), 3);
        assert_eq!(decimals(-0.001_234, 6), 8);
        assert_eq!(decimals(1.0, 6), 5);
        assert_eq!(decimals(123_456.7, 6), 0);
        assert_eq!(decimals(1e9, 6), 0);
        assert_eq!(decimals(1_234_567.8, 6), 1);
        assert_eq!(decimals(0.0, 6), 1);
        assert_eq!(rounded(-0.001_234_567_8, 6), -0.001_234_57);
        assert_eq!((significant(0.3), significant(1500.0)), (6, 10));
    }

    /// A page does not grow with the number of terms; those that matter most stay, in their order.
    #[test]
    fn of_many_terms_those_are_printed_that_matter_most() {
        let term = |at: usize, transform: Transform, coefficient: f64| Term {
            predictor: format!("block.x{at}"),
            unit: None,
            transform,
            coefficient,
            limits: None,
            missing_is: None,
            lowest: Some(0.0),
            highest: Some(if at == 7 { 1e6 } else { 1.0 }),
        };
        let mut terms: Vec<Term> = (0..PRINTED + 50)
            .map(|at| term(at, Transform::Value, -1.0 / (at + 1) as f64))
            .rev()
            .collect();
        terms[0] = term(7, Transform::Value, 1e-5);
        let all: Vec<usize> = (0..PRINTED).collect();
        assert_eq!(printed(&terms[..PRINTED]), all);
        let places = printed(&terms);
        assert_eq!((places.len(), places[0]), (PRINTED, 0));
        assert_eq!(places[1..], (51..PRINTED + 50).collect::<Vec<_>>()[..]);
    }

    /// A transform that hardly differs between values needs nearly all digits of what it is held
    /// against, a usual one the first six.
    #[test]
    fn a_power_is_printed_with_the_digits_that_it_takes() {
        assert_eq!(enough(0.5, (1.0, 0.0), 0.74, (25.7386, 3.58257)), 6);
        // Of values about ten million the first four digits agree.
        assert!(enough(0.5, (0.000_247_111_23, -2_471.171_23), 1.1, (0.1, 0.9)) > 7);
        assert_eq!((as_given(50.0), as_given(0.1075), as_given(12_345.67)), (4, 4, 7));
        let (lambda, low, high) = (-3.638_335_943_734_38, 2872.0, 3080.0);
        let of = |value: f64| yeo_johnson(value, lambda);
        let (centre, scale) = (of(2976.0), (of(high) - of(low)) / 2.0);
        let digits = enough(0.5, (1.0, 0.0), lambda, (centre, scale));
        assert!(digits > 12, "{digits}");
        let printed = |value: f64| {
            let power = yeo_johnson(value, rounded(lambda, digits));
            (power - rounded(centre, digits)) / rounded(scale, digits)
        };
        for value in [low, 2976.0, high] {
            let exact = (of(value) - centre) / scale;
            assert!((printed(value) - exact).abs() < 1e-3, "{value}");
        }
    }
}
