//! Features: which columns the fits of the splits chose, and how alike they are.

use serde_json::{Value as Json, json};

use super::figure::{DataTable, Figure};
use super::forest::distinct;
use super::named;
use super::shown::{Shown, fill, place, plain, without_tags};
use super::standing::headline;
use super::svg::Anchor;
use crate::data::{ClusterFacts, ReductionFacts, SelectionFacts, SimilarFacts};
use crate::operation::prelude::*;

/// How often each column was chosen over all outer fits, which columns take each other's place, how many each
/// step leaves, and a chance-corrected index of stability with its interval.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Features {}

impl Operation for Features {
    const ABOUT: About = About {
        name: "features",
        title: "Features and genes",
        // 1: frequencies and the index. 2: families, clusters of columns that say the same, columns by
        // step.
        version: 2,
        sources: &["nogueira2018", "sechidis2019", "tolosi2011"],
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
                Fill::ibsi("60", &[Evidence::Setting]),
                Fill::ibsi("74", &[Evidence::Selection, Evidence::Collinearity]),
                Fill::rqs("5a", &[Evidence::Reduction]),
            ],
            figures: &["F10"],
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
        let averages = headline(record).is_some_and(|(_, analysis)| analysis.averages());
        let of_headline = headline(record)
            .and_then(|(name, analysis)| Some((name, analysis.selection.as_ref()?)));
        let mut figures = Vec::new();
        let (mut chosen, mut alike) = (None, None);
        if let Some((name, selection)) = of_headline {
            let stable = figure(&shown, name, selection, averages);
            figures.push(stable.into_html(simulated, &mut fragment)?);
            if selection.reduction.len() > 1 {
                let steps = by_step(&shown, name, selection, averages);
                figures.push(steps.into_html(simulated, &mut fragment)?);
            }
            chosen = Some(choices(&shown, name, selection));
            alike = selection.similar.as_ref().map(|of| clusters(&shown, name, of));
        }
        let by_fit = chosen_by_fit(record);
        if !by_fit.rows.is_empty() {
            fragment.tables.push(("selected.csv".to_string(), by_fit.csv(simulated)));
        }
        fragment.html = fill(
            "features.html",
            json!({
                "simulated": simulated, "figures": figures, "choices": chosen,
                "alike": alike, "averages": averages,
            }),
        )?;
        Ok(fragment)
    }
}

/// The columns that each outer fit chose, of every analysis in which fits differ: what the index of
/// stability is computed from.
fn chosen_by_fit(record: &StudyRecord) -> DataTable {
    let mut rows = Vec::new();
    for (name, analysis) in &record.analyses {
        let Some(selection) = &analysis.selection else { continue };
        for fit in &selection.by_fit {
            let [repeat, split] =
                [fit.repeat, fit.outer].map(|number| number.to_string());
            let mut add = |feature: &str| {
                let place = [name.clone(), repeat.clone(), split.clone()];
                rows.push([&place[..], &[feature.to_string()]].concat());
            };
            fit.columns.iter().for_each(|&at| add(&selection.columns[at].name));
            // A fit counts in the index also where it chose nothing.
            if fit.columns.is_empty() {
                add("");
            }
        }
    }
    DataTable {
        head: ["analysis", "repeat", "split", "feature"].map(String::from).to_vec(),
        rows,
    }
}

