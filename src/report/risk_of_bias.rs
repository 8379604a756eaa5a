//! Risk of bias: what an assessor needs to answer PROBAST+AI. Nothing is rated here.

use serde_json::{Value as Json, json};

use super::author::{coded, prose};
use super::checklists::place;
use super::figure::DataTable;
use super::marks::mark;
use super::shown::{Shown, fill, without_tags};
use crate::data::{BiasEvidence, BiasQuestion, EvidencePart, RiskOfBiasFacts, Status};
use crate::operation::prelude::*;

/// The 16 questions of PROBAST+AI on the development of a model and the 18 on its evaluation, each with what the run and
/// the author have to say to it, and the answer of a named assessor where there is one.
///
/// # Limits
///
/// The program answers no question and adds nothing up: a question that nobody answered is open for the assessor.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RiskOfBias {}

impl Operation for RiskOfBias {
    const ABOUT: About = About {
        name: "risk_of_bias",
        title: "Risk of bias: evidence for PROBAST+AI",
        version: 1,
        sources: &["moons2025"],
        example: "risk_of_bias",
    };
}

impl Section for RiskOfBias {
    fn declared(&self) -> Declared {
        Declared { chapter: Some(Chapter::Checklists), ..Declared::default() }
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let mut fragment = Fragment::default();
        let sheet = record.risk_of_bias.as_ref();
        if let Some(sheet) = sheet {
            let file = file(record, &shown, sheet).csv(record.study.simulated);
            fragment.checklists.push(("probast_ai.csv".to_string(), file));
        }
        fragment.html = fill(
            "risk_of_bias.html",
            json!({
                "mark": mark(Status::Open),
                "sheet": sheet.map(|sheet| described(record, &shown, sheet)),
            }),
        )?;
        Ok(fragment)
    }
}

fn described(record: &StudyRecord, shown: &Shown, sheet: &RiskOfBiasFacts) -> Json {
    let of = |question: &BiasQuestion| {
        json!({
            "item": question.item, "topic": question.topic, "question": question.question,
            "evidence": lines(shown, question),
            "answer": question.answer.as_ref().map(|of| of.answer.as_str()),
            "words": question.answer.as_ref().map(|of| of.words.as_str()),
            "why": question.answer.as_ref().map(|of| prose(record, shown, &of.why)),
            "lack": question.lack.as_ref().map(|lack| coded(lack)),
            "status": status(question),
        })
    };
    let groups =
        sheet.questions.chunk_by(|a, b| (&a.part, &a.domain) == (&b.part, &b.domain));
    let groups = groups.map(|group| {
        json!({
            "part": group[0].part, "domain": group[0].domain,
            "questions": group.iter().map(of).collect::<Vec<_>>(),
        })
    });
    json!({
        "name": sheet.name, "title": sheet.title, "note": sheet.note,
        "assessor": sheet.assessor, "date": sheet.date,
        "n_questions": shown.count("/risk_of_bias/n_questions"),
        "open": shown.count("/risk_of_bias/open"),
        "answered": shown.count("/risk_of_bias/answered"),
        "questions": sheet
            .questions
            .iter()
            .map(|question| json!({
                "item": question.item, "status": status(question),
                "answer": question.answer.as_ref().map(|of| of.answer.as_str()),
            }))
            .collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
    })
}

fn status(question: &BiasQuestion) -> String {
    match &question.answer {
        Some(of) => format!("answered by the assessor: {}", of.words.to_lowercase()),
        None => "open for the assessor".to_string(),
    }
}

/// Its evidence, with one link behind lines of the same section that follow each other.
fn lines(shown: &Shown, question: &BiasQuestion) -> Vec<Json> {
    let by_section = question.evidence.chunk_by(|a, b| a.section == b.section);
    let of = |lines: &[BiasEvidence]| {
        let text: Vec<String> = lines.iter().map(|line| html(shown, line)).collect();
        let section = &lines[0].section;
        json!({ "section": section, "title": place(section), "text": text.join(" ") })
    };
    by_section.map(of).collect()
}

/// A sentence as HTML made by this program; numbers lead to their places.
fn html(shown: &Shown, line: &BiasEvidence) -> String {
    let part = |part: &EvidencePart| match part {
        EvidencePart::Text(text) => coded(text),
        EvidencePart::Number(number) => shown.number(&number.at, number.digits),
    };
    line.parts.iter().map(part).collect()
}

fn file(record: &StudyRecord, shown: &Shown, sheet: &RiskOfBiasFacts) -> DataTable {
    let head = [
        "item",
        "part",
        "domain",
        "topic",
        "question",
        "status",
        "answer",
        "why",
        "assessor",
        "date",
        "where",
        "evidence",
        "author_field",
    ];
    let row = |question: &BiasQuestion| {
        let mut places: Vec<String> = question
            .evidence
            .iter()
            .map(|line| format!("report.html#{}", line.section))
            .collect();
        places.dedup();
        let evidence = question.evidence.iter();
        let evidence = evidence.map(|line| without_tags(&html(shown, line)));
        let answer = question.answer.as_ref();
        let status = match answer {
            Some(_) => "answered by the assessor",
            None => "open for the assessor",
        };
        // Who judged stands beside a judgement alone.
        let who = |of: &Option<String>| match answer {
            Some(_) => of.clone().unwrap_or_default(),
            None => String::new(),
        };
        vec![
            question.item.clone(),
            question.part.clone(),
            question.domain.clone(),
            question.topic.clone(),
            question.question.clone(),
            status.to_string(),
            answer.map_or(String::new(), |of| of.answer.clone()),
            answer
                .map_or(String::new(), |of| without_tags(&prose(record, shown, &of.why))),
            who(&sheet.assessor),
            who(&sheet.date),
            places.join("; "),
            evidence.collect::<Vec<_>>().join(" "),
            question.field.clone(),
        ]
    };
    DataTable {
        head: head.map(String::from).to_vec(),
        rows: sheet.questions.iter().map(row).collect(),
    }
}
