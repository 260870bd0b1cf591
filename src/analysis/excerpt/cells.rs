//! The elements of a tensor as cells of a picture: a matrix as it is, kernels of a convolution side by side, what is too
//! large in cells of several elements.
//!
//! Elements are taken as they come in C order and none is kept: a cell has the one of its elements that is farthest from
//! zero, so that nothing that stands out is lost, and what is not finite before all others.

use super::Excerpt;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::{Checked, Wide, Widener};

/// Cells of one side of a picture, at most.
const SIDE: u64 = 2048;

/// A vector of so many elements is one row; a longer one goes on in the next row, whole sixteens in each.
const ROW: u64 = 32;

/// How the elements of a shape lie in tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiling {
    /// Tiles below each other, and beside each other.
    down: u64,
    across: u64,
    /// Elements of a tile.
    rows: u64,
    columns: u64,
    /// Tiles that the tensor has, if these are fewer than it has room for.
    tiles: u64,
    /// Axes of the tile, and what comes behind them, if a tile's elements are not neighbours.
    kernels: Option<(u64, u64)>,
}

/// A tensor in cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    /// Tiles below each other that are shown, and all of them.
    pub down: (u64, u64),
    /// Tiles beside each other that are shown, and all of them.
    pub across: (u64, u64),
    /// Cells of a tile: rows and columns.
    pub tile: (u64, u64),
    /// Elements of a cell: rows and columns of them.
    pub step: (u64, u64),
    /// The values, tile after tile, row after row; `None` where there is no element.
    values: Vec<Option<f64>>,
    /// The largest finite |x|.
    pub most: f64,
    /// NaN among the elements.
    pub nan: u64,
    /// Infinities among the elements.
    pub infinite: u64,
    /// How far the bytes were checked.
    pub checked: Checked,
}

impl Tiling {
    fn of(shape: &[u64]) -> Self {
        let one = Self { down: 1, across: 1, rows: 1, columns: 1, tiles: 1, kernels: None };
        match *shape {
            [] => one,
            [n] if n <= ROW => Self { columns: n.max(1), ..one },
            [n] => {
                // Four times as wide as high.
                let columns = n.isqrt().saturating_mul(2).min(SIDE).next_multiple_of(16);
                Self { rows: n.div_ceil(columns), columns, ..one }
            }
            [rows, columns] => Self { rows, columns, ..one },
            [n, rows, columns] => {
                // As near to a square as whole rows of tiles allow.
                let square = n.saturating_mul(rows.max(1)).div_ceil(columns.max(1));
                let root = square.isqrt();
                let across = root.saturating_add(u64::from(root.saturating_mul(root) < square)).clamp(1, n.max(1));
                Self { down: n.div_ceil(across), across, rows, columns, tiles: n, kernels: None }
            }
            [ref outer @ .., columns, inputs, outputs] => {
                let rows = outer.iter().fold(1u64, |n, dim| n.saturating_mul(*dim));
                let tiles = inputs.saturating_mul(outputs);
                Self { down: inputs, across: outputs, rows, columns, tiles, kernels: Some((inputs, outputs)) }
            }
        }
    }

    /// Where an element lies, by its number in C order: tile, row, column.
    fn place(&self, at: u64) -> (u64, u64, u64) {
        if let Some((inputs, outputs)) = self.kernels {
            let (pixel, kernel) = (at / inputs.max(1) / outputs.max(1), at % inputs.saturating_mul(outputs).max(1));
            return (kernel, pixel / self.columns.max(1), pixel % self.columns.max(1));
        }
        let row = at / self.columns.max(1);
        (row / self.rows.max(1), row % self.rows.max(1), at % self.columns.max(1))
    }
}

impl Cells {
    /// Reads a part of a tensor.
    ///
    /// # Errors
    /// A tensor without numbers or without elements; what cannot be read, or is not what was saved.
    pub fn of(checkpoint: &Checkpoint, excerpt: &Excerpt) -> Result<Self> {
        let dtype = excerpt.tensor.dtype;
        let request = |why: String| Err(Error::new(ErrorKind::Request(why)).for_key(&excerpt.tensor.name));
        let Some(mut widener) = Widener::new(dtype) else {
            return request(format!("dtype {dtype} has no numbers to make a picture of"));
        };
        let shape = excerpt.region.shape();
        if excerpt.region.elements().is_none_or(|n| n == 0) {
            return request("there are no elements to make a picture of".to_owned());
        }
        let tiling = Tiling::of(&shape);
        let mut cells = Self::empty(&tiling);
        let mut at = 0u64;
        let size = widener.element_size().max(1);
        let checked = excerpt.read(checkpoint, &mut |bytes| {
            for some in bytes.chunks(4096 * size) {
                let mut add = |value: f64| cells.add(&tiling, &mut at, value);
                match widener.widen(some) {
                    Wide::Single(values) => values.iter().copied().map(f64::from).for_each(&mut add),
                    Wide::Double(values) => values.iter().copied().for_each(&mut add),
                    #[expect(clippy::cast_precision_loss, reason = "a colour of a few hundred")]
                    Wide::Int(values) => values.iter().map(|value| *value as f64).for_each(&mut add),
                    #[expect(clippy::cast_precision_loss, reason = "a colour of a few hundred")]
                    Wide::UInt(values) => values.iter().map(|value| *value as f64).for_each(&mut add),
                }
            }
            Ok(())
        })?;
        cells.checked = checked;
        Ok(cells)
    }

