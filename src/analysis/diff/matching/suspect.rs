//! Pairs whose contents agree and that are not to be trusted all the same: they break the pattern of the others.
//!
//! Nothing here is certain but what is said: that the others of a kind are paired otherwise. A model in which all of a kind
//! are alike is left alone, however odd its names.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::names::Name;
use super::numbering::Numbering;
use super::orders::{orders, sorted};
use super::work::{Link, Work};
use crate::analysis::diff::Side;
use crate::base::escape::escaped;

/// What tensors of a kind have in common: the forms of their names on both sides.
type Kind = (u32, u32);

/// The order of axes, and how many pairs of a kind have it: those whose shapes leave no other, and all of them.
#[derive(Debug, Default)]
struct Orders(BTreeMap<Vec<usize>, (u32, u32)>);

impl Orders {
    fn add(&mut self, axes: &[usize], is_forced: bool) {
        let votes = self.0.entry(axes.to_vec()).or_default();
        votes.0 += u32::from(is_forced);
        votes.1 += 1;
    }

    fn total(&self) -> u32 {
        self.0.values().map(|votes| votes.1).sum()
    }

    /// The order that all have whose shapes tell, or else two of three; with how many have it.
    fn usual(&self) -> Option<(&[usize], u32)> {
        let forced: Vec<_> = self.0.iter().filter(|(_, votes)| votes.0 > 0).collect();
        if let [(axes, votes)] = forced.as_slice() {
            return Some((axes, votes.1));
        }
        let (axes, votes) = self.0.iter().max_by_key(|(_, votes)| votes.1)?;
        (self.total() >= 3 && votes.1 * 3 >= self.total() * 2).then_some((axes, votes.1))
    }
}

/// Chooses among orders that all hold, and marks what is suspect.
pub(super) fn mark(work: &mut Work<'_>) {
    let (by_kind, by_word) = usual_orders(work);
    choose(work, &by_kind, &by_word);
    let facts = Facts::of(work);
    let (mut why, mut causes): (Vec<(usize, String)>, _) = (Vec::new(), BTreeSet::new());
    for (n, link) in work.links.iter().enumerate().filter(|(_, link)| link.is_proven()) {
        let of_itself = overflow(link).or_else(|| order(work, link, &by_kind, &by_word)).or_else(|| blocks(work, link));
        let reason = match of_itself {
            Some(reason) => Some((reason, Cause::Itself(n))),
            None => names(work, n, link, &facts).map(|reason| (reason, facts.cause(work, n, link))),
        };
        if let Some((reason, cause)) = reason {
            why.push((n, reason));
            causes.insert(cause);
        }
    }
    work.faults = causes.len() as u64;
    for (n, reason) in why {
        if let Some(link) = work.links.get_mut(n) {
            link.suspect = Some(reason);
        }
    }
}

type ByKind = BTreeMap<Kind, Orders>;
type ByWord = BTreeMap<(u32, u32, usize), Orders>;

/// The orders of axes that pairs of a kind have, and those of pairs whose names end alike.
fn usual_orders(work: &Work<'_>) -> (ByKind, ByWord) {
    let (mut by_kind, mut by_word) = (ByKind::new(), ByWord::new());
    // Many tensors have few shapes.
    let mut forced: BTreeMap<[&[u64]; 2], bool> = BTreeMap::new();
    for link in &work.links {
        let ([order], true) = (link.orders.as_slice(), link.is_proven()) else { continue };
        let Some((a, b, x, y)) = both(work, link) else { continue };
        // A shape that leaves no choice says what the layout is.
        let mut is_only = || *forced.entry([&x.dims, &y.dims]).or_insert_with(|| orders(&x.dims, &y.dims).len() == 1);
        let is_forced = link.part.is_none() && is_only();
        by_kind.entry((a.template, b.template)).or_default().add(&order.axes, is_forced);
        by_word.entry(word_key(a, b, x.dims.len())).or_default().add(&order.axes, is_forced);
    }
    (by_kind, by_word)
}

fn word_key(a: &Name, b: &Name, rank: usize) -> (u32, u32, usize) {
    (a.last, b.last, rank)
}

fn both<'w>(
    work: &'w Work<'_>,
    link: &Link,
) -> Option<(&'w Name, &'w Name, &'w super::side::Item, &'w super::side::Item)> {
    let (a, b) = work.two_names(link.items)?;
    let [x, y] = link.items;
    Some((a, b, work.item(0, x)?, work.item(1, y)?))
}

