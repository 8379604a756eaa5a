//! The reporting items of the IBSI: what flips when an author's word or a setting goes, what columns of
//! another program tell, and to whom the list does not apply.

use std::collections::BTreeSet;

use restudy::catalog::Catalog;
use restudy::data::{ExtractionFacts, Reporting, SetBy, Stated, Status, StudyRecord};
use restudy::operation::{Evidence, Kind};
use restudy::report::{gaps, items_named, render, standards};
use serde_json::Value as Json;

use crate::checklists::{asks, complete, flipped, judge, statuses};
use crate::workshop::{Workshop, record};

/// A whole record whose features came in a table of another program.
fn of_a_table() -> StudyRecord {
    let mut record = complete();
    record.predictors.retain(|block| block.kind != "images");
    record.methods.retain(|method| method.role != "features");
    record.extraction.retain(|fact| fact.not_done);
    record
}

/// Names of columns as extractors give them.
fn rename(record: &mut StudyRecord, names: &[&str]) {
    let columns = record.predictors.iter_mut().flat_map(|block| &mut block.columns);
    for (column, name) in columns.zip(names.iter().cycle()) {
        column.name = name.to_string();
    }
}

fn tell(record: &mut StudyRecord, item: &str, value: &str) {
    record.extraction.push(ExtractionFacts {
        of: "features".to_string(),
        items: vec![item.to_string()],
        what: "a setting".to_string(),
        value: value.to_string(),
        set_by: SetBy::Extractor,
        column: Some("diagnostics_Configuration_Settings".to_string()),
        not_done: false,
    });
}

fn status(record: &StudyRecord, item: &str) -> (Status, String) {
    let list = judge(record).checklists.into_iter().find(|list| list.name == "ibsi");
    let mut items = list.unwrap().items.into_iter();
    let found = items.find(|known| known.item == item).unwrap();
    (found.status, found.why)
}

fn say(record: &mut StudyRecord, field: &str, stated: Stated) {
    record.reporting.fields.insert(field.to_string(), stated);
}

#[test]
fn of_a_table_each_field_of_the_author_flips_its_items_and_no_other() {
    let record = of_a_table();
    let before = statuses(&record);
    let mut tried = BTreeSet::new();
    for path in record.reporting.fields.keys() {
        let mut without = record.clone();
        without.reporting.fields.remove(path);
        let flips = flipped(&before, &statuses(&without));
        let of_list: BTreeSet<&str> =
            flips.iter().filter_map(|name| name.strip_prefix("ibsi ")).collect();
        let list = standards().iter().find(|standard| standard.name == "ibsi").unwrap();
        let wanted: BTreeSet<&str> = list
            .items
            .iter()
            .filter(|item| item.author.iter().any(|said| said.field == *path))
            .map(|item| item.item.as_str())
            .collect();
        assert_eq!(of_list, wanted, "{path}");
        tried.extend(wanted.iter().map(|item| item.to_string()));
        // An item of the list is no item of another standard.
        if path.starts_with("imaging.ibsi.") {
            assert_eq!(flips.len(), 1, "{path}: {flips:?}");
        }
    }
    // All but those that the run alone tells.
    assert_eq!(tried.len(), 104 - 4);
    for (path, linked) in [
        ("segmentation.method", ["ibsi 48a", "clear 19", "metrics 8"].as_slice()),
        ("availability.images", &["ibsi 76"]),
        ("imaging.extraction_notes", &["ibsi 58", "ibsi 61", "clear 55"]),
    ] {
        let mut without = record.clone();
        without.reporting.fields.remove(path);
        let flips = flipped(&before, &statuses(&without));
        for name in linked {
            assert!(flips.contains(*name), "{path}: {flips:?}");
        }
    }
}

#[test]
fn a_setting_that_goes_takes_its_items_with_it() {
    // Measured here, the run has to know it.
    let record = complete();
    let before = statuses(&record);
    let facts = record.extraction.clone();
    assert!(facts.len() > 10);
    for (at, fact) in facts.iter().enumerate() {
        let mut without = record.clone();
        without.extraction.remove(at);
        let flips = flipped(&before, &statuses(&without));
        // 40 is told of every source and 54 of every block.
        let told = |item: &str| {
            without.extraction.iter().any(|fact| fact.items.iter().any(|i| i == item))
        };
        let wanted: BTreeSet<String> = fact
            .items
            .iter()
            .filter(|item| !told(item) && asks("ibsi", item, Evidence::Setting))
            .map(|item| format!("ibsi {item}"))
            .collect();
        assert_eq!(flips, wanted, "{}", fact.what);
    }
}

