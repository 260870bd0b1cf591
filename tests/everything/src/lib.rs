//! Nothing but a dependency: what turns on all features of `ckpt` in builds of tests (`Cargo.toml`).
