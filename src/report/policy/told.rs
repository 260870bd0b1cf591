//! A policy in any format.

use std::io::{self, Write};

use super::json::policy_json;
use super::text::policy_text;
use crate::analysis::policy::Policy;
use crate::report::kit::format::{DOCUMENT, Format};
use crate::report::kit::look::Look;

/// What `--show-config` has.
pub const POLICY_FORMATS: &[Format] = DOCUMENT;

/// Writes what a policy says, from which lines, and what has expired; or that there is none.
///
/// # Errors
/// What `out` says.
pub fn write_policy(policy: Option<&Policy>, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => policy_json(policy, out),
        _ => policy_text(policy, look, out),
    }
}
