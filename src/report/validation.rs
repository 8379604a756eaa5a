//! Validation and centres: inside, site by site, and outside, each called by its name.

use serde_json::{Value as Json, json};

use super::calibration::first_upper;
use super::discrimination::SMOOTH;
use super::figure::{DataTable, Figure};
use super::forest::{Counted, Forest, Row, Scale};
use super::roc;
use super::shown::{Shown, escape, fill, place, plain};
use super::standing::{
    Standing, chance, headline, model, primary, same_question, whereabouts,
};
use crate::data::{AnalysisRecord, Better, FrozenFacts, MetricFacts};
use crate::operation::prelude::*;

/// The headline's question judged inside, on sites held out one at a time, and on other cohorts.
///
/// Internal estimates are of the procedure, which chooses anew in every fold; those of a sealed
/// cohort are of the one frozen model. Other sites of the same archive are not called external.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Validation {}

impl Operation for Validation {
    const ABOUT: About = About {
        name: "validation",
        title: "Validation and centres",
        // 1: inside, site by site and outside. 2: the frozen model on the rows it was fitted on as well.
        // 3: the variance between sites.
        version: 3,
        sources: &[
            "collins2024",
            "delong1988",
            "hartung2001",
            "higgins2002",
            "higgins2009",
            "viechtbauer2005",
        ],
        example: "validation",
    };
}

impl Section for Validation {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Validation),
            fills: &[
                Fill::tripod("12f", &[Evidence::FrozenModel]),
                Fill::tripod("12g", &[Evidence::FrozenModel]),
                Fill::tripod("16", &[Evidence::Shift]),
                Fill::tripod("23b", &[Evidence::Sites]),
                Fill::tripod("24", &[]),
                Fill::tripod("12d", &[Evidence::Sites]),
                Fill::clear("38", &[Evidence::Splits]),
                Fill::metrics("26", &[Evidence::Splits]),
                Fill::metrics("27", &[Evidence::External]),
                Fill::rqs("12a", &[Evidence::SameInstitute]),
                Fill::rqs("12b", &[Evidence::OtherInstitute]),
                Fill::rqs("12c", &[Evidence::TwoInstitutes]),
                Fill::rqs("12d", &[Evidence::ThreeInstitutes]),
            ],
            figures: &["F8", "F9"],
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
        let Some((_, of)) = headline(record) else {
            return Ok(fragment);
        };
        let asked: Vec<(&String, &AnalysisRecord)> = same_question(record, of).collect();
        let mut figures = Vec::new();
        if asked.len() > 1 {
            let figure = side_by_side(record, &shown, &asked);
            figures.push(figure.into_html(simulated, &mut fragment)?);
        }
        let external: Vec<_> =
            asked.iter().copied().filter(|(_, a)| a.frozen.is_some()).collect();
        if !external.is_empty() {
            let figure = curves(record, &shown, &asked);
            figures.push(figure.into_html(simulated, &mut fragment)?);
        }
        for (position, (name, analysis)) in asked.iter().enumerate() {
            if !analysis.sites.is_empty() {
                let id = format!("sites-{}", position + 1);
                let figure = sites(&shown, &id, name, analysis);
                figures.push(figure.into_html(simulated, &mut fragment)?);
            }
        }
        let frozen = external.iter().map(|(name, analysis)| {
            let frozen = analysis.frozen.as_ref();
            frozen.map(|facts| frozen_model(record, &shown, name, analysis, facts))
        });
        fragment.html = fill(
            "validation.html",
            json!({
                "simulated": simulated,
                "figures": figures,
                "frozen": frozen.flatten().collect::<Vec<_>>(),
                "outside": asked.iter().any(|(_, a)| a.kind == "external"),
                "sites": asked.iter().any(|(_, a)| a.kind == "sites"),
            }),
        )?;
        Ok(fragment)
    }
}

/// Curves on one pair of axes that a reader can tell apart.
const DRAWN: usize = 4;

/// Class of the marks of what is shown and counts for nothing.
const APPARENT: usize = 4;

/// The frozen model on the rows that it was fitted on, which every cohort that it met tells alike.
struct Fitted<'a> {
    facts: &'a FrozenFacts,
    /// The place of these facts.
    path: String,
}

