//! V1 checkpoints: tables of `SavedTensorSlices`, whose values sit in the table itself.
//!
//! Values and shapes are independent here, so a slice may hold fewer or more values than its shape asks for.

use std::path::Path;
use std::{fs, io};

use crate::bundle::with_suffix;
use crate::entry::{Versions, shape_proto};
use crate::ordered_code::{Extent, slice_key, slice_proto};
use crate::proto::Msg;
use crate::table::TableBuilder;

/// The values of a slice, by the field of `TensorProto` that holds them.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// `float_val`.
    Float(Vec<f32>),
    /// `double_val`.
    Double(Vec<f64>),
    /// `int_val`: int32, int16, int8, uint8, uint16 and their quantized kin.
    Int(Vec<i32>),
    /// `string_val`.
    Strings(Vec<Vec<u8>>),
    /// `scomplex_val`: real and imaginary parts in turn.
    Complex64(Vec<f32>),
    /// `int64_val`.
    Int64(Vec<i64>),
    /// `bool_val`.
    Bool(Vec<bool>),
    /// `dcomplex_val`: real and imaginary parts in turn.
    Complex128(Vec<f64>),
    /// `half_val`: bit patterns.
    Half(Vec<u16>),
    /// `uint32_val`.
    Uint32(Vec<u32>),
    /// `uint64_val`.
    Uint64(Vec<u64>),
    /// `tensor_content`, which V1 never uses.
    Content(Vec<u8>),
    /// Any bytes as the `TensorProto`.
    Raw(Vec<u8>),
}

impl Values {
    /// The `TensorProto`, which in V1 has neither type nor shape.
    pub fn proto(&self) -> Msg {
        let msg = Msg::new();
        match self {
            Self::Float(v) => msg.packed_floats(5, v),
            Self::Double(v) => msg.packed_doubles(6, v),
            Self::Int(v) => msg.packed_varints(7, v.iter().map(|&v| i64::from(v) as u64)),
            Self::Strings(v) => v.iter().fold(msg, |msg, v| msg.bytes(8, v)),
            Self::Complex64(v) => msg.packed_floats(9, v),
            Self::Int64(v) => msg.packed_varints(10, v.iter().map(|&v| v as u64)),
            Self::Bool(v) => msg.packed_varints(11, v.iter().map(|&v| u64::from(v))),
            Self::Complex128(v) => msg.packed_doubles(12, v),
            Self::Half(v) => msg.packed_varints(13, v.iter().map(|&v| u64::from(v))),
            Self::Uint32(v) => msg.packed_varints(16, v.iter().map(|&v| u64::from(v))),
            Self::Uint64(v) => msg.packed_varints(17, v.iter().copied()),
            Self::Content(v) => msg.bytes(4, v),
            Self::Raw(v) => msg.raw(v),
        }
    }
}

/// A written V1 checkpoint.
#[derive(Clone, Debug)]
pub struct V1 {
    /// Its files.
    pub shards: Vec<Vec<u8>>,
}

impl V1 {
    /// The files, for a prefix: a single one is named like the prefix itself.
    pub fn files(self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let count = self.shards.len();
        let shards = self.shards.into_iter().enumerate();
        shards.map(|(i, bytes)| (format!("{prefix}{}", shard_suffix(i, count)), bytes)).collect()
    }

    /// Writes the files, and the directories above them.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, prefix: &Path) -> io::Result<()> {
        if let Some(parent) = prefix.parent() {
            fs::create_dir_all(parent)?;
        }
        for (i, bytes) in self.shards.iter().enumerate() {
            fs::write(with_suffix(prefix, &shard_suffix(i, self.shards.len())), bytes)?;
        }
        Ok(())
    }
}

/// What follows the prefix in a shard's name.
pub fn shard_suffix(shard: usize, shards: usize) -> String {
    if shards == 1 { String::new() } else { format!("-{shard:05}-of-{shards:05}") }
}

#[derive(Default)]
struct Shard {
    /// `SavedSliceMeta` messages, in save order.
    tensors: Vec<Msg>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

type TableHook = Box<dyn Fn(TableBuilder) -> TableBuilder>;

/// Writes one V1 checkpoint.
pub struct V1Builder {
    shards: Vec<Shard>,
    current: usize,
    versions: Versions,
    meta: Option<Vec<u8>>,
    sorted: bool,
    table: Option<TableHook>,
}

impl Default for V1Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl V1Builder {
    /// An empty checkpoint of one file.
    pub fn new() -> Self {
        Self {
            shards: vec![Shard::default()],
            current: 0,
            versions: Versions::default(),
            meta: None,
            sorted: true,
            table: None,
        }
    }

    /// Which file the following tensors go to; files up to it come into being.
    pub fn in_shard(mut self, shard: usize) -> Self {
        self.current = shard;
        while self.shards.len() <= shard {
            self.shards.push(Shard::default());
        }
        self
    }

    /// Other versions.
    pub fn versions(mut self, versions: Versions) -> Self {
        self.versions = versions;
        self
    }

    /// Other bytes under the empty key, in every file.
    pub fn meta(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.meta = Some(bytes.as_ref().to_vec());
        self
    }

    /// Leaves the slices in call order instead of sorting them by key.
    pub fn unsorted(mut self) -> Self {
        self.sorted = false;
        self
    }

    /// Adjusts the tables: block size, compression, damage.
    pub fn table(mut self, hook: impl Fn(TableBuilder) -> TableBuilder + 'static) -> Self {
        self.table = Some(Box::new(hook));
        self
    }

    /// A tensor in one piece.
    pub fn tensor(self, name: &str, dtype: i32, shape: &[i64], values: Values) -> Self {
        let whole = vec![Extent::Full; shape.len()];
        self.sliced(name, dtype, shape, vec![(whole, values)])
    }

    /// A tensor in slices, all in the current file; call again in another shard for the others.
    pub fn sliced(mut self, name: &str, dtype: i32, shape: &[i64], slices: Vec<(Vec<Extent>, Values)>) -> Self {
        let shard = &mut self.shards[self.current];
        let mut meta = Msg::new().string(1, name).msg(2, shape_proto(shape)).int_unless_zero(3, dtype.into());
        for (extents, values) in slices {
            meta = meta.msg(4, slice_proto(&extents));
            let data = Msg::new().string(1, name).msg(2, slice_proto(&extents)).msg(3, values.proto());
            let row = (slice_key(name, &extents), Msg::new().msg(2, data).build());
            shard.rows.push(row);
        }
        shard.tensors.push(meta);
        self
    }

    /// An entry of the current file's table as bytes.
    pub fn raw_entry(mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let row = (key.as_ref().to_vec(), value.as_ref().to_vec());
        self.shards[self.current].rows.push(row);
        self
    }

    /// The checkpoint.
    pub fn finish(self) -> V1 {
        let mut files = Vec::new();
        for shard in self.shards {
            let tensors = shard.tensors.into_iter();
            let meta = tensors.fold(Msg::new(), |meta, tensor| meta.msg(1, tensor));
            let meta = Msg::new().msg(1, meta.msg(2, self.versions.proto()));
            let meta = self.meta.clone().unwrap_or_else(|| meta.build());
            let mut rows = shard.rows;
            if self.sorted {
                rows.sort_by(|a, b| a.0.cmp(&b.0));
            }
            let table = TableBuilder::new();
            let mut table = match &self.table {
                Some(hook) => hook(table),
                None => table,
            };
            table.add("", meta);
            for (key, value) in rows {
                table.add(key, value);
            }
            files.push(table.finish());
        }
        V1 { shards: files }
    }
}
