//! What is measured, against which floor, and what is promised.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt_synth::dtype;

use crate::inputs::{Inputs, PAGE_STATES, shards, with};
use crate::measure::{Candidate, cat, size, text};
use crate::web_server::Server;

/// A table of the report: candidates that answer one question, the floor first.
#[derive(Debug, Default)]
pub struct Case {
    /// The question.
    pub title: String,
    /// The floor, and what is compared with it.
    pub candidates: Vec<Candidate>,
    /// Rounds compared with those of a long case: short processes need more.
    pub times: usize,
    /// Bytes of indexes that the commands read: memory is promised beyond them.
    pub index: u64,
    /// Files that the page cache is to forget before every run.
    pub cold: Vec<PathBuf>,
    /// What must be running meanwhile: it ends with the case.
    #[expect(dead_code, reason = "it is held, and ends when it goes")]
    pub server: Option<Server>,
}

/// Programs and numbers that all cases share.
#[derive(Debug)]
pub struct Programs {
    /// The `ckpt` that is measured.
    pub ckpt: PathBuf,
    /// The empty program.
    pub empty: PathBuf,
    /// This program, for its floors.
    pub own: PathBuf,
    /// Threads.
    pub threads: usize,
    /// A Python with what the group `installed` needs.
    pub python: Option<PathBuf>,
}

/// The groups of cases by name.
pub const GROUPS: [&str; 19] = [
    "startup",
    "list",
    "shapes",
    "validate",
    "pages",
    "cold",
    "diff",
    "stats",
    "bert",
    "strings",
    "directory",
    "formats",
    "convert",
    "report",
    "match",
    "remote",
    "parts",
    "installed",
    "memory",
];

impl Programs {
    pub(crate) fn of(&self, name: &str, command: &[&str], target: Option<f64>) -> Candidate {
        let mut words = vec![self.ckpt.display().to_string()];
        words.extend(command.iter().map(|word| (*word).to_owned()));
        Candidate { name: name.to_owned(), command: words, status: 0, target }
    }

    pub(crate) fn threads(&self, mut candidate: Candidate, threads: usize) -> Candidate {
        candidate.command.extend(["--threads".to_owned(), threads.to_string()]);
        candidate
    }

    pub(crate) fn floor(&self, what: &str, files: &[PathBuf]) -> Candidate {
        self.floor_of(what, files, self.threads)
    }

    pub(crate) fn floor_of(&self, what: &str, files: &[PathBuf], threads: usize) -> Candidate {
        let mut command = vec![self.own.display().to_string(), "floor".to_owned(), what.to_owned()];
        command.extend(["--threads".to_owned(), threads.to_string()]);
        command.extend(files.iter().map(|file| file.display().to_string()));
        Candidate { name: format!("{what}, {threads} threads"), command, status: 0, target: None }
    }

    /// The cases of a group.
    pub fn cases(&self, group: &str, inputs: &Inputs) -> Result<Vec<Case>> {
        match group {
            "startup" => self.startup(inputs),
            "list" => self.list(inputs),
            "shapes" => self.shapes(inputs),
            "validate" => self.validate(inputs),
            "pages" => self.pages(inputs),
            "cold" => self.cold(inputs),
            "diff" => self.diff(inputs),
            "stats" => self.stats(inputs),
            "bert" => self.bert(inputs),
            "strings" => self.strings(inputs),
            "directory" => self.directory(inputs),
            "formats" => self.formats(inputs),
            "convert" => self.convert(inputs),
            "report" => self.report(inputs),
            "match" => self.matching(inputs),
            "remote" => self.remote(inputs),
            "parts" => self.parts(inputs),
            "installed" => self.installed(inputs),
            _ => self.memory(inputs),
        }
    }

    fn startup(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let small = text(&inputs.small()?);
        let empty = Candidate {
            name: "an empty clap binary".to_owned(),
            command: vec![self.empty.display().to_string()],
            status: 0,
            target: None,
        };
        let candidates = vec![
            empty,
            self.of("ckpt --version", &["--version"], Some(1.5)),
            self.of("ckpt list, 2 tensors", &["list", &small], Some(1.5)),
            self.of("ckpt inspect, 2 tensors", &["inspect", &small], None),
            self.of("ckpt validate, 2 tensors", &["validate", &small], None),
        ];
        Ok(vec![Case { title: "start-up".to_owned(), candidates, times: 20, ..Case::default() }])
    }

    fn list(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let prefix = inputs.many(0)?;
        let (many, index) = (text(&prefix), with(&prefix, ".index"));
        let candidates = vec![
            cat("cat of the index", std::slice::from_ref(&index)),
            self.of("list, text", &["list", &many], Some(8.0)),
            self.of("list, json", &["list", &many, "--format", "json"], Some(15.0)),
            self.of("inspect", &["inspect", &many], None),
        ];
        let tiny =
            vec![self.of("list, text", &["list", &many], None), self.of("validate", &["validate", &many], Some(5.0))];
        let bytes = size(&[index])?;
        Ok(vec![
            Case {
                title: "a million tensors: listing".to_owned(),
                candidates,
                times: 3,
                index: bytes,
                ..Case::default()
            },
            Case {
                title: "a million tensors: validating".to_owned(),
                candidates: tiny,
                times: 3,
                index: bytes,
                ..Case::default()
            },
        ])
    }

