#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("strings"), |data: &[u8]| ckpt_fuzz::strings(data));
