//! Rules of the house that no compiler checks: which room may use which, where printing is allowed, how long a file
//! may be, and that no fixture changed unnoticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `dir`, as its path from there with slashes, with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name: Vec<&str> =
                    path.strip_prefix(dir).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
                found.insert(name.join("/"), fs::read(&path).unwrap());
            }
        }
    }
    found
}

pub(super) fn sources() -> BTreeMap<String, String> {
    let files = files(&root().join("src")).into_iter().filter(|(name, _)| name.strip_suffix(".rs").is_some());
    let sources: BTreeMap<String, String> =
        files.map(|(name, text)| (name, String::from_utf8(text).unwrap())).collect();
    assert!(sources.len() > 40, "only {} source files", sources.len());
    sources
}

/// The line without its comment.
fn code(line: &str) -> &str {
    line.find("//").map_or(line, |at| &line[..at])
}

/// How far up a room is. A room may use those below it; rooms of one height do not know each other. Rooms of the floors
/// above the reader are taken as one: what is in a circle there is found by `house`.
fn height(room: &str) -> Option<u8> {
    Some(match room {
        "base" => 0,
        "read/wire" => 1,
        "read/storage" => 2,
        "read/table" | "read/tensor" | "read/pb" => 3,
        "read/bundle" | "read/sniff" => 4,
        "read/container" => 5,
        "read/formats" => 6,
        "read/finder" => 7,
        "read/graphs" | "read/events" => 8,
        "read/checkpoint" => 9,
        "analysis" => 10,
        "report" => 11,
        "engine" => 12,
        "cli" | "main" => 13,
        _ => return None,
    })
}

/// The room of a source file: its floor, and in the reader the folder there.
fn room(file: &str) -> String {
    let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    room_of(&parts)
}

fn room_of(parts: &[&str]) -> String {
    match *parts {
        ["read", room, ..] => format!("read/{room}"),
        [floor, ..] => floor.to_owned(),
        [] => String::new(),
    }
}

/// Why `text` in `file` breaks the rule between rooms.
fn breaches(file: &str, text: &str) -> Vec<String> {
    let from = room(file);
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for (at, _) in code(line).match_indices("crate::") {
            // `ckpt::` of the binary names the library, `$crate::` stands in macros.
            let path = &line[at + "crate::".len()..];
            let names = path.split("::").map(|part| {
                let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
                &part[..end]
            });
            let to = room_of(&names.take(2).collect::<Vec<_>>());
            // `pub(in crate::read)`: who may see a thing, not what it uses.
            let seen_by = line[..at].ends_with("pub(in ") && from.split('/').next() == to.split('/').next();
            let why = match (height(&from), height(&to)) {
                _ if to == from || seen_by => continue,
                (Some(here), Some(there)) if there < here => continue,
                (Some(_), Some(_)) => format!("{from} may not use {to}"),
                (None, _) => format!("{from} is not a room: add it to tests/it/tidy.rs"),
                // Types at the root, a group, or a room nobody entered here.
                (_, None) => format!("`crate::{to}` is not a room: name one room a `use`"),
            };
            found.push(format!("src/{file}:{}: {why}", n + 1));
        }
    }
    found
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let sources = sources().into_iter().filter(|(file, _)| file != "lib.rs" && file != "read/mod.rs");
    let breaches: Vec<String> = sources.flat_map(|(file, text)| breaches(&file, &text)).collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_rule_between_rooms_finds_what_it_forbids() {
    let breaks = |file, text| !breaches(file, text).is_empty();
    assert!(breaks("read/table/mod.rs", "use crate::read::tensor::Shape;"), "siblings");
    assert!(breaks("read/wire/crc.rs", "let x = crate::read::bundle::Bundle::open();"), "upwards");
    assert!(breaks("read/bundle/mod.rs", "use crate::{read, base};"), "groups hide names");
    assert!(breaks("read/bundle/mod.rs", "use crate::read::{table, tensor};"), "groups of rooms hide names");
    assert!(breaks("read/checkpoint/mod.rs", "use crate::analysis::Roles;"), "a floor above");
    assert!(breaks("analysis/roles.rs", "use crate::report::Look;"), "a floor above");
    assert!(breaks("kitchen/mod.rs", "use crate::read::wire::Cursor;"), "unknown rooms");
    assert!(!breaks("read/bundle/mod.rs", "use crate::read::tensor::Shape; // not crate::cli"));
    assert!(!breaks("read/bundle/mod.rs", "use crate::read::bundle::Prefix;"));
    assert!(!breaks("read/wire/mod.rs", "use crate::base::escape::Escaped;"));
}

