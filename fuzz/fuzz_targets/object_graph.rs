#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("object_graph"), |data: &[u8]| ckpt_fuzz::object_graph(data));
