//! A frozen model for other programs: preparation, learner and probability as one ONNX graph.
//!
//! In double precision throughout. The input `X` has a column for each predictor that is needed, in the
//! order of the fact `columns`; missing is NaN, and a category is its position in the fact
//! `categories`; of a row with a number that is none of these nothing is said. What has no formula is not
//! exported: the error names it.

mod graph;
mod wire;

use graph::{Ensemble, Graph};

use super::compute::{Part, Trail, Trails};
use crate::data::Model;

use crate::math::trees::{At, Trees};
use crate::operation::{Change, Form, Instance, Then};

/// The bytes of the file. `trails`: of each part.
///
/// # Errors
/// The step or learner that cannot be written, in words.
pub fn export(
    model: &Model,
    parts: &[Part<'_>],
    trails: &[Trails],
) -> Result<Vec<u8>, String> {
    let needed: Vec<usize> =
        (0..model.columns.len()).filter(|at| model.columns[*at].needed).collect();
    // A graph without an input has no rows to speak of.
    if model.falls_back.is_some() || needed.is_empty() {
        return Err("the prevalence is predicted for everybody".to_string());
    }
    let mut graph = Graph::default();
    let mut sum: Option<String> = None;
    for (part, trails) in parts.iter().zip(trails) {
        let trails = trails.as_ref().map_err(|step| {
            format!("`{step}` has no formula of one predictor for each column")
        })?;
        let probability = match form(part)? {
            Form::Constant(probability) => constant(&mut graph, probability),
            form => {
                let columns = prepared(&mut graph, model, &needed, trails)?;
                let probability = learner(&mut graph, part, form, &columns)?;
                // Where the preparation leaves a gap there is no probability, though trees would give
                // one.
                match trails.iter().all(Trail::fills) {
                    true => probability,
                    false => unless_missing(&mut graph, &columns, &probability),
                }
            }
        };
        if parts.len() == 1 {
            sum = Some(probability);
            continue;
        }
        let weight = graph.double(part.of.weight);
        let weighted = graph.node("Mul", &[&probability, &weight]);
        sum = Some(match sum {
            Some(sum) => graph.node("Add", &[&sum, &weighted]),
            None => weighted,
        });
    }
    let probability = sum.ok_or("it has no members")?;
    let probability = of_known_categories(&mut graph, model, &needed, &probability);
    graph.called(&probability, "probability");
    if let Some(threshold) = &model.threshold {
        let threshold = graph.double(threshold.value);
        let positive = graph.node("GreaterOrEqual", &[&probability, &threshold]);
        graph.called(&positive, "positive");
    }
    let used = needed.iter().map(|at| &model.columns[*at]);
    let names: Vec<&str> = used.clone().map(|column| column.name.as_str()).collect();
    let units: Vec<Option<&str>> =
        used.clone().map(|column| column.unit.as_deref()).collect();
    let categories: serde_json::Map<String, serde_json::Value> = used
        .filter_map(|c| Some((c.name.clone(), c.categories.clone()?.into())))
        .collect();
    let facts = [
        ("columns", serde_json::json!(names).to_string()),
        ("units", serde_json::json!(units).to_string()),
        ("categories", serde_json::Value::Object(categories).to_string()),
        ("outcome", model.outcome.label.clone()),
        ("study", model.study.digest.clone()),
        ("simulated", model.study.simulated.to_string()),
    ];
    Ok(graph.finish(&model.name, needed.len(), model.threshold.is_some(), &facts))
}

/// The columns that reach the learner: those with the same kinds of changes are computed together.
fn prepared(
    graph: &mut Graph,
    model: &Model,
    needed: &[usize],
    trails: &[Trail],
) -> Result<String, String> {
    let mut groups: Vec<(Vec<Kind>, Vec<usize>)> = Vec::new();
    for (at, trail) in trails.iter().enumerate() {
        let kinds: Vec<Kind> = match trail.counts {
            true => trail.changes.iter().map(Kind::of).collect(),
            false => vec![Kind::Unasked],
        };
        match groups.iter_mut().find(|(known, _)| *known == kinds) {
            Some((_, members)) => members.push(at),
            None => groups.push((kinds, vec![at])),
        }
    }
    let mut made = Vec::new();
    for (kinds, members) in &groups {
        let place = |at: &usize| {
            let from = trails[*at].from;
            // What is not asked for may be no column of the input, and any stands for it.
            needed.iter().position(|known| *known == from).unwrap_or_default()
        };
        let from: Vec<usize> = members.iter().map(place).collect();
        let mut value = graph.gather("X", &from);
        for position in 0..kinds.len() {
            let changes = members.iter().filter_map(|at| {
                let trail = &trails[*at];
                let column = &model.columns[trail.from];
                Some((trail.changes.get(position)?, column.categories.as_deref()))
            });
            let changes: Vec<(&Change, Option<&[String]>)> = changes.collect();
            value = changed(graph, kinds[position], &value, &changes)?;
        }
        made.push(value);
    }
    let [one] = made.as_slice() else {
        let all: Vec<&str> = made.iter().map(String::as_str).collect();
        let axis = [("axis", wire::Attribute::Number(1))];
        let joined = graph.with("Concat", "", &all, &axis);
        // Back into the order in which the learner reads them.
        let order: Vec<usize> = groups.iter().flat_map(|(_, of)| of.clone()).collect();
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
        return Ok(graph.gather(&joined, &places));
    };
    Ok(one.clone())
}

/// A change without its numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Same,
    Filled,
    IsMissing,
    Scaled,
    Zero,
    YeoJohnson,
    Is,
    /// Of a column that decides nothing.
    Unasked,
}

