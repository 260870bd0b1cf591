//! The bodies of the fuzz targets, as plain functions: `cargo fuzz` runs them on what it invents, `tests/it/
//! fuzz_regressions.rs` includes this very file and runs them on what once went wrong, and on every seed.
//!
//! A body panics if a promise is broken. Each says above itself what it promises.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs,
    clippy::allow_attributes,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    reason = "included by a test as well, which has no callers outside; a panic is what these are for"
)]

mod bundles;
mod input;
mod messages;
mod pairs;
mod seeds;
mod structured;
mod tables;
mod text;
mod written;

pub use bundles::{bundle, hdf5, keras, npz, safetensors, saver_v1, statistics, validate};
pub use messages::{events, object_graph, ops, saved_model, state};
pub use pairs::diff;
pub use seeds::{Files, begin, seeds};
pub use structured::{slices, strings, synth_roundtrip};
pub use tables::table;
pub use text::{explain, numpy, policy, region};
pub use written::{convert, parts};

/// The body of a target.
pub type Body = fn(&[u8]);

/// Every target by name.
pub const TARGETS: [(&str, Body); 24] = [
    ("bundle", bundle),
    ("convert", convert),
    ("diff", diff),
    ("events", events),
    ("explain", explain),
    ("hdf5", hdf5),
    ("keras", keras),
    ("npz", npz),
    ("numpy", numpy),
    ("object_graph", object_graph),
    ("ops", ops),
    ("parts", parts),
    ("policy", policy),
    ("region", region),
    ("safetensors", safetensors),
    ("saved_model", saved_model),
    ("saver_v1", saver_v1),
    ("slices", slices),
    ("state", state),
    ("statistics", statistics),
    ("strings", strings),
    ("synth_roundtrip", synth_roundtrip),
    ("table", table),
    ("validate", validate),
];
