//! Numbers and string literals, read as Python's `google.protobuf` reads them (`text_format.py`, `text_encoding.py`).

/// Python's `text_format.ParseFloat`.
pub(super) fn parse_double(token: &str) -> Option<f64> {
    let unsigned = token.strip_prefix('-').unwrap_or(token).as_bytes();
    if matches!(unsigned, [b'0', b'0'..=b'9', ..]) {
        return None; // It looks octal.
    }
    let parse = |text: &str| {
        let bytes = text.as_bytes();
        // Python reads `_` where it stands between two digits.
        let grouped = bytes.windows(3).filter(|w| matches!(w, [b'0'..=b'9', b'_', b'0'..=b'9'])).count();
        if text.matches('_').count() != grouped {
            return None;
        }
        text.replace('_', "").parse::<f64>().ok()
    };
    parse(token).or_else(|| {
        let without_f = token.strip_suffix(['f', 'F'])?;
        // `1.5f`, `inff`; and Python takes any number of these letters off a number, so that `1ff` is 1.
        parse(without_f).or_else(|| parse(token.trim_end_matches(['f', 'F'])))
    })
}

/// Python's `text_encoding.CUnescape`, which reads a literal twice: `\u` and `\U` first, then everything else.
pub(super) fn unescape(literal: &str, to: &mut Vec<u8>) -> Result<(), &'static str> {
    if !literal.contains('\\') {
        to.extend_from_slice(literal.as_bytes());
        return Ok(());
    }
    let expanded = expand_unicode(literal)?;
    let mut rest = expanded.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            to.push(*byte);
            continue;
        }
        let [escape, tail @ ..] = rest else { return Err("string that ends with a backslash") };
        rest = tail;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => to.push(*escape),
            b'a' => to.push(0x07),
            b'b' => to.push(0x08),
            b't' => to.push(b'\t'),
            b'n' => to.push(b'\n'),
            b'v' => to.push(0x0b),
            b'f' => to.push(0x0c),
            b'r' => to.push(b'\r'),
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let (digits, tail) = rest.split_at_checked(more).unwrap_or_default();
                rest = tail;
                let value = digits.iter().fold(u32::from(escape - b'0'), |v, d| v * 8 + u32::from(d - b'0'));
                to.push(u8::try_from(value).map_err(|_| "octal escape above \\377")?);
            }
            b'x' => {
                let (value, tail) = hex(rest, 2).ok_or("escape \\x without hexadecimal digits")?;
                rest = tail;
                to.push(u8::try_from(value).unwrap_or_default());
            }
            // Python looks the character up by its name, and fails for want of braces in `C:\New`.
            b'N' => return Err("escape \\N"),
            b'u' | b'U' => return Err("escape \\u made by another escape"),
            // Kept as it is, unlike in TensorFlow's C++.
            _ => to.extend([b'\\', *escape]),
        }
    }
    Ok(())
}

/// Replaces `\uXXXX` and `\UXXXXXXXX` by their characters and `\xh` by `\x0h`.
fn expand_unicode(literal: &str) -> Result<String, &'static str> {
    let mut expanded = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('\\') {
        expanded.push_str(before);
        let mut chars = after.chars();
        let escape = chars.next();
        rest = chars.as_str();
        match escape {
            None => expanded.push('\\'),
            Some('u' | 'U') => {
                let digits = if escape == Some('u') { 4 } else { 8 };
                let (code, tail) = hex(rest.as_bytes(), digits).ok_or("escape \\u without its hexadecimal digits")?;
                expanded.push(char::from_u32(code).ok_or("escape \\u that is not a character")?);
                rest = std::str::from_utf8(tail).unwrap_or_default();
            }
            Some('x') if hex(rest.as_bytes(), 1).is_some() && hex(rest.as_bytes(), 2).is_none() => {
                expanded.push_str("\\x0");
            }
            // Python spells these characters `\uXXXX` for its first reading, where the backslash before undoes it.
            Some(c @ '\u{100}'..) => {
                let code = c as u32;
                let spelled = if code < 0x10000 { format!("\\\\u{code:04x}") } else { format!("\\\\U{code:08x}") };
                expanded.push_str(&spelled);
            }
            Some(c) => expanded.extend(['\\', c]),
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Exactly `count` hexadecimal digits, and what follows them.
fn hex(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (digits, tail) = text.split_at_checked(count)?;
    let mut value = 0u32;
    for digit in digits {
        value = value.checked_mul(16)?.checked_add(char::from(*digit).to_digit(16)?)?;
    }
    Some((value, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_only_python_reads() {
        for (text, want) in
            [("1.5f", 1.5), ("1_000", 1000.0), ("+1", 1.0), ("1ff", 1.0), ("-infinityf", f64::NEG_INFINITY)]
        {
            assert_eq!(parse_double(text), Some(want), "{text}");
        }
        assert!(parse_double("-nanf").unwrap().is_nan());
        for text in ["", "f", "010", "-00", "0x10", "_1", "1__0", "1.0.0", "true", "-"] {
            assert_eq!(parse_double(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_read_twice() {
        let read = |literal: &str| {
            let mut bytes = Vec::new();
            unescape(literal, &mut bytes).map(|()| String::from_utf8_lossy(&bytes).into_owned())
        };
        // A backslash from the first reading escapes in the second one.
        assert_eq!(read(r"\u005cn").unwrap(), "\n");
        assert_eq!(read("\\世\\é").unwrap(), "\\u4e16\\é");
        assert_eq!(read(r"\x4\x4a\7\101\1018").unwrap(), "\u{4}J\u{7}AA8");
        for bad in [r"\x", r"\xg", r"\400", r"\u12", r"\ud83c", r"\U00110000", r"\N", "\\"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
