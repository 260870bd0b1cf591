//! Weights of other frameworks that begin with no signature, but with numbers that fit together: Darknet, `MXNet`,
//! and the `MessagePack` of Flax.

use super::looks::{Foreign, Known, Proof, looks};

/// Whose weights a file is that begins so. A shard of TensorFlow may begin with any numbers: nothing here is proof
/// against one.
pub(super) fn framework(head: &[u8]) -> Option<Known> {
    let found = if is_darknet(head) {
        let advice = "convert it with a converter for its network's .cfg; ckpt reads TensorFlow checkpoints and files of Keras, safetensors and NumPy";
        looks(Foreign::Other, "weights of Darknet (YOLO)", advice)
    } else if is_mxnet(head) {
        looks(Foreign::Other, "parameters of MXNet", "mxnet.nd.load reads it; it is no TensorFlow checkpoint")
    } else if is_message_pack(head) {
        let advice = "flax.serialization.msgpack_restore reads it; ckpt reads TensorFlow checkpoints and files of Keras, safetensors and NumPy";
        looks(Foreign::Other, "a MessagePack file (as Flax writes)", advice)
    } else {
        return None;
    };
    Some(found.but(Proof::None))
}

/// Darknet, `src/parser.c`, `save_weights_upto`: the version in three numbers of 32 bits (0.1 or 0.2, any revision),
/// how many images were seen (64 bits since 0.2), and then floats.
fn is_darknet(head: &[u8]) -> bool {
    let word = |n: usize| {
        let at = n.checked_mul(4)?;
        head.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
    };
    let (Some(0), Some(minor @ 1..=2), Some(0..=9), Some(seen)) = (word(0), word(1), word(2), word(3)) else {
        return false;
    };
    let (high, first) = if minor == 2 { (word(4), 5) } else { (Some(0), 4) };
    // Biases or scales of the first layer: floats of a usual size.
    let floats: Vec<f32> = (first..24).filter_map(word).map(f32::from_bits).collect();
    let is_usual = |value: &&f32| **value == 0.0 || (1e-12..1e6).contains(&value.abs());
    let usual = floats.iter().filter(is_usual).count();
    high.is_some_and(|high| high < 16) && seen < u32::MAX && floats.len() >= 8 && usual == floats.len()
}

/// `MXNet`, `src/ndarray/ndarray.cc`: the magic number of a list of arrays, a reserved one, and how many there are.
fn is_mxnet(head: &[u8]) -> bool {
    let long = |at: usize| head.get(at..).and_then(|rest| rest.first_chunk::<8>()).map(|b| u64::from_le_bytes(*b));
    long(0) == Some(0x112) && long(8) == Some(0) && long(16).is_some_and(|count| (1..1 << 20).contains(&count))
}

/// The `MessagePack` specification: a map, whose first key is a text, and behind that another map, a text, or an
/// extension, which is how Flax stores an array (`flax/serialization.py`, `_MsgpackExtType`).
fn is_message_pack(head: &[u8]) -> bool {
    let ([0x81..=0x8f, entries @ ..] | [0xde, _, _, entries @ ..] | [0xdf, _, _, _, _, entries @ ..]) = head else {
        return false;
    };
    let Some((key, value)) = text(entries) else { return false };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b' ');
    let is_value = matches!(value.first(), Some(0x80..=0x8f | 0xa0..=0xbf | 0xc0..=0xdf) | None);
    !key.is_empty() && key.iter().all(is_name) && is_value
}

/// A text of `MessagePack`, and what is behind it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match bytes {
        [short @ 0xa1..=0xbf, rest @ ..] => (usize::from(short & 0x1f), rest),
        [0xd9, len, rest @ ..] => (usize::from(*len), rest),
        _ => return None,
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(head: &[u8]) -> Option<&'static str> {
        framework(head).map(|found| found.what)
    }

    #[test]
    fn each_is_known() {
        let floats: Vec<u8> = (1..40u8).flat_map(|n| (f32::from(n) * -0.037).to_le_bytes()).collect();
        let header = |minor: u32, seen: &[u8]| {
            [&0u32.to_le_bytes(), &minor.to_le_bytes(), &5u32.to_le_bytes(), seen, &floats].concat()
        };
        assert_eq!(what(&header(2, &32_013_312u64.to_le_bytes())), Some("weights of Darknet (YOLO)"));
        assert_eq!(what(&header(1, &32_013_312u32.to_le_bytes())), Some("weights of Darknet (YOLO)"));
        assert_eq!(what(&[0x112u64, 0, 3].map(u64::to_le_bytes).concat()), Some("parameters of MXNet"));
        for flax in [&b"\x81\xa6params\x82\xa5Dense"[..], b"\x83\xa4step\xd2\x00\x01", b"\xde\x00\x20\xa3opt\xc0"] {
            assert_eq!(what(flax), Some("a MessagePack file (as Flax writes)"), "{}", flax.escape_ascii());
        }
    }

    #[test]
    fn numbers_are_none_of_them() {
        for numbers in [&b""[..], b"\x81", b"\x81\xa0", b"\x82\xa3\xff\xfe\xfd\x80", &[0; 64]] {
            assert_eq!(what(numbers), None, "{}", numbers.escape_ascii());
        }
        let counting: Vec<u8> = (0..64u32).flat_map(u32::to_le_bytes).collect();
        assert_eq!(what(&counting), None);
    }
}
