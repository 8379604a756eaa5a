//! Nodes before any split: images, features, the predictors of a cohort.

use std::collections::BTreeMap;

use super::{ComputeError, Computed, Inputs, input};
use crate::data::{Features, Frame, FrameColumn, Roi, Rows, Split, Value};
use crate::operation::{Failure, File, FittedChain, Instance, ReadAs};
use crate::plan::{Grid, Work};
use crate::spec::{BlockKind, SourceKind, Use};

pub fn read_image(
    inputs: &Inputs<'_>,
    source: usize,
    file: usize,
    what: Grid,
) -> Computed {
    let source = &inputs.study.sources[source];
    let SourceKind::Images { reader, .. } = &source.kind else {
        unreachable!("`plan` reads images from image sources")
    };
    let Some(given) =
        inputs.survey.sources.get(&source.name).and_then(|source| source.files.get(file))
    else {
        return Ok(Value::Failed("no image".to_string()));
    };
    let bytes = inputs.reading.bytes(inputs.study, given)?;
    let Instance::Reader(instance) = &reader.instance else {
        unreachable!("`spec` puts a reader here")
    };
    let (what, part) = match what {
        Grid::Volume => (ReadAs::Volume, "image"),
        Grid::Mask => (ReadAs::Mask, "mask"),
    };
    let file = File { name: &given.shown, bytes: &bytes };
    Ok(instance
        .read(file, what)
        .unwrap_or_else(|failure| Value::Failed(format!("{part}: {failure}"))))
}

pub fn features(inputs: &Inputs<'_>, block: usize, family: usize) -> Computed {
    let BlockKind::Images { labels, features, .. } = &inputs.study.predictors[block].kind
    else {
        unreachable!("`plan` measures features in image blocks")
    };
    let Instance::FeatureFamily(instance) = &features[family].instance else {
        unreachable!("`spec` puts a feature family here")
    };
    let volume = input!(&inputs.values[0], Volume, "volume");
    let mask = input!(&inputs.values[1], Mask, "mask");
    if volume.geometry.size != mask.size {
        let sizes = format!("{:?} and {:?} voxels", volume.geometry.size, mask.size);
        return Ok(Value::Failed(Failure::Geometry(sizes).to_string()));
    }
    let Some(roi) = Roi::new(volume, mask, labels) else {
        return Ok(Value::Failed(Failure::EmptyRegion.to_string()));
    };
    Ok(match instance.compute(&roi) {
        Ok(values) => Value::Features(Features { values }),
        Err(failure) => Value::Failed(failure.to_string()),
    })
}

pub fn frame(inputs: &Inputs<'_>, cohort_at: usize, block: usize) -> Computed {
    let study = inputs.study;
    let block = &study.predictors[block];
    let cohort = &inputs.survey.cohorts[&study.cohorts[cohort_at].name];
    let n = cohort.rows.len();
    let tolerated = study.cohorts[cohort_at].failed_at_most;
    match &block.kind {
        BlockKind::Columns { .. } => {
            let cohort = &study.cohorts[cohort_at];
            let frame = crate::survey::frame(study, inputs.survey, cohort, &block.name);
            Ok(frame
                .map_or_else(|failure| Value::Failed(failure.to_string()), Value::Frame))
        }
        BlockKind::Images { features, .. } => {
            let mut names = Vec::new();
            for family in features {
                let Instance::FeatureFamily(instance) = &family.instance else {
                    unreachable!("`spec` puts a feature family here")
                };
                let columns = instance.columns();
                names.extend(
                    columns.iter().map(|c| format!("{}.{}", family.about.name, c.name)),
                );
            }
            let mut values = vec![vec![f64::NAN; n]; names.len()];
            let mut failed = vec![None; n];
            for (row, of_row) in inputs.values.chunks(features.len()).enumerate() {
                let mut at = 0;
                for value in of_row {
                    match &**value {
                        Value::Features(features) => {
                            for number in &features.values {
                                values[at][row] = *number;
                                at += 1;
                            }
                        }
                        Value::Failed(why) => {
                            failed[row] = Some(why.clone());
                            break;
                        }
                        other => {
                            return Err(ComputeError::Kind(other.kind(), "features"));
                        }
                    }
                }
            }
            let reasons = counted(&failed);
            if failed.iter().flatten().count() > tolerated {
                let reasons: Vec<String> =
                    reasons.iter().map(|(why, n)| format!("{why} ({n})")).collect();
                return Ok(Value::Failed(format!(
                    "{} of {n} rows could not be measured and `failed_at_most` is {tolerated}: {}",
                    failed.iter().flatten().count(),
                    reasons.join("; ")
                )));
            }
            for (row, _) in failed.iter().enumerate().filter(|(_, why)| why.is_some()) {
                values.iter_mut().for_each(|column| column[row] = f64::NAN);
            }
            let columns = names.into_iter().zip(values);
            let columns = columns
                .map(|(name, values)| FrameColumn { name: name.into(), values })
                .collect();
            Ok(Value::Frame(Frame { rows: Rows::new(columns, n), failed }))
        }
    }
}

