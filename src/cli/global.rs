//! What every command understands: the format, colours, threads; and which topics concern them all.

use ckpt::report::{Format, TOPICS};
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct GlobalArgs {
    /// Output format.
    #[arg(long, global = true, value_parser = format(), default_value = "text", hide_possible_values = true)]
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

/// What stands below the commands in help.
pub(super) fn topics() -> String {
    let lines = TOPICS.iter().map(|topic| format!("\n  {:13}  {}", topic.name, topic.about));
    format!("Topics (ckpt help TOPIC):{}", lines.collect::<String>())
}

/// Formats by their names; each command has some of them.
fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).map(|name| Format::from_name(&name).unwrap_or_default())
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    #[default]
    Auto,
    Always,
    Never,
}
