//! What a tensor is for: a weight, an optimizer's slot, a counter, a string.
//!
//! Nothing in a checkpoint says so. Name-based checkpoints put a slot under its variable (`dense/kernel/Adam_1`, see
//! `slot_creator.py`); object-based ones write it into the key (`…/.OPTIMIZER_SLOT/…`), and Keras optimizers of 2.11
//! and later keep theirs in a list `_variables`. What no rule names is judged by dtype and rank, and a float tensor is
//! a weight.

mod classify;
mod key;
mod names;
mod neighbours;
mod program;
mod role;
mod structure;

pub(in crate::analysis) use self::key::own_name;
pub use self::key::{is_by_optimizer, short_name};
pub(in crate::analysis) use self::names::{SCOPES, are_of_other_optimizers, is_statistic};
pub use self::role::Role;
pub(in crate::analysis) use self::structure::without_scopes;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use self::classify::Classifier;
use self::key::strip_number;
use self::neighbours::Neighbours;
use self::program::Program;
use super::totals::Totals;
use crate::base::parallel::in_parts;
use crate::read::checkpoint::{Checkpoint, Tensors};
use crate::read::graphs::object_graph::ObjectGraph;
use crate::read::graphs::training::Constants;

/// The role of every tensor of a checkpoint, in the order of [`Checkpoint::tensors`].
#[derive(Debug)]
pub struct Roles {
    /// Two bytes a tensor: there may be a million.
    of: Vec<Judged>,
    /// The optimizers that occur.
    owners: Owners,
    /// Sums over all tensors, taken on the way: a pass of their own costs as much as judging.
    totals: Totals,
    /// What may be slots, while it is judged.
    children: Children,
    /// Who was asked first.
    by: RolesBy,
    /// What the program gives optimizers as constants.
    constants: Vec<Constants>,
}

/// Who says what tensors are for. Of what the first does not know, names and shapes judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolesBy {
    /// The program, in this file beside the checkpoint.
    Program(PathBuf),
    /// The file itself, as those of Keras do: by where it keeps a tensor, and by its configuration.
    File,
    /// Nobody: names, dtypes, shapes, and what stands around a tensor.
    Names,
}

/// Positions by what follows the name of a variable in a name.
type Children = BTreeMap<Box<[u8]>, Vec<usize>>;

/// A role, and an owner as a number in [`Owners`].
#[derive(Clone, Copy, Debug)]
struct Judged {
    role: Role,
    owner: u8,
}

/// Names of optimizers as numbers from 1 on; 0 is none.
#[derive(Debug, Default)]
struct Owners(Vec<&'static str>);

impl Owners {
    fn number(&mut self, owner: Option<&'static str>) -> u8 {
        let Some(owner) = owner else { return 0 };
        let at = self.0.iter().position(|known| *known == owner).unwrap_or_else(|| {
            self.0.push(owner);
            self.0.len().saturating_sub(1)
        });
        // The names are those of the tables below, a few dozen.
        u8::try_from(at.saturating_add(1)).unwrap_or(0)
    }

    fn name(&self, number: u8) -> Option<&'static str> {
        self.0.get(usize::from(number).checked_sub(1)?).copied()
    }
}

