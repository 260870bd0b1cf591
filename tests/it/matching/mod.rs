//! `ckpt diff --match values`: two layouts of one model under other names, with and without a fault that was planted.

mod commands;
mod converted;
mod fused;
mod layouts;
mod model;
mod plants;
mod typed;
