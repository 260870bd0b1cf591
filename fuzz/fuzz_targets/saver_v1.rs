#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("saver_v1"), |data: &[u8]| ckpt_fuzz::saver_v1(data));
