//! What shape comes out of a layer, for configurations that do not say what went into the next: those of Keras 2.

use super::shapes::{Built, Dims};
use serde_json::Value;

/// Layers whose output has the shape of their input.
const SAME: &[&str] = &[
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dropout", "ELU", "GaussianDropout",
    "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "Masking", "Normalization",
    "PReLU", "ReLU", "Rescaling", "RMSNormalization", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "ThresholdedReLU", "UnitNormalization",
];

/// The shape of a layer's output; `None` if it is not known.
pub(super) fn output_of(class: &str, built: Built<'_>) -> Option<Dims> {
    let input = built.input?;
    let rest = || input.get(..input.len().saturating_sub(1)).map(<[Option<u64>]>::to_vec);
    let ended = |last: Option<u64>| rest().map(|dims| [dims, vec![last]].concat());
    Some(match class {
        class if SAME.contains(&class) => input.clone(),
        "Dense" => ended(built.number("units"))?,
        "Embedding" => [input.clone(), vec![built.number("output_dim")]].concat(),
        "Flatten" => {
            let size = input.iter().skip(1).try_fold(1u64, |all, dim| all.checked_mul((*dim)?));
            vec![input.first().copied().flatten(), size]
        }
        "GlobalAveragePooling1D" | "GlobalAveragePooling2D" | "GlobalAveragePooling3D" | "GlobalMaxPooling1D"
        | "GlobalMaxPooling2D" | "GlobalMaxPooling3D"
            if built.text("data_format") != Some("channels_first") && !built.flag("keepdims", false) =>
        {
            vec![input.first().copied().flatten(), input.last().copied().flatten()]
        }
        "LSTM" | "GRU" | "SimpleRNN" => {
            let units = built.number("units");
            let first = input.first().copied().flatten();
            if built.flag("return_sequences", false) {
                vec![first, input.get(1).copied().flatten(), units]
            } else {
                vec![first, units]
            }
        }
        "RepeatVector" => vec![input.first().copied().flatten(), built.number("n"), input.last().copied().flatten()],
        "Reshape" => {
            let target = built.config.get("target_shape").and_then(Value::as_array)?;
            let dims = target.iter().map(Value::as_u64);
            std::iter::once(input.first().copied().flatten()).chain(dims).collect()
        }
        // The sizes in between are not followed: what comes behind wants the channels alone.
        "Conv1D" | "Conv2D" | "Conv3D" | "SeparableConv1D" | "SeparableConv2D" | "Conv1DTranspose" | "Conv2DTranspose"
        | "Conv3DTranspose"
            if built.text("data_format") != Some("channels_first") =>
        {
            let within = vec![None; input.len().saturating_sub(2)];
            [vec![None], within, vec![built.number("filters")]].concat()
        }
        "MaxPooling1D" | "MaxPooling2D" | "MaxPooling3D" | "AveragePooling1D" | "AveragePooling2D" | "AveragePooling3D"
        | "UpSampling1D" | "UpSampling2D" | "UpSampling3D" | "ZeroPadding1D" | "ZeroPadding2D" | "ZeroPadding3D"
            if built.text("data_format") != Some("channels_first") =>
        {
            let within = vec![None; input.len().saturating_sub(2)];
            [vec![None], within, vec![input.last().copied().flatten()]].concat()
        }
        _ => return None,
    })
}
