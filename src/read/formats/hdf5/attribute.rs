//! Attributes of groups and data sets, as far as they are text.
//!
//! Specification, IV.A.2.m (attribute), IV.A.2.v (attribute info).

use super::datatype::{Element, datatype, space};
use super::fields::Fields;
use super::file::File;
use super::fractal_heap::FractalHeap;
use super::heap::GlobalHeap;
use super::object::{Message, Object, kind, resolve};
use super::tree2;
use crate::base::error::{Error, Result};

/// One attribute.
#[derive(Clone, Debug)]
pub(in crate::read::formats) struct Attribute {
    pub(in crate::read::formats) name: Vec<u8>,
    /// Its strings, one of a single value; none of what is no text.
    pub(in crate::read::formats) text: Vec<Vec<u8>>,
}

/// The first string of the attribute with this name, if it can be read.
pub(super) fn text(file: &File, object: &Object, name: &[u8]) -> Option<Vec<u8>> {
    let mut found = None;
    let _ = each(file, object, &mut |attribute| {
        if attribute.name == name && found.is_none() {
            found = attribute.text.into_iter().next();
        }
    });
    found
}

/// Hands out every attribute that can be read; says what is wrong with the first that cannot.
pub(super) fn each(file: &File, object: &Object, out: &mut dyn FnMut(Attribute)) -> Result<()> {
    let mut heap = GlobalHeap::default();
    let mut fault = None;
    let mut take = |read: Result<Attribute>| match read {
        Ok(attribute) => out(attribute),
        Err(error) => drop(fault.get_or_insert(error)),
    };
    for message in &object.messages {
        match message.kind {
            kind::ATTRIBUTE => {
                let read = |message: Message| attribute(file, &mut heap, &mut message.fields(file));
                take(resolve(file, message).and_then(read));
            }
            kind::ATTRIBUTE_INFO => {
                let mut fields = message.fields(file);
                fields.skip(1)?;
                let flags = fields.u8()?;
                fields.skip(if flags & 1 == 0 { 0 } else { 2 })?;
                let (Some(fractal), Some(tree)) = (fields.address()?, fields.address()?) else { continue };
                let fractal = FractalHeap::read(file, fractal)?;
                tree2::walk(file, tree, 8, &mut |record| {
                    let id = record.take(8)?;
                    let read = fractal.object(file, id);
                    take(read.and_then(|bytes| attribute(file, &mut heap, &mut record.of(&bytes))));
                    Ok(())
                })?;
            }
            _ => {}
        }
    }
    fault.map_or(Ok(()), |error| Err(file.located(error.at_offset(file.offset(object.address)))))
}

fn attribute(file: &File, heap: &mut GlobalHeap, fields: &mut Fields<'_>) -> Result<Attribute> {
    let at = fields.offset();
    let bad = |why: String| Error::malformed("HDF5 attribute", why).at_offset(at);
    let version = fields.u8()?;
    if !(1..=3).contains(&version) {
        return Err(bad(format!("version {version} is not known")));
    }
    let flags = fields.u8()?;
    let (name, of_type, of_space) = (fields.u16()?, fields.u16()?, fields.u16()?);
    fields.skip(usize::from(version == 3))?;
    let padded = |len: u16| {
        let len = usize::from(len);
        if version == 1 { len.next_multiple_of(8).saturating_sub(len) } else { 0 }
    };
    let name_bytes = fields.take(usize::from(name))?;
    fields.skip(padded(name))?;
    let name = name_bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let typed = fields.part(usize::from(of_type))?;
    fields.skip(padded(of_type))?;
    let spaced = fields.part(usize::from(of_space))?;
    fields.skip(padded(of_space))?;
    let parse = |shared: bool, kind: u16, part: &Fields<'_>| -> Result<Message> {
        resolve(file, &Message::of(kind, shared, part.offset(), part.rest()))
    };
    let of_type = parse(flags & 1 != 0, kind::DATATYPE, &typed)?;
    let of_space = parse(flags & 2 != 0, kind::SPACE, &spaced)?;
    let element = datatype(&mut of_type.fields(file))?;
    let space = space(&mut of_space.fields(file), file.limits.rank)?;
    let count = space.dims.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim));
    let bytes = count.and_then(|count| count.checked_mul(element.size()));
    let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| bad("its elements cannot be counted".to_owned()))?;
    let size = usize::try_from(element.size()).unwrap_or(usize::MAX).max(1);
    let mut text = Vec::new();
    if matches!(element, Element::Fixed { .. } | Element::Elsewhere { .. }) {
        for stored in fields.take(bytes)?.chunks_exact(size) {
            text.push(string(file, heap, &element, stored)?);
        }
    }
    Ok(Attribute { name, text })
}

/// One string, from its bytes or from what they refer to.
pub(super) fn string(file: &File, heap: &mut GlobalHeap, element: &Element, stored: &[u8]) -> Result<Vec<u8>> {
    Ok(match element {
        Element::Elsewhere { .. } => heap.sequence(file, stored)?.to_vec(),
        Element::Fixed { at_first_zero: true, .. } => {
            stored.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
        }
        _ => {
            let end = stored.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
            stored.get(..end).unwrap_or_default().to_vec()
        }
    })
}
