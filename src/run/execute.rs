//! Takes nodes whose inputs are done, asks the store for each, else computes and stores it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use petgraph::graph::NodeIndex;

use super::compute::{self, ComputeError, Inputs, KnownStates, Matrices, Resamples};
use crate::data::{Alternative, Value, Winner};
use crate::digest::Digest;
use crate::math::Stream;
use crate::plan::{Node, Plan, Reads, State, States, Work, key_of, preimage};
use crate::spec::Study;
use crate::store::{Action, Keep, NewAction, NewOutput, Store, StoreError};
use crate::survey::{Performed, Reading, Survey};

/// How a run is to go. Nothing here can change a result.
pub struct Options<'a> {
    /// Threads; 0 means one per core.
    pub jobs: usize,
    /// Names of nodes to compute again although they are stored.
    pub refresh: Vec<String>,
    /// The share of stored nodes to compute again and compare, from 0 to 1.
    pub recheck: f64,
    /// Starts ready nodes in a random order: a test of the promise that order does not matter.
    pub shuffle: Option<u64>,
    /// Set from outside to stop after the nodes that are running.
    pub interrupted: &'a AtomicBool,
}

/// Who wants to know how it goes.
pub trait Watch: Sync {
    fn finished(&self, node: &Node, how: &How);
}

/// How a node came to its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Its record was in the store.
    Stored,
    Computed,
    /// Cut from a value in the store that holds more; nothing was fitted.
    Taken,
    /// Computed again, with the bytes that the previous run's node of this name had.
    CutOff,
    /// Its own computation failed; the program's mistake, since failures of data are values.
    Panicked(String),
    /// The machine failed: a file, the disk.
    Failed(String),
    /// Computed again with other bytes than the stored ones.
    Differs(String),
    /// An input failed, and why.
    Blocked(String),
    /// Not reached before the run was interrupted.
    NotReached,
}

/// What a run did.
pub struct Done {
    pub states: States,
    pub how: Vec<How>,
    pub interrupted: bool,
    /// Why no further node was started, when the disk is full.
    pub stopped: Option<String>,
    pub seconds: f64,
}

/// Why a run cannot even begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("failed to start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Done {
    pub fn count(&self, wanted: impl Fn(&How) -> bool) -> usize {
        self.how.iter().filter(|how| wanted(how)).count()
    }

    /// Nodes without a value that is to be trusted.
    pub fn failed(&self) -> usize {
        self.count(|how| {
            matches!(
                how,
                How::Panicked(_) | How::Failed(_) | How::Differs(_) | How::Blocked(_)
            )
        })
    }

    /// Nodes that did work in this run.
    pub fn computed(&self) -> usize {
        self.count(|how| matches!(how, How::Computed | How::CutOff))
    }
}

