//! The page: sections in order, everything that they need in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::author::{boxes, fields_of, statements};
use super::conflicts::conflicts;
use super::coverage::{Declaring, checklists, gaps};
use super::finding::finding;
use super::ibsi;
use super::marks::{mark, marked};
use super::probast::risk_of_bias;
use super::references::shortened;
use super::rqs::{self, quality};
use super::shown::{self, Shown, escape, fill, legible};
use super::size;
use super::{fonts, standards};
use crate::data::{ItemFacts, RunRecord, Scope, Status, StudyRecord};
use crate::digest::{Digest, Naming};
use crate::operation::{AnySection, Chapter, Declared, Entry, Fragment, Instance, Shows};

/// A report and what lies beside it, but for what differs from run to run. Texts that are files are `T`:
/// a page that is kept has something in their place by which they are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T = String> {
    /// What the template of the page is filled with, as JSON, but for its sections.
    filling: String,
    /// Those, in the order in which they stand.
    parts: Vec<Part>,
    /// The record as JSON, cut where the author's half begins and ends: a pure function of study,
    /// canonical data and engine version.
    pub json: Vec<Cut<T>>,
    /// File name and content.
    pub figures: Vec<(String, T)>,
    pub tables: Vec<(String, T)>,
    pub checklists: Vec<(String, T)>,
    /// What keeps the report from being ready to submit, in words.
    pub gaps: Vec<String>,
}

/// A part of the record's JSON. Those of a page, one behind the other, are the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cut<T> {
    /// Whether it is the value of a field of the author's half, and of which.
    half: Option<String>,
    pub text: T,
}

/// A text of a page that is made again.
#[derive(Debug, Clone, PartialEq)]
pub enum Told<T> {
    Anew(String),
    /// What the page before has in its place.
    AsBefore(T),
}

impl Told<String> {
    fn text(self) -> String {
        match self {
            Self::Anew(text) | Self::AsBefore(text) => text,
        }
    }
}

/// A section on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    section: String,
    html: String,
    /// How many of the page's files are its own, by kind: they stand in the order of the sections.
    figures: usize,
    tables: usize,
    checklists: usize,
    /// Whether it can stand on another page of the same results.
    of_results: bool,
}

/// The record with what becomes of every item of every standard.
pub fn judged(record: StudyRecord, sections: &[&Entry]) -> StudyRecord {
    judged_without(record, sections, &BTreeSet::new())
}

/// The same where the sections of these names could not be made: nothing is shown by what they would show.
fn judged_without(
    mut record: StudyRecord,
    sections: &[&Entry],
    failed: &BTreeSet<&str>,
) -> StudyRecord {
    let declaring: Vec<Declaring> = sections
        .iter()
        .map(|entry| Declaring {
            section: entry.about.name,
            declared: declared(entry),
            made: !failed.contains(entry.about.name),
        })
        .collect();
    record.conflicts = conflicts(&record);
    record.checklists = checklists(&record, &declaring, &record.conflicts);
    record.quality = Some(quality(&record, &declaring));
    record.risk_of_bias = Some(risk_of_bias(&record));
    record
}

/// Renders a record.
pub fn render(record: &StudyRecord, sections: &[&Entry]) -> Page {
    render_own(record.clone(), sections)
}

/// The same of a record that nobody needs any more.
pub fn render_own(record: StudyRecord, sections: &[&Entry]) -> Page {
    rendered(record, sections, None).map(Told::<String>::text)
}

/// Renders a record that differs from that of another page in the author's half alone.
pub fn render_again<T: Sync>(
    record: StudyRecord,
    sections: &[&Entry],
    before: Page<T>,
) -> Page<Told<T>> {
    rendered(record, sections, Some(before))
}

