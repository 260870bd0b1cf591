//! `ckpt print --image`: a tensor as a picture, in a file or in the terminal.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use ckpt::analysis::excerpt::{Cells, Excerpt};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{Picture, PictureText, size, write_kitty, write_png, write_sixel};

use super::written::Written;
use super::{Ctx, Format};

/// How a tensor is drawn.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "As a picture")]
pub(super) struct ImageArgs {
    /// Write one tensor as a picture (PNG): blue below zero, red above, a scale below it. Kernels of convolutions, and
    /// matrices in a row, lie side by side.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Show the picture in a terminal that knows Sixel.
    #[arg(long, conflicts_with = "kitty")]
    sixel: bool,
    /// Show the picture in a terminal that knows the graphics of kitty.
    #[arg(long)]
    kitty: bool,
    /// Let the scale end at X and -X, instead of at the element farthest from zero.
    #[arg(long, value_name = "X", value_parser = positive)]
    range: Option<f64>,
    /// Replace FILE of --image.
    #[arg(long, requires = "image")]
    force: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0).ok_or_else(|| "not a number above 0".to_owned())
}

impl ImageArgs {
    /// Whether a picture is wanted.
    pub(super) fn is_given(&self) -> bool {
        self.image.is_some() || self.sixel || self.kitty
    }

    /// Refuses what does not go together.
    pub(super) fn check(&self, ctx: &Ctx) -> Result<()> {
        anyhow::ensure!(self.is_given() || self.range.is_none(), "--range is for --image, --sixel and --kitty");
        if self.is_given() {
            ctx.require_format(&[Format::Text])?;
        }
        Ok(())
    }

    /// Draws one tensor, and says what is to be seen.
    pub(super) fn show(&self, checkpoint: &Checkpoint, excerpt: &Excerpt, ctx: &mut Ctx) -> Result<()> {
        let file =
            self.image.as_deref().map(|path| Ok::<_, anyhow::Error>((path, Written::begin(path, || self.force, "")?)));
        let file = file.transpose()?;
        let cells = Cells::of(checkpoint, excerpt)?;
        let picture = Picture::of(&cells, self.range);
        let text = PictureText { excerpt, cells: &cells, picture: &picture };
        if self.sixel {
            write_sixel(&picture, &mut ctx.out)?;
        }
        if self.kitty {
            write_kitty(&picture, &text.title(), &mut ctx.out)?;
        }
        let said = text.line();
        match file {
            Some((path, mut file)) => {
                file.fill(|out| write_png(&picture, &text.title(), out))?;
                let bytes = size(file.finish()?);
                let (bold, shown) = (ctx.look.bold(), escaped(path.as_os_str().as_encoded_bytes()));
                writeln!(ctx.out, "{bold}{shown}{bold:#}: {bytes} · {said}")?;
            }
            None => writeln!(ctx.out, "{said}")?,
        }
        Ok(())
    }
}
