//! The author's half of a record, which can be taken out of it.

use serde_json::Value as Json;

use super::place;
use super::{
    Checklist, ConflictFacts, DeviationFacts, QualityFacts, Reporting, RiskOfBiasFacts,
    StudyRecord,
};

/// What the author says in a report, what is warned of, and what became of the items by that.
#[derive(Debug, Default)]
pub struct AuthorsHalf {
    deviations: Vec<DeviationFacts>,
    warnings: Vec<String>,
    reporting: Reporting,
    checklists: Vec<Checklist>,
    conflicts: Vec<ConflictFacts>,
    quality: Option<QualityFacts>,
    risk_of_bias: Option<RiskOfBiasFacts>,
}

impl StudyRecord {
    /// The author's half, which is empty from here on.
    pub fn take_authors_half(&mut self) -> AuthorsHalf {
        let mut half = AuthorsHalf::default();
        self.exchange(&mut half);
        half
    }

    /// Puts it back.
    pub fn give_back(&mut self, mut half: AuthorsHalf) {
        self.exchange(&mut half);
    }

    fn exchange(&mut self, half: &mut AuthorsHalf) {
        use std::mem::swap;
        swap(&mut self.deviations, &mut half.deviations);
        swap(&mut self.warnings, &mut half.warnings);
        swap(&mut self.reporting, &mut half.reporting);
        swap(&mut self.checklists, &mut half.checklists);
        swap(&mut self.conflicts, &mut half.conflicts);
        swap(&mut self.quality, &mut half.quality);
        swap(&mut self.risk_of_bias, &mut half.risk_of_bias);
    }

    /// What stands at a place of the record as JSON, such as `/study/seed`.
    pub fn at(&self, place: &str) -> Option<Json> {
        // Of many analyses one is found by its name, not by looking at all.
        let of_analyses = place.strip_prefix("/analyses").and_then(place::first);
        if let Some((name, below)) = of_analyses {
            return place::at(self.analyses.get(&name)?, below);
        }
        place::at(self, place)
    }
}