fn rendered<T: Sync>(
    record: StudyRecord,
    sections: &[&Entry],
    before: Option<Page<T>>,
) -> Page<Told<T>> {
    let mut record = judged(record, sections);
    let mut failed = BTreeSet::new();
    let (before, mut known) = match before {
        Some(page) => {
            let (json, known) = page.of_results();
            (Some(json), known)
        }
        None => (None, BTreeMap::new()),
    };
    let has_known = !known.is_empty();
    let (json, mut fragments) = loop {
        let before = before.as_deref();
        let (json, made) = all_made(sections, &mut record, before, &mut known);
        let wrong: BTreeSet<&str> =
            made.iter().filter(|(_, of)| of.is_err()).map(|(name, _)| *name).collect();
        // No item may rest on what is not there, and some sections show what became of the items.
        if !wrong.is_subset(&failed) {
            failed.extend(wrong);
            record = judged_without(record, sections, &failed);
            continue;
        }
        break (json, made);
    };
    let record = &record;
    // As they were made; those of the page before stand on it as they are.
    let mut htmls: Vec<Option<String>> = Vec::new();
    let mut page = Page {
        filling: String::new(),
        parts: Vec::new(),
        json: joined(before, json),
        figures: Vec::new(),
        tables: Vec::new(),
        checklists: Vec::new(),
        gaps: gaps(record),
    };
    let shown = Shown::new(record);
    page.gaps.extend(
        sections.iter().filter(|of| failed.contains(of.about.name)).map(|entry| {
            format!("the section “{}” could not be made", entry.about.title)
        }),
    );
    let mut told: Vec<String> = vec!["title".to_string(), "deviations".to_string()];
    let chapters: Vec<Json> = chapters(sections)
        .into_iter()
        .enumerate()
        .map(|(position, (title, entries))| {
            let mut parts = Vec::new();
            let mut statuses: Vec<Status> = Vec::new();
            let mut scored: Vec<Status> = Vec::new();
            for entry in &entries {
                let made = fragments.remove(entry.about.name);
                let fragment = made.unwrap_or_else(|| Ok(Own::of(Fragment::default())));
                let mut fragment = fragment.unwrap_or_else(|why| Own::of(not_made(&why)));
                let (stands, anew) = match fragment.stands {
                    true => (fragment.html, None),
                    false => (String::new(), Some(fragment.html)),
                };
                page.parts.push(Part {
                    section: entry.about.name.to_string(),
                    html: stands,
                    figures: fragment.figures.len(),
                    tables: fragment.tables.len(),
                    checklists: fragment.checklists.len(),
                    of_results: shows(entry) == Shows::Results
                        && !failed.contains(entry.about.name),
                });
                htmls.push(anew);
                page.figures.append(&mut fragment.figures);
                page.tables.append(&mut fragment.tables);
                page.checklists.append(&mut fragment.checklists);
                let items = items(record, entry.about.name);
                for (_, item) in &items {
                    match item.weight {
                        None => statuses.push(item.status),
                        Some(_) => scored.push(item.status),
                    }
                }
                let mut fields: Vec<String> =
                    fields_of(&items).into_iter().map(str::to_string).collect();
                fields.extend(unasked(record, entry.about.name));
                // Items of the IBSI stand in the table of settings.
                fields.retain(|field| {
                    !told.contains(field) && !field.starts_with("imaging.ibsi.")
                });
                if entry.about.name == "structured_abstract"
                    && !failed.contains(entry.about.name)
                {
                    // It puts its fields into sentences of its own.
                    let own = |field: &String| {
                        field.starts_with("abstract.") || field == "keywords"
                    };
                    told.extend(fields.iter().filter(|field| own(field)).cloned());
                    fields.clear();
                }
                told.extend(fields.clone());
                parts.push(json!({
                    "name": entry.about.name,
                    "title": entry.about.title,
                    "tags": match failed.contains(entry.about.name) {
                        true => Vec::new(),
                        false => tags(record, entry.about.name, &items),
                    },
                    "statements": shortened(
                        &statements(record, &shown, fields.iter().map(String::as_str)),
                    ),
                    "boxes": boxes(&items),
                }));
            }
            // What no item of completeness asks for is marked by how well it was done.
            let worst = worst(&statuses).or_else(|| worst(&scored));
            json!({
                "number": position + 1,
                "anchor": entries.first().map_or("", |entry| entry.about.name),
                "title": title,
                "parts": parts,
                "mark": worst.map(|status| json!({
                    "class": status.class(), "word": status.word(), "shape": mark(status),
                })),
            })
        })
        .collect();
    let counts = counts(record);
    let draft = !page.gaps.is_empty();
    let lists = record.checklists.iter().filter(|list| list.score.is_none());
    let partial: usize = lists.map(|list| list.count(Status::Partial)).sum();
    let status = match draft {
        true => marked(Status::Conflict, "Draft: not ready to submit"),
        false => match partial {
            0 => marked(Status::Met, "Complete"),
            _ => marked(Status::Partial, "Nothing is missing, not all is fully reported"),
        },
    };
    let mut filling = json!({
            "title": record.reporting.text("title").unwrap_or(&record.study.title),
            "cancer": record.study.cancer,
            "simulated": record.study.simulated,
            "engine": record.engine,
            "study_digest": short(&record.study.digest),
            "seed": record.study.seed,
            "n_nodes": shown.count("/graph/n_nodes"),
            "coarse": tells_patients(record),
            "finding": finding(record),
            "status": status,
            "status_detail": match record.missing().len() {
                0 => counts,
                1 => format!("1 result is missing; {counts}"),
                n => format!("{n} results are missing; {counts}"),
            },
            "chapters": chapters,
            "left_out": null,
    });
    page.filling = unbroken(&filling.to_string());
    page.fill_in(&htmls);
    let too_much = too_much(&page);
    if too_much > 0 && has_known {
        // What gives way is found in the sections as they were made.
        return rendered(record.clone(), sections, None);
    }
    if too_much > 0 {
        filling["left_out"] = reduce(&mut htmls, too_much);
        page.filling = unbroken(&filling.to_string());
        page.fill_in(&htmls);
        page.parts.iter_mut().for_each(|part| part.of_results = false);
    }
    page
}