    fn empty(tiling: &Tiling) -> Self {
        let has_tiles = tiling.down.max(tiling.across) > 1;
        // Tiles that have no room are left out, where all of one tile has a place in larger cells.
        let step = |length: u64| length.div_ceil(if has_tiles { SIDE / 4 } else { SIDE }).max(1);
        let step = (step(tiling.rows), step(tiling.columns));
        let tile = (tiling.rows.div_ceil(step.0).max(1), tiling.columns.div_ceil(step.1).max(1));
        let shown = |tiles: u64, cells: u64| tiles.min((SIDE / (cells + 1)).max(1));
        let (down, across) = (shown(tiling.down, tile.0), shown(tiling.across, tile.1));
        let count = usize::try_from(down * across * tile.0 * tile.1).unwrap_or(0);
        Self {
            down: (down, tiling.down),
            across: (across, tiling.across),
            tile,
            step,
            values: vec![None; count],
            most: 0.0,
            nan: 0,
            infinite: 0,
            checked: Checked::Not,
        }
    }

    fn add(&mut self, tiling: &Tiling, at: &mut u64, value: f64) {
        let (tile, row, column) = tiling.place(*at);
        *at = at.saturating_add(1);
        if value.is_nan() {
            self.nan = self.nan.saturating_add(1);
        } else if value.is_infinite() {
            self.infinite = self.infinite.saturating_add(1);
        } else {
            self.most = self.most.max(value.abs());
        }
        let (down, across) = (tile / tiling.across.max(1), tile % tiling.across.max(1));
        if tile >= tiling.tiles || down >= self.down.0 || across >= self.across.0 {
            return;
        }
        let Some(n) = self.number((down, across), (row / self.step.0, column / self.step.1)) else { return };
        if let Some(known) = self.values.get_mut(n) {
            let is_farther = known.is_none_or(|known| !known.is_nan() && (value.is_nan() || value.abs() > known.abs()));
            if is_farther {
                *known = Some(value);
            }
        }
    }

    fn number(&self, tile: (u64, u64), cell: (u64, u64)) -> Option<usize> {
        let before = (tile.0 * self.across.0 + tile.1) * self.tile.0 * self.tile.1;
        usize::try_from(before + cell.0 * self.tile.1 + cell.1).ok()
    }

    /// The value of a cell, by the tile (down, across) and the cell in it (row, column); `None` where there is none.
    pub fn value(&self, tile: (u64, u64), cell: (u64, u64)) -> Option<f64> {
        self.values.get(self.number(tile, cell)?).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(shape: &[u64], value: impl Fn(u64) -> f64) -> Cells {
        let tiling = Tiling::of(shape);
        let mut cells = Cells::empty(&tiling);
        let mut at = 0;
        for n in 0..shape.iter().product() {
            cells.add(&tiling, &mut at, value(n));
        }
        cells
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn number(n: u64) -> f64 {
        n as f64
    }

    #[test]
    fn matrices_lie_as_they_are_and_kernels_side_by_side() {
        let matrix = cells(&[2, 3], number);
        assert_eq!((matrix.down, matrix.across, matrix.tile), ((1, 1), (1, 1), (2, 3)));
        assert_eq!(matrix.value((0, 0), (1, 2)), Some(5.0));
        // [height, width, inputs, outputs]: a tile for each pair of them.
        let kernels = cells(&[3, 2, 4, 5], number);
        assert_eq!((kernels.down, kernels.across, kernels.tile), ((4, 4), (5, 5), (3, 2)));
        assert_eq!(kernels.value((3, 1), (2, 1)), Some(number(((2 * 2 + 1) * 4 + 3) * 5 + 1)));
        let batch = cells(&[5, 2, 2], number);
        assert_eq!((batch.down, batch.across), ((2, 2), (3, 3)));
        assert_eq!((batch.value((1, 1), (1, 0)), batch.value((1, 2), (0, 0))), (Some(18.0), None));
        let vector = cells(&[300], number);
        assert_eq!((vector.tile, vector.value((0, 0), (6, 11))), ((7, 48), Some(299.0)));
        assert_eq!(vector.value((0, 0), (6, 12)), None, "behind the end");
        assert_eq!(cells(&[32], number).tile, (1, 32));
        assert_eq!(cells(&[], |_| -2.0).value((0, 0), (0, 0)), Some(-2.0));
    }

    #[test]
    fn what_stands_out_in_a_large_matrix_is_seen() {
        let large = cells(&[4100, 5], |n| match n {
            17 => -9.0,
            10_000 => f64::NAN,
            20_400 => f64::INFINITY,
            _ => 0.5,
        });
        assert_eq!((large.tile, large.step), ((1367, 5), (3, 1)));
        assert_eq!(large.value((0, 0), (1, 2)), Some(-9.0));
        assert!(large.value((0, 0), (666, 0)).unwrap().is_nan());
        assert_eq!(large.value((0, 0), (1360, 0)), Some(f64::INFINITY));
        assert_eq!((large.most.to_bits(), large.nan, large.infinite), (9.0f64.to_bits(), 1, 1));
    }

    #[test]
    fn shapes_that_are_claimed_cost_no_more_than_a_picture() {
        for shape in [&[u64::MAX, u64::MAX][..], &[u64::MAX], &[u64::MAX; 3], &[u64::MAX; 5], &[0, 4], &[1 << 40, 1, 1]]
        {
            let cells = Cells::empty(&Tiling::of(shape));
            assert!(cells.values.len() as u64 <= SIDE * SIDE, "{shape:?}: {}", cells.values.len());
        }
    }
}
