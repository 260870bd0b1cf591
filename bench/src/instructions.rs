//! A guard against slow creep: instructions of a few fixed runs, which do not depend on what else the machine does.
//!
//! The counts belong to one compiler and one processor's choice of kernels; a change of more than a few per cent that
//! nobody meant is what the guard is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::inputs::Inputs;

/// How far a count may be from the recorded one.
const SLACK: f64 = 0.03;

/// Runs all of them and compares, or records.
pub fn run(ckpt: &Path, record: bool) -> Result<()> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let inputs = Inputs::new("target/bench".into(), 0.01)?;
    let (small, many) = (inputs.small()?, inputs.many(0)?);
    let (a, b) = (inputs.of_type(ckpt_synth::dtype::FLOAT, 0)?, inputs.of_type(ckpt_synth::dtype::FLOAT, 1)?);
    let runs: [(&str, Vec<&Path>, i32); 7] = [
        ("list small", vec![&small], 0),
        ("inspect small", vec![&small], 0),
        ("list many", vec![&many], 0),
        ("validate many", vec![&many], 0),
        ("validate floats", vec![&a], 0),
        ("stats floats", vec![&a], 0),
        ("diff floats", vec![&a, &b], 1),
    ];
    let recorded = if record { String::new() } else { fs::read_to_string(&file).context("nothing recorded yet")? };
    let mut lines = Vec::new();
    let mut worse = Vec::new();
    for (name, paths, status) in runs {
        let count = count(ckpt, name, &paths, status)?;
        let known = recorded.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        let change = known.map(|known| count / known - 1.0);
        match change {
            Some(change) => println!("{name:20} {count:>14.0}  {:+.1} %", change * 100.0),
            None => println!("{name:20} {count:>14.0}"),
        }
        if change.is_some_and(|change| change.abs() > SLACK) {
            worse.push(name);
        }
        lines.push(format!("{name} {count:.0}\n"));
    }
    if record {
        return Ok(fs::write(file, lines.concat())?);
    }
    if !worse.is_empty() {
        bail!("changed by more than {:.0} %: {}; if it was meant, run with --record", SLACK * 100.0, worse.join(", "));
    }
    Ok(())
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
