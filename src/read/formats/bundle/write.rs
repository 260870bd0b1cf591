//! Writing a V2 bundle: data shards as the bytes come, then the index, byte for byte as TensorFlow writes both.
//!
//! Source: `BundleWriter` in `tensor_bundle.cc`. Within a shard tensors follow one another without gaps, in the order in
//! which they are added; a saver adds them by name.

use std::path::Path;
use std::sync::Arc;

use crate::base::error::{Error, Result};
use crate::read::bundle::{BundleEntry, BundleHeader, Prefix, slice_key};
use crate::read::container::{Incoming, PartId, Parts, Sink, Tensor, Tensors, WantedPart};
use crate::read::storage::{Bridge, NewFile};
use crate::read::table::TableBuilder;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::{Crc32c, MaskedCrc, write_varint};

/// A bundle that is being written.
#[derive(Debug)]
pub struct BundleSink {
    prefix: Prefix,
    num_shards: i32,
    tensors: Arc<Tensors>,
    /// The shard that is being written. They are written one after the other: a checkpoint may have thousands.
    shard: Option<Shard>,
    part: Option<Part>,
    /// Where each part lies.
    spots: Vec<Spot>,
}

#[derive(Debug)]
struct Shard {
    id: i32,
    file: NewFile,
    offset: u64,
}

