//! The tree → a typed study, with every fault of the text named at once.
//!
//! What is unsound is left out, not repaired, so that later stages can look at the rest.

mod cohorts;
mod evaluate;
mod predictors;
mod procedure;
mod references;
mod reporting;
mod sources;

use super::keys;
use super::parameters::Grids;
use super::reader::{Fields, Reader};
use super::syntax::{Kind as Syntax, Node, parse};
use super::{Governance, Named, Outcome, Source, Study, Use};
use crate::catalog::Catalog;
use crate::data::Stated;
use crate::diagnostics::{Code, Diagnostic, Place, Span, sort};
use crate::operation::Kind;

/// Files are called by up to four names and some words of ours, and file systems take 255 bytes.
const LONGEST_NAME: usize = 50;

/// What a text gives.
pub struct Parsed {
    /// There whenever enough is sound for its data to be looked at.
    pub study: Option<Study>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a study.
pub fn read(text: &str, catalog: &Catalog) -> Parsed {
    // A mark that some editors put first is no text.
    let (text, offset) = match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, '\u{feff}'.len_utf8()),
        None => (text, 0),
    };
    let mut reader = Reader::new(text, catalog);
    let study = match parse(text) {
        Ok(node) => reader.study(&node),
        Err(fault) => {
            reader.push(*fault);
            None
        }
    };
    let mut diagnostics = reader.faults;
    for fault in &mut diagnostics {
        if let Place::Study(span) = &mut fault.place {
            span.start += offset;
            span.end += offset;
        }
    }
    sort(&mut diagnostics);
    Parsed { study, diagnostics }
}

