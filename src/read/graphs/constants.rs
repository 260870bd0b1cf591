//! What optimizers are given as constants of the graph: learning rates, betas, epsilons.
//!
//! An optimizer of `tf.compat.v1.train` hands its numbers to its op as inputs (`core/ops/training_ops.cc`), which are
//! constants of the graph unless a program computes them: a schedule, a placeholder, a variable.

use super::graph::{Feeder, Input, Node, Nodes};
use crate::base::error::Result;
use crate::read::pb;
use crate::read::tensor::{DType, Element, decimal};

/// The numbers of an optimizer, of which each of its updates has the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Constants {
    /// The optimizer, by its op.
    pub optimizer: &'static str,
    /// How many ops update a variable with it.
    pub updates: u64,
    /// What the op calls its inputs, and what it is given: `None` if that is no constant, or not the same of all.
    pub numbers: Vec<(&'static str, Option<f64>)>,
    /// Whether its momentum looks ahead, of ops that can; `None` if some do.
    pub nesterov: Option<bool>,
}

/// Inputs of ops that are numbers, as TensorFlow calls them.
const NUMBERS: [&str; 11] =
    ["lr", "beta1", "beta2", "rho", "momentum", "epsilon", "l1", "l2", "l2_shrinkage", "lr_power", "decay"];

/// An attribute longer than this is no number.
const MOST: usize = 256;

impl Constants {
    /// A number, as it is called in the op, or as optimizers of Keras call it.
    pub fn get(&self, name: &str) -> Option<f64> {
        let name = match name {
            "learning_rate" => "lr",
            "beta_1" => "beta1",
            "beta_2" => "beta2",
            other => other,
        };
        self.numbers.iter().find(|(known, _)| *known == name).and_then(|(_, number)| *number)
    }

    /// Takes in one update, of which these are the inputs behind the variable, by their names.
    pub(super) fn add(
        all: &mut Vec<Self>,
        nodes: &Nodes<'_>,
        (optimizer, inputs): (&'static str, &'static str),
        node: &Node<'_>,
    ) -> Result<()> {
        let given = node.data_inputs()?;
        let is_sparse = node.op.starts_with(b"Sparse") || node.op.starts_with(b"ResourceSparse");
        let mut numbers = Vec::new();
        let mut at = 1usize;
        for name in inputs.split_ascii_whitespace() {
            if let (Some(name), Some(input)) = (NUMBERS.iter().find(|known| **known == name), given.get(at)) {
                numbers.push((*name, number(nodes, *input)?));
            }
            // Gradients of some rows are followed by which rows these are.
            at = at.saturating_add(if is_sparse && name == "grad" { 2 } else { 1 });
        }
        let looks_ahead = inputs.contains("momentum") && optimizer != "RMSProp" || optimizer == "Adam";
        let nesterov = if looks_ahead { Some(node.flag(b"use_nesterov", false)?) } else { None };
        let Some(known) = all.iter_mut().find(|known| known.optimizer == optimizer) else {
            all.push(Self { optimizer, updates: 1, numbers, nesterov });
            return Ok(());
        };
        known.updates = known.updates.saturating_add(1);
        known.nesterov = known.nesterov.filter(|known| Some(*known) == nesterov);
        for (name, value) in &mut known.numbers {
            let other = numbers.iter().find(|(other, _)| other == name).and_then(|(_, other)| *other);
            *value = value.filter(|value| Some(*value) == other);
        }
        Ok(())
    }
}

/// The number that an input is, if it is a constant; past reads, and past changes of its type.
fn number<'a>(nodes: &Nodes<'a>, mut input: Input<'a>) -> Result<Option<f64>> {
    for _ in 0..4 {
        let Some(Feeder::Node(node, _)) = nodes.source(input, |_| ())? else { return Ok(None) };
        match node.op {
            b"Const" if node.attr(b"value")?.is_some_and(|value| value.bytes.len() <= MOST) => {
                return Ok(match node.value(b"value")? {
                    Some(pb::attr_value::Value::Tensor(tensor)) => scalar(&tensor),
                    _ => None,
                });
            }
            b"Cast" => match node.data_inputs()?.first() {
                Some(first) => input = *first,
                None => return Ok(None),
            },
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// A float as the decimal number that a person wrote for it.
fn scalar(tensor: &pb::TensorProto) -> Option<f64> {
    let dtype = DType::from_number(tensor.dtype);
    if !dtype.is_float() {
        return None;
    }
    let narrow = |bits: i32| Element::decode(dtype, &u16::try_from(bits).ok()?.to_le_bytes());
    let element = if tensor.tensor_content.is_empty() {
        match dtype {
            DType::Float32 => return tensor.float_val.first().copied().map(decimal),
            DType::Float64 => return tensor.double_val.first().copied(),
            _ => narrow(*tensor.half_val.first()?)?,
        }
    } else {
        Element::decode(dtype, &tensor.tensor_content)?
    };
    match (element, dtype) {
        #[expect(clippy::cast_possible_truncation, reason = "it is a float32")]
        (Element::Float(value), DType::Float32) => Some(decimal(value.value() as f32)),
        (Element::Float(value), _) => Some(value.value()),
        _ => None,
    }
}
