//! Types of other packages that a SavedModel's signatures and objects hold, and that must be registered, by importing
//! the package, before `tf.saved_model.load` can make them.
//!
//! TensorFlow: `python/framework/type_spec_registry.py` (`lookup` raises `ValueError` "The type '…' has not been
//! registered"), `core/protobuf/{struct,saved_object_graph}.proto`. Its own types are registered as `tf.…`.

use std::collections::BTreeSet;
use std::path::Path;

use super::message_file::read_as;
use crate::base::error::{Error, Result};
use crate::base::limits::Limits;
use crate::read::wire::{Field, Walker};

const WALK: Walker = Walker { what: "SavedModel" };

/// `TypeSpecProto.REGISTERED_TYPE_SPEC`. An extension type that is not registered becomes an anonymous one instead.
const REGISTERED_TYPE_SPEC: u64 = 12;

/// Deeper than any structure of a program.
const DEEPEST: usize = 64;

/// The names under which the types are registered.
///
/// # Errors
/// If the file cannot be read or decoded.
pub fn imported_types(file: &Path, limits: &Limits) -> Result<BTreeSet<String>> {
    read_as(file, "tensorflow.SavedModel", WALK.what, limits, |bytes| {
        let mut found = BTreeSet::new();
        WALK.each(bytes, 0, |field| if field.number == 2 { meta_graph(field, &mut found) } else { Ok(()) })?;
        Ok(found)
    })
}

fn meta_graph(graph: Field<'_>, found: &mut BTreeSet<String>) -> Result<()> {
    // Its object graph: objects, and the signatures of concrete functions.
    WALK.each_in(graph, |field| match field.number {
        7 => WALK.each_in(field, |part| match part.number {
            1 => object(part, found),
            2 => match WALK.entry(part)?.1 {
                Some(function) => WALK.each_in(function, |field| match field.number {
                    3 | 4 => structure(field, 0, found),
                    _ => Ok(()),
                }),
                None => Ok(()),
            },
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

/// A `SavedObject`: of functions their specification.
fn object(object: Field<'_>, found: &mut BTreeSet<String>) -> Result<()> {
    WALK.each_in(object, |kind| {
        let specification = match kind.number {
            6 => 2,
            8 => 4,
            _ => return Ok(()),
        };
        WALK.each_in(kind, |field| {
            if field.number != specification {
                return Ok(());
            }
            WALK.each_in(field, |value| match value.number {
                1 | 5 => structure(value, 0, found),
                _ => Ok(()),
            })
        })
    })
}

/// A `StructuredValue`, with everything in it.
fn structure(value: Field<'_>, depth: usize, found: &mut BTreeSet<String>) -> Result<()> {
    if depth > DEEPEST {
        return Err(
            Error::malformed(WALK.what, "a structure is nested deeper than any program's").at_offset(value.offset)
        );
    }
    let next = depth.saturating_add(1);
    WALK.each_in(value, |kind| match kind.number {
        // Lists and tuples.
        51 | 52 => WALK.each_in(kind, |item| if item.number == 1 { structure(item, next, found) } else { Ok(()) }),
        // A dictionary.
        53 => WALK.each_in(kind, |item| match item.number {
            1 => WALK.entry(item)?.1.map_or(Ok(()), |value| structure(value, next, found)),
            _ => Ok(()),
        }),
        // A named tuple: pairs of a key and a value.
        54 => WALK.each_in(kind, |item| match item.number {
            2 => WALK.each_in(item, |part| if part.number == 2 { structure(part, next, found) } else { Ok(()) }),
            _ => Ok(()),
        }),
        // A type of its own: what it is made of, and its name.
        34 => {
            let (mut class, mut name) = (0, String::new());
            WALK.each_in(kind, |part| {
                match part.number {
                    1 => class = WALK.varint(part)?,
                    2 => structure(part, next, found)?,
                    3 => name = WALK.string(part)?,
                    _ => {}
                }
                Ok(())
            })?;
            if class == REGISTERED_TYPE_SPEC && !name.starts_with("tf.") {
                found.insert(name);
            }
            Ok(())
        }
        _ => Ok(()),
    })
}
