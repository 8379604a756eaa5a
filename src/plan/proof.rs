//! The proof that no row is judged by something that has already seen it.
//!
//! Every value carries two sets of groups, those whose inputs and those whose outcomes it has
//! seen. A *pooled* value (a state, a choice, a threshold) has seen the rows it reads and all that
//! they had seen. A *row-wise* value (a table, predictions) has seen what the pooled values behind
//! it have seen, not its own row. Using a row as held out is legal only when its group is in
//! neither set. What cohort rules and counts read is not tracked; the certificate says so.
//!
//! A declared transductive step looks at the inputs of held-out rows together. These stand in a set of
//! their own, which no check refuses and the certificate counts; their outcomes stay where they are.
//!
//! A value can also decide *which* candidates another node scores, and nothing of what it says of them:
//! successive halving does. Those whose outcomes had a part in that stand in a set of their own too.
//! Where predictions only choose, as on inner splits, they may be held out all the same: a score is that
//! of the same fit whether or not its neighbour was made. Where a performance is read off, they may not.
//! Whatever pools over such predictions has seen that set as it has seen the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::{Groups, Plan, Reads};
use crate::diagnostics::{Code, Diagnostic, Place, Span};

/// What the proof covered, and what it refused.
#[derive(Debug, Default)]
pub struct Proof {
    /// Uses of rows as held out that were checked.
    pub n_held_out_uses: usize,
    /// Those of them in which a declared transductive step has looked at the inputs of the rows.
    pub n_transductive: usize,
    /// Those in which outcomes of the rows had a part in which candidates were scored, and that only
    /// choose.
    pub n_chosen: usize,
    pub n_nodes: usize,
    pub n_splits: usize,
    pub n_groups: usize,
    /// One per place in the study that leaks.
    pub leaks: Vec<Diagnostic>,
}

/// What a value has seen; nothing where a set is missing. Most values add nothing to what one of their
/// inputs has seen, and share its set.
#[derive(Clone, Default)]
struct Seen {
    inputs: Option<Arc<Groups>>,
    outcomes: Option<Arc<Groups>>,
    /// Whose inputs a declared transductive step has looked at: no leak by declaration, and told apart
    /// so that it waives nothing else.
    waived: Option<Arc<Groups>>,
    /// By whose outcomes it was decided which candidates there are.
    chosen: Option<Arc<Groups>>,
    /// The rows that a row-wise value covers, when it covers only some.
    rows: Option<Arc<Groups>>,
}

/// A set that grows, and is shared with one of its parts as long as that covers the others.
#[derive(Default)]
struct Union<'a> {
    shared: Option<&'a Arc<Groups>>,
    /// Once no part covers the others.
    own: Option<Groups>,
    /// The two parts that came last: neighbours have mostly seen the same.
    last: [Option<&'a Arc<Groups>>; 2],
}

impl<'a> Union<'a> {
    fn add(&mut self, part: &'a Option<Arc<Groups>>) {
        let Some(part) = part else { return };
        if self.last.iter().flatten().any(|last| Arc::ptr_eq(last, part)) {
            return;
        }
        self.last = [Some(part), self.last[0]];
        match (&mut self.own, self.shared) {
            (Some(own), _) => own.extend(part),
            (None, None) => self.shared = Some(part),
            (None, Some(all)) if Arc::ptr_eq(all, part) || all.covers(part) => {}
            (None, Some(all)) if part.covers(all) => self.shared = Some(part),
            (None, Some(all)) => {
                let mut own = (**all).clone();
                own.extend(part);
                self.own = Some(own);
            }
        }
    }

    fn whole(self) -> Option<Arc<Groups>> {
        self.own.map(Arc::new).or_else(|| self.shared.cloned())
    }
}

/// Groups in both, ascending.
fn shared(held_out: &Groups, seen: &Option<Arc<Groups>>) -> Vec<u32> {
    seen.as_ref().map_or(Vec::new(), |seen| held_out.shared(seen))
}

/// Walks the plan in order and checks every use of held-out rows.
pub fn prove(plan: &Plan) -> Proof {
    let mut proof = Proof { n_nodes: plan.graph.node_count(), ..Proof::default() };
    let mut seen: Vec<Seen> = vec![Seen::default(); plan.graph.node_count()];
    let mut leaks: BTreeMap<Span, (Vec<NodeIndex>, Vec<u32>, usize)> = BTreeMap::new();
    let mut everybody = Groups::default();
    for &index in &plan.order {
        let here = value_of(plan, index, &seen);
        let rows = &plan.graph[index].rows;
        if let Some(held_out) = &rows.held_out {
            proof.n_held_out_uses += 1;
            everybody.extend(held_out);
            if !shared(held_out, &here.waived).is_empty() {
                proof.n_transductive += 1;
            }
            let mut known = shared(held_out, &here.inputs);
            known.extend(shared(held_out, &here.outcomes));
            let chosen = shared(held_out, &here.chosen);
            match rows.chooses {
                true => proof.n_chosen += usize::from(!chosen.is_empty()),
                false => known.extend(chosen),
            }
            known.sort_unstable();
            known.dedup();
            if let Some(&group) = known.first() {
                seen[index.index()] = here.clone();
                for path in paths(plan, index, group, &seen) {
                    let span = plan.graph[path[0]].span;
                    let leak = leaks.entry(span).or_insert((path, known.clone(), 0));
                    leak.2 += 1;
                }
            }
        }
        seen[index.index()] = here;
    }
    proof.n_groups = everybody.len();
    proof.n_splits = plan.analyses.iter().map(|analysis| analysis.outer.len()).sum();
    for (span, (path, shared, uses)) in leaks {
        proof.leaks.push(refuse(plan, span, &path, &shared, uses));
    }
    proof
}

