//! Numbers and texts on the wire: little-endian, bounds-checked, |n| < 2^53.

pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

pub const fn pad8(bytes: usize) -> usize {
    (bytes + 7) & !7
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Option<()> {
    out.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
    Some(())
}

fn take<const N: usize>(frame: &[u8], at: usize) -> Option<[u8; N]> {
    frame.get(at..at + N)?.try_into().ok()
}

pub fn put_u8(out: &mut [u8], at: usize, value: u8) -> Option<()> {
    put(out, at, &[value])
}

pub fn put_u16(out: &mut [u8], at: usize, value: u16) -> Option<()> {
    put(out, at, &value.to_le_bytes())
}

pub fn put_u32(out: &mut [u8], at: usize, value: u32) -> Option<()> {
    put(out, at, &value.to_le_bytes())
}

pub fn put_i64(out: &mut [u8], at: usize, value: i64) -> Option<()> {
    if !(-MAX_INTEGER..=MAX_INTEGER).contains(&value) {
        return None;
    }
    put(out, at, &value.to_le_bytes())
}

pub fn put_u64(out: &mut [u8], at: usize, value: u64) -> Option<()> {
    if value > MAX_INTEGER as u64 {
        return None;
    }
    put(out, at, &value.to_le_bytes())
}

pub fn put_f64(out: &mut [u8], at: usize, value: f64) -> Option<()> {
    if !value.is_finite() {
        return None;
    }
    put(out, at, &value.to_le_bytes())
}

pub fn put_bytes(out: &mut [u8], at: usize, value: &[u8; 16]) -> Option<()> {
    put(out, at, value)
}

pub fn put_text(out: &mut [u8], at: usize, value: &[u8]) -> Option<()> {
    if !is_text(value) {
        return None;
    }
    put(out, at, value)
}

pub fn take_u8(frame: &[u8], at: usize) -> Option<u8> {
    frame.get(at).copied()
}

pub fn take_u16(frame: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(take(frame, at)?))
}

pub fn take_u32(frame: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(take(frame, at)?))
}

pub fn take_i64(frame: &[u8], at: usize) -> Option<i64> {
    let value = i64::from_le_bytes(take(frame, at)?);
    (-MAX_INTEGER..=MAX_INTEGER).contains(&value).then_some(value)
}

pub fn take_u64(frame: &[u8], at: usize) -> Option<u64> {
    let value = u64::from_le_bytes(take(frame, at)?);
    (value <= MAX_INTEGER as u64).then_some(value)
}

pub fn take_f64(frame: &[u8], at: usize) -> Option<f64> {
    let value = f64::from_le_bytes(take(frame, at)?);
    value.is_finite().then_some(value)
}

pub fn take_bytes(frame: &[u8], at: usize) -> Option<[u8; 16]> {
    take(frame, at)
}

pub fn take_text<const N: usize>(frame: &[u8], at: usize) -> Option<[u8; N]> {
    let value = take(frame, at)?;
    is_text(&value).then_some(value)
}

/// Printable ASCII, then zeros only.
fn is_text(value: &[u8]) -> bool {
    let mut ended = false;
    for byte in value {
        match byte {
            0 => ended = true,
            0x21..=0x7e if !ended => {}
            _ => return false,
        }
    }
    true
}

/// The text without its padding.
pub fn text(value: &[u8]) -> &str {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    core::str::from_utf8(value.get(..end).unwrap_or(&[])).unwrap_or("")
}

/// A text field from a string; too long is cut.
pub fn text_field<const N: usize>(value: &str) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(value.bytes()) {
        *to = from;
    }
    field
}

pub fn put_tail(out: &mut [u8], at: usize, bytes: &[u8]) -> Option<usize> {
    put(out, at, bytes)?;
    let end = at + pad8(bytes.len());
    out.get_mut(at + bytes.len()..end)?.fill(0);
    Some(end)
}

pub fn take_tail(frame: &[u8], at: usize, count: usize, element: usize) -> Option<(&[u8], usize)> {
    let bytes = count.checked_mul(element)?;
    let end = at.checked_add(bytes)?;
    Some((frame.get(at..end)?, at.checked_add(bytes.checked_add(7)? & !7)?))
}
