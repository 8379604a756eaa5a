//! Reporting standards: what flips when the author's text or the run's evidence goes, what contradicts
//! the run, and that nothing is counted that was not said.

use std::collections::BTreeSet;

use restudy::catalog::Catalog;
use restudy::data::{
    AddedFacts, AnalysisRecord, ApparentFacts, AssociationFacts, Compared,
    ComparisonFacts, Count, DecisionCurve, DeviationFacts, DifferenceFacts, Estimate,
    FIELDS, Form, FrozenFacts, Known, MethodFacts, PermutationFacts, ProtocolFacts,
    Reporting, Setting, SiteFacts, Stated, Status, StudyRecord, SubgroupFacts,
};
use restudy::operation::{Declared, Entry, Evidence, Instance, Kind};
use restudy::report::{
    Told, Wanted, conflicts, gaps, items_named, judged, render, render_again, standards,
};

use crate::workshop::{Workshop, record};

pub fn sections(catalog: &Catalog) -> Vec<&Entry> {
    catalog.of_kind(Kind::Section).collect()
}

pub fn judge(record: &StudyRecord) -> StudyRecord {
    let catalog = Catalog::standard();
    judged(record.clone(), &sections(&catalog))
}

pub fn declared(entry: &Entry) -> Declared {
    match (entry.build)((entry.defaults)()).unwrap() {
        Instance::Section(section) => section.declared(),
        _ => unreachable!(),
    }
}

/// Twenty words and more without a number, a placeholder or a claim.
fn said(field: &str) -> String {
    format!(
        "What has to be told about {} is told here in a sentence that is long enough for each of \
         the lengths that are asked for, and that claims nothing of any result whatsoever.",
        field.replace(['.', '_', '*'], " ")
    )
}

/// Every field answered, for each of the cohorts.
pub fn everything(cohorts: &[&str]) -> Reporting {
    let mut reporting = Reporting::default();
    for field in FIELDS {
        let stated = match field.form {
            Form::Text => Stated::Text(said(field.path)),
            Form::List => Stated::List(
                ["first", "second", "third"]
                    .map(|word| {
                        format!("the {word} of {}", field.path.replace(['.', '*'], " "))
                    })
                    .to_vec(),
            ),
            Form::Truth => Stated::Truth(true),
            Form::Url => Stated::Text("https://example.org/protocol".to_string()),
            Form::Word(words) => Stated::Text(words[0].to_string()),
            Form::Dates(keys) => Stated::Rows(vec![
                keys.iter().map(|key| (key.to_string(), "2019".to_string())).collect(),
            ]),
            Form::Rows(keys) => Stated::Rows(vec![
                keys.iter().map(|key| (key.to_string(), format!("a {key}"))).collect(),
            ]),
            Form::ByName => Stated::ByName([("item".to_string(), said("it"))].into()),
            Form::Words(words) => {
                Stated::List(words.iter().map(|word| word.to_string()).collect())
            }
            Form::Item => {
                for item in items_named("1-76").unwrap() {
                    let path = field.path.replace('*', item);
                    reporting.fields.insert(path, Stated::Text(said(field.path)));
                }
                continue;
            }
            Form::Answers { to, words } => {
                let of = |question: &&str| {
                    (question.to_string(), format!("{}: {}", words[0], said("it")))
                };
                Stated::ByName(to.iter().map(of).collect())
            }
        };
        match field.path.contains('*') {
            false => {
                reporting.fields.insert(field.path.to_string(), stated);
            }
            true => {
                for cohort in cohorts {
                    let path = field.path.replace('*', cohort);
                    reporting.fields.insert(path, stated.clone());
                }
            }
        }
    }
    reporting
}

/// A record with everything that any item asks of a run, and of its author.
pub fn complete() -> StudyRecord {
    let mut record = record();
    record.study.title =
        "A title of more than six words for this small study".to_string();
    record.protocol = Some(ProtocolFacts {
        digest: "blake3:0".to_string(),
        engine: record.engine.clone(),
        locked: Known::BeforeResults,
        differences: Vec::new(),
    });
    let name = record.analysis_order[0].clone();
    let first = record.analyses[&name].clone();
    let cohort = first.cohort.clone();
    record.associations.push(AssociationFacts {
        outcome: first.outcome.clone(),
        cohort: cohort.clone(),
        column: "site".to_string(),
        levels: 3,
        cramers_v: Some(0.1),
        p: Some(0.6),
        auroc: Some(0.55),
        one_class_levels: 0,
    });
    let at = record.cohorts.iter().position(|known| known.name == cohort).unwrap();
    record.cohorts[at].n_sites = Some(3);
    let mut elsewhere = record.cohorts[at].clone();
    elsewhere.name = "elsewhere".to_string();
    elsewhere.relation = Some("another institution".to_string());
    elsewhere.flow[0].label = "rows of another".to_string();
    record.cohorts.push(elsewhere);
    let mut shifted: Vec<_> = record
        .characteristics
        .iter()
        .filter(|row| row.cohort == cohort)
        .cloned()
        .collect();
    for row in &mut shifted {
        row.cohort = "elsewhere".to_string();
        row.smd_to_development = row.class.is_none().then_some(0.2);
    }
    record.characteristics.extend(shifted);
    record.methods.push(MethodFacts {
        role: "learn".to_string(),
        name: "random_forest".to_string(),
        title: "Random forest".to_string(),
        version: 1,
        summary: String::new(),
        settings: vec![Setting {
            name: "class_weight".to_string(),
            value: "balanced".to_string(),
            set_by_author: true,
        }],
        sources: Vec::new(),
        added: false,
    });
    let estimate = Estimate {
        estimate: 0.7,
        lower: Some(0.6),
        upper: Some(0.8),
        ..Estimate::default()
    };
    let headline = record.analyses.get_mut(&name).unwrap();
    headline.performance.insert("auroc".to_string(), estimate.clone());
    headline.performance.remove("calibration_slope");
    headline.performance.remove("calibration_intercept");
    if let Some(size) = &mut headline.sample_size {
        size.needed = Some(size.n as f64);
    }
    if let Some(chosen) = &mut headline.selection {
        chosen.mean_columns = chosen.of_columns as f64 - 1.0;
    }
    headline.subgroups = vec![SubgroupFacts {
        by: "age".to_string(),
        group: "under 50".to_string(),
        n: 30.into(),
        n_positive: 12.into(),
        estimate: Some(0.7),
        lower: Some(0.6),
        upper: Some(0.8),
        note: String::new(),
        against: None,
        difference: None,
        measures: Vec::new(),
    }];
    headline.decision = Some(DecisionCurve {
        range: (0.1, 0.6),
        points: Vec::new(),
        useful: vec![(0.2, 0.4)],
        method: String::new(),
    });
    headline.permutation = Some(PermutationFacts {
        times: 1,
        within: None,
        repeats: 1,
        observed: 0.7,
        as_extreme: 0,
        p: 0.5,
        mean: 0.5,
        sd: 0.1,
        values: vec![0.5],
        failed: Vec::new(),
    });
    let mut add = |name: &str, analysis: AnalysisRecord| {
        record.analysis_order.push(name.to_string());
        record.analyses.insert(name.to_string(), analysis);
    };
    let plain = AnalysisRecord {
        performance: [("auroc", &estimate), ("sensitivity", &estimate)]
            .map(|(name, estimate)| (name.to_string(), estimate.clone()))
            .into(),
        ..first.clone()
    };
    add(
        "control",
        AnalysisRecord {
            model: "clinical".to_string(),
            role: "control".to_string(),
            ..plain.clone()
        },
    );
    add(
        "sites",
        AnalysisRecord {
            scheme: "sites".to_string(),
            kind: "sites".to_string(),
            sites: vec![SiteFacts {
                name: "a".to_string(),
                n: 20.into(),
                n_positive: 8.into(),
                auroc: Some(0.7),
                lower: Some(0.5),
                upper: Some(0.9),
                pooled: true,
                method: "DeLong".to_string(),
            }],
            ..plain.clone()
        },
    );
    add(
        "outside",
        AnalysisRecord {
            cohort: "elsewhere".to_string(),
            scheme: "external".to_string(),
            kind: "external".to_string(),
            frozen: Some(FrozenFacts {
                digest: "blake3:1".to_string(),
                n: 24.into(),
                n_positive: 9.into(),
                n_predictors: 6,
                n_selected: 2,
                candidate: Some(0),
                members: 1,
                threshold: Some(0.41),
                calibration: None,
                sealed: true,
                filled: 0.into(),
                filled_columns: Vec::new(),
                accesses: 1,
                apparent: ApparentFacts::default(),
            }),
            ..plain
        },
    );
    record.comparisons.push(ComparisonFacts {
        better: name,
        than: "control".to_string(),
        metric: "auroc".to_string(),
        result: Some(Compared {
            difference: 0.05,
            lower: Some(0.01),
            upper: Some(0.12),
            p: Some(0.01),
            method: String::new(),
        }),
        p_adjusted: None,
    });
    record.reporting = everything(&[&cohort, "elsewhere"]);
    record
}

/// `(standard, item)` → status, of every item.
pub fn statuses(record: &StudyRecord) -> Vec<(String, Status)> {
    let judged = judge(record);
    let lists = judged.checklists.into_iter();
    lists
        .flat_map(|list| {
            let name = list.name.clone();
            list.items
                .into_iter()
                .map(move |item| (format!("{name} {}", item.item), item.status))
        })
        .collect()
}

pub fn flipped(
    before: &[(String, Status)],
    after: &[(String, Status)],
) -> BTreeSet<String> {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before.1 != after.1)
        .map(|(before, _)| before.0.clone())
        .collect()
}

/// Items that no record of this version can satisfy, since what they ask is not in it.
const OUT_OF_REACH: &[Evidence] = &[Evidence::Robustness];

