//! Summary: what was found, in one sentence and four numbers.

use serde_json::{Value as Json, json};

use super::shown::{Shown, escape, fill};
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
        version: 1,
        sources: &["collins2024"],
        example: "summary",
    };
}

impl Section for Summary {
    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let name = record.analysis_order.first();
        let headline = name.and_then(|name| Some((name, record.analyses.get(name)?)));
        let (keys, primary) = match headline {
            Some((name, analysis)) => {
                (keys(&shown, name, analysis), primary_title(analysis))
            }
            None => (Vec::new(), String::new()),
        };
        let failures = record.analysis_order.iter().flat_map(|name| {
            let failed = record.analyses[name].failed_nodes.iter();
            failed.map(move |f| format!("{name}: {} ({} results).", f.reason, f.n))
        });
        let others = record.analysis_order.iter().map(|name| row(&shown, record, name));
        let html = fill(
            "summary.html",
            json!({
                "headline": headline.is_some(),
                "finding": finding(record),
                "keys": keys,
                "primary": primary,
                "others": others.collect::<Vec<_>>(),
                "failures": failures.collect::<Vec<_>>(),
                "warnings": record.warnings.iter().map(|w| sentence(w)).collect::<Vec<_>>(),
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}

/// A message as a sentence of its own.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str().trim_end_matches('.'))
}

fn primary_title(analysis: &AnalysisRecord) -> String {
    let metric = analysis.metrics.iter().find(|metric| metric.name == analysis.primary);
    metric.map_or(analysis.primary.clone(), |metric| metric.title.clone())
}

fn keys(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> Vec<Json> {
    let at = format!("/analyses/{name}");
    let of_primary = format!("{at}/performance/{}", analysis.primary);
    let mut keys = vec![json!({
        "value": shown.number(&format!("{of_primary}/estimate"), 2),
        "detail": format!("95 % CI {}", shown.interval(&of_primary, 2)),
        "what": format!("{}, {}", primary_title(analysis), analysis.scheme_text),
    })];
    for metric in analysis.metrics.iter().filter(|m| m.name != analysis.primary).take(2) {
        let path = format!("{at}/performance/{}", metric.name);
        if analysis.performance.contains_key(&metric.name) {
            keys.push(json!({
                "value": shown.number(&format!("{path}/estimate"), 2),
                "detail": format!("95 % CI {}", shown.interval(&path, 2)),
                "what": match &analysis.threshold {
                    Some(_) => format!("{} at the learned threshold", metric.title),
                    None => metric.title.clone(),
                },
            }));
        }
    }
    keys.push(json!({
        "value": shown.count(&format!("{at}/n")),
        "detail": format!("{} positive", shown.count(&format!("{at}/n_positive"))),
        "what": "Rows analysed",
    }));
    keys
}

fn row(shown: &Shown, record: &StudyRecord, name: &str) -> Json {
    let analysis = &record.analyses[name];
    let at = format!("/analyses/{name}");
    let label = record.outcomes.iter().find(|outcome| outcome.name == analysis.outcome);
    json!({
        "outcome": label.map_or(&analysis.outcome, |outcome| &outcome.label),
        "model": analysis.model,
        "cohort": analysis.cohort,
        "scheme": analysis.scheme_text,
        "n": shown.count(&format!("{at}/n")),
        "positive": shown.count(&format!("{at}/n_positive")),
        "value": match analysis.performance.contains_key(&analysis.primary) {
            true => shown.estimate(&format!("{at}/performance/{}", analysis.primary), 2),
            false => "not computed".to_string(),
        },
    })
}

/// The finding in one sentence, as HTML. Never stronger than its interval.
pub fn finding(record: &StudyRecord) -> String {
    let shown = Shown::new(record);
    let Some((name, analysis)) = record
        .analysis_order
        .first()
        .and_then(|name| Some((name, record.analyses.get(name)?)))
    else {
        return "The study has no analysis with a result.".to_string();
    };
    let label = record.outcomes.iter().find(|outcome| outcome.name == analysis.outcome);
    let label = escape(label.map_or(&analysis.outcome, |outcome| &outcome.label));
    let path = format!("/analyses/{name}/performance/{}", analysis.primary);
    let Some(estimate) = analysis.performance.get(&analysis.primary) else {
        return format!(
            "The headline analysis of {label} has no result; the reason stands below."
        );
    };
    let chance = analysis.metrics.iter().find(|m| m.name == analysis.primary);
    let chance = chance.and_then(|metric| metric.chance);
    let title = if analysis.primary == "auroc" {
        "AUROC".to_string()
    } else {
        escape(&primary_title(analysis))
    };
    let value = shown.number(&format!("{path}/estimate"), 2);
    let (Some(lower), Some(upper)) = (estimate.lower, estimate.upper) else {
        return format!(
            "{title} for {label} was {value} on held-out rows; there are too few for an interval."
        );
    };
    let interval = shown.interval(&path, 2);
    match chance {
        Some(chance) if lower <= chance && chance <= upper => format!(
            "No evidence of discrimination of {label} ({title} {value}, 95 % CI {interval}; \
             values up to {} are not excluded).",
            shown.number(&format!("{path}/upper"), 2)
        ),
        Some(chance) if upper < chance => format!(
            "Discrimination of {label} was worse than chance on held-out rows ({title} {value}, \
             95 % CI {interval})."
        ),
        _ => format!(
            "The model discriminates {label} on held-out rows: {title} {value} (95 % CI \
             {interval})."
        ),
    }
}