/// Columns that are drawn; the table has all.
const DRAWN: usize = 20;
/// Where the number of the cluster stands, the room it needs, and that of counts beside bars. Units: pixels.
const CLUSTER: f64 = 248.0;
const CLUSTERS: f64 = 50.0;
const COUNTS: f64 = 64.0;
const RANGES: f64 = 144.0;

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
        "without": (selection.without_columns > 0)
            .then(|| shown.count(&format!("{at}/without_columns"))),
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
    let mut svg = named::picture(selection.columns.len().min(DRAWN), 0.0);
    svg.text("strong", (0.0, 20.0), Anchor::Start, "Column");
    let clusters = selection.similar.as_ref().is_some_and(|of| !of.clusters.is_empty());
    if clusters {
        svg.text("strong", (CLUSTER, 20.0), Anchor::Middle, "Cluster");
    }
    svg.text("strong", (named::WIDTH, 20.0), Anchor::End, "Chosen in");
    let bar = named::WIDTH - COUNTS - if clusters { CLUSTERS } else { 0.0 };
    let fits = selection.fits.max(1) as f64;
    let labels: Vec<&str> = drawn.clone().map(|column| column.name.as_str()).collect();
    let labels = distinct(&labels, named::NAME);
    for (position, column) in drawn.enumerate() {
        let y = named::line(&mut svg, position, &labels[position]);
        let width = (column.n as f64 / fits * bar).max(1.0);
        svg.rect("track", (0.0, y - 4.0), (bar, 8.0));
        svg.rect("bar1", (0.0, y - 4.0), (width, 8.0));
        let number = shown.count(&format!("{at}/columns/{position}/n"));
        svg.numbers("", (named::WIDTH, y + 4.0), Anchor::End, &number);
        if let Some((cluster, _)) = cluster(selection, &column.name) {
            svg.text("", (CLUSTER, y + 4.0), Anchor::Middle, &cluster.to_string());
        }
    }
    let top = selection.columns.iter().take(5);
    let top: Vec<String> =
        top.map(|column| format!("{} ({})", column.name, column.n)).collect();
    let index = match &selection.stability {
        Some(_) => format!(
            " Stability index {} ({}).",
            without_tags(&shown.number(&format!("{at}/stability/index"), 2)),
            without_tags(&shown.interval(&format!("{at}/stability"), 2))
        ),
        None => String::new(),
    };
    let most = match top.is_empty() {
        true => "none was chosen".to_string(),
        false => format!("most often {}", top.join(", ")),
    };
    let description = format!(
        "How many of {} outer fits chose each column; {most}.{index}",
        selection.fits,
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
            shown.mean_count(&format!("{at}/mean_columns"), 1),
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
        body: named::boxed(&picture, "Columns by how often they were chosen"),
        pictures: vec![picture],
        method: format!(
            "Nogueira’s index over all outer fits, corrected for chance, with its approximate \
             95 % interval; fits share training rows, so that the interval is too narrow. None is \
             given where every fit kept all columns.{}{} The family that the table has of a column is what \
             its block or, in the words of common extractors, its name says.",
            match selection.by_fit.is_empty() {
                true => "",
                false => " tables/selected.csv names the columns of every fit.",
            },
            selection.similar.as_ref().map_or(String::new(), words_of_clusters)
        ),
        table: DataTable {
            head: ["feature", "family", "freq", "fits", "of", "cluster", "cluster_fits"]
                .map(String::from)
                .to_vec(),
            rows: selection
                .columns
                .iter()
                .map(|column| {
                    let (number, of_cluster) = match cluster(selection, &column.name) {
                        Some((number, of)) => (number.to_string(), of.n.to_string()),
                        None => (String::new(), String::new()),
                    };
                    vec![
                        column.name.clone(),
                        column.family.clone(),
                        plain(column.n as f64 / fits, 3),
                        column.n.to_string(),
                        selection.fits.to_string(),
                        number,
                        of_cluster,
                    ]
                })
                .collect(),
        },
    }
}

/// The cluster of a column with its number, if it is in one.
fn cluster<'s>(
    selection: &'s SelectionFacts,
    column: &str,
) -> Option<(usize, &'s ClusterFacts)> {
    let clusters = selection.similar.iter().flat_map(|of| &of.clusters);
    let mut numbered = clusters.enumerate().map(|(at, of)| (at + 1, of));
    numbered.find(|(_, of)| of.columns.iter().any(|name| name == column))
}

/// How clusters were made.
fn words_of_clusters(similar: &SimilarFacts) -> String {
    format!(
        " Clusters: any two columns of one have a Spearman correlation of at least {} (complete linkage, \
         absolute values) on all rows of the scheme, before any step and without a look at the outcome; \
         {}{}. A fit may choose either of a cluster, which no index by names forgives.",
        plain(similar.at_least, 1),
        match similar.among == similar.of {
            true => "all columns that any fit chose were compared".to_string(),
            false => format!(
                "{} of {} columns that any fit chose were compared",
                similar.among, similar.of
            ),
        },
        match similar.among == similar.of {
            true => "",
            false =>
                ", without those that preparation makes of several and the seldom chosen",
        }
    )
}

/// The clusters, with how often any column of each was chosen.
fn clusters(shown: &Shown, name: &str, similar: &SimilarFacts) -> Json {
    let at = format!("{}/selection/similar/clusters", place(name));
    let rows = similar.clusters.iter().take(DRAWN).enumerate().map(|(position, of)| {
        json!({
            "number": position + 1,
            "columns": of.columns,
            "n": shown.count(&format!("{at}/{position}/n")),
            "least": shown.number(&format!("{at}/{position}/least"), 2),
        })
    });
    json!({
        "rows": rows.collect::<Vec<_>>(),
        "further": similar.clusters.len().saturating_sub(DRAWN),
        "at_least": plain(similar.at_least, 1),
    })
}

