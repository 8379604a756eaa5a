//! Participants: who entered, who left and why, and what they look like.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::figure::{DataTable, Figure};
use super::forest::shortened;
use super::shown::{Shown, fill, place, plain};
use super::standing::headline;
use super::svg::{Anchor, Svg};
use super::table_one;
use crate::data::{
    BlockFacts, CohortFacts, ColumnFacts, ColumnLevel, Count, FlowBox, Share,
};
use crate::operation::prelude::*;

/// Flow diagram of every cohort, joins, reasons, agreement of sources, outcomes and predictors.
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

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let flow = flow(record).into_html(simulated, &mut fragment)?;
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
                "flow": flow,
                "wrongs": record.cohorts.iter().flat_map(wrongs).collect::<Vec<_>>(),
                "failed_subjects": failed.collect::<Vec<_>>(),
                "first": first,
                "removals": removals(record, &shown),
                "joins": joins(record, &shown),
                "agreements": agreements(record, &shown),
                "left_out": left_out(record, &shown),
                "shown": match n > ROWS {
                    true => format!(", {ROWS} of {n}; all are in tables/predictors.csv"),
                    false => String::new(),
                },
                "stacked": is_stacked(&blocks),
                "blocks": blocks,
            }),
        )?;
        Ok(fragment)
    }
}

/// Everyone who left, with reason; what several cohorts inherit is told once.
fn removals(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let mut told: Vec<(&FlowBox, usize)> = Vec::new();
    let mut rows = Vec::new();
    for (at, cohort) in record.cohorts.iter().enumerate() {
        for (position, of_box) in cohort.flow.iter().enumerate() {
            // Up to their own box the parts of a base cohort tell the same story.
            if told.contains(&(of_box, position)) {
                continue;
            }
            told.push((of_box, position));
            for (which, removed) in of_box.removed.iter().enumerate() {
                if removed.n == 0 && removed.reason == "outcome unknown" {
                    continue;
                }
                let path = format!("/cohorts/{at}/flow/{position}/removed/{which}/n");
                rows.push(json!({
                    "cohort": cohort.name, "step": of_box.label,
                    "reason": removed.reason, "n": shown.count(&path),
                }));
            }
        }
    }
    rows
}

