//! Full model: what was frozen, and what somebody else needs to predict with it.

use serde_json::{Value as Json, json};

use super::shown::{Shown, fill, place};
use super::standing::{all, headline, label, model};
use crate::operation::prelude::*;

/// The model that the same procedure gives on all development rows: candidate, threshold, calibration map, digest.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FrozenModel {}

impl Operation for FrozenModel {
    const ABOUT: About = About {
        name: "frozen_model",
        title: "Full model",
        version: 1,
        sources: &["collins2024"],
        example: "frozen_model",
    };
}

impl Section for FrozenModel {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Model),
            fills: &[
                Fill::tripod("22", &[Evidence::FullModel]),
                Fill::tripod("27a", &[Evidence::FullModel]),
                Fill::clear("43", &[Evidence::FullModel]),
                Fill::clear("57", &[Evidence::FullModel]),
                Fill::metrics("30", &[Evidence::FullModel]),
            ],
            figures: &["F13"],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let frozen = all(record).filter(|(_, analysis)| analysis.frozen.is_some());
        let shown = Shown::new(record);
        let rows = frozen.filter_map(|(name, analysis)| {
            let facts = analysis.frozen.as_ref()?;
            let at = format!("{}/frozen", place(name));
            let candidate = analysis.candidates.get(facts.candidate).or_else(|| {
                let (_, first) = headline(record)?;
                first.candidates.get(facts.candidate)
            });
            Some(json!({
                "model": model(analysis),
                "outcome": label(record, &analysis.outcome),
                "candidate": candidate.map(|candidate| {
                    let parts = [&candidate.selector, &candidate.learner, &candidate.settings];
                    let parts: Vec<&str> = parts
                        .into_iter()
                        .map(String::as_str)
                        .filter(|part| !part.is_empty())
                        .collect();
                    parts.join(", ")
                }),
                "n": shown.count(&format!("{at}/n")),
                "positive": shown.count(&format!("{at}/n_positive")),
                "predictors": shown.count(&format!("{at}/n_predictors")),
                "selected": shown.count(&format!("{at}/n_selected")),
                "threshold": shown.number(&format!("{at}/threshold"), 3),
                "digest": facts.digest.chars().take("blake3:".len() + 12).collect::<String>(),
            }))
        });
        let mut rows: Vec<Json> = rows.collect();
        rows.dedup();
        let html = fill(
            "frozen_model.html",
            json!({ "simulated": record.study.simulated, "rows": rows }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
