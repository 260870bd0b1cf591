//! Classes of Keras by the names that it makes of them, where a file says no more.

use crate::read::formats::keras::snake;

/// Classes that hold nothing but variables.
pub(super) const PLAIN: &[&str] = &[
    "BatchNormalization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "EinsumDense",
    "Embedding",
    "GroupNormalization",
    "LayerNormalization",
    "Normalization",
    "PReLU",
    "RMSNormalization",
    "SeparableConv1D",
    "SeparableConv2D",
];

/// Others that a group may be called after: they hold layers, or nothing.
const OTHERS: &[&str] = &[
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "ConvLSTMCell",
    "Dropout",
    "ELU",
    "Flatten",
    "Functional",
    "GRU",
    "GRUCell",
    "GlobalAveragePooling2D",
    "InputLayer",
    "LSTM",
    "LSTMCell",
    "LeakyReLU",
    "MaxPooling2D",
    "MultiHeadAttention",
    "RNN",
    "ReLU",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "StackedRNNCells",
    "TFOpLambda",
    "TimeDistributed",
];

/// The class that a name is made of: that of the n-th `dense_3`, or of a group that is called so.
pub(super) fn class_by_name(name: &str) -> Option<String> {
    let stem = unnumbered(name);
    [name, stem]
        .iter()
        .find_map(|name| PLAIN.iter().chain(OTHERS).find(|class| snake(class) == **name))
        .map(|class| (*class).to_owned())
}

/// A name without the number that Keras puts behind the second of a kind.
pub(super) fn unnumbered(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((stem, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    }
}

/// A class by the name of its group alone.
pub(super) fn class_of(segment: &str) -> String {
    class_by_name(segment).unwrap_or_else(|| {
        let word = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        };
        unnumbered(segment).split('_').map(word).collect()
    })
}

/// Whether layers of a class can be quantized.
pub(super) fn is_quantizable(class: &str) -> bool {
    matches!(class, "Dense" | "EinsumDense" | "Embedding")
}

/// The names of the variables of a class, where their number leaves no doubt, and whether the first are integers.
pub(super) fn names_of(class: &str, count: usize, has_integers: bool) -> Vec<&'static str> {
    const EIGHT: [&str; 8] = [
        "kernel",
        "bias",
        "inputs_scale",
        "inputs_amax_history",
        "kernel_scale",
        "kernel_amax_history",
        "outputs_grad_scale",
        "outputs_grad_amax_history",
    ];
    let is_dense = matches!(class, "Dense" | "EinsumDense");
    // Of what was quantized to integers the scales are always there.
    let all: &[&str] = match class {
        _ if is_dense && has_integers => match count {
            2 | 4 => &["kernel", "kernel_scale", "kernel_zero", "g_idx"],
            3 | 5 => &["kernel", "bias", "kernel_scale", "kernel_zero", "g_idx"],
            _ => &[],
        },
        "Embedding" if has_integers => &["embeddings", "embeddings_scale", "embeddings_zero", "g_idx"],
        _ if is_dense && count == 7 => return EIGHT.into_iter().filter(|name| *name != "bias").collect(),
        _ if is_dense && count == 8 => &EIGHT,
        "Dense" | "EinsumDense" => &["kernel", "bias"],
        class if class.starts_with("Conv") && !class.contains("LSTM") => &["kernel", "bias"],
        "Embedding" => &["embeddings"],
        "BatchNormalization" if count == 4 => &["gamma", "beta", "moving_mean", "moving_variance"],
        "LayerNormalization" | "GroupNormalization" if count == 2 => &["gamma", "beta"],
        "LSTMCell" | "GRUCell" | "SimpleRNNCell" | "ConvLSTMCell" => &["kernel", "recurrent_kernel", "bias"],
        "SeparableConv1D" | "SeparableConv2D" if count == 3 => &["depthwise_kernel", "pointwise_kernel", "bias"],
        "PReLU" => &["alpha"],
        "RMSNormalization" => &["scale"],
        _ => &[],
    };
    all.iter().copied().take(count).collect()
}
