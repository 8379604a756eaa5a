//! Analysis as executed: the graph, the certificate, the settings, the candidates.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::author::coded;
use super::figure::{DataTable, Figure};
use super::layered::{self, Sizes};
use super::shown::{Shown, counted, escape, fill, place};
use super::standing::{all, headline, primary};
use super::svg::{Anchor, Svg};
use crate::data::{
    AnalysisRecord, CandidateRecord, FittedOn, GraphFacts, NodeGroup, Scope,
};
use crate::operation::prelude::*;

/// The graph of computations, the leakage certificate, every setting, who is held out in each split, and how candidates fared.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Analysis {}

impl Operation for Analysis {
    const ABOUT: About = About {
        name: "analysis",
        title: "Analysis as executed",
        version: 1,
        sources: &["collins2024", "varma2006"],
        example: "analysis",
    };
}

impl Section for Analysis {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Analysis),
            fills: &[
                Fill::tripod("7", &[Evidence::Preparation]),
                Fill::tripod("12a", &[Evidence::Splits]),
                Fill::tripod("12b", &[Evidence::Preparation]),
                Fill::tripod("12c", &[Evidence::Tuning]),
                Fill::tripod("12e", &[Evidence::Measures]),
                Fill::tripod("13", &[Evidence::Learners]),
                Fill::tripod("21", &[Evidence::Splits]),
                Fill::clear("12", &[Evidence::Proof]),
                Fill::clear("15", &[Evidence::Splits, Evidence::Proof]),
                Fill::clear("30", &[Evidence::Splits]),
                Fill::clear("32", &[Evidence::Preparation]),
                Fill::clear("34", &[Evidence::Learners]),
                Fill::clear("35", &[Evidence::Tuning]),
                Fill::clear("37", &[Evidence::Tuning]),
                Fill::metrics("18", &[Evidence::Proof, Evidence::Unprepared]),
            ],
            figures: &["F16"],
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
        let graph = figure(record, &shown).into_html(simulated, &mut fragment)?;
        let count = |what: &str| shown.count(&format!("/certificate/{what}"));
        let mut tables = all(record);
        let first = tables.next().map(|(name, of)| tuning(&shown, name, of, |_| true));
        // A large study has thousands of them: the page shows those that were chosen.
        let chosen = |candidate: &CandidateRecord| candidate.chosen > 0;
        let others: Vec<Json> =
            tables.map(|(name, of)| tuning(&shown, name, of, chosen)).collect();
        fragment
            .tables
            .push(("candidates.csv".into(), candidates(record).csv(simulated)));
        fragment.tables.push(("splits.csv".into(), splits(record).csv(simulated)));
        let grid = headline(record).and_then(|(name, of)| grid(&shown, name, of));
        fragment.html = fill(
            "analysis.html",
            json!({
                "simulated": simulated,
                "graph": graph,
                "uses": count("n_held_out_uses"),
                "transductive": record.certificate.n_transductive > 0,
                "harmonised": harmonised(record, &shown),
                "splits": count("n_splits"),
                "nodes": count("n_nodes"),
                "groups": count("n_groups"),
                "at_least": record.suppression.is_some(),
                "rules": record.certificate.rules.iter().map(|r| coded(r)).collect::<Vec<_>>(),
                "not_tracked":
                    record.certificate.not_tracked.iter().map(|r| coded(r)).collect::<Vec<_>>(),
                "cannot_see":
                    record.certificate.cannot_see.iter().map(|r| coded(r)).collect::<Vec<_>>(),
                "methods": record
                    .methods
                    .iter()
                    .filter(|m| !["read", "features", "outcome"].contains(&m.role.as_str()))
                    .collect::<Vec<_>>(),
                "schemes": schemes(record)
                    .into_iter()
                    .map(|(name, of)| folds(&shown, name, of))
                    .collect::<Vec<_>>(),
                "grid": grid,
                "tuning": first,
                "others": others,
            }),
        )?;
        Ok(fragment)
    }
}

