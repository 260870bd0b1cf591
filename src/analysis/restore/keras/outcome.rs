//! The answer: what Keras does with the file, and whether the user has what they want.

use std::collections::BTreeSet;

use super::advice;
use super::answer::Answer;
use super::change::Change;
use super::judged::{Judgement, Owner, judge, of_file, of_model};
use super::listed::How;
use super::loading::Loading;
use super::objects::{KerasProgram, Kind, Objects, Which};
use super::opened::KerasModel;
use super::saved::{Saved, Set};
use super::ways::{Way, load, way};
use super::{by_path, listed, whole};
use crate::analysis::naming::roles::Role;
use crate::analysis::restore::prediction::{KerasOutcome, UNKNOWN};
use crate::analysis::restore::{
    Match, Mismatch, Missing, Raise, Restore, RestoreOptions, Spec, Unexpected, groups, hints,
};
use crate::read::checkpoint::Checkpoint;
use crate::read::container::Tensor;
use crate::read::storage;
use crate::read::tensor::{DType, Shape};

/// Predicts it.
pub(in crate::analysis::restore) fn restore(
    checkpoint: &Checkpoint,
    model: &KerasModel,
    options: &RestoreOptions,
    base: Restore,
) -> Restore {
    let Some(own) = KerasModel::of_checkpoint(checkpoint.origin().prefix.as_path(), checkpoint) else { return base };
    let Some(saved) = own.saved.clone() else { return base };
    let file = base.checkpoint.clone();
    let program = options.keras.or(model.writer).or(own.writer).unwrap_or(KerasProgram::Keras3);
    let is_same = match (storage::canonical(&file), storage::canonical(&model.path)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    };
    let is_whole = is_same && model.config.is_some() && !options.by_name && !options.skip_mismatch;
    let objects = match model.configured(program) {
        Some(objects) if is_whole => objects,
        _ => model.objects(program),
    };
    let how = How { by_name: options.by_name, skips: options.skip_mismatch };
    let way = way(&file, program);
    let refused = is_whole.then(|| whole::refused(&own, program, way == Way::Lists)).flatten();
    let loading = match refused {
        Some(raise) => Loading { raise: Some(raise), ..Loading::default() },
        None => load(&objects, &saved, &file, program, how, way),
    };
    let identities = of_model(&objects);
    let writer = own.writer.unwrap_or(program);
    let theirs = of_file(&own.objects(writer), &saved, writer);
    // What ends with an error is told in full all the same: by names, where any are common to both.
    let mut told = loading.clone();
    if way == Way::Lists && loading.raise.is_some() {
        told = listed::load(&objects, &saved, program, How { by_name: true, skips: true });
    }
    let is_named = own.config.is_some() || saved.is_listed || saved.groups.values().any(|group| group.name.is_some());
    let judgement = judge(&objects, &identities, &theirs, &told.taken, is_named);
    let mut restore = Restore {
        call: call(program, how, is_whole),
        model: format!("{}, in {}", base.model, version(program)),
        keras: Some(KerasOutcome {
            program,
            by: match (way, how.by_name) {
                (Way::Path, _) => "path",
                (_, true) => "name",
                _ => "topology",
            },
        }),
        raises: candidates(&loading, &objects, &saved, program, way),
        notes: base.notes.clone(),
        ..base
    };
    let excluded = |identity: &Owner, shape: &Shape| {
        let name = identity.shown();
        let tensor = Tensor::without_values(name.as_bytes(), DType::Float32, shape.clone());
        options.excludes(&tensor, UNKNOWN)
    };
    let ids: Vec<(Which, &Owner, Shape)> = identities
        .iter()
        .filter(|(which, _)| objects.is_of_model(which.0))
        .map(|(which, identity)| {
            (*which, identity, shape_of(objects.variable(*which).and_then(|v| v.shape.as_deref())))
        })
        .filter(|(_, identity, shape)| !excluded(identity, shape))
        .collect();
    let counted: BTreeSet<Which> = ids.iter().map(|(which, _, _)| *which).collect();
    sort_out(&mut restore, &objects, &ids, &told, &judgement);
    let used: BTreeSet<&[u8]> = told
        .taken
        .iter()
        .map(|(_, set)| set.name.as_slice())
        .chain(told.misfits.iter().map(|misfit| misfit.set.name.as_slice()))
        .collect();
    restore.unexpected =
        saved.sets.iter().filter(|set| !used.contains(set.name.as_slice())).filter_map(unexpected).collect();
    restore.groups = groups::group(&restore.unexpected);
    // A layer of which nothing is known may have weights that nobody gives it.
    let mut loading = loading;
    for object in &objects.all {
        // What it takes by its path is known of most.
        let is_known = way == Way::Path && object.variables.is_some();
        if let (Some(change), Way::Path | Way::Lists, false) = (object.changed, way, is_known) {
            loading.doubt(format!("what {} takes, which is {}", object.called(), change.how()));
            loading.is_open = true;
        }
    }
    if loading.raise.is_none() {
        let is_open =
            |at: &usize| objects.is_of_model(*at) && objects.get(*at).is_some_and(|object| object.variables.is_none());
        for at in (0..objects.all.len()).filter(is_open) {
            let name = objects.get(at).map(|object| object.name.clone()).unwrap_or_default();
            loading.doubt(format!("whether {name} has weights"));
        }
    }
    let certain = loading.raise.is_some() && !loading.is_open && (way != Way::Lists || loading.unknown.is_empty());
    if !loading.unknown.is_empty() && !certain {
        restore.undetermined =
            Some(unknown(&loading.unknown, is_whole, objects.all.iter().any(|o| o.changed.is_some())));
    }
    if let (Some(damage), None) = (checkpoint.damage().first(), &restore.undetermined) {
        restore.undetermined =
            Some(format!("the file is damaged, and what of it Keras can read is not followed: {damage}"));
    }
    if program == KerasProgram::Keras2 && !restore.raises.is_empty() && !loading.unknown.is_empty() {
        restore.notes.push(format!("another error may come first: not known is {}", loading.unknown.join("; ")));
    }
    let is_refused = is_whole && loading.raise.is_some() && loading.taken.is_empty() && loading.misfits.is_empty();
    if is_refused || restore.undetermined.is_some() {
        // What fits and what does not is not told either: it hangs on the same.
        if restore.undetermined.is_some() {
            restore.raises.clear();
        }
        restore.matched.clear();
        restore.missing.clear();
        restore.mismatched.clear();
        restore.unexpected.clear();
        restore.groups.clear();
    }
    let misplaced = judgement.misplaced.iter().any(|(which, ..)| counted.contains(which));
    restore.ok = restore.raises.is_empty()
        && restore.undetermined.is_none()
        && restore.missing.is_empty()
        && restore.mismatched.is_empty()
        && !misplaced
        && (!restore.matched.is_empty() || ids.is_empty() || counted.is_empty());
    let answer = Answer {
        objects: &objects,
        saved: &saved,
        program,
        how,
        loading: &loading,
        judgement: &judgement,
        identities: &identities,
        theirs: &theirs,
        file: &file,
        way,
        is_named,
        is_whole,
    };
    advice::give(&mut restore, &answer);
    restore
}