/// Where a part lies. Of a million of them little is kept: entries are made when the index is written.
#[derive(Debug)]
struct Spot {
    id: PartId,
    offset: u64,
    len: u64,
    crc: Crc32c,
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
            tensors: Arc::default(),
            shard: None,
            part: None,
            spots: Vec::new(),
        }
    }

    fn shard_name(&self, shard: i32, of: i32) -> String {
        let path = self.prefix.shard(shard, of);
        path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn index_name(&self) -> String {
        format!("{}.index", self.prefix.base_name().to_string_lossy())
    }

    /// Writes the index of what was written into so many shards.
    fn write_index(&self, index: &Path, num_shards: i32) -> Result<()> {
        let at = |error: std::io::Error| Error::output(error, index);
        let mut table = TableBuilder::new(NewFile::create(index)?);
        table.add(b"", &BundleHeader::encode(num_shards)).map_err(at)?;
        let mut spots: Vec<&Spot> = self.spots.iter().collect();
        spots.sort_unstable_by_key(|spot| spot.id);
        // Keys in order: those of tensors are, those of slices are made, and lie between them.
        let (mut slices, mut of_wholes) = (Vec::new(), Vec::new());
        for spot in spots {
            let slice = self.tensors.partitioned().get(&spot.id.0).and_then(|slices| slices.get(spot.id.1));
            match slice {
                None => of_wholes.push(spot),
                Some(own) => {
                    let tensor = self.tensors.get(spot.id.0).ok_or_else(no_part)?;
                    slices.push((slice_key(&tensor.name, &own.slice), spot));
                }
            }
        }
        slices.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let (mut slices, mut of_wholes) = (slices.into_iter().peekable(), of_wholes.into_iter());
        let mut cursor = self.tensors.cursor();
        loop {
            let tensor = cursor.advance();
            let is_next = |(key, _): &(Vec<u8>, &Spot)| tensor.is_none_or(|(_, tensor)| *key < tensor.name);
            while let Some((key, spot)) = slices.next_if(is_next) {
                let of = self.tensors.get(spot.id.0).ok_or_else(no_part)?;
                table.add(&key, &self.entry(&of, spot)?.encode()).map_err(at)?;
            }
            let Some((n, tensor)) = tensor else { break };
            let entry = match &tensor.parts {
                Parts::Slices(_) => self.entry_of_slices(tensor),
                Parts::Whole(_) => {
                    let spot = of_wholes.next().filter(|spot| spot.id.0 == n).ok_or_else(no_part)?;
                    self.entry(tensor, spot)?
                }
            };
            table.add(&tensor.name, &entry.encode()).map_err(at)?;
        }
        table.finish().map_err(at)?.finish()
    }

    /// The entry of a part.
    fn entry(&self, tensor: &Tensor, spot: &Spot) -> Result<BundleEntry> {
        let part = WantedPart::of(tensor, spot.id.1).ok_or_else(no_part)?;
        let shape = match &part.slice {
            None => tensor.shape.clone(),
            Some(slice) => {
                let extents = tensor.shape.dims().and_then(|dims| slice.resolve(dims)).ok_or_else(no_part)?;
                Shape::new(extents.iter().map(|(_, len)| len.cast_signed()).collect::<Vec<_>>())
            }
        };
        Ok(BundleEntry {
            dtype: tensor.dtype,
            shape,
            shard_id: self.shard_of(&part),
            offset: spot.offset.cast_signed(),
            size: spot.len.cast_signed(),
            crc32c: spot.crc.masked(),
            slices: Vec::new(),
        })
    }

    /// The entry of a sliced tensor lists its slices, and the first shard that has any: merging the bundles of all
    /// shards, `MergeOneBundle` keeps the first entry that it meets.
    fn entry_of_slices(&self, tensor: &Tensor) -> BundleEntry {
        let parts = || (0..WantedPart::count(tensor)).filter_map(|n| WantedPart::of(tensor, n));
        BundleEntry {
            dtype: tensor.dtype,
            shape: tensor.shape.clone(),
            shard_id: parts().map(|part| self.shard_of(&part)).min().unwrap_or(0),
            offset: 0,
            size: 0,
            crc32c: MaskedCrc(0),
            slices: parts().filter_map(|part| part.slice).collect(),
        }
    }

    fn shard_of(&self, part: &WantedPart) -> i32 {
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
    fn refuses(&self, tensor: &Tensor) -> Option<String> {
        match tensor.dtype {
            DType::Resource | DType::Invalid | DType::Ref(_) | DType::Unknown(_) => {
                Some(format!("a checkpoint holds no {}", tensor.dtype))
            }
            _ if tensor.name.is_empty() => Some("the empty name is that of the header".to_owned()),
            _ => None,
        }
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn begin(&mut self, all: Arc<Tensors>) -> Result<Vec<PartId>> {
        self.tensors = all;
        let mut order: Vec<(i32, PartId)> = Vec::with_capacity(self.tensors.len());
        let mut cursor = self.tensors.cursor();
        while let Some((n, tensor)) = cursor.advance() {
            let parts = (0..WantedPart::count(tensor)).filter_map(|part| Some((part, WantedPart::of(tensor, part)?)));
            order.extend(parts.map(|(part, wanted)| (self.shard_of(&wanted), (n, part))));
        }
        // Within a shard in the order of names, as a saver does.
        order.sort_by_key(|(shard, _)| *shard);
        Ok(order.into_iter().map(|(_, id)| id).collect())
    }

    fn part(&mut self, id: PartId, incoming: Incoming) -> Result<()> {
        let wanted = self.tensors.get(id.0).and_then(|tensor| WantedPart::of(&tensor, id.1)).ok_or_else(no_part)?;
        let wanted = self.shard_of(&wanted);
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
        self.spots.push(Spot { id, offset: start, len: end.saturating_sub(start), crc });
        self.part = None;
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        self.reach(self.num_shards.saturating_sub(1))?;
        self.close()?;
        self.write_index(&self.prefix.index(), self.num_shards)?;
        let shards = (0..self.num_shards).map(|shard| self.shard_name(shard, self.num_shards));
        Ok(shards.chain(std::iter::once(self.index_name())).collect())
    }

    fn bridge(&mut self, dir: &Path, is_taken: &dyn Fn(&str) -> bool) -> Result<Option<Bridge>> {
        let count = self.num_shards;
        let names = |of: i32| -> Vec<String> { (0..of).map(|shard| self.shard_name(shard, of)).collect() };
        let mut all = (count.saturating_add(1)..count.saturating_add(100)).map(|of| (of, names(of)));
        let Some((of, mut others)) = all.find(|(_, names)| !names.iter().any(|name| is_taken(name))) else {
            return Ok(None);
        };
        self.write_index(&dir.join(self.index_name()), of)?;
        // As many shards as its header counts; what is behind ours is empty.
        let more = others.split_off(usize::try_from(count).unwrap_or(0).min(others.len()));
        for name in &more {
            NewFile::create(&dir.join(name))?.finish()?;
        }
        let links = (0..count).map(|shard| self.shard_name(shard, count)).zip(others).collect();
        Ok(Some(Bridge { index: self.index_name(), links, more }))
    }
}