impl Reader<'_> {
    fn study(&mut self, node: &Node) -> Option<Study> {
        let fields = self.block(node, &keys::STUDY)?;
        if let Some(version) = fields.get("restudy")
            && version.kind != Syntax::Number(1.into())
        {
            let fault = Diagnostic::error(
                Code::VERSION,
                Place::Study(version.span),
                "this version of the language is not known",
            );
            self.push(fault.hint("write `restudy: 1`"));
        }
        if let Some(Node { kind: Syntax::Map(entries), .. }) = fields.get("sources") {
            self.sources = entries.iter().map(|(key, _)| key.name.clone()).collect();
        }
        let title = self.prose(&fields, "title").unwrap_or_default();
        let cancer = self.prose(&fields, "cancer").unwrap_or_default();
        let seed =
            fields.get("seed").and_then(|node| self.count(node, "`seed`")).unwrap_or(0);
        self.seed = seed;
        let mut sources: Vec<Source> = self.each(&fields, "sources", Self::source);
        let derive = self.each(&fields, "derive", Self::derived);
        let cohorts = self.cohorts(&fields);
        let agree = self.each(&fields, "agree", Self::agreement);
        let mut outcomes: Vec<Outcome> = self.each(&fields, "outcomes", Self::outcome);
        for (position, outcome) in outcomes.iter_mut().enumerate() {
            if position > 0 && outcome.role == super::Role::Primary {
                let written = fields.get("outcomes").and_then(|node| match &node.kind {
                    Syntax::Map(entries) => {
                        entries.iter().find(|(key, _)| key.name == outcome.name)
                    }
                    _ => None,
                });
                let said = written.is_some_and(|(_, node)| match &node.kind {
                    Syntax::Map(entries) => {
                        entries.iter().any(|(key, _)| key.name == "role")
                    }
                    _ => false,
                });
                // Only the first is primary unless another is said to be.
                if !said {
                    outcome.role = super::Role::Sensitivity;
                }
            }
        }
        let mut predictors = self.each(&fields, "predictors", Self::predictor);
        let evaluate = self.evaluate(fields.get("evaluate"), fields.span);
        let learn = self.alternatives(&fields, "learn", Kind::Learner);
        let mut models = self.models(&fields, &predictors);
        let (validate, external) = self.schemes(&fields);
        sources.append(&mut self.implied);
        let (evaluate, controls) = evaluate?;
        for (block, model) in controls {
            let taken = |name: &str| models.iter().any(|m: &super::Model| m.name == name);
            if taken(&model.name) || predictors.iter().any(|b| b.name == block.name) {
                let message =
                    format!("there is a model or a block `{}` already", model.name);
                self.error(Code::DUPLICATE_KEY, model.span, message);
                continue;
            }
            predictors.push(block);
            models.push(model);
        }
        let primary_model = fields
            .get("primary_model")
            .and_then(|node| self.text(node, "`primary_model`"));
        let governance = self.governance(&fields);
        let cohorts_named = self.keys_of(&fields, "cohorts");
        let mut reporting = self.reporting(fields.get("reporting"), &cohorts_named);
        let deviations = reporting::deviations(&reporting);
        for (field, said) in [
            ("ethics.committee", &governance.ethics),
            ("ethics.consent", &governance.consent),
        ] {
            if let (Some(text), None) = (said, reporting.at(field)) {
                reporting.fields.insert(field.to_string(), Stated::Text(text.clone()));
            }
        }
        let mut study = Study {
            title,
            cancer,
            seed,
            sources,
            derive,
            cohorts,
            agree,
            outcomes,
            predictors,
            models,
            primary_model,
            freezes: fields.get("frozen").is_none(),
            learn,
            null_model: self.null_model(),
            validate,
            external,
            evaluate,
            governance,
            deviations,
            reporting,
        };
        self.references(&mut study);
        if let Some(word) = fields.get("frozen") {
            let known = self.word(word, "`frozen`", &["none"]).is_some();
            if known && !study.external.is_empty() {
                let message = "nothing is frozen, so no external cohort can be judged";
                self.error(Code::NEEDS_STEP, word.span, message);
            }
        }
        Some(study)
    }

    /// The learner that needs no column, with its defaults.
    fn null_model(&self) -> Use {
        let naive = self.catalog.get("naive").expect("the catalogue has the null model");
        let parameters = serde_json::Map::new();
        Use::new(naive, &parameters, Span::default())
            .expect("defaults fit their operation")
    }

    fn governance(&mut self, fields: &Fields<'_>) -> Governance {
        let Some(node) = fields.get("governance") else { return Governance::default() };
        let Some(fields) = self.block(node, &keys::GOVERNANCE) else {
            return Governance::default();
        };
        let public = fields.get("public").and_then(|node| self.truth(node, "`public`"));
        let smallest_cell = fields.get("smallest_cell").and_then(|node| {
            let smallest = self.count(node, "`smallest_cell`")?;
            if smallest < 2 {
                let message =
                    "`smallest_cell` is 2 at least: a patient alone is always hidden";
                self.error(Code::OUT_OF_RANGE, node.span, message);
                return None;
            }
            Some(smallest as usize)
        });
        let terms = self.prose(&fields, "terms");
        let (ethics, consent) =
            (self.prose(&fields, "ethics"), self.prose(&fields, "consent"));
        Governance {
            public: public.unwrap_or(false),
            smallest_cell,
            terms,
            ethics,
            consent,
        }
    }

    /// A text under a key, if there is one.
    fn prose(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        let node = fields.get(name)?;
        self.text(node, &format!("`{name}`")).map(|text| text.name)
    }

    /// Every entry of a map of things that the author names.
    fn each<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        read: fn(&mut Self, Named, &Node) -> Option<T>,
    ) -> Vec<T> {
        let mut things = Vec::new();
        for (named, value) in self.entries(fields, name) {
            if self.is_a_name(&named) {
                things.extend(read(self, named, value));
            }
        }
        things
    }

    /// Every entry of a map under a key, whatever the entries are called.
    fn entries<'n>(&mut self, fields: &Fields<'n>, name: &str) -> Vec<(Named, &'n Node)> {
        let Some(node) = fields.get(name) else { return Vec::new() };
        let Some(entries) = self.named(node, &format!("`{name}`")) else {
            return Vec::new();
        };
        if entries.iter().next().is_none() {
            self.error(Code::MISSING_KEY, node.span, format!("`{name}` is empty"));
        }
        let named = |key: &crate::spec::syntax::Key| Named {
            name: key.name.clone(),
            span: key.span,
        };
        entries.iter().map(|(key, value)| (named(key), value)).collect()
    }

    /// Names are parts of node names, patterns and file names.
    fn is_a_name(&mut self, named: &Named) -> bool {
        let fits =
            named.name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !fits {
            let message = format!(
                "the name `{}` may hold letters, digits, `_` and `-` only",
                named.name
            );
            self.error(Code::WRONG_TYPE, named.span, message);
        }
        let n = named.name.len();
        if n > LONGEST_NAME {
            let start: String = named.name.chars().take(20).collect();
            let message = format!(
                "the name `{start}…` has {n} bytes, and files are called by it: {LONGEST_NAME} at most"
            );
            self.error(Code::OUT_OF_RANGE, named.span, message);
        }
        fits && n <= LONGEST_NAME
    }

    pub fn word(&mut self, node: &Node, what: &str, words: &[&str]) -> Option<String> {
        let text = self.text(node, what)?;
        if words.contains(&text.name.as_str()) {
            return Some(text.name);
        }
        let fault = Diagnostic::error(
            Code::OUT_OF_RANGE,
            Place::Study(text.span),
            format!("{what} cannot be `{}`", text.name),
        )
        .suggest(&text.name, words.iter().copied())
        .hint(format!("expected one of: {}", words.join(", ")));
        self.push(fault);
        None
    }

    /// The one operation of a block that has one among its keys.
    fn one_operation(
        &mut self,
        fields: &Fields<'_>,
        what: &keys::Block,
        kind: Kind,
    ) -> Option<Use> {
        let own: Vec<&str> = what.keys.iter().map(|key| key.name).collect();
        let named: Vec<_> = fields
            .iter()
            .filter(|(key, _)| !own.contains(&key.name.as_str()))
            .filter(|(key, _)| {
                self.catalog.get(&key.name).is_some_and(|e| e.kind == kind)
            })
            .collect();
        match named.as_slice() {
            [] => {
                // When another key was not understood, that is the fault to mend.
                let understood =
                    fields.iter().all(|(key, _)| own.contains(&key.name.as_str()));
                if understood {
                    let known: Vec<&str> = self
                        .catalog
                        .of_kind(kind)
                        .map(|entry| entry.about.name)
                        .collect();
                    let fault = Diagnostic::error(
                        Code::MISSING_KEY,
                        Place::Study(fields.span),
                        format!("{} needs a {}", what.noun, kind.noun()),
                    );
                    self.push(fault.hint(format!("there is: {}", known.join(", "))));
                }
                None
            }
            [(key, value)] => {
                let name = Named { name: key.name.clone(), span: key.span };
                let plain;
                let value = match kind {
                    Kind::Derivation => {
                        plain = self.with_source(value);
                        &plain
                    }
                    _ => *value,
                };
                let used =
                    self.operation_named(&name, Some(value), kind, Grids::Refused)?;
                used.into_iter().next().map(|(used, _)| used)
            }
            [_, others @ ..] => {
                for (key, _) in others {
                    let message = format!("{} has one {} only", what.noun, kind.noun());
                    self.error(Code::UNKNOWN_KEY, key.span, message);
                }
                None
            }
        }
    }
}
