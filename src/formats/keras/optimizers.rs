//! The variables of an optimizer that a file only counts: which is a slot of which weight.
//!
//! `saving_lib.py` writes `optimizer/vars/0`, `1`, … in the order in which the optimizer made them: its own first
//! (iteration, learning rate), then kind after kind, or several kinds at once, for each trained variable in the order of
//! the model. Which kinds there are depends on the class and its options; names are given only where one answer fits
//! the number of variables and all their shapes.

use serde_json::Value;

use super::config::snake;

/// Kinds of slots that are made together: for each variable one of each.
type Together = &'static [&'static str];

/// What is known of an optimizer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Optimizer {
    /// Its class in snake case.
    class: String,
    /// What its variables are called after.
    scope: String,
    /// Whether it is one of Keras 2, and of those one of `optimizers.legacy`.
    is_old: bool,
    is_legacy: bool,
    /// Whether its options are known: not if only its name is.
    options: Option<Options>,
}

/// The options on which it depends what slots there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    average: bool,
    accumulates: bool,
    momentum: bool,
    centered: bool,
    amsgrad: bool,
}

/// A slot: whose it is, by its number among the trained variables, and its kind.
pub(super) type Slot = (usize, &'static str);

impl Optimizer {
    /// From what a model was compiled with.
    pub(super) fn of_config(compiled: &Value, is_old: bool) -> Option<Self> {
        let optimizer = compiled.get("optimizer_config").or_else(|| compiled.get("optimizer"))?;
        let class = optimizer.get("class_name")?.as_str()?;
        let config = optimizer.get("config")?;
        let flag = |key: &str| config.get(key).and_then(Value::as_bool).unwrap_or(false);
        let is_set = |key: &str| config.get(key).is_some_and(|value| value.as_f64().is_some_and(|value| value != 0.0));
        let options = Options {
            average: flag("use_ema"),
            accumulates: is_set("gradient_accumulation_steps"),
            momentum: is_set("momentum"),
            centered: flag("centered"),
            amsgrad: flag("amsgrad"),
        };
        let scope = config.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let class = class.rsplit('>').next().unwrap_or(class);
        let is_legacy = flag("is_legacy_optimizer");
        Some(Self { class: snake(class), scope, is_old, is_legacy, options: Some(options) })
    }

    /// From its name alone, where Keras made that from the class.
    pub(super) fn of_name(name: &str) -> Self {
        let class = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
        Self { class: class.to_owned(), scope: name.to_owned(), ..Self::default() }
    }

    /// What its variables are called after.
    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// What every variable behind the optimizer's own is, if only one order of kinds fits their shapes. Of each its
    /// shape, and those of the trained variables in their order.
    pub(super) fn slots(&self, shapes: &[&[u64]], trained: &[&[u64]]) -> Option<Vec<Slot>> {
        let mut fitting = self.kinds().into_iter().filter_map(|kinds| {
            let all: Vec<Slot> = kinds
                .iter()
                .flat_map(|together| (0..trained.len()).flat_map(|of| together.iter().map(move |kind| (of, *kind))))
                .collect();
            // Nadam of Keras 3 has one more number of its own behind all.
            let rest = shapes.len().checked_sub(all.len())?;
            let is_rest_own = rest == 0 || (rest == 1 && self.class == "nadam" && shapes.last()?.is_empty());
            let fits = all.iter().zip(shapes).all(|((of, _), shape)| trained.get(*of) == Some(shape));
            (is_rest_own && fits).then_some(all)
        });
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// The orders of kinds that the class may have.
    fn kinds(&self) -> Vec<Vec<Together>> {
        if self.is_legacy {
            return self.legacy();
        }
        let pair = |three: [&'static [&'static str]; 2]| vec![three[usize::from(self.is_old)]];
        // Behind what every class has, what an option adds.
        let (first, options): (Vec<Together>, Vec<(Option<bool>, Together)>) = match self.class.as_str() {
            "adam" | "adam_w" | "adamw" => {
                let hat: Together = if self.is_old { &["vhat"] } else { &["velocity_hat"] };
                (pair([&["momentum", "velocity"], &["m", "v"]]), vec![(self.options.map(|o| o.amsgrad), hat)])
            }
            "nadam" | "lamb" => (pair([&["momentum", "velocity"], &["m", "v"]]), Vec::new()),
            "adamax" => (pair([&["momentum", "norm"], &["m", "u"]]), Vec::new()),
            "lion" => (pair([&["momentum"], &["m"]]), Vec::new()),
            "adagrad" => (vec![&["accumulator"]], Vec::new()),
            "adadelta" => (vec![&["accumulated_grad", "accumulated_delta_var"]], Vec::new()),
            "ftrl" => (vec![&["accumulator", "linear"]], Vec::new()),
            // That of tf_keras has one whether or not it is used.
            "sgd" if self.is_old => (vec![&["m"]], Vec::new()),
            "sgd" => (Vec::new(), vec![(self.options.map(|o| o.momentum), &["momentum"])]),
            "rmsprop" => (
                vec![&["velocity"]],
                vec![
                    (self.options.map(|o| o.momentum), &["momentum"]),
                    (self.options.map(|o| o.centered), &["average_gradient"]),
                ],
            ),
            _ => return Vec::new(),
        };
        let before: [(Option<bool>, Together); 2] = [
            (self.options.map(|o| o.average), &["average"]),
            (self.options.map(|o| o.accumulates), &["gradient_accumulator"]),
        ];
        let mut all: Vec<Vec<Together>> = vec![Vec::new()];
        let extend = |all: Vec<Vec<Together>>, on: Option<bool>, kind: Together| -> Vec<Vec<Together>> {
            let with = |kinds: &Vec<Together>| kinds.iter().copied().chain([kind]).collect::<Vec<_>>();
            match on {
                Some(false) => all,
                Some(true) => all.iter().map(with).collect(),
                None => all.iter().map(with).chain(all.iter().cloned()).collect(),
            }
        };
        for (on, kind) in before {
            all = extend(all, on, kind);
        }
        for kind in first {
            all = extend(all, Some(true), kind);
        }
        for (on, kind) in options {
            all = extend(all, on, kind);
        }
        all
    }

    /// Those of `tf_keras.optimizers.legacy` are made kind after kind.
    fn legacy(&self) -> Vec<Vec<Together>> {
        let Some(options) = self.options else { return Vec::new() };
        let optional = |on: bool, kind: Together| on.then_some(kind);
        let kinds: Vec<Together> = match self.class.as_str() {
            "adam" => [&["m"] as Together, &["v"]].into_iter().chain(optional(options.amsgrad, &["vhat"])).collect(),
            "nadam" | "adamax" => vec![&["m"], &["v"]],
            "sgd" => optional(options.momentum, &["momentum"]).into_iter().collect(),
            "adagrad" => vec![&["accumulator"]],
            "rmsprop" => [&["rms"] as Together]
                .into_iter()
                .chain(optional(options.momentum, &["momentum"]))
                .chain(optional(options.centered, &["mg"]))
                .collect(),
            _ => return Vec::new(),
        };
        vec![kinds]
    }

    /// The name of a slot as Keras makes it.
    pub(super) fn slot_name(&self, variable: &str, kind: &str) -> String {
        let variable = variable.strip_suffix(":0").unwrap_or(variable);
        match (self.is_legacy, self.is_old) {
            (true, _) => format!("{}/{variable}/{kind}", self.scope),
            (false, true) => format!("{}/{kind}/{variable}", self.scope),
            (false, false) => format!("{}/{}_{kind}", self.scope, variable.replace('/', "_")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &[u64] = &[2, 3];
    const BIAS: &[u64] = &[3];

    #[test]
    fn slots_are_named_where_one_order_fits() {
        let trained = [KERNEL, BIAS];
        let adam = Optimizer::of_name("adam_1");
        let found = adam.slots(&[KERNEL, KERNEL, BIAS, BIAS], &trained).unwrap();
        assert_eq!(found, [(0, "momentum"), (0, "velocity"), (1, "momentum"), (1, "velocity")]);
        assert_eq!(adam.slot_name("a/kernel", "momentum"), "adam_1/a_kernel_momentum");
        // Five for two variables fit nothing; of two kinds of one variable nobody knows the third.
        assert_eq!(adam.slots(&[KERNEL, KERNEL, BIAS, BIAS, KERNEL], &trained), None);
        assert_eq!(adam.slots(&[KERNEL, BIAS, KERNEL, BIAS], &trained), None);
        assert_eq!(Optimizer::of_name("mine").slots(&[], &[]), None);
    }

    #[test]
    fn options_decide_what_there_is() {
        let of = |json: &str| Optimizer::of_config(&serde_json::from_str(json).unwrap(), json.contains("_config")).unwrap();
        let rms = of(r#"{"optimizer": {"class_name": "RMSprop", "config": {"name": "rmsprop", "momentum": 0.0, "centered": true}}}"#);
        assert_eq!(rms.slots(&[BIAS, BIAS], &[BIAS]).unwrap(), [(0, "velocity"), (0, "average_gradient")]);
        let sgd = of(r#"{"optimizer_config": {"class_name": "SGD", "config": {"name": "SGD", "momentum": 0.0}}}"#);
        assert_eq!(sgd.slots(&[BIAS], &[BIAS]).unwrap(), [(0, "m")]);
        assert_eq!(sgd.slot_name("a/bias:0", "m"), "SGD/m/a/bias");
        assert_eq!(Optimizer::of_name("rmsprop").slots(&[BIAS, BIAS], &[BIAS]), None);
    }
}
