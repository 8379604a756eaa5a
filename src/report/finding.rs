//! The finding in words: never stronger than its interval, never without what else explains it.
//!
//! A pure function of the record. Each sentence is true by itself; none calls a result positive,
//! since an interval above chance alone does not make it so.

use super::author::coded;
use super::shown::{Shown, escape, place, plain};
use super::standing::{
    Standing, chance, headline, judged_place, label, primary, rows_are, same_question,
    same_splits,
};
use crate::data::{
    AnalysisRecord, AssociationFacts, Better, Estimate, PermutationFacts, StudyRecord,
};

/// Below it an outcome counts as going with a column.
const ASSOCIATED: f64 = 0.05;

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// What must stand in the first lines: no measure of association, the strongest control alone.
    Lead,
    Full,
}

/// The finding as HTML for the first lines of the page.
pub fn finding(record: &StudyRecord) -> String {
    said(record, Detail::Lead).join(" ")
}

/// The same sentence by sentence with everything that belongs to it.
fn sentences(record: &StudyRecord) -> Vec<String> {
    said(record, Detail::Full)
}

/// Those of them that the first lines do not hold word for word.
pub fn beyond(record: &StudyRecord) -> Vec<String> {
    let lead = said(record, Detail::Lead);
    sentences(record).into_iter().filter(|sentence| !lead.contains(sentence)).collect()
}

/// The headline, what site or stratum explain, and what came of it outside.
fn said(record: &StudyRecord, detail: Detail) -> Vec<String> {
    let shown = Shown::new(record);
    let Some((name, analysis)) = headline(record) else {
        return vec!["The study has no analysis with a result.".to_string()];
    };
    let mut sentences = vec![first(record, &shown, name, analysis)];
    if analysis.performance.contains_key(&analysis.primary) {
        sentences.extend(stood_in(&shown, name, analysis, detail));
        sentences.extend(explained(record, &shown, (name, analysis), detail));
        sentences.extend(controlled(record, &shown, analysis, detail));
    }
    sentences.extend(outside(record, &shown, analysis, detail));
    sentences
}

/// Where an interval lies.
enum Lies {
    /// There is none, or nothing is known of chance.
    Unknown,
    /// All of it is worse than chance.
    Below,
    Around,
    /// All of it is better than chance.
    Above,
}

fn lies(estimate: &Estimate, chance: Option<f64>, better: Better) -> Lies {
    match (estimate.lower, estimate.upper, chance, better) {
        (Some(lower), Some(upper), Some(chance), Better::Higher | Better::Lower) => {
            let (under, over) = (upper < chance, lower > chance);
            match (under, over, better) {
                (false, false, _) => Lies::Around,
                (true, _, Better::Higher) | (_, true, Better::Lower) => Lies::Below,
                _ => Lies::Above,
            }
        }
        _ => Lies::Unknown,
    }
}

/// `no evidence of discrimination (…)`, with what the interval does not exclude.
fn no_evidence(shown: &Shown, path: &str, metric: &str) -> String {
    format!(
        "no evidence of discrimination ({metric} {}, 95 % CI {}; values up to {} are not excluded)",
        shown.number(&format!("{path}/estimate"), 2),
        shown.interval(path, 2),
        shown.number(&format!("{path}/upper"), 2)
    )
}

/// How the headline was judged.
fn judged(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    of: &AnalysisRecord,
) -> String {
    let at = judged_place(name, of);
    let n = shown.count(&format!("{at}/n"));
    let rows = rows_are(record, &of.cohort);
    let incomplete = of.judged.as_ref().filter(|of| of.n_splits < of.of_splits);
    if incomplete.is_some() {
        return format!(
            "on {n} of {} {rows} ({}; a result in {} of {} outer splits)",
            shown.count(&format!("{}/n", place(name))),
            escape(&of.scheme_text),
            shown.count(&format!("{at}/n_splits")),
            shown.count(&format!("{at}/of_splits"))
        );
    }
    match Standing::of(record, of) {
        Standing::SiteBySite => {
            format!("on {n} {rows}, each site held out once as a whole")
        }
        _ => format!("on {n} held-out {rows} ({})", escape(&of.scheme_text)),
    }
}

