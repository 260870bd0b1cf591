//! What was done to a layer after it was made, as its configuration says it: quantized, adapted by `LoRA`.

use serde_json::{Map, Value};

use crate::read::formats::keras::{has_lora, quantization_mode};

/// What was done to a layer after it was made, as its configuration says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) mode: Option<Mode>,
    /// Whether `LoRA` was enabled, whose matrices are merged into the kernel where it is stored, and begin at zero where it
    /// is loaded.
    pub(super) has_lora: bool,
}

/// How it was quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Int8,
    /// Two numbers a byte; a scale for each channel, or for so many numbers of one.
    Int4 {
        block: Option<u64>,
    },
    Float8 {
        history: u64,
    },
    /// In a way that is not followed here: GPTQ, AWQ.
    Other,
}

impl Change {
    /// What integers in the place of weights tell.
    pub(super) const QUANTIZED: Self = Self { mode: Some(Mode::Other), has_lora: false };

    /// What a layer's configuration says.
    pub(super) fn of(config: &Map<String, Value>) -> Option<Self> {
        let (mode, has_lora) = (mode(config), has_lora(config));
        (has_lora || mode.is_some()).then_some(Self { mode, has_lora })
    }

    /// Words for it.
    pub(super) fn how(self) -> &'static str {
        if self.mode.is_some() { "quantized" } else { "adapted by LoRA" }
    }

    /// Whether what it takes are floats as they are.
    pub(super) fn takes_floats(self) -> bool {
        self.mode.is_none()
    }
}

/// How a layer was quantized, by its dtype policy and the configuration of its quantization.
fn mode(config: &Map<String, Value>) -> Option<Mode> {
    let own = config.get("quantization_config").filter(|own| !own.is_null());
    let of_policy = config.get("dtype").and_then(|policy| policy.get("config"));
    let Some(text) = quantization_mode(config) else { return own.map(|_| Mode::Other) };
    let (mode, rest) = text.split_once('/').unwrap_or((text, ""));
    Some(match mode {
        "int8" => Mode::Int8,
        "int4" => {
            let own = own.and_then(|own| own.get("config")).and_then(|own| own.get("block_size"));
            let block =
                own.map_or_else(|| rest.parse().ok(), Value::as_i64).and_then(|block: i64| u64::try_from(block).ok());
            Mode::Int4 { block: block.filter(|block| *block > 0) }
        }
        "float8" => {
            // `QuantizedFloat8DTypePolicy.default_amax_history_length`
            let history = of_policy.and_then(|policy| policy.get("amax_history_length")).and_then(Value::as_u64);
            Mode::Float8 { history: history.unwrap_or(1024) }
        }
        _ => Mode::Other,
    })
}
