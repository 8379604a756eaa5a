//! The page: what it shows is in `report.json`, it asks nobody for anything, and it is only text.

use restudy::catalog::Catalog;
use restudy::data::{
    AgreementFacts, AnalysisRecord, ApparentFacts, AssociationFacts, ClaimFacts,
    Compared, ComparisonFacts, DeviationFacts, DifferenceFacts, Equation, Estimate,
    Explained, FrozenFacts, GapColumn, GapFacts, GroupDifference, GroupMeasure,
    Heterogeneity, ImportanceFacts, JoinFacts, JudgedFacts, Known, PatternFacts,
    PredictorImportance, PredictorShap, ProtocolFacts, ReductionFacts, Removed, Share,
    ShareDifference, SiteFacts, StudyRecord, SubgroupFacts, Term, Transform,
    WorkedExample,
};
use restudy::operation::{Entry, Kind, section};
use restudy::report::render;
use serde_json::Value as Json;

use crate::references::{Reference, references};
use crate::workshop::record;

/// The same with everything that a study may have, `more` in each of its texts.
fn full(more: &str) -> StudyRecord {
    let mut record = record();
    let told = |text: &str| format!("{text}{more}");
    let name = record.analysis_order[0].clone();
    let first = record.analyses[&name].clone();
    let cohort = first.cohort.clone();
    record.study.within = Some(told("stratum"));
    record.study.terms = Some(told("terms"));
    record.deviations.push(DeviationFacts {
        what: told("what"),
        path: Some(told("path")),
        when: Some(told("when")),
        why: Some(told("why")),
    });
    record.protocol = Some(ProtocolFacts {
        digest: told("digest"),
        engine: told("engine"),
        locked: Known::AfterResults,
        differences: vec![DifferenceFacts {
            path: told("learn"),
            locked: Some(told("one")),
            executed: Some(told("another")),
            when: Known::AfterResults,
        }],
    });
    record.claims = [Some(true), Some(false), None]
        .map(|holds| ClaimFacts {
            text: told("auroc.x.lower > 0.5"),
            words: Some(told("words")),
            digest: "blake3:0".to_string(),
            holds,
            values: vec![(told("auroc.x.lower"), holds.map(|_| 0.61))],
        })
        .to_vec();
    for facts in &mut record.full_models {
        facts.label = told(&facts.label);
        facts.cohort = told(&facts.cohort);
        facts.threshold_rule = Some(told("rule"));
        facts.onnx = Err(told("no formula"));
        for column in &mut facts.columns {
            column.name = told(&column.name);
            column.unit = Some(told("mm"));
        }
        let term = |transform| Term {
            predictor: told("predictor"),
            unit: Some(told("mm")),
            transform,
            coefficient: -0.001_234,
            limits: Some((-0.002, 0.000_5)),
            missing_is: Some(3.5),
            lowest: Some(1e6),
            highest: Some(2e6),
        };
        facts.members[0].settings = told("settings");
        facts.members[0].selector_settings = told("selector settings");
        facts.members[0].preparation = told("preparation");
        facts.members[0].equation = Ok(Equation {
            intercept: 12.5,
            intercept_limits: Some((11.0, 13.25)),
            resamples: Some(998),
            terms: vec![
                term(Transform::Is { category: told("category") }),
                term(Transform::YeoJohnson {
                    slope: 2.0,
                    intercept: -1.0,
                    lambda: 0.3,
                    centre: -0.5,
                    scale: 2.0,
                }),
            ],
            linked: true,
            example: WorkedExample {
                values: vec![None, Some(1.5)],
                categories: vec![Some(told("category")), None],
                contributions: vec![0.1, 0.2],
                log_odds: 0.3,
                probability: 0.574,
            },
        });
        facts.importance = Some(ImportanceFacts {
            metric: told("AUROC"),
            folds: 3,
            times: 10,
            predictors: vec![PredictorImportance {
                name: told("predictor"),
                mean: 0.1,
                lowest: -0.01,
                highest: 0.3,
                used: 2,
            }],
        });
        facts.explained = Some(Explained {
            scale: told("log odds"),
            method: told("linear"),
            base: -0.4,
            rows: 24,
            predictors: vec![PredictorShap {
                name: told("predictor"),
                mean_absolute: 0.2,
                correlation: Some(-0.7),
            }],
            coefficients: None,
        });
    }
    record.associations.push(AssociationFacts {
        outcome: first.outcome.clone(),
        cohort: cohort.clone(),
        column: told("stratum"),
        levels: 2,
        cramers_v: Some(0.8),
        p: Some(1e-9),
        auroc: Some(0.9),
        one_class_levels: 1,
    });
    record.outcomes[0].unknown = 1.into();
    record.agreements.push(AgreementFacts {
        name: told("fact"),
        facts: [told("one"), told("other")],
        both: 20.into(),
        agree: 18.into(),
        only: [1.into(), 2.into()],
    });
    let at = record.cohorts.iter().position(|known| known.name == cohort).unwrap();
    record.cohorts[at].flow[1].joins.push(JoinFacts {
        source: told("source"),
        required: true,
        matched: 20.into(),
        without: 3.into(),
        unused: 4.into(),
    });
    record.sources[0].left_out.push(Removed { reason: told("no id"), n: 1.into() });
    record.sources[0].citation = Some(told("citation"));
    record.sources[0].origin = Some(told("origin"));
    record.sources[0].trained_on = vec![told("set")];
    let mut elsewhere = record.cohorts[at].clone();
    elsewhere.name = told("elsewhere");
    elsewhere.relation = Some(told("another institution"));
    elsewhere.flow[0].label = told("rows of another");
    record.cohorts.push(elsewhere);
    let share = |n: usize, percent| Share { n: n.into(), percent: Some(percent) };
    let column =
        |variable: &str| GapColumn { block: told("block"), variable: told(variable) };
    let missing = &mut record.missingness[0];
    missing.gaps = vec![GapFacts {
        columns: vec![column("gap"), column("twin")],
        all: share(3, 12.5),
        positive: share(1, 10.0),
        negative: share(2, 14.3),
        difference: Some(ShareDifference { estimate: -4.3, lower: -29.5, upper: 26.0 }),
    }];
    missing.patterns = vec![PatternFacts { gaps: vec![0], n: 2.into() }];
    (missing.others, missing.other_patterns) = (1.into(), Some(1));
    let mut whole = missing.clone();
    whole.cohort = told("elsewhere");
    whole.gaps.clear();
    whole.patterns.clear();
    (whole.others, whole.other_patterns) = (0.into(), Some(0));
    record.missingness.push(whole);
    let estimate = |lower: f64| Estimate {
        estimate: 0.7,
        lower: Some(lower),
        upper: Some(0.9),
        method: told("method"),
        prediction: Some((0.2, 0.95)),
        ..Estimate::default()
    };
    let difference = Some(GroupDifference {
        estimate: -0.1,
        lower: Some(-0.3),
        upper: Some(0.1),
        apart: true,
        note: told("from both"),
    });
    let group = |group: &str, estimate: Option<f64>| SubgroupFacts {
        by: told("age"),
        group: told(group),
        n: 12.into(),
        n_positive: 5.into(),
        estimate,
        lower: estimate.map(|_| 0.4),
        upper: estimate.map(|_| 0.9),
        note: told("too few: 1 of the smaller class"),
        against: difference.as_ref().map(|_| told("young")),
        difference: difference.clone(),
        measures: vec![GroupMeasure {
            metric: "brier".to_string(),
            title: told("Brier score"),
            estimate,
            lower: estimate.map(|_| 0.4),
            upper: estimate.map(|_| 0.9),
            note: told("too few"),
            difference: difference.clone(),
        }],
    };
    let subgroups = vec![group("young", Some(0.7)), group("old", None)];
    let headline = record.analyses.get_mut(&name).unwrap();
    headline.within = Some(estimate(0.45));
    headline.subgroups.clone_from(&subgroups);
    let mut add = |name: String, analysis: AnalysisRecord| {
        record.analysis_order.push(name.clone());
        record.analyses.insert(name, analysis);
    };
    add(
        told("by.site"),
        AnalysisRecord {
            scheme: "sites".to_string(),
            kind: "sites".to_string(),
            between_sites: Some(Heterogeneity {
                n_sites: 2,
                tau_squared: 0.123,
                i_squared: 0.4,
            }),
            performance: [("auroc".to_string(), estimate(0.5))].into(),
            sites: [(Some(0.8), true), (Some(0.6), false), (None, false)]
                .map(|(auroc, pooled)| SiteFacts {
                    name: told("site"),
                    n: 9.into(),
                    n_positive: if auroc.is_some() { 4 } else { 0 }.into(),
                    auroc,
                    lower: auroc.map(|_| 0.3),
                    upper: auroc.map(|_| 0.9),
                    pooled,
                    method: told("DeLong"),
                })
                .to_vec(),
            ..first.clone()
        },
    );
    add(
        told("control"),
        AnalysisRecord {
            model: told("control"),
            role: "control".to_string(),
            ..first.clone()
        },
    );
    add(
        told("outside"),
        AnalysisRecord {
            cohort: told("elsewhere"),
            scheme: "external".to_string(),
            kind: "external".to_string(),
            performance: [("auroc".to_string(), estimate(0.45))].into(),
            within: Some(estimate(0.4)),
            subgroups,
            frozen: Some(FrozenFacts {
                digest: "blake3:1".to_string(),
                n: 24.into(),
                n_positive: 9.into(),
                n_predictors: 6,
                n_selected: 2,
                candidate: Some(0),
                members: 1,
                threshold: Some(0.41),
                calibration: Some((-0.2, 0.8)),
                sealed: true,
                filled: 2.into(),
                filled_columns: vec![told("column")],
                accesses: 1,
                apparent: ApparentFacts {
                    performance: [(
                        "auroc".to_string(),
                        Estimate { prediction: None, ..estimate(0.65) },
                    )]
                    .into(),
                    against: Some(name.clone()),
                    optimism: [("auroc".to_string(), 0.123)].into(),
                },
            }),
            ..first
        },
    );
    record.comparisons.push(ComparisonFacts {
        better: name,
        than: told("control"),
        metric: "auroc".to_string(),
        result: Some(Compared {
            difference: 0.05,
            lower: Some(-0.02),
            upper: Some(0.12),
            p: Some(0.000_4),
            method: told("method"),
        }),
        p_adjusted: Some(0.04),
    });
    record
}

