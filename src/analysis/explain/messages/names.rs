//! Messages about names that a checkpoint does not have, types that are others, and variables in parts.

use super::rule::{ROOT, Rank, Rule};
use super::shapes::COMPARE;
use crate::analysis::explain::diagnosis::Diagnosis;
use crate::analysis::explain::form;
use crate::analysis::explain::misgiven::misgiven;
use crate::analysis::explain::pasted::{between, member, quoted, rest_of_line, word};
use crate::analysis::{Code, is_of_one_part};

pub(super) const RULES: &[Rule] = &[
    Rule {
        marks: &["does not equal original dtype", "Expected to restore a tensor of type"],
        read: |text| Some(dtype(text)),
        example: "does not equal original dtype",
        ..ROOT
    },
    Rule {
        marks: &["Does not have sufficient slices"],
        read: |text| Some(slices(text)),
        example: "Does not have sufficient slices",
        ..ROOT
    },
    Rule {
        marks: &["Overlapping slices: existing slice"],
        read: |_| Some(overlapping()),
        example: "Overlapping slices: existing slice",
        ..ROOT
    },
    Rule {
        marks: &["Dtype half not supported", "Dtype…not supported. [Op:RestoreV2"],
        read: |text| Some(half(text)),
        example: "Dtype half not supported",
        ..ROOT
    },
    Rule {
        marks: &[
            "not found in checkpoint",
            "is not found in…checkpoint",
            "File does not contain tensor",
            "is not a file in the archive",
            "There is no item named…in the archive",
        ],
        read: missing_key,
        example: "not found in checkpoint",
        ..ROOT
    },
    Rule {
        marks: &[
            "Restoring from checkpoint failed",
            "mismatch between the current graph and the graph from the checkpoint",
        ],
        read: |_| Some(wrapper()),
        rank: Rank::Wrapper,
        example: "Restoring from checkpoint failed",
    },
];

fn dtype(text: &str) -> Diagnosis {
    let name = between(text, "tensor_name = ", ";").or_else(|| rest_of_line(text, "tensor_name = ")).map(str::trim);
    let model = word(text, "expected dtype").or_else(|| word(text, "restore a tensor of type"));
    let stored = word(text, "original dtype").or_else(|| word(text, "got a tensor of type"));
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
    let mut diagnosis = Diagnosis::of_code(Code::RestoreDTypeMismatch, headline)
        .means("TensorFlow never converts types while restoring.");
    if n > 1 {
        diagnosis = diagnosis.means(format!("The message names {n} such variables."));
    }
    if let Some(line) = model.zip(stored).and_then(|(model, stored)| types(model, stored)) {
        diagnosis = diagnosis.likely(line);
    }
    diagnosis.with_page(Code::RestoreDTypeMismatch).of_tensor(name)
}

/// What two types have to do with each other.
fn types(model: &str, stored: &str) -> Option<&'static str> {
    let is_half = |name: &str| matches!(name, "half" | "bfloat16" | "float16");
    let is_float = |name: &str| is_half(name) || matches!(name, "float" | "double" | "float32" | "float64");
    let is_integer = |name: &str| name.starts_with("int") || name.starts_with("uint");
    let is_quantized = |name: &str| name.starts_with("qint") || name.starts_with("quint");
    Some(if is_integer(model) && is_integer(stored) {
        "A counter such as global_step was created with another integer type."
    } else if is_quantized(model) || is_quantized(stored) {
        "One of the two is quantized: a quantized model cannot take the weights as they were trained, nor the reverse."
    } else if (is_integer(model) && is_float(stored)) || (is_float(model) && is_integer(stored)) {
        "One counts in integers, the other in floats: a step or a counter that was created as a float (as TFLearn does), or another variable of the same name."
    } else if is_half(model) || is_half(stored) {
        "Mixed precision: the checkpoint was saved in half precision and the model is in full, or the reverse."
    } else if is_float(model) && is_float(stored) {
        "The variable was created with another dtype: a NumPy array of float64 makes a float64 variable, and so does set_floatx('float64')."
    } else {
        return None;
    })
}

