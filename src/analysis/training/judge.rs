//! What is wrong with a run, by the indexes of its checkpoints.

use super::story::Story;
use super::told::Training;
use crate::analysis::finding::{Code, Finding};
use crate::base::escape::escaped;
use std::path::Path;

/// A checkpoint as it is called, for messages.
fn called(prefix: &Path) -> String {
    escaped(prefix.file_name().unwrap_or(prefix.as_os_str()).as_encoded_bytes()).into_owned()
}

/// A checkpoint of one run with what is known of it.
pub(in crate::analysis) struct Told<'t> {
    pub(in crate::analysis) prefix: &'t Path,
    /// How far the weights are, and whether that counts steps for sure.
    pub(in crate::analysis) clock: Option<u64>,
    pub(in crate::analysis) is_step: bool,
    pub(in crate::analysis) training: &'t mut Training,
}

/// Judges the checkpoints of one run, in their order. `is_beginning` says that none before them was left out.
pub(in crate::analysis) fn judge(run: &mut [Told<'_>], story: &Story, is_beginning: bool) {
    // Steps and updates are the same thing only where they went on together.
    let is_unit = story.pace().is_none_or(|(updates, steps)| updates == steps);
    let is_known = story.pace().is_some() && is_unit;
    let mut before: Option<String> = None;
    for (at, told) in run.iter_mut().enumerate() {
        let name = called(told.prefix);
        let updates = told.training.updates().filter(|_| told.training.ages.iter().all(|age| !age.at_least));
        let clock = told.clock.filter(|_| is_unit && (told.is_step || is_known));
        told.training.younger = clock.zip(updates).and_then(|(clock, updates)| clock.checked_sub(updates));
        told.training.younger = told.training.younger.filter(|younger| *younger > 0);
        let is_first = at == 0 && is_beginning && is_known;
        if let Some(message) = anew(told, &name, before.as_deref(), is_first) {
            let help = "it began with empty slots: restore the optimizer together with the weights, or expect the first \
                        updates to be off and the learning rate schedule to begin again";
            told.training
                .findings
                .push(Finding::new(Code::OptimizerReset, message).in_file(told.prefix).with_help(help));
        }
        if let (Some(from), Some(before)) = (told.training.between.as_ref().and_then(|b| b.went_back), &before) {
            let to = told.clock.or(updates);
            let to = to.map_or_else(String::new, |to| format!(" to {to}"));
            let message =
                format!("{name}: time went back from {from}{to} behind {before}: an earlier checkpoint was resumed");
            let help =
                "what was trained behind the earlier checkpoint is not in this one; look at how the run was resumed";
            told.training.findings.push(Finding::new(Code::StepWentBack, message).in_file(told.prefix).with_help(help));
        }
        if let Some(before) = &before
            && told.training.trained == Some(false)
            && told.training.between.as_ref().and_then(|between| between.passed) != Some(false)
        {
            told.training.findings.push(nothing_trained(told, &name, before));
        }
        before = Some(name);
    }
}

/// That an optimizer was created anew, in words.
fn anew(told: &Told<'_>, name: &str, before: Option<&str>, is_first: bool) -> Option<String> {
    let training = &*told.training;
    let at = told.clock.filter(|_| training.younger.is_some()).map_or_else(String::new, |clock| format!("at {clock} "));
    if !training.is_reset() {
        let younger = training.younger.filter(|_| is_first)?;
        return Some(format!(
            "{name}: {at}the optimizer is {younger} steps younger than the weights: it was created anew before the first \
             checkpoint that is here"
        ));
    }
    let before = before.unwrap_or("the checkpoint before");
    let since = training.between.iter().flat_map(|between| &between.optimizers).find(|since| since.reset)?;
    let which = if since.scope.is_empty() || training.ages.len() < 2 {
        "the optimizer".to_owned()
    } else {
        format!("the optimizer {}", since.scope)
    };
    Some(match (training.younger, since.updates) {
        (Some(younger), Some(updates)) if training.ages.len() == 1 => format!(
            "{name}: {at}{which} is {younger} steps younger than the weights: it was created anew {updates} steps ago, \
             behind {before}"
        ),
        (_, Some(0)) => format!("{name}: {which} has made no update: it was created anew behind {before}"),
        (_, Some(updates)) => {
            format!("{name}: {which} was created anew behind {before}, and has made {updates} updates since")
        }
        _ => format!("{name}: {which} was created anew behind {before}"),
    })
}

fn nothing_trained(told: &Told<'_>, name: &str, before: &str) -> Finding {
    let training = &*told.training;
    let went_on = training
        .between
        .as_ref()
        .is_some_and(|between| between.optimizers.iter().any(|since| since.updates.is_some_and(|updates| updates > 0)));
    let (why, help) = match (training.slots_changed, went_on) {
        (Some(true), _) => (
            ", though the slots of the optimizer changed: its updates are 0, or too small for the weights",
            "look at the learning rate and its schedule",
        ),
        (_, true) => (
            ", though the optimizer counted on",
            "look at which variables the optimizer is given, at the gradients and at the learning rate",
        ),
        _ => ("", "look at whether the training step runs, and whether the saver has the model that is trained"),
    };
    let message = format!("{name}: no weight moved since {before}{why}");
    Finding::new(Code::NothingTrained, message).in_file(told.prefix).with_help(help)
}
