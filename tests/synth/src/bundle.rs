//! V2 checkpoints ("tensor bundles"): an `.index` table and data files.
//!
//! Tensors are laid out in call order and listed in key order, as TensorFlow does. Whatever should be wrong is changed
//! after the layout ([`BundleBuilder::entry_patch`]) or written as it is ([`BundleBuilder::raw_entry`]).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::{fs, io};

use crate::entry::{Entry, Header, Versions};
use crate::layout::Layout;
use crate::ordered_code::{Extent, slice_key};
use crate::payload::{self, Payload};
use crate::table::TableBuilder;
use crate::{crc, dtype};

/// The key of the object graph.
pub const OBJECT_GRAPH_KEY: &str = "_CHECKPOINTABLE_OBJECT_GRAPH";

/// A written bundle.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The `.index` file.
    pub index: Vec<u8>,
    /// The data files.
    pub shards: Vec<Vec<u8>>,
    /// Where the parts of the index lie.
    pub layout: Layout,
    /// The entries as written, in the index's order; raw entries are missing here.
    pub entries: Vec<(Vec<u8>, Entry)>,
}

impl Bundle {
    /// The files of the bundle, for a prefix.
    pub fn files(self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let count = self.shards.len();
        let mut files = vec![(format!("{prefix}.index"), self.index)];
        for (i, shard) in self.shards.into_iter().enumerate() {
            files.push((format!("{prefix}{}", data_suffix(i, count)), shard));
        }
        files
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
        fs::write(with_suffix(prefix, ".index"), &self.index)?;
        for (i, shard) in self.shards.iter().enumerate() {
            let suffix = data_suffix(i, self.shards.len());
            fs::write(with_suffix(prefix, &suffix), shard)?;
        }
        Ok(())
    }
}

/// What follows the prefix in a data file's name.
pub fn data_suffix(shard: usize, shards: usize) -> String {
    format!(".data-{shard:05}-of-{shards:05}")
}

/// `prefix` with `suffix` directly behind its last byte.
pub(crate) fn with_suffix(prefix: &Path, suffix: &str) -> OsString {
    let mut name = prefix.as_os_str().to_owned();
    name.push(suffix);
    name
}

enum Data {
    Plain(Vec<u8>),
    Strings(Vec<Vec<u8>>),
    Variants(Vec<Vec<u8>>),
}

enum Item {
    Tensor(Vec<u8>, Entry, Data),
    /// An entry without data: that of a whole partitioned tensor.
    Entry(Vec<u8>, Entry),
    Raw(Vec<u8>, Vec<u8>),
    Junk(usize, Vec<u8>),
}

type Patch = Box<dyn Fn(&mut Entry)>;
type TableHook = Box<dyn FnOnce(TableBuilder) -> TableBuilder>;

/// Writes one bundle.
pub struct BundleBuilder {
    shards: usize,
    current: usize,
    claimed_shards: Option<i32>,
    big_endian: bool,
    versions: Versions,
    /// `Some(None)`: no header at all.
    header: Option<Option<Vec<u8>>>,
    alignment: usize,
    sorted: bool,
    items: Vec<Item>,
    patches: BTreeMap<Vec<u8>, Vec<Patch>>,
    table: Option<TableHook>,
}

impl Default for BundleBuilder {
    fn default() -> Self {
        Self::new()
    }
}

fn owned(elements: &[impl AsRef<[u8]>]) -> Vec<Vec<u8>> {
    elements.iter().map(|e| e.as_ref().to_vec()).collect()
}

impl BundleBuilder {
    /// An empty little-endian bundle of one shard.
    pub fn new() -> Self {
        Self {
            shards: 1,
            current: 0,
            claimed_shards: None,
            big_endian: false,
            versions: Versions::default(),
            header: None,
            alignment: 1,
            sorted: true,
            items: Vec::new(),
            patches: BTreeMap::new(),
            table: None,
        }
    }

