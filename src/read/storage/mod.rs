//! Where bytes and names come from. Knows no file format; the only room that asks a disk.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod address;
mod alone;
pub mod archive;
mod composed;
pub mod layout;
mod local;
mod local_file;
mod memory;
mod mmap;
mod mounts;
#[cfg(feature = "remote")]
mod remote;
mod replace;
mod secrets;
mod source;
mod staged;
mod store;
mod trouble;
mod window;

pub use address::{Address, Scheme};
pub use alone::Alone;
pub use composed::{Composed, OpenFiles, Run};
pub use memory::MemoryStore;
pub use mounts::{
    at_once, canonical, crc32c, exists, is_file, is_folder, is_taken, list, look_anew, mount, names, stat, unmount,
};
pub use replace::Bridge;
pub use secrets::admit;
pub use source::{ReadAt, Source};
pub use staged::{NewFile, Staged, Unplaced, discard, refused_folder, unplaced, unplaced_name};
pub use store::{Folder, Kind, Stat, Store};
pub(crate) use trouble::guessed;
pub use trouble::take_trouble;
pub use window::Window;
