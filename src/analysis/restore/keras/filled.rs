//! A model of which there are weights: what is in the file says which variables there are, and of which shapes, whatever
//! its configuration leaves open.

use super::change::Change;
use super::classes::{PLAIN, class_by_name, class_of, is_quantizable, names_of, unnumbered};
use super::objects::{DEPTH, Held, KerasProgram, Kind, Object, Objects, Variable, joined};
use super::saved::{Group, Listed, Saved, Set};
use crate::read::tensor::DType;

/// The objects of a file that has weights alone.
pub(super) fn of_groups(saved: &Saved, program: KerasProgram) -> Objects {
    let mut objects = Objects::default();
    let group = saved.groups.get("");
    let name = group.and_then(|group| group.name.clone()).unwrap_or_default();
    let is_list = saved.has_path("layers")
        && !saved.below("").any(|name| !matches!(name, "layers" | "optimizer" | "metrics" | "vars"));
    let class = if is_list { class_by_name(&name) } else { None };
    let kind = if is_list { Kind::Model } else { Kind::Subclass };
    let top = Object { name, class, kind, built: true, trainable: true, ..Object::default() };
    objects.add(top);
    objects.fill(saved, program);
    objects
}

impl Objects {
    /// Takes number and shapes of variables from a file that follows objects, and adds what only the file knows.
    pub(super) fn fill(&mut self, saved: &Saved, program: KerasProgram) {
        for (at, path) in self.places(program) {
            if let Some(group) = saved.group(&path, program == KerasProgram::Keras3) {
                self.fill_one(at, group, program, "");
            }
            let is_root = path.is_empty();
            if self.get(at).is_some_and(|object| !object.is_complete) {
                let scope = self.get(at).map(|object| object.called().to_owned()).unwrap_or_default();
                // A Functional model puts no name before those of its layers, and neither does Keras 2.
                let scope = match self.get(at).filter(|object| object.kind == Kind::Model) {
                    Some(object) if program == KerasProgram::Keras3 => match object.class.as_deref() {
                        Some("Sequential") => scope,
                        Some(_) => String::new(),
                        None => "…".to_owned(),
                    },
                    Some(_) => String::new(),
                    None => scope,
                };
                self.adopt(at, &path, saved, program, (&scope, 0));
            } else if is_root {
                for name in ["optimizer", "metrics"] {
                    self.adopt_one(at, "", name, saved, program, ("", 0));
                }
            }
        }
    }

    fn fill_one(&mut self, at: usize, group: &Group, program: KerasProgram, around: &str) {
        let Some(object) = self.all.get_mut(at) else { return };
        if let (true, Some(name)) = (object.name.is_empty(), &group.name) {
            object.name.clone_from(name);
        }
        if object.kind == Kind::Silent {
            return;
        }
        if !group.sets.is_empty() {
            object.built = true;
        }
        let scope = joined(around, object.called());
        let class = object.class.as_deref().unwrap_or_default();
        let first = group.sets.get("0").filter(|_| is_quantizable(class));
        let has_integers = first.is_some_and(|set| set.dtype == DType::Int8);
        if has_integers {
            object.changed.get_or_insert(Change::QUANTIZED);
        }
        let known = object.variables.take().filter(|known| known.len() == group.sets.len());
        let mut variables: Vec<Variable> = known.unwrap_or_else(|| {
            let names = names_of(class, group.sets.len(), has_integers);
            let own = |n: usize| {
                let name = names.get(n).copied().unwrap_or_default();
                let end = if program == KerasProgram::Keras2 { ":0" } else { "" };
                let is_open = scope.starts_with('…') && program == KerasProgram::Keras3;
                let path = if name.is_empty() || is_open {
                    "…".to_owned()
                } else {
                    format!("{}{end}", joined(&scope, name))
                };
                Variable { name: name.to_owned(), path, shape: None, trainable: !name.starts_with("moving_") }
            };
            (0..group.sets.len()).map(own).collect()
        });
        for (n, variable) in variables.iter_mut().enumerate() {
            if let Some(set) = group.sets.get(&n.to_string()) {
                variable.shape = Some(set.shape.clone());
            }
        }
        object.variables = Some(variables);
    }

