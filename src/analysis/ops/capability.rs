//! What ops can do to the world outside of the graph: one table, by name of op.
//!
//! Judged from the descriptions of the 1910 ops that TensorFlow 2.21 registers (`core/ops/*.cc`) and their kernels.
//! TensorFlow's `SECURITY.md` says the rest: models are programs, and it is no sandbox.

use std::sync::LazyLock;

use crate::analysis::Code;

/// What an op can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Reads files.
    ReadsFile,
    /// Writes, or removes, files.
    WritesFile,
    /// Prints into a file.
    PrintsToFile,
    /// Opens connections to an address that it is given.
    Network,
    /// Talks to the other processes of a cluster or to accelerators, where the program has set one up.
    Cluster,
    /// Runs Python, or another function of the process, by a number or a name.
    HostCode,
    /// Runs a graph that is stored as a string, out of sight.
    HiddenGraph,
    /// Changes how the process reaches file systems.
    Reconfigures,
    /// Ends the process.
    Aborts,
    /// Is no op of TensorFlow's: a library with its code must be loaded.
    Custom,
}

/// Where an op has the path that it reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathAt {
    /// These inputs.
    Inputs(&'static [usize]),
    /// This attribute.
    Attr(&'static [u8]),
    /// This attribute, a list of URLs.
    Urls(&'static [u8]),
    /// In another op.
    Elsewhere,
}

impl Capability {
    /// The code of its finding.
    pub fn code(self) -> Code {
        match self {
            Self::ReadsFile => Code::OpReadsFile,
            Self::WritesFile => Code::OpWritesFile,
            Self::PrintsToFile => Code::OpPrintsToFile,
            Self::Network => Code::OpReachesNetwork,
            Self::Cluster => Code::OpCommunicates,
            Self::HostCode => Code::OpRunsHostCode,
            Self::HiddenGraph => Code::OpHidesGraph,
            Self::Reconfigures => Code::OpReconfigures,
            Self::Aborts => Code::OpAborts,
            Self::Custom => Code::OpCustom,
        }
    }

    /// What it does, in words.
    pub fn verb(self) -> &'static str {
        match self {
            Self::ReadsFile => "reads files",
            Self::WritesFile => "writes files",
            Self::PrintsToFile => "prints to a file",
            Self::Network => "reaches a network",
            Self::Cluster => "talks to other processes of a cluster, or to accelerators",
            Self::HostCode => "runs code of the host program",
            Self::HiddenGraph => "runs a graph that is hidden in a string",
            Self::Reconfigures => "changes how file systems are reached",
            Self::Aborts => "ends the process",
            Self::Custom => "is no op of TensorFlow's: it needs a library of somebody else's",
        }
    }

    /// What it does to the path or the address that is named behind it.
    pub fn verb_of_path(self) -> &'static str {
        match self {
            Self::ReadsFile => "reads",
            Self::WritesFile => "writes",
            Self::PrintsToFile => "prints to",
            Self::Network => "connects to",
            Self::HostCode => "runs code of the host program, registered as",
            Self::Reconfigures => "sets up a file system with",
            other => other.verb(),
        }
    }
}

/// Every name that TensorFlow 2.21 registers, sorted; `testdata/ops/op_names.py` writes the list.
static NAMES: LazyLock<Vec<&'static [u8]>> =
    LazyLock::new(|| include_str!("op_names.txt").lines().map(str::as_bytes).collect());

/// Whether TensorFlow registers an op of this name.
pub fn is_registered(op: &[u8]) -> bool {
    NAMES.binary_search_by(|name| (*name).cmp(op)).is_ok()
}

