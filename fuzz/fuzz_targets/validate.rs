#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("validate"), |data: &[u8]| ckpt_fuzz::validate(data));
