//! An operation as written → operation with parameters, checked against its JSON Schema.
//!
//! The schema is derived from the operation's own type, so a range is stated once and every fault
//! is found before that type is asked to read anything.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::reader::{Fields, Reader};
use super::syntax::{Kind as Syntax, Node};
use super::{Chain, ChainSetting, Named, Use};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::digest::canonical_json;
use crate::math::{Stream, exp, ln};
use crate::operation::{Entry, Instance, Kind, Problem, Problems};

/// Whether a list may stand where a scalar is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grids {
    Allowed,
    Refused,
}

/// Parameters as written, in order, and how many settings to draw from them.
#[derive(Default)]
struct Written {
    ranges: Vec<(String, Range)>,
    /// The names of those parameters where they stand.
    keys: Vec<Named>,
    /// All combinations are tried when there is none.
    draws: Option<usize>,
}

/// The values that a parameter may take.
enum Range {
    Listed(Vec<Json>),
    Between { low: f64, high: f64, logarithmic: bool, whole: bool },
}

impl Range {
    /// The value at a place u in [0, 1); numbers have four significant digits.
    fn at(&self, u: f64) -> Json {
        match self {
            Self::Listed(values) => {
                values[((u * values.len() as f64) as usize).min(values.len() - 1)].clone()
            }
            Self::Between { low, high, whole: true, logarithmic: false } => {
                Json::from((low + u * (high - low + 1.0)).floor().min(*high) as i64)
            }
            Self::Between { low, high, logarithmic, whole } => {
                let value = match logarithmic {
                    true => exp(ln(*low) + u * (ln(*high) - ln(*low))),
                    false => low + u * (high - low),
                };
                match whole {
                    true => Json::from(value.round() as i64),
                    false => {
                        let short: f64 = format!("{value:.3e}").parse().unwrap_or(value);
                        Json::from(short.clamp(*low, *high))
                    }
                }
            }
        }
    }
}

/// Parameters with one value each, and the grid point in words.
type Combination = (Map<String, Json>, Vec<String>);

/// Where random search stands, which is no way of choosing.
const RANDOM_SEARCH: &str = "settings are drawn at random where ranges stand: \
    `logistic: { c: { between: [0.01, 10], scale: log }, draws: 30 }`";

/// That selecting nothing is no operation.
const ALL: &str = "`all` selects nothing and has no parameters: write `- all`";

/// More grid points than anybody means to try: refused before they fill the memory.
pub const MOST_SETTINGS: usize = 10_000;

