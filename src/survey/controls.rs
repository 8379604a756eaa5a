//! Controls that a reader will ask for and that the study does not declare: they are added, as if
//! its author had named them.
//!
//! What one prediction for everybody achieves needs no declaration: the report has it anyway. A
//! permuted outcome costs as much as the study does many times over, so it is only asked for.

use std::collections::BTreeSet;

use super::columns::held_in;
use super::{BlockColumn, Reading, Survey, View};
use crate::data::PermutationFacts;
use crate::diagnostics::{Code, Diagnostic, Place, Span, any_error};
use crate::operation::{Instance, Judged};
use crate::spec::{
    Added, Block, BlockKind, Branch, Chain, DERIVE, Model, Named, Permutation, Role,
    Scheme, Study, UnnamedControls,
};

/// The study with the controls that readers will ask for, and in the survey what they look at.
pub fn controlled(
    mut study: Study,
    survey: &mut Survey,
    reading: &Reading<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Study {
    let Some(headline) = study.headline_model() else { return study };
    if headline.role == Role::Control {
        return study;
    }
    if any_error(faults) {
        return study; // Nothing runs.
    }
    permuted(&study, faults);
    for control in wanted(&study, survey) {
        let UnnamedControls::Added { categories, numbers } = &study.evaluate.unnamed
        else {
            faults.push(control.missing());
            continue;
        };
        let chains = (categories.clone(), numbers.clone());
        match added(&study, survey, reading, &control, chains) {
            Some(with) => study = with,
            None => faults.push(control.missing()),
        }
    }
    if let (None, UnnamedControls::Added { .. }) =
        (&study.evaluate.within, &study.evaluate.unnamed)
    {
        study.evaluate.within = inside(&study, survey);
        study.evaluate.within_added = study.evaluate.within.is_some();
    }
    study
}

/// The site or stratum that the headline's outcome goes with most closely: performance within it
/// stands beside the headline. A site that is held out whole is within itself already.
fn inside(study: &Study, survey: &Survey) -> Option<Named> {
    let outcome = study.outcomes.first()?;
    let scheme = study.validate.first()?;
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        return None;
    };
    let cohort = study.cohort(&scheme.cohort.name)?;
    let rows = &survey.cohorts[&cohort.name].rows;
    let view = View { study, survey, cohort, rows };
    let held_out = match resampling.judged() {
        Judged::Sites => resampling.columns().first().and_then(|by| view.place(by)),
        Judged::Folds => None,
    };
    let goes_along = survey.associations.iter().filter(|facts| {
        facts.outcome == outcome.name
            && facts.cohort == cohort.name
            && facts.p.is_some_and(|p| p < 0.05)
            && (held_out.is_none() || view.place(&facts.column) != held_out)
    });
    let closest = goes_along.max_by(|a, b| {
        a.cramers_v.unwrap_or(0.0).total_cmp(&b.cramers_v.unwrap_or(0.0))
    })?;
    Some(Named { name: closest.column.clone(), span: cohort.span })
}

/// A control that nobody named.
struct Wanted {
    /// Of the model and, where it has one, its block.
    name: String,
    span: Span,
    why: String,
    looks_at: LooksAt,
    /// The schemes under which it stands beside the model that calls for it.
    schemes: Vec<String>,
    message: String,
    lines: Vec<String>,
}

enum LooksAt {
    /// The levels of a column, one by one.
    Levels(BlockColumn),
    Number(BlockColumn),
    /// Some blocks of this model.
    Blocks {
        of: String,
        blocks: Vec<String>,
    },
}

impl Wanted {
    fn missing(&self) -> Diagnostic {
        let place = Place::Study(self.span);
        let fault = Diagnostic::warning(Code::UNCONTROLLED, place, &self.message);
        self.lines.iter().fold(fault, |fault, line| fault.hint(line))
    }
}

/// The controls that are missing, in the order in which the report shows them.
fn wanted(study: &Study, survey: &Survey) -> Vec<Wanted> {
    let Some(headline) = study.headline_model() else { return Vec::new() };
    let mut wanted = levels(study, survey, headline);
    wanted.extend(volume(study, survey, headline));
    wanted.extend(clinical(study));
    wanted
}

