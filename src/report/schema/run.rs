//! `run --format json` as a struct: its outputs are streamed, and only the schema is wanted of it.

use schemars::JsonSchema;

use super::print::Values;
use crate::report::kit::json::{DTypeName, Dims};
use crate::report::run::json::RunHead;

/// What a model answered, or what would be asked of it.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(super) struct Run<'a> {
    #[serde(flatten)]
    head: RunHead<'a>,
    /// in the order of their names, or of `--fetch`
    outputs: Vec<RunOutput<'a>>,
}

/// An output.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct RunOutput<'a> {
    /// of the signature, or the tensor
    name: &'a str,
    /// null only where nothing was run and the graph does not say it
    dtype: Option<DTypeName>,
    /// of the values; what the graph says of it where nothing was run
    shape: Dims<'a>,
    /// complete, as in `print`; absent if nothing was run
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = super::never_null)]
    values: Option<Values>,
}
