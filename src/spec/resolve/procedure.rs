//! Models and what is done with them: preparation, selection, learners, resampling.

use std::collections::BTreeSet;

use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::operation::Kind;
use crate::spec::keys;
use crate::spec::parameters::MOST_SETTINGS;
use crate::spec::reader::{Fields, Reader};
use crate::spec::syntax::{Kind as Syntax, Node};
use crate::spec::{Block, Branch, Chain, Model, Named, Origin, Role, Scheme};

/// What stands in a preparation: steps that are always taken, or one of several ways.
enum Piece {
    Steps(Chain),
    Vary { ways: Vec<(String, Chain)>, primary: usize, full: bool },
}

/// Pieces for these blocks, or for all of them.
struct Part {
    of: Option<Named>,
    pieces: Vec<Piece>,
}

/// A model whose preparation is not known yet.
fn model(name: Named, blocks: Vec<Named>) -> Model {
    Model {
        name: name.name,
        span: name.span,
        blocks,
        forced: Vec::new(),
        role: Role::Primary,
        branches: Vec::new(),
        select: Vec::new(),
        added: None,
    }
}

/// The blocks that a device measured; none when all are.
fn measured(predictors: &[Block]) -> Option<Vec<String>> {
    let measured = predictors.iter().filter(|block| block.measured());
    let measured: Vec<String> = measured.map(|block| block.name.clone()).collect();
    (measured.len() < predictors.len()).then_some(measured)
}