impl<'a> Fitted<'a> {
    fn of(asked: &[(&'a String, &'a AnalysisRecord)]) -> Option<Self> {
        asked.iter().find_map(|(name, analysis)| {
            let facts = analysis.frozen.as_ref()?;
            // Whatever was hidden of it, which analysis it stands beside is told.
            let known = !facts.apparent.performance.is_empty()
                || facts.apparent.against.is_some();
            let path = format!("{}/frozen", place(name));
            known.then_some(Self { facts, path })
        })
    }

    fn row(&self, shown: &Shown, metric: &str) -> Row {
        let at = format!("{}/apparent/performance/{metric}", self.path);
        let blurred = shown.is_hidden(&at);
        let estimate = self.facts.apparent.performance.get(metric);
        let estimate = estimate.filter(|_| !blurred);
        Row {
            label: "apparent: the rows it was fitted on".to_string(),
            path: estimate.map(|_| at),
            counted: Some(Counted {
                n: self.facts.n,
                n_positive: self.facts.n_positive,
                place: self.path.clone(),
            }),
            estimate: estimate.map(|estimate| estimate.estimate),
            lower: estimate.and_then(|estimate| estimate.lower),
            upper: estimate.and_then(|estimate| estimate.upper),
            note: match estimate {
                Some(estimate) => estimate.method.clone(),
                None if shown.protects => "hidden: a cell is small".to_string(),
                None => "not computed".to_string(),
            },
            series: APPARENT,
            ..Row::default()
        }
    }

    /// How much better the model does there by the primary metric, and what that is worth. HTML.
    fn told(&self, record: &StudyRecord, shown: &Shown) -> String {
        let apparent = &self.facts.apparent;
        let against = apparent.against.as_ref();
        let against = against.and_then(|against| record.analyses.get(against));
        let known = against.filter(|of| apparent.optimism.contains_key(&of.primary));
        let optimism = known.map_or(String::new(), |of| {
            let path = format!("{}/apparent", self.path);
            format!(
                "On the rows that it was fitted on the frozen model has {} {}; less the value on \
                 held-out rows of the same cohort ({}) this is {}, the optimism of the apparent \
                 value. ",
                escape(&primary(of)),
                shown.measured(&format!("{path}/performance/{}", of.primary), 2),
                escape(&of.scheme_text),
                shown.signed(&format!("{path}/optimism/{}", of.primary), 2)
            )
        });
        format!(
            "<p class=\"sub\">{optimism}Apparent performance is no estimate of performance: a model predicts what it \
             was chosen and fitted by better than what it has not seen.</p>"
        )
    }
}

/// How the intervals of single sites were made, each way once.
fn each_site(analysis: &AnalysisRecord) -> String {
    let mut ways: Vec<&str> = Vec::new();
    for site in analysis.sites.iter().filter(|site| site.lower.is_some()) {
        if !site.method.is_empty() && !ways.contains(&site.method.as_str()) {
            ways.push(&site.method);
        }
    }
    match ways.as_slice() {
        [] => String::new(),
        ways => format!("Of a site: {}.", ways.join("; or ")),
    }
}

/// What the values of such places are of, and why they differ in more than chance.
fn what_is_judged(standings: &[Standing]) -> &'static str {
    let inside = |standing: &Standing| {
        matches!(standing, Standing::Internal | Standing::SiteBySite)
    };
    let sites = standings.contains(&Standing::SiteBySite);
    match (standings.iter().all(inside), sites) {
        (false, false) => {
            "Internal values are of the procedure, which chooses and fits anew in every fold; those \
             of another cohort are of the one frozen model. They answer different questions."
        }
        (false, true) => {
            "Internal values and those site by site are of the procedure, which chooses and fits anew \
             in every fold; those of another cohort are of the one frozen model. They answer different \
             questions."
        }
        (true, true) if standings.contains(&Standing::Internal) => {
            "All values are of the procedure, which chooses and fits anew in every fold. Rows that are \
             held out at random share sites with training rows, a site that is held out does not. They \
             answer different questions."
        }
        (true, _) => {
            "All values are of the procedure, which chooses and fits anew in every fold."
        }
    }
}

