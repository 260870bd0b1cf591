//! What shall be written, as data: each tensor of the result with where it comes from, and what is left out and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chosen::{OwnNames, is_same, take};
use super::graph;
use super::options::{Combine, ConvertOptions, OutFormat, Target};
use crate::analysis::naming::roles::Roles;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts, Tensor};
use crate::read::container::{Header, HeaderPart};
use crate::read::tensor::DType;

/// A tensor of an input: the number of the input, and its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorRef {
    /// Which input.
    pub input: usize,
    /// Position in its tensors.
    pub at: usize,
}

/// Where the values of a tensor come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// From this tensor, as they are or in another dtype.
    Tensor(TensorRef),
    /// The arithmetic mean of these.
    Mean(Vec<TensorRef>),
    /// One string that is made new: the object graph under other names.
    Given(Arc<[u8]>),
}

/// What is done with a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The same name, the same bytes.
    Copied,
    /// The same bytes under another name.
    Renamed,
    /// Values in another dtype.
    Cast,
    /// The mean of several.
    Mean,
    /// Made new, because it names tensors that have other names now, or are gone.
    Rewritten,
}

impl Action {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Renamed => "renamed",
            Self::Cast => "cast",
            Self::Mean => "mean",
            Self::Rewritten => "rewritten",
        }
    }
}

/// A tensor of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it is.
    pub header: Arc<Header>,
    /// Where its values come from.
    pub from: From,
    /// What is done with it.
    pub action: Action,
}

/// A tensor that is not in the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name in the input.
    pub name: Vec<u8>,
    /// Why not.
    pub why: String,
    /// Whether it was chosen and the format cannot hold it.
    pub is_loss: bool,
}

/// What shall be written.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// The tensors, by name.
    pub outputs: Vec<Output>,
    /// What is not among them.
    pub left_out: Vec<LeftOut>,
    /// What the user should know of it.
    pub notes: Vec<String>,
    /// How many shards there are.
    pub num_shards: i32,
    /// Whether tensors lie in the shards and in the order in which they lie in the only input.
    pub keeps_places: bool,
}

impl Recipe {
    /// The recipe for these inputs.
    ///
    /// # Errors
    /// If an input is damaged, or the options do not fit together: two tensors of one name, several inputs that are not
    /// alike where a mean is asked for.
    pub fn new(inputs: &[Checkpoint], options: &ConvertOptions, target: &Target) -> Result<Self> {
        for input in inputs {
            if let Some(error) = input.damage().first() {
                let why = format!("the index of the input is damaged, and tensors may be missing: {error}");
                let error = Error::new(ErrorKind::Request(why)).in_file(&input.origin().path);
                return Err(error.with_help("ckpt validate says what is wrong with it"));
            }
        }
        let mut recipe = Self::default();
        let mut by_name: BTreeMap<Vec<u8>, Output> = BTreeMap::new();
        for (n, input) in inputs.iter().enumerate() {
            let roles = Roles::of(input);
            let names = options.own_names.then(|| OwnNames::of(input, &roles));
            recipe.notes.extend(names.as_ref().and_then(OwnNames::note));
            let mut cursor = input.tensors().cursor();
            while let Some((at, tensor)) = cursor.advance() {
                if let Some(why) = options.lost.get(&tensor.name) {
                    recipe.left_out.push(LeftOut { name: tensor.name.clone(), why: why.clone(), is_loss: true });
                    continue;
                }
                let from = TensorRef { input: n, at };
                let own = names.as_ref().and_then(|names| names.get(at, tensor));
                match take(tensor, roles.role(at), options) {
                    Ok(dtype) => {
                        let same = Self::add(&mut by_name, inputs, (tensor, own.as_deref()), from, dtype, options)?;
                        recipe.left_out.extend(same);
                    }
                    Err(why) if n == 0 => {
                        recipe.left_out.push(LeftOut {
                            name: tensor.name.clone(),
                            why: why.to_owned(),
                            is_loss: false,
                        });
                    }
                    Err(_) => {}
                }
            }
        }
        if let Combine::Mean = options.combine {
            check_all_there(&by_name, inputs, options)?;
        }
        recipe.rewrite_graph(&mut by_name, inputs)?;
        recipe.outputs = by_name.into_values().collect();
        recipe.refuse(target);
        recipe.place(inputs, options, target);
        recipe.notes.extend(target.graph_beside());
        Ok(recipe)
    }

