//! The constants of a graph: where a frozen one has its weights.

use std::path::Path;

use super::{Form, GraphFile, Node, Part, Slice, WALK};
use crate::error::Result;
use crate::storage::Source;
use crate::tensor::DType;
use crate::wire::Value;

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

    fn add(&mut self, node: &Node<'_>) -> Result<()> {
        match node.op {
            b"Const" => {
                self.nodes = self.nodes.saturating_add(1);
                if let Some(value) = node.attr(b"value")? {
                    self.bytes = self.bytes.saturating_add(value.bytes.len() as u64);
                    self.weights = self.weights.saturating_add(usize::from(is_weight(value)?));
                }
            }
            b"VarHandleOp" | b"VariableV2" | b"Variable" | b"AutoReloadVariable" => self.has_variables = true,
            _ => {}
        }
        Ok(())
    }
}

/// Whether an `AttrValue` is a tensor of a type that weights have, and no scalar.
fn is_weight(value: Slice<'_>) -> Result<bool> {
    let (mut of_type, mut has_shape) = (false, false);
    value.each(|field| {
        if field.number != 8 {
            return Ok(());
        }
        WALK.each_in(field, |field| {
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

impl Part<'_> {
    /// Counts the constants of the graph and of its functions.
    ///
    /// # Errors
    /// If the graph is damaged.
    pub fn constants(&self) -> Result<Constants> {
        let mut constants = Constants::default();
        self.each_node(|node| constants.add(&node))?;
        for function in self.library()?.functions {
            function.each_node(|node| constants.add(&node))?;
        }
        Ok(constants)
    }
}

/// Those of a binary `GraphDef`.
///
/// # Errors
/// If it cannot be read.
pub(in crate::checkpoint) fn constants_of(path: &Path) -> Result<Constants> {
    let source = Source::contiguous(path)?;
    let mut scratch = Vec::new();
    let bytes = source.slice(0..source.len(), &mut scratch)?;
    GraphFile::parse(Form::Graph, bytes)?.parts.first().map_or(Ok(Constants::default()), Part::constants)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb;

    #[test]
    fn constants_are_counted_in_functions_too() {
        let text = "node { name: 'w' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: 'abcdefgh' } } } }
            node { name: 'x' op: 'Placeholder' } library { function { signature { name: 'f' }
            node_def { name: 'c' op: 'Const' attr { key: 'value' value { tensor { int_val: 5 } } } } } }";
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        let part = Part { graphs: vec![Slice { bytes: &bytes, offset: 0 }], ..Part::default() };
        let found = part.constants().unwrap();
        assert_eq!((found.nodes, found.weights, found.is_frozen()), (2, 1, true));
        assert!((12..40).contains(&found.bytes), "{found:?}");
        assert_eq!(
            Constants { nodes: 3, bytes: 1_600_000, ..Constants::default() }.describe(),
            "3 constants of 1.5 MiB"
        );
    }
}