fn first(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> String {
    let label = escape(label(record, &analysis.outcome));
    let Some(estimate) = analysis.performance.get(&analysis.primary) else {
        return format!(
            "The headline analysis of {label} has no result; the reason stands below."
        );
    };
    let path = format!("{}/performance/{}", place(name), analysis.primary);
    let metric = escape(&primary(analysis));
    let value = shown.number(&format!("{path}/estimate"), 2);
    if estimate.lower.is_none() || estimate.upper.is_none() {
        let judged = judged(record, shown, name, analysis);
        let why = match bare_of(&estimate.method) {
            Some(why) => format!("without an interval ({})", escape(why)),
            None => "with too few for an interval".to_string(),
        };
        // Nothing is shown by a value that may be off by any amount.
        return match analysis.primary.as_str() {
            "auroc" => format!(
                "For {label} there is no evidence of discrimination {judged}: the {metric} was {value}, \
                 {why}."
            ),
            _ => format!("The {metric} for {label} was {value} {judged}, {why}."),
        };
    }
    let judged = judged(record, shown, name, analysis);
    let measured = shown.measured(&path, 2);
    let mut sentence = match lies(estimate, chance(analysis), analysis.better()) {
        Lies::Around if analysis.primary == "auroc" => {
            format!(
                "For {label} there is {} {judged}",
                no_evidence(shown, &path, &metric)
            )
        }
        Lies::Around => {
            format!(
                "The {metric} for {label} was {measured} {judged}, which does not exclude chance"
            )
        }
        Lies::Below => format!(
            "The {metric} for {label} was {measured} {judged}, which is worse than chance"
        ),
        Lies::Above => format!(
            "The {metric} for {label} was {measured} {judged}, an interval {} chance{}",
            if analysis.better() == Better::Lower { "below" } else { "above" },
            unborne(shown, name, analysis)
        ),
        Lies::Unknown => format!("The {metric} for {label} was {measured} {judged}"),
    };
    if estimate.prediction.is_some() {
        sentence.push_str(&format!(
            "; a further site is expected between {} and {}",
            shown.number(&format!("{path}/prediction/0"), 2),
            shown.number(&format!("{path}/prediction/1"), 2)
        ));
    }
    sentence.push('.');
    sentence
}

/// Why an estimate has no interval, where its method says so.
fn bare_of(method: &str) -> Option<&str> {
    let (_, why) = method.split_once("no interval: ")?;
    Some(why.split(';').next().unwrap_or(why))
}

/// In how many outer splits the prevalence stood in for a model: in the first lines where it was most.
fn stood_in(
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
    detail: Detail,
) -> Option<String> {
    let of = analysis.stand_in.as_ref()?;
    if detail == Detail::Lead && 2 * of.folds < of.of {
        return None;
    }
    let count = |what: &str| shown.count(&format!("{}/stand_in/{what}", place(name)));
    let mut others =
        analysis.candidates.iter().filter(|of| of.learner != "naive").peekable();
    let why = match of.all_failed {
        true if others.peek().is_none() => "the study names no other learner".to_string(),
        true => {
            let why = others.find_map(|of| of.failure.as_deref()).map(coded);
            let why = why.map_or(String::new(), |why| format!(" ({why})"));
            format!("no candidate could be fitted{why}")
        }
        false if of.without_columns == 0 => {
            "nothing did better on inner splits".to_string()
        }
        false if of.without_columns == of.folds => {
            "the selector of the choice kept no column".to_string()
        }
        false => format!(
            "in {} of them the selector of the choice kept no column and in the others nothing did \
             better on inner splits",
            count("without_columns")
        ),
    };
    Some(format!(
        "In {} of {} outer splits the prevalence of the training rows was predicted for everybody, since \
         {why}.",
        count("folds"),
        count("of")
    ))
}

/// That permuted outcomes do as well, where they do, or that there are too few to tell, or none: an
/// interval above chance is not enough.
fn unborne(shown: &Shown, name: &str, analysis: &AnalysisRecord) -> String {
    let at = format!("{}/permutation", place(name));
    match &analysis.permutation {
        Some(found) if found.times < PermutationFacts::LEAST => format!(
            "; the permuted outcomes, {} in number, are too few to tell whether they bear it out",
            shown.count(&format!("{at}/times"))
        ),
        Some(found) if found.p >= 0.05 => format!(
            " that permuted outcomes do not bear out (p = {})",
            shown.p(&format!("{at}/p"))
        ),
        Some(_) => String::new(),
        None => "; outcomes were not permuted to check that".to_string(),
    }
}

/// The columns that the headline's outcome goes with in its cohort, with their places.
pub fn associated<'r>(
    record: &'r StudyRecord,
    analysis: &AnalysisRecord,
) -> Vec<(usize, &'r AssociationFacts)> {
    let of_headline = |facts: &AssociationFacts| {
        facts.outcome == analysis.outcome
            && facts.cohort == analysis.cohort
            && facts.p.is_some_and(|p| p < ASSOCIATED)
    };
    record
        .associations
        .iter()
        .enumerate()
        .filter(|(_, facts)| of_headline(facts))
        .collect()
}

/// What site or stratum explain, where the outcome goes with them.
fn explained(
    record: &StudyRecord,
    shown: &Shown,
    (name, analysis): (&str, &AnalysisRecord),
    detail: Detail,
) -> Vec<String> {
    let columns = associated(record, analysis);
    let Some((strongest, _)) = columns.iter().copied().max_by(|(_, a), (_, b)| {
        a.cramers_v.unwrap_or(0.0).total_cmp(&b.cramers_v.unwrap_or(0.0))
    }) else {
        return Vec::new();
    };
    let names: Vec<String> = columns
        .iter()
        .map(|(at, facts)| {
            let v = shown.number(&format!("/associations/{at}/cramers_v"), 2);
            match detail {
                Detail::Lead => escape(&facts.column),
                Detail::Full => format!("{} (Cramér’s V {v})", escape(&facts.column)),
            }
        })
        .collect();
    let mut sentences = vec![format!(
        "The outcome goes with {}: {}.",
        names.join(" and with "),
        inside(record, shown, name, analysis)
    )];
    if !controls(record, analysis).iter().any(|(_, of)| may_look_at_site(of)) {
        let column = &record.associations[strongest].column;
        sentences.push(format!(
            "No control model shows what {column} alone gives on the same splits; the share of \
             positives by {column} gives {} on the same {rows}, which is too favourable.",
            shown.number(&format!("/associations/{strongest}/auroc"), 2),
            rows = rows_are(record, &analysis.cohort),
            column = escape(column),
        ));
    }
    sentences
}

