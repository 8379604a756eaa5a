//! What each number of the record is, by its place. A number that stands nowhere here is an error: a
//! test walks the schema of the record, so that no field can be added without a word on what has to
//! become of it where data are not public.
//!
//! `#` stands for any position of a list, `*` for any name.

/// What a number is; `telling.rs` says what is done to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Patients or rows: hidden where small or where sums would give a small one away.
    Patients,
    /// Patients or rows as they stand elsewhere too: gone with the part of the record that it is of.
    Repeated,
    /// What tells how many have the outcome: gone where those are hidden.
    Prevalence,
    /// Shares and medians: hidden with the counts that would follow from them.
    Described,
    /// Means, standard deviations and their distances: coarse where it is hidden of how many.
    Moment,
    /// The value of one patient.
    Extreme,
    /// A metric on the rows of an analysis: of the name that stands for `*`, else the primary one.
    Measured,
    /// The same in single folds or repeats, and its spread.
    Spread,
    /// A metric of a frozen model on the rows that it was fitted on.
    Apparent,
    /// The primary metric on the held-out rows of one split.
    OfFold,
    /// The AUROC at a site.
    OfSite,
    /// The AUROC, or the metric that is named beside it, in a group.
    OfGroup,
    /// Net benefit of decisions at the threshold.
    Benefit,
    /// A difference between two analyses.
    Compared,
    /// The p value of such a difference.
    P,
    /// As in its own place, from which it is copied.
    Claimed,
    /// How an outcome goes with sites: their cells follow from all the digits.
    Association,
    /// Means over rows and folds, of which so many decimals say all.
    Thousandths,
    /// What a single fold learned or lost, and distances between means of cohorts.
    Hundredths,
    /// Curves and distributions, which are drawn anew without patients.
    Redrawn,
    /// Nodes, of which patients' images have some each: counted in hundreds.
    Nodes,
    /// Splits, fits, candidates, columns, levels and resamples.
    Procedure,
    /// What is handed over as the model.
    Model,
    /// What author or program set, and versions.
    Setting,
    /// Items of checklists, and what is said of hiding itself.
    Report,
}

use Kind::*;

