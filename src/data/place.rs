//! What stands at a place of a value as JSON, such as `/study/seed`, without the rest of it being made.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct,
    SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    Serializer,
};
use serde_json::{Error, Value as Json};

/// As `serde_json::to_value(value)?.pointer(place)` would find it.
pub fn at<T: Serialize + ?Sized>(value: &T, place: &str) -> Option<Json> {
    within(value, place).ok().flatten()
}

type Found = Result<Option<Json>, Error>;

fn within<T: Serialize + ?Sized>(value: &T, place: &str) -> Found {
    match place.is_empty() {
        true => serde_json::to_value(value).map(Some),
        false => value.serialize(Walk { place }),
    }
}

/// The first part of a place as it is named, and what is behind it.
pub(super) fn first(place: &str) -> Option<(String, &str)> {
    let place = place.strip_prefix('/')?;
    let (part, below) = place.split_at(place.find('/').unwrap_or(place.len()));
    Some((part.replace("~1", "/").replace("~0", "~"), below))
}

/// The position of an item that a part names.
fn position(part: &str) -> Option<usize> {
    let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && (part == "0" || !part.starts_with('0'))).then(|| part.parse().ok())?
}

/// On the way to a place that is below the value.
#[derive(Clone, Copy)]
struct Walk<'p> {
    place: &'p str,
}

impl<'p> Walk<'p> {
    fn part(self) -> Result<(String, &'p str), Error> {
        first(self.place).ok_or_else(|| Error::custom("a place begins with a slash"))
    }

    fn items(self) -> Result<Items<'p>, Error> {
        let (part, below) = self.part()?;
        Ok(Items { wanted: position(&part), below, next: 0, found: None })
    }

    fn fields(self) -> Result<Fields<'p>, Error> {
        let (wanted, below) = self.part()?;
        Ok(Fields { wanted, below, is_next: false, found: None })
    }

    /// Behind the name of a variant, if it is the one that the place names.
    fn behind(self, variant: &str) -> Result<Self, Error> {
        let (part, below) = self.part()?;
        // Nothing is found at a place that no value has.
        let place = if part == variant { below } else { "/" };
        Ok(Self { place })
    }
}

/// Of a list.
struct Items<'p> {
    wanted: Option<usize>,
    below: &'p str,
    next: usize,
    found: Option<Json>,
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if self.wanted == Some(self.next) {
            self.found = within(value, self.below)?;
        }
        self.next += 1;
        Ok(())
    }
}

/// Of an object.
struct Fields<'p> {
    wanted: String,
    below: &'p str,
    /// Whether the value that comes next is wanted.
    is_next: bool,
    found: Option<Json>,
}

impl Fields<'_> {
    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), Error> {
        if name == self.wanted {
            self.found = within(value, self.below)?;
        }
        Ok(())
    }
}

impl<'p> Serializer for Walk<'p> {
    type Ok = Option<Json>;
    type Error = Error;
    type SerializeSeq = Items<'p>;
    type SerializeTuple = Items<'p>;
    type SerializeTupleStruct = Items<'p>;
    type SerializeTupleVariant = Items<'p>;
    type SerializeMap = Fields<'p>;
    type SerializeStruct = Fields<'p>;
    type SerializeStructVariant = Fields<'p>;

    // Nothing stands below these.
    fn serialize_bool(self, _: bool) -> Found {
        Ok(None)
    }
    fn serialize_i8(self, _: i8) -> Found {
        Ok(None)
    }
    fn serialize_i16(self, _: i16) -> Found {
        Ok(None)
    }
    fn serialize_i32(self, _: i32) -> Found {
        Ok(None)
    }
    fn serialize_i64(self, _: i64) -> Found {
        Ok(None)
    }
    fn serialize_u8(self, _: u8) -> Found {
        Ok(None)
    }
    fn serialize_u16(self, _: u16) -> Found {
        Ok(None)
    }
    fn serialize_u32(self, _: u32) -> Found {
        Ok(None)
    }
    fn serialize_u64(self, _: u64) -> Found {
        Ok(None)
    }
    fn serialize_f32(self, _: f32) -> Found {
        Ok(None)
    }
    fn serialize_f64(self, _: f64) -> Found {
        Ok(None)
    }
    fn serialize_char(self, _: char) -> Found {
        Ok(None)
    }
    fn serialize_str(self, _: &str) -> Found {
        Ok(None)
    }
    fn serialize_none(self) -> Found {
        Ok(None)
    }
    fn serialize_unit(self) -> Found {
        Ok(None)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Found {
        Ok(None)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Found {
        Ok(None)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Found {
        within(&Json::from(bytes), self.place)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Found {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Found {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Found {
        let (part, below) = self.part()?;
        if part == variant { within(value, below) } else { Ok(None) }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'p>, Error> {
        self.items()
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'p>, Error> {
        self.items()
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Items<'p>, Error> {
        self.items()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'p>, Error> {
        self.behind(variant)?.items()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'p>, Error> {
        self.fields()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'p>, Error> {
        self.fields()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'p>, Error> {
        self.behind(variant)?.fields()
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

impl SerializeTuple for Items<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

impl SerializeTupleStruct for Items<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

impl SerializeTupleVariant for Items<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

impl SerializeMap for Fields<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let name = match serde_json::to_value(key)? {
            Json::String(name) => name,
            other => other.to_string(),
        };
        self.is_next = name == self.wanted;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if self.is_next {
            self.found = within(value, self.below)?;
        }
        Ok(())
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

impl SerializeStruct for Fields<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.field(name, value)
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

impl SerializeStructVariant for Fields<'_> {
    type Ok = Option<Json>;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.field(name, value)
    }

    fn end(self) -> Found {
        Ok(self.found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    struct Whole {
        list: Vec<Option<Kind>>,
        by_name: BTreeMap<String, (u8, f64)>,
        by_number: BTreeMap<u32, bool>,
        new: New,
    }

    #[derive(serde::Serialize)]
    struct New(Vec<char>);

    #[derive(serde::Serialize)]
    enum Kind {
        Unit,
        One(Vec<u8>),
        Two(u8, u8),
        Named { a: Option<u8> },
    }

    #[test]
    fn a_place_is_found_as_in_the_whole() {
        let whole = Whole {
            list: vec![
                None,
                Some(Kind::Unit),
                Some(Kind::One(vec![7])),
                Some(Kind::Two(1, 2)),
                Some(Kind::Named { a: None }),
            ],
            by_name: BTreeMap::from([("a/b~c".to_string(), (3, 0.1 + 0.2))]),
            by_number: BTreeMap::from([(10, true)]),
            new: New(vec!['x', 'é']),
        };
        let json = serde_json::to_value(&whole).unwrap();
        for place in [
            "",
            "/list",
            "/list/0",
            "/list/0/a",
            "/list/1",
            "/list/1/Unit",
            "/list/2/One/0",
            "/list/2/Two",
            "/list/3/Two/1",
            "/list/3/Two/2",
            "/list/3/One/1",
            "/list/4/Named/a",
            "/list/4/Named/b",
            "/list/5",
            "/list/01",
            "/list/+1",
            "/list/-",
            "/by_name/a~1b~0c/1",
            "/by_name/a",
            "/by_number/10",
            "/new/1",
            "/new/1/0",
            "list",
            "/",
        ] {
            assert_eq!(at(&whole, place).as_ref(), json.pointer(place), "{place}");
        }
    }
}
