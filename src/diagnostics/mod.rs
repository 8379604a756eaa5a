//! How we point at a mistake: a code, a place, what was found, what to do.
//!
//! Collecting only. Drawing the excerpt is `render`, deciding what is wrong is everybody else's.

mod codes;
mod render;

pub use codes::{CODES, Code, explain};
pub use render::{as_json, render, visible};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A stretch of the study's text, in bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Hash,
    Serialize,
    Deserialize,
)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Nothing runs before this is changed.
    Error,
    /// The study runs; the report repeats the warning.
    Warning,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// In the study's text.
    Study(Span),
    /// In another file; the line counts from 1.
    File { path: PathBuf, line: Option<usize> },
    /// Nowhere in particular.
    Nowhere,
}

/// One thing that somebody must change, or should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub place: Place,
    pub message: String,
    /// Printed under the marked text.
    pub label: Option<String>,
    /// What to do about it, most useful first.
    pub hints: Vec<String>,
}

impl Diagnostic {
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            place,
            message: message.into(),
            label: None,
            hints: Vec::new(),
        }
    }

    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds "did you mean" when one of `known` is near to what was written.
    pub fn suggest<'a>(
        mut self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        if let Some(near) = nearest(written, known) {
            self.label = Some(format!("did you mean `{near}`?"));
        }
        self
    }
}

/// Errors first by place, then warnings by place: the order in which they are shown.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        (&a.place, a.severity, a.code, &a.message)
            .cmp(&(&b.place, b.severity, b.code, &b.message))
    });
    diagnostics.dedup();
}

/// Whether anything among them stops the study.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// The known name nearest to `written`, if it is near enough to be a slip of the pen.
pub fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| {
            let folded = name.to_lowercase() == written.to_lowercase();
            let distance = strsim::damerau_levenshtein(written, name);
            (if folded { 0 } else { distance }, name)
        })
        .filter(|(distance, name)| *distance <= name.len().max(written.len()) / 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let known = ["impute_median", "scale_zscore", "anova"];
        assert_eq!(nearest("impute_medain", known), Some("impute_median"));
        assert_eq!(nearest("ANOVA", known), Some("anova"));
        assert_eq!(nearest("random_forest", known), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
