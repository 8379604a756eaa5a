//! The evidence sheet for PROBAST+AI: what the run and the author have to say to each signalling
//! question, and the assessor's answer. The program answers none of them and rates no risk.

use std::sync::OnceLock;

use super::coverage::said;
use super::evidence::{extracted_outside, is_prospective, weights_classes};
use super::shown::place;
use super::standards::{Wanted, rows};
use super::standing::{headline, judged_place, rows_are, same_question, whereabouts};
use crate::data::{
    AnalysisRecord, Answer, BiasAnswer, BiasEvidence, BiasQuestion, CohortFacts,
    EvidencePart, MethodFacts, NumberAt, RiskOfBiasFacts, Scope, Stated, StudyRecord,
    placeholder,
};

/// A row of the file.
struct Question {
    item: String,
    part: String,
    domain: String,
    topic: String,
    question: String,
}

fn questions() -> &'static [Question] {
    static QUESTIONS: OnceLock<Vec<Question>> = OnceLock::new();
    QUESTIONS.get_or_init(|| {
        let of = |cells: Vec<String>| {
            let [item, part, domain, topic, question] = <[String; 5]>::try_from(cells)
                .expect("the files are part of the program");
            Question { item, part, domain, topic, question }
        };
        let text = include_str!("../../templates/standards/probast_ai.csv");
        rows(text).into_iter().skip(1).map(of).collect()
    })
}

/// All questions with what is known to each.
pub fn risk_of_bias(record: &StudyRecord) -> RiskOfBiasFacts {
    let text = |field: &str| {
        let given = record.reporting.answer(field) == Answer::Given;
        record.reporting.text(field).filter(|_| given).map(str::to_string)
    };
    let assessor = text("appraisal.probast.assessor");
    let questions: Vec<BiasQuestion> = questions()
        .iter()
        .map(|question| {
            let (answer, lack) = answer(record, &question.item, assessor.is_some());
            BiasQuestion {
                item: question.item.clone(),
                part: question.part.clone(),
                domain: question.domain.clone(),
                topic: question.topic.clone(),
                question: question.question.clone(),
                field: format!("reporting.{ANSWERS}.{}", key(&question.item)),
                evidence: evidence(record, &question.item),
                answer,
                lack,
            }
        })
        .collect();
    let answered = questions.iter().filter(|question| question.answer.is_some()).count();
    RiskOfBiasFacts {
        name: "probast_ai".to_string(),
        title: "PROBAST+AI".to_string(),
        note: "Evidence for an assessor (moons2025). The program answers no question and rates \
               no risk."
            .to_string(),
        assessor,
        date: text("appraisal.probast.date"),
        n_questions: questions.len(),
        answered,
        open: questions.len() - answered,
        questions,
    }
}

const ANSWERS: &str = "appraisal.probast.answers";

/// `D1.1` as the author writes it.
fn key(item: &str) -> String {
    item.replace('.', "_")
}

/// The assessor's answer, or why what stands there does not count.
fn answer(
    record: &StudyRecord,
    item: &str,
    named: bool,
) -> (Option<BiasAnswer>, Option<String>) {
    let Some(Stated::ByName(answers)) = record.reporting.fields.get(ANSWERS) else {
        return (None, None);
    };
    let Some(text) = answers.get(&key(item)) else { return (None, None) };
    let (answer, why) = text.split_once(':').unwrap_or((text, ""));
    let words = match answer.trim() {
        "Y" => "Yes",
        "PY" => "Probably yes",
        "PN" => "Probably no",
        "N" => "No",
        "NI" => "No information",
        "NA" => "Not applicable",
        _ => return (None, Some("the answer is none of Y, PY, PN, N, NI, NA".into())),
    };
    if !named {
        let field = "reporting.appraisal.probast.assessor";
        return (
            None,
            Some(format!("an answer stands there, and `{field}` names nobody")),
        );
    }
    if let Some(lack) = placeholder(why.trim(), &[]) {
        return (None, Some(format!("a placeholder stands for the reason: {lack}")));
    }
    let answer = BiasAnswer {
        answer: answer.trim().to_string(),
        words: words.to_string(),
        why: why.trim().to_string(),
    };
    (Some(answer), None)
}

/// A sentence in the making, with the section where more stands.
struct Line(BiasEvidence);

