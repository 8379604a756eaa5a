//! `restudy why`: the leaf that changed, old value and new.

use std::io::IsTerminal;
use std::path::PathBuf;

use petgraph::graph::NodeIndex;

use super::{Exit, load};
use crate::catalog::Catalog;
use crate::diagnostics::nearest;
use crate::plan::{self, Plan, Remembered, State, States};
use crate::run::{Change, explain};
use crate::store::{Mode, Store};

/// Name the leaf that changed, old → new
#[derive(Debug, clap::Args)]
pub struct Why {
    /// The study
    pub study: PathBuf,
    /// The node, as `restudy plan --nodes` prints it; a glob chooses several
    pub node: String,
    /// The store to ask
    #[arg(long, env = "RESTUDY_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,
}

pub fn run(args: &Why) -> Exit {
    let places = load::Places::new(&args.study, args.store.as_deref());
    let Some(opened) = load::open_or_say(&places, Mode::ReadOnly) else {
        return Exit::Change;
    };
    let loaded = load::load(&places, &Catalog::standard(), &opened.reading(&places));
    let Some((plan, _)) = &loaded.plan else {
        let colour = std::io::stderr().is_terminal();
        eprintln!("{}", load::draw(&loaded.faults, &places, &loaded.text, colour));
        return Exit::Change;
    };
    let states =
        plan::states(plan, &loaded.survey, &opened.store, &Remembered::default());
    let named: Vec<NodeIndex> = plan
        .order
        .iter()
        .copied()
        .filter(|&index| crate::survey::matches(&args.node, &plan.graph[index].name))
        .collect();
    if named.is_empty() {
        eprintln!("error: the study has no node `{}`", args.node);
        let names = plan.graph.node_weights().map(|node| node.name.as_str());
        if let Some(near) = nearest(&args.node, names) {
            eprintln!("help: did you mean `{near}`?");
        }
        eprintln!("help: `restudy plan --nodes {}` lists them", args.study.display());
        return Exit::Change;
    }
    for index in named {
        let state = states.of[index.index()];
        println!("{} is {}", plan.graph[index].name, state.word());
        print!("{}", text(plan, &states, &opened.store, &places.name, index));
    }
    Exit::Fine
}

/// What changed, a line each.
pub fn text(
    plan: &Plan,
    states: &States,
    store: &Store,
    study: &str,
    index: NodeIndex,
) -> String {
    let mut text = String::new();
    if let State::Pending(ancestor) = states.of[index.index()] {
        text.push_str(&format!("  waits for {}\n", plan.graph[ancestor].name));
    }
    match explain(plan, states, store, study, &Catalog::standard(), index) {
        None => text.push_str("  nothing that it reads has changed since it first ran\n"),
        Some(changes) => {
            let mut said: Vec<(String, String, usize)> = Vec::new();
            for change in &changes {
                let (node, what) = words(change);
                match said.iter_mut().find(|(_, known, _)| *known == what) {
                    Some((.., n)) => *n += 1,
                    None => said.push((node, what, 1)),
                }
            }
            for (node, what, n) in said {
                let more = match n {
                    1 => String::new(),
                    n => format!(" (and in {} more nodes)", n - 1),
                };
                text.push_str(&format!("  {node}: {what}{more}\n"));
            }
        }
    }
    text
}

/// The node of a change, and the change.
fn words(change: &Change) -> (String, String) {
    match change {
        Change::New { node } => (node.clone(), "is new to this study".to_string()),
        Change::Setting { node, what, old, new }
        | Change::Fact { node, what, old, new } => {
            (node.clone(), format!("{what}: {old} → {new}"))
        }
        Change::Inputs { node, added, removed } => {
            let list = |names: &[String]| match names {
                [] => "nothing".to_string(),
                [one] => one.clone(),
                [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            };
            let (added, removed) = (list(added), list(removed));
            (node.clone(), format!("now also reads {added}; no longer reads {removed}"))
        }
        Change::Lost { node } => (node.clone(), "its stored result is gone".to_string()),
    }
}
