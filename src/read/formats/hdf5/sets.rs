//! The data sets of one or several files as tensors: those that are runs of bytes, and those that only a reader of
//! chunks, strings or big-endian numbers can hand out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::data_set::DataSet;
use super::elements::{self, DataSetReader};
use super::file::File;
use super::walk::Contents;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::container::{Builder, Parts, Place, Tensor, Tensors};
use crate::read::storage::Source;
use crate::read::tensor::{Checked, Piece, Shape};

/// Files and what cannot be read from them as a run of bytes.
#[derive(Debug, Default)]
pub(in crate::read::formats) struct DataSets {
    files: Vec<File>,
    /// By name: which file, and what its header says.
    encoded: BTreeMap<Vec<u8>, (usize, DataSet)>,
    tensors: Builder,
    names: BTreeSet<Vec<u8>>,
}

impl DataSets {
    /// Adds a file with its data sets, each under its path; gives what is wrong with those that cannot be added.
    pub(in crate::read::formats) fn add(&mut self, file: File, contents: &mut Contents, is_keras: bool) -> Vec<Error> {
        let n = self.files.len();
        let mut faults = Vec::new();
        for (name, mut set) in std::mem::take(&mut contents.data_sets) {
            if !self.names.insert(name.clone()) {
                let why = "this name is there twice";
                faults.push(file.located(Error::malformed("HDF5 file", why).for_key(&name)));
                continue;
            }
            match set.decide(is_keras).and_then(|()| tensor(&file, n, &name, &set)) {
                Ok(tensor) => {
                    let Parts::Whole(Place { range, .. }) = tensor.parts else { continue };
                    self.tensors.push(&tensor);
                    if range.is_none() {
                        self.encoded.insert(name, (n, set));
                    }
                }
                Err(error) => faults.push(file.located(error.for_key(&name))),
            }
        }
        self.files.push(file);
        faults
    }

    /// All tensors, once.
    pub(in crate::read::formats) fn take_tensors(&mut self) -> Tensors {
        std::mem::take(&mut self.tensors).finish()
    }

    /// Whether there are none.
    pub(in crate::read::formats) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The source of a file.
    pub(in crate::read::formats) fn source(&self, id: i32) -> Result<Arc<Source>> {
        let file = usize::try_from(id).ok().and_then(|id| self.files.get(id));
        file.map(|file| Arc::clone(file.source())).ok_or_else(|| Error::malformed("HDF5 file", "no such file"))
    }

    /// What reads a tensor that is no run of bytes.
    pub(in crate::read::formats) fn piece<'c>(&'c self, tensor: &Tensor, dims: &[u64]) -> Result<Vec<Piece<'c>>> {
        let (file, set) = self.set(&tensor.name)?;
        let reader = Box::new(DataSetReader::open(file, set)?);
        Ok(vec![Piece { extents: dims.iter().map(|&dim| (0, dim)).collect(), reader }])
    }

    /// Unpacks all chunks of a tensor, if it has any; says whether they had checksums.
    pub(in crate::read::formats) fn verify(&self, tensor: &Tensor) -> Result<Checked> {
        match self.set(&tensor.name) {
            Ok((file, set)) => elements::verify(file, set),
            Err(_) => Ok(Checked::Not),
        }
    }

    fn set(&self, name: &[u8]) -> Result<(&File, &DataSet)> {
        let found = self.encoded.get(name).and_then(|(n, set)| Some((self.files.get(*n)?, set)));
        found.ok_or_else(|| ErrorKind::TensorNotFound(name.to_vec()).into())
    }
}

fn tensor(file: &File, n: usize, name: &[u8], set: &DataSet) -> Result<Tensor> {
    let bad = |why: &'static str| Error::malformed("HDF5 data set", why);
    let dims: Option<Vec<i64>> = set.dims().iter().map(|dim| i64::try_from(*dim).ok()).collect();
    let shape = Shape::new(dims.ok_or_else(|| bad("a dimension beyond 2^63"))?);
    let signed = |(start, len): (u64, u64)| Some((i64::try_from(start).ok()?, i64::try_from(len).ok()?));
    let range = match set.run(file) {
        Some(run) => Some(signed(run).ok_or_else(|| bad("a place beyond 2^63"))?),
        None => None,
    };
    let shard = i32::try_from(n).unwrap_or(i32::MAX);
    let parts = Parts::Whole(Place { shard, range, crc32c: None });
    Ok(Tensor { name: name.to_vec(), dtype: set.dtype(), shape, parts })
}
