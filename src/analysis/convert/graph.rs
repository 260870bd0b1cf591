//! The object graph under other names: what restores by objects finds its tensors by the keys that stand in it.
//!
//! The message (`TrackableObjectGraph`, `trackable_object_graph.proto`) is rewritten field by field, and what is not
//! known here stays as it is.

use std::collections::BTreeMap;

use crate::analysis::naming::objects::message_of;
use crate::base::error::{Error, Result};
use crate::read::checkpoint::Checkpoint;
use crate::read::wire::{Field, Fields, Value, write_bytes, write_number_even_zero, write_varint};

/// The message in a checkpoint.
pub(super) fn message(checkpoint: &Checkpoint) -> Result<Vec<u8>> {
    message_of(checkpoint).unwrap_or_else(|| Err(Error::malformed("object graph", "there is none")))
}

/// The message with the keys that tensors have now; attributes whose tensors are gone are taken out.
pub(super) fn rewrite(message: &[u8], names: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Vec<u8>> {
    const NODES: u32 = 1;
    let mut out = Vec::new();
    each(message, |field| {
        match (field.number, field.value) {
            (NODES, Value::Bytes(node)) => write_bytes(&mut out, NODES, &rewrite_node(node, names)?),
            _ => copy(&mut out, field),
        }
        Ok(())
    })?;
    Ok(out)
}

/// `TrackableObject`: children, attributes, slots, and whether any value of it is there.
fn rewrite_node(node: &[u8], names: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Vec<u8>> {
    const ATTRIBUTES: u32 = 2;
    const HAS_CHECKPOINT_VALUES: u32 = 5;
    let mut out = Vec::new();
    let (mut kept, mut gone) = (0, 0);
    each(node, |field| {
        match (field.number, field.value) {
            (ATTRIBUTES, Value::Bytes(attribute)) => match rewrite_attribute(attribute, names)? {
                Some(attribute) => {
                    kept += 1;
                    write_bytes(&mut out, ATTRIBUTES, &attribute);
                }
                None => gone += 1,
            },
            // A node of which nothing is left has no values; one whose children have some keeps what it says.
            (HAS_CHECKPOINT_VALUES, Value::Bytes(_)) if gone > 0 && kept == 0 => {}
            _ => copy(&mut out, field),
        }
        Ok(())
    })?;
    Ok(out)
}

/// `SerializedTensor`: name, full name, key.
fn rewrite_attribute(attribute: &[u8], names: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Option<Vec<u8>>> {
    const CHECKPOINT_KEY: u32 = 3;
    let mut out = Vec::new();
    let mut is_there = true;
    each(attribute, |field| {
        match (field.number, field.value) {
            (CHECKPOINT_KEY, Value::Bytes(key)) => match renamed(key, names) {
                Some(new) => write_bytes(&mut out, CHECKPOINT_KEY, &new),
                None => is_there = false,
            },
            _ => copy(&mut out, field),
        }
        Ok(())
    })?;
    Ok(is_there.then_some(out))
}

/// The key that a tensor has now. A table's key is the beginning of those of its tensors, which must all have changed
/// alike.
fn renamed(key: &[u8], names: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<Vec<u8>> {
    if let Some(new) = names.get(key) {
        return Some(new.clone());
    }
    let (old, new) = names.range(key.to_vec()..).next().filter(|(old, _)| old.starts_with(key))?;
    let rest = old.get(key.len()..)?;
    new.strip_suffix(rest).map(<[u8]>::to_vec)
}

fn each<'m>(message: &'m [u8], mut take: impl FnMut(Field<'m>) -> Result<()>) -> Result<()> {
    let mut fields = Fields::new(message, 0);
    while let Some(field) = fields.next_field()? {
        if field.value == Value::Group {
            return Err(Error::malformed("object graph", "a group, which TensorFlow never writes"));
        }
        take(field)?;
    }
    Ok(())
}

fn copy(out: &mut Vec<u8>, field: Field<'_>) {
    let tag = |wire: u64| u64::from(field.number) << 3 | wire;
    match field.value {
        Value::Varint(value) => write_number_even_zero(out, field.number, value),
        Value::Bytes(bytes) => write_bytes(out, field.number, bytes),
        Value::Fixed64(value) => {
            write_varint(out, tag(1));
            out.extend(value.to_le_bytes());
        }
        Value::Fixed32(value) => {
            write_varint(out, tag(5));
            out.extend(value.to_le_bytes());
        }
        Value::Group => {}
    }
}
