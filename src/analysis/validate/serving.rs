//! The gate before a push: what TensorFlow Serving would do with a directory.
//!
//! Serving: `servables/tensorflow/saved_model_bundle_factory.cc` (tags), `classifier.cc`, `regressor.cc` (signatures);
//! which entries are versions is in `checkpoint::serving`. Nothing is completed before it is loaded there: a directory
//! with a number for a name is taken as it is at that moment.

use std::path::{Path, PathBuf};

use super::Validation;
use crate::analysis::finding::{Code, Finding, Severity};
use crate::analysis::ops::{Target, When, look_at_ops, targets as targets_of};
use crate::base::error::{Error, ErrorKind};
use crate::base::escape::{escaped, shell_word};
use crate::base::limits::Limits;
use crate::read::checkpoint::Origin;
use crate::read::finder::serving::{Version, VersionKind, number, versions};
use crate::read::graphs::meta_graph::{MetaGraph, Signature, TensorInfo};
use crate::read::graphs::saved_model::SavedModel;
use crate::read::storage;
use crate::read::tensor::DType;

/// Every version that can be read; findings for those that cannot.
pub(super) fn targets(base: &Path, versions: &[Version], gate: bool, result: &mut Validation) -> Vec<Origin> {
    let mut all = Vec::new();
    for version in versions {
        if version.shadowed {
            if gate {
                duplicate(version, versions, result);
            }
            continue;
        }
        if let Some((what, help)) = version.kind.why_not() {
            result.checked.files += 1;
            let message =
                format!("{} {what}, and TensorFlow Serving takes it for version {}", shown(version), version.number);
            let help = match version.kind {
                VersionKind::SessionBundle => help.to_owned(),
                VersionKind::Directory => in_directory(&version.path),
                _ => "move it away, or finish the copy under a name that is no number".to_owned(),
            };
            result.push(Finding::new(Code::StrayVersion, message).in_file(&version.path).with_help(help));
            continue;
        }
        match Origin::of_version(base, &version.path) {
            Ok(origin) => all.push(origin),
            Err(error) => {
                let mut finding = Finding::of(&error);
                finding.code = Code::BadSavedModel;
                finding.message = format!("version {}: {}", version.number, finding.message);
                result.push(finding);
            }
        }
    }
    all
}

/// What to do with a version that is no model: it lies deeper, or something else was put there.
fn in_directory(dir: &Path) -> String {
    let folder = storage::list(dir).unwrap_or_default();
    let inner = folder.named().filter(|(_, stat)| stat.is_folder()).map(|(name, _)| dir.join(name));
    let models: Vec<_> = inner.filter(|inner| SavedModel::file_in(inner).is_ok()).take(2).collect();
    if let [model] = models.as_slice() {
        let parts: Vec<String> = model_parts(model).collect();
        return format!("the model lies one level deeper; move it up: mv {} {}", parts.join(" "), shell_word(dir));
    }
    if folder.names().any(|name| name.strip_suffix(".index").is_some()) {
        return "checkpoints lie in it, which a server cannot load: export a SavedModel, and move these away"
            .to_owned();
    }
    "move it away, or finish the copy under a name that is no number".to_owned()
}

/// The files and directories that a SavedModel is made of, as words of a command.
fn model_parts(model: &Path) -> impl Iterator<Item = String> {
    let parts = [
        "saved_model.pb",
        "saved_model.pbtxt",
        "variables",
        "assets",
        "assets.extra",
        "fingerprint.pb",
        "keras_metadata.pb",
    ];
    parts.into_iter().map(|part| model.join(part)).filter(|part| storage::exists(part)).map(|part| shell_word(&part))
}

fn duplicate(version: &Version, versions: &[Version], result: &mut Validation) {
    let taken = versions.iter().find(|other| other.number == version.number && !other.shadowed);
    let taken = taken.map(shown).unwrap_or_default();
    let message = format!("{} is version {} too; TensorFlow Serving takes {taken}", shown(version), version.number);
    let finding = Finding::new(Code::DuplicateVersion, message).in_file(&version.path);
    result.push(finding.with_help("move one of them elsewhere"));
}

fn shown(version: &Version) -> String {
    escaped(version.name.as_bytes()).into_owned()
}

