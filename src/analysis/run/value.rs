//! Values that go into a model: read from a file or written as text, and made to fit what the model wants.

use super::number::{Became, Number};
use crate::analysis::excerpt::Excerpt;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::{DType, Element, Shape};

/// A tensor in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Its shape.
    pub shape: Vec<u64>,
    /// Its elements, in C order.
    pub data: Data,
}

/// Elements.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Numbers of a dtype, little-endian.
    Numbers(DType, Vec<u8>),
    /// Strings.
    Strings(Vec<Vec<u8>>),
    /// Numbers as somebody typed them, which have no dtype yet.
    Typed(Typed),
}

/// Numbers as somebody typed them.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed(pub(super) Vec<Number>);

/// What became of a value that was made to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is of the dtype that is wanted.
    As,
    /// It was of another one, and every number is what it was.
    Same(DType),
    /// It was of another one, and some were rounded, which was asked for.
    Rounded(DType),
}

impl Value {
    /// Reads the part of a tensor that an excerpt is. All of it will be in memory, as it will in the model.
    ///
    /// # Errors
    /// If it cannot be read, is not what was saved, or has elements that no model takes.
    pub fn read(checkpoint: &Checkpoint, excerpt: &Excerpt) -> Result<Self> {
        let dtype = excerpt.tensor.dtype;
        let shape = excerpt.region.shape();
        let data = if dtype == DType::String {
            let mut strings = Vec::new();
            excerpt.read(checkpoint, &mut |string| {
                strings.push(string.to_vec());
                Ok(())
            })?;
            Data::Strings(strings)
        } else if dtype.element_size().is_some() {
            let mut bytes = Vec::new();
            excerpt.read(checkpoint, &mut |run| {
                bytes.extend_from_slice(run);
                Ok(())
            })?;
            Data::Numbers(dtype, bytes)
        } else {
            return Err(request(format!("it is a {dtype}, which cannot be given to a model")));
        };
        Ok(Self { shape, data })
    }

    /// The dtype, where there is one already.
    pub fn dtype(&self) -> Option<DType> {
        match &self.data {
            Data::Numbers(dtype, _) => Some(*dtype),
            Data::Strings(_) => Some(DType::String),
            Data::Typed(_) => None,
        }
    }

    /// Whether its shape is one of those that `wanted` allows.
    pub fn has_shape(&self, wanted: &Shape) -> bool {
        let Some(dims) = wanted.dims() else { return true };
        let fits = |(want, have): (&i64, &u64)| *want < 0 || i64::try_from(*have) == Ok(*want);
        dims.len() == self.shape.len() && dims.iter().zip(&self.shape).all(fits)
    }

    /// Makes its elements of this dtype; if none is wanted, what was typed becomes what NumPy and TensorFlow make of
    /// it, `int32` or `float32`. Numbers of a file of another dtype stay what they are or, with `round`, as near as can
    /// be: rounded, or cut to whole numbers, as NumPy's `astype` does.
    ///
    /// # Errors
    /// If an element has nothing like it in the dtype.
    pub fn make(&mut self, wanted: Option<DType>, round: bool) -> Result<Fit> {
        let to = wanted.or_else(|| self.dtype()).unwrap_or_else(|| self.typed_dtype());
        let (from, numbers): (Option<DType>, Box<dyn Iterator<Item = Number> + '_>) = match &self.data {
            Data::Strings(_) if to == DType::String => return Ok(Fit::As),
            Data::Strings(_) => return Err(request(format!("it has strings, and {to} is wanted"))),
            Data::Numbers(from, _) if *from == to => return Ok(Fit::As),
            Data::Numbers(from, bytes) => {
                let elements = Element::decode_all(*from, bytes).into_iter().flatten();
                (Some(*from), Box::new(elements.map(Number::of)))
            }
            Data::Typed(Typed(numbers)) => (None, Box::new(numbers.iter().copied())),
        };
        let what = from.map_or_else(|| "numbers".to_owned(), |from| from.to_string());
        if to == DType::String || (to.element_size().is_none()) {
            let help = if from.is_none() { "quote what is a string" } else { "" };
            let error = request(format!("it has {what}, and {to} is wanted"));
            return Err(if help.is_empty() { error } else { error.with_help(help) });
        }
        let (mut bytes, mut rounded) = (Vec::new(), false);
        for number in numbers {
            let became = number.encode(to, &mut bytes).ok_or_else(|| none_like(number, to))?;
            let is_typed_fraction = from.is_none() && (to.is_integer() || to == DType::Bool);
            if became == Became::Rounded && !round && (from.is_some() || is_typed_fraction) {
                let why = match from {
                    None => format!("{} is not a whole number, and {to} is wanted", number.text()),
                    Some(from) => {
                        format!("it is {from}, and {to} is wanted, which {} would be rounded to", number.text())
                    }
                };
                return Err(request(why).with_help("--cast rounds as NumPy's astype does"));
            }
            rounded |= became == Became::Rounded;
        }
        self.data = Data::Numbers(to, bytes);
        Ok(match from {
            None => Fit::As,
            Some(from) if rounded => Fit::Rounded(from),
            Some(from) => Fit::Same(from),
        })
    }

