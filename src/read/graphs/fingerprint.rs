//! `fingerprint.pb` of a SavedModel: hashes of its parts, one of which this tool can recompute.
//!
//! TensorFlow: `cc/saved_model/fingerprinting.cc`. `checkpoint_hash` is `Fingerprint64` of all bytes of
//! `variables/variables.index`, and 0 if that file could not be read. The other hashes depend on how TensorFlow
//! rewrites the graph before it hashes it: they can be compared with each other, but not recomputed.

use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::pb;
use crate::read::sniff::instead;
use crate::read::storage::{Source, Window};
use crate::read::wire::fingerprint64;

/// TensorFlow's `FingerprintDef`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the whole SavedModel; its meaning changed between producers.
    pub saved_model_checksum: u64,
    /// Of the graph without what differs from one export to the next.
    pub graph_def_program_hash: u64,
    /// Of the signatures.
    pub signature_def_hash: u64,
    /// Of the object graph.
    pub saved_object_graph_hash: u64,
    /// Of `variables/variables.index`; see [`checkpoint_hash`].
    pub checkpoint_hash: u64,
    /// The version of the writer's rules: 4 in TensorFlow 2.21.
    pub producer: i32,
    /// A random number, one for each export.
    pub uuid: String,
}

impl Fingerprint {
    /// Reads a `fingerprint.pb`.
    ///
    /// # Errors
    /// If it cannot be read or is no `FingerprintDef`.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        let source = Source::contiguous(path)?;
        if source.len() > limits.message {
            let kind = ErrorKind::LimitExceeded { what: "fingerprint", got: source.len(), limit: limits.message };
            return Err(Error::new(kind).in_file(path));
        }
        let mut scratch = Window::default();
        let bytes = source.slice(0..source.len(), &mut scratch)?;
        let def: pb::FingerprintDef =
            pb::decode("fingerprint", bytes, 0).map_err(|error| instead(error, "not a fingerprint", path))?;
        Ok(Self {
            saved_model_checksum: def.saved_model_checksum,
            graph_def_program_hash: def.graph_def_program_hash,
            signature_def_hash: def.signature_def_hash,
            saved_object_graph_hash: def.saved_object_graph_hash,
            checkpoint_hash: def.checkpoint_hash,
            producer: def.version.map_or(0, |version| version.producer),
            uuid: def.uuid,
        })
    }

    /// What `tf.saved_model.experimental.read_fingerprint(…).singleprint()` gives: the same for two exports whose
    /// graph, signatures, objects and checkpoint are the same.
    pub fn singleprint(&self) -> String {
        let Self { graph_def_program_hash, signature_def_hash, saved_object_graph_hash, checkpoint_hash, .. } = self;
        format!("{graph_def_program_hash}/{signature_def_hash}/{saved_object_graph_hash}/{checkpoint_hash}")
    }
}

/// The `checkpoint_hash` that belongs to the `variables.index` at `path`.
///
/// # Errors
/// If it cannot be read.
pub fn checkpoint_hash(path: &Path) -> Result<u64> {
    let source = Source::contiguous(path)?;
    let mut scratch = Window::default();
    Ok(fingerprint64(source.slice(0..source.len(), &mut scratch)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fingerprint.pb");
        std::fs::write(&path, [0x08, 0x07, 0x28, 0x09, 0x32, 0x02, 0x08, 0x04, 0x3a, 0x01, b'7']).unwrap();
        let fingerprint = Fingerprint::read(&path, &Limits::default()).unwrap();
        assert_eq!((fingerprint.saved_model_checksum, fingerprint.producer), (7, 4));
        assert_eq!((fingerprint.singleprint().as_str(), fingerprint.uuid.as_str()), ("0/0/0/9", "7"));
        std::fs::write(&path, [0x32, 0x09, 0x08]).unwrap();
        let error = Fingerprint::read(&path, &Limits::default()).unwrap_err();
        assert_eq!(error.location().file.as_deref(), Some(path.as_path()));
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }));
    }
}
