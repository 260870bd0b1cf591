//! Messages about a model and a checkpoint that do not fit each other.

use super::Rule;
use crate::analysis::Code;
use crate::analysis::explain::Diagnosis;
use crate::analysis::explain::pasted::{between, dims, quoted, shape, word, word_before};

pub(super) const RULES: &[Rule] = &[
    Rule { marks: &["Assign requires shapes of both tensors to match"], read: |text| Some(assign(text)) },
    Rule { marks: &["shape in shape_and_slice spec"], read: |text| Some(spec(text)) },
    Rule { marks: &["does not equal original dtype"], read: |text| Some(dtype(text)) },
    Rule { marks: &["Received incompatible tensor with shape"], read: |text| Some(incompatible(text)) },
    Rule { marks: &["doesn't match with shape of tensor"], read: |text| Some(init_from(text)) },
    Rule { marks: &["Does not have sufficient slices"], read: |text| Some(slices(text)) },
    Rule { marks: &["Overlapping slices: existing slice"], read: |_| Some(overlapping()) },
    Rule { marks: &["Dtype half not supported"], read: half },
    Rule {
        marks: &["Nothing except the root object matched", "Nothing to load. No dependencies"],
        read: |_| Some(only_root()),
    },
    Rule { marks: &["Unresolved object in checkpoint"], read: |text| Some(unresolved(text)) },
    Rule { marks: &["Value in checkpoint could not be found in the restored object"], read: |text| Some(unused(text)) },
    Rule { marks: &["Unresolved slot restorations", "Unused attributes in these objects"], read: |_| Some(slots()) },
    Rule { marks: &["not bound to checkpointed values"], read: |_| Some(unbound()) },
    Rule {
        marks: &["checkpoint from a legacy TF-Keras optimizer", "legacy Keras optimizer into a v2.11+"],
        read: |_| Some(legacy_optimizer()),
    },
    Rule { marks: &["not found in checkpoint"], read: |text| Some(missing_key(text)) },
    Rule { marks: &["File format not supported: filepath="], read: |text| Some(keras3(text)) },
    Rule { marks: &["objects could not be loaded"], read: |_| Some(keras_objects()) },
    Rule {
        marks: &["Could not find meta graph def matching supplied tags", "could not be found in SavedModel"],
        read: |text| Some(tags(text)),
    },
];

/// What other errors are wrapped in, for when nothing else of them was pasted.
pub(super) const WRAPPERS: &[Rule] = &[
    Rule {
        marks: &[
            "Restoring from checkpoint failed",
            "mismatch between the current graph and the graph from the checkpoint",
        ],
        read: |_| Some(wrapper()),
    },
    Rule { marks: &["Error when restoring from checkpoint or SavedModel"], read: |text| Some(keras_path(text)) },
];

/// What shows all differences where `TensorFlow` names the first.
const COMPARE: &str =
    "ckpt validate PREFIX --against MODEL   everything that differs; MODEL: a .meta, a SavedModel, a checkpoint";

