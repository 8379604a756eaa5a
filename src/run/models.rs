//! Frozen models as files, and ready to be used again without their study.

use std::collections::{BTreeMap, BTreeSet};

use super::compute::{Chosen, Part, Trails, rows_of, say, trails, without_rows};
use super::onnx::export;
use super::record::{Found, threshold_words, units};
use crate::catalog::Catalog;
use crate::data::{
    Frozen, FrozenMember, Model, ModelColumn, ModelLearner, ModelMember, ModelOutcome,
    ModelRows, ModelStep, ModelStudy, ModelThreshold, Recipe, Rows, Value,
};
use crate::diagnostics::Span;
use crate::digest::{Digest, canonical_json};
use crate::math::dot;
use crate::operation::{Failure, Instance, Kind};
use crate::plan::{Case, FrozenModel, Plan};
use crate::spec::{ChainSetting, Study, Use};
use crate::survey::Survey;

/// Version of the layout of [`Model`].
const LAYOUT: u32 = 3;

/// A model that is handed over: as a file of its own, and for other programs.
pub struct HandedOver {
    pub model: Model,
    /// The ONNX file, or what has no formula in it.
    pub onnx: Result<Vec<u8>, String>,
    /// By member: where the columns that reach its learner come from.
    pub trails: Vec<Trails>,
    /// Of the model in its shortest spelling. Units: bytes.
    pub length: usize,
}

/// The models that a study hands over by name, or why one cannot be.
pub fn models(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
) -> Vec<(String, Result<HandedOver, String>)> {
    let rule = threshold_words(study);
    let rule = rule.as_deref();
    let handed_over = plan.frozen.iter().filter(|model| model.primary);
    let model = |frozen: &FrozenModel| {
        let name = frozen.name.trim_end_matches(".frozen").to_string();
        let made = match found.get(&frozen.freeze) {
            Some(Value::Frozen(of)) => {
                written(study, survey, plan, (frozen, &name), of, rule)
                    .map_err(|failure| failure.to_string())
            }
            Some(Value::Failed(why)) => Err(why.clone()),
            _ => Err("an earlier computation failed".to_string()),
        };
        (name, made)
    };
    handed_over.map(model).collect()
}

fn written(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    (model, name): (&FrozenModel, &str),
    frozen: &Frozen,
    rule: Option<&str>,
) -> Result<HandedOver, Failure> {
    let case = plan.cases[model.case];
    let parts = parts(study, case, frozen);
    let predictors = without_rows(frozen);
    let trails = traced(&parts, &predictors);
    // The prevalence is predicted whatever the predictors are.
    let needed = match frozen.falls_back {
        Some(_) => BTreeSet::new(),
        None => needed(&trails, predictors.p()),
    };
    let mut beside: Vec<String> = Vec::new();
    // The null model reads nothing, whatever its steps would.
    let reads = |part: &&Part<'_>| frozen.falls_back.is_none() && !part.of.is_null();
    for part in parts.iter().filter(reads) {
        for step in part.prepare.steps.iter().chain(&part.select.steps) {
            let Instance::TableStep(step) = &step.instance else { continue };
            beside.extend(step.columns());
        }
    }
    beside.sort_unstable();
    beside.dedup();
    let outcome = &study.outcomes[case.outcome];
    let mut model = Model {
        restudy_model: LAYOUT,
        engine: concat!("restudy ", env!("CARGO_PKG_VERSION")).to_string(),
        name: name.to_string(),
        study: ModelStudy {
            title: study.title.clone(),
            digest: study.digest().to_string(),
            seed: study.seed,
            simulated: study.simulated(),
        },
        outcome: ModelOutcome {
            name: outcome.name.clone(),
            label: outcome.label.clone(),
        },
        development: ModelRows {
            cohort: study.cohorts[case.cohort].name.clone(),
            n: frozen.n,
            n_positive: frozen.n_positive,
        },
        columns: columns(study, survey, frozen, &needed),
        beside,
        members: parts.iter().map(member).collect::<Result<_, _>>()?,
        falls_back: frozen.falls_back,
        threshold: frozen
            .threshold
            .zip(rule)
            .map(|(value, rule)| ModelThreshold { value, rule: rule.to_string() }),
        calibration: frozen.calibration,
        digest: String::new(),
    };
    let text = said(serde_json::to_value(&model).expect("a model is plain data"));
    model.digest = Digest::of(text.as_bytes()).to_string();
    let onnx = export(&model, &parts, &trails);
    Ok(HandedOver { model, onnx, trails, length: text.len() })
}