/// Sites and strata with which the primary outcome goes.
fn levels(study: &Study, survey: &Survey, headline: &Model) -> Vec<Wanted> {
    let Some(outcome) = study.outcomes.first() else { return Vec::new() };
    let mut wanted: Vec<Wanted> = Vec::new();
    for facts in &survey.associations {
        let goes_along =
            facts.outcome == outcome.name && facts.p.is_some_and(|p| p < 0.05);
        let (Some(cohort), true) = (study.cohort(&facts.cohort), goes_along) else {
            continue;
        };
        let rows = &survey.cohorts[&cohort.name].rows;
        let view = View { study, survey, cohort, rows };
        let Some((source, column)) = view.place(&facts.column) else { continue };
        let same =
            |known: &BlockColumn| (&known.source, &known.column) == (&source, &column);
        // A site that is held out whole is unknown to what was trained on the others.
        let site = |name: &str| {
            view.place(name).is_some_and(|of| of == (source.clone(), column.clone()))
        };
        let learnable = |scheme: &&Scheme| match &scheme.resampling.instance {
            Instance::Resampling(resampling) => {
                let by = resampling.columns();
                !(resampling.judged() == Judged::Sites
                    && by.first().is_some_and(|by| site(by)))
            }
            _ => false,
        };
        let schemes: Vec<String> = judging(study, &headline.name)
            .filter(|scheme| scheme.cohort.name == cohort.name)
            .filter(|scheme| scheme.judges(&outcome.name))
            .filter(learnable)
            .map(|scheme| scheme.name.clone())
            .collect();
        if schemes.is_empty() || alone(study, survey, &same) {
            continue;
        }
        // The same column of another cohort.
        let known = wanted.iter_mut().find(
            |known| matches!(&known.looks_at, LooksAt::Levels(column) if same(column)),
        );
        if let Some(known) = known {
            known.schemes.extend(schemes);
            continue;
        }
        wanted.push(Wanted {
            name: format!("{column}_only"),
            span: cohort.span,
            why: format!("the outcome goes with `{}`", facts.column),
            message: format!(
                "the outcome goes with `{}`, and no control shows what it alone predicts",
                facts.column
            ),
            lines: vec![
                format!(
                    "under `predictors:` add `{column}: {{ columns: {{ from: {source}, include: \
                     [{column}] }}, known: never at use }}`"
                ),
                format!(
                    "under `models:` add `{column}_only: {{ blocks: [{column}], role: control }}`"
                ),
            ],
            looks_at: LooksAt::Levels(BlockColumn {
                name: column.clone(),
                source,
                column,
                categorical: true,
                unit: None,
            }),
            schemes,
        });
    }
    wanted
}

/// A volume among the predictors: texture often says little more than size.
fn volume(study: &Study, survey: &Survey, headline: &Model) -> Option<Wanted> {
    let found =
        columns(survey, headline).find(|column| is_volume(&column.column))?.clone();
    if alone(study, survey, &|column| is_volume(&column.column)) {
        return None;
    }
    let (source, column) = (&found.source, &found.column);
    Some(Wanted {
        name: "volume_only".to_string(),
        span: headline.span,
        why: format!("`{column}` among the predictors is a volume"),
        message: format!(
            "`{column}` is a volume, and no control shows what the volume alone predicts"
        ),
        lines: vec![format!(
            "under `evaluate:` add `controls: {{ columns_only: {{ volume: [{source}.{column}] }} }}`"
        )],
        schemes: judging(study, &headline.name).map(|s| s.name.clone()).collect(),
        looks_at: LooksAt::Number(found),
    })
}

/// Whether a column is a volume by its name.
fn is_volume(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    words.any(|word| matches!(word, "volume" | "vol" | "meshvolume" | "voxelvolume"))
}

/// Clinical predictors beside others, without a model of them alone.
fn clinical(study: &Study) -> Option<Wanted> {
    let is_clinical =
        |block: &&Named| study.block(&block.name).is_some_and(|block| block.clinical);
    let of = |model: &Model| {
        (model.blocks.iter().filter(is_clinical).count(), model.blocks.len())
    };
    let alone = study.models.iter().any(|model| {
        let (clinical, all) = of(model);
        all > 0 && clinical == all
    });
    let mixed = study.models.iter().find(|model| {
        let (clinical, all) = of(model);
        model.role != Role::Control && clinical > 0 && clinical < all
    });
    let mixed = mixed.filter(|_| !alone)?;
    let blocks = mixed.blocks.iter().filter(is_clinical);
    let blocks: Vec<String> = blocks.map(|block| block.name.clone()).collect();
    let name = &mixed.name;
    Some(Wanted {
        name: "clinical_only".to_string(),
        span: mixed.span,
        why: format!("model `{name}` has clinical predictors beside others"),
        message: format!(
            "model `{name}` has clinical predictors, and nothing shows what they alone predict"
        ),
        lines: vec![format!(
            "under `models:` add `clinical_only: {{ blocks: [{}], role: control }}`",
            blocks.join(", ")
        )],
        schemes: judging(study, name).map(|scheme| scheme.name.clone()).collect(),
        looks_at: LooksAt::Blocks { of: name.clone(), blocks },
    })
}

