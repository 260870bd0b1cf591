//! Cells of Markdown tables.

/// A name as code, with what would end the code or the cell taken out of its meaning.
pub(in crate::report) fn code(name: &str) -> String {
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
