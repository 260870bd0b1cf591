//! The equation of an `EinsumDense`: `abc,cd->abd`, with dots in the place of the first dimensions, or of the last.

/// Its labels, one a dimension, without the dots.
pub(super) struct Equation {
    pub(super) input: Vec<char>,
    pub(super) kernel: Vec<char>,
    pub(super) output: Vec<char>,
    /// Whether there are dots in it.
    pub(super) has_dots: bool,
    /// Whether it begins with them.
    pub(super) begins_with_dots: bool,
}

impl Equation {
    /// Of its text; `None` if it is none.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| *c != ' ').collect();
        let (left, output) = text.split_once("->")?;
        let (input, kernel) = left.split_once(',')?;
        let labels = |text: &str| text.replace("...", "").chars().collect();
        Some(Self {
            input: labels(input),
            kernel: labels(kernel),
            output: labels(output),
            has_dots: text.contains("..."),
            begins_with_dots: text.starts_with("..."),
        })
    }
}
