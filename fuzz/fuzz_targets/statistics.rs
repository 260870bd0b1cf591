#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("statistics"), |data: &[u8]| ckpt_fuzz::statistics(data));
