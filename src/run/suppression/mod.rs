//! What a report of patients must not tell: small cells, whoever can be read off a curve, and what
//! would give these away.
//!
//! The record that is shown is made from the whole one, so that page, tables, figures and
//! `report.json` all hide the same. Files that hold a row for each patient, such as
//! `predictions.csv`, are not for readers of the report and stay as they are.

mod apparent;
mod hiding;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::data::{
    AnalysisRecord, Banded, CalibrationCurve, Certificate, ColumnFacts, Count,
    DecisionCurve, Estimate, GraphFacts, Moments, NodeGroup, RiskBin, Scope, StudyRecord,
    SubgroupFacts, SuppressionFacts,
};
use crate::math::{log2, pow};
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

/// Decimals of values on few rows: fewer than would tell how many there are.
const FEW_DIGITS: f64 = 100.0;

/// Of what is measured on hardly anybody of a class.
const TENTHS: f64 = 10.0;

/// Beyond this a rounded share of a group says nothing and is left out.
const COARSEST: f64 = 0.2;

/// How the method of an area of few begins.
const TOO_FEW: &str = "too few: ";

/// The record without what could tell a patient, where counts from 1 to under `smallest` are small.
pub fn suppressed(whole: &StudyRecord, smallest: usize) -> StudyRecord {
    let mut hidden = sums::counts(whole).hidden(smallest as f64);
    moments(whole, smallest, &mut hidden);
    characteristics(whole, smallest, &mut hidden);
    let mut coarsened = Vec::new();
    let mut values = Vec::new();
    for (place, step, value) in coarse_moments(whole, &hidden) {
        values.push((place.clone(), value));
        coarsened.push((place, step));
    }
    let mut json = serde_json::to_value(whole).expect("a record is plain data");
    for place in &hidden {
        if let Some(value) = json.pointer_mut(place) {
            *value = Json::Null;
        }
    }
    for (place, value) in values {
        // Within what is hidden as a whole there is nothing to round.
        if let Some(known) = json.pointer_mut(&place).filter(|known| !known.is_null()) {
            *known = Json::from(value);
        }
    }
    let mut record: StudyRecord =
        serde_json::from_value(json).expect("what may be hidden may be null");
    for (name, of) in &whole.analyses {
        let Some(analysis) = record.analyses.get_mut(name) else { continue };
        let place = format!("/analyses/{}", name.replace('~', "~0").replace('/', "~1"));
        reasons(analysis);
        areas(of, analysis, &place, smallest, &mut hidden);
        curves(of, analysis);
        folds(analysis);
        // Beside the missing values of Table 1 it would tell of whom the outcome is unknown.
        if let Some(frozen) = analysis.frozen.as_mut().filter(|of| of.filled > 0) {
            frozen.filled = Count::HIDDEN;
            hidden.insert(format!("{place}/frozen/filled"));
        }
        coarsened.extend(few(of, analysis, &place, smallest, &mut hidden));
        if let Some(step) = step(of, smallest) {
            coarsened.extend(coarse(analysis, &place, step));
        }
    }
    let cells = (smallest, &mut hidden);
    coarsened.extend(apparent::apparent(&whole.analyses, &mut record.analyses, cells));
    claims(whole, &mut record, &mut hidden);
    comparisons(&mut record, whole, smallest, &hidden);
    for (at, model) in record.full_models.iter_mut().enumerate() {
        extremes(at, model, &mut hidden);
        importance(model);
    }
    // Those of unknown outcome are among them, as they are in no analysis: what is shown of the largest
    // one is as much as can be told.
    let analysed = record.analyses.values().filter_map(|of| of.n_subjects.known());
    record.certificate.n_groups = analysed.max().unwrap_or(0);
    nodes(&mut record.graph, &mut record.certificate);
    record.warnings.iter_mut().for_each(|warning| *warning = without_counts(warning));
    record.references.extend(reference("hanley1988"));
    record.references.sort_by(|a, b| a.key.cmp(&b.key));
    record.references.dedup();
    record.suppression = Some(SuppressionFacts {
        smallest_cell: smallest,
        hidden: hidden.into_iter().collect(),
        coarsened,
        rules: rules(smallest),
    });
    record.as_json = Default::default();
    record
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
         of a curve are patients"
            .to_string(),
        "calibration curves keep to the tenths of probability within which predictions lie, and their \
         distribution to ranges with no small cell; net benefit is smoothed over thresholds"
            .to_string(),
        format!(
            "where a cell of the confusion table is hidden, the measures of decisions are rounded so \
             coarsely that they are the same for 0 and for every count up to {most}; those on the rows \
             that a frozen model was fitted on always are, since no confusion table is shown of these"
        ),
        "values of single folds, groups and sites are rounded to two decimals, those measured on hardly \
         anybody of a class to one, and counts are taken out of warnings and of what is said of \
         intervals"
            .to_string(),
        "nodes of patients' images, and all nodes where there are such, are counted in hundreds, rounded \
         up"
            .to_string(),
        "`predictions.csv` and `models/` are for those who may see the data; they hold a row for each \
         patient, or values of patients, and are no part of what may be passed on"
            .to_string(),
    ]
}

