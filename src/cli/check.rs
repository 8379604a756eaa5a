//! `restudy check`: everything that is wrong with a study, at once; computes nothing.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::checked::{self, Checked, Said};
use super::{Exit, load};
use crate::catalog::Catalog;
use crate::diagnostics::explain;
use crate::operation::Instance;
use crate::store::Witness;
use crate::survey::{Content, Reading};

/// Say everything that is wrong, with line and column; compute nothing
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Studies to check
    #[arg(required_unless_present = "explain")]
    pub studies: Vec<PathBuf>,
    /// The store to look into for tables that were read before
    #[arg(long, env = "RESTUDY_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Name patients by their ids in messages; on a terminal only
    #[arg(long)]
    pub show_ids: bool,
    /// For machines: one JSON object per fault
    #[arg(long)]
    pub json: bool,
    /// Explain a code, such as E0201, instead
    #[arg(long, value_name = "CODE")]
    pub explain: Option<String>,
}

pub fn run(args: &Check) -> Exit {
    if let Some(code) = &args.explain {
        return match explain(code) {
            Some(explained) => {
                println!(
                    "{} {}\n\n{}",
                    explained.code.0, explained.title, explained.text
                );
                Exit::Fine
            }
            None => {
                eprintln!("error: there is no code `{code}`");
                Exit::Change
            }
        };
    }
    let catalog = Catalog::standard();
    let mut exit = Exit::Fine;
    for study in &args.studies {
        let places = load::Places::new(study, args.store.as_deref());
        let mut opened = match load::open_to_look(&places) {
            Ok(opened) => opened,
            Err(fault) => {
                eprintln!("{}", load::draw(&[*fault], &places, "", false));
                exit = Exit::Change;
                continue;
            }
        };
        opened.show_ids = args.show_ids && std::io::stderr().is_terminal();
        let said = said(&places, &catalog, &opened);
        if args.json {
            for line in &said.lines {
                println!("{line}");
            }
        } else {
            let colour = std::io::stderr().is_terminal();
            let drawn = &said.drawn[usize::from(colour)];
            if !drawn.is_empty() {
                eprintln!("{drawn}");
            }
            print!("{}", said.looks);
        }
        if !said.sound {
            exit = Exit::Change;
        }
        // What was hashed need not be hashed again; where that cannot be kept, it is.
        drop(opened.files.save());
    }
    exit
}

/// What is to be said of a study: what was said before, when nothing has changed since.
fn said(places: &load::Places, catalog: &Catalog, opened: &load::Opened) -> Said {
    let key = |text: &str| checked::key(&places.study, text, catalog, opened);
    let text = std::fs::read_to_string(&places.study).ok();
    if let Some(key) = text.and_then(|text| key(&text))
        && let Some(said) = Checked::read(opened, &key)
    {
        return said;
    }
    let witness = Witness::new(&opened.files);
    let reading = Reading { files: &witness, ..opened.reading(places) };
    let loaded = load::load(places, catalog, &reading);
    let said = Said::of(&loaded, places, looks(&loaded, places));
    if said.sound
        && let Some(key) = key(&loaded.text)
    {
        Checked::new(said.clone(), &loaded, witness.answers()).keep(opened, &key);
    }
    // The process is about to end: giving back a large plan piece by piece takes longer than it.
    std::mem::forget(loaded);
    said
}

/// What the data look like and what would be done with them; empty when anything is wrong.
fn looks(loaded: &load::Loaded, places: &load::Places) -> String {
    let (Some(study), Some((plan, proof))) = (&loaded.study, &loaded.plan) else {
        return String::new();
    };
    let mut text = format!("{}: sound\n", places.study.display());
    for (name, source) in &loaded.survey.sources {
        let what = match &source.content {
            Content::Table { table, notes, .. } => {
                let mut what =
                    format!("{} rows, {} columns", table.n_rows(), table.n_columns());
                for (n, why) in [
                    (notes.nameless, "without an id left out"),
                    (notes.other_samples, "of other samples left out"),
                    (notes.collapsed, "that stood twice taken once"),
                ] {
                    if n > 0 {
                        what.push_str(&format!("; {n} {why}"));
                    }
                }
                what
            }
            Content::Images(pairs) => format!("{} images with masks", pairs.len()),
            Content::Generated => format!("{} simulated files", source.files.len()),
        };
        text.push_str(&format!("  source {name}: {what}\n"));
    }
    for (name, cohort) in &loaded.survey.cohorts {
        let (rows, patients) = (cohort.rows.len(), cohort.n_subjects());
        text.push_str(&format!("  cohort {name}: {rows} rows of {patients} patients\n"));
        // What stands before is told where the cohort is, of which this one is a part.
        let Some(own) = cohort.flow.last() else { continue };
        for join in &own.joins {
            text.push_str(&format!(
                "    joined {}: {} rows matched, {} without a partner, {} of its ids unused\n",
                join.source, join.matched, join.without, join.unused
            ));
        }
        for removed in &own.removed {
            text.push_str(&format!("    {} left: {}\n", removed.n, removed.reason));
        }
    }
    for ((outcome, cohort), known) in &loaded.survey.outcomes {
        text.push_str(&format!(
            "  outcome {outcome} in {cohort}: {} positive, {} negative, {} unknown\n",
            known.count(Some(true)),
            known.count(Some(false)),
            known.count(None)
        ));
    }
    for agreement in &loaded.survey.agreements {
        text.push_str(&format!(
            "  agreement {}: {} of {} patients whom both know\n",
            agreement.name, agreement.agree, agreement.both
        ));
    }
    for scheme in &study.validate {
        if let Instance::Resampling(resampling) = &scheme.resampling.instance {
            text.push_str(&format!(
                "  scheme {} on {}: {}\n",
                scheme.name,
                scheme.cohort.name,
                resampling.in_words()
            ));
        }
    }
    for model in &study.models {
        if let Some(added) = &model.added {
            text.push_str(&format!("  control {} added: {}\n", model.name, added.why));
        }
    }
    text.push_str(&format!(
        "  plan: {} nodes{}, {} analyses; {} uses of held-out rows proved free of leaks\n",
        plan.graph.node_count(),
        super::plan::ahead_of(plan),
        plan.analyses.len(),
        proof.n_held_out_uses
    ));
    text
}
