//! How images became features: here, with every setting; elsewhere, as far as the columns tell that
//! PyRadiomics writes beside its features.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::data::{ExtractionFacts, SetBy};
use crate::operation::Instance;
use crate::spec::{BlockKind, SourceKind, Study, Use};
use crate::survey::{Content, Survey};

/// Every setting, those of this program first.
pub(super) fn extraction(study: &Study, survey: &Survey) -> Vec<ExtractionFacts> {
    let mut facts = Vec::new();
    let mut used: Vec<&Use> = Vec::new();
    for block in &study.predictors {
        if let BlockKind::Images { from, labels, features } = &block.kind {
            if let Some(SourceKind::Images { reader, unit, unit_written, .. }) =
                study.source(&from.name).map(|source| &source.kind)
            {
                facts.extend(source(&from.name, reader, *unit, *unit_written));
                used.push(reader);
            }
            facts.extend(region(&block.name, labels));
            for family in features {
                facts.extend(of_family(&block.name, family));
                used.push(family);
            }
        }
    }
    if !used.is_empty() {
        facts.extend(processing());
        facts.push(software(&used));
    }
    for block in study.predictors.iter().filter(|block| block.measured()) {
        if matches!(block.kind, BlockKind::Columns { .. }) {
            for from in block.sources() {
                facts.extend(told_by_columns(&from.name, survey));
            }
        }
    }
    if study.predictors.iter().any(|block| !block.clinical) {
        facts.push(ExtractionFacts {
            not_done: true,
            ..fixed(
                &["60"],
                "Robustness of features",
                "not assessed: no step of this version repeats images or contours",
            )
        });
    }
    // Blocks of one source, and of several, share what holds for all of them.
    let mut kept: Vec<ExtractionFacts> = Vec::new();
    for fact in facts {
        if !kept.contains(&fact) {
            kept.push(fact);
        }
    }
    kept
}

fn fact(
    of: &str,
    items: &[&str],
    what: &str,
    value: String,
    set_by: SetBy,
) -> ExtractionFacts {
    ExtractionFacts {
        of: of.to_string(),
        items: items.iter().map(|item| item.to_string()).collect(),
        what: what.to_string(),
        value,
        set_by,
        column: None,
        not_done: false,
    }
}

fn fixed(items: &[&str], what: &str, value: &str) -> ExtractionFacts {
    fact("", items, what, value.to_string(), SetBy::Program)
}

fn source(
    name: &str,
    reader: &Use,
    unit: crate::units::Unit,
    unit_written: bool,
) -> [ExtractionFacts; 2] {
    use crate::units::Unit;
    let (items, value): (&[&str], _) = match unit {
        Unit::Hu => (&["8"], "HU, so CT"),
        Unit::Suv => (&["8"], "SUV, so PET"),
        Unit::Arbitrary => (&[], "arbitrary"),
        other => (&[], other.symbol()),
    };
    let set_by = if unit_written { SetBy::Study } else { SetBy::Default };
    let conversion = match reader.about.name {
        "nifti" => {
            "stored values times the slope plus the intercept of the file's header; no other"
        }
        _ => "as the reader gives the values",
    };
    [
        fact(name, items, "Unit of grey values", value.to_string(), set_by),
        fact(
            name,
            &["40"],
            "Conversion of grey values",
            conversion.to_string(),
            SetBy::Program,
        ),
    ]
}

fn region(block: &str, labels: &[u16]) -> [ExtractionFacts; 2] {
    let (value, set_by) = match labels {
        [] => ("all but 0".to_string(), SetBy::Default),
        labels => {
            let labels: Vec<String> = labels.iter().map(u16::to_string).collect();
            (labels.join(", "), SetBy::Study)
        }
    };
    [
        fact(block, &[], "Labels of the mask that make the region", value, set_by),
        fixed(
            &["54"],
            "Partly covered voxels",
            "a voxel belongs to the region or not, as its label in the mask says",
        ),
    ]
}

/// Families whose values the tests of this program compare with those of the IBSI.
const COMPARED: &[&str] = &["first_order"];

fn of_family(block: &str, family: &Use) -> Vec<ExtractionFacts> {
    let Instance::FeatureFamily(instance) = &family.instance else { return Vec::new() };
    let columns = instance.columns();
    let names: Vec<String> = columns
        .iter()
        .map(|column| match column.code {
            Some(code) => format!("{} ({code})", column.name),
            None => column.name.to_string(),
        })
        .collect();
    let what = format!("{}, with IBSI codes", family.about.title);
    let mut facts = vec![fact(block, &["58"], &what, names.join(", "), SetBy::Study)];
    let compared = match COMPARED.contains(&family.about.name) {
        true => "equal to the reference values of the IBSI 1 digital phantom",
        false => "not compared with reference values of the IBSI",
    };
    let value = format!("`{}`: {compared}", family.about.name);
    facts.push(fact("", &["59"], "Compliance with the IBSI", value, SetBy::Program));
    for (name, value) in family.parameters.as_object().into_iter().flatten() {
        let written = family.written.contains(name);
        let set_by = if written { SetBy::Study } else { SetBy::Default };
        let value = match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let what = format!("`{name}` of `{}`", family.about.name);
        facts.push(fact(block, &[], &what, value, set_by));
    }
    facts
}