    /// Adds everything that the file has below an object.
    fn adopt(&mut self, at: usize, path: &str, saved: &Saved, program: KerasProgram, below: (&str, usize)) {
        let known: Vec<String> = self
            .get(at)
            .map(|object| object.attributes.iter().map(|(name, _)| name.clone()).collect())
            .unwrap_or_default();
        let names: Vec<String> =
            saved.below(path).filter(|name| !known.iter().any(|known| known == name)).map(str::to_owned).collect();
        for name in names {
            self.adopt_one(at, path, &name, saved, program, below);
        }
        let Some(object) = self.all.get_mut(at) else { return };
        object.is_complete = true;
        if object.class.as_deref() == Some("MultiHeadAttention") && program == KerasProgram::Keras3 {
            let second: Vec<(String, Held)> = object
                .attributes
                .iter()
                .filter(|(name, _)| name.ends_with("_dense") && !name.starts_with('_'))
                .map(|(name, held)| (format!("_{name}"), held.clone()))
                .collect();
            object.attributes.extend(second);
        }
        if object.layers.is_none() {
            let order = self.get(at).and_then(|object| self.order(object));
            if let Some(object) = self.all.get_mut(at) {
                object.layers = order;
            }
        }
    }

    /// The layers within one that only a file tells of, in the order of its weights, where its class leaves no doubt.
    fn order(&self, object: &Object) -> Option<Vec<usize>> {
        let one = |name: &str| {
            object.attributes.iter().find_map(|(attribute, held)| match held {
                Held::One(at) if attribute == name || attribute.strip_prefix('_') == Some(name) => Some(*at),
                _ => None,
            })
        };
        if object.attributes.is_empty() {
            return Some(Vec::new());
        }
        if let ([(_, Held::One(only))], true) =
            (object.attributes.as_slice(), object.variables.as_ref().is_some_and(Vec::is_empty))
        {
            return Some(vec![*only]);
        }
        let names: &[&str] = match object.class.as_deref()? {
            "LSTM" | "GRU" | "SimpleRNN" | "ConvLSTM1D" | "ConvLSTM2D" | "ConvLSTM3D" | "RNN" => &["cell"],
            "TimeDistributed" => &["layer"],
            "Bidirectional" => &["forward_layer", "backward_layer"],
            "MultiHeadAttention" => &["query_dense", "key_dense", "value_dense", "output_dense"],
            // Of the layers of a list those of one class are counted; which are between them is not known.
            _ if object.kind == Kind::Model => {
                let mut all = Vec::new();
                object.attributes.iter().filter(|(name, _)| name == "layers").for_each(|(_, held)| held.flat(&mut all));
                all.retain(|at| !self.is_empty(*at, 0));
                let first = all.first().and_then(|at| self.get(*at)?.class.clone());
                let is_one = all.iter().all(|at| self.get(*at).is_some_and(|object| object.class == first));
                return is_one.then_some(all);
            }
            _ => return None,
        };
        names.iter().map(|name| one(name)).collect()
    }

    fn adopt_one(
        &mut self,
        at: usize,
        path: &str,
        name: &str,
        saved: &Saved,
        program: KerasProgram,
        (scope, depth): (&str, usize),
    ) {
        let below = joined(path, name);
        if depth > DEPTH || !saved.has_path(&below) || name == "vars" {
            return;
        }
        let held = self.adopted(&below, name, None, saved, program, (scope, depth.saturating_add(1)));
        if let Some(object) = self.all.get_mut(at) {
            object.attributes.push((name.to_owned(), held));
        }
    }

    fn adopted(
        &mut self,
        path: &str,
        attribute: &str,
        class: Option<String>,
        saved: &Saved,
        program: KerasProgram,
        (scope, depth): (&str, usize),
    ) -> Held {
        if !saved.is_object(path) {
            let mut names: Vec<&str> = saved.below(path).collect();
            names.sort_by_key(|name| (unnumbered(name).len(), unnumbered(name).to_owned(), number(name)));
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            let list = names
                .iter()
                .filter(|_| depth <= DEPTH)
                .map(|name| {
                    let class = Some(class_of(name));
                    self.adopted(&joined(path, name), name, class, saved, program, (scope, depth.saturating_add(1)))
                })
                .collect();
            return Held::Many(list);
        }
        let group = saved.groups.get(path).cloned().unwrap_or_default();
        let name = group.name.clone();
        let kind = match path {
            "optimizer" => Kind::Optimizer,
            path if path.starts_with("optimizer/") => Kind::Optimizer,
            path if path.starts_with("metrics/") => Kind::Metric,
            path if saved.has_path(&joined(path, "layers")) => Kind::Model,
            _ => Kind::Layer,
        };
        let class = class.or_else(|| match kind {
            // Only this one has another in it.
            Kind::Optimizer if name.is_none() && saved.has_path(&joined(path, "inner_optimizer")) => {
                Some("LossScaleOptimizer".to_owned())
            }
            Kind::Optimizer => name.as_deref().map(class_of),
            _ => name.as_deref().and_then(class_by_name),
        });
        let is_nameless = name.is_none();
        let called = name.unwrap_or_else(|| attribute.to_owned());
        let at = self.add(Object {
            name: called,
            is_nameless,
            class,
            kind,
            trainable: true,
            built: true,
            ..Object::default()
        });
        self.fill_one(at, &group, program, scope);
        // Of models Keras 3 puts the name of a Sequential one before those of its layers, Keras 2 none.
        let is_bare = kind == Kind::Model
            && (program == KerasProgram::Keras2
                || self.get(at).and_then(|object| object.class.as_deref()) == Some("Functional"));
        let own = self.get(at).filter(|_| !is_bare).map(|object| joined(scope, object.called())).unwrap_or_default();
        self.adopt(at, path, saved, program, (&own, depth));
        Held::One(at)
    }

