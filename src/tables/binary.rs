//! A binary outcome that stands in a column.

use crate::operation::prelude::*;

/// Outcome from a column: one value is positive.
///
/// # Computation
/// The positive value is positive, the negative value negative, a missing cell unknown. Without
/// a declared negative value the other of exactly two values is negative; any further value is
/// refused, because nobody said what it means.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Binary {
    /// The source that has the column; the cohort's own by default.
    pub from: Option<String>,
    /// The column.
    pub column: String,
    /// The value that is positive. A whole number may stand without quotes.
    #[schemars(extend("type" = ["string", "integer"]))]
    pub positive: String,
    /// The value that is negative.
    #[schemars(extend("type" = ["string", "integer", "null"]))]
    pub negative: Option<String>,
}

impl Operation for Binary {
    const ABOUT: About = About {
        name: "binary",
        title: "Binary outcome from a column",
        version: 1,
        sources: &[],
        example: "binary: { column: status, positive: mutant }",
    };
}

impl Derivation for Binary {
    fn source(&self) -> Option<&str> {
        self.from.as_deref()
    }

    fn derive(&self, assay: Assay<'_>, subjects: &[String]) -> Result<Calls, Failure> {
        let column =
            assay.table.column(&self.column).ok_or_else(|| Failure::NoColumn {
                column: self.column.clone(),
                known: assay.table.names().map(str::to_string).collect(),
            })?;
        let mut others: Vec<&str> = column
            .cells()
            .filter(|cell| !cell.is_empty() && *cell != self.positive)
            .collect();
        others.sort_unstable();
        others.dedup();
        let negative = match &self.negative {
            Some(negative) => Some(negative.as_str()),
            None if others.len() <= 1 => others.first().copied(),
            None => {
                return Err(Failure::Undeclared {
                    column: self.column.clone(),
                    found: format!("{} values beside `{}`", others.len(), self.positive),
                });
            }
        };
        if let Some(stranger) = others.iter().find(|other| Some(**other) != negative) {
            return Err(Failure::Undeclared {
                column: self.column.clone(),
                found: format!("`{stranger}`"),
            });
        }
        let call = |subject: &String| {
            let row = assay.ids.iter().position(|id| id == subject);
            match row.map_or("", |row| column.cell(row)) {
                "" => Call::Unknown,
                value if value == self.positive => Call::Positive,
                _ => Call::Negative,
            }
        };
        Ok(subjects.iter().map(call).collect())
    }

    fn in_words(&self) -> String {
        format!("column `{}`, positive when `{}`", self.column, self.positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TextColumn;

    fn derive(cells: [&str; 4], binary: &Binary) -> Result<Calls, Failure> {
        let ids = ["a", "b", "c", "d"];
        let columns = vec![TextColumn::new("id", ids), TextColumn::new("x", cells)];
        let table = Table::sorted(columns, Some("id"));
        let ids = ids.map(str::to_string);
        binary.derive(Assay { table: &table, ids: &ids, assayed: None }, &ids)
    }

    fn binary(negative: Option<&str>) -> Binary {
        Binary {
            from: None,
            column: "x".to_string(),
            positive: "yes".to_string(),
            negative: negative.map(str::to_string),
        }
    }

    #[test]
    fn the_other_of_two_values_is_negative() {
        let calls = derive(["yes", "no", "", "no"], &binary(None)).unwrap();
        use Call::{Negative, Positive, Unknown};
        assert_eq!(calls, [Positive, Negative, Unknown, Negative]);
    }

    #[test]
    fn a_third_value_needs_a_meaning() {
        assert!(derive(["yes", "no", "maybe", ""], &binary(None)).is_err());
        assert!(derive(["yes", "no", "maybe", ""], &binary(Some("no"))).is_err());
        let missing = Binary { column: "y".to_string(), ..binary(None) };
        assert!(matches!(derive(["yes"; 4], &missing), Err(Failure::NoColumn { .. })));
    }
}
