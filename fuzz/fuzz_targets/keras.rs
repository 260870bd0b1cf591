#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("keras"), |data: &[u8]| ckpt_fuzz::keras(data));
