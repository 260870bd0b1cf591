//! `ckpt log --training` against runs of real optimizers whose gradients are recorded: `testdata/training`.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::testdata;
use crate::validating::{ckpt_says, copy};

fn expected(group: &str) -> Value {
    let path = testdata().join("training").join(group).join("expected.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn log(dir: &Path, more: &[&str]) -> Value {
    let mut arguments = vec!["log", dir.to_str().unwrap(), "--training", "--format", "json"];
    arguments.extend(more);
    serde_json::from_str(&ckpt_says(0, &arguments)).unwrap()
}

fn name(checkpoint: &Value) -> String {
    let prefix = checkpoint["prefix"].as_str().unwrap();
    prefix.rsplit(['/', '\\']).next().unwrap().to_owned()
}

/// What is left of a slot after each of so many updates, by the optimizer: the weights of squares in its mean.
fn weights(run: &str, before: usize, updates: usize) -> Option<Vec<f64>> {
    let optimizer = run.split_once('_').map_or(run, |(group, rest)| match group {
        "keras" | "legacy" => rest,
        "tf" => rest.trim_start_matches("keras_"),
        _ => run,
    });
    let betas: Vec<f64> = match optimizer {
        "adam" | "adam_sparse" | "adamw" | "nadam" => vec![0.999; updates],
        "adam_betas" => vec![0.98; updates],
        "rmsprop" | "rmsprop_centered" | "rmsprop_full" => vec![0.9; updates],
        "adadelta" => vec![0.95; updates],
        "adagrad" | "ftrl" => return Some(vec![1.0 / updates as f64; updates]),
        "adafactor" => (1..=updates).map(|n| 1.0 - ((before + n) as f64).powf(-0.8)).collect(),
        "momentum" if updates == 1 => vec![0.0],
        _ => return None,
    };
    let left = |from: usize| betas[from..].iter().product::<f64>();
    Some((0..updates).map(|n| (1.0 - betas[n]) * left(n + 1) / (1.0 - left(0))).collect())
}

fn close(what: &str, got: &Value, want: f64, within: f64) {
    let got = got.as_f64().unwrap_or_else(|| panic!("{what}: {got}, not {want}"));
    assert!((got - want).abs() <= want.abs() * within, "{what}: {got}, not {want}");
}

fn rms(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count();
    (values.map(|value| value * value).sum::<f64>() / count as f64).sqrt()
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn gradients_and_updates_of_every_optimizer() {
    let mut measured: BTreeMap<String, usize> = BTreeMap::new();
    for group in ["saver", "objects"] {
        for run in expected(group)["runs"].as_array().unwrap() {
            let directory = run["directory"].as_str().unwrap();
            let rate = run["learning_rate"].as_f64().unwrap();
            let document = log(&testdata().join("training").join(group).join(directory), &[]);
            let told = document["checkpoints"].as_array().unwrap();
            let truth = run["checkpoints"].as_array().unwrap();
            assert_eq!(told.len(), truth.len(), "{directory}");
            let mut made = 0;
            for (at, (told, truth)) in told.iter().zip(truth).enumerate() {
                let updates = usize::try_from(truth["updates"].as_u64().unwrap()).unwrap();
                let training = &told["training"];
                let label = format!("{directory}/{}", name(told));
                if let Some(stored) = training["learning_rate"].as_f64() {
                    assert!((stored - rate).abs() < 1e-9, "{label}: {stored}");
                }
                if let Some(least) = training["learning_rate_at_least"].as_f64() {
                    assert!(least <= rate, "{label}: {least}");
                }
                let layers = training["layers"].as_array().unwrap();
                // Without slots and without a checkpoint before there is nothing to say.
                assert!(layers.len() == 4 || (at == 0 && directory.contains("sgd")), "{label}");
                for layer in layers {
                    // A name that two variables have is their path.
                    let weight = layer["name"].as_str().unwrap().rsplit('/').next().unwrap();
                    let label = format!("{label} {weight}");
                    let squares = numbers(&truth["mean_squares"][weight]);
                    if let Some(weights) = weights(directory, made, updates)
                        && (at > 0 || layer["gradient_rms"].is_number())
                    {
                        // One update alone tells its own gradient.
                        let last = squares.iter().sum::<f64>() / squares.len() as f64;
                        let squares: f64 = match updates {
                            1 => last,
                            _ => squares.iter().zip(weights).map(|(square, weight)| square * weight).sum(),
                        };
                        close(&label, &layer["gradient_rms"], squares.sqrt(), 0.02);
                        *measured.entry(directory.to_owned()).or_default() += 1;
                    }
                    if at > 0 {
                        let (a, b) =
                            (numbers(&truth_of(run, at - 1)["weights"][weight]), numbers(&truth["weights"][weight]));
                        let moved = a.iter().zip(&b).map(|(a, b)| b - a);
                        close(&label, &layer["update_rms"], rms(moved.clone()), 1e-4);
                        close(&label, &layer["update_ratio"], rms(moved) / rms(b.iter().copied()), 1e-4);
                    }
                    if weight == "emb" && layer["never_trained_rows"].is_number() {
                        assert_eq!((&layer["never_trained_rows"], &layer["rows"]), (&2.into(), &6.into()), "{label}");
                    }
                }
                made += updates;
            }
        }
    }
    // Of each that has slots with squares: two intervals of four weights at least.
    for run in ["adam", "adam_betas", "adam_sparse", "rmsprop", "rmsprop_centered", "adagrad", "adadelta", "ftrl"] {
        assert!(measured[run] >= 8, "{run}: {measured:?}");
    }
    for library in ["keras", "tf_keras"] {
        for run in ["adam", "adamw", "nadam", "rmsprop", "rmsprop_full", "adagrad", "adadelta", "adafactor", "ftrl"] {
            assert!(measured[&format!("{library}_{run}")] >= 8, "{library} {run}: {measured:?}");
        }
        assert!(measured[&format!("{library}_momentum")] >= 4, "{measured:?}");
    }
    for run in ["legacy_adam", "legacy_nadam", "legacy_rmsprop", "legacy_adagrad"] {
        assert!(measured[run] >= 8, "{run}: {measured:?}");
    }
}

// Without its object graph nothing says whose slots are whose: the weights of that checkpoint are not told under other names.
#[test]
fn a_checkpoint_whose_graph_is_lost_has_no_weights_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(testdata().join("training/units/keras_adam")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let data = dir.path().join("ckpt-40.data-00000-of-00001");
    // The graph is the last that lies there.
    fs::File::options().write(true).open(&data).unwrap().set_len(1000).unwrap();
    let document = log(dir.path(), &[]);
    let told: Vec<&Value> =
        document["checkpoints"].as_array().unwrap().iter().map(|checkpoint| &checkpoint["training"]).collect();
    assert!(told[1]["layers"].is_null(), "{}", told[1]);
    assert!(told[1]["unknown"][0].as_str().unwrap().contains("object graph"), "{}", told[1]);
    for sound in [told[0], told[2]] {
        let names: Vec<&str> =
            sound["layers"].as_array().unwrap().iter().map(|layer| layer["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["emb", "hidden_bias", "hidden_kernel", "out_kernel"]);
    }
}

// Units that were killed are counted in each interval, by every optimizer whose slots can tell; none where none was.
#[test]
fn units_without_a_gradient_are_counted() {
    let mut counted = 0;
    for run in expected("units")["runs"].as_array().unwrap() {
        let directory = run["directory"].as_str().unwrap();
        let document = log(&testdata().join("training/units").join(directory), &[]);
        let told = document["checkpoints"].as_array().unwrap();
        for (at, (told, truth)) in told.iter().zip(run["checkpoints"].as_array().unwrap()).enumerate() {
            for layer in told["training"]["layers"].as_array().unwrap() {
                let weight = layer["name"].as_str().unwrap().rsplit('/').next().unwrap();
                let label = format!("{directory}/{} {weight}", name(told));
                if truth["frozen"].as_array().unwrap().iter().any(|frozen| frozen == weight) {
                    assert!(layer["gradient_rms"].is_null() && layer["dead_units"].is_null(), "{label}: {layer}");
                    assert!(layer["unknown"].as_str().unwrap().contains("did not update it"), "{label}: {layer}");
                    continue;
                }
                // A vector has no units; slots that do not begin empty tell nothing of the first interval.
                let is_known = weight != "hidden_bias" && (at > 0 || !layer["dead_units"].is_null());
                if is_known {
                    let dead = truth["dead"][weight].as_u64().unwrap_or(0);
                    let units = if weight == "hidden_kernel" { 5 } else { layer["units"].as_u64().unwrap() };
                    assert_eq!((&layer["dead_units"], &layer["units"]), (&dead.into(), &units.into()), "{label}");
                    counted += 1;
                } else {
                    assert!(layer["units"].is_null(), "{label}");
                }
            }
        }
    }
    assert!(counted >= 9 * 3 * 2 - 1, "{counted}");
}

fn truth_of(run: &Value, at: usize) -> &Value {
    &run["checkpoints"][at]
}

// A beta that is not stored and not the usual one must not lead to a number that is wrong.
#[test]
fn a_beta_that_cannot_be_is_told() {
    for library in ["keras", "tf_keras"] {
        let document = log(&testdata().join(format!("training/objects/{library}_adam_amsgrad")), &[]);
        let last = &document["checkpoints"][1]["training"];
        let unknown = last["layers"].as_array().unwrap().iter().filter(|layer| {
            layer["unknown"].as_str().is_some_and(|why| why.contains("another beta")) && layer["gradient_rms"].is_null()
        });
        assert!(unknown.count() >= 3, "{last:#}");
    }
}

/// The codes that are found in each checkpoint.
fn found(document: &Value) -> BTreeMap<String, Vec<String>> {
    let codes = |checkpoint: &Value| {
        let findings = checkpoint["training"]["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let checkpoints = document["checkpoints"].as_array().unwrap().iter();
    checkpoints.map(|checkpoint| (name(checkpoint), codes(checkpoint))).filter(|(_, codes)| !codes.is_empty()).collect()
}

fn planted(run: &Value) -> BTreeMap<String, Vec<String>> {
    let mut planted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (what, code) in [
        ("reset", "optimizer-reset"),
        ("reset-before-first", "optimizer-reset"),
        ("back", "step-went-back"),
        ("still", "nothing-trained"),
    ] {
        for checkpoint in run[what].as_array().into_iter().flatten() {
            planted.entry(checkpoint.as_str().unwrap().to_owned()).or_default().push(code.to_owned());
        }
    }
    planted
}

#[test]
fn what_happened_to_a_run_is_told_from_indexes_alone() {
    for (directory, run) in expected("runs")["runs"].as_object().unwrap() {
        let alone = copy(&format!("training/runs/{directory}"));
        let whole = log(alone.path(), &[]);
        assert_eq!(found(&whole), planted(run), "{directory}");
        for (checkpoint, younger) in run["younger"].as_object().into_iter().flatten() {
            let mut all = whole["checkpoints"].as_array().unwrap().iter();
            let of = all.find(|of| name(of) == *checkpoint).unwrap();
            assert_eq!(&of["training"]["younger"], younger, "{directory} {checkpoint}");
        }
        for scope in run["frozen"].as_array().into_iter().flatten() {
            assert!(whole["never_moved"].as_array().unwrap().contains(scope), "{directory}: {scope}");
        }
        for entry in fs::read_dir(alone.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().contains(".data-") {
                fs::remove_file(path).unwrap();
            }
        }
        let quick = log(alone.path(), &["--quick"]);
        assert_eq!(found(&quick), planted(run), "{directory} without data");
    }
}

#[test]
fn findings_end_the_command_as_ci_wants_it() {
    let run = testdata().join("training/runs/reset");
    let run = run.to_str().unwrap();
    let text = ckpt_says(1, &["log", run, "--training", "--deny", "optimizer-reset"]);
    assert!(text.contains("at 35 the optimizer is 30 steps younger than the weights"), "{text}");
    ckpt_says(0, &["log", run, "--training", "--deny", "nothing-trained"]);
    let text = ckpt_says(0, &["log", run, "--training", "--allow", "optimizer-reset"]);
    assert!(!text.contains("created anew"), "{text}");
}

#[test]
fn inspect_says_how_old_the_optimizer_is() {
    let line = |path: &str| {
        let path = testdata().join("training").join(path);
        let text = ckpt_says(0, &["inspect", path.to_str().unwrap()]);
        text.lines().take(3).collect::<Vec<_>>().join(" ")
    };
    assert!(line("runs/reset/model.ckpt-35").contains("step 35 · optimizer after 5 updates"));
    assert!(line("runs/keras_reset/ckpt-3").contains("optimizer after 5 updates"));
    assert!(line("runs/keras_two/ckpt-2").contains("optimizer after 20 updates by each of 2 optimizers"));
    // The step is the optimizer's own count, and need not be said twice.
    assert!(!line("runs/keras_reset_uncounted/ckpt-2").contains("optimizer after"));
}

#[test]
fn every_weight_in_a_table() {
    let run = testdata().join("training/objects/keras_adam");
    let run = run.to_str().unwrap();
    let csv = ckpt_says(0, &["log", run, "--training", "--layers", "--sort", "gradient", "--format", "csv"]);
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("prefix,step,weight,elements,gradient_rms"), "{csv}");
    let weights: Vec<&str> = lines.map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(weights.len(), 12);
    assert_eq!(weights[4..8], ["hidden_bias", "hidden_kernel", "emb", "out_kernel"]);
    let text = ckpt_says(0, &["log", run, "--training", "--layers"]);
    assert!(text.contains("2 of 6") && text.contains("over time"), "{text}");
}

/// A run of Adam of which the gradients of two weights are given for each interval of ten steps.
fn run_of_adam(dir: &Path, gradients: &[[f32; 2]]) {
    let mut squares = [0f64; 2];
    for (n, of) in gradients.iter().enumerate() {
        let step = 10 * (n + 1);
        let mut bundle = ckpt_synth::BundleBuilder::new();
        for ((name, gradient), square) in ["a/kernel", "b/kernel"].iter().zip(of).zip(&mut squares) {
            for _ in 0..10 {
                *square = 0.999 * *square + 0.001 * f64::from(*gradient).powi(2);
            }
            let values: Vec<f32> = (0..8u8).map(|k| f32::from(k) * 0.1 + step as f32 * 1e-3).collect();
            bundle = bundle.floats(name, &[2, 4], &values);
            bundle = bundle.floats(format!("{name}/Adam"), &[2, 4], &[*gradient; 8]);
            #[expect(clippy::cast_possible_truncation, reason = "as it is stored")]
            let stored = *square as f32;
            bundle = bundle.floats(format!("{name}/Adam_1"), &[2, 4], &[stored; 8]);
        }
        let power = |beta: f32| (0..=step).fold(1f32, |power, _| power * beta);
        bundle = bundle.floats("beta1_power", &[], &[power(0.9)]).floats("beta2_power", &[], &[power(0.999)]);
        bundle.finish().write(&dir.join(format!("model.ckpt-{step}"))).unwrap();
    }
}

#[test]
fn gradients_that_vanish_or_explode_are_findings() {
    for (gradients, code) in [
        ([[1.0, 0.5], [1.1, 0.5], [0.9, 0.5], [1.0, 0.0]], "gradient-vanished"),
        ([[1.0, 0.5], [1.1, 0.5], [0.9, 0.5], [1.0, 500.0]], "gradient-exploded"),
        ([[1.0, 0.5], [1.1, 0.5], [0.9, 0.5], [1.0, f32::NAN]], "gradient-exploded"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        run_of_adam(dir.path(), &gradients);
        let document = log(dir.path(), &[]);
        let wanted = BTreeMap::from([("model.ckpt-40".to_owned(), vec![code.to_owned()])]);
        assert_eq!(found(&document), wanted);
        ckpt_says(1, &["log", dir.path().to_str().unwrap(), "--training", "--deny", code]);
    }
    let dir = tempfile::tempdir().unwrap();
    run_of_adam(dir.path(), &[[1.0, 0.5], [1.1, 0.4], [0.9, 0.6], [0.5, 0.3]]);
    assert_eq!(found(&log(dir.path(), &[])), BTreeMap::new());
}
