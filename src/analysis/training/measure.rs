//! What the data of two checkpoints says of gradients and updates, weight by weight.
//!
//! Each weight is read once, together with the slots that its formula needs, in windows, one weight a thread; what is
//! kept is a few sums.

use super::age::{OptimizerAge, hyper};
use super::bound::{Bound, Pace};
use super::decay::{left, left_of_decay};
use super::element::Element;
use super::layer::Layer;
use super::numbers::{Numbers, WINDOW};
use super::rule::{Kept, Measure, Rule, Update};
use super::story::Since;
use super::sums::{Sums, Way};
use super::units::{Still, Units};
use crate::base::error::Result;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Tensor};
use crate::read::graphs::training::Constants;
use crate::read::tensor::DType;

/// The two checkpoints of an interval; without the first, it begins with the optimizer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'c> {
    pub(super) before: Option<&'c Checkpoint>,
    pub(super) after: &'c Checkpoint,
}

/// What is known of the optimizer of a weight.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) age: Option<OptimizerAge>,
    pub(super) since: Option<Since>,
    /// Steps of the weights, which are updates where no optimizer counts.
    pub(super) steps: Option<u64>,
    /// Steps of the weights before the interval.
    pub(super) begun: Option<u64>,
    /// What the graph gives the optimizer as constants.
    pub(super) constants: Option<Constants>,
}

impl Known {
    /// A number that the graph gives the optimizer.
    fn given(&self, name: &str) -> Option<f64> {
        self.constants.as_ref()?.get(name)
    }

    /// Whether its momentum looks ahead, as the graph says.
    fn nesterov(&self) -> Option<bool> {
        self.constants.as_ref()?.nesterov
    }
}

/// The numbers of an interval.
struct Interval {
    /// Updates before it, and in it.
    before: Option<u64>,
    updates: u64,
    /// Slots begin empty, whatever the checkpoint before has.
    is_new: bool,
}

/// What is assumed because it is not stored.
pub(super) type Assumed = Option<String>;

fn interval(known: &Known, measure: &Measure, is_first: bool) -> core::result::Result<Interval, &'static str> {
    let counted = known.age.as_ref().filter(|age| !age.at_least).map(|age| age.updates);
    if is_first || known.since.as_ref().is_some_and(|since| since.reset) {
        let updates = counted.ok_or("how many updates were made is not stored")?;
        return match measure.begins_at_zero {
            true if updates > 0 => Ok(Interval { before: Some(0), updates, is_new: true }),
            true => Err("no update was made"),
            false => Err("its slots do not begin empty"),
        };
    }
    let since = known.since.as_ref();
    let updates = match since {
        Some(since) => since.updates,
        None => known.steps,
    };
    let updates = updates.ok_or("how many updates were made is not stored")?;
    let before = match since {
        Some(_) => counted.and_then(|counted| counted.checked_sub(updates)),
        None => known.begun,
    };
    if updates == 0 { Err("no update was made") } else { Ok(Interval { before, updates, is_new: false }) }
}

/// A mean that forgets: its β, and whether that is only usual.
fn beta(after: &Checkpoint, known: &Known, usual: f64) -> (f64, f64, bool) {
    let age = known.age.as_ref();
    if let Some((beta1, beta2)) = age.and_then(|age| age.betas) {
        return (beta1.unwrap_or(0.9), beta2, false);
    }
    let stored = |name: &str| age.and_then(|age| hyper(after, &age.scope, name)).or_else(|| known.given(name));
    let second = stored("beta_2").or_else(|| stored("rho"));
    (stored("beta_1").unwrap_or(0.9), second.unwrap_or(usual), second.is_none())
}