#[test]
fn what_the_program_does_itself_needs_no_author_and_keeps_no_draft() {
    let mut record = complete();
    let paths: Vec<String> = record.reporting.fields.keys().cloned().collect();
    for path in paths.iter().filter(|path| path.starts_with("imaging.ibsi.")) {
        record.reporting.fields.remove(path);
    }
    for item in items_named("50-57, 59").unwrap() {
        assert_eq!(status(&record, item).0, Status::Met, "{item}");
    }
    assert!(status(&record, "50a").1.contains("(fixed in this version)"));
    // What may have been done before the images came here is partly told.
    for item in ["41", "42", "45", "46", "40"] {
        assert_eq!(status(&record, item).0, Status::Partial, "{item}");
    }
    assert_eq!(status(&record, "60").0, Status::Declared);
    assert_eq!(status(&record, "62").0, Status::NotApplicable);
    let own: BTreeSet<&str> = items_named("50-71").unwrap().into_iter().collect();
    for gap in gaps(&judge(&record)) {
        let of_list = gap.strip_prefix("IBSI ").and_then(|rest| rest.split(' ').next());
        assert!(of_list.is_none_or(|item| !own.contains(item)), "{gap}");
    }
    // Authors' rows count as those of other lists do, also where the run tells half of one.
    for item in ["IBSI 2a ", "IBSI 41 "] {
        assert!(gaps(&judge(&record)).iter().any(|gap| gap.starts_with(item)), "{item}");
    }
}

#[test]
fn modality_and_names_of_features_say_what_does_not_apply() {
    let mut record = of_a_table();
    let modality = |words: &[&str]| {
        Stated::List(words.iter().map(|word| word.to_string()).collect())
    };
    say(&mut record, "imaging.modality", modality(&["CT"]));
    for (item, wanted) in [
        ("14", Status::Met),
        ("52", Status::Met),
        ("3a", Status::NotApplicable),
        ("19", Status::NotApplicable),
        ("36", Status::NotApplicable),
        ("32a", Status::NotApplicable),
    ] {
        assert_eq!(status(&record, item).0, wanted, "{item}");
    }
    say(&mut record, "imaging.modality", modality(&["DWI"]));
    for (item, wanted) in
        [("14", Status::NotApplicable), ("19", Status::Met), ("36", Status::Met)]
    {
        assert_eq!(status(&record, item).0, wanted, "{item}");
    }
    // Silence is no excuse.
    record.reporting.fields.remove("imaging.modality");
    assert_eq!(status(&record, "14").0, Status::Met);
    assert_eq!(status(&record, "8").0, Status::Missing);
    assert_eq!(status(&record, "9b").0, Status::Met);
    say(&mut record, "imaging.ibsi.9a", Stated::Text("Static images only".to_string()));
    assert_eq!(status(&record, "9b").0, Status::NotApplicable);
    // Of names that tell no family nothing follows.
    assert_eq!(status(&record, "67").0, Status::Met);
    rename(&mut record, &["original_glcm_Contrast", "original_shape_Volume"]);
    assert_eq!(status(&record, "65").0, Status::Met);
    assert_eq!(status(&record, "67").0, Status::NotApplicable);
    assert_eq!(status(&record, "62").0, Status::Met);
    rename(&mut record, &["original_shape_Volume"]);
    assert_eq!(status(&record, "62").0, Status::NotApplicable);
}

#[test]
fn columns_of_the_extractor_tell_what_the_author_need_not() {
    let mut record = of_a_table();
    record.reporting.fields.remove("imaging.ibsi.56b");
    assert_eq!(status(&record, "56b").0, Status::Missing);
    let before = statuses(&record);
    tell(&mut record, "56b", "bins of width 25");
    assert_eq!(
        status(&record, "56b"),
        (Status::Met, "bins of width 25 (as the table tells)".to_string())
    );
    let flips = flipped(&before, &statuses(&record));
    assert_eq!(flips, BTreeSet::from(["ibsi 56b".to_string()]));
    // What the table tells of preparation does not say what was done before.
    record.reporting.fields.remove("imaging.ibsi.46");
    assert_eq!(status(&record, "46").0, Status::Missing);
    tell(&mut record, "46", "none");
    assert_eq!(status(&record, "46").0, Status::Partial);
}

