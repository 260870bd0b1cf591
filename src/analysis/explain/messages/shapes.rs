//! Messages about two shapes that do not fit each other: the model's, and that of the value that was saved.

use super::rule::{ROOT, Rank, Rule};
use crate::analysis::Code;
use crate::analysis::explain::diagnosis::Diagnosis;
use crate::analysis::explain::pasted::{between, dims, quoted, rest_of_line, shape};

pub(super) const COMPARE: &str =
    "ckpt validate PREFIX --against MODEL   everything that differs; MODEL: a .meta, a SavedModel, a checkpoint";

pub(super) const RULES: &[Rule] = &[
    Rule {
        marks: &["Assign requires shapes of both tensors to match", "lhs shape= […] rhs shape= [", "] rhs shape= ["],
        read: |text| Some(assign(text)),
        example: "Assign requires shapes of both tensors to match",
        ..ROOT
    },
    Rule {
        marks: &["shape in shape_and_slice spec", "does not match the shape stored in checkpoint"],
        read: |text| Some(spec(text)),
        example: "shape in shape_and_slice spec",
        ..ROOT
    },
    Rule {
        marks: &["Received incompatible tensor with shape", "when attempting to restore variable with shape"],
        read: |text| Some(incompatible(text)),
        example: "Received incompatible tensor with shape",
        ..ROOT
    },
    Rule {
        marks: &["doesn't match with shape of tensor"],
        read: |text| Some(init_from(text)),
        example: "doesn't match with shape of tensor",
        ..ROOT
    },
    Rule {
        marks: &["Tensor's shape…is not compatible with supplied shape"],
        read: |text| Some(supplied(text)),
        example: "",
        ..ROOT
    },
    Rule {
        marks: &["Shape mismatch in layer #", "Weight expects shape…Received saved weight with shape"],
        read: |text| Some(in_layer(text)),
        example: "Shape mismatch in layer #",
        ..ROOT
    },
    Rule {
        marks: &["not compatible with provided weight shape"],
        read: |text| Some(provided(text)),
        example: "not compatible with provided weight shape",
        ..ROOT
    },
    Rule {
        marks: &["The shape of the target variable and the shape of the target value", "Received: value.shape="],
        read: |text| Some(target(text)),
        example: "The shape of the target variable and the shape of the target value",
        ..ROOT
    },
    Rule {
        marks: &["Cannot assign value to variable", "and the assigned value shape…are incompatible"],
        read: |text| Some(assigned(text)),
        example: "Cannot assign value to variable",
        ..ROOT
    },
    Rule {
        marks: &["Shapes…and…are incompatible", "Shapes…and…are not compatible", "Shapes…must be equal…but are"],
        read: two,
        rank: Rank::Vague,
        example: "Shapes (2,) and (3,) are incompatible",
    },
    Rule {
        marks: &["Dimensions must be equal, but are"],
        read: |text| Some(dimensions(text)),
        rank: Rank::Vague,
        example: "Dimensions must be equal, but are",
    },
];

/// What two shapes have to do with each other.
fn relation(model: &[u64], stored: &[u64]) -> Option<String> {
    let reversed: Vec<u64> = stored.iter().rev().copied().collect();
    let elements = |dims: &[u64]| dims.iter().copied().fold(1, u64::saturating_mul);
    if model.len() != stored.len() {
        return Some(if elements(model) == elements(stored) {
            "They have equally many elements but other dimensions; TensorFlow reshapes nothing by itself.".to_owned()
        } else {
            "They do not even have the same number of dimensions: probably another kind of layer.".to_owned()
        });
    }
    let differ: Vec<usize> =
        model.iter().zip(stored).enumerate().filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect();
    let at = *differ.first()?;
    Some(if differ.len() > 1 && model == reversed {
        "One is the other transposed: a matrix of another framework or layer type.".to_owned()
    } else if differ.len() > 1 {
        "Several dimensions differ: probably another size or configuration of the model.".to_owned()
    } else if at + 1 == model.len() {
        "Only the last dimension differs: another number of classes or units.".to_owned()
    } else if at == 0 {
        "Only the first dimension differs: another size of vocabulary, or another input.".to_owned()
    } else {
        "One inner dimension differs: another number of heads, channels or steps.".to_owned()
    })
}

