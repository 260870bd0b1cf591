//! The roles that a tensor can have.

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A parameter of the model.
    Weight,
    /// A moving average of a parameter, kept beside it.
    Average,
    /// An optimizer's state for one parameter.
    Slot,
    /// A number of the optimizer itself: a learning rate, a power of beta.
    Optimizer,
    /// A step or another integer scalar.
    Counter,
    /// A string tensor.
    String,
    /// Keys or values of a lookup table.
    Table,
    /// Anything else: the object graph, states of metrics, iterators, random states.
    Other,
}

impl Role {
    /// All roles, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Weight,
        Self::Average,
        Self::Slot,
        Self::Optimizer,
        Self::Counter,
        Self::String,
        Self::Table,
        Self::Other,
    ];

    /// The name in JSON and in selectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Average => "average",
            Self::Slot => "slot",
            Self::Optimizer => "optimizer",
            Self::Counter => "counter",
            Self::String => "string",
            Self::Table => "table",
            Self::Other => "other",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
