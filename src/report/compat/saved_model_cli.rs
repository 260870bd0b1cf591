//! `saved_model_cli show`.
//!
//! Source: `tensorflow/python/tools/saved_model_cli.py`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::inspect_checkpoint::proto_name;
use crate::analysis::{OldFunction, OldGraph, OldModel};
use crate::read::graphs::graph::{PythonValue, python_text};
use crate::read::graphs::meta_graph::{Signature, TensorInfo};

/// What is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Show<'a> {
    /// `--all`
    pub all: bool,
    /// `--tag_set`
    pub tag_set: Option<&'a str>,
    /// `--signature_def`
    pub signature: Option<&'a str>,
    /// `--list_ops`
    pub list_ops: bool,
}

/// Prints what the program prints; what it ends with, if it raises.
///
/// # Errors
/// What `out` says.
pub fn write_show(model: &OldModel, show: Show<'_>, out: &mut dyn Write) -> io::Result<Option<String>> {
    if show.all {
        return everything(model, out).map(|()| None);
    }
    let Some(tag_set) = show.tag_set else {
        if show.list_ops {
            writeln!(out, "--list_ops must be paired with a tag-set or with --all.")?;
        }
        return tag_sets(model, out).map(|()| None);
    };
    let graph = match find(model, tag_set) {
        Ok(graph) => graph,
        Err(message) => return Ok(Some(message)),
    };
    if show.list_ops {
        if tag_set.split(',').all(|tag| tag.trim().is_empty()) {
            return Ok(Some("tag_set must contain at least one non-empty item.".to_owned()));
        }
        ops(graph, out)?;
    }
    match show.signature {
        None => {
            writeln!(out, "The given SavedModel MetaGraphDef contains SignatureDefs with the following keys:")?;
            for key in graph.signatures.keys() {
                writeln!(out, "SignatureDef key: \"{key}\"")?;
            }
            Ok(None)
        }
        Some(key) => {
            if let Some(found) = graph.signatures.get(key) {
                return signature(found, 0, out).map(|()| None);
            }
            let keys: Vec<&str> = graph.signatures.keys().map(String::as_str).collect();
            Ok(Some(format!("Could not find signature \"{key}\". Please choose from: {}", keys.join(", "))))
        }
    }
}

/// The graph whose tags are these as a set; empty ones do not count.
fn find<'m>(model: &'m OldModel, tag_set: &str) -> Result<&'m OldGraph, String> {
    let wanted: BTreeSet<&str> = tag_set.split(',').filter(|tag| !tag.is_empty()).collect();
    let tags = |graph: &'m OldGraph| graph.tags.iter().map(String::as_str).collect::<BTreeSet<&str>>();
    model.graphs.iter().find(|graph| tags(graph) == wanted).ok_or_else(|| {
        let all: Vec<String> = model.graphs.iter().map(|graph| python_text(&graph.tags.join(","))).collect();
        format!(
            "MetaGraphDef associated with tag-set {tag_set} could not be found in the SavedModel. Please use one of the \
             following tag-sets: [{}]",
            all.join(", ")
        )
    })
}

fn tag_sets(model: &OldModel, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "The given SavedModel contains the following tag-sets:")?;
    let mut sets: Vec<&[String]> = model.graphs.iter().map(|graph| graph.tags.as_slice()).collect();
    sets.sort();
    for set in sets {
        let mut tags = set.to_vec();
        tags.sort();
        writeln!(out, "{}", python_text(&tags.join(", ")))?;
    }
    Ok(())
}

/// A set of Python, whose order is another one in each run there; here it is that of names.
fn ops(graph: &OldGraph, out: &mut dyn Write) -> io::Result<()> {
    let list =
        |names: &mut dyn Iterator<Item = &String>| names.map(|name| python_text(name)).collect::<Vec<_>>().join(", ");
    let tags = list(&mut graph.tags.iter());
    let set = if graph.ops.is_empty() { "set()".to_owned() } else { format!("{{{}}}", list(&mut graph.ops.iter())) };
    writeln!(out, "The MetaGraph with tag set [{tags}] contains the following ops: {set}")
}

