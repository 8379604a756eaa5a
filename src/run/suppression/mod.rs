//! What a report of patients must not tell: small cells, whoever can be read off a curve, and what
//! would give these away.
//!
//! The record that is shown is made from the whole one, so that page, tables, figures and
//! `report.json` all hide the same. Files that hold a row for each patient, such as
//! `predictions.csv`, are not for readers of the report and stay as they are.
//!
//! First the counts to hide are found (`sums.rs`, `hiding.rs`). Then goes what cannot be told at all, and
//! curves are drawn anew. Last, every number is told as exactly as what it is allows: `kinds.rs` has a
//! word on each, `telling.rs` rounds it or takes it away.

mod apparent;
mod benefit;
mod compared;
mod hiding;
mod kinds;
mod sums;
mod telling;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use self::telling::{COARSEST, Pass, rounded};
use crate::data::{
    AnalysisRecord, AssociationFacts, Band, Banded, CalibrationCurve, Certificate,
    ColumnFacts, Count, Curve, Estimate, FullModelFacts, GraphFacts, Limits, Moments,
    NodeGroup, Point, RiskBin, Scope, StudyRecord, SuppressionFacts,
};
use crate::operation::reference;
use crate::statistics::Binormal;

/// The metrics that count decisions: with the size of a class they are counts.
const OF_DECISIONS: &[&str] = &[
    "sensitivity",
    "specificity",
    "positive_predictive_value",
    "negative_predictive_value",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "mcc",
    "net_benefit",
];

/// The metrics that are means over rows, or fitted to them; all others are of ranks.
const OF_ROWS: &[&str] = &[
    "brier",
    "scaled_brier",
    "log_loss",
    "calibration_intercept",
    "calibration_slope",
    "observed_expected",
    "ici",
    "e50",
    "e90",
];

fn is_of_decisions(metric: &str) -> bool {
    OF_DECISIONS.contains(&metric)
}

fn of_ranks(metric: &str) -> bool {
    !is_of_decisions(metric) && !OF_ROWS.contains(&metric)
}

/// Decimals of what is measured on hardly anybody of a class, per unit.
const TENTHS: f64 = 10.0;

/// What the method of an area of classes wholly apart says.
const BOUND: &str = "exact one-sided 95 % bound";

/// How the method of an area of few begins.
const TOO_FEW: &str = "too few: ";

/// The record without what could tell a patient, where counts from 1 to under `smallest` are small.
pub fn suppressed(whole: &StudyRecord, smallest: usize) -> StudyRecord {
    let mut hidden = sums::counts(whole).hidden(smallest as f64);
    moments(whole, smallest, &mut hidden);
    characteristics(whole, smallest, &mut hidden);
    missingness(whole, &mut hidden);
    let mut json = serde_json::to_value(whole).expect("a record is plain data");
    for place in &hidden {
        if let Some(value) = json.pointer_mut(place) {
            *value = Json::Null;
        }
    }
    let mut record: StudyRecord = from_json(json);
    let mut pass = Pass::new(whole, smallest, hidden);
    for (name, of) in &whole.analyses {
        let Some(analysis) = record.analyses.get_mut(name) else { continue };
        let place = place(name);
        reasons(analysis);
        areas(of, analysis, smallest, is_hidden(&place, &pass.hidden));
        curves(of, analysis, smallest);
        // Beside the missing values of Table 1 it would tell of whom the outcome is unknown.
        if let Some(frozen) = analysis.frozen.as_mut().filter(|of| of.filled > 0) {
            frozen.filled = Count::HIDDEN;
        }
        // Without a fold the prevalence tells of its rows.
        let of_folds = [format!("{place}/folds/"), format!("{place}/sites/")];
        let told = |hidden: &String| of_folds.iter().any(|of| hidden.starts_with(of));
        if pass.hidden.iter().any(told) {
            analysis.prevalence_only = None;
            left_to_learn(analysis);
        }
        // A column that holds one value in all patients but those held out is in no fit of their splits:
        // over repeats that tells who they are.
        if let Some(selection) = &mut analysis.selection {
            selection.by_fit.clear();
        }
        notes(analysis);
        few(of, analysis, &place, smallest, &pass.hidden);
        decisions(of, analysis, name, &pass);
        // Beside a coarser AUROC the width that follows from it would say more.
        if let Some(size) = &mut analysis.sample_size
            && pass.is_coarser(name, "auroc", 0.01)
        {
            size.auroc = None;
        }
        apparent::apparent(name, analysis, &pass);
    }
    for facts in &mut record.comparisons {
        let both = [&facts.better, &facts.than];
        if both.into_iter().any(|name| pass.is_blurred(name, &facts.metric)) {
            facts.result = None;
            facts.p_adjusted = None;
        }
        if let Some(result) = &mut facts.result {
            result.method = without_counts(&result.method);
        }
    }
    for (at, model) in record.full_models.iter_mut().enumerate() {
        explained(whole, at, model, smallest, &pass.hidden);
    }
    // Those of unknown outcome are among them, as they are in no analysis: what is shown of the largest
    // one is as much as can be told.
    let analysed = record.analyses.values().filter_map(|of| of.n_subjects.known());
    record.certificate.n_groups = analysed.max().unwrap_or(0);
    nodes(&mut record.graph, &mut record.certificate);
    suppressed_warnings(&mut record.warnings, &whole.associations);
    let mut json = serde_json::to_value(&record).expect("a record is plain data");
    pass.tell(&mut json);
    let mut record: StudyRecord = from_json(json);
    claims(whole, &mut record);
    apparent::optimism(&mut record);
    compared::groups(&mut record);
    compared::at_target(&mut record);
    // Whatever was there and is not any more, is hidden, by whichever rule.
    let [before, after] = [whole, &record]
        .map(|record| serde_json::to_value(record).expect("a record is plain data"));
    gone(&before, Some(&after), "", &mut pass.hidden);
    record.references.extend(reference("hanley1988"));
    record.references.sort_by(|a, b| a.key.cmp(&b.key));
    record.references.dedup();
    record.suppression = Some(SuppressionFacts {
        smallest_cell: smallest,
        coarsened: pass.coarsened(),
        hidden: pass.hidden.into_iter().collect(),
        rules: rules(smallest),
    });
    record
}