/// TensorFlow's C++ names as Python's, made harmless.
fn python(name: &str) -> String {
    match name {
        "float" => "float32".to_owned(),
        "double" => "float64".to_owned(),
        "half" => "float16".to_owned(),
        name => crate::base::escape::escaped(name.as_bytes()).into_owned(),
    }
}

fn slices(text: &str) -> Diagnosis {
    let name = between(text, "for partitioned tensor ", " to restore in slice_spec")
        .or_else(|| word(text, "for partitioned tensor"));
    let named = name.map_or_else(|| "A partitioned variable".to_owned(), quoted);
    let of_one_part = name.is_some_and(|name| is_of_one_part(name.as_bytes()));
    let headline = if of_one_part {
        format!("{named} is by its name the slot of one part: that it has only the slices of that part is normal.")
    } else {
        format!("{named} is not complete: the checkpoint holds only some of its slices.")
    };
    let diagnosis = Diagnosis::of_code(Code::SlicesIncomplete, headline);
    let diagnosis = if of_one_part {
        diagnosis
            .means("Savers write the slots of a part with the full shape of the variable and that part's slice; only a restore by the same part can read it, and something asked for the whole.")
            .likely("A tool or a program reads every tensor of the checkpoint whole: leave the slots out.")
    } else {
        diagnosis.means("The variable was saved in pieces; the ones that were asked for are not all there.")
    };
    diagnosis
        .next("ckpt list PREFIX NAME --format json   the slices that are there")
        .with_page(Code::SlicesIncomplete)
        .code(Code::SliceMissing)
        .of_tensor(name)
}

fn overlapping() -> Diagnosis {
    Diagnosis::of_code(Code::SlicesOverlap, "Two stored pieces of a partitioned variable cover the same elements.")
        .next("ckpt validate PREFIX   names the variable and its slices")
        .with_page(Code::SlicesOverlap)
}

fn half(text: &str) -> Diagnosis {
    let dtype = between(text, "Dtype ", " not supported").filter(|dtype| !dtype.contains(' ')).unwrap_or("half");
    Diagnosis::new(
        "half-in-slices",
        format!("TensorFlow cannot put a partitioned {} variable together.", python(dtype)),
    )
    .means("The checkpoint is fine. It has the variable in slices, and TensorFlow joins slices of few types only.")
    .likely("The model has other partitions than the one that was saved, or none.")
    .next("restore with the partitions of the save")
    .next("ckpt print PREFIX NAME --format npy > w.npy   reads such variables whole")
    .certain("Certain: it is a limit of TensorFlow, also for uint16, uint32 and strings.")
}

/// The name in "Key NAME not found in checkpoint", in one of the wordings that say so. It may have blanks and quotes.
fn key(text: &str) -> Option<&str> {
    if let Some(name) = between(text, "Tensor name \"", "\" not found") {
        return Some(name);
    }
    if let Some(name) = rest_of_line(text, "File does not contain tensor ") {
        return Some(name);
    }
    if let Some(name) = between(text, "There is no item named '", "' in the archive") {
        return Some(name.trim_end_matches(".npy"));
    }
    let ends = [" not found in checkpoint", " is not found in ", " is not a file in the archive"];
    let (at, _) = ends.iter().filter_map(|end| Some((text.find(end)?, end))).min()?;
    let front = text.get(..at)?;
    let begin = |word: &str| {
        let (before, name) = front.rsplit_once(word)?;
        // A line that a terminal broke within the name is put together elsewhere.
        let is_word = before.is_empty() || before.ends_with(|c: char| !c.is_alphanumeric());
        (is_word && !name.contains('\n') && !name.is_empty()).then_some(name)
    };
    // The first of the words on the line: the name itself may have them too.
    let line = front.rsplit('\n').next()?;
    let on_line = |word: &str| {
        let (before, name) = line.split_once(word)?;
        (before.is_empty() || before.ends_with(|c: char| !c.is_alphanumeric())).then_some(name)
    };
    let name = on_line("Key ").or_else(|| on_line("Tensor ")).or_else(|| begin("Key "));
    let name = name.unwrap_or_else(|| line.rsplit(char::is_whitespace).next().unwrap_or_default());
    // `bert/pooler/kernel (pooler/kernel in bert/)`: how it was asked for.
    let name = name.split_once(" (").filter(|(_, rest)| rest.ends_with(')')).map_or(name, |(name, _)| name);
    let name = name.strip_prefix(['\'', '"']).unwrap_or(name);
    (!name.is_empty() && name.len() <= 2048 && name != "Key").then_some(name)
}

