//! Features: which columns the fits of the splits chose, and how alike they are.

use serde_json::{Value as Json, json};

use super::figure::{DataTable, Figure};
use super::forest::{Forest, shortened};
use super::shown::{Shown, fill, place};
use super::standing::headline;
use super::svg::{Anchor, Svg};
use crate::data::SelectionFacts;
use crate::operation::prelude::*;

/// How often each column was chosen over all outer fits, and a chance-corrected index of stability with its interval.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Features {}

impl Operation for Features {
    const ABOUT: About = About {
        name: "features",
        title: "Features and genes",
        version: 1,
        sources: &["nogueira2018"],
        example: "features",
    };
}

impl Section for Features {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Features),
            fills: &[
                Fill::clear("33", &[Evidence::Selection]),
                Fill::clear("46", &[Evidence::Selection]),
                Fill::metrics("14", &[Evidence::Robustness]),
                Fill::metrics("15", &[Evidence::Selection, Evidence::Reduction]),
                Fill::metrics("17", &[]),
            ],
            figures: &["F10"],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let averages = headline(record).is_some_and(|(_, analysis)| analysis.averages());
        let of_headline = headline(record)
            .and_then(|(name, analysis)| Some((name, analysis.selection.as_ref()?)));
        let (figure, choices) = match of_headline {
            Some((name, selection)) => (
                Some(
                    figure(&shown, name, selection, averages)
                        .into_html(simulated, &mut fragment)?,
                ),
                Some(choices(&shown, name, selection)),
            ),
            None => (None, None),
        };
        fragment.html = fill(
            "features.html",
            json!({
                "simulated": simulated, "figure": figure, "choices": choices,
                "averages": averages,
            }),
        )?;
        Ok(fragment)
    }
}

/// Columns that are drawn; the table has all.
const DRAWN: usize = 20;

fn choices(shown: &Shown, name: &str, selection: &SelectionFacts) -> Json {
    let at = format!("{}/selection", place(name));
    let rows = |of: &[crate::data::Frequency], key: &str| {
        of.iter()
            .enumerate()
            .map(|(position, chosen)| {
                json!({
                    "name": chosen.name,
                    "n": shown.count(&format!("{at}/{key}/{position}/n")),
                })
            })
            .collect::<Vec<_>>()
    };
    json!({
        "fits": shown.count(&format!("{at}/fits")),
        "selectors": rows(&selection.selectors, "selectors"),
        "learners": rows(&selection.learners, "learners"),
    })
}

fn figure(
    shown: &Shown,
    name: &str,
    selection: &SelectionFacts,
    averages: bool,
) -> Figure<'static> {
    let at = format!("{}/selection", place(name));
    let drawn = selection.columns.iter().take(DRAWN);
    let height = 44.0 + 22.0 * selection.columns.len().min(DRAWN) as f64;
    let mut svg = Svg::new(760.0, height);
    svg.text("strong", (8.0, 20.0), Anchor::Start, "Column");
    svg.text("strong", (756.0, 20.0), Anchor::End, "Chosen in");
    svg.line("axis", (0.0, 29.0), (760.0, 29.0));
    let fits = selection.fits.max(1) as f64;
    for (position, column) in drawn.enumerate() {
        let y = 46.0 + 22.0 * position as f64;
        svg.text("", (8.0, y + 4.0), Anchor::Start, &shortened(&column.name, 46));
        let width = (column.n as f64 / fits * 330.0).max(1.0);
        svg.rect("track", (340.0, y - 6.0), (330.0, 12.0));
        svg.rect("bar1", (340.0, y - 6.0), (width, 12.0));
        let number = shown.count(&format!("{at}/columns/{position}/n"));
        svg.numbers("", (756.0, y + 4.0), Anchor::End, &number);
    }
    let top: Vec<&str> =
        selection.columns.iter().take(5).map(|column| column.name.as_str()).collect();
    let description = format!(
        "How many of {} outer fits chose each column; most often {}.",
        selection.fits,
        top.join(", ")
    );
    let picture = svg.finish("Columns chosen", &description);
    let heading = match &selection.stability {
        Some(_) => format!(
            "Stability of the choice {} ({}): 1 is always the same, 0 is by chance",
            shown.number(&format!("{at}/stability/index"), 2),
            shown.interval(&format!("{at}/stability"), 2)
        ),
        None => format!(
            "{} of {} columns reach {} on average",
            shown.number(&format!("{at}/mean_columns"), 1),
            shown.count(&format!("{at}/of_columns")),
            if averages { "a learner of those averaged" } else { "the learner" }
        ),
    };
    Figure {
        id: "stability",
        heading,
        sub: format!(
            "Columns by how many of {} outer fits chose them{}{}.",
            selection.fits,
            match averages {
                true => ", for any of the candidates that are averaged",
                false => "",
            },
            match selection.columns.len() > DRAWN {
                true => format!(
                    "; the first {DRAWN} of {}, all are in the table",
                    selection.columns.len()
                ),
                false => String::new(),
            }
        ),
        body: Forest::boxed(&picture, "Columns by how often they were chosen"),
        pictures: vec![picture],
        method: "Nogueira’s index over all outer fits, corrected for chance, with its approximate \
                 95 % interval; fits share training rows, so that the interval is too narrow. None is \
                 given where every fit kept all columns."
            .to_string(),
        table: DataTable {
            head: ["column", "fits that chose it", "of"].map(String::from).to_vec(),
            rows: selection
                .columns
                .iter()
                .map(|column| {
                    vec![column.name.clone(), column.n.to_string(), selection.fits.to_string()]
                })
                .collect(),
        },
    }
}
