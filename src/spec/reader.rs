//! Reads nodes against the keys of the language and collects everything that is wrong.

use super::keys::Block;
use super::syntax::{Key, Kind, Node};
use super::{Named, Source};
use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic, Place, Span};

/// The text, the catalogue, and what was found wrong so far.
pub struct Reader<'a> {
    pub text: &'a str,
    pub catalog: &'a Catalog,
    pub faults: Vec<Diagnostic>,
    /// Names of the sources, known before anything that refers to them is read.
    pub sources: Vec<String>,
    /// The study's seed, known before anything is drawn.
    pub seed: u64,
    /// Sources that other parts of the study bring with them.
    pub implied: Vec<Source>,
}

/// The entries of a map, each key once.
pub struct Fields<'n> {
    pub span: Span,
    entries: Vec<(&'n Key, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a key, if the author wrote it.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| *node)
    }

    /// The key as it was written, with its place.
    pub fn key(&self, name: &str) -> Option<&'n Key> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(key, _)| *key)
    }

    /// All entries in written order.
    pub fn iter(&self) -> impl Iterator<Item = (&'n Key, &'n Node)> {
        self.entries.iter().copied()
    }
}

impl<'a> Reader<'a> {
    /// `text`: the study as it was written.
    pub fn new(text: &'a str, catalog: &'a Catalog) -> Self {
        let (faults, sources, implied) = (Vec::new(), Vec::new(), Vec::new());
        Self { text, catalog, faults, sources, seed: 0, implied }
    }

