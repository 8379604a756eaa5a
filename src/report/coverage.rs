//! What becomes of every item of every standard: computed from what sections declare, the run and the
//! author's half. No section sets a status of its own.

use std::collections::BTreeMap;

use super::author::without_result;
use super::deviations::without_reason;
use super::evidence::{
    applies, declares_threshold, extracted_outside, found, is_prospective, other_cohort,
    weights_classes,
};
use super::ibsi;
use super::standards::{Item, Standard, Wanted, short, standards};
use crate::data::{
    Answer, AuthorFacts, Checklist, ConflictFacts, EvidenceFacts, ItemFacts, Reporting,
    ScoreFacts, Stated, Status, StudyRecord,
};
use crate::operation::{Declared, Evidence};

/// A section with what it declares.
pub struct Declaring<'a> {
    pub section: &'a str,
    pub declared: Declared,
    /// Whether it stands in the report. One that could not be made shows nothing.
    pub made: bool,
}

impl<'a> Declaring<'a> {
    /// The section that fills an item, with what of the run shows it there.
    pub fn filling<'s>(
        sections: &'s [Self],
        standard: &str,
        item: &str,
    ) -> Option<(&'s Self, &'static [Evidence])> {
        sections.iter().find_map(|of| {
            let mut fills = of.declared.fills.iter();
            let fill =
                fills.find(|fill| fill.standard == standard && fill.item == item)?;
            Some((of, fill.evidence))
        })
    }

    /// Whether a piece of evidence for an item is there, and stands in the section.
    pub fn shows(
        &self,
        evidence: Evidence,
        record: &StudyRecord,
        item: &str,
    ) -> EvidenceFacts {
        let words = evidence.words();
        match self.made {
            true => EvidenceFacts {
                what: words.to_string(),
                found: found(evidence, record, item),
            },
            false => EvidenceFacts {
                what: format!("{words}, as its section could not be made"),
                found: false,
            },
        }
    }
}

