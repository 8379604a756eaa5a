//! Outcomes, the facts that must agree, and blocks of predictors.

use crate::diagnostics::Code;
use crate::operation::Kind;
use crate::spec::keys;
use crate::spec::parameters::Grids;
use crate::spec::reader::{Fields, Reader};
use crate::spec::syntax::{Key, Kind as Syntax, Node};
use crate::spec::{
    Agreement, Block, BlockKind, Facts, Named, OnConflict, Outcome, Role, Use,
};

impl Reader<'_> {
    pub fn outcome(&mut self, named: Named, node: &Node) -> Option<Outcome> {
        let fields = self.block(node, &keys::OUTCOME)?;
        let label = fields.get("label").and_then(|node| self.text(node, "`label`"));
        let derivations = match fields.get("first_of") {
            Some(list) => {
                let catalog = self.catalog;
                for (key, _) in fields.iter() {
                    let beside = catalog.get(&key.name);
                    if beside.is_some_and(|entry| entry.kind == Kind::Derivation) {
                        let message =
                            "a derivation stands beside `first_of`; put it into the list";
                        self.error(Code::UNKNOWN_KEY, key.span, message);
                    }
                }
                self.derivations(list, "`first_of`")
            }
            None => {
                let one = self.one_operation(&fields, &keys::OUTCOME, Kind::Derivation);
                one.into_iter().collect()
            }
        };
        let words = ["first", "missing", "refuse"];
        let on_conflict =
            fields.get("on_conflict").and_then(|n| self.word(n, "`on_conflict`", &words));
        let missing = fields
            .get("missing")
            .and_then(|n| self.word(n, "`missing`", &["exclude", "refuse"]));
        let role = self.role(&fields);
        let (name, span, label) = (named.name, named.span, label?.name);
        (!derivations.is_empty()).then(|| Outcome {
            name,
            span,
            label,
            derivations,
            on_conflict: match on_conflict.as_deref() {
                Some("missing") => OnConflict::Missing,
                Some("refuse") => OnConflict::Refuse,
                _ => OnConflict::First,
            },
            refuse_missing: missing.as_deref() == Some("refuse"),
            role,
        })
    }

    pub fn role(&mut self, fields: &Fields<'_>) -> Role {
        let words = ["primary", "sensitivity", "control"];
        let role = fields.get("role").and_then(|node| self.word(node, "`role`", &words));
        match role.as_deref() {
            Some("sensitivity") => Role::Sensitivity,
            Some("control") => Role::Control,
            _ => Role::Primary,
        }
    }

    fn derivations(&mut self, node: &Node, what: &str) -> Vec<Use> {
        let mut uses = Vec::new();
        for item in self.list(node, what) {
            let plain = match &item.kind {
                Syntax::Map(entries) if entries.len() == 1 => Node {
                    span: item.span,
                    kind: Syntax::Map(vec![(
                        entries[0].0.clone(),
                        self.with_source(&entries[0].1),
                    )]),
                },
                _ => item.clone(),
            };
            let used = self.operation(&plain, Kind::Derivation, Grids::Refused);
            uses.extend(used.into_iter().flatten().map(|(used, _)| used));
        }
        uses
    }

    /// `column: labels.idh` is short for `from: labels, column: idh`.
    pub fn with_source(&self, parameters: &Node) -> Node {
        let Syntax::Map(entries) = &parameters.kind else { return parameters.clone() };
        if entries.iter().any(|(key, _)| key.name == "from") {
            return parameters.clone();
        }
        let mut plain = Vec::new();
        for (key, value) in entries {
            if key.name == "column"
                && let Syntax::Text(text) = &value.kind
                && let Some((source, column)) = self.in_source(text)
            {
                let from = Key { name: "from".to_string(), ..key.clone() };
                let text = |text: &str| Node {
                    span: value.span,
                    kind: Syntax::Text(text.to_string()),
                };
                plain.push((from, text(source)));
                plain.push((key.clone(), text(column)));
            } else {
                plain.push((key.clone(), value.clone()));
            }
        }
        Node { span: parameters.span, kind: Syntax::Map(plain) }
    }

    /// `source.column`, where there is such a source.
    pub fn in_source<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let (source, column) = text.split_once('.')?;
        let known = self.sources.iter().any(|known| known == source);
        (known && !column.is_empty()).then_some((source, column))
    }

    pub fn agreement(&mut self, named: Named, node: &Node) -> Option<Agreement> {
        let fields = self.block(node, &keys::AGREEMENT)?;
        let tolerate = fields.get("tolerate").and_then(|n| self.count(n, "`tolerate`"));
        let within = fields.get("within");
        let two = "two are compared, neither fewer nor more";
        let facts = if let Some(list) = fields.get("facts") {
            if let Some(key) = fields.key("within") {
                let message = "derivations say yes or no: there is no `within`";
                self.error(Code::UNKNOWN_KEY, key.span, message);
            }
            match <[Use; 2]>::try_from(self.derivations(list, "`facts`")) {
                Ok(facts) => Facts::Derived(facts),
                Err(facts) => {
                    if !facts.is_empty() {
                        self.error(Code::OUT_OF_RANGE, list.span, two);
                    }
                    return None;
                }
            }
        } else {
            let list = fields.get("columns")?;
            let mut columns = Vec::new();
            for text in self.texts(list, "`columns`") {
                match text.name.split_once('.') {
                    Some((source, column)) if !column.is_empty() => {
                        let source = Named { name: source.to_string(), span: text.span };
                        columns.push((source, column.to_string()));
                    }
                    _ => {
                        let message = format!("`{}` is no `source.column`", text.name);
                        self.error(Code::UNKNOWN_NAME, text.span, message);
                        return None;
                    }
                }
            }
            let Ok(columns) = <[(Named, String); 2]>::try_from(columns) else {
                self.error(Code::OUT_OF_RANGE, list.span, two);
                return None;
            };
            let within = within.and_then(|node| self.number(node, "`within`"));
            Facts::Columns { columns, within: within.unwrap_or(0.0) }
        };
        Some(Agreement {
            name: named.name,
            span: named.span,
            facts,
            tolerate: tolerate.unwrap_or(0) as usize,
        })
    }

    pub fn predictor(&mut self, named: Named, node: &Node) -> Option<Block> {
        let fields = self.block(node, &keys::PREDICTOR)?;
        let mut steps = Vec::new();
        if let Some(node) = fields.get("steps") {
            for item in self.list(node, "`steps`") {
                let used = self.operation(item, Kind::TableStep, Grids::Refused);
                steps.extend(used.into_iter().flatten().map(|(used, _)| used));
            }
        }
        let mut known = None;
        let kind = if let Some(node) = fields.get("columns") {
            let fields = self.block(node, &keys::COLUMNS)?;
            let mut patterns = |name: &str| match fields.get(name) {
                Some(node) => self.texts(node, &format!("`{name}`")),
                None => Vec::new(),
            };
            let (include, except) = (patterns("include"), patterns("except"));
            let from = self.text_or_texts(fields.get("from")?, "`from`");
            known = self.known_when(&fields);
            (!from.is_empty()).then_some(BlockKind::Columns { from, include, except })?
        } else if let Some(node) = fields.get("clinical") {
            let fields = self.block(node, &keys::CLINICAL)?;
            known = self.known_when(&fields);
            let from = self.text(fields.get("from")?, "`from`")?;
            let include = self.texts(fields.get("columns")?, "`columns`");
            BlockKind::Columns { from: vec![from], include, except: Vec::new() }
        } else {
            let fields = self.block(fields.get("images")?, &keys::MEASURED)?;
            let mut labels = Vec::new();
            if let Some(node) = fields.get("labels") {
                for item in self.list(node, "`labels`") {
                    let Some(label) = self.count(item, "a label") else { continue };
                    match u16::try_from(label) {
                        Ok(label) if label > 0 => labels.push(label),
                        _ => {
                            let message = "a label is a whole number from 1 to 65535";
                            self.error(Code::OUT_OF_RANGE, item.span, message);
                        }
                    }
                }
            }
            let mut features: Vec<Use> = Vec::new();
            for item in self.list(fields.get("features")?, "`features`") {
                let used = self.operation(item, Kind::FeatureFamily, Grids::Refused);
                for (used, _) in used.into_iter().flatten() {
                    if features.iter().any(|known| known.about.name == used.about.name) {
                        let message = format!("`{}` is measured twice", used.about.name);
                        self.error(Code::DUPLICATE_KEY, used.span, message);
                    } else {
                        features.push(used);
                    }
                }
            }
            let from = self.text(fields.get("from")?, "`from`")?;
            BlockKind::Images { from, labels, features }
        };
        let clinical = fields.get("clinical").is_some();
        Some(Block { name: named.name, span: named.span, kind, known, clinical, steps })
    }

    fn known_when(&mut self, fields: &Fields<'_>) -> Option<String> {
        fields.get("known").and_then(|node| self.word(node, "`known`", keys::KNOWN))
    }
}
