//! The author's half of the report: each field by its form, and the results that its texts name.

use std::collections::BTreeMap;

use crate::data::{Field, Form, Reporting, Stated};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::operation::Kind as OperationKind;
use crate::report::items_named;
use crate::spec::reader::{Fields, Reader};
use crate::spec::reporting::{Step, step, takes_none};
use crate::spec::syntax::{Kind, Node};
use crate::spec::{Deviation, Named};

/// When a departure from the plan was decided.
const WHEN: &[&str] = &["before data", "after data before results", "after results"];

/// What it says of changes of plan.
pub fn deviations(reporting: &Reporting) -> Vec<Deviation> {
    let Some(Stated::Rows(rows)) = reporting.fields.get("deviations") else {
        return Vec::new();
    };
    let of = |row: &BTreeMap<String, String>| {
        Some(Deviation {
            what: row.get("what")?.clone(),
            path: row.get("path").cloned(),
            when: row.get("when").cloned(),
            why: row.get("why").cloned(),
        })
    };
    rows.iter().filter_map(of).collect()
}

impl Reader<'_> {
    /// The keys of a map, whatever stands under them.
    pub fn keys_of(&self, fields: &Fields<'_>, name: &str) -> Vec<String> {
        match fields.get(name).map(|node| &node.kind) {
            Some(Kind::Map(entries)) => {
                entries.iter().map(|(key, _)| key.name.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    pub fn reporting(&mut self, node: Option<&Node>, cohorts: &[String]) -> Reporting {
        let mut reporting = Reporting::default();
        if let Some(node) = node {
            self.told(node, "", "", cohorts, &mut reporting);
        }
        reporting
    }

    /// What stands at `path`; `general` is the same with `*` for the cohort.
    fn told(
        &mut self,
        node: &Node,
        path: &str,
        general: &str,
        cohorts: &[String],
        into: &mut Reporting,
    ) {
        let what = match path {
            "" => "`reporting`".to_string(),
            path => format!("`reporting.{path}`"),
        };
        if !path.is_empty()
            && let Some(reason) = none_said(node)
        {
            if takes_none(general) {
                into.fields.insert(path.to_string(), Stated::Not(reason));
            } else {
                let message = format!("{what} cannot be answered by \"none\"");
                self.error(Code::OUT_OF_RANGE, node.span, message);
            }
            return;
        }
        match step(general) {
            Some(Step::Field(field)) => {
                if let Some(stated) = self.stated(node, field, &what, cohorts) {
                    into.fields.insert(path.to_string(), stated);
                }
            }
            Some(Step::Group(_)) if general == "imaging.ibsi" => {
                self.items(node, &what, cohorts, into);
            }
            Some(Step::Group(names)) => {
                let Some(fields) = self.named(node, &what) else { return };
                let by_cohort = names == ["*"];
                for (key, value) in fields.iter() {
                    let name = Named { name: key.name.clone(), span: key.span };
                    let known = match by_cohort {
                        true => {
                            let known = cohorts.iter().map(String::as_str);
                            self.known(&name, "cohort", known)
                        }
                        false if names.contains(&key.name.as_str()) => true,
                        false => {
                            let fault = Diagnostic::error(
                                Code::UNKNOWN_KEY,
                                Place::Study(key.span),
                                format!("{what} has no key `{}`", key.name),
                            )
                            .suggest(&key.name, names.iter().copied())
                            .hint(format!("expected one of: {}", names.join(", ")));
                            self.push(fault);
                            false
                        }
                    };
                    if !known {
                        continue;
                    }
                    let joined = |above: &str, name: &str| match above {
                        "" => name.to_string(),
                        above => format!("{above}.{name}"),
                    };
                    let below = if by_cohort { "*" } else { &key.name };
                    self.told(
                        value,
                        &joined(path, &key.name),
                        &joined(general, below),
                        cohorts,
                        into,
                    );
                }
            }
            None => {}
        }
    }

    /// Items of the IBSI list. A key names one, several or a range; in YAML some of them are numbers.
    fn items(
        &mut self,
        node: &Node,
        what: &str,
        cohorts: &[String],
        into: &mut Reporting,
    ) {
        let Kind::Map(entries) = &node.kind else {
            self.wrong_type(node, &format!("{what} must be a map"));
            return;
        };
        for (key, value) in entries {
            let name = match key.is_text {
                true => key.name.clone(),
                false => self.written(key.span),
            };
            let items = match items_named(&name) {
                Ok(items) => items,
                Err(why) => {
                    let fault =
                        Diagnostic::error(Code::UNKNOWN_KEY, Place::Study(key.span), why);
                    let hint = "a key is an item such as `2a`, several (`2a, 11`) or a range (`18a-27`)";
                    self.push(fault.hint(hint));
                    continue;
                }
            };
            let mut said = Reporting::default();
            let path = format!("imaging.ibsi.{name}");
            self.told(value, &path, "imaging.ibsi.*", cohorts, &mut said);
            let Some(stated) = said.fields.remove(&path) else { continue };
            for item in items {
                let path = format!("imaging.ibsi.{item}");
                if into.fields.contains_key(&path) {
                    let message = format!("item {item} is told twice");
                    self.error(Code::DUPLICATE_KEY, key.span, message);
                }
                into.fields.insert(path, stated.clone());
            }
        }
    }

    fn stated(
        &mut self,
        node: &Node,
        field: &Field,
        what: &str,
        cohorts: &[String],
    ) -> Option<Stated> {
        match field.form {
            Form::Text => {
                let text = self.text(node, what)?;
                self.results_named(&text, cohorts);
                Some(Stated::Text(text.name))
            }
            Form::List => {
                let texts = self.text_or_texts(node, what);
                texts.iter().for_each(|text| self.results_named(text, cohorts));
                Some(Stated::List(texts.into_iter().map(|text| text.name).collect()))
            }
            Form::Truth => self.truth(node, what).map(Stated::Truth),
            Form::Word(words) => self.word(node, what, words).map(Stated::Text),
            Form::Url => {
                let text = self.text(node, what)?;
                let starts = ["http://", "https://", "doi:", "10."];
                if !starts.iter().any(|start| text.name.starts_with(start)) {
                    let message = format!("{what} is a place on the web or a DOI");
                    self.error(Code::OUT_OF_RANGE, text.span, message)
                        .hints
                        .push("or `none: <reason>`".to_string());
                    return None;
                }
                Some(Stated::Text(text.name))
            }
            Form::Dates(keys) => {
                let row = self.row(node, what, keys)?;
                for (key, date) in &row {
                    if !is_date(date) {
                        let message = format!(
                            "`{key}` is a date such as 2019, 2019-03 or 2019-03-31"
                        );
                        self.error(Code::OUT_OF_RANGE, node.span, message);
                    }
                }
                Some(Stated::Rows(vec![row]))
            }
            Form::Rows(keys) => {
                let mut rows = Vec::new();
                for item in self.list(node, what) {
                    let Some(row) = self.row(item, what, keys) else { continue };
                    if field.path == "deviations" {
                        if !row.contains_key("what") {
                            let message = "a deviation needs `what`";
                            self.error(Code::MISSING_KEY, item.span, message);
                        }
                        if let Some(when) = row.get("when")
                            && !WHEN.contains(&when.as_str())
                        {
                            let fault = Diagnostic::error(
                                Code::OUT_OF_RANGE,
                                Place::Study(item.span),
                                format!("`when` cannot be `{when}`"),
                            )
                            .suggest(when, WHEN.iter().copied())
                            .hint(format!("expected one of: {}", WHEN.join(", ")));
                            self.push(fault);
                        }
                    }
                    rows.push(row);
                }
                (!rows.is_empty()).then_some(Stated::Rows(rows))
            }
            Form::ByName => {
                let fields = self.named(node, what)?;
                let mut texts = BTreeMap::new();
                for (key, value) in fields.iter() {
                    if let Some(text) = self.plain(value, &format!("`{}`", key.name)) {
                        texts.insert(key.name.clone(), text);
                    }
                }
                Some(Stated::ByName(texts))
            }
            Form::Words(words) => {
                let nodes: Vec<&Node> = match &node.kind {
                    Kind::List(_) => self.list(node, what).iter().collect(),
                    _ => vec![node],
                };
                let told: Vec<String> = nodes
                    .into_iter()
                    .filter_map(|node| self.word(node, what, words))
                    .collect();
                (!told.is_empty()).then_some(Stated::List(told))
            }
            Form::Item if matches!(node.kind, Kind::Number(_)) => {
                Some(Stated::Text(self.written(node.span)))
            }
            Form::Item => {
                let text = self.text(node, what)?;
                self.results_named(&text, cohorts);
                Some(Stated::Text(text.name))
            }
            Form::Answers { to, words } => self.answers(node, what, (to, words)),
        }
    }

    /// Answers by question, each kept as `PY: why`.
    fn answers(
        &mut self,
        node: &Node,
        what: &str,
        (questions, words): (&[&str], &[&str]),
    ) -> Option<Stated> {
        let fields = self.named(node, what)?;
        let mut texts = BTreeMap::new();
        for (key, value) in fields.iter() {
            if !questions.contains(&key.name.as_str()) {
                let fault = Diagnostic::error(
                    Code::UNKNOWN_KEY,
                    Place::Study(key.span),
                    format!("{what} has no question `{}`", key.name),
                )
                .suggest(&key.name, questions.iter().copied())
                .hint(format!("questions are {}", questions.join(", ")));
                self.push(fault);
                continue;
            }
            let Some(row) = self.row(value, what, &["answer", "why"]) else { continue };
            match (row.get("answer"), row.get("why")) {
                (Some(answer), Some(why)) if words.contains(&answer.as_str()) => {
                    texts.insert(key.name.clone(), format!("{answer}: {why}"));
                }
                (Some(answer), Some(_)) => {
                    let fault = Diagnostic::error(
                        Code::OUT_OF_RANGE,
                        Place::Study(value.span),
                        format!("`answer` cannot be `{answer}`"),
                    )
                    .suggest(answer, words.iter().copied())
                    .hint(format!("expected one of: {}", words.join(", ")));
                    self.push(fault);
                }
                _ => {
                    let message = format!("`{}` needs `answer` and `why`", key.name);
                    self.error(Code::MISSING_KEY, value.span, message);
                }
            }
        }
        (!texts.is_empty()).then_some(Stated::ByName(texts))
    }

    /// A map of texts under these keys.
    fn row(
        &mut self,
        node: &Node,
        what: &str,
        keys: &[&str],
    ) -> Option<BTreeMap<String, String>> {
        let fields = self.named(node, &format!("an entry of {what}"))?;
        let mut row = BTreeMap::new();
        for (key, value) in fields.iter() {
            if !keys.contains(&key.name.as_str()) {
                let fault = Diagnostic::error(
                    Code::UNKNOWN_KEY,
                    Place::Study(key.span),
                    format!("{what} has no key `{}`", key.name),
                )
                .suggest(&key.name, keys.iter().copied())
                .hint(format!("expected one of: {}", keys.join(", ")));
                self.push(fault);
            } else if let Some(text) = self.plain(value, &format!("`{}`", key.name)) {
                row.insert(key.name.clone(), text);
            }
        }
        Some(row)
    }

    /// Text, or a number as it was written.
    fn plain(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.kind {
            Kind::Number(_) => Some(self.written(node.span)),
            _ => self.text(node, what).map(|text| text.name),
        }
    }

    /// Results that a text names as `{{results.auroc.COHORT.lower}}`.
    fn results_named(&mut self, text: &Named, cohorts: &[String]) {
        for part in text.name.split("{{").skip(1) {
            let name = part.split("}}").next().unwrap_or("").trim();
            let wrong = |message: String| {
                Diagnostic::error(Code::UNKNOWN_NAME, Place::Study(text.span), message).hint(
                    "a result is named as `{{results.auroc.COHORT}}`, with `.lower` or `.upper`, or \
                     `{{results.n.COHORT}}`, `{{results.events.COHORT}}`",
                )
            };
            let parts: Vec<&str> = name.split('.').collect();
            let (metric, cohort, end) = match parts.as_slice() {
                ["results", metric, cohort] => (*metric, *cohort, None),
                ["results", metric, cohort, end] => (*metric, *cohort, Some(*end)),
                _ => {
                    self.push(wrong(format!("`{name}` names no result")));
                    continue;
                }
            };
            let mut metrics: Vec<&str> = self
                .catalog
                .of_kind(OperationKind::Metric)
                .map(|entry| entry.about.name)
                .collect();
            metrics.extend(["n", "events"]);
            if !metrics.contains(&metric) {
                let fault = wrong(format!("`{name}`: there is no measure `{metric}`"));
                self.push(fault.suggest(metric, metrics.iter().copied()));
            } else if !cohorts.iter().any(|known| known == cohort) {
                let fault = wrong(format!("`{name}`: there is no cohort `{cohort}`"));
                self.push(fault.suggest(cohort, cohorts.iter().map(String::as_str)));
            } else if end
                .is_some_and(|end| !["estimate", "lower", "upper"].contains(&end))
            {
                self.push(wrong(format!("`{name}` names no result")));
            }
        }
    }
}

/// The reason of `none: <reason>`, as a map or as a text.
fn none_said(node: &Node) -> Option<String> {
    const WORDS: [&str; 2] = ["none", "not_done"];
    match &node.kind {
        Kind::Map(entries) => match entries.as_slice() {
            [(key, Node { kind: Kind::Text(reason), .. })]
                if WORDS.contains(&key.name.as_str()) =>
            {
                Some(reason.trim().to_string())
            }
            _ => None,
        },
        Kind::Text(text) => WORDS.iter().find_map(|word| {
            let reason =
                text.trim().strip_prefix(word)?.trim_start().strip_prefix(':')?;
            Some(reason.trim().to_string())
        }),
        _ => None,
    }
}

/// A year, a year and month, or a day.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize, most: u32| {
        part.len() == digits
            && part.chars().all(|c| c.is_ascii_digit())
            && part.parse().is_ok_and(|value: u32| (1..=most).contains(&value))
    };
    let year = |part: &str| number(part, 4, 2999);
    match parts.as_slice() {
        [y] => year(y),
        [y, m] => year(y) && number(m, 2, 12),
        [y, m, d] => year(y) && number(m, 2, 12) && number(d, 2, 31),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn dates_by_year_month_or_day() {
        for good in ["2019", "2019-03", "2019-03-31"] {
            assert!(is_date(good), "{good}");
        }
        for bad in ["19", "2019-13", "2019-3", "March 2019", "2019-03-32", ""] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
