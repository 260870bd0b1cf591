//! A graph walked to its end, where it lies: whether it is whole, and how much of it are constants, which is where a
//! frozen one has its weights.
//!
//! TensorFlow: `core/framework/graph.proto`, `node_def.proto`, `function.proto`, `attr_value.proto`,
//! `core/protobuf/meta_graph.proto`.

use std::path::Path;

use crate::base::error::Result;
use crate::read::storage::{Source, Window};
use crate::read::tensor::DType;
use crate::read::wire::{Value, Walker};

const WALK: Walker = Walker { what: "graph" };

/// How many constants there are, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constants {
    /// `Const` nodes, in functions too.
    pub nodes: usize,
    /// The bytes that their values take in the file.
    pub bytes: u64,
    /// Those of more than one floating-point or quantized number, as weights are: shapes and axes are integers.
    pub weights: usize,
    /// Whether the graph has variables as well.
    pub has_variables: bool,
}

impl Constants {
    /// Whether the graph is a frozen one: variables were made into constants.
    pub fn is_frozen(&self) -> bool {
        self.weights > 0 && !self.has_variables
    }

    /// In words, with the size in a unit that fits.
    pub fn describe(&self) -> String {
        let (n, bytes) = (self.nodes, self.bytes);
        let constants = if n == 1 { "constant" } else { "constants" };
        let scaled = |unit: u64| format!("{}.{}", bytes / unit, (bytes % unit).saturating_mul(10) / unit);
        match bytes {
            0..1024 => format!("{n} {constants} of {bytes} bytes"),
            1024..1_048_576 => format!("{n} {constants} of {} KiB", scaled(1 << 10)),
            1_048_576..1_073_741_824 => format!("{n} {constants} of {} MiB", scaled(1 << 20)),
            _ => format!("{n} {constants} of {} GiB", scaled(1 << 30)),
        }
    }

    /// Takes in those of a `GraphDef`, which begins at `offset` in its file.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn add_graph(&mut self, graph: &[u8], offset: u64) -> Result<()> {
        each_message(graph, offset, |number, message, offset| match number {
            1 => self.add_node(message, offset),
            // FunctionDefLibrary: its functions, each with its nodes.
            2 => each_message(message, offset, |number, function, offset| match number {
                1 => each_message(function, offset, |number, node, offset| match number {
                    3 => self.add_node(node, offset),
                    _ => Ok(()),
                }),
                _ => Ok(()),
            }),
            _ => Ok(()),
        })
    }

    fn add_node(&mut self, node: &[u8], offset: u64) -> Result<()> {
        let (mut op, mut value) = (&b""[..], None);
        each_message(node, offset, |number, field, offset| {
            match number {
                2 => op = field,
                5 => {
                    let (mut key, mut of) = (&b""[..], None);
                    each_message(field, offset, |number, part, offset| {
                        match number {
                            1 => key = part,
                            2 => of = Some((part, offset)),
                            _ => {}
                        }
                        Ok(())
                    })?;
                    if key == b"value" {
                        value = of;
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        match (op, value) {
            (b"Const", Some((value, offset))) => {
                self.nodes = self.nodes.saturating_add(1);
                self.bytes = self.bytes.saturating_add(value.len() as u64);
                self.weights = self.weights.saturating_add(usize::from(is_weight(value, offset)?));
            }
            (b"Const", None) => self.nodes = self.nodes.saturating_add(1),
            (b"VarHandleOp" | b"VariableV2" | b"Variable" | b"AutoReloadVariable", _) => self.has_variables = true,
            _ => {}
        }
        Ok(())
    }
}

/// Those of a binary `GraphDef`, or of the graph in a binary `MetaGraphDef`, whose other fields are walked too.
///
/// # Errors
/// If it cannot be read, or is not whole.
pub(super) fn constants_of(path: &Path, is_meta_graph: bool) -> Result<Constants> {
    let source = Source::contiguous(path)?;
    let mut scratch = Window::default();
    let bytes = source.slice(0..source.len(), &mut scratch)?;
    let mut constants = Constants::default();
    if is_meta_graph {
        each_message(bytes, 0, |number, graph, offset| match number {
            2 => constants.add_graph(graph, offset),
            _ => Ok(()),
        })?;
    } else {
        constants.add_graph(bytes, 0)?;
    }
    Ok(constants)
}

/// Whether an `AttrValue` is a tensor of a type that weights have, and no scalar.
fn is_weight(value: &[u8], offset: u64) -> Result<bool> {
    let (mut of_type, mut has_shape) = (false, false);
    each_message(value, offset, |number, tensor, offset| {
        if number != 8 {
            return Ok(());
        }
        WALK.each(tensor, offset, |field| {
            match (field.number, field.value) {
                (1, Value::Varint(number)) => {
                    let dtype = i32::try_from(number).map_or(DType::Invalid, DType::from_number);
                    let is_other = matches!(dtype, DType::Int32 | DType::Int64 | DType::Bool | DType::String);
                    of_type = !is_other && dtype.is_storable();
                }
                (2, Value::Bytes(shape)) => has_shape = !shape.is_empty(),
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(of_type && has_shape)
}

/// Hands out the fields that are messages, strings or bytes, each with its number and where it begins; walks over the
/// others.
fn each_message<'a>(
    message: &'a [u8],
    offset: u64,
    mut take: impl FnMut(u32, &'a [u8], u64) -> Result<()>,
) -> Result<()> {
    WALK.each(message, offset, |field| match field.value {
        Value::Bytes(bytes) => take(field.number, bytes, field.offset),
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::pb;

    #[test]
    fn constants_are_counted_in_functions_too() {
        let text = "node { name: 'w' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: 'abcdefgh' } } } }
            node { name: 'x' op: 'Placeholder' } library { function { signature { name: 'f' }
            node_def { name: 'c' op: 'Const' attr { key: 'value' value { tensor { int_val: 5 } } } } } }";
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        let mut found = Constants::default();
        found.add_graph(&bytes, 0).unwrap();
        assert_eq!((found.nodes, found.weights, found.is_frozen()), (2, 1, true));
        assert!((12..40).contains(&found.bytes), "{found:?}");
        let some = Constants { nodes: 3, bytes: 1_600_000, ..Constants::default() };
        assert_eq!(some.describe(), "3 constants of 1.5 MiB");
        // Cut anywhere but between two nodes, it is not whole.
        let cut = |at: usize| Constants::default().add_graph(&bytes[..at], 0).is_err();
        assert!(cut(bytes.len() - 1) && cut(5));
    }
}