/// How many bytes a page has that it should not have.
fn too_much<T>(page: &Page<T>) -> usize {
    // What the template and the fonts add is far below this, so most pages need not be made to know.
    const AROUND: usize = 500_000;
    let parts: usize = page.parts.iter().map(|part| part.html.len()).sum();
    if page.filling.len() + parts + AROUND < size::MOST {
        return 0;
    }
    (page.html(None).len() + size::OF_A_RUN).saturating_sub(size::MOST)
}

/// A part of the record's JSON that is not there yet: none where that of the page before holds.
type Anew = Cut<Option<String>>;

/// The record as JSON. Where it differs from that of a page before in the author's half alone, all other
/// parts hold.
fn written<T>(record: &StudyRecord, before: Option<&[Cut<T>]>) -> Vec<Anew> {
    let Some(before) = before else { return whole(record) };
    let again = before.iter().map(|cut| {
        let half = cut.half.clone();
        let text = half.as_deref().and_then(|field| of_half(record, field));
        Cut { half, text }
    });
    again.collect()
}

/// Those parts with what holds of the page before.
fn joined<T>(before: Option<Vec<Cut<T>>>, json: Vec<Anew>) -> Vec<Cut<Told<T>>> {
    let mut before = before.unwrap_or_default().into_iter();
    let parts = json.into_iter().map(|Cut { half, text }| {
        let held = before.next().map(|cut| Told::AsBefore(cut.text));
        let text = text.map(Told::Anew).or(held);
        Cut { half, text: text.expect("what is not made anew is of a page before") }
    });
    parts.collect()
}

