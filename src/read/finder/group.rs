//! Which checkpoints of a directory belong together: those whose names differ only in their numbers.
//!
//! Two programs that save into one directory have steps of their own; what moved between them means nothing.

/// A checkpoint's name without the numbers at its end, and without endings: `NAISM1` of `NAISM1-875`, `cp` of
/// `cp-0001.ckpt`, `weights` of `weights.02-0.43`.
pub(crate) fn group(name: &str) -> &str {
    const ENDINGS: &[&str] = &[".ckpt", ".weights", ".tf", ".h5", ".hdf5", ".keras", ".model", ".tflearn"];
    // What programs put before a number.
    const LABELS: &[&str] = &["loss", "acc", "accuracy", "epoch", "ep", "e", "step", "steps", "iter", "iters", "val"];
    let separator = |c: char| matches!(c, '-' | '_' | '.' | '=');
    let mut rest = name;
    loop {
        let shorter = ENDINGS.iter().find_map(|ending| rest.strip_suffix(ending)).or_else(|| {
            let (before, last) = rest.rsplit_once(separator)?;
            let label = last.trim_end_matches(|c: char| c.is_ascii_digit());
            let is_number = !last.is_empty() && label.is_empty();
            // `epoch10`, and `epoch` once its own number is gone.
            let is_label = LABELS.contains(&label) && (label.len() < last.len() || rest.len() < name.len());
            (is_number || is_label).then_some(before)
        });
        match shorter.map(|shorter| shorter.trim_end_matches(separator)).filter(|shorter| !shorter.is_empty()) {
            Some(shorter) => rest = shorter,
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn numbers_at_the_end_are_of_no_group() {
        for (name, of) in [
            ("NAISM1-875", "NAISM1"),
            ("FISM-48853", "FISM"),
            ("model.ckpt-200", "model"),
            ("model.ckpt", "model"),
            ("cp-0001.ckpt", "cp"),
            ("weights.02-0.43", "weights"),
            ("weights.epoch_10-val_loss_0.43", "weights"),
            ("net_epoch10", "net"),
            ("best_model-3", "best_model"),
            ("ckpt-1", "ckpt"),
            ("17", "17"),
            ("loss", "loss"),
            ("-1", "-1"),
            ("", ""),
            ("größe-1", "größe"),
        ] {
            assert_eq!(group(name), of, "{name}");
        }
    }
}
