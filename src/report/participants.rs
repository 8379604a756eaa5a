//! Participants: who entered, who left and why, and what they look like.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::figure::DataTable;
use super::flow;
use super::missingness;
use super::shown::{Shown, counted, fill, plain};
use super::table_one;
use crate::data::{BlockFacts, CohortFacts, ColumnFacts, ColumnLevel, FlowBox, Share};
use crate::operation::prelude::*;

/// Flow diagram of every cohort, joins, reasons, agreement of sources, Table 1, missing values and predictors.
///
/// The diagram is checked: the numbers of each box must add up, and each box must begin where the
/// one before it ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Participants {}

impl Operation for Participants {
    const ABOUT: About = About {
        name: "participants",
        title: "Data and participants",
        version: 1,
        sources: &["collins2024"],
        example: "participants",
    };
}

/// Rows of the predictor table; the rest are in its file.
const ROWS: usize = 40;

impl Section for Participants {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Participants),
            fills: &[
                Fill::tripod("5a", &[Evidence::Sources]),
                Fill::tripod("5b", &[]),
                Fill::tripod("6a", &[]),
                Fill::tripod("6b", &[Evidence::Flow]),
                Fill::tripod("6c", &[]),
                Fill::tripod("11", &[Evidence::Missingness, Evidence::Gaps]),
                Fill::tripod("20a", &[Evidence::Flow]),
                Fill::tripod("20b", &[Evidence::TableOne]),
                Fill::tripod("20c", &[Evidence::Shift]),
                Fill::clear("10", &[]),
                Fill::clear("11", &[Evidence::Flow]),
                Fill::clear("13", &[Evidence::Sources]),
                Fill::clear("14", &[Evidence::Flow]),
                Fill::clear("29", &[Evidence::Missingness, Evidence::Gaps]),
                Fill::clear("44", &[Evidence::TableOne]),
                Fill::clear("45", &[Evidence::Flow]),
                Fill::metrics("2", &[Evidence::Flow]),
                Fill::metrics("4", &[Evidence::Centres]),
            ],
            figures: &["F1", "T1", "F15"],
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
        let diagram = flow::figure(record, &shown).into_html(simulated, &mut fragment)?;
        let missing = missingness::figure(record, &shown);
        let missing =
            missing.map(|of| of.into_html(simulated, &mut fragment)).transpose()?;
        if missing.is_some() {
            let file = missingness::file(record, &shown).csv(simulated);
            fragment.tables.push(("missing_by_variable.csv".to_string(), file));
        }
        fragment
            .tables
            .push(("predictors.csv".to_string(), table(record).csv(simulated)));
        let first = table_one::table(record, &shown);
        if first.is_some() {
            let file = table_one::file(record).csv(simulated);
            fragment.tables.push(("table_one.csv".to_string(), file));
        }
        let blocks = blocks(record, &shown);
        let n: usize = record.predictors.iter().map(|block| block.columns.len()).sum();
        let failed = record.predictors.iter().enumerate().flat_map(|(at, block)| {
            let limit = shown.count(&format!("/predictors/{at}/failed_at_most"));
            block.failed.iter().map(move |failed| {
                let rows = if failed.n == 1 { "row" } else { "rows" };
                json!({
                    "block": block.name, "limit": limit,
                    "text": format!("{} {rows}: {}.", failed.n, failed.reason),
                })
            })
        });
        fragment.html = fill(
            "participants.html",
            json!({
                "simulated": simulated,
                "protects": record.suppression.as_ref().map(|_| {
                    shown.count("/suppression/smallest_cell")
                }),
                "flow": diagram,
                "wrongs": record.cohorts.iter().flat_map(flow::wrongs).collect::<Vec<_>>(),
                "patients": flow::are_patients(record),
                "failed_subjects": failed.collect::<Vec<_>>(),
                "first": first,
                "missingness": missing,
                "whole": missingness::whole(record, &shown),
                "removals": removals(record, &shown),
                "joins": joins(record, &shown),
                "agreements": agreements(record, &shown),
                "left_out": left_out(record, &shown),
                "shown": match n > ROWS {
                    true => format!(", {ROWS} of {}; all are in tables/predictors.csv", counted(n)),
                    false => String::new(),
                },
                "stacked": is_stacked(&blocks),
                "units": blocks.iter().any(has_unit),
                "blocks": blocks,
            }),
        )?;
        Ok(fragment)
    }
}

