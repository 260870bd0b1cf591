//! The objects of a TF2 SavedModel, as far as restoring into them needs: children, slots and what has state.
//!
//! TensorFlow: `core/protobuf/saved_object_graph.proto`; `python/saved_model/load.py` makes Python objects of them and
//! restores `variables/` into those by the names of children.

use super::object_graph::{Child, SlotVariable, child, slot_variable};
use crate::base::error::Result;
use crate::read::pb;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::{Field, Walker};

const WALK: Walker = Walker { what: "saved objects" };

/// TensorFlow's `SavedObjectGraph`. Node 0 is the root.
#[derive(Clone, Debug, Default)]
pub struct SavedObjects {
    /// The objects; ids are positions.
    pub nodes: Vec<SavedObject>,
}

/// TensorFlow's `SavedObject`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedObject {
    /// The objects that it refers to.
    pub children: Vec<Child>,
    /// For an optimizer of Keras before 2.11: the variables that it made.
    pub slots: Vec<SlotVariable>,
    /// If it is a variable: which.
    pub variable: Option<SavedVariable>,
    /// Names of further state, of a hash table for example.
    pub saveables: Vec<String>,
    /// What class it was, where that was kept (`_tf_keras_model`, `optimizer`).
    pub identifier: String,
}

/// TensorFlow's `SavedVariable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedVariable {
    /// Its Python name, without `:0`. Not unique.
    pub name: String,
    /// Its element type.
    pub dtype: DType,
    /// Its shape, possibly not known.
    pub shape: Shape,
    /// Whether it was made to be trained, as variables are unless their maker says otherwise.
    pub is_trainable: bool,
}

impl SavedObjects {
    /// Reads the `object_graph_def` of a meta graph.
    pub(super) fn parse(message: Field<'_>) -> Result<Self> {
        let mut objects = Self::default();
        WALK.each_in(message, |field| {
            if field.number == 1 {
                objects.nodes.push(object(field)?);
            }
            Ok(())
        })?;
        Ok(objects)
    }
}

fn object(message: Field<'_>) -> Result<SavedObject> {
    let mut object = SavedObject::default();
    WALK.each_in(message, |field| {
        match field.number {
            1 => object.children.push(child(field)?),
            3 => object.slots.push(slot_variable(field)?),
            4 => WALK.each_in(field, |field| {
                if field.number == 1 {
                    object.identifier = WALK.string(field)?;
                }
                Ok(())
            })?,
            7 => object.variable = Some(variable(field)?),
            11 => object.saveables.push(WALK.entry(field)?.0),
            _ => {}
        }
        Ok(())
    })?;
    Ok(object)
}

fn variable(message: Field<'_>) -> Result<SavedVariable> {
    let mut variable =
        SavedVariable { name: String::new(), dtype: DType::Invalid, shape: Shape::scalar(), is_trainable: false };
    WALK.each_in(message, |field| {
        match field.number {
            1 => variable.dtype = DType::from_number(WALK.int32(field)?),
            2 => {
                let shape: pb::TensorShapeProto = pb::decode("shape", WALK.bytes(field)?, field.offset)?;
                variable.shape = super::graph::shape_of(&shape);
            }
            3 => variable.is_trainable = WALK.varint(field)? != 0,
            6 => WALK.string(field)?.trim_end_matches(":0").clone_into(&mut variable.name),
            _ => {}
        }
        Ok(())
    })?;
    Ok(variable)
}
