//! What layers of Keras 3 store and take that were quantized, or adapted by `LoRA`: other variables than they have, in an
//! order of their own.
//!
//! Keras 3.15: `variable_serialization_spec`, `_int8_build`, `_int4_build`, `_float8_build` and `load_own_variables` of
//! `Dense`, `EinsumDense` and `Embedding`, and `load_own_variables` of `BaseConv`, in `keras/src/layers`.

use super::change::{Change, Mode};
use super::classes::is_quantizable;
use super::equation::Equation;
use super::shapes::{Built, Made, kept, made};

/// What a layer of this class stores and takes, which has these variables without it; `None` where that is not known.
pub(super) fn stored(change: Change, class: &str, built: Built<'_>, plain: Vec<Made>) -> Option<Vec<Made>> {
    let has_lora = is_quantizable(class) || class.starts_with("Conv");
    let Some(mode) = change.mode else { return has_lora.then_some(plain) };
    if !is_quantizable(class) {
        return None;
    }
    let mut all = plain.into_iter();
    let main = all.next()?;
    let bias = all.next();
    let quantized = |shape: Option<Vec<u64>>| kept(main.name, shape);
    let is_embedding = class == "Embedding";
    let [scale, zero] =
        if is_embedding { ["embeddings_scale", "embeddings_zero"] } else { ["kernel_scale", "kernel_zero"] };
    let table = || table(class, built, main.shape.as_deref()?);
    let more = match mode {
        Mode::Other => return None,
        Mode::Int8 => {
            let shape = match class {
                "EinsumDense" => channels(built, main.shape.as_deref()),
                _ => table().map(|table| vec![table.channels]),
            };
            return Some([Some(quantized(main.shape)), bias, Some(kept(scale, shape))].into_iter().flatten().collect());
        }
        Mode::Int4 { block } => {
            let table = table();
            let packed = table.map(|table| {
                let half = |n: u64| n.div_ceil(2);
                if is_embedding { [table.channels, half(table.reduced)] } else { [table.reduced, half(table.channels)] }
            });
            let groups = table.zip(block).map(|(table, block)| table.reduced.div_ceil(block));
            let scales = table.map(|table| match groups {
                None => vec![table.channels],
                Some(groups) if is_embedding => vec![table.channels, groups],
                Some(groups) => vec![groups, table.channels],
            });
            let in_blocks = || [kept(zero, scales.clone()), kept("g_idx", table.map(|table| vec![table.reduced]))];
            let in_blocks: Vec<Made> = block.iter().flat_map(|_| in_blocks()).collect();
            let first = [Some(quantized(packed.map(Vec::from))), bias, Some(kept(scale, scales.clone()))];
            return Some(first.into_iter().flatten().chain(in_blocks).collect());
        }
        Mode::Float8 { .. } if is_embedding => return None,
        Mode::Float8 { history } => {
            let both =
                |names: [&'static str; 2]| [made(names[0], Some(Vec::new())), made(names[1], Some(vec![history]))];
            [
                both(["inputs_scale", "inputs_amax_history"]),
                both(["kernel_scale", "kernel_amax_history"]),
                both(["outputs_grad_scale", "outputs_grad_amax_history"]),
            ]
        }
    };
    Some(std::iter::once(main).chain(bias).chain(more.into_iter().flatten()).collect())
}

/// A kernel as a table of what one output is the sum of, and of the outputs.
#[derive(Clone, Copy)]
struct Table {
    reduced: u64,
    channels: u64,
}

fn table(class: &str, built: Built<'_>, shape: &[u64]) -> Option<Table> {
    match (class, shape) {
        ("Dense", [input, units]) => Some(Table { reduced: *input, channels: *units }),
        ("Embedding", [rows, columns]) => Some(Table { reduced: *columns, channels: *rows }),
        ("EinsumDense", shape) => {
            let Equation { kernel, output, .. } = equation(built)?;
            let mut table = Table { reduced: 1, channels: 1 };
            for (label, size) in kernel.iter().zip(shape) {
                let side = if output.contains(label) { &mut table.channels } else { &mut table.reduced };
                *side = side.checked_mul(*size)?;
            }
            Some(table)
        }
        _ => None,
    }
}

/// The equation of an `EinsumDense` that Keras quantizes: it does none with dots.
fn equation(built: Built<'_>) -> Option<Equation> {
    built.text("equation").and_then(Equation::of).filter(|equation| !equation.has_dots)
}

/// The shape of the scales of a kernel of `EinsumDense`, one a channel: `_analyze_quantization_info` puts them in the order
/// of the output, and `_get_kernel_scale_shape` gives them the dimensions that it has and the kernel has not.
fn channels(built: Built<'_>, shape: Option<&[u64]>) -> Option<Vec<u64>> {
    let Equation { input, kernel, output, .. } = equation(built)?;
    let place = |labels: &[char], label: &char| labels.iter().position(|other| other == label);
    let sizes: Vec<u64> =
        kernel.iter().zip(shape?).map(|(label, size)| if output.contains(label) { *size } else { 1 }).collect();
    let mut order: Vec<usize> = output.iter().filter_map(|label| place(&kernel, label)).collect();
    let without = |labels: &[char]| -> Vec<usize> {
        (0..output.len()).filter(|at| output.get(*at).is_some_and(|label| !labels.contains(label))).collect()
    };
    // Where no dimension of the output is left, Keras goes on with the place that it had last: of the labels of the input,
    // or before these of the kernel's last label, which counts from the end where the output has it not.
    let reduced = input.iter().filter(|label| !output.contains(label)).count();
    let last = without(&input).into_iter().take(reduced).next_back();
    let mut at = last.or_else(|| place(&output, kernel.last()?));
    let (mut expanded, mut squeezed) = (without(&kernel).into_iter(), Vec::new());
    for (n, _) in kernel.iter().enumerate().filter(|(_, label)| !output.contains(label)) {
        match expanded.next() {
            Some(next) => at = Some(next),
            None => squeezed.push(n),
        }
        order.insert(at.unwrap_or_else(|| order.len().saturating_sub(1)).min(order.len()), n);
    }
    let mut scales: Vec<u64> = order.iter().filter_map(|at| sizes.get(*at).copied()).collect();
    for at in expanded {
        scales.insert(at.min(scales.len()), 1);
    }
    for at in squeezed.iter().rev() {
        if *at < scales.len() {
            scales.remove(*at);
        }
    }
    Some(scales)
}
