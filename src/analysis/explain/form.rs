//! What the form of a name says that a checkpoint lacks, where it says more than that it is a variable.
//!
//! What a tensor is for is judged as everywhere else (`roles`), with the variables that its name implies beside it.

use crate::analysis::naming::roles::{Role, Roles, short_name};
use crate::read::checkpoint::{OBJECT_GRAPH_KEY, Tensor, Tensors};
use crate::read::tensor::{DType, Shape};

/// What a name says, in a sentence and a next step; `None` for what looks like a weight.
pub(super) fn of_name(name: &str) -> Option<&'static str> {
    let short = short_name(name.as_bytes());
    let short = std::str::from_utf8(short).unwrap_or(name).trim_end_matches(":0");
    let parts: Vec<&str> = short.split('/').collect();
    let last = parts.last().copied().unwrap_or(short);
    let lower = short.to_ascii_lowercase();
    let quantized = lower.contains("quant")
        || matches!(
            last,
            "pre_activation_min"
                | "pre_activation_max"
                | "post_activation_min"
                | "post_activation_max"
                | "kernel_min"
                | "kernel_max"
        );
    let is_part = parts.iter().any(|part| is_part(part));
    Some(if name == "_CHECKPOINTABLE_OBJECT_GRAPH" {
        "It is no variable but the object graph: the checkpoint is name-based."
    } else if quantized
        && (last.contains("min") || last.contains("max") || matches!(last, "biased" | "local_step" | "optimizer_step"))
    {
        "It is a range for quantization: the graph was rewritten for quantized training, and the checkpoint was saved before. Restore the weights only, and let the ranges start anew."
    } else if matches!(last, "biased" | "local_step") {
        "It is the state of a moving average that corrects its beginning (zero_debias=True): it was switched on after the save. Leave it out of the restore; it starts anew."
    } else if name.starts_with("save_counter") {
        "It is the counter of tf.train.Checkpoint.save, no weight: the checkpoint was written by write() or by Keras. Harmless."
    } else if parts
        .iter()
        .any(|part| part.contains("hash_table") || part.contains("HashTable") || part.contains("lookup_table"))
        || short.ends_with("table-keys")
        || short.ends_with("table-values")
        || last.ends_with("-keys")
        || last.ends_with("-values")
    {
        "It is a lookup table, no weight: a table that is filled from a file is never saved, one that is mutable is. Initialize the table instead of restoring it."
    } else {
        match role(name.trim_end_matches(":0")) {
            Role::Average => {
                "It is a moving average: the program reads averages, and the checkpoint has the weights without them. Read it without the averages (no variables_to_restore()), or restore from a checkpoint that was saved with them."
            }
            Role::Slot if is_part => {
                "It belongs to an optimizer, and is the slot of one part of a partitioned variable: the checkpoint was saved without an optimizer, or with other partitions. Restore the weights only."
            }
            Role::Slot | Role::Optimizer => {
                "It belongs to an optimizer: the checkpoint was saved without one, or with another one. Restore the weights only."
            }
            Role::Counter => {
                "It is the step of the run or another counter, no weight: leave it out of the restore, or create it anew."
            }
            Role::Other if is_metric(&parts) => "It is the state of a metric, no weight: leave it out of the restore.",
            _ if is_part => {
                "It is a part of a partitioned variable: build the model with the partitions of the save, or read the whole by its name without the part."
            }
            _ if matches!(last, "moving_mean" | "moving_variance" | "moving_avg") => {
                "It is what a normalization layer gathers: part of the model, though nothing trains it. A Saver of the trainable variables alone leaves it out when it saves."
            }
            _ if is_of_optimizer(&parts) && name.len() > short.len() => {
                "It belongs to an optimizer: the checkpoint was saved without one, or with another one. Restore the weights only."
            }
            _ if name.len() > short.len() && name.contains("VARIABLE_VALUE") => {
                "The name is the path of an object: the program asks an object-based checkpoint for a place that it does not have, or the index is not whole."
            }
            _ if is_of_cell(&parts) => {
                "It is a variable of a recurrent cell: TensorFlow 1.0 and 1.2 gave these other names (Matrix, weights, kernel; Bias, biases, bias), and the checkpoint may be from the other side of such a change. validate --against finds the --map for it."
            }
            _ => return colon(name),
        }
    })
}

/// Whether a path of objects leads into an optimizer: by its name, or by the list that only optimizers of Keras have.
fn is_of_optimizer(parts: &[&str]) -> bool {
    let is_list =
        |pair: &[&str]| pair.first() == Some(&"_variables") && pair.get(1).is_some_and(|n| n.parse::<u32>().is_ok());
    parts.first() == Some(&"optimizer") || parts.windows(2).any(is_list)
}

/// Whether a name is one that the cells of TensorFlow 0.x to 1.2 have, or those since.
fn is_of_cell(parts: &[&str]) -> bool {
    let renamed = ["Matrix", "Bias", "weights", "biases", "kernel", "bias"];
    let is_cell = |part: &&str| {
        let lower = part.to_ascii_lowercase();
        lower.ends_with("cell") || lower.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with("cell_")
    };
    parts.last().is_some_and(|last| renamed.contains(last)) && parts.iter().any(is_cell)
}

fn colon(name: &str) -> Option<&'static str> {
    name.ends_with(":0").then_some(
        "The name ends in :0, which names the tensor of a variable; a Saver saves variables without it. Keys with :0 come from a dictionary of var.name.",
    )
}

