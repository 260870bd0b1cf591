//! An input or an output of what is run, and whether a value fits it.

use super::value::{Fit, Value, request};
use crate::base::error::{Error, Result};
use crate::base::escape::escaped;
use crate::read::graphs::meta_graph::TensorInfo;
use crate::read::tensor::{DType, Shape};

/// An input or an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name: the signature's, or the tensor's.
    pub name: String,
    /// The tensor in the graph.
    pub tensor: String,
    /// Its dtype, if the graph says it.
    pub dtype: Option<DType>,
    /// Its shape, as far as the graph says it.
    pub shape: Shape,
    /// Whether the graph has a value for it if none is given.
    pub is_optional: bool,
}

impl Port {
    /// `float32 (?, 3)`.
    pub fn spec(&self) -> String {
        let dtype = self.dtype.map_or_else(|| "any dtype".to_owned(), |dtype| dtype.to_string());
        format!("{dtype} {}", shape_text(&self.shape))
    }

    /// Makes a value one for this input; `round` as [`Value::make`] has it. Answers with what a user should know of it.
    ///
    /// # Errors
    /// If it is of another shape, or cannot be of the dtype.
    pub fn take(&self, value: &mut Value, round: bool) -> Result<Option<String>> {
        let name = escaped(self.name.as_bytes()).into_owned();
        if !value.has_shape(&self.shape) {
            let have = shape_text(&Shape::new(value.shape.iter().map(|dim| dim.cast_signed()).collect::<Vec<_>>()));
            let why =
                format!("input {name}: the value has the shape {have}, and {} is wanted", shape_text(&self.shape));
            let mut batch = value.clone();
            batch.shape.insert(0, 1);
            let is_one = self.shape.dims().is_some_and(|dims| dims.first().is_some_and(|dim| *dim < 0));
            let error = request(why);
            return Err(if is_one && batch.has_shape(&self.shape) {
                error.with_help("for a batch of one, put brackets around it")
            } else {
                error
            });
        }
        let fit = value.make(self.dtype, round).map_err(|error| {
            let help = error.help().map(str::to_owned);
            let error = request(format!("input {name}: {error}"));
            help.into_iter().fold(error, Error::with_help)
        })?;
        let to = value.dtype().map_or_else(String::new, |dtype| dtype.to_string());
        Ok(match fit {
            Fit::As => None,
            Fit::Same(from) => Some(format!("input {name}: made {to} of {from}; every value is what it was")),
            Fit::Rounded(from) => Some(format!("input {name}: made {to} of {from}; some values are rounded")),
        })
    }
}

/// A shape as NumPy writes it, with `?` for what is unknown.
pub(super) fn shape_text(shape: &Shape) -> String {
    let Some(dims) = shape.dims() else { return "of any shape".to_owned() };
    let dim = |dim: &i64| if *dim < 0 { "?".to_owned() } else { dim.to_string() };
    match dims {
        [only] => format!("({},)", dim(only)),
        dims => format!("({})", dims.iter().map(dim).collect::<Vec<_>>().join(", ")),
    }
}

/// What a signature says of an input or an output.
pub(super) fn of_info(name: &str, info: &TensorInfo) -> Port {
    Port {
        name: name.to_owned(),
        tensor: info.name.clone(),
        dtype: Some(info.dtype).filter(|dtype| *dtype != DType::Invalid),
        shape: info.shape.clone(),
        is_optional: false,
    }
}
