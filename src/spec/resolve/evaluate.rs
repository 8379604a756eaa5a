//! What is measured, compared and claimed.

use crate::data::TargetPrevalence;
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::operation::{Instance, Kind};
use crate::spec::keys;
use crate::spec::parameters::Grids;
use crate::spec::reader::Reader;
use crate::spec::syntax::{Kind as Syntax, Node};
use crate::spec::{
    Block, BlockKind, Branch, Chain, Choosing, Claim, Compare, Evaluate, LearnedFrom,
    LearningCurve, Model, Named, Permutation, Role, Subgroup, ThresholdRule,
    UnnamedControls, Use,
};

/// The rules that choose a single candidate among those that are all scored.
const SINGLE: &[&str] = &["best_mean", "one_standard_error"];

/// The metrics of predictions that candidates are chosen by in practice. A metric of calibration alone
/// would choose the prevalence.
const CHOOSES: &[&str] =
    &["auroc", "average_precision", "brier", "scaled_brier", "log_loss"];

/// What a report on a prediction model cannot do without: discrimination, overall performance,
/// calibration, and decisions where a threshold was declared.
const STANDARD: &[&str] = &[
    "auroc",
    "average_precision",
    "brier",
    "scaled_brier",
    "log_loss",
    "calibration_intercept",
    "calibration_slope",
    "observed_expected",
    "sensitivity",
    "specificity",
    "positive_predictive_value",
    "negative_predictive_value",
    "accuracy",
    "balanced_accuracy",
];

/// Of groups with fewer of a class nothing is estimated.
const FEWEST_EVENTS: u64 = 10;

fn needs_threshold(used: &Use) -> bool {
    match &used.instance {
        Instance::Metric(metric) => metric.scale().needs_threshold,
        _ => false,
    }
}

