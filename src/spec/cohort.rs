//! Who is studied: subjects under one definition.

use serde_json::{Value as Json, json};

use super::{Named, Rule};
use crate::diagnostics::Span;

/// Subjects under one definition.
#[derive(Clone)]
pub struct Cohort {
    pub name: String,
    pub span: Span,
    /// The cohort of which it is a part; then what that one joins is joined here as well.
    pub of: Option<Named>,
    /// Joined and filtered once, then divided; not analysed itself.
    pub base: bool,
    pub from: Named,
    pub join: Vec<Join>,
    /// Column that says to which subject a row belongs; without it the id does.
    pub subject: Option<Named>,
    pub site: Option<Named>,
    pub rater: Option<Named>,
    pub interval: Option<Interval>,
    /// Ids under which a patient is known besides, each with the one that counts.
    pub same_as: Vec<(String, String)>,
    /// In written order.
    pub rules: Vec<CohortRule>,
    pub sealed: bool,
    pub relation: Option<String>,
    pub map: Vec<ColumnMap>,
    /// How many subjects may fail to be measured before the run fails.
    pub failed_at_most: usize,
}

/// A source whose rows are found by the id of a cohort row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    pub source: Named,
    /// Whether a row without a partner leaves the cohort.
    pub required: bool,
}

/// A condition that keeps or removes rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortRule {
    /// Whether rows that meet it stay; else those leave.
    pub keeps: bool,
    pub rule: Rule,
    pub text: String,
    pub reason: String,
    pub span: Span,
}

/// How far apart imaging and outcome may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    pub imaging: Named,
    pub outcome: Named,
    pub days: i64,
}

/// Where the predictors of a source are found in this cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnMap {
    /// The source that the predictors name.
    pub of: Named,
    /// The source of this cohort.
    pub from: Named,
    pub columns: Vec<MappedColumn>,
}

/// A column of another source: its numbers times `times` plus `add` are those of the predictor.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedColumn {
    /// What the predictors call it; `*` stands for any text.
    pub name: Named,
    pub column: String,
    pub times: f64,
    pub add: f64,
}

/// A column of a cohort with its conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnPlace {
    pub source: String,
    pub column: String,
    pub times: f64,
    pub add: f64,
}

impl Cohort {
    /// Under which ids a source may know this one: itself, then those declared to be the same.
    pub fn known_as<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let counts = self.same_as.iter().find(|(other, _)| other == id);
        let counts = counts.map_or(id, |(_, counts)| counts.as_str());
        let others = self.same_as.iter().filter(move |(_, of)| of == counts);
        [id, counts].into_iter().chain(others.map(|(other, _)| other.as_str()))
    }

    /// Where this cohort holds the predictor that others find in `source` under `column`.
    pub fn place(&self, source: &str, column: &str) -> ColumnPlace {
        let plain = |source: &str| ColumnPlace {
            source: source.to_string(),
            column: column.to_string(),
            times: 1.0,
            add: 0.0,
        };
        let Some(map) = self.map.iter().find(|map| map.of.name == source) else {
            return plain(source);
        };
        for mapped in &map.columns {
            let Some((before, after)) = mapped.name.name.split_once('*') else {
                if mapped.name.name == column {
                    let column = mapped.column.clone();
                    return ColumnPlace {
                        source: map.from.name.clone(),
                        column,
                        times: mapped.times,
                        add: mapped.add,
                    };
                }
                continue;
            };
            let middle =
                column.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            if let Some(middle) = middle {
                return ColumnPlace {
                    source: map.from.name.clone(),
                    column: mapped.column.replacen('*', middle, 1),
                    times: mapped.times,
                    add: mapped.add,
                };
            }
        }
        plain(&map.from.name)
    }

    /// Whether it holds `source`.
    pub fn joins(&self, source: &str) -> bool {
        self.from.name == source || self.join.iter().any(|j| j.source.name == source)
    }

    /// What decides who belongs to it.
    pub fn identity(&self) -> Json {
        let name = |named: &Option<Named>| named.as_ref().map(|named| named.name.clone());
        let join = self.join.iter().map(|join| json!([join.source.name, join.required]));
        let rules = self.rules.iter().map(|rule| json!([rule.keeps, rule.text]));
        let interval = self
            .interval
            .as_ref()
            .map(|i| json!([i.imaging.name, i.outcome.name, i.days]));
        let map = self.map.iter().map(|map| {
            let columns = map
                .columns
                .iter()
                .map(|m| json!([m.name.name, m.column, m.times, m.add]));
            json!([map.of.name, map.from.name, columns.collect::<Json>()])
        });
        json!({
            "of": name(&self.of), "from": self.from.name, "join": join.collect::<Json>(),
            "subject": name(&self.subject), "site": name(&self.site),
            "interval": interval, "same_as": self.same_as,
            "rules": rules.collect::<Json>(), "sealed": self.sealed,
            "map": map.collect::<Json>(), "failed_at_most": self.failed_at_most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_under_their_other_name() {
        let named = |name: &str| Named { name: name.to_string(), span: Span::default() };
        let mapped = |name: &str, column: &str, add: f64| MappedColumn {
            name: named(name),
            column: column.to_string(),
            times: 1.0,
            add,
        };
        let map = ColumnMap {
            of: named("hn1"),
            from: named("hnscc"),
            columns: vec![
                mapped("GTV-1_original_kurtosis", "kurtosis", -3.0),
                mapped("GTV-1_*", "GTV_*", 0.0),
            ],
        };
        let cohort = Cohort {
            name: "external".to_string(),
            span: Span::default(),
            of: None,
            base: false,
            from: named("hnscc"),
            join: Vec::new(),
            subject: None,
            site: None,
            rater: None,
            interval: None,
            same_as: Vec::new(),
            rules: Vec::new(),
            sealed: false,
            relation: None,
            map: vec![map],
            failed_at_most: 0,
        };
        let place = |column: &str| {
            let place = cohort.place("hn1", column);
            (place.source, place.column, place.add)
        };
        let found =
            |column: &str, add: f64| ("hnscc".to_string(), column.to_string(), add);
        assert_eq!(place("GTV-1_original_kurtosis"), found("kurtosis", -3.0));
        assert_eq!(place("GTV-1_x"), found("GTV_x", 0.0));
        assert_eq!(place("age"), found("age", 0.0));
        assert_eq!(cohort.place("other", "age").source, "other");
    }
}
