//! Writing checkpoints: what shall be in them is a [`Recipe`], plain data, which [`write_recipe`] then carries out.
//!
//! An input is never opened for writing. Every byte is compared with the input's checksum on its way, what was written
//! is opened and read again, and only then it appears under its name.

mod cast;
mod chosen;
mod graph;
mod options;
mod outputs;
mod place;
mod preview;
mod recipe;
mod run;
mod stream;
mod verify;

pub(super) use cast::Caster;
pub use options::{Combine, ConvertOptions, OutFormat, Target};
pub use outputs::{Action, From, InputCursors, Output, Outputs, TensorRef};
pub use recipe::{LeftOut, Recipe};
pub(super) use run::write_files;
pub use run::{Converted, Written, write_recipe};
