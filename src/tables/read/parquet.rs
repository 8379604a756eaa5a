//! Parquet: typed columns in compressed pages.

use std::cell::Cell;
use std::panic::catch_unwind;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::known;
use crate::data::TextColumn;
use crate::operation::prelude::*;

/// Table in Apache Parquet, as pandas, R, Spark or DuckDB write it.
///
/// Pages may be plain or compressed by Snappy, gzip, LZ4, Zstandard or Brotli, the file itself
/// may be gzip.
///
/// # Computation
/// Every cell becomes the text that a CSV file would hold, and from there on a Parquet table is
/// like any other: whole numbers without a point, other numbers as the shortest text that gives
/// them back, days as `2020-01-31`, times of day after a `T` where there are any. Nulls and NaN
/// are missing; text is trimmed, and empty text, `NA`, `N/A`, `NaN`, `nan` and `null` are
/// missing. Rows are sorted by id, then by all cells.
///
/// # Limits
/// Columns are flat: a list or a struct in a cell is refused by name, as are encrypted files and
/// bytes that are no text. A 4-byte number is taken as the 8-byte number that it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parquet {}

impl Operation for Parquet {
    const ABOUT: About = About {
        name: "parquet",
        title: "Parquet table",
        version: 1,
        sources: &["parquet"],
        example: "parquet",
    };
}

impl Reader for Parquet {
    fn read(&self, file: File<'_>, what: ReadAs<'_>) -> Result<Value, Failure> {
        let ReadAs::Table { id } = what else {
            return Err(Failure::Unreadable("a table is no image".to_string()));
        };
        let bytes = file.plain()?.into_owned();
        if bytes.is_empty() {
            return Err(Failure::Unreadable("the file is empty".to_string()));
        }
        if !bytes.starts_with(b"PAR1") || !bytes.ends_with(b"PAR1") {
            return Err(match bytes.starts_with(b"PAR1") {
                true => Failure::Damaged("the Parquet file is cut short".to_string()),
                false => Failure::Unreadable(
                    "this is no Parquet file; is it text? `read: csv`".to_string(),
                ),
            });
        }
        // The library trusts lengths in damaged pages and panics: that is the file's fault.
        READING.set(true);
        let read = catch_unwind(|| table(Bytes::from(bytes), id));
        READING.set(false);
        read.unwrap_or_else(|_| {
            let message = "the Parquet file is damaged: its pages contradict each other";
            Err(Failure::Damaged(message.to_string()))
        })
    }
}

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside the library that reads Parquet: its panics are told as faults of the file.
pub fn is_reading() -> bool {
    READING.get()
}

fn table(bytes: Bytes, id: &[&str]) -> Result<Value, Failure> {
    let file = SerializedFileReader::new(bytes).map_err(damaged)?;
    let names = names(&file)?;
    for id in id {
        if !names.iter().any(|name| name == id) {
            let column = (*id).to_string();
            return Err(Failure::NoColumn { column, known: names });
        }
    }
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(damaged)?;
        let n_rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        for (at, cells) in cells.iter_mut().enumerate() {
            let reader = group.get_column_reader(at).map_err(damaged)?;
            let about = group.metadata().column(at).column_descr_ptr();
            column(reader, &about, n_rows, cells)?;
        }
    }
    let columns = names.iter().zip(&cells);
    let columns: Vec<TextColumn> = columns
        .map(|(name, cells)| TextColumn::new(name, cells.iter().map(String::as_str)))
        .collect();
    for id in id {
        let column = columns.iter().find(|column| column.name == *id);
        let empty = column.and_then(|column| column.cells().position(str::is_empty));
        if let Some(row) = empty {
            let message = format!("the id column `{id}` is empty in row {}", row + 1);
            return Err(Failure::Unreadable(message));
        }
    }
    let table = Table::keyed(columns, id, "-");
    let table =
        table.map_err(|column| Failure::NoColumn { column, known: names.clone() })?;
    Ok(Value::Table(table))
}

fn damaged(error: parquet::errors::ParquetError) -> Failure {
    Failure::Damaged(format!("the Parquet file is damaged: {error}"))
}

/// The names of the columns, once each was found to be flat.
fn names(file: &SerializedFileReader<Bytes>) -> Result<Vec<String>, Failure> {
    let schema = file.metadata().file_metadata().schema_descr();
    let mut names: Vec<String> = Vec::new();
    for (position, column) in schema.columns().iter().enumerate() {
        let parts = column.path().parts();
        let name = parts.first().map_or("", |name| name.trim()).to_string();
        let message = if parts.len() > 1 || column.max_rep_level() > 0 {
            format!("column `{name}` holds lists or structs; give each value a column")
        } else if name.is_empty() {
            format!("column {} has no name", position + 1)
        } else if names.contains(&name) {
            format!("two columns are called `{name}`")
        } else {
            names.push(name);
            continue;
        };
        return Err(Failure::Unreadable(message));
    }
    Ok(names)
}

