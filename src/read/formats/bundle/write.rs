//! Writing a V2 bundle: data shards as the bytes come, then the index, byte for byte as TensorFlow writes both.
//!
//! Source: `BundleWriter` in `tensor_bundle.cc`. Within a shard tensors follow one another without gaps, in the order in
//! which they are added; a saver adds them by name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::error::{Error, Result};
use crate::read::bundle::{BundleEntry, BundleHeader, Prefix, slice_key};
use crate::read::container::{Header, HeaderPart, Incoming, PartId, Sink};
use crate::read::storage::NewFile;
use crate::read::table::TableBuilder;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::{Crc32c, MaskedCrc, write_varint};

/// A bundle that is being written.
#[derive(Debug)]
pub struct BundleSink {
    prefix: Prefix,
    num_shards: i32,
    headers: Vec<Header>,
    /// The shard that is being written. They are written one after the other: a checkpoint may have thousands.
    shard: Option<Shard>,
    part: Option<Part>,
    /// Entries by their keys.
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

#[derive(Debug)]
struct Shard {
    id: i32,
    file: NewFile,
    offset: u64,
}

/// The part that is being written.
#[derive(Debug)]
struct Part {
    id: PartId,
    start: u64,
    crc: Crc32c,
    /// The checksum that the bytes have where they come from, if they come as they are stored.
    stored: Option<Crc32c>,
}

impl BundleSink {
    /// A bundle with this prefix, whose tensors go to the shards that their headers ask for.
    pub fn new(dir: &Path, name: &str, num_shards: i32) -> Self {
        let prefix = Prefix::new(dir.join(name).into_os_string());
        Self {
            prefix,
            num_shards: num_shards.max(1),
            headers: Vec::new(),
            shard: None,
            part: None,
            entries: BTreeMap::new(),
        }
    }

    fn shard_of(&self, part: &HeaderPart) -> i32 {
        part.shard.clamp(0, self.num_shards.saturating_sub(1))
    }

    fn current(&mut self) -> Result<(&mut Part, &mut Shard)> {
        self.part.as_mut().zip(self.shard.as_mut()).ok_or_else(no_part)
    }

