//! `tree` for people: runs as trees, what continues in one line, what comes from elsewhere below where it comes from.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::words::{called, last, relation, time, within};
use crate::analysis::descent::{Descent, Leaf, Relation};
use crate::report::findings::text::write_finding;
use crate::report::kit::json::shown;
use crate::report::kit::look::Look;
use crate::report::kit::units::{counted, size};
use crate::report::kit::wrap::folded;

/// How deep lines are moved in.
const DEEPEST: usize = 12;

struct Page<'d> {
    descent: &'d Descent,
    /// Checkpoints by the first that each comes from.
    children: BTreeMap<usize, Vec<usize>>,
    shown: Vec<bool>,
    look: Look,
}

/// Writes the trees.
///
/// # Errors
/// What `out` says.
pub(super) fn descent_text(descent: &Descent, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    let facts = [
        counted(descent.leaves.len() as u64, "checkpoint"),
        counted(descent.runs.len() as u64, "place"),
        format!("{} of tensors", size(descent.bytes)),
    ];
    let root = descent.root.as_os_str();
    let root = if root.is_empty() { String::new() } else { format!("{} · ", shown(&descent.root)) };
    writeln!(out, "{bold}{root}{}{bold:#}\n", facts.join(" · "))?;
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, leaf) in descent.leaves.iter().enumerate() {
        if let Some(from) = leaf.link.as_ref().and_then(|link| link.of.first()) {
            children.entry(*from).or_default().push(at);
        }
    }
    let mut page = Page { descent, children, shown: vec![false; descent.leaves.len()], look };
    for at in 0..descent.leaves.len() {
        if descent.leaves.get(at).is_some_and(|leaf| leaf.link.is_none()) {
            page.tree(at, 0, out)?;
        }
    }
    // Two that come from each other have no root.
    for at in 0..descent.leaves.len() {
        page.tree(at, 0, out)?;
    }
    footer(descent, look, out)
}

