//! A buffer that bytes of files are read into, where the processor copies them quickly.

use std::ops::{Deref, DerefMut};

/// Bytes of a page of memory, and so of what the system keeps of a file.
const PAGE: usize = 4096;

/// How far behind that of its source the place in a page must be where copied bytes go.
const APART: usize = 64;

/// Bytes of a file, in memory that is used again for the next ones.
///
/// Processors of AMD before Zen 4 copy at a fifth of their speed (`rep movsb`, by which Linux copies out of its page cache)
/// where bytes go to a place in their page that is 1 to 31 bytes behind the place in its page where they come from. Large
/// allocations of the C library all begin 16 bytes behind a page, and files are mostly read from whole pages on.
#[derive(Debug, Default)]
pub struct Window {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Window {
    /// Room for `len` bytes that lie at `offset` in their file, instead of what was held; what it holds is arbitrary.
    pub fn room(&mut self, len: usize, offset: u64) -> &mut [u8] {
        let whole = len.saturating_add(APART);
        if self.memory.len() < whole {
            self.memory.resize(whole, 0);
        }
        (self.start, self.len) = (if behind(&self.memory, offset) < APART { APART } else { 0 }, len);
        self
    }

    /// Holds nothing from now on.
    pub fn clear(&mut self) {
        (self.start, self.len) = (0, 0);
    }

    /// Holds these bytes too, behind the others.
    pub fn extend_from_slice(&mut self, more: &[u8]) {
        self.memory.truncate(self.start.saturating_add(self.len));
        self.memory.extend_from_slice(more);
        self.len = self.len.saturating_add(more.len());
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }
}

/// How far behind that of its source the place in a page is, where bytes from `offset` of a file go into `memory`.
fn behind(memory: &[u8], offset: u64) -> usize {
    let place = usize::try_from(offset % PAGE as u64).unwrap_or(0);
    memory.as_ptr().addr().wrapping_sub(place) % PAGE
}

/// Whether some processors copy bytes from `offset` of a file slowly to `memory`.
pub(super) fn is_slow(memory: &[u8], offset: u64) -> bool {
    (1..APART).contains(&behind(memory, offset))
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(self.range()).unwrap_or_default()
    }
}

impl DerefMut for Window {
    fn deref_mut(&mut self) -> &mut [u8] {
        let range = self.range();
        self.memory.get_mut(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_far_enough_behind_the_place_where_they_come_from() {
        let mut window = Window::default();
        for len in [1, 4096, 256 << 10] {
            for offset in (0..2 * PAGE as u64).step_by(8) {
                let room = window.room(len, offset);
                assert_eq!(room.len(), len);
                assert!(!is_slow(room, offset), "{len} bytes at {offset}");
            }
        }
    }

    #[test]
    fn what_is_held_is_what_was_put_in() {
        let mut window = Window::default();
        window.room(3, 0).copy_from_slice(&[1, 2, 3]);
        window.extend_from_slice(&[4]);
        assert_eq!(*window, [1, 2, 3, 4]);
        window.room(2, 17).copy_from_slice(&[8, 9]);
        assert_eq!(*window, [8, 9]);
        window.clear();
        assert!(window.is_empty());
        window.extend_from_slice(&[5]);
        assert_eq!(*window, [5]);
    }
}
