//! Values written out, as in Python or JSON: `[[1.0, 2.0]]`, `"text"`, `[True, False]`, `1+2j`, `zeros((1, 28, 28))`,
//! with or without NumPy's name in front.

use super::number::Number;
use super::numeral::numeral;
use super::value::{Data, Typed, Value, request};
use crate::base::error::Result;
use crate::base::escape::escaped;
use crate::read::tensor::DType;

/// How deep lists may stand in one another: NumPy's limit.
const DEEPEST: usize = 64;

/// Most elements that a short text may stand for, as in `zeros((…))`.
const MOST: u64 = 1 << 28;

/// Words that begin a literal, and no name of a file that anybody gives.
const WORDS: [&str; 4] = ["True", "False", "true", "false"];

/// Functions that make a value.
const MAKERS: [&str; 4] = ["zeros", "ones", "full", "array"];

/// Whether a text is meant as a value, and not as the path of a file that has one.
pub fn looks_like_literal(text: &str) -> bool {
    let text = text.trim();
    let first = text.chars().next();
    let quoted = text.strip_prefix(['b', 'u']).unwrap_or(text).starts_with(['"', '\'']);
    let is_number = || numeral(text).is_some_and(|(_, rest)| rest.trim().is_empty());
    first.is_some_and(|c| matches!(c, '[' | '('))
        || quoted
        || WORDS.contains(&text)
        || maker(text).is_some()
        || is_number()
}

/// The function that a text calls, and what is behind its parenthesis.
fn maker(text: &str) -> Option<(&str, &str)> {
    let bare = ["np.", "numpy."].iter().find_map(|module| text.strip_prefix(module)).unwrap_or(text);
    let (name, rest) = bare.split_once('(')?;
    MAKERS.contains(&name.trim()).then_some((name.trim(), rest))
}

/// Reads a value that is written out.
///
/// # Errors
/// What is wrong and where, if it is none.
pub fn parse_literal(text: &str) -> Result<Value> {
    let mut parser = Parser::new(text.trim());
    let value = match maker(parser.rest) {
        Some((name, rest)) => {
            parser.rest = rest;
            parser.made(name)?
        }
        None => parser.value()?,
    };
    if parser.rest.trim().is_empty() { Ok(value) } else { Err(parser.bad("nothing more")) }
}

/// A text that is read from its beginning.
struct Parser<'t> {
    whole: &'t str,
    rest: &'t str,
}

