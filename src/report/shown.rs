//! Numbers as the page shows them, each with its place in `report.json`; and the templates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::Value as Json;

use crate::data::StudyRecord;
use crate::math;
use crate::operation::Failure;

/// Where every shown number comes from.
enum Numbers<'r> {
    Record(&'r StudyRecord),
    #[cfg(test)]
    Json(Json),
}

/// The record as JSON, and what of it is not shown as it is.
pub struct Shown<'r> {
    numbers: Numbers<'r>,
    /// Places of what is hidden.
    hidden: BTreeSet<String>,
    /// Places of what is rounded, with their steps.
    coarse: BTreeMap<String, f64>,
    /// Whether small counts are hidden and curves smooth.
    pub protects: bool,
}

/// What stands in the place of a hidden number.
const HIDDEN: &str = "<span class=\"hid\">hidden</span>";

impl<'r> Shown<'r> {
    pub fn new(record: &'r StudyRecord) -> Self {
        let suppression = record.suppression.as_ref();
        let hidden = suppression.map(|facts| facts.hidden.iter().cloned().collect());
        Self {
            numbers: Numbers::Record(record),
            hidden: hidden.unwrap_or_default(),
            coarse: suppression.map_or_else(BTreeMap::new, |facts| {
                facts.coarsened.iter().cloned().collect()
            }),
            protects: suppression.is_some(),
        }
    }

    /// What stands at a place.
    fn at(&self, place: &str) -> Option<Json> {
        match &self.numbers {
            Numbers::Record(record) => record.at(place),
            #[cfg(test)]
            Numbers::Json(json) => json.pointer(place).cloned(),
        }
    }

    /// The number there.
    fn value(&self, place: &str) -> Option<f64> {
        self.at(place)?.as_f64()
    }

    /// Whether the place, or what it is part of, is hidden.
    pub fn is_hidden(&self, path: &str) -> bool {
        if self.hidden.is_empty() {
            return false;
        }
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.skip(1).any(|end| self.hidden.contains(&path[..end]))
    }

