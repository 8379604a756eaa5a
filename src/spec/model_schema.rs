//! The JSON Schema of a model's file, from its own type and from what each operation learns.

use serde_json::{Value as Json, json};

use super::schema::inline;
use crate::catalog::Catalog;
use crate::data::Model;
use crate::operation::{Entry, Kind};

/// The schema of `models/NAME.json`. Draft 2020-12.
pub fn model_schema(catalog: &Catalog) -> Json {
    let mut whole = schemars::schema_for!(Model).to_value();
    whole["title"] = json!("restudy model");
    for (name, kind) in [("ModelStep", Kind::TableStep), ("ModelLearner", Kind::Learner)]
    {
        let any: Json = whole["$defs"][name].clone();
        let of = catalog.of_kind(kind).filter_map(|entry| fitted(&any, entry));
        whole["$defs"][name] = json!({
            "description": any["description"], "oneOf": of.collect::<Json>(),
        });
    }
    whole
}

/// A fitted operation: its name and version, its parameters and what it learned.
fn fitted(any: &Json, entry: &Entry) -> Option<Json> {
    let mut of = any.clone();
    let properties = of.get_mut("properties")?;
    properties["operation"] = json!({ "const": entry.about.name });
    properties["version"] = json!({ "const": entry.about.version });
    properties["parameters"] = whole((entry.schema)().to_value());
    properties["state"] = whole((entry.model?)().to_value());
    of["title"] = json!(entry.about.title);
    Some(of)
}

/// A schema without definitions of its own.
fn whole(mut schema: Json) -> Json {
    let root = schema.clone();
    inline(&mut schema, &root);
    if let Some(object) = schema.as_object_mut() {
        object.remove("$defs");
        object.remove("$schema");
    }
    schema
}
