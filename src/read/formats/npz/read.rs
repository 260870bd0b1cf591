//! `.npz` archives and single `.npy` files as checkpoints.
//!
//! An array of little-endian numbers in C order that is stored as it is (what `np.savez` and `np.save` write) is a run
//! of bytes in the file. Everything else is decoded on the way by [`ArrayReader`].

use std::any::Any;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::array::ArrayReader;
use super::header::{self, Array, Element, NpyHeader};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::container::{Builder, Checksums, Container, ElementBuffers, Format, Opened, Parts, Place, Tensor};
use crate::read::storage::archive::{Archive, Member, Packing};
use crate::read::storage::{Source, Window};
use crate::read::tensor::{Axis, Checked, Piece, Shape};

/// What an archive of arrays is called.
pub const NPZ: Format = Format { id: "npz", title: "NumPy archive (.npz)", checksums: Checksums::Container };

/// What a single array is called.
pub const NPY: Format = Format { id: "npy", title: "NumPy array (.npy)", checksums: Checksums::None };

/// The arrays of a file.
#[derive(Debug)]
pub(super) struct Arrays {
    source: Arc<Source>,
    /// `None` of a file that is an array itself.
    pub(super) archive: Option<Archive>,
    /// Those that are no runs of bytes, by name.
    encoded: BTreeMap<Vec<u8>, Array>,
    limits: Limits,
}

impl Arrays {
    /// The member that a tensor is; of several with its name the last one, as Python has it.
    fn member(&self, tensor: &Tensor) -> Option<&Member> {
        self.archive.as_ref()?.find(&[tensor.name.as_slice(), b".npy"].concat())
    }
}

impl Container for Arrays {
    fn format(&self) -> &'static Format {
        if self.archive.is_some() { &NPZ } else { &NPY }
    }

    fn file_count(&self) -> i32 {
        1
    }

    fn file(&self, _id: i32) -> PathBuf {
        self.source.path().to_path_buf()
    }

    fn source(&self, _id: i32) -> Result<Arc<Source>> {
        Ok(Arc::clone(&self.source))
    }

    /// Reads the member of the archive, header included, of which the archive has a CRC-32.
    fn verify(&self, tensor: &Tensor) -> Result<Checked> {
        let Some(archive) = &self.archive else { return Ok(Checked::Not) };
        let member = self.member(tensor);
        let member = member.ok_or_else(|| Error::from(ErrorKind::TensorNotFound(tensor.name.clone())))?;
        archive.verify(member).map(|()| Checked::Verified).map_err(|error| error.for_key(&tensor.name))
    }

    fn member_crc32(&self, tensor: &Tensor) -> Option<u32> {
        self.member(tensor).map(|member| member.crc32)
    }

    fn encoded<'c>(
        &'c self,
        tensor: &Tensor,
        dims: &[u64],
        _axes: &[Axis],
        _hold: &'c mut ElementBuffers,
    ) -> Result<Vec<Piece<'c>>> {
        let array = self.encoded.get(&tensor.name);
        let array = array.ok_or_else(|| Error::from(ErrorKind::TensorNotFound(tensor.name.clone())))?;
        let reader = ArrayReader::open(&self.source, self.archive.as_ref(), array, &self.limits)?;
        Ok(vec![Piece { extents: dims.iter().map(|&dim| (0, dim)).collect(), reader: Box::new(reader) }])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Opens an archive.
///
/// # Errors
/// If it is none, or its list of members cannot be read.
pub(super) fn open_npz(path: &Path, limits: &Limits) -> Result<Opened> {
    let source = Arc::new(Source::open(path)?);
    let mut archive = Archive::open(Arc::clone(&source))?;
    let (mut tensors, mut encoded) = (Builder::default(), BTreeMap::new());
    let (mut damage, mut notes) = (archive.take_faults(), Vec::new());
    if archive.has_doubles() {
        let why = "a name is in the archive more than once; which of them is read depends on the reader";
        notes.push(Error::malformed("zip archive", why).in_file(path));
    }
    if archive.members().is_empty() && !damage.is_empty() {
        return Err(damage.swap_remove(0));
    }
    for member in archive.members() {
        let Some(name) = member.name.strip_suffix(b".npy") else {
            let why = format!("{} is no array (its name does not end in .npy)", escaped(&member.name));
            notes.push(Error::malformed("zip archive", why).in_file(path));
            continue;
        };
        let array = read_header(&archive, member, limits).and_then(|header| {
            let is_stored = member.packing == Packing::Stored;
            let tensor = describe(&header, is_stored.then_some(member.start), member.len)?;
            Ok((tensor, Array { header, member: Some(member.clone()) }))
        });
        match array {
            Ok((tensor, array)) => {
                if tensor.parts == ENCODED {
                    encoded.insert(name.to_vec(), array);
                }
                tensors.push(&Tensor { name: name.to_vec(), ..tensor });
            }
            Err(error) => damage.push(error.at_part(Part::Header).at_offset(member.start).for_key(name).in_file(path)),
        }
    }
    let container = Box::new(Arrays { source, archive: Some(archive), encoded, limits: limits.clone() });
    Ok(Opened { tensors: tensors.finish(), damage, notes, container })
}

