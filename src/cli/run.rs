//! `restudy run`: computes what is new and writes the report.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::finished::{self, Ahead, Finished, Headline};
use super::output::{self, OutputError, Text, Written};
use super::{Exit, load, locked, why};
use crate::catalog::Catalog;
use crate::data::{KindRun, RunRecord, StudyRecord};
use crate::diagnostics::{Diagnostic, any_error, visible};
use crate::digest::Digest;
use crate::plan::{self, Node, Plan, Remembered, State, States};
use crate::review::{Lock, Protocol};
use crate::run::{self, Done, Found, How, Options, Watch};
use crate::spec::Study;
use crate::store::Mode;
use crate::survey::{self, GivenFile, Location, Reading, Survey};

/// Compute what is new and write the report
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The study
    pub study: PathBuf,
    /// Threads; one per core by default
    #[arg(long, short, default_value_t = 0, hide_default_value = true, value_name = "N")]
    pub jobs: usize,
    /// Where results rest; `.restudy` beside the study by default
    #[arg(long, env = "RESTUDY_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Where the report goes; `runs/<study>` beside the study by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Refuse to differ from the lock file beside the study
    #[arg(long)]
    pub locked: bool,
    /// Compute these nodes again although they are stored; a glob
    #[arg(long, value_name = "NODE")]
    pub refresh: Vec<String>,
    /// Compute this share of the stored nodes again and compare, from 0 to 1
    #[arg(long, value_name = "P", value_parser = share)]
    pub recheck: Option<f64>,
    /// Start ready nodes in a random order, to show that the order does not matter
    #[arg(long, value_name = "SEED", hide = true)]
    pub shuffle: Option<u64>,
    /// Say nothing but where the report is
    #[arg(long, short, conflicts_with = "json")]
    pub quiet: bool,
    /// For machines: one JSON object at the end
    #[arg(long)]
    pub json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share from 0 to 1 is needed".to_string()),
    }
}

pub fn run(args: &Run) -> Exit {
    run_with(args, &Catalog::standard())
}

/// The same with another catalogue, for operations that live outside of this program.
pub fn run_with(args: &Run, catalog: &Catalog) -> Exit {
    let began = Instant::now();
    let started =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let places = load::Places::new(&args.study, args.store.as_deref());
    // Neither store nor key is made for a study that is not there.
    let is_there = args.study.exists() && !args.study.is_dir();
    let mode = if is_there { Mode::ReadWrite } else { Mode::ReadOnly };
    let Some(opened) = load::open_or_say(&places, mode) else {
        return Exit::Change;
    };
    let reading = opened.reading(&places);
    let mut running = Running {
        args,
        places: &places,
        opened: &opened,
        catalog,
        protocol: None,
        started,
        began,
    };
    let as_before = args.refresh.is_empty() && args.recheck.is_none();
    let (parsed, ahead, files) = std::thread::scope(|scope| {
        let ahead = || Ahead::read(&places.study, &opened.store);
        let ahead = as_before.then(|| scope.spawn(ahead));
        let parsed = load::parsed(&places, catalog);
        let study = parsed.sound().filter(|_| as_before);
        let files = study.and_then(|study| survey::located(study, &reading));
        (parsed, ahead.and_then(|ahead| ahead.join().ok().flatten()), files)
    });
    if let (Some(study), Some(files)) = (parsed.sound(), files) {
        match running.as_before(&parsed, study, &files, ahead) {
            Ok(Some(exit)) | Err(exit) => {
                std::mem::forget(parsed);
                return exit;
            }
            Ok(None) => {}
        }
    }
    let mut loaded = parsed.looked_at(&places, &reading);
    let sound = loaded.study.as_ref().filter(|_| !any_error(&loaded.faults));
    if let Some(study) = sound
        && let Err(exit) = running.hold_to_protocol(study)
    {
        return exit;
    }
    let key =
        sound.and_then(|study| running.key(&loaded.text, study, &loaded.survey.files()));
    let exit = running.anew(&mut loaded, &reading, key);
    // The process is about to end: giving a large survey back piece by piece takes longer.
    std::mem::forget(loaded);
    exit
}

/// Whether a source had to be read anew. It may have been damaged; then every result is looked at.
fn read_anew(survey: &Survey) -> bool {
    survey.performed.iter().any(|done| done.computed)
}

