//! The structure of the house, held against the code: no file of a room needs another that needs it.

mod imports;

use std::collections::{BTreeMap, BTreeSet};

use super::tidy::sources;
use imports::{Arrows, arrows};

/// Files that reach each other, each circle with what ties it.
fn circles(arrows: &Arrows) -> Vec<String> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            for to in arrows.get(next).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(to) {
                    open.push(to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> = arrows.keys().map(|file| (file, reach(file))).collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for (file, ahead) in &reached {
        let ring: BTreeSet<&String> =
            ahead.iter().copied().filter(|to| reached.get(to).is_some_and(|back| back.contains(file))).collect();
        if ring.is_empty() || told.contains(file) {
            continue;
        }
        let mut says = vec![format!("circle of {} files:", ring.len())];
        for from in &ring {
            told.insert(*from);
            for (to, names) in arrows[*from].iter().filter(|(to, _)| ring.contains(to)) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                says.push(format!("  src/{from} takes {} from src/{to}", names.join(", ")));
            }
        }
        found.push(says.join("\n"));
    }
    found
}

#[test]
fn no_files_need_each_other() {
    let found = circles(&arrows(&sources()));
    assert!(found.is_empty(), "{} circles\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_circle_is_found_through_re_exports_and_paths() {
    let house = |files: &[(&str, &str)]| {
        circles(&arrows(&files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()))
    };
    let lib = ("lib.rs", "mod a; mod b; pub use a::inner::Thing;");
    let a = ("a/mod.rs", "mod inner; pub use inner::Thing;");
    let inner = ("a/inner.rs", "use crate::b; pub struct Thing; fn f() { b::make() }");
    let b = ("b.rs", "pub fn make() -> crate::a::Thing { crate::a::Thing }");
    assert_eq!(house(&[lib, a, inner, b]).len(), 1);
    let b = ("b.rs", "pub fn make() {} #[cfg(test)] mod tests { use crate::a::Thing; }");
    assert!(house(&[lib, a, inner, b]).is_empty());
    // A parent that uses its child, whose child uses what the parent defines.
    let a = ("a/mod.rs", "mod inner; pub const N: u8 = 1; pub fn g() { inner::f() }");
    let inner = ("a/inner.rs", "pub fn f() { super::N; }");
    assert_eq!(house(&[("lib.rs", "mod a;"), a, inner]).len(), 1);
    let a = ("a/mod.rs", "mod inner; pub use inner::f; pub const N: u8 = 1;");
    assert!(house(&[("lib.rs", "mod a;"), a, inner]).is_empty());
}
