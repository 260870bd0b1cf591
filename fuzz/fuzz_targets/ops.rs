#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("ops"), |data: &[u8]| ckpt_fuzz::ops(data));
