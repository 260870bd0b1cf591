//! Part of a tensor, in NumPy's slice syntax: `[3, 10:20:2, ..., -1]`.
//!
//! Bounds are Python's: an index must exist, a slice is cut to what exists. Negative steps and new axes are left out,
//! since a checkpoint is read forwards and printed as it is stored.

use crate::base::error::{Error, ErrorKind, Result};

/// The indexes that are taken of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// First index.
    pub start: u64,
    /// Distance to the next index, at least 1; 1 where there is no next one.
    pub step: u64,
    /// How many indexes.
    pub count: u64,
    /// Whether the result has this dimension; false for a single index, which removes it.
    pub keep: bool,
}

/// The part of a tensor that is taken: one [`Span`] a dimension, all within the dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    spans: Vec<Span>,
}

impl Region {
    /// All of a tensor.
    pub fn full(dims: &[u64]) -> Self {
        Self { spans: dims.iter().copied().map(Span::whole).collect() }
    }

    /// The part that `text`, which stood between brackets, takes of a tensor with these dimensions.
    ///
    /// # Errors
    /// A text that is not such a slice, an index that does not exist, more indexes than dimensions.
    pub fn parse(text: &str, dims: &[u64]) -> Result<Self> {
        let items: Vec<&str> = text.split(',').map(str::trim).collect();
        // Python allows one comma at the end.
        let items = match items.split_last() {
            Some((&"", rest)) if !rest.is_empty() => rest,
            _ => &items,
        };
        let ellipses = items.iter().filter(|item| **item == "...").count();
        if ellipses > 1 {
            return Err(refused("an index can only have a single ellipsis ('...')".to_owned()));
        }
        // Refuse what is not understood before counting it.
        let items = items.iter().map(|item| Item::parse(item)).collect::<Result<Vec<Item>>>()?;
        let indexed = items.len().saturating_sub(ellipses);
        let Some(rest) = dims.len().checked_sub(indexed) else {
            let rank = dims.len();
            return Err(refused(format!("too many indices: tensor is {rank}-dimensional, but {indexed} were indexed")));
        };
        let mut spans = Vec::with_capacity(dims.len());
        let mut unread = dims.iter().copied().enumerate();
        for item in items {
            match item {
                Item::Ellipsis => spans.extend(unread.by_ref().take(rest).map(|(_, dim)| Span::whole(dim))),
                other => {
                    let Some((axis, dim)) = unread.next() else { break };
                    spans.push(other.resolve(axis, dim)?);
                }
            }
        }
        spans.extend(unread.map(|(_, dim)| Span::whole(dim)));
        Ok(Self { spans })
    }

    /// What is taken of each dimension.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The dimensions of the result.
    pub fn shape(&self) -> Vec<u64> {
        self.spans.iter().filter(|span| span.keep).map(|span| span.count).collect()
    }

    /// The number of elements of the result; `None` if it does not fit 64 bits.
    pub fn elements(&self) -> Option<u64> {
        if self.spans.iter().any(|span| span.count == 0) {
            return Some(0);
        }
        self.spans.iter().try_fold(1u64, |product, span| product.checked_mul(span.count))
    }

    /// Whether every element of a tensor with these dimensions is taken.
    pub fn is_full(&self, dims: &[u64]) -> bool {
        self.spans.len() == dims.len() && self.spans.iter().zip(dims).all(|(span, dim)| span.count == *dim)
    }
}

impl Span {
    fn whole(dim: u64) -> Self {
        Self { start: 0, step: 1, count: dim, keep: true }
    }
}

/// What stands between two commas. Numbers that do not fit are as large as can be, which is past any dimension.
#[derive(Clone, Copy)]
enum Item {
    Ellipsis,
    Index(i128),
    Slice { start: Option<i128>, stop: Option<i128>, step: u64 },
}

