//! Lower bounds of learning rates against runs of real optimizers, of which the learning rate is known: never above it,
//! and how near they come. What graphs say of optimizers is in them too.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::testdata;
use crate::validating::ckpt_says;

fn log(directory: &str) -> Value {
    let path = testdata().join("training").join(directory);
    serde_json::from_str(&ckpt_says(0, &["log", path.to_str().unwrap(), "--training", "--format", "json"])).unwrap()
}

/// The largest bound of each interval, in parts of the learning rate, by run.
fn bounds() -> BTreeMap<String, Vec<f64>> {
    let mut found = BTreeMap::new();
    for group in ["saver", "objects", "bounds"] {
        let path = testdata().join("training").join(group).join("expected.json");
        let expected: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for run in expected["runs"].as_array().unwrap() {
            let (directory, rate) = (run["directory"].as_str().unwrap(), run["learning_rate"].as_f64().unwrap());
            let document = log(&format!("{group}/{directory}"));
            let mut shares = Vec::new();
            for checkpoint in document["checkpoints"].as_array().unwrap() {
                let training = &checkpoint["training"];
                for layer in training["layers"].as_array().unwrap() {
                    let least = layer["learning_rate_at_least"].as_f64().unwrap_or(0.0);
                    assert!(least <= rate, "{group}/{directory} {}: {least} of {rate}", layer["name"]);
                }
                shares.extend(training["learning_rate_at_least"].as_f64().map(|least| least / rate));
            }
            found.insert(format!("{group}/{directory}"), shares);
        }
    }
    found
}

/// In how many intervals there is a bound, mostly of 20 and 5 updates, and how near the learning rate it comes in each.
const NEAR: &[(&str, usize, f64)] = &[
    ("bounds/adagrad", 2, 0.65),
    ("bounds/ftrl", 2, 0.99),
    ("bounds/keras_adadelta", 2, 0.21),
    ("bounds/keras_adafactor", 2, 0.28),
    ("bounds/keras_adamax", 2, 0.28),
    ("bounds/keras_ftrl", 2, 0.98),
    ("bounds/keras_lamb", 2, 0.85),
    ("bounds/keras_lion", 2, 0.78),
    ("bounds/legacy_adamax", 2, 0.25),
    ("bounds/legacy_rmsprop", 2, 0.69),
    ("bounds/momentum", 1, 0.999),
    ("bounds/nesterov", 1, 0.999),
    ("bounds/nesterov_unsaid", 1, 0.96),
    ("bounds/rmsprop", 2, 0.59),
    ("bounds/rmsprop_momentum", 2, 0.73),
    ("bounds/tf_keras_adamax", 2, 0.26),
    ("objects/keras_adadelta", 2, 0.58),
    ("objects/keras_adafactor", 2, 0.42),
    ("objects/keras_adagrad", 2, 0.7),
    ("objects/keras_adam", 2, 0.44),
    ("objects/keras_adam_amsgrad", 1, 0.6),
    ("objects/keras_adamw", 2, 0.47),
    ("objects/keras_ftrl", 2, 0.99),
    ("objects/keras_lion", 2, 0.81),
    ("objects/keras_nadam", 2, 0.23),
    ("objects/keras_rmsprop", 2, 0.59),
    ("objects/legacy_adagrad", 2, 0.61),
    ("objects/legacy_adam", 2, 0.42),
    ("objects/legacy_nadam", 2, 0.27),
    ("objects/tf_keras_adadelta", 2, 0.58),
    ("objects/tf_keras_adafactor", 2, 0.3),
    ("objects/tf_keras_adagrad", 2, 0.7),
    ("objects/tf_keras_adam", 2, 0.44),
    ("objects/tf_keras_adam_amsgrad", 1, 0.6),
    ("objects/tf_keras_adamw", 2, 0.47),
    ("objects/tf_keras_ftrl", 2, 0.99),
    ("objects/tf_keras_lion", 2, 0.81),
    ("objects/tf_keras_nadam", 2, 0.23),
    ("objects/tf_keras_rmsprop", 2, 0.59),
    ("saver/adadelta", 2, 0.72),
    ("saver/adagrad", 2, 0.7),
    ("saver/adam", 2, 0.49),
    ("saver/adam_betas", 2, 0.47),
    ("saver/adam_sparse", 2, 0.41),
    ("saver/ftrl", 2, 0.99),
    ("saver/momentum", 1, 0.999),
];