/// A page with the files beside it.
#[derive(Debug, PartialEq)]
struct Page {
    html: String,
    json: String,
    figures: Vec<(String, String)>,
    tables: Vec<(String, String)>,
}

fn page(record: &StudyRecord) -> Page {
    let catalog = Catalog::standard();
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    let page = render(record, &sections);
    let html = page.html(None);
    Page { html, json: page.record(), figures: page.figures, tables: page.tables }
}

#[test]
fn every_number_is_that_of_report_json() {
    // Names with the signs of a JSON pointer lead to their places as well.
    let page = page(&full("~/"));
    let json: Json = serde_json::from_str(&page.json).unwrap();
    let numbers = references(&page.html);
    assert!(numbers.len() > 150, "{} numbers", numbers.len());
    // Places are written short, and still lead everywhere.
    assert!(page.html.contains(" data-base=\"/"));
    for Reference { path, text } in numbers {
        let value = json.pointer(&path).and_then(Json::as_f64);
        let value = value.unwrap_or_else(|| panic!("{path} is not in report.json"));
        if text.contains('×') {
            continue; // By power of ten; its format has a test of its own.
        }
        if let Some(bound) = text.strip_prefix("&lt; ") {
            assert!(value < bound.parse().unwrap(), "{path}: {text} for {value}");
            continue;
        }
        let text = text.replace('\u{202f}', ""); // Between thousands.
        let digits = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let shown: f64 = text.replace('−', "-").parse().unwrap();
        let off = (shown - value).abs() * 10f64.powi(digits as i32);
        assert!(off <= 0.5 + 1e-9, "{path}: {text} for {value}");
    }
}

