//! The names that optimizers give to what they keep, in TensorFlow and Keras: what roles are judged by.

use super::key::{split_last, strip_number};

/// Last components of slots in name-based checkpoints, and whose they are. A number may follow (`Adam_1`).
pub(super) const SLOTS: &[(&str, &str)] = &[
    ("Adam", "Adam"),
    ("adam_m", "Adam"),
    ("adam_v", "Adam"),
    ("AdamW", "AdamW"),
    ("AdamWeightDecay", "AdamW"),
    ("AdaMax", "AdaMax"),
    ("AMSGrad", "AMSGrad"),
    ("Nadam", "Nadam"),
    ("LazyAdam", "LazyAdam"),
    ("lamb_m", "LAMB"),
    ("lamb_v", "LAMB"),
    ("Momentum", "Momentum"),
    ("MomentumW", "MomentumW"),
    ("RMSProp", "RMSProp"),
    ("Adagrad", "Adagrad"),
    ("AdagradDA", "AdagradDA"),
    ("gradient_accumulator", "AdagradDA"),
    ("gradient_squared_accumulator", "AdagradDA"),
    ("Adadelta", "Adadelta"),
    ("AdafactorOptimizer", "Adafactor"),
    ("vr", "Adafactor"),
    ("vc", "Adafactor"),
    ("Ftrl", "Ftrl"),
    ("ProximalAdagrad", "ProximalAdagrad"),
    ("YellowFin", "YellowFin"),
    ("Shampoo", "Shampoo"),
];

/// Whether two names are those of slots of optimizers that keep other things: neither can stand for the other.
pub(in crate::analysis) fn are_of_other_optimizers(a: &[u8], b: &[u8]) -> bool {
    let moments = |owner| if matches!(owner, "AdamW" | "LazyAdam" | "Nadam" | "LAMB") { "Adam" } else { owner };
    let owner = |name: &[u8]| {
        let last = std::str::from_utf8(split_last(name.strip_suffix(b":0").unwrap_or(name)).1).ok()?;
        SLOTS.iter().find(|(slot, _)| *slot == strip_number(last)).map(|(_, owner)| moments(*owner))
    };
    owner(a).zip(owner(b)).is_some_and(|(a, b)| a != b)
}

/// Names of slots inside an optimizer's own scope, and what kind of optimizer has them.
pub(super) const SLOT_KINDS: &[(&str, &str)] = &[
    ("m", "Adam"),
    ("v", "Adam"),
    ("vhat", "Adam"),
    ("velocity_hat", "Adam"),
    ("velocity", "Adam"),
    ("momentum", "momentum"),
    ("rms", "RMSprop"),
    ("mg", "RMSprop"),
    ("average_gradient", "RMSprop"),
    ("accumulator", "Adagrad"),
    ("linear", "Ftrl"),
    ("accum_grad", "Adadelta"),
    ("accum_var", "Adadelta"),
    ("accumulated_grad", "Adadelta"),
    ("accumulated_delta_var", "Adadelta"),
];

/// What Keras 3 calls slots, behind the name of the variable.
pub(super) const KERAS3_SLOTS: &[&str] = &[
    "momentum",
    "velocity",
    "velocity_hat",
    "norm",
    "accumulator",
    "linear",
    "average",
    "average_gradient",
    "gradient_accumulator",
    "accumulated_grad",
    "accumulated_delta_var",
];

/// The last letters of all [`KERAS3_SLOTS`]. Of most tensors no more needs to be looked at.
pub(super) const KERAS3_ENDS: &[u8] = b"mytred";

/// Scalars of an optimizer, by their last component.
pub(super) const HYPER: &[&str] = &[
    "beta1_power",
    "beta2_power",
    "beta_1",
    "beta_2",
    "decay",
    "learning_rate",
    "_learning_rate",
    "current_learning_rate",
    "momentum",
    "rho",
    "epsilon",
    "loss_scale",
    "current_loss_scale",
    "dynamic_scale",
    "momentum_cache",
    "_u_product",
    "lr",
];

/// Whether only parameters of a model are called so.
pub(super) fn is_parameter(last: &[u8]) -> bool {
    const PARTS: [&[u8]; 4] = [b"kernel", b"weight", b"embedding", b"filter"];
    const ENDS: [&[u8]; 2] = [b"bias", b"biases"];
    const NAMES: [&[u8]; 12] =
        [b"w", b"W", b"b", b"B", b"gamma", b"beta", b"scale", b"offset", b"alpha", b"u", b"g", b"table"];
    let stem = last.iter().rposition(|byte| *byte == b'_').and_then(|at| last.split_at_checked(at));
    let stem = stem.filter(|(_, number)| number.iter().skip(1).all(u8::is_ascii_digit) && number.len() > 1);
    let stem = stem.map_or(last, |(stem, _)| stem);
    let has = |part: &&[u8]| stem.windows(part.len()).any(|bytes| bytes.eq_ignore_ascii_case(part));
    let ends = |end: &&[u8]| {
        stem.get(stem.len().saturating_sub(end.len())..).is_some_and(|stem| stem.eq_ignore_ascii_case(end))
    };
    NAMES.contains(&stem) || PARTS.iter().any(has) || ENDS.iter().any(ends)
}

/// Whether this is what a normalization layer gathers of its inputs, or what makes the numbers of a quantized layer
/// readable: part of the model, though nothing trains it.
pub(in crate::analysis) fn is_statistic(last: &[u8]) -> bool {
    const FRONTS: [&[u8]; 4] = [b"moving_", b"running_", b"pop_", b"renorm_"];
    const NAMES: [&[u8]; 5] = [b"mean", b"variance", b"adapt_mean", b"vector_u", b"g_idx"];
    last != b"moving_avg" && (NAMES.contains(&last) || FRONTS.iter().any(|front| last.starts_with(front)))
}

/// Scopes that Keras gives its optimizers in name-based checkpoints.
pub(in crate::analysis) const SCOPES: &[&str] = &[
    "Adam",
    "SGD",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adamax",
    "Nadam",
    "Ftrl",
    "AdamW",
    "Lion",
    "Lamb",
    "Adafactor",
    "Muon",
];

/// Whether the name of a slot may begin with this byte. Of most tensors no more needs to be looked at.
pub(super) fn begins_a_slot(first: u8) -> bool {
    #[expect(clippy::indexing_slicing, reason = "a constant: an index beyond its end would not compile")]
    const BEGINS: [bool; 256] = {
        let mut begins = [false; 256];
        let tables = [SLOTS, SLOT_KINDS, &[("ExponentialMovingAverage", ""), ("moving_average", ""), ("ema", "")]];
        let mut table = 0;
        while table < tables.len() {
            let mut row = 0;
            while row < tables[table].len() {
                begins[tables[table][row].0.as_bytes()[0] as usize] = true;
                row += 1;
            }
            table += 1;
        }
        begins
    };
    BEGINS.get(usize::from(first)).copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::are_of_other_optimizers;

    #[test]
    fn slots_that_cannot_stand_for_each_other() {
        for (a, b) in [("w/Momentum", "w/Adam_1"), ("w/Adagrad:0", "w/RMSProp:0"), ("n/w/Ftrl_1", "w/Adadelta")] {
            assert!(are_of_other_optimizers(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
        for (a, b) in [("w/adam_m", "w/Adam"), ("w/lamb_v", "w/AdamWeightDecay_1"), ("w/opt", "w/Adam"), ("w", "v")] {
            assert!(!are_of_other_optimizers(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
    }
}
