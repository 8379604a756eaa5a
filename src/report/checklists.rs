//! Checklists: every item of every standard with its status and why.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::figure::DataTable;
use super::ibsi;
use super::marks::{bar, mark, marked};
use super::shown::{Shown, fill};
use super::standards::short;
use crate::data::{Checklist, ItemFacts, Status};
use crate::operation::prelude::*;

/// TRIPOD+AI, its checklist for abstracts, CLEAR and the reporting items of the IBSI, item by item: whether it is told.
/// Quality and risk of bias have sections of their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checklists {}

impl Operation for Checklists {
    const ABOUT: About = About {
        name: "checklists",
        title: "Checklists",
        // 1: first release. 2: the reporting items of the IBSI; quality has a section of its own.
        version: 2,
        sources: &["collins2024", "kocak2023", "zwanenburg2016"],
        example: "checklists",
    };
}

impl Section for Checklists {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Checklists),
            fills: &[Fill::clear("7", &[]), Fill::ibsi("72", &[])],
            figures: &[],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let mut fragment = lists(record, |list| list.score.is_none())?;
        let html = std::mem::take(&mut fragment.html);
        fragment.html = fill("checklists.html", json!({ "lists": html }))?;
        Ok(fragment)
    }
}

/// Those of the lists that are wanted, with their files.
pub fn lists(
    record: &StudyRecord,
    wanted: impl Fn(&Checklist) -> bool,
) -> Result<Fragment, Failure> {
    let shown = Shown::new(record);
    let mut fragment = Fragment::default();
    let all = record.checklists.iter().enumerate();
    let lists: Vec<Json> = all
        .filter(|(_, list)| wanted(list))
        .map(|(at, list)| {
            let name = format!("{}.csv", list.name);
            fragment.checklists.push((name, file(list).csv(record.study.simulated)));
            described(&shown, at, list)
        })
        .collect();
    fragment.html = fill("lists.html", json!({ "lists": lists }))?;
    Ok(fragment)
}

fn described(shown: &Shown, at: usize, list: &Checklist) -> Json {
    let count = |what: &str| shown.count(&format!("/checklists/{at}/{what}"));
    let item = |item: &ItemFacts| {
        json!({
            "item": item.item, "topic": item.topic, "requirement": item.requirement,
            "status": marked(item.status, item.status.word()),
            "class": item.status.class(), "mark": mark(item.status),
            "word": item.status.word(),
            "why": coded(&item.why), "section": item.section, "place": place(&item.section),
            "recommended": item.recommended,
            "scores": item.scores.map(|yes| if yes { "yes" } else { "no" }),
            "weight": item.weight,
        })
    };
    json!({
        "name": list.name, "title": list.title, "short": short(&list.name),
        "inapplicable": inapplicable(list),
        "of_images": list.name == ibsi::NAME,
        "reported": count("reported"), "applicable": count("applicable"),
        "bar": bar(list, &|status| count(&format!("counts/{}", status.class()))),
        "items": list.items.iter().map(item).collect::<Vec<_>>(),
        "score": list.score.as_ref().map(|score| json!({
            "value": shown.number(&format!("/checklists/{at}/score/score"), 1),
            "category": score.category,
            "denominator": shown.number(&format!("/checklists/{at}/score/denominator"), 4),
            "left_out": score.left_out,
        })),
    })
}

/// Why no item of a list applies, if none does for one and the same reason.
fn inapplicable(list: &Checklist) -> Option<String> {
    let why = &list.items.first()?.why;
    let same =
        |item: &ItemFacts| item.status == Status::NotApplicable && item.why == *why;
    list.items.iter().all(same).then(|| coded(why))
}

/// The title of a section by its name.
pub fn place(section: &str) -> &'static str {
    let entries = super::operations();
    let known = entries.iter().find(|entry| entry.about.name == section);
    known.map_or("see there", |entry| entry.about.title)
}

/// As journals want it, with the place in the report where the page number would stand.
fn file(list: &Checklist) -> DataTable {
    let head =
        ["item", "topic", "requirement", "status", "where", "why", "author_fields"];
    let row = |item: &ItemFacts| {
        let place = match item.section.is_empty() {
            true => String::new(),
            false => format!("report.html#{}", item.section),
        };
        let fields: Vec<&str> =
            item.author.iter().map(|said| said.field.as_str()).collect();
        vec![
            item.item.clone(),
            item.topic.clone(),
            item.requirement.clone(),
            item.status.word().to_string(),
            place,
            item.why.clone(),
            fields.join("; "),
        ]
    };
    DataTable {
        head: head.map(String::from).to_vec(),
        rows: list.items.iter().map(row).collect(),
    }
}
