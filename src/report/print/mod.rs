//! What `print` tells: values as NumPy shows them, and complete in other formats.

pub(in crate::report) mod json;
mod printer;
pub(in crate::report) mod text;
pub(in crate::report) mod values;
mod variant;

pub use printer::{PRINT_FORMATS, Printer};

use crate::base::error::{Error, ErrorKind};

/// An output error on its way through a reader.
pub(in crate::report) fn output(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Output(error))
}
