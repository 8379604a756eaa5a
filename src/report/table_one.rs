//! Table 1: the variables by cohort and class, with what is missing and how cohorts differ.

use serde_json::{Value as Json, json};

use super::figure::DataTable;
use super::shown::{Shown, plain, without_tags};
use crate::data::{CharacteristicFacts, DIVIDING, StudyRecord};

/// Categories of a variable that the page has; the rest are in the file.
pub const LEVELS: usize = 20;

/// Columns that the page has of a block that is too wide for this table.
const OF_A_PART: usize = 8;

/// How wide a value with its spread may be to fit into a cell on a page of 1280 pixels: of a table with
/// five columns, and of one with seven. Units: half the width of a digit.
const OF_FIVE: usize = 36;
pub const OF_SEVEN: usize = 26;

/// About how wide a text is: points, commas, spaces and brackets take half of what a digit does.
fn width(text: &str) -> usize {
    let narrow = |c: char| c.is_whitespace() || ".,[]()".contains(c);
    text.chars().map(|c| if narrow(c) { 1 } else { 2 }).sum()
}

/// A value with its spread in brackets: a line may end between the two, and within neither.
pub fn with_spread(value: &str, spread: &str) -> String {
    format!("{value} <span class=\"spread\">{spread}</span>")
}

/// An estimate as a cell of a table in which every spread stands below its value. HTML as
/// [`Shown::estimate`] writes it; what has no brackets stays as it is.
pub fn spread_below(estimate: &str) -> String {
    match estimate.split_once(" (") {
        Some((value, spread)) => with_spread(value, &format!("({spread}")),
        None => estimate.to_string(),
    }
}

/// Whether spreads stand below their values in all cells of a table, since one is too long for a line.
pub fn is_stacked<'a>(mut cells: impl Iterator<Item = &'a str>, most: usize) -> bool {
    cells.any(|cell| {
        cell.contains("class=\"spread\"") && width(&without_tags(cell)) > most
    })
}

/// Cohorts in the order of the table.
fn cohorts(record: &StudyRecord) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in &record.characteristics {
        if !names.contains(&row.cohort.as_str()) {
            names.push(&row.cohort);
        }
    }
    names
}

