//! A SavedModel around its variables: the graph readable, the variables its own, the assets there.

use super::{Validation, serving};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::survey::model::{ModelInfo, unreadable_fingerprint};
use crate::base::error::Error;
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::checkpoint::{Origin, is_table};
use crate::read::graphs::fingerprint::{Fingerprint, checkpoint_hash};
use crate::read::graphs::graph::missing_nodes;
use crate::read::graphs::meta_graph::MetaGraph;
use crate::read::graphs::saved_model::{SavedModel, lost_variables};
use crate::read::storage;

/// What TensorFlow Serving does with a model whose variables are lost.
const FAILS_LATER: &str = "; TensorFlow Serving loads it all the same, and every request that needs a variable fails";

/// Checks what belongs to the checkpoint but is no bundle: `saved_model.pb`, `fingerprint.pb`, assets, a `.meta`.
/// Behind the `gate`, what TensorFlow Serving needs too.
pub(super) fn check(origin: &Origin, limits: &Limits, gate: bool, result: &mut Validation) {
    let Some(dir) = &origin.saved_model else {
        let meta = origin.prefix.meta();
        if storage::is_file(&meta) {
            result.checked.files += 1;
            match MetaGraph::read(&meta, limits).and_then(|_| missing_nodes(&meta, limits)) {
                Ok(missing) => {
                    if let Some(found) = ModelInfo::nodes_missing(&meta, &missing) {
                        result.push(found);
                    }
                }
                Err(error) => unreadable(&error, result),
            }
        }
        return;
    };
    result.checked.files += 1;
    match SavedModel::read(dir, limits) {
        Ok(model) => {
            if model.meta_graphs.is_empty() {
                let finding = Finding::new(Code::BadSavedModel, "there is no graph in this file").in_file(&model.file);
                result.push(finding.with_help("loading it fails; the file is empty or cut: fetch or export it again"));
            }
            assets(&model, result);
            result.findings.extend(ModelInfo::types_to_import(dir, limits));
            missing_variables(origin, Some(&model), result);
            if gate {
                serving::check(dir, &model, result);
                serving::unknown_ops(dir, result, limits);
                // Where variables are lost the server does not notice until somebody asks the model something.
                for finding in result.findings.iter_mut().filter(|finding| finding.code == Code::MissingVariables) {
                    if !finding.message.ends_with(FAILS_LATER)
                        && finding.file.as_deref() == Some(&origin.prefix.index())
                    {
                        finding.message.push_str(FAILS_LATER);
                    }
                }
            }
        }
        Err(error) => {
            unreadable(&error, result);
            missing_variables(origin, None, result);
        }
    }
    let fingerprint = dir.join("fingerprint.pb");
    if !storage::is_file(&fingerprint) {
        return;
    }
    result.checked.files += 1;
    let stored = match Fingerprint::read(&fingerprint, limits) {
        Ok(stored) => stored.checkpoint_hash,
        Err(error) => {
            result.push(unreadable_fingerprint(&error));
            return;
        }
    };
    let index = origin.prefix.index();
    let told = result.findings.iter().any(|f| f.code == Code::MissingVariables && f.file.as_deref() == Some(&index));
    // What is no index at all is told as that, whatever its hash.
    if !origin.v1_files.is_empty() || told || (storage::is_file(&index) && !is_table(&index)) {
        return;
    }
    // TensorFlow writes 0 where there was no index to hash.
    let actual = if storage::is_file(&index) { checkpoint_hash(&index) } else { Ok(0) };
    match actual {
        Ok(actual) if actual == stored => {}
        Ok(actual) => {
            let message = if storage::is_file(&index) {
                format!("variables.index is not the one that the model was saved with: hash {actual}, not {stored}")
            } else {
                "the model was saved with a variables.index, and there is none".to_owned()
            };
            let mut finding = Finding::new(Code::FingerprintMismatch, message).in_file(&fingerprint);
            (finding.expected, finding.found) = (Some(stored.to_string()), Some(actual.to_string()));
            let help = "the variables belong to another model, or were changed after it was saved; export it again";
            result.push(finding.with_help(help));
        }
        Err(error) => result.push(Finding::of(&error)),
    }
}

/// A graph that restores variables needs them to be there, and shards need their index.
fn missing_variables(origin: &Origin, model: Option<&SavedModel>, result: &mut Validation) {
    if let Some(error) = lost_variables(origin, model) {
        result.push(Finding { message: error.kind().to_string(), ..Finding::of(&error) });
    }
}

fn unreadable(error: &Error, result: &mut Validation) {
    let mut finding = Finding::of(error);
    finding.code = Code::BadSavedModel;
    result.push(finding);
}

fn assets(model: &SavedModel, result: &mut Validation) {
    let mut files: Vec<&String> = model.meta_graphs.iter().flat_map(|graph| &graph.asset_files).collect();
    files.sort();
    files.dedup();
    for file in files {
        let shown = escaped(file.as_bytes());
        let Some(path) = model.asset_path(file) else {
            let message = format!("asset {shown} leads out of the assets directory");
            let help = "do not load this model: the name may have been made to read another file";
            result.push(Finding::new(Code::UnsafeAssetPath, message).with_help(help));
            continue;
        };
        result.checked.files += 1;
        if !storage::is_file(&path) {
            let message = format!("asset {shown} is missing");
            let help = "loading the model fails without it; copy the whole directory";
            result.push(Finding::new(Code::MissingAsset, message).in_file(path).with_help(help));
        }
    }
}
