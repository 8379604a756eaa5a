//! Draws a diagnostic with an excerpt of the study, as compilers do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Place, Severity};

/// The diagnostic as text, without a trailing line break; `colour` for terminals only.
pub fn render(diagnostic: &Diagnostic, path: &str, source: &str, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut title =
        Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code.0));
    let where_else;
    match &diagnostic.place {
        Place::Study(span) => {
            let span = on_boundaries(source, span.start, span.end);
            let annotation = AnnotationKind::Primary.span(span);
            let annotation = match &diagnostic.label {
                Some(label) => annotation.label(label),
                None => annotation,
            };
            title =
                title.element(Snippet::source(source).path(path).annotation(annotation));
        }
        Place::File { path, line } => {
            where_else = visible(&match line {
                Some(line) => format!("in {}, line {line}", path.display()),
                None => format!("in {}", path.display()),
            });
            title = title.element(Level::NOTE.message(&where_else));
        }
        Place::Nowhere => {}
    }
    let mut groups = vec![title];
    // Messages are made safe where they are drawn, hints are not.
    let hints: Vec<String> = diagnostic.hints.iter().map(|hint| visible(hint)).collect();
    for hint in &hints {
        groups.push(Group::with_title(Level::HELP.secondary_title(hint)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&groups)
}

/// Text for a terminal, which obeys control characters: their pictures stand in their place, and a mark
/// in that of what turns the direction of reading.
pub fn visible(text: &str) -> String {
    let picture = |c: char| match c {
        '\n' | '\t' => c,
        '\u{7f}' => '␡',
        c if c < ' ' => char::from_u32('␀' as u32 + c as u32).unwrap_or(c),
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        c => c,
    };
    text.chars().map(picture).collect()
}

/// The span cut to the text and widened to whole characters, never empty within the text.
fn on_boundaries(source: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let mut start = start.min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = end.clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    if start == end && end < source.len() {
        end += source[end..].chars().next().map_or(0, char::len_utf8);
    }
    start..end
}

/// One fault for machines: place as file, line and column, counted from 1.
pub fn as_json(fault: &Diagnostic, path: &str, text: &str) -> serde_json::Value {
    let (file, line, column) = match &fault.place {
        Place::Study(span) => {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let start =
                before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
            (path.to_string(), Some(line), Some(column))
        }
        Place::File { path, line } => (path.display().to_string(), *line, None),
        Place::Nowhere => (path.to_string(), None, None),
    };
    serde_json::json!({
        "code": fault.code.0,
        "severity": format!("{:?}", fault.severity).to_lowercase(),
        "file": file, "line": line, "column": column,
        "message": fault.message, "label": fault.label, "hints": fault.hints,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Span};
    use super::*;

    #[test]
    fn the_excerpt_marks_the_place_and_gives_the_hint() {
        let source = "restudy: 1\ntitel: x\n";
        let diagnostic = Diagnostic::error(
            Code::UNKNOWN_KEY,
            Place::Study(Span { start: 11, end: 16 }),
            "unknown key `titel`",
        )
        .suggest("titel", ["title"])
        .hint("expected one of: title");
        let text = render(&diagnostic, "s.yaml", source, false);
        assert!(text.contains("error[E0101]: unknown key `titel`"), "{text}");
        assert!(text.contains("s.yaml:2:1"), "{text}");
        assert!(text.contains("did you mean `title`?"), "{text}");
        assert!(text.contains("help: expected one of"), "{text}");
    }

    #[test]
    fn a_terminal_gets_no_control_characters() {
        let fault = Diagnostic::error(Code::UNKNOWN_KEY, Place::Nowhere, "a \u{1b}[31m")
            .hint("its columns are: \u{1b}[2J\u{202e}");
        let text = render(&fault, "s", "", false);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert!(text.contains("its columns are: ␛[2J\u{fffd}"), "{text:?}");
    }

    #[test]
    fn any_span_of_any_text_can_be_drawn() {
        let source = "é\nü";
        for start in 0..8 {
            for end in 0..8 {
                let place = Place::Study(Span { start, end });
                render(
                    &Diagnostic::error(Code::NOT_YAML, place, "m"),
                    "s",
                    source,
                    false,
                );
            }
        }
    }
}