/// A study whose run goes on from what is known of it to its files, its lock and its last words.
struct Running<'a> {
    args: &'a Run,
    places: &'a load::Places,
    opened: &'a load::Opened,
    catalog: &'a Catalog,
    /// What was locked, with the deviations of this run.
    protocol: Option<Protocol>,
    /// Seconds since 1970.
    started: u64,
    began: Instant,
}

impl Running<'_> {
    /// Looks for the study's protocol, and notes and says in what this run deviates from it.
    fn hold_to_protocol(&mut self, study: &Study) -> Result<(), Exit> {
        let (args, store) = (self.args, &self.opened.store);
        self.protocol = locked::protocol(self.places, store, study, !args.locked)?;
        let deviations = self.protocol.as_ref().map(Protocol::facts);
        if let Some(told) = deviations.as_ref().and_then(locked::told)
            && !args.quiet
            && !args.json
        {
            eprintln!("note: {told}");
        }
        Ok(())
    }

    /// The name of what this run gives.
    fn key(
        &self,
        text: &str,
        study: &Study,
        files: &BTreeMap<String, Vec<GivenFile>>,
    ) -> Option<Digest> {
        let deviations = self.protocol.as_ref().map(Protocol::facts);
        let name_key = &self.opened.name_key.bytes;
        finished::key(text, study, files, self.catalog, name_key, deviations.as_ref())
    }

    /// A run of which something is new. `key` names what a run gives where it can be kept for the next.
    fn anew(
        &self,
        loaded: &mut load::Loaded,
        reading: &Reading<'_>,
        key: Option<Digest>,
    ) -> Exit {
        let args = self.args;
        let warned = finished::warnings(&loaded.faults);
        loaded.plan();
        if !args.quiet || loaded.plan.is_none() {
            self.warn(&loaded.faults, &loaded.text);
        }
        let (Some((plan, _)), Some(study)) = (&loaded.plan, &loaded.study) else {
            return Exit::Change;
        };
        let is_no_node =
            |glob: &String| why::chosen_or_say(plan, glob, &args.study).is_empty();
        if args.refresh.iter().any(is_no_node) {
            return Exit::Change;
        }
        let (done, found) = match self.executed(study, &loaded.survey, plan, reading) {
            Ok(executed) => executed,
            Err(exit) => return exit,
        };
        if let Some(exit) = unfinished(&done) {
            return exit;
        }
        self.reported(loaded, (done, found), key, warned)
    }

    /// Runs the plan and keeps what the next run asks for.
    fn executed(
        &self,
        study: &Study,
        survey: &Survey,
        plan: &Plan,
        reading: &Reading<'_>,
    ) -> Result<(Done, Found), Exit> {
        let (args, store) = (self.args, &self.opened.store);
        let interrupted = Arc::new(AtomicBool::new(false));
        stop_on_signal(&interrupted);
        let mut options = Options {
            jobs: args.jobs,
            refresh: args.refresh.clone(),
            recheck: args.recheck.unwrap_or(0.0),
            shuffle: args.shuffle,
            interrupted: &interrupted,
        };
        let speaks = !args.quiet && !args.json;
        let plan_key = plan::plan_key(plan);
        let mut indexed = plan::read_index(&plan_key, plan, store);
        // Twice at most: once more without the index, when what the report needs is damaged.
        let mut again = false;
        let (mut done, found) = loop {
            let known = indexed.take().unwrap_or_else(|| {
                let remembered = match read_anew(survey) || again {
                    true => Remembered::default(),
                    false => Remembered::of(&self.places.name, store),
                };
                plan::states(plan, survey, store, &remembered)
            });
            if speaks {
                announce(plan, survey, &known);
                // What is to be computed again is no news to whoever asked for it.
                if options.refresh.is_empty() && options.recheck == 0.0 {
                    let fits = plan::fits(study, plan, &known, store);
                    eprintln!("fits to make: {}", fits.in_words());
                }
            }
            let watch = Progress::new(plan, &known, speaks);
            let done =
                run::execute(study, survey, plan, known, reading, &options, &watch)
                    .map_err(|error| {
                        eprintln!("error: {error}");
                        Exit::Failed
                    })?;
            watch.end();
            match run::found(plan, &done, store) {
                Ok(found) => break (done, found),
                Err(_) if again => {
                    eprintln!(
                        "error: the store loses results while the study runs; is its disk sound?"
                    );
                    return Err(Exit::Failed);
                }
                // Nobody has read what was damaged, so nobody has made it anew.
                Err(lost) => options.refresh.extend(lost),
            }
            again = true;
        };
        if done.count(|how| *how != How::Stored) > 0 {
            if let Err(error) = run::write(store, &self.places.name, plan, &mut done) {
                eprintln!("warning: the run's journal is not kept: {error}");
            }
            let is_sound = |how: &How| {
                matches!(how, How::Stored | How::Taken | How::Computed | How::CutOff)
            };
            if done.how.iter().all(is_sound) {
                plan::write_index(&plan_key, plan, &done.states, store);
                Remembered::keep(&self.places.name, &done.states, store);
            }
        }
        for healed in store.healed() {
            eprintln!("note: {healed}");
        }
        if let Err(error) = self.opened.files.save() {
            eprintln!("warning: file digests are not kept: {error}");
        }
        Ok((done, found))
    }

    /// Makes the record and the page of what was found, writes them, and keeps them for the next run.
    fn reported(
        &self,
        loaded: &load::Loaded,
        (done, found): (Done, Found),
        key: Option<Digest>,
        warned: Vec<String>,
    ) -> Exit {
        let (Some((plan, proof)), Some(study)) = (&loaded.plan, &loaded.study) else {
            unreachable!("it was run")
        };
        let (survey, store) = (&loaded.survey, &self.opened.store);
        let (models, mut record) = rayon::join(
            || run::models(study, survey, plan, &found),
            || {
                let certificate = plan::certificate(study, proof);
                let warnings = finished::warnings(&loaded.faults);
                run::record(study, survey, plan, &found, &done, certificate, warnings)
            },
        );
        record.full_models =
            run::full_models(study, survey, plan, &found, &done, &models);
        record.protocol = self.protocol.as_ref().map(Protocol::facts);
        let of_data = finished::OfData::of(&loaded.of_data, &loaded.text);
        let keeps = key.filter(|_| done.failed() == 0 && of_data.is_some());
        let keep = keeps.map(|_| store);
        let (source, record) = finished::Source::of(record, study, &warned, keep);
        let run_record = RunRecord {
            computed: done.computed(),
            stored: done.count(|how| matches!(how, How::Stored | How::Taken)),
            failed: done.failed(),
            cut_off: done.count(|how| *how == How::CutOff),
            kinds: kinds(plan, &done),
            ..self.run_record(
                &loaded.text,
                &survey.files(),
                &record.engine,
                done.how.len(),
            )
        };
        let written = || {
            let mut results = output::Results {
                predictions: Text::here(run::predictions(study, survey, plan, &found)),
                models: Vec::new(),
                without_model: Vec::new(),
            };
            for (name, model) in models {
                match model {
                    Ok(model) => {
                        results.models.push(output::ModelFiles::of(name, model));
                    }
                    Err(why) => results.without_model.push((name, why)),
                }
            }
            results
        };
        let exit = failures(plan, &done, &record);
        let lock = Lock::of(&record, plan, &done.states);
        let headlines = Headline::of(&record);
        let engine = record.engine.clone();
        let (results, page) = rayon::join(written, || output::page(self.catalog, record));
        let kinds = run_record.kinds.iter();
        let finished = Finished {
            text: Digest::of(loaded.text.as_bytes()),
            engine,
            n_nodes: done.how.len(),
            kinds: kinds
                .map(|of| (of.kind.clone(), of.computed + of.stored + of.failed))
                .collect(),
            page,
            results,
            texts: None,
            lock,
            headlines,
            of_data: of_data.unwrap_or_default(),
            held: finished::Held::of(&found, survey, &done.states, store),
            source,
        };
        let keeps = keeps.filter(|_| exit == Exit::Fine);
        let exit = match self.files(&run_record, &finished) {
            Ok(report) => self.said(&run_record, &finished, &report, exit),
            Err(error) => unwritten(&error),
        };
        match keeps {
            Some(key) => finished.keep(store, &key, &loaded.text),
            // The process is about to end: giving large values back piece by piece takes longer.
            None => std::mem::forget(finished),
        }
        std::mem::forget((found, done));
        exit
    }

    /// What is to be told of this run alone.
    fn run_record(
        &self,
        text: &str,
        of_sources: &BTreeMap<String, Vec<GivenFile>>,
        engine: &str,
        nodes: usize,
    ) -> RunRecord {
        let jobs = self.args.jobs;
        RunRecord {
            engine: engine.to_string(),
            engine_digest: finished::operations(self.catalog).to_string(),
            started: self.started,
            seconds: self.began.elapsed().as_secs_f64(),
            host: host(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: if jobs == 0 { rayon::current_num_threads() } else { jobs },
            nodes,
            computed: 0,
            stored: nodes,
            failed: 0,
            healed: self.opened.store.healed().len(),
            cut_off: 0,
            kinds: Vec::new(),
            spec_path: file_name(&self.places.study),
            spec_digest: Digest::of(text.as_bytes()).to_string(),
            files: files(of_sources),
            // Known once they are written.
            written: Vec::new(),
            report: Vec::new(),
        }
    }

    /// A run before which nothing has changed but the author's half: no table is read. None where anything
    /// else has, or what was kept is lost: then the data are looked at.
    fn as_before(
        &mut self,
        parsed: &load::Parsed,
        study: &Study,
        files: &BTreeMap<String, Vec<GivenFile>>,
        ahead: Option<Ahead>,
    ) -> Result<Option<Exit>, Exit> {
        let store = &self.opened.store;
        // Nothing is noted in the lock file before it is known that this run is one.
        self.protocol = locked::protocol(self.places, store, study, false)?;
        let told = self
            .key(&parsed.text, study, files)
            .and_then(|key| Finished::told(parsed, &key, ahead, self.catalog, store));
        let Some((finished, faults)) = told else { return Ok(None) };
        let n = finished.n_nodes;
        let stored = finished.kinds.iter().map(|(kind, n)| KindRun {
            kind: kind.clone(),
            computed: 0,
            stored: *n,
            failed: 0,
            seconds: None,
        });
        let run_record = RunRecord {
            kinds: stored.collect(),
            ..self.run_record(&parsed.text, files, &finished.engine, n)
        };
        let written = self.files(&run_record, &finished);
        if matches!(written, Err(OutputError::Lost)) {
            return Ok(None);
        }
        self.hold_to_protocol(study)?;
        if !self.args.quiet {
            self.warn(&faults, &parsed.text);
        }
        if !self.args.quiet && !self.args.json {
            eprintln!("{n} nodes: {n} stored, 0 new, 0 waiting for those");
        }
        if let Err(error) = self.opened.files.save() {
            eprintln!("warning: file digests are not kept: {error}");
        }
        let exit = match written {
            Ok(report) => self.said(&run_record, &finished, &report, Exit::Fine),
            Err(error) => unwritten(&error),
        };
        // The process is about to end: giving a large record back piece by piece takes longer.
        std::mem::forget(finished);
        Ok(Some(exit))
    }

    /// Says what is wrong with the study.
    fn warn(&self, faults: &[Diagnostic], text: &str) {
        if !faults.is_empty() {
            let colour = std::io::stderr().is_terminal();
            eprintln!("{}", load::draw(faults, self.places, text, colour));
        }
    }

    /// Writes what was found; gives the path of the page.
    fn files(
        &self,
        run: &RunRecord,
        finished: &Finished,
    ) -> Result<PathBuf, OutputError> {
        let beside = || self.places.folder.join("runs").join(&self.places.name);
        let out = self.args.out.clone().unwrap_or_else(beside);
        let kept =
            finished.texts.as_ref().and_then(|name| self.opened.store.pieces(name));
        let written = Written {
            page: &finished.page,
            run,
            results: Some(&finished.results),
            kept: kept.as_ref(),
        };
        output::write(&out, written)
    }

    /// Says what was written, and locks it.
    fn said(
        &self,
        run: &RunRecord,
        finished: &Finished,
        report: &Path,
        exit: Exit,
    ) -> Exit {
        for (name, why) in &finished.results.without_model {
            eprintln!("warning: there is no model `{name}`: {why}");
        }
        let exit = match exit {
            Exit::Fine => {
                let protocol = self.protocol.clone();
                lock(self.args, self.places, &Lock { protocol, ..finished.lock.clone() })
            }
            other => other,
        };
        say(self.args, run, &finished.headlines, report, exit);
        exit
    }
}

