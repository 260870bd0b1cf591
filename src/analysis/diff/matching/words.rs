//! What words in names mean, whatever framework wrote them.

/// What the last word of a name says of the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// A kernel, a table, a scale.
    Weight,
    Bias,
    Mean,
    Variance,
}

/// What a word means at the end of a name.
fn meaning(word: &str) -> Option<Word> {
    Some(match word {
        "kernel" | "weight" | "weights" | "w" | "gamma" | "scale" | "embedding" | "embeddings" | "table" => {
            Word::Weight
        }
        "bias" | "biases" | "b" | "beta" | "offset" => Word::Bias,
        "mean" => Word::Mean,
        "variance" | "var" => Word::Variance,
        _ => return None,
    })
}

/// What the end of a name means, of its words.
pub(super) fn leaf(words: &[String]) -> Option<Word> {
    words.last().and_then(|word| meaning(word))
}

/// The last word of a name as it is written, without what separates it.
pub(super) fn last_word(name: &str) -> String {
    let last = name.rsplit(['/', '.']).next().unwrap_or_default();
    last.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase()
}

/// The parts of a tensor that attention has several of, and others that stand side by side with one shape.
const SIBLINGS: &[&[&[&str]]] = &[
    &[&["q", "query", "wq"], &["k", "key", "wk"], &["v", "value", "wv"]],
    &[&["gate", "w1", "wi0"], &["up", "w3", "wi1"]],
    &[&["word", "wte"], &["position", "wpe"], &["type"]],
];

/// The family of query, key and value.
pub(super) const ATTENTION: usize = 0;

/// Which of several siblings words speak of: the number of the family, and of the one in it.
pub(super) fn sibling(words: &[String]) -> Option<(usize, usize)> {
    for (family, members) in SIBLINGS.iter().enumerate() {
        let speaks = |word: &String| members.iter().position(|names| names.contains(&word.as_str()));
        if let Some(member) = words.iter().rev().take(4).find_map(speaks) {
            return Some((family, member));
        }
    }
    None
}

/// Words with one for what frameworks call differently, each behind a `/`.
pub(super) fn plain_key(mut words: Vec<String>) -> String {
    if let Some(last) = words.last_mut() {
        let word = match meaning(last) {
            Some(Word::Weight) => "weight",
            Some(Word::Bias) => "bias",
            Some(Word::Mean) => "mean",
            Some(Word::Variance) => "variance",
            // A table of embeddings that has no word for itself.
            None => "",
        };
        if word.is_empty() {
            words.push("weight".to_owned());
        } else {
            word.clone_into(last);
        }
    }
    words.retain(|word| !matches!(word.as_str(), "moving" | "running" | "params" | "proj" | "attn"));
    one_word_each(words).iter().fold(String::new(), |key, word| key + "/" + word)
}

/// TF-Slim writes out what Keras' applications shorten: `Conv2d_1_depthwise/BatchNorm` is `conv_dw_1_bn` there.
fn one_word_each(words: Vec<String>) -> Vec<String> {
    let mut plain: Vec<String> = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "bn" => plain.extend(["batch".to_owned(), "norm".to_owned()]),
            "dw" | "pw" => {
                let written_out = if word == "dw" { "depthwise" } else { "pointwise" };
                let is_number = |next: &String| next.bytes().all(|byte| byte.is_ascii_digit());
                plain.extend(words.next_if(is_number));
                plain.push(written_out.to_owned());
            }
            // The dimensions of a convolution, `conv2d`.
            "1" | "2" | "3"
                if plain.last().is_some_and(|last| last == "conv") && words.peek().is_some_and(|next| next == "d") =>
            {
                words.next();
            }
            _ => plain.push(word),
        }
    }
    plain
}

/// The words of a name: between its separators, at capitals, and numbers apart; in lower case, numbers without zeros in
/// front.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in name.chars() {
        let is_cut = !c.is_alphanumeric()
            || (c.is_ascii_digit() != before.is_ascii_digit())
            || (c.is_uppercase() && before.is_lowercase());
        if is_cut && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    for word in &mut words {
        if word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_digit()) {
            let short = word.trim_start_matches('0');
            *word = if short.is_empty() { "0".to_owned() } else { short.to_owned() };
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_tensor_has_the_same_words_in_every_framework() {
        for (a, b) in [
            ("bert/encoder/layer_3/attention/self/query/kernel", "bert.encoder.layer.3.attention.self.query.weight"),
            ("bn/moving_variance", "bn.running_var"),
            ("encoder/block_007/layer_000/SelfAttention/q", "encoder.block.7.layer.0.SelfAttention.q.weight"),
            ("embeddings/LayerNorm/gamma", "embeddings.LayerNorm.weight"),
            ("Conv2d_1_depthwise/BatchNorm/moving_mean", "conv_dw_1_bn/moving_mean"),
            ("Conv2d_12_pointwise/weights", "conv_pw_12/kernel"),
        ] {
            assert_eq!(plain_key(words(a)), plain_key(words(b)));
        }
        assert_ne!(plain_key(words("a/kernel")), plain_key(words("a/bias")));
    }

    #[test]
    fn siblings_are_told_apart() {
        let of = |name: &str| sibling(&words(name));
        assert_eq!(of("layer_1/query/kernel"), of("h.1.attn.q_proj.weight"));
        assert_ne!(of("layer_1/query/kernel"), of("h.1.attn.k_proj.weight"));
        assert_eq!(of("dense/kernel"), None);
        assert_eq!(leaf(&words("bn/moving_mean")), Some(Word::Mean));
    }
}
