//! Whether the record has what an item of a standard asks of the run.

use std::collections::BTreeMap;

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
        Evidence::Discrimination => of(&|analysis| {
            let found = analysis.performance.get("auroc");
            found.is_some_and(|estimate| estimate.lower.is_some())
        }),
        Evidence::CalibrationInterval => of(&|analysis| {
            ["calibration_slope", "calibration_intercept"].iter().any(|name| {
                let found = analysis.performance.get(*name);
                found.is_some_and(|estimate| estimate.lower.is_some())
            })
        }),
        Evidence::Resampled => of(&|analysis| analysis.folds.len() > 1),
        Evidence::ContinuousRisk => {
            of(&|a| !a.roc.is_empty() || !a.roc_mean.points.is_empty())
        }
        Evidence::ClinicalVariables => any(&|analysis| {
            analysis.joins_clinical
                && analysis.role != "control"
                && analysis.performance.contains_key(&analysis.primary)
        }),
        Evidence::ClinicalModel => clinical_beside(record),
        Evidence::Prospective => is_prospective(record),
        Evidence::SameInstitute => held_back(record) || institutes(record) > 0,
        Evidence::OtherInstitute => institutes(record) > 0,
        Evidence::TwoInstitutes => institutes(record) > 1,
        Evidence::ThreeInstitutes => institutes(record) > 2,
    }
}

/// Whether the author calls any cohort that is analysed prospective.
pub fn is_prospective(record: &StudyRecord) -> bool {
    record.analyses.values().any(|analysis| {
        let design =
            record.reporting.text(&format!("cohorts.{}.design", analysis.cohort));
        design.is_some_and(|said| ["prospective cohort", "trial"].contains(&said))
    })
}

/// Whether what clinicians know by itself is judged on the rows of the headline's question, beside a
/// model that sees more.
fn clinical_beside(record: &StudyRecord) -> bool {
    let judged = |of: &AnalysisRecord| of.performance.contains_key(&of.primary);
    record.analyses.values().filter(|of| of.clinical && judged(of)).any(|clinical| {
        record.analyses.values().any(|other| {
            !other.clinical
                && judged(other)
                && (&other.outcome, &other.cohort, &other.scheme)
                    == (&clinical.outcome, &clinical.cohort, &clinical.scheme)
        })
    })
}

/// Whether a model was judged on rows held back from its own source once, so that it was not fitted
/// again.
fn held_back(record: &StudyRecord) -> bool {
    all(record).any(|(_, of)| {
        let once = of.kind == "internal" && of.folds.len() == 1;
        let external = of.frozen.is_some() && of.kind == "external";
        (once || external) && of.performance.contains_key(&of.primary)
    })
}

/// Institutes other than those of the development cohort whose rows a frozen model was judged on: by
/// the column of sites, else one for each source. Cohorts of one source are the same institutes.
fn institutes(record: &StudyRecord) -> usize {
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, of) in all(record) {
        let elsewhere = [Standing::External, Standing::OtherSites]
            .contains(&Standing::of(record, of));
        let judged = of.frozen.is_some() && of.performance.contains_key(&of.primary);
        let cohort = record.cohorts.iter().find(|cohort| cohort.name == of.cohort);
        let Some(cohort) = cohort.filter(|_| elsewhere && judged) else { continue };
        let source = cohort.flow.first().map_or(cohort.name.as_str(), |of| &of.label);
        let n = sources.entry(source).or_default();
        *n = (*n).max(cohort.n_sites.unwrap_or(1).max(1));
    }
    sources.values().sum()
}