/// Every standard with every item.
pub fn checklists(
    record: &StudyRecord,
    sections: &[Declaring<'_>],
    conflicts: &[ConflictFacts],
) -> Vec<Checklist> {
    let of = |standard: &Standard| {
        let items: Vec<ItemFacts> = standard
            .items
            .iter()
            .map(|item| judged(record, sections, conflicts, standard, item))
            .collect();
        let counted = || {
            items
                .iter()
                .filter(|item| !item.recommended && item.status != Status::NotApplicable)
        };
        Checklist {
            name: standard.name.to_string(),
            title: standard.title.to_string(),
            reported: counted().filter(|item| item.status.is_reported()).count(),
            applicable: counted().count(),
            counts: counts(&items),
            score: items
                .iter()
                .any(|item| item.weight.is_some())
                .then(|| scored(record, &items)),
            items,
        }
    };
    standards().iter().map(of).collect()
}

fn counts(items: &[ItemFacts]) -> BTreeMap<String, usize> {
    let count = |status: Status| items.iter().filter(|i| i.status == status).count();
    let all = Status::ALL.into_iter();
    all.map(|status| (status.class().to_string(), count(status))).collect()
}

fn judged(
    record: &StudyRecord,
    sections: &[Declaring<'_>],
    conflicts: &[ConflictFacts],
    standard: &Standard,
    item: &Item,
) -> ItemFacts {
    let declared = Declaring::filling(sections, standard.name, &item.item);
    let evidence: Vec<EvidenceFacts> = declared
        .iter()
        .flat_map(|(of, wanted)| wanted.iter().map(move |one| (*of, *one)))
        .filter(|(_, one)| applies(*one, record, &item.item))
        .map(|(of, one)| of.shows(one, record, &item.item))
        .collect();
    let author: Vec<AuthorFacts> =
        item.author.iter().flat_map(|wanted| said(record, &item.item, wanted)).collect();
    let named = format!("{} {}", standard.name, item.item);
    let contradicted = conflicts
        .iter()
        .find(|found| found.level == "conflict" && found.items.contains(&named));
    let of_images = standard.name == ibsi::NAME;
    let excused = of_images
        .then(|| ibsi::excuse(&item.condition, record))
        .flatten()
        .or_else(|| excuse(&item.condition, record));
    let (status, why) = match (excused, contradicted, declared) {
        (Some(why), _, _) => (Status::NotApplicable, why.to_string()),
        (_, Some(conflict), _) => (Status::Conflict, conflict.text.clone()),
        (_, _, None) => {
            (Status::Missing, "no section of this report shows it".to_string())
        }
        _ if of_images && evidence.is_empty() => {
            ibsi::of_author(status(&evidence, &author), record, &item.item)
        }
        _ if of_images => {
            ibsi::with_setting(status(&evidence, &author), record, &item.item)
        }
        _ => status(&evidence, &author),
    };
    let scores = item.weight.map(|_| status == Status::Met);
    ItemFacts {
        item: item.item.clone(),
        topic: item.topic.clone(),
        requirement: item.requirement.clone(),
        fill: item.fill.clone(),
        status,
        section: declared.map_or("", |(of, _)| of.section).to_string(),
        evidence,
        author,
        why,
        recommended: item.condition == "recommended",
        weight: item.weight,
        scores,
    }
}

/// The status that evidence and author together give, and why.
pub fn status(evidence: &[EvidenceFacts], author: &[AuthorFacts]) -> (Status, String) {
    let absent: Vec<String> = evidence
        .iter()
        .filter(|evidence| !evidence.found)
        .map(|evidence| format!("the run does not show {}", evidence.what))
        .collect();
    let unsaid = unsaid(author);
    let lacking: Vec<String> = absent.iter().chain(&unsaid).cloned().collect();
    let n = evidence.len() + author.len();
    // That it was not done, and why, is a report of all of it: the run need not show it then.
    let not_done = |field: &AuthorFacts| field.given && field.negative;
    let declared = !author.is_empty() && author.iter().all(not_done);
    match (lacking.len(), n) {
        (0, 0) => (Status::Met, "nothing has to be said".to_string()),
        (_, _) if declared && !absent.is_empty() => (
            Status::Declared,
            format!(
                "the author says that it was not done, and why; {}",
                absent.join("; ")
            ),
        ),
        (0, _) if author.iter().any(|field| field.negative) => (
            Status::Declared,
            "the author says that it was not done, and why".to_string(),
        ),
        (0, _) => (Status::Met, "shown".to_string()),
        (lack, n) if lack == n => (Status::Missing, lacking.join("; ")),
        _ => (Status::Partial, lacking.join("; ")),
    }
}

/// What the author leaves unsaid of what is asked, in words.
fn unsaid(author: &[AuthorFacts]) -> Vec<String> {
    let open = author.iter().filter(|field| !field.given);
    open.map(|field| match &field.lack {
        Some(lack) => format!("`{}`: {lack}", field.field),
        None => format!("`{}` is not written", field.field),
    })
    .collect()
}

/// What the author says in a field, for each cohort where it is one of those.
pub fn said(record: &StudyRecord, item: &str, wanted: &Wanted) -> Vec<AuthorFacts> {
    let needed = match wanted.only_if.as_str() {
        "imbalance" => weights_classes(record),
        "threshold" => declares_threshold(record),
        "prospective" => is_prospective(record),
        "extracted_outside" => extracted_outside(record),
        "untold" => !ibsi::is_of_the_run(record, item),
        _ => true,
    };
    if !needed {
        return Vec::new();
    }
    let fields: Vec<String> = match wanted.field.split_once('*') {
        None => vec![wanted.field.clone()],
        Some((before, after)) => cohorts(record, after)
            .into_iter()
            .map(|cohort| format!("{before}{cohort}{after}"))
            .collect(),
    };
    let facts = |field: String| {
        let answer = match (field.as_str(), record.reporting.answer(&field)) {
            // The study has a title of its own.
            ("title", Answer::Absent) => {
                let title = Stated::Text(record.study.title.clone());
                let own = Reporting { fields: [(field.clone(), title)].into() };
                own.answer(&field)
            }
            (_, answer) => answer,
        };
        let answer = match unresolved(record, &field) {
            Some(lack) if answer != Answer::Absent => Answer::Empty(lack),
            _ => answer,
        };
        AuthorFacts {
            field: format!("reporting.{field}"),
            given: matches!(answer, Answer::Given | Answer::Declared),
            negative: answer == Answer::Declared,
            lack: match answer {
                Answer::Empty(why) => Some(why),
                _ => None,
            },
        }
    };
    fields.into_iter().map(facts).collect()
}

/// What is wrong with a field that names a result which is not there.
fn unresolved(record: &StudyRecord, field: &str) -> Option<String> {
    let texts = record.reporting.texts().into_iter();
    let mut own = texts.filter(|(path, _)| *path == field);
    let name = own.find_map(|(_, text)| without_result(record, text))?;
    Some(format!("it names `{name}`, and there is no such result"))
}

/// The cohorts of which something has to be said: those that are analysed; for differences from the
/// development cohort, the others.
fn cohorts(record: &StudyRecord, field: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in &record.analysis_order {
        let Some(analysis) = record.analyses.get(name) else { continue };
        let other = analysis.kind == "external";
        if (other || field != ".differences") && !names.contains(&analysis.cohort) {
            names.push(analysis.cohort.clone());
        }
    }
    names
}

/// Whether the author says no. Silence is no answer, so what hangs on it is still asked for.
fn denies(record: &StudyRecord, field: &str) -> bool {
    record.reporting.at(field) == Some(&Stated::Truth(false))
}

fn has_segmentation(record: &StudyRecord) -> bool {
    !matches!(record.reporting.fields.get("segmentation"), Some(Stated::Not(_)))
}

/// Why an item with this condition does not apply, if it does not.
fn excuse(condition: &str, record: &StudyRecord) -> Option<&'static str> {
    let clusters = || {
        !record.associations.is_empty()
            || record.analyses.values().any(|analysis| !analysis.sites.is_empty())
            || record.cohorts.iter().any(|c| c.n_sites.is_some_and(|n| n > 1))
    };
    let (holds, otherwise) = match condition {
        "" | "recommended" => (true, ""),
        "subjective_outcome" => (
            !denies(record, "outcome.subjective"),
            "the author says that the outcome needs no judgement (`reporting.outcome.subjective`)",
        ),
        "segmentation" => (
            has_segmentation(record),
            "the author says that nothing was segmented (`reporting.segmentation`)",
        ),
        "automatic_segmentation" => (
            has_segmentation(record) && !denies(record, "segmentation.automatic"),
            "the author says that contours are not fully automatic, or that there are none \
             (`reporting.segmentation`)",
        ),
        "other_cohort" => {
            (other_cohort(record), "no cohort is met by a model that was made elsewhere")
        }
        "clusters" => (clusters(), "no cohort names its sites, so none were examined"),
        "updated" => (false, "no model was updated"),
        "end_to_end" => (false, "no learner of this program reads images end to end"),
        // Features are hand-crafted columns of a table, whatever they were made from.
        "hand_crafted" | "tabular" => (true, ""),
        _ => (true, ""),
    };
    (!holds).then_some(otherwise)
}

/// The METRICS score.
fn scored(record: &StudyRecord, items: &[ItemFacts]) -> ScoreFacts {
    let rows = items.iter().filter_map(|item| {
        Some((
            item.weight?,
            item.scores == Some(true),
            item.status != Status::NotApplicable,
        ))
    });
    let (score, denominator) = weighted(rows);
    let conditions = [
        ("segmentation", "C1: the study includes segmentation"),
        ("automatic_segmentation", "C2: segmentation is fully automatic"),
        ("end_to_end", "C5: end-to-end deep learning"),
    ];
    ScoreFacts {
        score,
        denominator,
        category: category(score).to_string(),
        left_out: conditions
            .into_iter()
            .filter(|(name, _)| excuse(name, record).is_some())
            .map(|(_, words)| words.to_string())
            .collect(),
    }
}

/// 100 · Σ(weights that score) / Σ(weights that apply), and the latter sum, over rows of weight,
/// whether it scores, whether it applies.
///
/// Source: kocak2024, the scoring sheet.
pub fn weighted(rows: impl Iterator<Item = (f64, bool, bool)>) -> (f64, f64) {
    let (mut reached, mut all) = (0.0, 0.0);
    for (weight, scores, applies) in rows {
        if applies {
            all += weight;
            reached += if scores { weight } else { 0.0 };
        }
    }
    let score = if all > 0.0 { 100.0 * reached / all } else { 0.0 };
    (score, all)
}

/// The words that METRICS has for a score.
fn category(score: f64) -> &'static str {
    match score {
        score if score < 20.0 => "very low",
        score if score < 40.0 => "low",
        score if score < 60.0 => "moderate",
        score if score < 80.0 => "good",
        _ => "excellent",
    }
}

