//! A model of `tf_keras` as TensorFlow's checkpoints see it: objects under the names of their attributes.
//!
//! `load_weights` of a prefix is `tf.train.Checkpoint(root=model).read`. `tf_keras`: `_layer_checkpoint_dependencies` in
//! `engine/functional.py`, attributes of layers in `engine/base_layer.py`, lists in `tf.Module`'s data structures.

use super::objects::{Held, KerasProgram, Kind, Object as KerasObject, Objects, Variable};
use super::opened::KerasModel;
use crate::analysis::restore::crossing::first_few;
use crate::analysis::restore::objects::{Object, Objects as Trackables, State};
use crate::analysis::restore::prediction::KerasOutcome;
use crate::analysis::restore::{Raise, Restore, RestoreOptions, Spec};
use crate::read::tensor::Shape;

/// The objects of the model in `tf_keras`, and what of them is not known.
pub(in crate::analysis::restore) fn trackables(model: &KerasModel) -> (Trackables, Vec<String>) {
    let objects = model.objects(KerasProgram::Keras2);
    let mut maker = Maker { objects: &objects, made: Trackables::default(), unknown: Vec::new() };
    maker.made.nodes = objects.all.iter().map(|_| Object::default()).collect();
    for at in 0..objects.all.len() {
        let children = maker.children(at);
        if let Some(node) = maker.made.nodes.get_mut(at) {
            node.children = children;
        }
    }
    let Maker { mut made, mut unknown, .. } = maker;
    made.find_paths();
    match model.configured(KerasProgram::Keras2) {
        None => unknown.push("under which attributes the model has its layers".to_owned()),
        // Files have the variables of the program's own classes, and not under which names they are attributes.
        Some(configured) => {
            let is_own = |object: &&KerasObject| object.variables.is_none() && object.kind != Kind::Optimizer;
            let own = configured
                .all
                .iter()
                .filter(is_own)
                .map(|object| if object.name.is_empty() { "the model" } else { &object.name });
            unknown.extend(own.map(|name| format!("under which attributes {name} has its variables")));
        }
    }
    unknown.sort();
    unknown.dedup();
    (made, unknown)
}

struct Maker<'o> {
    objects: &'o Objects,
    made: Trackables,
    unknown: Vec<String>,
}

impl Maker<'_> {
    fn children(&mut self, at: usize) -> Vec<(String, usize)> {
        let objects = self.objects;
        let Some(object) = objects.get(at).filter(|_| objects.is_of_model(at)) else { return Vec::new() };
        let mut children = Vec::new();
        let name = if object.name.is_empty() { "the model" } else { object.name.as_str() };
        let called = || format!("what {name} holds");
        match (object.kind, &object.layers) {
            // A model counts its layers twice, and first those that have weights.
            (Kind::Model, Some(layers)) => {
                let mut weighty = 0;
                for (n, layer) in layers.iter().enumerate() {
                    match objects.legacy_weights(*layer, KerasProgram::Keras2) {
                        Some(weights) if weights.is_empty() => {}
                        Some(_) => {
                            children.push((format!("layer_with_weights-{weighty}"), *layer));
                            weighty += 1;
                        }
                        None => {
                            let name = objects.get(*layer).map_or("a layer", |layer| layer.called());
                            self.unknown.push(format!("whether {name} has weights"));
                        }
                    }
                    children.push((format!("layer-{n}"), *layer));
                }
            }
            (Kind::Model, None) => self.unknown.push(called()),
            _ => {
                for (name, held) in &object.attributes {
                    self.hold(name, held, &mut children);
                }
            }
        }
        if !object.is_complete || object.is_flat {
            self.unknown.push(called());
        }
        match &object.variables {
            None => self.unknown.push(called()),
            Some(variables) => {
                // What a class of the program makes is only counted in files.
                let is_counted = |variable: &Variable| variable.name.bytes().all(|byte| byte.is_ascii_digit());
                if variables.iter().any(is_counted) {
                    self.unknown.push(format!("what {name} calls its variables"));
                }
                for variable in variables {
                    let shape = variable.shape.as_deref();
                    if shape.is_none() {
                        self.unknown.push(format!("the shape of {}", variable.path));
                    }
                    let dims = shape.map(|dims| dims.iter().map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX)));
                    let shape = dims.map_or_else(Shape::unknown_rank, |dims| Shape::new(dims.collect::<Vec<_>>()));
                    let state =
                        State { suffix: "VARIABLE_VALUE".to_owned(), spec: Spec { dtype: None, shape }, crc32c: None };
                    let child = self.made.nodes.len();
                    let full_name = variable.path.strip_suffix(":0").unwrap_or(&variable.path).to_owned();
                    self.made.nodes.push(Object::of_variable(state, full_name));
                    children.push((variable.name.clone(), child));
                }
            }
        }
        children
    }

    /// What an attribute holds; a list is an object of its own, whose members are numbered.
    fn hold(&mut self, name: &str, held: &Held, children: &mut Vec<(String, usize)>) {
        match held {
            Held::One(at) => children.push((name.to_owned(), *at)),
            Held::Many(list) => {
                let mut members = Vec::new();
                for (n, held) in list.iter().enumerate() {
                    self.hold(&n.to_string(), held, &mut members);
                }
                let at = self.made.nodes.len();
                self.made.nodes.push(Object::of_children(members));
                children.push((name.to_owned(), at));
            }
        }
    }
}

/// What Keras makes of what TensorFlow does: it reads what it can, and then asks whether that was anything.
pub(in crate::analysis::restore) fn told(restore: &mut Restore, unknown: &[String], options: &RestoreOptions) {
    restore.keras = Some(KerasOutcome { program: KerasProgram::Keras2, by: "path" });
    let raise = |class: &'static str, message: &str| Raise { class, message: message.to_owned() };
    if options.skip_mismatch && !options.by_name {
        let why = "When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.";
        restore.raises = vec![raise("ValueError", why)];
        (restore.call, restore.ok) = ("model.load_weights(…, skip_mismatch=True)", false);
        restore.matched.clear();
        restore.mismatched.clear();
        restore.assertions = None;
    } else if let Some(Err(message)) = restore.assertions.as_ref().map(|asked| &asked.nontrivial_match) {
        restore.raises.push(raise("AssertionError", message));
        restore.ok = false;
    }
    if options.by_name && restore.raises.is_empty() {
        // Values have been read by then.
        let why = "Weights may only be loaded based on topology into Models when loading TensorFlow-formatted weights (got \
                   by_name=True to load_weights).";
        restore.raises = vec![raise("NotImplementedError", why)];
        (restore.call, restore.ok) = ("model.load_weights(…, by_name=True)", false);
    }
    if !unknown.is_empty() {
        let shown = first_few(unknown);
        let why = "No file of Keras says it; as MODEL, a checkpoint that save_weights of that program wrote does";
        restore.undetermined = Some(format!("not known: {shown}. {why}"));
        restore.raises.clear();
        restore.ok = false;
    }
}
