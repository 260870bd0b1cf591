//! Comparing by contents: which tensor of B has the elements of which of A, whatever both are called, in which order its
//! axes come, of how many parts it is made, and in which dtype it is stored.
//!
//! `side` reads every byte once and keeps a fingerprint (`hash`) a tensor, which does not depend on the order of its
//! elements, so that nothing is searched: `contents` looks candidates up, `orders` says in which orders their axes can
//! come, and `prove` reads both and compares them in these (`walk`, `arrange`). Contents that say nothing (`worth`) prove
//! nothing. Where several have the same contents, `names` decide, by what proven pairs have taught and by `words`.

mod arrange;
mod beyond;
mod blocks;
mod contents;
mod copies;
mod differ;
mod fuse;
mod hash;
mod index;
mod index_parts;
mod known;
mod leftover;
mod names;
mod numbering;
mod orders;
mod parts;
mod pieces;
mod prove;
mod shuffled;
mod siblings;
mod side;
mod sums;
mod suspect;
mod told;
mod walk;
mod within;
mod words;
mod work;
mod worth;

use std::sync::atomic::Ordering;

use self::contents::by_contents;
use self::side::Side;
use self::work::Work;
use super::{Diff, DiffOptions};
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;

/// Compares two checkpoints by what their tensors hold: without selectors their weights, else what these take.
///
/// [`Diff::matched`] says what it comes to. Changes are by the names in B; pairs are among them with
/// [`DiffOptions::keep_identical`], or where they are suspect. Tensors of which only an index tells are found by their
/// checksums.
pub fn match_values<'c>(a: &'c Checkpoint, b: &'c Checkpoint, options: &DiffOptions, progress: &Progress) -> Diff<'c> {
    let mut sides = [Side::new(a, options), Side::new(b, options)];
    let [ours, theirs] = &mut sides;
    let bytes = |side: &Side<'_>| side.items.iter().filter(|item| item.print().is_some()).map(side::Item::bytes).sum();
    progress.total.fetch_add(bytes(ours), Ordering::Relaxed);
    progress.total.fetch_add(bytes(theirs), Ordering::Relaxed);
    let prints = [ours.prints(), theirs.prints()];
    ours.read(&prints[1], options.threads, progress);
    theirs.read(&prints[0], options.threads, progress);
    let mut work = Work::new(sides, options.threads.max(1));
    let shuffled = by_contents(&mut work);
    parts::by_parts(&mut work);
    index::by_checksums(&mut work);
    let copies = leftover::pair(&mut work, &shuffled);
    suspect::mark(&mut work);
    told::told(work, &copies, options)
}
