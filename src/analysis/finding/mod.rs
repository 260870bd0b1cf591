//! Findings: what is wrong with a checkpoint, under a stable code.
//!
//! A code is a kebab-case word that is never renamed or reused; `docs/checks.md` has an entry for each. A finding is
//! data, not an error: reading goes on behind it.

pub(in crate::analysis) mod op_site;
mod ruling;
mod severity;

use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Part};
use op_site::OpSite;
pub use ruling::{Date, Level, Ruling};
pub use severity::Severity;

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
    // The table.
    NotATable = "not-a-table", Error, "The index is not a table: another kind of file, or cut off.";
    IndexChecksumMismatch = "index-checksum-mismatch", Error, "The block that holds the handles of all other blocks of the index does not match its checksum.";
    BlockChecksumMismatch = "block-checksum-mismatch", Error, "A block of the index does not match its checksum; the names in it are lost.";
    BadBlock = "bad-block", Error, "A block of the index cannot be decoded.";
    KeysOutOfOrder = "keys-out-of-order", Error, "Keys of the index are not in increasing order, so TensorFlow cannot find some of them.";
    // The header.
    HeaderMissing = "header-missing", Error, "The index has no bundle header.";
    BadHeader = "bad-header", Error, "The bundle header cannot be decoded.";
    VersionRefused = "version-refused", Error, "The checkpoint demands another version of TensorFlow.";
    // The entries.
    BadEntry = "bad-entry", Error, "An entry of the index cannot be decoded.";
    BadDType = "bad-dtype", Error, "An entry has a dtype that no checkpoint can hold.";
    BadShape = "bad-shape", Error, "An entry has an impossible shape.";
    BadSize = "bad-size", Error, "An entry's size contradicts its dtype and shape.";
    BadRange = "bad-range", Error, "An entry lies at an impossible place.";
    OverlappingTensors = "overlapping-tensors", Error, "Two tensors claim the same bytes of a shard.";
    UnreferencedBytes = "unreferenced-bytes", Note, "A shard has bytes that belong to no tensor.";
    // Slices.
    SliceMissing = "slice-missing", Error, "The index lists a slice of a partitioned tensor but has no entry for it.";
    SliceDisagrees = "slice-disagrees", Error, "A slice does not fit the tensor that it belongs to.";
    SlicesOverlap = "slices-overlap", Error, "Two slices hold the same elements of a partitioned tensor.";
    SlicesIncomplete = "slices-incomplete", Error, "The slices of a partitioned tensor leave elements out.";
    // Shards.
    MissingShard = "missing-shard", Error, "A data shard that the index counts is not there.";
    ShortShard = "short-shard", Error, "A data shard ends before the tensors that the index places in it.";
    ForeignShard = "foreign-shard", Error, "A data shard is another kind of file: a Git LFS pointer, a web page.";
    SurplusShard = "surplus-shard", Warning, "A data shard lies here that the index does not count, or whose index is not here.";
    ShardCountMismatch = "shard-count-mismatch", Error, "The shards are named after another number of shards than the index counts.";
    ShardChecksumMismatch = "shard-checksum-mismatch", Error, "The store's own checksum of a data shard is not the one that follows from the index.";
    SwappedShards = "swapped-shards", Error, "Two data shards have each other's name.";
    MispairedData = "mispaired-data", Error, "Index and data come from different saves.";
    // Tensor bytes.
    TensorChecksumMismatch = "tensor-checksum-mismatch", Error, "A tensor's bytes are not the ones that were saved.";
    HoleOfZeros = "hole-of-zeros", Error, "A part of a shard is zeros where there should be data.";
    SingleBitFlip = "single-bit-flip", Error, "A tensor, or a block of the index, differs from what was saved by exactly one bit.";
    TextModeMangled = "text-mode-mangled", Error, "A shard went through a transfer that changes line ends.";
    StringLengthsMismatch = "string-lengths-mismatch", Error, "The lengths of a string tensor do not match their checksum.";
    BadStringTensor = "bad-string-tensor", Error, "A string or variant tensor's lengths contradict its size.";
    NonFinite = "non-finite", Error, "A tensor holds NaN or infinity.";
    // The object graph.
    BadObjectGraph = "bad-object-graph", Error, "The object graph cannot be decoded or contradicts itself.";
    GraphKeyMissing = "graph-key-missing", Error, "The object graph names a tensor that the checkpoint does not have.";
    GraphOrphan = "graph-orphan", Warning, "A tensor that nothing in the object graph refers to: no restore reads it.";
    // The directory.
    StateFileUnreadable = "state-file-unreadable", Warning, "TensorFlow cannot read the checkpoint state file and ignores it.";
    StateFileStale = "state-file-stale", Warning, "The checkpoint state file names a checkpoint that is not there.";
    StateFileMoved = "state-file-moved", Warning, "The checkpoint state file names another directory: it was moved.";
    InterruptedSave = "interrupted-save", Warning, "Temporary files of a save that did not finish.";
    StepDisagrees = "step-disagrees", Note, "The step in the name is not the step stored in the checkpoint.";
    DerivedValue = "derived-value", Note, "A value that was not read but derived from its checksum in the index.";
    // SavedModels.
    BadSavedModel = "bad-saved-model", Error, "The graph of a SavedModel, or of a .meta file, cannot be read.";
    MissingNode = "missing-node", Warning, "A collection of a .meta file names a node that its graph does not have.";
    UnregisteredType = "unregistered-type", Warning, "The SavedModel holds types of a package that must be imported before it is loaded.";
    FingerprintMismatch = "fingerprint-mismatch", Error, "The variables are not the ones that the SavedModel was saved with.";
    MissingAsset = "missing-asset", Error, "A file that the SavedModel lists as an asset is not there.";
    UnsafeAssetPath = "unsafe-asset-path", Error, "An asset's name leads out of the SavedModel.";
    // Serving directories.
    NoVersion = "no-version", Error, "TensorFlow Serving finds no version of a model in the directory.";
    StrayVersion = "stray-version", Error, "TensorFlow Serving takes it for a version, and cannot load it.";
    DuplicateVersion = "duplicate-version", Warning, "Two names stand for one version; TensorFlow Serving takes one of them.";
    NoServeTag = "no-serve-tag", Error, "The SavedModel has no graph with exactly the tag `serve`.";
    MissingVariables = "missing-variables", Error, "The graph of a SavedModel restores variables, and they are not there.";
    NoDefaultSignature = "no-default-signature", Warning, "The SavedModel has no signature `serving_default`.";
    SignatureConvention = "signature-convention", Warning, "A signature is not what its method promises.";
    // A restore into a model.
    RestoreShapeMismatch = "restore-shape-mismatch", Error, "A tensor has another shape in the checkpoint than the model wants.";
    RestoreSilentShape = "restore-silent-shape", Error, "A tensor has another shape than the model wants, and TensorFlow restores it without an error.";
    RestoreDTypeMismatch = "restore-dtype-mismatch", Error, "A tensor has another dtype in the checkpoint than the model wants.";
    RestoreMisplaced = "restore-misplaced", Error, "A variable would take the values of another one, and nothing says so.";
    RestoreMissing = "restore-missing", Error, "The model wants a tensor that the checkpoint does not have.";
    RestoreNoValue = "restore-no-value", Error, "An object of the model is in the checkpoint, but without a value.";
    RestoreMatchesNothing = "restore-matches-nothing", Error, "Nothing of the checkpoint has a place in the model.";
    RestoreRaises = "restore-raises", Error, "TensorFlow refuses the restore for another reason.";
    RestoreUnexpected = "restore-unexpected", Note, "The checkpoint has tensors that the model does not want.";
    RestoreUndetermined = "restore-undetermined", Warning, "Whether the restore would work could not be told.";
    // What a graph can do.
    OpReadsFile = "op-reads-file", Error, "An op of the graph reads files other than the model's own.";
    OpWritesFile = "op-writes-file", Error, "An op of the graph writes or removes files.";
    OpPrintsToFile = "op-prints-to-file", Error, "An op of the graph prints into a file.";
    OpReachesNetwork = "op-reaches-network", Error, "An op of the graph opens connections, or its path leads over a network.";
    OpRunsHostCode = "op-runs-host-code", Error, "An op of the graph runs Python, or another function of the process that loads it.";
    OpHidesGraph = "op-hides-graph", Error, "An op of the graph runs another graph that is stored as a string, out of sight.";
    OpReconfigures = "op-reconfigures", Error, "An op of the graph changes how the process reaches file systems.";
    OpAborts = "op-aborts", Warning, "An op of the graph ends the process.";
    OpCommunicates = "op-communicates", Warning, "An op of the graph talks to the other processes of a cluster, or to accelerators.";
    OpCustom = "op-custom", Warning, "An op of the graph is not TensorFlow's: a library with its code must be loaded.";
    KerasLambda = "keras-lambda", Error, "A Lambda layer holds Python code, which Keras runs when it builds the model.";
    KerasForeignObject = "keras-foreign-object", Warning, "The configuration of a Keras model names a class or a function of another package.";
    // What a policy expects.
    ExpectPresent = "expect-present", Error, "A tensor that the policy expects is not there.";
    ExpectAbsent = "expect-absent", Error, "A tensor is there that must not be, by the policy.";
    ExpectFrozen = "expect-frozen", Error, "A tensor differs from the base that it must be equal to, by the policy.";
    ExpectChanged = "expect-changed", Error, "A tensor is the same as in the base that it must differ from, by the policy.";
    ExpectUndecided = "expect-undecided", Error, "Whether tensors changed as the policy expects could not be told.";
    ExpectDType = "expect-dtype", Error, "A tensor has a dtype that the policy does not allow.";
    ExpectBudget = "expect-budget", Error, "Tensors are larger than the policy allows.";
    PolicyExpired = "policy-expired", Warning, "A rule of the policy holds no more: its date has passed.";
    // What training did.
    OptimizerReset = "optimizer-reset", Warning, "An optimizer began anew while the weights went on.";
    StepWentBack = "step-went-back", Warning, "The step is lower than in the checkpoint before.";
    NothingTrained = "nothing-trained", Warning, "No weight moved between two checkpoints.";
    GradientVanished = "gradient-vanished", Warning, "A weight got no gradient, or one that is nothing beside those of the others.";
    GradientExploded = "gradient-exploded", Warning, "A gradient is not finite, or grew out of all proportion.";
    // The run itself.
    ChoiceNote = "choice-note", Note, "How the checkpoint was chosen from its directory.";
    OtherName = "other-name", Note, "A name in a file leads to what is listed under another one.";
    UnusualFile = "unusual-file", Warning, "A file is not quite as its format wants it; nothing is hidden by that.";
    BadFile = "bad-file", Error, "A Keras, HDF5, safetensors or NumPy file cannot be opened: it is damaged, cut off, or another kind of file.";
    Unreadable = "unreadable", Error, "Something could not be read.";
    NothingChecked = "nothing-checked", Error, "There was nothing to check.";
}