fn unwritten(error: &OutputError) -> Exit {
    eprintln!("error: {error}");
    eprintln!("help: {}", error.remedy());
    Exit::Failed
}

/// How a run ends that did not come to all of its nodes.
fn unfinished(done: &Done) -> Option<Exit> {
    if let Some(why) = &done.stopped {
        eprintln!("error: {why}");
        return Some(Exit::Failed);
    }
    if !done.interrupted {
        return None;
    }
    eprintln!(
        "interrupted: {} of {} nodes are done; run the same command to go on",
        done.count(|how| *how != How::NotReached),
        done.how.len()
    );
    Some(Exit::Interrupted)
}

/// The first signal stops after the nodes that are running, the second at once.
fn stop_on_signal(interrupted: &Arc<AtomicBool>) {
    let interrupted = interrupted.clone();
    let handler = move || {
        if interrupted.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("stopping after the nodes that are running; once more to stop at once");
    };
    // It can be set once per process; whoever set another one wants to be asked instead.
    drop(ctrlc::set_handler(handler));
}

/// How many nodes will run, and why, before any does.
fn announce(plan: &Plan, survey: &Survey, known: &States) {
    // The survey has just computed what it had to look at; that is no stored result.
    let surveyed: BTreeSet<&str> = survey
        .performed
        .iter()
        .filter(|done| done.computed)
        .map(|done| done.node.as_str())
        .collect();
    let count = |wanted: fn(&State) -> bool| {
        known.of.iter().filter(|state| wanted(state)).count()
    };
    let stored = count(|state| matches!(state, State::Stored | State::Index));
    // It looks at more than the graph holds, such as the parts of a table with sealed rows.
    let of_graph = plan.order.iter().filter(|index| {
        matches!(known.of[index.index()], State::Stored | State::Index)
            && surveyed.contains(plan.graph[**index].name.as_str())
    });
    let just_read = of_graph.count();
    let stored = stored - just_read;
    let new = count(|state| *state == State::New);
    let pending = count(|state| matches!(state, State::Pending(_)));
    let mut families: Vec<&str> = Vec::new();
    for &index in &plan.order {
        let family = plan.graph[index].family;
        if known.of[index.index()] == State::New && !families.contains(&family) {
            families.push(family);
        }
    }
    let why = match families.as_slice() {
        [] => String::new(),
        families => format!(" ({})", families.join(", ")),
    };
    let surveyed = match just_read {
        0 => String::new(),
        n => format!("{n} just read, "),
    };
    eprintln!(
        "{} nodes{}: {surveyed}{stored} stored, {new} new{why}, {pending} waiting for those",
        plan.graph.node_count(),
        super::plan::ahead_of(plan)
    );
}

