//! What the csv crate says, in our terms.

use std::io;

/// What the output said through the csv crate, whose own conversion hides a closed pipe.
pub(in crate::report) fn csv_output(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
