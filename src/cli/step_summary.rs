//! The summary of a step: GitHub's runner names a file in `GITHUB_STEP_SUMMARY`, and shows what is appended to it.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use ckpt::base::escape::Escaped;
use ckpt::read::storage;

use super::{Ctx, Format};

/// A summary of a step that is longer is not shown at all.
const MOST: u64 = 1 << 20;

/// Appends a summary, made in no more than so many bytes, where the runner wants one and the format is its own. One that
/// cannot be written is told, and fails nothing: the check itself was made.
pub(crate) fn append(ctx: &mut Ctx, summary: impl FnOnce(usize) -> String) {
    let wanted = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
    let Some(file) = wanted.filter(|_| ctx.format == Format::Github) else { return };
    // What stands there already was written by this step too.
    let taken = storage::stat(Path::new(&file)).map_or(0, |stat| stat.len);
    let room = usize::try_from(MOST.saturating_sub(taken)).unwrap_or(0);
    let text = summary(room);
    if text.is_empty() {
        return ctx.note("the summary of this step is full: nothing was added to it");
    }
    if let Err(error) = write(&file, &text) {
        let shown = Escaped(file.as_encoded_bytes()).to_string();
        ctx.note(&format!("the summary of this step cannot be written ({shown}): {error}"));
    }
}

fn write(file: &OsString, text: &str) -> std::io::Result<()> {
    File::options().append(true).create(true).open(file)?.write_all(text.as_bytes())
}
