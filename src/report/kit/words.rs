//! The words of JSON that stand for one of several things, and the lists of them that the schemas have.
//!
//! A variant that is added to one of these enums does not compile until it stands here.

use super::json::Words;
use crate::analysis::diff::{Depth, Expected, PairedBy, Same, Status};
use crate::analysis::ops::When;
use crate::analysis::stats::Missing;
use crate::analysis::{Level, Reason, Role, Saver, Severity};
use crate::read::checkpoint::SourceKind;

macro_rules! words {
    ($($of:ident { $($variant:ident),+ $(,)? })+) => {$(
        impl Words for $of {
            fn word(&self) -> &'static str {
                // So that the list below has them all.
                match self { $(Self::$variant)|+ => self.name() }
            }

            #[cfg(test)]
            fn all() -> Vec<&'static str> {
                vec![$(Self::$variant.name()),+]
            }
        }
    )+};
}

words! {
    Severity { Error, Warning, Note }
    Level { Allow, Warn, Deny }
    When { Load, Call, Save, Start }
    Role { Weight, Average, Slot, Optimizer, Counter, String, Table, Other }
    Depth { Structure, Index, Values, Exact }
    Missing {
        Empty, Complex, TooLarge, NotFinite, NotConverged, Overflow, Zero, Constant, TooNarrow, Alike, TooWide, Unclear,
    }
    Status {
        Identical, WithinTolerance, Changed, Added, Removed, Shape, DType, Renamed, Unreadable, NotCompared,
        Ambiguous,
    }
    Same { Checksum, Values }
    Expected { Same, Changed }
    Reason { StateFile, NoStateFile, StateFileWrong, None }
}

impl Words for PairedBy {
    fn word(&self) -> &'static str {
        self.name()
    }

    #[cfg(test)]
    fn all() -> Vec<&'static str> {
        // It stands beside another name only, so it is never `name`.
        [Self::Map, Self::Graph, Self::FullName, Self::Layer, Self::Bytes, Self::Likeness].map(Self::name).to_vec()
    }
}

impl Words for SourceKind {
    fn word(&self) -> &'static str {
        self.name()
    }

    #[cfg(test)]
    fn all() -> Vec<&'static str> {
        let own = [Self::Bundle, Self::SavedModel, Self::ModelDir, Self::ServingBase, Self::SaverV1, Self::Nothing];
        let own = own.map(Self::name);
        own.into_iter().chain(file_formats()).collect()
    }
}

impl Words for Saver {
    fn word(&self) -> &'static str {
        self.name()
    }

    #[cfg(test)]
    fn all() -> Vec<&'static str> {
        let own = [Self::NameBased, Self::ObjectBased, Self::Keras, Self::V1, Self::None].map(Self::name);
        own.into_iter().chain(file_formats()).collect()
    }
}

/// Formats that files are of by what is in them.
#[cfg(test)]
fn file_formats() -> Vec<&'static str> {
    let mut words = Vec::new();
    for id in crate::read::formats::FORMATS.iter().map(|format| format.format.id) {
        // A format may have a row for its file and one for its sets.
        if !words.contains(&id) {
            words.push(id);
        }
    }
    words
}
