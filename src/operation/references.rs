//! The reference list: every source that an operation may name, by key.

use crate::data::Reference;

/// Key, citation, DOI.
pub const REFERENCES: &[(&str, &str, Option<&str>)] = &[
    (
        "altman1994",
        "Altman DG, Bland JM. Diagnostic tests 1: sensitivity and specificity. BMJ 1994;308:1552.",
        Some("10.1136/bmj.308.6943.1552"),
    ),
    (
        "brent1973",
        "Brent RP. Algorithms for minimization without derivatives. Englewood Cliffs: Prentice-Hall, 1973.",
        None,
    ),
    (
        "clopper1934",
        "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial. Biometrika 1934;26:404–413.",
        Some("10.1093/biomet/26.4.404"),
    ),
    (
        "collins2024",
        "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use regression or machine learning methods. BMJ 2024;385:e078378.",
        Some("10.1136/bmj-2023-078378"),
    ),
    (
        "cover1967",
        "Cover TM, Hart PE. Nearest neighbor pattern classification. IEEE Trans Inf Theory 1967;13:21–27.",
        Some("10.1109/TIT.1967.1053964"),
    ),
    (
        "cox1958",
        "Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562–565.",
        Some("10.1093/biomet/45.3-4.562"),
    ),
    (
        "cramer1946",
        "Cramér H. Mathematical methods of statistics. Princeton: Princeton University Press, 1946.",
        None,
    ),
    (
        "delong1988",
        "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating characteristic curves: a nonparametric approach. Biometrics 1988;44:837–845.",
        Some("10.2307/2531595"),
    ),
    (
        "dersimonian1986",
        "DerSimonian R, Laird N. Meta-analysis in clinical trials. Control Clin Trials 1986;7:177–188.",
        Some("10.1016/0197-2456(86)90046-2"),
    ),
    (
        "ding2005",
        "Ding C, Peng H. Minimum redundancy feature selection from microarray gene expression data. J Bioinform Comput Biol 2005;3:185–205.",
        Some("10.1142/S0219720005001004"),
    ),
    (
        "fisher1925",
        "Fisher RA. Statistical methods for research workers. Edinburgh: Oliver and Boyd, 1925.",
        None,
    ),
    (
        "fortin2018",
        "Fortin JP, Cullen N, Sheline YI, et al. Harmonization of cortical thickness measurements across scanners and sites. NeuroImage 2018;167:104–120.",
        Some("10.1016/j.neuroimage.2017.11.024"),
    ),
    ("gdcmaf", "NCI Genomic Data Commons. GDC MAF format, version 1.0.0.", None),
    (
        "hand2001",
        "Hand DJ, Yu K. Idiot's Bayes: not so stupid after all? Int Stat Rev 2001;69:385–398.",
        Some("10.1111/j.1751-5823.2001.tb00465.x"),
    ),
    (
        "hanley1982",
        "Hanley JA, McNeil BJ. The meaning and use of the area under a receiver operating characteristic (ROC) curve. Radiology 1982;143:29–36.",
        Some("10.1148/radiology.143.1.7063747"),
    ),
    (
        "hanley1983",
        "Hanley JA, Lippman-Hand A. If nothing goes wrong, is everything all right? Interpreting zero numerators. JAMA 1983;249:1743–1745.",
        Some("10.1001/jama.1983.03330370053031"),
    ),
    (
        "harrell2015",
        "Harrell FE. Regression modeling strategies, 2nd ed. Cham: Springer, 2015.",
        Some("10.1007/978-3-319-19425-7"),
    ),
    (
        "hartung2001",
        "Hartung J, Knapp G. A refined method for the meta-analysis of controlled clinical trials with binary outcome. Stat Med 2001;20:3875–3889.",
        Some("10.1002/sim.1009"),
    ),
    (
        "higgins2002",
        "Higgins JPT, Thompson SG. Quantifying heterogeneity in a meta-analysis. Stat Med 2002;21:1539–1558.",
        Some("10.1002/sim.1186"),
    ),
    (
        "higgins2009",
        "Higgins JPT, Thompson SG, Spiegelhalter DJ. A re-evaluation of random-effects meta-analysis. J R Stat Soc A 2009;172:137–159.",
        Some("10.1111/j.1467-985X.2008.00552.x"),
    ),
    (
        "hoerl1970",
        "Hoerl AE, Kennard RW. Ridge regression: biased estimation for nonorthogonal problems. Technometrics 1970;12:55–67.",
        Some("10.1080/00401706.1970.10488634"),
    ),
    (
        "holm1979",
        "Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65–70.",
        None,
    ),
    (
        "hyndman1996",
        "Hyndman RJ, Fan Y. Sample quantiles in statistical packages. Am Stat 1996;50:361–365.",
        Some("10.1080/00031305.1996.10473566"),
    ),
    (
        "ibsi2020",
        "Zwanenburg A, Vallières M, Abdalah MA, et al. The Image Biomarker Standardization Initiative: standardized quantitative radiomics for high-throughput image-based phenotyping. Radiology 2020;295:328–338.",
        Some("10.1148/radiol.2020191145"),
    ),
    (
        "johnson2007",
        "Johnson WE, Li C, Rabinovic A. Adjusting batch effects in microarray expression data using empirical Bayes methods. Biostatistics 2007;8:118–127.",
        Some("10.1093/biostatistics/kxj037"),
    ),
    (
        "kononenko1994",
        "Kononenko I. Estimating attributes: analysis and extensions of RELIEF. In: Machine learning: ECML-94. Berlin: Springer, 1994:171–182.",
        Some("10.1007/3-540-57868-4_57"),
    ),
    (
        "kuhn2013",
        "Kuhn M, Johnson K. Applied predictive modeling. New York: Springer, 2013.",
        Some("10.1007/978-1-4614-6849-3"),
    ),
    (
        "lecessie1992",
        "le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. J R Stat Soc C 1992;41:191–201.",
        Some("10.2307/2347628"),
    ),
    (
        "little2019",
        "Little RJA, Rubin DB. Statistical analysis with missing data, 3rd ed. Hoboken: Wiley, 2019.",
        Some("10.1002/9781119482260"),
    ),
    (
        "mann1947",
        "Mann HB, Whitney DR. On a test of whether one of two random variables is stochastically larger than the other. Ann Math Stat 1947;18:50–60.",
        Some("10.1214/aoms/1177730491"),
    ),
    (
        "nadeau2003",
        "Nadeau C, Bengio Y. Inference for the generalization error. Mach Learn 2003;52:239–281.",
        Some("10.1023/A:1024068626366"),
    ),
    (
        "nifti1",
        "Cox RW, Ashburner J, Breman H, et al. A (sort of) new image data format standard: NIfTI-1. NeuroImage 2004;22:e1440.",
        None,
    ),
    (
        "pearson1895",
        "Pearson K. Note on regression and inheritance in the case of two parents. Proc R Soc Lond 1895;58:240–242.",
        Some("10.1098/rspl.1895.0041"),
    ),
    (
        "pearson1900",
        "Pearson K. On the criterion that a given system of deviations from the probable in the case of a correlated system of variables is such that it can be reasonably supposed to have arisen from random sampling. Philos Mag 1900;50:157–175.",
        Some("10.1080/14786440009463897"),
    ),
    (
        "pedregosa2011",
        "Pedregosa F, Varoquaux G, Gramfort A, et al. Scikit-learn: machine learning in Python. J Mach Learn Res 2011;12:2825–2830.",
        None,
    ),
    (
        "pomponio2020",
        "Pomponio R, Erus G, Habes M, et al. Harmonization of large MRI datasets for the analysis of brain imaging patterns throughout the lifespan. NeuroImage 2020;208:116450.",
        Some("10.1016/j.neuroimage.2019.116450"),
    ),
    (
        "rfc4180",
        "Shafranovich Y. Common format and MIME type for comma-separated values (CSV) files. RFC 4180, 2005.",
        Some("10.17487/RFC4180"),
    ),
    (
        "robnik2003",
        "Robnik-Šikonja M, Kononenko I. Theoretical and empirical analysis of ReliefF and RReliefF. Mach Learn 2003;53:23–69.",
        Some("10.1023/A:1025667309714"),
    ),
    (
        "shannon1948",
        "Shannon CE. A mathematical theory of communication. Bell Syst Tech J 1948;27:379–423.",
        Some("10.1002/j.1538-7305.1948.tb01338.x"),
    ),
    (
        "spearman1904",
        "Spearman C. The proof and measurement of association between two things. Am J Psychol 1904;15:72–101.",
        Some("10.2307/1412159"),
    ),
    (
        "stein2015",
        "Stein CK, Qu P, Epstein J, et al. Removing batch effects from purified plasma cell gene expression microarrays with modified ComBat. BMC Bioinformatics 2015;16:63.",
        Some("10.1186/s12859-015-0478-3"),
    ),
    (
        "steyerberg2016",
        "Steyerberg EW, Harrell FE. Prediction models need appropriate internal, internal-external, and external validation. J Clin Epidemiol 2016;69:245–247.",
        Some("10.1016/j.jclinepi.2015.04.005"),
    ),
    (
        "stone1974",
        "Stone M. Cross-validatory choice and assessment of statistical predictions. J R Stat Soc B 1974;36:111–147.",
        Some("10.1111/j.2517-6161.1974.tb00994.x"),
    ),
    (
        "sun2014",
        "Sun X, Xu W. Fast implementation of DeLong's algorithm for comparing the areas under correlated receiver operating characteristic curves. IEEE Signal Process Lett 2014;21:1389–1393.",
        Some("10.1109/LSP.2014.2337313"),
    ),
    (
        "varma2006",
        "Varma S, Simon R. Bias in error estimation when using cross-validation for model selection. BMC Bioinformatics 2006;7:91.",
        Some("10.1186/1471-2105-7-91"),
    ),
    (
        "welch1947",
        "Welch BL. The generalization of 'Student's' problem when several different population variances are involved. Biometrika 1947;34:28–35.",
        Some("10.1093/biomet/34.1-2.28"),
    ),
    (
        "wilson1927",
        "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;22:209–212.",
        Some("10.1080/01621459.1927.10502953"),
    ),
    (
        "yeo2000",
        "Yeo IK, Johnson RA. A new family of power transformations to improve normality or symmetry. Biometrika 2000;87:954–959.",
        Some("10.1093/biomet/87.4.954"),
    ),
    (
        "youden1950",
        "Youden WJ. Index for rating diagnostic tests. Cancer 1950;3:32–35.",
        Some("10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3"),
    ),
    (
        "zhao2019",
        "Zhao Z, Anand R, Wang M. Maximum relevance and minimum redundancy feature selection methods for a marketing machine learning platform. In: IEEE international conference on data science and advanced analytics, 2019:442–452.",
        Some("10.1109/DSAA.2019.00059"),
    ),
];

/// The reference under `key`.
pub fn reference(key: &str) -> Option<Reference> {
    REFERENCES.iter().find(|(known, ..)| *known == key).map(|(key, text, doi)| {
        Reference {
            key: (*key).to_string(),
            text: (*text).to_string(),
            doi: doi.map(str::to_string),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_without_doubles() {
        assert!(REFERENCES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