/// What a model's file says, but for its digest, in one spelling.
fn said(mut json: serde_json::Value) -> String {
    if let Some(fields) = json.as_object_mut() {
        fields.remove("digest");
    }
    canonical_json(&json)
}

/// The members of a frozen model with the operations that they are made of.
pub fn parts<'a>(study: &'a Study, case: Case, frozen: &'a Frozen) -> Vec<Part<'a>> {
    let of_model = &study.models[case.model];
    let prepare = &of_model.branches[case.branch].prepare;
    let part = |of: &'a FrozenMember| {
        Chosen::known(study, prepare, &of_model.select, &of.recipe).part(study, of)
    };
    frozen.members.iter().map(part).collect()
}

/// Of each member where the columns that reach its learner come from. `columns`: the predictors, without
/// rows.
pub fn traced(parts: &[Part<'_>], columns: &Rows) -> Vec<Trails> {
    parts.iter().map(|part| trails(part, columns)).collect()
}

/// Which predictors any member depends on: all of them where a step has no formulas.
pub fn needed(of_members: &[Trails], n_predictors: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    for trails in of_members {
        match trails {
            Ok(trails) => {
                let count = trails.iter().filter(|trail| trail.counts);
                needed.extend(count.map(|trail| trail.from));
            }
            Err(_) => needed.extend(0..n_predictors),
        }
    }
    needed
}

fn columns(
    study: &Study,
    survey: &Survey,
    frozen: &Frozen,
    needed: &BTreeSet<usize>,
) -> Vec<ModelColumn> {
    let bare =
        |name: &str| name.split_once('.').map_or(name, |(_, column)| column).to_string();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for column in &frozen.columns {
        *times.entry(bare(&column.name)).or_insert(0) += 1;
    }
    // Of each block the columns in order, so that places tell units.
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let columns = frozen.columns.iter().enumerate();
    let column = columns.map(|(at, column)| {
        let block = column.name.split_once('.').map_or("", |(block, _)| block);
        let within = place.entry(block).or_insert(0);
        let unit = unit(study, survey, block, *within);
        *within += 1;
        let short = bare(&column.name);
        ModelColumn {
            name: column.name.clone(),
            column: match times[&short] {
                1 => short,
                _ => column.name.clone(),
            },
            unit,
            needed: needed.contains(&at),
            range: column.range,
            median: column.median,
            missing: column.missing,
            categories: column.categories.clone(),
        }
    });
    column.collect()
}

/// The unit of a block's column, as its author or its family says it.
pub fn unit(study: &Study, survey: &Survey, block: &str, at: usize) -> Option<String> {
    let declared = survey.columns.get(block).and_then(|columns| columns.get(at));
    if let Some(unit) = declared.and_then(|column| column.unit.clone()) {
        return Some(unit);
    }
    let of_block = study.predictors.iter().find(|known| known.name == block)?;
    let unit = units(study, of_block).get(at).copied()?;
    Some(unit.symbol().to_string()).filter(|symbol| !symbol.is_empty())
}

fn member(part: &Part<'_>) -> Result<ModelMember, Failure> {
    let steps = |setting: &ChainSetting, states: &[Vec<u8>]| {
        let fitted = setting.steps.iter().zip(states);
        fitted.map(|(step, state)| of_step(step, state)).collect::<Result<Vec<_>, _>>()
    };
    let Instance::Learner(learner) = &part.learner.instance else {
        unreachable!("`spec` puts learners here")
    };
    let state = learner.model(&part.of.model)?;
    whole(part.learner, learner.model_of(&state), &part.of.model)?;
    Ok(ModelMember {
        weight: part.of.weight,
        prepare: steps(part.prepare, &part.of.prepare)?,
        select: steps(part.select, &part.of.select)?,
        selected: part.of.selected.clone(),
        learner: ModelLearner {
            operation: part.learner.about.name.to_string(),
            version: part.learner.about.version,
            parameters: part.learner.parameters.clone(),
            state,
        },
        link: part.of.link,
        familiar: part.of.familiar.clone(),
    })
}

fn of_step(step: &Use, bytes: &[u8]) -> Result<ModelStep, Failure> {
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps into chains")
    };
    let state = instance.state(bytes)?;
    whole(step, instance.state_of(&state), bytes)?;
    Ok(ModelStep {
        operation: step.about.name.to_string(),
        version: step.about.version,
        parameters: step.parameters.clone(),
        blocks: step.scope.clone(),
        state,
    })
}

