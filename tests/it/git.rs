//! Checkpoints in git: `docs/git.md` as real git runs it, and the text that it compares, which depends on bytes alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ckpt::analysis::{FileAlone, Selection};
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::write_alone;

use crate::support::testdata;

/// A repository in a directory of its own, with nothing of the settings of whoever runs the tests.
struct Repository {
    home: tempfile::TempDir,
}

impl Repository {
    /// `None` where there is no git, or no shell that its settings could name commands of.
    #[expect(clippy::print_stderr, reason = "what was not tested is said")]
    fn new() -> Option<Self> {
        if cfg!(windows) || Command::new("git").arg("--version").output().is_err() {
            eprintln!("skipped: there is no git here, or none with a shell");
            return None;
        }
        let made = Self { home: tempfile::tempdir().unwrap() };
        fs::create_dir_all(made.at("train")).unwrap();
        made.run("git init -q -b main && git config user.name somebody && git config user.email a@b.c");
        Some(made)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home.path().join("repository").join(path)
    }

    fn shell(&self, line: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_ckpt")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-c", line])
            .current_dir(self.at(""))
            .env("PATH", format!("{}:{path}", program.display()))
            .env("HOME", self.home.path())
            .env("GIT_CONFIG_GLOBAL", self.home.path().join("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_PAGER", "cat")
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap()
    }

    /// What a line prints, which must succeed.
    fn run(&self, line: &str) -> String {
        let done = self.shell(line);
        assert!(done.status.success(), "{line}\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        fs::write(self.at(path), bytes).unwrap();
    }

    fn commit(&self, what: &str) {
        self.run(&format!("git add -A && git commit -q -m '{what}'"));
    }

    /// An index of one of two saves of the same variables, with its data as Git LFS has it in a clone without it.
    fn save(&self, step: u64) {
        self.put("train/model.index", &index(step));
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{step:064}\nsize 240\n");
        for shard in 0..3 {
            self.put(&format!("train/model.data-0000{shard}-of-00003"), pointer.as_bytes());
        }
        let part = if step == 0 { "model-00001-of-00003" } else { "model-00002-of-00003" };
        let weights = fs::read(testdata().join(format!("safetensors/sharded/{part}.safetensors"))).unwrap();
        self.put("weights.safetensors", &weights);
    }
}

fn index(step: u64) -> Vec<u8> {
    fs::read(testdata().join(format!("saver_v2/sharded_adam/model.ckpt-{step}.index"))).unwrap()
}

/// The commands of a section of the page, one a line.
fn commands(page: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let sections = page.split("\n## ").filter(|section| wanted(section.lines().next().unwrap_or_default()));
    let blocks = sections.flat_map(|section| section.split("```sh\n").skip(1));
    blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines()).map(str::to_owned).collect()
}

