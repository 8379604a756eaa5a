//! `restudy ops`: the catalogue of operations, and the page of one of them.

use serde_json::{Value as Json, json};

use super::Exit;
use crate::catalog::Catalog;
use crate::diagnostics::nearest;
use crate::operation::{Entry, reference};

/// List the operations, or explain one
#[derive(Debug, clap::Args)]
pub struct Ops {
    /// The operation to explain
    pub name: Option<String>,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Ops) -> Exit {
    let catalog = Catalog::standard();
    let Some(name) = &args.name else {
        match args.json {
            true => println!("{}", catalog.all().iter().map(as_json).collect::<Json>()),
            false => print!("{}", list(&catalog)),
        }
        return Exit::Fine;
    };
    let Some(entry) = catalog.get(name) else {
        eprintln!("error: there is no operation `{name}`");
        let names = catalog.all().iter().map(|entry| entry.about.name);
        match nearest(name, names) {
            Some(near) => eprintln!("help: did you mean `{near}`?"),
            None => eprintln!("help: `restudy ops` lists them"),
        }
        return Exit::Change;
    };
    match args.json {
        true => println!("{}", as_json(entry)),
        false => print!("{}", page(entry)),
    }
    Exit::Fine
}

fn list(catalog: &Catalog) -> String {
    let mut kinds: Vec<_> = catalog.all().iter().map(|entry| entry.kind).collect();
    kinds.sort();
    kinds.dedup();
    let names = catalog.all().iter().map(|entry| entry.about.name.len());
    let width = names.max().unwrap_or(0) + 2;
    let mut text = String::new();
    for kind in kinds {
        text.push_str(&format!("{}\n", kind.plural()));
        for entry in catalog.of_kind(kind) {
            let (name, summary) = (entry.about.name, entry.summary());
            text.push_str(&format!("  {name:<width$}{summary}\n"));
        }
        text.push('\n');
    }
    text
}

/// A parameter in words.
struct Parameter {
    name: String,
    about: String,
    range: String,
    default: String,
    tunable: bool,
}

fn parameters(entry: &Entry) -> Vec<Parameter> {
    let schema = (entry.schema)().to_value();
    let defaults = (entry.defaults)();
    let properties = schema.get("properties").and_then(Json::as_object);
    let properties = properties.into_iter().flatten();
    let text = |value: Option<&Json>| {
        value.and_then(Json::as_str).unwrap_or("").replace('\n', " ")
    };
    let needed = |name: &String| {
        let required = schema.get("required").and_then(Json::as_array);
        required.is_some_and(|names| names.iter().any(|known| known == name))
    };
    let parameter = |(name, of): (&String, &Json)| Parameter {
        name: name.clone(),
        about: text(of.get("description")),
        range: range(of, &schema),
        default: match needed(name) {
            true => "none: it is needed".to_string(),
            false => defaults.get(name).map_or(String::new(), Json::to_string),
        },
        tunable: of.get("x-tunable") == Some(&json!(true)),
    };
    properties.map(parameter).collect()
}

fn range(schema: &Json, root: &Json) -> String {
    let target =
        schema.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix('#'));
    let schema = target.and_then(|path| root.pointer(path)).unwrap_or(schema);
    let words = |forms: &Json| -> Vec<String> {
        let forms = forms.as_array().into_iter().flatten();
        let of = |form: &Json| -> Vec<String> {
            let many = form.get("enum").and_then(Json::as_array).into_iter().flatten();
            form.get("const").into_iter().chain(many).map(Json::to_string).collect()
        };
        forms.flat_map(of).collect()
    };
    if let Some(forms) = schema.get("oneOf") {
        return words(forms).join(", ").replace('"', "");
    }
    if let Some(forms) = schema.get("enum").and_then(Json::as_array) {
        let forms: Vec<String> = forms.iter().map(Json::to_string).collect();
        return forms.join(", ").replace('"', "");
    }
    if let Some(forms) = schema.get("anyOf").and_then(Json::as_array) {
        let forms: Vec<String> = forms.iter().map(|form| range(form, root)).collect();
        return forms.join(" or ");
    }
    let bound = |name: &str| schema.get(name).map(Json::to_string);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("from {least}"),
        _ => match schema.get("type") {
            Some(Json::String(kind)) => kind.clone(),
            Some(Json::Array(kinds)) => {
                kinds.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" or ")
            }
            _ => String::new(),
        },
    }
}

/// The page of an operation, as Markdown: what `ops` prints and the book holds.
pub fn page(entry: &Entry) -> String {
    let about = &entry.about;
    let mut text = format!(
        "# {}\n\n`{}`, {}, version {}\n\n{}\n",
        about.title,
        about.name,
        entry.kind.noun(),
        about.version,
        entry.doc().replace("\n# ", "\n## ")
    );
    text.push_str(&format!("\n## Example\n\n```yaml\n{}\n```\n", about.example));
    let parameters = parameters(entry);
    if !parameters.is_empty() {
        text.push_str("\n## Parameters\n\n| name | meaning | range | default |\n|---|---|---|---|\n");
        for p in parameters {
            let tunable = if p.tunable { " (tunable)" } else { "" };
            text.push_str(&format!(
                "| `{}` | {}{tunable} | {} | {} |\n",
                p.name, p.about, p.range, p.default
            ));
        }
    }
    let sources: Vec<_> = about.sources.iter().filter_map(|key| reference(key)).collect();
    if !sources.is_empty() {
        text.push_str("\n## Sources\n\n");
        for source in sources {
            let doi = source.doi.map_or(String::new(), |doi| format!(" doi:{doi}"));
            text.push_str(&format!("- {}: {}{doi}\n", source.key, source.text));
        }
    }
    text
}

fn as_json(entry: &Entry) -> Json {
    json!({
        "name": entry.about.name,
        "kind": entry.kind.noun(),
        "title": entry.about.title,
        "version": entry.about.version,
        "random": entry.random,
        "sources": entry.about.sources,
        "example": entry.about.example,
        "parameters": (entry.schema)().to_value(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_summaries_are_apart() {
        let catalog = Catalog::standard();
        let listed = list(&catalog);
        for entry in catalog.all() {
            let line = format!("  {} ", entry.about.name);
            assert!(listed.lines().any(|known| known.starts_with(&line)), "{line}");
        }
    }
}