/// That a server finds no version in the path that it would be given, with what would make one. `origin` is what this
/// tool opens instead, which is not what a server does.
pub(super) fn no_version(path: &Path, origin: Option<&Origin>, result: &mut Validation) {
    let file = |message: &str| Finding::new(Code::NoVersion, message).in_file(path);
    let Some(model) = origin.and_then(|origin| origin.saved_model.as_deref()) else {
        result.push(if storage::is_folder(path) {
            near_versions(path)
        } else {
            file("TensorFlow Serving loads SavedModels, and this is a checkpoint without one")
                .with_help("export the model, into a directory named by its version: 1/saved_model.pb")
        });
        return;
    };
    // The name as the file system has it: the path may be written `.`.
    let whole = storage::canonical(model).unwrap_or_else(|| model.to_path_buf());
    let named = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    result.push(if number(named).is_some() {
        let written = model.parent().filter(|above| !above.as_os_str().is_empty() && model.file_name().is_some());
        let above = written.map_or_else(|| model.join(".."), Path::to_path_buf);
        let above = if model.components().count() == 1 && model.file_name().is_some() {
            Path::new(".").to_path_buf()
        } else {
            above
        };
        let message =
            format!("TensorFlow Serving finds no version here: this is version {} itself", escaped(named.as_bytes()));
        file(&message).with_help(format!("give the directory above it: {}", shell_word(&above)))
    } else {
        let version = model.join("1");
        let parts: Vec<String> = model_parts(model).collect();
        let version = shell_word(&version);
        file("TensorFlow Serving finds no version here: the model lies in the base path itself").with_help(format!(
            "move it into a directory named by its version: mkdir {version} && mv {} {version}",
            parts.join(" ")
        ))
    });
}

/// The error for a path at which there is nothing: what a server is given, unless something of a near name is there.
pub(super) fn no_such_base(path: &Path, found: Error) -> Error {
    if found.help().is_some_and(|help| help.starts_with("did you mean") || help.starts_with("there is no directory")) {
        return found;
    }
    let help = "give the directory that a server is given, which holds the versions of a model: 1, 2, …";
    Error::new(ErrorKind::NotACheckpoint("no such directory".to_owned())).in_file(path).with_help(help)
}

/// A directory without versions: whether its entries would be some under another name, or lie one level deeper.
fn near_versions(path: &Path) -> Finding {
    let mut misnamed = Vec::new();
    let mut bases = Vec::new();
    let folder = storage::list(path).unwrap_or_default();
    for (name, _) in folder.named().filter(|(_, stat)| stat.is_folder()) {
        let (dir, name) = (path.join(name), name.to_owned());
        if SavedModel::file_in(&dir).is_ok() {
            misnamed.push(name);
        } else if versions(&dir).is_ok_and(|all| all.iter().any(|version| version.kind.is_of_a_model())) {
            bases.push(name);
        }
    }
    bases.sort();
    let none =
        Finding::new(Code::NoVersion, "TensorFlow Serving finds no version here: no entry has a number for a name");
    let none = none.in_file(path);
    if !misnamed.is_empty() {
        let renamed = numbered(misnamed);
        let names: Vec<String> =
            renamed.iter().take(3).map(|(name, _)| escaped(name.as_bytes()).into_owned()).collect();
        let more = if renamed.len() > 3 { ", …" } else { "" };
        let message = format!(
            "TensorFlow Serving finds no version here: {}{more} would be, but for the name, which must be a whole number",
            names.join(", ")
        );
        let moves = renamed.iter().rev().take(3).rev();
        let moves = moves.map(|(name, number)| {
            format!("mv {} {}", shell_word(&path.join(name)), shell_word(&path.join(number.to_string())))
        });
        let moves: Vec<String> = moves.collect();
        return Finding { message, ..none }.with_help(format!("rename it: {}", moves.join(" && ")));
    }
    if !bases.is_empty() {
        let given: Vec<String> = bases.iter().take(3).map(|base| shell_word(&path.join(base))).collect();
        return none.with_help(format!("the versions lie one level deeper; give {}", given.join(" or ")));
    }
    if let Some((base, levels)) = deeper_base(path) {
        return none.with_help(format!("the versions lie {levels} levels deeper; give {}", shell_word(&base)));
    }
    none.with_help("put the model into a directory named by its version: 1/saved_model.pb")
}

/// The first directory with versions more than one level below, and how many levels: a repository of models, or a copy that
/// took its path along. Few directories are looked into.
fn deeper_base(path: &Path) -> Option<(PathBuf, usize)> {
    const LEVELS: usize = 4;
    const LOOKED_INTO: usize = 64;
    let mut level = vec![path.to_path_buf()];
    for depth in 1..=LEVELS {
        let mut below = Vec::new();
        for dir in level.iter().take(LOOKED_INTO) {
            let folder = storage::list(dir).unwrap_or_default();
            let mut names: Vec<&str> =
                folder.named().filter(|(_, stat)| stat.is_folder()).map(|(name, _)| name).collect();
            names.sort_unstable();
            below.extend(names.into_iter().take(LOOKED_INTO).map(|name| dir.join(name)));
        }
        let is_base =
            |dir: &&PathBuf| versions(dir).is_ok_and(|all| all.iter().any(|version| version.kind.is_of_a_model()));
        if let Some(base) = below.iter().take(LOOKED_INTO).find(is_base) {
            return Some((base.clone(), depth));
        }
        level = below;
    }
    None
}

