//! `ckpt run` for people.

use std::io::{self, Write};

use super::facts::{RunReport, RunTimes};
use crate::analysis::Severity;
use crate::analysis::excerpt::Excerpt;
use crate::analysis::ops::OpsReport;
use crate::analysis::run::{Port, RunModel};
use crate::base::error::Result;
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::numpy::{Layout, Options, quoted};
use crate::read::tensor::{DType, Element, Shape};
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::units::{count, shape_text};
use crate::report::kit::wrap::folded;
use crate::report::ops::text::ops_text;
use crate::report::print::output;
use crate::report::print::text::{PrintText, write_elements};

/// The outputs, and what it took to get them.
pub(super) fn run_text(
    report: &RunReport<'_>,
    results: &Checkpoint,
    times: RunTimes<'_>,
    printed: PrintText,
    out: &mut dyn Write,
) -> Result<()> {
    let look = printed.look;
    let (bold, dim) = (look.bold(), look.dim());
    let options = Options {
        precision: printed.precision,
        full: printed.full,
        line_width: look.width.unwrap_or(80).saturating_sub(1).clamp(40, 200),
        ..Options::default()
    };
    let outputs = report.outputs(results)?;
    let mut odd = Vec::new();
    for excerpt in &outputs {
        let tensor = &excerpt.tensor;
        let (name, shape) = (escaped(&tensor.name), shape_text(&tensor.shape));
        writeln!(out, "{bold}{name}{bold:#}  {dim}{} {shape}{dim:#}", tensor.dtype).map_err(output)?;
        let layout = Layout::new(&excerpt.region.shape(), &options);
        write_elements(results, excerpt, &layout, &options, out, &mut |writer, bytes| match tensor.dtype {
            DType::String => writer.push_text(&quoted(bytes, options.full)),
            dtype => Element::decode_all(dtype, bytes).into_iter().flatten().try_for_each(|e| writer.push(&e)),
        })?;
        odd.extend(not_finite(results, excerpt)?);
        writeln!(out).map_err(output)?;
    }
    for line in odd {
        writeln!(out, "{}", folded(&line, 0, 2, look)).map_err(output)?;
    }
    let text = answered(report, times);
    writeln!(out, "{bold}{}{bold:#}", folded(&text, 0, 2, look)).map_err(output)
}

/// What of an output is no number, which is easily overlooked among many.
fn not_finite(results: &Checkpoint, excerpt: &Excerpt) -> Result<Option<String>> {
    let (mut odd, mut all) = (0u64, 0u64);
    let dtype = excerpt.tensor.dtype;
    if dtype == DType::String {
        return Ok(None);
    }
    excerpt.read(results, &mut |bytes| {
        for element in Element::decode_all(dtype, bytes).into_iter().flatten() {
            all += 1;
            odd += u64::from(match element {
                Element::Float(value) => !value.value().is_finite(),
                Element::Complex(re, im) => !re.value().is_finite() || !im.value().is_finite(),
                _ => false,
            });
        }
        Ok(())
    })?;
    let name = escaped(&excerpt.tensor.name);
    Ok((odd > 0).then(|| format!("{name}: {} of {} values are NaN or infinite", count(odd), count(all))))
}

/// The verdict: the model answers.
fn answered(report: &RunReport<'_>, times: RunTimes<'_>) -> String {
    let by =
        report.plan.signature.as_ref().map_or_else(String::new, |name| format!(" by {}", escaped(name.as_bytes())));
    let version = report.engine.and_then(|engine| engine.version).unwrap_or_default();
    let mut sorted = times.runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let runs = match (times.runs, sorted.get(sorted.len() / 2)) {
        ([first, _, ..], Some(median)) => {
            let fastest = sorted.first().copied().unwrap_or_default();
            format!(
                "{} runs, median {}, fastest {}, first {}",
                count(sorted.len() as u64),
                seconds(*median),
                seconds(fastest),
                seconds(*first)
            )
        }
        (_, one) => format!("in {}", seconds(one.copied().unwrap_or_default())),
    };
    format!(
        "{} answers{by}: {runs}; the model loaded in {}, TensorFlow {version} in {}",
        shown(report.given),
        seconds(times.load),
        seconds(times.engine)
    )
}