/// What keeps a report from being ready, in words: missing items, the author's half of items that are
/// reported in part, conflicts, results that are not there.
pub fn gaps(record: &StudyRecord) -> Vec<String> {
    let mut gaps = record.missing();
    for conflict in record.conflicts.iter().filter(|found| found.level == "conflict") {
        gaps.push(format!("conflict: {}", conflict.text));
    }
    for checklist in record.checklists.iter().filter(|list| list.score.is_none()) {
        for item in &checklist.items {
            let lack = match item.status {
                _ if item.recommended => continue,
                Status::Missing => item.why.clone(),
                // Nobody but the author can tell it, and `none: reason` would do. What the run does not
                // show is told beside the item: a study need not have made every analysis.
                Status::Partial => unsaid(&item.author).join("; "),
                _ => continue,
            };
            if !lack.is_empty() {
                gaps.push(format!(
                    "{} {} ({}): {lack}",
                    short(&checklist.name),
                    item.item,
                    item.topic.to_lowercase(),
                ));
            }
        }
    }
    gaps.extend(without_reason(record).iter().map(|of| {
        format!("deviation from the locked protocol without a reason: `{}`", of.path)
    }));
    gaps.extend(left_open(record, &gaps));
    gaps
}

/// Fields that hold a place only and that no item has told of: the page shows them, and an item that gives
/// a score, or none at all, asks for them.
fn left_open(record: &StudyRecord, gaps: &[String]) -> Vec<String> {
    let of = |field: &String| {
        let lack = match record.reporting.answer(field) {
            Answer::Empty(lack) => lack,
            _ => unresolved(record, field)?,
        };
        let open = format!("`reporting.{field}`: {lack}");
        (!gaps.iter().any(|gap| gap.contains(&open))).then_some(open)
    };
    record.reporting.fields.keys().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights() -> Vec<(String, f64)> {
        let items = &standards()[3].items;
        items.iter().filter_map(|i| Some((i.item.clone(), i.weight?))).collect()
    }

    #[test]
    fn the_score_of_the_quality_checklist() {
        let all = weighted(weights().into_iter().map(|(_, weight)| (weight, true, true)));
        assert!((all.0 - 100.0).abs() < 1e-9 && (all.1 - 1.0).abs() < 1e-9);
        let third =
            weighted(weights().into_iter().map(|(item, w)| (w, item == "3", true)));
        assert_eq!(format!("{:.1}", third.0), "9.2");
        // Neither automatic segmentation nor an end-to-end network.
        let fewer = weighted(
            weights()
                .into_iter()
                .map(|(item, w)| (w, true, !["9", "17"].contains(&item.as_str()))),
        );
        assert!((fewer.1 - 0.9575).abs() < 1e-9 && (fewer.0 - 100.0).abs() < 1e-9);
        let words = [19.9, 20.0, 40.0, 60.0, 80.0].map(category);
        assert_eq!(words, ["very low", "low", "moderate", "good", "excellent"]);
    }

    #[test]
    fn a_status_is_what_evidence_and_author_give() {
        let evidence = |found| EvidenceFacts { what: "it".to_string(), found };
        let author = |given, negative| AuthorFacts {
            field: "reporting.x".to_string(),
            given,
            negative,
            lack: None,
        };
        let of = |evidence: &[EvidenceFacts], author: &[AuthorFacts]| {
            status(evidence, author).0
        };
        assert_eq!(of(&[evidence(true)], &[]), Status::Met);
        assert_eq!(of(&[evidence(false)], &[]), Status::Missing);
        assert_eq!(of(&[evidence(true)], &[author(true, false)]), Status::Met);
        assert_eq!(of(&[evidence(true)], &[author(true, true)]), Status::Declared);
        assert_eq!(of(&[evidence(true)], &[author(false, false)]), Status::Partial);
        assert_eq!(of(&[evidence(false)], &[author(true, true)]), Status::Declared);
        // What is said of a part of it says nothing of what the run lacks.
        let part = [author(true, true), author(true, false)];
        assert_eq!(of(&[evidence(false)], &part), Status::Partial);
        assert_eq!(of(&[evidence(false)], &[author(true, false)]), Status::Partial);
        assert_eq!(of(&[evidence(false)], &[author(false, false)]), Status::Missing);
        assert_eq!(
            of(&[], &[author(true, false), author(false, false)]),
            Status::Partial
        );
    }
}
