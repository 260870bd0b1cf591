//! Conversions with faults that are planted at random: each is named, and nothing else is.

use std::collections::BTreeSet;
use std::path::Path;

use ckpt::analysis::diff::{Change, Diff, DiffOptions, Status, match_values};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice};

use super::model::{Array, Model, Random, Tensors, write_bundle, write_safetensors};

/// What is done to a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Exchange,
    NoTranspose,
    WrongAxis,
    OneElement,
    Stale,
    Rows,
    Overflow,
    Missing,
    Duplicated,
    Gates,
    Sign,
    Fused,
    FusedStale,
}

const FAULTS: [Fault; 14] = [
    Fault::None,
    Fault::Exchange,
    Fault::NoTranspose,
    Fault::WrongAxis,
    Fault::OneElement,
    Fault::Stale,
    Fault::Rows,
    Fault::Overflow,
    Fault::Missing,
    Fault::Duplicated,
    Fault::Gates,
    Fault::Sign,
    Fault::Fused,
    Fault::FusedStale,
];

/// A conversion with its fault, and the names in B that must be told of, in A where B has none.
struct Planted {
    ours: Tensors,
    theirs: Tensors,
    is_half: bool,
    told: BTreeSet<String>,
}

fn plant(model: &Model, fault: Fault, random: &mut Random) -> Planted {
    let (mut ours, mut theirs) = (model.tensors.clone(), model.converted());
    let layer = random.below(model.layers);
    let attention = |what: &str, end: &str| format!("enc.layers.{layer}.attn.{what}_proj.{end}");
    let which = ["q", "k", "v", "o"][random.below(4)];
    let name = attention(which, "weight");
    let mut told = BTreeSet::new();
    let mut change = |theirs: &mut Tensors, name: &str, to: &dyn Fn(&Array) -> Array| {
        let changed = to(&theirs[name]);
        theirs.insert(name.to_owned(), changed);
        told.insert(name.to_owned());
    };
    let width = model.width;
    let mut is_half = false;
    match fault {
        Fault::None => is_half = random.below(4) == 0,
        Fault::Exchange => {
            let other = attention(if which == "k" { "q" } else { "k" }, "weight");
            let (x, y) = (theirs[&name].clone(), theirs[&other].clone());
            change(&mut theirs, &name, &|_| y.clone());
            change(&mut theirs, &other, &|_| x.clone());
        }
        Fault::NoTranspose => change(&mut theirs, &name, &|array| array.transposed(&[1, 0])),
        Fault::WrongAxis => {
            let kernel = ours["conv/kernel"].transposed(&[2, 3, 0, 1]);
            change(&mut theirs, "conv.weight", &|_| kernel.clone());
        }
        Fault::OneElement => {
            let at = random.below(width * width);
            change(&mut theirs, &name, &|array| {
                let mut array = array.clone();
                array.values[at] += 1.0;
                array
            });
        }
        Fault::Stale => {
            let noise = random.floats(width * width);
            change(&mut theirs, &name, &|array| {
                let values = array.values.iter().zip(&noise).map(|(value, noise)| value + 0.01 * noise).collect();
                Array::new(&array.dims, values)
            });
        }
        Fault::Rows => change(&mut theirs, &name, &|array| {
            let order: Vec<usize> = (0..width).map(|n| (n + 3) % width).collect();
            array.rows(&order)
        }),
        Fault::Overflow => {
            is_half = true;
            ours.get_mut("head/kernel").unwrap().values[2] = 1e6;
            let kernel = ours["head/kernel"].transposed(&[1, 0]);
            change(&mut theirs, "head.weight", &|_| kernel.clone());
        }
        Fault::Missing => {
            theirs.remove("head.bias");
            told.insert("head/bias".to_owned());
        }
        Fault::Duplicated => {
            let from = (layer + 1) % model.layers;
            let prefix = format!("enc.layers.{layer}.");
            let names: Vec<String> = theirs.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
            for name in names {
                let source = theirs[&name.replace(&prefix, &format!("enc.layers.{from}."))].clone();
                if theirs[&name] != source {
                    change(&mut theirs, &name, &|_| source.clone());
                }
            }
        }
        Fault::Gates => {
            let name = format!("enc.layers.{layer}.fc1.weight");
            let order: Vec<usize> = [0, 2, 1, 3].iter().flat_map(|block| block * width..(block + 1) * width).collect();
            change(&mut theirs, &name, &|array| array.rows(&order));
        }
        Fault::Sign => change(&mut theirs, &name, &|array| {
            Array::new(&array.dims, array.values.iter().map(|value| -value).collect())
        }),
        Fault::Fused | Fault::FusedStale => {
            for n in 0..model.layers {
                for end in ["weight", "bias"] {
                    let take = |what: &str| format!("enc.layers.{n}.attn.{what}_proj.{end}");
                    let mut parts = ["q", "k", "v"].map(|what| theirs.remove(&take(what)).unwrap());
                    if fault == Fault::FusedStale && n == layer && end == "weight" {
                        parts[1].values[0] += 0.5;
                        told.insert(format!("enc.layers.{n}.attn.qkv.weight"));
                    }
                    let fused = Array::stacked(&parts.each_ref());
                    theirs.insert(format!("enc.layers.{n}.attn.qkv.{end}"), fused);
                }
            }
        }
    }
    Planted { ours, theirs, is_half, told }
}