/// Whole numbers for names that are none, in their order: the digits of each (`v2`, `2024-03-01`), and 1, 2, … where
/// those would say another order.
fn numbered(names: Vec<String>) -> Vec<(String, u64)> {
    let parts = |name: &str| -> Vec<u64> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
    };
    let digits = |name: &str| -> Option<u64> {
        let whole = name.trim_end_matches(".0");
        whole.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok().filter(|n| *n > 0)
    };
    let mut names = names;
    names.sort_by_key(|name| (parts(name), name.clone()));
    let own: Vec<Option<u64>> = names.iter().map(|name| digits(name)).collect();
    let rise = own.iter().all(Option::is_some) && own.is_sorted_by(|a, b| a < b);
    let numbers = own.into_iter().zip(1..).map(|(own, n)| own.filter(|_| rise).unwrap_or(n));
    let numbers: Vec<u64> = numbers.collect();
    names.into_iter().zip(numbers).collect()
}

/// Ops of a version that no stock server has: a custom op needs a library, Python's functions a Python.
pub(super) fn unknown_ops(dir: &Path, result: &mut Validation, limits: &Limits) {
    let Ok((targets, _)) = targets_of(dir, crate::read::checkpoint::Choice::default(), limits) else { return };
    let graphs: Vec<_> = targets.into_iter().filter(|target| matches!(target, Target::Graphs(..))).collect();
    for mut finding in look_at_ops(&graphs, limits).findings {
        let op = finding.op.as_deref().map(|op| escaped(op.op.as_bytes()).into_owned()).unwrap_or_default();
        match finding.code {
            Code::OpCustom => {
                finding.severity = Severity::Error;
                finding.message = format!("{}; a stock server does not have it, and loading fails", finding.message);
                finding.help = Some(format!(
                    "\"Op type not registered '{op}'\": export the model without it, or build the server with the library of the op"
                ));
            }
            Code::OpRunsHostCode => {
                // What no signature and no loader reaches, nobody asks a server for.
                let is_asked = finding.op.as_ref().is_none_or(|op| {
                    !op.reach_known
                        || op.when.contains(&When::Load)
                        || op.from.iter().any(|from| from.starts_with("signature "))
                });
                finding.severity = if is_asked { Severity::Error } else { Severity::Warning };
                let fails = if is_asked { "loading fails, or the first request" } else { "no signature reaches it" };
                finding.message = format!("{}; a server has no Python: {fails}", finding.message);
                finding.help = Some(format!(
                    "\"Op type not registered '{op}'\", or \"No OpKernel was registered to support Op '{op}'\": export the \
                     model with TensorFlow's own ops in place of the Python function"
                ));
            }
            _ => continue,
        }
        result.push(finding);
    }
}

/// What Serving needs of a SavedModel beyond its being whole.
pub(super) fn check(dir: &Path, model: &SavedModel, result: &mut Validation) {
    if storage::is_file(&dir.join("export.meta")) {
        let message =
            "export.meta lies beside the SavedModel: TensorFlow Serving takes it for a Session Bundle and refuses it";
        let finding = Finding::new(Code::StrayVersion, message).in_file(dir.join("export.meta"));
        result.push(finding.with_help("move export.meta elsewhere"));
    }
    let Some(graph) = model.meta_graph(&["serve"]) else {
        // A file without any graph has a finding of its own, which says why.
        if model.meta_graphs.is_empty() && result.findings.iter().any(|f| f.code == Code::BadSavedModel) {
            return;
        }
        let tags: Vec<String> = model.meta_graphs.iter().map(tags).collect();
        let message = format!(
            "no graph is tagged exactly {{serve}}; there {}",
            match tags.as_slice() {
                [] => "is no graph at all".to_owned(),
                [one] => format!("is {one}"),
                many => format!("are {}", many.join(", ")),
            }
        );
        let finding = Finding::new(Code::NoServeTag, message).in_file(&model.file);
        return result
            .push(finding.with_help("export with the tag `serve`, or start the server with --saved_model_tags"));
    };
    if !graph.signatures.contains_key("serving_default") {
        let keys: Vec<_> = graph.user_signatures().map(|(key, _)| escaped(key.as_bytes())).collect();
        let message = match keys.as_slice() {
            [] => "the model has no signature, so that nothing can be asked of it".to_owned(),
            keys => format!("no signature is called serving_default; there is {}", keys.join(", ")),
        };
        let finding = Finding::new(Code::NoDefaultSignature, message).in_file(&model.file);
        result.push(finding.with_help("requests must name a signature"));
    }
    for (key, signature) in graph.user_signatures() {
        for why in unconventional(signature) {
            let message = format!("signature {}: {why}", escaped(key.as_bytes()));
            let finding = Finding::new(Code::SignatureConvention, message).in_file(&model.file);
            result.push(finding.with_help("requests of this method fail; Predict requests work"));
        }
    }
}