/// What a run tells of images where their unit or their table says it, and the author otherwise.
const OF_THE_IMAGES: &[&str] = &["ibsi 8", "ibsi 28", "ibsi 30"];

pub fn asks(standard: &str, item: &str, evidence: Evidence) -> bool {
    let catalog = Catalog::standard();
    sections(&catalog).iter().any(|entry| {
        declared(entry).fills.iter().any(|fill| {
            fill.standard == standard
                && fill.item == item
                && fill.evidence.contains(&evidence)
        })
    })
}

#[test]
fn every_item_is_declared_by_one_section_and_every_declared_item_exists() {
    let catalog = Catalog::standard();
    let mut fills: Vec<(&str, &str)> = Vec::new();
    for entry in sections(&catalog) {
        let declared = declared(entry);
        assert!(declared.chapter.is_some(), "{} has no chapter", entry.about.name);
        fills.extend(declared.fills.iter().map(|fill| (fill.standard, fill.item)));
    }
    // The score by points has a list of its own.
    fills.retain(|(standard, _)| *standard != "rqs1");
    for standard in standards() {
        for item in &standard.items {
            let n = fills
                .iter()
                .filter(|f| **f == (standard.name, item.item.as_str()))
                .count();
            assert_eq!(n, 1, "{} {} is declared {n} times", standard.name, item.item);
        }
    }
    let all: usize = standards().iter().map(|standard| standard.items.len()).sum();
    assert_eq!(fills.len(), all, "an item is declared that no standard has");
}

#[test]
fn a_complete_record_has_every_item_but_those_out_of_reach() {
    for (name, status) in statuses(&complete()) {
        let (standard, item) = name.split_once(' ').unwrap();
        let reachable = !OUT_OF_REACH.iter().any(|e| asks(standard, item, *e));
        if name == "tripod_ai 24" || name == "metrics 17" {
            assert_eq!(status, Status::NotApplicable, "{name}");
        } else if name == "ibsi 60" {
            assert_eq!(status, Status::Declared, "{name}");
        } else if standard == "ibsi" && items_named("62-71").unwrap().contains(&item) {
            // The features of this record are statistics of grey values.
            assert_eq!(status, Status::NotApplicable, "{name}");
        } else if reachable && standard != "metrics" {
            assert_eq!(status, Status::Met, "{name}");
        } else if !reachable && standard != "metrics" {
            assert!([Status::Missing, Status::Partial].contains(&status), "{name}");
        }
    }
}

/// Whether a report that lacks this item is a draft: it is of completeness, and more than recommended.
fn keeps_a_draft(name: &str) -> bool {
    standards().iter().any(|standard| {
        let items = standard.items.iter().filter(|item| item.condition != "recommended");
        let of = |item: &str| format!("{} {item}", standard.name) == name;
        items.filter(|item| item.weight.is_none()).any(|item| of(&item.item))
    })
}

#[test]
fn removing_an_authors_field_flips_the_items_that_ask_for_it_and_no_other() {
    let record = complete();
    let before = statuses(&record);
    let mut tried = 0;
    for path in record.reporting.fields.keys() {
        let mut without = record.clone();
        without.reporting.fields.remove(path);
        if path == "title" {
            without.study.title = "Short".to_string();
        }
        let flips = flipped(&before, &statuses(&without));
        let general = restudy::data::generalised(path);
        let mut wanted = BTreeSet::new();
        for standard in standards() {
            for item in &standard.items {
                let name = format!("{} {}", standard.name, item.item);
                let is = |wanted: &Wanted| [&general, path].contains(&&wanted.field);
                let asked = item.author.iter().any(is);
                let now = before.iter().find(|(known, _)| *known == name).unwrap().1;
                // Of the development cohort no differences from itself are asked.
                let own =
                    general.ends_with(".differences") && !path.contains("elsewhere");
                // Asked only of a prospective study, and of features that another program made.
                let only = item.author.iter().any(|w| {
                    let elsewhere = ["prospective", "extracted_outside", "untold"]
                        .contains(&w.only_if.as_str());
                    // Which images they are is asked as long as the run does not say it.
                    is(w) && elsewhere && !OF_THE_IMAGES.contains(&name.as_str())
                });
                let beyond =
                    OUT_OF_REACH.iter().any(|e| asks(standard.name, &item.item, *e));
                if asked && !own && !only && (now == Status::Met || beyond) {
                    wanted.insert(name);
                }
            }
        }
        assert_eq!(flips, wanted, "{path}");
        // Whether an item misses the field as a whole or in part, the report is a draft that names it.
        if flips.iter().any(|name| keeps_a_draft(name)) {
            let field = format!("`reporting.{path}`");
            let named = gaps(&judge(&without)).iter().any(|gap| gap.contains(&field));
            assert!(named, "{path}");
        }
        tried += usize::from(!wanted.is_empty());
    }
    assert!(tried > 60, "{tried} fields");
}

/// A setting that differs from the locked one.
fn depart(record: &mut StudyRecord, path: &str, when: Known) {
    record.protocol.as_mut().unwrap().differences.push(DifferenceFacts {
        path: path.to_string(),
        locked: Some("1".to_string()),
        executed: Some("2".to_string()),
        when,
    });
}

/// What an author says of a change.
fn declare(record: &mut StudyRecord, path: &str, when: &str) {
    record.deviations.push(DeviationFacts {
        what: "another value".to_string(),
        path: Some(path.to_string()),
        when: Some(when.to_string()),
        why: Some("the first one was a slip of the pen".to_string()),
    });
}

/// The record without one evidence.
pub fn without(mut record: StudyRecord, evidence: Evidence) -> StudyRecord {
    let name = record.analysis_order[0].clone();
    let drop_method = |record: &mut StudyRecord, role: &str| {
        record.methods.retain(|method| method.role != role);
    };
    {
        let of = record.analyses.get_mut(&name).unwrap();
        match evidence {
            Evidence::Predictors => of.n_predictors = 0,
            Evidence::Proportion => {
                let size = of.sample_size.as_mut().unwrap();
                (size.events_per_candidate, size.needed) = (Some(2.0), Some(5000.0));
            }
            Evidence::Reduction => {
                let chosen = of.selection.as_mut().unwrap();
                chosen.mean_columns = chosen.of_columns as f64;
            }
            Evidence::Tuning => of.candidates.clear(),
            Evidence::Splits => of.folds.clear(),
            Evidence::Measures => of.metrics.clear(),
            Evidence::SampleSize => of.sample_size = None,
            Evidence::Performance => {
                of.performance.remove("auroc");
            }
            Evidence::Intervals => {
                for estimate in of.performance.values_mut() {
                    (estimate.lower, estimate.upper) = (None, None);
                }
            }
            Evidence::Calibration => of.calibration = None,
            Evidence::PrecisionRecall => of.precision_recall.clear(),
            Evidence::Decision => of.decision = None,
            Evidence::Confusion => of.confusion = None,
            Evidence::Threshold => of.threshold = None,
            Evidence::Subgroups => of.subgroups.clear(),
            Evidence::Selection => of.selection = None,
            Evidence::Collinearity => of.selection.as_mut().unwrap().similar = None,
            Evidence::Baseline => {
                (of.permutation, of.prevalence_only) = (None, None);
            }
            _ => {}
        }
    }
    match evidence {
        Evidence::Sources => {
            record.sources.iter_mut().for_each(|source| source.digest.clear());
        }
        Evidence::Flow => {
            record.cohorts.iter_mut().for_each(|cohort| cohort.flow.clear())
        }
        Evidence::TableOne => {
            record.characteristics.retain(|row| row.class.is_none());
            for column in record.predictors.iter_mut().flat_map(|b| &mut b.columns) {
                column.positive = None;
                column.levels.clear();
            }
        }
        Evidence::Missingness => {
            record.missingness.clear();
        }
        Evidence::Shift => {
            record
                .characteristics
                .iter_mut()
                .for_each(|row| row.smd_to_development = None);
        }
        Evidence::Outcomes => record.outcomes.clear(),
        Evidence::FullModel => record.full_models.clear(),
        Evidence::Extraction => drop_method(&mut record, "features"),
        Evidence::Preparation => {
            drop_method(&mut record, "prepare");
            // Without gaps nothing has to be done with them.
            for column in record.predictors.iter_mut().flat_map(|b| &mut b.columns) {
                column.missing = 0.into();
            }
        }
        Evidence::Gaps => {
            record.methods.retain(|method| method.name != "impute_median");
            let mut columns = record.predictors.iter_mut().flat_map(|b| &mut b.columns);
            columns.next().unwrap().missing = 3.into();
        }
        Evidence::Unprepared => record.sources[0].prepared_outside = Some(true),
        Evidence::Learners => {
            // The baseline is a learner as well; it has another mark in this record.
            record.methods.retain(|method| method.role != "learn");
        }
        Evidence::Proof => record.certificate.n_held_out_uses = 0,
        Evidence::Controls => {
            record.analyses.get_mut("control").unwrap().role = "primary".to_string();
        }
        Evidence::Comparisons => record.comparisons.clear(),
        Evidence::Baseline => record.methods.retain(|method| method.name != "naive"),
        Evidence::Sites => {
            record.analyses.get_mut("sites").unwrap().sites.clear();
        }
        Evidence::Confounding => record.associations.clear(),
        Evidence::Centres => {
            record.cohorts.iter_mut().for_each(|cohort| cohort.n_sites = Some(1));
        }
        Evidence::FrozenModel => {
            record.analyses.get_mut("outside").unwrap().frozen = None;
        }
        Evidence::External => {
            let cohort = record.cohorts.last_mut().unwrap();
            cohort.relation = Some("same source".to_string());
        }
        Evidence::Identity => record.study.digest.clear(),
        Evidence::Setting => record.extraction.clear(),
        Evidence::Protocol => depart(&mut record, "seed", Known::BeforeResults),
        _ => {}
    }
    record
}

