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
    /// Whether it is within one that scales losses.
    is_inner: bool,
    options: Options,
}

/// The options on which it depends what slots there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
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
        if let Some(name) = optimizer.as_str() {
            return Self::of_string(name, is_old);
        }
        // One that scales losses keeps nothing of the variables itself.
        if let Some(inner) =
            optimizer.get("config").and_then(|config| config.get("inner_optimizer")).filter(|_| !is_old)
        {
            let inner = serde_json::json!({ "optimizer": inner });
            return Self::of_config(&inner, is_old)
                .filter(|inner| !inner.is_inner)
                .map(|found| Self { is_inner: true, ..found });
        }
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
        Some(Self { class: snake(class), scope, is_old, is_legacy, is_inner: false, options })
    }

    /// What a program named by a string, which has all its options as they are by default.
    fn of_string(name: &str, is_old: bool) -> Option<Self> {
        let (class, scope) = match name.to_ascii_lowercase().as_str() {
            "adam" => ("adam", "Adam"),
            "adamw" => ("adam_w", "AdamW"),
            "sgd" => ("sgd", "SGD"),
            "rmsprop" => ("rmsprop", "RMSprop"),
            "adagrad" => ("adagrad", "Adagrad"),
            "adadelta" => ("adadelta", "Adadelta"),
            "adamax" => ("adamax", "Adamax"),
            "nadam" => ("nadam", "Nadam"),
            "ftrl" => ("ftrl", "Ftrl"),
            "lion" => ("lion", "lion"),
            _ => return None,
        };
        let scope = if is_old { scope } else { class };
        Some(Self { class: class.to_owned(), scope: scope.to_owned(), is_old, ..Self::default() })
    }

    /// Whether it is within one that scales losses.
    pub(super) fn is_inner(&self) -> bool {
        self.is_inner
    }

    /// With what the file calls its variables after, where it says that.
    pub(super) fn called(self, scope: Option<&String>) -> Self {
        let scope = scope.cloned().unwrap_or(self.scope);
        Self { scope, ..self }
    }

    /// What every variable behind the optimizer's own is, if their number and all their shapes are those that its class
    /// makes for the trained variables in this order.
    pub(super) fn slots(&self, shapes: &[&[u64]], trained: &[&[u64]]) -> Option<Vec<Slot>> {
        let kinds = self.kinds()?;
        let all = kinds
            .iter()
            .flat_map(|together| (0..trained.len()).flat_map(move |of| together.iter().map(move |kind| (of, *kind))));
        let all: Vec<Slot> = all.collect();
        // Nadam of Keras 3 has one more number of its own behind all.
        let rest = shapes.len().checked_sub(all.len())?;
        let is_rest_own = rest == 0 || (rest == 1 && self.class == "nadam" && shapes.last()?.is_empty());
        let fits = all
            .iter()
            .zip(shapes)
            .all(|((of, kind), shape)| trained.get(*of).is_some_and(|trained| self.is_shape_of(kind, trained, shape)));
        (is_rest_own && fits).then_some(all)
    }

    /// Whether a slot of a variable of this shape has that one: its own, but of the factors of Adafactor.
    fn is_shape_of(&self, kind: &str, trained: &[u64], shape: &[u64]) -> bool {
        match (kind, trained) {
            ("r" | "c", [] | [_]) if self.class == "adafactor" => shape.is_empty(),
            ("r", [rows @ .., _]) if self.class == "adafactor" => shape == rows,
            ("c", [outer @ .., _, columns]) if self.class == "adafactor" => {
                shape.split_last() == Some((columns, outer))
            }
            _ => trained == shape,
        }
    }

    /// The kinds that the class has with its options, in the order in which they are made.
    fn kinds(&self) -> Option<Vec<Together>> {
        if self.is_legacy {
            return self.legacy();
        }
        let Options { average, accumulates, momentum, centered, amsgrad } = self.options;
        let by_version = |new: Together, old: Together| if self.is_old { old } else { new };
        let own: Vec<(bool, Together)> = match self.class.as_str() {
            "adam" | "adam_w" => vec![
                (true, by_version(&["momentum", "velocity"], &["m", "v"])),
                (amsgrad, by_version(&["velocity_hat"], &["vhat"])),
            ],
            "nadam" | "lamb" => vec![(true, by_version(&["momentum", "velocity"], &["m", "v"]))],
            "adamax" => vec![(true, by_version(&["momentum", "norm"], &["m", "u"]))],
            "lion" => vec![(true, by_version(&["momentum"], &["m"]))],
            "adagrad" => vec![(true, &["accumulator"])],
            // That of tf_keras cannot be built.
            "adafactor" if !self.is_old => vec![(true, &["r", "c", "velocity"])],
            "adadelta" => vec![(true, &["accumulated_grad", "accumulated_delta_var"])],
            "ftrl" => vec![(true, &["accumulator", "linear"])],
            // That of tf_keras has one whether or not it is used.
            "sgd" => vec![(momentum || self.is_old, by_version(&["momentum"], &["m"]))],
            "rmsprop" | "rm_sprop" => {
                vec![(true, &["velocity"]), (momentum, &["momentum"]), (centered, &["average_gradient"])]
            }
            _ => return None,
        };
        let before: [(bool, Together); 2] = [(average, &["average"]), (accumulates, &["gradient_accumulator"])];
        Some(before.into_iter().chain(own).filter_map(|(is_there, kind)| is_there.then_some(kind)).collect())
    }

    /// Those of `tf_keras.optimizers.legacy` are made kind after kind.
    fn legacy(&self) -> Option<Vec<Together>> {
        let options = self.options;
        let optional = |on: bool, kind: Together| on.then_some(kind);
        let kinds: Vec<Together> = match self.class.as_str() {
            "adam" => [&["m"] as Together, &["v"]].into_iter().chain(optional(options.amsgrad, &["vhat"])).collect(),
            "nadam" | "adamax" => vec![&["m"], &["v"]],
            "sgd" => optional(options.momentum, &["momentum"]).into_iter().collect(),
            "adagrad" => vec![&["accumulator"]],
            "rmsprop" | "rm_sprop" => [&["rms"] as Together]
                .into_iter()
                .chain(optional(options.momentum, &["momentum"]))
                .chain(optional(options.centered, &["mg"]))
                .collect(),
            _ => return None,
        };
        Some(kinds)
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

/// Whether a name is that which Keras gives to an optimizer: its class, and a number.
pub(super) fn is_called_as_optimizer(name: &str) -> bool {
    const CALLED: &[&str] = &[
        "adadelta",
        "adafactor",
        "adagrad",
        "adam",
        "adamw",
        "adam_w",
        "adamax",
        "ftrl",
        "lamb",
        "lion",
        "loss_scale_optimizer",
        "muon",
        "nadam",
        "rm_sprop",
        "rmsprop",
        "SGD",
        "sgd",
    ];
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
    CALLED.contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &[u64] = &[2, 3];
    const BIAS: &[u64] = &[3];

    /// The key of the configuration is that of older files.
    fn of(json: &str) -> Optimizer {
        Optimizer::of_config(&serde_json::from_str(json).unwrap(), json.contains("optimizer_config")).unwrap()
    }

    #[test]
    fn slots_are_named_where_one_order_fits() {
        let trained = [KERNEL, BIAS];
        let adam = of(r#"{"optimizer": {"class_name": "Adam", "config": {"name": "adam_1"}}}"#);
        let found = adam.slots(&[KERNEL, KERNEL, BIAS, BIAS], &trained).unwrap();
        assert_eq!(found, [(0, "momentum"), (0, "velocity"), (1, "momentum"), (1, "velocity")]);
        assert_eq!(adam.slot_name("a/kernel", "momentum"), "adam_1/a_kernel_momentum");
        // Five for two variables fit nothing; of two kinds of one variable nobody knows the third.
        assert_eq!(adam.slots(&[KERNEL, KERNEL, BIAS, BIAS, KERNEL], &trained), None);
        assert_eq!(adam.slots(&[KERNEL, BIAS, KERNEL, BIAS], &trained), None);
        let mine = of(r#"{"optimizer": {"class_name": "Mine", "config": {}}}"#);
        assert_eq!(mine.slots(&[], &[]), None);
        let by_string = of(r#"{"optimizer": "RMSprop"}"#).called(Some(&"rmsprop_2".to_owned()));
        assert_eq!(by_string.slots(&[BIAS], &[BIAS]).unwrap(), [(0, "velocity")]);
        assert_eq!(by_string.slot_name("a/bias", "velocity"), "rmsprop_2/a_bias_velocity");
    }

    #[test]
    fn options_decide_what_there_is() {
        let rms = of(
            r#"{"optimizer": {"class_name": "RMSprop", "config": {"name": "rmsprop", "momentum": 0.0, "centered": true}}}"#,
        );
        assert_eq!(rms.slots(&[BIAS, BIAS], &[BIAS]).unwrap(), [(0, "velocity"), (0, "average_gradient")]);
        let sgd = of(r#"{"optimizer_config": {"class_name": "SGD", "config": {"name": "SGD", "momentum": 0.0}}}"#);
        assert_eq!(sgd.slots(&[BIAS], &[BIAS]).unwrap(), [(0, "m")]);
        assert_eq!(sgd.slot_name("a/bias:0", "m"), "SGD/m/a/bias");
    }
}