fn is_part(component: &str) -> bool {
    component.strip_prefix("part_").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_metric(parts: &[&str]) -> bool {
    parts.iter().any(|part| matches!(*part, "keras_api" | "metrics" | "keras_metrics" | "confusion_matrix"))
}

/// The component by which tensors of a name are looked for: of a slot or an average that of its variable.
pub(super) fn own_part(name: &str) -> &str {
    let short = std::str::from_utf8(short_name(name.as_bytes())).unwrap_or(name).trim_end_matches(":0");
    let short = short.split("/.OPTIMIZER_SLOT/").next().unwrap_or(short);
    let (front, last) = short.rsplit_once('/').unwrap_or(("", short));
    let is_kept_beside = !front.is_empty()
        && (last == "biased" || last == "local_step" || matches!(role(short), Role::Slot | Role::Average));
    if is_kept_beside { front.rsplit('/').next().unwrap_or(front) } else { last }
}

/// The role of a tensor of this name: beside it lie the variables whose slot or average it may be.
fn role(name: &str) -> Role {
    let shape = || Shape::new(vec![2, 2]);
    // `SCOPE/Adam/V/m`, `V/Adam`: what may be the variable begins anywhere and ends before the last component.
    let mut names: Vec<&str> = vec![name];
    let ends: Vec<usize> = name.match_indices('/').map(|(at, _)| at).collect();
    for end in ends.iter().rev().take(2) {
        let begins = std::iter::once(0).chain(ends.iter().filter(|begin| *begin < end).map(|begin| begin + 1));
        names.extend(begins.filter_map(|begin| name.get(begin..*end)));
    }
    names.sort_unstable();
    names.dedup();
    let scalar = |name: &str| {
        let last = short_name(name.as_bytes()).rsplit(|b| *b == b'/').next().unwrap_or_default();
        let last = String::from_utf8_lossy(last).to_ascii_lowercase();
        let bare = last.trim_end_matches(|c: char| c.is_ascii_digit());
        let last = bare.strip_suffix("_power_").map_or(last.clone(), |front| format!("{front}_power"));
        let counts = ["step", "iter", "epoch"].iter().any(|word| last.contains(word)) || last == "count";
        let is_setting = ["_power", "learning_rate", "decay", "beta_1", "beta_2", "rho", "epsilon", "loss_scale"]
            .iter()
            .any(|end| last.ends_with(end));
        if counts { Some(DType::Int64) } else { is_setting.then_some(DType::Float32) }
    };
    let tensors = names.iter().map(|name| match scalar(name) {
        Some(dtype) => Tensor::without_values(name.as_bytes(), dtype, Shape::scalar()),
        None => Tensor::without_values(name.as_bytes(), DType::Float32, shape()),
    });
    let mut tensors: Vec<Tensor> = tensors.collect();
    if name.contains("/.ATTRIBUTES/") {
        // This key says that the others are paths of objects.
        tensors.push(Tensor::without_values(OBJECT_GRAPH_KEY, DType::String, Shape::scalar()));
    }
    let tensors: Tensors = tensors.into_iter().collect();
    tensors.find(name.as_bytes()).map_or(Role::Weight, |at| Roles::of_names(&tensors).role(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_their_form() {
        for (name, words) in [
            ("unit_2/conv/gamma/ExponentialMovingAverage", "average"),
            ("fc/w/Adam_1", "optimizer"),
            ("fc/w/Momentum", "optimizer"),
            ("fc/w/adam_v", "optimizer"),
            ("bert/embeddings/lamb_m", "optimizer"),
            ("training/Adam/fc/kernel/m", "optimizer"),
            ("train/beta2_power", "optimizer"),
            ("model/w/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE", "optimizer"),
            ("optimizer/learning_rate/.ATTRIBUTES/VARIABLE_VALUE", "optimizer"),
            ("conv1/act_quant/min", "quantization"),
            ("conv1/weights_quant/max/biased", "quantization"),
            ("quant_dense/pre_activation_max", "quantization"),
            ("bn/moving_mean/biased", "zero_debias"),
            ("bn/moving_variance/local_step", "zero_debias"),
            ("emb/part_11", "part of"),
            ("dnn/hidden/part_0/Adagrad", "slot of one part"),
            ("opt/beta2_power_3", "optimizer"),
            ("optimizer/_variables/12/.ATTRIBUTES/VARIABLE_VALUE", "optimizer"),
            ("trainer/_variables/3/.ATTRIBUTES/VARIABLE_VALUE", "optimizer"),
            ("rnn/BasicLSTMCell/Linear/Matrix", "recurrent cell"),
            ("rnn/multi_rnn_cell/cell_0/gru_cell/gates/weights", "recurrent cell"),
            ("global_step", "step"),
            ("save_counter/.ATTRIBUTES/VARIABLE_VALUE", "counter"),
            ("vocab/hash_table-keys", "table"),
            ("lookup/MutableHashTable_2-values", "table"),
            ("bn/moving_mean", "normalization"),
            ("fc/kernel:0", ":0"),
        ] {
            assert!(of_name(name).is_some_and(|says| says.contains(words)), "{name}: {:?}", of_name(name));
        }
        for (name, part) in [
            ("head/conv_1/beta/ExponentialMovingAverage", "beta"),
            ("fc/w/Adam_1", "w"),
            ("m/w/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE", "w"),
            ("dense/kernel", "kernel"),
            ("w", "w"),
        ] {
            assert_eq!(own_part(name), part, "{name}");
        }
        for plain in ["dense/kernel", "w", "encoder/layer_3/attention/query/bias", "part", "apart_3/w", "quantity/w"] {
            assert_eq!(of_name(plain), None, "{plain}");
        }
    }
}
