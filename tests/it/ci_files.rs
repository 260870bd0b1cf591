//! The files that build servers read: `action.yml`, the hook of pre-commit, the examples for GitLab and Jenkins, and what
//! docs/ci.md shows. Their shell is run as it stands there, in an environment that is made up.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use regex::Regex;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::validating::{copy, data_of, edit};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap()
}

/// The steps of the action, each with its shell.
fn steps() -> Vec<Yaml> {
    yaml(&read("action.yml"))["runs"]["steps"].as_vec().unwrap().clone()
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_action_is_what_a_composite_action_must_be() {
    let action = yaml(&read("action.yml"));
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    assert!(action["name"].as_str().is_some() && action["description"].as_str().is_some());
    let inputs = action["inputs"].as_hash().unwrap();
    assert!(inputs.values().all(|input| input["description"].as_str().is_some()));
    let (mut used, text) = (0, read("action.yml"));
    let into_a_shell = Regex::new(r"\|\s*(ba|z)?sh\b").unwrap();
    for step in steps() {
        assert_eq!(step["shell"].as_str(), Some("bash"), "a step of a composite action names its shell");
        let run = step["run"].as_str().unwrap();
        // What a user writes must not become a part of the program.
        assert!(!run.contains("${{"), "{run}");
        assert!(!into_a_shell.is_match(run), "nothing is piped into a shell: {run}");
        for name in step["env"].as_hash().unwrap().keys() {
            assert!(
                run.contains(&format!("${}", name.as_str().unwrap()))
                    || run.contains(&format!("${{{}", name.as_str().unwrap()))
            );
        }
    }
    for name in inputs.keys() {
        used += usize::from(text.contains(&format!("${{{{ inputs.{} }}}}", name.as_str().unwrap())));
    }
    assert_eq!(used, inputs.len(), "an input that nothing uses");
}

/// A runner: a folder for it, a release in another one, and programs that stand before the real ones.
struct Runner {
    dir: TempDir,
    version: &'static str,
    sha256: String,
    machine: (&'static str, &'static str),
}

impl Runner {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["bin", "temp", "release", "pack/ckpt-x86_64-unknown-linux-musl"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        // The release has the command that was built; the server is a folder.
        let ckpt = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_ckpt"));
        script(&at("pack/ckpt-x86_64-unknown-linux-musl/ckpt"), &ckpt);
        let archive = at("release/ckpt-x86_64-unknown-linux-musl.tar.gz");
        let tar = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(at("pack")).arg(".").status();
        assert!(tar.unwrap().success());
        let sum = format!("{:x}", Sha256::digest(fs::read(&archive).unwrap()));
        let sums = format!("{}  other.tar.gz\n{sum}  ckpt-x86_64-unknown-linux-musl.tar.gz\n", "0".repeat(64));
        fs::write(at("release/SHA256SUMS"), sums).unwrap();
        script(
            &at("bin/curl"),
            "#!/bin/bash\necho \"$*\" >>\"$FAKE/asked\"\nwhile (($#)); do\n  case \"$1\" in --output) out=\"$2\"; shift ;; http*) url=\"$1\" ;; esac\n  shift\ndone\ncp \"$FAKE/release/${url##*/}\" \"$out\"\n",
        );
        script(&at("bin/cargo"), "#!/bin/bash\necho \"cargo $*\" >>\"$FAKE/asked\"\n");
        Self { dir, version: "", sha256: String::new(), machine: ("Linux", "X64") }
    }

    fn run(&self, step: usize, environment: &[(&str, &str)]) -> Output {
        let at = |name: &str| self.dir.path().join(name);
        let path = format!("{}:{}", at("bin").display(), std::env::var("PATH").unwrap());
        let added = fs::read_to_string(at("path")).unwrap_or_default();
        let path = added.lines().fold(path, |path, folder| format!("{folder}:{path}"));
        let mut command = Command::new("bash");
        // As the runner calls it.
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", steps()[step]["run"].as_str().unwrap()]);
        command.env("PATH", path).env("FAKE", self.dir.path()).env("RUNNER_TEMP", at("temp"));
        command.env("RUNNER_OS", self.machine.0).env("RUNNER_ARCH", self.machine.1);
        command.env("GITHUB_PATH", at("path")).env("GITHUB_OUTPUT", at("output"));
        command.env_remove("GITHUB_STEP_SUMMARY");
        command.envs(environment.iter().copied()).output().unwrap()
    }

    fn install(&self) -> Output {
        let environment = [
            ("CKPT_VERSION", self.version),
            ("CKPT_SHA256", self.sha256.as_str()),
            ("CKPT_RELEASES", "https://example.invalid/OWNER/ckpt/releases/download"),
            ("CKPT_ACTION", env!("CARGO_MANIFEST_DIR")),
        ];
        self.run(0, &environment)
    }

    fn check(&self, path: &str, command: &str, args: &str, format: &str, output: &str) -> (Option<i32>, String) {
        let environment = [
            ("CKPT_PATH", path),
            ("CKPT_COMMAND", command),
            ("CKPT_ARGS", args),
            ("CKPT_FORMAT", format),
            ("CKPT_OUTPUT", output),
        ];
        let output = self.run(1, &environment);
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn the_action_installs_what_has_the_right_checksum_and_nothing_else() {
    let mut runner = Runner::new();
    let output = runner.install();
    assert!(output.status.success(), "{output:?}");
    assert!(
        runner.text("asked").contains(&format!("/releases/download/v{VERSION}/SHA256SUMS")),
        "{}",
        runner.text("asked")
    );
    assert!(runner.text("path").trim_end().ends_with("ckpt-x86_64-unknown-linux-musl"));
    runner.sha256 = "ab".repeat(32);
    let output = runner.install();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("must have abab"), "{output:?}");
    runner.sha256 = String::new();
    // Another file than the one in the list; a list without it.
    let archive = runner.dir.path().join("release/ckpt-x86_64-unknown-linux-musl.tar.gz");
    edit(&archive, |bytes| bytes.push(0));
    assert_eq!(runner.install().status.code(), Some(2));
    runner.sha256 = format!("{:X}", Sha256::digest(fs::read(&archive).unwrap()));
    assert!(runner.install().status.success(), "a sum in capitals");
    runner.sha256 = String::new();
    fs::write(runner.dir.path().join("release/SHA256SUMS"), "").unwrap();
    assert!(String::from_utf8_lossy(&runner.install().stdout).contains("that SHA256SUMS does not name"));
    for wrong in ["latest", "1.2", "1.2.3;true", "$(true)", "../1.2.3"] {
        runner.version = wrong;
        assert_eq!(runner.install().status.code(), Some(2), "{wrong}");
    }
    // Where there is no release for the machine, the source of the action is built, and of no other version.
    (runner.version, runner.machine) = ("", ("Linux", "RISCV64"));
    assert!(runner.install().status.success());
    assert!(runner.text("asked").contains("cargo install --locked --path"), "{}", runner.text("asked"));
    runner.version = "v99.0.0";
    assert_eq!(runner.install().status.code(), Some(2));
}

#[test]
fn the_action_checks_each_path_and_ends_with_the_worst() {
    let runner = Runner::new();
    assert!(runner.install().status.success());
    let good = copy("saver_v2/plain");
    let bad = copy("saver_v2/plain");
    edit(&data_of(&bad.path().join("model.ckpt-7")), |bytes| bytes[0] ^= 1);
    // A name that a shell would take apart.
    let odd = good.path().join("a b;$(touch x)'\"*");
    fs::create_dir(&odd).unwrap();
    for suffix in ["index", "data-00000-of-00001"] {
        let name = format!("model.ckpt-7.{suffix}");
        fs::copy(good.path().join(&name), odd.join(&name)).unwrap();
    }
    let (good, bad, odd) = (good.path().to_str().unwrap(), bad.path().to_str().unwrap(), odd.to_str().unwrap());
    let validate = |path: &str, args: &str| runner.check(path, "validate", args, "github", "");
    assert_eq!(validate(&format!("{good}\r\n\n{odd}\n"), "").0, Some(0), "{:?}", validate(odd, ""));
    let (status, told) = validate(&format!("{bad}\n{good}"), "");
    assert!(
        status == Some(1)
            && told.contains("::error ")
            && told.lines().filter(|line| line.starts_with("ckpt: ")).count() == 2
    );
    assert_eq!(validate(&format!("{bad}\n{good}/no-such"), "").0, Some(2));
    assert_eq!(
        validate(bad, "--warn\nsingle-bit-flip\n").0,
        Some(0),
        "{:?}",
        validate(bad, "--warn\nsingle-bit-flip\n")
    );
    assert_eq!(runner.text("output").lines().last(), Some("status=0"));
    for (path, command) in [("", "validate"), (good, "diff"), (good, "list"), (good, "validate; true")] {
        let (status, told) = runner.check(path, command, "", "github", "");
        assert!(status == Some(2) && told.contains("::error title=ckpt::"), "{command}: {told}");
    }
    assert_eq!(runner.check(&format!("{good}\n{bad}"), "diff", "", "github", "").0, Some(0), "the index is the same");
    assert_eq!(runner.check(&format!("{good}\n{bad}"), "diff", "--exact", "github", "").0, Some(2), "one is damaged");
    let sides = "testdata/saver_v2/sharded_adam/model.ckpt-0\ntestdata/saver_v2/sharded_adam";
    assert_eq!(runner.check(sides, "diff", "", "github", "").0, Some(1));
    assert_eq!(runner.check("testdata/ops/tf2/at_load", "ops", "", "text", "").0, Some(1));
    let sarif = runner.dir.path().join("ckpt.sarif");
    assert_eq!(runner.check(bad, "validate", "", "sarif", sarif.to_str().unwrap()).0, Some(1));
    let document: serde_json::Value = serde_json::from_str(&runner.text("ckpt.sarif")).unwrap();
    assert_eq!(document["runs"][0]["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(runner.check(&format!("{good}\n{bad}"), "validate", "", "sarif", "x.sarif").0, Some(2));
}

#[test]
fn the_hook_takes_the_files_that_the_package_knows() {
    let hooks = yaml(&read(".pre-commit-hooks.yaml"));
    let [hook] = hooks.as_vec().unwrap().as_slice() else { panic!("one hook") };
    assert_eq!((hook["id"].as_str(), hook["language"].as_str()), (Some("ckpt-validate"), Some("python")));
    assert_eq!(
        (hook["entry"].as_str(), hook["require_serial"].as_bool()),
        (Some("python -m tfckpt.pre_commit"), Some(true))
    );
    let files = Regex::new(hook["files"].as_str().unwrap()).unwrap();
    for taken in [
        "m/model.ckpt-7.index",
        "m.data-00000-of-00002",
        "a.h5",
        "a.keras",
        "x/saved_model.pb",
        "saved_model.pb",
        "w.npz",
        "m.safetensors",
        "m.safetensors.index.json",
    ] {
        assert!(files.is_match(taken), "{taken}");
    }
    for left in
        ["model.ckpt-7.meta", "checkpoint", "not_saved_model.pb", "a.index.md", "data-00000-of-00001", "a.npy.txt"]
    {
        assert!(!files.is_match(left), "{left}");
    }
    assert!(read("python/tfckpt/pre_commit.py").contains("saved_model\\.pb"));
}

#[test]
fn versions_are_the_one_of_the_package() {
    let wanted = format!("tfckpt=={VERSION}");
    for file in ["docs/ci/gitlab-ci.yml", "docs/ci/Jenkinsfile", "docs/ci.md", "pyproject.toml"] {
        assert!(read(file).contains(&wanted), "{file} does not name {wanted}");
    }
    assert!(read("pyproject.toml").contains(&format!("\nversion = \"{VERSION}\"\n")));
    assert!(!read("docs/ci.md").replace(&format!("@v{VERSION}"), "").contains("ckpt@v"));
}

/// Runs shell where `pip`, `python3 -m venv` and `ckpt` are made up, in a folder with a checkpoint at `models/release`.
fn elsewhere(shell: &str, damaged: bool) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let fixture = copy("saver_v2/plain");
    let release = dir.path().join("models/release");
    for folder in ["bin", ".venv/bin", "models"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    fs::rename(fixture.path(), &release).unwrap();
    if damaged {
        edit(&data_of(&release.join("model.ckpt-7")), |bytes| bytes[0] ^= 1);
    }
    let ckpt = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_ckpt"));
    for bin in ["bin", ".venv/bin"] {
        script(&dir.path().join(bin).join("ckpt"), &ckpt);
        script(&dir.path().join(bin).join("pip"), "#!/bin/sh\n[ \"$1\" = install ]\n");
        script(&dir.path().join(bin).join("python3"), "#!/bin/sh\n[ \"$*\" = '-m venv .venv' ]\n");
    }
    let path = format!("{}:{}", dir.path().join("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    let output = command.args(["-ec", shell]).env("PATH", path).current_dir(dir.path()).output().unwrap();
    (output.status.code(), fs::read_to_string(dir.path().join("ckpt.xml")).unwrap_or_default())
}

#[test]
fn the_examples_for_other_servers_leave_test_results() {
    let gitlab = yaml(&read("docs/ci/gitlab-ci.yml"));
    let job = &gitlab["checkpoints"];
    assert_eq!(job["artifacts"]["reports"]["junit"].as_str(), Some("ckpt.xml"));
    assert_eq!(job["artifacts"]["when"].as_str(), Some("always"));
    let lines: Vec<&str> = job["script"].as_vec().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let jenkins = read("docs/ci/Jenkinsfile");
    let (_, shell) = jenkins.split_once("sh '''").unwrap();
    let shell = shell.split_once("'''").unwrap().0.to_owned();
    assert!(jenkins.contains("junit 'ckpt.xml'"));
    for opens in ["{}", "()"] {
        let count = |sign: char| jenkins.matches(sign).count();
        assert_eq!(count(opens.chars().next().unwrap()), count(opens.chars().last().unwrap()));
    }
    for (damaged, gitlab_ends, jenkins_ends, failures) in [(false, 0, 0, 0), (true, 1, 0, 1)] {
        for (shell, ends) in [(lines.join("\n"), gitlab_ends), (shell.clone(), jenkins_ends)] {
            let (status, xml) = elsewhere(&shell, damaged);
            assert_eq!(status, Some(ends), "{shell}");
            let document = roxmltree::Document::parse(&xml).unwrap();
            assert_eq!(document.descendants().filter(|node| node.has_tag_name("failure")).count(), failures);
        }
    }
    // A check that was not made is no result.
    let broken = shell.replace("models/release", "models/none");
    assert_ne!(elsewhere(&broken, false).0, Some(0));
}

#[test]
fn the_examples_of_the_page_are_whole() {
    let page = read("docs/ci.md");
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert_eq!(examples.len(), 3);
    let inputs = yaml(&read("action.yml"))["inputs"].as_hash().unwrap().clone();
    let mut given = 0;
    for example in &examples {
        let steps = &yaml(example)["jobs"]["checkpoints"]["steps"];
        for step in steps
            .as_vec()
            .into_iter()
            .flatten()
            .filter(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("/ckpt@")))
        {
            for name in step["with"].as_hash().unwrap().keys() {
                assert!(inputs.contains_key(name), "{name:?}");
                given += 1;
            }
        }
    }
    assert_eq!(given, 5);
    let hook = &yaml(examples[2])["repos"][0]["hooks"][0];
    assert_eq!(hook["id"].as_str(), Some("ckpt-validate"));
}
