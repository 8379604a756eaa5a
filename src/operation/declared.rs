//! What a section of the report declares: its chapter, the items it can fill, the evidence it reads,
//! its figures.

/// What a section declares before it renders anything.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Declared {
    /// Where it stands; none: after the chapters.
    pub chapter: Option<Chapter>,
    pub fills: &'static [Fill],
    /// Keys of the figure contract, such as `F4`.
    pub figures: &'static [&'static str],
}

/// An item of a standard and what of the run shows it; all of it is needed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    pub standard: &'static str,
    pub item: &'static str,
    pub evidence: &'static [Evidence],
}

impl Fill {
    pub const fn tripod(item: &'static str, evidence: &'static [Evidence]) -> Self {
        Self { standard: "tripod_ai", item, evidence }
    }

    /// Of the TRIPOD+AI checklist for abstracts.
    pub const fn brief(item: &'static str, evidence: &'static [Evidence]) -> Self {
        Self { standard: "tripod_ai_abstract", item, evidence }
    }

    pub const fn clear(item: &'static str, evidence: &'static [Evidence]) -> Self {
        Self { standard: "clear", item, evidence }
    }

    pub const fn ibsi(item: &'static str, evidence: &'static [Evidence]) -> Self {
        Self { standard: "ibsi", item, evidence }
    }

    pub const fn metrics(item: &'static str, evidence: &'static [Evidence]) -> Self {
        Self { standard: "metrics", item, evidence }
    }

    /// What a question of the radiomics quality score gives points for, such as `9a`.
    pub const fn rqs(item: &'static str, evidence: &'static [Evidence]) -> Self {
        Self { standard: "rqs1", item, evidence }
    }
}

/// The chapters of a report in reading order: the order is the argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    Summary,
    Abstract,
    Background,
    Participants,
    Measures,
    Analysis,
    SampleSize,
    Discrimination,
    Calibration,
    Utility,
    Validation,
    Subgroups,
    Features,
    Model,
    Interpretation,
    OpenScience,
    Checklists,
}

impl Chapter {
    pub const ALL: [Chapter; 17] = [
        Self::Summary,
        Self::Abstract,
        Self::Background,
        Self::Participants,
        Self::Measures,
        Self::Analysis,
        Self::SampleSize,
        Self::Discrimination,
        Self::Calibration,
        Self::Utility,
        Self::Validation,
        Self::Subgroups,
        Self::Features,
        Self::Model,
        Self::Interpretation,
        Self::OpenScience,
        Self::Checklists,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Abstract => "Structured abstract",
            Self::Background => "Background and objectives",
            Self::Participants => "Data and participants",
            Self::Measures => "Outcome, imaging, features",
            Self::Analysis => "Analysis as executed",
            Self::SampleSize => "Sample size",
            Self::Discrimination => "Discrimination",
            Self::Calibration => "Calibration",
            Self::Utility => "Clinical utility",
            Self::Validation => "Validation and centres",
            Self::Subgroups => "Subgroups and fairness",
            Self::Features => "Features and genes",
            Self::Model => "Full model",
            Self::Interpretation => "Interpretation and limits",
            Self::OpenScience => "Open science, deviations",
            Self::Checklists => "Checklists",
        }
    }
}

/// Something of the record that shows an item. Each reads a place of its own, so that the absence of
/// one never takes another with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    Sources,
    Flow,
    TableOne,
    Missingness,
    Gaps,
    Shift,
    Outcomes,
    Predictors,
    Extraction,
    Preparation,
    Learners,
    Tuning,
    Splits,
    Proof,
    Unprepared,
    Measures,
    SampleSize,
    Proportion,
    Performance,
    Intervals,
    Calibration,
    PrecisionRecall,
    Decision,
    Confusion,
    Threshold,
    Controls,
    Comparisons,
    Baseline,
    Sites,
    Confounding,
    Subgroups,
    Selection,
    Reduction,
    Robustness,
    Centres,
    FrozenModel,
    FullModel,
    External,
    Identity,
    Protocol,
    Setting,
    Collinearity,
    Discrimination,
    CalibrationInterval,
    Resampled,
    ContinuousRisk,
    ClinicalVariables,
    ClinicalModel,
    Prospective,
    SameInstitute,
    OtherInstitute,
    TwoInstitutes,
    ThreeInstitutes,
}

