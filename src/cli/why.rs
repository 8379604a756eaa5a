//! `restudy why`: the leaf that changed, old value and new.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

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
    let chosen = chosen_or_say(plan, &args.node, &args.study);
    if chosen.is_empty() {
        return Exit::Change;
    }
    for index in chosen {
        let state = states.of[index.index()];
        println!("{} is {}", plan.graph[index].name, state.word());
        print!("{}", text(plan, &states, &opened.store, &places.name, index));
    }
    Exit::Fine
}

/// The nodes that a glob chooses, in the order of the plan. Where there are none it is said.
pub fn chosen_or_say(plan: &Plan, glob: &str, study: &Path) -> Vec<NodeIndex> {
    let is_chosen =
        |index: &NodeIndex| crate::survey::matches(glob, &plan.graph[*index].name);
    let chosen: Vec<NodeIndex> = plan.order.iter().copied().filter(is_chosen).collect();
    if chosen.is_empty() {
        eprintln!("error: the study has no node `{glob}`");
        let names = plan.graph.node_weights().map(|node| node.name.as_str());
        if let Some(near) = nearest(glob, names) {
            eprintln!("help: did you mean `{near}`?");
        }
        eprintln!("help: `restudy plan --nodes {}` lists them", study.display());
    }
    chosen
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
            let list = |does: &str, names: &[String]| match names {
                [] => None,
                [one] => Some(format!("{does} {one}")),
                [first, rest @ ..] => {
                    Some(format!("{does} {first} and {} more", rest.len()))
                }
            };
            let (added, removed) =
                (list("now also reads", added), list("no longer reads", removed));
            let both: Vec<String> = added.into_iter().chain(removed).collect();
            (node.clone(), both.join("; "))
        }
        Change::Lost { node } => (node.clone(), "its stored result is gone".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_where_there_are_any() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let told = |added: &[&str], removed: &[&str]| {
            let (added, removed) = (names(added), names(removed));
            words(&Change::Inputs { node: "tune".to_string(), added, removed }).1
        };
        assert_eq!(told(&["a", "b", "c"], &[]), "now also reads a and 2 more");
        assert_eq!(told(&[], &["d"]), "no longer reads d");
        assert_eq!(told(&["a"], &["d"]), "now also reads a; no longer reads d");
    }
}
