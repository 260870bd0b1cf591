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
        "moving_mean" | "moving_variance" | "mean" | "variance" | "count" => Purpose::Untrained,
        _ if trained => Purpose::Weight,
        _ => Purpose::Untrained,
    }
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
        None => [unnumbered(&segment), segment.clone(), unnumbered(called)]
            .iter()
            .find_map(|class| of_class(facts, class, None, &segment, called, (n, count))),
    }
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
    let names: Vec<&str> = match class {
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
