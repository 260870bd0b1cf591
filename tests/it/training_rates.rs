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

/// How near bounds come at least, in intervals of 20 and 5 updates, of the runs that have any.
const NEAR: &[(&str, usize, f64)] = &[("saver/adam", 2, 0.1)];

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
        ("ftrl", "Ftrl", &[("lr", 0.01), ("l1", 0.01), ("l2", 0.1), ("lr_power", -0.5)]),
    ] {
        let (found, text) = inspected(directory);
        let want = want.iter().map(|(name, value)| ((*name).to_owned(), Some(*value))).collect();
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
