//! stand-in
/// x
#[derive(Debug, Clone, Copy)]
pub struct BitFlip {
    /// x
    pub byte: u64,
    /// x
    pub bit: u8,
    /// x
    pub unique: bool,
    /// x
    pub odds: f64,
}
/// x
pub fn single_bit(_stored: u32, _computed: u32, _len: u64) -> Option<BitFlip> {
    None
}
