//! What a column measures, as far as its block or its name says.

use crate::operation::Instance;
use crate::spec::{BlockKind, Study};

/// Families of the IBSI by the words with which PyRadiomics (between other words) and MIRP (at the
/// beginning) name their features.
const WORDS: &[(&str, &str)] = &[
    ("shape", MORPHOLOGY),
    ("shape2d", MORPHOLOGY),
    ("firstorder", STATISTICS),
    ("glcm", "grey level co-occurrence"),
    ("glrlm", "grey level run length"),
    ("glszm", "grey level size zone"),
    ("gldzm", "grey level distance zone"),
    ("ngtdm", "neighbourhood grey tone difference"),
    ("gldm", "neighbouring grey level dependence"),
    ("ngldm", "neighbouring grey level dependence"),
];
const BEGINNINGS: &[(&str, &str)] = &[
    ("morph_", MORPHOLOGY),
    ("loc_peak_", "local intensity"),
    ("stat_", STATISTICS),
    ("ih_", "intensity histogram"),
    ("ivh_", "intensity-volume histogram"),
    ("cm_", "grey level co-occurrence"),
    ("rlm_", "grey level run length"),
    ("szm_", "grey level size zone"),
    ("dzm_", "grey level distance zone"),
    ("ngt_", "neighbourhood grey tone difference"),
    ("ngl_", "neighbouring grey level dependence"),
];
const MORPHOLOGY: &str = "morphology";
const STATISTICS: &str = "intensity-based statistics";

/// The family of a column of a model, which is called `block.column`: a family of the IBSI, `clinical`,
/// or else the name of its block.
pub fn family(study: &Study, column: &str) -> String {
    let (block, name) = column.split_once('.').unwrap_or((column, ""));
    let Some(of) = study.block(block) else { return block.to_string() };
    if of.clinical {
        return "clinical".to_string();
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
            ("original_firstorder_Mean", Some("intensity-based statistics")),
            ("wavelet-LLH_glcm_Contrast", Some("grey level co-occurrence")),
            (
                "log-sigma-3-0-mm-3D_gldm_SmallDependenceEmphasis",
                Some("neighbouring grey level dependence"),
            ),
            ("morph_volume", Some("morphology")),
            ("cm_joint_max_d1_3d_avg", Some("grey level co-occurrence")),
            ("EGFR", None),
            ("status_of_margin", None),
            ("reshape_x", None),
        ];
        for (name, family) in cases {
            assert_eq!(named(name), family, "{name}");
        }
    }
}