/// Of a symmetric matrix, a constant and the like every order holds: told is the one that the others have.
fn choose(work: &mut Work<'_>, by_kind: &ByKind, by_word: &ByWord) {
    for n in 0..work.links.len() {
        let Some(link) = work.links.get(n).filter(|link| link.orders.len() > 1) else { continue };
        let Some(expected) = expected(work, link, by_kind, by_word) else { continue };
        let at = link.orders.iter().position(|order| order.axes == expected.0);
        if let (Some(at), Some(link)) = (at, work.links.get_mut(n)) {
            link.order = at;
        }
    }
}

/// The order of axes that others of its kind have, and how many these are.
fn expected(work: &Work<'_>, link: &Link, by_kind: &ByKind, by_word: &ByWord) -> Option<(Vec<usize>, u32)> {
    let (a, b, x, y) = both(work, link)?;
    let own = by_kind.get(&(a.template, b.template)).filter(|orders| orders.total() > 1).and_then(Orders::usual);
    // Where only a reshape leads from one to the other, several orders do, and another kind of layer has another.
    let is_plain = sorted(&x.dims) == sorted(&y.dims);
    let usual = own.or_else(|| by_word.get(&word_key(a, b, x.dims.len())).filter(|_| is_plain).and_then(Orders::usual));
    usual.map(|(axes, n)| (axes.to_vec(), n))
}

/// The order in which the two should be compared, by what others have: for those whose values differ.
pub(super) fn usual(work: &Work<'_>) -> impl Fn(&Work<'_>, [usize; 2]) -> Option<Vec<usize>> {
    let (by_kind, by_word) = usual_orders(work);
    move |work, items| {
        let link = Link { items, ..Link::default() };
        expected(work, &link, &by_kind, &by_word).map(|(axes, _)| axes)
    }
}

fn overflow(link: &Link) -> Option<String> {
    let overflows = link.cast.map(|cast| cast.overflows).filter(|n| *n > 0)?;
    Some(match overflows {
        1 => "1 finite value became infinite in the cast".to_owned(),
        n => format!("{n} finite values became infinite in the cast"),
    })
}

/// An order of axes that others of the kind do not have.
fn order(work: &Work<'_>, link: &Link, by_kind: &ByKind, by_word: &ByWord) -> Option<String> {
    let chosen = link.chosen().filter(|_| link.part.is_none() && !link.says_nothing)?;
    let (_, _, x, y) = both(work, link)?;
    if let Some((axes, others)) = expected(work, link, by_kind, by_word)
        && axes != chosen.axes
        && axes.len() == chosen.axes.len()
    {
        let is_possible = orders(&x.dims, &y.dims).iter().any(|order| order.axes == axes);
        let has =
            |axes: &[usize]| if axes.is_sorted() { "not transposed".to_owned() } else { format!("axes {axes:?}") };
        // Another shape than the usual order makes: that alone may be another kind of layer.
        if is_possible || others >= 2 {
            let like = if others == 1 { "1 like it has".to_owned() } else { format!("{others} like it have") };
            let theirs = if axes.is_sorted() { "their axes in order".to_owned() } else { has(&axes) };
            return Some(format!("{}, where {like} {theirs}", has(&chosen.axes)));
        }
    }
    window(&chosen.axes, &x.dims, &y.dims)
}

/// Orders of the four axes of a convolution's kernel that lead from one layout in use to another.
const LAYOUTS: &[[usize; 4]] = &[[0, 1, 2, 3], [3, 2, 0, 1], [2, 3, 1, 0], [3, 0, 1, 2], [1, 2, 3, 0]];

/// The same where a layer has one filter a channel.
const DEPTHWISE: &[[usize; 4]] = &[[2, 3, 0, 1], [3, 2, 1, 0], [0, 1, 3, 2], [2, 0, 1, 3], [1, 2, 0, 3]];

/// An order of the axes of a convolution that no layout has.
fn window(axes: &[usize], a: &[u64], b: &[u64]) -> Option<String> {
    let axes: [usize; 4] = axes.try_into().ok()?;
    let is_window = |dims: &[u64]| matches!(dims, [h, w, ..] if *h <= 16 && *w <= 16);
    let is_behind = |dims: &[u64]| matches!(dims, [.., h, w] if *h <= 16 && *w <= 16);
    if !(is_window(a) || is_behind(a)) || a.len() != 4 || b.len() != 4 {
        return None;
    }
    let is_known = LAYOUTS.contains(&axes) || (a.contains(&1) && DEPTHWISE.contains(&axes));
    // Of axes of one length some orders look alike.
    let is_square = a.iter().enumerate().any(|(n, dim)| *dim == 1 || a.iter().skip(n + 3).any(|other| other == dim));
    (!is_known && !is_square)
        .then(|| format!("axes {axes:?} lead from no layout of convolutions that is in use to another"))
}