    /// Begins the shards up to this one; those in between are empty files.
    fn reach(&mut self, shard: i32) -> Result<()> {
        let mut next = self.shard.as_ref().map_or(0, |shard| shard.id.saturating_add(1));
        while next <= shard {
            self.close()?;
            let file = NewFile::create(&self.prefix.shard(next, self.num_shards))?;
            self.shard = Some(Shard { id: next, file, offset: 0 });
            next = next.saturating_add(1);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.shard.take().map_or(Ok(()), |shard| shard.file.finish())
    }
}

fn no_part() -> Error {
    Error::malformed("bundle", "bytes of a tensor that was not announced")
}

impl Sink for BundleSink {
    fn refuses(&self, header: &Header) -> Option<String> {
        match header.dtype {
            DType::Resource | DType::Invalid | DType::Ref(_) | DType::Unknown(_) => {
                Some(format!("a checkpoint holds no {}", header.dtype))
            }
            _ if header.name.is_empty() => Some("the empty name is that of the header".to_owned()),
            _ => None,
        }
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn begin(&mut self, all: Vec<Header>) -> Result<Vec<PartId>> {
        self.headers = all;
        let all = &self.headers;
        let parts = |n: usize, header: &Header| (0..header.parts.len()).map(move |part| (n, part));
        let mut order: Vec<PartId> = all.iter().enumerate().flat_map(|(n, header)| parts(n, header)).collect();
        // Within a shard in the order of names, as a saver does.
        let shard_of = |id: &PartId| all.get(id.0)?.parts.get(id.1).map(|part| self.shard_of(part));
        order.sort_by_key(shard_of);
        Ok(order)
    }

    fn part(&mut self, id: PartId, incoming: Incoming) -> Result<()> {
        let wanted = self.headers.get(id.0).and_then(|header| header.parts.get(id.1)).ok_or_else(no_part)?;
        let wanted = self.shard_of(wanted);
        self.reach(wanted)?;
        self.part = Some(Part { id, start: 0, crc: Crc32c::default(), stored: None });
        let (part, shard) = self.current()?;
        if shard.id != wanted {
            return Err(Error::malformed("bundle", "a part of a shard that is already written"));
        }
        part.start = shard.offset;
        match incoming {
            Incoming::Numbers => {}
            Incoming::Stored(crc) => part.stored = Some(crc),
            Incoming::Strings(lengths) => {
                // `WriteStringTensor`: lengths as varints, a checksum of them as numbers, and then the bytes.
                let mut stored = Vec::new();
                for length in lengths {
                    write_varint(&mut stored, length);
                    part.crc = match u32::try_from(length) {
                        Ok(short) => part.crc.extend(&short.to_le_bytes()),
                        Err(_) => part.crc.extend(&length.to_le_bytes()),
                    };
                }
                let checksum = part.crc.masked().0.to_le_bytes();
                part.crc = part.crc.extend(&checksum);
                stored.extend(checksum);
                shard.file.write(&stored)?;
                shard.offset = shard.offset.saturating_add(stored.len() as u64);
            }
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (part, shard) = self.current()?;
        part.crc = part.crc.extend(bytes);
        shard.file.write(bytes)?;
        shard.offset = shard.offset.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn end_part(&mut self) -> Result<()> {
        let (part, shard) = self.current()?;
        let (id, start, end) = (part.id, part.start, shard.offset);
        let crc = part.stored.unwrap_or(part.crc);
        let header = self.headers.get(id.0).ok_or_else(no_part)?;
        let wanted = header.parts.get(id.1).ok_or_else(no_part)?;
        let entry = |shape: Shape| BundleEntry {
            dtype: header.dtype,
            shape,
            shard_id: self.shard_of(wanted),
            offset: start.cast_signed(),
            size: end.saturating_sub(start).cast_signed(),
            crc32c: crc.masked(),
            slices: Vec::new(),
        };
        let (key, value) = match &wanted.slice {
            None => (header.name.clone(), entry(header.shape.clone()).encode()),
            Some(slice) => {
                let extents = header.shape.dims().and_then(|dims| slice.resolve(dims)).ok_or_else(no_part)?;
                let shape = Shape::new(extents.iter().map(|(_, len)| len.cast_signed()).collect::<Vec<_>>());
                (slice_key(&header.name, slice), entry(shape).encode())
            }
        };
        self.entries.insert(key, value);
        if let (Some(_), 0) = (&wanted.slice, id.1) {
            // The tensor itself has an entry that lists its slices, and the first shard that has any: merging the
            // bundles of all shards, `MergeOneBundle` keeps the first entry that it meets.
            let first = header.parts.iter().map(|part| self.shard_of(part)).min().unwrap_or(0);
            let slices = header.parts.iter().filter_map(|part| part.slice.clone()).collect();
            let full = BundleEntry {
                dtype: header.dtype,
                shape: header.shape.clone(),
                shard_id: first,
                offset: 0,
                size: 0,
                crc32c: MaskedCrc(0),
                slices,
            };
            self.entries.insert(header.name.clone(), full.encode());
        }
        self.part = None;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<String>> {
        let base = self.prefix.base_name().to_string_lossy().into_owned();
        self.reach(self.num_shards.saturating_sub(1))?;
        self.close()?;
        let shards = (0..self.num_shards).map(|shard| self.prefix.shard(shard, self.num_shards));
        let mut names: Vec<String> =
            shards.map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
        let index = self.prefix.index();
        let at = |error: std::io::Error| Error::output(error, &index);
        let mut table = TableBuilder::new(NewFile::create(&index)?);
        table.add(b"", &BundleHeader::encode(self.num_shards)).map_err(at)?;
        for (key, value) in &self.entries {
            table.add(key, value).map_err(at)?;
        }
        table.finish().map_err(at)?.finish()?;
        names.push(format!("{base}.index"));
        Ok(names)
    }
}
