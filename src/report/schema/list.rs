//! `list --format json` as structs, to which the rows that are written by hand are held.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::checkpoints;
use crate::analysis::{Listing, Names, Objects, Role, Roles, Selection, Sort, derived, is_missing, is_zero};
use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice, Parts, Place, StoredSlice, Tensor};
use crate::read::tensor::Shape;
use crate::report::kit::json::{Checksum, DTypeName, Dims, Utf8OrBase64, Word};
use crate::report::list::json::{ListFoot, ListHead, Names as TensorNames, list_jsonl};

/// The tensors of a checkpoint.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(super) struct List<'a> {
    #[serde(flatten)]
    head: ListHead<'a>,
    /// in the order asked for
    tensors: Vec<ListTensor<'a>>,
    #[serde(flatten)]
    foot: ListFoot,
}

/// A tensor, and where it lies.
#[derive(Debug, Serialize, JsonSchema)]
struct ListTensor<'a> {
    /// the key as stored
    name: Utf8OrBase64<'a>,
    dtype: DTypeName,
    /// of a partitioned tensor the full shape
    shape: Dims<'a>,
    /// stored bytes; null where only reading tells (strings of V1 checkpoints)
    bytes: Option<u64>,
    /// where it lies; null for a partitioned tensor
    shard: Option<i32>,
    /// where it lies in that; null for a partitioned tensor, and for V1
    offset: Option<i64>,
    /// null as `offset` is, and where the format has none
    crc32c: Option<Checksum>,
    /// what it is for
    role: Word<Role>,
    /// whose slot or scalar it is, as far as the name tells
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    optimizer: Option<&'a str>,
    #[serde(flatten)]
    names: Option<TensorNames<'a>>,
    /// true where the file that holds it, or a part of it, is not there
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    missing: bool,
    /// of a missing one: what its checksum tells of its value
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    derived: Option<Derived>,
    /// of a partitioned one: its pieces
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    slices: Option<Vec<ListSlice>>,
}

/// What a checksum tells of a value.
#[derive(Debug, Serialize, JsonSchema)]
struct Derived {
    /// the value, or `all zero`
    value: String,
    /// whether no other value has this checksum
    certain: bool,
}

/// A piece of a partitioned tensor.
#[derive(Debug, Serialize, JsonSchema)]
struct ListSlice {
    /// TensorFlow's text: `start,length` a dimension, `-` for all of it
    slice: String,
    /// absent if the slice does not fit the tensor
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    start: Option<Vec<u64>>,
    /// absent if the slice does not fit the tensor
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    shape: Option<Vec<u64>>,
    bytes: Option<i64>,
    shard: Option<i32>,
    offset: Option<i64>,
    crc32c: Option<Checksum>,
}

impl ListSlice {
    fn of(stored: &StoredSlice, shape: &Shape) -> Self {
        let extents = shape.dims().and_then(|dims| stored.slice.resolve(dims));
        let (start, shape) = extents.map(|extents| extents.into_iter().unzip()).unzip();
        let range = stored.place.and_then(|place| place.range);
        Self {
            slice: stored.slice.to_string(),
            start,
            shape,
            bytes: range.map(|range| range.1),
            shard: stored.place.map(|place| place.shard),
            offset: range.map(|range| range.0),
            crc32c: checksum(stored.place.as_ref()),
        }
    }
}

fn checksum(place: Option<&Place>) -> Option<Checksum> {
    place.and_then(|place| place.crc32c).map(|crc| Checksum(crc.0))
}