/// `12.3 ms`, `1.25 s`.
fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

/// What would be run, and what it can touch.
pub(super) fn run_plan_text(
    report: &RunReport<'_>,
    is_refused: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim) = (look.bold(), look.dim());
    let plan = report.plan;
    if !is_refused {
        let mut row = |label: &str, text: &str| writeln!(out, "{dim}{label:<10}{dim:#}{}", folded(text, 10, 12, look));
        let of = match &plan.model {
            RunModel::Saved { tags, lacks_variables, .. } => {
                let tagged = if tags.is_empty() { String::new() } else { format!(", tagged {}", tags.join(", ")) };
                let lacks = if *lacks_variables { "; its variables are NOT there" } else { "" };
                format!("{}{lacks}", escaped(tagged.as_bytes()))
            }
            RunModel::Graph { restoring, table_initializers, .. } => {
                let from = restoring.as_ref().map(|of| format!(", variables from {}", shown(&of.prefix)));
                let tables = match table_initializers.len() {
                    0 => String::new(),
                    1 => ", tables filled by 1 op".to_owned(),
                    n => format!(", tables filled by {n} ops"),
                };
                from.unwrap_or_default() + &tables
            }
        };
        row("model", &format!("{}{of}", shown(plan.path())))?;
        if let Some(name) = &plan.signature {
            row("signature", &escaped(name.as_bytes()))?;
        }
        for port in &plan.inputs {
            row("takes", &takes(report, port))?;
        }
        for (name, of) in &plan.composites {
            row("takes", &format!("{} {}, by --feed", escaped(name.as_bytes()), escaped(of.as_bytes())))?;
        }
        for port in &plan.outputs {
            row("gives", &format!("{} {}", escaped(port.name.as_bytes()), port.spec()))?;
        }
        match report.engine {
            Some(engine) => row("engine", &format!("{}, by {}", shown(engine.library), engine.by))?,
            None => row("engine", "none was found")?,
        }
        writeln!(out)?;
    }
    ops_text(report.given, report.ops, look, out)?;
    let verdict = verdict(report, is_refused);
    writeln!(out, "{bold}{}{bold:#}", folded(&verdict, 0, 2, look))
}

/// An input with what is given for it.
fn takes(report: &RunReport<'_>, port: &Port) -> String {
    let wants = format!("{} {}", escaped(port.name.as_bytes()), port.spec());
    match report.inputs.iter().find(|input| input.name == port.name) {
        Some(input) => {
            let dims: Vec<i64> = input.shape.iter().map(|dim| dim.cast_signed()).collect();
            let from = escaped(input.from.as_bytes());
            format!("{wants}: {} {} from {from}", input.dtype, shape_text(&Shape::new(dims)))
        }
        None if port.is_optional => format!("{wants}: not given, and not needed"),
        None => format!("{wants}: NOT given"),
    }
}

fn verdict(report: &RunReport<'_>, is_refused: bool) -> String {
    if !report.ops.is_complete() {
        return "nothing was run: of a model that cannot be looked at as a whole nobody knows what it does".to_owned();
    }
    if is_refused {
        let allow = blocking(report.ops).map(|code| format!("--allow {code}")).collect::<Vec<_>>().join(" ");
        return format!("nothing was run, because of what the model can do; {allow} runs it all the same");
    }
    "nothing was run: this is what would be".to_owned()
}

/// The codes of the findings that stop a run, once each.
fn blocking(ops: &OpsReport) -> impl Iterator<Item = &'static str> {
    let errors = ops.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let names: std::collections::BTreeSet<&'static str> = errors.map(|finding| finding.code.name()).collect();
    names.into_iter()
}