impl Item {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "..." => return Ok(Self::Ellipsis),
            "None" | "newaxis" | "np.newaxis" => {
                return Err(refused(format!("{text} is not supported: a region cannot add dimensions")));
            }
            "" => return Err(refused("an index is missing: between brackets or commas stands nothing".to_owned())),
            _ => {}
        }
        let Some((start, rest)) = text.split_once(':') else { return Ok(Self::Index(number(text)?)) };
        let (stop, step) = rest.split_once(':').unwrap_or((rest, ""));
        let bound = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(number).transpose();
        let (start, stop) = (bound(start)?, bound(stop)?);
        let step = match bound(step)?.unwrap_or(1) {
            0 => return Err(refused(format!("slice step cannot be zero: {}", shown(text)))),
            ..0 => return Err(refused(format!("negative slice steps are not supported: {}", shown(text)))),
            step => u64::try_from(step).unwrap_or(u64::MAX),
        };
        Ok(Self::Slice { start, stop, step })
    }

    fn resolve(self, axis: usize, dim: u64) -> Result<Span> {
        let len = i128::from(dim);
        let from_end = |index: i128| if index < 0 { index.saturating_add(len) } else { index };
        match self {
            Self::Ellipsis => Ok(Span::whole(dim)),
            Self::Index(index) => {
                let start = u64::try_from(from_end(index)).ok().filter(|start| *start < dim).ok_or_else(|| {
                    refused(format!("index {index} is out of bounds for dimension {axis} with size {dim}"))
                })?;
                Ok(Span { start, step: 1, count: 1, keep: false })
            }
            Self::Slice { start, stop, step } => {
                let cut = |bound: Option<i128>, default: u64| {
                    bound.map_or(default, |bound| u64::try_from(from_end(bound).clamp(0, len)).unwrap_or(dim))
                };
                let (start, stop) = (cut(start, 0), cut(stop, dim));
                let count = stop.saturating_sub(start).div_ceil(step);
                Ok(Span { start, step: if count > 1 { step } else { 1 }, count, keep: true })
            }
        }
    }
}

fn number(text: &str) -> Result<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused(format!("cannot read '{}' as an index", shown(text))));
    }
    Ok(text.parse().unwrap_or(if text.starts_with('-') { i128::MIN } else { i128::MAX }))
}

/// What was asked for, harmless to a terminal.
fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    crate::base::escape::escaped(text.as_bytes())
}

#[cold]
fn refused(message: String) -> Error {
    Error::new(ErrorKind::Request(message))
        .with_help("a region is written like a NumPy slice with steps of 1 or more, for example [0, 10:20, ..., -1]")
}

