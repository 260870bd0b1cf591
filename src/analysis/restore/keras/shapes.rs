//! The variables that the layers of Keras make when they are built, told from their configurations and the shapes of
//! their inputs.
//!
//! Keras: `build` of each class in `keras/src/layers`; those of `tf_keras` differ in few names. What is not known (another
//! class, an input whose size nobody says) has no number here.

use serde_json::{Map, Value};

use super::equation::Equation;
use super::objects::KerasProgram;

/// A shape with dimensions that are not known.
pub(super) type Dims = Vec<Option<u64>>;

/// A shape; of several, as a list of inputs has, the first.
pub(super) fn dims(value: Option<&Value>) -> Option<Dims> {
    let all = value?.as_array()?;
    if all.first().is_some_and(Value::is_array) {
        return dims(all.first());
    }
    Some(all.iter().map(Value::as_u64).collect())
}

/// A variable of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) name: &'static str,
    pub(super) shape: Option<Vec<u64>>,
    pub(super) trainable: bool,
}

/// A configuration, with what it was built for.
#[derive(Clone, Copy)]
pub(super) struct Built<'c> {
    pub(super) config: &'c Map<String, Value>,
    pub(super) input: Option<&'c Dims>,
    pub(super) program: KerasProgram,
}

impl Built<'_> {
    pub(super) fn flag(&self, key: &str, unless: bool) -> bool {
        self.config.get(key).and_then(Value::as_bool).unwrap_or(unless)
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.config.get(key)?.as_u64()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.config.get(key).and_then(Value::as_str)
    }

    /// A number, or a list of as many as there are dimensions.
    fn numbers(&self, key: &str, rank: usize) -> Option<Vec<u64>> {
        match self.config.get(key)? {
            Value::Array(all) => all.iter().map(Value::as_u64).collect(),
            value => value.as_u64().map(|n| vec![n; rank]),
        }
    }

    /// The size of the input along an axis, counted from the end if it is negative.
    pub(super) fn dim(&self, axis: i64) -> Option<u64> {
        let dims = self.input?;
        let at = if axis < 0 { axis.checked_add(i64::try_from(dims.len()).ok()?)? } else { axis };
        dims.get(usize::try_from(at).ok()?).copied().flatten()
    }

    /// Along which axes a normalization goes.
    fn axes(&self) -> Vec<i64> {
        match self.config.get("axis") {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_i64).collect(),
            Some(Value::Number(n)) => n.as_i64().into_iter().collect(),
            Some(Value::Null) => Vec::new(),
            _ => vec![-1],
        }
    }

    fn channels(&self) -> Option<u64> {
        self.dim(if self.text("data_format") == Some("channels_first") { 1 } else { -1 })
    }
}

pub(super) fn made(name: &'static str, shape: Option<Vec<u64>>) -> Made {
    Made { name, shape, trainable: true }
}

pub(super) fn kept(name: &'static str, shape: Option<Vec<u64>>) -> Made {
    Made { name, shape, trainable: false }
}

/// Layers that have no variables, whatever they are told.
const NONE: &[&str] = &[
    "InputLayer",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dot",
    "Dropout",
    "ELU",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "HashedCrossing",
    "Hashing",
    "Owner",
    "Lambda",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
    "ThresholdedReLU",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "TFOpLambda",
    "SlicingOpLambda",
    "TensorFlowOpLayer",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomHeight",
    "RandomRotation",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "Solarization",
    "AutoContrast",
    "Equalization",
    "MelSpectrogram",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
];

/// Layers whose `load_own_variables` looks at no variables, or only at a table of its own.
pub(super) const SILENT: &[&str] = &["StringLookup", "IntegerLookup", "TextVectorization"];

