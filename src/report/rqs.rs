//! The radiomics quality score of 2017: points by question, from what sections declare, the run and the
//! author's half. No row is set by hand.

use std::sync::OnceLock;

use super::coverage::{Declaring, said};
use super::standards::{Wanted, rows, wanted};
use crate::data::{
    AuthorFacts, EvidenceFacts, QualityFacts, QualityPart, QualityRow, Status,
    StudyRecord,
};

/// How the points of a question follow from its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Sum,
    /// Those of the best part that is reached.
    Highest,
}

/// A row of the file: what a question gives points for.
struct Part {
    part: String,
    topic: String,
    rule: Rule,
    /// What the question gives when no part of it is reached.
    otherwise: i32,
    requirement: String,
    worth: i32,
    fill: String,
    author: Vec<Wanted>,
}

fn parts() -> &'static [Part] {
    static PARTS: OnceLock<Vec<Part>> = OnceLock::new();
    PARTS.get_or_init(|| {
        let text = include_str!("../../templates/standards/rqs1.csv");
        let whole = |cell: String| cell.parse().expect("points are whole numbers");
        let of = |cells: Vec<String>| {
            let [part, topic, rule, otherwise, requirement, worth, fill, author] =
                <[String; 8]>::try_from(cells)
                    .expect("the files are part of the program");
            Part {
                rule: match rule.as_str() {
                    "highest" => Rule::Highest,
                    _ => Rule::Sum,
                },
                otherwise: whole(otherwise),
                worth: whole(worth),
                author: wanted(&author),
                part,
                topic,
                requirement,
                fill,
            }
        };
        rows(text).into_iter().skip(1).map(of).collect()
    })
}

/// The question that a part belongs to: `9` of `9a`.
pub fn item(part: &str) -> &str {
    part.trim_end_matches(|c: char| c.is_ascii_lowercase())
}

