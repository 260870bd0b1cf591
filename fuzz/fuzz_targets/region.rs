#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("region"), |data: &[u8]| ckpt_fuzz::region(data));