/// Two shapes that are told apart, of a checkpoint or of a file of Keras.
fn shapes(name: Option<&str>, model: Option<&str>, stored: Option<&str>, is_keras: bool) -> Diagnosis {
    let name = name.map(|name| name.trim().trim_end_matches(":0")).filter(|name| !name.is_empty());
    let parsed = (model.and_then(dims), stored.and_then(dims));
    let from = if is_keras { "the file" } else { "the checkpoint" };
    let headline = match (&parsed, name) {
        ((Some(model), Some(stored)), Some(name)) => {
            format!("The model wants {} as {}, {from} has it as {}.", quoted(name), shape(model), shape(stored))
        }
        ((Some(model), Some(stored)), None) => {
            format!("The model wants a variable as {}, {from} has it as {}.", shape(model), shape(stored))
        }
        (_, Some(name)) => format!("{} has another shape in the model than in {from}.", quoted(name)),
        _ => format!("A variable has another shape in the model than in {from}."),
    };
    let mut diagnosis = if is_keras {
        Diagnosis::new("keras-shape", headline)
    } else {
        Diagnosis::of_code(Code::RestoreShapeMismatch, headline)
    };
    if let (Some(model), Some(stored)) = &parsed
        && let Some(line) = relation(model, stored)
    {
        diagnosis = diagnosis.means(line);
    }
    diagnosis.stored_shape.clone_from(&parsed.1);
    let diagnosis = diagnosis.of_tensor(name).certain("Other variables can differ too: only one is named.");
    if is_keras {
        return diagnosis
            .likely("Another number of classes: a new head. Give the new layer a name of its own, and load by_name=True or skip_mismatch=True.")
            .likely("Another input size, vocabulary or width than in training.")
            .likely("Layers in another order: the weights of one layer meet another. Keras loads by order unless by_name=True.")
            .next("compare the layers with those of the file: model.summary(), ckpt list PATH")
            .next("load_weights(PATH, skip_mismatch=True)   takes what fits and warns of the rest");
    }
    let list = match (&parsed.1, name) {
        (_, Some(_)) => "ckpt list PREFIX NAME   what the checkpoint has under this name".to_owned(),
        (Some(stored), None) => format!("ckpt list PREFIX rank:{}   to find the variable by its shape", stored.len()),
        _ => "ckpt list PREFIX   names and shapes".to_owned(),
    };
    diagnosis.next(list).with_page(Code::RestoreShapeMismatch)
}

fn assign(text: &str) -> Diagnosis {
    let (model, stored) = (between(text, "lhs shape= [", "]"), between(text, "rhs shape= [", "]"));
    // The node is called save/Assign_12; the variable, where it is named at all, stands in its arguments.
    let name = between(text, "_class=[\"loc:@", "\"").or_else(|| between(text, "loc:@", "\""));
    shapes(name, model, stored, false).means("lhs is the variable of the model, rhs is what the checkpoint holds.")
}

fn spec(text: &str) -> Diagnosis {
    let model = between(text, "shape in shape_and_slice spec [", "]");
    let name = between(text, "tensor_name = ", ";");
    shapes(name, model, between(text, "stored in checkpoint: [", "]"), false)
        .means("The model has this variable in partitions, and their full shape is another one.")
}

fn incompatible(text: &str) -> Diagnosis {
    let stored = between(text, "Received incompatible tensor with shape (", ")");
    let model = between(text, "restore variable with shape (", ")");
    shapes(rest_of_line(text, "and name "), model, stored, false)
        .certain("Variables that were restored before this one already have their new values.")
}

fn init_from(text: &str) -> Diagnosis {
    let name = between(text, "Shape of variable ", " ((");
    let model = between(text, "((", ")").map(str::trim);
    let stored = text.split_once("shape of tensor").and_then(|(_, rest)| between(rest, "([", "]"));
    shapes(name, model, stored, false)
}

