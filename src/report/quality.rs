//! Quality: METRICS, and the radiomics quality score with the reason for every point.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::checklists::{lists, place};
use super::figure::DataTable;
use super::marks::{mark, marked};
use super::shown::{Shown, fill};
use crate::data::{QualityFacts, QualityPart, QualityRow, Status};
use crate::operation::prelude::*;

/// How well the study was done, by METRICS and by the radiomics quality score (RQS 1.0 of 2017): a proposal by the
/// program, no independent rating.
///
/// # Computation
///
/// METRICS: 100 · Σ(weights of what was done) / Σ(weights that apply). RQS: a sum of points over 16 questions, from −8 to
/// 36; as a share of 36, with 0 for a negative sum.
///
/// # Limits
///
/// Institutes are counted by the column of sites, else one for each source. A signature that was published before cannot
/// enter this program, so nothing is given for it. Repeated segmentation, phantoms, repeated scans, biology, cost and
/// public data rest on what the author says.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {}

impl Operation for Quality {
    const ABOUT: About = About {
        name: "quality",
        title: "Quality: METRICS and RQS",
        version: 1,
        sources: &["kocak2024", "lambin2017"],
        example: "quality",
    };
}

impl Section for Quality {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Checklists),
            fills: &[Fill::metrics("1", &[])],
            figures: &[],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let mut fragment = lists(record, |list| list.score.is_some())?;
        let score = record.quality.as_ref();
        if let Some(score) = score {
            let file = file(score).csv(record.study.simulated);
            fragment.checklists.push(("rqs.csv".to_string(), file));
        }
        fragment.html = fill(
            "quality.html",
            json!({
                "lists": fragment.html,
                "score": score.map(|score| described(&shown, score)),
            }),
        )?;
        Ok(fragment)
    }
}

/// What a status says of a question that gives points.
const WORDS: [(Status, &str); 4] = [
    (Status::Met, "All points"),
    (Status::Partial, "Some points"),
    (Status::Declared, "Declared not done"),
    (Status::Missing, "No points"),
];

fn word(status: Status) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == status).map_or("", |(_, word)| word)
}

fn described(shown: &Shown, score: &QualityFacts) -> Json {
    let count =
        |status: Status| score.rows.iter().filter(|row| row.status == status).count();
    let present = WORDS.iter().filter(|(status, _)| count(*status) > 0);
    let part = |(status, _): &(Status, &str)| {
        let class = status.class();
        format!("<span class=\"b-{class}\" style=\"flex:{}\"></span>", count(*status))
    };
    let words = |(status, word): &(Status, &str)| {
        format!("{} {}", count(*status), word.to_lowercase())
    };
    json!({
        "name": score.name, "title": score.title, "note": score.note,
        "points": shown.count("/quality/points"),
        "lowest": shown.count("/quality/lowest"),
        "highest": shown.count("/quality/highest"),
        "percent": shown.number("/quality/percent", 0),
        "none": 0,
        "bar": present.clone().map(part).collect::<String>(),
        "words": present.clone().map(words).collect::<Vec<_>>().join(", "),
        "legend": present
            .map(|(status, word)| marked(*status, word))
            .collect::<String>(),
        "rows": score
            .rows
            .iter()
            .enumerate()
            .map(|(at, row)| question(shown, at, row))
            .collect::<Vec<_>>(),
    })
}

fn question(shown: &Shown, at: usize, row: &QualityRow) -> Json {
    let at = format!("/quality/rows/{at}");
    let part = |(position, part): (usize, &QualityPart)| {
        let status = if part.reached { Status::Met } else { Status::Missing };
        let word = if part.reached { "Reached" } else { "Not reached" };
        json!({
            "reached": format!(
                "<span class=\"s-{}\">{}<span class=\"vh\">{word}</span></span>",
                status.class(),
                small(status),
            ),
            "requirement": part.requirement,
            "worth": shown.signed(&format!("{at}/parts/{position}/worth"), 0),
            "why": coded(&part.why),
        })
    };
    json!({
        "item": row.item, "topic": row.topic, "rule": row.rule.replace('-', "−"),
        "class": row.status.class(), "mark": mark(row.status), "word": word(row.status),
        "status": marked(row.status, word(row.status)),
        "points": shown.signed(&format!("{at}/points"), 0),
        "highest": shown.count(&format!("{at}/highest")),
        "parts": row.parts.iter().enumerate().map(part).collect::<Vec<_>>(),
        "places": places(row)
            .into_iter()
            .map(|section| json!({ "section": section, "title": place(section) }))
            .collect::<Vec<_>>(),
    })
}

/// A sign in a line of text.
fn small(status: Status) -> &'static str {
    match status {
        Status::Met => "✓",
        _ => "–",
    }
}

/// The sections where its parts stand, each once.
fn places(row: &QualityRow) -> Vec<&str> {
    let mut places: Vec<&str> = row.parts.iter().map(|of| of.section.as_str()).collect();
    places.retain(|section| !section.is_empty());
    places.dedup();
    places
}

fn file(score: &QualityFacts) -> DataTable {
    let head = [
        "item",
        "topic",
        "points",
        "lowest",
        "highest",
        "status",
        "where",
        "why",
        "author_fields",
    ];
    let row = |row: &QualityRow| {
        let places = places(row).into_iter().map(|at| format!("report.html#{at}"));
        let why = row.parts.iter().map(|part| {
            let reached = if part.reached { "reached" } else { "not reached" };
            format!("{} {reached}: {}", part.requirement, part.why)
        });
        let said = row.parts.iter().flat_map(|part| &part.author);
        let said: Vec<&str> = said.map(|said| said.field.as_str()).collect();
        vec![
            row.item.clone(),
            row.topic.clone(),
            row.points.to_string(),
            row.lowest.to_string(),
            row.highest.to_string(),
            word(row.status).to_string(),
            places.collect::<Vec<_>>().join("; "),
            why.collect::<Vec<_>>().join(" | "),
            said.join("; "),
        ]
    };
    let mut rows: Vec<Vec<String>> = score.rows.iter().map(row).collect();
    rows.push(vec![
        "sum".to_string(),
        score.title.clone(),
        score.points.to_string(),
        score.lowest.to_string(),
        score.highest.to_string(),
        String::new(),
        String::new(),
        score.note.clone(),
        String::new(),
    ]);
    DataTable { head: head.map(String::from).to_vec(), rows }
}