/// How often each reason occurs, the reasons in alphabetical order.
pub fn counted(failed: &[Option<String>]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for why in failed.iter().flatten() {
        *counts.entry(why.as_str()).or_insert(0) += 1;
    }
    counts
}

pub fn fit_before(inputs: &Inputs<'_>, cohort: usize, step: &Use) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let cohort = &inputs.survey.cohorts[&inputs.study.cohorts[cohort].name];
    let everybody =
        Split { train: (0..frame.rows.n() as u32).collect(), held_out: Vec::new() };
    // No outcome is known here; the proof refuses this node before it could run.
    let unknown = vec![Some(false); frame.rows.n()];
    let train = everybody.train(frame, &unknown, &cohort.groups);
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps here")
    };
    let path = instance.fit(&train).map(|state| vec![state]);
    let path = path.map_err(|failure| failure.to_string());
    Ok(Value::Fitted(FittedChain { paths: vec![path] }.to_bytes()))
}

pub fn apply_before(inputs: &Inputs<'_>, step: &Use) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let fitted =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let mut rows = frame.rows.clone();
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps here")
    };
    let applied = match &fitted.paths[0] {
        Ok(states) => instance.apply(&states[0], &mut rows).map_err(|f| f.to_string()),
        Err(why) => Err(why.clone()),
    };
    Ok(match applied {
        Ok(()) => Value::Frame(Frame { rows, failed: frame.failed.clone() }),
        Err(why) => Value::Failed(why),
    })
}

pub fn assemble(inputs: &Inputs<'_>) -> Computed {
    let mut columns = Vec::new();
    let mut categories = BTreeMap::new();
    let mut failed: Vec<Option<String>> = Vec::new();
    let mut n = 0;
    for (value, node) in inputs.values.iter().zip(inputs.nodes) {
        let frame = input!(value, Frame, "frame");
        n = frame.rows.n();
        failed.resize(n, None);
        let block = match inputs.plan.graph[*node].work {
            Work::Frame { block, .. } | Work::ApplyBefore { block, .. } => block,
            _ => unreachable!("`plan` assembles frames"),
        };
        let block = &inputs.study.predictors[block].name;
        for column in frame.rows.columns() {
            let name = format!("{block}.{}", column.name);
            if let Some(of_column) = frame.rows.categories(&column.name) {
                categories.insert(name.clone(), of_column.to_vec());
            }
            columns
                .push(FrameColumn { name: name.into(), values: column.values.clone() });
        }
        for (row, why) in failed.iter_mut().zip(&frame.failed) {
            if row.is_none() {
                row.clone_from(why);
            }
        }
    }
    let rows = Rows::new(columns, n).with_categories(categories);
    Ok(Value::Frame(Frame { rows, failed }))
}