#[test]
fn removing_evidence_flips_the_items_that_ask_for_it_and_no_other() {
    let record = complete();
    let before = statuses(&record);
    for evidence in Evidence::ALL {
        // What only the score by points asks for has a test of its own.
        let asked = before.iter().any(|(name, _)| {
            let (standard, item) = name.split_once(' ').unwrap();
            asks(standard, item, evidence)
        });
        let of_points = !asked && crate::appraisal::ask(evidence);
        if OUT_OF_REACH.contains(&evidence) || of_points {
            continue;
        }
        let flips = flipped(&before, &statuses(&without(record.clone(), evidence)));
        let mut wanted = BTreeSet::new();
        for (name, status) in &before {
            let (standard, item) = name.split_once(' ').unwrap();
            // Which images they are nothing in the run says here, so that the author does. What was not
            // assessed is declared by the run.
            let by_author =
                evidence == Evidence::Setting && OF_THE_IMAGES.contains(&name.as_str());
            let by_run = evidence == Evidence::Setting && name == "ibsi 60";
            if asks(standard, item, evidence)
                && ((*status == Status::Met && !by_author) || by_run)
            {
                wanted.insert(name.clone());
            }
        }
        if evidence == Evidence::Learners {
            // Without any learner nobody weights classes, so nobody has to say why.
            wanted.retain(|name| name != "tripod_ai 13");
            let flips: BTreeSet<String> =
                flips.into_iter().filter(|name| name != "tripod_ai 13").collect();
            assert_eq!(flips, wanted, "{evidence:?}");
            continue;
        }
        assert_eq!(flips, wanted, "{evidence:?}");
        assert!(
            !wanted.is_empty() || [Evidence::Comparisons].contains(&evidence),
            "no item asks for {evidence:?}"
        );
    }
}

#[test]
fn silence_about_a_condition_is_no_excuse_and_a_denial_is_one() {
    for (list, item, condition, about) in [
        (0, "8b", "outcome.subjective", "outcome.assessors"),
        (3, "9", "segmentation.automatic", "segmentation.auto_accuracy"),
    ] {
        let of = |said: &dyn Fn(&mut Reporting)| {
            let mut record = complete();
            said(&mut record.reporting);
            let list = judge(&record).checklists.swap_remove(list);
            let denominator = list.score.map(|score| score.denominator);
            let item = list.items.into_iter().find(|known| known.item == item).unwrap();
            (item.status, denominator)
        };
        let all = of(&|_| {});
        assert_eq!(all.0, Status::Met, "{item}");
        let silent = of(&|said| {
            said.fields.remove(condition);
        });
        assert_eq!(silent, (Status::Partial, all.1), "{item}");
        let neither = of(&|said| {
            said.fields.remove(condition);
            said.fields.remove(about);
        });
        assert_eq!(neither, (Status::Missing, all.1), "{item}");
        let denied = of(&|said| {
            said.fields.insert(condition.to_string(), Stated::Truth(false));
        });
        assert_eq!(denied.0, Status::NotApplicable, "{item}");
        assert_eq!(denied.1 < all.1, list == 3, "{item}");
    }
}

#[test]
fn what_was_not_done_is_told_and_scores_nothing() {
    let mut record = complete();
    let not = || Stated::Not("it was not possible with these data".to_string());
    record.reporting.fields.insert("ppi".to_string(), not());
    record.reporting.fields.insert("availability.data".to_string(), not());
    let judged = judge(&record);
    let of = |list: usize, item: &str| {
        judged.checklists[list]
            .items
            .iter()
            .find(|known| known.item == item)
            .unwrap()
            .clone()
    };
    assert_eq!(of(0, "19").status, Status::Declared);
    assert_eq!(of(0, "18e").status, Status::Declared);
    assert_eq!((of(3, "28").status, of(3, "28").scores), (Status::Declared, Some(false)));
    let tripod = &judged.checklists[0];
    assert_eq!(tripod.counts.values().sum::<usize>(), 52);
    assert_eq!(tripod.counts["declared"], 2);
    assert_eq!(
        tripod.reported,
        tripod.items.iter().filter(|item| item.status.is_reported()).count()
    );
}

#[test]
fn a_study_without_its_authors_half_is_a_draft_that_says_what_it_wants() {
    let record = record();
    let catalog = Catalog::standard();
    let page = render(&record, &sections(&catalog));
    assert!(page.html(None).contains("Draft: not ready to submit"));
    assert!(page.html(None).contains("<code>reporting.context.clinical_problem</code>"));
    assert!(page.html(None).contains("or <code>none: reason</code>"));
    assert!(page.gaps.iter().any(|gap| gap.starts_with("TRIPOD+AI 3a")));
    let tripod = &judge(&record).checklists[0];
    assert!(tripod.reported < tripod.applicable);
    // The same with everything told lacks only what is out of reach.
    let gaps = gaps(&judge(&complete()));
    assert!(
        gaps.iter().all(|gap| {
            gap.contains("coefficients") || gap.contains("model with its")
        }),
        "{gaps:?}"
    );
}

#[test]
fn an_item_that_lacks_the_authors_half_keeps_a_draft_until_the_author_says_why() {
    let mut record = complete();
    let before = gaps(&judge(&record));
    record.reporting.fields.remove("context.existing_models");
    assert_eq!(status_of(&record, "tripod_ai 3a"), Status::Partial);
    let new = |record: &StudyRecord| {
        let mut all = gaps(&judge(record));
        all.retain(|gap| !before.contains(gap));
        all
    };
    let gap = "`reporting.context.existing_models` is not written";
    let all = new(&record);
    assert!(!all.is_empty() && all.iter().all(|of| of.ends_with(gap)), "{all:?}");
    assert!(all[0].starts_with("TRIPOD+AI 3a ("), "{all:?}");
    let not = Stated::Not("nobody has made a model of this question before".to_string());
    record.reporting.fields.insert("context.existing_models".to_string(), not);
    assert_eq!(new(&record), Vec::<String>::new());
    // What the run does not show no author can write.
    let unshown = without(complete(), Evidence::Subgroups);
    assert_eq!(status_of(&unshown, "tripod_ai 23a"), Status::Partial);
    assert!(!new(&unshown).iter().any(|gap| gap.starts_with("TRIPOD+AI 23a")));
}

fn status_of(record: &StudyRecord, item: &str) -> Status {
    let all = statuses(record);
    all.into_iter().find(|(name, _)| name == item).unwrap().1
}

/// A study that triggers a check and one that does not, by its name.
fn case(check: &str, triggers: bool) -> StudyRecord {
    let mut record = complete();
    let name = record.analysis_order[0].clone();
    let say = |record: &mut StudyRecord, field: &str, text: &str| {
        record.reporting.fields.insert(field.to_string(), Stated::Text(text.to_string()));
    };
    match check {
        "external validation" => {
            say(
                &mut record,
                "abstract.conclusion",
                "This holds in external validation as well.",
            );
            if triggers {
                record.analyses.remove("outside");
                record.analysis_order.retain(|known| known != "outside");
            }
        }
        "external for the same source" => {
            say(
                &mut record,
                "discussion.interpretation",
                "In the external cohort it held as well.",
            );
            if triggers {
                record.cohorts.last_mut().unwrap().relation =
                    Some("same archive, other sites".to_string());
            }
        }
        "prospective" => {
            say(&mut record, "title", "A prospective study of six words and one more");
            let design =
                if triggers { "retrospective cohort" } else { "prospective cohort" };
            let fields: Vec<String> = record
                .reporting
                .fields
                .keys()
                .filter(|field| field.ends_with(".design"))
                .cloned()
                .collect();
            for field in fields {
                say(&mut record, &field, design);
            }
        }
        "protocol" => {
            record.claims = vec![restudy::data::ClaimFacts {
                text: "auroc.imaged.lower > 0.5".to_string(),
                words: None,
                digest: "blake3:0".to_string(),
                holds: Some(true),
                values: Vec::new(),
            }];
            if triggers {
                record.deviations = vec![DeviationFacts {
                    what: "another learner".to_string(),
                    path: None,
                    when: Some("after results".to_string()),
                    why: None,
                }];
            }
        }
        "threshold declared beforehand" => {
            say(&mut record, "threshold.rationale", "The threshold was pre-specified.");
            record.deviations = vec![DeviationFacts {
                what: "the threshold was moved".to_string(),
                path: None,
                when: Some(
                    if triggers { "after results" } else { "before data" }.to_string(),
                ),
                why: None,
            }];
        }
        "the threshold of the lock" => {
            say(&mut record, "threshold.rationale", "The threshold was pre-specified.");
            let path = if triggers {
                "evaluate.threshold.fixed.value"
            } else {
                "learn.logistic.c"
            };
            depart(&mut record, path, Known::AfterResults);
            declare(&mut record, path, "after results");
        }
        "time of a deviation" => {
            let when = if triggers { Known::AfterResults } else { Known::BeforeResults };
            depart(&mut record, "learn.logistic.c", when);
            // The reason is about everything below.
            declare(&mut record, "learn.logistic", "before data");
        }
        "no deviation" => {
            let text = "There were no deviations from the protocol.";
            say(&mut record, "discussion.strengths", text);
            if triggers {
                depart(&mut record, "seed", Known::BeforeResults);
            }
        }
        "no missing data" => {
            say(&mut record, "missing_data.reasons", "There were no missing data.");
            for column in
                record.predictors.iter_mut().flat_map(|block| &mut block.columns)
            {
                column.missing = usize::from(triggers).into();
            }
        }
        "multicentre" => {
            say(&mut record, "abstract.background", "A multicentre study.");
            let n = Some(if triggers { 1 } else { 4 });
            record.cohorts.iter_mut().for_each(|cohort| cohort.n_sites = n);
            // Another institution would be a second centre.
            record.cohorts.last_mut().unwrap().relation = Some("same source".to_string());
        }
        "test data used once" => {
            say(&mut record, "discussion.strengths", "Test data were used once.");
            if triggers {
                let again = record.analyses["outside"].clone();
                record.analyses.insert("again".to_string(), again);
                record.analysis_order.push("again".to_string());
            }
        }
        "a number typed by hand" => {
            let auroc = if triggers { "0.93" } else { "0.70" };
            let text = format!("The AUC was {auroc} here.");
            say(&mut record, "abstract.conclusion", &text);
        }
        "superior" => {
            say(&mut record, "discussion.interpretation", "The model is superior.");
            let result = record.comparisons[0].result.as_mut().unwrap();
            result.lower = Some(if triggers { -0.01 } else { 0.01 });
        }
        "validated" => {
            say(&mut record, "discussion.interpretation", "A validated model.");
            let of = record.analyses.get_mut(&name).unwrap();
            of.performance.get_mut("auroc").unwrap().lower =
                Some(if triggers { 0.5 } else { 0.51 });
        }
        "well calibrated" => {
            say(&mut record, "discussion.interpretation", "It is well calibrated.");
            let slope = Estimate {
                estimate: 0.7,
                lower: Some(0.5),
                upper: Some(if triggers { 0.9 } else { 1.1 }),
                ..Estimate::default()
            };
            let of = record.analyses.get_mut(&name).unwrap();
            of.performance.insert("calibration_slope".to_string(), slope);
        }
        "generalises" => {
            say(&mut record, "discussion.interpretation", "The model generalises well.");
            if triggers {
                for name in ["outside", "sites"] {
                    record.analyses.remove(name);
                    record.analysis_order.retain(|known| known != name);
                }
            }
        }
        other => panic!("no case for {other}"),
    }
    record
}

