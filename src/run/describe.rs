//! What the study does, operation by operation: the report's methods text is made from this.

use serde_json::Value as Json;

use crate::data::{MethodFacts, Setting};
use crate::spec::{BlockKind, Chain, Model, SourceKind, Study, Use};

/// Every operation in the order in which it acts; the same with the same settings is told once.
pub fn describe(study: &Study) -> Vec<MethodFacts> {
    let mut methods = Vec::new();
    for source in &study.sources {
        let (SourceKind::Table { reader: used, .. }
        | SourceKind::Maf { reader: used, .. }
        | SourceKind::Images { reader: used, .. }
        | SourceKind::Simulate { generator: used }) = &source.kind;
        methods.push(facts("read", used));
    }
    for block in &study.predictors {
        if let BlockKind::Images { features, .. } = &block.kind {
            methods.extend(features.iter().map(|family| facts("features", family)));
        }
    }
    for outcome in &study.outcomes {
        methods.extend(outcome.derivations.iter().map(|used| facts("outcome", used)));
    }
    // The author's own models first: what only an added control does is told as such.
    let models = || {
        let own = study.models.iter().filter(|model| model.added.is_none());
        own.chain(study.models.iter().filter(|model| model.added.is_some()))
    };
    for model in models() {
        for branch in &model.branches {
            add(&mut methods, model, chain("prepare", &branch.prepare));
        }
    }
    for model in models() {
        for selector in &model.select {
            add(&mut methods, model, chain("select", selector));
        }
    }
    methods.extend(study.learn.iter().flat_map(|learner| chain("learn", learner)));
    methods.extend(study.validate.iter().map(|s| facts("validate", &s.resampling)));
    methods.push(facts("tune", &study.evaluate.tuner));
    methods.extend(study.evaluate.threshold.iter().map(|t| facts("threshold", &t.rule)));
    methods.extend(study.evaluate.metrics().map(|metric| facts("evaluate", metric)));
    let mut once: Vec<MethodFacts> = Vec::with_capacity(methods.len());
    for method in methods {
        if !once.contains(&method) {
            once.push(method);
        }
    }
    once
}

/// Adds what is not there yet: models share most of what is done with them.
fn add(methods: &mut Vec<MethodFacts>, model: &Model, more: Vec<MethodFacts>) {
    for method in more {
        if !methods
            .iter()
            .any(|known| MethodFacts { added: false, ..known.clone() } == method)
        {
            methods.push(MethodFacts { added: model.added.is_some(), ..method });
        }
    }
}

fn facts(role: &str, used: &Use) -> MethodFacts {
    let settings =
        used.parameters.as_object().into_iter().flatten().map(|(name, value)| Setting {
            name: name.clone(),
            value: plain(value),
            set_by_author: used.written.contains(name),
        });
    MethodFacts {
        role: role.to_string(),
        name: used.about.name.to_string(),
        title: used.about.title.to_string(),
        version: used.about.version,
        summary: used.summary.clone(),
        settings: settings.collect(),
        sources: used.about.sources.iter().map(|source| (*source).to_string()).collect(),
        added: false,
    }
}

/// The steps of a chain; a parameter that takes several values shows all of them.
fn chain(role: &str, chain: &Chain) -> Vec<MethodFacts> {
    let n_steps = chain.settings.first().map_or(0, |setting| setting.steps.len());
    let mut methods = Vec::new();
    for step in 0..n_steps {
        let mut merged = facts(role, &chain.settings[0].steps[step]);
        for setting in &chain.settings[1..] {
            for (known, other) in
                merged.settings.iter_mut().zip(facts(role, &setting.steps[step]).settings)
            {
                if !known.value.split(", ").any(|value| value == other.value) {
                    known.value = format!("{}, {}", known.value, other.value);
                }
            }
        }
        methods.push(merged);
    }
    methods
}

/// A parameter's value as a reader would write it.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "none".to_string(),
        Json::Array(items) => {
            let between = if items.iter().any(Json::is_object) { "; " } else { ", " };
            items.iter().map(plain).collect::<Vec<_>>().join(between)
        }
        // What is not asked of it is not told.
        Json::Object(fields) => {
            let asked = fields.iter().filter(|(_, value)| !value.is_null());
            let said = asked.map(|(name, value)| format!("{name} {}", plain(value)));
            said.collect::<Vec<_>>().join(", ")
        }
        Json::Null => "none".to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::plain;

    #[test]
    fn values_are_written_as_a_reader_would_write_them() {
        assert_eq!(plain(&json!([0.1, 1.0])), "0.1, 1.0");
        assert_eq!(plain(&json!([])), "none");
        assert_eq!(
            plain(&json!([
                { "gene": "IDH1", "protein": ["p.R132*"], "classes": null },
                { "gene": "IDH2", "protein": ["p.R140*", "p.R172*"], "classes": null },
            ])),
            "gene IDH1, protein p.R132*; gene IDH2, protein p.R140*, p.R172*"
        );
    }
}
