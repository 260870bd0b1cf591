//! A restore by names: `RestoreV2` operations and the variables that they assign to.
//!
//! TensorFlow: `core/kernels/{restore_op,save_restore_v2_ops,save_restore_tensor}.cc`, `core/util/tensor_bundle`,
//! `core/kernels/{assign_op.h,resource_variable_ops.cc}`. One operation looks up all of its names in sorted order, then
//! compares dtypes and reports all that differ, and only then reads; assignments come last, in no order.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Model, ModelKind};
use super::requests::table_refuses;
use super::rules::{compatible, cpp_name, shard_of, unsupported};
use super::stored::{Entry, Stored, unexpected_of};
use super::{Match, Mismatch, Missing, Raise, Restore, RestoreOptions, Spec, crossing};
use crate::analysis::naming::roles::{Role, Roles};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Tensor, Tensors};
use crate::read::graphs::restores::{RestorePlan, Target, TargetKind, Wanted};
use crate::read::tensor::{DType, Shape};

/// How early an error comes, of those that one operation may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    Lookup,
    DType,
    Read,
    Assign,
}

/// Of the errors of one operation those of the first kind: they end it.
fn first_of(mut raises: Vec<(When, Raise)>) -> Vec<(When, Raise)> {
    let first = raises.iter().filter(|(when, _)| *when < When::Assign).map(|(when, _)| *when).min();
    if let Some(first) = first {
        raises.retain(|(when, _)| *when == first);
    }
    raises
}

/// What is collected on the way.
struct Run<'r> {
    stored: &'r Stored,
    /// The names of an object-based checkpoint's keys, where a `Saver` restores one.
    keys: Option<&'r BTreeMap<Vec<u8>, Vec<u8>>>,
    raises: Vec<(When, Raise)>,
    matched: BTreeMap<Vec<u8>, Match>,
    mismatched: BTreeMap<Vec<u8>, Mismatch>,
    /// With the variable, where the graph names one.
    missing: BTreeMap<Vec<u8>, (Spec, Option<String>)>,
    /// What is read, as stored.
    read: BTreeSet<Vec<u8>>,
    /// What fits, but not the slices that it is stored in.
    refused: BTreeSet<Vec<u8>>,
    /// The roles that the model's names have.
    roles: BTreeMap<Vec<u8>, Role>,
}

pub(super) fn restore(
    stored: &Stored,
    model: &Model,
    plan: &RestorePlan,
    options: &RestoreOptions,
    base: Restore,
) -> Restore {
    let plan = without_excluded(plan, stored, options);
    let is_loader = matches!(model.kind, ModelKind::Loader(_) | ModelKind::Loaded(_));
    let call = if is_loader { "the SavedModel loader" } else { "tf.compat.v1.train.Saver.restore" };
    // A Saver that misses a name tries the names in the object graph; the C++ loader has no such second thought.
    let lacks = |wanted: &Wanted| stored.get(&wanted.name).is_none();
    let lacking = plan.reads.iter().flat_map(|read| &read.tensors).any(lacks);
    let keys = (lacking && stored.is_object_based() && !is_loader).then(|| crossing::keys_by_full_name(stored));
    let mut run = Run {
        stored,
        keys: keys.as_ref(),
        raises: Vec::new(),
        matched: BTreeMap::new(),
        mismatched: BTreeMap::new(),
        missing: BTreeMap::new(),
        read: BTreeSet::new(),
        refused: BTreeSet::new(),
        roles: roles_of(&plan),
    };
    if keys.is_some() {
        // It is rebuilt, and then reads everything at once.
        let all: Vec<&Wanted> = plan.reads.iter().flat_map(|read| &read.tensors).collect();
        run.operation(&all);
    } else {
        for read in &plan.reads {
            run.operation(&read.tensors.iter().collect::<Vec<_>>());
        }
    }
    if let Some(keys) = &keys
        && !run.missing.is_empty()
    {
        run.raises = vec![(When::Lookup, crossing::lacking(run.missing.keys(), keys, &plan))];
    }
    run.raises.sort_by_key(|(when, _)| *when);
    // Operations fail side by side, and any of them may be reported; assignments come later.
    let reading = run.raises.iter().any(|(when, _)| *when < When::Assign);
    let raises = run.raises.into_iter().filter(|(when, _)| !reading || *when < When::Assign);
    let raises = raises.map(|(_, raise)| raise).collect();
    let fits = |name: &Vec<u8>| !run.mismatched.contains_key(name) && !run.refused.contains(name);
    let matched = run.matched.into_values().filter(|found| fits(&found.name)).collect();
    let missing = run.missing.into_iter().map(|(name, (spec, variable))| Missing {
        variable,
        role: run.roles.get(&name).copied().unwrap_or(Role::Weight),
        name,
        spec,
        crc32c: None,
        candidates: Vec::new(),
    });
    let unexpected = stored.entries.iter().filter(|(name, _)| !run.read.contains(*name));
    let mut result = Restore {
        call,
        raises,
        matched,
        missing: missing.collect(),
        unexpected: unexpected.map(|(name, entry)| unexpected_of(name, entry)).collect(),
        mismatched: run.mismatched.into_values().collect(),
        ..base
    };
    if keys.is_some() {
        result.notes.push(crossing::SAVER_ON_OBJECTS.to_owned());
    }
    if let Some(why) = stored.why_guessed.as_ref().filter(|_| keys.is_some()) {
        result.undetermined = Some(why.clone());
    }
    let computed = plan.unclear.iter().find(|why| why.contains("computed while it runs"));
    if let Some(why) = computed {
        result.undetermined = Some(escaped(why.as_bytes()).into_owned());
    }
    result
}

