//! What the procedure achieves by the number of patients that it learns from.
//!
//! The curve is drawn through held-out estimates; that it levels off is never said from its looks, but
//! the last step stands with its interval.

use super::figure::{DataTable, Figure};
use super::plot::{Axis, Plot};
use super::shown::{Shown, escape, place, plain};
use super::standing::{chance, primary};
use super::svg::Anchor;
use crate::data::{AnalysisRecord, Estimate, LearningFacts, LearningSize};

/// The curve of an analysis, or in words why nothing can be drawn.
pub fn figure<'a>(
    shown: &Shown,
    (name, analysis): (&str, &AnalysisRecord),
    facts: &LearningFacts,
    id: &'a str,
) -> Result<Figure<'a>, String> {
    let known: Vec<Point<'_>> = points(facts);
    let metric = primary(analysis);
    let Some(last) = known.last() else {
        let why: Vec<&str> =
            facts.sizes.iter().filter_map(|size| size.missing.as_deref()).collect();
        let why = why.first().copied().unwrap_or("there is no result at any size");
        return Err(why.to_string());
    };
    let at = format!("{}/learning_curve", place(name));
    let of_size = |position: usize, what: &str| format!("{at}/sizes/{position}/{what}");
    let value =
        |position: usize| shown.number(&of_size(position, "estimate/estimate"), 2);
    let patients = |position: usize| shown.count(&of_size(position, "n"));
    let (first, last) = (known[0].at, last.at);
    let heading = match first == last {
        true => format!(
            "{metric} of {} with {} patients to learn from; at no other size is there a value",
            value(first),
            patients(first)
        ),
        false => format!(
            "{}{}",
            ends(
                (&metric, &known),
                (&value(first), &patients(first)),
                (&value(last), &patients(last)),
            ),
            last_step(shown, &at, facts)
        ),
    };
    let picture = drawing((name, &metric), analysis, &known);
    let head = [
        "Share of the training patients".to_string(),
        "Patients".to_string(),
        format!("{metric} (95 % CI)"),
    ];
    let head = head.iter().enumerate().map(|(at, cell)| {
        let class = if at == 0 { "" } else { " class=\"r\"" };
        format!("<th scope=\"col\"{class}>{}</th>", escape(cell))
    });
    let rows: String =
        (0..facts.sizes.len()).map(|position| row(shown, &at, facts, position)).collect();
    let body = format!(
        "<div class=\"pair beside\"><div>{picture}</div><div><table><thead><tr>{}</tr></thead><tbody>\
         {rows}</tbody></table></div></div>",
        head.collect::<String>()
    );
    Ok(Figure {
        id,
        heading,
        sub: format!(
            "{metric} on the same held-out rows, by the number of patients that the whole procedure \
             learned from; band: 95 % interval; the large mark is the analysis itself.{}",
            certainty(facts)
        ),
        body,
        pictures: vec![picture],
        method: method(facts),
        table: table(facts),
    })
}

/// A size with a value, and how many patients it is.
struct Point<'a> {
    /// Its position among the sizes.
    at: usize,
    n: f64,
    size: &'a LearningSize,
    of: &'a Estimate,
}

/// A size that is hidden or has no value is not drawn.
fn points(facts: &LearningFacts) -> Vec<Point<'_>> {
    let sizes = facts.sizes.iter().enumerate();
    sizes
        .filter_map(|(at, size)| {
            Some(Point { at, n: size.n?, size, of: size.estimate.as_ref()? })
        })
        .collect()
}

