//! Subgroups: the same model in every declared group, also where there are too few.

use serde_json::{Value as Json, json};

use super::figure::{DataTable, Figure};
use super::forest::{Counted, Forest, Row};
use super::shown::{Shown, escape, fill, place, plain};
use super::standing::{
    Standing, all, chance, headline, primary, rows_are, same_question,
};
use crate::data::{AnalysisRecord, SubgroupFacts};
use crate::operation::prelude::*;

/// The primary metric in every declared group, sensitivity and specificity at the applied threshold,
/// observed over expected and the Brier score; groups with too few of a class say so.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Subgroups {}

impl Operation for Subgroups {
    const ABOUT: About = About {
        name: "subgroups",
        title: "Subgroups",
        // 1: the primary metric. 2: decisions at the threshold, calibration and error as well.
        version: 2,
        sources: &["collins2024"],
        example: "subgroups",
    };
}

impl Section for Subgroups {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Subgroups),
            fills: &[Fill::tripod("14", &[Evidence::Subgroups])],
            figures: &["F7"],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let mut figures = Vec::new();
        let asked = headline(record).map(|(_, analysis)| same_question(record, analysis));
        for (position, (name, analysis)) in asked.into_iter().flatten().enumerate() {
            if !analysis.subgroups.is_empty() {
                let id = format!("subgroups-{}", position + 1);
                let figure = figure(record, &shown, &id, name, analysis);
                figures.push(figure.into_html(simulated, &mut fragment)?);
            }
        }
        let every = every(record);
        let more = every.rows.len();
        if more > 0 {
            fragment.tables.push(("subgroups.csv".to_string(), every.csv(simulated)));
        }
        let asked = headline(record).map(|(_, analysis)| same_question(record, analysis));
        let further = asked
            .into_iter()
            .flatten()
            .filter_map(|(name, analysis)| further(record, &shown, name, analysis));
        fragment.html = fill(
            "subgroups.html",
            json!({
                "simulated": simulated, "figures": figures, "some": more > 0,
                "further": further.collect::<Vec<_>>(),
            }),
        )?;
        Ok(fragment)
    }
}

fn figure<'a>(
    record: &StudyRecord,
    shown: &Shown,
    id: &'a str,
    name: &str,
    analysis: &AnalysisRecord,
) -> Figure<'a> {
    let standing = Standing::of(record, analysis);
    let mut rows: Vec<Row> = Vec::new();
    let mut by = "";
    for (at, group) in analysis.subgroups.iter().enumerate() {
        if group.by != by {
            by = &group.by;
            rows.push(Row { label: by.to_string(), heading: true, ..Row::default() });
        }
        let path = format!("{}/subgroups/{at}", place(name));
        rows.push(Row {
            label: group.group.clone(),
            path: Some(path.clone()),
            counted: Some(Counted {
                n: group.n,
                n_positive: group.n_positive,
                place: path,
            }),
            estimate: group.estimate,
            lower: group.lower,
            upper: group.upper,
            note: group.note.clone(),
            series: standing.series(),
            ..Row::default()
        });
    }
    let overall = analysis.performance.get(&analysis.primary);
    let forest = Forest {
        title: "Performance by subgroup",
        description: format!(
            "{} of {name} in each declared group, with the value over all as a dashed line.",
            primary(analysis)
        ),
        axis: primary(analysis),
        what: "Group",
        over: "variable",
        reference: match overall {
            Some(estimate) => Some((estimate.estimate, "all")),
            None => chance(analysis).map(|chance| (chance, "chance")),
        },
        signed: false,
        rows,
    };
    let picture = forest.draw(shown);
    Figure {
        id,
        heading: heading(record, shown, name, analysis),
        sub: format!(
            "The dashed line is the value over all {}; groups overlap with each other across \
             headings.",
            rows_are(record, &analysis.cohort)
        ),
        body: Forest::boxed(&picture, &format!("Subgroups of {name}")),
        pictures: vec![picture],
        method: "The same predictions, restricted to each group; nothing was fitted again. No \
                 adjustment for the number of groups. A group with too few of a class says so and \
                 is not dropped; rows without a value are in no group and counted as such."
            .to_string(),
        table: forest.table(),
    }
}