    /// How many data files there are at least; naming a higher shard adds it.
    pub fn shards(mut self, count: usize) -> Self {
        self.shards = self.shards.max(count);
        self
    }

    /// Which shard the following tensors go to.
    pub fn in_shard(mut self, shard: usize) -> Self {
        self.current = shard;
        self.shards(shard + 1)
    }

    /// Another number of shards in the header than there are files.
    pub fn claim_shards(mut self, count: i32) -> Self {
        self.claimed_shards = Some(count);
        self
    }

    /// Says big-endian in the header. Element bytes are taken as they are; lengths and checksums of strings follow.
    pub fn big_endian(mut self) -> Self {
        self.big_endian = true;
        self
    }

    /// Another producer version.
    pub fn producer(mut self, version: i32) -> Self {
        self.versions.producer = version;
        self
    }

    /// Another minimal consumer version.
    pub fn min_consumer(mut self, version: i32) -> Self {
        self.versions.min_consumer = version;
        self
    }

    /// Consumer versions that may not read the bundle.
    pub fn bad_consumers(mut self, versions: &[i32]) -> Self {
        self.versions.bad_consumers = versions.to_vec();
        self
    }

    /// Other bytes as the header.
    pub fn header(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.header = Some(Some(bytes.as_ref().to_vec()));
        self
    }

    /// No header.
    pub fn no_header(mut self) -> Self {
        self.header = Some(None);
        self
    }

    /// Zeros after each tensor up to a multiple of this.
    pub fn alignment(mut self, bytes: usize) -> Self {
        self.alignment = bytes.max(1);
        self
    }

    /// Leaves the entries in call order instead of sorting them by key.
    pub fn unsorted(mut self) -> Self {
        self.sorted = false;
        self
    }

    /// Adjusts the index table: block size, compression, damage.
    pub fn table(mut self, hook: impl FnOnce(TableBuilder) -> TableBuilder + 'static) -> Self {
        self.table = Some(Box::new(hook));
        self
    }

    fn push(mut self, name: impl AsRef<[u8]>, dtype: i32, shape: &[i64], data: Data) -> Self {
        let mut entry = Entry::new(dtype, shape);
        entry.shard = self.current as i32;
        let name = name.as_ref().to_vec();
        self.items.push(Item::Tensor(name, entry, data));
        self
    }

    /// A tensor from its elements' bytes, in file order.
    pub fn tensor(self, name: impl AsRef<[u8]>, dtype: i32, shape: &[i64], bytes: impl AsRef<[u8]>) -> Self {
        self.push(name, dtype, shape, Data::Plain(bytes.as_ref().to_vec()))
    }

    /// As [`BundleBuilder::tensor`], in a given shard.
    pub fn tensor_in(
        self,
        shard: usize,
        name: impl AsRef<[u8]>,
        dtype: i32,
        shape: &[i64],
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        let before = self.current;
        let mut this = self.in_shard(shard).tensor(name, dtype, shape, bytes);
        this.current = before;
        this
    }

    /// A float tensor.
    pub fn floats(self, name: impl AsRef<[u8]>, shape: &[i64], values: &[f32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, dtype::FLOAT, shape, bytes)
    }

    /// A string tensor.
    pub fn strings(self, name: impl AsRef<[u8]>, shape: &[i64], elements: &[impl AsRef<[u8]>]) -> Self {
        self.push(name, dtype::STRING, shape, Data::Strings(owned(elements)))
    }

    /// A variant tensor; each element a serialized `VariantTensorDataProto`.
    pub fn variants(self, name: impl AsRef<[u8]>, shape: &[i64], elements: &[impl AsRef<[u8]>]) -> Self {
        self.push(name, dtype::VARIANT, shape, Data::Variants(owned(elements)))
    }

