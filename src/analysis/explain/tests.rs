//! Messages as people post them, and what is made of them.

use std::fmt::Write as _;

use super::{Diagnosis, explain_error, known_messages};
use crate::analysis::Code;

fn explain(text: &str) -> Diagnosis {
    explain_error(text).unwrap_or_else(|| panic!("not recognised: {text}"))
}

fn all(diagnosis: &Diagnosis) -> String {
    let lists = [&diagnosis.meaning, &diagnosis.likely, &diagnosis.next, &diagnosis.certainty];
    let lines: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    format!("{}\n{}", diagnosis.headline, lines.join("\n"))
}

/// A message, what the headline says, and a word of the rest.
const MESSAGES: &[(&str, &str, &str)] = &[
    (
        "DataLossError: Checksum does not match: stored 2612891094 vs. calculated on the restored bytes 4272926173",
        "Git LFS pointer",
        "integer 2696",
    ),
    ("stored 1214729159 vs. calculated on the restored bytes 4272926173", "Git LFS pointer", "integer 0"),
    ("stored 592068290 vs. calculated on the restored bytes 517592881", "2,359,296 zeros", "was interrupted"),
    (
        "Checksum does not match: stored 2112521139 vs. calculated on the restored bytes 4004437628\n\t [[Node: save/RestoreV2",
        "1,024 zeros",
        "hole",
    ),
    (
        "Checksum does not match: stored 769046061 vs. calculated on the restored bytes 1925235876",
        "65,536 zeros",
        "128×128",
    ),
    (
        "Checksum does not match: stored 4061069822 vs. calculated on the restored bytes 2733927205",
        "one bit",
        "86,649 bytes",
    ),
    (
        "Checksum does not match: stored 4061069822 vs. calculated on the restored bytes 2733927205",
        "one bit",
        "one message in 6,19",
    ),
    (
        "TensorBundle at bad/flip shard 0 (401408 bytes): Checksum does not match: stored 3515559797 vs. calculated on the restored bytes 802878701",
        "bit 0 of byte 97,048",
        "ckpt validate bad/flip",
    ),
    (
        "Checksum does not match: stored 2098457901 vs. calculated on the restored bytes 3401360046",
        "not the ones that were saved",
        "different saves",
    ),
    (
        "Checksum does no\nt match: stored 3218031918 vs. calculated on the restored bytes 599589009",
        "not the ones that were saved",
        "Fetch",
    ),
    (
        "TensorBundle at P shard 0 (12 bytes): Checksum does not match: stored 944629635 vs. calculated on the restored bytes 154940339",
        "bit",
        "shard 0",
    ),
    (
        "The length checksum does not match: expected 00000012 but actual is 00000013",
        "lengths of a string tensor",
        "validate",
    ),
    (
        "Unable to open table file x/m.data-00000-of-00001: DATA_LOSS: not an sstable (bad magic number): perhaps your file is in a different file format",
        "give 'x/m'",
        "where TensorFlow wants the prefix",
    ),
    (
        "tensorflow.python.framework.errors_impl.DataLossError: not an sstable (bad magic number)",
        "not the index",
        "Git LFS",
    ),
    (
        "Unable to open table file d: FAILED_PRECONDITION: d; Is a directory: perhaps your file is in a different file format and you need to use a different restore operator?",
        "'d' is a directory",
        "latest_checkpoint",
    ),
    ("file is too short to be an sstable", "fewer than 48 bytes", "empty"),
    (
        "Unable to read file (a/m.ckpt-1.index). Perhaps the file is corrupt or was produced by a newer version of TensorFlow with format changes (failed to seek to header entry): block checksum mismatch",
        "index of the checkpoint is damaged",
        "ckpt list a/m.ckpt-1`",
    ),
    ("OUT_OF_RANGE: Read less bytes than requested", "ends before the tensor", "sizes that the files"),
    (
        "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for models/m.ckpt",
        "no checkpoint at 'models/m.ckpt'",
        "ckpt inspect models ",
    ),
    ("Failed to find any matching files for g[1]/ck-1", "'g[1]/ck-1'", "pattern"),
    (
        "NotFoundError: a/m.ckpt.data-00000-of-00001; No such file or directory [Op:RestoreV2]",
        "'a/m.ckpt.data-00000-of-00001' is missing",
        "ckpt validate a/m.ckpt ",
    ),
    (
        "Restoring from checkpoint failed. This is most likely due to a Variable name or other graph key that is missing from the checkpoint. Original error:\n\nKey new_head/kernel not found in checkpoint",
        "'new_head/kernel'",
        "Only the first",
    ),
    ("Key dense/kernel/Adam not found in checkpoint", "'dense/kernel/Adam'", "optimizer"),
    ("Tensor name \"x\" not found in checkpoint files P", "'x'", "another scope"),
    (
        "Assign requires shapes of both tensors to match. lhs shape= [784,256] rhs shape= [784,128]\n\t [[node save/Assign_3 = Assign[T=DT_FLOAT, _class=[\"loc:@dense/kernel\"]",
        "'dense/kernel' as 784×256, the checkpoint has it as 784×128",
        "number of classes",
    ),
    (
        "tensor_name = a; shape in shape_and_slice spec [4] does not match the shape stored in checkpoint: [3]",
        "'a' as [4], the checkpoint has it as [3]",
        "partitions",
    ),
    (
        "tensor_name = step/.ATTRIBUTES/VARIABLE_VALUE; expected dtype float does not equal original dtype int64",
        "as float32, the checkpoint has it as int64",
        "never converts",
    ),
    ("tensor_name = i; expected dtype int32 does not equal original dtype int64", "as int32", "counter"),
    (
        "ValueError: Received incompatible tensor with shape (128,) when attempting to restore variable with shape (64,) and name dense/bias:0.",
        "'dense/bias' as [64], the checkpoint has it as [128]",
        "last dimension",
    ),
    (
        "ValueError: Shape of variable dense/kernel:0 ((784, 64)) doesn't match with shape of tensor dense/kernel ([784, 128]) from checkpoint reader.",
        "'dense/kernel' as 784×64, the checkpoint has it as 784×128",
        "last dimension",
    ),
    (
        "AssertionError: Unresolved object in checkpoint (root).step: attributes { name: \"VARIABLE_VALUE\" }",
        "'(root).step'",
        "assert_consumed",
    ),
    (
        "WARNING:tensorflow:Value in checkpoint could not be found in the restored object: (root).optimizer.iter\nWARNING:tensorflow:Value in checkpoint could not be found in the restored object: (root).optimizer.decay",
        "2 values",
        "harmless for inference",
    ),
    (
        "AssertionError: Nothing except the root object matched a checkpointed value. Typical",
        "Nothing of the checkpoint was restored",
        "save_weights",
    ),
    (
        "OSError: Could not find SavedModel .pb or .pbtxt at supplied export directory path: m. Check",
        "no SavedModel",
        "ckpt inspect m ",
    ),
    ("Could not find meta graph def matching supplied tags: { serve }. To inspect", "'serve'", "ckpt inspect DIR"),
    (
        "ValueError: Couldn't find 'checkpoint' file or checkpoints in given directory train",
        "no `checkpoint` file",
        "ckpt inspect train ",
    ),
    (
        "ValueError: The passed save_path is not a valid checkpoint: ./m/model.ckpt",
        "'./m/model.ckpt' leads to no",
        "ckpt inspect ./m ",
    ),
    (
        "ValueError: File format not supported: filepath=tf2/ckpt-2. Keras 3 only supports V3 `.keras` files",
        "Keras 3 does not read",
        "ckpt inspect tf2/ckpt-2 ",
    ),
    ("InvalidArgumentError: Dtype half not supported.", "partitioned float16", "limit of TensorFlow"),
    (
        "Does not have sufficient slices for partitioned tensor w to restore in slice_spec: -:-",
        "'w' is not complete",
        "slices",
    ),
    (
        "Checkpoint min consumer version 5 above current version 1 for TensorFlow 2.21.  Please upgrade TensorFlow.",
        "format version 5",
        "newer TensorFlow",
    ),
    (
        "Checkpoint disallows consumer version 1.  Please upgrade TensorFlow: this version is likely buggy.",
        "refuse",
        "newer",
    ),
    ("Can't load save_path when it is None.", "None", "ckpt inspect DIR"),
];

