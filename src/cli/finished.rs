//! What a finished run gave, kept for the run before which nothing has changed: page, lock, headlines
//! and what was said of the data. Such a run asks whether its files are the same and writes its report; it
//! reads no table and plans nothing. Where only the author's half of the report has changed, the page is
//! made anew from the record that was kept.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::load::Parsed;
use super::output::{self, Results, Text};
use crate::catalog::Catalog;
use crate::data::{AssociationFacts, ProtocolFacts, StudyRecord};
use crate::diagnostics::{Diagnostic, Place, Severity, Span, sort};
use crate::digest::{Digest, canonical_json};
use crate::plan::States;
use crate::report::Page;
use crate::review::Lock;
use crate::run::Found;
use crate::spec::Study;
use crate::store::Store;
use crate::survey::{GivenFile, Survey};

/// What a run gave of which every node was done and none had failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finished {
    /// The study's whole text.
    pub text: Digest,
    pub engine: String,
    pub n_nodes: usize,
    /// Nodes by kind.
    pub kinds: Vec<(String, usize)>,
    pub page: Page<Text>,
    pub results: Results,
    /// Names what has the texts of both that are kept: where only some are needed, or none, the others are
    /// not read.
    pub texts: Option<Digest>,
    pub lock: Lock,
    /// By analysis, in the study's order: primary metric and what it is.
    pub headlines: Vec<Headline>,
    /// What the data made us say.
    pub of_data: OfData,
    pub held: Held,
    pub source: Source,
}

/// What is told by the data of a study. Places are those in its text without the author's half, which
/// may have another length the next time; none is in that half.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OfData(Vec<Diagnostic>);

impl OfData {
    /// None where the author's half is spoken of.
    pub fn of(faults: &[Diagnostic], text: &str) -> Option<Self> {
        let Some(halves) = Halves::of(text) else { return Some(Self(faults.to_vec())) };
        let faults = faults.iter().map(|fault| {
            let place = match &fault.place {
                Place::Study(span) => Place::Study(halves.without(*span)?),
                other => other.clone(),
            };
            Some(Diagnostic { place, ..fault.clone() })
        });
        faults.collect::<Option<_>>().map(Self)
    }

    /// Adds it to what is said of a text.
    fn add_to(&self, faults: &mut Vec<Diagnostic>, text: &str) {
        let halves = Halves::of(text);
        faults.extend(self.0.iter().map(|fault| {
            let place = match (&fault.place, &halves) {
                (Place::Study(span), Some(halves)) => Place::Study(halves.with(*span)),
                (other, _) => other.clone(),
            };
            Diagnostic { place, ..fault.clone() }
        }));
        sort(faults);
    }
}

/// From what the page is made anew when the author's half changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Source {
    /// Names the record as the page shows it. It is kept beside the rest: nobody else reads it.
    record: Option<Digest>,
    /// What was warned of once it was planned, in whole numbers.
    planned: Vec<String>,
    /// By these it is told what a warning must not say.
    associations: Vec<AssociationFacts>,
}

impl Source {
    /// That of a whole record, where it is to be kept; and the record as the report shows it.
    pub fn of(
        record: StudyRecord,
        study: &Study,
        warned: &[String],
        keep: Option<&Store>,
    ) -> (Self, StudyRecord) {
        let planned = record.warnings.iter().filter(|known| !warned.contains(known));
        let planned = planned.cloned().collect();
        let associations = match study.smallest_cell() {
            Some(_) => record.associations.clone(),
            None => Vec::new(),
        };
        let shown = shown(study, record);
        let record = keep.and_then(|store| keep_record(&shown, store));
        (Self { record, planned, associations }, shown)
    }

    /// The record with the author's half of this text.
    fn told(
        &self,
        mut record: StudyRecord,
        faults: &[Diagnostic],
        study: &Study,
    ) -> StudyRecord {
        record.warnings = warnings(faults);
        record.warnings.extend(self.planned.iter().cloned());
        if study.smallest_cell().is_some() {
            crate::run::suppressed_warnings(&mut record.warnings, &self.associations);
        }
        crate::run::retell(&mut record, study);
        record
    }
}

/// What the report was made of, as the store held it when the run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    records: Vec<Digest>,
    results: Vec<Digest>,
    stamp: Digest,
}

