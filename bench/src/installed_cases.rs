//! Cases beside what has to be installed: NumPy, h5py and TensorFlow in a Python, the tools of HDF5.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use ckpt_synth::dtype;

use crate::cases::{Case, Programs};
use crate::inputs::Inputs;
use crate::measure::{Candidate, shell, text};

/// Each reads the only tensor three times, so that the start of Python counts for little.
const FROM_FILE: &str = "import sys, numpy as np
for _ in range(3): np.fromfile(sys.argv[1] + '.data-00000-of-00001', np.float32)";
const TFCKPT: &str = "import sys, tfckpt
for _ in range(3): tfckpt.open(sys.argv[1])['table']";
const H5PY: &str = "import sys, h5py, numpy as np
with h5py.File(sys.argv[1]) as f:
    for n in f: f[n][...]";
const SAFETENSORS: &str = "import sys, tensorflow as tf, safetensors.numpy as s
r = tf.train.load_checkpoint(sys.argv[1])
s.save_file({n: r.get_tensor(n) for n in r.get_variable_to_shape_map()}, sys.argv[2])";

impl Programs {
    /// What of this the machine has; of the rest it is said that it was left out.
    pub(crate) fn installed(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        match &self.python {
            Some(python) => cases.extend(self.beside_python(python, inputs)?),
            None => eprintln!("without --python nothing is measured beside it"),
        }
        let is_there = |tool: &str| {
            let mut command = Command::new(tool);
            command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|end| end.success())
        };
        if is_there("h5ls") && is_there("h5diff") {
            cases.extend(self.beside_hdf5(inputs)?);
        } else {
            eprintln!("without h5ls and h5diff nothing is measured beside them");
        }
        Ok(cases)
    }

    fn beside_python(&self, python: &Path, inputs: &Inputs) -> Result<Vec<Case>> {
        let script = |name: &str, code: &str, arguments: &[&str], target| {
            let words = [&[python.to_str().unwrap_or_default(), "-c", code], arguments].concat();
            Candidate {
                name: name.to_owned(),
                command: words.iter().map(|&word| word.into()).collect(),
                status: 0,
                target,
            }
        };
        let single = text(&inputs.single()?);
        let arrays = vec![
            script("np.fromfile", FROM_FILE, &[&single], None),
            script("tfckpt, checked", TFCKPT, &[&single], Some(1.25)),
        ];
        let gzip = text(&inputs.gzip(python)?);
        let chunks = vec![
            script("h5py", H5PY, &[&gzip], None),
            self.threads(self.of("stats", &["stats", &gzip], Some(1.0)), self.threads),
        ];
        let bundle = inputs.of_type(dtype::FLOAT, 0)?;
        let (from, out) = (text(&bundle), text(&bundle.with_file_name("beside")));
        let (theirs, ours) = (format!("{out}-theirs.safetensors"), format!("{out}-ours.safetensors"));
        let ckpt = self.ckpt.display();
        let written = vec![
            script("TensorFlow and safetensors", SAFETENSORS, &[&from, &theirs], None),
            shell("convert", format!("{ckpt} convert {from} -o {ours} --force"), Some(0.2)),
        ];
        let case = |title: &str, candidates| Case { title: title.to_owned(), candidates, times: 1, ..Case::default() };
        Ok(vec![
            case("a tensor of 2 GiB as an array, three times", arrays),
            case("64 MiB of float32 in gzip chunks of HDF5", chunks),
            case("1 GiB as safetensors", written),
        ])
    }

    fn beside_hdf5(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let many = text(&inputs.a_thousand()?.1);
        let (a, b) = (text(&inputs.hdf5_quarter(0)?), text(&inputs.hdf5_quarter(1)?));
        let theirs = |name: &str, words: &[&str], status| {
            let command = words.iter().map(|&word| word.into()).collect();
            Candidate { name: name.to_owned(), command, status, target: None }
        };
        let listed = vec![theirs("h5ls -r", &["h5ls", "-r", &many], 0), self.of("list", &["list", &many], Some(0.2))];
        let diff = Candidate { status: 1, ..self.of("diff", &["diff", &a, &b], Some(0.25)) };
        let compared = vec![theirs("h5diff", &["h5diff", &a, &b], 1), self.threads(diff, self.threads)];
        let case =
            |title: &str, candidates, times| Case { title: title.to_owned(), candidates, times, ..Case::default() };
        Ok(vec![case("a thousand data sets of HDF5", listed, 10), case("two HDF5 files of 256 MiB", compared, 1)])
    }
}