    fn validate(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let all = [
            ("validate, 4 GiB in one shard", inputs.large(1, 0)?),
            ("validate, 4 GiB in eight shards", inputs.large(8, 0)?),
            ("validate, one tensor of 2 GiB", inputs.single()?),
        ];
        let mut cases = Vec::new();
        for (title, prefix) in all {
            cases.push(self.validate_case(title, &prefix)?);
            let of = |threads| self.threads(self.of("validate", &["validate", &text(&prefix)], None), threads);
            let (mut one, mut several) = (of(1), of(self.threads));
            one.name = "validate, 1 thread".to_owned();
            several.name = format!("validate, {} threads", self.threads);
            several.target = Some(0.65);
            let (title, candidates) = (format!("{title}: threads"), vec![one, several]);
            cases.push(Case { title, candidates, times: 1, ..Case::default() });
        }
        Ok(cases)
    }

    /// What lies on the disk and not in memory.
    fn cold(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let prefix = inputs.large(1, 0)?;
        let (path, files) = (text(&prefix), shards(&prefix)?);
        let candidates = vec![
            cat("cat of the shards", &files),
            self.threads(self.of("validate", &["validate", &path], Some(1.05)), self.threads),
            self.threads(self.of("stats", &["stats", &path], None), self.threads),
        ];
        let title = "validate, 4 GiB in one shard, not in memory".to_owned();
        Ok(vec![Case { title, candidates, times: 1, cold: files, ..Case::default() }])
    }

    fn validate_case(&self, title: &str, prefix: &Path) -> Result<Case> {
        let (path, files) = (text(prefix), shards(prefix)?);
        let validate = |threads: usize, target| {
            let name = format!("validate, {threads} thread{}", if threads == 1 { "" } else { "s" });
            self.threads(self.of(&name, &["validate", &path], target), threads)
        };
        let candidates = vec![
            cat("cat of the shards", &files),
            self.floor("sum-read", &files),
            self.floor("sum-mapped", &files),
            validate(self.threads, Some(1.0)),
            validate(1, Some(2.0)),
        ];
        Ok(Case {
            title: title.to_owned(),
            candidates,
            times: 1,
            index: size(&[with(prefix, ".index")])?,
            ..Case::default()
        })
    }

    fn pages(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let case = |(name, piece)| self.validate_case(&format!("validate, 1 GiB, {name}"), &inputs.written_in(piece)?);
        PAGE_STATES.into_iter().map(case).collect()
    }

    fn diff(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let (a, b) = (inputs.large(1, 0)?, inputs.large(1, 1)?);
        let (c, d) = (inputs.of_type(dtype::FLOAT, 0)?, inputs.of_type(dtype::FLOAT, 1)?);
        let (m, n, o) = (inputs.many(0)?, inputs.many(1)?, inputs.many(2)?);
        let both = |x: &Path, y: &Path| -> Result<Vec<PathBuf>> { Ok([shards(x)?, shards(y)?].concat()) };
        let diff = |name: &str, x: &Path, y: &Path, more: &[&str], status: i32, target| {
            let (x, y) = (text(x), text(y));
            let words: Vec<&str> = ["diff", &x, &y].into_iter().chain(more.iter().copied()).collect();
            Candidate { status, ..self.of(name, &words, target) }
        };
        let indexes = [with(&m, ".index"), with(&n, ".index")];
        Ok(vec![
            Case {
                title: "diff, 4 GiB, nothing changed, every byte compared".to_owned(),
                candidates: vec![
                    cat("cat of both", &both(&a, &a)?),
                    self.floor("compare", &both(&a, &a)?),
                    diff("diff --exact", &a, &a, &["--exact"], 0, Some(1.0)),
                ],
                times: 1,
                ..Case::default()
            },
            Case {
                title: "diff, 1 GiB, every float32 changed".to_owned(),
                candidates: vec![
                    cat("cat of both", &both(&c, &d)?),
                    self.floor("compare", &both(&c, &d)?),
                    diff("diff", &c, &d, &[], 1, Some(1.3)),
                ],
                times: 2,
                ..Case::default()
            },
            Case {
                title: "diff, 4 GiB, 1 % changed".to_owned(),
                candidates: vec![
                    self.of("validate of one side", &["validate", &text(&a)], None),
                    diff("diff", &a, &b, &[], 1, Some(0.1)),
                    diff("diff of a checkpoint with itself", &a, &a, &[], 0, None),
                ],
                times: 2,
                ..Case::default()
            },
            Case {
                title: "diff, two times a million tensors, a thousand changed".to_owned(),
                candidates: vec![
                    self.of("list, text", &["list", &text(&m)], None),
                    diff("diff", &m, &n, &[], 1, None),
                    diff("diff of a checkpoint with itself", &m, &m, &[], 0, Some(2.0)),
                ],
                times: 3,
                index: size(&indexes)?,
                ..Case::default()
            },
            Case {
                title: "diff, two times a million tensors, all changed".to_owned(),
                candidates: vec![
                    self.of("validate of one side", &["validate", &text(&m)], None),
                    diff("diff, text", &m, &o, &[], 1, None),
                    diff("diff, json", &m, &o, &["--format", "json"], 1, None),
                    diff("diff, the 5 largest changes", &m, &o, &["--sort", "change", "--top", "5"], 1, None),
                    diff("diff --exact of a checkpoint with itself", &m, &m, &["--exact"], 0, None),
                ],
                times: 2,
                index: size(&[with(&m, ".index"), with(&o, ".index")])?,
                ..Case::default()
            },
        ])
    }