/// The tensors of a plan, as a list without values.
pub(super) fn tensors_of(plan: &RestorePlan) -> Vec<Tensor> {
    let all = plan.reads.iter().flat_map(|read| &read.tensors);
    all.map(|wanted| {
        let spec = spec_of(wanted);
        Tensor::without_values(&wanted.name, spec.dtype.unwrap_or(DType::Invalid), spec.shape)
    })
    .collect()
}

/// The variable that takes a value, or the first of its parts.
fn variable_of(wanted: &Wanted) -> Option<String> {
    wanted.targets.first().map(|target| target.name.clone())
}

/// What a name should be: of a part, the whole.
pub(super) fn spec_of(wanted: &Wanted) -> Spec {
    let own = || wanted.targets.first().map_or_else(Shape::unknown_rank, |target| target.shape.clone());
    let shape = wanted.part.as_ref().map_or_else(own, |part| part.full.clone());
    Spec { dtype: wanted.dtype, shape }
}

fn roles_of(plan: &RestorePlan) -> BTreeMap<Vec<u8>, Role> {
    let listed: Tensors = tensors_of(plan).into_iter().collect();
    let roles = Roles::of_names(&listed);
    listed.iter().enumerate().map(|(at, tensor)| (tensor.name.clone(), roles.role(at))).collect()
}

fn without_excluded(plan: &RestorePlan, stored: &Stored, options: &RestoreOptions) -> RestorePlan {
    let roles = roles_of(plan);
    let mut plan = plan.clone();
    for read in &mut plan.reads {
        read.tensors.retain(|wanted| {
            let spec = spec_of(wanted);
            let tensor = Tensor::without_values(&wanted.name, spec.dtype.unwrap_or(DType::Invalid), spec.shape);
            let role = roles.get(&wanted.name).copied().unwrap_or(Role::Weight);
            let is_graph = wanted.name == crate::read::checkpoint::OBJECT_GRAPH_KEY;
            !is_graph && !stored.excluded.contains(&wanted.name) && !options.excludes(&tensor, role)
        });
    }
    plan.reads.retain(|read| !read.tensors.is_empty());
    plan
}