fn signature(signature: &Signature, indent: usize, out: &mut dyn Write) -> io::Result<()> {
    let pad = "  ".repeat(indent);
    writeln!(out, "{pad}The given SavedModel SignatureDef contains the following input(s):")?;
    for (key, tensor) in &signature.inputs {
        writeln!(out, "{pad}  inputs['{key}'] tensor_info:")?;
        info(tensor, &pad, out)?;
    }
    writeln!(out, "{pad}The given SavedModel SignatureDef contains the following output(s):")?;
    for (key, tensor) in &signature.outputs {
        writeln!(out, "{pad}  outputs['{key}'] tensor_info:")?;
        info(tensor, &pad, out)?;
    }
    writeln!(out, "{pad}Method name is: {}", signature.method_name)
}

fn info(tensor: &TensorInfo, pad: &str, out: &mut dyn Write) -> io::Result<()> {
    let shape = tensor.shape.dims().map_or_else(
        || "unknown_rank".to_owned(),
        |dims| format!("({})", dims.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
    );
    // What consists of several tensors has no name there, and a description here: no name has a bracket.
    let name = if tensor.name.contains('(') { "" } else { &tensor.name };
    writeln!(out, "{pad}      dtype: {}", proto_name(tensor.dtype))?;
    writeln!(out, "{pad}      shape: {shape}")?;
    writeln!(out, "{pad}      name: {name}")
}

fn everything(model: &OldModel, out: &mut dyn Write) -> io::Result<()> {
    let mut graphs: Vec<&OldGraph> = model.graphs.iter().collect();
    graphs.sort_by(|a, b| a.tags.cmp(&b.tags));
    for graph in graphs {
        let tags = graph.tags.join(", ");
        writeln!(out, "\nMetaGraphDef with tag-set: '{tags}' contains the following SignatureDefs:")?;
        for (key, found) in &graph.signatures {
            writeln!(out, "\nsignature_def['{key}']:")?;
            signature(found, 1, out)?;
        }
        ops(graph, out)?;
    }
    if !model.has_objects {
        return Ok(());
    }
    write!(out, "\nConcrete Functions:")?;
    if model.has_custom_ops {
        return writeln!(out, " N/A (could not be listed due to the existence of custom ops in the SavedModel)");
    }
    for function in &model.functions {
        functions(function, out)?;
    }
    Ok(())
}

fn functions(function: &OldFunction, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n  Function Name: '{}'", function.name)?;
    for (n, option) in function.options.iter().enumerate() {
        if !option.arguments.is_empty() {
            writeln!(out, "    Option #{}\n      Callable with:", n + 1)?;
            for (n, argument) in option.arguments.iter().enumerate() {
                writeln!(out, "        Argument #{}", n + 1)?;
                value(argument, out)?;
            }
        }
        for (n, name) in option.named.iter().enumerate() {
            writeln!(out, "        Named Argument #{}\n          {name}", n + 1)?;
        }
    }
    Ok(())
}

fn value(value: &PythonValue, out: &mut dyn Write) -> io::Result<()> {
    const PAD: &str = "          ";
    let quoted = |value: &PythonValue| match value {
        PythonValue::Text(text) => format!("'{text}'"),
        value => value.text(),
    };
    let class = value.class();
    let items: Vec<String> = match value {
        PythonValue::Text(text) => return writeln!(out, "{PAD}{text}"),
        PythonValue::Spec(name, ..) => {
            let name = if name.is_empty() { "None" } else { name };
            return writeln!(out, "{PAD}{name}: {}", value.repr());
        }
        PythonValue::List(values) | PythonValue::Tuple(values) => values.iter().map(quoted).collect(),
        PythonValue::Named(_, fields) => fields.iter().map(|(_, value)| quoted(value)).collect(),
        PythonValue::Dict(fields) => {
            write!(out, "{PAD}DType: dict\n{PAD}Value: {{")?;
            for (key, value) in fields {
                write!(out, "'{key}': {}, ", quoted(value))?;
            }
            return writeln!(out, "\x08\x08}}");
        }
        value => return writeln!(out, "{PAD}DType: {class}\n{PAD}Value: {}", value.text()),
    };
    write!(out, "{PAD}DType: {class}\n{PAD}Value: [")?;
    for item in items {
        write!(out, "{item}, ")?;
    }
    writeln!(out, "\x08\x08]")
}