/// What two shapes have to do with each other.
fn relation(model: &[u64], stored: &[u64]) -> Option<String> {
    let reversed: Vec<u64> = stored.iter().rev().copied().collect();
    if model.len() != stored.len() {
        let (one, other): (u64, u64) = (model.iter().product(), stored.iter().product());
        return Some(if one == other {
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

/// A diagnosis for a variable whose shape differs.
fn shapes(name: Option<&str>, model: Option<&str>, stored: Option<&str>) -> Diagnosis {
    let parsed = (model.and_then(dims), stored.and_then(dims));
    let headline = match (&parsed, name) {
        ((Some(model), Some(stored)), Some(name)) => {
            format!("The model wants {} as {}, the checkpoint has it as {}.", quoted(name), shape(model), shape(stored))
        }
        ((Some(model), Some(stored)), None) => {
            format!("The model wants a variable as {}, the checkpoint has it as {}.", shape(model), shape(stored))
        }
        _ => "A variable has another shape in the model than in the checkpoint.".to_owned(),
    };
    let mut diagnosis = Diagnosis::new(headline);
    if let (Some(model), Some(stored)) = &parsed
        && let Some(line) = relation(model, stored)
    {
        diagnosis = diagnosis.means(line);
    }
    let list = match (&parsed.1, name) {
        (_, Some(_)) => "ckpt list PREFIX NAME   what the checkpoint has under this name".to_owned(),
        (Some(stored), None) => format!("ckpt list PREFIX rank:{}   to find the variable by its shape", stored.len()),
        _ => "ckpt list PREFIX   names and shapes".to_owned(),
    };
    diagnosis
        .likely("The model is built with other settings than it was trained with.")
        .likely("A pretrained model gets a new head: then leave that variable out of the restore.")
        .next(list)
        .next(COMPARE)
        .certain("Other variables can differ too: TensorFlow names only one.")
        .of_tensor(name)
}

fn assign(text: &str) -> Diagnosis {
    let (model, stored) = (between(text, "lhs shape= [", "]"), between(text, "rhs shape= [", "]"));
    // The node is called save/Assign_12; the variable, where it is named at all, stands in its arguments.
    let name = between(text, "_class=[\"loc:@", "\"").or_else(|| between(text, "loc:@", "\""));
    shapes(name, model, stored).means("lhs is the variable of the model, rhs is what the checkpoint holds.")
}

fn spec(text: &str) -> Diagnosis {
    let model = between(text, "shape in shape_and_slice spec [", "]");
    shapes(tensor_name(text), model, between(text, "stored in checkpoint: [", "]"))
        .means("The model has this variable in partitions, and their full shape is another one.")
}

/// The name in `tensor_name = NAME; …`.
fn tensor_name(text: &str) -> Option<&str> {
    between(text, "tensor_name = ", ";").map(str::trim)
}

fn incompatible(text: &str) -> Diagnosis {
    let stored = between(text, "Received incompatible tensor with shape (", ")");
    let model = between(text, "restore variable with shape (", ")");
    let name = word(text, "and name").map(|name| name.trim_end_matches(":0"));
    shapes(name, model, stored).certain("Variables that were restored before this one already have their new values.")
}

fn init_from(text: &str) -> Diagnosis {
    let name = word(text, "Shape of variable").map(|name| name.trim_end_matches(":0"));
    let model = between(text, "((", ")").map(str::trim);
    let stored = text.split_once("shape of tensor").and_then(|(_, rest)| between(rest, "([", "]"));
    shapes(name, model, stored)
}

fn dtype(text: &str) -> Diagnosis {
    let name = tensor_name(text);
    let (model, stored) = (word(text, "expected dtype"), word(text, "original dtype"));
    let headline = match (name, model, stored) {
        (Some(name), Some(model), Some(stored)) => {
            format!(
                "The model wants {} as {}, the checkpoint has it as {}.",
                quoted(name),
                python(model),
                python(stored)
            )
        }
        _ => "A variable has another type in the model than in the checkpoint.".to_owned(),
    };
    let n = text.matches("does not equal original dtype").count();
    let mut diagnosis = Diagnosis::new(headline).means("TensorFlow never converts types while restoring.");
    if n > 1 {
        diagnosis = diagnosis.means(format!("The message names {n} such variables."));
    }
    let wide = |name: Option<&str>| matches!(name, Some("int64" | "int32"));
    let half = |name: Option<&str>| matches!(name, Some("half" | "bfloat16" | "float16"));
    diagnosis = if wide(model) && wide(stored) {
        diagnosis.likely("A counter such as global_step was created with another integer type.")
    } else if !half(model) && !half(stored) {
        diagnosis
            .likely("The variable was created with another dtype: a NumPy array of float64 makes float64 variables.")
    } else {
        diagnosis.likely(
            "Mixed precision: the checkpoint was saved in half precision, the model is in full, or the reverse.",
        )
    };
    diagnosis
        .next("ckpt list PREFIX NAME   the type in the checkpoint")
        .next(COMPARE)
        .next("build the variable with the stored type and convert it after restoring")
        .of_tensor(name)
}

/// TensorFlow's C++ names as Python's, made harmless.
fn python(name: &str) -> String {
    match name {
        "float" => "float32".to_owned(),
        "double" => "float64".to_owned(),
        "half" => "float16".to_owned(),
        name => crate::escape::escaped(name.as_bytes()).into_owned(),
    }
}

fn slices(text: &str) -> Diagnosis {
    let name = word(text, "for partitioned tensor");
    let named = name.map_or_else(|| "A partitioned variable".to_owned(), quoted);
    Diagnosis::new(format!("{named} is not complete: the checkpoint holds only some of its slices."))
        .means("The variable was saved in pieces; the ones that the model asks for are not all there.")
        .likely("A part of a save by several workers is missing, or was not merged.")
        .next("ckpt list PREFIX NAME --format json   the slices that are there")
        .next("go on from the checkpoint before this one")
        .code(Code::SlicesIncomplete)
        .code(Code::SliceMissing)
        .of_tensor(name)
}

fn overlapping() -> Diagnosis {
    Diagnosis::new("Two stored pieces of a partitioned variable cover the same elements.")
        .likely("Checkpoints of runs with different partitioning were merged.")
        .next("ckpt validate PREFIX   names the variable and its slices")
        .code(Code::SlicesOverlap)
}

fn half(text: &str) -> Option<Diagnosis> {
    text.contains("Dtype half not supported").then(|| {
        Diagnosis::new("TensorFlow cannot put a partitioned float16 variable together.")
            .means(
                "The checkpoint is fine. It has the variable in slices, and TensorFlow joins slices of few types only.",
            )
            .likely("The model has other partitions than the one that was saved, or none.")
            .next("restore with the partitions of the save")
            .next("ckpt print PREFIX NAME --format npy > w.npy   reads such variables whole")
            .certain("Certain: it is a limit of TensorFlow, also for uint16, uint32 and strings.")
    })
}

fn only_root() -> Diagnosis {
    Diagnosis::new("Nothing of the checkpoint was restored: its objects have other names than the program's.")
        .means("tf.train.Checkpoint matches by the names of attributes: Checkpoint(model=m) does not fit one saved as Checkpoint(net=m).")
        .likely("The keyword in tf.train.Checkpoint(…) is another one than when saving.")
        .likely("The checkpoint was saved by model.save_weights, whose root is the model itself, or the reverse.")
        .likely("It is a name-based checkpoint of a v1 Saver.")
        .next("ckpt inspect PREFIX   says which kind it is")
        .next("ckpt print PREFIX _CHECKPOINTABLE_OBJECT_GRAPH   the names at the root")
}

/// The path of an object behind fixed words: it may have blanks and apostrophes, as in
/// `(root).optimizer's state 'm' for (root).w`, and ends with the line.
fn object_path(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let line = rest.trim_start_matches([':', ' ']).lines().next()?.trim().trim_end_matches([':', ',']);
    let line = line.split_once(": ").map_or(line, |(path, _)| path);
    let path = if line.contains("(root)") { line } else { line.split_whitespace().next()? };
    (!path.is_empty() && path.len() < 2048).then(|| quoted(path))
}

fn unresolved(text: &str) -> Diagnosis {
    let path = object_path(text, "Unresolved object in checkpoint");
    let named = path.unwrap_or_else(|| "An object".into());
    let optimizer = text.contains("optimizer") || text.contains("save_counter");
    let diagnosis = Diagnosis::new(format!("The checkpoint holds {named}, and the program has nothing in that place."))
        .means("assert_consumed asks that everything in the checkpoint is used. What did match was restored.");
    let diagnosis = if optimizer {
        diagnosis
            .likely("Only optimizer state or counters are left over: harmless for inference. Use .expect_partial().")
    } else {
        diagnosis.likely("The model has another structure than the saved one, or its layers are not built yet.")
    };
    diagnosis
        .next("ckpt print PREFIX _CHECKPOINTABLE_OBJECT_GRAPH   the saved structure")
        .next(COMPARE)
        .certain("(root) is the object that was saved; the names behind it are attributes.")
}

fn unused(text: &str) -> Diagnosis {
    let n = text.matches("could not be found in the restored object").count();
    let path = object_path(text, "could not be found in the restored object:");
    let many = if n > 1 { format!("{n} values") } else { "A value".to_owned() };
    let named = path.filter(|_| n == 1).map_or_else(String::new, |path| format!(" ({path})"));
    let optimizer = text.matches("optimizer").count() >= n || text.contains("save_counter");
    let diagnosis =
        Diagnosis::new(format!("{many} of the checkpoint{named} had no place in the program and were not restored."))
            .means("This is a warning, printed when the program ends. What did match was restored.");
    let diagnosis = if optimizer {
        diagnosis.likely("They are optimizer state or counters: harmless for inference. .expect_partial() silences it.")
    } else {
        diagnosis
            .likely("Layers that are created later, or not at all: weights that the program never got.")
            .likely("Optimizer state, if the names say so: harmless for inference.")
    };
    diagnosis
        .next(COMPARE)
        .next("status.assert_existing_objects_matched()   fails if a variable of the program was not restored")
        .code(Code::GraphOrphan)
}

fn slots() -> Diagnosis {
    Diagnosis::new("State of the optimizer in the checkpoint was not restored.")
        .means("Adam and others keep values for each variable; those of some variables were not asked for.")
        .likely("The program has no optimizer or another one: harmless for inference.")
        .next("use .expect_partial(), or assert_existing_objects_matched() instead of assert_consumed()")
        .next("ckpt list PREFIX role:slot   what is stored")
}

fn unbound() -> Diagnosis {
    Diagnosis::new("Some variables of the program are not in the checkpoint and keep their first values.")
        .means("These objects were not saved, or under other attribute names.")
        .likely("The program changed since the save: new layers, renamed attributes, another optimizer.")
        .next(COMPARE)
        .next("ckpt print PREFIX _CHECKPOINTABLE_OBJECT_GRAPH   the saved structure")
}

fn legacy_optimizer() -> Diagnosis {
    Diagnosis::new("The checkpoint holds the state of an optimizer of Keras before 2.11, the program has a newer one.")
        .means("Keras rewrote its optimizers in 2.11; they store their state in another way.")
        .next("use tf.keras.optimizers.legacy.Adam (or the like), or restore the model without its optimizer")
        .next("ckpt list PREFIX role:slot   what is stored")
}

/// What the form of a name says that a checkpoint lacks, where it says more than that it is a variable.
fn by_form(name: &str) -> Option<&'static str> {
    let last = name.rsplit('/').next().unwrap_or(name).trim_end_matches(":0");
    let has = |part: &str| name.split('/').any(|component| component == part);
    let quantized = ["act_quant", "weights_quant", "quant_min", "quant_max"];
    Some(if last == "ExponentialMovingAverage" {
        "It is a moving average: the program reads averages, and the checkpoint has the weights without them. Read it without the averages (no variables_to_restore()), or restore from a checkpoint that was saved with them."
    } else if matches!(last, "biased" | "local_step") {
        "It is the state of a moving average that corrects its beginning (zero_debias=True): training with it was switched on after the save. Leave it out of the restore; it starts anew."
    } else if quantized.iter().any(|part| name.contains(part))
        || (matches!(last, "min" | "max") && name.contains("quant"))
    {
        "It is a range for quantization: the graph was rewritten for quantized training (contrib.quantize), the checkpoint was saved before. Restore the weights only, and let the ranges start anew."
    } else if [
        "Adam",
        "Adam_1",
        "Momentum",
        "RMSProp",
        "RMSProp_1",
        "Adagrad",
        "Adadelta",
        "Ftrl",
        "Ftrl_1",
        "adam_m",
        "adam_v",
        "LAMB",
        "LAMB_1",
    ]
    .contains(&last)
        || last.ends_with("_power")
        || last.starts_with("_slot_")
        || has(".OPTIMIZER_SLOT")
    {
        "It belongs to an optimizer: the checkpoint was saved without one. Restore the weights only."
    } else if last.strip_prefix("part_").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        || name.contains("/part_")
    {
        "It is a part of a partitioned variable: build the model with the partitions of the save."
    } else if name.starts_with("save_counter") {
        "It is the counter of tf.train.Checkpoint.save, no weight: the checkpoint was written by write() or by Keras. Harmless."
    } else if last == "global_step" {
        "It is the step of the run, no weight: leave it out of the restore, or create it anew."
    } else if name.ends_with("VARIABLE_VALUE") {
        "Its object is in the object graph but its value is not in the index: the index is not whole."
    } else {
        return None;
    })
}

fn missing_key(text: &str) -> Diagnosis {
    let name = between(text, "Tensor name \"", "\"").or_else(|| word_before(text, " not found in checkpoint"));
    let name = name.filter(|name| *name != "Key");
    let named = name.map_or_else(|| "A tensor".to_owned(), quoted);
    let mut diagnosis =
        Diagnosis::new(format!("The model asks for {named}, and the checkpoint has no tensor of that name."));
    if let Some(line) = name.and_then(by_form) {
        diagnosis = diagnosis.likely(line);
    }
    diagnosis
        .likely("Variables are called otherwise: another scope in front, biases for bias, a `model/` more or less.")
        .likely("The checkpoint is of another model, or of another version of it.")
        .next("ckpt list PREFIX '**/*LASTPART*'   names that are alike")
        .next(COMPARE)
        .certain("TensorFlow names only the first missing tensor; there can be many.")
        .certain("It also says this of names in a damaged block of the index: ckpt validate PREFIX tells.")
        .code(Code::BlockChecksumMismatch)
        .code(Code::GraphKeyMissing)
        .of_tensor(name)
}

fn keras3(text: &str) -> Diagnosis {
    let path = word(text, "filepath=").map_or_else(|| "PREFIX".into(), crate::analysis::explain::pasted::argument);
    Diagnosis::new("Keras 3 does not read TensorFlow checkpoints; the file need not be damaged.")
        .means("load_weights of Keras 3 takes .weights.h5, .keras and .h5 files only.")
        .likely("The weights were saved by Keras 2: model.save_weights(PREFIX).")
        .next("install tf_keras and set TF_USE_LEGACY_KERAS=1, then load them as before")
        .next("or tf.train.Checkpoint(model).restore(PREFIX).expect_partial()")
        .next(format!("ckpt inspect {path}   what the checkpoint holds"))
}

fn keras_objects() -> Diagnosis {
    Diagnosis::new(
        "Keras could not load the weights of some layers; the rest of the message is about the first of them.",
    )
    .likely("Layers have other sizes, or another order, than in the saved model.")
    .next("compare the layers of the model with those in the file: h5ls -r FILE, for a checkpoint ckpt list PREFIX")
}

fn tags(text: &str) -> Diagnosis {
    let tags = between(text, "supplied tags: {", "}").map(str::trim).filter(|tags| !tags.is_empty());
    let asked = tags.map_or_else(String::new, |tags| format!(" {}", quoted(tags)));
    Diagnosis::new(format!("The SavedModel has no graph with exactly the tags{asked} that were asked for."))
        .means("A SavedModel can hold several graphs, each with a set of tags; the set must be the same, not only contained.")
        .likely("It was saved without tags, or for training or a TPU (`train`, `tpu`).")
        .next("ckpt inspect DIR   shows the tags of every graph")
        .next("pass those tags: tf.saved_model.load(DIR, tags=[…]); a server: --saved_model_tags")
}

fn wrapper() -> Diagnosis {
    Diagnosis::new("A restore failed; the cause stands further down in the message, behind \"Original error:\".")
        .means("TensorFlow puts this sentence around many errors. It guesses at names and shapes even if a file is missing.")
        .next("paste the whole message: ckpt explain - < error.txt")
        .next(COMPARE)
}

fn keras_path(text: &str) -> Diagnosis {
    let path = word(text, "or SavedModel at").map_or_else(|| "PATH".into(), crate::analysis::explain::pasted::argument);
    Diagnosis::new("There is no checkpoint at this path.")
        .likely("The number at the end is missing: path/to/ckpt instead of path/to/ckpt-1.")
        .next(format!("ckpt inspect {path}   names the checkpoints that are near"))
}
