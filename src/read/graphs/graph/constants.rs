//! The constants of a graph: where a frozen one has its weights.

use super::Part;
use crate::base::error::Result;
use crate::read::sniff::Constants;

impl Part<'_> {
    /// Counts the constants of the graph and of its functions.
    ///
    /// # Errors
    /// If the graph is damaged.
    pub fn constants(&self) -> Result<Constants> {
        let mut constants = Constants::default();
        for graph in &self.graphs {
            constants.add_graph(graph.bytes, graph.offset)?;
        }
        Ok(constants)
    }
}
