#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("table"), |data: &[u8]| ckpt_fuzz::table(data));