/// By part of the record: places within it.
type Places = (&'static str, &'static [&'static str], Kind);

const ESTIMATE: &[&str] = &[
    "estimate",
    "lower",
    "upper",
    "prediction/#",
    "other_intervals/#/lower",
    "other_intervals/#/upper",
];
const SPREAD: &[&str] = &["folds/#", "sd_folds"];
const INTERVAL: &[&str] = &["estimate", "lower", "upper"];
const INTERVAL_OF_STEP: &[&str] = &["difference", "lower", "upper"];
const POINTS: &[&str] = &["points/#/x", "points/#/y"];
const LIMITS: &[&str] = &["points/#/x", "points/#/lower", "points/#/upper"];

pub const KINDS: &[Places] = &[
    ("", &["schema", "study/seed", "methods/#/version"], Setting),
    ("study/target_prevalence", &["prevalence"], Setting),
    ("sources/#", &["n", "left_out/#/n"], Patients),
    ("sources/#", &["n_columns"], Procedure),
    ("cohorts/#", &["n_rows", "n_subjects"], Patients),
    ("cohorts/#", &["n_sites"], Procedure),
    ("cohorts/#/flow/#", &["n_in", "removed/#/n", "n_out", "n_subjects"], Patients),
    ("cohorts/#/flow/#/joins/#", &["matched", "without", "unused"], Patients),
    ("outcomes/#", &["positive", "negative", "unknown"], Patients),
    ("outcomes/#", &["decided/#", "conflicts"], Patients),
    ("agreements/#", &["both", "agree", "only/#"], Patients),
    ("associations/#", &["levels", "one_class_levels"], Procedure),
    ("associations/#", &["cramers_v", "p", "auroc"], Association),
    ("predictors/#", &["failed/#/n"], Patients),
    ("predictors/#", &["failed_at_most"], Setting),
    (
        "predictors/#/columns/#",
        &["missing", "all/n", "positive/n", "negative/n"],
        Patients,
    ),
    (
        "predictors/#/columns/#",
        &[
            "all/mean",
            "all/sd",
            "positive/mean",
            "positive/sd",
            "negative/mean",
            "negative/sd",
            "smd",
        ],
        Moment,
    ),
    ("predictors/#/columns/#/levels/#", &["all/n", "positive/n", "negative/n"], Patients),
    (
        "predictors/#/columns/#/levels/#",
        &["all/percent", "positive/percent", "negative/percent"],
        Described,
    ),
    ("characteristics/#", &["rows", "missing", "ones", "levels/#/share/n"], Patients),
    (
        "characteristics/#",
        &["median", "lower_quartile", "upper_quartile", "levels/#/share/percent"],
        Described,
    ),
    ("characteristics/#", &["missing_percent", "ones_percent"], Described),
    ("characteristics/#", &["smd_to_development"], Hundredths),
    ("missingness/#", &["rows", "positive", "negative", "complete", "others"], Patients),
    ("missingness/#", &["variables", "other_patterns", "patterns/#/gaps/#"], Procedure),
    ("missingness/#", &["patterns/#/n"], Patients),
    ("missingness/#/gaps/#", &["all/n", "positive/n", "negative/n"], Patients),
    (
        "missingness/#/gaps/#",
        &[
            "all/percent",
            "positive/percent",
            "negative/percent",
            "difference/estimate",
            "difference/lower",
            "difference/upper",
        ],
        Described,
    ),
    ("analyses/*", &["n", "n_positive", "n_subjects", "n_positive_subjects"], Patients),
    ("analyses/*", &["judged/n", "judged/n_positive"], Patients),
    ("analyses/*", &["judged/n_splits", "judged/of_splits", "n_predictors"], Procedure),
    ("analyses/*/performance/*", ESTIMATE, Measured),
    ("analyses/*/performance/*", SPREAD, Spread),
    ("analyses/*/within", ESTIMATE, Measured),
    ("analyses/*/within", SPREAD, Spread),
    ("analyses/*/subgroups/#", &["n", "n_positive"], Patients),
    ("analyses/*/subgroups/#", INTERVAL, OfGroup),
    ("analyses/*/subgroups/#/measures/#", INTERVAL, OfGroup),
    // Made anew from what is left of the groups.
    ("analyses/*/subgroups/#/difference", INTERVAL, Claimed),
    ("analyses/*/subgroups/#/measures/#/difference", INTERVAL, Claimed),
    ("analyses/*/sites/#", &["n", "n_positive"], Patients),
    ("analyses/*/sites/#", &["auroc", "lower", "upper"], OfSite),
    ("analyses/*/between_sites", &["n_sites"], Procedure),
    ("analyses/*/between_sites", &["tau_squared", "i_squared"], Hundredths),
    ("analyses/*/frozen", &["n", "n_positive", "filled"], Patients),
    (
        "analyses/*/frozen",
        &["n_predictors", "n_selected", "candidate", "members", "accesses"],
        Procedure,
    ),
    ("analyses/*/frozen", &["threshold", "calibration/#"], Model),
    ("analyses/*/frozen/apparent/performance/*", ESTIMATE, Apparent),
    ("analyses/*/frozen/apparent/performance/*", SPREAD, Apparent),
    ("analyses/*/frozen/apparent/optimism", &["*"], Claimed),
    ("analyses/*/metrics/#", &["chance"], Prevalence),
    ("analyses/*/standard/#", &["chance"], Prevalence),
    ("analyses/*/metrics/#", &["better/nearer"], Setting),
    ("analyses/*/standard/#", &["better/nearer"], Setting),
    ("analyses/*/candidates/#", &["chosen", "failed", "left_behind"], Procedure),
    ("analyses/*/candidates/#", &["inner"], Spread),
    ("analyses/*/folds/#", &["n_train", "n_held_out", "positive_held_out"], Patients),
    ("analyses/*/folds/#", &["repeat", "outer", "candidate"], Procedure),
    ("analyses/*/folds/#", &["value"], OfFold),
    ("analyses/*/folds/#", &["threshold"], Hundredths),
    ("analyses/*/roc/#", POINTS, Redrawn),
    ("analyses/*/roc_mean", POINTS, Redrawn),
    ("analyses/*", &["roc_thresholds/#/#"], Redrawn),
    ("analyses/*/roc_band", LIMITS, Redrawn),
    ("analyses/*/precision_recall_band", LIMITS, Redrawn),
    ("analyses/*/precision_recall/#", POINTS, Redrawn),
    ("analyses/*/precision_recall_mean", POINTS, Redrawn),
    (
        "analyses/*/calibration",
        &[
            "points/#/x",
            "points/#/y",
            "points/#/lower",
            "points/#/upper",
            "distribution/#/lower",
            "distribution/#/upper",
            "distribution/#/events",
            "distribution/#/non_events",
        ],
        Redrawn,
    ),
    ("analyses/*/calibration", &["events", "non_events"], Repeated),
    ("analyses/*/calibration", &["ici", "e50", "e90"], Thousandths),
    ("analyses/*/decision", &["range/#"], Setting),
    (
        "analyses/*/decision",
        &[
            "points/#/threshold",
            "points/#/model",
            "points/#/lower",
            "points/#/upper",
            "points/#/treat_all",
            "useful/#/#",
        ],
        Redrawn,
    ),
    (
        "analyses/*/confusion",
        &["true_positive", "false_positive", "false_negative", "true_negative"],
        Patients,
    ),
    ("analyses/*/confusion", &["repeats"], Procedure),
    ("analyses/*/confusion/benefit", &["model", "lower", "upper"], Benefit),
    ("analyses/*/confusion/benefit", &["treat_all"], Repeated),
    // Made anew from what is left of sensitivity and specificity.
    ("analyses/*/at_target/positive", INTERVAL, Claimed),
    ("analyses/*/at_target/negative", INTERVAL, Claimed),
    (
        "analyses/*/selection",
        &[
            "fits",
            "of_columns",
            "mean_columns",
            "without_columns",
            "columns/#/n",
            "by_fit/#/repeat",
            "by_fit/#/outer",
            "by_fit/#/columns/#",
            "selectors/#/n",
            "learners/#/n",
            "reduction/#/fits",
            "reduction/#/median",
            "reduction/#/lowest",
            "reduction/#/highest",
            "similar/clusters/#/n",
            "similar/among",
            "similar/of",
            "stability/index",
            "stability/lower",
            "stability/upper",
        ],
        Procedure,
    ),
    ("analyses/*/selection/similar", &["at_least"], Setting),
    ("analyses/*/selection/similar", &["clusters/#/least"], Hundredths),
    ("analyses/*/sample_size", &["n", "events"], Repeated),
    ("analyses/*/sample_size", &["candidates"], Procedure),
    (
        "analyses/*/sample_size",
        &[
            "events_per_candidate",
            "assumed_r2",
            "largest_r2",
            "for_shrinkage",
            "for_optimism",
            "for_prevalence",
            "needed",
        ],
        Repeated,
    ),
    ("analyses/*/sample_size", &["auroc/assumed", "slope/assumed"], Hundredths),
    ("analyses/*/sample_size", &["auroc/width", "slope/width"], Thousandths),
    ("analyses/*/sample_size", &["auroc/needed", "slope/needed"], Repeated),
    ("analyses/*/sample_size", &["auroc/target", "slope/target"], Setting),
    ("analyses/*/learning_curve", &["repeats", "splits"], Procedure),
    ("analyses/*/learning_curve/sizes/#", &["fraction"], Setting),
    ("analyses/*/learning_curve/sizes/#", &["n", "lowest", "highest"], Patients),
    ("analyses/*/learning_curve/sizes/#/estimate", ESTIMATE, Measured),
    ("analyses/*/learning_curve/sizes/#/estimate", SPREAD, Spread),
    ("analyses/*/learning_curve/last_step", INTERVAL_OF_STEP, Measured),
    ("analyses/*/learning_curve/last_step", &["p"], Hundredths),
    ("analyses/*/thresholds", &["n"], Procedure),
    ("analyses/*/thresholds", &["median", "lowest", "highest"], Hundredths),
    (
        "analyses/*/permutation",
        &["times", "repeats", "as_extreme", "p", "failed/#/n"],
        Procedure,
    ),
    ("analyses/*/permutation", &["observed", "mean", "sd", "values/#"], Measured),
    ("analyses/*/prevalence_only", &["lowest", "highest"], Hundredths),
    ("analyses/*/prevalence_only/performance", &["*"], Measured),
    ("analyses/*/prevalence_only/gains", &["*"], Measured),
    ("analyses/*/fallback", &["folds", "of"], Procedure),
    ("analyses/*/stand_in", &["folds", "of", "without_columns"], Procedure),
    ("analyses/*/harmonised", &["before", "after"], Hundredths),
    ("analyses/*/harmonised", &["n_splits"], Procedure),
    ("analyses/*/harmonised", &["outcome_by_batch"], Association),
    ("analyses/*", &["failed_nodes/#/n"], Procedure),
    ("full_models/#", &["n", "n_positive", "columns/#/missing"], Patients),
    ("full_models/#", &["falls_back"], Prevalence),
    ("full_models/#", &["threshold", "calibration/#", "columns/#/median"], Model),
    ("full_models/#/columns/#", &["lowest", "highest"], Extreme),
    (
        "full_models/#/members/#",
        &["weight", "n_selected", "n_used", "novelty_limit"],
        Model,
    ),
    (
        "full_models/#/members/#/equation/Ok",
        &["intercept", "intercept_limits/#", "resamples"],
        Model,
    ),
    (
        "full_models/#/members/#/equation/Ok/example",
        &["values/#", "contributions/#", "log_odds", "probability"],
        Model,
    ),
    (
        "full_models/#/members/#/equation/Ok/terms/#",
        &["coefficient", "limits/#", "missing_is"],
        Model,
    ),
    ("full_models/#/members/#/equation/Ok/terms/#", &["lowest", "highest"], Extreme),
    (
        "full_models/#/members/#/equation/Ok/terms/#/transform/yeo_johnson",
        &["slope", "intercept", "lambda", "centre", "scale"],
        Model,
    ),
    ("full_models/#/importance", &["folds", "times", "predictors/#/used"], Procedure),
    ("full_models/#/importance/predictors/#", &["mean"], Thousandths),
    ("full_models/#/importance/predictors/#", &["lowest", "highest"], Hundredths),
    ("full_models/#/explained", &["rows"], Repeated),
    (
        "full_models/#/explained",
        &[
            "base",
            "predictors/#/mean_absolute",
            "predictors/#/correlation",
            "coefficients/resamples",
            "coefficients/intercept/#",
            "coefficients/terms/#/#",
        ],
        Model,
    ),
    ("comparisons/#/result", &["difference", "lower", "upper"], Compared),
    ("comparisons/#", &["result/p", "p_adjusted"], P),
    ("claims/#", &["values/#/#"], Claimed),
    ("graph", &["n_nodes", "groups/#/n", "groups/#/parts/#/n"], Nodes),
    ("graph", &["groups/#/rank", "edges/#/#"], Procedure),
    ("certificate", &["n_nodes"], Nodes),
    ("certificate", &["n_groups"], Repeated),
    ("certificate", &["n_splits", "n_held_out_uses", "n_transductive"], Procedure),
    ("checklists/#", &["items/#/weight", "reported", "applicable", "counts/*"], Report),
    ("checklists/#/score", &["score", "denominator"], Report),
    ("quality", &["points", "lowest", "highest", "percent"], Report),
    ("quality/rows/#", &["points", "lowest", "highest", "parts/#/worth"], Report),
    (
        "risk_of_bias",
        &[
            "n_questions",
            "answered",
            "open",
            "questions/#/evidence/#/parts/#/number/digits",
        ],
        Report,
    ),
    ("suppression", &["smallest_cell", "coarsened/#/#"], Report),
];

/// The places one by one, each in its parts.
pub fn places() -> Vec<(Vec<&'static str>, Kind)> {
    let all = KINDS.iter().flat_map(|(of, within, kind)| {
        within.iter().map(move |place| {
            let parts = of.split('/').chain(place.split('/'));
            (parts.filter(|part| !part.is_empty()).collect(), *kind)
        })
    });
    all.collect()
}

/// Whether a place is one of those that a pattern stands for.
pub fn is_at(pattern: &[&str], place: &[String]) -> bool {
    let is = |(of, part): (&&str, &String)| match *of {
        "*" => true,
        "#" => part.bytes().all(|byte| byte.is_ascii_digit()),
        name => name == part,
    };
    pattern.len() == place.len() && pattern.iter().zip(place).all(is)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value as Json;

    use super::*;
    use crate::data::StudyRecord;

    /// A number of the schema.
    #[derive(Default)]
    struct Field {
        is_count: bool,
        may_be_null: bool,
    }

    fn numbers(
        schema: &Json,
        at: &Json,
        (place, nullable, is_count): (&str, bool, bool),
        found: &mut BTreeMap<String, Field>,
    ) {
        let types = match &at["type"] {
            Json::String(one) => vec![one.as_str()],
            several => several
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .collect(),
        };
        let choices =
            || ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|of| at[of].as_array());
        let is_null = |of: &Json| of["type"] == "null";
        let nullable =
            nullable || types.contains(&"null") || choices().flatten().any(is_null);
        if types.iter().any(|kind| ["integer", "number"].contains(kind)) {
            let field = found.entry(place.to_string()).or_default();
            field.is_count |= is_count;
            field.may_be_null |= nullable;
        }
        let here = (place, nullable, is_count);
        if let Some(name) = at["$ref"].as_str() {
            let of = schema.pointer(&name[1..]).expect("a definition");
            numbers(
                schema,
                of,
                (place, nullable, is_count || name.ends_with("/Count")),
                found,
            );
        }
        choices().flatten().for_each(|of| numbers(schema, of, here, found));
        let mut inside = |part: &str, of: &Json| {
            let place = match place {
                "" => part.to_string(),
                place => format!("{place}/{part}"),
            };
            numbers(schema, of, (&place, false, false), found);
        };
        for (name, of) in at["properties"].as_object().into_iter().flatten() {
            inside(name, of);
        }
        if at["additionalProperties"].is_object() {
            inside("*", &at["additionalProperties"]);
        }
        if at["items"].is_object() {
            inside("#", &at["items"]);
        }
        at["prefixItems"].as_array().into_iter().flatten().for_each(|of| inside("#", of));
        // What the schema says nothing about may be a number too.
        let told = ["type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"];
        assert!(told.iter().any(|key| !at[*key].is_null()), "{place} may be anything");
    }

    #[test]
    fn every_number_of_the_record_says_what_it_is() {
        let schema = schemars::schema_for!(StudyRecord).to_value();
        let mut found = BTreeMap::new();
        numbers(&schema, &schema, ("", false, false), &mut found);
        let declared = places();
        let mut by_place: BTreeMap<String, Kind> = BTreeMap::new();
        for (parts, kind) in &declared {
            let twice = by_place.insert(parts.join("/"), *kind);
            assert_eq!(twice, None, "{parts:?}");
        }
        for (place, field) in &found {
            let Some(kind) = by_place.remove(place) else {
                panic!("say in KINDS what `{place}` is, and so what is hidden of it");
            };
            if kind == Kind::Patients {
                assert!(field.may_be_null, "{place}: what may be hidden may be null");
            }
            // Nodes and permutations that failed are counted by the type that counts patients.
            let failed = place.contains("failed_nodes") || place.contains("permutation/");
            if field.is_count && !failed {
                assert_eq!(kind, Kind::Patients, "{place}");
            }
        }
        assert!(by_place.is_empty(), "no number stands at {by_place:?}");
    }
}
