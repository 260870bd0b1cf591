//! `--deny`, `--warn` and `--allow`: what the user says of severities.

use ckpt::analysis::{Code, Finding, Severity};

/// Severities of codes.
#[derive(Debug, clap::Args)]
pub(crate) struct Severities {
    /// Treat findings with this code as errors.
    #[arg(long, value_name = "CODE", value_parser = code)]
    deny: Vec<Code>,
    /// Treat findings with this code as warnings.
    #[arg(long, value_name = "CODE", value_parser = code)]
    warn: Vec<Code>,
    /// Leave findings with this code out.
    #[arg(long, value_name = "CODE", value_parser = code)]
    allow: Vec<Code>,
}

fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| {
        let names = Code::ALL.iter().map(|code| code.name().as_bytes());
        match ckpt::base::nearest::nearest(name.as_bytes(), names, 1).first() {
            Some(near) => format!("no such code; did you mean {}?", String::from_utf8_lossy(near)),
            None => "no such code; docs/checks.md lists them".to_owned(),
        }
    })
}

impl Severities {
    /// Applies them; of several options for one code the strictest holds.
    pub(crate) fn judge(&self, findings: &mut Vec<Finding>) {
        let Self { deny, warn, allow } = self;
        findings.retain(|f| !allow.contains(&f.code) || deny.contains(&f.code) || warn.contains(&f.code));
        for finding in findings {
            if deny.contains(&finding.code) {
                finding.severity = Severity::Error;
            } else if warn.contains(&finding.code) {
                finding.severity = Severity::Warning;
            }
        }
    }
}
