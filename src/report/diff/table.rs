//! `diff` as a table for other programs: CSV, and Markdown for a pull request.

use std::io::{self, Write};

use super::DiffRows;
use super::match_text::remarks;
use super::spectral;
use super::text::summary_text;
use crate::analysis::diff::{Change, Diff, Facts, How, Status};
use crate::analysis::short_name;
use crate::base::escape::escaped;
use crate::report::kit::csv::csv_output;
use crate::report::kit::markdown::{code, plain};
use crate::report::kit::units::{count, percent, shape_text};
use crate::report::stats::spectral as stats;

/// `diff --format csv`: one change a row, under a header.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diff_csv(rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    csv_header(rows.spectral, out)?;
    csv_rows(&rows.rows, rows.spectral, out)
}

/// The header; columns for singular values stand there if they were asked for.
pub(in crate::report) fn csv_header(has_spectral: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let header = "name,a_name,status,a_dtype,a_shape,b_dtype,b_shape,elements,changed_elements,max_abs,max_rel,mean_abs,\
                  rel_l2,cosine,max_ulps,at,error,how,suspect,differs";
    let more = has_spectral.then(|| stats::COLUMNS.into_iter().chain(spectral::COLUMNS)).into_iter().flatten();
    csv.write_record(header.split(',').chain(more)).map_err(csv_output)?;
    csv.flush()
}

/// Rows without a header.
pub(in crate::report) fn csv_rows(rows: &[&Change], has_spectral: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    for change in rows {
        let dtype = |facts: &Option<Facts>| facts.as_ref().map(|f| f.dtype.to_string()).unwrap_or_default();
        let shape = |facts: &Option<Facts>| facts.as_ref().map(|f| f.shape.to_string()).unwrap_or_default();
        let values = change.values.as_deref();
        let figures = values.and_then(|values| values.figures);
        let figure = |figure: Option<f64>| figure.map(|figure| figure.to_string()).unwrap_or_default();
        let whole = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let at = values.and_then(|values| values.at.as_ref());
        let at = at.map(|at| at.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")).unwrap_or_default();
        let errors: Vec<String> =
            change.trouble.iter().map(|(side, error)| format!("{}: {error}", side.name())).collect();
        let matched = change.matched.as_deref();
        let exact = figures.and_then(|f| f.max_abs_integer);
        let found = values.and_then(|values| values.spectral.as_deref());
        let more = has_spectral
            .then(|| stats::cells(found.map(|found| &found.spectrum)).into_iter().chain(spectral::cells(found)));
        [
            escaped(change.name()).as_ref(),
            change.a_name().map(escaped).unwrap_or_default().as_ref(),
            change.status.name(),
            &dtype(&change.a),
            &shape(&change.a),
            &dtype(&change.b),
            &shape(&change.b),
            &whole(values.map(|values| values.elements)),
            &whole(values.map(|values| values.changed)),
            &exact.map_or_else(|| figure(figures.map(|f| f.max_abs)), |exact| exact.to_string()),
            &figure(figures.map(|f| f.max_rel)),
            &figure(figures.map(|f| f.mean_abs)),
            &figure(figures.and_then(|f| f.rel_l2)),
            &figure(figures.and_then(|f| f.cosine)),
            &whole(figures.and_then(|f| f.max_ulps)),
            &at,
            &errors.join("; "),
            matched.and_then(|matched| matched.how.as_ref()).map_or("", How::kind),
            escaped(change.suspect().unwrap_or_default().as_bytes()).as_ref(),
            matched.and_then(|matched| matched.differs.as_deref()).unwrap_or_default(),
        ]
        .iter()
        .try_for_each(|cell| csv.write_field(cell))
        .map_err(csv_output)?;
        more.into_iter().flatten().try_for_each(|cell| csv.write_field(cell)).map_err(csv_output)?;
        csv.write_record(None::<&[u8]>).map_err(csv_output)?;
    }
    csv.flush()
}

/// `diff --format markdown`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn diff_markdown(diff: &Diff<'_>, rows: &DiffRows<'_>, out: &mut dyn Write) -> io::Result<()> {
    markdown_header(out)?;
    rows.rows.iter().try_for_each(|change| writeln!(out, "{}", markdown_row(change)))?;
    markdown_foot(diff, rows.hidden, out)
}

pub(in crate::report) fn markdown_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| name | status | A | B | changed | max \\|Δ\\| | rel L2 | cosine |")?;
    writeln!(out, "|---|---|---|---|---:|---:|---:|---:|")
}

pub(in crate::report) fn markdown_foot(diff: &Diff<'_>, hidden: usize, out: &mut dyn Write) -> io::Result<()> {
    if hidden > 0 {
        writeln!(out, "\n{} more are not shown", count(hidden as u64))?;
    }
    let parts: Vec<String> = Status::ALL
        .into_iter()
        .filter(|status| diff.tally.of(*status) > 0)
        .map(|status| format!("{} {}", count(diff.tally.of(status)), status.name().replace('_', " ")))
        .collect();
    if diff.matched.is_some() {
        let (word, text) = summary_text(diff);
        return writeln!(out, "\n**{word}**: {}", plain(&text));
    }
    let low_ranks = spectral::verdict(diff);
    let parts: Vec<String> = parts.into_iter().chain(low_ranks).collect();
    writeln!(out, "\n{}", if parts.is_empty() { "nothing compared".to_owned() } else { parts.join(", ") })
}

/// What became of it, and what is said of it besides.
fn status_words(change: &Change) -> String {
    let mut text = change.status.name().replace('_', " ");
    for remark in remarks(change).into_iter().chain(spectral::remark(change)) {
        text.push_str("; ");
        text.push_str(&plain(&remark));
    }
    text
}

/// One row.
pub(in crate::report) fn markdown_row(change: &Change) -> String {
    let side = |facts: &Option<Facts>| {
        facts.as_ref().map(|facts| format!("{} {}", facts.dtype, shape_text(&facts.shape))).unwrap_or_default()
    };
    let mut name = code(&escaped(short_name(change.name())));
    if let Some(a_name) = change.a_name() {
        name = format!("{} → {name}", code(&escaped(short_name(a_name))));
    }
    let values = change.values.as_deref();
    let figures = values.and_then(|values| values.figures);
    let figure = |figure: Option<f64>| figure.map(|figure| format!("{figure:.3e}")).unwrap_or_default();
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} |",
        status_words(change),
        side(&change.a),
        side(&change.b),
        values.map(|values| percent(values.changed, values.elements)).unwrap_or_default(),
        figure(figures.map(|f| f.max_abs)),
        figure(figures.and_then(|f| f.rel_l2)),
        figures.and_then(|f| f.cosine).map(|cosine| format!("{cosine:.4}")).unwrap_or_default(),
    )
}
