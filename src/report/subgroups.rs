//! Subgroups: the same model in every declared group, also where there are too few.

use serde_json::{Value as Json, json};

use super::figure::{DataTable, Figure};
use super::forest::{Counted, Forest, Row, Scale};
use super::shown::{Shown, escape, fill, place, plain};
use super::standing::{Standing, all, headline, rows_are, same_question, whereabouts};
use super::table_one::{spread_below, with_spread};
use crate::data::{AnalysisRecord, SubgroupFacts};
use crate::operation::prelude::*;

/// AUROC, calibration intercept and slope, sensitivity and specificity at the applied threshold, observed
/// over expected and the Brier score in every declared group; groups with too few of a class say so.
///
/// Each group is compared with the largest one of the same column that is not too few: the difference has
/// an interval and no p value.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Subgroups {}

impl Operation for Subgroups {
    const ABOUT: About = About {
        name: "subgroups",
        title: "Subgroups",
        // 1: the primary metric. 2: decisions at the threshold, calibration and error as well. 3: the AUROC
        // whatever is primary, calibration intercept and slope, and differences between groups.
        version: 3,
        sources: &["collins2024", "newcombe1998", "zou2008"],
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

    fn shows(&self) -> Shows {
        Shows::Results
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

/// The AUROC in each group, and against the group that it is compared with.
fn figure<'a>(
    record: &StudyRecord,
    shown: &Shown,
    id: &'a str,
    name: &str,
    analysis: &AnalysisRecord,
) -> Figure<'a> {
    let overall = analysis.performance.get(AUROC);
    let forest = Forest {
        title: "AUROC by subgroup",
        description: format!(
            "AUROC of {name} in each declared group, with the value over all as a dotted line."
        ),
        axis: "AUROC".to_string(),
        what: "Group",
        each: "level",
        over: "group",
        reference: match overall {
            Some(estimate) => Some((estimate.estimate, "all")),
            None => Some((0.5, "chance")),
        },
        scale: Scale::Share,
        rows: lines(record, name, analysis, Line::Value),
    };
    let picture = forest.draw(shown);
    let mut body = Forest::boxed(&picture, &format!("Subgroups of {name}"));
    let mut pictures = vec![picture];
    let rows = lines(record, name, analysis, Line::Difference);
    if !rows.is_empty() {
        let forest = Forest {
            title: "Differences of AUROC between subgroups",
            description: format!(
                "AUROC of {name} in each group less that in the largest group of the same \
                 variable; the dotted line is no difference."
            ),
            axis: "Difference of AUROC".to_string(),
            what: "Group against the largest",
            each: "level",
            over: "group",
            reference: Some((0.0, "none")),
            scale: Scale::Difference,
            rows,
        };
        let picture = forest.draw(shown);
        let label = format!("Differences between subgroups of {name}");
        body.push_str("<h4>Against the largest group</h4>");
        body.push_str(&Forest::boxed(&picture, &label));
        pictures.push(picture);
    }
    Figure {
        id,
        heading: heading(record, shown, name, analysis),
        sub: format!(
            "The dotted line is the value over all {}; groups overlap with each other across \
             headings.",
            rows_are(record, &analysis.cohort)
        ),
        body,
        pictures,
        method: format!(
            "The same predictions, restricted to each group; nothing was fitted again. No \
             adjustment for the number of groups, and no p value. A group with too few of a class \
             says so and is not dropped; rows without a value are in no group and counted as \
             such.{}",
            ways(analysis)
        ),
        table: DataTable {
            head: COLUMNS.map(String::from).to_vec(),
            rows: analysis.subgroups.iter().flat_map(cells).collect(),
        },
    }
}

const AUROC: &str = "auroc";

/// What a line of a forest tells of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Value,
    Difference,
}

