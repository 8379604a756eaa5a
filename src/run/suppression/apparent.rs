//! A frozen model on the rows that it was fitted on: what this tells of how many there are.
//!
//! These numbers have no confusion table of their own that could say whether a cell is small, so that the
//! measures of decisions are always as coarse as where one is.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FEW_DIGITS, OF_DECISIONS, coarse_step, coarser, is_hidden, of_few, too_few, vague,
};
use crate::data::AnalysisRecord;

/// Rounds or takes away what is told of those rows. Gives what was rounded coarsely, with steps. The
/// analyses beside which it stands are rounded already.
pub fn apparent(
    whole: &BTreeMap<String, AnalysisRecord>,
    analyses: &mut BTreeMap<String, AnalysisRecord>,
    (smallest, hidden): (usize, &mut BTreeSet<String>),
) -> Vec<(String, f64)> {
    let mut coarsened = Vec::new();
    for (name, of) in whole {
        let Some(of) = &of.frozen else { continue };
        let place =
            format!("/analyses/{}/frozen", name.replace('~', "~0").replace('/', "~1"));
        let against = of.apparent.against.as_ref();
        let against = against.and_then(|against| analyses.get(against));
        let held_out = against.map(|of| of.performance.clone()).unwrap_or_default();
        let frozen = analyses.get_mut(name).and_then(|of| of.frozen.as_mut());
        let Some(shown) = frozen.map(|frozen| &mut frozen.apparent) else { continue };
        if too_few(of.n, of.n_positive, smallest) {
            shown.performance.clear();
            shown.optimism.clear();
            continue;
        }
        let known = of.n.known().zip(of.n_positive.known());
        let smaller = known.map(|(n, positive)| positive.min(n.saturating_sub(positive)));
        let place_of = format!("{place}/apparent/performance");
        of_few(&mut shown.performance, smaller, &place_of, smallest, hidden);
        for (metric, estimate) in &mut shown.performance {
            estimate.folds.clear();
            if is_hidden(&place, hidden) {
                vague(estimate, FEW_DIGITS);
            }
            if OF_DECISIONS.contains(&metric.as_str()) {
                let step = coarse_step(smaller.unwrap_or(0), smallest).unwrap_or(1.0);
                *estimate = coarser(estimate, step, "it could tell a small cell");
                coarsened.push((format!("{place_of}/{metric}"), step));
            }
        }
        // What is left of both is all that their difference may tell.
        shown.optimism.retain(|metric, _| !OF_DECISIONS.contains(&metric.as_str()));
        let both = |metric: &String| {
            Some(shown.performance.get(metric)?.estimate - held_out.get(metric)?.estimate)
        };
        let left = shown.optimism.keys().filter_map(|of| Some((of.clone(), both(of)?)));
        shown.optimism = left.collect();
    }
    coarsened
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ApparentFacts, Count, Estimate, FrozenFacts};

    type Analyses = BTreeMap<String, AnalysisRecord>;

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

    fn performance(auroc: f64, sensitivity: f64) -> BTreeMap<String, Estimate> {
        [
            ("auroc".to_string(), estimate(auroc)),
            ("sensitivity".to_string(), estimate(sensitivity)),
        ]
        .into()
    }

    /// An analysis inside and one outside, of a model fitted on so many rows.
    fn study(n: usize, n_positive: usize) -> Analyses {
        let inside = AnalysisRecord {
            performance: performance(0.71, 0.6),
            ..AnalysisRecord::default()
        };
        let apparent = ApparentFacts {
            performance: performance(0.912_345, 29.0 / 31.0),
            against: Some("inside".to_string()),
            optimism: [
                ("auroc".to_string(), 0.202_345),
                ("sensitivity".to_string(), 0.3),
            ]
            .into(),
        };
        let outside = AnalysisRecord {
            frozen: Some(FrozenFacts {
                n: n.into(),
                n_positive: n_positive.into(),
                apparent,
                ..FrozenFacts::default()
            }),
            ..AnalysisRecord::default()
        };
        let analyses = [("inside", inside), ("outside", outside)];
        analyses.map(|(name, of)| (name.to_string(), of)).into()
    }

    fn shown(whole: &Analyses, hidden: &[&str]) -> (ApparentFacts, Vec<(String, f64)>) {
        let mut record = whole.clone();
        let mut hidden = hidden.iter().map(|place| place.to_string()).collect();
        let coarsened = apparent(whole, &mut record, (5, &mut hidden));
        let facts = record["outside"].frozen.clone().unwrap();
        (facts.apparent, coarsened)
    }

    #[test]
    fn two_who_are_called_wrong_do_not_follow_from_a_sensitivity() {
        let (facts, coarsened) = shown(&study(90, 31), &[]);
        let place = "/analyses/outside/frozen/apparent/performance/sensitivity";
        assert_eq!(coarsened, [(place.to_string(), 0.5)]);
        assert_eq!(facts.performance["sensitivity"].estimate, 1.0);
        assert!(facts.performance.values().all(|estimate| estimate.folds.is_empty()));
        assert!(!facts.optimism.contains_key("sensitivity"));
        assert!((facts.optimism["auroc"] - 0.202_345).abs() < 1e-12);
    }

    #[test]
    fn what_is_of_a_hidden_number_of_rows_has_few_digits() {
        let place = "/analyses/outside/frozen/n_positive";
        let (facts, _) = shown(&study(90, 31), &[place]);
        assert_eq!(facts.performance["auroc"].estimate, 0.91);
        assert!((facts.optimism["auroc"] - 0.2).abs() < 1e-12);
        assert!(!facts.performance["auroc"].method.contains("31"));
    }

    #[test]
    fn of_a_class_of_few_nothing_is_told() {
        let (facts, _) = shown(&study(90, 4), &[]);
        assert!(facts.performance.is_empty() && facts.optimism.is_empty());
        let mut whole = study(90, 31);
        let frozen = whole.get_mut("outside").unwrap().frozen.as_mut().unwrap();
        frozen.n_positive = Count::HIDDEN;
        let (facts, _) = shown(&whole, &["/analyses/outside/frozen/n_positive"]);
        assert_eq!(facts.performance["sensitivity"].estimate, 1.0);
    }
}
