//! Which file of `src/` takes names from which other, read from the tokens of the code itself: `use` lines and paths
//! written out, through re-exports, to the file that defines the name. Test modules are left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written, a segment each.
type Segments = Vec<String>;

/// What one file says of others.
#[derive(Default)]
struct Module {
    /// Modules that it declares.
    children: BTreeSet<String>,
    /// Names that it brings in or hands on, with the paths they stand for; `*` is a glob.
    names: Vec<(String, Segments)>,
    /// Paths of two segments and more in its code.
    paths: BTreeSet<Segments>,
    /// Words of its code that are no path's later segment: the names that it uses, and not only hands on.
    words: BTreeSet<String>,
}

/// Arrows between files: who takes something, from whom, and what.
pub(super) type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The arrows between these files, named as they lie below `src/`.
pub(super) fn arrows(sources: &BTreeMap<String, String>) -> Arrows {
    let mut modules = BTreeMap::new();
    for (file, text) in sources {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("src/{file}: {error}"));
        let mut module = Module::default();
        read(&tokens.into_iter().collect::<Vec<_>>(), &mut module);
        modules.insert(path_of(file), (file.clone(), module));
    }
    let house = House(declared(modules));
    let mut arrows = Arrows::new();
    for (at, (file, module)) in &house.0 {
        let words = &module.words;
        let used = module.names.iter().filter(|(name, _)| words.contains(name)).map(|(_, path)| path);
        for path in module.paths.iter().chain(used) {
            let Some((target, name)) = house.follow(at, path, 0) else { continue };
            let target = &house.0[&target].0;
            if target != file {
                arrows.entry(file.clone()).or_default().entry(target.clone()).or_default().insert(name);
            }
        }
    }
    arrows
}

/// The modules that others declare outside of tests, from the roots of the library and of the binary on.
fn declared(mut all: BTreeMap<Segments, (String, Module)>) -> BTreeMap<Segments, (String, Module)> {
    let mut kept = BTreeMap::new();
    let mut open = vec![Vec::new(), vec!["main".to_owned()]];
    while let Some(path) = open.pop() {
        let Some((file, module)) = all.remove(&path) else { continue };
        let inside = if file == "main.rs" { Vec::new() } else { path.clone() };
        open.extend(module.children.iter().map(|child| [&inside[..], std::slice::from_ref(child)].concat()));
        kept.insert(path, (file, module));
    }
    kept
}

/// The module that a file is: `a/b/mod.rs` is `[a, b]`, `lib.rs` the root. The binary is a crate of its own.
fn path_of(file: &str) -> Segments {
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

struct House(BTreeMap<Segments, (String, Module)>);

impl House {
    /// The module in which the thing is defined that `path` means in module `at`, and the thing's name.
    fn follow(&self, at: &[String], path: &[String], depth: usize) -> Option<(Segments, String)> {
        if depth > 16 {
            return None;
        }
        let first = path.first()?;
        let (mut here, mut rest) = match first.as_str() {
            "crate" | "ckpt" => (Vec::new(), &path[1..]),
            "self" => (at.to_vec(), &path[1..]),
            "super" => (at[..at.len().checked_sub(1)?].to_vec(), &path[1..]),
            _ => {
                let (_, module) = self.0.get(at)?;
                if module.children.contains(first) {
                    (at.to_vec(), path)
                } else {
                    // A name that was brought in.
                    let (_, brought) = module.names.iter().find(|(name, _)| name == first)?;
                    let whole: Segments = brought.iter().chain(&path[1..]).cloned().collect();
                    return (brought.first() != Some(first)).then(|| self.follow(at, &whole, depth + 1))?;
                }
            }
        };
        loop {
            let Some(next) = rest.first() else { return Some((here, "itself".to_owned())) };
            let (_, module) = self.0.get(&here)?;
            if next == "super" {
                here.pop()?;
            } else if module.children.contains(next) {
                here.push(next.clone());
            } else if let Some((_, handed)) = module.names.iter().find(|(name, _)| name == next) {
                let whole: Segments = handed.iter().chain(&rest[1..]).cloned().collect();
                return self.follow(&here, &whole, depth + 1);
            } else {
                let mut glob = module.names.iter().filter(|(name, _)| name == "*");
                let found = glob.find_map(|(_, from)| self.follow(&here, from, depth + 1));
                return Some(found.map_or((here, next.clone()), |(module, _)| (module, next.clone())));
            }
            rest = &rest[1..];
        }
    }
}

/// Reads one level of tokens, and what is in its groups.
fn read(tokens: &[TokenTree], module: &mut Module) {
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(mark) if mark.as_char() == '#' && is_test(tokens.get(at + 1)) => {
                at += item(&tokens[at..]);
            }
            TokenTree::Ident(word) if word == "mod" && is_mark(tokens.get(at + 2), ';') => {
                module.children.insert(tokens[at + 1].to_string());
                at += 2;
            }
            // `pub(in crate::room)` takes nothing from that room.
            TokenTree::Ident(word) if word == "pub" && matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) => {
                at += 1;
            }
            TokenTree::Ident(word) if word == "use" => {
                let len = until_semicolon(&tokens[at..]);
                tree(&tokens[at + 1..at + len], &mut Vec::new(), module);
                at += len;
            }
            TokenTree::Ident(_) => {
                let (path, len) = written(&tokens[at..]);
                // What begins with a small letter may be a variable: a function is called, a module or macro entered.
                let next = tokens.get(at + len);
                let is_called =
                    matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                let is_name = path[0].starts_with(|first: char| first.is_uppercase());
                if path.len() > 1 || is_called || is_name || is_mark(next, '!') {
                    module.words.insert(path[0].clone());
                }
                if path.len() > 1 {
                    module.paths.insert(path);
                }
                at += len - 1;
            }
            TokenTree::Group(group) => read(&group.stream().into_iter().collect::<Vec<_>>(), module),
            _ => {}
        }
        at += 1;
    }
}

