#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("numpy"), |data: &[u8]| ckpt_fuzz::numpy(data));
