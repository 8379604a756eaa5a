//! Sample size: events for each candidate predictor, how many patients such a model would need, how
//! precisely as many would judge it, and what fewer patients to learn from give.

use serde_json::json;

use super::figure::{DataTable, Figure};
use super::learning_curve;
use super::shown::{GROUPED_COUNT, Shown, counted, escape, fill, grouped, place, plain};
use super::standing::headline;
use super::svg::{Anchor, Svg};
use crate::data::{AnalysisRecord, ExpectedWidth, SampleSizeFacts};
use crate::math::ln;
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
        let size = headline(record).and_then(|(name, analysis)| {
            Some((name, analysis, analysis.sample_size.as_ref()?))
        });
        let figure = size
            .map(|(name, analysis, size)| {
                figure(&shown, (name, analysis), size)
                    .into_html(record.study.simulated, &mut fragment)
            })
            .transpose()?;
        let (curves, without) = curves(&shown, record, &mut fragment)?;
        let assumptions = size.map(|(_, _, size)| &size.assumptions);
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
        "<h4>95 % interval where such a model is judged on {} patients</h4><table><thead><tr>\
         <th scope=\"col\">Of</th><th scope=\"col\" class=\"r\">Width</th><th scope=\"col\" \
         class=\"r\">To reach</th><th scope=\"col\" class=\"r\">Patients for that</th></tr></thead>\
         <tbody>{rows}</tbody></table>",
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

/// What a narrow interval of the slope does not mean where it is far from 1.
fn too_extreme(analysis: &AnalysisRecord, size: &SampleSizeFacts) -> &'static str {
    let slope = analysis.performance.get("calibration_slope");
    let told = size.slope.as_ref().is_some_and(|of| of.width.is_some());
    match told && slope.and_then(|of| of.upper).is_some_and(|upper| upper < 1.0) {
        true => {
            " Predictions that are too extreme lie far apart, which makes the interval of their slope \
             narrow: few patients then show that they are wrong, and would not show that better ones \
             are right."
        }
        false => "",
    }
}

/// The numbers of the lines, and of the widths beside those that ask for one.
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

/// Edges of the axis, where the first line stands, and from line to line. Units: pixels.
const PLOT: (f64, f64) = (6.0, 412.0);
const TOP: f64 = 18.0;
const STEP: f64 = 38.0;

/// An axis of powers of ten, on which seven patients and seventy thousand are both seen.
struct Powers {
    first: i32,
    last: i32,
}

impl Powers {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let powers = values.map(power);
        let (least, most) =
            powers.fold((f64::MAX, 0.0_f64), |(a, b), of| (a.min(of), b.max(of)));
        let first = (least.min(most) + 1e-9).floor() as i32;
        Self { first, last: ((most - 1e-9).ceil() as i32).max(first + 1) }
    }

    fn at(&self, value: f64) -> f64 {
        let part =
            (power(value) - f64::from(self.first)) / f64::from(self.last - self.first);
        PLOT.0 + part * (PLOT.1 - PLOT.0)
    }
}

/// Of ten; no number of patients is below one.
fn power(value: f64) -> f64 {
    ln(value.max(1.0)) / std::f64::consts::LN_10
}

