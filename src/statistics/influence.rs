//! The variance of a cross-validated AUROC by its influence curve.

use std::collections::BTreeMap;

use super::delong::wins;

/// Standard error of the mean AUROC over the folds of one cross-validation.
///
/// Each held-out row contributes by how its placement among the other class of its fold differs from
/// the fold's AUROC, divided by the share of its own class in the fold; ties count one half. What
/// rows of one unit, such as a patient, contribute is added up, and units count as independent; what
/// the choice of candidates adds to the variance is left out. 0 where no row contributes: no
/// certainty, but no information either.
///
/// Shape: truth, score and unit of each row, by fold. `None` where a fold has one class.
///
/// Source: ledell2015, section 4.
pub fn influence_se(folds: &[(&[bool], &[f64], &[u32])]) -> Option<f64> {
    let n: usize = folds.iter().map(|(truth, ..)| truth.len()).sum();
    let mut sum = 0.0;
    for (truth, scores, units) in folds {
        let rows = truth.len() as f64;
        let positive = truth.iter().filter(|class| **class).count() as f64;
        let negative = rows - positive;
        if positive == 0.0 || negative == 0.0 || units.len() != truth.len() {
            return None;
        }
        let wins = wins(truth, scores)?;
        let won: f64 = truth.iter().zip(&wins).filter(|(t, _)| **t).map(|(_, w)| w).sum();
        let auroc = won / (positive * negative);
        let mut curve: BTreeMap<u32, f64> = BTreeMap::new();
        for ((class, wins), unit) in truth.iter().zip(&wins).zip(*units) {
            let [own, others] =
                if *class { [positive, negative] } else { [negative, positive] };
            *curve.entry(*unit).or_default() += rows / own * (wins / others - auroc);
        }
        sum += curve.values().map(|of| of * of).sum::<f64>() / rows;
    }
    (n > 0).then(|| crate::math::sqrt(sum / folds.len() as f64 / n as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fold_by_hand() {
        let truth = [true, true, false, false];
        // Placements of positives 1 and ½, of negatives 1 and ½; the area is ¾, weights are 2.
        let found =
            influence_se(&[(&truth, &[0.9, 0.4, 0.5, 0.1], &[0, 1, 2, 3])]).unwrap();
        assert!((found - 0.25).abs() < 1e-15, "{found}");
        assert_eq!(influence_se(&[(&[true], &[0.5], &[0])]), None);
        let apart = influence_se(&[(&truth, &[0.9, 0.8, 0.5, 0.1], &[0, 1, 2, 3])]);
        assert_eq!(apart, Some(0.0));
    }
    #[test]
    fn rows_of_one_patient_count_together() {
        let truth = [true, true, false, false];
        let scores = [0.9, 0.4, 0.5, 0.1];
        // The curve is ½, −½, −½ and ½: a patient with the first and the last row has 1, one with the
        // other two −1, so that the mean square over rows is ½ and not ¼.
        let together = influence_se(&[(&truth, &scores, &[0, 1, 1, 0])]).unwrap();
        let expected = crate::math::sqrt(0.5 / 4.0);
        assert!((together - expected).abs() < 1e-15, "{together}");
        // Rows that make up for one another say less than two rows.
        let apart = influence_se(&[(&truth, &scores, &[0, 0, 1, 1])]).unwrap();
        assert_eq!(apart, 0.0);
    }
}
