//! The page: sections in order, everything that they need in one file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::finding::finding;
use super::fonts;
use super::shown::{escape, fill};
use crate::data::{RunRecord, StudyRecord};
use crate::operation::{Entry, Fragment, Instance};

/// A report and what lies beside it, but for what differs from run to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// What the template of the page is filled with, as JSON.
    filling: String,
    /// The record as JSON: a pure function of study, canonical data and engine version.
    pub json: String,
    /// File name and content.
    pub figures: Vec<(String, String)>,
    pub tables: Vec<(String, String)>,
}

/// Renders a record.
pub fn render(record: &StudyRecord, sections: &[&Entry]) -> Page {
    let mut figures = Vec::new();
    let mut tables = Vec::new();
    let sections: Vec<_> = sections
        .iter()
        .map(|entry| {
            let mut fragment = section(entry, record);
            figures.append(&mut fragment.figures);
            tables.append(&mut fragment.tables);
            json!({
                "name": entry.about.name, "title": entry.about.title, "html": fragment.html,
            })
        })
        .collect();
    let missing = record.missing();
    let filling = json!({
            "title": record.study.title,
            "cancer": record.study.cancer,
            "simulated": record.study.simulated,
            "engine": record.engine,
            "study_digest": short(&record.study.digest),
            "seed": record.study.seed,
            "n_nodes": record.graph.n_nodes,
            "finding": finding(record),
            "status": if missing.is_empty() { "Complete as run" } else { "Draft: not ready" },
            "status_detail": match missing.len() {
                0 if !record.not_computed.is_empty() => {
                    "not all that was declared is computed".to_string()
                }
                0 => format!("{} analyses, none failed", record.analysis_order.len()),
                1 => "1 result is missing".to_string(),
                n => format!("{n} results are missing"),
            },
            "sections": sections,
    });
    let json = serde_json::to_string_pretty(record).expect("a record is plain data");
    Page { filling: filling.to_string(), json: format!("{json}\n"), figures, tables }
}

impl Page {
    /// The page. What differs from run to run is only in places marked `data-run`.
    pub fn html(&self, run: Option<&RunRecord>) -> String {
        let mut filling: Json =
            serde_json::from_str(&self.filling).expect("it was written as JSON");
        filling["run"] = json!(run.map(|run| {
            json!({
                "when": when(run.started), "computed": run.computed, "stored": run.stored,
                "failed": run.failed, "healed": run.healed, "nodes": run.nodes,
                "platform": run.platform, "threads": run.threads,
                "seconds": format!("{:.2}", run.seconds),
            })
        }));
        filling["fonts"] = json!(fonts::style());
        filling["style"] = json!(include_str!("../../templates/style.css"));
        filling["script"] = json!(include_str!("../../templates/page.js"));
        let html = fill("page.html", filling);
        // The template is part of the program, so it can only fail by a mistake of ours.
        html.unwrap_or_else(|error| panic!("the page's template is broken: {error}"))
    }
}

/// A section; one that fails becomes a box that says so, never a failed report.
fn section(entry: &Entry, record: &StudyRecord) -> Fragment {
    let render = || match (entry.build)((entry.defaults)()) {
        Ok(Instance::Section(section)) => {
            section.render(record).map_err(|failure| failure.to_string())
        }
        _ => Err("it is no section".to_string()),
    };
    let rendered = catch_unwind(AssertUnwindSafe(render))
        .unwrap_or_else(|_| Err("the program made a mistake here".to_string()));
    rendered.unwrap_or_else(|why| Fragment {
        html: format!(
            "<div class=\"wrongbox\" role=\"note\"><b>This section could not be made.</b> {}</div>",
            escape(&why)
        ),
        ..Fragment::default()
    })
}

fn short(digest: &str) -> String {
    digest.chars().take("blake3:".len() + 12).collect()
}

/// Seconds since 1970 as a date in UTC, by Hinnant's algorithm for the proleptic calendar.
fn when(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524
        - day_of_era / 146_096)
        / 365;
    let day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::when;

    #[test]
    fn dates_are_right() {
        assert_eq!(when(0), "1970-01-01 00:00 UTC");
        assert_eq!(when(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(when(1_795_515_599), "2026-11-24 10:19 UTC");
    }
}
