//! A model as Keras has it in memory: objects with variables of their own, and attributes that hold further objects.
//!
//! Both loaders walk this tree, one by attributes, the other by layers; what they need besides is the order in which
//! a layer lists the weights of those within it.

use std::collections::BTreeSet;

use super::change::Change;

/// Deepest nesting that is followed: files may claim any.
pub(super) const DEPTH: usize = 64;

/// Which Keras.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KerasProgram {
    /// Keras 2, and `tf_keras`, which goes on with it.
    Keras2,
    /// Keras 3.
    Keras3,
}

/// A variable of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// Its own name: `kernel`.
    pub(super) name: String,
    /// Its name with the scopes around it, as messages have it.
    pub(super) path: String,
    /// Its shape, if it is known.
    pub(super) shape: Option<Vec<u64>>,
    /// Whether training changes it.
    pub(super) trainable: bool,
}

/// What an object does when it is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// It compares the number of its variables, and takes them.
    #[default]
    Layer,
    /// The same; a model whose layers are a list.
    Model,
    /// The same; a class of the program whose layers are attributes.
    Subclass,
    /// Another number of variables is passed over with a warning.
    Optimizer,
    /// A metric of Keras 2, which is a layer.
    Metric,
    /// It reads nothing of the weights, or what is no variable: lookups, operations.
    Silent,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub(super) enum Held {
    One(usize),
    Many(Vec<Held>),
}

impl Held {
    /// All objects in it.
    pub(super) fn flat(&self, all: &mut Vec<usize>) {
        match self {
            Self::One(at) => all.push(*at),
            Self::Many(list) => list.iter().for_each(|held| held.flat(all)),
        }
    }
}

/// An object.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Object {
    /// Its name; of a model that is a class of the program it may not be known.
    pub(super) name: String,
    /// Whether that is not its name: Keras 2 does not write one, and the group is called after the class.
    pub(super) is_nameless: bool,
    /// Its class as Python calls it, if that is known.
    pub(super) class: Option<String>,
    pub(super) kind: Kind,
    /// Whether it has made its variables.
    pub(super) built: bool,
    /// Its own variables, if they are known: first those that are trained.
    pub(super) variables: Option<Vec<Variable>>,
    /// What it holds, in no order.
    pub(super) attributes: Vec<(String, Held)>,
    /// Whether that is everything.
    pub(super) is_complete: bool,
    /// Whether its variables are those of everything within it, one behind the other: whose each is, is not known.
    pub(super) is_flat: bool,
    /// The layers within it in the order of its weights, if that is known.
    pub(super) layers: Option<Vec<usize>>,
    /// Whether it is trained.
    pub(super) trainable: bool,
    /// What was done to it after it was made, which changes what it stores and what it takes: quantized, `LoRA`.
    pub(super) changed: Option<Change>,
}

/// Whether this is a class of optimizer that scales the loss: HDF5 files of whole models have its own name, archives the one
/// that is public.
pub(super) fn scales_loss(class: &str) -> bool {
    matches!(class, "LossScaleOptimizer" | "LossScaleOptimizerV3")
}

/// All objects of a model; the first is the model itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    pub(super) all: Vec<Object>,
    /// How many variables the optimizer has that scales the loss, of a model that Keras 2 compiled from an HDF5 file. It
    /// is none of the objects: what such a file says of its variables is not what a file by objects does.
    pub(super) loss_scaled: Option<usize>,
}

/// A variable: which object's, and which of them.
pub(super) type Which = (usize, usize);

impl Object {
    /// Its name as messages have it.
    pub(super) fn called(&self) -> &str {
        if self.is_nameless { "…" } else { &self.name }
    }
}

impl Objects {
    pub(super) fn get(&self, at: usize) -> Option<&Object> {
        self.all.get(at)
    }

    pub(super) fn add(&mut self, object: Object) -> usize {
        self.all.push(object);
        self.all.len().saturating_sub(1)
    }

