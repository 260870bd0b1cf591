#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("saved_model"), |data: &[u8]| ckpt_fuzz::saved_model(data));
