//! Gradients that vanished or exploded, by what the data of a run says.

use std::collections::BTreeMap;
use std::path::Path;

use super::layer::Layer;
use crate::analysis::finding::{Code, Finding};
use crate::base::escape::escaped;

/// A gradient is nothing beside the largest at this share of it.
const BESIDE_OTHERS: f64 = 1e-6;

/// And beside its own past at this share, while others are what they were.
const BESIDE_ITSELF: f64 = 1e-4;

/// A gradient that grew by this is out of proportion.
const GREW: f64 = 100.0;

/// How many intervals are remembered.
const PAST: usize = 8;

/// How many weights are named.
const NAMED: usize = 4;

/// What gradients were in the intervals before, by weight.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Past {
    of: BTreeMap<String, Vec<f64>>,
    /// Weights that were told, so that they are told once.
    told: BTreeMap<String, Code>,
}

fn median(of: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

impl Past {
    /// Judges the gradients of one interval, and remembers them.
    pub(in crate::analysis) fn judge(&mut self, prefix: &Path, layers: &[Layer]) -> Vec<Finding> {
        let name = escaped(prefix.file_name().unwrap_or(prefix.as_os_str()).as_encoded_bytes()).into_owned();
        let usual = |past: &Self, layer: &Layer| past.of.get(&layer.name).and_then(|past| median(past));
        let grew = |layer: &Layer, rms: f64| usual(self, layer).filter(|usual| *usual > 0.0).map(|usual| rms / usual);
        let (mut exploded, mut vanished) = (Vec::new(), Vec::new());
        let known = || layers.iter().filter_map(|layer| Some((layer, layer.gradient_rms?)));
        for (layer, rms) in known() {
            if let Some(times) = grew(layer, rms).filter(|times| *times >= GREW) {
                exploded.push((layer, format!("{times:.0} times what it was")));
            }
        }
        exploded.extend(layers.iter().filter(|layer| layer.not_finite > 0).map(|l| (l, "NaN or infinity".to_owned())));
        let is_exploded = |layer: &Layer| exploded.iter().any(|(other, _)| other.name == layer.name);
        let largest = known().filter(|(layer, _)| !is_exploded(layer)).map(|(_, rms)| rms).fold(0.0, f64::max);
        // Whether gradients as a whole are what they were: the middle one of all changes.
        let changes: Vec<f64> = known().filter_map(|(layer, rms)| grew(layer, rms)).collect();
        let all = median(&changes).unwrap_or(1.0);
        for layer in layers.iter().filter(|_| largest > 0.0) {
            let Some(rms) = layer.gradient_rms.or(layer.gradient_rms_at_most) else { continue };
            let fell = grew(layer, rms).filter(|times| *times <= BESIDE_ITSELF * all.min(1.0));
            let lost = layer
                .gradient_rms_at_most
                .and_then(|most| grew(layer, most))
                .filter(|times| *times <= 0.01 * all.min(1.0));
            let why = match (layer.gradient_rms, fell.or(lost)) {
                (Some(0.0), _) => "none at all".to_owned(),
                (_, Some(times)) => format!("less than a {:.0}th of what it was", (1.0 / times).floor()),
                (Some(rms), _) if rms <= largest * BESIDE_OTHERS => format!("{rms:.1e} beside {largest:.1e}"),
                _ => continue,
            };
            vanished.push((layer, why));
        }
        let mut findings = Vec::new();
        let exploded: Vec<(String, String)> =
            exploded.into_iter().map(|(layer, why)| (layer.name.clone(), why)).collect();
        let vanished: Vec<(String, String)> =
            vanished.into_iter().map(|(layer, why)| (layer.name.clone(), why)).collect();
        findings.extend(self.told(Code::GradientExploded, &exploded, prefix, &name));
        findings.extend(self.told(Code::GradientVanished, &vanished, prefix, &name));
        for (layer, rms) in known() {
            let past = self.of.entry(layer.name.clone()).or_default();
            if past.len() >= PAST {
                past.remove(0);
            }
            past.push(rms);
        }
        findings
    }

    /// One finding for all weights of which this is new.
    fn told(&mut self, code: Code, weights: &[(String, String)], prefix: &Path, name: &str) -> Option<Finding> {
        let is_new = |(weight, _): &&(String, String)| self.told.get(weight) != Some(&code);
        let new: Vec<&(String, String)> = weights.iter().filter(is_new).collect();
        let (first, _) = new.split_first()?;
        let named: Vec<String> = new.iter().take(NAMED).map(|(weight, why)| format!("{weight} ({why})")).collect();
        let more = match new.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let what = if code == Code::GradientExploded { "exploded" } else { "vanished" };
        let message = format!("{name}: the gradient {what} in {}{more}", named.join(", "));
        let finding = Finding::new(code, message).in_file(prefix).for_tensor(first.0.as_bytes());
        let told: Vec<String> = new.iter().map(|(weight, _)| weight.clone()).collect();
        self.told.extend(told.into_iter().map(|weight| (weight, code)));
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(intervals: &[&[(&str, f64)]]) -> Vec<Vec<(Code, String)>> {
        let mut past = Past::default();
        let layer = |(name, rms): &(&str, f64)| Layer {
            name: (*name).to_owned(),
            gradient_rms: rms.is_finite().then_some(*rms),
            not_finite: u64::from(!rms.is_finite()),
            ..Layer::default()
        };
        let judge = |layers: &&[(&str, f64)]| {
            let layers: Vec<Layer> = layers.iter().map(layer).collect();
            let findings = past.judge(Path::new("m-1"), &layers);
            findings.into_iter().map(|f| (f.code, String::from_utf8(f.tensor.unwrap()).unwrap())).collect()
        };
        intervals.iter().map(judge).collect()
    }

    #[test]
    fn what_is_out_of_proportion_is_told_once() {
        let vanished = |name: &str| vec![(Code::GradientVanished, name.to_owned())];
        let exploded = |name: &str| vec![(Code::GradientExploded, name.to_owned())];
        let calm: &[(&str, f64)] = &[("a", 1.0), ("b", 0.5), ("c", 0.01)];
        assert_eq!(judged(&[calm, calm]), [vec![], vec![]]);
        // All of them fall together: the run converged.
        let less: &[(&str, f64)] = &[("a", 1e-5), ("b", 5e-6), ("c", 1e-7)];
        assert_eq!(judged(&[calm, less]), [vec![], vec![]]);
        let dead: &[(&str, f64)] = &[("a", 1.0), ("b", 0.0), ("c", 0.01)];
        assert_eq!(judged(&[calm, dead, dead]), [vec![], vanished("b"), vec![]]);
        let faded: &[(&str, f64)] = &[("a", 1.0), ("b", 0.4), ("c", 9e-7)];
        assert_eq!(judged(&[faded]), [vanished("c")]);
        let grown: &[(&str, f64)] = &[("a", 1.0), ("b", 600.0), ("c", 0.01)];
        assert_eq!(judged(&[calm, grown]), [vec![], exploded("b")]);
        assert_eq!(judged(&[calm, &[("a", 1.0), ("b", f64::NAN), ("c", 0.01)]]), [vec![], exploded("b")]);
    }
}