/// The same of what is warned of, where these are the associations with the outcome. Nothing else of what
/// may change while the results stay tells a count.
pub fn suppressed_warnings(warnings: &mut [String], associations: &[AssociationFacts]) {
    for warning in warnings {
        *warning = without_counts(warning);
        for facts in associations.iter().filter_map(|facts| facts.cramers_v) {
            // Beside the margins two decimals may tell a cell.
            let words = |digits| format!("Cramér's V {facts:.digits$}");
            *warning = warning.replace(&words(2), &words(1));
        }
    }
}

/// Places of a record that have something in them before and nothing after.
fn gone(before: &Json, after: Option<&Json>, path: &str, hidden: &mut BTreeSet<String>) {
    match (before, after) {
        (Json::Null, _) => {}
        (_, None | Some(Json::Null)) => drop(hidden.insert(path.to_string())),
        (Json::Object(before), Some(after)) => {
            for (name, before) in before {
                let part = name.replace('~', "~0").replace('/', "~1");
                gone(before, after.get(name), &format!("{path}/{part}"), hidden);
            }
        }
        // Curves are drawn anew, with points of their own.
        (Json::Array(before), Some(Json::Array(after)))
            if before.len() == after.len() =>
        {
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                gone(before, Some(after), &format!("{path}/{at}"), hidden);
            }
        }
        _ => {}
    }
}

fn from_json(json: Json) -> StudyRecord {
    serde_json::from_value(json).expect("what may be hidden may be null")
}

/// The place of an analysis in the record.
fn place(analysis: &str) -> String {
    format!("/analyses/{}", analysis.replace('~', "~0").replace('/', "~1"))
}

/// What is done, in words.
fn rules(smallest: usize) -> Vec<String> {
    let most = smallest - 1;
    vec![
        format!(
            "counts of patients from 1 to {most} are hidden, and as many further counts as it takes \
             that no sum gives one of them away; which of the hidden ones is small is not told; 0 is \
             shown"
        ),
        format!(
            "means, medians, quartiles and differences of groups of fewer than {smallest}, and those \
             from which a hidden count would follow, are hidden too; so are the smallest and the \
             largest value of a predictor; means and standard deviations are rounded where it is \
             hidden of how many they are, and quartiles to what values there can be"
        ),
        "ROC curves are those of the binormal model fitted to the mean curve, precision and recall \
         follow from them and the prevalence; curves of single repeats are left out, since the steps \
         of a curve are patients; the band of a ROC curve is that between binormal curves fitted to its \
         limits, rounded to two decimals, and left out where it is hidden of how many patients it is"
            .to_string(),
        "calibration curves keep to the tenths of probability within which predictions lie, and their \
         distribution to ranges with no small cell; net benefit is smoothed over thresholds, and left \
         out at those above or below which few of a class may have predictions"
            .to_string(),
        format!(
            "where a cell of the confusion table is hidden, the measures of decisions are rounded so \
             coarsely that they are the same for 0 and for every count up to {most}, and hidden where \
             that takes steps of more than {COARSEST}; those on the rows that a frozen model was \
             fitted on always are, since no confusion table is shown of these"
        ),
        format!(
            "areas under ROC and precision–recall curves, their limits and differences between them are \
             rounded so that at least {smallest} sums of ranks come to the same"
        ),
        "values of single folds, groups and sites are rounded to two decimals at most, those measured on \
         hardly anybody of a class to one, how outcome and site go together to one or two, and counts \
         are taken out of warnings and of what is said of intervals"
            .to_string(),
        "nodes of patients' images, and all nodes where there are such, are counted in hundreds, rounded \
         up"
            .to_string(),
        "`predictions.csv`, `models/` and `record.json` are for those who may see the data; they hold a \
         row for each patient, values of patients, or how many nodes there were, and are no part of what \
         may be passed on"
            .to_string(),
    ]
}

/// Of how many patients are left to learn from it would follow how many a fold holds out.
fn left_to_learn(analysis: &mut AnalysisRecord) {
    for size in analysis.learning_curve.iter_mut().flat_map(|of| &mut of.sizes) {
        (size.lowest, size.highest) = (None, None);
        size.n = size.n.map(f64::round);
    }
}