/// What probably happened, kept apart from what is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What the bytes and checksums prove.
    pub certain: String,
    /// What most likely led to it.
    pub likely: Option<String>,
    /// The other file that has what should be in this one.
    pub holder: Option<PathBuf>,
    /// What other saves have that belongs here.
    pub other_saves: Vec<OtherSave>,
}

/// What another save has of the one that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherSave {
    /// Its data is that of this index: the prefix.
    Data(PathBuf),
    /// Its index is that of this data.
    Index(PathBuf),
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
    /// What should stand there.
    pub expected: Option<String>,
    /// What stands there.
    pub found: Option<String>,
    /// What happened to it, as far as can be told.
    pub cause: Option<Cause>,
    /// The op that it is about.
    pub op: Option<Box<OpSite>>,
    /// The tensors whose bytes are wrong for this reason, of a cause that explains several.
    pub explains: Vec<Vec<u8>>,
    /// The group of checkpoints that it is about, where several lie in one directory.
    pub group: Option<String>,
    /// What the user says of it: a rule of `ckpt.toml`, or an option.
    pub ruling: Option<Box<Ruling>>,
}

impl Finding {
    /// A finding with the severity of its code and no place yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let (severity, message) = (code.severity(), message.into());
        Self {
            code,
            severity,
            message,
            help: None,
            file: None,
            offset: None,
            tensor: None,
            expected: None,
            found: None,
            cause: None,
            op: None,
            explains: Vec::new(),
            group: None,
            ruling: None,
        }
    }

    /// How bad it is by itself, whatever the user says of it.
    pub fn own_severity(&self) -> Severity {
        self.ruling.as_ref().and_then(|ruling| ruling.was).unwrap_or(self.severity)
    }

    /// The finding that a note of a reader amounts to: something that hides nothing.
    pub fn of_note(note: &Error) -> Self {
        let finding = Self::of(note);
        match (finding.code, note.kind()) {
            (Code::Unreadable, ErrorKind::OtherName(_)) => {
                Self { code: Code::OtherName, severity: Severity::Note, ..finding }
            }
            (Code::Unreadable, _) => Self { code: Code::UnusualFile, severity: Severity::Warning, ..finding },
            _ => finding,
        }
    }

    /// The finding that an error amounts to.
    pub fn of(error: &Error) -> Self {
        let at = error.location();
        let code = match (error.kind(), at.part) {
            (ErrorKind::ChecksumMismatch { .. }, Some(Part::IndexBlock)) => Code::IndexChecksumMismatch,
            (ErrorKind::ChecksumMismatch { what: "block", .. }, _) => Code::BlockChecksumMismatch,
            (ErrorKind::ChecksumMismatch { what: "tensor", .. }, _) => Code::TensorChecksumMismatch,
            (ErrorKind::ChecksumMismatch { what: "member", .. }, _) => Code::Unreadable,
            (ErrorKind::ChecksumMismatch { .. }, _) => Code::StringLengthsMismatch,
            (ErrorKind::FlippedBit { .. }, _) => Code::SingleBitFlip,
            (ErrorKind::KeysOutOfOrder { .. }, _) => Code::KeysOutOfOrder,
            (ErrorKind::HeaderMissing, _) => Code::HeaderMissing,
            (ErrorKind::Version(_), _) => Code::VersionRefused,
            (ErrorKind::SizeMismatch { .. }, _) => Code::BadSize,
            (ErrorKind::FileMissing(_), _) => Code::MissingShard,
            (ErrorKind::IndexMissing(_), _) => Code::MissingVariables,
            (ErrorKind::SliceMissing(_), _) => Code::SliceMissing,
            (ErrorKind::Slices(_), _) => Code::SliceDisagrees,
            (_, Some(Part::BundleHeader)) => Code::BadHeader,
            (_, Some(Part::BundleEntry | Part::SaverV1Meta)) => Code::BadEntry,
            (_, Some(Part::DataBlock(_) | Part::IndexBlock)) => Code::BadBlock,
            (_, Some(Part::Footer)) => Code::NotATable,
            _ => Code::Unreadable,
        };
        let mut finding = Self::new(code, error.to_string());
        if let ErrorKind::ChecksumMismatch { want, got, .. } = error.kind() {
            (finding.expected, finding.found) = (Some(format!("{want:#010x}")), Some(format!("{got:#010x}")));
        }
        Self {
            help: error.help().map(str::to_owned),
            file: at.file.clone(),
            offset: at.offset,
            tensor: at.key.clone(),
            ..finding
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

    /// Names the tensor.
    #[must_use]
    pub fn for_tensor(self, tensor: &[u8]) -> Self {
        Self { tensor: Some(tensor.to_vec()), ..self }
    }

    /// Says what happened.
    #[must_use]
    pub fn because(self, certain: impl Into<String>, likely: Option<String>) -> Self {
        Self { cause: Some(Cause { certain: certain.into(), likely, holder: None, other_saves: Vec::new() }), ..self }
    }

    /// Adds to its cause what other saves have of it.
    #[must_use]
    pub fn of_saves(mut self, saves: impl IntoIterator<Item = OtherSave>) -> Self {
        if let Some(cause) = &mut self.cause {
            cause.other_saves.extend(saves);
        }
        self
    }

    /// Adds to its cause the other file that has what should be in this one.
    #[must_use]
    pub fn held_by(mut self, file: &Path) -> Self {
        if let Some(cause) = &mut self.cause {
            cause.holder = Some(file.to_path_buf());
        }
        self
    }
}

impl Code {
    /// Whether it is about a restore into a model, rather than about the checkpoint itself.
    pub fn is_restore(self) -> bool {
        self.name().starts_with("restore-")
    }

    /// Whether it is about what the user expects, rather than about the files themselves.
    pub fn is_of_policy(self) -> bool {
        self.name().starts_with("expect-") || self == Self::PolicyExpired
    }

    /// Whether it is about what TensorFlow Serving does with a model, rather than about the files themselves.
    pub fn is_of_serving(self) -> bool {
        matches!(
            self,
            Self::NoVersion
                | Self::StrayVersion
                | Self::DuplicateVersion
                | Self::NoServeTag
                | Self::NoDefaultSignature
                | Self::SignatureConvention
                | Self::OpCustom
                | Self::OpRunsHostCode
        )
    }

    /// Whether it is about what training did, rather than about the files themselves.
    pub fn is_of_training(self) -> bool {
        matches!(
            self,
            Self::OptimizerReset
                | Self::StepWentBack
                | Self::NothingTrained
                | Self::GradientVanished
                | Self::GradientExploded
        )
    }

    /// Whether it is about what the files hold being what was saved. NaN that was saved is as it was saved.
    pub fn is_of_files(self) -> bool {
        !self.is_restore()
            && !self.is_of_serving()
            && !self.is_of_policy()
            && !self.is_of_training()
            && self != Self::NonFinite
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}
