//! A tensor as a picture: colours that diverge from white at zero, with a scale below, in the colours of one palette.

use super::font::{HIGH, glyph, width};
use crate::analysis::excerpt::Cells;
use crate::report::kit::figure::figure;

/// Steps from zero to the end of the scale.
const STEPS: u8 = 100;

/// Places in the palette: negative, zero, positive, and those behind.
const ZERO: u8 = STEPS;
const PAPER: u8 = 2 * STEPS + 1;
const INK: u8 = PAPER + 1;
const NAN: u8 = PAPER + 2;
const ABOVE: u8 = PAPER + 3;
const BELOW: u8 = PAPER + 4;

/// How many colours there are.
const COLOURS: u8 = PAPER + 5;

/// Room around everything.
const MARGIN: usize = 8;

/// A small tensor is drawn in larger cells, until it is about so wide or high.
const WANTED: usize = 480;

/// The longest side of a cell.
const LARGEST: usize = 32;

/// The scale: its bar.
const BAR: (usize, usize) = (201, 12);

/// The width that the scale needs.
const LEAST: usize = 260;

/// A picture of no more than 256 colours.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue of each colour.
    pub palette: Vec<[u8; 3]>,
    /// The colours of the pixels, row after row.
    pub pixels: Vec<u8>,
    /// The end of the scale: this, and minus this.
    pub range: f64,
}

impl Picture {
    /// Draws cells; the scale goes to `range`, or to the largest finite |x|.
    pub fn of(cells: &Cells, range: Option<f64>) -> Self {
        let range = range.unwrap_or(cells.most);
        let side = |count: (u64, u64), cell: u64| usize::try_from(count.0 * cell).unwrap_or(usize::MAX);
        let (down, across) = (side(cells.down, cells.tile.0), side(cells.across, cells.tile.1));
        let scale = (WANTED / down.max(across).max(1)).clamp(1, LARGEST);
        let gap = if cells.down.0.max(cells.across.0) > 1 { (scale / 4).max(1) } else { 0 };
        let gaps = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(0) * gap;
        let drawn = (across * scale + gaps(cells.across.0), down * scale + gaps(cells.down.0));
        let legend = BAR.1 + HIGH + 3 + if cells.nan + cells.infinite > 0 { HIGH + 5 } else { 0 };
        let mut picture = Self {
            width: drawn.0.max(LEAST) + 2 * MARGIN,
            height: drawn.1 + legend + 3 * MARGIN,
            palette: palette(),
            pixels: Vec::new(),
            range,
        };
        picture.pixels = vec![PAPER; picture.width * picture.height];
        for tile_row in 0..cells.down.0 {
            for tile_column in 0..cells.across.0 {
                let corner = |tile: u64, cells: u64| {
                    let tile = usize::try_from(tile).unwrap_or(0);
                    MARGIN + tile * (usize::try_from(cells).unwrap_or(0) * scale + gap)
                };
                let (top, left) = (corner(tile_row, cells.tile.0), corner(tile_column, cells.tile.1));
                picture.tile(cells, (tile_row, tile_column), (left, top), scale);
            }
        }
        picture.legend(cells, drawn.1 + 2 * MARGIN);
        picture
    }

    fn tile(&mut self, cells: &Cells, tile: (u64, u64), (left, top): (usize, usize), scale: usize) {
        for (row, y) in (0..cells.tile.0).zip((top..).step_by(scale)) {
            for (column, x) in (0..cells.tile.1).zip((left..).step_by(scale)) {
                if let Some(value) = cells.value(tile, (row, column)) {
                    self.fill((x, y), (scale, scale), colour(value, self.range));
                }
            }
        }
    }

    fn fill(&mut self, (x, y): (usize, usize), (wide, high): (usize, usize), colour: u8) {
        for row in y..(y + high).min(self.height) {
            let from = row * self.width + x.min(self.width);
            let to = row * self.width + (x + wide).min(self.width);
            if let Some(pixels) = self.pixels.get_mut(from..to) {
                pixels.fill(colour);
            }
        }
    }

