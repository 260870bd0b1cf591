//! The few characters of a scale, three by five squares each.

/// Pixels of a square.
const SQUARE: usize = 2;

/// Pixels of a line.
pub(super) const HIGH: usize = 5 * SQUARE;

/// Pixels of a text.
pub(super) fn width(text: &str) -> usize {
    text.chars().count() * 4 * SQUARE
}

/// The squares of a character, a row each, from the left in the bits 4, 2 and 1; nothing of what a scale does not have.
pub(super) fn glyph(c: char) -> [u8; 5] {
    match c {
        '0' => [7, 5, 5, 5, 7],
        '1' => [2, 6, 2, 2, 7],
        '2' => [7, 1, 7, 4, 7],
        '3' => [7, 1, 7, 1, 7],
        '4' => [5, 5, 7, 1, 1],
        '5' => [7, 4, 7, 1, 7],
        '6' => [7, 4, 7, 5, 7],
        '7' => [7, 1, 2, 2, 2],
        '8' => [7, 5, 7, 5, 7],
        '9' => [7, 5, 7, 1, 7],
        '.' => [0, 0, 0, 0, 2],
        '-' => [0, 0, 7, 0, 0],
        'e' => [7, 5, 7, 4, 7],
        'N' => [7, 5, 5, 5, 5],
        'a' => [0, 7, 1, 7, 7],
        'i' => [2, 0, 2, 2, 2],
        'n' => [0, 6, 5, 5, 5],
        'f' => [3, 2, 7, 2, 2],
        _ => [0; 5],
    }
}
