//! How an analysis stands: what its rows are to the model, and what it is there for.

use super::shown::place;
use crate::data::{AnalysisRecord, CohortFacts, StudyRecord};

/// What the rows that judge a model are to those that it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Held out in turn from the cohort that the model was made in.
    Internal,
    /// One site at a time held out from that cohort.
    SiteBySite,
    /// Other sites of the same archive: internal–external, not external.
    OtherSites,
    /// Rows held back from the same source, and nothing says that they are of other sites.
    HeldBack,
    /// Another institution or another source.
    External,
}

impl Standing {
    pub fn of(record: &StudyRecord, analysis: &AnalysisRecord) -> Self {
        match analysis.kind.as_str() {
            "external" => Self::of_cohort(record, &analysis.cohort),
            "sites" => Self::SiteBySite,
            _ => Self::Internal,
        }
    }

    /// How a cohort that a frozen model met stands to the development cohort.
    fn of_cohort(record: &StudyRecord, name: &str) -> Self {
        let named = |name: &str| record.cohorts.iter().find(|cohort| cohort.name == name);
        let Some(cohort) = named(name) else { return Self::External };
        let relation = cohort.relation.as_deref().unwrap_or("").to_lowercase();
        let development =
            headline(record).and_then(|(_, analysis)| named(&analysis.cohort));
        let first =
            |cohort: &CohortFacts| cohort.flow.first().map(|first| first.label.clone());
        // The author's word counts where it claims less; where it claims more, the rows do.
        let shared = development.is_some_and(|development| {
            first(development).is_some() && first(development) == first(cohort)
        });
        let same = shared
            || ["same archive", "same source", "same institution", "held-out sites"]
                .iter()
                .any(|words| relation.contains(words));
        match (same, relation.contains("site")) {
            (true, true) => Self::OtherSites,
            (true, false) => Self::HeldBack,
            (false, _) => Self::External,
        }
    }

    /// As a column of a table.
    pub fn label(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::SiteBySite => "site by site",
            Self::OtherSites => "held-out sites, internal–external",
            Self::HeldBack => "held back from the same source",
            Self::External => "external",
        }
    }

    /// Class of its marks: one colour and shape per standing on the whole page.
    pub fn series(self) -> usize {
        match self {
            Self::Internal => 1,
            Self::SiteBySite => 3,
            Self::OtherSites | Self::HeldBack | Self::External => 2,
        }
    }
}

/// How an analysis stands, as in a heading or a table. Where several schemes put the same question to one
/// cohort, the scheme is named: "internal" alone would be two different numbers.
pub fn whereabouts(record: &StudyRecord, analysis: &AnalysisRecord) -> String {
    let label = Standing::of(record, analysis).label();
    let mut alike = same_question(record, analysis).filter(|(_, other)| {
        (&other.cohort, &other.kind) == (&analysis.cohort, &analysis.kind)
    });
    let several = alike.any(|(_, other)| other.scheme != analysis.scheme);
    match several && analysis.scheme != label {
        true => format!("{label}, scheme {}", analysis.scheme),
        false => label.to_string(),
    }
}

/// The first analysis in written order.
pub fn headline(record: &StudyRecord) -> Option<(&String, &AnalysisRecord)> {
    let name = record.analysis_order.first()?;
    Some((name, record.analyses.get(name)?))
}

/// Where the numbers of rows stand on which the performance of an analysis rests.
pub fn judged_place(name: &str, analysis: &AnalysisRecord) -> String {
    let judged = if analysis.judged.is_some() { "/judged" } else { "" };
    format!("{}{judged}", place(name))
}

/// All analyses in written order.
pub fn all(record: &StudyRecord) -> impl Iterator<Item = (&String, &AnalysisRecord)> {
    let named = record.analysis_order.iter();
    named.filter_map(|name| Some((name, record.analyses.get(name)?)))
}

/// Analyses of the headline's model and outcome: the same question, judged elsewhere.
pub fn same_question<'r>(
    record: &'r StudyRecord,
    of: &'r AnalysisRecord,
) -> impl Iterator<Item = (&'r String, &'r AnalysisRecord)> {
    all(record).filter(|(_, other)| {
        (&other.outcome, &other.model, &other.branch)
            == (&of.outcome, &of.model, &of.branch)
    })
}

/// Other models and branches of one outcome on the very same splits.
pub fn same_splits<'r>(
    record: &'r StudyRecord,
    of: &'r AnalysisRecord,
) -> impl Iterator<Item = (&'r String, &'r AnalysisRecord)> {
    all(record).filter(|(_, other)| {
        (&other.outcome, &other.cohort, &other.scheme)
            == (&of.outcome, &of.cohort, &of.scheme)
            && (&other.model, &other.branch) != (&of.model, &of.branch)
    })
}

