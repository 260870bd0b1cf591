//! What the variables of a layer are called and what they are for, where a file has numbers: by the layer's class.

use super::config::{ConfigLayer, snake};
use super::facts::KerasFacts;
use crate::read::container::Purpose;

/// What a layer is called that is an attribute of `MultiHeadAttention` in `tf_keras`.
pub(super) fn attribute(last: &str) -> &str {
    match last {
        "_query_dense" => "query",
        "_key_dense" => "key",
        "_value_dense" => "value",
        "_output_dense" => "attention_output",
        last => last,
    }
}

/// What variables are for by their names.
pub(super) fn purpose(name: &str, trained: bool) -> Purpose {
    let last = name.rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(":0").unwrap_or(last);
    match last {
        "seed_generator_state" => Purpose::Seed,
        "moving_mean" | "moving_variance" | "mean" | "variance" | "count" | "vector_u" | "g_idx" => Purpose::Untrained,
        _ if trained => Purpose::Weight,
        _ => Purpose::Untrained,
    }
}

/// Whether what a layer wraps has its kernel in the file, and the layer has it too.
pub(super) fn is_twice(layer: &ConfigLayer) -> bool {
    layer.class == "SpectralNormalization"
}

/// Whether a layer keeps a variable as it is, by what was done to the layer: quantized kernels and their scales are not
/// trained, nor is a kernel beside which `LoRA` learns.
pub(super) fn is_kept(layer: &ConfigLayer, name: &str) -> bool {
    match layer.quantized.as_deref() {
        None | Some("float8") => layer.has_lora && matches!(name, "kernel" | "embeddings"),
        Some(_) => name != "bias",
    }
}

/// The same where names are listed: by the names around it, and by which of them are whole numbers.
pub(super) fn is_kept_beside(name: &str, is_beside: &dyn Fn(&str) -> bool, is_integer: &dyn Fn(&str) -> bool) -> bool {
    let name = name.strip_suffix(":0").unwrap_or(name);
    let (before, last) = name.rsplit_once('/').map_or(("", name), |(scope, last)| (scope, last));
    let with = |last: &str| if before.is_empty() { last.to_owned() } else { format!("{before}/{last}") };
    let has_lora = matches!(last, "kernel" | "embeddings") && is_beside(&with(&format!("lora_{last}_a")));
    let is_scale = last
        .strip_suffix("_scale")
        .is_some_and(|stem| is_integer(&with(stem)) || is_integer(&with(&format!("quantized_{stem}"))));
    has_lora || is_scale
}

/// The name of the n-th variable of a layer, by its class or, where that is not known, by what its group is called.
pub(super) fn variable(
    facts: &KerasFacts,
    owner: &[u8],
    layer: Option<&ConfigLayer>,
    key: &str,
    count: usize,
) -> Option<String> {
    let n: usize = key.parse().ok()?;
    let last = |path: &[u8]| {
        let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        String::from_utf8_lossy(last).into_owned()
    };
    let segment = last(owner);
    // A group of a list is called after a class, and so is a layer that the program gave no name.
    let called = facts.group_names.get(owner).map(String::as_str).unwrap_or_default();
    let unnumbered = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_').to_owned();
    match layer {
        Some(layer) => of_class(facts, &snake(&layer.class), Some(layer), &segment, called, (n, count)),
        // Quantized, and how is not known.
        None if is_quantized(facts, owner, count) && unnumbered(&segment) != "normalization" => None,
        None => [unnumbered(&segment), segment.clone(), unnumbered(called)]
            .iter()
            .find_map(|class| of_class(facts, class, None, &segment, called, (n, count))),
    }
}

/// Whether an object has an array of whole numbers among its variables.
fn is_quantized(facts: &KerasFacts, owner: &[u8], count: usize) -> bool {
    let path = |n: usize| {
        let slash: &[u8] = if owner.is_empty() { b"" } else { b"/" };
        [owner, slash, format!("vars/{n}").as_bytes()].concat()
    };
    let is_array = |path: &Vec<u8>| facts.dims.get(path).is_some_and(|dims| !dims.is_empty());
    (0..count).map(path).any(|path| facts.integers.contains(&path) && is_array(&path))
}

/// What a layer with a kernel stores that was quantized in this mode, in its order, whatever of it is there.
///
/// Keras: `variable_serialization_spec` of `Dense` and `EinsumDense`.
pub fn quantized_kernel(mode: &str) -> &'static [&'static str] {
    match mode {
        "int8" => &["kernel", "bias", "kernel_scale"],
        "int4" => &["kernel", "bias", "kernel_scale", "kernel_zero", "g_idx"],
        "float8" => &[
            "kernel",
            "bias",
            "inputs_scale",
            "inputs_amax_history",
            "kernel_scale",
            "kernel_amax_history",
            "outputs_grad_scale",
            "outputs_grad_amax_history",
        ],
        "gptq" => &["bias", "quantized_kernel", "kernel_scale", "kernel_zero", "g_idx"],
        "awq" => &["bias", "quantized_kernel", "kernel_scale", "kernel_zero", "awq_scales", "g_idx"],
        _ => &[],
    }
}

