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
    /// The gene's HUGO symbol; `any` names several.
    #[serde(default)]
    pub gene: Option<String>,
    /// Which variant classes count.
    #[serde(default)]
    pub classes: Classes,
    /// Protein changes that count, such as `p.R132*`; `*` stands for any text. Any by default.
    #[serde(default)]
    pub protein: Names,
    /// Genes of which one is enough, each with its own protein changes.
    #[serde(default)]
    pub any: Vec<Hit>,
}

/// A gene with the changes of its protein that count.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hit {
    /// The gene's HUGO symbol.
    pub gene: String,
    /// Protein changes that count; any by default.
    #[serde(default)]
    pub protein: Names,
    /// Which variant classes count; those of the whole by default.
    #[serde(default)]
    pub classes: Option<Classes>,
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
        let hits = self.hits()?;
        let proteins = match hits.iter().all(|hit| hit.protein.0.is_empty()) {
            true => None,
            false => Some(column("HGVSp_Short")?),
        };
        let mut carriers: BTreeSet<&str> = BTreeSet::new();
        for (row, id) in assay.ids.iter().enumerate() {
            let hit = hits.iter().any(|hit| {
                let of_protein = hit.protein.0.is_empty()
                    || proteins.is_some_and(|proteins| {
                        let change = proteins.cell(row);
                        hit.protein.0.iter().any(|pattern| matches(pattern, change))
                    });
                genes.cell(row) == hit.gene
                    && hit.classes.unwrap_or(self.classes).count(classes.cell(row))
                    && of_protein
            });
            if hit {
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
        let hits = self.hits().unwrap_or_default();
        let hits: Vec<String> = hits
            .iter()
            .map(|hit| match hit.protein.0.as_slice() {
                [] => hit.gene.clone(),
                changes => format!("{} ({})", hit.gene, changes.join(", ")),
            })
            .collect();
        format!("{classes} mutation of {} in assayed patients", hits.join(" or "))
    }
}

impl Mutation {
    /// Every gene that counts, with its changes.
    fn hits(&self) -> Result<Vec<Hit>, Failure> {
        let own = self.gene.iter().map(|gene| Hit {
            gene: gene.clone(),
            protein: self.protein.clone(),
            classes: None,
        });
        let hits: Vec<Hit> = own.chain(self.any.iter().cloned()).collect();
        match hits.iter().all(|hit| !hit.gene.is_empty()) && !hits.is_empty() {
            true => Ok(hits),
            false => Err(Failure::Unreadable("no gene is named".to_string())),
        }
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
        let table = Table::keyed(columns, &["id"], "-").unwrap();
        let ids: Vec<String> =
            table.column("id").unwrap().cells().map(str::to_string).collect();
        let subjects = ["A", "B", "C", "D", "E"].map(str::to_string);
        let assayed = subjects[..4].to_vec();
        let assay = Assay { table: &table, ids: &ids, assayed: Some(&assayed) };
        let gene = Mutation {
            from: "panel".to_string(),
            gene: Some("IDH1".to_string()),
            ..Mutation::default()
        };
        use Call::{Negative, Positive, Unknown};
        let calls = gene.derive(assay, &subjects).unwrap();
        assert_eq!(calls, [Positive, Negative, Positive, Negative, Unknown]);
        let hot_spot =
            Mutation { protein: Names(vec!["p.R132*".to_string()]), ..gene.clone() };
        let calls = hot_spot.derive(assay, &subjects).unwrap();
        assert_eq!(calls, [Positive, Negative, Negative, Negative, Unknown]);
        let either = Mutation {
            from: "panel".to_string(),
            any: vec![
                Hit { gene: "TP53".into(), ..Hit::default() },
                Hit {
                    gene: "IDH1".into(),
                    protein: hot_spot.protein.clone(),
                    classes: None,
                },
            ],
            ..Mutation::default()
        };
        let calls = either.derive(assay, &subjects).unwrap();
        assert_eq!(calls, [Positive, Negative, Positive, Negative, Unknown]);
        assert!(Mutation::default().derive(assay, &subjects).is_err(), "no gene");
        let truncating = Mutation { classes: Classes::Truncating, ..gene.clone() };
        assert_eq!(truncating.derive(assay, &subjects).unwrap()[0], Negative);
        let nobody = Assay { assayed: None, ..assay };
        assert_eq!(gene.derive(nobody, &subjects), Err(Failure::NotAssayed));
    }
}
