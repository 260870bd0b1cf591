//! What the fuzzer begins with: the fixtures and the hostile files, cut to the form of each target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ckpt_synth::hostile::cases;

use super::bundles::NAMES;

/// Files larger than this only slow a fuzzer down.
const MOST: usize = 64 << 10;

/// The seeds of a target, of these files.
pub fn seeds(target: &str, files: &Files) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for set in &files.0 {
        add(target, set, &mut seeds);
    }
    match target {
        "region" => {
            for text in ["1, ..., 0", "a/b[2:5, ::3]", "-100:100,", "x[:-3][+0]", "9223372036854775807:", "None", ""] {
                seeds.push([&[3, 10, 3, 255, 255, 255, 255, 255, 255, 255, 255, 127], text.as_bytes()].concat());
            }
        }
        "explain" => {
            for text in [
                "DataLossError: Checksum does not match: stored 1132391434 vs. calculated on the restored bytes 2543478653",
                "NotFoundError: Key dense/kernel not found in checkpoint [Op:RestoreV2]",
                "Unable to open table file model.ckpt: Data loss: not an sstable (bad magic number)",
                "InvalidArgumentError: Assign requires shapes of both tensors to match. lhs shape= [3,4] rhs shape= [4,3]",
                "tensor_name = a/b; expected dtype float does not equal original dtype half",
                "OutOfRangeError: Read less bytes than requested",
                "Failed to find any matching files for model.ckpt-3",
                "TensorBundle at model has 2 shards but 00000-of-00001 is missing",
            ] {
                seeds.push(text.into());
            }
        }
        "policy" => {
            for text in [
                "",
                "[[rule]]\ndeny = \"unreferenced-bytes\"\npaths = \"release/**\"\nreason = \"releases are written anew\"\n",
                "[[rule]]\nallow = [\"graph-orphan\"]\ntensors = [\"head/**\", \"!head/bias\"]\nreason = \"x\"\nuntil = 2027-01-31\n",
                "[expect]\npresent = [\"w\"]\nabsent = [\"role:slot\"]\nmax-bytes = \"500 MiB\"\nmax-parameters = 110_000_000\n",
                "[[expect]]\nfrozen = [\"encoder/**\"]\nchanged = [\"head\"]\nbase = \"../base\"\n",
                "[expect]\ndtypes = [\"float32\", \"int64\"]\npaths = [\"a\", \"b/*\"]\n",
                "[[rule]]\nwarn = 1\n",
                "[[rule]]\ndeny = \"not-a-code\"",
            ] {
                seeds.push(text.into());
            }
        }
        "events" => {
            // Two steps with their times, in records of their own.
            let event = [9, 0, 0, 0, 0, 0, 0, 248, 63, 16, 7];
            for len in 0..=event.len() {
                let record = |event: &[u8]| [&[event.len() as u8][..], event].concat();
                seeds.push([&[1][..], &record(&event), &record(&event[..len])].concat());
            }
        }
        "numpy" => {
            for dtype in 0..34 {
                for flags in [0, 1, 2, 4, 8, 31] {
                    let values = [0, 0, 128, 63, 0, 0, 192, 127, 1, 0, 0, 0, 255, 255, 127, 255, 219, 15, 73, 64];
                    seeds.push([&[dtype, flags, 7, 7, 2, 35, 2, 3, 4][..], &values].concat());
                }
            }
        }
        "strings" | "slices" | "synth_roundtrip" => seeds.extend((0..32).map(mixed)),
        // Into each format, without and with each option.
        "convert" => seeds.extend((0..32).map(|n| [&[0, 8 * n as u8 + n as u8 % 4, 0, 9][..], &mixed(n)].concat())),
        "parts" => {
            seeds.extend((0..8).map(|n| [&[2, n][..], &mixed(n.into())].concat()));
            seeds.extend((0..24).map(|n| [&[3, n % 4, n, n % 9, n, n][..], &mixed(n.into())].concat()));
            let part = r#"{"schema_version":1,"kind":"part","record_version":1,"ckpt":"0.1.0","command":"stats","arguments":["m","hex:ff"],"number":1,"of":2,"bytes":8,"of_bytes":16,"checkpoints":[{"index":"m.index","tensors":1,"crc32c":7,"files":1,"files_crc32c":9,"first_files":[{"path":"m.index","bytes":null,"modified":5}]}],"calls":[{"what":"checksums","units":2,"weight":20,"first":0,"end":1,"record":"AAEC"}],"crc32c":"0x00000000"}"#;
            seeds.extend((0..2).map(|kind| [&[kind][..], part.as_bytes()].concat()));
        }
        _ => {}
    }
    seeds.retain(|seed| seed.len() <= MOST);
    seeds.sort();
    seeds.dedup();
    seeds
}