/// Blocks in another order than those of the tensors beside it, or in one that no recurrent layer has.
fn blocks(work: &Work<'_>, link: &Link) -> Option<String> {
    /// Gates as frameworks order them: i f c o, i c f o, i o f c; z r h, r z h.
    const GATES: &[&[usize]] = &[&[0, 2, 1, 3], &[0, 3, 1, 2], &[0, 2, 3, 1], &[0, 1, 3, 2], &[0, 3, 2, 1], &[1, 0, 2]];
    let (a, ..) = both(work, link)?;
    let scope = |name: &Name| name.text.rsplit_once(['/', '.']).map(|(scope, _)| scope.to_owned()).unwrap_or_default();
    let own = scope(a);
    let length = |link: &Link| {
        let blocks = link.blocks.as_ref()?;
        both(work, link)?.3.dims.get(blocks.axis).copied()
    };
    let beside = |other: &&Link| {
        let is_other = other.items != link.items && other.is_proven() && !other.says_nothing;
        is_other && both(work, other).is_some_and(|(name, ..)| scope(name) == own)
    };
    let length = length(link)?;
    for other in work.links.iter().filter(beside) {
        let Some((name, _, _, item)) = both(work, other) else { continue };
        if item.dims.contains(&length)
            && other.blocks.as_ref().map(|blocks| &blocks.order) != link.blocks.as_ref().map(|blocks| &blocks.order)
        {
            return Some(format!(
                "its blocks stand in another order, and those of {} do not",
                escaped(name.text.as_bytes())
            ));
        }
    }
    let order = link.blocks.as_ref().map(|blocks| blocks.order.as_slice())?;
    let kind = |link: &Link| work.two_names(link.items).map(|(a, b)| (a.template, b.template));
    let alike = work.links.iter().filter(|other| other.is_proven() && !other.says_nothing && kind(other) == kind(link));
    let others = alike.filter(|other| other.blocks.as_ref().map(|blocks| &blocks.order[..]) != Some(order)).count();
    if others > 0 {
        return Some(format!("its blocks stand in another order, where {others} like it have theirs in order"));
    }
    (!GATES.contains(&order))
        .then(|| "its blocks stand in an order that no recurrent layer is known to have".to_owned())
}

/// What makes pairs suspect, so that the two sides of an exchange, and all tensors of two layers, have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// The pair, by its number.
    Itself(usize),
    /// Two numbers in names that changed places.
    Numbers(i128, i128),
    /// Names with these numbers in two scopes that changed places.
    Scopes(Vec<u64>, [u32; 2]),
    /// The same of siblings, such as query and key, that no other layer tells apart.
    Siblings(Vec<u64>, usize),
    /// Parts of a fused tensor, by its number, that changed places.
    Parts(usize),
}

/// Pairs that are looked at to say which two were exchanged.
const LOOKS: usize = 1 << 22;

/// What all names together say.
struct Facts {
    numbers: Numbering,
    /// Whether more pairs have one name in plain words than have one that another tensor has too.
    names_are_kept: bool,
    /// Where in fused tensors parts of a kind begin, and how many do there.
    starts: BTreeMap<Kind, BTreeMap<u64, usize>>,
    /// Scopes of B, with those of A that tensors of theirs were found for, and how many; without numbers.
    scopes: BTreeMap<u32, BTreeMap<u32, usize>>,
    /// Pairs that may still be looked at to say which two were exchanged.
    looks: Cell<usize>,
}

impl Facts {
    fn of(work: &Work<'_>) -> Self {
        let sure = || work.links.iter().filter(|link| link.is_proven() && !link.says_nothing && !link.by_name);
        let names = || sure().filter_map(|link| Some((link, work.two_names(link.items)?)));
        let kept = names().filter(|(_, (a, b))| a.key == b.key).count();
        let moved = names().filter(|(link, (a, b))| {
            a.key != b.key && work.namesake(a).is_some_and(|namesake| namesake != link.items[1])
        });
        let moved = moved.count();
        let mut starts: BTreeMap<Kind, BTreeMap<u64, usize>> = BTreeMap::new();
        let mut scopes: BTreeMap<u32, BTreeMap<u32, usize>> = BTreeMap::new();
        for link in work.links.iter().filter(|link| link.is_proven()) {
            let Some((a, b)) = work.two_names(link.items) else { continue };
            *scopes.entry(b.around).or_default().entry(a.around).or_default() += 1;
            if let Some(part) = link.part {
                *starts.entry((a.template, b.template)).or_default().entry(part.start).or_default() += 1;
            }
        }
        Self {
            numbers: Numbering::of(names().map(|(_, names)| names)),
            names_are_kept: kept > 0 && kept >= moved,
            starts,
            scopes,
            looks: Cell::new(LOOKS),
        }
    }