    /// The step to which the number at `path` is rounded, if it is.
    fn step(&self, path: &str) -> Option<f64> {
        let named = self.coarse.get(path);
        let of_list = || {
            let digits = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
            };
            let parts = path.split('/').map(|part| if digits(part) { "*" } else { part });
            self.coarse.get(&parts.collect::<Vec<_>>().join("/"))
        };
        named.or_else(of_list).copied()
    }

    /// Whether there is a number at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.at(path).is_some_and(|found| found.is_number())
    }

    /// The number at `path` with so many decimals; a dash when there is none.
    pub fn number(&self, path: &str, digits: usize) -> String {
        self.written(path, digits, GROUPED_VALUE)
    }

    /// The number at `path`, with its thousands apart where it has so many digits.
    fn written(&self, path: &str, digits: usize, grouped_from: usize) -> String {
        // The ends of an interval stand beside what is marked.
        let end = path.ends_with("/lower") || path.ends_with("/upper");
        let shown = math::pow(10.0, -(digits as f64)) * (1.0 + 1e-9);
        let coarse = self.step(path).is_some_and(|step| step > shown);
        let about = if coarse && !end { "≈ " } else { "" };
        match self.value(path) {
            Some(number) => format!(
                "{about}<span data-ref=\"{}\">{}</span>",
                escape(path),
                grouped(&plain(number, digits), grouped_from)
            ),
            None if self.is_hidden(path) => HIDDEN.to_string(),
            None => "–".to_string(),
        }
    }

    /// The same with its sign, for differences.
    pub fn signed(&self, path: &str, digits: usize) -> String {
        let shown = self.number(path, digits);
        let above = self.value(path);
        match above.is_some_and(|value| {
            value > 0.0
                && plain(value, digits).contains(|c: char| ('1'..='9').contains(&c))
        }) {
            true => shown.replacen("\">", "\">+", 1),
            false => shown,
        }
    }

    /// A p value; a small one by what it is below.
    pub fn p(&self, path: &str) -> String {
        match self.value(path) {
            // Of a rounded one no more is known than that it is below half a step.
            Some(p)
                if self.step(path).is_some_and(|step| step > 0.002 && p < step / 2.0) =>
            {
                let below = self.step(path).unwrap_or_default() / 2.0;
                format!(
                    "<span data-ref=\"{}\" data-below>&lt; {below}</span>",
                    escape(path)
                )
            }
            Some(p) if p < 0.001 => format!(
                "<span data-ref=\"{}\" data-below>&lt; 0.001</span>",
                escape(path)
            ),
            Some(p) if p < 0.1 => self.number(path, 3),
            Some(_) => self.number(path, 2),
            None if self.is_hidden(path) => HIDDEN.to_string(),
            None => "–".to_string(),
        }
    }

    /// `estimate (95 % CI lower–upper)`, for sentences.
    pub fn measured(&self, path: &str, digits: usize) -> String {
        let interval = self.interval(path, digits);
        let words = if self.has_interval(path) { "95 % CI " } else { "" };
        let value = self.number(&format!("{path}/estimate"), digits);
        format!("{value} ({words}{interval})")
    }

    /// `95 % CI lower–upper`, or why there is none.
    pub fn ci(&self, path: &str) -> String {
        match (self.at(path), self.has_interval(path)) {
            _ if self.is_hidden(path) => self.interval(path, 2),
            (None | Some(Json::Null), _) => "not computed".to_string(),
            (_, true) => format!("95 % CI {}", self.interval(path, 2)),
            (_, false) => self.interval(path, 2),
        }
    }

    fn has_interval(&self, path: &str) -> bool {
        ["lower", "upper"].iter().all(|end| self.has(&format!("{path}/{end}")))
    }

    /// A whole number of something.
    pub fn count(&self, path: &str) -> String {
        self.written(path, 0, GROUPED_COUNT)
    }

    /// How many of something, where it is a mean or a median of whole numbers.
    pub fn mean_count(&self, path: &str, digits: usize) -> String {
        self.written(path, digits, GROUPED_COUNT)
    }

    /// A whole number that names something, such as a seed: it counts nothing.
    pub fn label(&self, path: &str) -> String {
        self.written(path, 0, usize::MAX)
    }

    /// `estimate (lower–upper)` of the estimate at `path`.
    pub fn estimate(&self, path: &str, digits: usize) -> String {
        format!(
            "{} ({})",
            self.number(&format!("{path}/estimate"), digits),
            self.interval(path, digits)
        )
    }

    /// `lower–upper`, and where it rests on too few, that; or that there is no interval.
    pub fn interval(&self, path: &str, digits: usize) -> String {
        // A measure of a group has a note of how it was made.
        let text = |name: &str| match self.at(&format!("{path}/{name}"))? {
            Json::String(text) => Some(text),
            _ => None,
        };
        let method = text("method").or_else(|| text("note")).unwrap_or_default();
        if self.is_hidden(path) {
            return "a cell is small".to_string();
        }
        if !self.has_interval(path) {
            // Where some of what the value is a mean over has none, or resamples say nothing of it, its
            // method says why.
            let failed = self.at(&format!("{path}/failed_folds"));
            let failed =
                failed.is_some_and(|of| of.as_array().is_some_and(|of| !of.is_empty()));
            return match failed || method.contains("no interval: ") {
                true => "no interval".to_string(),
                false => "no interval: too few".to_string(),
            };
        }
        let few = match method.starts_with("too few: ") {
            true => ";<span class=\"wraps\"> too few</span>",
            false => "",
        };
        let end = |end: &str| self.number(&format!("{path}/{end}"), digits);
        let (lower, upper) = (end("lower"), end("upper"));
        // After a minus sign a dash would look like another; what is rounded to zero has none.
        let negative = without_tags(&lower).contains('−');
        let between = if negative { " to " } else { "–" };
        // No line ends within an interval.
        format!("<span class=\"nw\">{lower}{between}{upper}</span>{few}")
    }
}

/// HTML in brackets. What stands in brackets in it already follows a comma instead, as in
/// "(12, 10.0 %)": brackets in brackets are hard to read.
pub fn aside(html: &str) -> String {
    let mut inner = String::with_capacity(html.len() + 2);
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            '(' if !in_tag => {
                let before = inner.trim_end_matches([' ', '\u{a0}']).len();
                if before > 0 {
                    inner.truncate(before);
                    inner.push_str(", ");
                }
                continue;
            }
            ')' if !in_tag => continue,
            _ => {}
        }
        inner.push(character);
    }
    format!("({inner})")
}

/// The place of an analysis in `report.json`.
pub fn place(analysis: &str) -> String {
    format!("/analyses/{}", analysis.replace('~', "~0").replace('/', "~1"))
}

