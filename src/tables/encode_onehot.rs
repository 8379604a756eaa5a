//! Categories become columns of zeros and ones.

use std::sync::Arc;

use crate::data::FrameColumn;
use crate::operation::prelude::*;

/// One column per category, but for the first: 1 where the row has it, else 0.
///
/// # Computation
/// The categories are those of the training rows, in order of their names; the first is the
/// reference and gets no column. A row whose category was not met in training is refused, or has
/// zeros throughout. A missing cell is missing in every column.
///
/// # State
/// Of each column its categories in order, null for numbers. In the place of a column of categories stands
/// one for each but the first, called `column=category`.
///
/// # Limits
/// A category of one or two patients makes a column that is nearly constant: `drop_constant`
/// afterwards, or map rare categories together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EncodeOnehot {
    /// What a category means that was not met in training.
    pub unseen: Unseen,
}

/// What a category means that was not met in training.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// None of the known ones: zeros, as for the reference.
    #[default]
    Reference,
    /// Not known: missing in every column.
    Missing,
}

impl Operation for EncodeOnehot {
    const ABOUT: About = About {
        name: "encode_onehot",
        title: "One-hot encoding",
        version: 1,
        sources: &["harrell2015"],
        example: "encode_onehot",
    };
}

impl TableStep for EncodeOnehot {
    /// By column: the categories of the training rows; none for columns of numbers.
    type State = Vec<Option<Vec<String>>>;

    const READS_CATEGORIES: bool = true;

    const GAPS: Gaps = Gaps::Kept;

    fn fit(&self, train: &Train) -> Result<Self::State, Failure> {
        let rows = train.rows();
        let met = |column: &Arc<FrameColumn>| {
            let categories = rows.categories(&column.name)?;
            let met = categories
                .iter()
                .enumerate()
                .filter(|(position, _)| column.values.contains(&(*position as f64)));
            Some(met.map(|(_, category)| category.clone()).collect())
        };
        Ok(rows.columns().iter().map(met).collect())
    }

    fn most_columns(&self, given: usize, categorical: usize) -> Option<usize> {
        (categorical == 0).then_some(given)
    }

    fn apply(&self, met: &Self::State, rows: &mut Rows) -> Result<(), Failure> {
        let mut columns = Vec::new();
        for (column, met) in rows.columns().iter().zip(met) {
            let (Some(met), Some(here)) = (met, rows.categories(&column.name)) else {
                columns.push(column.clone());
                continue;
            };
            for category in met.iter().skip(1) {
                let value = |value: &f64| match here.get(*value as usize) {
                    _ if value.is_nan() => f64::NAN,
                    Some(found) if found == category => 1.0,
                    Some(found)
                        if !met.contains(found) && self.unseen == Unseen::Missing =>
                    {
                        f64::NAN
                    }
                    _ => 0.0,
                };
                columns.push(Arc::new(FrameColumn {
                    name: format!("{}={category}", column.name).into(),
                    values: column.values.iter().map(value).collect(),
                }));
            }
        }
        rows.set_columns(columns);
        Ok(())
    }

    fn formulas(&self, met: &Self::State, columns: &Rows) -> Option<Vec<Formula>> {
        let mut formulas = Vec::new();
        for (from, (column, met)) in columns.columns().iter().zip(met).enumerate() {
            let (Some(met), Some(_)) = (met, columns.categories(&column.name)) else {
                formulas.push(Formula::same(from));
                continue;
            };
            formulas.extend(met.iter().skip(1).map(|category| Formula {
                from,
                change: Change::Is {
                    category: category.clone(),
                    met: met.clone(),
                    others_missing: self.unseen == Unseen::Missing,
                },
            }));
        }
        Some(formulas)
    }

    fn as_fitted(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Frame;

    #[test]
    fn categories_are_those_of_the_training_rows() {
        let columns = vec![
            FrameColumn { name: "age".into(), values: vec![1.0, 2.0, 3.0, 4.0, 5.0] },
            FrameColumn {
                name: "site".into(),
                values: vec![2.0, 0.0, 2.0, 1.0, f64::NAN],
            },
        ];
        let categories = ["A", "B", "C"].map(String::from).to_vec();
        let rows = Rows::new(columns, 5)
            .with_categories([("site".to_string(), categories)].into());
        let frame = Frame { rows, failed: vec![None; 5] };
        let split = Split { train: vec![0, 1, 2], held_out: vec![3, 4] };
        let train = split.train(&frame, &[Some(true); 5], &[0; 5]);
        let encode = EncodeOnehot::default();
        let met = encode.fit(&train).unwrap();
        let mut training = train.rows().clone();
        encode.apply(&met, &mut training).unwrap();
        let names: Vec<&str> = training.columns().iter().map(|c| &*c.name).collect();
        assert_eq!(names, ["age", "site=C"]);
        assert_eq!(training.columns()[1].values, [1.0, 0.0, 1.0]);
        assert_eq!(training.categorical(), None);
        let (_, held_out) = split.held_out(&frame);
        let mut applied = held_out.clone();
        encode.apply(&met, &mut applied).unwrap();
        assert_eq!(applied.columns()[1].values[0], 0.0, "B was not met");
        assert!(applied.columns()[1].values[1].is_nan());
        let mut strict = held_out;
        EncodeOnehot { unseen: Unseen::Missing }.apply(&met, &mut strict).unwrap();
        assert!(strict.columns()[1].values[0].is_nan());
    }
}
