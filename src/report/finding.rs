//! The finding in words: never stronger than its interval, never without what else explains it.
//!
//! A pure function of the record. Each sentence is true by itself; none calls a result positive,
//! since an interval above chance alone does not make it so.

use super::shown::{Shown, escape, place};
use super::standing::{
    Standing, chance, headline, label, model, primary, rows_are, same_question,
    same_splits,
};
use crate::data::{AnalysisRecord, AssociationFacts, Estimate, StudyRecord};

/// Below it an outcome counts as going with a column.
const ASSOCIATED: f64 = 0.05;

/// The finding as HTML: the headline, what site or stratum explain, and what came of it outside.
pub fn finding(record: &StudyRecord) -> String {
    let shown = Shown::new(record);
    let Some((name, analysis)) = headline(record) else {
        return "The study has no analysis with a result.".to_string();
    };
    let mut sentences = vec![first(record, &shown, name, analysis)];
    if analysis.performance.contains_key(&analysis.primary) {
        sentences.extend(explained(record, &shown, name, analysis));
    }
    sentences.extend(outside(record, &shown, analysis));
    sentences.join(" ")
}

/// Where an interval lies.
enum Lies {
    /// There is none, or nothing is known of chance.
    Unknown,
    Below,
    Around,
    Above,
}

fn lies(estimate: &Estimate, chance: Option<f64>) -> Lies {
    match (estimate.lower, estimate.upper, chance) {
        (Some(lower), Some(upper), Some(chance)) => match () {
            () if upper < chance => Lies::Below,
            () if lower > chance => Lies::Above,
            () => Lies::Around,
        },
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
fn judged(record: &StudyRecord, shown: &Shown, name: &str, of: &AnalysisRecord) -> String {
    let n = shown.count(&format!("{}/n", place(name)));
    let rows = rows_are(record, &of.cohort);
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
        return format!(
            "The {metric} for {label} was {value} {}; there are too few for an interval.",
            judged(record, shown, name, analysis)
        );
    }
    let judged = judged(record, shown, name, analysis);
    let measured = shown.measured(&path, 2);
    let mut sentence = match lies(estimate, chance(analysis)) {
        Lies::Around if analysis.primary == "auroc" => {
            format!("For {label} there is {} {judged}", no_evidence(shown, &path, &metric))
        }
        Lies::Around => {
            format!("The {metric} for {label} was {measured} {judged}, which does not exclude chance")
        }
        Lies::Below => format!(
            "The {metric} for {label} was {measured} {judged}, which is worse than chance"
        ),
        Lies::Above => format!(
            "The {metric} for {label} was {measured} {judged}, an interval above chance"
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
    record.associations.iter().enumerate().filter(|(_, facts)| of_headline(facts)).collect()
}

/// What site or stratum explain, where the outcome goes with them.
fn explained(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
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
            format!("{} (Cramér’s V {v})", escape(&facts.column))
        })
        .collect();
    let mut sentences =
        vec![format!("The outcome goes with {}: {}.", names.join(" and with "), inside(
            record, shown, name, analysis
        ))];
    let controls: Vec<String> = same_splits(record, analysis)
        .filter(|(_, control)| control.role == "control")
        .filter_map(|(name, control)| alone(record, shown, analysis, name, control))
        .collect();
    if controls.is_empty() {
        let column = &record.associations[strongest].column;
        sentences.push(format!(
            "No control model shows what {column} alone gives on the same splits; the share of \
             positives by {column} gives {} on the same patients, which is too favourable.",
            shown.number(&format!("/associations/{strongest}/auroc"), 2),
            column = escape(column),
        ));
    }
    sentences.extend(controls);
    sentences
}

/// The metric over pairs inside strata.
fn inside(
    record: &StudyRecord,
    shown: &Shown,
    name: &str,
    analysis: &AnalysisRecord,
) -> String {
    let Some(column) = &record.study.within else {
        return "the performance inside its levels was not asked for".to_string();
    };
    let column = escape(column);
    let Some(estimate) = &analysis.within else {
        return format!("the performance within {column} could not be computed");
    };
    let path = format!("{}/within", place(name));
    match lies(estimate, Some(0.5)) {
        Lies::Around => {
            format!("within {column} there is {}", no_evidence(shown, &path, "AUROC"))
        }
        Lies::Below => {
            format!("within {column} the AUROC was {}, worse than chance", shown.measured(&path, 2))
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
    let stands = match ours.estimate <= theirs.estimate {
        true => ", no less than the model".to_string(),
        false => over(record, shown, analysis, control)
            .unwrap_or_else(|| ", less than the model".to_string()),
    };
    Some(format!(
        "On the same splits {} alone gives {}{stands}.",
        escape(&model(control)),
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
    let (at, facts) = record
        .comparisons
        .iter()
        .enumerate()
        .find(|(_, facts)| named(&facts.better, analysis) && named(&facts.than, control))?;
    let result = facts.result.as_ref()?;
    let path = format!("/comparisons/{at}/result");
    let (lower, _) = (result.lower?, result.upper?);
    let lead = format!(
        "{} (95 % CI {})",
        shown.signed(&format!("{path}/difference"), 2),
        shown.interval(&path, 2)
    );
    Some(match lower > 0.0 {
        true => format!("; the model differs by {lead}"),
        false => format!("; the model differs by {lead}, which does not exclude zero"),
    })
}

/// What the frozen model gave on other cohorts.
fn outside(record: &StudyRecord, shown: &Shown, of: &AnalysisRecord) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, external) in same_question(record, of) {
        if external.kind == "external" {
            sentences.push(frozen(record, shown, of, name, external));
        }
    }
    if !sentences.is_empty() {
        sentences.push(
            "The first figure is of the procedure, repeated in every fold; the latter is of the \
             one frozen model."
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
            format!("{n} of held-out sites of the same archive (internal–external validation)")
        }
        (Standing::HeldBack, _) => format!("{n} held back from the same source"),
        (_, Some(relation)) => format!("{n} of {} (external)", escape(relation)),
        (_, None) => format!("{n} of another cohort, {}", escape(&external.cohort)),
    };
    let Some(estimate) = external.performance.get(&external.primary) else {
        return format!("The result of the frozen model on {whom} is missing.");
    };
    let path = format!("{}/performance/{}", place(name), external.primary);
    let metric = escape(&primary(external));
    let inside = match (&record.study.within, &external.within) {
        (Some(column), Some(within)) if !associated(record, of).is_empty() => {
            let path = format!("{}/within", place(name));
            let chance = match lies(within, Some(0.5)) {
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
    let stands = match internal {
        Some(internal) if estimate.upper.is_some_and(|upper| upper < internal.estimate) => {
            ", with its whole interval below the internal estimate"
        }
        Some(internal) if estimate.estimate < internal.estimate => {
            ", less than the internal estimate"
        }
        Some(_) => ", no less than the internal estimate",
        None => "",
    };
    match lies(estimate, chance(external)) {
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
