//! What a store could not say, and was taken for not being there: a network that does not answer, or a disk that fails, says
//! nothing of what lies at a path. Whoever tells what was found tells this too.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::address::Address;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::fault::Fault;

static TROUBLE: Mutex<Option<Error>> = Mutex::new(None);

/// Remembers an error that may be taken for an answer, if it is none.
pub(super) fn remember(error: &io::Error, path: &Path) {
    use io::ErrorKind::{InvalidInput, NotADirectory, NotFound, PermissionDenied, Unsupported};
    // Where listing is forbidden, some servers forbid what is not there, too.
    let is_answer = matches!(error.kind(), NotFound | NotADirectory | PermissionDenied | Unsupported | InvalidInput);
    if is_of_device(error) || (Address::is(path) && !is_answer) {
        let mut trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.get_or_insert_with(|| Error::io(Fault::again(error), path));
    }
}

/// What was read to guess what a file is; if it could not be read, nothing is guessed, and that is remembered.
pub(crate) fn guessed<T>(read: Result<T>, path: &Path) -> Option<T> {
    let remembered = |error: &Error| {
        if let ErrorKind::Io(error) = error.kind() {
            remember(error, path);
        }
    };
    read.inspect_err(remembered).ok()
}

/// Whether a disk, or what a disk is taken from, failed. Many other errors say that a path cannot be: a name is too long,
/// links lead round in a circle.
pub(super) fn is_of_device(error: &io::Error) -> bool {
    /// What Unix calls EIO, which the standard library has no kind for.
    const EIO: i32 = 5;
    use io::ErrorKind::{Other, StaleNetworkFileHandle, TimedOut};
    let is_eio = cfg!(unix) && error.raw_os_error() == Some(EIO);
    is_eio || matches!(error.kind(), Other | StaleNetworkFileHandle | TimedOut)
}

/// What could not be asked of a store, and was taken for not being there: what was said since the last call may lack it.
pub fn take_trouble() -> Option<Error> {
    TROUBLE.lock().unwrap_or_else(PoisonError::into_inner).take()
}