/// JSON has no infinite numbers: what would not be read back as it was is not written.
fn whole(of: &Use, again: Result<Vec<u8>, Failure>, bytes: &[u8]) -> Result<(), Failure> {
    match again.is_ok_and(|again| again == bytes) {
        true => Ok(()),
        false => Err(Failure::NotFinite(format!("what `{}` learned", of.about.name))),
    }
}

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("it is no model of this version: {0}")]
    Layout(#[from] serde_json::Error),
    #[error("its layout is version {0}, and this program reads version {LAYOUT}")]
    Version(u64),
    #[error("this program has no {} `{operation}`", .kind.noun())]
    Unknown { kind: Kind, operation: String },
    #[error(
        "`{operation}` was version {made} when the model was made and is version {here} in this \
         program"
    )]
    Other { operation: String, made: u32, here: u32 },
    #[error("the parameters of `{0}` cannot be read")]
    Parameters(String),
    #[error("what `{operation}` learned cannot be read: {cause}")]
    State { operation: String, cause: Failure },
    #[error("it has no members")]
    Empty,
    #[error(
        "something in it was changed or lost since the model was written: its digest is another"
    )]
    Changed,
}

impl NotReady {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Version(_) | Self::Unknown { .. } | Self::Other { .. } => {
                "apply it with the program that made it, which stands in the file as `engine`, or run \
                 its study again"
            }
            Self::Changed | Self::State { .. } | Self::Parameters(_) | Self::Empty => {
                "take the file anew from the folder of the run that made it"
            }
            Self::Layout(_) => {
                "models are written by `restudy run`, as `models/NAME.json`"
            }
        }
    }
}

/// A model whose operations are at hand.
pub struct Ready {
    pub model: Model,
    members: Vec<Member>,
}

struct Member {
    prepare: ChainSetting,
    select: ChainSetting,
    learner: Use,
    of: FrozenMember,
}

impl Member {
    fn part(&self) -> Part<'_> {
        let Self { prepare, select, learner, of } = self;
        Part { prepare, select, learner, of }
    }
}

impl Ready {
    /// The model of a file.
    ///
    /// # Errors
    /// What this program cannot read, or would compute differently.
    pub fn read(text: &str, catalog: &Catalog) -> Result<Self, NotReady> {
        let json: serde_json::Value = serde_json::from_str(text)?;
        // Another layout may lack what this one has.
        let layout = json.get("restudy_model").and_then(serde_json::Value::as_u64);
        if let Some(layout) = layout.filter(|layout| *layout != u64::from(LAYOUT)) {
            return Err(NotReady::Version(layout));
        }
        let model: Model = serde_json::from_str(text)?;
        // One that predicts the prevalence may have none.
        if model.members.is_empty() && model.falls_back.is_none() {
            return Err(NotReady::Empty);
        }
        let members = model.members.iter().map(|member| read(member, catalog));
        let members = members.collect::<Result<_, _>>()?;
        // What operations learned is read as it stands: lists that do not fit each other would be met
        // with when they are used, or not at all.
        if Digest::of(said(json).as_bytes()).to_string() != model.digest {
            return Err(NotReady::Changed);
        }
        Ok(Self { model, members })
    }

    /// Its predictors, without rows.
    pub fn columns(&self) -> Rows {
        let columns = self.model.columns.iter();
        rows_of(
            columns.map(|column| (column.name.as_str(), column.categories.as_deref())),
        )
    }

    /// The probability of each row, or why there are none. A value that no member needs may be missing.
    pub fn probabilities(&self, rows: &Rows) -> Result<Vec<f64>, String> {
        match self.model.falls_back {
            Some(prevalence) => Ok(vec![prevalence; rows.n()]),
            None => Ok(say(&self.parts(), rows)?.0),
        }
    }

