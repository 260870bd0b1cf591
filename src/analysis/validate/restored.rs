//! What a restore would do, joined with the checks of what it reads: bytes that cannot be read end a restore too.

use std::collections::BTreeSet;
use std::path::Path;

use super::validation::Validation;
use crate::analysis::finding::{Code, Finding, Severity};
use crate::analysis::restore::{Model, Raise, Restore, RestoreOptions, findings, restore};
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice, OBJECT_GRAPH_KEY};

impl Validation {
    /// Adds what restores into these models would do: of a directory, from the checkpoint that TensorFlow would choose in
    /// it.
    ///
    /// # Errors
    /// If `path` cannot be opened, and no finding says why.
    pub fn add_restores(
        &mut self,
        path: &Path,
        choice: Choice,
        models: &[Model],
        options: &RestoreOptions,
        limits: &Limits,
    ) -> Result<()> {
        match Checkpoint::open(path, choice, limits) {
            Ok(checkpoint) => {
                for model in models {
                    self.add_restore(restore(&checkpoint, model, options));
                }
                Ok(())
            }
            // What cannot be opened at all has its finding, and nothing to restore.
            Err(_) if !self.is_ok() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Adds what a restore would do. Damage that was found in what it reads is a part of that.
    pub fn add_restore(&mut self, mut restore: Restore) {
        restore.add_damage(self);
        // What has a finding is not told again.
        let told = |note: &String| self.findings.iter().any(|finding| note.starts_with(&finding.message));
        restore.notes.retain(|note| !told(note));
        self.findings.extend(findings(&restore));
        self.restores.push(restore);
    }
}

/// What TensorFlow says of such bytes, with the two checksums where the finding is about one tensor.
fn in_its_words(finding: &Finding) -> String {
    let decimal = |sum: &Option<String>| {
        let sum = sum.as_deref().and_then(|sum| u32::from_str_radix(sum.strip_prefix("0x")?, 16).ok());
        sum.map_or_else(|| "…".to_owned(), |sum| sum.to_string())
    };
    let (stored, computed) = (decimal(&finding.expected), decimal(&finding.found));
    match finding.code {
        Code::BadStringTensor => finding.message.clone(),
        Code::StringLengthsMismatch => {
            format!("The length checksum does not match: expected {stored} but actual is {computed}")
        }
        _ => format!("Checksum does not match: stored {stored} vs. calculated on the restored bytes {computed}"),
    }
}

impl Restore {
    /// Adds what the checks of the checkpoint found: bytes that cannot be read end a restore too.
    pub fn add_damage(&mut self, validation: &Validation) {
        self.add_short(validation);
        let read: BTreeSet<&[u8]> = self.matched.iter().map(|found| found.stored.as_slice()).collect();
        let damaged = validation.findings.iter().find(|finding| {
            let code = finding.code;
            let of_one =
                matches!(code, Code::TensorChecksumMismatch | Code::StringLengthsMismatch | Code::BadStringTensor);
            let named = finding.tensor.iter().filter(|_| of_one || code == Code::SingleBitFlip);
            // A restore that needs a file which is not there is told from the file.
            let is_file =
                matches!(code, Code::MissingShard | Code::ShortShard | Code::ForeignShard | Code::ShardCountMismatch);
            let mut all = named.chain(finding.explains.iter().filter(|_| !is_file));
            finding.severity == Severity::Error && all.any(|tensor| read.contains(tensor.as_slice()))
        });
        if let Some(finding) = damaged {
            self.raises.push(Raise { class: "DataLossError", message: in_its_words(finding) });
            self.ok = false;
            self.assertions = None;
        }
    }

    /// A shard that ends too early, or is another file: whatever is read of its end is not there.
    fn add_short(&mut self, validation: &Validation) {
        let short = |code| matches!(code, Code::ShortShard | Code::ForeignShard);
        let lost =
            validation.findings.iter().filter(|finding| short(finding.code)).flat_map(|finding| &finding.explains);
        let lost: BTreeSet<&[u8]> = lost.map(Vec::as_slice).collect();
        // Objects are matched by the graph of them, which is read before anything else.
        let graph = self.call.starts_with("tf.") && !self.call.contains("Saver") && lost.contains(OBJECT_GRAPH_KEY);
        if !graph && !self.matched.iter().any(|found| lost.contains(found.stored.as_slice())) {
            return;
        }
        let class = if graph { "IndexError" } else { "OutOfRangeError" };
        self.raises.insert(0, Raise { class, message: "Read less bytes than requested".to_owned() });
        self.ok = false;
        if graph {
            (self.undetermined, self.assertions) = (None, None);
        }
    }
}