#[test]
fn a_deviation_without_a_reason_is_a_gap_and_none_is_said() {
    let catalog = Catalog::standard();
    let page = |record: &StudyRecord| {
        let page = render(&judge(record), &sections(&catalog));
        let csv = page.tables.iter().find(|(name, _)| name == "deviations.csv").unwrap();
        (page.html(None), page.gaps.clone(), csv.1.clone())
    };
    let mut record = complete();
    let (html, ..) = page(&record);
    assert!(html.contains("Deviations from the locked protocol: <b>none</b>"));
    depart(&mut record, "learn.logistic.c", Known::AfterResults);
    let (html, gaps, csv) = page(&record);
    assert!(html.contains("no reason given"));
    assert!(gaps.iter().any(|gap| gap.contains("`learn.logistic.c`")), "{gaps:?}");
    assert!(csv.contains("learn.logistic.c,after results,,1,2,locked protocol"), "{csv}");
    declare(&mut record, "learn", "after results");
    let (html, gaps, csv) = page(&record);
    assert!(html.contains("the first one was a slip of the pen"));
    assert!(!gaps.iter().any(|gap| gap.contains("deviation")), "{gaps:?}");
    assert!(csv.contains("slip of the pen"), "{csv}");
    record.protocol = None;
    let (html, ..) = page(&record);
    assert!(html.contains("No protocol was locked"));
    assert!(!html.contains("locked protocol: <b>none"));
}

#[test]
fn every_check_has_a_study_that_triggers_it_and_one_that_does_not() {
    let base: BTreeSet<String> =
        judge(&complete()).conflicts.into_iter().map(|found| found.check).collect();
    assert!(base.is_empty(), "{base:?}");
    let mut without = complete();
    without.protocol = None;
    let found: BTreeSet<String> =
        judge(&without).conflicts.into_iter().map(|found| found.check).collect();
    assert_eq!(found, ["protocol".to_string()].into(), "no claim was stated");
    for check in [
        "external validation",
        "external for the same source",
        "prospective",
        "protocol",
        "threshold declared beforehand",
        "the threshold of the lock",
        "time of a deviation",
        "no deviation",
        "no missing data",
        "multicentre",
        "test data used once",
        "a number typed by hand",
        "superior",
        "validated",
        "well calibrated",
        "generalises",
    ] {
        let name = match check {
            "external for the same source" => "external validation",
            "the threshold of the lock" => "threshold declared beforehand",
            check => check,
        };
        let level = if check == "protocol" { "warning" } else { "conflict" };
        let found = |triggers: bool| {
            let judged = judge(&case(check, triggers));
            let found =
                judged.conflicts.iter().find(|f| f.check == name && f.level == level);
            (found.cloned(), judged)
        };
        let (found_here, judged) = found(true);
        let conflict = found_here.unwrap_or_else(|| panic!("{check} is not found"));
        assert!(found(false).0.is_none(), "{check} is found where it is not");
        if level == "conflict" {
            for item in &conflict.items {
                let (standard, number) = item.split_once(' ').unwrap();
                let list = judged.checklists.iter().find(|l| l.name == standard).unwrap();
                let item = list.items.iter().find(|i| i.item == number).unwrap();
                assert_eq!(item.status, Status::Conflict, "{check}: {standard} {number}");
            }
            assert!(gaps(&judged).iter().any(|gap| gap.starts_with("conflict: ")));
            let catalog = Catalog::standard();
            let html = render(&judged, &sections(&catalog)).html(None);
            assert!(html.contains("gapbox conf"), "{check} is not in the summary");
        }
    }
}

/// The conflicts and warnings of one check when an author says this.
fn found(record: &StudyRecord, check: &str, text: &str) -> Vec<(String, String)> {
    let mut record = record.clone();
    let said = Stated::Text(text.to_string());
    record.reporting.fields.insert("discussion.interpretation".to_string(), said);
    let found = judge(&record).conflicts.into_iter().filter(|found| found.check == check);
    found.map(|found| (found.level, found.text)).collect()
}

/// Radiomics and clinical data on the same rows, in the cohort of the headline and elsewhere, with the
/// intervals of the differences.
fn compared(inside: (f64, f64), outside: (f64, f64)) -> StudyRecord {
    let mut record = complete();
    let own = record.analyses[&record.analysis_order[0]].model.clone();
    for of in record.analyses.values_mut().filter(|of| of.model == own) {
        of.model = "radiomics".to_string();
    }
    record.analyses.get_mut("control").unwrap().model = "clinical_only".to_string();
    let theirs = AnalysisRecord {
        model: "clinical_only".to_string(),
        ..record.analyses["outside"].clone()
    };
    record.analyses.insert("outside control".to_string(), theirs);
    record.analysis_order.push("outside control".to_string());
    let elsewhere = ComparisonFacts {
        better: "outside".to_string(),
        than: "outside control".to_string(),
        ..record.comparisons[0].clone()
    };
    record.comparisons.push(elsewhere);
    for (facts, (lower, upper)) in record.comparisons.iter_mut().zip([inside, outside]) {
        let result = facts.result.as_mut().unwrap();
        result.difference = (lower + upper) / 2.0;
        (result.lower, result.upper) = (Some(lower), Some(upper));
    }
    record
}

#[test]
fn superiority_is_judged_by_the_models_the_cohort_and_the_direction_that_are_named() {
    let (above, below, around) = ((0.05, 0.3), (-0.3, -0.05), (-0.1, 0.2));
    let says = |text: &str, inside, outside| {
        let found = found(&compared(inside, outside), "superior", text);
        found.into_iter().next().map(|(_, text)| text)
    };
    for (text, inside, outside) in [
        ("The clinical model was superior to radiomics.", above, around),
        ("The clinical model was superior to radiomics.", around, above),
        ("Compared with radiomics, the clinical model was superior.", above, around),
        ("Radiomics was outperformed by clinical data.", above, around),
        ("Radiomics was superior to clinical data.", below, around),
        ("The superiority of radiomics over clinical data is clear.", around, around),
        (
            "Radiomics was superior to clinical data in the cohort elsewhere.",
            above,
            around,
        ),
        ("Radiomics outperformed clinical data in external patients.", above, around),
        ("Radiomics outperformed clinical data in cross-validation.", around, above),
        ("The model was superior.", below, around),
    ] {
        let found = says(text, inside, outside);
        let found = found.unwrap_or_else(|| panic!("not found: {text}"));
        assert!(found.contains("no compared difference shows it: "), "{found}");
    }
    let shown = says("The clinical model was superior to radiomics.", above, around);
    assert!(shown.unwrap().contains("radiomics less clinical_only in"));
    for (text, inside, outside) in [
        ("Radiomics was superior to clinical data.", above, around),
        ("Clinical data were outperformed by radiomics.", above, around),
        ("The clinical model was superior to radiomics.", below, around),
        (
            "Radiomics was superior to clinical data in the cohort elsewhere.",
            around,
            above,
        ),
        ("The model was superior.", above, around),
        ("The model was superior to chance.", around, around),
        ("Radiomics was not superior to clinical data.", around, around),
        ("We asked whether radiomics is superior to clinical data.", around, around),
        ("Tumours of the superior temporal gyrus were frequent.", around, around),
    ] {
        assert_eq!(says(text, inside, outside), None, "{text}");
    }
}

#[test]
fn controls_that_the_program_adds_are_no_second_use_of_a_cohort() {
    let text = "Test data were used once.";
    let mut record = complete();
    let added = AnalysisRecord {
        model: "volume_only".to_string(),
        role: "control".to_string(),
        added: Some(AddedFacts { looks_at: "volume".to_string(), why: String::new() }),
        ..record.analyses["outside"].clone()
    };
    record.analyses.insert("added".to_string(), added);
    record.analysis_order.push("added".to_string());
    assert_eq!(found(&record, "test data used once", text), []);
    let again = record.analyses["outside"].clone();
    record.analyses.insert("again".to_string(), again);
    record.analysis_order.push("again".to_string());
    let found = found(&record, "test data used once", text);
    let words = "2 frozen models of the study met the cohort elsewhere, beside 1 control that was \
                 added; ";
    assert!(found[0].1.contains(words), "{found:?}");
}