/// Takes counts of rows out of the reasons why something could not be computed.
fn reasons(analysis: &mut AnalysisRecord) {
    let metrics = analysis.metrics.iter_mut().chain(&mut analysis.standard);
    let measured = analysis.performance.values_mut();
    let candidates = analysis.candidates.iter_mut();
    let permuted = analysis.permutation.iter_mut();
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
fn claims(whole: &StudyRecord, record: &mut StudyRecord, hidden: &mut BTreeSet<String>) {
    let order = || whole.analysis_order.iter();
    let all = || order().filter_map(|name| Some((name, whole.analyses.get(name)?)));
    let Some((_, headline)) = all().next() else { return };
    for (at, claim) in record.claims.iter_mut().enumerate() {
        for (place, (name, value)) in claim.values.iter_mut().enumerate() {
            let parts: Vec<&str> = name.split('.').collect();
            let [metric, .., cohort, end] = parts.as_slice() else { continue };
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
            if value.is_some() && left.is_none() {
                hidden.insert(format!("/claims/{at}/values/{place}/1"));
            }
            *value = value.and(left);
        }
    }
}

/// Takes counts out of how areas of few were made; the exact interval of a class that is hidden goes
/// too, since its size follows from it.
fn areas(
    of: &AnalysisRecord,
    analysis: &mut AnalysisRecord,
    place: &str,
    smallest: usize,
    hidden: &mut BTreeSet<String>,
) {
    let smaller = of.judged_rows().map(|(n, positive)| positive.min(n - positive));
    let place = format!("{place}/performance");
    of_few(&mut analysis.performance, smaller, &place, smallest, hidden);
}

/// The same for what is measured at a place on rows with so many of the smaller class.
fn of_few(
    performance: &mut BTreeMap<String, Estimate>,
    smaller: Option<usize>,
    place: &str,
    smallest: usize,
    hidden: &mut BTreeSet<String>,
) {
    let small = smaller.is_some_and(|n| (1..smallest).contains(&n));
    for (metric, estimate) in performance {
        if !estimate.method.starts_with(TOO_FEW) {
            continue;
        }
        if small {
            (estimate.lower, estimate.upper) = (None, None);
            estimate.estimate = rounded(estimate.estimate, 100.0);
            estimate.method =
                format!("no interval: {} of a class", TOO_FEW.trim_end_matches(": "));
            for end in ["lower", "upper"] {
                hidden.insert(format!("{place}/{metric}/{end}"));
            }
        } else {
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

/// Means and standard deviations of groups of which it is hidden how many they are, and differences
/// between such: a mean of whole numbers with all its digits tells what they were divided by. Gives
/// places with steps and rounded values.
fn coarse_moments(
    record: &StudyRecord,
    hidden: &BTreeSet<String>,
) -> Vec<(String, f64, f64)> {
    let mut coarse = Vec::new();
    for (at, block) in record.predictors.iter().enumerate() {
        for (position, column) in block.columns.iter().enumerate() {
            let path = format!("/predictors/{at}/columns/{position}");
            let mut any = false;
            for (of, moments) in [
                ("all", &column.all),
                ("positive", &column.positive),
                ("negative", &column.negative),
            ] {
                let path = format!("{path}/{of}");
                let Some(moments) = moments else { continue };
                if !hidden.contains(&format!("{path}/n")) {
                    continue;
                }
                any = true;
                let Some(step) = moments.n.known().and_then(|n| wide(moments.sd, n))
                else {
                    continue;
                };
                for (name, value) in [("mean", moments.mean), ("sd", moments.sd)] {
                    let value = rounded(value, 1.0 / step);
                    coarse.push((format!("{path}/{name}"), step, value));
                }
            }
            if let Some(smd) = column.smd.filter(|_| any) {
                let step = 1.0 / FEW_DIGITS;
                coarse.push((format!("{path}/smd"), step, rounded(smd, FEW_DIGITS)));
            }
        }
    }
    coarse
}

/// A step, 1, 2 or 5 times a power of ten, that the mean of so many whole multiples of something takes
/// whatever their number was: at least four standard deviations, more than two neighbouring values of
/// nearly any column lie apart, over the number.
fn wide(sd: f64, n: usize) -> Option<f64> {
    let least = 4.0 * sd / n as f64;
    least.is_normal().then(|| {
        let power = pow(10.0, (log2(least) * std::f64::consts::LOG10_2).floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
        steps.into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
    })
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
        let of_few = row.ones.is_some() && hidden.contains(&format!("{path}/ones"));
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

/// Curves that are smooth, with nobody's place on them.
fn curves(of: &AnalysisRecord, analysis: &mut AnalysisRecord) {
    let smooth = Binormal::of(&of.roc_mean).filter(|_| !of.roc.is_empty());
    let prevalence = of.judged_rows();
    analysis.roc.clear();
    analysis.roc_mean.points.clear();
    if let Some(smooth) = smooth {
        analysis.roc_mean = smooth.roc();
        analysis.roc = vec![smooth.roc()];
    }
    analysis.precision_recall.clear();
    analysis.precision_recall_mean.points.clear();
    if let (Some(smooth), Some((n, positive)), false) =
        (smooth, prevalence, of.precision_recall.is_empty())
    {
        let curve = smooth.precision_recall(positive as f64 / n.max(1) as f64);
        analysis.precision_recall_mean = curve.clone();
        analysis.precision_recall = vec![curve];
    }
    if let Some(curve) = &mut analysis.decision {
        *curve = smoothed(curve);
    }
}

/// Net benefit as a mean over neighbouring thresholds, rounded.
fn smoothed(curve: &DecisionCurve) -> DecisionCurve {
    /// Neighbours on either side.
    const BESIDE: usize = 4;
    let mean = |at: usize, of: &dyn Fn(usize) -> Option<f64>| {
        let last = curve.points.len() - 1;
        // As many on either side, so that slopes are kept at the ends.
        let beside = BESIDE.min(at).min(last - at);
        let values: Option<Vec<f64>> = (at - beside..=at + beside).map(of).collect();
        let values = values?;
        Some(rounded(values.iter().sum::<f64>() / values.len() as f64, 1000.0))
    };
    let points = curve.points.iter().enumerate().map(|(at, point)| {
        let model = mean(at, &|at| Some(curve.points[at].model));
        crate::data::DecisionPoint {
            model: model.unwrap_or(point.model),
            lower: mean(at, &|at| curve.points[at].lower),
            upper: mean(at, &|at| curve.points[at].upper),
            ..*point
        }
    });
    DecisionCurve {
        points: points.collect(),
        method: format!(
            "{}; as means over up to {} neighbouring thresholds, rounded, so that no patient's \
             prediction can be read",
            curve.method.trim_end_matches('.'),
            2 * BESIDE + 1
        ),
        ..curve.clone()
    }
}

/// Values of single folds with too few digits to tell how many rows they are of.
fn folds(analysis: &mut AnalysisRecord) {
    if let Some(alone) = &mut analysis.prevalence_only {
        // The prevalence without a fold tells the events of the fold.
        alone.lowest = rounded(alone.lowest, FEW_DIGITS);
        alone.highest = rounded(alone.highest, FEW_DIGITS);
    }
    for fold in &mut analysis.folds {
        fold.value = fold.value.map(|value| rounded(value, FEW_DIGITS));
        // A learned threshold may be what the model says of one patient.
        fold.threshold = fold.threshold.map(|value| rounded(value, FEW_DIGITS));
    }
    if let Some(thresholds) = &mut analysis.thresholds {
        for value in
            [&mut thresholds.median, &mut thresholds.lowest, &mut thresholds.highest]
        {
            *value = rounded(*value, FEW_DIGITS);
        }
    }
    for (metric, estimate) in &mut analysis.performance {
        match OF_DECISIONS.contains(&metric.as_str()) {
            true => estimate.folds.clear(),
            false => estimate
                .folds
                .iter_mut()
                .for_each(|value| *value = rounded(*value, FEW_DIGITS)),
        }
    }
}

/// Whether there are few rows, or few of a class.
fn too_few(n: Count, positive: Count, smallest: usize) -> bool {
    let small = |n: Option<usize>| n.is_some_and(|n| n > 0 && n < smallest);
    let negative = n.known().zip(positive.known()).map(|(n, p)| n.saturating_sub(p));
    small(n.known()) || small(positive.known()) || small(negative)
}

/// Sites, groups and classes that are too small to be told of, and what stands on them. Gives what
/// was rounded coarsely, with steps.
fn few(
    of: &AnalysisRecord,
    analysis: &mut AnalysisRecord,
    place: &str,
    smallest: usize,
    hidden: &mut BTreeSet<String>,
) -> Vec<(String, f64)> {
    let mut coarsened = Vec::new();
    let too_few = |n: Count, positive: Count| too_few(n, positive, smallest);
    let short = |value: &mut Option<f64>| {
        *value = value.map(|value| rounded(value, FEW_DIGITS));
    };
    let whole = of.sites.iter().zip(&mut analysis.sites);
    for (at, (of, site)) in whole.enumerate() {
        let ends = [&mut site.auroc, &mut site.lower, &mut site.upper];
        match too_few(of.n, of.n_positive) {
            true => {
                let names = ["auroc", "lower", "upper"];
                for (name, value) in names.into_iter().zip(ends) {
                    if value.take().is_some() {
                        hidden.insert(format!("{place}/sites/{at}/{name}"));
                    }
                }
                site.method = "too few".to_string();
            }
            false => ends.into_iter().for_each(short),
        }
    }
    let whole = of.subgroups.iter().zip(&mut analysis.subgroups);
    for (at, (of, group)) in whole.enumerate() {
        match too_few(of.n, of.n_positive) {
            true => {
                for what in group_hidden(group) {
                    hidden.insert(format!("{place}/subgroups/{at}/{what}"));
                }
            }
            false => {
                [&mut group.estimate, &mut group.lower, &mut group.upper]
                    .into_iter()
                    .for_each(short);
                coarsened.extend(group_coarse(of, group, smallest).into_iter().map(
                    |(which, step)| {
                        (format!("{place}/subgroups/{at}/measures/{which}"), step)
                    },
                ));
            }
        }
        let notes = group.measures.iter_mut().map(|measure| &mut measure.note);
        for note in notes.chain([&mut group.note]) {
            // How many patients an interval is of is the size of the group or of a class of it.
            *note = match note.starts_with("too few") {
                true => "too few".to_string(),
                false => without_counts(note),
            };
        }
    }
    if let Some(curve) = &mut analysis.calibration {
        *curve = calibration(curve, smallest);
    }
    if too_few(of.n, of.n_positive) {
        alone(analysis);
    } else if is_hidden(place, hidden) {
        without_prevalence(analysis);
        if let Some((n, positive)) = of.judged_rows()
            && let Some(step) = coarse_step(positive.min(n - positive), smallest)
        {
            coarsened.extend(coarse(analysis, place, step));
        }
        all_vague(analysis, FEW_DIGITS);
    }
    coarsened
}

/// What is measured, with few digits: a share of pairs, with all of them, tells how many of either class
/// there are.
fn all_vague(analysis: &mut AnalysisRecord, per_unit: f64) {
    for estimate in analysis.performance.values_mut().chain(&mut analysis.within) {
        vague(estimate, per_unit);
    }
    if let Some(permuted) = &mut analysis.permutation {
        let measured = [&mut permuted.observed, &mut permuted.mean, &mut permuted.sd];
        for value in measured.into_iter().chain(&mut permuted.values) {
            *value = rounded(*value, per_unit);
        }
    }
}

/// An estimate with fewer digits, in words without numbers of patients, and nothing beside it.
fn vague(estimate: &mut Estimate, per_unit: f64) {
    estimate.estimate = rounded(estimate.estimate, per_unit);
    for end in [&mut estimate.lower, &mut estimate.upper] {
        *end = end.map(|value| rounded(value, per_unit));
    }
    estimate.method = without_counts(&estimate.method);
    estimate.folds.clear();
    (estimate.prediction, estimate.sd_folds) = (None, None);
    estimate.other_intervals.clear();
}

/// Differences with an analysis whose numbers are hidden, and how much predictors matter, with as few
/// digits as the values that they are of.
fn comparisons(
    record: &mut StudyRecord,
    whole: &StudyRecord,
    smallest: usize,
    hidden: &BTreeSet<String>,
) {
    let per_unit = |name: &str| {
        let of = whole.analyses.get(name)?;
        let place = format!("/analyses/{}", name.replace('~', "~0").replace('/', "~1"));
        match too_few(of.n, of.n_positive, smallest) {
            true => Some(TENTHS),
            false => is_hidden(&place, hidden).then_some(FEW_DIGITS),
        }
    };
    for facts in &mut record.comparisons {
        let both = [per_unit(&facts.better), per_unit(&facts.than)];
        let fewest = both.into_iter().flatten().reduce(f64::min);
        if let (Some(result), Some(per_unit)) = (&mut facts.result, fewest) {
            result.difference = rounded(result.difference, per_unit);
            for value in [&mut result.lower, &mut result.upper] {
                *value = value.map(|value| rounded(value, per_unit));
            }
            result.p = result.p.map(|p| rounded(p, FEW_DIGITS));
            facts.p_adjusted = facts.p_adjusted.map(|p| rounded(p, FEW_DIGITS));
            result.method = without_counts(&result.method);
        }
    }
    for claim in &mut record.claims {
        for (name, value) in &mut claim.values {
            // Names are `METRIC.COHORT.END`.
            let cohort = name.split('.').rev().nth(1);
            let of = whole
                .analyses
                .iter()
                .filter(|(_, of)| Some(of.cohort.as_str()) == cohort);
            let fewest = of.filter_map(|(known, _)| per_unit(known)).reduce(f64::min);
            if let Some(per_unit) = fewest {
                *value = value.map(|value| rounded(value, per_unit));
            }
        }
    }
}

/// Whether it is hidden of how many rows or patients an analysis is.
fn is_hidden(place: &str, hidden: &BTreeSet<String>) -> bool {
    let counts = ["n", "n_positive", "n_subjects", "n_positive_subjects"];
    counts.iter().any(|n| hidden.contains(&format!("{place}/{n}")))
}

/// How much worse a fold is without a predictor is a share of the pairs of the fold.
fn importance(model: &mut crate::data::FullModelFacts) {
    for predictor in model.importance.iter_mut().flat_map(|of| &mut of.predictors) {
        predictor.mean = rounded(predictor.mean, 10.0 * FEW_DIGITS);
        predictor.lowest = rounded(predictor.lowest, FEW_DIGITS);
        predictor.highest = rounded(predictor.highest, FEW_DIGITS);
    }
}

/// Rounds the measures of a group; those that count decisions so that no small count follows, be it
/// of the patients who are called wrong or of those who are called right. Gives which, with steps.
fn group_coarse(
    of: &SubgroupFacts,
    group: &mut SubgroupFacts,
    smallest: usize,
) -> Vec<(usize, f64)> {
    let mut coarsened = Vec::new();
    let Some((n, positive)) = of.n.known().zip(of.n_positive.known()) else {
        return coarsened;
    };
    for (which, measure) in group.measures.iter_mut().enumerate() {
        let below = match measure.metric.as_str() {
            "sensitivity" => Some(positive),
            "specificity" => Some(n - positive),
            _ => None,
        };
        let small = |share: f64, below: usize| {
            let (right, all) = (share * below as f64, below as f64);
            [right, all - right].iter().any(|n| *n > 1e-6 && *n < smallest as f64)
        };
        let told = measure.estimate.zip(below).is_some_and(|(share, n)| small(share, n));
        let step = below.filter(|_| told).and_then(|n| coarse_step(n, smallest));
        if step.is_some_and(|step| step > COARSEST) {
            (measure.estimate, measure.lower, measure.upper) = (None, None, None);
            measure.note = "hidden: a small count would follow".to_string();
            continue;
        }
        let per_unit = step.map_or(FEW_DIGITS, |step| 1.0 / step);
        for value in [&mut measure.estimate, &mut measure.lower, &mut measure.upper] {
            *value = value.map(|value| rounded(value, per_unit));
        }
        if let Some(step) = step {
            measure.note.push_str(&format!("; rounded to steps of {step}"));
            coarsened.push((which, step));
        }
    }
    coarsened
}

/// Takes the values of a group away; gives their names.
fn group_hidden(group: &mut SubgroupFacts) -> Vec<&'static str> {
    for measure in &mut group.measures {
        (measure.estimate, measure.lower, measure.upper) = (None, None, None);
        measure.note = "too few".to_string();
    }
    let ends = [
        ("estimate", &mut group.estimate),
        ("lower", &mut group.lower),
        ("upper", &mut group.upper),
    ];
    let taken = ends.into_iter().filter_map(|(name, value)| value.take().map(|_| name));
    let taken: Vec<&str> = taken.collect();
    if !taken.is_empty() {
        group.note = "too few".to_string();
    }
    taken
}

/// An analysis whose size or events are hidden for the sake of other counts: what tells them goes too.
fn without_prevalence(analysis: &mut AnalysisRecord) {
    for metric in analysis.metrics.iter_mut().chain(&mut analysis.standard) {
        if metric.name != "auroc" {
            metric.chance = None;
        }
    }
    analysis.precision_recall.clear();
    analysis.precision_recall_mean.points.clear();
    analysis.calibration = None;
    analysis.decision = None;
    analysis.sample_size = None;
    analysis.prevalence_only = None;
}

/// An analysis with hardly anybody of a class keeps its primary metric alone.
fn alone(analysis: &mut AnalysisRecord) {
    let primary = analysis.primary.clone();
    analysis.performance.retain(|metric, _| *metric == primary);
    all_vague(analysis, TENTHS);
    analysis.folds.iter_mut().for_each(|fold| fold.value = None);
    for metric in analysis.metrics.iter_mut().chain(&mut analysis.standard) {
        if metric.name != primary {
            metric.missing = Some("too few of a class to be told".to_string());
            metric.chance = None;
        }
    }
    analysis.roc.clear();
    analysis.roc_mean.points.clear();
    analysis.precision_recall.clear();
    analysis.precision_recall_mean.points.clear();
    analysis.calibration = None;
    analysis.decision = None;
    analysis.confusion = None;
    analysis.sample_size = None;
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

/// How coarse measures of decisions must be, where a cell of the confusion table is hidden.
fn step(of: &AnalysisRecord, smallest: usize) -> Option<f64> {
    let cells = of.confusion.as_ref()?;
    let cells = [
        cells.true_positive,
        cells.false_positive,
        cells.false_negative,
        cells.true_negative,
    ];
    let small = |n: f64| n > 1e-6 && n < smallest as f64;
    if !cells.into_iter().flatten().any(small) {
        return None;
    }
    let (n, positive) = of.judged_rows()?;
    coarse_step(positive.min(n - positive), smallest)
}

/// The finest of a few steps with which 0 and all small counts out of `n` come to the same.
fn coarse_step(n: usize, smallest: usize) -> Option<f64> {
    let steps = [0.05, 0.1, 0.2, 0.5];
    let enough = |step: &f64| step * n as f64 / 2.0 > smallest as f64 - 1.0;
    Some(steps.into_iter().find(enough).unwrap_or(1.0))
}

/// Rounds what counts decisions; gives the places.
fn coarse(analysis: &mut AnalysisRecord, place: &str, step: f64) -> Vec<(String, f64)> {
    let mut places = Vec::new();
    for (metric, estimate) in &mut analysis.performance {
        if OF_DECISIONS.contains(&metric.as_str()) {
            *estimate =
                coarser(estimate, step, "a cell of the confusion table is hidden");
            places.push((format!("{place}/performance/{metric}"), step));
        }
    }
    places
}

fn coarser(estimate: &Estimate, step: f64, why: &str) -> Estimate {
    let per = 1.0 / step;
    Estimate {
        estimate: rounded(estimate.estimate, per),
        lower: estimate.lower.map(|value| rounded(value, per)),
        upper: estimate.upper.map(|value| rounded(value, per)),
        method: format!("{}; rounded to steps of {step}, since {why}", estimate.method),
        folds: Vec::new(),
        failed_folds: estimate.failed_folds.clone(),
        prediction: None,
        sd_folds: None,
        other_intervals: Vec::new(),
    }
}

/// Every image of a patient is a node or several, so that their number is one of patients.
fn nodes(graph: &mut GraphFacts, certificate: &mut Certificate) {
    let of_patients = |group: &&mut NodeGroup| group.scope == Scope::PerSubject;
    let hundreds = |n: usize| n.div_ceil(100) * 100;
    let mut groups = graph.groups.iter_mut().filter(of_patients).peekable();
    if groups.peek().is_none() {
        return;
    }
    groups.for_each(|group| group.n = hundreds(group.n));
    for n in [&mut graph.n_nodes, &mut certificate.n_nodes] {
        *n = hundreds(*n);
    }
}

/// The smallest and the largest value of a predictor are those of two patients.
fn extremes(
    at: usize,
    model: &mut crate::data::FullModelFacts,
    hidden: &mut BTreeSet<String>,
) {
    let mut take = |place: String, value: &mut Option<f64>| {
        if value.take().is_some() {
            hidden.insert(place);
        }
    };
    for (position, column) in model.columns.iter_mut().enumerate() {
        let place = format!("/full_models/{at}/columns/{position}");
        take(format!("{place}/lowest"), &mut column.lowest);
        take(format!("{place}/highest"), &mut column.highest);
    }
    for (member, facts) in model.members.iter_mut().enumerate() {
        let Ok(equation) = &mut facts.equation else { continue };
        for (position, term) in equation.terms.iter_mut().enumerate() {
            let place = format!(
                "/full_models/{at}/members/{member}/equation/Ok/terms/{position}"
            );
            take(format!("{place}/lowest"), &mut term.lowest);
            take(format!("{place}/highest"), &mut term.highest);
        }
    }
}

fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}

/// A warning or a reason in which numbers of rows and patients are told as "some", and those that
/// are too few as "fewer".
fn without_counts(text: &str) -> String {
    const OF: &[&str] =
        &["row", "rows", "patient", "patients", "subject", "subjects", "ids"];
    let words: Vec<&str> = text.split(' ').collect();
    let is_number = |at: usize| {
        words.get(at).is_some_and(|w| {
            !w.is_empty() && w.chars().all(|c| c.is_ascii_digit() || c == ',')
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
    use crate::operation::Instance;

    #[test]
    fn every_metric_of_decisions_is_known_as_one() {
        for entry in crate::statistics::operations() {
            let Ok(Instance::Metric(metric)) = (entry.build)(serde_json::json!({}))
            else {
                continue;
            };
            let name = entry.about.name;
            let known = OF_DECISIONS.contains(&name);
            assert_eq!(metric.scale().needs_threshold, known, "{name}");
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
        let kept = "the smallest AUROC of 5 folds is 0.52";
        assert_eq!(without_counts(kept), kept);
    }

    /// Means of whole numbers, as coarse as they are shown, could be of any number near the true one.
    #[test]
    fn a_rounded_mean_does_not_tell_of_how_many_it_is() {
        for n in [8usize, 15, 23, 40, 97] {
            let values: Vec<f64> = (0..n).map(|at| (at * at % 4) as f64).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            let step = wide((squares / (n - 1) as f64).sqrt(), n).unwrap();
            let shown = rounded(mean, 1.0 / step);
            for other in n - n / 4..=n + n / 4 {
                let same = (0..=3 * other)
                    .any(|sum| rounded(sum as f64 / other as f64, 1.0 / step) == shown);
                assert!(same, "{n}: not of {other}");
            }
        }
        assert_eq!(
            (wide(1.0, 40), wide(0.0, 40), wide(12.0, 40)),
            (Some(0.1), None, Some(2.0))
        );
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
    fn measures_are_so_coarse_that_small_counts_agree() {
        for n in [11, 24, 40, 50, 60, 100, 150, 400] {
            let step = coarse_step(n, 5).unwrap();
            for cell in 0..=n {
                let shown = rounded(cell as f64 / n as f64, 1.0 / step);
                let agree = (0..=n)
                    .filter(|other| {
                        rounded(*other as f64 / n as f64, 1.0 / step) == shown
                    })
                    .count();
                assert!(agree >= 5, "{n} {cell}: {agree}");
            }
        }
    }

    #[test]
    fn nodes_of_images_are_counted_in_hundreds() {
        let group = |name: &str, n, scope| NodeGroup {
            name: name.to_string(),
            n,
            scope,
            rank: 0,
        };
        let groups = vec![
            group("features", 237, Scope::PerSubject),
            group("tune", 5, Scope::Training),
        ];
        let mut graph = GraphFacts { n_nodes: 242, groups, edges: Vec::new() };
        let mut certificate = Certificate { n_nodes: 242, ..Certificate::default() };
        nodes(&mut graph, &mut certificate);
        assert_eq!((graph.groups[0].n, graph.groups[1].n), (300, 5));
        assert_eq!((graph.n_nodes, certificate.n_nodes), (300, 300));
        graph.groups.remove(0);
        (graph.n_nodes, certificate.n_nodes) = (5, 5);
        nodes(&mut graph, &mut certificate);
        assert_eq!((graph.n_nodes, certificate.n_nodes), (5, 5));
    }
}