fn open(path: &Path) -> Checkpoint {
    Checkpoint::open(path, Choice::default(), &Limits::default()).unwrap()
}

/// The names in B of whatever is told to be wrong; in A of what B has not.
fn told(diff: &Diff<'_>) -> BTreeSet<String> {
    let is_told = |change: &&Change| change.status != Status::Identical || change.suspect().is_some();
    let name = |change: &Change| String::from_utf8(change.name().to_vec()).unwrap();
    diff.changes.iter().filter(is_told).map(name).collect()
}

/// Plants a fault, and holds what is said of it against what was done.
fn check(seed: u64, fault: Fault, index_only: bool) {
    let layers = 3 + Random(!seed).below(4);
    check_of(seed, fault, index_only, layers);
}

fn check_of(seed: u64, fault: Fault, index_only: bool, layers: usize) {
    let mut random = Random(seed);
    let width = 2 * (4 + random.below(5));
    let model = Model::new(layers, width, &mut random);
    let Planted { ours, theirs, is_half, told: want } = plant(&model, fault, &mut random);
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b.safetensors"));
    write_bundle(&ours, &a);
    write_safetensors(&theirs, is_half, &b);
    if index_only {
        std::fs::remove_file(dir.path().join("a.data-00000-of-00001")).unwrap();
    }
    let (a, b) = (open(&a), open(&b));
    let options = DiffOptions { threads: 1, keep_identical: true, ..DiffOptions::default() };
    let turned = random.below(2) == 1;
    let (x, y) = if turned { (&b, &a) } else { (&a, &b) };
    let found = match_values(x, y, &options, &Progress::default());
    let case =
        format!("seed {seed}, {fault:?}, {layers} layers of {width}, index alone: {index_only}, turned: {turned}");
    let totals = found.matched.as_ref().unwrap();
    // The checksum of a wide value cannot be made of a narrow one.
    if index_only && is_half {
        assert!(found.is_trouble() && !found.is_equal(), "{case}");
        return;
    }
    assert_eq!(found.is_equal(), want.is_empty(), "{case}: {totals:?} {:?}", told(&found));
    // What has a partner in B is told under its name there, which is that in A if the sides are turned.
    let name = |name: &String| {
        let ours = model.other_name.iter().find(|(_, theirs)| *theirs == name).map(|(ours, _)| ours.clone());
        if turned { ours.unwrap_or_else(|| name.clone()) } else { name.clone() }
    };
    let want: BTreeSet<String> = match fault {
        // The part of the fused tensor that differs: by its name in A, or by that of the whole where nobody can say more.
        Fault::FusedStale => {
            let got = told(&found);
            assert!(
                !got.is_empty() && got.iter().all(|name| name.contains("qkv") || name.contains("key/kernel")),
                "{case}: {got:?}"
            );
            return;
        }
        _ => want.iter().map(name).collect(),
    };
    if fault == Fault::Exchange {
        assert_eq!((totals.suspects, totals.faults), (2, 1), "{case}");
    }
    if fault == Fault::Duplicated && !index_only {
        let said = found.notes.join("; ");
        assert_eq!(totals.changed_faults, 1, "{case}: {said}");
        assert!(said.contains("in the place of"), "{case}: {said}");
    }
    // Both sides of what has no partner are told of.
    let got: BTreeSet<String> = told(&found);
    if !index_only || !matches!(fault, Fault::Duplicated | Fault::Gates | Fault::Rows) {
        assert_eq!(got, want, "{case}");
    } else {
        assert!(got.is_superset(&want) || !found.is_equal(), "{case}: {got:?}");
    }
}

/// How many models each fault is planted in; `CKPT_PLANTS=100` for as many as a night has time for.
fn models(few: u64) -> u64 {
    std::env::var("CKPT_PLANTS").ok().and_then(|many| many.parse().ok()).unwrap_or(few)
}

#[test]
fn every_fault_is_named_and_nothing_else() {
    for seed in 0..models(12) {
        for fault in FAULTS {
            check(seed, fault, false);
        }
    }
}

#[test]
fn from_the_index_alone() {
    for seed in 1000..1000 + models(6) {
        for fault in FAULTS {
            check(seed, fault, true);
        }
    }
}

#[test]
fn one_fault_among_a_thousand_tensors_is_one() {
    for (seed, fault) in [(1, Fault::Exchange), (2, Fault::NoTranspose), (3, Fault::Gates)] {
        check_of(2000 + seed, fault, false, 66);
    }
}
