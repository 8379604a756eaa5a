//! Sample size: events for each candidate predictor, and how many patients such a model would need.

use serde_json::json;

use super::figure::{DataTable, Figure};
use super::forest::Forest;
use super::shown::{Shown, fill, place, plain};
use super::standing::headline;
use super::svg::{Anchor, Svg};
use crate::data::SampleSizeFacts;
use crate::operation::prelude::*;

/// Events per candidate predictor before selection, and the smallest sample by three criteria.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SampleSize {}

impl Operation for SampleSize {
    const ABOUT: About = About {
        name: "sample_size",
        title: "Sample size",
        version: 1,
        sources: &["riley2020"],
        example: "sample_size",
    };
}

impl Section for SampleSize {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::SampleSize),
            fills: &[
                Fill::tripod("10", &[Evidence::SampleSize]),
                Fill::clear("9", &[Evidence::SampleSize]),
                Fill::metrics("16", &[Evidence::SampleSize, Evidence::Proportion]),
            ],
            figures: &["F12"],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let mut fragment = Fragment::default();
        let of_headline = headline(record)
            .and_then(|(name, analysis)| Some((name, analysis.sample_size.as_ref()?)));
        let Some((name, size)) = of_headline else {
            fragment.html = fill("sample_size.html", json!({ "figure": null }))?;
            return Ok(fragment);
        };
        let figure = figure(&shown, name, size)
            .into_html(record.study.simulated, &mut fragment)?;
        fragment.html = fill(
            "sample_size.html",
            json!({ "figure": figure, "assumptions": size.assumptions }),
        )?;
        Ok(fragment)
    }
}

/// Events for each candidate, with a digit that says more than zero.
pub fn per_candidate(shown: &Shown, at: &str, size: &SampleSizeFacts) -> String {
    let few = size.events_per_candidate.is_some_and(|ratio| ratio < 0.095);
    shown.number(&format!("{at}/events_per_candidate"), if few { 2 } else { 1 })
}

fn figure(shown: &Shown, name: &str, size: &SampleSizeFacts) -> Figure<'static> {
    let at = format!("{}/sample_size", place(name));
    let rows = [
        ("Patients of this study", "n", Some(size.n as f64), 1),
        ("Shrinkage of at most a tenth", "for_shrinkage", size.for_shrinkage, 4),
        ("Optimism in R² of at most 0.05", "for_optimism", size.for_optimism, 4),
        ("Prevalence known within 0.05", "for_prevalence", size.for_prevalence, 4),
    ];
    let most = rows.iter().filter_map(|row| row.2).fold(1.0, f64::max);
    let mut svg = Svg::new(760.0, 40.0 + 34.0 * rows.len() as f64);
    svg.text("strong", (8.0, 20.0), Anchor::Start, "Patients");
    svg.line("axis", (0.0, 29.0), (760.0, 29.0));
    let enough = 230.0 + size.n as f64 / most * 430.0;
    for (position, (label, key, value, series)) in rows.iter().enumerate() {
        let y = 50.0 + 34.0 * position as f64;
        svg.text("", (8.0, y + 4.0), Anchor::Start, label);
        let Some(value) = value else {
            svg.text("small", (236.0, y + 4.0), Anchor::Start, "not computed");
            continue;
        };
        let width = (value / most * 430.0).max(1.0);
        svg.rect(&format!("bar{series}"), (230.0, y - 9.0), (width, 18.0));
        let number = shown.count(&format!("{at}/{key}"));
        svg.numbers("strong", (238.0 + width, y + 4.0), Anchor::Start, &number);
    }
    svg.line("ref", (enough, 34.0), (enough, 40.0 + 34.0 * rows.len() as f64 - 6.0));
    let description = format!(
        "{} patients against the numbers that each criterion asks for: {}.",
        size.n,
        rows[1..]
            .iter()
            .filter_map(|(label, _, value, _)| Some(format!(
                "{label} {}",
                plain((*value)?, 0)
            )))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let picture = svg.finish("Patients there and needed", &description);
    let ratio = per_candidate(shown, &at, size);
    let needed = match size.needed {
        Some(_) => format!(
            "; {} of the {} patients that an unpenalised model of all candidates would need",
            shown.count(&format!("{at}/n")),
            shown.count(&format!("{at}/needed"))
        ),
        None => String::new(),
    };
    Figure {
        id: "sample-size-figure",
        heading: format!(
            "{} events for {} candidate predictor parameters: {ratio} for each{needed}",
            shown.count(&format!("{at}/events")),
            shown.count(&format!("{at}/candidates"))
        ),
        sub: "Parameters are counted before any selection: one for each predictor, and one less \
              than it has categories for one of categories. A patient with the outcome in any row \
              has it. The dashed line marks the patients of this study."
            .to_string(),
        body: Forest::boxed(&picture, "Sample size"),
        pictures: vec![picture],
        method: "Riley's criteria for a binary outcome; what was assumed stands below. They hold for \
                 a regression without penalty: penalties, selection and flexible learners have no \
                 such formula."
            .to_string(),
        table: DataTable {
            head: ["what", "patients"].map(String::from).to_vec(),
            rows: rows
                .iter()
                .map(|(label, _, value, _)| {
                    vec![label.to_string(), value.map_or(String::new(), |v| plain(v, 0))]
                })
                .collect(),
        },
    }
}
