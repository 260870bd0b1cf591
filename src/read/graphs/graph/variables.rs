//! The variables of a graph, told from the ops that make them.
//!
//! TensorFlow: `VariableV2` and its elders hold a value, `VarHandleOp` a resource; both have `dtype` and `shape`.

use super::{Node, Part};
use crate::base::error::Result;
use crate::read::tensor::{DType, Shape};

/// A variable of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphVariable {
    /// The name of its op, under which a Saver stores it unless it is told another.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Shape; possibly unknown.
    pub shape: Shape,
    /// Whether it is a resource variable, which all of TensorFlow 2's are.
    pub is_resource: bool,
}

impl GraphVariable {
    fn of(node: &Node<'_>) -> Result<Option<Self>> {
        let is_resource = match node.op {
            b"VarHandleOp" => true,
            b"VariableV2" | b"Variable" | b"AutoReloadVariable" => false,
            _ => return Ok(None),
        };
        let name = String::from_utf8_lossy(node.name).into_owned();
        let dtype = node.dtype(b"dtype")?.unwrap_or(DType::Invalid);
        Ok(Some(Self { name, dtype, shape: node.shape(b"shape")?, is_resource }))
    }
}

impl Part<'_> {
    /// The variables of the graph, and the names of the scopes that save: `save`, `save_1`.
    ///
    /// # Errors
    /// If the graph is damaged.
    pub fn variables_and_savers(&self) -> Result<(Vec<GraphVariable>, Vec<String>)> {
        let (mut variables, mut savers) = (Vec::new(), Vec::new());
        self.each_node(|node| {
            variables.extend(GraphVariable::of(&node)?);
            if matches!(node.op, b"SaveV2" | b"SaveSlices" | b"Save") {
                let name = String::from_utf8_lossy(node.name);
                let scope = name.rsplit_once('/').map_or_else(String::new, |(scope, _)| scope.to_owned());
                if !savers.contains(&scope) && savers.len() < 100 {
                    savers.push(scope);
                }
            }
            Ok(())
        })?;
        Ok((variables, savers))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Slice;
    use super::*;
    use crate::read::pb;

    #[test]
    fn ref_and_resource_variables_with_what_is_known_of_them() {
        let text = "node { name: 'a' op: 'VarHandleOp' attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: \
                    'shape' value { shape { dim { size: 2 } dim { size: -1 } } } } } node { name: 'b' op: 'VariableV2' } \
                    node { name: 'save_1/SaveV2' op: 'SaveV2' } node { name: 'c' op: 'Const' }";
        let bytes = pb::from_text("tensorflow.GraphDef", "graph", text.as_bytes()).unwrap();
        let part = Part { graphs: vec![Slice { bytes: &bytes, offset: 0 }], ..Part::default() };
        let (variables, savers) = part.variables_and_savers().unwrap();
        let [a, b] = &variables[..] else { panic!("{variables:?}") };
        assert_eq!((a.dtype, a.shape.to_string(), a.is_resource), (DType::Float32, "[2,?]".to_owned(), true));
        assert_eq!((b.shape.rank(), b.is_resource, savers), (None, false, vec!["save_1".to_owned()]));
    }
}