impl Reader<'_> {
    pub fn evaluate(
        &mut self,
        node: Option<&Node>,
        whole: Span,
    ) -> Option<(Evaluate, Vec<(Block, Model)>)> {
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
        let fallback = fields.as_ref().and_then(|fields| fields.get("fallback"));
        let fallback =
            fallback.and_then(|node| self.word(node, "`fallback`", &["none", "naive"]));
        let mut evaluate = Evaluate {
            primary: primary?,
            also,
            standard: Vec::new(),
            tuner: tuner?,
            choosing: Vec::new(),
            falls_back: fallback.as_deref() == Some("naive"),
            threshold,
            within: None,
            within_added: false,
            decision_range: None,
            target_prevalence: None,
            subgroups: Vec::new(),
            compare: Vec::new(),
            holm: true,
            claims: Vec::new(),
            permuted: None,
            not_permuted: None,
            learning_curve: LearningCurve::default(),
            unnamed: UnnamedControls::Added {
                categories: self.steps(&["encode_onehot"], whole),
                numbers: self.steps(&["impute_median", "scale_zscore"], whole),
            },
        };
        let mut controls = Vec::new();
        if let Some(fields) = &fields {
            evaluate.within =
                fields.get("within").and_then(|node| self.text(node, "`within`"));
            evaluate.decision_range =
                fields.get("decision_range").and_then(|node| self.range(node));
            let target = fields.get("target_prevalence");
            evaluate.target_prevalence =
                target.and_then(|node| self.target_prevalence(node));
            if let Some(node) = fields.get("subgroups") {
                for item in self.list(node, "`subgroups`") {
                    evaluate.subgroups.extend(self.subgroup(item));
                }
            }
            if let Some(node) = fields.get("compare") {
                for item in self.list(node, "`compare`") {
                    self.compare(item, &mut evaluate);
                }
            }
            if let Some(node) = fields.get("claims") {
                for item in self.list(node, "`claims`") {
                    evaluate.claims.extend(self.claim(item));
                }
            }
            if let Some(node) = fields.get("learning_curve") {
                // A fault in it is named; the default stands in, so that the rest is looked at.
                evaluate.learning_curve = self.learning_curve(node).unwrap_or_default();
            }
            if let Some(node) = fields.get("controls") {
                controls = self.controls(node, &mut evaluate);
            }
        }
        let declared =
            fields.as_ref().is_some_and(|fields| fields.get("threshold").is_some());
        self.metrics(&evaluate, declared);
        self.standard(&mut evaluate, whole);
        self.choosing(&mut evaluate, whole);
        Some((evaluate, controls))
    }

    /// Two ascending shares, such as `[0.1, 0.6]`.
    fn range(&mut self, node: &Node) -> Option<(f64, f64)> {
        let mut ends = Vec::new();
        for item in self.list(node, "`decision_range`") {
            ends.push(self.number(item, "an end of the range")?);
        }
        match ends.as_slice() {
            // At 0 everybody is treated and at 1 nobody: no clinician asks where between.
            [0.0, 1.0] => {
                let fault = Diagnostic::error(
                    Code::OUT_OF_RANGE,
                    Place::Study(node.span),
                    "`decision_range` from 0 to 1 is every threshold there is",
                );
                let hint =
                    "name those that a clinician would consider, such as `[0.1, 0.4]`";
                self.push(fault.hint(hint));
                None
            }
            [low, high] if *low >= 0.0 && low < high && *high <= 1.0 => {
                Some((*low, *high))
            }
            _ => {
                let message = "`decision_range` is two ascending probabilities";
                let place = Place::Study(node.span);
                let fault = Diagnostic::error(Code::OUT_OF_RANGE, place, message);
                self.push(fault.hint("10 % is written 0.1: `[0.1, 0.4]`"));
                None
            }
        }
    }

    fn learning_curve(&mut self, node: &Node) -> Option<LearningCurve> {
        let fields = self.block(node, &keys::LEARNING_CURVE)?;
        if fields.get("none").is_some() {
            for name in ["fractions", "repeats"] {
                if let Some(key) = fields.key(name) {
                    let message = format!(
                        "`{name}` is of no use beside `none`: no learning curve is drawn"
                    );
                    let fault = Diagnostic::error(
                        Code::UNKNOWN_KEY,
                        Place::Study(key.span),
                        message,
                    );
                    self.push(fault.hint("leave out one of the two"));
                }
            }
            return self.prose(&fields, "none").map(LearningCurve::Left);
        }
        let mut fractions = LearningCurve::FRACTIONS.to_vec();
        if let Some(node) = fields.get("fractions") {
            fractions = self.fractions(node)?;
        }
        let (mut repeats, mut span) = (1, None);
        if let Some(node) = fields.get("repeats") {
            span = Some(node.span);
            repeats = self.count(node, "`repeats`")? as usize;
            if repeats == 0 {
                let message = "a learning curve needs the splits of at least one repeat";
                let fault = Diagnostic::error(
                    Code::OUT_OF_RANGE,
                    Place::Study(node.span),
                    message,
                );
                self.push(
                    fault.hint("to draw none, write `learning_curve: { none: REASON }`"),
                );
                return None;
            }
        }
        Some(LearningCurve::Drawn { fractions, repeats, span })
    }

    /// Ascending shares between 0 and 1.
    fn fractions(&mut self, node: &Node) -> Option<Vec<f64>> {
        let mut fractions: Vec<f64> = Vec::new();
        for item in self.list(node, "`fractions`") {
            let fraction = self.number(item, "a share of the training patients")?;
            let (code, message, hint) = match fractions.last() {
                _ if !(0.0 < fraction && fraction < 1.0) => (
                    Code::OUT_OF_RANGE,
                    format!("{fraction} is no share between 0 and 1"),
                    "all training patients, 1, are the analysis itself and always drawn",
                ),
                Some(last) if fraction == *last => (
                    Code::DUPLICATE_KEY,
                    format!("{fraction} is given twice"),
                    "give each share once",
                ),
                Some(last) if fraction < *last => (
                    Code::OUT_OF_RANGE,
                    format!("{fraction} follows {last}, and shares ascend"),
                    "each part holds the smaller ones: write them in ascending order",
                ),
                _ => {
                    fractions.push(fraction);
                    continue;
                }
            };
            let fault = Diagnostic::error(code, Place::Study(item.span), message);
            self.push(fault.hint(hint));
            return None;
        }
        (!fractions.is_empty()).then_some(fractions)
    }

    /// A share, or a share with where it is known from.
    fn target_prevalence(&mut self, node: &Node) -> Option<TargetPrevalence> {
        let what = "`target_prevalence`";
        let (written, from) = match &node.kind {
            Syntax::Map(_) => {
                let fields = self.block(node, &keys::TARGET_PREVALENCE)?;
                (fields.get("is")?, self.prose(&fields, "from"))
            }
            _ => (node, None),
        };
        let prevalence = self.number(written, what)?;
        if !(prevalence > 0.0 && prevalence < 1.0) {
            let message = format!("{what} is a share above 0 and under 1");
            let fault = Diagnostic::error(
                Code::OUT_OF_RANGE,
                Place::Study(written.span),
                message,
            );
            self.push(fault.hint("12 % is `0.12`"));
            return None;
        }
        Some(TargetPrevalence { prevalence, from })
    }

    fn subgroup(&mut self, node: &Node) -> Option<Subgroup> {
        let fields = self.block(node, &keys::SUBGROUP)?;
        let by = self.text(fields.get("by")?, "`by`")?;
        let mut cut = Vec::new();
        if let Some(node) = fields.get("cut") {
            for item in self.list(node, "`cut`") {
                cut.push(self.number(item, "a cut")?);
            }
            if cut.windows(2).any(|pair| pair[0] >= pair[1]) {
                self.error(Code::OUT_OF_RANGE, node.span, "`cut` ascends");
                return None;
            }
        }
        let events = fields.get("minimum_events");
        let events = events.and_then(|node| {
            let events = self.count(node, "`minimum_events`")?;
            // Fewer say nothing of a group, however they are asked.
            if events < FEWEST_EVENTS {
                let message = format!("`minimum_events` is {FEWEST_EVENTS} or more");
                self.error(Code::OUT_OF_RANGE, node.span, message);
            }
            Some(events)
        });
        let minimum_events = events.unwrap_or(FEWEST_EVENTS) as usize;
        Some(Subgroup { by, cut, minimum_events })
    }

    fn compare(&mut self, node: &Node, evaluate: &mut Evaluate) {
        let Some(fields) = self.block(node, &keys::COMPARE) else { return };
        if let Some(word) = fields.get("multiplicity") {
            let word = self.word(word, "`multiplicity`", &["holm", "none"]);
            evaluate.holm = word.as_deref() != Some("none");
        }
        let mut model = |name: &str| {
            fields.get(name).and_then(|n| self.text(n, &format!("`{name}`")))
        };
        match (model("better"), model("than")) {
            (Some(better), Some(than)) if better.name == than.name => {
                let message = format!("`{}` is compared with itself", than.name);
                self.error(Code::DUPLICATE_KEY, than.span, message);
            }
            (Some(better), Some(than)) => evaluate.compare.push(Compare { better, than }),
            (None, None) if fields.get("multiplicity").is_some() => {}
            _ => {
                let message = "a comparison needs `better` and `than`";
                self.error(Code::MISSING_KEY, node.span, message);
            }
        }
    }

    fn claim(&mut self, node: &Node) -> Option<Claim> {
        let fields = self.block(node, &keys::CLAIM)?;
        let words = self.prose(&fields, "as");
        let (rule, text) = self.rule(fields.get("that")?, "a claim")?;
        for name in rule.columns() {
            let end = name.rsplit('.').next();
            if !["estimate", "lower", "upper"].map(Some).contains(&end) {
                let fault = Diagnostic::error(
                    Code::UNKNOWN_NAME,
                    Place::Study(text.span),
                    format!("`{name}` names no result"),
                );
                let hint = "a result is `METRIC.COHORT.lower`, or \
                            `METRIC.within_COLUMN.COHORT.lower`; also `.estimate`, `.upper`";
                self.push(fault.hint(hint));
                return None;
            }
        }
        if !rule.cohorts().is_empty() {
            self.error(
                Code::RULE,
                text.span,
                "a claim is about results, not about patients",
            );
            return None;
        }
        Some(Claim { text: text.name, rule, words, span: text.span })
    }

    /// Models of single columns that stand beside the others.
    fn controls(&mut self, node: &Node, evaluate: &mut Evaluate) -> Vec<(Block, Model)> {
        let Some(fields) = self.block(node, &keys::CONTROLS) else { return Vec::new() };
        if let Some(node) = fields.get("permuted_outcome")
            && let Some(fields) = self.block(node, &keys::PERMUTED)
        {
            let times = fields.get("times").and_then(|node| self.count(node, "`times`"));
            let within =
                fields.get("within").and_then(|node| self.text(node, "`within`"));
            let repeats = fields.get("repeats");
            let repeats = repeats.and_then(|node| self.count(node, "`repeats`"));
            let (repeats, span) = (repeats.unwrap_or(1) as usize, node.span);
            if times == Some(0) || repeats == 0 {
                self.error(Code::OUT_OF_RANGE, span, "at least one permutation is made");
            }
            evaluate.not_permuted = self.prose(&fields, "none");
            evaluate.permuted = times.map(|times| {
                let times = times as usize;
                Permutation { times, within, repeats, span }
            });
        }
        if let Some(node) = fields.get("added")
            && let Some(fields) = self.block(node, &keys::ADDED)
            && let Some(reason) = self.prose(&fields, "none")
        {
            evaluate.unnamed = UnnamedControls::Left(reason);
        }
        let mut controls = Vec::new();
        let Some(node) = fields.get("columns_only") else { return controls };
        let Some(entries) = self.named(node, "`columns_only`") else { return controls };
        for (key, value) in entries.iter() {
            let columns = self.text_or_texts(value, "a column");
            let mut from: Vec<Named> = Vec::new();
            let mut include = Vec::new();
            for column in columns {
                let Some((source, name)) = self.in_source(&column.name) else {
                    let message = format!("`{}` is no `source.column`", column.name);
                    self.error(Code::UNKNOWN_NAME, column.span, message);
                    continue;
                };
                if !from.iter().any(|known| known.name == source) {
                    from.push(Named { name: source.to_string(), span: column.span });
                }
                include.push(Named { name: name.to_string(), span: column.span });
            }
            if include.is_empty() {
                continue;
            }
            let prepare = self.steps(&["impute_median", "scale_zscore"], key.span);
            let block = Block {
                name: key.name.clone(),
                span: key.span,
                kind: BlockKind::Columns { from, include, except: Vec::new() },
                known: None,
                clinical: false,
                steps: Vec::new(),
            };
            let model = Model {
                name: key.name.clone(),
                span: key.span,
                blocks: vec![Named { name: key.name.clone(), span: key.span }],
                forced: Vec::new(),
                role: Role::Control,
                branches: vec![Branch { name: String::new(), prepare }],
                select: vec![Chain::nothing("all", key.span)],
                added: None,
            };
            controls.push((block, model));
        }
        controls
    }

    /// Steps that nobody wrote.
    fn steps(&mut self, names: &[&str], span: Span) -> Chain {
        let text = |name: &&str| Node { span, kind: Syntax::Text(name.to_string()) };
        let steps: Vec<Node> = names.iter().map(text).collect();
        let chain = self.chain(&steps, Kind::TableStep, span);
        chain.unwrap_or(Chain::nothing("prepare", span))
    }

    /// Adds what is measured without being asked for.
    fn standard(&mut self, evaluate: &mut Evaluate, whole: Span) {
        for name in STANDARD {
            if evaluate.metrics().any(|known| known.about.name == *name) {
                continue;
            }
            let name = Named { name: (*name).to_string(), span: whole };
            let used = self.operation_named(&name, None, Kind::Metric, Grids::Refused);
            for (used, _) in used.into_iter().flatten() {
                if evaluate.threshold.is_some() || !needs_threshold(&used) {
                    evaluate.standard.push(used);
                }
            }
        }
    }

    /// Adds the rules and metrics that a study may go over to without a fit: those that any study may, and
    /// its own with the others where they are not among them. A rule that halves leaves candidates unscored
    /// among which others would have to choose.
    fn choosing(&mut self, evaluate: &mut Evaluate, whole: Span) {
        let mut all = |names: &[&str], kind: Kind| {
            let mut all = Vec::new();
            for name in names {
                let name = Named { name: (*name).to_string(), span: whole };
                let used = self.operation_named(&name, None, kind, Grids::Refused);
                all.extend(used.into_iter().flatten().map(|(used, _)| used));
            }
            all
        };
        let (rules, metrics) = (all(SINGLE, Kind::Tuner), all(CHOOSES, Kind::Metric));
        if evaluate.halving().is_some() {
            evaluate.choosing = vec![Choosing { name: None, rules: Vec::new(), metrics }];
            return;
        }
        let (tuner, primary) = (evaluate.tuner.clone(), evaluate.primary.clone());
        let within = |among: &[Use], own: &Use| {
            among.iter().any(|known| known.identity() == own.identity())
        };
        let mut with_own = metrics.clone();
        let mut further = Vec::new();
        if !within(&metrics, &primary) {
            with_own.push(primary.clone());
            let (name, rules) = (Some(primary.about.name), rules.clone());
            further.push(Choosing { name, rules, metrics: vec![primary] });
        }
        if !within(&rules, &tuner) {
            let name = Some(tuner.about.name);
            further.push(Choosing { name, rules: vec![tuner], metrics: with_own });
        }
        evaluate.choosing = vec![Choosing { name: None, rules, metrics }];
        evaluate.choosing.extend(further);
    }

    fn metrics(&mut self, evaluate: &Evaluate, threshold_is_declared: bool) {
        if needs_threshold(&evaluate.primary) {
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
        for used in evaluate.also.iter().filter(|used| needs_threshold(used)) {
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
        // Of an unknown rule nobody knows the parameters.
        let unknown: Vec<&str> = match entry {
            Some(_) => Vec::new(),
            None => entries.iter().map(|(key, _)| key.name.as_str()).collect(),
        };
        let known: Vec<&str> = parameters.iter().chain(&unknown).copied().collect();
        let fields = self.block_with(node, &keys::THRESHOLD, &known)?;
        let own = ["rule", "learned_from", "frozen_for"];
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
        let frozen_for = match fields.get("frozen_for") {
            Some(node) => self.texts(node, "`frozen_for`"),
            None => Vec::new(),
        };
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
        let rule = rule.into_iter().next()?.0;
        Some(ThresholdRule { rule, frozen_for, learned_from, span })
    }
}
