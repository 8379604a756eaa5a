//! What follows from numbers that are hidden or rounded elsewhere: made anew from what is left of them,
//! so that it tells nothing more.

use crate::data::{GroupDifference, StudyRecord, SubgroupFacts};
use crate::run::target;
use crate::statistics::{Limited, difference};

/// Estimate, lower and upper limit, where they are left.
type Left = [Option<f64>; 3];

/// Differences between groups.
pub fn groups(record: &mut StudyRecord) {
    for analysis in record.analyses.values_mut() {
        let groups = analysis.subgroups.clone();
        for group in &mut analysis.subgroups {
            let is = |other: &&SubgroupFacts| {
                other.by == group.by && Some(&other.group) == group.against.as_ref()
            };
            let than = groups.iter().find(is);
            let left = |of: &SubgroupFacts| [of.estimate, of.lower, of.upper];
            let both = than.map(|than| [left(group), left(than)]);
            group.difference = again(group.difference.take(), both);
            for measure in &mut group.measures {
                let of = |than: &SubgroupFacts| {
                    let mut others = than.measures.iter();
                    let other = others.find(|other| other.metric == measure.metric)?;
                    Some([other.estimate, other.lower, other.upper])
                };
                let own = [measure.estimate, measure.lower, measure.upper];
                let both = than.and_then(of).map(|than| [own, than]);
                measure.difference = again(measure.difference.take(), both);
            }
        }
    }
}

/// The same difference of what is left of both groups. The limits of groups that share patients are
/// not those of either, so they go.
fn again(
    found: Option<GroupDifference>,
    both: Option<[Left; 2]>,
) -> Option<GroupDifference> {
    let (found, [one, other]) = found.zip(both)?;
    let estimate = one[0]? - other[0]?;
    let limited = |of: Left| {
        let [estimate, lower, upper] = of;
        Some(Limited { estimate: estimate?, lower: lower?, upper: upper? })
    };
    let limits = limited(one).zip(limited(other)).filter(|_| found.apart);
    let limits = limits.map(|(one, other)| difference(one, other));
    let note = match (limits, found.lower) {
        (Some(_), _) => format!("{}, as these are shown", found.note),
        (None, Some(_)) => "no interval: it would tell more than the groups".to_string(),
        (None, None) => found.note,
    };
    Some(GroupDifference {
        estimate,
        lower: limits.map(|of| of.lower),
        upper: limits.map(|of| of.upper),
        apart: found.apart,
        note,
    })
}

/// Predictive values at the declared prevalence.
pub fn at_target(record: &mut StudyRecord) {
    let declared = record.study.target_prevalence.as_ref();
    for analysis in record.analyses.values_mut() {
        analysis.at_target = target::at_target(analysis, declared);
    }
}

#[cfg(test)]
mod tests {
    use super::super::suppressed;
    use super::super::tests::nothing;
    use crate::data::{
        AnalysisRecord, GroupDifference, GroupMeasure, StudyRecord, SubgroupFacts,
    };

    fn group(name: &str, n: usize, value: f64, apart: bool) -> SubgroupFacts {
        let limits = (Some(value - 0.111_111), Some(value + 0.111_111));
        let against = (name != "large").then(|| "large".to_string());
        let less = against.as_ref().map(|_| GroupDifference {
            estimate: value - 0.777_777,
            lower: Some(-0.3),
            upper: Some(0.2),
            apart,
            note: "95 % interval from 1000 resamples of 90 patients".to_string(),
        });
        SubgroupFacts {
            by: "ward".to_string(),
            group: name.to_string(),
            n: n.into(),
            n_positive: (n / 2).into(),
            estimate: Some(value),
            lower: limits.0,
            upper: limits.1,
            note: String::new(),
            against,
            difference: less.clone(),
            measures: vec![GroupMeasure {
                metric: "brier".to_string(),
                title: String::new(),
                estimate: Some(value / 4.0),
                lower: None,
                upper: None,
                note: String::new(),
                difference: less,
            }],
        }
    }

    fn shown(small: usize, apart: bool) -> (Vec<SubgroupFacts>, StudyRecord) {
        let subgroups = vec![
            group("large", 60, 0.777_777, apart),
            group("small", small, 0.666_666, apart),
        ];
        let analysis = AnalysisRecord {
            n: (60 + small).into(),
            n_positive: (30 + small / 2).into(),
            primary: "auroc".to_string(),
            subgroups,
            ..AnalysisRecord::default()
        };
        let mut record = nothing();
        record.analysis_order.push("inside".to_string());
        record.analyses.insert("inside".to_string(), analysis);
        let record = suppressed(&record, 5);
        (record.analyses["inside"].subgroups.clone(), record)
    }

    #[test]
    fn a_difference_is_that_of_what_is_shown_of_both() {
        let (groups, _) = shown(40, true);
        let less = groups[1].difference.clone().unwrap();
        let of = |at: usize| groups[at].estimate.unwrap();
        assert!((less.estimate - (of(1) - of(0))).abs() < 1e-12, "{less:?}");
        let down = of(1) - groups[1].lower.unwrap();
        let up = groups[0].upper.unwrap() - of(0);
        let half = crate::math::sqrt(down * down + up * up);
        assert!((less.lower.unwrap() - (less.estimate - half)).abs() < 1e-12);
        assert!(!less.note.contains("90"), "{}", less.note);
        let of = groups[1].measures[0].difference.clone().unwrap();
        assert_eq!((of.lower, of.upper), (None, None), "one of them has none");
        let hundredths = of.estimate * 100.0;
        assert!((hundredths - hundredths.round()).abs() < 1e-9, "{hundredths}");
    }

    #[test]
    fn of_a_group_of_few_or_of_patients_in_both_nothing_more_is_told() {
        let (groups, record) = shown(8, true);
        assert_eq!(groups[1].difference, None);
        let hidden = &record.suppression.as_ref().unwrap().hidden;
        let place = "/analyses/inside/subgroups/1/difference";
        assert!(hidden.iter().any(|known| known == place), "{hidden:?}");
        let (groups, _) = shown(40, false);
        let less = groups[1].difference.clone().unwrap();
        assert_eq!((less.lower, less.upper), (None, None));
        assert!(less.note.starts_with("no interval: "), "{}", less.note);
    }
}