/// One analysis for each scheme with its outcome, as all models of a scheme have the same splits.
fn schemes(record: &StudyRecord) -> Vec<(&String, &AnalysisRecord)> {
    let mut schemes: Vec<(&String, &AnalysisRecord)> = Vec::new();
    for (name, of) in all(record).filter(|(_, of)| of.kind != "external") {
        let same = |(_, known): &(&String, &AnalysisRecord)| {
            (&known.scheme, &known.outcome, &known.cohort)
                == (&of.scheme, &of.outcome, &of.cohort)
        };
        // A model that lacks a fold does not speak for the others.
        match schemes.iter_mut().find(|known| same(known)) {
            Some(known) if known.1.folds.len() < of.folds.len() => *known = (name, of),
            Some(_) => {}
            None => schemes.push((name, of)),
        }
    }
    schemes
}

/// The outer splits of the first repeat: who trains, who is held out, and how many of these have the outcome.
fn folds(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> Json {
    let at = place(name);
    // A site tells more than the number of its split; both follow the order of splits.
    let sites = analysis.sites.len() == analysis.folds.len();
    let rows = analysis.folds.iter().enumerate().filter(|(_, fold)| fold.repeat == 1);
    let rows = rows.map(|(position, fold)| {
        let of = |what: &str| shown.count(&format!("{at}/folds/{position}/{what}"));
        json!({
            "fold": match analysis.sites.get(position).filter(|_| sites) {
                Some(site) => site.name.clone(),
                None => fold.outer.to_string(),
            },
            "train": of("n_train"),
            "held_out": of("n_held_out"),
            "positive": of("positive_held_out"),
        })
    });
    json!({
        "scheme": analysis.scheme,
        "words": analysis.scheme_text,
        "outcome": analysis.outcome,
        "cohort": analysis.cohort,
        "repeats": analysis.folds.iter().any(|fold| fold.repeat > 1),
        "sites": sites,
        "rows": rows.collect::<Vec<_>>(),
        "n": shown.count(&format!("{at}/n")),
        "positive": shown.count(&format!("{at}/n_positive")),
    })
}

/// Every outer split of every scheme, for a file.
fn splits(record: &StudyRecord) -> DataTable {
    let head = [
        "scheme",
        "outcome",
        "cohort",
        "repeat",
        "fold",
        "n_train",
        "n_held_out",
        "events_held_out",
    ];
    let rows = schemes(record).into_iter().flat_map(|(_, of)| {
        of.folds.iter().map(|fold| {
            vec![
                of.scheme.clone(),
                of.outcome.clone(),
                of.cohort.clone(),
                fold.repeat.to_string(),
                fold.outer.to_string(),
                fold.n_train.to_string(),
                fold.n_held_out.to_string(),
                fold.positive_held_out.to_string(),
            ]
        })
    });
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

/// How well the batch is told from the columns before and after harmonisation, by analysis.
fn harmonised(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let facts = record.analysis_order.iter().filter_map(|name| {
        let facts = record.analyses.get(name)?.harmonised.as_ref()?;
        let at = |what: &str| format!("{}/harmonised/{what}", place(name));
        // From here on the batch says nearly all that the outcome says.
        let confounded = facts.outcome_by_batch.is_some_and(|auroc| auroc >= 0.9);
        Some(json!({
            "name": name,
            "column": facts.column,
            "before": shown.number(&at("before"), 3),
            "after": shown.number(&at("after"), 3),
            "splits": shown.count(&at("n_splits")),
            "outcome": shown.number(&at("outcome_by_batch"), 3),
            "confounded": confounded,
        }))
    });
    facts.collect()
}

/// The best grid point of each selector with each learner, from inner scores.
fn grid(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> Option<Json> {
    let mut selectors: Vec<&str> = Vec::new();
    let mut learners: Vec<&str> = Vec::new();
    for candidate in &analysis.candidates {
        if !selectors.contains(&candidate.selector.as_str()) {
            selectors.push(&candidate.selector);
        }
        if !learners.contains(&candidate.learner.as_str()) {
            learners.push(&candidate.learner);
        }
    }
    if selectors.len() * learners.len() < 2 {
        return None;
    }
    let best = |selector: &str, learner: &str| {
        let mut best: Option<(usize, f64)> = None;
        for (at, candidate) in analysis.candidates.iter().enumerate() {
            let of_cell = candidate.selector == selector && candidate.learner == learner;
            let Some(inner) = candidate.inner.filter(|_| of_cell) else { continue };
            if best.is_none_or(|(_, known)| inner > known) {
                best = Some((at, inner));
            }
        }
        match best {
            Some((at, _)) => {
                shown.number(&format!("{}/candidates/{at}/inner", place(name)), 3)
            }
            None => "–".to_string(),
        }
    };
    let rows = selectors.iter().map(|selector| {
        let cells = learners.iter().map(|learner| best(selector, learner));
        json!({ "selector": selector, "cells": cells.collect::<Vec<_>>() })
    });
    Some(json!({
        "name": name, "primary": primary(analysis), "learners": learners,
        "averages": analysis.averages(),
        "rows": rows.collect::<Vec<_>>(),
    }))
}

/// Every candidate of every analysis.
fn candidates(record: &StudyRecord) -> DataTable {
    let head = [
        "analysis",
        "selector",
        "learner",
        "settings",
        "chosen",
        "inner",
        "failed",
        "failure",
        "left_behind",
    ];
    let rows = all(record).flat_map(|(name, of)| {
        of.candidates.iter().map(move |candidate| {
            vec![
                name.clone(),
                candidate.selector.clone(),
                candidate.learner.clone(),
                candidate.settings.clone(),
                candidate.chosen.to_string(),
                candidate.inner.map_or(String::new(), |inner| inner.to_string()),
                candidate.failed.to_string(),
                candidate.failure.clone().unwrap_or_default(),
                candidate.left_behind.to_string(),
            ]
        })
    });
    DataTable { head: head.map(str::to_string).to_vec(), rows: rows.collect() }
}

/// The candidates of an analysis that are wanted.
fn tuning(
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
    wanted: impl Fn(&CandidateRecord) -> bool,
) -> Json {
    let rows = analysis.candidates.iter().enumerate();
    let rows = rows.filter(|(_, candidate)| wanted(candidate));
    let rows = rows.map(|(at, candidate)| {
        let path = format!("{}/candidates/{at}", place(name));
        json!({
            "selector": candidate.selector,
            "learner": candidate.learner,
            // No line ends between a setting and its value.
            "settings": candidate.settings.replace(" = ", "\u{a0}=\u{a0}"),
            "is_chosen": candidate.chosen > 0,
            "chosen": shown.count(&format!("{path}/chosen")),
            "inner": shown.number(&format!("{path}/inner"), 3),
            "failed": shown.count(&format!("{path}/failed")),
            "failure": candidate.failure.as_deref().map(coded),
            "left_behind": shown.count(&format!("{path}/left_behind")),
        })
    });
    let fallback = analysis.fallback.as_ref().map(|_| {
        let count = |part: &str| shown.count(&format!("{}/fallback/{part}", place(name)));
        json!({ "folds": count("folds"), "of": count("of") })
    });
    json!({
        "name": name, "primary": primary(analysis), "rows": rows.collect::<Vec<_>>(),
        "averages": analysis.averages(),
        "fallback": fallback,
        // Of those that are listed: a column of zeros says nothing that a sentence does not.
        "fails": analysis
            .candidates
            .iter()
            .any(|candidate| wanted(candidate) && candidate.failed > 0),
        "races": analysis.candidates.iter().any(|candidate| candidate.left_behind > 0),
    })
}

/// Size of a box, and of the space between layers of boxes. Units: pixels.
const BOX: (f64, f64) = (124.0, 50.0);
const BETWEEN: f64 = 23.0;

const SCOPES: [(Scope, &str, &str); 6] = [
    (Scope::Given, "given", "known before anything is fitted"),
    (Scope::PerSubject, "per_subject", "one patient at a time"),
    (Scope::RowWise, "row_wise", "each row by itself"),
    (Scope::Training, "training", "fitted on training rows"),
    (Scope::HeldOut, "held_out", "applied to held-out rows"),
    (Scope::Measured, "measured", "measured on held-out predictions"),
];

fn class(scope: Scope) -> (&'static str, &'static str) {
    let known = SCOPES.iter().find(|(known, ..)| *known == scope);
    known.map_or(("given", ""), |(_, class, words)| (class, words))
}

/// The training rows on which the nodes of a group are fitted, least first.
fn fitted(group: &NodeGroup) -> Vec<FittedOn> {
    group.parts.iter().filter_map(|part| part.fitted_on).collect()
}

fn rows_of(fitted: FittedOn) -> (&'static str, &'static str) {
    match fitted {
        FittedOn::InnerTraining => ("inner", "inner training rows"),
        FittedOn::OuterTraining => ("outer", "outer training rows"),
        FittedOn::AllDevelopment => ("all", "all development rows"),
    }
}

fn figure(record: &StudyRecord, shown: &Shown) -> Figure<'static> {
    let picture = draw(&record.graph);
    let (n, edges) = (record.graph.groups.len(), &record.graph.edges);
    let in_turn = match layered::acyclic(n, edges).len() < edges.len() {
        true => {
            " Of kinds that read each other in turn, as in a race, the arrow that leads back is left out."
        }
        false => "",
    };
    let legend: String = SCOPES
        .iter()
        .filter(|(scope, ..)| record.graph.groups.iter().any(|group| group.scope == *scope))
        .map(|(_, class, words)| {
            format!(
                "<li><svg viewBox=\"0 0 30 14\" aria-hidden=\"true\"><rect class=\"{class}\" \
                 x=\"1\" y=\"1\" width=\"28\" height=\"12\" rx=\"3\"/></svg>{words}</li>"
            )
        })
        .collect();
    let mut rows = Vec::new();
    for (at, group) in record.graph.groups.iter().enumerate() {
        let readers = record.graph.edges.iter().filter(|(from, _)| *from == at);
        let mut readers: Vec<&str> =
            readers.map(|(_, to)| record.graph.groups[*to].name.as_str()).collect();
        // Kinds of one name in different places are named once.
        let mut seen = BTreeSet::new();
        readers.retain(|name| seen.insert(*name));
        for part in &group.parts {
            rows.push(vec![
                group.name.clone(),
                part.n.to_string(),
                class(group.scope).1.to_string(),
                part.fitted_on.map_or("", |of| rows_of(of).1).to_string(),
                part.digest.clone(),
                readers.join("; "),
            ]);
        }
    }
    Figure {
        id: "graph",
        heading: format!(
            "{} computations; what is fitted is fitted {}",
            shown.count("/graph/n_nodes"),
            match record.certificate.n_transductive {
                0 => "on training rows alone",
                _ => "on training rows, and declared transductive steps on all inputs",
            }
        ),
        sub: format!(
            "One box per kind of computation with their number; arrows run down from what is read; \
             none is drawn where a longer way of arrows says the same.{in_turn} Below the number: the rows that are \
             fitted on, training rows of inner splits, of outer splits, or all development rows."
        ),
        body: format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Graph of computations\">{picture}</div><ul class=\"legend\">{legend}</ul>"
        ),
        pictures: vec![picture],
        method: "Drawn from the graph that was executed, folded by kind of node. The digest is over \
                 what the nodes give: equal content has an equal digest, however it was computed. What \
                 was computed and what came from the store, and the seconds, differ from run to run: \
                 they stand at the foot of the page and in record.json. The table names every reader of a kind, \
                 those without an arrow included."
            .to_string()
            + match record.graph.groups.iter().any(|group| group.name == "alternatives") {
                true => {
                    " Alternatives are what other rules and metrics would have chosen, computed ahead \
                     for a study that goes over to them; no number comes from them."
                }
                false => "",
            },
        table: DataTable {
            head: ["node", "nodes", "kind", "scope", "hash", "read_by"]
                .map(String::from)
                .to_vec(),
            rows,
        },
    }
}

/// The boxes from top to bottom, each below all that it reads: in strips of one layer each, since a
/// page of paper may not have room for all.
fn draw(graph: &GraphFacts) -> String {
    let n = graph.groups.len();
    let edges = layered::reduced(n, &layered::acyclic(n, &graph.edges));
    let sizes = Sizes { width: BOX.0, passage: 8.0, gap: 18.0 };
    let found = layered::layout(n, &edges, &sizes);
    let top = |layer: usize| 2.0 + layer as f64 * (BOX.1 + BETWEEN);
    let x = |place: f64| 2.0 + place;
    let height = (top(found.n_layers) - BETWEEN).max(0.0) + 2.0;
    let mut svg = Svg::new(found.width + 4.0, height);
    for layer in 0..found.n_layers {
        let (head, foot, next) = (top(layer), top(layer) + BOX.1, top(layer + 1));
        if layer > 0 {
            svg.cut(head - 2.0);
        }
        // What comes from the layer above and ends further down passes by.
        let from_above = |way: &&(usize, f64, f64, Option<usize>)| way.0 + 1 == layer;
        for &(_, _, to, end) in found.ways.iter().filter(from_above) {
            if end.is_none() {
                svg.line("flow", (x(to), head - 2.5), (x(to), foot));
            }
        }
        for &(_, from, to, end) in found.ways.iter().filter(|way| way.0 == layer) {
            match end {
                Some(_) => {
                    svg.fall("flow", (x(from), foot), (x(to), next - 5.0));
                    svg.head((x(to), next), (0.0, 1.0));
                }
                None => svg.fall("flow", (x(from), foot), (x(to), next - 2.0)),
            }
        }
        for (at, group) in graph.groups.iter().enumerate() {
            if found.boxes[at].0 == layer {
                node(&mut svg, group, (x(found.boxes[at].1), head));
            }
        }
    }
    let described = graph.groups.iter().map(|group| {
        let on: Vec<&str> = fitted(group).into_iter().map(|of| rows_of(of).1).collect();
        let n = counted(group.n);
        match on.is_empty() {
            true => format!("{} ({n})", group.name),
            false => format!("{} ({n}, on {})", group.name, on.join(" and ")),
        }
    });
    let described: Vec<String> = described.collect();
    let described = format!("From top to bottom: {}.", described.join(", "));
    svg.finish_in_strips("Graph of computations", &escape(&described))
}

/// The box of a kind of node.
fn node(svg: &mut Svg, group: &NodeGroup, (middle, y): (f64, f64)) {
    svg.rect(class(group.scope).0, (middle - BOX.0 / 2.0, y), BOX);
    let on: Vec<&str> = fitted(group).into_iter().map(|of| rows_of(of).0).collect();
    // Two lines stand in the middle as three do.
    let y = if on.is_empty() { y + 7.0 } else { y };
    svg.text("strong", (middle, y + 16.0), Anchor::Middle, &group.name);
    let nodes = if group.n == 1 { "node" } else { "nodes" };
    let text = format!("{} {nodes}", counted(group.n));
    svg.text("small", (middle, y + 30.0), Anchor::Middle, &text);
    if !on.is_empty() {
        svg.text("small", (middle, y + 43.0), Anchor::Middle, &on.join(", "));
    }
}
