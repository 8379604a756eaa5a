//! What a column measures, as far as its block or its name says.

use crate::operation::Instance;
use crate::spec::{BlockKind, Study};

/// Families of the IBSI by the words with which PyRadiomics (between other words) and MIRP (at the
/// beginning) name their features.
const WORDS: &[(&str, &str)] = &[
    ("shape", MORPHOLOGY),
    ("shape2d", MORPHOLOGY),
    ("firstorder", STATISTICS),
    ("glcm", "Grey level co-occurrence"),
    ("glrlm", "Grey level run length"),
    ("glszm", "Grey level size zone"),
    ("gldzm", "Grey level distance zone"),
    ("ngtdm", "Neighbourhood grey tone difference"),
    ("gldm", "Neighbouring grey level dependence"),
    ("ngldm", "Neighbouring grey level dependence"),
];
const BEGINNINGS: &[(&str, &str)] = &[
    ("morph_", MORPHOLOGY),
    ("loc_peak_", "Local intensity"),
    ("stat_", STATISTICS),
    ("ih_", "Intensity histogram"),
    ("ivh_", "Intensity-volume histogram"),
    ("cm_", "Grey level co-occurrence"),
    ("rlm_", "Grey level run length"),
    ("szm_", "Grey level size zone"),
    ("dzm_", "Grey level distance zone"),
    ("ngt_", "Neighbourhood grey tone difference"),
    ("ngl_", "Neighbouring grey level dependence"),
];
const MORPHOLOGY: &str = "Morphology";
const STATISTICS: &str = "Intensity-based statistics";

/// The family of a column of a model, which is called `block.column`: a family of the IBSI, `Clinical`,
/// or else the name of its block.
pub fn family(study: &Study, column: &str) -> String {
    let (block, name) = column.split_once('.').unwrap_or((column, ""));
    let Some(of) = study.block(block) else { return block.to_string() };
    if of.clinical {
        return "Clinical".to_string();
    }
    if let BlockKind::Images { features, .. } = &of.kind {
        let named = name.split('.').next().unwrap_or(name);
        let measured = features.iter().find(|used| {
            matches!(used.instance, Instance::FeatureFamily(_))
                && used.about.name == named
        });
        let told = measured.map(|used| used.about.title.to_string());
        return told.unwrap_or_else(|| block.to_string());
    }
    named(name).map_or_else(|| block.to_string(), str::to_string)
}

fn named(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let begins = BEGINNINGS.iter().find(|(beginning, _)| name.starts_with(beginning));
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let has = words.find_map(|word| WORDS.iter().find(|(known, _)| *known == word));
    has.or(begins).map(|(_, family)| *family)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn families_are_told_by_the_words_of_extractors() {
        let cases = [
            ("original_firstorder_Mean", Some("Intensity-based statistics")),
            ("wavelet-LLH_glcm_Contrast", Some("Grey level co-occurrence")),
            (
                "log-sigma-3-0-mm-3D_gldm_SmallDependenceEmphasis",
                Some("Neighbouring grey level dependence"),
            ),
            ("morph_volume", Some("Morphology")),
            ("cm_joint_max_d1_3d_avg", Some("Grey level co-occurrence")),
            ("EGFR", None),
            ("status_of_margin", None),
            ("reshape_x", None),
        ];
        for (name, family) in cases {
            assert_eq!(named(name), family, "{name}");
        }
    }
}
