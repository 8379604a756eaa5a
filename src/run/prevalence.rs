//! The control that every analysis has: the prevalence among training rows, predicted for all.

use std::collections::BTreeMap;

use crate::data::{AnalysisRecord, PrevalenceFacts};
use crate::math;

/// Predictions that are one for all rows of a split: its probability, rows and events.
struct Predicted {
    probability: f64,
    rows: f64,
    events: f64,
}

/// None where training rows are not simply all others, so that their prevalence is not known here.
pub fn prevalence_only(analysis: &AnalysisRecord) -> Option<PrevalenceFacts> {
    let (n, positive) = (analysis.n.known()?, analysis.n_positive.known()?);
    let judged = analysis.judged_rows()?;
    let mut repeats: BTreeMap<usize, Vec<Predicted>> = BTreeMap::new();
    match &analysis.frozen {
        Some(frozen) => {
            let trained = (frozen.n.known()?, frozen.n_positive.known()?);
            let probability = trained.1 as f64 / trained.0.max(1) as f64;
            let (rows, events) = (n as f64, positive as f64);
            repeats.insert(1, vec![Predicted { probability, rows, events }]);
        }
        None => {
            for fold in &analysis.folds {
                let (train, rows) = (fold.n_train.known()?, fold.n_held_out.known()?);
                let events = fold.positive_held_out.known()?;
                if train + rows != n || train == 0 {
                    return None;
                }
                let probability = (positive - events) as f64 / train as f64;
                let (rows, events) = (rows as f64, events as f64);
                let predicted = Predicted { probability, rows, events };
                repeats.entry(fold.repeat).or_default().push(predicted);
            }
        }
    }
    let all = || repeats.values().flatten();
    let lowest = all().map(|of| of.probability).reduce(f64::min)?;
    let highest = all().map(|of| of.probability).reduce(f64::max)?;
    let average = |of: &dyn Fn(&[Predicted]) -> f64| {
        repeats.values().map(|folds| of(folds)).sum::<f64>() / repeats.len() as f64
    };
    let per_row = |of: &dyn Fn(&Predicted) -> f64| {
        average(&|folds| {
            let rows: f64 = folds.iter().map(|fold| fold.rows).sum();
            folds.iter().map(of).sum::<f64>() / rows
        })
    };
    let brier = per_row(&|of| {
        let p = of.probability;
        of.events * (1.0 - p) * (1.0 - p) + (of.rows - of.events) * p * p
    });
    let mut performance = BTreeMap::from([("brier".to_string(), brier)]);
    // Equal scores order nobody, whatever the prevalence; rows of one class have no order to find.
    if (1..judged.0).contains(&judged.1) {
        let share = judged.1 as f64 / judged.0 as f64;
        performance.insert("auroc".to_string(), 0.5);
        performance.insert("average_precision".to_string(), share);
    }
    if lowest > 0.0 && highest < 1.0 {
        let log_loss = per_row(&|of| {
            let p = of.probability;
            -of.events * math::ln(p) - (of.rows - of.events) * math::ln(1.0 - p)
        });
        let ratio = average(&|folds| {
            let events: f64 = folds.iter().map(|fold| fold.events).sum();
            events / folds.iter().map(|fold| fold.rows * fold.probability).sum::<f64>()
        });
        performance.insert("log_loss".to_string(), log_loss);
        performance.insert("observed_expected".to_string(), ratio);
    }
    let gains =
        [("auroc", 1.0), ("average_precision", 1.0), ("brier", -1.0), ("log_loss", -1.0)];
    let gains = gains.into_iter().filter_map(|(metric, sign)| {
        let (own, alone) =
            (analysis.performance.get(metric)?.estimate, performance.get(metric)?);
        Some((metric.to_string(), sign * (own - alone)))
    });
    Some(PrevalenceFacts {
        lowest,
        highest,
        gains: gains.collect(),
        method: match &analysis.frozen {
            Some(_) => "the prevalence among the rows that the frozen model was made of",
            None => {
                "in each outer split the prevalence among its training rows, pooled within each \
                 repeat and averaged over repeats"
            }
        }
        .to_string(),
        performance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Estimate, FoldRecord};

    #[test]
    fn each_fold_predicts_the_prevalence_of_the_others() {
        let fold = |outer: usize, rows: usize, events: usize| FoldRecord {
            repeat: 1,
            outer,
            n_train: (10 - rows).into(),
            n_held_out: rows.into(),
            positive_held_out: events.into(),
            value: None,
            candidate: None,
            falls_back: false,
            without_columns: false,
            threshold: None,
        };
        let brier = Estimate { estimate: 0.1, ..Estimate::default() };
        let mut analysis = AnalysisRecord {
            n: 10.into(),
            n_positive: 4.into(),
            folds: vec![fold(1, 5, 1), fold(2, 5, 3)],
            performance: [("brier".to_string(), brier)].into(),
            ..AnalysisRecord::default()
        };
        // Of the others 3 of 5 have it, then 1 of 5.
        let found = prevalence_only(&analysis).unwrap();
        let (a, b) = (0.6, 0.2);
        let first = 1.0 * (1.0 - a) * (1.0 - a) + 4.0 * a * a;
        let second = 3.0 * (1.0 - b) * (1.0 - b) + 2.0 * b * b;
        assert!((found.performance["brier"] - (first + second) / 10.0).abs() < 1e-12);
        assert!((found.performance["observed_expected"] - 1.0).abs() < 1e-12);
        assert_eq!((found.lowest, found.highest), (0.2, 0.6));
        let gain = found.performance["brier"] - 0.1;
        assert!((found.gains["brier"] - gain).abs() < 1e-12 && found.gains.len() == 1);
        assert_eq!(found.performance["auroc"], 0.5);
        for fold in &mut analysis.folds {
            fold.positive_held_out = 0.into();
        }
        let none = AnalysisRecord { n_positive: 0.into(), ..analysis.clone() };
        let found = prevalence_only(&none).unwrap();
        assert_eq!(found.performance.keys().collect::<Vec<_>>(), ["brier"]);
        analysis.folds[0].n_train = 4.into();
        assert_eq!(prevalence_only(&analysis), None);
    }
}
