//! Numbers that an author types into a text, each with what it seems to be. Whether a result is that
//! number is not asked here.

use super::wording::{is, sentences};

/// A number or an interval as it stands in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub what: What,
    pub written: String,
    /// One number; two for an interval.
    pub numbers: Vec<Number>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Key and title of a measure.
    Measure(&'static Measure),
    IntervalOf(&'static Measure),
    Patients,
    Events,
}

/// A measure of performance with what authors call it.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    pub key: &'static str,
    pub title: &'static str,
    called: &'static [&'static str],
}

const MEASURES: &[Measure] = &[
    // Before the AUROC, whose names are part of these.
    Measure {
        key: "average_precision",
        title: "average precision",
        called: &[
            "average precision",
            "auprc",
            "pr auc",
            "area under the precision recall curve",
        ],
    },
    Measure {
        key: "auroc",
        title: "AUROC",
        called: &[
            "auc",
            "aucs",
            "auroc",
            "aurocs",
            "area under the curve",
            "area under the roc curve",
            "area under the receiver operating characteristic curve",
            "area under the receiver operating characteristic",
            "areas under the curve",
            "areas under the curves",
            "area under roc curve",
            "areas under the roc curve",
            "areas under the roc curves",
            "areas under the receiver operating characteristic curves",
            "concordance",
            "c statistic",
            "c statistics",
            "c index",
            "concordance index",
            "concordance statistic",
        ],
    },
    Measure {
        key: "sensitivity",
        title: "sensitivity",
        called: &["sensitivity", "sensitivities"],
    },
    Measure {
        key: "specificity",
        title: "specificity",
        called: &["specificity", "specificities"],
    },
    Measure {
        key: "calibration_slope",
        title: "calibration slope",
        called: &["calibration slope", "slope"],
    },
    Measure {
        key: "balanced_accuracy",
        title: "balanced accuracy",
        called: &["balanced accuracy"],
    },
    Measure { key: "accuracy", title: "accuracy", called: &["accuracy"] },
    Measure { key: "brier", title: "Brier score", called: &["brier score", "brier"] },
    Measure {
        key: "positive_predictive_value",
        title: "positive predictive value",
        called: &["positive predictive value", "ppv"],
    },
    Measure {
        key: "negative_predictive_value",
        title: "negative predictive value",
        called: &["negative predictive value", "npv"],
    },
    Measure { key: "f1", title: "F1", called: &["f1 score", "f1"] },
    Measure {
        key: "calibration_intercept",
        title: "calibration intercept",
        called: &["calibration intercept", "calibration in the large"],
    },
    Measure { key: "log_loss", title: "log loss", called: &["log loss"] },
    Measure {
        key: "mcc",
        title: "Matthews correlation coefficient",
        called: &["matthews correlation coefficient", "mcc"],
    },
];

/// Measures that are no shares, so that they may be above 1 and have no per cent.
const NO_SHARES: [&str; 3] = ["calibration_slope", "calibration_intercept", "log_loss"];

/// As it was written, with the digits that it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    pub value: f64,
    digits: usize,
    percent: bool,
    /// Whether it is written as years are: four digits and no mark between them.
    bare: bool,
}

impl Number {
    /// Whether a result comes out as this number when it is rounded to as many digits. A minus sign is
    /// written in too many ways to be held against anyone.
    pub fn is(&self, result: f64) -> bool {
        let result = if self.percent { result * 100.0 } else { result }.abs();
        let rounded = format!("{result:.*}", self.digits).parse::<f64>();
        rounded.is_ok_and(|rounded| (rounded - self.value).abs() < 1e-9)
    }

    /// A whole number, of patients perhaps.
    pub fn count(&self) -> Option<usize> {
        (self.digits == 0 && !self.percent && self.value < 1e9)
            .then_some(self.value as usize)
    }

