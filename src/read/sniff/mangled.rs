//! Binary files that a transfer or an editor took for text.

use super::looks::{Foreign, Known, Proof, looks};

/// How many changed places prove it: by chance a byte is what they made of it once in 256 times.
const PROVES: usize = 6;

/// How many characters of Latin-1 prove that bytes became characters.
const LATIN: usize = 16;

/// What was done to a binary file, by its first bytes.
pub(super) fn mangled(head: &[u8]) -> Option<Known> {
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    if !head.iter().any(is_control) {
        return None;
    }
    let replaced = memchr::memmem::find_iter(head, "\u{fffd}").count();
    let is_utf8 = || match std::str::from_utf8(head) {
        Ok(_) => true,
        // The last character may be cut.
        Err(error) => error.error_len().is_none(),
    };
    if replaced >= PROVES && is_utf8() {
        let advice = "its bytes are lost: every byte that is no UTF-8 became EF BF BD; fetch the file again, as binary";
        let what = "a binary file that was read as text and written again";
        return Some(looks(Foreign::Other, what, advice).but(Proof::Likely));
    }
    let is_latin = |text: &str| {
        let mut others = text.chars().filter(|c| !c.is_ascii());
        text.chars().filter(|c| ('\u{80}'..='\u{ff}').contains(c)).count() >= LATIN && others.all(|c| c < '\u{100}')
    };
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            head.get(..error.valid_up_to()).and_then(|h| str::from_utf8(h).ok())
        }
        Err(_) => None,
    };
    if text.is_some_and(is_latin) {
        let advice =
            "each byte above 7F became two; fetch it again, as binary, or: iconv -f UTF-8 -t LATIN1 FILE > NEW";
        let what = "a binary file that was taken for Latin-1 text and written as UTF-8";
        return Some(looks(Foreign::Other, what, advice).but(Proof::Likely));
    }
    let feeds = memchr::memchr_iter(b'\n', head);
    let behind_return = |at: usize| at.checked_sub(1).and_then(|before| head.get(before)) == Some(&b'\r');
    let (converted, kept): (Vec<usize>, Vec<usize>) = feeds.partition(|at| behind_return(*at));
    if converted.len() >= PROVES && kept.is_empty() {
        let advice = "FTP in ASCII mode does so, or version control that converts line ends: fetch it again, as binary \
                      (git: `*.pb binary` in .gitattributes)";
        let what = "a binary file in which every line feed got a carriage return";
        return Some(looks(Foreign::Other, what, advice).but(Proof::Likely));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_binary_files_are_mangled() {
        let graph = b"\x08\x01\x12\xff\x0a\x05\x0a\x03\xc3abc\x0a\x80\x01\x0a\x90\x0a\xf7".repeat(9);
        assert!(mangled(&graph).is_none());
        let converted: Vec<u8> =
            graph.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
        assert!(mangled(&converted).is_some_and(|found| found.what.contains("carriage return")));
        let latin: String = graph.iter().map(|byte| char::from(*byte)).collect();
        assert!(mangled(latin.as_bytes()).is_some_and(|found| found.what.contains("Latin-1")));
        let replaced = String::from_utf8_lossy(&graph).into_owned();
        assert!(mangled(replaced.as_bytes()).is_some_and(|found| found.what.contains("read as text")));
        assert!(mangled("a\r\nb\r\n".repeat(50).as_bytes()).is_none());
        assert!(mangled("\u{fffd} text ".repeat(50).as_bytes()).is_none());
    }
}
