//! What naive readers of checkpoints get wrong, one test a pitfall. Most files are made by `ckpt_synth`, since TensorFlow
//! cannot be brought to write them.

mod index;
mod slices;
mod v1;
mod values;

use std::path::{Path, PathBuf};

use crate::support::{elements, region};
use ckpt::base::error::{Error, ErrorKind, Part};
use ckpt::read::checkpoint::{Checkpoint, Tensor};
use ckpt::read::tensor::{Axis, Checked, Shape};
use ckpt_synth::{
    Bundle, BundleBuilder, Compression, Entry, Extent, Msg, TableBuilder, V1Builder, Values, dtype, slice_key,
};
use tempfile::TempDir;

/// A checkpoint in a directory of its own.
struct Open {
    dir: TempDir,
    checkpoint: Checkpoint,
}

impl Open {
    fn bundle(bundle: &Bundle) -> Self {
        Self::written(|prefix| bundle.write(prefix).unwrap()).unwrap()
    }

    fn build(builder: BundleBuilder) -> Self {
        Self::bundle(&builder.finish())
    }

    fn v1(builder: V1Builder) -> Self {
        let v1 = builder.finish();
        Self::written(|prefix| v1.write(prefix).unwrap()).unwrap()
    }

    fn written(write: impl FnOnce(&Path)) -> Result<Self, Error> {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("model.ckpt-0");
        write(&prefix);
        let checkpoint = crate::support::open(&prefix)?;
        Ok(Self { dir, checkpoint })
    }

    fn prefix(&self) -> PathBuf {
        self.dir.path().join("model.ckpt-0")
    }

    fn tensor(&self, name: &[u8]) -> Tensor {
        self.checkpoint.tensor(name).unwrap_or_else(|| panic!("no tensor {}", crate::support::show(name)))
    }

    /// The bytes of a tensor, which must be verified.
    fn bytes(&self, name: &[u8]) -> Vec<u8> {
        self.strings(name).concat()
    }

    fn strings(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let (elements, checked) = elements(&self.checkpoint, &self.tensor(name)).unwrap();
        assert_eq!(checked, Checked::Verified);
        elements
    }

    fn error(&self, name: &[u8]) -> Error {
        elements(&self.checkpoint, &self.tensor(name)).unwrap_err()
    }

    fn names(&self) -> Vec<String> {
        self.checkpoint.tensors().iter().map(|tensor| crate::support::show(&tensor.name)).collect()
    }

    fn sound(&self) {
        assert!(self.checkpoint.damage().is_empty(), "{:?}", self.checkpoint.damage());
        assert!(self.checkpoint.notes().is_empty(), "{:?}", self.checkpoint.notes());
    }
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Four tensors, every row of the index in a block of its own: block 0 is the header, block 1 is `a`.
fn blocks(table: impl FnOnce(TableBuilder) -> TableBuilder + 'static) -> Bundle {
    let tensors = ["a", "b", "c", "d"].iter().zip([1.0, 2.0, 3.0, 4.0]);
    let builder = tensors.fold(BundleBuilder::new(), |builder, (name, value)| builder.floats(name, &[1], &[value]));
    builder.table(|t| table(t.block_size(1))).finish()
}
