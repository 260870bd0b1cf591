//! Breaking lines between words, for people: an argument in quotes is one word, so that a command can be copied.

/// The words of a line. A word that opens a quote goes on to the one that closes it.
pub(in crate::report) fn words(text: &str) -> Vec<&str> {
    // As many words may stand in one pair of quotes; more is prose.
    const MOST: usize = 12;
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let mut end = rest.find(' ').unwrap_or(rest.len());
        if rest.get(..end).is_some_and(|word| opens(word) && !closes(word)) {
            let mut tried = end;
            for _ in 0..MOST {
                let Some(next) = rest.get(tried + 1..) else { break };
                let word = next.split(' ').next().unwrap_or_default();
                tried += 1 + word.len();
                if closes(word) {
                    end = tried;
                    break;
                }
            }
        }
        let (word, behind) = rest.split_at(end);
        found.push(word);
        match behind.strip_prefix(' ') {
            Some(behind) => rest = behind,
            None => return found,
        }
    }
}

/// Whether a word begins with a quote, or has one where an argument begins: `'a`, `--map='a`, and not `TensorFlow's`.
fn opens(word: &str) -> bool {
    let before = word.find('\'').and_then(|at| word.get(..at));
    before.is_some_and(|before| before.ends_with(['=', '(', '[', '{', '"', '`']) || before.is_empty())
}

/// Whether a word ends with a quote, but for the stops behind it. A name may have quotes within it.
fn closes(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', ';', ':', ')', ']', '}', '?', '`']);
    word.len() > 1 && word.ends_with('\'') && !word.ends_with("\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_quotes_is_one_word() {
        assert_eq!(words("ckpt list 'my run/m-1' '**/*k*'  x"), ["ckpt", "list", "'my run/m-1'", "'**/*k*'", "", "x"]);
        assert_eq!(words("mv 'it'\\''s my run' x"), ["mv", "'it'\\''s my run'", "x"]);
        assert_eq!(
            words("TensorFlow's own 'a b', and users' files"),
            ["TensorFlow's", "own", "'a b',", "and", "users'", "files"]
        );
        assert_eq!(words("an open 'quote stays"), ["an", "open", "'quote", "stays"]);
        assert_eq!(words("'my run/it's-7' was given"), ["'my run/it's-7'", "was", "given"]);
        assert_eq!(words(""), [""]);
    }
}
