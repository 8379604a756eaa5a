//! YAML text → a tree whose every key and value knows its place.
//!
//! Nothing is interpreted here. Keys given twice are kept, so that each can be pointed at.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

use crate::diagnostics::{Code, Diagnostic, Place, Span};

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

/// What a value of YAML is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub name: String,
    pub span: Span,
    /// A number, truth value or collection, where text was meant.
    pub is_text: bool,
}

/// The tree, or why there is none.
pub fn parse(text: &str) -> Result<Node, Box<Diagnostic>> {
    if text.trim().is_empty() {
        let place = Place::Study(Span::default());
        let fault = Diagnostic::error(Code::NOT_YAML, place, "the file is empty");
        return Err(Box::new(
            fault.hint("`restudy schema` describes what a study holds"),
        ));
    }
    let options = serde_yaml::options! {
        duplicate_keys: serde_yaml::options::DuplicateKeyPolicy::PassThrough,
        // Or a name such as `y` would become a truth value behind its author's back.
        strict_booleans: true,
        // An infinite number is told by the reader, together with everything else that is wrong.
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
    };
    match serde_yaml::from_str_with_options::<Node>(text, options) {
        Ok(mut node) => {
            narrow(&mut node, text);
            Ok(node)
        }
        Err(error) => Err(Box::new(not_yaml(error.without_snippet(), text))),
    }
}

fn not_yaml(error: &serde_yaml::Error, text: &str) -> Diagnostic {
    let span =
        error.location().map_or(Span::default(), |location| located(&location, text));
    use serde_yaml::Error as Yaml;
    let too_large = matches!(
        error,
        Yaml::Budget { .. }
            | Yaml::AliasReplayLimitExceeded { .. }
            | Yaml::AliasExpansionLimitExceeded { .. }
            | Yaml::AliasReplayStackDepthExceeded { .. }
    );
    // Within a nested value the parser gives the same error as words only.
    let too_large = too_large || error.to_string().starts_with("budget breached");
    match error {
        Yaml::MultipleDocuments { .. } => Diagnostic::error(
            Code::NOT_YAML,
            Place::Study(span),
            "a study is one YAML document, and `---` begins another",
        )
        .hint("leave `---` out, or write a file for each"),
        _ if too_large => Diagnostic::error(
            Code::TOO_LARGE,
            Place::Study(span),
            "the text unfolds to more than a study can hold",
        )
        .hint("write the values out instead of nesting aliases"),
        other => {
            let message = other.to_string();
            let message = message.lines().next().unwrap_or("it cannot be read");
            // The place is drawn, so the parser's own words for it are left out.
            let message = message.split(" at line ").next().unwrap_or(message);
            let place = Place::Study(span);
            let said = format!("this is not YAML: {message}");
            let fault = Diagnostic::error(Code::NOT_YAML, place, said);
            if message.contains("tabs") {
                fault.hint("indent with spaces")
            } else if message.contains("mapping values are not allowed") {
                fault.hint("a text that holds `: ` stands in quotes: \"Glioma: a study\"")
            } else {
                fault
            }
        }
    }
}

/// The place of an error; the scanner knows some by line and column only.
fn located(location: &Location, text: &str) -> Span {
    if location.span().byte_offset().is_some_and(|offset| offset > 0) {
        let span = place(location);
        return Span { start: span.start.min(text.len()), end: span.end.min(text.len()) };
    }
    let before = (location.line() as usize).saturating_sub(1);
    let line: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let rest = text.get(line..).unwrap_or("");
    let column = (location.column() as usize).saturating_sub(1);
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    Span { start: line + within, end: line + within }
}

fn place(location: &Location) -> Span {
    let span = location.span();
    let start = span.byte_offset().unwrap_or(0) as usize;
    let length = span.byte_len().unwrap_or(0) as usize;
    Span { start, end: start + length }
}

/// Parsers give collections the place where they begin, and scalars sometimes too much: every
/// span ends within its line, before a comment and trailing blanks.
fn narrow(node: &mut Node, text: &str) {
    cut(&mut node.span, text);
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| narrow(item, text)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                cut(&mut key.span, text);
                narrow(value, text);
            }
        }
        _ => {}
    }
}