/// Takes counts of rows out of the reasons why something could not be computed.
fn reasons(analysis: &mut AnalysisRecord) {
    let metrics = analysis.metrics.iter_mut().chain(&mut analysis.standard);
    let measured = analysis.performance.values_mut();
    let candidates = analysis.candidates.iter_mut();
    let permuted = analysis.permutation.iter_mut();
    for size in analysis.learning_curve.iter_mut().flat_map(|of| &mut of.sizes) {
        let folds = size.estimate.iter_mut().flat_map(|of| &mut of.failed_folds);
        let all = folds.chain(&mut size.missing);
        all.for_each(|reason| *reason = without_counts(reason));
    }
    let all = analysis
        .failed_nodes
        .iter_mut()
        .map(|failed| &mut failed.reason)
        .chain(metrics.filter_map(|facts| facts.missing.as_mut()))
        .chain(measured.flat_map(|estimate| &mut estimate.failed_folds))
        .chain(candidates.filter_map(|candidate| candidate.failure.as_mut()))
        .chain(permuted.flat_map(|found| &mut found.failed).map(|f| &mut f.reason));
    all.for_each(|reason| *reason = without_counts(reason));
}

/// Gives claims the results that are left: what is hidden or coarser in its own place is so here.
fn claims(whole: &StudyRecord, record: &mut StudyRecord) {
    let order = || whole.analysis_order.iter();
    let all = || order().filter_map(|name| Some((name, whole.analyses.get(name)?)));
    let Some((_, headline)) = all().next() else { return };
    for claim in &mut record.claims {
        for (name, value) in &mut claim.values {
            let parts: Vec<&str> = name.split('.').collect();
            let [metric, .., cohort, end] = parts.as_slice() else {
                *value = None;
                continue;
            };
            // As where claims are judged.
            let named = all().find(|(_, of)| {
                of.cohort == *cohort
                    && (&of.model, &of.outcome, &of.branch)
                        == (&headline.model, &headline.outcome, &headline.branch)
                    && (of.kind != "sites" || headline.kind == "sites")
            });
            let left = named.and_then(|(name, _)| record.analyses.get(name));
            // The name of a column may have a dot too.
            let estimate = left.and_then(|of| match parts.len() > 3 {
                true => of.within.as_ref(),
                false => of.performance.get(*metric),
            });
            let left = estimate.and_then(|estimate| match *end {
                "lower" => estimate.lower,
                "upper" => estimate.upper,
                _ => Some(estimate.estimate),
            });
            *value = value.and(left);
        }
    }
}

/// Takes counts out of how areas of few were made; the exact interval of a class that is hidden goes
/// too, since its size follows from it. `untold`: whether it is hidden of how many rows or patients the
/// analysis is: pairs of patients may be fewer than rows.
fn areas(
    of: &AnalysisRecord,
    analysis: &mut AnalysisRecord,
    smallest: usize,
    untold: bool,
) {
    let smaller = match untold {
        true => Some(1),
        false => of.judged_rows().map(|(n, positive)| positive.min(n - positive)),
    };
    areas_of_few(analysis.performance.values_mut(), smaller, smallest);
    // Of how many pairs within strata an exact interval is made follows from its ends, and no count of
    // them is known to be large.
    areas_of_few(&mut analysis.within, Some(1), smallest);
    let sizes = analysis.learning_curve.iter_mut().flat_map(|of| &mut of.sizes);
    areas_of_few(sizes.flat_map(|size| &mut size.estimate), smaller, smallest);
}

/// The same for what is measured on rows with so many of the smaller class.
fn areas_of_few<'a>(
    measured: impl IntoIterator<Item = &'a mut Estimate>,
    smaller: Option<usize>,
    smallest: usize,
) {
    let small = smaller.is_some_and(|n| (1..smallest).contains(&n));
    for estimate in measured {
        let (few, bound) =
            (estimate.method.starts_with(TOO_FEW), estimate.method.contains(BOUND));
        if small && (few || bound) {
            (estimate.lower, estimate.upper) = (None, None);
            // Pairs within strata may be many where classes are wholly apart.
            estimate.method = match few {
                true => {
                    format!("no interval: {} of a class", TOO_FEW.trim_end_matches(": "))
                }
                false => "classes wholly apart; no interval: a small count would follow from it"
                    .to_string(),
            };
        } else if bound {
            estimate.method = format!("classes wholly apart: {BOUND}");
        } else if few {
            estimate.method =
                format!("{TOO_FEW}exact 95 % interval of a proportion of disjoint pairs");
        }
    }
}

/// Means from which a hidden number follows, and those of too few.
fn moments(record: &StudyRecord, smallest: usize, hidden: &mut BTreeSet<String>) {
    for (at, block) in record.predictors.iter().enumerate() {
        for (position, column) in block.columns.iter().enumerate() {
            let path = format!("/predictors/{at}/columns/{position}");
            let groups = [
                ("all", &column.all),
                ("positive", &column.positive),
                ("negative", &column.negative),
            ];
            let counts = ["missing", "all/n", "positive/n", "negative/n"];
            let any = counts.iter().any(|n| hidden.contains(&format!("{path}/{n}")));
            for of in ["all", "positive", "negative"] {
                let shares = (0..column.levels.len())
                    .map(|level| format!("{path}/levels/{level}/{of}"));
                if without_percents(&shares.collect::<Vec<_>>(), hidden) {
                    hidden.insert(format!("{path}/smd"));
                }
            }
            if is_small(column, smallest) {
                // The mean of zeros and ones is a count, and the difference follows from it.
                hidden.extend(groups.map(|(of, _)| format!("{path}/{of}")));
                hidden.insert(format!("{path}/smd"));
                continue;
            }
            // The mean over all and those of the classes tell how large the classes are.
            if any {
                hidden.insert(format!("{path}/all"));
            }
            for (of, moments) in groups {
                let few = |m: &Moments| m.n.known().is_some_and(|n| n < smallest);
                if moments.as_ref().is_some_and(few) {
                    hidden.insert(format!("{path}/{of}"));
                    hidden.insert(format!("{path}/smd"));
                    hidden.insert(format!("{path}/all"));
                }
            }
        }
    }
}