#[test]
fn the_commands_of_the_page_work() {
    let Some(git) = Repository::new() else { return };
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/git.md")).unwrap();
    git.save(0);
    git.commit("first");
    git.save(200);
    git.commit("second");
    let has_lfs = git.shell("git lfs version").status.success();
    let (mut run, mut shown) = (0, String::new());
    let mut all = |lines: Vec<String>| {
        for line in lines.iter().filter(|line| has_lfs || !line.starts_with("git lfs ")) {
            let done = git.shell(line);
            let status = done.status.code().unwrap();
            // Two saves differ, and data that is in LFS is no data.
            assert!(status == 0 || status == 1 && line.starts_with("ckpt "), "{line}: {status}");
            let text = String::from_utf8_lossy(&done.stdout);
            assert!(!text.contains("git-blob") && !text.contains("Binary files"), "{line}\n{text}");
            shown.push_str(&text);
            run += 1;
        }
    };
    all(commands(&page, |title| title != "Merge conflicts"));
    // The two sides of a conflict.
    git.run("git checkout -q -- . && git checkout -q -b other HEAD~1 -f");
    git.put("train/model.index", &fs::read(testdata().join("saver_v2/plain/model.ckpt-7.index")).unwrap());
    git.commit("other");
    assert!(!git.shell("git merge main").status.success());
    all(commands(&page, |title| title == "Merge conflicts"));
    assert!(run >= 18, "{run}");
    for expected in [
        "-0x01719bbc  float32     ()            beta2_power  = 0.999\n",
        "+0xb16c90cc  float32     ()            beta2_power  = 0.9960061\n",
        "~ global_step                          ()     0 → 200 by the checksums",
        "A  a/train/model.index\nB  b/train/model.index",
        "# safetensors · 2 tensors · 15 parameters · 60 B · checksums made of the elements",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    assert!(!shown.contains("-0x578007ac"), "what did not change is no change");
    // What the page shows is what git shows.
    let picture = page.split("```diff\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(shown.contains(picture), "{picture}\n{shown}");
}

/// No file that an index ever was stops git from telling the history.
#[test]
fn a_history_of_odd_files_is_told_to_its_end() {
    let Some(git) = Repository::new() else { return };
    git.run("git config diff.ckpt.textconv 'ckpt list --index-only'");
    git.put(".gitattributes", b"*.index diff=ckpt\n*.h5 diff=ckpt\n");
    let whole = index(0);
    let mut flipped = whole.clone();
    flipped[300] ^= 4;
    flipped[301] ^= 4;
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00ff\nsize 1152\n";
    let states: [(&str, &[u8]); 8] = [
        ("a pointer", pointer),
        ("an index", &whole),
        ("a cut one", &whole[..whole.len() / 2]),
        ("a damaged one", &flipped),
        ("nothing", b""),
        ("text", b"an index\nof a book\n"),
        ("noise", b"\x00\x01\xfe\xff\x80noise"),
        ("an index again", &whole),
    ];
    for (what, bytes) in states {
        git.put("train/model.index", bytes);
        git.commit(what);
    }
    fs::copy(testdata().join("keras/keras3/model.weights.h5"), git.at("w.h5")).unwrap();
    git.commit("weights of Keras");
    fs::remove_file(git.at("train/model.index")).unwrap();
    git.commit("deleted");
    let text = git.run("git log -p --format='commit %s'");
    for expected in [
        "+oid sha256:00ff",
        "-oid sha256:00ff\n-size 1152",
        "+0x01719bbc  float32     ()            beta2_power  = 0.999",
        "+! no list of tensors: an empty file · 0 bytes",
        "+an index\n+of a book",
        "+! cannot be read · 10 bytes",
        "+# Keras HDF5",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    // Every state is another text than the one before it.
    assert_eq!(text.matches("\n@@").count(), states_and_more(&text), "{text}");
}

/// Commits whose patch must say something: all of them.
fn states_and_more(log: &str) -> usize {
    log.lines().filter(|line| line.starts_with("diff --git")).count()
}

/// The same bytes are the same text, whatever the file is called and whatever lies beside it.
#[test]
fn the_text_depends_on_the_bytes_alone() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for file in files_below(&testdata()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let ends = [".index", ".safetensors", ".npz", ".npy", ".h5", ".keras", ".meta", ".pb", ".hdf5"];
        if !ends.iter().any(|end| name.ends_with(end)) && !name.starts_with("model.ckpt") {
            continue;
        }
        let copy = elsewhere.path().join(format!("x8F2kQ_{name}"));
        fs::copy(&file, &copy).unwrap();
        let (here, there) = (text(&file), text(&copy));
        assert!(here == there, "{}\n{here}\n{there}", file.display());
        assert!(!here.contains("x8F2kQ") && !here.contains("alone-"), "{here}");
        fs::remove_file(copy).unwrap();
        seen += 1;
    }
    assert!(seen > 500, "{seen}");
}

fn text(file: &Path) -> String {
    let alone = FileAlone::open(file, &Limits::default()).unwrap();
    let mut out = Vec::new();
    let all = |checkpoint: &Checkpoint| Selection::first(checkpoint.tensors().len());
    write_alone(&alone, &all, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { found.push(entry) }
        }
    }
    found.sort();
    found
}

/// Every command of the topics runs, on checkpoints of these names.
#[test]
fn the_commands_of_the_topics_work() {
    let Some(git) = Repository::new() else { return };
    for name in ["train", "a", "b"] {
        fs::create_dir_all(git.at(name)).unwrap();
        for file in files_below(&testdata().join("saver_v2/sharded_adam")) {
            fs::copy(&file, git.at(name).join(file.file_name().unwrap())).unwrap();
        }
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2);
    let lines: Vec<&str> = blocks.flat_map(|block| block.lines().skip(1)).collect();
    assert!(lines.len() >= 8 && lines.iter().all(|line| line.starts_with("ckpt ")), "{lines:?}");
    for line in lines {
        let done = git.shell(line);
        assert_eq!(done.status.code(), Some(0), "{line}\n{}", String::from_utf8_lossy(&done.stderr));
    }
}