    fn may_be(&self, measure: &Measure) -> bool {
        // What guessing gives is nobody's result.
        let chance = measure.key == "auroc" && self.value == 0.5 && self.digits == 1;
        let no_share = NO_SHARES.contains(&measure.key);
        let most = if no_share { 10.0 } else { 1.0 };
        match self.percent {
            true => self.value <= 100.0 && !no_share,
            false => self.digits > 0 && self.value <= most && !chance,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Number(Number, String),
    Sign(char),
    /// What is put in for a name.
    Named,
}

impl Token {
    fn word(&self) -> &str {
        match self {
            Self::Word(word) => word,
            _ => "",
        }
    }

    fn is_sign(&self, signs: &[char]) -> bool {
        matches!(self, Self::Sign(sign) if signs.contains(sign))
    }
}

/// What events are called where they are mutations.
pub const MUTATIONS: &[&str] = &["mutant", "mutants", "mutated", "mutations"];

/// The numbers of a text, sentence by sentence. `events`: what events are called beside that.
pub fn typed(text: &str, events: &[&str]) -> Vec<(String, Vec<Typed>)> {
    // What is put in for a name is no typed number.
    let mut plain = String::new();
    for (position, part) in text.split("{{").enumerate() {
        match (position, part.split_once("}}")) {
            (0, _) => plain.push_str(part),
            (_, Some((_, after))) => {
                plain.push('\u{1}');
                plain.push_str(after);
            }
            (_, None) => plain.push('\u{1}'),
        }
    }
    let of = |sentence: &str| {
        let mut found = Vec::new();
        let tokens = tokens(sentence);
        measures(&tokens, &mut found);
        counts(&tokens, events, &mut found);
        (sentence.to_string(), found)
    };
    sentences(&plain).into_iter().map(of).collect()
}

fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let character = characters[at];
        let next = characters.get(at + 1);
        let leading = character == '.' && next.is_some_and(char::is_ascii_digit);
        let start = at;
        match character {
            '\u{1}' => tokens.push(Token::Named),
            c if c.is_whitespace() => {}
            c if c.is_ascii_digit() || leading => {
                let labels =
                    tokens.last().is_some_and(|token| is(token.word(), LABELLED));
                let (token, end) = number(&characters, at, labels);
                tokens.push(token);
                at = end;
            }
            c if c.is_alphanumeric() => {
                while at < characters.len() && characters[at].is_alphanumeric() {
                    at += 1;
                }
                let word: String = characters[start..at].iter().collect();
                tokens.push(Token::Word(word.to_lowercase()));
            }
            other => tokens.push(Token::Sign(other)),
        }
        at = at.max(start + 1);
    }
    written_out(&mut tokens);
    tokens
}

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// Puts numbers in the place of those that are written out, as in "one hundred and seven". Those below
/// ten stay words: "two readers".
fn written_out(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at < tokens.len() {
        if let Some((value, length)) = in_words(&tokens[at..]).filter(|(n, _)| *n >= 10) {
            let percent = percent_in_words(&tokens[at + length..]);
            let words: Vec<&str> = tokens[at..at + length]
                .iter()
                .map(Token::word)
                .filter(|word| !word.is_empty())
                .collect();
            let written = words.join(" ");
            let number = Number {
                value: f64::from(value),
                digits: 0,
                percent: percent > 0,
                bare: false,
            };
            tokens.splice(at..at + length + percent, [Token::Number(number, written)]);
        }
        at += 1;
    }
}

/// How many tokens say "per cent".
fn percent_in_words(tokens: &[Token]) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", Token::word);
    let sign = tokens.first().is_some_and(|token| token.is_sign(&['%']));
    match (word(0), word(1)) {
        ("per", "cent") => 2,
        ("percent", _) => 1,
        _ => usize::from(sign),
    }
}

/// The number that words begin with, and how many tokens it takes: "forty-five", "two hundred and ten",
/// "one thousand, two hundred".
fn in_words(tokens: &[Token]) -> Option<(u32, usize)> {
    let word = |at: usize| tokens.get(at).map_or("", Token::word);
    let unit = |at: usize| UNITS.iter().position(|unit| *unit == word(at));
    let tens = |at: usize| TENS.iter().position(|tens| *tens == word(at));
    let hyphen = |at: usize| tokens.get(at).is_some_and(|t| t.is_sign(&['-', '‐']));
    // Up to 99.
    let small = |at: usize| -> Option<(u32, usize)> {
        if let Some(unit) = unit(at) {
            return Some((unit as u32, 1));
        }
        let tens = (tens(at)? as u32 + 2) * 10;
        let skip = usize::from(hyphen(at + 1));
        match unit(at + 1 + skip) {
            Some(unit @ 1..=9) => Some((tens + unit as u32, 2 + skip)),
            // "Twenty-first" counts nothing.
            _ if skip == 1 && word(at + 2).ends_with(['t', 'd', 'h']) => None,
            _ => Some((tens, 1)),
        }
    };
    // Up to 999. "Two hundred and ten": "two hundred or so" ends before.
    let hundreds = |at: usize| -> Option<(u32, usize)> {
        let (n, taken) = small(at)?;
        if word(at + taken) != "hundred" {
            return Some((n, taken));
        }
        let length = taken + 1;
        let and = usize::from(word(at + length) == "and");
        match small(at + length + and) {
            Some((rest, more)) => Some((n * 100 + rest, length + and + more)),
            None => Some((n * 100, length)),
        }
    };
    let (mut value, mut length) = hundreds(0)?;
    if word(length) == "thousand" {
        (value, length) = (value * 1000, length + 1);
        let comma = tokens.get(length).is_some_and(|token| token.is_sign(&[',']));
        let skip = usize::from(comma || word(length) == "and");
        // "In two thousand, two readers": a comma is followed by hundreds.
        let rest = hundreds(length + skip).filter(|(rest, _)| !comma || *rest >= 100);
        if let Some((rest, more)) = rest {
            (value, length) = (value + rest, length + skip + more);
        }
    }
    // No number of patients is as large.
    (!is(word(length), "million|billion")).then_some((value, length))
}

/// What is told apart by numbers: "at site 1 160 patients were seen" has two of them.
const LABELLED: &str = "site|centre|center|hospital|institution|cohort|group|arm|grade|stage|phase|class|type|level|tier|step|fold|wave|visit|series|table|figure";