/// Leaves out of the sections what makes a page too large and stands in a file beside it; gives what is
/// said of that.
fn reduce(htmls: &mut [Option<String>], too_much: usize) -> Json {
    const TO_SAY_SO: usize = 1_000;
    let mut texts: Vec<String> =
        htmls.iter_mut().map(|html| html.take().unwrap_or_default()).collect();
    let left_out = size::reduced(&mut texts, too_much + TO_SAY_SO);
    htmls.iter_mut().zip(texts).for_each(|(html, text)| *html = Some(text));
    json!({
        "tables": left_out.tables, "pictures": left_out.pictures, "still": left_out.still,
    })
}

/// No line ends between a number and its percent sign, nor behind that of a confidence interval.
fn unbroken(text: &str) -> String {
    let mut kept = String::with_capacity(text.len() + 1024);
    let mut rest = text;
    while let Some(at) = rest.find(" %") {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        kept.push(if before.ends_with(|c: char| c.is_ascii_digit()) {
            '\u{a0}'
        } else {
            ' '
        });
        rest = &after[1..];
    }
    kept.push_str(rest);
    const INTERVAL: &str = "\u{a0}% CI ";
    match kept.contains(INTERVAL) {
        true => kept.replace(INTERVAL, "\u{a0}%\u{a0}CI\u{a0}"),
        false => kept,
    }
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("it is plain data")
}

/// The JSON of a whole record.
fn whole(record: &StudyRecord) -> Vec<Anew> {
    // A list that doubles as it grows is copied and touches twice as much; room that nobody has written to
    // is no memory yet.
    let mut text = Vec::with_capacity(ROOM);
    serde_json::to_writer_pretty(&mut text, record).expect("it is plain data");
    text.push(b'\n');
    cut(&String::from_utf8(text).expect("JSON is UTF-8"))
}

/// Units: bytes.
const ROOM: usize = 16 << 20;

/// What the JSON of a record has before each of its fields.
const FIELD: &str = "\n  \"";

/// A field's JSON.
type Spelt = fn(&StudyRecord) -> String;

/// The fields of the author's half, each with its JSON.
const HALF: [(&str, Spelt); 7] = [
    ("deviations", |record| pretty(&record.deviations)),
    ("warnings", |record| pretty(&record.warnings)),
    ("reporting", |record| pretty(&record.reporting)),
    ("checklists", |record| pretty(&record.checklists)),
    ("conflicts", |record| pretty(&record.conflicts)),
    ("quality", |record| pretty(&record.quality)),
    ("risk_of_bias", |record| pretty(&record.risk_of_bias)),
];

/// The value of a field of the author's half, as the JSON of a record has it.
fn of_half(record: &StudyRecord, field: &str) -> Option<String> {
    let (_, told) = HALF.iter().find(|(name, _)| *name == field)?;
    Some(told(record).replace('\n', "\n  "))
}

/// The JSON of a record in parts. Nothing but a field of the record stands two spaces from the margin and
/// begins with a quote.
fn cut(json: &str) -> Vec<Anew> {
    let mut parts = Vec::new();
    let mut done = 0;
    for (at, _) in json.match_indices(FIELD) {
        let field = &json[at + FIELD.len()..];
        let Some((name, value)) = field.split_once("\": ") else { continue };
        if HALF.iter().all(|(half, _)| *half != name) {
            continue;
        }
        // The comma behind it belongs to what follows.
        let Some(end) = value.find(FIELD).map(|next| next - ",".len()) else { continue };
        let begins = json.len() - value.len();
        parts.push(Cut { half: None, text: Some(json[done..begins].to_string()) });
        let text = Some(value[..end].to_string());
        parts.push(Cut { half: Some(name.to_string()), text });
        done = begins + end;
    }
    parts.push(Cut { half: None, text: Some(json[done..].to_string()) });
    parts
}

impl Page {
    /// The record as JSON.
    pub fn record(&self) -> String {
        self.json.iter().map(|cut| cut.text.as_str()).collect()
    }
}