/// The errors that it may end with: Keras 2 raises the first, and of layers that only a file tells of it is not known
/// which that is.
fn candidates(loading: &Loading, objects: &Objects, saved: &Saved, program: KerasProgram, way: Way) -> Vec<Raise> {
    let mut all: Vec<Raise> = loading.raise.iter().cloned().collect();
    let is_ordered = objects.all.iter().all(|object| object.kind != Kind::Model || object.layers.is_some());
    if let (Way::Path, KerasProgram::Keras2, false, Some(raise)) = (way, program, is_ordered, &loading.raise) {
        let others = by_path::load(objects, saved, program, true).errors;
        let class = raise.class;
        all.extend(
            others.into_iter().filter(|message| *message != raise.message).map(|message| Raise { class, message }),
        );
    }
    all
}

/// The version whose rules these are.
fn version(program: KerasProgram) -> &'static str {
    match program {
        KerasProgram::Keras3 => "Keras 3.15",
        KerasProgram::Keras2 => "tf_keras 2.21",
    }
}

fn call(program: KerasProgram, how: How, is_whole: bool) -> &'static str {
    match (program, is_whole, how.by_name, how.skips) {
        (KerasProgram::Keras3, true, ..) => "keras.models.load_model",
        (KerasProgram::Keras2, true, ..) => "tf_keras.models.load_model",
        (_, _, false, false) => "model.load_weights",
        (_, _, true, false) => "model.load_weights(…, by_name=True)",
        (_, _, false, true) => "model.load_weights(…, skip_mismatch=True)",
        (_, _, true, true) => "model.load_weights(…, by_name=True, skip_mismatch=True)",
    }
}

