//! A small cohort with tables, mutations and scans, and a known effect.

use super::nifti_bytes::{Voxels, cube};
use crate::operation::prelude::*;

/// A simulated cohort: clinical table, mutations, and scans with masks.
///
/// For trying things out and for tests of the whole program: the truth is known. Everything that
/// it makes says that it is simulated.
///
/// # Computation
/// A share of the patients, rounded, carries a non-silent mutation of the gene. Half of the
/// texture columns (rounded up) are normal with standard deviation 1 and means that differ by the
/// effect, as is the mean grey value of the scans' lesions; all else is noise. Every 40th texture
/// value is missing. Imaged patients are taken from both classes in turn.
///
/// # Limits
/// Independent normal columns are kinder than any real radiomics.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Simulate {
    /// Number of patients.
    #[schemars(range(min = 10, max = 100_000))]
    pub subjects: usize,
    /// How many of them have a scan.
    #[schemars(range(min = 0, max = 10_000))]
    pub imaged: usize,
    /// The gene that is mutated.
    #[schemars(length(min = 1))]
    pub gene: String,
    /// Share of patients with the mutation.
    #[schemars(range(min = 0.05, max = 0.95))]
    pub prevalence: f64,
    /// Standardised mean difference (Cohen's d) of informative columns; 0 is a null twin.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub effect: f64,
    /// Number of texture columns.
    #[schemars(range(min = 1, max = 10_000))]
    pub textures: usize,
}

impl Default for Simulate {
    fn default() -> Self {
        Self {
            subjects: 120,
            imaged: 12,
            gene: "IDH1".to_string(),
            prevalence: 0.4,
            effect: 1.0,
            textures: 12,
        }
    }
}

impl Operation for Simulate {
    const ABOUT: About = About {
        name: "simulate",
        title: "Simulated cohort",
        version: 1,
        sources: &[],
        example: "simulate: { subjects: 40, imaged: 6, gene: IDH1 }",
    };

    const RANDOM: bool = true;
}

impl Generator for Simulate {
    fn generate(&self, seed: u64) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let imaged = self.imaged.min(self.subjects);
        let mutant = self.mutants(seed);
        let mut files = vec![
            ("table.csv".to_string(), self.table(seed, &mutant).into_bytes()),
            ("mutations.maf".to_string(), self.mutations(seed, &mutant).into_bytes()),
        ];
        let mut positive = (0..self.subjects).filter(|patient| mutant[*patient]);
        let mut negative = (0..self.subjects).filter(|patient| !mutant[*patient]);
        for turn in 0..imaged {
            let mut next = if turn % 2 == 0 { positive.next() } else { negative.next() };
            next = next.or_else(|| positive.next()).or_else(|| negative.next());
            let Some(patient) = next else { break };
            let (image, mask) = self.scan(seed, patient, mutant[patient]);
            files.push((format!("images/{}/image.nii.gz", id(patient)), image));
            files.push((format!("images/{}/mask.nii.gz", id(patient)), mask));
        }
        Ok(files)
    }
}

/// The id of a patient who does not exist.
fn id(patient: usize) -> String {
    format!("SIM-{:05}", patient + 1)
}

/// Voxels along each side of a scan.
const SIDE: u16 = 16;

impl Simulate {
    fn mutants(&self, seed: u64) -> Vec<bool> {
        let n = (self.prevalence * self.subjects as f64).round() as usize;
        let mut mutant: Vec<bool> =
            (0..self.subjects).map(|patient| patient < n).collect();
        Stream::new(seed, &["simulate", "mutants"]).shuffle(&mut mutant);
        mutant
    }

