//! An open checkpoint: names, dtypes, shapes, and elements read into memory that NumPy owns.

use std::path::PathBuf;

use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice, Tensor};
use ckpt::read::tensor::{Axis, Checked, Region};
use numpy::PyReadwriteArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::errors::{raise, raised};

/// An open checkpoint. `tfckpt.Checkpoint` is what users see of it.
#[pyclass(frozen, module = "tfckpt._native")]
pub(crate) struct Reader {
    checkpoint: Checkpoint,
    threads: usize,
}

/// Name, dtype, shape and bytes of a tensor; no shape where its rank is not known.
type Header = (Py<PyAny>, String, Option<Vec<i64>>, Option<u64>);

/// A name as Python has names: text, or bytes where it is none.
fn name_of<'py>(py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    Ok(match std::str::from_utf8(name) {
        Ok(text) => text.into_pyobject(py)?.into_any(),
        Err(_) => PyBytes::new(py, name).into_any(),
    })
}

/// The limits of a call.
pub(crate) fn limits(given: Option<u16>) -> Limits {
    let mut limits = Limits::default();
    limits.threads = given.filter(|threads| *threads > 0).map(usize::from);
    limits
}

#[pymethods]
impl Reader {
    /// Opens what a path leads to, by the rules of the command.
    #[new]
    #[pyo3(signature = (path, step=None, version=None, threads=None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        step: Option<u64>,
        version: Option<i64>,
        threads: Option<u16>,
    ) -> PyResult<Self> {
        let choice = Choice { step, version };
        let limits = limits(threads);
        let checkpoint = py.detach(|| Checkpoint::open(&path, choice, &limits));
        let checkpoint = checkpoint.map_err(|error| raised(py, &error))?;
        Ok(Self { checkpoint, threads: limits.workers() })
    }

    /// Where it was found: the prefix, or the only file.
    fn prefix(&self) -> PathBuf {
        let origin = self.checkpoint.origin();
        match &origin.file {
            Some((file, _)) => file.clone(),
            None => origin.prefix.as_path().to_path_buf(),
        }
    }

    /// What it is stored as.
    fn format(&self) -> &'static str {
        self.checkpoint.format().id
    }

    /// How it was chosen, and what is wrong with it but hides nothing.
    fn notes(&self) -> Vec<String> {
        let of_format = self.checkpoint.notes().iter().map(ToString::to_string);
        self.checkpoint.origin().notes.iter().cloned().chain(of_format).collect()
    }

    /// What could not be read, so that tensors may be missing.
    fn damage(&self) -> Vec<String> {
        self.checkpoint.damage().iter().map(ToString::to_string).collect()
    }

    fn __len__(&self) -> usize {
        self.checkpoint.tensors().len()
    }

    /// Name, dtype, shape and bytes of every tensor, by name.
    fn headers(&self, py: Python<'_>) -> PyResult<Vec<Header>> {
        self.checkpoint.tensors().iter().map(|tensor| header(py, &tensor)).collect()
    }

    /// The same of one tensor.
    fn header(&self, py: Python<'_>, name: &[u8]) -> PyResult<Option<Header>> {
        self.checkpoint.tensor(name).map(|tensor| header(py, &tensor)).transpose()
    }

    /// Dimensions of what `index`, in NumPy's slice syntax, takes of a tensor.
    fn shape_of(&self, py: Python<'_>, name: &[u8], index: &str) -> PyResult<Vec<u64>> {
        self.region(py, name, Some(index)).map(|(_, region)| region.shape())
    }

    /// Fills `into` with the elements of a tensor of numbers, or of what `index` takes of it: little-endian, in C order.
    /// Says whether they were compared with a checksum.
    #[pyo3(signature = (name, into, index=None))]
    fn read_into(
        &self,
        py: Python<'_>,
        name: &[u8],
        mut into: PyReadwriteArray1<'_, u8>,
        index: Option<&str>,
    ) -> PyResult<bool> {
        let (tensor, region) = self.region(py, name, index)?;
        let bytes = into.as_slice_mut()?;
        let checked = py.detach(|| match index {
            None => self.checkpoint.read_into(&tensor, bytes, self.threads),
            Some(_) => {
                let mut rest = bytes;
                self.checkpoint.read(&tensor, &axes(&region), &mut |part| {
                    let (here, behind) =
                        std::mem::take(&mut rest).split_at_mut_checked(part.len()).ok_or_else(|| {
                            ckpt::base::error::Error::malformed("tensor", "more elements than its shape has")
                        })?;
                    here.copy_from_slice(part);
                    rest = behind;
                    Ok(())
                })
            }
        });
        checked.map(|checked| checked == Checked::Verified).map_err(|error| raised(py, &error))
    }

    /// The elements of a tensor of strings, or of what `index` takes of it, in C order.
    #[pyo3(signature = (name, index=None))]
    fn read_strings<'py>(&self, py: Python<'py>, name: &[u8], index: Option<&str>) -> PyResult<Bound<'py, PyList>> {
        let (tensor, region) = self.region(py, name, index)?;
        let mut strings: Vec<Vec<u8>> = Vec::new();
        let read = py.detach(|| {
            self.checkpoint.read(&tensor, &axes(&region), &mut |string| {
                strings.push(string.to_vec());
                Ok(())
            })
        });
        read.map_err(|error| raised(py, &error))?;
        PyList::new(py, strings.iter().map(|string| PyBytes::new(py, string)))
    }
}

impl Reader {
    /// The tensor of this name, and the part of it that is meant.
    fn region(&self, py: Python<'_>, name: &[u8], index: Option<&str>) -> PyResult<(Tensor, Region)> {
        let Some(tensor) = self.checkpoint.tensor(name) else {
            let message = format!("Key {} not found in checkpoint", String::from_utf8_lossy(name));
            return Err(raise(py, "NotFoundError", message));
        };
        let region = tensor.dims().and_then(|dims| match index {
            Some(index) => Region::parse(index, &dims),
            None => Ok(Region::full(&dims)),
        });
        let region = region.map_err(|error| raised(py, &error.for_key(&tensor.name)))?;
        Ok((tensor, region))
    }
}

fn axes(region: &Region) -> Vec<Axis> {
    region.spans().iter().map(|span| Axis { start: span.start, step: span.step, count: span.count }).collect()
}

fn header(py: Python<'_>, tensor: &Tensor) -> PyResult<Header> {
    let dims = tensor.shape.dims().map(<[i64]>::to_vec);
    Ok((name_of(py, &tensor.name)?.unbind(), tensor.dtype.to_string(), dims, tensor.bytes()))
}
