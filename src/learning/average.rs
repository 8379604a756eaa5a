//! The mean of several candidates' probabilities.

use super::inner::{Entrants, best, means};
use crate::data::Member;
use crate::operation::prelude::*;

/// Averages the probabilities of several candidates instead of choosing one.
///
/// For learners of different kinds that err in different places. Nothing more is fitted: the
/// candidates are those that would have competed.
///
/// # Computation
/// The entrants are chosen by their mean inner score; each weighs the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Average {
    /// Which candidates enter: the best of each learner, of each pair of selector and learner, or
    /// all.
    pub of: Entrants,
}

impl Operation for Average {
    const ABOUT: About = About {
        name: "average",
        title: "Average of candidates",
        version: 1,
        sources: &["vanderlaan2007"],
        example: "average: { of: each_learner }",
    };
}

impl Tuner for Average {
    fn choose(&self, contest: &Contest<'_>) -> Option<Choice> {
        let inner = means(contest.candidates);
        let entrants = self.of.of(contest, &inner);
        let candidate = best(&inner, contest.direction, |_| true)?;
        let weight = 1.0 / entrants.len() as f64;
        let members = entrants.into_iter().map(|candidate| Member { candidate, weight });
        Some(Choice { members: members.collect(), ..Choice::of(candidate, inner) })
    }

    fn chooses_one(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::inner::tests::choose;
    use super::*;
    use crate::data::NoScore;

    #[test]
    fn every_learner_has_the_same_say() {
        let failed = NoScore::Failed("no".to_string());
        let folds = [vec![Ok(0.6)], vec![Err(failed)], vec![Ok(0.8)]];
        let choice = choose(&Average::default(), &folds, &[], &[]).unwrap();
        let members: Vec<usize> = choice.members.iter().map(|m| m.candidate).collect();
        assert_eq!((members, choice.candidate), (vec![0, 2], Some(2)));
        assert!(choice.members.iter().all(|member| member.weight == 0.5));
    }
}