/// The variables of a layer that holds no other; `None` of a class that is not known.
pub(super) fn of_class(class: &str, built: Built<'_>) -> Option<Vec<Made>> {
    let is_old = built.program == KerasProgram::Keras2;
    let bias = |size: Option<Vec<u64>>| built.flag("use_bias", true).then(|| made("bias", size));
    let rank: usize =
        class.chars().rev().find(char::is_ascii_digit).and_then(|c| c.to_digit(10)).map_or(1, |n| n as usize);
    let conv = |own: Vec<Option<u64>>| -> Option<Vec<u64>> {
        let mut dims = built.numbers("kernel_size", rank)?;
        dims.extend(own.into_iter().collect::<Option<Vec<u64>>>()?);
        Some(dims)
    };
    let filters = built.number("filters");
    let of = |n: Option<u64>| n.map(|n| vec![n]);
    Some(match class {
        class if NONE.contains(&class) || SILENT.contains(&class) => Vec::new(),
        "Dense" => {
            let units = built.number("units");
            let kernel = made("kernel", built.dim(-1).zip(units).map(|(a, b)| vec![a, b]));
            [Some(kernel), bias(of(units))].into_iter().flatten().collect()
        }
        // The projections of an attention, whose shapes are known from elsewhere.
        "EinsumDense" if !built.config.contains_key("equation") => {
            let given = |key: &str| built.config.get(key)?.as_array()?.iter().map(Value::as_u64).collect();
            [Some(made("kernel", given("kernel"))), bias(given("bias"))].into_iter().flatten().collect()
        }
        "EinsumDense" => {
            let (kernel, bias) = einsum(built);
            let has_bias = built.config.get("bias_axes").is_some_and(Value::is_string);
            [Some(made("kernel", kernel)), has_bias.then(|| made("bias", bias))].into_iter().flatten().collect()
        }
        "Embedding" | "ReversibleEmbedding" => {
            let (rows, columns) = (built.number("input_dim"), built.number("output_dim"));
            let apart = class == "ReversibleEmbedding" && !built.flag("tie_weights", true);
            let reverse = apart.then(|| made("reverse_embeddings", columns.zip(rows).map(|(a, b)| vec![a, b])));
            [Some(made("embeddings", rows.zip(columns).map(|(a, b)| vec![a, b]))), reverse]
                .into_iter()
                .flatten()
                .collect()
        }
        "Conv1D" | "Conv2D" | "Conv3D" => {
            let groups = built.number("groups").filter(|n| *n > 0).unwrap_or(1);
            let input = built.channels().and_then(|n| n.checked_div(groups));
            [Some(made("kernel", conv(vec![input, filters]))), bias(of(filters))].into_iter().flatten().collect()
        }
        "Conv1DTranspose" | "Conv2DTranspose" | "Conv3DTranspose" => {
            [Some(made("kernel", conv(vec![filters, built.channels()]))), bias(of(filters))]
                .into_iter()
                .flatten()
                .collect()
        }
        "SeparableConv1D" | "SeparableConv2D" => {
            let (channels, times) = (built.channels(), built.number("depth_multiplier"));
            let between = channels.zip(times).and_then(|(a, b)| a.checked_mul(b));
            let point = between.zip(filters).map(|(a, b)| [vec![1; rank], vec![a, b]].concat());
            let depth = made("depthwise_kernel", conv(vec![channels, times]));
            [Some(depth), Some(made("pointwise_kernel", point)), bias(of(filters))].into_iter().flatten().collect()
        }
        "DepthwiseConv1D" | "DepthwiseConv2D" => {
            let (channels, times) = (built.channels(), built.number("depth_multiplier"));
            let out = channels.zip(times).and_then(|(a, b)| a.checked_mul(b));
            let name = if is_old { "depthwise_kernel" } else { "kernel" };
            [Some(made(name, conv(vec![channels, times]))), bias(of(out))].into_iter().flatten().collect()
        }
        "BatchNormalization" | "SyncBatchNormalization" if built.flag("renorm", false) => return None,
        "BatchNormalization" | "SyncBatchNormalization" => {
            let axes = built.axes();
            let shape: Option<Vec<u64>> = axes.iter().map(|axis| built.dim(*axis)).collect();
            let gamma = built.flag("scale", true).then(|| made("gamma", shape.clone()));
            let beta = built.flag("center", true).then(|| made("beta", shape.clone()));
            let moving = [kept("moving_mean", shape.clone()), kept("moving_variance", shape)];
            gamma.into_iter().chain(beta).chain(moving).collect()
        }
        "LayerNormalization" | "GroupNormalization" => {
            let shape: Option<Vec<u64>> = built.axes().iter().map(|axis| built.dim(*axis)).collect();
            let rms = built.flag("rms_scaling", false);
            let gamma = (built.flag("scale", true) || rms).then(|| made("gamma", shape.clone()));
            let beta = (built.flag("center", true) && !rms).then(|| made("beta", shape));
            gamma.into_iter().chain(beta).collect()
        }
        "RMSNormalization" => vec![made("scale", built.axes().iter().map(|axis| built.dim(*axis)).collect())],
        "PReLU" => {
            let shared: Vec<u64> = built.numbers("shared_axes", 1).unwrap_or_default();
            let dims = built.input.map(|dims| dims.iter().enumerate().skip(1));
            let shape = dims.and_then(|dims| {
                dims.map(|(at, dim)| if shared.contains(&(at as u64)) { Some(1) } else { *dim }).collect()
            });
            vec![made("alpha", shape)]
        }
        "Attention" | "AdditiveAttention" => {
            let is_scalar = class == "Attention";
            let scale = built
                .flag("use_scale", !is_scalar)
                .then(|| made("scale", if is_scalar { Some(Vec::new()) } else { built.dim(-1).map(|n| vec![n]) }));
            let concat = (is_scalar && built.text("score_mode") == Some("concat"))
                .then(|| made("concat_score_weight", Some(Vec::new())));
            scale.into_iter().chain(concat).collect()
        }
        "Normalization" => {
            if built.config.get("mean").is_some_and(|mean| !mean.is_null()) {
                return Some(Vec::new());
            }
            let shape: Option<Vec<u64>> = built.axes().iter().map(|axis| built.dim(*axis)).collect();
            vec![kept("mean", shape.clone()), kept("variance", shape), kept("count", Some(Vec::new()))]
        }
        "LSTMCell" | "GRUCell" | "SimpleRNNCell" => {
            let gates = match class {
                "LSTMCell" => 4,
                "GRUCell" => 3,
                _ => 1,
            };
            let units = built.number("units");
            let all = units.and_then(|units| units.checked_mul(gates));
            let apart = class == "GRUCell" && built.flag("reset_after", true);
            let shape = all.map(|all| if apart { vec![2, all] } else { vec![all] });
            let kernel = made("kernel", built.dim(-1).zip(all).map(|(a, b)| vec![a, b]));
            let recurrent = made("recurrent_kernel", units.zip(all).map(|(a, b)| vec![a, b]));
            [Some(kernel), Some(recurrent), bias(shape)].into_iter().flatten().collect()
        }
        "ConvLSTMCell" => {
            let all = filters.and_then(|n| n.checked_mul(4));
            let rank = built.input.map_or(2, |dims| dims.len().saturating_sub(2));
            let kernel = |input: Option<u64>| {
                let mut dims = built.numbers("kernel_size", rank)?;
                dims.extend([input?, all?]);
                Some(dims)
            };
            let own = [made("kernel", kernel(built.channels())), made("recurrent_kernel", kernel(filters))];
            own.into_iter().chain(bias(of(all))).collect()
        }
        _ => return None,
    })
}