#[test]
fn numbers_in_a_text_are_held_against_the_results() {
    let check = "a number typed by hand";
    let record = complete();
    let levels = |text: &str| {
        let found = found(&record, check, text);
        found.into_iter().map(|(level, _)| level).collect::<Vec<_>>()
    };
    for text in [
        "The area under the curve was 0.91.",
        "The C-statistic was 0.91.",
        "The AUC reached .91.",
        "The AUC was found in testing to be 0.91.",
        "The AUROC was 91 %.",
        "The AUROC was 0·91.",
        "Among 5000 glioma patients it worked.",
        "It holds in 1,600 patients.",
        "Sensitivity was 0.991.",
        "The calibration slope was 1.934.",
    ] {
        assert_eq!(levels(text), ["conflict"], "{text}");
    }
    // Only the interval is wrong; the other is right as it stands.
    assert_eq!(levels("An AUC of 0.70 (95 % CI 0.10–0.99)."), ["conflict", "warning"]);
    for right in ["The AUROC was 70 %.", "Sensitivity was 0.70."] {
        assert_eq!(levels(right), ["warning"], "{right}");
    }
    let both = levels("An AUC of 0.70 (95 % CI 0.60–0.80).");
    assert_eq!(both, ["warning", "warning"]);
    assert!(levels("A sensitivity of at least 0.95 is wanted; p was 0.02.").is_empty());
    // Right for another model than the one that is named.
    let mut models = compared((-0.1, 0.2), (-0.1, 0.2));
    let first = models.analysis_order[0].clone();
    for (name, auroc) in [(first.as_str(), 0.83), ("control", 0.64)] {
        let of = models.analyses.get_mut(name).unwrap();
        of.performance.get_mut("auroc").unwrap().estimate = auroc;
    }
    for (text, level) in [
        ("The AUC of the radiomics model was 0.64.", "conflict"),
        ("The AUC of the radiomics model was 0.83.", "warning"),
        ("The AUC of the clinical model was 0.64.", "warning"),
        ("An AUC of 0.64 was lower than that of the radiomics model.", "warning"),
        ("The clinical-radiomics model had an AUC of 0.64.", "warning"),
    ] {
        let found = found(&models, check, text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, level, "{text}");
    }
    // Right for another cohort than the one that is named.
    let mut two = complete();
    let inside = two.analysis_order[0].clone();
    let set = |record: &mut StudyRecord, name: &str, auroc: f64| {
        let of = record.analyses.get_mut(name).unwrap();
        of.performance.get_mut("auroc").unwrap().estimate = auroc;
    };
    set(&mut two, &inside, 0.83);
    set(&mut two, "outside", 0.64);
    let in_two = |text: &str| {
        let found = found(&two, check, text);
        found.into_iter().map(|(level, _)| level).collect::<Vec<_>>()
    };
    for wrong in [
        "The AUC was 0.83 in the cohort elsewhere.",
        "In the external data the AUROC was 0.83.",
        "In cross-validation the AUROC was 0.64.",
    ] {
        assert_eq!(in_two(wrong), ["conflict"], "{wrong}");
    }
    for right in [
        "The AUC was 0.64 in the cohort elsewhere.",
        "In cross-validation the AUROC was 0.83.",
        "The AUROC was 0.83.",
    ] {
        assert_eq!(in_two(right), ["warning"], "{right}");
    }
    // Which of two numbers is of which place is not read.
    let both = "The AUROC was 0.83 in cross-validation and 0.64 in the cohort elsewhere.";
    assert!(in_two(both).iter().all(|level| level == "warning"), "{both}");
    let told = found(&record, check, "It holds in 1,600 patients.");
    assert!(
        told[0].1.contains("a number of patients, 1,600, that no result"),
        "{told:?}"
    );
    assert!(told[0].1.contains("`{{results.n.COHORT}}`"), "{told:?}");
}

#[test]
fn numbers_are_sought_wherever_a_field_tells_of_the_run() {
    let record = complete();
    let conflicts_of = |field: &str, text: &str| {
        let mut record = record.clone();
        let said = Stated::Text(text.to_string());
        record.reporting.fields.insert(field.to_string(), said);
        let found = judge(&record).conflicts.into_iter();
        found.filter(|found| found.level == "conflict").collect::<Vec<_>>()
    };
    for (field, text, item) in [
        ("cohorts.imaged.setting", "Here 5000 patients were included.", "tripod_ai 6a"),
        (
            "cohorts.imaged.setting",
            "Here five thousand patients were included.",
            "tripod_ai 6a",
        ),
        ("analysis.metric_rationale", "The AUC was 0.93.", "tripod_ai 12e"),
        ("threshold.rationale", "A sensitivity of 0.991 was reached.", "tripod_ai 15"),
        ("discussion.interpretation", "The AUC was 0.93.", "tripod_ai 25"),
        ("abstract.conclusion", "The AUC was 0.93.", "tripod_ai_abstract 12"),
    ] {
        let found = conflicts_of(field, text);
        assert_eq!(found.len(), 1, "{field}: {found:?}");
        assert_eq!(found[0].check, "a number typed by hand", "{field}");
        assert!(found[0].items.iter().any(|of| of == item), "{field}: {found:?}");
    }
    for (field, text) in [
        ("cohorts.imaged.eligibility", "Of 5000 patients screened, some were included."),
        ("cohorts.imaged.eligibility", "Masks of 30 patients were drawn again."),
        ("cohorts.imaged.overlap", "In all 45 patients were included elsewhere."),
        ("outcome.assay", "The antibody has a sensitivity of 0.991."),
        ("outcome.definition", "The assay has a sensitivity of 0.991."),
        ("segmentation.auto_accuracy", "The accuracy of the contours was 0.991."),
        ("context.rationale", "An AUC of 0.93 was reached before."),
        ("threshold.rationale", "A sensitivity of 0.95 was chosen as the target."),
    ] {
        assert_eq!(conflicts_of(field, text), [], "{field}: {text}");
    }
}

#[test]
fn what_a_text_says_of_validation_is_read_sentence_by_sentence() {
    let mut same = complete();
    same.cohorts.last_mut().unwrap().relation = Some("same archive, sites".to_string());
    let mut low = complete();
    let name = low.analysis_order[0].clone();
    let of = low.analyses.get_mut(&name).unwrap();
    of.performance.get_mut("auroc").unwrap().lower = Some(0.38);
    for (check, record, text, quoted) in [
        (
            "external validation",
            &same,
            "We found no leakage. External validation in another hospital was done.",
            Some("External validation in another hospital was done."),
        ),
        (
            "external validation",
            &same,
            "The model was tested on an independent test set from an outside institution.",
            Some(
                "The model was tested on an independent test set from an outside institution.",
            ),
        ),
        (
            "external validation",
            &same,
            "External performance was high.",
            Some("External performance was high."),
        ),
        ("external validation", &same, "External validation was not possible.", None),
        ("external validation", &same, "It has yet to be externally validated.", None),
        ("validated", &low, "It remains to be validated.", None),
        (
            "validated",
            &low,
            "The model has yet to be externally validated and validated questionnaires were used.",
            None,
        ),
        (
            "validated",
            &low,
            "Validation of the model succeeded.",
            Some("Validation of the model succeeded."),
        ),
        (
            "validated",
            &low,
            "This is a validated tool.",
            Some("This is a validated tool."),
        ),
    ] {
        let found = found(record, check, text);
        match quoted {
            Some(quoted) => {
                let quoted = format!("says “{quoted}”, and ");
                assert!(found.iter().any(|(_, text)| text.contains(&quoted)), "{text}");
            }
            None => assert_eq!(found, [], "{text}"),
        }
    }
}

/// Sentences as authors write them: with a difference around 0, an interval that begins below chance, a
/// slope that is off and no cohort of elsewhere.
#[test]
fn strong_words_are_heard_in_other_words_too() {
    let none = compared((-0.05, 0.09), (-0.05, 0.09));
    let mut low = complete();
    let name = low.analysis_order[0].clone();
    let of = low.analyses.get_mut(&name).unwrap();
    of.performance.get_mut("auroc").unwrap().lower = Some(0.45);
    let slope = Estimate {
        estimate: 0.5,
        lower: Some(0.3),
        upper: Some(0.8),
        ..Estimate::default()
    };
    of.performance.insert("calibration_slope".to_string(), slope);
    let mut alone = complete();
    for name in ["outside", "sites"] {
        alone.analyses.remove(name);
        alone.analysis_order.retain(|known| known != name);
    }
    for (check, record, text, wrong) in [
        (
            "superior",
            &none,
            "Radiomics showed a clear advantage over the clinical model.",
            true,
        ),
        (
            "superior",
            &none,
            "The clinical model was inferior to the radiomics model.",
            true,
        ),
        ("superior", &none, "The clinical model performed worse than radiomics.", true),
        (
            "superior",
            &none,
            "Adding radiomics to the clinical model enhanced discrimination.",
            true,
        ),
        ("superior", &none, "Radiomics was not inferior to the clinical model.", false),
        ("superior", &none, "Radiomics was non-inferior to the clinical model.", false),
        (
            "superior",
            &none,
            "Contrast-enhanced scans went into radiomics and the clinical model.",
            false,
        ),
        ("validated", &low, "This study confirms the validity of the signature.", true),
        (
            "validated",
            &low,
            "It reliably distinguishes mutant from wild-type tumours.",
            true,
        ),
        ("validated", &low, "The signature is a reliable biomarker of status.", true),
        ("validated", &low, "It is too early to call this signature validated.", false),
        ("validated", &low, "A reliable biomarker is needed.", false),
        (
            "well calibrated",
            &low,
            "Predicted probabilities agreed well with observed frequencies.",
            true,
        ),
        (
            "well calibrated",
            &low,
            "Predicted risks matched the observed risks closely.",
            true,
        ),
        (
            "well calibrated",
            &low,
            "Predicted risks agreed poorly with observed frequencies.",
            false,
        ),
        ("generalises", &alone, "The signature transfers across institutions.", true),
        ("generalises", &alone, "It generalized to unseen hospitals.", true),
        ("generalises", &alone, "The signature is likely to generalise.", true),
        ("generalises", &alone, "The signature is unlikely to generalise.", false),
        ("generalises", &alone, "Generalisability of the model was excellent.", true),
        ("well calibrated", &low, "Calibration of the frozen model was very good.", true),
        ("well calibrated", &low, "Calibration of the scanner was good.", false),
        ("generalises", &alone, "It cannot be generalised to other hospitals.", false),
        ("generalises", &alone, "Generalised linear models were fitted.", false),
    ] {
        assert_eq!(!found(record, check, text).is_empty(), wrong, "{check}: {text}");
    }
}