    /// A partitioned tensor: an entry for the whole, and a tensor for each (extents, shard, bytes).
    pub fn partitioned(
        mut self,
        name: impl AsRef<[u8]>,
        dtype: i32,
        shape: &[i64],
        slices: Vec<(Vec<Extent>, usize, Vec<u8>)>,
    ) -> Self {
        let name = name.as_ref();
        let mut whole = Entry::new(dtype, shape);
        whole.slices = slices.iter().map(|(extents, ..)| extents.clone()).collect();
        self.items.push(Item::Entry(name.to_vec(), whole));
        for (extents, shard, bytes) in slices {
            let dims = extents.iter().zip(shape.iter().copied().chain(std::iter::repeat(0)));
            let dims: Vec<i64> = dims.map(|(extent, dim)| extent.len_in(dim)).collect();
            self = self.tensor_in(shard, slice_key(name, &extents), dtype, &dims, bytes);
        }
        self
    }

    /// The object graph, a scalar string.
    pub fn object_graph(self, bytes: impl AsRef<[u8]>) -> Self {
        self.strings(OBJECT_GRAPH_KEY, &[], &[bytes])
    }

    /// An entry of the index as bytes.
    pub fn raw_entry(mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let item = Item::Raw(key.as_ref().to_vec(), value.as_ref().to_vec());
        self.items.push(item);
        self
    }

    /// An entry of the index without data of its own.
    pub fn entry(mut self, key: impl AsRef<[u8]>, entry: Entry) -> Self {
        self.items.push(Item::Entry(key.as_ref().to_vec(), entry));
        self
    }

    /// Bytes in the current shard that no entry mentions.
    pub fn junk(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let item = Item::Junk(self.current, bytes.as_ref().to_vec());
        self.items.push(item);
        self
    }

    /// Changes the entries under `key` after the layout. For a slice, pass its [`slice_key`].
    pub fn entry_patch(mut self, key: impl AsRef<[u8]>, patch: impl Fn(&mut Entry) + 'static) -> Self {
        let patches = self.patches.entry(key.as_ref().to_vec()).or_default();
        patches.push(Box::new(patch));
        self
    }

    /// The bundle.
    pub fn finish(self) -> Bundle {
        let mut shards = vec![Vec::new(); self.shards];
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(self.items.len() + 1);
        let mut entries = Vec::with_capacity(self.items.len());
        let header = Header {
            num_shards: self.claimed_shards.unwrap_or(self.shards as i32),
            endianness: self.big_endian.into(),
            versions: self.versions,
        };
        match self.header {
            None => rows.push((Vec::new(), header.proto().build())),
            Some(Some(bytes)) => rows.push((Vec::new(), bytes)),
            Some(None) => {}
        }
        for item in self.items {
            let (key, mut entry) = match item {
                Item::Tensor(key, mut entry, data) => {
                    let shard = &mut shards[entry.shard as usize];
                    let Payload { bytes, crc } = match data {
                        Data::Plain(bytes) => payload::plain(bytes),
                        Data::Strings(elements) => payload::strings(&elements, self.big_endian),
                        Data::Variants(elements) => payload::variants(&elements, self.big_endian),
                    };
                    entry.offset = shard.len() as i64;
                    entry.size = bytes.len() as i64;
                    entry.crc = crc::mask(crc);
                    shard.extend(bytes);
                    shard.resize(shard.len().next_multiple_of(self.alignment), 0);
                    (key, entry)
                }
                Item::Entry(key, entry) => (key, entry),
                Item::Raw(key, value) => {
                    rows.push((key, value));
                    continue;
                }
                Item::Junk(shard, bytes) => {
                    shards[shard].extend(bytes);
                    continue;
                }
            };
            for patch in self.patches.get(&key).into_iter().flatten() {
                patch(&mut entry);
            }
            rows.push((key.clone(), entry.proto().build()));
            entries.push((key, entry));
        }
        if self.sorted {
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        let table = TableBuilder::new();
        let mut table = match self.table {
            Some(hook) => hook(table),
            None => table,
        };
        for (key, value) in &rows {
            table.add(key, value);
        }
        let (index, layout) = table.finish_with_layout();
        Bundle { index, shards, layout, entries }
    }
}
