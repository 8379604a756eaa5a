//! The JSON Schema of a study, from the same keys that the reader reads and from the operations'
//! own schemas: what an editor completes is what `check` accepts.

use serde_json::{Map, Value as Json, json};

use super::keys::{self, Block, Shape};
use super::parameters::MOST_SETTINGS;
use super::reporting;
use crate::catalog::Catalog;
use crate::operation::{Entry, Kind};

/// The schema of a whole study. Draft 2020-12.
pub fn schema(catalog: &Catalog) -> Json {
    let mut definitions = Map::new();
    for entry in catalog.all() {
        for (grids, suffix) in [(false, ""), (true, "-grid")] {
            let name = format!("operation-{}{suffix}", entry.about.name);
            definitions.insert(name, operation(entry, grids));
        }
    }
    let mut whole = block(&keys::STUDY, catalog);
    whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    whole["title"] = json!("restudy study");
    whole["$defs"] = Json::Object(definitions);
    whole
}

fn block(block: &Block, catalog: &Catalog) -> Json {
    let mut properties = Map::new();
    for key in block.keys {
        let mut of_key = shape(key.shape, catalog);
        of_key["description"] = json!(key.doc);
        properties.insert(key.name.to_string(), of_key);
    }
    let mut choices: Vec<Json> = Vec::new();
    if let Some(kind) = block.operation {
        for entry in catalog.of_kind(kind) {
            let name = entry.about.name;
            let mut reference = parameters(entry, false);
            // The cohort may stand among the parameters of a resampling scheme.
            if kind == Kind::Resampling {
                let mut whole = operation(entry, false);
                whole["properties"]["cohort"] =
                    json!({ "type": "string", "minLength": 1 });
                reference = json!({ "anyOf": [{ "type": "null" }, whole] });
            }
            properties.insert(name.to_string(), reference);
            choices.push(json!({ "required": [name] }));
        }
    }
    // A list of the same kind, in order of precedence, stands where one of them would.
    let several = block.keys.iter().filter(|key| match (key.shape, block.operation) {
        (Shape::Operations(kind), Some(one)) => kind == one,
        _ => false,
    });
    choices.extend(several.map(|key| json!({ "required": [key.name] })));
    choices.extend(block.one_of.iter().map(|name| json!({ "required": [name] })));
    let required: Vec<&str> =
        block.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": block.doc,
        "properties": properties,
        "required": required,
    });
    // A threshold rule's own parameters stand beside the keys of the block.
    if block.noun == keys::THRESHOLD.noun {
        let rules: Vec<&str> =
            catalog.of_kind(Kind::Calibrator).map(|entry| entry.about.name).collect();
        schema["properties"]["rule"]["enum"] = json!(rules);
        for entry in catalog.of_kind(Kind::Calibrator) {
            let of_rule = (entry.schema)().to_value();
            for (name, of_parameter) in object(&of_rule, "properties") {
                schema["properties"][name] = of_parameter.clone();
            }
        }
    }
    schema["additionalProperties"] = json!(false);
    if !choices.is_empty() {
        schema["oneOf"] = json!(choices);
    }
    schema
}

