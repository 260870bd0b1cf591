//! What is seen first: what it is, whether it is whole, and what was found.

use askama::Template;

use super::given::PageReport;
use crate::analysis::{Finding, Role, Severity, Summary};
use crate::read::checkpoint::Checkpoint;
use crate::report::Look;
use crate::report::findings::text::verdict;
use crate::report::inspect::text::{judge, kind_facts, role_words, size_facts};
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, percent, size};

/// Findings that a page tells one by one.
const MOST: usize = 40;

/// How long a text of a finding may be: a message may list every variable of a model.
const LONG: usize = 800;

/// The class of rectangles and cells of a role.
pub(super) fn role_class(role: Role) -> String {
    format!("r{}", Role::ALL.iter().position(|of| *of == role).unwrap_or(7))
}

/// A finding as it is shown.
#[derive(Debug)]
struct Told {
    class: &'static str,
    sign: &'static str,
    severity: &'static str,
    code: &'static str,
    message: String,
    certain: Option<String>,
    likely: Option<String>,
    help: Option<String>,
}

/// The sums of a role.
#[derive(Debug)]
struct RoleRow {
    class: String,
    what: String,
    tensors: String,
    parameters: String,
    size: String,
    share: String,
    /// Thousandths of the whole.
    wide: u64,
}

/// The first screen.
#[derive(Debug, Template)]
#[template(path = "first.html")]
pub(super) struct First {
    /// Lines that say whether it is whole.
    verdict: Vec<String>,
    is_ok: bool,
    facts: Vec<(&'static str, String)>,
    findings: Vec<Told>,
    more: String,
    errors: usize,
    warnings: usize,
    /// Findings about a restore.
    restores: usize,
    roles: Vec<RoleRow>,
    judge: String,
}

impl First {
    pub(super) fn of(report: &PageReport<'_>) -> Self {
        let validation = report.validation;
        let mut text = Vec::new();
        // Nothing goes wrong where everything fits in memory.
        let _ = verdict(validation, report.quick, Look::default(), &mut text);
        let verdict = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
        // What is wrong with a restore is told with it.
        let of_files = |finding: &&Finding| !finding.code.is_restore();
        let mut all: Vec<&Finding> = validation.findings.iter().filter(of_files).collect();
        let others = report.summary.iter().flat_map(|summary| &summary.findings);
        let others = others.chain(report.timeline.iter().flat_map(|timeline| &timeline.findings));
        for finding in others {
            let is_told = |told: &&&Finding| told.code == finding.code && told.message == finding.message;
            if !all.iter().any(|told| is_told(&told)) {
                all.push(finding);
            }
        }
        all.sort_by_key(|finding| finding.severity);
        let of = |severity: Severity| all.iter().filter(|finding| finding.severity == severity).count();
        let more = match all.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!("… and {} more; ckpt validate lists them all", count(more as u64)),
        };
        let (facts, roles, judge) = match (report.checkpoint, report.summary) {
            (Some(checkpoint), Some(summary)) => (facts(checkpoint, summary), roles(summary), judge(summary)),
            _ => (vec![("what", "nothing here could be opened as a checkpoint".to_owned())], Vec::new(), String::new()),
        };
        Self {
            verdict,
            is_ok: of(Severity::Error) == 0 && validation.is_ok(),
            restores: validation.findings.iter().filter(|finding| finding.code.is_restore()).count(),
            facts,
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            findings: all.into_iter().take(MOST).map(told).collect(),
            more,
            roles,
            judge,
        }
    }
}

fn told(finding: &Finding) -> Told {
    let (class, sign) = match finding.severity {
        Severity::Error => ("bad", "✗"),
        Severity::Warning => ("doubt", "!"),
        Severity::Note => ("note", "·"),
    };
    let cause = finding.cause.as_ref();
    Told {
        class,
        sign,
        severity: finding.severity.name(),
        code: finding.code.name(),
        message: cut(&finding.message),
        certain: cause.map(|cause| cut(&cause.certain)),
        likely: cause.and_then(|cause| cause.likely.as_deref()).map(cut),
        help: finding.help.as_deref().map(cut),
    }
}

/// The beginning of what is very long.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn facts(checkpoint: &Checkpoint, summary: &Summary) -> Vec<(&'static str, String)> {
    let mut kind = kind_facts(checkpoint, summary).into_iter();
    let mut facts = vec![("kind", kind.next().unwrap_or_default())];
    let step = summary.step.words().join(", ");
    facts.push(("step", if step.is_empty() { "none told".to_owned() } else { step }));
    let mut optimizers: Vec<&str> = summary.roles.iter().filter_map(|row| row.optimizer).collect();
    optimizers.dedup();
    let parameters = |of: &[Role]| -> u64 {
        let rows = summary.roles.iter().filter(|row| of.contains(&row.role));
        rows.map(|row| row.totals.parameters).fold(0, u64::saturating_add)
    };
    let slots = parameters(&[Role::Slot, Role::Optimizer]);
    facts.push((
        "optimizer",
        match (optimizers.as_slice(), slots) {
            ([], 0) => "no state of one in it".to_owned(),
            ([], _) => "state of one whose name is not told".to_owned(),
            (names, _) => names.join(", "),
        },
    ));
    let weights = parameters(&[Role::Weight]);
    facts.push(("parameters of the model", count(weights)));
    facts.push(("parameters of the optimizer", count(slots)));
    let averages = parameters(&[Role::Average]);
    if averages > 0 {
        facts.push(("moving averages", count(averages)));
    }
    if let Some([tensors, _, bytes, files]) = size_facts(checkpoint, summary) {
        facts.push(("holds", format!("{tensors}, {bytes}")));
        facts.push(("files", files));
    }
    let dtypes: Vec<String> = summary
        .dtypes
        .iter()
        .map(|(dtype, totals)| format!("{dtype} ×{} ({})", count(totals.tensors as u64), size(totals.bytes)))
        .collect();
    if !dtypes.is_empty() {
        facts.push(("dtypes", dtypes.join(", ")));
    }
    facts.extend(summary.tensorflow_version.as_ref().map(|version| {
        ("graph written by", format!("TensorFlow {}", crate::base::escape::escaped(version.as_bytes())))
    }));
    if let Some(model) = &checkpoint.origin().saved_model {
        facts.push(("SavedModel", shown(model)));
    }
    facts
}

fn roles(summary: &Summary) -> Vec<RoleRow> {
    let whole = summary.totals.bytes;
    let row = |row: &crate::analysis::RoleTotal| RoleRow {
        class: role_class(row.role),
        what: role_words(row),
        tensors: count(row.totals.tensors as u64),
        parameters: count(row.totals.parameters),
        size: size(row.totals.bytes),
        share: percent(row.totals.bytes, whole),
        wide: u64::try_from(u128::from(row.totals.bytes) * 1000 / u128::from(whole.max(1))).unwrap_or(0),
    };
    summary.roles.iter().map(row).collect()
}
