//! Which of the columns that outer fits chose say much the same.

use std::collections::BTreeMap;

use super::{ComputeError, Computed, Inputs, input};
use crate::data::{Frame, Similar, Value};
use crate::plan::Placed;
use crate::statistics;

/// Columns with at least this |ρ| take each other's place.
pub const ALIKE: f64 = 0.8;
/// Columns that are compared with each other at most, the most frequently chosen first.
const MOST: usize = 500;

/// Clusters of the columns that any outer fit chose, on the rows of the scheme. The outcome is not
/// looked at but for which rows it is known of.
pub fn similar(inputs: &Inputs<'_>, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let mut chosen: BTreeMap<&str, usize> = BTreeMap::new();
    for value in &inputs.values[1..] {
        match &**value {
            Value::Fit(fit) => {
                for column in &fit.columns {
                    *chosen.entry(column).or_insert(0) += 1;
                }
            }
            Value::Failed(_) => {}
            other => return Err(ComputeError::Kind(other.kind(), "fit")),
        }
    }
    let of = chosen.len();
    let mut names: Vec<(&str, usize)> = chosen.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let split = &placed.split;
    let mut rows: Vec<usize> =
        split.train.iter().chain(&split.held_out).map(|row| *row as usize).collect();
    rows.retain(|row| frame.failed[*row].is_none());
    rows.sort_unstable();
    let known = names.iter().filter_map(|(name, _)| Some((*name, values(frame, name)?)));
    let known = known.take(MOST).map(|(name, values)| {
        let values: Vec<f64> = rows.iter().map(|row| values[*row]).collect();
        (name, values)
    });
    let (names, columns): (Vec<&str>, Vec<Vec<f64>>) = known.unzip();
    let clusters = statistics::clusters(&columns, ALIKE).into_iter().map(|cluster| {
        let members = cluster.columns.iter().map(|at| names[*at].to_string());
        (members.collect(), cluster.least)
    });
    Ok(Value::Similar(Similar {
        clusters: clusters.collect(),
        among: names.len() as u32,
        of: of as u32,
        rows: rows.len() as u32,
    }))
}

/// The values of a column before any step, of a category whether it is the one; `None` of a column that
/// preparation makes of others.
fn values(frame: &Frame, name: &str) -> Option<Vec<f64>> {
    let columns = || frame.rows.columns().iter();
    if let Some(column) = columns().find(|column| *column.name == *name)
        && frame.rows.categories(name).is_none()
    {
        return Some(column.values.clone());
    }
    columns().find_map(|column| {
        let category = name.strip_prefix(&*column.name)?.strip_prefix('=')?;
        let of = frame.rows.categories(&column.name)?;
        let at = of.iter().position(|known| known == category)? as f64;
        let is = |value: &f64| match value.is_nan() {
            true => f64::NAN,
            false => f64::from(u8::from(*value == at)),
        };
        Some(column.values.iter().map(is).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{FrameColumn, Rows};

    #[test]
    fn columns_are_those_of_the_tables_and_their_categories() {
        let column = |name: &str, values: &[f64]| FrameColumn {
            name: name.into(),
            values: values.to_vec(),
        };
        let columns = vec![
            column("a.size", &[1.0, 2.0, f64::NAN]),
            column("a.stage", &[0.0, 1.0, f64::NAN]),
        ];
        let categories = [("a.stage".to_string(), vec!["I".into(), "II".into()])].into();
        let rows = Rows::new(columns, 3).with_categories(categories);
        let frame = Frame { rows, failed: vec![None; 3] };
        assert_eq!(values(&frame, "a.size").unwrap()[..2], [1.0, 2.0]);
        assert_eq!(values(&frame, "a.stage=II").unwrap()[..2], [0.0, 1.0]);
        assert!(values(&frame, "a.stage=II").unwrap()[2].is_nan());
        assert!(values(&frame, "a.stage").is_none() && values(&frame, "a.x").is_none());
    }
}
