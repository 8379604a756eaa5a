//! Mutation annotation format: one line per mutation.

use crate::data::TextColumn;
use crate::operation::prelude::*;

/// Mutations in the annotation format of the Genomic Data Commons, plain or gzip.
///
/// Lines that begin with `#` are comments. The columns that derivations use are kept:
/// `Hugo_Symbol`, `Variant_Classification`, `HGVSp_Short`, `Tumor_Sample_Barcode` and the id.
///
/// # Limits
/// A patient without a row is unknown here; who was sequenced is said by `assayed`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Maf {}

impl Operation for Maf {
    const ABOUT: About = About {
        name: "maf",
        title: "Mutation annotation format",
        version: 1,
        sources: &["gdcmaf"],
        example: "maf",
    };
}

/// Columns without which nothing can be derived.
const REQUIRED: [&str; 2] = ["Hugo_Symbol", "Variant_Classification"];

/// Columns that are kept when they are there.
const KEPT: [&str; 4] =
    ["Hugo_Symbol", "Variant_Classification", "HGVSp_Short", "Tumor_Sample_Barcode"];

impl Reader for Maf {
    fn read(&self, file: File<'_>, what: ReadAs<'_>) -> Result<Value, Failure> {
        let ReadAs::Table { id } = what else {
            return Err(Failure::Unreadable("a MAF is no image".to_string()));
        };
        let bytes = &*file.plain()?;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Failure::Line { line, message: "the text is not UTF-8".to_string() }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        let mut lines =
            lines.filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
        let Some((_, head)) = lines.next() else {
            return Err(Failure::Unreadable("the file has no head".to_string()));
        };
        let names: Vec<&str> = head.split('\t').map(str::trim).collect();
        let at = |wanted: &str| names.iter().position(|name| *name == wanted);
        for wanted in REQUIRED.into_iter().chain(id.iter().copied()) {
            if at(wanted).is_none() {
                let known = names.iter().map(|name| (*name).to_string()).collect();
                return Err(Failure::NoColumn { column: wanted.to_string(), known });
            }
        }
        let mut kept: Vec<(usize, &str)> = KEPT
            .into_iter()
            .chain(id.iter().copied())
            .filter_map(|name| Some((at(name)?, name)))
            .collect();
        kept.sort_unstable();
        kept.dedup();
        let mut cells: Vec<Vec<&str>> = vec![Vec::new(); kept.len()];
        let id_at: Vec<usize> = id.iter().filter_map(|id| at(id)).collect();
        for (line, text) in lines {
            let row: Vec<&str> = text.split('\t').collect();
            if row.len() != names.len() {
                let message =
                    format!("{} cells where the head names {}", row.len(), names.len());
                return Err(Failure::Line { line, message });
            }
            if let Some(at) = id_at.iter().find(|at| row[**at].trim().is_empty()) {
                let message = format!("the id column `{}` is empty", names[*at]);
                return Err(Failure::Line { line, message });
            }
            for (column, (at, _)) in cells.iter_mut().zip(&kept) {
                column.push(row[*at].trim());
            }
        }
        let columns = kept.iter().zip(cells);
        let columns =
            columns.map(|((_, name), cells)| TextColumn::new(name, cells)).collect();
        let known = || names.iter().map(|name| (*name).to_string()).collect();
        let table = Table::keyed(columns, id, "-")
            .map_err(|column| Failure::NoColumn { column, known: known() })?;
        Ok(Value::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Table, Failure> {
        let file = File { name: "m.maf", bytes: text.as_bytes() };
        let what = ReadAs::Table { id: &["Tumor_Sample_Barcode"] };
        match (Maf {}).read(file, what)? {
            Value::Table(table) => Ok(table),
            other => panic!("{other:?}"),
        }
    }

    const HEAD: &str = "#version 1.0.0\nHugo_Symbol\tChromosome\tVariant_Classification\tTumor_Sample_Barcode\n";

    #[test]
    fn the_columns_that_matter_are_kept() {
        let table = read(&format!(
            "{HEAD}TP53\t17\tSilent\tP2\nIDH1\t2\tMissense_Mutation\tP1\n# more\n"
        ))
        .unwrap();
        let names: Vec<&str> = table.names().collect();
        assert_eq!(
            names,
            ["Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode"]
        );
        let genes: Vec<&str> = table.column("Hugo_Symbol").unwrap().cells().collect();
        assert_eq!(genes, ["IDH1", "TP53"], "rows are sorted by id");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let short = read(&format!("{HEAD}TP53\t17\tSilent\n")).unwrap_err();
        assert_eq!(short.to_string(), "line 3: 3 cells where the head names 4");
        let empty = read(&format!("{HEAD}TP53\t17\tSilent\t\n")).unwrap_err();
        assert!(empty.to_string().starts_with("line 3: the id column"));
        assert!(matches!(read("Hugo_Symbol\n"), Err(Failure::NoColumn { .. })));
        assert!(read("").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\PC\t\n#]{0,60}") {
            drop(read(&format!("{HEAD}{text}")));
        }
    }
}
