#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("explain"), |data: &[u8]| ckpt_fuzz::explain(data));