fn value_of(plan: &Plan, index: NodeIndex, seen: &[Seen]) -> Seen {
    let rows = &plan.graph[index].rows;
    let [mut inputs, mut outcomes, mut waived, mut chosen] =
        [(); 4].map(|()| Union::default());
    // What it pools over itself.
    inputs.add(&rows.fitted);
    if rows.outcomes {
        outcomes.add(&rows.fitted);
    }
    for edge in plan.graph.edges_directed(index, Direction::Incoming) {
        let before = &seen[edge.source().index()];
        match edge.weight().reads {
            // What is shared reaches no key, and yet it has been learned from rows.
            Reads::Content | Reads::Shared => {
                if rows.pools_inputs {
                    for read in [&before.rows, &before.chosen] {
                        inputs.add(read);
                        if rows.outcomes {
                            outcomes.add(read);
                        }
                    }
                }
                inputs.add(&before.inputs);
                outcomes.add(&before.outcomes);
                waived.add(&before.waived);
                chosen.add(&before.chosen);
            }
            Reads::Which => {
                for part in [&before.inputs, &before.outcomes, &before.chosen] {
                    chosen.add(part);
                }
            }
            Reads::Part | Reads::After => {}
        }
    }
    if rows.transductive {
        waived.add(&rows.held_out);
    }
    Seen {
        inputs: inputs.whole(),
        outcomes: outcomes.whole(),
        waived: waived.whole(),
        chosen: chosen.whole(),
        rows: rows.held_out.clone(),
    }
}

/// From each node that reads `group` itself to the node that uses it as held out.
fn paths(plan: &Plan, end: NodeIndex, group: u32, seen: &[Seen]) -> Vec<Vec<NodeIndex>> {
    let mut after: BTreeMap<NodeIndex, Option<NodeIndex>> = BTreeMap::from([(end, None)]);
    let mut open = vec![end];
    let mut paths = Vec::new();
    while let Some(at) = open.pop() {
        let rows = &plan.graph[at].rows;
        let inputs = plan.edges(at).into_iter();
        let inputs: Vec<NodeIndex> = inputs
            .filter_map(|(input, edge)| {
                (!matches!(edge.reads, Reads::Part | Reads::After)).then_some(input)
            })
            .collect();
        let covers = |set: &Option<Arc<Groups>>| {
            set.as_ref().is_some_and(|set| set.contains(group))
        };
        let reads = covers(&rows.fitted)
            || (rows.pools_inputs
                && inputs.iter().any(|i| covers(&seen[i.index()].rows)));
        if reads {
            let mut path = vec![at];
            let mut here = at;
            while let Some(Some(next)) = after.get(&here) {
                path.push(*next);
                here = *next;
            }
            paths.push(path);
        }
        for input in inputs {
            let seen = &seen[input.index()];
            let knows =
                [&seen.inputs, &seen.outcomes, &seen.chosen].into_iter().any(covers);
            if knows && !after.contains_key(&input) {
                after.insert(input, Some(at));
                open.push(input);
            }
        }
    }
    paths
}

