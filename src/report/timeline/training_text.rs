//! What training did, for people: the lines of one checkpoint.

use std::collections::BTreeMap;

use crate::analysis::{Between, Code, Layer, Row, Timeline, Training};
use crate::report::kit::ages::ages;
use crate::report::kit::figure::figure;
use crate::report::kit::look::Look;
use crate::report::kit::spark::sparkline;
use crate::report::kit::units::{count, counted, percent_figure};
use crate::report::kit::wrap::middle;

/// What is to be said of the training up to a checkpoint.
pub(super) fn training_words(row: &Row, look: Look) -> Vec<String> {
    let Some(training) = &row.training else { return Vec::new() };
    let doubtful = look.doubtful();
    let mut lines = Vec::new();
    let mut facts = Vec::new();
    let name = training.optimizer.map_or_else(|| "optimizer".to_owned(), str::to_owned);
    match ages(&training.ages) {
        Some(ages) => facts.push(format!("{name} after {ages}")),
        None if training.optimizer.is_some() => facts.push(format!("{name}, which does not count its updates")),
        None => {}
    }
    if let Some(younger) = training.younger {
        facts.push(format!("{} younger than the weights", counted(younger, "step")));
    }
    if let Some(rate) = training.learning_rate() {
        facts.push(format!("learning rate {rate}"));
    }
    if !facts.is_empty() {
        lines.push(facts.join(", "));
    }
    lines.extend(measured(training));
    lines.extend(never_trained(training));
    lines.extend(dead_units(training));
    for code in
        [Code::OptimizerReset, Code::StepWentBack, Code::NothingTrained, Code::GradientVanished, Code::GradientExploded]
    {
        if training.findings.iter().any(|finding| finding.code == code) {
            lines.push(format!("{doubtful}!{doubtful:#} {}", mark(code, training)));
        }
    }
    lines
}

/// A finding in a few words; the whole of it stands below all rows.
fn mark(code: Code, training: &Training) -> String {
    let since = training.between.iter().flat_map(|between| &between.optimizers).find(|since| since.reset);
    match code {
        Code::OptimizerReset => match since.and_then(|since| since.updates) {
            Some(0) => "the optimizer was created anew and has made no update".to_owned(),
            Some(updates) => format!("the optimizer was created anew {} ago", counted(updates, "update")),
            None => "the optimizer was created anew".to_owned(),
        },
        Code::StepWentBack => {
            let from = training.between.as_ref().and_then(|between: &Between| between.went_back);
            from.map_or_else(
                || "the step went back".to_owned(),
                |from| format!("the step went back from {}", count(from)),
            )
        }
        Code::GradientVanished => "a gradient vanished".to_owned(),
        Code::GradientExploded => "a gradient exploded".to_owned(),
        _ => "nothing was trained".to_owned(),
    }
}

/// Gradients and updates of all weights together.
fn measured(training: &Training) -> Option<String> {
    let layers = training.layers.as_ref()?;
    let mut facts = Vec::new();
    if let Some((rms, known)) = gradient(layers) {
        let of = layers.len();
        let part = if known == of {
            String::new()
        } else {
            format!(" of {} of {} weights", count(known as u64), count(of as u64))
        };
        facts.push(format!("gradient {}{part}", figure(rms)));
    }
    facts.extend(ratio(layers).map(|ratio| format!("update {} of the weights", percent_figure(ratio))));
    facts.extend(training.learning_rate_at_least().map(|rate| format!("learning rate at least {}", figure(rate))));
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// The root mean square of the gradients of all weights of which it is known, and how many these are.
#[expect(clippy::cast_precision_loss, reason = "counts of elements")]
fn gradient(layers: &[Layer]) -> Option<(f64, usize)> {
    let known = || layers.iter().filter_map(|layer| Some((layer.elements as f64, layer.gradient_rms?)));
    let elements: f64 = known().map(|(elements, _)| elements).sum();
    let squares: f64 = known().map(|(elements, rms)| elements * rms * rms).sum();
    (elements > 0.0).then(|| ((squares / elements).sqrt(), known().count()))
}

/// How far all weights moved together, in proportion to their size.
#[expect(clippy::cast_precision_loss, reason = "counts of elements")]
fn ratio(layers: &[Layer]) -> Option<f64> {
    let mut sums = (0.0, 0.0);
    for layer in layers {
        let (Some(update), Some(ratio)) = (layer.update_rms, layer.update_ratio) else { continue };
        let elements = layer.elements as f64;
        sums.0 += elements * update * update;
        // The size of the weight, as far as it moved at all.
        sums.1 += if ratio > 0.0 { elements * (update / ratio).powi(2) } else { 0.0 };
    }
    (sums.1 > 0.0).then(|| (sums.0 / sums.1).sqrt())
}

/// The weight with most rows that have never been trained.
fn never_trained(training: &Training) -> Option<String> {
    let (part, more) = most(training, "rows", |layer| layer.never_trained_rows.zip(layer.rows))?;
    Some(format!("{part} never trained{more}"))
}

/// The weight with most units that have had no gradient.
fn dead_units(training: &Training) -> Option<String> {
    let (part, more) = most(training, "units", |layer| layer.dead_units.zip(layer.units))?;
    Some(format!("{part} without a gradient{more}"))
}

/// The weight of which most are so, and how many others have some.
fn most(training: &Training, what: &str, of: impl Fn(&Layer) -> Option<(u64, u64)>) -> Option<(String, String)> {
    let layers = training.layers.iter().flatten();
    let some: Vec<_> = layers.filter_map(|layer| Some((layer, of(layer).filter(|(part, _)| *part > 0)?))).collect();
    let (layer, (part, all)) = some.iter().max_by_key(|(_, (part, _))| *part)?;
    let more = match some.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(", and some of {} more", counted(more as u64, "weight")),
    };
    Some((format!("{} of {} {what} of {}", count(*part), count(*all), middle(&layer.name, 44)), more))
}

/// What is to be said of all checkpoints together.
pub(super) fn training_facts(timeline: &Timeline) -> Vec<(&'static str, String)> {
    let training = || timeline.rows.iter().filter_map(|row| row.training.as_ref());
    let of = |layers: &dyn Fn(&Training) -> Option<f64>| training().map(layers).collect::<Vec<_>>();
    let gradients = of(&|training| Some(gradient(training.layers.as_ref()?)?.0));
    let ratios = of(&|training| ratio(training.layers.as_ref()?));
    let mut facts = Vec::new();
    for (label, numbers, shown) in
        [("gradient", gradients, figure as fn(f64) -> String), ("update", ratios, percent_figure)]
    {
        let known: Vec<f64> = numbers.iter().flatten().copied().collect();
        if let (Some(first), Some(last), true) =
            (known.first(), known.last(), known.len() > 1 && timeline.several.is_none())
        {
            facts.push((label, format!("{}  {} … {}", sparkline(&numbers), shown(*first), shown(*last))));
        }
    }
    let mut unknown: BTreeMap<&str, u64> = BTreeMap::new();
    for training in training() {
        for why in &training.unknown {
            unknown.entry(why).or_default();
        }
        for why in training.layers.iter().flatten().filter_map(|layer| layer.unknown) {
            let count = unknown.entry(why).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut label = "not known";
    for (why, times) in unknown {
        let times = if times > 1 { format!(" ({times} times)") } else { String::new() };
        facts.push((std::mem::take(&mut label), format!("{why}{times}")));
    }
    facts
}