/// The score with the reason for every point.
pub fn quality(record: &StudyRecord, sections: &[Declaring<'_>]) -> QualityFacts {
    let questions = parts().chunk_by(|a, b| item(&a.part) == item(&b.part));
    let rows: Vec<QualityRow> =
        questions.map(|parts| question(record, sections, parts)).collect();
    let sum = |of: fn(&QualityRow) -> i32| rows.iter().map(of).sum::<i32>();
    let (points, highest) = (sum(|row| row.points), sum(|row| row.highest));
    QualityFacts {
        name: "rqs1".to_string(),
        title: "RQS 1.0".to_string(),
        note: "Version of 2017 (lambin2017). Engine proposal, not an independent rating."
            .to_string(),
        points,
        lowest: sum(|row| row.lowest),
        highest,
        percent: 100.0 * f64::from(points.max(0)) / f64::from(highest),
        rows,
    }
}

fn question(record: &StudyRecord, sections: &[Declaring<'_>], of: &[Part]) -> QualityRow {
    let first = &of[0];
    let parts: Vec<QualityPart> =
        of.iter().map(|part| judged(record, sections, part)).collect();
    let reached: Vec<i32> =
        parts.iter().filter(|part| part.reached).map(|part| part.worth).collect();
    let all: Vec<i32> = of.iter().map(|part| part.worth).collect();
    let (points, highest) =
        (points(first, &reached), points(first, &all).max(first.otherwise));
    let denied = |part: &QualityPart| part.author.iter().any(|said| said.negative);
    QualityRow {
        item: item(&first.part).to_string(),
        topic: first.topic.clone(),
        points,
        lowest: first.otherwise,
        highest,
        status: match points {
            points if points == highest => Status::Met,
            points if points > first.otherwise => Status::Partial,
            _ if parts.iter().any(denied) => Status::Declared,
            _ => Status::Missing,
        },
        rule: match (first.rule, first.otherwise) {
            (Rule::Highest, 0) => "one of these is enough".to_string(),
            (Rule::Highest, less) => format!("the best of these; none: {less}"),
            (Rule::Sum, 0) => String::new(),
            (Rule::Sum, less) => format!("none: {less}"),
        },
        parts,
    }
}

/// What a question gives for parts of these worths.
fn points(question: &Part, reached: &[i32]) -> i32 {
    match (reached, question.rule) {
        ([], _) => question.otherwise,
        (reached, Rule::Sum) => reached.iter().sum(),
        (reached, Rule::Highest) => reached.iter().copied().max().unwrap_or(0),
    }
}

fn judged(record: &StudyRecord, sections: &[Declaring<'_>], part: &Part) -> QualityPart {
    let declared = Declaring::filling(sections, "rqs1", &part.part);
    let evidence: Vec<EvidenceFacts> = declared
        .iter()
        .flat_map(|(of, asked)| asked.iter().map(move |one| (*of, *one)))
        .map(|(of, one)| of.shows(one, record, &part.part))
        .collect();
    let author: Vec<AuthorFacts> = part
        .author
        .iter()
        .flat_map(|wanted| said(record, &part.part, wanted))
        .map(|said| open(record, said))
        .collect();
    let (mut shown, mut lacking) = (Vec::new(), Vec::new());
    if declared.is_none() {
        lacking.push("no section of this report shows it".to_string());
    }
    for one in &evidence {
        match one.found {
            true => shown.push(one.what.clone()),
            false => lacking.push(format!("the run does not show {}", one.what)),
        }
    }
    for said in &author {
        match (said.given, said.negative, &said.lack) {
            (true, true, _) => lacking.push(format!(
                "`{}` says that there is none or that it was not done",
                said.field
            )),
            (true, false, _) => shown.push(format!("`{}`", said.field)),
            (false, _, Some(lack)) => lacking.push(format!("`{}`: {lack}", said.field)),
            (false, ..) => lacking.push(format!("`{}` is not written", said.field)),
        }
    }
    let reached = lacking.is_empty() && !shown.is_empty();
    QualityPart {
        part: part.part.clone(),
        requirement: part.requirement.clone(),
        worth: part.worth,
        reached,
        fill: part.fill.clone(),
        section: declared.map_or("", |(of, _)| of.section).to_string(),
        evidence,
        author,
        why: match reached {
            true => shown.join("; "),
            false => lacking.join("; "),
        },
    }
}

/// What is kept back, or given on request, is not public, whatever field says so.
fn open(record: &StudyRecord, said: AuthorFacts) -> AuthorFacts {
    const CLOSED: [&str; 11] = [
        "request",
        "not public",
        "not open",
        "not available",
        "unavailable",
        "not shared",
        "cannot be shared",
        "not used",
        "restricted",
        "controlled access",
        "confidential",
    ];
    let path = said.field.strip_prefix("reporting.").unwrap_or(&said.field);
    let text = record.reporting.text(path).unwrap_or("").to_lowercase();
    let closed = CLOSED.into_iter().find(|words| text.contains(words));
    match closed.filter(|_| path.starts_with("availability.") && said.given) {
        Some(words) => AuthorFacts {
            given: false,
            lack: Some(format!("“{words}” is said of it, so it is not public")),
            ..said
        },
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FIELDS;

    #[test]
    fn the_points_run_from_minus_8_to_36() {
        let questions: Vec<&[Part]> =
            parts().chunk_by(|a, b| item(&a.part) == item(&b.part)).collect();
        let names: Vec<&str> = questions.iter().map(|of| item(&of[0].part)).collect();
        let wanted: Vec<String> = (1..=16).map(|item| item.to_string()).collect();
        assert_eq!(names, wanted);
        let worths = |of: &[Part]| of.iter().map(|part| part.worth).collect::<Vec<_>>();
        let highest: Vec<i32> =
            questions.iter().map(|of| points(&of[0], &worths(of))).collect();
        assert_eq!(highest, [2, 1, 1, 1, 3, 1, 1, 1, 2, 2, 7, 5, 2, 2, 1, 4]);
        assert_eq!(highest.iter().sum::<i32>(), 36);
        let lowest: i32 = questions.iter().map(|of| points(&of[0], &[])).sum();
        assert_eq!(lowest, -8);
    }

    #[test]
    fn every_part_asks_for_something_that_there_is() {
        for part in parts() {
            assert!(["A", "M"].contains(&part.fill.as_str()), "{}", part.part);
            assert_eq!(part.fill == "A", part.author.is_empty(), "{}", part.part);
            for wanted in &part.author {
                let known = FIELDS.iter().any(|field| field.path == wanted.field);
                assert!(known, "{} wants {}", part.part, wanted.field);
            }
            // Parts of one question agree on what holds for the question.
            let of = |other: &&Part| item(&other.part) == item(&part.part);
            assert!(parts().iter().filter(of).all(|other| {
                (&other.topic, other.rule, other.otherwise)
                    == (&part.topic, part.rule, part.otherwise)
            }));
        }
    }
}
