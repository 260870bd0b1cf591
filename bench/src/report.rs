//! Tables, as Markdown, so that they can stand in docs/performance.md as they are.

use std::fs;

use crate::cases::Case;
use crate::measure::{Measured, median};

/// Says what the numbers were measured on.
pub fn machine(scale: f64, threads: usize) {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = info.lines().find_map(|line| Some(line.strip_prefix("model name")?.trim_start_matches([' ', '\t', ':'])));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores of {}, {threads} threads, scale {scale}", cpu.unwrap_or("an unknown processor"));
}

/// Prints one case. The ratio is the median of the ratios to the floor of the same round.
pub fn table(case: &Case, measured: &[Measured]) {
    println!("\n### {}\n", case.title);
    println!("| | median ms | lowest to highest | ratio | promised | peak MB |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (candidate, measured) in case.candidates.iter().zip(measured) {
        let times: Vec<f64> = measured.times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        let (low, high) = times.iter().fold((f64::INFINITY, 0f64), |(low, high), t| (low.min(*t), high.max(*t)));
        let ratio = median(&measured.ratios);
        let target = match candidate.target {
            Some(target) if ratio <= target => format!("≤ {target}"),
            Some(target) => format!("≤ {target}, **missed**"),
            None => String::new(),
        };
        let peak = mb(measured.peak);
        println!(
            "| {} | {:.2} | {low:.2} to {high:.2} | {ratio:.2} | {target} | {peak} |",
            candidate.name,
            median(&times)
        );
    }
    if case.index > 0 {
        println!("\nThe index has {} MB.", mb(case.index));
    }
}

fn mb(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}