/// What this version does to images between reading and measuring: nothing. A step that changes an
/// image or a mask has to tell its items here.
fn processing() -> Vec<ExtractionFacts> {
    vec![
        fixed(
            &["42", "45", "46"],
            "Noise suppression, bias field, normalisation",
            "none here: grey values enter as they are read",
        ),
        fixed(
            &["41", "50a", "50b", "50c", "50d", "51", "52"],
            "Interpolation of images",
            "none: features are computed on the grid of each image as it is read, without rounding",
        ),
        fixed(
            &["53"],
            "Interpolation of masks",
            "none: a mask must have as many voxels along each axis as its image",
        ),
        fixed(&["55"], "Re-segmentation", "none: the region is that of the mask"),
        fixed(
            &["56a", "56b", "56c"],
            "Discretisation",
            "none: no feature of this study needs grey levels",
        ),
        fixed(&["57"], "Filters", "none: the image as it is read"),
    ]
}

fn software(used: &[&Use]) -> ExtractionFacts {
    let mut names: Vec<String> = Vec::new();
    for one in used {
        let name = format!("`{}` version {}", one.about.name, one.about.version);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let engine = concat!("restudy ", env!("CARGO_PKG_VERSION"));
    let value = format!("{engine}: {}", names.join(", "));
    fact("", &["61"], "Software", value, SetBy::Program)
}

/// What a table says of how its features were made.
fn told_by_columns(source: &str, survey: &Survey) -> Vec<ExtractionFacts> {
    let Some(Content::Table { table, .. }) =
        survey.sources.get(source).map(|surveyed| &surveyed.content)
    else {
        return Vec::new();
    };
    let mut facts = Vec::new();
    for name in table.names() {
        let Some(tell) = told(name) else { continue };
        let Some(column) = table.column(name) else { continue };
        let values: BTreeSet<&str> =
            column.cells().map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let mut values = values.into_iter();
        let (first, more) = (values.next(), values.next());
        // What differs from patient to patient is no setting, and values of single patients are not told.
        let found = match (first, more) {
            (Some(value), None) => tell(value),
            _ => Vec::new(),
        };
        facts.extend(found.into_iter().map(|(items, what, value)| ExtractionFacts {
            column: Some(name.to_string()),
            ..fact(source, items, what, value, SetBy::Extractor)
        }));
    }
    facts
}

/// Items, what it is, and its value.
type Told = (&'static [&'static str], &'static str, String);

/// What a column of this name tells. PyRadiomics began with other names.
fn told(column: &str) -> Option<fn(&str) -> Vec<Told>> {
    let ends = |names: &[&str]| names.iter().any(|name| column.ends_with(name));
    if ends(&["diagnostics_Versions_PyRadiomics", "general_info_Version"]) {
        return Some(|value| vec![(&["61"], "Software", format!("PyRadiomics {value}"))]);
    }
    if ends(&["diagnostics_Configuration_Settings", "general_info_GeneralSettings"]) {
        return Some(|value| settings(&entries(value)));
    }
    if ends(&[
        "diagnostics_Configuration_EnabledImageTypes",
        "general_info_EnabledImageTypes",
    ]) {
        return Some(|value| {
            let types = entries(value).into_iter().map(|(name, of)| {
                match of.trim_matches(['{', '}']).trim() {
                    "" => name,
                    of => format!("{name} ({})", of.replace(['\'', '"'], "")),
                }
            });
            let types: Vec<String> = types.collect();
            match types.is_empty() {
                true => Vec::new(),
                false => vec![(&["57"], "Image types", types.join(", "))],
            }
        });
    }
    if ends(&["diagnostics_Image-original_Spacing"]) {
        return Some(|value| {
            let spacing = value.trim_matches(['(', ')', '[', ']']);
            vec![(&["28", "30"], "Voxels of the images, mm", spacing.to_string())]
        });
    }
    None
}

/// The settings of PyRadiomics that answer an item; what is not written there is not known.
fn settings(settings: &[(String, String)]) -> Vec<Told> {
    let of = |name: &str| {
        let known = settings.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.as_str())
    };
    let mut told: Vec<Told> = Vec::new();
    let mut tell = |items: &'static [&'static str], what: &'static str, value: String| {
        told.push((items, what, value));
    };
    // It resamples where both are set.
    match (of("resampledPixelSpacing"), of("interpolator")) {
        (Some("None"), _) | (_, Some("None")) => tell(
            &["41", "50a", "50b", "50c", "50d", "51", "52", "53"],
            "Interpolation",
            "none: images were not resampled".to_string(),
        ),
        (Some(spacing), interpolator) => {
            tell(&["51"], "Interpolated voxels, mm", spacing.to_string());
            if let Some(interpolator) = interpolator {
                tell(&["50a"], "Interpolator", interpolator.to_string());
            }
        }
        _ => {}
    }
    match of("normalize") {
        Some("False") => tell(&["46"], "Normalisation", "none".to_string()),
        Some("True") => {
            let more = ["normalizeScale", "removeOutliers"]
                .into_iter()
                .filter_map(|name| Some(format!("; {name} {}", of(name)?)));
            tell(
                &["46"],
                "Normalisation",
                format!("each image to mean 0{}", more.collect::<String>()),
            );
        }
        _ => {}
    }
    match of("resegmentRange") {
        Some("None") => tell(&["55"], "Re-segmentation", "none".to_string()),
        Some(range) => {
            let mode = of("resegmentMode").map(|mode| format!(", {mode}"));
            tell(
                &["55"],
                "Re-segmentation",
                range.to_string() + &mode.unwrap_or_default(),
            );
        }
        None => {}
    }
    match (of("binCount"), of("binWidth")) {
        (Some(bins), _) if bins != "None" => {
            tell(&["56a", "56b", "56c"], "Discretisation", format!("{bins} bins"));
        }
        (_, Some(width)) => {
            tell(&["56a", "56b"], "Discretisation", format!("bins of width {width}"));
        }
        _ => {}
    }
    if let Some(norm) = of("weightingNorm") {
        let value = if norm == "None" { "none" } else { norm };
        tell(&["63"], "Weights by distance", value.to_string());
    }
    if let Some(symmetric) = of("symmetricalGLCM") {
        let value = if symmetric == "True" { "symmetric" } else { "not symmetric" };
        tell(&["64"], "Co-occurrence", value.to_string());
    }
    if let Some(distances) = of("distances") {
        let distances = distances.trim_matches(['[', ']']);
        tell(&["65", "69", "70"], "Distances, voxels", distances.to_string());
    }
    if let Some(alpha) = of("gldm_a") {
        tell(&["71"], "Coarseness of dependence", alpha.to_string());
    }
    told
}

