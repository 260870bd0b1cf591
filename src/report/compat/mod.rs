//! What TensorFlow's own programs print, byte for byte, for scripts that read it: `inspect_checkpoint` and
//! `saved_model_cli show` of TensorFlow 2.21. `docs/compat.md` says where the two differ.

pub(in crate::report) mod array;
pub(in crate::report) mod inspect_checkpoint;
pub(in crate::report) mod saved_model_cli;