    fn table(&self, seed: u64, mutant: &[bool]) -> String {
        let mut text = String::from("patient,simulated,age,sex,site,volume_ml");
        for texture in 1..=self.textures {
            text.push_str(&format!(",texture_{texture:02}"));
        }
        text.push('\n');
        let informative = self.textures.div_ceil(2);
        for (patient, &mutant) in mutant.iter().enumerate() {
            let mut stream =
                Stream::new(seed, &["simulate", "row", &patient.to_string()]);
            let age = (52.0 + 13.0 * stream.normal()).clamp(18.0, 90.0);
            let sex = if stream.uniform() < 0.45 { "female" } else { "male" };
            let site = ["A", "B", "C"][stream.below(3)];
            let volume = 30.0 * crate::math::exp(0.6 * stream.normal());
            let shown = id(patient);
            text.push_str(&format!("{shown},yes,{age:.0},{sex},{site},{volume:.1}"));
            for texture in 0..self.textures {
                let shift =
                    if mutant && texture < informative { self.effect } else { 0.0 };
                let value = shift + stream.normal();
                // Real tables have holes, so imputation has something to do.
                match (patient * self.textures + texture) % 40 == 39 {
                    true => text.push(','),
                    false => text.push_str(&format!(",{value:.4}")),
                }
            }
            text.push('\n');
        }
        text
    }

    fn mutations(&self, seed: u64, mutant: &[bool]) -> String {
        let mut text = String::from(
            "#simulated by restudy: no patient\n\
             Hugo_Symbol\tVariant_Classification\tHGVSp_Short\tTumor_Sample_Barcode\n",
        );
        let mut row = |gene: &str, class: &str, protein: &str, patient: usize| {
            text.push_str(&format!("{gene}\t{class}\t{protein}\t{}\n", id(patient)));
        };
        for (patient, &mutant) in mutant.iter().enumerate() {
            let mut stream =
                Stream::new(seed, &["simulate", "maf", &patient.to_string()]);
            if mutant {
                row(&self.gene, "Missense_Mutation", "p.R132H", patient);
            } else if stream.uniform() < 0.1 {
                // A silent mutation of the gene must not count.
                row(&self.gene, "Silent", "p.G105G", patient);
            }
            if stream.uniform() < 0.3 {
                row("TP53", "Missense_Mutation", "p.R175H", patient);
            }
        }
        text
    }

    /// A noisy cube with a brighter ellipsoid, and its mask.
    fn scan(&self, seed: u64, patient: usize, mutant: bool) -> (Vec<u8>, Vec<u8>) {
        let mut stream = Stream::new(seed, &["simulate", "scan", &patient.to_string()]);
        // The lesion's own level carries the effect in units of its spread between patients.
        let shift = if mutant { self.effect } else { 0.0 };
        let level = 200.0 + 20.0 * (shift + stream.normal());
        let radius: [f64; 3] = std::array::from_fn(|_| 3.0 + 2.5 * stream.uniform());
        let (mut grey, mut labels) = (Vec::new(), Vec::new());
        let middle = f64::from(SIDE - 1) / 2.0;
        for z in 0..SIDE {
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let at = [x, y, z].map(|i| f64::from(i) - middle);
                    let distance: f64 =
                        at.iter().zip(radius).map(|(d, r)| d / r * (d / r)).sum();
                    let inside = distance <= 1.0;
                    let base = if inside { level } else { 100.0 };
                    grey.push((base + 10.0 * stream.normal()) as f32);
                    labels.push(u8::from(inside));
                }
            }
        }
        (cube(SIDE, &Voxels::Grey(grey)), cube(SIDE, &Voxels::Labels(labels)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_is_as_declared() {
        let simulate = Simulate { subjects: 50, imaged: 6, ..Simulate::default() };
        let files = simulate.generate(1).unwrap();
        assert_eq!(files.len(), 2 + 2 * 6);
        let text = |name: &str| {
            let file = files.iter().find(|(known, _)| known == name).unwrap();
            String::from_utf8(file.1.clone()).unwrap()
        };
        assert_eq!(text("table.csv").lines().count(), 51);
        assert_eq!(text("mutations.maf").matches("p.R132H").count(), 20);
        assert!(text("mutations.maf").starts_with("#simulated"));
        assert!(text("table.csv").lines().skip(1).all(|line| line.contains(",yes,")));
        let again = simulate.generate(1).unwrap();
        assert_eq!(files, again);
        assert_ne!(files, simulate.generate(2).unwrap());
    }
}