/// Appends the cells of one column of one group of rows.
fn column(
    reader: ColumnReader,
    about: &ColumnDescriptor,
    n_rows: usize,
    cells: &mut Vec<String>,
) -> Result<(), Failure> {
    let meant = Meant::of(about);
    let odd = || {
        let message = format!("column `{}` holds bytes that are no text", about.name());
        Failure::Unreadable(message)
    };
    match reader {
        ColumnReader::BoolColumnReader(reader) => {
            all(reader, about, n_rows, cells, |value| Some(value.to_string()), odd)
        }
        ColumnReader::Int32ColumnReader(reader) => {
            let whole = |value: i32| match meant {
                Meant::Unsigned => i128::from(value as u32),
                _ => i128::from(value),
            };
            all(
                reader,
                about,
                n_rows,
                cells,
                |value| Some(meant.whole(whole(value))),
                odd,
            )
        }
        ColumnReader::Int64ColumnReader(reader) => {
            let whole = |value: i64| match meant {
                Meant::Unsigned => i128::from(value as u64),
                _ => i128::from(value),
            };
            all(
                reader,
                about,
                n_rows,
                cells,
                |value| Some(meant.whole(whole(value))),
                odd,
            )
        }
        ColumnReader::Int96ColumnReader(reader) => {
            // Days of the Julian calendar and nanoseconds of the day, as Spark once wrote times.
            let instant = |value: parquet::data_type::Int96| {
                let [low, high, day] = value.data() else { return None };
                let nanos = (i128::from(*high) << 32) | i128::from(*low);
                let day = i128::from(*day) - 2_440_588;
                Some(Meant::Instant(NANOS).whole(day * DAY * NANOS + nanos))
            };
            all(reader, about, n_rows, cells, instant, odd)
        }
        ColumnReader::FloatColumnReader(reader) => {
            let number = |value| Some(number(f64::from(value)));
            all(reader, about, n_rows, cells, number, odd)
        }
        ColumnReader::DoubleColumnReader(reader) => {
            all(reader, about, n_rows, cells, |value| Some(number(value)), odd)
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            all(reader, about, n_rows, cells, |value| meant.bytes(value.data()), odd)
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            all(reader, about, n_rows, cells, |value| meant.bytes(value.data()), odd)
        }
    }
}

/// Reads what is there and writes each cell; `text` is `None` where a value has no text.
fn all<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    about: &ColumnDescriptor,
    n_rows: usize,
    cells: &mut Vec<String>,
    text: impl Fn(T::T) -> Option<String>,
    odd: impl Fn() -> Failure,
) -> Result<(), Failure> {
    let wanted = cells.len() + n_rows;
    while cells.len() < wanted {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let (n, ..) = reader
            .read_records(wanted - cells.len(), Some(&mut levels), None, &mut values)
            .map_err(damaged)?;
        if n == 0 {
            return Err(Failure::Damaged("the Parquet file is cut short".to_string()));
        }
        let mut values = values.into_iter();
        let required = about.max_def_level() == 0;
        for row in 0..n {
            let there = required || levels.get(row).is_some_and(|level| *level > 0);
            cells.push(match there {
                false => String::new(),
                true => {
                    let value = values.next().ok_or_else(&odd)?;
                    known(&text(value).ok_or_else(&odd)?).to_string()
                }
            });
        }
    }
    Ok(())
}

const DAY: i128 = 86_400;
const NANOS: i128 = 1_000_000_000;

/// What the whole numbers or bytes of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    Itself,
    Unsigned,
    Text,
    /// Days since 1970.
    Day,
    /// Parts of a second since 1970: how many there are in one.
    Instant(i128),
    /// The same since midnight.
    Time(i128),
    /// Digits after the point.
    Decimal(usize),
    /// A 2-byte number.
    Half,
    Uuid,
}