/// A path at the front of these tokens, and how many tokens it takes.
fn written(tokens: &[TokenTree]) -> (Segments, usize) {
    let mut path = vec![tokens[0].to_string()];
    let mut at = 1;
    while is_mark(tokens.get(at), ':') && is_mark(tokens.get(at + 1), ':') {
        let Some(TokenTree::Ident(word)) = tokens.get(at + 2) else { break };
        path.push(word.to_string());
        at += 3;
    }
    (path, at)
}

/// The tree of a `use` line.
fn tree(tokens: &[TokenTree], base: &mut Segments, module: &mut Module) {
    for branch in tokens.split(|token| is_mark(Some(token), ',')) {
        let depth = base.len();
        let mut alias = None;
        let mut at = 0;
        while at < branch.len() {
            match &branch[at] {
                TokenTree::Ident(word) if word == "as" => {
                    alias = branch.get(at + 1).map(ToString::to_string);
                    at += 1;
                }
                TokenTree::Ident(word) if word == "self" && base.len() > depth.min(1) && at == 0 && depth > 0 => {}
                TokenTree::Ident(word) => base.push(word.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    tree(&group.stream().into_iter().collect::<Vec<_>>(), base, module);
                    base.truncate(depth);
                    alias = None;
                }
                TokenTree::Punct(mark) if mark.as_char() == '*' => {
                    module.names.push(("*".to_owned(), base.clone()));
                    base.truncate(depth);
                }
                _ => {}
            }
            at += 1;
        }
        let is_self = matches!(branch, [TokenTree::Ident(word)] if word == "self");
        if base.len() > depth || is_self {
            let name = alias.unwrap_or_else(|| base.last().cloned().unwrap_or_default());
            module.names.push((name, base.clone()));
        }
        base.truncate(depth);
    }
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == mark)
}

/// Whether this is the `[cfg(test)]` of an attribute.
fn is_test(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

fn until_semicolon(tokens: &[TokenTree]) -> usize {
    tokens.iter().position(|token| is_mark(Some(token), ';')).unwrap_or(tokens.len() - 1)
}

/// How many tokens after the first belong to the item that follows an attribute: up to its body or its semicolon.
fn item(tokens: &[TokenTree]) -> usize {
    let end = |token: &TokenTree| {
        is_mark(Some(token), ';') || matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace)
    };
    tokens.iter().position(end).unwrap_or(tokens.len() - 1)
}