impl Kind {
    fn of(change: &Change) -> Self {
        match change {
            Change::Same => Self::Same,
            Change::Filled { .. } => Self::Filled,
            Change::IsMissing => Self::IsMissing,
            Change::Scaled { spread, .. } if *spread == 0.0 => Self::Zero,
            Change::Scaled { .. } => Self::Scaled,
            Change::YeoJohnson { lambda } if *lambda == 1.0 => Self::Same,
            Change::YeoJohnson { .. } => Self::YeoJohnson,
            Change::Is { .. } => Self::Is,
        }
    }
}

/// Changes of one kind, one for each column of `value`.
fn changed(
    graph: &mut Graph,
    kind: Kind,
    value: &str,
    changes: &[(&Change, Option<&[String]>)],
) -> Result<String, String> {
    let numbers = |graph: &mut Graph, of: fn(&Change) -> f64| {
        let numbers: Vec<f64> = changes.iter().map(|(change, _)| of(change)).collect();
        graph.doubles(&[1, numbers.len()], &numbers)
    };
    Ok(match kind {
        Kind::Same => value.to_string(),
        Kind::Filled => {
            let with = numbers(graph, |change| match change {
                Change::Filled { with } => *with,
                _ => f64::NAN,
            });
            let missing = graph.node("IsNaN", &[value]);
            graph.node("Where", &[&missing, &with, value])
        }
        Kind::IsMissing => {
            let missing = graph.node("IsNaN", &[value]);
            graph.indicator(&missing)
        }
        Kind::Zero => {
            let zero = graph.double(0.0);
            graph.node("Mul", &[value, &zero])
        }
        // 0 whatever is there, a gap included: a product would keep that.
        Kind::Unasked => {
            let missing = graph.node("IsNaN", &[value]);
            let flag = graph.indicator(&missing);
            let zero = graph.double(0.0);
            graph.node("Mul", &[&flag, &zero])
        }
        Kind::Scaled => {
            let centre = numbers(graph, |change| match change {
                Change::Scaled { centre, .. } => *centre,
                _ => f64::NAN,
            });
            let spread = numbers(graph, |change| match change {
                Change::Scaled { spread, .. } => *spread,
                _ => f64::NAN,
            });
            let moved = graph.node("Sub", &[value, &centre]);
            graph.node("Div", &[&moved, &spread])
        }
        Kind::YeoJohnson => {
            let lambdas = changes.iter().map(|(change, _)| match change {
                Change::YeoJohnson { lambda } => *lambda,
                _ => f64::NAN,
            });
            yeo_johnson(graph, value, &lambdas.collect::<Vec<_>>())
        }
        Kind::Is => {
            let mut codes = Vec::new();
            for (change, categories) in changes {
                let (Change::Is { category, met, others_missing }, Some(known)) =
                    (change, categories)
                else {
                    return Err("a category belongs to no column of such".to_string());
                };
                if *others_missing && known.iter().any(|one| !met.contains(one)) {
                    return Err(
                        "`encode_onehot` with `unseen: missing` and a category that \
                                no training row has"
                            .to_string(),
                    );
                }
                let code = known.iter().position(|one| one == category);
                codes.push(code.map_or(-1.0, |code| code as f64));
            }
            let codes = graph.doubles(&[1, codes.len()], &codes);
            let same = graph.node("Equal", &[value, &codes]);
            let same = graph.indicator(&same);
            let missing = graph.node("IsNaN", &[value]);
            graph.node("Where", &[&missing, value, &same])
        }
    })
}