/// What an op of TensorFlow's can do, and where its path is. Names of before 2.0 begin with `Experimental`.
pub(super) fn capability(op: &[u8]) -> Option<(Capability, PathAt)> {
    use Capability::{
        Aborts, Cluster, HiddenGraph, HostCode, Network, PrintsToFile, ReadsFile, Reconfigures, WritesFile,
    };
    use PathAt::{Attr, Elsewhere, Inputs, Urls};

    const FIRST: PathAt = Inputs(&[0]);
    const SECOND: PathAt = Inputs(&[1]);
    let name = std::str::from_utf8(op).ok()?;
    let plain = name.strip_prefix("Experimental").unwrap_or(name);
    Some(match plain {
        "ReadFile"
        | "MatchingFiles"
        | "Restore"
        | "RestoreSlice"
        | "RestoreV2"
        | "DTensorRestoreV2"
        | "LoadAndRemapMatrix"
        | "TFRecordDataset"
        | "TFRecordDatasetV2"
        | "TextLineDataset"
        | "FixedLengthRecordDataset"
        | "FixedLengthRecordDatasetV2"
        | "CSVDataset"
        | "CSVDatasetV2"
        | "LMDBDataset"
        | "MatchingFilesDataset"
        | "LoadDataset"
        | "SnapshotDatasetReader"
        | "SnapshotChunkDataset"
        | "ListSnapshotChunksDataset" => (ReadsFile, FIRST),
        "InitializeTableFromTextFile" | "InitializeTableFromTextFileV2" | "SqlDataset" => (ReadsFile, SECOND),
        "GenerateVocabRemapping" => (ReadsFile, Inputs(&[0, 1])),
        "WholeFileReader"
        | "WholeFileReaderV2"
        | "TextLineReader"
        | "TextLineReaderV2"
        | "FixedLengthRecordReader"
        | "FixedLengthRecordReaderV2"
        | "TFRecordReader"
        | "TFRecordReaderV2"
        | "LMDBReader"
        | "SnapshotNestedDatasetReader" => (ReadsFile, Elsewhere),
        "ImmutableConst" => (ReadsFile, Attr(b"memory_region_name")),
        "RecordInput" => (ReadsFile, Attr(b"file_pattern")),
        // A path, unless it is `local://` or `bytes://…`.
        "DecodeProtoV2" | "EncodeProto" => (ReadsFile, Attr(b"descriptor_source")),
        "WriteFile" | "Save" | "SaveSlices" | "SaveV2" => (WritesFile, FIRST),
        "MergeV2Checkpoints" => (WritesFile, Inputs(&[0, 1])),
        "CreateSummaryFileWriter"
        | "CreateSummaryDbWriter"
        | "CacheDataset"
        | "CacheDatasetV2"
        | "SaveDataset"
        | "SaveDatasetV2"
        | "SnapshotDataset"
        | "SnapshotDatasetV2"
        | "DatasetToTFRecord" => (WritesFile, SECOND),
        "WriteSummary"
        | "WriteAudioSummary"
        | "WriteGraphSummary"
        | "WriteHistogramSummary"
        | "WriteImageSummary"
        | "WriteRawProtoSummary"
        | "WriteScalarSummary"
        | "ImportEvent" => (WritesFile, Elsewhere),
        "CalibrationStatisticsSaver" => (WritesFile, Attr(b"output_file_path")),
        "DumpTensor" => (WritesFile, Attr(b"log_dir_path")),
        "PrintV2" => (PrintsToFile, Attr(b"output_stream")),
        "DebugIdentity" | "DebugIdentityV2" | "DebugIdentityV3" | "DebugNanCount" | "DebugNumericSummary" => {
            (WritesFile, Urls(b"debug_urls"))
        }
        "RpcServer" | "RpcClient" | "RemoteCall" => (Network, FIRST),
        "RpcCall" | "RpcServerStart" | "RpcServerRegister" => (Network, Elsewhere),
        "DataServiceDataset" | "DataServiceDatasetV2" | "DataServiceDatasetV3" | "DataServiceDatasetV4" => {
            (Network, Inputs(&[2]))
        }
        "RegisterDataset" | "RegisterDatasetV2" => (Network, SECOND),
        "DistributedSave" => (Network, Inputs(&[1, 2])),
        "PyFunc" | "PyFuncStateless" | "EagerPyFunc" => (HostCode, Attr(b"token")),
        "XlaCustomCall" => (HostCode, Attr(b"target_name")),
        "XlaCustomCallV2" => (HostCode, Attr(b"call_target_name")),
        "DatasetFromGraph" => (HiddenGraph, Elsewhere),
        "FileSystemSetConfiguration" => (Reconfigures, Inputs(&[0, 1, 2])),
        "Abort" => (Aborts, Elsewhere),
        "Send"
        | "Recv"
        | "_Send"
        | "_Recv"
        | "_HostSend"
        | "_HostRecv"
        | "ConfigureDistributedTPU"
        | "ConfigureAndInitializeGlobalTPU"
        | "ShutdownDistributedTPU"
        | "ShutdownTPUSystem"
        | "_ConfigureDistributedTPU"
        | "_ShutdownDistributedTPU"
        | "_InitializeHostForDistributedTPU"
        | "_DisconnectHostFromDistributedTPUSystem"
        | "_WaitForDistributedTPU"
        | "_SetGlobalTPUArray"
        | "_NcclBroadcastRecv"
        | "_NcclBroadcastSend"
        | "_NcclReduceRecv"
        | "_NcclReduceSend" => (Cluster, Elsewhere),
        name if name.starts_with("Collective") => (Cluster, Elsewhere),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_whole() {
        assert_eq!(NAMES.len(), 1910);
        assert!(NAMES.is_sorted() && NAMES.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(is_registered(b"MatMul") && is_registered(b"StatefulPartitionedCall") && is_registered(b"_Send"));
        assert!(!is_registered(b"") && !is_registered(b"MatMul2") && !is_registered(b"RaggedTensorToTensor\n"));
    }

    /// A slip in the table would be a capability that is never found.
    #[test]
    fn every_name_in_the_table_is_an_op_of_tensorflow() {
        let source = include_str!("capability.rs");
        let body = source.split_once("Some(match plain {").unwrap().1.split_once("_ => return None").unwrap().0;
        let mut names = 0;
        for name in body.split('"').skip(1).step_by(2) {
            // Attributes are in b"…", but for quotes they look the same.
            if name.chars().next().is_some_and(|c| c.is_ascii_uppercase() || c == '_') && name != "Collective" {
                assert!(is_registered(name.as_bytes()), "{name}");
                assert!(capability(name.as_bytes()).is_some(), "{name}");
                names += 1;
            }
        }
        assert!(names > 100, "{names}");
        assert!(capability(b"ExperimentalSqlDataset").is_some() && capability(b"CollectiveReduceV2").is_some());
        assert!(capability(b"MatMul").is_none());
    }
}
