//! The reader: opens whatever a path leads to, and reads any tensor of it. Asks nothing and tells nothing.

pub mod bundle;
pub mod checkpoint;
pub mod container;
pub mod events;
pub mod finder;
pub mod formats;
#[cfg(feature = "graphs")]
pub mod graphs;
#[cfg(feature = "graphs")]
mod pb;
pub mod sniff;
pub mod storage;
pub mod table;
pub mod tensor;
pub mod wire;