    /// The colours with their numbers, and what is not finite.
    fn legend(&mut self, cells: &Cells, top: usize) {
        for n in 0..BAR.0 {
            self.fill((MARGIN + n, top), (1, BAR.1), u8::try_from(n).unwrap_or(ZERO));
        }
        let below = top + BAR.1 + 3;
        let end = figure(self.range);
        let right = MARGIN + BAR.0;
        self.write(&format!("-{end}"), (MARGIN, below), INK);
        self.write("0", (MARGIN + BAR.0 / 2 - width("0") / 2, below), INK);
        self.write(
            &end,
            (right.saturating_sub(width(&end) / 2).min(self.width.saturating_sub(width(&end) + 1)), below),
            INK,
        );
        let mut left = MARGIN;
        for (count, what, colour) in [(cells.nan, "NaN", NAN), (cells.infinite, "inf", ABOVE)] {
            if count > 0 {
                let text = format!("{what} {count}");
                self.fill((left, below + HIGH + 5), (HIGH, HIGH), colour);
                self.write(&text, (left + HIGH + 4, below + HIGH + 5), INK);
                left += HIGH + 4 + width(&text) + 2 * MARGIN;
            }
        }
    }

    fn write(&mut self, text: &str, (mut x, y): (usize, usize), colour: u8) {
        for c in text.chars() {
            for (row, bits) in glyph(c).into_iter().enumerate() {
                for column in 0..3 {
                    if bits >> (2 - column) & 1 == 1 {
                        self.fill((x + 2 * column, y + 2 * row), (2, 2), colour);
                    }
                }
            }
            x += width("0");
        }
    }
}

/// The place of a value in the palette. What lies beyond the scale has the colour of its end.
fn colour(value: f64, range: f64) -> u8 {
    match value {
        _ if value.is_nan() => NAN,
        _ if value == f64::INFINITY => ABOVE,
        _ if value == f64::NEG_INFINITY => BELOW,
        _ if value == 0.0 || range <= 0.0 => ZERO,
        _ => {
            let share = (value / range).clamp(-1.0, 1.0) * f64::from(STEPS);
            // What is not zero is not drawn as zero.
            let steps = if value > 0.0 { share.ceil() } else { share.floor() };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 200")]
            let place = (f64::from(ZERO) + steps) as u8;
            place
        }
    }
}

/// From blue by white to red, which is told apart by those who see no red or green, too.
fn palette() -> Vec<[u8; 3]> {
    // Corners of ColorBrewer's RdBu, from zero to the end.
    const RED: [[u8; 3]; 5] = [[247, 247, 247], [253, 219, 199], [244, 165, 130], [214, 96, 77], [103, 0, 31]];
    const BLUE: [[u8; 3]; 5] = [[247, 247, 247], [209, 229, 240], [146, 197, 222], [67, 147, 195], [5, 48, 97]];
    let between = |corners: &[[u8; 3]; 5], step: u8| {
        let at = u32::from(step) * 4;
        let (from, part) =
            ((at / u32::from(STEPS)).min(3) as usize, at - (at / u32::from(STEPS)).min(3) * u32::from(STEPS));
        std::array::from_fn(|n| {
            let (a, b) = (u32::from(corners[from][n]), u32::from(corners[from + 1][n]));
            let mixed = (a * (u32::from(STEPS) - part) + b * part) / u32::from(STEPS);
            u8::try_from(mixed).unwrap_or(u8::MAX)
        })
    };
    let mut palette: Vec<[u8; 3]> = (1..=STEPS).rev().map(|step| between(&BLUE, step)).collect();
    palette.push([255, 255, 255]);
    palette.extend((1..=STEPS).map(|step| between(&RED, step)));
    // Paper, ink, NaN, and the infinities: colours that the scale does not have.
    palette.extend([[224, 224, 224], [32, 32, 32], [0, 160, 60], [255, 200, 0], [150, 60, 200]]);
    debug_assert_eq!(palette.len(), usize::from(COLOURS), "a colour for each place");
    palette
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_white_and_nothing_else_is() {
        assert_eq!([0.0, -0.0, 1e-30, -1e-30].map(|value| colour(value, 1.0)), [ZERO, ZERO, ZERO + 1, ZERO - 1]);
        assert_eq!([1.0, 7.0, -1.0, -7.0].map(|value| colour(value, 1.0)), [200, 200, 0, 0]);
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|value| colour(value, 1.0)), [NAN, ABOVE, BELOW]);
        assert_eq!(colour(3.0, 0.0), ZERO, "a scale of nothing");
        let palette = palette();
        assert_eq!(palette.len(), usize::from(COLOURS));
        let mut seen = palette.clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), palette.len(), "two places with one colour");
    }
}
