//! What a restore would do, joined with the checks of what it reads: bytes that cannot be read end a restore too.

use super::validation::Validation;
use crate::analysis::restore::{Raise, Restore, findings};
use crate::analysis::{Code, Severity};

impl Validation {
    /// Adds what a restore would do. Damage that was found in what it reads is a part of that.
    pub fn add_restore(&mut self, mut restore: Restore) {
        restore.add_damage(self);
        self.findings.extend(findings(&restore));
        self.restores.push(restore);
    }
}

impl Restore {
    /// Adds what the checks of the checkpoint found: bytes that cannot be read end a restore too.
    pub fn add_damage(&mut self, validation: &Validation) {
        let read: std::collections::BTreeSet<&[u8]> =
            self.matched.iter().map(|found| found.stored.as_slice()).collect();
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
            let raise = Raise { class: "DataLossError", message: finding.message.clone() };
            self.raises.push(raise);
            self.ok = false;
        }
    }
}