fn tags(graph: &MetaGraph) -> String {
    let tags: Vec<_> = graph.tags.iter().map(|tag| escaped(tag.as_bytes())).collect();
    format!("{{{}}}", tags.join(", "))
}

/// What a signature lacks of what its method promises. Predict promises nothing.
fn unconventional(signature: &Signature) -> Vec<String> {
    let mut found = Vec::new();
    let (method, outputs) = (signature.method_name.as_str(), &signature.outputs);
    let wrong = |name: &str, info: &TensorInfo, want: DType| {
        (info.dtype != want).then(|| format!("output {name} is {}, {method} needs {want}", info.dtype))
    };
    match method {
        "tensorflow/serving/classify" => {
            let (classes, scores) = (outputs.get("classes"), outputs.get("scores"));
            if classes.is_none() && scores.is_none() {
                found.push(format!("{method} needs an output `classes` or `scores`"));
            }
            if outputs.len() > 2 {
                found.push(format!("{method} allows two outputs, there are {}", outputs.len()));
            }
            found.extend(classes.and_then(|info| wrong("classes", info, DType::String)));
            found.extend(scores.and_then(|info| wrong("scores", info, DType::Float32)));
        }
        "tensorflow/serving/regress" => match outputs.get("outputs") {
            Some(info) if outputs.len() == 1 => found.extend(wrong("outputs", info, DType::Float32)),
            _ => found.push(format!("{method} needs exactly one output, called `outputs`")),
        },
        _ => return found,
    }
    if signature.inputs.len() != 1 || !signature.inputs.contains_key("inputs") {
        found.push(format!("{method} needs exactly one input, called `inputs`"));
    }
    if let Some(info) = signature.inputs.get("inputs").filter(|info| info.dtype != DType::String) {
        found.push(format!("input inputs is {}, {method} hands it serialized examples (string)", info.dtype));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tensor::Shape;

    fn signature(method: &str, inputs: &[(&str, DType)], outputs: &[(&str, DType)]) -> Signature {
        let infos = |infos: &[(&str, DType)]| {
            let info = |dtype: DType| TensorInfo { dtype, shape: Shape::scalar(), name: "x:0".to_owned() };
            infos.iter().map(|(name, dtype)| ((*name).to_owned(), info(*dtype))).collect()
        };
        let method_name = format!("tensorflow/serving/{method}");
        Signature { inputs: infos(inputs), outputs: infos(outputs), method_name }
    }

    #[test]
    fn names_become_numbers_in_their_order() {
        let numbers = |names: &[&str]| {
            let named = numbered(names.iter().map(|name| (*name).to_owned()).collect());
            named.into_iter().map(|(name, number)| format!("{name} {number}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(numbers(&["v10", "v2"]), "v2 2, v10 10");
        assert_eq!(numbers(&["0.1"]), "0.1 1");
        assert_eq!(numbers(&["1.0", "2.0"]), "1.0 1, 2.0 2");
        assert_eq!(numbers(&["2.0", "1.1"]), "1.1 1, 2.0 2");
        assert_eq!(numbers(&["2024-03-01", "2024-11-30"]), "2024-03-01 20240301, 2024-11-30 20241130");
        assert_eq!(numbers(&["export_1709251200"]), "export_1709251200 1709251200");
        assert_eq!(numbers(&["model"]), "model 1");
        assert_eq!(numbers(&["99999999999999999999999"]), "99999999999999999999999 1");
    }

    #[test]
    fn signatures_are_measured_by_their_method() {
        let good = [("inputs", DType::String)];
        let many = |method, inputs: &[_], outputs: &[_]| unconventional(&signature(method, inputs, outputs)).len();
        assert_eq!(many("classify", &good, &[("classes", DType::String), ("scores", DType::Float32)]), 0);
        assert_eq!(many("classify", &good, &[("scores", DType::Float32)]), 0);
        assert_eq!(many("classify", &good, &[("scores", DType::Float64)]), 1);
        assert_eq!(many("classify", &[("x", DType::String)], &[("y", DType::Float32)]), 2);
        assert_eq!(many("regress", &good, &[("outputs", DType::Float32)]), 0);
        assert_eq!(many("regress", &good, &[("outputs", DType::Float32), ("more", DType::Float32)]), 1);
        assert_eq!(many("regress", &[("inputs", DType::Float32)], &[("y", DType::Float32)]), 2);
        assert_eq!(many("predict", &[("x", DType::Int8)], &[]), 0);
    }
}
