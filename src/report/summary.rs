//! Summary: what was found, in one sentence and a few numbers.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::finding::{beyond, telling_control};
use super::marks::bar;
use super::shown::{Shown, fill, place};
use super::standards::short;
use super::standing::{
    Standing, all, alone, headline, judged_place, label, model, primary, role, rows_are,
    same_question, whereabouts,
};
use crate::data::AnalysisRecord;
use crate::operation::prelude::*;

/// The finding in one sentence, the headline numbers, and all analyses in one table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Summary {}

impl Operation for Summary {
    const ABOUT: About = About {
        name: "summary",
        title: "Summary",
        // 1: first release. 2: the calibration slope on another cohort.
        version: 2,
        sources: &["collins2024"],
        example: "summary",
    };
}

impl Section for Summary {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Summary),
            fills: &[
                Fill::tripod("1", &[Evidence::Outcomes]),
                Fill::brief("1", &[Evidence::Outcomes]),
                Fill::clear("1", &[Evidence::Predictors]),
            ],
            figures: &[],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let headline = headline(record);
        let (keys, primary) = match headline {
            Some((name, analysis)) => {
                (keys(record, &shown, name, analysis), primary(analysis))
            }
            None => (Vec::new(), String::new()),
        };
        let failures: Vec<Json> =
            all(record).filter_map(|(name, analysis)| failure(name, analysis)).collect();
        let others = all(record).map(|(name, analysis)| {
            let outcome = label(record, &analysis.outcome).to_string();
            (outcome, row(record, &shown, name, analysis))
        });
        let claims = record.claims.iter().map(|claim| {
            format!(
                "{}: {}",
                claim.words.as_deref().unwrap_or(&claim.text),
                super::claims::verdict(claim)
            )
        });
        let html = fill(
            "summary.html",
            json!({
                "headline": headline.is_some(),
                "sentences": beyond(record),
                "claims": claims.collect::<Vec<_>>(),
                // Four stand in one row, any other number in rows of three.
                "wide": keys.len() != 4,
                "keys": keys,
                "primary": primary,
                "within": record.study.within,
                "others": grouped(others),
                "failed": counted(failures.len(), "analysis", "analyses"),
                "failures": &failures[..failures.len().min(TOLD)],
                "more_failures": failures.len().saturating_sub(TOLD),
                "coverage": record.checklists.first().map(|list| {
                    bar(list, &|status| {
                        shown.count(&format!("/checklists/0/counts/{}", status.class()))
                    })
                }),
                "conflicts": record.conflicts.iter().map(|found| json!({
                    "level": found.level, "check": found.check,
                    "items": found
                        .items
                        .iter()
                        .map(|item| match item.split_once(' ') {
                            Some((standard, number)) => format!("{} {number}", short(standard)),
                            None => item.clone(),
                        })
                        .collect::<Vec<_>>()
                        .join(", "),
                    "text": coded(&sentence(&found.text)),
                })).collect::<Vec<_>>(),
                "warnings": record.warnings.iter().map(|w| coded(&sentence(w))).collect::<Vec<_>>(),
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}

/// Analyses of which the summary tells what they lack.
const TOLD: usize = 6;

/// Why an analysis lacks results: the most frequent reason, and how many others there are.
fn failure(name: &str, analysis: &AnalysisRecord) -> Option<Json> {
    let failed = analysis.failures();
    let most = failed.iter().rev().max_by_key(|failed| failed.n.known())?;
    let more = failed.len() - 1;
    Some(json!({
        "name": name, "reason": coded(&most.reason),
        "n": format!("{} {}", most.n, if most.n.known() == Some(1) { "result" } else { "results" }),
        "more": (more > 0).then(|| counted(more, "further reason", "further reasons")),
    }))
}

fn counted(n: usize, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}

/// A message as a sentence of its own.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str().trim_end_matches('.'))
}

/// The numbers that the sentence is about, six at most: the headline, what the frozen model gives
/// elsewhere and with which calibration slope, what remains within strata, what a control gives alone,
/// and how many items are reported.
fn keys(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Vec<Json> {
    let key = |path: &str, what: String| {
        json!({
            "value": shown.number(&format!("{path}/estimate"), 2),
            "detail": shown.ci(path),
            "what": what,
        })
    };
    let of = |name: &str, of: &AnalysisRecord| {
        format!("{}/performance/{}", place(name), of.primary)
    };
    let standing = Standing::of(record, analysis);
    let mut keys = vec![key(
        &of(name, analysis),
        format!("{}, {} ({})", primary(analysis), standing.label(), analysis.scheme_text),
    )];
    // Of several other cohorts the first stands here, and each under validation.
    let mut elsewhere = same_question(record, analysis);
    if let Some((name, external)) = elsewhere.find(|(_, of)| of.kind == "external") {
        let standing = Standing::of(record, external).label();
        keys.push(key(
            &of(name, external),
            format!(
                "{}, frozen model, {standing}: {}",
                primary(external),
                external.cohort
            ),
        ));
        // Whether the probabilities hold elsewhere is another question than whether the order does.
        let slope = format!("{}/performance/calibration_slope", place(name));
        let known = external.performance.contains_key("calibration_slope");
        if known || shown.is_hidden(&slope) {
            let what = format!("Calibration slope, {standing}: {}", external.cohort);
            keys.push(key(&slope, what));
        }
    }
    if let (Some(_), Some(column)) = (&analysis.within, &record.study.within) {
        let path = format!("{}/within", place(name));
        keys.push(key(&path, format!("AUROC within {column}, same predictions")));
    }
    if let Some((name, control)) = telling_control(record, analysis) {
        let what = format!("{}, {} alone, same splits", primary(control), alone(control));
        keys.push(key(&of(name, control), what));
    }
    for metric in analysis.metrics.iter().filter(|m| m.name != analysis.primary) {
        let path = format!("{}/performance/{}", place(name), metric.name);
        let told = analysis.performance.contains_key(&metric.name);
        if told && keys.len() < 3 {
            keys.push(key(
                &path,
                match &analysis.threshold {
                    Some(_) => format!("{} at the learned threshold", metric.title),
                    None => metric.title.clone(),
                },
            ));
        }
    }
    keys.truncate(5);
    if let Some(list) = record.checklists.first() {
        keys.push(json!({
            "value": format!(
                "{} of {}",
                shown.count("/checklists/0/reported"),
                shown.count("/checklists/0/applicable")
            ),
            "detail": "the rest is named where it belongs",
            "what": format!("applicable {} items reported", list.title),
        }));
    }
    if keys.len() < 4 {
        let at = judged_place(name, analysis);
        let rows = rows_are(record, &analysis.cohort);
        keys.push(json!({
            "value": shown.count(&format!("{at}/n")),
            "detail": format!("{} positive", shown.count(&format!("{at}/n_positive"))),
            "what": format!("{rows} held out for the headline"),
        }));
    }
    keys
}

/// The rows under their outcomes, both in written order.
fn grouped(rows: impl Iterator<Item = (String, Json)>) -> Vec<Json> {
    let mut groups: Vec<(String, Vec<Json>)> = Vec::new();
    for (outcome, row) in rows {
        match groups.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((outcome, vec![row])),
        }
    }
    groups
        .into_iter()
        .map(|(outcome, rows)| json!({ "outcome": outcome, "rows": rows }))
        .collect()
}

fn row(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Json {
    let at = place(name);
    json!({
        "model": model(analysis),
        "role": role(record, analysis),
        "cohort": analysis.cohort,
        "scheme": analysis.scheme_text,
        "standing": whereabouts(record, analysis),
        "n": shown.count(&format!("{}/n", judged_place(name, analysis))),
        "positive": shown.count(&format!("{}/n_positive", judged_place(name, analysis))),
        "value": match analysis.performance.contains_key(&analysis.primary) {
            true => shown.estimate(&format!("{at}/performance/{}", analysis.primary), 2),
            false => "not computed".to_string(),
        },
        "within": match analysis.within {
            Some(_) => shown.estimate(&format!("{at}/within"), 2),
            None => "–".to_string(),
        },
    })
}
