//! The integration tests, one program: linked once, and every file may use what the others share.
//! A file is a subject; `cargo test --test it SUBJECT` runs one. `tests/hostile.rs` counts memory and is a program alone.

mod cases;
mod cmd;
mod columns;
mod damage;
mod diff;
mod diff_many;
mod directories;
mod explain;
mod explain_messages;
mod formats;
mod fuzz_regressions;
mod laws;
mod mixtures;
mod object_graph;
mod ops;
mod oracle;
mod pipe;
mod pitfalls;
mod places;
mod proto_bindings;
mod restore;
mod roles;
mod saved_model;
mod state_file;
mod stats;
mod stats_many;
mod support;
mod threads;
mod tidy;
mod validate_causes;
mod validate_damage;
mod validate_formats;
mod validate_hostile;
mod validating;
mod wild;