/// Sensitivity, specificity, calibration and error in each group of an analysis.
fn further(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Option<Json> {
    let first = analysis.subgroups.iter().find(|group| !group.measures.is_empty())?;
    let titles: Vec<&str> =
        first.measures.iter().map(|measure| measure.title.as_str()).collect();
    let rows = analysis.subgroups.iter().enumerate().map(|(at, group)| {
        let path = format!("{}/subgroups/{at}", place(name));
        let cells = group.measures.iter().enumerate().map(|(which, measure)| {
            match measure.estimate {
                Some(_) => shown.estimate(&format!("{path}/measures/{which}"), 2),
                // The row says how many there are; the file has the whole reason.
                None if measure.note.starts_with("too few") => "too few".to_string(),
                None => escape(&measure.note),
            }
        });
        json!({
            "by": group.by, "group": group.group,
            "n": shown.count(&format!("{path}/n")),
            "positive": shown.count(&format!("{path}/n_positive")),
            "cells": cells.collect::<Vec<_>>(),
        })
    });
    Some(json!({
        "where": format!("{}, {}", Standing::of(record, analysis).label(), analysis.cohort),
        "titles": titles,
        "rows": rows.collect::<Vec<_>>(),
    }))
}

/// The lowest and the highest group with an interval, not a judgement of their difference.
fn heading(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> String {
    let known = |group: &SubgroupFacts| group.lower.and(group.upper).and(group.estimate);
    let known = analysis
        .subgroups
        .iter()
        .enumerate()
        .filter_map(|(at, group)| Some((at, group, known(group)?)));
    let known: Vec<_> = known.collect();
    let lowest = known.iter().min_by(|a, b| a.2.total_cmp(&b.2));
    let highest = known.iter().max_by(|a, b| a.2.total_cmp(&b.2));
    let whom = Standing::of(record, analysis).label();
    let (Some(lowest), Some(highest)) = (lowest, highest) else {
        return format!("No group is large enough for an interval ({whom})");
    };
    let one = |(at, group, _): &(usize, &SubgroupFacts, f64)| {
        format!(
            "{} where {} is {}",
            shown.number(&format!("{}/subgroups/{at}/estimate", place(name)), 2),
            escape(&group.by),
            escape(&group.group)
        )
    };
    match lowest.0 == highest.0 {
        true => format!("{} {} ({whom})", escape(&primary(analysis)), one(lowest)),
        false => format!(
            "{} from {} to {} ({whom})",
            escape(&primary(analysis)),
            one(lowest),
            one(highest)
        ),
    }
}

/// Every group of every analysis, for a file.
fn every(record: &StudyRecord) -> DataTable {
    let head = [
        "analysis",
        "by",
        "group",
        "n",
        "n_positive",
        "metric",
        "estimate",
        "lower",
        "upper",
        "note",
    ];
    let number = |value: Option<f64>| {
        value.map_or(String::new(), |value| plain(value, 4).replace('−', "-"))
    };
    let rows = all(record).flat_map(|(name, analysis)| {
        analysis.subgroups.iter().flat_map(move |group| {
            let own = (
                analysis.primary.as_str(),
                [group.estimate, group.lower, group.upper],
                &group.note,
            );
            let further = group.measures.iter().map(|of| {
                (of.metric.as_str(), [of.estimate, of.lower, of.upper], &of.note)
            });
            std::iter::once(own).chain(further).map(move |(metric, values, note)| {
                let mut cells = vec![
                    name.clone(),
                    group.by.clone(),
                    group.group.clone(),
                    group.n.to_string(),
                    group.n_positive.to_string(),
                    metric.to_string(),
                ];
                cells.extend(values.map(number));
                cells.push(note.clone());
                cells
            })
        })
    });
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}
