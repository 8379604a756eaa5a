//! Site, strata and controls: how much of the result is theirs.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::figure::Figure;
use super::finding::{associated, held_out_whole, may_look_at_site};
use super::forest::{Counted, Forest, Row, Scale};
use super::shown::{Shown, counts_apart, escape, fill, place, without_tags};
use super::standing::{
    Standing, headline, hue, label, model, primary, same_question, same_splits,
    whereabouts,
};
use crate::data::{AnalysisRecord, Better, PermutationFacts};
use crate::operation::prelude::*;

/// How the outcome goes with site and stratum, what they give alone, and what remains within them.
///
/// A model can do well because it recognises where a patient was scanned. Pairs of patients within
/// one stratum and models of the stratum alone, on the same splits, show how much that explains.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Confounding {}

impl Operation for Confounding {
    const ABOUT: About = About {
        name: "confounding",
        title: "Site, strata and controls",
        version: 1,
        sources: &["cramer1946", "delong1988", "hanley1982"],
        example: "confounding",
    };
}

impl Section for Confounding {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Validation),
            fills: &[
                Fill::clear("36", &[Evidence::Confounding]),
                Fill::metrics("19", &[Evidence::Confounding]),
            ],
            figures: &[],
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
        let figure = match headline(record) {
            Some((name, analysis)) => figure(record, &shown, name, analysis)
                .map(|figure| figure.into_html(simulated, &mut fragment))
                .transpose()?,
            None => None,
        };
        fragment.html = fill(
            "confounding.html",
            json!({
                "simulated": simulated,
                "figure": figure,
                "rows": associations(record, &shown),
                "prevalence": prevalence(record, &shown),
                "added": added(record),
                "not_added": record.study.no_controls_added,
                "silent": silent(record, &shown),
            }),
        )?;
        Ok(fragment)
    }
}

fn associations(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let row = |(at, facts): (usize, &crate::data::AssociationFacts)| {
        let path = format!("/associations/{at}");
        json!({
            "outcome": label(record, &facts.outcome),
            "cohort": facts.cohort,
            "column": facts.column,
            "levels": shown.count(&format!("{path}/levels")),
            "one_class": shown.count(&format!("{path}/one_class_levels")),
            "v": shown.number(&format!("{path}/cramers_v"), 2),
            "p": shown.p(&format!("{path}/p")),
            "auroc": shown.number(&format!("{path}/auroc"), 2),
        })
    };
    record.associations.iter().enumerate().map(row).collect()
}

/// The controls that the study does not name, each once, and why they are there.
fn added(record: &StudyRecord) -> Vec<Json> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (_, analysis) in super::standing::all(record) {
        let Some(added) = &analysis.added else { continue };
        if !seen.iter().any(|(model, _)| *model == analysis.model) {
            seen.push((&analysis.model, &added.why));
        }
    }
    let row = |(model, why): &(&str, &str)| json!({ "model": model, "why": coded(why) });
    seen.iter().map(row).collect()
}

/// What the prevalence alone achieves on the rows of the headline's question, beside the model.
fn prevalence(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let asked = headline(record).map(|(_, analysis)| same_question(record, analysis));
    let rows = asked.into_iter().flatten().filter_map(|(name, of)| {
        let facts = of.prevalence_only.as_ref()?;
        let path = format!("{}/prevalence_only", place(name));
        let metrics = [
            ("AUROC", "auroc", 2),
            ("Average precision", "average_precision", 2),
            ("Brier score", "brier", 3),
            ("Log loss", "log_loss", 3),
        ];
        let cells = metrics.map(|(label, metric, digits)| {
            let own = format!("{}/performance/{metric}/estimate", place(name));
            json!({
                "label": label,
                "alone": shown.number(&format!("{path}/performance/{metric}"), digits),
                "model": shown.number(&own, digits),
                "gain": shown.signed(&format!("{path}/gains/{metric}"), digits),
            })
        });
        let ends =
            ["lowest", "highest"].map(|end| shown.number(&format!("{path}/{end}"), 3));
        Some(json!({
            "where": format!("{}, {}", whereabouts(record, of), of.cohort),
            "predicted": match without_tags(&ends[0]) == without_tags(&ends[1]) {
                true => ends[0].clone(),
                false => ends.join("–"),
            },
            "cells": cells, "method": counts_apart(&facts.method),
        }))
    });
    rows.collect()
}