    /// Takes shapes from lists of layers, which have the weights of everything in a layer one behind the other.
    pub(super) fn fill_listed(&mut self, saved: &Saved, program: KerasProgram) {
        let layers: Vec<usize> = self.layers(0).map(<[usize]>::to_vec).unwrap_or_default();
        for listed in &saved.listed {
            let Some(at) =
                layers.iter().copied().find(|at| self.get(*at).is_some_and(|object| object.name == listed.name))
            else {
                continue;
            };
            match self.legacy_weights(at, program) {
                Some(weights) if weights.len() == listed.weights.len() => {
                    for ((at, n), (name, set)) in weights.into_iter().zip(&listed.weights) {
                        let variables = self.all.get_mut(at).and_then(|object| object.variables.as_mut());
                        if let Some(variable) = variables.and_then(|variables| variables.get_mut(n)) {
                            variable.shape = set.as_ref().map(|set| set.shape.clone()).or(variable.shape.take());
                            variable.path.clone_from(name);
                        }
                    }
                }
                _ => self.flatten(at, listed),
            }
        }
        self.top(saved);
    }

    /// The model's own weights.
    fn top(&mut self, saved: &Saved) {
        let (Some(top), Some(object)) = (&saved.top, self.all.first_mut()) else { return };
        if object.variables.as_ref().is_none_or(|variables| variables.len() != top.len()) {
            object.variables = Some(top.iter().map(|(name, set)| listed_variable(name, set.as_ref())).collect());
        }
    }

    /// A layer of which only the list of its weights is known: all of them as its own.
    fn flatten(&mut self, at: usize, listed: &Listed) {
        let Some(object) = self.all.get_mut(at) else { return };
        let mut variables: Vec<Variable> =
            listed.weights.iter().map(|(name, set)| listed_variable(name, set.as_ref())).collect();
        // The list has them in its order already, whatever is trained of them.
        for variable in &mut variables {
            variable.trainable = true;
        }
        object.variables = Some(variables);
        object.layers = Some(Vec::new());
        object.is_flat = true;
    }

    /// The objects of a file that lists weights and has no configuration.
    pub(super) fn of_lists(saved: &Saved) -> Self {
        let mut objects = Self::default();
        let built = Object { built: true, trainable: true, is_complete: true, ..Object::default() };
        objects.add(Object {
            kind: Kind::Model,
            variables: Some(Vec::new()),
            layers: Some(Vec::new()),
            ..built.clone()
        });
        let (mut layers, mut is_class) = (Vec::new(), false);
        for listed in &saved.listed {
            let class = class_by_name(&listed.name);
            let is_plain = class.as_deref().is_some_and(|class| PLAIN.contains(&class));
            let at = objects.add(Object { name: listed.name.clone(), class, ..built.clone() });
            objects.flatten(at, listed);
            // Keras puts the name of a model that is a class before those of its layers, whose attributes nobody knows.
            let is_own = |(name, _): &(String, Option<Set>)| name.split('/').next() == Some(listed.name.as_str());
            is_class |= is_plain && !listed.weights.iter().all(is_own);
            if let Some(object) = objects.all.get_mut(at) {
                object.is_flat = !is_plain && !listed.weights.is_empty();
            }
            layers.push(at);
        }
        if let Some(root) = objects.all.first_mut() {
            root.attributes = vec![("layers".to_owned(), Held::Many(layers.iter().map(|at| Held::One(*at)).collect()))];
            root.layers = Some(layers);
            root.is_complete = !is_class;
        }
        objects.top(saved);
        objects
    }
}

fn listed_variable(name: &str, set: Option<&Set>) -> Variable {
    let last = name.rsplit('/').next().unwrap_or(name);
    let own = last.strip_suffix(":0").unwrap_or(last);
    let trainable = !matches!(own, "moving_mean" | "moving_variance" | "mean" | "variance" | "count");
    Variable { name: own.to_owned(), path: name.to_owned(), shape: set.map(|set| set.shape.clone()), trainable }
}

/// The number at the end of a name.
fn number(name: &str) -> u64 {
    name.rsplit_once('_').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