/// What is said of rows without gaps; of others not a number.
fn unless_missing(graph: &mut Graph, rows: &str, said: &str) -> String {
    let missing = graph.node("IsNaN", &[rows]);
    unless_any(graph, &missing, said)
}

/// What is said of rows of which nothing is flagged; of others not a number.
fn unless_any(graph: &mut Graph, flags: &str, said: &str) -> String {
    let flags = graph.indicator(flags);
    let axis = graph.integers(&[1]);
    let flagged = graph.node("ReduceSum", &[&flags, &axis]);
    let zero = graph.double(0.0);
    let any = graph.node("Greater", &[&flagged, &zero]);
    let nothing = graph.double(f64::NAN);
    graph.node("Where", &[&any, &nothing, said])
}

/// What is said of rows whose categories are known or missing; of others not a number, as `predict`
/// refuses them.
fn of_known_categories(
    graph: &mut Graph,
    model: &Model,
    needed: &[usize],
    said: &str,
) -> String {
    let of_place = |(place, at): (usize, &usize)| {
        Some((place, model.columns[*at].categories.as_ref()?.len()))
    };
    let coded: Vec<(usize, usize)> =
        needed.iter().enumerate().filter_map(of_place).collect();
    if coded.is_empty() {
        return said.to_string();
    }
    let (places, numbers): (Vec<usize>, Vec<usize>) = coded.into_iter().unzip();
    let ends: Vec<f64> = numbers.iter().map(|n| *n as f64).collect();
    let codes = graph.gather("X", &places);
    let (zero, ends) = (graph.double(0.0), graph.doubles(&[1, ends.len()], &ends));
    let floor = graph.node("Floor", &[&codes]);
    let whole = graph.node("Equal", &[&floor, &codes]);
    let from = graph.node("GreaterOrEqual", &[&codes, &zero]);
    let until = graph.node("Less", &[&codes, &ends]);
    let within = graph.node("And", &[&from, &until]);
    let known = graph.node("And", &[&whole, &within]);
    let missing = graph.node("IsNaN", &[&codes]);
    let fine = graph.node("Or", &[&known, &missing]);
    let odd = graph.node("Not", &[&fine]);
    unless_any(graph, &odd, said)
}

/// Both branches of the transformation, and at each value the one that holds.
fn yeo_johnson(graph: &mut Graph, value: &str, lambdas: &[f64]) -> String {
    let zero = graph.double(0.0);
    let negative = graph.node("Neg", &[value]);
    let branch = |graph: &mut Graph, x: &str, powers: Vec<f64>| {
        let shape = [1, powers.len()];
        let is_log: Vec<bool> =
            powers.iter().map(|power| power.abs() < f64::EPSILON).collect();
        let used: Vec<f64> = powers
            .iter()
            .zip(&is_log)
            .map(|(power, log)| if *log { 1.0 } else { *power })
            .collect();
        let flags: Vec<f64> =
            is_log.iter().map(|log| f64::from(u8::from(*log))).collect();
        let used = graph.doubles(&shape, &used);
        let flags = graph.doubles(&shape, &flags);
        let above = graph.node("Max", &[x, &zero]);
        let log = ln_1p(graph, &above);
        let exponent = graph.node("Mul", &[&log, &used]);
        let raised = expm1(graph, &exponent);
        let power = graph.node("Div", &[&raised, &used]);
        let takes_log = graph.node("Greater", &[&flags, &zero]);
        graph.node("Where", &[&takes_log, &log, &power])
    };
    let of_positive = branch(graph, value, lambdas.to_vec());
    let others = lambdas.iter().map(|lambda| 2.0 - lambda).collect();
    let of_negative = branch(graph, &negative, others);
    let of_negative = graph.node("Neg", &[&of_negative]);
    let is_positive = graph.node("GreaterOrEqual", &[value, &zero]);
    let made = graph.node("Where", &[&is_positive, &of_positive, &of_negative]);
    let (least, most) = (graph.double(f64::MIN), graph.double(f64::MAX));
    let made = graph.node("Max", &[&made, &least]);
    let made = graph.node("Min", &[&made, &most]);
    let missing = graph.node("IsNaN", &[value]);
    graph.node("Where", &[&missing, value, &made])
}

