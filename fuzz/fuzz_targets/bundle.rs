#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("bundle"), |data: &[u8]| ckpt_fuzz::bundle(data));