#[test]
fn without_features_of_images_no_item_applies() {
    let html = |record: &StudyRecord| {
        let catalog = Catalog::standard();
        let sections: Vec<_> = catalog.of_kind(Kind::Section).collect();
        let page = render(record, &sections);
        let csv = page.checklists.iter().find(|(name, _)| name == "ibsi.csv").unwrap();
        (page.html(None), csv.1.clone())
    };
    let mut record = of_a_table();
    let (page, csv) = html(&record);
    assert!(
        page.contains("id=\"ibsi-50a\"") && !page.contains("None of the items applies")
    );
    assert_eq!(csv.lines().filter(|line| !line.starts_with('#')).count(), 105);
    for analysis in record.analyses.values_mut() {
        analysis.clinical = true;
    }
    let all = |record: &StudyRecord| {
        let list = judge(record).checklists.into_iter().find(|list| list.name == "ibsi");
        let list = list.unwrap();
        (list.applicable, list.count(Status::NotApplicable))
    };
    assert_eq!(all(&record), (0, 104));
    let (page, csv) = html(&record);
    assert!(
        page.contains("None of the items applies: no predictor is a feature of images")
    );
    assert!(!page.contains("id=\"ibsi-50a\""));
    assert!(csv.contains("Not applicable"));
    // The author's word, with a reason; a place that waits is none, and images speak against it.
    let mut record = of_a_table();
    let deny = |why: &str| {
        let not = Stated::Not(why.to_string());
        Reporting { fields: [("imaging".to_string(), not)].into() }
    };
    record.reporting = deny("the columns are expressions of genes");
    assert_eq!(all(&record), (0, 104));
    record.reporting = deny("TBD");
    assert!(all(&record).0 > 0);
    let mut measured = complete();
    measured.reporting = deny("the columns are expressions of genes");
    assert!(all(&measured).0 > 0);
}

#[test]
fn the_page_tells_settings_once_and_escapes_what_authors_write() {
    let mut record = of_a_table();
    let paths: Vec<String> = record.reporting.fields.keys().cloned().collect();
    for path in paths.iter().filter(|path| path.starts_with("imaging.ibsi.")) {
        let text = "below <3 & \"more\" as in routine".to_string();
        say(&mut record, path, Stated::Text(text));
    }
    tell(&mut record, "65", "<u>one</u>");
    let catalog = Catalog::standard();
    let sections: Vec<_> = catalog.of_kind(Kind::Section).collect();
    let html = render(&record, &sections).html(None);
    assert!(html.contains("below &lt;3 &amp; ") && !html.contains("<u>one</u>"));
    // One row for all items with the same text.
    assert_eq!(html.matches("as in routine").count(), 1);
    assert!(html.contains("<a href=\"#list-ibsi\">"));
    // A "none" of the whole list stands once as well, and answers every item that asks for a text.
    let fields = &mut record.reporting.fields;
    fields.retain(|path, _| !path.starts_with("imaging.ibsi."));
    say(&mut record, "imaging.ibsi", Stated::Not("nobody wrote them down".to_string()));
    let html = render(&record, &sections).html(None);
    assert_eq!(html.matches("nobody wrote them down").count(), 1);
    assert_eq!(status(&record, "2a").0, Status::Declared);
}

#[test]
fn a_run_tells_how_it_measured_images() {
    let record = record();
    let told = |item: &str| {
        let mut facts = record.extraction.iter();
        facts.find(|fact| fact.items.iter().any(|known| known == item)).unwrap().clone()
    };
    assert!(told("58").value.contains("mean (Q4LE)"));
    assert_eq!(told("58").set_by, SetBy::Study);
    assert!(told("61").value.contains("`first_order` version 1"));
    assert!(told("50a").value.starts_with("none: "));
    assert!(told("60").not_done);
    let unit = record.extraction.iter().find(|fact| fact.what == "Unit of grey values");
    assert_eq!(unit.unwrap().set_by, SetBy::Default);
}

