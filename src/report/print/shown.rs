//! What a picture of a tensor shows, in words.

use super::picture::Picture;
use crate::analysis::excerpt::{Cells, Excerpt};
use crate::analysis::short_name;
use crate::base::escape::escaped;
use crate::read::tensor::{Checked, Shape};
use crate::report::kit::figure::figure;
use crate::report::kit::units::{count, shape_text};

/// What a picture shows.
#[derive(Clone, Copy, Debug)]
pub struct PictureText<'p> {
    /// Of what.
    pub excerpt: &'p Excerpt,
    /// Its cells.
    pub cells: &'p Cells,
    /// How they are drawn.
    pub picture: &'p Picture,
}

impl PictureText<'_> {
    /// The tensor, with its dtype and shape.
    pub fn title(&self) -> String {
        let Excerpt { tensor, region, slice } = self.excerpt;
        let slice = slice.as_ref().map_or_else(String::new, |slice| format!("[{}]", escaped(slice.as_bytes())));
        let dims: Vec<i64> = region.shape().into_iter().map(|dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect();
        format!("{}{slice} {} {}", escaped(short_name(&tensor.name)), tensor.dtype, shape_text(&Shape::new(dims)))
    }

    /// What is seen, what is not, and how far it was checked.
    pub fn line(&self) -> String {
        let Self { cells, picture, .. } = *self;
        let mut facts = vec![self.title(), format!("{}×{} pixels", picture.width, picture.height)];
        facts.push(match picture.range {
            0.0 => "white: every finite element is 0".to_owned(),
            range => format!("blue -{0}, white 0, red {0}", figure(range)),
        });
        if picture.range < cells.most {
            facts.push(format!("what is farther has the colour of the end (up to {})", figure(cells.most)));
        }
        if cells.step != (1, 1) {
            let (rows, columns) = cells.step;
            facts.push(format!("a cell is the farthest from zero of {rows}×{columns} elements"));
        }
        let all = cells.down.1.saturating_mul(cells.across.1);
        if cells.down.0 < cells.down.1 || cells.across.0 < cells.across.1 {
            let shown = format!("{}×{}", cells.down.0, cells.across.0);
            facts.push(format!("the first {shown} of {}×{} tiles", count(cells.down.1), count(cells.across.1)));
        } else if all > 1 {
            facts.push(format!("{}×{} tiles", cells.down.1, cells.across.1));
        }
        for (n, what) in [(cells.nan, "NaN"), (cells.infinite, "infinite")] {
            if n > 0 {
                facts.push(format!("{} {what}", count(n)));
            }
        }
        facts.push(match (cells.checked, &self.excerpt.slice) {
            (Checked::Verified, _) => "checksum ok".to_owned(),
            (Checked::Not, Some(_)) => "checksum not checked: only a part was read".to_owned(),
            (Checked::Not, None) => "no checksum to check".to_owned(),
        });
        facts.join(" · ")
    }
}
