#![no_main]
libfuzzer_sys::fuzz_target!(init: ckpt_fuzz::begin("hdf5"), |data: &[u8]| ckpt_fuzz::hdf5(data));
