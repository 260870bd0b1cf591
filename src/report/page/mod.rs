//! `ckpt report`: one page of HTML that needs nothing else.
//!
//! Whatever stands in it is what `inspect`, `validate`, `stats`, `diff` and `log` say. Text goes through templates
//! (`html/`), which escape it (`escape`); the rows of the table lie in the page as JSON (`island`), of which the script
//! makes what can be sorted and searched. The page keeps to sizes (`told`): what does not fit is summed up, and said.
//! It is well-formed XML too, so that a parser of another kind can hold it to that.

pub(in crate::report) mod changes;
mod escape;
mod first;
pub(in crate::report) mod given;
mod island;
mod restores;
mod spark;
pub(in crate::report) mod tensors;
mod times;
pub(in crate::report) mod told;
mod treemap;
