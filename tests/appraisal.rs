//! Points for quality: where they come from and what takes them away. The evidence sheet for the risk
//! of bias: numbers that lead somewhere, and no judgement but that of a named person.

use std::collections::{BTreeMap, BTreeSet};

use restudy::catalog::Catalog;
use restudy::data::{
    Estimate, EvidencePart, QualityFacts, Reporting, Stated, Status, StudyRecord,
};
use restudy::operation::Evidence;
use restudy::report::render;

use crate::checklists::{complete, declared, judge, sections, without};

/// Whether points hang on it.
pub fn ask(evidence: Evidence) -> bool {
    let catalog = Catalog::standard();
    sections(&catalog).iter().any(|entry| {
        let mut fills = declared(entry).fills.iter();
        fills.any(|fill| fill.standard == "rqs1" && fill.evidence.contains(&evidence))
    })
}

fn say(record: &mut StudyRecord, field: &str, stated: Stated) {
    record.reporting.fields.insert(field.to_string(), stated);
}

fn text(text: &str) -> Stated {
    Stated::Text(text.to_string())
}

fn designs(record: &StudyRecord) -> Vec<String> {
    let fields = record.reporting.fields.keys();
    fields.filter(|field| field.ends_with(".design")).cloned().collect()
}

/// A record with everything that any question gives points for.
fn full() -> StudyRecord {
    let mut record = complete();
    let name = record.analysis_order[0].clone();
    let headline = record.analyses.get_mut(&name).unwrap();
    headline.joins_clinical = true;
    let slope = Estimate {
        estimate: 1.0,
        lower: Some(0.7),
        upper: Some(1.3),
        ..Estimate::default()
    };
    headline.performance.insert("calibration_slope".to_string(), slope);
    record.analyses.get_mut("control").unwrap().clinical = true;
    for field in designs(&record) {
        say(&mut record, &field, text("prospective cohort"));
    }
    record
}

fn score(record: &StudyRecord) -> QualityFacts {
    judge(record).quality.unwrap()
}

fn points(record: &StudyRecord) -> BTreeMap<String, i32> {
    let rows = score(record).rows.into_iter();
    rows.map(|row| (row.item, row.points)).collect()
}

#[test]
fn the_highest_and_the_lowest_score() {
    let most = score(&full());
    assert_eq!((most.points, most.lowest, most.highest), (36, -8, 36));
    assert_eq!(most.percent, 100.0);
    assert!(most.rows.iter().all(|row| row.status == Status::Met));
    let mut nothing = full();
    nothing.reporting = Reporting::default();
    nothing.analyses.clear();
    nothing.analysis_order.clear();
    let least = score(&nothing);
    assert_eq!((least.points, least.percent), (-8, 0.0));
    assert_eq!(least.rows.len(), 16);
    assert!(least.rows.iter().all(|row| row.status == Status::Missing));
}

type Change = fn(&mut StudyRecord);

fn headline(record: &mut StudyRecord) -> &mut restudy::data::AnalysisRecord {
    let name = record.analysis_order[0].clone();
    record.analyses.get_mut(&name).unwrap()
}

fn last_cohort(record: &mut StudyRecord) -> &mut restudy::data::CohortFacts {
    record.cohorts.last_mut().unwrap()
}

#[test]
fn what_takes_points_away_takes_those_of_its_own_question() {
    let record = full();
    let before = points(&record);
    let changes: &[(&str, i32, Change)] = &[
        ("5", -3, |r| *r = without(r.clone(), Evidence::Reduction)),
        ("6", 0, |r| headline(r).joins_clinical = false),
        ("8", 1, |r| headline(r).threshold = None),
        ("8", 0, |r| {
            headline(r).threshold = None;
            headline(r).roc.clear();
            headline(r).roc_mean.points.clear();
        }),
        ("9", 0, |r| {
            headline(r).performance.get_mut("auroc").unwrap().lower = None;
        }),
        ("10", 0, |r| headline(r).calibration = None),
        ("10", 0, |r| {
            headline(r).performance.get_mut("calibration_slope").unwrap().lower = None;
        }),
        ("11", 0, |r| {
            for field in designs(r) {
                say(r, &field, text("retrospective cohort"));
            }
        }),
        ("12", 4, |r| last_cohort(r).n_sites = Some(2)),
        ("12", 3, |r| last_cohort(r).n_sites = None),
        ("12", 2, |r| last_cohort(r).relation = Some("same source".to_string())),
        ("12", -5, |r| r.analyses.get_mut("outside").unwrap().frozen = None),
        ("13", 0, |r| r.analyses.get_mut("control").unwrap().clinical = false),
        ("14", 0, |r| headline(r).decision = None),
    ];
    for (at, (item, left, change)) in changes.iter().enumerate() {
        let mut changed = record.clone();
        change(&mut changed);
        let mut wanted = before.clone();
        wanted.insert(item.to_string(), *left);
        assert_eq!(points(&changed), wanted, "change {at}, of {item}");
    }
    // Two questions ask for resampling.
    let mut once = record.clone();
    headline(&mut once).folds.truncate(1);
    let mut wanted = before.clone();
    wanted.extend(["9", "10"].map(|item| (item.to_string(), 1)));
    assert_eq!(points(&once), wanted);
}