/// A study that nothing strong may be said of: one centre, looked back upon, with missing values and a
/// deviation, no other cohort, a difference around 0, an interval that begins below chance and a slope that
/// is off.
fn modest() -> StudyRecord {
    let mut record = compared((-0.05, 0.09), (-0.05, 0.09));
    for name in ["outside", "outside control", "sites"] {
        record.analyses.remove(name);
        record.analysis_order.retain(|known| known != name);
    }
    record.comparisons.truncate(1);
    record.cohorts.retain(|cohort| cohort.name != "elsewhere");
    let estimate = |estimate, lower, upper| Estimate {
        estimate,
        lower: Some(lower),
        upper: Some(upper),
        ..Estimate::default()
    };
    let first = record.analysis_order[0].clone();
    for (name, of) in &mut record.analyses {
        let auroc = match *name == first {
            true => estimate(0.70, 0.42, 0.80),
            false => estimate(0.64, 0.50, 0.75),
        };
        for (key, value) in [
            ("auroc", auroc),
            ("sensitivity", estimate(0.70, 0.60, 0.80)),
            ("specificity", estimate(0.66, 0.55, 0.75)),
            ("calibration_slope", estimate(0.4, 0.1, 0.8)),
            ("brier", estimate(0.21, 0.18, 0.25)),
            ("accuracy", estimate(0.68, 0.60, 0.75)),
        ] {
            of.performance.insert(key.to_string(), value);
        }
        (of.n, of.n_subjects) = (160.into(), 160.into());
        (of.n_positive, of.n_positive_subjects) = (69.into(), 69.into());
        of.subgroups.clear();
        of.sites.clear();
        of.prevalence_only = None;
    }
    for cohort in &mut record.cohorts {
        cohort.n_sites = Some(1);
        (cohort.n_rows, cohort.n_subjects) = (160.into(), 160.into());
        cohort.flow.clear();
    }
    record.outcomes.iter_mut().for_each(|outcome| outcome.positive = 69.into());
    for column in record.predictors.iter_mut().flat_map(|block| &mut block.columns) {
        column.missing = 1.into();
    }
    let designs: Vec<String> = record.reporting.fields.keys().cloned().collect();
    for field in designs.into_iter().filter(|field| field.ends_with(".design")) {
        let design = Stated::Text("retrospective cohort".to_string());
        record.reporting.fields.insert(field, design);
    }
    depart(&mut record, "learn.logistic.c", Known::BeforeResults);
    record
}