impl<T> Page<T> {
    /// The same with something else in the place of its texts.
    pub fn map<U>(self, mut with: impl FnMut(T) -> U) -> Page<U> {
        let Self { filling, parts, json, figures, tables, checklists, gaps } = self;
        let json = json.into_iter();
        let json = json.map(|Cut { half, text }| Cut { half, text: with(text) });
        let json = json.collect();
        let mut files = |files: Vec<(String, T)>| -> Vec<(String, U)> {
            files.into_iter().map(|(name, text)| (name, with(text))).collect()
        };
        let (figures, tables, checklists) =
            (files(figures), files(tables), files(checklists));
        Page { filling, parts, json, figures, tables, checklists, gaps }
    }

    /// Its texts, in the order in which [`Page::map`] meets them.
    pub fn texts(&self) -> impl Iterator<Item = &T> {
        let files = [&self.figures, &self.tables, &self.checklists].into_iter().flatten();
        self.json.iter().map(|cut| &cut.text).chain(files.map(|(_, text)| text))
    }

    /// The page. What differs from run to run is only in places marked `data-run`; it is told of a run and
    /// the digest that names what it found.
    pub fn html(&self, run: Option<(&RunRecord, &Digest)>) -> String {
        let mut filling: Json =
            serde_json::from_str(&self.filling).expect("it was written as JSON");
        let coarse = filling["coarse"] == true;
        let count = |n: usize| counted(n, coarse);
        filling["run"] = json!(run.map(|(run, found)| {
            json!({
                "when": when(run.started), "computed": count(run.computed),
                "stored": count(run.stored), "failed": count(run.failed),
                "healed": count(run.healed), "nodes": count(run.nodes),
                "engine_digest": short(&run.engine_digest),
                "platform": run.platform, "threads": run.threads,
                "seconds": format!("{:.2}", run.seconds),
                "digest": digest_of(run, found),
                "kinds": run.kinds.iter().map(|of| json!({
                    "kind": of.kind, "computed": count(of.computed),
                    "stored": count(of.stored), "failed": count(of.failed),
                    "seconds": of.seconds.map_or("–".to_string(), |s| format!("{s:.2}")),
                })).collect::<Vec<_>>(),
            })
        }));
        // The template is part of the program, so it can only fail by a mistake of ours.
        let frame = fill("page.html", filling)
            .unwrap_or_else(|error| panic!("the page's template is broken: {error}"));
        self.put_in(&legible(frame))
    }

    /// The page of its template, with what is large in its places. Those are told as comments, which no
    /// author can write: what is not made here is escaped.
    fn put_in(&self, frame: &str) -> String {
        const BEGINS: &str = "<!--put ";
        const ENDS: &str = "-->";
        let fonts = fonts::style();
        let large = |name: &str| match name {
            "fonts" => fonts.as_str(),
            "style" => include_str!("../../templates/style.css"),
            "script" => include_str!("../../templates/page.js"),
            section => {
                let part = self.parts.iter().find(|part| part.section == section);
                part.map_or("", |part| &part.html)
            }
        };
        let mut pieces: Vec<&str> = Vec::new();
        let mut rest = frame;
        while let Some((before, behind)) = rest.split_once(BEGINS) {
            let Some((name, behind)) = behind.split_once(ENDS) else { break };
            pieces.extend([before, large(name)]);
            rest = behind;
        }
        pieces.push(rest);
        pieces.concat()
    }

    /// Its sections from what they were made as.
    fn fill_in(&mut self, htmls: &[Option<String>]) {
        for (part, html) in self.parts.iter_mut().zip(htmls) {
            if let Some(html) = html {
                part.html = legible(unbroken(html));
            }
        }
    }