/// Every metric of the same question, judged in each place.
fn side_by_side(
    record: &StudyRecord,
    shown: &Shown,
    asked: &[(&String, &AnalysisRecord)],
) -> Figure<'static> {
    let mut metrics: Vec<&MetricFacts> = Vec::new();
    for metric in asked.iter().flat_map(|(_, analysis)| &analysis.metrics) {
        if !metrics.iter().any(|known| known.name == metric.name) {
            metrics.push(metric);
        }
    }
    let fitted = Fitted::of(asked);
    let mut panels: Vec<Panel> = Vec::new();
    for facts in metrics {
        let (metric, title) = (facts.name.as_str(), facts.title.as_str());
        let mut rows = Vec::new();
        rows.push(Row { label: title.to_string(), heading: true, ..Row::default() });
        rows.extend(fitted.as_ref().map(|fitted| fitted.row(shown, metric)));
        for (name, analysis) in asked {
            let standing = Standing::of(record, analysis);
            let label = match standing {
                Standing::External => format!("external, {}", analysis.cohort),
                _ => whereabouts(record, analysis),
            };
            let at = format!("{}/performance/{metric}", place(name));
            let blurred = shown.is_hidden(&at);
            let estimate = analysis.performance.get(metric).filter(|_| !blurred);
            let measured = analysis.metrics.iter().any(|known| known.name == metric);
            if !measured {
                continue;
            }
            rows.push(Row {
                label,
                path: estimate.map(|_| at),
                counted: Some(Counted::of(name, analysis)),
                estimate: estimate.map(|estimate| estimate.estimate),
                lower: estimate.and_then(|estimate| estimate.lower),
                upper: estimate.and_then(|estimate| estimate.upper),
                prediction: estimate.and_then(|estimate| estimate.prediction),
                note: match estimate {
                    Some(estimate) => estimate.method.clone(),
                    None if blurred => "hidden: a cell is small".to_string(),
                    None => "not computed".to_string(),
                },
                series: standing.series(),
                ..Row::default()
            });
        }
        add(&mut panels, facts, rows);
    }
    let forests: Vec<Forest<'_>> = panels
        .into_iter()
        .map(|panel| Forest {
            title: "The same model, judged in several places",
            description: match fitted {
                Some(_) => {
                    "Each measure on the rows that the model was fitted on, inside, site by site \
                     and outside, with its interval."
                }
                None => "Each measure inside, site by site and outside, with its interval.",
            }
            .to_string(),
            axis: panel.axis,
            what: "Measure and place",
            each: "set",
            over: "metric",
            reference: panel.best.map(|best| (best, "ideal")),
            scale: if panel.shares { Scale::Share } else { Scale::Free },
            rows: panel.rows,
        })
        .collect();
    let pictures: Vec<String> = forests.iter().map(|forest| forest.draw(shown)).collect();
    let boxes = forests.iter().zip(&pictures).map(|(forest, picture)| {
        let label = format!("{}: {}", forest.title, forest.axis);
        Forest::boxed(picture, &label)
    });
    let boxes: String = boxes.collect();
    let mut table = DataTable { head: Vec::new(), rows: Vec::new() };
    for forest in &forests {
        let of = forest.table();
        table.head = of.head;
        table.rows.extend(of.rows);
    }
    let drawn = || forests.iter().flat_map(|forest| &forest.rows);
    let standings: Vec<Standing> =
        asked.iter().map(|(_, analysis)| Standing::of(record, analysis)).collect();
    Figure {
        id: "places",
        heading: places(record, shown, asked),
        sub: [
            (APPARENT, "Triangle: apparent, the frozen model on the rows it was fitted on."),
            (Standing::Internal.series(), "Circle: internal."),
            (
                Standing::SiteBySite.series(),
                match drawn().any(|row| row.prediction.is_some()) {
                    true => {
                        "Diamond: sites held out one at a time, with the prediction interval below."
                    }
                    false => "Diamond: sites held out one at a time.",
                },
            ),
            (
                Standing::External.series(),
                "Square: a cohort that the frozen model met once.",
            ),
        ]
        .into_iter()
        .filter(|(series, _)| drawn().any(|row| row.series == *series))
        .map(|(_, words)| words)
        .collect::<Vec<_>>()
        .join(" "),
        body: format!(
            "{boxes}{}",
            fitted.as_ref().map_or(String::new(), |fitted| fitted.told(record, shown))
        ),
        pictures,
        method: format!(
            "{}{}",
            what_is_judged(&standings),
            match fitted {
                Some(_) =>
                    " Apparent values have the intervals of one set of rows, which leave out that the \
                     model has seen these rows; they are no estimate of performance.",
                None => "",
            }
        ),
        table,
    }
}

