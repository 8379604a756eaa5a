//! Sample size: events for each candidate predictor, how many patients such a model would need, how
//! precisely as many would judge it, and what fewer patients to learn from give.

use serde_json::json;

use super::figure::{DataTable, Figure};
use super::forest::Forest;
use super::learning_curve;
use super::shown::{GROUPED_COUNT, Shown, counted, escape, fill, grouped, place, plain};
use super::standing::headline;
use super::svg::{Anchor, Svg};
use crate::data::{ExpectedWidth, SampleSizeFacts};
use crate::operation::prelude::*;

/// Events per candidate predictor before selection, the smallest sample by three criteria, expected widths
/// of intervals, and the learning curve.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SampleSize {}

impl Operation for SampleSize {
    const ABOUT: About = About {
        name: "sample_size",
        title: "Sample size",
        // 2: expected widths of intervals, and the learning curve.
        version: 2,
        sources: &["hanley1982", "nadeau2003", "newcombe2006", "riley2020", "riley2021"],
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

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let mut fragment = Fragment::default();
        let size = headline(record)
            .and_then(|(name, analysis)| Some((name, analysis.sample_size.as_ref()?)));
        let figure = size
            .map(|(name, size)| {
                figure(&shown, name, size)
                    .into_html(record.study.simulated, &mut fragment)
            })
            .transpose()?;
        let (curves, without) = curves(&shown, record, &mut fragment)?;
        let assumptions = size.map(|(_, size)| &size.assumptions);
        fragment.html = fill(
            "sample_size.html",
            json!({
                "figure": figure,
                "hidden": headline(record).is_some_and(|(name, _)| {
                    shown.is_hidden(&format!("{}/sample_size", place(name)))
                }),
                "assumptions": assumptions,
                "curves": curves,
                "without": without,
            }),
        )?;
        Ok(fragment)
    }
}

/// The learning curve of the headline of each primary outcome, and why one is not drawn.
fn curves(
    shown: &Shown,
    record: &StudyRecord,
    fragment: &mut Fragment,
) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (mut curves, mut without) = (Vec::new(), Vec::new());
    if let Some(reason) = &record.study.no_learning_curve {
        without.push(format!("No learning curve is drawn: {reason}"));
    }
    for name in &record.analysis_order {
        let Some(analysis) = record.analyses.get(name) else { continue };
        let Some(facts) = &analysis.learning_curve else { continue };
        let id = match curves.len() {
            0 => "learning-curve".to_string(),
            n => format!("learning-curve-{}", n + 1),
        };
        match learning_curve::figure(shown, (name, analysis), facts, &id) {
            Ok(figure) => {
                curves.push(figure.into_html(record.study.simulated, fragment)?)
            }
            Err(why) => {
                without.push(format!("No learning curve of {name} could be drawn: {why}"))
            }
        }
    }
    if curves.is_empty() && without.is_empty() {
        let hidden = headline(record).is_some_and(|(name, _)| {
            shown.is_hidden(&format!("{}/learning_curve", place(name)))
        });
        without.push(match hidden {
            true => "The learning curve is hidden: a small count would follow from it.",
            false => "There is no learning curve: it is drawn of the primary model under the first \
                      scheme, and neither was run.",
        }
        .to_string());
    }
    Ok((curves, without))
}

/// What to expect of intervals where a model like this is judged on as many patients.
fn expected(shown: &Shown, at: &str, size: &SampleSizeFacts) -> String {
    let rows: String = [("auroc", &size.auroc), ("slope", &size.slope)]
        .into_iter()
        .filter_map(|(key, facts)| {
            let facts = facts.as_ref()?;
            let at = format!("{at}/{key}");
            let of = match facts.assumed {
                Some(_) => format!(" of {}", shown.number(&format!("{at}/assumed"), 2)),
                None => String::new(),
            };
            let cells = match facts.width {
                Some(_) => format!(
                    "<td class=\"r\">{}</td><td class=\"r\">{}</td><td class=\"r\">{}</td>",
                    shown.number(&format!("{at}/width"), 2),
                    shown.number(&format!("{at}/target"), 1),
                    shown.count(&format!("{at}/needed"))
                ),
                None => {
                    format!("<td colspan=\"3\">not computed: {}</td>", escape(&facts.note))
                }
            };
            Some(format!("<tr><th scope=\"row\">{}{of}</th>{cells}</tr>", title(key)))
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<p class=\"tag\">Expected where a model like this is judged on as many patients as the {} \
         of this study</p><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Expected \
         widths of intervals\"><table><thead><tr><td></td><th scope=\"col\" class=\"r\">Width of the 95 % \
         interval</th><th scope=\"col\" class=\"r\">Width to reach</th><th scope=\"col\" \
         class=\"r\">Patients for that</th></tr></thead><tbody>{rows}</tbody></table></div>",
        shown.count(&format!("{at}/n"))
    )
}

fn title(key: &str) -> &'static str {
    if key == "auroc" { "AUROC" } else { "Calibration slope" }
}

