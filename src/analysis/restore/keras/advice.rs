//! What probably happened, and what helps: in words, as options of this command, as lines of Python. What is proposed
//! was tried on the prediction itself.

use super::answer::Answer;
use super::listed::How;
use super::messages::NO_CAST;
use super::objects::KerasProgram;
use super::ways::Way;
use crate::analysis::restore::{Hint, Restore};

/// How many names are told.
const FEW: usize = 4;

/// Adds hints and notes.
pub(super) fn give(restore: &mut Restore, answer: &Answer<'_>) {
    for warning in answer.loading.warnings.iter().filter(|_| restore.undetermined.is_none()).take(8) {
        let first: String = warning.lines().next().unwrap_or_default().to_owned();
        restore.notes.push(format!("Keras warns: {first}"));
    }
    if restore.undetermined.is_some() {
        return;
    }
    nameless(restore, answer);
    misplaced(restore, answer);
    renamed(restore, answer);
    if restore.ok || answer.is_whole {
        whole(restore, answer);
        return;
    }
    halves(restore);
    kinds(restore, answer);
    layers(restore, answer);
    options(restore, answer);
}

/// Names in a sentence.
fn some(names: &[&str]) -> String {
    let shown = names.iter().take(FEW).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(FEW) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A word for one or several.
fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// What the answer does not say, where the file has no names of layers.
fn nameless(restore: &mut Restore, answer: &Answer<'_>) {
    if answer.way == Way::Path && !answer.is_whole && !answer.is_named && restore.raises.is_empty() {
        restore.notes.push(
            "the file does not say what its layers are called: that shapes and order fit is all that could be compared"
                .to_owned(),
        );
    }
}

/// Weights that go where they are not meant for.
fn misplaced(restore: &mut Restore, answer: &Answer<'_>) {
    let Some((_, own, theirs, _)) = answer.judgement.misplaced.first().filter(|_| answer.loading.raise.is_none())
    else {
        return;
    };
    let (own_layer, their_layer) = (own.layers.join("/"), theirs.layers.join("/"));
    let text = if own_layer == their_layer {
        format!(
            "shapes fit and names do not: {own_layer} takes its {} for {}, and Keras does not say so",
            theirs.variable, own.variable
        )
    } else {
        format!(
            "shapes fit and names do not: {own_layer} takes the weights of {their_layer}, and Keras does not say so"
        )
    };
    restore.hints.push(Hint::from(text));
}

fn renamed(restore: &mut Restore, answer: &Answer<'_>) {
    let renamed = &answer.judgement.renamed;
    let Some((own, theirs)) = renamed.first().filter(|_| answer.loading.raise.is_none()) else { return };
    let more = renamed.len().saturating_sub(1);
    let more = if more > 0 { format!(", and {more} more layer{} alike", plural(more)) } else { String::new() };
    restore
        .notes
        .push(format!("layers go by their order here, not by name: {own} takes the weights of {theirs}{more}"));
}

/// What a whole model may still lack.
fn whole(restore: &mut Restore, answer: &Answer<'_>) {
    if answer.is_whole && restore.raises.first().is_some_and(|raise| raise.message.contains("keras.metrics.")) {
        let file = answer.file.display();
        let text =
            "Keras 3 does not find the loss again under the short name that the model was compiled with: load it \
                    without, and compile it anew"
                .to_owned();
        let code = vec![format!("model = keras.models.load_model('{file}', compile=False)")];
        restore.hints.push(Hint { text, code, ..Hint::default() });
    }
}

/// A file of one kind under the name of the other.
fn kinds(restore: &mut Restore, answer: &Answer<'_>) {
    if answer.loading.raise.is_none() {
        return;
    }
    let name = answer.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if answer.way == Way::Path && answer.saved.is_listed {
        let stem = name.trim_end_matches(".h5").trim_end_matches(".weights");
        restore.hints.push(Hint::from(format!(
            "the file has lists of layers, as .h5 files have, and its name makes Keras look for groups of objects: copy it to \
             {stem}.h5 and load that"
        )));
    } else if answer.way == Way::Lists && !answer.saved.is_listed {
        let stem = name.trim_end_matches(".hdf5").trim_end_matches(".h5");
        restore.hints.push(Hint::from(format!(
            "the file has groups of objects, as .weights.h5 files have, and its name makes Keras look for lists of layers: copy \
             it to {stem}.weights.h5 and load that"
        )));
    }
}

/// Numbers that Keras cannot read back.
fn halves(restore: &mut Restore) {
    if restore.raises.iter().any(|raise| raise.message.contains(NO_CAST)) {
        restore.hints.push(Hint::from(
            "the file has bfloat16, which HDF5 has no type for and Keras reads as bytes: save in float32, or with Keras 3 as \
             .weights.h5 or .keras, which say what they are (ckpt print reads them here)"
                .to_owned(),
        ));
    }
}

/// Layers that only one side has, by their names.
fn layers(restore: &mut Restore, answer: &Answer<'_>) {
    if !answer.is_named {
        return;
    }
    let (own, theirs) = answer.layers();
    let only_own: Vec<&str> = own.iter().filter(|name| !theirs.contains(name)).copied().collect();
    let only_theirs: Vec<&str> = theirs.iter().filter(|name| !own.contains(name)).copied().collect();
    let both = own.len().saturating_sub(only_own.len());
    if both == 0 || (only_own.is_empty() && only_theirs.is_empty()) {
        if both == 0 && answer.how.by_name && !own.is_empty() && !theirs.is_empty() {
            restore.hints.push(Hint::from(format!(
                "no layer has the same name on both sides: the model has {}, the file {}",
                some(&own),
                some(&theirs)
            )));
        }
        return;
    }
    let only = |names: &[&str], who: &str| {
        (!names.is_empty()).then(|| format!("only {who} has the layer{} {}", plural(names.len()), some(names)))
    };
    let both = [only(&only_own, "the model"), only(&only_theirs, "the file")];
    restore.hints.push(Hint::from(format!("by name, {}", both.into_iter().flatten().collect::<Vec<_>>().join("; "))));
}

/// Options of `load_weights` with which more comes of it.
fn options(restore: &mut Restore, answer: &Answer<'_>) {
    let (by_name, skips) = (answer.how.by_name, answer.how.skips);
    let lists = answer.way == Way::Lists && answer.saved.is_listed;
    let mut tried = Vec::new();
    if lists && !by_name {
        tried.push(How { by_name: true, skips });
    }
    if !skips && (answer.program == KerasProgram::Keras3 || !lists) && !by_name {
        tried.push(How { by_name, skips: true });
    }
    if lists && !skips {
        tried.push(How { by_name: true, skips: true });
    }
    let all = answer.count();
    let before = if answer.loading.raise.is_some() { 0 } else { answer.loading.taken.len() };
    let mut best = 0;
    for how in tried {
        let Some((loading, judgement)) = answer.attempt(how) else { continue };
        let n = loading.taken.iter().filter(|(which, _)| answer.objects.is_of_model(which.0)).count();
        if !judgement.misplaced.is_empty() {
            let first = judgement.misplaced.first().filter(|_| answer.loading.raise.is_some());
            if let Some((_, own, theirs, _)) = first {
                restore.hints.push(Hint::from(format!(
                    "{} would end the error and put weights in the wrong place: {} would take {}",
                    arguments(how),
                    own.shown(),
                    theirs.shown()
                )));
            }
            continue;
        }
        if n <= best || n == 0 || (n <= before && answer.judgement.misplaced.is_empty()) {
            continue;
        }
        best = n;
        let text = if n == all {
            format!("with {} everything goes where it is meant to: {n} variables", arguments(how))
        } else {
            let left = all.saturating_sub(n);
            format!("with {} {n} of {all} variables get their values; {left} stay as they are", arguments(how))
        };
        let options = [(how.by_name, "--by-name"), (how.skips, "--skip-mismatch")];
        let options = options.into_iter().filter(|(is, _)| *is).map(|(_, option)| (option, String::new())).collect();
        let code = vec![format!("model.load_weights('{}', {})", answer.file.display(), arguments(how))];
        restore.hints.push(Hint { text, options, code, restores: Some(n) });
        if n == all {
            break;
        }
    }
}

fn arguments(how: How) -> &'static str {
    match (how.by_name, how.skips) {
        (true, true) => "by_name=True, skip_mismatch=True",
        (true, false) => "by_name=True",
        _ => "skip_mismatch=True",
    }
}
