//! The columns by which a study divides its rows: sites, strata and subgroups.

use std::collections::{BTreeMap, BTreeSet};

use crate::operation::Instance;
use crate::spec::{Named, Study};
use crate::survey::{Survey, View};

/// One such column.
pub struct Dividing {
    /// As the study names it.
    pub name: String,
    /// The source and column that it is, where it is one of a source.
    pub place: Option<(String, String)>,
    /// By cohort: the cells of its rows. A cohort that has no such column is not there.
    pub cells: BTreeMap<usize, Cells>,
}

/// A cell per row; categories are positions among names, in order.
pub struct Cells {
    pub values: Vec<f64>,
    pub names: Option<Vec<String>>,
}

/// The columns of sites, strata and subgroups in these cohorts, each once, in the order in which the study
/// names them: first those that splits are made by.
pub fn dividing(study: &Study, survey: &Survey, cohorts: &[usize]) -> Vec<Dividing> {
    let Some(first) = cohorts.first() else { return Vec::new() };
    let view = |cohort: &usize| {
        let cohort = &study.cohorts[*cohort];
        let surveyed = survey.cohorts.get(&cohort.name)?;
        Some((cohort, surveyed))
    };
    let place = |name: &str| {
        let (cohort, surveyed) = view(first)?;
        View { study, survey, cohort, rows: &surveyed.rows }.place(name)
    };
    let mut found: Vec<Dividing> = Vec::new();
    for (column, cut) in named(study, cohorts) {
        let place = place(&column.name);
        let known = |known: &&Dividing| {
            known.name == column.name || (place.is_some() && known.place == place)
        };
        if found.iter().any(|of| known(&of)) {
            continue;
        }
        let mut cells = BTreeMap::new();
        for cohort in cohorts {
            let Some((of, surveyed)) = view(cohort) else { continue };
            let view = View { study, survey, cohort: of, rows: &surveyed.rows };
            if let Ok(texts) = view.cells(&column) {
                cells.insert(*cohort, read(&texts, cut));
            }
        }
        // What nearly every row has for itself is a name, and no group.
        if cells.values().all(names_rows) {
            continue;
        }
        found.push(Dividing { name: column.name.clone(), place, cells });
    }
    found
}

/// Every column that divides, and whether it is cut into ranges.
fn named(study: &Study, cohorts: &[usize]) -> Vec<(Named, bool)> {
    let evaluate = &study.evaluate;
    let mut columns: Vec<(Named, bool)> = Vec::new();
    let sites = cohorts.iter().filter_map(|at| study.cohorts[*at].site.as_ref());
    let sites: Vec<&Named> = sites.collect();
    if let Some(site) = sites.first() {
        // Under `site` each cohort has its own column.
        let one = sites.iter().all(|of| of.name == site.name);
        let name = if one { site.name.as_str() } else { "site" };
        columns.push((Named { name: name.to_string(), span: site.span }, false));
    }
    for scheme in &study.validate {
        let Instance::Resampling(resampling) = &scheme.resampling.instance else {
            continue;
        };
        let span = scheme.resampling.span;
        let named = |name: String| (Named { name, span }, false);
        // Columns of folds are a plan of the splits and say nothing of patients.
        columns.extend(resampling.divides_by().into_iter().map(named));
    }
    let permuted = evaluate.permuted.iter().filter_map(|of| of.within.clone());
    let strata = evaluate.within.iter().cloned().chain(permuted);
    columns.extend(strata.map(|named| (named, false)));
    let subgroups = evaluate.subgroups.iter();
    columns.extend(subgroups.map(|of| (of.by.clone(), !of.cut.is_empty())));
    columns
}

/// Numbers of a column that is cut into ranges, categories of any other.
fn read(texts: &[Option<String>], cut: bool) -> Cells {
    if cut {
        let number = |text: &Option<String>| {
            let number = text.as_ref().and_then(|text| text.parse::<f64>().ok());
            number.filter(|number| number.is_finite()).unwrap_or(f64::NAN)
        };
        return Cells { values: texts.iter().map(number).collect(), names: None };
    }
    let names: BTreeSet<&String> = texts.iter().flatten().collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let position = |text: &Option<String>| {
        let text = text.as_ref()?;
        names.binary_search(text).ok().map(|at| at as f64)
    };
    let values = texts.iter().map(|text| position(text).unwrap_or(f64::NAN)).collect();
    Cells { values, names: Some(names) }
}

fn names_rows(cells: &Cells) -> bool {
    let known = cells.values.iter().filter(|value| !value.is_nan()).count();
    cells.names.as_ref().is_some_and(|names| names.len() > 2 && names.len() * 2 > known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: &[&str]) -> Vec<Option<String>> {
        of.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_string())).collect()
    }

    #[test]
    fn categories_are_positions_and_ranges_are_of_numbers() {
        let cells = read(&texts(&["b", "", "a", "b"]), false);
        assert_eq!(cells.names.unwrap(), ["a", "b"]);
        assert_eq!(cells.values[0], 1.0);
        assert!(cells.values[1].is_nan());
        let cells = read(&texts(&["61.5", "unknown", ""]), true);
        assert!(cells.names.is_none() && cells.values[0] == 61.5);
        assert_eq!(cells.values.iter().filter(|value| value.is_nan()).count(), 2);
    }

    #[test]
    fn a_column_that_names_rows_is_no_group() {
        assert!(names_rows(&read(&texts(&["a", "b", "c", "d"]), false)));
        assert!(!names_rows(&read(&texts(&["a", "b", "a", "b", "c", "c"]), false)));
        assert!(!names_rows(&read(&texts(&["a", "b"]), false)));
        assert!(!names_rows(&read(&texts(&["1", "2", "3"]), true)));
    }
}
