//! A guard against slow creep: instructions of a few fixed runs, which do not depend on what else the machine does.
//!
//! The counts belong to one compiler and one C library; a change of more than a few per cent that nobody meant is what the
//! guard is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::inputs::Inputs;
use crate::shapes::Shape;

/// How far a count may be from the recorded one.
const SLACK: f64 = 0.03;

/// A build whose counts are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Build {
    /// As tests build it: what is counted is the way that is gone, whatever the compiler makes of it.
    Dev,
    /// As it is released.
    Dist,
    /// As it is released, without the default feature crc-fast.
    DistWithoutCrcFast,
}

impl Build {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Dist => "dist",
            Self::DistWithoutCrcFast => "dist-without-crc-fast",
        }
    }
}

/// Runs all of them and compares, or records.
pub fn run(ckpt: &Path, build: Build, record: bool) -> Result<()> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    // Without optimization a run takes thirty times as long.
    let inputs = Inputs::new("target/bench".into(), if build == Build::Dev { 0.001 } else { 0.01 })?;
    let (small, many, slots) = (inputs.small()?, inputs.many(0)?, inputs.shaped(Shape::SaverAdam)?);
    let partitioned = inputs.partitioned()?;
    let (a, b) = (inputs.of_type(ckpt_synth::dtype::FLOAT, 0)?, inputs.of_type(ckpt_synth::dtype::FLOAT, 1)?);
    let runs: [(&str, Vec<&Path>, i32); 10] = [
        ("list small", vec![&small], 0),
        ("inspect small", vec![&small], 0),
        ("list many", vec![&many], 0),
        ("list slots", vec![&slots], 0),
        ("list partitioned", vec![&partitioned], 0),
        ("validate many", vec![&many], 0),
        ("validate floats", vec![&a], 0),
        ("stats floats", vec![&a], 0),
        ("diff many", vec![&many, &many], 0),
        ("diff floats", vec![&a, &b], 1),
    ];
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let own = format!("{} ", build.name());
    // Counts belong to a compiler, a C library and a valgrind.
    let tools = format!("{own}with {}", tools()?);
    if !record && !recorded.lines().any(|line| line == tools) {
        println!("not compared: what is recorded was not counted {}", tools.trim_start_matches(&own));
        return Ok(());
    }
    let mut lines: Vec<String> =
        recorded.lines().filter(|line| !line.starts_with(&own)).map(|line| format!("{line}\n")).collect();
    lines.push(format!("{tools}\n"));
    let mut changed = Vec::new();
    // What loops over numbers cost says nothing before it is optimized.
    let is_counted = |name: &str| build != Build::Dev || !name.ends_with("floats");
    for (name, paths, status) in runs.into_iter().filter(|(name, ..)| is_counted(name)) {
        let count = count(ckpt, name, &paths, status)?;
        let known =
            recorded.lines().find_map(|line| line.strip_prefix(&own)?.strip_prefix(name)?.trim().parse::<f64>().ok());
        let change = known.map(|known| count / known - 1.0);
        match change {
            Some(change) => println!("{name:20} {count:>14.0}  {:+.1} %", change * 100.0),
            None => println!("{name:20} {count:>14.0}"),
        }
        if !record && change.is_none_or(|change| change.abs() > SLACK) {
            changed.push(name);
        }
        lines.push(format!("{own}{name} {count:.0}\n"));
    }
    if record {
        return Ok(fs::write(file, lines.concat())?);
    }
    if !changed.is_empty() {
        bail!(
            "changed by more than {:.0} %: {}; if it was meant, run with --record",
            SLACK * 100.0,
            changed.join(", ")
        );
    }
    Ok(())
}

/// The versions of what decides about a count.
fn tools() -> Result<String> {
    let mut all = Vec::new();
    for program in ["rustc", "ldd", "valgrind"] {
        let said =
            Command::new(program).arg("--version").output().with_context(|| format!("cannot start {program}"))?;
        let said = String::from_utf8_lossy(&said.stdout);
        all.push(said.lines().next().unwrap_or_default().to_owned());
    }
    Ok(all.join(", "))
}

fn count(ckpt: &Path, name: &str, paths: &[&Path], status: i32) -> Result<f64> {
    let out = std::env::temp_dir().join(format!("ckpt-bench-{}.callgrind", std::process::id()));
    let command = name.split(' ').next().unwrap_or(name);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--error-exitcode=99"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(ckpt)
        .arg(command)
        .args(paths)
        .args(["--threads", "1"])
        .stdout(Stdio::null())
        .output()
        .context("cannot start valgrind")?;
    let written = fs::read_to_string(&out).unwrap_or_default();
    let _ = fs::remove_file(&out);
    if run.status.code() != Some(status) {
        bail!("ckpt {name}: {:?}: {}", run.status.code(), String::from_utf8_lossy(&run.stderr));
    }
    let total = written.lines().find_map(|line| line.strip_prefix("summary:").or(line.strip_prefix("totals:")));
    let total = total.context("valgrind wrote no total")?;
    total.trim().parse().context("not a count")
}