/// Hides the percentages of a group where one of its categories is hidden, since they tell of how
/// many they are; gives whether it did.
fn without_percents(shares: &[String], hidden: &mut BTreeSet<String>) -> bool {
    let any = shares.iter().any(|share| hidden.contains(&format!("{share}/n")));
    if any {
        hidden.extend(shares.iter().map(|share| format!("{share}/percent")));
    }
    any
}

/// Whether a column holds zeros and ones, few of either in some group.
fn is_small(column: &ColumnFacts, smallest: usize) -> bool {
    let groups = [&column.all, &column.positive, &column.negative];
    groups.into_iter().flatten().any(|moments| {
        let Some(n) = moments.n.known().map(|n| n as f64) else { return false };
        let share = moments.mean;
        let of_binary = n / (n - 1.0) * share * (1.0 - share);
        let binary = (0.0..=1.0).contains(&share)
            && n > 1.0
            && (moments.sd * moments.sd - of_binary).abs() < 1e-9;
        let few = |ones: f64| ones > 0.5 && ones < smallest as f64 - 0.5;
        binary && (few(share * n) || few((1.0 - share) * n))
    })
}

/// Medians of too few, and differences from which a hidden number follows.
fn characteristics(record: &StudyRecord, smallest: usize, hidden: &mut BTreeSet<String>) {
    for (at, row) in record.characteristics.iter().enumerate() {
        let path = format!("/characteristics/{at}");
        let known = row.rows.known().zip(row.missing.known());
        let few = known.is_some_and(|(rows, missing)| rows - missing < smallest);
        if few && row.median.is_some() {
            for what in ["median", "lower_quartile", "upper_quartile"] {
                hidden.insert(format!("{path}/{what}"));
            }
        }
        let is_hidden = |what: &str| hidden.contains(&format!("{path}/{what}"));
        let sizes = is_hidden("rows") || is_hidden("missing");
        let shares =
            [("missing_percent", sizes), ("ones_percent", sizes || is_hidden("ones"))];
        for (share, _) in shares.into_iter().filter(|(_, hides)| *hides) {
            hidden.insert(format!("{path}/{share}"));
        }
        // The distance between two cohorts tells of both.
        let alike = record.characteristics.iter().enumerate().filter(|(_, other)| {
            (&other.block, &other.variable, other.class)
                == (&row.block, &row.variable, row.class)
        });
        let of_few = row.ones.is_some()
            && alike
                .into_iter()
                .any(|(at, _)| hidden.contains(&format!("/characteristics/{at}/ones")));
        if (few || of_few) && row.smd_to_development.is_some() {
            hidden.insert(format!("{path}/smd_to_development"));
        }
        let shares =
            (0..row.levels.len()).map(|level| format!("{path}/levels/{level}/share"));
        // The distance of shares is that between two cohorts, and tells of both.
        if without_percents(&shares.collect::<Vec<_>>(), hidden) && row.class.is_none() {
            let same = record.characteristics.iter().enumerate().filter(|(_, other)| {
                (&other.block, &other.variable) == (&row.block, &row.variable)
                    && other.smd_to_development.is_some()
            });
            let places =
                same.map(|(at, _)| format!("/characteristics/{at}/smd_to_development"));
            hidden.extend(places);
        }
    }
}

/// Shares of what is missing, and their differences, from which a hidden count would follow.
fn missingness(record: &StudyRecord, hidden: &mut BTreeSet<String>) {
    for (at, facts) in record.missingness.iter().enumerate() {
        let path = format!("/missingness/{at}");
        for which in 0..facts.gaps.len() {
            let gap = format!("{path}/gaps/{which}");
            let groups =
                [("all", "rows"), ("positive", "positive"), ("negative", "negative")];
            let hides = groups.map(|(of, size)| {
                hidden.contains(&format!("{gap}/{of}/n"))
                    || hidden.contains(&format!("{path}/{size}"))
            });
            for ((of, _), _) in groups.iter().zip(hides).filter(|(_, hides)| *hides) {
                hidden.insert(format!("{gap}/{of}/percent"));
            }
            if hides[1] || hides[2] {
                hidden.insert(format!("{gap}/difference"));
            }
        }
    }
}