impl Evidence {
    pub const ALL: [Evidence; 53] = [
        Self::Sources,
        Self::Flow,
        Self::TableOne,
        Self::Missingness,
        Self::Gaps,
        Self::Shift,
        Self::Outcomes,
        Self::Predictors,
        Self::Extraction,
        Self::Preparation,
        Self::Learners,
        Self::Tuning,
        Self::Splits,
        Self::Proof,
        Self::Unprepared,
        Self::Measures,
        Self::SampleSize,
        Self::Proportion,
        Self::Performance,
        Self::Intervals,
        Self::Calibration,
        Self::PrecisionRecall,
        Self::Decision,
        Self::Confusion,
        Self::Threshold,
        Self::Controls,
        Self::Comparisons,
        Self::Baseline,
        Self::Sites,
        Self::Confounding,
        Self::Subgroups,
        Self::Selection,
        Self::Reduction,
        Self::Robustness,
        Self::Centres,
        Self::FrozenModel,
        Self::FullModel,
        Self::External,
        Self::Identity,
        Self::Protocol,
        Self::Setting,
        Self::Collinearity,
        Self::Discrimination,
        Self::CalibrationInterval,
        Self::Resampled,
        Self::ContinuousRisk,
        Self::ClinicalVariables,
        Self::ClinicalModel,
        Self::Prospective,
        Self::SameInstitute,
        Self::OtherInstitute,
        Self::TwoInstitutes,
        Self::ThreeInstitutes,
    ];

    /// As in "the run shows …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Sources => "sources with digests",
            Self::Flow => "counts through every rule",
            Self::TableOne => "characteristics by outcome",
            Self::Missingness => "missing values by variable",
            Self::Gaps => "what the models do with missing values",
            Self::Shift => "development and other cohorts side by side",
            Self::Outcomes => "the outcome with its derivation",
            Self::Predictors => "the predictors by block",
            Self::Extraction => "features extracted here with their settings",
            Self::Preparation => "preparation with its settings, fitted in training rows",
            Self::Learners => "learners with their settings",
            Self::Tuning => "candidates and how they fared",
            Self::Splits => "events in every split",
            Self::Proof => "the proof that no held-out row was seen",
            Self::Unprepared => "columns that nobody prepared outside of that proof",
            Self::Measures => "the measures that were declared",
            Self::SampleSize => {
                "events per candidate predictor and the minimum sample size"
            }
            Self::Proportion => "enough events or patients for the candidate predictors",
            Self::Performance => "the primary measure of the headline",
            Self::Intervals => "intervals with their method",
            Self::Calibration => "a calibration curve on held-out rows",
            Self::PrecisionRecall => "a precision–recall curve",
            Self::Decision => "a decision curve over a declared range",
            Self::Confusion => "a confusion matrix at the threshold",
            Self::Threshold => "a threshold rule learned in training rows",
            Self::Controls => "a model without images on the same splits",
            Self::Comparisons => "paired comparisons of models",
            Self::Baseline => "a baseline without information",
            Self::Sites => "results by site",
            Self::Confounding => "the outcome against site and stratum",
            Self::Subgroups => "performance in declared subgroups",
            Self::Selection => "how often each column was chosen",
            Self::Reduction => "columns left out before a learner sees them",
            Self::Robustness => "features that do not hold being removed",
            Self::Centres => "images of more than one centre",
            Self::FrozenModel => "a frozen model with its digest",
            Self::FullModel => "the model with its coefficients or its file",
            Self::External => "a cohort of another source or institution",
            Self::Identity => "digests of study and engine that run it again",
            Self::Protocol => "a reason for every deviation from the locked protocol",
            Self::Setting => "the setting of what was done to images",
            Self::Collinearity => "which of the chosen columns say much the same",
            Self::Discrimination => "an AUROC with its interval",
            Self::CalibrationInterval => {
                "a calibration slope or intercept with its interval"
            }
            Self::Resampled => "several splits, with the whole procedure in each",
            Self::ContinuousRisk => "predictions over all thresholds",
            Self::ClinicalVariables => {
                "a model that joins clinical variables and features"
            }
            Self::ClinicalModel => "a model of clinical variables alone on the same rows",
            Self::Prospective => "a cohort that the author calls prospective",
            Self::SameInstitute => "a model on rows held back, without fitting it again",
            Self::OtherInstitute => "a frozen model on rows of another institute",
            Self::TwoInstitutes => "a frozen model on rows of two other institutes",
            Self::ThreeInstitutes => "a frozen model on rows of three other institutes",
        }
    }

    /// How the author would get it, for what a study has to ask for.
    pub fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::Decision => "write `evaluate.decision_range: [from, to]`",
            Self::Confusion | Self::Threshold => "write `evaluate.threshold`",
            Self::Controls => "name a model of clinical columns, or `evaluate.controls`",
            Self::Comparisons => "write `evaluate.compare`",
            Self::Baseline => "add `naive` to `learn`",
            Self::Centres => "name `site:` in the cohort",
            Self::Sites => "name `site:` in the cohort and a scheme `leave_site_out`",
            Self::Confounding => "name `site:` in the cohort",
            Self::Gaps => "add a step to `prepare`, such as `impute_median`",
            Self::Subgroups => "write `evaluate.subgroups`",
            Self::Reduction => "write `select`",
            Self::Selection => "the run has no selection to show",
            Self::FrozenModel | Self::Shift | Self::External => {
                "name an external cohort under `validate`"
            }
            Self::Extraction => "extract features here (`images:` in a block)",
            Self::Protocol => {
                "give each in `reporting.deviations`, with its `path` and `why`"
            }
            _ => return None,
        })
    }
}
