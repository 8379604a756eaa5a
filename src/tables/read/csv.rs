//! Comma- and tab-separated text, plain or gzip.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Cursor;

use polars::prelude::{CsvParseOptions, CsvReadOptions, SerReader};

use super::known;
use crate::data::TextColumn;
use crate::operation::prelude::*;

/// Table as comma-, semicolon- or tab-separated text, plain or gzip.
///
/// The first line names the columns. Cells are kept as text; what they are used for decides
/// whether they must be numbers, so that an id such as `007` stays what it is.
///
/// # Computation
/// Cells are trimmed. Empty cells, `NA`, `N/A`, `NaN`, `nan` and `null` are missing. Rows are
/// sorted by id, then by all cells: the order of lines is no content, that of columns is.
///
/// With `decimal: comma`, cells such as `1.234,5` become `1234.5`, and points stand between
/// thousands. A column of numbers with one that has another kind of point, such as `12.5` or
/// `0.123`, is refused: what `1.234` means there would be a guess. Text is UTF-8, or UTF-16 with its
/// mark; other encodings are named.
///
/// # Limits
/// Nothing guesses an encoding: text that is not UTF-8 is refused until its encoding is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Csv {
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// How characters are written.
    pub encoding: Encoding,
    /// What stands before the fraction of a number.
    pub decimal: Decimal,
    /// Further cells that mean "not known", such as `-999` or `[Not Available]`.
    pub missing: Vec<String>,
}

/// How characters are written.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8, or UTF-16 where the text begins with its mark.
    #[default]
    Auto,
    /// Western European, as older spreadsheets write it; holds Latin-1.
    Windows1252,
    /// Central European.
    Windows1250,
    /// Cyrillic.
    Windows1251,
    /// Western European with the euro sign.
    Iso885915,
    /// UTF-16 without a mark, as Windows writes it.
    Utf16le,
    /// UTF-16 without a mark, the other way round.
    Utf16be,
    /// Japanese.
    ShiftJis,
    /// Simplified Chinese; holds GBK and GB2312.
    Gb18030,
    /// Traditional Chinese.
    Big5,
    /// Korean.
    EucKr,
}

/// What stands before the fraction of a number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    /// `1234.5`
    #[default]
    Point,
    /// `1234,5` or `1.234,5`
    Comma,
}

/// What stands between cells.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// Whichever of the three the first line has most of.
    #[default]
    Auto,
    /// `,`
    Comma,
    /// A tab.
    Tab,
    /// `;`
    Semicolon,
}

impl Operation for Csv {
    const ABOUT: About = About {
        name: "csv",
        title: "CSV or TSV table",
        // 1: first release. 2: points that part no thousands are refused with `decimal: comma`.
        version: 2,
        sources: &["rfc4180"],
        example: "csv: { delimiter: auto, missing: [unknown] }",
    };
}

impl Reader for Csv {
    fn read(&self, file: File<'_>, what: ReadAs<'_>) -> Result<Value, Failure> {
        let ReadAs::Table { id } = what else {
            return Err(Failure::Unreadable("a table is no image".to_string()));
        };
        let bytes = file.plain()?;
        let text = self.encoding.text(&bytes)?;
        let head = text.lines().next().unwrap_or("");
        let delimiter = self.delimiter.of(head);
        let names = shape(&text, delimiter)?;
        for id in id {
            if !names.iter().any(|name| name == id) {
                let column = (*id).to_string();
                return Err(Failure::NoColumn { column, known: names });
            }
        }
        let columns = cells(&text, delimiter, &names)?;
        if let Some((column, cell)) = self.other_point(&columns, id) {
            let is_it = |cells: &str| known(cells) == cell;
            let line = line_with(&text, delimiter, &names, &column, is_it);
            let message = format!(
                "`{cell}` in column `{column}` has a decimal point, and `decimal: comma` is declared"
            );
            return Err(Failure::Line { line, message });
        }
        let columns: Vec<TextColumn> =
            columns.into_iter().map(|column| self.plain(column)).collect();
        for id in id {
            let column = columns.iter().find(|column| column.name == *id);
            if column.is_some_and(|column| column.cells().any(str::is_empty)) {
                let is_empty = |cell: &str| known(cell).is_empty();
                let line = line_with(&text, delimiter, &names, id, is_empty);
                let message = format!("the id column `{id}` is empty");
                return Err(Failure::Line { line, message });
            }
        }
        let table = Table::keyed(columns, id, "-");
        let table =
            table.map_err(|column| Failure::NoColumn { column, known: names.clone() })?;
        Ok(Value::Table(table))
    }
}