/// Measures one weight; what of it is not known is null, with the reason.
pub(super) fn layer(
    pair: Pair<'_>,
    tensor: &Tensor,
    measure: core::result::Result<Measure, &'static str>,
    known: &Known,
    name: String,
) -> (Layer, Assumed) {
    let mut layer = Layer { name, elements: tensor.elements().unwrap_or(0), ..Layer::default() };
    layer.has_before = pair
        .before
        .and_then(|before| before.tensor(&tensor.name))
        .is_some_and(|before| before.dtype == tensor.dtype && before.shape == tensor.shape);
    let mut assumed = None;
    let interval = measure.and_then(|measure| Ok((measure, interval(known, &measure, pair.before.is_none())?)));
    let (measure, interval) = match interval {
        Ok((measure, interval)) => (Some(measure), Some(interval)),
        Err(why) => {
            layer.unknown = Some(why);
            (measure.ok(), None)
        }
    };
    let mut way = Way {
        left: 0.0,
        rounding: 1e-3,
        bound: None,
        gain: None,
        never: measure.map_or(super::rule::Never::Unknown, |measure| measure.never),
        row: 0,
        still: None,
    };
    if let (Some(measure), Some(interval)) = (&measure, &interval) {
        assumed = set(&mut way, pair.after, measure, interval, known);
    }
    let dims = tensor.shape.dims().unwrap_or_default();
    if let ([first, _, ..], Some(_)) = (dims, &measure) {
        let rows = u64::try_from(*first).unwrap_or(0);
        way.row = layer.elements.checked_div(rows).unwrap_or(0);
        layer.rows = Some(rows);
    }
    match read(pair, tensor, measure.as_ref(), interval.as_ref().is_some_and(|interval| interval.is_new), &way) {
        Ok(Some((sums, slots))) => {
            tell(&mut layer, &sums, (slots, dims.len()), &way, (measure.as_ref(), interval.as_ref()));
        }
        Ok(None) => layer.unknown = Some("its data is not there, or is not numbers of this kind"),
        Err(_) => layer.unknown = Some("it could not be read; ckpt validate says why"),
    }
    if layer.never_trained_rows.is_none() {
        layer.rows = None;
    }
    (layer, assumed)
}

/// How elements are gone through, by the rule.
#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
fn set(way: &mut Way, after: &Checkpoint, measure: &Measure, interval: &Interval, known: &Known) -> Assumed {
    let updates = interval.updates;
    way.rounding = (2e-6 + updates as f64 * 1.2e-7).min(0.02);
    let rounding = way.rounding;
    let stored = |name: &str| known.age.as_ref().and_then(|age| hyper(after, &age.scope, name));
    let mut pace = Pace {
        before: interval.before,
        updates,
        beta1: 0.9,
        beta2: 0.999,
        momentum: stored("momentum").or_else(|| known.given("momentum")),
        nesterov: known.nesterov(),
    };
    let assumed = match measure.rule {
        Rule::Forgets { usual } => {
            let (beta1, beta2, is_usual) = beta(after, known, usual);
            way.left = left(beta2, updates);
            (pace.beta1, pace.beta2) = (beta1, beta2);
            let name = if usual < 0.99 { "rho" } else { "beta_2" };
            is_usual.then(|| {
                format!("{name} is taken to be {beta2}, as it is unless a program says otherwise: it is not stored")
            })
        }
        Rule::Decays => {
            way.left = interval.before.map_or(1.0, |before| left_of_decay(before, updates));
            // Of a factored weight the elements are products.
            way.rounding = 1.0;
            None
        }
        Rule::Sums => {
            way.left = 1.0;
            None
        }
        Rule::Largest => {
            way.rounding = 1.0;
            (pace.beta1, pace.beta2, _) = beta(after, known, 0.999);
            None
        }
        Rule::First { kept } => {
            way.rounding = 1.0;
            let rate = known.age.as_ref().and_then(|age| age.learning_rate);
            let told = pace.momentum;
            let share = told.unwrap_or(if kept == Kept::Mean { 0.99 } else { 0.9 });
            let per_gradient = match kept {
                Kept::Gradient => Some(1.0),
                Kept::Step => rate.filter(|rate| *rate > 0.0).map(|rate| -rate),
                Kept::Mean => Some(1.0 - share),
            };
            way.gain = per_gradient.filter(|_| updates == 1).map(|per| (share, per));
            (way.gain.is_some() && told.is_none())
                .then(|| format!("the momentum is taken to be {share}, as is usual: it is not stored"))
        }
    };
    way.bound = Bound::of(measure.update, pace);
    let left = Some(way.left).filter(|_| measure.rule != Rule::Decays || interval.before.is_some());
    way.still = Still::of(measure, interval.is_new, left, rounding);
    assumed
}

