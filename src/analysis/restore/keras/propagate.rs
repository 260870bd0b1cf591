//! What shape comes out of a layer, for configurations that do not say what went into the next: those of Keras 2.

use serde_json::Value;

use super::shapes::{Built, Dims};

/// Layers whose output has the shape of their input.
const SAME: &[&str] = &[
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Owner",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "Normalization",
    "PReLU",
    "ReLU",
    "Rescaling",
    "RMSNormalization",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "ThresholdedReLU",
    "UnitNormalization",
];

/// The shape of a layer's output; `None` if it is not known.
pub(super) fn output_of(class: &str, built: Built<'_>) -> Option<Dims> {
    let input = built.input?;
    let batch = input.first().copied().flatten();
    let rest = || input.get(..input.len().saturating_sub(1)).map(<[Option<u64>]>::to_vec);
    let ended = |last: Option<u64>| rest().map(|dims| [dims, vec![last]].concat());
    let is_last = built.text("data_format") != Some("channels_first");
    Some(match class {
        class if SAME.contains(&class) => input.clone(),
        "Dense" => ended(built.number("units"))?,
        "Embedding" => [input.clone(), vec![built.number("output_dim")]].concat(),
        "Flatten" => {
            let size = input.iter().skip(1).try_fold(1u64, |all, dim| all.checked_mul((*dim)?));
            vec![batch, size]
        }
        class if class.starts_with("Global") && is_last && !built.flag("keepdims", false) => {
            vec![batch, input.last().copied().flatten()]
        }
        "LSTM" | "GRU" | "SimpleRNN" => recurrent(input, built, built.number("units")),
        "RNN" => {
            let cell = built.config.get("cell")?.get("config")?;
            let last = cell.get("cells").and_then(Value::as_array).and_then(|cells| cells.last()?.get("config"));
            recurrent(input, built, last.unwrap_or(cell).get("units").and_then(Value::as_u64))
        }
        "Bidirectional" => {
            let wrapped = built.config.get("layer")?.as_object()?;
            let one = output_of(wrapped.get("class_name")?.as_str()?, within(wrapped, input, built)?)?;
            let (last, rest) = one.split_last()?;
            match built.text("merge_mode") {
                Some("concat") => [rest, &[last.and_then(|n| n.checked_mul(2))]].concat(),
                Some(_) => one,
                None => return None,
            }
        }
        "TimeDistributed" => {
            let wrapped = built.config.get("layer")?.as_object()?;
            let step: Dims = input.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, dim)| *dim).collect();
            let one = output_of(wrapped.get("class_name")?.as_str()?, within(wrapped, &step, built)?)?;
            let (first, rest) = one.split_first()?;
            [&[*first, input.get(1).copied().flatten()], rest].concat()
        }
        "MultiHeadAttention" => match built.config.get("output_shape") {
            None | Some(Value::Null) => input.clone(),
            Some(Value::Number(n)) => ended(n.as_u64())?,
            Some(_) => return None,
        },
        "EinsumDense" => {
            let sizes = built.config.get("output_shape")?;
            let sizes: Dims = match sizes {
                Value::Array(all) => all.iter().map(Value::as_u64).collect(),
                value => vec![value.as_u64()],
            };
            [vec![batch], sizes].concat()
        }
        "RepeatVector" => vec![batch, built.number("n"), input.last().copied().flatten()],
        "Reshape" => {
            let target = built.config.get("target_shape").and_then(Value::as_array)?;
            std::iter::once(batch).chain(target.iter().map(Value::as_u64)).collect()
        }
        "Conv1D" | "Conv2D" | "Conv3D" | "SeparableConv1D" | "SeparableConv2D" if is_last => {
            [vec![batch], windows(input, built, "kernel_size", "strides"), vec![built.number("filters")]].concat()
        }
        "DepthwiseConv1D" | "DepthwiseConv2D" if is_last => {
            let channels = input.last().copied().flatten().zip(built.number("depth_multiplier"));
            let channels = channels.and_then(|(a, b)| a.checked_mul(b));
            [vec![batch], windows(input, built, "kernel_size", "strides"), vec![channels]].concat()
        }
        "Conv1DTranspose" | "Conv2DTranspose" | "Conv3DTranspose" if is_last => {
            let inside = vec![None; input.len().saturating_sub(2)];
            [vec![batch], inside, vec![built.number("filters")]].concat()
        }
        "MaxPooling1D" | "MaxPooling2D" | "MaxPooling3D" | "AveragePooling1D" | "AveragePooling2D"
        | "AveragePooling3D"
            if is_last =>
        {
            [vec![batch], windows(input, built, "pool_size", "strides"), vec![input.last().copied().flatten()]].concat()
        }
        class if is_last && (class.starts_with("UpSampling") || class.starts_with("ZeroPadding")) => {
            [vec![batch], vec![None; input.len().saturating_sub(2)], vec![input.last().copied().flatten()]].concat()
        }
        _ => return None,
    })
}

/// What comes out of a layer that puts several together.
pub(super) fn merged(class: &str, config: &serde_json::Map<String, Value>, inputs: &[Dims]) -> Option<Dims> {
    let (first, others) = inputs.split_first()?;
    match class {
        "Add" | "Multiply" | "Average" | "Maximum" | "Minimum" | "Subtract" => {
            others.iter().all(|other| other == first).then(|| first.clone())
        }
        "Concatenate" => {
            let axis = config.get("axis").and_then(Value::as_i64).unwrap_or(-1);
            let rank = i64::try_from(first.len()).ok()?;
            let at = usize::try_from(if axis < 0 { axis.checked_add(rank)? } else { axis }).ok()?;
            let mut along = inputs.iter().map(|dims| dims.get(at).copied().flatten());
            let sum = along.try_fold(0u64, |sum, dim| sum.checked_add(dim?));
            let mut dims = first.clone();
            *dims.get_mut(at)? = sum;
            Some(dims)
        }
        _ => None,
    }
}

/// What a wrapper wraps, with the input that it gets.
fn within<'c>(wrapped: &'c serde_json::Map<String, Value>, input: &'c Dims, built: Built<'c>) -> Option<Built<'c>> {
    Some(Built { config: wrapped.get("config")?.as_object()?, input: Some(input), program: built.program })
}

fn recurrent(input: &Dims, built: Built<'_>, units: Option<u64>) -> Dims {
    let first = input.first().copied().flatten();
    if built.flag("return_sequences", false) {
        vec![first, input.get(1).copied().flatten(), units]
    } else {
        vec![first, units]
    }
}

/// How often a window fits along each axis between batch and channels.
fn windows(input: &Dims, built: Built<'_>, size: &str, stride: &str) -> Dims {
    let of = |key: &str, at: usize| match built.config.get(key) {
        Some(Value::Array(all)) => all.get(at).and_then(Value::as_u64),
        Some(value) => value.as_u64(),
        None => None,
    };
    let inside = input.get(1..input.len().saturating_sub(1)).unwrap_or_default();
    let along = |(at, dim): (usize, &Option<u64>)| {
        let (dim, size) = ((*dim)?, of(size, at)?);
        // A pool without strides moves by its own size.
        let stride = of(stride, at).unwrap_or(size).max(1);
        let spread = of("dilation_rate", at).unwrap_or(1).max(1);
        if matches!(built.text("padding"), Some("same" | "causal")) {
            return Some(dim.div_ceil(stride));
        }
        let reach = size.checked_sub(1)?.checked_mul(spread)?;
        dim.checked_sub(reach)?.checked_sub(1)?.checked_div(stride)?.checked_add(1)
    };
    inside.iter().enumerate().map(along).collect()
}
