//! Every cap that the readers put on numbers from files, each with its reason.
//!
//! A number from a file is first compared with the length of the file it came from; these caps bound what is left:
//! decompressed sizes, counts and depths that a small file can claim.

use crate::base::error::Error;

/// Caps on what a file may make a reader do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Largest table block after decompression. TensorFlow flushes at 256 KiB; only an entry with a huge value makes
    /// a larger one (V1 tensors, which are not compressed). Snappy itself can claim 4 GiB in five bytes.
    pub decompressed_block: u64,
    /// Largest rank. `TensorShape` in TensorFlow holds at most 254 dimensions.
    pub rank: usize,
    /// Largest single message decoded in one piece (object graph, header, a meta graph without its nodes).
    pub message: u64,
    /// Most bytes of a member of an archive that are unpacked into memory, because what is in it cannot be read on the
    /// way: the weights of a `.keras` archive that somebody packed again. A thousandth of it may be all that is stored.
    pub unpacked: u64,
    /// Largest text file (`checkpoint` state) that is parsed.
    pub text: u64,
    /// Largest single string element that is held in memory.
    pub string: u64,
    /// Largest number of findings of one kind that are kept one by one; of further ones only their number. Three bytes
    /// of a block are enough for a key out of order.
    pub reports: usize,
    /// Largest number of shards that is looked for on disk. `num_shards` is an i32 from the file.
    pub shards: i32,
    /// Most threads that read a large index; as many as there are cores if not given.
    pub threads: Option<usize>,
    /// How many bytes of event files are read where they are shown beside something else: reading them takes time, and
    /// a run that logs images has gigabytes.
    pub events: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decompressed_block: 64 << 20,
            rank: 254,
            message: 1 << 30,
            unpacked: 1 << 30,
            text: 16 << 20,
            string: 1 << 30,
            reports: 1000,
            shards: 1 << 16,
            threads: None,
            events: 64 << 20,
        }
    }
}

impl Limits {
    /// How many threads may work: as many as there are cores if not given. Counting the cores reads files.
    pub fn workers(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Largest number of bytes that all names of an index of `len` bytes may take. A key shares its beginning with the
    /// one before it, so a small file can make many long ones; in honest ones a byte of the file stands for ten.
    pub fn names(&self, len: u64) -> u64 {
        (16 << 20) + len.saturating_mul(64)
    }
}

/// Findings of one kind: the first of them, and the number of the others.
#[derive(Debug)]
pub struct Reports {
    kept: Vec<Error>,
    limit: usize,
    more: u64,
    what: &'static str,
}

impl Reports {
    /// No findings yet. `what` names further ones in the plural: `keys out of order`.
    pub fn new(what: &'static str, limits: &Limits) -> Self {
        Self { kept: Vec::new(), limit: limits.reports, more: 0, what }
    }

    /// Adds a finding; it is made only if there is room for it.
    pub fn add(&mut self, error: impl FnOnce() -> Error) {
        if self.kept.len() < self.limit {
            self.kept.push(error());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Counts a finding that is not described.
    pub fn add_more(&mut self) {
        self.more = self.more.saturating_add(1);
    }

    /// Adds the findings of what comes behind.
    pub fn append(&mut self, behind: Self) {
        behind.kept.into_iter().for_each(|error| self.add(|| error));
        self.more = self.more.saturating_add(behind.more);
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The findings, with one at the end that counts those left out.
    pub fn into_errors(mut self) -> Vec<Error> {
        if self.more > 0 {
            self.kept.push(Error::malformed("and more", format!("{} further {}", self.more, self.what)));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorKind;

    #[test]
    fn findings_beyond_the_limit_are_counted() {
        let limits = Limits { reports: 2, ..Limits::default() };
        let mut reports = Reports::new("headers", &limits);
        for _ in 0..5 {
            reports.add(|| Error::new(ErrorKind::HeaderMissing));
        }
        let errors = reports.into_errors();
        assert_eq!(errors.len(), 3);
        assert_eq!(errors[2].to_string(), "and more: 3 further headers");
    }
}