/// Sentences as they stand in papers, each with all checks that have to find it, `none` where no check may.
/// Checks in brackets may find it. `@` names the field where it is not the conclusion. A row that begins with
/// `unread:` is known to be misread; such rows are few.
#[test]
fn sentences_of_papers_are_judged_as_a_reader_would() {
    let mut record = modest();
    // Other texts of the author say nothing that matters here, and each would be read with every sentence.
    record.reporting.fields.retain(|name, _| name.ends_with(".design"));
    let record = record;
    let silent = conflicts(&record);
    let said = |check: &str| silent.iter().any(|found| found.check == check);
    let mut wrong = Vec::new();
    let (mut n, mut unread) = (0, 0);
    for row in include_str!("reference/claims.tsv").lines().skip(1) {
        let (expected, text) = row.split_once('\t').unwrap();
        let known = expected.strip_prefix("unread: ");
        let expected = known.unwrap_or(expected);
        let (checks, field) =
            expected.split_once(" @ ").unwrap_or((expected, "abstract.conclusion"));
        let checks: Vec<&str> = checks.split("; ").filter(|of| *of != "none").collect();
        let mut record = record.clone();
        let text_of = Stated::Text(text.to_string());
        record.reporting.fields.insert(field.to_string(), text_of);
        let found: BTreeSet<String> = conflicts(&record)
            .into_iter()
            .filter(|found| found.level == "conflict" && !said(&found.check))
            .map(|found| found.check)
            .collect();
        let may = |found: &String| {
            let bracketed = format!("({found})");
            checks.contains(&found.as_str()) || checks.contains(&bracketed.as_str())
        };
        let must = |check: &&&str| !check.starts_with('(');
        let right = checks.iter().filter(must).all(|check| found.contains(*check))
            && found.iter().all(may);
        n += 1;
        unread += usize::from(known.is_some());
        if right != known.is_none() {
            wrong.push(format!("{expected}: {text} {found:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(unread * 50 < n, "{unread} of {n} are misread");
}

#[test]
fn claims_of_calibration_are_judged_where_they_are_made() {
    let slope = |lower, upper| Estimate {
        estimate: (lower + upper) / 2.0,
        lower: Some(lower),
        upper: Some(upper),
        ..Estimate::default()
    };
    let mut record = complete();
    let name = record.analysis_order[0].clone();
    for (name, slope) in [(name.as_str(), slope(0.8, 1.2)), ("outside", slope(0.3, 0.7))]
    {
        let of = record.analyses.get_mut(name).unwrap();
        of.performance.insert("calibration_slope".to_string(), slope);
    }
    for (text, wrong) in [
        ("The model is well calibrated.", true),
        ("Calibration was excellent.", true),
        ("Good agreement between predicted and observed risks was seen.", true),
        ("It was well calibrated in the cohort elsewhere.", true),
        ("It was well calibrated in cross-validation but not externally.", false),
        ("Internally it was well calibrated.", false),
        ("Calibration was not good.", false),
        ("Smith et al. found their model well calibrated.", false),
        ("A well-calibrated scanner was used.", false),
    ] {
        assert_eq!(!found(&record, "well calibrated", text).is_empty(), wrong, "{text}");
    }
    // Probabilities that are wrong on average are not well calibrated either.
    let of = record.analyses.get_mut(&name).unwrap();
    of.performance.insert("calibration_intercept".to_string(), slope(0.2, 0.6));
    let text = "Internally it was well calibrated.";
    let found = found(&record, "well calibrated", text);
    assert!(found[0].1.contains("calibration intercept"), "{found:?}");
}

#[test]
fn what_is_missing_is_asked_of_the_predictors_that_a_sentence_names() {
    let mut record = complete();
    let mut columns = record.predictors.iter_mut().flat_map(|b| &mut b.columns);
    let (first, second) = (columns.next().unwrap(), columns.next().unwrap());
    (first.missing, second.missing) = (0.into(), 4.into());
    let (first, second) = (first.name.clone(), second.name.clone());
    for (text, wrong) in [
        ("There was no missingness.".to_string(), true),
        ("None of the values was missing.".to_string(), true),
        (format!("No values of {second} were there that had gaps."), false),
        (format!("Of {first} there were no missing values."), false),
        (format!("Of {second} there were no missing values."), true),
        ("There were no missing outcomes.".to_string(), false),
    ] {
        assert_eq!(!found(&record, "no missing data", &text).is_empty(), wrong, "{text}");
    }
}

#[test]
fn two_cohorts_of_one_centre_each_are_several_centres() {
    let mut record = complete();
    record.cohorts.iter_mut().for_each(|cohort| cohort.n_sites = Some(1));
    let text = "A multicentre study.";
    assert_eq!(found(&record, "multicentre", text), []);
    record.cohorts.last_mut().unwrap().relation = Some("same source".to_string());
    assert_eq!(found(&record, "multicentre", text).len(), 1);
}

#[test]
fn a_text_that_names_no_result_is_not_written_yet() {
    let mut record = complete();
    let mut of = |text: &str| {
        let said = format!("{} {text}", said("it"));
        record.reporting.fields.insert("treatments".to_string(), Stated::Text(said));
        let judged = judge(&record);
        let item = judged.checklists[0].items.iter().find(|item| item.item == "6c");
        (item.unwrap().status, item.unwrap().why.clone())
    };
    assert_eq!(of("{{results.auroc.imaged.lower}}").0, Status::Met);
    let (status, why) = of("{{results.auroc.nowhere}}");
    assert_eq!(status, Status::Missing);
    assert!(why.contains("names `results.auroc.nowhere`, and there is no"), "{why}");
    assert_eq!(of("{{results.auroc.imaged.middle}}").0, Status::Missing);
    // What no item asks for is on the page as well.
    record.reporting.fields.insert("treatments".to_string(), Stated::Text(said("it")));
    let open = Stated::Text("TBD".to_string());
    record.reporting.fields.insert("outcome.tissue".to_string(), open);
    let gaps = gaps(&judge(&record));
    assert!(gaps.iter().any(|gap| gap.starts_with("`reporting.outcome.tissue`: a pl")));
}

#[test]
fn of_features_made_elsewhere_the_authors_word_is_asked() {
    let mut record = complete();
    for block in &mut record.predictors {
        block.kind = "columns".to_string();
    }
    let of = |record: &StudyRecord| {
        statuses(record).into_iter().find(|(name, _)| name == "metrics 12").unwrap().1
    };
    assert_eq!(of(&record), Status::Met);
    record.reporting.fields.remove("imaging.extraction_notes");
    assert_eq!(of(&record), Status::Missing);
}

#[test]
fn results_that_a_text_names_are_put_in_with_their_place() {
    let mut record = complete();
    let text = "It reached {{results.auroc.imaged}} ({{ results.auroc.imaged.lower }}) in \
                {{results.n.imaged}} patients, not {{results.auroc.nowhere}}.";
    record
        .reporting
        .fields
        .insert("abstract.conclusion".to_string(), Stated::Text(text.to_string()));
    let catalog = Catalog::standard();
    let html = render(&record, &sections(&catalog)).html(None);
    assert!(html.contains("estimate\">0.70</span>"));
    assert!(html.contains("lower\">0.60</span>"));
    assert!(html.contains("[no result: results.auroc.nowhere]"));
}

#[test]
fn placeholders_are_missing_and_said_to_be() {
    let mut record = complete();
    record.reporting.fields.insert("ppi".to_string(), Stated::Text("TBD".to_string()));
    let judged = judge(&record);
    let item = judged.checklists[0].items.iter().find(|item| item.item == "19").unwrap();
    assert_eq!(item.status, Status::Missing);
    assert!(item.why.contains("a placeholder stands there"), "{}", item.why);
    let open = Stated::Text("Patients of [institution] had a part in it.".to_string());
    record.reporting.fields.insert("ppi".to_string(), open);
    let judged = judge(&record);
    let item = judged.checklists[0].items.iter().find(|item| item.item == "19").unwrap();
    assert_eq!(item.status, Status::Missing);
    assert!(item.why.contains("there: “[institution]”"), "{}", item.why);
    // Where the item is reported in part, and where it only gives a score.
    for field in ["ethics.committee", "segmentation.test_mask_origin"] {
        let mut record = complete();
        let before = gaps(&judge(&record));
        let said = Stated::Text("TODO".to_string());
        record.reporting.fields.insert(field.to_string(), said);
        let after = gaps(&judge(&record));
        let open = format!("`reporting.{field}`: a placeholder stands there: “TODO”");
        assert!(after.iter().any(|gap| gap.contains(&open)), "{after:?}");
        let new = after.iter().filter(|gap| !before.contains(gap));
        assert!(new.clone().all(|gap| gap.contains(&open)), "{after:?}");
    }
}

#[test]
fn the_flow_table_one_and_the_splits_count_the_same_patients() {
    let record = record();
    for name in &record.analysis_order {
        let analysis = &record.analyses[name];
        let cohort = record.cohorts.iter().find(|c| c.name == analysis.cohort).unwrap();
        let last = cohort
            .flow
            .iter()
            .find(|of_box| of_box.label.starts_with("analysed: "))
            .unwrap();
        let known = |count: Count| count.known().unwrap();
        let n = known(analysis.n);
        let removed: usize = last.removed.iter().map(|removed| known(removed.n)).sum();
        assert_eq!(known(last.n_in), known(last.n_out) + removed);
        assert_eq!(known(last.n_out), n, "{name}");
        let repeats = analysis.folds.iter().map(|fold| fold.repeat).max().unwrap();
        let (mut rows, mut events) = (0, 0);
        for fold in &analysis.folds {
            assert_eq!(known(fold.n_train) + known(fold.n_held_out), n, "{name}");
            rows += known(fold.n_held_out);
            events += known(fold.positive_held_out);
        }
        let positive = known(analysis.n_positive);
        assert_eq!((rows, events), (n * repeats, positive * repeats));
        // Table 1 counts the whole cohort, and by class those of known outcome.
        let of = |class: Option<bool>| {
            record
                .characteristics
                .iter()
                .find(|row| row.cohort == cohort.name && row.class == class)
                .map(|row| row.rows)
        };
        if let Some(all) = of(None) {
            assert_eq!(all, cohort.n_rows);
            let outcome =
                record.outcomes.iter().find(|o| o.cohort == cohort.name).unwrap();
            assert_eq!(of(Some(true)), Some(outcome.positive));
            assert_eq!(of(Some(false)), Some(outcome.negative));
        }
        // So does the box of the cohort, and what is missing is counted in the same rows.
        let label = format!("cohort {}", cohort.name);
        let own = cohort.flow.iter().find(|of_box| of_box.label == label).unwrap();
        assert_eq!(own.n_out, cohort.n_rows);
        assert_eq!(own.n_subjects, cohort.n_subjects);
        assert_eq!(last.n_subjects, analysis.n_subjects);
        let missing =
            record.missingness.iter().find(|facts| facts.cohort == cohort.name).unwrap();
        assert_eq!(missing.rows, cohort.n_rows);
        let patterns: usize = missing.patterns.iter().map(|of| known(of.n)).sum();
        let gaps = patterns + known(missing.others);
        assert_eq!(known(missing.complete) + gaps, known(missing.rows));
        for row in record.characteristics.iter().filter(|row| row.cohort == cohort.name) {
            let gap = missing.gaps.iter().find(|gap| {
                let mut columns = gap.columns.iter();
                columns.any(|of| (&of.block, &of.variable) == (&row.block, &row.variable))
            });
            let found = gap.map(|gap| match row.class {
                None => gap.all,
                Some(true) => gap.positive,
                Some(false) => gap.negative,
            });
            assert_eq!(known(row.missing), found.map_or(0, |share| known(share.n)));
            let percent = row.missing_percent.unwrap();
            let of = 100.0 * known(row.missing) as f64 / known(row.rows) as f64;
            assert!((percent - of).abs() < 1e-9, "{}", row.variable);
        }
    }
}

#[test]
fn the_published_schema_describes_every_report() {
    let schema = schemars::schema_for!(StudyRecord).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for record in [record(), complete()] {
        let catalog = Catalog::standard();
        let page = render(&record, &sections(&catalog));
        let json: serde_json::Value = serde_json::from_str(&page.record()).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&json)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    let mut broken = serde_json::to_value(record()).unwrap();
    broken["analyses"] = serde_json::json!("none");
    assert!(!validator.is_valid(&broken));
}

/// The palette of one theme: `--name:#rrggbb`.
fn palette(css: &str) -> Vec<(String, [f64; 3])> {
    let mut colours = Vec::new();
    for part in css.split("--").skip(1) {
        let Some((name, rest)) = part.split_once(':') else { continue };
        let Some(hex) = rest.strip_prefix('#').and_then(|rest| rest.get(..6)) else {
            continue;
        };
        let of = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        colours.push((name.to_string(), [of(0), of(2), of(4)]));
    }
    colours
}

/// WCAG 2 contrast of two colours.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let light = |colour: [f64; 3]| {
        let part = |value: f64| {
            let value = value / 255.0;
            if value <= 0.03928 {
                value / 12.92
            } else {
                restudy::math::pow((value + 0.055) / 1.055, 2.4)
            }
        };
        0.2126 * part(colour[0]) + 0.7152 * part(colour[1]) + 0.0722 * part(colour[2])
    };
    let (a, b) = (light(a), light(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_colour_of_text_stands_out_from_what_it_lies_on_in_both_themes() {
    let css = include_str!("../templates/style.css");
    let light = css.lines().next().unwrap();
    let dark =
        css.lines().find(|line| line.starts_with(":root[data-theme=dark]")).unwrap();
    let pairs: &[(&[&str], &[&str])] = &[
        (&["ink", "ink2", "ink3", "acc", "link", "red", "amb", "grn"], &["bg"]),
        (&["ink", "ink2", "ink3"], &["panel"]),
        (&["ink", "ink2"], &["panel2"]),
        (&["ink", "red", "link"], &["redbg"]),
        (&["ink", "amb", "link"], &["ambbg"]),
        (&["c1", "c2"], &["bg"]),
    ];
    for (theme, css) in [("light", light), ("dark", dark)] {
        let colours = palette(css);
        let of = |name: &str| {
            colours
                .iter()
                .find(|(known, _)| known == name)
                .unwrap_or_else(|| panic!("{theme} has no {name}"))
                .1
        };
        for (texts, grounds) in pairs {
            for text in *texts {
                for ground in *grounds {
                    let found = contrast(of(text), of(ground));
                    assert!(found >= 4.5, "{theme}: {text} on {ground} is {found:.2}");
                }
            }
        }
        // Marks of figures, against the page: 3 to 1.
        for mark in ["c1", "c2", "c3", "c4", "cg"] {
            let found = contrast(of(mark), of("bg"));
            assert!(found >= 3.0, "{theme}: {mark} is {found:.2}");
        }
    }
}

/// The texts of a page that a reader sees, without those that name their place, code, run facts,
/// axes of pictures and what the templates say by themselves.
fn loose_numbers(html: &str) -> Vec<String> {
    let mut text = String::new();
    let body = html.split("<main>").nth(1).unwrap().split("</main>").next().unwrap();
    let mut rest = body;
    let mut skip_until: Option<&str> = None;
    while let Some(open) = rest.find('<') {
        if skip_until.is_none() {
            text.push_str(&rest[..open]);
            text.push(' ');
        }
        let close = rest[open..].find('>').unwrap() + open;
        let tag = &rest[open..=close];
        match skip_until {
            Some(end) if tag == end => skip_until = None,
            Some(_) => {}
            None => {
                let ends = [
                    ("<svg", "</svg>"),
                    ("<span data-ref", "</span>"),
                    ("<div data-run", "</div>"),
                    ("<h2", "</h2>"),
                ];
                skip_until =
                    ends.iter().find(|(start, _)| tag.starts_with(start)).map(|e| e.1);
            }
        }
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    // Thousands stand apart on the page alone.
    let text = text.replace('\u{202f}', "");
    let mut numbers = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '−')) {
        let word = word.trim_matches('.');
        if word.chars().any(|c| c.is_ascii_digit()) {
            numbers.push(word.replace('−', "-"));
        }
    }
    numbers
}

#[test]
fn every_number_on_the_page_can_be_found_in_report_json() {
    let catalog = Catalog::standard();
    let page = render(&complete(), &sections(&catalog));
    // Numbers as such by their rounded values, and those within texts as they stand there.
    let json: serde_json::Value = serde_json::from_str(&page.record()).unwrap();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![&json];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Number(number) => {
                let number = number.as_f64().unwrap();
                for digits in 0..=6 {
                    known.insert(format!("{number:.digits$}"));
                }
                known.insert(number.to_string());
            }
            serde_json::Value::String(text) => {
                for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.')) {
                    known.insert(word.trim_matches('.').to_string());
                }
            }
            serde_json::Value::Array(items) => open.extend(items),
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    for word in name.split(|c: char| !c.is_ascii_digit()) {
                        known.insert(word.to_string());
                    }
                    open.push(value);
                }
            }
            _ => {}
        }
    }
    // Folds are named by repeat and position.
    for fold in judge(&complete()).analyses.values().flat_map(|analysis| &analysis.folds)
    {
        known.insert(format!("{}.{}", fold.repeat, fold.outer));
    }
    // The mark on a curve stands at one less the specificity.
    for analysis in judge(&complete()).analyses.values() {
        let specificity = analysis.performance.get("specificity");
        known.extend(specificity.map(|of| format!("{:.4}", 1.0 - of.estimate)));
    }
    // A digest is cut short.
    let digest: String = judge(&complete()).study.digest.chars().take(19).collect();
    known.extend(digest.split(|c: char| !c.is_ascii_digit()).map(str::to_string));
    // What templates and methods say by themselves: levels of intervals, ends of scales, limits.
    for constant in ["95", "0", "0.5", "1", "2", "3", "100", "1.0", "0.05", "15", "5"] {
        known.insert(constant.to_string());
    }
    let lost: BTreeSet<String> = loose_numbers(&page.html(None))
        .into_iter()
        .filter(|number| {
            !known.contains(number) && !known.contains(number.trim_start_matches('-'))
        })
        .collect();
    assert!(lost.is_empty(), "numbers that report.json does not have: {lost:?}");
}

