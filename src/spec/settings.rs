//! What a study sets, place by place: what a protocol is held against.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    Block, BlockKind, Chain, Cohort, Facts, LearnedFrom, Named, Source, SourceKind,
    Study, UnnamedControls, Use,
};
use crate::digest::canonical_json;

/// Stands for what names patients.
const IDS: &str = "names ids, which are not shown";

impl Study {
    /// Every setting that can change a result, by its place in the study. Titles, labels, paths, the
    /// author's half, controls that were added and parameters at their defaults are none; a default
    /// that is written out is one that is not. Values that name patients are not told.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut all = Settings::default();
        all.put("seed", self.seed.to_string());
        self.sources.iter().for_each(|source| all.source(source));
        for derived in &self.derive {
            all.json(&format!("derive.{}", derived.name), &derived.identity());
        }
        self.cohorts.iter().for_each(|cohort| all.cohort(cohort, self));
        for of in &self.agree {
            let path = format!("agree.{}", of.name);
            match &of.facts {
                Facts::Derived(both) => all.several(&path, both),
                Facts::Columns { columns, within } => {
                    let named =
                        columns.each_ref().map(|(s, c)| format!("{}.{c}", s.name));
                    all.put(&path, named.join(", "));
                    all.put(&format!("{path}.within"), within.to_string());
                }
            }
            all.put(&format!("{path}.tolerate"), of.tolerate.to_string());
        }
        for outcome in &self.outcomes {
            let path = format!("outcomes.{}", outcome.name);
            all.several(&path, &outcome.derivations);
            all.put(&format!("{path}.role"), outcome.role.word());
            all.put(
                &format!("{path}.refuse_missing"),
                outcome.refuse_missing.to_string(),
            );
            if outcome.derivations.len() > 1 {
                let how = format!("{:?}", outcome.on_conflict).to_lowercase();
                all.put(&format!("{path}.on_conflict"), how);
            }
        }
        self.predictors.iter().for_each(|block| all.block(block, self));
        self.fill_models(&mut all);
        all.alternatives("learn", &self.learn);
        self.fill_validation(&mut all);
        self.fill_evaluation(&mut all);
        all.0
    }

    fn fill_models(&self, all: &mut Settings) {
        let written: Vec<_> =
            self.models.iter().filter(|model| model.added.is_none()).collect();
        // Written once for all models, they are told once.
        let same = |of: &dyn Fn(&super::Model) -> Json| {
            written.windows(2).all(|pair| of(pair[0]) == of(pair[1]))
        };
        let select = |model: &super::Model| -> Json {
            model.select.iter().map(Chain::identity).collect()
        };
        let prepare = |model: &super::Model| -> Json {
            let of = model.branches.iter();
            of.map(|branch| json!([branch.name, branch.prepare.identity()])).collect()
        };
        let (one_select, one_prepare) = (same(&select), same(&prepare));
        for (position, model) in written.iter().enumerate() {
            let path = format!("models.{}", model.name);
            all.put(&path, names(&model.blocks));
            all.put(&format!("{path}.forced"), names(&model.forced));
            all.put(&format!("{path}.role"), model.role.word());
            let place = |one: bool, what: &str| match (one, position) {
                (true, 0) => Some(what.to_string()),
                (true, _) => None,
                (false, _) => Some(format!("{path}.{what}")),
            };
            if let Some(path) = place(one_prepare, "prepare") {
                for branch in &model.branches {
                    match branch.name.as_str() {
                        "" => all.chain(&path, &branch.prepare),
                        name => all.chain(&format!("{path}.{name}"), &branch.prepare),
                    }
                }
            }
            if let Some(path) = place(one_select, "select") {
                all.alternatives(&path, &model.select);
            }
        }
        let primary = self.primary_model.as_ref().map(|named| named.name.clone());
        all.put("primary_model", primary.unwrap_or_default());
        all.put("frozen", if self.freezes { "" } else { "none" });
    }

    fn fill_validation(&self, all: &mut Settings) {
        for scheme in &self.validate {
            let path = format!("validate.{}", scheme.name);
            all.used(&path, &scheme.resampling);
            all.put(&format!("{path}.cohort"), scheme.cohort.name.clone());
            let written = |named: &&Named| {
                self.model(&named.name).is_none_or(|model| model.added.is_none())
            };
            let models: Vec<Named> =
                scheme.models.iter().filter(written).cloned().collect();
            all.put(&format!("{path}.models"), names(&models));
            all.put(&format!("{path}.outcomes"), names(&scheme.outcomes));
        }
        all.put("validate.external", names(&self.external));
    }

    fn fill_evaluation(&self, all: &mut Settings) {
        let evaluate = &self.evaluate;
        all.used("evaluate.primary", &evaluate.primary);
        all.several("evaluate.also", &evaluate.also);
        all.used("evaluate.tuner", &evaluate.tuner);
        all.put("evaluate.naive_fallback", evaluate.falls_back.to_string());
        if let Some(threshold) = &evaluate.threshold {
            all.used("evaluate.threshold", &threshold.rule);
            let learned = match threshold.learned_from {
                LearnedFrom::InnerOutOfFold => "inner_out_of_fold",
                LearnedFrom::HeldOut => "held_out",
            };
            all.put("evaluate.threshold.learned_from", learned);
            all.put("evaluate.threshold.frozen_for", names(&threshold.frozen_for));
        }
        if let Some(within) = evaluate.within.as_ref().filter(|_| !evaluate.within_added)
        {
            all.put("evaluate.within", within.name.clone());
        }
        if let Some((from, to)) = evaluate.decision_range {
            all.put("evaluate.decision_range", format!("{from}, {to}"));
        }
        for group in &evaluate.subgroups {
            let path = format!("evaluate.subgroups.{}", group.by.name);
            let cut: Vec<String> = group.cut.iter().map(f64::to_string).collect();
            all.put(
                &path,
                if cut.is_empty() { "by value".into() } else { cut.join(", ") },
            );
            all.put(&format!("{path}.minimum_events"), group.minimum_events.to_string());
        }
        let pairs = evaluate.compare.iter();
        let pairs =
            pairs.map(|pair| format!("{} over {}", pair.better.name, pair.than.name));
        all.put("evaluate.compare", pairs.collect::<Vec<_>>().join(", "));
        if !evaluate.compare.is_empty() {
            let how = if evaluate.holm { "holm" } else { "none" };
            all.put("evaluate.multiplicity", how);
        }
        let claims: Vec<&str> = evaluate.claims.iter().map(|c| c.text.as_str()).collect();
        all.put("evaluate.claims", claims.join("; "));
        if let Some(permuted) = &evaluate.permuted {
            let path = "evaluate.controls.permuted_outcome";
            let within = permuted.within.as_ref().map(|named| named.name.clone());
            all.put(&format!("{path}.times"), permuted.times.to_string());
            all.put(&format!("{path}.within"), within.unwrap_or_default());
        }
        if matches!(evaluate.unnamed, UnnamedControls::Left(_)) {
            all.put("evaluate.controls.added", "none");
        }
    }
}