fn shape(shape: Shape, catalog: &Catalog) -> Json {
    let named = |of: Json| json!({ "type": "object", "additionalProperties": of, "minProperties": 1 });
    let text = || json!({ "type": "string", "minLength": 1 });
    let list = |of: Json| json!({ "type": "array", "items": of, "minItems": 1 });
    let texts = || json!({ "anyOf": [text(), list(text())] });
    match shape {
        Shape::One => json!({ "const": 1 }),
        Shape::Text => text(),
        Shape::Texts => list(text()),
        Shape::Count => json!({ "type": "integer", "minimum": 0 }),
        Shape::Counts => list(json!({ "type": "integer", "minimum": 0 })),
        Shape::Named(of) => named(block(of, catalog)),
        Shape::Block(of) => block(of, catalog),
        Shape::TextOr(of) => json!({ "anyOf": [text(), block(of, catalog)] }),
        Shape::NumberOr(of) => {
            json!({ "anyOf": [{ "type": "number" }, block(of, catalog)] })
        }
        Shape::Files(of) => {
            let one = json!({ "anyOf": [text(), block(of, catalog)] });
            json!({ "anyOf": [text(), block(of, catalog), list(one)] })
        }
        Shape::TextOrTexts => texts(),
        Shape::Blocks(of) => list(block(of, catalog)),
        Shape::NamedTextsOr(of) => {
            named(json!({ "anyOf": [list(text()), block(of, catalog)] }))
        }
        Shape::NamedTextOr(of) => named(json!({ "anyOf": [text(), block(of, catalog)] })),
        Shape::TextMap => named(text()),
        Shape::TextsByName => named(texts()),
        Shape::Number => json!({ "type": "number" }),
        Shape::Numbers => list(json!({ "type": "number" })),
        Shape::Positions => {
            let position = json!({ "type": "integer", "minimum": 1 });
            json!({ "type": "array", "items": position, "minItems": 2, "maxItems": 2 })
        }
        Shape::Range => {
            let bound = json!({ "type": "number" });
            json!({ "type": "array", "items": bound, "minItems": 2, "maxItems": 2 })
        }
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Prose => reporting::schema(),
        Shape::Schemes(of) => json!({
            "type": "object",
            "properties": { "external": list(text()) },
            "additionalProperties": block(of, catalog),
            "minProperties": 1,
        }),
        Shape::Joins => {
            json!({ "type": "object", "additionalProperties": { "enum": ["required", "optional"] } })
        }
        Shape::Unit => json!({ "enum": keys::units() }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Parameters(kind) => {
            let forms: Vec<Json> =
                catalog.of_kind(kind).map(|e| parameters(e, false)).collect();
            json!({ "anyOf": forms })
        }
        Shape::Operation(kind) => one(kind, false, catalog),
        Shape::Operations(kind) => list(one(kind, false, catalog)),
        Shape::Chain(kind) => {
            let step = one(kind, true, catalog);
            let steps = json!({ "type": "array", "items": step });
            let vary = json!({
                "type": "object",
                "required": ["vary"],
                "additionalProperties": false,
                "properties": { "vary": {
                    "type": "object",
                    "required": ["primary"],
                    "properties": { "primary": text() },
                    "additionalProperties": steps,
                } },
            });
            let steps =
                json!({ "type": "array", "items": { "anyOf": [step, vary.clone()] } });
            json!({ "anyOf": [steps.clone(), vary, named(steps)] })
        }
        Shape::Alternatives(kind) => {
            let step = one(kind, true, catalog);
            if kind == Kind::TableStep {
                let all = list(
                    json!({ "anyOf": [{ "const": "all" }, step, list(json!({ "anyOf": [{ "const": "all" }, step] }))] }),
                );
                json!({ "anyOf": [all.clone(), named(all)] })
            } else {
                list(step)
            }
        }
    }
}

/// `name` or `{name: parameters}`.
fn one(kind: Kind, grids: bool, catalog: &Catalog) -> Json {
    let mut forms = Vec::new();
    let names: Vec<&str> = catalog.of_kind(kind).map(|entry| entry.about.name).collect();
    forms.push(json!({ "enum": names }));
    for entry in catalog.of_kind(kind) {
        let name = entry.about.name;
        forms.push(json!({
            "type": "object",
            "description": entry.summary(),
            "properties": { name: parameters(entry, grids) },
            "required": [name],
            "additionalProperties": false,
        }));
    }
    json!({ "anyOf": forms })
}

fn parameters(entry: &Entry, grids: bool) -> Json {
    let suffix = if grids { "-grid" } else { "" };
    let reference = format!("#/$defs/operation-{}{suffix}", entry.about.name);
    json!({ "anyOf": [{ "type": "null" }, { "$ref": reference }] })
}

/// The schema of an operation's parameters; tunable ones may be lists where grids are allowed.
fn operation(entry: &Entry, grids: bool) -> Json {
    let whole = (entry.schema)().to_value();
    let mut properties = Map::new();
    let mut is_tunable = false;
    for (name, of_parameter) in object(&whole, "properties") {
        let mut of_parameter = of_parameter.clone();
        let tunable = of_parameter.get("x-tunable") == Some(&json!(true));
        inline(&mut of_parameter, &whole);
        if grids && tunable {
            let description = of_parameter.get("description").cloned();
            let values = match of_parameter.get("type") == Some(&json!("array")) {
                true => json!({
                    "type": "object", "required": ["grid"], "additionalProperties": false,
                    "properties": { "grid": { "type": "array", "items": of_parameter.clone() } },
                }),
                false => {
                    json!({ "type": "array", "items": of_parameter.clone(), "minItems": 1 })
                }
            };
            let mut forms = vec![of_parameter.clone(), values];
            if is_number(&of_parameter) {
                forms.push(json!({
                    "type": "object", "required": ["between"], "additionalProperties": false,
                    "description": "A range from which `draws` settings are drawn.",
                    "properties": {
                        "between": {
                            "type": "array", "items": of_parameter, "minItems": 2, "maxItems": 2,
                        },
                        "scale": { "enum": ["linear", "log"] },
                    },
                }));
            }
            of_parameter = json!({ "anyOf": forms });
            is_tunable = true;
            if let Some(description) = description {
                of_parameter["description"] = description;
            }
        }
        properties.insert(name.clone(), of_parameter);
    }
    if is_tunable {
        let draws = json!({
            "type": "integer", "minimum": 1, "maximum": MOST_SETTINGS,
            "description": "Random search: how many settings are drawn instead of trying all.",
        });
        properties.insert("draws".to_string(), draws);
    }
    json!({
        "type": "object",
        "title": entry.about.title,
        "description": entry.doc(),
        "properties": properties,
        "required": whole.get("required").cloned().unwrap_or(json!([])),
        "additionalProperties": false,
    })
}

fn is_number(schema: &Json) -> bool {
    let is = |kind: &Json| kind == "number" || kind == "integer";
    match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => false,
    }
}

fn object<'j>(
    schema: &'j Json,
    name: &str,
) -> impl Iterator<Item = (&'j String, &'j Json)> {
    schema.get(name).and_then(Json::as_object).into_iter().flatten()
}

/// Replaces references into the operation's own definitions by what they name.
pub(super) fn inline(schema: &mut Json, root: &Json) {
    while let Some(path) = schema.get("$ref").and_then(Json::as_str)
        && let Some(target) = path.strip_prefix('#').and_then(|path| root.pointer(path))
    {
        let mut target = target.clone();
        for (key, value) in schema.as_object().into_iter().flatten() {
            if key != "$ref" {
                target[key] = value.clone();
            }
        }
        *schema = target;
    }
    match schema {
        Json::Object(map) => map.values_mut().for_each(|value| inline(value, root)),
        Json::Array(items) => items.iter_mut().for_each(|value| inline(value, root)),
        _ => {}
    }
}
