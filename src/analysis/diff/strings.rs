//! Strings and variants, compared element by element as they stream from both sides.
//!
//! Readers push elements, so one side is read by a thread of its own that stays a few batches ahead.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Side;
use super::delta::{Bins, Partial};
use crate::base::error::{Error, ErrorKind};
use crate::read::checkpoint::{Checkpoint, Tensor};

/// Bytes of a batch, and elements.
const BATCH: usize = 256 << 10;
const ELEMENTS: usize = 4096;

/// Batches on their way.
const AHEAD: usize = 2;

/// Tensors of fewer bytes are read one side after the other.
const SMALL: u64 = 64 << 10;

/// Consecutive elements.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    fn push(&mut self, element: &[u8]) {
        self.bytes.extend_from_slice(element);
        self.ends.push(self.bytes.len());
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH || self.ends.len() >= ELEMENTS
    }

    fn get(&self, n: usize) -> Option<&[u8]> {
        let start = n.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(n)?)
    }
}

/// Says that the other side has nothing more to compare with.
fn stop() -> Error {
    ErrorKind::Request("nothing to compare with".to_owned()).into()
}

/// Compares all elements; what cannot be read, or is not what was saved, on either side.
pub(super) fn compare(
    a: (&Checkpoint, &Tensor),
    b: (&Checkpoint, &Tensor),
    bins: &Bins,
) -> Result<Partial, Vec<(Side, Error)>> {
    let small = |tensor: &Tensor| tensor.bytes().is_some_and(|bytes| bytes <= SMALL);
    let mut partial = Partial::default();
    let (first, second) = if small(a.1) && small(b.1) {
        let mut all = Batch::default();
        let first = a.0.read_all(a.1, &mut |element| {
            all.push(element);
            Ok(())
        });
        let mut theirs = Theirs { batch: all, at: 0, more: None };
        (first, second(b, &mut theirs, &mut partial, bins))
    } else {
        let (send, receive) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let ours = scope.spawn(move || first(a, &send));
            let mut theirs = Theirs { batch: Batch::default(), at: 0, more: Some(receive) };
            let second = second(b, &mut theirs, &mut partial, bins);
            // Whoever still sends is told by this that nobody listens.
            drop(theirs);
            let first = ours.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (first, second)
        })
    };
    let real = |side, result: Result<_, Error>| match result {
        Err(error) if !matches!(error.kind(), ErrorKind::Request(_)) => Some((side, error)),
        _ => None,
    };
    let failed = first.is_err() || second.is_err();
    let trouble: Vec<_> = real(Side::A, first).into_iter().chain(real(Side::B, second)).collect();
    if failed { Err(trouble) } else { Ok(partial) }
}

/// Sends the elements of A.
fn first(
    (checkpoint, tensor): (&Checkpoint, &Tensor),
    send: &SyncSender<Batch>,
) -> crate::base::error::Result<crate::read::tensor::Checked> {
    let mut batch = Batch::default();
    let result = checkpoint.read_all(tensor, &mut |element| {
        batch.push(element);
        if batch.is_full() { send.send(std::mem::take(&mut batch)).map_err(|_| stop()) } else { Ok(()) }
    });
    // What was read before an error may still be compared.
    let _ = send.send(batch);
    result
}

/// The elements of A, as they are asked for.
struct Theirs {
    batch: Batch,
    at: usize,
    more: Option<Receiver<Batch>>,
}

impl Theirs {
    fn next(&mut self) -> Option<&[u8]> {
        while self.at >= self.batch.ends.len() {
            self.batch = self.more.as_ref()?.recv().ok()?;
            self.at = 0;
        }
        self.at += 1;
        self.batch.get(self.at.saturating_sub(1))
    }
}

/// Compares the elements of B with those of A.
fn second(
    (checkpoint, tensor): (&Checkpoint, &Tensor),
    theirs: &mut Theirs,
    partial: &mut Partial,
    bins: &Bins,
) -> crate::base::error::Result<crate::read::tensor::Checked> {
    let mut at = 0u64;
    checkpoint.read_all(tensor, &mut |element| {
        let Some(other) = theirs.next() else { return Err(stop()) };
        if element != other {
            partial.count(at, bins);
        }
        at = at.saturating_add(1);
        Ok(())
    })
}
