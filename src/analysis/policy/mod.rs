//! The policy of a project, `ckpt.toml`: what becomes of findings, where, why and until when, and what checkpoints are
//! expected to be. Here it is data: who runs a command says which file it is and what day it is.
//!
//! `parse` reads the file by way of `fields`, so that a mistake in it has its line and its column; `paths` are its globs;
//! `rules` rules on findings, `settle` carries that out; `expectations` looks at a checkpoint, `compared` at it and its
//! base.

mod compared;
mod expectations;
mod fields;
mod model;
mod parse;
mod paths;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod words;

pub use model::{Check, Expect, Policy, Rule};
pub use rules::{option_rules, rule_on};
pub use settle::settle;

pub(in crate::analysis) use expectations::check;
