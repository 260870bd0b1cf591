//! Findings: what is wrong with a checkpoint, under a stable code.
//!
//! A code is a kebab-case word that is never renamed or reused; `docs/checks.md` has an entry for each. A finding is
//! data, not an error: reading goes on behind it.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Part};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Suspicious, but nothing is lost.
    Warning,
    /// Data is damaged, missing or cannot be trusted.
    Error,
}

impl Severity {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $severity:ident, $what:literal;)*) => {
        /// What kind of thing was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $what] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line on what it means.
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// How bad it is unless the user says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    BlockChecksumMismatch = "block-checksum-mismatch", Error, "A block of the index does not match its checksum; the names in it are lost.";
    BadBlock = "bad-block", Error, "A block of the index cannot be decoded.";
    BadTable = "bad-table", Error, "The index is not a table, or is cut off.";
    KeysOutOfOrder = "keys-out-of-order", Error, "Keys of the index are not in increasing order, so TensorFlow cannot find some of them.";
    HeaderMissing = "header-missing", Error, "The index has no bundle header.";
    BadHeader = "bad-header", Error, "The bundle header cannot be decoded.";
    VersionRefused = "version-refused", Error, "The checkpoint demands another version of TensorFlow.";
    BadEntry = "bad-entry", Error, "An entry of the index cannot be decoded.";
    BadSlices = "bad-slices", Error, "The slices of a partitioned tensor contradict it or each other.";
    MissingShard = "missing-shard", Error, "A data shard that the index counts is not there.";
    ShortShard = "short-shard", Error, "A data shard ends before the tensors that the index places in it.";
    StepDisagrees = "step-disagrees", Note, "The step in the name is not the step stored in the checkpoint.";
    ChoiceNote = "choice-note", Note, "How the checkpoint was chosen from its directory.";
    Unreadable = "unreadable", Error, "Something could not be read.";
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// In words, with the values.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The file it is in.
    pub file: Option<PathBuf>,
    /// Offset in bytes in that file.
    pub offset: Option<u64>,
    /// The tensor it concerns.
    pub tensor: Option<Vec<u8>>,
}

impl Finding {
    /// A finding with the severity of its code and no place yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let (severity, message) = (code.severity(), message.into());
        Self { code, severity, message, help: None, file: None, offset: None, tensor: None }
    }

    /// The finding that an error amounts to.
    pub fn of(error: &Error) -> Self {
        let at = error.location();
        let code = match (error.kind(), at.part) {
            (ErrorKind::ChecksumMismatch { what: "block", .. }, _) => Code::BlockChecksumMismatch,
            (ErrorKind::KeysOutOfOrder { .. }, _) => Code::KeysOutOfOrder,
            (ErrorKind::HeaderMissing, _) => Code::HeaderMissing,
            (ErrorKind::Version(_), _) => Code::VersionRefused,
            (ErrorKind::Slices(_), _) => Code::BadSlices,
            (_, Some(Part::BundleHeader)) => Code::BadHeader,
            (_, Some(Part::BundleEntry | Part::SaverV1Meta)) => Code::BadEntry,
            (_, Some(Part::DataBlock(_))) => Code::BadBlock,
            (_, Some(Part::Footer | Part::IndexBlock)) => Code::BadTable,
            _ => Code::Unreadable,
        };
        Self {
            help: error.help().map(str::to_owned),
            file: at.file.clone(),
            offset: at.offset,
            tensor: at.key.clone(),
            ..Self::new(code, error.to_string())
        }
    }

    /// Names the file.
    #[must_use]
    pub fn in_file(self, file: impl Into<PathBuf>) -> Self {
        Self { file: Some(file.into()), ..self }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