/// What fits, what differs, what is missing.
fn sort_out(
    restore: &mut Restore,
    objects: &Objects,
    ids: &[(Which, &Owner, Shape)],
    told: &Loading,
    judgement: &Judgement,
) {
    for (which, identity, shape) in ids {
        let name = identity.shown().into_bytes();
        let variable = Some(identity.shown());
        let expected = Spec { dtype: None, shape: shape.clone() };
        let misplaced = judgement.misplaced.iter().find(|(other, ..)| other == which);
        if let Some((_, _, theirs, set)) = misplaced {
            let found = spec(set);
            let hint = Some(format!("takes the values of {}", theirs.shown()));
            let role = UNKNOWN;
            let expected = Spec { dtype: found.dtype, ..expected };
            restore.mismatched.push(Mismatch {
                name,
                stored: set.name.clone(),
                variable,
                expected,
                found,
                silent: true,
                role,
                hint,
            });
        } else if let Some(misfit) = told.misfits.iter().find(|misfit| misfit.which == *which) {
            let found = spec(&misfit.set);
            let hint = hints::relation(&expected.shape, &found.shape);
            let expected = Spec { dtype: found.dtype, ..expected };
            let (stored, role) = (misfit.set.name.clone(), UNKNOWN);
            restore.mismatched.push(Mismatch { name, stored, variable, expected, found, silent: false, role, hint });
        } else if let Some((_, set)) = told.taken.iter().find(|(other, _)| other == which) {
            // Without LoRA the number of variables would have told it.
            let takes_floats = objects.get(which.0).and_then(|object| object.changed).is_some_and(Change::takes_floats);
            if takes_floats && matches!(set.dtype, DType::Int8 | DType::UInt8) {
                let found = spec(set);
                let hint = Some("takes integers without scales".to_owned());
                let (stored, role) = (set.name.clone(), UNKNOWN);
                let expected = Spec { dtype: Some(DType::Float32), ..expected };
                restore.mismatched.push(Mismatch { name, stored, variable, expected, found, silent: true, role, hint });
                continue;
            }
            restore.matched.push(Match { name, stored: set.name.clone(), variable });
        } else {
            let (crc32c, role, candidates) = (None, UNKNOWN, Vec::new());
            restore.missing.push(Missing { name, spec: expected, crc32c, variable, role, candidates });
        }
    }
}

fn spec(set: &Set) -> Spec {
    Spec { dtype: Some(set.dtype), shape: shape_of(Some(&set.shape)) }
}

fn shape_of(dims: Option<&[u64]>) -> Shape {
    let Some(dims) = dims else { return Shape::unknown_rank() };
    let dims: Vec<i64> = dims.iter().map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX)).collect();
    Shape::new(dims)
}

fn unexpected(set: &Set) -> Option<Unexpected> {
    let path = String::from_utf8_lossy(&set.name);
    let of = |name: &str| path.starts_with(name);
    let role = if of("optimizer/") || of("optimizer_weights/") {
        Role::Optimizer
    } else if of("metrics/") {
        return None;
    } else {
        Role::Weight
    };
    Some(Unexpected { name: set.name.clone(), spec: spec(set), crc32c: None, role, optimizer: None })
}

/// What is not known, in a sentence.
fn unknown(all: &[String], is_whole: bool, is_changed: bool) -> String {
    const FEW: usize = 3;
    let shown = all.iter().take(FEW).cloned().collect::<Vec<_>>().join("; ");
    let more = all.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let why = if is_changed {
        "Layers that were quantized or adapted after they were made store other variables than they have: only Keras itself tells"
    } else if is_whole {
        "classes of the program make their variables themselves, and load_model needs them (custom_objects)"
    } else {
        "MODEL says it if it is a file with the weights of that program: a .keras, or what save_weights writes"
    };
    format!("not known: {shown}{more}. {why}")
}
