//! Comparisons: models on the very same splits, with their differences.

use std::collections::BTreeSet;

use serde_json::json;

use super::figure::{DataTable, Figure};
use super::forest::{Forest, Row, Scale};
use super::shown::{Shown, counts_apart, escape, fill, place, plain};
use super::standing::{Standing, all, label, model, primary, role, whereabouts};
use crate::data::{AnalysisRecord, Compared, ComparisonFacts};
use crate::operation::prelude::*;

/// Every declared pair of models on identical splits: difference, interval, p and adjusted p; and the models
/// that were tried and are in no pair.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Comparisons {}

impl Operation for Comparisons {
    const ABOUT: About = About {
        name: "comparisons",
        title: "Comparisons on identical splits",
        // 1: declared pairs. 2: the values of both models, and models in no pair as well.
        version: 2,
        sources: &["delong1988", "holm1979", "nadeau2003"],
        example: "comparisons",
    };
}

impl Section for Comparisons {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Utility),
            fills: &[
                Fill::clear("41", &[Evidence::Comparisons]),
                Fill::metrics("23", &[Evidence::Predictors]),
                Fill::rqs("13a", &[Evidence::ClinicalModel]),
            ],
            figures: &["F14"],
        };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let simulated = record.study.simulated;
        let mut fragment = Fragment::default();
        let figure = match record.comparisons.is_empty() {
            true => None,
            false => Some(figure(record, &shown).into_html(simulated, &mut fragment)?),
        };
        let row = |at: usize| {
            let facts = &record.comparisons[at];
            let both = [&facts.better, &facts.than];
            let values = both.map(|name| value(&shown, name, &facts.metric));
            let path = format!("/comparisons/{at}");
            json!({
                "pair": pair(record, facts),
                "values": values,
                "difference": shown.signed(&format!("{path}/result/difference"), 3),
                "interval": shown.interval(&format!("{path}/result"), 3),
                "p": shown.p(&format!("{path}/result/p")),
                "adjusted": shown.p(&format!("{path}/p_adjusted")),
                "method": match &facts.result {
                    Some(result) => counts_apart(&result.method),
                    None if shown.is_hidden(&format!("{path}/result")) => "hidden".to_string(),
                    None => "not computed".to_string(),
                },
            })
        };
        let groups = places(record).into_iter().map(|(heading, pairs)| {
            json!({ "heading": heading, "rows": pairs.into_iter().map(row).collect::<Vec<_>>() })
        });
        let groups: Vec<_> = groups.collect();
        let unpaired = unpaired(record).map(|(name, of)| {
            json!({
                "model": model(of),
                "role": role(record, of),
                "outcome": label(record, &of.outcome),
                "place": place_of(record, of),
                "metric": primary(of),
                "value": value(&shown, name, &of.primary),
            })
        });
        fragment.html = fill(
            "comparisons.html",
            json!({
                "simulated": simulated,
                "figure": figure,
                "groups": groups,
                "unpaired": unpaired.collect::<Vec<_>>(),
                "adjusted": record.comparisons.iter().any(|c| c.p_adjusted.is_some()),
            }),
        )?;
        Ok(fragment)
    }
}

/// Every analysis that is in no pair, where there are several models at all.
fn unpaired(record: &StudyRecord) -> impl Iterator<Item = (&String, &AnalysisRecord)> {
    let paired = |name: &String| {
        let mut pairs = record.comparisons.iter();
        pairs.any(|facts| [&facts.better, &facts.than].contains(&name))
    };
    let models: BTreeSet<String> = all(record).map(|(_, of)| model(of)).collect();
    let several = models.len() > 1;
    all(record).filter(move |(name, _)| several && !paired(name))
}

/// A metric of an analysis with its interval, or that there is none. HTML.
fn value(shown: &Shown, name: &str, metric: &str) -> String {
    let path = format!("{}/performance/{metric}", place(name));
    match shown.is_hidden(&path) || shown.has(&format!("{path}/estimate")) {
        true => shown.estimate(&path, 3),
        false => "not computed".to_string(),
    }
}

/// Every pair with the values of both, and every model that is in none.
fn table(record: &StudyRecord, shown: &Shown) -> DataTable {
    let head = [
        "model", "than", "outcome", "place", "metric", "est", "est_than", "diff", "lo",
        "hi", "p", "p_adj", "note",
    ];
    let number = |value: Option<f64>| value.map_or(String::new(), |of| plain(of, 4));
    let estimate = |name: &String, metric: &str| {
        let of = record.analyses.get(name);
        number(of.and_then(|of| Some(of.performance.get(metric)?.estimate)))
    };
    let about = |name: &String| {
        let of = record.analyses.get(name);
        of.map_or_else(
            || [name.clone(), String::new(), String::new()],
            |of| [model(of), of.outcome.clone(), place_of(record, of)],
        )
    };
    let pairs = record.comparisons.iter().enumerate().map(|(at, facts)| {
        let [better, outcome, place] = about(&facts.better);
        let [than, ..] = about(&facts.than);
        let result = facts.result.as_ref();
        let of = |end: fn(&Compared) -> Option<f64>| number(result.and_then(end));
        vec![
            better,
            than,
            outcome,
            place,
            facts.metric.clone(),
            estimate(&facts.better, &facts.metric),
            estimate(&facts.than, &facts.metric),
            of(|result| Some(result.difference)),
            of(|result| result.lower),
            of(|result| result.upper),
            of(|result| result.p),
            number(facts.p_adjusted),
            note(record, shown, at, facts),
        ]
    });
    let alone = unpaired(record).map(|(name, of)| {
        let [known, outcome, place] = about(name);
        let mut row = vec![String::new(); head.len()];
        (row[0], row[2], row[3]) = (known, outcome, place);
        (row[4], row[5]) = (of.primary.clone(), estimate(name, &of.primary));
        row[head.len() - 1] = "in no declared pair".to_string();
        row
    });
    let rows = pairs.chain(alone).collect();
    DataTable { head: head.map(String::from).to_vec(), rows }
}

