//! The author's half on the page: what was said, with results put in for their names; and boxes where
//! something was not.

use super::calibration::first_upper;
use super::ibsi;
use super::shown::{Shown, escape, place, without_tags};
use super::standards::short;
use super::standing::headline;
use crate::data::{
    AuthorFacts, FIELDS, Field, ItemFacts, Reporting, Stated, Status, StudyRecord, field,
    generalised,
};
use crate::operation::Evidence;

/// The place in `report.json` of a result that a text names, such as `results.auroc.here.lower`, with
/// the digits that it deserves.
pub fn result(record: &StudyRecord, name: &str) -> Option<(String, usize)> {
    let parts: Vec<&str> = name.trim().split('.').collect();
    let (metric, cohort, end) = match parts.as_slice() {
        ["results", metric, cohort] => (*metric, *cohort, "estimate"),
        ["results", metric, cohort, end @ ("estimate" | "lower" | "upper")] => {
            (*metric, *cohort, *end)
        }
        _ => return None,
    };
    let (_, first) = headline(record)?;
    let name = record.analysis_order.iter().find(|name| {
        record.analyses.get(*name).is_some_and(|analysis| {
            analysis.cohort == cohort
                && analysis.model == first.model
                && analysis.outcome == first.outcome
                && analysis.branch == first.branch
        })
    })?;
    let analysis = record.analyses.get(name)?;
    match metric {
        "n" => Some((format!("{}/n_subjects", place(name)), 0)),
        "events" => Some((format!("{}/n_positive_subjects", place(name)), 0)),
        metric => {
            let estimate = analysis.performance.get(metric)?;
            let there = match end {
                "lower" => estimate.lower.is_some(),
                "upper" => estimate.upper.is_some(),
                _ => true,
            };
            there.then(|| (format!("{}/performance/{metric}/{end}", place(name)), 2))
        }
    }
}

/// The first result that a text names and that is not there.
pub fn without_result(record: &StudyRecord, text: &str) -> Option<String> {
    let names = text.split("{{").skip(1).map(|rest| rest.split("}}").next());
    let mut names = names.map(|name| name.unwrap_or("").trim());
    names.find(|name| result(record, name).is_none()).map(str::to_string)
}

/// A text of the author as HTML, with each named result in its place.
pub fn prose(record: &StudyRecord, shown: &Shown, text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        html.push_str(&escape(before));
        let Some((name, after)) = after.split_once("}}") else {
            html.push_str("{{");
            rest = after;
            continue;
        };
        match result(record, name) {
            Some((path, digits)) => html.push_str(&shown.number(&path, digits)),
            None => html.push_str(&format!(
                "<b class=\"s-missing\">[no result: {}]</b>",
                escape(name.trim())
            )),
        }
        rest = after;
    }
    html.push_str(&escape(rest));
    html
}

/// `context.intended_use` → "Intended use"; of a cohort with its name.
pub fn label(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let words = match parts.as_slice() {
        ["cohorts", cohort, rest @ ..] => {
            return format!("{}, {cohort}", sentence(&rest.join(" ")));
        }
        ["abstract" | "context" | "discussion" | "usability" | "imaging", rest @ ..] => {
            rest.join(" ")
        }
        parts => parts.join(" "),
    };
    // Abbreviations and words that say little without the place where they stand in the file.
    let said = match path {
        "ppi" => "Patient and public involvement",
        "conflicts" => "Conflicts of interest",
        "analysis.bias" => "Sources of bias",
        "analysis.confounders" => "Confounders",
        "analysis.heterogeneity" => "Heterogeneity",
        "analysis.imbalance_rationale" => "Why classes were weighted",
        "analysis.metric_rationale" => "Why these measures",
        "analysis.model_rationale" => "Why these models",
        "availability.code" => "Availability of the code",
        "availability.data" => "Availability of the data",
        "availability.features" => "Availability of the features",
        "availability.images" => "Availability of the images",
        "availability.masks" => "Availability of the contours",
        "availability.model" => "Availability of the model",
        "availability.tool" => "Availability of a tool",
        "discussion.explanation_evaluation" => "Evaluation of explanations",
        "discussion.real_world" => "Use outside of studies",
        "ethics.data_protection" => "Data protection",
        "fairness.approach" => "Approach to fairness",
        "imaging.dl_robustness" => "Robustness of deep learning",
        "imaging.ibsi" => "Reporting items of the IBSI",
        "imaging.modality" => "Kinds of images",
        "imaging.protocol" => "Imaging protocol",
        "imaging.test_retest" => "Repeated scans",
        "missing_data.assumption" => "Assumption about missing data",
        "missing_data.reasons" => "Reasons for missing data",
        "outcome.subjective" => "Subjective outcome",
        "predictors.blinding" => "Blinding to predictors",
        "predictors.choice" => "Choice of predictors",
        "predictors.clinical_definitions" => "Definitions of clinical predictors",
        "predictors.timing" => "Timing of predictors",
        "registration.id" => "Registration number",
        "segmentation.auto_accuracy" => "Accuracy of automatic segmentation",
        "segmentation.automatic" => "Automatic segmentation",
        "segmentation.test_mask_origin" => "Origin of the masks in testing",
        "usability.regulatory" => "Regulation",
        "usability.market" => "Way to the market",
        "usability.qms" => "Quality management",
        "usability.study" => "Study of use",
        _ => return sentence(&words),
    };
    said.to_string()
}