    pub(super) fn variable(&self, which: Which) -> Option<&Variable> {
        self.get(which.0)?.variables.as_ref()?.get(which.1)
    }

    /// The attributes of an object in the order in which a loader goes through them.
    pub(super) fn walk(&self, at: usize, program: KerasProgram) -> Vec<(&str, &Held)> {
        let Some(object) = self.get(at) else { return Vec::new() };
        let mut all: Vec<(&str, &Held)> = object.attributes.iter().map(|(name, held)| (name.as_str(), held)).collect();
        match program {
            // Private attributes come last, and the layers of a model before everything.
            KerasProgram::Keras3 => {
                let is_first = |name: &str| object.kind == Kind::Model && name == "layers";
                let key = |name: &str| if name.starts_with('_') { format!("~{name}") } else { name.to_owned() };
                all.sort_by_key(|(name, _)| (!is_first(name), key(name)));
            }
            KerasProgram::Keras2 => all.sort_by(|a, b| b.0.cmp(a.0)),
        }
        all
    }

    /// The names that a list of objects gives to what is in it: the class in snake case, numbered from the second on.
    pub(super) fn segments<'h>(
        &self,
        list: &'h [Held],
        program: KerasProgram,
        skipped: &dyn Fn(usize) -> bool,
    ) -> Vec<(String, &'h Held)> {
        let mut used = std::collections::BTreeMap::new();
        let mut all = Vec::new();
        for held in list {
            let stem = match held {
                Held::One(at) if skipped(*at) && program == KerasProgram::Keras2 => continue,
                Held::One(at) => {
                    let class = self.get(*at).and_then(|object| object.class.clone());
                    class.map_or_else(
                        || "object".to_owned(),
                        |class| crate::read::formats::keras::group_of_class(&class),
                    )
                }
                Held::Many(_) if program == KerasProgram::Keras2 => continue,
                Held::Many(_) => "container".to_owned(),
            };
            let n = used.entry(stem.clone()).and_modify(|n: &mut usize| *n = n.saturating_add(1)).or_insert(0);
            let segment = if *n == 0 { stem } else { format!("{stem}_{n}") };
            all.push((segment, held));
        }
        all
    }

    /// Under which path each object is saved: the first at which the writer comes to it.
    pub(super) fn places(&self, program: KerasProgram) -> Vec<(usize, String)> {
        let mut places = Vec::new();
        self.place(0, "", program, &mut BTreeSet::new(), &mut places, 0);
        places
    }

    fn place(
        &self,
        at: usize,
        path: &str,
        program: KerasProgram,
        seen: &mut BTreeSet<usize>,
        places: &mut Vec<(usize, String)>,
        depth: usize,
    ) {
        if depth > DEPTH || !seen.insert(at) {
            return;
        }
        places.push((at, path.to_owned()));
        for (attribute, held) in self.walk(at, program) {
            self.place_held(held, &joined(path, attribute), program, seen, places, depth.saturating_add(1));
        }
    }

    fn place_held(
        &self,
        held: &Held,
        path: &str,
        program: KerasProgram,
        seen: &mut BTreeSet<usize>,
        places: &mut Vec<(usize, String)>,
        depth: usize,
    ) {
        match held {
            Held::One(at) => self.place(*at, path, program, seen, places, depth),
            Held::Many(_) if depth > DEPTH => {}
            Held::Many(list) => {
                let before = seen.clone();
                for (segment, held) in self.segments(list, program, &|at| before.contains(&at)) {
                    self.place_held(held, &joined(path, &segment), program, seen, places, depth.saturating_add(1));
                }
            }
        }
    }

    /// The layers of a model in whatever order, if all of them are known.
    pub(super) fn unordered_layers(&self, at: usize) -> Option<Vec<usize>> {
        let object = self.get(at).filter(|object| object.is_complete)?;
        if let Some(layers) = &object.layers {
            return Some(layers.clone());
        }
        let mut all = Vec::new();
        let own = object.attributes.iter().filter(|(name, _)| !matches!(name.as_str(), "optimizer" | "metrics"));
        own.for_each(|(_, held)| held.flat(&mut all));
        let mut seen = BTreeSet::new();
        all.retain(|at| seen.insert(*at));
        Some(all)
    }

    /// The layers of a model, as `model.layers` has them.
    pub(super) fn layers(&self, at: usize) -> Option<&[usize]> {
        self.get(at)?.layers.as_deref()
    }

    /// The weights of a layer as the older files list them: first those that are trained. `None` if what is in the layer,
    /// or in which order, is not known.
    pub(super) fn legacy_weights(&self, at: usize, program: KerasProgram) -> Option<Vec<Which>> {
        match program {
            KerasProgram::Keras3 => {
                let mut all = Vec::new();
                self.flat(at, true, &mut all, 0)?;
                let trained = self.get(at)?.trainable;
                let (first, then): (Vec<_>, Vec<_>) =
                    all.into_iter().partition(|(_, is_trained)| *is_trained || !trained);
                Some(first.into_iter().chain(then).map(|(which, _)| which).collect())
            }
            KerasProgram::Keras2 => {
                let (mut trained, untrained) = self.split(at, 0)?;
                trained.extend(untrained);
                let mut seen = BTreeSet::new();
                trained.retain(|which| seen.insert(*which));
                Some(trained)
            }
        }
    }

    fn flat(&self, at: usize, around: bool, all: &mut Vec<(Which, bool)>, depth: usize) -> Option<()> {
        let object = self.get(at).filter(|_| depth <= DEPTH)?;
        let trained = around && object.trainable;
        for (n, variable) in object.variables.as_ref()?.iter().enumerate() {
            if !all.iter().any(|(which, _)| *which == (at, n)) {
                all.push(((at, n), trained && variable.trainable));
            }
        }
        for layer in object.layers.as_ref()? {
            self.flat(*layer, trained, all, depth.saturating_add(1))?;
        }
        Some(())
    }

    /// Keras 2 gathers what is trained and what is not apart, all the way down.
    fn split(&self, at: usize, depth: usize) -> Option<(Vec<Which>, Vec<Which>)> {
        let object = self.get(at).filter(|_| depth <= DEPTH)?;
        let (mut trained, mut untrained) = (Vec::new(), Vec::new());
        for (n, variable) in object.variables.as_ref()?.iter().enumerate() {
            if variable.trainable { trained.push((at, n)) } else { untrained.push((at, n)) }
        }
        let mut within = Vec::new();
        for layer in object.layers.as_ref()? {
            within.push(self.split(*layer, depth.saturating_add(1))?);
        }
        if object.trainable {
            for (a, b) in within {
                trained.extend(a);
                untrained.extend(b);
            }
            return Some((trained, untrained));
        }
        let all =
            trained.into_iter().chain(untrained).chain(within.into_iter().flat_map(|(a, b)| a.into_iter().chain(b)));
        Some((Vec::new(), all.collect()))
    }

    /// Whether nothing in a layer has weights.
    pub(super) fn is_empty(&self, at: usize, depth: usize) -> bool {
        let Some(object) = self.get(at).filter(|_| depth <= DEPTH) else { return false };
        let mut all = Vec::new();
        object.attributes.iter().for_each(|(_, held)| held.flat(&mut all));
        object.variables.as_ref().is_some_and(Vec::is_empty)
            && object.is_complete
            && all.into_iter().all(|at| self.is_empty(at, depth.saturating_add(1)))
    }

    /// Whether an object belongs to the model, and not to how it is trained.
    pub(super) fn is_of_model(&self, at: usize) -> bool {
        self.get(at).is_some_and(|object| !matches!(object.kind, Kind::Optimizer | Kind::Metric))
    }
}

/// A path with one segment more.
pub(super) fn joined(path: &str, segment: &str) -> String {
    if path.is_empty() { segment.to_owned() } else { format!("{path}/{segment}") }
}
