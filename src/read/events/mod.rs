//! Event files (`events.out.tfevents.*`): how many events, the last step, when; read once, forward, in little memory.
//!
//! TensorFlow: the framing is `lib/io/record_{reader,writer}.cc` (length, its masked CRC-32C, the bytes, theirs), the
//! message `core/util/event.proto`. Of an event only its time and step are looked at, and they count only once the
//! checksum of the whole record is right. Nothing in a file says where it ends, so a record that is cut off at the end
//! is what a running program leaves, while a wrong length in the middle hides all that follows: TensorFlow's reader
//! stops there too.

mod record;

use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Result};
use crate::read::storage::{self, Source};
use crate::read::wire::{Crc32c, MaskedCrc};
use record::{Event, FOOTER, HEADER, Stream};

/// One event file beside checkpoints.
#[derive(Debug)]
pub struct EventFile {
    /// Its path.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What is in it; `None` if it was not read because there was too much to read.
    pub content: Option<Result<Events>>,
}

/// What is in an event file.
#[derive(Debug, Default)]
pub struct Events {
    /// Whole and undamaged events.
    pub events: u64,
    /// The highest step of them; 0 in a file that has only the first event, which names the version.
    pub last_step: Option<i64>,
    /// When that step was written, in seconds since 1970.
    pub last_step_time: Option<f64>,
    /// The earliest and the latest time of an event, in seconds since 1970.
    pub times: Option<(f64, f64)>,
    /// Records that are damaged: the first of them, each with its offset.
    pub damage: Vec<Error>,
    /// How many records are damaged.
    pub damaged: u64,
    /// Where a record begins that the file ends in: a writer that is still at work, or was stopped.
    pub unfinished: Option<u64>,
    /// Bytes that could not be read, because they lie behind a length that is wrong.
    pub unread: u64,
}

/// How many directories below the given one are looked into: `eval/`, `train/`, `validation/`.
const BELOW: usize = 64;

/// How many event files are told one by one.
const FILES: usize = 10_000;

impl EventFile {
    /// The event files of a directory and of the directories directly in it, by path. The newest, as their names tell,
    /// are read as long as all that is read has no more than `budget` bytes.
    pub fn of_directory(dir: &Path, budget: u64) -> Vec<Self> {
        let mut found = in_directory(dir);
        let folder = storage::list(dir).unwrap_or_default();
        let below = folder.named().filter(|(_, stat)| stat.is_folder()).take(BELOW);
        for (name, _) in below {
            found.extend(in_directory(&dir.join(name)));
        }
        found.truncate(FILES);
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(found.get(*at).map(|file| written(&file.path))));
        let mut left = budget;
        for file in order {
            let Some(file) = found.get_mut(file) else { continue };
            let Some(rest) = left.checked_sub(file.bytes) else { continue };
            left = rest;
            file.content = Some(Events::read(&file.path));
        }
        found
    }
}

fn in_directory(dir: &Path) -> Vec<EventFile> {
    let folder = storage::list(dir).unwrap_or_default();
    let events = folder.named().filter(|(name, stat)| is_event_file(name) && stat.is_regular());
    events.map(|(name, stat)| EventFile { path: dir.join(name), bytes: stat.len, content: None }).collect()
}

/// Whether a file is named as `core/util/events_writer.cc` names it, whatever prefix and suffix the user gave it.
pub fn is_event_file(name: &str) -> bool {
    name.contains(".tfevents.")
}

/// The seconds since 1970 in the name.
fn written(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.split(".tfevents.").nth(1)?.split('.').next()?.parse().ok()
}