impl Reader<'_> {
    /// The models, each with its preparation and its selectors.
    pub fn models(&mut self, fields: &Fields<'_>, predictors: &[Block]) -> Vec<Model> {
        let mut models = self.named_models(fields, predictors);
        let members: Vec<(String, Vec<String>)> = models
            .iter()
            .map(|model| {
                let blocks = model.blocks.iter().map(|block| block.name.clone());
                (model.name.clone(), blocks.collect())
            })
            .collect();
        let mut parts = match fields.get("prepare") {
            Some(node) => self.parts(node, "prepare"),
            None => Vec::new(),
        };
        let harmonised = match fields.get("harmonise") {
            Some(node) => self.parts(node, "harmonise"),
            None => Vec::new(),
        };
        let n_prepared = parts.len();
        parts.extend(harmonised);
        let selectors = self.selectors(fields);
        let blocks: Vec<&str> =
            predictors.iter().map(|block| block.name.as_str()).collect();
        let scope = |reader: &mut Self, of: &Named| -> Vec<String> {
            if blocks.contains(&of.name.as_str()) {
                return vec![of.name.clone()];
            }
            match members.iter().find(|(model, _)| *model == of.name) {
                Some((_, blocks)) => blocks.clone(),
                None => {
                    let models = members.iter().map(|(model, _)| model.as_str());
                    let known = blocks.iter().copied().chain(models);
                    reader.known(of, "block or model", known.clone());
                    Vec::new()
                }
            }
        };
        let parts: Vec<(Option<Vec<String>>, Vec<Piece>)> = parts
            .into_iter()
            .enumerate()
            .map(|(at, part)| {
                let of = part.of.map(|of| scope(self, &of));
                // Patients of two hospitals differ in age for other reasons than their scanners.
                let of = match at >= n_prepared {
                    true => of.or_else(|| measured(predictors)),
                    false => of,
                };
                (of, part.pieces)
            })
            .collect();
        let selectors: Vec<(Option<Vec<String>>, Vec<Chain>)> = selectors
            .into_iter()
            .map(|(of, chains)| (of.map(|of| scope(self, &of)), chains))
            .collect();
        for model in &mut models {
            let own: Vec<String> =
                model.blocks.iter().map(|block| block.name.clone()).collect();
            model.branches = self.branches(&parts, &own, model.span);
            model.select = self.selection(&selectors, model, &own);
        }
        models
    }

    fn named_models(&mut self, fields: &Fields<'_>, predictors: &[Block]) -> Vec<Model> {
        let Some(node) = fields.get("models") else {
            let blocks = predictors.iter();
            let blocks: Vec<Named> = blocks
                .map(|block| Named { name: block.name.clone(), span: block.span })
                .collect();
            let all = Named { name: "all".to_string(), span: fields.span };
            return match blocks.is_empty() {
                true => Vec::new(),
                false => vec![model(all, blocks)],
            };
        };
        let written =
            self.each(fields, "models", |reader, named, node| match &node.kind {
                Syntax::Map(_) => {
                    let fields = reader.block(node, &keys::MODEL)?;
                    let blocks = reader.texts(fields.get("blocks")?, "`blocks`");
                    let mut model = model(named, blocks);
                    if let Some(node) = fields.get("forced") {
                        model.forced = reader.texts(node, "`forced`");
                    }
                    model.role = reader.role(&fields);
                    Some(model)
                }
                _ => Some(model(named, reader.texts(node, "a model"))),
            });
        let mut models: Vec<Model> = Vec::new();
        for model in written {
            let names = |model: &Model| -> Vec<String> {
                model.blocks.iter().map(|block| block.name.clone()).collect()
            };
            let same = |known: &&Model| {
                names(known) == names(&model) && known.forced.len() == model.forced.len()
            };
            if let Some(known) = models.iter().find(same) {
                let message = format!(
                    "models `{}` and `{}` have the same blocks",
                    known.name, model.name
                );
                self.error(Code::DUPLICATE_KEY, model.span, message);
            }
            for (position, block) in model.blocks.iter().enumerate() {
                if model.blocks[..position].iter().any(|known| known.name == block.name) {
                    let message =
                        format!("block `{}` stands twice in this model", block.name);
                    self.error(Code::DUPLICATE_KEY, block.span, message);
                }
            }
            for forced in &model.forced {
                let blocks = model.blocks.iter().map(|block| block.name.as_str());
                self.known(forced, "block of this model", blocks);
            }
            if !model.blocks.is_empty() {
                models.push(model);
            }
        }
        if models.is_empty() && node.kind == Syntax::Null {
            self.wrong_type(node, "`models` is a map");
        }
        models
    }

    /// A preparation as a list, or as a map of lists by block or model.
    fn parts(&mut self, node: &Node, what: &str) -> Vec<Part> {
        match &node.kind {
            Syntax::Map(entries) if entries.iter().all(|(key, _)| key.name != "vary") => {
                let Some(fields) = self.named(node, &format!("`{what}`")) else {
                    return Vec::new();
                };
                let mut parts = Vec::new();
                for (key, value) in fields.iter() {
                    let of = Named { name: key.name.clone(), span: key.span };
                    let pieces = self.pieces(value, &key.name);
                    parts.push(Part { of: Some(of), pieces });
                }
                parts
            }
            _ => vec![Part { of: None, pieces: self.pieces(node, what) }],
        }
    }

    fn pieces(&mut self, node: &Node, what: &str) -> Vec<Piece> {
        let items = match &node.kind {
            Syntax::List(items) if items.is_empty() => return Vec::new(),
            Syntax::Map(_) => std::slice::from_ref(node),
            _ => self.list(node, &format!("`{what}`")),
        };
        let mut pieces = Vec::new();
        for item in items {
            match &item.kind {
                Syntax::Map(entries)
                    if entries.len() == 1 && entries[0].0.name == "vary" =>
                {
                    pieces.extend(self.vary(&entries[0].1));
                }
                _ => {
                    let one = std::slice::from_ref(item);
                    let steps = self.chain(one, Kind::TableStep, item.span);
                    pieces.extend(steps.map(Piece::Steps));
                }
            }
        }
        pieces
    }

    /// `{primary: NAME, NAME: [steps], …}`.
    fn vary(&mut self, node: &Node) -> Option<Piece> {
        let fields = self.named(node, "`vary`")?;
        let Some(primary) = fields.get("primary") else {
            let message = "`vary` needs `primary`: the way of the headline";
            self.error(Code::MISSING_KEY, node.span, message);
            return None;
        };
        let primary = self.text(primary, "`primary`")?;
        let full = match fields.get("cross") {
            Some(node) => self.word(node, "`cross`", &["full"]).is_some(),
            None => false,
        };
        let mut ways: Vec<(String, Chain)> = Vec::new();
        for (key, value) in fields.iter() {
            if key.name == "primary" || key.name == "cross" {
                continue;
            }
            let steps = match &value.kind {
                Syntax::List(items) if items.is_empty() => {
                    Some(Chain::nothing(&key.name, value.span))
                }
                _ => {
                    let items = self.list(value, "a way of `vary`");
                    self.chain(items, Kind::TableStep, value.span)
                }
            };
            ways.extend(steps.map(|steps| (key.name.clone(), steps)));
        }
        // A way with a fault in it is named already.
        let named = fields.iter().map(|(key, _)| key.name.as_str());
        let mut named = named.filter(|name| *name != "primary" && *name != "cross");
        if !named.any(|name| name == primary.name) {
            let known = fields.iter().map(|(key, _)| key.name.as_str());
            let known = known.filter(|name| *name != "primary" && *name != "cross");
            let known: Vec<&str> = known.collect();
            self.known(&primary, "way", known.into_iter());
            return None;
        }
        let at = ways.iter().position(|(name, _)| *name == primary.name)?;
        Some(Piece::Vary { ways, primary: at, full })
    }

    /// The ways of preparing a model of these blocks; the first is the primary one.
    ///
    /// One alternative at a time, the others at their primary way, unless one is crossed.
    fn branches(
        &mut self,
        parts: &[(Option<Vec<String>>, Vec<Piece>)],
        own: &[String],
        span: Span,
    ) -> Vec<Branch> {
        let mut branches =
            vec![(String::new(), Chain::nothing("prepare", span), 0, false)];
        for (scope, pieces) in parts {
            let blocks: Option<Vec<String>> = scope.as_ref().map(|scope| {
                scope.iter().filter(|block| own.contains(block)).cloned().collect()
            });
            if blocks.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            let on = |chain: &Chain| match &blocks {
                Some(blocks) => chain.on(blocks),
                None => chain.clone(),
            };
            for piece in pieces {
                branches = match piece {
                    Piece::Steps(chain) => {
                        let add = |(name, prepare, varied, crossed): (_, Chain, _, _)| {
                            (name, prepare.then(&on(chain)), varied, crossed)
                        };
                        branches.into_iter().map(add).collect()
                    }
                    Piece::Vary { ways, primary, full } => {
                        let mut more = Vec::new();
                        let order = std::iter::once(*primary)
                            .chain((0..ways.len()).filter(|way| way != primary));
                        for way in order {
                            for (name, prepare, varied, crossed) in &branches {
                                let alternative = way != *primary;
                                if alternative && *varied > 0 && !(*full || *crossed) {
                                    continue;
                                }
                                let name = match (alternative, name.is_empty()) {
                                    (false, _) => name.clone(),
                                    (true, true) => ways[way].0.clone(),
                                    (true, false) => format!("{name}-{}", ways[way].0),
                                };
                                let prepare = prepare.then(&on(&ways[way].1));
                                let varied = varied + usize::from(alternative);
                                more.push((name, prepare, varied, *full || *crossed));
                            }
                        }
                        more
                    }
                };
                let n = branches.iter().map(|b| b.1.settings.len()).max().unwrap_or(0);
                if n > MOST_SETTINGS {
                    let message = format!(
                        "the preparation has {n} settings, more than {MOST_SETTINGS}"
                    );
                    self.error(Code::TOO_LARGE, span, message);
                    break;
                }
            }
        }
        let mut seen: Vec<String> = Vec::new();
        let mut named = Vec::new();
        for (name, prepare, ..) in branches {
            if seen.contains(&name) {
                let message = format!("two ways of preparing are called `{name}`");
                self.error(Code::DUPLICATE_KEY, span, message);
                continue;
            }
            seen.push(name.clone());
            named.push(Branch {
                name,
                prepare: Chain { name: "prepare".into(), ..prepare },
            });
        }
        named
    }

    /// Alternatives as a list, or as a map of lists by block or model.
    fn selectors(&mut self, fields: &Fields<'_>) -> Vec<(Option<Named>, Vec<Chain>)> {
        match fields.get("select") {
            None => Vec::new(),
            Some(node) => match &node.kind {
                Syntax::Map(_) => {
                    let Some(entries) = self.named(node, "`select`") else {
                        return Vec::new();
                    };
                    let mut selectors = Vec::new();
                    for (key, value) in entries.iter() {
                        let of = Named { name: key.name.clone(), span: key.span };
                        let chains =
                            self.alternatives_in(value, &key.name, Kind::TableStep);
                        selectors.push((Some(of), chains));
                    }
                    selectors
                }
                _ => vec![(None, self.alternatives(fields, "select", Kind::TableStep))],
            },
        }
    }

    /// The selectors of a model: those of its blocks together, none on forced ones.
    fn selection(
        &mut self,
        selectors: &[(Option<Vec<String>>, Vec<Chain>)],
        model: &Model,
        own: &[String],
    ) -> Vec<Chain> {
        let free = |block: &&String| !model.forced.iter().any(|f| f.name == **block);
        let mut chains = vec![Chain::nothing("all", model.span)];
        for (scope, alternatives) in selectors {
            let wanted = own.iter().filter(free);
            let wanted: Vec<String> = wanted
                .filter(|block| scope.as_ref().is_none_or(|scope| scope.contains(block)))
                .cloned()
                .collect();
            if wanted.is_empty() || alternatives.is_empty() {
                continue;
            }
            let whole = scope.is_none() && model.forced.is_empty();
            let mut more = Vec::new();
            for chain in &chains {
                for alternative in alternatives {
                    let alternative = match whole {
                        true => alternative.clone(),
                        false => alternative.on(&wanted),
                    };
                    let name = match chain.is_empty() {
                        true => alternative.name.clone(),
                        false => format!("{}+{}", chain.name, alternative.name),
                    };
                    more.push(Chain { name, ..chain.then(&alternative) });
                }
            }
            chains = more;
        }
        chains
    }

    pub fn alternatives(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        kind: Kind,
    ) -> Vec<Chain> {
        match fields.get(name) {
            Some(node) => self.alternatives_in(node, name, kind),
            None => Vec::new(),
        }
    }

    fn alternatives_in(&mut self, node: &Node, name: &str, kind: Kind) -> Vec<Chain> {
        let mut chains: Vec<Chain> = Vec::new();
        let mut tried: Vec<(Span, BTreeSet<String>)> = Vec::new();
        for item in self.list(node, &format!("`{name}`")) {
            let all = |node: &Node| {
                kind == Kind::TableStep && node.kind == Syntax::Text("all".to_string())
            };
            let chain = match &item.kind {
                _ if all(item) => Some(Chain::nothing("all", item.span)),
                // Selects nothing, also among other steps.
                Syntax::List(steps) if !steps.is_empty() && steps.iter().all(all) => {
                    Some(Chain::nothing("all", item.span))
                }
                Syntax::List(steps) if steps.is_empty() && kind == Kind::TableStep => {
                    let fault = Diagnostic::error(
                        Code::WRONG_TYPE,
                        Place::Study(item.span),
                        format!("a chain of `{name}` is an empty list"),
                    );
                    self.push(fault.hint("`all` selects nothing"));
                    None
                }
                Syntax::List(steps) if kind == Kind::TableStep => {
                    let steps = steps.iter().filter(|step| !all(step)).cloned();
                    self.chain(&steps.collect::<Vec<Node>>(), kind, item.span)
                }
                _ => self.chain(std::slice::from_ref(item), kind, item.span),
            };
            let Some(mut chain) = chain else { continue };
            let settings = chain.applied();
            for (before, known) in &tried {
                self.tried_twice(&chain, known.intersection(&settings).count(), *before);
            }
            tried.push((item.span, settings));
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

    /// Says of an alternative how many of its settings stand in one before it.
    fn tried_twice(&mut self, chain: &Chain, n: usize, before: Span) {
        if n == 0 {
            return;
        }
        let line = 1 + self.text.get(..before.start).unwrap_or("").matches('\n').count();
        let name = &chain.name;
        let message = match chain.settings.len() {
            1 => format!("`{name}` repeats line {line} with the same parameters"),
            of => format!("`{name}` repeats {n} of its {of} settings from line {line}"),
        };
        let first = chain.settings[0].steps.first();
        let place = Place::Study(first.map_or(chain.span, |used| used.span));
        let fault = Diagnostic::error(Code::DUPLICATE_KEY, place, message);
        self.push(
            fault.hint("each candidate is fitted once: leave it out of one of the two"),
        );
    }

    /// The named schemes, and the cohorts under `external`.
    pub fn schemes(&mut self, fields: &Fields<'_>) -> (Vec<Scheme>, Vec<Named>) {
        let Some(node) = fields.get("validate") else { return Default::default() };
        let Some(entries) = self.named(node, "`validate`") else {
            return Default::default();
        };
        let mut external = Vec::new();
        if let Some(node) = entries.get("external") {
            for cohort in self.texts(node, "`external`") {
                if external.iter().any(|known: &Named| known.name == cohort.name) {
                    let message = format!("`{}` stands twice", cohort.name);
                    self.error(Code::DUPLICATE_KEY, cohort.span, message);
                } else {
                    external.push(cohort);
                }
            }
        }
        let schemes: Vec<Named> = entries
            .iter()
            .filter(|(key, _)| key.name != "external")
            .map(|(key, _)| Named { name: key.name.clone(), span: key.span })
            .collect();
        if schemes.is_empty() {
            let fault = Diagnostic::error(
                Code::MISSING_KEY,
                Place::Study(node.span),
                "`validate` needs a scheme for the development cohort",
            );
            self.push(
                fault.hint("such as `internal: { nested: { outer: 5, inner: 5 } }`"),
            );
        }
        let mut found = Vec::new();
        for named in schemes {
            if !self.is_a_name(&named) {
                continue;
            }
            let Some(node) = entries.get(&named.name) else { continue };
            found.extend(self.scheme(named, node));
        }
        (found, external)
    }

    fn scheme(&mut self, named: Named, node: &Node) -> Option<Scheme> {
        let (node, moved) = self.scheme_keys(&named, node);
        let fields = self.block(&node, &keys::SCHEME)?;
        let resampling = self.one_operation(&fields, &keys::SCHEME, Kind::Resampling);
        // Filled in when all names are known.
        let nowhere = Named { name: String::new(), span: named.span };
        let cohort = match fields.get("cohort").or(moved.as_ref()) {
            Some(node) => self.text(node, "`cohort`")?,
            None => nowhere,
        };
        let models = match fields.get("models") {
            Some(node) => self.texts(node, "`models`"),
            None => Vec::new(),
        };
        let outcomes = match fields.get("outcomes") {
            Some(node) => self.texts(node, "`outcomes`"),
            None => Vec::new(),
        };
        if let Some(node) = fields.get("splits") {
            self.word(node, "`splits`", &["shared"]);
        }
        let (name, span) = (named.name, named.span);
        Some(Scheme { name, span, cohort, models, outcomes, resampling: resampling? })
    }

    /// `cohort` may stand among the parameters of the scheme, and `folds` may name a file of its
    /// own, which becomes a source.
    fn scheme_keys(&mut self, named: &Named, node: &Node) -> (Node, Option<Node>) {
        let Syntax::Map(entries) = &node.kind else { return (node.clone(), None) };
        let mut moved = None;
        let mut plain = Vec::new();
        for (key, value) in entries {
            let catalog = self.catalog;
            let entry = catalog.get(&key.name);
            let is_scheme = entry.is_some_and(|entry| entry.kind == Kind::Resampling);
            let (true, Syntax::Map(parameters)) = (is_scheme, &value.kind) else {
                plain.push((key.clone(), value.clone()));
                continue;
            };
            let mut parameters = parameters.clone();
            if let Some(at) = parameters.iter().position(|(key, _)| key.name == "cohort")
            {
                moved = Some(parameters.remove(at).1);
            }
            let file = parameters.iter().position(|(key, _)| key.name == "file");
            if key.name == "folds"
                && let Some(at) = file
            {
                let (file_key, file) = parameters.remove(at);
                let id = parameters.iter().position(|(key, _)| key.name == "id");
                let id = id.map(|at| parameters.remove(at).1);
                let name = format!("{}-folds", named.name);
                self.implied_source(&name, &file, id.as_ref());
                let from = crate::spec::syntax::Key { name: "from".into(), ..file_key };
                let text = Node { span: file.span, kind: Syntax::Text(name) };
                parameters.push((from, text));
            }
            plain.push((
                key.clone(),
                Node { span: value.span, kind: Syntax::Map(parameters) },
            ));
        }
        (Node { span: node.span, kind: Syntax::Map(plain) }, moved)
    }

    fn implied_source(&mut self, name: &str, file: &Node, id: Option<&Node>) {
        let Some(id) = id else {
            let message = "a file of folds needs `id`, the column that names the patient";
            self.error(Code::MISSING_KEY, file.span, message);
            return;
        };
        let key = |name: &str, node: &Node| crate::spec::syntax::Key {
            name: name.to_string(),
            span: node.span,
            is_text: true,
        };
        let entries =
            vec![(key("table", file), file.clone()), (key("id", id), id.clone())];
        let node = Node { span: file.span, kind: Syntax::Map(entries) };
        let named = Named { name: name.to_string(), span: file.span };
        let source = self.source(named, &node);
        self.sources.push(name.to_string());
        self.implied.extend(source.filter(|source| {
            !source.files().iter().any(|file| matches!(file, Origin::Simulated { .. }))
        }));
    }
}