/// Colour, dash and shape of a model beside the headline: the same wherever the page draws it.
///
/// None of them is that of a place, so that a further model is never taken for another cohort. The model of
/// the headline has them of where it is judged.
pub fn hue(record: &StudyRecord, analysis: &AnalysisRecord) -> usize {
    let Some((_, first)) = headline(record) else { return Standing::Internal.series() };
    let is = |one: &AnalysisRecord, other: &AnalysisRecord| {
        (&one.model, &one.branch) == (&other.model, &other.branch)
    };
    if is(analysis, first) {
        return Standing::of(record, analysis).series();
    }
    let drawn: Vec<&AnalysisRecord> =
        same_splits(record, first).take(BESIDE).map(|(_, other)| other).collect();
    match drawn.iter().position(|other| is(other, analysis)) {
        Some(at) => hues(drawn.iter().map(|other| is_control(other)))[at],
        // What is drawn nowhere beside others is told from them by words.
        None => preferred(is_control(analysis))[0],
    }
}

fn is_control(analysis: &AnalysisRecord) -> bool {
    analysis.role == "control"
}

/// The hues of models in the order in which they stand beside the headline, by whether they are controls.
fn hues(controls: impl Iterator<Item = bool>) -> Vec<usize> {
    let mut taken: Vec<usize> = Vec::new();
    for control in controls {
        let free = preferred(control).into_iter().find(|hue| !taken.contains(hue));
        taken.push(free.unwrap_or(preferred(control)[0]));
    }
    taken
}

/// Neutral ones first for controls.
fn preferred(control: bool) -> [usize; BESIDE] {
    if control { [4, 6, 5] } else { [5, 6, 4] }
}

/// Further models that one picture of curves can hold.
pub const BESIDE: usize = 3;

/// What an analysis is there for: that of its outcome, if that is not the primary one.
pub fn role<'r>(record: &'r StudyRecord, analysis: &'r AnalysisRecord) -> &'r str {
    let outcome = record.outcomes.iter().find(|outcome| outcome.name == analysis.outcome);
    match (outcome.map(|outcome| outcome.role.as_str()), analysis.role.as_str()) {
        (Some(role), "primary") => role,
        (_, role) => role,
    }
}

/// The label of an outcome.
pub fn label<'r>(record: &'r StudyRecord, outcome: &'r str) -> &'r str {
    let known = record.outcomes.iter().find(|known| known.name == outcome);
    known.map_or(outcome, |known| &known.label)
}

/// The model as in "site alone": `site_only` needs no second word for it.
pub fn alone(analysis: &AnalysisRecord) -> String {
    let name = model(analysis);
    name.strip_suffix("_only").map_or(name.clone(), str::to_string)
}

/// The model with its branch, as in `radiomics, combat`.
pub fn model(analysis: &AnalysisRecord) -> String {
    match analysis.branch.as_str() {
        "" => analysis.model.clone(),
        branch => format!("{}, {branch}", analysis.model),
    }
}

/// The name of the primary metric in a sentence or on an axis.
pub fn primary(analysis: &AnalysisRecord) -> String {
    let metric = analysis.metrics.iter().find(|metric| metric.name == analysis.primary);
    match (analysis.primary.as_str(), metric) {
        ("auroc", _) => "AUROC".to_string(),
        (_, Some(metric)) => metric.title.clone(),
        (name, None) => name.to_string(),
    }
}

/// What the primary metric gives by chance.
pub fn chance(analysis: &AnalysisRecord) -> Option<f64> {
    let metric = analysis.metrics.iter().find(|metric| metric.name == analysis.primary);
    metric.and_then(|metric| metric.chance)
}

/// Whether rows of a cohort are patients, one each.
pub fn rows_are(record: &StudyRecord, cohort: &str) -> &'static str {
    let known = record.cohorts.iter().find(|known| known.name == cohort);
    match known {
        Some(cohort) if cohort.n_rows == cohort.n_subjects => "patients",
        _ => "rows",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_differ_in_hue_and_share_it_with_no_place() {
        let of = |controls: &[bool]| hues(controls.iter().copied());
        assert_eq!(of(&[true]), [4]);
        assert_eq!(of(&[false, true]), [5, 4]);
        assert_eq!(of(&[true, false, true]), [4, 5, 6]);
        assert_eq!(of(&[false, false, false]), [5, 6, 4]);
        assert_eq!(of(&[true, true, true]), [4, 6, 5]);
        let places = [
            Standing::Internal,
            Standing::SiteBySite,
            Standing::OtherSites,
            Standing::HeldBack,
            Standing::External,
        ];
        for place in places.map(Standing::series) {
            assert!(!preferred(true).contains(&place));
            assert!(!preferred(false).contains(&place));
        }
    }
}