impl Run<'_> {
    fn find(&self, name: &[u8]) -> Option<(Vec<u8>, &Entry)> {
        let stored = match self.keys {
            Some(keys) => keys.get(name)?.clone(),
            None => name.to_vec(),
        };
        let entry = self.stored.get(&stored)?;
        Some((stored, entry))
    }

    /// One operation, of several that run side by side.
    fn operation(&mut self, tensors: &[&Wanted]) {
        let before = std::mem::take(&mut self.raises);
        self.one_read(tensors);
        let own = std::mem::replace(&mut self.raises, before);
        self.raises.extend(first_of(own));
    }

    fn raise(&mut self, when: When, class: &'static str, message: String) {
        self.raises.push((when, Raise { class, message }));
    }

    /// What one operation reads.
    fn one_read(&mut self, tensors: &[&Wanted]) {
        let mut sorted = tensors.to_vec();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let (mut first_missing, mut dtypes) = (None, Vec::new());
        for wanted in &sorted {
            let Some((stored, entry)) = self.find(&wanted.name) else {
                first_missing.get_or_insert(&wanted.name);
                self.missing.entry(wanted.name.clone()).or_insert_with(|| (spec_of(wanted), variable_of(wanted)));
                continue;
            };
            let (entry, found) = (entry.clone(), entry.spec());
            self.read.insert(stored.clone());
            let variable = variable_of(wanted);
            let name = wanted.name.clone();
            self.matched.entry(name.clone()).or_insert(Match { name, stored: stored.clone(), variable });
            if let Some(dtype) = wanted.dtype.filter(|dtype| *dtype != entry.tensor.dtype) {
                dtypes.push(self.dtype_message(&stored, dtype, entry.tensor.dtype));
                self.mismatch(wanted, &stored, &found, false);
            } else {
                self.one_tensor(wanted, &stored, &entry);
            }
        }
        if let Some(name) = first_missing {
            let name = escaped(name);
            let message = if self.stored.is_v1 {
                format!("Tensor name \"{name}\" not found in checkpoint files {}", self.stored.prefix)
            } else {
                format!("Key {name} not found in checkpoint")
            };
            self.raise(When::Lookup, "NotFoundError", message);
        }
        if !dtypes.is_empty() && first_missing.is_none() {
            self.raise(When::DType, "InvalidArgumentError", dtypes.join("\n"));
        }
    }

    fn dtype_message(&self, name: &[u8], expected: DType, found: DType) -> String {
        let (name, expected, found) = (escaped(name), cpp_name(expected), cpp_name(found));
        if self.stored.is_v1 {
            return format!(
                "Expected to restore a tensor of type {expected}, got a tensor of type {found} instead: tensor_name = {name}"
            );
        }
        format!("tensor_name = {name}; expected dtype {expected} does not equal original dtype {found}")
    }

    fn mismatch(&mut self, wanted: &Wanted, stored: &[u8], found: &Spec, silent: bool) {
        let role = self.roles.get(&wanted.name).copied().unwrap_or(Role::Weight);
        let made = Mismatch {
            name: wanted.name.clone(),
            stored: stored.to_vec(),
            variable: variable_of(wanted),
            expected: spec_of(wanted),
            found: found.clone(),
            silent,
            role,
            hint: None,
        };
        let known = self.mismatched.entry(wanted.name.clone()).or_insert(made);
        known.silent &= silent;
    }

    /// Reading and assigning one tensor whose dtype is right.
    fn one_tensor(&mut self, wanted: &Wanted, stored: &[u8], entry: &Entry) {
        let tensor = &entry.tensor;
        if entry.is_lost {
            let message = format!("{}; No such file or directory", shard_of(self.stored, tensor));
            self.raise(When::Read, "NotFoundError", message);
        }
        let value = match &wanted.part {
            None => tensor.shape.clone(),
            Some(part) if part.full != tensor.shape => {
                let name = escaped(stored);
                let message = if self.stored.is_v1 {
                    let (full, shape) = (&part.full, &tensor.shape);
                    format!(
                        "Shape in shape_and_slice spec does not match the shape in the save file: {full}, save file shape: {shape}"
                    )
                } else {
                    format!(
                        "tensor_name = {name}; shape in shape_and_slice spec {} does not match the shape stored in checkpoint: {}",
                        part.full, tensor.shape
                    )
                };
                self.raise(When::Read, "InvalidArgumentError", message);
                self.mismatch(wanted, stored, &entry.spec(), false);
                return;
            }
            Some(part) => part.shape().unwrap_or_else(|| part.full.clone()),
        };
        if let Some(message) = unsupported(stored, tensor, wanted.part.as_ref()) {
            self.raise(When::Read, "InvalidArgumentError", message);
            self.refused.insert(wanted.name.clone());
            return;
        }
        for target in &wanted.targets {
            self.assign(wanted, stored, target, &value, &entry.spec());
        }
    }

    fn assign(&mut self, wanted: &Wanted, stored: &[u8], target: &Target, value: &Shape, found: &Spec) {
        if let Some(shape) = &target.reshape {
            let (have, want) = (value.elements(), shape.elements());
            if let (Some(have), Some(want)) = (have, want)
                && have != want
            {
                let message =
                    format!("Input to reshape is a tensor with {have} values, but the requested shape has {want}");
                self.raise(When::Assign, "InvalidArgumentError", message);
                self.mismatch(wanted, stored, found, false);
            }
            // The program asks for it, so an equal number of elements is what it wants.
            return;
        }
        // A lookup table takes any number of keys (`LookupTableImportV2`), also where names alone say that it is one.
        let is_table = self.roles.get(&wanted.name) == Some(&Role::Table);
        if is_table {
            if let Some(message) = table_refuses(&wanted.name, &target.shape, value) {
                self.raise(When::Assign, "InvalidArgumentError", message);
                self.mismatch(wanted, stored, found, false);
            }
            return;
        }
        if compatible(&target.shape, value) {
            return;
        }
        if target.validates {
            let message = match target.kind {
                TargetKind::Resource => format!(
                    "Trying to assign to variable with tensor with wrong shape. Expected {} got {value}",
                    target.shape
                ),
                _ => format!(
                    "Assign requires shapes of both tensors to match. lhs shape= {} rhs shape= {value}",
                    target.shape
                ),
            };
            self.raise(When::Assign, "InvalidArgumentError", message);
        }
        self.mismatch(wanted, stored, found, !target.validates);
    }
}
