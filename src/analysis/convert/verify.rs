//! What was written is opened and read again, all of it, before it gets its name.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::options::{OutFormat, Target};
use super::recipe::Recipe;
use super::stream::{Made, Wanted, each};
use crate::analysis::element_sums::add;
use crate::base::error::{Error, Result};
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Choice, Parts, Tensor};
use crate::read::container::{Cursor, PartId, WantedPart};
use crate::read::tensor::Axis;
use crate::read::wire::Crc32c;

/// What was written where, and the checksums of what was given to be written.
pub(super) struct Staging<'w> {
    pub(super) dir: &'w Path,
    pub(super) target: &'w Target,
    pub(super) files: &'w [String],
    pub(super) recipe: &'w Recipe,
    /// The parts in the order in which they lie, and their checksums.
    pub(super) order: &'w [PartId],
    pub(super) sums: &'w [Crc32c],
}

/// Opens what was written, and compares all of it with what was given to be written.
pub(super) fn verify(staging: &Staging<'_>, threads: usize, limits: &Limits, progress: &Progress) -> Result<()> {
    let Staging { target, recipe, order, sums, .. } = *staging;
    // The file by which the others are found comes last; a bundle is found by its prefix.
    let name = match target.format {
        OutFormat::Bundle => target.name(),
        _ => staging.files.last().cloned().unwrap_or_default(),
    };
    let wrong = |why: String| {
        let help = "this is a fault of the disk or of this program: nothing was put in place";
        Error::malformed("what was written", why).in_file(&target.path).with_help(help)
    };
    let path = staging.dir.join(name);
    let written = Checkpoint::open(&path, Choice::default(), limits).map_err(|error| wrong(error.to_string()))?;
    if written.tensors().len() != recipe.outputs.len() || !written.damage().is_empty() {
        let found = written.tensors().len();
        return Err(wrong(format!("it has {found} tensors, and {} were written", recipe.outputs.len())));
    }
    let given = recipe.outputs.tensors();
    let shown = |tensor: &Tensor| String::from_utf8_lossy(&tensor.name).into_owned();
    let looking = || (given.cursor(), written.tensors().cursor());
    // Both are in the order of names, so that each lies where the other one does.
    let find = |(given, found): &mut (Cursor<'_>, Cursor<'_>), n: usize| -> Result<Option<(Tensor, WantedPart)>> {
        let Some((at, part)) = order.get(n) else { return Ok(None) };
        let Some(output) = given.reach(*at) else { return Ok(None) };
        // The only tensor of a .npy file is named after the file.
        let has_name = |tensor: &&Tensor| target.format == OutFormat::Npy || tensor.name == output.name;
        let is_it = |tensor: &&Tensor| tensor.dtype == output.dtype && tensor.shape == output.shape;
        let tensor = found
            .reach(*at)
            .filter(has_name)
            .filter(is_it)
            .ok_or_else(|| Error::malformed("checkpoint", format!("{} is not in it", shown(output))))?;
        Ok(WantedPart::of(output, *part).map(|wanted| (narrowed(tensor.clone(), *part, &wanted), wanted)))
    };
    let wanted = |look: &mut (Cursor<'_>, Cursor<'_>), n: usize| {
        let found = find(look, n)?.filter(|(tensor, part)| tensor.is_numeric() && part.slice.is_none());
        Ok(found.map(|(tensor, _)| Wanted { dtype: tensor.dtype, from: vec![(&written, tensor)], is_mean: false }))
    };
    let (mut differing, mut look) = (None, looking());
    let take = |made: Made<'_>| {
        let read = |bytes: &[u8]| progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let (n, sum) = match made {
            Made::Bytes(_, bytes) => {
                read(bytes);
                return Ok(());
            }
            Made::Whole(n, whole) => (n, whole.sum),
            Made::Alone(n) => {
                let Some((tensor, part)) = find(&mut look, n)? else { return Ok(()) };
                let mut sum = Crc32c::default();
                written.read(&tensor, &axes(&tensor, &part)?, &mut |bytes| {
                    read(bytes);
                    sum = add(sum, tensor.dtype, bytes);
                    Ok(())
                })?;
                (n, sum)
            }
        };
        if sums.get(n) != Some(&sum) && differing.is_none() {
            let output = order.get(n).and_then(|(output, _)| given.get(*output));
            differing = Some(output.as_ref().map(shown).unwrap_or_default());
        }
        Ok(())
    };
    each(order.len(), threads, looking, wanted, take).map_err(|error| wrong(error.to_string()))?;
    // Said once all has been read: what else is wrong with it comes before.
    match differing {
        None => Ok(()),
        Some(name) => Err(wrong(format!("{name} reads back as something else"))),
    }
}

/// A tensor of which only the slice is left that the `n`th of its parts is, if it is stored so: of many slices each is then
/// read, and checked, without a look at the others.
pub(super) fn narrowed(mut tensor: Tensor, n: usize, part: &WantedPart) -> Tensor {
    if let (Some(slice), Parts::Slices(slices)) = (&part.slice, &tensor.parts)
        && let Some(own) = slices.get(n).filter(|own| own.slice == *slice)
    {
        tensor.parts = Parts::Slices([own].into_iter().collect());
    }
    tensor
}

/// The region that a part takes.
pub(super) fn axes(tensor: &Tensor, part: &WantedPart) -> Result<Vec<Axis>> {
    let dims = tensor.dims().map_err(|error| error.for_key(&tensor.name))?;
    let Some(slice) = &part.slice else { return Ok(dims.iter().map(|dim| Axis::all(*dim)).collect()) };
    let extents = tensor.shape.dims().and_then(|dims| slice.resolve(dims));
    let bad = || Error::malformed("slice", format!("{slice} is none of {}", tensor.shape)).for_key(&tensor.name);
    Ok(extents.ok_or_else(bad)?.into_iter().map(|(start, count)| Axis { start, step: 1, count }).collect())
}
