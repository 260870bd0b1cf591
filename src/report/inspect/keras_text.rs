//! Models in files of Keras: what `inspect` says of them, and their layers for `graph`.

use std::io::{self, Write};

use crate::analysis::{KerasModel, Names};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::report::Look;
use crate::report::findings::text::joined;
use crate::report::kit::figure::written;
use crate::report::kit::table::Columns;
use crate::report::kit::units::{count, shape_text};

/// Layers that `inspect` shows.
const LAYERS: usize = 20;

/// What `inspect` says of the model.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn keras_screen(model: &KerasModel, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let clean = |text: &String| escaped(text.as_bytes()).into_owned();
    writeln!(out)?;
    let mut facts = Vec::new();
    facts.push(match (&model.class, &model.name) {
        (Some(class), Some(name)) => format!("{} “{}”", clean(class), clean(name)),
        (Some(class), None) => clean(class),
        (None, Some(name)) => format!("weights of “{}”, no configuration", clean(name)),
        (None, None) if model.bad_config => "a configuration that cannot be read".to_owned(),
        (None, None) => "weights alone, no configuration".to_owned(),
    });
    facts.push(match model.top().count() {
        1 => "1 layer".to_owned(),
        n => format!("{} layers", count(n as u64)),
    });
    facts.push(format!("{} parameters trained, {} not", count(model.trainable), count(model.untrained)));
    writeln!(out, "  model     {}", joined(&facts, 12, 12, look))?;
    let by: Vec<String> = [
        model.version.as_ref().map(|version| written_by(version)),
        model.backend.as_ref().map(|backend| format!("on {}", clean(backend))),
        model.saved.as_ref().map(|date| format!("saved {}", clean(date).replace('@', " "))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !by.is_empty() {
        writeln!(out, "  written   {}", joined(&by, 12, 12, look))?;
    }
    let mut trained: Vec<String> = Vec::new();
    trained.extend(model.optimizer.as_ref().map(|optimizer| format!("optimizer {}", clean(optimizer))));
    trained.extend(model.optimizer_numbers.iter().map(|(name, value)| format!("{name} {}", written(*value))));
    trained.extend(model.loss.as_ref().map(|loss| format!("loss {}", clean(loss))));
    trained.extend(model.metrics.iter().map(|metric| format!("metrics {}", clean(metric))));
    if !trained.is_empty() {
        writeln!(out, "  training  {}", joined(&trained, 12, 12, look))?;
    }
    layers(model, look, out)
}

/// Versions of Keras 2 that TensorFlow brought are numbered as TensorFlow is.
fn written_by(version: &str) -> String {
    let shown = escaped(version.as_bytes());
    let minor: Option<u32> = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    match minor {
        Some(16..) if version.starts_with("2.") => format!("tf_keras {shown}"),
        _ => format!("Keras {shown}"),
    }
}

fn layers(model: &KerasModel, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if model.top().next().is_none() {
        return Ok(());
    }
    let mut table = Columns::new("<<><", &["layer", "class", "parameters", ""]);
    for layer in model.top().take(LAYERS) {
        let class = layer.class.as_ref().map(|class| escaped(class.as_bytes()).into_owned()).unwrap_or_default();
        let frozen = if layer.trainable == Some(false) { "not trained" } else { "" };
        let name = escaped(layer.name.as_bytes()).into_owned();
        table.row([name, class, count(layer.parameters), frozen.to_owned()]);
    }
    writeln!(out)?;
    table.write(out, look.dim())?;
    match model.top().count().saturating_sub(LAYERS) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more; ckpt graph shows all of them"),
    }
}

/// The layers with their variables, as a tree.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn keras_tree(
    checkpoint: &Checkpoint,
    model: &KerasModel,
    names: &Names,
    depth: usize,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim) = (look.bold(), look.dim());
    let title = model.name.as_deref().or(model.class.as_deref()).unwrap_or("model");
    let class = model.class.as_ref().map(|class| format!("  {dim}{}{dim:#}", escaped(class.as_bytes())));
    writeln!(out, "{bold}{}{bold:#}{}", escaped(title.as_bytes()), class.unwrap_or_default())?;
    let variables = |layer: &str, indent: usize, tensors: &[usize], out: &mut dyn Write| -> io::Result<()> {
        for at in tensors {
            let Some(tensor) = checkpoint.tensors().get(*at) else { continue };
            let own = own_name(names, *at, &tensor, layer);
            let what = format!("{} {}", tensor.dtype, shape_text(&tensor.shape));
            writeln!(out, "{:indent$}{own}  {what}  {dim}{}{dim:#}", "", escaped(&tensor.name))?;
        }
        Ok(())
    };
    for layer in model.layers.iter().filter(|layer| layer.depth < depth) {
        let indent = 2 + 2 * layer.depth;
        let class = layer.class.as_ref().map(|class| format!("  {dim}{}{dim:#}", escaped(class.as_bytes())));
        let frozen = if layer.trainable == Some(false) { "  not trained" } else { "" };
        writeln!(out, "{:indent$}{}{}{frozen}", "", escaped(layer.name.as_bytes()), class.unwrap_or_default())?;
        variables(&layer.name, indent + 2, &layer.tensors, out)?;
    }
    if !model.optimizer_tensors.is_empty() {
        let class = model.optimizer.as_ref().map(|class| format!("  {dim}{}{dim:#}", escaped(class.as_bytes())));
        writeln!(out, "  optimizer{}", class.unwrap_or_default())?;
        variables("", 4, &model.optimizer_tensors, out)?;
    }
    Ok(())
}

/// A variable's name in its layer.
fn own_name(names: &Names, at: usize, tensor: &Tensor, layer: &str) -> String {
    let full = names.get(at).and_then(|name| name.full_name.as_deref());
    let full = full.map_or_else(|| String::from_utf8_lossy(&tensor.name).into_owned(), str::to_owned);
    let within = format!("{layer}/");
    let own = match full.rfind(&within).filter(|_| !layer.is_empty()) {
        Some(at) if at == 0 || full.as_bytes().get(at - 1) == Some(&b'/') => &full[at + within.len()..],
        _ if layer.is_empty() => full.split_once('/').map_or(full.as_str(), |(_, own)| own),
        _ => full.rsplit('/').next().unwrap_or(&full),
    };
    escaped(own.as_bytes()).into_owned()
}