/// Curves that are smooth, with nobody's place on them.
fn curves(of: &AnalysisRecord, analysis: &mut AnalysisRecord, smallest: usize) {
    let smooth = Binormal::of(&of.roc_mean).filter(|_| !of.roc.is_empty());
    let prevalence = of.judged_rows();
    analysis.roc.clear();
    analysis.roc_mean.points.clear();
    analysis.roc_thresholds.clear();
    analysis.roc_band.points.clear();
    if let Some(smooth) = smooth {
        analysis.roc_mean = smooth.roc();
        analysis.roc = vec![smooth.roc()];
        analysis.roc_band = band(&of.roc_band, &analysis.roc_mean);
    }
    let withheld = "no band: it would have the steps of the curves".to_string();
    analysis.precision_recall_band = Band { points: Vec::new(), method: withheld };
    analysis.precision_recall.clear();
    analysis.precision_recall_mean.points.clear();
    if let (Some(smooth), Some((n, positive)), false) =
        (smooth, prevalence, of.precision_recall.is_empty())
    {
        let curve = smooth.precision_recall(positive as f64 / n.max(1) as f64);
        analysis.precision_recall_mean = curve.clone();
        analysis.precision_recall = vec![curve];
    }
    let bins = of.calibration.as_ref().map_or(&[][..], |curve| &curve.distribution);
    let told = |curve| benefit::told(curve, bins, smallest as f64);
    analysis.decision = of.decision.as_ref().and_then(told);
}

/// The band of a smooth curve: between the binormal curves that are fitted to the two limits, rounded.
fn band(of: &Band, mean: &Curve) -> Band {
    let limit = |end: fn(&Limits) -> f64| {
        let points = of.points.iter().map(|at| Point { x: at.x, y: end(at) });
        Binormal::of(&Curve { points: points.collect() })
    };
    let (lower, upper) = (limit(|at| at.lower), limit(|at| at.upper));
    let Some((lower, upper)) = lower.zip(upper).filter(|_| !of.points.is_empty()) else {
        return Band { points: Vec::new(), method: without_counts(&of.method) };
    };
    // Two fitted curves may cross the one between them, and rounding moves them.
    let at = |point: &Point| Limits {
        x: point.x,
        lower: rounded(lower.sensitivity(point.x), 0.01).min(point.y),
        upper: rounded(upper.sensitivity(point.x), 0.01).max(point.y),
    };
    Band {
        points: mean.points.iter().map(at).collect(),
        method: format!(
            "{}; drawn between the binormal curves that are fitted to its limits, rounded",
            without_counts(&of.method)
        ),
    }
}

/// Takes numbers of patients out of what is said of groups.
fn notes(analysis: &mut AnalysisRecord) {
    for group in &mut analysis.subgroups {
        let measures = group.measures.iter_mut();
        let differences =
            measures.map(|measure| (&mut measure.note, &mut measure.difference));
        let own = [(&mut group.note, &mut group.difference)];
        let notes = differences.chain(own).flat_map(|(note, difference)| {
            [Some(note), difference.as_mut().map(|of| &mut of.note)]
        });
        for note in notes.flatten() {
            // How many patients an interval is of is the size of the group or of a class of it.
            *note = match note.starts_with("too few") {
                true => "too few".to_string(),
                false => without_counts(note),
            };
        }
    }
}

/// Takes measures of decisions away where they would have to be so coarse that they said nothing, and
/// of the others what single folds would tell.
fn decisions(
    of: &AnalysisRecord,
    analysis: &mut AnalysisRecord,
    name: &str,
    pass: &Pass<'_>,
) {
    let small = telling::has_small_cell(of, pass.smallest);
    if pass.is_blurred(name, "net_benefit")
        && let Some(cells) = &mut analysis.confusion
    {
        cells.benefit = None;
    }
    for (metric, estimate) in &mut analysis.performance {
        if is_of_decisions(metric) {
            estimate.folds.clear();
            if small {
                bare(estimate);
            }
        }
    }
    let blurred: Vec<String> = analysis
        .performance
        .keys()
        .chain([&of.primary])
        .filter(|metric| pass.is_blurred(name, metric))
        .cloned()
        .collect();
    for metric in blurred {
        hide_metric(analysis, &metric);
        if metric == of.primary {
            (analysis.permutation, analysis.within) = (None, None);
            analysis.learning_curve = None;
        }
    }
}

/// Takes a metric away, and says so where it is named.
fn hide_metric(analysis: &mut AnalysisRecord, metric: &str) {
    analysis.performance.remove(metric);
    if let Some(alone) = &mut analysis.prevalence_only {
        alone.performance.remove(metric);
        alone.gains.remove(metric);
    }
    let listed = analysis.metrics.iter_mut().chain(&mut analysis.standard);
    for facts in listed.filter(|facts| facts.name == metric) {
        facts.missing = Some("hidden: a small count would follow".to_string());
    }
}

/// Whether there are few rows, or few of a class.
fn too_few(n: Count, positive: Count, smallest: usize) -> bool {
    let small = |n: Option<usize>| n.is_some_and(|n| n > 0 && n < smallest);
    let negative = n.known().zip(positive.known()).map(|(n, p)| n.saturating_sub(p));
    small(n.known()) || small(positive.known()) || small(negative)
}

/// What stands on hardly anybody, or on a number of rows that is hidden.
fn few(
    of: &AnalysisRecord,
    analysis: &mut AnalysisRecord,
    place: &str,
    smallest: usize,
    hidden: &BTreeSet<String>,
) {
    if let Some(curve) = &mut analysis.calibration {
        *curve = calibration(curve, smallest);
    }
    if too_few(of.n, of.n_positive, smallest) {
        alone(analysis);
    } else if is_hidden(place, hidden) {
        without_prevalence(analysis);
    } else {
        return;
    }
    analysis.performance.values_mut().chain(&mut analysis.within).for_each(bare);
    // How much sites differ goes with where a further one is expected.
    analysis.between_sites = None;
}