/// How a difference was made, or why there is none.
fn note(
    record: &StudyRecord,
    shown: &Shown,
    at: usize,
    facts: &ComparisonFacts,
) -> String {
    match &facts.result {
        Some(result) => result.method.clone(),
        None if shown.is_hidden(&format!("/comparisons/{at}/result")) => {
            "hidden: a cell is small".to_string()
        }
        None => {
            let both = [&facts.better, &facts.than].into_iter();
            let mut metrics = both
                .filter_map(|name| record.analyses.get(name))
                .flat_map(|of| &of.metrics)
                .filter(|metric| metric.name == facts.metric);
            match metrics.find_map(|metric| metric.missing.as_deref()) {
                Some(why) => format!("not computed: {why}"),
                None => "not computed".to_string(),
            }
        }
    }
}

fn pair(record: &StudyRecord, facts: &ComparisonFacts) -> String {
    let name =
        |name: &String| record.analyses.get(name).map_or_else(|| name.clone(), model);
    format!("{} less {}", name(&facts.better), name(&facts.than))
}

fn place_of(record: &StudyRecord, analysis: &AnalysisRecord) -> String {
    format!("{}, {}", whereabouts(record, analysis), analysis.cohort)
}

/// The pairs by outcome and place, in written order: what was compared on the same rows stands together.
fn places(record: &StudyRecord) -> Vec<(String, Vec<usize>)> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (at, facts) in record.comparisons.iter().enumerate() {
        let known = record.analyses.get(&facts.better);
        let heading = known.map_or(String::new(), |known| {
            format!("{}: {}", label(record, &known.outcome), place_of(record, known))
        });
        match groups.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, pairs)) => pairs.push(at),
            None => groups.push((heading, vec![at])),
        }
    }
    groups
}

fn figure(record: &StudyRecord, shown: &Shown) -> Figure<'static> {
    let row = |at: usize| {
        let facts = &record.comparisons[at];
        let known = record.analyses.get(&facts.better);
        let result = facts.result.as_ref();
        Row {
            label: pair(record, facts),
            key: "difference",
            path: result.map(|_| format!("/comparisons/{at}/result")),
            estimate: result.map(|result| result.difference),
            lower: result.and_then(|result| result.lower),
            upper: result.and_then(|result| result.upper),
            note: note(record, shown, at, facts),
            series: known.map_or(1, |known| Standing::of(record, known).series()),
            ..Row::default()
        }
    };
    let rows = places(record).into_iter().flat_map(|(label, pairs)| {
        let heading = Row { label, heading: true, ..Row::default() };
        std::iter::once(heading).chain(pairs.into_iter().map(row))
    });
    let rows: Vec<Row> = rows.collect();
    let metric = record
        .comparisons
        .iter()
        .find_map(|facts| record.analyses.get(&facts.better))
        .map_or("metric".to_string(), primary);
    let forest = Forest {
        title: "Differences between models",
        description: format!(
            "Difference of {metric} between two models on identical splits, one line per pair."
        ),
        axis: format!("Difference of {metric}"),
        what: "Pair",
        each: "pair",
        over: "judged",
        reference: Some((0.0, "none")),
        scale: Scale::Difference,
        rows,
    };
    let picture = forest.draw(shown);
    Figure {
        id: "differences",
        heading: heading(record, shown, &metric),
        sub: "The first of each pair was expected to be better; to the right of the line it is."
            .to_string(),
        body: Forest::boxed(&picture, "Differences between models"),
        pictures: vec![picture],
        method: "Both models on the very same held-out rows. Inside a cohort the differences by \
                 fold with the corrected resampled variance, outside the paired differences of \
                 DeLong, or their spread over resamples where rows are drawn together and by \
                 another metric than the AUROC. Pairs were declared beforehand, and intervals are \
                 of each pair alone: only p is adjusted for the number of pairs."
            .to_string(),
        table: table(record, shown),
    }
}

fn heading(record: &StudyRecord, shown: &Shown, metric: &str) -> String {
    let Some((facts, result)) = record
        .comparisons
        .first()
        .and_then(|facts| Some((facts, facts.result.as_ref()?)))
    else {
        return "The first declared comparison has no result".to_string();
    };
    let name = |name: &String| {
        let known = record.analyses.get(name);
        escape(&known.map_or_else(|| name.clone(), model))
    };
    let (better, than) = (name(&facts.better), name(&facts.than));
    let difference = shown.signed("/comparisons/0/result/difference", 2);
    let metric = escape(metric);
    match (result.lower, result.upper) {
        (Some(lower), _) if lower > 0.0 => format!(
            "{better} differs from {than} by {difference} in {metric}, more than chance allows \
             before any adjustment"
        ),
        (_, Some(upper)) if upper < 0.0 => format!(
            "{better} was expected to be better than {than} and is worse: {difference} in {metric}"
        ),
        (Some(_), Some(_)) => format!(
            "{better} is not shown to differ from {than}: {difference} in {metric}, and the \
             interval includes 0"
        ),
        _ => format!(
            "{better} differs from {than} by {difference} in {metric}; no interval"
        ),
    }
}