    /// Its JSON, and what of it can stand on another page of the same results, by section.
    fn of_results(self) -> (Vec<Cut<T>>, BTreeMap<String, Own<T>>) {
        let as_before = |files: Vec<(String, T)>| {
            files.into_iter().map(|(name, text)| (name, Told::AsBefore(text)))
        };
        let mut figures = as_before(self.figures);
        let mut tables = as_before(self.tables);
        let mut checklists = as_before(self.checklists);
        let mut fragments = BTreeMap::new();
        for part in self.parts {
            let fragment = Own {
                html: part.html,
                stands: true,
                figures: figures.by_ref().take(part.figures).collect(),
                tables: tables.by_ref().take(part.tables).collect(),
                checklists: checklists.by_ref().take(part.checklists).collect(),
            };
            if part.of_results {
                fragments.insert(part.section, fragment);
            }
        }
        (self.json, fragments)
    }
}

fn declared(entry: &Entry) -> Declared {
    built(entry).map_or_else(Declared::default, |section| section.declared())
}

fn shows(entry: &Entry) -> Shows {
    built(entry).map_or(Shows::Everything, |section| section.shows())
}

fn built(entry: &Entry) -> Option<Arc<dyn AnySection>> {
    match (entry.build)((entry.defaults)()) {
        Ok(Instance::Section(section)) => Some(section),
        _ => None,
    }
}

/// The sections by chapter, in the order of the chapters; those without one stand alone at the end.
fn chapters<'e>(sections: &[&'e Entry]) -> Vec<(&'static str, Vec<&'e Entry>)> {
    let mut chapters = Vec::new();
    for chapter in Chapter::ALL {
        let of: Vec<&Entry> = sections
            .iter()
            .copied()
            .filter(|entry| declared(entry).chapter == Some(chapter))
            .collect();
        if !of.is_empty() {
            chapters.push((chapter.title(), of));
        }
    }
    let alone = sections.iter().filter(|entry| declared(entry).chapter.is_none());
    chapters.extend(alone.map(|entry| (entry.about.title, vec![*entry])));
    chapters
}

/// The items that a section answers, each with the name of its standard.
fn items<'r>(record: &'r StudyRecord, section: &str) -> Vec<(&'r str, &'r ItemFacts)> {
    let lists = record.checklists.iter();
    let all =
        lists.flat_map(|list| list.items.iter().map(|item| (list.name.as_str(), item)));
    all.filter(|(_, item)| item.section == section).collect()
}

/// Fields that were filled and that no item asks for, for the section where their like stand.
fn unasked(record: &StudyRecord, section: &str) -> Vec<String> {
    let home = |group: &str| match group {
        "cohorts" | "treatments" | "data_quality" => "participants",
        "outcome" | "predictors" | "segmentation" | "imaging" => "measures",
        "analysis" => "analysis",
        "discussion" | "usability" => "interpretation",
        "abstract" | "keywords" => "structured_abstract",
        // The evidence sheet has each answer beside its question.
        "appraisal" => "",
        _ => "open_science",
    };
    let asked = |field: &str| {
        let name = format!("reporting.{field}");
        let mut items = record.checklists.iter().flat_map(|list| &list.items);
        items.any(|item| item.author.iter().any(|said| said.field == name))
    };
    let fields = record.reporting.fields.keys();
    fields
        .filter(|field| match field.starts_with("imaging.ibsi") {
            true => section == "imaging",
            false => home(field.split('.').next().unwrap_or("")) == section,
        })
        .filter(|field| !asked(field))
        .cloned()
        .collect()
}