fn missing_key(text: &str) -> Option<Diagnosis> {
    let names: Vec<&str> = text.lines().filter_map(key).collect();
    let mut all: Vec<String> = Vec::new();
    for name in key(text).into_iter().chain(names).filter(|name| *name != "_CHECKPOINTABLE_OBJECT_GRAPH") {
        if !all.iter().any(|known| known == name) && all.len() < 200 {
            all.push(name.to_owned());
        }
    }
    // That a checkpoint has no object graph has a row of its own.
    if all.is_empty() && text.contains("_CHECKPOINTABLE_OBJECT_GRAPH not found") {
        return None;
    }
    let name = all.first().map(String::as_str);
    // "not found in checkpoint files PATH": what was given in the place of a prefix explains every name.
    let path = rest_of_line(text, "not found in checkpoint files ")
        .or_else(|| between(text, " is not found in ", " checkpoint").filter(|path| !path.contains('\n')))
        .or_else(|| rest_of_line(text, "not found in checkpoint ").filter(|path| member(path).is_some()));
    if let Some(given) = path.and_then(misgiven) {
        let given = match name {
            Some(name) => given.means(format!("Whether the checkpoint has {}, the message cannot say.", quoted(name))),
            None => given,
        };
        return Some(given.of_tensor(name));
    }
    let is_file =
        ["File does not contain tensor", "is not a file in the archive"].iter().any(|mark| text.contains(mark));
    let place = if is_file { "the file" } else { "the checkpoint" };
    let named = name.map_or_else(|| "a tensor".to_owned(), quoted);
    let mut diagnosis = Diagnosis::of_code(
        Code::RestoreMissing,
        match all.len() {
            0 | 1 => format!("The model asks for {named}, and {place} has no tensor of that name."),
            n => format!("The model asks for {named} and {} others, and {place} has no tensors of these names.", n - 1),
        },
    );
    if let Some(line) = name.and_then(form::of_name) {
        diagnosis = diagnosis.likely(line);
    }
    diagnosis = diagnosis.with_page(Code::RestoreMissing);
    if all.len() < 2 {
        diagnosis = diagnosis.certain("Only the first missing tensor is named; there can be many.");
    }
    if !is_file {
        diagnosis = diagnosis
            .certain("It is also said of names in a damaged block of the index: ckpt validate PREFIX tells.")
            .code(Code::BlockChecksumMismatch)
            .code(Code::GraphKeyMissing);
    }
    let diagnosis = diagnosis.of_tensor(name).of_path(path);
    Some(Diagnosis { missing: all, ..diagnosis })
}

fn wrapper() -> Diagnosis {
    Diagnosis::new(
        "restore-failed",
        "A restore failed; the cause stands further on in the message, behind \"Original error:\".",
    )
    .means(
        "TensorFlow puts this sentence around many errors. It guesses at names and shapes even if a file is missing.",
    )
    .next("paste the whole message: ckpt explain - < error.txt")
    .next(COMPARE)
}
