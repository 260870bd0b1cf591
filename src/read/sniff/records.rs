//! Files of records: `TFRecord`, and the event files of `TensorBoard`, which are made of them.
//!
//! TensorFlow: `lib/io/record_writer.cc` (a length, its checksum, the bytes, theirs), `core/util/event.proto`.

use super::looks::{Foreign, Known, Proof, looks as known};
use crate::read::wire::Crc32c;

/// What a file is whose first eight bytes are summed by the next four: nothing else does that.
pub(super) fn looks(head: &[u8]) -> Option<Known> {
    let (length, rest) = head.split_first_chunk::<8>()?;
    let (sum, record) = rest.split_first_chunk::<4>()?;
    if Crc32c::of(length).masked().0 != u32::from_le_bytes(*sum) {
        return None;
    }
    // The first event has a time (field 1, a double) and the version of the file (field 3).
    let is_event =
        record.first() == Some(&0x09) && record.get(9..).is_some_and(|rest| rest.starts_with(b"\x1a\x0dbrain.Event:"));
    let found = if is_event {
        let advice = "it holds summaries and no variables; ckpt log DIR tells its last step, and tensorboard shows it";
        known(Foreign::Other, "an event file of TensorBoard", advice)
    } else {
        let advice = "it holds examples or other records and no variables; tf.data.TFRecordDataset reads it";
        known(Foreign::Other, "a TFRecord file", advice)
    };
    Some(found.but(Proof::Sure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_known_by_the_checksum_of_their_length() {
        let file = |record: &[u8]| {
            let length = (record.len() as u64).to_le_bytes();
            [&length, &Crc32c::of(&length).masked().0.to_le_bytes()[..], record, b"sums"].concat()
        };
        let what = |bytes: &[u8]| looks(bytes).map(|found| found.what);
        let event = [&[0x09][..], &1.5e9f64.to_le_bytes(), b"\x1a\x0dbrain.Event:2"].concat();
        assert_eq!(what(&file(&event)), Some("an event file of TensorBoard"));
        assert_eq!(what(&file(b"\x0a\x05hello")), Some("a TFRecord file"));
        let mut other = file(&event);
        other[0] ^= 1;
        assert_eq!(what(&other), None);
        assert_eq!(what(b"short"), None);
    }
}