impl Line {
    fn new(section: &str, text: impl Into<String>) -> Self {
        let parts = vec![EvidencePart::Text(text.into())];
        Self(BiasEvidence { section: section.to_string(), parts })
    }

    fn text(mut self, text: impl Into<String>) -> Self {
        self.0.parts.push(EvidencePart::Text(text.into()));
        self
    }

    fn number(mut self, at: String, digits: usize) -> Self {
        self.0.parts.push(EvidencePart::Number(NumberAt { at, digits }));
        self
    }

    fn count(self, at: String) -> Self {
        self.number(at, 0)
    }

    /// A measure with its interval, as far as it has one.
    fn measure(self, of: &AnalysisRecord, name: &str, metric: &str, words: &str) -> Self {
        let at = format!("{}/performance/{metric}", place(name));
        let Some(estimate) = of.performance.get(metric) else {
            return self.text(format!("{words} is not told"));
        };
        let line = self.text(format!("{words} ")).number(format!("{at}/estimate"), 2);
        match estimate.lower.is_some() && estimate.upper.is_some() {
            true => line
                .text(" (95 % CI ")
                .number(format!("{at}/lower"), 2)
                .text(" to ")
                .number(format!("{at}/upper"), 2)
                .text(")"),
            false => line.text(" (no interval)"),
        }
    }
}

/// What of the fields that an author could answer it in is told.
fn told(record: &StudyRecord, section: &str, fields: &[&str]) -> Line {
    let of = |field: &&str| {
        let wanted = Wanted { field: field.to_string(), only_if: String::new() };
        said(record, "", &wanted)
    };
    let words = fields.iter().flat_map(of).map(|said| {
        let what = match (said.given, said.negative, said.lack) {
            (true, true, _) => "told as not done",
            (true, false, _) => "told",
            (false, _, Some(_)) => "only a placeholder",
            (false, ..) => "not told",
        };
        let field = said.field.strip_prefix("reporting.").unwrap_or(&said.field);
        format!("`{field}` {what}")
    });
    Line::new(section, format!("Author: {}.", words.collect::<Vec<_>>().join(", ")))
}

/// A cohort with its place in the record.
type At<'r> = (usize, &'r CohortFacts);

fn cohort<'r>(record: &'r StudyRecord, name: &str) -> Option<At<'r>> {
    record.cohorts.iter().enumerate().find(|(_, cohort)| cohort.name == name)
}

/// Cohorts that a finished model of the headline's question met, each once, and no more than these.
fn elsewhere<'r>(
    record: &'r StudyRecord,
) -> Vec<(&'r String, &'r AnalysisRecord, At<'r>)> {
    const MOST: usize = 4;
    let Some((_, first)) = headline(record) else { return Vec::new() };
    let met = same_question(record, first).filter(|(_, of)| of.kind == "external");
    met.filter_map(|(name, of)| Some((name, of, cohort(record, &of.cohort)?)))
        .take(MOST)
        .collect()
}

/// The places in which the headline's question is judged.
fn places(record: &StudyRecord) -> Vec<(&String, &AnalysisRecord)> {
    const MOST: usize = 5;
    let Some((_, first)) = headline(record) else { return Vec::new() };
    same_question(record, first).take(MOST).collect()
}

fn methods<'r>(
    record: &'r StudyRecord,
    role: &'static str,
) -> impl Iterator<Item = &'r MethodFacts> {
    record.methods.iter().filter(move |method| method.role == role && !method.added)
}

