#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("diff"), |data: &[u8]| ckpt_fuzz::diff(data));
