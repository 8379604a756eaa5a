//! The reporting items of the IBSI: which apply to a study, and what of its record tells them.

use super::standards::{Standard, standards};
use crate::data::{Answer, ExtractionFacts, Stated, Status, StudyRecord};
use crate::units::Unit;

/// Its name among the standards.
pub const NAME: &str = "ibsi";

/// The standard itself.
pub fn list() -> &'static Standard {
    let known = standards().iter().find(|standard| standard.name == NAME);
    known.expect("the files are part of the program")
}

/// Where the author tells an item that has no field of its own.
pub fn field(item: &str) -> String {
    format!("imaging.ibsi.{item}")
}

/// The items that a key of `reporting.imaging.ibsi` names: one, a number with all its letters, several
/// or a range. The error says what is wrong with the key.
pub fn items_named(key: &str) -> Result<Vec<&'static str>, String> {
    let items = &list().items;
    let is = |known: &str, name: &str| {
        let number = known.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        known == name || number == name
    };
    let mut named = Vec::new();
    for part in key.split(',').map(str::trim) {
        let ends = part.split_once(['-', '–']).unwrap_or((part, part));
        let first = items.iter().position(|item| is(&item.item, ends.0.trim()));
        let last = items.iter().rposition(|item| is(&item.item, ends.1.trim()));
        let (Some(first), Some(last)) = (first, last) else {
            return Err(format!("the IBSI list has no item `{part}`"));
        };
        if first > last {
            return Err(format!("`{part}` ends before it begins"));
        }
        // A range runs over items that are told elsewhere.
        let own = items[first..=last].iter().filter(|item| {
            item.author.iter().any(|said| said.field == field(&item.item))
        });
        let before = named.len();
        named.extend(own.map(|item| item.item.as_str()));
        if named.len() == before {
            let elsewhere =
                items[first..=last].iter().flat_map(|item| &item.author).next();
            return Err(match elsewhere {
                Some(said) => {
                    format!("item {part} is told by `reporting.{}`", said.field)
                }
                None => format!("item {part} is told by the run alone"),
            });
        }
    }
    Ok(named)
}

