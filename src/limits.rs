//! Every cap that the readers put on numbers from files, each with its reason.
//!
//! A number from a file is first compared with the length of the file it came from; these caps bound what is left:
//! decompressed sizes, counts and depths that a small file can claim.

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
    /// Largest text file (`checkpoint` state) that is parsed.
    pub text: u64,
    /// Largest single string element that is held in memory.
    pub string: u64,
    /// Largest number of shards that is looked for on disk. `num_shards` is an i32 from the file.
    pub shards: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decompressed_block: 64 << 20,
            rank: 254,
            message: 1 << 30,
            text: 16 << 20,
            string: 1 << 30,
            shards: 1 << 16,
        }
    }
}
