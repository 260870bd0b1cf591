//! The Rust half of the Python package `tfckpt`: files are read and judged here, arrays and dictionaries made there.
//!
//! `checkpoint` reads values into memory that NumPy owns, `documents` hands out the JSON of the command, `errors` says
//! which class of Python an error is.

mod checkpoint;
mod documents;
mod errors;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<checkpoint::Reader>()?;
    documents::add(module)
}