/// A number that begins here, or the word that it is part of, such as `1p` or `3.1.0`; and where it
/// ends. `labels`: whether it says which of several is meant, so that a space ends it.
fn number(characters: &[char], start: usize, labels: bool) -> (Token, usize) {
    let digit = |at: usize| characters.get(at).is_some_and(char::is_ascii_digit);
    let mut at = start;
    let mut text = String::new();
    while digit(at) {
        text.push(characters[at]);
        at += 1;
    }
    let whole = text.clone();
    let mut marked = false;
    // `1,600`, `1 600`, `1’600`.
    let joins = |at: usize| {
        let joined = characters.get(at).is_some_and(|c| match c {
            ' ' => !labels,
            c => ",'’\u{a0}\u{2009}\u{202f}".contains(*c),
        });
        joined && (1..=3).all(|after| digit(at + after)) && !digit(at + 4)
    };
    while (1..=3).contains(&whole.len()) && !whole.starts_with('0') && joins(at) {
        text.extend(&characters[at + 1..at + 4]);
        at += 4;
        marked = true;
    }
    let mut digits = 0;
    let decimal = characters
        .get(at)
        .is_some_and(|c| ['.', '·', '‧'].contains(c) || (*c == ',' && whole == "0"));
    if decimal && digit(at + 1) {
        text = format!("{}.", if text.is_empty() { "0" } else { &text });
        at += 1;
        while digit(at) {
            text.push(characters[at]);
            at += 1;
            digits += 1;
        }
    }
    let version = characters.get(at) == Some(&'.') && digit(at + 1);
    let part_of_word = characters.get(at).is_some_and(|c| c.is_alphabetic());
    if version || part_of_word {
        while characters.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '.') {
            at += 1;
        }
        let word: String = characters[start..at].iter().collect();
        return (Token::Word(word.to_lowercase()), at);
    }
    let mut behind = at;
    while characters.get(behind).is_some_and(|c| c.is_whitespace()) {
        behind += 1;
    }
    let rest: String = characters[behind..].iter().take(8).collect();
    let percent =
        ["%", "percent", "per cent"].iter().find(|said| rest.starts_with(**said));
    let end = percent.map_or(at, |said| behind + said.chars().count());
    let value = text.parse().unwrap_or(f64::NAN);
    let bare = text.len() == 4 && !marked;
    let written = characters[start..end].iter().collect();
    let number = Number { value, digits, percent: percent.is_some(), bare };
    (Token::Number(number, written), end)
}

/// Words from the name of a measure to its value.
const FAR: usize = 12;

/// Measures with their values and intervals. Several names may come before as many values.
fn measures(tokens: &[Token], found: &mut Vec<Typed>) {
    let mut waiting: Vec<&'static Measure> = Vec::new();
    let mut current: Option<&'static Measure> = None;
    let (mut interval, mut since, mut apart) = (false, 0, true);
    // Whether values stand before their names: "85 % sensitivity and 78 % specificity".
    let mut ahead_of_name = false;
    let mut at = 0;
    while at < tokens.len() {
        if let Some((measure, length)) = measure(&tokens[at..]) {
            let about = !is_change(&tokens[..at]) && !is_analysis(&tokens[at + length..]);
            if waiting.last() != Some(&measure) {
                if apart {
                    waiting.clear();
                }
                if about {
                    waiting.push(measure);
                    current = None;
                }
            }
            (interval, since, apart) = (false, 0, false);
            at += length;
            continue;
        }
        let mut step = 1;
        match &tokens[at] {
            Token::Word(word) => {
                since += 1;
                interval |=
                    ["ci", "cis", "interval", "intervals"].contains(&word.as_str());
                let joins = ["and", "or", "versus", "vs", "respectively"];
                apart |= !joins.contains(&word.as_str());
                if is(word, "differ*") || since > FAR {
                    waiting.clear();
                    current = None;
                }
            }
            Token::Number(number, written) if !is_other(tokens, at) => {
                let of = waiting.first().copied().or(current);
                let end = end_of_range(tokens, at).filter(|end| {
                    let closes = tokens
                        .get(end.at)
                        .is_some_and(|token| token.is_sign(&[')', ']']));
                    interval || (is_open(tokens, at) && (!end.loose || closes))
                });
                match (of, end) {
                    (Some(of), Some(end))
                        if number.may_be(of) && end.number.may_be(of) =>
                    {
                        found.push(Typed {
                            what: What::IntervalOf(of),
                            written: format!("{written} to {}", end.written),
                            numbers: vec![*number, *end.number],
                        });
                        if current.is_none() {
                            waiting.retain(|known| *known != of);
                        }
                        current = Some(of);
                        step = end.at - at;
                        interval = false;
                    }
                    _ => {
                        let ahead = tokens.get(at + 1..).and_then(measure);
                        let next = ahead.map(|(measure, _)| measure);
                        let of = match waiting.is_empty() {
                            false => Some(waiting.remove(0)),
                            true if apart || ahead_of_name && next.is_some() => next,
                            true => current,
                        };
                        if let Some(of) = of.filter(|of| number.may_be(of)) {
                            found.push(Typed {
                                what: What::Measure(of),
                                written: written.clone(),
                                numbers: vec![*number],
                            });
                            current = Some(of);
                            ahead_of_name = next == Some(of);
                            if let (Some((_, length)), true) = (ahead, ahead_of_name) {
                                step += length;
                            }
                        }
                    }
                }
                (since, apart) = (0, false);
                // "The AUC rose from 0.70 to 0.85" has two.
                if rises(tokens, at) && step == 1 {
                    step = 2;
                }
            }
            Token::Number(..) => apart = true,
            Token::Sign(',' | '-' | '–' | '—' | '/' | '(' | '[' | '=' | ':') => {}
            Token::Sign(_) => apart = true,
            Token::Named => {
                if !waiting.is_empty() {
                    current = Some(waiting.remove(0));
                }
                (since, apart) = (0, false);
            }
        }
        at += step;
    }
}