impl Delimiter {
    fn of(self, head: &str) -> u8 {
        let count =
            |delimiter: u8| head.bytes().filter(|byte| *byte == delimiter).count();
        match self {
            Self::Comma => b',',
            Self::Tab => b'\t',
            Self::Semicolon => b';',
            Self::Auto => [b',', b'\t', b';']
                .into_iter()
                .rev()
                .max_by_key(|delimiter| count(*delimiter))
                .unwrap_or(b','),
        }
    }
}

impl Csv {
    /// The first number with a point that parts no thousands where commas were declared, and its
    /// column. Columns of the id, and those that hold other text, have no numbers.
    fn other_point(
        &self,
        columns: &[TextColumn],
        id: &[&str],
    ) -> Option<(String, String)> {
        if self.decimal == Decimal::Point {
            return None;
        }
        let is_known = |cell: &&str| {
            !cell.is_empty() && !self.missing.iter().any(|missing| missing == cell)
        };
        let other = |cell: &str| {
            self.decimal.with_point(cell) == cell
                && cell.contains('.')
                && cell.parse::<f64>().is_ok()
        };
        let is_number = |cell: &str| self.decimal.with_point(cell).parse::<f64>().is_ok();
        columns.iter().filter(|column| !id.contains(&&*column.name)).find_map(|column| {
            let found = column.cells().filter(is_known).find(|cell| other(cell))?;
            let all = column.cells().filter(is_known).all(is_number);
            all.then(|| (column.name.to_string(), found.to_string()))
        })
    }

    /// The column as every other table would write it.
    fn plain(&self, column: TextColumn) -> TextColumn {
        if self.missing.is_empty() && self.decimal == Decimal::Point {
            return column;
        }
        let cells: Vec<String> = column
            .cells()
            .map(|cell| match self.missing.iter().any(|missing| missing == cell) {
                true => String::new(),
                false => self.decimal.with_point(cell),
            })
            .collect();
        TextColumn::new(&column.name, cells.iter().map(String::as_str))
    }
}

impl Decimal {
    /// The number with a decimal point; other text as it stands.
    fn with_point(self, cell: &str) -> String {
        let sign = usize::from(cell.starts_with(['-', '+']));
        let (whole, fraction) =
            cell[sign..].split_once(',').unwrap_or((&cell[sign..], ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let groups: Vec<&str> = whole.split('.').collect();
        let grouped = groups.len() == 1
            || groups[1..].iter().all(|group| group.len() == 3)
                && (1..4).contains(&groups[0].len())
                && !groups[0].starts_with('0');
        let exponent = fraction.find(['e', 'E']).unwrap_or(fraction.len());
        let is_number = self == Self::Comma
            && !whole.is_empty()
            && grouped
            && groups.iter().all(|group| digits(group))
            && digits(&fraction[..exponent]);
        match is_number {
            false => cell.to_string(),
            true if fraction.is_empty() => {
                format!("{}{}", &cell[..sign], groups.concat())
            }
            true => format!("{}{}.{fraction}", &cell[..sign], groups.concat()),
        }
    }
}

impl Encoding {
    /// The text without a byte order mark and with single line breaks.
    fn text(self, bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
        let named = match self {
            Self::Auto => encoding_rs::Encoding::for_bom(bytes).map(|(found, _)| found),
            Self::Windows1252 => Some(encoding_rs::WINDOWS_1252),
            Self::Windows1250 => Some(encoding_rs::WINDOWS_1250),
            Self::Windows1251 => Some(encoding_rs::WINDOWS_1251),
            Self::Iso885915 => Some(encoding_rs::ISO_8859_15),
            Self::Utf16le => Some(encoding_rs::UTF_16LE),
            Self::Utf16be => Some(encoding_rs::UTF_16BE),
            Self::Big5 => Some(encoding_rs::BIG5),
            Self::EucKr => Some(encoding_rs::EUC_KR),
            Self::ShiftJis => Some(encoding_rs::SHIFT_JIS),
            Self::Gb18030 => Some(encoding_rs::GB18030),
        };
        // Workbooks of spreadsheet programs: packed since 2007, before that of another kind.
        let begins = |with: &[u8]| bytes.starts_with(with);
        if begins(b"PK\x03\x04") || begins(b"\xd0\xcf\x11\xe0") {
            let message =
                "this is a workbook or an archive, not text; save the sheet as CSV";
            return Err(Failure::Line { line: 1, message: message.to_string() });
        }
        let Some(named) = named.filter(|named| *named != encoding_rs::UTF_8) else {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|b| **b == b'\n').count() + 1;
                let message = "the text is not UTF-8; name its encoding, such as `read: { csv: \
                               { encoding: windows1252 } }`";
                Failure::Line { line, message: message.to_string() }
            })?;
            if let Some(at) = text.find('\0') {
                let line = text[..at].matches('\n').count() + 1;
                let message = "the text holds zero bytes; if it is UTF-16 without a mark, say \
                               `read: { csv: { encoding: utf16le } }`";
                return Err(Failure::Line { line, message: message.to_string() });
            }
            return Ok(with_line_breaks(text));
        };
        let (text, _, damaged) = named.decode(bytes);
        if damaged {
            let message = format!("the text is not {}", named.name());
            return Err(Failure::Unreadable(message));
        }
        Ok(Cow::Owned(with_line_breaks(&text).into_owned()))
    }
}