fn refuse(
    plan: &Plan,
    span: Span,
    path: &[NodeIndex],
    shared: &[u32],
    uses: usize,
) -> Diagnostic {
    let end = &plan.graph[path[path.len() - 1]];
    let start = &plan.graph[path[0]];
    let patients = if shared.len() == 1 { "patient" } else { "patients" };
    let read = match &start.rows.fitted {
        Some(fitted) => format!("is fitted on {} patients", fitted.len()),
        None => "reads the held-out predictions with their outcomes".to_string(),
    };
    let mut steps = vec![format!("`{}` {read}", start.name)];
    for pair in path.windows(2) {
        let node = &plan.graph[pair[1]];
        let verb = if node.rows.fitted.is_some() { "is fitted on" } else { "uses" };
        steps.push(format!("`{}` {verb} what that gives", node.name));
    }
    steps.push(format!(
        "`{}` uses {} {patients} as held out, of whom all of this has seen {}",
        end.name,
        end.rows.held_out.as_ref().map_or(0, |rows| rows.len()),
        shared.len()
    ));
    let mut leak = Diagnostic::error(
        Code::LEAK,
        Place::Study(span),
        "held-out rows are judged by something that has seen them",
    )
    .label(match start.family {
        "fit before the split" => "this is fitted on all rows, before any split",
        "threshold" => "this threshold is learned on the rows that it is applied to",
        _ => "these splits put rows of one patient on both sides",
    });
    for (position, step) in steps.iter().enumerate() {
        leak = leak.hint(format!("{}. {step}", position + 1));
    }
    if uses > 1 {
        leak = leak.hint(format!("{} more uses leak in the same way", uses - 1));
    }
    leak.hint(match start.family {
        "fit before the split" => {
            "move the step to `prepare`, where it is fitted in training rows"
        }
        "threshold" => "write `learned_from: inner_out_of_fold`",
        _ => "write `group: subject`",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scope;
    use crate::plan::{Edge, Identity, Node, RowSets, Work};
    use petgraph::graph::DiGraph;

    /// Scores of patient 2 by a fit on 0 and 1; a choice by them; scores of patient 1 by a fit on 0
    /// and 2, of which the choice decides something.
    fn race(reads: Reads, chooses: bool) -> Plan {
        let groups = |of: &[u32]| {
            let mut groups = Groups::default();
            of.iter().for_each(|group| groups.insert(*group));
            Some(Arc::new(groups))
        };
        let mut graph = DiGraph::new();
        let mut add = |rows: RowSets| {
            graph.add_node(Node {
                name: "node".to_string(),
                work: Work::Splits,
                identity: Identity::new(&serde_json::json!({})),
                given: Default::default(),
                seed: None,
                keep: crate::store::Keep::Stored,
                family: "family",
                scope: Scope::Training,
                rows,
                span: Default::default(),
            })
        };
        let scores = |fitted: &[u32], held_out: &[u32], chooses| RowSets {
            fitted: groups(fitted),
            outcomes: true,
            held_out: groups(held_out),
            chooses,
            ..RowSets::default()
        };
        let pooled =
            || RowSets { pools_inputs: true, outcomes: true, ..RowSets::default() };
        let first = add(scores(&[0, 1], &[2], true));
        let choice = add(pooled());
        let second = add(scores(&[0, 2], &[1], chooses));
        let order = vec![first, choice, second];
        graph.add_edge(first, choice, Edge { port: None, reads: Reads::Content });
        graph.add_edge(choice, second, Edge { port: None, reads });
        Plan {
            graph,
            order,
            cases: Vec::new(),
            ahead: Default::default(),
            together: Default::default(),
            analyses: Vec::new(),
            frozen: Vec::new(),
            external: Vec::new(),
            comparisons: Vec::new(),
        }
    }

    #[test]
    fn a_choice_may_decide_which_scores_there_are_and_nothing_of_what_they_say() {
        let proof = prove(&race(Reads::Which, true));
        assert_eq!((proof.leaks.len(), proof.n_chosen, proof.n_held_out_uses), (0, 1, 2));
        // A performance may not be read off such scores, and no value of theirs may depend on it.
        assert_eq!(prove(&race(Reads::Which, false)).leaks.len(), 1);
        assert_eq!(prove(&race(Reads::Content, true)).leaks.len(), 1);
    }

    #[test]
    fn whatever_pools_over_chosen_scores_has_seen_what_chose_them() {
        let mut plan = race(Reads::Which, true);
        let mut rows = plan.graph[plan.order[1]].rows.clone();
        let add = |plan: &mut Plan, after: usize, rows: RowSets| {
            let node = &plan.graph[plan.order[0]];
            let node = Node {
                name: "later".to_string(),
                work: Work::Splits,
                identity: node.identity.clone(),
                given: Default::default(),
                seed: None,
                keep: crate::store::Keep::Stored,
                family: "family",
                scope: Scope::HeldOut,
                rows,
                span: Default::default(),
            };
            let node = plan.graph.add_node(node);
            let edge = Edge { port: None, reads: Reads::Content };
            plan.graph.add_edge(plan.order[after], node, edge);
            plan.order.push(node);
        };
        // A map learned on the later scores, then used on patient 3 and on patient 1.
        add(&mut plan, 2, rows.clone());
        let mut of_three = Groups::default();
        of_three.insert(3);
        rows = RowSets { held_out: Some(Arc::new(of_three)), ..RowSets::default() };
        add(&mut plan, 3, rows);
        assert!(prove(&plan).leaks.is_empty());
        let mut of_one = Groups::default();
        of_one.insert(1);
        rows = RowSets { held_out: Some(Arc::new(of_one)), ..RowSets::default() };
        add(&mut plan, 3, rows);
        assert_eq!(prove(&plan).leaks.len(), 1);
    }
}
