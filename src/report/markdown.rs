//! Markdown tables, for a pull request or a model card.

use std::io::{self, Write};

use super::names_text::called;
use super::units::{count, shape_text, size};
use crate::analysis::{Listing, short_name};
use crate::escape::escaped;

/// `list --format markdown`.
///
/// # Errors
/// What `out` says.
pub fn list_markdown(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (head, rule) = if listing.names.is_some() { (" called |", "---|") } else { ("", "") };
    writeln!(out, "| name | dtype | shape | size | role |{head}\n|---|---|---|---:|---|{rule}")?;
    let mut rows = listing.cursor();
    while let Some((at, tensor)) = rows.advance() {
        let bytes = tensor.bytes().map_or_else(|| "?".to_owned(), size);
        let role = listing.roles.role(at).name();
        let name = code(&escaped(short_name(&tensor.name)));
        write!(out, "| {name} | {} | {} | {bytes} | {role} |", tensor.dtype, shape_text(&tensor.shape))?;
        match listing.names.and_then(|names| names.get(at)).map(called).filter(|text| !text.is_empty()) {
            Some(text) => writeln!(out, " {} |", code(&text))?,
            None if listing.names.is_some() => writeln!(out, " |")?,
            None => writeln!(out)?,
        }
    }
    let totals = listing.totals;
    let tensors = count(totals.tensors as u64);
    writeln!(out, "\n{tensors} tensors, {} parameters, {}", count(totals.parameters), size(totals.bytes))
}

/// A name as code, with what would end the code or the cell taken out of its meaning.
pub(super) fn code(name: &str) -> String {
    let fence = if name.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", name.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_end_its_cell() {
        assert_eq!(super::code("a|b"), "`a\\|b`");
        assert_eq!(super::code("a`b"), "``a`b``");
    }
}
