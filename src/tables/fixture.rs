//! Columns with values that others computed of them, for the tests of this folder.

pub(super) use tests::two_groups;

/// Training rows of a file of `tests/reference`, and what `make_tables.py` says of each column.
pub(super) struct Fixture {
    pub columns: Vec<Vec<f64>>,
    pub outcome: Vec<bool>,
    reference: Vec<(String, Vec<String>)>,
}

impl Fixture {
    pub fn all() -> [(&'static str, Self); 3] {
        let of = |name, rows, reference| (name, Self::of(rows, reference));
        [
            of(
                "odd",
                include_str!("../../tests/reference/odd.csv"),
                include_str!("../../tests/reference/odd_tables.csv"),
            ),
            of(
                "tall",
                include_str!("../../tests/reference/tall.csv"),
                include_str!("../../tests/reference/tall_tables.csv"),
            ),
            of(
                "wide",
                include_str!("../../tests/reference/wide.csv"),
                include_str!("../../tests/reference/wide_tables.csv"),
            ),
        ]
    }

    fn of(rows: &str, reference: &str) -> Self {
        let rows = table(rows);
        let n = rows[0].1.len() * 2 / 3;
        let numbers = |cells: &[String]| -> Vec<f64> {
            let number = |cell: &String| cell.parse().expect("a number");
            cells[..n].iter().map(number).collect()
        };
        let columns = rows.iter().filter(|(name, _)| name.starts_with('c'));
        let columns = columns.map(|(_, cells)| numbers(cells)).collect();
        let y = rows.iter().find(|(name, _)| name == "y");
        let classes = numbers(&y.expect("a column of classes").1);
        Self {
            columns,
            outcome: classes.iter().map(|class| *class == 1.0).collect(),
            reference: table(reference),
        }
    }

    /// What is said of each column; `None` where nothing is.
    pub fn expected(&self, what: &str) -> Vec<Option<f64>> {
        let found = self.reference.iter().find(|(name, _)| name == what);
        let (_, cells) = found.expect("a column of this name");
        cells.iter().map(|cell| cell.parse().ok()).collect()
    }

    /// Holds `found` against what is said, but for columns of which nothing is; relative
    /// differences count, of numbers below a thousandth those to a thousandth.
    pub fn compare(&self, what: &str, found: &[f64], tolerance: f64) {
        self.compare_from(1e-3, what, found, tolerance);
    }

    /// The same, where what is smaller than `least` may be as far off as that.
    pub fn compare_from(&self, least: f64, what: &str, found: &[f64], tolerance: f64) {
        let mut worst = 0.0f64;
        let expected = self.expected(what);
        assert_eq!(expected.len(), found.len());
        for (column, (expected, found)) in expected.iter().zip(found).enumerate() {
            let Some(expected) = expected else { continue };
            let apart = (found - expected).abs() / expected.abs().max(least);
            worst = worst.max(apart);
            assert!(apart <= tolerance, "{what} of c{column}: {found} {expected}");
        }
        println!("{what}: largest relative difference {worst:.1e}");
    }
}

/// A CSV file without quotes, by column.
fn table(text: &str) -> Vec<(String, Vec<String>)> {
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default().split(',');
    let mut columns: Vec<(String, Vec<String>)> =
        names.map(|name| (name.to_string(), Vec::new())).collect();
    for line in lines {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.1.push(cell.to_string());
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    /// Two groups and what others say of them, where the public reference collection is at hand.
    pub(in crate::tables) fn two_groups()
    -> Option<(Vec<f64>, Vec<bool>, serde_json::Value)> {
        let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
        let folder = std::env::var("RESTUDY_TEST_DATA").unwrap_or(default.to_string());
        let folder = std::path::Path::new(&folder).join("stats_reference");
        let Ok(reference) = std::fs::read_to_string(folder.join("reference.json")) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "no test data at {}",
                folder.display()
            );
            println!("skipped: no test data at {}", folder.display());
            return None;
        };
        let reference: serde_json::Value =
            serde_json::from_str(&reference).expect("the collection is JSON");
        let cases = reference["cases"].as_array().expect("a list of cases");
        let case = cases.iter().find(|case| case["name"] == "two_group_tests");
        let outputs = case.expect("a case of this name")["outputs"].clone();
        let rows = std::fs::read_to_string(folder.join("inputs/two_groups.csv"));
        let rows = super::table(&rows.expect("its input lies beside it"));
        let number = |cell: &String| cell.parse::<f64>().expect("a number");
        let values = rows[1].1.iter().map(number).collect();
        Some((
            values,
            rows[0].1.iter().map(|cell| number(cell) == 1.0).collect(),
            outputs,
        ))
    }
}
