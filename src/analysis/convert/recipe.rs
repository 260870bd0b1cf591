//! What shall be written, as data: each tensor of the result with where it comes from, and what is left out and why.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::chosen::{OwnNames, is_same, take};
use super::graph;
use super::options::{Combine, ConvertOptions, OutFormat, Target};
use super::outputs::{Action, From, InputCursors, Outputs, OutputsBuilder, TensorRef};
use crate::analysis::naming::roles::Roles;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Parts, Place, StoredSlice, Tensor};
use crate::read::container::element_bytes;
use crate::read::tensor::{DType, Shape};

/// A tensor that is not in the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name in the input.
    pub name: Vec<u8>,
    /// Why not.
    pub why: Cow<'static, str>,
    /// Whether it was chosen and the format cannot hold it.
    pub is_loss: bool,
}

/// What shall be written.
#[derive(Debug, Default)]
pub struct Recipe {
    /// The tensors, by name.
    pub outputs: Outputs,
    /// What is not among them.
    pub left_out: Vec<LeftOut>,
    /// What the user should know of it.
    pub notes: Vec<String>,
    /// How many shards there are.
    pub num_shards: i32,
    /// Whether tensors lie in the shards and in the order in which they lie in the only input.
    pub keeps_places: bool,
}

/// What shall be written, by its name, while that is found out.
type ByName = BTreeMap<Box<[u8]>, Draft>;

