//! What a model can touch: "TensorFlow models are code".
//!
//! Every op of every graph and every function is looked at. One that can read or write files, reach a network, run
//! code of the host or end the process is a finding, with when it runs and from where it is reached; so is code in
//! the configuration of Keras layers. What every saved model has, the saver's own ops with the path that it is told
//! and tables read from the model's own assets, is counted instead. What could not be read is said: silence about
//! something unread would be the worst answer of all.

mod capability;
mod graph;
mod keras;
mod lookup;
mod paths;
mod reach;
mod report;
mod target;

pub use crate::analysis::finding::op_site::{OpSite, Origin, When};
pub use capability::{Capability, is_registered};
pub use keras::KerasFound;
pub use report::{Looked, OpsReport, Target};
pub use target::targets;

use std::path::Path;

use self::graph::graph;
use super::finding::{Code, Finding};
use crate::base::error::Result;
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::graphs::graph::{GraphFile, ObjectKind, Objects, Part, with_graphs};
use crate::read::graphs::keras::KerasConfig;
use crate::read::graphs::saved_model::is_inside;
use report::MOST;

/// Looks at all `targets`.
pub fn look_at_ops(targets: &[Target], limits: &Limits) -> OpsReport {
    let mut report = OpsReport::default();
    for target in targets {
        let path = match target {
            Target::Graphs(path, _) | Target::Unsupported(path, _) => path.as_path(),
            Target::Configs(file) => file.path(),
        };
        report.files.push(path.to_path_buf());
        let looked = match target {
            Target::Graphs(path, form) => with_graphs(path, *form, |file| graphs(path, file, &mut report), limits),
            Target::Configs(file) => file.read(limits).map(|(configs, unread)| {
                for error in &unread {
                    report.unread(error);
                }
                lambdas(&configs, &mut report);
            }),
            Target::Unsupported(path, why) => {
                report.unread.push(Finding::new(Code::Unreadable, *why).in_file(path));
                Ok(())
            }
        };
        if let Err(error) = looked {
            let mut finding = Finding::of(&error.in_file(path));
            if matches!(target, Target::Graphs(..)) && finding.code == Code::Unreadable {
                finding.code = Code::BadSavedModel;
            }
            report.unread.push(finding);
        }
    }
    for (code, n) in std::mem::take(&mut report.kept).into_iter().filter(|(_, n)| *n > MOST) {
        report.findings.push(Finding::new(code, format!("and {} more of this kind", n - MOST)));
    }
    report
}

fn graphs(path: &Path, file: &GraphFile<'_>, report: &mut OpsReport) -> Result<()> {
    if file.parts.is_empty() {
        report.unread.push(Finding::new(Code::BadSavedModel, "there is no graph in this file").in_file(path));
    }
    for part in &file.parts {
        report.looked.graphs += 1;
        // The objects say from where functions are called; without them the ops are still all looked at.
        let objects = Objects::read(&part.objects).unwrap_or_else(|error| {
            report.unread(&error.in_file(path));
            Objects::default()
        });
        graph(path, part, &objects, report)?;
        let configs: Vec<KerasConfig> =
            objects.nodes.iter().enumerate().filter_map(|(at, n)| config(path, at, &n.kind)).collect();
        lambdas(&configs, report);
        assets(path, part, report);
    }
    Ok(())
}

/// What Keras before TensorFlow 2.5 wrote into the object graph.
fn config(path: &Path, at: usize, kind: &ObjectKind) -> Option<KerasConfig> {
    match kind {
        ObjectKind::User(identifier, json) if identifier.starts_with("_tf_keras") && !json.is_empty() => {
            let place = format!("object {at}");
            Some(KerasConfig { file: path.to_path_buf(), place, identifier: identifier.clone(), json: json.clone() })
        }
        _ => None,
    }
}

/// Assets whose names lead out of the model: a table that reads one reads another file.
fn assets(path: &Path, part: &Part<'_>, report: &mut OpsReport) {
    for (_, file) in &part.assets {
        if !is_inside(file) {
            let message = format!("asset {} leads out of the assets directory", escaped(file.as_bytes()));
            report.found(Finding::new(Code::UnsafeAssetPath, message).in_file(path));
        }
    }
}

fn lambdas(configs: &[KerasConfig], report: &mut OpsReport) {
    report.looked.keras_configs += configs.len() as u64;
    let (found, unread) = keras::search(configs);
    let file = configs.first().map(|config| config.file.clone()).unwrap_or_default();
    for one in found {
        let finding = match one {
            KerasFound::Code { layer, bytes, spelling } => {
                let what = match bytes {
                    Some(bytes) => format!("{bytes} bytes of marshalled Python code, written as {spelling}"),
                    None => format!("a Python function, written as {spelling}"),
                };
                let message =
                    format!("layer {} holds {what}; Keras loads it with the model and runs it", shown(&layer));
                Finding::new(Code::KerasLambda, message)
            }
            KerasFound::Foreign { layer, what } => {
                let message =
                    format!("layer {} needs {}, which is no part of Keras", shown(&layer), escaped(what.as_bytes()));
                Finding::new(Code::KerasForeignObject, message)
            }
        };
        report.found(finding.in_file(&file));
    }
    for (at, why) in unread {
        let place = configs.get(at).map_or("", |config| config.place.as_str());
        let message = format!("the Keras configuration of {} cannot be read: {why}", shown(place));
        report.unread.push(Finding::new(Code::Unreadable, message).in_file(&file));
    }
}

fn shown(layer: &str) -> String {
    if layer.is_empty() { "(without a name)".to_owned() } else { escaped(layer.as_bytes()).into_owned() }
}
