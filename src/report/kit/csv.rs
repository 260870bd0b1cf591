//! What the csv crate says, in our terms, and cells of it.

use std::io;

/// What the output said through the csv crate, whose own conversion hides a closed pipe.
pub(in crate::report) fn csv_output(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A figure as JSON has it; nothing where it is not known.
pub(in crate::report) fn float(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.is_finite() => format!("{value:?}"),
        Some(value) => if value < 0.0 { "-inf" } else { "inf" }.to_owned(),
    }
}
