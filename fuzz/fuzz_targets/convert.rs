#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("convert"), |data: &[u8]| ckpt_fuzz::convert(data));
