//! Classes of characters, as bits of a set.

pub(super) const DIGIT: u16 = 1;
pub(super) const HEX_LOWER: u16 = 1 << 1;
pub(super) const HEX_UPPER: u16 = 1 << 2;
pub(super) const LOWER: u16 = 1 << 3;
pub(super) const UPPER: u16 = 1 << 4;
pub(super) const BASE64: u16 = 1 << 5;
pub(super) const SYMBOL: u16 = 1 << 6;
pub(super) const OTHER: u16 = 1 << 7;
pub(super) const HYPHEN: u16 = 1 << 8;
pub(super) const UNDERSCORE: u16 = 1 << 9;
pub(super) const SPACE: u16 = 1 << 10;
pub(super) const DOT: u16 = 1 << 11;
pub(super) const COLON: u16 = 1 << 12;
/// What is neither letter nor digit.
pub(super) const MARKS: u16 = BASE64 | SYMBOL | HYPHEN | UNDERSCORE | SPACE | DOT | COLON;

/// The class of each byte.
pub(super) static OF: [u16; 256] = {
    let mut of = [0; 256];
    let mut byte = 0_u8;
    loop {
        of[byte as usize] = class_of(byte);
        if byte == u8::MAX {
            break of;
        }
        byte += 1;
    }
};

const fn class_of(byte: u8) -> u16 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'f' => HEX_LOWER,
        b'A'..=b'F' => HEX_UPPER,
        b'g'..=b'z' => LOWER,
        b'G'..=b'Z' => UPPER,
        b'+' | b'/' | b'=' => BASE64,
        b'-' => HYPHEN,
        b'_' => UNDERSCORE,
        b' ' => SPACE,
        b'.' => DOT,
        b':' => COLON,
        0x80.. => OTHER,
        _ => SYMBOL,
    }
}