/// Names between backticks, each once.
fn names<'r>(of: impl Iterator<Item = &'r str>) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in of.map(|name| format!("`{name}`")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn evidence(record: &StudyRecord, item: &str) -> Vec<BiasEvidence> {
    let Some((name, first)) = headline(record) else { return Vec::new() };
    let own = cohort(record, &first.cohort);
    let lines = match item {
        "D1.1" => sources(record),
        "D1.2" => own.map_or_else(Vec::new, |own| design(record, own)),
        "D1.3" => own.map_or_else(Vec::new, |own| left(record, own)),
        "D2.1" => measured(record, name, own),
        "D2.2" => prepared(record, name, first),
        "D2.3" => blind_to_outcome(record),
        "D2.4" => known(record),
        "D3.1" => own.map_or_else(Vec::new, |own| outcome(record, first, own)),
        "D3.2" => agreements(record),
        "D3.3" => blind_to_predictors(record),
        "D3.4" => interval(record),
        "D4.1" => size(record, name, first),
        "D4.2" => handled(record),
        "D4.3" => own.map_or_else(Vec::new, |own| gaps(record, own)),
        "D4.4" => balanced(record),
        "D4.5" => fitting(record, name, first),
        "E4.1" => beyond(record),
        "E4.2" => judged(record),
        "E4.3" => gaps_elsewhere(record),
        "E4.4" => held_out_classes(record),
        "E4.5" => leaks(record),
        "E4.6" => repeated(record, first),
        "E4.7" => measures(record),
        _ => of_evaluation(record, item),
    };
    lines.into_iter().map(|line| line.0).collect()
}

/// Questions that are asked of both halves: rows that are held out in turn are those of development.
fn of_evaluation(record: &StudyRecord, item: &str) -> Vec<Line> {
    let twin = item.replacen('E', "D", 1);
    let own = headline(record).map_or("", |(_, first)| first.cohort.as_str());
    let mut lines = vec![Line::new(
        if item.starts_with("E1") { "participants" } else { "measures" },
        format!("Held-out rows of `{own}` are among those of development: see {twin}."),
    )];
    let elsewhere = elsewhere(record);
    if !elsewhere.is_empty() && ["E2.3", "E2.4", "E3.2", "E3.3", "E3.4"].contains(&item) {
        let text = "What the author says there is said of all cohorts.";
        lines.push(Line::new("measures", text));
    }
    for (_, of, at) in elsewhere {
        lines.extend(match item {
            "E1.1" => vec![met(record, of, at)],
            "E1.2" => design(record, at),
            "E1.3" => left(record, at),
            "E2.1" => vec![shift(record, at)],
            "E2.2" => {
                let cohort = &at.1.name;
                vec![Line::new(
                    "validation",
                    format!(
                        "`{cohort}`: the frozen steps prepare its rows; nothing is fitted there."
                    ),
                )]
            }
            "E3.1" => outcome(record, of, at),
            _ => Vec::new(),
        });
    }
    lines
}

fn sources(record: &StudyRecord) -> Vec<Line> {
    const MOST: usize = 4;
    let of = record.sources.iter().enumerate().take(MOST);
    let mut lines: Vec<Line> = of
        .map(|(at, source)| {
            let what = if source.kind == "images" { "imaged patients" } else { "rows" };
            let licence = source.licence.as_deref().unwrap_or("none stated");
            Line::new("provenance", format!("Source `{}`: ", source.name))
                .count(format!("/sources/{at}/n"))
                .text(format!(
                    " {what}{}; licence: {licence}; {}.",
                    if source.simulated { ", simulated" } else { "" },
                    match source.citation {
                        Some(_) => "with a citation",
                        None => "without a citation",
                    }
                ))
        })
        .collect();
    if record.sources.len() > MOST {
        lines.push(Line::new("provenance", "Further sources stand there."));
    }
    lines.push(told(record, "participants", &["cohorts.*.setting", "data_quality"]));
    lines
}

fn met(record: &StudyRecord, of: &AnalysisRecord, (at, cohort): At<'_>) -> Line {
    let line = Line::new("validation", format!("`{}`: ", cohort.name))
        .count(format!("/cohorts/{at}/n_subjects"))
        .text(" patients");
    let relation = match &cohort.relation {
        Some(words) => format!("; relation in the author's words: {words}"),
        None => "; its relation to the development cohort is not told".to_string(),
    };
    let sealed = if cohort.sealed { "; sealed until the model was frozen" } else { "" };
    line.text(format!(", {}{relation}{sealed}.", whereabouts(record, of)))
}

fn design(record: &StudyRecord, (_, cohort): At<'_>) -> Vec<Line> {
    let field = format!("cohorts.{}.design", cohort.name);
    let text = record.reporting.text(&field);
    let said = text.filter(|_| record.reporting.answer(&field) == Answer::Given);
    let words = match said {
        Some("case-control") => {
            "case-control; rows are not weighted, so risks are those of the sample"
                .to_string()
        }
        Some(design) => design.to_string(),
        None => format!("not told (`reporting.{field}`)"),
    };
    let sampling = record.reporting.text(&format!("cohorts.{}.sampling", cohort.name));
    let sampling = sampling.map_or(String::new(), |how| format!("; sampling: {how}"));
    let text = format!("Design of `{}`: {words}{sampling}.", cohort.name);
    let mut lines = vec![Line::new("participants", text)];
    if is_prospective(record) && record.reporting.text("registration.id").is_none() {
        lines.push(Line::new("open_science", "No registration is told."));
    }
    lines
}

fn left(record: &StudyRecord, (at, cohort): At<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(last) = cohort.flow.len().checked_sub(1) {
        lines.push(
            Line::new("participants", format!("Flow of `{}`: ", cohort.name))
                .count(format!("/cohorts/{at}/flow/0/n_in"))
                .text(" rows enter, ")
                .count(format!("/cohorts/{at}/flow/{last}/n_out"))
                .text(" of ")
                .count(format!("/cohorts/{at}/n_subjects"))
                .text(
                    " patients stay; each rule has its count. Who stays is not compared with who \
                     is left out.",
                ),
        );
    }
    let fields = ["representativeness", "eligibility"]
        .map(|field| format!("cohorts.{}.{field}", cohort.name));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    lines.push(told(record, "participants", &fields));
    lines
}

fn measured(record: &StudyRecord, name: &str, own: Option<At<'_>>) -> Vec<Line> {
    let blocks = names(record.predictors.iter().map(|block| block.name.as_str()));
    let how = match extracted_outside(record) {
        true => "they come in tables, as another program or people made them",
        false => {
            "features of images are measured here, with one set of settings for everybody"
        }
    };
    let mut lines = vec![
        Line::new("measures", format!("Blocks {blocks}: "))
            .count(format!("{}/n_predictors", place(name)))
            .text(format!(" predictors of the headline; {how}.")),
    ];
    if let Some((at, cohort)) = own
        && cohort.n_sites.is_some()
    {
        lines.push(
            Line::new("confounding", format!("`{}` has rows of ", cohort.name))
                .count(format!("/cohorts/{at}/n_sites"))
                .text(" sites."),
        );
    }
    let fields =
        ["imaging.protocol", "segmentation.method", "predictors.clinical_definitions"];
    lines.push(told(record, "measures", &fields));
    lines
}

fn shift(record: &StudyRecord, (_, cohort): At<'_>) -> Line {
    let rows = record.characteristics.iter().enumerate();
    let own = rows.filter(|(_, row)| row.cohort == cohort.name && row.class.is_none());
    let distant = own
        .filter_map(|(at, row)| Some((at, row, row.smd_to_development?.abs())))
        .max_by(|a, b| a.2.total_cmp(&b.2).then(b.0.cmp(&a.0)));
    let line = format!("`{}`: ", cohort.name);
    match distant {
        Some((at, row, _)) => Line::new("participants", line)
            .text(format!(
                "the variable of Table 1 that lies furthest from development is `{}`, \
                 standardised difference ",
                row.variable
            ))
            .number(format!("/characteristics/{at}/smd_to_development"), 2)
            .text("."),
        None => Line::new("participants", line)
            .text("no difference from the development cohort is told."),
    }
}

fn prepared(record: &StudyRecord, name: &str, first: &AnalysisRecord) -> Vec<Line> {
    let steps = names(methods(record, "prepare").map(|method| method.name.as_str()));
    let text = match steps.is_empty() {
        true => "No step prepares the predictors.".to_string(),
        false => format!(
            "One path for all rows, fitted in training rows: {steps}. Named blocks may have steps of \
             their own."
        ),
    };
    let mut lines = vec![Line::new("analysis", text)];
    let apart = methods(record, "prepare").any(|of| of.name.starts_with("harmonise_"));
    if apart {
        let line = Line::new("confounding", "Flag: a step treats batches apart");
        lines.push(match first.harmonised {
            Some(_) => {
                let at = format!("{}/harmonised", place(name));
                line.text("; the batch is told from the columns with an AUROC of ")
                    .number(format!("{at}/before"), 2)
                    .text(" before and ")
                    .number(format!("{at}/after"), 2)
                    .text(" after it.")
            }
            None => line.text("."),
        });
    }
    let outside = record.sources.iter().filter(|s| s.prepared_outside == Some(true));
    let outside = names(outside.map(|source| source.name.as_str()));
    if !outside.is_empty() {
        let text = format!("Flag: prepared outside of this program: {outside}.");
        lines.push(Line::new("provenance", text));
    }
    lines.push(told(record, "measures", &["imaging.preprocessing"]));
    lines
}

fn blind_to_outcome(record: &StudyRecord) -> Vec<Line> {
    vec![told(record, "measures", &["predictors.blinding", "segmentation.readers"])]
}

fn known(record: &StudyRecord) -> Vec<Line> {
    let blocks = record.predictors.iter().map(|block| match &block.known {
        Some(when) => format!("`{}` {when}", block.name),
        None => format!("`{}` not told (`known`)", block.name),
    });
    let mut blocks: Vec<String> = blocks.collect();
    blocks.dedup();
    let text = format!("When blocks are known: {}.", blocks.join(", "));
    vec![
        Line::new("measures", text),
        told(record, "measures", &["predictors.timing", "context.intended_use"]),
    ]
}

fn outcome(record: &StudyRecord, of: &AnalysisRecord, (_, cohort): At<'_>) -> Vec<Line> {
    let asked = record.outcomes.iter().enumerate();
    let mut own = asked
        .filter(|(_, known)| known.name == of.outcome && known.cohort == cohort.name);
    let mut lines = Vec::new();
    if let Some((at, outcome)) = own.next() {
        let at = |what: &str| format!("/outcomes/{at}/{what}");
        lines.push(
            Line::new("measures", format!("{} in `{}`: ", outcome.label, cohort.name))
                .count(at("positive"))
                .text(" with it, ")
                .count(at("negative"))
                .text(" without, ")
                .count(at("unknown"))
                .text(" unknown; its derivation stands there."),
        );
    }
    lines.push(told(record, "measures", &["outcome.definition", "outcome.assay"]));
    lines
}

fn agreements(record: &StudyRecord) -> Vec<Line> {
    const MOST: usize = 3;
    let of = record.agreements.iter().enumerate().take(MOST);
    let mut lines: Vec<Line> = of
        .map(|(at, agreement)| {
            Line::new("measures", format!("Two sources of {} agree in ", agreement.name))
                .count(format!("/agreements/{at}/agree"))
                .text(" of ")
                .count(format!("/agreements/{at}/both"))
                .text(" patients.")
        })
        .collect();
    let derived = record.outcomes.iter().map(|outcome| outcome.derivation.as_str());
    let mut derived: Vec<&str> = derived.collect();
    derived.dedup();
    if derived.len() > 1 {
        let text = "Outcomes are derived in several ways; each stands there.";
        lines.push(Line::new("measures", text));
    }
    lines.push(told(record, "measures", &["outcome.consistency"]));
    lines
}

fn blind_to_predictors(record: &StudyRecord) -> Vec<Line> {
    let fields = ["outcome.blinding", "outcome.assessors", "outcome.subjective"];
    vec![told(record, "measures", &fields)]
}

fn interval(record: &StudyRecord) -> Vec<Line> {
    vec![
        Line::new("measures", "The run measures no time between image and outcome."),
        told(record, "measures", &["outcome.interval", "predictors.timing"]),
    ]
}

fn size(record: &StudyRecord, name: &str, first: &AnalysisRecord) -> Vec<Line> {
    let at = |what: &str| format!("{}/sample_size/{what}", place(name));
    let mut lines = Vec::new();
    if let Some(size) = &first.sample_size {
        let mut line = Line::new("sample_size", "")
            .count(at("n"))
            .text(" patients, ")
            .count(at("events"))
            .text(" of the smaller class, ")
            .count(at("candidates"))
            .text(" candidate parameters");
        if size.events_per_candidate.is_some() {
            let ratio = at("events_per_candidate");
            line = line.text(": ").number(ratio, 2).text(" events for each");
        }
        if size.needed.is_some() {
            let needed = at("needed");
            line = line.text("; an unpenalised model of all needs ").count(needed);
        }
        lines.push(line.text("."));
    }
    if first.learning_curve.is_some() {
        lines.push(Line::new("sample_size", "A learning curve is drawn."));
    }
    lines.push(told(record, "sample_size", &["sample_size.justification"]));
    lines
}

fn handled(record: &StudyRecord) -> Vec<Line> {
    let steps = names(methods(record, "prepare").map(|method| method.name.as_str()));
    let categories = record.predictors.iter().flat_map(|block| &block.columns);
    let categories = categories.filter(|column| !column.levels.is_empty()).count() > 0;
    let text = format!(
        "No step of this version cuts numbers into groups; what `derive` or a table has cut is not \
         seen. {}{}",
        match categories {
            true => "Some predictors are categories.",
            false => "No predictor is one of categories.",
        },
        match steps.is_empty() {
            true => String::new(),
            false => format!(" Steps: {steps}."),
        }
    );
    vec![Line::new("analysis", text)]
}

fn gaps(record: &StudyRecord, (_, cohort): At<'_>) -> Vec<Line> {
    let facts = record.missingness.iter().enumerate();
    let mut lines = Vec::new();
    for (at, _) in facts.filter(|(_, facts)| facts.cohort == cohort.name) {
        lines.push(
            Line::new("participants", format!("`{}`: ", cohort.name))
                .count(format!("/missingness/{at}/complete"))
                .text(" of ")
                .count(format!("/missingness/{at}/rows"))
                .text(" rows have a value of each of ")
                .count(format!("/missingness/{at}/variables"))
                .text(" variables."),
        );
    }
    let steps = methods(record, "prepare").map(|method| method.name.as_str());
    let steps = names(
        steps.filter(|name| name.starts_with("impute_") || *name == "drop_missing"),
    );
    lines.push(Line::new(
        "analysis",
        match steps.is_empty() {
            true => "No step fills gaps or leaves them out.".to_string(),
            false => {
                format!(
                    "{steps}, fitted in training rows; unknown outcomes are left out."
                )
            }
        },
    ));
    let fields = ["missing_data.reasons", "missing_data.assumption"];
    lines.push(told(record, "participants", &fields));
    lines
}

fn balanced(record: &StudyRecord) -> Vec<Line> {
    if !weights_classes(record) {
        let text = "No class is weighted, and rows are never resampled by class.";
        return vec![Line::new("analysis", text)];
    }
    let calibrated = record.full_models.iter().any(|model| model.calibration.is_some());
    let text = match calibrated {
        true => "Classes are weighted; a calibration map is fitted in training rows.",
        false => "Flag: classes are weighted, and no calibration map is fitted.",
    };
    vec![
        Line::new("analysis", text),
        told(record, "analysis", &["analysis.imbalance_rationale"]),
    ]
}

fn fitting(record: &StudyRecord, name: &str, first: &AnalysisRecord) -> Vec<Line> {
    let at = place(name);
    let learners = names(methods(record, "learn").map(|method| method.name.as_str()));
    let tuned = match first.candidates.len() > 1 {
        true => "candidates are chosen in inner splits alone",
        false => "there is one candidate and no choice",
    };
    let mut lines = vec![Line::new("analysis", format!("Learners {learners}; {tuned}."))];
    let stable =
        first.selection.as_ref().is_some_and(|selection| selection.stability.is_some());
    if stable {
        lines.push(
            Line::new("features", "Stability of the choice of columns: ")
                .number(format!("{at}/selection/stability/index"), 2)
                .text("."),
        );
    }
    if first.permutation.is_some() {
        lines.push(
            Line::new("discrimination", "On permuted outcomes: p = ")
                .number(format!("{at}/permutation/p"), 3)
                .text("."),
        );
    }
    let apparent = elsewhere(record).into_iter().find_map(|(name, of, _)| {
        let found = of.frozen.as_ref()?.apparent.optimism.contains_key(&of.primary);
        let at = format!("{}/frozen/apparent/optimism/{}", place(name), of.primary);
        found.then_some((at, of.primary.clone()))
    });
    if let Some((at, metric)) = apparent {
        lines.push(
            Line::new(
                "validation",
                format!("Optimism, apparent less held out, `{metric}`: "),
            )
            .number(at, 2)
            .text("."),
        );
    }
    lines
}

fn beyond(record: &StudyRecord) -> Vec<Line> {
    let of = |(name, of): (&String, &AnalysisRecord)| {
        let standing = whereabouts(record, of);
        let begun = format!("{standing}, `{}`, {}: ", of.cohort, of.scheme_text);
        let line = Line::new("validation", begun);
        line.measure(of, name, "auroc", "AUROC").text(".")
    };
    places(record).into_iter().map(of).collect()
}

fn judged(record: &StudyRecord) -> Vec<Line> {
    let of = |(name, of): (&String, &AnalysisRecord)| {
        let at = judged_place(name, of);
        let standing = whereabouts(record, of);
        Line::new("validation", format!("{standing}, `{}`: ", of.cohort))
            .count(format!("{at}/n"))
            .text(format!(" {}, ", rows_are(record, &of.cohort)))
            .count(format!("{at}/n_positive"))
            .text(" with the outcome; intervals stand in E4.1.")
    };
    places(record).into_iter().map(of).collect()
}

fn gaps_elsewhere(record: &StudyRecord) -> Vec<Line> {
    let text = "Held-out rows are filled by what training rows gave: see D4.3.";
    let mut lines = vec![Line::new("participants", text)];
    for (name, of, (_, cohort)) in elsewhere(record) {
        let Some(frozen) = &of.frozen else { continue };
        let line = Line::new("validation", format!("`{}`: ", cohort.name))
            .count(format!("{}/frozen/filled", place(name)))
            .text(" rows lack a predictor of the model");
        lines.push(match frozen.filled_columns.is_empty() {
            true => line.text("."),
            false => line.text("; values of development rows stand in their place."),
        });
    }
    lines
}

fn held_out_classes(record: &StudyRecord) -> Vec<Line> {
    let text = match weights_classes(record) {
        true => {
            "Classes are weighted while a learner is fitted; held-out rows count as they are."
        }
        false => "No class is weighted; held-out rows count as they are.",
    };
    vec![Line::new("analysis", text)]
}

fn leaks(record: &StudyRecord) -> Vec<Line> {
    let certificate = &record.certificate;
    let mut lines = vec![
        Line::new("analysis", "The proof: ")
            .count("/certificate/n_held_out_uses".to_string())
            .text(" uses of held-out rows were checked in ")
            .count("/certificate/n_splits".to_string())
            .text(" splits; ")
            .count("/certificate/n_groups".to_string())
            .text(" patients are kept whole. What it cannot see stands there."),
    ];
    if certificate.n_transductive > 0 {
        lines.push(
            Line::new("analysis", "Flag: in ")
                .count("/certificate/n_transductive".to_string())
                .text(" of them a declared step looked at predictors of held-out rows."),
        );
    }
    let outside = record.sources.iter().filter(|source| {
        source.prepared_outside == Some(true) || !source.trained_on.is_empty()
    });
    let outside = names(outside.map(|source| source.name.as_str()));
    if !outside.is_empty() {
        let text = format!("Flag: prepared or trained outside of the proof: {outside}.");
        lines.push(Line::new("provenance", text));
    }
    for (name, of, (_, cohort)) in elsewhere(record) {
        if of.frozen.is_some() {
            lines.push(
                Line::new("validation", format!("`{}` was met by ", cohort.name))
                    .count(format!("{}/frozen/accesses", place(name)))
                    .text(" finished models of this study."),
            );
        }
    }
    lines
}

fn repeated(record: &StudyRecord, first: &AnalysisRecord) -> Vec<Line> {
    let fitted = record.graph.groups.iter().filter(|group| {
        group.scope == Scope::Training
            && group.parts.iter().any(|part| part.fitted_on.is_some())
    });
    let fitted = names(fitted.map(|group| group.name.as_str()));
    let text = match fitted.is_empty() {
        true => {
            format!("Scheme: {}; the proof covers every fitted step.", first.scheme_text)
        }
        false => format!(
            "Scheme: {}. Fitted in each split anew, by the proof: {fitted}.",
            first.scheme_text
        ),
    };
    vec![Line::new("analysis", text)]
}

fn measures(record: &StudyRecord) -> Vec<Line> {
    let of = |(name, of): (&String, &AnalysisRecord)| {
        let standing = whereabouts(record, of);
        let line = Line::new("calibration", format!("{standing}, `{}`: ", of.cohort))
            .text(match of.performance.contains_key("auroc") {
                true => "discrimination as in E4.1; ",
                false => "no AUROC; ",
            })
            .measure(of, name, "calibration_slope", "calibration slope");
        match &of.decision {
            Some(_) => {
                let at = format!("{}/decision/range", place(name));
                line.text("; net benefit from ")
                    .number(format!("{at}/0"), 2)
                    .text(" to ")
                    .number(format!("{at}/1"), 2)
                    .text(".")
            }
            None => line.text("; no decision curve."),
        }
    };
    places(record).into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_is_whole() {
        let keys: Vec<String> =
            questions().iter().map(|question| key(&question.item)).collect();
        assert_eq!(keys, crate::data::QUESTIONS);
        let of = |half: char| {
            questions().iter().filter(|question| question.item.starts_with(half)).count()
        };
        assert_eq!((of('D'), of('E')), (16, 18));
    }
}