/// An estimate in words without numbers of patients, and nothing beside it and its interval.
fn bare(estimate: &mut Estimate) {
    estimate.method = without_counts(&estimate.method);
    estimate.folds.clear();
    (estimate.prediction, estimate.sd_folds) = (None, None);
    estimate.other_intervals.clear();
}

/// Whether it is hidden of how many rows or patients an analysis is.
fn is_hidden(place: &str, hidden: &BTreeSet<String>) -> bool {
    let counts = [
        "n",
        "n_positive",
        "n_subjects",
        "n_positive_subjects",
        "judged/n",
        "judged/n_positive",
    ];
    counts.iter().any(|n| hidden.contains(&format!("{place}/{n}")))
}

/// An analysis whose size or events are hidden for the sake of other counts: what tells them goes too.
fn without_prevalence(analysis: &mut AnalysisRecord) {
    analysis.precision_recall.clear();
    analysis.precision_recall_mean.points.clear();
    // How wide a band is tells of how many patients it is.
    analysis.roc_band = Band::default();
    analysis.precision_recall_band = Band::default();
    analysis.calibration = None;
    analysis.decision = None;
    analysis.sample_size = None;
    analysis.learning_curve = None;
    analysis.prevalence_only = None;
    if let Some(cells) = &mut analysis.confusion {
        cells.benefit = None; // Treating everybody is worth what the prevalence makes of it.
    }
}

/// An analysis with hardly anybody of a class keeps its primary metric alone.
fn alone(analysis: &mut AnalysisRecord) {
    let primary = analysis.primary.clone();
    analysis.performance.retain(|metric, _| *metric == primary);
    for metric in analysis.metrics.iter_mut().chain(&mut analysis.standard) {
        if metric.name != primary {
            metric.missing = Some("too few of a class to be told".to_string());
        }
    }
    analysis.roc.clear();
    analysis.roc_mean.points.clear();
    analysis.roc_band = Band::default();
    analysis.precision_recall.clear();
    analysis.precision_recall_mean.points.clear();
    analysis.precision_recall_band = Band::default();
    analysis.calibration = None;
    analysis.decision = None;
    analysis.confusion = None;
    analysis.sample_size = None;
    analysis.learning_curve = None;
    analysis.prevalence_only = None;
}

/// The curve where predictions are many, and ranges of predictions without a small cell.
fn calibration(curve: &CalibrationCurve, smallest: usize) -> CalibrationCurve {
    let ends = curve.points.first().zip(curve.points.last());
    // The first and the last point lie at the predictions of two patients.
    let tenths = ends.map(|(first, last)| {
        ((first.x * 10.0).ceil() / 10.0 - 1e-9, (last.x * 10.0).floor() / 10.0 + 1e-9)
    });
    let inside = |point: &&Banded| {
        tenths.is_some_and(|(low, high)| point.x >= low && point.x <= high)
    };
    let points: Vec<Banded> = curve.points.iter().filter(inside).copied().collect();
    CalibrationCurve {
        points,
        distribution: merged(&curve.distribution, smallest as f64),
        method: format!(
            "{}; drawn between whole tenths, ranges of predictions joined until none is small",
            curve.method.trim_end_matches('.')
        ),
        ..curve.clone()
    }
}

/// Neighbouring ranges joined until each has nobody or enough of either class.
fn merged(bins: &[RiskBin], smallest: f64) -> Vec<RiskBin> {
    let small = |n: f64| n > 1e-6 && n < smallest;
    let join = |a: RiskBin, b: RiskBin| RiskBin {
        lower: a.lower,
        upper: b.upper,
        events: a.events + b.events,
        non_events: a.non_events + b.non_events,
    };
    let mut joined: Vec<RiskBin> = Vec::new();
    for bin in bins {
        match joined.last_mut() {
            Some(last) if small(last.events) || small(last.non_events) => {
                *last = join(*last, *bin);
            }
            _ => joined.push(*bin),
        }
    }
    // What is left small at the end joins the one before it.
    while let [.., before, last] = joined.as_slice()
        && (small(last.events) || small(last.non_events))
    {
        let both = join(*before, *last);
        joined.truncate(joined.len() - 2);
        joined.push(both);
    }
    joined.retain(|bin| !small(bin.events) && !small(bin.non_events));
    joined
}

/// Every image of a patient is a node or several, so that their number is one of patients.
fn nodes(graph: &mut GraphFacts, certificate: &mut Certificate) {
    let of_patients = |group: &&mut NodeGroup| group.scope == Scope::PerSubject;
    let hundreds = |n: usize| n.div_ceil(100) * 100;
    let mut groups = graph.groups.iter_mut().filter(of_patients).peekable();
    if groups.peek().is_none() {
        return;
    }
    groups.for_each(|group| {
        group.n = hundreds(group.n);
        group.parts.iter_mut().for_each(|part| part.n = hundreds(part.n));
    });
    for n in [&mut graph.n_nodes, &mut certificate.n_nodes] {
        *n = hundreds(*n);
    }
}