/// What the elements come to, with the number of elements of the slot. `None` if a tensor is not there.
fn read(
    pair: Pair<'_>,
    tensor: &Tensor,
    measure: Option<&Measure>,
    is_new: bool,
    way: &Way,
) -> Result<Option<(Sums, u64)>> {
    let earlier = |tensor: &Tensor| {
        let found = pair.before?.tensor(&tensor.name)?;
        (found.dtype == tensor.dtype && found.shape == tensor.shape).then_some(found)
    };
    let old_weight = earlier(tensor);
    let slot = measure.and_then(|measure| pair.after.tensor_at(measure.main));
    let old_slot = slot.as_ref().and_then(earlier).filter(|_| !is_new);
    let first = measure.and_then(|measure| pair.after.tensor_at(measure.first?)).filter(|_| way.bound.is_some());
    let old_first = first.as_ref().and_then(earlier).filter(|_| !is_new);
    let elements = tensor.elements().unwrap_or(0);
    // A factored slot has fewer elements: it is gone through by itself.
    let is_beside = slot.as_ref().is_none_or(|slot| slot.elements() == Some(elements));
    // A slot of fewer bits is rounded by more than a gradient adds to it.
    let is_fine = slot.as_ref().is_some_and(|slot| matches!(slot.dtype, DType::Float32 | DType::Float64));
    let still = way.still.filter(|_| is_beside && is_fine);
    let dims = tensor.shape.dims().unwrap_or_default();
    let mut sums = Sums::of(still.and_then(|still| Units::new(still, dims)));
    let beside = |tensor: Option<Tensor>| tensor.filter(|_| is_beside);
    let first = first.filter(|first| first.elements() == Some(elements));
    let lists = [
        (Some(tensor.clone()), Some(pair.after)),
        (old_weight, pair.before),
        (beside(slot.clone()), Some(pair.after)),
        (beside(old_slot.clone()), pair.before),
        (beside(old_first), pair.before),
        (beside(first), Some(pair.after)),
    ];
    let is_whole = zipped(&lists, elements, |[weight, before, slot, old, old_first, first]| {
        let Some(after) = weight else { return };
        let element = Element {
            weight: (before, after),
            slot: (old.unwrap_or(0.0), slot.unwrap_or(0.0)),
            first: (old_first.unwrap_or(0.0), first.unwrap_or(0.0)),
        };
        sums.add(element, way);
    })?;
    if !is_whole {
        return Ok(None);
    }
    if is_beside {
        return Ok(Some((sums, elements)));
    }
    let fewer = slot.as_ref().and_then(Tensor::elements).unwrap_or(0);
    let nothing = || (None, None);
    let lists = [(slot, Some(pair.after)), (old_slot, pair.before), nothing(), nothing(), nothing(), nothing()];
    let is_whole = zipped(&lists, fewer, |[slot, old, ..]| {
        sums.slot_after += slot.unwrap_or(0.0);
        sums.slot_before += old.unwrap_or(0.0);
    })?;
    Ok(is_whole.then_some((sums, fewer)))
}

/// Goes through tensors of one length side by side. `false` if one of them cannot be opened.
fn zipped(
    lists: &[(Option<Tensor>, Option<&Checkpoint>); 6],
    elements: u64,
    mut each: impl FnMut([Option<f64>; 6]),
) -> Result<bool> {
    let mut holds: [ElementBuffers; 6] = std::array::from_fn(|_| ElementBuffers::default());
    let mut readers: Vec<Option<Numbers<'_>>> = Vec::new();
    for ((tensor, checkpoint), hold) in lists.iter().zip(&mut holds) {
        let (Some(tensor), Some(checkpoint)) = (tensor, checkpoint) else {
            readers.push(None);
            continue;
        };
        let Some(numbers) = Numbers::open(checkpoint, tensor, hold).filter(|_| tensor.elements() == Some(elements))
        else {
            return Ok(false);
        };
        readers.push(Some(numbers));
    }
    let mut start = 0;
    while start < elements {
        let end = start.saturating_add(WINDOW).min(elements);
        let mut windows: [&[f64]; 6] = [&[]; 6];
        for (window, reader) in windows.iter_mut().zip(&mut readers) {
            if let Some(reader) = reader {
                *window = reader.read(start, end)?;
            }
        }
        for at in 0..usize::try_from(end.saturating_sub(start)).unwrap_or(0) {
            each(windows.map(|window| window.get(at).copied()));
        }
        start = end;
    }
    for reader in readers.into_iter().flatten() {
        reader.finish()?;
    }
    Ok(true)
}

