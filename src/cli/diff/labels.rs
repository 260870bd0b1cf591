//! What is shown instead of the paths of A and B.

use anyhow::Result;

/// The labels of A and B out of `A=…,B=…`, either of which may be missing; a label may have commas.
pub(super) fn labels(texts: &[String]) -> Result<[Option<String>; 2]> {
    let mut labels = [None, None];
    for text in texts {
        let mut rest = Some(text.as_str());
        while let Some(text) = rest {
            let (side, other) = match text.get(..2) {
                Some("A=") => (0, ",B="),
                Some("B=") => (1, ",A="),
                _ => anyhow::bail!("--label {text:?}: write A=TEXT, B=TEXT or A=TEXT,B=TEXT"),
            };
            let at = text.find(other);
            labels[side] = Some(text[2..at.unwrap_or(text.len())].to_owned());
            rest = at.map(|at| &text[at + 1..]);
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_may_have_commas_and_either_may_be_missing() {
        let of = |text: &str| labels(&[text.to_owned()]).unwrap().map(Option::unwrap_or_default);
        assert_eq!(of("A=a/x,y.index,B=b/x,y.index"), ["a/x,y.index", "b/x,y.index"]);
        assert_eq!(of("B=1,A=2"), ["2", "1"]);
        assert_eq!(of("A="), ["", ""]);
        assert!(labels(&["x".to_owned()]).is_err() && labels(&["C=1".to_owned()]).is_err());
    }
}
