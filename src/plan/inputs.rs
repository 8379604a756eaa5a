//! The nodes before any split: sources, images, features, predictors.

use std::sync::Arc;

use petgraph::graph::NodeIndex;
use serde_json::json;

use super::build::Builder;
use super::{Given, Grid, Groups, Identity, Node, Reads, RowSets, Work};
use crate::data::Scope;
use crate::digest::Digest;
use crate::operation::Instance;
use crate::spec::{BlockKind, ImageOrigin, Origin, SourceKind, Use};
use crate::store::Keep;
use crate::survey::{Content, Location, unread};

impl Builder<'_> {
    /// The predictors of a model for a cohort.
    pub fn assemble(&mut self, cohort: usize, model: usize) -> Option<NodeIndex> {
        if let Some(&node) = self.models.get(&(cohort, model)) {
            return Some(node);
        }
        let study = self.study;
        let mut inputs = Vec::new();
        for block in &study.models[model].blocks {
            let block =
                study.predictors.iter().position(|known| known.name == block.name)?;
            inputs.push(self.frame(cohort, block)?);
        }
        let names: Vec<&str> =
            study.models[model].blocks.iter().map(|block| block.name.as_str()).collect();
        let node = Node {
            name: format!(
                "predictors/{}/{}",
                study.cohorts[cohort].name, study.models[model].name
            ),
            work: Work::Assemble { model },
            identity: Identity::new(&json!({ "assemble": names })),
            given: Default::default(),
            seed: None,
            keep: Keep::Stored,
            family: "assemble",
            scope: Scope::RowWise,
            rows: RowSets::default(),
            span: study.models[model].span,
        };
        let node = self.add(node, &inputs);
        self.models.insert((cohort, model), node);
        Some(node)
    }

    /// The predictors of a block for a cohort.
    pub fn frame(&mut self, cohort: usize, block: usize) -> Option<NodeIndex> {
        if let Some(&node) = self.frames.get(&(cohort, block)) {
            return Some(node);
        }
        let study = self.study;
        let of = &study.predictors[block];
        let surveyed = self.survey.cohorts.get(&study.cohorts[cohort].name)?;
        let rows = Given {
            name: format!("rows of cohort {}", study.cohorts[cohort].name).into(),
            digest: surveyed.digest?,
            shown: format!("{} rows", surveyed.rows.len()).into(),
        };
        let mut behind = Vec::new();
        let (inputs, identity, given) = match &of.kind {
            BlockKind::Columns { from, .. } => {
                for from in from {
                    let here = study.cohorts[cohort].place(&from.name, "").source;
                    behind.extend(self.source(&here));
                }
                let columns = self.survey.columns.get(&of.name)?;
                let names: Vec<&str> =
                    columns.iter().map(|column| column.name.as_str()).collect();
                let place = (study.cohorts[cohort].name.clone(), of.name.clone());
                let cells = Given {
                    name: format!("cells of block {}", of.name).into(),
                    digest: *self.survey.cells.get(&place)?,
                    shown: format!(
                        "{} columns of {} rows",
                        names.len(),
                        surveyed.rows.len()
                    )
                    .into(),
                };
                (Vec::new(), json!({ "columns": names }), vec![rows, cells])
            }
            BlockKind::Images { .. } => {
                let (inputs, columns) = self.features(cohort, block)?;
                let tolerated = study.cohorts[cohort].failed_at_most;
                let identity =
                    json!({ "features": columns, "failed_at_most": tolerated });
                (inputs, identity, Vec::new())
            }
        };
        let name = format!("predictors/{}/{}", study.cohorts[cohort].name, of.name);
        let step_name = |step: &Use| format!("{name}/before-split/{}", step.about.name);
        let node = Node {
            // A model of the same name is another node.
            name: format!("blocks/{}/{}", study.cohorts[cohort].name, of.name),
            work: Work::Frame { cohort, block },
            identity: Identity::new(&identity),
            given: given.into(),
            seed: None,
            keep: Keep::Stored,
            family: "gather",
            scope: Scope::RowWise,
            rows: RowSets::default(),
            span: of.span,
        };
        let mut frame = self.add(node, &inputs);
        for source in behind {
            // Only these cells of it count.
            self.follows(frame, source);
        }
        let everybody = (0..surveyed.rows.len() as u32).collect::<Vec<_>>();
        let groups = self.groups.get(&study.cohorts[cohort].name)?;
        let everybody = Arc::new(Groups::of_rows(&everybody, groups));
        for (position, step) in of.steps.iter().enumerate() {
            let fit = Node {
                name: step_name(step),
                work: Work::FitBefore { cohort, block, step: position },
                identity: Identity::new(&step.identity()),
                given: Default::default(),
                seed: None,
                keep: Keep::Stored,
                family: "fit before the split",
                scope: Scope::Training,
                rows: RowSets {
                    fitted: Some(everybody.clone()),
                    outcomes: reads_outcome_of(step),
                    ..RowSets::default()
                },
                span: step.span,
            };
            let fit = self.add(fit, &[frame]);
            let apply = Node {
                name: format!("{}/applied", step_name(step)),
                work: Work::ApplyBefore { block, step: position },
                identity: Identity::new(&json!({ "apply": step.identity() })),
                given: Default::default(),
                seed: None,
                keep: Keep::Stored,
                family: "apply before the split",
                scope: Scope::RowWise,
                rows: RowSets::default(),
                span: step.span,
            };
            frame = self.add(apply, &[frame, fit]);
        }
        self.frames.insert((cohort, block), frame);
        Some(frame)
    }

    /// The `features` nodes of a block: by row of the cohort, then by family.
    pub fn features(
        &mut self,
        cohort: usize,
        block: usize,
    ) -> Option<(Vec<NodeIndex>, Vec<String>)> {
        let study = self.study;
        let BlockKind::Images { from, labels, features } = &study.predictors[block].kind
        else {
            return None;
        };
        let source = study.sources.iter().position(|source| source.name == from.name)?;
        let SourceKind::Images { from: origin, reader, .. } = &study.sources[source].kind
        else {
            return None;
        };
        let generator = match origin {
            ImageOrigin::Simulated { source } => self.source(&source.name),
            ImageOrigin::Files { .. } => None,
        };
        let reading = ["image", "mask"]
            .map(|part| Identity::new(&json!({ "read": reader.identity(), "as": part })));
        let measuring: Vec<Arc<Identity>> = features
            .iter()
            .map(|family| {
                Identity::new(&json!({ "family": family.identity(), "labels": labels }))
            })
            .collect();
        let surveyed = self.survey.cohorts.get(&study.cohorts[cohort].name)?;
        let content = self.survey.sources.get(&from.name);
        let mut inputs = Vec::new();
        for (row, group) in surveyed.rows.iter().zip(&surveyed.groups) {
            let name = &surveyed.pseudonyms[*group as usize];
            // Several rows of one patient are told apart by a digest of the row's id.
            let name = match row.id == row.subject {
                true => name.clone(),
                false => format!("{name}-{}", &Digest::of(row.id.as_bytes()).hex()[..4]),
            };
            let files = match content.map(|content| (&content.content, &content.files)) {
                Some((Content::Images(pairs), files)) => {
                    let pair = study.cohorts[cohort]
                        .known_as(&row.id)
                        .find_map(|id| pairs.get(id));
                    pair.map(|(image, mask)| {
                        [(*image, &files[*image]), (*mask, &files[*mask])]
                    })
                }
                _ => None,
            };
            let read = |graph: &mut Self, position: usize, grid: Grid| -> NodeIndex {
                let part = if grid == Grid::Volume { "image" } else { "mask" };
                let node_name = format!("read/{}/{name}/{part}", from.name);
                if let Some(&node) = graph.sources.get(&node_name) {
                    return node;
                }
                let (file, given, port) = match files.map(|files| files[position]) {
                    Some((file, given)) => (
                        file,
                        vec![Given {
                            name: "file".into(),
                            digest: given.digest,
                            shown: format!("{}/{name}/{part}", from.name).into(),
                        }],
                        match &given.location {
                            Location::Generated { name, .. } => Some(name.clone()),
                            Location::Disk(_) | Location::Stored => None,
                        },
                    ),
                    None => (usize::MAX, Vec::new(), None),
                };
                let node = Node {
                    name: node_name.clone(),
                    work: Work::ReadImage { source, file, what: grid },
                    identity: reading[usize::from(grid == Grid::Mask)].clone(),
                    given: given.into(),
                    seed: None,
                    keep: Keep::DigestOnly,
                    family: "read image",
                    scope: Scope::PerSubject,
                    rows: RowSets::default(),
                    span: study.sources[source].span,
                };
                let node = graph.add(node, &[]);
                if let Some(generator) = generator {
                    // Only this file of what it makes counts.
                    graph.reads(node, generator, Reads::Part, port.as_deref());
                }
                graph.sources.insert(node_name, node);
                node
            };
            let image = read(self, 0, Grid::Volume);
            let mask = read(self, 1, Grid::Mask);
            for (position, family) in features.iter().enumerate() {
                let node_name = format!(
                    "features/{name}/{}/{}",
                    study.predictors[block].name, family.about.name
                );
                let node = match self.sources.get(&node_name) {
                    Some(&node) => node,
                    None => {
                        let node = Node {
                            name: node_name.clone(),
                            work: Work::Features { block, family: position },
                            identity: measuring[position].clone(),
                            given: Default::default(),
                            seed: None,
                            keep: Keep::Stored,
                            family: "features",
                            scope: Scope::PerSubject,
                            rows: RowSets::default(),
                            span: family.span,
                        };
                        let node = self.add(node, &[image, mask]);
                        self.sources.insert(node_name, node);
                        node
                    }
                };
                inputs.push(node);
            }
        }
        let columns = features.iter().flat_map(|family| match &family.instance {
            Instance::FeatureFamily(instance) => instance
                .columns()
                .iter()
                .map(|column| format!("{}.{}", family.about.name, column.name))
                .collect::<Vec<_>>(),
            _ => unreachable!("`spec` puts feature families here"),
        });
        Some((inputs, columns.collect()))
    }

    /// The node of a source that the survey has read.
    pub fn source(&mut self, name: &str) -> Option<NodeIndex> {
        if let Some(&node) = self.sources.get(name) {
            return Some(node);
        }
        let study = self.study;
        let position = study.sources.iter().position(|source| source.name == name)?;
        let source = &study.sources[position];
        let surveyed = self.survey.sources.get(name);
        let files = surveyed.map_or(&[][..], |surveyed| &surveyed.files);
        let given = |name: &str, shown: String, digest: Digest| {
            vec![Given { name: name.into(), digest, shown: shown.into() }]
        };
        let (work, identity, family, given, inputs, seed) = match &source.kind {
            SourceKind::Simulate { generator } => (
                Work::Simulate { source: position },
                json!({ "simulate": generator.identity() }),
                "simulate",
                Vec::new(),
                Vec::new(),
                generator.random.then_some(study.seed),
            ),
            SourceKind::Table { reader, keyed, files: from }
            | SourceKind::Maf { reader, keyed, files: from, .. } => {
                let mut inputs = Vec::new();
                for (position, from) in from.iter().enumerate() {
                    let Origin::Simulated { source } = from else { continue };
                    let port =
                        files.get(position).and_then(|file| match &file.location {
                            Location::Generated { name, .. } => Some(name.clone()),
                            Location::Disk(_) | Location::Stored => None,
                        });
                    inputs.push((self.source(&source.name)?, port));
                }
                let bytes = match files {
                    [] => given("file", name.to_string(), unread(name)),
                    files => files
                        .iter()
                        .flat_map(|file| given("file", file.shown.clone(), file.digest))
                        .collect(),
                };
                let identity =
                    json!({ "read": reader.identity(), "as": keyed.identity() });
                let work = Work::ReadTable { source: position };
                (work, identity, "read table", bytes, inputs, None)
            }
            SourceKind::Images { .. } => return None,
        };
        let prefix = if family == "simulate" { "simulate" } else { "read" };
        let node = Node {
            name: format!("{prefix}/{name}"),
            work,
            identity: Identity::new(&identity),
            given: given.into(),
            seed,
            keep: Keep::Stored,
            family,
            scope: Scope::Given,
            rows: RowSets::default(),
            span: source.span,
        };
        let node = self.add(node, &[]);
        for (input, port) in inputs {
            self.reads(node, input, Reads::Content, port.as_deref());
        }
        self.sources.insert(name.to_string(), node);
        Some(node)
    }
}

/// Whether fitting a step looks at the outcome.
pub fn reads_outcome_of(step: &Use) -> bool {
    match &step.instance {
        Instance::TableStep(instance) => instance.reads_outcome(),
        _ => unreachable!("`spec` puts table steps into chains"),
    }
}