impl Events {
    /// Reads an event file from beginning to end.
    ///
    /// # Errors
    /// If it cannot be read, or its first record is none. Damage behind that is in [`Events::damage`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::of(&Source::open(path)?).map_err(|error| error.in_file(path))
    }

    fn of(source: &Source) -> Result<Self> {
        let mut events = Self::default();
        let mut stream = Stream::new(source);
        let end = source.len();
        while stream.at < end {
            let start = stream.at;
            let left = end.saturating_sub(start);
            if left < HEADER {
                events.unfinished = Some(start);
                break;
            }
            let mut header = [0; 12];
            stream.fill(&mut header)?;
            let [l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = header;
            let length = [l0, l1, l2, l3, l4, l5, l6, l7];
            let (got, want) = (Crc32c::of(&length), MaskedCrc(u32::from_le_bytes([c0, c1, c2, c3])).unmasked());
            if got != want {
                let kind = ErrorKind::ChecksumMismatch { what: "record length", got: got.0, want: want.0 };
                let error = Error::new(kind).at_offset(start);
                if start == 0 {
                    return Err(error.with_help("the first record is none: this is no event file"));
                }
                events.unread = left;
                events.damaged(error);
                break;
            }
            let length = u64::from_le_bytes(length);
            if length.checked_add(HEADER.saturating_add(FOOTER)).is_none_or(|whole| whole > left) {
                events.unfinished = Some(start);
                break;
            }
            match stream.record(length)? {
                Ok(event) => events.add(event),
                Err(error) => events.damaged(error.at_offset(start)),
            }
        }
        Ok(events)
    }

    fn add(&mut self, event: Event) {
        self.events = self.events.saturating_add(1);
        // Steps go back when a program starts anew from an older checkpoint; of one step the last event counts.
        if self.last_step.is_none_or(|last| event.step >= last) {
            self.last_step = Some(event.step);
            self.last_step_time = event.time.is_finite().then_some(event.time);
        }
        if event.time.is_finite() {
            let (first, last) = self.times.unwrap_or((event.time, event.time));
            self.times = Some((first.min(event.time), last.max(event.time)));
        }
    }

    fn damaged(&mut self, error: Error) {
        const MOST: usize = 10;
        self.damaged = self.damaged.saturating_add(1);
        if self.damage.len() < MOST {
            self.damage.push(error);
        }
    }

    /// Whether every byte of the file was read and is what was written.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.unfinished.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u64).to_le_bytes();
        let mut out = length.to_vec();
        out.extend(Crc32c::of(&length).masked().0.to_le_bytes());
        out.extend(body);
        out.extend(Crc32c::of(body).masked().0.to_le_bytes());
        out
    }

    /// Time, step and a summary of `filler` bytes.
    fn event(time: f64, step: u8, filler: usize) -> Vec<u8> {
        let mut body = vec![9];
        body.extend(time.to_le_bytes());
        body.extend([16, step, 42]);
        let mut len = filler;
        while len >= 0x80 {
            body.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
            len >>= 7;
        }
        body.push(u8::try_from(len).unwrap());
        body.extend(std::iter::repeat_n(7, filler));
        record(&body)
    }

    fn read(bytes: Vec<u8>) -> Result<Events> {
        Events::of(&Source::memory(Path::new("events"), bytes))
    }

    // The example of the framing: "abc", as TensorFlow's record writer frames it.
    #[test]
    fn the_framing_is_tensorflow_s() {
        let want = [3, 0, 0, 0, 0, 0, 0, 0, 0xb0, 0x99, 0x49, 0x0e, b'a', b'b', b'c', 0x6e, 0x57, 0xf1, 0x21];
        assert_eq!(record(b"abc"), want);
    }

    #[test]
    fn the_last_step_is_the_highest_and_its_time_the_latest_of_that_step() {
        let file = [event(1.0, 0, 0), event(2.0, 9, 200_000), event(3.0, 4, 5), event(4.5, 9, 1)].concat();
        let events = read(file).unwrap();
        assert_eq!((events.events, events.last_step, events.last_step_time), (4, Some(9), Some(4.5)));
        assert_eq!(events.times, Some((1.0, 4.5)));
        assert!(events.is_whole());
        let events = read(Vec::new()).unwrap();
        assert_eq!((events.events, events.last_step), (0, None));
    }

    #[test]
    fn a_damaged_record_is_told_with_its_offset_and_the_next_one_is_read() {
        let (first, second) = (event(1.0, 1, 10), event(2.0, 2, 10));
        let mut file = [first.clone(), second, event(3.0, 3, 10)].concat();
        file[first.len() + 20] ^= 1;
        let events = read(file).unwrap();
        assert_eq!((events.events, events.damaged, events.unread, events.last_step), (2, 1, 0, Some(3)));
        assert_eq!(events.damage[0].location().offset, Some(first.len() as u64));
    }

    #[test]
    fn behind_a_wrong_length_nothing_can_be_read_and_that_is_said() {
        let (first, second) = (event(1.0, 1, 10), event(2.0, 2, 10));
        let mut file = [first.clone(), second.clone()].concat();
        file[first.len()] ^= 4;
        let events = read(file.clone()).unwrap();
        assert_eq!((events.events, events.damaged, events.unread), (1, 1, second.len() as u64));
        file[0] ^= 4;
        assert!(read(file).is_err(), "not even the first record");
    }

    #[test]
    fn every_cut_leaves_what_is_whole() {
        let (first, second) = (event(1.0, 1, 10), event(2.0, 2, 10));
        let file = [first.clone(), second].concat();
        for len in 0..=file.len() {
            let events = read(file[..len].to_vec()).unwrap();
            let whole = if len == file.len() { 2 } else { u64::from(len >= first.len()) };
            assert_eq!((events.events, events.damaged), (whole, 0), "{len}");
            assert_eq!(events.is_whole(), [0, first.len(), file.len()].contains(&len), "{len}");
        }
    }

    #[test]
    fn lengths_and_fields_that_lead_out_of_a_record_are_no_event() {
        for body in
            [&[18u8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..], &[9, 0, 0], &[3], &[0, 0], &[16]]
        {
            let events = read([event(1.0, 1, 1), record(body), event(1.0, 2, 1)].concat()).unwrap();
            assert_eq!((events.events, events.damaged), (2, 1), "{body:?}");
        }
        let mut huge = u64::MAX.to_le_bytes().to_vec();
        huge.extend(Crc32c::of(&huge).masked().0.to_le_bytes());
        huge.extend([0; 40]);
        assert_eq!(read(huge).unwrap().unfinished, Some(0), "a length of 2^64-1");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let file = [event(1.0, 1, 3), event(2.0, 2, 3)].concat();
        for bit in 0..file.len() * 8 {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(!read(file).is_ok_and(|events| events.is_whole()), "bit {bit}");
        }
    }
}