/// The boxes of all flows, each with its cohort and its place in the record. What several cohorts inherit
/// is there once: up to their own box the parts of a base cohort tell the same story.
fn boxes(record: &StudyRecord) -> Vec<(&CohortFacts, &FlowBox, String)> {
    let mut told: Vec<(&FlowBox, usize)> = Vec::new();
    let mut boxes = Vec::new();
    for (at, cohort) in record.cohorts.iter().enumerate() {
        for (position, of_box) in cohort.flow.iter().enumerate() {
            if !told.contains(&(of_box, position)) {
                told.push((of_box, position));
                boxes.push((cohort, of_box, format!("/cohorts/{at}/flow/{position}")));
            }
        }
    }
    boxes
}

/// Everyone who left, with reason.
fn removals(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let mut rows = Vec::new();
    for (cohort, of_box, place) in boxes(record) {
        for (which, removed) in of_box.removed.iter().enumerate() {
            if removed.n == 0 && removed.reason == "outcome unknown" {
                continue;
            }
            rows.push(json!({
                "cohort": cohort.name, "step": of_box.label, "reason": removed.reason,
                "n": shown.count(&format!("{place}/removed/{which}/n")),
            }));
        }
    }
    rows
}

/// What matched and what did not, on each side of each join.
fn joins(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let mut rows = Vec::new();
    for (cohort, of_box, place) in boxes(record) {
        for (which, join) in of_box.joins.iter().enumerate() {
            let count =
                |what: &str| shown.count(&format!("{place}/joins/{which}/{what}"));
            rows.push(json!({
                "cohort": cohort.name, "source": join.source, "required": join.required,
                "matched": count("matched"), "without": count("without"),
                "unused": count("unused"),
            }));
        }
    }
    rows
}

fn agreements(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let row = |(at, facts): (usize, &crate::data::AgreementFacts)| {
        let count = |what: &str| shown.count(&format!("/agreements/{at}/{what}"));
        json!({
            "name": facts.name, "first": coded(&facts.facts[0]),
            "second": coded(&facts.facts[1]),
            "both": count("both"), "agree": count("agree"),
            "only_first": count("only/0"), "only_second": count("only/1"),
        })
    };
    record.agreements.iter().enumerate().map(row).collect()
}

/// Rows of sources that were read and do not count.
fn left_out(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let rows = record.sources.iter().enumerate().flat_map(|(at, source)| {
        source.left_out.iter().enumerate().map(move |(which, left)| {
            json!({
                "source": source.name, "reason": left.reason,
                "n": shown.count(&format!("/sources/{at}/left_out/{which}/n")),
            })
        })
    });
    rows.collect()
}

fn blocks(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let mut left = ROWS;
    let mut blocks = Vec::new();
    for (at, block) in record.predictors.iter().enumerate() {
        let rows =
            block.columns.iter().enumerate().take(left).map(|(position, column)| {
                let path = format!("/predictors/{at}/columns/{position}");
                // As many digits as the spread of the values deserves.
                let digits = match column.all.map_or(1.0, |all| all.sd) {
                    // Of a constant column nothing is known of the digits.
                    sd if sd > 0.0 && sd < 0.1 => table_one::small(sd),
                    sd if sd < 10.0 => 2,
                    sd if sd < 100.0 => 1,
                    _ => 0,
                };
                let moments = |of: &str| {
                    let mean = shown.number(&format!("{path}/{of}/mean"), digits);
                    let sd = shown.number(&format!("{path}/{of}/sd"), digits);
                    table_one::with_spread(&mean, &format!("({sd})"))
                };
                let levels = column.levels.iter().enumerate().take(table_one::LEVELS);
                let levels = levels.map(|(which, level)| {
                    let share = |of: &str| {
                        table_one::share(shown, &format!("{path}/levels/{which}/{of}"))
                    };
                    json!({
                        "name": level.name, "all": share("all"),
                        "positive": share("positive"), "negative": share("negative"),
                    })
                });
                let moments = |of: &str| match column.levels.is_empty() {
                    true => moments(of),
                    false => String::new(),
                };
                json!({
                    "name": column.name,
                    "unit": unit(column),
                    "missing": shown.count(&format!("{path}/missing")),
                    "all": moments("all"),
                    "positive": moments("positive"),
                    "negative": moments("negative"),
                    "smd": shown.number(&format!("{path}/smd"), 2),
                    "levels": levels.collect::<Vec<_>>(),
                    "more": column.levels.len() > table_one::LEVELS,
                })
            });
        let rows: Vec<Json> = rows.collect();
        left -= rows.len();
        if !rows.is_empty() {
            // By the first outcome that the cohort is asked about.
            let asked = record.outcomes.iter().find(|of| of.cohort == block.cohort);
            blocks.push(json!({
                "name": block.name, "kind": block.kind, "source": block.source, "rows": rows,
                "cohort": block.cohort, "outcome": asked.map(|of| &of.label),
            }));
        }
    }
    blocks
}

