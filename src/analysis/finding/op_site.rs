//! Where an op is, when it runs, and where its path comes from.

use std::collections::BTreeSet;

/// Where an op is, and when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpSite {
    /// The op.
    pub op: String,
    /// The node.
    pub node: String,
    /// The function that the node is in; `None` for the graph itself.
    pub function: Option<String>,
    /// Tags of its graph.
    pub tags: Vec<String>,
    /// When it runs; empty if nothing that the file names reaches it.
    pub when: BTreeSet<When>,
    /// What reaches it: `signature serving_default`.
    pub from: Vec<String>,
    /// Whether `when` and `from` are known: a bare graph names nothing that is run.
    pub reach_known: bool,
    /// Where its path comes from.
    pub origins: BTreeSet<Origin>,
}

/// When something runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// When the model is loaded, by itself.
    Load,
    /// When it is called.
    Call,
    /// When it is saved again.
    Save,
    /// When a program initializes its variables to begin training.
    Start,
}

impl When {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Call => "call",
            Self::Save => "save",
            Self::Start => "start",
        }
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Load => "at load time",
            Self::Call => "at call time",
            Self::Save => "when it is saved",
            Self::Start => "when training starts",
        }
    }
}

/// Where a path comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It stands in the graph.
    Fixed(Vec<u8>),
    /// It begins with this, which stands in the graph.
    Begins(Vec<u8>),
    /// The saver is told it by whoever saves or restores.
    Saver,
    /// A file of the model's own `assets`.
    Asset(String),
    /// Whoever calls gives it: the placeholder or the argument.
    Caller(Vec<u8>),
    /// An op computes it.
    Computed(Vec<u8>),
    /// It was not followed to its end.
    Unknown,
}

impl Origin {
    /// Whether a saver has its path from here: it is told, or not told and then uses what it was made with, the
    /// relative name `model`.
    ///
    /// TensorFlow: `_build_internal` in `python/training/saver.py`; `_temp…/part` is where shards wait to be merged.
    pub(in crate::analysis) fn is_of_saver(&self) -> bool {
        let Self::Fixed(path) = self else { return *self == Self::Saver };
        let Some(rest) = path.strip_prefix(b"model") else { return false };
        let between = rest.strip_prefix(b"_temp").and_then(|rest| rest.strip_suffix(b"/part"));
        rest.is_empty() || between.is_some_and(|id| id.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'_'))
    }
}
