//! One data set: what its elements are, how many there are, and where their bytes lie.

use super::chunks::Grid;
use super::datatype::{Element, Space, datatype, space};
use super::file::File;
use super::layout::{Filter, Layout, fill, filters, layout};
use super::object::{Object, kind, resolve};
use super::{attribute, filters};
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::tensor::DType;

/// Largest chunk that is unpacked: it must be held in one piece.
const LARGEST_CHUNK: u64 = 1 << 30;
/// Elements that are not stored and stand for the fill value cost nothing in the file; of more than this many bytes, and
/// more than deflate could have packed into the file, none are made.
const UNSTORED: u64 = 1 << 30;
/// Deflate makes one byte of no more than this many.
const RATIO: u64 = 1032;

/// What to do with elements that are no numbers.
const OTHERS: &str = "h5py reads this one: write its values as numbers to compare them";

/// What to do with a data set whose bytes are elsewhere.
const COPY: &str = "h5py copies it into a data set of its own: `out[NAME] = file[NAME][()]`";

/// What the header of a data set says.
#[derive(Clone, Debug)]
pub(in crate::read::formats) struct DataSet {
    pub(in crate::read::formats) element: Element,
    pub(super) space: Space,
    pub(super) layout: Layout,
    pub(super) layout_version: u8,
    pub(super) filters: Vec<Filter>,
    pub(super) fill: Option<Vec<u8>>,
}

/// Whether an object is a data set.
pub(super) fn is_data_set(object: &Object) -> bool {
    object.message(kind::LAYOUT).is_some() || object.message(kind::EXTERNAL_FILES).is_some()
}

impl DataSet {
    pub(super) fn read(file: &File, object: &Object) -> Result<Self> {
        let here = |error: Error| file.located(error.at_offset(file.offset(object.address)));
        Self::of(file, object).map_err(here)
    }

