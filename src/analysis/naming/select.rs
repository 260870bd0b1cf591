//! Choosing tensors: globs or regular expressions on names, and terms such as `dtype:bfloat16` or `size:>1M`.
//!
//! One grammar for every command. Terms of one kind are alternatives (`dtype:int8 dtype:int4`), except sizes and
//! ranks, which must all hold; different kinds must all hold; `!` takes away.

use globset::GlobBuilder;
use regex::bytes::Regex;

use super::roles::{Role, Roles, short_name};
use super::selection::Selection;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Parts, Tensor};
use crate::read::tensor::DType;

/// A parsed list of selector terms.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    terms: Vec<(bool, Term)>,
}

#[derive(Clone, Debug)]
enum Term {
    /// A whole name, or a scope that it lies in.
    Name(Vec<u8>),
    Pattern(Regex),
    /// A name as it is shown, with escapes; it may be meant as a glob too.
    Shown(String, Option<Regex>),
    DType(DType),
    Role(Role),
    Shard(i32),
    Size(Compare, u64),
    Rank(Compare, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Selector {
    /// Parses terms as a user writes them; with `regex`, names are regular expressions (found anywhere in the name).
    ///
    /// # Errors
    /// A term that cannot be understood, with what can be written there.
    pub fn parse<S: AsRef<str>>(terms: &[S], regex: bool) -> Result<Self> {
        let terms = terms.iter().map(|term| {
            let term = term.as_ref();
            let (keep, rest) = match term.strip_prefix('!') {
                Some(rest) => (false, rest),
                None => (true, term),
            };
            Ok((keep, Term::parse(rest, regex)?))
        });
        Ok(Self { terms: terms.collect::<Result<_>>()? })
    }

    /// Adds terms, as if they had been written behind the others.
    pub(in crate::analysis) fn extend(&mut self, terms: &[String]) -> Result<()> {
        self.terms.extend(Self::parse(terms, false)?.terms);
        Ok(())
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a term asks what tensors are for.
    pub fn asks_roles(&self) -> bool {
        self.terms.iter().any(|(_, term)| matches!(term, Term::Role(_)))
    }

    /// Whether names are all that its terms ask for.
    pub fn asks_names_only(&self) -> bool {
        self.terms.iter().all(|(_, term)| term.is_name())
    }

    /// Whether the selector takes a tensor of which nothing but the name is known: terms about anything else do not hold.
    pub fn takes_name(&self, name: &[u8]) -> bool {
        let is = |keep: bool| self.terms.iter().filter(move |(of, term)| *of == keep && term.is_name());
        let mut wanted = is(true).peekable();
        self.terms.iter().all(|(keep, term)| !keep || term.is_name())
            && !is(false).any(|(_, term)| term.holds_name(name))
            && (wanted.peek().is_none() || wanted.any(|(_, term)| term.holds_name(name)))
    }

    /// The tensors that the selector takes. Roles are judged only if a term asks for them.
    pub fn select(&self, checkpoint: &Checkpoint) -> Selection {
        let roles = self.asks_roles().then(|| Roles::of(checkpoint));
        self.select_by(checkpoint, |at| roles.as_ref().map_or(Role::Other, |roles| roles.role(at)))
    }

    /// [`Selector::select`] where the roles are known.
    pub fn select_with(&self, checkpoint: &Checkpoint, roles: &Roles) -> Selection {
        self.select_by(checkpoint, |at| roles.role(at))
    }

    fn select_by(&self, checkpoint: &Checkpoint, role: impl Fn(usize) -> Role) -> Selection {
        let tensors = checkpoint.tensors();
        if self.is_empty() {
            return Selection::first(tensors.len());
        }
        let mut cursor = tensors.cursor();
        let next = || loop {
            let (at, tensor) = cursor.advance()?;
            if self.takes(tensor, role(at)) {
                return Some(at);
            }
        };
        std::iter::from_fn(next).collect()
    }

    /// Whether the selector takes a tensor with this role.
    pub fn takes(&self, tensor: &Tensor, role: Role) -> bool {
        if self.terms.iter().any(|(keep, term)| !keep && term.holds(tensor, role)) {
            return false;
        }
        let alternatives = |same: fn(&Term) -> bool| {
            let mut of_kind = self.terms.iter().filter(|(keep, term)| *keep && same(term)).peekable();
            of_kind.peek().is_none() || of_kind.any(|(_, term)| term.holds(tensor, role))
        };
        let all = self.terms.iter().filter(|(keep, term)| *keep && matches!(term, Term::Size(..) | Term::Rank(..)));
        alternatives(Term::is_name)
            && alternatives(|term| matches!(term, Term::DType(_)))
            && alternatives(|term| matches!(term, Term::Role(_)))
            && alternatives(|term| matches!(term, Term::Shard(_)))
            && all.into_iter().all(|(_, term)| term.holds(tensor, role))
    }
}

/// The terms of a list as several selectors, each with one term that takes: a list of what must be so one by one. Terms
/// that take away hold for each.
pub(in crate::analysis) fn alternatives(terms: &[String]) -> Vec<Vec<String>> {
    let (takes, others): (Vec<&String>, Vec<&String>) = terms.iter().partition(|term| !term.starts_with('!'));
    let with_others = |term: Option<&String>| term.into_iter().chain(others.iter().copied()).cloned().collect();
    if takes.is_empty() {
        return vec![with_others(None)];
    }
    takes.into_iter().map(|term| with_others(Some(term))).collect()
}

impl Term {
    fn is_name(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Pattern(_) | Self::Shown(..))
    }

    fn parse(text: &str, regex: bool) -> Result<Self> {
        let bad = |why: String, help: &'static str| Err(Error::new(ErrorKind::Request(why)).with_help(help));
        match text.split_once(':') {
            Some(("dtype", name)) => {
                let help = "for example float32, bfloat16, int64, string";
                return DType::from_name(name)
                    .map_or_else(|| bad(format!("unknown dtype {name:?}"), help), |d| Ok(Self::DType(d)));
            }
            Some(("role", name)) => {
                let help = "one of weight, average, slot, optimizer, counter, string, other";
                let role = Role::from_name(name.strip_suffix('s').unwrap_or(name));
                return role.map_or_else(|| bad(format!("unknown role {name:?}"), help), |role| Ok(Self::Role(role)));
            }
            Some(("shard", number)) => match number.parse() {
                Ok(number) => return Ok(Self::Shard(number)),
                Err(_) => return bad(format!("not a shard number: {number:?}"), "for example shard:0"),
            },
            Some(("size", size)) => match compare(size).and_then(|(how, rest)| Some((how, parse_size(rest)?))) {
                Some((how, size)) => return Ok(Self::Size(how, size)),
                None => return bad(format!("not a size: {size:?}"), "for example size:>1M, size:<=4K, size:400"),
            },
            Some(("rank", rank)) => match compare(rank).and_then(|(how, rest)| Some((how, rest.parse().ok()?))) {
                Some((how, rank)) => return Ok(Self::Rank(how, rank)),
                None => return bad(format!("not a rank: {rank:?}"), "for example rank:2, rank:>=3"),
            },
            _ => {}
        }
        if regex {
            return match Regex::new(text) {
                Ok(regex) => Ok(Self::Pattern(regex)),
                Err(error) => bad(format!("not a regular expression: {error}"), "see the syntax of Rust's regex crate"),
            };
        }
        if !text.contains(['*', '?', '[', '{', '\\']) {
            return Ok(Self::Name(text.trim_end_matches('/').as_bytes().to_vec()));
        }
        // `*` stops at `/`, `**` does not.
        let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
        match glob.map(|glob| Regex::new(glob.regex())) {
            glob if is_shown(text) => {
                Ok(Self::Shown(text.trim_end_matches('/').to_owned(), glob.ok().and_then(std::result::Result::ok)))
            }
            Ok(Ok(regex)) => Ok(Self::Pattern(regex)),
            Ok(Err(error)) => bad(format!("not a glob: {error}"), GLOB),
            Err(error) => bad(format!("not a glob: {}", error.kind()), GLOB),
        }
    }

    fn holds(&self, tensor: &Tensor, role: Role) -> bool {
        match self {
            Self::Name(_) | Self::Pattern(_) | Self::Shown(..) => self.holds_name(&tensor.name),
            Self::DType(dtype) => tensor.dtype == *dtype,
            Self::Role(wanted) => role == *wanted,
            Self::Shard(shard) => match &tensor.parts {
                Parts::Whole(place) => place.shard == *shard,
                Parts::Slices(slices) => slices.places().any(|place| place.is_some_and(|p| p.shard == *shard)),
            },
            Self::Size(how, size) => tensor.bytes().is_some_and(|bytes| how.holds(bytes, *size)),
            Self::Rank(how, rank) => tensor.shape.rank().is_some_and(|have| how.holds(have as u64, *rank)),
        }
    }

    /// Whether a term about names holds for one; others hold for none.
    fn holds_name(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(wanted) => [name, short_name(name)].iter().any(|name| {
                let below = name.strip_prefix(wanted.as_slice());
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || wanted.is_empty())
            }),
            Self::Pattern(regex) => regex.is_match(name) || regex.is_match(short_name(name)),
            Self::Shown(wanted, glob) => {
                let below = escaped(name);
                let below = below.strip_prefix(wanted.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                    || glob.as_ref().is_some_and(|regex| regex.is_match(name) || regex.is_match(short_name(name)))
            }
            Self::DType(_) | Self::Role(_) | Self::Shard(_) | Self::Size(..) | Self::Rank(..) => false,
        }
    }
}

/// Whether text has what [`escaped`] makes of bytes that it does not show as they are: nobody escapes a letter in a glob.
fn is_shown(text: &str) -> bool {
    ["\\n", "\\r", "\\t", "\\0", "\\x", "\\u{"].iter().any(|sequence| text.contains(sequence))
}

/// What a glob may have.
const GLOB: &str = "a glob has * (not across /), **, ?, [abc] and {a,b}; quote it for the shell";

impl Compare {
    fn holds(self, have: u64, wanted: u64) -> bool {
        match self {
            Self::Less => have < wanted,
            Self::AtMost => have <= wanted,
            Self::Equal => have == wanted,
            Self::AtLeast => have >= wanted,
            Self::More => have > wanted,
        }
    }
}

fn compare(text: &str) -> Option<(Compare, &str)> {
    let signs = [
        (">=", Compare::AtLeast),
        ("<=", Compare::AtMost),
        (">", Compare::More),
        ("<", Compare::Less),
        ("=", Compare::Equal),
    ];
    let found = signs.into_iter().find_map(|(sign, how)| Some((how, text.strip_prefix(sign)?)));
    Some(found.unwrap_or((Compare::Equal, text))).filter(|(_, rest)| !rest.is_empty())
}

/// The bytes of `400`, `4K`, `1.5M`, `2GiB`: powers of 1024, as sizes are shown.
pub fn parse_size(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at)?;
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size that a user typed")]
    let bytes = (number * 1024f64.powi(power)).round() as u64;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::checkpoint::Place;
    use crate::read::tensor::Shape;

