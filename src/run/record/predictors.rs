//! The predictors of each block, column by column.

use super::Found;
use crate::data::{BlockFacts, ColumnFacts, ColumnLevel, Frame, Moments, Removed, Value};
use crate::math;
use crate::operation::Instance;
use crate::plan::{self, Plan};
use crate::run::characteristics::{per_level, shares};
use crate::run::compute::counted;
use crate::spec::{BlockKind, Outcome, SourceKind, Study};
use crate::statistics;
use crate::survey::Survey;
use crate::units::Unit;

/// The predictors of each block, in the first cohort that is analysed with it.
pub(super) fn predictors(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
) -> Vec<BlockFacts> {
    let mut facts = Vec::new();
    for (position, block) in study.predictors.iter().enumerate() {
        if study.repeats(block) {
            continue;
        }
        let frame = found.iter().find_map(|(node, value)| match plan.graph[*node].work {
            plan::Work::Frame { cohort, block } if block == position => {
                Some((cohort, value))
            }
            _ => None,
        });
        let Some((cohort, value)) = frame else { continue };
        let cohort = &study.cohorts[cohort];
        // By the first outcome that this cohort is asked about.
        let asked = |outcome: &Outcome| {
            survey.outcomes.get(&(outcome.name.clone(), cohort.name.clone()))
        };
        let classes = study.outcomes.iter().find_map(asked);
        let kind = match &block.kind {
            BlockKind::Columns { .. } => "columns",
            BlockKind::Images { .. } => "images",
        };
        let sources: Vec<&str> =
            block.sources().iter().map(|from| from.name.as_str()).collect();
        let units = units(study, block);
        let declared = survey.columns.get(&block.name);
        let (columns, failed) = match (value, classes) {
            (Value::Frame(frame), Some(known)) => {
                let divided = Divided::of(frame, &known.classes);
                let columns = frame
                    .rows
                    .columns()
                    .iter()
                    .enumerate()
                    .map(|(at, column)| {
                        let unit = units.get(at).copied().unwrap_or_default();
                        let declared = declared.and_then(|columns| columns.get(at));
                        ColumnFacts {
                            declared_unit: declared
                                .and_then(|column| column.unit.clone()),
                            ..describe_column(column, unit, frame, &divided)
                        }
                    })
                    .collect();
                let failed = counted(&frame.failed)
                    .into_iter()
                    .map(|(why, n)| Removed { reason: why.to_string(), n: n.into() })
                    .collect();
                (columns, failed)
            }
            (Value::Failed(why), _) => (
                Vec::new(),
                vec![Removed {
                    reason: why.clone(),
                    n: survey.cohorts[&cohort.name].rows.len().into(),
                }],
            ),
            _ => (Vec::new(), Vec::new()),
        };
        facts.push(BlockFacts {
            name: block.name.clone(),
            cohort: cohort.name.clone(),
            kind: kind.to_string(),
            source: sources.join(", "),
            known: block.known.clone(),
            columns,
            failed,
            failed_at_most: cohort.failed_at_most,
        });
    }
    facts
}

/// The units of an image block's columns; a table's columns carry none yet.
pub fn units(study: &Study, block: &crate::spec::Block) -> Vec<Unit> {
    let BlockKind::Images { from, features, .. } = &block.kind else { return Vec::new() };
    let image = study.source(&from.name).and_then(|source| match source.kind {
        SourceKind::Images { unit, .. } => Some(unit),
        _ => None,
    });
    let families = features.iter().filter_map(|family| match &family.instance {
        Instance::FeatureFamily(instance) => Some(instance.columns()),
        _ => None,
    });
    let resolved = families.flatten().map(|column| match image {
        Some(image) => column.unit.of_image(image),
        None => column.unit,
    });
    resolved.collect()
}

/// Rows that could be measured: all of them, and those of each class.
struct Divided {
    all: Vec<usize>,
    positive: Vec<usize>,
    negative: Vec<usize>,
}

impl Divided {
    fn of(frame: &Frame, classes: &[Option<bool>]) -> Self {
        let measured = (0..frame.rows.n()).filter(|&row| frame.failed[row].is_none());
        let all: Vec<usize> = measured.collect();
        let of_class = |class: bool| {
            all.iter().copied().filter(|&row| classes[row] == Some(class)).collect()
        };
        Self { positive: of_class(true), negative: of_class(false), all }
    }
}

fn describe_column(
    column: &crate::data::FrameColumn,
    unit: Unit,
    frame: &Frame,
    divided: &Divided,
) -> ColumnFacts {
    let values = |rows: &[usize]| -> Vec<f64> {
        let mut known = Vec::with_capacity(rows.len());
        known.extend(rows.iter().map(|&row| column.values[row]).filter(|v| !v.is_nan()));
        known
    };
    let all = values(&divided.all);
    let missing = divided.all.len() - all.len();
    if let Some(names) = frame.rows.categories(&column.name) {
        let levels: Vec<&String> = names.iter().collect();
        let count = |values: &[f64]| per_level(values, names, &levels);
        let positive = count(&values(&divided.positive));
        let negative = count(&values(&divided.negative));
        let shares = [count(&all), positive.clone(), negative.clone()]
            .map(|counts| shares(&counts));
        let level = |(at, name): (usize, &String)| ColumnLevel {
            name: name.clone(),
            all: shares[0][at],
            positive: shares[1][at],
            negative: shares[2][at],
        };
        return ColumnFacts {
            name: column.name.to_string(),
            unit,
            declared_unit: None,
            missing: missing.into(),
            all: None,
            positive: None,
            negative: None,
            levels: names.iter().enumerate().map(level).collect(),
            smd: statistics::standardised_difference(&positive, &negative),
        };
    }
    let moments = |values: &[f64]| {
        let (mean, variance) = (math::mean(values)?, math::variance(values)?);
        Some(Moments { n: values.len().into(), mean, sd: math::sqrt(variance) })
    };
    let positive = moments(&values(&divided.positive));
    let negative = moments(&values(&divided.negative));
    let smd = positive.zip(negative).and_then(|(positive, negative)| {
        let pooled =
            math::sqrt((positive.sd * positive.sd + negative.sd * negative.sd) / 2.0);
        (pooled > 0.0).then(|| (positive.mean - negative.mean) / pooled)
    });
    ColumnFacts {
        name: column.name.to_string(),
        unit,
        declared_unit: None,
        missing: missing.into(),
        all: moments(&all),
        positive,
        negative,
        levels: Vec::new(),
        smd,
    }
}