impl Meant {
    fn of(about: &ColumnDescriptor) -> Self {
        let parts = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => NANOS,
        };
        match about.logical_type_ref() {
            Some(LogicalType::Date) => return Self::Day,
            Some(LogicalType::Timestamp(of)) => return Self::Instant(parts(&of.unit)),
            Some(LogicalType::Time(of)) => return Self::Time(parts(&of.unit)),
            Some(LogicalType::Decimal(of)) => {
                return Self::Decimal(usize::try_from(of.scale).unwrap_or(0));
            }
            Some(LogicalType::Integer(of)) if !of.is_signed => return Self::Unsigned,
            Some(LogicalType::Float16) => return Self::Half,
            Some(LogicalType::Uuid) => return Self::Uuid,
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => {
                return Self::Text;
            }
            _ => {}
        }
        // Older writers know only these.
        match about.converted_type() {
            ConvertedType::DATE => Self::Day,
            ConvertedType::TIMESTAMP_MILLIS => Self::Instant(1_000),
            ConvertedType::TIMESTAMP_MICROS => Self::Instant(1_000_000),
            ConvertedType::TIME_MILLIS => Self::Time(1_000),
            ConvertedType::TIME_MICROS => Self::Time(1_000_000),
            ConvertedType::DECIMAL => {
                Self::Decimal(usize::try_from(about.type_scale()).unwrap_or(0))
            }
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Self::Unsigned,
            _ => Self::Itself,
        }
    }

    fn whole(self, value: i128) -> String {
        match self {
            Self::Day => day(value),
            Self::Instant(parts) => {
                let (days, rest) =
                    (value.div_euclid(DAY * parts), value.rem_euclid(DAY * parts));
                match rest {
                    0 => day(days),
                    rest => format!("{}T{}", day(days), time(rest, parts)),
                }
            }
            Self::Time(parts) => time(value, parts),
            Self::Decimal(digits) => decimal(value, digits),
            _ => value.to_string(),
        }
    }

    fn bytes(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Decimal(digits) => {
                // Big-endian, in two's complement.
                let (first, length) = (*bytes.first()?, bytes.len());
                let start = if first & 0x80 == 0 { 0 } else { -1 };
                let fold = |sum: i128, byte: &u8| (sum << 8) | i128::from(*byte);
                (length <= 16).then(|| decimal(bytes.iter().fold(start, fold), digits))
            }
            Self::Half => {
                let bits = u16::from_le_bytes(bytes.try_into().ok()?);
                Some(number(half(bits)))
            }
            Self::Uuid => {
                let hex: String =
                    bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let parts = [
                    hex.get(..8)?,
                    hex.get(8..12)?,
                    hex.get(12..16)?,
                    hex.get(16..20)?,
                    hex.get(20..)?,
                ];
                Some(parts.join("-"))
            }
            _ => std::str::from_utf8(bytes).ok().map(str::to_string),
        }
    }
}

/// The shortest text that gives the number back; empty for NaN.
fn number(value: f64) -> String {
    let size = value.abs();
    match value {
        value if value.is_nan() => String::new(),
        value if size == 0.0 || (1e-5..1e16).contains(&size) => value.to_string(),
        value if value.is_finite() => format!("{value:e}"),
        value => value.to_string(),
    }
}

/// A number of 1 + 5 + 10 bits. Source: IEEE 754-2008, binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    // Powers of two are exact, whatever the order.
    let power = |n: i32| if n < 0 { 1.0 / f64::from(1 << -n) } else { f64::from(1 << n) };
    match exponent {
        0 => sign * fraction * power(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * (1024.0 + fraction) * power(exponent - 25),
    }
}