/// What shall be written under a name.
#[derive(Debug)]
struct Draft {
    from: From,
    dtype: DType,
    action: Action,
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
        let mut by_name = ByName::new();
        for (n, input) in inputs.iter().enumerate() {
            let roles = Roles::of(input);
            let names = options.own_names.then(|| OwnNames::of(input, &roles));
            recipe.notes.extend(names.as_ref().and_then(OwnNames::note));
            let mut cursor = input.tensors().cursor();
            while let Some((at, tensor)) = cursor.advance() {
                if let Some(why) = options.lost.get(&tensor.name) {
                    recipe.left_out.push(LeftOut { name: tensor.name.clone(), why: why.clone().into(), is_loss: true });
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
                        recipe.left_out.push(LeftOut { name: tensor.name.clone(), why: why.into(), is_loss: false });
                    }
                    Err(_) => {}
                }
            }
        }
        if let Combine::Mean = options.combine {
            check_all_there(&by_name, inputs, options)?;
        }
        recipe.rewrite_graph(&mut by_name, inputs)?;
        recipe.refuse(&mut by_name, inputs, target);
        recipe.place(by_name, inputs, options, target);
        recipe.notes.extend(target.graph_beside());
        Ok(recipe)
    }

    fn add(
        by_name: &mut ByName,
        inputs: &[Checkpoint],
        (tensor, own): (&Tensor, Option<&[u8]>),
        from: TensorRef,
        dtype: DType,
        options: &ConvertOptions,
    ) -> Result<Option<LeftOut>> {
        let name = if tensor.name == OBJECT_GRAPH_KEY {
            Cow::Borrowed(tensor.name.as_slice())
        } else {
            // A table has keys, whatever the variables are called in the program.
            let is_listed = options.renames.table.get(&tensor.name).is_some();
            options.renames.apply(own.filter(|_| !is_listed).unwrap_or(&tensor.name))
        };
        let action = match () {
            () if dtype != tensor.dtype => Action::Cast,
            () if *name != *tensor.name => Action::Renamed,
            () => Action::Copied,
        };
        let Some(before) = by_name.get_mut(&*name) else {
            by_name.insert(name.into(), Draft { from: From::Tensor(from), dtype, action });
            return Ok(None);
        };
        let path = |input: usize| inputs.get(input).map(|c| c.origin().path.clone()).unwrap_or_default();
        let shown = escaped(&name).into_owned();
        let other = match &before.from {
            From::Tensor(other) => *other,
            From::Mean(all) => *all.last().unwrap_or(&from),
            From::Given(_) => return Ok(None),
        };
        let other_shape = inputs.get(other.input).and_then(|input| input.tensor_at(other.at)).map(|other| other.shape);
        let other_shape = other_shape.unwrap_or_else(Shape::unknown_rank);
        let is_alike = other_shape == tensor.shape && before.dtype == dtype;
        if other.input == from.input && options.own_names && is_alike && same_sum(inputs, other, from) {
            let why = "the variable of another tensor, with the same checksum".into();
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
                "{shown} is {} {other_shape} in one input and {dtype} {} in another",
                before.dtype, tensor.shape
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
    fn rewrite_graph(&mut self, by_name: &mut ByName, inputs: &[Checkpoint]) -> Result<()> {
        let Some(From::Tensor(from)) = by_name.get(OBJECT_GRAPH_KEY).map(|planned| planned.from.clone()) else {
            return Ok(());
        };
        let Some(input) = inputs.get(from.input) else { return Ok(()) };
        let is_of_another = |planned: &Draft| matches!(&planned.from, From::Tensor(one) if one.input != from.input);
        if by_name.values().any(is_of_another) {
            let path = escaped(input.origin().path.as_os_str().as_encoded_bytes()).into_owned();
            self.notes.push(format!("the object graph is that of {path}: tensors of the other inputs are not in it"));
        }
        let of_input = |planned: &Draft| match &planned.from {
            From::Tensor(one) if one.input == from.input => Some(one.at),
            From::Mean(all) => all.iter().find(|one| one.input == from.input).map(|one| one.at),
            _ => None,
        };
        let (mut cursor, mut kept) = (input.tensors().cursor(), 0usize);
        for (new, planned) in by_name.iter() {
            let old = of_input(planned).and_then(|at| cursor.reach(at));
            kept += usize::from(old.is_some_and(|old| *old.name == **new));
        }
        if kept == input.tensors().len() {
            return Ok(());
        }
        let mut names: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (new, planned) in by_name.iter() {
            if let Some(old) = of_input(planned).and_then(|at| cursor.reach(at)) {
                names.insert(old.name.clone(), new.to_vec());
            }
        }
        let message = graph::message(input)?;
        let rewritten = graph::rewrite(&message, &names).map_err(|error| error.for_key(OBJECT_GRAPH_KEY))?;
        if let Some(planned) = by_name.get_mut(OBJECT_GRAPH_KEY) {
            planned.from = From::Given(rewritten.into());
            planned.action = Action::Rewritten;
        }
        Ok(())
    }

    /// Takes out what the format cannot hold.
    fn refuse(&mut self, by_name: &mut ByName, inputs: &[Checkpoint], target: &Target) {
        let sink = target.sink(std::path::Path::new(""), 1);
        let mut shapes = Shapes::of(inputs);
        by_name.retain(|name, planned| {
            let Some(why) = sink.refuses(&shapes.tensor(name, planned, Parts::Whole(Place::wanted(0)))) else {
                return true;
            };
            let is_graph = **name == *OBJECT_GRAPH_KEY;
            let why =
                if is_graph { "the object graph: only a TensorFlow checkpoint has one".into() } else { why.into() };
            self.left_out.push(LeftOut { name: name.to_vec(), why, is_loss: !is_graph });
            false
        });
    }

    /// Says in which shards a bundle's tensors lie, and keeps slices.
    fn place(&mut self, by_name: ByName, inputs: &[Checkpoint], options: &ConvertOptions, target: &Target) {
        let mut shapes = Shapes::of(inputs);
        let is_sharded = target.format == OutFormat::Bundle;
        let single = if let [input] = inputs { Some(input) } else { None };
        let kept = single.filter(|input| is_sharded && is_bundle(input) && options.shards.is_none());
        // How many there are is a number from a file: only as many as really lie there are written again.
        let is_whole = |input: &&Checkpoint| (0..input.num_shards()).all(|id| input.has_shard(id));
        if kept.is_some_and(|input| !is_whole(&input)) {
            self.notes.push("shards of the input are missing: the output has one".to_owned());
        }
        let kept = kept.filter(is_whole);
        self.num_shards = match (kept, options.shards) {
            (Some(input), _) => input.num_shards().max(1),
            (None, Some(shards)) if is_sharded => shards.max(1),
            _ => 1,
        };
        self.keeps_places = kept.is_some();
        // Of strings nobody knows without reading them.
        let bytes = |tensor: &Tensor| element_bytes(tensor).max(16);
        let anywhere = || Parts::Whole(Place::wanted(0));
        let total = if kept.is_none() && self.num_shards > 1 {
            let all = by_name.iter().map(|(name, planned)| bytes(&shapes.tensor(name, planned, anywhere())));
            all.fold(0, u64::saturating_add)
        } else {
            0
        };
        let each = total.div_ceil(u64::from(self.num_shards.unsigned_abs())).max(1);
        let (mut builder, mut before, mut is_made_whole) = (OutputsBuilder::default(), 0u64, false);
        for (name, planned) in by_name {
            let mut tensor = shapes.tensor(&name, &planned, anywhere());
            if kept.is_some() {
                let stored = shapes.stored(&planned);
                // `BundleReader::GetSliceValue` puts no slices of float16 together: restored whole, they are an error.
                let is_whole = planned.action == Action::Cast && planned.dtype == DType::Float16;
                is_made_whole |= is_whole && matches!(stored, Some(Parts::Slices(_)));
                tensor.parts = stored.map_or_else(anywhere, |stored| kept_parts(stored, is_whole));
            } else if self.num_shards > 1 {
                let shard = i32::try_from(before / each).unwrap_or(0).min(self.num_shards - 1);
                before = before.saturating_add(bytes(&tensor));
                tensor.parts = Parts::Whole(Place::wanted(shard));
            }
            builder.push(&tensor, planned.from, planned.action);
        }
        self.outputs = builder.finish();
        if is_made_whole {
            let note = "slices that became float16 are made whole: TensorFlow does not put such slices together";
            self.notes.push(note.to_owned());
        }
    }

    /// Whether something that was chosen is not in the result.
    pub fn has_loss(&self) -> bool {
        self.left_out.iter().any(|left| left.is_loss)
    }
}

/// The parts that a tensor of a bundle keeps: its shard, or its slices with theirs.
fn kept_parts(stored: &Parts, is_made_whole: bool) -> Parts {
    match stored {
        Parts::Whole(place) => Parts::Whole(Place::wanted(place.shard)),
        Parts::Slices(slices) if is_made_whole => {
            Parts::Whole(Place::wanted(slices.places().flatten().map(|place| place.shard).min().unwrap_or(0)))
        }
        Parts::Slices(slices) => {
            let wanted = |stored: StoredSlice| StoredSlice {
                slice: stored.slice,
                place: Some(Place::wanted(stored.place.map_or(0, |place| place.shard))),
            };
            Parts::Slices(slices.iter().map(wanted).collect())
        }
    }
}

/// What the inputs say of tensors that pass by in the order of their names.
struct Shapes<'i>(InputCursors<'i>);