    fn takes(terms: &[&str], name: &str) -> bool {
        let parts = Parts::Whole(Place { shard: 0, range: Some((0, 24)), crc32c: None });
        let shape = Shape::new([2, 3]);
        let tensor = Tensor { name: name.as_bytes().into(), dtype: DType::Float32, shape, parts };
        Selector::parse(terms, false).unwrap().takes(&tensor, Role::Weight)
    }

    #[test]
    fn globs_stop_at_slashes_and_plain_names_are_scopes() {
        assert!(takes(&["dnn/**/kernel"], "dnn/a/b/kernel"));
        assert!(takes(&["dnn/*/kernel"], "dnn/a/kernel"));
        assert!(!takes(&["dnn/*/kernel"], "dnn/a/b/kernel"));
        assert!(takes(&["dnn"], "dnn/a"));
        assert!(takes(&["dnn/"], "dnn/a"));
        assert!(!takes(&["dnn"], "dnn2/a"));
        assert!(takes(&["net/w"], "net/w/.ATTRIBUTES/VARIABLE_VALUE"));
        assert!(takes(&["**/w"], "net/w/.ATTRIBUTES/VARIABLE_VALUE"));
    }

    #[test]
    fn a_name_can_be_given_as_it_is_shown() {
        for name in ["new\nline", "esc\x1b[31mred", "\u{202e}abc", "tab\t/.ATTRIBUTES/VARIABLE_VALUE", "nul\0/below"] {
            assert!(takes(&[&escaped(short_name(name.as_bytes()))], name), "{name:?}");
        }
        assert!(takes(&["nul\\0"], "nul\0/below"));
        assert!(!takes(&["nul\\0"], "nul\0below"));
        assert!(!takes(&["!tab\\t"], "tab\t"));
        assert!(takes(&["a\\*b"], "a*b") && !takes(&["a\\*b"], "axb"), "other escapes are those of globs");
    }

    #[test]
    fn kinds_must_all_hold_and_negation_takes_away() {
        assert!(takes(&["a", "b", "dtype:float32"], "b"));
        assert!(!takes(&["a", "b", "dtype:int8"], "b"));
        assert!(takes(&["dtype:int8", "dtype:f32"], "b"));
        assert!(!takes(&["**", "!role:weight"], "b"));
        assert!(takes(&["!role:slot"], "b"));
        assert!(takes(&["size:>20", "size:<=24", "rank:2"], "b"));
        assert!(!takes(&["size:>1K"], "b"));
    }

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        assert_eq!(parse_size("1.5M"), Some(1_572_864));
        assert_eq!(parse_size("2GiB"), Some(2 << 30));
        assert_eq!(parse_size("ten"), None);
        assert!(Selector::parse(&["size:>"], false).is_err());
        assert!(Selector::parse(&["role:nothing"], false).is_err());
        assert!(Selector::parse(&["a["], false).is_err());
    }
}