/// What controls give alone: in the first lines the strongest, where it matters there.
fn controlled(
    record: &StudyRecord,
    shown: &Shown,
    analysis: &AnalysisRecord,
    detail: Detail,
) -> Vec<String> {
    let told = match detail {
        Detail::Lead => telling_control(record, analysis).into_iter().collect(),
        Detail::Full => controls(record, analysis),
    };
    let words = told
        .into_iter()
        .filter_map(|(name, control)| alone(record, shown, analysis, name, control));
    words.collect()
}

/// Controls of the headline with a result, the strongest first, since it explains the most.
fn controls<'r>(
    record: &'r StudyRecord,
    analysis: &'r AnalysisRecord,
) -> Vec<(&'r String, &'r AnalysisRecord)> {
    let mut controls: Vec<_> = same_splits(record, analysis)
        .filter(|(_, of)| of.role == "control" && of.merit().is_some())
        .collect();
    controls.sort_by(|(_, a), (_, b)| {
        let merit = |of: &AnalysisRecord| of.merit().unwrap_or(f64::NEG_INFINITY);
        merit(b).total_cmp(&merit(a))
    });
    controls
}

/// The strongest control, where the outcome goes with site or stratum or the model is no better.
pub fn telling_control<'r>(
    record: &'r StudyRecord,
    analysis: &'r AnalysisRecord,
) -> Option<(&'r String, &'r AnalysisRecord)> {
    let (name, control) = *controls(record, analysis).first()?;
    let no_less = control.merit()? >= analysis.merit()?;
    (no_less || !associated(record, analysis).is_empty()).then_some((name, control))
}

/// Whether a control may be one of site or stratum: of one that the author names nobody knows.
pub fn may_look_at_site(control: &AnalysisRecord) -> bool {
    let added = control.added.as_ref();
    added.is_none_or(|added| added.looks_at == "site or stratum")
}

/// Whether the one column that the outcome goes with is that by which whole sites were held out: then no
/// column is named to look within.
pub fn held_out_whole(record: &StudyRecord, analysis: &AnalysisRecord) -> bool {
    analysis.kind == "sites"
        && record.study.within.is_none()
        && record.study.no_controls_added.is_none()
        && associated(record, analysis).len() == 1
}

/// The metric over pairs inside strata.
fn inside(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> String {
    let Some(column) = &record.study.within else {
        return match held_out_whole(record, analysis) {
            true => "it was held out level by level, so that no pair is of two of them",
            false => "the performance inside its levels was not asked for",
        }
        .to_string();
    };
    let column = escape(column);
    let Some(estimate) = &analysis.within else {
        return format!("the performance within {column} could not be computed");
    };
    let path = format!("{}/within", place(name));
    match lies(estimate, Some(0.5), Better::Higher) {
        Lies::Around => {
            format!("within {column} there is {}", no_evidence(shown, &path, "AUROC"))
        }
        Lies::Below => {
            format!(
                "within {column} the AUROC was {}, worse than chance",
                shown.measured(&path, 2)
            )
        }
        Lies::Above | Lies::Unknown => {
            format!("within {column} the AUROC was {}", shown.measured(&path, 2))
        }
    }
}

/// What a control gives alone on the same splits, and how the model stands to it.
fn alone(
    record: &StudyRecord,
    shown: &Shown,
    analysis: &AnalysisRecord,
    name: &str,
    control: &AnalysisRecord,
) -> Option<String> {
    let theirs = control.performance.get(&control.primary)?;
    let ours = analysis.performance.get(&analysis.primary)?;
    let path = format!("{}/performance/{}", place(name), control.primary);
    // What is the same on the page is told as the same.
    let same = plain(ours.estimate, 2) == plain(theirs.estimate, 2);
    let more = analysis.merit()? <= control.merit()?;
    let compared = (!more).then(|| over(record, shown, analysis, control)).flatten();
    let stands = compared.unwrap_or_else(|| {
        match (same, more, analysis.better()) {
            (true, ..) => ", as much as the model",
            (false, true, Better::Higher) => ", more than the model",
            (false, false, Better::Higher) => ", less than the model",
            (false, true, _) => ", which is better than the model",
            (false, false, _) => ", which is worse than the model",
        }
        .to_string()
    });
    Some(format!(
        "On the same splits {} alone gives {}{stands}.",
        escape(&super::standing::alone(control)),
        shown.measured(&path, 2)
    ))
}

/// By how much the model leads, where the two were compared.
fn over(
    record: &StudyRecord,
    shown: &Shown,
    analysis: &AnalysisRecord,
    control: &AnalysisRecord,
) -> Option<String> {
    let named = |name: &str, of: &AnalysisRecord| record.analyses.get(name) == Some(of);
    let (at, facts) = record.comparisons.iter().enumerate().find(|(_, facts)| {
        named(&facts.better, analysis) && named(&facts.than, control)
    })?;
    let result = facts.result.as_ref()?;
    let path = format!("/comparisons/{at}/result");
    let (lower, upper) = (result.lower?, result.upper?);
    let lead = format!(
        "{} (95 % CI {})",
        shown.signed(&format!("{path}/difference"), 2),
        shown.interval(&path, 2)
    );
    Some(match lower > 0.0 || upper < 0.0 {
        true => format!("; the model differs by {lead}"),
        false => format!("; the model differs by {lead}, which does not exclude zero"),
    })
}

/// What the frozen model gave on other cohorts.
fn outside(
    record: &StudyRecord,
    shown: &Shown,
    of: &AnalysisRecord,
    detail: Detail,
) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, external) in same_question(record, of) {
        if external.kind == "external" {
            sentences.push(frozen(record, shown, of, name, external));
        }
    }
    if !sentences.is_empty() && detail == Detail::Full {
        sentences.push(
            "The internal estimate is of the procedure, repeated in every fold; what other cohorts \
             show is of the one frozen model."
                .to_string(),
        );
    }
    sentences
}