/// A bar on a terminal, plain lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    speaks: bool,
    total: usize,
    done: AtomicUsize,
    said: std::sync::Mutex<Instant>,
}

/// How often a plain line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    fn new(plan: &Plan, known: &States, speaks: bool) -> Self {
        let total = plan.graph.node_count();
        let idle =
            known.of.iter().all(|state| matches!(state, State::Stored | State::Index));
        let bar = (speaks && !idle && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template(
                "{bar:30} {pos}/{len} nodes, {eta} left  {wide_msg}",
            );
            ProgressBar::new(total as u64)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            speaks,
            total,
            done: AtomicUsize::new(0),
            said: std::sync::Mutex::new(Instant::now()),
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Progress {
    fn finished(&self, node: &Node, how: &How) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let How::Panicked(why) | How::Failed(why) | How::Differs(why) = how {
            let line = format!("failed: {}: {why}", node.name);
            match &self.bar {
                Some(bar) => bar.println(line),
                None => eprintln!("{line}"),
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_message(node.name.clone());
            bar.inc(1);
        } else if self.speaks
            && let Ok(mut said) = self.said.try_lock()
            && said.elapsed() >= LINE_EVERY
        {
            *said = Instant::now();
            eprintln!("{done} of {} nodes", self.total);
        }
    }
}

/// What became of the nodes, by their kind.
fn kinds(plan: &Plan, done: &Done) -> Vec<KindRun> {
    let mut kinds: Vec<KindRun> = Vec::new();
    for index in &plan.order {
        let family = plan.graph[*index].family;
        let at = kinds.iter().position(|of| of.kind == family).unwrap_or_else(|| {
            let kind = family.to_string();
            kinds.push(KindRun {
                kind,
                computed: 0,
                stored: 0,
                failed: 0,
                seconds: None,
            });
            kinds.len() - 1
        });
        let of = &mut kinds[at];
        match &done.how[index.index()] {
            How::Stored | How::Taken => of.stored += 1,
            How::Computed | How::CutOff => of.computed += 1,
            _ => of.failed += 1,
        }
        if let Some(cost) = done.states.seconds[index.index()] {
            of.seconds = Some(of.seconds.unwrap_or(0.0) + cost);
        }
    }
    kinds
}

fn failures(plan: &Plan, done: &Done, record: &StudyRecord) -> Exit {
    let mut exit = Exit::Fine;
    for index in plan.graph.node_indices() {
        match &done.how[index.index()] {
            How::Panicked(_) => return Exit::Bug,
            How::Failed(_) | How::Differs(_) => exit = Exit::Failed,
            _ => {}
        }
    }
    for (name, analysis) in &record.analyses {
        if !analysis.performance.contains_key(&analysis.primary) {
            eprintln!("error: analysis `{name}` has no {}", analysis.primary);
            for failed in &analysis.failed_nodes {
                eprintln!("  {} ({} nodes)", visible(&failed.reason), failed.n);
            }
            exit = Exit::Failed;
        }
    }
    exit
}

/// Compares with the lock file when asked to, else writes it.
fn lock(args: &Run, places: &load::Places, found: &Lock) -> Exit {
    if !args.locked {
        return locked::write(places, found).err().unwrap_or(Exit::Fine);
    }
    let path = locked::path(places);
    let locked = match std::fs::read_to_string(&path) {
        Ok(text) => Lock::read(&text),
        Err(error) => {
            eprintln!("error: cannot read {}: {error}", path.display());
            eprintln!("help: a run without `--locked` writes it");
            return Exit::Change;
        }
    };
    match locked {
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            Exit::Change
        }
        Ok(locked) if !locked.has_results() => {
            eprintln!("error: {} holds a protocol and no results yet", path.display());
            eprintln!("help: a run without `--locked` writes them");
            Exit::Change
        }
        Ok(locked) => {
            let differences = locked.differences(found);
            for d in &differences {
                eprintln!(
                    "error: {} differs: locked {}, found {}",
                    d.what, d.locked, d.found
                );
            }
            if differences.is_empty() { Exit::Fine } else { Exit::Failed }
        }
    }
}

