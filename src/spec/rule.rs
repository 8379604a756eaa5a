//! The small language of cohort rules: columns compared, joined by `and`, `or`, `not`.
//!
//! A comparison with a missing cell is neither true nor false; `include` keeps what is true,
//! `exclude` removes what is true.

use std::cmp::Ordering;

/// A condition on one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    Compare {
        column: String,
        how: Comparison,
        with: Operand,
    },
    /// `in [..]`
    Among {
        column: String,
        values: Vec<Literal>,
    },
    /// `is missing`
    Missing {
        column: String,
    },
    /// `starts with`, `ends with`, `contains`
    Text {
        column: String,
        test: TextTest,
        text: String,
    },
    /// `in COHORT`
    Member {
        cohort: String,
    },
    Not(Box<Rule>),
    And(Box<Rule>, Box<Rule>),
    Or(Box<Rule>, Box<Rule>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a text is asked for another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    Starts,
    Ends,
    Contains,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Literal(Literal),
    Column(String),
}

/// A value that is written in the rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    Number(f64),
    Date(Date),
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u32,
    day: u32,
}

impl Date {
    /// `2020-01-31`; `None` when there is no such day.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        let (year, month, day) =
            (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let longest = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        (1..=longest).contains(&day).then_some(Self { year, month, day })
    }

    /// Days since the first of March of the year 0, in the calendar of today.
    pub fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month < 3);
        let month = (i64::from(self.month) + 9) % 12;
        365 * year + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (month * 306 + 5) / 10
            + i64::from(self.day)
            - 1
    }
}

/// Why a rule cannot be read: at which byte, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    pub at: usize,
    pub message: String,
    pub hint: Option<String>,
}

/// A cell that a rule cannot compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomparable {
    pub column: String,
    pub cell: String,
    /// "a number" or "a date (YYYY-MM-DD)".
    pub needed: &'static str,
}

impl Rule {
    /// Reads a rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), depth: 0 };
        let rule = parser.either()?;
        match parser.tokens.get(parser.next) {
            None => Ok(rule),
            Some((at, token)) => Err(RuleError {
                at: *at,
                message: format!("{} stands where the rule should end", token.shown()),
                hint: Some("join conditions by `and` or `or`".to_string()),
            }),
        }
    }

    /// The columns that it reads.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Compare { column, with: Operand::Column(other), .. } => {
                vec![column, other]
            }
            Self::Compare { column, .. }
            | Self::Among { column, .. }
            | Self::Missing { column }
            | Self::Text { column, .. } => vec![column],
            Self::Member { .. } => Vec::new(),
            Self::Not(rule) => rule.columns(),
            Self::And(a, b) | Self::Or(a, b) => {
                let mut columns = a.columns();
                columns.extend(b.columns());
                columns
            }
        }
    }

    /// The texts that it compares cells with as a whole, each with its column.
    pub fn texts(&self) -> Vec<(&str, &str)> {
        fn text(literal: &Literal) -> Option<&str> {
            match literal {
                Literal::Text(text) => Some(text),
                _ => None,
            }
        }
        match self {
            Self::Compare {
                column,
                how: Comparison::Equal | Comparison::Unequal,
                with: Operand::Literal(literal),
            } => text(literal).map(|text| (column.as_str(), text)).into_iter().collect(),
            Self::Among { column, values } => values
                .iter()
                .filter_map(text)
                .map(|text| (column.as_str(), text))
                .collect(),
            Self::Not(rule) => rule.texts(),
            Self::And(a, b) | Self::Or(a, b) => {
                let mut texts = a.texts();
                texts.extend(b.texts());
                texts
            }
            _ => Vec::new(),
        }
    }

    /// The cohorts that it names.
    pub fn cohorts(&self) -> Vec<&str> {
        match self {
            Self::Member { cohort } => vec![cohort],
            Self::Not(rule) => rule.cohorts(),
            Self::And(a, b) | Self::Or(a, b) => {
                let mut cohorts = a.cohorts();
                cohorts.extend(b.cohorts());
                cohorts
            }
            _ => Vec::new(),
        }
    }

    /// What it says of a row; `None` when a missing cell leaves it open.
    ///
    /// `cell` gives the cell of a column, `None` when it is missing; `member` says whether the
    /// row's patient is in a cohort.
    pub fn holds<'c>(
        &self,
        cell: &dyn Fn(&str) -> Option<&'c str>,
        member: &dyn Fn(&str) -> bool,
    ) -> Result<Option<bool>, Incomparable> {
        Ok(match self {
            Self::Missing { column } => Some(cell(column).is_none()),
            Self::Member { cohort } => Some(member(cohort)),
            Self::Not(rule) => rule.holds(cell, member)?.map(|holds| !holds),
            Self::And(a, b) => match (a.holds(cell, member)?, b.holds(cell, member)?) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(cell, member)?, b.holds(cell, member)?) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Text { column, test, text } => cell(column).map(|cell| match test {
                TextTest::Starts => cell.starts_with(text),
                TextTest::Ends => cell.ends_with(text),
                TextTest::Contains => cell.contains(text),
            }),
            Self::Among { column, values } => {
                let Some(found) = cell(column) else { return Ok(None) };
                let mut among = false;
                for value in values {
                    among |= compare(column, found, value)? == Ordering::Equal;
                }
                Some(among)
            }
            Self::Compare { column, how, with } => {
                let Some(found) = cell(column) else { return Ok(None) };
                let order = match with {
                    Operand::Literal(literal) => compare(column, found, literal)?,
                    Operand::Column(other) => {
                        let Some(other) = cell(other) else { return Ok(None) };
                        between(column, found, other, *how)?
                    }
                };
                Some(how.fits(order))
            }
        })
    }
}

