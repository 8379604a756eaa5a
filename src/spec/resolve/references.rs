//! Names that stand for other parts of the study. What names nothing is left out.

use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::operation::{Instance, Problems, RoiType};
use crate::spec::reader::Reader;
use crate::spec::{
    Block, BlockKind, Cohort, DERIVE, Facts, ImageOrigin, LearningCurve, Model, Named,
    Origin, Outcome, Role, Scheme, Source, SourceKind, Study, Use,
};

impl Reader<'_> {
    pub fn references(&mut self, study: &mut Study) {
        // A source with a fault of its own is named there, and is known all the same.
        let mut sources = self.sources.clone();
        sources.extend(study.sources.iter().map(|source| source.name.clone()));
        sources.dedup();
        let mut sound = std::mem::take(&mut study.sources);
        sound.retain(|source| self.source_references(source, &sources));
        study.sources = sound;
        self.derived_references(study, &sources);
        let all_cohorts: Vec<String> =
            study.cohorts.iter().map(|cohort| cohort.name.clone()).collect();
        let mut cohorts = std::mem::take(&mut study.cohorts);
        cohorts.retain(|cohort| self.cohort_references(cohort, &sources, &all_cohorts));
        self.circles(&mut cohorts);
        study.cohorts = cohorts;
        let mut predictors = std::mem::take(&mut study.predictors);
        let all_blocks: Vec<String> = predictors.iter().map(|b| b.name.clone()).collect();
        predictors.retain(|block| self.block_references(study, block, &sources));
        study.predictors = predictors;
        let mut models = std::mem::take(&mut study.models);
        let all_models: Vec<String> = models.iter().map(|m| m.name.clone()).collect();
        models.retain(|model| {
            let known = model.blocks.iter().map(|block| {
                self.known(
                    block,
                    "block of predictors",
                    all_blocks.iter().map(String::as_str),
                )
            });
            known.fold(true, |all, known| all & known)
        });
        study.models = models;
        let mut outcomes = std::mem::take(&mut study.outcomes);
        outcomes.retain(|outcome| self.derivable(&outcome.derivations, &sources));
        study.outcomes = outcomes;
        let mut agree = std::mem::take(&mut study.agree);
        agree.retain(|agreement| match &agreement.facts {
            Facts::Derived(facts) => self.derivable(facts, &sources),
            Facts::Columns { columns, .. } => columns.iter().all(|(source, _)| {
                self.known(source, "source", sources.iter().map(String::as_str))
            }),
        });
        study.agree = agree;
        let mut schemes = std::mem::take(&mut study.validate);
        schemes.retain_mut(|scheme| {
            self.scheme_references(study, scheme, &all_cohorts, &all_models)
        });
        study.validate = schemes;
        self.external_references(study, &all_cohorts, &all_models);
        self.evaluation_references(study, &all_models);
    }

    fn derivable(&mut self, derivations: &[Use], sources: &[String]) -> bool {
        let mut sound = true;
        for used in derivations {
            let Instance::Derivation(derivation) = &used.instance else { return false };
            if let Some(source) = derivation.source() {
                let named = Named { name: source.to_string(), span: used.span };
                sound &= self.known(&named, "source", sources.iter().map(String::as_str));
            }
        }
        sound
    }

    fn source_references(&mut self, source: &Source, sources: &[String]) -> bool {
        let names = || sources.iter().map(String::as_str);
        let mut sound = true;
        let made = source.files().iter().filter_map(|file| match file {
            Origin::Simulated { source } => Some(source),
            _ => None,
        });
        for made in made {
            sound &= self.known(made, "source", names());
        }
        match &source.kind {
            SourceKind::Images { from: ImageOrigin::Simulated { source }, .. } => {
                sound & self.known(source, "source", names())
            }
            SourceKind::Maf { assayed: Some(of), .. } => {
                sound & self.known(of, "source", names())
            }
            _ => sound,
        }
    }

    /// What derived columns are made from; circles are refused.
    fn derived_references(&mut self, study: &mut Study, sources: &[String]) {
        let names: Vec<String> = study.derive.iter().map(|d| d.name.clone()).collect();
        let mut made: Vec<String> = vec!["id".to_string()];
        let mut left = std::mem::take(&mut study.derive);
        left.retain(|derived| {
            let from = &derived.from.name;
            let of_source = from
                .split_once('.')
                .is_some_and(|(source, _)| sources.iter().any(|known| known == source));
            if of_source || from == "id" || names.contains(from) {
                return true;
            }
            let known = ["id"].into_iter().chain(names.iter().map(String::as_str));
            let fault = Diagnostic::error(
                Code::UNKNOWN_NAME,
                Place::Study(derived.from.span),
                format!("`{from}` is neither `id`, a derived column nor `source.column`"),
            );
            self.push(fault.suggest(from, known));
            false
        });
        // Each after the one that it is made from.
        while !left.is_empty() {
            let ready = left.iter().position(|derived| {
                made.contains(&derived.from.name) || derived.from.name.contains('.')
            });
            let Some(at) = ready else {
                for derived in left {
                    if names.contains(&derived.from.name) {
                        let message = format!("`{}` is made from itself", derived.name);
                        self.error(Code::UNKNOWN_NAME, derived.from.span, message);
                    }
                }
                return;
            };
            let derived = left.remove(at);
            made.push(derived.name.clone());
            study.derive.push(derived);
        }
    }

    fn cohort_references(
        &mut self,
        cohort: &Cohort,
        sources: &[String],
        cohorts: &[String],
    ) -> bool {
        let names = || sources.iter().map(String::as_str);
        let mut known = self.known(&cohort.from, "source", names());
        for join in &cohort.join {
            known &= self.known(&join.source, "source", names());
            if join.source.name == cohort.from.name {
                let message = format!("`{}` is joined to itself", join.source.name);
                self.error(Code::DUPLICATE_KEY, join.source.span, message);
                known = false;
            }
        }
        for rule in &cohort.rules {
            for name in rule.rule.cohorts() {
                let named = Named { name: name.to_string(), span: rule.span };
                known &= self.known(&named, "cohort", cohorts.iter().map(String::as_str));
            }
        }
        for map in &cohort.map {
            known &= self.known(&map.of, "source", names());
            if !cohort.joins(&map.from.name) {
                let mut held = vec![cohort.from.name.as_str()];
                held.extend(cohort.join.iter().map(|join| join.source.name.as_str()));
                known &= self.known(&map.from, "source of this cohort", held.into_iter());
            }
        }
        known
    }

    /// Cohorts whose rules lead back to themselves.
    fn circles(&mut self, cohorts: &mut Vec<Cohort>) {
        let reads = |cohort: &Cohort| -> Vec<String> {
            let of = cohort.of.iter().map(|of| of.name.clone());
            let rules = cohort.rules.iter().flat_map(|rule| rule.rule.cohorts());
            of.chain(rules.map(str::to_string)).collect()
        };
        let mut done: Vec<String> = Vec::new();
        let mut ordered: Vec<Cohort> = Vec::new();
        let mut left = std::mem::take(cohorts);
        while !left.is_empty() {
            let names: Vec<String> =
                left.iter().map(|cohort| cohort.name.clone()).collect();
            let ready = left.iter().position(|cohort| {
                reads(cohort)
                    .iter()
                    .all(|name| done.contains(name) || !names.contains(name))
            });
            let Some(at) = ready else {
                for cohort in left {
                    let message = format!(
                        "the rules of cohort `{}` lead back to itself",
                        cohort.name
                    );
                    self.error(Code::UNKNOWN_NAME, cohort.span, message);
                }
                break;
            };
            let cohort = left.remove(at);
            done.push(cohort.name.clone());
            ordered.push(cohort);
        }
        *cohorts = ordered;
    }

    fn block_references(
        &mut self,
        study: &Study,
        block: &Block,
        sources: &[String],
    ) -> bool {
        let images = matches!(block.kind, BlockKind::Images { .. });
        let mut sound = true;
        for from in block.sources() {
            if from.name == DERIVE && !images {
                if study.derive.is_empty() {
                    let message = "the study has no `derive`";
                    self.error(Code::UNKNOWN_NAME, from.span, message);
                    sound = false;
                }
                continue;
            }
            if !self.known(from, "source", sources.iter().map(String::as_str)) {
                sound = false;
                continue;
            }
            let Some(source) = study.source(&from.name) else {
                sound = false;
                continue;
            };
            let is_images = matches!(source.kind, SourceKind::Images { .. });
            let is_table = matches!(source.kind, SourceKind::Table { .. });
            if (images && !is_images) || (!images && !is_table) {
                let needed = if images { "image set" } else { "table" };
                let article = if images { "an" } else { "a" };
                let message = format!("`{}` is no {needed}", from.name);
                let fault =
                    Diagnostic::error(Code::WRONG_TYPE, Place::Study(from.span), message);
                self.push(fault.hint(format!("this block needs {article} {needed}")));
                sound = false;
            }
        }
        if !sound {
            return false;
        }
        let source = block.sources().first().and_then(|from| study.source(&from.name));
        if let (
            BlockKind::Images { features, .. },
            Some(Source { kind: SourceKind::Images { unit, .. }, .. }),
        ) = (&block.kind, source)
        {
            for family in features {
                let Instance::FeatureFamily(instance) = &family.instance else {
                    continue;
                };
                let mut problems = Problems::default();
                instance.check(&RoiType { unit: *unit, levels: None }, &mut problems);
                for problem in problems.into_vec() {
                    let place = Place::Study(family.span);
                    let mut fault =
                        Diagnostic::error(Code::NEEDS_STEP, place, problem.message);
                    fault.hints.extend(problem.hint);
                    self.push(fault);
                }
            }
        }
        true
    }

    fn scheme_references(
        &mut self,
        study: &Study,
        scheme: &mut Scheme,
        cohorts: &[String],
        models: &[String],
    ) -> bool {
        if scheme.cohort.name.is_empty() {
            let external =
                |name: &&String| study.external.iter().any(|e| e.name == **name);
            let base =
                |name: &&String| study.cohort(name).is_some_and(|cohort| cohort.base);
            let mut open: Vec<&String> =
                cohorts.iter().filter(|name| !external(name) && !base(name)).collect();
            // A cohort called so is the one that models are developed on.
            if let Some(at) = open.iter().position(|name| *name == "development") {
                open = vec![open[at]];
            }
            match open.as_slice() {
                [only] => scheme.cohort.name = (*only).clone(),
                [] if cohorts.is_empty() => return false,
                _ => {
                    let open: Vec<&str> = cohorts.iter().map(String::as_str).collect();
                    let message = format!(
                        "scheme `{}` needs `cohort`: there are {}",
                        scheme.name,
                        open.join(", ")
                    );
                    self.error(Code::MISSING_KEY, scheme.span, message);
                    return false;
                }
            }
        }
        if !self.known(&scheme.cohort, "cohort", cohorts.iter().map(String::as_str)) {
            return false;
        }
        if scheme.models.is_empty() {
            let all = study.models.iter();
            let all =
                all.map(|model| Named { name: model.name.clone(), span: model.span });
            scheme.models = all.collect();
        }
        let known: Vec<&str> = study.outcomes.iter().map(|o| o.name.as_str()).collect();
        let outcomes = std::mem::take(&mut scheme.outcomes);
        for outcome in outcomes {
            if !self.known(&outcome, "outcome", known.iter().copied()) {
                return false;
            }
            scheme.outcomes.push(outcome);
        }
        let mut named = std::mem::take(&mut scheme.models);
        named.retain(|model| {
            self.known(model, "model", models.iter().map(String::as_str))
        });
        scheme.models = named;
        // A cohort or model that was left out has its fault named already.
        let Some(cohort) = study.cohort(&scheme.cohort.name) else { return false };
        if cohort.base {
            let message =
                format!("`{}` is a base, which is divided, not analysed", cohort.name);
            self.error(Code::WRONG_TYPE, scheme.cohort.span, message);
            return false;
        }
        if cohort.sealed {
            let fault = Diagnostic::error(
                Code::SEALED,
                Place::Study(scheme.cohort.span),
                format!(
                    "scheme `{}` would train on cohort `{}`, which is sealed",
                    scheme.name, cohort.name
                ),
            );
            self.push(fault.hint(format!("list it under `external: [{}]`", cohort.name)));
            return false;
        }
        let models = scheme.models.clone();
        let span = scheme.cohort.span;
        let outcomes = study.outcomes.iter().filter(|o| scheme.judges(&o.name));
        let outcomes: Vec<&Outcome> = outcomes.collect();
        self.joined(cohort, study, (&models, &outcomes), span)
            && !scheme.models.is_empty()
    }

    /// Whether a cohort holds everything that these models and outcomes read.
    fn joined(
        &mut self,
        cohort: &Cohort,
        study: &Study,
        (models, outcomes): (&[Named], &[&Outcome]),
        span: Span,
    ) -> bool {
        let mut missing: Vec<(Span, String, String)> = Vec::new();
        for model in models {
            let Some(of_model) = study.model(&model.name) else { continue };
            for block in &of_model.blocks {
                let Some(of_block) = study.block(&block.name) else { continue };
                for from in of_block.sources() {
                    let here = cohort.place(&from.name, "").source;
                    if from.name != DERIVE && !cohort.joins(&here) {
                        let what = format!("block `{}`", block.name);
                        // A model of all blocks is not written anywhere.
                        let place =
                            if study.models.len() == 1 { span } else { model.span };
                        missing.push((place, what, here));
                    }
                }
            }
        }
        for outcome in outcomes {
            // Of several derivations a cohort may have some: the others know nobody there.
            let has = |source: Option<&str>| {
                source.is_none_or(|source| cohort.joins(&cohort.place(source, "").source))
            };
            let several = outcome.derivations.len() > 1;
            if several && outcome.instances().any(|(_, of)| has(of.source())) {
                continue;
            }
            for (_, derivation) in outcome.instances() {
                if let Some(source) = derivation.source() {
                    let here = cohort.place(source, "").source;
                    if !cohort.joins(&here) {
                        let what = format!("outcome `{}`", outcome.name);
                        missing.push((span, what, here));
                    }
                }
            }
        }
        missing.dedup_by(|a, b| a.1 == b.1 && a.2 == b.2);
        let sound = missing.is_empty();
        for (span, what, source) in missing {
            let fault = Diagnostic::error(
                Code::UNKNOWN_NAME,
                Place::Study(span),
                format!(
                    "{what} is in `{source}`, which cohort `{}` does not join",
                    cohort.name
                ),
            );
            let hint = format!(
                "add `join: {{ {source}: optional }}` to cohort `{}`, or say under `map` where \
                 it holds the same",
                cohort.name
            );
            self.push(fault.hint(hint));
        }
        sound
    }

    fn external_references(
        &mut self,
        study: &mut Study,
        cohorts: &[String],
        models: &[String],
    ) {
        let mut external = std::mem::take(&mut study.external);
        external.retain(|named| {
            if !self.known(named, "cohort", cohorts.iter().map(String::as_str)) {
                return false;
            }
            let Some(cohort) = study.cohort(&named.name) else { return false };
            if cohort.base {
                let message = format!(
                    "`{}` is a base, which is divided, not analysed",
                    cohort.name
                );
                self.error(Code::WRONG_TYPE, named.span, message);
                return false;
            }
            if study.validate.iter().any(|scheme| scheme.cohort.name == named.name) {
                let message = format!(
                    "`{}` is trained on by a scheme, so it cannot be external",
                    named.name
                );
                self.error(Code::SEALED, named.span, message);
                return false;
            }
            let frozen: Vec<Named> = frozen_models(study)
                .map(|model| Named { name: model.name.clone(), span: model.span })
                .collect();
            let judged = |o: &&Outcome| {
                study.validate.first().is_none_or(|scheme| scheme.judges(&o.name))
            };
            let outcomes: Vec<&Outcome> = study.outcomes.iter().filter(judged).collect();
            self.joined(cohort, study, (&frozen, &outcomes), named.span)
        });
        study.external = external;
        if let Some(primary) = study.primary_model.clone()
            && !self.known(&primary, "model", models.iter().map(String::as_str))
        {
            study.primary_model = None;
        } else if study.primary_model.is_none() && !study.external.is_empty() {
            let candidates = study.models.iter().filter(|m| m.role != Role::Control);
            let candidates: Vec<&str> = candidates.map(|m| m.name.as_str()).collect();
            if candidates.len() > 1 {
                let fault = Diagnostic::error(
                    Code::MISSING_KEY,
                    Place::Study(study.external[0].span),
                    "several models could be frozen, and nobody says which",
                );
                let hint = format!(
                    "add `primary_model:` with one of: {}",
                    candidates.join(", ")
                );
                self.push(fault.hint(hint));
            }
        }
        // What is never known at use cannot be in a model that is to be used.
        let mut never = Vec::new();
        for model in &study.models {
            for block in &model.blocks {
                let known =
                    study.block(&block.name).and_then(|block| block.known.as_deref());
                if known == Some("never at use") && model.role != Role::Control {
                    never.push((block.span, model.name.clone(), block.name.clone()));
                }
            }
        }
        for (span, model, block) in never {
            let fault = Diagnostic::error(
                Code::NEVER_AT_USE,
                Place::Study(span),
                format!("block `{block}` of model `{model}` is never known at use"),
            );
            self.push(fault.hint(format!(
                "make it a control: `{model}: {{ blocks: […], role: control }}`"
            )));
        }
    }

    /// A learning curve has no more repeats than the scheme on whose splits it is drawn.
    fn learning_repeats(&mut self, study: &Study) {
        let LearningCurve::Drawn { repeats, span: Some(span), .. } =
            &study.evaluate.learning_curve
        else {
            return;
        };
        let Some(scheme) = study.validate.first() else { return };
        let Instance::Resampling(resampling) = &scheme.resampling.instance else {
            return;
        };
        let most = resampling.shape().repeats;
        if *repeats > most {
            let fault = Diagnostic::error(
                Code::OUT_OF_RANGE,
                Place::Study(*span),
                format!(
                    "the learning curve asks for {repeats} repeats, and `{}` has {most}",
                    scheme.name
                ),
            );
            self.push(fault.hint(format!("write `repeats: {most}` or fewer")));
        }
    }

    fn evaluation_references(&mut self, study: &mut Study, models: &[String]) {
        let mut compare = std::mem::take(&mut study.evaluate.compare);
        compare.retain(|pair| {
            let mut known = |named: &Named| {
                self.known(named, "model", models.iter().map(String::as_str))
            };
            known(&pair.better) & known(&pair.than)
        });
        study.evaluate.compare = compare;
        self.learning_repeats(study);
        let frozen_for = study
            .evaluate
            .threshold
            .as_ref()
            .map_or(Vec::new(), |threshold| threshold.frozen_for.clone());
        for named in &frozen_for {
            let external: Vec<String> =
                study.external.iter().map(|external| external.name.clone()).collect();
            self.known(named, "external cohort", external.iter().map(String::as_str));
        }
        let metrics: Vec<&str> =
            study.evaluate.metrics().map(|used| used.about.name).collect();
        let cohorts: Vec<&str> =
            study.cohorts.iter().map(|cohort| cohort.name.as_str()).collect();
        let mut faults = Vec::new();
        for claim in &study.evaluate.claims {
            for name in claim.rule.columns() {
                let parts: Vec<&str> = name.split('.').collect();
                let cohort = parts.iter().rev().nth(1).copied().unwrap_or("");
                let place = Place::Study(claim.span);
                if !metrics.contains(&parts[0]) {
                    let message = format!("`{}` is not measured in this study", parts[0]);
                    faults.push(
                        Diagnostic::error(Code::UNKNOWN_NAME, place, message)
                            .suggest(parts[0], metrics.iter().copied()),
                    );
                } else if !cohorts.contains(&cohort) {
                    let message = format!("there is no cohort `{cohort}` for this claim");
                    faults.push(
                        Diagnostic::error(Code::UNKNOWN_NAME, place, message)
                            .suggest(cohort, cohorts.iter().copied())
                            .hint(format!("there is: {}", cohorts.join(", "))),
                    );
                } else if let Some([_, ..]) = strata_of(&parts) {
                    faults.extend(within_fault(study, &parts, place));
                }
            }
        }
        for fault in faults {
            self.push(fault);
        }
    }
}