impl Page<'_> {
    /// A checkpoint, what continues it, and what comes from these.
    fn tree(&mut self, from: usize, depth: usize, out: &mut dyn Write) -> io::Result<()> {
        let mut next = Some(from);
        while let Some(at) = next {
            let Some(leaf) = self.descent.leaves.get(at).filter(|_| self.shown.get(at) == Some(&false)) else {
                return Ok(());
            };
            let chain = self.chain(at);
            self.line(leaf, at, &chain, depth, out)?;
            for at in std::iter::once(&at).chain(&chain) {
                if let Some(shown) = self.shown.get_mut(*at) {
                    *shown = true;
                }
            }
            let end = chain.last().copied().unwrap_or(at);
            let children = self.children.get(&end).cloned().unwrap_or_default();
            let goes_on = |child: &usize| self.follows(end, *child);
            next = children.iter().copied().find(goes_on);
            for child in children.into_iter().filter(|child| Some(*child) != next) {
                self.tree(child, depth.saturating_add(1).min(DEEPEST), out)?;
            }
        }
        Ok(())
    }

    /// Whether a checkpoint is the next of its run, and training went on.
    fn follows(&self, at: usize, next: usize) -> bool {
        let (Some(a), Some(b)) = (self.descent.leaves.get(at), self.descent.leaves.get(next)) else { return false };
        a.run == b.run
            && b.link.as_ref().is_some_and(|link| {
                link.of == [at] && matches!(link.relation, Relation::Continues | Relation::SameModel)
            })
    }

    /// Those behind a checkpoint that go on in the same way, up to one from which something else comes.
    fn chain(&self, at: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut last = at;
        loop {
            let Some([only]) = self.children.get(&last).map(Vec::as_slice) else { return chain };
            let leaf = |at: usize| self.descent.leaves.get(at);
            let way = |leaf: &Leaf| leaf.link.as_ref().map(|link| (link.relation, link.by, link.frozen.clone()));
            let is_same = match (chain.first(), leaf(*only)) {
                (None, _) => true,
                (Some(first), Some(next)) => leaf(*first).and_then(way) == way(next),
                _ => false,
            };
            let is_whole = leaf(*only).is_some_and(|leaf| leaf.complete == leaf_complete(self.descent, at));
            if !self.follows(last, *only) || !is_same || !is_whole {
                return chain;
            }
            chain.push(*only);
            last = *only;
        }
    }

    fn line(&self, leaf: &Leaf, at: usize, chain: &[usize], depth: usize, out: &mut dyn Write) -> io::Result<()> {
        let (bold, dim) = (self.look.bold(), self.look.dim());
        let indent = depth * 3;
        let mark = if depth > 0 { "└─ " } else { "" };
        let facts = time(leaf);
        let facts = if facts.is_empty() { String::new() } else { format!("  {dim}{}{dim:#}", facts.join(", ")) };
        writeln!(
            out,
            "{:width$}{mark}{bold}{}{bold:#}{facts}",
            "",
            called(self.descent, at),
            width = indent.saturating_sub(mark.chars().count())
        )?;
        let mut say =
            |text: &str| writeln!(out, "{:indent$}   {}", "", folded(text, indent + 3, indent + 5, self.look));
        match &leaf.link {
            Some(link) => say(&relation(self.descent, link))?,
            None if self.descent.leaves.len() > 1 => say("comes from none of the others")?,
            None => {}
        }
        let (Some(first), Some(end)) = (chain.first(), chain.last()) else { return Ok(()) };
        let (Some(next), Some(newest)) = (self.descent.leaves.get(*first), self.descent.leaves.get(*end)) else {
            return Ok(());
        };
        let words = next.link.as_ref().map(|link| relation(self.descent, link)).unwrap_or_default();
        let words = words.replace(&called(self.descent, at), "the one before");
        if chain.len() == 1 {
            return say(&format!("{}: {words}", last(next)));
        }
        let time = time(newest);
        let time = if time.is_empty() { String::new() } else { format!(", {}", time.join(", ")) };
        say(&format!("{} … {} ({} more{time}): each {words}", last(next), last(newest), chain.len()))
    }
}

fn leaf_complete(descent: &Descent, at: usize) -> bool {
    descent.leaves.get(at).is_some_and(|leaf| leaf.complete)
}

fn footer(descent: &Descent, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for stray in &descent.strays {
        let whose = match (stray.of, stray.proved, stray.candidates) {
            (Some(at), true, _) => format!("is the data of {}, by its checksums", called(descent, at)),
            (Some(at), false, _) => {
                format!("has the length of the data of {}, which is not there", called(descent, at))
            }
            (None, _, 0) => "is of no checkpoint here".to_owned(),
            (None, _, n) => {
                format!("has the length of the data of {}; whose it is, is not known", counted(n as u64, "checkpoint"))
            }
        };
        writeln!(out, "{} ({}) has no index, and {whose}", within(descent, &stray.path), size(stray.bytes))?;
    }
    for unread in &descent.unread {
        write_finding(&unread.finding, look, out)?;
    }
    let unrelated = descent.leaves.iter().filter(|leaf| leaf.link.is_none()).count();
    let copies =
        descent.leaves.iter().filter(|l| l.link.as_ref().is_some_and(|l| l.relation == Relation::Copy)).count();
    let mut facts = vec![format!("{} come from none of the others", counted(unrelated as u64, "checkpoint"))];
    if copies > 0 {
        facts.push(format!(
            "{} ({})",
            if copies == 1 { "1 is a copy".to_owned() } else { format!("{copies} are copies") },
            size(descent.copied)
        ));
    }
    facts.push(match descent.repeated {
        0 => "no tensor is there twice".to_owned(),
        bytes => format!("{} of {} repeat tensors of others", size(bytes), size(descent.bytes)),
    });
    writeln!(out, "{}", facts.join(" · "))
}
