//! Reads TensorFlow checkpoints without TensorFlow.

pub mod analysis;
pub mod bundle;
pub mod checkpoint;
pub mod error;
pub mod escape;
pub mod export;
pub mod limits;
pub mod nearest;
pub mod pb;
pub mod report;
pub mod storage;
pub mod table;
pub mod tensor;
pub mod wire;
