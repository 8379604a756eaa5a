//! Where data come from and how their rows are named.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{Named, Use};
use crate::diagnostics::Span;
use crate::digest::Digest;
use crate::units::Unit;

/// A place where data come from.
#[derive(Clone)]
pub struct Source {
    pub name: String,
    pub span: Span,
    pub kind: SourceKind,
    pub licence: Option<String>,
    pub citation: Option<String>,
    pub provenance: Option<Provenance>,
    /// Whether the author says that its columns were made where the proof does not see.
    pub prepared_outside: Option<bool>,
    pub trained_on: Vec<String>,
}

/// Where bytes that are not published come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    pub citation: Option<String>,
    pub upstream: Option<String>,
    pub conversion: Option<String>,
}

/// What a source holds, and how it is read.
#[derive(Clone)]
pub enum SourceKind {
    /// One row per id; several files are stacked.
    Table { files: Vec<Origin>, reader: Use, keyed: Keyed },
    /// Mutations: any number of rows per id.
    Maf {
        files: Vec<Origin>,
        reader: Use,
        keyed: Keyed,
        /// The source whose ids are those of everybody who was sequenced.
        assayed: Option<Named>,
    },
    /// A volume and a mask per id.
    Images {
        from: ImageOrigin,
        reader: Use,
        unit: Unit,
        /// Whether the study names the unit.
        unit_written: bool,
    },
    /// Files made from the study's seed.
    Simulate { generator: Use },
}

impl Source {
    /// How its rows are named; none for images and generators.
    pub fn keyed(&self) -> Option<&Keyed> {
        match &self.kind {
            SourceKind::Table { keyed, .. } | SourceKind::Maf { keyed, .. } => {
                Some(keyed)
            }
            _ => None,
        }
    }

    /// What of it can change a result: no path and no place.
    pub fn identity(&self) -> Json {
        match &self.kind {
            SourceKind::Table { reader, keyed, .. } => {
                json!({ "table": reader.identity(), "keyed": keyed.identity() })
            }
            SourceKind::Maf { reader, keyed, assayed, .. } => json!({
                "maf": reader.identity(), "keyed": keyed.identity(),
                "assayed": assayed.as_ref().map(|named| &named.name),
            }),
            SourceKind::Images { reader, unit, .. } => {
                json!({ "images": reader.identity(), "unit": unit })
            }
            SourceKind::Simulate { generator } => {
                json!({ "simulate": generator.identity() })
            }
        }
    }

    /// Its files; none for images and generators.
    pub fn files(&self) -> &[Origin] {
        match &self.kind {
            SourceKind::Table { files, .. } | SourceKind::Maf { files, .. } => files,
            _ => &[],
        }
    }

    /// Whether it holds mutations.
    pub fn is_maf(&self) -> bool {
        matches!(self.kind, SourceKind::Maf { .. })
    }
}

/// How the rows of a table are named, and what its cells mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// Never empty.
    pub columns: Vec<Named>,
    pub separator: String,
    pub part: Part,
    /// Whether rows without an id are left out; refused otherwise.
    pub leaves_out_nameless: bool,
    pub sample: Option<Sample>,
    /// Cells of any column that mean "not known".
    pub missing: Vec<String>,
    pub cells: Vec<Cells>,
}

impl Keyed {
    pub fn identity(&self) -> Json {
        let columns: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        json!({
            "id": columns, "separator": self.separator, "part": self.part.identity(),
            "nameless": self.leaves_out_nameless,
            "sample": self.sample.as_ref().map(Sample::identity), "missing": self.missing,
            "cells": self.cells.iter().map(Cells::identity).collect::<Json>(),
        })
    }

    /// The columns that make the id.
    pub fn id_columns(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

/// The part of a text that counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Part {
    #[default]
    Whole,
    /// From the start as far as the pattern reaches: `?` is one character, `*` any text.
    Start { pattern: String, span: Span },
    /// Of a text that is the pattern, what stands in its brackets.
    Match { pattern: String, span: Span },
    /// By first and last character, from 1.
    At { first: usize, last: usize },
}

impl Part {
    pub fn identity(&self) -> Json {
        match self {
            Self::Whole => Json::Null,
            Self::Start { pattern, .. } => json!({ "start": pattern }),
            Self::Match { pattern, .. } => json!({ "match": pattern }),
            Self::At { first, last } => json!([first, last]),
        }
    }

    /// The part of `text`; `None` when it has none.
    pub fn of<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Whole => Some(text),
            Self::Start { pattern, .. } => {
                let pattern: Vec<char> = pattern.chars().collect();
                Some(&text[..prefix(&pattern, text)?])
            }
            Self::Match { pattern, .. } => captured(pattern, text),
            Self::At { first, last } => {
                let mut ends = text.char_indices().map(|(at, _)| at).skip(first - 1);
                let start = ends.next()?;
                let mut end = text.char_indices().map(|(at, c)| at + c.len_utf8());
                Some(&text[start..end.nth(last - 1)?])
            }
        }
    }
}