/// A number with fixed decimals, with a true minus sign, and never “−0”.
pub fn plain(number: f64, digits: usize) -> String {
    if digits == 0 && number.abs() >= 1e6 && number.fract() != 0.0 {
        return scientific(number, 2);
    }
    // Of a tiny number with many digits nobody counts the zeros.
    if digits > 6 && number != 0.0 && number.abs() < 1e-4 {
        let (_, power) = parts(number, 0);
        let significant = digits as i32 + power.parse::<i32>().unwrap_or(0);
        if significant > 0 {
            return scientific(number, significant as usize);
        }
    }
    let text = format!("{number:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_string(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// Digits from which counts have their thousands apart: in a column of counts all stand alike.
pub const GROUPED_COUNT: usize = 4;

/// The same of measured values, where four digits may be a year.
pub const GROUPED_VALUE: usize = 5;

/// A number as [`plain`] writes it with its thousands apart, where it has so many digits before the
/// point. The sign between is the narrow space of ISO 80000-1, which is a decimal sign nowhere and at
/// which no line ends.
pub fn grouped(number: &str, from: usize) -> String {
    let start = number.find(|c: char| c.is_ascii_digit()).unwrap_or(number.len());
    let n = number[start..].bytes().take_while(u8::is_ascii_digit).count();
    if n < from {
        return number.to_string();
    }
    let mut text = number[..start].to_string();
    for (at, digit) in number[start..start + n].chars().enumerate() {
        if at > 0 && (n - at).is_multiple_of(3) {
            text.push(APART);
        }
        text.push(digit);
    }
    text.push_str(&number[start + n..]);
    text
}

/// Stands between thousands.
pub const APART: char = '\u{202f}';

/// A count that names no place, with its thousands apart.
pub fn counted(n: usize) -> String {
    grouped(&n.to_string(), GROUPED_COUNT)
}

/// Words of this program with the thousands of what they count apart, as in "1 000 resamples": a stored
/// value has plain digits.
pub fn counts_apart(text: &str) -> String {
    // A year or a name is followed by none of these.
    const COUNTED: [&str; 9] = [
        "resamples",
        "patients",
        "rows",
        "sites",
        "permutations",
        "draws",
        "columns",
        "trees",
        "subjects",
    ];
    let is_counted = |after: &str| {
        let word = after.strip_prefix([' ', '\u{a0}']).unwrap_or("");
        let end = word.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(word.len());
        COUNTED.contains(&&word[..end])
    };
    let mut apart = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        apart.push_str(before);
        // Not the end of a name or of a number with a point.
        let alone = apart.chars().next_back().is_none_or(|c| c == ' ' || c == '(');
        match alone && is_counted(after) {
            true => apart.push_str(&grouped(digits, GROUPED_COUNT)),
            false => apart.push_str(digits),
        }
        rest = after;
    }
    apart.push_str(rest);
    apart
}

/// Mantissa with some decimals, and power of ten.
fn parts(number: f64, decimals: usize) -> (String, String) {
    let text = format!("{number:.decimals$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_string(), power.to_string())
}

/// A number by its power of ten, such as 1.35 × 10⁷ with two decimals.
fn scientific(number: f64, decimals: usize) -> String {
    let (mantissa, power) = parts(number, decimals);
    let raised = |digit: char| match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '-' => '⁻',
        '0'..='9' => {
            char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit)
        }
        other => other,
    };
    let power: String = power.chars().map(raised).collect();
    // No line ends within a number.
    format!("{}\u{a0}×\u{a0}10{power}", mantissa.replace('-', "−"))
}

/// A text of which numbers such as 1.1102230246251565e-16 are written by their powers of ten.
pub fn powers(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let number = word.trim_end_matches([',', ';', '.', ')']);
        let is_power = number.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && number.contains('e');
        match number.parse::<f64>() {
            Ok(value) if is_power => {
                format!("{}{}", scientific(value, 1), &word[number.len()..])
            }
            _ => word.to_string(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Text that is safe in HTML and SVG, in content and in attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(seen(c)),
        }
    }
    safe
}

/// A character as a reader may see it. Control characters have no place in HTML or XML; those that turn
/// the direction of reading would turn what stands behind a name as well.
fn seen(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => ' ',
        c => c,
    }
}

/// Text of which every character may be seen.
pub fn legible(text: String) -> String {
    match text.chars().all(|c| seen(c) == c) {
        true => text,
        false => text.chars().map(seen).collect(),
    }
}

/// The text of HTML made by this program, without its tags.
pub fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// The name of a column as HTML, with places where a line may end: behind its signs and before capitals.
pub fn breakable(name: &str) -> String {
    let mut html = String::new();
    let characters: Vec<char> = name.chars().collect();
    for (at, &character) in characters.iter().enumerate() {
        html.push_str(&escape(character.encode_utf8(&mut [0; 4])));
        let Some(&next) = characters.get(at + 1) else { break };
        let behind_sign = matches!(character, '_' | '.' | '-' | '/')
            && !(character == '.' && next.is_ascii_digit());
        if behind_sign || (character.is_lowercase() && next.is_uppercase()) {
            html.push_str("<wbr>");
        }
    }
    html
}