/// Elements as they are met.
#[derive(Default)]
struct Found {
    numbers: Vec<Number>,
    strings: Vec<Vec<u8>>,
    /// The length of the lists at each depth.
    shape: Vec<u64>,
    /// The depth of the elements, once one was met.
    depth: Option<usize>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { whole: text, rest: text }
    }

    fn bad(&self, wanted: &str) -> crate::base::error::Error {
        let at = self.whole.len().saturating_sub(self.rest.trim_start().len());
        let behind: String = self.rest.trim_start().chars().take(12).collect();
        let what = if behind.is_empty() { "its end".to_owned() } else { format!("'{}'", escaped(behind.as_bytes())) };
        request(format!("{wanted} expected at {what}, character {} of the value", at.saturating_add(1)))
    }

    fn skip(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Result<Value> {
        let mut found = Found::default();
        self.any(0, &mut found)?;
        let (shape, depth) = (found.shape, found.depth);
        let data = match (found.strings.is_empty(), found.numbers.is_empty()) {
            (false, false) => return Err(request("strings and numbers stand in one value".to_owned())),
            (false, true) => Data::Strings(found.strings),
            _ => Data::Typed(Typed(found.numbers)),
        };
        debug_assert!(depth.is_none_or(|depth| depth == shape.len()));
        Ok(Value { shape, data })
    }

    fn any(&mut self, depth: usize, found: &mut Found) -> Result<()> {
        let close = match self.rest.trim_start().chars().next() {
            Some('[') => ']',
            Some('(') => ')',
            _ => return self.element(depth, found),
        };
        if depth >= DEEPEST {
            return Err(request(format!("lists in lists, more than {DEEPEST} deep")));
        }
        // A complex number stands in parentheses as Python prints it.
        if close == ')'
            && let Some((number, rest)) = numeral(self.rest.trim_start().get(1..).unwrap_or_default())
            && let Some(rest) = rest.trim_start().strip_prefix(')')
        {
            self.rest = rest;
            return Self::keep(depth, found, |found| found.numbers.push(number)).ok_or_else(|| self.ragged());
        }
        self.rest = self.rest.trim_start().get(1..).unwrap_or_default();
        let is_first = found.shape.len() == depth;
        if is_first {
            found.shape.push(0);
        }
        let mut count = 0u64;
        while !self.skip(close) {
            self.any(depth.saturating_add(1), found)?;
            count = count.saturating_add(1);
            if !self.skip(',') && !self.rest.trim_start().starts_with(close) {
                return Err(self.bad(&format!("`,` or `{close}`")));
            }
        }
        match found.shape.get_mut(depth) {
            Some(len) if is_first => *len = count,
            Some(len) if *len == count && found.depth.is_none_or(|deep| deep > depth) => {}
            _ => return Err(self.ragged()),
        }
        Ok(())
    }

    fn ragged(&self) -> crate::base::error::Error {
        let at = self.whole.len().saturating_sub(self.rest.len());
        request(format!(
            "its lists are not of one length: the one that ends at character {at} differs from those before"
        ))
    }

    /// Takes an element, if all elements stand as deep.
    fn keep(depth: usize, found: &mut Found, take: impl FnOnce(&mut Found)) -> Option<()> {
        (*found.depth.get_or_insert(depth) == depth && found.shape.len() == depth).then(|| take(found))
    }

    fn element(&mut self, depth: usize, found: &mut Found) -> Result<()> {
        let text = self.rest.trim_start();
        let string = text.strip_prefix(['b', 'u']).unwrap_or(text);
        if string.starts_with(['"', '\'']) {
            self.rest = string;
            let string = self.string()?;
            return Self::keep(depth, found, |found| found.strings.push(string)).ok_or_else(|| self.ragged());
        }
        for (word, value) in [("True", true), ("true", true), ("False", false), ("false", false)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.rest = rest;
                let take = |found: &mut Found| found.numbers.push(Number::Bool(value));
                return Self::keep(depth, found, take).ok_or_else(|| self.ragged());
            }
        }
        let Some((number, rest)) = numeral(self.rest) else {
            return Err(self.bad("a number, a quoted string, True, False or a list"));
        };
        self.rest = rest;
        Self::keep(depth, found, |found| found.numbers.push(number)).ok_or_else(|| self.ragged())
    }

    fn string(&mut self) -> Result<Vec<u8>> {
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map(|(_, c)| c);
        let mut bytes = Vec::new();
        while let Some((at, c)) = chars.next() {
            if Some(c) == quote {
                self.rest = self.rest.get(at.saturating_add(1)..).unwrap_or_default();
                return Ok(bytes);
            }
            if c != '\\' {
                put(c, &mut bytes);
                continue;
            }
            let digits = match chars.next().map(|(_, c)| c) {
                Some('x') => 2,
                Some('u') => 4,
                Some('U') => 8,
                other => {
                    let meant = other.and_then(escape);
                    put(meant.ok_or_else(|| self.bad("a string with escapes that Python and JSON have"))?, &mut bytes);
                    continue;
                }
            };
            let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
            let number = u32::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == digits);
            match number {
                // A byte, as in Python's bytes: models have byte strings.
                Some(number) if digits == 2 => bytes.push(u8::try_from(number).unwrap_or_default()),
                Some(number) => {
                    let c = char::from_u32(number).ok_or_else(|| self.bad("an escape that is a character"))?;
                    put(c, &mut bytes);
                }
                None => return Err(self.bad("a string with escapes of as many digits as they have")),
            }
        }
        Err(self.bad("a string with its end"))
    }

    /// What `zeros((2, 3))`, `ones(3)`, `full((2,), 0.5)`, `array([1, 2])` make; a dtype may be named and is taken from
    /// the model.
    fn made(&mut self, name: &str) -> Result<Value> {
        let first = self.value()?;
        let value = if name == "array" { first } else { self.filled(name, &first)? };
        if self.skip(',') {
            let text = self.rest.trim_start();
            let dtype = text.strip_prefix("dtype").map(str::trim_start).and_then(|text| text.strip_prefix('='));
            let dtype = dtype.unwrap_or(text).trim_start();
            let end = dtype.find([')', ',']).unwrap_or(dtype.len());
            let (word, rest) = dtype.split_at_checked(end).unwrap_or_default();
            let word = word.trim().trim_matches(['\'', '"']);
            let bare = word.rsplit('.').next().unwrap_or_default();
            if DType::from_name(bare).is_none()
                && !matches!(bare, "int" | "str" | "object" | "object_" | "bool_" | "bytes_" | "str_")
            {
                return Err(self.bad("a dtype"));
            }
            self.rest = rest;
        }
        if self.skip(')') { Ok(value) } else { Err(self.bad("`)`")) }
    }

    fn filled(&mut self, name: &str, shape: &Value) -> Result<Value> {
        let number = match name {
            "zeros" => Number::Float(0.0),
            "ones" => Number::Float(1.0),
            _ => {
                let found = self.rest.trim_start().strip_prefix(',').and_then(numeral);
                let (number, rest) = found.ok_or_else(|| self.bad("a number to fill with"))?;
                self.rest = rest;
                number
            }
        };
        let bad = || request(format!("{name} wants a shape of whole numbers: {name}((2, 3))"));
        let Data::Typed(Typed(dims)) = &shape.data else { return Err(bad()) };
        let dim = |number: &Number| match number {
            Number::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        };
        let dims: Option<Vec<u64>> = dims.iter().map(dim).collect();
        let dims = dims.filter(|_| shape.shape.len() <= 1).ok_or_else(bad)?;
        let count = dims.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim)).filter(|n| *n <= MOST);
        let Some(count) = count.and_then(|count| usize::try_from(count).ok()) else {
            return Err(request(format!("{name} of more than {MOST} elements; write them into a file")));
        };
        Ok(Value { shape: dims, data: Data::Typed(Typed(vec![number; count])) })
    }
}