/// The text without its mark and with one kind of line break.
fn with_line_breaks(text: &str) -> Cow<'_, str> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    // Macs of long ago ended lines by this alone.
    Cow::Owned(match text.contains('\n') {
        true => text,
        false => text.replace('\r', "\n"),
    })
}

/// One record: its line and its cells as they stand, quotes and all.
struct Records<'t> {
    rest: &'t str,
    line: usize,
    delimiter: u8,
    /// How many cells the record before had.
    width: usize,
}

impl<'t> Records<'t> {
    fn of(text: &'t str, delimiter: u8) -> Self {
        Self { rest: text, line: 1, delimiter, width: 0 }
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = Result<(usize, Vec<&'t str>), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        // Blank lines hold no record.
        while let Some(rest) = self.rest.strip_prefix('\n') {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let started = self.line;
        let mut cells = Vec::with_capacity(self.width);
        let (mut start, mut quoted) = (0, false);
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if quoted => self.line += 1,
                b'\n' => {
                    cells.push(&self.rest[start..at]);
                    self.rest = &self.rest[at + 1..];
                    self.line += 1;
                    self.width = cells.len();
                    return Some(Ok((started, cells)));
                }
                byte if byte == self.delimiter && !quoted => {
                    cells.push(&self.rest[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        if quoted {
            self.rest = "";
            let message = "a quote is opened and never closed".to_string();
            return Some(Err(Failure::Line { line: started, message }));
        }
        cells.push(&self.rest[start..]);
        self.rest = "";
        Some(Ok((started, cells)))
    }
}

/// The names of the columns, once every record was found to have that many cells.
fn shape(text: &str, delimiter: u8) -> Result<Vec<String>, Failure> {
    let mut records = Records::of(text, delimiter);
    let (line, head) = match records.next() {
        Some(head) => head?,
        None => return Err(Failure::Unreadable("the table is empty".to_string())),
    };
    let names: Vec<String> =
        head.iter().map(|name| unquoted(name).into_owned()).collect();
    let mut seen = BTreeSet::new();
    for (position, name) in names.iter().enumerate() {
        let message = if name.is_empty() {
            format!("column {} has no name", position + 1)
        } else if !seen.insert(name) {
            format!("two columns are called `{name}`")
        } else {
            continue;
        };
        return Err(Failure::Line { line, message });
    }
    for record in records {
        let (line, cells) = record?;
        if cells.len() != names.len() {
            let message = format!(
                "{} cells where the head names {} columns",
                cells.len(),
                names.len()
            );
            return Err(Failure::Line { line, message });
        }
    }
    Ok(names)
}

/// The cell without its quotes and the blanks around it.
fn unquoted(cell: &str) -> Cow<'_, str> {
    let cell = cell.trim();
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.contains('"') => {
            Cow::Owned(inner.replace("\"\"", "\"").trim().to_string())
        }
        Some(inner) => Cow::Borrowed(inner.trim()),
        None => Cow::Borrowed(cell),
    }
}

/// About how much text is parsed together. For each column the library takes several kilobytes in each of
/// up to sixteen parts of a text, of at least four kilobytes: little of that stays unused when a text is short.
const TOGETHER: usize = 8192;

/// The cells of each column, parsed by polars as text.
///
/// It is given neighbouring columns together and every record in one spelling, so that blank lines,
/// blanks around cells and quotes after a blank mean here what [`Records`] takes them to mean.
fn cells(
    text: &str,
    delimiter: u8,
    names: &[String],
) -> Result<Vec<TextColumn>, Failure> {
    let library =
        |error: polars::prelude::PolarsError| Failure::Unreadable(error.to_string());
    let of_column = text.len() / names.len().max(1);
    let together = (TOGETHER / of_column.max(1)).max(1);
    let mut columns = Vec::with_capacity(names.len());
    for plain in respelt(text, delimiter, names.len(), together)? {
        let frame = CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(Some(0))
            .with_n_threads(Some(1))
            .with_rechunk(true)
            .with_parse_options(CsvParseOptions::default().with_separator(b','))
            .into_reader_with_file_handle(Cursor::new(plain.as_bytes()))
            .finish()
            .map_err(library)?;
        for column in frame.columns() {
            let cells = column.str().map_err(library)?;
            let cells = cells.iter().map(|cell| known(cell.unwrap_or("")));
            columns.push(TextColumn::new(&names[columns.len()], cells));
        }
    }
    Ok(columns)
}

/// The records with commas between their cells, all of them in quotes: a text for each so many columns.
fn respelt(
    text: &str,
    delimiter: u8,
    columns: usize,
    together: usize,
) -> Result<Vec<String>, Failure> {
    let texts = columns.div_ceil(together);
    let room = text.len() / texts.max(1) * 5 / 4;
    let mut plain: Vec<String> =
        (0..texts).map(|_| String::with_capacity(room)).collect();
    for record in Records::of(text, delimiter) {
        let (_, cells) = record?;
        for (plain, cells) in plain.iter_mut().zip(cells.chunks(together)) {
            for (position, cell) in cells.iter().enumerate() {
                plain.push_str(if position == 0 { "\"" } else { "\",\"" });
                match unquoted(cell) {
                    cell if cell.contains('"') => {
                        plain.push_str(&cell.replace('"', "\"\""));
                    }
                    cell => plain.push_str(&cell),
                }
            }
            plain.push_str("\"\n");
        }
    }
    Ok(plain)
}

/// The line of the first cell of a column that is looked for.
fn line_with(
    text: &str,
    delimiter: u8,
    names: &[String],
    column: &str,
    is_it: impl Fn(&str) -> bool,
) -> usize {
    let at = names.iter().position(|name| name == column).unwrap_or(0);
    let mut records = Records::of(text, delimiter).skip(1).flatten();
    records.find(|(_, cells)| is_it(&unquoted(cells[at]))).map_or(1, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Table, Failure> {
        let file = File { name: "table.csv", bytes };
        match Csv::default().read(file, ReadAs::Table { id: &["id"] })? {
            Value::Table(table) => Ok(table),
            other => panic!("{other:?}"),
        }
    }

    fn cells(table: &Table, column: &str) -> Vec<String> {
        table.column(column).unwrap().cells().map(str::to_string).collect()
    }

    #[test]
    fn every_spelling_of_a_table_is_the_same_table() {
        let plain = read(b"id,x,note\n02,1.5,\"a, b\"\n01,NA,c\n").unwrap();
        assert_eq!(cells(&plain, "id"), ["01", "02"]);
        assert_eq!(cells(&plain, "x"), ["", "1.5"]);
        assert_eq!(cells(&plain, "note"), ["c", "a, b"]);
        let others: [&[u8]; 6] = [
            b"id,x,note\r02,1.5,\"a, b\"\r01,NA,c\r",
            b"id , x, note\n02 ,1.5 , \"a, b\" \n01, NA,c\n",
            b"\xef\xbb\xbfid,x,note\r\n01,,c\r\n02,1.5,\"a, b\"\r\n",
            b"id\tx\tnote\n01\tnan\tc\n02\t1.5\ta, b\n",
            b"id;x;note\n02; 1.5 ;\"a, b\"\n\n01;;c",
            b"\"id\",\"x\",\"note\"\n01,N/A,c\n02,1.5,\"a, b\"",
        ];
        for bytes in others {
            assert_eq!(read(bytes).unwrap(), plain, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(read(b"id,x\n").unwrap().n_rows(), 0);
        let quoted = read(b"id,x\n1,\"two\nlines \"\"q\"\"\"\n").unwrap();
        assert_eq!(cells(&quoted, "x"), ["two\nlines \"q\""]);
    }

    #[test]
    fn cells_stay_in_place_however_many_columns_are_parsed_together() {
        for (rows, columns) in [(3, 700), (4000, 2), (40, 40), (1, 1)] {
            let cell = |row: usize, column: usize| match (row + column) % 5 {
                0 => String::new(),
                1 => format!("\"{row}, \"\"{column}\"\"\nand more of it\""),
                _ => format!("{row}.{column}"),
            };
            let mut text = "id".to_string();
            (0..columns).for_each(|column| text.push_str(&format!(",x{column}")));
            for row in 0..rows {
                text.push_str(&format!("\n{row:04}"));
                (0..columns)
                    .for_each(|column| text.push_str(&format!(",{}", cell(row, column))));
            }
            let table = read(text.as_bytes()).unwrap();
            for column in 0..columns {
                let expected =
                    (0..rows).map(|row| unquoted(&cell(row, column)).into_owned());
                let found = cells(&table, &format!("x{column}"));
                assert_eq!(found, expected.collect::<Vec<_>>(), "{rows} x {columns}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases: [(&[u8], &str); 11] = [
            (b"PK\x03\x04\x14\0\x06\0", "line 1: this is a workbook"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "line 1: this is a workbook"),
            (b"i\0d\0,\0x\0\n\0", "zero bytes; if it is UTF-16"),
            (b"", "the table is empty"),
            (b"id,x\n1,2\n3\n", "line 3: 1 cells where the head names 2"),
            (b"id,x,x\n1,2,3\n", "line 1: two columns are called `x`"),
            (b"id,\n1,2\n", "line 1: column 2 has no name"),
            (b"key,x\n1,2\n", "no column `id`"),
            (b"id,x\n1,2\n,3\n", "line 3: the id column"),
            (b"id,x\n1,\"2\n", "line 2: a quote is opened"),
            (b"id,x\n1,\xff\n", "line 2: the text is not UTF-8"),
        ];
        for (bytes, expected) in cases {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn encodings_and_commas_are_those_that_are_named() {
        let with = |csv: Csv, bytes: &[u8]| {
            let file = File { name: "table.csv", bytes };
            match csv.read(file, ReadAs::Table { id: &["id"] }) {
                Ok(Value::Table(table)) => cells(&table, "x"),
                other => panic!("{other:?}"),
            }
        };
        let latin = Csv { encoding: Encoding::Windows1252, ..Csv::default() };
        assert_eq!(with(latin, b"id,x\n1,M\xfcller\n"), ["Müller"]);
        let utf16: Vec<u8> =
            "\u{feff}id,x\n1,é\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(with(Csv::default(), &utf16), ["é"]);
        let comma =
            Csv { decimal: Decimal::Comma, missing: vec!["-9".into()], ..Csv::default() };
        let text = b"id;x\n1;1,5\n2;-1.234,25\n3;a,b\n4;-9\n5;1.5\n6;1,5e3\n7;12.345\n";
        let expected = ["1.5", "-1234.25", "a,b", "", "1.5", "1.5e3", "12345"];
        assert_eq!(with(comma, text), expected);
    }

    /// Else `0.123` would be read as 123 beside `12.5`, which stays what it is.
    #[test]
    fn a_decimal_point_is_refused_where_commas_were_declared() {
        let comma = Csv { decimal: Decimal::Comma, ..Csv::default() };
        let read = |bytes: &[u8]| {
            let file = File { name: "table.csv", bytes };
            comma.read(file, ReadAs::Table { id: &["id"] })
        };
        let refused: [(&[u8], &str, usize); 3] = [
            (b"id;x\n1.5;1.234\n2;0.123\n", "`0.123`", 3),
            (b"id;x\n1;1,5\n\n2; -12.5 \n", "`-12.5`", 4),
            (b"id;x\n1;1.5e3\n", "`1.5e3`", 2),
        ];
        for (bytes, cell, line) in refused {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.contains(&format!("line {line}: {cell}")), "{message}");
        }
        let read_as_ever: [&[u8]; 3] = [
            b"id;x\n1.5;1.234\n2;10.123.456,5\n",
            b"id;x\n1;3.1\n2;3.1.2\n",
            b"id;x\n1;0,5\n2;\n",
        ];
        for bytes in read_as_ever {
            assert!(read(bytes).is_ok(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_gzip_cut_short_is_refused() {
        use std::io::Write;
        let mut gzip =
            flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"id,x\n1,2\n").unwrap();
        let whole = gzip.finish().unwrap();
        assert_eq!(cells(&read(&whole).unwrap(), "x"), ["2"]);
        for length in 2..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(read(&[b"id,x\n".as_slice(), &bytes].concat()));
        }
    }
}