    /// What typed numbers are if nobody says.
    fn typed_dtype(&self) -> DType {
        let Data::Typed(Typed(numbers)) = &self.data else { return DType::Float32 };
        let has = |what: fn(&Number) -> bool| numbers.iter().any(what);
        if has(|number| matches!(number, Number::Complex(..))) {
            DType::Complex128
        } else if has(|number| matches!(number, Number::Float(_))) || numbers.is_empty() {
            DType::Float32
        } else if has(|number| matches!(number, Number::Int(_))) {
            DType::Int32
        } else {
            DType::Bool
        }
    }
}

fn none_like(number: Number, to: DType) -> Error {
    request(format!("{} is no {to}", number.text()))
}

pub(super) fn request(why: String) -> Error {
    Error::new(ErrorKind::Request(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(numbers: &[Number]) -> Value {
        Value { shape: vec![numbers.len() as u64], data: Data::Typed(Typed(numbers.to_vec())) }
    }

    #[test]
    fn what_is_typed_becomes_what_is_wanted() {
        let mut value = typed(&[Number::Int(1), Number::Float(0.1)]);
        assert_eq!(value.make(Some(DType::Float32), false).unwrap(), Fit::As);
        let want = [1f32.to_le_bytes(), 0.1f32.to_le_bytes()].concat();
        assert_eq!(value.data, Data::Numbers(DType::Float32, want));
        for (numbers, dtype) in [
            (vec![Number::Int(1)], DType::Int32),
            (vec![Number::Int(1), Number::Float(1.0)], DType::Float32),
            (vec![Number::Bool(true)], DType::Bool),
            (vec![Number::Complex(0.0, 1.0)], DType::Complex128),
        ] {
            let mut value = typed(&numbers);
            value.make(None, false).unwrap();
            assert_eq!(value.dtype(), Some(dtype));
        }
        let why = |numbers: &[Number], dtype| typed(numbers).make(Some(dtype), false).unwrap_err().to_string();
        assert!(why(&[Number::Float(0.5)], DType::Int32).contains("0.5 is not a whole number"));
        assert!(why(&[Number::Int(300)], DType::UInt8).contains("300 is no uint8"));
        assert!(why(&[Number::Int(1)], DType::String).contains("string is wanted"));
    }

    #[test]
    fn files_of_another_dtype_fit_if_nothing_is_rounded_or_rounding_is_asked_for() {
        let of =
            |value: f64| Value { shape: vec![], data: Data::Numbers(DType::Float64, value.to_le_bytes().to_vec()) };
        let want = Some(DType::Float32);
        assert_eq!(of(0.5).make(want, false).unwrap(), Fit::Same(DType::Float64));
        let error = of(0.1).make(want, false).unwrap_err();
        assert!(error.to_string().contains("it is float64, and float32 is wanted") && error.help().is_some());
        assert_eq!(of(0.1).make(want, true).unwrap(), Fit::Rounded(DType::Float64));
        assert!(of(1e300).make(want, true).is_err());
    }

    #[test]
    fn unknown_dimensions_fit_any_and_known_ones_themselves() {
        let value = Value { shape: vec![2, 3], data: Data::Strings(Vec::new()) };
        for fits in [Shape::unknown_rank(), Shape::new([-1, 3]), Shape::new([2, 3])] {
            assert!(value.has_shape(&fits), "{fits}");
        }
        for other in [Shape::scalar(), Shape::new([-1]), Shape::new([-1, 4]), Shape::new([-1, 3, -1])] {
            assert!(!value.has_shape(&other), "{other}");
        }
    }
}
