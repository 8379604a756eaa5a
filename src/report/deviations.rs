//! Deviations: what the executed study does otherwise than its locked protocol, and why.

use serde_json::json;

use super::figure::DataTable;
use super::marks::marked;
use super::shown::fill;
use crate::data::{DeviationFacts, DifferenceFacts, Known, Status};
use crate::operation::prelude::*;

/// The settings in which the executed study differs from the one that was locked, when each change came
/// and the author's reason; what else the author declares; and what was declared and not computed.
///
/// A protocol is locked by `restudy plan --lock`, and the lock file beside the study holds it. Settings
/// are compared as they are understood, so that order, layout and defaults that are written out make no
/// difference. What results were known is what that file and the store beside the study know.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deviations {}

impl Operation for Deviations {
    const ABOUT: About = About {
        name: "deviations",
        title: "Deviations and open ends",
        // 2: held against a locked protocol.
        version: 2,
        sources: &["collins2024"],
        example: "deviations",
    };
}

impl Section for Deviations {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::OpenScience),
            fills: &[Fill::tripod("18c", &[Evidence::Protocol])],
            figures: &["F17"],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let protocol = record.protocol.as_ref();
        let differences = protocol.map_or(&[][..], |of| of.differences.as_slice());
        let found = differences.iter().map(|of| {
            let reasons = reasons(record, &of.path);
            json!({
                "path": of.path,
                "locked": of.locked.as_deref().unwrap_or("not set"),
                "executed": of.executed.as_deref().unwrap_or("not set"),
                "when": when(of.when),
                "what": reasons.iter().map(|reason| &reason.what).collect::<Vec<_>>(),
                "why": reasons.iter().filter_map(|reason| reason.why.as_ref()).collect::<Vec<_>>(),
                "no_reason": marked(Status::Missing, "no reason given"),
            })
        });
        let declared = declared_alone(record).map(|deviation| {
            json!({
                "what": deviation.what,
                "path": deviation.path,
                "when": deviation.when.as_deref().unwrap_or("not stated"),
                "why": deviation.why.as_deref().unwrap_or("not stated"),
            })
        });
        let html = fill(
            "deviations.html",
            json!({
                "protocol": protocol.map(|of| json!({
                    "digest": of.digest, "engine": of.engine,
                    "late": of.locked == Known::AfterResults,
                })),
                "differences": found.collect::<Vec<_>>(),
                "rows": declared.collect::<Vec<_>>(),
                "missing": record.missing(),
            }),
        )?;
        let table = table(record).csv(record.study.simulated);
        Ok(Fragment {
            html,
            tables: vec![("deviations.csv".to_string(), table)],
            ..Fragment::default()
        })
    }
}

/// What the author says of a setting: its own path, or one that it lies under.
fn reasons<'r>(record: &'r StudyRecord, path: &str) -> Vec<&'r DeviationFacts> {
    let about = |deviation: &&DeviationFacts| {
        deviation.path.as_deref().is_some_and(|of| {
            path.strip_prefix(of)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    record.deviations.iter().filter(about).collect()
}

/// The differences from the locked protocol for which the author gives no reason.
pub fn without_reason(record: &StudyRecord) -> Vec<&DifferenceFacts> {
    let differences = record.protocol.iter().flat_map(|of| &of.differences);
    let silent = |of: &&DifferenceFacts| {
        let given = |deviation: &&DeviationFacts| {
            deviation.why.as_deref().is_some_and(|why| !why.trim().is_empty())
        };
        !reasons(record, &of.path).iter().any(given)
    };
    differences.filter(silent).collect()
}

/// Changes that came when results were known, in words: those that the author declares as such, and those
/// that the lock file knows of, with their places.
pub fn late(record: &StudyRecord) -> impl Iterator<Item = (Option<&str>, String)> {
    let declared = record.deviations.iter();
    let declared = declared.filter(|of| of.when.as_deref() == Some("after results"));
    let found = record.protocol.iter().flat_map(|of| &of.differences);
    let found = found.filter(|of| of.when == Known::AfterResults).map(|of| {
        let value =
            |value: &Option<String>| value.clone().unwrap_or("not set".to_string());
        let (locked, executed) = (value(&of.locked), value(&of.executed));
        let told = format!("`{}` was {locked}, and is {executed}", of.path);
        (Some(of.path.as_str()), told)
    });
    declared.map(|of| (of.path.as_deref(), of.what.clone())).chain(found)
}

/// Deviations that an author says came earlier than the lock file knows, with the setting.
pub fn misdated(record: &StudyRecord) -> impl Iterator<Item = (&DeviationFacts, &str)> {
    let late = record.protocol.iter().flat_map(|of| &of.differences);
    late.filter(|of| of.when == Known::AfterResults).flat_map(move |of| {
        let early = |deviation: &&DeviationFacts| {
            deviation.when.as_deref().is_some_and(|when| when != "after results")
        };
        let reasons = reasons(record, &of.path).into_iter().filter(early);
        reasons.map(|reason| (reason, of.path.as_str()))
    })
}

/// What the author declares and no difference from a locked protocol shows.
fn declared_alone(record: &StudyRecord) -> impl Iterator<Item = &DeviationFacts> {
    let found = |deviation: &&DeviationFacts| {
        let mut differences = record.protocol.iter().flat_map(|of| &of.differences);
        differences.any(|of| {
            reasons(record, &of.path).iter().any(|known| std::ptr::eq(*known, *deviation))
        })
    };
    record.deviations.iter().filter(move |deviation| !found(deviation))
}

fn when(known: Known) -> String {
    match known {
        Known::BeforeResults => known.words().to_string(),
        Known::AfterResults => marked(Status::Partial, known.words()),
    }
}

/// Every deviation for a file.
fn table(record: &StudyRecord) -> DataTable {
    let head = ["what", "when", "why", "locked", "executed", "found_by"];
    let mut rows = Vec::new();
    for of in record.protocol.iter().flat_map(|of| &of.differences) {
        let why = reasons(record, &of.path).into_iter().filter_map(|r| r.why.clone());
        let why: Vec<String> = why.collect();
        rows.push(vec![
            of.path.clone(),
            of.when.words().to_string(),
            why.join("; "),
            of.locked.clone().unwrap_or_default(),
            of.executed.clone().unwrap_or_default(),
            "locked protocol".to_string(),
        ]);
    }
    for of in declared_alone(record) {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        rows.push(vec![
            of.what.clone(),
            text(&of.when),
            text(&of.why),
            String::new(),
            String::new(),
            "author".to_string(),
        ]);
    }
    DataTable { head: head.map(String::from).to_vec(), rows }
}
