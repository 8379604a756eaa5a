//! The tree of the fields of `reporting:`, and its JSON Schema.

use serde_json::{Map, Value as Json, json};

use crate::data::{FIELDS, Field, Form};

/// What may stand after a path: a field, or names that go on.
pub enum Step {
    Field(&'static Field),
    Group(Vec<&'static str>),
}

/// What stands at a path whose cohort or item is `*`; none where nothing does.
pub fn step(path: &str) -> Option<Step> {
    if let Some(field) = FIELDS.iter().find(|field| field.path == path) {
        return Some(Step::Field(field));
    }
    let mut names: Vec<&'static str> = Vec::new();
    for field in FIELDS {
        let rest = match path {
            "" => Some(field.path),
            path => field.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')),
        };
        let Some(name) = rest.and_then(|rest| rest.split('.').next()) else { continue };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then_some(Step::Group(names))
}

/// Whether "none" can be said of a field or of a whole group.
pub fn takes_none(path: &str) -> bool {
    let inside = |field: &&Field| {
        field.path == path
            || field.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
    };
    FIELDS.iter().filter(inside).any(|field| field.negatives)
}

pub fn schema() -> Json {
    node("", "The author's half of the report.")
}

fn node(path: &str, doc: &str) -> Json {
    let mut schema = match step(path) {
        Some(Step::Field(field)) => form(field.form),
        Some(Step::Group(names)) => {
            let mut properties = Map::new();
            let below = |name: &str| match path {
                "" => name.to_string(),
                path => format!("{path}.{name}"),
            };
            for name in &names {
                let below = below(name);
                let doc = match step(&below) {
                    Some(Step::Field(field)) => field.doc,
                    _ => "",
                };
                properties.insert(name.to_string(), node(&below, doc));
            }
            match names.as_slice() {
                ["*"] => json!({
                    "type": "object", "additionalProperties": properties.remove("*"),
                }),
                _ => json!({
                    "type": "object", "properties": properties, "additionalProperties": false,
                }),
            }
        }
        None => json!({}),
    };
    if !path.is_empty() && takes_none(path) {
        let text = json!({ "type": "string", "minLength": 1 });
        let none = |word: &str| {
            json!({
                "type": "object", "properties": { word: text }, "required": [word],
                "additionalProperties": false,
            })
        };
        let said = json!({ "type": "string", "pattern": "^(none|not_done):" });
        schema = json!({ "anyOf": [schema, none("none"), none("not_done"), said] });
    }
    if !doc.is_empty() {
        schema["description"] = json!(doc);
    }
    schema
}

fn form(form: Form) -> Json {
    let text = || json!({ "type": "string", "minLength": 1 });
    // YAML reads a year as a number and nobody minds.
    let plain = || json!({ "anyOf": [text(), { "type": "number" }] });
    match form {
        Form::Text | Form::Url => text(),
        Form::List => {
            json!({ "anyOf": [text(), { "type": "array", "items": text(), "minItems": 1 }] })
        }
        Form::Truth => json!({ "type": "boolean" }),
        Form::Word(words) => json!({ "enum": words }),
        Form::Words(words) => {
            let word = json!({ "enum": words });
            json!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
        }
        Form::Item => plain(),
        Form::Dates(keys) | Form::Rows(keys) => {
            let mut properties = Map::new();
            for key in keys {
                properties.insert(key.to_string(), plain());
            }
            let row = json!({
                "type": "object", "properties": properties, "additionalProperties": false,
                "minProperties": 1,
            });
            match form {
                Form::Rows(_) => json!({ "type": "array", "items": row, "minItems": 1 }),
                _ => row,
            }
        }
        Form::ByName => json!({ "type": "object", "additionalProperties": plain() }),
        Form::Answers { to, words } => {
            let answer = json!({
                "type": "object",
                "properties": { "answer": { "enum": words }, "why": plain() },
                "required": ["answer", "why"], "additionalProperties": false,
            });
            let properties: Map<String, Json> = to
                .iter()
                .map(|question| (question.to_string(), answer.clone()))
                .collect();
            json!({
                "type": "object", "properties": properties, "additionalProperties": false,
                "minProperties": 1,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_fields_or_go_on() {
        assert!(matches!(step("cohorts.*.design"), Some(Step::Field(_))));
        assert!(matches!(step("cohorts"), Some(Step::Group(names)) if names == ["*"]));
        assert!(
            matches!(step(""), Some(Step::Group(names)) if names.contains(&"ethics"))
        );
        assert!(step("context.nothing").is_none());
        assert!(takes_none("funding") && takes_none("ppi") && !takes_none("objectives"));
    }
}