/// What is not known, in words.
fn silent(record: &StudyRecord, shown: &Shown) -> Vec<String> {
    let Some((name, analysis)) = headline(record) else { return Vec::new() };
    let mut notes = Vec::new();
    let goes = associated(record, analysis);
    if record.associations.is_empty() {
        notes.push(
            "No cohort of this study names its sites, and no stratum is named: whether the \
             outcome goes with where patients were scanned is not known."
                .to_string(),
        );
    }
    if !goes.is_empty()
        && record.study.within.is_none()
        && !held_out_whole(record, analysis)
    {
        notes.push(
            "The outcome goes with the site, and performance within it was not asked for \
             (`evaluate.within`)."
                .to_string(),
        );
    }
    let controlled = same_splits(record, analysis)
        .any(|(_, other)| other.role == "control" && may_look_at_site(other));
    if !goes.is_empty() && !controlled {
        notes.push(
            "No model of the site or stratum alone stands beside the headline on the same splits \
             (`role: control`)."
                .to_string(),
        );
    }
    let hidden = |what: &str| shown.is_hidden(&format!("{}/{what}", place(name)));
    if hidden("prevalence_only") {
        notes.push(
            "What the prevalence alone achieves on the rows of the headline is hidden: a small \
             count would follow from it."
                .to_string(),
        );
    }
    let finds = "What the whole procedure finds on permuted outcomes was not";
    match (&analysis.permutation, &record.study.not_permuted) {
        (Some(found), _) if found.times < PermutationFacts::LEAST => notes.push(
            "Outcomes were permuted too seldom to tell what the whole procedure finds in them: no \
             p below 0.05 can come of it (`evaluate.controls.permuted_outcome.times`)."
                .to_string(),
        ),
        (Some(_), _) => {}
        (None, Some(reason)) => {
            notes.push(format!("{finds} computed: {}.", reason.trim_end_matches('.')));
        }
        (None, None) if hidden("permutation") => {
            notes.push(
                "What the whole procedure finds on permuted outcomes is hidden: a small count would \
                 follow from it."
                    .to_string(),
            );
        }
        (None, None) => notes
            .push(format!("{finds} asked for (`evaluate.controls.permuted_outcome`).")),
    }
    notes
}

fn figure(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Option<Figure<'static>> {
    let mut rows = Vec::new();
    for (name, of) in same_question(record, analysis) {
        let others: Vec<_> = same_splits(record, of).collect();
        if of.within.is_none() && others.is_empty() {
            continue;
        }
        rows.push(Row {
            label: format!("{}, {}", whereabouts(record, of), of.cohort),
            heading: true,
            ..Row::default()
        });
        let series = Standing::of(record, of).series();
        rows.push(Row { series, ..overall(name, of, model(of)) });
        if let (Some(estimate), Some(column)) = (&of.within, &record.study.within) {
            rows.push(Row {
                label: format!("the same within {column}"),
                path: Some(format!("{}/within", place(name))),
                estimate: Some(estimate.estimate),
                lower: estimate.lower,
                upper: estimate.upper,
                note: estimate.method.clone(),
                series: WITHIN,
                ..Row::default()
            });
        }
        for (name, other) in others {
            let control = other.role == "control";
            rows.push(Row {
                series: hue(record, other),
                ..overall(
                    name,
                    other,
                    match (control, other.added.is_some()) {
                        (true, true) => format!("{} (control, added)", model(other)),
                        (true, false) => format!("{} (control)", model(other)),
                        (false, _) => model(other),
                    },
                )
            });
        }
    }
    if rows.is_empty() {
        return None;
    }
    let stratified = rows.iter().any(|row| row.series == WITHIN);
    let forest = Forest {
        title: match stratified {
            true => "The model, within strata, and what controls give alone",
            false => "The model, and what controls give alone",
        },
        description: format!(
            "{} of the headline model{}, beside other models on the same splits.",
            primary(analysis),
            match stratified {
                true => " and the same within strata",
                false => "",
            }
        ),
        axis: primary(analysis),
        what: "Model",
        each: "model",
        over: "judged",
        reference: super::standing::chance(analysis).map(|chance| (chance, "chance")),
        scale: match analysis.better() {
            Better::Higher => Scale::Share,
            Better::Lower | Better::Nearer(_) => Scale::Free,
        },
        rows,
    };
    let picture = forest.draw(shown);
    Some(Figure {
        id: "controls",
        heading: heading(record, shown, name, analysis),
        sub: format!("{} All of a group on the same splits.", marks(&forest.rows).join(" ")),
        body: Forest::boxed(&picture, forest.title),
        pictures: vec![picture],
        method: match stratified {
            true => {
                "What tells strata apart, but not patients within them, earns nothing within \
                 strata. A stratum with one class alone has no pair and no part in it."
            }
            false => {
                "Each model is chosen, fitted and judged by the same procedure; intervals are those \
                 of the performance table, and overlap of two of them is no test of a difference."
            }
        }
        .to_string(),
        table: forest.table(),
    })
}

