//! Look-ups that begin where the last one ended: names that come in their order mostly ask for names in theirs.

use std::cmp::Ordering;

use super::{Cursor, Tensors};

/// Tensors that are passed on foot before one is looked for.
const STEPS: usize = 4;

/// Looks names up, one after the other.
#[derive(Debug)]
pub struct Search<'c> {
    tensors: &'c Tensors,
    /// Where the last look-up ended.
    cursor: Cursor<'c>,
    has_tensor: bool,
}

impl Tensors {
    /// Look-ups of names that come in an order of their own.
    pub fn search(&self) -> Search<'_> {
        Search { tensors: self, cursor: self.cursor(), has_tensor: false }
    }
}

impl<'c> Search<'c> {
    /// The cursor at the tensor with exactly this name, and its position.
    pub fn find(&mut self, name: &[u8]) -> Option<(usize, &Cursor<'c>)> {
        let mut passed = false;
        if self.has_tensor {
            for _ in 0..STEPS {
                match self.cursor.tensor().name.as_slice().cmp(name) {
                    Ordering::Equal => return Some((self.cursor.position(), &self.cursor)),
                    // What would stand between the two is not there.
                    Ordering::Greater if passed => return None,
                    Ordering::Greater => break,
                    Ordering::Less => passed = true,
                }
                if self.cursor.advance().is_none() {
                    self.has_tensor = false;
                    return None;
                }
            }
        }
        let at = self.cursor.lower_bound(name);
        self.has_tensor = at < self.tensors.len();
        (self.has_tensor && self.cursor.tensor().name == name).then_some((at, &self.cursor))
    }
}