/// What a model makes of its rows, where their number is hidden, and of a predictor of zeros and ones few
/// of either: over its coefficient the mean Shapley value is a share of the rows. The null model is the
/// share of the positive rows itself.
fn explained(
    whole: &StudyRecord,
    at: usize,
    model: &mut FullModelFacts,
    smallest: usize,
    hidden: &BTreeSet<String>,
) {
    let path = format!("/full_models/{at}");
    let counts = ["n", "n_positive"].map(|n| format!("{path}/{n}"));
    let untold = counts.iter().any(|n| hidden.contains(n));
    for member in model.members.iter_mut().filter(|_| untold) {
        if member.equation.as_ref().is_ok_and(|equation| equation.terms.is_empty()) {
            let why = "it is the prevalence among rows whose number is not told";
            member.equation = Err(why.to_string());
        }
    }
    let mut small = BTreeSet::new();
    for (at, block) in whole.predictors.iter().enumerate() {
        for (position, column) in block.columns.iter().enumerate() {
            let levels = format!("/predictors/{at}/columns/{position}/levels/");
            let told = hidden.iter().any(|place| place.starts_with(&levels));
            if told || is_small(column, smallest) {
                small.insert(format!("{}.{}", block.name, column.name));
            }
        }
    }
    let Some(of) = &model.explained else { return };
    let told = of.predictors.iter().any(|of| small.contains(&of.name));
    if told || untold {
        model.explained = None;
        let why = "they are held back, as numbers of rows follow from them";
        model.unexplained = Some(why.to_string());
    }
}