/// The part of a result's name that says within which column: a column may have a dot in its name.
fn strata_of<'p, 'a>(parts: &'p [&'a str]) -> Option<&'p [&'a str]> {
    parts.get(1..parts.len().saturating_sub(2))
}

/// What is wrong with a claim on performance within strata.
fn within_fault(study: &Study, parts: &[&str], place: Place) -> Option<Diagnostic> {
    let named = strata_of(parts)?.join(".");
    let error = |message: String| Diagnostic::error(Code::UNKNOWN_NAME, place, message);
    match &study.evaluate.within {
        None => Some(
            error("nothing is measured within strata".to_string())
                .hint("add `within:` to `evaluate`"),
        ),
        Some(column) if named != format!("within_{}", column.name) => Some(
            error(format!("`{named}` is not measured in this study"))
                .hint(format!("there is: within_{}", column.name)),
        ),
        Some(_) if parts[0] != "auroc" => Some(error(format!(
            "within strata the AUROC is measured, not `{}`",
            parts[0]
        ))),
        Some(_) => None,
    }
}

/// The models that meet external cohorts.
fn frozen_models(study: &Study) -> impl Iterator<Item = &Model> {
    let named = study.validate.first().map(|scheme| &scheme.models);
    study.models.iter().filter(move |model| {
        named.is_some_and(|named| named.iter().any(|n| n.name == model.name))
    })
}
