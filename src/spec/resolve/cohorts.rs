//! Cohorts: where their rows come from, what they join, which rules they keep.

use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::spec::keys;
use crate::spec::reader::{Fields, Reader};
use crate::spec::syntax::{Kind as Syntax, Node};
use crate::spec::{
    Cohort, CohortRule, ColumnMap, Interval, Join, MappedColumn, Named, Rule,
};

impl Reader<'_> {
    /// Every cohort; a part of another has inherited what that one joins.
    pub fn cohorts(&mut self, fields: &Fields<'_>) -> Vec<Cohort> {
        let written: Vec<Cohort> = self.each(fields, "cohorts", Self::cohort);
        let mut cohorts: Vec<Cohort> = Vec::new();
        for cohort in &written {
            let mut chain: Vec<&Cohort> = vec![cohort];
            let mut sound = true;
            while let Some(of) = chain.last().and_then(|last| last.of.as_ref()) {
                let known = written.iter().map(|cohort| cohort.name.as_str());
                if !self.known(of, "cohort", known) {
                    sound = false;
                    break;
                }
                let Some(base) = written.iter().find(|base| base.name == of.name) else {
                    break;
                };
                if chain.iter().any(|known| known.name == base.name) {
                    let message = format!("cohort `{}` is a part of itself", cohort.name);
                    self.error(Code::UNKNOWN_NAME, of.span, message);
                    sound = false;
                    break;
                }
                chain.push(base);
            }
            if !sound {
                continue;
            }
            let mut whole = cohort.clone();
            for base in &chain[1..] {
                if whole.from.name.is_empty() {
                    whole.from = base.from.clone();
                }
                // What the base joins stands first, as it is joined first.
                let own = std::mem::take(&mut whole.join);
                whole.join = base.join.clone();
                for join in own {
                    if !whole.join.iter().any(|known| known.source == join.source) {
                        whole.join.push(join);
                    }
                }
                whole.subject = whole.subject.or_else(|| base.subject.clone());
                whole.site = whole.site.or_else(|| base.site.clone());
                whole.rater = whole.rater.or_else(|| base.rater.clone());
                if whole.map.is_empty() {
                    whole.map.clone_from(&base.map);
                }
                if whole.same_as.is_empty() {
                    whole.same_as.clone_from(&base.same_as);
                }
                whole.failed_at_most = whole.failed_at_most.max(base.failed_at_most);
            }
            cohorts.push(whole);
        }
        cohorts
    }

    fn cohort(&mut self, named: Named, node: &Node) -> Option<Cohort> {
        let fields = self.block(node, &keys::COHORT)?;
        let of = fields.get("of").and_then(|node| self.text(node, "`of`"));
        let mut column = |name: &str| {
            fields.get(name).and_then(|node| self.text(node, &format!("`{name}`")))
        };
        let (subject, site, rater) = (column("subject"), column("site"), column("rater"));
        let relation = self.prose(&fields, "relation");
        let base =
            fields.get("role").and_then(|node| self.word(node, "`role`", &["base"]));
        let sealed = fields.get("sealed").and_then(|node| self.truth(node, "`sealed`"));
        let failed_at_most = match fields.get("failed_at_most") {
            Some(node) => self.count(node, "`failed_at_most`").unwrap_or(0) as usize,
            None => 0,
        };
        let mut rules = Vec::new();
        for (key, node) in fields.iter() {
            if key.name == "include" || key.name == "exclude" {
                self.rules(node, key.name == "include", &mut rules);
            }
        }
        let from = match fields.get("from") {
            Some(node) => self.text(node, "`from`")?,
            // Inherited from the cohort of which it is a part.
            None => Named { name: String::new(), span: of.as_ref()?.span },
        };
        Some(Cohort {
            name: named.name,
            span: named.span,
            of,
            base: base.is_some(),
            from,
            join: self.joins(&fields),
            subject: subject.filter(|column| column.name != "id"),
            site,
            rater,
            interval: fields.get("time").and_then(|node| self.interval(node)),
            same_as: self.same_as(&fields),
            rules,
            sealed: sealed.unwrap_or(false),
            relation,
            map: self.each(&fields, "map", Self::column_map),
            failed_at_most,
        })
    }

    fn joins(&mut self, fields: &Fields<'_>) -> Vec<Join> {
        let mut join: Vec<Join> = Vec::new();
        if let Some(node) = fields.get("join")
            && let Some(entries) = self.named(node, "`join`")
        {
            for (key, value) in entries.iter() {
                let Some(word) = self.word(value, "a join", &["required", "optional"])
                else {
                    continue;
                };
                let source = Named { name: key.name.clone(), span: key.span };
                join.push(Join { source, required: word == "required" });
            }
        }
        join
    }

    fn same_as(&mut self, fields: &Fields<'_>) -> Vec<(String, String)> {
        let Some(node) = fields.get("same_as") else { return Vec::new() };
        let Some(entries) = self.named(node, "`same_as`") else { return Vec::new() };
        let mut aliases: Vec<(String, String)> = Vec::new();
        for (key, value) in entries.iter() {
            let Some(text) = self.text(value, "an id") else { continue };
            if entries.get(&text.name).is_some() {
                let message = "the id that counts is itself declared to be another";
                self.error(Code::OUT_OF_RANGE, text.span, message);
                continue;
            }
            aliases.push((key.name.clone(), text.name));
        }
        aliases
    }

    fn interval(&mut self, node: &Node) -> Option<Interval> {
        let fields = self.block(node, &keys::INTERVAL)?;
        let imaging = self.text(fields.get("imaging")?, "`imaging`")?;
        let outcome = self.text(fields.get("outcome")?, "`outcome`")?;
        let at_most = self.text(fields.get("at_most")?, "`at_most`")?;
        let days = at_most.name.strip_suffix("days").or(at_most.name.strip_suffix("day"));
        let days = days.and_then(|days| days.trim().parse().ok());
        let Some(days) = days.filter(|days: &i64| *days >= 0) else {
            let message = "an interval is a number of days, such as `30 days`";
            self.error(Code::WRONG_TYPE, at_most.span, message);
            return None;
        };
        Some(Interval { imaging, outcome, days })
    }

    fn rules(&mut self, node: &Node, keeps: bool, rules: &mut Vec<CohortRule>) {
        for item in self.list(node, if keeps { "`include`" } else { "`exclude`" }) {
            let Some(fields) = self.block(item, &keys::RULE) else { continue };
            let rule = fields.get("rule").and_then(|node| self.rule(node, "a rule"));
            let reason = self.prose(&fields, "reason");
            if let (Some((rule, text)), Some(reason)) = (rule, reason) {
                let span = text.span;
                rules.push(CohortRule { keeps, rule, text: text.name, reason, span });
            }
        }
    }

    /// A rule with its text.
    pub fn rule(&mut self, node: &Node, what: &str) -> Option<(Rule, Named)> {
        let text = self.text(node, what)?;
        match Rule::parse(&text.name) {
            Ok(rule) => Some((rule, text)),
            Err(error) => {
                // Where the text stands as it was written, the place within it is known.
                let written = self.text.get(text.span.start..).unwrap_or("");
                let quote = usize::from(written.starts_with(['"', '\'']));
                let as_is =
                    written.get(quote..).is_some_and(|w| w.starts_with(&text.name));
                let span = match as_is {
                    true => {
                        let start = text.span.start + quote + error.at;
                        let rest = &text.name[error.at.min(text.name.len())..];
                        let end = rest.find(' ').unwrap_or(rest.len()).max(1);
                        Span { start, end: start + end }
                    }
                    false => text.span,
                };
                let mut fault =
                    Diagnostic::error(Code::RULE, Place::Study(span), error.message);
                fault.hints.extend(error.hint);
                self.push(fault);
                None
            }
        }
    }

    fn column_map(&mut self, of: Named, node: &Node) -> Option<ColumnMap> {
        let fields = self.block(node, &keys::COLUMN_MAP)?;
        let from = self.text(fields.get("from")?, "`from`")?;
        let mut columns = Vec::new();
        if let Some(node) = fields.get("columns")
            && let Some(entries) = self.named(node, "`columns`")
        {
            for (key, value) in entries.iter() {
                let name = Named { name: key.name.clone(), span: key.span };
                columns.extend(self.mapped(name, value));
            }
        }
        Some(ColumnMap { of, from, columns })
    }

    fn mapped(&mut self, name: Named, node: &Node) -> Option<MappedColumn> {
        let (column, times, add) = match &node.kind {
            Syntax::Map(_) => {
                let fields = self.block(node, &keys::MAPPED)?;
                let column = self.text(fields.get("column")?, "`column`")?;
                let mut number = |key: &str, default: f64| match fields.get(key) {
                    Some(node) => self.number(node, &format!("`{key}`")),
                    None => Some(default),
                };
                (column, number("times", 1.0)?, number("add", 0.0)?)
            }
            _ => (self.text(node, "a column")?, 1.0, 0.0),
        };
        for text in [&name, &column] {
            if text.name.matches('*').count() > 1 {
                let message = "a mapped name holds one `*` at most";
                self.error(Code::OUT_OF_RANGE, text.span, message);
                return None;
            }
        }
        if column.name.contains('*') && !name.name.contains('*') {
            let message =
                format!("nothing says what the `*` stands for in `{}`", column.name);
            self.error(Code::OUT_OF_RANGE, column.span, message);
            return None;
        }
        Some(MappedColumn { name, column: column.name, times, add })
    }
}
