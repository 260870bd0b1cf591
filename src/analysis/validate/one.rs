//! Every check of one checkpoint, in order.

use super::validation::{Counts, ValidateOptions, Validation};
use super::{bytes, causes, directory, entries, finite, graph, saved_model, saver_v1, shards, shared, vouched};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::policy::{self, rule_on};
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Origin};

/// Checks one checkpoint, and nothing around it.
pub(super) fn one_checkpoint(
    origin: Origin,
    options: &ValidateOptions,
    limits: &Limits,
    progress: &Progress,
    result: &mut Validation,
) {
    result.targets.push(origin.prefix.as_path().to_path_buf());
    result.checked.checkpoints += 1;
    if !options.is_part() {
        saved_model::check(&origin, limits, options.serving, result);
    }
    let has_variables = origin.has_variables;
    let index = origin.prefix.index();
    let of_file = origin.file.as_ref().map(|(file, _)| file.clone());
    let found_before = result.findings.len();
    let checkpoint = match Checkpoint::open_origin(origin, limits) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            let mut finding = Finding::of(&error);
            if finding.code == Code::Unreadable {
                finding.code = if of_file.is_some() { Code::BadFile } else { Code::NotATable };
            }
            finding.file.get_or_insert(of_file.unwrap_or(index));
            result.push(finding);
            result.checked.files += 1;
            return;
        }
    };
    if let Some(share) = &options.share {
        share.look_at(&checkpoint);
    }
    examine(&checkpoint, has_variables, options, progress, result);
    if options.is_part() {
        return;
    }
    follow(&checkpoint, options, found_before, progress, result);
}

/// What the policy expects of a checkpoint, and says of what was found in it.
fn follow(
    checkpoint: &Checkpoint,
    options: &ValidateOptions,
    found_before: usize,
    progress: &Progress,
    result: &mut Validation,
) {
    let (Some(policy), Some(used)) = (&options.policy, &mut result.policy) else { return };
    if checkpoint.origin().has_variables {
        let outcome = policy::check(policy, checkpoint, options.quick, progress);
        used.checked += outcome.checked;
        used.broken += outcome.broken;
        result.findings.extend(outcome.findings);
    }
    let of = checkpoint.origin().prefix.as_path();
    rule_on(policy, of, Some(checkpoint), result.findings.get_mut(found_before..).unwrap_or_default());
}

/// Checks what was opened.
fn examine(
    checkpoint: &Checkpoint,
    has_variables: bool,
    options: &ValidateOptions,
    progress: &Progress,
    result: &mut Validation,
) {
    if !has_variables {
        // What is wrong with it was found with the graph.
        result.graph_only = true;
        return;
    }
    result.findings.extend(checkpoint.damage().iter().map(Finding::of));
    result.findings.extend(checkpoint.notes().iter().map(Finding::of_note));
    let selection = options.selector.select(checkpoint);
    let tensors = checkpoint.tensors().len() as u64;
    result.add(Counts { tensors, ..Counts::default() });
    let members = selection.members(checkpoint.tensors().len());
    let pieces = entries::check(checkpoint, &members, result);
    let shards = shards::check(checkpoint, &pieces, options.quick, result);
    let share = options.share.as_deref();
    if options.is_part() {
        let sums = bytes::check(checkpoint, &pieces, &members, options, &shards, progress, result);
        shared::tell(checkpoint, &pieces, &sums.mismatches, result);
        if options.finite {
            finite::check(checkpoint, &selection, (options.threads, share), progress, result);
        }
        return;
    }
    saver_v1::check(checkpoint, options.quick, result);
    graph::check(checkpoint, options.quick, result);
    directory::check_step(checkpoint, options.quick, result);
    if options.quick {
        let vouched = vouched::check(checkpoint, &pieces, &shards, result);
        result.add(Counts { vouched, skipped: tensors.saturating_sub(vouched), ..Counts::default() });
        return;
    }
    let sums = bytes::check(checkpoint, &pieces, &members, options, &shards, progress, result);
    causes::explain(checkpoint, &pieces, sums, &shards, result);
    if options.finite {
        finite::check(checkpoint, &selection, (options.threads, share), progress, result);
    }
}
