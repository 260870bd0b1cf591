//! A small model in two layouts: as a checkpoint of TensorFlow, and as other frameworks store it.

use std::collections::BTreeMap;
use std::path::Path;

use ckpt_synth::BundleBuilder;
use half::f16;
use serde_json::{Map, json};

/// Pseudo-random numbers that are the same every time.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }

    #[expect(clippy::cast_precision_loss, reason = "24 bits")]
    fn float(&mut self) -> f32 {
        ((self.next() >> 40) as f32 / 16_777_216.0 - 0.5) * 4.0
    }

    pub(super) fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// A tensor of floats.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub(super) dims: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Array {
    pub(super) fn new(dims: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(dims.iter().product::<usize>(), values.len());
        Self { dims: dims.to_vec(), values }
    }

    /// As `numpy.transpose`.
    pub(super) fn transposed(&self, axes: &[usize]) -> Self {
        let dims: Vec<usize> = axes.iter().map(|axis| self.dims[*axis]).collect();
        let stride = |axis: usize| self.dims[axis + 1..].iter().product::<usize>();
        let values = (0..self.values.len()).map(|mut n| {
            let mut at = 0;
            for (dim, axis) in dims.iter().zip(axes).rev() {
                at += n % dim * stride(*axis);
                n /= dim;
            }
            self.values[at]
        });
        let values = values.collect();
        Self { dims, values }
    }

    /// These indexes of the first axis.
    pub(super) fn rows(&self, order: &[usize]) -> Self {
        let row = self.values.len() / self.dims[0];
        let values = order.iter().flat_map(|n| self.values[n * row..(n + 1) * row].to_vec()).collect();
        let mut dims = self.dims.clone();
        dims[0] = order.len();
        Self { dims, values }
    }

    /// Several behind one another along the first axis.
    pub(super) fn stacked(all: &[&Self]) -> Self {
        let mut dims = all[0].dims.clone();
        dims[0] = all.iter().map(|one| one.dims[0]).sum();
        Self { dims, values: all.iter().flat_map(|one| one.values.clone()).collect() }
    }
}

/// Tensors by name.
pub(super) type Tensors = BTreeMap<String, Array>;

/// A model in the layout of TensorFlow, with the name of every tensor in the other one.
pub(super) struct Model {
    pub(super) tensors: Tensors,
    pub(super) other_name: BTreeMap<String, String>,
    pub(super) layers: usize,
    pub(super) width: usize,
}

impl Model {
    /// A model of so many layers. Biases of normalizations are zeros, as they are before training.
    pub(super) fn new(layers: usize, width: usize, random: &mut Random) -> Self {
        let mut model = Self { tensors: Tensors::new(), other_name: BTreeMap::new(), layers, width };
        model.add("embed/word", "embed.tok.weight", &[3 * width + 1, width], random);
        for n in 0..layers {
            let (ours, theirs) = (format!("enc/layer_{n}"), format!("enc.layers.{n}"));
            for (x, y) in [("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj"), ("out", "o_proj")] {
                model.dense(&format!("{ours}/attention/{x}"), &format!("{theirs}.attn.{y}"), width, width, random);
            }
            model.dense(&format!("{ours}/up"), &format!("{theirs}.fc1"), width, 4 * width, random);
            model.dense(&format!("{ours}/down"), &format!("{theirs}.fc2"), 4 * width, width, random);
            model.add(&format!("{ours}/ln/gamma"), &format!("{theirs}.norm.weight"), &[width], random);
            let beta = format!("{ours}/ln/beta");
            model.tensors.insert(beta.clone(), Array::new(&[width], vec![0.0; width]));
            model.other_name.insert(beta, format!("{theirs}.norm.bias"));
        }
        model.add("conv/kernel", "conv.weight", &[3, 3, 5, 7], random);
        model.dense("head", "head", width, 11, random);
        model
    }

    fn add(&mut self, ours: &str, theirs: &str, dims: &[usize], random: &mut Random) {
        let values = random.floats(dims.iter().product());
        self.tensors.insert(ours.to_owned(), Array::new(dims, values));
        self.other_name.insert(ours.to_owned(), theirs.to_owned());
    }

    fn dense(&mut self, ours: &str, theirs: &str, rows: usize, columns: usize, random: &mut Random) {
        self.add(&format!("{ours}/kernel"), &format!("{theirs}.weight"), &[rows, columns], random);
        self.add(&format!("{ours}/bias"), &format!("{theirs}.bias"), &[columns], random);
    }

    /// The same model in the other layout: kernels transposed, other names.
    pub(super) fn converted(&self) -> Tensors {
        let convert = |(name, array): (&String, &Array)| {
            let array = match array.dims.len() {
                2 if name.ends_with("kernel") => array.transposed(&[1, 0]),
                4 => array.transposed(&[3, 2, 0, 1]),
                _ => array.clone(),
            };
            (self.other_name[name].clone(), array)
        };
        self.tensors.iter().map(convert).collect()
    }
}

/// Writes a checkpoint of TensorFlow.
pub(super) fn write_bundle(tensors: &Tensors, prefix: &Path) {
    let mut bundle = BundleBuilder::new();
    for (name, array) in tensors {
        let dims: Vec<i64> = array.dims.iter().map(|dim| i64::try_from(*dim).unwrap()).collect();
        bundle = bundle.floats(name, &dims, &array.values);
    }
    bundle.finish().write(prefix).unwrap();
}

/// Writes safetensors, as float32 or rounded.
pub(super) fn write_safetensors(tensors: &Tensors, is_half: bool, path: &Path) {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, array) in tensors {
        let start = data.len();
        for value in &array.values {
            if is_half {
                data.extend(f16::from_f32(*value).to_le_bytes());
            } else {
                data.extend(value.to_le_bytes());
            }
        }
        let dtype = if is_half { "F16" } else { "F32" };
        header.insert(name.clone(), json!({"dtype": dtype, "shape": array.dims, "data_offsets": [start, data.len()]}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    std::fs::write(path, bytes).unwrap();
}