/// The lines of groups under the columns that make them; of differences those that there are.
fn lines(
    record: &StudyRecord,
    name: &str,
    analysis: &AnalysisRecord,
    line: Line,
) -> Vec<Row> {
    let series = Standing::of(record, analysis).series();
    let mut rows: Vec<Row> = Vec::new();
    let mut by = "";
    for (at, group) in analysis.subgroups.iter().enumerate() {
        let less = group.difference.as_ref().zip(group.against.as_ref());
        if line == Line::Difference && less.is_none() {
            continue;
        }
        if group.by != by {
            by = &group.by;
            rows.push(Row { label: by.to_string(), heading: true, ..Row::default() });
        }
        let place = format!("{}/subgroups/{at}", place(name));
        let counted =
            Counted { n: group.n, n_positive: group.n_positive, place: place.clone() };
        let row = Row { counted: Some(counted), series, ..Row::default() };
        rows.push(match (line, less) {
            (Line::Difference, Some((less, against))) => Row {
                label: format!("{}, against {against}", group.group),
                path: Some(format!("{place}/difference")),
                estimate: Some(less.estimate),
                lower: less.lower,
                upper: less.upper,
                note: less.note.clone(),
                ..row
            },
            _ => Row {
                label: group.group.clone(),
                path: Some(place),
                estimate: group.estimate,
                lower: group.lower,
                upper: group.upper,
                note: group.note.clone(),
                ..row
            },
        });
    }
    rows
}

/// How differences were made, each way once.
fn ways(analysis: &AnalysisRecord) -> String {
    let mut ways: Vec<&str> = Vec::new();
    for less in analysis.subgroups.iter().filter_map(|group| group.difference.as_ref()) {
        if !ways.contains(&less.note.as_str()) {
            ways.push(&less.note);
        }
    }
    match ways.is_empty() {
        true => String::new(),
        false => format!(" Of a difference: {}.{}", ways.join("; or "), held(analysis)),
    }
}

/// What the interval of a difference holds where the groups share nobody, and what it does not: they share
/// the models.
fn held(analysis: &AnalysisRecord) -> &'static str {
    let mut groups = analysis.subgroups.iter();
    let one_model = analysis.kind == "external" || analysis.folds.len() == 1;
    match (
        groups.any(|of| of.difference.as_ref().is_some_and(|less| less.apart)),
        one_model,
    ) {
        (false, _) => "",
        (true, true) => {
            " Such groups share nobody, yet one model predicts for both: the interval holds the chance of \
             who is in either group, given this model. It does not hold how the groups would differ by a \
             model of other training rows."
        }
        (true, false) => {
            " Such groups share nobody, yet the same models predict for both: fits of different splits \
             share training rows, and a patient who is judged by one fit trains others. The interval holds \
             the chance of who is in either group, given these models. It does not hold how the groups \
             would differ by models of other training rows, nor that what is missed in both may go together."
        }
    }
}

