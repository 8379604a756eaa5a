//! Participants: who entered, who left and why, and what they look like.

use serde_json::{Value as Json, json};

use super::figure::{DataTable, Figure};
use super::shown::{Shown, fill, plain};
use super::svg::{Anchor, Svg};
use crate::data::{BlockFacts, CohortFacts, ColumnFacts, FlowBox};
use crate::operation::prelude::*;

/// Flow diagram of every cohort, outcomes, and predictors by outcome.
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
    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let flow = flow(record).into_html(simulated, &mut fragment)?;
        fragment
            .tables
            .push(("predictors.csv".to_string(), table(record).csv(simulated)));
        let outcomes = record.outcomes.iter().enumerate().map(|(at, outcome)| {
            let count = |what: &str| shown.count(&format!("/outcomes/{at}/{what}"));
            json!({
                "label": outcome.label, "derivation": outcome.derivation,
                "cohort": outcome.cohort, "positive": count("positive"),
                "negative": count("negative"), "unknown": count("unknown"),
            })
        });
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
                "flow": flow,
                "wrongs": record.cohorts.iter().flat_map(wrongs).collect::<Vec<_>>(),
                "failed_subjects": failed.collect::<Vec<_>>(),
                "outcomes": outcomes.collect::<Vec<_>>(),
                "shown": match n > ROWS {
                    true => format!(", {ROWS} of {n}; all are in tables/predictors.csv"),
                    false => String::new(),
                },
                "blocks": blocks(record, &shown),
            }),
        )?;
        Ok(fragment)
    }
}

/// Where the numbers of a cohort do not add up.
fn wrongs(cohort: &CohortFacts) -> Vec<String> {
    let mut wrongs = Vec::new();
    for of_box in &cohort.flow {
        let removed: usize = of_box.removed.iter().map(|removed| removed.n).sum();
        if of_box.n_in != of_box.n_out + removed {
            wrongs.push(format!(
                "{}, {}: {} less {removed} is not {}.",
                cohort.name, of_box.label, of_box.n_in, of_box.n_out
            ));
        }
    }
    // Boxes after the cohort's own each begin from the cohort, one per outcome.
    for pair in cohort.flow.windows(2) {
        let begins = pair[1].n_in;
        if begins != pair[0].n_out && begins != cohort.n_rows {
            wrongs.push(format!(
                "{}, {}: begins with {begins} after {}.",
                cohort.name, pair[1].label, pair[0].n_out
            ));
        }
    }
    wrongs
}

/// Height of a box with its arrow, and of the picture's head. Units: pixels.
const STEP: f64 = 92.0;
const COLUMN: f64 = 380.0;

fn flow(record: &StudyRecord) -> Figure<'static> {
    let cohorts: Vec<&CohortFacts> =
        record.cohorts.iter().filter(|cohort| !cohort.flow.is_empty()).collect();
    let tallest = cohorts.iter().map(|cohort| cohort.flow.len()).max().unwrap_or(1);
    let across = cohorts.len().clamp(1, 2);
    let down = cohorts.len().div_ceil(across).max(1);
    let height = 46.0 + (tallest - 1) as f64 * STEP + 44.0;
    let mut svg = Svg::new(COLUMN * across as f64, height * down as f64);
    let mut rows = Vec::new();
    for (position, cohort) in cohorts.iter().enumerate() {
        let left = COLUMN * (position % across) as f64;
        let top = height * (position / across) as f64;
        draw(&mut svg, cohort, (left, top), &mut rows);
    }
    let described: Vec<String> = cohorts.iter().map(|cohort| described(cohort)).collect();
    let picture = svg.finish("Participant flow", &described.join(" "));
    let shown = Shown::new(record);
    let heading = match record.cohorts.first() {
        Some(cohort) => {
            let first = shown.count("/cohorts/0/flow/0/n_in");
            let last = cohort.flow.len().saturating_sub(1);
            format!(
                "Of {first} rows, {} are analysed in the first cohort",
                shown.count(&format!("/cohorts/0/flow/{last}/n_out"))
            )
        }
        None => "No cohort".to_string(),
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
            head: ["cohort", "box", "in", "removed", "reason", "out"].map(String::from).to_vec(),
            rows,
        },
    }
}

fn described(cohort: &CohortFacts) -> String {
    let first = cohort.flow.first().map_or(0, |b| b.n_in);
    let last = cohort.flow.last().map_or(0, |b| b.n_out);
    format!("Cohort {} from {first} rows to {last} analysed.", cohort.name)
}

