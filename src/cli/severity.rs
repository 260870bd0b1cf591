//! `--deny`, `--warn` and `--allow`: what the user says of severities, above what `ckpt.toml` says.

use ckpt::analysis::Code;
use ckpt::analysis::policy::{Rule, option_rules};

/// Severities of codes.
#[derive(Debug, clap::Args)]
pub(crate) struct Severities {
    /// Treat findings with this code as errors.
    #[arg(long, value_name = "CODE", value_parser = code)]
    deny: Vec<Code>,
    /// Treat findings with this code as warnings.
    #[arg(long, value_name = "CODE", value_parser = code)]
    warn: Vec<Code>,
    /// Let findings with this code be: they are counted, and are no findings.
    #[arg(long, value_name = "CODE", value_parser = code)]
    allow: Vec<Code>,
}

/// The code of this name.
pub(super) fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| {
        let names = Code::ALL.iter().map(|code| code.name().as_bytes());
        match ckpt::base::nearest::nearest(name.as_bytes(), names, 1).first() {
            Some(near) => format!("no such code; did you mean {}?", String::from_utf8_lossy(near)),
            None => "no such code; docs/checks.md lists them".to_owned(),
        }
    })
}

impl Severities {
    /// As rules, of which the strictest holds for a code.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        option_rules(&self.allow, &self.warn, &self.deny)
    }
}