/// Measures that are drawn over one axis.
struct Panel {
    axis: String,
    /// The value that is right, where neither a higher nor a lower one is better.
    best: Option<f64>,
    /// Whether all of it lies from 0 to 1.
    shares: bool,
    rows: Vec<Row>,
}

/// Puts a measure to those whose values are shares as well; one of another scale has an axis of its own,
/// which would make differences of shares too small to see.
fn add(panels: &mut Vec<Panel>, facts: &MetricFacts, rows: Vec<Row>) {
    let best = match facts.better {
        Better::Nearer(best) => Some(best),
        Better::Higher | Better::Lower => None,
    };
    let within = |value: f64| (0.0..=1.0).contains(&value);
    let ends = rows.iter().flat_map(|row| {
        let (from, to) = row.prediction.unzip();
        [row.estimate, row.lower, row.upper, from, to]
    });
    let shares = best.is_none() && ends.flatten().all(within);
    match panels.iter_mut().find(|panel| shares && panel.shares) {
        Some(panel) => {
            panel.axis = "Value".to_string();
            panel.rows.extend(rows);
        }
        None => panels.push(Panel { axis: facts.title.clone(), best, shares, rows }),
    }
}

fn places(
    record: &StudyRecord,
    shown: &Shown,
    asked: &[(&String, &AnalysisRecord)],
) -> String {
    let one = |(name, analysis): &(&String, &AnalysisRecord)| {
        let path = format!("{}/performance/{}", place(name), analysis.primary);
        let known = analysis.performance.contains_key(&analysis.primary);
        let value = match known || shown.is_hidden(&path) {
            true => shown.number(&format!("{path}/estimate"), 2),
            false => "not computed".to_string(),
        };
        let standing = Standing::of(record, analysis);
        let cohort = match standing {
            Standing::External => format!(", {}", escape(&analysis.cohort)),
            _ => String::new(),
        };
        let called = escape(&whereabouts(record, analysis));
        format!("{value} {called}{cohort}")
    };
    let metric = asked.first().map_or(String::new(), |(_, of)| escape(&primary(of)));
    format!("{metric} {}", asked.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// ROC curves inside and outside on one pair of axes.
fn curves(
    record: &StudyRecord,
    shown: &Shown,
    asked: &[(&String, &AnalysisRecord)],
) -> Figure<'static> {
    let mut drawn: Vec<roc::Drawn> = Vec::new();
    // Behind the first scheme inside come the other places, and behind these further schemes inside.
    let standings = asked
        .iter()
        .map(|(_, analysis)| Standing::of(record, analysis) == Standing::Internal);
    let first_inside = standings.clone().position(|inside| inside);
    let mut asked: Vec<_> = asked.iter().copied().zip(standings).enumerate().collect();
    asked.sort_by_key(|(at, (_, inside))| match (*inside, Some(*at) == first_inside) {
        (true, true) => 0,
        (false, _) => 1,
        (true, false) => 2,
    });
    let asked: Vec<_> = asked.into_iter().map(|(_, (of, _))| of).collect();
    for (name, analysis) in &asked {
        let standing = Standing::of(record, analysis);
        if standing == Standing::SiteBySite || analysis.roc.is_empty() {
            continue;
        }
        let label = match standing {
            Standing::Internal if analysis.roc.len() == 1 => {
                whereabouts(record, analysis)
            }
            Standing::Internal => {
                format!("{}, mean of repeats", whereabouts(record, analysis))
            }
            _ => format!("{}, {}", whereabouts(record, analysis), analysis.cohort),
        };
        let series = match (standing, drawn.is_empty()) {
            (Standing::Internal, true) => 1,
            // What follows never looks like it, a second scheme inside included.
            _ => 1 + drawn.len().max(1),
        };
        drawn.push(roc::Drawn::of((name, analysis), (label, series), shown));
    }
    // More than two bands over each other show none of them.
    let bands = drawn.len() < 3;
    // Further ones would look like one of these.
    let seen = &drawn[..drawn.len().min(DRAWN)];
    let picture = roc::overlay(seen, bands, "ROC inside and outside");
    let outside = asked.iter().filter(|(_, analysis)| analysis.frozen.is_some());
    let outside: Vec<String> = outside
        .enumerate()
        .map(|(at, (name, analysis))| {
            let path = format!("{}/performance/auroc", place(name));
            let known = analysis.performance.contains_key("auroc");
            let value = match known || shown.is_hidden(&path) {
                true => shown.estimate(&path, 2),
                false => "not computed".to_string(),
            };
            let cohort = escape(&analysis.cohort);
            match at {
                0 => format!("On {cohort} the frozen model gives AUROC {value}"),
                _ => format!("on {cohort} {value}"),
            }
        })
        .collect();
    Figure {
        id: "outside",
        heading: match outside.is_empty() {
            false => outside.join("; "),
            true => "ROC curves".to_string(),
        },
        sub: format!(
            "{}{}{}{}",
            match (shown.protects, first_inside.is_some()) {
                (true, true) =>
                    "Smooth curves; the internal one goes through the mean of all repeats.",
                (true, false) => "Smooth curves.",
                (false, true) =>
                    "Step curves; the internal one is the mean of those pooled within each repeat.",
                (false, false) => "Step curves.",
            },
            match bands {
                true => " Shaded: pointwise 95 % bands.",
                false => " Their pointwise 95 % limits are in the table.",
            },
            match drawn.len() > DRAWN {
                true => " The first four curves are drawn, the table has all.",
                false => "",
            },
            roc::marked(seen)
        ),
        body: format!(
            "<div class=\"pair beside\"><div>{picture}</div><div>{}</div></div>",
            roc::legend(seen)
        ),
        pictures: vec![picture],
        method: format!(
            "{}. Bands: as in each place resamples of patients vary around the curve, with the models \
             kept as they are. Nothing was fitted, chosen or recalibrated on the other cohort.",
            match shown.protects {
                true => SMOOTH,
                false => "Equal scores are passed at once, without smoothing",
            }
        ),
        table: roc::table(&drawn),
    }
}

fn sites<'a>(
    shown: &Shown,
    id: &'a str,
    name: &str,
    analysis: &AnalysisRecord,
) -> Figure<'a> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, site) in analysis.sites.iter().enumerate() {
        let path = format!("{}/sites/{at}", place(name));
        let one_class = site.n_positive == 0 || site.n_positive == site.n;
        let known = site.n.known().zip(site.n_positive.known());
        let few = known.is_some_and(|(n, positive)| positive.min(n - positive) < 5);
        let how = match site.method.as_str() {
            "" => String::new(),
            method => format!("; {method}"),
        };
        rows.push(Row {
            label: match site.pooled {
                true => site.name.clone(),
                false => format!("{} (not pooled)", site.name),
            },
            path: site.auroc.map(|_| path.clone()),
            key: "auroc",
            counted: Some(Counted {
                n: site.n,
                n_positive: site.n_positive,
                place: path.clone(),
            }),
            estimate: site.auroc,
            lower: site.lower,
            upper: site.upper,
            note: match (one_class, site.pooled) {
                _ if shown.is_hidden(&format!("{path}/auroc")) => {
                    "hidden: too few of a class".to_string()
                }
                (true, _) => "one class only, no AUROC".to_string(),
                (false, true) => format!("pooled{how}"),
                (false, false) if few => {
                    format!("fewer than 5 of a class, not pooled{how}")
                }
                (false, false) => format!("not pooled{how}"),
            },
            series: if site.pooled { 3 } else { 4 },
            ..Row::default()
        });
    }
    let path = format!("{}/performance/auroc", place(name));
    let pooled = analysis.performance.get("auroc");
    if let Some(estimate) = pooled {
        rows.push(Row {
            label: match estimate.lower {
                Some(_) => "pooled, random effects".to_string(),
                None => "mean of sites".to_string(),
            },
            path: Some(path.clone()),
            // Sites that are shown and not pooled have no part in it.
            counted: analysis
                .sites
                .iter()
                .all(|site| site.pooled)
                .then(|| Counted::of(name, analysis)),
            estimate: Some(estimate.estimate),
            lower: estimate.lower,
            upper: estimate.upper,
            prediction: estimate.prediction,
            note: estimate.method.clone(),
            series: 3,
            pooled: true,
            ..Row::default()
        });
    }
    let between = between(shown, name, analysis);
    let forest = Forest {
        title: "AUROC in each site",
        description: format!(
            "AUROC of {name} in each site when it was held out, and pooled over sites."
        ),
        axis: "AUROC".to_string(),
        what: "Site held out",
        each: "centre",
        over: "",
        reference: chance(analysis).map(|chance| (chance, "chance")),
        scale: Scale::Share,
        rows,
    };
    let picture = forest.draw(shown);
    let heading = match pooled {
        Some(estimate) if estimate.prediction.is_some() => format!(
            "Pooled over sites the AUROC is {}; a further site is expected between {} and {}",
            shown.estimate(&path, 2),
            shown.number(&format!("{path}/prediction/0"), 2),
            shown.number(&format!("{path}/prediction/1"), 2)
        ),
        Some(_) => format!("Pooled over sites the AUROC is {}", shown.estimate(&path, 2)),
        None => "No site has enough of both classes to be judged".to_string(),
    };
    Figure {
        id,
        heading,
        sub: format!(
            "Each line is a model made in all other sites ({}, {}). Diamonds are pooled, triangles \
             are shown and not pooled: fewer than 5 of a class, or without an interval.",
            model(analysis),
            analysis.cohort
        ),
        body: format!(
            "{}<p class=\"sub\">{between}</p>",
            Forest::boxed(&picture, &format!("AUROC in each site of {name}"))
        ),
        pictures: vec![picture],
        method: format!(
            "{}. {}",
            match pooled {
                Some(estimate) => first_upper(&estimate.method),
                None =>
                    "Sites with fewer than 5 of a class are shown, not pooled".to_string(),
            },
            each_site(analysis)
        ),
        table: with_heterogeneity(forest.table(), analysis),
    }
}

