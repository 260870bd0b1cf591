//! Numbers in groups of seven bits, the lowest first, as the catalogue keeps them in memory.

/// Writes a number.
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes().first().map_or(0, |byte| byte | 0x80));
        value >>= 7;
    }
    out.push(value.to_le_bytes().first().copied().unwrap_or(0));
}

/// Takes a number off the front. What ends too early is what was there.
#[inline]
pub(super) fn varint(rest: &mut &[u8]) -> u64 {
    if let [byte, behind @ ..] = *rest
        && *byte < 0x80
    {
        *rest = behind;
        return u64::from(*byte);
    }
    let mut value = 0u64;
    let mut shift = 0;
    while let Some((byte, behind)) = rest.split_first() {
        *rest = behind;
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if *byte < 0x80 {
            break;
        }
        shift = shift.saturating_add(7);
    }
    value
}

/// A shard's number, which was widened to be written.
pub(super) fn signed32(value: u64) -> i32 {
    u32::try_from(value).unwrap_or(u32::MAX).cast_signed()
}