const TEMPLATES: &[(&str, &str)] = &[
    ("page.html", include_str!("../../templates/page.html")),
    ("figure.html", include_str!("../../templates/figure.html")),
    ("summary.html", include_str!("../../templates/sections/summary.html")),
    (
        "structured_abstract.html",
        include_str!("../../templates/sections/structured_abstract.html"),
    ),
    ("background.html", include_str!("../../templates/sections/background.html")),
    ("participants.html", include_str!("../../templates/sections/participants.html")),
    ("imaging.html", include_str!("../../templates/sections/imaging.html")),
    ("measures.html", include_str!("../../templates/sections/measures.html")),
    ("analysis.html", include_str!("../../templates/sections/analysis.html")),
    ("sample_size.html", include_str!("../../templates/sections/sample_size.html")),
    ("discrimination.html", include_str!("../../templates/sections/discrimination.html")),
    ("claims.html", include_str!("../../templates/sections/claims.html")),
    ("calibration.html", include_str!("../../templates/sections/calibration.html")),
    ("utility.html", include_str!("../../templates/sections/utility.html")),
    ("comparisons.html", include_str!("../../templates/sections/comparisons.html")),
    ("validation.html", include_str!("../../templates/sections/validation.html")),
    ("confounding.html", include_str!("../../templates/sections/confounding.html")),
    ("subgroups.html", include_str!("../../templates/sections/subgroups.html")),
    ("features.html", include_str!("../../templates/sections/features.html")),
    ("interpretation.html", include_str!("../../templates/sections/interpretation.html")),
    ("open_science.html", include_str!("../../templates/sections/open_science.html")),
    ("deviations.html", include_str!("../../templates/sections/deviations.html")),
    ("full_model.html", include_str!("../../templates/sections/full_model.html")),
    ("provenance.html", include_str!("../../templates/sections/provenance.html")),
    ("lists.html", include_str!("../../templates/lists.html")),
    ("checklists.html", include_str!("../../templates/sections/checklists.html")),
    ("quality.html", include_str!("../../templates/sections/quality.html")),
    ("risk_of_bias.html", include_str!("../../templates/sections/risk_of_bias.html")),
];

/// All templates, read once.
fn environment() -> &'static Result<Environment<'static>, String> {
    static ENVIRONMENT: OnceLock<Result<Environment<'static>, String>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.add_filter("column", |name: &str| {
            minijinja::Value::from_safe_string(breakable(name))
        });
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).map_err(|error| format!("{error:#}"))?;
        }
        Ok(environment)
    })
}