/// What a quantized layer stores, in its order: what is optional is there or not by the number of its variables.
///
/// Keras: `variable_serialization_spec` of `Embedding` and `ReversibleEmbedding`, too.
fn of_quantized(class: &str, layer: &ConfigLayer, mode: &str, count: usize) -> Option<Vec<&'static str>> {
    let embeddings: &[&str] = match mode {
        "int8" => &["embeddings", "embeddings_scale", "reverse_embeddings", "reverse_embeddings_scale"],
        "int4" => &[
            "embeddings",
            "embeddings_scale",
            "embeddings_zero",
            "g_idx",
            "reverse_embeddings",
            "reverse_embeddings_scale",
            "reverse_embeddings_zero",
        ],
        _ => &[],
    };
    let all = match class {
        "dense" | "einsum_dense" => quantized_kernel(mode),
        "embedding" | "reversible_embedding" => embeddings,
        _ => return None,
    };
    let is_there = |name: &str| match name {
        "bias" => layer.has_bias,
        name => !name.starts_with("reverse_") || (class == "reversible_embedding" && layer.has_reverse),
    };
    let whole: Vec<&str> = all.iter().copied().filter(|name| is_there(name)).collect();
    // Of int4, zero points are there where it was quantized in blocks.
    let in_blocks = |name: &&str| mode != "int4" || !(name.ends_with("_zero") || *name == "g_idx");
    let bare: Vec<&str> = whole.iter().copied().filter(in_blocks).collect();
    [whole, bare].into_iter().find(|names| names.len() == count)
}

/// The name of the n-th variable of `count` that an object of a class has.
fn of_class(
    facts: &KerasFacts,
    class: &str,
    layer: Option<&ConfigLayer>,
    segment: &str,
    called: &str,
    (n, count): (usize, usize),
) -> Option<String> {
    let is_cell = class.ends_with("_cell") || (segment == "cell" && (called.is_empty() || called.contains("_cell")));
    let is_old = facts.is_old();
    let (scale, center) =
        layer.map_or((count == 2 || count == 4, count == 2 || count == 4), |layer| layer.scale_center);
    if let Some((layer, mode)) = layer.and_then(|layer| Some((layer, layer.quantized.as_deref()?)))
        && let Some(names) = of_quantized(class, layer, mode, count)
    {
        return names.get(n).map(|name| (*name).to_owned());
    }
    let names: Vec<&str> = match class {
        // A policy may stand over layers that it does not change; others are not guessed at.
        "dense" | "einsum_dense" | "embedding" | "reversible_embedding"
            if layer.is_some_and(|layer| layer.quantized.is_some()) =>
        {
            return None;
        }
        "attention" => {
            let (scales, weighs) =
                layer.map_or((count == 2, count == 2), |layer| (layer.has_scale, layer.has_score_weight));
            let own = [(scales, "scale"), (weighs, "concat_score_weight")];
            own.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
        }
        "additive_attention" => vec!["scale"],
        // What is wrapped has the first of them itself.
        "spectral_normalization" if count == 2 && n == 1 => return Some("vector_u".to_owned()),
        "reversible_embedding" => {
            let is_apart = layer.map_or(count == 2, |layer| layer.has_reverse);
            if is_apart { vec!["embeddings", "reverse_embeddings"] } else { vec!["embeddings"] }
        }
        _ if is_cell => vec!["kernel", "recurrent_kernel", "bias"],
        "depthwise_conv1d" | "depthwise_conv2d" if is_old => vec!["depthwise_kernel", "bias"],
        "separable_conv1d" | "separable_conv2d" => vec!["depthwise_kernel", "pointwise_kernel", "bias"],
        "embedding" => vec!["embeddings"],
        "batch_normalization" | "layer_normalization" | "group_normalization" => {
            let own = [(scale, "gamma"), (center, "beta")].into_iter().filter(|(has, _)| *has).map(|(_, name)| name);
            let moving: &[&str] =
                if class == "batch_normalization" { &["moving_mean", "moving_variance"] } else { &[] };
            own.chain(moving.iter().copied()).collect()
        }
        "rms_normalization" => vec!["scale"],
        "normalization" => vec!["mean", "variance", "count"],
        "p_re_lu" => vec!["alpha"],
        "mean" | "mean_metric_wrapper" => vec!["total", "count"],
        class if class.ends_with("dense") || class.starts_with("conv") || class.starts_with("depthwise_conv") => {
            vec!["kernel", "bias"]
        }
        _ => return None,
    };
    // A layer with other variables than its class has by itself is not guessed at.
    (count <= names.len()).then(|| names.get(n).map(|name| (*name).to_owned())).flatten()
}
