//! A frozen model on the rows that it was fitted on: what this tells of how many there are.

use super::telling::Pass;
use super::{areas_of_few, bare, is_hidden, place, too_few};
use crate::data::{AnalysisRecord, StudyRecord};

/// Takes away what is told of rows of which hardly any are of a class, and measures that would have to be
/// so coarse that they said nothing.
pub fn apparent(name: &str, analysis: &mut AnalysisRecord, pass: &Pass<'_>) {
    let of = pass.whole.analyses.get(name).and_then(|of| of.frozen.as_ref());
    let frozen = analysis.frozen.as_mut();
    let Some((of, shown)) = of.zip(frozen.map(|frozen| &mut frozen.apparent)) else {
        return;
    };
    if too_few(of.n, of.n_positive, pass.smallest) {
        shown.performance.clear();
        return;
    }
    shown.performance.retain(|metric, _| !pass.is_blurred_apparently(name, metric));
    let known = of.n.known().zip(of.n_positive.known());
    // Of how many patients these rows are is told where the model was developed.
    let developed = of.apparent.against.as_deref();
    let smaller = match developed.is_some_and(|of| is_hidden(&place(of), &pass.hidden)) {
        true => Some(1),
        false => known.map(|(n, positive)| positive.min(n.saturating_sub(positive))),
    };
    areas_of_few(shown.performance.values_mut(), smaller, pass.smallest);
    shown.performance.values_mut().for_each(bare);
}

/// The differences that are left between what is shown of both.
pub fn optimism(record: &mut StudyRecord) {
    let names: Vec<String> = record.analyses.keys().cloned().collect();
    for name in names {
        let of = record.analyses.get(&name).and_then(|of| of.frozen.as_ref());
        let Some(apparent) = of.map(|frozen| &frozen.apparent) else { continue };
        let against = apparent.against.as_ref().and_then(|of| record.analyses.get(of));
        let both = |metric: &String| {
            let (here, there) =
                (apparent.performance.get(metric)?, against?.performance.get(metric)?);
            Some(here.estimate - there.estimate)
        };
        let left = apparent.optimism.keys();
        let left = left.filter_map(|of| Some((of.clone(), both(of)?))).collect();
        let frozen = record.analyses.get_mut(&name).and_then(|of| of.frozen.as_mut());
        if let Some(frozen) = frozen {
            frozen.apparent.optimism = left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::suppressed;
    use super::super::tests::nothing;
    use crate::data::{
        AnalysisRecord, ApparentFacts, Count, Estimate, FrozenFacts, StudyRecord,
    };

    fn estimate(estimate: f64) -> Estimate {
        Estimate {
            estimate,
            lower: Some(estimate - 0.1),
            upper: Some(estimate + 0.05),
            method: "at the one threshold; with n = 31 patients".to_string(),
            folds: vec![estimate],
            ..Estimate::default()
        }
    }

    /// An analysis inside and one outside, of a model fitted on so many rows.
    fn study(n: usize, n_positive: Count) -> StudyRecord {
        let performance = |auroc: f64, sensitivity: f64| {
            let measured = [("auroc", auroc), ("sensitivity", sensitivity)];
            measured.map(|(name, value)| (name.to_string(), estimate(value))).into()
        };
        let rows = |record: AnalysisRecord| AnalysisRecord {
            n: 200.into(),
            n_positive: 80.into(),
            primary: "auroc".to_string(),
            ..record
        };
        let inside = rows(AnalysisRecord {
            performance: performance(0.712_345, 0.6),
            ..AnalysisRecord::default()
        });
        let optimism = [("auroc", 0.2), ("sensitivity", 0.3)];
        let apparent = ApparentFacts {
            performance: performance(0.912_345, 29.0 / 31.0),
            against: Some("inside".to_string()),
            optimism: optimism.map(|(name, value)| (name.to_string(), value)).into(),
        };
        let frozen =
            FrozenFacts { n: n.into(), n_positive, apparent, ..FrozenFacts::default() };
        let outside =
            rows(AnalysisRecord { frozen: Some(frozen), ..AnalysisRecord::default() });
        let mut record = nothing();
        for (name, of) in [("inside", inside), ("outside", outside)] {
            record.analysis_order.push(name.to_string());
            record.analyses.insert(name.to_string(), of);
        }
        record
    }

    fn shown(n: usize, n_positive: Count) -> (ApparentFacts, StudyRecord) {
        let record = suppressed(&study(n, n_positive), 5);
        (record.analyses["outside"].frozen.clone().unwrap().apparent, record)
    }

    #[test]
    fn two_who_are_called_wrong_do_not_follow_from_a_sensitivity() {
        let (facts, record) = shown(90, 31.into());
        assert!(!facts.performance.contains_key("sensitivity"));
        assert!(!facts.optimism.contains_key("sensitivity"));
        let place = "/analyses/outside/frozen/apparent/performance/sensitivity";
        let hidden = &record.suppression.as_ref().unwrap().hidden;
        assert!(hidden.iter().any(|known| known == place), "{hidden:?}");
        let area = &facts.performance["auroc"];
        assert!(area.folds.is_empty() && !area.method.contains("31"));
        // 31 · 59 pairs: steps of 0.005 are nine sums of ranks.
        assert!((area.estimate - 0.91).abs() < 1e-9, "{}", area.estimate);
        let inside = record.analyses["inside"].performance["auroc"].estimate;
        assert!((facts.optimism["auroc"] - (area.estimate - inside)).abs() < 1e-12);
    }

    #[test]
    fn with_many_rows_a_sensitivity_is_coarse() {
        let (facts, _) = shown(900, 310.into());
        let shown = facts.performance["sensitivity"].estimate;
        assert!((shown - 0.95).abs() < 1e-9, "{shown}");
    }

    #[test]
    fn of_a_class_of_few_nothing_is_told() {
        let (facts, _) = shown(90, 4.into());
        assert!(facts.performance.is_empty() && facts.optimism.is_empty());
    }
}
