#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("events"), |data: &[u8]| ckpt_fuzz::events(data));
