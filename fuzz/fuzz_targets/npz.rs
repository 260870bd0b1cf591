#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("npz"), |data: &[u8]| ckpt_fuzz::npz(data));