/// Runs a plan to its end, or to an interruption.
pub fn execute(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    known: States,
    reading: &Reading<'_>,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<Done, RunError> {
    let started = Instant::now();
    let n = plan.graph.node_count();
    let refreshed = |node: &Node| {
        options.refresh.iter().any(|pattern| crate::survey::matches(pattern, &node.name))
    };
    let everything_known = known.of.iter().all(|state| *state == State::Index);
    if everything_known && options.refresh.is_empty() && options.recheck == 0.0 {
        let how = vec![How::Stored; n];
        let seconds = started.elapsed().as_secs_f64();
        return Ok(Done {
            states: known,
            how,
            interrupted: false,
            stopped: None,
            seconds,
        });
    }
    let by_name: HashMap<&str, &Performed> =
        survey.performed.iter().map(|done| (done.node.as_str(), done)).collect();
    let mut refresh: Vec<bool> = plan.graph.node_weights().map(refreshed).collect();
    for (node, ahead) in &plan.ahead {
        // What is to be computed again is so for other choices as well.
        refresh[node.index()] |= ahead.then.iter().any(|next| refresh[next.index()]);
    }
    let performed = plan
        .graph
        .node_weights()
        .map(|node| by_name.get(node.name.as_str()).copied())
        .collect();
    let executor = Executor {
        study,
        survey,
        plan,
        reading,
        store: reading.store,
        known: (options.refresh.is_empty() && options.recheck == 0.0).then_some(known),
        refresh,
        performed,
        results: (0..n).map(|_| Mutex::new(Ended::default())).collect(),
        values: (0..n).map(|_| Mutex::new(None)).collect(),
        made: (0..n).map(|_| Mutex::new(None)).collect(),
        anew: Mutex::default(),
        matrices: (0..n).map(|_| Mutex::new(None)).collect(),
        resamples: Resamples::new(study.seed),
        waiting_for: plan
            .graph
            .node_indices()
            .map(|index| AtomicUsize::new(plan.edges(index).len()))
            .collect(),
        readers_left: plan
            .graph
            .node_indices()
            .map(|index| AtomicUsize::new(plan.readers(index).count()))
            .collect(),
        recheck: options.recheck,
        shuffle: options.shuffle,
        interrupted: options.interrupted,
        watch,
        synced: Mutex::new(Instant::now()),
        stopped: Mutex::new(None),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build()?;
    let roots = plan.order.iter().copied();
    let mut roots: Vec<_> = roots.filter(|index| plan.edges(*index).is_empty()).collect();
    executor.shuffle(&mut roots, "roots");
    pool.scope(|scope| {
        for root in roots {
            let executor = &executor;
            scope.spawn(move |scope| executor.process(scope, root));
        }
    });
    reading.store.sync();
    let mut states = States::all(State::New, n);
    let mut how = Vec::with_capacity(n);
    for (at, result) in executor.results.into_iter().enumerate() {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        states.keys[at] = result.key;
        if result.outputs.is_some() {
            states.of[at] = State::Stored;
        }
        states.outputs[at] = result.outputs;
        states.seconds[at] = result.cost;
        how.push(result.how.unwrap_or(How::NotReached));
    }
    let interrupted = options.interrupted.load(Ordering::Relaxed);
    let stopped = executor.stopped.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seconds = started.elapsed().as_secs_f64();
    Ok(Done { states, how, interrupted, stopped, seconds })
}

/// What is known of a node after it was processed.
#[derive(Default)]
struct Ended {
    how: Option<How>,
    key: Option<Digest>,
    outputs: Option<Vec<(String, Digest)>>,
    cost: Option<f64>,
}

/// Stands for the name of an input that a panic left without a value.
const NOT_MEASURED: &[u8] = b"not measured";

/// A node whose inputs are done.
struct Task {
    index: NodeIndex,
    key: Digest,
    /// What the key is made of.
    preimage: String,
    /// The names of what it reads, as the preimage has them.
    digests: Vec<Digest>,
}

impl Task {
    fn stored(&self, action: Action, how: How) -> Ended {
        let cost = Some(action.seconds);
        let outputs = action.outputs.into_iter().map(|o| (o.port, o.digest)).collect();
        Ended { how: Some(how), key: Some(self.key), outputs: Some(outputs), cost }
    }

    fn failed(&self, how: How) -> Ended {
        Ended { how: Some(how), key: Some(self.key), ..Ended::default() }
    }
}

struct Executor<'a> {
    study: &'a Study,
    survey: &'a Survey,
    plan: &'a Plan,
    reading: &'a Reading<'a>,
    store: &'a Store,
    /// What was found in the store before the run, unless stored nodes are to be looked at again.
    known: Option<States>,
    refresh: Vec<bool>,
    performed: Vec<Option<&'a Performed>>,
    results: Vec<Mutex<Ended>>,
    /// Values in memory until their last reader is done.
    values: Vec<Mutex<Option<Arc<Value>>>>,
    /// The records of nodes that another one computed with its own in this run, until they are asked for.
    made: Vec<Mutex<Option<(Action, How)>>>,
    /// What was computed instead of a node's own value although the store had it: once in this run.
    anew: Mutex<HashSet<Digest>>,
    /// Prepared matrices of a split, by its `prepare` node.
    matrices: Vec<Mutex<Option<Arc<Matrices>>>>,
    resamples: Resamples,
    waiting_for: Vec<AtomicUsize>,
    readers_left: Vec<AtomicUsize>,
    recheck: f64,
    shuffle: Option<u64>,
    interrupted: &'a AtomicBool,
    watch: &'a dyn Watch,
    synced: Mutex<Instant>,
    /// Set once when going on makes no sense.
    stopped: Mutex<Option<String>>,
}

/// How often results are made to survive a power cut. A kill needs no such thing.
const SYNC_EVERY: Duration = Duration::from_secs(2);