/// What matched and what did not, on each side of each join.
fn joins(record: &StudyRecord, shown: &Shown) -> Vec<Json> {
    let mut told: Vec<(&FlowBox, usize)> = Vec::new();
    let mut rows = Vec::new();
    for (at, cohort) in record.cohorts.iter().enumerate() {
        for (position, of_box) in cohort.flow.iter().enumerate() {
            if told.contains(&(of_box, position)) {
                continue;
            }
            told.push((of_box, position));
            for (which, join) in of_box.joins.iter().enumerate() {
                let path = format!("/cohorts/{at}/flow/{position}/joins/{which}");
                let count = |what: &str| shown.count(&format!("{path}/{what}"));
                rows.push(json!({
                    "cohort": cohort.name, "source": join.source, "required": join.required,
                    "matched": count("matched"), "without": count("without"),
                    "unused": count("unused"),
                }));
            }
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

/// Whether what enters a box is what leaves and what stays; where a number is hidden nobody can say.
fn adds_up(of_box: &FlowBox) -> bool {
    let removed: Option<usize> = of_box.removed.iter().map(|r| r.n.known()).sum();
    match (of_box.n_in.known(), of_box.n_out.known(), removed) {
        (Some(n_in), Some(n_out), Some(removed)) => n_in == n_out + removed,
        _ => true,
    }
}

/// Where the numbers of a cohort do not add up.
fn wrongs(cohort: &CohortFacts) -> Vec<String> {
    let mut wrongs = Vec::new();
    for of_box in &cohort.flow {
        if !adds_up(of_box) {
            let removed: usize = of_box.removed.iter().filter_map(|r| r.n.known()).sum();
            wrongs.push(format!(
                "{}, {}: {} less {removed} is not {}.",
                cohort.name, of_box.label, of_box.n_in, of_box.n_out
            ));
        }
    }
    // Boxes after the cohort's own each begin from the cohort, one per outcome.
    for pair in cohort.flow.windows(2) {
        let begins = pair[1].n_in;
        let hidden = [begins, pair[0].n_out, cohort.n_rows].contains(&Count::HIDDEN);
        if !hidden && begins != pair[0].n_out && begins != cohort.n_rows {
            wrongs.push(format!(
                "{}, {}: begins with {begins} after {}.",
                cohort.name, pair[1].label, pair[0].n_out
            ));
        }
    }
    wrongs
}

/// Width of a cohort's column, height of a box without its label and of a line of that, of an arrow, and of
/// a line of reasons. Units: pixels.
const COLUMN: f64 = 430.0;
const BOX: f64 = 31.0;
const LABEL: f64 = 13.0;
const ARROW: f64 = 34.0;
const LINE: f64 = 15.0;

/// What stands in a box below its number; in that of analyses also how they divide by outcome.
fn label(record: &StudyRecord, of_box: &FlowBox) -> Vec<String> {
    let lines = broken(&of_box.label, 32);
    let mut lines: Vec<String> =
        lines.iter().map(|line| shortened(line.trim_start(), 33)).collect();
    if let Some((positive, negative)) = divided_by_outcome(record, of_box) {
        lines.push(format!("{positive} positive, {negative} negative"));
    }
    lines
}

/// Positives and negatives of the analyses of a box, whose names its label begins with.
fn divided_by_outcome(record: &StudyRecord, of_box: &FlowBox) -> Option<(Count, Count)> {
    let names = of_box.label.strip_prefix(ANALYSED)?;
    let named = |name: &&String| {
        let rest = names.strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
    };
    let analysis = record.analyses.get(record.analysis_order.iter().find(named)?)?;
    // Two outcomes may be known of as many rows, and share a box.
    let mut others = record
        .analyses
        .values()
        .filter(|other| (&other.cohort, other.n) == (&analysis.cohort, of_box.n_out));
    if !others.all(|other| other.n_positive == analysis.n_positive) {
        return None;
    }
    let negative = match (of_box.n_out.known(), analysis.n_positive.known()) {
        (Some(all), Some(positive)) => all.checked_sub(positive)?.into(),
        _ => Count::HIDDEN,
    };
    Some((analysis.n_positive, negative))
}

/// Height of a box: room for all of its label.
fn tall(record: &StudyRecord, of_box: &FlowBox) -> f64 {
    BOX + LABEL * label(record, of_box).len() as f64
}

/// The reasons beside the arrow into a box, broken into lines of the width that there is.
fn reasons(of_box: &FlowBox) -> Vec<String> {
    let left = of_box.removed.iter().filter(|removed| removed.n != 0);
    left.flat_map(|removed| {
        let text = match removed.n.known() {
            Some(n) => format!("−{n} {}", removed.reason),
            None => format!("{} (hidden)", removed.reason),
        };
        broken(&text, 34)
    })
    .collect()
}

/// A text in lines of at most so many characters, broken at spaces; the later ones are indented.
fn broken(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let empty = line.trim().is_empty();
        if empty || line.chars().count() + 1 + word.chars().count() <= most {
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(format!("\u{2003}{word}"));
        }
    }
    lines.into_iter().map(|line| shortened(&line, most + 6)).collect()
}

/// Height of the arrow into a box: room for its reasons.
fn arrow(of_box: &FlowBox) -> f64 {
    let lines = reasons(of_box).len() as f64;
    ARROW.max(20.0 + LINE * lines)
}

fn height(record: &StudyRecord, cohort: &CohortFacts) -> f64 {
    let arrows: f64 = cohort.flow.iter().skip(1).map(arrow).sum();
    let boxes: f64 = cohort.flow.iter().map(|of_box| tall(record, of_box)).sum();
    30.0 + boxes + arrows + 16.0
}

fn flow(record: &StudyRecord) -> Figure<'static> {
    // A base cohort is the head of each of its parts.
    let divided = |cohort: &CohortFacts| {
        cohort.base
            && record
                .cohorts
                .iter()
                .any(|part| !part.base && part.flow.starts_with(&cohort.flow))
    };
    let cohorts: Vec<&CohortFacts> = record
        .cohorts
        .iter()
        .filter(|cohort| !cohort.flow.is_empty() && !divided(cohort))
        .collect();
    let across = cohorts.len().clamp(1, 2);
    let lines = cohorts.chunks(across);
    let tallest = |line: &[&CohortFacts]| {
        line.iter().map(|cohort| height(record, cohort)).fold(0.0, f64::max)
    };
    let all: f64 = lines.clone().map(tallest).sum();
    let mut svg = Svg::new(COLUMN * across as f64, all.max(40.0));
    let mut rows = Vec::new();
    let mut top = 0.0;
    for line in lines {
        for (position, cohort) in line.iter().enumerate() {
            draw(record, &mut svg, cohort, (COLUMN * position as f64, top), &mut rows);
        }
        top += tallest(line);
    }
    let described: Vec<String> = cohorts.iter().map(|cohort| described(cohort)).collect();
    let picture = svg.finish("Participant flow", &described.join(" "));
    let shown = Shown::new(record);
    let of_headline = headline(record).and_then(|(name, analysis)| {
        let at = record.cohorts.iter().position(|c| c.name == analysis.cohort)?;
        Some((name, at))
    });
    let heading = match of_headline {
        Some((name, at)) => format!(
            "Of {} rows, {} are analysed for the headline, {} of them positive",
            shown.count(&format!("/cohorts/{at}/flow/0/n_in")),
            shown.count(&format!("{}/n", place(name))),
            shown.count(&format!("{}/n_positive", place(name)))
        ),
        None => "No row is analysed".to_string(),
    };
    Figure {
        id: "flow",
        heading,
        sub: "Rows from the first source to each analysis; what leaves, leaves with its reason."
            .to_string(),
        body: format!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Participant flow\">{picture}</div>"),
        pictures: vec![picture],
        method: "Counts are those of the survey of ids and outcomes, taken before any split."
            .to_string(),
        table: DataTable {
            head: ["cohort", "box", "in", "removed", "reason", "out", "positive"]
                .map(String::from)
                .to_vec(),
            rows,
        },
    }
}

