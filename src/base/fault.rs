//! An I/O error with advice: what a store on a network says when it cannot read, put where `io::Error` has room for it.

use std::fmt;
use std::io;

/// What went wrong in a store, and what to do about it. It travels inside an [`io::Error`]; [`super::error::Error::help`]
/// finds the advice there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    what: String,
    help: Option<String>,
}

impl Fault {
    /// A fault in one line of words, without secrets: it is shown to people.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// As an I/O error of this kind.
    pub fn of_kind(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }

    /// The advice in an I/O error that came of a fault.
    pub(super) fn help_in(error: &io::Error) -> Option<&str> {
        error.get_ref()?.downcast_ref::<Self>()?.help.as_deref()
    }

    /// The same error once more, for somebody else who waits for the same bytes.
    pub fn again(error: &io::Error) -> io::Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            Some(fault) => fault.clone().of_kind(error.kind()),
            None => match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}