fn sentence(words: &str) -> String {
    let words = words.replace('_', " ");
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), characters.as_str())
}

/// The fields in reading order, those of several cohorts in the order in which they come. A "none" that
/// was said of a whole group stands once, under the name of the group.
fn in_order<'f>(
    reporting: &Reporting,
    fields: impl IntoIterator<Item = &'f str>,
) -> Vec<&'f str> {
    let mut said: Vec<&str> = Vec::new();
    for path in fields {
        let owner = reporting.place(path).unwrap_or(path);
        if !said.contains(&owner) {
            said.push(owner);
        }
    }
    let position = |path: &str| {
        let general = generalised(path);
        let within = |field: &Field| {
            let rest = field.path.strip_prefix(general.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        FIELDS.iter().position(within).unwrap_or(FIELDS.len())
    };
    said.sort_by_key(|path| position(path));
    said
}

/// What the author says in these fields, each under its label; nothing where nothing is said.
pub fn statements<'f>(
    record: &StudyRecord,
    shown: &Shown,
    fields: impl IntoIterator<Item = &'f str>,
) -> String {
    let mut html = String::new();
    let said = in_order(&record.reporting, fields).into_iter();
    let said = said.filter_map(|path| Some((path, record.reporting.at(path)?)));
    for (paths, stated) in together(said) {
        let path = paths[0];
        let text = |text: &str| prose(record, shown, text);
        let said = match stated {
            Stated::Text(said) => begun(&text(said)),
            Stated::Truth(true) => "Yes.".to_string(),
            Stated::Truth(false) => "No.".to_string(),
            Stated::Not(reason) => format!("<i>None or not done:</i> {}", text(reason)),
            Stated::List(list) => {
                begun(&list.iter().map(|item| text(item)).collect::<Vec<_>>().join("; "))
            }
            Stated::Rows(rows) => {
                let row = |row: &std::collections::BTreeMap<String, String>| {
                    let keys: Vec<&str> = match field(path).map(|field| field.form) {
                        Some(
                            crate::data::Form::Rows(keys)
                            | crate::data::Form::Dates(keys),
                        ) => keys.to_vec(),
                        _ => row.keys().map(String::as_str).collect(),
                    };
                    let cells = keys.into_iter().filter_map(|key| {
                        Some(format!("{} {}", key.replace('_', " "), text(row.get(key)?)))
                    });
                    cells.collect::<Vec<_>>().join(", ")
                };
                rows.iter().map(row).collect::<Vec<_>>().join("; ")
            }
            Stated::ByName(of) => of
                .iter()
                .map(|(name, said)| format!("{}: {}", escape(name), text(said)))
                .collect::<Vec<_>>()
                .join("; "),
        };
        let label = labels(&paths);
        let label = match label.split_once(", ") {
            // Of a study with one cohort nobody asks which is meant.
            Some((what, _))
                if path.starts_with("cohorts.") && record.cohorts.len() == 1 =>
            {
                what
            }
            _ => label.as_str(),
        };
        html.push_str(&format!("<p><b>{}.</b> {}</p>", escape(label), ended(&said)));
    }
    match html.is_empty() {
        true => html,
        false => format!(
            "<div class=\"statement\"><p class=\"tag\">Author statement</p>{html}</div>"
        ),
    }
}

/// What is said of several cohorts in the same words stands once.
fn together<'s>(
    said: impl Iterator<Item = (&'s str, &'s Stated)>,
) -> Vec<(Vec<&'s str>, &'s Stated)> {
    let mut groups: Vec<(Vec<&str>, &Stated)> = Vec::new();
    for (path, stated) in said {
        let alike = |paths: &[&str], known: &Stated| {
            path.starts_with("cohorts.")
                && known == stated
                && generalised(paths[0]) == generalised(path)
        };
        match groups.iter_mut().find(|(paths, known)| alike(paths, known)) {
            Some((paths, _)) => paths.push(path),
            None => groups.push((vec![path], stated)),
        }
    }
    groups
}