fn cut(span: &mut Span, text: &str) {
    span.start = span.start.min(text.len());
    let Some(rest) = text.get(span.start..) else { return };
    let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let wanted = match span.end.saturating_sub(span.start) {
        0 => line,
        length => length.min(line),
    };
    let Some(shown) = rest.get(..wanted) else { return };
    let quoted = shown.starts_with(['"', '\'']);
    let comment = if quoted { None } else { shown.find(" #") };
    let shown = comment.map_or(shown, |at| &shown[..at]).trim_end();
    span.end = span.start + shown.len().max(usize::from(line > 0));
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { span: place(&spanned.defined), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyKind)
    }
}

struct AnyKind;

impl<'de> Visitor<'de> for AnyKind {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Kind, D::Error> {
        Kind::deserialize(inner)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Kind, E> {
        let number = serde_json::Number::from_f64(value);
        number.map(Kind::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<Kind>>()? {
            let is_text = matches!(key.value, Kind::Text(_));
            let name = match key.value {
                Kind::Text(text) => text,
                Kind::Bool(value) => value.to_string(),
                Kind::Number(number) => number.to_string(),
                Kind::Null | Kind::List(_) | Kind::Map(_) => String::new(),
            };
            let key = Key { name, is_text, span: place(&key.defined) };
            map.push((key, entries.next_value()?));
        }
        Ok(Kind::Map(map))
    }
}

impl Kind {
    /// What it is, in words for messages.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(node: &Node) -> &[(Key, Node)] {
        match &node.kind {
            Kind::Map(entries) => entries,
            other => panic!("a map was expected, not {other:?}"),
        }
    }

    fn shown(text: &str, span: Span) -> &str {
        &text[span.start..span.end]
    }

    #[test]
    fn places_are_right_in_every_style() {
        let text = "é: ü # comment\r\nlist: [a, {k: 02}]\nblock:\n  - x\n  - 'q y'\n";
        let tree = parse(text).unwrap();
        let entries = map(&tree);
        assert_eq!(shown(text, entries[0].0.span), "é");
        assert_eq!(shown(text, entries[0].1.span), "ü");
        let Kind::List(items) = &entries[1].1.kind else { panic!() };
        assert_eq!(shown(text, items[0].span), "a");
        assert_eq!(shown(text, map(&items[1])[0].1.span), "02");
        let Kind::List(items) = &entries[2].1.kind else { panic!() };
        assert_eq!(shown(text, items[1].span), "'q y'");
    }

    #[test]
    fn names_are_names() {
        let tree = parse("y: n\nno: yes\nt: true\n").unwrap();
        let entries = map(&tree);
        let names: Vec<&str> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
        assert_eq!(names, ["y", "no", "t"]);
        assert_eq!(entries[0].1.kind, Kind::Text("n".to_string()));
        assert_eq!(entries[2].1.kind, Kind::Bool(true));
    }

    #[test]
    fn what_stands_behind_an_alias_has_the_place_where_it_was_written() {
        let text = "a: &x {k: word}\nb: *x\n";
        let tree = parse(text).unwrap();
        let entries = map(&tree);
        assert_eq!(shown(text, map(&entries[1].1)[0].1.span), "word");
        let text = "a: \"one # two\" # three\n";
        assert_eq!(shown(text, map(&parse(text).unwrap())[0].1.span), "\"one # two\"");
    }

    #[test]
    fn keys_that_are_no_text_and_numbers_without_end_are_kept_for_the_reader() {
        let tree = parse("02: x\nb: .inf\nc: 1e999\n").unwrap();
        let entries = map(&tree);
        assert!(!entries[0].0.is_text && entries[1].0.is_text);
        assert_eq!(entries[1].1.kind, Kind::Text(".inf".to_string()));
        assert!(matches!(entries[2].1.kind, Kind::Text(_)));
        assert!(parse("a: !python/object x\n").is_err());
    }

    #[test]
    fn a_key_given_twice_is_kept_twice() {
        let tree = parse("a: 1\nb: 2\na: 3\n").unwrap();
        let names: Vec<&str> =
            map(&tree).iter().map(|(key, _)| key.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "a"]);
    }

    #[test]
    fn bombs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let alias = format!("*a{}", level - 1);
            let nine = vec![alias; 9].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{nine}]\n"));
        }
        assert_eq!(parse(&text).unwrap_err().code, Code::TOO_LARGE, "{:?}", parse(&text));
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            drop(parse(&text));
        }
    }
}