/// ln(1 + x) for x ≥ 0, as exact where x is small: ln(u) · x / (u − 1) with u = 1 + x as it is rounded.
/// There is no such operator.
fn ln_1p(graph: &mut Graph, x: &str) -> String {
    let (zero, one) = (graph.double(0.0), graph.double(1.0));
    let moved = graph.node("Add", &[x, &one]);
    let back = graph.node("Sub", &[&moved, &one]);
    let log = graph.node("Log", &[&moved]);
    let off = graph.node("Div", &[x, &back]);
    let log = graph.node("Mul", &[&log, &off]);
    let lost = graph.node("Equal", &[&back, &zero]);
    graph.node("Where", &[&lost, x, &log])
}

/// eˣ − 1, as exact where x is small: (u − 1) · x / ln(u) with u = eˣ as it is rounded.
fn expm1(graph: &mut Graph, x: &str) -> String {
    /// Beyond this 1 changes nothing, or is all that there is.
    const FAR: f64 = 40.0;
    let one = graph.double(1.0);
    let raised = graph.node("Exp", &[x]);
    let less = graph.node("Sub", &[&raised, &one]);
    let log = graph.node("Log", &[&raised]);
    let off = graph.node("Div", &[x, &log]);
    let made = graph.node("Mul", &[&less, &off]);
    let lost = graph.node("Equal", &[&raised, &one]);
    let made = graph.node("Where", &[&lost, x, &made]);
    let (far, back) = (graph.double(FAR), graph.double(-FAR));
    let large = graph.node("Greater", &[x, &far]);
    let made = graph.node("Where", &[&large, &raised, &made]);
    let small = graph.node("Greater", &[&back, x]);
    let nothing = graph.double(-1.0);
    graph.node("Where", &[&small, &nothing, &made])
}

/// What the learner of a part computes.
fn form(part: &Part<'_>) -> Result<Form, String> {
    let Instance::Learner(instance) = &part.learner.instance else {
        unreachable!("`spec` puts learners here")
    };
    instance.form(&part.of.model).map_err(|failure| failure.to_string())
}

/// The same number for every row, whatever its values.
fn constant(graph: &mut Graph, value: f64) -> String {
    let first = graph.gather("X", &[0]);
    let missing = graph.node("IsNaN", &[&first]);
    let flag = graph.indicator(&missing);
    let zero = graph.double(0.0);
    let nothing = graph.node("Mul", &[&flag, &zero]);
    let value = graph.double(value);
    graph.node("Add", &[&nothing, &value])
}

/// The probability that a learner gives, its map from decision values included.
fn learner(
    graph: &mut Graph,
    part: &Part<'_>,
    form: Form,
    rows: &str,
) -> Result<String, String> {
    let (value, then) = match form {
        Form::Opaque => {
            return Err(format!("`{}` is not exported to ONNX", part.learner.about.name));
        }
        Form::Constant(value) => (constant(graph, value), Then::Nothing),
        Form::Linear { weights, intercept, then } => {
            let weights = graph.doubles(&[weights.len(), 1], &weights);
            let intercept = graph.double(intercept);
            let product = graph.node("MatMul", &[rows, &weights]);
            (graph.node("Add", &[&product, &intercept]), then)
        }
        Form::Kernel { rows: known, weights, intercept, gamma } => {
            (kernel(graph, rows, (&known, &weights), intercept, gamma), Then::Nothing)
        }
        Form::Trees { trees, start, mean, then, .. } => {
            let sum = graph.tree_ensemble(rows, ensemble(&trees));
            let value = match mean {
                true => {
                    let n = graph.double(trees.len() as f64);
                    graph.node("Div", &[&sum, &n])
                }
                false => {
                    let start = graph.double(start);
                    graph.node("Add", &[&sum, &start])
                }
            };
            (value, then)
        }
    };
    let value = match then {
        Then::Sigmoid => graph.node("Sigmoid", &[&value]),
        Then::Nothing => value,
    };
    let Some(link) = part.of.link else { return Ok(value) };
    let (slope, intercept) = (graph.double(link.slope), graph.double(link.intercept));
    let product = graph.node("Mul", &[&value, &slope]);
    let moved = graph.node("Add", &[&product, &intercept]);
    Ok(graph.node("Sigmoid", &[&moved]))
}