impl<'i> Shapes<'i> {
    fn of(inputs: &'i [Checkpoint]) -> Self {
        Self(InputCursors::of(inputs))
    }

    /// The tensor of an input that is taken, or the first of those of a mean.
    fn input(&mut self, planned: &Draft) -> Option<&Tensor> {
        let from = match &planned.from {
            From::Tensor(from) => *from,
            From::Mean(all) => *all.first()?,
            From::Given(_) => return None,
        };
        self.0.reach(from)
    }

    /// Where one that is taken as it is lies in its input.
    fn stored(&mut self, planned: &Draft) -> Option<&Parts> {
        let is_one = matches!(planned.from, From::Tensor(_));
        self.input(planned).filter(|_| is_one).map(|tensor| &tensor.parts)
    }

    /// What is written of it. What is made new is one string.
    fn tensor(&mut self, name: &[u8], planned: &Draft, parts: Parts) -> Tensor {
        let shape = self.input(planned).map_or_else(Shape::scalar, |tensor| tensor.shape.clone());
        Tensor { name: name.to_vec(), dtype: planned.dtype, shape, parts }
    }
}

/// Whether two tensors have the same checksum: that of their entries, or else of what is read.
fn same_sum(inputs: &[Checkpoint], a: TensorRef, b: TensorRef) -> bool {
    let get = |one: TensorRef| inputs.get(one.input).and_then(|input| Some((input, input.tensor_at(one.at)?)));
    matches!((get(a), get(b)), (Some((x, a)), Some((y, b))) if is_same((x, &a), (y, &b)))
}

/// A mean is of all inputs: a tensor that one of them lacks has none.
fn check_all_there(by_name: &ByName, inputs: &[Checkpoint], options: &ConvertOptions) -> Result<()> {
    for (name, planned) in by_name {
        let found = match &planned.from {
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
