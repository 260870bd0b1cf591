//! Classes of Keras by the names that it makes of them, where a file says no more.

use crate::read::formats::keras::{quantized_kernel, snake};

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
    let is_dense = matches!(class, "Dense" | "EinsumDense");
    let quantized = |mode: &str, has_bias: bool| {
        quantized_kernel(mode).iter().copied().filter(|name| has_bias || *name != "bias").take(count).collect()
    };
    let all: &[&str] = match (class, count) {
        // Of what was quantized to integers the scales are always there.
        (_, 2..=5) if is_dense && has_integers => return quantized("int4", !count.is_multiple_of(2)),
        (_, 7 | 8) if is_dense && !has_integers => return quantized("float8", count == 8),
        _ if is_dense && has_integers => &[],
        ("Embedding", _) if has_integers => &["embeddings", "embeddings_scale", "embeddings_zero", "g_idx"],
        ("Dense" | "EinsumDense", _) => &["kernel", "bias"],
        (class, _) if class.starts_with("Conv") && !class.contains("LSTM") => &["kernel", "bias"],
        ("Embedding", _) => &["embeddings"],
        ("BatchNormalization", 4) => &["gamma", "beta", "moving_mean", "moving_variance"],
        ("LayerNormalization" | "GroupNormalization", 2) => &["gamma", "beta"],
        ("LSTMCell" | "GRUCell" | "SimpleRNNCell" | "ConvLSTMCell", _) => &["kernel", "recurrent_kernel", "bias"],
        ("SeparableConv1D" | "SeparableConv2D", 3) => &["depthwise_kernel", "pointwise_kernel", "bias"],
        ("PReLU", _) => &["alpha"],
        ("RMSNormalization", _) => &["scale"],
        _ => &[],
    };
    all.iter().copied().take(count).collect()
}