impl Comparison {
    fn fits(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::Unequal => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::AtMost => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::AtLeast => order != Ordering::Less,
        }
    }

    fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }
}

fn number(column: &str, cell: &str) -> Result<f64, Incomparable> {
    let number = cell.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Incomparable {
        column: column.to_string(),
        cell: cell.to_string(),
        needed: "a number",
    })
}

fn date(column: &str, cell: &str) -> Result<Date, Incomparable> {
    Date::parse(cell).ok_or_else(|| Incomparable {
        column: column.to_string(),
        cell: cell.to_string(),
        needed: "a date (YYYY-MM-DD)",
    })
}

fn compare(column: &str, cell: &str, with: &Literal) -> Result<Ordering, Incomparable> {
    Ok(match with {
        Literal::Text(text) => cell.cmp(text.as_str()),
        Literal::Number(value) => number(column, cell)?.total_cmp(value),
        Literal::Date(day) => date(column, cell)?.cmp(day),
    })
}

/// Two cells: as numbers or days where they are ordered, else as text.
fn between(
    column: &str,
    a: &str,
    b: &str,
    how: Comparison,
) -> Result<Ordering, Incomparable> {
    match (Date::parse(a), Date::parse(b)) {
        (Some(a), Some(b)) => Ok(a.cmp(&b)),
        _ if how.orders() => Ok(number(column, a)?.total_cmp(&number(column, b)?)),
        _ => Ok(a.cmp(b)),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A bare word or a name in backticks.
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => format!("`{number}`"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

const SIGNS: [&str; 12] =
    ["==", "!=", "<=", ">=", "<", ">", "=", "(", ")", "[", "]", ","];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, RuleError> {
    let wrong = |at: usize, message: String| RuleError { at, message, hint: None };
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if c == '\'' || c == '"' {
            let end = rest[1..].find(c);
            let end = end
                .ok_or_else(|| wrong(at, "a quote is opened and never closed".into()))?;
            tokens.push((at, Token::Text(rest[1..=end].to_string())));
            at += end + 2;
        } else if c.is_ascii_digit()
            || (c == '-' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let end = rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
                .map_or(rest.len(), |end| end + 1);
            let number =
                rest[..end].parse().ok().filter(|number: &f64| number.is_finite());
            let number = number.ok_or_else(|| RuleError {
                at,
                message: format!("`{}` is no number", &rest[..end]),
                hint: Some(
                    "text stands in quotes, a day as `date '2020-01-31'`".to_string(),
                ),
            })?;
            tokens.push((at, Token::Number(number)));
            at += end;
        } else if c.is_alphabetic() || c == '_' || c == '`' {
            let (name, length) = name(rest).ok_or_else(|| {
                wrong(at, "a backtick is opened and never closed".into())
            })?;
            tokens.push((at, Token::Name(name)));
            at += length;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push((at, Token::Sign(sign)));
            at += sign.len();
        } else {
            return Err(wrong(at, format!("`{c}` means nothing here")));
        }
    }
    Ok(tokens)
}

/// A name such as `clinic.age` or `` clinic.`Age at MRI` `` or `quality.voxels[core]`, and how
/// many bytes it takes.
fn name(text: &str) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if let Some(quoted) = rest.strip_prefix('`') {
            let end = quoted.find('`')?;
            name.push_str(&quoted[..end]);
            at += end + 2;
        } else {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let end = end.unwrap_or(rest.len());
            name.push_str(&rest[..end]);
            at += end;
            if let Some(part) = text[at..].strip_prefix('[')
                && let Some(end) = part.find(']')
                && part[..end].chars().all(|c| c.is_alphanumeric() || c == '_')
                && end > 0
            {
                name.push_str(&text[at..at + end + 2]);
                at += end + 2;
            }
        }
        let more = text[at..].strip_prefix('.');
        if more.is_some_and(|more| {
            more.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '`')
        }) {
            name.push('.');
            at += 1;
        } else {
            return Some((name, at));
        }
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token)],
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn wrong<T>(&self, needed: &str) -> Result<T, RuleError> {
        let found = self.peek().map_or("the end".to_string(), Token::shown);
        let message = format!("{needed} is needed, and this is {found}");
        Err(RuleError { at: self.at(), message, hint: None })
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(name)) if name == word);
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn either(&mut self) -> Result<Rule, RuleError> {
        let mut rule = self.both()?;
        while self.word("or") {
            rule = Rule::Or(Box::new(rule), Box::new(self.both()?));
        }
        Ok(rule)
    }

    fn both(&mut self) -> Result<Rule, RuleError> {
        let mut rule = self.negated()?;
        while self.word("and") {
            rule = Rule::And(Box::new(rule), Box::new(self.negated()?));
        }
        Ok(rule)
    }

    fn negated(&mut self) -> Result<Rule, RuleError> {
        self.depth += 1;
        if self.depth > 100 {
            return self.wrong("a rule that is nested less deeply");
        }
        let rule = match self.word("not") {
            true => Rule::Not(Box::new(self.negated()?)),
            false => self.one()?,
        };
        self.depth -= 1;
        Ok(rule)
    }

    fn one(&mut self) -> Result<Rule, RuleError> {
        if self.sign("(") {
            let rule = self.either()?;
            return match self.sign(")") {
                true => Ok(rule),
                false => self.wrong("`)`"),
            };
        }
        if self.word("in") {
            let cohort = self.name("the name of a cohort")?;
            return Ok(Rule::Member { cohort });
        }
        let column = self.name("a column")?;
        if self.word("is") {
            let not = self.word("not");
            if !self.word("missing") {
                return self.wrong("`missing`");
            }
            let missing = Rule::Missing { column };
            return Ok(if not { Rule::Not(Box::new(missing)) } else { missing });
        }
        let not = self.word("not");
        if self.word("in") {
            let among = Rule::Among { column, values: self.list()? };
            return Ok(if not { Rule::Not(Box::new(among)) } else { among });
        }
        let tests = [
            ("starts", TextTest::Starts),
            ("ends", TextTest::Ends),
            ("contains", TextTest::Contains),
        ];
        for (word, test) in tests {
            if self.word(word) {
                if test != TextTest::Contains && !self.word("with") {
                    return self.wrong("`with`");
                }
                let Some(Token::Text(text)) = self.peek() else {
                    return self.wrong("text in quotes");
                };
                let rule = Rule::Text { column, test, text: text.clone() };
                self.next += 1;
                return Ok(if not { Rule::Not(Box::new(rule)) } else { rule });
            }
        }
        if not {
            return self.wrong("`in`, `starts with`, `ends with` or `contains`");
        }
        let how = self.comparison()?;
        let at = self.at();
        let with = self.operand()?;
        if how.orders() && matches!(with, Operand::Literal(Literal::Text(_))) {
            return Err(RuleError {
                at,
                message: "text has no order".to_string(),
                hint: Some(
                    "compare with a number, or with a day as `date '2020-01-31'`".into(),
                ),
            });
        }
        Ok(Rule::Compare { column, how, with })
    }

    fn comparison(&mut self) -> Result<Comparison, RuleError> {
        let all = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, how) in all {
            if self.sign(sign) {
                return Ok(how);
            }
        }
        if self.peek() == Some(&Token::Sign("=")) {
            let message = "`=` means nothing here".to_string();
            let hint = Some("write `==`".to_string());
            return Err(RuleError { at: self.at(), message, hint });
        }
        self.wrong("a comparison such as `==`, `<`, `in` or `is missing`")
    }

    fn name(&mut self, needed: &str) -> Result<String, RuleError> {
        const WORDS: [&str; 5] = ["and", "or", "not", "in", "is"];
        match self.peek() {
            Some(Token::Name(name)) if !WORDS.contains(&name.as_str()) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => self.wrong(needed),
        }
    }

    fn operand(&mut self) -> Result<Operand, RuleError> {
        match self.peek() {
            Some(Token::Name(name)) if name != "date" => {
                let name = name.clone();
                self.next += 1;
                Ok(Operand::Column(name))
            }
            _ => self.literal().map(Operand::Literal),
        }
    }

    fn literal(&mut self) -> Result<Literal, RuleError> {
        let day = self.word("date");
        let literal = match self.peek() {
            Some(Token::Text(text)) if day => match Date::parse(text) {
                Some(day) => Literal::Date(day),
                None => return self.wrong("a day such as '2020-01-31'"),
            },
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) if !day => Literal::Number(*number),
            _ => return self.wrong("a number or text in quotes"),
        };
        self.next += 1;
        Ok(literal)
    }

    fn list(&mut self) -> Result<Vec<Literal>, RuleError> {
        if !self.sign("[") {
            return self.wrong("a list such as ['a', 'b']");
        }
        let mut values = vec![self.literal()?];
        while self.sign(",") {
            values.push(self.literal()?);
        }
        match self.sign("]") {
            true => Ok(values),
            false => self.wrong("`,` or `]`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_stand_with_their_columns() {
        let rule =
            "site == 'A' or not (grade in ['II', 'IV'] and age > 4 and x contains 'y')";
        let rule = Rule::parse(rule).unwrap();
        assert_eq!(rule.texts(), [("site", "A"), ("grade", "II"), ("grade", "IV")]);
    }

    fn cell(name: &str) -> Option<&'static str> {
        match name {
            "site" => Some("02"),
            "clinic.age" => Some("61.5"),
            "clinic.Age at MRI" => Some("40"),
            "mri" => Some("2019-12-31"),
            "surgery" => Some("2020-02-01"),
            _ => None,
        }
    }

    fn holds(text: &str) -> Option<bool> {
        let rule = Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        rule.holds(&cell, &|cohort| cohort == "development").unwrap()
    }

    #[test]
    fn rules_say_what_they_say() {
        let cases = [
            ("site == '02'", Some(true)),
            ("site != '02'", Some(false)),
            ("site in ['02', \"06\"]", Some(true)),
            ("site not in ['02']", Some(false)),
            ("clinic.age >= 61.5 and clinic.age < 100", Some(true)),
            ("clinic.`Age at MRI` == 40", Some(true)),
            ("clinic.age in [61.5, 2]", Some(true)),
            ("absent > 3", None),
            ("not absent > 3", None),
            ("absent is missing", Some(true)),
            ("site is not missing", Some(true)),
            ("absent > 3 or site == '02'", Some(true)),
            ("absent > 3 and site == '03'", Some(false)),
            ("in development", Some(true)),
            ("not in development", Some(false)),
            ("not in other and (site == '01' or site == '02')", Some(true)),
            ("mri < date '2020-01-01'", Some(true)),
            ("mri < surgery", Some(true)),
            ("site starts with '0' and site ends with '2'", Some(true)),
            ("site not contains '9'", Some(true)),
            ("site == '01' or site == '02' and clinic.age < 0", Some(false)),
        ];
        for (text, expected) in cases {
            assert_eq!(holds(text), expected, "{text}");
        }
        let rule = Rule::parse("site > 1").unwrap();
        assert_eq!(rule.holds(&cell, &|_| false), Ok(Some(true)));
        let wrong = Rule::parse("mri > 1").unwrap().holds(&cell, &|_| false).unwrap_err();
        assert_eq!((wrong.cell.as_str(), wrong.needed), ("2019-12-31", "a number"));
        let rule = Rule::parse("a == b and in x or c is missing").unwrap();
        assert_eq!((rule.columns(), rule.cohorts()), (vec!["a", "b", "c"], vec!["x"]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("site = 'a'", 5, "`=` means nothing"),
            ("site == ", 8, "the end"),
            ("site == 'a", 8, "never closed"),
            ("site > 'a'", 7, "no order"),
            ("site == 'a' site", 12, "should end"),
            ("site in 'a'", 8, "a list"),
            ("(site == 'a'", 12, "`)`"),
            ("== 3", 0, "a column"),
            ("a is 3", 5, "`missing`"),
            ("a < date '2020-02-30'", 9, "a day"),
            ("a ~ 3", 2, "means nothing"),
            ("a < 1.2.3", 4, "no number"),
        ];
        for (text, at, expected) in cases {
            let error = Rule::parse(text).unwrap_err();
            assert!(
                error.at == at && error.message.contains(expected),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn days_follow_each_other() {
        let days = |text: &str| Date::parse(text).unwrap().days();
        assert_eq!(days("2020-03-01") - days("2020-02-28"), 2);
        assert_eq!(days("2021-03-01") - days("2021-02-28"), 1);
        assert_eq!(days("2001-01-01") - days("2000-01-01"), 366);
        assert_eq!(days("1970-01-01") - days("0000-03-01"), 719_468);
        assert!(Date::parse("2021-02-29").is_none() && Date::parse("2021-2-3").is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z'\"`\\[\\]()<>=!. 0-9é-]{0,60}") {
            if let Ok(rule) = Rule::parse(&text) {
                drop(rule.holds(&cell, &|_| true));
            }
        }
    }
}