/// What a picture says to those who do not see it.
fn told(page: &Page, name: &str) -> String {
    let found = page.figures.iter().find(|(known, _)| known == name);
    let (_, svg) = found.unwrap_or_else(|| panic!("no picture {name}"));
    let described = svg.split_once("<desc").unwrap().1.split_once("</desc>").unwrap().0;
    described.split_once('>').unwrap().1.to_string()
}

/// Text of HTML made by the program.
fn text(html: &str) -> String {
    let parts = html.split('<').enumerate();
    let text = parts.map(|(at, part)| match at {
        0 => part,
        _ => part.split_once('>').unwrap().1,
    });
    text.collect()
}

#[test]
fn forests_tell_their_numbers_by_their_places() {
    let page = page(&full(""));
    let of = |name: &str| text(&told(&page, name));
    let groups = of("subgroups-1.svg");
    assert!(
        groups.contains("age. young: 0.70 (0.40–0.90; too few); 12 rows, 5 positive."),
        "{groups}"
    );
    assert!(
        groups.contains("old: too few: 1 of the smaller class; 12 rows, 5 positive.")
    );
    let sites = page.figures.iter().find(|(name, _)| name.starts_with("sites-")).unwrap();
    let sites = of(&sites.0);
    assert!(sites.contains("site: 0.80 (0.30–0.90); 9 rows, 4 positive."), "{sites}");
    assert!(
        sites.contains(
            "0.70 (0.50–0.90), a further one is expected between 0.20 and 0.95"
        ),
        "{sites}"
    );
    let pairs = of("differences.svg");
    assert!(pairs.contains("control: +0.05 (−0.02 to 0.12)."), "{pairs}");
    let places = of("places.svg");
    assert!(
        places.contains(
            "apparent: the rows it was fitted on: 0.70 (0.65–0.90); 24 rows, 9 positive."
        ),
        "{places}"
    );
    // On the page they lead to their places; a file of its own has words alone.
    let described =
        page.html.split("<desc").skip(1).map(|part| part.split_once("</desc>"));
    let with_places = described.filter(|of| references(of.unwrap().0).len() >= 3).count();
    assert!(with_places >= 4, "{with_places}");
    for (name, _) in page.figures.iter().filter(|(_, svg)| svg.contains("<desc")) {
        assert!(!told(&page, name).contains('<'), "{name}");
    }
}

#[test]
fn a_control_has_one_colour_in_every_picture() {
    let page = page(&full(""));
    let picture = |name: &str| page.figures.iter().find(|(known, _)| known == name);
    let controls = &picture("controls.svg").unwrap().1;
    assert!(controls.contains("class=\"dot4\"") && controls.contains("class=\"w4\""));
    // Within strata the mark is that of the headline, hollow.
    assert!(controls.contains("class=\"dot7\""));
    for name in ["models.svg", "decision-curve.svg"] {
        let Some((_, picture)) = picture(name) else { continue };
        assert!(picture.contains("class=\"line4\""), "{name}");
        assert!(!picture.contains("class=\"line2\""), "{name}");
        assert!(!picture.contains("class=\"line3\""), "{name}");
    }
}

#[test]
fn apparent_performance_stands_beside_the_others_and_is_called_so() {
    let page = page(&full(""));
    let table = page.tables.iter().find(|(name, _)| name == "places.csv").unwrap();
    let row = ",apparent: the rows it was fitted on,24,9,0.7000,0.6500,0.9000,";
    assert!(table.1.lines().any(|line| line.contains(row)), "{}", table.1);
    for part in [
        "Triangle: apparent, the frozen model on the rows it was fitted on.",
        "the optimism of the apparent value",
        "Apparent performance is no estimate of performance",
        "Accesses",
        "blake3:1",
    ] {
        assert!(page.html.contains(part), "`{part}` is not on the page");
    }
    assert!(references(&page.html).iter().any(|of| {
        of.path.ends_with("/frozen/apparent/optimism/auroc") && of.text == "+0.12"
    }));
}