impl Reader<'_> {
    /// `name` or `{name: parameters}` → every setting of its grid.
    pub fn operation(
        &mut self,
        node: &Node,
        kind: Kind,
        grids: Grids,
    ) -> Option<Vec<(Use, String)>> {
        let (name, parameters) = match &node.kind {
            Syntax::Text(name) => (Named { name: name.clone(), span: node.span }, None),
            Syntax::Map(entries) => match entries.as_slice() {
                [(key, value)] => {
                    (Named { name: key.name.clone(), span: key.span }, Some(value))
                }
                _ => {
                    let message = format!(
                        "a {} is written `name` or `name: {{ parameter: value }}`",
                        kind.noun()
                    );
                    self.error(Code::WRONG_TYPE, node.span, message);
                    return None;
                }
            },
            _ => {
                self.wrong_type(node, &format!("a {} is named here", kind.noun()));
                return None;
            }
        };
        self.operation_named(&name, parameters, kind, grids)
    }

    /// The same where name and parameters are already apart.
    pub fn operation_named(
        &mut self,
        name: &Named,
        parameters: Option<&Node>,
        kind: Kind,
        grids: Grids,
    ) -> Option<Vec<(Use, String)>> {
        let entry = self.entry(name, kind)?;
        let written = match parameters.filter(|node| node.kind != Syntax::Null) {
            None => {
                let schema = (entry.schema)().to_value();
                let nothing = self.required(&entry, &schema, None, name.span);
                nothing.then(Written::default)
            }
            Some(node) => self.parameters(node, &entry, grids),
        }?;
        self.settings(&entry, written, name.span)
    }

    /// Looks an operation up; says what it is when it belongs elsewhere.
    pub fn entry(&mut self, name: &Named, kind: Kind) -> Option<Entry> {
        match self.catalog.get(&name.name).or_else(|| self.without_verb(name, kind)) {
            Some(entry) if entry.kind == kind => Some(*entry),
            Some(entry) => {
                let message = format!(
                    "`{}` is a {}, and a {} belongs here",
                    name.name,
                    entry.kind.noun(),
                    kind.noun()
                );
                self.error(Code::WRONG_KIND, name.span, message);
                None
            }
            None => {
                let list: Vec<&str> =
                    self.catalog.of_kind(kind).map(|entry| entry.about.name).collect();
                let fault = Diagnostic::error(
                    Code::UNKNOWN_NAME,
                    Place::Study(name.span),
                    format!("there is no {} `{}`", kind.noun(), name.name),
                )
                .suggest(&name.name, list.iter().copied());
                // A slip of the pen needs no list.
                let all = kind == Kind::TableStep && name.name == "all";
                let fault = match fault.label {
                    _ if all => fault.hint(ALL),
                    Some(_) => fault.hint("`restudy ops` lists all of them"),
                    None => fault.hint(format!("there is: {}", list.join(", "))),
                };
                let random = kind == Kind::Tuner && name.name.starts_with("random");
                let fault = if random { fault.hint(RANDOM_SEARCH) } else { fault };
                self.push(fault);
                None
            }
        }
    }

    /// A step whose verb was left out, such as `combat` for `harmonise_combat`, if only one can be
    /// meant.
    fn without_verb(&self, name: &Named, kind: Kind) -> Option<&Entry> {
        let verbless = |entry: &&Entry| {
            let parts = entry.about.name.split_once('_');
            kind == Kind::TableStep && parts.is_some_and(|(_, noun)| noun == name.name)
        };
        let mut meant = self.catalog.of_kind(kind).filter(verbless);
        meant.next().filter(|_| meant.next().is_none())
    }

    /// The parameters of an operation, each with its values.
    fn parameters(
        &mut self,
        node: &Node,
        entry: &Entry,
        grids: Grids,
    ) -> Option<Written> {
        let before = self.faults.len();
        let fields =
            self.named(node, &format!("the parameters of `{}`", entry.about.name))?;
        let schema = (entry.schema)().to_value();
        let empty = Map::new();
        let known = schema.get("properties").and_then(Json::as_object).unwrap_or(&empty);
        let mut written = Written::default();
        let tunable = |schema: &Json| schema.get("x-tunable") == Some(&Json::Bool(true));
        let draws = fields
            .get("draws")
            .filter(|_| grids == Grids::Allowed && known.values().any(tunable));
        if let Some(node) = draws {
            written.draws = self.count(node, "`draws`").map(|n| n as usize);
            if written.draws.is_some_and(|n| n == 0 || n > MOST_SETTINGS) {
                let message = format!("`draws` is between 1 and {MOST_SETTINGS}");
                self.error(Code::OUT_OF_RANGE, node.span, message);
            }
        }
        for (key, value) in fields.iter() {
            if draws.is_some() && key.name == "draws" {
                continue;
            }
            let Some(of_key) = known.get(&key.name) else {
                let names = known.keys().map(String::as_str);
                let list: Vec<&str> = names.clone().collect();
                let fault = Diagnostic::error(
                    Code::UNKNOWN_KEY,
                    Place::Study(key.span),
                    format!("`{}` has no parameter `{}`", entry.about.name, key.name),
                )
                .suggest(&key.name, names)
                .hint(match list.is_empty() {
                    true => format!("`{}` has no parameters", entry.about.name),
                    false => format!("its parameters are: {}", list.join(", ")),
                });
                self.push(fault);
                continue;
            };
            let what = format!("`{}` of `{}`", key.name, entry.about.name);
            let range = match between(value) {
                Some(ends) if tunable(of_key) && grids == Grids::Allowed => {
                    if draws.is_none() {
                        let fault = Diagnostic::error(
                            Code::NO_GRID,
                            Place::Study(value.span),
                            format!(
                                "{what} is a range, and nobody says how often to draw"
                            ),
                        );
                        self.push(
                            fault.hint("add `draws: 30`, or write a list of values"),
                        );
                    }
                    self.range_of(value, ends, of_key, &schema, &what)
                }
                _ => {
                    Some(Range::Listed(self.values(value, of_key, &schema, &what, grids)))
                }
            };
            written.ranges.extend(range.map(|range| (key.name.clone(), range)));
            written.keys.push(Named { name: key.name.clone(), span: key.span });
        }
        self.required(entry, &schema, Some(&fields), fields.span);
        let several = |(_, range): &(String, Range)| match range {
            Range::Listed(values) => values.len() > 1,
            Range::Between { .. } => true,
        };
        if let (Some(key), true) = (fields.key("draws"), self.faults.len() == before)
            && written.draws.is_some()
            && !written.ranges.iter().any(several)
        {
            let message = format!(
                "`draws` of `{}` has no effect: no parameter has several values",
                entry.about.name
            );
            self.push(
                Diagnostic::error(Code::NO_EFFECT, Place::Study(key.span), message)
                    .hint("what is drawn from is a range, `{ between: [low, high] }`, or a list"),
            );
        }
        (self.faults.len() == before).then_some(written)
    }

    /// Whether everything is given that has no default; names what is not.
    fn required(
        &mut self,
        entry: &Entry,
        schema: &Json,
        given: Option<&Fields<'_>>,
        span: Span,
    ) -> bool {
        let required =
            schema.get("required").and_then(Json::as_array).into_iter().flatten();
        let before = self.faults.len();
        for name in required.filter_map(Json::as_str) {
            if given.is_none_or(|fields| fields.get(name).is_none()) {
                let message = format!("`{}` needs `{name}`", entry.about.name);
                let fault =
                    Diagnostic::error(Code::MISSING_KEY, Place::Study(span), message);
                let of = schema.pointer(&format!("/properties/{name}"));
                self.push(match meaning(of) {
                    Some(meaning) => fault.hint(format!("`{name}` means: {meaning}")),
                    None => fault,
                });
            }
        }
        self.faults.len() == before
    }

    /// `{ between: [low, high], scale: log }`.
    fn range_of(
        &mut self,
        node: &Node,
        ends: &Node,
        schema: &Json,
        root: &Json,
        what: &str,
    ) -> Option<Range> {
        let fields = self.named(node, what)?;
        for (key, _) in fields.iter() {
            if !["between", "scale"].contains(&key.name.as_str()) {
                let message = format!("a range has no key `{}`", key.name);
                let fault =
                    Diagnostic::error(Code::UNKNOWN_KEY, Place::Study(key.span), message)
                        .suggest(&key.name, ["between", "scale"]);
                self.push(
                    fault.hint("a range is `{ between: [low, high], scale: log }`"),
                );
            }
        }
        let scale = fields.get("scale");
        let scale = scale.and_then(|node| self.word(node, "`scale`", &["linear", "log"]));
        let mut numbers = Vec::new();
        for item in self.list(ends, "`between`") {
            numbers.extend(self.value(item, schema, root, what));
        }
        let whole = numbers.iter().all(Json::is_u64) && !accepts(schema, root, "number");
        let numbers: Vec<f64> = numbers.iter().filter_map(Json::as_f64).collect();
        let logarithmic = scale.as_deref() == Some("log");
        match numbers.as_slice() {
            [low, high] if low < high && (*low > 0.0 || !logarithmic) => {
                Some(Range::Between { low: *low, high: *high, logarithmic, whole })
            }
            _ => {
                let message = match logarithmic {
                    true => "`between` is two ascending numbers above 0",
                    false => "`between` is two ascending numbers",
                };
                self.error(Code::OUT_OF_RANGE, ends.span, message);
                None
            }
        }
    }

    /// The values of one parameter: one, or those of its grid.
    fn values(
        &mut self,
        node: &Node,
        schema: &Json,
        root: &Json,
        what: &str,
        grids: Grids,
    ) -> Vec<Json> {
        let tunable = schema.get("x-tunable") == Some(&Json::Bool(true));
        let is_list = accepts(schema, root, "array");
        let grid = match &node.kind {
            Syntax::List(items) if !is_list => Some(items.as_slice()),
            Syntax::Map(entries) if is_list => match entries.as_slice() {
                [(key, Node { kind: Syntax::List(items), .. })] if key.name == "grid" => {
                    Some(items.as_slice())
                }
                _ => None,
            },
            _ => None,
        };
        let Some(items) = grid else {
            return self.value(node, schema, root, what).into_iter().collect();
        };
        if !tunable || grids == Grids::Refused {
            let reason = match tunable {
                false => format!("{what} takes one value: it is not tunable"),
                true => format!(
                    "{what} takes one value here: grids belong to `prepare`, `select` and `learn`"
                ),
            };
            self.error(Code::NO_GRID, node.span, reason);
            return Vec::new();
        }
        if items.is_empty() {
            self.error(Code::WRONG_TYPE, node.span, format!("{what} is an empty list"));
        }
        let mut values = Vec::new();
        for item in items {
            let value = self.value(item, schema, root, what);
            if value.as_ref().is_some_and(|value| values.contains(value)) {
                self.error(
                    Code::DUPLICATE_KEY,
                    item.span,
                    format!("{what} has this value twice"),
                );
            }
            values.extend(value);
        }
        values
    }

    /// One value, checked against its schema.
    fn value(
        &mut self,
        node: &Node,
        schema: &Json,
        root: &Json,
        what: &str,
    ) -> Option<Json> {
        let schema = resolve(schema, root);
        if let Some(alternatives) = alternatives(schema) {
            return self.alternative(node, alternatives, root, what);
        }
        if let Some(words) = words(schema) {
            let written = self.written(node.span);
            let scalar = matches!(node.kind, Syntax::Number(_) | Syntax::Bool(_));
            // Quotes help only where there is such a word.
            if scalar && !words.contains(&written.as_str()) {
                self.no_such_word(node, &written, &words, &[], what);
                return None;
            }
            let text = self.text(node, what)?;
            if words.contains(&text.name.as_str()) {
                return Some(Json::from(text.name));
            }
            self.no_such_word(node, &text.name, &words, &[], what);
            return None;
        }
        let is = |kind: &str| accepts(schema, root, kind);
        match &node.kind {
            // A category such as 1 is text all the same; one that YAML reads as another number
            // than was written, such as 02, needs its quotes.
            Syntax::Number(number)
                if is("string")
                    && is("integer")
                    && self.written(node.span) == number.to_string() =>
            {
                Some(Json::from(number.to_string()))
            }
            Syntax::Number(_) if is("string") => {
                self.text(node, what).map(|text| Json::from(text.name))
            }
            Syntax::Null if is("null") => Some(Json::Null),
            Syntax::Bool(value) if is("boolean") => Some(Json::from(*value)),
            Syntax::Number(number)
                if is("number") || (is("integer") && whole(number)) =>
            {
                self.in_range(node, number, schema, what)
            }
            Syntax::Number(_) if is("integer") => {
                self.wrong_type_of(node, what, "a whole number");
                None
            }
            _ if is("string") => self.text(node, what).map(|text| Json::from(text.name)),
            Syntax::Map(_) if is("object") => self.object(node, schema, root, what),
            Syntax::List(items) if is("array") => {
                let of_item = schema.get("items").cloned().unwrap_or(Json::Bool(true));
                let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
                if (items.len() as u64) < least {
                    let message = format!("{what} needs at least {least} values");
                    self.error(Code::OUT_OF_RANGE, node.span, message);
                    return None;
                }
                let values: Vec<Option<Json>> = items
                    .iter()
                    .map(|item| self.value(item, &of_item, root, what))
                    .collect();
                values.into_iter().collect::<Option<Vec<Json>>>().map(Json::from)
            }
            _ => {
                let needed =
                    schema.get("type").map_or("another value".to_string(), needed);
                self.wrong_type_of(node, what, &needed);
                None
            }
        }
    }

    /// Says which words there are, and what else may stand there.
    fn no_such_word(
        &mut self,
        node: &Node,
        written: &str,
        words: &[&str],
        others: &[String],
        what: &str,
    ) {
        let others: String = others.iter().map(|other| format!("{other} or ")).collect();
        let fault = Diagnostic::error(
            Code::OUT_OF_RANGE,
            Place::Study(node.span),
            format!("{what} cannot be `{written}`"),
        )
        .suggest(written, words.iter().copied())
        .hint(format!("expected {others}one of: {}", words.join(", ")));
        self.push(fault);
    }

    /// A map whose keys the schema names, or of which it names the values alone.
    fn object(
        &mut self,
        node: &Node,
        schema: &Json,
        root: &Json,
        what: &str,
    ) -> Option<Json> {
        let before = self.faults.len();
        let fields = self.named(node, what)?;
        let known = schema.get("properties").and_then(Json::as_object);
        let any = schema.get("additionalProperties").filter(|of| of.is_object());
        let mut object = Map::new();
        for (key, value) in fields.iter() {
            let of_key = known.and_then(|known| known.get(&key.name)).or(any);
            let Some(of_key) = of_key else {
                let names = known.into_iter().flatten().map(|(name, _)| name.as_str());
                let list: Vec<&str> = names.clone().collect();
                let fault = Diagnostic::error(
                    Code::UNKNOWN_KEY,
                    Place::Study(key.span),
                    format!("{what} has no key `{}`", key.name),
                )
                .suggest(&key.name, names)
                .hint(format!("expected one of: {}", list.join(", ")));
                self.push(fault);
                continue;
            };
            let what = format!("`{}` in {what}", key.name);
            if let Some(value) = self.value(value, of_key, root, &what) {
                object.insert(key.name.clone(), value);
            }
        }
        let required =
            schema.get("required").and_then(Json::as_array).into_iter().flatten();
        for name in required.filter_map(Json::as_str) {
            if fields.get(name).is_none() {
                let message = format!("{what} needs `{name}`");
                self.error(Code::MISSING_KEY, fields.span, message);
            }
        }
        (self.faults.len() == before).then(|| Json::Object(object))
    }

    /// The first of several forms that fits; if none does, all are named.
    fn alternative(
        &mut self,
        node: &Node,
        forms: &[Json],
        root: &Json,
        what: &str,
    ) -> Option<Json> {
        let before = self.faults.len();
        let mut nearest: Option<Vec<Diagnostic>> = None;
        for form in forms {
            if let Some(value) = self.value(node, form, root, what) {
                self.faults.truncate(before);
                return Some(value);
            }
            let faults = self.faults.split_off(before);
            // A value of the right type that is out of range says more than a wrong type.
            let says_more = |faults: &Vec<Diagnostic>| {
                faults.iter().any(|fault| {
                    [Code::OUT_OF_RANGE, Code::UNKNOWN_KEY, Code::MISSING_KEY]
                        .contains(&fault.code)
                })
            };
            if nearest.as_ref().is_none_or(|n| says_more(&faults) && !says_more(n)) {
                nearest = Some(faults);
            }
        }
        let forms = || forms.iter().map(|form| resolve(form, root));
        let words: Vec<&str> = forms().filter_map(words).flatten().collect();
        let others: Vec<String> = forms().filter_map(described).collect();
        if let (Syntax::Text(text), false) = (&node.kind, words.is_empty()) {
            self.no_such_word(node, text, &words, &others, what);
            return None;
        }
        self.faults.extend(nearest.unwrap_or_default());
        None
    }

    fn in_range(
        &mut self,
        node: &Node,
        number: &serde_json::Number,
        schema: &Json,
        what: &str,
    ) -> Option<Json> {
        let value = number.as_f64()?;
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let least = bound("minimum");
        let most = bound("maximum");
        let above = bound("exclusiveMinimum");
        let below = bound("exclusiveMaximum");
        let inside = least.is_none_or(|least| value >= least)
            && most.is_none_or(|most| value <= most)
            && above.is_none_or(|above| value > above)
            && below.is_none_or(|below| value < below);
        if inside {
            return Some(Json::Number(number.clone()));
        }
        let mut range = Vec::new();
        range.extend(least.map(|least| format!("at least {least}")));
        range.extend(above.map(|above| format!("above {above}")));
        range.extend(most.map(|most| format!("at most {most}")));
        range.extend(below.map(|below| format!("below {below}")));
        let message = format!("{what} is {}, and this is {value}", range.join(" and "));
        self.error(Code::OUT_OF_RANGE, node.span, message);
        None
    }

    fn wrong_type_of(&mut self, node: &Node, what: &str, needed: &str) {
        self.wrong_type(node, &format!("{what} is {needed}"));
    }

    fn too_many(&mut self, span: Span, n: usize) {
        let message =
            format!("the grid has {n} points, and at most {MOST_SETTINGS} are tried");
        self.error(Code::TOO_LARGE, span, message);
    }

    /// Every combination of the values, the last parameter fastest.
    fn product(
        &mut self,
        ranges: Vec<(String, Range)>,
        span: Span,
    ) -> Option<Vec<Combination>> {
        let mut listed = Vec::new();
        for (name, range) in ranges {
            match range {
                Range::Listed(values) => listed.push((name, values)),
                Range::Between { .. } => return None, // A range without draws is named already.
            }
        }
        let n =
            listed.iter().fold(1usize, |n, (_, values)| n.saturating_mul(values.len()));
        if n > MOST_SETTINGS {
            self.too_many(span, n);
            return None;
        }
        let mut combinations: Vec<Combination> = vec![Default::default()];
        for (name, values) in listed {
            let is_grid = values.len() > 1;
            combinations = combinations
                .into_iter()
                .flat_map(|(map, texts)| {
                    let name = &name;
                    values.iter().map(move |value| {
                        let (mut map, mut texts) = (map.clone(), texts.clone());
                        map.insert(name.clone(), value.clone());
                        if is_grid {
                            texts.push(format!("{name} = {}", plain(value)));
                        }
                        (map, texts)
                    })
                })
                .collect();
        }
        Some(combinations)
    }

    /// Settings drawn at random, each once. The d-th draw of a parameter depends on the seed, the
    /// operation, the parameter and d alone, so more draws move none of the earlier ones.
    fn drawn(
        &self,
        entry: &Entry,
        ranges: &[(String, Range)],
        draws: usize,
    ) -> Vec<Combination> {
        let mut combinations: Vec<Combination> = Vec::new();
        for draw in 0..draws {
            let (mut map, mut texts) = Combination::default();
            for (name, range) in ranges {
                let value = match range {
                    Range::Listed(values) if values.is_empty() => continue,
                    Range::Listed(values) if values.len() == 1 => values[0].clone(),
                    range => {
                        let fields = [
                            "search",
                            entry.about.name,
                            name.as_str(),
                            &draw.to_string(),
                        ];
                        let value = range.at(Stream::new(self.seed, &fields).uniform());
                        texts.push(format!("{name} = {}", plain(&value)));
                        value
                    }
                };
                map.insert(name.clone(), value);
            }
            if !combinations.iter().any(|(known, _)| *known == map) {
                combinations.push((map, texts));
            }
        }
        combinations
    }

    /// Every setting of an operation.
    fn settings(
        &mut self,
        entry: &Entry,
        written: Written,
        span: Span,
    ) -> Option<Vec<(Use, String)>> {
        let before = self.faults.len();
        let keys = written.keys;
        let combinations = match written.draws {
            Some(draws) => self.drawn(entry, &written.ranges, draws),
            None => self.product(written.ranges, span)?,
        };
        let mut uses = Vec::new();
        for (map, texts) in combinations {
            match Use::new(entry, &map, span) {
                Ok(used) => uses.push((used, texts.join(", "))),
                Err(error) => {
                    // A constraint that the schema cannot express: the type's own words.
                    let cause = std::error::Error::source(&error);
                    let message = cause.map_or(error.to_string(), ToString::to_string);
                    self.error(
                        Code::OUT_OF_RANGE,
                        span,
                        format!("`{}`: {message}", entry.about.name),
                    );
                    return None;
                }
            }
        }
        self.contradictions(&uses, &keys, span);
        self.without_effect(entry, &uses, &keys);
        // Settings that differ in what has no effect there are one.
        let mut seen = BTreeSet::new();
        uses.retain(|(used, _)| seen.insert(canonical_json(&used.applied())));
        (self.faults.len() == before).then_some(uses)
    }

    /// What is wrong with parameters beside each other.
    fn contradictions(&mut self, uses: &[(Use, String)], keys: &[Named], span: Span) {
        let mut problems = Problems::default();
        for (used, _) in uses {
            match &used.instance {
                Instance::TableStep(step) => step.check(&mut problems),
                Instance::Learner(learner) => learner.check(&mut problems),
                Instance::Calibrator(rule) => rule.check(&mut problems),
                Instance::Derivation(of) => of.check(&mut problems),
                _ => {}
            }
        }
        let mut said: Vec<Problem> = Vec::new();
        for problem in problems.into_vec() {
            if said.contains(&problem) {
                continue;
            }
            let named = |key: &&Named| problem.parameter == Some(key.name.as_str());
            let key = keys.iter().find(named);
            let code = match (problem.parameter, key) {
                (Some(_), None) => Code::MISSING_KEY,
                _ => Code::OUT_OF_RANGE,
            };
            let place = Place::Study(key.map_or(span, |key| key.span));
            let mut fault = Diagnostic::error(code, place, problem.message.clone());
            fault.hints.extend(problem.hint.clone());
            self.push(fault);
            said.push(problem);
        }
    }

    /// Parameters that the author wrote and that change nothing in any setting.
    fn without_effect(&mut self, entry: &Entry, uses: &[(Use, String)], keys: &[Named]) {
        let applied: Vec<Json> = uses.iter().map(|(used, _)| used.applied()).collect();
        let defaults = (entry.defaults)();
        for key in keys {
            let name = key.name.as_str();
            let set = || uses.iter().map(|(used, _)| &used.parameters[name]);
            let idle = || set().zip(&applied).map(|(set, to)| *set != to[name]);
            let as_by_default = set().map(|set| *set == defaults[name]);
            if !idle().any(|idle| idle)
                || !idle().zip(as_by_default).all(|(idle, default)| idle || default)
            {
                continue;
            }
            let place = Place::Study(key.span);
            let operation = entry.about.name;
            let message =
                format!("`{name}` of `{operation}` has no effect beside the others");
            let fault = Diagnostic::error(Code::NO_EFFECT, place, message);
            let schema = (entry.schema)().to_value();
            let of = schema.pointer(&format!("/properties/{name}"));
            self.push(match meaning(of) {
                Some(meaning) => fault.hint(format!("`{name}` means: {meaning}")),
                None => fault,
            });
        }
    }

    /// Steps in order → every setting of all their grids.
    pub fn chain(&mut self, nodes: &[Node], kind: Kind, span: Span) -> Option<Chain> {
        let mut settings = vec![ChainSetting { steps: Vec::new(), text: String::new() }];
        let mut names = Vec::new();
        let mut sound = true;
        for node in nodes {
            let Some(step) = self.operation(node, kind, Grids::Allowed) else {
                sound = false;
                continue;
            };
            names.extend(step.first().map(|(used, _)| used.about.name));
            let n = settings.len().saturating_mul(step.len());
            if n > MOST_SETTINGS {
                self.too_many(span, n);
                return None;
            }
            settings = settings
                .into_iter()
                .flat_map(|setting| {
                    step.iter().map(move |(used, text)| {
                        let mut setting = setting.clone();
                        setting.steps.push(used.clone());
                        if !text.is_empty() {
                            if !setting.text.is_empty() {
                                setting.text.push_str(", ");
                            }
                            setting.text.push_str(text);
                        }
                        setting
                    })
                })
                .collect();
        }
        sound.then(|| Chain { name: names.join("+"), span, settings })
    }
}

