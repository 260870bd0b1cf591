//! What is inside of a gzip file: stores and servers that keep files with the encoding gzip hand them out so.
//!
//! Of what is inside no more than the first bytes are unpacked, whatever their number may say.

use std::io::Read;
use std::path::Path;

use super::first_bytes::table;
use super::looks::{Foreign, Looks, Proof};
use crate::base::escape::shell_word;

/// Whether bytes begin as a gzip file does (RFC 1952): two bytes of identification, the only method there is, and no
/// reserved flag. Two bytes alone are the beginning of one shard in 65,536.
pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b, 8]) && head.get(3).is_none_or(|flags| flags & 0xe0 == 0)
}

/// How much is unpacked: the same as is looked at of any file would be more than the head of a packed one has.
const UNPACKED: u64 = 1024;

/// A file that [`begins`] so; `looks_like` tells what is inside. With its path, the command that unpacks it under
/// its own name.
pub(super) fn looks(head: &[u8], path: Option<&Path>, looks_like: &dyn Fn(&[u8]) -> Option<Looks>) -> Looks {
    let mut inside = Vec::new();
    // What was unpacked before the head ended is there all the same.
    let _ = flate2::read::GzDecoder::new(head).take(UNPACKED).read_to_end(&mut inside);
    let (what, is_archive) = match (inside.as_slice(), table(&inside)) {
        ([], _) => ("a gzip archive".to_owned(), false),
        (_, Some(Foreign::CutIndex)) => {
            ("a table of TensorFlow (the index of a checkpoint), gzip-compressed".to_owned(), false)
        }
        (_, Some(_)) => ("a table of TensorFlow (a V1 checkpoint), gzip-compressed".to_owned(), false),
        (inside, None) if begins(inside) => ("gzip-compressed twice".to_owned(), false),
        (inside, None) => match looks_like(inside) {
            Some(found) => (format!("{}, gzip-compressed", found.what), found.kind == Foreign::Archive),
            None => ("gzip-compressed data, which may be a shard of a checkpoint".to_owned(), false),
        },
    };
    let command = path.map_or_else(|| "gunzip it".to_owned(), |path| command(path, is_archive));
    let advice = format!(
        "a store or a server that keeps files with the encoding gzip hands them out so, and TensorFlow does not unpack \
         them: {command}"
    );
    Looks { kind: Foreign::Archive, what: what.into(), advice: advice.into(), proof: Proof::Sure }
}

/// Unpacks a file under the name that it should have, and keeps the packed one.
fn command(path: &Path, is_archive: bool) -> String {
    let given = shell_word(path);
    if is_archive {
        return format!("unpack it with tar -xzf {given}");
    }
    let ends_so = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    if ends_so {
        return format!("gunzip it, as gzip -dc < {given} > {}", shell_word(&path.with_extension("")));
    }
    let mut packed = path.as_os_str().to_owned();
    packed.push(".gz");
    let packed = shell_word(Path::new(&packed));
    format!("gunzip it under its own name: mv {given} {packed} && gzip -dc < {packed} > {given}")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn weights_may_begin_as_signatures_do() {
        assert!(begins(&packed(b"x")) && begins(b"\x1f\x8b\x08\x08"));
        for noise in [&b"\x1f\x8b\x77\x00\xfe"[..], b"\x1f\x8b\x08\xff\xfe", b"\x1f\x8b", b"\x80\x04\xfe\x3d\xfc"] {
            assert!(super::super::looks_like(noise).is_none(), "{noise:?}");
        }
    }

    #[test]
    fn what_is_inside_is_told_and_how_it_is_unpacked() {
        let what = |bytes: &[u8]| looks(&packed(bytes), None, &super::super::looks_like).what.into_owned();
        assert_eq!(
            what(&[0, 0, 6, 8, 1, 0x1a, 2, 8, 1]),
            "a table of TensorFlow (the index of a checkpoint), gzip-compressed"
        );
        assert_eq!(what(&[0, 0, 17, 0x0a, 15]), "a table of TensorFlow (a V1 checkpoint), gzip-compressed");
        assert_eq!(what(b"\x08\x01\x12\x05\x0a\x03\x22\x01t"), "the graph of a SavedModel, gzip-compressed");
        assert_eq!(what(&packed(b"x")), "gzip-compressed twice");
        assert_eq!(what(b""), "a gzip archive");
        // A hundred million zeros take a hundred thousand bytes, of which a few thousand are looked at.
        let bomb = packed(&vec![0; 1 << 20]);
        assert_eq!(looks(&bomb, None, &super::super::looks_like).what, "nothing but zeros, gzip-compressed");
        let cut = packed(&(0..4000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<_>>());
        assert!(looks(&cut[..4000], None, &super::super::looks_like).what.contains("a shard"));

        assert_eq!(
            command(Path::new("a/v.index"), false),
            "gunzip it under its own name: mv a/v.index a/v.index.gz && gzip -dc < a/v.index.gz > a/v.index"
        );
        assert_eq!(command(Path::new("v.index.gz"), false), "gunzip it, as gzip -dc < v.index.gz > v.index");
        assert_eq!(command(Path::new("m.tgz"), true), "unpack it with tar -xzf m.tgz");
    }
}