/// Whether a number is where a change begins, as in "rose from 0.70 to 0.85"; "ranged from" spans values.
fn rises(tokens: &[Token], at: usize) -> bool {
    const CHANGED: &str = "rose|rise*|increas*|improv*|rais*|fell|fall*|drop*|decreas*|declin*|went|chang*|grew";
    let word = |at: usize| tokens.get(at).map_or("", Token::word);
    let from = at.checked_sub(1).is_some_and(|at| word(at) == "from");
    let changed = (2..=4)
        .filter_map(|back| at.checked_sub(back))
        .any(|before| is(word(before), CHANGED));
    from && changed && word(at + 1) == "to"
}

/// The measure that is named here, and how many tokens its name takes.
fn measure(tokens: &[Token]) -> Option<(&'static Measure, usize)> {
    let named = |called: &str| {
        let mut at = 0;
        for word in called.split(' ') {
            while at > 0 && tokens.get(at).is_some_and(|token| token.is_sign(&['-', '‐']))
            {
                at += 1;
            }
            if tokens.get(at)?.word() != word {
                return None;
            }
            at += 1;
        }
        Some(at)
    };
    MEASURES.iter().find_map(|measure| {
        let lengths = measure.called.iter().filter_map(|called| named(called));
        Some((measure, lengths.max()?))
    })
}

/// As in "the gain in AUC".
fn is_change(before: &[Token]) -> bool {
    const CHANGES: [&str; 9] = [
        "differ*",
        "change*",
        "gain*",
        "increase*",
        "decrease*",
        "improvement*",
        "drop*",
        "loss*",
        "delta*",
    ];
    let mut near = before[before.len().saturating_sub(3)..].iter().map(Token::word);
    near.any(|word| CHANGES.iter().any(|change| is(word, change)))
}

/// As in "sensitivity analysis".
fn is_analysis(after: &[Token]) -> bool {
    after.first().is_some_and(|token| is(token.word(), "analys*"))
}

/// Whether a number is no result: a level, a bound, a p, a threshold, a change.
fn is_other(tokens: &[Token], at: usize) -> bool {
    const BOUNDS: [&str; 22] = [
        "least",
        "most",
        "above",
        "below",
        "exceed*",
        "than",
        "threshold*",
        "cut*",
        "target*",
        "fixed",
        "by",
        "p",
        "alpha",
        "level",
        "chance",
        "ideal*",
        "probability",
        "probabilities",
        "prevalence",
        "sd",
        "dice",
        "exclude*",
    ];
    let after = tokens.get(at + 1).map_or("", Token::word);
    if ["ci", "cis", "confidence", "credible"].contains(&after) {
        return true;
    }
    if at > 0 && tokens[at - 1].is_sign(&['<', '>', '≤', '≥', '±']) {
        return true;
    }
    // What spans values of folds is no interval.
    const SPANS: &str = "ranged|ranging|range|varied|varying|between";
    let word = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].word());
    let spans = |back: usize| is(word(back), SPANS) || is(word(back + 1), SPANS);
    let ends = is(word(1), "to|and")
        && at >= 2
        && matches!(tokens[at - 2], Token::Number(..))
        && spans(3);
    if spans(1) || ends {
        return true;
    }
    // The two words before, up to another number.
    let before = tokens[..at].iter().rev();
    let mut words = before
        .take_while(|token| !matches!(token, Token::Number(..) | Token::Named))
        .map(Token::word)
        .filter(|word| !word.is_empty())
        .take(2);
    words.any(|word| BOUNDS.iter().any(|bound| is(word, bound)))
}

/// Whether the number opens a bracket behind another, as in `0.75 (0.60–0.85)`.
fn is_open(tokens: &[Token], at: usize) -> bool {
    at >= 2
        && tokens[at - 1].is_sign(&['(', '['])
        && matches!(tokens[at - 2], Token::Number(..) | Token::Named)
}

/// The other end of an interval.
struct End<'t> {
    number: &'t Number,
    written: &'t str,
    /// The token behind it.
    at: usize,
    /// Joined by what may as well stand between two values.
    loose: bool,
}

