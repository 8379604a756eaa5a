//! The size of the page. Where it would be too large, what stands in a file beside it gives way: first data
//! tables of figures, then other tables, then pictures, of each the largest first. In its place stands
//! which file has it.
//!
//! An element may give way that names its file as `data-file`. Elements without one never do.

use std::cmp::Reverse;
use std::ops::Range;

/// The largest page. Units: bytes.
pub const MOST: usize = 2_000_000;

/// What is told of a run has room beside that, so that what is left out never hangs on it. Units: bytes.
pub const OF_A_RUN: usize = 20_000;

/// What can give way, in the order in which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    DataTable,
    Table,
    Picture,
}

impl Kind {
    /// By the name of the element and all that stands in its first tag.
    fn of(element: &str, tag: &str) -> Option<Self> {
        match element {
            "details" => Some(Self::DataTable),
            "div" if tag.contains("class=\"strips\"") => Some(Self::Picture),
            "div" => Some(Self::Table),
            "svg" => Some(Self::Picture),
            _ => None,
        }
    }

    /// What stands in its place. HTML; `file` is escaped.
    fn instead(self, file: &str) -> String {
        let (what, has) = match self {
            Self::DataTable => ("data table", "all its rows"),
            Self::Table => ("table", "all its rows"),
            Self::Picture => ("picture", "it"),
        };
        format!(
            "<p class=\"sub\">This page would be too large with the {what} that belongs here; \
             <code>{file}</code> has {has}.</p>"
        )
    }
}

/// A part of a page that may give way.
struct Block {
    kind: Kind,
    /// Which of the texts has it, and where.
    text: usize,
    place: Range<usize>,
    instead: String,
}

/// What a page is left without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    pub tables: usize,
    pub pictures: usize,
    /// Nothing more can give way, and the page is still too large.
    pub still: bool,
}

/// Leaves out of the texts of a page as little as the rule lets, so that it is at least so many bytes
/// shorter.
pub fn reduced(texts: &mut [String], too_much: usize) -> LeftOut {
    let mut blocks: Vec<Block> =
        texts.iter().enumerate().flat_map(|(at, text)| blocks(at, text)).collect();
    // What is as short as the sentence in its place saves nothing.
    blocks.retain(|block| block.place.len() > block.instead.len());
    blocks.sort_by_key(|block| (block.kind, Reverse(block.place.len())));
    let mut saved = 0;
    let mut left_out = LeftOut { tables: 0, pictures: 0, still: false };
    let mut gone: Vec<Block> = Vec::new();
    for block in blocks {
        if saved >= too_much {
            break;
        }
        saved += block.place.len() - block.instead.len();
        match block.kind {
            Kind::Picture => left_out.pictures += 1,
            Kind::DataTable | Kind::Table => left_out.tables += 1,
        }
        gone.push(block);
    }
    left_out.still = saved < too_much;
    gone.sort_by_key(|block| Reverse((block.text, block.place.start)));
    for block in gone {
        texts[block.text].replace_range(block.place, &block.instead);
    }
    left_out
}

/// The parts of a text that name a file. None is within another.
fn blocks(text: usize, html: &str) -> Vec<Block> {
    const FILE: &str = " data-file=\"";
    let mut blocks = Vec::new();
    let mut from = 0;
    while let Some(at) = html[from..].find(FILE).map(|at| from + at) {
        from = at + FILE.len();
        let block = || {
            let start = html[..at].rfind('<')?;
            let element = html[start + 1..at].split(' ').next()?;
            let kind = Kind::of(element, html[start..].split_once('>')?.0)?;
            let file = html[from..].split_once('"')?.0;
            let place = start..end(html, start, element)?;
            Some(Block { kind, text, place, instead: kind.instead(file) })
        };
        if let Some(block) = block() {
            from = block.place.end;
            blocks.push(block);
        }
    }
    blocks
}

/// Where an element that begins at `start` ends.
fn end(html: &str, start: usize, element: &str) -> Option<usize> {
    let (first, last) = (format!("<{element}"), format!("</{element}>"));
    let mut open = 0;
    let mut at = start;
    loop {
        let close = at + html[at..].find(&last)?;
        // Names that only begin alike, such as `divider`, are none of these.
        let begun = html[at..close].match_indices(&first).filter(|(found, _)| {
            let next = html[at + found + first.len()..].chars().next();
            next.is_some_and(|c| c == ' ' || c == '>' || c == '\n')
        });
        open += begun.count();
        open -= 1;
        at = close + last.len();
        if open == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<String> {
        let rows = |n: usize| "<tr><td>1</td></tr>".repeat(n);
        let data = |name: &str, n: usize| {
            let rows = rows(n);
            format!(
                "<details class=\"data\" data-file=\"tables/{name}.csv\"><div>{rows}</div></details>"
            )
        };
        let table = format!(
            "<div class=\"scroll\" data-file=\"tables/c.csv\">{}</div>",
            rows(99)
        );
        let picture =
            format!("<svg data-file=\"figures/d.svg\">{}</svg>", "x".repeat(900));
        vec![
            format!("<p>one</p>{}{table}<p>two</p>", data("a", 20)),
            format!("{picture}<p>three</p>{}<div>{}</div>", data("b", 40), rows(100)),
        ]
    }

    #[test]
    fn the_largest_data_table_gives_way_first_and_names_its_file() {
        let whole = texts();
        let mut short = texts();
        let found = reduced(&mut short, 1);
        assert_eq!(found, LeftOut { tables: 1, pictures: 0, still: false });
        assert_eq!(short[0], whole[0]);
        assert!(
            !short[1].contains("<details")
                && short[1].contains("<code>tables/b.csv</code>")
        );
        // Data tables of figures give way before larger tables, and those before pictures.
        let mut short = texts();
        assert_eq!(reduced(&mut short, 1000).tables, 2);
        assert!(short[0].contains("<div class=\"scroll\"") && short[1].contains("<svg"));
        let mut short = texts();
        let found = reduced(&mut short, 3000);
        assert_eq!(
            (found.tables, found.pictures, found.still),
            (3, 1, false),
            "{short:?}"
        );
    }

    #[test]
    fn what_names_no_file_stays_and_a_page_that_is_still_too_large_says_so() {
        let mut short = texts();
        let found = reduced(&mut short, 1_000_000);
        assert_eq!(found, LeftOut { tables: 3, pictures: 1, still: true });
        assert!(
            short[1].contains("<p>three</p>") && short[1].matches("<tr>").count() == 100
        );
        let mut whole = texts();
        assert_eq!(
            reduced(&mut whole, 0),
            LeftOut { tables: 0, pictures: 0, still: false }
        );
        assert_eq!(whole, texts());
    }

    #[test]
    fn a_picture_in_strips_gives_way_as_a_picture() {
        let strips = format!(
            "<div data-file=\"figures/e.svg\" class=\"strips\"><svg>{}</svg><svg></svg></div>",
            "x".repeat(900)
        );
        let mut short = vec![strips];
        let found = reduced(&mut short, 1);
        assert_eq!(found, LeftOut { tables: 0, pictures: 1, still: false });
        assert!(
            short[0].contains("<code>figures/e.svg</code>") && !short[0].contains("<svg")
        );
    }

    #[test]
    fn an_element_ends_with_its_own_last_tag() {
        let html = "<div a><div>1</div><divider>2</divider></div><div>3</div>";
        assert_eq!(end(html, 0, "div"), Some(45));
        assert_eq!(end("<div a>", 0, "div"), None);
    }
}