/// A template filled with `context`. Everything is escaped that is not marked as made here.
pub fn fill(name: &str, context: impl Serialize) -> Result<String, Failure> {
    let environment =
        environment().as_ref().map_err(|error| Failure::Library(error.clone()))?;
    environment
        .get_template(name)
        .and_then(|t| t.render(minijinja::value::Serde(&context)))
        .map_err(|error| Failure::Library(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_what_words_count_stand_apart() {
        let of = |text: &str| counts_apart(text).replace(APART, "_");
        assert_eq!(
            of("95 % interval from 1000 resamples of 12345 patients (percentiles)"),
            "95 % interval from 1_000 resamples of 12_345 patients (percentiles)"
        );
        // Few digits, years, names and decimals stay as they are.
        for text in ["159 patients", "in 2019", "cohort_2019 patients", "0.1234 rows", ""]
        {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn what_is_hidden_or_rounded_is_told_as_such() {
        let shown = Shown {
            numbers: Numbers::Json(serde_json::json!({
                "fine": { "estimate": 0.8, "lower": 0.7, "upper": 0.9, "p": 0.0 },
                "near": { "estimate": 0.19, "lower": -0.004, "upper": 0.45 },
                "list": [{ "value": 0.71 }],
            })),
            hidden: ["/gone".to_string()].into(),
            coarse: [("/fine/estimate", 0.1), ("/fine/p", 0.1), ("/list/*/value", 0.01)]
                .map(|(place, step)| (place.to_string(), step))
                .into(),
            protects: true,
        };
        assert_eq!(without_tags(&shown.estimate("/fine", 2)), "≈ 0.80 (0.70–0.90)");
        assert_eq!(without_tags(&shown.estimate("/fine", 1)), "0.8 (0.7–0.9)");
        // A limit that is rounded to zero has no minus sign, and needs no word for the dash.
        assert_eq!(without_tags(&shown.estimate("/near", 2)), "0.19 (0.00–0.45)");
        assert_eq!(without_tags(&shown.estimate("/near", 3)), "0.190 (−0.004 to 0.450)");
        assert_eq!(without_tags(&shown.p("/fine/p")), "< 0.05");
        assert_eq!(without_tags(&shown.number("/list/0/value", 2)), "0.71");
        assert_eq!(without_tags(&shown.number("/list/0/value", 3)), "≈ 0.710");
        for text in [shown.estimate("/gone", 1), shown.measured("/gone", 1)] {
            assert_eq!(without_tags(&text), "hidden (a cell is small)");
        }
        assert_eq!(shown.ci("/gone"), "a cell is small");
    }

    #[test]
    fn no_brackets_stand_in_brackets() {
        assert_eq!(aside("12"), "(12)");
        let share = "<span class=\"nw\">12 (10.0\u{a0}%)</span>";
        assert_eq!(aside(share), "(<span class=\"nw\">12, 10.0\u{a0}%</span>)");
        assert_eq!(aside("0.82 (0.68–0.91; too few)"), "(0.82, 0.68–0.91; too few)");
        assert_eq!(aside("<a title=\"(x)\">y</a>"), "(<a title=\"(x)\">y</a>)");
    }

    #[test]
    fn numbers_have_true_minus_signs_and_no_negative_zero() {
        assert_eq!(plain(-0.126, 2), "−0.13");
        assert_eq!(plain(-0.001, 2), "0.00");
        assert_eq!(plain(12.0, 0), "12");
        assert_eq!(plain(20_260_101.0, 0), "20260101");
        assert_eq!(plain(13_471_859.3, 0), "1.35\u{a0}×\u{a0}10⁷");
        assert_eq!(plain(-7.6795e-15, 19), "−7.6795\u{a0}×\u{a0}10⁻¹⁵");
        assert_eq!(plain(-0.0000148, 7), "−1.48\u{a0}×\u{a0}10⁻⁵");
        assert_eq!(plain(0.0000012, 6), "0.000001");
    }

    #[test]
    fn tiny_numbers_in_texts_are_written_by_their_powers() {
        let text = "moved inwards, by 1.1102230246251565e-16 at most (e.g. 3 of 1e)";
        let told = "moved inwards, by 1.1\u{a0}×\u{a0}10⁻¹⁶ at most (e.g. 3 of 1e)";
        assert_eq!(powers(text), told);
        assert_eq!(powers("below 1e-6; no more"), "below 1.0\u{a0}×\u{a0}10⁻⁶; no more");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(counted(999), "999");
        assert_eq!(counted(4140), "4\u{202f}140");
        assert_eq!(counted(1_600_400), "1\u{202f}600\u{202f}400");
        assert_eq!(grouped("−51538.25", GROUPED_VALUE), "−51\u{202f}538.25");
        assert_eq!(grouped("2015", GROUPED_VALUE), "2015");
        assert_eq!(grouped("0.12345", GROUPED_VALUE), "0.12345");
        assert_eq!(
            grouped("1.35\u{a0}×\u{a0}10⁷", GROUPED_COUNT),
            "1.35\u{a0}×\u{a0}10⁷"
        );
        assert_eq!(grouped("–", GROUPED_COUNT), "–");
        let shown = Shown {
            numbers: Numbers::Json(serde_json::json!({ "n": 37224, "year": 2015.0 })),
            hidden: BTreeSet::new(),
            coarse: BTreeMap::new(),
            protects: false,
        };
        assert_eq!(without_tags(&shown.count("/n")), "37\u{202f}224");
        assert_eq!(without_tags(&shown.number("/year", 0)), "2015");
        assert_eq!(without_tags(&shown.label("/n")), "37224");
    }

    #[test]
    fn lines_end_between_the_words_of_a_name() {
        let name = "sigma-1.5_GrayLevel<b>";
        let html = breakable(name);
        assert_eq!(html, "sigma-<wbr>1.5_<wbr>Gray<wbr>Level&lt;b&gt;");
        assert_eq!(without_tags(&html), name);
    }

    #[test]
    fn hostile_text_is_only_text() {
        let turned = escape("abc\u{202e}def\u{2066}\u{7}");
        assert_eq!(turned, "abc\u{fffd}def\u{fffd} ");
        assert_eq!(legible("a\u{202d}b\n".to_string()), "a\u{fffd}b\n");
        let hostile = "</script><script>alert('1')</script>\u{1}";
        let safe = escape(hostile);
        assert!(!safe.contains('<') && !safe.contains('\''));
        assert_eq!(without_tags(&safe).trim_end(), hostile.trim_end_matches('\u{1}'));
    }
}