/// As the template has it: a column for each cohort and class, a row for each variable.
pub fn table(record: &StudyRecord, shown: &Shown) -> Option<Json> {
    if record.characteristics.is_empty() {
        return None;
    }
    let cohorts = cohorts(record);
    let place = |cohort: &str, variable: (&str, &str), class: Option<bool>| {
        record.characteristics.iter().position(|row| {
            row.cohort == cohort
                && (row.block.as_str(), row.variable.as_str()) == variable
                && row.class == class
        })
    };
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for row in &record.characteristics {
        let variable = (row.block.as_str(), row.variable.as_str());
        if !variables.contains(&variable) {
            variables.push(variable);
        }
    }
    // The first columns of a block of hundreds describe nobody: the page has a few, the file all.
    let columns = |block: &str| {
        let known = record.predictors.iter().find(|known| known.name == block);
        known.map_or(0, |known| known.columns.len())
    };
    let is_part = |block: &str| {
        variables.iter().filter(|(known, _)| *known == block).count() < columns(block)
    };
    let parts: Vec<&str> = variables
        .iter()
        .map(|(block, _)| *block)
        .filter(|block| is_part(block))
        .collect();
    let mut groups: Vec<(String, Vec<Json>)> = Vec::new();
    let mut on_page: Vec<(&str, &str)> = Vec::new();
    for variable in &variables {
        let before = groups.iter().find(|(block, _)| block == variable.0);
        let n_before = before.map_or(0, |(_, variables)| variables.len());
        if parts.contains(&variable.0) && n_before >= OF_A_PART {
            continue;
        }
        let has = |cohort: &&&str| place(cohort, *variable, None).is_some();
        let cells = cohorts.iter().filter(has).map(|cohort| {
            let of = |class| match place(cohort, *variable, class) {
                Some(at) => described(shown, record, at),
                None => "–".to_string(),
            };
            let all = place(cohort, *variable, None);
            json!({
                "cohort": cohort,
                "all": of(None), "positive": of(Some(true)), "negative": of(Some(false)),
                "missing": match all {
                    Some(at) => {
                        let path = format!("/characteristics/{at}/missing");
                        with_percent(shown, &path, &format!("{path}_percent"), 1)
                    }
                    None => "–".to_string(),
                },
                "smd": match all {
                    Some(at) => {
                        shown.number(&format!("/characteristics/{at}/smd_to_development"), 2)
                    }
                    None => "–".to_string(),
                },
            })
        });
        let unit = record
            .characteristics
            .iter()
            .find(|row| (row.block.as_str(), row.variable.as_str()) == *variable)
            .and_then(|row| row.unit.clone());
        let mut rows = vec![json!({
            "name": variable.1, "unit": unit, "level": false, "cells": cells.collect::<Vec<_>>(),
        })];
        let levels = record
            .characteristics
            .iter()
            .find(|row| (row.block.as_str(), row.variable.as_str()) == *variable)
            .map_or(&[][..], |row| row.levels.as_slice());
        for (which, level) in levels.iter().enumerate().take(LEVELS) {
            let cells = cohorts.iter().filter(has).map(|cohort| {
                let of = |class| match place(cohort, *variable, class) {
                    Some(at) => {
                        share(shown, &format!("/characteristics/{at}/levels/{which}/share"))
                    }
                    None => "–".to_string(),
                };
                json!({
                    "cohort": cohort,
                    "all": of(None), "positive": of(Some(true)), "negative": of(Some(false)),
                    "missing": "", "smd": "",
                })
            });
            rows.push(json!({
                "name": level.name, "unit": null, "level": true,
                "cells": cells.collect::<Vec<_>>(),
            }));
        }
        let of_variable = json!({ "rows": rows, "more": levels.len() > LEVELS });
        on_page.push(*variable);
        match groups.iter_mut().find(|(block, _)| block == variable.0) {
            Some((_, variables)) => variables.push(of_variable),
            None => groups.push((variable.0.to_string(), vec![of_variable])),
        }
    }
    let heads = cohorts.iter().map(|cohort| {
        let first = record
            .characteristics
            .iter()
            .position(|row| row.cohort == *cohort && row.class.is_none());
        let rows = |class: Option<bool>| {
            let at = record
                .characteristics
                .iter()
                .position(|row| row.cohort == *cohort && row.class == class);
            at.map_or("–".to_string(), |at| {
                shown.count(&format!("/characteristics/{at}/rows"))
            })
        };
        json!({
            "name": cohort, "first": first, "all": rows(None),
            "positive": rows(Some(true)), "negative": rows(Some(false)),
            "subjects": of_patients(record, shown, cohort),
        })
    });
    let of_blocks = variables.iter().filter(|(block, _)| *block != DIVIDING).count();
    let all: usize = record.predictors.iter().map(|block| block.columns.len()).sum();
    let rows = record.characteristics.iter().enumerate();
    let rows = rows.filter(|(_, row)| {
        on_page.contains(&(row.block.as_str(), row.variable.as_str()))
    });
    let cells: Vec<String> = rows.map(|(at, _)| described(shown, record, at)).collect();
    let most = if cohorts.len() > 1 { OF_SEVEN } else { OF_FIVE };
    Some(json!({
        // Whose classes they are: those of the first outcome.
        "outcome": record.outcomes.first().map(|outcome| &outcome.label),
        "stacked": is_stacked(cells.iter().map(String::as_str), most),
        "more": of_blocks < all,
        "cohorts": heads.collect::<Vec<_>>(),
        "several": cohorts.len() > 1,
        "columns": if cohorts.len() > 1 { 7 } else { 5 },
        "groups": groups
            .into_iter()
            .map(|(name, variables)| {
                let part = parts.contains(&name.as_str());
                json!({ "name": name, "variables": variables, "part": part })
            })
            .collect::<Vec<_>>(),
    }))
}

/// How many patients the rows of a cohort are of, where that is another number.
fn of_patients(record: &StudyRecord, shown: &Shown, cohort: &str) -> Option<String> {
    let at = record.cohorts.iter().position(|known| known.name == cohort)?;
    let facts = &record.cohorts[at];
    let differs = facts.n_rows.known() != facts.n_subjects.known();
    differs.then(|| shown.count(&format!("/cohorts/{at}/n_subjects")))
}

/// A count with its percentage, if that is there.
pub fn share(shown: &Shown, path: &str) -> String {
    with_percent(shown, &format!("{path}/n"), &format!("{path}/percent"), 0)
}

/// A count at one place with the percentage at another, with so many decimals, if that is there.
pub fn with_percent(shown: &Shown, n: &str, percent: &str, digits: usize) -> String {
    let n = shown.count(n);
    match shown.has(percent) {
        true => format!(
            "<span class=\"nw\">{n} ({}\u{a0}%)</span>",
            shown.number(percent, digits)
        ),
        false => n,
    }
}

/// Median and quartiles, or how many ones of how many; nothing of categories, which come below.
fn described(shown: &Shown, record: &StudyRecord, at: usize) -> String {
    let row = &record.characteristics[at];
    let path = format!("/characteristics/{at}");
    if !row.levels.is_empty() {
        return String::new();
    }
    if row.ones.is_some() || shown.is_hidden(&format!("{path}/ones")) {
        let ones = format!("{path}/ones");
        return with_percent(shown, &ones, &format!("{ones}_percent"), 0);
    }
    if row.median.is_none() && !shown.is_hidden(&format!("{path}/median")) {
        return "–".to_string();
    }
    let digits = decimals(record, row);
    let number = |what: &str| shown.number(&format!("{path}/{what}"), digits);
    let quartiles =
        format!("[{},\u{a0}{}]", number("lower_quartile"), number("upper_quartile"));
    with_spread(&number("median"), &quartiles)
}