    /// Remembers an error at a place of the study; hints and labels can be added to what it gives.
    pub fn error(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Diagnostic::error(code, Place::Study(span), message))
    }

    /// Remembers a fault.
    pub fn push(&mut self, fault: Diagnostic) -> &mut Diagnostic {
        self.faults.push(fault);
        self.faults.last_mut().expect("one was just added")
    }

    /// The entries of a map with names of the author's choice.
    pub fn named<'n>(&mut self, node: &'n Node, what: &str) -> Option<Fields<'n>> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong_type(node, &format!("{what} must be a map"));
            return None;
        };
        let mut fields: Vec<(&Key, &Node)> = Vec::new();
        for (key, value) in entries {
            if !key.is_text {
                let written = self.written(key.span);
                let message = "a key is text, and this is none";
                let fault =
                    Diagnostic::error(Code::TEXT_NEEDED, Place::Study(key.span), message);
                self.push(fault.label(format!("did you mean '{written}'?")));
            } else if key.name.trim().is_empty() {
                self.error(Code::WRONG_TYPE, key.span, "a key must be text");
            } else if fields.iter().any(|(known, _)| known.name == key.name) {
                self.error(
                    Code::DUPLICATE_KEY,
                    key.span,
                    format!("`{}` is given twice", key.name),
                );
            } else {
                fields.push((key, value));
            }
        }
        Some(Fields { span: node.span, entries: fields })
    }

    /// The entries of a block of the language; unknown and missing keys are named.
    pub fn block<'n>(&mut self, node: &'n Node, block: &Block) -> Option<Fields<'n>> {
        self.block_with(node, block, &[])
    }

    /// The same where the keys of an operation's parameters stand beside the block's own.
    pub fn block_with<'n>(
        &mut self,
        node: &'n Node,
        block: &Block,
        more: &[&str],
    ) -> Option<Fields<'n>> {
        let fields = self.named(node, block.noun)?;
        let mut known: Vec<&str> = block.keys.iter().map(|key| key.name).collect();
        known.extend(more);
        let catalog = self.catalog;
        if let Some(kind) = block.operation {
            known.extend(catalog.of_kind(kind).map(|entry| entry.about.name));
        }
        for (key, _) in fields.iter() {
            if known.contains(&key.name.as_str()) {
                continue;
            }
            match (block.operation, catalog.get(&key.name)) {
                (Some(kind), Some(entry)) => {
                    let message = format!(
                        "`{}` is a {}, and a {} belongs here",
                        key.name,
                        entry.kind.noun(),
                        kind.noun()
                    );
                    self.error(Code::WRONG_KIND, key.span, message);
                }
                _ => {
                    let fault = Diagnostic::error(
                        Code::UNKNOWN_KEY,
                        Place::Study(key.span),
                        format!("{} has no key `{}`", block.noun, key.name),
                    )
                    .suggest(&key.name, known.iter().copied())
                    .hint(format!("expected one of: {}", known.join(", ")));
                    self.push(fault);
                }
            }
        }
        for key in block.keys.iter().filter(|key| key.required) {
            if fields.get(key.name).is_none() {
                let fault = Diagnostic::error(
                    Code::MISSING_KEY,
                    Place::Study(first_line(fields.span, self.text)),
                    format!("{} needs `{}`", block.noun, key.name),
                )
                .hint(key.doc);
                self.push(fault);
            }
        }
        if !block.one_of.is_empty() {
            let given: Vec<&Key> =
                block.one_of.iter().filter_map(|name| fields.key(name)).collect();
            let choices = block.one_of.join("`, `");
            match given.as_slice() {
                [] => {
                    let place = first_line(fields.span, self.text);
                    let message = format!("{} needs one of `{choices}`", block.noun);
                    self.error(Code::MISSING_KEY, place, message);
                }
                [_] => {}
                [_, others @ ..] => {
                    for key in others {
                        let message =
                            format!("{} has only one of `{choices}`", block.noun);
                        self.error(Code::UNKNOWN_KEY, key.span, message);
                    }
                }
            }
        }
        Some(fields)
    }

    /// Says what was needed instead of this value.
    pub fn wrong_type(&mut self, node: &Node, needed: &str) {
        let message = format!("{needed}, and this is {}", node.kind.noun());
        self.error(Code::WRONG_TYPE, node.span, message);
    }

    /// Text; a number or truth value is most often text whose quotes were forgotten.
    pub fn text(&mut self, node: &Node, what: &str) -> Option<Named> {
        match &node.kind {
            Kind::Text(text) if text.trim().is_empty() => {
                self.error(Code::WRONG_TYPE, node.span, format!("{what} is empty"));
                None
            }
            // Other programs read an unquoted NO as false: nobody can tell what was meant.
            Kind::Text(text)
                if !(is_doubtful(text) && self.written(node.span) == *text) =>
            {
                Some(Named { name: text.clone(), span: node.span })
            }
            Kind::Number(_) | Kind::Bool(_) | Kind::Text(_) => {
                let written = self.written(node.span);
                let noun = match &node.kind {
                    Kind::Text(_) => Kind::Bool(true).noun(),
                    kind => kind.noun(),
                };
                let message = format!("{what} is text, and this is {noun}");
                let fault = Diagnostic::error(
                    Code::TEXT_NEEDED,
                    Place::Study(node.span),
                    message,
                );
                self.push(fault.label(format!("did you mean '{written}'?")));
                None
            }
            _ => {
                self.wrong_type(node, &format!("{what} is text"));
                None
            }
        }
    }

    /// What the author wrote there.
    pub fn written(&self, span: Span) -> String {
        self.text.get(span.start..span.end).unwrap_or("").trim().to_string()
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<Named> {
        self.list(node, what).iter().filter_map(|item| self.text(item, what)).collect()
    }

    /// A text, or a list of them.
    pub fn text_or_texts(&mut self, node: &Node, what: &str) -> Vec<Named> {
        match &node.kind {
            Kind::List(_) => self.texts(node, what),
            _ => self.text(node, what).into_iter().collect(),
        }
    }

    /// `true` or `false`.
    pub fn truth(&mut self, node: &Node, what: &str) -> Option<bool> {
        match &node.kind {
            Kind::Bool(value) => Some(*value),
            _ => {
                self.wrong_type(node, &format!("{what} is true or false"));
                None
            }
        }
    }

    /// A number, whole or not.
    pub fn number(&mut self, node: &Node, what: &str) -> Option<f64> {
        match &node.kind {
            Kind::Number(number) => number.as_f64(),
            _ => {
                self.wrong_type(node, &format!("{what} is a number"));
                None
            }
        }
    }

    /// The items of a list that is not empty.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.kind {
            Kind::List(items) if items.is_empty() => {
                self.error(
                    Code::WRONG_TYPE,
                    node.span,
                    format!("{what} is an empty list"),
                );
                &[]
            }
            Kind::List(items) => items,
            _ => {
                self.wrong_type(node, &format!("{what} is a list"));
                &[]
            }
        }
    }

    /// A whole number that is not negative.
    pub fn count(&mut self, node: &Node, what: &str) -> Option<u64> {
        match &node.kind {
            Kind::Number(number) if number.is_u64() => number.as_u64(),
            Kind::Number(_) => {
                let message = format!("{what} is a whole number from 0");
                self.error(Code::OUT_OF_RANGE, node.span, message);
                None
            }
            _ => {
                self.wrong_type(node, &format!("{what} is a whole number"));
                None
            }
        }
    }

    /// Whether `name` is among `known`; if not, says so.
    pub fn known<'k>(
        &mut self,
        name: &Named,
        what: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> bool {
        if known.clone().any(|known| known == name.name) {
            return true;
        }
        let list: Vec<&str> = known.clone().collect();
        let fault = Diagnostic::error(
            Code::UNKNOWN_NAME,
            Place::Study(name.span),
            format!("there is no {what} `{}`", name.name),
        )
        .suggest(&name.name, known)
        .hint(match list.is_empty() {
            true => format!("the study has no {what}"),
            false => format!("there is: {}", list.join(", ")),
        });
        self.push(fault);
        false
    }
}

/// Words that YAML 1.1 reads as truth values.
fn is_doubtful(text: &str) -> bool {
    ["yes", "no", "on", "off"].contains(&text.to_lowercase().as_str())
}

/// The first line of a place: enough to see which map is meant.
fn first_line(span: Span, text: &str) -> Span {
    let end = text.get(span.start..).and_then(|rest| rest.find('\n'));
    Span {
        start: span.start,
        end: end.map_or(span.end, |at| span.end.min(span.start + at)),
    }
}