/// Events for each candidate, with a digit that says more than zero.
pub fn per_candidate(shown: &Shown, at: &str, size: &SampleSizeFacts) -> String {
    let few = size.events_per_candidate.is_some_and(|ratio| ratio < 0.095);
    shown.number(&format!("{at}/events_per_candidate"), if few { 2 } else { 1 })
}

/// The numbers of the bars, and of the widths beside those that ask for one.
fn table(size: &SampleSizeFacts, rows: &[(&str, &str, Option<f64>, usize)]) -> DataTable {
    let rows = rows.iter().map(|(label, key, value, _)| {
        let facts = match *key {
            "auroc/needed" => &size.auroc,
            "slope/needed" => &size.slope,
            _ => &None,
        };
        let width = facts.as_ref().and_then(|facts| facts.width);
        vec![
            label.to_string(),
            value.map_or(String::new(), |v| plain(v, 0)),
            width.map_or(String::new(), |width| plain(width, 3)),
        ]
    });
    let head = ["what", "patients", "width with the patients of this study"];
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

fn figure(shown: &Shown, name: &str, size: &SampleSizeFacts) -> Figure<'static> {
    let at = format!("{}/sample_size", place(name));
    let mut rows = vec![
        ("Patients of this study", "n", Some(size.n as f64), 1),
        ("Shrinkage of at most a tenth", "for_shrinkage", size.for_shrinkage, 4),
        ("Optimism in R² of at most 0.05", "for_optimism", size.for_optimism, 4),
        ("Prevalence known within 0.05", "for_prevalence", size.for_prevalence, 4),
    ];
    // For validation rather than development.
    let widths = [
        ("AUROC interval 0.1 wide", "auroc/needed", &size.auroc),
        ("Slope interval 0.4 wide", "slope/needed", &size.slope),
    ];
    for (label, key, facts) in widths {
        rows.extend(facts.as_ref().map(|facts| (label, key, facts.needed, 4)));
    }
    let most = rows.iter().filter_map(|row| row.2).fold(1.0, f64::max);
    let mut svg = Svg::new(760.0, 40.0 + 34.0 * rows.len() as f64);
    svg.text("strong", (220.0, 20.0), Anchor::End, "Patients");
    svg.line("axis", (0.0, 29.0), (760.0, 29.0));
    let enough = 230.0 + size.n as f64 / most * 430.0;
    for (position, (label, key, value, series)) in rows.iter().enumerate() {
        let y = 50.0 + 34.0 * position as f64;
        svg.text("", (220.0, y + 4.0), Anchor::End, label);
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
        counted(size.n),
        rows[1..]
            .iter()
            .filter_map(|(label, _, value, _)| Some(format!(
                "{label} {}",
                grouped(&plain((*value)?, 0), GROUPED_COUNT)
            )))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let width = |facts: &Option<ExpectedWidth>| facts.as_ref().and_then(|of| of.width);
    let widths = [("auroc", width(&size.auroc)), ("slope", width(&size.slope))];
    let widths = widths
        .into_iter()
        .filter_map(|(key, width)| Some(format!("{} {}", title(key), plain(width?, 2))));
    let widths: Vec<String> = widths.collect();
    let description = match widths.is_empty() {
        true => description,
        false => format!(
            "{description} Expected widths of 95 % intervals with as many patients: {}.",
            widths.join(", ")
        ),
    };
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
              has it. The dotted line marks the patients of this study. The first three criteria are \
              for developing a model, widths of intervals for validating one."
            .to_string(),
        body: format!(
            "{}{}",
            Forest::boxed(&picture, "Sample size"),
            expected(shown, &at, size)
        ),
        pictures: vec![picture],
        method: format!(
            "Riley's criteria for a binary outcome; what was assumed stands below. They hold for a \
             regression without penalty: penalties, selection and flexible learners have no such \
             formula.{}",
            [("auroc", &size.auroc), ("slope", &size.slope)]
                .into_iter()
                .filter_map(|(key, facts)| {
                    let facts = facts.as_ref().filter(|facts| facts.width.is_some())?;
                    Some(format!(" {}: {}.", title(key), facts.note))
                })
                .collect::<String>()
        ),
        table: table(size, &rows),
    }
}
