//! The shapes of real checkpoints: how their programs name a great many tensors.

use ckpt_synth::big::BigTensor;

/// Who wrote a checkpoint, as far as its names tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Weights alone, as `tf.train.Checkpoint` writes them.
    Plain,
    /// `tf.train.Saver` with the two slots of Adam behind every variable.
    SaverAdam,
    /// `tf.train.Saver` with momentum and moving averages.
    SaverMomentum,
    /// `tf.train.Checkpoint` with slots as keys of their own.
    OptimizerSlot,
    /// Keras 3: lists of variables, and of the optimizer's.
    Keras3,
    /// Scopes in scopes.
    Deep,
}

/// All of them with what the tables call them, the plain one first.
pub const SHAPES: [(&str, Shape); 6] = [
    ("weights alone", Shape::Plain),
    ("Saver with Adam", Shape::SaverAdam),
    ("Saver with momentum and averages", Shape::SaverMomentum),
    (".OPTIMIZER_SLOT", Shape::OptimizerSlot),
    ("Keras 3, _variables/N", Shape::Keras3),
    ("deep scopes", Shape::Deep),
];

/// What Python's attributes end in.
const VALUE: &str = "/.ATTRIBUTES/VARIABLE_VALUE";

impl Shape {
    /// About `count` tensors of four numbers, and what its program stores besides.
    pub fn tensors(self, count: u64) -> Vec<BigTensor> {
        let mut names = Vec::new();
        let per_variable = match self {
            Self::Plain | Self::Deep => 1,
            Self::SaverAdam | Self::SaverMomentum | Self::OptimizerSlot | Self::Keras3 => 3,
        };
        for n in 0..count.div_ceil(per_variable) {
            self.variable(n, &mut names);
        }
        let scalars: &[&str] = match self {
            Self::Plain | Self::Deep => &[],
            Self::SaverAdam => &["beta1_power", "beta2_power"],
            Self::SaverMomentum => &[],
            Self::OptimizerSlot => &["optimizer/beta_1", "optimizer/beta_2", "optimizer/learning_rate"],
            Self::Keras3 => &["optimizer/_learning_rate"],
        };
        let is_keys = matches!(self, Self::OptimizerSlot | Self::Keras3);
        let scalar =
            |name: &&str| BigTensor::new(if is_keys { format!("{name}{VALUE}") } else { (*name).into() }, &[], 1);
        let scalars = scalars.iter().map(scalar);
        names.into_iter().zip(2..).map(|(name, seed)| BigTensor::new(name, &[4], seed)).chain(scalars).collect()
    }

    /// The names of a variable and of what belongs to it.
    fn variable(self, n: u64, names: &mut Vec<String>) {
        let (layer, head) = (n / 1000, n % 1000);
        match self {
            Self::Plain => names.push(format!("model/layer_{layer:04}/attention/head_{head:04}/query_kernel{VALUE}")),
            Self::SaverAdam | Self::SaverMomentum => {
                let slots = match self {
                    Self::SaverAdam => ["", "/Adam", "/Adam_1"],
                    _ => ["", "/ExponentialMovingAverage", "/Momentum"],
                };
                let what = if n.is_multiple_of(2) { "kernel" } else { "bias" };
                let scope = format!("model/layer_{layer:04}/attention/head_{:04}/query/{what}", head / 2);
                names.extend(slots.map(|slot| format!("{scope}{slot}")));
            }
            Self::OptimizerSlot => {
                let key = format!("model/layer_{layer:04}/attention/head_{head:04}/kernel");
                names.push(format!("{key}{VALUE}"));
                names.extend(["m", "v"].map(|slot| format!("{key}/.OPTIMIZER_SLOT/optimizer/{slot}{VALUE}")));
            }
            Self::Keras3 => {
                names.push(format!("_operations/{}/_kernel{VALUE}", n + 1));
                names.extend([2 * n, 2 * n + 1].map(|n| format!("optimizer/_variables/{}{VALUE}", n + 2)));
            }
            Self::Deep => {
                let digits = format!("{n:08}");
                let scopes: Vec<String> =
                    digits.chars().map(|digit| format!("block_{digit}/while/cond_{digit}")).collect();
                names.push(format!("{}/kernel", scopes.join("/")));
            }
        }
    }
}