fn say(args: &Run, run: &RunRecord, found: &[Headline], report: &Path, exit: Exit) {
    if args.json {
        let headline =
            found.iter().map(|found| (found.analysis.clone(), json!(found.value)));
        println!(
            "{}",
            json!({
                "exit": format!("{exit:?}").to_lowercase(),
                "nodes": run.nodes, "computed": run.computed, "stored": run.stored,
                "failed": run.failed, "healed": run.healed, "cut_off": run.cut_off,
                "seconds": run.seconds, "report": report,
                "headline": headline.collect::<serde_json::Map<_, _>>(),
            })
        );
        return;
    }
    if !args.quiet {
        eprintln!(
            "{} nodes computed, {} stored, {} failed in {:.2} s",
            run.computed, run.stored, run.failed, run.seconds
        );
        for Headline { analysis, metric, value, of_splits, stand_in } in found {
            let Some((estimate, lower, upper)) = value else { continue };
            let interval = match (lower, upper) {
                (Some(lower), Some(upper)) => {
                    format!(" (95 % CI {lower:.3}–{upper:.3})")
                }
                _ => String::new(),
            };
            let splits = match of_splits {
                Some((found, all)) => {
                    format!("; a result in {found} of {all} outer splits")
                }
                None => String::new(),
            };
            let stood_in = match stand_in {
                Some((folds, all)) => {
                    format!(
                        "; the prevalence was predicted in {folds} of {all} outer splits"
                    )
                }
                None => String::new(),
            };
            eprintln!("{analysis}: {metric} {estimate:.3}{interval}{splits}{stood_in}");
        }
    }
    println!("report: {}", report.display());
}

/// Raw digests of the files that lie on disk.
fn files(of_sources: &BTreeMap<String, Vec<GivenFile>>) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (name, given) in of_sources {
        // Images carry ids in their names: the number and one digest of all stand for them.
        let on_disk =
            given.iter().filter(|file| matches!(file.location, Location::Disk(_)));
        let on_disk: Vec<_> = on_disk.collect();
        match on_disk.as_slice() {
            [] => {}
            [one] => {
                files.insert(name.clone(), one.digest.to_string());
            }
            many => {
                let all: Vec<u8> =
                    many.iter().flat_map(|file| *file.digest.as_bytes()).collect();
                let digest = Digest::of(&all).to_string();
                files.insert(format!("{name} ({} files)", many.len()), digest);
            }
        }
    }
    files
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_string())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().to_string()
}