/// From the smallest size with a value to the largest.
fn ends(
    (metric, known): (&str, &[Point<'_>]),
    (first, few): (&str, &str),
    (last, many): (&str, &str),
) -> String {
    let metric = escape(metric);
    let of = |at: usize| (known[at].of.estimate * 100.0).round();
    // Of the way between the ends there is no interval: that it rises is not said.
    match of(known.len() - 1).total_cmp(&of(0)).is_eq() {
        true => format!(
            "{metric} was {first} with {few} patients to learn from and {last} with {many}"
        ),
        false => format!(
            "{metric} went from {first} with {few} patients to learn from to {last} with {many}"
        ),
    }
}

/// What all training patients add to the largest part of them.
fn last_step(shown: &Shown, at: &str, facts: &LearningFacts) -> String {
    let (Some(_), [.., largest, _]) = (&facts.last_step, facts.sizes.as_slice()) else {
        return String::new();
    };
    let position = facts.sizes.len() - 2;
    let step = format!("{at}/last_step");
    let interval = match largest.estimate.is_some() {
        true => shown.ci(&step),
        false => return String::new(),
    };
    format!(
        "; the last step, from {}, is {} ({interval})",
        shown.count(&format!("{at}/sizes/{position}/n")),
        shown.signed(&format!("{step}/difference"), 2),
    )
}

/// What the interval of the last step says of further patients.
fn certainty(facts: &LearningFacts) -> &'static str {
    let step = facts.last_step.as_ref();
    match step.and_then(|step| step.lower.zip(step.upper)) {
        Some((lower, upper)) if lower <= 0.0 && upper >= 0.0 => {
            " The interval of the last step includes no change: whether more patients would help is \
             not told by it."
        }
        Some(_) => " The interval of the last step excludes no change.",
        None => "",
    }
}

fn drawing(
    (name, metric): (&str, &str),
    analysis: &AnalysisRecord,
    known: &[Point<'_>],
) -> String {
    let chance = chance(analysis);
    let ends = known.iter().flat_map(|Point { of, .. }| {
        [of.lower, of.upper].into_iter().flatten().chain([of.estimate])
    });
    let ends: Vec<f64> = ends.chain(chance).collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = (high - low).max(0.02) * 0.06;
    let most = known.iter().map(|point| point.n).fold(1.0, f64::max);
    let x = Axis { from: 0.0, to: most * 1.08, label: "Patients to learn from" };
    let y = Axis { from: low - room, to: high + room, label: metric };
    let mut plot = Plot::new(&x, &y, 0.0);
    if let Some(chance) = chance {
        plot.line("ref", [(x.from, chance), (x.to, chance)].into_iter());
        // On the left: no size is so small that its mark lies there.
        let (left, down) = plot.at(x.from, chance);
        plot.svg.text("small", (left + 5.0, down - 5.0), Anchor::Start, "chance");
    }
    let band: Vec<(f64, f64, f64)> = known
        .iter()
        .filter_map(|Point { n, of, .. }| Some((*n, of.lower?, of.upper?)))
        .collect();
    plot.band("band1", &band);
    for (n, lower, upper) in &band {
        plot.line("thin1", [(*n, *lower), (*n, *upper)].into_iter());
    }
    plot.line("line1", known.iter().map(|Point { n, of, .. }| (*n, of.estimate)));
    for Point { n, size, of, .. } in known {
        let tip = format!("{} patients: {}", plain(*n, 0), told(of));
        let radius = if size.fraction >= 1.0 { 6.5 } else { 4.0 };
        let point = plot.at(*n, of.estimate);
        plot.svg.mark(1, point, radius, &tip);
    }
    let of_sizes =
        known.iter().map(|Point { n, of, .. }| format!("{}: {}", plain(*n, 0), told(of)));
    let description = format!(
        "{metric} of {name} by the number of patients to learn from: {}.",
        of_sizes.collect::<Vec<_>>().join(", ")
    );
    plot.svg.finish("Learning curve", &description)
}

fn told(of: &Estimate) -> String {
    let value = plain(of.estimate, 2);
    match of.lower.zip(of.upper) {
        Some((lower, upper)) => {
            format!("{value} ({} to {})", plain(lower, 2), plain(upper, 2))
        }
        None => value,
    }
}

/// A size in the table beside the picture.
fn row(shown: &Shown, at: &str, facts: &LearningFacts, position: usize) -> String {
    let size = &facts.sizes[position];
    let here = format!("{at}/sizes/{position}");
    let decimals = format!("{}", size.fraction);
    let decimals = decimals.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let share = match size.fraction < 1.0 {
        true => shown.number(&format!("{here}/fraction"), decimals),
        false => "all".to_string(),
    };
    let range = match size.lowest.zip(size.highest) {
        Some((lowest, highest)) if lowest < highest => format!(
            " <span class=\"nw\">({}–{})</span>",
            shown.count(&format!("{here}/lowest")),
            shown.count(&format!("{here}/highest"))
        ),
        _ => String::new(),
    };
    let value = match (&size.estimate, &size.missing) {
        (Some(estimate), _) if !estimate.failed_folds.is_empty() => format!(
            "{}; not in every split: {}",
            shown.estimate(&format!("{here}/estimate"), 2),
            escape(&reasons(&estimate.failed_folds))
        ),
        (Some(_), _) => shown.estimate(&format!("{here}/estimate"), 2),
        (None, why) => {
            format!("not computed: {}", escape(why.as_deref().unwrap_or("no result")))
        }
    };
    format!(
        "<tr><th scope=\"row\">{share}</th><td class=\"r\">{}{range}</td><td class=\"r{}\">{value}</td></tr>",
        shown.count(&format!("{here}/n")),
        // Words may take several lines.
        if size.estimate.as_ref().is_some_and(|of| of.failed_folds.is_empty()) {
            ""
        } else {
            " wraps"
        }
    )
}

/// Each reason once, without the split that it is of.
fn reasons(failed: &[String]) -> String {
    let mut reasons: Vec<&str> = failed
        .iter()
        .map(|text| match text.split_once(": ") {
            Some((place, why))
                if place.starts_with("repeat ") || place.starts_with("site ") =>
            {
                why
            }
            _ => text,
        })
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons.join("; ")
}

fn method(facts: &LearningFacts) -> String {
    let repeats = match facts.repeats {
        1 => "one repeat".to_string(),
        n => format!("{n} repeats"),
    };
    let whole = facts.sizes.last().and_then(|size| size.estimate.as_ref());
    let interval = whole.map_or(String::new(), |of| format!(" Value: {}.", of.method));
    let step = facts.last_step.as_ref();
    let step = step.map_or(String::new(), |step| format!(" Last step: {}.", step.method));
    format!(
        "On the {} outer splits of {repeats}, preparation, selection, tuning and fit are done again on \
         parts of the training patients, drawn with the study's seed: patients whole, classes in \
         proportion, each part within the next, inner splits those of the analysis with the patients of \
         the part. Nothing is judged on rows that it learned from.{interval}{step}",
        facts.splits
    )
}

fn table(facts: &LearningFacts) -> DataTable {
    let number = |value: Option<f64>| value.map_or(String::new(), |v| plain(v, 4));
    let count = |value: Option<usize>| value.map_or(String::new(), |n| n.to_string());
    let rows = facts.sizes.iter().map(|size| {
        let estimate = size.estimate.as_ref();
        vec![
            size.n.map_or(String::new(), |n| plain(n, 1)),
            number(estimate.map(|of| of.estimate)),
            number(estimate.and_then(|of| of.lower)),
            number(estimate.and_then(|of| of.upper)),
            format!("{}", size.fraction),
            count(size.lowest),
            count(size.highest),
            match estimate {
                Some(of) => reasons(&of.failed_folds),
                None => size.missing.clone().unwrap_or_default(),
            },
        ]
    });
    let head = ["n", "est", "lo", "hi", "fraction", "least n", "greatest n", "failed"];
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Compared;

    fn size(fraction: f64, n: f64, value: Option<f64>) -> LearningSize {
        LearningSize {
            fraction,
            n: Some(n),
            lowest: Some(n as usize),
            highest: Some(n as usize),
            estimate: value.map(|estimate| Estimate {
                estimate,
                lower: Some(estimate - 0.1),
                upper: Some(estimate + 0.1),
                ..Estimate::default()
            }),
            missing: value.is_none().then(|| "one class".to_string()),
        }
    }

    fn facts(values: [Option<f64>; 3]) -> LearningFacts {
        let step = Compared {
            difference: 0.02,
            lower: Some(-0.03),
            upper: Some(0.07),
            p: Some(0.4),
            method: "paired".to_string(),
        };
        let fractions = [(0.25, 30.0), (0.5, 60.0), (1.0, 120.0)];
        let sizes = fractions.into_iter().zip(values);
        LearningFacts {
            repeats: 1,
            splits: 5,
            sizes: sizes.map(|((fraction, n), value)| size(fraction, n, value)).collect(),
            last_step: Some(step),
        }
    }

    #[test]
    fn the_heading_says_from_where_to_where_and_no_more() {
        let known = |facts: &LearningFacts| -> String {
            ends(("AUROC", &points(facts)), ("a", "30"), ("b", "120"))
        };
        let of = |first, last| known(&facts([Some(first), Some(0.7), Some(last)]));
        let went = "AUROC went from a with 30 patients to learn from to b with 120";
        assert_eq!((of(0.61, 0.72), of(0.72, 0.61)), (went.into(), went.into()));
        let same = "AUROC was a with 30 patients to learn from and b with 120";
        assert_eq!(of(0.701, 0.704), same);
    }

    #[test]
    fn the_last_step_is_told_by_its_interval() {
        let mut facts = facts([Some(0.6), Some(0.7), Some(0.72)]);
        assert!(certainty(&facts).contains("includes no change"));
        facts.last_step.as_mut().unwrap().lower = Some(0.01);
        assert!(certainty(&facts).contains("excludes no change"));
        facts.last_step = None;
        assert_eq!(certainty(&facts), "");
    }

    #[test]
    fn a_size_without_a_result_keeps_its_row_and_its_reason() {
        let table = table(&facts([None, Some(0.7), Some(0.72)]));
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[0], ["30.0", "", "", "", "0.25", "30", "30", "one class"]);
        assert_eq!(
            table.rows[2],
            ["120.0", "0.7200", "0.6200", "0.8200", "1", "120", "120", ""]
        );
        let failed = ["repeat 1, split 2: a", "repeat 1, split 3: a", "b"];
        assert_eq!(reasons(&failed.map(String::from)), "a; b");
    }
}