#[test]
fn an_authors_field_gives_points_to_its_own_question() {
    let record = full();
    let before = points(&record);
    let mut tried = BTreeSet::new();
    for (item, left, field) in [
        ("1", 1, "imaging.protocol"),
        ("1", 1, "imaging.protocol_standard"),
        ("2", 0, "segmentation.reliability"),
        ("3", 0, "imaging.phantom"),
        ("4", 0, "imaging.test_retest"),
        ("7", 0, "discussion.biology"),
        ("11", 0, "registration.registry"),
        ("11", 0, "registration.id"),
        ("15", 0, "discussion.cost"),
        ("16", 3, "availability.images"),
        ("16", 3, "availability.masks"),
        ("16", 3, "availability.code"),
        ("16", 3, "availability.features"),
    ] {
        tried.insert(item);
        let mut wanted = before.clone();
        wanted.insert(item.to_string(), left);
        let mut without = record.clone();
        without.reporting.fields.remove(field);
        assert_eq!(points(&without), wanted, "without {field}");
        let mut open = record.clone();
        say(&mut open, field, text("TBD"));
        assert_eq!(points(&open), wanted, "a placeholder in {field}");
        if restudy::data::field(field).unwrap().negatives {
            let mut denied = record.clone();
            say(
                &mut denied,
                field,
                Stated::Not("there were no means for it".to_string()),
            );
            assert_eq!(points(&denied), wanted, "{field} denied");
        }
        if field.starts_with("availability.") {
            for closed in ["Given on reasonable request.", "Not public.", "Not used."] {
                let mut closely = record.clone();
                say(&mut closely, field, text(closed));
                assert_eq!(points(&closely), wanted, "{field}: {closed}");
            }
        }
    }
    assert_eq!(tried.len(), 8);
}

#[test]
fn every_point_has_a_section_and_a_reason() {
    let catalog = Catalog::standard();
    let known: BTreeSet<&str> =
        sections(&catalog).iter().map(|entry| entry.about.name).collect();
    let score = score(&full());
    let parts: Vec<_> = score.rows.iter().flat_map(|row| &row.parts).collect();
    for part in &parts {
        assert!(known.contains(part.section.as_str()), "{} stands nowhere", part.part);
        assert!(!part.why.is_empty(), "{}", part.part);
    }
    let mut fills = Vec::new();
    for entry in sections(&catalog) {
        let own = declared(entry).fills.iter().filter(|fill| fill.standard == "rqs1");
        fills.extend(own.map(|fill| fill.item));
    }
    let mut wanted: Vec<&str> = parts.iter().map(|part| part.part.as_str()).collect();
    fills.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(fills, wanted);
}

#[test]
fn the_page_has_three_blocks_and_their_files() {
    let catalog = Catalog::standard();
    let page = render(&full(), &sections(&catalog));
    let html = page.html(None);
    for anchor in [
        "list-tripod_ai",
        "id=\"quality\"",
        "list-rqs1",
        "id=\"risk_of_bias\"",
        "rqs1-12",
    ] {
        assert!(html.contains(anchor), "{anchor}");
    }
    let file = |name: &str| {
        let found = page.checklists.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name}")).1
    };
    assert!(
        file("rqs.csv").lines().any(|line| line.starts_with("sum,RQS 1.0,36,-8,36,"))
    );
    assert!(file("rqs.csv").contains("report.html#validation"));
    assert!(file("metrics.csv").lines().count() > 30);
    assert_eq!(file("probast_ai.csv").lines().count(), 35);
}

#[test]
fn nobody_but_a_named_assessor_answers() {
    let catalog = Catalog::standard();
    let mut record = complete();
    let sheet = judge(&record).risk_of_bias.unwrap();
    assert_eq!((sheet.n_questions, sheet.answered, sheet.open), (34, 34, 0));
    assert!(sheet.questions.iter().all(|of| of.answer.as_ref().unwrap().answer == "Y"));
    record.reporting.fields.remove("appraisal.probast.assessor");
    let sheet = judge(&record).risk_of_bias.unwrap();
    assert_eq!((sheet.answered, sheet.open), (0, 34));
    let lack = sheet.questions[0].lack.as_ref().unwrap();
    assert!(lack.contains("appraisal.probast.assessor"), "{lack}");
    record.reporting.fields.remove("appraisal.probast.answers");
    let page = render(&record, &sections(&catalog));
    let csv =
        &page.checklists.iter().find(|(name, _)| name == "probast_ai.csv").unwrap().1;
    assert_eq!(csv.matches("open for the assessor").count(), 34);
    let html = page.html(None);
    assert!(!html.to_lowercase().contains("low risk of bias"));
    assert!(html.contains("questions open for the assessor"));
    // What an assessor writes is text and no HTML, and stands once on the page.
    let answers =
        [("E4_5".to_string(), "PN: scores of 5 < 10 events & \"more\" leak".to_string())];
    say(&mut record, "appraisal.probast.answers", Stated::ByName(answers.into()));
    say(&mut record, "appraisal.probast.assessor", text("A. Reader"));
    let html = render(&record, &sections(&catalog)).html(None);
    assert!(html.contains("<b>Probably no.</b> scores of 5 &lt; 10 events &amp; "));
    assert_eq!(html.matches("scores of 5 &lt; 10 events").count(), 1);
}

#[test]
fn evidence_leads_to_numbers_and_sections_that_there_are() {
    let catalog = Catalog::standard();
    let known: BTreeSet<&str> =
        sections(&catalog).iter().map(|entry| entry.about.name).collect();
    let judged = judge(&complete());
    let json = serde_json::to_value(&judged).unwrap();
    let sheet = judged.risk_of_bias.as_ref().unwrap();
    let mut numbers = 0;
    for question in &sheet.questions {
        assert!(!question.evidence.is_empty(), "{} has no evidence", question.item);
        for line in &question.evidence {
            assert!(known.contains(line.section.as_str()), "{}", line.section);
            for part in &line.parts {
                if let EvidencePart::Number(number) = part {
                    let found = json.pointer(&number.at);
                    let found = found.is_some_and(serde_json::Value::is_number);
                    assert!(found, "{}: {}", question.item, number.at);
                    numbers += 1;
                }
            }
        }
    }
    assert!(numbers > 30, "{numbers} numbers");
}
