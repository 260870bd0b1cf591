//! "Checksum does not match: stored X vs. calculated on the restored bytes Y": what the two numbers say.
//!
//! X is the checksum of what was saved, Y of what was read. A message may hold many such pairs, and each may come with
//! the length of its tensor, since TensorFlow 2.4 or so.

use super::diagnosis::Diagnosis;
use super::pasted::{between, count, cut, leading_number, number, quoted};
use crate::analysis::Code;
use crate::analysis::forensics::{
    self, BitFlip, Derived, crc_of_zeros, invert_u32, single_bit, single_bit_from_end, text_fragment, zero_length_for,
};
use crate::read::tensor::DType;

/// A coincidence this rare is taken for none.
const RARE: f64 = 0.001;

/// A coincidence this rare is worth a word.
const UNUSUAL: f64 = 0.01;

/// As many pairs are looked at; a message with more says nothing new.
const PAIRS: usize = 256;

/// As many are judged; each may take milliseconds.
const JUDGED: usize = 24;

/// The numbers of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    stored: u32,
    computed: u32,
    /// Bytes of the tensor, where the message says so.
    len: Option<u64>,
}

/// Reads all messages of this kind, each pair of numbers once.
fn pairs(text: &str) -> Vec<Pair> {
    const BETWEEN: &str = "calculated on the restored bytes";
    let mut found: Vec<Pair> = Vec::new();
    for (at, _) in text.match_indices(BETWEEN) {
        let front = text.get(cut(text, at.saturating_sub(400)).len()..at).unwrap_or_default();
        let behind = text.get(at.saturating_add(BETWEEN.len())..).unwrap_or_default();
        let Some((front, stored)) = front.rsplit_once("stored") else { continue };
        let read = |text: &str| leading_number(text).and_then(|n| u32::try_from(n).ok());
        // Between the length and the numbers stands nothing but the name of the message.
        let len = front.rsplit_once(" bytes)").filter(|(_, rest)| rest.len() < 40);
        let len = len.and_then(|(front, _)| front.rsplit_once('(')).and_then(|(_, digits)| leading_number(digits));
        if let (Some(stored), Some(computed)) = (read(stored), read(behind)) {
            let pair = Pair { stored, computed, len };
            if !found.contains(&pair) {
                found.push(pair);
            }
        }
        if found.len() == PAIRS {
            break;
        }
    }
    found
}

/// What two checksums of one tensor say: that of the bytes that were saved and that of the bytes that are there.
pub(super) fn explain_checksums(stored: u32, computed: u32, len: Option<u64>) -> Diagnosis {
    let pair = Pair { stored, computed, len };
    let found = judge(pair).unwrap_or_else(|| undecided(&[pair]));
    Diagnosis { stored: Some(stored), ..intended(pair, found) }
}

pub(super) fn diagnose(text: &str) -> Option<Diagnosis> {
    let pairs = pairs(text);
    // The pair that says most speaks for all.
    let judge = |pair: &Pair| judge(*pair).map(|diagnosis| (*pair, diagnosis));
    let (pair, mut diagnosis) = match pairs.iter().take(JUDGED).find_map(judge) {
        Some(found) => found,
        None => (*pairs.first()?, undecided(&pairs)),
    };
    diagnosis = Diagnosis { stored: Some(pair.stored), ..intended(pair, diagnosis) };
    if pair.len == Some(4) && text_fragment(pair.computed).is_none() {
        let read = invert_u32(pair.computed).escape_ascii().to_string();
        diagnosis.meaning.push(format!("The four bytes that were read are \"{read}\"."));
    }
    diagnosis.next.insert(
        0,
        "ckpt validate PREFIX   which tensors are bad, which are good, and what happened to them".to_owned(),
    );
    if let Some(prefix) = bundle(text) {
        if let Some(shard) = number(text, " shard ") {
            diagnosis.meaning.push(format!("The message is about shard {shard} of {}.", quoted(prefix)));
        }
        diagnosis.path = Some(prefix.to_owned());
    }
    if pairs.len() > 1 {
        diagnosis.meaning.push(format!("The message holds {} different pairs of checksums.", pairs.len()));
    }
    Some(diagnosis)
}

/// The prefix in "`TensorBundle` at PREFIX shard 0 (12 bytes)".
fn bundle(text: &str) -> Option<&str> {
    between(text, "TensorBundle at ", " shard ").filter(|prefix| !prefix.contains('\n'))
}