/// How much sites differ, and where a further one is expected. HTML.
fn between(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> String {
    let at = place(name);
    let path = format!("{at}/between_sites");
    let Some(found) = &analysis.between_sites else {
        return match shown.is_hidden(&path) {
            true => "How much sites differ is hidden.".to_string(),
            false => "Too few sites to tell how much they differ.".to_string(),
        };
    };
    let pooled = analysis.performance.get("auroc");
    let further = match pooled.and_then(|estimate| estimate.prediction) {
        Some(_) => {
            let path = format!("{at}/performance/auroc/prediction");
            format!(
                "95 % prediction interval for a further site {}–{}",
                shown.number(&format!("{path}/0"), 2),
                shown.number(&format!("{path}/1"), 2)
            )
        }
        None if found.n_sites < 3 => {
            "no prediction interval, which takes three sites".to_string()
        }
        None => "the prediction interval is not told".to_string(),
    };
    format!(
        "Between the {} pooled sites the variance τ² of true values on the logit scale is {}; the share \
         I² of variation that is not sampling error is {}; {further}.",
        shown.count(&format!("{path}/n_sites")),
        shown.number(&format!("{path}/tau_squared"), 3),
        shown.number(&format!("{path}/i_squared"), 2)
    )
}

/// The numbers of the forest with τ² and I² as lines of their own.
fn with_heterogeneity(mut table: DataTable, analysis: &AnalysisRecord) -> DataTable {
    let Some(found) = &analysis.between_sites else { return table };
    for (label, value, note) in [
        (
            "τ²",
            found.tau_squared,
            "variance between sites on the logit scale, by restricted maximum likelihood",
        ),
        ("I²", found.i_squared, "from Cochran's Q"),
    ] {
        let mut row = vec![String::new(); table.head.len()];
        let named = [("group", label), ("note", note)]
            .map(|(name, text)| (name, text.to_string()));
        let value = ("estimate", plain(value, 4));
        for (name, text) in named.into_iter().chain([value]) {
            if let Some(at) = table.head.iter().position(|head| head == name) {
                row[at] = text;
            }
        }
        table.rows.push(row);
    }
    table
}

/// The facts of a frozen model and its one use.
fn frozen_model(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
    facts: &FrozenFacts,
) -> Json {
    let path = format!("{}/frozen", place(name));
    let candidate = facts.candidate.and_then(|at| analysis.candidates.get(at));
    let averaged = facts.members > 1;
    let (same, outer) = match headline(record).zip(facts.candidate) {
        Some(((headline, of), candidate))
            if of.candidates.len() == analysis.candidates.len() && !averaged =>
        {
            (
                shown
                    .count(
                        &format!("{}/candidates/{candidate}/chosen", place(headline),),
                    ),
                of.folds.len(),
            )
        }
        _ => (String::new(), 0),
    };
    let cohort = record.cohorts.iter().find(|cohort| cohort.name == analysis.cohort);
    json!({
        "cohort": analysis.cohort,
        "standing": whereabouts(record, analysis),
        "relation": cohort.and_then(|cohort| cohort.relation.clone()),
        "sealed": facts.sealed,
        "digest": facts.digest,
        "accesses": (facts.accesses > 0).then(|| shown.count(&format!("{path}/accesses"))),
        "once": facts.accesses == 1,
        "n": shown.count(&format!("{path}/n")),
        "positive": shown.count(&format!("{path}/n_positive")),
        "predictors": shown.count(&format!("{path}/n_predictors")),
        "selected": shown.count(&format!("{path}/n_selected")),
        "one": facts.n_selected == 1,
        "candidate": candidate.map(|candidate| {
            if averaged {
                return format!("a weighted mean of {} candidates", facts.members);
            }
            let settings = match candidate.settings.as_str() {
                "" => String::new(),
                settings => format!(", {settings}"),
            };
            format!("{} → {}{settings}", candidate.selector, candidate.learner)
        }),
        "same": same,
        "outer": outer,
        "threshold": facts.threshold.map(|_| shown.number(&format!("{path}/threshold"), 3)),
        "rule": analysis.threshold,
        "intercept": facts.calibration.map(|_| shown.number(&format!("{path}/calibration/0"), 3)),
        "filled": (!facts.filled_columns.is_empty())
            .then(|| shown.count(&format!("{path}/filled"))),
        "filled_columns": facts.filled_columns,
        "slope": facts.calibration.map(|_| shown.number(&format!("{path}/calibration/1"), 3)),
        "external_n": shown.count(&format!("{}/n", place(name))),
        "external_positive": shown.count(&format!("{}/n_positive", place(name))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_model_is_told_of_where_there_is_one() {
        use Standing::{External, Internal, SiteBySite};
        let frozen =
            |standings: &[Standing]| what_is_judged(standings).contains("frozen");
        assert!(
            frozen(&[Internal, External]) && frozen(&[Internal, SiteBySite, External])
        );
        assert!(!frozen(&[Internal]) && !frozen(&[SiteBySite, Internal]));
        assert!(what_is_judged(&[SiteBySite, Internal]).contains("share sites"));
        assert!(!what_is_judged(&[Internal, Internal]).contains("questions"));
    }

    #[test]
    fn measures_of_another_scale_have_an_axis_of_their_own() {
        let mut panels = Vec::new();
        let mut put = |name: &str, better, values: [f64; 3]| {
            let facts = MetricFacts {
                name: name.to_string(),
                title: name.to_string(),
                chance: None,
                better,
                missing: None,
            };
            let row = Row {
                estimate: Some(values[0]),
                lower: Some(values[1]),
                upper: Some(values[2]),
                ..Row::default()
            };
            add(&mut panels, &facts, vec![row]);
        };
        put("auroc", Better::Higher, [0.9, 0.8, 1.0]);
        put("slope", Better::Nearer(1.0), [0.9, 0.8, 0.95]);
        put("brier", Better::Lower, [0.1, 0.05, 0.2]);
        put("log_loss", Better::Lower, [0.9, 0.7, 1.3]);
        let found: Vec<(&str, Option<f64>, usize)> = panels
            .iter()
            .map(|panel| (panel.axis.as_str(), panel.best, panel.rows.len()))
            .collect();
        let wanted = [("Value", None, 2), ("slope", Some(1.0), 1), ("log_loss", None, 1)];
        assert_eq!(found, wanted);
    }
}