/// Follows a reference within the schema.
fn resolve<'s>(schema: &'s Json, root: &'s Json) -> &'s Json {
    let target = schema
        .get("$ref")
        .and_then(Json::as_str)
        .and_then(|path| path.strip_prefix('#'))
        .and_then(|path| root.pointer(path));
    target.map_or(schema, |target| resolve(target, root))
}

/// The forms of a value that has several.
fn alternatives(schema: &Json) -> Option<&[Json]> {
    let forms = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    // Words with documentation are alternatives to the schema, but one list to the author.
    (words(schema).is_none()).then_some(forms.as_slice())
}

/// The words that a value may be, if it is one of a list of words.
fn words(schema: &Json) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum").and_then(Json::as_array) {
        return words.iter().map(Json::as_str).collect();
    }
    if let Some(word) = schema.get("const").and_then(Json::as_str) {
        return Some(vec![word]);
    }
    let forms = schema.get("oneOf")?.as_array()?;
    let words: Option<Vec<Vec<&str>>> = forms.iter().map(words).collect();
    words.map(|words| words.concat())
}

/// What may be written by a form that is no word; nothing for what may be left out.
fn described(form: &Json) -> Option<String> {
    if words(form).is_some() {
        return None;
    }
    let properties = form.get("properties").and_then(Json::as_object);
    match (form.get("type")?, properties.and_then(|of| of.keys().next())) {
        (Json::String(kind), _) if kind == "null" => None,
        (_, Some(key)) => Some(format!("`{{ {key}: … }}`")),
        (kind, None) => Some(needed(kind)),
    }
}