impl Held {
    pub fn of(found: &Found, survey: &Survey, states: &States, store: &Store) -> Self {
        let keys = found.keys().filter_map(|node| states.keys[node.index()]);
        let surveyed = survey.performed.iter().map(|done| done.key);
        let mut records: Vec<Digest> = keys.chain(surveyed).collect();
        let outputs = found.keys().flat_map(|node| &states.outputs[node.index()]);
        let outputs = outputs.flatten();
        let surveyed = survey.performed.iter().flat_map(|done| &done.outputs);
        let results = outputs.chain(surveyed).map(|(_, digest)| *digest);
        // Small results stand in their records.
        let mut results: Vec<Digest> =
            results.filter(|digest| store.has_blob(digest)).collect();
        records.sort_unstable();
        records.dedup();
        results.sort_unstable();
        results.dedup();
        let stamp = store.stamp(&records, &results);
        Self { records, results, stamp }
    }

    /// Whether the store holds it as it did.
    fn untouched(&self, store: &Store) -> bool {
        store.stamp(&self.records, &self.results) == self.stamp
    }
}

/// The primary metric of an analysis.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Headline {
    pub analysis: String,
    pub metric: String,
    /// Estimate with its limits, if it could be had.
    pub value: Option<(f64, Option<f64>, Option<f64>)>,
    /// Outer splits with a result and how many there are, where some have none.
    pub of_splits: Option<(usize, usize)>,
    /// Outer splits in which the prevalence stood in for a model, and how many there are.
    pub stand_in: Option<(usize, usize)>,
}

impl Headline {
    /// Those of a record.
    pub fn of(record: &StudyRecord) -> Vec<Self> {
        let analyses = record.analysis_order.iter().map(|name| {
            let analysis = &record.analyses[name];
            let value = analysis.performance.get(&analysis.primary);
            Self {
                analysis: name.clone(),
                metric: analysis.primary.clone(),
                value: value.map(|found| (found.estimate, found.lower, found.upper)),
                of_splits: analysis
                    .judged
                    .as_ref()
                    .map(|judged| (judged.n_splits, judged.of_splits))
                    .filter(|(found, all)| found < all),
                stand_in: analysis.stand_in.as_ref().map(|of| (of.folds, of.of)),
            }
        });
        analyses.collect()
    }
}

/// The name of everything that decides what a run gives: study, files, catalogue, the key of the
/// patients' names, deviations from a locked protocol and this very program. Of the study, all but the
/// author's half of the report; the whole where that cannot be told apart by its lines.
pub fn key(
    text: &str,
    study: &Study,
    files: &BTreeMap<String, Vec<GivenFile>>,
    catalog: &Catalog,
    name_key: &[u8; 32],
    protocol: Option<&ProtocolFacts>,
) -> Option<Digest> {
    let halves = Halves::of(text);
    let text = halves.as_ref().map_or(text, |halves| &halves.rest);
    let sources = files.iter().map(|(name, files)| {
        let files = files.iter().map(|file| json!([file.shown, file.digest]));
        json!([name, files.collect::<serde_json::Value>()])
    });
    let decides = canonical_json(&json!({
        "program": program(catalog)?,
        "study": Digest::of(text.as_bytes()),
        "decides": study.digest(),
        "names": Digest::of(name_key),
        "sources": sources.collect::<serde_json::Value>(),
        "protocol": protocol,
    }));
    Some(Digest::derive("restudy finished run v7", decides.as_bytes()))
}

/// Under this name stands the key of the newest finished run of a text, whatever its author's half.
fn name_of(text: &str) -> Digest {
    let halves = Halves::of(text);
    let text = halves.as_ref().map_or(text, |halves| &halves.rest);
    Digest::derive("restudy finished run of a text v1", text.as_bytes())
}

/// The text of a study, parted by who writes what.
#[derive(Debug, PartialEq)]
struct Halves {
    /// All but the lines of `reporting:`.
    rest: String,
    /// Where in the text those lines are.
    author: Span,
}

impl Halves {
    /// None where another part may refer to the author's half.
    fn of(text: &str) -> Option<Self> {
        let mut rest = String::new();
        let mut author: Option<Span> = None;
        let (mut inside, mut at) = (false, 0);
        for line in text.split_inclusive('\n') {
            if line.starts_with("reporting:") {
                if author.is_some() {
                    return None;
                }
                inside = true;
                author = Some(Span { start: at, end: at });
            } else if !line.starts_with([' ', '\t', '\r', '\n', '#']) {
                inside = false;
            }
            at += line.len();
            match (&mut author, inside) {
                // An anchor may be meant elsewhere.
                (Some(_), true) if line.contains('&') => return None,
                (Some(author), true) => author.end = at,
                _ => rest.push_str(line),
            }
        }
        let author = author.unwrap_or(Span { start: at, end: at });
        Some(Self { rest, author })
    }