fn end_of_range(tokens: &[Token], at: usize) -> Option<End<'_>> {
    let between = tokens.get(at + 1)?;
    let dash = between.is_sign(&['–', '—', '-', '−', '‐']) || between.word() == "to";
    let loose = between.is_sign(&[',', ';']) || between.word() == "and";
    match tokens.get(at + 2)? {
        Token::Number(number, written) if dash || loose => {
            Some(End { number, written, at: at + 3, loose })
        }
        _ => None,
    }
}

/// Numbers of patients and of events.
fn counts(tokens: &[Token], events: &[&str], found: &mut Vec<Typed>) {
    if of_population(tokens) {
        return;
    }
    for (at, token) in tokens.iter().enumerate() {
        let Token::Number(number, written) = token else { continue };
        if let Some(what) = whole(tokens, at).filter(|_| number.count().is_some()) {
            found.push(Typed { what, written: written.clone(), numbers: vec![*number] });
            continue;
        }
        if number.count().is_none()
            || is_bound(tokens, at)
            || is_rate(tokens, at, number)
            || is_part(tokens, at)
                && !carries(tokens, at + 1, events)
                && !present_in(tokens, at, events)
        {
            continue;
        }
        let Some(what) = counted(tokens, at, events) else { continue };
        if what == What::Patients && is_year(tokens, at, number) {
            continue;
        }
        found.push(Typed { what, written: written.clone(), numbers: vec![*number] });
    }
}

/// Patients where the words around a number say so whatever is counted: "the sample size was 107", "a
/// cohort of 107", "107 cases were analysed", "107 men and women", "the 160-patient cohort".
fn whole(tokens: &[Token], at: usize) -> Option<What> {
    const SETS: &str = "cohort|sample|population|series|group";
    const USED: &str = "included|analysed|analyzed|studied|enrolled|enroled|evaluated";
    let word =
        |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", Token::word);
    let (back, next) =
        (|n: usize| word(at.checked_sub(n)), |n: usize| word(Some(at + n)));
    let hyphen = tokens.get(at + 1).is_some_and(|token| token.is_sign(&['-', '‐']));
    if hyphen {
        return (is(next(2), "patient|subject|participant") && is(next(3), SETS))
            .then_some(What::Patients);
    }
    let size = is(back(1), "was|is|of") && back(2) == "size" && back(3) == "sample";
    let set = back(1) == "of" && is(back(2), SETS);
    let alone = next(1).is_empty() || is(next(1), "was|were|is|in|with|from");
    let used = is(next(2), "was|were") && is(next(3), USED);
    // Most have one tumour, so that other things than cases are not held against anyone.
    let cases =
        next(1) == "cases" && (used || is(back(2), "total|all") && back(1) == "of");
    let both = next(2) == "and"
        && (is(next(1), "men") && is(next(3), "women")
            || is(next(1), "women") && is(next(3), "men"));
    ((size || set) && alone || cases || both).then_some(What::Patients)
}

/// What is counted, if the number counts.
fn counted(tokens: &[Token], at: usize, events: &[&str]) -> Option<What> {
    const PATIENTS: [&str; 7] = [
        "patients",
        "subjects",
        "participants",
        "individuals",
        "persons",
        "people",
        "adults",
    ];
    const OTHER: [&str; 44] = [
        "of",
        "in",
        "with",
        "and",
        "were",
        "was",
        "to",
        "or",
        "per",
        "from",
        "at",
        "by",
        "for",
        "the",
        "on",
        "than",
        "had",
        "have",
        "year",
        "years",
        "yr",
        "yrs",
        "old",
        "month",
        "months",
        "week",
        "weeks",
        "day",
        "days",
        "fold",
        "folds",
        "times",
        "more",
        "fewer",
        "mm",
        "ml",
        "ms",
        "gy",
        "t",
        "tesla",
        "hospitals",
        "centres",
        "centers",
        "institutions",
    ];
    let behind = |n: usize| tokens.get(at + n).map_or("", Token::word);
    let per = |n: usize| ["per", "for"].contains(&behind(n));
    let next = behind(1);
    if next == "events" || next == "positive" || events.contains(&next) {
        return (!per(2)).then_some(What::Events);
    }
    if carries(tokens, at + 1, events) || present_in(tokens, at, events) {
        return Some(What::Events);
    }
    // `n = 160`.
    let equals = at > 0 && tokens[at - 1].is_sign(&['=']);
    let named = at.checked_sub(1 + usize::from(equals)).map(|at| tokens[at].word());
    if named == Some("n") {
        return Some(What::Patients);
    }
    let mut position = 1;
    for _ in 0..4 {
        while tokens.get(at + position).is_some_and(|token| token.is_sign(&['-', '‐']))
        {
            position += 1;
        }
        let word = behind(position);
        if PATIENTS.contains(&word) {
            return Some(match behind(position + 1) {
                "positive" => What::Events,
                _ => What::Patients,
            });
        }
        if word.is_empty() || OTHER.contains(&word) {
            return None;
        }
        position += 1;
    }
    None
}

