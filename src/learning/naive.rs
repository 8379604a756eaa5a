//! The prevalence, whoever is asked about.

use crate::operation::prelude::*;

/// Predicts the prevalence of the training rows for everybody.
///
/// The control that every model must beat: it knows nothing of the patient. It is also the null model
/// that stands in where a selector keeps no column: any learner is this one then.
///
/// # Limits
/// Its AUROC is 0.5 by construction.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Naive {}

impl Operation for Naive {
    const ABOUT: About = About {
        name: "naive",
        title: "Prevalence only",
        version: 1,
        sources: &[],
        example: "naive",
    };
}

impl Learner for Naive {
    /// The prevalence.
    type Model = f64;

    /// It looks at no column.
    const TAKES_MISSING: bool = true;

    fn fit(&self, train: &Train, _stream: &mut Stream) -> Result<f64, Failure> {
        let positive = train.outcome().iter().filter(|positive| **positive).count();
        if positive == 0 || positive == train.outcome().len() {
            return Err(Failure::OneClass);
        }
        Ok(positive as f64 / train.outcome().len() as f64)
    }

    fn predict(&self, prevalence: &f64, rows: &Rows) -> Result<Vec<f64>, Failure> {
        Ok(vec![*prevalence; rows.n()])
    }

    fn form(&self, prevalence: &f64) -> Form {
        Form::Constant(*prevalence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Frame;

    #[test]
    fn everybody_gets_the_prevalence() {
        let frame = Frame { rows: Rows::new(Vec::new(), 4), failed: vec![None; 4] };
        let split = Split { train: vec![0, 1, 2], held_out: vec![3] };
        let outcome = [Some(true), Some(false), Some(false), Some(true)];
        let train = split.train(&frame, &outcome, &[0, 1, 2, 3]);
        let prevalence = Naive {}.fit(&train, &mut Stream::new(1, &[])).unwrap();
        let (_, held_out) = split.held_out(&frame);
        assert_eq!(Naive {}.predict(&prevalence, &held_out), Ok(vec![1.0 / 3.0]));
    }
}
