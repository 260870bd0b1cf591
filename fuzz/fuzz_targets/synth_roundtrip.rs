#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("synth_roundtrip"), |data: &[u8]| ckpt_fuzz::synth_roundtrip(data));
