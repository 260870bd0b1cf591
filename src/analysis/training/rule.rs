//! What the slots of an optimizer keep: which formula leads from them back to gradients.
//!
//! Formulas and where they come from are in `docs/training.md`.

use std::collections::BTreeMap;

/// What is kept of a weight by its optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// A mean of squared gradients that forgets: v ← βv + (1 − β)g².
    Forgets {
        /// What updates are made of it.
        update: Update,
        /// β, if it is not stored.
        usual: f64,
    },
    /// The same with β = 1 − t^−0.8 in the t-th update (Adafactor); of a factored weight only the mean over all elements.
    Decays,
    /// A sum of squared gradients (Adagrad, Ftrl). Whether updates are gradients over its root.
    Sums {
        /// Whether updates are gradients over its root, as Adagrad's are.
        divides: bool,
    },
    /// A mean or a sum of gradients: a ← μa + g (a momentum of `tf.compat.v1`), or with the learning rate in
    /// it (Keras). Signs cancel, so squares are known only after one update.
    First {
        /// What is added to it is the gradient times this, if that is known: 1, or 1 − μ.
        kept: Kept,
    },
}

/// What updates are made of.
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
    /// The slot with squares, or of [`Rule::First`] the momentum.
    pub(super) main: usize,
    /// The mean of gradients beside it.
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
    let plain = |rule, main| Measure { rule, main, first, never: Never::Zero, begins_at_zero: true };
    if find(&["gradient_accumulator"]).is_some() {
        return Err("gradients are accumulated over a number of steps that is not stored");
    }
    let is_factored = find(&["vr"]).is_some() || (find(&["r"]).is_some() && find(&["c"]).is_some());
    if is_factored || owner == "Adafactor" {
        let main = find(&["vr", "velocity", "v"]).ok_or("the slots of this Adafactor are not known")?;
        let never = if find(&["vr"]).is_some() { Never::Unknown } else { Never::Zero };
        return Ok(Measure { never, ..plain(Rule::Decays, main) });
    }
    let adadelta =
        find(&["accumulated_grad", "accum_grad"]).or_else(|| find(&["accum"]).filter(|_| owner == "Adadelta"));
    if let Some(main) = adadelta {
        return Ok(plain(Rule::Forgets { update: Update::Other, usual: 0.95 }, main));
    }
    if let Some(main) = find(&["accumulator"]).or_else(|| find(&["accum"]).filter(|_| owner == "Ftrl")) {
        let divides = find(&["linear"]).is_none();
        let measure = plain(Rule::Sums { divides }, main);
        return Ok(Measure { never: Never::Lowest, begins_at_zero: false, ..measure });
    }
    if matches!(owner, "Adamax" | "AdaMax") || find(&["u", "norm"]).is_some() {
        return Err("Adamax keeps the largest gradient, which forgets: no mean square follows from it");
    }
    let is_centered = find(&["mg", "average_gradient"]).is_some();
    let is_rms = find(&["rms"]).is_some() || is_centered || matches!(owner, "RMSprop" | "RMSProp");
    if let Some(main) = find(&["rms", "velocity", "v"]).filter(|_| is_rms) {
        // With a momentum an update has a share of those before it, and it is not stored how large a share.
        let update = if is_centered || first.is_some() { Update::Other } else { Update::Rms };
        let rule = Rule::Forgets { update, usual: 0.9 };
        // The optimizer of `tf.compat.v1` begins with ones, and names its slot so; the older one of Keras does, too.
        let is_saver = owner == "RMSProp";
        let never = if is_saver { Never::Unknown } else { Never::Zero };
        return Ok(Measure { never, begins_at_zero: !is_saver, ..plain(rule, main) });
    }
    if let Some(main) = find(&["v", "velocity", "adam_v", "lamb_v", "AdamWeightDecay_1"]).filter(|_| first.is_some()) {
        let update = match owner {
            "Adam" | "LazyAdam" | "AMSGrad" => Update::Adam,
            "" if find(&["vhat", "velocity_hat"]).is_none() => Update::Adam,
            "Nadam" => Update::Nadam,
            "AdamW" => Update::Decoupled,
            _ => Update::Other,
        };
        return Ok(plain(Rule::Forgets { update, usual: 0.999 }, main));
    }
    match first {
        Some(main) if owner == "Lion" => Ok(plain(Rule::First { kept: Kept::Mean }, main)),
        Some(main) if matches!(owner, "SGD" | "momentum") => Ok(plain(Rule::First { kept: Kept::Step }, main)),
        Some(main) if owner == "Momentum" => Ok(plain(Rule::First { kept: Kept::Gradient }, main)),
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
            measure(Some(owner).filter(|owner| !owner.is_empty()), &slots).map(|measure| (measure.rule, measure.main))
        };
        let forgets = |update, usual| Rule::Forgets { update, usual };
        assert_eq!(rule("Adam", &["m", "v"]), Ok((forgets(Update::Adam, 0.999), 1)));
        assert_eq!(rule("", &["momentum", "velocity"]), Ok((forgets(Update::Adam, 0.999), 1)));
        assert_eq!(rule("RMSprop", &["velocity", "momentum"]), Ok((forgets(Update::Other, 0.9), 0)));
        assert_eq!(rule("RMSprop", &["velocity"]), Ok((forgets(Update::Rms, 0.9), 0)));
        assert_eq!(rule("", &["rms"]), Ok((forgets(Update::Rms, 0.9), 0)));
        assert_eq!(rule("Adadelta", &["accum", "accum_update"]), Ok((forgets(Update::Other, 0.95), 0)));
        assert_eq!(rule("Ftrl", &["accum", "linear"]), Ok((Rule::Sums { divides: false }, 0)));
        assert_eq!(rule("Adagrad", &["accumulator"]), Ok((Rule::Sums { divides: true }, 0)));
        assert_eq!(rule("Adafactor", &["r", "c", "v"]), Ok((Rule::Decays, 2)));
        assert_eq!(rule("Momentum", &["momentum"]), Ok((Rule::First { kept: Kept::Gradient }, 0)));
        assert!(rule("", &["momentum"]).is_err() && rule("Adamax", &["m", "u"]).is_err());
        assert!(rule("Adam", &["m", "v", "gradient_accumulator"]).is_err());
    }
}