    fn add(
        by_name: &mut BTreeMap<Vec<u8>, Output>,
        inputs: &[Checkpoint],
        (tensor, own): (&Tensor, Option<&[u8]>),
        from: TensorRef,
        dtype: DType,
        options: &ConvertOptions,
    ) -> Result<Option<LeftOut>> {
        let name = if tensor.name == OBJECT_GRAPH_KEY {
            tensor.name.clone()
        } else {
            // A table has keys, whatever the variables are called in the program.
            let is_listed = options.renames.table.get(&tensor.name).is_some();
            options.renames.apply(own.filter(|_| !is_listed).unwrap_or(&tensor.name)).into_owned()
        };
        let action = match () {
            () if dtype != tensor.dtype => Action::Cast,
            () if name != tensor.name => Action::Renamed,
            () => Action::Copied,
        };
        let parts = vec![HeaderPart::default()];
        let header = Arc::new(Header { name: name.clone(), dtype, shape: tensor.shape.clone(), parts });
        let Some(before) = by_name.get_mut(&name) else {
            by_name.insert(name, Output { header, from: From::Tensor(from), action });
            return Ok(None);
        };
        let path = |input: usize| inputs.get(input).map(|c| c.origin().path.clone()).unwrap_or_default();
        let shown = escaped(&name).into_owned();
        let other = match &before.from {
            From::Tensor(other) => *other,
            From::Mean(all) => *all.last().unwrap_or(&from),
            From::Given(_) => return Ok(None),
        };
        let is_alike = before.header.shape == header.shape && before.header.dtype == header.dtype;
        if other.input == from.input && options.own_names && is_alike && same_sum(inputs, other, from) {
            let why = "the variable of another tensor, with the same checksum".to_owned();
            return Ok(Some(LeftOut { name: tensor.name.clone(), why, is_loss: false }));
        }
        if other.input == from.input {
            let why = format!("two tensors would be called {shown}");
            let help =
                if options.own_names { "leave --names out, or one of them with --ignore" } else { "change the --map" };
            return Err(Error::new(ErrorKind::Request(why)).in_file(&path(from.input)).with_help(help));
        }
        if !is_alike {
            let why = format!(
                "{shown} is {} {} in one input and {} {} in another",
                before.header.dtype, before.header.shape, header.dtype, header.shape
            );
            return Err(Error::new(ErrorKind::Request(why)).in_file(&path(from.input)));
        }
        match options.combine {
            Combine::Mean if tensor.dtype.is_float() => {
                before.action = Action::Mean;
                match &mut before.from {
                    From::Mean(all) => all.push(from),
                    one => *one = From::Mean(vec![other, from]),
                }
            }
            // What has no mean is that of the last input, as its step is.
            Combine::Mean => before.from = From::Tensor(from),
            Combine::Merge | Combine::One => {
                if !same_sum(inputs, other, from) {
                    let help = "leave one of them out with --ignore, or rename it with --map";
                    let why = format!("{shown} has other values in two inputs");
                    return Err(Error::new(ErrorKind::Request(why)).in_file(&path(from.input)).with_help(help));
                }
            }
        }
        Ok(None)
    }

    /// The object graph names every tensor: where some have other names or are gone, it is made anew.
    fn rewrite_graph(&mut self, by_name: &mut BTreeMap<Vec<u8>, Output>, inputs: &[Checkpoint]) -> Result<()> {
        let Some(From::Tensor(from)) = by_name.get(OBJECT_GRAPH_KEY).map(|output| output.from.clone()) else {
            return Ok(());
        };
        let Some(input) = inputs.get(from.input) else { return Ok(()) };
        let is_of_another = |output: &Output| matches!(&output.from, From::Tensor(one) if one.input != from.input);
        if by_name.values().any(is_of_another) {
            let path = escaped(input.origin().path.as_os_str().as_encoded_bytes()).into_owned();
            self.notes.push(format!("the object graph is that of {path}: tensors of the other inputs are not in it"));
        }
        let mut names: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for output in by_name.values() {
            let of_input = match &output.from {
                From::Tensor(one) if one.input == from.input => Some(*one),
                From::Mean(all) => all.iter().find(|one| one.input == from.input).copied(),
                _ => None,
            };
            if let Some(tensor) = of_input.and_then(|one| input.tensor_at(one.at)) {
                names.insert(tensor.name, output.header.name.clone());
            }
        }
        let is_true = names.len() == input.tensors().len() && names.iter().all(|(old, new)| old == new);
        if is_true {
            return Ok(());
        }
        let message = graph::message(input)?;
        let rewritten = graph::rewrite(&message, &names).map_err(|error| error.for_key(OBJECT_GRAPH_KEY))?;
        if let Some(output) = by_name.get_mut(OBJECT_GRAPH_KEY) {
            output.from = From::Given(rewritten.into());
            output.action = Action::Rewritten;
        }
        Ok(())
    }

