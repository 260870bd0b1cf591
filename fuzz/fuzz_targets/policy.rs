#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("policy"), |data: &[u8]| ckpt_fuzz::policy(data));