/// What a parameter means, in the words of its documentation.
fn meaning(schema: Option<&Json>) -> Option<String> {
    let text = schema?.get("description")?.as_str()?;
    Some(text.replace('\n', " ").trim_end_matches('.').to_string())
}

/// The ends of a range, where one is written.
fn between(node: &Node) -> Option<&Node> {
    let Syntax::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.name == "between").map(|(_, ends)| ends)
}

/// Whether a value of this JSON type fits.
fn accepts(schema: &Json, root: &Json, kind: &str) -> bool {
    let schema = resolve(schema, root);
    if let Some(forms) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        let mut forms = forms.as_array().into_iter().flatten();
        return forms.any(|form| accepts(form, root, kind));
    }
    match schema.get("type") {
        Some(Json::String(known)) => known == kind,
        Some(Json::Array(known)) => known.iter().any(|known| known == kind),
        _ => kind == "string" && schema.get("enum").is_some(),
    }
}

fn needed(of_type: &Json) -> String {
    match of_type {
        Json::String(name) => match name.as_str() {
            "integer" => "a whole number".to_string(),
            "number" => "a number".to_string(),
            "string" => "text".to_string(),
            "boolean" => "true or false".to_string(),
            "array" => "a list".to_string(),
            _ => "a map".to_string(),
        },
        Json::Array(names) => names.iter().map(needed).collect::<Vec<_>>().join(" or "),
        _ => "another value".to_string(),
    }
}

fn whole(number: &serde_json::Number) -> bool {
    number.is_u64() || number.is_i64()
}

/// A value as in the name of a grid point.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