impl Executor<'_> {
    fn shuffle(&self, nodes: &mut [NodeIndex], name: &str) {
        if let Some(seed) = self.shuffle {
            Stream::new(seed, &["start order", name]).shuffle(nodes);
        }
    }

    fn process<'scope>(&'scope self, scope: &rayon::Scope<'scope>, index: NodeIndex) {
        if self.ends() {
            return;
        }
        let node = &self.plan.graph[index];
        let result = self.run(index);
        if let Some(how) = &result.how {
            self.watch.finished(node, how);
        }
        *lock(&self.results[index.index()]) = result;
        for (input, _) in self.plan.edges(index) {
            if self.readers_left[input.index()].fetch_sub(1, Ordering::AcqRel) == 1 {
                *lock(&self.values[input.index()]) = None;
                *lock(&self.matrices[input.index()]) = None;
            }
        }
        let mut ready: Vec<NodeIndex> = self
            .plan
            .readers(index)
            .filter(|r| self.waiting_for[r.index()].fetch_sub(1, Ordering::AcqRel) == 1)
            .collect();
        // petgraph gives the latest reader first; rayon takes the latest spawned first.
        self.shuffle(&mut ready, &node.name);
        for reader in ready {
            scope.spawn(move |scope| self.process(scope, reader));
        }
        self.sync();
    }

    /// A node's result, from the first place that has it: known before the run, computed with another
    /// node, stored, cut from a stored value that holds more, or else computed now.
    fn run(&self, index: NodeIndex) -> Ended {
        if let Some(result) = self.known_before(index) {
            return result;
        }
        let digests = match self.input_digests(index) {
            Ok(digests) => digests,
            Err(how) => return Ended { how: Some(how), ..Ended::default() },
        };
        let preimage = preimage(&self.plan.graph[index], &digests);
        let task = Task { index, key: key_of(&preimage), preimage, digests };
        self.together(index);
        if let Some((action, how)) = lock(&self.made[index.index()]).take() {
            return task.stored(action, how);
        }
        if self.ends() {
            return Ended::default();
        }
        self.stored(&task).unwrap_or_else(|| self.made_now(&task))
    }

    /// The result of a node that the survey has performed, or that is not to be looked at again.
    fn known_before(&self, index: NodeIndex) -> Option<Ended> {
        let at = index.index();
        if let Some(done) = self.performed[at] {
            let how = Some(if done.computed { How::Computed } else { How::Stored });
            let (key, outputs) = (Some(done.key), Some(done.outputs.clone()));
            return Some(Ended { how, key, outputs, cost: None });
        }
        let known = self.known.as_ref()?;
        // The first of those that share their work may have to do that of others.
        if known.of[at] != State::Stored || self.plan.together.contains_key(&index) {
            return None;
        }
        let (key, outputs) = (known.keys[at], known.outputs[at].clone());
        let (how, cost) = (Some(How::Stored), known.seconds[at]);
        Some(Ended { how, key, outputs, cost })
    }

    /// The names of what a node reads. Fails where an input has none.
    fn input_digests(&self, index: NodeIndex) -> Result<Vec<Digest>, How> {
        let ports = self.plan.ports(index).into_iter();
        let digest =
            |(input, port): (NodeIndex, Option<&str>)| match self.output(input, port) {
                Some(digest) => Ok(digest),
                // A subject that could not be measured is counted, not fatal.
                None if matches!(self.plan.graph[index].work, Work::Frame { .. }) => {
                    Ok(Digest::of(NOT_MEASURED))
                }
                None => Err(How::Blocked(self.why_failed(input).unwrap_or_default())),
            };
        ports.map(digest).collect()
    }

    /// What the store has of a node, unless it is to be computed again.
    fn stored(&self, task: &Task) -> Option<Ended> {
        let wanted = !self.refresh[task.index.index()];
        let action = wanted.then(|| self.store.action(&task.key)).flatten()?;
        let how = self.recheck(task.index, &task.key, &action);
        Some(task.stored(action, how))
    }

    /// Takes a node from a stored value that holds more, or computes it, and stores it.
    fn made_now(&self, task: &Task) -> Ended {
        let index = task.index;
        let refresh = self.refresh[index.index()];
        // Another process may be computing the same: wait for it, then look again.
        let guard = match self.store.single_flight(&task.key) {
            Ok(guard) => guard,
            Err(error) => return task.failed(How::Failed(error.to_string())),
        };
        if refresh {
            self.store.forget(&task.key);
        } else if let Some(action) = self.store.action(&task.key) {
            return task.stored(action, How::Stored);
        }
        let started = Instant::now();
        let (value, how, mut rests_on) = match self.own(index, &task.digests) {
            Ok(own) => own,
            Err(how) => return task.failed(how),
        };
        let bytes = value.to_bytes();
        // Not every failure has passed through the store: a panic's never does.
        if task.digests.contains(&Digest::of(NOT_MEASURED)) {
            let outputs = Some(vec![(String::new(), Digest::of(&bytes))]);
            *lock(&self.values[index.index()]) = Some(Arc::new(value));
            let how = Some(How::Computed);
            return Ended { how, key: Some(task.key), outputs, cost: None };
        }
        let keep = self.plan.graph[index].keep;
        let mut outputs = vec![NewOutput { port: String::new(), bytes, keep }];
        if let Value::Alternatives(alternatives) = &value {
            match self.ahead(index, &alternatives.winners) {
                Ok(Some(keys)) => rests_on.extend(keys),
                Ok(None) => return Ended::default(),
                Err(how) => return task.failed(how),
            }
        }
        outputs.extend(named(&rests_on));
        let seconds = started.elapsed().as_secs_f64();
        let action = NewAction { preimage: task.preimage.clone(), seconds, outputs };
        let published = self.store.publish(&task.key, action);
        drop(guard);
        if self.readers_left[index.index()].load(Ordering::Acquire) > 0 {
            *lock(&self.values[index.index()]) = Some(Arc::new(value));
        }
        match published {
            Ok(action) => task.stored(action, how),
            Err(error) => task.failed(self.not_stored(&error)),
        }
    }

    /// Computes in one pass what is to be computed of nodes that share their work, of which this one is the
    /// first; the others take it from there. Where anything goes wrong each of them does its own and says
    /// what it is.
    fn together(&self, index: NodeIndex) {
        let Some(all) = self.plan.together.get(&index) else { return };
        // Their inputs are done, as they are those of this one.
        let named = all.iter().filter_map(|&member| {
            let preimage = self.own_preimage(member)?;
            Some((member, key_of(&preimage), preimage))
        });
        let named: Vec<(NodeIndex, Digest, String)> = named.collect();
        // Those to be computed, each with its record if it is only to be compared.
        let wanted = || -> Vec<(NodeIndex, Digest, &String, Option<Action>)> {
            let wanted = named.iter().filter_map(|(member, key, preimage)| {
                let known = match self.refresh[member.index()] {
                    true => None,
                    false => self.store.action(key),
                };
                let wanted = known.is_none() || self.is_rechecked(key);
                wanted.then_some((*member, *key, preimage, known))
            });
            wanted.collect()
        };
        // One alone has nobody to share with.
        let first = match wanted().as_slice() {
            [first, _, ..] => first.1,
            _ => return,
        };
        // Whoever does the same in another process begins with the same one.
        let Ok(_guard) = self.store.single_flight(&first) else { return };
        let wanted = wanted();
        if wanted.is_empty() {
            return;
        }
        let started = Instant::now();
        let nodes: Vec<&Node> =
            wanted.iter().map(|(member, ..)| &self.plan.graph[*member]).collect();
        let Ok(inputs) = self.input_values(index) else { return };
        let known = RefCell::default();
        let made = self.with_inputs(index, &inputs, &known, |context| {
            compute::together(&nodes, context)
        });
        let Ok(values) = made else { return };
        // Nobody knows whose share was how large.
        let seconds = started.elapsed().as_secs_f64() / values.len() as f64;
        for ((member, key, preimage, known), value) in wanted.into_iter().zip(values) {
            if let Some(action) = known {
                let how = compared(&value, &action);
                *lock(&self.made[member.index()]) = Some((action, how));
                continue;
            }
            if self.refresh[member.index()] {
                self.store.forget(&key);
            }
            let keep = self.plan.graph[member].keep;
            let output = NewOutput { port: String::new(), bytes: value.to_bytes(), keep };
            let preimage = preimage.clone();
            let action = NewAction { preimage, seconds, outputs: vec![output] };
            match self.store.publish(&key, action) {
                Ok(action) => {
                    *lock(&self.values[member.index()]) = Some(Arc::new(value));
                    *lock(&self.made[member.index()]) = Some((action, How::Computed));
                }
                Err(error) => {
                    self.not_stored(&error);
                    return;
                }
            }
        }
    }

    /// What a node's key is made of, once its inputs are done.
    fn own_preimage(&self, index: NodeIndex) -> Option<String> {
        let ports = self.plan.ports(index).into_iter();
        let digests = ports.map(|(input, port)| self.output(input, port));
        Some(preimage(&self.plan.graph[index], &digests.collect::<Option<Vec<_>>>()?))
    }

    /// What becomes of a node whose result cannot be kept. On a full disk no further one is started.
    fn not_stored(&self, error: &StoreError) -> How {
        if let StoreError::Full { .. } = error {
            *lock(&self.stopped) = Some(error.to_string());
        }
        How::Failed(error.to_string())
    }

    /// Whether no further work is to be begun.
    fn ends(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || lock(&self.stopped).is_some()
    }

    /// A node's own value, how it came to it, and the keys that this rests on.
    fn own(
        &self,
        index: NodeIndex,
        digests: &[Digest],
    ) -> Result<(Value, How, Vec<Digest>), How> {
        if !self.refresh[index.index()]
            && let Some(value) = self.taken(index, digests)
        {
            return Ok((value, How::Taken, Vec::new()));
        }
        match self.of_members(index, &Instead::new(), &RefCell::default())? {
            Some(whole) if whole.computed => Ok((whole.value, How::Computed, whole.of)),
            Some(whole) => Ok((whole.value, How::Taken, whole.of)),
            None => Ok((self.compute(index)?, How::Computed, Vec::new())),
        }
    }

    /// Computes what follows each of these choices, unless the store has it. Gives the keys of all that is
    /// there then. Nothing where the run ends before all are computed: the next one goes on from those that
    /// are.
    fn ahead(
        &self,
        index: NodeIndex,
        alternatives: &[Alternative],
    ) -> Result<Option<Vec<Digest>>, How> {
        let Some(ahead) = self.plan.ahead.get(&index) else {
            return Ok(Some(Vec::new()));
        };
        let mut keys = Vec::new();
        // All of them are fitted on the same rows.
        let known = RefCell::default();
        for alternative in alternatives {
            let winner = Arc::new(Value::Winner(alternative.winner.clone()));
            let mut instead = Instead::from([(ahead.winner, winner)]);
            let links = Arc::new(Value::Links(alternative.links.clone()));
            instead.extend(ahead.link.map(|link| (link, links)));
            for &next in &ahead.then {
                if self.ends() {
                    return Ok(None);
                }
                let made = self.instead(next, &instead, &known)?;
                // What cannot be made now is told when somebody asks for it.
                let Some(made) = made else { break };
                keys.push(made.key);
                keys.extend(made.of);
                instead.insert(next, made.value);
            }
        }
        Ok(Some(keys))
    }

    /// A choice of several candidates, put together from fits of each alone, which are kept: another choice
    /// may have some of them as well. Nothing for any other node, and where there are no such fits.
    fn of_members(
        &self,
        index: NodeIndex,
        instead: &Instead,
        known: &RefCell<KnownStates>,
    ) -> Result<Option<Whole>, How> {
        if !matches!(self.plan.graph[index].work, Work::Fit { .. } | Work::Refit { .. }) {
            return Ok(None);
        }
        let read = |node: NodeIndex| match instead.get(&node) {
            Some(value) => Some(value.clone()),
            None => self.value(node).ok(),
        };
        let (mut choice, mut link) = (None, None);
        for input in self.plan.inputs(index) {
            match self.plan.graph[input].work {
                Work::Winner { .. } => choice = Some(input),
                Work::Link { .. } => link = Some(input),
                _ => {}
            }
        }
        let Some((choice, value)) = choice.and_then(|node| Some((node, read(node)?)))
        else {
            return Ok(None);
        };
        let Value::Winner(winner) = &*value else { return Ok(None) };
        if winner.members.len() < 2 {
            return Ok(None);
        }
        let links = match link.map(read) {
            Some(Some(value)) => match &*value {
                Value::Links(links) => links.clone(),
                _ => return Ok(None),
            },
            Some(None) => return Ok(None),
            None => Vec::new(),
        };
        let (mut members, mut of, mut computed) = (Vec::new(), Vec::new(), false);
        for (at, (recipe, _)) in winner.members.iter().enumerate() {
            let members_alone = vec![(recipe.clone(), 1.0)];
            let alone = Winner { members: members_alone, falls_back: winner.falls_back };
            let mut instead = instead.clone();
            instead.insert(choice, Arc::new(Value::Winner(alone)));
            let own_link = || Arc::new(Value::Links(vec![links[at]]));
            instead.extend(link.map(|link| (link, own_link())));
            let Some(made) = self.instead(index, &instead, known)? else {
                return Ok(None);
            };
            computed |= made.computed;
            of.push(made.key);
            members.push(made.value);
        }
        let value = compute::of_members(winner, &members);
        Ok(value.map(|value| Whole { value, of, computed }))
    }

    /// What a node gives that reads these values instead of those of the study; nothing where an input is
    /// missing. `known` has states of steps that were fitted on the same rows.
    fn instead(
        &self,
        index: NodeIndex,
        instead: &Instead,
        known: &RefCell<KnownStates>,
    ) -> Result<Option<Made>, How> {
        let node = &self.plan.graph[index];
        let digest = |(input, port): (NodeIndex, Option<&str>)| match instead.get(&input)
        {
            Some(value) => Some(value.digest()),
            None => self.output(input, port),
        };
        let digests: Option<Vec<Digest>> =
            self.plan.ports(index).into_iter().map(digest).collect();
        let Some(digests) = digests else { return Ok(None) };
        let preimage = preimage(node, &digests);
        let key = key_of(&preimage);
        let failed = |error: StoreError| How::Failed(error.to_string());
        let _guard = self.store.single_flight(&key).map_err(failed)?;
        let is_own = lock(&self.results[index.index()]).key == Some(key);
        if self.refresh[index.index()] && !is_own && lock(&self.anew).insert(key) {
            self.store.forget(&key);
        }
        if let Some(action) = self.store.action(&key)
            && let Some(value) = self.value_of(&action)
        {
            let rests_on = action.outputs.iter().filter_map(|of| of.port.parse().ok());
            let (value, of) = (Arc::new(value), rests_on.collect());
            return Ok(Some(Made { key, value, of, computed: false }));
        }
        let started = Instant::now();
        let inputs = self.plan.inputs(index).into_iter();
        let inputs: Result<Vec<Arc<Value>>, How> = inputs
            .map(|input| match instead.get(&input) {
                Some(value) => Ok(value.clone()),
                None => self.value(input),
            })
            .collect();
        let whole = match self.of_members(index, instead, known)? {
            Some(whole) => Ok(whole),
            None => inputs
                .and_then(|inputs| self.compute_from(index, &inputs, known))
                .map(|value| Whole { value, of: Vec::new(), computed: true }),
        };
        let Whole { value, of, computed } = match whole {
            Ok(whole) => whole,
            Err(How::Panicked(_)) => return Ok(None),
            Err(how) => return Err(how),
        };
        let (bytes, keep) = (value.to_bytes(), node.keep);
        let mut outputs = vec![NewOutput { port: String::new(), bytes, keep }];
        outputs.extend(named(&of));
        let seconds = started.elapsed().as_secs_f64();
        let action = NewAction { preimage, seconds, outputs };
        self.store.publish(&key, action).map_err(|error| self.not_stored(&error))?;
        Ok(Some(Made { key, value: Arc::new(value), of, computed }))
    }

    /// What the store has as a part of another value, which another way of choosing asked for.
    fn taken(&self, index: NodeIndex, digests: &[Digest]) -> Option<Value> {
        match self.plan.graph[index].work {
            Work::Score { .. } => self.taken_scores(index, digests),
            Work::Tune { .. } => self.taken_choice(index, digests),
            _ => None,
        }
    }

    /// The choice, where the store has those of all ways by the same scores.
    fn taken_choice(&self, index: NodeIndex, digests: &[Digest]) -> Option<Value> {
        let (own, way) = self.study.evaluate.own_among()?;
        let mut ahead = self.plan.ahead.iter();
        let (alternatives, _) = ahead.find(|(node, ahead)| {
            let work = &self.plan.graph[**node].work;
            ahead.tune == index
                && matches!(work, Work::Alternatives { choosing, .. } if *choosing == own)
        })?;
        // Both read the scores of all candidates and nothing else.
        let key = key_of(&preimage(&self.plan.graph[*alternatives], digests));
        let Value::Alternatives(all) = self.stored_value(&key)? else { return None };
        let choice = all.choices.into_iter().nth(way)?;
        Some(choice.map_or_else(Value::Failed, Value::Choice))
    }

    /// The scores of those that a race leaves, where the store has those of all candidates.
    fn taken_scores(&self, index: NodeIndex, digests: &[Digest]) -> Option<Value> {
        let node = &self.plan.graph[index];
        let Work::Score { case, selector, learner, .. } = &node.work else { return None };
        let inputs = self.plan.inputs(index);
        let race = inputs.iter().position(|input| {
            matches!(self.plan.graph[*input].work, Work::Race { .. })
        })?;
        let mut of_all = digests.to_vec();
        of_all.remove(race);
        let key = key_of(&preimage(node, &of_all));
        let Value::Scores(scores) = self.stored_value(&key)? else { return None };
        let survivors = self.value(inputs[race]).ok()?;
        let Value::Survivors(survivors) = &*survivors else { return None };
        let first = compute::first_candidate(
            self.study,
            self.plan.cases[*case],
            (*selector, *learner),
        );
        Some(Value::Scores(scores.raced(survivors, first)))
    }

    /// Computes a stored node again when the lot falls on its key, and compares.
    fn recheck(&self, index: NodeIndex, key: &Digest, action: &Action) -> How {
        if !self.is_rechecked(key) {
            return How::Stored;
        }
        match self.compute(index) {
            Ok(value) => compared(&value, action),
            Err(how) => how,
        }
    }

    /// Whether the lot falls on a key. Its first bytes are as good as random, and the same in every run.
    fn is_rechecked(&self, key: &Digest) -> bool {
        let [a, b, c, d, ..] = *key.as_bytes();
        let lot = f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX);
        lot < self.recheck || self.recheck >= 1.0
    }

    /// Why a node has no value, if it has none.
    fn why_failed(&self, node: NodeIndex) -> Option<String> {
        match &lock(&self.results[node.index()]).how {
            Some(How::Panicked(why) | How::Failed(why) | How::Blocked(why)) => {
                Some(why.clone())
            }
            _ => None,
        }
    }

    fn output(&self, node: NodeIndex, port: Option<&str>) -> Option<Digest> {
        let result = lock(&self.results[node.index()]);
        let outputs = result.outputs.as_ref()?;
        match port {
            Some(port) => outputs.iter().find(|(name, _)| name == port).map(|(_, d)| *d),
            None => outputs.first().map(|(_, digest)| *digest),
        }
    }

    /// Computes a node from its inputs' values; a panic is caught and named.
    fn compute(&self, index: NodeIndex) -> Result<Value, How> {
        self.compute_from(index, &self.input_values(index)?, &RefCell::default())
    }

    fn input_values(&self, index: NodeIndex) -> Result<Vec<Arc<Value>>, How> {
        let inputs = self.plan.inputs(index).into_iter();
        let value = |input| match self.why_failed(input) {
            Some(why) => Ok(Arc::new(Value::Failed(why))),
            None => self.value(input),
        };
        inputs.map(value).collect()
    }

    /// The same from these values.
    fn compute_from(
        &self,
        index: NodeIndex,
        inputs: &[Arc<Value>],
        known: &RefCell<KnownStates>,
    ) -> Result<Value, How> {
        let node = &self.plan.graph[index];
        self.with_inputs(index, inputs, known, |context| compute::compute(node, context))
    }

    /// What is made of all that a node may read; a panic is caught and named.
    fn with_inputs<T>(
        &self,
        index: NodeIndex,
        inputs: &[Arc<Value>],
        known: &RefCell<KnownStates>,
        make: impl FnOnce(&Inputs<'_>) -> Result<T, ComputeError>,
    ) -> Result<T, How> {
        let matrices = |prepare: NodeIndex, make: &dyn Fn() -> Matrices| {
            let mut slot = lock(&self.matrices[prepare.index()]);
            slot.get_or_insert_with(|| Arc::new(make())).clone()
        };
        let shared = || {
            let edges = self.plan.edges(index).into_iter();
            let shared = edges.filter(|(_, edge)| edge.reads == Reads::Shared);
            let values = shared.filter_map(|(earlier, _)| {
                if self.why_failed(earlier).is_some() {
                    return None;
                }
                Some((earlier, self.value(earlier).ok()?))
            });
            values.collect()
        };
        let context = Inputs {
            study: self.study,
            survey: self.survey,
            plan: self.plan,
            reading: self.reading,
            values: inputs,
            nodes: &self.plan.inputs(index),
            matrices: &matrices,
            resamples: &self.resamples,
            shared: &shared,
            known,
        };
        match catch_unwind(AssertUnwindSafe(|| make(&context))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(How::Failed(error.to_string())),
            Err(panic) => Err(How::Panicked(words(panic.as_ref()))),
        }
    }

    /// A node's value: from memory, from the store, or computed again when the store keeps only
    /// its digest or has lost it.
    fn value(&self, index: NodeIndex) -> Result<Arc<Value>, How> {
        // The slot stays locked while the value is made, so that it is made once. Only inputs are
        // asked for meanwhile, so no two nodes wait for each other.
        let mut slot = lock(&self.values[index.index()]);
        if let Some(value) = slot.as_ref() {
            return Ok(value.clone());
        }
        let key = lock(&self.results[index.index()]).key;
        let value = match key.and_then(|key| self.stored_value(&key)) {
            Some(value) => value,
            None => {
                let value = match self.compute_source(index) {
                    Some(value) => value,
                    None => self.compute(index)?,
                };
                self.heal(index, key, &value);
                value
            }
        };
        let value = Arc::new(value);
        *slot = Some(value.clone());
        Ok(value)
    }

    fn stored_value(&self, key: &Digest) -> Option<Value> {
        self.value_of(&self.store.action(key)?)
    }

    fn value_of(&self, action: &Action) -> Option<Value> {
        let bytes = self.store.value(action.outputs.first()?)?;
        Value::from_bytes(&bytes).ok()
    }

    /// The table of a source: the survey has it in memory.
    fn compute_source(&self, index: NodeIndex) -> Option<Value> {
        let Work::ReadTable { source } = self.plan.graph[index].work else { return None };
        let surveyed = self.survey.sources.get(&self.study.sources[source].name)?;
        match &surveyed.content {
            crate::survey::Content::Table { table, .. } => {
                Some(Value::Table(table.table().clone()))
            }
            _ => None,
        }
    }

    /// Puts back what the store has lost.
    fn heal(&self, index: NodeIndex, key: Option<Digest>, value: &Value) {
        let node = &self.plan.graph[index];
        if node.keep == Keep::DigestOnly || self.performed[index.index()].is_some() {
            return;
        }
        let Some((key, preimage)) = key.zip(self.own_preimage(index)) else { return };
        self.store.forget(&key);
        let output =
            NewOutput { port: String::new(), bytes: value.to_bytes(), keep: node.keep };
        let action = NewAction { preimage, seconds: 0.0, outputs: vec![output] };
        // Without it the next run computes the node once more.
        drop(self.store.publish(&key, action));
    }

    fn sync(&self) {
        let Ok(mut synced) = self.synced.try_lock() else { return };
        if synced.elapsed() >= SYNC_EVERY {
            self.store.sync();
            *synced = Instant::now();
        }
    }
}

