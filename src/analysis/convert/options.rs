//! What a conversion shall do, and where its result shall lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::analysis::naming::rename::Renames;
use crate::analysis::naming::select::Selector;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::bundle::Prefix;
use crate::read::container::{Format, Sink};
use crate::read::formats::bundle::{BUNDLE, BundleSink};
use crate::read::formats::npz::{NPY_FORMAT, NPZ_FORMAT, NpySink, NpzSink};
use crate::read::formats::safetensors::{SAFETENSORS, SafetensorsSink};
use crate::read::storage::is_file;
use crate::read::tensor::DType;

/// What is done with several inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// There is one.
    #[default]
    One,
    /// The arithmetic mean of each float tensor.
    Mean,
    /// All their tensors.
    Merge,
}

/// What a conversion shall do.
#[derive(Clone, Debug, Default)]
pub struct ConvertOptions {
    /// The tensors that are taken, by their names in the inputs.
    pub only: Selector,
    /// Tensors that are left out.
    pub ignore: Selector,
    /// Leave out what a model does not need to answer: optimizer state, counters, averages.
    pub weights_only: bool,
    /// Call tensors as their variables are called in the program, before [`ConvertOptions::renames`].
    pub own_names: bool,
    /// New names.
    pub renames: Renames,
    /// New dtypes; the first whose selector takes a tensor decides.
    pub casts: Vec<(DType, Selector)>,
    /// What is done with several inputs.
    pub combine: Combine,
    /// How many shards a bundle shall have; as its input has if not said.
    pub shards: Option<i32>,
    /// Tensors that cannot be had, each with why: they are left out, and that is a loss.
    pub lost: BTreeMap<Vec<u8>, String>,
}

/// A format that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutFormat {
    /// A TensorFlow V2 checkpoint.
    Bundle,
    /// safetensors.
    Safetensors,
    /// An archive of NumPy arrays.
    Npz,
    /// One NumPy array.
    Npy,
}

impl OutFormat {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Safetensors => "safetensors",
            Self::Npz => "npz",
            Self::Npy => "npy",
        }
    }

    /// What it is called where it is read.
    pub(super) fn format(self) -> &'static Format {
        match self {
            Self::Bundle => &BUNDLE,
            Self::Safetensors => &SAFETENSORS,
            Self::Npz => &NPZ_FORMAT,
            Self::Npy => &NPY_FORMAT,
        }
    }
}

/// Where the result shall lie.
#[derive(Clone, Debug)]
pub struct Target {
    /// The path that was given, without the `.index` that a prefix does not have.
    pub path: PathBuf,
    /// Its format.
    pub format: OutFormat,
    /// Most bytes in one file, of formats that may have several.
    pub shard_size: Option<u64>,
    /// Whether what lies there may be replaced.
    pub force: bool,
    /// Whether a state file named `checkpoint` shall say that this is the latest one.
    pub state_file: bool,
}

impl Target {
    /// The format that the ending of a path calls for, unless it is said.
    ///
    /// # Errors
    /// If it is the ending of a format that is not written, or the path names no file.
    pub fn new(path: &Path, format: Option<OutFormat>) -> Result<Self> {
        let extension = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
        let by_ending = match extension.as_str() {
            "safetensors" => OutFormat::Safetensors,
            "npz" => OutFormat::Npz,
            "npy" => OutFormat::Npy,
            "h5" | "hdf5" | "keras" if format.is_none() => {
                let why = format!("files that end in .{extension} are read and not written");
                let help = "write a .safetensors, an .npz, or a prefix for a TensorFlow checkpoint";
                return Err(Error::new(ErrorKind::Request(why)).in_file(path).with_help(help));
            }
            _ => OutFormat::Bundle,
        };
        let format = format.unwrap_or(by_ending);
        let path = match (format, extension.as_str()) {
            (OutFormat::Bundle, "index") => path.with_extension(""),
            (OutFormat::Safetensors, other) if other != "safetensors" => with_ending(path, ".safetensors"),
            (OutFormat::Npz, other) if other != "npz" => with_ending(path, ".npz"),
            (OutFormat::Npy, other) if other != "npy" => with_ending(path, ".npy"),
            _ => path.to_path_buf(),
        };
        let is_named = path.file_name().and_then(|name| name.to_str()).is_some() && !is_folder(&path);
        if !is_named {
            let why = "the output needs a name: a file, or the prefix of a checkpoint".to_owned();
            return Err(Error::new(ErrorKind::Request(why)).in_file(&path));
        }
        Ok(Self { path, format, shard_size: None, force: false, state_file: false })
    }

    /// The directory.
    pub fn directory(&self) -> PathBuf {
        Prefix::new(self.path.as_os_str()).directory()
    }

    /// The last part of the path.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What is to be said of a graph that lies under the output's name: it is that of another checkpoint, and programs
    /// take it for this one's.
    pub(super) fn graph_beside(&self) -> Option<String> {
        let meta = Prefix::new(self.path.as_os_str()).meta();
        let shown = escaped(meta.as_os_str().as_encoded_bytes());
        let what = "is of what lay here before, and stays as it is: its graph may want other tensors";
        (self.format == OutFormat::Bundle && is_file(&meta)).then(|| format!("{shown} {what}"))
    }

    /// What writes it, into files in `dir`.
    pub(super) fn sink(&self, dir: &Path, num_shards: i32) -> Box<dyn Sink> {
        let name = self.name();
        match self.format {
            OutFormat::Bundle => Box::new(BundleSink::new(dir, &name, num_shards)),
            OutFormat::Safetensors => Box::new(SafetensorsSink::new(dir, &name, self.shard_size)),
            OutFormat::Npz => Box::new(NpzSink::new(dir, &name)),
            OutFormat::Npy => Box::new(NpySink::new(dir, &name)),
        }
    }
}

/// Whether a path ends as that of a directory does.
fn is_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|byte| *byte == b'/')
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
