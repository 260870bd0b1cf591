//! `--part K/N`: one of several processes that work on one report; and what stands behind a command that only says how
//! and where it runs.

use std::ffi::OsString;
use std::io::{Seek, Write};
use std::sync::Arc;

use anyhow::Result;
use ckpt::analysis::parts::Share;
use ckpt::report::{PartOf, ShareText, write_part};

use super::{Ctx, Format, Status};

/// Which share of the bytes.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct PartArgs {
    /// Read only the K-th of N equal shares of the bytes, K from 1; with --format part, for ckpt merge.
    #[arg(long, value_name = "K/N", value_parser = share, help_heading = "More than one machine")]
    part: Option<(u64, u64)>,
}

/// The two numbers of `3/8`.
fn share(text: &str) -> Result<(u64, u64), String> {
    let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((number, of)) if (1..=of).contains(&number) => Ok((number, of)),
        Some((0, of)) if of > 0 => Err(format!("parts are counted from 1: 1/{of} is the first one")),
        _ => Err("K goes from 1 to N, as in 3/8".to_owned()),
    }
}

impl PartArgs {
    /// The share that is read, or all of them where they are merged; nothing where one process does everything. Refuses
    /// formats that there are not.
    pub(crate) fn share(self, has: &[Format], ctx: &mut Ctx) -> Result<Option<Arc<Share>>> {
        if let Some(merged) = &ctx.merged {
            let merged = Arc::clone(merged);
            ctx.require_format(has)?;
            return Ok(Some(merged));
        }
        let Some((number, of)) = self.part else {
            anyhow::ensure!(ctx.format != Format::Part, "--format part is what --part K/N writes: say which part");
            ctx.require_format(has)?;
            return Ok(None);
        };
        let what = "what one part found is no report of the whole: --part has the formats text and part";
        anyhow::ensure!(matches!(ctx.format, Format::Text | Format::Part), "{what}; ckpt merge has all others");
        Ok(Share::part(number, of).map(Arc::new))
    }
}

/// The share of this process, if it reads one only.
pub(crate) fn own(share: Option<&Share>) -> Option<&Share> {
    share.filter(|share| share.is_part())
}

/// Bytes of a report that are held in memory until it is known whether its parts belong together; more go to a file.
const HELD: usize = 16 << 20;

/// Shows a report that is made of parts: only when all has been asked of them is it known whether they are of these
/// checkpoints.
pub(crate) fn held<T>(
    share: Option<&Share>,
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let mut text = tempfile::SpooledTempFile::new(HELD);
    let said = write(&mut text)?;
    check(share)?;
    text.rewind()?;
    std::io::copy(&mut text, out)?;
    Ok(said)
}

/// Whether all parts that were merged are of this report. Asked before anything is shown.
pub(crate) fn check(share: Option<&Share>) -> Result<()> {
    match share {
        Some(share) if !share.is_part() => Ok(share.finish()?),
        _ => Ok(()),
    }
}

/// Ends a process that has read one share: writes what it came to, or tells it to people by `tell`.
pub(crate) fn end(
    command: &str,
    share: &Share,
    whole: u64,
    tell: impl FnOnce(&ShareText, &mut dyn Write) -> std::io::Result<Status>,
    ctx: &mut Ctx,
) -> Result<Status> {
    let report = share.report()?;
    if ctx.format == Format::Part {
        let of = PartOf { command: command.to_owned(), arguments: arguments(std::env::args_os().skip(1), command) };
        write_part(&of, &report, share.looked_at(), &mut ctx.out)?;
        return Ok(Status::Fine);
    }
    let text =
        ShareText { number: share.number().unwrap_or((1, 1)), looked_at: share.looked_at(), whole, look: ctx.look };
    Ok(tell(&text, &mut ctx.out)?)
}

/// What stands behind a command, without what only says how and where it runs.
fn arguments(all: impl Iterator<Item = OsString>, command: &str) -> Vec<OsString> {
    const WITH_VALUE: [&str; 4] = ["--part", "--format", "--threads", "--color"];
    let mut left = Vec::new();
    let mut all = all;
    while let Some(argument) = all.next() {
        let text = argument.to_str().unwrap_or_default();
        if text == "--" {
            left.push(argument);
            left.extend(all);
            break;
        }
        if WITH_VALUE.contains(&text) {
            all.next();
            continue;
        }
        let has_value = |name: &&str| text.strip_prefix(*name).is_some_and(|rest| rest.starts_with('='));
        if text == "--quiet" || WITH_VALUE.iter().any(has_value) {
            continue;
        }
        // Letters may stand together.
        let letters = text.strip_prefix('-').filter(|rest| !rest.is_empty());
        if let Some(letters) = letters.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_alphabetic())) {
            let others: String = letters.chars().filter(|letter| *letter != 'q').collect();
            left.extend((!others.is_empty()).then(|| OsString::from(format!("-{others}"))));
            continue;
        }
        left.push(argument);
    }
    let at = left.iter().position(|argument| argument == command);
    at.map(|at| left.remove(at));
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_it_runs_is_no_part_of_the_question() {
        let of = |line: &str| {
            let words = arguments(line.split(' ').map(OsString::from), "stats");
            words.iter().map(|word| word.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("stats m --part 1/2 --format part --threads=3 -q"), "m");
        assert_eq!(
            of("--quiet --color always stats --part=1/2 m stats --hist -rq --top 3"),
            "m stats --hist -r --top 3"
        );
        assert_eq!(of("stats -- -q --quiet"), "-- -q --quiet");
    }

    #[test]
    fn shares_are_written_as_two_numbers() {
        assert_eq!(share("3/8"), Ok((3, 8)));
        assert!(share("0/8").unwrap_err().contains("1/8"));
        assert!(["9/8", "3", "0/0", "-1/3", "a/b", ""].iter().all(|text| share(text).is_err()));
    }
}