/// Items in short: those that follow each other in the list as "2a–4e".
pub fn runs<'i>(items: impl IntoIterator<Item = &'i str>) -> String {
    let all = &list().items;
    let place = |name: &str| all.iter().position(|item| item.item == name);
    let mut places: Vec<usize> = items.into_iter().filter_map(place).collect();
    places.sort_unstable();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in places {
        match runs.last_mut() {
            Some((_, last)) if place <= *last + 1 => *last = place,
            _ => runs.push((place, place)),
        }
    }
    let words = runs.into_iter().map(|(first, last)| {
        let (from, to) = (&all[first].item, &all[last].item);
        match last - first {
            0 => from.clone(),
            1 => format!("{from}, {to}"),
            _ => format!("{from}–{to}"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What the record tells of an item.
pub fn told<'r>(record: &'r StudyRecord, item: &str) -> Option<&'r ExtractionFacts> {
    let mut facts = record.extraction.iter();
    facts.find(|fact| fact.items.iter().any(|known| known == item))
}

/// What a record tells where it can and need not: the kind of the images, and their voxels.
const IF_KNOWN: &[&str] = &["8", "28", "30"];

/// Whether the record has to tell an item, or does: this program knows what it did, and of another one
/// what stands in the table.
pub fn is_of_the_run(record: &StudyRecord, item: &str) -> bool {
    let own = measured_here(record) && !IF_KNOWN.contains(&item);
    own || told(record, item).is_some()
}

/// The status with the setting that answers the item, where it is short.
pub fn with_setting(
    (status, why): (Status, String),
    record: &StudyRecord,
    item: &str,
) -> (Status, String) {
    const LONGEST: usize = 100;
    match (status, told(record, item)) {
        (Status::Met, Some(fact)) if fact.not_done => {
            (Status::Declared, fact.value.clone())
        }
        (Status::Met, Some(fact)) if fact.value.len() <= LONGEST => {
            (Status::Met, format!("{} ({})", fact.value, fact.set_by.words()))
        }
        _ => (status, why),
    }
}

/// The status of an item that only the author can tell: where features were made outside, this program does
/// not know what was done, and does not say that nothing was.
pub fn of_author(
    (status, why): (Status, String),
    record: &StudyRecord,
    item: &str,
) -> (Status, String) {
    let unknown = status == Status::Missing && !is_of_the_run(record, item);
    match unknown && made_outside(record) {
        true => {
            (status, format!("not known to restudy (`prepared: outside`), and {why}"))
        }
        false => (status, why),
    }
}

/// Whether the author says that tables of predictors were prepared outside.
fn made_outside(record: &StudyRecord) -> bool {
    let outside = |name: &str| {
        let mut sources = record.sources.iter().filter(|source| source.name == name);
        sources.any(|source| source.prepared_outside == Some(true))
    };
    record.predictors.iter().any(|block| outside(&block.source))
}

/// Why an item with this condition does not apply, if it does not. What hangs on the author's word
/// needs that word.
pub fn excuse(condition: &str, record: &StudyRecord) -> Option<&'static str> {
    if let Some(why) = no_images(record) {
        return Some(why);
    }
    let known = modalities(record);
    let none_of = |names: &[&str]| {
        known.as_ref().is_some_and(|known| !names.iter().any(|name| known.contains(name)))
    };
    match condition {
        "ct" => none_of(&["CT"]).then_some("no image is a CT"),
        "pet" => none_of(&["PET"]).then_some("no image is a PET"),
        "nuclear" => none_of(&["PET", "SPECT"]).then_some("no image is a PET or SPECT"),
        "mri" => none_of(&["MRI", "DWI"]).then_some("no image is an MRI"),
        "dwi" => none_of(&["DWI"]).then_some("no image is diffusion-weighted"),
        "dynamic" => is_static(record).then_some(
            "the author says that images are static (`reporting.imaging.ibsi.9a`)",
        ),
        matrix => {
            let of = MATRICES.iter().find(|(name, ..)| *name == matrix)?;
            has_none(record, of.1).then_some(of.2)
        }
    }
}

/// Whether this program read images and measured them.
fn measured_here(record: &StudyRecord) -> bool {
    record.predictors.iter().any(|block| block.kind == "images")
}

/// Why nothing here is a feature of images, if nothing is.
pub fn no_images(record: &StudyRecord) -> Option<&'static str> {
    if measured_here(record) {
        return None;
    }
    let denied = matches!(record.reporting.at("imaging"), Some(Stated::Not(_)))
        && record.reporting.answer("imaging") == Answer::Declared;
    if denied {
        return Some(
            "the author says that no predictor is a feature of images (`reporting.imaging`)",
        );
    }
    let mut own = record
        .analyses
        .values()
        .filter(|analysis| analysis.added.is_none() && analysis.role != "control")
        .peekable();
    (own.peek().is_some() && own.all(|analysis| analysis.clinical))
        .then_some("no predictor is a feature of images: all blocks are clinical")
}

/// The kinds of the images, if they are known: by the author's word, or where the unit of all of them
/// says it.
fn modalities(record: &StudyRecord) -> Option<Vec<&str>> {
    let by_unit =
        record.predictors.iter().filter(|block| block.kind == "images").map(|block| {
            block.columns.iter().find_map(|column| match column.unit {
                Unit::Hu | Unit::HuSquared => Some("CT"),
                Unit::Suv | Unit::SuvSquared => Some("PET"),
                _ => None,
            })
        });
    let by_unit: Vec<Option<&str>> = by_unit.collect();
    let told = match record.reporting.at("imaging.modality") {
        Some(Stated::List(told)) => Some(told.iter().map(String::as_str)),
        _ => None,
    };
    match told {
        Some(told) => Some(told.chain(by_unit.into_iter().flatten()).collect()),
        None if by_unit.is_empty() => None,
        None => by_unit.into_iter().collect(),
    }
}

fn is_static(record: &StudyRecord) -> bool {
    let said = record.reporting.text("imaging.ibsi.9a").unwrap_or("");
    let first = said.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    first.eq_ignore_ascii_case("static")
}

/// The words by which extractors name the features of a matrix, and what is said where there are none.
type Matrix = (&'static str, &'static [&'static str], &'static str);

/// A word that ends in `_` is the beginning of a name.
const MATRICES: &[Matrix] = &[
    (
        "texture",
        &[
            "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "gldm", "ngldm", "cm_", "rlm_",
            "szm_", "dzm_", "ngt_", "ngl_",
        ],
        "no predictor is a texture feature",
    ),
    ("cooccurrence", &["glcm", "cm_"], "no predictor is of the co-occurrence matrix"),
    ("size_zone", &["glszm", "szm_"], "no predictor is of the size-zone matrix"),
    ("distance_zone", &["gldzm", "dzm_"], "no predictor is of the distance-zone matrix"),
    ("tone_difference", &["ngtdm", "ngt_"], "no predictor is of grey-tone differences"),
    (
        "level_dependence",
        &["gldm", "ngldm", "ngl_"],
        "no predictor is of grey-level dependence",
    ),
];

/// Words of the other families, by which a table is known to name its features as extractors do.
const OTHERS: &[&str] =
    &["shape", "shape2d", "firstorder", "morph_", "stat_", "ih_", "ivh_"];

/// Whether no feature is named so. Of a table whose names tell no family at all nobody knows.
fn has_none(record: &StudyRecord, words: &[&str]) -> bool {
    let here = measured_here(record);
    let blocks = record.predictors.iter().filter(|b| !here || b.kind == "images");
    let names: Vec<String> = blocks
        .flat_map(|block| &block.columns)
        .map(|column| column.name.to_lowercase())
        .collect();
    let any = |words: &[&str]| names.iter().any(|name| is_named(name, words));
    let telling = here || any(MATRICES[0].1) || any(OTHERS);
    telling && !any(words)
}

fn is_named(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| match word.ends_with('_') {
        true => name.starts_with(word),
        false => {
            name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == *word)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_items() {
        assert_eq!(items_named("2a").unwrap(), ["2a"]);
        assert_eq!(items_named("2").unwrap(), ["2a", "2b", "2c"]);
        assert_eq!(items_named("2b-2c, 5").unwrap(), ["2b", "2c", "5"]);
        assert_eq!(items_named("7-9").unwrap(), ["7", "9a", "9b", "9c"]);
        let wrong = |key: &str| items_named(key).unwrap_err();
        assert!(wrong("77").contains("no item `77`"));
        assert!(wrong("5-4").contains("ends before it begins"));
        assert!(wrong("8").contains("reporting.imaging.modality"));
        assert!(wrong("60").contains("by the run alone"));
        assert!(wrong("").contains("no item"));
    }

    #[test]
    fn neighbours_are_told_in_short() {
        assert_eq!(runs(["1", "2a", "2b", "4a", "7", "8"]), "1–2b, 4a, 7, 8");
        assert_eq!(runs(["76", "1"]), "1, 76");
        assert_eq!(runs(list().items.iter().map(|item| item.item.as_str())), "1–76");
    }

    #[test]
    fn matrices_are_told_by_the_names_of_features() {
        assert!(is_named("original_glcm_contrast", &["glcm"]));
        assert!(is_named("cm_contrast", &["cm_"]));
        assert!(!is_named("original_shape_volume", &["glcm", "cm_"]));
    }

    #[test]
    fn every_condition_is_a_rule() {
        let rules = ["", "ct", "pet", "nuclear", "mri", "dwi", "dynamic", "segmentation"];
        for item in &list().items {
            let of = item.condition.as_str();
            let known =
                rules.contains(&of) || MATRICES.iter().any(|(name, ..)| *name == of);
            assert!(known, "{} of item {}", of, item.item);
        }
    }
}
