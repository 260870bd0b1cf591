//! Names of files that a save gives until it is whole.
//!
//! `tensor_bundle.cc`: a writer writes `<file>.tempstate<number>` and renames it when it is done. `save_restore_v2_ops.cc`,
//! `MergeV2Checkpoints`: each worker saves `<prefix>_temp/part-00000-of-00004` (`<prefix>_temp_<hex>/…` in TensorFlow 1,
//! `<prefix>.part-…` on S3, which has no directories), and the chief renames all of them into the checkpoint.

/// Whether it is what a writer puts behind the name of a file until that is whole.
pub fn is_unfinished(rest: &str) -> bool {
    rest.strip_prefix(".tempstate").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The numbers in `part-00000-of-00002.index` and what else begins so: which part, of how many.
pub fn part_numbers(name: &str) -> Option<(u32, u32)> {
    let (numbers, _) = name.strip_prefix("part-")?.split_once('.')?;
    let (id, of) = numbers.split_once("-of-")?;
    let number = |digits: &str| -> Option<u32> {
        (digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    Some((number(id)?, number(of)?))
}

/// The prefix in the name of a part that lies beside it: `<prefix>.part-00000-of-00001.index`.
pub fn prefix_of_part(name: &str) -> Option<&str> {
    let at = name.rfind(".part-")?;
    part_numbers(name.get(at.checked_add(1)?..)?)?;
    name.get(..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_names() {
        assert_eq!(part_numbers("part-00001-of-00004.index"), Some((1, 4)));
        assert_eq!(part_numbers("part-00001-of-00004.data-00000-of-00001"), Some((1, 4)));
        assert_eq!(part_numbers("part-1-of-4.index"), None);
        assert_eq!(part_numbers("part-00001-of-00004"), None);
        assert_eq!(prefix_of_part("m.ckpt.part-00000-of-00001.index"), Some("m.ckpt"));
        assert_eq!(prefix_of_part("m.ckpt.index"), None);
        assert!(is_unfinished(".tempstate12") && !is_unfinished(".tempstate12a") && !is_unfinished(""));
    }
}