#[test]
fn the_page_is_one_file_that_asks_nobody() {
    let page = page(&full(""));
    assert!(page.html.len() < 2_000_000);
    for attribute in ["src=\"", "href=\"", "url("] {
        for part in page.html.split(attribute).skip(1) {
            let target: String = part.chars().take(30).collect();
            let local = target.starts_with('#')
                || target.starts_with("data:")
                || target.starts_with("https://doi.org/");
            assert!(local, "{attribute}{target}");
        }
    }
    let script =
        page.html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    assert!(script.len() < 3000, "{} bytes of script", script.len());
    // Every anchor leads somewhere, and no name is given twice.
    let ids: Vec<&str> = page
        .html
        .split(" id=\"")
        .skip(1)
        .map(|part| part.split('"').next().unwrap())
        .collect();
    for part in page.html.split("href=\"#").skip(1) {
        let target = part.split('"').next().unwrap();
        assert!(ids.contains(&target), "#{target} leads nowhere");
    }
    let mut unique = ids.clone();
    unique.sort_unstable();
    let twice: Vec<_> = unique.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    let after = |id: &str| {
        let start = page.html.find(&format!("id=\"{id}\"")).unwrap();
        page.html[start..].chars().take(120).collect::<String>()
    };
    let twice: Vec<_> = twice.into_iter().map(|pair| after(pair[0])).collect();
    assert!(twice.is_empty(), "ids that stand twice: {twice:?}");
}

#[test]
fn the_same_record_gives_the_same_bytes_and_figures_stand_alone() {
    let record = full("");
    let first = page(&record);
    assert_eq!(first, page(&record));
    assert!(first.figures.len() >= 4);
    for (name, svg) in &first.figures {
        assert!(svg.contains("xmlns=\"http://www.w3.org/2000/svg\""), "{name}");
        assert!(
            svg.contains("<title") && svg.contains("<desc"),
            "{name} is not described"
        );
        assert_eq!(svg.matches('<').count(), svg.matches('>').count(), "{name}");
        assert!(
            !svg.contains("var(--") || svg.contains("--ink:"),
            "{name} has no colours"
        );
    }
    assert!(first.tables.iter().any(|(name, _)| name == "flow.csv"));
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "</script><script>alert(1)</script>\"'><img src=x>";
    let mut record = full(hostile);
    record.study.title = hostile.to_string();
    record.study.cancer = hostile.to_string();
    record.cohorts[0].name = hostile.to_string();
    record.cohorts[0].flow[0].label = hostile.to_string();
    record.outcomes[0].label = hostile.to_string();
    record.predictors[0].columns[0].name = hostile.to_string();
    record.sources[0].licence = Some(hostile.to_string());
    record.warnings.push(hostile.to_string());
    let page = page(&record);
    assert_eq!(page.html.matches("<script>").count(), 1);
    assert!(!page.html.contains("<img"));
    assert!(page.html.contains("&lt;script&gt;alert(1)"));
    for (name, svg) in page.figures {
        assert!(!svg.contains("<script") && !svg.contains("<img"), "{name}");
    }
}

/// The record with another headline.
fn with_headline(lower: Option<f64>, estimate: f64, upper: Option<f64>) -> String {
    let mut record = record();
    let name = record.analysis_order[0].clone();
    let analysis = record.analyses.get_mut(&name).unwrap();
    let old = analysis.performance["auroc"].clone();
    let new = Estimate { estimate, lower, upper, ..old };
    analysis.performance.insert("auroc".to_string(), new);
    page(&record).html
}

#[test]
fn the_first_sentence_says_no_more_than_the_interval() {
    let null = with_headline(Some(0.41), 0.55, Some(0.69));
    assert!(null.contains("no evidence of discrimination ("));
    assert!(null.contains("are not excluded"));
    let found = with_headline(Some(0.61), 0.72, Some(0.83));
    assert!(found.contains("an interval above chance"));
    let worse = with_headline(Some(0.2), 0.3, Some(0.4));
    assert!(worse.contains("which is worse than chance"));
    let few = with_headline(None, 0.8, None);
    assert!(few.contains("too few for an interval"));
    for html in [null, found, worse, few] {
        // The scheme has that name; a model has not.
        let text = html.to_lowercase().replace("cross-validated", "");
        assert!(!text.contains("no signal") && !text.contains("validated"));
    }
}

#[test]
fn a_measure_that_a_control_cannot_have_is_told_and_not_missing() {
    let mut record = record();
    let name = record.analysis_order[0].clone();
    let mut control = record.analyses[&name].clone();
    let why = "not defined here: `equal` predictions".to_string();
    control.role = "control".to_string();
    control.model = "constant".to_string();
    let metric = control.metrics.iter_mut().find(|of| of.name != "auroc").unwrap();
    metric.missing = Some(why.clone());
    control.performance.remove(&metric.name);
    control.failed_nodes = vec![restudy::data::Removed { reason: why, n: 1.into() }];
    record.analyses.insert("constant".to_string(), control.clone());
    record.analysis_order.push("constant".to_string());
    assert_eq!(record.missing(), Vec::<String>::new());
    let html = page(&record).html;
    assert!(html.contains("not defined, since not defined here: <code>equal</code>"));
    assert!(!html.contains("<b>Not computed.</b>"));
    // Without its primary measure nothing is a result.
    control.performance.clear();
    record.analyses.insert("constant".to_string(), control);
    assert!(!record.missing().is_empty());
}

#[test]
fn what_is_missing_is_shown() {
    let mut record = record();
    let name = record.analysis_order[0].clone();
    let analysis = record.analyses.get_mut(&name).unwrap();
    analysis.performance.clear();
    analysis.roc.clear();
    analysis.failed_nodes =
        vec![restudy::data::Removed { reason: "a reason".to_string(), n: 3.into() }];
    assert!(record.missing().len() >= 2);
    let html = page(&record).html;
    assert!(html.contains("Draft: not ready"));
    assert!(html.contains("a reason (3 results)"));
    // The summary begins with one box, however much is missing.
    for analysis in record.analyses.values_mut() {
        let reason = |at: usize| format!("reason {at} of `site`");
        analysis.failed_nodes = (0..9)
            .map(|at| restudy::data::Removed {
                reason: reason(at),
                n: (1 + at % 8).into(),
            })
            .collect();
    }
    let html = page(&record).html;
    let summary = html.split_once("id=\"summary\"").unwrap().1;
    let summary = summary.split_once("id=\"structured_abstract\"").unwrap().0;
    assert_eq!(summary.matches("<b>Not computed.</b>").count(), 1);
    assert!(
        summary
            .contains("reason 7 of <code>site</code> (8 results, and 8 further reasons)")
    );
    assert!(html.contains("reason 0 of <code>site</code> (1 result)."));
    assert!(html.contains("has no result"));
    let of_box = &mut record.cohorts[0].flow[1];
    of_box.n_out = (of_box.n_out.known().unwrap() + 1).into();
    assert!(page(&record).html.contains("The flow does not add up"));
}

