//! Whole processes, run in turn: first, second, third, first, …, so that whatever else the machine does falls on all of
//! them. What counts is the ratio to the floor of the same round; absolute times move by half within an hour.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait4::Wait4;

/// A command to be measured.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What the table calls it.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The exit status that it must have.
    pub status: i32,
    /// The most that it may take, as a multiple of the first candidate, if there is a promise.
    pub target: Option<f64>,
}

/// What was measured of one candidate.
#[derive(Debug)]
pub struct Measured {
    /// Wall-clock time of every round.
    pub times: Vec<Duration>,
    /// Ratio to the first candidate of the same round.
    pub ratios: Vec<f64>,
    /// Largest resident set of any round, in bytes.
    pub peak: u64,
}

/// Runs all candidates `rounds` times in turn, after one round that is not counted. Before each run the page cache
/// forgets the files in `cold`.
///
/// # Errors
/// If one of them cannot be started, or ends with another status than it should.
pub fn measure(candidates: &[Candidate], rounds: usize, cold: &[PathBuf]) -> Result<Vec<Measured>> {
    let mut all: Vec<Measured> =
        candidates.iter().map(|_| Measured { times: Vec::new(), ratios: Vec::new(), peak: 0 }).collect();
    for round in 0..=rounds {
        let mut floor = None;
        for (candidate, measured) in candidates.iter().zip(&mut all) {
            cold.iter().try_for_each(|file| forget(file))?;
            let (time, peak) = run(candidate)?;
            if round == 0 {
                continue;
            }
            let floor = *floor.get_or_insert(time);
            measured.times.push(time);
            measured.ratios.push(time.as_secs_f64() / floor.as_secs_f64());
            measured.peak = measured.peak.max(peak);
        }
    }
    Ok(all)
}

/// Drops a file from the page cache, with the means of GNU dd: the standard library has none.
fn forget(file: &Path) -> Result<()> {
    let mut dd = Command::new("dd");
    dd.arg(format!("if={}", file.display())).args(["iflag=nocache", "count=0", "status=none"]);
    if !dd.status().context("cannot start dd")?.success() {
        bail!("dd cannot drop {} from the page cache", file.display());
    }
    Ok(())
}

fn run(candidate: &Candidate) -> Result<(Duration, u64)> {
    let (program, arguments) = candidate.command.split_first().context("an empty command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let used = child.wait4().with_context(|| format!("cannot wait for {program}"))?;
    let time = start.elapsed();
    let status = used.status.code();
    if status != Some(candidate.status) {
        bail!("{}: exit status {status:?} instead of {}", candidate.command.join(" "), candidate.status);
    }
    Ok((time, used.rusage.maxrss))
}

pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) fn cat(name: &str, files: &[PathBuf]) -> Candidate {
    let command = std::iter::once("cat".to_owned()).chain(files.iter().map(|file| text(file))).collect();
    Candidate { name: name.to_owned(), command, status: 0, target: None }
}

/// A line of the shell.
pub(crate) fn shell(name: &str, line: String, target: Option<f64>) -> Candidate {
    Candidate { name: name.to_owned(), command: vec!["sh".to_owned(), "-c".to_owned(), line], status: 0, target }
}

pub(crate) fn size(files: &[PathBuf]) -> Result<u64> {
    files.iter().map(|file| Ok(std::fs::metadata(file)?.len())).sum()
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => f64::NAN,
        1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
    }
}