// Another crate can sum without anything else being touched, and every build sums with the one it was made for.
#[test]
fn one_file_knows_which_crate_sums() {
    // What comes before the first test; some tests have a file of their own.
    let own = |text: &str| {
        let tests = ["#[cfg(test)]", "#[test]"].iter().filter_map(|mark| text.find(mark)).min();
        text[..tests.unwrap_or(text.len())].to_owned()
    };
    let names =
        |text: &str| text.lines().any(|line| ["crc32c::crc32c", "crc_fast::"].iter().any(|n| code(line).contains(n)));
    let sources = sources().into_iter().filter(|(_, text)| names(&own(text)));
    let found: Vec<String> = sources.map(|(file, _)| file).collect();
    assert_eq!(found, ["read/wire/crc.rs"]);
}

#[test]
fn only_the_command_line_prints() {
    let mut prints = Vec::new();
    for (file, text) in sources() {
        if room(&file) == "cli" || file == "main.rs" {
            continue;
        }
        for (n, line) in text.lines().enumerate() {
            if ["println!", "print!", "dbg!"].iter().any(|name| code(line).contains(name)) {
                prints.push(format!("src/{file}:{}", n + 1));
            }
        }
    }
    assert!(prints.is_empty(), "printing outside src/cli: {}", prints.join(", "));
}

// Each with its argument in ARCHITECTURE.md; a fourth one needs a better argument than these have.
#[test]
fn unsafe_stands_in_three_files() {
    let has =
        |text: &str| text.lines().any(|line| code(line).contains("unsafe ") || code(line).contains("unsafe_code"));
    let mut found: Vec<String> = sources().into_iter().filter(|(_, text)| has(text)).map(|(file, _)| file).collect();
    found.sort();
    assert_eq!(found, ["engine/library.rs", "read/storage/mmap.rs", "read/tensor/simd.rs"]);
}

/// The code of a file before its tests.
fn own(text: &str) -> &str {
    let tests = ["#[cfg(test)]\n", "#[test]"].iter().filter_map(|mark| text.find(mark)).min();
    &text[..tests.unwrap_or(text.len())]
}

#[test]
fn only_storage_asks_the_disk() {
    // What the standard library can be asked about a path. The command may write files that its user names.
    const ASKS: [&str; 11] = [
        ".is_file()",
        ".is_dir()",
        ".exists()",
        ".try_exists()",
        ".metadata()",
        ".symlink_metadata()",
        ".canonicalize()",
        ".read_dir()",
        ".read_link()",
        "std::fs",
        "fs::read",
    ];
    let mut found = Vec::new();
    for (file, text) in sources() {
        let is_other = room(&file) == "read/storage"
            || ["report/schema/", "cli/print", "cli/step_summary"].iter().any(|other| file.starts_with(other));
        for (n, line) in own(&text).lines().enumerate().filter(|_| !is_other) {
            if ASKS.iter().any(|ask| code(line).contains(ask)) {
                found.push(format!("src/{file}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "ask `read::storage` instead:\n{}", found.join("\n"));
}

#[test]
fn limits_come_from_the_caller() {
    let mut found = Vec::new();
    for (file, text) in sources() {
        // The command makes them; tensors without files meet none.
        let may = room(&file) == "cli" || file.starts_with("report/schema/");
        let lines = own(&text).lines().enumerate().filter(|(_, line)| code(line).contains("Limits::default()"));
        let many = lines.map(|(n, line)| format!("src/{file}:{}: {}", n + 1, line.trim())).collect::<Vec<_>>();
        let spared = usize::from(file == "read/checkpoint/mod.rs");
        if !may && many.len() > spared {
            found.extend(many);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (file, text) in sources() {
        let generated = room(&file) == "read/pb" && text.lines().take(3).any(|line| line.contains("generated"));
        let lines = text.lines().count();
        assert!(lines <= 800 || generated, "src/{file} has {lines} lines");
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.strip_prefix("//! ").is_some_and(|says| says.len() > 10) || generated,
            "src/{file} begins with {first:?}"
        );
    }
}

#[test]
fn fixtures_are_the_ones_whose_sums_were_written_down() {
    let sums = fs::read_to_string(root().join("testdata/SHA256SUMS")).unwrap();
    let listed: BTreeMap<String, String> = sums
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(sum, name)| (name.trim_start_matches("./").to_owned(), sum.to_owned()))
        .collect();
    // Those at the top are about the fixtures; Python leaves its caches where it ran.
    let is_fixture = |name: &str| name.contains('/') && !name.contains("__pycache__");
    let found: BTreeMap<String, String> = files(&root().join("testdata"))
        .into_iter()
        .filter(|(name, _)| is_fixture(name))
        .map(|(name, bytes)| (name, format!("{:x}", Sha256::digest(&bytes))))
        .collect();
    let changed: Vec<&String> =
        found.iter().filter(|(name, sum)| listed.get(*name) != Some(sum)).map(|(n, _)| n).collect();
    assert!(changed.is_empty(), "changed or not listed: {changed:?}; testdata/sums.sh writes the list anew");
    let lost: Vec<&String> = listed.keys().filter(|name| !found.contains_key(*name)).collect();
    assert!(lost.is_empty(), "listed but not there: {lost:?}");
    assert!(listed.len() > 100, "only {} fixtures", listed.len());
}
