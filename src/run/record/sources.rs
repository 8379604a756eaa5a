//! The sources of a study: what each holds, and which of its rows were left out.

use serde_json::json;

use crate::data::{Removed, SourceFacts};
use crate::digest::{Digest, canonical_json};
use crate::plan::{self, Plan};
use crate::run::Done;
use crate::spec::{SourceKind, Study};
use crate::survey::{Content, Notes, Survey};

pub(super) fn source(
    source: &crate::spec::Source,
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    done: &Done,
) -> Option<SourceFacts> {
    let surveyed = survey.sources.get(&source.name)?;
    let kind = match source.kind {
        SourceKind::Table { .. } => "table",
        SourceKind::Maf { .. } => "maf",
        SourceKind::Images { .. } => "images",
        SourceKind::Simulate { .. } => "simulate",
    };
    let named =
        |digests: Vec<Digest>| Digest::of(canonical_json(&json!(digests)).as_bytes());
    let files = || named(surveyed.files.iter().map(|file| file.digest).collect());
    // The voxels that were read, not the bytes that they were packed into.
    let images = || {
        let read = plan.order.iter().filter(|&&index| match plan.graph[index].work {
            plan::Work::ReadImage { source: at, .. } => {
                study.sources[at].name == source.name
            }
            _ => false,
        });
        let mut digests: Vec<Digest> =
            read.filter_map(|&index| done.states.output(index, None)).collect();
        digests.sort();
        named(digests)
    };
    let (n, n_columns, digest) = match &surveyed.content {
        Content::Table { table, digest, .. } => {
            (table.n_rows(), table.n_columns(), *digest)
        }
        Content::Images(pairs) => (pairs.len(), 0, images()),
        Content::Generated => (surveyed.files.len(), 0, files()),
    };
    Some(SourceFacts {
        name: source.name.clone(),
        kind: kind.to_string(),
        simulated: study.from_generator(source),
        n: n.into(),
        n_columns,
        left_out: match &surveyed.content {
            Content::Table { notes, .. } => left_out(notes),
            Content::Images(_) | Content::Generated => Vec::new(),
        },
        digest: digest.to_string(),
        prepared_outside: source.prepared_outside,
        trained_on: source.trained_on.clone(),
        licence: source.licence.clone(),
        citation: source.citation.clone(),
        origin: source.provenance.as_ref().map(|origin| {
            let parts = [&origin.citation, &origin.upstream, &origin.conversion];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>().join("; ")
        }),
    })
}

fn left_out(notes: &Notes) -> Vec<Removed> {
    let reasons = [
        ("no id", notes.nameless),
        ("of a sample that does not count", notes.other_samples),
        ("repeats another in every cell", notes.collapsed),
    ];
    let met = reasons.into_iter().filter(|(_, n)| *n > 0);
    met.map(|(reason, n)| Removed { reason: reason.to_string(), n: n.into() }).collect()
}
