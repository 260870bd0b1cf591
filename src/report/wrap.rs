//! Breaking lines between words, for people: an argument in quotes is one word, so that a command can be copied.

/// The words of a line. A word that opens a quote goes on to the one that closes it.
pub(super) fn words(text: &str) -> Vec<&str> {
    // As many words may stand in one pair of quotes; more is prose.
    const MOST: usize = 24;
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let mut end = rest.find(' ').unwrap_or(rest.len());
        if opens(rest.get(..end).unwrap_or_default()) {
            let mut tried = end;
            for _ in 0..MOST {
                let Some(next) = rest.get(tried + 1..) else { break };
                tried += 1 + next.find(' ').unwrap_or(next.len());
                if !opens(rest.get(..tried).unwrap_or_default()) {
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

/// Whether text begins an argument in quotes and does not end it: `'a b`, `--map='a`, and not `TensorFlow's`.
fn opens(text: &str) -> bool {
    let Some(first) = text.find('\'') else { return false };
    let before = text.get(..first).and_then(|front| front.chars().next_back());
    if before.is_some_and(|c| !"=([{\"".contains(c)) {
        return false;
    }
    let mut is_open = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => is_open = !is_open,
            // Within quotes of a shell a backslash is itself.
            '\\' if !is_open => {
                chars.next();
            }
            _ => {}
        }
    }
    is_open
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
        assert_eq!(words(""), [""]);
    }
}
