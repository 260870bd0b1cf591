//! Cases of what people have: the shapes of real checkpoints, directories of them, other formats.

use anyhow::Result;

use crate::cases::{Case, Programs};
use crate::inputs::{Inputs, shards, with};
use crate::measure::{Candidate, cat, size, text};
use crate::shapes::{SHAPES, Shape};

/// Commands on a million tensors; `PATH` is the checkpoint. No shape may take more than this many times the plain one.
const COMMANDS: [&[&str]; 7] = [
    &["list", "PATH"],
    &["list", "PATH", "--format", "json"],
    &["inspect", "PATH"],
    &["validate", "PATH"],
    &["validate", "PATH", "--quick"],
    &["stats", "PATH"],
    &["diff", "PATH", "PATH"],
];
const SAME: f64 = 1.5;

impl Programs {
    /// A million tensors in every shape, each command beside itself on the plain one.
    pub(crate) fn shapes(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let mut paths = Vec::new();
        for (name, shape) in SHAPES {
            paths.push((name, inputs.shaped(shape)?));
        }
        paths.push(("partitioned, a million slices", inputs.partitioned()?));
        let index =
            paths.iter().map(|(_, path)| size(&[with(path, ".index")])).max_by_key(|len| *len.as_ref().unwrap_or(&0));
        let index = index.unwrap_or(Ok(0))?;
        let case = |words: &[&str]| {
            let of = |(n, (name, path)): (usize, &(&str, std::path::PathBuf))| {
                let path = text(path);
                let words: Vec<&str> =
                    words.iter().map(|word| if *word == "PATH" { path.as_str() } else { *word }).collect();
                self.of(name, &words, (n > 0).then_some(SAME))
            };
            let candidates = paths.iter().enumerate().map(of).collect();
            let title = format!("a million tensors, {}", words.join(" "));
            Case { title, candidates, times: 1, index, ..Case::default() }
        };
        let mut cases: Vec<Case> = COMMANDS.iter().map(|words| case(words)).collect();
        cases.push(self.ten_million(inputs)?);
        Ok(cases)
    }

    /// Ten times as many, which may take ten times as long.
    fn ten_million(&self, inputs: &Inputs) -> Result<Case> {
        let (one, ten) = (inputs.shaped(Shape::Plain)?, inputs.ten_million()?);
        let candidates = vec![
            self.of("list, a million", &["list", &text(&one)], None),
            self.of("list, ten million", &["list", &text(&ten)], Some(11.0)),
            self.of("validate --quick, ten million", &["validate", "--quick", &text(&ten)], None),
            self.of("inspect, ten million", &["inspect", &text(&ten)], None),
        ];
        let index = size(&[with(&ten, ".index")])?;
        Ok(Case { title: "ten million tensors".to_owned(), candidates, times: 1, index, ..Case::default() })
    }

    /// A model with its optimizer.
    pub(crate) fn bert(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let prefix = inputs.bert()?;
        let (path, files) = (text(&prefix), shards(&prefix)?);
        let candidates = vec![
            cat("cat of the shards", &files),
            self.of("validate", &["validate", &path], Some(1.0)),
            self.of("stats", &["stats", &path], Some(1.5)),
            self.of("inspect", &["inspect", &path], None),
            self.of("list", &["list", &path], None),
        ];
        Ok(vec![Case { title: "BERT-base with Adam, 591 tensors".to_owned(), candidates, times: 2, ..Case::default() }])
    }

    /// One tensor of five million strings.
    pub(crate) fn strings(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let prefix = inputs.strings()?;
        let candidates = vec![
            cat("cat of the shard", &shards(&prefix)?),
            self.of("validate", &["validate", &text(&prefix)], Some(12.0)),
        ];
        Ok(vec![Case { title: "5 million strings".to_owned(), candidates, times: 3, ..Case::default() }])
    }

    /// A model directory of 500 checkpoints.
    pub(crate) fn directory(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let dir = inputs.directory()?;
        let mut files = std::fs::read_dir(&dir)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        files.retain(|file| file.extension().is_some_and(|end| end == "index"));
        files.sort();
        let path = text(&dir);
        let candidates = vec![
            cat("cat of all indexes", &files),
            self.of("latest", &["latest", &path], None),
            self.of("inspect", &["inspect", &path], None),
            self.of("log", &["log", &path], None),
            self.of("validate of all of them", &["validate", &path], None),
        ];
        Ok(vec![Case { title: "a directory of 500 checkpoints".to_owned(), candidates, times: 3, ..Case::default() }])
    }

    /// The same 4 GiB in other formats.
    pub(crate) fn formats(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let bundle = inputs.large(1, 0)?;
        let mut cases = Vec::new();
        for format in ["safetensors", "npz"] {
            let file = inputs.converted(&self.ckpt, &bundle, format)?;
            let path = text(&file);
            let candidates = vec![
                cat("cat of the file", std::slice::from_ref(&file)),
                self.of("list", &["list", &path], None),
                self.threads(self.of("stats", &["stats", &path], Some(1.5)), self.threads),
                self.threads(self.of("diff with the bundle", &["diff", &text(&bundle), &path], None), self.threads),
            ];
            cases.push(Case { title: format!("4 GiB of {format}"), candidates, times: 1, ..Case::default() });
        }
        cases.extend(self.hdf5(inputs)?);
        Ok(cases)
    }

    /// Files as Keras writes them; a bundle of as many tensors beside the one with many.
    fn hdf5(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let (a, b) = (inputs.hdf5(0)?, inputs.hdf5(1)?);
        let (bundle, many) = inputs.a_thousand()?;
        let both = [a.clone(), b.clone()];
        let [a, b] = both.each_ref().map(|path| text(path));
        let candidates = vec![
            cat("cat of the file", &both[..1]),
            self.of("list", &["list", &a], None),
            self.threads(self.of("stats", &["stats", &a], Some(1.5)), self.threads),
        ];
        let large = Case { title: "4 GiB of HDF5".to_owned(), candidates, times: 1, ..Case::default() };
        let diff = Candidate { status: 1, ..self.of("diff", &["diff", &a, &b], Some(1.5)) };
        let candidates = vec![cat("cat of both", &both), self.threads(diff, self.threads)];
        let two = Case { title: "two HDF5 files of 4 GiB".to_owned(), candidates, times: 1, ..Case::default() };
        let candidates = vec![
            self.of("list of a bundle", &["list", &text(&bundle)], None),
            self.of("list of an HDF5 file", &["list", &text(&many)], Some(3.0)),
        ];
        let title = "a thousand tensors, as a bundle and as HDF5".to_owned();
        Ok(vec![large, two, Case { title, candidates, times: 10, ..Case::default() }])
    }
}