#[test]
fn the_flow_and_the_map_of_missing_values_tell_their_numbers() {
    let page = page(&full(""));
    let missing = text(&told(&page, "missingness.svg"));
    let line = "gap and 1 more: 3 (12.5\u{a0}%) missing, 1 (10.0\u{a0}%) of the positive and 2 \
                (14.3\u{a0}%) of the negative, difference −4.3 (−29.5 to 26.0). 2 lack gap and 1 \
                more and no other. 1 has other gaps.";
    assert!(missing.contains(line), "{missing}");
    let file = |name: &str| {
        let found = page.tables.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no file {name}")).1.clone()
    };
    let rows = file("missing_by_variable.csv");
    assert_eq!(
        rows.lines().filter(|line| line.contains(",3,12.5000,")).count(),
        2,
        "{rows}"
    );
    // Every box of the flow says how many, whose and with which outcome.
    let flow = file("flow.csv");
    let head = "cohort,node,n_in,removed,reason,n_out,patients,outcome,events,non_events,unknown";
    assert!(flow.starts_with(head), "{flow}");
    let of_cohort = flow.lines().rfind(|line| line.contains(",cohort ")).unwrap();
    assert!(!of_cohort.contains(",,,,"), "the cohort has no outcome: {of_cohort}");
    let flow = text(&told(&page, "flow.svg"));
    assert!(flow.contains(" positive, ") && flow.contains(" unknown."), "{flow}");
}

#[test]
fn measures_stand_below_their_analysis_and_pairs_below_their_place() {
    let record = full("");
    let html = page(&record).html;
    let every = part(
        &html,
        "aria-label=\"Every analysis with the measures that the study names\"",
    );
    let below = every.matches("<td colspan=\"5\" class=\"measures\">").count();
    assert_eq!(below, record.analyses.len(), "{every}");
    assert_eq!(below, every.matches("<tr class=\"part\"").count());
    let pairs = part(&html, "aria-label=\"Comparisons\"");
    assert!(pairs.matches("<tr class=\"group\">").count() >= 1, "{pairs}");
    assert!(!pairs.contains(">Outcome</th>"), "{pairs}");
    assert_eq!(pairs.matches("<th scope=\"row\">").count(), record.comparisons.len());
    // What has no columns is not told to have none.
    let sources = part(&html, "aria-label=\"Sources\"");
    assert!(
        !sources.contains("× <span data-ref=\"/sources/0/n_columns\">0<"),
        "{sources}"
    );
}

/// What follows a text, up to the end of its table.
fn part<'h>(html: &'h str, from: &str) -> &'h str {
    let at = html.find(from).unwrap_or_else(|| panic!("no {from}"));
    let rest = &html[at..];
    &rest[..rest.find("</table>").unwrap_or(rest.len())]
}

#[test]
fn where_nothing_is_missing_one_sentence_says_so() {
    let mut record = record();
    for facts in &mut record.missingness {
        facts.gaps.clear();
        facts.patterns.clear();
        facts.others = 0.into();
        facts.complete = facts.rows;
    }
    let page = page(&record);
    assert!(page.html.contains("No value is missing</h3>"));
    assert!(page.figures.iter().all(|(name, _)| !name.starts_with("missingness")));
}

#[test]
fn every_part_of_the_record_has_its_place_on_the_page() {
    let html = page(&full("")).html;
    for part in [
        "Joins by id",
        "Who left and why",
        "Rows that were read and do not count",
        "Agreement of sources",
        "The outcome with site and strata",
        "within stratum",
        "The frozen model on elsewhere",
        "sealed until the model was frozen",
        "fewer than 5 of a class, not pooled",
        "one class only, no AUROC",
        "a further site is expected between",
        "p, Holm",
        "does not hold",
        "cannot be judged: a result is missing",
        "too few: 1 of the smaller class",
        "Other deviations",
        "of another institution (external)",
        "outcome unknown in",
        "Missing together",
        "gap and 1 more",
        "In cohort elsewhere nothing is missing: all",
        ", evaluation</text>",
    ] {
        assert!(html.contains(part), "`{part}` is not on the page");
    }
    // A study with none of it says so instead.
    let html = page(&record()).html;
    assert!(!html.contains("outcome unknown in"), "an outcome is unknown in nobody");
    for part in [
        "No external validation.",
        "No comparison of models was declared",
        "No subgroup was declared",
        "The study states no claim",
        "The author declares no deviation",
    ] {
        assert!(html.contains(part), "`{part}` is not on the page");
    }
}

/// A section that panics.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Broken {}

impl restudy::operation::Operation for Broken {
    const ABOUT: restudy::operation::About = restudy::operation::About {
        name: "broken",
        title: "A broken section",
        version: 1,
        sources: &[],
        example: "broken",
    };
}