/// As in "mutations were found in 40 of 160 patients".
fn present_in(tokens: &[Token], at: usize, events: &[&str]) -> bool {
    const SEEN: &str = "seen|observed|present|found|occurred|detected|noted|identified";
    let word = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].word());
    word(1) == "in"
        && is(word(2), SEEN)
        && (3..=4).any(|back| events.contains(&word(back)) || word(back) == "mutation")
        && !events.is_empty()
}

/// As in "40 patients had a mutation", "40 were mutated": of another gene than that of the outcome where
/// one is named, so that only bare words are read.
fn carries(tokens: &[Token], start: usize, events: &[&str]) -> bool {
    const GLUE: &str = "patients|subjects|tumours|tumors|gliomas|cases|of|them|these|had|have|carried|harboured|harbored|were|was|a|an|the";
    let glue = tokens[start.min(tokens.len())..]
        .iter()
        .take(5)
        .take_while(|token| is(token.word(), GLUE))
        .count();
    let at = |n: usize| tokens.get(start + n).map_or("", Token::word);
    let verb = (0..glue).any(|n| is(at(n), "had|carried|harboured|harbored|were|was"));
    let said = at(glue);
    verb && !events.is_empty() && (events.contains(&said) || said == "mutation")
}

/// As in "grade 2 patients", "at least 100 events", "per 100 patients".
fn is_bound(tokens: &[Token], at: usize) -> bool {
    const BOUNDS: [&str; 10] = [
        "least", "most", "than", "under", "below", "above", "over", "per", "every",
        "each",
    ];
    const GRADES: [&str; 17] = [
        "grade", "grades", "stage", "stages", "type", "phase", "class", "score", "tier",
        "level", "group", "age", "day", "week", "month", "table", "version",
    ];
    if at > 0 && tokens[at - 1].is_sign(&['<', '>', '≤', '≥', '±', '/']) {
        return true;
    }
    let word = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].word());
    let graded = (1..=4).any(|back| GRADES.contains(&word(back)));
    BOUNDS.contains(&word(1)) || GRADES.contains(&word(1)) || {
        // `grade 2 and 3`, `grades 2–3`.
        let joined = ["and", "or", "to"].contains(&word(1))
            || (at > 0 && tokens[at - 1].is_sign(&['-', '–', '‐']));
        graded && joined
    }
}

/// As in "every year 20 000 people fall ill".
fn of_population(tokens: &[Token]) -> bool {
    const YEARLY: [&str; 5] =
        ["annually", "yearly", "worldwide", "globally", "nationwide"];
    tokens.iter().any(|token| YEARLY.contains(&token.word()))
        || tokens.windows(2).any(|pair| {
            ["every", "each", "per", "a"].contains(&pair[0].word())
                && pair[1].word() == "year"
        })
}

/// A part of the patients that the run does not count.
fn is_part(tokens: &[Token], at: usize) -> bool {
    let people = "patients|subjects|participants|individuals";
    let counts_people = is(token_word(tokens, at + 1), people);
    saw_in(tokens, at)
        || counts_people
            && (counted_out(tokens, at)
                || lack_something(tokens, at)
                || behave(tokens, at))
        || named_out(tokens, at)
}

fn token_word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", Token::word)
}

/// The word that stands `n` tokens before.
fn word_before(tokens: &[Token], at: usize, n: usize) -> &str {
    at.checked_sub(n).map_or("", |at| tokens[at].word())
}

/// As in "an increase was seen in 30 patients".
fn saw_in(tokens: &[Token], at: usize) -> bool {
    const SEEN: &str = "seen|observed|present|found|occurred|detected|noted|recorded|missing|available|unavailable|performed|diagnosed|given|administered|absent|visible|inconclusive";
    word_before(tokens, at, 1) == "in" && is(word_before(tokens, at, 2), SEEN)
}

/// As in "30 patients had seizures", "12 patients were excluded". "69 of 160 patients had it" names the whole.
fn behave(tokens: &[Token], at: usize) -> bool {
    const BEHAVED: &str = "had|received|underwent|died|developed|showed|presented|lacked|refused|declined|withdrew|experienced|suffered";
    const WERE: &str = "excluded|lost|removed|missing|left|withdrawn|dropped|screened|approached|invited|eligible|identified|ineligible|assessed|unavailable|alive|dead|deceased|censored|treated|operated|asymptomatic|male|female|younger|older";
    let verb = token_word(tokens, at + 2);
    let were = is(verb, "was|were") && is(token_word(tokens, at + 3), WERE);
    !is(word_before(tokens, at, 1), "of|all|the") && (is(verb, BEHAVED) || were)
}

/// As in "we excluded 10 patients", "after exclusion of 10 patients", "eligible were 400 patients".
fn counted_out(tokens: &[Token], at: usize) -> bool {
    const BEFORE: &str = "excluded|excluding|removed|lost|omitted|dropped|only|another|further|additional|remaining|other";
    const FIRST: &str =
        "eligible|screened|identified|approached|invited|assessed|retrieved|searched";
    const LOSS: &str = "exclusion|exclusions|removal|loss|omission";
    let back = |n: usize| word_before(tokens, at, n);
    is(back(1), BEFORE)
        || is(back(1), FIRST)
        || is(back(2), FIRST)
        || back(1) == "of" && is(back(2), LOSS)
}