/// What a pair proves; `None` if nothing.
fn judge(pair: Pair) -> Option<Diagnosis> {
    if pair.stored == pair.computed {
        return None;
    }
    foreign(pair).or_else(|| zeros(pair)).or_else(|| bit(pair))
}

/// The bytes that were read are a piece of a known file's beginning.
fn foreign(pair: Pair) -> Option<Diagnosis> {
    let fragment = text_fragment(pair.computed).filter(|f| pair.len.is_none_or(|len| len == f.bytes.len() as u64))?;
    let bytes = fragment.bytes.escape_ascii();
    let place = match fragment.offset {
        0 => "the beginning of".to_owned(),
        offset => format!("bytes {offset} to {} of", offset + fragment.bytes.len() - 1),
    };
    let headline = format!("The data file that TensorFlow read is {}, not weights.", fragment.file);
    let n = fragment.bytes.len();
    let diagnosis = Diagnosis::of_code(Code::ForeignShard, headline)
        .means(format!("{} is the CRC-32C of the {n} bytes \"{bytes}\", {place} {}.", pair.computed, fragment.file))
        .with_lines(Code::ForeignShard, |line| line.to_lowercase().contains("lfs") == fragment.file.contains("LFS"))
        .code(Code::TensorChecksumMismatch)
        .certain("Certain, but for one chance in a million that other bytes have this checksum.");
    Some(diagnosis)
}

/// Zeros were read.
fn zeros(pair: Pair) -> Option<Diagnosis> {
    let (len, doubt) = match pair.len {
        Some(len) => (len, (len > 0 && crc_of_zeros(len) == pair.computed).then_some(0.0)?),
        None => zero_length_for(pair.computed, 1 << 32).filter(|z| z.odds < UNUSUAL).map(|z| (z.len, z.odds))?,
    };
    let elements = if len.is_multiple_of(4) {
        let n = len / 4;
        let floats = if n == 1 { "one float32".to_owned() } else { format!("{} float32{}", count(n), square(n)) };
        format!(" ({floats})")
    } else {
        String::new()
    };
    let headline = if doubt < RARE {
        format!("The bytes that TensorFlow read are {} zeros{elements}.", count(len))
    } else {
        format!("The bytes that TensorFlow read may be {} zeros{elements}.", count(len))
    };
    let diagnosis = Diagnosis::of_code(Code::HoleOfZeros, headline)
        .means(format!(
            "{} is the CRC-32C of {} zero bytes; what was saved were other bytes.",
            pair.computed,
            count(len)
        ))
        .with_page(Code::HoleOfZeros)
        .code(Code::TensorChecksumMismatch);
    Some(diagnosis.certain(if pair.len.is_some() {
        "Certain: the message gives the length, and zeros of that length have this checksum.".to_owned()
    } else if doubt < RARE {
        format!("{} The length follows from the checksum.", chance("As good as certain", doubt))
    } else {
        chance("Likely, not certain", doubt)
    }))
}

/// One bit was changed.
fn bit(pair: Pair) -> Option<Diagnosis> {
    let (place, odds, flip) = if let Some(len) = pair.len {
        let flip = single_bit(pair.stored, pair.computed, len)?;
        (format!("bit {} of byte {} of the tensor", flip.bit, count(flip.byte)), flip.odds, Some(flip))
    } else {
        let (behind, bit, odds) = single_bit_from_end(pair.stored, pair.computed)?;
        (format!("bit {bit} of the byte with {} bytes of the tensor behind it", count(behind)), odds, None)
    };
    if odds > UNUSUAL {
        return None;
    }
    let how = if odds < RARE { "Very likely" } else { "Probably" };
    let mut diagnosis =
        Diagnosis::of_code(Code::SingleBitFlip, format!("{how} exactly one bit of the tensor was changed: {place}."))
            .means("The two checksums differ exactly as they do when that bit, and nothing else, is changed.")
            .with_page(Code::SingleBitFlip)
            .code(Code::TensorChecksumMismatch)
            .certain(chance(how, odds));
    if flip.is_some_and(|BitFlip { unique, .. }| !unique) {
        diagnosis = diagnosis.certain("In a tensor of more than 256 MiB other bits explain it as well.");
    }
    Some(diagnosis)
}