    /// Why names of a pair do not fit.
    fn cause(&self, work: &Work<'_>, n: usize, link: &Link) -> Cause {
        let Some((a, b)) = work.two_names(link.items) else { return Cause::Itself(n) };
        if let Some((x, y)) = self.numbers.exchanged(a, b) {
            return Cause::Numbers(x.min(y), x.max(y));
        }
        if let Some(part) = link.part {
            return Cause::Parts(if part.fused == Side::A { link.items[0] } else { link.items[1] });
        }
        // The scope that its partner is usually found for.
        let votes = self.scopes.get(&b.around).into_iter().flatten();
        let usual = votes.max_by_key(|(_, votes)| **votes).map_or(a.around, |(scope, _)| *scope);
        match (a.sibling, b.sibling) {
            (Some((family, _)), Some((other, _))) if usual == a.around && family == other => {
                Cause::Siblings(a.numbers.clone(), family)
            }
            _ => Cause::Scopes(a.numbers.clone(), [a.around.min(usual), a.around.max(usual)]),
        }
    }

    /// Another place in the fused tensor than the others of the kind have.
    fn place(&self, link: &Link, a: &Name, b: &Name) -> Option<String> {
        let starts = self.starts.get(&(a.template, b.template))?;
        let own = link.part?;
        let total: usize = starts.values().sum();
        let (usual, others) = starts.iter().max_by_key(|(_, n)| **n)?;
        let is_usual = total >= 3 && others * 3 >= total * 2;
        (is_usual && *usual != own.start)
            .then(|| format!("the part that begins at {}, where {others} like it begin at {usual}", own.start))
    }
}

/// Names that say another partner.
fn names(work: &Work<'_>, n: usize, link: &Link, facts: &Facts) -> Option<String> {
    if link.says_nothing || link.by_name {
        return None;
    }
    let (a, b, ..) = both(work, link)?;
    if link.part.is_some() {
        return facts.numbers.broken_by(a, b).or_else(|| facts.place(link, a, b));
    }
    let (these, most, any) = work.lessons.templates(a, b);
    let is_usual = these * 2 > any && any >= 3;
    let shown = |name: &Name| escaped(name.text.as_bytes()).into_owned();
    // Looked for only once something is wrong: it goes through all pairs.
    let exchanged = || {
        let left = facts.looks.get().checked_sub(work.links.len())?;
        facts.looks.set(left);
        exchanged(work, n, link)
    };
    let is_sibling = matches!((a.sibling, b.sibling), (Some(one), Some(other)) if one.0 == other.0 && one.1 != other.1);
    if is_sibling && !is_usual {
        let text = format!("{} is paired with {}, which its name is not", shown(a), shown(b));
        return Some(with(text, exchanged()));
    }
    if any >= 3 && these < most && most * 3 >= any * 2 {
        let others = most;
        let example = work.links.iter().filter(|other| other.is_proven()).find_map(|other| {
            let (name, partner) = work.two_names(other.items)?;
            (name.template == a.template && partner.template != b.template).then(|| shown(partner))
        });
        let example = example.map(|name| format!(" with names such as {name}")).unwrap_or_default();
        return Some(with(format!("{others} named like {} are paired{example}", shown(a)), exchanged()));
    }
    if let Some(text) = facts.numbers.broken_by(a, b) {
        return Some(with(text, exchanged()));
    }
    // The very name is there, and is another tensor; where names are mostly kept.
    let namesake = work.namesake(a).filter(|_| facts.names_are_kept)?;
    let is_other = a.key != b.key && namesake != link.items[1];
    let name = work.names[1].get(namesake).filter(|_| is_other)?;
    Some(with(format!("B has {}, whose name is that of {}", shown(name), shown(a)), exchanged()))
}

fn with(text: String, exchanged: Option<String>) -> String {
    match exchanged {
        Some(other) => format!("{text}; exchanged with {other}"),
        None => text,
    }
}

/// The pair with which this one would have to change partners for all names to fit better.
fn exchanged(work: &Work<'_>, n: usize, link: &Link) -> Option<String> {
    let [a, b] = link.items;
    let own = work.fit([a, b]);
    let is_same_kind = |other: &Link| {
        other.orders.first().map(|order| order.walk.len()) == link.orders.first().map(|order| order.walk.len())
    };
    let others =
        work.links.iter().enumerate().filter(|(at, other)| *at != n && other.is_proven() && is_same_kind(other));
    let better = |other: &Link| {
        let [theirs, partner] = other.items;
        let better = work.fit([a, partner]) + work.fit([theirs, b]) - own - work.fit([theirs, partner]);
        (better > 12).then_some((better, theirs))
    };
    let found = others.filter_map(|(_, other)| better(other));
    let (_, found) = found.max_by_key(|(better, item)| (*better, std::cmp::Reverse(*item)))?;
    work.names[0].get(found).map(|name| escaped(name.text.as_bytes()).into_owned())
}