/// Columns from the tables to the learner, step by step.
fn by_step(
    shown: &Shown,
    name: &str,
    selection: &SelectionFacts,
    averages: bool,
) -> Figure<'static> {
    let at = format!("{}/selection/reduction", place(name));
    let label = |of: &ReductionFacts| match (of.stage.as_str(), &of.step, &of.selector) {
        ("tables", ..) => "in the tables".to_string(),
        // A selector that is one step is called after it.
        (_, Some(step), Some(selector)) if step != selector => {
            format!("after {step} ({selector})")
        }
        (_, Some(step), _) => format!("after {step}"),
        _ => "reach the learner".to_string(),
    };
    let most = selection.reduction.iter().map(|of| of.highest).max().unwrap_or(1).max(1);
    let labels: Vec<String> = selection.reduction.iter().map(label).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let labels = distinct(&labels, named::NAME);
    let mut svg = named::picture(selection.reduction.len(), 0.0);
    svg.text("strong", (0.0, 20.0), Anchor::Start, "Columns");
    svg.text("strong", (named::WIDTH, 20.0), Anchor::End, "Median (range)");
    let value = |position: usize, of: &ReductionFacts| {
        let at = format!("{at}/{position}");
        let digits = usize::from(of.median.fract() != 0.0);
        let median = shown.mean_count(&format!("{at}/median"), digits);
        // A range of one number says nothing that the median does not.
        match of.lowest == of.highest {
            true => median,
            false => format!(
                "{median} ({}–{})",
                shown.count(&format!("{at}/lowest")),
                shown.count(&format!("{at}/highest"))
            ),
        }
    };
    let mut told = Vec::new();
    for (position, of) in selection.reduction.iter().enumerate() {
        let name = &labels[position];
        let y = named::line(&mut svg, position, name);
        let bar = named::WIDTH - RANGES;
        let across = |n: f64| n / most as f64 * bar;
        svg.rect("track", (0.0, y - 4.0), (bar, 8.0));
        svg.rect("bar1", (0.0, y - 4.0), (across(of.median).max(1.0), 8.0));
        let range = [of.lowest, of.highest].map(|n| (across(n as f64), y));
        if of.lowest < of.highest {
            svg.line("range", range[0], range[1]);
            for (at, y) in range {
                svg.line("range", (at, y - 4.0), (at, y + 4.0));
            }
        }
        let numbers = value(position, of);
        svg.numbers("", (named::WIDTH, y + 4.0), Anchor::End, &numbers);
        told.push(format!("{} {name}", without_tags(&numbers)));
    }
    let picture = svg.finish(
        "Columns by step",
        &format!(
            "Median number of columns, with the range over outer fits: {}.",
            told.join("; ")
        ),
    );
    let last = selection.reduction.len() - 1;
    let learner = if averages { "a learner of those averaged" } else { "the learner" };
    let (first, reach) = (&selection.reduction[0], &selection.reduction[last]);
    let (given, learnt) = (value(0, first), value(last, reach));
    let spread = match reach.lowest == reach.highest {
        true => "as the median of outer fits",
        false => "as median and range of outer fits",
    };
    let (same, more) = (
        [first.highest, reach.lowest, reach.highest].iter().all(|n| *n == first.lowest),
        reach.median > first.median,
    );
    let heading = match (same, more) {
        (true, _) => format!("All {given} columns reach {learner} in every outer fit"),
        // A step that encodes categories makes columns.
        (false, true) => {
            format!("{given} columns become {learnt} that reach {learner}, {spread}")
        }
        (false, false) => {
            format!("Of {given} columns {learnt} reach {learner}, {spread}")
        }
    };
    Figure {
        id: "columns-by-step",
        heading,
        sub: "Columns after each step, the median of the outer fits that take it; the line is the range."
            .to_string(),
        body: named::boxed(&picture, "Columns by step"),
        pictures: vec![picture],
        method: format!(
            "Counted in every outer fit, where each step is fitted on the training rows of the split; \
             steps of selection are those of the selectors that were chosen{}. A step that encodes \
             categories makes columns.",
            match averages {
                true => ", averaged candidates one by one",
                false => "",
            }
        ),
        table: DataTable {
            head: ["stage", "selector", "step", "fits", "median", "lowest", "highest"]
                .map(String::from)
                .to_vec(),
            rows: selection
                .reduction
                .iter()
                .map(|of| {
                    vec![
                        of.stage.clone(),
                        of.selector.clone().unwrap_or_default(),
                        of.step.clone().unwrap_or_default(),
                        of.fits.to_string(),
                        plain(of.median, 1),
                        of.lowest.to_string(),
                        of.highest.to_string(),
                    ]
                })
                .collect(),
        },
    }
}
