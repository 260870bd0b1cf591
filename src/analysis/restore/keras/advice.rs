//! What probably happened, and what helps: in words, as options of this command, as lines of Python. What is proposed
//! was tried on the prediction itself.

use super::listed::{self, How};
use super::objects::KerasProgram;
use super::answer::Answer;
use crate::analysis::restore::{Hint, Restore};

/// Adds hints and notes.
pub(super) fn give(restore: &mut Restore, answer: &Answer<'_>) {
    let program = match answer.program {
        KerasProgram::Keras3 => "Keras 3.15",
        KerasProgram::Keras2 => "tf_keras 2.21",
    };
    restore.notes.push(format!("as {program} does it"));
    for warning in answer.loading.warnings.iter().take(8) {
        let first: String = warning.lines().next().unwrap_or_default().to_owned();
        restore.notes.push(format!("Keras warns: {first}"));
    }
    misplaced(restore, answer);
    renamed(restore, answer);
    by_name(restore, answer);
    kinds(restore, answer);
}

/// Weights that go where they are not meant for.
fn misplaced(restore: &mut Restore, answer: &Answer<'_>) {
    let Some((_, own, theirs, _)) = answer.judgement.misplaced.first() else { return };
    if answer.loading.raise.is_some() {
        return;
    }
    let (own, theirs) = (own.layers.join("/"), theirs.layers.join("/"));
    let n = answer.judgement.misplaced.len();
    let text = if own == theirs {
        format!("{n} variables of {own} take values that are meant for others of the same shape, without an error")
    } else {
        format!("shapes fit and names do not: {own} takes the weights of {theirs}, and Keras does not say so")
    };
    restore.hints.push(Hint::from(text));
}

fn renamed(restore: &mut Restore, answer: &Answer<'_>) {
    let renamed = &answer.judgement.renamed;
    let Some((own, theirs)) = renamed.first() else { return };
    let more = renamed.len().saturating_sub(1);
    let more = if more > 0 { format!(", and {more} more layers take those of another name") } else { String::new() };
    restore.notes.push(format!("names are not compared: {own} takes the weights of {theirs}{more}"));
}

/// What `by_name` and `skip_mismatch` would make of lists.
fn by_name(restore: &mut Restore, answer: &Answer<'_>) {
    if !answer.saved.is_listed || answer.how.by_name || restore.ok || answer.is_whole {
        return;
    }
    let how = How { by_name: true, skips: false };
    let loading = listed::load(answer.objects, answer.saved, answer.program, how);
    let (how, loading) = if loading.raise.is_some() {
        let how = How { by_name: true, skips: true };
        (how, listed::load(answer.objects, answer.saved, answer.program, how))
    } else {
        (how, loading)
    };
    if loading.raise.is_some() || loading.taken.is_empty() || !loading.unknown.is_empty() {
        return;
    }
    let all: usize = answer.objects.all.iter().enumerate().filter(|(at, _)| answer.objects.is_of_model(*at))
        .map(|(_, object)| object.variables.as_ref().map_or(0, Vec::len)).sum();
    let n = loading.taken.len();
    let text = if n == all {
        format!("by the names of the layers everything goes where it is meant: {n} variables")
    } else {
        format!("by the names of the layers {n} of {all} variables get their values, the others stay as they are")
    };
    let mut options = vec![("--by-name", String::new())];
    let mut arguments = "by_name=True".to_owned();
    if how.skips {
        options.push(("--skip-mismatch", String::new()));
        arguments.push_str(", skip_mismatch=True");
    }
    let file = answer.file.display();
    let code = vec![format!("model.load_weights('{file}', {arguments})")];
    restore.hints.push(Hint { text, options, code, restores: Some(n) });
}

/// A file of one kind under the name of the other.
fn kinds(restore: &mut Restore, answer: &Answer<'_>) {
    if answer.loading.raise.is_none() || restore.keras.is_none() {
        return;
    }
    let name = answer.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_path = restore.keras.as_ref().is_some_and(|keras| keras.by == "path");
    if is_path && answer.saved.is_listed {
        let stem = name.trim_end_matches(".h5").trim_end_matches(".weights");
        restore.hints.push(Hint::from(format!(
            "the file has lists of layers, as .h5 files have, and its name makes Keras look for groups of objects: copy it to \
             {stem}.h5 and load that"
        )));
    } else if !is_path && !answer.saved.is_listed {
        let stem = name.trim_end_matches(".hdf5").trim_end_matches(".h5");
        restore.hints.push(Hint::from(format!(
            "the file has groups of objects, as .weights.h5 files have, and its name makes Keras look for lists of layers: copy \
             it to {stem}.weights.h5 and load that"
        )));
    }
}