/// How far each number of patients lies from that of this study, each under its name.
fn drawing(shown: &Shown, at: &str, rows: &[(&str, &str, Option<f64>, usize)]) -> Svg {
    let axis = Powers::over(rows.iter().filter_map(|row| row.2));
    let line = |position: usize| TOP + STEP * position as f64;
    let foot = line(rows.len() - 1) + 28.0;
    let mut svg = Svg::new(420.0, foot + 46.0);
    svg.line("axis", (PLOT.0, foot), (PLOT.1, foot));
    for exponent in axis.first..=axis.last {
        let value = format!("1{}", "0".repeat(exponent.max(0) as usize));
        let x = PLOT.0
            + f64::from(exponent - axis.first) / f64::from(axis.last - axis.first)
                * (PLOT.1 - PLOT.0);
        svg.line("axis", (x, foot), (x, foot + 4.0));
        // Long numbers would meet where powers are many; the first and the last lie at the edges.
        let skipped = axis.last - axis.first > 5 && (axis.last - exponent) % 2 == 1;
        if !skipped {
            let (x, anchor) = match exponent {
                _ if exponent == axis.first => (0.0, Anchor::Start),
                _ if exponent == axis.last => (420.0, Anchor::End),
                _ => (x, Anchor::Middle),
            };
            svg.text("small", (x, foot + 18.0), anchor, &grouped(&value, GROUPED_COUNT));
        }
    }
    let middle = (PLOT.0 + PLOT.1) / 2.0;
    svg.text(
        "small",
        (middle, foot + 38.0),
        Anchor::Middle,
        "Patients, by powers of ten",
    );
    let here = rows[0].2.map(|n| axis.at(n));
    for (position, (label, key, value, series)) in rows.iter().enumerate() {
        let y = line(position);
        svg.line("grid", (PLOT.0, y + 13.0), (PLOT.1, y + 13.0));
        svg.text("small", (0.0, y), Anchor::Start, label);
        // Between the names, so that it goes through none of them.
        if let Some(here) = here {
            svg.line("ref", (here, y + 5.0), (here, y + 26.0));
        }
        let Some(value) = value else {
            svg.text("small", (420.0, y), Anchor::End, "not computed");
            continue;
        };
        let number = shown.count(&format!("{at}/{key}"));
        svg.numbers("strong", (420.0, y), Anchor::End, &number);
        let x = axis.at(*value);
        if let (Some(here), true) = (here, position > 0) {
            svg.line("w4", (here, y + 13.0), (x, y + 13.0));
        }
        let tip =
            format!("{label}: {} patients", grouped(&plain(*value, 0), GROUPED_COUNT));
        svg.mark(*series, (x, y + 13.0), 5.0, &tip);
    }
    svg
}

fn figure(
    shown: &Shown,
    (name, analysis): (&str, &AnalysisRecord),
    size: &SampleSizeFacts,
) -> Figure<'static> {
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
    let svg = drawing(shown, &at, &rows);
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
            "{} events (the smaller class) for {} candidate predictor parameters: {ratio} for \
             each{needed}",
            shown.count(&format!("{at}/events")),
            shown.count(&format!("{at}/candidates"))
        ),
        sub: "Parameters are counted before any selection: one for each predictor, and one less \
              than it has categories for one of categories. A patient with the outcome in any row \
              has it. Circle and dotted line: the patients of this study; what lies to the right of them \
              asks for more. The first three criteria are for developing a model, widths of intervals \
              for validating one."
            .to_string(),
        body: format!(
            "<div class=\"pair beside\"><div>{picture}</div><div>{}</div></div>",
            expected(shown, &at, size)
        ),
        pictures: vec![picture],
        method: format!(
            "Riley's criteria for a binary outcome; what was assumed stands below. They hold for a \
             regression without penalty: penalties, selection and flexible learners have no such \
             formula.{}{}",
            [("auroc", &size.auroc), ("slope", &size.slope)]
                .into_iter()
                .filter_map(|(key, facts)| {
                    let facts = facts.as_ref().filter(|facts| facts.width.is_some())?;
                    Some(format!(" {}: {}.", title(key), facts.note))
                })
                .collect::<String>(),
            too_extreme(analysis, size)
        ),
        table: table(size, &rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_patients_stand_on_one_axis() {
        let axis = Powers::over([159.0, 156_744.0, 7.0].into_iter());
        assert_eq!((axis.first, axis.last), (0, 6));
        assert!(PLOT.0 < axis.at(7.0) && axis.at(7.0) < axis.at(159.0));
        assert!(axis.at(156_744.0) < PLOT.1);
        // Powers themselves are the ends, and one number alone has an axis.
        let axis = Powers::over([100.0, 1000.0].into_iter());
        assert_eq!((axis.first, axis.last), (2, 3));
        assert!((axis.at(100.0) - PLOT.0).abs() < 1e-6);
        assert!((axis.at(1000.0) - PLOT.1).abs() < 1e-6);
        let axis = Powers::over([1.0].into_iter());
        assert_eq!((axis.first, axis.last), (0, 1));
    }
}