impl<'a> ListTensor<'a> {
    fn of(listing: &'a Listing<'_>, at: usize, tensor: &'a Tensor) -> Self {
        let whole = match &tensor.parts {
            Parts::Whole(place) => Some(place),
            Parts::Slices(_) => None,
        };
        let slices = match &tensor.parts {
            Parts::Whole(_) => None,
            Parts::Slices(slices) => Some(slices.iter().map(|slice| ListSlice::of(&slice, &tensor.shape)).collect()),
        };
        let missing = is_missing(listing.checkpoint, tensor);
        let scalar = derived(listing.checkpoint, tensor).filter(|_| missing);
        let zero = (missing && scalar.is_none() && is_zero(tensor)).then(|| "all zero".to_owned());
        let scalar = scalar.map(|scalar| Derived { value: scalar.text(), certain: scalar.certain });
        Self {
            name: Utf8OrBase64(&tensor.name),
            dtype: DTypeName(tensor.dtype),
            shape: Dims(&tensor.shape),
            bytes: tensor.bytes(),
            shard: whole.map(|place| place.shard),
            offset: whole.and_then(|place| place.range).map(|range| range.0),
            crc32c: checksum(whole),
            role: Word(listing.roles.role(at)),
            optimizer: listing.roles.optimizer(at),
            names: listing.names.and_then(|names| names.get(at)).map(TensorNames::from),
            missing,
            derived: scalar.or(zero.map(|value| Derived { value, certain: false })),
            slices,
        }
    }
}

/// Compares every row with the struct that it stands for; how many there are.
fn hold(prefix: &Path) -> usize {
    let checkpoint = Checkpoint::open(prefix, Choice::default(), &Limits::default()).unwrap();
    let roles = Roles::of(&checkpoint);
    let names = Names::of(&checkpoint, &roles, &Objects::of(&checkpoint));
    let all = Selection::first(checkpoint.tensors().len());
    let mut listing = Listing::new(&checkpoint, &roles, all, Sort::Name, false, None);
    for names in [None, Some(&names)] {
        listing.names = names;
        let mut written = Vec::new();
        list_jsonl(&listing, &mut written).unwrap();
        let mut typed = Vec::new();
        let mut rows = listing.cursor();
        for n in 0..listing.rows.len() {
            assert!(rows.seek(n));
            serde_json::to_writer(&mut typed, &ListTensor::of(&listing, rows.position(), rows.tensor())).unwrap();
            typed.push(b'\n');
        }
        let (written, typed) = (String::from_utf8(written).unwrap(), String::from_utf8(typed).unwrap());
        for (written, typed) in written.lines().zip(typed.lines()) {
            assert_eq!(written, typed, "{}", prefix.display());
        }
        assert_eq!(written.len(), typed.len(), "{}", prefix.display());
    }
    listing.rows.len()
}

#[test]
fn rows_by_hand_are_what_the_struct_would_be() {
    let mut rows = 0;
    for prefix in checkpoints() {
        rows += hold(&prefix);
    }
    assert!(rows > 400, "only {rows} rows");
}

/// Names with everything that JSON escapes, that UTF-8 has not, and that terminals obey; places that cannot be.
#[test]
fn rows_of_strange_checkpoints_are_what_the_struct_would_be() {
    let names: [&[u8]; 9] = [
        b"a\"quoted\"",
        b"back\\slash",
        b"line\nbreak\ttab\x01\x1f\x7f",
        "größe/重み".as_bytes(),
        b"\xff\xfe",
        b"cut\xe2\x82",
        "\u{2028}\u{202e}".as_bytes(),
        b"</script>",
        b" ",
    ];
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("model.ckpt");
    let mut bundle = ckpt_synth::BundleBuilder::new().shards(2);
    for (n, name) in names.iter().enumerate() {
        bundle = bundle.in_shard(n % 2).floats(name, &[1, 2], &[f32::NAN, 1.0]);
    }
    let bundle = bundle.in_shard(1).floats("zeros", &[2, 2], &[0.0; 4]).floats("one", &[], &[1.0]);
    let bundle = bundle.strings("words", &[2], &["a", "b"]).tensor("half", 19, &[0, 3], []);
    bundle.entry_patch(names[0], |entry| entry.offset = i64::MIN).finish().write(&prefix).unwrap();
    assert_eq!(hold(&prefix), 13);
    std::fs::remove_file(dir.path().join("model.ckpt.data-00001-of-00002")).unwrap();
    assert_eq!(hold(&prefix), 13);
}