/// Values in the place of those that nodes of the study have.
type Instead = BTreeMap<NodeIndex, Arc<Value>>;

/// What a node gives that reads other values than those of the study.
struct Made {
    key: Digest,
    value: Arc<Value>,
    /// The keys that it rests on.
    of: Vec<Digest>,
    /// Whether anything of it was computed now.
    computed: bool,
}

/// A value that is put together from others: their keys, and whether any of them was computed now.
struct Whole {
    value: Value,
    of: Vec<Digest>,
    computed: bool,
}

/// An output for each key, by whose name a journal keeps it from being collected.
fn named(keys: &[Digest]) -> Vec<NewOutput> {
    let distinct: BTreeSet<String> = keys.iter().map(Digest::to_string).collect();
    let output = |port| NewOutput { port, bytes: Vec::new(), keep: Keep::DigestOnly };
    distinct.into_iter().map(output).collect()
}

/// What is to be said of a stored node that has this value when it is computed again.
fn compared(value: &Value, action: &Action) -> How {
    match action.outputs.first().is_some_and(|of| of.digest == value.digest()) {
        true => How::Stored,
        false => {
            How::Differs("computed again, it has other bytes than stored".to_string())
        }
    }
}

/// A poisoned lock is one whose holder panicked; panics are caught per node, so its data are whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_string())
}
