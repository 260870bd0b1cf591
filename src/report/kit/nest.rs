//! Brackets around the values of `print --format json`.

use std::io::{self, Write};

/// Brackets of an array that is nested as its shape is, around elements that come one at a time.
#[derive(Debug)]
pub(in crate::report) struct Nest {
    dims: Vec<u64>,
    at: Vec<u64>,
    started: bool,
}

impl Nest {
    /// The brackets of an array of this shape. Without dimensions there are none.
    pub(in crate::report) fn new(dims: &[u64]) -> Self {
        Self { dims: dims.to_vec(), at: vec![0; dims.len()], started: false }
    }

    /// Writes what stands before the next element: commas and brackets.
    ///
    /// # Errors
    /// What `out` says.
    pub(in crate::report) fn next(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.started {
            self.started = true;
            return self.open(0, out);
        }
        // Count up from the innermost dimension; every one that is full closes and opens again.
        let mut level = self.dims.len();
        while level > 0 {
            level -= 1;
            self.at[level] += 1;
            if self.at[level] < self.dims[level] {
                break;
            }
            self.at[level] = 0;
            out.write_all(b"]")?;
        }
        out.write_all(b",")?;
        self.open(level + 1, out)
    }

    /// Closes everything; of an array without elements, writes all of it.
    ///
    /// # Errors
    /// What `out` says, or [`io::ErrorKind::InvalidData`] if the nothing is nested too often to be written.
    pub(in crate::report) fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        if self.started {
            return out.write_all(&b"]".repeat(self.dims.len()));
        }
        let outer: Vec<u64> = self.dims.iter().copied().take_while(|dim| *dim != 0).collect();
        let most = 1 << 20;
        if outer.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim)).is_none_or(|n| n > most) {
            let why = "an empty tensor whose outer dimensions make millions of empty arrays";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        if outer.len() == self.dims.len() {
            return Ok(());
        }
        let mut inner = Self::new(&outer);
        for _ in 0..outer.iter().product::<u64>() {
            inner.next(out)?;
            out.write_all(b"[]")?;
        }
        inner.finish(out)
    }

    fn open(&self, from: usize, out: &mut dyn Write) -> io::Result<()> {
        (from..self.dims.len()).try_for_each(|_| out.write_all(b"["))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(dims: &[u64]) -> String {
        let mut out = Vec::new();
        let mut nest = Nest::new(dims);
        for n in 0..dims.iter().product::<u64>() {
            nest.next(&mut out).unwrap();
            write!(out, "{n}").unwrap();
        }
        nest.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn arrays_nest_as_their_shape_does() {
        assert_eq!(nested(&[]), "0");
        assert_eq!(nested(&[3]), "[0,1,2]");
        assert_eq!(nested(&[2, 1, 2]), "[[[0,1]],[[2,3]]]");
        assert_eq!(nested(&[0]), "[]");
        assert_eq!(nested(&[2, 0, 3]), "[[],[]]");
    }

    #[test]
    fn nothing_nested_too_often_is_an_error() {
        let error = Nest::new(&[1 << 40, 0]).finish(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