    /// A place of the text, in the rest. None where it is in the author's half.
    fn without(&self, span: Span) -> Option<Span> {
        let Span { start, end } = self.author;
        let of = |at: usize| match at {
            at if at <= start => Some(at),
            at if at >= end => Some(at - (end - start)),
            _ => None,
        };
        // What begins where that half begins, is in it.
        let inside = span.start == start && span.end > start && start < end;
        let span = Span { start: of(span.start)?, end: of(span.end)? };
        (!inside).then_some(span)
    }

    /// A place of the rest, in the text.
    fn with(&self, span: Span) -> Span {
        let Span { start, end } = self.author;
        let begins = |at: usize| if at < start { at } else { at + (end - start) };
        // What ends where that half begins, ends before it.
        let ends = |at: usize| if at <= start { at } else { at + (end - start) };
        Span { start: begins(span.start), end: ends(span.end).max(begins(span.start)) }
    }
}

/// What names this very program: two builds of one version may say one thing differently.
pub fn program(catalog: &Catalog) -> Option<serde_json::Value> {
    let program = std::env::current_exe().ok()?.metadata().ok()?;
    let built = program.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let operations =
        catalog.all().iter().map(|of| json!([of.about.name, of.about.version]));
    Some(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "built": [program.len(), built.as_nanos().to_string()],
        "operations": operations.collect::<serde_json::Value>(),
    }))
}

/// A name for all operations with their versions.
pub fn operations(catalog: &Catalog) -> Digest {
    let operations =
        catalog.all().iter().map(|of| json!([of.about.name, of.about.version]));
    let all =
        json!([env!("CARGO_PKG_VERSION"), operations.collect::<serde_json::Value>()]);
    Digest::derive("restudy operations v1", canonical_json(&all).as_bytes())
}

/// The record as a report shows it.
fn shown(study: &Study, record: StudyRecord) -> StudyRecord {
    match study.smallest_cell() {
        Some(smallest) => {
            let shown = crate::run::suppressed(&record, smallest);
            // The process is about to end: giving a large record back piece by piece takes longer.
            std::mem::forget(record);
            shown
        }
        None => record,
    }
}

/// Keeps a record for a run that has another author's half; gives its name.
fn keep_record(record: &StudyRecord, store: &Store) -> Option<Digest> {
    store.index_write(None, |file| encode(record, file)).ok()
}

/// Megabytes: they are written as they are made.
fn encode(value: &impl Serialize, file: &mut dyn Write) -> std::io::Result<()> {
    let mut pieces = std::io::BufWriter::with_capacity(1 << 16, file);
    postcard::to_io(value, &mut pieces).map_err(std::io::Error::other)?;
    pieces.flush()
}

/// What `check` warns of, in its words.
pub fn warnings(faults: &[Diagnostic]) -> Vec<String> {
    let warnings = faults.iter().filter(|fault| fault.severity == Severity::Warning);
    warnings.map(|warning| warning.message.clone()).collect()
}

/// What the newest finished run of a text gave, read while its files are looked at: most likely it is
/// asked for.
pub struct Ahead {
    key: Digest,
    finished: Finished,
    /// Where the author's half is another one.
    record: Option<StudyRecord>,
}

impl Ahead {
    pub fn read(study: &Path, store: &Store) -> Option<Self> {
        let text = std::fs::read_to_string(study).ok()?;
        let key = store.index_get(&name_of(&text))?;
        let key = Digest::from_bytes(key.try_into().ok()?);
        let finished = Finished::kept(store, &key)?;
        let other = finished.text != Digest::of(text.as_bytes());
        let record = finished.source.record.filter(|_| other);
        let record = || record.and_then(|of| read_record(&of, store));
        let (record, untouched) = rayon::join(record, || finished.held.untouched(store));
        untouched.then_some(Self { key, finished, record })
    }

    /// If it is the one that is wanted.
    fn of(ahead: Option<Self>, key: &Digest) -> Option<(Finished, Option<StudyRecord>)> {
        let ahead = ahead.filter(|ahead| ahead.key == *key)?;
        Some((ahead.finished, ahead.record))
    }
}