impl restudy::operation::Section for Broken {
    fn render(
        &self,
        _record: &StudyRecord,
    ) -> Result<restudy::operation::Fragment, restudy::operation::Failure> {
        panic!("deliberately")
    }
}

#[test]
fn a_broken_section_breaks_nothing_else() {
    let catalog = Catalog::standard().with(section::<Broken>());
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    let html = render(&record(), &sections).html(None);
    assert!(
        html.contains("A broken section")
            && html.contains("This section could not be made")
    );
    assert!(html.contains("Leakage certificate"));
}

/// The section on calibration, which fails here.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Uncalibrated {}

impl restudy::operation::Operation for Uncalibrated {
    const ABOUT: restudy::operation::About = restudy::operation::About {
        name: "uncalibrated",
        title: "Calibration that fails",
        version: 1,
        sources: &[],
        example: "uncalibrated",
    };
}

impl restudy::operation::Section for Uncalibrated {
    fn declared(&self) -> restudy::operation::Declared {
        use restudy::operation::{Declared, Evidence, Fill};
        const DECLARED: Declared = Declared {
            chapter: None,
            fills: &[Fill::tripod("20a", &[Evidence::Flow])],
            figures: &[],
        };
        DECLARED
    }

    fn render(
        &self,
        _record: &StudyRecord,
    ) -> Result<restudy::operation::Fragment, restudy::operation::Failure> {
        Err(restudy::operation::Failure::Library("deliberately".to_string()))
    }
}

#[test]
fn no_item_rests_on_a_section_that_is_not_there() {
    let catalog = Catalog::standard().with(section::<Uncalibrated>());
    let failing =
        catalog.of_kind(Kind::Section).find(|of| of.about.name == "uncalibrated");
    let whole = Catalog::standard();
    let others = whole.of_kind(Kind::Section);
    // The first section that fills an item shows it.
    let sections: Vec<&Entry> = failing.into_iter().chain(others).collect();
    let with = render(&record(), &sections);
    let sections: Vec<&Entry> = whole.of_kind(Kind::Section).collect();
    let without = render(&record(), &sections);
    let item = |page: &restudy::report::Page| {
        let json: Json = serde_json::from_str(&page.record()).unwrap();
        let lists = json["checklists"].as_array().unwrap();
        let tripod = lists.iter().find(|list| list["name"] == "tripod_ai").unwrap();
        let items = tripod["items"].as_array().unwrap();
        items.iter().find(|item| item["item"] == "20a").unwrap().clone()
    };
    assert_eq!(item(&without)["evidence"][0]["found"], true);
    let failed = item(&with);
    assert_eq!(failed["evidence"][0]["found"], false);
    assert!(failed["status"] != "met", "{failed}");
    let why = failed["why"].as_str().unwrap();
    assert!(why.contains("as its section could not be made"), "{why}");
    assert!(
        with.gaps.iter().any(|gap| gap.contains("“Calibration that fails” could not"))
    );
    let html = with.html(None);
    assert!(
        html.contains("This section could not be made") && html.contains("deliberately")
    );
}

/// A section that has more than a page may hold.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Large {}

impl restudy::operation::Operation for Large {
    const ABOUT: restudy::operation::About = restudy::operation::About {
        name: "large",
        title: "A large section",
        version: 1,
        sources: &[],
        example: "large",
    };
}

impl restudy::operation::Section for Large {
    fn render(
        &self,
        _record: &StudyRecord,
    ) -> Result<restudy::operation::Fragment, restudy::operation::Failure> {
        let table = |name: &str, n: usize| {
            format!(
                "<details class=\"data\" data-file=\"tables/{name}.csv\"><table>{}</table></details>",
                "<tr><td>0.123456</td></tr>".repeat(n)
            )
        };
        let html = table("huge", 60_000) + &table("small", 10_000) + "<p>What stays.</p>";
        Ok(restudy::operation::Fragment { html, ..Default::default() })
    }
}

#[test]
fn a_page_that_would_be_too_large_names_the_file_of_what_it_leaves_out() {
    let catalog = Catalog::standard().with(section::<Large>());
    let sections: Vec<&Entry> = catalog.of_kind(Kind::Section).collect();
    let page = render(&record(), &sections);
    let html = page.html(None);
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    assert!(html.contains("<code>tables/huge.csv</code> has all its rows"));
    assert!(
        html.contains("data-file=\"tables/small.csv\"") && html.contains("What stays.")
    );
    assert!(html.contains("To keep this page below 2 MB"));
    assert_eq!(render(&record(), &sections).html(None), html);
    // Whatever fits is left as it is.
    let whole = Catalog::standard();
    let sections: Vec<&Entry> = whole.of_kind(Kind::Section).collect();
    let html = render(&record(), &sections).html(None);
    assert!(
        !html.contains("To keep this page below") && !html.contains("has all its rows")
    );
}

#[test]
fn simulated_data_say_so_everywhere() {
    let mut record = record();
    record.study.simulated = true;
    let page = page(&record);
    assert!(
        page.html.contains("class=\"banner\"")
            && page.html.contains("@top-right{content:\"Simulated data")
    );
    let figures = page.html.matches("<figure").count();
    let captions = page.html.matches("Simulated data.").count();
    assert!(captions > figures, "{captions} for {figures} figures");
    for (name, csv) in &page.tables {
        let head = csv.lines().next().unwrap();
        assert!(head.ends_with(",simulated"), "{name}: {head}");
        assert!(csv.lines().skip(1).all(|line| line.ends_with(",yes")), "{name}");
    }
}

