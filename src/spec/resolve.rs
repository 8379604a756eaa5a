//! The tree → a typed study, with every fault of the text named at once.
//!
//! What is unsound is left out, not repaired, so that later stages can look at the rest.

use std::path::PathBuf;

use super::keys;
use super::parameters::Grids;
use super::reader::{Fields, Reader};
use super::syntax::{Kind as Syntax, Node, parse};
use super::{
    Block, BlockKind, Chain, ChainSetting, Cohort, Evaluate, ImageOrigin, Join,
    LearnedFrom, Model, Named, Origin, Outcome, Scheme, Source, SourceKind, Study,
    ThresholdRule, Use,
};
use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic, Place, Span, sort};
use crate::digest::Digest;
use crate::operation::{Instance, Kind, Problems, RoiType};
use crate::units::Unit;

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
    let mut reader = Reader { text, catalog, faults: Vec::new() };
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
        let prose = |reader: &mut Self, name: &str| {
            let node = fields.get(name)?;
            reader.text(node, &format!("`{name}`")).map(|text| text.name)
        };
        let title = prose(self, "title").unwrap_or_default();
        let cancer = prose(self, "cancer").unwrap_or_default();
        let seed =
            fields.get("seed").and_then(|node| self.count(node, "`seed`")).unwrap_or(0);
        let sources = self.each(&fields, "sources", Self::source);
        let cohorts = self.each(&fields, "cohorts", Self::cohort);
        let outcomes = self.each(&fields, "outcomes", Self::outcome);
        let predictors = self.each(&fields, "predictors", Self::predictor);
        let models = self.models(&fields, &predictors);
        let prepare = self.prepare(&fields);
        let select = self.alternatives(&fields, "select", Kind::TableStep);
        let select = match fields.get("select") {
            Some(_) => select,
            None => vec![everything(fields.span)],
        };
        let learn = self.alternatives(&fields, "learn", Kind::Learner);
        let validate = self.each(&fields, "validate", Self::scheme);
        let evaluate = self.evaluate(fields.get("evaluate"), fields.span)?;
        let mut study = Study {
            title,
            cancer,
            seed,
            sources,
            cohorts,
            outcomes,
            predictors,
            models,
            prepare,
            select,
            learn,
            validate,
            evaluate,
        };
        self.references(&mut study);
        Some(study)
    }

    /// Every entry of a map of named things.
    fn each<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        read: fn(&mut Self, Named, &Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = fields.get(name) else { return Vec::new() };
        let Some(entries) = self.named(node, &format!("`{name}`")) else {
            return Vec::new();
        };
        if entries.iter().next().is_none() {
            self.error(Code::MISSING_KEY, node.span, format!("`{name}` is empty"));
        }
        let mut things = Vec::new();
        for (key, value) in entries.iter() {
            // Names are parts of node names, patterns and file names.
            if key.name.chars().any(|c| !c.is_alphanumeric() && c != '_' && c != '-') {
                let message = format!(
                    "the name `{}` may hold letters, digits, `_` and `-` only",
                    key.name
                );
                self.error(Code::WRONG_TYPE, key.span, message);
                continue;
            }
            let named = Named { name: key.name.clone(), span: key.span };
            things.extend(read(self, named, value));
        }
        things
    }

    fn source(&mut self, named: Named, node: &Node) -> Option<Source> {
        let fields = self.block(node, &keys::SOURCE)?;
        let licence = fields
            .get("licence")
            .and_then(|n| self.text(n, "`licence`"))
            .map(|text| text.name);
        let allowed: (&str, &[&str]) = if fields.get("table").is_some() {
            ("a table", &["id", "digest", "read"])
        } else if fields.get("maf").is_some() {
            ("a MAF", &["id", "digest", "read", "assayed"])
        } else if fields.get("images").is_some() {
            ("an image set", &["unit", "read"])
        } else {
            ("a simulated source", &[])
        };
        for (key, _) in fields.iter() {
            let of_kind =
                ["id", "digest", "read", "assayed", "unit"].contains(&key.name.as_str());
            if of_kind && !allowed.1.contains(&key.name.as_str()) {
                let message = format!("{} has no key `{}`", allowed.0, key.name);
                self.error(Code::UNKNOWN_KEY, key.span, message);
            }
        }
        let kind = if let Some(at) = fields.get("table") {
            let from = self.origin(at, fields.get("digest"));
            let reader = self.file_reader(&fields, "csv", at.span);
            let id = self.id(&fields);
            SourceKind::Table { from: from?, reader: reader?, id: id? }
        } else if let Some(at) = fields.get("maf") {
            let from = self.origin(at, fields.get("digest"));
            let reader = self.file_reader(&fields, "maf", at.span);
            let id = self.id(&fields);
            let assayed = match fields.get("assayed") {
                Some(node) => self
                    .block(node, &keys::ASSAYED)
                    .and_then(|of| of.get("from"))
                    .and_then(|from| self.text(from, "`from`")),
                None => {
                    let fault = Diagnostic::error(
                        Code::NOT_ASSAYED,
                        Place::Study(named.span),
                        format!("nobody says who was sequenced in `{}`", named.name),
                    );
                    let hint = "add `assayed: { from: SOURCE }`; `from` may be this source \
                                itself when everybody sequenced has a row";
                    self.push(fault.hint(hint));
                    None
                }
            };
            SourceKind::Maf { from: from?, reader: reader?, id: id?, assayed }
        } else if let Some(at) = fields.get("images") {
            let from = self.image_origin(at);
            let reader = self.file_reader(&fields, "nifti", at.span);
            let unit = match fields.get("unit") {
                Some(node) => self.unit(node),
                None => Some(Unit::Arbitrary),
            };
            SourceKind::Images { from: from?, reader: reader?, unit: unit? }
        } else {
            let at = fields.get("simulate")?;
            let name = Named {
                name: "simulate".to_string(),
                span: fields.key("simulate")?.span,
            };
            let made =
                self.operation_named(&name, Some(at), Kind::Generator, Grids::Refused)?;
            let (generator, _) = made.into_iter().next()?;
            SourceKind::Simulate { generator }
        };
        Some(Source { name: named.name, span: named.span, kind, licence })
    }

    fn id(&mut self, fields: &Fields<'_>) -> Option<Named> {
        match fields.get("id") {
            Some(node) => self.text(node, "`id`"),
            None => {
                let message = "a table needs `id`, the column that names the patient";
                self.error(Code::MISSING_KEY, fields.span, message);
                None
            }
        }
    }

    fn unit(&mut self, node: &Node) -> Option<Unit> {
        let text = self.text(node, "`unit`")?;
        let unit = serde_json::from_value(text.name.clone().into()).ok();
        if unit.is_none() {
            let known = keys::units();
            let fault = Diagnostic::error(
                Code::OUT_OF_RANGE,
                Place::Study(text.span),
                format!("there is no unit `{}`", text.name),
            )
            .suggest(&text.name, known.iter().map(String::as_str))
            .hint(format!("expected one of: {}", known.join(", ")));
            self.push(fault);
        }
        unit
    }

    /// `read:`, or the reader that such a source has by default.
    fn file_reader(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        span: Span,
    ) -> Option<Use> {
        let read = match fields.get("read") {
            Some(node) => self.operation(node, Kind::Reader, Grids::Refused),
            None => {
                let name = Named { name: name.to_string(), span };
                self.operation_named(&name, None, Kind::Reader, Grids::Refused)
            }
        };
        read?.into_iter().next().map(|(used, _)| used)
    }

    fn origin(&mut self, node: &Node, digest: Option<&Node>) -> Option<Origin> {
        let (file, digest) = match &node.kind {
            Syntax::Map(_) => {
                let fields = self.block(node, &keys::FILE)?;
                if let Some(of) = fields.get("of") {
                    let source = self.text(of, "`of`")?;
                    return Some(Origin::Simulated { source });
                }
                (
                    self.text(fields.get("file")?, "`file`")?,
                    fields.get("digest").or(digest),
                )
            }
            _ => (self.text(node, "a path")?, digest),
        };
        let digest = match digest {
            None => None,
            Some(node) => {
                let text = self.text(node, "`digest`")?;
                match text.name.parse::<Digest>() {
                    Ok(digest) => Some(digest),
                    Err(error) => {
                        self.error(Code::WRONG_TYPE, text.span, error.to_string());
                        return None;
                    }
                }
            }
        };
        Some(Origin::File { path: PathBuf::from(file.name), digest, span: file.span })
    }

    fn image_origin(&mut self, node: &Node) -> Option<ImageOrigin> {
        let fields = self.block(node, &keys::IMAGES)?;
        if let Some(of) = fields.get("of") {
            let source = self.text(of, "`of`")?;
            return Some(ImageOrigin::Simulated { source });
        }
        let root = self.text(fields.get("root")?, "`root`");
        let mut pattern = |name: &str| {
            let Some(node) = fields.get(name) else {
                let message = format!("an image set needs `{name}`");
                self.error(Code::MISSING_KEY, fields.span, message);
                return None;
            };
            let text = self.text(node, &format!("`{name}`"))?;
            if !text.name.contains("{id}") {
                let message = format!(
                    "`{name}` holds no `{{id}}`, so it is the same for everybody"
                );
                self.error(Code::WRONG_TYPE, text.span, message);
                return None;
            }
            Some(text.name)
        };
        let (path, mask) = (pattern("path"), pattern("mask"));
        let root = root?;
        Some(ImageOrigin::Files {
            root: PathBuf::from(&root.name),
            path: path?,
            mask: mask?,
            span: root.span,
        })
    }

    fn cohort(&mut self, named: Named, node: &Node) -> Option<Cohort> {
        let fields = self.block(node, &keys::COHORT)?;
        let mut join = Vec::new();
        if let Some(node) = fields.get("join")
            && let Some(entries) = self.named(node, "`join`")
        {
            for (key, value) in entries.iter() {
                let Some(word) = self.word(value, "a join", &["required", "optional"])
                else {
                    continue;
                };
                let source = Named { name: key.name.clone(), span: key.span };
                join.push(Join { source, required: word == "required" });
            }
        }
        let subject = fields.get("subject").and_then(|node| self.text(node, "`subject`"));
        let failed_at_most = match fields.get("failed_at_most") {
            Some(node) => self.count(node, "`failed_at_most`").unwrap_or(0) as usize,
            None => 0,
        };
        let from = self.text(fields.get("from")?, "`from`")?;
        Some(Cohort {
            name: named.name,
            span: named.span,
            from,
            join,
            subject,
            failed_at_most,
        })
    }

    fn word(&mut self, node: &Node, what: &str, words: &[&str]) -> Option<String> {
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

    fn outcome(&mut self, named: Named, node: &Node) -> Option<Outcome> {
        let fields = self.block(node, &keys::OUTCOME)?;
        let derivation = self.one_operation(&fields, &keys::OUTCOME, Kind::Derivation);
        let label = self.text(fields.get("label")?, "`label`")?;
        let (name, span) = (named.name, named.span);
        Some(Outcome { name, span, label: label.name, derivation: derivation? })
    }

    fn predictor(&mut self, named: Named, node: &Node) -> Option<Block> {
        let fields = self.block(node, &keys::PREDICTOR)?;
        let mut steps = Vec::new();
        if let Some(node) = fields.get("steps") {
            for item in self.list(node, "`steps`") {
                let used = self.operation(item, Kind::TableStep, Grids::Refused);
                steps.extend(used.into_iter().flatten().map(|(used, _)| used));
            }
        }
        let kind = if let Some(node) = fields.get("columns") {
            let fields = self.block(node, &keys::COLUMNS)?;
            let mut patterns = |name: &str| match fields.get(name) {
                Some(node) => self.texts(node, &format!("`{name}`")),
                None => Vec::new(),
            };
            let (include, except) = (patterns("include"), patterns("except"));
            let from = self.text(fields.get("from")?, "`from`")?;
            BlockKind::Columns { from, include, except }
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
        Some(Block { name: named.name, span: named.span, kind, steps })
    }

    fn models(&mut self, fields: &Fields<'_>, predictors: &[Block]) -> Vec<Model> {
        let Some(node) = fields.get("models") else {
            let blocks = predictors.iter();
            let blocks =
                blocks.map(|block| Named { name: block.name.clone(), span: block.span });
            let blocks: Vec<Named> = blocks.collect();
            return match blocks.is_empty() {
                true => Vec::new(),
                false => {
                    vec![Model { name: "all".to_string(), span: fields.span, blocks }]
                }
            };
        };
        let mut models: Vec<Model> = Vec::new();
        for (name, blocks) in self.each(fields, "models", |reader, named, node| {
            Some((named, reader.texts(node, "a model")))
        }) {
            let names: Vec<&String> = blocks.iter().map(|block| &block.name).collect();
            let same = |model: &&Model| {
                model.blocks.iter().map(|block| &block.name).eq(names.iter().copied())
            };
            if let Some(known) = models.iter().find(same) {
                let message = format!(
                    "models `{}` and `{}` have the same blocks",
                    known.name, name.name
                );
                self.error(Code::DUPLICATE_KEY, name.span, message);
            }
            for (position, block) in blocks.iter().enumerate() {
                if blocks[..position].iter().any(|known| known.name == block.name) {
                    let message =
                        format!("block `{}` stands twice in this model", block.name);
                    self.error(Code::DUPLICATE_KEY, block.span, message);
                }
            }
            if !blocks.is_empty() {
                models.push(Model { name: name.name, span: name.span, blocks });
            }
        }
        if models.is_empty() && node.kind == Syntax::Null {
            self.wrong_type(node, "`models` is a map");
        }
        models
    }

    fn prepare(&mut self, fields: &Fields<'_>) -> Chain {
        let nothing = Chain { name: "prepare".to_string(), ..everything(fields.span) };
        let Some(node) = fields.get("prepare") else { return nothing };
        if node.kind == Syntax::List(Vec::new()) {
            return nothing;
        }
        let items = self.list(node, "`prepare`");
        match self.chain(items, Kind::TableStep, node.span) {
            Some(chain) => Chain { name: "prepare".to_string(), ..chain },
            None => nothing,
        }
    }

    fn alternatives(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        kind: Kind,
    ) -> Vec<Chain> {
        let Some(node) = fields.get(name) else { return Vec::new() };
        let mut chains: Vec<Chain> = Vec::new();
        for item in self.list(node, &format!("`{name}`")) {
            let chain = match &item.kind {
                Syntax::Text(text) if text == "all" && kind == Kind::TableStep => {
                    Some(everything(item.span))
                }
                Syntax::List(steps) if kind == Kind::TableStep => {
                    self.chain(steps, kind, item.span)
                }
                _ => self.chain(std::slice::from_ref(item), kind, item.span),
            };
            let Some(mut chain) = chain else { continue };
            // Two entries of one name are told apart by their order.
            let same = |known: &&Chain| {
                known.name == chain.name
                    || known.name.starts_with(&format!("{}.", chain.name))
            };
            let before = chains.iter().filter(same).count();
            if before > 0 {
                chain.name = format!("{}.{}", chain.name, before + 1);
            }
            chains.push(chain);
        }
        chains
    }

    fn scheme(&mut self, named: Named, node: &Node) -> Option<Scheme> {
        let fields = self.block(node, &keys::SCHEME)?;
        let resampling = self.one_operation(&fields, &keys::SCHEME, Kind::Resampling);
        // Filled in when all names are known.
        let nowhere = Named { name: String::new(), span: named.span };
        let cohort = match fields.get("cohort") {
            Some(node) => self.text(node, "`cohort`")?,
            None => nowhere,
        };
        let models = match fields.get("models") {
            Some(node) => self.texts(node, "`models`"),
            None => Vec::new(),
        };
        let (name, span) = (named.name, named.span);
        Some(Scheme { name, span, cohort, models, resampling: resampling? })
    }

    fn evaluate(&mut self, node: Option<&Node>, whole: Span) -> Option<Evaluate> {
        let fields = match node {
            Some(node) => self.block(node, &keys::EVALUATE),
            None => None,
        };
        let mut one = |name: &str, default: &str, kind: Kind| {
            let node = fields.as_ref().and_then(|fields| fields.get(name));
            let written = node.map(|node| self.operation(node, kind, Grids::Refused));
            // A fault in it is named already; the default stands in, so that the rest is looked at.
            let used = written.flatten().or_else(|| {
                let name = Named { name: default.to_string(), span: whole };
                self.operation_named(&name, None, kind, Grids::Refused)
            });
            used?.into_iter().next().map(|(used, _)| used)
        };
        let primary = one("primary", "auroc", Kind::Metric);
        let tuner = one("tune", "best_mean", Kind::Tuner);
        let mut also: Vec<Use> = Vec::new();
        if let Some(node) = fields.as_ref().and_then(|fields| fields.get("also")) {
            for item in self.list(node, "`also`") {
                let used = self.operation(item, Kind::Metric, Grids::Refused);
                for (used, _) in used.into_iter().flatten() {
                    let known = primary.iter().chain(&also);
                    if known.into_iter().any(|k| k.about.name == used.about.name) {
                        let message = format!("`{}` is measured twice", used.about.name);
                        self.error(Code::DUPLICATE_KEY, used.span, message);
                    } else {
                        also.push(used);
                    }
                }
            }
        }
        let threshold = fields
            .as_ref()
            .and_then(|fields| fields.get("threshold"))
            .and_then(|node| self.threshold(node));
        let evaluate = Evaluate { primary: primary?, also, tuner: tuner?, threshold };
        let declared =
            fields.as_ref().is_some_and(|fields| fields.get("threshold").is_some());
        self.metrics(&evaluate, declared);
        Some(evaluate)
    }

    fn metrics(&mut self, evaluate: &Evaluate, threshold_is_declared: bool) {
        let needs = |used: &Use| match &used.instance {
            Instance::Metric(metric) => metric.scale().needs_threshold,
            _ => false,
        };
        if needs(&evaluate.primary) {
            let fault = Diagnostic::error(
                Code::NEEDS_STEP,
                Place::Study(evaluate.primary.span),
                format!(
                    "`{}` needs decisions, and candidates are chosen before there is a threshold",
                    evaluate.primary.about.name
                ),
            );
            self.push(fault.hint("choose by a metric of the scores, such as `auroc`"));
        }
        for used in evaluate.also.iter().filter(|used| needs(used)) {
            if !threshold_is_declared {
                let fault = Diagnostic::error(
                    Code::NEEDS_STEP,
                    Place::Study(used.span),
                    format!(
                        "`{}` needs a threshold, and there is no default",
                        used.about.name
                    ),
                );
                let hint =
                    "add `threshold: { rule: youden, learned_from: inner_out_of_fold }`";
                self.push(fault.hint(hint));
            }
        }
    }

    fn threshold(&mut self, node: &Node) -> Option<ThresholdRule> {
        let Syntax::Map(entries) = &node.kind else {
            self.wrong_type(node, "`threshold` is a map");
            return None;
        };
        // The rule's own parameters stand beside the block's keys.
        let of_rule = entries.iter().find(|(key, _)| key.name == "rule");
        let rule = of_rule.and_then(|(_, node)| self.text(node, "`rule`"));
        let entry = rule.as_ref().and_then(|rule| self.entry(rule, Kind::Calibrator));
        let schema = entry.as_ref().map(|entry| (entry.schema)().to_value());
        let parameters = schema.as_ref().and_then(|schema| schema.get("properties"));
        let parameters: Vec<&str> = parameters
            .and_then(|properties| properties.as_object())
            .map_or(Vec::new(), |map| map.keys().map(String::as_str).collect());
        let fields = self.block_with(node, &keys::THRESHOLD, &parameters)?;
        let own = ["rule", "learned_from"];
        let written = Node {
            span: node.span,
            kind: Syntax::Map(
                entries
                    .iter()
                    .filter(|(key, _)| !own.contains(&key.name.as_str()))
                    .filter(|(key, _)| parameters.contains(&key.name.as_str()))
                    .cloned()
                    .collect(),
            ),
        };
        let learned_from = fields.get("learned_from").and_then(|node| {
            self.word(node, "`learned_from`", &["inner_out_of_fold", "held_out"])
        });
        let rule = rule?;
        let rule = self.operation_named(
            &Named { name: entry?.about.name.to_string(), span: rule.span },
            Some(&written),
            Kind::Calibrator,
            Grids::Refused,
        )?;
        let learned_from = match learned_from?.as_str() {
            "held_out" => LearnedFrom::HeldOut,
            _ => LearnedFrom::InnerOutOfFold,
        };
        let span = fields.key("learned_from")?.span;
        Some(ThresholdRule { rule: rule.into_iter().next()?.0, learned_from, span })
    }

    /// Names that stand for other parts of the study. What names nothing is left out.
    fn references(&mut self, study: &mut Study) {
        let sources: Vec<String> = self.names("sources", &study.sources, |s| &s.name);
        let mut sound = std::mem::take(&mut study.sources);
        sound.retain(|source| self.source_references(source, &sources));
        study.sources = sound;
        let mut cohorts = std::mem::take(&mut study.cohorts);
        let all_cohorts: Vec<String> = cohorts.iter().map(|c| c.name.clone()).collect();
        cohorts.retain(|cohort| {
            let names = sources.iter().map(String::as_str);
            let mut known = self.known(&cohort.from, "source", names.clone());
            for join in &cohort.join {
                known &= self.known(&join.source, "source", names.clone());
                if join.source.name == cohort.from.name {
                    let message = format!("`{}` is joined to itself", join.source.name);
                    self.error(Code::DUPLICATE_KEY, join.source.span, message);
                    known = false;
                }
            }
            known
        });
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
        outcomes.retain(|outcome| {
            let Instance::Derivation(derivation) = &outcome.derivation.instance else {
                return false;
            };
            derivation.source().is_none_or(|source| {
                let span = outcome.derivation.span;
                let named = Named { name: source.to_string(), span };
                self.known(&named, "source", sources.iter().map(String::as_str))
            })
        });
        study.outcomes = outcomes;
        let mut schemes = std::mem::take(&mut study.validate);
        schemes.retain_mut(|scheme| {
            self.scheme_references(study, scheme, &all_cohorts, &all_models)
        });
        study.validate = schemes;
    }

    fn names<T>(
        &self,
        _what: &str,
        things: &[T],
        name: fn(&T) -> &String,
    ) -> Vec<String> {
        things.iter().map(|thing| name(thing).clone()).collect()
    }

    fn source_references(&mut self, source: &Source, sources: &[String]) -> bool {
        let names = sources.iter().map(String::as_str);
        match &source.kind {
            SourceKind::Table { from: Origin::Simulated { source }, .. }
            | SourceKind::Images { from: ImageOrigin::Simulated { source }, .. } => {
                self.known(source, "source", names)
            }
            SourceKind::Maf { from, assayed, .. } => {
                let made = match from {
                    Origin::Simulated { source } => {
                        self.known(source, "source", names.clone())
                    }
                    Origin::File { .. } => true,
                };
                let assayed =
                    assayed.as_ref().is_none_or(|of| self.known(of, "source", names));
                made & assayed
            }
            _ => true,
        }
    }

    fn block_references(
        &mut self,
        study: &Study,
        block: &Block,
        sources: &[String],
    ) -> bool {
        let names = sources.iter().map(String::as_str);
        let (from, images) = match &block.kind {
            BlockKind::Columns { from, .. } => (from, false),
            BlockKind::Images { from, .. } => (from, true),
        };
        if !self.known(from, "source", names) {
            return false;
        }
        let Some(source) = study.source(&from.name) else { return false };
        let is_images = matches!(source.kind, SourceKind::Images { .. });
        let is_table = matches!(source.kind, SourceKind::Table { .. });
        if (images && !is_images) || (!images && !is_table) {
            let needed = if images { "an image set" } else { "a table" };
            let message = format!(
                "`{}` is no {}",
                from.name,
                &needed[needed.find(' ').unwrap_or(0) + 1..]
            );
            let fault =
                Diagnostic::error(Code::WRONG_TYPE, Place::Study(from.span), message);
            self.push(fault.hint(format!("this block needs {needed}")));
            return false;
        }
        if let (BlockKind::Images { features, .. }, SourceKind::Images { unit, .. }) =
            (&block.kind, &source.kind)
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
            match cohorts {
                [only] => scheme.cohort.name = only.clone(),
                [] => return false,
                several => {
                    let message = format!(
                        "scheme `{}` needs `cohort`: there are {}",
                        scheme.name,
                        several.join(", ")
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
        let mut named = std::mem::take(&mut scheme.models);
        named.retain(|model| {
            self.known(model, "model", models.iter().map(String::as_str))
        });
        scheme.models = named;
        // A cohort or model that was left out has its fault named already.
        let Some(cohort) = study.cohort(&scheme.cohort.name) else { return false };
        let joined = |source: &str| {
            cohort.from.name == source
                || cohort.join.iter().any(|j| j.source.name == source)
        };
        let mut missing: Vec<(Span, String, &str)> = Vec::new();
        for model in &scheme.models {
            let Some(of_model) = study.models.iter().find(|m| m.name == model.name)
            else {
                continue;
            };
            for block in &of_model.blocks {
                let Some(of_block) = study.block(&block.name) else { continue };
                let (BlockKind::Columns { from, .. } | BlockKind::Images { from, .. }) =
                    &of_block.kind;
                if !joined(&from.name) {
                    let what = format!("block `{}`", block.name);
                    missing.push((model.span, what, &from.name));
                }
            }
        }
        for outcome in &study.outcomes {
            let Instance::Derivation(derivation) = &outcome.derivation.instance else {
                continue;
            };
            if let Some(source) = derivation.source()
                && !joined(source)
            {
                let what = format!("outcome `{}`", outcome.name);
                missing.push((scheme.cohort.span, what, source));
            }
        }
        let sound = missing.is_empty();
        let missing: Vec<(Span, String, String)> = missing
            .into_iter()
            .map(|(span, what, source)| (span, what, source.into()))
            .collect();
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
                "add `join: {{ {source}: optional }}` to cohort `{}`",
                cohort.name
            );
            self.push(fault.hint(hint));
        }
        sound && !scheme.models.is_empty()
    }
}

/// A chain without steps.
fn everything(span: Span) -> Chain {
    let settings = vec![ChainSetting { steps: Vec::new(), text: String::new() }];
    Chain { name: "all".to_string(), span, settings }
}