    fn of(file: &File, object: &Object) -> Result<Self> {
        let bad = |why: &'static str| Error::malformed("HDF5 data set", why);
        if object.message(kind::EXTERNAL_FILES).is_some() {
            return Err(bad("its bytes are in other files, which are not read").with_help(COPY));
        }
        let message = |kind, what: &'static str| {
            let message = object.message(kind).ok_or_else(|| bad(what))?;
            resolve(file, message)
        };
        let space = space(&mut message(kind::SPACE, "it has no shape")?.fields(file), file.limits.rank)?;
        let mut element = datatype(&mut message(kind::DATATYPE, "it has no datatype")?.fields(file))?;
        if let Element::Opaque { len: 2 } = element
            && attribute::text(file, object, b"dtype").is_some_and(|dtype| dtype == b"bfloat16")
        {
            // What Keras 3 writes beside numbers that h5py has no name for.
            element = Element::Number { dtype: DType::BFloat16, big_endian: false };
        }
        let stored = message(kind::LAYOUT, "it has no layout")?;
        let (layout, layout_version) = layout(&mut stored.fields(file), space.dims.len())?;
        let filters = match object.message(kind::FILTERS) {
            Some(stored) => filters(&mut resolve(file, stored)?.fields(file))?,
            None => Vec::new(),
        };
        let mut value = None;
        for (kind, is_old) in [(kind::FILL, false), (kind::FILL_OLD, true)] {
            if let (None, Some(stored)) = (&value, object.message(kind)) {
                value = fill(&mut resolve(file, stored)?.fields(file), is_old)?;
            }
        }
        let fill = value.filter(|value| value.len() as u64 == element.size());
        let set = Self { element, space, layout, layout_version, filters, fill };
        set.check(file)?;
        Ok(set)
    }

    /// Refuses what cannot be read, or claims more elements than the file can stand for.
    fn check(&self, file: &File) -> Result<()> {
        let bad = |why: String| Error::malformed("HDF5 data set", why);
        match &self.element {
            Element::Other { what, .. } => {
                let error = bad(format!("{what} are not decoded"));
                return Err(error.with_help(OTHERS));
            }
            Element::Elsewhere { size } if *size != 8 + u64::from(file.superblock.offset_size) => {
                return Err(bad(format!("references to strings of {size} bytes")));
            }
            _ => {}
        }
        let bytes = self.bytes().ok_or_else(|| bad("its elements cannot be counted".to_owned()))?;
        if let Some(why) = filters::unknown(&self.filters) {
            let help = "`h5repack -f NONE IN OUT` writes it without, where the filter is installed";
            return Err(bad(why).with_help(help));
        }
        match &self.layout {
            Layout::Compact { bytes: stored, .. } if (stored.len() as u64) < bytes => {
                return Err(ErrorKind::Truncated { needed: bytes, available: stored.len() as u64 }.into());
            }
            Layout::Contiguous { address: Some(_), len: Some(len) } if *len < bytes => {
                return Err(bad(format!("{len} bytes are stored, its shape makes {bytes}")));
            }
            Layout::Contiguous { address: None, .. } | Layout::Chunked { .. } => {
                let most = UNSTORED.max(file.len().saturating_mul(RATIO));
                if bytes > most {
                    let kind =
                        ErrorKind::LimitExceeded { what: "data set that is not stored", got: bytes, limit: most };
                    return Err(kind.into());
                }
            }
            _ => {}
        }
        if let Some(grid) = self.grid()
            && grid.bytes > LARGEST_CHUNK
        {
            return Err(ErrorKind::LimitExceeded { what: "chunk", got: grid.bytes, limit: LARGEST_CHUNK }.into());
        }
        Ok(())
    }

    /// Number of elements.
    pub(super) fn elements(&self) -> Option<u64> {
        self.space.dims.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim))
    }

    /// Bytes of all elements, without filters.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.elements()?.checked_mul(self.element.size())
    }

    pub(in crate::read::formats) fn dims(&self) -> &[u64] {
        &self.space.dims
    }

    /// Takes opaque elements for what a writer is known to write so: `bfloat16` of Keras.
    pub(in crate::read::formats) fn decide(&mut self, is_keras: bool) -> Result<()> {
        match self.element {
            Element::Opaque { len: 2 } if is_keras => {
                self.element = Element::Number { dtype: DType::BFloat16, big_endian: false };
                Ok(())
            }
            Element::Opaque { len } => {
                let why = format!("opaque elements of {len} bytes, whose meaning the file does not say");
                Err(Error::malformed("HDF5 data set", why).with_help(OTHERS))
            }
            _ => Ok(()),
        }
    }

    pub(in crate::read::formats) fn dtype(&self) -> DType {
        match self.element {
            Element::Number { dtype, .. } => dtype,
            _ => DType::String,
        }
    }

    /// Offset of its little-endian numbers in the source, if they lie there in one run.
    pub(in crate::read::formats) fn run(&self, file: &File) -> Option<(u64, u64)> {
        let Element::Number { dtype, big_endian } = self.element else { return None };
        if !file.in_place {
            return None;
        }
        if big_endian && dtype.swap_unit() > 1 {
            return None;
        }
        let bytes = self.bytes()?;
        match &self.layout {
            _ if bytes == 0 => Some((file.offset(0), 0)),
            Layout::Compact { at, .. } => Some((*at, bytes)),
            Layout::Contiguous { address, .. } => Some((file.offset((*address)?), bytes)),
            Layout::Chunked { .. } => None,
        }
    }

    /// The grid of its chunks, if it has any.
    pub(super) fn grid(&self) -> Option<Grid> {
        let Layout::Chunked { chunk, .. } = &self.layout else { return None };
        let bytes = chunk.iter().try_fold(self.element.size(), |n, dim| n.checked_mul(*dim)).unwrap_or(u64::MAX);
        Some(Grid { dims: self.space.dims.clone(), most: self.space.most.clone(), chunk: chunk.clone(), bytes })
    }

    /// Whether all of it lies in chunks with checksums.
    pub(super) fn is_summed(&self) -> bool {
        matches!(self.layout, Layout::Chunked { .. }) && filters::is_summed(&self.filters)
    }
}
