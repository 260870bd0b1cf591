#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("parts"), |data: &[u8]| ckpt_fuzz::parts(data));