/// Any bytes are a valid description; some that reach far.
fn mixed(n: u32) -> Vec<u8> {
    (0..200 + 20 * n).map(|i: u32| (i.wrapping_mul(2_654_435_761 + n) >> 13) as u8 % 23).collect()
}

/// What a target does first: where `CKPT_FUZZ_SEEDS` names a directory, the seeds are written there, before the fuzzer
/// reads it.
pub fn begin(target: &str) {
    let Some(dir) = std::env::var_os("CKPT_FUZZ_SEEDS") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::create_dir_all(&dir).unwrap();
    for (n, seed) in seeds(target, &Files::of(root)).into_iter().enumerate() {
        std::fs::write(Path::new(&dir).join(format!("{n:04}")), seed).unwrap();
    }
}

/// Files that belong together, by name.
type Set = BTreeMap<String, Vec<u8>>;

/// The directories of the fixtures and the hostile cases, read once for all targets.
pub struct Files(Vec<Set>);

impl Files {
    /// Those of the repository at `root`.
    pub fn of(root: &Path) -> Self {
        Self(sets(root))
    }
}

fn sets(root: &Path) -> Vec<Set> {
    let mut sets: Vec<Set> = cases().into_iter().map(|case| case.files.into_iter().collect()).collect();
    let mut open: Vec<PathBuf> = vec![root.join("testdata")];
    while let Some(dir) = open.pop() {
        let mut set = Set::new();
        let mut entries: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                open.push(path);
            } else {
                set.insert(path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap());
            }
        }
        sets.push(set);
    }
    sets
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

/// The first shard of the bundle with this index.
fn shard<'s>(set: &'s Set, index: &str) -> &'s [u8] {
    let stem = index.trim_end_matches("index");
    let data = set.iter().find(|(name, _)| name.starts_with(&format!("{stem}data-00000")));
    data.map_or(&[], |(_, bytes)| bytes)
}

