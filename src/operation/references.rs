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
        "altman1994b",
        "Altman DG, Bland JM. Diagnostic tests 2: predictive values. BMJ 1994;309:102.",
        Some("10.1136/bmj.309.6947.102"),
    ),
    (
        "austin2019",
        "Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI) and related metrics for quantifying the calibration of logistic regression models. Stat Med 2019;38:4051–4065.",
        Some("10.1002/sim.8281"),
    ),
    (
        "bertsekas1982",
        "Bertsekas DP. Projected Newton methods for optimization problems with simple constraints. SIAM J Control Optim 1982;20:221–246.",
        Some("10.1137/0320018"),
    ),
    (
        "breiman1984",
        "Breiman L, Friedman JH, Olshen RA, Stone CJ. Classification and regression trees. Belmont: Wadsworth, 1984.",
        None,
    ),
    (
        "breiman2001",
        "Breiman L. Random forests. Mach Learn 2001;45:5–32.",
        Some("10.1023/A:1010933404324"),
    ),
    (
        "brent1973",
        "Brent RP. Algorithms for minimization without derivatives. Englewood Cliffs: Prentice-Hall, 1973.",
        None,
    ),
    (
        "brier1950",
        "Brier GW. Verification of forecasts expressed in terms of probability. Mon Weather Rev 1950;78:1–3.",
        Some("10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2"),
    ),
    (
        "brodersen2010",
        "Brodersen KH, Ong CS, Stephan KE, Buhmann JM. The balanced accuracy and its posterior distribution. In: 20th International Conference on Pattern Recognition, 2010:3121–3124.",
        Some("10.1109/ICPR.2010.764"),
    ),
    (
        "chang2011",
        "Chang CC, Lin CJ. LIBSVM: a library for support vector machines. ACM Trans Intell Syst Technol 2011;2(3):27.",
        Some("10.1145/1961189.1961199"),
    ),
    (
        "chen2016",
        "Chen T, Guestrin C. XGBoost: a scalable tree boosting system. In: Proceedings of the 22nd ACM SIGKDD International Conference on Knowledge Discovery and Data Mining, 2016:785–794.",
        Some("10.1145/2939672.2939785"),
    ),
    (
        "cleveland1988",
        "Cleveland WS, Devlin SJ. Locally weighted regression: an approach to regression analysis by local fitting. J Am Stat Assoc 1988;83:596–610.",
        Some("10.1080/01621459.1988.10478639"),
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
        "cortes1995",
        "Cortes C, Vapnik V. Support-vector networks. Mach Learn 1995;20:273–297.",
        Some("10.1007/BF00994018"),
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
        "davis2006",
        "Davis J, Goadrich M. The relationship between precision-recall and ROC curves. In: Proceedings of the 23rd International Conference on Machine Learning, 2006:233–240.",
        Some("10.1145/1143844.1143874"),
    ),
    (
        "delong1988",
        "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating characteristic curves: a nonparametric approach. Biometrics 1988;44:837–845.",
        Some("10.2307/2531595"),
    ),
    (
        "dempster1977",
        "Dempster AP, Laird NM, Rubin DB. Maximum likelihood from incomplete data via the EM algorithm. J R Stat Soc B 1977;39:1–38.",
        Some("10.1111/j.2517-6161.1977.tb01600.x"),
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
        "efron1993",
        "Efron B, Tibshirani RJ. An introduction to the bootstrap. New York: Chapman and Hall, 1993.",
        Some("10.1201/9780429246593"),
    ),
    (
        "elkan2001",
        "Elkan C. The foundations of cost-sensitive learning. In: Proceedings of the 17th International Joint Conference on Artificial Intelligence, 2001:973–978.",
        None,
    ),
    (
        "fan2005",
        "Fan RE, Chen PH, Lin CJ. Working set selection using second order information for training support vector machines. J Mach Learn Res 2005;6:1889–1918.",
        None,
    ),
    (
        "fisher1925",
        "Fisher RA. Statistical methods for research workers. Edinburgh: Oliver and Boyd, 1925.",
        None,
    ),
    (
        "fisher1936",
        "Fisher RA. The use of multiple measurements in taxonomic problems. Ann Eugen 1936;7:179–188.",
        Some("10.1111/j.1469-1809.1936.tb02137.x"),
    ),
    (
        "fortin2018",
        "Fortin JP, Cullen N, Sheline YI, et al. Harmonization of cortical thickness measurements across scanners and sites. NeuroImage 2018;167:104–120.",
        Some("10.1016/j.neuroimage.2017.11.024"),
    ),
    (
        "friedman2001",
        "Friedman JH. Greedy function approximation: a gradient boosting machine. Ann Stat 2001;29:1189–1232.",
        Some("10.1214/aos/1013203451"),
    ),
    (
        "friedman2010",
        "Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear models via coordinate descent. J Stat Softw 2010;33(1):1–22.",
        Some("10.18637/jss.v033.i01"),
    ),
    ("gdcmaf", "NCI Genomic Data Commons. GDC MAF format, version 1.0.0.", None),
    (
        "geurts2006",
        "Geurts P, Ernst D, Wehenkel L. Extremely randomized trees. Mach Learn 2006;63:3–42.",
        Some("10.1007/s10994-006-6226-1"),
    ),
    (
        "good1952",
        "Good IJ. Rational decisions. J R Stat Soc B 1952;14:107–114.",
        Some("10.1111/j.2517-6161.1952.tb00104.x"),
    ),
    (
        "good2005",
        "Good P. Permutation, parametric and bootstrap tests of hypotheses, 3rd ed. New York: Springer, 2005.",
        None,
    ),
    (
        "guyon2002",
        "Guyon I, Weston J, Barnhill S, Vapnik V. Gene selection for cancer classification using support vector machines. Mach Learn 2002;46:389–422.",
        Some("10.1023/A:1012487302797"),
    ),
    (
        "halko2011",
        "Halko N, Martinsson PG, Tropp JA. Finding structure with randomness: probabilistic algorithms for constructing approximate matrix decompositions. SIAM Rev 2011;53:217–288.",
        Some("10.1137/090771806"),
    ),
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
        "hanley1988",
        "Hanley JA. The robustness of the \"binormal\" assumptions used in fitting ROC curves. Med Decis Making 1988;8:197–203.",
        Some("10.1177/0272989X8800800308"),
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
        "jamieson2016",
        "Jamieson K, Talwalkar A. Non-stochastic best arm identification and hyperparameter optimization. AISTATS 2016; PMLR 51:240–248.",
        None,
    ),
    (
        "johnson2007",
        "Johnson WE, Li C, Rabinovic A. Adjusting batch effects in microarray expression data using empirical Bayes methods. Biostatistics 2007;8:118–127.",
        Some("10.1093/biostatistics/kxj037"),
    ),
    (
        "ke2017",
        "Ke G, Meng Q, Finley T, et al. LightGBM: a highly efficient gradient boosting decision tree. In: Advances in Neural Information Processing Systems 30, 2017:3146–3154.",
        None,
    ),
    (
        "kocak2023",
        "Kocak B, Baessler B, Bakas S, et al. CheckList for EvaluAtion of Radiomics research (CLEAR): a step-by-step reporting guideline for authors and reviewers endorsed by ESR and EuSoMII. Insights Imaging 2023;14:75.",
        Some("10.1186/s13244-023-01415-8"),
    ),
    (
        "kocak2024",
        "Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score (METRICS): a quality scoring tool for radiomics research endorsed by EuSoMII. Insights Imaging 2024;15:8.",
        Some("10.1186/s13244-023-01572-w"),
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
        "lambin2017",
        "Lambin P, Leijenaar RTH, Deist TM, et al. Radiomics: the bridge between medical imaging and personalized medicine. Nat Rev Clin Oncol 2017;14:749–762.",
        Some("10.1038/nrclinonc.2017.141"),
    ),
    (
        "lecessie1992",
        "le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. J R Stat Soc C 1992;41:191–201.",
        Some("10.2307/2347628"),
    ),
    (
        "ledell2015",
        "LeDell E, Petersen M, van der Laan M. Computationally efficient confidence intervals for cross-validated area under the ROC curve estimates. Electron J Stat 2015;9:1583–1607.",
        Some("10.1214/15-EJS1035"),
    ),
    (
        "ledoit2004",
        "Ledoit O, Wolf M. A well-conditioned estimator for large-dimensional covariance matrices. J Multivar Anal 2004;88:365–411.",
        Some("10.1016/S0047-259X(03)00096-4"),
    ),
    (
        "lee2007",
        "Lee H, Battle A, Raina R, Ng AY. Efficient sparse coding algorithms. Adv Neural Inf Process Syst 2007;19:801–808.",
        None,
    ),
    (
        "lin2007",
        "Lin HT, Lin CJ, Weng RC. A note on Platt's probabilistic outputs for support vector machines. Mach Learn 2007;68:267–276.",
        Some("10.1007/s10994-007-5018-6"),
    ),
    (
        "little2019",
        "Little RJA, Rubin DB. Statistical analysis with missing data, 3rd ed. Hoboken: Wiley, 2019.",
        Some("10.1002/9781119482260"),
    ),
    (
        "lundberg2017",
        "Lundberg SM, Lee SI. A unified approach to interpreting model predictions. Adv Neural Inf Process Syst 2017;30:4765–4774.",
        Some("10.48550/arXiv.1705.07874"),
    ),
    (
        "lundberg2020",
        "Lundberg SM, Erion G, Chen H, et al. From local explanations to global understanding with explainable AI for trees. Nat Mach Intell 2020;2:56–67.",
        Some("10.1038/s42256-019-0138-9"),
    ),
    (
        "macskassy2005",
        "Macskassy SA, Provost F, Rosset S. ROC confidence bands: an empirical evaluation. In: Proceedings of the 22nd International Conference on Machine Learning, 2005:537–544.",
        Some("10.1145/1102351.1102419"),
    ),
    (
        "mann1947",
        "Mann HB, Whitney DR. On a test of whether one of two random variables is stochastically larger than the other. Ann Math Stat 1947;18:50–60.",
        Some("10.1214/aoms/1177730491"),
    ),
    (
        "matthews1975",
        "Matthews BW. Comparison of the predicted and observed secondary structure of T4 phage lysozyme. Biochim Biophys Acta 1975;405:442–451.",
        Some("10.1016/0005-2795(75)90109-9"),
    ),
    (
        "moons2025",
        "Moons KGM, Damen JAA, Kaul T, et al. PROBAST+AI: an updated quality, risk of bias, and applicability assessment tool for prediction models using regression or artificial intelligence methods. BMJ 2025;388:e082505.",
        Some("10.1136/bmj-2024-082505"),
    ),
    (
        "nadeau2003",
        "Nadeau C, Bengio Y. Inference for the generalization error. Mach Learn 2003;52:239–281.",
        Some("10.1023/A:1024068626366"),
    ),
    (
        "newcombe1998",
        "Newcombe RG. Interval estimation for the difference between independent proportions: comparison of eleven methods. Stat Med 1998;17:873–890.",
        Some("10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    ),
    (
        "newcombe2006",
        "Newcombe RG. Confidence intervals for an effect size measure based on the Mann–Whitney statistic. Part 2: asymptotic methods and evaluation. Stat Med 2006;25:559–573.",
        Some("10.1002/sim.2324"),
    ),
    (
        "nifti1",
        "Cox RW, Ashburner J, Breman H, et al. A (sort of) new image data format standard: NIfTI-1. NeuroImage 2004;22:e1440.",
        None,
    ),
    (
        "nogueira2018",
        "Nogueira S, Sechidis K, Brown G. On the stability of feature selection algorithms. J Mach Learn Res 2018;18(174):1–54.",
        None,
    ),
    (
        "parquet",
        "Apache Software Foundation. Apache Parquet: file format specification. https://parquet.apache.org/docs/file-format/",
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
        "phipson2010",
        "Phipson B, Smyth GK. Permutation p-values should never be zero: calculating exact p-values when permutations are randomly drawn. Stat Appl Genet Mol Biol 2010;9:39.",
        Some("10.2202/1544-6115.1585"),
    ),
    (
        "platt1999",
        "Platt JC. Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods. In: Advances in large margin classifiers. Cambridge: MIT Press, 1999:61–74.",
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
        "riley2020",
        "Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for developing a clinical prediction model. BMJ 2020;368:m441.",
        Some("10.1136/bmj.m441"),
    ),
    (
        "riley2021",
        "Riley RD, Debray TPA, Collins GS, et al. Minimum sample size for external validation of a clinical prediction model with a binary outcome. Stat Med 2021;40:4230–4251.",
        Some("10.1002/sim.9025"),
    ),
    (
        "robnik2003",
        "Robnik-Šikonja M, Kononenko I. Theoretical and empirical analysis of ReliefF and RReliefF. Mach Learn 2003;53:23–69.",
        Some("10.1023/A:1025667309714"),
    ),
    (
        "sechidis2019",
        "Sechidis K, Papangelou K, Nogueira S, Weatherall J, Brown G. On the stability of feature selection in the presence of feature correlations. In: Machine Learning and Knowledge Discovery in Databases, ECML PKDD 2019. Lect Notes Comput Sci 2020;11906:327–342.",
        Some("10.1007/978-3-030-46150-8_20"),
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
        "steyerberg2010",
        "Steyerberg EW, Vickers AJ, Cook NR, et al. Assessing the performance of prediction models: a framework for traditional and novel measures. Epidemiology 2010;21:128–138.",
        Some("10.1097/EDE.0b013e3181c30fb2"),
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
        "strobl2007",
        "Strobl C, Boulesteix AL, Zeileis A, Hothorn T. Bias in random forest variable importance measures: illustrations, sources and a solution. BMC Bioinformatics 2007;8:25.",
        Some("10.1186/1471-2105-8-25"),
    ),
    (
        "sun2014",
        "Sun X, Xu W. Fast implementation of DeLong's algorithm for comparing the areas under correlated receiver operating characteristic curves. IEEE Signal Process Lett 2014;21:1389–1393.",
        Some("10.1109/LSP.2014.2337313"),
    ),
    (
        "tibshirani1996",
        "Tibshirani R. Regression shrinkage and selection via the lasso. J R Stat Soc B 1996;58:267–288.",
        Some("10.1111/j.2517-6161.1996.tb02080.x"),
    ),
    (
        "tipping1999",
        "Tipping ME, Bishop CM. Probabilistic principal component analysis. J R Stat Soc B 1999;61:611–622.",
        Some("10.1111/1467-9868.00196"),
    ),
    (
        "tolosi2011",
        "Toloşi L, Lengauer T. Classification with correlated features: unreliability of feature ranking and solutions. Bioinformatics 2011;27:1986–1994.",
        Some("10.1093/bioinformatics/btr300"),
    ),
    (
        "vancalster2016",
        "Van Calster B, Nieboer D, Vergouwe Y, et al. A calibration hierarchy for risk models was defined: from utopia to empirical data. J Clin Epidemiol 2016;74:167–176.",
        Some("10.1016/j.jclinepi.2015.12.005"),
    ),
    (
        "vanderlaan2007",
        "van der Laan MJ, Polley EC, Hubbard AE. Super learner. Stat Appl Genet Mol Biol 2007;6:25.",
        Some("10.2202/1544-6115.1309"),
    ),
    (
        "vanrijsbergen1979",
        "van Rijsbergen CJ. Information retrieval, 2nd ed. London: Butterworths, 1979.",
        None,
    ),
    (
        "varma2006",
        "Varma S, Simon R. Bias in error estimation when using cross-validation for model selection. BMC Bioinformatics 2006;7:91.",
        Some("10.1186/1471-2105-7-91"),
    ),
    (
        "vickers2006",
        "Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models. Med Decis Making 2006;26:565–574.",
        Some("10.1177/0272989X06295361"),
    ),
    (
        "viechtbauer2005",
        "Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects model. J Educ Behav Stat 2005;30:261–293.",
        Some("10.3102/10769986030003261"),
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
        "yang2012",
        "Yang D, Dalton JE. A unified approach to measuring the effect size between two groups using SAS. In: SAS Global Forum, 2012: paper 335.",
        None,
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
    (
        "zou2005",
        "Zou H, Hastie T. Regularization and variable selection via the elastic net. J R Stat Soc B 2005;67:301–320.",
        Some("10.1111/j.1467-9868.2005.00503.x"),
    ),
    (
        "zou2008",
        "Zou GY, Donner A. Construction of confidence limits about effect measures: a general approach. Stat Med 2008;27:1693–1702.",
        Some("10.1002/sim.3095"),
    ),
    (
        "zwanenburg2016",
        "Zwanenburg A, Leger S, Vallières M, Löck S. Image biomarker standardisation initiative: reference manual. arXiv 2016;1612.07003 (version 11, 2019). CC BY 4.0.",
        None,
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
