//! One report by several processes: each reads an equal share of the bytes and writes down what they came to, and one
//! that reads none of them again makes the report of it.
//!
//! Whatever goes through all bytes does so in *units* that the index alone decides (`sweep::cut`, `bundle::checksum`). A
//! [`Share`] gives each process those whose bytes lie in its share, as a range, and takes a `Record` of what they came
//! to. Where all are there, the same code runs once more and is told instead of reading: so the report is that of one
//! process, whatever it looks like, and nothing of what findings say is written twice.
//!
//! What a process could not read, or what needs a second look (the bytes of a small tensor that is damaged), is not in a
//! record: who merges looks itself. What is the same for all processes (the index, the names of files) each finds out
//! itself; [`Mark`] is how it is known that all have looked at the same.

mod mark;
mod record;
mod share;
mod told;

pub use mark::{Mark, MarkedFile};
pub(in crate::analysis) use record::{Reading, Record};
pub use share::{LookedAt, Share};
pub(in crate::analysis) use share::{Own, Turn};
pub use told::{Call, PartReport, WrongSet};
