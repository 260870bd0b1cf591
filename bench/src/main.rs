//! `ckpt-bench`: `ckpt` against the floor, in one run. See docs/performance.md.

mod cases;
mod floor;
mod hdf5;
mod inputs;
mod installed_cases;
mod instructions;
mod matching_cases;
mod measure;
mod remote_cases;
mod report;
mod safetensors;
mod shape_cases;
mod shapes;
mod web_server;
mod writing_cases;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::cases::{GROUPS, Programs};
use crate::inputs::Inputs;
use crate::instructions::Build;

/// Measures `ckpt` against what the machine can do.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Makes inputs, builds `ckpt`, and prints a table of ratios.
    Run {
        /// Groups of cases; all of them if none is given.
        #[arg(value_parser = GROUPS)]
        groups: Vec<String>,
        /// Rounds of a long case.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
        /// Size of the inputs, 1 for the full one (about 45 GB for all groups).
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// Where the inputs lie; they are kept.
        #[arg(long, default_value = "target/bench")]
        dir: PathBuf,
        /// Worker threads of `ckpt` and of the floors.
        #[arg(long, default_value_t = 2)]
        threads: usize,
        /// The `ckpt` to measure instead of a fresh build of this one.
        #[arg(long)]
        ckpt: Option<PathBuf>,
        /// A Python with numpy, h5py and tfckpt, for the group `installed`.
        #[arg(long)]
        python: Option<PathBuf>,
        /// Builds without the default feature crc-fast, so that the crc32c crate sums.
        #[arg(long, conflicts_with = "ckpt")]
        no_default_features: bool,
    },
    /// Makes the inputs of groups of cases.
    #[command(hide = true)]
    Prepare {
        groups: Vec<String>,
        #[arg(long)]
        scale: f64,
        #[arg(long)]
        dir: PathBuf,
        /// What writes the same checkpoints in other formats.
        #[arg(long)]
        ckpt: PathBuf,
        /// What writes files that this program does not.
        #[arg(long)]
        python: Option<PathBuf>,
    },
    /// Counts instructions of a few fixed runs under valgrind and compares them with bench/instructions.txt.
    Instructions {
        /// Write the counts down instead.
        #[arg(long)]
        record: bool,
        /// Which build is counted, and made unless --ckpt has it.
        #[arg(long, value_enum, default_value = "dist")]
        build: Build,
        /// The `ckpt` of that build.
        #[arg(long)]
        ckpt: Option<PathBuf>,
    },
    /// Serves files on this machine until it is killed.
    #[command(hide = true)]
    Serve { dir: PathBuf },
    /// A floor: sum-read, sum-mapped, compare or download.
    #[command(hide = true)]
    Floor {
        what: String,
        files: Vec<PathBuf>,
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Task::Run { groups, rounds, scale, dir, threads, ckpt, python, no_default_features } => {
            let ckpt = ckpt.map_or_else(|| build(no_default_features, !no_default_features), Ok)?;
            let own = std::env::current_exe()?;
            let programs = Programs { ckpt, empty: own.with_file_name("empty"), own, threads, python };
            let groups = if groups.is_empty() { GROUPS.map(str::to_owned).to_vec() } else { groups };
            prepare(&programs, &groups, scale, &dir)?;
            let inputs = Inputs::new(dir, scale)?;
            report::machine(scale, threads);
            for group in groups {
                for case in programs.cases(&group, &inputs)? {
                    let measured = measure::measure(&case.candidates, rounds * case.times, &case.cold)?;
                    report::table(&case, &measured);
                }
            }
            Ok(())
        }
        Task::Prepare { groups, scale, dir, ckpt, python } => {
            let own = std::env::current_exe()?;
            let programs = Programs { ckpt, empty: own.clone(), own, threads: 1, python };
            let inputs = Inputs::new(dir, scale)?;
            groups.iter().try_for_each(|group| programs.cases(group, &inputs).map(drop))
        }
        Task::Instructions { record, build: kind, ckpt } => {
            let ckpt = match (ckpt, kind) {
                (Some(ckpt), _) => ckpt,
                (None, Build::Dev) => bail!("--build dev counts what tests have built: --ckpt target/debug/ckpt"),
                (None, _) => build(kind == Build::DistWithoutCrcFast, false)?,
            };
            instructions::run(&ckpt, kind, record)
        }
        Task::Serve { dir } => web_server::serve(&dir),
        Task::Floor { what, files, threads } => match (what.as_str(), files.as_slice()) {
            ("sum-read", files) => floor::sum_read(files, threads),
            ("sum-mapped", files) => floor::sum_mapped(files, threads),
            ("download", urls) => web_server::download(urls, threads),
            ("compare", [a, b]) => floor::compare(a, b, threads),
            _ => bail!("no such floor"),
        },
    }
}

/// Makes all inputs in a process of its own: the memory that a child starts with counts among its own peak.
fn prepare(programs: &Programs, groups: &[String], scale: f64, dir: &Path) -> Result<()> {
    let mut command = Command::new(&programs.own);
    command.arg("prepare").args(groups).arg("--scale").arg(scale.to_string()).arg("--dir").arg(dir);
    command.arg("--ckpt").arg(&programs.ckpt);
    if let Some(python) = &programs.python {
        command.arg("--python").arg(python);
    }
    if !command.status()?.success() {
        bail!("the inputs cannot be made");
    }
    Ok(())
}

/// Builds `ckpt` by the profile of releases, and the empty program, and says where the first lies. `has_all` turns on what
/// released binaries have and a plain build has not.
fn build(no_default_features: bool, has_all: bool) -> Result<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(&root).args(["build", "--profile", "dist", "--quiet", "-p", "ckpt", "-p", "ckpt-bench"]);
    if no_default_features {
        command.args(["--no-default-features", "--features", "cli,run"]);
    } else if has_all {
        command.args(["--features", "ckpt/browse,ckpt/remote"]);
    }
    if !command.status().context("cannot start cargo")?.success() {
        bail!("ckpt does not build");
    }
    let target =
        std::env::current_exe()?.parent().and_then(Path::parent).context("cargo has a target folder")?.to_owned();
    Ok(target.join("dist/ckpt"))
}
