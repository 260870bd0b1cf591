//! What every command understands: the format, colours, threads.

use clap::ValueEnum;

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct GlobalArgs {
    /// Output format.
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    pub(super) format: Format,
    /// When to use colours. The environment variable `NO_COLOR` turns them off too.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help = "When to use colours; the environment variable NO_COLOR turns them off too"
    )]
    pub(super) color: When,
    /// Worker threads; all cores if not given.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Leave notes on standard error out; errors stay.
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
}

/// Every output format; each command has some of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
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
    /// A graph for Graphviz.
    Dot,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// `JUnit` XML.
    Junit,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    #[default]
    Auto,
    Always,
    Never,
}
