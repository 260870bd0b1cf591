//! What tensors are called and what they are for.

pub(in crate::analysis) mod covered;
mod graph_slots;
pub(in crate::analysis) mod identity;
pub(in crate::analysis) mod names;
pub(in crate::analysis) mod objects;
pub(in crate::analysis) mod rename;
pub(in crate::analysis) mod rename_table;
pub(in crate::analysis) mod roles;
pub(in crate::analysis) mod scopes;
pub(in crate::analysis) mod select;
pub(in crate::analysis) mod selection;
pub(in crate::analysis) mod totals;