#[test]
fn messages_of_tensorflow_are_diagnosed() {
    let mut wrong = Vec::new();
    for (message, headline, word) in MESSAGES {
        let diagnosis = filled(explain(message));
        if !diagnosis.headline.contains(headline) {
            wrong.push(format!("{message}\n  {headline:?} is not in: {}", diagnosis.headline));
        }
        if !all(&diagnosis).contains(word) {
            wrong.push(format!("{message}\n  {word:?} is not in: {}", all(&diagnosis)));
        }
        assert!(!diagnosis.next.is_empty(), "{message}: nothing to do");
        // The same inside of a long traceback, and with Windows line ends.
        let noise = "  File \"x.py\", line 1, in <module>\r\n    run()\r\n".repeat(200);
        let again = explain(&format!("Traceback (most recent call last):\r\n{noise}{message}\r\n"));
        assert_eq!(again.headline, diagnosis.headline);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn filled(diagnosis: Diagnosis) -> Diagnosis {
    let known = super::Known::of(&diagnosis);
    diagnosis.filled(&known)
}

#[test]
fn lines_that_a_terminal_broke_are_joined() {
    let broken = explain("stored 2612891094 vs. calculated on the resto\nred bytes 4272926173");
    assert!(broken.headline.contains("Git LFS"));
    let broken = explain("stored 2612891094 vs. calculated on\n the restored bytes 4272926173");
    assert!(broken.headline.contains("Git LFS"));
}

#[test]
fn many_failing_tensors_point_at_a_wrong_pair() {
    let text = "Data loss: Checksum does not match: stored 411918014 vs. calculated on the restored bytes 2088034305
\
                Data loss: Checksum does not match: stored 2789654764 vs. calculated on the restored bytes 1471532794
\
                Data loss: Checksum does not match: stored 519988316 vs. calculated on the restored bytes 349520506
";
    let diagnosis = explain(text);
    assert!(diagnosis.headline.contains("several tensors"), "{}", diagnosis.headline);
    assert!(diagnosis.likely[0].contains("different saves"));
    assert!(diagnosis.codes.contains(&Code::MispairedData));
}

#[test]
fn the_length_in_the_message_makes_zeros_certain() {
    let zeros = crate::analysis::forensics::crc_of_zeros(123);
    let text = format!(
        "TensorBundle at p shard 1 (123 bytes): Checksum does not match: stored 7 vs. calculated on the restored bytes {zeros}"
    );
    assert!(all(&explain(&text)).contains("Certain: the message gives the length"));
    // Zeros of another length are no zeros.
    let text = text.replace("(123 bytes)", "(124 bytes)");
    assert!(!explain(&text).headline.contains("zeros"));
}

#[test]
fn what_is_not_known_is_not_explained() {
    for text in [
        "",
        "hello",
        "ResourceExhaustedError: OOM when allocating tensor",
        "a.txt: No such file or directory",
        "\0\u{fffd}",
    ] {
        assert_eq!(explain_error(text), None, "{text:?}");
    }
    assert!(known_messages().len() > 30);
}

#[test]
fn hostile_text_is_harmless() {
    // A megabyte of each: what is not linear in it would not end today.
    let mut text = String::new();
    for n in 0u32.. {
        if text.len() > 1 << 20 {
            break;
        }
        let stored = n.wrapping_mul(2_654_435_761);
        write!(text, "stored {stored} vs. calculated on the restored bytes {n} ").unwrap();
    }
    explain(&text);
    for (n, (mark, _)) in known_messages().into_iter().enumerate() {
        // All of them this long take most of a minute.
        let long = if n % 8 == 0 { 1 << 17 } else { ckpt_synth::tries(1 << 13, 1 << 17) };
        explain_error(&mark.repeat(long / mark.len()));
        explain_error(&format!("{mark}\u{1b}[2J\u{202e}\u{fffd}"));
    }
    let named = explain("Key a\x1b[2J\u{202e}b not found in checkpoint");
    assert!(!all(&named).chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{}", all(&named));
}