fn supplied(text: &str) -> Diagnosis {
    // `EagerTensor.set_shape`: the tensor is what was read, the shape that is supplied is the variable's.
    let stored = between(text, "Tensor's shape (", ")");
    shapes(None, between(text, "supplied shape (", ")"), stored, false)
        .means("The message does not name the variable; --against does.")
}

fn in_layer(text: &str) -> Diagnosis {
    let model = between(text, "Weight expects shape (", ")");
    let name = between(text, "for weight ", ". Weight").or_else(|| between(text, "(named ", ")"));
    let layer = between(text, "(named ", ")").filter(|layer| name.is_some_and(|name| !name.contains(layer)));
    let diagnosis = shapes(name, model, between(text, "saved weight with shape (", ")"), true);
    match layer {
        Some(layer) => diagnosis.means(format!("It is a weight of the layer {}.", quoted(layer))),
        None => diagnosis,
    }
}

fn provided(text: &str) -> Diagnosis {
    let name = between(text, "Layer ", " weight shape").filter(|name| !name.is_empty());
    let stored = between(text, "provided weight shape (", ")");
    shapes(name, between(text, "weight shape (", ")"), stored, true)
}

fn target(text: &str) -> Diagnosis {
    let name = between(text, "<Variable path=", ",").or_else(|| between(text, "message for object <", ">"));
    let stored = between(text, "value.shape=(", ")");
    shapes(name, between(text, "variable.shape=(", ")"), stored, true)
}

fn assigned(text: &str) -> Diagnosis {
    let name = between(text, "to variable '", "'");
    let model = between(text, "The variable shape (", ")");
    let stored = between(text, "assigned value shape (", ")");
    // Both load_weights of Keras 2 and a program's own assign say so; where it is one of Keras, its names are Keras's.
    shapes(name, model, stored, name.is_some_and(|name| name.contains('/')))
}

/// Two shapes of which the message does not say which is whose.
fn two(text: &str) -> Option<Diagnosis> {
    let line = text.lines().find(|line| line.contains("Shapes "))?;
    let open = ['(', '[', '{'];
    let mut found =
        line.split_once("Shapes ")?.1.split(open).skip(1).filter_map(|part| part.split([')', ']', '}']).next());
    let (first, second) = (found.next(), found.next());
    let both = first.and_then(dims).zip(second.and_then(dims));
    let headline = match &both {
        Some((a, b)) => {
            format!(
                "If a checkpoint was being restored, a variable has another shape in the model than the value for it: {} and {}.",
                shape(a),
                shape(b)
            )
        }
        None => "If a checkpoint was being restored, a variable has another shape in the model than the value for it."
            .to_owned(),
    };
    let mut diagnosis = Diagnosis::of_code(Code::RestoreShapeMismatch, headline);
    if let Some(line) = both.and_then(|(a, b)| relation(&a, &b)) {
        diagnosis = diagnosis.means(line);
    }
    Some(
        diagnosis
            .means("The message says neither which of the two is the checkpoint's nor which variable it is; --against does.")
            .with_page(Code::RestoreShapeMismatch)
            .certain("That a checkpoint is at fault is likely only if it was raised while restoring: operations of a graph say the same."),
    )
}

fn dimensions(text: &str) -> Diagnosis {
    let numbers = between(text, "but are ", " for").and_then(|both| both.split_once(" and "));
    let headline = match numbers {
        Some((a, b)) => format!("Two dimensions that must be equal are {} and {}.", quoted(a), quoted(b)),
        None => "Two dimensions that must be equal are not.".to_owned(),
    };
    Diagnosis::of_code(Code::RestoreShapeMismatch, headline)
        .means("A graph computes with a value of another shape than it was built for; if that value was restored, the checkpoint is of another size.")
        .with_page(Code::RestoreShapeMismatch)
        .certain("It need not have to do with a checkpoint: layers that do not fit each other say the same.")
}