#[test]
fn each_rule_has_its_own_number_beside_the_flow() {
    let mut record = record();
    let at = record.cohorts.iter().position(|cohort| cohort.flow.len() > 1).unwrap();
    let reason =
        |reason: &str, n: usize| Removed { reason: reason.to_string(), n: n.into() };
    record.cohorts[at].flow[1].removed = vec![
        reason("not in t1", 0),
        reason("treated before", 3),
        reason("not in t2", 0),
        reason("no consent", 2),
    ];
    let page = page(&record);
    let picture = &page.figures.iter().find(|(name, _)| name == "flow.svg").unwrap().1;
    let lines = text(&picture.replace("</text>", "</text>|"));
    let lines: Vec<&str> = lines.split('|').collect();
    for (number, reason) in
        [("−3", "treated before"), ("−2", "no consent"), ("0", "not in t1; not in t2")]
    {
        let beside =
            |pair: &[&str]| pair[0].trim() == number && pair[1].trim().ends_with(reason);
        assert!(lines.windows(2).any(beside), "{reason}: {lines:?}");
    }
    let told = told(&page, "flow.svg");
    assert!(
        told.contains(
            "less 3: treated before; less 2: no consent; nobody: not in t1, not in t2"
        ),
        "{told}"
    );
}

#[test]
fn a_step_that_is_its_selector_is_named_once() {
    let html = page(&full("")).html;
    for name in ["anova", "lasso", "mrmr"] {
        assert!(!html.contains(&format!("after {name} ({name})")), "{name}");
    }
}

#[test]
fn names_stand_above_what_is_drawn_so_that_a_telephone_shows_both() {
    let page = page(&full(""));
    for name in ["stability", "columns-by-step", "importance"] {
        let mut of = page.figures.iter().filter(|(known, _)| known.starts_with(name));
        let (_, picture) = of.next().expect(name);
        // A screen of 375 pixels has 339 between its margins.
        assert!(picture.contains("viewBox=\"0 0 336 "), "{name}");
        assert!(picture.contains("class=\"name\""), "{name}");
    }
}

#[test]
fn the_value_of_the_model_is_named_where_none_within_strata_stands_beside_it() {
    let mut record = full("");
    assert!(page(&record).html.contains(", within "));
    for analysis in record.analyses.values_mut() {
        analysis.within = None;
    }
    let html = page(&record).html;
    let figure = html.split_once("<figure id=\"controls\"").unwrap().1;
    let heading = figure.split_once("<h3>").unwrap().1.split_once("</h3>").unwrap().0;
    let heading = text(heading);
    assert!(
        heading.contains(" of the model") && !heading.contains("within"),
        "{heading}"
    );
}

#[test]
fn the_heading_tells_how_many_columns_reach_the_learner() {
    let heading = |first: usize, median: f64, lowest: usize, highest: usize| {
        let mut record = full("");
        for analysis in record.analyses.values_mut() {
            let Some(selection) = &mut analysis.selection else { continue };
            let Some(step) = selection.reduction.first().cloned() else { continue };
            let tables = ReductionFacts {
                median: first as f64,
                lowest: first,
                highest: first,
                ..step.clone()
            };
            let stage = "learner".to_string();
            let learner =
                ReductionFacts { stage, step: None, median, lowest, highest, ..step };
            selection.reduction = vec![tables, learner];
        }
        let html = page(&record).html;
        let figure = html.split_once("<figure id=\"columns-by-step\"").unwrap().1;
        let heading = figure.split_once("<h3>").unwrap().1.split_once("</h3>").unwrap().0;
        text(heading)
    };
    assert!(heading(14, 14.0, 14, 14).starts_with("All 14 columns reach "));
    let spread = heading(14, 14.0, 4, 14);
    assert!(spread.starts_with("Of 14 columns 14 (4–14) reach "), "{spread}");
    assert!(spread.ends_with("as median and range of outer fits"), "{spread}");
    assert!(heading(5, 9.0, 9, 9).starts_with("5 columns become 9 that reach "));
}

#[test]
fn a_kind_of_computation_names_each_reader_once() {
    let page = page(&full(""));
    let (_, csv) = page.tables.iter().find(|(name, _)| name == "graph.csv").unwrap();
    for line in csv.lines() {
        let readers: Vec<&str> = line.rsplit(',').next().unwrap().split("; ").collect();
        let apart: std::collections::BTreeSet<&&str> = readers.iter().collect();
        assert_eq!(apart.len(), readers.len(), "{line}");
    }
}

#[test]
fn no_heading_has_brackets_in_brackets() {
    let html = page(&full("")).html;
    for tag in ["h3", "h4", "caption"] {
        for part in html.split(&format!("<{tag}")).skip(1) {
            let (_, rest) = part.split_once('>').unwrap();
            let heading = text(rest.split_once(&format!("</{tag}>")).unwrap().0);
            let mut open = 0;
            for character in heading.chars() {
                match character {
                    '(' => open += 1,
                    ')' => open -= 1,
                    _ => {}
                }
                assert!(open < 2, "{heading}");
            }
        }
    }
}

/// Columns that the numbers behind a figure have at least, by the start of its file's name.
const COLUMNS: &[(&str, &[&str])] = &[
    ("flow", &["node", "n_in", "n_out", "reason", "events"]),
    ("precision-recall", &["recall", "precision", "set"]),
    ("calibration-curve", &["pred", "obs", "lo", "hi", "n"]),
    ("confusion-", &["tp", "fp", "fn", "tn", "set"]),
    ("subgroups-", &["group", "level", "n", "events", "est", "lo", "hi"]),
    ("sites-", &["centre", "n", "events", "est", "lo", "hi"]),
    ("places", &["metric", "set", "est", "lo", "hi"]),
    ("stability", &["feature", "family", "freq"]),
    ("differences", &["model", "metric", "est", "diff", "lo", "hi", "p_adj"]),
    ("missingness", &["variable", "cohort", "n_missing"]),
    ("graph", &["node", "kind", "scope", "hash"]),
    ("deviations", &["what", "when", "why"]),
];