#[test]
fn a_change_of_the_authors_half_computes_nothing_and_reaches_the_page() {
    let workshop = Workshop::new();
    workshop.run(&[]);
    let lock = workshop.read("study.lock.yaml");
    let said = "reporting:\n  ppi: { none: the data were collected before this study }\n";
    workshop.study(&format!("{}{said}", crate::workshop::STUDY));
    let again = workshop.run(&[]);
    assert_eq!(crate::workshop::number(&again, "computed"), 0);
    assert_eq!(lock, workshop.read("study.lock.yaml"), "a digest moved");
    let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
    assert!(html.contains("the data were collected before this study"));
    let list =
        String::from_utf8(workshop.read("runs/study/checklists/tripod_ai.csv")).unwrap();
    assert!(
        list.lines().any(|line| line.starts_with("19,") && line.contains("Declared"))
    );
    // What is missing still fails a strict report; a plain one is fine.
    let strict = workshop.restudy(&["report", "runs/study", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stderr).contains("error: TRIPOD+AI 3a"));
    assert_eq!(workshop.restudy(&["report", "runs/study"]).status.code(), Some(0));
}

/// A study in which nothing predicts anything.
fn null_twin(seed: usize) -> String {
    format!(
        "restudy: 1
title: A null twin (simulated)
cancer: glioma
seed: {seed}
sources:
  made: {{ simulate: {{ subjects: 60, imaged: 1, textures: 6, prevalence: 0.5, effect: 0.0 }} }}
  clinic: {{ table: {{ of: made }}, id: patient }}
  panel: {{ maf: {{ of: made }}, id: Tumor_Sample_Barcode, assayed: {{ from: clinic }} }}
cohorts:
  everyone: {{ from: clinic, join: {{ panel: optional }} }}
outcomes:
  idh1: {{ label: IDH1 mutation, mutation: {{ from: panel, gene: IDH1 }} }}
predictors:
  radiomics: {{ columns: {{ from: clinic, include: [\"texture_*\"] }} }}
prepare: [impute_median, scale_zscore]
learn: [logistic: {{ c: [0.1, 1] }}]
validate:
  internal: {{ nested: {{ outer: 4, inner: 2, repeats: 1 }} }}
evaluate:
  primary: auroc
  controls: {{ permuted_outcome: {{ times: 39 }} }}
"
    )
}

#[test]
fn of_studies_in_which_nothing_predicts_at_most_one_in_twenty_is_called_positive() {
    let n = if std::env::var_os("RESTUDY_SOAK").is_some() { 200 } else { 20 };
    let workshop = Workshop::new();
    let mut positive = 0;
    for seed in 1..=n {
        workshop.study(&null_twin(seed));
        workshop.run(&[]);
        let record: StudyRecord = serde_json::from_slice(&workshop.report()).unwrap();
        let analysis = &record.analyses[&record.analysis_order[0]];
        let auroc = &analysis.performance["auroc"];
        let above = auroc.lower.is_some_and(|lower| lower > 0.5);
        let p = analysis.permutation.as_ref().unwrap().p;
        positive += usize::from(above && p < 0.05);
        let html = String::from_utf8(workshop.read("runs/study/report.html")).unwrap();
        let lead = html.split("class=\"lead\">").nth(1).unwrap();
        let lead = lead.split("</p>").next().unwrap();
        let around = !above && auroc.upper.is_some_and(|upper| upper >= 0.5);
        assert_eq!(lead.contains("no evidence of discrimination"), around, "{lead}");
        if above && p >= 0.05 {
            assert!(lead.contains("permuted outcomes do not bear out"), "{lead}");
        }
    }
    assert!(positive * 20 <= n, "{positive} of {n} null twins are called positive");
}

/// What stands at a place is found without the rest being made.
#[test]
fn every_place_of_a_record_is_that_of_its_json() {
    fn places(json: &serde_json::Value, place: &str, all: &mut Vec<String>) {
        all.push(place.to_string());
        let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
        match json {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(name, of)| {
                places(of, &format!("{place}/{}", escaped(name)), all)
            }),
            serde_json::Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, of)| places(of, &format!("{place}/{at}"), all)),
            _ => {}
        }
    }
    let catalog = Catalog::standard();
    let mut record = judged(complete(), &sections(&catalog));
    let whole = serde_json::to_value(&record).unwrap();
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    assert!(all.len() > 1_000);
    let same = |record: &StudyRecord| {
        all.iter().all(|place| record.at(place).as_ref() == whole.pointer(place))
    };
    assert!(same(&record));
    let half = record.take_authors_half();
    for empty in ["reporting/fields", "checklists", "warnings"] {
        let found = record.at(&format!("/{empty}"));
        let n = |of: &serde_json::Value| {
            of.as_array().map_or(0, Vec::len) + of.as_object().map_or(0, |of| of.len())
        };
        assert_eq!(found.as_ref().map_or(0, n), 0, "{empty}");
    }
    record.give_back(half);
    assert!(same(&record));
}

/// Where the author's half alone has changed, the rest of the JSON is taken over.
#[test]
fn a_report_that_is_told_again_is_the_report() {
    let catalog = Catalog::standard();
    let sections = sections(&catalog);
    let record = complete();
    let before = render(&record, &sections);
    let mut other = record.clone();
    let text =
        Stated::Text("a \"quoted\" line\n  \"reporting\": and another".to_string());
    other.reporting.fields.insert("ppi".to_string(), text);
    other.reporting.fields.remove("objectives");
    other.warnings.push("one more\n  \"warnings\": [".to_string());
    other.deviations.clear();
    let again = render_again(other.clone(), &sections, before.clone());
    // What is not of the author stands in a file of the page before, whole or in part.
    let made = again.texts().filter(|of| matches!(of, Told::Anew(_))).count();
    let all = again.texts().count();
    assert!(made > 7 && made < all, "{made} of {all}");
    let text = |told| match told {
        Told::Anew(text) | Told::AsBefore(text) => text,
    };
    assert!(again.map(text) == render(&other, &sections));
    let again = render_again(record.clone(), &sections, before.clone()).map(text);
    assert!(again == before);
    let mut json = serde_json::to_string_pretty(&judged(record, &sections)).unwrap();
    json.push('\n');
    assert!(before.record() == json);
}

#[test]
fn a_calibration_curve_is_headed_by_what_its_intervals_exclude() {
    let catalog = Catalog::standard();
    let sections = sections(&catalog);
    let name = complete().analysis_order[0].clone();
    for (slope, intercept, heading) in [
        ((0.8, 1.2), (-0.2, 0.2), "No departure from calibration is shown: slope"),
        ((0.3, 0.9), (-0.9, -0.1), "Predicted probabilities are too extreme: slope"),
        (
            (-0.4, 0.35),
            (-0.9, -0.1),
            "Predicted probabilities are not shown to go with the outcome: slope",
        ),
        (
            (-0.9, -0.1),
            (-0.1, 0.1),
            "Higher predicted probabilities go with fewer events: slope",
        ),
        ((1.1, 1.9), (-0.2, 0.2), "Predicted probabilities are too timid: slope"),
        // A slope of which nothing is known does not make up for too many predicted events.
        (
            (-0.1, 1.5),
            (-1.4, -0.8),
            "Predicted probabilities are too high on average: intercept",
        ),
        (
            (0.8, 1.2),
            (0.1, 0.7),
            "Predicted probabilities are too low on average: intercept",
        ),
    ] {
        let mut record = complete();
        let performance = &mut record.analyses.get_mut(&name).unwrap().performance;
        for (metric, (lower, upper)) in
            [("calibration_slope", slope), ("calibration_intercept", intercept)]
        {
            let mut estimate = performance["auroc"].clone();
            (estimate.lower, estimate.upper) = (Some(lower), Some(upper));
            performance.insert(metric.to_string(), estimate);
        }
        let html = render(&record, &sections).html(None);
        assert!(html.contains(heading), "{heading}");
    }
}
