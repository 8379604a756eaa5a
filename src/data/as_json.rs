//! A record as JSON, part by part: what nobody asks for is not made.

use std::array::from_fn;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Checklist, ConflictFacts, DeviationFacts, QualityFacts, Reporting, RiskOfBiasFacts,
    StudyRecord,
};

/// Fields of a record but for its analyses.
const N: usize = 29;

/// Parts of a record that were made. They are no part of the record: a copy makes its own.
#[derive(Debug)]
pub struct AsJson {
    fields: [OnceLock<Json>; N],
    analyses: OnceLock<BTreeMap<String, OnceLock<Json>>>,
}

impl Default for AsJson {
    fn default() -> Self {
        Self { fields: from_fn(|_| OnceLock::new()), analyses: OnceLock::new() }
    }
}

impl Clone for AsJson {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for AsJson {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

trait Told: Sync {
    fn json(&self) -> Json;
}

impl<T: Serialize + Sync> Told for T {
    fn json(&self) -> Json {
        serde_json::to_value(self).expect("a record is plain data")
    }
}

/// The fields by name, in the order in which they stand. Analyses are most of a large record: each is
/// made on its own.
fn fields(record: &StudyRecord) -> [(&'static str, &dyn Told); N] {
    let StudyRecord {
        as_json: _,
        schema,
        engine,
        study,
        sources,
        cohorts,
        outcomes,
        agreements,
        associations,
        predictors,
        extraction,
        characteristics,
        missingness,
        analysis_order,
        analyses: _,
        full_models,
        comparisons,
        claims,
        deviations,
        protocol,
        methods,
        graph,
        certificate,
        references,
        warnings,
        reporting,
        checklists,
        conflicts,
        quality,
        risk_of_bias,
        suppression,
    } = record;
    [
        ("schema", schema),
        ("engine", engine),
        ("study", study),
        ("sources", sources),
        ("cohorts", cohorts),
        ("outcomes", outcomes),
        ("agreements", agreements),
        ("associations", associations),
        ("predictors", predictors),
        ("extraction", extraction),
        ("characteristics", characteristics),
        ("missingness", missingness),
        ("analysis_order", analysis_order),
        ("full_models", full_models),
        ("comparisons", comparisons),
        ("claims", claims),
        ("deviations", deviations),
        ("protocol", protocol),
        ("methods", methods),
        ("graph", graph),
        ("certificate", certificate),
        ("references", references),
        ("warnings", warnings),
        ("reporting", reporting),
        ("checklists", checklists),
        ("conflicts", conflicts),
        ("quality", quality),
        ("risk_of_bias", risk_of_bias),
        ("suppression", suppression),
    ]
}

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

impl AuthorsHalf {
    /// Its fields of a record.
    const FIELDS: [&str; 7] = [
        "deviations",
        "warnings",
        "reporting",
        "checklists",
        "conflicts",
        "quality",
        "risk_of_bias",
    ];
}

impl StudyRecord {
    /// What stands at a place of the record as JSON, such as `/study/seed`. A part of the record stays
    /// what it is when it is first asked for: ask when the record is whole.
    pub fn at(&self, place: &str) -> Option<&Json> {
        let (field, below) = first(place)?;
        if field != "analyses" {
            let fields = fields(self);
            let at = fields.iter().position(|(name, _)| *name == field)?;
            let made = self.as_json.fields[at].get_or_init(|| fields[at].1.json());
            return made.pointer(below);
        }
        let (name, below) = first(below)?;
        let name = name.replace("~1", "/").replace("~0", "~");
        let analyses = self.as_json.analyses.get_or_init(|| {
            self.analyses.keys().map(|name| (name.clone(), OnceLock::new())).collect()
        });
        let analysis = self.analyses.get(&name)?;
        analyses.get(&name)?.get_or_init(|| analysis.json()).pointer(below)
    }

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
        let of_half = fields(self).map(|(name, _)| AuthorsHalf::FIELDS.contains(&name));
        for (made, of_half) in self.as_json.fields.iter_mut().zip(of_half) {
            if of_half {
                made.take();
            }
        }
    }
}

/// The first part of a place, and what is behind it.
fn first(place: &str) -> Option<(&str, &str)> {
    let place = place.strip_prefix('/')?;
    Some(place.split_at(place.find('/').unwrap_or(place.len())))
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn a_place_begins_with_a_field() {
        assert_eq!(first("/study/seed"), Some(("study", "/seed")));
        assert_eq!(first("/study"), Some(("study", "")));
        assert_eq!(first(""), None);
    }
}