fn read_record(name: &Digest, store: &Store) -> Option<StudyRecord> {
    postcard::from_bytes(&store.index_get(name)?).ok()
}

impl Finished {
    /// None as well when somebody has touched the store since: then every result is looked at.
    fn read(store: &Store, key: &Digest) -> Option<Self> {
        Self::kept(store, key).filter(|finished| finished.held.untouched(store))
    }

    fn kept(store: &Store, key: &Digest) -> Option<Self> {
        postcard::from_bytes(&store.index_get(key)?).ok()
    }

    /// What a run with this key gave, as this text tells it, which may differ in the author's half of the
    /// report; and all that is said of the text.
    pub fn told(
        parsed: &Parsed,
        key: &Digest,
        ahead: Option<Ahead>,
        catalog: &Catalog,
        store: &Store,
    ) -> Option<(Self, Vec<Diagnostic>)> {
        let ahead = Ahead::of(ahead, key);
        let (mut finished, record) =
            ahead.or_else(|| Self::read(store, key).map(|read| (read, None)))?;
        let mut faults = parsed.faults.clone();
        finished.of_data.add_to(&mut faults, &parsed.text);
        if finished.text == Digest::of(parsed.text.as_bytes()) {
            return Some((finished, faults));
        }
        let study = parsed.study.as_ref()?;
        let record = match record {
            Some(record) => record,
            None => read_record(&finished.source.record?, store)?,
        };
        let record = finished.source.told(record, &faults, study);
        finished.page = output::page_again(catalog, record, finished.page);
        Some((finished, faults))
    }

    /// The index is disposable: without it the next run plans again.
    pub fn keep(mut self, store: &Store, key: &Digest, text: &str) {
        let mut of_results: Vec<&mut Text> = self.results.texts().collect();
        let of_page = self.page.texts();
        let texts: Option<Vec<&[u8]>> = of_page
            .chain(of_results.iter().map(|text| &**text))
            .map(Text::bytes)
            .collect();
        // Where some are kept already, so is the whole.
        let Some(texts) = texts else { return };
        let Ok((name, pieces)) = store.keep_pieces(&texts) else { return };
        self.texts = Some(name);
        let mut pieces = pieces.into_iter().map(Text::Kept);
        let mut next = || pieces.next().expect("each text has one");
        self.page = self.page.map(|_| next());
        of_results.iter_mut().for_each(|text| **text = next());
        drop(store.index_write(Some(key), |file| encode(&self, file)));
        drop(store.index_put(&name_of(text), key.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::Halves;
    use crate::diagnostics::Span;

    fn rest(text: &str) -> Option<String> {
        Halves::of(text).map(|halves| halves.rest)
    }

    #[test]
    fn the_authors_half_is_told_by_its_lines() {
        let study = "a: 1\nreporting:\n  ppi: none\n# more\n  title: x\nb: 2\n";
        assert_eq!(rest(study).unwrap(), "a: 1\nb: 2\n");
        assert_eq!(rest("a: 1\n").unwrap(), "a: 1\n");
        assert_eq!(rest("reporting: { ppi: &x none }\nb: *x\n"), None);
        assert_eq!(rest("reporting: {}\nreporting: {}\n"), None);
    }

    #[test]
    fn a_place_outside_of_the_authors_half_is_found_in_another_text() {
        let one = "a: 1\nreporting:\n  ppi: none\nbc: 2\n";
        let other = "a: 1\nreporting:\n  ppi: nobody was asked\n  aim: x\nbc: 2\n";
        let span = |text: &str, part: &str| {
            let start = text.find(part).unwrap();
            Span { start, end: start + part.len() }
        };
        let [of_one, of_other] = [one, other].map(|text| Halves::of(text).unwrap());
        for part in ["a", "a: 1\n", "bc", "bc: 2\n"] {
            let found = of_one.without(span(one, part)).unwrap();
            assert_eq!(of_other.with(found), span(other, part), "{part}");
            assert_eq!(of_one.with(found), span(one, part), "{part}");
        }
        for part in ["reporting:", "ppi", "reporting:\n  ppi: none\n", "none\nbc"] {
            assert_eq!(of_one.without(span(one, part)), None, "{part}");
        }
        let none = Halves::of("a: 1\nb: 2\n").unwrap();
        for start in 0..9 {
            let span = Span { start, end: 10 };
            assert_eq!(none.without(span).map(|found| none.with(found)), Some(span));
        }
    }
}
