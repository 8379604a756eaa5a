//! Marks of the seven statuses: each has a shape and a word, not a colour alone.

use crate::data::{Checklist, Status};

/// The shape alone, for where its word stands beside it or is hidden for the eye.
pub fn mark(status: Status) -> &'static str {
    match status {
        Status::Met => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="6" fill="currentColor"/><path d="M4 7.2L6.2 9.4L10 5" fill="none" stroke="var(--bg)" stroke-width="1.7"/></svg>"#
        }
        Status::Declared => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><rect x="1.5" y="1.5" width="11" height="11" rx="2" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M4 7L10 7" stroke="currentColor" stroke-width="1.8"/></svg>"#
        }
        Status::Partial => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M7 1.6A5.4 5.4 0 0 0 7 12.4Z" fill="currentColor"/></svg>"#
        }
        Status::Missing => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.4 1.8"/></svg>"#
        }
        Status::Conflict => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><path d="M7 0.6L13.4 7L7 13.4L0.6 7Z" fill="currentColor"/><path d="M7 4L7 7.6M7 9L7 10.3" stroke="var(--bg)" stroke-width="1.6"/></svg>"#
        }
        Status::NotApplicable => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><path d="M3 7L11 7" stroke="currentColor" stroke-width="1.6"/></svg>"#
        }
        Status::Open => {
            r#"<svg viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>"#
        }
    }
}

/// Shape and word.
pub fn marked(status: Status, word: &str) -> String {
    format!("<span class=\"st s-{}\">{}{word}</span>", status.class(), mark(status))
}

/// A bar of the items of a standard by status, with its legend. HTML of this program; `number` gives a
/// count its place.
pub fn bar(list: &Checklist, number: &dyn Fn(Status) -> String) -> String {
    let present: Vec<Status> =
        Status::ALL.into_iter().filter(|status| list.count(*status) > 0).collect();
    let parts: String = present
        .iter()
        .filter(|status| **status != Status::NotApplicable)
        .map(|status| {
            format!(
                "<span class=\"b-{}\" style=\"flex:{}\"></span>",
                status.class(),
                list.count(*status)
            )
        })
        .collect();
    let words: Vec<String> = present
        .iter()
        .map(|s| format!("{} {}", list.count(*s), s.word().to_lowercase()))
        .collect();
    let legend: String = present
        .iter()
        .map(|status| marked(*status, &format!("{} {}", status.word(), number(*status))))
        .collect();
    format!(
        "<div class=\"cov\"><div class=\"bar\" role=\"img\" aria-label=\"{} coverage: {}\">{parts}\
         </div><div class=\"leg\">{legend}</div></div>",
        list.title,
        words.join(", ")
    )
}
