//! Reading a `TrackableObjectGraph`, field by field.
//!
//! Not with the generated types: theirs take 130 bytes for a node of two, and cannot say where a mistake is.

use super::{Attribute, Child, Node, ObjectGraph, RegisteredSaver, SlotVariable};
use crate::base::error::{Part, Result};
use crate::read::wire::{Field, Walker};

const WALK: Walker = Walker { what: "object graph" };

impl ObjectGraph {
    /// Parses the bytes of the string tensor `_CHECKPOINTABLE_OBJECT_GRAPH`.
    ///
    /// # Errors
    /// [`crate::base::error::ErrorKind::Malformed`] or `Truncated` with the offset in `bytes` if they are no such message.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut nodes = Vec::new();
        let parsed = WALK.each(bytes, 0, |field| {
            if field.number == 1 {
                nodes.push(node(field)?);
            }
            Ok(())
        });
        parsed.map_err(|error| error.at_part(Part::ObjectGraph))?;
        Ok(Self::new(nodes))
    }
}

fn node(message: Field<'_>) -> Result<Node> {
    let mut node = Node::default();
    WALK.each_in(message, |field| {
        match field.number {
            1 => node.children.push(child(field)?),
            2 => node.attributes.push(attribute(field)?),
            3 => node.slot_variables.push(slot_variable(field)?),
            4 => registered_saver(node.registered_saver.get_or_insert_default(), field)?,
            // A google.protobuf.BoolValue: that it is there makes it false, its field 1 may make it true.
            5 => {
                let value = node.has_checkpoint_values.get_or_insert(false);
                WALK.each_in(field, |field| {
                    if field.number == 1 {
                        *value = WALK.varint(field)? != 0;
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(node)
}

pub(in crate::read::graphs) fn child(message: Field<'_>) -> Result<Child> {
    let mut child = Child::default();
    WALK.each_in(message, |field| {
        match field.number {
            1 => child.node_id = WALK.int32(field)?,
            2 => child.local_name = WALK.string(field)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(child)
}

fn attribute(message: Field<'_>) -> Result<Attribute> {
    let mut attribute = Attribute::default();
    WALK.each_in(message, |field| {
        match field.number {
            1 => attribute.name = WALK.string(field)?,
            2 => attribute.full_name = WALK.string(field)?,
            3 => attribute.checkpoint_key = WALK.string(field)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(attribute)
}

pub(in crate::read::graphs) fn slot_variable(message: Field<'_>) -> Result<SlotVariable> {
    let mut slot = SlotVariable::default();
    WALK.each_in(message, |field| {
        match field.number {
            1 => slot.original_variable_node_id = WALK.int32(field)?,
            2 => slot.slot_name = WALK.string(field)?,
            3 => slot.slot_variable_node_id = WALK.int32(field)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(slot)
}

/// Into `saver`, because a message that occurs twice is merged.
fn registered_saver(saver: &mut RegisteredSaver, message: Field<'_>) -> Result<()> {
    WALK.each_in(message, |field| {
        match field.number {
            1 => saver.name = WALK.string(field)?,
            2 => saver.object_name = WALK.string(field)?,
            _ => {}
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by TensorFlow 2.21: `Checkpoint(v=Variable(1.5, name="foo")).write(…)`.
    const GOLDEN: &[u8] = b"\x0a\x0b\x0a\x05\x08\x01\x12\x01v*\x02\x08\x01\x0a9\x123\x0a\x0eVARIABLE_VALUE\
        \x12\x03foo\x1a\x1cv/.ATTRIBUTES/VARIABLE_VALUE*\x02\x08\x01";

    #[test]
    fn the_graph_of_one_variable() {
        let graph = ObjectGraph::parse(GOLDEN).unwrap();
        let [root, v] = graph.nodes() else { panic!("{graph:?}") };
        assert_eq!(root.children, [Child { node_id: 1, local_name: "v".to_owned() }]);
        assert_eq!(root.has_checkpoint_values, Some(true));
        assert_eq!((v.attributes[0].name.as_str(), v.attributes[0].full_name.as_str()), ("VARIABLE_VALUE", "foo"));
        assert_eq!(v.attributes[0].checkpoint_key, "v/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(graph.path_of(1).unwrap(), ["v"]);
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_read_or_refused() {
        for at in 0..GOLDEN.len() {
            let mut bytes = GOLDEN.to_vec();
            bytes[at] ^= 0xff;
            if let Ok(graph) = ObjectGraph::parse(&bytes) {
                let _ = graph.problems();
            }
            let _ = ObjectGraph::parse(&GOLDEN[..at]);
        }
    }

    #[test]
    fn a_mistake_is_located() {
        let error = ObjectGraph::parse(&[0x0a, 0x04, 0x0a, 0x02, 0x12, 0x09]).unwrap_err();
        assert_eq!((error.location().offset, error.location().part), (Some(6), Some(Part::ObjectGraph)));
        let error = ObjectGraph::parse(&[0x0a, 0x05, 0x0a, 0x03, 0x12, 0x01, 0xff]).unwrap_err();
        assert_eq!(error.to_string(), "object graph: field 2 is not UTF-8 (object graph, offset 6)");
    }

    #[test]
    fn absent_and_negative_numbers() {
        // A child without an id is the root; a negative id takes ten bytes.
        let graph = ObjectGraph::parse(
            b"\x0a\x14\x0a\x03\x12\x01a\x0a\x0d\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x00\x0a\x02\x2a\x00",
        )
        .unwrap();
        assert_eq!(graph.nodes()[0].children.iter().map(|c| c.node_id).collect::<Vec<_>>(), [0, -1]);
        assert_eq!(graph.nodes()[1].has_checkpoint_values, Some(false));
    }
}