/// What a section fills, as in "TRIPOD+AI 3a, 3b".
fn tags(
    record: &StudyRecord,
    section: &str,
    items: &[(&str, &ItemFacts)],
) -> Vec<String> {
    let mut tags: Vec<(&str, Vec<&str>)> = Vec::new();
    for (standard, item) in items {
        match tags.iter_mut().find(|(known, _)| known == standard) {
            Some((_, numbers)) => numbers.push(&item.item),
            None => tags.push((standard, vec![&item.item])),
        }
    }
    let named = |(standard, numbers): (&str, Vec<&str>)| {
        let numbers = match standard {
            ibsi::NAME => ibsi::runs(numbers),
            _ => numbers.join(", "),
        };
        format!("{} {numbers}", standards::short(standard))
    };
    let mut tags: Vec<String> = tags.into_iter().map(named).collect();
    let rows = record.quality.iter().flat_map(|quality| &quality.rows);
    let parts = rows.flat_map(|row| &row.parts).filter(|part| part.section == section);
    let mut questions: Vec<&str> = parts.map(|part| rqs::item(&part.part)).collect();
    questions.dedup();
    if !questions.is_empty() {
        tags.push(format!("RQS {}", questions.join(", ")));
    }
    tags
}

/// What the sign of a chapter shows: the worst of its items.
fn worst(statuses: &[Status]) -> Option<Status> {
    let order = [
        Status::Conflict,
        Status::Missing,
        Status::Partial,
        Status::Open,
        Status::Declared,
        Status::Met,
    ];
    order.into_iter().find(|status| statuses.contains(status))
}

/// "1 conflict, 3 missing, 3 partial" over the standards of completeness.
fn counts(record: &StudyRecord) -> String {
    let lists = || record.checklists.iter().filter(|list| list.score.is_none());
    let count =
        |status: Status| -> usize { lists().map(|list| list.count(status)).sum() };
    let found = record.conflicts.iter().filter(|found| found.level == "conflict").count();
    let plural = if found == 1 { "conflict" } else { "conflicts" };
    let words = [
        (found, plural),
        (count(Status::Missing), "missing"),
        (count(Status::Partial), "partly reported"),
    ];
    let words: Vec<String> = words
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    match words.is_empty() {
        true => "every applicable item is reported".to_string(),
        false => format!("{} in all lists", words.join(", ")),
    }
}

/// What a section has on a page and beside it.
struct Own<T> {
    html: String,
    /// Whether its HTML stood on a page already.
    stands: bool,
    figures: Vec<(String, Told<T>)>,
    tables: Vec<(String, Told<T>)>,
    checklists: Vec<(String, Told<T>)>,
}

impl<T> Own<T> {
    fn of(made: Fragment) -> Self {
        let anew = |files: Vec<(String, String)>| {
            files.into_iter().map(|(name, text)| (name, Told::Anew(text))).collect()
        };
        Self {
            html: made.html,
            stands: false,
            figures: anew(made.figures),
            tables: anew(made.tables),
            checklists: anew(made.checklists),
        }
    }
}

/// What a section gives, or why it could not be made.
type Made = Result<Fragment, String>;

/// Sections by name, with the texts that a page has of them.
type Sections<'e, T> = BTreeMap<&'e str, Result<Own<T>, String>>;

/// The record as JSON and the sections by name. Those of results alone are made of a record without the
/// author's half, so that what they show cannot hang on it; `known` has those that are made already.
fn all_made<'e, T: Sync>(
    sections: &[&'e Entry],
    record: &mut StudyRecord,
    before: Option<&[Cut<T>]>,
    known: &mut BTreeMap<String, Own<T>>,
) -> (Vec<Anew>, Sections<'e, T>) {
    let of_results = |entry: &&&Entry| shows(entry) == Shows::Results;
    let (of_results, others): (Vec<&Entry>, Vec<&Entry>) =
        sections.iter().partition(of_results);
    let mut all = BTreeMap::new();
    let mut missing = Vec::new();
    for entry in of_results {
        match known.remove(entry.about.name) {
            Some(fragment) => drop(all.insert(entry.about.name, Ok(fragment))),
            None => missing.push(entry),
        }
    }
    let own = |made: BTreeMap<&'e str, Made>| {
        made.into_iter().map(|(name, of)| (name, of.map(Own::of)))
    };
    if !missing.is_empty() {
        let half = record.take_authors_half();
        all.extend(own(made(&missing, record)));
        record.give_back(half);
    }
    let record = &*record;
    // Sections know nothing of each other; the record is written out beside them.
    let (json, others) =
        rayon::join(|| written(record, before), || made(&others, record));
    all.extend(own(others));
    (json, all)
}

