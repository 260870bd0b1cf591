//! The entries of a V1 checkpoint's tables in their own order, against the metadata that leads to them.
//!
//! TensorFlow looks a slice up by the key that it computes from the metadata (`TensorSliceReader::CopySliceData` in
//! `core/util/tensor_slice_reader.h`), by searching: a table out of order hides entries from it. The name that stands
//! once more inside an entry is written and never read.

use super::SaverV1;
use crate::base::error::{Error, Result};
use crate::base::limits::{Limits, Reports};
use crate::read::bundle::{decode_slice, slice_key};
use crate::read::tensor::TensorSlice;
use crate::read::wire::{Fields, Value};

/// What a walk through the tables found.
#[derive(Debug, Default)]
pub struct V1Scan {
    /// Keys that are out of order.
    pub disorder: Vec<Error>,
    /// Entries whose own name or slice is not what their key says.
    pub misnamed: Vec<Error>,
}

impl SaverV1 {
    /// Walks through all entries. What cannot be read is found when its tensor is.
    pub fn scan(&self, limits: &Limits) -> V1Scan {
        let mut found = V1Scan::default();
        for table in self.files.iter().filter_map(|(_, table)| table.as_ref()) {
            let mut misnamed = Reports::new("entries under another key", limits);
            let scan = table.scan(|entry| {
                if !entry.key.is_empty()
                    && let Ok(Some((name, slice))) = own_name(entry.value, entry.offset)
                    && slice_key(&name, &slice) != entry.key
                {
                    misnamed.add(|| {
                        let why = "an entry says of itself that it is of this tensor, its key is another's".to_owned();
                        Error::malformed("V1 tensor", why)
                            .for_key(&name)
                            .at_offset(entry.offset)
                            .in_file(table.source().path())
                    });
                }
                Ok(())
            });
            found.disorder.extend(scan.map(|scan| scan.notes).unwrap_or_default());
            found.misnamed.append(&mut misnamed.into_errors());
        }
        found
    }
}

/// Fields 1 and 2 of the `SavedSlice` in field 2 of a `SavedTensorSlices`.
fn own_name(value: &[u8], offset: u64) -> Result<Option<(Vec<u8>, TensorSlice)>> {
    let mut fields = Fields::new(value, offset);
    while let Some(field) = fields.next_field()? {
        let (2, Value::Bytes(data)) = (field.number, field.value) else { continue };
        let (mut name, mut slice) = (Vec::new(), TensorSlice(Vec::new()));
        let mut fields = Fields::new(data, field.offset);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(bytes)) => name = bytes.to_vec(),
                (2, Value::Bytes(bytes)) => slice = decode_slice(bytes, field.offset)?,
                _ => {}
            }
        }
        return Ok(Some((name, slice)));
    }
    Ok(None)
}
