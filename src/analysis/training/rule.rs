//! What the slots of an optimizer keep: which formula leads from them back to gradients.
//!
//! Formulas and where they come from are in `docs/training.md`.

use std::collections::BTreeMap;

/// What is kept of a weight by its optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// A mean of squared gradients that forgets: v ← βv + (1 − β)g².
    Forgets {
        /// β, if it is not stored.
        usual: f64,
    },
    /// The same with β = 1 − t^−0.8 in the t-th update (Adafactor); of a factored weight only the mean over all elements.
    Decays,
    /// A sum of squared gradients (Adagrad, Ftrl).
    Sums,
    /// A mean or a sum of gradients: a ← μa + g (a momentum of `tf.compat.v1`), or with the learning rate in
    /// it (Keras). Signs cancel, so squares are known only after one update.
    First {
        /// What is added to it is the gradient times this, if that is known: 1, or 1 − μ.
        kept: Kept,
    },
    /// The largest gradient, which forgets (Adamax): no mean square follows from it.
    Largest,
}

/// What updates are made of, as far as the learning rate can be bounded by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// m̂ / √v̂, the mean of gradients over the root (Adam).
    Adam,
    /// As Adam, with the next step of the momentum in it.
    Nadam,
    /// Adam's, and a share of the weight.
    Decoupled,
    /// g / √v.
    Rms,
    /// The same times the learning rate, gathered in a momentum that the weight moves by.
    Carried,
    /// Something of which the squares are kept as well (Adadelta).
    Kept,
    /// g / √a, of a sum of squares (Adagrad).
    Sum,
    /// The weight itself is made of a slot, its sum of squares and the learning rate (Ftrl).
    Linear,
    /// A momentum without the learning rate in it, which is known of one update alone.
    Momentum,
    /// A sign, and a share of the weight (Lion).
    Sign,
    /// The mean of gradients over the largest (Adamax).
    Largest,
    /// As large as the weight, and of one that is small as large as a thousandth (Adafactor of Keras).
    Norm,
    /// As large as the weight (LAMB).
    Trust,
    /// Something of which no bound is known.
    Other,
}

/// What is added to a momentum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The gradient.
    Gradient,
    /// Minus the gradient times the learning rate.
    Step,
    /// The gradient times 1 − μ; μ is 0.99, as Lion's.
    Mean,
}

/// How a row shows that it has never had a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {
    /// Its slot is 0.
    Zero,
    /// Its slot is the number that it began with, the lowest of all.
    Lowest,
    /// Not at all.
    Unknown,
}

/// How one weight is measured: the formula and the slots that go into it, by position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    pub(super) rule: Rule,
    pub(super) update: Update,
    /// The slot with squares, or of [`Rule::First`] the momentum.
    pub(super) main: usize,
    /// The mean of gradients beside it, or another slot that its updates depend on.
    pub(super) first: Option<usize>,
    pub(super) never: Never,
    /// Whether the main slot is 0 before the first update.
    pub(super) begins_at_zero: bool,
}

/// The slots of a weight, by their kinds.
pub(super) type Slots = BTreeMap<String, usize>;