    /// How novel each row is: its distance in parts of the limit, the largest over members; above 1
    /// it is novel. `None` where no member knows, and where nothing is looked at.
    ///
    /// # Errors
    /// Values so far out that what is made of them is no finite number: a probability of them comes from
    /// where numbers end, and other programs may give another one.
    pub fn novelty(&self, rows: &Rows) -> Result<Option<Vec<f64>>, String> {
        if self.model.falls_back.is_some() {
            return Ok(None);
        }
        let beyond =
            || "values are so far out that they cannot be computed with".to_string();
        let mut most: Option<Vec<f64>> = None;
        for part in self.parts() {
            let prepared = part.prepared(rows)?;
            let values: Vec<Vec<f64>> =
                (0..rows.n()).map(|row| prepared.row(row)).collect();
            // Of two infinite numbers a distance makes none, as of a value that is missing.
            if values.iter().any(|of| dot(of, of).is_infinite()) {
                return Err(beyond());
            }
            let Some(familiar) = &part.of.familiar else { continue };
            let here = values
                .iter()
                .map(|of| crate::statistics::distance(familiar, of) / familiar.limit);
            let here: Vec<f64> = here.collect();
            if here.iter().any(|distance| distance.is_infinite()) {
                return Err(beyond());
            }
            most = Some(match most {
                None => here,
                Some(most) => most.into_iter().zip(here).map(|(a, b)| a.max(b)).collect(),
            });
        }
        Ok(most)
    }

    /// How far outside of a predictor's development range a subject may be, in widths of that range, and
    /// still be like the others: the most over members.
    pub fn reach(&self) -> f64 {
        let familiar = self.model.members.iter().filter_map(|of| of.familiar.as_ref());
        familiar.map(|of| of.reach).fold(0.0, f64::max)
    }

    pub fn parts(&self) -> Vec<Part<'_>> {
        self.members.iter().map(Member::part).collect()
    }

    /// By member: where the columns that reach its learner come from, or the step without formulas.
    pub fn trails(&self) -> Vec<Trails> {
        let columns = self.columns();
        traced(&self.parts(), &columns)
    }
}

fn read(member: &ModelMember, catalog: &Catalog) -> Result<Member, NotReady> {
    let (prepare, of_prepare) = chain(&member.prepare, catalog)?;
    let (select, of_select) = chain(&member.select, catalog)?;
    let ModelLearner { operation, version, parameters, state } = &member.learner;
    let learner = used(Kind::Learner, (operation, *version, parameters), catalog)?;
    let Instance::Learner(instance) = &learner.instance else {
        unreachable!("its kind was asked for")
    };
    let model = instance.model_of(state);
    let wrong = |cause| NotReady::State { operation: operation.clone(), cause };
    let of = FrozenMember {
        recipe: Recipe::default(), // Its operations stand beside it.
        weight: member.weight,
        prepare: of_prepare,
        select: of_select,
        model: model.map_err(wrong)?,
        selected: member.selected.clone(),
        link: member.link,
        familiar: member.familiar.clone(),
    };
    Ok(Member { prepare, select, learner, of })
}

type Steps = (ChainSetting, Vec<Vec<u8>>);

fn chain(steps: &[ModelStep], catalog: &Catalog) -> Result<Steps, NotReady> {
    let mut setting = ChainSetting { steps: Vec::new(), text: String::new() };
    let mut states = Vec::new();
    for ModelStep { operation, version, parameters, blocks, state } in steps {
        let mut step = used(Kind::TableStep, (operation, *version, parameters), catalog)?;
        step.scope.clone_from(blocks);
        let Instance::TableStep(instance) = &step.instance else {
            unreachable!("its kind was asked for")
        };
        let wrong = |cause| NotReady::State { operation: operation.clone(), cause };
        states.push(instance.state_of(state).map_err(wrong)?);
        setting.steps.push(step);
    }
    Ok((setting, states))
}

fn used(
    kind: Kind,
    (operation, made, parameters): (&str, u32, &serde_json::Value),
    catalog: &Catalog,
) -> Result<Use, NotReady> {
    let named = || operation.to_string();
    let entry = catalog.get(operation).filter(|entry| entry.kind == kind);
    let entry = entry.ok_or_else(|| NotReady::Unknown { kind, operation: named() })?;
    let here = entry.about.version;
    if here != made {
        return Err(NotReady::Other { operation: named(), made, here });
    }
    let written = parameters.as_object();
    let written = written.ok_or_else(|| NotReady::Parameters(named()))?;
    Use::new(entry, written, Span::default()).map_err(|_| NotReady::Parameters(named()))
}
