//! Which class of `tfckpt.errors` an error of the library is: those that TensorFlow has for the same.

use std::io;

use ckpt::base::error::{Error, ErrorKind};
use pyo3::prelude::*;

/// The name of the class.
fn class(error: &Error) -> &'static str {
    let is_there = || error.location().file.as_ref().is_some_and(|file| file.exists());
    match error.kind() {
        ErrorKind::Io(io) | ErrorKind::Output(io) => match io.kind() {
            io::ErrorKind::NotFound => "NotFoundError",
            io::ErrorKind::PermissionDenied => "PermissionDeniedError",
            _ => "OpError",
        },
        ErrorKind::TensorNotFound(_) | ErrorKind::FileMissing(_) | ErrorKind::IndexMissing(_) => "NotFoundError",
        ErrorKind::OtherName(_) => "NotFoundError",
        // A file that is something else is what TensorFlow calls lost data.
        ErrorKind::NotACheckpoint(_) if is_there() => "DataLossError",
        ErrorKind::NotACheckpoint(_) => "NotFoundError",
        ErrorKind::Request(_) => "InvalidArgumentError",
        ErrorKind::UnsupportedDType(_) => "UnimplementedError",
        ErrorKind::LimitExceeded { .. } => "ResourceExhaustedError",
        _ => "DataLossError",
    }
}

/// An error of the library in words: what, where, and what to do.
pub(crate) fn message(error: &Error) -> String {
    match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

/// An error of the library as an exception.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    raise(py, class(error), message(error))
}

/// An exception of this class of `tfckpt.errors`.
pub(crate) fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    let made = py.import("tfckpt.errors").and_then(|errors| errors.getattr(class)?.call1((message,)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