/// A warning or a reason in which numbers of rows and patients are told as "some", and those that
/// are too few as "fewer".
fn without_counts(text: &str) -> String {
    const OF: &[&str] =
        &["row", "rows", "patient", "patients", "subject", "subjects", "ids"];
    let words: Vec<&str> = text.split(' ').collect();
    let is_number = |at: usize| {
        // As in "(3 of 48 patients)".
        words.get(at).map(|w| w.trim_start_matches('(')).is_some_and(|w| {
            // Means over repeats have decimals.
            w.starts_with(|c: char| c.is_ascii_digit())
                && w.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        })
    };
    let is_noun = |at: usize| {
        words
            .get(at)
            .is_some_and(|w| OF.contains(&w.trim_matches(|c: char| !c.is_alphabetic())))
    };
    let counts = |at: usize| {
        is_number(at)
            && (is_noun(at + 1)
                || (words.get(at + 1) == Some(&"of")
                    && is_number(at + 2)
                    && is_noun(at + 3))
                || words
                    .get(at + 1..at + 4)
                    .is_some_and(|next| next == ["of", "the", "smaller"]))
    };
    let found = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let digits = words[at].trim_end_matches([';', '.']);
        let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        number && before.is_some_and(|word| ["are", "has"].contains(word))
    };
    let told: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(at, word)| match (counts(at), found(at)) {
            (true, _) if word.starts_with('(') => "(some".to_string(),
            (true, _) => "some".to_string(),
            (_, true) => {
                format!("fewer{}", word.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            _ => word.to_string(),
        })
        .collect();
    told.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::NodePart;
    use crate::operation::Instance;

    /// A record of nothing.
    pub fn nothing() -> StudyRecord {
        let study = serde_json::json!({
            "title": "", "cancer": "", "seed": 1, "digest": "", "simulated": false, "public": false,
        });
        let certificate = Certificate::default();
        from_json(serde_json::json!({
            "schema": 1, "engine": "", "study": study, "sources": [], "cohorts": [],
            "outcomes": [], "agreements": [], "associations": [], "predictors": [],
            "analysis_order": [], "analyses": {}, "comparisons": [], "claims": [],
            "deviations": [], "methods": [], "references": [], "warnings": [],
            "graph": { "n_nodes": 0, "groups": [], "edges": [] }, "certificate": certificate,
        }))
    }

    #[test]
    fn every_metric_is_known_as_what_it_is_of() {
        for entry in crate::statistics::operations() {
            let Ok(Instance::Metric(metric)) = (entry.build)(serde_json::json!({}))
            else {
                continue;
            };
            let name = entry.about.name;
            let scale = metric.scale();
            assert_eq!(scale.needs_threshold, is_of_decisions(name), "{name}");
            assert_eq!(
                !scale.needs_threshold && metric.ranks_only(),
                of_ranks(name),
                "{name}"
            );
        }
    }

    #[test]
    fn counts_leave_a_warning_and_nothing_else_does() {
        assert_eq!(
            without_counts("3 of 120 rows of cohort `a` are not in `b` and leave it"),
            "some of some rows of cohort `a` are not in `b` and leave it"
        );
        assert_eq!(
            without_counts(
                "2 rows of each class are needed and one class has 1; use fewer"
            ),
            "some rows of each class are needed and one class has fewer; use fewer"
        );
        assert_eq!(
            without_counts("too few: 3 of the smaller class; exact 95 % interval"),
            "too few: some of the smaller class; exact 95 % interval"
        );
        assert_eq!(
            without_counts("Wilson's 95 % interval with n = 15 patients; rounded"),
            "Wilson's 95 % interval with n = some patients; rounded"
        );
        assert_eq!(without_counts("n = 84.5 patients"), "n = some patients");
        assert_eq!(
            without_counts("nothing fills those of `x` (3 of 48 patients of cohort `a`)"),
            "nothing fills those of `x` (some of some patients of cohort `a`)"
        );
        assert_eq!(
            without_counts(
                "the range that cohort `a` has: `x` (9 of 11 rows), `y` (8 of 9 rows)"
            ),
            "the range that cohort `a` has: `x` (some of some rows), `y` (some of some rows)"
        );
        let kept = "the smallest AUROC of 5 folds is 0.52";
        assert_eq!(without_counts(kept), kept);
    }

    #[test]
    fn an_area_of_classes_wholly_apart_tells_no_count_and_no_wrong_reason() {
        let method = "mean over 5 held-out folds; classes wholly apart in all of them, so that their \
                      spread tells nothing: exact one-sided 95 % bound from the 12 disjoint pairs of \
                      one repeat";
        let estimate = |method: &str| -> Estimate {
            let of = serde_json::json!({
                "estimate": 1.0, "lower": 0.78, "upper": 1.0, "method": method, "sd_folds": 0.0,
                "folds": [1.0, 1.0], "failed_folds": [], "prediction": null,
                "other_intervals": [],
            });
            serde_json::from_value(of).unwrap()
        };
        let mut many = estimate(method);
        areas_of_few([&mut many], Some(12), 5);
        assert_eq!(many.lower, Some(0.78));
        assert_eq!(many.method, "classes wholly apart: exact one-sided 95 % bound");
        let mut unknown = estimate(method);
        areas_of_few([&mut unknown], Some(1), 5);
        assert_eq!((unknown.lower, unknown.upper), (None, None));
        assert!(!unknown.method.contains("too few") && !unknown.method.contains("12"));
        let mut few = estimate("too few: 3 of the smaller class; exact 95 % interval");
        areas_of_few([&mut few], Some(3), 5);
        assert_eq!((few.lower, &*few.method), (None, "no interval: too few of a class"));
    }

    #[test]
    fn what_was_there_and_is_not_is_listed() {
        let before =
            serde_json::json!({ "a": { "b/c": 1, "d": null }, "e": [1, [2, 3]] });
        let after = serde_json::json!({ "a": { "d": null }, "e": [1, [2, null]] });
        let mut hidden = BTreeSet::new();
        gone(&before, Some(&after), "", &mut hidden);
        assert_eq!(hidden.into_iter().collect::<Vec<_>>(), ["/a/b~1c", "/e/1/1"]);
    }

    #[test]
    fn a_learning_curve_does_not_tell_how_many_a_small_fold_holds_out() {
        use crate::data::{LearningFacts, LearningSize};
        let size = LearningSize {
            fraction: 0.5,
            n: Some(20.25),
            lowest: Some(3),
            highest: Some(37),
            estimate: None,
            missing: Some("2 rows of each class are needed".to_string()),
        };
        let sizes = vec![size];
        let curve = LearningFacts { repeats: 1, splits: 2, sizes, last_step: None };
        let mut analysis =
            AnalysisRecord { learning_curve: Some(curve), ..AnalysisRecord::default() };
        left_to_learn(&mut analysis);
        reasons(&mut analysis);
        let size = &analysis.learning_curve.as_ref().unwrap().sizes[0];
        assert_eq!((size.n, size.lowest, size.highest), (Some(20.0), None, None));
        let missing = size.missing.as_deref();
        assert_eq!(missing, Some("some rows of each class are needed"));
        without_prevalence(&mut analysis);
        assert_eq!(analysis.learning_curve, None);
    }

    #[test]
    fn ranges_are_joined_until_none_is_small() {
        let bin = |at: usize, events: f64, non_events: f64| RiskBin {
            lower: at as f64 / 10.0,
            upper: (at + 1) as f64 / 10.0,
            events,
            non_events,
        };
        let bins =
            [bin(0, 0.0, 9.0), bin(1, 2.0, 7.0), bin(2, 3.0, 1.0), bin(3, 8.0, 1.0)];
        let found = merged(&bins, 5.0);
        assert_eq!(found.len(), 2);
        assert_eq!((found[1].events, found[1].non_events), (13.0, 9.0));
        assert_eq!((found[1].lower, found[1].upper), (0.1, 0.4));
        assert!(merged(&[bin(0, 1.0, 1.0)], 5.0).is_empty());
    }

    #[test]
    fn nodes_of_images_are_counted_in_hundreds() {
        let group = |name: &str, n, scope| NodeGroup {
            name: name.to_string(),
            n,
            scope,
            rank: 0,
            parts: vec![NodePart { fitted_on: None, n, digest: String::new() }],
        };
        let groups = vec![
            group("features", 237, Scope::PerSubject),
            group("tune", 5, Scope::Training),
        ];
        let mut graph = GraphFacts { n_nodes: 242, groups, edges: Vec::new() };
        let mut certificate = Certificate { n_nodes: 242, ..Certificate::default() };
        nodes(&mut graph, &mut certificate);
        assert_eq!((graph.groups[0].n, graph.groups[1].n), (300, 5));
        assert_eq!((graph.groups[0].parts[0].n, graph.groups[1].parts[0].n), (300, 5));
        assert_eq!((graph.n_nodes, certificate.n_nodes), (300, 300));
        graph.groups.remove(0);
        (graph.n_nodes, certificate.n_nodes) = (5, 5);
        nodes(&mut graph, &mut certificate);
        assert_eq!((graph.n_nodes, certificate.n_nodes), (5, 5));
    }
}