/// The numbers say only that the bytes differ.
pub(super) fn undecided(pairs: &[Pair]) -> Diagnosis {
    let many = pairs.len() >= 3;
    let diagnosis = match pairs {
        [pair] if pair.stored == pair.computed => {
            return Diagnosis::of_code(
                Code::TensorChecksumMismatch,
                "The two checksums in this message are equal: it was copied wrongly.",
            )
            .means("TensorFlow prints them only if they differ.")
            .likely("Digits were lost or mixed up in a copy of the message.");
        }
        _ if many => {
            Diagnosis::of_code(Code::MispairedData, "The bytes of several tensors are not the ones that were saved.")
        }
        _ => {
            Diagnosis::of_code(Code::TensorChecksumMismatch, "The bytes of a tensor are not the ones that were saved.")
        }
    };
    let diagnosis = diagnosis
        .means("The numbers do not look like zeros, a Git LFS pointer or a single changed bit.")
        .certain("Only that the bytes differ is certain; with the files more can be told.");
    if many {
        diagnosis
            .likely("Index and data are of different saves: the .index of one step beside the .data of another.")
            .with_page(Code::MispairedData)
            .code(Code::TensorChecksumMismatch)
    } else {
        diagnosis.with_page(Code::TensorChecksumMismatch).code(Code::MispairedData)
    }
}

/// Adds what the stored checksum says: the value that belongs there, if the tensor is a single number.
fn intended(pair: Pair, diagnosis: Diagnosis) -> Diagnosis {
    let Some(value) = intended_value(pair) else { return diagnosis };
    diagnosis.means(value)
}

fn intended_value(pair: Pair) -> Option<String> {
    let stored = pair.stored;
    if stored == 0 {
        return None;
    }
    match pair.len {
        // The type is not in the message, but most words look like one thing only.
        Some(4) => {
            let word = invert_u32(stored);
            let (int, float) = (i32::from_le_bytes(word), f32::from_le_bytes(word));
            let value = if plausible_int(int.into()) || !plausible_float(float) {
                format!("{int} as int32, {float:?} as float32")
            } else {
                format!("{float:?} as float32")
            };
            Some(format!("{stored} is the checksum of exactly one 4-byte value, the one that was saved: {value}."))
        }
        Some(8) => small_int64(stored).map(|value| {
            format!("{stored} is the CRC-32C of the 8-byte integer {}: if it is one, that was saved.", value.text())
        }),
        Some(size @ (1 | 2)) => {
            let dtype = if size == 1 { DType::UInt8 } else { DType::UInt16 };
            let value = forensics::scalar_from_crc(dtype, stored)?.text();
            Some(format!(
                "{stored} is the checksum of exactly one value of {size} bytes, the one that was saved: {value}."
            ))
        }
        Some(_) => {
            let zeros = pair.len.is_some_and(|len| crc_of_zeros(len) == stored);
            zeros.then(|| format!("{stored} is the checksum of zeros: the tensor was saved with nothing but zeros."))
        }
        None => {
            // If four bytes were read, four bytes belong there.
            let word = invert_u32(stored);
            let int = i32::from_le_bytes(word);
            if text_fragment(pair.computed).is_some_and(|f| f.bytes.len() == 4) {
                let float = f32::from_le_bytes(word);
                let value =
                    if plausible_int(int.into()) { format!("integer {int}") } else { format!("value {float:?}") };
                return Some(format!("{stored} is the CRC-32C of the 4-byte {value}, which is what belongs there."));
            }
            if plausible_int(int.into()) {
                return Some(format!(
                    "{stored} is the CRC-32C of the 4-byte integer {int}: if it is a scalar, that was saved."
                ));
            }
            let value = small_int64(stored)?.text();
            Some(format!("{stored} is the CRC-32C of the 8-byte integer {value}: if it is a scalar, that was saved."))
        }
    }
}

/// Small enough to be no chance: one word in two thousand is.
fn plausible_int(value: i64) -> bool {
    (-1_000_000..=1_000_000).contains(&value)
}

/// The magnitude of a learning rate, a decay or a step.
fn plausible_float(value: f32) -> bool {
    value == 0.0 || (1e-12..1e9).contains(&value.abs())
}

fn small_int64(crc: u32) -> Option<Derived> {
    forensics::scalar_from_crc(DType::Int64, crc).filter(|d| d.integer().is_some_and(plausible_int))
}

/// ", for example a 768×768 matrix".
fn square(elements: u64) -> String {
    let side = elements.isqrt();
    if side >= 16 && side * side == elements { format!(", for example a {side}×{side} matrix") } else { String::new() }
}

/// "Very likely: by chance one message in 6,200 looks like this."
fn chance(how: &str, odds: f64) -> String {
    if odds <= 1e-9 {
        return format!("{how}: by chance not one message in a billion looks like this.");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a billion")]
    let one_in = (1.0 / odds) as u64;
    format!("{how}: by chance one message in {} looks like this.", count(one_in))
}