/// Σ wᵢ exp(−γ‖xᵢ − x‖²) + b, the distance as ‖x‖² − 2 x·xᵢ + ‖xᵢ‖² about the mean of the xᵢ: far from 0
/// the squares of columns that are not scaled would be all that is left of a difference.
fn kernel(
    graph: &mut Graph,
    rows: &str,
    (known, weights): (&[Vec<f64>], &[f64]),
    intercept: f64,
    gamma: f64,
) -> String {
    let (m, p) = (known.len(), known.first().map_or(0, Vec::len));
    let centre: Vec<f64> =
        (0..p).map(|j| known.iter().map(|row| row[j]).sum::<f64>() / m as f64).collect();
    let moved = |row: &Vec<f64>| -> Vec<f64> {
        row.iter().zip(&centre).map(|(value, centre)| value - centre).collect()
    };
    let known: Vec<Vec<f64>> = known.iter().map(moved).collect();
    let centre = graph.doubles(&[1, p], &centre);
    let rows = &graph.node("Sub", &[rows, &centre]);
    let columns = (0..p).flat_map(|j| known.iter().map(move |row| row[j]));
    let transposed = graph.doubles(&[p, m], &columns.collect::<Vec<f64>>());
    let squares: Vec<f64> =
        known.iter().map(|row| row.iter().map(|v| v * v).sum()).collect();
    let squares = graph.doubles(&[1, m], &squares);
    let square = graph.node("Mul", &[rows, rows]);
    let axis = graph.integers(&[1]);
    let square = graph.node("ReduceSum", &[&square, &axis]);
    let product = graph.node("MatMul", &[rows, &transposed]);
    let two = graph.double(2.0);
    let twice = graph.node("Mul", &[&product, &two]);
    let apart = graph.node("Sub", &[&square, &twice]);
    let distance = graph.node("Add", &[&apart, &squares]);
    let gamma = graph.double(-gamma);
    let scaled = graph.node("Mul", &[&distance, &gamma]);
    let near = graph.node("Exp", &[&scaled]);
    let weights = graph.doubles(&[m, 1], weights);
    let sum = graph.node("MatMul", &[&near, &weights]);
    let intercept = graph.double(intercept);
    graph.node("Add", &[&sum, &intercept])
}

/// Splits and leaves in lists of their own.
fn ensemble(trees: &Trees) -> Ensemble {
    let mut made = Ensemble::default();
    // Of each node its place among the splits or among the leaves.
    let mut place = vec![0; trees.n_nodes()];
    let (mut splits, mut leaves) = (0, 0);
    for (node, place) in place.iter_mut().enumerate() {
        let next = match trees.node(node) {
            At::Leaf(_) => &mut leaves,
            At::Split { .. } => &mut splits,
        };
        *place = *next;
        *next += 1;
    }
    for node in 0..trees.n_nodes() {
        match trees.node(node) {
            At::Leaf(value) => made.weights.push(value),
            At::Split { column, cut, left, right } => {
                made.columns.push(column as i64);
                made.splits.push(cut);
                for (side, child) in [left, right].into_iter().enumerate() {
                    let is_leaf = matches!(trees.node(child), At::Leaf(_));
                    made.below[side].push(place[child]);
                    made.is_leaf[side].push(i64::from(is_leaf));
                }
            }
        }
    }
    for root in trees.roots() {
        match trees.node(root) {
            At::Split { .. } => made.roots.push(place[root]),
            // A tree that is one leaf: a split whose sides are both that leaf.
            At::Leaf(_) => {
                made.roots.push(made.splits.len() as i64);
                made.columns.push(0);
                made.splits.push(0.0);
                for side in 0..2 {
                    made.below[side].push(place[root]);
                    made.is_leaf[side].push(1);
                }
            }
        }
    }
    made
}
