//! `restudy plan`: what would run, what is stored, and why.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use serde_json::json;

use super::{Exit, load, locked, why};
use crate::catalog::Catalog;
use crate::plan::{self, Groups, Plan, Remembered, State, States};
use crate::store::Mode;

/// Say what would run, what is stored, and why
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The study
    pub study: PathBuf,
    /// The store to ask
    #[arg(long, env = "RESTUDY_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Every node as JSON
    #[arg(long, conflicts_with = "dot")]
    pub json: bool,
    /// The graph in Graphviz's language
    #[arg(long)]
    pub dot: bool,
    /// For each node that would run, the change that makes it
    #[arg(long, conflicts_with_all = ["json", "dot"])]
    pub why: bool,
    /// Every node, not only counts; globs choose some
    #[arg(long, value_name = "GLOB", num_args = 0..=1, default_missing_value = "*")]
    pub nodes: Option<String>,
    /// Lock the study as its protocol: reports list what differs from it from then on
    #[arg(long, conflicts_with_all = ["json", "dot", "why", "nodes"])]
    pub lock: bool,
}

pub fn run(args: &Args) -> Exit {
    let places = load::Places::new(&args.study, args.store.as_deref());
    let Some(opened) = load::open_or_say(&places, Mode::ReadOnly) else {
        return Exit::Change;
    };
    let loaded = load::load(&places, &Catalog::standard(), &opened.reading(&places));
    if !loaded.faults.is_empty() {
        let colour = std::io::stderr().is_terminal();
        eprintln!("{}", load::draw(&loaded.faults, &places, &loaded.text, colour));
    }
    let Some((plan, _)) = &loaded.plan else { return Exit::Change };
    if let Some(study) = loaded.study.as_ref().filter(|_| args.lock) {
        return locked::lock(&places, &opened.store, study);
    }
    let states = plan::read_index(&plan::plan_key(plan), plan, &opened.store)
        .unwrap_or_else(|| {
            let unknown = Remembered::default();
            plan::states(plan, &loaded.survey, &opened.store, &unknown)
        });
    if args.json {
        for &index in &plan.order {
            println!("{}", node_json(plan, &states, index));
        }
    } else if args.dot {
        print!("{}", dot(plan, &states));
    } else {
        print!("{}", counts(plan, &states));
        if let Some(study) = &loaded.study {
            let fits = plan::fits(study, plan, &states, &opened.store);
            println!("fits to make: {}", fits.in_words());
        }
        if let Some(glob) = &args.nodes {
            let chosen = why::chosen_or_say(plan, glob, &args.study);
            if chosen.is_empty() {
                return Exit::Change;
            }
            for index in chosen {
                println!(
                    "{:<8}{}{}{}",
                    states.of[index.index()].word(),
                    plan.graph[index].name,
                    if plan.ahead.contains_key(&index) { AHEAD_OF_NAME } else { "" },
                    reason(plan, &states, index)
                );
            }
        }
        if args.why {
            for &index in &plan.order {
                if states.of[index.index()] == State::New {
                    println!("\n{}", plan.graph[index].name);
                    print!(
                        "{}",
                        why::text(plan, &states, &opened.store, &places.name, index)
                    );
                }
            }
        }
    }
    Exit::Fine
}

/// What nodes are called together that no number of the study comes from.
const AHEAD: &str = "computed ahead";
const AHEAD_OF_NAME: &str = "  (computed ahead)";

/// Behind the number of all nodes: how many of them are computed ahead, if any are.
pub fn ahead_of(plan: &Plan) -> String {
    match plan.ahead.len() {
        0 => String::new(),
        n => format!(" ({n} of them {AHEAD})"),
    }
}

fn reason(plan: &Plan, states: &States, index: petgraph::graph::NodeIndex) -> String {
    match states.of[index.index()] {
        State::Pending(ancestor) => {
            format!("  (waits for {})", plan.graph[ancestor].name)
        }
        _ => String::new(),
    }
}

/// A line per kind of node, and one for all. Those computed ahead have a line of their own: they are of
/// kinds that the study has as well, and no number of it comes from them.
pub fn counts(plan: &Plan, states: &States) -> String {
    let mut families: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut order = Vec::new();
    for &index in &plan.order {
        let family = match plan.ahead.contains_key(&index) {
            true => AHEAD,
            false => plan.graph[index].family,
        };
        if !order.contains(&family) {
            order.push(family);
        }
        let word = states.of[index.index()].word();
        *families.entry(family).or_default().entry(word).or_default() += 1;
    }
    // Stable: the others stay in the order in which they are met.
    order.sort_by_key(|family| *family == AHEAD);
    let words = ["stored", "index", "new", "pending"];
    let mut text = format!("{:<24}", "");
    for word in words {
        text.push_str(&format!("{word:>9}"));
    }
    text.push('\n');
    let mut totals = [0; 4];
    for family in order {
        text.push_str(&format!("{family:<24}"));
        for (word, total) in words.iter().zip(&mut totals) {
            let n = families[family].get(word).copied().unwrap_or(0);
            *total += n;
            text.push_str(&format!("{n:>9}"));
        }
        text.push('\n');
    }
    text.push_str(&format!("{:<24}", "all nodes"));
    for total in totals {
        text.push_str(&format!("{total:>9}"));
    }
    text.push('\n');
    text
}

fn node_json(
    plan: &Plan,
    states: &States,
    index: petgraph::graph::NodeIndex,
) -> serde_json::Value {
    let node = &plan.graph[index];
    let count =
        |groups: &Option<std::sync::Arc<Groups>>| groups.as_ref().map(|g| g.len());
    let waits_for = match states.of[index.index()] {
        State::Pending(ancestor) => Some(plan.graph[ancestor].name.as_str()),
        _ => None,
    };
    let inputs: Vec<&str> = plan
        .edges(index)
        .iter()
        .map(|(input, _)| plan.graph[*input].name.as_str())
        .collect();
    json!({
        "node": node.name,
        "family": node.family,
        "ahead": plan.ahead.contains_key(&index),
        "state": states.of[index.index()].word(),
        "waits_for": waits_for,
        "key": states.keys[index.index()],
        "outputs": states.outputs[index.index()],
        "scope": node.scope,
        "rows": {
            "fitted_on": count(&node.rows.fitted),
            "reads_outcomes": node.rows.outcomes,
            "held_out": count(&node.rows.held_out),
        },
        "identity": node.identity.json(),
        "given": node.given.iter().map(|g| json!([&*g.name, &*g.shown, g.digest])).collect::<Vec<_>>(),
        "inputs": inputs,
    })
}

fn dot(plan: &Plan, states: &States) -> String {
    let mut text =
        String::from("digraph study {\n  rankdir = LR;\n  node [shape = box];\n");
    if !plan.ahead.is_empty() {
        text.push_str(&format!("  // {} nodes in grey are {AHEAD}.\n", plan.ahead.len()));
    }
    for &index in &plan.order {
        let name = plan.graph[index].name.replace('"', "'");
        let colour = match plan.ahead.contains_key(&index) {
            true => ", color = grey, fontcolor = grey",
            false => "",
        };
        let style = match states.of[index.index()] {
            State::Stored | State::Index => "solid",
            State::New => "bold",
            State::Pending(_) => "dashed",
        };
        text.push_str(&format!("  \"{name}\" [style = {style}{colour}];\n"));
        for (input, _) in plan.edges(index) {
            let from = plan.graph[input].name.replace('"', "'");
            text.push_str(&format!("  \"{from}\" -> \"{name}\";\n"));
        }
    }
    text.push_str("}\n");
    text
}