/// The shapes of kernel and bias of an `EinsumDense`: labels of the equation with the sizes that input and output give
/// (`_analyze_split_string`).
fn einsum(built: Built<'_>) -> (Option<Vec<u64>>, Option<Vec<u64>>) {
    let Some(equation) = built.text("equation").and_then(Equation::of) else { return (None, None) };
    let Equation { input, kernel, output, begins_with_dots: is_elided, .. } = equation;
    // Of an input that nobody knows the dots are the batch.
    let unknown = vec![None; input.len().saturating_add(usize::from(is_elided))];
    let dims = built.input.unwrap_or(&unknown);
    let Some(elided) = dims.len().checked_sub(input.len()) else { return (None, None) };
    // The output as a whole: the batch, what the dots stand for, and what the configuration says.
    let mut full: Dims = dims.first().copied().into_iter().collect();
    if is_elided {
        full.extend(dims.iter().take(elided).skip(1));
    }
    match built.config.get("output_shape") {
        Some(Value::Array(all)) => full.extend(all.iter().map(Value::as_u64)),
        Some(value) => full.push(value.as_u64()),
        None => {}
    }
    if !is_elided {
        full.extend(dims.iter().skip(input.len()));
    }
    let before = if is_elided { elided } else { 0 };
    let find = |labels: &[char], dims: &[Option<u64>], label: char| {
        let at = labels.iter().position(|other| *other == label)?;
        dims.get(at.checked_add(before)?).copied().flatten()
    };
    let of_output = |label: char| find(&output, &full, label);
    let size = |label: &char| of_output(*label).or_else(|| find(&input, dims, *label));
    let axes = built.text("bias_axes").unwrap_or_default();
    let first = output.iter().position(|label| axes.contains(*label));
    let bias = first.and_then(|first| {
        let labels = output.iter().skip(first).map(|label| if axes.contains(*label) { size(label) } else { Some(1) });
        let behind = if is_elided { 0 } else { elided };
        labels.chain(std::iter::repeat_n(Some(1), behind)).collect()
    });
    (kernel.iter().map(size).collect(), bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_and_biases_of_equations_are_those_of_keras() {
        // Made with Keras 3.15.
        type Case<'c> = ([&'c str; 3], &'c [u64], [&'c [u64]; 2]);
        let cases: &[Case<'_>] = &[
            (["abc,cd->abd", "[null,7]", "d"], &[4, 6], [&[6, 7], &[7]]),
            (["...x,xy->...y", "[4,7]", "y"], &[4, 6], [&[6, 4], &[4]]),
            (["...x,xyz->...yz", "[2,7]", "yz"], &[4, 6, 5], [&[5, 2, 7], &[2, 7]]),
            (["ab...,bc->ac...", "7", "c"], &[4, 6, 5], [&[4, 7], &[7, 1, 1]]),
            (["abc,dc->abd", "[4,7]", "bd"], &[4, 6], [&[7, 6], &[4, 7]]),
            (["...xy,xz->...zy", "[7,6]", "z"], &[4, 6], [&[4, 7], &[7, 1]]),
        ];
        for ([equation, output, axes], input, [kernel, bias]) in cases {
            let json = format!(r#"{{"equation":"{equation}","output_shape":{output},"bias_axes":"{axes}"}}"#);
            let config: Map<String, Value> = serde_json::from_str(&json).unwrap();
            let input: Dims = std::iter::once(None).chain(input.iter().copied().map(Some)).collect();
            let built = Built { config: &config, input: Some(&input), program: KerasProgram::Keras3 };
            assert_eq!(einsum(built), (Some(kernel.to_vec()), Some(bias.to_vec())), "{equation}");
        }
    }
}