impl Roles {
    /// Judges every tensor.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let tensors = checkpoint.tensors();
        let classifier = Classifier {
            checkpoint: Some(checkpoint),
            program: Program::beside(checkpoint),
            ..Classifier::of_names(tensors)
        };
        Self::judged_by(classifier, checkpoint.threads_for(tensors.len()))
    }

    /// Judges tensors of which there are names, dtypes and shapes only: what a model wants.
    pub fn of_names(tensors: &Tensors) -> Self {
        Self::judged_by(Classifier::of_names(tensors), 1)
    }

    fn judged_by(classifier: Classifier<'_>, threads: usize) -> Self {
        let tensors = classifier.tensors;
        let parts = in_parts(tensors.len(), threads, |range| Self::part(&classifier, range));
        let mut roles = Self::with_room(tensors.len());
        roles.by = match classifier.program {
            Some(program) => {
                roles.constants = program.constants().to_vec();
                RolesBy::Program(program.file)
            }
            None if classifier.is_told.into_inner() => RolesBy::File,
            None => RolesBy::Names,
        };
        roles.totals = parts.iter().map(|part| &part.totals).sum();
        let mut children = Children::new();
        for part in parts {
            for (name, positions) in part.children {
                children.entry(name).or_default().extend(positions);
            }
            let numbers: Vec<u8> = (0..=u8::MAX).map(|n| roles.owners.number(part.owners.name(n))).collect();
            let number = |owner: u8| numbers.get(usize::from(owner)).copied().unwrap_or(0);
            roles.of.extend(part.of.iter().map(|judged| Judged { owner: number(judged.owner), ..*judged }));
        }
        roles.name_children(children);
        // Beta powers do not say whose they are; with one optimizer in the file it is clear.
        if roles.owners.0.len() == 1 {
            for judged in roles.of.iter_mut().filter(|judged| judged.role == Role::Optimizer) {
                judged.owner = 1;
            }
        }
        roles
    }

    /// Judges some of them, one behind the other.
    fn part(classifier: &Classifier<'_>, range: Range<usize>) -> Self {
        let tensors = classifier.tensors;
        let mut part = Self::with_room(range.len());
        let mut cursor = tensors.cursor();
        let mut around = Neighbours::before(tensors, range.start);
        let mut there = cursor.seek(range.start);
        for at in range {
            if !there {
                break;
            }
            let (tensor, kind) = (cursor.tensor(), cursor.kind());
            around.reach(at, &cursor);
            let ((role, owner), open) = classifier.role(tensor, kind, &mut around);
            around.leave(&tensor.name, kind);
            if let Some(name) = open {
                match part.children.get_mut(name) {
                    Some(positions) => positions.push(at),
                    None => drop(part.children.insert(name.into(), vec![at])),
                }
            }
            part.of.push(Judged { role, owner: part.owners.number(owner) });
            part.totals.add(tensor);
            there = cursor.advance().is_some();
        }
        part
    }

    fn with_room(tensors: usize) -> Self {
        Self {
            of: Vec::with_capacity(tensors),
            owners: Owners::default(),
            totals: Totals::default(),
            children: Children::new(),
            by: RolesBy::Names,
            constants: Vec::new(),
        }
    }

    /// What several variables have below them, of their own dtype and shape and under one name, an optimizer made.
    fn name_children(&mut self, children: Children) {
        for at in children.into_values().filter(|positions| positions.len() > 1).flatten() {
            if let Some(judged) = self.of.get_mut(at) {
                judged.role = Role::Slot;
            }
        }
    }

    /// Who was asked first.
    pub fn by(&self) -> &RolesBy {
        &self.by
    }

    /// What the program beside the checkpoint gives optimizers as constants of its graph.
    pub fn constants(&self) -> &[Constants] {
        &self.constants
    }

    /// Sums over all tensors of the checkpoint.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Names the optimizers that only the object graph names: by the full names of their variables (`adam/…`).
    pub fn name_optimizers(&mut self, checkpoint: &Checkpoint, graph: &ObjectGraph) {
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = cursor.advance() {
            let Some(judged) = self.of.get_mut(at) else { break };
            // Keys tell what an optimizer keeps, and others keep what Adam does.
            let is_open = self.owners.name(judged.owner).is_none_or(|owner| owner == "Adam");
            if !is_open || !matches!(judged.role, Role::Slot | Role::Optimizer) {
                continue;
            }
            let variable = graph.variable_for_key(&tensor.name);
            let scope = variable.and_then(|variable| Some(variable.attribute.full_name.split_once('/')?.0));
            // Keras 3 puts `_` between words: `adam_w_1`.
            let plain = scope.map(|scope| strip_number(scope).replace('_', ""));
            let owner = plain.and_then(|plain| SCOPES.iter().copied().find(|name| name.eq_ignore_ascii_case(&plain)));
            if owner.is_some() {
                judged.owner = self.owners.number(owner);
            }
        }
    }

    /// A number that two tensors share if role and optimizer are the same.
    pub fn number(&self, at: usize) -> u16 {
        self.of.get(at).map_or(u16::MAX, |judged| u16::from(judged.role as u8) << 8 | u16::from(judged.owner))
    }

    /// The role of the tensor with this position.
    pub fn role(&self, at: usize) -> Role {
        self.of.get(at).map_or(Role::Other, |judged| judged.role)
    }

    /// The optimizer that a slot belongs to, as far as its name tells.
    pub fn optimizer(&self, at: usize) -> Option<&'static str> {
        self.of.get(at).and_then(|judged| self.owners.name(judged.owner))
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::read::checkpoint::Tensor;
    use crate::read::tensor::{DType, Shape};

    #[test]
    fn the_suffix_of_variables_is_left_out_for_people() {
        assert_eq!(short_name(b"net/w/.ATTRIBUTES/VARIABLE_VALUE"), b"net/w");
        assert_eq!(short_name(b"/.ATTRIBUTES/VARIABLE_VALUE"), b"/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(short_name(b"it/.ATTRIBUTES/ITERATOR_STATE"), b"it/.ATTRIBUTES/ITERATOR_STATE");
    }

    #[test]
    fn slots_of_an_optimizer_with_its_own_name_inside_of_scopes() {
        let shape = |dims: &[i64]| Shape::new(dims.to_vec());
        let role = |names: &[(&str, &[i64])], which: &str| {
            let mut tensors: Vec<Tensor> = names
                .iter()
                .map(|(name, dims)| Tensor::without_values(name.as_bytes(), DType::Float32, shape(dims)))
                .collect();
            tensors.sort_by(|a, b| a.name.cmp(&b.name));
            let tensors: Tensors = tensors.into_iter().collect();
            Roles::of_names(&tensors).role(tensors.find(which.as_bytes()).unwrap())
        };
        let all: &[(&str, &[i64])] = &[("m/w", &[3, 4]), ("train/m/w/fancy", &[3, 4]), ("train/m/w/fancy_1", &[3, 4])];
        assert_eq!(role(all, "train/m/w/fancy"), Role::Slot);
        assert_eq!(role(all, "train/m/w/fancy_1"), Role::Slot);
        assert_eq!(role(all, "m/w"), Role::Weight);
        // Two layers of a block are no slots: nothing of their shape has the name.
        let all: &[(&str, &[i64])] = &[("m/w", &[3, 4]), ("train/m/w/fc", &[4, 4]), ("train/m/w/fc_1", &[4, 4])];
        assert_eq!(role(all, "train/m/w/fc"), Role::Weight);
        let all: &[(&str, &[i64])] = &[("m/w", &[3, 4]), ("train/m/w/fancy", &[3, 4])];
        assert_eq!(role(all, "train/m/w/fancy"), Role::Weight);
        // The name of the optimizer may have a `/`.
        let all: &[(&str, &[i64])] =
            &[("m/b", &[4]), ("m/b/my/opt", &[4]), ("m/w", &[3, 4]), ("m/w/my/opt", &[3, 4]), ("m/w/fc/my/opt", &[9])];
        assert_eq!(role(all, "m/b/my/opt"), Role::Slot);
        assert_eq!(role(all, "m/w/my/opt"), Role::Slot);
        assert_eq!(role(all, "m/w/fc/my/opt"), Role::Weight);
        let all: &[(&str, &[i64])] = &[
            ("m/b", &[4]),
            ("m/w", &[3, 4]),
            ("o/m/b/my/opt", &[4]),
            ("o/m/b/my/opt_1", &[4]),
            ("o/m/w/my/opt", &[3, 4]),
            ("o/m/w/my/opt_1", &[3, 4]),
        ];
        for name in ["o/m/b/my/opt", "o/m/b/my/opt_1", "o/m/w/my/opt", "o/m/w/my/opt_1"] {
            assert_eq!(role(all, name), Role::Slot, "{name}");
        }
        assert_eq!(role(all, "m/w"), Role::Weight);
    }

    // What is known of the tensor before must not tell of this one what is not so: judged alone, each has the same role.
    #[test]
    fn a_role_does_not_depend_on_who_was_judged_before() {
        let words = [
            "w",
            "kernel",
            "Adam",
            "Adam_1",
            "train_op",
            "train_op_1",
            "Momentum",
            "v",
            "part_0",
            "0",
            "12",
            "x3",
            "",
            "keras_api",
            "metrics",
            "1keras_api",
            "optimizer",
            "_variables",
            ".OPTIMIZER_SLOT",
            "iter",
            "layer_1",
            "layer_2",
            "training/Adam",
            "kernel_slot_vr",
            "min",
            "quant",
            "total",
            "a-keys",
            "a-values",
            "ema",
        ];
        let ends = ["", ":0", "/.ATTRIBUTES/VARIABLE_VALUE", "/.ATTRIBUTES/VARIABLE_VALUE", "/.ATTRIBUTES/table-keys"];
        let mut seed = 7usize;
        let mut pick = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..60 {
            let mut paths: Vec<String> = vec!["m".to_owned()];
            let mut tensors = Vec::new();
            for _ in 0..150 {
                let (path, word) = (&paths[pick(paths.len())], words[pick(words.len())]);
                let path = match pick(4) {
                    0 => format!("{word}/{path}"),
                    1 => path.replacen('/', &format!("/{word}/"), 1),
                    _ => format!("{path}/{word}"),
                };
                let shape = [Shape::new([]), Shape::new([4]), Shape::new([4]), Shape::new([4, 3])][pick(4)].clone();
                let dtype = [DType::Float32, DType::Float32, DType::Float32, DType::Int64][pick(4)];
                tensors.push(Tensor::without_values(format!("{path}{}", ends[pick(5)]).as_bytes(), dtype, shape));
                if path.len() < 80 {
                    paths.push(path);
                }
            }
            let tensors: Tensors = tensors.into_iter().collect();
            let classifier = Classifier::of_names(&tensors);
            let all = Roles::part(&classifier, 0..tensors.len());
            for (at, tensor) in tensors.iter().enumerate() {
                let alone = Roles::part(&classifier, at..at + 1);
                let told = |roles: &Roles, at| (roles.role(at), roles.optimizer(at));
                assert_eq!(told(&all, at), told(&alone, 0), "{}", tensor.name.escape_ascii());
            }
        }
    }
}
