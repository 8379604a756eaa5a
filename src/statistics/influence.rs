//! The variance of a cross-validated AUROC by its influence curve.

/// Standard error of the mean AUROC over the folds of one cross-validation.
///
/// Each held-out row contributes by how its placement among the other class of its fold differs from
/// the fold's AUROC, divided by the share of its own class in the fold; ties count one half. Rows
/// count as independent; what the choice of candidates adds to the variance is left out.
///
/// Shape: truth and scores of each fold. `None` where a fold has one class.
///
/// Source: ledell2015, section 4.
pub fn influence_se(folds: &[(&[bool], &[f64])]) -> Option<f64> {
    let n: usize = folds.iter().map(|(truth, _)| truth.len()).sum();
    let mut sum = 0.0;
    for (truth, scores) in folds {
        let of = |class: bool| -> Vec<f64> {
            let rows = truth.iter().zip(*scores).filter(|(known, _)| **known == class);
            let mut scores: Vec<f64> = rows.map(|(_, score)| *score).collect();
            scores.sort_by(f64::total_cmp);
            scores
        };
        let (positive, negative) = (of(true), of(false));
        if positive.is_empty() || negative.is_empty() || scores.iter().any(|s| s.is_nan())
        {
            return None;
        }
        // Share of `others` below a score, ties one half.
        let below = |score: f64, others: &[f64]| {
            let less = others.partition_point(|other| *other < score);
            let not_more = others.partition_point(|other| *other <= score);
            (less + not_more) as f64 / (2 * others.len()) as f64
        };
        let of_positive: Vec<f64> =
            positive.iter().map(|s| below(*s, &negative)).collect();
        let of_negative: Vec<f64> =
            negative.iter().map(|s| 1.0 - below(*s, &positive)).collect();
        let auroc = crate::math::mean(&of_positive)?;
        let rows = truth.len() as f64;
        let squares = |placements: &[f64]| {
            let weight = rows / placements.len() as f64;
            let curve = |placement: &f64| weight * (placement - auroc);
            placements.iter().map(|p| curve(p) * curve(p)).sum::<f64>()
        };
        sum += (squares(&of_positive) + squares(&of_negative)) / rows;
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
        let found = influence_se(&[(&truth, &[0.9, 0.4, 0.5, 0.1])]).unwrap();
        assert!((found - 0.25).abs() < 1e-15, "{found}");
        assert_eq!(influence_se(&[(&[true], &[0.5])]), None);
        let apart = influence_se(&[(&truth, &[0.9, 0.8, 0.5, 0.1])]);
        assert_eq!(apart, Some(0.0));
    }
}
