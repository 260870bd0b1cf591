#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("state"), |data: &[u8]| ckpt_fuzz::state(data));