/// Splits `emb/table[330:336, :4]` into the name and what stands between the brackets.
///
/// A name may itself end like that, so look for a tensor with the whole name first.
pub fn split_selector(text: &str) -> (&str, Option<&str>) {
    let Some(body) = text.strip_suffix(']') else { return (text, None) };
    let mut open = 1usize;
    for (at, byte) in body.bytes().enumerate().rev() {
        match byte {
            b']' => open += 1,
            b'[' => open -= 1,
            _ => continue,
        }
        if open == 0 {
            return match (text.get(..at), body.get(at + 1..)) {
                (Some(name), Some(inner)) if !name.is_empty() => (name, Some(inner)),
                _ => (text, None),
            };
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str, dims: &[u64]) -> Vec<(u64, u64, u64, bool)> {
        let region = Region::parse(text, dims).unwrap();
        region.spans().iter().map(|span| (span.start, span.step, span.count, span.keep)).collect()
    }

    fn error(text: &str, dims: &[u64]) -> String {
        Region::parse(text, dims).unwrap_err().to_string()
    }

    #[test]
    fn slices_are_cut_to_the_dimension_like_pythons() {
        // Recorded from Python: range(10)[...] for each text.
        let cases = [
            (":", 0, 1, 10),
            ("2:5", 2, 1, 3),
            ("-3:", 7, 1, 3),
            (":-3", 0, 1, 7),
            ("-100:100", 0, 1, 10),
            ("5:2", 5, 1, 0),
            ("100:", 10, 1, 0),
            ("::3", 0, 3, 4),
            ("1:8:3", 1, 3, 3),
            ("1:8:100", 1, 1, 1),
            ("0:99999999999999999999999999999999999999999999", 0, 1, 10),
            ("::99999999999999999999999999999999999999999999", 0, 1, 1),
            ("-99999999999999999999999999999999999999999999:3", 0, 1, 3),
            (" 2 : 5 : 1 ", 2, 1, 3),
        ];
        for (text, start, step, count) in cases {
            assert_eq!(spans(text, &[10]), [(start, step, count, true)], "{text}");
        }
    }

    #[test]
    fn an_index_removes_its_dimension() {
        let region = Region::parse("-1, 2:4", &[3, 5, 7]).unwrap();
        assert_eq!(region.shape(), [2, 7]);
        assert_eq!(region.elements(), Some(14));
        assert_eq!(spans("-1, 2:4", &[3, 5, 7]), [(2, 1, 1, false), (2, 1, 2, true), (0, 1, 7, true)]);
        assert_eq!(spans("+0,", &[3]), [(0, 1, 1, false)]);
    }

    #[test]
    fn an_ellipsis_stands_for_the_dimensions_that_are_left() {
        assert_eq!(spans("..., 0", &[2, 3, 4]), [(0, 1, 2, true), (0, 1, 3, true), (0, 1, 1, false)]);
        assert_eq!(spans("1, ..., 0", &[2, 3]), [(1, 1, 1, false), (0, 1, 1, false)]);
        assert_eq!(spans("...", &[]), []);
        assert_eq!(spans("...", &[2]), [(0, 1, 2, true)]);
    }

    #[test]
    fn what_cannot_be_taken_is_refused_with_a_reason() {
        assert_eq!(error("5", &[3]), "index 5 is out of bounds for dimension 0 with size 3");
        assert_eq!(error("0, -5", &[3, 4]), "index -5 is out of bounds for dimension 1 with size 4");
        assert_eq!(error("0", &[0]), "index 0 is out of bounds for dimension 0 with size 0");
        assert_eq!(error("0, 0", &[3]), "too many indices: tensor is 1-dimensional, but 2 were indexed");
        assert_eq!(error(":", &[]), "too many indices: tensor is 0-dimensional, but 1 were indexed");
        assert_eq!(error("::0", &[3]), "slice step cannot be zero: ::0");
        assert_eq!(error("::-1", &[3]), "negative slice steps are not supported: ::-1");
        assert_eq!(error("None", &[3]), "None is not supported: a region cannot add dimensions");
        assert_eq!(error("..., ...", &[3]), "an index can only have a single ellipsis ('...')");
        assert_eq!(error("a", &[3]), "cannot read 'a' as an index");
        assert_eq!(error("1:2:3:4", &[3]), "cannot read '3:4' as an index");
        for text in ["", ",", "1,,2", "1.5", "-", "1 2", "[1]", "١"] {
            assert!(Region::parse(text, &[3, 3, 3]).is_err(), "{text}");
        }
    }

    // White space around numbers is cut off, and form feeds and their like are white space.
    #[test]
    fn what_is_refused_is_shown_without_control_characters() {
        assert_eq!(error("0:50:\x0c0", &[3]), r"slice step cannot be zero: 0:50:\x0c0");
        assert_eq!(error(":\x0b:-1", &[3]), r"negative slice steps are not supported: :\x0b:-1");
        assert_eq!(error("1\x0c1", &[3]), r"cannot read '1\x0c1' as an index");
    }

    #[test]
    fn a_full_region_takes_every_element() {
        let dims = [3, 1, 5];
        assert_eq!(Region::full(&dims), Region::parse("...", &dims).unwrap());
        assert!(Region::full(&dims).is_full(&dims));
        assert!(Region::parse("-9:9, 0", &dims).unwrap().is_full(&dims));
        assert!(!Region::parse("::2", &dims).unwrap().is_full(&dims));
        assert!(!Region::full(&dims).is_full(&dims[..2]));
        assert_eq!(Region::full(&[u64::MAX, 2]).elements(), None);
        assert_eq!(Region::full(&[u64::MAX, 2, 0]).elements(), Some(0));
    }

    #[test]
    fn a_selector_is_the_last_pair_of_brackets() {
        assert_eq!(split_selector("emb/table[330:336, :4]"), ("emb/table", Some("330:336, :4")));
        assert_eq!(split_selector("a[0][1]"), ("a[0]", Some("1")));
        assert_eq!(split_selector("a[b[1]]"), ("a", Some("b[1]")));
        assert_eq!(split_selector("λ[]"), ("λ", Some("")));
        for whole in ["a", "a]", "[0]", "]", "", "a[0", "a[0]b", "a]]"] {
            assert_eq!(split_selector(whole), (whole, None));
        }
    }
}
