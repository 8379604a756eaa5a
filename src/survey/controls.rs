//! Controls that a reader will ask for and that the study does not declare.
//!
//! What one prediction for everybody achieves needs no declaration: the report has it anyway. A
//! control that is a model of some columns must be named, since only the author knows which column
//! is the volume; the warning has the lines to add.

use super::{BlockColumn, Survey};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::spec::{Model, Role, Study};

pub(super) fn read(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    let Some(model) = study.headline_model() else { return };
    if model.role == Role::Control {
        return;
    }
    levels(study, survey, faults);
    volume(study, survey, model, faults);
    clinical(study, model, faults);
}

/// Columns of the blocks of a model.
fn columns<'s>(
    survey: &'s Survey,
    model: &'s Model,
) -> impl Iterator<Item = &'s BlockColumn> {
    model.blocks.iter().filter_map(|block| survey.columns.get(&block.name)).flatten()
}

/// Whether a control looks at a column and at nothing of another name.
fn alone(study: &Study, survey: &Survey, is: &dyn Fn(&str) -> bool) -> bool {
    study.models.iter().any(|model| {
        let mut columns = columns(survey, model).peekable();
        model.role == Role::Control
            && columns.peek().is_some()
            && columns.all(|column| is(&column.column) || is(&column.name))
    })
}

/// Sites and strata with which the primary outcome goes.
fn levels(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    let Some(outcome) = study.outcomes.first() else { return };
    for facts in &survey.associations {
        let goes_along =
            facts.outcome == outcome.name && facts.p.is_some_and(|p| p < 0.05);
        let same = |name: &str| name == facts.column;
        let judged =
            study.validate.iter().any(|scheme| scheme.cohort.name == facts.cohort);
        if !goes_along || !judged || alone(study, survey, &same) {
            continue;
        }
        let column = &facts.column;
        let plain = column.rsplit('.').next().unwrap_or(column);
        let from = match column.split_once('.') {
            Some((source, _)) => source.to_string(),
            None if study.derived(column).is_some() => "derive".to_string(),
            None => study
                .cohort(&facts.cohort)
                .map_or(String::new(), |cohort| cohort.from.name.clone()),
        };
        let span = study.cohort(&facts.cohort).map_or(outcome.span, |cohort| cohort.span);
        faults.push(
            missing(
                span,
                format!(
                    "the outcome goes with `{column}`, and no control shows what `{column}` alone \
                     predicts"
                ),
            )
            .hint(format!(
                "under `predictors:` add `{plain}: {{ columns: {{ from: {from}, include: [{plain}] }}, \
                 known: never at use }}`"
            ))
            .hint(format!(
                "under `models:` add `{plain}_only: {{ blocks: [{plain}], role: control }}`"
            )),
        );
    }
}

/// A volume among the predictors: texture often says little more than size.
fn volume(study: &Study, survey: &Survey, model: &Model, faults: &mut Vec<Diagnostic>) {
    let Some(found) = columns(survey, model).find(|column| is_volume(&column.column))
    else {
        return;
    };
    if alone(study, survey, &is_volume) {
        return;
    }
    let (source, column) = (&found.source, &found.column);
    faults.push(
        missing(
            model.span,
            format!(
                "`{column}` is a volume, and no control shows what the volume alone predicts"
            ),
        )
        .hint(format!(
            "under `evaluate:` add `controls: {{ columns_only: {{ volume: [{source}.{column}] }} }}`"
        )),
    );
}

/// Whether a column is a volume by its name.
fn is_volume(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    words.any(|word| matches!(word, "volume" | "vol" | "meshvolume" | "voxelvolume"))
}

/// Clinical predictors beside others, without a model of them alone.
fn clinical(study: &Study, model: &Model, faults: &mut Vec<Diagnostic>) {
    let is_clinical = |name: &str| {
        study.predictors.iter().any(|block| block.name == name && block.clinical)
    };
    let of = |model: &Model| {
        let clinical =
            model.blocks.iter().filter(|block| is_clinical(&block.name)).count();
        (clinical, model.blocks.len())
    };
    let mixed = study.models.iter().find(|model| {
        let (clinical, all) = of(model);
        model.role != Role::Control && clinical > 0 && clinical < all
    });
    let alone = study.models.iter().any(|model| {
        let (clinical, all) = of(model);
        all > 0 && clinical == all
    });
    let Some(mixed) = mixed.filter(|_| !alone) else { return };
    let blocks: Vec<&str> = mixed
        .blocks
        .iter()
        .map(|block| block.name.as_str())
        .filter(|name| is_clinical(name))
        .collect();
    let span = if mixed.name == model.name { model.span } else { mixed.span };
    faults.push(
        missing(
            span,
            format!(
                "model `{}` has clinical predictors, and nothing shows what they alone predict",
                mixed.name
            ),
        )
        .hint(format!(
            "under `models:` add `clinical_only: {{ blocks: [{}], role: control }}`",
            blocks.join(", ")
        )),
    );
}

fn missing(span: Span, message: String) -> Diagnostic {
    Diagnostic::warning(Code::UNCONTROLLED, Place::Study(span), message)
}

#[cfg(test)]
mod tests {
    use super::is_volume;

    #[test]
    fn a_volume_is_known_by_a_word_of_its_name() {
        for name in ["volume_ml", "Shape.Volume", "morph_3D__Fmorph_vol__scale1"] {
            assert!(is_volume(name), "{name}");
        }
        assert!(!is_volume("evolution") && !is_volume("texture_1"));
    }
}