    fn stats(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let types = [("float32", dtype::FLOAT, 1.5), ("bfloat16", dtype::BFLOAT16, 3.0), ("float16", dtype::HALF, 3.0)];
        let case = |(name, dtype, target): (&str, i32, f64)| -> Result<Case> {
            let prefix = inputs.of_type(dtype, 0)?;
            let files = shards(&prefix)?;
            let candidates = vec![
                cat("cat of the shards", &files),
                self.floor("sum-read", &files),
                self.threads(self.of("stats", &["stats", &text(&prefix)], Some(target)), self.threads),
                self.threads(self.of("stats, 1 thread", &["stats", &text(&prefix)], None), 1),
            ];
            Ok(Case { title: format!("stats, 1 GiB of {name}"), candidates, times: 2, ..Case::default() })
        };
        types.into_iter().map(case).chain([self.distributions(inputs), self.tiny(inputs)]).collect()
    }

    /// What more is asked of the same bytes.
    fn distributions(&self, inputs: &Inputs) -> Result<Case> {
        let path = text(&inputs.of_type(dtype::FLOAT, 0)?);
        let candidates = vec![
            self.threads(self.of("stats", &["stats", &path], None), self.threads),
            self.threads(self.of("stats --hist", &["stats", &path, "--hist"], Some(1.5)), self.threads),
            self.threads(self.of("stats --per-channel", &["stats", &path, "--per-channel"], Some(1.5)), self.threads),
        ];
        Ok(Case { title: "stats, 1 GiB of float32, more of it".to_owned(), candidates, times: 2, ..Case::default() })
    }

    /// Where opening, reading and telling a tensor costs more than its figures.
    fn tiny(&self, inputs: &Inputs) -> Result<Case> {
        let prefix = inputs.many(0)?;
        let many = text(&prefix);
        let stats = |name: &str, more: &[&str], target| {
            let words: Vec<&str> = ["stats", &many].into_iter().chain(more.iter().copied()).collect();
            self.of(name, &words, target)
        };
        let candidates = vec![
            self.of("validate", &["validate", &many], None),
            stats("stats, text", &[], Some(5.0)),
            stats("stats, json", &["--format", "json"], Some(5.0)),
            stats("stats, the 5 with the largest std", &["--sort", "std", "--top", "5"], None),
            stats("stats, all of them by std", &["--sort", "std"], None),
        ];
        let index = size(&[with(&prefix, ".index")])?;
        Ok(Case { title: "stats of a million tiny tensors".to_owned(), candidates, times: 3, index, ..Case::default() })
    }

    /// Every command on the inputs that could make it swell.
    fn memory(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let (single, many, strings) = (inputs.single()?, inputs.many(0)?, inputs.strings()?);
        let case = |title: &str, prefix: &Path, commands: &[&[&str]]| -> Result<Case> {
            let path = text(prefix);
            let of = |words: &&[&str]| {
                let all: Vec<&str> =
                    words.iter().map(|word| if *word == "PATH" { path.as_str() } else { *word }).collect();
                self.of(&words.join(" "), &all, None)
            };
            let candidates = commands.iter().map(of).collect();
            Ok(Case {
                title: title.to_owned(),
                candidates,
                times: 1,
                index: size(&[with(prefix, ".index")])?,
                ..Case::default()
            })
        };
        let all: &[&[&str]] = &[
            &["list", "PATH"],
            &["list", "PATH", "--format", "json"],
            &["inspect", "PATH"],
            &["validate", "PATH"],
            &["stats", "PATH"],
            &["diff", "PATH", "PATH", "--exact"],
        ];
        Ok(vec![
            case(
                "memory: one tensor of 2 GiB",
                &single,
                &[all, &[&["print", "PATH", "table", "--format", "raw"]]].concat(),
            )?,
            case("memory: a million tensors", &many, all)?,
            case(
                "memory: 5 million strings",
                &strings,
                &[all, &[&["print", "PATH", "vocabulary", "--format", "json"]]].concat(),
            )?,
        ])
    }
}
