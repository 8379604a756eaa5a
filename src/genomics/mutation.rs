//! Who carries a mutation.

use std::collections::BTreeSet;

use crate::operation::prelude::*;

/// Outcome from mutations: positive when a gene carries a mutation of the wanted kind.
///
/// # Computation
/// Positive: at least one row of the gene in the wanted classes and, if given, with one of the
/// protein changes. Negative: assayed, without such a row. Unknown: not assayed. A missing row is
/// never taken for wild type by itself.
///
/// # Limits
/// Says nothing of copy number, fusions or expression.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// The source of mutations.
    pub from: String,
    /// The gene's HUGO symbol.
    #[schemars(length(min = 1))]
    pub gene: String,
    /// Which variant classes count.
    #[serde(default)]
    pub classes: Classes,
    /// Protein changes that count, such as `p.R132*`; `*` stands for any text. Any by default.
    #[serde(default)]
    pub protein: Vec<String>,
}

/// Variant classes that count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Classes {
    /// Those that change the protein: missense, nonsense, nonstop, splice site, translation
    /// start site, frame shifts and in-frame insertions and deletions.
    #[default]
    NonSilent,
    /// Those that cut it short: nonsense, splice site, frame shifts, translation start site.
    Truncating,
    /// Every row.
    All,
}

const TRUNCATING: [&str; 5] = [
    "Nonsense_Mutation",
    "Splice_Site",
    "Frame_Shift_Del",
    "Frame_Shift_Ins",
    "Translation_Start_Site",
];

const IN_FRAME: [&str; 4] =
    ["Missense_Mutation", "Nonstop_Mutation", "In_Frame_Del", "In_Frame_Ins"];

impl Classes {
    fn count(self, class: &str) -> bool {
        match self {
            Self::All => true,
            Self::Truncating => TRUNCATING.contains(&class),
            Self::NonSilent => TRUNCATING.contains(&class) || IN_FRAME.contains(&class),
        }
    }
}

impl Operation for Mutation {
    const ABOUT: About = About {
        name: "mutation",
        title: "Mutation of a gene",
        version: 1,
        sources: &["gdcmaf"],
        example: "mutation: { from: panel, gene: IDH1, classes: non_silent }",
    };
}

impl Derivation for Mutation {
    fn source(&self) -> Option<&str> {
        Some(&self.from)
    }

    fn derive(&self, assay: Assay<'_>, subjects: &[String]) -> Result<Calls, Failure> {
        let assayed = assay.assayed.ok_or(Failure::NotAssayed)?;
        let column = |name: &str| {
            assay.table.column(name).ok_or_else(|| Failure::NoColumn {
                column: name.to_string(),
                known: assay.table.names().map(str::to_string).collect(),
            })
        };
        let (genes, classes) =
            (column("Hugo_Symbol")?, column("Variant_Classification")?);
        let proteins = match self.protein.is_empty() {
            true => None,
            false => Some(column("HGVSp_Short")?),
        };
        let mut carriers: BTreeSet<&str> = BTreeSet::new();
        for (row, id) in assay.ids.iter().enumerate() {
            let of_protein = proteins.is_none_or(|proteins| {
                self.protein.iter().any(|pattern| matches(pattern, proteins.cell(row)))
            });
            if genes.cell(row) == self.gene
                && self.classes.count(classes.cell(row))
                && of_protein
            {
                carriers.insert(id);
            }
        }
        let call = |subject: &String| match assayed.binary_search(subject) {
            _ if carriers.contains(subject.as_str()) => Call::Positive,
            Ok(_) => Call::Negative,
            Err(_) => Call::Unknown,
        };
        Ok(subjects.iter().map(call).collect())
    }

    fn in_words(&self) -> String {
        let classes = match self.classes {
            Classes::NonSilent => "non-silent",
            Classes::Truncating => "truncating",
            Classes::All => "any",
        };
        let protein = match self.protein.as_slice() {
            [] => String::new(),
            changes => format!(" ({})", changes.join(", ")),
        };
        format!("{classes} mutation of {}{protein} in assayed patients", self.gene)
    }
}

/// Whether a protein change is of a pattern with `*` at one end, both or none.
fn matches(pattern: &str, change: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => change.contains(pattern.trim_matches('*')),
        (Some(end), None) => change.ends_with(end),
        (None, Some(start)) => change.starts_with(start),
        (None, None) => change == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TextColumn;

    #[test]
    fn nobody_is_wild_type_who_was_not_assayed() {
        let rows = [
            ("IDH1", "Missense_Mutation", "p.R132H", "A"),
            ("IDH1", "Silent", "p.G10=", "B"),
            ("TP53", "Missense_Mutation", "p.R175H", "C"),
            ("IDH1", "Missense_Mutation", "p.P33S", "C"),
        ];
        let column = |name,
                      cell: fn(
            &(&'static str, &'static str, &'static str, &'static str),
        ) -> &'static str| {
            TextColumn::new(name, rows.iter().map(cell))
        };
        let columns = vec![
            column("Hugo_Symbol", |row| row.0),
            column("Variant_Classification", |row| row.1),
            column("HGVSp_Short", |row| row.2),
            column("id", |row| row.3),
        ];
        let table = Table::sorted(columns, Some("id"));
        let ids: Vec<String> =
            table.column("id").unwrap().cells().map(str::to_string).collect();
        let subjects = ["A", "B", "C", "D", "E"].map(str::to_string);
        let assayed = subjects[..4].to_vec();
        let assay = Assay { table: &table, ids: &ids, assayed: Some(&assayed) };
        let gene = Mutation {
            from: "panel".to_string(),
            gene: "IDH1".to_string(),
            ..Mutation::default()
        };
        use Call::{Negative, Positive, Unknown};
        let calls = gene.derive(assay, &subjects).unwrap();
        assert_eq!(calls, [Positive, Negative, Positive, Negative, Unknown]);
        let hot_spot = Mutation { protein: vec!["p.R132*".to_string()], ..gene.clone() };
        let calls = hot_spot.derive(assay, &subjects).unwrap();
        assert_eq!(calls, [Positive, Negative, Negative, Negative, Unknown]);
        let truncating = Mutation { classes: Classes::Truncating, ..gene.clone() };
        assert_eq!(truncating.derive(assay, &subjects).unwrap()[0], Negative);
        let nobody = Assay { assayed: None, ..assay };
        assert_eq!(gene.derive(nobody, &subjects), Err(Failure::NotAssayed));
    }
}