/// The label of a field of one or several cohorts: "Design, a, b and c".
fn labels(paths: &[&str]) -> String {
    let cohort = |path: &&str| path.split('.').nth(1).unwrap_or("").to_string();
    let further: Vec<String> = paths[1..].iter().map(cohort).collect();
    match further.split_last() {
        None => label(paths[0]),
        Some((last, [])) => format!("{} and {last}", label(paths[0])),
        Some((last, middle)) => {
            format!("{}, {} and {last}", label(paths[0]), middle.join(", "))
        }
    }
}

/// HTML that begins as a sentence does, unless its first word is a name: what has other signs than small
/// letters is left as it is.
fn begun(html: &str) -> String {
    let end = html.find(|c: char| c.is_whitespace()).unwrap_or(html.len());
    let word = html[..end].trim_end_matches([',', ';', ':', '.']);
    match word.chars().all(|c| c.is_lowercase() || c == '-') {
        true => first_upper(html),
        false => html.to_string(),
    }
}

/// HTML with a full stop, but behind what has an end of its own and behind addresses.
fn ended(html: &str) -> String {
    let text = without_tags(html);
    let text = text.trim_end();
    let last = text.split_whitespace().last().unwrap_or_default();
    let is_open = last.ends_with(|c: char| c.is_alphanumeric() || ")]%”\"'".contains(c));
    match is_open && !last.contains('/') {
        true => format!("{}.", html.trim_end()),
        false => html.to_string(),
    }
}

/// The items of a section that are not all there, as boxes in their place: missing in red, partly
/// reported in amber. Items of several standards that want the same share a line.
pub fn boxes(items: &[(&str, &ItemFacts)]) -> String {
    let mut html = String::new();
    for (status, class, head) in [
        (Status::Missing, "gapbox", "Not reported."),
        (Status::Partial, "gapbox amb", "Partly reported."),
    ] {
        let mut lines: Vec<(String, Vec<String>, String)> = Vec::new();
        let mut of_images: Vec<&str> = Vec::new();
        for (standard, item) in items {
            // A quality score asks whether it was done, not whether it is told; what is only
            // recommended stands in the list.
            if item.status != status || item.weight.is_some() || item.recommended {
                continue;
            }
            if *standard == ibsi::NAME && asks_for_its_item(item) {
                of_images.push(&item.item);
                continue;
            }
            let wants = wants(item);
            let name = format!("{} {}", short(standard), item.item);
            match lines.iter_mut().find(|(known, ..)| *known == wants) {
                Some((_, names, _)) => names.push(name),
                None => lines.push((wants, vec![name], item.requirement.clone())),
            }
        }
        if lines.is_empty() && of_images.is_empty() {
            continue;
        }
        let mut lines: String = lines
            .into_iter()
            .map(|(wants, names, requirement)| {
                format!(
                    "<li><b>{}</b> {}: {wants}</li>",
                    escape(&names.join(", ")),
                    escape(&requirement)
                )
            })
            .collect();
        if !of_images.is_empty() {
            lines.push_str(&format!(
                "<li><b>{} {}</b> Imaging, item by item (<a href=\"#list-ibsi\">list</a>): \
                 <code>reporting.imaging.ibsi.ITEM</code> (or <code>none: reason</code>; an \
                 <code>ITEM</code> may be a range such as <code>2a-2c</code>).</li>",
                short(ibsi::NAME),
                ibsi::runs(of_images)
            ));
        }
        html.push_str(&format!(
            "<div class=\"{class}\" role=\"note\"><b>{head}</b><ul>{lines}</ul></div>"
        ));
    }
    html
}

/// Whether all that an item of the IBSI still needs is the author's text under its number: there are
/// so many of them that they share a line.
fn asks_for_its_item(item: &ItemFacts) -> bool {
    let field = format!("reporting.{}", ibsi::field(&item.item));
    let mut unsaid = item.author.iter().filter(|said| !said.given).peekable();
    unsaid.peek().is_some()
        && unsaid.all(|said| said.field == field && said.lack.is_none())
        && item.evidence.iter().all(|evidence| evidence.found)
}

/// What an item still needs: fields of the author's half, and what the study has to ask the run for.
fn wants(item: &ItemFacts) -> String {
    let mut wants: Vec<String> = Vec::new();
    for evidence in item.evidence.iter().filter(|evidence| !evidence.found) {
        let remedy = Evidence::ALL
            .into_iter()
            .find(|known| known.words() == evidence.what)
            .and_then(Evidence::remedy);
        wants.push(match remedy {
            Some(remedy) => format!("{} ({})", escape(&evidence.what), coded(remedy)),
            None => escape(&evidence.what),
        });
    }
    let mut told: Vec<String> = Vec::new();
    for said in item.author.iter().filter(|said| !said.given) {
        // The same field of several cohorts is asked for once.
        let general =
            generalised(said.field.strip_prefix("reporting.").unwrap_or(&said.field));
        if told.contains(&general) && said.lack.is_none() {
            continue;
        }
        let same = item.author.iter().filter(|other| {
            let path = other.field.strip_prefix("reporting.").unwrap_or(&other.field);
            !other.given && other.lack.is_none() && generalised(path) == general
        });
        let several = same.count() > 1 && said.lack.is_none();
        wants.push(match several {
            true => asked(&AuthorFacts {
                field: format!("reporting.{}", general.replace('*', "NAME")),
                ..said.clone()
            }),
            false => asked(said),
        });
        told.push(general);
    }
    format!("{}.", wants.join(", "))
}