/// The formula of a weight, and the interval.
type By<'b> = (Option<&'b Measure>, Option<&'b Interval>);

/// What the sums say.
#[expect(clippy::cast_precision_loss, reason = "counts of elements and updates")]
fn tell(layer: &mut Layer, sums: &Sums, (slots, dimensions): (u64, usize), way: &Way, by: By<'_>) {
    let elements = layer.elements.max(1) as f64;
    if sums.not_finite > 0 {
        layer.not_finite = sums.not_finite;
        layer.unknown = Some("it has NaN or infinity");
        return;
    }
    if layer.has_before {
        layer.update_rms = Some((sums.moved / elements).sqrt());
        layer.update_ratio = (sums.weight > 0.0).then(|| (sums.moved / sums.weight).sqrt());
    }
    if by.0.is_some() {
        layer.never_trained_rows = sums.never_trained(way);
    }
    let (Some(measure), Some(interval)) = by else { return };
    let whole = way.bound.as_ref().filter(|_| layer.has_before).map_or(0.0, |bound| {
        // What moves by the size of the whole leaves vectors out, or may.
        let is_trusted = measure.update != Update::Trust || dimensions > 1;
        let root = |squares: f64| (squares / elements).sqrt();
        if is_trusted {
            bound.rate_of_whole(root(sums.weight_before), root(sums.weight), root(sums.moved))
        } else {
            0.0
        }
    });
    let rate = Some(sums.rate.max(whole)).filter(|rate| *rate > 0.0 && rate.is_finite());
    let slots = slots.max(1) as f64;
    let updates = interval.updates as f64;
    let share = match measure.rule {
        Rule::Sums => updates,
        Rule::Forgets { .. } | Rule::Decays => 1.0 - way.left,
        Rule::Largest => {
            layer.learning_rate_at_least = rate;
            layer.unknown = Some("Adamax keeps the largest gradient, which forgets: no mean square follows from it");
            return;
        }
        Rule::First { .. } => {
            layer.learning_rate_at_least = rate;
            match way.gain {
                Some(_) => layer.gradient_rms = Some((sums.gradients / elements).sqrt()),
                None => {
                    layer.unknown = Some("a momentum adds up gradients with their signs: their size does not follow");
                }
            }
            return;
        }
    };
    if sums.impossible > 0 {
        layer.is_impossible = true;
        layer.unknown = Some(match measure.rule {
            Rule::Sums => "its sum of squares became smaller: the optimizer was created anew",
            _ => "its slot fell faster than it forgets: another beta, or the optimizer was created anew",
        });
        return;
    }
    (layer.dead_units, layer.units) = sums.units.as_ref().map(Units::dead).unzip();
    let gained = sums.slot_after - way.left * sums.slot_before;
    // Every update rounds the slot; what is below that is no gradient that could be told.
    let noise = f64::from(f32::EPSILON) * 0.5 * (way.left * sums.slot_before + sums.slot_after) * updates.sqrt();
    let rms = |squares: f64| (squares / share / slots).sqrt();
    if sums.slot_after == 0.0 {
        layer.gradient_rms = Some(0.0);
    } else if !sums.has_changed && measure.rule != Rule::Sums {
        // A slot that forgets would be less, had there been an update without a gradient.
        (layer.dead_units, layer.units) = (None, None);
        layer.unknown = Some("neither it nor its slot changed: the optimizer did not update it");
    } else if share <= 0.0 {
        layer.unknown = Some("how much of its slot is left is not known");
    } else if gained <= noise && !interval.is_new {
        layer.gradient_rms_at_most = Some(rms(gained.max(0.0) + noise));
        layer.unknown = Some("its gradient is below what the slot can tell");
    } else {
        layer.gradient_rms = Some(rms(gained));
    }
    layer.learning_rate_at_least = rate;
}
