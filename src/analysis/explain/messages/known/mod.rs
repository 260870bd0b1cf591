//! Messages whose meaning does not depend on more than the names in them: a row each, by the program that says them.
//!
//! A mark is the fixed wording; `…` stands for anything on the way from one part of it to the next.

mod disk;
mod keras;
mod objects;
mod row;
mod saved_model;
mod serving;

use crate::analysis::explain::Diagnosis;
use row::{Known, holds};

fn rows() -> impl Iterator<Item = &'static Known> {
    let all = [saved_model::ROWS, serving::ROWS, disk::ROWS, keras::ROWS, objects::ROWS];
    all.into_iter().flatten()
}

/// The words of all rows.
pub(super) fn titles() -> impl Iterator<Item = &'static str> {
    rows().filter_map(|row| row.marks.first().copied())
}

/// The first row that a text is of.
pub(super) fn diagnose(text: &str) -> Option<Diagnosis> {
    rows().find(|row| row.marks.iter().any(|mark| holds(text, mark))).map(|row| row.read(text))
}