/// `12.50` from 1250 with two digits, without the zeros at its end.
fn decimal(value: i128, digits: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", value.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// Days since 1970 in the calendar of today.
fn day(days: i128) -> String {
    // Counted from the first of March of the year 0, so that a leap day ends a year.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

/// A time of day, from parts of a second.
fn time(value: i128, parts: i128) -> String {
    let (seconds, rest) = (value / parts, value % parts);
    let clock =
        format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match rest {
        0 => clock,
        rest => {
            let digits = format!("{:09}", rest * (NANOS / parts));
            format!("{clock}.{}", digits.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
    use parquet::data_type::{
        BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray,
        FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    const SCHEMA: &str = "message table {
        required binary id (UTF8);
        optional double x;
        optional float f;
        optional boolean flag;
        required int32 day (DATE);
        required int64 stamp (TIMESTAMP(NANOS,false));
        required int64 clock (TIME(MICROS,false));
        required int32 money (DECIMAL(9,2));
        required fixed_len_byte_array(3) big (DECIMAL(6,1));
        required int32 byte (INTEGER(8,false));
        required int96 old;
        required fixed_len_byte_array(2) half (FLOAT16);
    }";

    /// Three rows in two groups of rows.
    fn written(compression: Compression) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let settings = WriterProperties::builder().set_compression(compression).build();
        let mut bytes = Vec::new();
        let mut file =
            SerializedFileWriter::new(&mut bytes, schema, Arc::new(settings)).unwrap();
        for ids in [vec!["02", " 01 "], vec!["03"]] {
            let n = ids.len();
            let mut group = file.next_row_group().unwrap();
            macro_rules! column {
                ($kind:ty, $values:expr, $levels:expr) => {
                    let mut column = group.next_column().unwrap().unwrap();
                    column.typed::<$kind>().write_batch(&$values, $levels, None).unwrap();
                    column.close().unwrap();
                };
            }
            let ids: Vec<ByteArray> = ids.into_iter().map(ByteArray::from).collect();
            let fixed = |bytes: &[u8]| FixedLenByteArray::from(bytes.to_vec());
            column!(ByteArrayType, ids, None);
            if n == 2 {
                column!(DoubleType, [f64::NAN, 0.1], Some(&[1, 1]));
                column!(FloatType, [0.5], Some(&[0, 1]));
                column!(BoolType, [true], Some(&[1, 0]));
            } else {
                column!(DoubleType, [1e300], Some(&[1]));
                column!(FloatType, [3.0], Some(&[1]));
                column!(BoolType, [false], Some(&[1]));
            }
            column!(Int32Type, [18_262, 0][..n], None);
            column!(Int64Type, [1_577_836_800_000_000_000, 1_500_000_000][..n], None);
            column!(Int64Type, [3_661_000_000, 0][..n], None);
            column!(Int32Type, [1250, -5][..n], None);
            column!(
                FixedLenByteArrayType,
                [fixed(&[0, 0, 15]), fixed(&[255, 255, 255])][..n],
                None
            );
            column!(Int32Type, [255, 3][..n], None);
            let mut old = Int96::new();
            old.set_data(0, 0, 2_440_588);
            column!(Int96Type, [old, old][..n], None);
            column!(
                FixedLenByteArrayType,
                [fixed(&[0x00, 0x3e]), fixed(&[0x01, 0x80])][..n],
                None
            );
            group.close().unwrap();
        }
        file.close().unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Table, Failure> {
        let file = File { name: "table.parquet", bytes };
        match (Parquet {}).read(file, ReadAs::Table { id: &["id"] })? {
            Value::Table(table) => Ok(table),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_type_becomes_the_text_that_a_csv_would_hold() {
        let table = read(&written(Compression::UNCOMPRESSED)).unwrap();
        let expected = [
            ("id", ["01", "02", "03"]),
            ("x", ["0.1", "", "1e300"]),
            ("f", ["0.5", "", "3"]),
            ("flag", ["", "true", "false"]),
            ("day", ["1970-01-01", "2020-01-01", "2020-01-01"]),
            ("stamp", ["1970-01-01T00:00:01.5", "2020-01-01", "2020-01-01"]),
            ("clock", ["00:00:00", "01:01:01", "01:01:01"]),
            ("money", ["-0.05", "12.5", "12.5"]),
            ("big", ["-0.1", "1.5", "1.5"]),
            ("byte", ["3", "255", "255"]),
            ("old", ["1970-01-01"; 3]),
            ("half", ["-0.000000059604644775390625", "1.5", "1.5"]),
        ];
        assert_eq!(table.columns().len(), expected.len());
        for (name, cells) in expected {
            let found: Vec<&str> = table.column(name).unwrap().cells().collect();
            if name == "half" {
                let number: f64 = found[0].parse().unwrap();
                assert_eq!((number, &found[1..]), (-1.0 / 16_777_216.0, &cells[1..]));
            } else {
                assert_eq!(found, cells, "{name}");
            }
        }
    }

    #[test]
    fn every_codec_gives_the_same_table() {
        let plain = read(&written(Compression::UNCOMPRESSED)).unwrap();
        for compression in [
            Compression::SNAPPY,
            Compression::GZIP(GzipLevel::default()),
            Compression::LZ4,
            Compression::LZ4_RAW,
            Compression::ZSTD(ZstdLevel::default()),
            Compression::BROTLI(BrotliLevel::default()),
        ] {
            assert_eq!(read(&written(compression)).unwrap(), plain, "{compression:?}");
        }
    }

    #[test]
    fn what_is_no_flat_table_is_refused() {
        let nested = parse_message_type(
            "message t { required binary id (UTF8); optional group list (LIST) {
             repeated group list { optional int32 element; } } }",
        );
        let mut bytes = Vec::new();
        let settings = Arc::new(WriterProperties::builder().build());
        let nested = Arc::new(nested.unwrap());
        let file = SerializedFileWriter::new(&mut bytes, nested, settings).unwrap();
        file.close().unwrap();
        let cases: [(&[u8], &str); 4] = [
            (b"", "the file is empty"),
            (b"id,x\n1,2\n", "no Parquet file"),
            (b"PAR1....", "cut short"),
            (&bytes, "column `list` holds lists or structs"),
        ];
        for (bytes, expected) in cases {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn damage_anywhere_is_a_failure_and_no_panic() {
        let whole = written(Compression::SNAPPY);
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length} bytes");
        }
        for at in 0..whole.len() {
            let mut rotten = whole.clone();
            for bit in [1, 0x10, 0x80] {
                rotten[at] ^= bit;
                drop(read(&rotten));
                rotten[at] ^= bit;
            }
        }
    }
}
