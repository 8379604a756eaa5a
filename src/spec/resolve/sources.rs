//! Sources: files, ids, samples, cells; derived columns.

use std::path::PathBuf;

use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::digest::Digest;
use crate::operation::Kind;
use crate::spec::keys;
use crate::spec::parameters::Grids;
use crate::spec::reader::{Fields, Reader};
use crate::spec::syntax::{Kind as Syntax, Node};
use crate::spec::{
    Cells, Derived, ImageOrigin, Keyed, Named, Origin, Part, Provenance, Sample, Several,
    Source, SourceKind, Use,
};
use crate::units::Unit;

impl Reader<'_> {
    pub fn source(&mut self, named: Named, node: &Node) -> Option<Source> {
        let fields = self.block(node, &keys::SOURCE)?;
        let of_table = ["id", "digest", "read", "sample", "columns", "missing"];
        let allowed: (&str, &[&str]) = if fields.get("table").is_some() {
            ("a table", &of_table)
        } else if fields.get("maf").is_some() {
            (
                "a MAF",
                &["id", "digest", "read", "sample", "columns", "missing", "assayed"],
            )
        } else if fields.get("images").is_some() {
            ("an image set", &["unit", "read"])
        } else {
            ("a simulated source", &[])
        };
        for (key, _) in fields.iter() {
            let of_kind = of_table.iter().chain(&["assayed", "unit"]);
            let of_kind = of_kind.into_iter().any(|known| *known == key.name);
            if of_kind && !allowed.1.contains(&key.name.as_str()) {
                let message = format!("{} has no key `{}`", allowed.0, key.name);
                self.error(Code::UNKNOWN_KEY, key.span, message);
            }
        }
        let kind = if let Some(at) = fields.get("table") {
            let files = self.files(at, fields.get("digest"));
            let reader = self.table_reader(&fields, files.as_deref(), at.span);
            let keyed = self.keyed(&fields);
            SourceKind::Table { files: files?, reader: reader?, keyed: keyed? }
        } else if let Some(at) = fields.get("maf") {
            let files = self.files(at, fields.get("digest"));
            let reader = self.file_reader(&fields, "maf", at.span);
            let keyed = self.keyed(&fields);
            let assayed = self.assayed(&fields, &named);
            SourceKind::Maf { files: files?, reader: reader?, keyed: keyed?, assayed }
        } else if let Some(at) = fields.get("images") {
            let from = self.image_origin(at);
            let reader = self.file_reader(&fields, "nifti", at.span);
            let unit = match fields.get("unit") {
                Some(node) => self.unit(node),
                None => Some(Unit::Arbitrary),
            };
            SourceKind::Images {
                from: from?,
                reader: reader?,
                unit: unit?,
                unit_written: fields.get("unit").is_some(),
            }
        } else {
            let at = fields.get("simulate")?;
            let name = Named {
                name: "simulate".to_string(),
                span: fields.key("simulate")?.span,
            };
            let made =
                self.operation_named(&name, Some(at), Kind::Generator, Grids::Refused)?;
            let (generator, _) = made.into_iter().next()?;
            SourceKind::Simulate { generator }
        };
        let prepared = fields
            .get("prepared")
            .and_then(|n| self.word(n, "`prepared`", &["outside", "none"]));
        Some(Source {
            name: named.name,
            span: named.span,
            kind,
            licence: self.prose(&fields, "licence"),
            citation: self.prose(&fields, "citation"),
            provenance: fields.get("origin").and_then(|node| self.provenance(node)),
            prepared_outside: prepared.map(|word| word == "outside"),
            trained_on: match fields.get("trained_on") {
                Some(node) => {
                    let texts = self.texts(node, "`trained_on`");
                    texts.into_iter().map(|text| text.name).collect()
                }
                None => Vec::new(),
            },
        })
    }

    fn provenance(&mut self, node: &Node) -> Option<Provenance> {
        let fields = self.block(node, &keys::ORIGIN)?;
        Some(Provenance {
            citation: self.prose(&fields, "citation"),
            upstream: self.prose(&fields, "upstream"),
            conversion: self.prose(&fields, "conversion"),
        })
    }

    fn assayed(&mut self, fields: &Fields<'_>, named: &Named) -> Option<Named> {
        let Some(node) = fields.get("assayed") else {
            let fault = Diagnostic::error(
                Code::NOT_ASSAYED,
                Place::Study(named.span),
                format!("nobody says who was sequenced in `{}`", named.name),
            );
            let hint = "add `assayed: { from: SOURCE }`; `from` may be this source itself when \
                        everybody sequenced has a row";
            self.push(fault.hint(hint));
            return None;
        };
        let fields = self.block(node, &keys::ASSAYED)?;
        self.text(fields.get("from")?, "`from`")
    }

    /// How the rows of a table are named, and what its cells mean.
    fn keyed(&mut self, fields: &Fields<'_>) -> Option<Keyed> {
        let Some(node) = fields.get("id") else {
            let message = "a table needs `id`, the column that names the patient";
            self.error(Code::MISSING_KEY, fields.span, message);
            return None;
        };
        let mut keyed = Keyed {
            columns: Vec::new(),
            separator: "-".to_string(),
            part: Part::Whole,
            leaves_out_nameless: false,
            sample: None,
            missing: Vec::new(),
            cells: Vec::new(),
        };
        match &node.kind {
            Syntax::Map(_) => {
                let of_id = self.block(node, &keys::ID)?;
                if let Some(column) = of_id.get("column") {
                    keyed.columns.extend(self.text(column, "`column`"));
                }
                if let Some(columns) = of_id.get("columns") {
                    keyed.columns.extend(self.texts(columns, "`columns`"));
                }
                if let Some(separator) = self.prose(&of_id, "separator") {
                    keyed.separator = separator;
                }
                keyed.part = self.part(&of_id, "take");
                let empty = of_id.get("empty");
                let empty =
                    empty.and_then(|n| self.word(n, "`empty`", &["refuse", "leave out"]));
                keyed.leaves_out_nameless = empty.as_deref() == Some("leave out");
            }
            _ => keyed.columns.extend(self.text(node, "`id`")),
        }
        if let Some(node) = fields.get("sample") {
            keyed.sample = self.sample(node);
        }
        if let Some(node) = fields.get("missing") {
            let texts = self.cell_texts(node, "`missing`");
            keyed.missing = texts.into_iter().map(|text| text.name).collect();
        }
        for (column, node) in self.entries(fields, "columns") {
            keyed.cells.extend(self.cells(column, node));
        }
        (!keyed.columns.is_empty()).then_some(keyed)
    }

    /// Cells as they stand in a table, where a number is text as well.
    fn cell_texts(&mut self, node: &Node, what: &str) -> Vec<Named> {
        let items = match &node.kind {
            Syntax::List(_) => self.list(node, what),
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.kind {
                Syntax::Number(number)
                    if self.written(item.span) == number.to_string() =>
                {
                    texts.push(Named { name: number.to_string(), span: item.span });
                }
                _ => texts.extend(self.text(item, what)),
            }
        }
        texts
    }

    fn cells(&mut self, column: Named, node: &Node) -> Option<Cells> {
        let fields = self.block(node, &keys::COLUMN)?;
        let missing =
            fields.get("missing").map(|node| self.cell_texts(node, "`missing`"));
        Some(Cells {
            column,
            unit: self.prose(&fields, "unit"),
            missing: missing.into_iter().flatten().map(|text| text.name).collect(),
            map: self.text_groups(&fields),
            otherwise: self.prose(&fields, "else"),
        })
    }

    /// Values, each with the texts that mean it.
    fn text_groups(&mut self, fields: &Fields<'_>) -> Vec<(String, Vec<String>)> {
        let Some(node) = fields.get("map") else { return Vec::new() };
        let Some(entries) = self.named(node, "`map`") else { return Vec::new() };
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for (key, value) in entries.iter() {
            let texts = self.cell_texts(value, "a value of `map`");
            for text in &texts {
                let known = groups.iter().find(|(_, known)| known.contains(&text.name));
                if let Some((other, _)) = known {
                    let message =
                        format!("`{}` means `{other}` and `{}`", text.name, key.name);
                    self.error(Code::DUPLICATE_KEY, text.span, message);
                }
            }
            let texts = texts.into_iter().map(|text| text.name).collect();
            groups.push((key.name.clone(), texts));
        }
        groups
    }

    fn part(&mut self, fields: &Fields<'_>, pattern: &str) -> Part {
        if let Some(node) = fields.get(pattern) {
            return match self.text(node, &format!("`{pattern}`")) {
                Some(text) if pattern == "take" => {
                    Part::Start { pattern: text.name, span: text.span }
                }
                Some(text) => {
                    let opened = text.name.matches('(').count();
                    let closed = text.name.matches(')').count();
                    if opened != closed || opened > 1 {
                        let message = "a pattern has one pair of brackets at most";
                        self.error(Code::OUT_OF_RANGE, text.span, message);
                    }
                    Part::Match { pattern: text.name, span: text.span }
                }
                None => Part::Whole,
            };
        }
        match fields.get("at") {
            Some(node) => self.positions(node).unwrap_or_default(),
            None => Part::Whole,
        }
    }

    /// `[6, 7]`: first and last character, from 1.
    fn positions(&mut self, node: &Node) -> Option<Part> {
        let items = self.list(node, "`at`");
        let mut counts = Vec::new();
        for item in items {
            counts.push(self.count(item, "a position")? as usize);
        }
        match counts.as_slice() {
            [first, last] if *first >= 1 && last >= first => {
                Some(Part::At { first: *first, last: *last })
            }
            _ => {
                let message =
                    "`at` is first and last character, from 1, such as `[6, 7]`";
                self.error(Code::OUT_OF_RANGE, node.span, message);
                None
            }
        }
    }

    fn sample(&mut self, node: &Node) -> Option<Sample> {
        let fields = self.block(node, &keys::SAMPLE)?;
        let column = self.text(fields.get("column")?, "`column`")?;
        let keep = fields.get("keep").map(|node| self.texts(node, "`keep`"));
        let words = ["refuse", "first", "any"];
        let several =
            fields.get("several").and_then(|n| self.word(n, "`several`", &words));
        let part = self.part(&fields, "take");
        Some(Sample {
            column,
            part,
            keep: keep.into_iter().flatten().map(|text| text.name).collect(),
            several: match several.as_deref() {
                Some("first") => Several::First,
                Some("any") => Several::Any,
                _ => Several::Refuse,
            },
        })
    }

    pub fn derived(&mut self, named: Named, node: &Node) -> Option<Derived> {
        let fields = self.block(node, &keys::DERIVED)?;
        let from = self.text(fields.get("from")?, "`from`")?;
        let part = self.part(&fields, "match");
        Some(Derived {
            name: named.name,
            span: named.span,
            from,
            part,
            map: self.text_groups(&fields),
            otherwise: self.prose(&fields, "else"),
        })
    }

    fn unit(&mut self, node: &Node) -> Option<Unit> {
        let text = self.text(node, "`unit`")?;
        let unit = serde_json::from_value(text.name.clone().into()).ok();
        if unit.is_none() {
            let known = keys::units();
            let fault = Diagnostic::error(
                Code::OUT_OF_RANGE,
                Place::Study(text.span),
                format!("there is no unit `{}`", text.name),
            )
            .suggest(&text.name, known.iter().map(String::as_str))
            .hint(format!("expected one of: {}", known.join(", ")));
            self.push(fault);
        }
        unit
    }

    /// `read:`, or the reader that such a source has by default.
    fn file_reader(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        span: Span,
    ) -> Option<Use> {
        let read = match fields.get("read") {
            Some(node) => self.operation(node, Kind::Reader, Grids::Refused),
            None => {
                let name = Named { name: name.to_string(), span };
                self.operation_named(&name, None, Kind::Reader, Grids::Refused)
            }
        };
        read?.into_iter().next().map(|(used, _)| used)
    }

    /// The reader that fits the name of the files.
    fn table_reader(
        &mut self,
        fields: &Fields<'_>,
        files: Option<&[Origin]>,
        span: Span,
    ) -> Option<Use> {
        let parquet =
            |origin: &Origin| origin.shown().to_lowercase().ends_with(".parquet");
        let parquet = files.is_some_and(|files| files.iter().all(parquet));
        self.file_reader(fields, if parquet { "parquet" } else { "csv" }, span)
    }

    /// One file or several stacked ones.
    fn files(&mut self, node: &Node, digest: Option<&Node>) -> Option<Vec<Origin>> {
        match &node.kind {
            Syntax::List(_) => {
                let items = self.list(node, "a list of files");
                let origins: Vec<Option<Origin>> =
                    items.iter().map(|item| self.origin(item, None)).collect();
                if let Some(digest) = digest {
                    let message =
                        "several files have a digest each: `{ file: …, digest: … }`";
                    self.error(Code::UNKNOWN_KEY, digest.span, message);
                }
                let origins: Option<Vec<Origin>> = origins.into_iter().collect();
                origins.filter(|origins| !origins.is_empty())
            }
            _ => self.origin(node, digest).map(|origin| vec![origin]),
        }
    }

    fn origin(&mut self, node: &Node, digest: Option<&Node>) -> Option<Origin> {
        let (file, digest) = match &node.kind {
            Syntax::Map(_) => {
                let fields = self.block(node, &keys::FILE)?;
                if let Some(of) = fields.get("of") {
                    let source = self.text(of, "`of`")?;
                    return Some(Origin::Simulated { source });
                }
                (
                    self.text(fields.get("file")?, "`file`")?,
                    fields.get("digest").or(digest),
                )
            }
            _ => (self.text(node, "a path")?, digest),
        };
        let digest = match digest {
            None => None,
            Some(node) => {
                let text = self.text(node, "`digest`")?;
                match text.name.parse::<Digest>() {
                    Ok(digest) => Some(digest),
                    Err(error) => {
                        self.error(Code::WRONG_TYPE, text.span, error.to_string());
                        return None;
                    }
                }
            }
        };
        if file.name.starts_with("https://") || file.name.starts_with("http://") {
            let Some(digest) = digest else {
                let fault = Diagnostic::error(
                    Code::MISSING_KEY,
                    Place::Study(file.span),
                    "a file from the network needs its digest",
                );
                let hint =
                    "fetch it once by hand; `restudy store add FILE` prints its digest";
                self.push(fault.hint(hint));
                return None;
            };
            return Some(Origin::Url { url: file.name, digest, span: file.span });
        }
        Some(Origin::File { path: PathBuf::from(file.name), digest, span: file.span })
    }

    fn image_origin(&mut self, node: &Node) -> Option<ImageOrigin> {
        let fields = self.block(node, &keys::IMAGES)?;
        if let Some(of) = fields.get("of") {
            let source = self.text(of, "`of`")?;
            return Some(ImageOrigin::Simulated { source });
        }
        let root = self.text(fields.get("root")?, "`root`");
        let mut pattern = |name: &str| {
            let Some(node) = fields.get(name) else {
                let message = format!("an image set needs `{name}`");
                self.error(Code::MISSING_KEY, fields.span, message);
                return None;
            };
            let text = self.text(node, &format!("`{name}`"))?;
            if !text.name.contains("{id}") {
                let message = format!(
                    "`{name}` holds no `{{id}}`, so it is the same for everybody"
                );
                self.error(Code::WRONG_TYPE, text.span, message);
                return None;
            }
            Some(text.name)
        };
        let (path, mask) = (pattern("path"), pattern("mask"));
        let root = root?;
        Some(ImageOrigin::Files {
            root: PathBuf::from(&root.name),
            path: path?,
            mask: mask?,
            span: root.span,
        })
    }
}
