//! The checkpoints that are measured, made here: nothing is downloaded and TensorFlow is not needed.
//!
//! Each is made when it is first needed, under a name that says its size, and kept for the next run.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use ckpt_synth::big::{BigTensor, write_bundle};
use ckpt_synth::ordered_code::Extent;
use ckpt_synth::{BundleBuilder, dtype};

use crate::shapes::Shape;
use crate::{hdf5, safetensors};

/// A place for inputs, and how large they are.
#[derive(Debug)]
pub struct Inputs {
    dir: PathBuf,
    scale: f64,
}

/// How the pages of a file lie in the page cache: in pieces as large as those in which it was written.
pub const PAGE_STATES: [(&str, usize); 3] =
    [("8 MiB writes", 8 << 20), ("128 KiB writes", 128 << 10), ("4 KiB writes", 4 << 10)];

const GIB: f64 = (1u64 << 30) as f64;
/// Bytes of one [1024, 4096] float32 tensor.
const BLOCK: f64 = (16u64 << 20) as f64;

impl Inputs {
    /// Inputs below `dir`; `scale` 1 is the full size.
    pub fn new(dir: PathBuf, scale: f64) -> Result<Self> {
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Self { dir, scale })
    }

    /// A checkpoint of two tensors.
    pub fn small(&self) -> Result<PathBuf> {
        self.made("small", |prefix| {
            let tensors = [BigTensor::new("dense/kernel", &[3, 4], 1), BigTensor::new("dense/bias", &[4], 2)];
            Ok(write_bundle(prefix, &tensors, 1).map(drop)?)
        })
    }

    /// 4 GiB of float32 in `shards` files. Version 1 has other values in one tensor of a hundred.
    pub fn large(&self, shards: usize, version: u64) -> Result<PathBuf> {
        let count = self.count(4.0 * GIB / BLOCK);
        self.made(&format!("large-{shards}-v{version}"), |prefix| {
            let seed = |n: u64| if version == 1 && n.is_multiple_of(100) { n + 1_000_000 } else { n };
            let tensor = |n: u64| BigTensor::new(format!("model/layer_{n:03}/kernel"), &[1024, 4096], seed(n));
            Ok(write_bundle(prefix, &(0..count).map(tensor).collect::<Vec<_>>(), shards).map(drop)?)
        })
    }

    /// 1 GiB of numbers of one type; every value differs between versions.
    pub fn of_type(&self, dtype: i32, version: u64) -> Result<PathBuf> {
        let narrow = dtype != dtype::FLOAT;
        let count = self.count(GIB / BLOCK) * if narrow { 2 } else { 1 };
        self.made(&format!("type-{dtype}-v{version}"), |prefix| {
            let seed = |n: u64| version * 1_000_000 + n;
            let tensor =
                |n: u64| BigTensor::new(format!("model/layer_{n:03}/kernel"), &[1024, 4096], seed(n)).of(dtype);
            Ok(write_bundle(prefix, &(0..count).map(tensor).collect::<Vec<_>>(), 1).map(drop)?)
        })
    }

    /// 256 MiB of float32; every value differs between versions.
    pub fn quarter(&self, version: u64) -> Result<PathBuf> {
        let count = self.count(GIB / BLOCK / 4.0);
        self.made(&format!("quarter-v{version}"), |prefix| {
            let tensor =
                |n: u64| BigTensor::new(format!("layer_{n:03}/kernel"), &[1024, 4096], version * 1_000_000 + n);
            Ok(write_bundle(prefix, &(0..count).map(tensor).collect::<Vec<_>>(), 1).map(drop)?)
        })
    }

    /// 1 GiB as 20,000 matrices.
    pub fn twenty_thousand(&self) -> Result<PathBuf> {
        let count = self.count(2e4);
        self.made("twenty-thousand", |prefix| {
            let tensor = |n: u64| BigTensor::new(format!("layer_{n:05}/kernel"), &[128, 104], n);
            Ok(write_bundle(prefix, &(0..count).map(tensor).collect::<Vec<_>>(), 1).map(drop)?)
        })
    }

    /// The same matrices of float32 as safetensors, under other names, every second one transposed; and the index
    /// alone of where they come from.
    pub fn rearranged(&self, from: &Path, (rows, columns): (usize, usize)) -> Result<(PathBuf, PathBuf)> {
        let name =
            from.parent().and_then(Path::file_name).context("an input has a name")?.to_string_lossy().into_owned();
        let prefix = self.made(&format!("{name}-rearranged"), |prefix| {
            fs::copy(with(from, ".index"), with(prefix, ".index"))?;
            let data = shards(from)?;
            safetensors::rearrange(&data[0], &prefix.with_extension("safetensors"), (rows, columns))
        })?;
        Ok((prefix.with_extension("safetensors"), prefix))
    }

    /// One tensor of 2 GiB.
    pub fn single(&self) -> Result<PathBuf> {
        let rows = self.count(2.0 * GIB / 4096.0).cast_signed();
        self.made("single", |prefix| {
            Ok(write_bundle(prefix, &[BigTensor::new("table", &[rows, 1024], 7)], 1).map(drop)?)
        })
    }

    /// A million tensors of four numbers, under keys of 77 bytes as `tf.train.Checkpoint` writes them: 69 MB of index at
    /// full size. Of version 1 a thousand differ, of version 2 all.
    pub fn many(&self, version: u64) -> Result<PathBuf> {
        let count = self.count(1e6);
        self.made(&format!("keys-v{version}"), |prefix| {
            let seed = |n: u64| match version {
                1 if n.is_multiple_of(1000) => n + 10_000_000,
                2 => n + 20_000_000,
                _ => n,
            };
            let name = |n: u64| {
                let (layer, head) = (n / 1000, n % 1000);
                format!("model/layer_{layer:04}/attention/head_{head:04}/query_kernel/.ATTRIBUTES/VARIABLE_VALUE")
            };
            let tensor = |n: u64| BigTensor::new(name(n), &[4], seed(n));
            Ok(write_bundle(prefix, &(0..count).map(tensor).collect::<Vec<_>>(), 1).map(drop)?)
        })
    }

    /// A million tensors as programs name them.
    pub fn shaped(&self, shape: Shape) -> Result<PathBuf> {
        let count = self.count(1e6);
        self.made(&format!("shape-{shape:?}"), |prefix| Ok(write_bundle(prefix, &shape.tensors(count), 1).map(drop)?))
    }

    /// A million slices of a thousand variables, as a parameter server stores them: rows dealt to a thousand parts.
    pub fn partitioned(&self) -> Result<PathBuf> {
        let variables = self.count(1e3);
        self.made("partitioned", |prefix| {
            let mut bundle = BundleBuilder::new();
            for variable in 0..variables {
                let part = |n: i64| {
                    let bytes: Vec<u8> = (0..4u8).flat_map(|k| (f32::from(k) + 0.5).to_le_bytes()).collect();
                    (vec![Extent::range(n, 1), Extent::range(0, 4)], 0, bytes)
                };
                let name = format!("embedding_{variable:04}/weights");
                bundle = bundle.partitioned(name, dtype::FLOAT, &[1000, 4], (0..1000).map(part).collect());
            }
            Ok(bundle.finish().write(prefix)?)
        })
    }

    /// Ten million tensors.
    pub fn ten_million(&self) -> Result<PathBuf> {
        let count = self.count(1e7);
        self.made("ten-million", |prefix| Ok(write_bundle(prefix, &Shape::Plain.tensors(count), 1).map(drop)?))
    }

    /// A model directory: 500 checkpoints of twenty tensors, with the state file that names them.
    pub fn directory(&self) -> Result<PathBuf> {
        let count = self.count(500.0);
        let one = self.made("directory", |prefix| {
            let dir = prefix.parent().context("a prefix has a directory")?;
            let mut state = format!("model_checkpoint_path: \"model.ckpt-{}\"\n", count * 100);
            for n in 1..=count {
                let step = n * 100;
                let tensor = |k: u64| BigTensor::new(format!("dense_{k:02}/kernel"), &[16, 16], n * 1000 + k);
                let mut tensors: Vec<BigTensor> = (0..20).map(tensor).collect();
                tensors.extend(
                    (0..20).map(|k| BigTensor::new(format!("dense_{k:02}/kernel/Momentum"), &[16, 16], n * 2000 + k)),
                );
                write_bundle(&dir.join(format!("model.ckpt-{step}")), &tensors, 1)?;
                state.push_str(&format!("all_model_checkpoint_paths: \"model.ckpt-{step}\"\n"));
            }
            Ok(fs::write(dir.join("checkpoint"), state)?)
        })?;
        Ok(one.parent().context("a prefix has a directory")?.to_owned())
    }

    /// A checkpoint in another format, as this `ckpt` writes it.
    pub fn converted(&self, ckpt: &Path, from: &Path, to: &str) -> Result<PathBuf> {
        let name =
            from.parent().and_then(Path::file_name).context("an input has a name")?.to_string_lossy().into_owned();
        let prefix = self.made(&format!("{name}-{to}"), |prefix| {
            let out = prefix.with_extension(to);
            let status =
                Command::new(ckpt).arg("convert").arg(from).arg("-o").arg(&out).stdout(Stdio::null()).status()?;
            anyhow::ensure!(status.success(), "ckpt convert ends with {status}");
            Ok(())
        })?;
        Ok(prefix.with_extension(to))
    }

    /// 4 GiB of float32 as an HDF5 file. Version 1 has other values in one tensor of a hundred.
    pub fn hdf5(&self, version: u64) -> Result<PathBuf> {
        let count = self.count(4.0 * GIB / BLOCK);
        let prefix = self.made(&format!("hdf5-v{version}"), |prefix| {
            let seed = |n: u64| if version == 1 && n.is_multiple_of(100) { n + 1_000_000 } else { n };
            hdf5::write(&prefix.with_extension("h5"), (1024, 4096), &(0..count).map(seed).collect::<Vec<_>>())
        })?;
        Ok(prefix.with_extension("h5"))
    }

    /// 256 MiB of float32 as an HDF5 file. Version 1 has other values in one tensor.
    pub fn hdf5_quarter(&self, version: u64) -> Result<PathBuf> {
        let count = self.count(GIB / BLOCK / 4.0);
        let prefix = self.made(&format!("hdf5-quarter-v{version}"), |prefix| {
            let seed = |n: u64| if n == 0 { n + version } else { n + 100 };
            hdf5::write(&prefix.with_extension("h5"), (1024, 4096), &(0..count).map(seed).collect::<Vec<_>>())
        })?;
        Ok(prefix.with_extension("h5"))
    }

    /// 64 MiB of float32 in compressed chunks, as h5py writes them.
    pub fn gzip(&self, python: &Path) -> Result<PathBuf> {
        const WRITE: &str = "import sys, h5py, numpy as np
random = np.random.default_rng(0)
with h5py.File(sys.argv[1], 'w') as f:
    for n in range(int(sys.argv[2])):
        values = random.standard_normal((1024, 1024), np.float32)
        f.create_dataset(f'kernel_{n}', data=values, chunks=(128, 1024), compression='gzip')";
        let count = self.count(16.0).to_string();
        let prefix = self.made("gzip", |prefix| {
            let file = prefix.with_extension("h5");
            let status = Command::new(python).args(["-c", WRITE]).arg(&file).arg(&count).status()?;
            anyhow::ensure!(status.success(), "h5py cannot write: {status}");
            Ok(())
        })?;
        Ok(prefix.with_extension("h5"))
    }

    /// A thousand small tensors, as a bundle and as an HDF5 file.
    pub fn a_thousand(&self) -> Result<(PathBuf, PathBuf)> {
        let prefix = self.made("thousand", |prefix| {
            hdf5::write(&prefix.with_extension("h5"), (4, 4), &(0..1000).collect::<Vec<_>>())?;
            let tensor = |n: u64| BigTensor::new(format!("kernel_{n:06}"), &[4, 4], n);
            Ok(write_bundle(prefix, &(0..1000).map(tensor).collect::<Vec<_>>(), 1).map(drop)?)
        })?;
        let file = prefix.with_extension("h5");
        Ok((prefix, file))
    }

    /// The directory that a prefix lies in, which a server serves, and how it is called from there.
    pub fn served(&self, prefix: &Path) -> Result<(&Path, String)> {
        Ok((&self.dir, prefix.strip_prefix(&self.dir)?.display().to_string()))
    }

    /// BERT-base with the slots of Adam.
    pub fn bert(&self) -> Result<PathBuf> {
        self.made("bert", |prefix| Ok(write_bundle(prefix, &bert(), 1).map(drop)?))
    }

    /// One tensor of five million strings.
    pub fn strings(&self) -> Result<PathBuf> {
        let count = self.count(5e6);
        self.made("strings", |prefix| {
            let words: Vec<String> = (0..count).map(|n| format!("word_{:x}", n.wrapping_mul(0x9e37_79b9))).collect();
            let shape = [i64::try_from(words.len())?];
            Ok(BundleBuilder::new().strings("vocabulary", &shape, &words).finish().write(prefix)?)
        })
    }

    /// A checkpoint whose shard was written in pieces of `piece` bytes, which decides how it lies in the page cache.
    pub fn written_in(&self, piece: usize) -> Result<PathBuf> {
        let from = self.of_type(dtype::FLOAT, 0)?;
        self.made(&format!("pages-{piece}"), |prefix| {
            fs::copy(with(&from, ".index"), with(prefix, ".index"))?;
            let bytes = File::open(with(&from, ".data-00000-of-00001"))?;
            let mut bytes = std::io::BufReader::with_capacity(piece, bytes);
            let mut out = File::create(with(prefix, ".data-00000-of-00001"))?;
            loop {
                let buffer = std::io::BufRead::fill_buf(&mut bytes)?;
                if buffer.is_empty() {
                    return Ok(());
                }
                let len = buffer.len();
                out.write_all(buffer)?;
                std::io::BufRead::consume(&mut bytes, len);
            }
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tensors or rows")]
    fn count(&self, full: f64) -> u64 {
        (full * self.scale).ceil().max(1.0) as u64
    }

    /// The prefix called `name`, made by `make` if it is not there. What was begun and not finished is made again.
    fn made(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let dir = self.dir.join(format!("{name}-x{}", self.scale));
        let prefix = dir.join("model");
        if !dir.join("made").exists() {
            eprintln!("making {}", dir.display());
            fs::create_dir_all(&dir)?;
            make(&prefix).with_context(|| format!("cannot make {}", prefix.display()))?;
            fs::write(dir.join("made"), "")?;
        }
        Ok(prefix)
    }
}

/// The prefix with a suffix.
pub fn with(prefix: &Path, suffix: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The data shards of a prefix, in order.
pub fn shards(prefix: &Path) -> Result<Vec<PathBuf>> {
    let dir = prefix.parent().context("a prefix has a directory")?;
    let paths: Result<Vec<PathBuf>, _> = fs::read_dir(dir)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut shards: Vec<PathBuf> =
        paths?.into_iter().filter(|path| path.to_string_lossy().contains(".data-")).collect();
    shards.sort();
    Ok(shards)
}

fn bert() -> Vec<BigTensor> {
    let mut shapes: Vec<(String, Vec<i64>)> = vec![
        ("bert/embeddings/word_embeddings".into(), vec![30522, 768]),
        ("bert/embeddings/position_embeddings".into(), vec![512, 768]),
        ("bert/embeddings/token_type_embeddings".into(), vec![2, 768]),
        ("bert/pooler/dense/kernel".into(), vec![768, 768]),
        ("bert/pooler/dense/bias".into(), vec![768]),
    ];
    for layer in 0..12 {
        let scope = format!("bert/encoder/layer_{layer}");
        for name in ["attention/self/query", "attention/self/key", "attention/self/value", "attention/output/dense"] {
            shapes.push((format!("{scope}/{name}/kernel"), vec![768, 768]));
            shapes.push((format!("{scope}/{name}/bias"), vec![768]));
        }
        shapes.push((format!("{scope}/intermediate/dense/kernel"), vec![768, 3072]));
        shapes.push((format!("{scope}/intermediate/dense/bias"), vec![3072]));
        shapes.push((format!("{scope}/output/dense/kernel"), vec![3072, 768]));
        shapes.push((format!("{scope}/output/dense/bias"), vec![768]));
        for norm in ["attention/output/LayerNorm", "output/LayerNorm"] {
            shapes.push((format!("{scope}/{norm}/gamma"), vec![768]));
            shapes.push((format!("{scope}/{norm}/beta"), vec![768]));
        }
    }
    let slots = ["", "/adam_m", "/adam_v"];
    let named = shapes.iter().flat_map(|(name, shape)| slots.map(|slot| (format!("{name}{slot}"), shape)));
    named.zip(1..).map(|((name, shape), seed)| BigTensor::new(name, shape, seed)).collect()
}
