//! Which optimizer a checkpoint was trained with, and whether it has begun.

use std::collections::BTreeMap;

use crate::analysis::derived::is_zero;
use crate::analysis::naming::roles::{Role, Roles};
use crate::read::checkpoint::Checkpoint;

/// The optimizer with most slots, as far as names tell, and whether all slots are zero by their checksums (`None` if
/// there are no slots of more than one element).
pub(in crate::analysis) fn optimizer(checkpoint: &Checkpoint, roles: &Roles) -> (Option<&'static str>, Option<bool>) {
    let mut slots: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut is_fresh: Option<bool> = None;
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        if roles.role(at) != Role::Slot {
            continue;
        }
        if let Some(owner) = roles.optimizer(at) {
            let count = slots.entry(owner).or_default();
            *count = count.saturating_add(1);
        }
        if is_fresh != Some(false) && tensor.elements().is_some_and(|n| n > 1) {
            is_fresh = Some(is_zero(tensor));
        }
    }
    (slots.into_iter().max_by_key(|(_, count)| *count).map(|(owner, _)| owner), is_fresh)
}