fn put(c: char, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What an escape of one character means.
fn escape(c: char) -> Option<char> {
    Some(match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '0' => '\0',
        '\\' | '\'' | '"' | '/' => c,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Vec<u64>, String) {
        let value = parse_literal(text).unwrap();
        let text = match value.data {
            Data::Typed(Typed(numbers)) => numbers.into_iter().map(Number::text).collect::<Vec<_>>().join(" "),
            Data::Strings(strings) => strings.iter().map(|s| escaped(s).into_owned()).collect::<Vec<_>>().join("|"),
            Data::Numbers(..) => unreachable!("a literal has no dtype"),
        };
        (value.shape, text)
    }

    #[test]
    fn values_as_python_and_json_write_them() {
        for (text, shape, values) in [
            ("[[1.0, 2.0]]", vec![1, 2], "1.0 2.0"),
            (" ( (1,2), (3,4,), ) ", vec![2, 2], "1 2 3 4"),
            ("5", vec![], "5"),
            ("-5e-1", vec![], "-0.5"),
            ("[.5, 1., 1e3, 0xff, 1_000]", vec![5], "0.5 1.0 1000.0 255 1000"),
            ("[nan, inf, -inf, -Infinity, NaN]", vec![5], "nan inf -inf -inf nan"),
            ("[True, false]", vec![2], "True False"),
            ("[1+2j, 3j, (1-2j), -1]", vec![4], "(1+2j) (0+3j) (1-2j) -1"),
            ("[]", vec![0], ""),
            ("[[], []]", vec![2, 0], ""),
            (r#"["a", 'b"c', "d\n\u00e9", b'\x41']"#, vec![4], "a|b\"c|d\\n\u{e9}|A"),
            ("\"text\"", vec![], "text"),
            ("zeros((2,1))", vec![2, 1], "0.0 0.0"),
            ("np.ones(3)", vec![3], "1.0 1.0 1.0"),
            ("np.full((2,), 7)", vec![2], "7 7"),
            ("np.array([[1, 2]], dtype=np.float32)", vec![1, 2], "1 2"),
            ("numpy.zeros([1, 2], 'int64')", vec![1, 2], "0.0 0.0"),
            ("ones(())", vec![], "1.0"),
        ] {
            assert!(looks_like_literal(text), "{text}");
            assert_eq!(of(text), (shape, values.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_told_with_its_place() {
        for (text, why) in [
            ("[[1, 2], [3]]", "not of one length"),
            ("[[1, 2], 3]", "not of one length"),
            ("[1, [2]]", "not of one length"),
            ("[[], [1]]", "not of one length"),
            ("[1, 2", "`,` or `]` expected at its end"),
            ("[1 2]", "`,` or `]` expected at '2]', character 4"),
            ("[1, x]", "expected at 'x]', character 5"),
            ("[1, \"a\"]", "strings and numbers"),
            ("[\"a]", "a string with its end"),
            ("[\"\\q\"]", "escapes"),
            ("1 2", "nothing more"),
            ("zeros((2, -1))", "a shape of whole numbers"),
            ("ones((100000, 100000))", "more than"),
            ("zeros((2, 3)", "`)` expected"),
            ("np.array([1], dtype=nope)", "a dtype expected"),
        ] {
            let error = parse_literal(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(parse_literal(&"[".repeat(1000)).unwrap_err().to_string().contains("deep"));
    }

    #[test]
    fn paths_are_no_literals() {
        for path in
            ["x.npy", "data/x.npz:k", "1.npy", "./[1].npy", "inf.npy", "true.npy", "zeros.npy", "2026-01-01.npz:x"]
        {
            assert!(!looks_like_literal(path), "{path}");
        }
    }
}
