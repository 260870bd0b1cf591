//! Files that TensorFlow 2.21 wrote, reproduced byte for byte.
//!
//! The bytes come from the format notes (worked example of the table, and the appendix of golden files), not from this
//! crate, so they check every part of it at once: checksums, masking, prefix compression, index keys, slice keys.

use ckpt_synth::table::{MAGIC, snappy};
use ckpt_synth::{
    BundleBuilder, Compression, Extent, Msg, Node, ObjectGraph, Part, TableBuilder, V1Builder, Values, dtype,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A table's hexadecimal text: everything up to the footer's padding, then padding and magic number.
fn table(text: &str, footer_handles: usize) -> String {
    let text: String = text.split_whitespace().collect();
    text + &"00".repeat(40 - footer_handles) + &hex(&MAGIC.to_le_bytes())
}

#[test]
fn the_worked_example_of_a_matrix() {
    let bundle = BundleBuilder::new().floats("mat", &[2, 3], &[1.0; 6]).finish();
    let want = table(
        "000006 08011a020801
         000313 6d6174 08011208120208021202080328 18 356b3e3aa8
         00000000 01000000 00 29fe0f2c
         00000000 01000000 00 c0f2a1b0
         000102 6e 002a 00000000 01000000 00 ffbe7246
         2f08 3c0e",
        4,
    );
    assert_eq!(hex(&bundle.index), want);
    assert_eq!(bundle.index.len(), 127);
    assert_eq!(hex(&bundle.shards[0]), "0000803f".repeat(6));
}

#[test]
fn a_partitioned_vector() {
    let slices =
        vec![(vec![Extent::range(0, 2)], 0, floats(&[1.0, 2.0])), (vec![Extent::range(2, 1)], 0, floats(&[3.0]))];
    let bundle = BundleBuilder::new().partitioned("p", dtype::FLOAT, &[3], slices).finish();
    let want = table(
        "00000608011a02080100080f00700001010180820801120412020802280835593ce535060211828108011204120208012008280435efd6
         82c30001167008011204120208033a040a0210023a060a040802100100000000010000000020939d20000000000100000000c0f2a1b000
         010271005b000000000100000000a407520460086d0e",
        4,
    );
    assert_eq!(hex(&bundle.index), want);
    assert_eq!(bundle.index.len(), 176);
    assert_eq!(hex(&bundle.shards[0]), "0000803f0000004000004040");
}

#[test]
fn three_strings() {
    let bundle = BundleBuilder::new().strings("s", &[3], &["a", "", "xyz"]).finish();
    let want = table(
        "00000608011a02080100010f730807120412020803280b35f28f00f8000000000100000000751a3539000000000100000000c0f2a1b000
         010274002400000000010000000070bd12762908360e",
        4,
    );
    assert_eq!(hex(&bundle.index), want);
    assert_eq!(bundle.index.len(), 121);
    assert_eq!(hex(&bundle.shards[0]), "0100033fdb2b736178797a");
}

#[test]
fn a_v1_scalar() {
    let v1 = V1Builder::new().tensor("x", dtype::FLOAT, &[], Values::Float(vec![3.0])).finish();
    let want = table(
        "0000110a0f0a090a01781200180122001202080100050f0078000100120d0a017812001a062a0400004040000000000100000000edfc3f
         34000000000100000000c0f2a1b0000102010033000000000100000000ab341a1c3808450e",
        4,
    );
    assert_eq!(hex(&v1.shards[0]), want);
    assert_eq!(v1.shards[0].len(), 136);
}

#[test]
fn v1_halves_are_bit_patterns() {
    let values = Values::Half(vec![0x3c00, 0xc000]);
    assert_eq!(hex(&values.proto().build()), "6a058078808003");
}

#[test]
fn the_object_graph_of_one_variable() {
    let variable = Node::new().variable("foo", "v/.ATTRIBUTES/VARIABLE_VALUE").has_checkpoint_values(true);
    let by_hand = ObjectGraph::new().node(Node::new().child(1, "v").has_checkpoint_values(true)).node(variable).build();
    let want =
        "0a0b0a0508011201762a0208010a3912330a0e5641524941424c455f56414c55451203666f6f1a1c762f2e41545452494255544553
                2f5641524941424c455f56414c55452a020801";
    assert_eq!(hex(&by_hand), want.split_whitespace().collect::<String>());
    assert_eq!(ObjectGraph::of_variables(&[(&["v"], "foo")]).build(), by_hand);
}

#[test]
fn an_element_of_a_tensor_list() {
    let item = |shape: i64, values: &[f32]| {
        let shape = Msg::new().msg(2, Msg::new().int(1, shape));
        Msg::new().int(1, 1).msg(2, shape).packed_floats(5, values)
    };
    let metadata = [&[0, 1][..], &[0xff; 9], &[0x01, 0x12, 0x02, 0x08, 0x02]].concat();
    let list = Msg::new().string(1, "tensorflow::TensorList").bytes(2, metadata);
    let list = list.msg(3, item(2, &[1.0, 2.0])).msg(3, item(2, &[3.0, 4.0])).build();
    let bundle = BundleBuilder::new().variants("l", &[], &[list]).finish();
    let want = "520a1674656e736f72666c6f773a3a54656e736f724c69737412100001ffffffffffffffffff01120208021a12080112041202
                08022a080000803f000000401a1208011204120208022a0800004040000080406915458e";
    assert_eq!(hex(&bundle.shards[0]), want.split_whitespace().collect::<String>());
}

#[test]
fn an_empty_numeric_tensor_has_no_size_and_the_checksum_of_nothing() {
    let bundle = BundleBuilder::new().floats("e", &[0], &[]).finish();
    assert_eq!(hex(&bundle.entries[0].1.proto().build()), "080112021200".to_owned() + "35d8ea82a2");
}

#[test]
fn an_int64_dimension_is_signed() {
    let scalar = ckpt_synth::Entry::new(dtype::FLOAT, &[-1]).proto().build();
    assert_eq!(hex(&scalar), "0801".to_owned() + "120d" + "120b" + "08ffffffffffffffffff01");
}

#[test]
fn snappy_blocks_decompress_to_what_was_stored_plainly() {
    let write = |compression| {
        let mut table = TableBuilder::new().compression(compression);
        for i in 0..100 {
            table.add(format!("key-{i:04}"), [b'v'; 40]);
        }
        table.finish_with_layout()
    };
    let (plain, plain_layout) = write(Compression::None);
    let contents = &plain[plain_layout.data[0].contents.clone()];
    for compression in [Compression::Snappy, Compression::SnappyIfSmaller] {
        let (packed, layout) = write(compression);
        let stored = &packed[layout.data[0].contents.clone()];
        assert_eq!(packed[layout.data[0].trailer.start], 1);
        assert!(stored.len() < contents.len());
        assert_eq!(stored, snappy(contents));
        assert_eq!(snap::raw::Decoder::new().decompress_vec(stored).unwrap(), contents);
    }
}

#[test]
fn nothing_is_gained_on_an_empty_index_so_it_stays_plain() {
    let mut table = TableBuilder::new().compression(Compression::SnappyIfSmaller);
    table.add("a", "b");
    let (bytes, layout) = table.finish_with_layout();
    assert_eq!(bytes[layout.data[0].trailer.start], 0);
}

#[test]
fn the_layout_covers_every_byte_once() {
    let mut table = TableBuilder::new().block_size(64);
    for i in 0..20 {
        table.add(format!("key-{i:04}"), [b'v'; 20]);
    }
    let (bytes, layout) = table.finish_with_layout();
    assert!(layout.data.len() > 3);
    let mut parts: Vec<Part> = (0..bytes.len()).map(|at| layout.part_at(at)).collect();
    assert_eq!(layout.part_at(bytes.len()), Part::Outside);
    assert!(!parts.contains(&Part::Outside));
    assert_eq!(parts.iter().filter(|p| matches!(p, Part::DataTrailer(1))).count(), 5);
    assert_eq!(parts.iter().filter(|p| matches!(p, Part::FooterMagic)).count(), 8);
    // Each part is one run.
    parts.dedup();
    assert_eq!(parts.len(), layout.data.len() * 2 + 4 + 3);
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}
