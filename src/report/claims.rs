//! Claims: what was stated beforehand as a success, and what came of it.

use serde_json::json;

use super::shown::{Shown, fill};
use crate::data::ClaimFacts;
use crate::operation::prelude::*;

/// Every claim as it was stated, its digest, the results that it names, and its verdict.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {}

impl Operation for Claims {
    const ABOUT: About = About {
        name: "claims",
        title: "Claims",
        version: 1,
        sources: &["collins2024"],
        example: "claims",
    };
}

impl Section for Claims {
    fn declared(&self) -> Declared {
        const DECLARED: Declared =
            Declared { chapter: Some(Chapter::Discrimination), fills: &[], figures: &[] };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let rows = record.claims.iter().enumerate().map(|(at, claim)| {
            let values = claim.values.iter().enumerate().map(|(place, (name, _))| {
                let path = format!("/claims/{at}/values/{place}/1");
                json!({ "name": name, "value": shown.number(&path, 3) })
            });
            json!({
                "words": claim.words,
                "text": claim.text,
                "digest": claim.digest.chars().take("blake3:".len() + 12).collect::<String>(),
                "class": class(claim),
                "verdict": verdict(claim),
                "values": values.collect::<Vec<_>>(),
            })
        });
        let rows: Vec<_> = rows.collect();
        let html = fill(
            "claims.html",
            json!({ "simulated": record.study.simulated, "rows": rows }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}

/// A verdict in words; its mark has a shape and a word, not a colour alone.
pub fn verdict(claim: &ClaimFacts) -> &'static str {
    match claim.holds {
        Some(true) => "holds",
        Some(false) => "does not hold",
        None => "cannot be judged: a result is missing",
    }
}

fn class(claim: &ClaimFacts) -> &'static str {
    match claim.holds {
        Some(true) => "yes",
        Some(false) => "no",
        None => "open",
    }
}