/// How a weight with these slots is measured, or why it cannot be. `owner` is the optimizer, as far as it is known.
pub(super) fn measure(owner: Option<&str>, slots: &Slots) -> Result<Measure, &'static str> {
    let find = |kinds: &[&str]| kinds.iter().find_map(|kind| slots.get(*kind).copied());
    let owner = owner.unwrap_or_default();
    let first = find(&["m", "momentum", "adam_m", "lamb_m", "AdamWeightDecay"]);
    let plain = |rule, update, main| Measure { rule, update, main, first, never: Never::Zero, begins_at_zero: true };
    if find(&["gradient_accumulator"]).is_some() {
        return Err("gradients are accumulated over a number of steps that is not stored");
    }
    let is_factored = find(&["vr"]).is_some() || (find(&["r"]).is_some() && find(&["c"]).is_some());
    if is_factored || owner == "Adafactor" {
        let main = find(&["vr", "velocity", "v"]).ok_or("the slots of this Adafactor are not known")?;
        let never = if find(&["vr"]).is_some() { Never::Unknown } else { Never::Zero };
        // Others than Keras' may be told not to scale updates by the weight.
        let is_keras = find(&["velocity"]).is_some() || find(&["r"]).is_some() && find(&["c"]).is_some();
        let update = if is_keras { Update::Norm } else { Update::Other };
        return Ok(Measure { never, ..plain(Rule::Decays, update, main) });
    }
    let adadelta =
        find(&["accumulated_grad", "accum_grad"]).or_else(|| find(&["accum"]).filter(|_| owner == "Adadelta"));
    if let Some(main) = adadelta {
        let first = find(&["accumulated_delta_var", "accum_var", "accum_update"]);
        let update = if first.is_some() { Update::Kept } else { Update::Other };
        return Ok(Measure { first, ..plain(Rule::Forgets { usual: 0.95 }, update, main) });
    }
    if let Some(main) = find(&["accumulator"]).or_else(|| find(&["accum"]).filter(|_| owner == "Ftrl")) {
        let linear = find(&["linear"]);
        let update = if linear.is_some() { Update::Linear } else { Update::Sum };
        let measure = plain(Rule::Sums, update, main);
        return Ok(Measure { first: linear, never: Never::Lowest, begins_at_zero: false, ..measure });
    }
    if matches!(owner, "Adamax" | "AdaMax") || find(&["u", "norm"]).is_some() {
        let main = find(&["u", "norm", "v", "velocity"]).ok_or("the slots of this Adamax are not known")?;
        return Ok(plain(Rule::Largest, Update::Largest, main));
    }
    let is_centered = find(&["mg", "average_gradient"]).is_some();
    // A `velocity` alone is RMSprop's of `tf_keras`, whose names may say no optimizer.
    let is_alone = owner.is_empty() && first.is_none() && find(&["velocity"]).is_some();
    let is_rms = find(&["rms"]).is_some() || is_centered || is_alone || matches!(owner, "RMSprop" | "RMSProp");
    if let Some(main) = find(&["rms", "velocity", "v"]).filter(|_| is_rms) {
        let update = match (is_centered, first) {
            (true, _) => Update::Other,
            (false, Some(_)) => Update::Carried,
            (false, None) => Update::Rms,
        };
        let rule = Rule::Forgets { usual: 0.9 };
        // The optimizer of `tf.compat.v1` begins with ones, and names its slot so; the older one of Keras does, too.
        let is_saver = owner == "RMSProp";
        let never = if is_saver { Never::Unknown } else { Never::Zero };
        return Ok(Measure { never, begins_at_zero: !is_saver, ..plain(rule, update, main) });
    }
    if let Some(main) = find(&["v", "velocity", "adam_v", "lamb_v", "AdamWeightDecay_1"]).filter(|_| first.is_some()) {
        let update = match owner {
            "Adam" | "LazyAdam" | "AMSGrad" => Update::Adam,
            "" if find(&["vhat", "velocity_hat"]).is_none() => Update::Adam,
            "Nadam" => Update::Nadam,
            "AdamW" => Update::Decoupled,
            "LAMB" | "Lamb" => Update::Trust,
            _ => Update::Other,
        };
        return Ok(plain(Rule::Forgets { usual: 0.999 }, update, main));
    }
    match first {
        Some(main) if owner == "Lion" => Ok(plain(Rule::First { kept: Kept::Mean }, Update::Sign, main)),
        Some(main) if matches!(owner, "SGD" | "momentum") => {
            Ok(plain(Rule::First { kept: Kept::Step }, Update::Other, main))
        }
        Some(main) if owner == "Momentum" => Ok(plain(Rule::First { kept: Kept::Gradient }, Update::Momentum, main)),
        _ => Err("no formula leads from these slots to gradients"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimizers_are_told_by_their_slots() {
        let rule = |owner: &str, kinds: &[&str]| {
            let slots = kinds.iter().enumerate().map(|(at, kind)| ((*kind).to_owned(), at)).collect();
            let measure = measure(Some(owner).filter(|owner| !owner.is_empty()), &slots);
            measure.map(|measure| (measure.rule, measure.update, measure.main, measure.first))
        };
        let forgets = |usual| Rule::Forgets { usual };
        assert_eq!(rule("Adam", &["m", "v"]), Ok((forgets(0.999), Update::Adam, 1, Some(0))));
        assert_eq!(rule("", &["momentum", "velocity"]), Ok((forgets(0.999), Update::Adam, 1, Some(0))));
        assert_eq!(rule("Lamb", &["momentum", "velocity"]), Ok((forgets(0.999), Update::Trust, 1, Some(0))));
        assert_eq!(rule("RMSprop", &["velocity", "momentum"]), Ok((forgets(0.9), Update::Carried, 0, Some(1))));
        assert_eq!(rule("RMSprop", &["velocity"]), Ok((forgets(0.9), Update::Rms, 0, None)));
        assert_eq!(rule("", &["velocity"]), Ok((forgets(0.9), Update::Rms, 0, None)));
        assert_eq!(rule("", &["rms"]), Ok((forgets(0.9), Update::Rms, 0, None)));
        assert_eq!(rule("", &["rms", "mg"]), Ok((forgets(0.9), Update::Other, 0, None)));
        assert_eq!(rule("Adadelta", &["accum", "accum_update"]), Ok((forgets(0.95), Update::Kept, 0, Some(1))));
        assert_eq!(rule("Ftrl", &["accum", "linear"]), Ok((Rule::Sums, Update::Linear, 0, Some(1))));
        assert_eq!(rule("Adagrad", &["accumulator"]), Ok((Rule::Sums, Update::Sum, 0, None)));
        assert_eq!(rule("Adafactor", &["r", "c", "v"]), Ok((Rule::Decays, Update::Norm, 2, None)));
        assert_eq!(rule("Adafactor", &["velocity"]), Ok((Rule::Decays, Update::Norm, 0, None)));
        assert_eq!(rule("Adafactor", &["vr", "vc", "v"]), Ok((Rule::Decays, Update::Other, 0, None)));
        let first = |kept| Rule::First { kept };
        assert_eq!(rule("Momentum", &["momentum"]), Ok((first(Kept::Gradient), Update::Momentum, 0, Some(0))));
        assert_eq!(rule("Lion", &["momentum"]), Ok((first(Kept::Mean), Update::Sign, 0, Some(0))));
        assert_eq!(rule("Adamax", &["m", "u"]), Ok((Rule::Largest, Update::Largest, 1, Some(0))));
        assert!(rule("", &["momentum"]).is_err());
        assert!(rule("Adam", &["m", "v", "gradient_accumulator"]).is_err());
    }
}
