//! Imaging: how images became features, setting by setting, with the item of the IBSI that each answers.

use serde_json::{Value as Json, json};

use super::author::{coded, prose};
use super::ibsi;
use super::shown::{Shown, escape, fill};
use crate::data::{Answer, ExtractionFacts, Stated};
use crate::operation::prelude::*;

/// How images became features: each setting with whether the study set it, and the reporting item of the IBSI that it answers.
///
/// # Computation
/// Of images that this program measures it tells every setting. Of features in a table it tells what
/// columns hold that PyRadiomics writes beside its features (`diagnostics_…`) where they are the same on
/// all rows. The rest is the author's, under `reporting.imaging`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Imaging {}

impl Operation for Imaging {
    const ABOUT: About = About {
        name: "imaging",
        title: "Imaging settings",
        version: 1,
        sources: &["ibsi2020", "zwanenburg2016"],
        example: "imaging",
    };
}

/// What the run tells of an item where it made the features, or where their table says it.
const SETTING: &[Evidence] = &[Evidence::Setting];

impl Section for Imaging {
    fn declared(&self) -> Declared {
        const DECLARED: Declared =
            Declared { chapter: Some(Chapter::Measures), fills: FILLS, figures: &[] };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let none = ibsi::no_images(record);
        let mut rows: Vec<(usize, Json)> = Vec::new();
        if none.is_none() {
            rows.extend(record.extraction.iter().map(of_run));
            rows.extend(of_author(record, &shown));
            rows.sort_by_key(|(place, _)| *place);
        }
        let html = fill(
            "imaging.html",
            json!({
                "simulated": record.study.simulated,
                "none": none.map(coded),
                "rows": rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(),
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}

/// Where an item stands in the list; what has none stands before.
fn place(item: Option<&str>) -> usize {
    let items = &ibsi::list().items;
    let at = item.and_then(|item| items.iter().position(|known| known.item == item));
    at.map_or(0, |at| at + 1)
}

fn of_run(fact: &ExtractionFacts) -> (usize, Json) {
    let items = fact.items.iter().map(String::as_str);
    let row = json!({
        "items": ibsi::runs(items), "what": coded(&fact.what), "of": fact.of,
        "value": coded(&fact.value), "column": fact.column,
        "set_by": fact.set_by.words(),
        "author": fact.set_by == crate::data::SetBy::Study,
    });
    (place(fact.items.first().map(String::as_str)), row)
}

/// What the author tells of single items; the same text of several of them stands once.
fn of_author(record: &StudyRecord, shown: &Shown) -> Vec<(usize, Json)> {
    let mut told: Vec<(&Stated, Vec<&str>, Vec<&str>)> = Vec::new();
    for item in &ibsi::list().items {
        let path = ibsi::field(&item.item);
        // A "none" of the whole list stands once, below.
        let Some(stated) = record.reporting.fields.get(&path) else { continue };
        if !matches!(record.reporting.answer(&path), Answer::Given | Answer::Declared) {
            continue;
        }
        match told.iter_mut().find(|(known, ..)| *known == stated) {
            Some((_, items, topics)) => {
                items.push(&item.item);
                if !topics.contains(&item.topic.as_str()) {
                    topics.push(&item.topic);
                }
            }
            None => told.push((stated, vec![&item.item], vec![&item.topic])),
        }
    }
    let row = |(stated, items, topics): (&Stated, Vec<&str>, Vec<&str>)| {
        const TOPICS: usize = 4;
        let value = match stated {
            Stated::Text(text) => prose(record, shown, text),
            Stated::Not(why) => {
                format!("<i>None or not done:</i> {}", prose(record, shown, why))
            }
            _ => String::new(),
        };
        let mut what = topics[..topics.len().min(TOPICS)].join(", ");
        if topics.len() > TOPICS {
            what.push_str(" and others");
        }
        let at = place(items.first().copied());
        let row = json!({
            "items": ibsi::runs(items.iter().copied()), "what": escape(&what), "of": "",
            "value": value, "column": null, "set_by": "told by the author",
            "author": false,
        });
        (at, row)
    };
    told.into_iter().map(row).collect()
}

/// The items up to feature computation; those of modelling stand where a model is told.
const FILLS: &[Fill] = &[
    Fill::ibsi("1", &[]),
    Fill::ibsi("2a", &[]),
    Fill::ibsi("2b", &[]),
    Fill::ibsi("2c", &[]),
    Fill::ibsi("3a", &[]),
    Fill::ibsi("3b", &[]),
    Fill::ibsi("3c", &[]),
    Fill::ibsi("3d", &[]),
    Fill::ibsi("3e", &[]),
    Fill::ibsi("4a", &[]),
    Fill::ibsi("4b", &[]),
    Fill::ibsi("4c", &[]),
    Fill::ibsi("4d", &[]),
    Fill::ibsi("4e", &[]),
    Fill::ibsi("5", &[]),
    Fill::ibsi("6", &[]),
    Fill::ibsi("7", &[]),
    Fill::ibsi("8", SETTING),
    Fill::ibsi("9a", &[]),
    Fill::ibsi("9b", &[]),
    Fill::ibsi("9c", &[]),
    Fill::ibsi("10", &[]),
    Fill::ibsi("11", &[]),
    Fill::ibsi("12", &[]),
    Fill::ibsi("13", &[]),
    Fill::ibsi("14", &[]),
    Fill::ibsi("15", &[]),
    Fill::ibsi("16", &[]),
    Fill::ibsi("17", &[]),
    Fill::ibsi("18a", &[]),
    Fill::ibsi("18b", &[]),
    Fill::ibsi("18c", &[]),
    Fill::ibsi("19", &[]),
    Fill::ibsi("20", &[]),
    Fill::ibsi("21", &[]),
    Fill::ibsi("22", &[]),
    Fill::ibsi("23", &[]),
    Fill::ibsi("24", &[]),
    Fill::ibsi("25", &[]),
    Fill::ibsi("26", &[]),
    Fill::ibsi("27", &[]),
    Fill::ibsi("28", SETTING),
    Fill::ibsi("29", &[]),
    Fill::ibsi("30", SETTING),
    Fill::ibsi("31a", &[]),
    Fill::ibsi("31b", &[]),
    Fill::ibsi("31c", &[]),
    Fill::ibsi("32a", &[]),
    Fill::ibsi("32b", &[]),
    Fill::ibsi("32c", &[]),
    Fill::ibsi("33", &[]),
    Fill::ibsi("34a", &[]),
    Fill::ibsi("34b", &[]),
    Fill::ibsi("35a", &[]),
    Fill::ibsi("35b", &[]),
    Fill::ibsi("36", &[]),
    Fill::ibsi("37", &[]),
    Fill::ibsi("38", &[]),
    Fill::ibsi("39", &[]),
    Fill::ibsi("40", SETTING),
    Fill::ibsi("41", SETTING),
    Fill::ibsi("42", SETTING),
    Fill::ibsi("43", &[]),
    Fill::ibsi("44", &[]),
    Fill::ibsi("45", SETTING),
    Fill::ibsi("46", SETTING),
    Fill::ibsi("47", &[]),
    Fill::ibsi("48a", &[]),
    Fill::ibsi("48b", &[]),
    Fill::ibsi("48c", &[]),
    Fill::ibsi("48d", &[]),
    Fill::ibsi("49", &[]),
    Fill::ibsi("50a", SETTING),
    Fill::ibsi("50b", SETTING),
    Fill::ibsi("50c", SETTING),
    Fill::ibsi("50d", SETTING),
    Fill::ibsi("51", SETTING),
    Fill::ibsi("52", SETTING),
    Fill::ibsi("53", SETTING),
    Fill::ibsi("54", SETTING),
    Fill::ibsi("55", SETTING),
    Fill::ibsi("56a", SETTING),
    Fill::ibsi("56b", SETTING),
    Fill::ibsi("56c", SETTING),
    Fill::ibsi("57", SETTING),
    Fill::ibsi("58", &[Evidence::Predictors, Evidence::Setting]),
    Fill::ibsi("59", SETTING),
    Fill::ibsi("61", SETTING),
    Fill::ibsi("62", SETTING),
    Fill::ibsi("63", SETTING),
    Fill::ibsi("64", SETTING),
    Fill::ibsi("65", SETTING),
    Fill::ibsi("66", SETTING),
    Fill::ibsi("67", SETTING),
    Fill::ibsi("68", SETTING),
    Fill::ibsi("69", SETTING),
    Fill::ibsi("70", SETTING),
    Fill::ibsi("71", SETTING),
];