/// Whether any of a block's columns has a unit.
fn has_unit(block: &Json) -> bool {
    let mut rows = block["rows"].as_array().into_iter().flatten();
    rows.any(|row| row["unit"].as_str().is_some_and(|unit| !unit.is_empty()))
}

/// Whether standard deviations stand below their means.
fn is_stacked(blocks: &[Json]) -> bool {
    let rows = blocks.iter().filter_map(|block| block["rows"].as_array()).flatten();
    let cells = rows.flat_map(|row| ["all", "positive", "negative"].map(|of| &row[of]));
    table_one::is_stacked(cells.filter_map(Json::as_str), table_one::OF_SEVEN)
}

/// The unit of a predictor, be it of what measured it or as the author says.
fn unit(column: &ColumnFacts) -> &str {
    column.declared_unit.as_deref().unwrap_or(column.unit.symbol())
}

/// Every predictor for a file, with a line for each category.
fn table(record: &StudyRecord) -> DataTable {
    let head = [
        "block",
        "predictor",
        "unit",
        "missing",
        "n",
        "mean",
        "sd",
        "n_positive",
        "mean_positive",
        "sd_positive",
        "n_negative",
        "mean_negative",
        "sd_negative",
        "smd",
        "category",
        "percent",
        "percent_positive",
        "percent_negative",
    ];
    let shown = Shown::new(record);
    let row = |(at, block): (usize, &BlockFacts),
               (position, column): (usize, &ColumnFacts)|
     -> Vec<Vec<String>> {
        let hidden = |what: &str| {
            shown.is_hidden(&format!("/predictors/{at}/columns/{position}/{what}"))
        };
        let mut cells = vec![
            block.name.clone(),
            column.name.clone(),
            unit(column).to_string(),
            column.missing.to_string(),
        ];
        let smd = match column.smd {
            Some(smd) => plain(smd, 4).replace('−', "-"),
            None if hidden("smd") => "hidden".to_string(),
            None => String::new(),
        };
        if !column.levels.is_empty() {
            let line = |(which, level): (usize, &ColumnLevel)| {
                let percent = |of: &str, share: Share| match share.percent {
                    Some(percent) => plain(percent, 2),
                    None if hidden(&format!("levels/{which}/{of}/percent")) => {
                        "hidden".to_string()
                    }
                    None => String::new(),
                };
                let shares = [level.all, level.positive, level.negative];
                let counts = shares.iter().flat_map(|share| {
                    [share.n.to_string(), String::new(), String::new()]
                });
                let mut line: Vec<String> = cells.iter().cloned().chain(counts).collect();
                line.extend([smd.clone(), level.name.clone()]);
                line.extend([
                    percent("all", level.all),
                    percent("positive", level.positive),
                    percent("negative", level.negative),
                ]);
                line
            };
            return column.levels.iter().enumerate().map(line).collect();
        }
        let groups = [
            ("all", column.all),
            ("positive", column.positive),
            ("negative", column.negative),
        ];
        for (of, moments) in groups {
            match moments {
                None if hidden(of) => cells.extend(["hidden"; 3].map(String::from)),
                Some(m) => {
                    cells.extend([m.n.to_string(), m.mean.to_string(), m.sd.to_string()])
                }
                None => cells.extend([String::new(), String::new(), String::new()]),
            }
        }
        cells.push(smd);
        cells.extend([const { String::new() }; 4]);
        vec![cells]
    };
    let mut rows = Vec::new();
    for block in record.predictors.iter().enumerate() {
        let columns = block.1.columns.iter().enumerate();
        rows.extend(columns.flat_map(|column| row(block, column)));
    }
    DataTable { head: head.map(String::from).to_vec(), rows }
}