/// Calibration, sensitivity, specificity and error in each group of an analysis, and how groups differ.
fn further(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Option<Json> {
    let first = analysis.subgroups.iter().find(|group| !group.measures.is_empty())?;
    // As short as in the table of all places: a page has no room for more.
    let titles = first.measures.iter().map(|measure| match measure.metric.as_str() {
        "observed_expected" => "O:E",
        _ => measure.title.as_str(),
    });
    let titles: Vec<&str> = titles.collect();
    let decides = |metric: &str| ["sensitivity", "specificity"].contains(&metric);
    let rows = analysis.subgroups.iter().enumerate().map(|(at, group)| {
        let path = format!("{}/subgroups/{at}", place(name));
        let cells = group.measures.iter().enumerate().map(|(which, measure)| {
            match measure.estimate {
                Some(_) => {
                    spread_below(&shown.estimate(&format!("{path}/measures/{which}"), 2))
                }
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
    let differences = analysis.subgroups.iter().enumerate().filter_map(|(at, group)| {
        let against = group.against.as_ref()?;
        let cells = group.measures.iter().enumerate().map(|(which, measure)| {
            let path =
                format!("{}/subgroups/{at}/measures/{which}/difference", place(name));
            match &measure.difference {
                Some(_) => with_spread(
                    &shown.signed(&format!("{path}/estimate"), 2),
                    &format!("({})", shown.interval(&path, 2)),
                ),
                None => shown.number(&format!("{path}/estimate"), 2),
            }
        });
        Some(json!({
            "by": group.by, "group": group.group, "against": against,
            "cells": cells.collect::<Vec<_>>(),
        }))
    });
    Some(json!({
        "differences": by_variable(differences),
        "where": format!("{}, {}", whereabouts(record, analysis), analysis.cohort),
        "titles": titles,
        "decides": first.measures.iter().any(|measure| decides(&measure.metric)),
        "variables": by_variable(rows),
    }))
}

/// Rows of one variable that follow each other, under its name.
fn by_variable(rows: impl Iterator<Item = Json>) -> Vec<Json> {
    let rows: Vec<Json> = rows.collect();
    let variables = rows.chunk_by(|a, b| a["by"] == b["by"]);
    variables.map(|rows| json!({ "by": rows[0]["by"], "rows": rows })).collect()
}

/// The lowest and the highest group with an interval, and whether the interval of any difference
/// leaves out none.
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
    let whom = escape(&whereabouts(record, analysis));
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
        true => format!("AUROC {} ({whom})", one(lowest)),
        false => format!(
            "AUROC from {} to {}{} ({whom})",
            one(lowest),
            one(highest),
            apart(shown, name, analysis)
        ),
    }
}

/// The difference whose interval lies farthest from none, or that each holds it.
fn apart(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> String {
    let limits = |group: &SubgroupFacts| {
        let less = group.difference.as_ref()?;
        less.lower.zip(less.upper)
    };
    let groups = analysis.subgroups.iter().enumerate();
    let all: Vec<_> =
        groups.filter_map(|(at, group)| Some((at, group, limits(group)?))).collect();
    let beyond = |(lower, upper): (f64, f64)| lower.max(-upper);
    let farthest = all.iter().max_by(|a, b| beyond(a.2).total_cmp(&beyond(b.2)));
    match farthest {
        None => String::new(),
        Some((_, _, ends)) if beyond(*ends) <= 0.0 => {
            "; the interval of every difference includes 0".to_string()
        }
        Some((at, group, _)) => {
            let path = format!("{}/subgroups/{at}/difference", place(name));
            format!(
                "; {} ({}) where {} is {} against {}",
                shown.signed(&format!("{path}/estimate"), 2),
                shown.interval(&path, 2),
                escape(&group.by),
                escape(&group.group),
                escape(group.against.as_deref().unwrap_or("others"))
            )
        }
    }
}

const COLUMNS: [&str; 10] =
    ["group", "level", "n", "events", "metric", "against", "est", "lo", "hi", "note"];

/// What is measured in a group, line by line; behind each measure how it differs from the group that it
/// is compared with.
fn cells(group: &SubgroupFacts) -> Vec<Vec<String>> {
    let number = |value: Option<f64>| {
        value.map_or(String::new(), |value| plain(value, 4).replace('−', "-"))
    };
    let line = |metric: &str, against: &str, values: [Option<f64>; 3], note: &str| {
        let counts = [group.n.to_string(), group.n_positive.to_string()];
        let names = [group.by.clone(), group.group.clone()].into_iter().chain(counts);
        let names = names.chain([metric.to_string(), against.to_string()]);
        names.chain(values.map(number)).chain([note.to_string()]).collect()
    };
    let own = [group.estimate, group.lower, group.upper];
    let own = (AUROC, own, &group.note, &group.difference);
    let measures = group.measures.iter().map(|of| {
        let values = [of.estimate, of.lower, of.upper];
        (of.metric.as_str(), values, &of.note, &of.difference)
    });
    let against = group.against.as_deref().unwrap_or("");
    let mut lines = Vec::new();
    for (metric, values, note, difference) in std::iter::once(own).chain(measures) {
        lines.push(line(metric, "", values, note));
        if let Some(less) = difference {
            let values = [Some(less.estimate), less.lower, less.upper];
            lines.push(line(metric, against, values, &less.note));
        }
    }
    lines
}

/// Every group of every analysis, for a file.
fn every(record: &StudyRecord) -> DataTable {
    let head = ["analysis"].into_iter().chain(COLUMNS).map(String::from);
    let rows = all(record).flat_map(|(name, analysis)| {
        let lines = analysis.subgroups.iter().flat_map(cells);
        lines.map(|line| [vec![name.clone()], line].concat())
    });
    DataTable { rows: rows.collect(), head: head.collect() }
}