/// Opens a single array, which is called after its file.
///
/// # Errors
/// If it is none.
pub(super) fn open_npy(path: &Path, limits: &Limits) -> Result<Opened> {
    let source = Arc::new(Source::open(path)?);
    let in_file = |error: Error| error.at_part(Part::Header).in_file(path);
    let prefix = source.head(header::PREFIX as u64)?;
    let bytes = header::data_start(&prefix).and_then(|start| {
        let mut scratch = Window::default();
        source.slice(0..start, &mut scratch).map(<[u8]>::to_vec)
    });
    let header = bytes.and_then(|bytes| header::parse(&bytes, limits.rank)).map_err(in_file)?;
    let tensor = describe(&header, Some(0), source.len()).map_err(in_file)?;
    let name = path.file_stem().unwrap_or_default().as_encoded_bytes().to_vec();
    let (mut tensors, mut encoded) = (Builder::default(), BTreeMap::new());
    if tensor.parts == ENCODED {
        encoded.insert(name.clone(), Array { header, member: None });
    }
    tensors.push(&Tensor { name, ..tensor });
    let container = Box::new(Arrays { source, archive: None, encoded, limits: limits.clone() });
    Ok(Opened { tensors: tensors.finish(), damage: Vec::new(), notes: Vec::new(), container })
}

/// The place of what only an [`ArrayReader`] can read.
const ENCODED: Parts = Parts::Whole(Place { shard: 0, range: None, crc32c: None });

fn read_header(archive: &Archive, member: &Member, limits: &Limits) -> Result<NpyHeader> {
    let mut reader = archive.reader(member)?;
    let io = |error| Error::from(ErrorKind::Io(error));
    let mut bytes = Vec::new();
    reader.by_ref().take(header::PREFIX as u64).read_to_end(&mut bytes).map_err(io)?;
    let start = header::data_start(&bytes)?;
    let rest = start.saturating_sub(bytes.len() as u64);
    reader.by_ref().take(rest).read_to_end(&mut bytes).map_err(io)?;
    header::parse(&bytes, limits.rank)
}

/// The tensor that a header describes, without its name. `at` is where the array begins in the file, if its bytes are
/// there as they are; `len` is how many there are, header included.
fn describe(header: &NpyHeader, at: Option<u64>, len: u64) -> Result<Tensor> {
    let bad = |why: String| Error::malformed(".npy header", why);
    let elements = header.shape.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim));
    let bytes = elements.and_then(|n| n.checked_mul(header.element.size()?));
    let bytes = bytes.ok_or_else(|| bad("the elements of its shape cannot be counted".to_owned()))?;
    let there = len.saturating_sub(header.data_start);
    if bytes > there {
        return Err(ErrorKind::Truncated { needed: bytes, available: there }.into());
    }
    let dims: Option<Vec<i64>> = header.shape.iter().map(|dim| i64::try_from(*dim).ok()).collect();
    let shape = Shape::new(dims.ok_or_else(|| bad("a dimension beyond 2^63".to_owned()))?);
    // The orders of elements are the same where at most one dimension has more than one index.
    let is_c_order = !header.fortran_order || header.shape.iter().filter(|dim| **dim > 1).count() <= 1;
    let is_plain = match header.element {
        Element::Number { dtype, big_endian } => is_c_order && (!big_endian || dtype.swap_unit() == 1),
        Element::Bytes(_) | Element::Characters { .. } => false,
    };
    let run = |at: u64| Some((i64::try_from(at.checked_add(header.data_start)?).ok()?, i64::try_from(bytes).ok()?));
    let range = at.filter(|_| is_plain).and_then(run);
    let parts = range.map_or(ENCODED, |range| Parts::Whole(Place { shard: 0, range: Some(range), crc32c: None }));
    Ok(Tensor { name: Vec::new(), dtype: header.element.dtype(), shape, parts })
}