/// The whole procedure on permuted outcomes.
fn permuted(study: &Study, faults: &mut Vec<Diagnostic>) {
    let evaluate = &study.evaluate;
    if let Some(permuted) = &evaluate.permuted {
        faults.extend(seldom(permuted));
        return;
    }
    if evaluate.not_permuted.is_some() {
        return;
    }
    let within = match &evaluate.within {
        Some(column) => format!(", within: {}", column.name),
        None => String::new(),
    };
    faults.push(
        Diagnostic::warning(
            Code::UNCONTROLLED,
            Place::Study(evaluate.primary.span),
            "nothing shows what the whole procedure finds on permuted outcomes",
        )
        .hint(format!(
            "under `evaluate:` add `controls: {{ permuted_outcome: {{ times: 1000{within} }} }}`; \
             each time costs as much as one repeat of the study"
        ))
        .hint("or say why not: `controls: { permuted_outcome: { none: REASON } }`"),
    );
}

/// That no p of so few permutations can be small.
fn seldom(permuted: &Permutation) -> Option<Diagnostic> {
    let (times, least) = (permuted.times, PermutationFacts::LEAST);
    (times < least).then(|| {
        Diagnostic::warning(
            Code::FEW_PERMUTATIONS,
            Place::Study(permuted.span),
            format!(
                "with `times: {times}` no p on permuted outcomes can be below {:.2}, whatever they \
                 give",
                1.0 / (times as f64 + 1.0)
            ),
        )
        .hint(format!(
            "`times: 1000` tells; below {least} not even p < 0.05 can come of it"
        ))
    })
}

/// The schemes that judge a model.
fn judging<'s>(study: &'s Study, model: &'s str) -> impl Iterator<Item = &'s Scheme> {
    let judges = move |scheme: &&Scheme| scheme.models.iter().any(|m| m.name == model);
    study.validate.iter().filter(judges)
}

/// Columns of the blocks of a model.
fn columns<'s>(
    survey: &'s Survey,
    model: &'s Model,
) -> impl Iterator<Item = &'s BlockColumn> {
    model.blocks.iter().filter_map(|block| survey.columns.get(&block.name)).flatten()
}

/// Whether a control of the study looks at such columns and at no others.
fn alone(study: &Study, survey: &Survey, is: &dyn Fn(&BlockColumn) -> bool) -> bool {
    study.models.iter().any(|model| {
        let mut columns = columns(survey, model).peekable();
        model.role == Role::Control && columns.peek().is_some() && columns.all(is)
    })
}