/// Decimals of a variable in all cohorts and classes, so that its numbers stand under each other: those
/// that the first spread asks for.
fn decimals(record: &StudyRecord, row: &CharacteristicFacts) -> usize {
    let same = record
        .characteristics
        .iter()
        .filter(|other| (&other.block, &other.variable) == (&row.block, &row.variable));
    let mut spreads = same.filter_map(|other| {
        other.upper_quartile.zip(other.lower_quartile).map(|(upper, lower)| upper - lower)
    });
    let spread = match spreads.clone().find(|spread| *spread > 0.0) {
        Some(spread) => spread,
        // Of a column with one value nearly everywhere nothing is known of the digits.
        None => spreads.next_back().unwrap_or(1.0),
    };
    match spread {
        spread if spread > 0.0 && spread < 0.1 => small(spread),
        spread if spread < 0.1 => 3,
        spread if spread < 10.0 => 2,
        spread if spread < 100.0 => 1,
        _ => 0,
    }
}

/// Decimals with which so small a spread keeps two digits; six at most.
pub fn small(spread: f64) -> usize {
    let shows_two = |digits: &usize| spread * [1e2, 1e3, 1e4, 1e5][digits - 2] >= 10.0;
    (2..6).find(shows_two).unwrap_or(6)
}

/// The same for a file, with a line for each category.
pub fn file(record: &StudyRecord) -> DataTable {
    let head = [
        "block",
        "variable",
        "unit",
        "cohort",
        "class",
        "rows",
        "missing",
        "missing_percent",
        "median",
        "lower_quartile",
        "upper_quartile",
        "ones",
        "ones_percent",
        "smd_to_development",
        "category",
        "n",
        "percent",
    ];
    let number = |value: Option<f64>| {
        value.map_or(String::new(), |value| plain(value, 4).replace('−', "-"))
    };
    let shown = Shown::new(record);
    let rows = record.characteristics.iter().enumerate().flat_map(|(at, row)| {
        // What is hidden looks like what is missing, but for its word.
        let number = |what: &str, value: Option<f64>| match shown
            .is_hidden(&format!("/characteristics/{at}/{what}"))
        {
            true => "hidden".to_string(),
            false => number(value),
        };
        let cells = vec![
            row.block.clone(),
            row.variable.clone(),
            row.unit.clone().unwrap_or_default(),
            row.cohort.clone(),
            match row.class {
                None => "all",
                Some(true) => "positive",
                Some(false) => "negative",
            }
            .to_string(),
            row.rows.to_string(),
            row.missing.to_string(),
            number("missing_percent", row.missing_percent),
            number("median", row.median),
            number("lower_quartile", row.lower_quartile),
            number("upper_quartile", row.upper_quartile),
            match row.ones {
                Some(ones) => ones.to_string(),
                None => number("ones", None),
            },
            number("ones_percent", row.ones_percent),
            number("smd_to_development", row.smd_to_development),
        ];
        let mut lines: Vec<Vec<String>> = Vec::new();
        for (which, level) in row.levels.iter().enumerate() {
            let place = format!("levels/{which}/share/percent");
            let share = [
                level.name.clone(),
                level.share.n.to_string(),
                number(&place, level.share.percent),
            ];
            lines.push([&cells[..], &share[..]].concat());
        }
        if lines.is_empty() {
            lines.push([&cells[..], &[const { String::new() }; 3]].concat());
        }
        lines
    });
    DataTable { head: head.map(String::from).to_vec(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_spread_stands_below_its_value_and_so_do_all() {
        let short = with_spread("<span data-ref=\"/a\">0.45</span>", "[0.12,\u{a0}0.67]");
        let long = with_spread("1234", "[1001,\u{a0}1500]");
        let plain = "a count of very many rows and columns";
        let cells = [short.as_str(), plain];
        assert!(!is_stacked(cells.into_iter(), OF_SEVEN));
        let cells = [short.as_str(), plain, long.as_str()];
        assert!(is_stacked(cells.into_iter(), OF_SEVEN));
        assert!(!is_stacked(cells.into_iter(), OF_FIVE));
    }

    #[test]
    fn a_spread_stands_below_its_value_and_words_stay_as_they_are() {
        assert_eq!(
            spread_below("0.72 (<span class=\"nw\">0.61–0.83</span>)"),
            "0.72 <span class=\"spread\">(<span class=\"nw\">0.61–0.83</span>)</span>"
        );
        assert_eq!(spread_below("–"), "–");
    }
}
