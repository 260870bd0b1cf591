#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("safetensors"), |data: &[u8]| ckpt_fuzz::safetensors(data));
