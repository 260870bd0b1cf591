//! The formats that answers are told in, by their names.

/// An output format. Each command has some of them: its `…_FORMATS` in [`crate::report`] says which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Markdown,
    /// The elements' bytes, little-endian, C order, nothing else.
    Raw,
    /// A NumPy array.
    Npy,
    /// NumPy arrays in an archive.
    Npz,
    /// A graph for Graphviz.
    Dot,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// `JUnit` XML.
    Junit,
    /// What one of several processes found out, for `merge`.
    Part,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Text,
        Self::Json,
        Self::Jsonl,
        Self::Csv,
        Self::Markdown,
        Self::Raw,
        Self::Npy,
        Self::Npz,
        Self::Dot,
        Self::Github,
        Self::Sarif,
        Self::Junit,
        Self::Part,
    ];

    /// What is written behind `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Raw => "raw",
            Self::Npy => "npy",
            Self::Npz => "npz",
            Self::Dot => "dot",
            Self::Github => "github",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Part => "part",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What tables of rows are written as.
pub(in crate::report) const TABLES: &[Format] =
    &[Format::Text, Format::Json, Format::Jsonl, Format::Csv, Format::Markdown];

/// What changes are written as.
pub(in crate::report) const CHANGES: &[Format] =
    &[Format::Text, Format::Json, Format::Jsonl, Format::Csv, Format::Markdown, Format::Github];

/// What findings are written as.
pub(in crate::report) const FINDINGS: &[Format] =
    &[Format::Text, Format::Json, Format::Github, Format::Sarif, Format::Junit];

/// What is one document, and no table.
pub(in crate::report) const DOCUMENT: &[Format] = &[Format::Text, Format::Json];