fn add(target: &str, set: &Set, seeds: &mut Vec<Vec<u8>>) {
    let choices = [1, 0, 3, 1, 1, 2, 0, 1];
    for (name, bytes) in set {
        let is_index = name.ends_with(".index");
        let is_table = bytes.ends_with(&ckpt::read::table::MAGIC.to_le_bytes());
        match target {
            "table" if is_table || is_index => seeds.extend([0, 1].map(|kind| [&[kind][..], bytes].concat())),
            "bundle" if is_index => {
                seeds.push([&[1][..], &choices, &long(bytes), shard(set, name)].concat());
            }
            "diff" if is_index => {
                // The same twice, and one with a byte changed, as itself and behind its checksum's back.
                let data = shard(set, name);
                let mut other = data.to_vec();
                let middle = other.len() / 2;
                other.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0x40);
                // Turn by turn, or the seeds of this target would take longer than all others.
                let kinds = [(1, 1, &other[..]), (5, 0, data), (3, 0, data), (0, 2, &other[..])];
                let (flags, depth, second) = kinds[seeds.len() % kinds.len()];
                let halves = [long(bytes), long(data), long(bytes), long(second)].concat();
                seeds.push([&[flags, depth, 0, 0, 0, 0, 0, 0, 0][..], &halves].concat());
            }
            // One file of seven, of each format in turn into each format, or this target would take longest; of bundles those
            // of one shard.
            "convert" if bytes.len().is_multiple_of(7) && bytes.len() < 16 << 10 => {
                let to = seeds.len() as u8 % 4;
                let kind = match name.rsplit('.').next() {
                    Some("h5") => 2,
                    Some("safetensors") => 3,
                    Some("npz" | "npy") => 4,
                    _ if is_index && set.keys().filter(|other| other.contains(".data-")).count() == 1 => {
                        seeds.push([&[1, to, 0, 9][..], &long(bytes), shard(set, name)].concat());
                        continue;
                    }
                    _ => continue,
                };
                seeds.push([&[kind, to, 0, 9][..], bytes].concat());
            }
            "hdf5" if name.ends_with(".h5") => seeds.push([&choices[..], bytes].concat()),
            "safetensors" if name.ends_with(".safetensors") => seeds.push([&choices[..], bytes].concat()),
            "npz" if name.ends_with(".npz") || name.ends_with(".npy") => seeds.push([&choices[..], bytes].concat()),
            "keras" if name.ends_with(".keras") => seeds.push([&choices[..], bytes].concat()),
            "saver_v1" if is_table && !is_index => {
                seeds.extend([0, 1].map(|kind| [&[kind][..], &choices, bytes].concat()));
            }
            "object_graph" if is_index => {
                // The graph is the last bytes of a shard, behind one length and one checksum.
                let data = shard(set, name);
                let starts = (0..data.len()).filter(|at| data[*at..].starts_with(b"\n"));
                let parses = |at: &usize| {
                    ckpt::read::graphs::object_graph::ObjectGraph::parse(&data[*at..])
                        .is_ok_and(|g| !g.nodes().is_empty())
                };
                seeds.extend(starts.filter(|at| data.len() - at > 40).find(parses).map(|at| data[at..].to_vec()));
            }
            "saved_model" => {
                let kind = match name.rsplit('.').next() {
                    _ if name == "saved_model.pb" => 1,
                    _ if name == "saved_model.pbtxt" => 2,
                    _ if name == "fingerprint.pb" => 3,
                    Some("meta") => 4,
                    Some("pbtxt") => 5,
                    _ => continue,
                };
                seeds.push([&[kind][..], bytes].concat());
                if kind == 4 {
                    seeds.push([&[0][..], bytes].concat());
                }
            }
            "ops" => {
                let kind = match name.rsplit('.').next() {
                    _ if name == "saved_model.pb" => 0,
                    _ if name == "saved_model.pbtxt" => 1,
                    _ if name == "keras_metadata.pb" => 2,
                    Some("meta") => 3,
                    Some("pbtxt") => 4,
                    _ if name == "frozen.pb" => 5,
                    Some("keras") => 6,
                    _ if name == "config.json" => 7,
                    _ => continue,
                };
                seeds.push([&[kind][..], bytes].concat());
            }
            "events" if name.contains(".tfevents.") => seeds.push([&[0][..], bytes].concat()),
            "state" if name.starts_with("checkpoint") || name.ends_with(".txt") => seeds.push(bytes.clone()),
            _ => {}
        }
    }
    if matches!(target, "validate" | "statistics") {
        let mut seed = Vec::new();
        for (name, bytes) in set {
            // Prefixes of fixtures differ; here they all have the same.
            let suffix = name.find(".index").or_else(|| name.find(".data-")).or_else(|| name.find(".meta"));
            let name = suffix.map_or(name.clone(), |at| format!("model.ckpt{}", &name[at..]));
            if let Some(n) = NAMES.iter().position(|known| *known == name) {
                seed.extend([&[n as u8 | 0x80][..], &long(bytes)].concat());
            } else if let Some(n) =
                name.strip_prefix("variables.").and_then(|end| NAMES.iter().position(|k| k.ends_with(end)))
            {
                seed.extend([&[n as u8 | 0x80][..], &long(bytes)].concat());
            }
        }
        seeds.push(seed);
    }
}
