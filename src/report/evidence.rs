//! Whether the record has what an item of a standard asks of the run.

use super::deviations::without_reason;
use super::ibsi;
use super::standing::{Standing, all, headline};
use crate::data::{AnalysisRecord, SampleSizeFacts, StudyRecord};
use crate::operation::Evidence;

/// Whether it can be asked of this study at all. Of what was done outside of this program there is
/// the author's word alone.
pub fn applies(evidence: Evidence, record: &StudyRecord, item: &str) -> bool {
    match evidence {
        Evidence::Extraction => record.predictors.iter().any(|b| b.kind == "images"),
        Evidence::Threshold => declares_threshold(record),
        Evidence::Protocol => record.protocol.is_some(),
        Evidence::Setting => ibsi::is_of_the_run(record, item),
        _ => true,
    }
}

/// Whether the study declares a rule for decisions.
pub fn declares_threshold(record: &StudyRecord) -> bool {
    record.methods.iter().any(|method| method.role == "threshold")
}

/// Whether classes are weighted anywhere.
pub fn weights_classes(record: &StudyRecord) -> bool {
    let settings = record.methods.iter().flat_map(|method| &method.settings);
    settings.into_iter().any(|setting| {
        setting.name == "class_weight"
            && !["none", "None", "null"].contains(&setting.value.as_str())
    })
}

/// Whether any cohort is met by a model that was made elsewhere.
pub fn other_cohort(record: &StudyRecord) -> bool {
    record.analyses.values().any(|analysis| analysis.kind == "external")
}

/// Whether features of images come in a table that another program made.
pub fn extracted_outside(record: &StudyRecord) -> bool {
    !record.predictors.iter().any(|block| block.kind == "images")
}

/// Whether a step of preparation deals with missing values.
fn handles_gaps(step: &str) -> bool {
    step.starts_with("impute_") || step == "drop_missing"
}

/// Ten events for each candidate predictor parameter, or as many patients as an unpenalised model of
/// them all would need.
pub fn in_proportion(size: &SampleSizeFacts) -> bool {
    size.events_per_candidate.is_some_and(|ratio| ratio >= 10.0)
        || size.needed.is_some_and(|needed| needed <= size.n as f64)
}

/// Whether the record has it, for this item. Each reads a place of its own.
pub fn found(evidence: Evidence, record: &StudyRecord, item: &str) -> bool {
    let of = |is: &dyn Fn(&AnalysisRecord) -> bool| {
        headline(record).is_some_and(|(_, analysis)| is(analysis))
    };
    let methods = |role: &'static str| {
        let own = record.methods.iter().filter(|method| !method.added);
        own.filter(move |method| method.role == role)
    };
    let method = |role: &'static str| methods(role).next().is_some();
    let any = |is: &dyn Fn(&AnalysisRecord) -> bool| record.analyses.values().any(is);
    match evidence {
        Evidence::Sources => record.sources.iter().any(|s| !s.digest.is_empty()),
        Evidence::Flow => record.cohorts.iter().any(|cohort| !cohort.flow.is_empty()),
        Evidence::TableOne => {
            record.characteristics.iter().any(|row| row.class.is_some())
                || record.predictors.iter().any(|block| {
                    block.columns.iter().any(|column| {
                        column.positive.is_some() || !column.levels.is_empty()
                    })
                })
        }
        Evidence::Missingness => !record.missingness.is_empty(),
        // Learners take no gaps, so a step before them fills or leaves out.
        Evidence::Gaps => {
            let columns = || record.predictors.iter().flat_map(|block| &block.columns);
            columns().all(|column| column.missing == 0)
                || methods("prepare").any(|method| handles_gaps(&method.name))
        }
        Evidence::Shift => {
            record.characteristics.iter().any(|row| row.smd_to_development.is_some())
        }
        Evidence::Outcomes => !record.outcomes.is_empty(),
        Evidence::Predictors => of(&|analysis| analysis.n_predictors > 0),
        Evidence::Extraction => method("features"),
        Evidence::Preparation => method("prepare"),
        Evidence::Learners => method("learn"),
        Evidence::Tuning => of(&|analysis| !analysis.candidates.is_empty()),
        Evidence::Splits => of(&|analysis| !analysis.folds.is_empty()),
        Evidence::Proof => record.certificate.n_held_out_uses > 0,
        Evidence::Unprepared => {
            record.sources.iter().all(|source| source.prepared_outside != Some(true))
        }
        Evidence::Measures => of(&|analysis| !analysis.metrics.is_empty()),
        Evidence::SampleSize => of(&|analysis| analysis.sample_size.is_some()),
        Evidence::Proportion => of(&|analysis| {
            let size = analysis.sample_size.as_ref();
            size.is_some_and(in_proportion)
        }),
        Evidence::Performance => of(&|a| a.performance.contains_key(&a.primary)),
        Evidence::Intervals => {
            of(&|a| a.performance.values().any(|estimate| estimate.lower.is_some()))
        }
        Evidence::Calibration => of(&|analysis| analysis.calibration.is_some()),
        Evidence::PrecisionRecall => {
            of(&|analysis| !analysis.precision_recall.is_empty())
        }
        Evidence::Decision => of(&|analysis| analysis.decision.is_some()),
        Evidence::Confusion => of(&|analysis| analysis.confusion.is_some()),
        Evidence::Threshold => of(&|analysis| analysis.threshold.is_some()),
        // What a site gives is no comparison with a clinical model or with size.
        Evidence::Controls => any(&|analysis| {
            let added = analysis.added.as_ref();
            analysis.role == "control"
                && added.is_none_or(|added| added.looks_at != "site or stratum")
        }),
        Evidence::Comparisons => !record.comparisons.is_empty(),
        Evidence::Baseline => {
            record.methods.iter().any(|m| m.role == "learn" && m.name == "naive")
                || of(&|analysis| {
                    analysis.permutation.is_some() || analysis.prevalence_only.is_some()
                })
        }
        Evidence::Sites => any(&|analysis| !analysis.sites.is_empty()),
        Evidence::Confounding => !record.associations.is_empty(),
        Evidence::Subgroups => of(&|analysis| !analysis.subgroups.is_empty()),
        Evidence::Selection => of(&|analysis| analysis.selection.is_some()),
        Evidence::Reduction => of(&|analysis| {
            let chosen = analysis.selection.as_ref();
            chosen.is_some_and(|of| of.mean_columns < of.of_columns as f64)
        }),
        // No step of this version measures whether a feature holds under repetition.
        Evidence::Robustness => false,
        Evidence::Centres => {
            record.cohorts.iter().any(|cohort| cohort.n_sites.is_some_and(|n| n > 1))
        }
        Evidence::FrozenModel => any(&|analysis| analysis.frozen.is_some()),
        Evidence::FullModel => !record.full_models.is_empty(),
        Evidence::External => {
            all(record).any(|(_, of)| Standing::of(record, of) == Standing::External)
        }
        Evidence::Identity => !record.study.digest.is_empty(),
        Evidence::Protocol => {
            record.protocol.is_some() && without_reason(record).is_empty()
        }
        Evidence::Setting => ibsi::told(record, item).is_some(),
        Evidence::Collinearity => of(&|analysis| {
            let chosen = analysis.selection.as_ref();
            chosen.is_some_and(|of| of.similar.is_some())
        }),
    }
}