/// How many bytes at the start of `text` the pattern takes; `*` as few as it can.
fn prefix(pattern: &[char], text: &str) -> Option<usize> {
    match pattern.split_first() {
        None => Some(0),
        Some(('*', rest)) => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().find_map(|at| Some(at + prefix(rest, &text[at..])?))
        }
        Some((wanted, rest)) => {
            let found = text.chars().next()?;
            let fits = *wanted == '?' || *wanted == found;
            let after = &text[found.len_utf8()..];
            fits.then(|| prefix(rest, after)).flatten().map(|n| n + found.len_utf8())
        }
    }
}

/// What stands in the brackets of a pattern that is the whole text.
fn captured<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    fn walk(pattern: &[char], text: &str, at: usize) -> Option<(usize, usize)> {
        // Where the brackets opened and closed; the open one is what comes back last.
        match pattern.split_first() {
            None => (at == text.len()).then_some((0, text.len())),
            Some(('(', rest)) => walk(rest, text, at).map(|(_, end)| (at, end)),
            Some((')', rest)) => walk(rest, text, at).map(|(start, _)| (start, at)),
            Some(('*', rest)) => {
                let ends = text[at..].char_indices().map(|(end, _)| at + end);
                let mut ends = ends.chain([text.len()]);
                ends.find_map(|end| walk(rest, text, end))
            }
            Some((wanted, rest)) => {
                let found = text[at..].chars().next()?;
                let fits = *wanted == '?' || *wanted == found;
                fits.then(|| walk(rest, text, at + found.len_utf8())).flatten()
            }
        }
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let (start, end) = walk(&pattern, text, 0)?;
    text.get(start..end)
}

/// Which samples of a patient count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub column: Named,
    pub part: Part,
    /// All when empty.
    pub keep: Vec<String>,
    pub several: Several,
}

/// When a patient has several samples that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Several {
    Refuse,
    First,
    Any,
}

impl Sample {
    fn identity(&self) -> Json {
        let several = match self.several {
            Several::Refuse => "refuse",
            Several::First => "first",
            Several::Any => "any",
        };
        json!([self.column.name, self.part.identity(), self.keep, several])
    }
}

/// What the cells of one column mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    pub column: Named,
    pub unit: Option<String>,
    pub missing: Vec<String>,
    /// Categories, each with the spellings that mean it. Empty: as they stand.
    pub map: Vec<(String, Vec<String>)>,
    /// What all other spellings mean; `missing` for unknown.
    pub otherwise: Option<String>,
}

impl Cells {
    fn identity(&self) -> Json {
        json!([self.column.name, self.missing, self.map, self.otherwise])
    }
}

/// Where the bytes of a file come from.
#[derive(Clone)]
pub enum Origin {
    /// Relative paths are relative to the study file. What is not there may be in the store.
    File { path: PathBuf, digest: Option<Digest>, span: Span },
    /// Fetched once, then kept in the store.
    Url { url: String, digest: Digest, span: Span },
    /// A file of a simulated source.
    Simulated { source: Named },
}

impl Origin {
    pub fn span(&self) -> Span {
        match self {
            Self::File { span, .. } | Self::Url { span, .. } => *span,
            Self::Simulated { source } => source.span,
        }
    }

    /// As in messages.
    pub fn shown(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Url { url, .. } => url.clone(),
            Self::Simulated { source } => source.name.clone(),
        }
    }

    /// The digest that the author declared.
    pub fn declared(&self) -> Option<&Digest> {
        match self {
            Self::File { digest, .. } => digest.as_ref(),
            Self::Url { digest, .. } => Some(digest),
            Self::Simulated { .. } => None,
        }
    }
}

/// Where images and masks come from.
#[derive(Clone)]
pub enum ImageOrigin {
    /// `path` and `mask` hold `{id}`.
    Files {
        root: PathBuf,
        path: String,
        mask: String,
        span: Span,
    },
    Simulated {
        source: Named,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_of_ids() {
        let start = |pattern: &str| Part::Start {
            pattern: pattern.into(),
            span: Span::default(),
        };
        let whole = |pattern: &str| Part::Match {
            pattern: pattern.into(),
            span: Span::default(),
        };
        let cases = [
            (start("TCGA-??-????"), "TCGA-02-0003-01A", Some("TCGA-02-0003")),
            (start("TCGA-??-????"), "UCSF-02-0003", None),
            (start("*-*-"), "a-bc-d-e", Some("a-bc-")),
            (whole("(*)-*"), "KNBTG-015", Some("KNBTG")),
            (whole("R01-(???)"), "R01-005", Some("005")),
            (whole("R01-???"), "R01-005", Some("R01-005")),
            (whole("(*)-*"), "none", None),
            (Part::At { first: 6, last: 7 }, "TCGA-02-0003", Some("02")),
            (Part::At { first: 2, last: 2 }, "éüa", Some("ü")),
            (Part::At { first: 6, last: 7 }, "TCGA-0", None),
            (Part::Whole, "x", Some("x")),
        ];
        for (part, text, expected) in cases {
            assert_eq!(part.of(text), expected, "{part:?} of {text}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(pattern in "[a?*()é]{0,6}", text in "[aé-]{0,12}") {
            let span = Span::default();
            let parts = [Part::Match { pattern: pattern.clone(), span }, Part::Start { pattern, span }];
            for part in parts {
                prop_assert!(part.of(&text).is_none_or(|found| text.contains(found)));
            }
        }
    }
}