    /// Takes out what the format cannot hold.
    fn refuse(&mut self, target: &Target) {
        let sink = target.sink(std::path::Path::new(""), 1);
        let all = std::mem::take(&mut self.outputs);
        for output in all {
            let is_graph = output.header.name == OBJECT_GRAPH_KEY;
            match sink.refuses(&output.header) {
                None => self.outputs.push(output),
                Some(_) if is_graph => {
                    let why = "the object graph: only a TensorFlow checkpoint has one";
                    self.left_out.push(LeftOut {
                        name: output.header.name.clone(),
                        why: why.to_owned(),
                        is_loss: false,
                    });
                }
                Some(why) => self.left_out.push(LeftOut { name: output.header.name.clone(), why, is_loss: true }),
            }
        }
    }

    /// Says in which shards a bundle's tensors lie, and keeps slices.
    fn place(&mut self, inputs: &[Checkpoint], options: &ConvertOptions, target: &Target) {
        self.num_shards = 1;
        if target.format != OutFormat::Bundle {
            return;
        }
        let single = if let [input] = inputs { Some(input) } else { None };
        let kept = single.filter(|input| is_bundle(input) && options.shards.is_none());
        // How many there are is a number from a file: only as many as really lie there are written again.
        let is_whole = |input: &&Checkpoint| (0..input.num_shards()).all(|id| input.has_shard(id));
        if kept.is_some_and(|input| !is_whole(&input)) {
            self.notes.push("shards of the input are missing: the output has one".to_owned());
        }
        let kept = kept.filter(is_whole);
        if let Some(input) = kept {
            (self.num_shards, self.keeps_places) = (input.num_shards().max(1), true);
            let mut is_made_whole = false;
            for output in &mut self.outputs {
                let From::Tensor(from) = &output.from else { continue };
                let Some(tensor) = input.tensor_at(from.at) else { continue };
                // `BundleReader::GetSliceValue` puts no slices of float16 together: restored whole, they are an error.
                let is_whole = output.action == Action::Cast && output.header.dtype == DType::Float16;
                Arc::make_mut(&mut output.header).parts = match &tensor.parts {
                    Parts::Whole(place) => vec![HeaderPart { slice: None, shard: place.shard }],
                    Parts::Slices(slices) if is_whole => {
                        is_made_whole = true;
                        let first = slices.places().flatten().map(|place| place.shard).min();
                        vec![HeaderPart { slice: None, shard: first.unwrap_or(0) }]
                    }
                    Parts::Slices(slices) => slices
                        .iter()
                        .map(|stored| HeaderPart {
                            slice: Some(stored.slice),
                            shard: stored.place.map_or(0, |place| place.shard),
                        })
                        .collect(),
                };
            }
            if is_made_whole {
                let note = "slices that became float16 are made whole: TensorFlow does not put such slices together";
                self.notes.push(note.to_owned());
            }
            return;
        }
        let Some(of @ 2..) = options.shards else { return };
        self.num_shards = of;
        let bytes = |output: &Output| {
            // Of strings nobody knows without reading them.
            output.header.bytes().max(16)
        };
        let total: u64 = self.outputs.iter().map(bytes).fold(0, u64::saturating_add);
        let each = total.div_ceil(u64::from(of.unsigned_abs())).max(1);
        let mut before = 0u64;
        for output in &mut self.outputs {
            let shard = i32::try_from(before / each).unwrap_or(0).min(of - 1);
            Arc::make_mut(&mut output.header).parts = vec![HeaderPart { slice: None, shard }];
            before = before.saturating_add(bytes(output));
        }
    }

    /// Whether something that was chosen is not in the result.
    pub fn has_loss(&self) -> bool {
        self.left_out.iter().any(|left| left.is_loss)
    }
}

/// Whether two tensors have the same checksum: that of their entries, or else of what is read.
fn same_sum(inputs: &[Checkpoint], a: TensorRef, b: TensorRef) -> bool {
    let get = |one: TensorRef| inputs.get(one.input).and_then(|input| Some((input, input.tensor_at(one.at)?)));
    matches!((get(a), get(b)), (Some((x, a)), Some((y, b))) if is_same((x, &a), (y, &b)))
}

/// A mean is of all inputs: a tensor that one of them lacks has none.
fn check_all_there(by_name: &BTreeMap<Vec<u8>, Output>, inputs: &[Checkpoint], options: &ConvertOptions) -> Result<()> {
    for (name, output) in by_name {
        let found = match &output.from {
            From::Mean(all) => all.len(),
            From::Tensor(one)
                if !inputs.get(one.input).and_then(|c| c.tensor_at(one.at)).is_some_and(|t| t.dtype.is_float()) =>
            {
                continue;
            }
            _ => 1,
        };
        if found < inputs.len() && options.combine == Combine::Mean {
            let why = format!("{} is in {found} of {} inputs", escaped(name), inputs.len());
            return Err(Error::new(ErrorKind::Request(why)).with_help("leave it out with --ignore"));
        }
    }
    Ok(())
}

fn is_bundle(checkpoint: &Checkpoint) -> bool {
    checkpoint.of_format::<crate::read::formats::bundle::BundleFiles>().is_some()
}
