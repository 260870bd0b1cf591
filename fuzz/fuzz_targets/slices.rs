#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("slices"), |data: &[u8]| ckpt_fuzz::slices(data));