#[test]
fn no_bound_is_above_the_learning_rate() {
    let found = bounds();
    let text = || {
        let line = |(run, shares): (&String, &Vec<f64>)| {
            let shares: Vec<String> = shares.iter().map(|share| format!("{share:.3}")).collect();
            format!("{run} {}\n", shares.join(" "))
        };
        found.iter().map(line).collect::<String>()
    };
    let near: BTreeMap<&str, (usize, f64)> = NEAR.iter().map(|(run, count, least)| (*run, (*count, *least))).collect();
    for (run, shares) in &found {
        let (count, least) = near.get(run.as_str()).copied().unwrap_or((0, 0.0));
        let nearest = shares.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(shares.len() == count && (count == 0 || nearest >= least), "{run}:\n{}", text());
    }
}

#[test]
fn graphs_say_numbers_of_optimizers() {
    let inspected = |directory: &str| {
        let path = testdata().join("training/bounds").join(directory).join("model.ckpt-20");
        let path = path.to_str().unwrap();
        let json: Value = serde_json::from_str(&ckpt_says(0, &["inspect", path, "--format", "json"])).unwrap();
        (json["hyperparameters"].clone(), ckpt_says(0, &["inspect", path]))
    };
    let numbers = |found: &Value| {
        let [only] = found.as_array().unwrap().as_slice() else { panic!("{found}") };
        let pair = |number: &Value| (number["name"].as_str().unwrap().to_owned(), number["value"].as_f64());
        (only["optimizer"].clone(), only["numbers"].as_array().unwrap().iter().map(pair).collect::<BTreeMap<_, _>>())
    };
    for (directory, optimizer, want) in [
        ("momentum", "Momentum", &[("lr", 0.01), ("momentum", 0.7)][..]),
        ("rmsprop", "RMSProp", &[("lr", 0.01), ("rho", 0.8), ("momentum", 0.0), ("epsilon", 1e-10)]),
        ("rmsprop_centered", "RMSProp", &[("lr", 0.01), ("rho", 0.9), ("momentum", 0.0), ("epsilon", 1e-3)]),
        ("adagrad", "Adagrad", &[("lr", 0.01)]),
        ("ftrl", "Ftrl", &[("lr", 0.01), ("l1", 0.01), ("l2", f64::NAN), ("lr_power", -0.5)]),
    ] {
        let (found, text) = inspected(directory);
        // A graph computes it, from another penalty.
        let known = |value: f64| Some(value).filter(|value| !value.is_nan());
        let want = want.iter().map(|(name, value)| ((*name).to_owned(), known(*value))).collect();
        assert_eq!(numbers(&found), (optimizer.into(), want), "{directory}");
        assert_eq!(found[0]["updates"], 4);
        assert!(text.contains(&format!("{optimizer} of 4 variables: lr 0.01")), "{text}");
    }
    let (found, text) = inspected("nesterov");
    assert!(found[0]["nesterov"] == true && text.contains("momentum 0.7, nesterov"), "{text}");
    // Without a graph nothing is said.
    let (found, text) = inspected("nesterov_unsaid");
    assert!(found.is_null() && !text.contains("of 4 variables"), "{text}");
}

// What a graph says is not assumed.
#[test]
fn a_decay_that_a_graph_says_is_taken_from_it() {
    let document = log("bounds/rmsprop");
    let unknown = |of: &Value| of["training"]["unknown"].to_string();
    let checkpoints = document["checkpoints"].as_array().unwrap();
    assert!(checkpoints.iter().all(|of| !unknown(of).contains("rho is taken")), "{document:#}");
    let last = &checkpoints[1]["training"];
    assert!(last["layers"].as_array().unwrap().iter().all(|layer| layer["gradient_rms"].is_number()), "{last:#}");
    // It is another one than the usual, which would have been seen as impossible, or told as one that is assumed.
    let document = log("bounds/rmsprop_unsaid");
    let checkpoints = document["checkpoints"].as_array().unwrap();
    assert!(checkpoints.iter().any(|of| unknown(of).contains("rho is taken to be 0.9")), "{document:#}");
}

#[test]
fn configurations_of_keras_say_numbers_of_optimizers() {
    for (file, want) in [
        (
            "cases/14-keras3-files/model.keras",
            &[("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7), ("learning_rate", 0.001)][..],
        ),
        ("keras_restore/case_3/model.h5", &[("learning_rate", 0.01), ("momentum", 0.0)]),
        // Without a configuration there is none.
        ("cases/14-keras3-files/model.weights.h5", &[]),
    ] {
        let path = testdata().join(file);
        let path = path.to_str().unwrap();
        let json: Value = serde_json::from_str(&ckpt_says(0, &["inspect", path, "--format", "json"])).unwrap();
        let found = json["keras_model"]["optimizer_numbers"].as_object().unwrap();
        let found: Vec<(&str, f64)> =
            found.iter().map(|(name, value)| (name.as_str(), value.as_f64().unwrap())).collect();
        assert_eq!(found, want, "{file}");
        let text = ckpt_says(0, &["inspect", path]);
        assert_eq!(text.contains("learning_rate 0.0"), !want.is_empty(), "{text}");
    }
}
