//! What will be read of a checkpoint in a store where reading costs requests.

use super::{Checkpoint, Parts, Place, Tensor};
use crate::read::storage::Address;

impl Checkpoint {
    /// Says that all bytes of these tensors will be read: a store on a network then asks for them in large ranges, several
    /// at once and ahead of whoever reads. On a disk it does nothing, and does not ask for the tensors.
    pub fn expect(&self, tensors: impl IntoIterator<Item = Tensor>) {
        if !Address::is(&self.described_by()) {
            return;
        }
        for tensor in tensors {
            match &tensor.parts {
                Parts::Whole(place) => self.expect_place(place),
                Parts::Slices(slices) => {
                    slices.places().flatten().for_each(|place| self.expect_place(&place));
                }
            }
        }
    }

    fn expect_place(&self, place: &Place) {
        let range = place.range.and_then(|(start, len)| u64::try_from(start).ok().zip(u64::try_from(len).ok()));
        // What is wrong with a place or its file, whoever reads it says.
        if let (Some((start, len)), Ok(source)) = (range, self.container.source(place.shard)) {
            source.expect(start..start.saturating_add(len));
        }
    }
}
