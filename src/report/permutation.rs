//! What the whole procedure achieves on permuted outcomes, beside what it achieved on the true one.

use super::figure::{DataTable, Figure};
use super::plot::{Axis, Plot};
use super::shown::{Shown, escape, place, plain};
use super::standing::primary;
use super::svg::Anchor;
use crate::data::{AnalysisRecord, PermutationFacts};

/// Bars of the distribution.
const BARS: usize = 24;

/// None where no permutation was asked for.
pub fn figure(
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> Option<Figure<'static>> {
    let facts = analysis.permutation.as_ref()?;
    if facts.values.is_empty() {
        return None;
    }
    let all = facts.values.iter().copied().chain([facts.observed]);
    let low = all.clone().fold(f64::INFINITY, f64::min);
    let high = all.fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(0.02);
    let (from, to) = (low - span * 0.04, high + span * 0.06);
    let width = (to - from) / BARS as f64;
    let mut counts = [0usize; BARS];
    for value in &facts.values {
        let bar = (((value - from) / width) as usize).min(BARS - 1);
        counts[bar] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1) as f64;
    let metric = primary(analysis);
    let label = format!("{metric} on permuted outcomes");
    let x = Axis { from, to, label: &label };
    let y = Axis { from: 0.0, to: most * 1.18, label: "Permutations" };
    let mut plot = Plot::new(&x, &y, 0.0);
    for (bar, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let left = from + width * bar as f64;
        plot.bar("bar4", (left, left + width), *count as f64);
    }
    let observed = facts.observed;
    plot.line("line1", [(observed, 0.0), (observed, most * 1.05)].into_iter());
    let anchor = if observed > (from + to) / 2.0 { Anchor::End } else { Anchor::Start };
    plot.text(
        "k1",
        observed,
        most * 1.09,
        anchor,
        &format!("observed {}", plain(observed, 2)),
    );
    let at = format!("{}/permutation", place(name));
    let description = format!(
        "Observed {}; over {} permutations mean {}, {} at least as good.",
        plain(observed, 3),
        facts.times,
        plain(facts.mean, 3),
        facts.as_extreme
    );
    let picture = plot.svg.finish("The procedure on permuted outcomes", &description);
    let rows = facts.values.iter().enumerate();
    Some(Figure {
        id: "permutation",
        heading: format!(
            "{} of {} permutations came out at least as well as the true outcome: p = {}",
            shown.count(&format!("{at}/as_extreme")),
            shown.count(&format!("{at}/times")),
            shown.p(&format!("{at}/p"))
        ),
        sub: format!(
            "{} of the whole procedure on permuted outcomes{}, with what the true outcome gave over \
             as many repeats.{}",
            metric,
            match &facts.within {
                Some(column) => format!(", permuted within {column}"),
                None => String::new(),
            },
            match facts.times < PermutationFacts::LEAST {
                true => " Of so few permutations no p below 0.05 can come.",
                false => "",
            }
        ),
        body: format!(
            "<div class=\"pair beside\"><div>{picture}</div><div><table><tbody><tr><th scope=\"row\">\
             Observed {metric}</th><td class=\"r\">{}</td></tr><tr><th scope=\"row\">Mean of \
             permutations</th><td class=\"r\">{}</td></tr><tr><th scope=\"row\">Their standard \
             deviation</th><td class=\"r\">{}</td></tr><tr><th scope=\"row\">p</th><td class=\"r\">\
             {}</td></tr></tbody></table></div></div>",
            shown.number(&format!("{at}/observed"), 3),
            shown.number(&format!("{at}/mean"), 3),
            shown.number(&format!("{at}/sd"), 3),
            shown.p(&format!("{at}/p")),
            metric = escape(&metric),
        ),
        pictures: vec![picture],
        method: format!(
            "Splits, preparation, tuning and fits are repeated on each permuted outcome, with {} \
             {}; p = (b + 1) / (m + 1).",
            facts.repeats,
            if facts.repeats == 1 { "repeat" } else { "repeats" }
        ),
        table: DataTable {
            head: ["permutation", "value"].map(String::from).to_vec(),
            rows: rows
                .map(|(position, value)| {
                    vec![(position + 1).to_string(), plain(*value, 4)]
                })
                .collect(),
        },
    })
}