/// The entries of a dictionary as Python writes it, names and values without quotes.
fn entries(text: &str) -> Vec<(String, String)> {
    let inside = text.trim();
    let inside = inside.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let Some(inside) = inside else { return Vec::new() };
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0i32, None);
    for character in inside.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '[' | '(' | '{') => depth += 1,
            (None, ']' | ')' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always a part").push(character);
    }
    let bare = |text: &str| text.trim().trim_matches(['\'', '"']).to_string();
    let entry = |part: &String| {
        let (name, value) = part.split_once(':')?;
        Some((bare(name), bare(value)))
    };
    parts.iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_pyradiomics_answer_items() {
        let tell = told("t1_diagnostics_Configuration_Settings").unwrap();
        let found = tell(
            "{'minimumROIDimensions': 2, 'normalize': False, 'resampledPixelSpacing': [1, 1, 1], \
             'interpolator': 'sitkBSpline', 'distances': [1], 'resegmentRange': None, \
             'binWidth': 25, 'label': 1, 'additionalInfo': True}",
        );
        let value = |item: &str| {
            let of = found.iter().find(|(items, ..)| items.contains(&item));
            of.map(|(_, _, value)| value.as_str())
        };
        assert_eq!(value("51"), Some("[1, 1, 1]"));
        assert_eq!(value("50a"), Some("sitkBSpline"));
        assert_eq!(value("55"), Some("none"));
        assert_eq!(value("56b"), Some("bins of width 25"));
        assert_eq!(value("46"), Some("none"));
        assert_eq!(value("65"), Some("1"));
        // Where the new grid lies, and how a mask is interpolated, is not written there.
        for item in ["50b", "50d", "53", "56c", "62"] {
            assert_eq!(value(item), None, "{item}");
        }
        let unchanged =
            tell("{'resampledPixelSpacing': None, 'interpolator': 'sitkBSpline'}");
        assert!(unchanged[0].0.contains(&"53") && unchanged.len() == 1);
        assert!(tell("no dictionary").is_empty());
        let types = told("diagnostics_Configuration_EnabledImageTypes").unwrap();
        assert_eq!(
            types("{'Original': {}, 'LoG': {'sigma': [1.0, 3.0]}}")[0].2,
            "Original, LoG (sigma: [1.0, 3.0])"
        );
        assert!(told("original_glcm_Contrast").is_none());
    }
}