#[test]
fn a_table_of_pyradiomics_and_items_of_the_author_are_read() {
    let workshop = Workshop::new();
    let table = String::from_utf8(workshop.read("table.csv")).unwrap();
    let mut lines = table.lines();
    let mut wide = format!(
        "{},diagnostics_Versions_PyRadiomics,diagnostics_Configuration_Settings,\
             diagnostics_Image-original_Spacing\n",
        lines.next().unwrap()
    );
    for (at, line) in lines.enumerate() {
        let settings = "\"{'resampledPixelSpacing': None, 'binWidth': 25}\"";
        // What differs between patients is no setting.
        wide.push_str(&format!("{line},v3.0.1,{settings},\"(1.0, 1.0, {at}.5)\"\n"));
    }
    workshop.write("wide.csv", wide.as_bytes());
    let text = String::from_utf8(workshop.read("study.yaml")).unwrap();
    let text = text
        .replace("table: table.csv", "table: wide.csv")
        .replace("  scan: { images: { from: scans, features: [first_order] } }\n", "")
        + "reporting:\n  imaging:\n    modality: [MRI]\n    ibsi:\n      \
           \"2\": { none: nothing was prepared }\n      27: 3\n      18a-18c, 19: as in routine\n";
    workshop.study(&text);
    workshop.run(&[]);
    let report: Json = serde_json::from_slice(&workshop.report()).unwrap();
    let record: StudyRecord = serde_json::from_value(report).unwrap();
    let told: BTreeSet<&str> = record
        .extraction
        .iter()
        .filter(|fact| fact.set_by == SetBy::Extractor)
        .flat_map(|fact| fact.items.iter().map(String::as_str))
        .collect();
    assert!(
        ["61", "50a", "53", "56b"].iter().all(|item| told.contains(item)),
        "{told:?}"
    );
    assert!(!told.contains("28"));
    for (item, wanted) in [
        ("61", Status::Met),
        ("56b", Status::Met),
        ("56c", Status::Missing),
        ("2b", Status::Declared),
        ("27", Status::Met),
        ("18b", Status::Met),
        ("20", Status::Missing),
        ("14", Status::NotApplicable),
    ] {
        assert_eq!(status(&record, item).0, wanted, "{item}");
    }
    // A wrong key and one that is told twice are errors.
    for (wrong, message) in [
        ("      99: x\n", "the IBSI list has no item `99`"),
        ("      8: MRI\n", "reporting.imaging.modality"),
        ("      27-28: x\n", "item 27 is told twice"),
    ] {
        workshop.study(&(text.clone() + wrong));
        let output = workshop.restudy(&["check", "study.yaml"]);
        let said = String::from_utf8_lossy(&output.stderr).to_string()
            + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(message), "{wrong}: {said}");
    }
}

#[test]
fn what_was_made_outside_is_not_known_rather_than_not_done() {
    let mut record = of_a_table();
    record.reporting.fields.remove("imaging.ibsi.56b");
    let why = status(&record, "56b").1;
    assert_eq!(why, "`reporting.imaging.ibsi.56b` is not written");
    let name = record.predictors[0].source.clone();
    let source = record.sources.iter_mut().find(|source| source.name == name).unwrap();
    source.prepared_outside = Some(true);
    let (found, outside) = status(&record, "56b");
    assert_eq!(found, Status::Missing);
    assert_eq!(outside, format!("not known to restudy (`prepared: outside`), and {why}"));
    // What the table tells is known.
    tell(&mut record, "56b", "bins of width 25");
    assert_eq!(status(&record, "56b").0, Status::Met);
}

#[test]
fn a_setting_that_the_run_knows_with_other_numbers_is_a_warning() {
    let mut record = of_a_table();
    tell(&mut record, "56b", "bins of width 25");
    let warned = |record: &StudyRecord, text: &str| {
        let mut record = record.clone();
        say(&mut record, "imaging.ibsi.56b", Stated::Text(text.to_string()));
        let found = judge(&record).conflicts.into_iter();
        let of: Vec<_> = found.filter(|of| of.check == "setting of imaging").collect();
        assert!(of.iter().all(|of| of.level == "warning"));
        of.len()
    };
    assert_eq!(warned(&record, "Bins of width 64 were used."), 1);
    assert_eq!(warned(&record, "A bin width of 25.0 HU, so 64 bins on average."), 0);
    assert_eq!(warned(&record, "As in the routine of the hospital."), 0);
    // Of an item that nothing tells nothing is known.
    record.extraction.clear();
    assert_eq!(warned(&record, "Bins of width 64 were used."), 0);
}
