//! What units came to, as bytes: numbers in as many bytes as they need, floats with every bit.

use crate::read::wire::Crc32c;

/// Bytes that are being written.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Record(Vec<u8>);

/// Bytes that are being read. What is not there is `None`: a record may come from anywhere.
#[derive(Clone, Debug, Default)]
pub(in crate::analysis) struct Reading<'r>(&'r [u8]);

impl Record {
    pub(in crate::analysis) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap_or(0));
    }

    pub(in crate::analysis) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(in crate::analysis) fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    /// A float with the bits that it has.
    pub(in crate::analysis) fn float(&mut self, float: f64) {
        self.0.extend_from_slice(&float.to_bits().to_le_bytes());
    }

    pub(in crate::analysis) fn crc(&mut self, crc: Crc32c) {
        self.0.extend_from_slice(&crc.0.to_le_bytes());
    }

    /// A number that may not be there.
    pub(in crate::analysis) fn maybe(&mut self, number: Option<u64>) {
        self.flag(number.is_some());
        if let Some(number) = number {
            self.number(number);
        }
    }

    /// Several numbers, of which the reader knows how many they are.
    pub(in crate::analysis) fn numbers(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.number(*number);
        }
    }

    /// Several floats, of which the reader knows how many they are.
    pub(in crate::analysis) fn floats(&mut self, floats: &[f64]) {
        for float in floats {
            self.float(*float);
        }
    }

    /// A record within this one.
    pub(in crate::analysis) fn inner(&mut self, inner: &Self) {
        self.count(inner.0.len());
        self.0.extend_from_slice(&inner.0);
    }

    /// What was written elsewhere, behind this.
    pub(in crate::analysis) fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(in crate::analysis) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<'r> Reading<'r> {
    pub(in crate::analysis) fn of(bytes: &'r [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all has been read.
    pub(in crate::analysis) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, len: usize) -> Option<&'r [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(in crate::analysis) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(in crate::analysis) fn position(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// How many of something follow that takes at least a byte each: no more than there are bytes.
    pub(in crate::analysis) fn count(&mut self) -> Option<usize> {
        self.position().filter(|count| *count <= self.0.len())
    }

    pub(in crate::analysis) fn flag(&mut self) -> Option<bool> {
        self.array().and_then(|[byte]: [u8; 1]| (byte < 2).then_some(byte == 1))
    }

    pub(in crate::analysis) fn float(&mut self) -> Option<f64> {
        Some(f64::from_bits(u64::from_le_bytes(self.array()?)))
    }

    pub(in crate::analysis) fn crc(&mut self) -> Option<Crc32c> {
        Some(Crc32c(u32::from_le_bytes(self.array()?)))
    }

    /// A number that may not be there, if that can be read.
    #[expect(clippy::option_option, reason = "there is none, and nothing can be read")]
    pub(in crate::analysis) fn maybe(&mut self) -> Option<Option<u64>> {
        if self.flag()? { self.number().map(Some) } else { Some(None) }
    }

    pub(in crate::analysis) fn inner(&mut self) -> Option<Self> {
        let len = self.count()?;
        self.take(len).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, 1 << 35, u64::MAX];
        let floats = [0.0, -0.0, 1.5, f64::NAN, f64::NEG_INFINITY, f64::MIN_POSITIVE / 8.0];
        let mut inner = Record::default();
        inner.flag(true);
        let mut record = Record::default();
        for number in numbers {
            record.number(number);
        }
        for float in floats {
            record.float(float);
        }
        record.maybe(None);
        record.maybe(Some(7));
        record.inner(&inner);
        record.crc(Crc32c(0xdead_beef));
        let bytes = record.into_bytes();
        let mut reading = Reading::of(&bytes);
        assert_eq!(numbers.map(|_| reading.number().unwrap()), numbers);
        assert_eq!(floats.map(|_| reading.float().unwrap().to_bits()), floats.map(f64::to_bits));
        assert_eq!((reading.maybe(), reading.maybe()), (Some(None), Some(Some(7))));
        let mut within = reading.inner().unwrap();
        assert_eq!((within.flag(), within.is_over(), within.flag()), (Some(true), true, None));
        assert_eq!((reading.crc(), reading.is_over()), (Some(Crc32c(0xdead_beef)), true));
    }

    #[test]
    fn no_record_is_too_short_or_too_strange_to_be_refused() {
        assert_eq!(Reading::of(&[0x80; 20]).number(), None);
        assert_eq!(Reading::of(&[5, 0]).count(), None);
        assert_eq!(Reading::of(&[2]).flag(), None);
        assert!(Reading::of(&[9, 1]).inner().is_none() && Reading::of(&[1; 7]).float().is_none());
    }
}
