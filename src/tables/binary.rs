//! A binary outcome that stands in a column.

use crate::operation::prelude::*;

/// Outcome from a column: one value is positive.
///
/// # Computation
/// The positive value is positive, the negative value negative, a missing cell unknown. Without
/// a declared negative value the other of exactly two values is negative; any further value is
/// refused, because nobody said what it means. With `other: missing` further values are unknown.
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
    /// What any further value means.
    pub other: Other,
}

/// What a value means that is neither positive nor negative.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// Nobody said: the study is refused.
    #[default]
    Refuse,
    /// Unknown.
    Missing,
    /// Negative.
    Negative,
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

    fn check(&self, problems: &mut Problems) {
        if self.negative.as_ref() == Some(&self.positive) {
            problems
                .error(format!("`{}` is positive and negative", self.positive))
                .parameter("negative")
                .hint("name the value of those who are negative");
        }
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
            None if self.other == Other::Negative => None,
            None => {
                return Err(Failure::Undeclared {
                    column: self.column.clone(),
                    found: listed(&others, &self.positive),
                });
            }
        };
        let stranger = others.iter().find(|other| Some(**other) != negative);
        if let (Some(stranger), Other::Refuse) = (stranger, self.other) {
            return Err(Failure::Undeclared {
                column: self.column.clone(),
                found: format!("`{stranger}`"),
            });
        }
        let rows: std::collections::BTreeMap<&str, usize> =
            assay.ids.iter().map(String::as_str).zip(0..).collect();
        let call = |subject: &String| match rows
            .get(subject.as_str())
            .map_or("", |row| column.cell(*row))
        {
            "" => Call::Unknown,
            value if value == self.positive => Call::Positive,
            value if Some(value) == negative => Call::Negative,
            _ if self.other == Other::Missing => Call::Unknown,
            _ => Call::Negative,
        };
        Ok(subjects.iter().map(call).collect())
    }

    fn in_words(&self) -> String {
        let other = match self.other {
            Other::Refuse => "",
            Other::Missing => ", further values unknown",
            Other::Negative => ", all others negative",
        };
        let from =
            self.from.as_ref().map_or(String::new(), |from| format!(" of `{from}`"));
        format!(
            "column `{}`{from}, positive when `{}`{other}",
            self.column, self.positive
        )
    }
}

/// The values beside the positive one, a few of them by name.
fn listed(others: &[&str], positive: &str) -> String {
    let named: Vec<String> =
        others.iter().take(5).map(|other| format!("`{other}`")).collect();
    let more = if others.len() > named.len() { ", …" } else { "" };
    format!("{} values beside `{positive}` ({}{more})", others.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TextColumn;

    fn derive(cells: [&str; 4], binary: &Binary) -> Result<Calls, Failure> {
        let ids = ["a", "b", "c", "d"];
        let columns = vec![TextColumn::new("id", ids), TextColumn::new("x", cells)];
        let table = Table::keyed(columns, &["id"], "-").unwrap();
        let ids = ids.map(str::to_string);
        binary.derive(Assay { table: &table, ids: &ids, assayed: None }, &ids)
    }

    fn binary(negative: Option<&str>) -> Binary {
        Binary {
            from: None,
            column: "x".to_string(),
            positive: "yes".to_string(),
            negative: negative.map(str::to_string),
            other: Other::Refuse,
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
        use Call::{Negative, Positive, Unknown};
        let some = Binary { other: Other::Missing, ..binary(Some("no")) };
        let calls = derive(["yes", "no", "maybe", ""], &some).unwrap();
        assert_eq!(calls, [Positive, Negative, Unknown, Unknown]);
        let rest = Binary { other: Other::Negative, ..binary(None) };
        let calls = derive(["yes", "no", "maybe", ""], &rest).unwrap();
        assert_eq!(calls, [Positive, Negative, Negative, Unknown]);
        let missing = Binary { column: "y".to_string(), ..binary(None) };
        assert!(matches!(derive(["yes"; 4], &missing), Err(Failure::NoColumn { .. })));
    }
}
