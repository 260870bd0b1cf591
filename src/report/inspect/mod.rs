//! The page of `inspect`.

mod constants;
pub(in crate::report) mod json;
pub(in crate::report) mod keras_json;
pub(in crate::report) mod keras_text;
pub(in crate::report) mod model_json;
pub(in crate::report) mod model_text;
pub(in crate::report) mod serving;
pub(in crate::report) mod text;
pub(in crate::report) mod told;
