//! The checked-in bindings are what `proto/` says.
//!
//! `CKPT_UPDATE=1 cargo test --test it proto_bindings` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;

const FILES: [&str; 5] =
    ["tensor.proto", "checkpoint.proto", "graph.proto", "saved_model.proto", "keras_metadata.proto"];

/// Compares one generated file with the one in `src/read/pb`, or replaces that.
fn check(name: &str, generated: &[u8]) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src/read/pb", name].iter().collect();
    if std::env::var_os("CKPT_UPDATE").is_some() {
        fs::write(&path, generated).unwrap();
        return;
    }
    let current = fs::read(&path).unwrap_or_default();
    assert!(
        current == generated,
        "src/read/pb/{name} is not what proto/ says now; \
         `CKPT_UPDATE=1 cargo test --test it proto_bindings` writes it anew"
    );
}

#[test]
fn bindings_are_up_to_date() {
    let mut compiler = protox::Compiler::new([Path::new(env!("CARGO_MANIFEST_DIR")).join("proto")]).unwrap();
    compiler.include_imports(true).open_files(FILES).unwrap();
    // The descriptors for text format need no comments; the Rust code gets none either, for they speak of files.
    compiler.include_source_info(false);
    let descriptors = compiler.file_descriptor_set();

    let dir = tempfile::tempdir().unwrap();
    prost_build::Config::new()
        .out_dir(dir.path())
        .btree_map(["."])
        // Ours, so that the crate `prost-types` is not needed for two fields.
        .extern_path(".google.protobuf.Any", "crate::read::pb::Any")
        .compile_fds(descriptors.clone())
        .unwrap();
    check("tensorflow.rs", &fs::read(dir.path().join("tensorflow.rs")).unwrap());
    check("descriptor.bin", &descriptors.encode_to_vec());
}
