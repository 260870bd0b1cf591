//! The header of a safetensors file: eight bytes of length, then JSON that says of every tensor what it is and where.
//!
//! Source: the README and `tensor.rs` of the safetensors library (0.8): at most 100,000,000 bytes of JSON that begin
//! with `{` and may end in blanks; offsets count from the end of the header; the tensors fill the rest of the file
//! without a gap, and the library refuses what does not.

use std::collections::BTreeMap;
use std::fmt;

use byteorder::{ByteOrder, LittleEndian};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::Limits;
use crate::read::storage::{Source, Window};

/// Longest header that the library reads (`MAX_HEADER_SIZE`).
pub(super) const LONGEST: u64 = 100_000_000;

/// Bytes before the JSON.
pub(super) const LENGTH: u64 = 8;

/// What a header says of one tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// The dtype's name: `F32`.
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    /// First byte and the one behind the last, counted from the end of the header.
    pub(super) offsets: (u64, u64),
}

/// A header that was read.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Where the bytes of tensors begin in the file.
    pub(super) data_start: u64,
    /// The free text that writers leave: `format` is `pt`, `tf`, `np` …
    pub(super) metadata: BTreeMap<String, String>,
    /// The tensors, as they stand in the header.
    pub(super) tensors: Vec<(String, Described)>,
}

impl Header {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// If there is none, it is cut off, or it is not what the format asks for.
    pub(super) fn read(source: &Source, limits: &Limits) -> Result<Self> {
        let at = |error: Error, offset: u64| error.at_part(Part::Header).at_offset(offset).in_file(source.path());
        let mut scratch = Window::default();
        let length = LittleEndian::read_u64(&read_array(source)?);
        let most = LONGEST.min(limits.message);
        if length > most {
            let kind = ErrorKind::LimitExceeded { what: "header of a safetensors file", got: length, limit: most };
            return Err(at(kind.into(), 0));
        }
        let data_start = LENGTH.saturating_add(length);
        let json = source.slice(LENGTH..data_start, &mut scratch).map_err(|error| {
            at(error.with_help("the file ends within its header: it is cut off; fetch it again"), LENGTH)
        })?;
        let mut header = Self { data_start, ..Self::default() };
        let mut json_reader = serde_json::Deserializer::from_slice(json);
        Into(&mut header, limits)
            .deserialize(&mut json_reader)
            .and_then(|()| json_reader.end())
            .map_err(|error| at(Error::malformed("safetensors header", error.to_string()), LENGTH))?;
        Ok(header)
    }
}

fn read_array(source: &Source) -> Result<[u8; 8]> {
    let mut bytes = [0; 8];
    source.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Takes the entries in as they are parsed: a header of a hundred megabytes has a million of them.
struct Into<'h, 'l>(&'h mut Header, &'l Limits);

impl<'de> DeserializeSeed<'de> for Into<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Into<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with an entry for each tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                self.0.metadata = map.next_value()?;
            } else {
                let described = map.next_value_seed(One(self.1.rank))?;
                self.0.tensors.push((name, described));
            }
        }
        Ok(())
    }
}

/// One entry, whose shape has at most so many dimensions.
struct One(usize);

impl<'de> DeserializeSeed<'de> for One {
    type Value = Described;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Described, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Described;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with dtype, shape and data_offsets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Described, A::Error> {
        use serde::de::Error as _;
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "dtype" => dtype = Some(map.next_value()?),
                "shape" => shape = Some(map.next_value_seed(Dims(self.0))?),
                "data_offsets" => offsets = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = |what| A::Error::custom(format!("an entry without {what}"));
        Ok(Described {
            dtype: dtype.ok_or_else(|| missing("dtype"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
            offsets: offsets.ok_or_else(|| missing("data_offsets"))?,
        })
    }
}

/// A shape of at most so many dimensions.
struct Dims(usize);

impl<'de> DeserializeSeed<'de> for Dims {
    type Value = Vec<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u64>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Dims {
    type Value = Vec<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a shape of at most {} dimensions", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u64>, A::Error> {
        use serde::de::Error as _;
        let mut dims = Vec::new();
        while let Some(dim) = seq.next_element()? {
            if dims.len() == self.0 {
                return Err(A::Error::custom(format!("a shape of more than {} dimensions", self.0)));
            }
            dims.push(dim);
        }
        Ok(dims)
    }
}