fn draw(
    svg: &mut Svg,
    cohort: &CohortFacts,
    at: (f64, f64),
    rows: &mut Vec<Vec<String>>,
) {
    let middle = at.0 + 110.0;
    let mut y = at.1 + 30.0;
    svg.text("k1", (middle, at.1 + 16.0), Anchor::Middle, &cohort.name);
    for (position, of_box) in cohort.flow.iter().enumerate() {
        let removed: usize = of_box.removed.iter().map(|removed| removed.n).sum();
        if position > 0 {
            svg.arrow((middle, y - STEP + 44.0), (middle, y));
            if removed > 0 {
                let side = y - STEP + 68.0;
                svg.line("flow", (middle, side), (middle + 26.0, side));
                let reasons = of_box.removed.iter().filter(|removed| removed.n > 0);
                for (line, removed) in reasons.enumerate() {
                    let text = format!("−{} {}", removed.n, removed.reason);
                    let down = side + 4.0 + 14.0 * line as f64;
                    svg.text(
                        "small",
                        (middle + 32.0, down),
                        Anchor::Start,
                        &shortened(&text, 34),
                    );
                }
            }
        }
        let adds_up = of_box.n_in == of_box.n_out + removed;
        let class = match (adds_up, position + 1 == cohort.flow.len()) {
            (false, _) => "wrong",
            (true, true) => "final",
            (true, false) => "box",
        };
        svg.rect(class, (middle - 100.0, y), (200.0, 44.0));
        svg.text("strong", (middle, y + 19.0), Anchor::Middle, &of_box.n_out.to_string());
        svg.text(
            "small",
            (middle, y + 35.0),
            Anchor::Middle,
            &shortened(&of_box.label, 32),
        );
        rows.extend(listed(cohort, of_box));
        y += STEP;
    }
}

fn listed(cohort: &CohortFacts, of_box: &FlowBox) -> Vec<Vec<String>> {
    let row = |n: usize, reason: &str| {
        vec![
            cohort.name.clone(),
            of_box.label.clone(),
            of_box.n_in.to_string(),
            n.to_string(),
            reason.to_string(),
            of_box.n_out.to_string(),
        ]
    };
    match of_box.removed.as_slice() {
        [] => vec![row(0, "")],
        removed => {
            removed.iter().map(|removed| row(removed.n, &removed.reason)).collect()
        }
    }
}

fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => format!("{}…", text.chars().take(most - 1).collect::<String>()),
        false => text.to_string(),
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
                    sd if sd < 10.0 => 2,
                    sd if sd < 100.0 => 1,
                    _ => 0,
                };
                let moments = |of: &str| {
                    let mean = shown.number(&format!("{path}/{of}/mean"), digits);
                    format!(
                        "{mean} ({})",
                        shown.number(&format!("{path}/{of}/sd"), digits)
                    )
                };
                json!({
                    "name": column.name,
                    "unit": column.unit.symbol(),
                    "missing": shown.count(&format!("{path}/missing")),
                    "all": moments("all"),
                    "positive": moments("positive"),
                    "negative": moments("negative"),
                    "smd": shown.number(&format!("{path}/smd"), 2),
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
    ];
    let row = |block: &BlockFacts, column: &ColumnFacts| {
        let mut cells = vec![
            block.name.clone(),
            column.name.clone(),
            column.unit.symbol().to_string(),
            column.missing.to_string(),
        ];
        for moments in [column.all, column.positive, column.negative] {
            match moments {
                Some(m) => {
                    cells.extend([m.n.to_string(), m.mean.to_string(), m.sd.to_string()])
                }
                None => cells.extend([String::new(), String::new(), String::new()]),
            }
        }
        cells.push(
            column.smd.map_or(String::new(), |smd| plain(smd, 4).replace('−', "-")),
        );
        cells
    };
    let rows = record
        .predictors
        .iter()
        .flat_map(|block| block.columns.iter().map(move |column| row(block, column)));
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Removed;

    #[test]
    fn a_flow_that_does_not_add_up_is_told() {
        let of_box = |n_in, removed, n_out| FlowBox {
            label: "box".to_string(),
            n_in,
            removed: vec![Removed { reason: "reason".to_string(), n: removed }],
            joins: Vec::new(),
            n_out,
        };
        let cohort = |flow: Vec<FlowBox>| CohortFacts {
            base: false,
            sealed: false,
            relation: None,
            name: "c".to_string(),
            n_rows: 8,
            n_subjects: 8,
            flow,
        };
        assert!(wrongs(&cohort(vec![of_box(10, 2, 8), of_box(8, 1, 7)])).is_empty());
        assert_eq!(wrongs(&cohort(vec![of_box(10, 2, 7)])).len(), 1);
        assert_eq!(wrongs(&cohort(vec![of_box(10, 2, 8), of_box(9, 1, 8)])).len(), 1);
    }
}