/// The sections by name, two halves at a time.
fn made<'e>(sections: &[&'e Entry], record: &StudyRecord) -> BTreeMap<&'e str, Made> {
    match sections {
        [] => BTreeMap::new(),
        [only] => BTreeMap::from([(only.about.name, section(only, record))]),
        several => {
            let (first, second) = several.split_at(several.len() / 2);
            let (mut all, more) =
                rayon::join(|| made(first, record), || made(second, record));
            all.extend(more);
            all
        }
    }
}

/// A section, with the places of its numbers written short.
fn section(entry: &Entry, record: &StudyRecord) -> Made {
    let render = || match built(entry) {
        Some(section) => section.render(record).map_err(|failure| failure.to_string()),
        None => Err("it is no section".to_string()),
    };
    let rendered = catch_unwind(AssertUnwindSafe(render))
        .unwrap_or_else(|_| Err("the program made a mistake here".to_string()));
    rendered.map(|fragment| Fragment { html: shortened(&fragment.html), ..fragment })
}

/// The box that stands where a section could not be made: one that fails never fails the report.
fn not_made(why: &str) -> Fragment {
    Fragment {
        html: format!(
            "<div class=\"wrongbox\" role=\"note\"><b>This section could not be made.</b> {}</div>",
            escape(why)
        ),
        ..Fragment::default()
    }
}

/// Whether the number of nodes tells that of patients, of whom it must not be told.
fn tells_patients(record: &StudyRecord) -> bool {
    let mut groups = record.graph.groups.iter();
    record.suppression.is_some() && groups.any(|group| group.scope == Scope::PerSubject)
}

/// A number of nodes; where it would tell patients, in hundreds as in the record.
fn counted(n: usize, coarse: bool) -> String {
    match coarse && n > 0 {
        true => format!("up to {}", shown::counted(n.div_ceil(100) * 100)),
        false => shown::counted(n),
    }
}

/// What names a run: everything that its own record has, but for what tells of the files made of that, and
/// what it found, by its digest.
fn digest_of(run: &RunRecord, found: &Digest) -> String {
    let files = RunRecord { written: Vec::new(), report: Vec::new(), ..run.clone() };
    let own = json!(files).to_string();
    let mut naming = Naming::new("restudy run v2");
    naming.add(own.as_bytes());
    naming.add(found.as_bytes());
    short(&naming.digest().to_string())
}

fn short(digest: &str) -> String {
    digest.chars().take("blake3:".len() + 12).collect()
}

/// Seconds since 1970 as a date in UTC, by Hinnant's algorithm for the proleptic calendar.
fn when(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524
        - day_of_era / 146_096)
        / 365;
    let day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::unbroken;

    #[test]
    fn a_number_keeps_its_percent_sign() {
        assert_eq!(unbroken("95 % of 5 % %"), "95\u{a0}% of 5\u{a0}% %");
        assert_eq!(unbroken("(95 % CI 0.1"), "(95\u{a0}%\u{a0}CI\u{a0}0.1");
    }

    use super::{counted, when};

    #[test]
    fn nodes_of_patients_are_counted_in_hundreds() {
        assert_eq!(
            (counted(237, false), counted(237, true)),
            ("237".into(), "up to 300".into())
        );
        assert_eq!(counted(0, true), "0");
    }

    #[test]
    fn dates_are_right() {
        assert_eq!(when(0), "1970-01-01 00:00 UTC");
        assert_eq!(when(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(when(1_795_515_599), "2026-11-24 10:19 UTC");
    }
}