fn asked(said: &AuthorFacts) -> String {
    let path = said.field.strip_prefix("reporting.").unwrap_or(&said.field);
    let known = field(path);
    let mut notes = Vec::new();
    match (&said.lack, known.map_or(0, |field| field.min_words)) {
        (Some(lack), _) => notes.push(escape(lack)),
        (None, 0) => {}
        (None, words) => notes.push(format!("{words} words or more")),
    }
    if known.is_some_and(|field| field.negatives) {
        notes.push("or <code>none: reason</code>".to_string());
    }
    let code = format!("<code>{}</code>", escape(&said.field));
    match notes.is_empty() {
        true => code,
        false => format!("{code} ({})", notes.join(", ")),
    }
}

/// Text with `code` between backticks.
pub fn coded(text: &str) -> String {
    let mut html = String::new();
    for (position, part) in text.split('`').enumerate() {
        match position % 2 {
            0 => html.push_str(&escape(part)),
            _ => html.push_str(&format!("<code>{}</code>", escape(part))),
        }
    }
    html
}

/// The fields that the items of a section need, each once, in order.
pub fn fields_of<'i>(items: &[(&str, &'i ItemFacts)]) -> Vec<&'i str> {
    let mut fields: Vec<&str> = Vec::new();
    for (_, item) in items {
        for said in &item.author {
            let path = said.field.strip_prefix("reporting.").unwrap_or(&said.field);
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_several_cohorts_alike_stands_once() {
        let [same, other] = ["public", "own"].map(|of| Stated::Text(of.to_string()));
        let said = [
            ("cohorts.a.design", &same),
            ("cohorts.b.design", &same),
            ("cohorts.d.design", &other),
            ("cohorts.c.design", &same),
            ("cohorts.a.setting", &other),
            ("funding.source", &other),
            ("funding.role", &other),
        ];
        let labels: Vec<String> =
            together(said.into_iter()).iter().map(|(paths, _)| labels(paths)).collect();
        assert_eq!(
            labels[..3],
            ["Design, a, b and c", "Design, d", "Setting, a"].map(String::from)
        );
        assert_eq!(labels.len(), 5);
    }

    #[test]
    fn a_statement_begins_like_a_sentence_and_names_stay() {
        for (said, shown) in [
            ("public collection", "Public collection"),
            ("convenience", "Convenience"),
            ("cross-sectional", "Cross-sectional"),
            ("none, as told", "None, as told"),
            ("mRNA of all patients", "mRNA of all patients"),
            ("p53 status", "p53 status"),
            ("ct_volume alone", "ct_volume alone"),
            ("<code>ct</code> alone", "<code>ct</code> alone"),
            ("&lt;b&gt;", "&lt;b&gt;"),
            ("", ""),
        ] {
            assert_eq!(begun(said), shown);
        }
    }

    #[test]
    fn a_statement_ends_like_a_sentence_and_addresses_stay() {
        for (said, shown) in [
            ("None.", "None."),
            (
                "<i>None or not done:</i> no scanner",
                "<i>None or not done:</i> no scanner.",
            ),
            ("see https://doi.org/10.1/abc", "see https://doi.org/10.1/abc"),
            ("in full <span>0.5</span>", "in full <span>0.5</span>."),
            ("", ""),
        ] {
            assert_eq!(ended(said), shown);
        }
    }

    #[test]
    fn statements_stand_in_reading_order_and_a_group_is_denied_once() {
        let mut reporting = Reporting::default();
        let funding = Stated::Not("an example".to_string());
        reporting.fields.insert("funding".to_string(), funding);
        let fields = [
            "imaging.protocol",
            "funding.source",
            "outcome.interval",
            "funding.role",
            "cohorts.b.design",
            "cohorts.a.design",
            "funding",
        ];
        assert_eq!(
            in_order(&reporting, fields),
            [
                "cohorts.b.design",
                "cohorts.a.design",
                "outcome.interval",
                "imaging.protocol",
                "funding"
            ]
        );
        assert_eq!(label("imaging.protocol"), "Imaging protocol");
        assert_eq!(label("cohorts.b.design"), "Design, b");
    }
}
