//! Reads TensorFlow checkpoints without TensorFlow.

pub mod checkpoint;
pub mod error;
pub mod escape;
pub mod limits;
pub mod pb;
pub mod storage;
pub mod table;
pub mod tensor;
pub mod wire;