fn described(cohort: &CohortFacts) -> String {
    let first = cohort.flow.first().map_or(0.into(), |b| b.n_in);
    let last = cohort.flow.last().map_or(0.into(), |b| b.n_out);
    format!("Cohort {} from {first} rows to {last} analysed.", cohort.name)
}

fn draw(
    record: &StudyRecord,
    svg: &mut Svg,
    cohort: &CohortFacts,
    at: (f64, f64),
    rows: &mut Vec<Vec<String>>,
) {
    let middle = at.0 + 128.0;
    let mut y = at.1 + 30.0;
    // Each analysis begins from the cohort, so that the second does not follow from the first.
    let own = cohort.flow.iter().rposition(|of_box| !is_analysis(of_box));
    let mut fork = y;
    svg.text("k1", (middle, at.1 + 16.0), Anchor::Middle, &shortened(&cohort.name, 34));
    for (position, of_box) in cohort.flow.iter().enumerate() {
        let removed = of_box.removed.iter().any(|removed| removed.n != 0);
        if position > 0 {
            let from = y;
            y += arrow(of_box);
            let forks = own.is_some_and(|own| position > own + 1);
            match forks {
                true => {
                    let (left, into) = (middle - 118.0, y + tall(record, of_box) / 2.0);
                    let edge = middle - 100.0;
                    svg.path(
                        "flow",
                        &[(edge, fork), (left, fork), (left, into), (edge - 5.0, into)],
                    );
                    svg.head((edge, into), (1.0, 0.0));
                }
                false => svg.arrow((middle, from), (middle, y)),
            }
            if removed {
                let lines = reasons(of_box);
                let side = (from + y) / 2.0 - LINE * (lines.len() as f64 - 1.0) / 2.0;
                if !forks {
                    svg.line("flow", (middle, side), (middle + 26.0, side));
                }
                for (line, text) in lines.iter().enumerate() {
                    let down = side + 4.0 + LINE * line as f64;
                    svg.text("small", (middle + 32.0, down), Anchor::Start, text);
                }
            }
        }
        if Some(position) == own {
            fork = y + tall(record, of_box) / 2.0;
        }
        let last =
            own.is_some_and(|own| position > own) || position + 1 == cohort.flow.len();
        let class = match (adds_up(of_box), last) {
            (false, _) => "wrong",
            (true, true) => "final",
            (true, false) => "box",
        };
        svg.rect(class, (middle - 100.0, y), (200.0, tall(record, of_box)));
        svg.text("strong", (middle, y + 19.0), Anchor::Middle, &of_box.n_out.to_string());
        for (line, text) in label(record, of_box).iter().enumerate() {
            let down = y + 35.0 + LABEL * line as f64;
            svg.text("small", (middle, down), Anchor::Middle, text);
        }
        rows.extend(listed(record, cohort, of_box));
        y += tall(record, of_box);
    }
}

/// Whether a box is that of analyses rather than of the cohort.
fn is_analysis(of_box: &FlowBox) -> bool {
    of_box.label.starts_with(ANALYSED)
}

/// What the label of such a box begins with.
const ANALYSED: &str = "analysed: ";

fn listed(
    record: &StudyRecord,
    cohort: &CohortFacts,
    of_box: &FlowBox,
) -> Vec<Vec<String>> {
    let positive = divided_by_outcome(record, of_box);
    let positive = positive.map_or(String::new(), |(positive, _)| positive.to_string());
    let row = |n: Count, reason: &str| {
        vec![
            cohort.name.clone(),
            of_box.label.clone(),
            of_box.n_in.to_string(),
            n.to_string(),
            reason.to_string(),
            of_box.n_out.to_string(),
            positive.clone(),
        ]
    };
    match of_box.removed.as_slice() {
        [] => vec![row(0.into(), "")],
        removed => {
            removed.iter().map(|removed| row(removed.n, &removed.reason)).collect()
        }
    }
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
            blocks.push(json!({
                "name": block.name, "kind": block.kind, "source": block.source, "rows": rows,
            }));
        }
    }
    blocks
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Removed;

    #[test]
    fn a_flow_that_does_not_add_up_is_told() {
        let of_box = |n_in: usize, removed: usize, n_out: usize| FlowBox {
            label: "box".to_string(),
            n_in: Count::from(n_in),
            removed: vec![Removed { reason: "reason".to_string(), n: removed.into() }],
            joins: Vec::new(),
            n_out: n_out.into(),
        };
        let cohort = |flow: Vec<FlowBox>| CohortFacts {
            base: false,
            sealed: false,
            relation: None,
            name: "c".to_string(),
            n_rows: 8.into(),
            n_subjects: 8.into(),
            n_sites: None,
            flow,
        };
        assert!(wrongs(&cohort(vec![of_box(10, 2, 8), of_box(8, 1, 7)])).is_empty());
        assert_eq!(wrongs(&cohort(vec![of_box(10, 2, 7)])).len(), 1);
        assert_eq!(wrongs(&cohort(vec![of_box(10, 2, 8), of_box(9, 1, 8)])).len(), 1);
    }
}