/// As in "in 25 patients, maps were missing", "the 12 patients with missing maps".
fn lack_something(tokens: &[Token], at: usize) -> bool {
    const LACKING: &str =
        "missing|unavailable|absent|lacking|inconclusive|repeated|incomplete";
    const WITH: &str = "missing|incomplete|unavailable|available|prior|previous|additional|recurrent|multiple";
    let opens = is(word_before(tokens, at, 1), "in|for");
    let behind = tokens[at + 2..].iter().take(8);
    opens && behind.map(Token::word).any(|word| is(word, LACKING))
        || is(token_word(tokens, at + 2), "with|without")
            && is(token_word(tokens, at + 3), WITH)
}

/// As in "patients (n = 12) with prior surgery were excluded".
fn named_out(tokens: &[Token], at: usize) -> bool {
    const OUT: &str = "excluded|removed|missing|lost|unavailable|withdrew";
    word_before(tokens, at, 2) == "n"
        && tokens[at + 1..].iter().take(10).any(|token| is(token.word(), OUT))
}

/// As in "6 of 100 000 people": what is divided by a round number of the population.
fn is_rate(tokens: &[Token], at: usize, number: &Number) -> bool {
    const ROUND: [f64; 4] = [1e3, 1e4, 1e5, 1e6];
    let before = at.checked_sub(1).map_or("", |at| tokens[at].word());
    ROUND.contains(&number.value) && ["of", "in", "per"].contains(&before)
}

