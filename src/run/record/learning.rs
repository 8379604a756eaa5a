//! The learning curve, and how wide intervals are to be expected on as many patients.

use petgraph::graph::NodeIndex;

use super::Context;
use crate::data::{Estimate, ExpectedWidth, LearningFacts, LearningSize, Value};
use crate::math::{mean, sqrt};
use crate::plan::Analysis;
use crate::statistics::{AUROC_WIDTH, SLOPE_WIDTH, WIDTH, auroc_se, patients_for_auroc};

/// Where a computation broke off, its reason stands elsewhere.
const EARLIER: &str = "an earlier computation failed";

impl Context<'_> {
    /// What the procedure achieves by the number of patients that it learns from.
    pub(super) fn learning_curve(&self, analysis: &Analysis) -> Option<LearningFacts> {
        let learning = analysis.learning.as_ref()?;
        let scheme = &self.study.validate[analysis.scheme].name;
        let case = self.plan.cases[analysis.case];
        let outcome = &self.study.outcomes[case.outcome].name;
        let cohort = &self.study.cohorts[case.cohort].name;
        let splits = &self.survey.splits[&(scheme.clone(), outcome.clone())];
        let groups = &self.survey.cohorts[cohort].groups;
        let patients = |rows: &[u32]| {
            let mut of_rows: Vec<u32> =
                rows.iter().map(|row| groups[*row as usize]).collect();
            of_rows.sort_unstable();
            of_rows.dedup();
            of_rows.len()
        };
        let used = analysis.outer.iter().filter(|of| of.repeat < learning.repeats);
        let whole: Vec<usize> = used
            .map(|of| patients(&splits.repeats[of.repeat][of.outer].split.train))
            .collect();
        let parts = learning.parts.iter().map(|part| {
            let n = part.splits.iter().map(|(placed, _)| placed.train.len());
            self.size(part.fraction, &n.collect::<Vec<_>>(), part.measured)
        });
        let mut sizes: Vec<LearningSize> = parts.collect();
        sizes.push(self.size(1.0, &whole, learning.whole));
        Some(LearningFacts {
            repeats: learning.repeats,
            splits: whole.len(),
            sizes,
            last_step: match self.found.get(&learning.last_step) {
                Some(Value::Compared(step)) => Some(step.clone()),
                _ => None,
            },
        })
    }

    fn size(&self, fraction: f64, n: &[usize], measured: NodeIndex) -> LearningSize {
        let value = self.found.get(&measured);
        let estimate: Option<&Estimate> = value.and_then(Value::estimate);
        let of_splits: Vec<f64> = n.iter().map(|n| *n as f64).collect();
        LearningSize {
            fraction,
            n: mean(&of_splits),
            lowest: n.iter().min().copied(),
            highest: n.iter().max().copied(),
            estimate: estimate.cloned(),
            missing: match (estimate, value) {
                (Some(_), _) => None,
                (None, Some(Value::Failed(why))) => Some(why.clone()),
                (None, _) => Some(EARLIER.to_string()),
            },
        }
    }
}

/// How wide the interval of an AUROC is to be expected on other patients, as many and with the outcome in
/// as many.
pub(super) fn expected_auroc(
    (n, n_positive): (usize, usize),
    auroc: Option<f64>,
) -> ExpectedWidth {
    // Two decimals: of a value yet to be found no more is known.
    let assumed = auroc.map(|auroc| (auroc * 100.0).round() / 100.0);
    let prevalence = n_positive as f64 / n.max(1) as f64;
    let se = assumed.and_then(|auroc| auroc_se(auroc, n as f64, prevalence));
    let needed =
        assumed.and_then(|auroc| patients_for_auroc(auroc, prevalence, AUROC_WIDTH));
    let note = match (assumed, se) {
        (_, Some(_)) => {
            "Hanley and McNeil's standard error with Newcombe's mean class size, for the AUROC of the \
             analysis to two decimals and the prevalence of the cohort; one row for each patient"
        }
        (None, None) => "the analysis has no AUROC",
        (Some(_), None) => {
            "an AUROC of 0 or 1, or a class without patients, has no such standard error"
        }
    };
    ExpectedWidth {
        assumed,
        width: se.map(|se| WIDTH * se),
        target: AUROC_WIDTH,
        needed,
        note: note.to_string(),
    }
}

/// The same of a calibration slope, whose variance on one patient is known.
pub(super) fn expected_slope(n: usize, variance: Option<&Value>) -> ExpectedWidth {
    let of_one = match variance {
        Some(Value::SlopeVariance(of_one)) => Some(*of_one),
        _ => None,
    };
    let width = of_one.map(|of_one| WIDTH * sqrt(of_one / n.max(1) as f64));
    let share = WIDTH / SLOPE_WIDTH;
    ExpectedWidth {
        assumed: None,
        width,
        target: SLOPE_WIDTH,
        needed: of_one.map(|of_one| (of_one * share * share).ceil()),
        note: match variance {
            Some(Value::SlopeVariance(_)) => {
                "the information matrix of the logistic recalibration of the held-out predictions, \
                 averaged over repeats; one row for each patient"
                    .to_string()
            }
            Some(Value::Failed(why)) => why.clone(),
            _ => EARLIER.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_told_or_why_not() {
        // As in the tests of the formulae.
        let found = expected_auroc((1000, 300), Some(0.7723));
        assert_eq!(found.assumed, Some(0.77));
        assert!((found.width.unwrap() - 0.063_523_828_354_229).abs() < 1e-12);
        assert_eq!(expected_auroc((100, 50), Some(0.72)).needed, Some(397.0));
        for (n, auroc) in
            [((100, 50), Some(0.999)), ((100, 0), Some(0.7)), ((10, 5), None)]
        {
            let found = expected_auroc(n, auroc);
            assert_eq!((found.width, found.needed), (None, None), "{}", found.note);
        }
        // A variance of 4 on one patient: 2 · 1.96 · 2 / 10 on a hundred.
        let found = expected_slope(100, Some(&Value::SlopeVariance(4.0)));
        assert!((found.width.unwrap() - 0.784).abs() < 1e-12);
        assert_eq!(found.needed, Some(385.0), "(3.92 / 0.4)² · 4 = 384.16");
        let failed = Value::Failed("no fit".to_string());
        assert_eq!(expected_slope(100, Some(&failed)).note, "no fit");
        assert_eq!(expected_slope(100, None).note, EARLIER);
    }
}
