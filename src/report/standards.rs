//! Reporting standards as data: their items, who can fill them, and under which conditions.

use std::sync::OnceLock;

/// A standard as its file has it.
pub struct Standard {
    pub name: &'static str,
    pub title: &'static str,
    /// As in "TRIPOD+AI 3a".
    pub short: &'static str,
    /// Key of its publication.
    pub source: &'static str,
    pub items: Vec<Item>,
}

/// One row.
pub struct Item {
    pub item: String,
    pub section: String,
    pub topic: String,
    /// A rule by name; empty when the item always applies.
    pub condition: String,
    pub requirement: String,
    /// `A`, `P` or `M`.
    pub fill: String,
    pub author: Vec<Wanted>,
    pub weight: Option<f64>,
}

/// A field of the author's half that an item needs.
pub struct Wanted {
    /// With `*` for each cohort.
    pub field: String,
    /// Only under this rule; empty: always.
    pub only_if: String,
}

/// All standards in the order of the report.
pub fn standards() -> &'static [Standard] {
    static STANDARDS: OnceLock<Vec<Standard>> = OnceLock::new();
    STANDARDS.get_or_init(|| {
        let of = |name, title, short, source, text: &str| Standard {
            name,
            title,
            short,
            source,
            items: items(text),
        };
        vec![
            of(
                "tripod_ai",
                "TRIPOD+AI",
                "TRIPOD+AI",
                "collins2024",
                include_str!("../../templates/standards/tripod_ai.csv"),
            ),
            of(
                "tripod_ai_abstract",
                "TRIPOD+AI for abstracts",
                "abstract",
                "collins2024",
                include_str!("../../templates/standards/tripod_ai_abstract.csv"),
            ),
            of(
                "clear",
                "CLEAR",
                "CLEAR",
                "kocak2023",
                include_str!("../../templates/standards/clear.csv"),
            ),
            of(
                "metrics",
                "METRICS",
                "METRICS",
                "kocak2024",
                include_str!("../../templates/standards/metrics.csv"),
            ),
            of(
                "ibsi",
                "IBSI reporting items",
                "IBSI",
                "zwanenburg2016",
                include_str!("../../templates/standards/ibsi.csv"),
            ),
        ]
    })
}

/// What a standard is called beside an item's number.
pub fn short(name: &str) -> &str {
    standards().iter().find(|s| s.name == name).map_or(name, |standard| standard.short)
}

fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for cells in rows(text).into_iter().skip(1) {
        let [item, section, topic, condition, requirement, fill, author, weight] =
            <[String; 8]>::try_from(cells).expect("the files are part of the program");
        items.push(Item {
            author: wanted(&author),
            weight: weight.parse().ok(),
            item,
            section,
            topic,
            condition,
            requirement,
            fill,
        });
    }
    items
}

/// The author's fields that a cell names.
pub fn wanted(cell: &str) -> Vec<Wanted> {
    let fields = cell.split(';').map(str::trim).filter(|field| !field.is_empty());
    let wanted = |field: &str| {
        let (field, only_if) = field.split_once('?').unwrap_or((field, ""));
        Wanted { field: field.to_string(), only_if: only_if.to_string() }
    };
    fields.map(wanted).collect()
}

/// The cells of comma-separated text; quoted cells may hold commas and doubled quotes.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            let cell = cells.last_mut().expect("there is always a cell");
            match character {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cell.push(other),
            }
        }
        rows.push(cells);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Status, field};

    #[test]
    fn the_standards_are_whole() {
        let counts: Vec<usize> = standards().iter().map(|s| s.items.len()).collect();
        assert_eq!(counts, [52, 13, 58, 30, 104]);
        let weights: f64 = standards()[3].items.iter().filter_map(|i| i.weight).sum();
        assert!((weights - 1.0).abs() < 1e-9);
        for item in standards().iter().flat_map(|standard| &standard.items) {
            assert!(["A", "P", "M"].contains(&item.fill.as_str()), "{}", item.item);
            assert_eq!(item.fill == "A", item.author.is_empty(), "{}", item.item);
            for wanted in &item.author {
                let known = field(&wanted.field.replace('*', "here")).is_some();
                assert!(known, "{} wants {}", item.item, wanted.field);
            }
        }
        assert_eq!(Status::ALL.len(), 7);
    }

    #[test]
    fn quoted_cells() {
        assert_eq!(rows("a,\"b, \"\"c\"\"\",\n"), [["a", "b, \"c\"", ""]]);
    }
}