/// As in "in 2019 patients were asked".
fn is_year(tokens: &[Token], at: usize, number: &Number) -> bool {
    const WHEN: [&str; 8] =
        ["in", "since", "until", "from", "between", "during", "before", "after"];
    let before = at.checked_sub(1).map_or("", |at| tokens[at].word());
    number.bare && (1900.0..2100.0).contains(&number.value) && WHEN.contains(&before)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each number with what it is taken for.
    fn read(text: &str) -> Vec<String> {
        let said = |typed: &Typed| {
            let what = match typed.what {
                What::Measure(measure) => measure.key.to_string(),
                What::IntervalOf(measure) => format!("{} interval", measure.key),
                What::Patients => "patients".to_string(),
                What::Events => "events".to_string(),
            };
            format!("{what} {}", typed.written)
        };
        typed(text, MUTATIONS).iter().flat_map(|(_, found)| found).map(said).collect()
    }

    #[test]
    fn measures_are_read_as_authors_write_them() {
        for (text, found) in [
            ("The AUC was 0.91 in the cohort.", "auroc 0.91"),
            ("The area under the curve was 0.91.", "auroc 0.91"),
            ("The C-statistic was 0.91.", "auroc 0.91"),
            ("The AUC reached .91 here.", "auroc .91"),
            ("The AUC was found in testing to be 0.91.", "auroc 0.91"),
            ("The AUROC was 91 % in testing.", "auroc 91 %"),
            ("The AUROC was 91% in testing.", "auroc 91%"),
            ("AUC=0.91", "auroc 0.91"),
            ("AUC (0.91)", "auroc 0.91"),
            ("The AUC was 0·91.", "auroc 0·91"),
            ("AUROC von 0,91", "auroc 0,91"),
            ("A 0.91 AUC was reached.", "auroc 0.91"),
            (
                "The area under the receiver operating characteristic curve (AUC) was 0.91.",
                "auroc 0.91",
            ),
            ("the calibration slope was 1.00", "calibration_slope 1.00"),
            ("A slope of 1.32 was found.", "calibration_slope 1.32"),
            (
                "Sensitivity was 0.99 and specificity 0.98.",
                "sensitivity 0.99|specificity 0.98",
            ),
            (
                "Sensitivity and specificity were 0.99 and 0.98, respectively.",
                "sensitivity 0.99|specificity 0.98",
            ),
            ("AUCs of 0.75 and 0.81.", "auroc 0.75|auroc 0.81"),
            (
                "An AUC of 0.75 (95 % CI 0.10–0.99).",
                "auroc 0.75|auroc interval 0.10 to 0.99",
            ),
            (
                "An AUC of 0.75 (95% CI: 0.10 to 0.99) and a Brier score of 0.21.",
                "auroc 0.75|auroc interval 0.10 to 0.99|brier 0.21",
            ),
            ("AUC 0.75 (0.60-0.85)", "auroc 0.75|auroc interval 0.60 to 0.85"),
            ("AUC 0.75 [0.60, 0.85]", "auroc 0.75|auroc interval 0.60 to 0.85"),
            ("AUC 0.75 (0.60; 0.85)", "auroc 0.75|auroc interval 0.60 to 0.85"),
            ("areas under the ROC curves of 0.75", "auroc 0.75"),
            ("A calibration intercept of 2.5 was found.", "calibration_intercept 2.5"),
            ("Log loss was 1.2 and MCC 0.41.", "log_loss 1.2|mcc 0.41"),
            (
                "AUC 0.75, 95 % confidence interval 0.60, 0.85",
                "auroc 0.75|auroc interval 0.60 to 0.85",
            ),
            (
                "The AUC was {{results.auroc.here}} (95 % CI 0.10 to 0.99).",
                "auroc interval 0.10 to 0.99",
            ),
            ("The AUC was {{results.auroc.here}}, as planned in 0.5 of it.", ""),
            ("A sensitivity analysis left out 0.20 of the rows.", ""),
            ("A sensitivity of at least 0.80 was wanted.", ""),
            ("At a threshold of 0.41 the sensitivity was 0.80.", "sensitivity 0.80"),
            ("The AUC was better than chance (p = 0.01).", ""),
            ("The gain in AUC was 0.05.", ""),
            ("The AUC differed by 0.05.", ""),
            ("85% sensitivity and 78% specificity", "sensitivity 85%|specificity 78%"),
            ("The AUC rose from 0.70 to 0.85.", "auroc 0.70|auroc 0.85"),
            ("AUCs ranged from 0.60 to 0.85.", ""),
            ("A sensitivity of eighty-five per cent.", "sensitivity eighty five"),
            ("A lower limit of the AUROC above 0.60 counts.", ""),
            ("Version 3.1.0 of the program and 1p/19q.", ""),
        ] {
            assert_eq!(read(text).join("|"), found, "{text}");
        }
    }

    #[test]
    fn patients_and_events_are_counted() {
        for (text, found) in [
            ("Among 500 glioma patients it worked.", "patients 500"),
            ("In 1,600 patients", "patients 1,600"),
            ("In 1\u{202f}600 patients", "patients 1\u{202f}600"),
            ("69 of 160 patients had it", "patients 160"),
            ("In 500 patients with 300 mutations.", "patients 500|events 300"),
            ("N=500 were analysed.", "patients 500"),
            ("There were 95 events.", "events 95"),
            ("12 patients positive of 40", "events 12"),
            ("Ten events per predictor, at least 10 events per predictor.", ""),
            ("10 events per candidate predictor", ""),
            ("Groups with <5 events are left out.", ""),
            ("Grade 2 and 3 glioma patients", ""),
            ("65 year old patients", ""),
            ("In 2019 patients were asked.", ""),
            ("In 12 345 patients", "patients 12 345"),
            ("At site 1 160 patients were seen.", "patients 160"),
            ("It affects 6 of 100 000 people.", ""),
            ("Every year 20 000 people fall ill.", ""),
            ("Seizures were seen in 30 patients.", ""),
            ("30 patients had seizures.", ""),
            ("5-fold cross-validation in 5 repeats", ""),
            ("Net benefit per 100 patients", ""),
            ("91 % of patients", ""),
            ("In {{results.n.here}} patients", ""),
            (
                "One hundred and seven patients were included.",
                "patients one hundred and seven",
            ),
            ("Two hundred patients", "patients two hundred"),
            // Of what rates are given for, in digits and in words.
            ("A sample of one hundred thousand patients", ""),
            ("A sample of 100 000 patients", ""),
            (
                "Two hundred and ten thousand patients",
                "patients two hundred and ten thousand",
            ),
            ("Ten million patients", ""),
            ("A total of forty-five adults", "patients forty five"),
            (
                "One thousand, two hundred and three subjects",
                "patients one thousand two hundred and three",
            ),
            ("Two readers saw three patients.", ""),
            ("Twenty-first century patients", ""),
            ("Twelve-month follow-up of patients", ""),
            ("Ten patients were excluded.", ""),
            ("The sample size was 107.", "patients 107"),
            ("A cohort of 107 was studied.", "patients 107"),
            ("A cohort of 107 slices was studied.", ""),
            ("107 cases were analysed.", "patients 107"),
            ("107 men and women took part.", "patients 107"),
            ("The 160-patient cohort", "patients 160"),
            ("40 patients had a mutation.", "events 40"),
            ("Mutations were found in 40 of 160 patients.", "events 40|patients 160"),
            ("After exclusion of 40 patients, it held.", ""),
            ("Patients (n = 12) with prior surgery were excluded.", ""),
            ("We screened 400 patients.", ""),
            ("The 12 patients with missing maps stayed in.", ""),
            ("40 patients had a TERT mutation.", ""),
            ("Of the 160 patients, 40 were mutated.", "patients 160|events 40"),
            ("On day 107 patients were scanned again.", ""),
        ] {
            assert_eq!(read(text).join("|"), found, "{text}");
        }
    }

    #[test]
    fn a_number_is_a_result_that_rounds_to_it() {
        let one = |text: &str| typed(text, &[]).remove(0).1.remove(0).numbers[0];
        assert!(one("AUC 0.75").is(0.7549) && !one("AUC 0.75").is(0.7551));
        assert!(one("AUC .7").is(0.7499) && one("AUC 75 %").is(0.7549));
        assert!(one("slope −0.75").is(-0.75));
        assert!(one("AUC 0.750").is(0.75) && !one("AUC 0.750").is(0.751));
        assert_eq!(one("1,600 patients").count(), Some(1600));
    }
}