/// The study with one control more; none where a cohort does not hold what it looks at.
fn added(
    study: &Study,
    survey: &mut Survey,
    reading: &Reading<'_>,
    control: &Wanted,
    (categories, numbers): (Chain, Chain),
) -> Option<Study> {
    let mut with = study.clone();
    let name = unused(study, &control.name);
    let span = control.span;
    let named = |name: &str| Named { name: name.to_string(), span };
    let mut model = Model {
        name: name.clone(),
        span,
        blocks: vec![named(&name)],
        forced: Vec::new(),
        role: Role::Control,
        branches: Vec::new(),
        select: vec![Chain::nothing("all", span)],
        added: Some(Added {
            looks_at: match control.looks_at {
                LooksAt::Levels(_) => "site or stratum",
                LooksAt::Number(_) => "volume",
                LooksAt::Blocks { .. } => "clinical",
            },
            why: control.why.clone(),
            outside: true,
        }),
    };
    let prepared = |prepare| vec![Branch { name: String::new(), prepare }];
    let mut looked_at = None;
    match &control.looks_at {
        LooksAt::Levels(column) => {
            model.branches = prepared(categories);
            looked_at = Some((column, Some("never at use".to_string())));
        }
        LooksAt::Number(column) => {
            model.branches = prepared(numbers);
            looked_at = Some((column, None));
        }
        LooksAt::Blocks { of, blocks } => {
            let of = study.model(of)?;
            let own = |named: &&Named| blocks.contains(&named.name);
            model.blocks = of.blocks.iter().filter(own).cloned().collect();
            model.forced = of.forced.iter().filter(own).cloned().collect();
            model.branches = prepared(of.branches[0].prepare.for_blocks(blocks));
            model.select = selection(&of.select, blocks);
        }
    }
    let own_block = looked_at.is_some();
    if let Some((column, known)) = looked_at {
        with.predictors.push(Block {
            name: name.clone(),
            span,
            kind: BlockKind::Columns {
                from: vec![named(&column.source)],
                include: vec![named(&column.column)],
                except: Vec::new(),
            },
            known,
            clinical: false,
            steps: Vec::new(),
        });
        survey.columns.insert(name.clone(), vec![column.clone()]);
    }
    with.models.push(model);
    let judged = |scheme: &&mut Scheme| control.schemes.contains(&scheme.name);
    let mut cohorts: BTreeSet<String> = BTreeSet::new();
    for scheme in with.validate.iter_mut().filter(judged) {
        scheme.models.push(named(&name));
        cohorts.insert(scheme.cohort.name.clone());
    }
    if !own_block {
        return Some(with);
    }
    let holds = |survey: &mut Survey, cohort: &String| {
        let (Some(cohort), Some(block)) = (with.cohort(cohort), with.block(&name)) else {
            return false;
        };
        let mut wrong = Vec::new();
        held_in(&with, reading, survey, (cohort, block, span), &mut wrong);
        wrong.is_empty()
            && survey.cells.contains_key(&(cohort.name.clone(), name.clone()))
    };
    let inside = cohorts.iter().all(|cohort| holds(survey, cohort));
    let outside = inside
        && study.external.iter().all(|cohort| {
            let known = match &control.looks_at {
                LooksAt::Levels(column) => {
                    shares_levels(study, survey, &cohorts, &cohort.name, column)
                }
                _ => true,
            };
            known && holds(survey, &cohort.name)
        });
    if !inside {
        survey.columns.remove(&name);
        survey.cells.retain(|(_, block), _| *block != name);
        return None;
    }
    let control = with.models.last_mut().and_then(|model| model.added.as_mut());
    if let Some(control) = control {
        control.outside = outside;
    }
    Some(with)
}

/// Whether a cohort has two levels at least that the ones trained on have: with fewer, all of its
/// patients are the same to a model of levels.
fn shares_levels(
    study: &Study,
    survey: &Survey,
    trained_on: &BTreeSet<String>,
    cohort: &str,
    column: &BlockColumn,
) -> bool {
    let levels = |cohort: &str| -> BTreeSet<String> {
        let (Some(cohort), Some(surveyed)) =
            (study.cohort(cohort), survey.cohorts.get(cohort))
        else {
            return BTreeSet::new();
        };
        let view = View { study, survey, cohort, rows: &surveyed.rows };
        let place = cohort.place(&column.source, &column.column);
        let name = match column.source.as_str() {
            DERIVE => column.column.clone(),
            _ => format!("{}.{}", place.source, place.column),
        };
        let cells = view.cells(&Named { name, span: Span::default() });
        cells.unwrap_or_default().into_iter().flatten().collect()
    };
    let known: BTreeSet<String> =
        trained_on.iter().flat_map(|cohort| levels(cohort)).collect();
    levels(cohort).intersection(&known).count() >= 2
}

/// What the selectors of a model do on some of its blocks.
fn selection(select: &[Chain], blocks: &[String]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for chain in select {
        let mut chain = chain.for_blocks(blocks);
        if chain.is_empty() {
            chain = Chain::nothing("all", chain.span);
        }
        if !chains.iter().any(|known| known.identity() == chain.identity()) {
            chains.push(chain);
        }
    }
    chains
}

/// A name that no model and no block has.
fn unused(study: &Study, name: &str) -> String {
    let letter = |c: char| match c.is_alphanumeric() || c == '_' || c == '-' {
        true => c,
        false => '_',
    };
    let mut name: String = name.chars().map(letter).collect();
    while study.model(&name).is_some() || study.block(&name).is_some() {
        name.push_str("_added");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::is_volume;

    #[test]
    fn a_volume_is_known_by_a_word_of_its_name() {
        for name in ["volume_ml", "Shape.Volume", "morph_3D__Fmorph_vol__scale1"] {
            assert!(is_volume(name), "{name}");
        }
        assert!(!is_volume("evolution") && !is_volume("texture_1"));
    }
}