#[test]
fn the_numbers_behind_a_figure_have_their_columns() {
    let page = page(&full(""));
    for (begins, columns) in COLUMNS {
        let of = page.tables.iter().filter(|(name, _)| name.starts_with(*begins));
        let heads = of.map(|(name, csv)| (name, csv.lines().next().unwrap()));
        let heads: Vec<_> = heads.collect();
        assert!(!heads.is_empty(), "no file begins with {begins}");
        for (name, head) in heads {
            let there: Vec<&str> = head.split(',').collect();
            for column in *columns {
                assert!(there.contains(column), "{name} has no `{column}`: {head}");
            }
        }
    }
}

#[test]
fn where_a_figure_is_missing_a_word_says_why() {
    let mut record = record();
    let name = record.analysis_order[0].clone();
    let without = |record: &mut StudyRecord| {
        let analysis = record.analyses.get_mut(&name).unwrap();
        (analysis.threshold, analysis.thresholds, analysis.confusion) =
            (None, None, None);
        analysis.permutation = None;
        analysis.precision_recall.clear();
    };
    without(&mut record);
    let html = page(&record).html;
    for part in [
        "<b>No counts at a threshold.</b> The study declares no rule for a threshold",
        "<code>evaluate.threshold</code>",
        "<b>No precision–recall curve.</b>",
        "<b>No test on permuted outcomes.</b> It was not asked for",
        "No site was held out as a whole, so nothing here tells how much centres differ.",
    ] {
        assert!(html.contains(part), "`{part}` is not on the page");
    }
    record.study.not_permuted = Some("too dear.".to_string());
    let html = page(&record).html;
    assert!(
        html.contains("<b>No test on permuted outcomes.</b> It was not done: too dear.")
    );
    // What is there is not told to be missing.
    let html = page(&full("")).html;
    assert!(!html.contains("<b>No counts at a threshold.</b>"));
}

#[test]
fn two_schemes_in_one_cohort_are_told_apart() {
    let mut record = record();
    let name = record.analysis_order[0].clone();
    let mut held = record.analyses[&name].clone();
    held.scheme = "held".to_string();
    held.scheme_text = "a part held out once".to_string();
    held.learning_curve = None;
    held.folds.truncate(1);
    let fold = &held.folds[0];
    let (n, n_positive) = (fold.n_held_out, fold.positive_held_out);
    held.judged = Some(JudgedFacts { n, n_positive, n_splits: 1, of_splits: 1 });
    let another = format!("{name}-held");
    record.analyses.insert(another.clone(), held);
    record.analysis_order.push(another);
    let page = page(&record);
    for part in ["internal, scheme held", "Splits of held: a part held out once"] {
        assert!(page.html.contains(part), "`{part}` is not on the page");
    }
    // Rows are those that were judged.
    let (_, places) = page.tables.iter().find(|(name, _)| name == "places.csv").unwrap();
    let counts = format!("\"internal, scheme held\",{n},{n_positive},");
    assert!(places.contains(&counts), "no `{counts}` in {places}");
    // A label stands once for each region, or nobody can tell them apart.
    let labels = page.html.split(" role=\"region\" aria-label=\"").skip(1);
    let mut labels: Vec<&str> =
        labels.map(|rest| rest.split_once('"').unwrap().0).collect();
    labels.sort_unstable();
    let twice = labels.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
}

#[test]
fn every_split_is_told_with_its_events() {
    let record = record();
    let page = page(&record);
    let (_, splits) = page.tables.iter().find(|(name, _)| name == "splits.csv").unwrap();
    let schemes: std::collections::BTreeSet<_> = record
        .analyses
        .values()
        .filter(|of| of.kind != "external")
        .map(|of| (&of.scheme, &of.outcome, &of.cohort))
        .collect();
    let headline = &record.analyses[&record.analysis_order[0]];
    assert_eq!(splits.lines().count() - 1, headline.folds.len() * schemes.len());
    let events = |line: &str| line.rsplit(',').next().unwrap().parse::<usize>().unwrap();
    let first = splits.lines().skip(1).take(headline.folds.len());
    let repeats = headline.folds.iter().map(|fold| fold.repeat).max().unwrap();
    let all = headline.n_positive.known().unwrap();
    assert_eq!(first.map(events).sum::<usize>(), all * repeats);
    let of_page = part(&page.html, "aria-label=\"Splits of ");
    let folds = headline.folds.iter().filter(|fold| fold.repeat == 1).count();
    assert_eq!(of_page.matches("<th scope=\"row\">").count(), folds + 1);
}

#[test]
fn a_slope_that_no_predictions_determine_is_told_with_its_reason() {
    let mut record = record();
    let name = record.analysis_order[0].clone();
    let analysis = record.analyses.get_mut(&name).unwrap();
    analysis.performance.remove("calibration_slope").unwrap();
    let mut listed = analysis.metrics.iter_mut().chain(&mut analysis.standard);
    let slope = listed.find(|of| of.name == "calibration_slope").unwrap();
    slope.missing = Some("it is not defined here: classes wholly apart".to_string());
    let html = page(&record).html;
    assert!(html.contains("These predictions determine no calibration slope (internal)"));
    let why = "not defined, since classes wholly apart";
    assert!(html.matches(why).count() >= 2, "beside the curve and among all measures");
}