/// What each mark that is drawn stands for.
fn marks(rows: &[Row]) -> Vec<&'static str> {
    let places = [Standing::Internal, Standing::SiteBySite, Standing::External];
    let of_place = |series: usize| places.iter().any(|place| place.series() == series);
    let drawn =
        |series: usize| rows.iter().any(|row| !row.heading && row.series == series);
    let further = rows
        .iter()
        .any(|row| !row.heading && row.series != WITHIN && !of_place(row.series));
    [
        (drawn(Standing::Internal.series()), "Circle: the model, internal."),
        (
            drawn(Standing::SiteBySite.series()),
            "Diamond: the model, over sites that are held out one at a time.",
        ),
        (
            drawn(Standing::External.series()),
            "Filled square: the finished model in another cohort.",
        ),
        (
            drawn(WITHIN),
            "Open square: the same predictions, pairs within one stratum only.",
        ),
        (further, "Other marks: controls and further models, as in the other pictures."),
    ]
    .into_iter()
    .filter_map(|(is_drawn, words)| is_drawn.then_some(words))
    .collect()
}

/// The mark of the headline's predictions on pairs within a stratum.
const WITHIN: usize = 7;

fn overall(name: &str, of: &AnalysisRecord, label: String) -> Row {
    let estimate = of.performance.get(&of.primary);
    Row {
        label,
        path: estimate.map(|_| format!("{}/performance/{}", place(name), of.primary)),
        counted: Some(Counted::of(name, of)),
        estimate: estimate.map(|estimate| estimate.estimate),
        lower: estimate.and_then(|estimate| estimate.lower),
        upper: estimate.and_then(|estimate| estimate.upper),
        note: match estimate {
            Some(estimate) => estimate.method.clone(),
            None => "not computed".to_string(),
        },
        series: 1,
        ..Row::default()
    }
}

fn heading(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> String {
    let metric = escape(&primary(analysis));
    let of = |name: &str| format!("{}/performance/{}", place(name), analysis.primary);
    let all = shown.number(&format!("{}/estimate", of(name)), 2);
    let within = match (&record.study.within, &analysis.within) {
        (Some(column), Some(_)) => format!(
            ", within {} {}",
            escape(column),
            shown.number(&format!("{}/within/estimate", place(name)), 2)
        ),
        _ => String::new(),
    };
    let controls: Vec<String> = same_splits(record, analysis)
        // What is clinical alone is what a reader asks for, whatever the study has it for.
        .filter(|(_, other)| other.role == "control" || other.clinical)
        .map(|(name, other)| {
            format!(
                "; {} alone {}",
                escape(&super::standing::alone(other)),
                shown.number(&format!("{}/estimate", of(name)), 2)
            )
        })
        .collect();
    // Beside the value within strata it is clear whose it is.
    let whose = if within.is_empty() { " of the model" } else { "" };
    format!("{metric} {all}{whose}{within}{}", controls.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_that_are_drawn_are_told() {
        let heading = Row { heading: true, series: 4, ..Row::default() };
        let row = |series| Row { series, ..Row::default() };
        let firsts = |rows: &[Row]| -> Vec<String> {
            let words = marks(rows).into_iter();
            words.map(|words| words.split(':').next().unwrap().to_string()).collect()
        };
        assert_eq!(firsts(&[heading, row(1)]), ["Circle"]);
        assert_eq!(
            firsts(&[row(3), row(WITHIN), row(4), row(2)]),
            ["Diamond", "Filled square", "Open square", "Other marks"]
        );
    }
}