fn frozen(
    record: &StudyRecord,
    shown: &Shown,
    of: &AnalysisRecord,
    name: &str,
    external: &AnalysisRecord,
) -> String {
    let rows = rows_are(record, &external.cohort);
    let n = format!("{} {rows}", shown.count(&format!("{}/n", place(name))));
    let cohort = record.cohorts.iter().find(|cohort| cohort.name == external.cohort);
    let relation = cohort.and_then(|cohort| cohort.relation.as_deref());
    let whom = match (Standing::of(record, external), relation) {
        (Standing::OtherSites, _) => {
            format!(
                "{n} of held-out sites of the same archive (internal–external validation)"
            )
        }
        (Standing::HeldBack, _) => format!("{n} held back from the same source"),
        (_, Some(relation)) => format!("{n} of {} (external)", escape(relation)),
        (_, None) => format!("{n} of another cohort, {}", escape(&external.cohort)),
    };
    let Some(estimate) = external.performance.get(&external.primary) else {
        let primary = external.metrics.iter().find(|of| of.name == external.primary);
        let why = primary.and_then(|of| of.missing.as_deref());
        let why = why.map_or(String::new(), |why| format!(": {}", escape(why)));
        return format!("The result of the frozen model on {whom} is missing{why}.");
    };
    let path = format!("{}/performance/{}", place(name), external.primary);
    let metric = escape(&primary(external));
    let inside = match (&record.study.within, &external.within) {
        (Some(column), Some(within)) if !associated(record, of).is_empty() => {
            let path = format!("{}/within", place(name));
            let chance = match lies(within, Some(0.5), Better::Higher) {
                Lies::Around => ", which does not exclude chance",
                Lies::Below => ", worse than chance",
                Lies::Above | Lies::Unknown => "",
            };
            format!(
                "; within {} it was {}{chance}",
                escape(column),
                shown.measured(&path, 2)
            )
        }
        _ => String::new(),
    };
    let internal = of.performance.get(&of.primary);
    let better = external.better();
    let lies = lies(estimate, chance(external), better);
    let stands = match (internal, better) {
        (Some(internal), Better::Higher)
            if estimate.upper.is_some_and(|upper| upper < internal.estimate) =>
        {
            ", with its whole interval below the internal estimate"
        }
        (Some(internal), Better::Lower)
            if estimate.lower.is_some_and(|lower| lower > internal.estimate) =>
        {
            ", with its whole interval above the internal estimate"
        }
        (Some(internal), _)
            if better.merit(estimate.estimate) < better.merit(internal.estimate) =>
        {
            match better {
                Better::Higher => ", less than the internal estimate",
                _ => ", worse than the internal estimate",
            }
        }
        // It would be praise of what may be chance.
        (Some(_), _) if matches!(lies, Lies::Around) => "",
        (Some(_), Better::Higher) => ", no less than the internal estimate",
        (Some(_), _) => ", no worse than the internal estimate",
        (None, _) => "",
    };
    match lies {
        Lies::Around if external.primary == "auroc" => format!(
            "On {whom} the frozen model shows {}{stands}{inside}.",
            no_evidence(shown, &path, &metric)
        ),
        Lies::Below => format!(
            "On {whom} the frozen model was worse than chance: {metric} {}{inside}.",
            shown.measured(&path, 2)
        ),
        _ => format!(
            "On {whom} the frozen model gave {metric} {}{stands}{inside}.",
            shown.measured(&path, 2)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::shown::without_tags;
    use super::*;
    use crate::data::{
        Certificate, CohortFacts, Compared, ComparisonFacts, FlowBox, GraphFacts,
        JudgedFacts, MetricFacts, OutcomeFacts, StudyFacts,
    };

    fn measured(estimate: f64, ends: Option<(f64, f64)>) -> Estimate {
        Estimate {
            estimate,
            lower: ends.map(|(lower, _)| lower),
            upper: ends.map(|(_, upper)| upper),
            ..Estimate::default()
        }
    }

    fn analysis(model: &str, kind: &str, auroc: Option<Estimate>) -> AnalysisRecord {
        let (cohort, scheme) = match kind {
            "external" => ("elsewhere", "external"),
            _ => ("here", "internal"),
        };
        AnalysisRecord {
            outcome: "idh".to_string(),
            model: model.to_string(),
            cohort: cohort.to_string(),
            scheme: scheme.to_string(),
            kind: kind.to_string(),
            branch: String::new(),
            role: if model == "archive" { "control" } else { "primary" }.to_string(),
            within: None,
            subgroups: Vec::new(),
            sites: Vec::new(),
            frozen: None,
            scheme_text: "nested 5 × 5 cross-validation".to_string(),
            n: 100.into(),
            n_positive: 40.into(),
            n_predictors: 10,
            performance: auroc.map(|e| ("auroc".to_string(), e)).into_iter().collect(),
            primary: "auroc".to_string(),
            metrics: vec![MetricFacts {
                name: "auroc".to_string(),
                title: "Area under the ROC curve".to_string(),
                chance: Some(0.5),
                ..MetricFacts::default()
            }],
            ..AnalysisRecord::default()
        }
    }

    fn cohort(name: &str, source: &str, relation: Option<&str>) -> CohortFacts {
        CohortFacts {
            name: name.to_string(),
            base: false,
            sealed: relation.is_some(),
            relation: relation.map(str::to_string),
            n_rows: 100.into(),
            n_subjects: 100.into(),
            n_sites: None,
            flow: vec![FlowBox {
                label: format!("rows of {source}"),
                n_in: 100.into(),
                removed: Vec::new(),
                joins: Vec::new(),
                n_out: 100.into(),
                n_subjects: 100.into(),
            }],
        }
    }

    fn record(analyses: Vec<(&str, AnalysisRecord)>) -> StudyRecord {
        StudyRecord {
            schema: 1,
            engine: String::new(),
            study: StudyFacts {
                no_controls_added: None,
                not_permuted: None,
                no_learning_curve: None,
                target_prevalence: None,
                title: String::new(),
                cancer: String::new(),
                seed: 1,
                digest: String::new(),
                simulated: false,
                terms: None,
                public: true,
                within: None,
            },
            sources: Vec::new(),
            cohorts: vec![
                cohort("here", "a", None),
                cohort("elsewhere", "b", Some("another institution")),
            ],
            outcomes: vec![OutcomeFacts {
                name: "idh".to_string(),
                label: "IDH mutation".to_string(),
                derivation: String::new(),
                cohort: "here".to_string(),
                role: "primary".to_string(),
                positive: 40.into(),
                negative: 60.into(),
                unknown: 0.into(),
                decided: Vec::new(),
                conflicts: 0.into(),
                sealed: false,
            }],
            agreements: Vec::new(),
            associations: Vec::new(),
            predictors: Vec::new(),
            extraction: Vec::new(),
            characteristics: Vec::new(),
            missingness: Vec::new(),
            analysis_order: analyses.iter().map(|(name, _)| name.to_string()).collect(),
            analyses: analyses
                .into_iter()
                .map(|(name, analysis)| (name.to_string(), analysis))
                .collect::<BTreeMap<_, _>>(),
            full_models: Vec::new(),
            comparisons: Vec::new(),
            claims: Vec::new(),
            deviations: Vec::new(),
            protocol: None,
            methods: Vec::new(),
            graph: GraphFacts { n_nodes: 0, groups: Vec::new(), edges: Vec::new() },
            certificate: Certificate::default(),
            references: Vec::new(),
            warnings: Vec::new(),
            reporting: Default::default(),
            checklists: Vec::new(),
            conflicts: Vec::new(),
            quality: None,
            risk_of_bias: None,
            suppression: None,
        }
    }

    /// The headline alone, with this estimate.
    fn headline_of(estimate: f64, ends: Option<(f64, f64)>) -> StudyRecord {
        record(vec![("a", analysis("mri", "internal", Some(measured(estimate, ends))))])
    }

    fn goes_with_archive(mut record: StudyRecord, p: f64) -> StudyRecord {
        record.associations.push(AssociationFacts {
            outcome: "idh".to_string(),
            cohort: "here".to_string(),
            column: "archive".to_string(),
            levels: 2,
            cramers_v: Some(0.77),
            p: Some(p),
            auroc: Some(0.9),
            one_class_levels: 0,
        });
        record
    }

    fn told(record: &StudyRecord) -> String {
        let text = without_tags(&sentences(record).join(" "));
        for never in ["no signal", "validated", "positive finding", "NaN"] {
            assert!(!text.contains(never), "{text}");
        }
        text
    }

    #[track_caller]
    fn has(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }

    #[test]
    fn the_headline_says_no_more_than_its_interval() {
        let text = told(&headline_of(0.55, Some((0.41, 0.69))));
        has(
            &text,
            &[
                "there is no evidence of discrimination (AUROC 0.55, 95 % CI 0.41–0.69; values up \
               to 0.69 are not excluded)",
            ],
        );
        let text = told(&headline_of(0.72, Some((0.61, 0.83))));
        assert_eq!(
            text,
            "The AUROC for IDH mutation was 0.72 (95 % CI 0.61–0.83) on 100 held-out patients \
             (nested 5 × 5 cross-validation), an interval above chance; outcomes were not permuted \
             to check that."
        );
        has(&told(&headline_of(0.3, Some((0.2, 0.4)))), &["worse than chance"]);
        let mut bare = headline_of(0.8, None);
        let none =
            &["there is no evidence of discrimination on", "was 0.80, with too few"];
        has(&told(&bare), none);
        let of = bare.analyses.get_mut("a").unwrap();
        of.performance.get_mut("auroc").unwrap().method =
            "mean over 5 held-out folds; no interval: folds of one same value have no spread".to_string();
        has(
            &told(&bare),
            &["without an interval (folds of one same value have no spread)."],
        );
        // The edge itself is not above chance.
        has(
            &told(&headline_of(0.6, Some((0.5, 0.7)))),
            &["no evidence of discrimination"],
        );
        let none = record(vec![("a", analysis("mri", "internal", None))]);
        has(&told(&none), &["has no result"]);
        assert_eq!(told(&record(Vec::new())), "The study has no analysis with a result.");
    }

    #[test]
    fn permuted_outcomes_bear_the_interval_out_or_do_not_or_are_too_few_to_tell() {
        let with = |times: usize, as_extreme: usize| {
            let mut record = headline_of(0.72, Some((0.61, 0.83)));
            let of = record.analyses.get_mut("a").unwrap();
            of.permutation = Some(PermutationFacts {
                times,
                within: None,
                repeats: 1,
                observed: 0.72,
                as_extreme,
                p: (as_extreme + 1) as f64 / (times + 1) as f64,
                mean: 0.5,
                sd: 0.1,
                values: vec![0.5; times],
                failed: Vec::new(),
            });
            told(&record)
        };
        has(
            &with(20, 0),
            &["(nested 5 × 5 cross-validation), an interval above chance."],
        );
        let unborne = "above chance that permuted outcomes do not bear out (p = 0.10).";
        has(&with(20, 1), &[unborne.replace("0.10", "0.095").as_str()]);
        has(&with(999, 99), &[unborne]);
        for (times, as_extreme) in [(2, 0), (19, 0), (19, 3)] {
            let few = format!(
                "an interval above chance; the permuted outcomes, {times} in number, are too few \
                 to tell whether they bear it out."
            );
            has(&with(times, as_extreme), &[&few]);
        }
    }

    #[test]
    fn rows_that_are_no_patients_and_other_metrics_are_named_as_they_are() {
        let mut record = headline_of(0.2, Some((0.1, 0.3)));
        record.cohorts[0].n_subjects = 50.into();
        let of = record.analyses.get_mut("a").unwrap();
        let estimate = of.performance.remove("auroc").unwrap();
        of.primary = "brier".to_string();
        of.metrics[0] = MetricFacts {
            name: "brier".to_string(),
            title: "Brier score".to_string(),
            ..MetricFacts::default()
        };
        of.performance.insert("brier".to_string(), estimate);
        let text = told(&record);
        has(&text, &["The Brier score for IDH mutation was 0.20", "100 held-out rows"]);
        assert!(!text.contains("chance") && !text.contains("discrimination"));
    }

    #[test]
    fn a_lower_score_is_better_where_the_metric_says_so() {
        let brier = |lower: f64, upper: f64| {
            let mut record = headline_of((lower + upper) / 2.0, Some((lower, upper)));
            let of = record.analyses.get_mut("a").unwrap();
            let estimate = of.performance.remove("auroc").unwrap();
            of.primary = "brier".to_string();
            of.metrics[0] = MetricFacts {
                name: "brier".to_string(),
                title: "Brier score".to_string(),
                chance: Some(0.24),
                better: Better::Lower,
                ..MetricFacts::default()
            };
            of.performance.insert("brier".to_string(), estimate);
            record
        };
        has(&told(&brier(0.15, 0.21)), &["an interval below chance"]);
        has(&told(&brier(0.26, 0.30)), &["worse than chance"]);
        // The control with the lowest score is the strongest, and better than the model.
        let mut record = brier(0.18, 0.20);
        for (name, estimate) in [("size", 0.21), ("site", 0.16)] {
            let of =
                brier(estimate - 0.01, estimate + 0.01).analyses.remove("a").unwrap();
            let control = AnalysisRecord {
                model: name.to_string(),
                role: "control".to_string(),
                ..of
            };
            record.analysis_order.push(name.to_string());
            record.analyses.insert(name.to_string(), control);
        }
        let text = told(&record);
        let at =
            |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
        assert!(at("site alone gives 0.16") < at("size alone gives 0.21"), "{text}");
        has(&text, &["which is better than the model", "which is worse than the model"]);
    }

    #[test]
    fn rows_without_a_result_are_not_counted_as_judged() {
        let mut record = headline_of(0.91, Some((0.83, 0.99)));
        record.analyses.get_mut("a").unwrap().judged = Some(JudgedFacts {
            n: 60.into(),
            n_positive: 20.into(),
            n_splits: 3,
            of_splits: 4,
        });
        let text = told(&record);
        has(&text, &["on 60 of 100 patients", "a result in 3 of 4 outer splits"]);
        // Held out once: the rows that were, and no word of splits.
        let judged = record.analyses.get_mut("a").unwrap().judged.as_mut().unwrap();
        (judged.n_splits, judged.of_splits) = (1, 1);
        has(&told(&record), &["on 60 held-out patients"]);
    }

    #[test]
    fn sites_bring_their_prediction_interval() {
        let mut of = measured(0.69, Some((0.52, 0.82)));
        of.prediction = Some((0.13, 0.97));
        let text = told(&record(vec![("a", analysis("mri", "sites", Some(of)))]));
        has(
            &text,
            &[
                "each site held out once as a whole",
                "a further site is expected between 0.13 and 0.97",
            ],
        );
    }

    #[test]
    fn what_was_held_out_whole_is_within_itself() {
        let of = analysis("mri", "sites", Some(measured(0.69, Some((0.52, 0.82)))));
        let mut record = goes_with_archive(record(vec![("a", of)]), 1e-9);
        let text = told(&record);
        has(&text, &["it was held out level by level"]);
        assert!(!text.contains("was not asked for"), "{text}");
        // The author may have left out what is measured unasked.
        record.study.no_controls_added = Some("a small study".to_string());
        has(&told(&record), &["was not asked for"]);
    }

    #[test]
    fn an_outcome_that_goes_with_a_stratum_is_said_with_what_the_stratum_gives() {
        let headline = || headline_of(0.9, Some((0.85, 0.95)));
        // Not associated: nothing of it.
        assert!(!told(&goes_with_archive(headline(), 0.2)).contains("archive"));
        // Associated, nobody asked, no control.
        let text = told(&goes_with_archive(headline(), 1e-9));
        has(
            &text,
            &[
                "The outcome goes with archive (Cramér’s V 0.77)",
                "was not asked for",
                "No control model shows what archive alone gives on the same splits",
                "gives 0.90 on the same patients",
            ],
        );
        // Asked for, in each of the places where the interval can lie.
        for (estimate, ends, words) in [
            (
                0.66,
                Some((0.55, 0.77)),
                "within archive the AUROC was 0.66 (95 % CI 0.55–0.77)",
            ),
            (
                0.55,
                Some((0.40, 0.70)),
                "within archive there is no evidence of discrimination",
            ),
            (0.30, Some((0.20, 0.40)), "0.30 (95 % CI 0.20–0.40), worse than chance"),
            (0.66, None, "within archive the AUROC was 0.66 (no interval: too few)"),
        ] {
            let mut record = goes_with_archive(headline(), 1e-9);
            record.study.within = Some("archive".to_string());
            record.analyses.get_mut("a").unwrap().within = Some(measured(estimate, ends));
            has(&told(&record), &[words]);
        }
        let mut record = goes_with_archive(headline(), 1e-9);
        record.study.within = Some("archive".to_string());
        has(&told(&record), &["the performance within archive could not be computed"]);
    }

    #[test]
    fn a_control_is_named_as_good_as_it_is() {
        let with = |control: f64, compared: Option<(f64, f64, f64)>| {
            let ours =
                analysis("mri", "internal", Some(measured(0.9, Some((0.85, 0.95)))));
            let ends = Some((control - 0.05, control + 0.05));
            let theirs = analysis("archive", "internal", Some(measured(control, ends)));
            let mut record =
                goes_with_archive(record(vec![("a", ours), ("b", theirs)]), 1e-9);
            if let Some((difference, lower, upper)) = compared {
                record.comparisons.push(ComparisonFacts {
                    better: "a".to_string(),
                    than: "b".to_string(),
                    metric: "auroc".to_string(),
                    result: Some(Compared {
                        difference,
                        lower: Some(lower),
                        upper: Some(upper),
                        p: Some(0.5),
                        method: String::new(),
                    }),
                    p_adjusted: None,
                });
            }
            told(&record)
        };
        has(&with(0.92, None), &["archive alone gives 0.92", ", more than the model."]);
        has(&with(0.9, None), &[", as much as the model."]);
        has(&with(0.8, None), &["archive alone gives 0.80", ", less than the model."]);
        let near = with(0.88, Some((0.02, -0.03, 0.07)));
        has(
            &near,
            &["differs by +0.02 (95 % CI −0.03 to 0.07), which does not exclude zero"],
        );
        let far = with(0.7, Some((0.2, 0.1, 0.3)));
        has(&far, &["the model differs by +0.20 (95 % CI 0.10–0.30)."]);
        assert!(!far.contains("No control model"));
        // Without an association it matters where the model is no better.
        let lead = |control: f64| {
            let ours = analysis("mri", "internal", Some(measured(0.7, Some((0.6, 0.8)))));
            let ends = Some((control - 0.1, control + 0.1));
            let theirs = analysis("archive", "internal", Some(measured(control, ends)));
            let record = record(vec![("a", ours), ("b", theirs)]);
            (finding(&record), sentences(&record).join(" "))
        };
        let (first, all) = lead(0.75);
        assert!(without_tags(&first).contains("archive alone gives 0.75"), "{first}");
        assert!(without_tags(&all).contains(", more than the model."), "{all}");
        let (first, all) = lead(0.6);
        assert!(!first.contains("alone gives"), "{first}");
        assert!(without_tags(&all).contains("archive alone gives 0.60"), "{all}");
    }

    #[test]
    fn another_cohort_is_called_what_it_is_and_judged_by_its_own_interval() {
        let with = |estimate: Option<Estimate>, source: &str, relation: &str| {
            let ours =
                analysis("mri", "internal", Some(measured(0.8, Some((0.75, 0.85)))));
            let mut record =
                record(vec![("a", ours), ("b", analysis("mri", "external", estimate))]);
            record.cohorts[1] = cohort("elsewhere", source, Some(relation));
            told(&record)
        };
        let other = "another institution";
        let drop = with(Some(measured(0.65, Some((0.58, 0.72)))), "b", other);
        has(
            &drop,
            &[
                "On 100 patients of another institution (external) the frozen model gave AUROC \
                 0.65 (95 % CI 0.58–0.72), with its whole interval below the internal estimate.",
                "The internal estimate is of the procedure",
            ],
        );
        let less = with(Some(measured(0.75, Some((0.65, 0.85)))), "b", other);
        has(&less, &[", less than the internal estimate."]);
        let more = with(Some(measured(0.85, Some((0.75, 0.95)))), "b", other);
        has(&more, &[", no less than the internal estimate."]);
        let none = with(Some(measured(0.55, Some((0.45, 0.65)))), "b", other);
        has(&none, &["the frozen model shows no evidence of discrimination (AUROC 0.55"]);
        let worse = with(Some(measured(0.3, Some((0.2, 0.4)))), "b", other);
        has(&worse, &["was worse than chance: AUROC 0.30"]);
        has(
            &with(None, "b", other),
            &["The result of the frozen model on", "is missing"],
        );
        // Other sites of the same rows are never external, whatever the author calls them.
        let good = || Some(measured(0.8, Some((0.7, 0.9))));
        for (source, relation) in [
            ("a", "same archive, other sites"),
            ("b", "same archive, other sites"),
            ("a", "external sites"),
        ] {
            let text = with(good(), source, relation);
            has(
                &text,
                &["held-out sites of the same archive (internal–external validation)"],
            );
            assert!(!text.contains("(external)"), "{text}");
        }
        let text = with(good(), "a", "external");
        has(&text, &["held back from the same source"]);
        assert!(!text.contains("(external)"), "{text}");
    }

    #[test]
    fn what_remains_within_strata_is_said_of_the_other_cohort_too() {
        let ours = analysis("mri", "internal", Some(measured(0.9, Some((0.85, 0.95)))));
        let mut theirs =
            analysis("mri", "external", Some(measured(0.8, Some((0.7, 0.9)))));
        theirs.within = Some(measured(0.6, Some((0.4, 0.8))));
        let mut record =
            goes_with_archive(record(vec![("a", ours), ("b", theirs)]), 1e-9);
        record.study.within = Some("archive".to_string());
        let text = told(&record);
        has(
            &text,
            &["; within archive it was 0.60 (95 % CI 0.40–0.80), which does not exclude"],
        );
    }

    #[test]
    fn the_first_lines_name_the_strongest_control_alone_and_keep_what_is_within() {
        let of = |model: &str, value: f64| {
            analysis(
                model,
                "internal",
                Some(measured(value, Some((value - 0.05, value + 0.04)))),
            )
        };
        let mut ours = of("mri", 0.9);
        ours.within = Some(measured(0.8, Some((0.7, 0.9))));
        let mut weak = of("volume", 0.6);
        weak.role = "control".to_string();
        let record = record(vec![("a", ours), ("b", weak), ("c", of("archive", 0.85))]);
        let mut record = goes_with_archive(record, 1e-9);
        record.study.within = Some("archive".to_string());
        let lead = without_tags(&finding(&record));
        has(&lead, &["within archive the AUROC was 0.80", "archive alone gives 0.85"]);
        assert!(!lead.contains("volume") && !lead.contains("Cramér"), "{lead}");
        has(&told(&record), &["volume alone gives 0.60", "Cramér’s V 0.77"]);
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut record = goes_with_archive(headline_of(0.9, Some((0.8, 0.95))), 1e-9);
        record.outcomes[0].label = "<img src=x>".to_string();
        record.associations[0].column = "<script>".to_string();
        let html = finding(&record) + &sentences(&record).concat();
        assert!(!html.contains("<img") && !html.contains("<script>"), "{html}");
    }
}