fn names(of: &[Named]) -> String {
    of.iter().map(|named| named.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Values by place.
#[derive(Default)]
struct Settings(BTreeMap<String, String>);

impl Settings {
    /// What is empty is not set.
    fn put(&mut self, path: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(path.to_string(), value);
        }
    }

    /// A place that nothing stands at yet: of two steps of one name the second is `name.2`.
    fn free(&self, path: &str) -> String {
        let taken = |path: &str| {
            let below = format!("{path}.");
            self.0.keys().any(|known| known == path || known.starts_with(&below))
        };
        let numbered = (2..).map(|n| format!("{path}.{n}"));
        let mut places = std::iter::once(path.to_string()).chain(numbered);
        places.find(|path| !taken(path)).unwrap_or_else(|| path.to_string())
    }

    fn json(&mut self, path: &str, value: &Json) {
        match value {
            Json::Null => {}
            Json::Object(fields) => {
                for (name, value) in fields {
                    self.json(&format!("{path}.{name}"), value);
                }
            }
            Json::Array(items) => {
                self.put(path, items.iter().map(words).collect::<Vec<_>>().join(", "));
            }
            scalar => self.put(path, words(scalar)),
        }
    }

    /// An operation, and its parameters that differ from their defaults.
    fn used(&mut self, path: &str, used: &Use) {
        self.put(path, used.about.name);
        self.parameters(&format!("{path}.{}", used.about.name), &[used]);
    }

    /// Operations one after the other.
    fn several(&mut self, path: &str, used: &[Use]) {
        self.steps(path, &used.iter().map(|one| vec![one]).collect::<Vec<_>>());
    }

    fn chain(&mut self, path: &str, chain: &Chain) {
        self.steps(path, &places(chain));
        if chain.is_empty() {
            self.put(path, "nothing");
        }
    }

    fn alternatives(&mut self, path: &str, chains: &[Chain]) {
        let known: Vec<&str> = chains.iter().map(|chain| chain.name.as_str()).collect();
        self.put(path, known.join("; "));
        for chain in chains {
            let path = self.free(&format!("{path}.{}", chain.name));
            match places(chain).as_slice() {
                [] => {}
                [only] => self.parameters(&path, only),
                several => self.steps(&path, several),
            }
        }
    }

    /// Steps in order, each in every setting of its grid.
    fn steps(&mut self, path: &str, steps: &[Vec<&Use>]) {
        let known = steps.iter().filter_map(|of| Some(of.first()?.about.name));
        self.put(path, known.collect::<Vec<_>>().join(", "));
        for of in steps {
            let Some(first) = of.first() else { continue };
            let path = self.free(&format!("{path}.{}", first.about.name));
            self.parameters(&path, of);
        }
    }

    /// The parameters of an operation in every setting of its grid, where any differs from the default.
    fn parameters(&mut self, path: &str, settings: &[&Use]) {
        let mut parameters: Vec<&String> = Vec::new();
        for name in settings.iter().filter_map(|used| used.changed.as_object()) {
            parameters.extend(name.keys());
        }
        parameters.sort();
        parameters.dedup();
        for name in parameters {
            let mut values: Vec<String> = Vec::new();
            for used in settings {
                let value = used.parameters.get(name).map_or("none".to_string(), words);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            self.put(&format!("{path}.{name}"), values.join(", "));
        }
        if let Some(scope) = settings.first().and_then(|used| used.scope.as_ref()) {
            self.put(&format!("{path}.on"), scope.join(", "));
        }
    }

    fn source(&mut self, source: &Source) {
        let path = format!("sources.{}", source.name);
        match &source.kind {
            SourceKind::Table { reader, keyed, .. } => {
                self.used(&path, reader);
                self.json(&path, &keyed.identity());
            }
            SourceKind::Maf { reader, keyed, assayed, .. } => {
                self.used(&path, reader);
                self.json(&path, &keyed.identity());
                let assayed = assayed.as_ref().map(|named| named.name.clone());
                self.put(&format!("{path}.assayed"), assayed.unwrap_or_default());
            }
            SourceKind::Images { reader, unit, .. } => {
                self.used(&path, reader);
                self.json(&format!("{path}.unit"), &json!(unit));
            }
            SourceKind::Simulate { generator } => self.used(&path, generator),
        }
        let declared = source.files().iter().filter_map(|file| file.declared());
        let declared: Vec<String> = declared.map(|digest| digest.to_string()).collect();
        self.put(&format!("{path}.digest"), declared.join(", "));
    }

    fn cohort(&mut self, cohort: &Cohort, study: &Study) {
        let path = format!("cohorts.{}", cohort.name);
        let mut identity = cohort.identity();
        for hidden in ["rules", "same_as"] {
            identity[hidden] = Json::Null;
        }
        self.json(&path, &identity);
        if !cohort.same_as.is_empty() {
            self.put(&format!("{path}.same_as"), IDS);
        }
        let sources = study.sources.iter().filter_map(Source::keyed);
        let mut of_ids: Vec<&str> =
            sources.flat_map(|keyed| keyed.id_columns()).collect();
        of_ids.extend(cohort.subject.as_ref().map(|named| named.name.as_str()));
        of_ids.push("id");
        let names_ids = |column: &&str| {
            let own = column.rsplit('.').next().unwrap_or(column);
            of_ids.iter().any(|id| *id == own || id == column)
        };
        let rules = cohort.rules.iter().map(|rule| {
            let what = if rule.keeps { "include" } else { "exclude" };
            match rule.rule.columns().iter().any(names_ids) {
                true => format!("{what}: {IDS}"),
                false => format!("{what}: {}", rule.text),
            }
        });
        self.put(&format!("{path}.rules"), rules.collect::<Vec<_>>().join("; "));
    }

    fn block(&mut self, block: &Block, study: &Study) {
        let mut readers = study
            .models
            .iter()
            .filter(|model| model.blocks.iter().any(|known| known.name == block.name));
        if readers.next().is_some_and(|model| model.added.is_some()) {
            return;
        }
        let path = format!("predictors.{}", block.name);
        match &block.kind {
            BlockKind::Columns { from, include, except } => {
                self.put(&path, names(from));
                self.put(&format!("{path}.include"), names(include));
                self.put(&format!("{path}.except"), names(except));
            }
            BlockKind::Images { from, labels, features } => {
                self.put(&path, from.name.clone());
                let labels: Vec<String> = labels.iter().map(u16::to_string).collect();
                self.put(&format!("{path}.labels"), labels.join(", "));
                self.several(&format!("{path}.features"), features);
            }
        }
        self.several(&format!("{path}.steps"), &block.steps);
        self.put(&format!("{path}.known"), block.known.clone().unwrap_or_default());
    }
}

/// Each step of a chain in every setting of its grid.
fn places(chain: &Chain) -> Vec<Vec<&Use>> {
    let n = chain.settings.iter().map(|setting| setting.steps.len()).max().unwrap_or(0);
    let of = |at: usize| chain.settings.iter().filter_map(move |s| s.steps.get(at));
    (0..n).map(|at| of(at).collect()).collect()
}

fn words(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => canonical_json(other),
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::spec::{Study, read};

    const STUDY: &str = "restudy: 1
title: A study
cancer: glioma
seed: 7
sources:
  clinic: { table: clinic.csv, id: patient }
cohorts:
  all: { from: clinic, exclude: [{ rule: \"age < 18\", reason: children }] }
outcomes:
  status: { label: mutant, binary: { column: status, positive: 1 } }
predictors:
  texture: { columns: { from: clinic, include: [\"x*\"] } }
prepare: [impute_median, scale_zscore]
select:
  - all
  - anova: { k: [2, 4] }
learn:
  - logistic: { c: [0.1, 1] }
validate:
  internal: { nested: { outer: 3, inner: 2, repeats: 2 } }
evaluate:
  primary: auroc
  threshold: { rule: fixed, value: 0.5, learned_from: inner_out_of_fold }
";

    fn study(text: &str) -> Study {
        let parsed = read(text, &Catalog::standard());
        let faults: Vec<String> =
            parsed.diagnostics.iter().map(|f| f.message.clone()).collect();
        parsed.study.unwrap_or_else(|| panic!("{faults:?}"))
    }

    /// Paths that differ between two studies.
    fn differing(other: &str) -> Vec<String> {
        let (one, other) = (study(STUDY).settings(), study(other).settings());
        let mut paths: Vec<String> = one.keys().chain(other.keys()).cloned().collect();
        paths.sort();
        paths.dedup();
        paths.retain(|path| one.get(path) != other.get(path));
        paths
    }

    #[test]
    fn each_setting_stands_at_its_place() {
        let settings = study(STUDY).settings();
        let at = |path: &str| settings.get(path).map_or("", String::as_str);
        assert_eq!(at("seed"), "7");
        assert_eq!(at("prepare"), "impute_median, scale_zscore");
        assert_eq!(at("select"), "all; anova");
        assert_eq!(at("select.anova.k"), "2, 4");
        assert!(at("learn.logistic.c").starts_with("0.1, 1"));
        assert_eq!(at("evaluate.threshold"), "fixed");
        assert_eq!(at("cohorts.all.rules"), "exclude: age < 18");
        assert_eq!(at("predictors.texture.include"), "x*");
    }

    #[test]
    fn how_a_study_is_written_is_no_setting() {
        let text = STUDY
            .replace("title: A study", "title: Another name # with a comment")
            .replace("label: mutant", "label: another label")
            .replace("cancer: glioma\nseed: 7\n", "seed: 7\ncancer: glioma\n")
            .replace("scale_zscore]", "\"scale_zscore\"]");
        assert_eq!(differing(&text), Vec::<String>::new());
        assert_eq!(
            differing(&STUDY.replace("value: 0.5", "value: 0.4")),
            ["evaluate.threshold.fixed.value"]
        );
        assert_eq!(
            differing(&STUDY.replace("k: [2, 4]", "k: [2, 8]")),
            ["select.anova.k"]
        );
        assert_eq!(
            differing(&STUDY.replace("age < 18", "age < 21")),
            ["cohorts.all.rules"]
        );
    }

    #[test]
    fn ids_are_not_told() {
        let text = STUDY.replace("age < 18", "patient == 'P01'");
        let settings = study(&text).settings();
        assert!(settings.values().all(|value| !value.contains("P01")), "{settings:?}");
        assert!(settings["cohorts.all.rules"].contains("ids"));
    }
}
